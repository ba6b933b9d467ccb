# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated service and its tenants, and what it saw of a measurement."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.testing import Simulator, TenantInfo

from .model import STATED, Latency

SETTING = "SmtpClientAuthenticationDisabled"


@dataclass(frozen=True)
class Seen:
    """The requests of one period, and whether the simulator kept to its latency meanwhile."""

    requests: int
    tokens: int
    pages: int
    batches: int
    write_seconds: float
    overruns: int
    overrun_seconds: float
    simulator_cpu: float


class Tenant:
    """One simulated tenant. All its mailboxes inherit, but for those that ``disturb`` enables."""

    def __init__(self, lab: Lab, info: TenantInfo, mailboxes: int) -> None:
        self._simulator = lab.simulator
        self.info = info
        self.mailboxes = mailboxes
        self._boxes: list[dict[str, Any]] = self._simulator.state(info.label)["mailboxes"]

    @property
    def names(self) -> list[str]:
        return [str(box["UserPrincipalName"]) for box in self._boxes]

    def disturb(self, changes: int) -> None:
        """Let this many mailboxes, spread evenly, differ from what is wanted."""
        chosen = [self._boxes[index * self.mailboxes // changes] for index in range(changes)]
        different = [{"identity": box["Guid"], "cas": {SETTING: False}} for box in chosen]
        self._simulator.patch_tenant(self.info.label, mailboxes=different)

    def check(self) -> None:
        """That the work was done."""
        wrong = [box for box in self._simulator.state(self.info.label)["mailboxes"] if box[SETTING] is not None]
        if wrong:
            raise RuntimeError(f"{len(wrong)} mailboxes are not as they should be")


class Lab:
    """The simulator, and a directory for what a measurement needs."""

    def __init__(self, simulator: Simulator, scratch: Path) -> None:
        self.simulator = simulator
        self.scratch = scratch
        self.overruns = 0
        self.overrun_seconds = 0.0
        self.modelled = 0
        self.busy = 0.0
        self._number = 0
        self._cpu = 0.0

    @contextmanager
    def tenant(self, mailboxes: int, latency: Latency = STATED, **description: Any) -> Iterator[Tenant]:
        info = self.add(mailboxes, latency, **description)
        try:
            yield Tenant(self, info, mailboxes)
        finally:
            self.simulator.remove_tenant(info.label)

    def add(self, mailboxes: int, latency: Latency = STATED, **description: Any) -> TenantInfo:
        self._number += 1
        generate = {"count": mailboxes, "explicit_enabled": 0, "explicit_disabled": 0}
        return self.simulator.add_tenant(
            {
                "label": f"tenant{self._number}",
                "generate": generate,
                "latency": latency.milliseconds,
                "transport_config": {SETTING: True},
                **description,
            }
        )

    def begin(self) -> None:
        """Forget what was seen so far."""
        self.simulator.reset()
        self._cpu = cpu_seconds(self.simulator.process.pid)

    def seen(self, started: float, ended: float) -> Seen:
        """What the service saw between two moments since ``begin``."""
        cpu = cpu_seconds(self.simulator.process.pid) - self._cpu
        model = self.simulator.stats()["model"]
        self.overruns += model["overruns"]
        self.overrun_seconds += model["overrun_seconds_total"]
        self.modelled += model["requests"]
        self.busy += cpu
        noted = [entry for entry in self.simulator.requests() if started <= entry["time"] <= ended]
        requests = [entry for entry in noted if entry["kind"] != "batch_item"]
        kinds = [entry["kind"] for entry in requests]
        return Seen(
            requests=len(requests),
            tokens=kinds.count("token"),
            pages=kinds.count("invoke"),
            batches=kinds.count("batch"),
            write_seconds=_write_seconds(requests),
            overruns=model["overruns"],
            overrun_seconds=model["overrun_seconds_total"],
            simulator_cpu=cpu,
        )


def _write_seconds(requests: list[dict[str, Any]]) -> float:
    """From the answer with the last page to the answer of the last batch."""
    batches = [entry["time"] for entry in requests if entry["kind"] == "batch"]
    if not batches:
        return 0.0
    pages = [entry["time"] for entry in requests if entry["kind"] == "invoke" and entry["time"] < min(batches)]
    return float(max(batches) - max(pages)) if pages else 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far; 0 where the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connection(info: TenantInfo) -> Mapping[str, str]:
    """What a client needs to know of a tenant."""
    names = ("endpoint", "authority", "ca_path", "tenant", "tenant_id", "client_id", "client_secret")
    return {name: str(info.values[name]) for name in names}
