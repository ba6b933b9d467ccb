# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of OData's ``$filter`` that Graph is known to accept, made a predicate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))|(?P<number>-?\d+)"
    r"|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),:]))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "ge": lambda left, right: left is not None and left >= right,
    "gt": lambda left, right: left is not None and left > right,
    "le": lambda left, right: left is not None and left <= right,
    "lt": lambda left, right: left is not None and left < right,
}
_LITERALS: Mapping[str, Any] = {"true": True, "false": False, "null": None}

Predicate = Callable[[Any], bool]


class BadFilter(Exception):
    """The text is the one that Graph gives after ``Invalid filter clause:``."""


@dataclass(frozen=True)
class Field:
    """A property that may be filtered by: its kind, how it is read, and the operators that the service takes."""

    kind: str
    read: Callable[[Any], Any]
    operators: frozenset[str] = frozenset({"eq"})


@dataclass(frozen=True)
class Comparison:
    name: str
    operator: str
    value: Any


@dataclass
class Filter:
    """``comparisons`` has all that were named, whatever joins them."""

    predicate: Predicate
    comparisons: list[Comparison] = field(default_factory=list)

    def values(self, name: str, *operators: str) -> list[Any]:
        return [item.value for item in self.comparisons if item.name == name and item.operator in operators]


def parse(text: str, fields: Mapping[str, Field], type_name: str) -> Filter:
    parser = _Parser(list(_tokens(text)), fields, type_name)
    predicate = parser.either()
    if parser.position != len(parser.tokens):
        raise BadFilter(f"Syntax error at position {parser.position} in '{text}'.")
    return Filter(predicate, parser.comparisons)


def moment(text: str) -> float:
    """Seconds since the epoch."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise BadFilter(f"Unrecognized 'Edm.DateTimeOffset' literal '{text}'.") from error
    return found.replace(tzinfo=found.tzinfo or timezone.utc).timestamp()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise BadFilter(f"Syntax error: character '{text[position]}' is not valid at position {position}.")
        yield match.lastgroup, match.group(match.lastgroup)
        position = match.end()


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], fields: Mapping[str, Field], type_name: str) -> None:
        self.tokens, self.fields, self.type_name = tokens, fields, type_name
        self.position = 0
        self.comparisons: list[Comparison] = []

    def peek(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def take(self, *kinds: str) -> str:
        if self.position >= len(self.tokens) or self.tokens[self.position][0] not in kinds:
            raise BadFilter(f"Syntax error at '{self.peek() or 'the end'}'.")
        self.position += 1
        return self.tokens[self.position - 1][1]

    def expect(self, text: str) -> None:
        if self.peek() != text:
            raise BadFilter(f"Syntax error: '{text}' expected at '{self.peek() or 'the end'}'.")
        self.position += 1

    def either(self) -> Predicate:
        parts = [self.both()]
        while self.peek() == "or":
            self.position += 1
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def both(self) -> Predicate:
        parts = [self.one()]
        while self.peek() == "and":
            self.position += 1
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def one(self) -> Predicate:
        if self.peek() == "not":
            self.position += 1
            inner = self.one()
            self.comparisons.append(Comparison("", "not", None))
            return lambda row: not inner(row)
        if self.peek() == "(":
            self.position += 1
            inner = self.either()
            self.expect(")")
            return inner
        name = self.take("name")
        if name.casefold() in ("startswith", "endswith") and self.peek() == "(":
            return self.function(name.casefold())
        if name.endswith("/any"):
            return self.any_of(name.removesuffix("/any"))
        return self.comparison(name)

    def known(self, name: str, operator: str) -> Field:
        found = self.fields.get(name)
        if found is None:
            raise BadFilter(f"Could not find a property named '{name}' on type '{self.type_name}'.")
        if operator not in found.operators:
            raise BadFilter(f"The operator '{operator}' is not supported for the property '{name}'.")
        return found

    def function(self, operator: str) -> Predicate:
        self.expect("(")
        name = self.take("name")
        found = self.known(name, operator)
        self.expect(",")
        wanted = self.text()
        self.expect(")")
        self.comparisons.append(Comparison(name, operator, wanted))
        if operator == "startswith":
            return lambda row: _folded(found.read(row)).startswith(wanted)
        return lambda row: _folded(found.read(row)).endswith(wanted)

    def any_of(self, name: str) -> Predicate:
        found = self.known(name, "any")
        self.expect("(")
        variable = self.take("name")
        self.expect(":")
        if self.take("name") != variable:
            raise BadFilter(f"Syntax error: '{variable}' expected.")
        self.expect("eq")
        wanted = self.text()
        self.expect(")")
        self.comparisons.append(Comparison(name, "any", wanted))
        return lambda row: wanted in (_folded(item) for item in found.read(row))

    def comparison(self, name: str) -> Predicate:
        operator = self.take("name")
        if operator == "in":
            return self.one_of(name)
        if operator not in _COMPARE:
            raise BadFilter(f"Syntax error: '{operator}' is no operator.")
        found = self.known(name, operator)
        wanted = self.literal(name, found.kind)
        self.comparisons.append(Comparison(name, operator, wanted))
        compare = _COMPARE[operator]
        if found.kind == "text" and wanted is not None:
            return lambda row: compare(_folded(found.read(row)), wanted)
        return lambda row: compare(found.read(row), wanted)

    def one_of(self, name: str) -> Predicate:
        found = self.known(name, "in")
        self.expect("(")
        wanted = {self.text()}
        while self.peek() == ",":
            self.position += 1
            wanted.add(self.text())
        self.expect(")")
        self.comparisons.append(Comparison(name, "in", wanted))
        return lambda row: _folded(found.read(row)) in wanted

    def text(self) -> str:
        return _folded(self.take("text")[1:-1].replace("''", "'"))

    def literal(self, name: str, kind: str) -> Any:
        if kind == "time":
            return moment(self.take("time"))
        if kind == "number":
            return int(self.take("number"))
        if kind == "text" and self.peek() != "null":
            return self.text()
        word = self.take("name")
        if word not in _LITERALS or (kind == "bool" and word == "null"):
            raise BadFilter(f"'{word}' is no value for the property '{name}'.")
        return _LITERALS[word]


def _folded(value: Any) -> str:
    return "" if value is None else str(value).casefold()
