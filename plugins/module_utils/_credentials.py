# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials: one small class for each way to prove who the app is. PRIVATE to the collection.

``validate`` looks at what is there without any request; ``acquire`` asks for a token, through msal where msal can.
msal (0.2 s) is imported only when a new token is needed.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import logging
import re
import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import (
    Authority,
    Token,
    rejected_request,
    tenant_id,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._files import (
    absolute,
    exposed,
    read_limited,
    reason,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._options import CredentialValues
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Retry, with_retries
from ansible_collections.m365.exchange_online.plugins.module_utils._service_errors import (
    RETRYABLE_STATUSES,
    ROLE_HINT,
    failure,
)

CERTIFICATE_WARNING_DAYS = 30
_THUMBPRINT = re.compile("[0-9a-f]{40}", re.IGNORECASE)
MSAL_NEEDED = (1, 35)  # the first that takes a certificate without its thumbprint


class Credential(t.Protocol):
    """One method to prove who the app is."""

    @property
    def method(self) -> str:
        """Its name, as auth_source has it."""

    def fingerprint(self) -> str:
        """What tells credentials apart without giving them away."""

    def validate(self) -> list[str]:
        """Warnings about what is there; raises AuthenticationFailed where it can't work."""

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        """A new token; raises ExoError. claims: None for a first one, text where one was rejected."""


@dataclass(frozen=True)
class ClientSecret:
    client_id: str
    secret: str = field(repr=False)
    method: str = "secret"

    def fingerprint(self) -> str:
        return digest(self.client_id, self.secret)

    def validate(self) -> list[str]:
        return []

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        return _confidential(authority, self.client_id, self.secret, claims)


# How content begins that is neither PEM nor PFX, but known: what it is, and what to do.
_OTHER_FORMS = (
    ((b"\xff\xfe", b"\xfe\xff"), "is UTF-16 text, as PowerShell writes it", "Write it again with -Encoding ascii."),
    (
        (b"$ANSIBLE_VAULT",),
        "is encrypted with Ansible Vault, and the module can't open it",
        "Give certificate in place of certificate_path: \"{{ lookup('file', PATH) }}\" opens it.",
    ),
    (
        (b"MI",),  # what DER is in base64
        "is a PFX or a certificate in base64, as Azure Key Vault hands it out",
        "Decode it into a file with base64 -d, and name that file in certificate_path.",
    ),
    ((b"/", b"~"), "is a path, not a certificate", "Give the path in certificate_path."),
)


@dataclass(frozen=True)
class Certificate:
    """A key and its certificate, as PEM or PFX. ``source``: what the user calls it in messages."""

    client_id: str
    source: str
    content: bytes = field(repr=False)
    password: str | None = field(default=None, repr=False)
    path: str | None = None
    method: str = "certificate"

    def fingerprint(self) -> str:
        # With the password: a wrong one must not go unnoticed because an earlier task had the right one.
        return digest(self.client_id, hashlib.sha256(self.content).hexdigest(), self.password or "")

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
        warnings = exposed("certificate_path", self.path) if self.path else []
        days = (ends - now).days
        if days < CERTIFICATE_WARNING_DAYS:
            soon = f"The certificate in {self.source} expires on {ends:%Y-%m-%d}, in {days} days: renew it in time."
            warnings.append(soon)
        return warnings

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        from cryptography.hazmat.primitives import serialization as form

        key, certificate = self._load()
        return _confidential(
            authority,
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
            raise AuthenticationFailed(f"The private key in {self.source} is not an RSA key: Entra ID takes RSA only.")
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
        # A file of variables or JSON often has \n in two characters where the lines end.
        text = self.content.replace(b"\r\n", b"\n").replace(b"\\n", b"\n")
        return self._pem_key(text), self._pem_certificates(text)

    def _pem_key(self, text: bytes) -> t.Any:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

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
            return load_pem_private_key(
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

    def _pem_certificates(self, text: bytes) -> list[t.Any]:
        from cryptography import x509

        blocks = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
        if not blocks:
            raise AuthenticationFailed(
                f"There is no certificate in {self.source}, only a key.",
                hint="Put the private key and the certificate into one PEM.",
            )
        try:
            return [x509.load_pem_x509_certificate(block + b"\n") for block in blocks]
        except ValueError:
            raise AuthenticationFailed(f"A certificate in {self.source} can't be read: it is damaged.") from None

    def _is_bare_certificate(self) -> bool:
        from cryptography import x509

        try:
            x509.load_der_x509_certificate(self.content)
        except ValueError:
            return False
        return True

    def _check_form(self) -> None:
        """Raises AuthenticationFailed for content that is no PFX, and says what it is."""
        if not self.content.strip():
            raise AuthenticationFailed(f"{self.source} is empty.")
        if self._is_bare_certificate():
            raise AuthenticationFailed(
                f"{self.source} is a certificate alone, as the portal offers it. The private key is missing.",
                hint="Use the PEM or PFX that was made together with the key; the portal never has the key.",
            )
        for beginning, what, advice in _OTHER_FORMS:
            if self.content.startswith(beginning):
                raise AuthenticationFailed(f"{self.source} {what}.", hint=advice)
        if self.content[:1] != b"\x30":  # PFX is DER, which starts with a sequence
            raise AuthenticationFailed(
                f"{self.source} is neither PEM nor PFX.",
                hint="PEM text starts with -----BEGIN. A value cut off at a line break needs certificate_path.",
            )

    def _parse_pfx(self) -> tuple[t.Any, t.Sequence[t.Any]]:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

        self._check_form()
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
        return digest(self.token)

    def validate(self) -> list[str]:
        token = Token.read(self.token)
        if token.expires_on <= time.time():
            raise AuthenticationFailed("The access token has expired.", hint="Give a new access_token.")
        return []

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        if claims is not None:
            raise AuthenticationFailed(
                "Exchange Online did not accept the access token.", hint=f"Give a new access_token. {ROLE_HINT}"
            )
        return Token.read(self.token)


@dataclass(frozen=True)
class FederatedToken:
    """Workload identity: a file whose assertion an outside issuer renews, so it is read for each token."""

    client_id: str
    path: str
    method: str = "federated"

    def fingerprint(self) -> str:
        return digest(self.client_id, self.path)

    def validate(self) -> list[str]:
        self._assertion()
        return exposed("federated_token_file", self.path)

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        return _confidential(authority, self.client_id, {"client_assertion": self._assertion}, claims)

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
        return digest(self.client_id or "system")

    def validate(self) -> list[str]:
        return []

    def acquire(self, authority: Authority, claims: str | None) -> Token:
        msal = _msal()
        identity = (
            msal.UserAssignedManagedIdentity(client_id=self.client_id)
            if self.client_id
            else msal.SystemAssignedManagedIdentity()
        )

        def ask() -> dict[str, t.Any]:
            client = msal.ManagedIdentityClient(identity, http_client=TokenHttp(authority, direct=True))
            answer: dict[str, t.Any] = client.acquire_token_for_client(resource=authority.resource)
            return answer

        return _granted(
            _ask(authority, ask, "the managed identity endpoint"),
            "Check that this is an Azure host and that the identity is assigned to it.",
        )


def select(values: CredentialValues) -> Credential:
    """The credential of a method; reads the certificate's file, and raises AuthenticationFailed where it can't."""
    return _BY_METHOD[values.method](values)


def _certificate(values: CredentialValues) -> Certificate:
    client_id, path, password = values.client_id or "", values.certificate_path, values.certificate_password
    if path and _THUMBPRINT.fullmatch(path):
        raise AuthenticationFailed(
            "certificate_path has to be the path of a file, and is a thumbprint.",
            hint="Certificate stores are not read: export the certificate with its key as a PFX.",
        )
    if path:
        return Certificate(client_id, path, _read_file("certificate_path", path), password, path)
    content = (values.certificate or "").encode(errors="replace")
    return Certificate(client_id, "the certificate option", content, password)


_BY_METHOD: Mapping[str, Callable[[CredentialValues], Credential]] = {
    "secret": lambda values: ClientSecret(values.client_id or "", values.client_secret or ""),
    "certificate": _certificate,
    "access_token": lambda values: AccessToken(values.access_token or ""),
    "federated": lambda values: FederatedToken(values.client_id or "", values.federated_token_file or ""),
    "managed_identity": lambda values: ManagedIdentity(values.client_id),
}


def digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _utc(certificate: t.Any, name: str) -> datetime.datetime:
    """A date of a certificate, with either generation of the cryptography library."""
    value = getattr(certificate, name + "_utc", None)
    if value is None:
        value = getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)
    return t.cast(datetime.datetime, value)


def _read_file(option: str, path: str) -> bytes:
    try:
        return read_limited(absolute(option, path), 1024 * 1024)
    except InvalidRequest as error:
        raise AuthenticationFailed(error.message) from None
    except OSError as error:
        raise AuthenticationFailed(f"{option} {path} can't be read: {reason(error)}.") from None


def _msal() -> t.Any:
    try:
        import msal
    except ImportError:
        raise InvalidRequest(
            "The Python library msal is missing on the host that runs the module.",
            hint="Install it for the Python that runs the module: python -m pip install 'msal>=1.35' requests",
        ) from None
    version = str(getattr(msal, "__version__", ""))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < MSAL_NEEDED:
        raise InvalidRequest(
            f"msal 1.35 or later is needed, {version or 'an unknown version'} is installed.",
            hint="Install it for the Python that runs the module: python -m pip install --upgrade 'msal>=1.35'",
        )
    # An answer that it can't read it logs as an error, whole, with the token in it (oauth2cli/oauth2.py): to stderr.
    logging.getLogger("msal").setLevel(logging.CRITICAL)
    return msal


class TokenHttp:
    """The session as msal expects its ``http_client``. A passing fault is tried again here, so msal never sees it."""

    def __init__(self, authority: Authority, *, direct: bool = False) -> None:
        self._authority = authority
        self._direct = direct

    def get(self, url: str, **kwargs: t.Any) -> t.Any:
        return self._request("GET", url, kwargs)

    def post(self, url: str, **kwargs: t.Any) -> t.Any:
        return self._request("POST", url, kwargs)

    def _request(self, method: str, url: str, kwargs: dict[str, t.Any]) -> t.Any:
        def once() -> t.Any:
            answer = self._authority.http.foreign(method, url, direct=self._direct, **kwargs)
            if answer.status_code in RETRYABLE_STATUSES:
                about = f"The request for a token at {url.split('/')[2]}"
                raise failure(about, answer.status_code, answer.headers, "")
            return answer

        return with_retries(once, Retry(self._authority.tries))

    def close(self) -> None:
        """The session belongs to the client."""


def _confidential(authority: Authority, client_id: str, credential: t.Any, claims: str | None) -> Token:
    msal = _msal()

    def ask() -> dict[str, t.Any]:
        app = msal.ConfidentialClientApplication(
            client_id,
            client_credential=credential,
            authority=authority.url,
            # The authority is the cloud's own or named by the user: nothing to look up about it elsewhere.
            instance_discovery=False,
            client_capabilities=["cp1"],
            http_client=TokenHttp(authority),
        )
        answer: dict[str, t.Any] = app.acquire_token_for_client([authority.scope], claims_challenge=claims or None)
        return answer

    return _granted(_ask(authority, ask, authority.base), None, authority)


def _ask(authority: Authority, ask: Callable[[], dict[str, t.Any]], where: str) -> dict[str, t.Any]:
    """msal's answer, where it is one."""
    try:
        answer = ask()
    except ExoError:
        raise
    except Exception:  # a foreign library that was fed from outside: KeyError and AttributeError have been seen
        raise _discovery_failed(authority, where) from None
    if not isinstance(answer, dict):
        raise _discovery_failed(authority, where)
    return answer


def _discovery_failed(authority: Authority, where: str) -> ExoError:
    """The reason why msal could not work with an answer: it keeps that to itself, so the authority is asked again."""
    if where == authority.base:
        try:
            tenant_id(authority)
        except ExoError as error:
            return error
    return UnexpectedResponse(
        f"{where} did not answer as expected for tenant {authority.tenant}.",
        hint="Check authority and the proxy: something else may have answered.",
    )


def _granted(answer: Mapping[str, t.Any], hint: str | None, authority: Authority | None = None) -> Token:
    value = answer.get("access_token")
    if isinstance(value, str):
        return Token.read(value)
    raise rejected_request(answer, authority, hint)
