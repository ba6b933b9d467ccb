# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the benchmark that stand in other pages, and what they are made of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmark import cli, memory
from benchmark.report import tenant_figures

RUN = {
    "tenants": 50,
    "seconds": 100.0,
    "processor": 80.0,
    "largest_mb": 60.0,
    "tree_mb": 200.0,
    "events": 12,
    "requests": 8.0,
    "simulator_cpu": 1.0,
}
SECTION = {
    "date": "2026-11-26 12:00 UTC",
    "machine": {"cores": 2, "ansible_core": "2.19.14"},
    "data": {"forks": 10, "mailboxes": 100, "apply": RUN, "again": RUN, "slice": RUN},
}


def test_the_page_shows_what_was_measured() -> None:
    results = json.loads((cli.DOCS / cli.RESULTS).read_text())
    figures = list(tenant_figures(results["tenants"])) if "tenants" in results else ["Not measured yet."]
    shown = cli.FLEET.read_text().partition(cli.BEGIN)[2].partition(cli.END)[0]
    assert shown.strip().splitlines() == figures


def test_a_thousand_tenants_are_twenty_slices_in_proportion() -> None:
    lines = list(tenant_figures(SECTION))
    assert "20 such slices, which are 1,000 tenants, in proportion to the one measured:" in lines
    assert "| time, one slice after another here | 2,000 s (0.6 h) |" in lines
    assert "| memory, all at once | 4.0 GB |" in lines
    assert "| events of each slice | 600 |" in lines


def test_figures_take_their_place_and_leave_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{cli.BEGIN}\n\nold\n\n{cli.END}\n\nafter\n")
    for _again in range(2):
        cli.write_figures(page, SECTION)
        text = page.read_text()
        assert text.startswith(f"before\n\n{cli.BEGIN}\n\n`playbooks/baseline.yml` with 10 forks")
        assert text.endswith(f"|\n\n{cli.END}\n\nafter\n")
        assert "old" not in text
    page.write_text("no place")
    with pytest.raises(RuntimeError, match="no place for figures"):
        cli.write_figures(page, SECTION)


@pytest.mark.skipif(not memory.PROC.exists(), reason="memory is read from /proc")
def test_the_memory_of_a_tree_counts_what_is_below() -> None:
    """A shell that is small, and a child of it that is not."""
    megabytes = 40
    script = f"x = bytearray(b'x') * {megabytes}_000_000; print(flush=True); input()"
    shell = ["/bin/sh", "-c", 'read line; "$0" -c "$1"; true', sys.executable, script]
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        before = memory.tree_mb(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        assert memory.tree_mb(process.pid) - before >= megabytes
        assert memory.tree_mb(os.getpid()) >= memory.tree_mb(process.pid)
        process.stdin.write(b"\n")


@pytest.mark.skipif(not memory.PROC.exists(), reason="memory is read from /proc")
def test_a_watch_keeps_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "INTERVAL", 0.01)
    seen = iter([1.0, 3.0])
    monkeypatch.setattr(memory, "tree_mb", lambda pid: next(seen, 2.0))
    with memory.Watch(os.getpid()) as watch:
        while watch.peak_mb < 3:
            time.sleep(0.01)
        time.sleep(0.05)
    assert watch.peak_mb == 3
