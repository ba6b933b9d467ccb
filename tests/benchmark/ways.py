# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to do the same work, and how each is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .lab import Lab, Tenant, connection
from .model import limit
from .runs import MEASURE, PLAYBOOKS, Run, Use, playbook, script


@dataclass(frozen=True)
class Cell:
    """One way at one size. ``sample``: from how many mailboxes it was extrapolated, None where all were worked on.

    ``processor`` and ``memory_mb`` are those of the module's (or script's) processes: the sum, and the largest.
    """

    way: str
    mailboxes: int
    to_fix: int
    seconds: float
    requests: int
    tokens: int
    write_seconds: float
    memory_mb: float
    processor: float
    sample: int | None = None
    overruns: int = 0
    overrun_seconds: float = 0.0
    simulator_cpu: float = 0.0

    @property
    def times_limit(self) -> float:
        return self.seconds / limit(self.mailboxes, self.to_fix)


@dataclass(frozen=True)
class Timing:
    """When the work began, with the token at hand, and ended, and the processes that did it."""

    started: float
    ended: float
    uses: list[Use]


def _timing(run: Run, first: str, last: str, module: str) -> Timing:
    started, ended = run.named(first)[0].started, run.named(last)[-1].ended
    return Timing(started, ended, [use for use in run.uses if module in use.name])


def _one_task(lab: Lab, tenant: Tenant) -> Timing:
    run = playbook(lab, PLAYBOOKS / "one_task.yml", environment=tenant.info.environment, interpreter=MEASURE)
    return _timing(run, "Measured", "Measured", "exo_cas_mailbox")


def _loop(lab: Lab, tenant: Tenant) -> Timing:
    names = {"names": tenant.names}
    run = playbook(
        lab, PLAYBOOKS / "loop.yml", environment=tenant.info.environment, variables=names, interpreter=MEASURE
    )
    return _timing(run, "Measured", "Measured", "exo_cas_mailbox")


def _uri_loop(lab: Lab, tenant: Tenant) -> Timing:
    variables = {"names": tenant.names, "connection": connection(tenant.info)}
    run = playbook(lab, PLAYBOOKS / "uri_loop.yml", variables=variables, interpreter=MEASURE)
    return _timing(run, "Read", "Write", "uri")


def _script(name: str) -> Callable[[Lab, Tenant], Timing]:
    def measure(lab: Lab, tenant: Tenant) -> Timing:
        said, use = script(lab, name, {"connection": connection(tenant.info), "names": tenant.names})
        return Timing(said["started"], said["ended"], [use])

    return measure


OURS = "one task"
BATCHES = "batches one after another"
IN_TURN = "one mailbox after another"
LOOP = "loop of the module"
URI = "loop of uri"

WAYS: dict[str, Callable[[Lab, Tenant], Timing]] = {
    OURS: _one_task,
    BATCHES: _script("sequential_batches"),
    IN_TURN: _script("one_by_one"),
    URI: _uri_loop,
    LOOP: _loop,
}
# Their time grows with every mailbox by the same, and is long: a few mailboxes tell it.
PER_MAILBOX = (IN_TURN, URI, LOOP)


def measure(lab: Lab, way: str, tenant: Tenant, changes: int) -> Cell:
    """Do the work in one way, with so many mailboxes to fix, and see that it was done."""
    if changes:
        tenant.disturb(changes)
    lab.begin()
    timing = WAYS[way](lab, tenant)
    seen = lab.seen(timing.started, timing.ended)
    tenant.check()
    return Cell(
        way=way,
        mailboxes=tenant.mailboxes,
        to_fix=changes,
        seconds=timing.ended - timing.started,
        requests=seen.requests,
        tokens=seen.tokens,
        write_seconds=seen.write_seconds,
        memory_mb=max(use.memory_mb for use in timing.uses),
        processor=sum(use.processor for use in timing.uses),
        overruns=seen.overruns,
        overrun_seconds=seen.overrun_seconds,
        simulator_cpu=seen.simulator_cpu,
    )


def extrapolated(nothing: Cell, everything: Cell, mailboxes: int, changes: int) -> Cell:
    """What the time of a sample of mailboxes with nothing, and with everything, to fix makes for this many."""
    sample = nothing.mailboxes

    def scaled(of_none: float, of_all: float) -> float:
        return ((mailboxes - changes) * of_none + changes * of_all) / sample

    return replace(
        everything,
        mailboxes=mailboxes,
        to_fix=changes,
        sample=sample,
        seconds=scaled(nothing.seconds, everything.seconds),
        requests=round(scaled(nothing.requests, everything.requests)),
        tokens=0,
        write_seconds=0.0,
        processor=scaled(nothing.processor, everything.processor),
        memory_mb=max(nothing.memory_mb, everything.memory_mb),
        overruns=nothing.overruns + everything.overruns,
        overrun_seconds=nothing.overrun_seconds + everything.overrun_seconds,
        simulator_cpu=0.0,
    )
