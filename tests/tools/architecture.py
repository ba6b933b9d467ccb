# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the house from the code: which file imports which, floor by floor, into docs/architecture.md."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
PAGE = ROOT / "docs" / "architecture.md"
PREFIX = "ansible_collections.m365.exchange_online.plugins.module_utils"
BEGIN, END = "<!-- drawn by make architecture -->", "<!-- end of the drawing -->"
# The evidence stands apart: it reads documents, not tenants.
LEFT_OUT = re.compile(r"^_(evidence|html|version)")


def imports(path: Path) -> set[str]:
    """The files of module_utils that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PREFIX):
            rest = node.module[len(PREFIX) + 1 :]
            found.update([rest] if rest else [alias.name for alias in node.names])
    return found


def graph() -> dict[str, set[str]]:
    """What each file of the engine imports."""
    paths = {path.stem: path for path in sorted(UTILS.glob("_*.py")) if not path.stem.startswith("__")}
    names = {name for name in paths if not LEFT_OUT.match(name)}
    return {name: imports(paths[name]) & names - {name} for name in names}


def floors(edges: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Each file's floor: one above the highest that it imports. Raises ValueError for a circle."""
    known: dict[str, int] = {}

    def floor(name: str, above: tuple[str, ...] = ()) -> int:
        if name in above:
            raise ValueError(" → ".join((*above, name)))
        if name not in known:
            known[name] = 1 + max((floor(other, (*above, name)) for other in edges[name]), default=-1)
        return known[name]

    for name in edges:
        floor(name)
    return known


def tasks(level: Mapping[str, int]) -> set[str]:
    """The files with what a module hands to its runner: the top floor, above what all tasks share."""
    found: set[str] = set()
    for path in (ROOT / "plugins" / "modules").glob("exo_*.py"):
        found |= imports(path)
    return {name for name in found - {"_module"} if level.get(name, -1) > level["_task"]}


def drawing() -> str:
    """A mermaid picture, floor by floor; arrows that another arrow implies are left out."""
    edges = graph()
    level = floors(edges)
    top = tasks(level)
    lines = ["```mermaid", "flowchart BT"]
    rest = sorted(set(level) - top)
    for number in sorted({level[name] for name in rest}):
        names = " ".join(f"{name}[{name}]" for name in rest if level[name] == number)
        lines += [f"  subgraph floor{number}[floor {number}]", f"    {names}".replace("] ", "]\n    "), "  end"]
    lines += ["  subgraph tasks[the tasks, siblings that never import each other]"]
    lines += [f"    {name}[{name}]" for name in sorted(top)] + ["  end"]
    for name in sorted(edges):
        lines += [f"  {name} --> {other}" for other in sorted(direct(name, edges))]
    return "\n".join([*lines, "```"])


def direct(name: str, edges: Mapping[str, set[str]]) -> set[str]:
    """What a file imports, without what it would reach by another of its imports anyway."""
    return {one for one in edges[name] if not any(one in reached(other, edges) for other in edges[name] - {one})}


def reached(name: str, edges: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(edges[name])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += edges[one]
    return found


def main() -> int:
    text = PAGE.read_text()
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    new = f"{before}{BEGIN}\n\n{drawing()}\n\n{END}{after}"
    if "--check" in sys.argv[1:]:
        if new != text:
            print("docs/architecture.md is not as the code is: run make architecture", file=sys.stderr)
        return int(new != text)
    PAGE.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
