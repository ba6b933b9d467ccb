# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: json_lines
type: stdout
short_description: The usual output, and beside it a file with one line of JSON for each result
description:
  - Shows what the callback C(default) shows.
  - Writes each result as it is before anything is taken out of it for display, to the file named in the environment
    variable E(JSON_LINES_PATH).
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

import json
import os
import time
from typing import Any

from ansible.plugins.callback.default import CallbackModule as Default


class CallbackModule(Default):  # type: ignore[misc]  # ansible-core ships no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "json_lines"

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[tuple[str, str], float] = {}

    def _write(self, result: Any, status: str, ignored: bool = False) -> None:
        now = time.time()
        host = result._host.get_name()
        content = dict(result._result)
        line = {
            "host": host,
            "task": result._task.get_name().rpartition(" : ")[2],
            "action": result._task.action,
            "status": status,
            "ignored": ignored,
            "started": self._started.get((host, result._task._uuid), now),
            "ended": now,
            "result": content,
        }
        with open(os.environ["JSON_LINES_PATH"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._started[host.get_name(), task._uuid] = time.time()
        super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write(result, "ok")
        super().v2_runner_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write(result, "failed", ignore_errors)
        super().v2_runner_on_failed(result, ignore_errors=ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._write(result, "unreachable")
        super().v2_runner_on_unreachable(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._write(result, "skipped")
        super().v2_runner_on_skipped(result)
