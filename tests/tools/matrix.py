# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run unit tests, smoke tests and sanity on every supported ansible-core with every Python that it runs on.

Each pair has a virtual environment of its own. One whose Python is not on this machine is skipped, and said so.
Arguments choose among them: 2.16 is that core with all its Pythons, 2.16-3.10 one pair.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tests" / "tools"
TEST_REQUIREMENTS = ROOT / "tests" / "requirements" / "test.txt"


@dataclass(frozen=True)
class Cell:
    """One ansible-core with one Python."""

    core: str
    python: str
    requirements: tuple[str, ...]
    sanity: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.core}-{self.python}"

    @property
    def directory(self) -> Path:
        return ROOT / ".cache" / "matrix" / f"core{self.core}-py{self.python}"


# The Pythons that each core runs on as a controller, as its release notes say.
PYTHONS = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.17": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
    "2.22": ("3.13", "3.14", "3.15"),
}
# Naming a pre-release allows pre-releases.
REQUIREMENTS = {"2.22": ("ansible-core>=2.22.0b1,<2.23",)}
# The oldest core with the oldest Python also gets the oldest versions that meta/ee-requirements.txt allows.
OLDEST = {("2.16", "3.10"): ("cryptography~=42.0.0", "msal~=1.35.0", "requests~=2.31.0")}
# This one's pylint wants a source archive that no package index has.
SANITY = {"2.22": ("--skip-test", "pylint")}


def cells_of(core: str) -> list[Cell]:
    plain = REQUIREMENTS.get(core, (f"ansible-core~={core}.0",))
    sanity = SANITY.get(core, ())
    return [Cell(core, python, plain + OLDEST.get((core, python), ()), sanity) for python in PYTHONS[core]]


CELLS = tuple(itertools.chain.from_iterable(map(cells_of, PYTHONS)))


def candidates(version: str) -> Iterator[Path]:
    found = shutil.which(f"python{version}")
    if found:
        yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def interpreter(version: str) -> Path | None:
    """An interpreter that really runs: a pyenv shim may be there without its Python."""
    for path in candidates(version):
        command = [str(path), "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(command, check=False, capture_output=True, text=True)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return path
    return None


def environment(cell: Cell) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{cell.directory / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(ROOT / ".cache" / "collections"),
        # The caches of one core's plugins are not for another.
        "ANSIBLE_HOME": str(cell.directory / "ansible"),
    }


def commands(cell: Cell, python: Path, workers: str, steps: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    own = str(cell.directory / "bin" / "python")
    pytest = [own, "-m", "pytest", "-q", "-n", workers, "-o", f"cache_dir={cell.directory / 'pytest'}"]
    venv = [str(python), str(TOOLS / "environment.py"), str(cell.directory), "-r", str(TEST_REQUIREMENTS)]
    for requirement in cell.requirements:
        venv += ["--package", requirement]
    known = {
        "unit": [*pytest, "tests/unit"],
        "smoke": [*pytest, "tests/integration", "-m", "smoke"],
        "integration": [*pytest, "tests/integration"],
        "sanity": [own, str(TOOLS / "run_ansible_test.py"), "sanity", *cell.sanity],
    }
    yield "set-up", venv
    for step in steps:
        yield step, known[step]


def run(cell: Cell, workers: str, steps: Sequence[str]) -> str:
    """Run the steps and return the verdict."""
    python = interpreter(cell.python)
    if python is None:
        return f"SKIPPED: no Python {cell.python} on this machine"
    failed, took = [], []
    for name, command in commands(cell, python, workers, steps):
        started = time.monotonic()
        print(f"\n>>> ansible-core {cell.core}, Python {cell.python}: {name}", flush=True)
        done = subprocess.run(command, check=False, cwd=ROOT, env=environment(cell), stdin=subprocess.DEVNULL)
        took.append(f"{name} {time.monotonic() - started:.0f} s")
        if done.returncode:
            failed.append(name)
        if done.returncode and name == "set-up":
            break
    verdict = f"FAILED ({', '.join(failed)})" if failed else "ok"
    return f"{verdict}: {', '.join(took)}"


def chosen(names: Sequence[str], first: bool) -> list[Cell]:
    """The cells that the arguments choose; raises SystemExit for a name that is none."""
    known = {cell.core for cell in CELLS} | {cell.name for cell in CELLS}
    unknown = set(names) - known
    if unknown:
        raise SystemExit(f"not in the matrix: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    found = [cell for cell in CELLS if not names or {cell.core, cell.name} & set(names)]
    return [cell for cell in found if not first or cell.python == PYTHONS[cell.core][0]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", nargs="*", metavar="CELL", help="for example 2.16 or 2.22-3.13; all without any")
    parser.add_argument("--first", action="store_true", help="just the oldest Python of each core")
    parser.add_argument("--steps", default="unit,smoke,sanity", help="of unit, smoke, integration and sanity")
    parser.add_argument("--workers", default="2")
    args = parser.parse_args()
    ignored = [path.name for path in (ROOT / "tests" / "sanity").glob("ignore-*.txt")]
    if ignored:
        parser.error(f"the collection promises to pass sanity without ignore entries: {', '.join(ignored)}")
    steps = args.steps.split(",")
    verdicts = [(cell, run(cell, args.workers, steps)) for cell in chosen(args.cells, args.first)]
    print()
    for cell, verdict in verdicts:
        print(f"ansible-core {cell.core:<5} Python {cell.python:<5} {verdict}")
    return 1 if any(verdict.startswith("FAILED") for _cell, verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
