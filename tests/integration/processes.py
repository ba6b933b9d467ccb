# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook that are stopped on the way: by a time-out of the task, a signal, or a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import Lab, Task, Tenant

HAVE_PROC = Path("/proc/self/environ").exists()
# In which a process that is told to end has to be gone; the delays of these tests are ten times as long.
SOON = 60.0


@dataclass(frozen=True)
class Running:
    """A run that was started and goes on beside the test."""

    process: subprocess.Popen[bytes]
    directory: Path
    output: Path = field(repr=False)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def members(self) -> list[int]:
        """All processes of the run, orphans too: they have its directory in their environment."""
        self.process.poll()
        mark = f"{self.directory}/".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _content(path)]

    def workers(self) -> list[int]:
        """The processes that ansible-playbook made for its tasks."""
        return [process for process in self.members() if _parent(process) == self.process.pid]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to ansible-playbook alone."""
        self.process.send_signal(number)

    def send_to_workers(self, number: signal.Signals) -> None:
        for process in self.workers():
            os.kill(process, number)

    def kill_all(self) -> None:
        """As a power cut would."""
        for process in self.members():
            os.kill(process, signal.SIGKILL)

    def wait_until_gone(self, seconds: float = SOON) -> None:
        wait_for(lambda: not self.members(), seconds)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parent(process: int) -> int:
    after_name = _content(Path(f"/proc/{process}/stat")).rpartition(b")")[2].split()
    return int(after_name[1]) if after_name else 0


def start(lab: Lab, tasks: Sequence[Task], tenant: Tenant, **how: Any) -> Running:
    """Start a run and return at once. Tests stop it, or wait until it is gone."""
    ready = lab.prepare(tasks, tenant, **how)
    output = ready.directory / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            ready.command, env=ready.environment, cwd=ready.directory, stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    return Running(process, ready.directory, output)


def wait_for(holds: Callable[[], bool], seconds: float = 300) -> None:
    """Wait for an event. The time only limits how long a failing test takes."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)
