# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The seeded changes are still changes: each text stands in its file, once."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from mutants.seeded import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.file}-{mutant.why}")
def test_a_seeded_change_can_be_made(mutant: Mutant) -> None:
    text = (ROOT / "plugins" / "module_utils" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    ast.parse(text.replace(mutant.old, mutant.new))
    for name in mutant.tests:
        assert (ROOT / "tests" / "unit" / "plugins" / "module_utils" / name).is_file()
