# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: ``python playbooks/files/simulator [options]``, or ``exo-simulator`` where it is installed."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
if not __package__:
    # Started as a directory: the modules here import each other relatively, so their parent has to be importable.
    sys.path[0] = str(HERE.parent)

main = import_module(f"{__package__ or HERE.name}.cli").main

if __name__ == "__main__":
    sys.exit(main())
