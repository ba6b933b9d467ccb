# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which mailboxes a task is about: named one by one, all of them, or those that a condition fits. PRIVATE."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import Ambiguous, ExoError, InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import DesiredList, Table
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Lookup, Reader
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX
from ansible_collections.m365.exchange_online.plugins.module_utils._text import SAMPLE, did_you_mean

RECIPIENT_TYPES = (
    "DiscoveryMailbox",
    "EquipmentMailbox",
    "LegacyMailbox",
    "LinkedMailbox",
    "LinkedRoomMailbox",
    "MailUser",
    "RoomMailbox",
    "SharedMailbox",
    "TeamMailbox",
    "UserMailbox",
)
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "identity": {"type": "list", "elements": "str"},
    "all_mailboxes": {"type": "bool", "default": False},
    "exclude": {"type": "list", "elements": "str"},
    "where": {"type": "dict"},
    "recipient_type_details": {"type": "list", "elements": "str", "choices": list(RECIPIENT_TYPES)},
}


@dataclass(frozen=True)
class Selection:
    """Which mailboxes a task is about. ``names``: those named one by one; ``where``: what they must have now.

    tolerant: a name of ``names`` that nothing has is left out. It never is in ``exclude``, nor beside all mailboxes,
    where a typing mistake would change the very mailbox that the name was to protect.
    """

    names: tuple[str, ...]
    everybody: bool = False
    exclude: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    where: Mapping[str, t.Any] | None = None
    tolerant: bool = False


@dataclass(frozen=True)
class Selected:
    """What a selection came to. ``by_name``: each name's mailbox. ``scope``: how many there are before ``where``.

    excluded: the mailboxes that ``exclude`` named. dropped: named mailboxes that ``where`` left out.
    """

    records: tuple[Record, ...]
    by_name: Mapping[str, Record]
    missing: tuple[Missing, ...]
    scope: int
    excluded: Mapping[str, Record]
    dropped: tuple[str, ...] = ()


def given_names(option: str, names: Sequence[t.Any] | None) -> tuple[str, ...]:
    """A list of names without blanks around them; raises InvalidRequest for one that can't be a name."""
    texts = tuple(str(name).strip() if name is not None else "" for name in names or ())
    for position, text in enumerate(texts, start=1):
        check_name(f"{option} has an entry at position {position}", text)
    return texts


# How a text begins that can be no name, what it is, and what to do.
_NO_NAMES = (
    (re.compile(r"[\[{]+['\"]"), "that is a list or a dictionary written as text"),
    (re.compile(r".*\n"), "of several lines"),
    (re.compile(r"\S+@\S+[;,]\s*\S+@"), "of several addresses"),
)


def check_name(place: str, name: str) -> None:
    if not name:
        raise InvalidRequest(f"{place} that is empty.", hint="A variable that came out empty looks like this.")
    if "*" in name:
        raise InvalidRequest(
            f"{place} with a * ({name}). A name means one mailbox, and the service could take the * for many.",
            hint="Name each mailbox, or use all_mailboxes with where.",
        )
    for pattern, what in _NO_NAMES:
        if pattern.match(name):
            raise InvalidRequest(
                f"{place} {what}: {name[:80]!r}.",
                hint="Write a list, with a dash before each name and one name a line.",
            )


def identity_of(entry: Mapping[str, t.Any], place: str) -> str:
    """The name that an entry of a list gives; raises InvalidRequest where it gives none."""
    name = str(entry.get("identity") or "").strip()
    if not name:
        raise InvalidRequest(f"{place} has no identity.")
    check_name(f"{place} has an identity", name)
    return name


def select(reader: Reader, selection: Selection) -> Selected:
    """Read what a selection means; raises where a name is missing (unless tolerated), ambiguous, or a list is short."""
    boxes, lookup = _read(reader, selection)
    tolerant = selection.tolerant and not selection.everybody
    excluded, _none = found_names(lookup, selection.exclude, "exclude", tolerant=False)
    by_name, missing = found_names(lookup, selection.names, "identity", tolerant=tolerant)
    spared = _keys(excluded.values())
    both = sorted(_names_of(by_name, spared))
    if both:
        raise InvalidRequest(f"{both[0]!r} is to be managed and excluded at once: take it out of one of the two.")
    # A mailbox that is named stays in the task even if it is not of the types that the others are limited to.
    scope = [box for box in _once((*boxes, *by_name.values())) if box.key not in spared]
    where = selection.where or {}
    chosen = tuple(box for box in scope if matches(box, where))
    dropped = tuple(name for name, box in by_name.items() if not matches(box, where))
    return Selected(chosen, by_name, missing, len(scope), excluded, dropped)


def _keys(records: Iterable[Record]) -> set[str]:
    return {record.key for record in records}


def _names_of(by_name: Mapping[str, Record], keys: Collection[str]) -> tuple[str, ...]:
    """The names that mean one of these objects."""
    return tuple(name for name, record in by_name.items() if record.key in keys)


def _read(reader: Reader, selection: Selection) -> tuple[list[Record], Lookup]:
    """(the objects that the selection can mean, what became of its names)."""
    names = (*selection.names, *selection.exclude)
    if selection.everybody:
        boxes = reader.everything(selection.types)
        return boxes, reader.resolve(names, boxes)
    lookup = reader.named(names)
    return list(lookup.found.values()), lookup


def _once(records: Iterable[Record]) -> list[Record]:
    return list({record.key: record for record in records}.values())


def found_names(
    lookup: Lookup, names: Iterable[str], option: str, *, tolerant: bool
) -> tuple[dict[str, Record], tuple[Missing, ...]]:
    """The mailboxes of these names, and those missing; raises for an ambiguous name, or a missing if not tolerant."""
    names = tuple(dict.fromkeys(names))
    failed = {name: lookup.failed[name] for name in names if name in lookup.failed}
    _refuse_failed(tuple(failed.values()), option, tolerant)
    missing = tuple(Missing(name, error.message) for name, error in failed.items())
    return {name: lookup.found[name] for name in names if name in lookup.found}, missing


def _refuse_failed(failures: Sequence[ExoError], option: str, tolerant: bool) -> None:
    """Raise the failure that must stop the task, if there is one, together with the others."""
    stop = _decisive(failures, tolerant)
    if stop is not None:
        others = [error.message for error in failures if error is not stop]
        likewise = f" Likewise: {' '.join(others[:SAMPLE])}" if others else ""
        raise stop.but(message=f"{option}: {stop.message}{likewise} Nothing was changed.")


def _decisive(failures: Sequence[ExoError], tolerant: bool) -> ExoError | None:
    """The failure that must stop the task: an ambiguous name always does."""
    for error in failures:
        if isinstance(error, Ambiguous):
            return error
    return failures[0] if failures and not tolerant else None


def matches(box: Record, where: Mapping[str, t.Any]) -> bool:
    """Whether the object's current settings equal all of these."""
    for option, desired in where.items():
        kind, current = box.target.table[option].kind, box.read(option)
        if not kind.same(kind.target(desired, current), current):
            return False
    return True


def parse_where(params: Mapping[str, t.Any] | None, table: Table = CAS_MAILBOX) -> dict[str, t.Any] | None:
    if not params:
        return None
    only_known(params, table.options, "where")
    desired = table.parse(params, "where: ")
    for option in params:
        if option not in desired:
            raise InvalidRequest(f"where: {option} is null; write inherit where you mean no value of its own.")
        if isinstance(desired[option], DesiredList) and desired[option].whole is None:
            raise InvalidRequest(f"where: {option} takes a whole list here, not add and remove.")
    return desired


def only_known(entry: Mapping[str, t.Any], known: Iterable[str], place: str) -> None:
    """Refuse a key that is none of these, and say which one may be meant."""
    options = sorted(known)
    for key in sorted(str(key) for key in entry):
        if key not in options:
            names = "The keys are the names of the module's settings."
            other = "A colon after an address makes a key of it: remove the colon." if "@" in key else names
            raise InvalidRequest(f"{place} has an unknown key {key}.", hint=did_you_mean(key, options) or other)


def check_selection(params: Mapping[str, t.Any], plural: str = "mailboxes") -> None:
    """Refuse options that contradict each other. plural: what the options call the objects."""
    everybody = params[f"all_{plural}"]
    if everybody and params["identity"]:
        raise InvalidRequest(f"identity and all_{plural} exclude each other: use {plural} for those that differ.")
    for option in ("exclude", "recipient_type_details"):
        if params.get(option) and not everybody:
            raise InvalidRequest(f"{option} goes with all_{plural}: true only.")


def check_settings(
    params: Mapping[str, t.Any], shared: Mapping[str, t.Any], named: bool, plural: str = "mailboxes"
) -> None:
    """Refuse a task that manages nothing. shared: the settings beside identity. named: entries have some."""
    everybody = params[f"all_{plural}"]
    check_selection(params, plural)
    if not shared and (params["identity"] or (everybody and not named)):
        raise InvalidRequest("No setting is given, so there is nothing to manage.")
    if not everybody and params["identity"] is None and params[plural] is None:
        raise InvalidRequest(f"Which {plural}? Give identity, {plural} or all_{plural}: true.")


def selection_of(
    params: Mapping[str, t.Any],
    names: tuple[str, ...],
    where: Mapping[str, t.Any] | None,
    plural: str = "mailboxes",
) -> Selection:
    """The selection that a task's options describe. names: those named one by one."""
    return Selection(
        names=names,
        everybody=params[f"all_{plural}"],
        exclude=given_names("exclude", params["exclude"]),
        types=tuple(params["recipient_type_details"] or ()),
        where=where,
        tolerant=params["lookup_failure_action"] == "warn",
    )
