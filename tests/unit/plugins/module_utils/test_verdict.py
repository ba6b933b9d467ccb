# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict: three rules over every combination of gates, and each gate over what can be read of it."""

from __future__ import annotations

import datetime
import itertools
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _verdict as v
from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    BASIC,
    OAUTH,
    ConditionalAccess,
    Judgement,
    Undecided,
)

USER = "5e550000-0000-4000-8000-000000000001"
STATES = (v.OPEN, v.CLOSED, v.UNKNOWN)
UNREAD = v.Unread("the app may not read it.", "Some.Permission")
NO_POLICIES = {
    "conditional_access": ConditionalAccess([], BASIC),
    "conditional_access_oauth": ConditionalAccess([], OAUTH),
}

TENANT = v.TenantFacts(
    today=datetime.date(2026, 11, 26),
    organization_disabled=False,
    blocked_apps="None",
    default_policy=None,
    policies=v.AuthenticationPolicies([]),
    security_defaults=False,
    **NO_POLICIES,
)
MAILBOX = v.MailboxFacts(
    object_id=USER,
    own=None,
    recipient_type="UserMailbox",
    licensed=True,
    account_disabled=False,
    own_policy=None,
)


def gate(tenant: v.TenantFacts, mailbox: v.MailboxFacts, name: str) -> v.Gate:
    return next(one for one in v.gates(tenant, mailbox) if one.name == name)


@pytest.mark.parametrize("method", v.METHODS)
def test_every_combination_of_gates_follows_the_three_rules(method: str) -> None:
    """2,187 for each method: seven gates in three states. What the other method says must not matter."""
    count = 0
    for combination in itertools.product(STATES, repeat=len(v.GATES)):
        others = itertools.cycle(STATES)
        given = [
            v.Gate(
                name, state if method == "basic" else next(others), state if method == "oauth" else next(others), "", ""
            )
            for name, state in zip(v.GATES, combination, strict=True)
        ]
        expected = "unknown"
        if "closed" in combination:
            expected = "blocked"
        elif set(combination) == {"open"}:
            expected = "allowed"
        assert v.verdict(given, method) == expected, combination
        count += 1
    assert count == 3 ** len(v.GATES)


@pytest.mark.parametrize("left_out", v.GATES)
def test_a_gate_that_was_not_judged_is_never_open(left_out: str) -> None:
    given = [one for one in v.gates(TENANT, MAILBOX) if one.name != left_out]
    assert v.verdict(given, "basic") == "unknown"


def test_gates_come_in_one_order_and_all_of_them() -> None:
    assert tuple(one.name for one in v.gates(TENANT, MAILBOX)) == v.GATES


# For each gate: how to bring it to each state, and what that makes of it for OAuth.
_POLICIES = v.AuthenticationPolicies(
    [
        {"Name": "Block all", "Guid": "0a1b2c3d-1001-4a00-8b00-000000000001", "AllowBasicAuthSmtp": False},
        {"Name": "SMTP only", "Guid": "0a1b2c3d-1002-4a00-8b00-000000000002", "AllowBasicAuthSmtp": True},
    ]
)
_ALL_BLOCKED = {
    "id": "ca-1",
    "displayName": "CA01",
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["other"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}
_GROUP_BLOCKED = {
    **_ALL_BLOCKED,
    "conditions": {**_ALL_BLOCKED["conditions"], "clientAppTypes": ["all"], "users": {"includeGroups": ["g"]}},  # type: ignore[dict-item]
}


def access(*policies: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "conditional_access": ConditionalAccess(policies, BASIC),
        "conditional_access_oauth": ConditionalAccess(policies, OAUTH),
    }


class Way(t.NamedTuple):
    """What brings a gate to a state: changed facts of the tenant and of the mailbox, and its states then."""

    basic: str
    oauth: str
    tenant: dict[str, t.Any]
    mailbox: dict[str, t.Any]


WAYS: dict[str, list[Way]] = {
    v.BASIC_AUTH_RETIREMENT: [
        Way("open", "open", {}, {}),
        Way("unknown", "open", {"blocked_apps": 511}, {}),
    ],
    v.MAILBOX_TYPE: [
        Way("open", "open", {}, {}),
        Way("closed", "closed", {}, {"recipient_type": "MailUser"}),
        Way("unknown", "unknown", {}, {"recipient_type": UNREAD}),
    ],
    v.SMTP_AUTH_SETTING: [
        Way("open", "open", {}, {}),
        Way("closed", "closed", {"organization_disabled": True}, {}),
        Way("unknown", "unknown", {"organization_disabled": UNREAD}, {}),
    ],
    v.AUTHENTICATION_POLICY: [
        Way("open", "open", {}, {}),
        Way("closed", "open", {"policies": _POLICIES}, {"own_policy": "Block all"}),
        Way("unknown", "open", {}, {"own_policy": UNREAD}),
    ],
    v.ACCOUNT: [
        Way("open", "open", {}, {}),
        Way("closed", "open", {}, {"account_disabled": True}),
        Way("unknown", "open", {}, {"account_disabled": UNREAD}),
    ],
    v.SECURITY_DEFAULTS: [
        Way("open", "open", {}, {}),
        Way("closed", "open", {"security_defaults": True}, {}),
        Way("unknown", "open", {"security_defaults": UNREAD}, {}),
    ],
    v.CONDITIONAL_ACCESS: [
        Way("open", "open", {}, {}),
        Way("closed", "open", access(_ALL_BLOCKED), {}),
        Way("unknown", "unknown", access(_GROUP_BLOCKED), {}),
        Way("unknown", "unknown", {"conditional_access": UNREAD, "conditional_access_oauth": UNREAD}, {}),
    ],
}


def test_every_combination_of_facts_gives_the_verdict_of_its_gates() -> None:
    """All ways of all gates against each other: no gate leaks into another."""
    count = 0
    for ways in itertools.product(*WAYS.values()):
        tenant, mailbox = TENANT, MAILBOX
        for way in ways:
            tenant, mailbox = replace(tenant, **way.tenant), replace(mailbox, **way.mailbox)
        judged = v.gates(tenant, mailbox)
        assert [one.basic for one in judged] == [way.basic for way in ways]
        assert [one.oauth for one in judged] == [way.oauth for way in ways]
        for method in v.METHODS:
            states = {way.basic if method == "basic" else way.oauth for way in ways}
            expected = "blocked" if "closed" in states else "unknown"
            assert v.verdict(judged, method) == ("allowed" if states == {"open"} else expected)
        count += 1
    assert count == 2 * 3**5 * 4


@pytest.mark.parametrize(
    ("own", "organization", "state"),
    [
        (None, False, "open"),
        (None, True, "closed"),
        (False, True, "open"),
        (True, False, "closed"),
        (False, UNREAD, "open"),
        (True, UNREAD, "closed"),
        (None, UNREAD, "unknown"),
        (UNREAD, False, "unknown"),
        (UNREAD, True, "unknown"),
    ],
)
def test_the_mailbox_beats_the_organization(own: t.Any, organization: t.Any, state: str) -> None:
    found = gate(replace(TENANT, organization_disabled=organization), replace(MAILBOX, own=own), v.SMTP_AUTH_SETTING)
    assert (found.basic, found.oauth) == (state, state)


@pytest.mark.parametrize(
    ("own", "default", "state"),
    [
        (None, None, "open"),
        ("Block all", None, "closed"),
        ("SMTP only", "Block all", "open"),
        (None, "Block all", "closed"),
        (None, "SMTP only", "open"),
        ("", "Block all", "closed"),
        ("smtp ONLY", None, "open"),
        ("0A1B2C3D-1001-4a00-8b00-000000000001", None, "closed"),
        ("CN=SMTP only,CN=Auth Policies,CN=Configuration,DC=EXAMPLE", None, "open"),
        ("Gone", None, "unknown"),
        ("Gone", "SMTP only", "unknown"),
        ("SMTP only", UNREAD, "open"),
        (None, UNREAD, "unknown"),
        (UNREAD, None, "unknown"),
    ],
)
def test_the_users_own_policy_beats_the_default(own: t.Any, default: t.Any, state: str) -> None:
    tenant = replace(TENANT, policies=_POLICIES, default_policy=default)
    found = gate(tenant, replace(MAILBOX, own_policy=own), v.AUTHENTICATION_POLICY)
    assert (found.basic, found.oauth) == (state, "open")


def test_a_reference_that_two_policies_answer_to_is_unknown() -> None:
    twins = v.AuthenticationPolicies(
        [{"Name": "A", "AllowBasicAuthSmtp": True}, {"Name": "a", "AllowBasicAuthSmtp": False}]
    )
    found = gate(replace(TENANT, policies=twins), replace(MAILBOX, own_policy="A"), v.AUTHENTICATION_POLICY)
    assert found.basic == "unknown"


def test_a_common_name_with_a_comma_is_read_without_its_escape() -> None:
    policies = v.AuthenticationPolicies([{"Name": "SMTP, only", "AllowBasicAuthSmtp": True}])
    assert policies.find("CN=SMTP\\, only,CN=Auth Policies,DC=EXAMPLE") is not None


def test_policies_that_could_not_be_listed_leave_a_reference_unknown() -> None:
    tenant = replace(TENANT, policies=UNREAD)
    assert gate(tenant, replace(MAILBOX, own_policy="A"), v.AUTHENTICATION_POLICY).permission == "Some.Permission"
    assert gate(tenant, MAILBOX, v.AUTHENTICATION_POLICY).basic == "open"


@pytest.mark.parametrize(
    ("today", "blocked_apps", "state"),
    [
        ("2026-12-30", None, "open"),
        ("2026-12-31", None, "unknown"),
        ("2027-06-01", 0, "unknown"),
        ("2026-12-30", 255, "open"),
        ("2026-12-30", "31", "open"),
        ("2026-12-30", 256, "unknown"),
        ("2026-12-30", "Smtp", "unknown"),
        ("2026-12-30", -1, "unknown"),
        ("2026-12-30", UNREAD, "open"),
    ],
)
def test_basic_is_at_best_unknown_from_the_day_of_its_retirement(today: str, blocked_apps: t.Any, state: str) -> None:
    tenant = replace(TENANT, today=datetime.date.fromisoformat(today), blocked_apps=blocked_apps)
    judged = v.gates(tenant, MAILBOX)
    assert judged[0].basic == state
    assert v.verdict(judged, "basic") == ("allowed" if state == "open" else "unknown")
    assert v.verdict(judged, "oauth") == "allowed"


def test_a_closed_gate_stays_blocked_after_the_retirement() -> None:
    tenant = replace(TENANT, today=datetime.date(2027, 1, 1), organization_disabled=True)
    assert v.verdict(v.gates(tenant, MAILBOX), "basic") == "blocked"


@pytest.mark.parametrize(
    ("kind", "licensed", "state"),
    [
        ("UserMailbox", True, "open"),
        ("UserMailbox", None, "open"),
        ("UserMailbox", False, "unknown"),
        ("SharedMailbox", None, "open"),
        ("SharedMailbox", False, "open"),
        ("RoomMailbox", None, "open"),
        ("DiscoveryMailbox", None, "closed"),
        ("GroupMailbox", None, "closed"),
        ("RemoteUserMailbox", None, "closed"),
        ("AgentMailbox", True, "unknown"),
        ("", None, "unknown"),
    ],
)
def test_the_kind_of_mailbox(kind: str, licensed: bool | None, state: str) -> None:
    found = gate(TENANT, replace(MAILBOX, recipient_type=kind, licensed=licensed), v.MAILBOX_TYPE)
    assert (found.basic, found.oauth) == (state, state)


def test_a_shared_mailbox_is_blocked_for_basic_and_open_to_an_app() -> None:
    judged = v.gates(TENANT, replace(MAILBOX, recipient_type="SharedMailbox", licensed=None, account_disabled=True))
    assert (v.verdict(judged, "basic"), v.verdict(judged, "oauth")) == ("blocked", "allowed")
    account = next(one for one in judged if one.name == v.ACCOUNT)
    assert "an app that sends for the mailbox is not affected" in account.detail


def test_all_closed_gates_are_there_and_not_just_the_first() -> None:
    tenant = replace(TENANT, organization_disabled=True, security_defaults=True, **access(_ALL_BLOCKED))
    judged = v.gates(tenant, replace(MAILBOX, account_disabled=True))
    closed = [one.name for one in judged if one.basic == "closed"]
    assert closed == [v.SMTP_AUTH_SETTING, v.ACCOUNT, v.SECURITY_DEFAULTS, v.CONDITIONAL_ACCESS]
    assert all(one.remedy for one in judged if one.basic == "closed")


@pytest.mark.parametrize(
    ("what_if", "state", "source"),
    [
        (None, "unknown", "Conditional Access policies"),
        (Judgement(), "open", "What-If"),
        (Judgement(("CA01",)), "closed", "What-If"),
        (Judgement((), (Undecided("CA01", ("devices",)),)), "unknown", "What-If"),
        (v.Unread("HTTP 404."), "unknown", "Conditional Access policies"),
    ],
)
def test_what_if_decides_what_the_policies_alone_leave_open(what_if: t.Any, state: str, source: str) -> None:
    found = gate(replace(TENANT, **access(_GROUP_BLOCKED)), replace(MAILBOX, what_if=what_if), v.CONDITIONAL_ACCESS)
    assert found.basic == state
    assert found.source.startswith(source)


def test_an_unread_gate_says_why_and_what_would_tell() -> None:
    found = gate(replace(TENANT, security_defaults=UNREAD), MAILBOX, v.SECURITY_DEFAULTS)
    assert found.result() == {
        "gate": "security_defaults",
        "basic": "unknown",
        "oauth": "open",
        "source": "identitySecurityDefaultsEnforcementPolicy of Microsoft Graph",
        "detail": "Not read: the app may not read it.",
        "remedy": "Grant Some.Permission.",
        "permission": "Some.Permission",
    }
