# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A way back that is too long for one result: cut into parts, and put together again. PRIVATE to the collection.

The task's own result holds the first part. The others wait in the run's private directory, until exo_undo_part puts
each into a result of its own. The parts of one way back share the digest of all that changes, as ``set``.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._files import reason
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed

Content = dict[str, t.Any]

# AWX drops a result beyond 700,000 characters, all of it, and what else a task tells needs room, too.
MOST_IN_RESULT = 300_000
_GUID_SIZE = len('"00000000-0000-0000-0000-000000000000", ')
_MOST_PARTS = 10_000  # far more objects than a tenant can have
_NUMBERS = ("set", "part", "parts")
_TOLD = ".told"  # the ending of a file whose part is in a result
_DIGEST = re.compile("[0-9a-f]{64}")


def split(content: Mapping[str, t.Any], most: int = MOST_IN_RESULT) -> list[Content]:
    """The content as it is, or in parts of at most that many characters as JSON.

    content: as ``_undo.compact`` returns it. Raises Refused where one object alone is too long.
    """
    if len(json.dumps(content)) <= most:
        return [dict(content)]
    numbers = {"set": _digest(content), "part": 0, "parts": 0}
    # Some room for the numbers themselves.
    room = most - len(json.dumps({**content, **numbers, "groups": []})) - 20
    parts = _packed(content["groups"], room)
    return [
        {**content, **numbers, "part": number, "parts": len(parts), "groups": groups}
        for number, groups in enumerate(parts, start=1)
    ]


def _packed(groups: Sequence[Mapping[str, t.Any]], room: int) -> list[list[Content]]:
    """The groups, cut where a part is full."""
    parts: list[list[Content]] = [[]]
    left = room
    for group in groups:
        guids = group["guids"]
        shared = len(json.dumps({**group, "guids": []})) + 2
        while guids:
            count = (left - shared) // _GUID_SIZE
            if count < 1 and not parts[-1]:
                raise Refused(
                    "The former values of one object are too long for a result (undo_in_result). Nothing was changed.",
                    hint="Use undo_file (in the role: tenant_baseline_undo_dir) in a directory that is mounted.",
                )
            if count < 1:
                parts.append([])
                left = room
                continue
            parts[-1].append({**group, "guids": guids[:count]})
            left -= shared + len(guids[:count]) * _GUID_SIZE
            guids = guids[count:]
    return parts


def _digest(content: Mapping[str, t.Any]) -> str:
    """What tells this way back from every other. Whether SMTP AUTH works is left out: each task sees it anew."""
    lines = [json.dumps([str(content.get("tenant_id")), str(content.get("task"))])]
    for group in content["groups"]:
        shared = {name: value for name, value in group.items() if name not in ("guids", "smtp_auth_works")}
        change = json.dumps(shared, sort_keys=True)
        lines += [f"{guid} {change}" for guid in group["guids"]]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def is_part(content: Mapping[str, t.Any]) -> bool:
    return isinstance(content.get("set"), str)


def joined(parts: Sequence[Mapping[str, t.Any]], source: str) -> Content:
    """The whole content, from its parts in any order; one that is no part stays as it is.

    source: what messages call it. Raises InvalidRequest where a part is missing, or they are not of one way back.
    """
    if len(parts) == 1 and not is_part(parts[0]):
        return dict(parts[0])
    if len({str(part.get("set")) for part in parts}) != 1:
        raise InvalidRequest(f"{source} holds parts of different changes. Give the parts of one at a time.")
    found = _in_order(parts, source)
    try:
        groups = list(itertools.chain.from_iterable(part["groups"] for part in found))
        whole = {**found[0], "groups": groups}
        intact = _digest(whole) == found[0]["set"]
    except (AttributeError, KeyError, TypeError):
        intact = False
    if not intact:
        raise _damaged(source)
    return {name: value for name, value in whole.items() if name not in _NUMBERS}


def _in_order(parts: Sequence[Mapping[str, t.Any]], source: str) -> list[Mapping[str, t.Any]]:
    """Each part once, from the first to the last; raises InvalidRequest where one is missing."""
    last = parts[0].get("parts")
    if not isinstance(last, int) or not 1 <= last <= _MOST_PARTS:
        raise _damaged(source)
    by_number: dict[int, Mapping[str, t.Any]] = {}
    for part in parts:
        # The first of each: the task that writes tells its first part once more, and that may be cut elsewhere, because
        # whether SMTP AUTH works is a part of it and can have changed since the others were told.
        if isinstance(part.get("part"), int):
            by_number.setdefault(part["part"], part)
    missing = [str(number) for number in range(1, last + 1) if number not in by_number]
    if missing:
        raise InvalidRequest(
            f"{source} has only {last - len(missing)} of the {last} parts of what a task was about to change."
            f" Missing: {listed(missing)}. Nothing is put back.",
            hint="Give all parts together. Each is in a result of its own in the events of that job.",
        )
    return [by_number[number] for number in range(1, last + 1)]


def _damaged(source: str) -> InvalidRequest:
    return InvalidRequest(f"The parts of {source} are damaged: together they are not what the task told.")


def whole(contents: Sequence[Mapping[str, t.Any]], source: str) -> list[Content]:
    """Each content, in order. One in parts counts where its first part is told, with the others wherever they are.

    A task announces its parts in check mode, and the one that writes tells the first part once more.
    """
    sets: dict[str, list[Mapping[str, t.Any]]] = {}
    for content in contents:
        if is_part(content):
            sets.setdefault(content["set"], []).append(content)
    together = {name: joined(parts, source) for name, parts in sets.items()}
    found: list[Content] = []
    for content in contents:
        if not is_part(content):
            found.append(dict(content))
        elif content.get("part") == 1:
            found.append({**together[content["set"]], "written": content.get("written")})
    return found


class UndoParts:
    """The parts beyond the first, in files of the run's private directory. A part that was told changes its name."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def keep(self, parts: Sequence[Content]) -> None:
        """Keep what is to be told; raises Refused where that fails."""
        try:
            for part in parts[1:]:
                path = self._path(part["set"], part["part"])
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(part, file)
        except OSError as error:
            raise Refused(
                f"What is about to change can't be stored for the result: {reason(error)}. Nothing was changed."
            ) from None

    def tell(self, name: str, number: int) -> Content:
        """A part, which counts as told from now on; raises InvalidRequest where this run has none."""
        if not _DIGEST.fullmatch(name):
            raise InvalidRequest(f"{name} is no set of parts.")
        path = self._path(name, number)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, path + _TOLD)
            with open(path + _TOLD, encoding="utf-8") as file:
                part: Content = json.load(file)
        except (OSError, ValueError):
            raise InvalidRequest(
                f"This run has no part {number} of {name}: it is in no result, and nothing may be written.",
                hint="The task that returned undo has to run before, in the same run of ansible-playbook.",
            ) from None
        return part

    def told(self, parts: Sequence[Content]) -> bool:
        """Whether all of these are in results of this run already."""
        return all(os.path.isfile(self._path(part["set"], part["part"]) + _TOLD) for part in parts[1:])

    def _path(self, name: str, number: int) -> str:
        return os.path.join(self._directory, f"undo-{name}-{int(number)}")
