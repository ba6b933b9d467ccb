# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own API, below ``/_simulator``: tenants, faults, and what happened."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from . import wire
from .changes import NotThere, change, prepared
from .fault_kinds import check_fault
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

    def _route(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Any:
        world, journal = self.world, self.world.journal
        label = parts[1] if len(parts) == 2 else ""
        actions: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "log"): lambda: self._of_tenant(journal.cmdlets, query),
            ("GET", "requests"): lambda: self._of_tenant(journal.requests, query),
            ("GET", "smtp"): lambda: self._of_tenant(journal.sign_ins, query),
            ("GET", "stats"): self._stats,
            ("GET", "faults"): lambda: [_fault(fault) for fault in world.faults.active],
            ("POST", "faults"): lambda: self._add_fault(body),
            ("DELETE", "faults"): world.faults.clear,
            ("GET", "tenants"): lambda: {name: world.describe(name) for name in world.tenants},
            ("POST", "tenants"): lambda: world.describe(world.add(body).label),
            ("POST", "reset"): self._reset,
            ("GET", "state/"): lambda: self._state(self._tenant(label)),
            ("GET", "history/"): lambda: journal.history.get(self._tenant(label).label, []),
            ("PATCH", "tenants/"): lambda: change(self._tenant(label), body),
            ("DELETE", "tenants/"): lambda: world.remove(self._tenant(label)),
        }
        action = actions.get((method, parts[0] + "/" * (len(parts) - 1)))
        if action is None:
            raise NotThere("no such control")
        found = action()
        return {} if found is None else found

    def _add_fault(self, body: Any) -> dict[str, Any]:
        check_fault(body)
        tenant = None if body.get("tenant") is None else self._tenant(body["tenant"])
        if body["fault"]["kind"] == "drift":
            if tenant is None:
                raise DescriptionError("fault.tenant: a drift changes one tenant, so it has to be named")
            # A change that can't be made is told now, not when its turn has come.
            prepared(tenant, body["fault"].get("changes", {}))
        return _fault(self.world.faults.add({**body, "tenant": tenant.label if tenant else None}))

    def _reset(self) -> None:
        self.world.faults.clear()
        self.world.journal.clear()
        self._forget_pages()

    def _tenant(self, name: str) -> Tenant:
        tenant = self.world.tenants.get(name) or self.world.find(name)
        if tenant is None:
            raise NotThere(f"no tenant {name}")
        return tenant

    def _of_tenant(self, entries: Any, query: Mapping[str, str]) -> list[dict[str, Any]]:
        unknown = query.keys() - {"tenant"}
        if unknown:
            raise DescriptionError(f"unknown in the query: {', '.join(sorted(unknown))}")
        wanted = self._tenant(query["tenant"]).label if "tenant" in query else None
        return [entry for entry in entries if wanted is None or entry["tenant"] == wanted]

    @staticmethod
    def _state(tenant: Tenant) -> dict[str, Any]:
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

    def _stats(self) -> dict[str, Any]:
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
    }


def _body(raw: bytes) -> Any:
    return json.loads(raw) if raw else {}


def _answer(status: int, content: Any) -> Answer:
    return Answer(status, wire.encode(content), {}, "application/json")
