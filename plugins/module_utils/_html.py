# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML in which every text is escaped unless this module made it. PRIVATE to the collection."""

from __future__ import annotations

import html
import json
import typing as t
from collections.abc import Iterable

_VOID = frozenset({"input", "meta", "rect", "path"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Child: t.TypeAlias = "str | int | Iterable[Child] | None"


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """An element. An attribute that is None or False is left out; ``class_`` is class, and ``_`` stands for ``-``."""
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(opened[:-1] + "/>" if name in ("rect", "path") else opened)
    return Html(f"{opened}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Children one after the other, texts among them escaped."""
    return Html("".join(_child(child) for child in children))


def data_block(identity: str, content: t.Any) -> Html:
    """JSON for the page's script, which no text in it can end."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Html(f'<script type="application/json" id="{html.escape(identity)}">{text}</script>')


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.strip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, (str, int)):
        return html.escape(str(child), quote=False)
    return join(child)
