# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what is written, in which order, what has to hold in between, and with which effect. PRIVATE.

Pure: nothing here reads or writes, and importing it loads no network library. The same plan decides ``changed``, the
diff and the writes.
"""

from __future__ import annotations

import math
import re
import typing as t
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import NOBODY, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed

LEAST_LIMIT = 10  # a percentage never means fewer: a small tenant could not change anything


@dataclass(frozen=True)
class Expected:
    """An object that has to show these values. ``state``: the word for that, such as enabled."""

    target: Target
    values: Mapping[str, Value]
    state: str


@dataclass(frozen=True)
class Guard:
    """What has to hold before a phase is written.

    expected: each of these is read again right before, whoever wrote it and whenever.
    delay: seconds that have to be over since the last of them was changed, so that every server knows it.
    kept: what is left as it is where the guard does not hold. risk: what could happen otherwise.
    """

    expected: tuple[Expected, ...]
    kept: str
    risk: str
    delay: float = 0


@dataclass(frozen=True)
class Phase:
    """Changes that may be written in any order. ``blocked_by``: why they are not written in this run at all."""

    changes: tuple[Change, ...]
    guard: Guard | None = None
    blocked_by: ExoError | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that one task does.

    considered: the changes of all objects in scope in the order of the task, those that need no write among them.
    matched: how many objects are in scope, beside the organization.
    blocked_by: why a part of it must wait, even where that part has nothing to write in this run.
    """

    phases: tuple[Phase, ...] = ()
    considered: tuple[Change, ...] = ()
    missing: tuple[Missing, ...] = ()
    matched: int = 0
    effect: Effect = NOBODY
    blocked_by: ExoError | None = None

    @property
    def changes(self) -> list[Change]:
        """What is written, phase by phase."""
        written: list[Change] = []
        for phase in self.phases:
            if phase.blocked_by is None:
                written.extend(phase.changes)
        return written

    @property
    def changed(self) -> bool:
        return bool(self.changes)

    def blocked(self) -> dict[tuple[str, str], ExoError]:
        """Why each change that is not written in this run is not, by its target's place."""
        reasons: dict[tuple[str, str], ExoError] = {}
        for phase in self.phases:
            if phase.blocked_by:
                reasons.update({change.target.place: phase.blocked_by for change in phase.changes})
        return reasons

    @property
    def single(self) -> Change | None:
        """The change of the object that the tenant has just one of, if it is in scope."""
        return next((change for change in self.considered if change.target.table.single), None)

    @property
    def many(self) -> list[Change]:
        """The changes of all other objects in scope."""
        return [change for change in self.considered if not change.target.table.single]


@dataclass(frozen=True)
class Listed:
    """The mailboxes that a policy names: what each has to be while the rest of the plan is written."""

    enabled: tuple[Target, ...] = ()
    disabled: tuple[Target, ...] = ()


NOBODY_LISTED = Listed()


@dataclass(frozen=True)
class Turns:
    """Changes of users' authentication policies, by when each is written, so that no mailbox opens for a moment.

    first: opens the mailbox, or helps to. before_opening: closes one whose setting opens in the same plan.
    after_closing: opens one whose setting closes in the same plan. last: closes the mailbox.
    """

    first: tuple[Change, ...] = ()
    before_opening: tuple[Change, ...] = ()
    after_closing: tuple[Change, ...] = ()
    last: tuple[Change, ...] = ()


NO_USERS = Turns()


def in_turn(opening: Sequence[Change], closing: Sequence[Change], settings: Effect) -> Turns:
    """When each change of a user's policy is written.

    settings: whose mailbox setting opens or closes in the same plan.
    """
    closed = {target.key for target in settings.lose}
    opened = {target.key for target in settings.gain}
    after_closing, first = _apart(_due(opening), lambda change: change.target.key in closed)
    before_opening, last = _apart(_due(closing), lambda change: change.target.key in opened)
    return Turns(first, before_opening, after_closing, last)


def ordered(
    changes: Sequence[Change],
    listed: Listed = NOBODY_LISTED,
    *,
    unlisted: Collection[tuple[str, str]] = (),
    delay: float = 0,
    blocked_by: ExoError | None = None,
    users: Turns = NO_USERS,
) -> tuple[Phase, ...]:
    """The changes in the order in which each mailbox takes at most one step from its old effective state to its new.

    First authentication policies of those to be opened, then mailboxes that end enabled, then those that end disabled
    (or whose SMTP AUTH is not the matter), then the organization, then those that follow it, last authentication
    policies of those to be closed.

    The organization is closed only while every mailbox that has to stay open is seen enabled, and opened only while
    every one that has to stay closed is seen disabled. Where one of two gates closes and the other opens, the second
    waits until the first is seen closed.

    unlisted: places of the mailboxes on no list. They lose nothing while one on a list can't be enabled.
    delay: seconds between the last change of a listed mailbox and the organization being closed.
    blocked_by: why the organization, and what follows it, must stay as it is.
    """
    organization, boxes = _apart(_due(changes), lambda change: change.target.table.single)
    enabling, others = _apart(boxes, lambda change: change.after.get(SMTP_AUTH) is False)
    inheriting, disabling = _apart(others, lambda change: change.after.get(SMTP_AUTH) == INHERIT)
    waiting, at_once = _apart(disabling, lambda change: change.target.place in unlisted)
    after_enabling = _after_enabling(enabling)
    behind_policies = _behind_policies(users.before_opening)
    flip = _flip_guard(organization, listed, disabling, delay)
    follow = _follow_guard(organization, flip) or after_enabling
    phases = (
        Phase(users.first),
        Phase(users.before_opening),
        Phase(enabling, behind_policies),
        Phase(at_once),
        Phase(waiting, after_enabling),
        Phase(organization, _joined(flip, behind_policies), blocked_by),
        Phase(inheriting, _joined(follow, behind_policies), blocked_by),
        Phase(users.after_closing, _behind_settings(users.after_closing, others, organization), blocked_by),
        Phase(users.last, after_enabling, blocked_by),
    )
    return tuple(phase for phase in phases if phase.changes)


def _joined(guard: Guard | None, other: Guard | None) -> Guard | None:
    """Both guards as one, in the words of the first that there is."""
    if guard is None or other is None:
        return guard or other
    return replace(guard, expected=(*guard.expected, *other.expected))


def _due(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.changed)


def _apart(
    changes: Sequence[Change], is_one: Callable[[Change], bool]
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """(those of which it is true, the others)."""
    ones = tuple(change for change in changes if is_one(change))
    return ones, tuple(change for change in changes if not is_one(change))


def _after_enabling(enabling: Sequence[Change]) -> Guard | None:
    if not enabling:
        return None
    expected = tuple(Expected(change.target, {SMTP_AUTH: False}, "enabled") for change in enabling)
    return Guard(expected, "The mailboxes on no list were left as they are", "the rest could cut it off")


def _behind_policies(closing: Sequence[Change]) -> Guard | None:
    """What has to be seen before a mailbox opens whose authentication policy is to close it."""
    if not closing:
        return None
    expected = tuple(Expected(change.target, change.differing()[1], "changed") for change in closing)
    return Guard(expected, "No mailbox was opened", "going on could expose it")


def _behind_settings(
    opening: Sequence[Change], boxes: Sequence[Change], organization: Sequence[Change]
) -> Guard | None:
    """What has to be seen before a policy opens a mailbox that its own setting, or the organization, is to close.

    boxes: those that end disabled, or following the organization.
    """
    if not opening:
        return None
    keys = {change.target.key for change in opening}
    own, _others = _apart(boxes, lambda change: change.target.key in keys and change.touches(SMTP_AUTH))
    disabled, _others = _apart(own, lambda change: change.after[SMTP_AUTH] is True)
    closing, _others = _apart(organization, lambda change: change.turns(SMTP_AUTH, True))
    # A mailbox that is not disabled itself is closed by the organization.
    closes = own if len(disabled) == len(keys) else (*own, *closing)
    return Guard(tuple(map(_closed, closes)), "No authentication policy was opened", "going on could expose it")


def _closed(change: Change) -> Expected:
    """A mailbox, or the organization, as it has to be seen once its setting is what it is to be."""
    value = change.after[SMTP_AUTH]
    if change.target.table.single:
        return Expected(change.target, {SMTP_AUTH: value}, "closed")
    return Expected(change.target, {SMTP_AUTH: value}, "disabled" if value is True else "following the organization")


def _flip_guard(
    organization: Sequence[Change], listed: Listed, disabling: Sequence[Change], delay: float
) -> Guard | None:
    """What has to be seen before the organization is closed or opened. disabling: also those on no list."""
    if any(change.turns(SMTP_AUTH, True) for change in organization):
        expected = tuple(Expected(target, {SMTP_AUTH: False}, "enabled") for target in listed.enabled)
        return Guard(expected, "The organization was left open", "going on could cut it off", delay)
    if any(change.turns(SMTP_AUTH, False) for change in organization):
        closed = [change.target for change in disabling if change.touches(SMTP_AUTH)]
        targets = {target.place: target for target in (*listed.disabled, *closed)}
        expected = tuple(Expected(target, {SMTP_AUTH: True}, "disabled") for target in targets.values())
        return Guard(expected, "The organization was left closed", "going on could expose it")
    return None


def _follow_guard(organization: Sequence[Change], flip: Guard | None) -> Guard | None:
    """What has to be seen before a mailbox is left to follow an organization that was just closed or opened."""
    if flip is None:
        return None
    closing = organization[0].after[SMTP_AUTH] is True
    expected = Expected(
        organization[0].target, {SMTP_AUTH: organization[0].after[SMTP_AUTH]}, "closed" if closing else "open"
    )
    kept = "No mailbox was left to follow the organization"
    return Guard((expected,), kept, "they could be cut off" if closing else "they could be exposed")


@dataclass(frozen=True)
class Limit:
    """The most that a plan may do: a number, or a percentage of what is in scope."""

    option: str
    number: int
    percent: bool

    def __str__(self) -> str:
        return f"{self.number}%" if self.percent else str(self.number)

    def allows(self, scope: int) -> int:
        if self.percent and self.number:
            return max(LEAST_LIMIT, math.ceil(self.number * scope / 100))
        return self.number


def parse_limit(option: str, text: str | None) -> Limit | None:
    """The limit of an option, or None where it is not given; raises InvalidRequest."""
    if text is None or not str(text).strip():
        return None
    # [0-9], because \d takes the digits of every script; nine, because Python refuses numbers of thousands of digits.
    found = re.fullmatch(r"([0-9]{1,9})\s*(%?)", str(text).strip())
    if not found or (found.group(2) and int(found.group(1)) > 100):
        shown = str(text) if len(str(text)) <= 20 else f"{str(text)[:20]}…"
        raise InvalidRequest(f"{option} has to be a number such as 25 or a percentage such as 10%, it is {shown!r}.")
    return Limit(option, int(found.group(1)), bool(found.group(2)))


@dataclass(frozen=True)
class Limits:
    """What a plan must stay within. ``scope``: what 100 % stands for.

    ``lose_when_closing``: in place of ``lose`` where the organization is closed: that many lose then is the purpose.
    """

    changes: Limit | None = None
    lose: Limit | None = None
    gain: Limit | None = None
    lose_when_closing: Limit | None = None
    scope: int = 0

    def of(self, scope: int) -> Limits:
        return replace(self, scope=scope)


def check_limits(plan: Plan, limits: Limits) -> None:
    """Refuse a plan that goes beyond one of its limits; raises Refused. The organization is counted in none of them."""
    beside, many = _apart(plan.changes, lambda change: change.target.table.single)
    # A mailbox and its user are one, whatever changes of the two.
    objects = list(dict.fromkeys(change.label for change in many))
    if limits.changes and limits.changes.number == 0 and beside:
        objects = [beside[0].label, *objects]
    _check(limits.changes, objects, "would change", limits.scope, plan)
    closes = any(change.turns(SMTP_AUTH, True) for change in beside)
    lose = (limits.lose_when_closing if closes else None) or limits.lose
    _check_moved(lose, plan.effect.lose, "lose", limits.scope, plan)
    _check_moved(limits.gain, plan.effect.gain, "gain", limits.scope, plan)


def _check_moved(limit: Limit | None, targets: Sequence[Target], verb: str, scope: int, plan: Plan) -> None:
    if limit and not plan.effect.known:
        raise Refused(
            f"{limit.option} is set, but who would {verb} SMTP AUTH can't be known. Nothing was changed.",
            hint="The warning says what could not be read: usually the app lacks a role.",
        )
    _check(limit, [target.label for target in targets], f"would {verb} SMTP AUTH", scope, plan)


def _check(limit: Limit | None, labels: Sequence[str], verb: str, scope: int, plan: Plan) -> None:
    if limit is None or len(labels) <= limit.allows(scope):
        return
    raise Refused(
        f"{len(labels)} {verb}, and {limit.option}: {limit} allows {limit.allows(scope)}. Nothing was changed."
        f" They are {listed(labels)}.",
        hint=f"If that is what you want, {limit.option}: {len(labels)} lets it pass.",
        result={"effect": plan.effect.result()},
    )


def places(targets: Iterable[Target]) -> set[tuple[str, str]]:
    return {target.place for target in targets}


def parse_limits(params: Mapping[str, t.Any]) -> Limits:
    """The limits among a task's options; raises InvalidRequest."""
    changes, lose, gain, lose_when_closing = (
        parse_limit(option, params.get(option))
        for option in ("max_changes", "max_lose", "max_gain", "max_lose_when_closing")
    )
    return Limits(changes, lose, gain, lose_when_closing)
