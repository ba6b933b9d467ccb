# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often and how long a request is tried again, the same for tokens and cmdlets. PRIVATE to the collection."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError

MAX_WAIT = 120.0  # seconds that one request of the service to wait is followed for
MAX_WAITED = 600.0  # seconds that one call waits in all

Outcome = t.TypeVar("Outcome")


@dataclass
class Patience:
    """The tries and the waiting that one call may still spend. ``tries``: after the first."""

    tries: int
    waited: float = 0.0
    tried: int = 0

    def wait_for(self, error: ExoError) -> float | None:
        """Seconds to wait before the next try, or None where there is none."""
        asked = error.retry_after if error.retry_after is not None else 2.0 * 2**self.tried
        if not error.transient or self.tried >= self.tries or asked > MAX_WAIT or self.waited + asked > MAX_WAITED:
            return None
        self.tried += 1
        self.waited += asked
        return asked

    def gave_up(self, error: ExoError) -> ExoError:
        """The error with how long it was tried."""
        if error.transient:
            asked = error.retry_after
            if asked is not None and asked > MAX_WAIT:
                error.message += f" The service asks to wait {asked:.0f} seconds, longer than a task should hang."
            elif self.tried:
                error.message += f" Tried {self.tried + 1} times over {self.waited:.0f} seconds."
        return error


def patiently(call: Callable[[], Outcome], tries: int, sleep: Callable[[float], None] | None = None) -> Outcome:
    """What the call returns, tried again for as long as its errors allow; raises the last ExoError."""
    patience = Patience(tries)
    while True:
        try:
            return call()
        except ExoError as error:
            pause = patience.wait_for(error)
            if pause is None:
                raise patience.gave_up(error) from None
            (sleep or time.sleep)(pause)
