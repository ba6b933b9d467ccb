# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions: which have expired, expire soon, or were not seen in use, as candidates for removal. PRIVATE."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import (
    Evidence,
    ListedException,
    MailboxEvidence,
)

SOON = datetime.timedelta(days=30)

EXPIRED, EXPIRES_SOON, NOT_SEEN, GONE, CURRENT = "expired", "expires_soon", "not_seen", "gone", "current"

_URGENCY = {EXPIRED: 0, GONE: 1, EXPIRES_SOON: 2, NOT_SEEN: 3, CURRENT: 4}


@dataclass(frozen=True)
class JudgedException:
    """An entry of the baseline and what is to be said about it, the most urgent first in ``states``."""

    mailbox: MailboxEvidence
    entry: ListedException
    states: tuple[str, ...]
    days_left: int | None  # negative: days since it expired; None: it never expires
    note: str

    @property
    def state(self) -> str:
        return self.states[0]

    @property
    def removable(self) -> bool:
        """A candidate for removal: it has run out, its mailbox is gone, or nobody was seen using it."""
        return bool({EXPIRED, GONE, NOT_SEEN} & set(self.states))


def judge(evidence: Evidence, today: datetime.date) -> tuple[JudgedException, ...]:
    """Every exception of a tenant, the most urgent first. today: UTC; the last day of an exception still counts."""
    judged = [
        _judge(mailbox, mailbox.exception, evidence, today) for mailbox in evidence.mailboxes if mailbox.exception
    ]
    return tuple(sorted(judged, key=lambda one: (_URGENCY[one.state], _days(one), one.mailbox.address)))


def lines_to_delete(exceptions: tuple[JudgedException, ...]) -> tuple[str, ...]:
    """The entries of the baseline's list that can go, as they begin in YAML; each with the reason as a comment."""
    return tuple(f"- identity: {_yaml_text(one.entry.identity)}  # {one.note}" for one in exceptions if one.removable)


def _judge(
    mailbox: MailboxEvidence, entry: ListedException, evidence: Evidence, today: datetime.date
) -> JudgedException:
    days = None if entry.expires is None else (entry.expires - today).days
    found = tuple(sorted(_states(mailbox, days, evidence), key=_URGENCY.__getitem__)) or (CURRENT,)
    note = "; ".join(_note(state, entry, evidence) for state in found)
    return JudgedException(mailbox, entry, found, days, note)


def _states(mailbox: MailboxEvidence, days: int | None, evidence: Evidence) -> Iterator[str]:
    if days is not None and days < 0:
        yield EXPIRED
    elif days is not None and days <= SOON.days:
        yield EXPIRES_SOON
    if mailbox.guid is None:
        yield GONE
    if _not_seen(mailbox, evidence):
        yield NOT_SEEN


def _not_seen(mailbox: MailboxEvidence, evidence: Evidence) -> bool:
    """An empty log says nothing unless it was proved to cover the span."""
    covered = evidence.coverage is not None and evidence.coverage.complete
    return covered and mailbox.usage is not None and mailbox.usage.state == "not_seen"


def _note(state: str, entry: ListedException, evidence: Evidence) -> str:
    if state == EXPIRED:
        return f"expired on {entry.expires}"
    if state == EXPIRES_SOON:
        return f"expires on {entry.expires}"
    if state == GONE:
        return "no such mailbox"
    if state == NOT_SEEN and evidence.coverage and evidence.coverage.start:
        return f"not seen in use since {evidence.coverage.start}"
    return "in order"


def _days(one: JudgedException) -> int:
    return 100_000 if one.days_left is None else one.days_left


def _yaml_text(text: str) -> str:
    """A double-quoted YAML scalar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
