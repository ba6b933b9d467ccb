# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The authority: where tokens come from, which tenant a domain is, and what its refusals mean. PRIVATE."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Http, Response
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Retry, with_retries
from ansible_collections.m365.exchange_online.plugins.module_utils._service_errors import RETRYABLE_STATUSES, failure
from ansible_collections.m365.exchange_online.plugins.module_utils._text import is_guid

_GUID_IN_URL = re.compile(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """A token, the tenant it is for, and when it ends (seconds since the epoch)."""

    value: str = field(repr=False)
    tenant_id: str
    expires_on: float

    @classmethod
    def read(cls, value: str) -> Token:
        """The token with what it says of itself; raises AuthenticationFailed where it says nothing readable."""
        try:
            payload = value.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            if not is_guid(claims["tid"]):
                raise ValueError("tid")
            return cls(value, claims["tid"].lower(), float(claims["exp"]))
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise AuthenticationFailed(
                "The access token is not one whose tenant and expiry can be read.",
                hint="Exchange Online takes a JWT for its own resource, without the word Bearer in front.",
            ) from None


@dataclass(frozen=True)
class Authority:
    """Where tokens come from and what for.

    tenant: as the user gave it, a GUID or a domain. tries: after the first, where a request fails for the moment.
    """

    base: str
    tenant: str
    resource: str
    http: Http
    tries: int = 0

    @property
    def scope(self) -> str:
        return self.resource + "/.default"

    @property
    def url(self) -> str:
        return f"{self.base}/{quote(self.tenant, safe='', errors='replace')}"


def tenant_id(authority: Authority) -> str:
    """The GUID behind a domain, from the authority's discovery document (no credential needed)."""
    url = f"{authority.url}/v2.0/.well-known/openid-configuration"

    def fetch() -> Response:
        answer = authority.http.fetch(url)
        if answer.status in RETRYABLE_STATUSES:
            raise failure(f"The request for {authority.tenant} at {authority.base}", answer.status, answer.headers, "")
        return answer

    answer = with_retries(fetch, Retry(authority.tries))
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if answer.status == 200 and isinstance(document, dict):
        for name in ("token_endpoint", "issuer"):
            found = _GUID_IN_URL.search(str(document.get(name)))
            if found:
                return found.group(1).lower()
    if isinstance(document, dict) and document.get("error"):
        raise rejected_request(document, authority)
    raise UnexpectedResponse(
        f"The authority did not say which tenant {authority.tenant} is (HTTP {answer.status}).",
        http_status=answer.status,
        hint="Give tenant as a GUID, or check authority and the proxy.",
    )


# What Entra ID's error numbers mean here, and what to do.
_AADSTS: Mapping[int, tuple[str, str]] = {
    7000215: ("the client secret is wrong", "Use the secret's value, not its id, from the app registration."),
    7000222: ("the client secret has expired", "Make a new secret in the app registration."),
    700016: ("the app is not known in this tenant", "Check client_id and tenant, and that consent was given."),
    7000229: ("the app has no service principal in this tenant", "Let an administrator of the tenant give consent."),
    7000112: ("the app is disabled in this tenant", "Enable the enterprise application in the tenant."),
    90002: ("the tenant does not exist", "Check tenant, and cloud: each cloud knows its own tenants only."),
    900023: ("this is not the name of a tenant", "Give tenant as a GUID or as one of its verified domains."),
    700027: ("the certificate is not one of the app's", "Upload this certificate to the app registration."),
    700024: ("the assertion's time is not valid", "Check the clock of this host."),
    500011: ("Exchange Online is not known in this tenant", "Check cloud, and that the tenant has Exchange Online."),
    70021: ("no federated credential of the app fits the token file", "Check issuer, subject and audience there."),
    700211: ("no federated credential of the app fits the token's issuer", "Check the issuer in the app registration."),
    700213: ("no federated credential of the app fits the token's subject", "Check the subject there."),
    53003: ("a Conditional Access policy blocks the app", "Let the policy exclude this app or this host's address."),
}  # fmt: skip


def rejected_request(
    answer: Mapping[str, t.Any], authority: Authority | None, hint: str | None = None
) -> AuthenticationFailed:
    """The failure for an answer without a token. authority: None for an identity endpoint of the host."""
    description = str(answer.get("error_description") or answer.get("error") or "no reason given")
    number = _error_number(answer, description)
    reason, advice = _AADSTS.get(number, (_own_words(description), hint))
    where = f" for tenant {authority.tenant}" if authority else ""
    code = f" (AADSTS{number})" if number else ""
    return AuthenticationFailed(
        f"No token{where}: {reason}{code}.",
        hint=advice,
        request_id=str(answer["correlation_id"]) if answer.get("correlation_id") else None,
    )


def _error_number(answer: Mapping[str, t.Any], description: str) -> int:
    codes = answer.get("error_codes") or re.findall(r"AADSTS(\d+)", description)
    first = str(codes[0]) if isinstance(codes, list) and codes else ""
    return int(first) if re.fullmatch("[0-9]{1,9}", first) else 0


def _own_words(description: str) -> str:
    """The authority's sentence without its number, trace and time."""
    if not re.search("[a-z]{3}", description.replace("None", "")):  # msal puts None for what an endpoint left out
        return "the request was refused without a reason"
    sentence = description.partition("Trace ID")[0].strip().partition("\n")[0]
    return re.sub(r"^AADSTS\d+:\s*", "", sentence).strip(" .")[:300]
