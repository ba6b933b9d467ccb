# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse lines that say more than one thing, and functions that decide too much.

Chained conditional expressions, comprehensions with several ``for``, ``for x in [expression]`` to name a value, and a
cyclomatic complexity (as radon counts it, with conditional expressions and comprehensions) above 10. Ruff's own check
of complexity sees neither of these two.

In tests an assert is not counted. Elsewhere it is a way that the code may take; a test that takes it has failed, so
eleven asserts in a row are still one way through the test. What else a test decides is counted as everywhere.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from radon.complexity import cc_visit

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "extensions", "playbooks", "plugins", "roles", "tests")
TESTS = ("tests/awx", "tests/fuzz", "tests/integration", "tests/unit")
OUTPUT = "tests/output"  # of ansible-test
MOST = 10
Comprehension = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def dense(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what is wrong there) of each expression that says more than one thing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            if any(isinstance(part, ast.IfExp) for part in (node.body, node.orelse)):
                yield node.lineno, "a conditional expression in another"
        elif isinstance(node, Comprehension):
            if len(node.generators) > 1:
                yield node.lineno, "a comprehension with several for"
            if any(isinstance(one.iter, (ast.List, ast.Tuple)) and len(one.iter.elts) == 1 for one in node.generators):
                yield node.lineno, "a loop over a single value, to name it"


def complicated(source: str, *, asserts: bool = True) -> dict[str, tuple[int, int]]:
    """(line, complexity) of each function that decides too much, by name. ``asserts``: whether they are counted."""
    # A class counts its methods, which are here themselves.
    blocks = cc_visit(source, no_assert=not asserts)
    blocks = [block for block in blocks if block.letter != "C" and block.complexity > MOST]
    return {block.fullname: (block.lineno, block.complexity) for block in blocks}


def findings(path: Path) -> list[str]:
    """A line on each thing that is wrong in a file."""
    source, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    found = [f"{name}:{line}: {what}" for line, what in sorted(dense(ast.parse(source)))]
    for function, (line, complexity) in complicated(source, asserts=not below(name, TESTS)).items():
        found.append(f"{name}:{line}: {function} has a complexity of {complexity}, {MOST} is the most")
    return found


def below(name: str, folders: Iterable[str]) -> bool:
    return any(name.startswith(f"{folder}/") for folder in folders)


def files() -> list[Path]:
    """Every file that is checked."""
    found = itertools.chain.from_iterable((ROOT / folder).rglob("*.py") for folder in FOLDERS)
    return sorted(path for path in found if not below(path.relative_to(ROOT).as_posix(), [OUTPUT]))


def main() -> int:
    lines = list(itertools.chain.from_iterable(findings(path) for path in files()))
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
