# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of one object: from what it is and what is desired to the calls that lead there. PRIVATE. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Property, Table, Value


@dataclass(frozen=True, slots=True)
class Change:
    """Managed settings of one object before and after, and the calls that lead there.

    calls: the parameters of each call in turn; none where nothing differs. verb: New and Remove for an object that
    comes or goes as a whole.
    """

    target: Target
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    calls: tuple[Mapping[str, t.Any], ...] = ()
    verb: str = "Set"

    @property
    def changed(self) -> bool:
        return bool(self.calls)

    @property
    def label(self) -> str:
        return self.target.label

    def differing(self) -> tuple[dict[str, Value], dict[str, Value]]:
        """(before, after) of just the settings that differ."""
        if not self.changed:
            return {}, {}
        if self.verb == "Remove":
            return dict(self.before), {}
        options = [option for option in self.after if self.before[option] != self.after[option]]
        return {o: self.before[o] for o in options}, {o: self.after[o] for o in options}

    def turns(self, option: str, value: Value) -> bool:
        """Whether the setting becomes this value, and was another."""
        return self.changed and self.differing()[1].get(option, _NOT_GIVEN) == value

    def touches(self, option: str) -> bool:
        """Whether the setting gets another value."""
        return self.changed and option in self.differing()[1]


_NOT_GIVEN: t.Any = object()


def plan_change(record: Record, desired: Mapping[str, t.Any], *, exact: bool = False) -> Change:
    """The change that gives one object what is desired.

    exact: bring back a former state as it was, even one that can't be desired in one call.
    Raises InvalidRequest where what is desired contradicts itself or can't be reached, if that needs a write.
    """
    draft = _draft(record, desired, exact)
    for option in tuple(draft.differing):
        for rule in (_refuse_one_way, _meet_switch, _meet_companion):
            rule(draft, draft.table[option])
    managed = {option: draft.current[option] for option in (*desired, *draft.differing)}
    calls = tuple(call for call in ({**draft.along, **draft.written(desired)}, draft.later) if call)
    # Most objects of a large tenant differ in nothing: these hold their settings once.
    return Change(record.target, managed, {**managed, **draft.after} if calls else managed, calls)


def _draft(record: Record, desired: Mapping[str, t.Any], exact: bool) -> _Draft:
    """What differs from what is desired, before any setting has to take another along."""
    table = record.target.table
    current = {option: record.read(option) for option in table.closure(desired)}
    targets = {option: table[option].kind.target(value, current[option]) for option, value in desired.items()}
    differing = [option for option in targets if not table[option].kind.same(targets[option], current[option])]
    # A spelling that counts as the same stays as it is.
    after = {option: targets[option] if option in differing else current[option] for option in targets}
    return _Draft(table, record.label, current, after, differing, exact)


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

    def written(self, desired: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The parameters of what differs."""
        rows = [self.table[option] for option in self.differing]
        return {
            row.remote: row.kind.write(desired.get(row.option), self.after[row.option], self.current[row.option])
            for row in rows
        }

    def postpone(self, option: str, meanwhile: Value) -> None:
        """Send another value first and the final one in a second call."""
        row = self.table[option]
        self.along[row.remote] = meanwhile
        self.later[row.remote] = row.kind.write(None, self.final(option), meanwhile)
        if option in self.differing:
            self.differing.remove(option)


def _refuse_one_way(draft: _Draft, row: Property) -> None:
    if row.one_way and draft.after[row.option] == "":
        raise InvalidRequest(
            f"{row.option} of {draft.label} is set and can't be unset: the service refuses that.",
            hint="Leave the option out, or name another address.",
        )


def _meet_switch(draft: _Draft, row: Property) -> None:
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
        draft.along[draft.table[switch].remote] = False


def _meet_companion(draft: _Draft, row: Property) -> None:
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
    elif companion not in draft.differing and draft.table[companion].remote not in draft.later:
        draft.along[draft.table[companion].remote] = None if policy == INHERIT else policy
