# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options: one table for the argument spec, the environment and the documentation. PRIVATE.

An empty string or null is "not given", in options and in the environment: AWX hands over one or the other, by version.
"""

from __future__ import annotations

import itertools
import os
import re
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleFallbackNotFound

from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import CLOUDS, Cloud, base_url
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    InvalidRequest,
)


@dataclass(frozen=True)
class Option:
    """One connection option. ``credential``: it belongs to a credential, whose parts never mix two families."""

    name: str
    environment: tuple[str, ...]
    type: str = "str"
    default: t.Any = None
    choices: tuple[str, ...] = ()
    no_log: bool | None = None
    required: bool = False
    credential: bool = False

    def spec(self) -> dict[str, t.Any]:
        spec: dict[str, t.Any] = {"type": self.type}
        if self.default is not None:
            spec["default"] = self.default
        if self.choices:
            spec["choices"] = list(self.choices)
        if self.no_log is not None:
            spec["no_log"] = self.no_log
        if self.required:
            spec["required"] = True
        if not self.credential and self.environment:
            spec["fallback"] = (first_filled, list(self.environment))
        return spec

    def variable(self, family: str) -> str | None:
        """The name of this option's variable in a family (EXO or AZURE)."""
        return next((name for name in self.environment if name.startswith(family + "_")), None)


def filled(environ: t.Mapping[str, str], name: str) -> str:
    """What a variable holds; '' for nothing. A file of variables that was written on Windows leaves \\r at the end."""
    return environ.get(name, "").rstrip("\r")


def first_filled(*names: str) -> str:
    """The first variable that is set and not empty. Core's env_fallback returns an empty first one."""
    for name in names:
        if filled(os.environ, name):
            return filled(os.environ, name)
    raise AnsibleFallbackNotFound


AUTH_SOURCES = ("auto", "certificate", "secret", "access_token", "federated", "managed_identity")

OPTIONS: tuple[Option, ...] = (
    Option("tenant", ("EXO_TENANT", "AZURE_TENANT_ID", "AZURE_TENANT"), required=True),
    Option("client_id", ("EXO_CLIENT_ID", "AZURE_CLIENT_ID"), credential=True),
    Option(
        "client_secret",
        ("EXO_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "AZURE_SECRET"),
        no_log=True,
        credential=True,
    ),
    Option("certificate_path", ("EXO_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"), type="path", credential=True),
    Option("certificate", ("EXO_CERTIFICATE",), no_log=True, credential=True),
    Option(
        "certificate_password",
        ("EXO_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        no_log=True,
        credential=True,
    ),
    Option(
        "federated_token_file",
        ("EXO_FEDERATED_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE"),
        type="path",
        no_log=False,
        credential=True,
    ),
    Option("access_token", ("EXO_ACCESS_TOKEN",), no_log=True, credential=True),
    Option("auth_source", ("EXO_AUTH_SOURCE",), default="auto", choices=AUTH_SOURCES),
    Option("cloud", ("EXO_CLOUD",), default="worldwide", choices=tuple(CLOUDS)),
    Option("endpoint", ("EXO_ENDPOINT",)),
    Option("authority", ("EXO_AUTHORITY",)),
    Option("validate_certs", ("EXO_VALIDATE_CERTS",), type="bool", default=True),
    Option("ca_path", ("EXO_CA_PATH",), type="path"),
    Option("timeout", ("EXO_TIMEOUT",), type="int", default=300),
    Option("retries", ("EXO_RETRIES",), type="int", default=5),
    Option("concurrency", ("EXO_CONCURRENCY",), type="int", default=4),
)
# Only in the modules that read Microsoft Graph.
GRAPH_ENDPOINT = Option("graph_endpoint", ("EXO_GRAPH_ENDPOINT",))
CONNECTION_NAMES = frozenset(option.name for option in (*OPTIONS, GRAPH_ENDPOINT))
_CREDENTIAL_OPTIONS = tuple(option for option in OPTIONS if option.credential)

# What proves the app's identity, by method; managed identity has no proof of its own.
PROOFS: t.Mapping[str, tuple[str, ...]] = {
    "secret": ("client_secret",),
    "certificate": ("certificate_path", "certificate"),
    "access_token": ("access_token",),
    "federated": ("federated_token_file",),
}
_FAMILIES = ("EXO", "AZURE")
UNVERIFIED = "validate_certs is false: whoever sits on the way can read and change what is sent."
_BESIDE = ("client_id", "certificate_password")  # what goes with a proof


def argument_spec(*, graph: bool = False) -> dict[str, dict[str, t.Any]]:
    """The connection options of a module. graph: with those for Microsoft Graph."""
    return {option.name: option.spec() for option in (*OPTIONS, *((GRAPH_ENDPOINT,) if graph else ()))}


def secrets(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> set[str]:
    """All secrets that the options and the variables hold, whether they are used or not."""
    secret = [option for option in OPTIONS if option.no_log]
    given = {str(params[option.name]) for option in secret if params.get(option.name)}
    names = itertools.chain.from_iterable(option.environment for option in secret)
    return given | {filled(environ, name) for name in names if filled(environ, name)}


@dataclass(frozen=True)
class CredentialValues:
    """One complete method and the values that belong to it."""

    method: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    certificate: str | None = field(default=None, repr=False)
    certificate_password: str | None = field(default=None, repr=False)
    federated_token_file: str | None = None
    access_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Connection:
    """Where to go and as whom. ``verify``: True, False, or the path of a CA bundle. ``timeout``: seconds a request."""

    tenant: str
    cloud: Cloud
    endpoint: str
    authority: str
    graph_endpoint: str
    verify: bool | str
    timeout: int
    retries: int
    concurrency: int
    credential: CredentialValues
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Layer:
    """One place that credential values come from: the task's options, or one family of variables."""

    values: t.Mapping[str, str]
    names: t.Mapping[str, str]  # option → what the user calls it there

    def proofs(self, methods: t.Iterable[str]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for method in methods:
            found.extend((method, option) for option in PROOFS[method] if self.values.get(option))
        return found


def _layers(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> list[_Layer]:
    options = {o.name: str(params[o.name]) for o in _CREDENTIAL_OPTIONS if params.get(o.name) not in (None, "")}
    own = _Layer(options, {o.name: o.name for o in _CREDENTIAL_OPTIONS})
    return [own, *(_family_layer(family, environ) for family in _FAMILIES)]


def _family_layer(family: str, environ: t.Mapping[str, str]) -> _Layer:
    """What one family of variables gives."""
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    for option in _CREDENTIAL_OPTIONS:
        variables = [name for name in option.environment if name.startswith(family + "_")]
        given = [filled(environ, name) for name in variables if filled(environ, name)]
        if variables:
            names[option.name] = variables[0]
        if given:
            values[option.name] = os.path.expanduser(given[0]) if option.type == "path" else given[0]
    return _Layer(values, names)


def credential_values(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> CredentialValues:
    """Exactly one complete method, or AuthenticationFailed naming what is missing or doubled.

    Options beat the environment. The proof (secret, certificate, token) decides which layer is used; what the options
    leave out beside a proof of theirs is taken from one family of variables, never from two.
    """
    source = params.get("auth_source") or "auto"
    options, *families = layers = _layers(params, environ)
    if source == "managed_identity":
        return _managed_identity(options, environ)
    methods = tuple(PROOFS) if source == "auto" else (source,)
    layer = _proving_layer(layers, methods)
    method, proof = _only_proof(layer, methods)
    beside = _beside_proof(options, families if layer is options else [layer])
    if method != "access_token" and "client_id" not in beside:
        raise AuthenticationFailed(_no_client_id(layer, proof))
    if method != "certificate":
        beside.pop("certificate_password", None)
    return CredentialValues(method, **{proof: layer.values[proof]}, **beside)


def _managed_identity(options: _Layer, environ: t.Mapping[str, str]) -> CredentialValues:
    """A user-assigned identity is named by the task, or by the collection's own variable: AZURE_CLIENT_ID often belongs
    to another credential of the same shell.
    """
    client_id = options.values.get("client_id") or filled(environ, "EXO_CLIENT_ID") or None
    return CredentialValues("managed_identity", client_id=client_id)


def _proving_layer(layers: t.Sequence[_Layer], methods: t.Sequence[str]) -> _Layer:
    """The first layer that proves the app's identity; raises AuthenticationFailed where none does."""
    for layer in layers:
        if layer.proofs(methods):
            return layer
    raise AuthenticationFailed(_nothing_found(methods, layers))


def _only_proof(layer: _Layer, methods: t.Sequence[str]) -> tuple[str, str]:
    """The one (method, option) that proves the app's identity there; raises AuthenticationFailed for several."""
    proofs = layer.proofs(methods)
    if len(proofs) > 1:
        names = " and ".join(layer.names[option] for _method, option in proofs)
        advice = "leave out all but one" if len({m for m, _o in proofs}) == 1 else "leave one out or set auth_source"
        raise AuthenticationFailed(f"More than one credential is given ({names}): {advice}.")
    return proofs[0]


def _beside(layer: _Layer) -> dict[str, str]:
    """What a layer gives that goes with a proof."""
    return {option: layer.values[option] for option in _BESIDE if layer.values.get(option)}


def _beside_proof(options: _Layer, families: t.Iterable[_Layer]) -> dict[str, str]:
    """What goes with a proof: what the options leave out is taken from the first family that has any of it."""
    family = next((given for given in map(_beside, families) if given), {})
    return {**family, **_beside(options)}


def _no_client_id(layer: _Layer, proof: str) -> str:
    name = layer.names["client_id"]
    variable = "EXO_CLIENT_ID" if name == "client_id" else name
    return f"{layer.names[proof]} is given but the app's client id is not: set client_id (or {variable})."


def _nothing_found(methods: t.Sequence[str], layers: t.Sequence[_Layer]) -> str:
    options = list(itertools.chain.from_iterable(PROOFS[method] for method in methods))
    wanted = " or ".join(options) if len(options) < 3 else ", ".join(options[:-1]) + " or " + options[-1]
    client = next((layer.names["client_id"] for layer in layers if layer.values.get("client_id")), None)
    if client:
        return f"{client} is given but nothing that proves the app's identity: set one of {wanted}."
    return f"No credential is given: set client_id and one of {wanted} (or the matching EXO_* variables)."


def _tenant(given: str) -> str:
    """The tenant's GUID or domain; raises InvalidRequest for what can't be one."""
    tenant = given.strip()
    if not tenant:
        raise InvalidRequest("tenant is empty.", hint="A variable that came out empty looks like this.")
    if re.search(r"[^\w.-]", tenant):
        raise InvalidRequest(
            f"tenant has to be a GUID or a domain such as contoso.onmicrosoft.com, it is {tenant[:80]!r}."
        )
    return tenant


def _check_bundles(ca_path: str | None, environ: t.Mapping[str, str]) -> None:
    """A bundle that is not there fails every request: better to say so at once."""
    if ca_path and not os.path.exists(ca_path):
        raise InvalidRequest(f"ca_path {ca_path} does not exist.")
    for name in () if ca_path else ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if environ.get(name) and not os.path.exists(environ[name]):
            raise InvalidRequest(
                f"{name} in the environment names {environ[name]}, which does not exist.",
                hint="Unset it, or name the bundle in ca_path.",
            )


_DAY = 24 * 60 * 60
# (option, least, most); not every module has each of them. Times are in seconds.
_RANGES = (
    ("timeout", 1, 3600),
    ("retries", 0, 100),
    ("concurrency", 1, 64),
    ("wait_timeout", 0, _DAY),
    ("propagation_delay", 0, _DAY),
)


def check_numbers(params: t.Mapping[str, t.Any]) -> None:
    for option, least, most in _RANGES:
        if option in params and not least <= params[option] <= most:
            raise InvalidRequest(f"{option} has to be between {least} and {most}, it is {params[option]}.")


def verification(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> bool | str:
    """What certificates are checked against: the path of a CA bundle, True for the usual ones, False for nothing."""
    if not params.get("validate_certs", True):
        return False
    ca_path = params.get("ca_path")
    _check_bundles(ca_path, environ)
    return ca_path or True


def resolve(params: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Connection:
    """The connection of a task, from its options and the environment; raises ExoError before any request."""
    cloud = CLOUDS[params.get("cloud") or "worldwide"]
    warnings = []
    urls = {}
    for option, own in (("endpoint", cloud.endpoint), ("authority", cloud.authority), ("graph_endpoint", cloud.graph)):
        urls[option] = base_url(option, params[option]) if params.get(option) else own
    # The endpoint of Graph is an option of the modules that read it, and only of these.
    told = ("endpoint", "authority", "graph_endpoint") if "graph_endpoint" in params else ("endpoint", "authority")
    foreign = sorted({urls[option] for option in told if not cloud.owns(urls[option])})
    if foreign:
        warnings.append(
            f"The tokens of this task go to {', '.join(foreign)}, which is not a host of the {cloud.name} cloud."
        )
    check_numbers(params)
    verify = verification(params, environ)
    if verify is False:
        warnings.append(UNVERIFIED)
    return Connection(
        tenant=_tenant(params["tenant"]),
        cloud=cloud,
        endpoint=urls["endpoint"],
        authority=urls["authority"],
        graph_endpoint=urls["graph_endpoint"],
        verify=verify,
        timeout=params["timeout"],
        retries=params["retries"],
        concurrency=params["concurrency"],
        credential=credential_values(params, environ),
        warnings=tuple(warnings),
    )
