# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on users: who has which authentication policy. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import LIMITS, LOOKUP, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import converge as converge_plan
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import NOBODY, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._entries import merge, parse_entries
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Phase, Plan, parse_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._policies import bound
from ansible_collections.m365.exchange_online.plugins.module_utils._policy_gate import (
    PolicyGate,
    gate_effect,
    known_policy,
    read_gate,
    read_policies,
    refuse_unknown,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    RECIPIENT_TYPES,
    check_selection,
    check_settings,
    given_names,
    parse_where,
    select,
    selection_of,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import POLICY, USER
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

_PLURAL = "users"
_SELECTION: Mapping[str, t.Any] = {
    "identity": {"type": "list", "elements": "str"},
    "all_users": {"type": "bool", "default": False},
    "exclude": {"type": "list", "elements": "str"},
    "where": {"type": "dict"},
    "recipient_type_details": {"type": "list", "elements": "str", "choices": list(RECIPIENT_TYPES)},
}
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    **_SELECTION,
    "users": {"type": "list", "elements": "dict"},
    **USER.argument_spec(),
    "revoke_sessions": {"type": "bool", "default": False},
    **LOOKUP,
    **LIMITS,
    **UNDO,
    **WAIT,
}
INFO_ARGUMENT_SPEC: Mapping[str, t.Any] = {**_SELECTION, **LOOKUP}
# Spelled so in the live module's signature.
_REVOKE = "StsRefreshTokensValidFrom"


def converge(task: Task) -> Result:
    """Bring the users' authentication policies to what the options say."""
    params = task.params
    shared = USER.parse(params)
    entries = parse_entries(params, shared, USER, _PLURAL)
    where = parse_where(params["where"], USER)
    limits = parse_limits(params)
    check_settings(params, shared, bool(entries), _PLURAL)
    client = task.connect()
    gate = read_gate(client)
    reader = Reader(client, [POLICY], task.progress, warn=task.warn, table=gate.user_table)
    names = tuple(entry.identity for entry in entries)
    selected = select(reader, selection_of(params, names, _named(gate, where), _PLURAL))
    own = merge(entries, selected.by_name)
    base = shared if params["all_users"] else {}
    changes = tuple(
        _change(record, _named(gate, {**base, **own.get(record.key, {})}) or {}, revoke=params["revoke_sessions"])
        for record in selected.records
    )
    effect = _effect(task, client, gate, changes)
    if params["all_users"]:
        refuse_unknown("The authentication policy of all users", effect)
    phase = Phase(tuple(change for change in changes if change.changed))
    phases = (phase,) if phase.changes else ()
    plan = Plan(phases, changes, selected.missing, len(changes), effect)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        return {
            _PLURAL: _results.object_results(plan, told, only_changes=params["all_users"]),
            "summary": _results.summary(plan, told),
            "diff": _results.diff_of_many(task.tenant, plan, preview=task.check_mode),
        }

    return converge_plan(task, client, plan, Wanted(shape, limits.of(selected.scope)))


def _named(gate: PolicyGate, desired: Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    """What is desired, with each policy in its own spelling; raises InvalidRequest for one that does not exist."""
    if desired is None:
        return None
    return {option: known_policy(gate.policies, option, str(value)) for option, value in desired.items()}


def _change(record: t.Any, desired: Mapping[str, t.Any], *, revoke: bool) -> Change:
    """The change of one user. revoke: sign the user out everywhere, so that the policy acts within half an hour."""
    change = plan_change(record, desired)
    if not revoke or not change.changed:
        return change
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(change, calls=tuple({**call, _REVOKE: now} for call in change.calls))


def _effect(task: Task, client: Client, gate: PolicyGate, changes: Sequence[Change]) -> Effect:
    due = [change for change in changes if change.changed]
    if not due:
        return NOBODY
    after = gate.assigned({change.target.key: str(change.after[POLICY]) for change in due})
    return gate_effect(task, client, gate, after, [change.target for change in due])[0]


def info(task: Task) -> Result:
    """The users with their own authentication policies."""
    params = task.params
    if not params["all_users"] and params["identity"] is None:
        raise InvalidRequest("Which users? Give identity or all_users: true.")
    check_selection(params, _PLURAL)
    where = parse_where(params["where"], USER)
    client = task.connect()
    table = bound(USER, read_policies(client))
    reader = Reader(client, [POLICY], task.progress, warn=task.warn, table=table)
    selected = select(reader, selection_of(params, given_names("identity", params["identity"]), where, _PLURAL))
    for missing in selected.missing:
        task.warn(missing.error)
    users = [{**one.target.identity, "settings": {POLICY: one.read(POLICY)}} for one in selected.records]
    counts: dict[str, int] = {}
    for one in users:
        name = t.cast("dict[str, str]", one["settings"])[POLICY]
        counts[name] = counts.get(name, 0) + 1
    summary = {"matched": len(users), POLICY: counts}
    return _results.bounded({"changed": False, _PLURAL: users, "summary": summary}, [_PLURAL])
