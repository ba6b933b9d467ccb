# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on mailbox plans, which decide what new mailboxes get. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import LOOKUP, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import converge as converge_plan
from ansible_collections.m365.exchange_online.plugins.module_utils._entries import Entry, merge, parse_entries
from ansible_collections.m365.exchange_online.plugins.module_utils._few import find_few
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Limits, Phase, Plan, parse_limit
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import read_few, readable
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import check_settings, given_names
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX_PLAN
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

_PLURAL = "plans"
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "identity": {"type": "list", "elements": "str"},
    "all_plans": {"type": "bool", "default": False},
    "exclude": {"type": "list", "elements": "str"},
    "plans": {"type": "list", "elements": "dict"},
    **CAS_MAILBOX_PLAN.argument_spec(),
    "max_changes": {"type": "str"},
    **LOOKUP,
    **UNDO,
    **WAIT,
}


def converge(task: Task) -> Result:
    """Bring the plans' settings to what the options say. Mailboxes that exist keep theirs."""
    params = task.params
    shared = CAS_MAILBOX_PLAN.parse(params)
    entries = parse_entries(params, shared, CAS_MAILBOX_PLAN, _PLURAL)
    limits = Limits(parse_limit("max_changes", params["max_changes"]))
    check_settings(params, shared, bool(entries), _PLURAL)
    client = task.connect()
    every = read_few(client, CAS_MAILBOX_PLAN)
    plan = _plan(params, shared, entries, every)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        return {
            _PLURAL: _results.object_results(plan, told, only_changes=False),
            "summary": _results.summary(plan, told),
            "diff": _results.diff_of_many(task.tenant, plan, preview=task.check_mode),
        }

    return converge_plan(task, client, plan, Wanted(shape, limits.of(len(every))))


def _plan(
    params: Mapping[str, t.Any], shared: Mapping[str, t.Any], entries: Sequence[Entry], every: Sequence[Record]
) -> Plan:
    """The changes of the mailbox plans that the task is about. every: all that the tenant has."""
    tolerant = params["lookup_failure_action"] == "warn" and not params["all_plans"]
    by_name, missing = find_few(every, [entry.identity for entry in entries], "identity", tolerant=tolerant)
    desired = merge(entries, by_name)
    if params["all_plans"]:
        excluded, _none = find_few(every, given_names("exclude", params["exclude"]), "exclude", tolerant=False)
        desired = _for_all(every, excluded.values(), shared, desired)
    changes = tuple(plan_change(record, desired[record.key]) for record in every if record.key in desired)
    due = tuple(change for change in changes if change.changed)
    return Plan((Phase(due),) if due else (), changes, missing, len(changes))


def _for_all(
    every: Iterable[Record],
    excluded: Iterable[Record],
    shared: Mapping[str, t.Any],
    own: Mapping[str, Mapping[str, t.Any]],
) -> dict[str, dict[str, t.Any]]:
    """What is desired of each plan where the task is about all, by GUID: its own settings beat the shared ones."""
    left_out = {record.key for record in excluded} - own.keys()
    return {record.key: {**shared, **own.get(record.key, {})} for record in every if record.key not in left_out}


def info(task: Task) -> Result:
    """Every plan with its settings, and whatever else the service sent of it."""
    plans = []
    for record in read_few(task.connect(), CAS_MAILBOX_PLAN):
        values, doubts = readable(record)
        for doubt in doubts:
            task.warn(doubt)
        known = {CAS_MAILBOX_PLAN[option].remote for option in values}
        others = {name: value for name, value in record.remote.items() if "@" not in name and name not in known}
        plans.append({**record.target.identity, "settings": values, "other_properties": others})
    return {"changed": False, _PLURAL: plans}
