# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a page of Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from .model import CONCURRENCY, LOG_REQUESTS, LOG_SECONDS, PAGE, STATED, limit
from .ways import BATCHES, IN_TURN, LOOP, OURS, URI, Cell

Results = Mapping[str, Any]

WHAT = {
    OURS: "one task of `exo_cas_mailbox` with `all_mailboxes: true`, run by `ansible-playbook`",
    BATCHES: "a script: one paged read, then batches of ten, one after another, as CIPP does",
    IN_TURN: "a script: one read for each mailbox and a write where it differs, as Microsoft365DSC does (a REST call in"
    " place of its PowerShell session)",
    URI: "a playbook: `ansible.builtin.uri` in a loop, one read for each mailbox and a write where it differs",
    LOOP: "a playbook: `exo_cas_mailbox` in a loop, one mailbox each",
}


def markdown(results: Results, plot: str | None) -> str:
    parts = [*_head(results), *_targets(results)]
    for name, writer in WRITERS.items():
        if name in results:
            parts += ["", *writer(results[name])]
            if name == "compare" and plot:
                parts += ["", f"![Time by number of mailboxes]({plot})", "", "Hollow points are extrapolated."]
    return "\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def seconds(value: float) -> str:
    if value < 10:
        return f"{value:.2f} s"
    if value < 600:
        return f"{value:.1f} s"
    return f"{value:,.0f} s ({value / 3600:.1f} h)"


def _head(results: Results) -> Iterator[str]:
    yield "# Benchmark"
    yield ""
    yield "Made by `make benchmark`; the figures as data are in `results.json`."
    if any(section["quick"] for section in results.values()):
        yield ""
        yield "**Only a trial with small sizes (`--quick`)**: the targets are meant for the full ones."
    yield ""
    yield "The service is the simulator of this collection, on the same machine, which answers no sooner than"
    yield (
        f"{STATED.request * 1000:g} ms after a request, {STATED.row * 1000:g} ms more for each row that it returns and"
        f" {STATED.item * 1000:g} ms more for each item of a batch."
    )
    yield "Its own work counts as part of that time. Where it took longer than the model, that is an overrun, and what"
    yield "processor time it needed in all is shown beside."
    yield "The latency is an assumption: the real service has not been measured."
    yield ""
    rows = [_section_row(name, results[name]) for name in results]
    yield from table(
        (
            "measurement",
            "date",
            "system",
            "cores",
            "Python",
            "ansible-core",
            "load before",
            "requests",
            "overruns",
            "simulator busy",
        ),
        rows,
    )


def _section_row(name: str, section: Mapping[str, Any]) -> list[str]:
    facts, simulator = section["machine"], section["simulator"]
    late = f"{simulator['overruns']} ({simulator['overrun_seconds']:.3f} s)"
    shown = [facts[key] for key in ("system", "cores", "python", "ansible_core", "load")]
    return [name, section["date"], *map(str, shown), f"{simulator['requests']:,}", late, seconds(simulator["busy"])]


# --- targets ---


def _targets(results: Results) -> Iterator[str]:
    found = [finder(results[name]["data"]) for name, finder in TARGETS.items() if name in results]
    yield ""
    yield "## Targets"
    yield ""
    yield from table(("figure", "measured", "target", "met"), itertools.chain.from_iterable(found))


def _row(figure: str, value: float, form: str, target: float, *, least: bool = False) -> list[str]:
    met = value >= target if least else value <= target
    sign = "at least" if least else "at most"
    return [figure, form.format(value), f"{sign} {form.format(target)}", "yes" if met else "**no**"]


def _cells(data: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int, int], Cell]:
    cells = [Cell(**one) for one in data]
    return {(cell.way, cell.mailboxes, cell.to_fix): cell for cell in cells}


def _single_targets(data: Mapping[str, Any]) -> Iterator[list[str]]:
    above = data["median"] - data["network"]
    yield _row("one converged mailbox, token at hand: time above its network time", above, "{:.2f} s", 0.5)


def _compare_targets(data: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    cells = _cells(data)
    # The targets are about 10,000 mailboxes: a smaller size has too few batches to be four times faster.
    for (way, size, changes), cell in cells.items():
        if way != OURS or size != 10_000:
            continue
        label = f"{size:,} mailboxes, {changes:,} to fix"
        bound = 1.05 * limit(size, changes) + 1.0
        yield _row(f"{label}: time, against 1.05 times the limit and 1.0 s", cell.seconds, "{:.1f} s", bound)
        for loop in (URI, LOOP):
            ratio = cells[loop, size, changes].seconds / cell.seconds
            if changes in (0, size // 10):
                target = 120 if changes else 300
                yield _row(f"{label}: times faster than a {loop} (extrapolated)", ratio, "{:.0f}", target, least=True)
        if changes == size // 10:
            ratio = cells[BATCHES, size, changes].write_seconds / cell.write_seconds
            yield _row(f"{label}: writes, times faster than {BATCHES}", ratio, "{:.2f}", 3.6, least=True)


def _memory_targets(data: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    for case in data:
        diff = ", with `--diff`" if case["diff"] else ""
        label = f"{case['mailboxes']:,} mailboxes, {case['to_fix']:,} to fix{diff}: peak memory"
        yield _row(label, case["memory_mb"], "{:.0f} MB", 150)


def _linearity_targets(data: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    cells = [Cell(**one) for one in data]
    last = cells[-1]
    base = next((cell for cell in cells if cell.mailboxes == 10_000), cells[0])
    ratio = (last.seconds / last.mailboxes) / (base.seconds / base.mailboxes)
    label = f"time per mailbox at {last.mailboxes:,} mailboxes, against {base.mailboxes:,}"
    yield _row(label, ratio, "{:.2f}", 1.1)


def _fleet_targets(how: str, processor: float, once: int, data: Mapping[str, Any]) -> Iterator[list[str]]:
    """once: processes that a whole run has beside those of its tenants; the role's compares whose tenant each is."""
    tenants = data["tenants"]
    label = f"{tenants} converged tenants, {data['forks']} forks, {how}"
    yield _row(f"{label}: module processes a tenant", data["processes"], "{:g}", round(3 + once / tenants, 2))
    yield _row(f"{label}: processor time a tenant", data["processor"], "{:.2f} s", processor)


def _verdict_targets(data: Mapping[str, Any]) -> Iterator[list[str]]:
    label = f"{data['mailboxes']:,} mailboxes and {data['sign_ins']:,} sign-ins judged"
    bound = 1.1 * data["limit"] + 2
    yield _row(f"{label}: time, against 1.1 times the limit and 2 s", data["seconds"], "{:.1f} s", bound)
    yield _row(f"{label}: peak memory", data["memory_mb"], "{:.0f} MB", 150)
    pages = 2 * -(-data["mailboxes"] // PAGE)
    beside = data["cmdlets"] + data["graph"] - data["log_requests"] - pages
    yield _row(f"{label}: requests beside the pages of mailboxes, users and log", beside, "{:g}", 7)


def _tenants_targets(data: Mapping[str, Any]) -> Iterator[list[str]]:
    again = data["again"]
    label = f"{again['tenants']} converged tenants in a job: events a tenant"
    yield _row(label, again["events"], "{:g}", 12)


def _evidence_targets(data: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    for one in data:
        label = f"evidence of {one['tenants']:,} tenants, {one['listed']:,} mailboxes named of each: size of the page"
        yield _row(label, one["page_bytes"] / 1e6, "{:.2f} MB", 3)


TARGETS: Mapping[str, Callable[[Any], Iterator[list[str]]]] = {
    "single": _single_targets,
    "compare": _compare_targets,
    "memory": _memory_targets,
    "linearity": _linearity_targets,
    "verdict": _verdict_targets,
    "fleet": partial(_fleet_targets, "three tasks each", 1.5, 0),
    "role": partial(_fleet_targets, "by the role", 2.2, 1),
    "tenants": _tenants_targets,
    "evidence": _evidence_targets,
}


# --- sections ---


def _single(section: Mapping[str, Any]) -> Iterator[str]:
    data = section["data"]
    yield "## One converged mailbox"
    yield ""
    yield (
        f"{len(data['seconds'])} tasks after one that got the token; from the moment that `ansible-playbook` hands a"
        " task to a worker until it has the result (a callback plugin's clock)."
    )
    yield ""
    yield from table(
        ("", "value"),
        [
            ["task, median", seconds(data["median"])],
            ["task, all", ", ".join(f"{value:.2f}" for value in data["seconds"])],
            ["network time (one request, one row)", seconds(data["network"])],
            ["requests a task", f"{data['requests']:g}"],
            ["module's process, median: time", seconds(data["module_seconds"])],
            ["module's process, median: processor time", seconds(data["module_processor"])],
            ["module's process: peak memory", f"{data['memory_mb']:.0f} MB"],
        ],
    )


def _compare(section: Mapping[str, Any]) -> Iterator[str]:
    sample = section["sizes"]["sample"]
    cells = _cells(section["data"])
    yield "## Five ways to do the same work"
    yield ""
    yield "Every mailbox is to inherit `SmtpClientAuthenticationDisabled`; some have a value of their own."
    yield ""
    yield from (f"- **{way}**: {what}." for way, what in WHAT.items())
    yield ""
    yield "Each has its token when the clock starts. Playbooks: from the moment that `ansible-playbook` hands the first"
    yield "task to a worker until it has the result of the last (a callback plugin's clock). Scripts: by their own"
    yield "clock, without the start of Python. After each run the simulator's state is checked: the work was done."
    yield ""
    yield (
        "*Limit*: the time that the requests of the best plan take by themselves: pages of 1,000 one after another,"
        f" then batches of ten, {CONCURRENCY} at once."
    )
    yield (
        f"*~*: extrapolated in proportion from {sample} mailboxes with nothing, and {sample} with everything, to fix."
        " This takes for granted that each further mailbox costs the same."
    )
    yield "*Memory*: the largest process of the module or script. *Processor*: the sum of these processes."
    yield ""
    head = (
        "way",
        "mailboxes",
        "to fix",
        "time",
        "times the limit",
        "times one task",
        "requests",
        "memory",
        "processor",
        "overruns",
    )
    yield from table(head, [_compare_row(cell, cells) for cell in cells.values()])


def _compare_row(cell: Cell, cells: Mapping[tuple[str, int, int], Cell]) -> list[str]:
    ours = cells[OURS, cell.mailboxes, cell.to_fix]
    about = "~ " if cell.sample else ""
    return [
        f"**{cell.way}**" if cell.way == OURS else cell.way,
        f"{cell.mailboxes:,}",
        f"{cell.to_fix:,}",
        about + seconds(cell.seconds),
        f"{about}{cell.times_limit:,.2f}",
        f"{about}{cell.seconds / ours.seconds:,.1f}",
        f"{about}{cell.requests:,}",
        f"{cell.memory_mb:.0f} MB",
        about + seconds(cell.processor),
        "" if cell.sample else f"{cell.overruns} ({cell.overrun_seconds:.3f} s)",
    ]


def _memory(section: Mapping[str, Any]) -> Iterator[str]:
    yield "## Memory"
    yield ""
    yield "Peak resident memory of the module's process, as the kernel counts it for a child that has ended. The"
    yield "service is made fast here (20 ms a request, rows and items for nothing), to keep it short."
    yield ""
    rows = [
        [
            f"{case['mailboxes']:,}",
            f"{case['to_fix']:,}",
            "yes" if case["diff"] else "no",
            f"{case['memory_mb']:.0f} MB",
            seconds(case["user"] + case["system"]),
        ]
        for case in section["data"]
    ]
    yield from table(("mailboxes", "to fix", "`--diff`", "peak memory", "processor"), rows)


def _linearity(section: Mapping[str, Any]) -> Iterator[str]:
    yield "## Growth"
    yield ""
    yield "One task, 1 % to fix, at the stated latency."
    yield ""
    rows = []
    for cell in (Cell(**one) for one in section["data"]):
        count = cell.mailboxes
        rows.append(
            [
                f"{count:,}",
                seconds(cell.seconds),
                seconds(limit(count, cell.to_fix)),
                f"{cell.seconds * 1000 / count:.2f} ms",
                seconds(cell.processor),
                f"{cell.processor * 1000 / count:.3f} ms",
                f"{cell.memory_mb:.0f} MB",
            ]
        )
    head = ("mailboxes", "time", "limit", "time a mailbox", "processor", "processor a mailbox", "peak memory")
    yield from table(head, rows)


def _verdict(section: Mapping[str, Any]) -> Iterator[str]:
    data = section["data"]
    yield "## Who can use SMTP AUTH, and who does"
    yield ""
    yield "One task of `exo_smtp_auth_info` with `all_mailboxes`, `usage` and `dest`, tokens included. Microsoft Graph"
    yield (
        f"lets an app ask a tenant's sign-in log {LOG_REQUESTS} times in {LOG_SECONDS:g} seconds, and the simulator"
        " holds to that."
    )
    yield ""
    yield "*Limit*: the time that the requests take by themselves, one after another, within that rate."
    yield ""
    yield from table(
        ("", "value"),
        [
            ["mailboxes", f"{data['mailboxes']:,}"],
            ["rows of the sign-in log", f"{data['sign_ins']:,}"],
            ["time", seconds(data["seconds"])],
            ["limit", seconds(data["limit"])],
            ["limit of one question to the log about each mailbox in turn", seconds(data["one_by_one"])],
            ["cmdlets, one for each page", f"{data['cmdlets']:,}"],
            ["requests to Microsoft Graph, and of these to the log", f"{data['graph']:,}, {data['log_requests']:,}"],
            ["mailboxes in use, and whose use is not known", f"{data['used']:,}, {data['unknown']:,}"],
            ["peak memory of the module's process", f"{data['memory_mb']:.0f} MB"],
            ["processor", seconds(data["user"] + data["system"])],
        ],
    )


def _evidence(section: Mapping[str, Any]) -> Iterator[str]:
    yield "## Evidence of a fleet"
    yield ""
    yield "All formats of `exo_evidence`, from the files of so many nights. *Named* are the mailboxes with a setting of"
    yield "their own, an exception or use seen; the others are in the counts."
    yield ""
    rows = [
        [
            f"{one['tenants']:,}",
            f"{one['mailboxes']:,}",
            f"{one['listed']:,}",
            str(one["nights"]),
            seconds(one["seconds"]),
            f"{one['memory_mb']:.0f} MB",
            f"{one['page_bytes'] / 1e6:.2f} MB",
        ]
        for one in section["data"]
    ]
    head = ("tenants", "mailboxes of each", "of these named", "nights", "time", "peak memory", "page")
    yield from table(head, rows)


def _fleet(section: Mapping[str, Any]) -> Iterator[str]:
    data = section["data"]
    yield "## A fleet, three tasks each"
    yield ""
    yield (
        f"{data['tenants']} tenants with {data['mailboxes']} mailboxes each, all as they should be;"
        f" `exo_transport_config`, `exo_smtp_auth` and `exo_cas_mailbox` in one play, {data['forks']} forks."
    )
    yield from _fleet_values(data)
    yield ""
    yield f"Three tasks of `ansible.builtin.ping` in their place take {data['nothing']:.2f} s of processor time a host."


def _role(section: Mapping[str, Any]) -> Iterator[str]:
    yield "## A fleet, by the role"
    yield ""
    yield "The same tenants with `tenant_baseline`, run by `playbooks/baseline.yml`."
    yield from _fleet_values(section["data"])


SLICES = 20
_OF_A_JOB: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "time": lambda run: seconds(run["seconds"]),
    "processor time": lambda run: seconds(run["processor"]),
    "processor time a tenant": lambda run: seconds(run["processor"] / run["tenants"]),
    "memory of all processes together": lambda run: f"{run['tree_mb']:,.0f} MB",
    "memory of the largest process": lambda run: f"{run['largest_mb']:,.0f} MB",
    "events a tenant": lambda run: f"{run['events']:g}",
    "requests a tenant": lambda run: f"{run['requests']:.3g}",
    "processor time of the simulator beside": lambda run: seconds(run["simulator_cpu"]),
}


def _tenants(section: Mapping[str, Any]) -> Iterator[str]:
    yield "## A job of many tenants"
    yield ""
    yield from tenant_figures(section)


def tenant_figures(section: Mapping[str, Any]) -> Iterator[str]:
    """What the job of many tenants used, and what slices of it come to; docs/fleet.md has it too."""
    data, facts = section["data"], section["machine"]
    runs = [data[name] for name in ("apply", "again", "slice")]
    yield (
        f"`playbooks/baseline.yml` with {data['forks']} forks; each tenant has {data['mailboxes']} mailboxes. Measured"
        f" {section['date']} on {facts['cores']} cores with ansible-core {facts['ansible_core']}, against the"
        " simulator on the same machine, which takes its part of the processor beside."
    )
    yield ""
    counts = [f"{run['tenants']:,} tenants" for run in runs]
    heads = [f"{counts[0]}, everything to do", f"{counts[1]}, nothing to do", f"a slice of {counts[2]}, nothing to do"]
    yield from table(("", *heads), [[name, *map(shown, runs)] for name, shown in _OF_A_JOB.items()])
    yield ""
    yield "*Memory of all processes together* is looked at once a second; pages that several share count once. *Events*"
    yield "are the start and the result of each task on the tenant, as AWX stores them."
    yield ""
    one = data["slice"]
    yield f"{SLICES} such slices, which are {SLICES * one['tenants']:,} tenants, in proportion to the one measured:"
    yield ""
    yield from table(
        (f"{SLICES} slices of {one['tenants']}", "in proportion"),
        [
            ["time, one slice after another here", seconds(SLICES * one["seconds"])],
            ["time, all at once, each with a machine like this", seconds(one["seconds"])],
            ["processor time in all", seconds(SLICES * one["processor"])],
            ["memory, all at once", f"{SLICES * one['tree_mb'] / 1000:,.1f} GB"],
            ["events of each slice", f"{one['events'] * one['tenants']:,.0f}"],
        ],
    )


def _fleet_values(data: Mapping[str, Any]) -> Iterator[str]:
    yield "Processor time: of `ansible-playbook` and every process below it, its own start included; not the simulator."
    yield ""
    yield from table(
        ("", "value"),
        [
            ["time of the play", seconds(data["seconds"])],
            ["results of tasks a tenant", f"{data['tasks']:g}"],
            ["module processes a tenant", f"{data['processes']:g}"],
            ["processor time a tenant", seconds(data["processor"])],
            ["requests a tenant (with discovery and token)", f"{data['requests']:g}"],
            ["tokens a tenant", f"{data['tokens']:g}"],
        ],
    )


WRITERS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "single": _single,
    "compare": _compare,
    "memory": _memory,
    "linearity": _linearity,
    "verdict": _verdict,
    "fleet": _fleet,
    "role": _role,
    "tenants": _tenants,
    "evidence": _evidence,
}
