# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for a Python interpreter: runs the real one and notes what the process used.

Started as ``python -I -S interpreter.py PYTHON ARGUMENTS...``; one line for each process goes to the file named in
BENCHMARK_USAGE. A process of its own, because Linux counts the memory of the process that forked as the child's peak:
this one is small, the benchmark is not.
"""

from __future__ import annotations

import os
import sys
import time


def main(python: str, arguments: list[str]) -> int:
    started = time.monotonic()
    pid = os.posix_spawn(python, [python, *arguments], os.environ)
    _dummy, status, usage = os.wait4(pid, 0)
    name = next((os.path.basename(argument) for argument in arguments if not argument.startswith("-")), "")
    fields = (name, usage.ru_maxrss, usage.ru_utime, usage.ru_stime, time.monotonic() - started)
    with open(os.environ["BENCHMARK_USAGE"], "a", encoding="utf-8") as file:
        file.write("\t".join(str(field) for field in fields) + "\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
