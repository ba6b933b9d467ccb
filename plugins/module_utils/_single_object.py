# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tenant's single object of settings: one task that converges it, one that reads it, for any table. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import NOBODY, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan, ordered, parse_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import read_single, readable
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

Resolve = Callable[[Task, Client, Table, "dict[str, t.Any]"], "tuple[Table, dict[str, t.Any]]"]
EffectOf = Callable[[Task, Client, Change], "tuple[Effect, int]"]


def nobody(task: Task, client: Client, change: Change) -> tuple[Effect, int]:
    """No setting of the object decides who can use SMTP AUTH."""
    return NOBODY, 0


def as_it_is(task: Task, client: Client, table: Table, desired: dict[str, t.Any]) -> tuple[Table, dict[str, t.Any]]:
    """No setting of the object refers to another object."""
    return table, desired


def converge_single(
    task: Task, table: Table, noun: str, effect_of: EffectOf = nobody, resolve: Resolve = as_it_is
) -> Result:
    """Bring the settings to what the options say.

    noun: the key of the object in the result. effect_of: who loses and gains SMTP AUTH, and of how many mailboxes.
    resolve: the table and what is desired, with references to other objects resolved.
    """
    desired = table.parse(task.params)
    if not desired:
        raise InvalidRequest("No setting is given, so there is nothing to manage.")
    limits = parse_limits(task.params)
    client = task.connect()
    table, desired = resolve(task, client, table, desired)
    record = read_single(client, table, table.closure(desired), task.warn)
    change = plan_change(record, desired)
    values, doubts = readable(record)
    for doubt in doubts:
        task.warn(doubt)
    effect, mailboxes = effect_of(task, client, change)
    plan = Plan(ordered([change]), considered=(change,), effect=effect)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        return {
            noun: {**values, **(change.before if told[0].error else change.after)},
            "effect": plan.effect.result(),
            "diff": _results.diff_of_one(task.tenant, change),
        }

    return converge(task, client, plan, Wanted(shape, limits.of(mailboxes)))


def read_all(task: Task, table: Table, noun: str, switches: Sequence[str] = ()) -> Result:
    """Every setting, and whatever else the service sent. switches: options to ask for with their own switch."""
    record = read_single(task.connect(), table, switches, task.warn)
    values, doubts = readable(record)
    for doubt in doubts:
        task.warn(doubt)
    known = {table[option].remote for option in values}
    others = {name: value for name, value in record.remote.items() if "@" not in name and name not in known}
    return {"changed": False, noun: values, "other_properties": others}


def spec(table: Table, *groups: Mapping[str, object]) -> dict[str, object]:
    """The argument spec of a module: the table's options, and these groups."""
    merged: dict[str, object] = dict(table.argument_spec())
    for group in groups:
        merged.update(group)
    return merged
