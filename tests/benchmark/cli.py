# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, the run, and where its results go."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simulator.testing import Simulator

from .lab import Lab
from .model import STATED
from .plot import draw
from .report import markdown, tenant_figures
from .runs import ROOT
from .sections import QUICK, SECTIONS, Sizes

RESULTS = "results.json"
DOCS = ROOT / "docs" / "benchmark"
# The page that has the figures of the section "tenants", between these marks.
FLEET = ROOT / "docs" / "fleet.md"
BEGIN, END = "<!-- measured by make benchmark -->", "<!-- end of what is measured -->"


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it; goes to .cache/benchmark")
    parser.add_argument("--only", metavar="NAME", choices=list(SECTIONS), action="append", help=", ".join(SECTIONS))
    parser.add_argument("--output", metavar="DIR", type=Path, help="default: docs/benchmark")
    parser.add_argument("--sample", type=int, help="mailboxes that the loops are measured on (default: 20)")
    return parser.parse_args(arguments)


def machine() -> dict[str, Any]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "ansible_core": version("ansible-core"),
        "load": round(os.getloadavg()[0], 2),
    }


def measured(name: str, sizes: Sizes) -> dict[str, Any]:
    """One section, on a simulator of its own."""
    facts = machine()
    started = datetime.datetime.now(datetime.timezone.utc)
    print(f"{name} (load of the machine before: {facts['load']})", flush=True)
    directory = tempfile.TemporaryDirectory(prefix="exo-benchmark-")
    with directory as scratch, Simulator.start(latency=STATED.option) as simulator:
        lab = Lab(simulator, Path(scratch))
        data = SECTIONS[name](lab, sizes)
    return {
        "date": started.strftime("%Y-%m-%d %H:%M UTC"),
        "machine": facts,
        "sizes": asdict(sizes),
        "quick": sizes.compare == QUICK.compare,
        "simulator": {
            "requests": lab.modelled,
            "overruns": lab.overruns,
            "overrun_seconds": lab.overrun_seconds,
            "busy": lab.busy,
        },
        "data": data,
    }


def write(output: Path, results: Mapping[str, Any]) -> str:
    """The raw results, the report and the plot; returns the report."""
    output.mkdir(parents=True, exist_ok=True)
    (output / RESULTS).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    plot = output / "benchmark.svg"
    drawn = "compare" in results and draw(results["compare"]["data"], plot)
    report = markdown(results, plot.name if drawn else None)
    (output / "README.md").write_text(report, encoding="utf-8")
    if output == DOCS and "tenants" in results:
        write_figures(FLEET, results["tenants"])
    return report


def earlier(path: Path) -> dict[str, Any]:
    """The results that were written before, by section; none where there are none."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def write_figures(page: Path, section: Mapping[str, Any]) -> None:
    """Put the figures of a job of many tenants between the page's two marks."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise RuntimeError(f"{page} has no place for figures")
    page.write_text("\n".join([before + begin, "", *tenant_figures(section), "", end + after]), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    args = options(arguments)
    sizes = QUICK if args.quick else Sizes()
    if args.sample:
        sizes = replace(sizes, sample=args.sample)
    default = ROOT / ".cache" / "benchmark" if args.quick else DOCS
    output: Path = args.output or default
    # Single sections can be measured again; the others stay as they are, each with its own date.
    results = earlier(output / RESULTS) if args.only else {}
    for name in args.only or SECTIONS:
        results[name] = measured(name, sizes)
        report = write(output, {key: results[key] for key in SECTIONS if key in results})
    print(f"\n{report}\nwritten to {os.path.relpath(output)}", file=sys.stdout)
    return 0
