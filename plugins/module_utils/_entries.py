# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a task names one by one, each with what it should have. PRIVATE. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    given_names,
    identity_of,
    only_known,
)


@dataclass(frozen=True)
class Entry:
    """One place where the user named an object and what it should have."""

    place: str
    identity: str
    desired: Mapping[str, t.Any]


def parse_entries(params: Mapping[str, t.Any], shared: Mapping[str, t.Any], table: Table, plural: str) -> list[Entry]:
    """The objects that a task names: in identity with the settings beside it, and in a list with their own."""
    names = given_names("identity", params["identity"])
    entries = [Entry(f"identity[{number}]", name, shared) for number, name in enumerate(names)]
    for number, given in enumerate(params[plural] or ()):
        place = f"{plural}[{number}]"
        only_known(given, ["identity", *table.options], place)
        name = identity_of(given, place)
        desired = table.parse(given, f"{place}: ")
        if not desired:
            raise InvalidRequest(f"{place} ({name}) has no setting.")
        entries.append(Entry(place, name, desired))
    return entries


def merge(entries: Sequence[Entry], by_name: Mapping[str, Record]) -> dict[str, dict[str, t.Any]]:
    """What is desired of each object, by GUID; raises InvalidRequest where two entries disagree."""
    merged: dict[str, dict[str, t.Any]] = {}
    origin: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        box = by_name.get(entry.identity)
        if box is None:
            continue
        for option, value in entry.desired.items():
            former = origin.setdefault((box.key, option), entry)
            if former.desired[option] != value:
                raise InvalidRequest(
                    f"{former.place} ({former.identity}) and {entry.place} ({entry.identity}) are the same"
                    f" {box.target.table.label}, {box.label}, and disagree about {option}."
                )
            merged.setdefault(box.key, {})[option] = value
    return merged
