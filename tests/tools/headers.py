# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look for the licence header in every Python file, play and task file, in the form that antsibull-nox asks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The header of this very file: written out once more, it would count as a second licence.
HEADER = "".join(Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True)[:3])
# Within so many lines: a shebang, a coding or the start of a YAML document may come first.
TOP = 6
PATTERNS = ("*.py", "playbooks/*.yml", "roles/*.yml")


def main() -> int:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PATTERNS]
    listed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    without = [name for name in names if HEADER not in top(ROOT / name)]
    for name in without:
        print(f"{name} lacks the licence header that the other files have (Copyright without a colon)")
    return 1 if without else 0


def top(path: Path) -> str:
    return "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:TOP])


if __name__ == "__main__":
    sys.exit(main())
