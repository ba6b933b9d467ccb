# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own API, below ``/_simulator``: tenants, faults, and what happened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import __version__, openapi, wire
from .changes import NotThere, change, prepared
from .checks import Check
from .cmdlets import refuse_unknown_cmdlets
from .described import CHANGE, TENANT
from .fault_kinds import FAULT, check_fault
from .faults import Fault
from .mailbox import Mailbox
from .named import NamedObject
from .names import DescriptionError
from .organization_schema import ORGANIZATION_BY_NAME
from .rows import mailbox_state
from .schema import TRANSPORT_PROPERTIES
from .tenants import Tenant
from .wire import Answer
from .world import World


class Control:
    def __init__(self, world: World, forget_pages: Callable[[], None]) -> None:
        self.world = world
        self._forget_pages = forget_pages

    async def handle(self, request: web.Request, parts: list[str]) -> Answer:
        try:
            found = self._route(request.method, parts, request.query, _body(await request.read()))
        except (DescriptionError, ValueError) as error:
            return _answer(400, {"error": str(error)})
        except NotThere as error:
            return _answer(404, {"error": str(error)})
        return _answer(200, found)

    def about(self, *, health: bool) -> Answer:
        """For whoever looks whether the simulator is up, or what this is."""
        if health:
            return _answer(200, {"status": "ok", "version": __version__, "tenants": len(self.world.tenants)})
        text = "A simulator of Exchange Online, Entra ID and Microsoft Graph. Its own API is below /_simulator."
        calls = [f"{operation.method} /_simulator/{operation.path}" for operation in OPERATIONS]
        return _answer(200, {"name": "exo-simulator", "version": __version__, "about": text, "control": calls})

    def _route(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Any:
        shape = "/".join([*parts[:1], *("{label}" for _part in parts[1:])])
        operation = next((each for each in OPERATIONS if (each.method, each.path) == (method, shape)), None)
        if operation is None:
            raise NotThere(f"there is no {method} {'/'.join(parts)}; see GET openapi.json")
        unknown = query.keys() - ({"tenant"} if operation.by_tenant else set())
        if unknown:
            raise DescriptionError(f"unknown in the query: {', '.join(sorted(unknown))}")
        label = parts[1] if len(parts) == 2 else query.get("tenant", "")
        found = operation.run(self, self._tenant(label) if label else None, body)
        return {} if found is None else found

    def add_fault(self, body: Any) -> dict[str, Any]:
        check_fault(body)
        tenant = None if body.get("tenant") is None else self._tenant(body["tenant"])
        cmdlet = (body.get("match") or {}).get("cmdlet")
        if cmdlet is not None:
            refuse_unknown_cmdlets("fault.match.cmdlet", [cmdlet], [tenant] if tenant else self.world.tenants.values())
        if body["fault"]["kind"] == "drift":
            if tenant is None:
                raise DescriptionError("fault.tenant: a drift changes one tenant, so it has to be named")
            # A change that can't be made is told now, not when its turn has come.
            prepared(tenant, body["fault"].get("changes", {}))
        return _fault(self.world.faults.add({**body, "tenant": tenant.label if tenant else None}))

    def reset(self) -> None:
        self.world.faults.clear()
        self.world.journal.clear()
        self._forget_pages()

    def _tenant(self, name: str) -> Tenant:
        tenant = self.world.tenants.get(name) or self.world.find(name)
        if tenant is None:
            raise NotThere(f"no tenant {name}")
        return tenant

    @staticmethod
    def state(tenant: Tenant) -> dict[str, Any]:
        return {
            "label": tenant.label,
            "tenant_id": tenant.tenant_id,
            "transport_config": {row.name: tenant.transport_value(row.name) for row in TRANSPORT_PROPERTIES},
            "organization_config": _organization(tenant),
            "authentication_policies": [_named(tenant, policy) for policy in tenant.access.authentication],
            "plans": [_named(tenant, plan) for plan in tenant.access.plans],
            "users": [_user(tenant, user) for user in tenant.access.people()],
            "mailboxes": [mailbox_state(tenant, mailbox) for mailbox in tenant.mailboxes],
        }

    def stats(self) -> dict[str, Any]:
        journal = self.world.journal
        return {
            "requests": len(journal.requests),
            "cmdlets": len(journal.cmdlets),
            "peak_concurrency": {label: tenant.peak for label, tenant in self.world.tenants.items()},
            "tokens_issued": {label: tenant.token_number for label, tenant in self.world.tenants.items()},
            "model": {
                "requests": journal.modelled,
                "overruns": journal.overruns,
                "overrun_seconds_total": round(journal.total_overrun, 6),
                "overrun_seconds_worst": round(journal.worst_overrun, 6),
            },
        }


def _organization(tenant: Tenant) -> dict[str, Any]:
    found = {name: tenant.organization_value(name) for name in ORGANIZATION_BY_NAME}
    policy = tenant.access.policy(found["DefaultAuthenticationPolicy"])
    return {**found, "DefaultAuthenticationPolicy": policy.name if policy else None}


def _named(tenant: Tenant, entry: NamedObject) -> dict[str, Any]:
    return {"Name": entry.name, "Guid": entry.guid, "DistinguishedName": entry.dn, **entry.store.current}


def _user(tenant: Tenant, user: Mailbox) -> dict[str, Any]:
    policy = tenant.access.policy(user.user.current.get("AuthenticationPolicy"))
    stored = {**user.user.current, "AuthenticationPolicy": policy.name if policy else None}
    return {"UserPrincipalName": user.upn, "Guid": user.guid, "AccountDisabled": user.account_disabled, **stored}


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "number": fault.number,
        "tenant": fault.tenant,
        "match": fault.match,
        "after": fault.after,
        "times": fault.times,
        "fault": fault.fault,
        "seen": fault.seen,
        "done": fault.done,
        "problem": fault.problem,
    }


def _body(raw: bytes) -> Any:
    return json.loads(raw) if raw else {}


def _answer(status: int, content: Any) -> Answer:
    return Answer(status, wire.encode(content), {}, "application/json")


def _of(tenant: Tenant | None, entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in entries if tenant is None or entry["tenant"] == tenant.label]


def _this(tenant: Tenant | None) -> Tenant:
    if tenant is None:
        raise NotThere("no tenant is named")
    return tenant


@dataclass(frozen=True)
class Operation:
    """One call of the API. ``by_tenant``: a query may narrow it to one tenant."""

    method: str
    path: str
    summary: str
    run: Callable[[Control, Tenant | None, Any], Any]
    body: Check | None = None
    by_tenant: bool = False


OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "log", "The cmdlets that ran, in order",
              lambda control, tenant, body: _of(tenant, control.world.journal.cmdlets), by_tenant=True),
    Operation("GET", "requests", "The requests, without secrets",
              lambda control, tenant, body: _of(tenant, control.world.journal.requests), by_tenant=True),
    Operation("GET", "smtp", "The sign-ins at the submission endpoint",
              lambda control, tenant, body: _of(tenant, control.world.journal.sign_ins), by_tenant=True),
    Operation("GET", "stats", "Counters: requests, tokens, concurrency, and how the latency model was kept",
              lambda control, tenant, body: control.stats()),
    Operation("GET", "state/{label}", "All that a tenant has stored, and what it comes to for SMTP AUTH",
              lambda control, tenant, body: control.state(_this(tenant))),
    Operation("GET", "history/{label}", "For each write, the mailboxes whose SMTP AUTH changed",
              lambda control, tenant, body: control.world.journal.history.get(_this(tenant).label, [])),
    Operation("GET", "tenants", "How to reach each tenant",
              lambda control, tenant, body: {name: control.world.describe(name) for name in control.world.tenants}),
    Operation("POST", "tenants", "Add a tenant, or replace the one with its label",
              lambda control, tenant, body: control.world.describe(control.world.add(body).label), body=TENANT),
    Operation("PATCH", "tenants/{label}", "Change a tenant as somebody else would; nothing is logged",
              lambda control, tenant, body: change(_this(tenant), body), body=CHANGE),
    Operation("DELETE", "tenants/{label}", "Remove a tenant",
              lambda control, tenant, body: control.world.remove(_this(tenant))),
    Operation("GET", "faults", "The faults that were asked for, and how often each struck",
              lambda control, tenant, body: [_fault(fault) for fault in control.world.faults.active]),
    Operation("POST", "faults", "Ask for a fault",
              lambda control, tenant, body: control.add_fault(body), body=FAULT),
    Operation("DELETE", "faults", "Forget all faults", lambda control, tenant, body: control.world.faults.clear()),
    Operation("POST", "reset", "Forget faults, log, history and page links; tenants stay",
              lambda control, tenant, body: control.reset()),
    Operation("GET", "openapi.json", "This description",
              lambda control, tenant, body: openapi.document(OPERATIONS)),
)  # fmt: skip
