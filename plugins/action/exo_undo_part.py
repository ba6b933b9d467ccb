# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import UndoParts
from ansible_collections.m365.exchange_online.plugins.plugin_utils._action import run_directory

ARGUMENT_SPEC = {"set": {"type": "str", "required": True}, "part": {"type": "int", "required": True}}


class ActionModule(ActionBase):
    """One part of a long way back, as a result of its own, so that it is in the events before the first write."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, given = self.validate_argument_spec(ARGUMENT_SPEC)
        directory = run_directory(constants.DEFAULT_LOCAL_TMP)
        try:
            undo = UndoParts(directory or "").tell(given["set"], given["part"])
        except ExoError as error:
            return {**result, **error.to_fail_kwargs(), "failed": True}
        return {**result, "changed": False, "undo": undo}
