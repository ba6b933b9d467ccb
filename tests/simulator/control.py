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
from .calls import dates
from .faults import BadFault, Fault
from .organization_schema import ORGANIZATION_BY_NAME
from .rows import mailbox_state
from .schema import TRANSPORT_PROPERTIES
from .store import Stored
from .tenants import (
    PLAIN_KEYS,
    DescriptionError,
    Mailbox,
    Tenant,
    check_role,
    checked_cas,
    checked_organization,
    checked_transport,
)
from .wire import Answer
from .world import World

_OWN_FIELDS = ("display_name", "alias", "type", "server")


class ControlError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Control:
    def __init__(self, world: World, forget_pages: Callable[[], None]) -> None:
        self.world = world
        self._forget_pages = forget_pages

    async def handle(self, request: web.Request, parts: list[str]) -> Answer:
        try:
            found = self._route(request.method, parts, request.query, _body(await request.read()))
        except (DescriptionError, BadFault, ValueError, TypeError, KeyError) as error:
            return _answer(400, {"error": f"{type(error).__name__}: {error}"})
        except ControlError as error:
            return _answer(error.status, {"error": str(error)})
        return _answer(200, found)

    def _route(self, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Any:
        world, journal = self.world, self.world.journal
        label = parts[1] if len(parts) == 2 else ""
        actions: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "log"): lambda: _of_tenant(journal.cmdlets, query),
            ("GET", "requests"): lambda: _of_tenant(journal.requests, query),
            ("GET", "stats"): self._stats,
            ("GET", "faults"): lambda: [_fault(fault) for fault in world.faults.active],
            ("POST", "faults"): lambda: _fault(world.faults.add(body)),
            ("DELETE", "faults"): world.faults.clear,
            ("GET", "tenants"): lambda: {name: world.describe(name) for name in world.tenants},
            ("POST", "tenants"): lambda: world.describe(world.add(body).label),
            ("POST", "reset"): self._reset,
            ("GET", "state/"): lambda: self._state(self._tenant(label)),
            ("GET", "history/"): lambda: journal.history.get(self._tenant(label).label, []),
            ("PATCH", "tenants/"): lambda: self._patch(self._tenant(label), body),
            ("DELETE", "tenants/"): lambda: world.remove(self._tenant(label)),
        }
        action = actions.get((method, parts[0] + "/" * (len(parts) - 1)))
        if action is None:
            raise ControlError(404, "no such control")
        found = action()
        return {} if found is None else found

    def _reset(self) -> None:
        self.world.faults.clear()
        self.world.journal.clear()
        self._forget_pages()

    def _tenant(self, name: str) -> Tenant:
        tenant = self.world.tenants.get(name) or self.world.find(name)
        if tenant is None:
            raise ControlError(404, f"no tenant {name}")
        return tenant

    @staticmethod
    def _state(tenant: Tenant) -> dict[str, Any]:
        return {
            "label": tenant.label,
            "tenant_id": tenant.tenant_id,
            "transport_config": {row.name: tenant.transport_value(row.name) for row in TRANSPORT_PROPERTIES},
            "organization_config": {name: tenant.organization_value(name) for name in ORGANIZATION_BY_NAME},
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

    def _patch(self, tenant: Tenant, body: Mapping[str, Any]) -> None:
        """Change things behind the client's back: no cmdlet runs, nothing is logged."""
        rest = dict(body)
        transport = checked_transport(rest.pop("transport_config", None) or {})
        organization = checked_organization(rest.pop("organization_config", None) or {})
        changes = [_mailbox_change(tenant, entry) for entry in rest.pop("mailboxes", None) or []]
        gone = [_one(tenant, str(identity)) for identity in rest.pop("remove_mailboxes", None) or []]
        added = rest.pop("add_mailboxes", None) or []
        apps = rest.pop("apps", None) or []
        if "directory_role" in rest:
            apps = [{"directory_role": rest.pop("directory_role")}, *apps]
        if rest.pop("expire_tokens", False):
            tenant.first_valid_token = tenant.token_number + 1
        if "claims_challenge" in rest:
            tenant.claims_challenge = rest.pop("claims_challenge")
        unknown = rest.keys() - set(PLAIN_KEYS)
        if unknown:
            raise DescriptionError(f"can't be changed: {', '.join(sorted(unknown))}")
        for entry in apps:
            _change_app(tenant, entry)
        tenant.set_plain(rest)
        _write(tenant.transport, transport)
        _write(tenant.organization, organization)
        for mailbox, cas in changes:
            _write(mailbox.store, cas)
            mailbox.rows.clear()
        for mailbox in gone:
            tenant.remove_mailbox(mailbox)
        tenant.add_mailboxes(added)


def _write(stored: Stored, values: Mapping[str, Any]) -> None:
    """Whoever changes an object moves its dates."""
    if values:
        stored.write({**dates(), **values}, 0)


def _change_app(tenant: Tenant, entry: Mapping[str, Any]) -> None:
    """The app with this client_id, else the first one."""
    app = tenant.find_app(str(entry.get("client_id", tenant.apps[0].client_id)))
    if app is None:
        raise ControlError(404, f"no app {entry.get('client_id')}")
    check_role(entry.get("directory_role", app.directory_role))
    for key, value in entry.items():
        if not hasattr(app, key):
            raise DescriptionError(f"unknown key in an app: {key}")
        setattr(app, key, value)


def _mailbox_change(tenant: Tenant, entry: Mapping[str, Any]) -> tuple[Mailbox, dict[str, Any]]:
    rest = dict(entry)
    mailbox = _one(tenant, str(rest.pop("identity")))
    cas = checked_cas(rest.pop("cas", None) or {})
    for key, value in rest.items():
        if key not in _OWN_FIELDS:
            raise DescriptionError(f"can't be changed in a mailbox: {key}")
        setattr(mailbox, key, value)
    if rest:
        tenant.add_mailboxes([])
    return mailbox, cas


def _one(tenant: Tenant, identity: str) -> Mailbox:
    found = tenant.find(identity)
    if len(found) != 1:
        raise ControlError(404, f"{len(found)} mailboxes are called {identity}")
    return found[0]


def _of_tenant(entries: Any, query: Mapping[str, str]) -> list[dict[str, Any]]:
    wanted = query.get("tenant")
    return [entry for entry in entries if wanted is None or entry["tenant"] == wanted]


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
