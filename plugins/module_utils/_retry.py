# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to try again, and how fast: for tokens, calls and items of a batch alike. PRIVATE to the collection."""

from __future__ import annotations

import threading
import time
import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, ServiceUnavailable

FIRST_PAUSE = 2.0  # seconds, doubled from try to try
LONGEST_PAUSE = 60.0  # seconds that a pause of our own grows to
LONGEST_ASKED = 120.0  # seconds that one request of the service to wait is followed for
LONGEST_IN_ALL = 600.0  # seconds that one call waits in all

Returned = t.TypeVar("Returned")


@dataclass
class Retry:
    """The tries and the waiting that one call may still spend. ``tries``: after the first. Times are in seconds."""

    tries: int
    waited: float = 0.0
    tried: int = 0

    def pause_after(self, errors: Sequence[ExoError]) -> float | None:
        """How long to wait before what failed so is tried again, or None where it is not."""
        retryable = [error for error in errors if error.retryable]
        if not retryable or self.tried >= self.tries:
            return None
        asked = max((error.retry_after for error in retryable if error.retry_after is not None), default=None)
        pause = min(FIRST_PAUSE * 2**self.tried, LONGEST_PAUSE) if asked is None else asked
        if pause > LONGEST_ASKED or self.waited + pause > LONGEST_IN_ALL:
            return None
        self.tried += 1
        self.waited += pause
        return pause

    def exhausted(self, error: ExoError) -> ExoError:
        """The error with how long it was tried."""
        if not error.retryable:
            return error
        if error.retry_after is not None and error.retry_after > LONGEST_ASKED:
            asked = f"The service asks to wait {error.retry_after:.0f} seconds, longer than a task waits."
            return error.but(message=f"{error.message} {asked}")
        if self.tried:
            return error.but(message=f"{error.message} Tried {self.tried + 1} times over {self.waited:.0f} seconds.")
        return error


def with_retries(
    call: Callable[[], Returned], retry: Retry, pause: Callable[[ExoError, float], None] | None = None
) -> Returned:
    """What the call returns, tried again for as long as its errors allow; raises the last ExoError.

    pause: waits, given the error and the seconds. The error that is raised is in doubt if one of the tries was.
    """
    in_doubt = False
    while True:
        try:
            return call()
        except ExoError as error:
            in_doubt = in_doubt or error.in_doubt
            last = error if error.in_doubt == in_doubt else error.but(in_doubt=in_doubt)
            seconds = retry.pause_after([last])
            if seconds is None:
                raise retry.exhausted(last) from None
            if pause:
                pause(last, seconds)
            else:
                time.sleep(seconds)


class Pacer:
    """One pace for all requests of a client: how many are in flight, and until when nobody sends.

    A refusal halves the number in flight and makes everybody wait; each full round without one raises it by one.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._allowed = limit
        self._in_flight = 0
        self._successes = 0
        self._resume_at = 0.0
        self._clock = clock
        self._changed = threading.Condition()
        self.stopped = False

    def __enter__(self) -> None:
        with self._changed:
            while True:
                if self.stopped:
                    raise ServiceUnavailable("The task was interrupted.")
                pause = self._resume_at - self._clock()
                if pause <= 0 and self._in_flight < self._allowed:
                    self._in_flight += 1
                    return
                self._changed.wait(pause if pause > 0 else None)

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    @property
    def allowed(self) -> int:
        """How many requests may be in flight just now."""
        return self._allowed

    def stop(self) -> None:
        """Let nobody send any more: the task is being interrupted."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def succeeded(self) -> None:
        with self._changed:
            self._successes += 1
            if self._allowed < self._limit and self._successes >= self._allowed:
                self._allowed += 1
                self._successes = 0
                self._changed.notify_all()

    def slow_down(self, seconds: float) -> None:
        """The service refused a request: nobody sends for these seconds, and then fewer at once."""
        with self._changed:
            now = self._clock()
            if self._resume_at <= now:  # several workers hit by one refusal halve the pace once
                self._allowed = max(1, self._allowed // 2)
            self._successes = 0
            self._resume_at = max(self._resume_at, now + seconds)
