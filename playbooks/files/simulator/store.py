# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored values of one object, and the older values that reads still show for a while after a write."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

_NOTHING: dict[str, Any] = {}


class Stored:
    """Only what differs from the defaults is kept, so that tens of thousands of mailboxes stay small."""

    __slots__ = ("_pending", "current", "visible")

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.current: dict[str, Any] = dict(values) if values else _NOTHING
        self.visible = self.current
        self._pending: list[tuple[float, dict[str, Any]]] = []

    def write(self, changes: Mapping[str, Any], lag: float) -> None:
        # A new dict each time: older versions stay what they were.
        self.current = {**self.current, **changes}
        if lag > 0:
            self._pending.append((time.monotonic() + lag, self.current))
        else:
            self._pending.clear()
            self.visible = self.current

    def settle(self) -> None:
        """Whatever was written is seen at once."""
        self._pending.clear()
        self.visible = self.current

    def refresh(self) -> bool:
        """Let writes become visible whose time has come; true when a read now shows something else."""
        if not self._pending:
            return False
        now = time.monotonic()
        moved = False
        while self._pending and self._pending[0][0] <= now:
            self.visible = self._pending.pop(0)[1]
            moved = True
        return moved
