# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a whole tree of processes while it runs. Needs /proc; without it everything is 0."""

from __future__ import annotations

import contextlib
import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
INTERVAL = 1.0  # seconds: a look takes some milliseconds of the processor that the run needs itself
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


class Watch:
    """Looks at a process and all below it until it is left; peak_mb is the most that it saw."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(INTERVAL):
            self.peak_mb = max(self.peak_mb, tree_mb(self._pid))


def tree_mb(pid: int) -> float:
    """What the processes have, with pages that several share counted once."""
    return sum(_pss_kb(process) for process in _tree(pid)) * 1024 / 1e6


def _tree(pid: int) -> Iterator[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for path in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
            children[parent].append(int(path.parent.name))
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children[process]


def _pss_kb(pid: int) -> int:
    """0 for a process that has ended meanwhile."""
    try:
        found = _PSS.search((PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii"))
    except OSError:
        return 0
    return int(found.group(1)) if found else 0
