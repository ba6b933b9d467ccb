# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nobody who uses SMTP AUTH loses it unawares: what stops a plan before its first write. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._accounts import addresses, object_id
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._sign_in_log import read_log
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import SAMPLE, counted, listed
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    NOT_SEEN,
    USED,
    Log,
    Report,
    Usage,
    usage_of,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._usage_report import read_report

_LONGEST = 365  # days: no source reaches further back
_DECIDE = "Put those that need it in allowed, and those that may be cut off in accept_cutoff."
_MOST_TOLD = 500  # mailboxes in the result of a refusal


@dataclass(frozen=True)
class UsageGate:
    """How long a mailbox must be unused to be cut off, and the report that may show it; parsed before any request."""

    days: int
    report: Report | None

    def check(self, task: Task, losers: Sequence[Record], everybody: Sequence[Record]) -> None:
        """Raise Refused where one of those who lose SMTP AUTH uses it, or may use it.

        everybody: all mailboxes that were read, because a sender of the report who is none of them may be a loser.
        """
        if not losers:
            return
        now = datetime.datetime.now(datetime.timezone.utc)
        log = read_log(task.connect_graph(), now, self.days, task.progress)
        usages = [(record, usage_of(object_id(record), addresses(record), log, self.report)) for record in losers]
        stopped = [(record, usage) for record, usage in usages if usage.state != NOT_SEEN]
        if stopped:
            raise refusal(self.days, stopped, self._what_would_tell(log))
        # The log goes by object ids, which a new address leaves as they are.
        if self.report and (log.failure or log.coverage.gap):
            _warn_of_strangers(task, self.report, everybody)

    def _what_would_tell(self, log: Log) -> str:
        """What to do about use that is not known; '' where both sources were read."""
        sources = [f"grant the app {log.permission} of Microsoft Graph"] if log.permission else []
        sources += [] if self.report else ["give usage_report"]
        return f"To know of all, {' or '.join(sources)}. " if sources else ""


def _warn_of_strangers(task: Task, report: Report, everybody: Sequence[Record]) -> None:
    known = {address.lower() for address in itertools.chain.from_iterable(map(addresses, everybody))}
    strangers = sorted(sender for sender in report.senders if sender not in known)
    if strangers:
        verb = "is" if len(strangers) == 1 else "are"
        task.warn(
            f"{counted(len(strangers), 'sender')} in usage_report {verb} the address of no mailbox:"
            f" {listed(strangers)}. A mailbox that had such an address counts as unused under its new one."
        )


def parse_gate(days: int, path: str | None, today: datetime.date) -> UsageGate:
    """The gate of so many days, with the report at this path where there is one; raises InvalidRequest."""
    if not 1 <= days <= _LONGEST:
        raise InvalidRequest(f"require_unused_days has to be between 1 and {_LONGEST}, it is {days}.")
    return UsageGate(days, read_report(absolute("usage_report", path), today, days) if path else None)


def refusal(days: int, stopped: Sequence[tuple[Record, Usage]], what_would_tell: str = "") -> Refused:
    """The failure that names each mailbox with when and from where it was seen, those in use first.

    what_would_tell: a sentence on what to do about use that is not known.
    """
    first = sorted(stopped, key=lambda one: one[1].state != USED)
    names = "; ".join(f"{record.label} ({described(usage)})" for record, usage in first[:SAMPLE])
    more = f" and {len(first) - SAMPLE} more" if len(first) > SAMPLE else ""
    told = [{"identity": record.label, "guid": record.key, "usage": usage.result()} for record, usage in first]
    return Refused(
        f"{_reason(days, stopped)}: {names}{more}. Nothing was changed.",
        hint=(what_would_tell if any(usage.state != USED for _record, usage in stopped) else "") + _DECIDE,
        result={"cut_off": told[:_MOST_TOLD]},
    )


def _reason(days: int, stopped: Sequence[tuple[Record, Usage]]) -> str:
    used = sum(usage.state == USED for _record, usage in stopped)
    unknown = len(stopped) - used
    if not used:
        whether = f"whether SMTP AUTH was used within {days} days"
        return f"It is not known {whether} by {counted(unknown, 'mailbox')} that would lose it"
    more = f", and of {unknown:,} more it is not known" if unknown else ""
    return f"{counted(used, 'mailbox')} that would lose SMTP AUTH used it within {days} days{more}"


def described(usage: Usage) -> str:
    if usage.state != USED:
        return f"not known: {usage.reason}"
    origin = f" from {', '.join(usage.addresses[:3])}" if usage.addresses else ""
    return f"last seen {usage.last_seen or 'in the report'}{origin}"
