# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: from what is and what is wished to what is written, in which order, and with which effect. PRIVATE.

Pure: nothing here reads or writes. The same plan decides ``changed``, the diff and the writes.
"""

from __future__ import annotations

import math
import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import Mailbox
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    INHERIT,
    SMTP_AUTH,
    Row,
    Table,
    Value,
)

SAMPLE = 20  # how many names a message lists


@dataclass(frozen=True)
class Change:
    """What becomes of one object: its managed settings before and after, and the calls that lead there.

    mailbox: None for the organization. calls: the parameters of each call in turn; none where nothing differs.
    """

    mailbox: Mailbox | None
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    calls: tuple[Mapping[str, t.Any], ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.calls)

    @property
    def label(self) -> str:
        return self.mailbox.label if self.mailbox else "the organization"

    def differing(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """(before, after) of just the settings that differ."""
        if not self.changed:
            return {}, {}
        options = [option for option in self.after if self.before[option] != self.after[option]]
        return {o: self.before[o] for o in options}, {o: self.after[o] for o in options}


def plan_settings(
    table: Table,
    wire: Mapping[str, t.Any],
    wishes: Mapping[str, t.Any],
    *,
    mailbox: Mailbox | None = None,
    exact: bool = False,
) -> Change:
    """The change that fulfils the wishes for one object.

    exact: bring back a former state as it was, even one that can't be wished for in one call.
    Raises InvalidRequest for wishes that contradict each other or can't be fulfilled, if they need a write.
    """
    current = {option: table.row(option).read(wire) for option in table.closure(wishes)}
    targets = {option: table.row(option).kind.target(wish, current[option]) for option, wish in wishes.items()}
    differing = [option for option in targets if not table.row(option).kind.same(targets[option], current[option])]
    # A spelling that counts as the same stays as it is.
    after = {option: targets[option] if option in differing else current[option] for option in targets}
    draft = _Draft(table, mailbox.label if mailbox else "the organization", current, after, differing, exact)
    for option in tuple(differing):
        for rule in (_refuse_one_way, _meet_switch, _meet_companion):
            rule(draft, table.row(option))
    first = {
        table.row(option).wire: table.row(option).kind.write(wishes.get(option), after[option], current[option])
        for option in draft.differing
    }
    managed = {option: current[option] for option in (*wishes, *draft.differing)}
    calls = tuple(call for call in ({**draft.along, **first}, draft.later) if call)
    return Change(mailbox, managed, {**managed, **after}, calls)


@dataclass
class _Draft:
    """A change in the making. along: sent beside what differs. later: sent in a call of its own afterwards."""

    table: Table
    label: str
    current: Mapping[str, Value]
    after: dict[str, Value]
    differing: list[str]
    exact: bool
    along: dict[str, t.Any] = field(default_factory=dict)
    later: dict[str, t.Any] = field(default_factory=dict)

    def final(self, option: str) -> Value:
        return self.after.get(option, self.current[option])

    def postpone(self, option: str, meanwhile: Value) -> None:
        """Send another value first and the final one in a second call."""
        row = self.table.row(option)
        self.along[row.wire] = meanwhile
        self.later[row.wire] = row.kind.write(None, self.final(option), meanwhile)
        if option in self.differing:
            self.differing.remove(option)


def _refuse_one_way(draft: _Draft, row: Row) -> None:
    if row.one_way and draft.after[row.option] == "":
        raise InvalidRequest(
            f"{row.option} of {draft.label} is set and can't be unset: the service refuses that.",
            hint="Leave the option out, or name another address.",
        )


def _meet_switch(draft: _Draft, row: Row) -> None:
    """Formats are settable only while the protocol's defaults are off: turn these off in the same call."""
    switch = row.switch
    if not switch:
        return
    if draft.after.get(switch) is True:
        if not draft.exact:
            raise InvalidRequest(
                f"{row.option} of {draft.label} can't be set while {switch} is true: the two contradict each other.",
                hint=f"Leave {switch} out or set it to false.",
            )
        draft.postpone(switch, False)
    elif draft.current[switch] is True:
        draft.after[switch] = False
        if switch not in draft.differing:
            draft.differing.append(switch)
    else:
        draft.along[draft.table.row(switch).wire] = False


def _meet_companion(draft: _Draft, row: Row) -> None:
    """A list is settable only beside the policy that enforces it, even where that does not change."""
    companion = row.companion
    if not companion:
        return
    policy = draft.final(companion)
    if draft.after[row.option] and policy == INHERIT:
        if not draft.exact:
            raise InvalidRequest(
                f"{row.option} of {draft.label} needs {companion}, which is not set.",
                hint=f"Set {companion} to EnforceAllowList or EnforceBlockList in the same task.",
            )
        # Of the two, the block list shuts out less in the moment between the calls.
        draft.postpone(companion, "EnforceBlockList")
    elif companion not in draft.differing and draft.table.row(companion).wire not in draft.later:
        draft.along[draft.table.row(companion).wire] = None if policy == INHERIT else policy


@dataclass(frozen=True)
class Effect:
    """Whose SMTP AUTH works or stops in effect. None: not known, as the organization's setting was not readable."""

    lose: int | None = 0
    gain: int | None = 0
    losers: tuple[str, ...] = ()
    gainers: tuple[str, ...] = ()

    def result(self) -> dict[str, t.Any]:
        return {
            "lose": self.lose,
            "gain": self.gain,
            "lose_sample": list(self.losers),
            "gain_sample": list(self.gainers),
        }

    def warning(self) -> str | None:
        if not self.lose:
            return None
        names = _names(self.losers, self.lose)
        return f"{self.lose} {_mailboxes(self.lose)} SMTP AUTH in effect: {names}."


def _mailboxes(number: int) -> str:
    return "mailbox loses" if number == 1 else "mailboxes lose"


def _names(names: Sequence[str], number: int) -> str:
    more = number - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


UNKNOWN_EFFECT = Effect(None, None)


def smtp_auth_enabled(own: Value, organization_disabled: bool) -> bool:
    """Whether the two settings together let the mailbox use SMTP AUTH (other gates may still block it)."""
    return not (organization_disabled if own == INHERIT else own)


def effect(before: Iterable[tuple[str, Value, Value]], organization_before: bool, organization_after: bool) -> Effect:
    """The effect on mailboxes, each as (label, own value before, own value after)."""
    losers: list[str] = []
    gainers: list[str] = []
    for label, was, becomes in before:
        old = smtp_auth_enabled(was, organization_before)
        new = smtp_auth_enabled(becomes, organization_after)
        if old != new:
            (losers if old else gainers).append(label)
    return Effect(len(losers), len(gainers), tuple(losers[:SAMPLE]), tuple(gainers[:SAMPLE]))


@dataclass(frozen=True)
class Missing:
    """A name that no mailbox has, under lookup_failure_action=warn."""

    identity: str
    error: str


@dataclass(frozen=True)
class Plan:
    """Everything that one task does.

    matched: mailboxes in scope. held: why the organization and what depends on it stay as they are in this run.
    """

    organization: Change | None = None
    mailboxes: tuple[Change, ...] = ()
    missing: tuple[Missing, ...] = ()
    matched: int = 0
    effect: Effect = Effect()
    held: ExoError | None = None

    @property
    def changes(self) -> list[Change]:
        """What is written, in no particular order."""
        boxes = self.mailboxes if self.held is None else self.before_organization()
        organization = [self.organization] if self.organization and self.held is None else []
        return [change for change in (*organization, *boxes) if change.changed]

    @property
    def changed(self) -> bool:
        return bool(self.changes)

    @property
    def closes(self) -> bool:
        """Whether the organization goes from SMTP AUTH enabled to disabled."""
        return self._turns_to(True)

    @property
    def opens(self) -> bool:
        return self._turns_to(False)

    def _turns_to(self, value: bool) -> bool:
        change = self.organization
        return bool(change and change.changed and change.differing()[1].get(SMTP_AUTH) is value)

    def enabling(self) -> list[Change]:
        """First: mailboxes that end explicitly enabled."""
        return [c for c in self.mailboxes if c.changed and c.after.get(SMTP_AUTH) is False]

    def disabling(self) -> list[Change]:
        """Then: those that end explicitly disabled, or whose SMTP AUTH is not the matter."""
        return [c for c in self.mailboxes if c.changed and c.after.get(SMTP_AUTH, True) is True]

    def inheriting(self) -> list[Change]:
        """Last, after the organization: those that end without a value of their own."""
        return [c for c in self.mailboxes if c.changed and c.after.get(SMTP_AUTH) == INHERIT]

    def before_organization(self) -> list[Change]:
        return [*self.enabling(), *self.disabling()]


_LIMIT = re.compile(r"(\d+)\s*(%?)")


def parse_limit(text: str) -> tuple[int, bool]:
    """max_changes as (number, is it a percentage); raises InvalidRequest."""
    found = _LIMIT.fullmatch(text.strip())
    if not found or (found.group(2) and int(found.group(1)) > 100):
        raise InvalidRequest(f"max_changes has to be a number such as 25 or a percentage such as 10%, it is {text!r}.")
    return int(found.group(1)), bool(found.group(2))


def brake(plan: Plan, max_changes: str | None, scope: int) -> None:
    """Refuse a plan that changes more than max_changes allows; raises Refused. scope: what 100 % stands for."""
    if max_changes is None:
        return
    number, percent = parse_limit(max_changes)
    allowed = max(10, math.ceil(number * scope / 100)) if percent and number else number
    changes = plan.changes
    if len(changes) <= allowed:
        return
    names = _names([change.label for change in changes[:SAMPLE]], len(changes))
    raise Refused(
        f"The plan has {len(changes)} changes, max_changes: {max_changes} allows {allowed}. Nothing was changed."
        f" It would change {names}.",
        hint=f"If that is what you want, max_changes: {len(changes)} lets it pass.",
        result={"effect": plan.effect.result()},
    )
