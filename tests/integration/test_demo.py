# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo as ``make demo`` runs it: it goes as it says, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from harness import ROOT, Lab

PLAYBOOK = ROOT / "playbooks" / "demo.yml"
SIMULATOR = [sys.executable, str(ROOT / "playbooks" / "files" / "simulator"), "--quiet"]
SIMULATOR += ["--tenants", str(ROOT / "playbooks" / "files" / "demo_tenants.yml"), "--"]


@pytest.fixture
def start(lab: Lab, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the demo in a group of its own, with its temporary files in ``tmp_path``."""

    def started(before: list[str], variables: Mapping[str, str]) -> subprocess.Popen[str]:
        ready = lab.prepare(PLAYBOOK, arguments=["-i", "localhost,"])
        fleet = {"ANSIBLE_STDOUT_CALLBACK": "m365.exchange_online.fleet", "TMPDIR": str(tmp_path)}
        return subprocess.Popen(
            [*before, *ready.command], env={**ready.environment, **fleet, **variables}, cwd=ready.directory, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    return started


def running(directory: Path) -> list[str]:
    """The command lines of the processes that have a file of this directory in their environment or arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            texts = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(directory).encode() in texts:
            found.append(command)
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.1)


# No programs but Python's: a bare system has no kill.
@pytest.mark.parametrize("way", ["make", "playbook"])
def test_the_whole_job(way: str, start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start(SIMULATOR if way == "make" else [], {})
    output, _none = process.communicate(timeout=900)
    assert process.returncode == 0, output[-3000:]
    titles = re.findall(r"^\d\. [^:?\n]+", output, re.MULTILINE)
    assert titles == ["1. Preview", "2. Decide, and preview again", "3. Apply", "4. Apply again", "5. Audit", "6. Undo"]
    assert len(output.splitlines()) <= 90, output
    asked = re.findall(r"^ +(?:old.crm|scanner.hall)@\S+: (may send|refused)", output, re.MULTILINE)
    # The one that was not to be cut off unawares and the scanner under a blocking policy: before, after, and the first
    # after contoso's undo.
    assert asked == ["may send", "refused", "refused", "may send", "may send"]
    gate = " ".join(output.split("2. Decide")[0].split())
    for address in ("reports@contoso.example", "old.crm@contoso.example"):
        assert re.search(rf"{address} \(last seen \S+Z from 203\.0\.113\.\d+\)", gate), gate
    assert "told no changes." in gate
    assert output.count("[WARNING]") == output.count("SMTP AUTH in effect") + 1, "a warning of the simulator's host"
    assert "contoso: Set-TransportConfig -SmtpClientAuthenticationDisabled true" in output
    assert "Go on with your own;" in output
    assert [path.name for path in tmp_path.glob("exchange-simulator-*")] == []
    assert running(tmp_path) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc to find the processes of a run")
def test_ctrl_c_leaves_nothing(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start(SIMULATOR, {})
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("3. "):
            break
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode != 0
    until(lambda: running(tmp_path) == [])
    assert list(tmp_path.glob("exchange-simulator-*")) == []
