# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys, certificates, and the tokens that are made and checked with them."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from .names import derive
from .tenants import App, Tenant

# The resources' own application ids name them as well.
EXCHANGE_ID = "00000002-0000-0ff1-ce00-000000000000"
GRAPH_ID = "00000003-0000-0000-c000-000000000000"
EXCHANGE_AUDIENCES = frozenset(
    {
        EXCHANGE_ID,
        "https://outlook.office365.com",
        "https://outlook.office.com",
        "https://outlook.office365.us",
        "https://outlook-dod.office365.us",
        "https://partner.outlook.cn",
    }
)
GRAPH_BY_CLOUD: Mapping[str, str] = {
    "worldwide": "https://graph.microsoft.com",
    "gcc": "https://graph.microsoft.com",
    "gcc_high": "https://graph.microsoft.us",
    "dod": "https://dod-graph.microsoft.us",
    "china": "https://microsoftgraph.chinacloudapi.cn",
}
GRAPH_AUDIENCES = frozenset({GRAPH_ID, *GRAPH_BY_CLOUD.values()})
FEDERATED_AUDIENCE = "api://AzureADTokenExchange"
_KNOWN_TOKENS = 20_000
_NO_RECORD = "No matching federated identity record found for presented assertion"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def thumbprint(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class Credential:
    """The certificate of one app registration."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str, days: int) -> Credential:
        key = new_key()
        now = datetime.now(timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        end = now + timedelta(days=days)
        builder = builder.not_valid_before(min(now, end) - timedelta(days=30)).not_valid_after(end)
        return cls(key, builder.sign(key, hashes.SHA256()))

    @classmethod
    def kept(cls, directory: Path, name: str, password: str | None, days: int) -> Credential | None:
        """What an earlier start left in the state directory, if it still is what is asked for."""
        try:
            pem = (directory / f"{name}.pem").read_bytes()
            key = serialization.load_pem_private_key(pem, password.encode() if password else None)
            found = x509.load_pem_x509_certificate(pem)
        except (OSError, ValueError, TypeError):
            return None
        lifetime = found.not_valid_after_utc - found.not_valid_before_utc
        same = lifetime == timedelta(days=days + 30) and found.not_valid_after_utc > datetime.now(timezone.utc)
        return cls(key, found) if same and isinstance(key, rsa.RSAPrivateKey) else None

    def sha1(self) -> str:
        return thumbprint(self.certificate.fingerprint(hashes.SHA1()))

    def sha256(self) -> str:
        return thumbprint(self.certificate.fingerprint(hashes.SHA256()))

    def expired(self) -> bool:
        return self.certificate.not_valid_after_utc < datetime.now(timezone.utc)

    def write(self, directory: Path, name: str, password: str | None) -> dict[str, str]:
        secret = password.encode() if password else None
        protection: serialization.KeySerializationEncryption = (
            serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
        )
        pem = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        pem += self.certificate.public_bytes(serialization.Encoding.PEM)
        pfx = pkcs12.serialize_key_and_certificates(name.encode(), self.key, self.certificate, None, protection)
        paths = {"certificate_path": directory / f"{name}.pem", "certificate_pfx_path": directory / f"{name}.pfx"}
        for path, data in zip(paths.values(), (pem, pfx), strict=True):
            write_private(path, data)
        return {key: str(path) for key, path in paths.items()} | (
            {"certificate_password": password} if password else {}
        )


def write_private(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(data)


class AssertionRefused(Exception):
    """A client assertion that does not prove anything."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.number = number
        self.text = text


def kept_key(path: Path) -> rsa.RSAPrivateKey:
    """The key in this file; a new one is written there."""
    if path.exists():
        found = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(found, rsa.RSAPrivateKey):
            return found
    key = new_key()
    form = serialization.PrivateFormat.PKCS8
    write_private(path, key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return key


class Authority:
    """Makes access tokens, and judges what clients show; its keys outlive a restart."""

    def __init__(self, state_dir: Path) -> None:
        self._key = kept_key(state_dir / "tokens.key")
        self._federation_key = kept_key(state_dir / "federation.key")
        self._public = self._key.public_key()
        self._known: dict[str, dict[str, Any]] = {}

    def access_token(self, tenant: Tenant, app: App, audience: str, *, answers_challenge: bool = False) -> str:
        now = int(time.time())
        tenant.token_number += 1
        claims: dict[str, Any] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant.tenant_id}/",
            "iat": now,
            "nbf": now - 5,
            "exp": now + tenant.token_lifetime,
            "app_displayname": f"{tenant.label} baseline",
            "appid": app.client_id,
            "appidacr": "2" if app.certificate else "1",
            "idp": f"https://sts.windows.net/{tenant.tenant_id}/",
            "idtyp": "app",
            "oid": derive(tenant.label, "service-principal", app.client_id),
            "sub": derive(tenant.label, "service-principal", app.client_id),
            "tid": tenant.tenant_id,
            "uti": f"{tenant.label}-{tenant.token_number}",
            "ver": "1.0",
            "sim_number": tenant.token_number,
            "sim_challenge": answers_challenge,
        }
        # Permissions belong to one resource, so each token has those of its own audience.
        roles = app.roles if audience.rstrip("/") in EXCHANGE_AUDIENCES else app.graph_roles
        if roles:
            claims["roles"] = roles
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "simulator"})

    def verify(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours, whatever its age; None for anything else."""
        claims = self._known.get(token)
        if claims is None:
            try:
                unchecked = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
                claims = jwt.decode(token, self._public, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]
            except jwt.PyJWTError:
                return None
            if len(self._known) >= _KNOWN_TOKENS:
                self._known.clear()
            self._known[token] = claims
        return claims

    def federated_token(self, federated: Mapping[str, str], days: int = 30) -> str:
        now = int(time.time())
        claims = {
            "iss": federated["issuer"],
            "sub": federated["subject"],
            "aud": FEDERATED_AUDIENCE,
            "iat": now,
            "exp": now + days * 86400,
        }
        return jwt.encode(claims, self._federation_key, algorithm="RS256", headers={"kid": "federation"})

    def check_assertion(
        self, app: App, credential: Credential | None, assertion: str, audiences: frozenset[str]
    ) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise AssertionRefused(50027, "JWT token is invalid or malformed.") from error
        if claims.get("iss") != app.client_id:
            self._check_federated(app, claims, assertion)
            return
        if credential is None:
            raise AssertionRefused(700027, _signature_text("The key was not found", str(header.get("x5t"))))
        shown = [str(header[name]).rstrip("=") for name in ("x5t", "x5t#S256") if name in header]
        if not shown or not {*shown} <= {credential.sha1(), credential.sha256()}:
            raise AssertionRefused(700027, _signature_text("The key was not found", str(shown)))
        if credential.expired():
            raise AssertionRefused(700027, _signature_text("The key used is expired", str(shown)))
        self._check_signed(assertion, credential.key.public_key(), claims, audiences)
        if claims.get("sub") != app.client_id:
            raise AssertionRefused(
                700021, "Client assertion application identifier doesn't match 'client_id' parameter."
            )

    def _check_federated(self, app: App, claims: Mapping[str, Any], assertion: str) -> None:
        wanted = app.federated
        if wanted is None or claims.get("iss") != wanted["issuer"]:
            raise AssertionRefused(700211, f"{_NO_RECORD} issuer.")
        if claims.get("sub") != wanted["subject"]:
            raise AssertionRefused(700213, f"{_NO_RECORD} subject.")
        self._check_signed(assertion, self._federation_key.public_key(), claims, frozenset({FEDERATED_AUDIENCE}))

    @staticmethod
    def _check_signed(
        assertion: str, key: rsa.RSAPublicKey, claims: Mapping[str, Any], audiences: frozenset[str]
    ) -> None:
        if claims.get("aud") not in audiences:
            raise AssertionRefused(700023, "Client assertion audience claim does not match Realm issuer.")
        try:
            jwt.decode(
                assertion, key, algorithms=["RS256", "PS256"], audience=str(claims["aud"]), options={"require": ["exp"]}
            )
        except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
            raise AssertionRefused(700024, "Client assertion is not within its valid time range.") from error
        except jwt.PyJWTError as error:
            raise AssertionRefused(700027, _signature_text("The provided signature value did not match", "")) from error


def _signature_text(reason: str, used: str) -> str:
    return (
        f"Client assertion contains an invalid signature. [Reason - {reason}., "
        f"Thumbprint of key used by client: '{used}']"
    )
