# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out a plan in its order, and looking whether the service shows it. PRIVATE to the collection."""

from __future__ import annotations

import contextlib
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    NotConfirmed,
    PartialFailure,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import (
    Mailbox,
    Progress,
    Reader,
    quiet,
    read_transport_config,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Change, Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
    Table,
    Value,
)

_POLLS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between looks; the last one repeats


@dataclass(frozen=True)
class Outcome:
    """What became of one change. ``sent``: something may have been written, even if it failed in the end.

    ``confirmed``: whether the service was seen to show it; None where nobody looked.
    """

    change: Change
    sent: bool = False
    error: ExoError | None = None
    confirmed: bool | None = None

    @property
    def action(self) -> str:
        if self.error is not None:
            return "failed"
        return "changed" if self.change.changed else "unchanged"


@dataclass
class Outcomes:
    """What became of a plan."""

    mailboxes: dict[str, Outcome] = field(default_factory=dict)  # by GUID, in the order of the writes
    organization: Outcome | None = None
    fatal: ExoError | None = None

    @property
    def all(self) -> list[Outcome]:
        return [*([self.organization] if self.organization else []), *self.mailboxes.values()]

    @property
    def changed(self) -> bool:
        return any(outcome.sent for outcome in self.all)

    @property
    def confirmed(self) -> bool | None:
        seen = [outcome.confirmed for outcome in self.all if outcome.confirmed is not None]
        return all(seen) if seen else None

    def failure(self) -> ExoError | None:
        """The task's failure, if there is one."""
        failed = [outcome for outcome in self.all if outcome.error]
        if self.fatal:
            return self.fatal
        if not failed:
            return None
        first = t.cast(ExoError, failed[0].error)
        done = sum(1 for outcome in self.all if outcome.action == "changed")
        if not done or isinstance(first, NotConfirmed):
            return first
        return PartialFailure(
            f"{len(failed)} of {len(failed) + done} changes failed, the others are done."
            f" {failed[0].change.label}: {first.message}",
            hint=first.hint or "Run the task again: it finishes what is left.",
            http_status=first.http_status,
            cmdlet=first.cmdlet,
            request_id=first.request_id,
        )


@dataclass(frozen=True)
class Patience:
    """How long to look for what was written. ``settle``: seconds between mailboxes enabled and organization closed."""

    wait: bool = True
    timeout: float = 60
    settle: float = 0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def apply(client: Client, plan: Plan, patience: Patience, progress: Progress = quiet) -> Outcomes:
    """Write a plan: explicit mailboxes, then the organization, then those that inherit; never raises ExoError.

    The organization is closed only when every mailbox that has to stay open is seen enabled, and opened only when
    every mailbox that has to stay closed is seen disabled. Otherwise it is left, and what depends on it, too.
    """
    outcomes = Outcomes()
    total = len(plan.changes)
    _write(client, plan.enabling(), outcomes, total, progress)
    if plan.closes and plan.held is None:
        # Whatever wait says: closing the organization on a promise could cut these mailboxes off.
        _confirm(client, outcomes, patience, progress)
    _write(client, plan.disabling(), outcomes, total, progress)
    if plan.opens and plan.held is None:
        _confirm(client, outcomes, patience, progress)  # and opening it could expose those
    blocked = _pass_organization(client, plan, outcomes, patience, progress)
    if blocked:
        for change in plan.inheriting():
            outcomes.mailboxes[_guid(change)] = _left(change, blocked)
    else:
        _write(client, plan.inheriting(), outcomes, total, progress)
    if patience.wait:
        _confirm(client, outcomes, patience, progress)
    return outcomes


def _pass_organization(
    client: Client, plan: Plan, outcomes: Outcomes, patience: Patience, progress: Progress
) -> ExoError | None:
    """Write the organization if its turn has come; returns why what depends on it has to wait, if it has."""
    change = plan.organization
    if change is None or outcomes.fatal:
        return outcomes.fatal
    blocked = plan.held or _blocked(plan, outcomes)
    if blocked:
        outcomes.organization = _left(change, blocked)
    elif change.changed:
        if plan.closes and plan.enabling() and patience.settle:
            _settle(patience, progress)
        outcomes.organization = _write_organization(client, change, outcomes)
        blocked = outcomes.organization.error or _unseen(client, plan, outcomes, patience, progress)
    return blocked if plan.closes or plan.opens or plan.held else None


def _unseen(client: Client, plan: Plan, outcomes: Outcomes, patience: Patience, progress: Progress) -> ExoError | None:
    """Why mailboxes must not follow an organization that was written: it is not seen so."""
    if not ((plan.closes or plan.opens) and plan.inheriting()):
        return None
    _confirm(client, outcomes, patience, progress)
    if outcomes.organization and outcomes.organization.confirmed:
        return None
    return NotConfirmed(
        f"The organization is not seen {'closed' if plan.closes else 'open'} yet, so no mailbox was left to follow it.",
        hint="Run the task again in some minutes, or raise wait_timeout.",
    )


def _blocked(plan: Plan, outcomes: Outcomes) -> ExoError | None:
    """Why the organization must not be changed, after the mailboxes that come before it."""
    if not (plan.closes or plan.opens):
        return None
    guarded = plan.enabling() if plan.closes else [c for c in plan.disabling() if SMTP_AUTH in c.after]
    state, word, risk = ("open", "enabled", "cut it off") if plan.closes else ("closed", "disabled", "expose it")
    for change in guarded:
        outcome = outcomes.mailboxes.get(_guid(change))
        if outcome is None or outcome.error:
            reason = outcome.error.message if outcome and outcome.error else "it was not written"
            return PartialFailure(
                f"The organization was left {state}, for {change.label} could not be {word} first: {reason}",
                hint="Run the task again: it finishes what is left.",
            )
        if not outcome.confirmed:
            return NotConfirmed(
                f"The organization was left {state}, for {change.label} is not seen {word} yet: going on could {risk}.",
                hint="Wait some minutes, then run the task again, or raise wait_timeout.",
            )
    return None


def _left(change: Change, reason: ExoError) -> Outcome:
    """The outcome of what was not written because something before it failed."""
    if change.mailbox is None:
        return Outcome(change, error=reason)
    return Outcome(change, error=type(reason)(f"Not written: {reason.message}", hint=reason.hint))


def _guid(change: Change) -> str:
    return change.mailbox.guid if change.mailbox else ""


def _settle(patience: Patience, progress: Progress) -> None:
    left = patience.settle
    while left > 0:
        progress("letting the service spread the enabled mailboxes", int(patience.settle - left), int(patience.settle))
        step = min(15.0, left)
        patience.sleep(step)
        left -= step


def _write(client: Client, changes: Sequence[Change], outcomes: Outcomes, total: int, progress: Progress) -> None:
    """Write mailboxes; their outcomes are added. After an authentication or access failure nothing more is sent."""
    calls: dict[str, int] = {}
    for turn in range(max((len(change.calls) for change in changes), default=0)):
        if outcomes.fatal:
            break
        due = [
            change
            for change in changes
            if turn < len(change.calls) and (turn == 0 or outcomes.mailboxes[_guid(change)].error is None)
        ]
        commands = [_command(change, turn) for change in due]
        for index, answer in client.batch(commands):
            outcome = Outcome(due[index], sent=True)
            if isinstance(answer, ExoError):
                outcome = replace(outcome, error=answer, sent=answer.maybe_done or turn > 0)
                if isinstance(answer, (AuthenticationFailed, AccessDenied)):
                    outcomes.fatal = outcomes.fatal or answer
            outcomes.mailboxes[_guid(due[index])] = outcome
            calls[_guid(due[index])] = turn + 1
            progress("writing mailboxes", len(outcomes.mailboxes), total)
    for change in changes:
        written = outcomes.mailboxes.get(_guid(change))
        if written and written.error is None and calls[_guid(change)] < len(change.calls):
            half = PartialFailure("Half written: the second of its calls was not sent.", hint="Run the task again.")
            outcomes.mailboxes[_guid(change)] = replace(written, error=half)
    _resolve_doubts(client, outcomes)


def _command(change: Change, turn: int) -> Command:
    box = t.cast(Mailbox, change.mailbox)
    return Command(
        CAS_MAILBOX.setter,
        {"Identity": box.guid, **change.calls[turn]},
        subject=box.label,
        anchor=box.primary_smtp_address or box.guid,
    )


def _resolve_doubts(client: Client, outcomes: Outcomes) -> None:
    """A write whose answer was lost may have been carried out: look instead of guessing."""
    doubtful = [o for o in outcomes.mailboxes.values() if o.error and o.sent and o.error.maybe_done]
    if not doubtful or outcomes.fatal:
        return
    try:
        shown = _shown(client, [outcome.change for outcome in doubtful])
    except ExoError:
        return
    for outcome in doubtful:
        guid = _guid(outcome.change)
        if shown.get(guid):
            outcomes.mailboxes[guid] = replace(outcome, error=None, confirmed=True)


def _write_organization(client: Client, change: Change, outcomes: Outcomes) -> Outcome:
    sent = False
    for parameters in change.calls:
        try:
            client.invoke(Command(TRANSPORT_CONFIG.setter, parameters, subject="the organization"))
            sent = True
        except ExoError as error:
            if isinstance(error, (AuthenticationFailed, AccessDenied)):
                outcomes.fatal = error
            if error.maybe_done and _organization_shown(client, change):
                return Outcome(change, sent=True, confirmed=True)
            return Outcome(change, sent=sent or error.maybe_done, error=error)
    return Outcome(change, sent=True)


def _confirm(client: Client, outcomes: Outcomes, patience: Patience, progress: Progress) -> None:
    """Read back what was written until it shows, or the time is over."""
    if outcomes.fatal:
        return
    deadline = patience.clock() + patience.timeout
    turn = 0
    while True:
        pending = [o for o in outcomes.all if o.sent and not o.error and not o.confirmed]
        if not pending:
            return
        pause = _POLLS[min(turn, len(_POLLS) - 1)]
        if turn and patience.clock() + pause > deadline:
            break
        if pause:
            patience.sleep(pause)
        turn += 1
        with contextlib.suppress(ExoError):  # what can't be read back is not confirmed; the writes stand
            _look(client, outcomes, pending)
        progress("reading back", sum(1 for o in outcomes.all if o.confirmed), len(outcomes.all))
    for outcome in outcomes.all:
        if outcome.sent and not outcome.error and not outcome.confirmed:
            _store(outcomes, replace(outcome, confirmed=False))


def _look(client: Client, outcomes: Outcomes, pending: Sequence[Outcome]) -> None:
    for outcome in pending:
        if outcome.change.mailbox is None and _organization_shown(client, outcome.change):
            _store(outcomes, replace(outcome, confirmed=True))
    boxes = [outcome for outcome in pending if outcome.change.mailbox]
    if boxes:
        shown = _shown(client, [outcome.change for outcome in boxes])
        for outcome in boxes:
            if shown.get(_guid(outcome.change)):
                _store(outcomes, replace(outcome, confirmed=True))


def _store(outcomes: Outcomes, outcome: Outcome) -> None:
    if outcome.change.mailbox is None:
        outcomes.organization = outcome
    else:
        outcomes.mailboxes[_guid(outcome.change)] = outcome


def _shown(client: Client, changes: Sequence[Change]) -> dict[str, bool]:
    """Whether each mailbox shows what was written."""
    options = {option for change in changes for option in change.differing()[1]}
    lookup = Reader(client, sorted(options)).named([_guid(change) for change in changes])
    return {
        _guid(change): _equal(CAS_MAILBOX, box.wire, change.differing()[1])
        for change in changes
        for box in [lookup.found.get(_guid(change))]
        if box
    }


def _organization_shown(client: Client, change: Change) -> bool:
    try:
        return _equal(TRANSPORT_CONFIG, read_transport_config(client), change.differing()[1])
    except ExoError:
        return False


def _equal(table: Table, wire: Mapping[str, t.Any], values: Mapping[str, Value]) -> bool:
    return all(table.row(o).kind.same(table.row(o).read(wire), value) for o, value in values.items())
