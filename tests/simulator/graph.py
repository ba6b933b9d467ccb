# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Graph, as far as a tenant's description gives documents for its paths."""

from __future__ import annotations

import time
import uuid
from typing import Any

from aiohttp import web

from . import faults, wire
from .faults import Occasion
from .tokens import GRAPH_AUDIENCES
from .wire import Answer
from .world import World

_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def _error(status: int, code: str, text: str) -> Answer:
    inner = {"date": time.strftime("%Y-%m-%dT%H:%M:%S"), "request-id": str(uuid.uuid4())}
    return Answer(status, wire.encode({"error": {"code": code, "message": text, "innerError": inner}}), {}, _JSON)


async def handle(world: World, request: web.Request) -> Answer:
    scheme, _dummy, token = request.headers.get("Authorization", "").partition(" ")
    claims = world.authority.verify(token.strip()) if scheme.casefold() == "bearer" else None
    tenant = world.find(str(claims["tid"])) if claims else None
    if claims is None or tenant is None or claims["exp"] <= time.time():
        return _error(401, "InvalidAuthenticationToken", "Access token is empty, expired or invalid.")
    if str(claims["aud"]).rstrip("/") not in GRAPH_AUDIENCES:
        return _error(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    fault = world.faults.take(Occasion(tenant, "graph"))
    if fault and fault.kind in faults.INSTEAD:
        return faults.instead(fault, None, tenant, world.endpoint)
    answer = _document(tenant.graph, request)
    return faults.around(fault, answer) if fault else answer


def _document(documents: dict[str, Any], request: web.Request) -> Answer:
    """A key is a path, or a path with its query where that matters; an integer is an error status."""
    found = documents.get(request.path_qs, documents.get(request.path))
    if found is None:
        return _error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    if isinstance(found, int):
        return _error(found, "UnknownError", "The tenant's description asks for this error.")
    return Answer(200, wire.encode(found), {}, _JSON)
