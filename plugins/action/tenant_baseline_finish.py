# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, replace_if_different
from ansible_collections.m365.exchange_online.plugins.plugin_utils._outcome import artifacts

ARGUMENT_SPEC = {"outcome": {"type": "dict", "required": True}, "report": {"type": "path"}}


class ActionModule(ActionBase):
    """The end of the role: report, artifact and verdict in one task, because in AWX each is two events a tenant."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(ARGUMENT_SPEC)
        outcome, report = given["outcome"], given["report"]
        result.update(changed=False, msg=outcome["lines"], failed=outcome["status"] == "failed")
        if report and outcome.get("warnings"):
            result["warnings"] = outcome["warnings"]
        data = artifacts([outcome["artifact"]])
        # Of a failed task Ansible takes no figures: the role sets them in another one.
        result.update({"artifact": data} if result["failed"] else {"ansible_stats": _stats(data)})
        # A play or a block may have check_mode: true, of which no variable knows.
        if not report or self._task.check_mode:
            return result
        try:
            absolute("report", report)
            replace_if_different("report", report, json.dumps(outcome, indent=4, sort_keys=True) + "\n", dry_run=False)
        except ExoError as error:
            return {**result, "failed": True, "artifact": data, "msg": [*outcome["lines"], error.message]}
        return {**result, "report": report}


def _stats(data: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the action set_stats returns. Not aggregated, or Ansible would add up figures of different runs."""
    return {"data": data, "per_host": False, "aggregate": False}
