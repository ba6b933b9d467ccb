# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The undo file: what is about to change, on disk before the first write. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import errno
import json
import os
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._auth import is_guid
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Change, Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    TRANSPORT_CONFIG,
    Table,
    Value,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """Former and new values of one object; ``guid`` is empty for the organization."""

    before: Mapping[str, Value]
    after: Mapping[str, Value]
    guid: str = ""
    label: str = ""


@dataclass(frozen=True)
class Undo:
    """What a file holds."""

    tenant_id: str
    organization: Entry | None = None
    mailboxes: tuple[Entry, ...] = field(default=())


def write(path: str, tenant_id: str, plan: Plan) -> str:
    """Save what the plan is about to change; returns the path of the file, which is never an existing one.

    Raises Refused where it can't be saved: then nothing must be written either.
    """
    organization = [change for change in plan.changes if change.mailbox is None]
    content = {
        "format": FORMAT,
        "collection": f"m365.exchange_online {VERSION}",
        "written": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "tenant_id": tenant_id,
        "organization": _entry(organization[0]) if organization else None,
        "mailboxes": [_entry(change) for change in plan.changes if change.mailbox],
    }
    for candidate in _candidates(path):
        try:
            descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            continue  # an older undo file is somebody's way back
        except OSError as error:
            raise _unwritable(candidate, error) from None
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            _sync_directory(candidate)
        except OSError as error:
            os.unlink(candidate)
            raise _unwritable(candidate, error) from None
        return candidate
    raise Refused(f"undo_file {path}: too many files of that name exist. Nothing was changed.")


def _candidates(path: str) -> list[str]:
    stem, suffix = os.path.splitext(path)
    return [path, *(f"{stem}-{number}{suffix}" for number in range(2, 1000))]


def _unwritable(path: str, error: OSError) -> Refused:
    return Refused(
        f"undo_file {path} can't be written ({os.strerror(error.errno or 0)}), so nothing was changed.",
        hint="Name a file in a directory that exists and is writable on the host that runs the module.",
    )


def _sync_directory(path: str) -> None:
    """Without this a power cut could lose the file's name although its content is on disk."""
    descriptor = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # some network file systems have no such thing
            raise
    finally:
        os.close(descriptor)


def _entry(change: Change) -> dict[str, t.Any]:
    before, after = change.differing()
    return {**(change.mailbox.identity if change.mailbox else {}), "before": before, "after": after}


def load(path: str) -> Undo:
    """The content of an undo file; raises InvalidRequest where it is none, or not a whole one."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise InvalidRequest(f"The undo file {path} can't be read: {os.strerror(error.errno or 0)}.") from None
    except (ValueError, RecursionError):
        raise InvalidRequest(f"{path} is no undo file, or it is damaged: it holds no valid JSON.") from None
    try:
        if content["format"] != FORMAT:
            raise InvalidRequest(f"{path} was written by another version of this collection; it can't be used.")
        organization = content["organization"]
        undo = Undo(
            str(content["tenant_id"]).lower(),
            _read_entry(TRANSPORT_CONFIG, organization, "") if organization else None,
            tuple(_read_entry(CAS_MAILBOX, entry, str(entry["guid"]).lower()) for entry in content["mailboxes"]),
        )
        if not is_guid(undo.tenant_id) or not all(is_guid(entry.guid) for entry in undo.mailboxes):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidRequest(f"{path} is no undo file of this collection, or it is damaged.") from None
    return undo


def _read_entry(table: Table, entry: Mapping[str, t.Any], guid: str) -> Entry:
    values = [dict(entry["before"]), dict(entry["after"])]
    for part in values:
        for option, value in part.items():
            row = table.row(option)
            if not row.kind.same(row.kind.target(row.kind.parse(value), value), value):
                raise ValueError
    if set(values[0]) != set(values[1]):
        raise ValueError
    return Entry(values[0], values[1], guid, str(entry.get("primary_smtp_address") or guid or "the organization"))
