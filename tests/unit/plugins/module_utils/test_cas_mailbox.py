# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on mailboxes: what becomes of each, and what is refused or warned of."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _cas_mailbox, _results
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    Ambiguous,
    AuthenticationFailed,
    InvalidRequest,
    NotFound,
    Refused,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX, SMTP_AUTH

AUTH = "SmtpClientAuthenticationDisabled"
USERS = [f"user{n}@contoso.com" for n in range(4)]
Tenant = Callable[..., t.Any]
Run = Callable[..., t.Any]


@pytest.fixture
def converge(run: Run) -> Run:
    return lambda client, **given: run(_cas_mailbox.converge, _cas_mailbox.ARGUMENT_SPEC, client, **given)


@pytest.fixture
def info(run: Run) -> Run:
    return lambda client, **given: run(_cas_mailbox.info, _cas_mailbox.INFO_ARGUMENT_SPEC, client, **given)


def statuses(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(entry["identity"], entry["status"]) for entry in result["mailboxes"]]


def test_shared_settings_and_settings_of_ones_own(tenant: Tenant, converge: Run) -> None:
    client = tenant(3)
    own = [{"identity": USERS[2], "imap_enabled": True}, {"identity": USERS[3], "pop_enabled": False}]
    ran = converge(client, identity=[USERS[1], USERS[2]], pop_enabled=True, mailboxes=own)
    assert ran.error is None
    assert client.written == [
        (USERS[1], {"PopEnabled": True}),
        (USERS[2], {"ImapEnabled": True, "PopEnabled": True}),
    ]
    assert statuses(ran.result) == [(USERS[1], "changed"), (USERS[2], "changed"), (USERS[3], "unchanged")]
    assert ran.result["summary"]["matched"] == 3
    assert ran.warnings == []


def test_all_mailboxes_with_overrides_and_exceptions(tenant: Tenant, converge: Run) -> None:
    client = tenant(3)
    ran = converge(
        client,
        all_mailboxes=True,
        pop_enabled=True,
        mailboxes=[{"identity": USERS[1], "pop_enabled": False, "imap_enabled": True}],
        exclude=[USERS[2]],
    )
    assert ran.error is None
    assert client.written == [(USERS[1], {"ImapEnabled": True}), (USERS[3], {"PopEnabled": True})]
    assert statuses(ran.result) == [(USERS[1], "changed"), (USERS[3], "changed")]
    assert converge(client, all_mailboxes=True, imap_enabled=False, exclude=[USERS[1]]).result["mailboxes"] == []


def test_a_listed_name_that_is_anothers_sign_in_name_is_ambiguous(tenant: Tenant, converge: Run) -> None:
    client = tenant(2)
    list(client.boxes.values())[1]["UserPrincipalName"] = USERS[1]
    ran = converge(client, all_mailboxes=True, pop_enabled=True, exclude=[USERS[1]])
    assert isinstance(ran.failure, Ambiguous)
    assert client.writes == []


def test_a_typing_mistake_in_an_override_is_an_error(tenant: Tenant, converge: Run) -> None:
    client = tenant(2)
    ran = converge(
        client,
        all_mailboxes=True,
        mailboxes=[{"identity": "scaner@contoso.com", SMTP_AUTH: "false"}],
        lookup_failure_action="warn",
        **{SMTP_AUTH: "true"},
    )
    assert isinstance(ran.failure, NotFound)
    assert client.writes == []


@pytest.mark.parametrize(("second", "fails"), [(True, True), (False, False)])
def test_two_entries_for_one_mailbox(second: bool, fails: bool, tenant: Tenant, converge: Run) -> None:
    client = tenant(1, {"Alias": "scan"})
    entries = [
        {"identity": USERS[1], "pop_enabled": False},
        {"identity": "scan", "pop_enabled": second, "imap_enabled": True},
    ]
    ran = converge(client, mailboxes=entries)
    if fails:
        assert isinstance(ran.failure, InvalidRequest)
        words = f"mailboxes[0] ({USERS[1]}) and mailboxes[1] (scan) are the same mailbox, {USERS[1]}, and disagree"
        assert words in str(ran.failure)
        assert client.writes == []
    else:
        assert client.written == [(USERS[1], {"ImapEnabled": True})]


def test_a_name_that_is_gone(tenant: Tenant, converge: Run) -> None:
    client = tenant(1)
    given = {"identity": ["gone@contoso.com", USERS[1]], "pop_enabled": True}
    assert isinstance(converge(client, **given).failure, NotFound)
    assert client.writes == []
    ran = converge(client, lookup_failure_action="warn", **given)
    assert statuses(ran.result) == [("gone@contoso.com", "missing"), (USERS[1], "changed")]
    assert "gone@contoso.com" in ran.warnings[0]
    (entry,) = [{"identity": "gone@contoso.com", "pop_enabled": True}]
    assert converge(client, mailboxes=[entry], lookup_failure_action="warn").result["changed"] is False


def test_where_that_drops_an_override_warns(tenant: Tenant, converge: Run) -> None:
    client = tenant(2)
    ran = converge(
        client,
        all_mailboxes=True,
        pop_enabled=True,
        where={"imap_enabled": True},
        mailboxes=[{"identity": USERS[1], "pop_enabled": False}],
    )
    assert ran.warnings == [f"where leaves out mailboxes that mailboxes names: {USERS[1]}."]
    assert client.writes == []


@pytest.mark.parametrize(
    ("option", "wanted", "words"),
    [("max_changes", True, "20 would change"), ("max_lose", True, "20 would lose"), ("max_gain", False, "20 would")],
)
def test_limits(option: str, wanted: bool, words: str, tenant: Tenant, converge: Run) -> None:
    client = tenant(20, {AUTH: not wanted})
    ran = converge(client, all_mailboxes=True, **{SMTP_AUTH: str(wanted).lower(), option: "50%"})
    assert isinstance(ran.failure, Refused)
    assert words in str(ran.failure)
    assert client.writes == []


def test_a_percentage_is_of_what_is_in_scope_before_where(tenant: Tenant, converge: Run) -> None:
    client = tenant(200)
    for box in list(client.boxes.values())[:15]:
        box["ImapEnabled"] = True
    given = {"all_mailboxes": True, "where": {"imap_enabled": True}, "imap_enabled": False}
    assert converge(client, max_changes="10%", **given).error is None


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("own", [True, None])
def test_inherit_for_all_needs_a_closed_organization(
    closed: bool, own: bool | None, tenant: Tenant, converge: Run
) -> None:
    client = tenant(2, {AUTH: own}, organization={AUTH: closed})
    ran = converge(client, all_mailboxes=True, **{SMTP_AUTH: "inherit"})
    if closed or own is None:
        assert ran.error is None
    else:
        assert isinstance(ran.failure, Refused)
        assert "everybody could use it" in str(ran.failure)
        assert client.writes == []
    assert converge(client, identity=[USERS[1]], **{SMTP_AUTH: "inherit"}).error is None


@pytest.mark.parametrize(
    ("config", "warns"), [({"EwsEnabled": False}, True), ({"EwsEnabled": True}, False), ({"EwsEnabled": None}, False)]
)
def test_ews_needs_the_organization(config: dict[str, t.Any], warns: bool, tenant: Tenant, converge: Run) -> None:
    client = tenant(1, config=config)
    ran = converge(client, identity=[USERS[1]], ews_enabled="true")
    assert any("ews_enabled: true has no effect" in warning for warning in ran.warnings) is warns
    assert converge(client, identity=[USERS[1]], ews_enabled="true").warnings == []


def test_ews_where_the_organization_can_t_be_read(tenant: Tenant, converge: Run) -> None:
    client = tenant(1)
    client.before = lambda command: AccessDenied("No.") if command.name == "Get-OrganizationConfig" else None
    assert converge(client, identity=[USERS[1]], ews_enabled="true").warnings == []
    client.before = lambda command: AuthenticationFailed("No.") if command.name == "Get-OrganizationConfig" else None
    ran = converge(client, identity=[USERS[1]], ews_enabled="false")
    assert ran.error is None
    assert isinstance(converge(client, identity=[USERS[1]], ews_enabled="true").failure, AuthenticationFailed)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Which mailboxes?"),
        ({"identity": [USERS[1]]}, "nothing to manage"),
        ({"all_mailboxes": True}, "nothing to manage"),
        ({"mailboxes": [{"identity": USERS[1]}]}, "has no setting"),
    ],
)
def test_what_is_no_task(given: dict[str, t.Any], words: str, tenant: Tenant, converge: Run) -> None:
    client = tenant(1)
    assert words in str(converge(client, **given).failure)
    assert client.ran == []


def test_overrides_alone_beside_all(tenant: Tenant, converge: Run) -> None:
    client = tenant(2)
    ran = converge(client, all_mailboxes=True, mailboxes=[{"identity": USERS[1], "pop_enabled": True}])
    assert ran.error is None
    assert client.written == [(USERS[1], {"PopEnabled": True})]


# Reading


def test_reading_all(tenant: Tenant, info: Run) -> None:
    client = tenant(3)
    for box, value in zip(client.boxes.values(), (None, False, True), strict=True):
        box[AUTH] = value
    ran = info(client, all_mailboxes=True)
    assert ran.error is None
    assert ran.result["summary"] == {"matched": 3, "smtp_auth": {"enabled": 1, "disabled": 1, "inherit": 1}}
    first = ran.result["mailboxes"][0]
    assert set(first["settings"]) == set(CAS_MAILBOX.options)
    assert (first["identity"], first["display_name"]) == (USERS[1], "User 1")
    assert client.ran[0].select == ()


def test_reading_some_properties(tenant: Tenant, info: Run) -> None:
    client = tenant(2, {"PopEnabled": True})
    ran = info(client, identity=[USERS[1], "gone"], properties=["pop_enabled"], lookup_failure_action="warn")
    assert [entry["settings"] for entry in ran.result["mailboxes"]] == [{"pop_enabled": True}]
    assert ran.result["summary"] == {"matched": 1}
    assert ran.warnings == ["There is no mailbox 'gone'."]
    assert ran.result["changed"] is False


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Which mailboxes?"),
        ({"identity": ["a"], "properties": ["PopEnabled"]}, "Did you mean pop_enabled"),
        ({"identity": ["a"], "all_mailboxes": True}, "exclude each other"),
        ({"identity": ["a"], "dest": "mailboxes.json"}, "absolute"),
    ],
)
def test_what_is_no_read(given: dict[str, t.Any], words: str, tenant: Tenant, info: Run) -> None:
    client = tenant(1)
    failure = info(client, **given).failure
    assert words in f"{failure} {failure.hint}"
    assert client.ran == []


def test_what_the_service_leaves_out(tenant: Tenant, info: Run) -> None:
    client = tenant(2)
    for box in client.boxes.values():
        del box[AUTH]
        del box["PopEnabled"]
    del next(iter(client.boxes.values()))["ImapEnabled"]
    ran = info(client, all_mailboxes=True)
    first, second = (entry["settings"] for entry in ran.result["mailboxes"])
    assert first[SMTP_AUTH] == "inherit"  # null that is omitted for the whole tenant
    assert ("pop_enabled" in first, "imap_enabled" in first, "imap_enabled" in second) == (False, False, True)
    assert ran.result["summary"]["smtp_auth"] == {"enabled": 0, "disabled": 0, "inherit": 2}
    (warning,) = ran.warnings
    assert AUTH in warning


@pytest.mark.parametrize("check_mode", [True, False])
def test_into_a_file(check_mode: bool, tenant: Tenant, info: Run, tmp_path: Path) -> None:
    dest = tmp_path / "mailboxes.json"
    ran = info(tenant(2), all_mailboxes=True, dest=str(dest), check_mode=check_mode)
    assert (ran.result["changed"], ran.result["dest"]) == (True, str(dest))
    assert "mailboxes" not in ran.result
    assert dest.exists() is not check_mode
    if not check_mode:
        assert len(json.loads(dest.read_text())["mailboxes"]) == 2
        assert info(tenant(2), all_mailboxes=True, dest=str(dest)).result["changed"] is False


def test_too_much_to_return(tenant: Tenant, info: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_results, "BUDGET", 1000)
    ran = info(tenant(2), all_mailboxes=True)
    assert isinstance(ran.failure, Refused)
    assert "dest" in (ran.failure.hint or "")
    assert ran.result["summary"]["matched"] == 2


def test_no_mailbox_fits(tenant: Tenant, info: Run) -> None:
    ran = info(tenant(1), all_mailboxes=True, where={"pop_enabled": True})
    assert ran.result["mailboxes"] == []
    assert ran.warnings == []


def test_plans_that_give_new_mailboxes_what_is_turned_off_are_told(tenant: Tenant, converge: Run) -> None:
    client = tenant(1, {"PopEnabled": True})
    plan = {"Guid": "00000000-0000-4000-8000-0000000000aa", "Name": "E5", "DisplayName": "E5"}
    client.plans.append({**plan, "PopEnabled": True, "ImapEnabled": False})
    ran = converge(client, all_mailboxes=True, pop_enabled=False, check_mode=True)
    assert any("mailbox plans: E5 (pop_enabled)" in warning for warning in ran.warnings)
    client.before = lambda command: AccessDenied("No.") if command.name == "Get-CASMailboxPlan" else None
    assert converge(client, all_mailboxes=True, pop_enabled=False, check_mode=True).warnings == []
    client.before = lambda command: AuthenticationFailed("No.") if command.name == "Get-CASMailboxPlan" else None
    failure = converge(client, all_mailboxes=True, pop_enabled=False, check_mode=True).failure
    assert isinstance(failure, AuthenticationFailed)
