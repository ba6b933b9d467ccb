# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which requests they hit, and what they turn an answer into."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from . import wire
from .fault_kinds import check_fault, usual_endpoints
from .tenants import Tenant
from .wire import Answer


@dataclass(frozen=True)
class Occasion:
    """What a request is, as far as faults can choose."""

    # None where it is not known yet.
    tenant: Tenant | None
    endpoint: str
    cmdlet: str | None = None
    identity: str | None = None
    page: int | None = None
    # Of Graph: what is asked for, and the query as text.
    resource: str | None = None
    query: str = ""


@dataclass
class Fault:
    number: int
    tenant: str | None
    match: dict[str, Any]
    after: int
    times: int | None
    fault: dict[str, Any]
    seen: int = 0
    done: int = 0
    # Why a change could not be made when its turn had come.
    problem: str | None = None

    @property
    def kind(self) -> str:
        return str(self.fault["kind"])

    def get(self, name: str, default: Any = None) -> Any:
        return self.fault.get(name, default)

    def exhausted(self) -> bool:
        return self.times is not None and self.done >= self.times

    def strikes(self, occasion: Occasion) -> bool:
        if self.exhausted() or not self.fits(occasion):
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.done += 1
        return True

    def fits(self, occasion: Occasion) -> bool:
        if self.tenant is not None and (occasion.tenant is None or self.tenant != occasion.tenant.label):
            return False
        if occasion.endpoint not in self._endpoints():
            return False
        return all(_MATCHES[name](occasion, wanted) for name, wanted in self.match.items() if name in _MATCHES)

    def _endpoints(self) -> Collection[str]:
        if self.match.get("endpoint"):
            return (self.match["endpoint"],)
        return ("graph",) if "resource" in self.match else usual_endpoints(self.kind)


def _same_mailbox(occasion: Occasion, identity: str) -> bool:
    if occasion.identity is None or occasion.tenant is None:
        return False
    if occasion.identity.casefold() == identity.casefold():
        return True
    found = occasion.tenant.find(identity)
    return len(found) == 1 and found == occasion.tenant.find(occasion.identity)


# Whether an occasion is what ``match`` asks for, by its keys.
_MATCHES: Mapping[str, Callable[[Occasion, Any], bool]] = {
    "resource": lambda occasion, wanted: bool(wanted == occasion.resource),
    "query": lambda occasion, wanted: str(wanted) in occasion.query,
    "cmdlet": lambda occasion, wanted: str(wanted).casefold() == (occasion.cmdlet or "").casefold(),
    "page": lambda occasion, wanted: bool(wanted == occasion.page),
    "identity": lambda occasion, wanted: _same_mailbox(occasion, str(wanted)),
}


@dataclass
class Faults:
    active: list[Fault] = field(default_factory=list)
    _number: int = 0

    def add(self, given: Mapping[str, Any]) -> Fault:
        check_fault(given)
        match, fault = dict(given.get("match") or {}), dict(given["fault"])
        self._number += 1
        times = given.get("times", 1)
        entry = Fault(self._number, given.get("tenant"), match, int(given.get("after", 0)), times, fault)
        self.active.append(entry)
        return entry

    def take(self, occasion: Occasion) -> Fault | None:
        """The first fault whose turn it is."""
        candidates = (fault for fault in self.active if fault.kind != "drift")
        return next((fault for fault in candidates if fault.strikes(occasion)), None)

    def drifts(self, occasion: Occasion) -> list[Fault]:
        """What somebody else changes now; a request that meets it may meet a fault as well."""
        return [fault for fault in self.active if fault.kind == "drift" and fault.strikes(occasion)]

    def clear(self) -> None:
        self.active.clear()


_MEMBER = 16 * 1024 * 1024
HTML = b"<html><head><title>Object moved</title></head><body><h2>We can't serve this page right now.</h2></body></html>"


def instead(fault: Fault, identity: str | None, tenant: Tenant, here: str) -> Answer:
    """The answer that replaces the work; ``here`` is this server's other name, for redirects."""
    return _MAKERS[fault.kind](fault, identity or "", tenant, here)


def _throttle(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    wait = fault.get("retry_after")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    text = fault.get("text", "")
    return Answer(429, str(text).encode(), headers, "text/plain")


def _status(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    code = int(fault.get("code", 503))
    wait = fault.get("retry_after")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    if fault.get("form") == "none" and not fault.get("type"):
        return Answer(code, b"", headers)
    error = wire.ServiceError(
        code,
        fault.get("type", "Microsoft.Exchange.Data.Directory.ADTransientException"),
        fault.get("message", "The LDAP server is unavailable."),
        headers=headers,
    )
    return error.answer(fault.get("form", tenant.error_form))


def _transient(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    name = str(fault.get("type", "DCOverloadedException"))
    full_name = name if "." in name else f"Microsoft.Exchange.Data.Directory.{name}"
    text = fault.get("message", "The domain controller is overloaded. Please try again later.")
    error = wire.ServiceError(int(fault.get("status", 400)), full_name, text)
    return error.answer(fault.get("form", tenant.error_form))


def _html(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    return Answer(int(fault.get("status", 503)), HTML, {}, "text/html; charset=utf-8")


def _json_403(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    status = int(fault.get("status", 403))
    text = f"User is not allowed to call {fault.get('cmdlet', 'Get-CASMailbox')}"
    error = {"code": wire.CODES[status], "message": text, "innererror": {"type": wire.ODATA, "message": text}}
    return Answer(status, wire.encode({"error": error}))


def _unauthorized(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    challenge = 'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", error="insufficient_claims"'
    claims = fault.get("claims")
    if claims:
        text = claims if isinstance(claims, str) else json.dumps(claims)
        tenant.claims_challenge = text
        challenge += f', claims="{base64.b64encode(text.encode()).decode()}"'
    return Answer(401, b"", {"WWW-Authenticate": challenge})


def _expire(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    tenant.first_valid_token = tenant.token_number + 1
    return Answer(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _redirect(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    return Answer(int(fault.get("status", 302)), b"", {"Location": str(fault.get("location") or here)})


def _raw(fault: Fault, identity: str, tenant: Tenant, here: str) -> Answer:
    headers = {str(key): str(value) for key, value in (fault.get("headers") or {}).items()}
    kind = headers.pop("Content-Type", "application/json")
    body = base64.b64decode(fault.get("body_base64") or "")
    return Answer(int(fault.get("status", 200)), body, headers, kind)


_MAKERS: dict[str, Callable[[Fault, str, Tenant, str], Answer]] = {
    "throttle": _throttle,
    "status": _status,
    "transient": _transient,
    "not_found": lambda f, i, t, h: wire.not_found(i, t.directory_server()).answer(t.error_form),
    "ambiguous": lambda f, i, t, h: wire.ambiguous(i).answer(t.error_form),
    "html": _html,
    "reset_before": lambda f, i, t, h: Answer(0, reset=True),
    "nul_403": lambda f, i, t, h: wire.nul_403(),
    "json_403": _json_403,
    "unauthorized": _unauthorized,
    "expire_tokens": _expire,
    "page_expired": lambda f, i, t, h: wire.page_expired().answer(t.error_form),
    "redirect": _redirect,
    "raw": _raw,
    "entra_error": lambda f, i, t, h: wire.bad_request("This fault is for the token endpoint.").answer(),
    "refuse_select": lambda f, i, t, h: wire.bad_request("The query option '$select' is not allowed.").answer(),
}


def around(fault: Fault, answer: Answer) -> Answer:
    """Spoil an answer that was made as usual."""
    if fault.kind == "delay":
        answer.delay = float(fault.get("seconds", 1))
    elif fault.kind == "reset_after":
        answer.reset = True
    elif fault.kind == "truncated_json":
        answer.body = answer.body[: max(1, len(answer.body) // 2)]
    elif fault.kind == "trickle":
        answer.trickle = float(fault.get("seconds", 0.2))
    elif fault.kind == "gzip_bomb":
        answer.body = _bomb(float(fault.get("megabytes", 4096)))
        answer.headers["Content-Encoding"] = "gzip"
    elif fault.kind == "gzip_lie":
        answer.headers["Content-Encoding"] = "gzip"
    elif answer.status == 200 and fault.kind in _EDITS:
        document = answer.document()
        _EDITS[fault.kind](fault, document)
        answer.body = wire.encode(document)
    return answer


def _bomb(megabytes: float) -> bytes:
    """Blanks, which gzip packs a thousand to one; members of gzip may follow each other."""
    member = gzip.compress(b" " * _MEMBER, compresslevel=9, mtime=0)
    return member * max(1, round(megabytes * 1024 * 1024 / _MEMBER))


def _errors(fault: Fault, document: dict[str, Any]) -> None:
    document["adminapi.errors@odata.type"] = wire.STRING_COLLECTION
    document["@adminapi.errors"] = list(fault.get("messages") or ["The operation could not be completed."])


def _warnings(fault: Fault, document: dict[str, Any]) -> None:
    document["@adminapi.warnings"] = [*document.get("@adminapi.warnings", []), *(fault.get("messages") or [])]


def _missing(fault: Fault, document: dict[str, Any]) -> None:
    name = str(fault.get("property"))
    for row in document.get("value", []):
        row.pop(name, None)
        for key in [key for key in row if key.startswith(f"{name}@")]:
            if not fault.get("keep_annotation"):
                del row[key]
        if fault.get("keep_annotation"):
            row.setdefault(f"{name}@data.type", "System.Boolean")


def _wrong_type(fault: Fault, document: dict[str, Any]) -> None:
    for row in document.get("value", []):
        row[str(fault.get("property"))] = fault.get("value")


def _foreign_link(fault: Fault, document: dict[str, Any]) -> None:
    document["@odata.nextLink"] = str(fault.get("url", "https://outlook.example.com/adminapi/beta/x/InvokeCommand"))


def _link_host(fault: Fault, document: dict[str, Any]) -> None:
    """The link goes to the same place under another name or port."""
    if "@odata.nextLink" not in document:
        return
    parts = urlsplit(document["@odata.nextLink"])
    other = "127.0.0.1" if parts.hostname == "localhost" else "localhost"
    netloc = f"{fault.get('host', other)}:{fault.get('port', parts.port)}"
    document["@odata.nextLink"] = parts._replace(netloc=netloc).geturl()


def _short(fault: Fault, document: dict[str, Any]) -> None:
    rows = document.get("value", [])
    document["value"] = rows[: max(1, len(rows) // 2)]
    document["@adminapi.warnings"] = [*document.get("@adminapi.warnings", []), wire.TRUNCATED]
    document.pop("@odata.nextLink", None)


def _reorder(fault: Fault, document: dict[str, Any]) -> None:
    document.get("responses", []).reverse()


def _drop(fault: Fault, document: dict[str, Any]) -> None:
    index = int(fault.get("index", 0))
    del document.get("responses", [])[index : index + 1]


def _duplicate_id(fault: Fault, document: dict[str, Any]) -> None:
    responses = document.get("responses", [])
    responses.extend(responses[int(fault.get("index", 0)) :][:1])


_EDITS: dict[str, Callable[[Fault, dict[str, Any]], None]] = {
    "errors_in_200": _errors,
    "warnings": _warnings,
    "missing_property": _missing,
    "wrong_type": _wrong_type,
    "page_foreign_link": _foreign_link,
    "page_link_host": _link_host,
    "page_short_with_truncation_warning": _short,
    "batch_reorder": _reorder,
    "batch_drop_item": _drop,
    "batch_duplicate_id": _duplicate_id,
}
