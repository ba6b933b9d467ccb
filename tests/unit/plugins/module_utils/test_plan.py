# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: in which order, what has to hold in between, what is not written, and how much is too much."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import UNKNOWN, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, NotFound, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import (
    Limit,
    Limits,
    Listed,
    Phase,
    Plan,
    Turns,
    check_limits,
    in_turn,
    ordered,
    parse_limit,
    parse_limits,
    places,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    POLICY,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
    USER,
)

ORGANIZATION = Target(TRANSPORT_CONFIG)
GONE = NotFound("scanner@contoso.com can't be found.")


def target(number: int) -> Target:
    address = f"u{number}@contoso.com"
    return Target(CAS_MAILBOX, f"g{number}", address, address)


def box(number: int, value: t.Any, before: t.Any = "another") -> Change:
    calls = () if before == value else ({"SmtpClientAuthenticationDisabled": value},)
    return Change(target(number), {SMTP_AUTH: before}, {SMTP_AUTH: value}, calls)


def pop(number: int) -> Change:
    return Change(target(number), {"pop_enabled": True}, {"pop_enabled": False}, ({"PopEnabled": False},))


def organization(before: bool, after: bool) -> Change:
    calls = () if before == after else ({"SmtpClientAuthenticationDisabled": after},)
    return Change(ORGANIZATION, {SMTP_AUTH: before}, {SMTP_AUTH: after}, calls)


def user(number: int, policy: str) -> Change:
    target = Target(USER, f"g{number}", f"u{number}@contoso.com")
    return Change(target, {POLICY: "another"}, {POLICY: policy}, ({"AuthenticationPolicy": policy},))


CLOSES, OPENS = organization(False, True), organization(True, False)


# The order


def labels(phase: Phase) -> list[str]:
    return [change.label for change in phase.changes]


def test_the_order_of_writes() -> None:
    changes = [CLOSES, box(3, "inherit"), box(5, True, True), pop(4), box(2, True), box(1, False)]
    phases = ordered(changes)
    assert [labels(phase) for phase in phases] == [
        ["u1@contoso.com"],
        ["u4@contoso.com", "u2@contoso.com"],
        ["the organization"],
        ["u3@contoso.com"],
    ]
    plan = Plan(phases, tuple(changes))
    assert [change.label for change in plan.changes] == [
        "u1@contoso.com", "u4@contoso.com", "u2@contoso.com", "the organization", "u3@contoso.com",
    ]  # fmt: skip
    assert plan.changed
    assert plan.blocked_by is None
    assert plan.single == CLOSES
    assert len(plan.many) == 5


def test_nothing_due_is_no_phase() -> None:
    assert ordered([organization(True, True), box(1, False, False)]) == ()
    assert not Plan(()).changed
    assert Plan().single is None


def test_the_unlisted_lose_nothing_before_the_listed_are_seen_enabled() -> None:
    listed, stray, follows = box(1, False), box(2, True), box(3, "inherit")
    enabling, disabling, inheriting = ordered([listed, stray, follows], unlisted=places([stray.target, follows.target]))
    assert enabling.guard is None
    for phase in (disabling, inheriting):
        assert phase.guard is not None
        (expected,) = phase.guard.expected
        assert (expected.target, expected.values, expected.state) == (listed.target, {SMTP_AUTH: False}, "enabled")
        assert phase.guard.kept.startswith("The mailboxes on no list were left")


def test_a_listed_mailbox_that_is_to_be_disabled_waits_for_nobody() -> None:
    phases = ordered([box(1, False), box(2, True)])
    assert [phase.guard for phase in phases] == [None, None]


def test_closing_needs_every_allowed_mailbox_seen_enabled() -> None:
    allowed, denied = target(1), target(2)
    phases = ordered([CLOSES, box(3, "inherit")], Listed((allowed,), (denied,)), delay=900)
    flip, follow = phases
    assert flip.guard is not None
    assert [(e.target, e.values, e.state) for e in flip.guard.expected] == [(allowed, {SMTP_AUTH: False}, "enabled")]
    assert flip.guard.delay == 900
    assert flip.guard.kept == "The organization was left open"
    assert follow.guard is not None
    assert [(e.target, e.values, e.state) for e in follow.guard.expected] == [
        (ORGANIZATION, {SMTP_AUTH: True}, "closed")
    ]
    assert follow.guard.delay == 0


def test_opening_needs_every_denied_mailbox_seen_disabled() -> None:
    allowed, denied = target(1), target(2)
    flip, follow = ordered([OPENS, box(3, "inherit")], Listed((allowed,), (denied,)), delay=900)
    assert flip.guard is not None
    assert [(e.target, e.values, e.state) for e in flip.guard.expected] == [(denied, {SMTP_AUTH: True}, "disabled")]
    assert flip.guard.delay == 0
    assert flip.guard.kept == "The organization was left closed"
    assert follow.guard is not None
    assert [(e.values, e.state) for e in follow.guard.expected] == [({SMTP_AUTH: False}, "open")]
    assert "exposed" in follow.guard.risk


def test_another_setting_of_the_organization_waits_for_nobody() -> None:
    change = Change(
        ORGANIZATION, {"clear_categories": True}, {"clear_categories": False}, ({"ClearCategories": False},)
    )
    (phase,) = ordered([change], Listed((target(1),), (target(2),)), delay=900)
    assert phase.guard is None


def test_a_blocked_plan_leaves_the_organization_and_who_follows_it() -> None:
    changes = (CLOSES, box(1, False), box(2, "inherit"))
    plan = Plan(ordered(changes, blocked_by=GONE), changes, blocked_by=GONE)
    assert [change.label for change in plan.changes] == ["u1@contoso.com"]
    assert plan.blocked() == {ORGANIZATION.place: GONE, target(2).place: GONE}
    assert not Plan(ordered((CLOSES, box(2, "inherit")), blocked_by=GONE)).changed


# The limits


def many(count: int, effect: Effect | None = None) -> Plan:
    return Plan((Phase(tuple(pop(n) for n in range(count))),), effect=effect or Effect())


@pytest.mark.parametrize(
    ("text", "scope", "allowed"),
    [
        ("0", 1000, 0),
        ("1", 1000, 1),
        ("25", 10, 25),
        ("10%", 1000, 100),
        ("10%", 1001, 101),
        ("1%", 1101, 12),
        ("10%", 20, 10),
        ("1%", 5, 10),
        ("0%", 1000, 0),
        ("100%", 40, 40),
        (" 10 % ", 1000, 100),
    ],
)
def test_how_many_changes_pass(text: str, scope: int, allowed: int) -> None:
    limits = Limits(parse_limit("max_changes", text)).of(scope)
    check_limits(many(allowed), limits)
    with pytest.raises(Refused) as caught:
        check_limits(many(allowed + 1), limits)
    message = str(caught.value)
    assert message.startswith(f"{allowed + 1} would change, and max_changes: {text.strip().replace(' ', '')} allows ")
    assert f"max_changes: {allowed + 1}" in (caught.value.hint or "")
    shown = min(allowed + 1, 20)
    names = message[message.index("They are") :]
    assert [f"u{n}@contoso.com" in names for n in range(allowed + 1)] == [n < shown for n in range(allowed + 1)]


@pytest.mark.parametrize(("option", "field"), [("max_lose", "lose"), ("max_gain", "gain")])
def test_how_many_may_lose_or_gain(option: str, field: str) -> None:
    def effect(count: int) -> Effect:
        moved = tuple(target(n) for n in range(count))
        return Effect(lose=moved) if field == "lose" else Effect(gain=moved)

    limits = parse_limits({option: "2"})
    check_limits(many(50, effect(2)), limits)
    with pytest.raises(Refused, match=f"^3 would {field} SMTP AUTH, and {option}: 2 allows 2") as caught:
        check_limits(many(50, effect(3)), limits)
    assert caught.value.result["effect"][field] == 3
    assert "u2@contoso.com" in str(caught.value)
    other = Effect(gain=effect(3).lose, lose=effect(3).gain)
    check_limits(many(50, other), limits)
    with pytest.raises(Refused, match="can't be known"):
        check_limits(many(0, UNKNOWN), limits)


def test_closing_the_organization_has_a_limit_of_its_own() -> None:
    losers = Effect(lose=tuple(target(n) for n in range(3)))
    closes, opens = (Plan((Phase((change,)),), effect=losers) for change in (CLOSES, OPENS))
    limits = parse_limits({"max_lose": "1", "max_lose_when_closing": "3"})
    check_limits(closes, limits)
    with pytest.raises(Refused, match="max_lose: 1 allows 1"):
        check_limits(opens, limits)
    with pytest.raises(Refused, match="max_lose_when_closing: 2 allows 2"):
        check_limits(closes, parse_limits({"max_lose": "9", "max_lose_when_closing": "2"}))
    with pytest.raises(Refused, match="max_lose: 1 allows 1"):
        check_limits(closes, parse_limits({"max_lose": "1"}))
    check_limits(opens, parse_limits({"max_lose_when_closing": "0"}))


def test_no_limit_no_refusal() -> None:
    check_limits(many(5000, UNKNOWN), Limits())
    check_limits(many(0), Limits(parse_limit("max_changes", "0")).of(5000))


def test_the_organization_is_not_counted_beside_mailboxes() -> None:
    plan = Plan((Phase((CLOSES,)), Phase((pop(1),))))
    check_limits(plan, Limits(parse_limit("max_changes", "1")))
    with pytest.raises(Refused, match=r"^2 would change.*the organization"):
        check_limits(plan, Limits(parse_limit("max_changes", "0")))
    with pytest.raises(Refused, match="the organization"):
        check_limits(Plan((Phase((CLOSES,)),)), Limits(parse_limit("max_changes", "0")))


def test_what_is_blocked_is_not_counted() -> None:
    changes = (CLOSES, box(1, False), box(2, "inherit"))
    plan = Plan(ordered(changes, blocked_by=GONE), changes)
    check_limits(plan, Limits(parse_limit("max_changes", "1")))
    with pytest.raises(Refused):
        check_limits(plan, Limits(parse_limit("max_changes", "0")))


@pytest.mark.parametrize(
    "text", ["-1", "ten", "101%", "1.5", "10 percent", "%", "1e3", "٣%", "٣", "9" * 10, "9" * 5000]
)
@pytest.mark.parametrize("option", ["max_changes", "max_lose", "max_lose_when_closing", "max_gain"])
def test_a_limit_that_is_none(text: str, option: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_limits({option: text})
    assert str(caught.value).startswith(f"{option} has to be a number")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", [None, "", "  "])
def test_a_limit_that_is_not_given(text: str | None) -> None:
    assert parse_limit("max_changes", text) is None
    assert parse_limits({"max_changes": text}) == Limits()


def test_limits_are_what_the_options_say() -> None:
    limits = parse_limits({"max_changes": "5", "max_lose": "10%", "max_gain": 0})
    assert limits == Limits(Limit("max_changes", 5, False), Limit("max_lose", 10, True), Limit("max_gain", 0, False))


def test_no_mailbox_opens_for_a_moment_between_its_two_gates() -> None:
    """Where a mailbox opens and its policy closes, or the other way round, the gate that closes goes first."""
    opening, closing = [user(1, "Allow"), user(2, "Allow"), user(3, "Allow")], [user(4, ""), user(5, ""), user(6, "")]
    settings = Effect(lose=(target(1), target(4)), gain=(target(2), target(5)))
    turns = in_turn(opening, closing, settings)
    written = (turns.first, turns.before_opening, turns.after_closing, turns.last)
    assert [[change.target.key for change in changes] for changes in written] == [
        ["g2", "g3"],
        ["g5"],
        ["g1"],
        ["g4", "g6"],
    ]


def expected_of(phases: t.Iterable[Phase], change: Change) -> list[tuple[str, str, str]]:
    """What has to be seen before this change is written: object, label, state."""
    guard = next(phase.guard for phase in phases if change in phase.changes)
    return [(one.target.table.noun, one.target.label, one.state) for one in guard.expected] if guard else []


def test_the_organization_opens_once_all_are_disabled_listed_or_not() -> None:
    boxes = [box(1, True), box(2, True), box(3, True, before=True), pop(4)]
    phases = ordered([OPENS, *boxes], Listed(disabled=(target(2), target(3))), unlisted={target(1).place})
    assert expected_of(phases, OPENS) == [
        ("CASMailbox", "u2@contoso.com", "disabled"),
        ("CASMailbox", "u3@contoso.com", "disabled"),
        ("CASMailbox", "u1@contoso.com", "disabled"),
    ]


def test_a_setting_opens_once_the_policy_is_seen_to_close() -> None:
    closing = user(1, "Block")
    opens, follows = box(1, False, before=True), box(2, "inherit", before=True)
    phases = ordered([OPENS, opens, follows], users=Turns(before_opening=(closing,)))
    assert [phase.changes for phase in phases] == [(closing,), (opens,), (OPENS,), (follows,)]
    policy = ("User", "u1@contoso.com", "changed")
    assert expected_of(phases, opens) == [policy]
    assert expected_of(phases, OPENS) == [policy]
    assert expected_of(phases, follows) == [("TransportConfig", "the organization", "open"), policy]
    phases = ordered([follows], users=Turns(before_opening=(closing,)))
    assert expected_of(phases, follows) == [policy]


def test_a_policy_opens_once_the_setting_is_seen_to_close() -> None:
    own, by_organization = user(1, "Allow"), user(2, "Allow")
    phases = ordered([CLOSES, box(1, True, before=False)], users=Turns(after_closing=(own, by_organization)))
    assert expected_of(phases, own) == [
        ("CASMailbox", "u1@contoso.com", "disabled"),
        ("TransportConfig", "the organization", "closed"),
    ]
    phases = ordered([CLOSES, box(1, True, before=False)], users=Turns(after_closing=(own,), last=(by_organization,)))
    assert expected_of(phases, own) == [("CASMailbox", "u1@contoso.com", "disabled")]
    assert expected_of(phases, by_organization) == []


def test_a_policy_opens_once_the_mailbox_is_seen_to_follow_the_closed_organization() -> None:
    own = user(1, "Allow")
    follows = box(1, "inherit", before=False)
    seen = ("CASMailbox", "u1@contoso.com", "following the organization")
    assert expected_of(ordered([follows], users=Turns(after_closing=(own,))), own) == [seen]
    phases = ordered([CLOSES, follows, pop(2)], users=Turns(after_closing=(own, user(2, "Allow"))))
    assert expected_of(phases, own) == [seen, ("TransportConfig", "the organization", "closed")]
