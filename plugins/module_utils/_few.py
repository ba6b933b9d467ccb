# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that a tenant has few of, found by name among all of them. PRIVATE. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import Ambiguous, ExoError, NotFound
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Lookup
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import found_names

_NAMES = ("Name", "DisplayName", "Identity", "Guid", "DistinguishedName")


def find_few(
    records: Sequence[Record], names: Iterable[str], option: str, *, tolerant: bool
) -> tuple[dict[str, Record], tuple[Missing, ...]]:
    """The object of each name, and the names that nothing has; raises where one is missing or ambiguous."""
    found: dict[str, Record] = {}
    failed: dict[str, ExoError] = {}
    wanted = list(names)
    for name in wanted:
        fitting = [record for record in records if name.lower() in _names(record.remote)]
        if len(fitting) == 1:
            found[name] = fitting[0]
        else:
            failed[name] = _failure(name, fitting, records)
    return found_names(Lookup(found, failed), wanted, option, tolerant=tolerant)


def _names(remote: Mapping[str, object]) -> set[str]:
    values = (remote.get(name) for name in _NAMES)
    return {value.lower() for value in values if isinstance(value, str) and value}


def _failure(name: str, fitting: Sequence[Record], records: Sequence[Record]) -> ExoError:
    if fitting:
        return Ambiguous(f"More than one matches {name!r}.", hint="Name it by its GUID.")
    known = ", ".join(record.target.display_name or record.label for record in records[:20])
    noun = f"{records[0].target.table.label} " if records else ""
    return NotFound(f"There is no {noun}{name!r}.", hint=f"There are: {known}." if known else "There is none at all.")
