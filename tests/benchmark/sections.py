# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurements, each with what it is asked for; their results are plain data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from .lab import Lab, Tenant, connection
from .model import Latency, one_by_one_limit, read_limit, to_fix, verdict_limit
from .runs import COUNT, MEASURE, PLAYBOOKS, ROOT, playbook
from .ways import OURS, PER_MAILBOX, WAYS, Cell, extrapolated, measure

Data = Any
BASELINE = ROOT / "playbooks" / "baseline.yml"
# Where only memory or processor time is of interest, the service need not be slow.
FAST = Latency(request=0.02, row=0.0, item=0.0)


@dataclass(frozen=True)
class Sizes:
    """How large the measurements are."""

    compare: Sequence[int] = (1, 100, 1000, 10_000)
    shares: Sequence[float] = (0.0, 0.01, 0.1)
    sample: int = 20
    memory: int = 20_000
    linearity: Sequence[int] = (1000, 5000, 10_000, 20_000, 50_000)
    tenants: int = 50
    forks: int = 10
    tenant_mailboxes: int = 100
    # A job of many tenants, and one slice of such a job.
    job: int = 200
    slice: int = 50
    verdict: int = 10_000
    sign_ins: int = 50_000
    # Tenants, mailboxes of each, how many of these the evidence names, and nights.
    evidence: Sequence[tuple[int, int, int, int]] = ((200, 250, 12, 30), (20, 50_000, 40, 30), (200, 250, 250, 2))


QUICK = Sizes(
    compare=(1, 100, 1000),
    sample=4,
    memory=2000,
    linearity=(500, 2000),
    tenants=4,
    forks=2,
    job=6,
    slice=3,
    verdict=1000,
    sign_ins=4000,
    evidence=((10, 250, 12, 3),),
)


def say(text: str) -> None:
    print(text, flush=True)


def compare(lab: Lab, sizes: Sizes) -> Data:
    """All ways at all sizes."""
    units = {way: _units(lab, way, sizes.sample) for way in PER_MAILBOX}
    cells: list[Cell] = []
    for mailboxes in sizes.compare:
        counts = sorted({to_fix(mailboxes, share) for share in sizes.shares})
        with lab.tenant(mailboxes) as tenant:
            for changes in counts:
                for way in WAYS:
                    if way in PER_MAILBOX and mailboxes > 1:
                        cell = extrapolated(*units[way], mailboxes, changes)
                    else:
                        cell = measure(lab, way, tenant, changes)
                    cells.append(cell)
                    _say_cell(cell)
    return [asdict(cell) for cell in cells]


def _units(lab: Lab, way: str, sample: int) -> tuple[Cell, Cell]:
    """A sample of mailboxes with nothing to fix, and with everything."""
    with lab.tenant(sample) as tenant:
        cells = (measure(lab, way, tenant, 0), measure(lab, way, tenant, sample))
    for cell in cells:
        _say_cell(cell)
    return cells


def _say_cell(cell: Cell) -> None:
    source = f", extrapolated from {cell.sample} mailboxes" if cell.sample else ""
    late = f"; simulator {cell.simulator_cpu:.1f} s busy, {cell.overruns} overruns ({cell.overrun_seconds:.3f} s)"
    say(
        f"  {cell.way}: {cell.mailboxes:,} mailboxes, {cell.to_fix:,} to fix: {cell.seconds:,.2f} s,"
        f" {cell.requests:,} requests, {cell.tokens} tokens, {cell.memory_mb:.0f} MB{source or late}"
    )


def single(lab: Lab, sizes: Sizes) -> Data:
    """One converged mailbox with the token at hand, several times."""
    with lab.tenant(1) as tenant:
        given: dict[str, Any] = {"environment": tenant.info.environment, "variables": {"names": tenant.names}}
        lab.begin()
        run = playbook(lab, PLAYBOOKS / "single.yml", **given)
        tasks = run.named("Measured")
        seen = lab.seen(tasks[0].started, tasks[-1].ended)
        measured = playbook(lab, PLAYBOOKS / "single.yml", interpreter=MEASURE, **given)
    uses = [use for use in measured.uses if "exo_cas_mailbox" in use.name]
    found: dict[str, Any] = {
        "seconds": [task.seconds for task in tasks],
        "median": median(task.seconds for task in tasks),
        "network": read_limit(1),
        "requests": seen.requests / len(tasks),
        "tokens": seen.tokens,
        "module_seconds": median(use.seconds for use in uses),
        "module_processor": median(use.processor for use in uses),
        "memory_mb": max(use.memory_mb for use in uses),
    }
    say(f"  {found['median']:.2f} s, {found['median'] - found['network']:.2f} s above the network time")
    return found


def memory(lab: Lab, sizes: Sizes) -> Data:
    """Peak memory of the module's process, with nothing to fix and with much."""
    cases = ((0.0, ()), (0.1, ()), (1.0, ()), (1.0, ("--diff",)))
    found = []
    with lab.tenant(sizes.memory, FAST) as tenant:
        for share, options in cases:
            changes = to_fix(tenant.mailboxes, share)
            if changes:
                tenant.disturb(changes)
            run = playbook(
                lab,
                PLAYBOOKS / "one_task.yml",
                environment=tenant.info.environment,
                interpreter=MEASURE,
                options=options,
            )
            tenant.check()
            use = next(use for use in run.uses if "exo_cas_mailbox" in use.name)
            found.append({"mailboxes": tenant.mailboxes, "to_fix": changes, "diff": bool(options), **asdict(use)})
            say(f"  {tenant.mailboxes:,} mailboxes, {changes:,} to fix {' '.join(options)}: {use.memory_mb:.0f} MB")
    return found


def linearity(lab: Lab, sizes: Sizes) -> Data:
    """Our task at growing sizes, one mailbox in a hundred to fix."""
    found = []
    for mailboxes in sizes.linearity:
        with lab.tenant(mailboxes) as tenant:
            cell = measure(lab, OURS, tenant, to_fix(mailboxes, 0.01))
        _say_cell(cell)
        found.append(asdict(cell))
    return found


def verdict(lab: Lab, sizes: Sizes) -> Data:
    """Who can use SMTP AUTH and who does: all mailboxes, with the sign-ins of 30 days."""
    kinds = {"senders": 0.05, "failures": 0.1, "interactive": 0.1, "other_string": 0.2}
    log = {"count": sizes.sign_ins, "days": 30, "seed": 1, **kinds}
    with lab.tenant(sizes.verdict, entra={"limits": True, "generate_sign_ins": log}) as tenant:
        dest = lab.scratch / "verdict.json"
        lab.begin()
        run = playbook(
            lab,
            PLAYBOOKS / "verdict.yml",
            environment=tenant.info.environment,
            variables={"dest": str(dest)},
            interpreter=MEASURE,
        )
        (task,) = run.named("Measured")
        lab.seen(task.started, task.ended)
        asked = [one["path"] for one in lab.simulator.requests(tenant.info.label) if one["kind"] == "graph"]
        cmdlets = len(lab.simulator.log(tenant.info.label))
    told = json.loads(dest.read_text(encoding="utf-8"))["summary"]
    use = next(use for use in run.uses if "exo_smtp_auth_info" in use.name)
    log_requests = sum("signIns" in path for path in asked)
    found: dict[str, Any] = {
        "mailboxes": told["mailboxes"],
        "sign_ins": sizes.sign_ins,
        "used": told["usage"]["used"],
        "unknown": told["usage"]["unknown"],
        "cmdlets": cmdlets,
        "graph": len(asked),
        "log_requests": log_requests,
        **asdict(use),
        "seconds": task.seconds,
        "limit": verdict_limit(sizes.verdict, log_requests, sizes.sign_ins),
        "one_by_one": one_by_one_limit(sizes.verdict),
    }
    say(f"  {found['seconds']:.1f} s (limit {found['limit']:.1f} s), {found['memory_mb']:.0f} MB, {cmdlets} cmdlets")
    return found


def fleet(lab: Lab, sizes: Sizes) -> Data:
    """Many converged tenants, three tasks each."""

    def host(tenant: Tenant) -> dict[str, Any]:
        return {"service": connection(tenant.info), "scanner": tenant.names[0]}

    bare: dict[str, Any] = {"tenants": {"hosts": {f"host{number}": {} for number in range(sizes.tenants)}}}
    run = playbook(lab, PLAYBOOKS / "nothing.yml", inventory=bare, options=("--forks", str(sizes.forks)))
    found = _fleet(lab, sizes, PLAYBOOKS / "fleet.yml", host)
    return {**found, "nothing": run.processor / sizes.tenants}


def role(lab: Lab, sizes: Sizes) -> Data:
    """The same with the role and its playbook."""
    return _fleet(lab, sizes, BASELINE, _baseline)


def _baseline(tenant: Tenant) -> dict[str, Any]:
    """The variables of a tenant's host: its connection, and a baseline of three parts."""
    names = ("tenant", "client_id", "client_secret", "ca_path")
    return {
        **{f"exo_{name}": connection(tenant.info)[name] for name in names},
        "tenant_baseline_transport_config": {"external_delay_dsn_enabled": False, "internal_delay_dsn_enabled": False},
        "tenant_baseline_smtp_auth_organization": "disabled",
        "tenant_baseline_smtp_auth_allowed": [{"identity": tenant.names[0], "reason": "scans to mail"}],
        "tenant_baseline_smtp_auth_unlisted": "not_enabled",
        "tenant_baseline_all_mailboxes": {"imap_enabled": False, "pop_enabled": False},
        "tenant_baseline_max_changes": "100%",
        "tenant_baseline_propagation_delay": 0,
    }


def tenants(lab: Lab, sizes: Sizes) -> Data:
    """A job of many tenants by the role: applying, again when nothing is left to do, and one slice of it."""
    with ExitStack() as stack:
        found = [stack.enter_context(lab.tenant(sizes.tenant_mailboxes)) for _dummy in range(sizes.job)]
        runs = {
            "apply": _job(lab, sizes, found),
            "again": _job(lab, sizes, found),
            "slice": _job(lab, sizes, found[: sizes.slice]),
        }
    if runs["again"]["changed"] or runs["slice"]["changed"]:
        raise RuntimeError("the tenants of the job do not converge")
    return {"forks": sizes.forks, "mailboxes": sizes.tenant_mailboxes, **runs}


def _job(lab: Lab, sizes: Sizes, chosen: Sequence[Tenant]) -> dict[str, Any]:
    """One run of the baseline's playbook.

    events: of a tenant, as AWX counts them, a start and a result of each task. One of them has a task more for all.
    """
    hosts = {tenant.info.label: _baseline(tenant) for tenant in chosen}
    lab.begin()
    run = playbook(
        lab,
        BASELINE,
        inventory={"tenants": {"hosts": hosts}},
        environment=_urls(chosen[0]),
        options=("--forks", str(sizes.forks)),
        watch=True,
    )
    started, ended = min(task.started for task in run.tasks), max(task.ended for task in run.tasks)
    seen = lab.seen(started, ended)
    figures: dict[str, Any] = {
        "tenants": len(chosen),
        "changed": run.changed,
        "seconds": ended - started,
        "processor": run.processor,
        "largest_mb": run.spent.largest_mb,
        "tree_mb": run.spent.tree_mb,
        "events": 2 * median(Counter(task.host for task in run.tasks if task.host in hosts).values()),
        "requests": seen.requests / len(chosen),
        "simulator_cpu": seen.simulator_cpu,
    }
    say(
        f"  {len(chosen)} tenants: {figures['seconds']:.0f} s, {figures['processor']:.0f} s of processor time,"
        f" {figures['tree_mb']:.0f} MB, {figures['events']:g} events a tenant"
    )
    return figures


def _urls(tenant: Tenant) -> dict[str, str]:
    """Playbooks take the service's URLs from the environment; they are the same for all."""
    return {name: tenant.info.environment[name] for name in ("EXO_ENDPOINT", "EXO_AUTHORITY")}


def _fleet(lab: Lab, sizes: Sizes, path: Path, host: Callable[[Tenant], dict[str, Any]]) -> dict[str, Any]:
    with ExitStack() as stack:
        group = [stack.enter_context(lab.tenant(sizes.tenant_mailboxes)) for _dummy in range(sizes.tenants)]
        hosts = {tenant.info.label: host(tenant) for tenant in group}
        given: dict[str, Any] = {
            "inventory": {"tenants": {"hosts": hosts}},
            "environment": _urls(group[0]),
            "options": ("--forks", str(sizes.forks)),
        }
        playbook(lab, path, **given)
        counted = playbook(lab, path, interpreter=COUNT, **given)
        lab.begin()
        run = playbook(lab, path, **given)
        started, ended = min(task.started for task in run.tasks), max(task.ended for task in run.tasks)
        seen = lab.seen(started, ended)
    if counted.changed or run.changed:
        raise RuntimeError("the tenants of the fleet do not converge")
    found: dict[str, Any] = {
        "tenants": sizes.tenants,
        "forks": sizes.forks,
        "mailboxes": sizes.tenant_mailboxes,
        "processes": sum("exo_" in use.name for use in counted.uses) / sizes.tenants,
        "tasks": len(run.tasks) / sizes.tenants,
        "processor": run.processor / sizes.tenants,
        "seconds": ended - started,
        "requests": seen.requests / sizes.tenants,
        "tokens": seen.tokens / sizes.tenants,
    }
    say(
        f"  {found['processes']:g} processes and {found['processor']:.2f} s of processor time a tenant,"
        f" {found['seconds']:.0f} s"
    )
    return found


def evidence(lab: Lab, sizes: Sizes) -> Data:
    """Rendering the evidence of fleets; no service is asked."""
    found = []
    for size in sizes.evidence:
        with tempfile.TemporaryDirectory() as directory:
            _evidence("generate", directory, *map(str, size))
            figures = json.loads(_evidence("render", directory))
        tenants, mailboxes, listed, nights = size
        of = {"tenants": tenants, "mailboxes": mailboxes, "listed": listed, "nights": nights}
        found.append({**of, **figures})
        say(f"  {tenants} tenants of {mailboxes:,}: {figures['seconds']:.1f} s, {figures['memory_mb']:.0f} MB")
    return found


def _evidence(*arguments: str) -> str:
    paths = (ROOT / "tests", ROOT / ".cache" / "collections")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-m", "evidence.measure", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


SECTIONS: Mapping[str, Callable[[Lab, Sizes], Data]] = {
    "single": single,
    "compare": compare,
    "memory": memory,
    "linearity": linearity,
    "verdict": verdict,
    "fleet": fleet,
    "role": role,
    "tenants": tenants,
    "evidence": evidence,
}
