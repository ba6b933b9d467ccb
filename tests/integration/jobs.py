# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks run as AWX runs them: by ansible-runner, with a job's variables, and told by the stream of events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import Lab, Tenant
from processes import Running

NUMBER = 4711
# AWX replaces a longer result by an empty one.
MOST_OF_A_RESULT = 700_000
# The callback of the runner must be the one that writes to the screen.
_NOT_IN_A_JOB = ("ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CALLBACK_PLUGINS", "JSON_LINES_PATH")


@dataclass(frozen=True)
class Job:
    """A job, running or done."""

    running: Running
    directory: Path

    def wait(self) -> int:
        return self.running.process.wait(timeout=600)

    def kill_the_container(self) -> None:
        """As AWX does when a job is cancelled: all that runs in it at once, and not the runner that tells of it."""
        for process in self.running.members():
            if process != self.running.process.pid:
                os.kill(process, signal.SIGKILL)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Those that have arrived, in order."""
        paths = (self.directory / "artifacts" / str(NUMBER) / "job_events").glob("*-*.json")
        whole = [path for path in paths if not path.name.endswith("-partial.json")]
        # What is printed outside of any event has no data.
        found = [{"event_data": {}, **json.loads(path.read_text(encoding="utf-8"))} for path in whole]
        return sorted(found, key=lambda event: int(event["counter"]))

    @property
    def results(self) -> list[dict[str, Any]]:
        """What the events say of tasks' results."""
        return [event["event_data"]["res"] for event in self.events if "res" in event["event_data"]]

    @property
    def artifacts(self) -> dict[str, Any]:
        """What AWX keeps of set_stats; it comes with the last event."""
        (last,) = [event for event in self.events if event["event"] == "playbook_on_stats"]
        found: dict[str, Any] = last["event_data"]["artifact_data"]
        return found

    def of_host(self, tenant: Tenant) -> list[dict[str, Any]]:
        """The events of a host, and those that its tasks let appear beside them."""
        return [event for event in self.events if event["event_data"].get("host") == tenant.label]


def start_job(
    lab: Lab,
    playbook: Path,
    tenants: Sequence[Tenant],
    host_vars: Mapping[str, Mapping[str, Any]],
    *,
    arguments: Sequence[str] = (),
) -> Job:
    """Start a job and return at once."""
    ready = lab.prepare(playbook, list(tenants), host_vars=host_vars, env=tenants[0].urls)
    directory = ready.directory / "runner"
    (directory / "env").mkdir(parents=True)
    variables = {"awx_job_id": NUMBER, "tower_job_id": NUMBER}
    (directory / "env" / "extravars").write_text(json.dumps(variables), encoding="utf-8")
    environment = {name: value for name, value in ready.environment.items() if name not in _NOT_IN_A_JOB}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    inventory = ready.directory / "inventory.json"
    command = [sys.executable, "-m", "ansible_runner", "run", str(directory), "--playbook", str(playbook),
               "--inventory", str(inventory), "--ident", str(NUMBER), *arguments]  # fmt: skip
    output = ready.directory / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, env=environment, cwd=ready.directory, stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    return Job(Running(process, ready.directory, output), directory)
