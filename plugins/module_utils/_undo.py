# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The undo file: what is about to change, on disk and read back before the first write. PRIVATE to the collection.

The newest file has the name that was given. Older ones get the time at which they were written into theirs, so that
"undo it" always means the last run, and nothing that somebody may need is lost.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import hashlib
import json
import os
import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, exposed, reason
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import PolicyReference, Table, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    AUTHENTICATION_POLICY,
    CAS_MAILBOX,
    CAS_MAILBOX_PLAN,
    ORGANIZATION_CONFIG,
    TRANSPORT_CONFIG,
    USER,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit, is_guid
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

FORMAT = 2
TABLES: Mapping[str, Table] = {
    table.noun: table
    for table in (
        TRANSPORT_CONFIG,
        ORGANIZATION_CONFIG,
        CAS_MAILBOX,
        USER,
        CAS_MAILBOX_PLAN,
        AUTHENTICATION_POLICY,
    )
}
_STAMP = "%Y%m%dT%H%M%SZ"
_MOST_FILES = 1000
# Who loses or gains SMTP AUTH may be everybody, so a result has only so many digits of the hash of each GUID, and of a
# tenant so large that even these would leave no room for the rest, nothing.
_DIGITS = 8
_MOST_MOVED = 20_000


@dataclass(frozen=True)
class Entry:
    """Former and new values of one object, and whether SMTP AUTH worked for it before and after (None: not known).

    policies: the GUIDs of the authentication policies that former values name. verb: New and Remove for an object that
    came or went as a whole.
    """

    target: Target
    before: Mapping[str, Value]
    after: Mapping[str, Value]
    smtp_auth_before: bool | None = None
    smtp_auth_after: bool | None = None
    policies: Mapping[str, str] = field(default_factory=dict)
    verb: str = "Set"


@dataclass(frozen=True)
class Undo:
    """What a file holds. ``broken``: a sentence on each entry that can't be used. ``written``: UTC, ISO 8601.

    worked: whether SMTP AUTH worked before, for the mailboxes of the entries and for all others that lost or gained it
    by the run, by the digests of their GUIDs. names_moved: whether it has those others at all; a result has no room for
    very many. newer: what later runs for the same tenant wrote beside it, by name.
    """

    tenant_id: str
    tenant: str = ""
    written: str = ""
    task: str = ""
    entries: tuple[Entry, ...] = field(default=())
    broken: tuple[str, ...] = field(default=())
    newer: Mapping[str, Undo] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=())
    worked: Mapping[str, bool] = field(default_factory=dict)
    names_moved: bool = False

    def worked_before(self, guid: str) -> bool | None:
        """Whether SMTP AUTH worked for a mailbox in the state to be restored; None where the file does not say."""
        return self.worked.get(_digest(guid))


def prepare(path: str) -> str:
    """The path of the file to write, looked at so far as that is possible without writing; raises Refused.

    A directory means a new file in it, with the time in its name.
    """
    try:
        absolute("undo_file", path)
    except InvalidRequest as error:
        raise Refused(f"{error.message} Nothing was changed.") from None
    if os.path.isdir(path):
        path = os.path.join(path, f"undo-{_now():{_STAMP}}.json")
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise _unwritable(path, f"there is no directory {directory}")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _unwritable(path, f"the directory {directory} is not writable")
    if os.path.lexists(path) and not os.path.isfile(path):
        raise _unwritable(path, "something else than a file has this name")
    if path.lower().endswith((".yml", ".yaml")):
        raise _unwritable(path, "a playbook or an inventory has such a name, and the undo file would take its place")
    return path


def write(path: str, tenant_id: str, tenant: str, task: str, plan: Plan) -> str:
    """Save what the plan is about to change; returns the path. Raises Refused where that fails: then write nothing.

    path: as ``prepare`` returned it. tenant: as the user named it. task: the module.
    """
    now = _now()
    content = {
        "format": FORMAT,
        "collection": f"m365.exchange_online {VERSION}",
        "written": now.isoformat(),
        "tenant_id": tenant_id,
        "tenant": tenant,
        "task": task,
        "effect": _moved_by(plan),
        "entries": [_entry(change, plan) for change in plan.changes],
    }
    text = json.dumps(content, indent=1) + "\n"
    part = f"{path}.{os.getpid()}.part"
    try:
        with _alone_in(os.path.dirname(path)) as directory:
            try:
                _write_through(part, text)
                _check_readback(part, path, text)
                _give_name(part, path, directory)
            finally:
                _remove(part)
    except OSError as error:
        raise _unwritable(path, error.strerror or reason(error)) from None
    return path


@contextlib.contextmanager
def _alone_in(directory: str) -> Iterator[int]:
    """The directory's descriptor, while no other run gives its file a name there.

    Two runs at once would move the same file aside, and one of them would lose its own.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # NFS locks nothing that is open for reading only
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _check_readback(part: str, path: str, text: str) -> None:
    """Raises Refused where what is on disk is not what was meant, or could not be restored."""
    with open(part, encoding="utf-8") as file:
        readback = file.read()
    if readback != text or parse(json.loads(readback), path).broken:
        raise _unwritable(path, "what was written does not read back")


def _give_name(part: str, path: str, directory: int) -> None:
    """Give the new file its name, and an older one of that name another.

    Where that can't be brought to the disk the run writes nothing, so the older file is the way back still, and gets
    its name again. Raises OSError.
    """
    older = _older(path) if os.path.lexists(path) else None
    if older:
        os.rename(path, older)
    try:
        os.rename(part, path)
        _sync_directory(directory)
    except OSError:
        if older:
            os.replace(older, path)
        else:
            _remove(path)
        raise


def compact(tenant_id: str, tenant: str, task: str, plan: Plan) -> dict[str, t.Any]:
    """What ``write`` would save, small enough for results: GUIDs grouped by what changes, without names."""
    groups: dict[str, dict[str, t.Any]] = {}
    for change in plan.changes:
        entry = _entry(change, plan)
        guid = entry.pop("guid", "")
        # What comes as a whole has no GUID yet. Without its name nobody could tell what stays.
        for name in ("identity", "primary_smtp_address", "display_name") if guid else ():
            entry.pop(name, None)
        group = groups.setdefault(json.dumps(entry, sort_keys=True), {**entry, "guids": []})
        group["guids"].append(guid)
    return {
        "format": FORMAT,
        "collection": f"m365.exchange_online {VERSION}",
        "written": _now().isoformat(),
        "tenant_id": tenant_id,
        "tenant": tenant,
        "task": task,
        "effect": _moved_in_short(plan),
        "groups": list(groups.values()),
    }


def _moved_in_short(plan: Plan) -> dict[str, str]:
    """Who loses or gains SMTP AUTH by a plan, for a result: without it a restore moves none of them."""
    moved = _moved_by(plan)
    if sum(map(len, moved.values())) > _MOST_MOVED:
        return {}
    return {name: " ".join(map(_digest, guids)) for name, guids in moved.items()}


def _ungrouped(group: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """The entries that a group of a result stands for."""
    shared = {name: value for name, value in group.items() if name != "guids"}
    return [{**shared, "guid": guid} for guid in group["guids"]]


def _entries_of(content: Mapping[str, t.Any]) -> list[t.Any] | None:
    """The entries of a file, or of a result; None where it has neither."""
    entries, groups = content.get("entries"), content.get("groups")
    if isinstance(entries, list):
        return entries
    if not isinstance(groups, list):
        return None
    found: list[t.Any] = []
    for group in groups:
        try:
            found.extend(_ungrouped(group))
        except (KeyError, TypeError, AttributeError):
            found.append(None)
    return found


def _write_through(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _older(path: str) -> str:
    """The name for a file that is no longer the newest: with the time of its last change, and a number if need be."""
    stem, suffix = os.path.splitext(path)
    when = datetime.datetime.fromtimestamp(os.stat(path).st_mtime, datetime.timezone.utc)
    candidates = [f"{stem}-{when:{_STAMP}}{suffix}"]
    candidates += [f"{stem}-{when:{_STAMP}}-{number}{suffix}" for number in range(2, _MOST_FILES)]
    for candidate in candidates:
        if not os.path.lexists(candidate):
            return candidate
    raise OSError(errno.EEXIST, "too many files of that name")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _unwritable(path: str, why: str) -> Refused:
    return Refused(
        f"undo_file {path} can't be written ({why}), so nothing was changed.",
        hint="Name a file in a directory that exists and is writable on the host that runs the module.",
    )


def _sync_directory(directory: int) -> None:
    """Without this a power cut could lose the file's name although its content is on disk."""
    try:
        os.fsync(directory)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # some network file systems have no such thing
            raise


def _moved_by(plan: Plan) -> dict[str, list[str]]:
    """The GUIDs of all who lose or gain SMTP AUTH by a plan.

    The organization, its default policy and a policy's switch move mailboxes that have no entry.
    """
    effect = plan.effect
    return {
        "lose": sorted({target.key for target in effect.lose}),
        "gain": sorted({target.key for target in effect.gain}),
    }


def _entry(change: Change, plan: Plan) -> dict[str, t.Any]:
    before, after = change.differing()
    entry: dict[str, t.Any] = {"noun": change.target.table.noun, **change.target.identity}
    works = plan.effect.states.get(change.target.place)
    if works is not None:
        entry["smtp_auth_works"] = {"before": works[0], "after": works[1]}
    policies = _policies(change, before)
    if policies:
        entry["policies"] = policies
    if change.verb != "Set":
        entry["verb"] = change.verb
    return {**entry, "before": before, "after": after}


def _policies(change: Change, values: Mapping[str, Value]) -> dict[str, str]:
    """The GUIDs of the authentication policies that former values name: a name may be used again."""
    guids: dict[str, str] = {}
    for option, value in values.items():
        kind = change.target.table[option].kind
        guid = kind.guid(value) if isinstance(kind, PolicyReference) else None
        if guid:
            guids[str(value)] = guid
    return guids


def load(path: str) -> Undo:
    """The content of an undo file, and which newer ones there are of its tenant; raises InvalidRequest."""
    absolute("src", path)
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise InvalidRequest(f"The undo file {path} can't be read: {reason(error)}.") from None
    except (ValueError, RecursionError):
        raise InvalidRequest(f"{path} is not an undo file, or it is damaged: it holds no valid JSON.") from None
    undo = parse(content, path)
    return replace(undo, newer=_newer(path, undo), warnings=tuple(exposed("The undo file", path)))


def parse(content: t.Any, source: str) -> Undo:
    """What a file holds. Entries are judged one by one; raises InvalidRequest where it is not an undo file at all.

    source: what messages call it.
    """
    given = _entries_of(content) if isinstance(content, dict) else None
    if given is None or "format" not in content:
        raise InvalidRequest(f"{source} is not an undo file of this collection, or it is damaged.")
    if content["format"] != FORMAT:
        raise InvalidRequest(f"{source} was written by another version of this collection; it can't be used.")
    tenant_id = str(content.get("tenant_id", "")).lower()
    if not is_guid(tenant_id):
        raise InvalidRequest(f"{source} does not say which tenant it is of: it is damaged.")
    entries: list[Entry] = []
    broken: list[str] = []
    seen: set[tuple[str, str]] = set()
    for number, raw in enumerate(given):
        try:
            entry = _read_entry(raw)
        except (KeyError, TypeError, ValueError, AttributeError):
            broken.append(f"Entry {number} of {source} is damaged: it is left out.")
            continue
        if entry.target.place in seen:
            broken.append(f"{entry.target.label} stands in {source} twice: only the first entry counts.")
            continue
        seen.add(entry.target.place)
        entries.append(entry)
    return Undo(
        tenant_id,
        fit(str(content.get("tenant", ""))),
        fit(str(content.get("written", ""))),
        fit(str(content.get("task", ""))),
        tuple(entries),
        tuple(broken),
        worked=_read_worked(content.get("effect"), entries),
        names_moved=_names_moved(content.get("effect")),
    )


def _names_moved(raw: t.Any) -> bool:
    return isinstance(raw, Mapping) and all(isinstance(raw.get(name), (str, list)) for name in ("lose", "gain"))


def _read_worked(raw: t.Any, entries: Sequence[Entry]) -> dict[str, bool]:
    """Whether SMTP AUTH worked before, so far as the file says it: an entry of a mailbox says it best."""
    worked: dict[str, bool] = {}
    for name, before in (("lose", True), ("gain", False)):
        given = raw.get(name) if isinstance(raw, Mapping) else None
        digests = given.split() if isinstance(given, str) else map(_digest, given if isinstance(given, list) else ())
        worked.update(dict.fromkeys(digests, before))
    for entry in entries:
        if entry.smtp_auth_before is not None:
            worked[_digest(entry.target.key)] = entry.smtp_auth_before
    return worked


def _digest(guid: t.Any) -> str:
    return hashlib.sha256(str(guid).lower().encode()).hexdigest()[:_DIGITS]


def _read_entry(raw: Mapping[str, t.Any]) -> Entry:
    """One entry; raises KeyError, TypeError, ValueError or AttributeError where it is damaged."""
    table = TABLES[raw["noun"]]
    verb = str(raw.get("verb", "Set"))
    before, after = _read_values(table, raw["before"]), _read_values(table, raw["after"])
    if verb == "Set" and before.keys() != after.keys():
        raise ValueError
    works = raw.get("smtp_auth_works") or {}
    policies = {str(name): str(guid).lower() for name, guid in (raw.get("policies") or {}).items()}
    return Entry(_read_target(table, raw, verb), before, after, works.get("before"), works.get("after"), policies, verb)


def _read_values(table: Table, raw: Mapping[str, Value]) -> dict[str, Value]:
    """Values of an entry, judged by their type alone: the service holds forms that no option takes."""
    values = dict(raw)
    for option, value in values.items():
        if not table[option].kind.holds(value):
            raise ValueError
    return values


def _read_target(table: Table, raw: Mapping[str, t.Any], verb: str) -> Target:
    """What an entry is about. What a run made had no GUID yet when the file was written."""
    guid = str(raw.get("guid", "")).lower()
    if not (table.single or verb == "New" or is_guid(guid)):
        raise ValueError
    return Target(
        table,
        "" if table.single else guid,
        str(raw.get("identity") or guid),
        str(raw.get("primary_smtp_address") or ""),
        str(raw.get("display_name") or ""),
    )


def _newer(path: str, undo: Undo) -> dict[str, Undo]:
    """Files beside this one that a later run wrote for the same tenant."""
    directory = os.path.dirname(path)
    newer: dict[str, Undo] = {}
    for name in sorted(_siblings(path)):
        try:
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                other = parse(json.load(file), name)
        except (OSError, ValueError, RecursionError, InvalidRequest):
            continue
        if other.tenant_id == undo.tenant_id and other.written > undo.written:
            newer[name] = other
    return newer


def _siblings(path: str) -> Sequence[str]:
    """Names in the same directory that this collection gives to files of one family: with another time, or none."""
    own = os.path.basename(path)
    try:
        names = os.listdir(os.path.dirname(path))
    except OSError:
        return ()
    return [name for name in names if name != own and _family(name) == _family(own)]


def _family(name: str) -> tuple[str, str]:
    stem, suffix = os.path.splitext(name)
    return re.sub(r"-[0-9]{8}T[0-9]{6}Z(-[0-9]+)?", "", stem), suffix
