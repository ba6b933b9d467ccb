# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of a plan, change by change. PRIVATE to the collection. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    NotConfirmed,
    PartialFailure,
)

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change. ``sent``: something may have been written, even if it failed in the end.

    ``confirmed``: whether the service was seen to show it; None where nobody looked.
    """

    change: Change
    sent: bool = False
    error: ExoError | None = None
    confirmed: bool | None = None

    @property
    def status(self) -> str:
        if self.error is not None:
            return "failed"
        return "changed" if self.change.changed else "unchanged"


@dataclass
class Outcomes:
    """What became of a plan, by place, in the order of the writes. ``fatal``: why nothing more was sent."""

    by_place: dict[Place, Outcome] = field(default_factory=dict)
    fatal: ExoError | None = None

    def __iter__(self) -> t.Iterator[Outcome]:
        return iter(list(self.by_place.values()))

    def of(self, change: Change) -> Outcome | None:
        return self.by_place.get(change.target.place)

    def put(self, outcome: Outcome) -> None:
        self.by_place[outcome.change.target.place] = outcome

    @property
    def changed(self) -> bool:
        return any(outcome.sent for outcome in self)

    @property
    def confirmed(self) -> bool | None:
        seen = [outcome.confirmed for outcome in self if outcome.confirmed is not None]
        return all(seen) if seen else None

    def unconfirmed(self) -> list[str]:
        return [outcome.change.label for outcome in self if outcome.confirmed is False]

    def failure(self) -> ExoError | None:
        """The task's failure, if there is one."""
        if self.fatal:
            return self.fatal
        failed = [outcome for outcome in self if outcome.error]
        if not failed:
            return None
        first = t.cast(ExoError, failed[0].error)
        done = sum(1 for outcome in self if outcome.status == "changed")
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


def left_out(change: Change, reason: ExoError) -> ExoError:
    """Why one change was not written, where the reason is another object's."""
    if change.target.table.single:
        return reason
    return type(reason)(f"Not written: {reason.message}", hint=reason.hint)
