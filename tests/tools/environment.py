# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create or refresh a virtual environment; return at once when its requirements have not changed.

Runs with nothing but the standard library, because it makes the first environment of a fresh checkout.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

MINIMUM = (3, 10)
LOCKS = Path(__file__).resolve().parents[2] / ".cache" / "locks"


def requirement_files(path: Path) -> Iterator[Path]:
    """The file and every file that it includes with ``-r``."""
    yield path
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from requirement_files(path.parent / line[3:].strip())


def fingerprint(requirements: list[Path], packages: list[str]) -> str:
    parts = [sys.version, *packages]
    for top in requirements:
        parts += [path.read_text(encoding="utf-8") for path in requirement_files(top)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def python_of(directory: Path) -> Path:
    return directory / "bin" / "python"


def same_python(directory: Path) -> bool:
    """Whether the environment runs, and runs this interpreter's version."""
    command = [str(python_of(directory)), "-c", "import sys; print(sys.version)"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.strip() == sys.version.strip()


def prepare(directory: Path, requirements: list[Path], packages: list[str]) -> None:
    stamp = directory / ".stamp"
    wanted = fingerprint(requirements, packages)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and python_of(directory).exists():
        return
    print(f"preparing {directory.name} with Python {sys.version.split()[0]}", file=sys.stderr, flush=True)
    if not same_python(directory):
        venv.create(directory, clear=True, symlinks=True, with_pip=True)
    stamp.unlink(missing_ok=True)
    install = [str(python_of(directory)), "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    for path in requirements:
        install += ["--requirement", str(path)]
    subprocess.run([*install, *packages], check=True, stdin=subprocess.DEVNULL)
    stamp.write_text(wanted, encoding="utf-8")


def missing(programs: list[str]) -> list[str]:
    """What a bare system lacks, with the line that installs it."""
    found = []
    if sys.version_info < MINIMUM:
        found.append(f"Python {MINIMUM[0]}.{MINIMUM[1]} or later is needed, this is {sys.version.split()[0]}.")
    if find_spec("ensurepip") is None:
        found.append("This Python can't make virtual environments. Debian, Ubuntu: apt install python3-venv")
    lacking = [program for program in programs if shutil.which(program) is None]
    line = "{0} is missing. Debian, Ubuntu: apt install {0}; Fedora: dnf install {0}"
    return found + [line.format(program) for program in lacking]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("-r", "--requirement", type=Path, action="append", default=[], dest="requirements")
    parser.add_argument("--package", action="append", default=[], dest="packages", help="a requirement by itself")
    parser.add_argument("--needs", action="append", default=[], metavar="PROGRAM", help="it has to be there")
    args = parser.parse_args()
    lacking = missing(args.needs)
    if lacking:
        print("\n".join(lacking), file=sys.stderr)
        return 1
    directory = args.directory.absolute()
    LOCKS.mkdir(parents=True, exist_ok=True)
    # Two makes may start together; the second waits and then finds the work done.
    with open(LOCKS / directory.name, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            prepare(directory, args.requirements, args.packages)
        except subprocess.CalledProcessError as error:
            return int(error.returncode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
