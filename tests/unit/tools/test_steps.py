# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``make test`` says of a step that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tools import steps

PYTEST = """\
tests/unit/test_a.py .F                                                  [100%]
E   assert 1 == 2
FAILED tests/unit/test_a.py::test_one - assert 1 == 2
========================= 1 failed, 1 passed in 0.05s =========================
make: *** [Makefile:70: unit] Error 1
"""


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "LOGS", tmp_path)
    return tmp_path


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-u", "-c", code)


def test_a_failure_is_named_with_its_lines_and_its_log(logs: Path) -> None:
    result = steps.run("unit", False, python(f"print({PYTEST!r}, end=''); raise SystemExit(2)"))
    assert not result.ok
    shown = steps.summary([result])
    assert "  E   assert 1 == 2" in shown
    assert "  FAILED tests/unit/test_a.py::test_one - assert 1 == 2" in shown
    assert f"  All that it printed: {logs / 'unit.log'}" in shown
    assert shown[-1].startswith("FAILED unit")
    assert shown[-1].endswith("1 failed, 1 passed in 0.05s")
    assert (logs / "unit.log").read_text() == PYTEST


def test_a_step_that_hangs_is_named(logs: Path) -> None:
    result = steps.run("integration", False, python("import time; time.sleep(600)"), silence=1)
    assert not result.ok
    assert "  ERROR integration was stopped: it printed nothing for 1 s" in steps.summary([result])
    assert "printed nothing" in (logs / "integration.log").read_text()


def test_a_step_that_fails_without_a_word_shows_its_last_lines() -> None:
    assert steps.failure_lines(["one", "", "two"]) == ("one", "two")
    assert len(steps.failure_lines([f"line {number}" for number in range(100)])) == steps.MOST_LINES


def test_a_step_that_passes_says_how_many() -> None:
    result = steps.run("unit", False, python("print('=== 3 passed in 1.20s ===')"))
    assert result.ok
    assert steps.summary([result])[-1].split(maxsplit=4)[2:] == [f"{result.seconds:.1f}", "s", "3 passed in 1.20s"]
