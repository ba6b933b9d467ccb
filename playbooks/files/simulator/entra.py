# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra ID: discovery documents, the token endpoint, managed identities."""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from aiohttp import web

from . import fault_kinds, faults, wire
from .faults import Fault, Occasion
from .tenants import App, Tenant
from .tokens import EXCHANGE_AUDIENCES, GRAPH_AUDIENCES, AssertionRefused
from .wire import Answer
from .world import World

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_JSON = "application/json; charset=utf-8"
_APP_SERVICE, _VIRTUAL_MACHINE = "msi/token", "metadata/identity/oauth2/token"
# The path that each offers, and the versions of its API.
_IDENTITY_VERSIONS: Mapping[str, tuple[str, ...]] = {
    _APP_SERVICE: ("2019-08-01",),
    _VIRTUAL_MACHINE: ("2018-02-01", "2019-08-01", "2021-02-01"),
}


class EntraError(Exception):
    def __init__(self, status: int, error: str, number: int, text: str, **more: Any) -> None:
        super().__init__(text)
        self.status, self.error, self.number, self.text, self.more = status, error, number, text, more

    def answer(self, correlation: str) -> Answer:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
        trace = str(uuid.uuid4())
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.text} Trace ID: {trace} "
            f"Correlation ID: {correlation} Timestamp: {now}",
            "error_codes": [self.number],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
            **self.more,
        }
        return Answer(self.status, wire.encode(body), {"x-ms-request-id": trace}, _JSON)


def _unknown_tenant(name: str, error: str) -> EntraError:
    return EntraError(
        400,
        error,
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


class Entra:
    def __init__(self, world: World) -> None:
        self.world = world

    async def handle(self, request: web.Request, parts: list[str]) -> Answer | None:
        """None for a path that is not Entra's."""
        tail = [part.casefold() for part in parts[1:]]
        correlation = request.headers.get("client-request-id") or str(uuid.uuid4())
        try:
            if tail == ["discovery", "instance"]:
                return self._instances(request)
            if tail in (["v2.0", ".well-known", "openid-configuration"], [".well-known", "openid-configuration"]):
                return await self._discovery(request, parts[0])
            if tail in (["oauth2", "v2.0", "token"], ["oauth2", "token"]):
                return await self._token(request, parts[0], first_version=len(tail) == 2)
        except EntraError as error:
            return error.answer(correlation)
        return None

    def _instances(self, request: web.Request) -> Answer:
        base = self.world.base(request.host)
        host = base.partition("://")[2]
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        endpoint = f"{base}/common/v2.0/.well-known/openid-configuration"
        body = {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata}
        return Answer(200, wire.encode(body), {}, _JSON)

    def _faulty(self, tenant: Tenant, endpoint: str) -> tuple[Fault | None, Answer | None]:
        fault = self.world.faults.take(Occasion(tenant, endpoint))
        if fault is None:
            return None, None
        if fault.kind == "entra_error":
            raise EntraError(
                int(fault.get("status", 400)),
                str(fault.get("error", "invalid_grant")),
                int(fault.get("number", 53003)),
                str(
                    fault.get(
                        "description",
                        "Access has been blocked by Conditional Access policies. The access policy does not allow "
                        "token issuance.",
                    )
                ),
                **{key: fault.get(key) for key in ("claims", "suberror") if fault.get(key)},
            )
        if fault.kind in fault_kinds.INSTEAD:
            return fault, faults.instead(fault, None, tenant, self.world.endpoint)
        return fault, None

    async def _discovery(self, request: web.Request, name: str) -> Answer:
        base = self.world.base(request.host)
        tenant = self.world.find(name)
        if tenant is None and name.casefold() not in ("common", "organizations"):
            raise _unknown_tenant(name, "invalid_tenant")
        tenant_id = tenant.tenant_id if tenant else "{tenantid}"
        # In a document that names the tenant in its issuer only, the other addresses are as they were asked for.
        shown = tenant.tenant_id if tenant and tenant.form("discovery_tenant") == "everywhere" else name
        body = {
            "token_endpoint": f"{base}/{shown}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/{shown}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{base}/{tenant_id}/v2.0",
            "authorization_endpoint": f"{base}/{shown}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/{shown}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        }
        answer = Answer(200, wire.encode(body), {}, _JSON)
        return await self._spoil(tenant, "discovery", answer) if tenant else answer

    async def _spoil(self, tenant: Tenant, endpoint: str, answer: Answer) -> Answer:
        fault, instead = self._faulty(tenant, endpoint)
        if instead is not None:
            return instead
        return faults.around(fault, answer) if fault else answer

    async def _token(self, request: web.Request, name: str, *, first_version: bool) -> Answer:
        if request.method != "POST":
            raise EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
        form = {key: str(value) for key, value in (await request.post()).items()}
        tenant = self.world.find(name)
        if tenant is None:
            raise _unknown_tenant(name, "invalid_request")
        fault, instead = self._faulty(tenant, "token")
        if instead is not None:
            return instead
        app = self._app(tenant, form, self.world.base(request.host), name)
        answer = self._issue(tenant, app, form, first_version=first_version)
        return faults.around(fault, answer) if fault else answer

    def _app(self, tenant: Tenant, form: Mapping[str, str], base: str, name: str) -> App:
        """The app that has proved who it is."""
        if form.get("grant_type") != "client_credentials":
            raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client_id = form.get("client_id", "")
        app = next((app for app in tenant.apps if app.client_id == client_id.lower()), None)
        if app is None:
            raise EntraError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{tenant.domains[0]}'. "
                "This can happen if the application has not been installed by the administrator of the tenant.",
            )
        self._prove(tenant, app, form, base, name)
        if app.blocked:
            raise EntraError(
                400,
                "invalid_grant",
                53003,
                "Access has been blocked by Conditional Access policies. The access policy does not allow token "
                "issuance.",
                suberror="message_only",
                claims='{"access_token":{"capolids":{"essential":true,"values":["00000000-0000-0000-0000-000000000001"]}}}',
            )
        return app

    def _issue(self, tenant: Tenant, app: App, form: Mapping[str, str], *, first_version: bool) -> Answer:
        audience = _resource(form) if first_version else _audience(form.get("scope", ""))
        challenged = not tenant.claims_challenge or "claims" in form
        token = self.world.authority.access_token(tenant, app, audience, answers_challenge=challenged)
        lifetime = int(tenant.token_lifetime)
        body = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }
        if first_version:
            # The older endpoint writes its numbers as texts.
            now = int(time.time())
            times = {"expires_on": now + lifetime, "not_before": now - 5, "expires_in": lifetime}
            body |= {"resource": audience, "ext_expires_in": str(lifetime)}
            body |= {key: str(value) for key, value in times.items()}
        return Answer(200, wire.encode(body), {"Cache-Control": "no-store"}, _JSON)

    def _prove(self, tenant: Tenant, app: App, form: Mapping[str, str], base: str, name: str) -> None:
        if "client_secret" in form:
            if app.secret is None or form["client_secret"] != app.secret:
                raise EntraError(
                    401,
                    "invalid_client",
                    7000215,
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                    f"value, not the client secret ID, for a secret added to app '{app.client_id}'.",
                )
            if app.secret_expired:
                raise EntraError(
                    401,
                    "invalid_client",
                    7000222,
                    f"The provided client secret keys for app '{app.client_id}' are expired.",
                )
            return
        if "client_assertion" not in form:
            raise EntraError(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            )
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise EntraError(400, "invalid_request", 900144, "The client_assertion_type is missing or unknown.")
        names = {tenant.tenant_id, name.lower(), *tenant.domains}
        tails = ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0")
        audiences = {f"{base}/{known}{tail}" for known, tail in itertools.product(names, tails)}
        try:
            self.world.authority.check_assertion(
                app, self.world.credential(tenant, app), form["client_assertion"], frozenset(audiences)
            )
        except AssertionRefused as error:
            raise EntraError(401, "invalid_client", error.number, error.text) from error

    async def identity(self, request: web.Request) -> Answer:
        """Managed identities, as a virtual machine (IMDS) and as App Service offer them."""
        parts = request.path.strip("/").split("/")
        tenant = self._identity_tenant(parts[0])
        if tenant is None or tenant.identity is None:
            return _identity_error(400, "invalid_request", "Identity not found")
        tail = "/".join(parts[1:] if parts[0] == tenant.label else parts)
        versions = _IDENTITY_VERSIONS.get(tail)
        if versions is None:
            return Answer(404, b"", {}, "text/plain")
        refusal = _identity_header_refusal(tail, request.headers, tenant)
        if refusal is not None:
            return refusal
        try:
            fault, instead = self._faulty(tenant, "identity")
        except EntraError as error:
            return _identity_error(error.status, error.error, error.text)
        if instead is not None:
            return instead
        answer = self._identity_token(request, tenant, tenant.identity, versions)
        return faults.around(fault, answer) if fault else answer

    def _identity_tenant(self, label: str) -> Tenant | None:
        """The tenant that a path names, else the first that has a managed identity."""
        named = self.world.tenants.get(label)
        return named or next((found for found in self.world.tenants.values() if found.identity), None)

    def _identity_token(self, request: web.Request, tenant: Tenant, identity: App, versions: tuple[str, ...]) -> Answer:
        query = request.query
        if query.get("api-version") not in versions:
            return _identity_error(400, "invalid_request", "The api-version is missing or unknown.")
        if query.get("client_id") and query["client_id"].lower() != identity.client_id:
            return _identity_error(400, "invalid_request", "Identity not found")
        resource = query.get("resource", "")
        if resource.rstrip("/") not in EXCHANGE_AUDIENCES | GRAPH_AUDIENCES:
            return _identity_error(400, "invalid_resource", f"AADSTS500011: The resource '{resource}' was not found.")
        now, lifetime = int(time.time()), int(tenant.token_lifetime)
        body = {
            "access_token": self.world.authority.access_token(tenant, identity, resource, answers_challenge=True),
            "client_id": identity.client_id,
            "expires_in": str(lifetime),
            "expires_on": str(now + lifetime),
            "ext_expires_in": str(lifetime),
            "not_before": str(now - 5),
            "resource": resource,
            "token_type": "Bearer",
        }
        return Answer(200, wire.encode(body), {}, _JSON)


def _identity_header_refusal(tail: str, headers: Mapping[str, str], tenant: Tenant) -> Answer | None:
    """Each asks for a header of its own, which a request that somebody was led into does not have."""
    if tail == _APP_SERVICE and headers.get("X-IDENTITY-HEADER") != tenant.identity_header:
        return _identity_error(401, "unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
    if tail == _VIRTUAL_MACHINE and headers.get("Metadata", "").casefold() != "true":
        return _identity_error(400, "invalid_request", "Required metadata header not specified")
    return None


def _identity_error(status: int, error: str, text: str) -> Answer:
    return Answer(status, wire.encode({"error": error, "error_description": text}), {}, _JSON)


def _audience(scope: str) -> str:
    # msal adds the reserved scopes for some flows; they say nothing about the resource.
    scopes = [name for name in scope.split() if name not in ("openid", "profile", "offline_access")]
    if len(scopes) != 1 or not scopes[0].endswith("/.default"):
        raise EntraError(
            400,
            "invalid_scope",
            1002012,
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI).",
        )
    return _known_resource(scopes[0].removesuffix("/.default"))


def _resource(form: Mapping[str, str]) -> str:
    if not form.get("resource"):
        text = "The request body must contain the following parameter: 'resource'."
        raise EntraError(400, "invalid_request", 900144, text)
    return _known_resource(form["resource"])


def _known_resource(resource: str) -> str:
    if resource.rstrip("/") not in EXCHANGE_AUDIENCES | GRAPH_AUDIENCES:
        raise EntraError(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {resource} was not found in the tenant. This can happen if the application "
            "has not been installed by the administrator of the tenant.",
        )
    return resource
