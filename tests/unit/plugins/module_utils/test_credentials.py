# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials without any request, and the token that they lead to."""

from __future__ import annotations

import base64
import datetime
import json
import os
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.m365.exchange_online.plugins.module_utils import _credentials
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority, Token
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import (
    AccessToken,
    Certificate,
    ClientSecret,
    FederatedToken,
    select,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
    ServiceUnavailable,
    UnexpectedResponse,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Http
from ansible_collections.m365.exchange_online.plugins.module_utils._options import CredentialValues, resolve
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource

TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
OTHER = "99999999-5c1b-4d0a-9a77-1b2c3d4e5f60"
PASSWORD = "correct horse"
Jwt = Callable[..., str]


def certificate_for(key: t.Any, starts: int = -10, ends: int = 365) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "exo")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=min(starts, ends - 1)))
        .not_valid_after(now + datetime.timedelta(days=ends, hours=1))
        .sign(key, hashes.SHA256())
    )


def pem(key: t.Any, password: str | None = None, kind: form.PrivateFormat = form.PrivateFormat.PKCS8) -> bytes:
    lock = form.BestAvailableEncryption(password.encode()) if password else form.NoEncryption()
    return bytes(key.private_bytes(form.Encoding.PEM, kind, lock))


def cert_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(form.Encoding.PEM)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def own(key: rsa.RSAPrivateKey) -> bytes:
    return cert_pem(certificate_for(key))


def pfx(key: t.Any, password: str | None, certificate: x509.Certificate | None) -> bytes:
    lock = form.BestAvailableEncryption(password.encode()) if password else form.NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"exo", key, certificate, None, lock)


def check(content: bytes, password: str | None = None) -> list[str]:
    return Certificate("app", "/etc/exo.pem", content, password).validate()


def refused(content: bytes, password: str | None = None) -> AuthenticationFailed:
    with pytest.raises(AuthenticationFailed) as caught:
        check(content, password)
    assert "/etc/exo.pem" in str(caught.value)
    assert PASSWORD not in f"{caught.value} {caught.value.hint}"
    assert "PRIVATE" not in str(caught.value)
    return caught.value


def test_a_pem_that_works(key: t.Any, other_key: t.Any, own: bytes) -> None:
    stranger = cert_pem(certificate_for(other_key))
    for content in (
        pem(key) + own,
        own + pem(key),
        own + b"\n\n" + pem(key) + b"\n",
        (pem(key) + own).replace(b"\n", b"\r\n"),
        (pem(key) + own).strip(),
        b"Bag Attributes\n    friendlyName: exo\n" + pem(key) + b"subject=CN=exo\n" + own,
        pem(key, kind=form.PrivateFormat.TraditionalOpenSSL) + own,
        stranger + own + pem(key),
        (pem(key) + own).replace(b"\n", b"\\n"),
    ):
        assert check(content) == []
        assert check(content, "not needed") == []
    for kind in (form.PrivateFormat.PKCS8, form.PrivateFormat.TraditionalOpenSSL):
        assert check(pem(key, PASSWORD, kind) + own, PASSWORD) == []


def test_a_pfx_that_works(key: t.Any) -> None:
    certificate = certificate_for(key)
    assert check(pfx(key, PASSWORD, certificate), PASSWORD) == []
    assert check(pfx(key, None, certificate)) == []


def test_what_is_wrong_with_a_pem(key: t.Any, other_key: t.Any, own: bytes) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    stranger = cert_pem(certificate_for(other_key))
    cases = [
        (own, None, "no private key"),
        (pem(key), None, "no certificate"),
        (pem(key) + stranger, None, "fits the private key"),
        (pem(curve) + cert_pem(certificate_for(curve)), None, "RSA"),
        (pem(key).replace(b"MII", b"AAA", 1) + own, None, "damaged"),
        (pem(key) + own[:100] + b"\n" + own[-60:], None, "damaged"),
        (b"", None, "is empty"),
        (b"  \n", None, "is empty"),
        (b"not a certificate", None, "neither PEM nor PFX"),
        ((pem(key) + own).decode().encode("utf-16"), None, "UTF-16"),
        (b"$ANSIBLE_VAULT;1.1;AES256\n6162\n", None, "Ansible Vault"),
        (base64.b64encode(pfx(key, PASSWORD, certificate_for(key))), PASSWORD, "in base64"),
        (b"/etc/exo/contoso.pem", None, "a path, not a certificate"),
    ]
    for content, password, words in cases:
        assert words in str(refused(content, password)), words


@pytest.mark.parametrize("kind", [form.PrivateFormat.PKCS8, form.PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key(kind: form.PrivateFormat, key: t.Any, own: bytes) -> None:
    content = pem(key, PASSWORD, kind) + own
    assert "set certificate_password" in str(refused(content))
    assert "set certificate_password" in str(refused(content, ""))
    assert "certificate_password is wrong" in str(refused(content, "wrong"))


def test_a_locked_pfx(key: t.Any) -> None:
    content = pfx(key, PASSWORD, certificate_for(key))
    assert "certificate_password is wrong" in str(refused(content, "wrong"))
    assert "certificate_password is needed" in str(refused(content))
    assert "can't be opened" in str(refused(content[:200], PASSWORD))
    assert "no private key" in str(refused(pfx(None, PASSWORD, certificate_for(key)), PASSWORD))


def test_a_key_cut_off_at_its_first_line_break(key: t.Any, own: bytes) -> None:
    for content in (pem(key) + own, pem(key, PASSWORD) + own):
        error = refused(content.split(b"\n", 1)[0])
        assert "certificate_path" in (error.hint or "")
        assert "line break" in (error.hint or "")


@pytest.mark.parametrize(("ends", "warns"), [(0, True), (10, True), (29, True), (40, False), (365, False)])
def test_a_certificate_near_its_end(ends: int, warns: bool, key: t.Any) -> None:
    warnings = check(pem(key) + cert_pem(certificate_for(key, ends=ends)))
    assert len(warnings) == (1 if warns else 0)
    if warns:
        assert f"in {ends} days" in warnings[0]
        assert "/etc/exo.pem" in warnings[0]


def test_a_certificate_out_of_its_time(key: t.Any) -> None:
    assert "expired on 20" in str(refused(pem(key) + cert_pem(certificate_for(key, -400, -30))))
    early = refused(pem(key) + cert_pem(certificate_for(key, 5, 365)))
    assert "not valid before" in str(early)


def test_nothing_of_a_credential_is_shown(key: t.Any, own: bytes) -> None:
    shown = [
        repr(Certificate("app", "/c", pem(key) + own, PASSWORD)),
        repr(ClientSecret("app", "s3cret")),
        repr(AccessToken("s3cret")),
        repr(Token("s3cret", TENANT, 1.0)),
    ]
    for text in shown:
        assert PASSWORD not in text
        assert "s3cret" not in text
        assert "PRIVATE" not in text


def test_fingerprints_tell_credentials_apart() -> None:
    credentials = [
        ClientSecret("app", "a"), ClientSecret("app", "b"), ClientSecret("other", "a"),
        Certificate("app", "/c", b"a"), Certificate("app", "/c", b"b"), FederatedToken("app", "/a"),
    ]  # fmt: skip
    prints = [credential.fingerprint() for credential in credentials]
    assert len(set(prints)) == len(prints)
    assert ClientSecret("app", "a").fingerprint() == prints[0]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (str(tmp_path / "gone.pem"), str(tmp_path)):
        with pytest.raises(AuthenticationFailed, match="certificate_path"):
            select(CredentialValues("certificate", client_id="app", certificate_path=path))
    token = tmp_path / "token"
    token.write_text(" \n")
    for path, words in ((str(tmp_path / "gone"), "can't be read"), (str(token), "is empty")):
        with pytest.raises(AuthenticationFailed, match=words):
            select(CredentialValues("federated", client_id="app", federated_token_file=path)).validate()


# The token itself


def test_reading_a_token(jwt: Jwt) -> None:
    text = jwt(tid=TENANT.upper(), exp=1234)
    assert Token.read(text) == Token(text, TENANT, 1234.0)


def test_what_is_no_token(jwt: Jwt) -> None:
    none = jwt(tid=TENANT)
    for text in ("", "opaque", "a.b.c", f"Bearer{none[:20]}", none.split(".")[0], jwt(exp=None), jwt(exp="soon")):
        with pytest.raises(AuthenticationFailed) as caught:
            Token.read(text)
        assert not text or text not in str(caught.value)
    payload = base64.urlsafe_b64encode(json.dumps({"exp": 1}).encode()).decode().rstrip("=")
    for text in (f"x.{payload}.x", "x.W10.x", "x.bnVsbA.x"):
        with pytest.raises(AuthenticationFailed):
            Token.read(text)


# Asking for one, msal and requests being the real ones


class Issuer:
    """Answers what msal asks."""

    def __init__(self, adapter: t.Any) -> None:
        self.asked: list[t.Any] = []
        self.answers: list[tuple[int, t.Any]] = []
        self.tenant = TENANT
        self.discovery: tuple[int, t.Any] | None = None
        self.transport = Http(True, 60, 1)
        self.transport._session.mount("https://", adapter(self._respond))

    def _respond(self, request: t.Any) -> tuple[int, dict[str, str], bytes]:
        if request.url.endswith("/.well-known/openid-configuration"):
            self.asked.append(("discovery", request.url))
            base = f"https://login.microsoftonline.com/{self.tenant}"
            document = {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
            status, body = self.discovery or (200, document)
        else:
            assert request.url == f"https://login.microsoftonline.com/{self.tenant}/oauth2/v2.0/token", request.url
            self.asked.append(("token", {name: value[0] for name, value in parse_qs(request.body).items()}))
            status, body = self.answers.pop(0)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return status, {"Content-Type": "application/json"}, content

    @property
    def tokens(self) -> list[dict[str, str]]:
        return [body for kind, body in self.asked if kind == "token"]


@pytest.fixture
def issuer(adapter: t.Any) -> Issuer:
    return Issuer(adapter)


class Store:
    def __init__(self) -> None:
        self.kept: dict[str, Token] = {}

    def load(self, key: str) -> Token | None:
        return self.kept.get(key)

    def save(self, key: str, token: Token) -> None:
        self.kept[key] = token


def source(issuer: Issuer, tenant: str = TENANT, store: Store | None = None, **given: t.Any) -> TokenSource:
    options = {"tenant": tenant, "timeout": 60, "retries": 0, "concurrency": 1, "validate_certs": True}
    given = given or {"client_id": "app", "client_secret": "s3cret"}
    connection = resolve({**options, **given}, {})
    authority = Authority(
        connection.authority,
        connection.tenant,
        connection.cloud.resource(connection.endpoint),
        issuer.transport,
        connection.retries,
    )
    return TokenSource(authority, select(connection.credential), store)


def granted(token: str) -> tuple[int, dict[str, t.Any]]:
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}


def test_a_token_for_a_secret(issuer: Issuer, jwt: Jwt) -> None:
    token = jwt()
    issuer.answers = [granted(token)]
    tokens = source(issuer)
    assert tokens.get().value == token
    assert tokens.get() is tokens.get()
    (asked,) = issuer.tokens
    assert (asked["client_id"], asked["client_secret"], asked["grant_type"]) == ("app", "s3cret", "client_credentials")
    assert asked["scope"] == "https://outlook.office365.com/.default"


def test_a_token_for_a_certificate(issuer: Issuer, jwt: Jwt, key: t.Any, own: bytes) -> None:
    import jwt as pyjwt

    issuer.answers = [granted(jwt())]
    content = (pem(key, PASSWORD) + own).decode()
    source(issuer, client_id="app", certificate=content, certificate_password=PASSWORD).get()
    (asked,) = issuer.tokens
    assert "client_secret" not in asked
    assertion = pyjwt.decode(
        asked["client_assertion"], key.public_key(), algorithms=["RS256", "PS256"], options={"verify_aud": False}
    )
    assert (assertion["iss"], assertion["sub"]) == ("app", "app")
    assert TENANT in assertion["aud"]


def test_a_token_for_a_foreign_token_is_read_anew(issuer: Issuer, jwt: Jwt, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    issuer.answers = [granted(jwt()), granted(jwt(n=2))]
    tokens = source(issuer, client_id="app", federated_token_file=str(path))
    old = tokens.get()
    path.write_text("second\n")
    tokens.renew(old, None)
    assert [asked["client_assertion"] for asked in issuer.tokens] == ["first", "second"]


AADSTS = {
    7000215: "secret",
    7000222: "secret",
    700016: "client_id",
    7000229: "consent",
    7000112: "nable",
    90002: "cloud",
    900023: "GUID",
    700027: "certificate",
    700024: "clock",
    500011: "Exchange Online",
    70021: "ssuer",
    700211: "issuer",
    700213: "subject",
    53003: "onditional Access",
}


@pytest.mark.parametrize("number", AADSTS)
def test_what_entra_id_refuses(number: int, issuer: Issuer) -> None:
    description = f"AADSTS{number}: Long words about s3cret.\r\nTrace ID: 1 Correlation ID: c-1 Timestamp: now"
    error = {
        "error": "invalid_client",
        "error_description": description,
        "error_codes": [number],
        "correlation_id": "c-1",
    }
    issuer.answers = [(401, error)]
    with pytest.raises(AuthenticationFailed) as caught:
        source(issuer).get()
    assert f"AADSTS{number}" in str(caught.value)
    assert AADSTS[number] in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint
    assert caught.value.request_id == "c-1"
    assert "Trace ID" not in str(caught.value)


def test_a_number_that_nobody_knows(issuer: Issuer) -> None:
    description = "AADSTS999: A new reason.\r\nTrace ID: 1"
    issuer.answers = [(400, {"error": "x", "error_description": description, "error_codes": [999]})]
    with pytest.raises(AuthenticationFailed, match=r"A new reason \(AADSTS999\)\.$"):
        source(issuer).get()


def test_a_domain_is_resolved_by_the_authority(issuer: Issuer, jwt: Jwt) -> None:
    issuer.answers = [granted(jwt())]
    assert source(issuer, "contoso.onmicrosoft.com").get().tenant_id == TENANT
    assert all("/contoso.onmicrosoft.com/" in url for kind, url in issuer.asked if kind == "discovery")


@pytest.mark.parametrize("tenant", [TENANT, TENANT.upper(), "contoso.onmicrosoft.com"])
def test_the_wrong_tenant(tenant: str, issuer: Issuer, jwt: Jwt) -> None:
    issuer.answers = [granted(jwt(tid=OTHER))]
    store = Store()
    with pytest.raises(WrongTenant) as caught:
        source(issuer, tenant, store).get()
    assert OTHER in str(caught.value)
    assert tenant.lower() in str(caught.value)
    assert store.kept == {}
    with pytest.raises(WrongTenant):
        source(issuer, tenant, access_token=jwt(tid=OTHER)).get()


@pytest.mark.parametrize("tid", ["", "x" * 4000, 7, None])
def test_a_token_for_no_tenant(tid: t.Any, issuer: Issuer, jwt: Jwt) -> None:
    issuer.answers = [granted(jwt(tid=tid))]
    with pytest.raises(AuthenticationFailed, match="whose tenant and expiry can be read"):
        source(issuer).get()


def test_an_answer_that_is_not_understood_is_logged_nowhere(
    issuer: Issuer, jwt: Jwt, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answers = [(200, f'{{"access_token": "{jwt()}'.encode())]
    with pytest.raises(ExoError):
        source(issuer).get()
    assert caplog.text == ""


def test_a_domain_nobody_knows(issuer: Issuer, jwt: Jwt) -> None:
    error = {
        "error": "invalid_tenant",
        "error_description": "AADSTS90002: Tenant 'x' not found.",
        "error_codes": [90002],
    }
    issuer.discovery = (400, error)
    for given in ({}, {"access_token": jwt()}):
        with pytest.raises(AuthenticationFailed, match="AADSTS90002"):
            source(issuer, "nobody.example", **given).get()
    issuer.discovery = (200, "<html>")
    with pytest.raises(UnexpectedResponse):
        source(issuer, "nobody.example", access_token=jwt()).get()


def test_renewing(issuer: Issuer, jwt: Jwt) -> None:
    issuer.answers = [granted(jwt(n=1)), granted(jwt(n=2))]
    store = Store()
    tokens = source(issuer, store=store)
    first = tokens.get()
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    second = tokens.renew(first, claims)
    assert second != first
    assert tokens.get() == second
    assert list(store.kept.values()) == [second]
    assert "nbf" in issuer.tokens[1]["claims"]
    assert tokens.renew(first, None) == second  # another thread's complaint about the old one
    assert len(issuer.tokens) == 2


def test_a_token_near_its_end_is_not_used(issuer: Issuer, jwt: Jwt) -> None:
    issuer.answers = [granted(jwt(exp=time.time() + 200)), granted(jwt(n=2))]
    tokens = source(issuer)
    tokens.get()
    assert tokens.get().expires_on > time.time() + 3000


def test_somebody_elses_token(issuer: Issuer, jwt: Jwt) -> None:
    store, token = Store(), jwt()
    tokens = source(issuer, store=store, access_token=token)
    assert tokens.get().value == token
    assert store.kept == {}
    with pytest.raises(AuthenticationFailed, match="access token"):
        tokens.renew(tokens.get(), None)
    with pytest.raises(AuthenticationFailed, match="expired"):
        source(issuer, access_token=jwt(exp=time.time() - 1)).get()


def test_kept_tokens_are_not_mixed_up(issuer: Issuer, jwt: Jwt) -> None:
    store = Store()
    issuer.answers = [granted(jwt(n=n)) for n in range(5)]
    source(issuer, store=store).get()
    assert source(issuer, store=store).get() == next(iter(store.kept.values()))
    source(issuer, store=store, client_id="other", client_secret="s3cret").get()
    source(issuer, store=store, client_id="app", client_secret="another").get()
    source(issuer, "contoso.onmicrosoft.com", store=store).get()
    assert len(store.kept) == 4
    assert len(issuer.tokens) == 4
    assert not any("s3cret" in key or "app" in key for key in store.kept)


def test_a_network_that_is_down(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    tries: list[t.Any] = []

    def down(request: t.Any) -> t.Any:
        tries.append(request)
        raise requests.exceptions.ConnectionError("HTTPSConnectionPool: name not known")

    issuer._respond = down  # type: ignore[method-assign]
    issuer.transport._session.get_adapter("https://x").respond = down  # type: ignore[attr-defined]
    with pytest.raises(ServiceUnavailable, match=r"login\.microsoftonline\.com"):
        source(issuer, client_id="app", client_secret="s3cret", retries=3).get()
    assert len(tries) == len(slept) + 1 > 1
    assert sum(slept) < 30


def test_nothing_is_asked_for_before_the_certificate_is_known_to_work(issuer: Issuer) -> None:
    with pytest.raises(ExoError):
        source(issuer, client_id="app", certificate="nonsense").get()
    assert issuer.asked == []


CACHED = """
import sys, time
from ansible_collections.m365.exchange_online.plugins.module_utils import _module
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority, Token
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import select
from ansible_collections.m365.exchange_online.plugins.module_utils._options import resolve
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource

class Store:
    def load(self, key):
        return Token("jwt", "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60", time.time() + 3600)

connection = resolve(
    {"tenant": "contoso.com", "timeout": 1, "retries": 0, "concurrency": 1, "client_id": "a", "client_secret": "b"}, {}
)
authority = Authority(connection.authority, connection.tenant, connection.endpoint, None)
assert TokenSource(authority, select(connection.credential), Store()).get().value == "jwt"
assert "msal" not in sys.modules
"""


def test_a_kept_token_needs_no_msal() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", CACHED], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_short_lived_token_is_looked_up_once(issuer: Issuer, jwt: Jwt) -> None:
    tokens = source(issuer, "contoso.com", access_token=jwt(exp=time.time() + 200))
    assert len({tokens.get().value for _dummy in range(5)}) == 1
    assert [kind for kind, _dummy in issuer.asked] == ["discovery"]


# Where msal, the file or the answer is not what it should be


def test_a_certificate_as_the_portal_offers_it(key: t.Any) -> None:
    error = refused(certificate_for(key).public_bytes(form.Encoding.DER))
    assert "private key is missing" in str(error)


def test_a_certificate_from_a_file_that_others_can_read_warns(key: t.Any, own: bytes, tmp_path: Path) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(pem(key) + own)
    path.chmod(0o644)
    credential = select(CredentialValues("certificate", client_id="app", certificate_path=str(path)))
    (warning,) = credential.validate()
    assert "0644" in warning
    path.chmod(0o600)
    assert credential.validate() == []
    for given, words in (
        ("app.pem", "absolute"),
        ("5F3C9B0A6D2E4F1B8C7A" * 2, "a thumbprint"),
        ("eyJhbGci", "the content"),
    ):
        with pytest.raises(AuthenticationFailed, match=words):
            select(CredentialValues("certificate", client_id="app", certificate_path=given))


@pytest.mark.parametrize(("version", "words"), [("1.32.3", "1.32.3 is installed"), (None, "an unknown version")])
def test_an_old_msal(version: str | None, words: str, key: t.Any, own: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    import msal

    monkeypatch.setattr(msal, "__version__", version or "", raising=False)
    with pytest.raises(InvalidRequest, match=words):
        check(pem(key) + own)


def test_no_msal(key: t.Any, own: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msal", None)
    with pytest.raises(InvalidRequest, match="msal is missing"):
        check(pem(key) + own)


def test_a_generation_of_cryptography_without_dates_in_utc() -> None:
    class Certificate2020:
        not_valid_after = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc).replace(tzinfo=None)

    when = _credentials._utc(Certificate2020(), "not_valid_after")
    assert when == datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize("client_id", [None, "user-assigned"])
def test_a_managed_identity(client_id: str | None, jwt: Jwt, monkeypatch: pytest.MonkeyPatch) -> None:
    import msal

    seen: list[t.Any] = []
    answers: list[t.Any] = [{"access_token": jwt()}, {"error": "no identity"}]

    class Client:
        def __init__(self, identity: t.Any, http_client: t.Any) -> None:
            seen.append((type(identity).__name__, http_client._direct))

        def acquire_token_for_client(self, resource: str) -> t.Any:
            seen.append(resource)
            return answers.pop(0)

    monkeypatch.setattr(msal, "ManagedIdentityClient", Client)
    credential = select(CredentialValues("managed_identity", client_id=client_id))
    assert (credential.validate(), len(credential.fingerprint())) == ([], 64)
    asked = Authority("https://x", TENANT, "https://outlook.office365.com", t.cast(t.Any, None))
    assert credential.acquire(asked, None).tenant_id == TENANT
    kind = "UserAssignedManagedIdentity" if client_id else "SystemAssignedManagedIdentity"
    assert seen == [(kind, True), "https://outlook.office365.com"]
    with pytest.raises(AuthenticationFailed, match="no identity") as caught:
        credential.acquire(asked, None)
    assert "Azure host" in (caught.value.hint or "")


@pytest.mark.parametrize("answer", [None, "text", KeyError("x"), ServiceUnavailable("Down.")])
def test_an_identity_endpoint_that_answers_oddly(answer: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import msal

    class Client:
        def __init__(self, identity: t.Any, http_client: t.Any) -> None:
            http_client.close()

        def acquire_token_for_client(self, resource: str) -> t.Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(msal, "ManagedIdentityClient", Client)
    asked = Authority("https://x", TENANT, "https://outlook.office365.com", t.cast(t.Any, None))
    kind = ServiceUnavailable if isinstance(answer, ServiceUnavailable) else UnexpectedResponse
    with pytest.raises(kind):
        select(CredentialValues("managed_identity")).acquire(asked, None)


def test_what_msal_keeps_to_itself_is_asked_of_the_authority_again(issuer: Issuer) -> None:
    issuer.discovery = (200, {"nothing": "useful"})
    with pytest.raises(UnexpectedResponse, match="did not say which tenant"):
        source(issuer, "contoso.com").get()


def test_msal_fails_although_the_authority_is_well(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    import msal

    def broken(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise KeyError("x")

    monkeypatch.setattr(msal, "ConfidentialClientApplication", broken)
    with pytest.raises(UnexpectedResponse, match="did not answer as expected"):
        source(issuer).get()


def test_a_token_request_that_passes_is_tried_again(issuer: Issuer, jwt: Jwt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    issuer.answers = [(503, {}), granted(jwt())]
    assert source(issuer, client_id="app", client_secret="s3cret", retries=2).get().tenant_id == TENANT
