# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latency that the simulated service is given, and the least time that the work can take with it."""

from __future__ import annotations

from dataclasses import dataclass

PAGE = 1000
BATCH = 10
CONCURRENCY = 4


@dataclass(frozen=True)
class Latency:
    """Seconds that the service takes for a request, for each row that it returns, for each item of a batch."""

    request: float = 0.3
    row: float = 0.001
    item: float = 0.1

    @property
    def milliseconds(self) -> dict[str, float]:
        return {name: round(value * 1000, 3) for name, value in vars(self).items()}

    @property
    def option(self) -> str:
        return ",".join(f"{name}={value:g}" for name, value in self.milliseconds.items())


STATED = Latency()


def batches(changes: int) -> list[int]:
    """The sizes of the batches that these changes need."""
    full, rest = divmod(changes, BATCH)
    return [BATCH] * full + [rest] * (rest > 0)


def read_limit(mailboxes: int, latency: Latency = STATED) -> float:
    return -(-mailboxes // PAGE) * latency.request + mailboxes * latency.row


def write_limit(changes: int, concurrency: int = CONCURRENCY, latency: Latency = STATED) -> float:
    """Rounds of as many batches as may be in flight, each as long as its largest batch. One change needs no batch."""
    if changes == 1:
        return latency.request
    sizes = batches(changes)
    return sum(latency.request + latency.item * sizes[first] for first in range(0, len(sizes), concurrency))


def limit(mailboxes: int, changes: int) -> float:
    """The least time in which all mailboxes can be read and those that differ be written, on this many connections."""
    return read_limit(mailboxes) + write_limit(changes)


LOG_REQUESTS, LOG_SECONDS = 5, 10.0  # what Microsoft Graph lets an app ask of a tenant's sign-in log, and in what time


def verdict_limit(mailboxes: int, log_requests: int, sign_ins: int, latency: Latency = STATED) -> float:
    """The least time for one verdict on all mailboxes, everything asked for in turn: two tokens (six requests with
    discovery), mailboxes and users page by page, five questions about the tenant, and the log, as fast as it is
    answered and as the service lets one ask.
    """
    answered = log_requests * latency.request + sign_ins * latency.row
    # Nobody may send the sixth request before ten seconds are over, and so on.
    paced = LOG_SECONDS * ((log_requests - 1) // LOG_REQUESTS) + latency.request
    return 2 * read_limit(mailboxes, latency) + 11 * latency.request + max(answered, paced)


def one_by_one_limit(mailboxes: int) -> float:
    """The same for one question to the log about each mailbox: what the service lets one ask decides alone."""
    return LOG_SECONDS * ((mailboxes - 1) // LOG_REQUESTS)


def to_fix(mailboxes: int, share: float) -> int:
    """How many mailboxes a share is; at least one, if it is not zero."""
    return max(1, round(mailboxes * share)) if share else 0
