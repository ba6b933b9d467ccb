# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Continuation links: each belongs to one query, one mailbox server (the anchor) and a limited time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import wire
from .rows import Render, Select
from .tenants import Tenant

DEFAULT_PAGE_SIZE = 1000


@dataclass(frozen=True)
class Position:
    """Where a query stands."""

    tenant: str
    anchor: str | None
    question: str
    objects: Sequence[Any] = field(repr=False)
    render: Render
    select: Select
    switches: frozenset[str]
    step: int | None
    end: int | None
    link_past_end: bool
    lifetime: float
    offset: int = 0
    number: int = 1
    created: float = 0.0


@dataclass
class Page:
    objects: Sequence[Any]
    token: str | None
    warnings: list[str]


def routable(tenant: Tenant, anchor: str | None) -> str | None:
    """The anchor as far as it leads to a place of this tenant; anything else is spread over the servers."""
    if not anchor:
        return None
    target = anchor.partition(":")[2] or anchor
    domain = target.rpartition("@")[2]
    known = tenant.answers_to(domain) or tenant.answers_to(target) or bool(tenant.find(target))
    return anchor.casefold() if known else None


class Pages:
    def __init__(self) -> None:
        self._positions: dict[str, Position] = {}

    def peek(self, token: str) -> Position | None:
        return self._positions.get(token)

    def resume(self, token: str, tenant: Tenant, anchor: str | None, question: str) -> Position:
        position = self._positions.get(token)
        if position is None or position.tenant != tenant.label or position.question != question:
            raise wire.page_expired()
        if position.anchor is None or position.anchor != routable(tenant, anchor):
            raise wire.page_expired()
        if time.monotonic() > position.created + position.lifetime:
            raise wire.page_expired()
        return position

    def cut(self, position: Position, size: int, *, extra_link: bool = False) -> Page:
        """The next page; with ``extra_link`` even the last one has a link, to a page without rows."""
        total = len(position.objects)
        end = total if position.end is None else min(position.end, total)
        stop = min(position.offset + size, end)
        page = Page(position.objects[position.offset : stop], None, [])
        following = replace(position, offset=stop, number=position.number + 1, created=time.monotonic())
        if stop < end:
            page.token = self._keep(following)
        elif end < total:
            page.warnings.append(wire.TRUNCATED)
            if position.link_past_end:
                page.token = self._keep(replace(following, end=end + (position.step or 0)))
        if extra_link and page.token is None:
            page.token = self._keep(following)
        return page

    def _keep(self, position: Position) -> str:
        token = uuid.uuid4().hex
        if len(self._positions) > 5000:
            now = time.monotonic()
            live = {key: kept for key, kept in self._positions.items() if now <= kept.created + kept.lifetime}
            self._positions = live
        self._positions[token] = position
        return token

    def clear(self) -> None:
        self._positions.clear()


def question_of(cmdlet_input: Any) -> str:
    return wire.encode(cmdlet_input).decode()
