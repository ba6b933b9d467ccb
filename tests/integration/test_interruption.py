# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bulk change is killed half-way: the next run finishes it, and the undo file leads all the way back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import documented
from harness import Lab, Tenant, task

COUNT = 200
CHANGE = {"all_mailboxes": True, "pop_enabled": False, "concurrency": 2}


def processes() -> Iterator[tuple[int, int]]:
    """(process, parent) of all that run."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        yield int(path.parent.name), int(after_name[1])


def family(ancestor: int) -> list[int]:
    """The process and those that it started, and so on; Ansible's workers have sessions of their own."""
    found, children = [ancestor], dict(processes())
    for process in found:
        found += [child for child, parent in children.items() if parent == process]
    return found


def off(tenant: Tenant) -> int:
    return sum(not box["PopEnabled"] for box in tenant.lab.simulator.state(tenant.label)["mailboxes"])


def wait_for(condition: Any, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def kill(started: subprocess.Popen[str], number: signal.Signals) -> None:
    """SIGTERM to ansible-playbook alone, as a service manager sends it; SIGKILL to all, as a power cut would."""
    members = family(started.pid)
    for process in members if number is signal.SIGKILL else members[:1]:
        os.kill(process, number)
    started.communicate(timeout=300)
    # What it started may still be at work for a moment.
    wait_for(lambda: not any(Path(f"/proc/{process}").exists() for process in members))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find the processes of a run")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_killed_in_the_middle(number: signal.Signals, lab: Lab, tmp_path: Path) -> None:
    tenant = lab.tenant(generate={"count": COUNT})
    # After the fourth batch the service is so slow that the run is in the middle, however busy the machine is.
    tenant.fault("delay", match={"endpoint": "batch"}, after=4, times=None, seconds=600)
    undo = tmp_path / "undo.json"
    change = {**CHANGE, "undo_file": str(undo)}
    ready = lab.prepare([task("exo_cas_mailbox", change)], tenant)
    started = subprocess.Popen(
        ready.command, env=ready.environment, cwd=ready.directory, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        wait_for(lambda: len(tenant.writes()) >= 40)
    finally:
        kill(started, number)
    done = off(tenant)
    assert 40 <= done < COUNT
    saved = json.loads(undo.read_text())
    assert len(saved["mailboxes"]) == COUNT
    lab.simulator.clear_faults()
    run = tenant.run(
        [
            task("exo_cas_mailbox", change, named="next"),
            task("exo_cas_mailbox", change, named="again"),
            task("exo_restore", {"path": str(undo)}, named="back"),
        ]
    )
    assert run["next"]["summary"]["changed"] == COUNT - done
    assert run["next"]["undo_file"] == str(tmp_path / "undo-2.json")
    assert not run["again"].changed
    documented("killed in the middle", run["next"])
    assert run["back"]["summary"]["changed"] == COUNT
    assert (run["back"]["changed_since"], off(tenant)) == ([], 0)
