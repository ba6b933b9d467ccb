# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of large tenants: small enough to arrive, counters exact."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _cas_mailbox, _restore, _results, _smtp_auth
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task

LIMIT = 600_000  # AWX drops an event's result beyond 700,000 characters
MANY = 20_000
ADDRESS = "a.rather.long.name.{}@subsidiary.contoso.com"
Tenant = Callable[..., t.Any]


def cas_options(**given: t.Any) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = {name: option.get("default") for name, option in _cas_mailbox.ARGUMENT_SPEC.items()}
    return {**plain, "wait": False, **given}


def smtp_options(**given: t.Any) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = {name: option.get("default") for name, option in _smtp_auth.ARGUMENT_SPEC.items()}
    return {**plain, "wait": False, **given}


def run(
    function: Callable[[Task], dict[str, t.Any]], params: dict[str, t.Any], client: t.Any, check_mode: bool = False
) -> tuple[dict[str, t.Any], list[str]]:
    warnings: list[str] = []
    task = Task(params, check_mode, warnings.append, lambda: client, tenant="contoso.com", module="test")
    try:
        result = function(task)
    except ExoError as error:
        result = error.to_fail_kwargs("contoso.com")
    arguments = _results.bounded_arguments(params)
    shown = params if arguments is None else arguments
    return {**result, "warnings": warnings, "invocation": {"module_args": shown}}, warnings


@pytest.mark.parametrize(("check_mode", "named"), [(True, False), (False, True)])
def test_twenty_thousand_changes(check_mode: bool, named: bool, tenant: Tenant) -> None:
    client = tenant(MANY, {"SmtpClientAuthenticationDisabled": False, "PopEnabled": True}, address=ADDRESS)
    names = [ADDRESS.format(n) for n in range(1, MANY + 1)]
    scope = {"identity": names} if named else {"all_mailboxes": True}
    params = cas_options(smtp_client_authentication_disabled=True, pop_enabled=False, **scope)
    result, _warnings = run(_cas_mailbox.converge, params, client, check_mode)
    assert len(json.dumps(result)) < LIMIT
    counters = {key: result["summary"][key] for key in ("matched", "changed", "unchanged", "failed", "missing")}
    assert counters == {"matched": MANY, "changed": MANY, "unchanged": 0, "failed": 0, "missing": 0}
    assert (result["summary"]["effect"]["lose"], result["summary"]["effect"]["gain"]) == (MANY, 0)
    assert result["truncated"] == {"mailboxes": MANY - len(result["mailboxes"])}
    assert result["mailboxes"][0]["status"] == "changed"
    (diff,) = result["diff"]
    first, *lines, last = diff["prepared"].splitlines()
    would = "would " if check_mode else ""
    assert first == f"contoso.com: {MANY:,} mailboxes {would}change, {MANY} {would}lose SMTP AUTH, 0 {would}gain it"
    assert last == f"  and {MANY - len(lines)} more, which are not shown here; the total is exact"
    assert len(diff["prepared"]) < 1.1 * _results.DIFF_BUDGET
    assert len(client.writes) == (0 if check_mode else MANY)


def test_twenty_thousand_failures_and_the_missing_come_first(tenant: Tenant) -> None:
    client = tenant(MANY, {"PopEnabled": True}, address=ADDRESS)
    bad = {f"00000000-0000-4000-8000-{n:012x}" for n in (MANY - 1, MANY)}
    client.before = lambda c: (
        InvalidRequest("No. " * 100) if c.name.startswith("Set-") and c.parameters["Identity"] in bad else None
    )
    names = [ADDRESS.format(n) for n in range(1, MANY + 1)]
    params = cas_options(identity=[*names, "gone@contoso.com"], pop_enabled=False, lookup_failure_action="warn")
    result, warnings = run(_cas_mailbox.converge, params, client)
    assert len(json.dumps(result)) < LIMIT
    assert [entry["status"] for entry in result["mailboxes"][:4]] == ["failed", "failed", "missing", "changed"]
    summary = result["summary"]
    assert (summary["changed"], summary["failed"], summary["missing"]) == (MANY - 2, 2, 1)
    assert result["error_code"] == "partial_failure"
    assert result["changed"] is True
    assert any("gone@contoso.com" in warning for warning in warnings)

    client.before = lambda c: InvalidRequest("No. " * 100) if c.name.startswith("Set-") else None
    result, _warnings = run(_cas_mailbox.converge, cas_options(all_mailboxes=True, imap_enabled=True), client)
    assert len(json.dumps(result)) < LIMIT
    assert (result["summary"]["changed"], result["summary"]["failed"]) == (0, MANY)
    assert result["changed"] is False


def test_twenty_thousand_revoked_by_the_policy(tenant: Tenant) -> None:
    client = tenant(MANY, {"SmtpClientAuthenticationDisabled": False}, address=ADDRESS)
    allowed = [{"identity": ADDRESS.format(n), "reason": "because"} for n in range(1, 101)]
    params = smtp_options(organization="disabled", allowed=allowed, unlisted="not_enabled")
    result, _warnings = run(_smtp_auth.converge, params, client, check_mode=True)
    assert len(json.dumps(result)) < LIMIT
    assert (result["summary"]["matched"], result["summary"]["changed"]) == (MANY, MANY - 100)
    assert result["summary"]["effect"]["lose"] == MANY - 100
    assert client.writes == []


def test_a_small_result_is_whole(tenant: Tenant) -> None:
    client = tenant(3, {"PopEnabled": True})
    params = cas_options(identity=["user1@contoso.com", "user2@contoso.com"], pop_enabled=False)
    result, _warnings = run(_cas_mailbox.converge, params, client)
    assert "truncated" not in result
    assert [(m["identity"], m["status"], m["before"], m["after"]) for m in result["mailboxes"]] == [
        (f"user{n}@contoso.com", "changed", {"pop_enabled": True}, {"pop_enabled": False}) for n in (1, 2)
    ]
    assert result["diff"] == [
        {
            "prepared": "contoso.com: 2 mailboxes change, 0 lose SMTP AUTH, 0 gain it\n"
            "  user1@contoso.com  pop_enabled: true → false\n"
            "  user2@contoso.com  pop_enabled: true → false\n"
        }
    ]
    assert _results.bounded_arguments(params) is None
    again, _warnings = run(_cas_mailbox.converge, params, client)
    assert (again["changed"], again["summary"]["unchanged"], again["diff"]) == (False, 2, [])


def test_a_read_that_is_too_large_to_show_says_so(tenant: Tenant) -> None:
    client = tenant(MANY // 4, address=ADDRESS)
    params = {name: option.get("default") for name, option in _cas_mailbox.INFO_ARGUMENT_SPEC.items()}
    with pytest.raises(Refused, match="too much") as caught:
        _cas_mailbox.info(Task({**params, "all_mailboxes": True}, False, print, lambda: client))
    assert caught.value.result["summary"]["matched"] == MANY // 4


def test_arguments_keep_what_is_small() -> None:
    params = {"identity": ["a@contoso.com"] * MANY, "pop_enabled": False}
    assert _results.bounded_arguments(params) == {"identity": f"({MANY} entries, not shown)", "pop_enabled": False}


def test_twenty_thousand_enabled_and_unlisted(tenant: Tenant) -> None:
    client = tenant(MANY, {"SmtpClientAuthenticationDisabled": False}, address=ADDRESS)
    params = smtp_options(organization="disabled", allowed=[{"identity": ADDRESS.format(1)}])
    result, warnings = run(_smtp_auth.converge, params, client, check_mode=True)
    assert len(json.dumps(result)) < LIMIT
    assert len(result["unlisted_enabled"]) + result["truncated"]["unlisted_enabled"] == MANY - 1
    assert any(f"{MANY - 1:,}" in warning for warning in warnings)


def test_twenty_thousand_changed_since(tenant: Tenant, tmp_path: Path) -> None:
    client = tenant(MANY, {"SmtpClientAuthenticationDisabled": False})
    before, after = {SMTP_AUTH: "inherit"}, {SMTP_AUTH: True}
    entries = [
        {
            "noun": "CASMailbox",
            "guid": guid,
            "primary_smtp_address": box["PrimarySmtpAddress"],
            "before": before,
            "after": after,
        }
        for guid, box in client.boxes.items()
    ]
    path = tmp_path / "undo.json"
    content = {"format": 2, "tenant_id": client.tenant_id, "entries": entries}
    path.write_text(json.dumps(content), encoding="utf-8")
    plain = {name: option.get("default") for name, option in _restore.ARGUMENT_SPEC.items()}
    result, _warnings = run(_restore.restore, {**plain, "src": str(path)}, client)
    assert len(json.dumps(result)) < LIMIT
    assert (result["changed"], result["summary"]["unchanged"]) == (False, MANY)
    assert len(result["changed_since"]) + result["truncated"]["changed_since"] == MANY
    assert client.writes == []
