# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials: one small class for each way to prove who the app is, and the token they lead to. PRIVATE.

``validate`` looks at what is there without any request; ``acquire`` asks for a token, through msal where msal can.
msal (0.2 s) is imported only when a new token is needed.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import re
import threading
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    PASSING,
    ROLE_HINT,
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
    UnexpectedResponse,
    WrongTenant,
    failure,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._options import Connection, CredentialValues
from ansible_collections.m365.exchange_online.plugins.module_utils._patience import patiently
from ansible_collections.m365.exchange_online.plugins.module_utils._transport import Response, TokenHttp, Transport

EXPIRY_MARGIN = 300  # seconds: a token that ends sooner is not used for a new request
CERTIFICATE_WARNING_DAYS = 30
_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)


def is_guid(text: str) -> bool:
    return _GUID.match(text) is not None


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
            return cls(value, str(claims["tid"]).lower(), float(claims["exp"]))
        except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise AuthenticationFailed(
                "The access token is not one whose tenant and expiry can be read.",
                hint="Exchange Online takes a JWT for its own resource, without the word Bearer in front.",
            ) from None


@dataclass(frozen=True)
class Site:
    """Where tokens come from and what for.

    tenant: as the user gave it, a GUID or a domain. tries: after the first, where a request fails for the moment.
    """

    authority: str
    tenant: str
    resource: str
    transport: Transport
    tries: int = 0

    @property
    def scope(self) -> str:
        return self.resource + "/.default"

    @property
    def url(self) -> str:
        return f"{self.authority}/{quote(self.tenant, safe='', errors='replace')}"


class Credential(t.Protocol):
    """One method to prove who the app is."""

    @property
    def method(self) -> str:
        """Its name, as auth_source has it."""

    def fingerprint(self) -> str:
        """What tells credentials apart without giving them away."""

    def validate(self) -> list[str]:
        """Warnings about what is there; raises AuthenticationFailed where it can't work."""

    def acquire(self, site: Site, claims: str | None) -> Token:
        """A new token; raises ExoError. claims: None for a first one, text where one was rejected."""


@dataclass(frozen=True)
class ClientSecret:
    client_id: str
    secret: str = field(repr=False)
    method: str = "secret"

    def fingerprint(self) -> str:
        return _digest(self.client_id, self.secret)

    def validate(self) -> list[str]:
        return []

    def acquire(self, site: Site, claims: str | None) -> Token:
        return _confidential(site, self.client_id, self.secret, claims)


@dataclass(frozen=True)
class Certificate:
    """A key and its certificate, as PEM or PFX. ``source``: what the user calls it in messages."""

    client_id: str
    source: str
    content: bytes = field(repr=False)
    password: str | None = field(default=None, repr=False)
    method: str = "certificate"

    def fingerprint(self) -> str:
        return _digest(self.client_id, hashlib.sha256(self.content).hexdigest())

    def validate(self) -> list[str]:
        _key, certificate = self._load()
        now = datetime.datetime.now(datetime.timezone.utc)
        ends = _utc(certificate, "not_valid_after")
        if ends < now:
            raise AuthenticationFailed(
                f"The certificate in {self.source} expired on {ends:%Y-%m-%d}.",
                hint="Upload a new certificate to the app registration and use it here.",
            )
        if _utc(certificate, "not_valid_before") > now:
            raise AuthenticationFailed(
                f"The certificate in {self.source} is not valid before"
                f" {_utc(certificate, 'not_valid_before'):%Y-%m-%d %H:%M} UTC: check the clock of this host."
            )
        days = (ends - now).days
        if days < CERTIFICATE_WARNING_DAYS:
            return [f"The certificate in {self.source} expires on {ends:%Y-%m-%d}, in {days} days: renew it in time."]
        return []

    def acquire(self, site: Site, claims: str | None) -> Token:
        from cryptography.hazmat.primitives import serialization as form

        key, certificate = self._load()
        return _confidential(
            site,
            self.client_id,
            {
                "private_key": key.private_bytes(
                    form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
                ).decode(),
                "public_certificate": certificate.public_bytes(form.Encoding.PEM).decode(),
            },
            claims,
        )

    def _load(self) -> tuple[t.Any, t.Any]:
        """(private key, certificate that fits it); raises AuthenticationFailed naming what is wrong."""
        _msal()  # it brings cryptography
        from cryptography.hazmat.primitives.asymmetric import rsa

        key, certificates = self._parse_pem() if b"-----BEGIN" in self.content else self._parse_pfx()
        if not isinstance(key, rsa.RSAPrivateKey):
            raise AuthenticationFailed(f"The private key in {self.source} is no RSA key: Entra ID takes RSA only.")
        public = key.public_key().public_numbers()
        for certificate in certificates:
            candidate = certificate.public_key()
            if isinstance(candidate, rsa.RSAPublicKey) and candidate.public_numbers() == public:
                return key, certificate
        raise AuthenticationFailed(
            f"No certificate in {self.source} fits the private key there.",
            hint="Put the certificate that was made from this key, and is in the app registration, into the same file.",
        )

    def _parse_pem(self) -> tuple[t.Any, t.Sequence[t.Any]]:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        text = self.content.replace(b"\r\n", b"\n")
        found = re.search(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----", text, re.DOTALL)
        if not found:
            raise AuthenticationFailed(
                f"There is no private key in {self.source}.",
                hint="A key cut off at its first line break comes from an environment variable: use certificate_path."
                if b"PRIVATE KEY-----" in text
                else "Put the private key and the certificate into one PEM.",
            )
        encrypted = b"ENCRYPTED" in found.group(0)
        try:
            key = load_pem_private_key(
                found.group(0) + b"\n", (self.password or "").encode(errors="replace") or None if encrypted else None
            )
        except TypeError:
            raise AuthenticationFailed(
                f"The private key in {self.source} is encrypted: set certificate_password."
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise AuthenticationFailed(
                f"The private key in {self.source} can't be read:"
                f" {'certificate_password is wrong' if encrypted else 'it is damaged'}."
            ) from None
        blocks = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
        if not blocks:
            raise AuthenticationFailed(
                f"There is no certificate in {self.source}, only a key.",
                hint="Put the private key and the certificate into one PEM.",
            )
        try:
            return key, [x509.load_pem_x509_certificate(block + b"\n") for block in blocks]
        except ValueError:
            raise AuthenticationFailed(f"A certificate in {self.source} can't be read: it is damaged.") from None

    def _parse_pfx(self) -> tuple[t.Any, t.Sequence[t.Any]]:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

        if not self.content.strip():
            raise AuthenticationFailed(f"{self.source} is empty.")
        if self.content[:1] != b"\x30":  # PFX is DER, which starts with a sequence
            raise AuthenticationFailed(
                f"{self.source} is neither PEM nor PFX.",
                hint="PEM text starts with -----BEGIN. A value cut off at a line break needs certificate_path.",
            )
        try:
            key, certificate, chain = load_key_and_certificates(
                self.content, self.password.encode(errors="replace") if self.password else None
            )
        except (ValueError, UnsupportedAlgorithm):
            raise AuthenticationFailed(
                f"The PFX in {self.source} can't be opened:"
                f" {'certificate_password is wrong' if self.password else 'certificate_password is needed'},"
                " or the file is damaged."
            ) from None
        if key is None or certificate is None:
            raise AuthenticationFailed(f"The PFX in {self.source} holds no private key with its certificate.")
        return key, [certificate, *chain]


@dataclass(frozen=True)
class AccessToken:
    """A token that somebody else acquired. It can't be renewed."""

    token: str = field(repr=False)
    method: str = "access_token"

    def fingerprint(self) -> str:
        return _digest(self.token)

    def validate(self) -> list[str]:
        token = Token.read(self.token)
        if token.expires_on <= time.time():
            raise AuthenticationFailed("The access token has expired.", hint="Hand over a fresh access_token.")
        return []

    def acquire(self, site: Site, claims: str | None) -> Token:
        if claims is not None:
            raise AuthenticationFailed(
                "Exchange Online did not accept the access token.", hint=f"Hand over a fresh access_token. {ROLE_HINT}"
            )
        return Token.read(self.token)


@dataclass(frozen=True)
class FederatedToken:
    """Workload identity: a file whose assertion an outside issuer renews, so it is read for each token."""

    client_id: str
    path: str
    method: str = "federated"

    def fingerprint(self) -> str:
        return _digest(self.client_id, self.path)

    def validate(self) -> list[str]:
        self._assertion()
        return []

    def acquire(self, site: Site, claims: str | None) -> Token:
        return _confidential(site, self.client_id, {"client_assertion": self._assertion}, claims)

    def _assertion(self) -> str:
        assertion = _read_file("federated_token_file", self.path).decode(errors="replace").strip()
        if not assertion:
            raise AuthenticationFailed(f"federated_token_file {self.path} is empty.")
        return assertion


@dataclass(frozen=True)
class ManagedIdentity:
    """The identity of the Azure host; ``client_id`` picks a user-assigned one."""

    client_id: str | None
    method: str = "managed_identity"

    def fingerprint(self) -> str:
        return _digest(self.client_id or "system")

    def validate(self) -> list[str]:
        return []

    def acquire(self, site: Site, claims: str | None) -> Token:
        msal = _msal()
        identity = (
            msal.UserAssignedManagedIdentity(client_id=self.client_id)
            if self.client_id
            else msal.SystemAssignedManagedIdentity()
        )

        def ask() -> dict[str, t.Any]:
            client = msal.ManagedIdentityClient(identity, http_client=TokenHttp(site.transport, site.tries))
            answer: dict[str, t.Any] = client.acquire_token_for_client(resource=site.resource)
            return answer

        return _granted(
            _ask(site, ask, "the managed identity endpoint"), "Is this an Azure host with that identity assigned?"
        )


def select(values: CredentialValues) -> Credential:
    """The credential of a method; reads the certificate's file, and raises AuthenticationFailed where it can't."""
    client_id = values.client_id or ""
    if values.method == "secret":
        return ClientSecret(client_id, values.client_secret or "")
    if values.method == "certificate":
        if values.certificate_path:
            content = _read_file("certificate_path", values.certificate_path)
            return Certificate(client_id, values.certificate_path, content, values.certificate_password)
        return Certificate(
            client_id,
            "the certificate option",
            (values.certificate or "").encode(errors="replace"),
            values.certificate_password,
        )
    if values.method == "federated":
        return FederatedToken(client_id, values.federated_token_file or "")
    if values.method == "managed_identity":
        return ManagedIdentity(values.client_id)
    return AccessToken(values.access_token or "")


class TokenStore(t.Protocol):
    """Keeps tokens for the other tasks of a run."""

    def load(self, key: str) -> Token | None:
        """The token that was kept under this key, if there is one."""

    def save(self, key: str, token: Token) -> None:
        """Keep a token under this key."""


class TokenSource:
    """The token of a task: asked for at first use, shared by all its threads, of the right tenant or none at all."""

    def __init__(
        self,
        connection: Connection,
        credential: Credential,
        transport: Transport,
        store: TokenStore | None = None,
        warn: t.Callable[[str], None] | None = None,
        mask: t.Callable[[set[str]], None] | None = None,
    ) -> None:
        self._credential = credential
        self._warn = warn
        self._mask = mask
        self._site = Site(
            connection.authority,
            connection.tenant,
            connection.cloud.resource(connection.endpoint),
            transport,
            connection.retries,
        )
        # Somebody else's token is not ours to keep.
        self._store = None if credential.method == "access_token" else store
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._tenant_id = ""
        self._key = _digest(
            connection.authority, connection.tenant.lower(), self._site.resource, credential.method,
            credential.fingerprint(),
        )  # fmt: skip

    def get(self) -> Token:
        """A token that is good for some minutes more; raises AuthenticationFailed or WrongTenant."""
        with self._lock:
            if self._token is None and self._store:
                self._token = self._store.load(self._key)
            if self._token is None or self._token.expires_on - time.time() < EXPIRY_MARGIN:
                self._token = self._acquire(None)
            return self._masked(self._token)

    def renew(self, rejected: Token, claims: str | None) -> Token:
        """A token other than the one that the service just rejected."""
        with self._lock:
            if self._token is None or self._token.value == rejected.value:
                self._token = self._acquire(claims or "")
            return self._masked(self._token)

    def _masked(self, token: Token) -> Token:
        if self._mask:
            self._mask({token.value})
        return token

    def _acquire(self, claims: str | None) -> Token:
        """claims: None for a first token; text, perhaps empty, where one was rejected."""
        for warning in self._credential.validate() if claims is None else ():
            if self._warn:
                self._warn(warning)
        token = self._credential.acquire(self._site, claims)
        asked = self._site.tenant.lower()
        self._tenant_id = self._tenant_id or (asked if is_guid(asked) else tenant_id(self._site))
        expected = self._tenant_id
        if token.tenant_id != expected:
            raise WrongTenant(
                f"The token is for tenant {token.tenant_id}, but {self._site.tenant}"
                f"{'' if expected == asked else f' ({expected})'} was asked for: nothing was done.",
                hint="Check tenant and the credential: they belong to different organisations.",
            )
        if self._store:
            self._store.save(self._key, token)
        return token


def tenant_id(site: Site) -> str:
    """The GUID behind a domain, from the authority's discovery document (no credential needed)."""
    url = f"{site.url}/v2.0/.well-known/openid-configuration"

    def fetch() -> Response:
        answer = site.transport.fetch(url)
        if answer.status in PASSING:
            raise failure(f"The request for {site.tenant} at {site.authority}", answer.status, answer.headers, "")
        return answer

    answer = patiently(fetch, site.tries)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if answer.status == 200 and isinstance(document, dict):
        found = re.search(r"/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/", str(document.get("token_endpoint")), re.I)
        if found:
            return found.group(1).lower()
    if isinstance(document, dict) and document.get("error"):
        raise _rejected(document, site)
    raise UnexpectedResponse(
        f"The authority did not say which tenant {site.tenant} is (HTTP {answer.status}).",
        http_status=answer.status,
        hint="Give tenant as a GUID, or check authority and the proxy.",
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _utc(certificate: t.Any, name: str) -> datetime.datetime:
    """A date of a certificate, with either generation of the cryptography library."""
    value = getattr(certificate, name + "_utc", None)
    if value is None:
        value = getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)
    return t.cast(datetime.datetime, value)


def _read_file(option: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1024 * 1024)
    except OSError as error:
        raise AuthenticationFailed(f"{option} {path} can't be read: {os.strerror(error.errno or 0)}.") from None


def _msal() -> t.Any:
    try:
        import msal
    except ImportError:
        raise InvalidRequest(
            "The Python library msal is missing on the host that runs the module.",
            hint="Install msal for the Python interpreter that runs the module.",
        ) from None
    return msal


def _confidential(site: Site, client_id: str, credential: t.Any, claims: str | None) -> Token:
    msal = _msal()

    def ask() -> dict[str, t.Any]:
        app = msal.ConfidentialClientApplication(
            client_id,
            client_credential=credential,
            authority=site.url,
            # The authority is the cloud's own or named by the user: nothing to look up about it elsewhere.
            instance_discovery=False,
            client_capabilities=["cp1"],
            http_client=TokenHttp(site.transport, site.tries),
        )
        answer: dict[str, t.Any] = app.acquire_token_for_client([site.scope], claims_challenge=claims or None)
        return answer

    return _granted(_ask(site, ask, site.authority), None, site)


def _ask(site: Site, ask: t.Callable[[], dict[str, t.Any]], where: str) -> dict[str, t.Any]:
    """msal's answer, where it is one."""
    try:
        answer = ask()
    except ExoError:
        raise
    except Exception:  # a foreign library that was fed from outside: KeyError and AttributeError have been seen
        raise _discovery_failed(site, where) from None
    if not isinstance(answer, dict):
        raise _discovery_failed(site, where)
    return answer


def _discovery_failed(site: Site, where: str) -> ExoError:
    """The reason why msal could not work with an answer: it keeps that to itself, so the authority is asked again."""
    if where == site.authority:
        try:
            tenant_id(site)
        except ExoError as error:
            return error
    return UnexpectedResponse(
        f"{where} did not answer as expected for tenant {site.tenant}.",
        hint="Check authority and the proxy: something else may have answered.",
    )


def _granted(answer: t.Mapping[str, t.Any], hint: str | None, site: Site | None = None) -> Token:
    value = answer.get("access_token")
    if isinstance(value, str):
        return Token.read(value)
    raise _rejected(answer, site, hint)


# What Entra ID's error numbers mean here, and the cure.
_AADSTS: t.Mapping[int, tuple[str, str]] = {
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


def _rejected(answer: t.Mapping[str, t.Any], site: Site | None, hint: str | None = None) -> AuthenticationFailed:
    description = str(answer.get("error_description") or answer.get("error") or "no reason given")
    codes = answer.get("error_codes") or re.findall(r"AADSTS(\d+)", description)
    number = int(codes[0]) if isinstance(codes, list) and codes and str(codes[0]).isdigit() else 0
    reason, cure = _AADSTS.get(number, ("", hint))
    if not reason:
        if not re.search("[a-z]{3}", description.replace("None", "")):  # msal puts None for what an endpoint left out
            description = "the request was refused without a reason"
        reason = re.sub(r"^AADSTS\d+:\s*", "", description.partition("Trace ID")[0].strip().partition("\n")[0]).strip(
            " ."
        )[:300]
    where = f" for tenant {site.tenant}" if site else ""
    return AuthenticationFailed(
        f"No token{where}: {reason}{f' (AADSTS{number})' if number else ''}.",
        hint=cure,
        request_id=str(answer["correlation_id"]) if answer.get("correlation_id") else None,
    )
