# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the links of a Markdown page lead: to files of a tree, to headings, or to the project's own repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = "https://github.com/m365-ansible/exchange_online"
# A page or picture of the repository's main branch, wherever it is named.
OWN = re.compile(
    rf"(?:{re.escape(REPOSITORY)}/(?:blob|tree)/main|https://raw\.githubusercontent\.com/m365-ansible/exchange_online/main)"
    r"/([^\s)>\]\"'`,]+)"
)
CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"\]\[([^\]]+)\]")
DEFINITION = re.compile(r"^\[([^\]]+)\]: (\S+)$", re.MULTILINE)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
NAMED = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-z]+:")


def slug(heading: str) -> str:
    """The name that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def headings(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    fenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return {slug(heading) for heading in HEADING.findall(fenced)} | set(NAMED.findall(text))


def _targets(text: str) -> Iterator[tuple[str, str | None]]:
    """What is linked, as it is written, and the address; None for a reference without a definition."""
    prose = CODE.sub("", text)
    definitions = dict(DEFINITION.findall(text))
    yield from ((target, target) for target in INLINE.findall(prose))
    yield from ((name, definitions.get(name)) for name in REFERENCE.findall(prose))


def _problem(page: Path, root: Path, target: str | None) -> str | None:
    if target is None:
        return "it is not defined"
    if ELSEWHERE.match(target):
        return None
    name, _hash, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page.resolve()
    if not path.is_relative_to(root.resolve()) or not path.exists():
        return "there is no such file"
    if anchor and path.suffix == ".md" and anchor not in headings(path):
        return "there is no such heading"
    return None


def broken(page: Path, root: Path) -> list[str]:
    """The links of a page that lead nowhere in the tree below ``root``."""
    text = page.read_text(encoding="utf-8")
    found = [(name, _problem(page, root, target)) for name, target in _targets(text)]
    return [f"{page.relative_to(root)}: {name}: {problem}" for name, problem in found if problem]


def broken_addresses(path: Path, repository: Path) -> list[str]:
    """The addresses in the project's repository that any text file names and that lead nowhere there."""
    found = []
    for address in OWN.findall(path.read_text(encoding="utf-8")):
        name, _hash, anchor = address.rstrip(".").partition("#")
        there = repository / name
        if not there.exists():
            found.append(f"{path}: the repository has no {name}")
        elif anchor and anchor not in headings(there):
            found.append(f"{path}: {name} has no heading {anchor}")
    return found
