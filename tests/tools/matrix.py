# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit and the smoke tests on every supported ansible-core, each in a virtual environment of its own.

A core whose Python is not on this machine is skipped, and said so. Names of cores as arguments choose among them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tests" / "tools"
REQUIREMENTS = ROOT / "tests" / "requirements" / "test.txt"


@dataclass(frozen=True)
class Cell:
    core: str
    python: str
    requirements: tuple[str, ...]
    sanity: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        return ROOT / ".cache" / "matrix" / f"core{self.core}-py{self.python}"


CELLS = (
    # The oldest core also gets the oldest versions that meta/ee-requirements.txt allows.
    Cell("2.16", "3.10", ("ansible-core~=2.16.0", "cryptography~=42.0.0", "msal~=1.35.0", "requests~=2.31.0")),
    Cell("2.18", "3.11", ("ansible-core~=2.18.0",)),
    Cell("2.19", "3.11", ("ansible-core~=2.19.0",)),
    Cell("2.20", "3.12", ("ansible-core~=2.20.0",)),
    Cell("2.21", "3.12", ("ansible-core~=2.21.0",)),
    # Naming a pre-release allows pre-releases. This one's pylint wants a source archive that no package index has.
    Cell("2.22", "3.13", ("ansible-core>=2.22.0b1,<2.23",), sanity=("--skip-test", "pylint")),
)


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


def commands(cell: Cell, python: Path, workers: str, everything: bool, sanity: bool) -> Iterator[tuple[str, list[str]]]:
    own = str(cell.directory / "bin" / "python")
    pytest = [own, "-m", "pytest", "-q", "-n", workers, "-o", f"cache_dir={cell.directory / 'pytest'}"]
    venv = [str(python), str(TOOLS / "environment.py"), str(cell.directory), "-r", str(REQUIREMENTS)]
    for requirement in cell.requirements:
        venv += ["--package", requirement]
    yield "set-up", venv
    yield "unit", [*pytest, "tests/unit"]
    yield "integration", [*pytest, "tests/integration", *([] if everything else ["-m", "smoke"])]
    if sanity:
        yield "sanity", [own, str(TOOLS / "sanity.py"), *cell.sanity]


def run(cell: Cell, workers: str, everything: bool, sanity: bool) -> str:
    python = interpreter(cell.python)
    if python is None:
        return f"SKIPPED: no Python {cell.python} on this machine"
    started = time.monotonic()
    failed = []
    for name, command in commands(cell, python, workers, everything, sanity):
        print(f"\n>>> ansible-core {cell.core}, Python {cell.python}: {name}", flush=True)
        done = subprocess.run(command, check=False, cwd=ROOT, env=environment(cell), stdin=subprocess.DEVNULL)
        if done.returncode:
            failed.append(name)
        if done.returncode and name == "set-up":
            break
    verdict = f"FAILED ({', '.join(failed)})" if failed else "ok"
    return f"{verdict}, {time.monotonic() - started:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cores", nargs="*", metavar="CORE", help="for example 2.16 2.22; all without any")
    parser.add_argument("--all", action="store_true", help="every integration test, not only the smoke tests")
    parser.add_argument("--sanity", action="store_true", help="ansible-test sanity too")
    parser.add_argument("--workers", default="2")
    args = parser.parse_args()
    unknown = set(args.cores) - {cell.core for cell in CELLS}
    if unknown:
        parser.error(f"not in the matrix: {', '.join(sorted(unknown))}")
    chosen = [cell for cell in CELLS if not args.cores or cell.core in args.cores]
    verdicts = [(cell, run(cell, args.workers, args.all, args.sanity)) for cell in chosen]
    print()
    for cell, verdict in verdicts:
        print(f"ansible-core {cell.core:<5} Python {cell.python:<5} {verdict}")
    return 1 if any(verdict.startswith("FAILED") for _cell, verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
