# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mailboxes a task is about, in a tenant of three thousand, and what becomes of them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from faults import documented
from harness import EFFECT, Lab, Run, Tenant, small, task, tried

MODULE = "exo_cas_mailbox"
SMTP = "smtp_client_authentication_disabled"


@pytest.fixture(scope="module")
def large(lab: Lab) -> Tenant:
    return lab.tenant(generate={"count": 3000, "explicit_enabled": 0.004, "explicit_disabled": 0.004})


def boxes(tenant: Tenant) -> list[dict[str, Any]]:
    return list(tenant.lab.simulator.state(tenant.label)["mailboxes"])


@pytest.fixture(scope="module")
def chosen(large: Tenant) -> dict[str, list[str]]:
    """Addresses by what they are, before anything is changed."""
    state = boxes(large)

    def of(key: str, value: Any) -> list[str]:
        return [box["PrimarySmtpAddress"] for box in state if box[key] == value]

    return {
        "enabled": of("SmtpClientAuthenticationDisabled", False),
        "disabled": of("SmtpClientAuthenticationDisabled", True),
        "inherit": of("SmtpClientAuthenticationDisabled", None),
        "all": [box["PrimarySmtpAddress"] for box in state],
    }


@pytest.fixture(scope="module")
def run(large: Tenant, chosen: dict[str, list[str]]) -> Run:
    everybody: dict[str, Any] = {"all_mailboxes": True}
    spared = chosen["enabled"][0]
    release = {**everybody, "where": {SMTP: False}, SMTP: "inherit", "exclude": [spared]}
    return large.run(
        [
            tried(MODULE, {**everybody, "pop_enabled": False, "max_changes": "10%"}, named="limit"),
            tried(MODULE, {**everybody, "pop_enabled": False, "exclude": ["nobody@x.example"]}, named="typo"),
            tried(MODULE, {**everybody, "exclude": [chosen["all"][0]], "where": {"pop": False}, "pop_enabled": False},
                  named="unknown key"),
            tried(MODULE, {**everybody, "identity": ["a"], "pop_enabled": False}, named="both"),
            tried(MODULE, {"identity": ["a"], "exclude": ["b"], "pop_enabled": False}, named="exclude alone"),
            tried(MODULE, {**everybody, "recipient_type_details": ["LinkedMailbox"], "pop_enabled": False},
                  named="none of that type"),
            task(MODULE, release, named="release: check", check_mode=True, diff=True),
            task(MODULE, release, named="release", diff=True),
            task(MODULE, release, named="release again"),
            task(MODULE, {**everybody, "recipient_type_details": ["RoomMailbox"], "imap_enabled": False,
                          "mailboxes": [{"identity": spared, SMTP: True}], "max_changes": "80"}, named="rooms"),
            task("exo_cas_mailbox_info", {**everybody, "properties": [SMTP],
                                          "dest": str(large.lab.scratch / "all.json")}, named="info"),
        ],
        warns=[EFFECT],
    )  # fmt: skip


def test_the_limit_names_the_count_the_first_and_the_way_out(run: Run, chosen: dict[str, list[str]]) -> None:
    step = run["limit"].refused("refused", "3000 would change", "2980 more", hint="max_changes: 3000")
    assert all(name in step.msg for name in chosen["all"][:20])


@pytest.mark.parametrize(
    ("named", "code", "text"),
    [
        ("typo", "not_found", "exclude.*nobody@x.example"),
        ("unknown key", "invalid_request", "unknown key pop"),
        ("both", "invalid_request", "exclude each other"),
        ("exclude alone", "invalid_request", "exclude goes with all_mailboxes"),
        ("none of that type", "incomplete_read", "no mailbox at all"),
    ],
)
def test_refused(named: str, code: str, text: str, run: Run, large: Tenant) -> None:
    run[named].refused(code, text, hint=None)
    assert large.writes(run[named]) == []


def test_refusals_are_documented(run: Run) -> None:
    documented("misspelt exclude", run["typo"])
    documented("unknown key", run["unknown key"])
    documented("identity and all", run["both"])
    documented("exclude alone", run["exclude alone"])


def test_where_and_exclude(run: Run, large: Tenant, chosen: dict[str, list[str]]) -> None:
    done = run["release"]
    expected = set(chosen["enabled"][1:])
    assert {box["primary_smtp_address"] for box in done["mailboxes"]} == expected
    ((text,),) = [entry.values() for entry in done.diffs]
    assert all(f"  {name} " in text for name in expected)
    assert done["summary"]["changed"] == done["summary"]["matched"] == len(expected)
    assert run["release: check"]["summary"] == done["summary"]
    assert large.writes(run["release: check"]) == []
    assert len(large.writes(done)) == len(expected)
    assert not run["release again"].changed


def test_types_and_overrides(run: Run, large: Tenant, chosen: dict[str, list[str]]) -> None:
    spared = chosen["enabled"][0]
    (mine,) = [box for box in run["rooms"]["mailboxes"] if box["primary_smtp_address"] == spared]
    assert mine["after"] == {SMTP: True, "imap_enabled": False}
    assert large.own(spared) is True
    off = [box["PrimarySmtpAddress"] for box in boxes(large) if box["ImapEnabled"] is False]
    assert sorted(off) == sorted(box["primary_smtp_address"] for box in run["rooms"]["mailboxes"])
    assert 20 < len(off) < 120


def test_batches_are_sent_side_by_side_and_full(run: Run, large: Tenant) -> None:
    batches = [write["batch"] for write in large.writes(run["rooms"])]
    assert max(batches.count(batch) for batch in set(batches)) == 10
    assert large.lab.simulator.stats()["peak_concurrency"][large.label] <= 4


def test_a_large_list_goes_to_a_file(run: Run, large: Tenant) -> None:
    content = json.loads((large.lab.scratch / "all.json").read_text())
    assert len(content["mailboxes"]) == 3000
    assert run["info"]["summary"] == content["summary"]
    assert "mailboxes" not in run["info"].result
    assert oct((large.lab.scratch / "all.json").stat().st_mode)[-3:] == "600"


# --- named mailboxes ---


def test_names_of_every_kind(tenant: Tenant) -> None:
    ada = tenant.mailbox("ada")
    names = [tenant.at("scanner"), "ben", ada["Guid"], tenant.at("REPORTS").upper()]
    step = tenant.one(MODULE, {"identity": names, "owa_enabled": False})
    assert [box["identity"] for box in step.ok()["mailboxes"]] == names
    assert {write["parameters"]["Identity"] for write in tenant.writes()} == {
        tenant.mailbox(name)["Guid"] for name in ("scanner", "ben", "ada", "reports")
    }


@pytest.mark.smoke
def test_results_are_in_the_order_of_the_task(lab: Lab) -> None:
    tenant = lab.tenant(mailboxes=[{"upn": f"m{number:02}@order.example"} for number in range(12)])
    names = [f"m{number:02}@order.example" for number in range(12)]
    tenant.fault("delay", seconds=0.7, match={"endpoint": "batch"})
    step = tenant.one(MODULE, {"identity": names, "owa_enabled": False}, diff=True)
    assert [box["identity"] for box in step.ok()["mailboxes"]] == names
    text = step.diffs[0]["prepared"]
    assert re.findall(r"^  (\S+)", text, re.MULTILINE) == names


def test_entries_that_disagree(tenant: Tenant) -> None:
    guid, ada = tenant.mailbox("ada")["Guid"], tenant.at("ada")
    on, off = {"pop_enabled": True}, {"pop_enabled": False}
    wrong: dict[str, dict[str, Any]] = {
        "disagree": {"mailboxes": [{"identity": ada, **on}, {"identity": guid, **off}]},
        "disagree with identity": {"identity": [ada], **on, "mailboxes": [{"identity": "ada", **off}]},
        "no setting": {"mailboxes": [{"identity": ada}]},
        "no identity": {"mailboxes": [on]},
        "misspelt": {"mailboxes": [{"identity": ada, "pop_enable": True}]},
        "empty name": {"identity": ["", ada], **on},
        "nothing": {"identity": [ada]},
        "nobody": {"pop_enabled": True},
        "format": {
            "identity": [ada],
            "pop_messages_retrieval_mime_format": "TextOnly",
            "pop_use_protocol_defaults": True,
        },
        "list": {"identity": [ada], "ews_allow_list": ["App/*"]},
    }
    right = {"mailboxes": [{"identity": ada, **off}, {"identity": guid, **off, "imap_enabled": False}]}
    run = tenant.run([*(tried(MODULE, one, named=name) for name, one in wrong.items()),
                      task(MODULE, right, named="agree")])  # fmt: skip
    run["disagree"].refused("invalid_request", r"mailboxes\[0\].*mailboxes\[1\].*pop_enabled", hint=None)
    run["disagree with identity"].refused("invalid_request", r"identity\[0\].*mailboxes\[0\]", hint=None)
    for named, text in (("no setting", "no setting"), ("no identity", "no identity"),
                        ("misspelt", "pop_enable"), ("empty name", "is empty"), ("nothing", "No setting")):  # fmt: skip
        run[named].refused("invalid_request", text, hint=None)
    documented("entries disagree", run["disagree"])
    documented("entry without identity", run["no identity"])
    documented("empty name", run["empty name"])
    documented("no setting", run["nothing"])
    documented("no mailbox chosen", run["nobody"])
    documented("format beside protocol defaults", run["format"])
    documented("list without its policy", run["list"])
    (write,) = tenant.writes()
    assert (write["parameters"]["PopEnabled"], write["parameters"]["ImapEnabled"]) == (False, False)
    assert len(run["agree"]["mailboxes"]) == 1


@pytest.mark.smoke
def test_missing_names(tenant: Tenant) -> None:
    arguments = {"identity": [tenant.at("gone"), tenant.at("ada")], "owa_enabled": False}
    run = tenant.run(
        [
            tried(MODULE, arguments, named="fail"),
            task(MODULE, {**arguments, "lookup_failure_action": "warn"}, named="warn"),
        ],
        warns=["gone@.*left out"],
    )
    run["fail"].refused("not_found", "identity", "gone@")
    documented("missing names", run["fail"])
    documented("missing names, tolerated", run["warn"])
    assert tenant.writes(run["fail"]) == []
    assert [box["status"] for box in run["warn"]["mailboxes"]] == ["missing", "changed"]
    assert run["warn"]["summary"]["missing"] == 1
    assert run["warn"].warnings


def test_some_writes_fail_and_the_next_run_finishes(tenant: Tenant) -> None:
    for name in ("ada", "stray"):
        tenant.fault(
            "status", code=400, type="Some.Exception", message="Not now.", form="pipe",
            match={"cmdlet": "Set-CASMailbox", "identity": tenant.at(name)},
        )  # fmt: skip
    arguments = {"all_mailboxes": True, "owa_enabled": False}
    run = tenant.run([tried(MODULE, arguments, named="first"), task(MODULE, arguments, named="second")])
    first = run["first"].refused("partial_failure", "2 of 6", "Not now")
    assert first.changed
    assert (first["summary"]["changed"], first["summary"]["failed"]) == (4, 2)
    failed = {box["primary_smtp_address"]: box["error"] for box in first["mailboxes"] if box["status"] == "failed"}
    assert set(failed) == {tenant.at("ada"), tenant.at("stray")}
    assert run["second"]["summary"]["changed"] == 2
    assert not any(box["OWAEnabled"] for box in boxes(tenant))


def test_least_privilege(lab: Lab) -> None:
    """A reader reads everything and previews everything, and none of its writes gets through."""
    tenant = small(lab, apps=[{"directory_role": "Global Reader"}])
    changes: dict[str, dict[str, Any]] = {
        "exo_transport_config": {"clear_categories": False},
        MODULE: {"all_mailboxes": True, "pop_enabled": False},
        "exo_smtp_auth": {"organization": "disabled", "allowed": tenant.allowed("scanner", "stray")},
    }
    run = tenant.run(
        [
            task("exo_transport_config_info", named="organization"),
            task("exo_cas_mailbox_info", {"all_mailboxes": True}, named="mailboxes"),
            task("exo_service_info", named="service"),
            *(task(name, arguments, named=f"{name}: check", check_mode=True) for name, arguments in changes.items()),
            *(tried(name, arguments, named=name) for name, arguments in changes.items()),
        ],
        warns=[EFFECT],
    )
    assert len(run["organization"]["transport_config"]) == 29
    assert len(run["mailboxes"]["mailboxes"]) == 6
    assert run["service"].ok()["checks"]
    for name in changes:
        assert run[f"{name}: check"].ok().changed
        run[name].refused("access_denied", hint="Administrator")
        assert not run[name].changed
    assert not any(write["status"] == 200 for write in tenant.writes())


def test_a_right_that_is_missing_stops_at_once(lab: Lab) -> None:
    """Recipient administrators may not read the organization: what they can do is done, what they can't is said."""
    tenant = small(lab, apps=[{"directory_role": "Exchange Recipient Administrator"}])
    run = tenant.run(
        [
            task(MODULE, {"identity": ["ada"], SMTP: True}, named="mailbox"),
            tried("exo_smtp_auth", {"allowed": [{"identity": "scanner"}]}, named="policy"),
        ],
        warns=["not known who gains or loses"],
    )
    assert run["mailbox"]["summary"]["effect"]["lose"] is None
    assert run["mailbox"].warnings
    run["policy"].refused("access_denied", "Get-TransportConfig")


def test_a_parameter_that_the_role_hides(lab: Lab) -> None:
    tenant = small(lab, apps=[{"hidden_parameters": ["ImapEnabled"]}])
    step = tenant.one(MODULE, {"identity": ["ada"], "imap_enabled": False})
    step.refused("invalid_request", "ImapEnabled", hint="role")
    documented("parameter that the role hides", step)
    documented("time in other words", tenant.one("exo_transport_config", {"message_expiration": "soon"}))
