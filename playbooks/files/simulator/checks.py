# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of what is written in a description, a change or a fault; a refusal begins with the path of the value."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from .names import DescriptionError

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SHOWN = 60

Look = Callable[[str, Any], None]
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """``schema`` is the same as JSON Schema has it, for editors and the description of the control API."""

    look: Look
    schema: Schema

    def __call__(self, path: str, value: Any) -> None:
        """Return nothing, or refuse."""
        self.look(path, value)


def refuse(path: str, value: Any, wanted: str) -> NoReturn:
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        shown = repr(value)
    raise DescriptionError(f"{path}: {shown[:_SHOWN]} is not {wanted}")


def _flag(path: str, value: Any) -> None:
    # A quoted "false" is a text, and every text counts as true: the opposite of what was meant.
    if not isinstance(value, bool):
        hint = " (without quotes)" if isinstance(value, str) else ""
        refuse(path, value, f"true or false{hint}")


def _text(path: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        refuse(path, value, "a text")


def _any_text(path: str, value: Any) -> None:
    if not isinstance(value, str):
        refuse(path, value, "a text")


def _guid(path: str, value: Any) -> None:
    if not isinstance(value, str) or not _GUID.fullmatch(value):
        refuse(path, value, "a GUID")


def _address(path: str, value: Any) -> None:
    if not isinstance(value, str) or not value.partition("@")[0] or not value.partition("@")[2]:
        refuse(path, value, "an address")


def _number(path: str, value: Any) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value < 0:
        refuse(path, value, "a number, 0 or more")


anything = Check(lambda path, value: None, {})
flag = Check(_flag, {"type": "boolean"})
text = Check(_text, {"type": "string", "minLength": 1})
any_text = Check(_any_text, {"type": "string"})
guid = Check(_guid, {"type": "string", "pattern": f"^{_GUID.pattern}$"})
address = Check(_address, {"type": "string", "pattern": ".@."})
number = Check(_number, {"type": "number", "minimum": 0})


def whole(low: int = 0, high: int | None = None) -> Check:
    def look(path: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
            limit = f"{low} or more" if high is None else f"{low} to {high}"
            refuse(path, value, f"a whole number, {limit}")

    return Check(look, {"type": "integer", "minimum": low, **({} if high is None else {"maximum": high})})


def one_of(names: Collection[Any]) -> Check:
    def look(path: str, value: Any) -> None:
        if isinstance(value, (dict, list)) or value not in names or isinstance(value, bool):
            refuse(path, value, f"one of {', '.join(str(name) for name in names)}")

    return Check(look, {"enum": list(names)})


def optional(inner: Check) -> Check:
    def look(path: str, value: Any) -> None:
        if value is not None:
            inner(path, value)

    return Check(look, {"anyOf": [inner.schema, {"type": "null"}]})


def either(wanted: str, *inner: Check) -> Check:
    """Whatever one of several checks lets through; a refusal of something inside the value says more than one of it."""

    def look(path: str, value: Any) -> None:
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

    return Check(look, {"anyOf": [each.schema for each in inner]})


def listing(inner: Check) -> Check:
    def look(path: str, value: Any) -> None:
        if not isinstance(value, list):
            refuse(path, value, "a list")
        for place, entry in enumerate(value):
            inner(f"{path}[{place}]", entry)

    return Check(look, {"type": "array", "items": inner.schema})


def mapping(inner: Check) -> Check:
    def look(path: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            refuse(path, value, "a dictionary")
        for key, entry in value.items():
            inner(f"{path}.{key}", entry)

    return Check(look, {"type": "object", "additionalProperties": inner.schema})


def record(fields: Mapping[str, Check], *, required: Collection[str] = ()) -> Check:
    """A dictionary with these keys and no others."""

    def look(path: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            refuse(path, value, "a dictionary")
        for key, entry in value.items():
            if key not in fields:
                raise DescriptionError(f"{path}.{key}: unknown here; {_nearest(str(key), fields)}")
            fields[key](f"{path}.{key}", entry)
        missing = [key for key in required if key not in value]
        if missing:
            raise DescriptionError(f"{path}: {missing[0]} is missing")

    return Check(
        look,
        {
            "type": "object",
            "properties": {key: inner.schema for key, inner in fields.items()},
            "required": list(required),
            "additionalProperties": False,
        },
    )


def _nearest(key: str, known: Collection[str]) -> str:
    same = [name for name in known if name.casefold() == key.casefold()]
    close = same or difflib.get_close_matches(key, known, 3)
    return f"did you mean {' or '.join(close)}?" if close else f"known are {', '.join(sorted(known)) or 'none'}"
