# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/faults.md has a row for each fault that is tested, and no other. Its messages are compared where they arise."""

from __future__ import annotations

import ast
import itertools
import os
from pathlib import Path

import faults
import pytest
import test_connection
import test_faults_batches
import test_faults_lists
import test_faults_mailbox
import test_faults_organization
import test_guards
import test_smtp_auth_info
import test_smtp_auth_probe

ROWS = list(itertools.chain.from_iterable(faults.FAULTS.values()))
SCENARIOS = {
    **test_faults_batches.BATCHES,
    **test_faults_lists.PAGES,
    **test_faults_mailbox.MAILBOX,
    **test_faults_organization.ONE,
}
TABLES = (
    SCENARIOS,
    test_connection.FAILURES,
    test_guards.DRIFTS,
    test_smtp_auth_info.NO_PROOF,
    test_smtp_auth_probe.NO_VERDICT,
)
NAMES = set().union(*TABLES) - {"nothing"}


def checked() -> set[str]:
    """The names that tests hand to ``documented`` themselves."""
    found: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "documented":
                name = node.args[0]
                found |= {str(name.value)} if isinstance(name, ast.Constant) else set()
    return found


def test_each_row_is_a_test_and_each_fault_has_a_row() -> None:
    assert len(ROWS) == len(set(ROWS))
    assert set(ROWS) == NAMES | checked()


def test_rows_and_scenarios_end_alike() -> None:
    assert {name: faults.row(name).code for name in SCENARIOS if name != "nothing"} == {
        name: scenario.code for name, scenario in SCENARIOS.items() if name != "nothing"
    }


@pytest.mark.skipif(faults.RECORD in os.environ, reason="the page is about to be written")
def test_the_page_is_what_the_tables_say() -> None:
    page = faults.read_page()
    assert list(page) == ROWS
    assert faults.PAGE.read_text(encoding="utf-8") == faults.render(page), "run tests/tools/faults.py"
