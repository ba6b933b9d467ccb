# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run make targets, some of them side by side, and show how long each took.

Each argument is a phase. Within a phase, lanes are separated by commas and run side by side; the targets of a lane are
joined by plus signs and run one after the other. All targets run, whether others fail or not. What a target prints is
kept in a log of its own; at the end the lines that say what failed are shown again, with the path of that log.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".cache" / "logs"
# Seconds without a word after which a step is taken to hang. How long it works is no sign: the machine may be busy.
SILENCE = 1200
CLOSING = re.compile(r"\b\d+ (passed|failed|skipped|error|errors)\b.* in \d")
# What pytest, ansible-test, mypy, ruff and make say of a failure, each in one line.
FAILURE = re.compile(r"^(FAILED |ERROR |E   |ERROR: |error: |make: \*\*\*|make\[\d+\]: \*\*\*)|: error: ")
MOST_LINES = 30
printing = threading.Lock()


@dataclass(frozen=True)
class Result:
    target: str
    seconds: float
    ok: bool
    closing: str
    failures: tuple[str, ...]
    log: Path


def environment() -> dict[str, str]:
    """This make's flags and job server are not for the makes below."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def closing_line(lines: list[str]) -> str:
    """The last line in which pytest counts."""
    counts = [line for line in lines if CLOSING.search(line)]
    return counts[-1].strip("= ") if counts else ""


def failure_lines(lines: list[str]) -> tuple[str, ...]:
    """The lines that say what failed; the last ones of the output where none does."""
    found = [line for line in lines if FAILURE.search(line)]
    return tuple(found or filter(str.strip, lines))[-MOST_LINES:]


def stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def follow(stream: IO[bytes], live: bool, silence: float) -> Iterator[bytes]:
    """What is printed, piece by piece; raises TimeoutError where nothing comes for so many seconds."""
    while select.select([stream], [], [], silence)[0]:
        piece = os.read(stream.fileno(), 65536)
        if not piece:
            return
        if live:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        yield piece
    raise TimeoutError(f"it printed nothing for {silence:.0f} s")


def run(target: str, live: bool, command: Sequence[str] = (), silence: float = SILENCE) -> Result:
    """Run one target: shown as it runs, or in one piece at its end. command: what runs instead of make."""
    started = time.monotonic()
    if live:
        print(f"\n>>> {target}", flush=True)
    process = subprocess.Popen(
        command or ("make", "--no-print-directory", target),
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    pieces: list[bytes] = []
    try:
        pieces.extend(follow(process.stdout, live, silence))
        code = process.wait()
    except TimeoutError as error:
        pieces.append(f"\nERROR {target} was stopped: {error}\n".encode())
        code = 1
    finally:
        stop(process)
        process.wait()
        process.stdout.close()
    output = b"".join(pieces).decode(errors="replace")
    if not live:
        with printing:
            print(f"\n>>> {target}\n{output}", end="", flush=True)
    return finished(target, time.monotonic() - started, code == 0, output)


def finished(target: str, seconds: float, ok: bool, output: str) -> Result:
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{target}.log"
    log.write_text(output, encoding="utf-8")
    lines = output.splitlines()
    return Result(target, seconds, ok, closing_line(lines), () if ok else failure_lines(lines), log)


def run_lane(lane: str, live: bool) -> list[Result]:
    return [run(target, live) for target in lane.split("+")]


def run_phase(phase: str) -> list[Result]:
    lanes = phase.split(",")
    with ThreadPoolExecutor(len(lanes)) as pool:
        running = [pool.submit(run_lane, lane, len(lanes) == 1) for lane in lanes]
        return list(itertools.chain.from_iterable(lane.result() for lane in running))


def summary(results: list[Result]) -> list[str]:
    """What failed and where to read on, then a line for each step."""
    lines = []
    for result in results:
        if not result.ok:
            lines += ["", f"{result.target} failed:", *(f"  {line}" for line in result.failures)]
            lines.append(f"  All that it printed: {result.log}")
    lines.append("")
    for result in results:
        verdict = "ok    " if result.ok else "FAILED"
        lines.append(f"{verdict} {result.target:<12} {result.seconds:6.1f} s  {result.closing}")
    return lines


def main() -> int:
    started = time.monotonic()
    results = list(itertools.chain.from_iterable(run_phase(phase) for phase in sys.argv[1:]))
    print("\n".join(summary(results)))
    print(f"{time.monotonic() - started:.0f} s in all")
    return 0 if all(result.ok for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
