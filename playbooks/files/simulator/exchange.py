# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API of Exchange: who may call, InvokeCommand, ``$batch``."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from . import cmdlets, fault_kinds, faults, wire
from .calls import Call, Result
from .changes import NotThere, prepared
from .entity import as_cmdlet, as_entities, is_entity, query_of
from .faults import Fault, Occasion
from .names import DescriptionError
from .pages import DEFAULT_PAGE_SIZE, Pages, Position, question_of, routable
from .rows import View, anchor_server
from .tenants import CLOUD_AUDIENCES, MANAGE_AS_APP, App, Tenant
from .tokens import EXCHANGE_ID
from .wire import Answer, ServiceError
from .world import World

BATCH_LIMIT = 10
_CHALLENGE = (
    'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", '
    'trusted_issuers="00000001-0000-0000-c000-000000000000@*", '
    'token_types="app_asserted_user_v1 service_asserted_app_v1", '
    'authorization_uri="{authority}/common/oauth2/authorize"'
)
_PAGE_SIZE = re.compile(r"odata\.maxpagesize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass
class Arrival:
    """One cmdlet call, alone or in a batch, before anybody has looked into its body."""

    tenant: Tenant
    app: App
    base: str
    endpoint: str
    anchor: str | None
    prefer: str
    query: Mapping[str, str]
    request_id: str
    batch: str | None = None
    operation: str = "InvokeCommand"


def select_of(query: Mapping[str, str]) -> frozenset[str] | None:
    names = {name.strip() for name in query.get("$select", "").split(",") if name.strip()}
    return frozenset(names) if names and "*" not in names else None


def page_size(prefer: str) -> int:
    match = _PAGE_SIZE.search(prefer)
    size = int(match.group(1)) if match else DEFAULT_PAGE_SIZE
    return size if 1 <= size <= DEFAULT_PAGE_SIZE else DEFAULT_PAGE_SIZE


class Exchange:
    def __init__(self, world: World) -> None:
        self.world = world
        self.pages = Pages()

    async def handle(self, request: web.Request, parts: list[str]) -> Answer:
        """``parts`` is the path after ``adminapi``: version, tenant, operation."""
        answer = await self._handle(request, parts)
        answer.headers = {**self._defaults(request, answer), **answer.headers}
        return answer

    async def _handle(self, request: web.Request, parts: list[str]) -> Answer:
        started = asyncio.get_running_loop().time()
        raw = await request.read()
        operation = parts[2].casefold() if len(parts) == 3 else ""
        refusal = _refusal(request, parts, operation)
        if refusal is not None:
            return refusal
        caller = self.authorize(request.headers, parts[1])
        if isinstance(caller, Answer):
            return caller
        tenant, app = caller
        tenant.in_flight += 1
        tenant.peak = max(tenant.peak, tenant.in_flight)
        try:
            if tenant.concurrency_limit is not None and tenant.in_flight > tenant.concurrency_limit:
                return Answer(429, wire.CONCURRENCY.encode(), {}, "text/plain")
            return await self._serve(request, raw, operation, tenant, app, parts[1], started)
        finally:
            tenant.in_flight -= 1

    async def _serve(
        self, request: web.Request, raw: bytes, operation: str, tenant: Tenant, app: App, named: str, started: float
    ) -> Answer:
        headers = request.headers
        arrival = Arrival(
            tenant=tenant,
            app=app,
            base=f"{self.world.base(request.host)}/adminapi/beta/{named}",
            endpoint="invoke",
            anchor=headers.get("X-AnchorMailbox"),
            prefer=headers.get("Prefer", ""),
            query=request.query,
            request_id=headers.get("client-request-id") or str(uuid.uuid4()),
        )
        items = 0
        if is_entity(operation):
            answer = self._entities(arrival, request.path.rpartition("/")[2])
        elif request.method == "GET":
            answer = wire.page_expired().answer(tenant.error_form)
        elif headers.get("Content-Type", "").partition(";")[0].strip().casefold() != "application/json":
            answer = wire.bad_request("The media type of the request is not supported.", 415).answer()
        elif operation == "$batch":
            answer, items = self.batch(arrival, raw)
        else:
            answer = self.invoke(arrival, _loads(raw))
        answer.headers = {**self._tenant_headers(tenant, arrival.anchor), **answer.headers}
        if "gzip" in headers.get("Accept-Encoding", ""):
            wire.compress(answer)
        if not (answer.reset and answer.status == 0):
            await self.world.wait(tenant, started, answer.rows, items, answer.delay)
        return answer

    @staticmethod
    def _defaults(request: web.Request, answer: Answer) -> dict[str, str]:
        identifier = str(uuid.uuid4())
        return {
            "request-id": identifier,
            "client-request-id": request.headers.get("client-request-id", identifier),
            "X-BackEndHttpStatus": f"{answer.status},{answer.status}",
            "OData-Version": "4.0",
            "Vary": "Accept-Encoding",
        }

    @staticmethod
    def _tenant_headers(tenant: Tenant, anchor: str | None) -> dict[str, str]:
        found = {
            "X-CalculatedBETarget": anchor_server(tenant, anchor),
            "X-ConcurrencyCount": str(tenant.in_flight - 1),
        }
        if tenant.rate_headers:
            reset = datetime.now(timezone.utc) + timedelta(seconds=16)
            found |= {
                "Rate-Limit-Limit": "30000",
                "Rate-Limit-Remaining": "29997",
                "Rate-Limit-Reset": reset.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            }
        return found

    def authorize(self, headers: Mapping[str, str], named: str) -> tuple[Tenant, App] | Answer:
        authorization = headers.get("Authorization", "")
        if not authorization.partition(" ")[0]:
            return Answer(401, b"", {"WWW-Authenticate": 'Basic Realm=""'})
        challenge = _CHALLENGE.format(authority=self.world.endpoint)
        found = self.world.bearer(authorization)
        if found is None:
            return _unauthorized(challenge, "2000001", "The token is invalid.", "invalid_token")
        claims, tenant, app = found
        refusal = _token_refusal(challenge, claims, tenant, named)
        return (tenant, app) if refusal is None else refusal

    def invoke(self, arrival: Arrival, document: Any) -> Answer:
        tenant = arrival.tenant
        cmdlet, parameters, cmdlet_input = _command(document)
        token = arrival.query.get("$skiptoken")
        number = self._page_number(token)
        identity = _identity(parameters)
        occasion = Occasion(tenant, arrival.endpoint, cmdlet, identity, number)
        drifts = self.world.faults.drifts(occasion)
        self._drift(tenant, drifts, "before")
        fault = self.world.faults.take(occasion)
        if fault and _answers_instead(fault, arrival.query):
            answer = faults.instead(fault, identity, tenant, self._elsewhere(arrival, fault))
        else:
            answer = self._work(arrival, cmdlet, parameters, cmdlet_input, token, fault)
            if fault:
                answer = faults.around(fault, answer)
        self._drift(tenant, drifts, "after")
        if cmdlet is not None:
            self.world.journal.ran(
                tenant,
                cmdlet=cmdlets.known(tenant, cmdlet) or cmdlet,
                parameters=parameters,
                status=answer.status,
                batch=arrival.batch,
                request_id=arrival.request_id,
                anchor=arrival.anchor,
                changed=answer.changed,
                fault=fault.kind if fault else None,
                page=number,
            )
        return answer

    def _page_number(self, token: str | None) -> int | None:
        """Which page a request asks for; None where its token leads nowhere."""
        if token is None:
            return 1
        position = self.pages.peek(token)
        return position.number if position else None

    def _drift(self, tenant: Tenant, drifts: list[Fault], moment: str) -> None:
        """What somebody else does to the tenant around this cmdlet."""
        for drift in drifts:
            if drift.get("when", "after") != moment:
                continue
            try:
                apply = prepared(tenant, drift.get("changes") or {})
            except (DescriptionError, NotThere) as error:
                # The request has nothing to do with it, so the fault tells.
                drift.problem = str(error)
                continue
            before = self.world.journal.snapshot(tenant, tenant.mailboxes)
            apply()
            self.world.journal.effective(tenant, "drift", before)

    def _elsewhere(self, arrival: Arrival, fault: Fault) -> str:
        """This server under its other name, for a redirect to another host."""
        parts = urlsplit(arrival.base)
        host = "127.0.0.1" if parts.hostname == "localhost" else "localhost"
        operation = "$batch" if arrival.endpoint == "batch" else "InvokeCommand"
        query = "&".join(f"%24{key.lstrip('$')}={value}" for key, value in arrival.query.items())
        port = fault.get("port", parts.port)
        return f"https://{host}:{port}{parts.path}/{operation}" + (f"?{query}" if query else "")

    def _work(
        self,
        arrival: Arrival,
        cmdlet: str | None,
        parameters: dict[str, Any],
        cmdlet_input: Any,
        token: str | None,
        fault: Fault | None,
    ) -> Answer:
        tenant = arrival.tenant
        kind = fault.kind if fault else None
        try:
            if cmdlet is None:
                raise wire.bad_request("The parameter 'CmdletInput' in the request payload is not valid.")
            # A cmdlet that doesn't exist and one that the role does not hold look the same.
            if cmdlets.known(tenant, cmdlet) is None or not arrival.app.may_run(cmdlet):
                return wire.nul_403()
            select = None if kind == "ignore_select" else select_of(arrival.query)
            if token is not None:
                position = self.pages.resume(token, tenant, arrival.anchor, question_of(cmdlet_input))
                return self._page(arrival, position, [], token, fault)
            call = Call(
                tenant=tenant,
                cmdlet=cmdlet,
                parameters=_really_asked(parameters, fault),
                anchor=arrival.anchor,
                journal=self.world.journal,
                app=arrival.app,
                store=kind != "set_ignored",
            )
            if kind == "needs_proxy":
                self._need_server(call)
            result = cmdlets.run(call)
            return self._answer(arrival, result, select, question_of(cmdlet_input), fault)
        except ServiceError as error:
            return error.answer(tenant.error_form)

    def _entities(self, arrival: Arrival, operation: str) -> Answer:
        try:
            arrival.query = query_of(arrival.query)
        except ServiceError as error:
            return error.answer(arrival.tenant.error_form)
        arrival.operation = operation
        context = f"{arrival.base}/$metadata#CasMailbox"
        return as_entities(self.invoke(arrival, as_cmdlet(operation)), context)

    def _need_server(self, call: Call) -> None:
        identity = _identity(call.parameters)
        found = tuple(call.tenant.mailboxes[:1]) if identity is None else call.tenant.find(identity)
        cmdlets.need_mailbox_server(call, list(found))

    def _answer(
        self, arrival: Arrival, result: Result, select: frozenset[str] | None, question: str, fault: Fault | None
    ) -> Answer:
        tenant = arrival.tenant
        if result.render is None:
            body = wire.envelope(self._context(arrival), [], result.warnings, confirmation=result.confirmation)
            return Answer(200, body, changed=result.changed)
        position = Position(
            tenant=tenant.label,
            anchor=routable(tenant, arrival.anchor),
            question=question,
            objects=result.objects,
            render=result.render,
            select=select,
            switches=result.switches,
            step=result.limit,
            end=result.limit,
            link_past_end=result.limit_given,
            lifetime=tenant.page_expiry,
        )
        answer = self._page(arrival, position, result.warnings, None, fault)
        answer.changed = result.changed
        return answer

    def _page(
        self, arrival: Arrival, position: Position, warnings: list[str], token: str | None, fault: Fault | None
    ) -> Answer:
        tenant = arrival.tenant
        extra = fault is not None and fault.kind == "page_extra_link"
        page = self.pages.cut(position, page_size(arrival.prefer), extra_link=extra)
        following = token if fault and fault.kind == "page_repeat" and token else page.token
        objects = page.objects
        if fault and fault.kind == "page_duplicate":
            objects = [*objects, position.objects[0]]
        view = View(position.select, position.switches, tenant.omitted())
        rows = [position.render(tenant, entry, view) for entry in objects]
        body = wire.envelope(
            self._context(arrival),
            rows,
            [*warnings, *page.warnings],
            next_link=self._link(arrival, position, following) if following else None,
        )
        return Answer(200, body, rows=len(rows))

    @staticmethod
    def _link(arrival: Arrival, position: Position, token: str) -> str:
        select = "" if position.select is None else f"%24select={','.join(sorted(position.select))}&"
        return f"{arrival.base}/{arrival.operation}?{select}%24skiptoken={token}"

    @staticmethod
    def _context(arrival: Arrival) -> str:
        return f"{arrival.base}/$metadata#Collection(Exchange.GenericHashTable)"

    def batch(self, arrival: Arrival, raw: bytes) -> tuple[Answer, int]:
        tenant = arrival.tenant
        arrival.endpoint = "batch"
        fault = self.world.faults.take(Occasion(tenant, "batch"))
        if fault and fault.kind in fault_kinds.INSTEAD:
            return faults.instead(fault, None, tenant, self._elsewhere(arrival, fault)), 0
        try:
            requests = _batch_items(_loads(raw))
        except ServiceError as error:
            return error.answer(tenant.error_form), 0
        parts, whole = [], Answer(200)
        batch = str(uuid.uuid4())
        for entry in requests:
            answer = self._item(arrival, entry, batch)
            whole.rows += answer.rows
            whole.delay = max(whole.delay, answer.delay)
            whole.reset = whole.reset or answer.reset
            whole.trickle = whole.trickle or answer.trickle
            parts.append(_item_answer(str(entry["id"]), answer, arrival))
        whole.body = b'{"responses":[' + b",".join(parts) + b"]}"
        whole.content_type = "application/json"
        if fault:
            whole = faults.around(fault, whole)
        return whole, len(requests)

    def _item_refusal(self, arrival: Arrival, host: str | None, path: list[str]) -> Answer | None:
        """The answer to a batch item that does not lead to a cmdlet of the batch's tenant."""
        shape = len(path) == 4 and path[0].casefold() == "adminapi" and path[3].casefold() == "invokecommand"
        # Whatever port and name lead here: the client knows this server by the address that it was given.
        if not shape or host not in (urlsplit(arrival.base).hostname, "localhost", "127.0.0.1"):
            return wire.bad_request("The URL of a batch item is not one of this service.").answer()
        if path[1].casefold() != "beta":
            return Answer(405, b"")
        if not arrival.tenant.answers_to(path[2]):
            return Answer(401, b"", {"WWW-Authenticate": _CHALLENGE.format(authority=self.world.endpoint)})
        return None

    def _item(self, arrival: Arrival, entry: Mapping[str, Any], batch: str) -> Answer:
        try:
            parts = _item_url(entry)
        except ServiceError as error:
            return error.answer(arrival.tenant.error_form)
        path = parts.path.strip("/").split("/")
        refusal = self._item_refusal(arrival, parts.hostname, path)
        if refusal is not None:
            return refusal
        headers = entry.get("headers") or {}
        if not isinstance(headers, dict):
            return wire.bad_request("The headers of a batch item are not an object.").answer()
        folded = {str(key).casefold(): str(value) for key, value in headers.items()}
        self.world.journal.asked("POST", parts.path, {str(k): str(v) for k, v in headers.items()}, None,
                                 arrival.tenant.label, "batch_item")  # fmt: skip
        inner = Arrival(
            tenant=arrival.tenant,
            app=arrival.app,
            base=f"{parts.scheme}://{parts.netloc}/adminapi/beta/{path[2]}",
            endpoint="batch_item",
            # The batch goes as a whole where the outer request points to, whatever an item says.
            anchor=arrival.anchor,
            prefer=folded.get("prefer", arrival.prefer),
            query={key: values[0] for key, values in parse_qs(parts.query).items()},
            request_id=folded.get("client-request-id", arrival.request_id),
            batch=batch,
        )
        return self.invoke(inner, entry.get("body"))


def _refusal(request: web.Request, parts: list[str], operation: str) -> Answer | None:
    """The answer to a request that there is no service for, whoever sends it."""
    entity = is_entity(operation)
    if operation not in ("invokecommand", "$batch") and not entity:
        return Answer(404, b"", {}, "text/plain")
    if parts[0].casefold() != "beta":
        return Answer(405, b"", {"Allow": ""}, "text/plain")
    if request.headers.get("X-ResponseFormat", "json").casefold() != "json":
        # The official module asks for rows in the XML of PowerShell.
        return wire.bad_request("The simulator answers in JSON only: leave X-ResponseFormat out.").answer()
    paged = "$skiptoken" in request.query
    if request.method != ("GET" if entity else "POST") and not (request.method == "GET" and paged):
        return Answer(405, b"", {"Allow": "POST"}, "text/plain")
    return None


def _token_refusal(challenge: str, claims: Mapping[str, Any], tenant: Tenant, named: str) -> Answer | None:
    """Why a token of ours does not open the tenant that the path names."""
    if str(claims["aud"]).rstrip("/") not in (*CLOUD_AUDIENCES[tenant.cloud], EXCHANGE_ID):
        return _unauthorized(challenge, "2000003", "The audience claim value is invalid 'aud'.", "invalid_resource")
    if claims["exp"] <= time.time() or claims["sim_number"] < tenant.first_valid_token:
        return _unauthorized(challenge, "2000008", "The token has expired.", "invalid_token")
    if tenant.claims_challenge and not claims["sim_challenge"]:
        fault = Fault(0, None, {}, 0, None, {"kind": "unauthorized", "claims": tenant.claims_challenge})
        return faults.instead(fault, None, tenant, "")
    if not tenant.answers_to(named):
        return _unauthorized(challenge, "2000010", "The token is for another tenant.", "invalid_tenant")
    roles = claims.get("roles", [])
    if MANAGE_AS_APP not in roles:
        if roles:
            # A look-alike permission is refused before anything else, without a body or a reason.
            return Answer(403, b"", {}, "text/plain")
        return _unauthorized(challenge, "2000012", "The token has no permissions.", "invalid_grant")
    return None


def _unauthorized(challenge: str, number: str, reason: str, category: str) -> Answer:
    headers = {
        "WWW-Authenticate": f'{challenge}, error="{category}"',
        "x-ms-diagnostics": f'{number};reason="{reason}";error_category="{category}"',
    }
    return Answer(401, b"", headers, "text/plain")


def _loads(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _command(document: Any) -> tuple[str | None, dict[str, Any], Any]:
    """Cmdlet, parameters, and the input as it came; no cmdlet when the body is not what it should be."""
    cmdlet_input = document.get("CmdletInput") if isinstance(document, dict) else None
    if not isinstance(cmdlet_input, dict) or not isinstance(cmdlet_input.get("CmdletName"), str):
        return None, {}, None
    parameters = cmdlet_input.get("Parameters")
    if parameters is not None and not isinstance(parameters, dict):
        return None, {}, None
    return cmdlet_input["CmdletName"], parameters or {}, cmdlet_input


def _identity(parameters: Mapping[str, Any]) -> str | None:
    return next((v for k, v in parameters.items() if k.casefold() == "identity" and isinstance(v, str)), None)


def _answers_instead(fault: Fault, query: Mapping[str, str]) -> bool:
    """Whether a fault answers in place of the cmdlet; one kind does so only where a selection is asked for."""
    unasked = fault.kind == "refuse_select" and select_of(query) is None
    return fault.kind in fault_kinds.INSTEAD and not unasked


def _really_asked(parameters: Mapping[str, Any], fault: Fault | None) -> dict[str, Any]:
    """The parameters that the cmdlet gets: one kind of fault has it answer on another object."""
    if fault is None or fault.kind != "other_object":
        return dict(parameters)
    others = {key: value for key, value in parameters.items() if key.casefold() != "identity"}
    return {**others, "Identity": fault.get("identity")}


def _batch_items(document: Any) -> list[dict[str, Any]]:
    requests = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(requests, list) or not all(isinstance(entry, dict) for entry in requests):
        raise wire.bad_request("The batch has no list of requests.")
    if not 1 <= len(requests) <= BATCH_LIMIT:
        raise wire.bad_request(f"The number of requests in a batch is between 1 and {BATCH_LIMIT}.")
    if not _distinct_texts([entry.get("id") for entry in requests]):
        raise wire.bad_request("Each request of a batch needs a text of its own as 'id'.")
    return requests


def _distinct_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) and value for value in values) and len(set(values)) == len(values)


def _item_url(entry: Mapping[str, Any]) -> Any:
    if entry.get("method") != "POST" or not isinstance(entry.get("url"), str):
        raise wire.bad_request("Each request of a batch is a POST to an absolute URL.")
    if not isinstance(entry.get("body"), dict):
        raise wire.bad_request("The body of a batch item is not an object.")
    parts = urlsplit(entry["url"])
    if parts.scheme != "https" or not parts.netloc:
        raise wire.bad_request("The URL of a batch item is not absolute.")
    return parts


def _is_json(answer: Answer) -> bool:
    """Whether the body fits into that of a batch; a spoiled one goes in as text."""
    return answer.content_type.startswith("application/json") and answer.body.endswith(b"}")


def _item_answer(number: str, answer: Answer, arrival: Arrival) -> bytes:
    headers = {"Content-Type": answer.content_type, "client-request-id": arrival.request_id, **answer.headers}
    if not answer.body:
        body = b"null"
    elif _is_json(answer):
        body = answer.body
    else:
        body = wire.encode(answer.body.decode(errors="replace"))
    lead = wire.encode({"id": number, "status": answer.status, "headers": headers})
    return lead[:-1] + b',"body":' + body + b"}"
