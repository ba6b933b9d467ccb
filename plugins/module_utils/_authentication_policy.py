# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on authentication policies. PRIVATE to the collection.

A policy is never removed and made anew to change it: that would give it another GUID, and whoever had it would have
none.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import EFFECT, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import converge as converge_plan
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import NOBODY, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Phase, Plan, parse_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._policy_gate import (
    ALLOWS_SMTP,
    gate_effect,
    read_gate,
    refuse_unknown,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import read_few, readable
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import AUTHENTICATION_POLICY
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed

ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **AUTHENTICATION_POLICY.argument_spec(),
    **EFFECT,
    **UNDO,
    **WAIT,
}
_LONGEST_NAME = 64  # characters (Microsoft's page on New-AuthenticationPolicy)


def converge(task: Task) -> Result:
    """Bring one policy to what the options say."""
    params = task.params
    name = params["name"].strip()
    if not name or len(name) > _LONGEST_NAME:
        raise InvalidRequest(f"name has to have 1 to {_LONGEST_NAME} characters.")
    desired = AUTHENTICATION_POLICY.parse(params)
    limits = parse_limits(params)
    if params["state"] == "absent" and desired:
        raise InvalidRequest("A policy that is to be absent has no settings.")
    client = task.connect()
    found = _find(read_few(client, AUTHENTICATION_POLICY), name)
    if params["state"] == "absent":
        change = _removed(client, found, name)
    elif found is None:
        change = _made(name, desired)
    else:
        change = plan_change(found, desired)
    effect, mailboxes = _effect(task, client, change)
    plan = Plan((Phase((change,)),) if change.changed else (), (change,), matched=1, effect=effect)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        after = dict(change.before if told[0].error else change.after)
        values = {**(readable(found)[0] if found else {}), **after}
        return {
            "authentication_policy": {"name": name, **values} if change.verb != "Remove" else {},
            "state": params["state"],
            "effect": plan.effect.result(),
            "diff": _results.diff_of_one(task.tenant, change),
        }

    return converge_plan(task, client, plan, Wanted(shape, limits.of(mailboxes)))


def _find(records: Sequence[Record], name: str) -> Record | None:
    """The policy of exactly this name."""
    return next((one for one in records if str(one.remote.get("Name")).lower() == name.lower()), None)


def _made(name: str, desired: Mapping[str, t.Any]) -> Change:
    """A new policy. What is not named is blocked, which is what New-AuthenticationPolicy does."""
    switches = {option: bool(desired.get(option, False)) for option in AUTHENTICATION_POLICY.options}
    parameters = {AUTHENTICATION_POLICY[option].remote: value for option, value in switches.items() if value}
    target = Target(AUTHENTICATION_POLICY, name.lower(), name)
    return Change(target, dict.fromkeys(switches, False), switches, ({"Name": name, **parameters},), "New")


def _removed(client: Client, found: Record | None, name: str) -> Change:
    """A policy that goes; raises Refused while anybody has it."""
    if found is None:
        return Change(Target(AUTHENTICATION_POLICY, name.lower(), name), {}, {})
    gate = read_gate(client)
    own = str(found.remote.get("Name")).lower()
    users = [user.label for user in gate.users if str(user.read("authentication_policy")).lower() == own]
    if gate.default.lower() == own:
        users.insert(0, "the organization's default")
    if users:
        raise Refused(
            f"The authentication policy {name} is in use by {listed(users)}, so it is not removed.",
            hint="Give them another policy first, with exo_user or default_authentication_policy.",
        )
    return Change(found.target, readable(found)[0], {}, ({"Confirm": False},), "Remove")


def _effect(task: Task, client: Client, change: Change) -> tuple[Effect, int]:
    """Who loses or gains SMTP AUTH by a change of the policy's switch for SMTP. A new policy is nobody's yet."""
    if change.verb != "Set" or ALLOWS_SMTP not in change.differing()[1]:
        return NOBODY, 0
    gate = read_gate(client)
    name = change.target.asked.lower()
    after = replace(gate, allows={**gate.allows, name: change.after[ALLOWS_SMTP] is True})
    effect, mailboxes = gate_effect(task, client, gate, after)
    refuse_unknown(ALLOWS_SMTP, effect)
    return effect, mailboxes


def info(task: Task) -> Result:
    """Every policy, and which one is the organization's default."""
    client = task.connect()
    gate = read_gate(client)
    policies = []
    for record in read_few(client, AUTHENTICATION_POLICY):
        values, doubts = readable(record)
        for doubt in doubts:
            task.warn(doubt)
        name = str(record.remote.get("Name"))
        users = [user.label for user in gate.users if str(user.read("authentication_policy")).lower() == name.lower()]
        policies.append(
            {
                "name": name,
                "guid": record.key,
                "default": gate.default.lower() == name.lower(),
                "users": len(users),
                "settings": values,
            }
        )
    return {"changed": False, "authentication_policies": policies, "default_authentication_policy": gate.default}
