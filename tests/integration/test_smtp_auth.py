# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of SMTP AUTH: order of writes, limits, expiry, and that nobody is cut off on the way."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import pytest
from faults import documented
from harness import EFFECT, Lab, Tenant, assert_converges, flips, small, states, task, tried

MODULE = "exo_smtp_auth"
TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def day(distance: int) -> str:
    return (TODAY + datetime.timedelta(days=distance)).isoformat()


def written(tenant: Tenant) -> list[tuple[str, Any]]:
    """What was written, in order: (mailbox or "organization", value)."""
    names = {
        box["Guid"].lower(): box["PrimarySmtpAddress"].partition("@")[0]
        for box in tenant.lab.simulator.state(tenant.label)["mailboxes"]
    }
    return [
        (
            names.get(str(write["parameters"].get("Identity")).lower(), "organization"),
            write["parameters"]["SmtpClientAuthenticationDisabled"],
        )
        for write in tenant.writes()
        if write["status"] == 200
    ]


@pytest.mark.smoke
def test_closing_enables_first_and_releases_last(tenant: Tenant) -> None:
    wanted = {
        "organization": "disabled",
        "allowed": tenant.allowed("scanner", "reports"),
        "denied": tenant.allowed("ada"),
        "unlisted": "inherit",
    }
    result = assert_converges(tenant, MODULE, wanted, warns=["3 mailboxes (would )?lose SMTP AUTH"])
    order = written(tenant)
    assert sorted(order[:2]) == [("reports", False), ("scanner", False)]
    assert order[2] == ("ada", True)
    assert order[3] == ("organization", True)
    assert sorted(order[4:]) == [("blocked", None), ("stray", None)]
    assert result.apply["organization"] == {
        "before": "enabled", "after": "disabled", "status": "changed", "confirmed": True,
    }  # fmt: skip
    assert set(flips(tenant).values()) == {1}
    # Between enabling and closing the enabled mailboxes were looked at again.
    log = [entry["cmdlet"] for entry in tenant.log(result.apply)]
    enabled, closed = log.index("Set-CASMailbox"), log.index("Set-TransportConfig")
    assert "Get-CASMailbox" in log[enabled:closed]


def test_opening_closes_the_denied_first(lab: Lab) -> None:
    tenant = small(lab, transport_config={"SmtpClientAuthenticationDisabled": True})
    wanted = {"organization": "enabled", "denied": tenant.allowed("ada"), "allowed": tenant.allowed("scanner")}
    assert_converges(tenant, MODULE, wanted, warns=["stray@", EFFECT])
    assert written(tenant) == [("scanner", False), ("ada", True), ("organization", False)]
    assert states(tenant)[tenant.at("ada")] is False
    assert max(flips(tenant).values()) == 1


class Journey(NamedTuple):
    """From one state of a tenant to another; ``writes``: how many that takes."""

    organization: bool
    wanted: dict[str, Any]
    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    writes: int


JOURNEYS = {
    "closing": Journey(False, {"organization": "disabled", "unlisted": "inherit"}, ("scanner", "reports"), ("ada",), 6),
    "opening": Journey(True, {"organization": "enabled", "unlisted": "not_enabled"}, ("scanner",), ("ada", "ben"), 5),
}


def lose_the_right(tenant: Tenant, journey: Journey, writes: int) -> None:
    """After so many writes; the organization's comes right after those of the explicit mailboxes."""
    explicit = len(journey.allowed) + len(journey.denied)
    if writes <= explicit:
        tenant.fault("nul_403", match={"cmdlet": "Set-TransportConfig"}, times=None)
    passed = writes if writes <= explicit else writes - 1
    tenant.fault("nul_403", match={"cmdlet": "Set-CASMailbox"}, after=passed, times=None)


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_run_that_stops_anywhere_harms_nobody(name: str, lab: Lab) -> None:
    """Each tenant's run is stopped by a lost right after another write; the next run finishes the work."""
    journey = JOURNEYS[name]
    start = {"SmtpClientAuthenticationDisabled": journey.organization}
    tenants = [small(lab, transport_config=start) for _dummy in range(journey.writes + 1)]
    before = [states(tenant) for tenant in tenants]
    for number, tenant in enumerate(tenants):
        lose_the_right(tenant, journey, writes=number)
    variables = {
        tenant.label: {"allowed": tenant.allowed(*journey.allowed), "denied": tenant.allowed(*journey.denied)}
        for tenant in tenants
    }
    arguments = {**journey.wanted, "allowed": "{{ allowed }}", "denied": "{{ denied }}"}
    how: dict[str, Any] = {"host_vars": variables, "warns": [EFFECT, "on no list"]}
    stopped = lab.run_playbook([task(MODULE, arguments, named="it")], tenants, may_fail=True, **how)
    between = [states(tenant) for tenant in tenants]
    lab.simulator.clear_faults()
    finished = lab.run_playbook([task(MODULE, arguments, named="it")], tenants, **how)
    for number, tenant in enumerate(tenants):
        step, after_all = stopped.step("it", tenant.label), states(tenant)
        assert step.failed is (number < journey.writes), f"{number}: {step.summary}"
        if step.failed:
            step.refused("access_denied")
            assert step.changed is (number > 0)
        assert finished.step("it", tenant.label).changed is step.failed
        for address, state in between[number].items():
            assert state in (before[number][address], after_all[address])
        assert max(flips(tenant).values()) == 1, f"{number}: {flips(tenant)}"
        own = {address.partition("@")[0]: state for address, state in after_all.items()}
        assert all(own[allowed] for allowed in journey.allowed)
        assert not any(own[denied] for denied in journey.denied)
        assert tenant.transport() is not journey.organization


def test_a_mailbox_that_cannot_be_enabled_holds_the_organization(tenant: Tenant) -> None:
    tenant.fault(
        "status", code=400, type="Some.Exception", message="No.", form="pipe", times=None,
        match={"cmdlet": "Set-CASMailbox", "identity": tenant.at("scanner")},
    )  # fmt: skip
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner", "reports"), "unlisted": "not_enabled"}
    step = tenant.one(MODULE, wanted, warns=[EFFECT])
    step.refused("partial_failure", "scanner@")
    documented("mailbox that can't be enabled", step)
    assert tenant.transport() is False
    assert (tenant.own("reports"), tenant.own("stray")) == (False, False)
    assert step.changed
    assert step["organization"]["status"] == "failed"
    assert step["organization"]["after"] == "enabled"


def test_a_mailbox_that_is_not_seen_enabled_holds_the_organization(tenant: Tenant) -> None:
    tenant.patch(lag=3600)
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner"), "wait_timeout": 1, "wait": False}
    step = tenant.one(MODULE, wanted, warns=[EFFECT, "on no list", "did not show them"])
    step.refused("not_confirmed", "left open")
    documented("mailbox that is not seen enabled", step)
    assert "confirmed" not in step.result  # nobody was asked to wait
    assert (tenant.transport(), tenant.own("scanner")) == (False, False)


def test_the_delay_is_kept_between_enabling_and_closing(tenant: Tenant) -> None:
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner"), "propagation_delay": 2}
    tenant.run([task(MODULE, wanted, named="it"), task(MODULE, wanted, named="again")],
               warns=[EFFECT, "on no list"])  # fmt: skip
    first, second = tenant.writes()
    assert second["time"] - first["time"] >= 2


def test_missing_and_ambiguous_names(lab: Lab) -> None:
    tenant = small(lab)
    tenant.patch(add_mailboxes=[{"upn": f"twin{number}@{tenant.domain}", "display_name": "Twin"} for number in (1, 2)])
    close = {"organization": "disabled"}
    gone = {**close, "allowed": tenant.allowed("scanner", "typo"), "lookup_failure_action": "warn"}
    run = tenant.run(
        [
            tried(MODULE, {**close, "allowed": tenant.allowed("typo")}, named="missing"),
            tried(MODULE, {**close, "allowed": [{"identity": "Twin"}], "lookup_failure_action": "warn"}, named="twin"),
            tried(MODULE, {**gone, "organization": "enabled"}, named="warned", check_mode=True),
            tried(MODULE, gone, named="blocked: check", check_mode=True),
            tried(MODULE, gone, named="blocked"),
        ],
        warns=["typo@", "on no list", EFFECT],
    )
    run["missing"].refused("not_found", "typo@", hint="spelling")
    run["twin"].refused("ambiguous", "Twin", hint="GUID")
    assert run["warned"].ok()["summary"]["missing"] == 1
    for step in (run["blocked: check"], run["blocked"]):
        step.refused("not_found", "left as they are", "typo@")
        assert step.changed  # the scanner is enabled, or would be
    assert [box["status"] for box in run["blocked"]["mailboxes"]] == ["missing", "changed"]
    documented("listed mailbox missing", run["blocked"])
    assert (tenant.transport(), tenant.own("scanner")) == (False, False)
    assert tenant.writes(run["missing"]) + tenant.writes(run["twin"]) == []


def test_contradictions_and_limits(tenant: Tenant) -> None:
    close, scanner = {"organization": "disabled"}, tenant.allowed("scanner")
    guid = tenant.mailbox("scanner")["Guid"]
    all_of_them = {"allowed": scanner, "unlisted": "disabled"}
    cases: dict[str, tuple[dict[str, Any], str, str]] = {
        "empty": ({**close, "allowed": [], "unlisted": "not_enabled"}, "refused", "No mailbox is allowed"),
        "absent": ({**close, "unlisted": "disabled"}, "refused", "No mailbox is allowed"),
        "inherit": ({"allowed": scanner, "unlisted": "inherit"}, "refused", "the organization is open"),
        "twice": (
            {"allowed": scanner, "denied": [{"identity": guid}]},
            "invalid_request",
            r"allowed\[0\].*denied\[0\]",
        ),
        "date": ({"allowed": tenant.allowed("scanner", expires="31.12.2026")}, "invalid_request", "2027-03-31"),
        "nothing": ({}, "invalid_request", "Nothing is given"),
        "limit": ({**all_of_them, "max_changes": "3"}, "refused", "5 would change.*ada@"),
        "zero": ({**all_of_them, "max_changes": "0"}, "refused", "5 would change"),
        "nonsense": ({**all_of_them, "max_changes": "few"}, "invalid_request", "max_changes"),
    }
    tasks = [tried(MODULE, arguments, named=name) for name, (arguments, _code, _text) in cases.items()]
    tasks.append(tried(MODULE, cases["limit"][0], named="limit in check mode", check_mode=True))
    tasks.append(task(MODULE, {**all_of_them, "max_changes": "10%"}, named="ten are always fine", check_mode=True))
    run = tenant.run(tasks, warns=[EFFECT, "on no list"])
    for name, (_arguments, code, text) in cases.items():
        run[name].refused(code, text, hint=None)
    documented("empty list", run["empty"])
    documented("inherit in an open organization", run["inherit"])
    documented("allowed and denied", run["twice"])
    documented("date in another form", run["date"])
    documented("no policy", run["nothing"])
    documented("max_changes in words", run["nonsense"])
    documented("too many changes", run["limit in check mode"])
    run["limit in check mode"].refused("refused", "5 would change", hint="max_changes: 5")
    assert run["ten are always fine"].changed
    assert tenant.writes() == []


def test_unlisted(lab: Lab) -> None:
    """What becomes of a stray, of a blocked mailbox and of one without a value."""
    expected: dict[str, tuple[bool | None, bool | None, bool | None]] = {
        "unmanaged": (False, True, None),
        "not_enabled": (None, True, None),
        "inherit": (None, None, None),
        "disabled": (True, True, True),
    }
    tenants = {name: small(lab) for name in expected}
    variables = {tenant.label: {"unlisted": name} for name, tenant in tenants.items()}
    arguments = {"organization": "disabled", "allowed": [{"identity": "scanner"}], "unlisted": "{{ unlisted }}"}
    run = lab.run_playbook(
        [task(MODULE, arguments, named="it")], list(tenants.values()), host_vars=variables,
        warns=[EFFECT, "on no list"],
    )  # fmt: skip
    for name, tenant in tenants.items():
        step = run.step("it", tenant.label)
        assert tuple(tenant.own(box) for box in ("stray", "blocked", "ada")) == expected[name], name
        assert step["unlisted_enabled"] == ([tenant.at("stray")] if name == "unmanaged" else [])
        assert any("on no list" in warning for warning in step.warnings) is (name == "unmanaged")
        assert max(flips(tenant).values()) == 1


def test_allow_empty(tenant: Tenant) -> None:
    wanted = {"organization": "disabled", "allowed": [], "allow_empty": True, "unlisted": "inherit"}
    assert_converges(tenant, MODULE, wanted, warns=[EFFECT])
    assert set(states(tenant).values()) == {False}


def test_expiry(tenant: Tenant) -> None:
    over = tenant.allowed("scanner", expires=day(-1), owner="facilities", reason="printer", ticket="CHG-1")
    wanted = {
        "organization": "disabled",
        "allowed": [*over, *tenant.allowed("reports", expires=day(0)), *tenant.allowed("stray", expires=day(29)),
                    *tenant.allowed("ben", expires=day(30))],
    }  # fmt: skip
    run = tenant.run(
        [
            tried(MODULE, wanted, named="report"),
            tried(MODULE, wanted, named="report again"),
            task(MODULE, {**wanted, "expired": "revoke"}, named="revoke"),
            task(MODULE, {**wanted, "expired": "revoke"}, named="revoke again"),
        ],
        warns=[EFFECT, "expires on"],
    )
    report = run["report"]
    assert report.failed and report.changed
    documented("past its last day", report)
    assert "scanner@" in report.msg and "in force" in report.msg
    assert report["expired"] == [
        {"identity": tenant.at("scanner"), "expires": day(-1), "owner": "facilities", "reason": "printer",
         "ticket": "CHG-1"}
    ]  # fmt: skip
    assert [entry["identity"] for entry in report["expiring"]] == [tenant.at("reports"), tenant.at("stray")]
    assert sum("expires on" in warning for warning in report.warnings) == 2
    assert run["report again"].failed and not run["report again"].changed
    assert run["revoke"].changed and not run["revoke again"].changed
    assert tenant.own("scanner") is None
    assert states(tenant) == {
        tenant.at(name): name in ("reports", "stray", "ben") for name in ("scanner", "reports", "ada", "ben", "stray",
                                                                          "blocked")
    }  # fmt: skip


def test_the_error_code_of_an_expired_entry_is_documented(tenant: Tenant) -> None:
    """The codes are a closed list: authentication_failed, access_denied, ..., unexpected_response."""
    step = tenant.one(MODULE, {"allowed": tenant.allowed("stray", expires=day(-1))})
    documented = {
        "authentication_failed", "access_denied", "wrong_tenant", "not_found", "ambiguous", "invalid_request",
        "refused", "throttled", "service_unavailable", "incomplete_read", "partial_failure", "not_confirmed",
        "unexpected_response", "expired",
    }  # fmt: skip
    assert step.code in documented


def test_warnings_of_a_good_end(lab: Lab) -> None:
    tenant = small(lab)
    near = tenant.allowed("scanner", expires=day(3))
    run = tenant.run(
        [
            task(MODULE, {"organization": "disabled", "allowed": tenant.allowed("scanner", "stray")}, named="loss",
                 check_mode=True),
            task(MODULE, {"allowed": tenant.allowed("scanner")}, named="stray", check_mode=True),
            task(MODULE, {"allowed": [*near, *tenant.allowed("stray")]}, named="near", check_mode=True),
        ],
        warns=[EFFECT, "on no list", "expires on"],
    )  # fmt: skip
    documented("loss of SMTP AUTH", run["loss"])
    documented("unlisted_enabled", run["stray"])
    documented("near its last day", run["near"])


CLOSED = {"transport_config": {"SmtpClientAuthenticationDisabled": True}}


@pytest.mark.parametrize("unlisted", ["not_enabled", "inherit", "disabled"])
def test_a_missing_mailbox_protects_the_unlisted_in_a_closed_organization(unlisted: str, lab: Lab) -> None:
    """The stray may be the missing one under another name."""
    tenant = small(lab, **CLOSED)
    wanted = {
        "organization": "disabled", "allowed": tenant.allowed("scanner", "typo"), "unlisted": unlisted,
        "lookup_failure_action": "warn",
    }  # fmt: skip
    run = tenant.run(
        [tried(MODULE, wanted, named="check", check_mode=True), tried(MODULE, wanted, named="it")],
        warns=["typo@", "on no list", EFFECT],
    )
    for step in (run["check"], run["it"]):
        step.refused("not_found", "typo@", "on no list are left as they are", hint="Correct the entry")
        assert step.changed
    assert tenant.own("scanner") is False
    assert (tenant.own("stray"), tenant.own("blocked"), tenant.own("ada")) == (False, True, None)
    assert tenant.transport() is True
    assert run["it"]["unlisted_enabled"] == [tenant.at("stray")]


def test_nobody_follows_an_organization_that_is_not_seen_closed(tenant: Tenant) -> None:
    tenant.fault("set_ignored", match={"cmdlet": "Set-TransportConfig"}, times=None)
    wanted = {
        "organization": "disabled", "allowed": tenant.allowed("scanner"), "unlisted": "inherit", "wait_timeout": 1,
    }  # fmt: skip
    step = tenant.one(MODULE, wanted, warns=[EFFECT, "did not show them"])
    step.refused("not_confirmed", "not seen closed", hint="wait_timeout")
    documented("organization that is not seen closed", step)
    assert (tenant.own("scanner"), tenant.own("stray"), tenant.own("blocked")) == (False, False, True)
    left = {box["primary_smtp_address"]: box["status"] for box in step["mailboxes"]}
    assert left == {tenant.at("scanner"): "changed", tenant.at("stray"): "failed", tenant.at("blocked"): "failed"}


def test_nobody_follows_an_organization_that_is_not_seen_open(lab: Lab) -> None:
    tenant = small(lab, **CLOSED)
    tenant.fault("set_ignored", match={"cmdlet": "Set-TransportConfig"}, times=None)
    wanted = {
        "organization": "enabled", "allowed": tenant.allowed("scanner"), "unlisted": "not_enabled", "wait_timeout": 1,
    }  # fmt: skip
    step = tenant.one(MODULE, wanted, warns=[EFFECT, "did not show them"])
    step.refused("not_confirmed", "not seen open", hint="wait_timeout")
    assert tenant.own("stray") is False


def test_confirmed_is_for_those_who_wait(tenant: Tenant) -> None:
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner", "stray")}
    run = tenant.run(
        [
            task(MODULE, {**wanted, "wait": False}, named="no wait"),
            task(MODULE, {"organization": "enabled"}, named="wait"),
        ],
        warns=[EFFECT, "on no list"],
    )
    assert "confirmed" not in run["no wait"].ok().result
    assert run["wait"].ok()["confirmed"] is True
    assert (tenant.own("scanner"), tenant.own("stray")) == (False, False)


def test_a_tenant_without_mailboxes_was_not_read_right(lab: Lab) -> None:
    tenant = small(lab, mailboxes=[])
    step = tenant.one(MODULE, {"organization": "disabled"})
    step.refused("incomplete_read", "no mailbox at all")
    documented("no mailbox at all", step)
    assert tenant.writes() == []


def test_an_empty_list_of_denied_is_a_policy(tenant: Tenant) -> None:
    step = tenant.one(MODULE, {"denied": []}, warns=["on no list"])
    assert not step.ok().changed
    assert step["unlisted_enabled"] == [tenant.at("stray")]


def test_an_expired_entry_does_not_hide_a_held_organization(tenant: Tenant) -> None:
    wanted = {
        "organization": "disabled", "lookup_failure_action": "warn",
        "allowed": [*tenant.allowed("scanner", expires=day(-1)), *tenant.allowed("typo")],
    }  # fmt: skip
    run = tenant.run(
        [tried(MODULE, wanted, named="check", check_mode=True), tried(MODULE, wanted, named="it")],
        warns=["typo@", "on no list", EFFECT],
    )
    for step in (run["check"], run["it"]):
        step.refused("not_found", "typo@")
        assert [entry["identity"] for entry in step["expired"]] == [tenant.at("scanner")]
    assert (tenant.transport(), tenant.own("scanner")) == (False, False)
