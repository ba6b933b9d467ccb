# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph, as far as clients ask it who may sign in and who did: callers, faults, throttling."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from . import fault_kinds, faults, wire
from .faults import Fault, Occasion
from .graph_reads import RESOURCES
from .graph_wire import DEAD_LINK, JSON_TYPE, Call, GraphError, GraphPages, Resource, bad, plain, throttled
from .tenants import Tenant
from .tokens import GRAPH_BY_CLOUD, GRAPH_ID
from .wire import Answer
from .world import World


class Graph:
    def __init__(self, world: World) -> None:
        self.world = world
        self.pages = GraphPages()
        self._seen: dict[tuple[str, str, str], deque[float]] = {}

    def forget(self) -> None:
        self.pages.clear()
        self._seen.clear()

    async def handle(self, request: web.Request) -> tuple[Answer, str | None]:
        """The answer, and the label of the tenant that the token is for."""
        started = asyncio.get_running_loop().time()
        body = await request.read()
        try:
            tenant, client_id, roles = self._caller(request.headers)
        except GraphError as error:
            return error.answer(), None
        version, _dummy, path = request.path.strip("/").partition("/")
        base = f"{self.world.base(request.host)}/{version}"
        call = Call(tenant, client_id, roles, version, path, base, request.query, request.headers, body)
        answer = self._answer(call, request)
        answer.headers.setdefault("request-id", str(uuid.uuid4()))
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            wire.compress(answer)
        await self.world.wait(tenant, started, answer.rows)
        return answer, tenant.label

    def _caller(self, headers: Mapping[str, str]) -> tuple[Tenant, str, frozenset[str]]:
        authorization = headers.get("Authorization", "")
        if not authorization.partition(" ")[2]:
            raise _unauthenticated("Access token is empty.")
        found = self.world.bearer(authorization)
        if found is None:
            raise _unauthenticated("IDX14100: JWT is not well formed, or its signature is not valid.")
        claims, tenant, app = found
        if str(claims["aud"]).rstrip("/") not in (GRAPH_BY_CLOUD[tenant.cloud], GRAPH_ID):
            raise _unauthenticated("Access token validation failure. Invalid audience.")
        if claims["exp"] <= time.time() or claims["sim_number"] < tenant.first_valid_token:
            raise _unauthenticated("Lifetime validation failed, the token is expired.")
        return tenant, app.client_id, frozenset(claims.get("roles", []))

    def _answer(self, call: Call, request: web.Request) -> Answer:
        resource = _find(call)
        page = self.pages.number(call)
        name = resource.name if resource else None
        occasion = Occasion(call.tenant, "graph", resource=name, page=page, query=plain(call.query))
        fault = self.world.faults.take(occasion)
        if fault and fault.kind in fault_kinds.INSTEAD:
            return _instead(fault, call, self.world)
        try:
            answer = self._serve(resource, call, request)
        except GraphError as error:
            answer = error.answer()
        return faults.around(fault, answer) if fault else answer

    def _serve(self, resource: Resource | None, call: Call, request: web.Request) -> Answer:
        canned = _canned(call.tenant.graph, request)
        if canned is not None:
            return canned
        if resource is None or f"{call.version}/{resource.name}" in call.tenant.directory.missing:
            raise bad(f"Resource not found for the segment '{call.path.rpartition('/')[2]}'.")
        if request.method != resource.method:
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        self._pace(resource, call)
        if not resource.permissions & call.roles:
            raise GraphError(403, resource.denial.code, resource.denial.text)
        unknown = sorted(call.query.keys() - resource.options - _extra_options(resource, call))
        if unknown:
            raise bad(f"Query option '{unknown[0]}' is not allowed.")
        match = resource.pattern.fullmatch(call.path)
        argument = match.group(1) if match and match.groups() else ""
        return resource.serve(self.pages, replace(call, argument=argument))

    def _pace(self, resource: Resource, call: Call) -> None:
        if resource.limit is None or not call.tenant.directory.limits:
            return
        limit = resource.limit
        key = (call.tenant.label, limit.family, call.client_id if limit.per_app else "")
        seen = self._seen.setdefault(key, deque())
        now = time.monotonic()
        while seen and seen[0] <= now - limit.seconds:
            seen.popleft()
        if len(seen) >= limit.requests:
            wait = math.ceil(seen[0] + limit.seconds - now)
            raise throttled(str(wait) if limit.says_how_long else None)
        seen.append(now)


def _unauthenticated(text: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", text, WWW_Authenticate='Bearer error="invalid_token"')


def _canned(documents: Mapping[str, Any], request: web.Request) -> Answer | None:
    """A key is a path, or a path with its query where that matters; an integer is an error status."""
    found = documents.get(request.path_qs, documents.get(request.path))
    if found is None:
        return None
    if isinstance(found, int):
        return GraphError(found, "UnknownError", "The tenant's description asks for this error.").answer()
    return Answer(200, wire.encode(found), {}, JSON_TYPE)


def _instead(fault: Fault, call: Call, world: World) -> Answer:
    if fault.kind == "throttle":
        wait = fault.get("retry_after")
        return throttled(None if wait is None else str(wait)).answer()
    if fault.kind == "status":
        code = int(fault.get("code", 503))
        headers = {} if fault.get("retry_after") is None else {"Retry_After": str(fault.get("retry_after"))}
        if fault.get("form") == "none":
            return Answer(code, b"", {key.replace("_", "-"): value for key, value in headers.items()})
        name, text = str(fault.get("type", "UnknownError")), str(fault.get("message", ""))
        return GraphError(code, name, text, **headers).answer()
    if fault.kind == "page_expired":
        return bad(DEAD_LINK).answer()
    return faults.instead(fault, None, call.tenant, world.endpoint)


def _find(call: Call) -> Resource | None:
    return next((resource for resource in RESOURCES if resource.pattern.fullmatch(call.path)), None)


def _extra_options(resource: Resource, call: Call) -> frozenset[str]:
    return call.tenant.directory.sign_in_options if resource.name == "sign_ins" else frozenset()
