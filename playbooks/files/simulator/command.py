# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the simulator runs: until it is told to stop, or as long as a command does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence

_GRACE = 5  # seconds that the command has to end before it is told again
_POLL = 2  # seconds between two looks at the parent process


async def until(stop: asyncio.Event) -> None:
    """Wait for the event; where it is asked for in the environment, the end of the parent process ends it too."""
    parent = os.getppid()
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), _POLL)
        except asyncio.TimeoutError:
            if os.environ.get("SIMULATOR_STOPS_WITH_PARENT") and os.getppid() != parent:
                stop.set()


async def run(command: Sequence[str], variables: Mapping[str, str], stop: asyncio.Event) -> int:
    """Run the command to its end, and end it where this process is to stop; returns its code as a shell does."""
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **variables})
    stopping = asyncio.ensure_future(until(stop))
    ending = asyncio.ensure_future(process.wait())
    await asyncio.wait((stopping, ending), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    # Ctrl-C reached the command as well; one that hangs is helped along.
    for signal_it in (process.terminate, process.kill):
        if not ending.done():
            await asyncio.wait((ending,), timeout=_GRACE)
        if not ending.done():
            signal_it()
    code = await ending
    return code if code >= 0 else 128 - code
