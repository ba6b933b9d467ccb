# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fuzz import profiles
from fuzz.lab import Lab

from simulator.testing import Simulator

_TOTALS = pytest.StashKey[dict[str, Any]]()


def pytest_configure(config: pytest.Config) -> None:
    profile = config.getoption("--hypothesis-profile", None)
    seed = config.getoption("--hypothesis-seed", None)
    if seed not in (None, "random"):
        os.environ[profiles.SEED_VARIABLE] = str(seed)
    chosen = profiles.register(profile if profile in profiles.CASES else profiles.SHORT)
    config.stash[_TOTALS] = {"cases": 0, "tasks": 0, "seed": chosen, "started": time.monotonic()}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Lab]:
    """A simulator of this process, the way to run tasks against it, and a clock that does not wait."""
    scratch = tmp_path_factory.mktemp("fuzz")
    with Simulator.start(state_dir=scratch / "simulator") as simulator, pytest.MonkeyPatch.context() as patch:
        found = Lab(simulator, Path(scratch), patch)
        yield found
        _add(pytestconfig, found.cases, found.tasks)


@pytest.fixture(scope="session")
def count(pytestconfig: pytest.Config) -> Iterator[list[int]]:
    """For tests without a simulator: append anything for each case."""
    counted: list[int] = []
    yield counted
    _add(pytestconfig, len(counted), 0)


def _add(config: pytest.Config, cases: int, tasks: int) -> None:
    totals = config.stash[_TOTALS]
    totals["cases"] += cases
    totals["tasks"] += tasks
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output["fuzz_cases"], output["fuzz_tasks"] = totals["cases"], totals["tasks"]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    output = getattr(node, "workeroutput", None) or {}
    _add(node.config, output.get("fuzz_cases", 0), output.get("fuzz_tasks", 0))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    totals = config.stash[_TOTALS]
    if totals["cases"]:
        terminalreporter.write_line(
            f"fuzz: {totals['cases']} cases, {totals['tasks']} tasks run, seed {totals['seed']},"
            f" {time.monotonic() - totals['started']:.0f} s"
            f" (again: {profiles.SEED_VARIABLE}={totals['seed']})"
        )
