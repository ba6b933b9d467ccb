# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects with a name of which a tenant has a few: authentication policies and mailbox plans."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from .store import Stored


class NamedObject:
    """One object; ``gate`` is what the service goes by, which follows what is stored after a while."""

    def __init__(self, name: str, guid: str, dn: str, values: Mapping[str, Any]) -> None:
        self.name, self.guid, self.dn = name, guid, dn
        self.store = Stored(values)
        self.gate = Stored(values)
        self.shown_from = 0.0
        self.shown_until: float | None = None

    def answers_to(self, identity: str) -> bool:
        return identity.strip().casefold() in (self.name.casefold(), self.guid, self.dn.casefold())


class NamedObjects:
    def __init__(self) -> None:
        self._objects: list[NamedObject] = []
        self.removed: list[NamedObject] = []

    def __iter__(self) -> Iterator[NamedObject]:
        return iter(self._objects)

    def find(self, identity: str) -> NamedObject | None:
        return next((entry for entry in self._objects if entry.answers_to(identity)), None)

    def add(self, entry: NamedObject, lag: float = 0) -> None:
        entry.shown_from = time.monotonic() + lag if lag > 0 else 0.0
        self._objects.append(entry)

    def remove(self, entry: NamedObject, lag: float = 0) -> None:
        self._objects.remove(entry)
        entry.shown_until = time.monotonic() + lag
        self.removed.append(entry)

    def shown(self) -> list[NamedObject]:
        """What a read shows by now: new ones come late, and those that are gone stay for a while."""
        now = time.monotonic()
        leaving = [entry for entry in self.removed if entry.shown_until is not None and now < entry.shown_until]
        return [entry for entry in self._objects if entry.shown_from <= now] + leaving
