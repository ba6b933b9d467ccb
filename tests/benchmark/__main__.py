# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: ``python tests/benchmark [options]``."""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:
    # Started as a directory: the modules here import each other as a package, so its parent has to be importable.
    TESTS = Path(__file__).resolve().parent.parent
    sys.path[:1] = [str(TESTS), str(TESTS.parent / "playbooks" / "files")]

from benchmark.cli import main

if __name__ == "__main__":
    sys.exit(main())
