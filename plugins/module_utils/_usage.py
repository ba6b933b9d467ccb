# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has signed in over SMTP: from the sign-in log, and from the admin center's report. PRIVATE to the collection.

Pure but for read_report, which reads one file. A success proves that a mailbox is used. That nothing was seen proves
little: it counts as ``not_seen`` only where the log was read to its end and is shown to reach back far enough, and else
as ``unknown``, with the reason. The log holds no sign-in that Exchange refused before Entra ID saw the password.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

USED, NOT_SEEN, UNKNOWN = "used", "not_seen", "unknown"
LOG_DAYS = 30  # the service keeps sign-ins for no longer

# Portals and the reference name the client differently, and both occur in logs.
CLIENTS = ("Authenticated SMTP", "SMTP")
# Exchange's legacy sign-ins were moved to the second stream in 2020; a query that names none shows the first alone.
STREAMS = ("nonInteractiveUser", "interactiveUser")
_ADDRESSES = 20  # addresses that are kept for one user
# Sign-ins that were interrupted, or asked for more, are neither a success nor a refusal: they are counted as failures.
FAILURES: Mapping[int, str] = {
    50053: "the account is locked",
    50057: "the account is disabled",
    50076: "MFA was asked for",
    50079: "MFA registration was asked for",
    50126: "wrong user name or password",
    53003: "blocked by Conditional Access",
}


@dataclass
class Seen:
    """What the log holds of one user. Times are as the log has them, in UTC. addresses: where successes came from."""

    user_principal_name: str = ""
    successes: int = 0
    failures: int = 0
    last_success: str = ""
    last_failure: str = ""
    addresses: dict[str, None] = field(default_factory=dict)
    clients: dict[str, None] = field(default_factory=dict)
    streams: dict[str, None] = field(default_factory=dict)
    protocols: dict[str, None] = field(default_factory=dict)
    failure_codes: dict[int, int] = field(default_factory=dict)


class SignIns:
    """The sign-ins over SMTP of a tenant, added row by row, kept per user."""

    def __init__(self) -> None:
        self.users: dict[str, Seen] = {}
        self._ids: set[str] = set()

    def add(self, row: Mapping[str, t.Any], stream: str) -> None:
        """Count one row of the log; a row that came before is not counted again."""
        identifier = _text(row.get("id"))
        user = _text(row.get("userId")).lower()
        if not user or (identifier and identifier in self._ids):
            return
        self._ids.add(identifier)
        seen = self.users.setdefault(user, Seen(_text(row.get("userPrincipalName"))))
        _keep(seen.clients, _text(row.get("clientAppUsed")))
        _keep(seen.streams, stream)
        _keep(seen.protocols, _text(row.get("authenticationProtocol")))
        when = _text(row.get("createdDateTime"))
        code = _error_code(row)
        if code == 0:
            seen.successes += 1
            seen.last_success = max(seen.last_success, when)
            _keep(seen.addresses, _text(row.get("ipAddress")))
        else:
            seen.failures += 1
            seen.last_failure = max(seen.last_failure, when)
            seen.failure_codes[code] = seen.failure_codes.get(code, 0) + 1


def _error_code(row: Mapping[str, t.Any]) -> int:
    """0 for a success; -1 where the row does not say."""
    status = row.get("status")
    code = status.get("errorCode") if isinstance(status, Mapping) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else -1


def _keep(kept: dict[str, None], text: str) -> None:
    if text and len(kept) < _ADDRESSES:
        kept[text] = None


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Coverage:
    """How much of the time that was asked about a source really covers.

    asked_days: as asked. start, end: the span that is covered, None where that is not known. gap: why the span does not
    cover what was asked, empty where it does.
    """

    asked_days: int
    start: datetime.date | None
    end: datetime.date | None
    gap: str = ""

    def result(self) -> dict[str, t.Any]:
        return {
            "asked_days": self.asked_days,
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            "complete": not self.gap,
            **({"reason": self.gap} if self.gap else {}),
        }


def log_coverage(today: datetime.date, days: int, oldest: datetime.date | None) -> Coverage:
    """How far the sign-in log covers the days asked about. oldest: day of its first record of any sign-in at all."""
    first = today - datetime.timedelta(days=days)
    if oldest is None:
        return Coverage(days, None, None, "the sign-in log is empty, so it may be younger than the time asked about")
    start = max(first, oldest)
    # The first day asked about is cut in the middle, so a record on the day after still covers it.
    if oldest > first + datetime.timedelta(days=1):
        covered = (today - start).days
        return Coverage(days, start, today, f"the sign-in log reaches back {covered} of {days} days")
    return Coverage(days, start, today)


@dataclass(frozen=True)
class Usage:
    """Whether one mailbox is used, by everything that was read. seen and sent are None where a source has nothing.

    hidden_by: gates of Exchange that are closed, so that an attempt would be in no log.
    """

    state: str
    reason: str = ""
    seen: Seen | None = None
    sent: Sent | None = None
    hidden_by: tuple[str, ...] = ()

    @property
    def last_seen(self) -> str:
        """The last success, as ISO 8601; a day where only the report knows."""
        log = self.seen.last_success if self.seen else ""
        report = self.sent.last.isoformat() if self.sent and self.sent.last else ""
        return max(log, report)

    @property
    def addresses(self) -> list[str]:
        return list(self.seen.addresses) if self.seen else []

    def result(self) -> dict[str, t.Any]:
        known: dict[str, t.Any] = {"state": self.state}
        if self.reason:
            known["reason"] = self.reason
        if self.hidden_by:
            known["hidden_by"] = list(self.hidden_by)
        if self.last_seen:
            known["last_seen"] = self.last_seen
        if self.seen:
            known |= _seen_result(self.seen)
        if self.sent:
            known["report"] = self.sent.result()
        return known


def _seen_result(seen: Seen) -> dict[str, t.Any]:
    result: dict[str, t.Any] = {
        "sign_ins": seen.successes,
        "addresses": list(seen.addresses),
        "clients": list(seen.clients),
        "streams": list(seen.streams),
        "protocols": list(seen.protocols),
    }
    if seen.failures:
        result["failed_sign_ins"] = seen.failures
        result["last_failed"] = seen.last_failure
        result["failures"] = {FAILURES.get(code, str(code)): count for code, count in seen.failure_codes.items()}
    return result


@dataclass(frozen=True)
class Log:
    """The sign-in log as it was read, or why it was not: then failure says so, and what was seen before still counts.

    permission: what would let it be read, where that is the reason.
    """

    sign_ins: SignIns
    coverage: Coverage
    failure: str = ""
    permission: str = ""


@dataclass
class Sent:
    """What the report holds of one sender: messages by protocol, and the last day where the report has days."""

    basic: int = 0
    oauth: int = 0
    other: int = 0
    last: datetime.date | None = None

    def result(self) -> dict[str, t.Any]:
        counts = {"basic": self.basic, "oauth": self.oauth, "protocol_not_given": self.other}
        return {
            **{name: count for name, count in counts.items() if count},
            **({"last_day": self.last.isoformat()} if self.last else {}),
        }


@dataclass(frozen=True)
class Report:
    """The admin center's report. senders: by address, lower case. since: what was sent before that day is no use."""

    senders: Mapping[str, Sent]
    coverage: Coverage
    since: datetime.date


def usage_of(object_id: str, addresses: Sequence[str], log: Log | None, report: Report | None) -> Usage:
    """The use of one mailbox. addresses: all that it is known by. None: that source was not asked for."""
    seen = log.sign_ins.users.get(object_id.lower()) if log and object_id else None
    sent = _sent_by(addresses, report) if report else None
    if (seen and seen.successes) or sent:
        return Usage(USED, "", seen, sent)
    gaps = _gaps(object_id, log, report)
    if "" in gaps:
        return Usage(NOT_SEEN, "", seen)
    reason = "; ".join(gaps) or "neither the sign-in log nor a report was read"
    return Usage(UNKNOWN, reason, seen)


def _sent_by(addresses: Sequence[str], report: Report) -> Sent | None:
    """What one of these addresses sent in the time asked about, or at a time that the report does not tell."""
    found = (report.senders.get(address.lower()) for address in addresses)
    return next((sent for sent in found if sent and (sent.last is None or sent.last >= report.since)), None)


def _gaps(object_id: str, log: Log | None, report: Report | None) -> list[str]:
    """Of each source that was asked for, why it does not prove that a mailbox is not used; empty where it does."""
    gaps = []
    if log:
        gaps.append(_log_gap(object_id, log))
    if report:
        gaps.append(report.coverage.gap)
    return gaps


def _log_gap(object_id: str, log: Log) -> str:
    if log.failure:
        return log.failure
    if not object_id:
        return "the mailbox has no object id to look for in the sign-in log"
    return log.coverage.gap


def unmatched_users(log: Log, object_ids: Iterable[str]) -> list[str]:
    """Users with a success in the log whom none of these object ids is: they have no mailbox that was read."""
    known = {object_id.lower() for object_id in object_ids if object_id}
    return [
        seen.user_principal_name or user
        for user, seen in log.sign_ins.users.items()
        if seen.successes and user not in known
    ]
