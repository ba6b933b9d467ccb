# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: each is a tenant with faults of its own, and all of them are hosts of one play."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness import Lab, Run, Task, Tenant

SOON = {"retry_after": "0.2"}
ALWAYS = {"times": None}
QUICK = {"retries": 1}
OPTIONS = ("retries", "wait", "wait_timeout")


class Scenario(NamedTuple):
    """Faults, and what becomes of the task. code: of its failure, None where it succeeds."""

    faults: Sequence[Mapping[str, Any]] = ()
    code: str | None = None
    texts: Sequence[str] = ()
    options: Mapping[str, Any] = {}
    tenant: Mapping[str, Any] = {}
    # Whether the write arrived in the end, and what the result says of that.
    written: bool = True
    confirmed: bool | None = True
    hint: str | None = None


def fault(kind: str, **details: Any) -> dict[str, Any]:
    return {"kind": kind, **details}


def raw(status: int, body: bytes = b"", *, headers: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """An answer exactly like this."""
    return fault("raw", status=status, body_base64=base64.b64encode(body).decode(), headers=dict(headers or {}), **more)


def fails(code: str, *texts: str, faults: Sequence[Mapping[str, Any]], **more: Any) -> Scenario:
    return Scenario(faults, code, texts, **{"written": False, **more})


def tenants_of(lab: Lab, scenarios: Mapping[str, Scenario], **description: Any) -> dict[str, Tenant]:
    found = {}
    for name, scenario in scenarios.items():
        tenant = lab.tenant(**description, **scenario.tenant)
        here = f"{lab.simulator.endpoint}/adminapi/beta/{tenant.info.tenant_id}/InvokeCommand"
        for one in scenario.faults:
            details = {k: v.format(here=here) if k == "location" else v for k, v in one.items() if k != "kind"}
            tenant.fault(one["kind"], **details)
        found[name] = tenant
    return found


def play(lab: Lab, tenants: Mapping[str, Tenant], scenarios: Mapping[str, Scenario], tasks: Sequence[Task]) -> Run:
    for one in tasks:
        one[next(key for key in one if "." in key)].update(
            {name: f"{{{{ options.{name} | default(omit) }}}}" for name in OPTIONS}
        )
    variables = {tenants[name].label: {"options": dict(scenario.options)} for name, scenario in scenarios.items()}
    return lab.run_playbook(
        tasks,
        list(tenants.values()),
        host_vars=variables,
        may_fail=True,
        warns=["did not show them within", "The service says"],
    )
