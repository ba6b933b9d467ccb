# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make each seeded change in a copy of the code and run the unit tests that have to notice it.

Prints what survives, and exits with 1 if anything does. Arguments: words; only changes whose file or reason has one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from mutants.seeded import MUTANTS, Mutant  # noqa: E402  # found by the line above

CODE = "ansible_collections/m365/exchange_online"
TESTS = "tests/unit/plugins"
WORKERS = 2


def run(mutant: Mutant, directory: Path) -> subprocess.CompletedProcess[str]:
    """The tests of one change, in a copy that has nothing but what they need."""
    copy = directory / CODE
    shutil.copytree(ROOT / "plugins", copy / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / TESTS, directory / TESTS, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / "plugins" / "module_utils" / mutant.file
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    tests = [f"{TESTS}/module_utils/{name}" for name in mutant.tests]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    return subprocess.run(
        [*command, *tests],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def survives(mutant: Mutant) -> bool:
    """Whether no test notices; raises RuntimeError where the tests could not be run at all."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as directory:
        try:
            done = run(mutant, Path(directory))
        except subprocess.TimeoutExpired:
            return False  # a change that never ends is noticed
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{mutant.file} ({mutant.why}): the tests could not be run.\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def main() -> int:
    words = sys.argv[1:]
    chosen = [one for one in MUTANTS if not words or any(word in f"{one.file} {one.why}" for word in words)]
    with ThreadPoolExecutor(WORKERS) as pool:
        alive = [mutant for mutant, yes in zip(chosen, pool.map(survives, chosen), strict=True) if yes]
    for mutant in alive:
        print(f"survived: {mutant.file}: {mutant.why}")
    print(f"{len(chosen)} seeded changes, {len(alive)} survived")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
