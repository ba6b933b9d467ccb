# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on the organization's transport settings: one that converges them, one that reads them. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import _apply, _results, _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import (
    Reader,
    read_transport_config,
    readable,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._module import UNDO, WAIT, Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import (
    UNKNOWN_EFFECT,
    Change,
    Effect,
    Plan,
    effect,
    plan_settings,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    INHERIT,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

ARGUMENT_SPEC: Mapping[str, t.Any] = {**TRANSPORT_CONFIG.argument_spec(), **UNDO, **WAIT}


def converge(task: Task) -> Result:
    """Bring the organization's settings to what the options say."""
    wishes = TRANSPORT_CONFIG.parse(task.params)
    if not wishes:
        raise InvalidRequest("No setting is given, so there is nothing to manage.")
    client = task.connect()
    wire = read_transport_config(client, TRANSPORT_CONFIG.closure(wishes))
    change = plan_settings(TRANSPORT_CONFIG, wire, wishes)
    values, doubts = readable(TRANSPORT_CONFIG, wire)
    for doubt in doubts:
        task.warn(doubt)
    plan = Plan(organization=change, effect=smtp_auth_effect(task, client, change, []))
    if plan.effect.warning():
        task.warn(str(plan.effect.warning()))
    result: Result = {
        "changed": plan.changed,
        "transport_config": {**values, **change.after},
        "effect": plan.effect.result(),
        "diff": _results.diff(plan.changes)[0] if plan.changed else {"before": {}, "after": {}},
    }
    if not plan.changed or task.check_mode:
        return result
    return {**result, **write(task, client, plan)}


def write(task: Task, client: Client, plan: Plan, settle: float = 0) -> Result:
    """Save the way back, apply the plan, and say what became of the organization; raises on failure."""
    result: Result = {}
    if task.params.get("undo_file"):
        result["undo_file"] = _undo.write(task.params["undo_file"], client.tenant_id, plan)
    patience = _apply.Patience(task.params["wait"], task.params["wait_timeout"], settle)
    outcomes = _apply.apply(client, plan, patience, task.progress)
    failure = outcomes.failure()
    if failure:
        failure.result = {**result, "changed": outcomes.changed}
        raise failure
    if outcomes.confirmed is not None:
        result["confirmed"] = outcomes.confirmed
        if not outcomes.confirmed:
            task.warn(unconfirmed(task, ["the organization"]))
    return result


def unconfirmed(task: Task, labels: list[str]) -> str:
    names = ", ".join(labels[:20]) + (f" and {len(labels) - 20} more" if len(labels) > 20 else "")
    return (
        f"The service took the new values but did not show them within {task.params['wait_timeout']} seconds, for"
        f" {names}. It can need some minutes."
    )


def smtp_auth_effect(task: Task, client: Client, organization: Change | None, mailboxes: Sequence[Change]) -> Effect:
    """Who gains and loses SMTP AUTH in effect. What it takes to know is read; if that fails, nobody is stopped by it.

    Where the organization flips, every mailbox without a value of its own counts.
    """
    moves = {c.mailbox.guid: c for c in mailboxes if c.mailbox and SMTP_AUTH in c.differing()[1]}
    try:
        if organization and SMTP_AUTH in organization.differing()[1]:
            boxes = Reader(client, [SMTP_AUTH], task.progress).everything()
            return effect(
                (
                    (box.label, own, moves[box.guid].after[SMTP_AUTH] if box.guid in moves else own)
                    for box in boxes
                    for own in [CAS_MAILBOX.row(SMTP_AUTH).read(box.wire)]
                ),
                organization.before[SMTP_AUTH],
                organization.after[SMTP_AUTH],
            )
        own = [(change.label, change.before[SMTP_AUTH], change.after[SMTP_AUTH]) for change in moves.values()]
        disabled = False  # it does not matter as long as nobody follows the organization
        if any(INHERIT in (before, after) for _label, before, after in own):
            disabled = TRANSPORT_CONFIG.row(SMTP_AUTH).read(read_transport_config(client, [SMTP_AUTH]))
        return effect(own, disabled, disabled)
    except AuthenticationFailed:
        raise
    except ExoError as error:
        task.warn(f"It is not known who gains or loses SMTP AUTH in effect. {error.message}")
        return UNKNOWN_EFFECT


def info(task: Task) -> Result:
    """Every setting, and whatever else the service sent."""
    wire = read_transport_config(task.connect())
    values, doubts = readable(TRANSPORT_CONFIG, wire)
    for doubt in doubts:
        task.warn(doubt)
    known = {TRANSPORT_CONFIG.row(option).wire for option in values}
    others = {name: value for name, value in wire.items() if "@" not in name and name not in known}
    return {"changed": False, "transport_config": values, "other_properties": others}
