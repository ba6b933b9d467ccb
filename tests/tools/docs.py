# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the documentation of every plugin and role as a user would; a warning is an error, and so is a gap."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "m365.exchange_online"
SECTIONS = ("doc", "examples", "return")
FRAGMENT = re.compile(rf"^\s*-\s+{re.escape(COLLECTION)}\.([a-z_]+)", re.MULTILINE)


def of_ansible_itself(line: str) -> bool:
    """Whether a warning is about a file of ansible-core: 2.21 misses the manifest of a collection of its own."""
    spec = find_spec("ansible")
    assert spec is not None
    return any(directory in line for directory in spec.submodule_search_locations or ())


def ansible_doc(kind: str, names: list[str], *arguments: str) -> tuple[str, list[str]]:
    """The output, and what is wrong with it."""
    answer = subprocess.run(
        ["ansible-doc", "--type", kind, *arguments, *names],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        # So wide that a warning is one line.
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "10000"},
        stdin=subprocess.DEVNULL,
    )
    said = [line for line in answer.stderr.splitlines() if line.strip() and not of_ansible_itself(line)]
    problems = [f"ansible-doc --type {kind}: {line}" for line in said]
    if answer.returncode:
        problems.append(f"ansible-doc --type {kind} ended with {answer.returncode}")
    return answer.stdout, problems


def names_in(directory: str, pattern: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / directory).glob(pattern) if not path.name.startswith("_"))


def check_plugins(kind: str, plugins: list[str]) -> list[str]:
    names = [f"{COLLECTION}.{plugin}" for plugin in plugins]
    _text, problems = ansible_doc(kind, names)
    output, more = ansible_doc(kind, names, "--json")
    problems += more
    documented: dict[str, Any] = json.loads(output) if output.strip() else {}
    for name in names:
        sections = documented.get(name, {})
        problems += [f"{name} has no {section}" for section in SECTIONS if not sections.get(section)]
    return problems


def check_roles(roles: list[str]) -> list[str]:
    names = [f"{COLLECTION}.{role}" for role in roles]
    output, problems = ansible_doc("role", names, "--json")
    documented: dict[str, Any] = json.loads(output) if output.strip() else {}
    return problems + [f"{name} has no argument specification" for name in names if not documented.get(name)]


def check_fragments(fragments: list[str]) -> list[str]:
    """A fragment that no module uses is never rendered, so nothing would find its mistakes."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "plugins").glob("*/*.py")]
    used = set(itertools.chain.from_iterable(FRAGMENT.findall(text) for text in texts))
    return [f"no plugin uses the fragment {name}" for name in fragments if name not in used]


def main() -> int:
    modules = names_in("plugins/modules", "*.py")
    filters = names_in("plugins/filter", "*.py")
    lookups = names_in("plugins/lookup", "*.py")
    roles = sorted(path.parents[1].name for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"))
    fragments = names_in("plugins/doc_fragments", "*.py")
    problems = check_plugins("module", modules) if modules else ["there are no modules"]
    problems += check_plugins("filter", filters) if filters else []
    problems += check_plugins("lookup", lookups) if lookups else []
    # These return nothing, so there is no more to ask for than that they can be shown.
    for kind in ("callback", "inventory"):
        problems += ansible_doc(kind, [f"{COLLECTION}.{name}" for name in names_in(f"plugins/{kind}", "*.py")])[1]
    problems += check_roles(roles) if roles else []
    problems += check_fragments(fragments)
    for problem in problems:
        print(problem)
    plugins = f"{len(modules)} modules, {len(filters)} filters, {len(lookups)} lookups"
    print(f"{plugins}, {len(roles)} roles, {len(fragments)} fragments: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
