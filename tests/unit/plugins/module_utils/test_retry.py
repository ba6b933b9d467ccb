# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often and how long something is tried again."""

from __future__ import annotations

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    ExoError,
    ServiceUnavailable,
    Throttled,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Retry, with_retries

BUSY = ServiceUnavailable("Busy.", retryable=True)


def asked(seconds: float) -> ExoError:
    return Throttled("Too many.", retryable=True, retry_after=seconds)


def pauses(retry: Retry, error: ExoError, most: int = 50) -> list[float]:
    """The pauses until it is given up."""
    found: list[float] = []
    while len(found) < most:
        pause = retry.pause_after([error])
        if pause is None:
            return found
        found.append(pause)
    return found


@pytest.mark.parametrize(
    ("tries", "error", "expected"),
    [
        (0, BUSY, []),
        (5, BUSY, [2, 4, 8, 16, 32]),
        # More tries are more tries: the pause stops growing, and the time in all ends it.
        (8, BUSY, [2, 4, 8, 16, 32, 60, 60, 60]),
        (100, BUSY, [2, 4, 8, 16, 32, *[60] * 8]),
        (3, asked(0.2), [0.2, 0.2, 0.2]),
        (9, asked(120), [120] * 5),
        (5, asked(121), []),
        (5, AccessDenied("No."), []),
    ],
)
def test_pauses(tries: int, error: ExoError, expected: list[float]) -> None:
    assert pauses(Retry(tries), error) == expected


def test_of_several_failures_the_longest_request_counts() -> None:
    assert Retry(5).pause_after([BUSY, asked(3), asked(7), AccessDenied("No.")]) == 7


def test_what_was_in_doubt_once_stays_in_doubt() -> None:
    """A try that may have been carried out is followed by one that certainly was not."""
    errors = [ServiceUnavailable("Lost.", retryable=True, in_doubt=True), BUSY]
    waited: list[float] = []

    def call() -> None:
        raise errors[min(len(waited), 1)]

    with pytest.raises(ServiceUnavailable, match="Tried 3 times") as raised:
        with_retries(call, Retry(2), lambda error, seconds: waited.append(seconds))
    assert raised.value.in_doubt
    assert waited == [2, 4]
