# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody is cut off or let in unseen: limits, refusals, and a second look before the organization changes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from faults import documented
from harness import EFFECT, Lab, Run, Step, Tenant, small, states, task, tried

SMTP = "smtp_client_authentication_disabled"
WIRE = "SmtpClientAuthenticationDisabled"
CLOSED = {"transport_config": {WIRE: True}}
READ = "Get-CASMailbox"


def own_value(tenant: Tenant, name: str, value: bool | None) -> dict[str, Any]:
    """What a change behind the client's back gives one mailbox."""
    return {"mailboxes": [{"identity": tenant.at(name), "cas": {WIRE: value}}]}


# --- a second look, right before the organization is written ---


class Drift(NamedTuple):
    """What goes wrong between the first read and the organization's write. closed: whether it is so to begin with."""

    closed: bool
    fault: dict[str, Any]
    wanted: dict[str, Any]
    texts: tuple[str, ...]
    code: str = "not_confirmed"


def drifts(tenant: Tenant) -> dict[str, Drift]:
    close = {"organization": "disabled", "allowed": tenant.allowed("scanner", "stray")}
    opened = {"organization": "enabled", "denied": tenant.allowed("ada", "blocked")}
    scanner = {"cmdlet": READ, "identity": tenant.at("scanner")}

    def set_to(name: str, value: bool | None, after: int) -> dict[str, Any]:
        match = {"cmdlet": READ, "identity": tenant.at(name)}
        changes = own_value(tenant, name, value)
        return {"kind": "drift", "match": match, "after": after, "changes": changes, "when": "before"}

    return {
        # The scanner is asked for by name, and looked at after it was enabled; before the third look it is changed.
        "taken back during the delay": Drift(
            False, set_to("scanner", None, 2), {**close, "propagation_delay": 2}, ("left open", "scanner@")
        ),
        "taken back, and nothing was to be written": Drift(
            False, set_to("stray", None, 0), {**close, "allowed": tenant.allowed("stray")}, ("left open", "stray@")
        ),
        "gone during the delay": Drift(
            False, {"kind": "not_found", "match": scanner, "after": 2, "times": None},
            {**close, "propagation_delay": 2}, ("left open", "scanner@"),
        ),
        "stale first read": Drift(
            False, {"kind": "wrong_type", "property": WIRE, "value": False, "match": {"cmdlet": READ, "page": 1}},
            {**close, "allowed": tenant.allowed("scanner", "stray")}, ("left open", "scanner@"),
        ),
        "let in before it opens": Drift(
            True, set_to("ada", None, 1), opened, ("left closed", "ada@")
        ),
        "let in, and nothing was to be written": Drift(
            True, set_to("blocked", False, 0), {**opened, "denied": tenant.allowed("blocked")},
            ("left closed", "blocked@"),
        ),
        "on no list, and can't be disabled before it opens": Drift(
            True, {"kind": "ambiguous", "match": {"cmdlet": "Set-CASMailbox", "identity": tenant.at("ada")}},
            {**opened, "denied": [], "allowed": tenant.allowed("stray"), "unlisted": "disabled"},
            ("2 of 5 changes failed", "ada@"), "partial_failure",
        ),
    }  # fmt: skip


DRIFTS = (
    "taken back during the delay", "taken back, and nothing was to be written", "gone during the delay",
    "stale first read", "let in before it opens", "let in, and nothing was to be written",
    "on no list, and can't be disabled before it opens",
)  # fmt: skip


@pytest.fixture(scope="module")
def drifted(lab: Lab) -> dict[str, Tenant]:
    return {name: small(lab) for name in DRIFTS}


@pytest.fixture(scope="module")
def after_drift(lab: Lab, drifted: dict[str, Tenant]) -> Run:
    variables = {}
    for name, tenant in drifted.items():
        drift = drifts(tenant)[name]
        tenant.patch(transport_config={WIRE: drift.closed})
        details = {key: value for key, value in drift.fault.items() if key != "kind"}
        tenant.fault(drift.fault["kind"], **details)
        variables[tenant.label] = {"wanted": {**drift.wanted, "wait_timeout": 1}}
    keys = ("organization", "allowed", "denied", "unlisted", "propagation_delay", "wait_timeout")
    arguments = {key: f"{{{{ wanted.{key} | default(omit) }}}}" for key in keys}
    return lab.run_playbook(
        [task("exo_smtp_auth", arguments, named="it")], list(drifted.values()), host_vars=variables, may_fail=True,
        warns=[EFFECT, "on no list", "did not show them"],
    )  # fmt: skip


@pytest.mark.parametrize("name", DRIFTS)
def test_the_organization_waits_for_what_is_seen_last(name: str, after_drift: Run, drifted: dict[str, Tenant]) -> None:
    tenant = drifted[name]
    drift = drifts(tenant)[name]
    step = after_drift.step("it", tenant.label).refused(drift.code, *drift.texts)
    documented(name, step)
    assert tenant.transport() is drift.closed
    assert step["organization"]["status"] == "failed"
    assert "Set-TransportConfig" not in [write["cmdlet"] for write in tenant.writes()]


# --- limits ---


class Limited(NamedTuple):
    """A task that goes too far. closed: whether the organization is closed to begin with."""

    module: str
    arguments: dict[str, Any]
    text: str
    closed: bool = False


def limited(domain: str) -> dict[str, Limited]:
    scanner = [{"identity": f"scanner@{domain}"}]
    every = {"all_mailboxes": True}
    return {
        "policy that takes it away": Limited(
            "exo_smtp_auth", {"organization": "disabled", "allowed": scanner, "max_lose": "2"},
            "3 would lose SMTP AUTH.*reports@",
        ),
        "policy that opens": Limited(
            "exo_smtp_auth", {"organization": "enabled", "max_gain": 3}, "4 would gain SMTP AUTH.*scanner@", True
        ),
        "setting that closes": Limited(
            "exo_transport_config", {SMTP: True, "max_lose": "0"}, "4 would lose SMTP AUTH.*scanner@"
        ),
        "setting that opens": Limited(
            # What YAML 1.1 makes of an unquoted off, which somebody may take for "SMTP AUTH off".
            "exo_transport_config", {SMTP: False, "max_gain": "3"}, "4 would gain SMTP AUTH.*scanner@", True
        ),
        "mailboxes that lose": Limited("exo_cas_mailbox", {**every, SMTP: True, "max_lose": "4"}, "5 would lose"),
        "mailboxes that gain": Limited("exo_cas_mailbox", {**every, SMTP: False, "max_gain": "4"}, "5 would gain",
                                       True),
    }  # fmt: skip


LIMITED = tuple(limited("x.example"))


@pytest.fixture(scope="module")
def beyond(lab: Lab) -> tuple[Run, dict[bool, Tenant]]:
    """Each task in check mode and for real, and once more with the limit that the hint names."""
    tenants = {closed: small(lab, transport_config={WIRE: closed}) for closed in (False, True)}
    tasks = []
    for name, case in limited(tenants[False].domain).items():
        own = {"tenant": tenants[case.closed].domain, "client_id": tenants[case.closed].info.client_id,
               "client_secret": tenants[case.closed].info.client_secret}  # fmt: skip
        arguments = limited(tenants[case.closed].domain)[name].arguments | own
        limit = next(option for option in ("max_lose", "max_gain") if option in arguments)
        wide = {**arguments, limit: "10%"}
        tasks += [
            tried(case.module, arguments, named=f"{name}: check", check_mode=True),
            tried(case.module, arguments, named=name),
            task(case.module, wide, named=f"{name}: within", check_mode=True),
        ]
    return tenants[False].run(tasks, warns=[EFFECT, "on no list"]), tenants


@pytest.mark.parametrize("name", LIMITED)
def test_those_who_lose_or_gain_are_limited(name: str, beyond: tuple[Run, dict[bool, Tenant]]) -> None:
    run, tenants = beyond
    case = limited("x.example")[name]
    for step in (run[f"{name}: check"], run[name]):
        step.refused("refused", case.text, hint=r"max_(lose|gain): \d")
        # Nothing was changed, so nobody loses or gains: the warnings say who would.
        effect = [warning for warning in step.warnings if "SMTP AUTH in effect" in warning]
        assert effect
        assert all(" would " in warning for warning in effect)
        assert tenants[case.closed].writes(step) == []
    assert run[f"{name}: within"].changed  # a percentage never means fewer than ten
    verb = "gain" if "gain" in case.text else "lose"
    for step in (run[f"{name}: check"], run[name], run[f"{name}: within"]):
        assert any(f" {verb} SMTP AUTH in effect" in warning for warning in step.warnings), step.warnings


def test_limits_are_documented(beyond: tuple[Run, dict[bool, Tenant]]) -> None:
    run, _tenants = beyond
    documented("too many lose", run["policy that takes it away"])
    documented("too many gain", run["policy that opens"])


def test_the_organization_is_not_counted_as_a_mailbox(lab: Lab) -> None:
    """Ten scanners and the organization are ten changes."""
    names = [f"scanner{number}" for number in range(10)]
    tenant = small(lab, mailboxes=[{"upn": f"{name}@ten.example"} for name in names], domains=["ten.example"])
    wanted = {"organization": "disabled", "allowed": tenant.allowed(*names), "max_changes": "10%"}
    run = tenant.run(
        [
            tried("exo_smtp_auth", {**wanted, "max_changes": "0"}, named="none at all"),
            task("exo_smtp_auth", wanted, named="ten"),
            tried("exo_smtp_auth", {"organization": "enabled", "max_changes": "0"}, named="organization alone"),
        ],
        warns=[EFFECT, "on no list"],
    )
    assert run["ten"]["summary"]["changed"] == 10
    for name in ("none at all", "organization alone"):
        run[name].refused("refused", "would change", "the organization")
    assert tenant.transport() is True


def test_everybody_who_loses_or_gains_is_in_a_file(tenant: Tenant, tmp_path: Path) -> None:
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner")}
    run = tenant.run(
        [
            task("exo_smtp_auth", {**wanted, "effect_file": str(tmp_path / "who.csv")}, named="csv", check_mode=True),
            task("exo_smtp_auth", {**wanted, "effect_file": str(tmp_path / "who.json")}, named="json"),
            tried("exo_smtp_auth", {**wanted, "effect_file": "who.csv"}, named="relative"),
        ],
        warns=[EFFECT, "on no list"],
    )
    with (tmp_path / "who.csv").open() as file:
        rows = list(csv.DictReader(file))
    lost = sorted(map(tenant.at, ("reports", "ada", "ben")))
    assert sorted(row["primary_smtp_address"] for row in rows) == lost
    assert {(row["tenant"], row["smtp_auth"]) for row in rows} == {(tenant.domain, "loses")}
    assert sorted(row["primary_smtp_address"] for row in json.loads((tmp_path / "who.json").read_text())) == lost
    assert run["csv"]["effect_file"] == str(tmp_path / "who.csv")
    run["relative"].refused("invalid_request", "effect_file", "absolute", hint=None)


# --- nobody allowed ---


def test_closing_with_nobody_allowed(tenant: Tenant) -> None:
    close = {"organization": "disabled"}
    cases: dict[str, dict[str, Any]] = {
        "absent": close,
        "empty": {**close, "allowed": []},
        "null": {**close, "allowed": None},
        "denied alone": {**close, "denied": tenant.allowed("ada")},
        "revoked": {**close, "allowed": tenant.allowed("scanner", expires="2020-01-01"), "expired": "revoke"},
    }
    run = tenant.run(
        [
            *(tried("exo_smtp_auth", arguments, named=name) for name, arguments in cases.items()),
            *(tried("exo_smtp_auth", arguments, named=f"{name}: check", check_mode=True)
              for name, arguments in cases.items()),
            # A blank answer to a survey.
            tried("exo_smtp_auth", {**close, "allowed": ""}, named="blank"),
            tried("exo_smtp_auth", {**close, "allowed": [""]}, named="blank entry"),
            task("exo_smtp_auth", {**close, "allow_empty": True}, named="meant", check_mode=True),
        ],
        warns=[EFFECT, "on no list"],
    )  # fmt: skip
    for name in cases:
        for step in (run[name], run[f"{name}: check"]):
            step.refused("refused", "No mailbox is allowed", hint="allow_empty")
    for name in ("blank", "blank entry"):
        assert run[name].code in ("refused", "invalid_request"), run[name].summary
    documented("closing with nobody allowed", run["absent"])
    assert run["meant"].changed
    assert tenant.writes() == []


def test_a_flag_whose_effect_nobody_knows_is_left_alone(lab: Lab) -> None:
    tenant = small(lab)
    tenant.fault("json_403", match={"cmdlet": READ}, times=None)
    run = tenant.run(
        [
            tried("exo_transport_config", {SMTP: True}, named="flag"),
            task("exo_transport_config", {"clear_categories": False}, named="another setting"),
            task("exo_transport_config", {SMTP: False}, named="as it is"),
        ],
        warns=["not known who"],
    )
    documented("effect that can't be known", run["flag"].refused("refused", "can't be known", hint="role"))
    assert run["another setting"].changed
    assert not run["as it is"].changed
    assert tenant.transport() is False


# --- gains are told like losses ---


def told(step: Step, verb: str) -> bool:
    return any(f"{verb} SMTP AUTH in effect" in warning for warning in step.warnings)


def test_gains_that_are_no_limit_of_their_own(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, **CLOSED)
    undo = tmp_path / "undo.json"
    over = tenant.allowed("blocked", expires="2020-01-01")
    run = tenant.run(
        [
            task("exo_smtp_auth", {"allowed": tenant.allowed("scanner"), "unlisted": "not_enabled",
                                   "undo_file": str(undo)}, named="policy"),
            task("exo_restore", {"src": str(undo)}, named="a stray comes back", check_mode=True),
            tried("exo_restore", {"src": str(undo), "max_gain": "0"}, named="limited"),
            task("exo_smtp_auth", {"organization": "enabled", "denied": over, "expired": "revoke"},
                 named="denied no more", check_mode=True),
        ],
        warns=[EFFECT, "on no list"],
    )  # fmt: skip
    assert told(run["a stray comes back"], "would gain")
    assert "stray@" in " ".join(run["a stray comes back"].warnings)
    run["limited"].refused("refused", "1 would gain SMTP AUTH.*stray@", hint="max_gain: 1")
    assert "blocked@" in " ".join(run["denied no more"].warnings)


def test_all_mailboxes_do_not_follow_an_open_organization(lab: Lab) -> None:
    tenants = {closed: small(lab, transport_config={WIRE: closed}) for closed in (False, True)}
    run = lab.run_playbook(
        [task("exo_cas_mailbox", {"all_mailboxes": True, SMTP: "inherit"}, named="it")], list(tenants.values()),
        warns=[EFFECT], may_fail=True,
    )  # fmt: skip
    step = run.step("it", tenants[False].label).refused(
        "refused", "the organization, which is open", hint="exo_smtp_auth"
    )
    documented("everybody follows an open organization", step)
    assert tenants[False].writes() == []
    assert run.step("it", tenants[True].label).ok()["summary"]["changed"] == 2
    assert set(states(tenants[True]).values()) == {False}


def test_a_revoked_exception_that_still_works_is_told_by_the_organizations_state(lab: Lab) -> None:
    tenants = {closed: small(lab, transport_config={WIRE: closed}) for closed in (False, True)}
    variables = {
        tenant.label: {"allowed": [*tenant.allowed("scanner", expires="2020-01-01"), *tenant.allowed("stray")]}
        for tenant in tenants.values()
    }
    run = lab.run_playbook(
        [task("exo_smtp_auth", {"allowed": "{{ allowed }}", "expired": "revoke"}, named="it", check_mode=True)],
        list(tenants.values()), host_vars=variables, warns=[EFFECT, "still works"],
    )  # fmt: skip
    for closed, tenant in tenants.items():
        warned = any("still works" in warning for warning in run.step("it", tenant.label).warnings)
        assert warned is not closed
