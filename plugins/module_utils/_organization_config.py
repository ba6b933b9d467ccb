# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on the organization's configuration. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import replace

from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import (
    EFFECT,
    PLANNED_POLICIES,
    UNDO,
    WAIT,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import NOBODY, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._policies import bound
from ansible_collections.m365.exchange_online.plugins.module_utils._policy_gate import (
    gate_effect,
    known_policy,
    planned_policies,
    read_gate,
    read_policies,
    refuse_unknown,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table, entries_of
from ansible_collections.m365.exchange_online.plugins.module_utils._single_object import (
    converge_single,
    read_all,
    spec,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import DEFAULT_POLICY, ORGANIZATION_CONFIG
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

ARGUMENT_SPEC: Mapping[str, t.Any] = spec(
    ORGANIZATION_CONFIG, {"allow_empty": {"type": "bool", "default": False}}, PLANNED_POLICIES, EFFECT, UNDO, WAIT
)
NOUN = "organization_config"
_APP_IDS = "ews_allowed_app_ids"


def converge(task: Task) -> Result:
    """Bring the organization's configuration to what the options say."""
    return converge_single(task, ORGANIZATION_CONFIG, NOUN, _judged, _resolve)


def _resolve(task: Task, client: Client, table: Table, desired: dict[str, t.Any]) -> tuple[Table, dict[str, t.Any]]:
    """The default policy by its own name; raises InvalidRequest where there is none of that name."""
    if DEFAULT_POLICY not in desired:
        return table, desired
    policies = read_policies(client).with_planned(planned_policies(task))
    return bound(table, policies), {
        **desired,
        DEFAULT_POLICY: known_policy(policies, DEFAULT_POLICY, str(desired[DEFAULT_POLICY])),
    }


def _judged(task: Task, client: Client, change: Change) -> tuple[Effect, int]:
    """Refuse, or warn of, what the change does; and who loses or gains SMTP AUTH by another default policy."""
    before, after = change.differing()
    if _APP_IDS in after and not entries_of(after[_APP_IDS]) and not task.params["allow_empty"]:
        raise Refused(
            f"{_APP_IDS} would become empty ({len(entries_of(before[_APP_IDS]))} now). Since October 2026 that blocks"
            " every app from Exchange Web Services. Nothing was changed.",
            hint="A variable that came out empty looks like this. If it is meant, set allow_empty: true.",
        )
    if change.turns("reject_direct_send", True):
        task.warn(
            "reject_direct_send: true stops devices that send without signing in, unless an inbound connector covers"
            " them (Get-InboundConnector lists the connectors)."
        )
    if DEFAULT_POLICY not in after:
        return NOBODY, 0
    gate = read_gate(client, planned_policies(task))
    effect, mailboxes = gate_effect(task, client, gate, replace(gate, default=str(after[DEFAULT_POLICY])))
    refuse_unknown(DEFAULT_POLICY, effect)
    return effect, mailboxes


def info(task: Task) -> Result:
    """Every setting, and whatever else the service sent."""
    return read_all(task, ORGANIZATION_CONFIG, NOUN, [_APP_IDS])
