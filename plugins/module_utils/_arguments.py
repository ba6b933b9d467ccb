# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules share, and those of the policy for SMTP AUTH. PRIVATE to the collection.

They are apart from the tasks because the role's filters need them, and a filter is loaded anew for each task and host.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

WAIT: Mapping[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}
UNDO: Mapping[str, t.Any] = {
    "undo_file": {"type": "path"},
    "undo_in_result": {"type": "bool", "default": False},
}
EFFECT: Mapping[str, t.Any] = {
    "max_lose": {"type": "str"},
    "max_lose_when_closing": {"type": "str"},
    "max_gain": {"type": "str"},
    "effect_file": {"type": "path"},
}
LIMITS: Mapping[str, t.Any] = {"max_changes": {"type": "str"}, **EFFECT}
LOOKUP: Mapping[str, t.Any] = {"lookup_failure_action": {"type": "str", "choices": ["fail", "warn"], "default": "fail"}}
# What must hold of a mailbox before it loses SMTP AUTH.
USAGE_GATE: Mapping[str, t.Any] = {
    "require_unused_days": {"type": "int"},
    "accept_cutoff": {"type": "list", "elements": "str"},
    "usage_report": {"type": "str"},
}
_LIST: Mapping[str, t.Any] = {"type": "list", "elements": "raw"}
# What another task of the same run declares; a preview takes it as done.
PLANNED_POLICIES: Mapping[str, t.Any] = {
    "planned_policies": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "allow_basic_auth_smtp": {"type": "bool"},
        },
    }
}
SMTP_AUTH_POLICY: Mapping[str, t.Any] = {
    "organization": {"type": "str", "choices": ["enabled", "disabled"]},
    "allowed": _LIST,
    "denied": _LIST,
    "unlisted": {
        "type": "str",
        "choices": ["unmanaged", "not_enabled", "inherit", "disabled"],
        "default": "unmanaged",
    },
    "expired": {"type": "str", "choices": ["report", "revoke"], "default": "report"},
    "allow_empty": {"type": "bool", "default": False},
    "exclude": {"type": "list", "elements": "str"},
    "authentication_policy": {"type": "str"},
    "planned_default_policy": {"type": "str"},
    **PLANNED_POLICIES,
    "propagation_delay": {"type": "int", "default": 0},
    **USAGE_GATE,
    **LOOKUP,
    **LIMITS,
    **UNDO,
    **WAIT,
}
