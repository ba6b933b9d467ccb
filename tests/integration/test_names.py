# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that mean another mailbox, several, none, or all: nothing is written for a name that is not sure."""

from __future__ import annotations

from typing import Any

import pytest
from faults import documented
from harness import EFFECT, Lab, Tenant, small, task, tried

SMTP = "smtp_client_authentication_disabled"
CAS, POLICY, INFO = "exo_cas_mailbox", "exo_smtp_auth", "exo_cas_mailbox_info"
POP = {"pop_enabled": False}


def clashing(lab: Lab, form: str) -> Tenant:
    """A tenant where the sign-in name of one mailbox is the primary address of another."""
    tenant = small(lab, forms={"clashing_name": form})
    info = tenant.at("info")
    tenant.patch(
        add_mailboxes=[
            {"primary_address": info, "upn": tenant.at("info.desk"), "alias": "info1"},
            {"primary_address": tenant.at("old.info"), "upn": info, "alias": "info2"},
        ]
    )
    return tenant


@pytest.mark.parametrize("form", ["ambiguous", "upn"])
def test_a_sign_in_name_that_is_anothers_address(form: str, lab: Lab) -> None:
    """Whichever of the two the service takes it for: the list of mailboxes says one, the service both or the other."""
    tenant = clashing(lab, form)
    info = tenant.at("info")
    run = tenant.run(
        [
            tried(POLICY, {"allowed": [info]}, named="allowed"),
            tried(POLICY, {"denied": [info], "lookup_failure_action": "warn"}, named="denied"),
            tried(POLICY, {"allowed": [tenant.at("scanner")], "exclude": [info], "unlisted": "not_enabled"},
                  named="spared"),
            tried(CAS, {"all_mailboxes": True, **POP, "exclude": [info]}, named="exclude"),
            tried(CAS, {"all_mailboxes": True, **POP, "mailboxes": [{"identity": info, "imap_enabled": False}]},
                  named="override"),
            tried(CAS, {"identity": [info], **POP}, named="named"),
        ],
        warns=[EFFECT, "on no list"],
    )  # fmt: skip
    names = ["allowed", "denied", "spared", "exclude", "override"] + (["named"] if form == "ambiguous" else [])
    for name in names:
        run[name].refused("ambiguous", "info@", hint="GUID")
        assert tenant.writes(run[name]) == []
    if form == "ambiguous":
        documented("sign-in name that is another's address", run["allowed"])


def test_a_single_row_is_not_believed_for_any_name(lab: Lab) -> None:
    """Microsoft's pages warn that a value which does not exist can return all objects: here all is one."""
    tenant = lab.tenant(mailboxes=[{"upn": "only@one.example"}], forms={"unknown_mailbox": "all"})
    ghost = "ghost@elsewhere.example"
    run = tenant.run(
        [
            tried(CAS, {"identity": [ghost], SMTP: False}, named="address"),
            tried(CAS, {"identity": ["12345678-1234-1234-1234-123456789abc"], SMTP: False}, named="GUID"),
            tried(CAS, {"identity": [ghost], SMTP: False, "lookup_failure_action": "warn"}, named="tolerant"),
            tried(POLICY, {"allowed": [ghost]}, named="policy"),
            tried(INFO, {"identity": [ghost]}, named="info"),
        ]
    )
    for step in run.steps:
        step.refused("unexpected_response", "only@")
    documented("a row for a name that nobody has", run["address"])
    assert tenant.writes() == []


def test_another_mailbox_than_the_one_that_was_asked_for(tenant: Tenant) -> None:
    match = {"cmdlet": "Get-CASMailbox", "identity": tenant.at("scanner")}
    tenant.fault("other_object", identity=tenant.at("ada"), match=match, times=None)
    step = tenant.one(CAS, {"identity": [tenant.at("scanner")], SMTP: False})
    step.refused("unexpected_response", "scanner@", "ada@")
    assert tenant.writes() == []


def test_sign_in_names_are_confirmed(lab: Lab) -> None:
    """A sign-in name is no address of the mailbox; that it is this user's, the service says."""
    tenant = small(lab)
    tenant.patch(add_mailboxes=[{"primary_address": tenant.at("printer"), "upn": tenant.at("prn-0815")}])
    run = tenant.run(
        [
            task(CAS, {"identity": [tenant.at("prn-0815")], **POP}, named="named"),
            task(POLICY, {"allowed": [tenant.at("prn-0815"), tenant.at("stray")]}, named="policy"),
        ],
        warns=[EFFECT, "on no list"],
    )
    assert [box["primary_smtp_address"] for box in run["named"]["mailboxes"]] == [tenant.at("printer")]
    assert tenant.own("printer") is False
    assert run["policy"].changed


def test_a_name_with_a_star_means_nobody(tenant: Tenant) -> None:
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "identity": (CAS, {"identity": ["scan*"], **POP}),
        "mailboxes": (CAS, {"mailboxes": [{"identity": "*", **POP}]}),
        "exclude": (CAS, {"all_mailboxes": True, **POP, "exclude": ["*@t.example"]}),
        "allowed": (POLICY, {"allowed": ["*"]}),
        "denied": (POLICY, {"denied": [{"identity": "a*"}]}),
        "info": (INFO, {"identity": ["*"]}),
    }
    run = tenant.run([tried(module, arguments, named=name) for name, (module, arguments) in cases.items()])
    for name in cases:
        run[name].refused("invalid_request", r"\*", hint="Name each mailbox")
    documented("name with a star", run["identity"])
    assert tenant.log() == []


def test_a_typing_mistake_in_an_override_changes_nobody(tenant: Tenant) -> None:
    """It would take SMTP AUTH from the very mailbox that the override protects."""
    wanted = {
        "all_mailboxes": True, SMTP: True, "mailboxes": [{"identity": tenant.at("scaner"), SMTP: False}],
        "lookup_failure_action": "warn",
    }  # fmt: skip
    run = tenant.run(
        [tried(CAS, wanted, named="check", check_mode=True), tried(CAS, wanted, named="it")], warns=[EFFECT]
    )
    for step in (run["check"], run["it"]):
        step.refused("not_found", "scaner@", hint="spelling")
    documented("misspelt override", run["it"])
    assert tenant.writes() == []


def test_an_override_that_where_leaves_out_is_told(tenant: Tenant) -> None:
    wanted = {
        "all_mailboxes": True, **POP, "where": {SMTP: "inherit"},
        "mailboxes": [{"identity": tenant.at("stray"), "pop_enabled": True}],
    }  # fmt: skip
    step = tenant.one(CAS, wanted, check=True, warns=["where leaves out"])
    documented("override that where leaves out", step.ok())
    assert any("where leaves out" in warning and "stray@" in warning for warning in step.warnings)


def test_many_names_are_as_sure_as_few(lab: Lab) -> None:
    """So many that the tenant's list is read instead: what was matched in it is asked for before it is written."""
    tenant = clashing(lab, "ambiguous")
    names = [f"many{number}" for number in range(50)]
    tenant.patch(add_mailboxes=[{"upn": tenant.at(name)} for name in names])
    many = [*(tenant.at(name) for name in names), tenant.at("info")]
    run = tenant.run(
        [
            tried(CAS, {"identity": many, **POP}, named="written"),
            task(CAS, {"identity": many[:-1], **POP}, named="sure"),
            task(CAS, {"identity": many[:-1], **POP}, named="again"),
        ]
    )
    run["written"].refused("ambiguous", "info@", hint="GUID")
    assert tenant.writes(run["written"]) == []
    assert run["sure"]["summary"]["changed"] == 50
    # Nothing is written, so nothing has to be sure, and the list is all that is read.
    assert [entry["cmdlet"] for entry in tenant.log(run["again"])] == ["Get-CASMailbox"]
