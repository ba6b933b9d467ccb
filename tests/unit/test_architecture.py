# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The house as it is meant: floors without circles, tasks that are siblings, and a page that shows the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tools import architecture

ROOT = Path(__file__).resolve().parents[2]
PURE = ("_text", "_errors", "_properties", "_tables", "_model", "_change", "_effect", "_plan", "_policies", "_verdict")


def test_there_is_no_circle() -> None:
    assert architecture.floors(architecture.graph())


def test_a_circle_is_found() -> None:
    with pytest.raises(ValueError, match="a → b → a"):
        architecture.floors({"a": ["b"], "b": ["a"]})


def test_tasks_are_siblings() -> None:
    edges = architecture.graph()
    tasks = architecture.tasks(architecture.floors(edges))
    assert {"_smtp_auth", "_cas_mailbox", "_restore", "_user"} <= tasks
    assert {name: edges[name] & tasks for name in tasks if edges[name] & tasks} == {}


def test_the_page_shows_the_code() -> None:
    text = architecture.PAGE.read_text()
    assert architecture.drawing() in text, "run make architecture"


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_loads_no_network(name: str) -> None:
    assert loaded_of(f"{architecture.PREFIX}.{name}", "requests", "msal") == "[]"


def test_the_controller_loads_no_network() -> None:
    """It makes a process for each task, which would load it anew each time (60 ms)."""
    plugins = architecture.PREFIX.rpartition(".")[0]
    assert loaded_of(f"{plugins}.action.exo_smtp_auth", "requests", "msal") == "[]"


def test_a_task_without_the_usage_gate_does_not_load_it() -> None:
    names = [f"{architecture.PREFIX}.{name}" for name in ("_usage", "_conditional_access", "_sign_in_log")]
    assert loaded_of(f"{architecture.PREFIX}._smtp_auth", *names) == "[]"


def loaded_of(module: str, *names: str) -> str:
    """Which of the names a module brings, in a fresh interpreter, so that nothing that another test imported counts."""
    code = f"import sys, {module}; print([name for name in {names!r} if name in sys.modules])"
    path = [str(ROOT / ".cache" / "collections"), *sys.path]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()
