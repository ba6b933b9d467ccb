# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator and the tools can be imported under ``ansible-test units`` too, which does not read pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

for directory in (ROOT / "tests", ROOT / "playbooks" / "files"):
    if str(directory) not in sys.path:
        sys.path.append(str(directory))
