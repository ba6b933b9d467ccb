# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of what is written in a description, a change or a fault; a refusal begins with the path of the value."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from .names import DescriptionError

# Path, value; returns nothing, or refuses.
Check = Callable[[str, Any], None]
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SHOWN = 60


def refuse(path: str, value: Any, wanted: str) -> NoReturn:
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        shown = repr(value)
    raise DescriptionError(f"{path}: {shown[:_SHOWN]} is not {wanted}")


def anything(path: str, value: Any) -> None:
    pass


def flag(path: str, value: Any) -> None:
    # A quoted "false" is a text, and every text counts as true: the opposite of what was meant.
    if not isinstance(value, bool):
        hint = " (without quotes)" if isinstance(value, str) else ""
        refuse(path, value, f"true or false{hint}")


def text(path: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        refuse(path, value, "a text")


def any_text(path: str, value: Any) -> None:
    if not isinstance(value, str):
        refuse(path, value, "a text")


def guid(path: str, value: Any) -> None:
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        refuse(path, value, "a GUID")


def address(path: str, value: Any) -> None:
    if not isinstance(value, str) or not value.partition("@")[0] or not value.partition("@")[2]:
        refuse(path, value, "an address")


def whole(low: int = 0, high: int | None = None) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
            limit = f"{low} or more" if high is None else f"{low} to {high}"
            refuse(path, value, f"a whole number, {limit}")

    return check


def number(path: str, value: Any) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        refuse(path, value, "a number, 0 or more")


def one_of(names: Collection[Any]) -> Check:
    def check(path: str, value: Any) -> None:
        if isinstance(value, (dict, list)) or value not in names or isinstance(value, bool):
            refuse(path, value, f"one of {', '.join(str(name) for name in names)}")

    return check


def optional(inner: Check) -> Check:
    def check(path: str, value: Any) -> None:
        if value is not None:
            inner(path, value)

    return check


def either(wanted: str, *inner: Check) -> Check:
    """Whatever one of several checks lets through; a refusal of something inside the value says more than one of it."""

    def check(path: str, value: Any) -> None:
        inside: DescriptionError | None = None
        for each in inner:
            try:
                each(path, value)
            except DescriptionError as error:
                deeper = str(error).startswith((f"{path}.", f"{path}[")) or str(error).endswith(" is missing")
                inside = error if deeper else inside
                continue
            return
        if inside is not None:
            raise inside
        refuse(path, value, wanted)

    return check


def listing(inner: Check) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, list):
            refuse(path, value, "a list")
        for place, entry in enumerate(value):
            inner(f"{path}[{place}]", entry)

    return check


def mapping(inner: Check) -> Check:
    def check(path: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            refuse(path, value, "a dictionary")
        for key, entry in value.items():
            inner(f"{path}.{key}", entry)

    return check


def _nearest(key: str, known: Collection[str]) -> str:
    same = [name for name in known if name.casefold() == key.casefold()]
    close = same or difflib.get_close_matches(key, known, 3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(sorted(known)) or 'none'}"


def record(fields: Mapping[str, Check], *, required: Collection[str] = ()) -> Check:
    """A dictionary with these keys and no others."""

    def check(path: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            refuse(path, value, "a dictionary")
        for key, entry in value.items():
            if key not in fields:
                raise DescriptionError(f"{path}.{key}: unknown here; {_nearest(str(key), fields)}")
            fields[key](f"{path}.{key}", entry)
        missing = [key for key in required if key not in value]
        if missing:
            raise DescriptionError(f"{path}: {missing[0]} is missing")

    return check
