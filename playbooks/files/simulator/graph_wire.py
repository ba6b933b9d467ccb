# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requests and answers of Microsoft Graph look like: errors, query options, lists and their pages."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from . import odata, wire
from .odata import BadFilter, Field, Filter
from .tenants import Tenant
from .wire import Answer

DEAD_LINK = "The specified page token value has expired and can no longer be included in your request."
JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class GraphError(Exception):
    def __init__(self, status: int, code: str, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.headers = status, code, text, headers

    def answer(self) -> Answer:
        inner = {"date": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()), "request-id": str(uuid.uuid4())}
        body = {"error": {"code": self.code, "message": self.text, "innerError": inner}}
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return Answer(self.status, wire.encode(body), headers, JSON_TYPE)


def bad(text: str) -> GraphError:
    return GraphError(400, "BadRequest", text)


def throttled(retry_after: str | None) -> GraphError:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    return GraphError(429, "TooManyRequests", "Too many requests.", **headers)


def plain(query: Mapping[str, str]) -> str:
    return "&".join(f"{key}={value}" for key, value in query.items())


@dataclass(frozen=True)
class Limit:
    """A throttle that Microsoft documents; all resources of a family count together."""

    family: str
    requests: int
    seconds: float
    per_app: bool
    says_how_long: bool


@dataclass(frozen=True)
class Denial:
    code: str
    text: str


@dataclass(frozen=True)
class Call:
    """One request, after its caller was found. roles: what the token allows, whatever the app has got since."""

    tenant: Tenant
    client_id: str
    roles: frozenset[str]
    version: str
    path: str
    base: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    argument: str = ""

    @property
    def beta(self) -> bool:
        return self.version == "beta"


@dataclass(frozen=True)
class Position:
    """Where a list stands; it goes on with the question that it began with."""

    tenant: str
    resource: str
    question: str
    rows: list[Any] = field(repr=False)
    offset: int
    number: int
    created: float


class GraphPages:
    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}

    def clear(self) -> None:
        self._positions.clear()

    def number(self, call: Call) -> int | None:
        """Which page a request is for; None for a link that nobody gave."""
        token = call.query.get("$skiptoken")
        if token is None:
            return 1
        position = self._positions.get(token)
        return position.number if position else None

    def cut(self, call: Call, resource: str, size: int, rows: Callable[[], list[Any]]) -> tuple[list[Any], str | None]:
        """The part of a list that the request is for, and the link to the next."""
        token = call.query.get("$skiptoken")
        question = plain({key: value for key, value in call.query.items() if key != "$skiptoken"})
        if token is None:
            position = Position(call.tenant.label, resource, question, rows(), 0, 1, time.monotonic())
        else:
            position = self._resume(call, resource, question, token)
        stop = position.offset + size
        if stop >= len(position.rows):
            return position.rows[position.offset :], None
        following = uuid.uuid4().hex
        self._positions[following] = Position(
            call.tenant.label, resource, question, position.rows, stop, position.number + 1, time.monotonic()
        )
        pairs = {**{key: value for key, value in call.query.items() if key != "$skiptoken"}, "$skiptoken": following}
        text = "&".join(f"{key}={quote(value, safe=chr(39) + '(),:/')}" for key, value in pairs.items())
        return position.rows[position.offset : stop], f"{call.base}/{call.path}?{text}"

    def _resume(self, call: Call, resource: str, question: str, token: str) -> Position:
        position = self._positions.get(token)
        if (
            position is None
            or (position.tenant, position.resource, position.question) != (call.tenant.label, resource, question)
            or time.monotonic() > position.created + call.tenant.page_expiry
        ):
            raise bad(DEAD_LINK)
        return position


@dataclass(frozen=True)
class Resource:
    """A path of Graph, who may ask for it, and with which query options."""

    name: str
    pattern: re.Pattern[str]
    permissions: frozenset[str]
    denial: Denial
    serve: Callable[[GraphPages, Call], Answer]
    method: str = "GET"
    options: frozenset[str] = frozenset()
    limit: Limit | None = None


def _context(call: Call, name: str) -> str:
    return f"{call.base}/$metadata#{name}"


def answer_list(
    call: Call, name: str, rows: list[dict[str, Any]], link: str | None, count: int | None = None
) -> Answer:
    body: dict[str, Any] = {"@odata.context": _context(call, name)}
    if count is not None:
        body["@odata.count"] = count
    if link is not None:
        body["@odata.nextLink"] = link
    body["value"] = rows
    return Answer(200, wire.encode(body), {}, JSON_TYPE, rows=len(rows))


def answer_one(call: Call, name: str, row: dict[str, Any]) -> Answer:
    return Answer(200, wire.encode({"@odata.context": _context(call, name), **row}), {}, JSON_TYPE, rows=1)


def top(call: Call, largest: int, default: int) -> int:
    text = call.query.get("$top")
    cap = call.tenant.directory.page_size or largest
    if text is None:
        return min(default, cap)
    if not text.isdigit() or not 1 <= int(text) <= largest:
        raise bad(f"Invalid page size specified: '{text}'. Must be between 1 and {largest} inclusive.")
    return min(int(text), cap)


def filter_of(call: Call, fields: Mapping[str, Field], type_name: str) -> Filter:
    text = call.query.get("$filter")
    if text is None:
        return Filter(lambda row: True)
    try:
        return odata.parse(text, fields, type_name)
    except BadFilter as error:
        raise bad(f"Invalid filter clause: {error}") from error


def select(call: Call, row: dict[str, Any], known: Iterable[str], type_name: str) -> dict[str, Any]:
    text = call.query.get("$select")
    if text is None:
        return row
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            problem = f"Could not find a property named '{name}' on type '{type_name}'."
            raise bad(f"Parsing OData Select and Expand failed: {problem}")
    return {name: row[name] for name in names}


def count_of(call: Call, number: int) -> int | None:
    text = call.query.get("$count", "false")
    if text not in ("true", "false"):
        raise bad(f"Invalid value '{text}' for $count query option found.")
    return number if text == "true" else None
