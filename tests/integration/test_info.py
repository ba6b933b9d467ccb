# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that only read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import EFFECT, Lab, Tenant, small, task, tried

INFO = "exo_cas_mailbox_info"
SMTP = "smtp_client_authentication_disabled"


@pytest.mark.smoke
def test_mailboxes(tenant: Tenant) -> None:
    run = tenant.run(
        [
            task(INFO, {"all_mailboxes": True}, named="all"),
            task(INFO, {"identity": [tenant.at("scanner"), "stray"], "properties": [SMTP]}, named="two"),
            task(INFO, {"all_mailboxes": True, "where": {SMTP: "inherit"}, "exclude": ["ada"],
                        "properties": ["imap_enabled"]}, named="some"),
            task(INFO, {"identity": ["gone", "ada"], "lookup_failure_action": "warn", "properties": [SMTP]},
                 named="warned"),
            tried(INFO, {"identity": ["gone"]}, named="gone"),
            tried(INFO, {"all_mailboxes": True, "properties": ["imap"]}, named="misspelt"),
            tried(INFO, {}, named="nothing"),
            tried(INFO, {"all_mailboxes": True, "recipient_type_details": ["RoomMailbox"]}, named="no rooms"),
        ],
        warns=["gone"],
    )  # fmt: skip
    whole = run["all"]
    assert whole["summary"] == {"matched": 6, "smtp_auth": {"enabled": 1, "disabled": 1, "inherit": 4}}
    assert all(len(box["settings"]) == 33 for box in whole["mailboxes"])
    assert not whole.changed
    two = run["two"]["mailboxes"]
    assert [box["identity"] for box in two] == [tenant.at("scanner"), "stray"]
    assert [box["settings"] for box in two] == [{SMTP: "inherit"}, {SMTP: False}]
    assert set(two[0]) == {"identity", "guid", "primary_smtp_address", "display_name", "settings"}
    some = run["some"]
    assert {box["primary_smtp_address"] for box in some["mailboxes"]} == set(
        map(tenant.at, ("scanner", "reports", "ben"))
    )
    assert some["summary"] == {"matched": 3}
    assert run["warned"]["summary"]["matched"] == 1
    run["gone"].refused("not_found", "gone")
    run["misspelt"].refused("invalid_request", "imap", hint=None)
    run["nothing"].refused("invalid_request", "Which mailboxes", hint=None)
    run["no rooms"].refused("incomplete_read", "no mailbox at all")
    assert tenant.writes() == []


def test_dest(tenant: Tenant, tmp_path: Path) -> None:
    dest = tmp_path / "mailboxes.json"
    arguments = {"all_mailboxes": True, "dest": str(dest)}
    run = tenant.run(
        [
            task(INFO, arguments, named="check", check_mode=True),
            task(INFO, arguments, named="first"),
            task(INFO, arguments, named="second"),
            tried(INFO, {**arguments, "dest": str(tmp_path / "none" / "x.json")}, named="nowhere"),
        ]
    )
    assert [run[name].changed for name in ("check", "first", "second")] == [True, True, False]
    content = json.loads(dest.read_text())
    assert len(content["mailboxes"]) == 6
    assert content["summary"]["matched"] == 6
    run["nowhere"].refused("invalid_request", "dest", "does not exist", hint=None)
    assert [path.name for path in tmp_path.iterdir()] == ["mailboxes.json"]


def test_a_result_too_large_to_show_asks_for_dest(lab: Lab) -> None:
    tenant = lab.tenant(generate=600)
    run = tenant.run([tried(INFO, {"all_mailboxes": True}, named="all"),
                      task(INFO, {"all_mailboxes": True, "properties": [SMTP]}, named="narrow")])  # fmt: skip
    run["all"].refused("refused", "600 mailboxes", hint="dest")
    assert len(run["narrow"]["mailboxes"]) == 600


def test_what_a_reader_sees(lab: Lab) -> None:
    """Global Reader is enough for everything that only reads."""
    tenant = small(lab, apps=[{"directory_role": "Global Reader"}])
    run = tenant.run(
        [
            task("exo_transport_config_info", named="organization"),
            task(INFO, {"all_mailboxes": True}, named="mailboxes"),
            task("exo_service_info", named="service"),
            task("exo_smtp_auth", {"organization": "disabled", "allowed": tenant.allowed("scanner", "stray")},
                 named="policy", check_mode=True),
        ],
        warns=[EFFECT],
    )  # fmt: skip
    assert len(run["organization"]["transport_config"]) == 29
    assert run["policy"].changed


@pytest.mark.smoke
def test_service_info_answers_and_tells_nothing_personal(tenant: Tenant) -> None:
    step = tenant.one("exo_service_info").ok()
    checks = step["checks"]
    assert len(checks) >= 5
    assert len({check["name"] for check in checks}) == len(checks)
    for check in checks:
        assert set(check) >= {"name", "question", "answer", "detail"}
        assert all(isinstance(check[key], str) for key in ("name", "question", "answer", "detail"))
        assert check["question"].endswith("?")
    told = json.dumps(checks).lower()
    for word in ("@", tenant.domain, tenant.info.tenant_id, "scanner", tenant.mailbox("ada")["Guid"]):
        assert word.lower() not in told.replace("@odata", "").replace("@adminapi", ""), word
    assert tenant.writes() == []


def test_service_info_without_rights_still_answers_or_says_why(lab: Lab) -> None:
    tenant = small(lab, apps=[{"directory_role": "none"}])
    step = tenant.one("exo_service_info")
    if step.failed:
        step.refused("access_denied", hint="directory role")
    else:
        assert "@" not in json.dumps(step["checks"]).replace("@odata", "").replace("@adminapi", "")
