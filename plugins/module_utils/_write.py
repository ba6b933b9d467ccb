# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan that changes something: the way back, then the writes. PRIVATE to the collection."""

from __future__ import annotations

from ansible_collections.m365.exchange_online.plugins.module_utils import _apply, _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcomes
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import Content, split


def carry_out(task: Task, client: Client, plan: Plan) -> tuple[Outcomes | None, Result]:
    """What became of the plan (None in check mode), and what the result tells beside it.

    Raises Refused where the way back can't be kept: then nothing is written.
    """
    told: Result = {}
    if task.params.get("undo_in_result"):
        told["undo"] = _way_back(task, client, plan)
    given = task.params.get("undo_file")
    path = _undo.prepare(given) if given else None
    if task.check_mode:
        return None, told
    if path:
        told["undo_file"] = _undo.write(path, client.tenant_id, task.tenant, task.module, plan)
    waiting = _apply.Waiting(task.params["wait"], task.params["wait_timeout"])
    outcomes = _apply.apply(client, plan, waiting, task.progress)
    return outcomes, {**told, **_told(task, client, outcomes)}


def _way_back(task: Task, client: Client, plan: Plan) -> Content:
    """The former values for the result, or the first part of them; raises Refused where the others are in none."""
    parts = split(_undo.compact(client.tenant_id, task.tenant, task.module, plan))
    if len(parts) == 1:
        return parts[0]
    if task.check_mode and task.undo_parts:
        task.undo_parts.keep(parts)
    elif not task.check_mode and not (task.undo_parts and task.undo_parts.told(parts)):
        raise Refused(
            f"The former values of {len(plan.changes):,} objects are too long for one result (undo_in_result), and no"
            " other results of this run hold them. Nothing was changed.",
            hint="If others have just changed the tenant, run it again. Before a task of your own come the same task in"
            " check mode and exo_undo_part for each further part. undo_file needs none of this.",
        )
    return parts[0]


def _told(task: Task, client: Client, outcomes: Outcomes) -> Result:
    """What else is to be said after writing: what does not show yet, and what the service itself warned of."""
    late = outcomes.unconfirmed()
    if late:
        task.warn(
            f"The service took the new values but did not show them within {task.params['wait_timeout']} seconds:"
            f" {listed(late)}. That can take some minutes."
        )
    for warning in client.warnings:
        task.warn(f"The service says about {warning}")
    if outcomes.confirmed is None or not task.params["wait"]:
        return {}
    return {"confirmed": outcomes.confirmed}
