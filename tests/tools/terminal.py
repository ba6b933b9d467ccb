# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a terminal shows, as an SVG picture without scripts, fonts or anything from elsewhere."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from html import escape

COLUMNS = 120
_WIDTH, _HEIGHT, _SIZE = 8.4, 19, 14  # of a character and a line, and the font's size, in pixels
_FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_MARGIN, _BAR = 16, 34
_PLAIN = "#d6dbe3"
# The colours that Ansible uses, by their SGR codes.
_COLOURS = {
    "30": "#8b949e", "31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff",
    "36": "#76e3ea", "37": _PLAIN, "90": "#8b949e", "91": "#ffa198", "92": "#7ee787", "93": "#e3b341",
    "94": "#79c0ff", "95": "#d2a8ff", "96": "#76e3ea", "97": "#ffffff",
}  # fmt: skip
_SGR = re.compile(r"\x1b\[([0-9;]*)m")


def svg(text: str, title: str) -> str:
    """The picture of the text, which may have colours as terminals know them."""
    rows = list(itertools.chain.from_iterable(_wrapped(_runs(line)) for line in text.rstrip("\n").split("\n")))
    width = round(COLUMNS * _WIDTH) + 2 * _MARGIN
    height = len(rows) * _HEIGHT + _BAR + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" font-family="{_FONT}" font-size="{_SIZE}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        f'<text x="{width / 2:.0f}" y="22" fill="#8b949e" text-anchor="middle">{escape(title)}</text>',
    ]
    parts += [_line(row, _BAR + (number + 1) * _HEIGHT - 5) for number, row in enumerate(rows)]
    return "\n".join([*(part for part in parts if part), "</svg>", ""])


def _runs(line: str) -> list[tuple[str, str]]:
    """(text, colour) of a line's pieces."""
    runs, colour = [], _PLAIN
    pieces = _SGR.split(line)
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            runs += [(piece, colour)] if piece else []
            continue
        known = [_COLOURS[code] for code in piece.split(";") if code in _COLOURS]
        colour = known[-1] if known else _PLAIN
    return runs


def _wrapped(runs: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """The rows that the line takes on a screen of this width."""
    row: list[tuple[str, str]] = []
    left = COLUMNS
    for text, colour in runs:
        rest = text
        while len(rest) > left:
            row.append((rest[:left], colour))
            yield row
            row, rest, left = [], rest[left:], COLUMNS
        row.append((rest, colour))
        left -= len(rest)
    yield row


def _line(row: list[tuple[str, str]], y: int) -> str:
    """Each piece at its own column, so that columns stand straight whatever the font's width is."""
    column, pieces = 0, []
    for text, colour in row:
        x = _MARGIN + column * _WIDTH
        length = len(text) * _WIDTH
        pieces.append(
            f'<tspan x="{x:.1f}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs" fill="{colour}">'
            f"{escape(text, quote=False)}</tspan>"
        )
        column += len(text)
    return f'<text y="{y}" xml:space="preserve">{"".join(pieces)}</text>' if pieces else ""
