# Copyright (c) 2026, the m365.exchange_online contributors
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
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Pacer, Retry, with_retries

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


def test_without_a_pause_of_its_own_it_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    errors = [BUSY, BUSY]

    def call() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert with_retries(call, Retry(5)) == "done"
    assert slept == [2, 4]


def test_a_pause_that_is_too_long_is_told() -> None:
    assert "asks to wait 3600 seconds" in Retry(5).exhausted(asked(3600)).message
    assert Retry(5).exhausted(BUSY) is BUSY
    denied = AccessDenied("No.")
    assert Retry(5, tried=3).exhausted(denied) is denied


def test_who_is_being_interrupted_sends_nothing_more() -> None:
    pacer = Pacer(2)
    with pacer:
        pass
    pacer.stop()
    with pytest.raises(ServiceUnavailable, match="interrupted"), pacer:
        pass


def test_the_pace_halves_once_for_one_refusal_and_recovers_round_by_round() -> None:
    now = [0.0]
    pacer = Pacer(8, lambda: now[0])
    pacer.slow_down(10)
    pacer.slow_down(5)
    assert pacer.allowed == 4
    for _turn in range(3):
        pacer.succeeded()
    assert pacer.allowed == 4
    pacer.succeeded()
    assert pacer.allowed == 5
    now[0] = 11
    for _turn in range(5):
        pacer.slow_down(0)
    assert pacer.allowed == 1
    for _turn in range(100):
        pacer.succeeded()
    assert pacer.allowed == 8
