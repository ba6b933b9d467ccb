# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time and memory of rendering a fleet's evidence: ``generate DIRECTORY SIZES...``, then ``render DIRECTORY``.

Two commands, because the memory of a process that has generated the evidence would be in the figure.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from ansible_collections.m365.exchange_online.plugins.module_utils import _evidence_files
from evidence import fleet


def generate(directory: Path, tenants: int, mailboxes: int, listed: int, nights: int) -> None:
    for name in ("src", "dest"):
        (directory / name).mkdir()
    for documents in fleet.Generator(tenants, mailboxes, listed=listed).nights(nights):
        fleet.write(directory / "src", documents)


def render(directory: Path) -> dict[str, float]:
    """Seconds, the process's peak of memory in MB, and the size of the page in bytes."""
    parameters = {name: option.get("default") for name, option in _evidence_files.ARGUMENT_SPEC.items()}
    given = {"src": [str(directory / "src")], "dest": str(directory / "dest")}
    started = time.perf_counter()
    _evidence_files.render({**parameters, **given}, check_mode=False)
    return {
        "seconds": time.perf_counter() - started,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "page_bytes": (directory / "dest" / "evidence.html").stat().st_size,
    }


if __name__ == "__main__":
    command, place, *sizes = sys.argv[1:]
    if command == "generate":
        generate(Path(place), *map(int, sizes))
    else:
        print(json.dumps(render(Path(place))))
