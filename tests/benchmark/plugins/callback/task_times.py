# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: task_times
type: notification
short_description: When each task began and ended on each host
description:
  - Writes a line of JSON for each result to the file named in the environment variable E(BENCHMARK_TASKS).
  - A task begins when it is handed to a worker and ends when the controller has its result, so the time includes the
    worker, the building of the module and the start of its process.
"""

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_times"

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[tuple[str, str], float] = {}

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._started[host.get_name(), task._uuid] = time.time()

    def _write(self, result: Any, status: str) -> None:
        now = time.time()
        host = result._host.get_name()
        line = {
            "host": host,
            "task": result._task.get_name(),
            "status": status,
            "changed": bool(result._result.get("changed")),
            "started": self._started.get((host, result._task._uuid), now),
            "ended": now,
        }
        with open(os.environ["BENCHMARK_TASKS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._write(result, "skipped")
