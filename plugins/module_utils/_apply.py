# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out a plan: one loop over its phases, and a look whether the service shows it. PRIVATE to the collection."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import FATAL, Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    NotConfirmed,
    PartialFailure,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome, Outcomes, Place, left_out
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Expected, Guard, Phase, Plan, places
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Value
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import (
    Progress,
    changed_at,
    quiet,
    read_again,
)

_POLLS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between looks; the last one repeats
_TICK = 1.0  # seconds between two looks whether the run still lives
_DELAYS = 3  # how often the propagation delay may begin, because a mailbox was changed, before the task gives up


@dataclass(frozen=True)
class Waiting:
    """How long to look for what was written. ``timeout`` is in seconds."""

    confirm: bool = True
    timeout: float = 60
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.timezone.utc)


class _Run:
    """One plan being carried out."""

    def __init__(self, client: Client, plan: Plan, waiting: Waiting, progress: Progress) -> None:
        self.client = client
        self.plan = plan
        self.waiting = waiting
        self.progress = progress
        self.outcomes = Outcomes()
        self.started = waiting.now()
        self.last_write = self.started
        self.total = len(plan.changes)


def apply(client: Client, plan: Plan, waiting: Waiting, progress: Progress = quiet) -> Outcomes:
    """Write a plan phase by phase; never raises ExoError.

    A phase whose guard does not hold is not written, and neither is any later one that has a guard.
    """
    run = _Run(client, plan, waiting, progress)
    blocked: ExoError | None = None
    for phase in plan.phases:
        if run.outcomes.fatal:
            break
        reason = phase.blocked_by
        if reason is None and phase.guard is not None:
            reason = blocked or _judged(run, phase.guard)
            blocked = reason
        if reason is None:
            _write(run, phase.changes)
        else:
            _leave(run, phase, reason)
    if waiting.confirm:
        _confirm(run)
    return run.outcomes


def _leave(run: _Run, phase: Phase, reason: ExoError) -> None:
    for change in phase.changes:
        run.outcomes.put(Outcome(change, error=left_out(change, reason)))


def _judged(run: _Run, guard: Guard) -> ExoError | None:
    """Why a phase must not be written, or None where its guard holds."""
    try:
        return _failed_before(run, guard) or _not_seen(run, guard)
    except FATAL as error:
        run.outcomes.fatal = error
        return error
    except ExoError as error:
        return NotConfirmed(
            f"{guard.kept} because it could not be seen whether {_names(guard.expected)} can go on: {error.message}",
            hint="Run the task again: it finishes what is left.",
        )


def _names(expected: Sequence[Expected]) -> str:
    first = expected[0].target.label
    return first if len(expected) == 1 else f"{first} and {len(expected) - 1} more"


def _failed_before(run: _Run, guard: Guard) -> ExoError | None:
    for expected in guard.expected:
        outcome = run.outcomes.by_place.get(expected.target.place)
        if outcome and outcome.error:
            return PartialFailure(
                f"{guard.kept} because {expected.target.label} could not be {expected.state} first:"
                f" {outcome.error.message}",
                hint="Run the task again: it finishes what is left.",
            )
    return None


def _not_seen(run: _Run, guard: Guard) -> ExoError | None:
    """Look at every object that the phase could harm until all are as they have to be, and have been for long enough.

    What was there when the task began is not enough: somebody may have changed it since, or the read may have been
    stale.
    """
    if not guard.expected:
        return None
    settling = _Settling(run)
    begun = 0
    while True:
        records, unseen = _look_until(run, guard.expected)
        if unseen:
            return NotConfirmed(
                f"{guard.kept} because {unseen[0].target.label} is not seen {unseen[0].state}: {guard.risk}.",
                hint="Wait some minutes, then run the task again, or raise wait_timeout.",
            )
        changed, settled = settling.look(records)
        if settled >= guard.delay:
            return None
        begun += changed
        if begun > _DELAYS:
            return NotConfirmed(
                f"{guard.kept} because {_names(guard.expected)} was changed again and again meanwhile: {guard.risk}.",
                hint="Find out who else changes these mailboxes, then run the task again.",
            )
        _wait(run, guard.delay - settled)


class _Settling:
    """How long ago the objects of one guard were last changed, from look to look."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        # The service's dates are by its own clock. How far this host's is ahead is known to a second only and comes out
        # differently with each answer, so it is measured once: else the delay would seem to have grown while it passed.
        self._ahead: datetime.timedelta | None = None
        self._first_seen: dict[tuple[Place, datetime.datetime], datetime.datetime] = {}

    def look(self, records: Iterable[Record]) -> tuple[bool, float]:
        """Whether any of these has a date that it did not have before, and the seconds since the last change of any.

        Where the service does not say, it counts from when this run wrote, or else from when it started. Where this
        host's clock is ahead, less time has passed than the two dates would make. A date ahead of this host's clock
        counts from when it was first seen.
        """
        run, known = self._run, len(self._first_seen)
        now = run.waiting.now()
        if self._ahead is None:
            self._ahead = run.client.clock_ahead
        moments = []
        for record in records:
            place, when = record.target.place, changed_at(record)
            if when is not None:
                moments.append(min(when + self._ahead, self._first_seen.setdefault((place, when), now)))
            elif place in run.outcomes.by_place:
                moments.append(run.last_write)
            else:
                moments.append(run.started)
        return len(self._first_seen) > known, (now - max(moments)).total_seconds()


def _wait(run: _Run, seconds: float) -> None:
    """Let the service spread what was written, and stop where the run has ended."""
    end = run.waiting.clock() + seconds
    while True:
        run.client.check_alive()
        left = end - run.waiting.clock()
        if left <= 0:
            return
        run.progress("letting every server learn of the enabled mailboxes", int(seconds - left), int(seconds))
        run.waiting.sleep(min(_TICK, left))


def _look_until(run: _Run, expected: Sequence[Expected]) -> tuple[list[Record], list[Expected]]:
    """The objects as they are, and those that did not come to be as expected within the time-out."""
    targets = [one.target for one in expected]
    options: set[str] = set().union(*(one.values for one in expected))
    deadline = run.waiting.clock() + run.waiting.timeout
    turn = 0
    while True:
        run.client.check_alive()
        records = read_again(run.client, targets, options)
        unseen = _unseen(expected, records)
        _seen(run, places(targets) - places(one.target for one in unseen))
        turn += 1
        if not unseen or not _worth_waiting(run, unseen) or not _pause(run, turn, deadline):
            return list(records.values()), unseen


def _unseen(expected: Iterable[Expected], records: Mapping[Place, Record]) -> list[Expected]:
    """Those that are not as they have to be."""
    return [one for one in expected if not _shows(records.get(one.target.place), one.values)]


def _pause(run: _Run, turn: int, deadline: float) -> bool:
    """Wait until the next look, the first being turn 0; false where that would be after the deadline."""
    pause = _POLLS[min(turn, len(_POLLS) - 1)]
    if turn and run.waiting.clock() + pause > deadline:
        return False
    if pause:
        run.waiting.sleep(pause)
    return True


def _pending(run: _Run) -> list[Outcome]:
    """What was written and was not seen yet."""
    return [outcome for outcome in run.outcomes if outcome.sent and not outcome.error and not outcome.confirmed]


def _seen(run: _Run, shown: Collection[Place]) -> None:
    """Keep that the service shows what was written at these places."""
    for outcome in _pending(run):
        if outcome.change.target.place in shown:
            run.outcomes.put(replace(outcome, confirmed=True))


def _worth_waiting(run: _Run, unseen: Sequence[Expected]) -> bool:
    """Only what this run wrote can still come to show; what somebody else changed back will not."""
    return all(one.target.place in run.outcomes.by_place for one in unseen)


def _shows(record: Record | None, values: Mapping[str, Value]) -> bool:
    if record is None:
        return False
    table = record.target.table
    return all(table[option].kind.same(record.read(option), value) for option, value in values.items())


def _write(run: _Run, changes: Sequence[Change]) -> None:
    """Write one phase. After a failure that would hit all others too, nothing more is sent."""
    turns = max((len(change.calls) for change in changes), default=0)
    for turn in range(turns):
        due = [change for change in changes if turn < len(change.calls) and _goes_on(run, change, turn)]
        if run.outcomes.fatal or not due:
            break
        for index, answer in run.client.batch([_command(change, turn) for change in due]):
            _note(run, due[index], answer, last=turn + 1 == len(due[index].calls), first=turn == 0)
            run.progress("writing", len(run.outcomes.by_place), run.total)
        run.last_write = run.waiting.now()
    _resolve_doubts(run)


def _goes_on(run: _Run, change: Change, turn: int) -> bool:
    """Whether the calls before this one succeeded: then the next one is due."""
    outcome = run.outcomes.of(change)
    return turn == 0 or (outcome is not None and outcome.sent and isinstance(outcome.error, _HalfWritten))


class _HalfWritten(PartialFailure):
    """The first of two calls is done, the second not yet."""


def _note(run: _Run, change: Change, answer: object, *, last: bool, first: bool) -> None:
    """Keep what became of one call."""
    if isinstance(answer, ExoError):
        if isinstance(answer, FATAL):
            run.outcomes.fatal = run.outcomes.fatal or answer
        run.outcomes.put(Outcome(change, error=answer, sent=answer.in_doubt or not first))
    elif last:
        run.outcomes.put(Outcome(change, sent=True))
    else:
        half = _HalfWritten("Half written: the second of its calls was not sent.", hint="Run the task again.")
        run.outcomes.put(Outcome(change, sent=True, error=half))


def _command(change: Change, turn: int) -> Command:
    target = change.target
    return Command(
        f"{change.verb}-{target.table.noun}",
        target.command(change.calls[turn], change.verb),
        subject=target.label,
        anchor="" if target.table.single else target.anchor,
    )


def _resolve_doubts(run: _Run) -> None:
    """A write whose answer was lost may have been carried out: look instead of guessing."""
    doubtful = [outcome for outcome in run.outcomes if outcome.error and outcome.sent and outcome.error.in_doubt]
    if not doubtful or run.outcomes.fatal:
        return
    with contextlib.suppress(ExoError):
        shown = _shown(run, doubtful)
        for outcome in doubtful:
            if outcome.change.target.place in shown:
                run.outcomes.put(replace(outcome, error=None, confirmed=True))


def _confirm(run: _Run) -> None:
    """Read back what was written until it shows, or the time is over."""
    if run.outcomes.fatal:
        return
    deadline = run.waiting.clock() + run.waiting.timeout
    turn = 0
    while _pending(run) and _pause(run, turn, deadline):
        turn += 1
        with contextlib.suppress(ExoError):  # what can't be read back is not confirmed; the writes stand
            _seen(run, _shown(run, _pending(run)))
        run.progress("reading back", sum(1 for outcome in run.outcomes if outcome.confirmed), run.total)
    for outcome in _pending(run):
        run.outcomes.put(replace(outcome, confirmed=False))


def _shown(run: _Run, outcomes: Sequence[Outcome]) -> set[Place]:
    """The places of those that show what was written."""
    wanted = {outcome.change.target.place: outcome.change.differing()[1] for outcome in outcomes}
    options: set[str] = set().union(*wanted.values())
    records = read_again(run.client, [outcome.change.target for outcome in outcomes], options)
    gone = {outcome.change.target.place for outcome in outcomes if outcome.change.verb == "Remove"}
    seen = {place for place, values in wanted.items() if place not in gone and _shows(records.get(place), values)}
    return seen | (gone - records.keys())
