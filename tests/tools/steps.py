# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets, some of them side by side, and show how long each took.

Each argument is a phase. Within a phase, lanes are separated by commas and run side by side; the targets of a lane are
joined by plus signs and run one after the other. All targets run, whether others fail or not.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1200
CLOSING = re.compile(r"\b\d+ (passed|failed|skipped|error|errors)\b.* in \d")
printing = threading.Lock()


@dataclass(frozen=True)
class Result:
    target: str
    seconds: float
    ok: bool
    closing: str


def environment() -> dict[str, str]:
    """This make's flags and job server are not for the makes below."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def closing_line(output: str) -> str:
    """The last line in which pytest counts."""
    counts = [line for line in output.splitlines() if CLOSING.search(line)]
    return counts[-1].strip("= ") if counts else ""


def stop(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(target: str, live: bool) -> Result:
    """Run one target: shown as it runs, or in one piece at its end."""
    started = time.monotonic()
    lines: list[str] = []
    if live:
        print(f"\n>>> {target}", flush=True)
    process = subprocess.Popen(
        ["make", "--no-print-directory", target],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    alarm = threading.Timer(LIMIT, stop, [process])
    alarm.start()
    assert process.stdout is not None
    try:
        for line in process.stdout:
            lines.append(line)
            if live:
                print(line, end="", flush=True)
        code = process.wait()
    finally:
        alarm.cancel()
        stop(process)
    output = "".join(lines)
    if not live:
        with printing:
            print(f"\n>>> {target}\n{output}", end="", flush=True)
    return Result(target, time.monotonic() - started, code == 0, closing_line(output))


def run_lane(lane: str, live: bool) -> list[Result]:
    return [run(target, live) for target in lane.split("+")]


def run_phase(phase: str) -> list[Result]:
    lanes = phase.split(",")
    with ThreadPoolExecutor(len(lanes)) as pool:
        finished = [pool.submit(run_lane, lane, len(lanes) == 1) for lane in lanes]
        return [result for lane in finished for result in lane.result()]


def main() -> int:
    started = time.monotonic()
    results = [result for phase in sys.argv[1:] for result in run_phase(phase)]
    print()
    for result in results:
        verdict = "ok    " if result.ok else "FAILED"
        print(f"{verdict} {result.target:<12} {result.seconds:6.1f} s  {result.closing}")
    print(f"{time.monotonic() - started:.0f} s in all")
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
