# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One sign-in at a submission endpoint, as a device does it: STARTTLS, AUTH, and no mail. PRIVATE to the collection.

There is one attempt and no second, because a sign-in that fails counts against the account (smart lockout).
"""

from __future__ import annotations

import base64
import contextlib
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ServiceUnavailable,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Overdue, within
from ansible_collections.m365.exchange_online.plugins.module_utils._text import one_line

PORT = 587
LONGEST_REPLY = 500  # characters that a result holds
_ACCEPTED, _GO_ON = 235, 334


@dataclass(frozen=True)
class Server:
    """Where to sign in. verify: True, False or the path of a CA bundle. timeout: seconds for the whole sign-in."""

    host: str
    port: int
    verify: bool | str
    timeout: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Proof:
    """Who signs in, and what proves it: a password, or with oauth an access token."""

    username: str
    secret: str = field(repr=False)
    oauth: bool = False


@dataclass(frozen=True)
class SignIn:
    """What came of it. reply: the server's last line. offered: the mechanisms that it announced after STARTTLS."""

    accepted: bool
    reply: str
    mechanism: str
    offered: tuple[str, ...]
    tls_version: str


Steps = Callable[[Proof], tuple[str, ...]]
# What the client says in each step, before it is encoded. Exchange Online offers LOGIN and XOAUTH2; others offer PLAIN.
_BASIC: Mapping[str, Steps] = {
    "LOGIN": lambda proof: (proof.username, proof.secret),
    "PLAIN": lambda proof: (f"\0{proof.username}\0{proof.secret}",),
}
_OAUTH: Mapping[str, Steps] = {
    "XOAUTH2": lambda proof: (f"user={proof.username}\x01auth=Bearer {proof.secret}\x01\x01",),
}


def sign_in(server: Server, proof: Proof) -> SignIn:
    """Sign in once and hang up.

    A refusal is an outcome. Where the server gave no verdict, ServiceUnavailable or UnexpectedResponse is raised; it is
    in doubt where the secret had been sent.
    """
    stage = _Stage()
    try:
        return within(server.timeout, lambda: _sign_in(server, proof, stage))
    except Overdue as error:
        raise _broken_off(server, stage, "no answer in time") from error


@dataclass
class _Stage:
    """How far a sign-in has come: what is being done, and whether the secret is out."""

    doing: str = "Connecting to"
    secret_sent: bool = False


def _sign_in(server: Server, proof: Proof, stage: _Stage) -> SignIn:
    with _failures_named(server, stage), _connected(server) as connection:
        stage.doing = "Starting TLS with"
        _start_tls(connection, server)
        offered = _announced(connection.esmtp_features.get("auth", ""))
        mechanism, steps = _chosen(server, proof, offered)
        stage.secret_sent = True
        code, text = _authenticate(connection, mechanism, steps)
        return SignIn(
            accepted=_verdict(server, code, _shown(code, text, proof)),
            reply=_shown(code, text, proof),
            mechanism=mechanism,
            offered=offered,
            tls_version=str(connection.sock.version()) if isinstance(connection.sock, ssl.SSLSocket) else "",
        )


@contextlib.contextmanager
def _connected(server: Server) -> Iterator[smtplib.SMTP]:
    with contextlib.closing(_greeted(server)) as connection:
        yield connection
        # The answer to QUIT changes nothing any more, so it is not waited for.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.putcmd("QUIT")


def _greeted(server: Server) -> smtplib.SMTP:
    try:
        return smtplib.SMTP(server.host, server.port, local_hostname="localhost", timeout=server.timeout)
    except smtplib.SMTPConnectError as error:
        raise _unwilling(server, _plain(error.smtp_code, error.smtp_error)) from error


def _start_tls(connection: smtplib.SMTP, server: Server) -> None:
    connection.ehlo()
    if not connection.has_extn("starttls"):
        raise UnexpectedResponse(
            f"{server} does not offer STARTTLS, so no secret was sent to it.",
            hint="Check host and port. A firewall that inspects mail may take the offer away.",
        )
    connection.starttls(context=_tls(server.verify))
    connection.ehlo()


def _announced(mechanisms: str) -> tuple[str, ...]:
    """Each mechanism once: smtplib adds what an old form of the announcement (AUTH=) says."""
    return tuple(dict.fromkeys(one_line(mechanisms)[:LONGEST_REPLY].upper().split()))


def _tls(verify: bool | str) -> ssl.SSLContext:
    """The trust of the HTTPS requests: a bundle that was named, in the environment too, else the one of requests."""
    if verify is False:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = _trusting(verify)
    # What a host's OpenSSL allows by itself differs; Exchange Online takes 1.2 and later.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _trusting(verify: bool | str) -> ssl.SSLContext:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    named = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    bundle = verify if isinstance(verify, str) else next(filter(None, named), DEFAULT_CA_BUNDLE_PATH)
    if os.path.isdir(bundle):
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)


def _chosen(server: Server, proof: Proof, offered: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    known = _OAUTH if proof.oauth else _BASIC
    for name, steps in known.items():
        if name in offered:
            return name, tuple(base64.b64encode(step.encode()).decode() for step in steps(proof))
    what = f"offers only {' '.join(offered)}" if offered else "offers no way to sign in"
    raise UnexpectedResponse(
        one_line(f"{server} {what}, and {' or '.join(known)} is needed. No secret was sent to it."),
        hint="Check host and port: 587 is for devices that sign in, 25 is not.",
    )


def _authenticate(connection: smtplib.SMTP, mechanism: str, steps: tuple[str, ...]) -> tuple[int, bytes]:
    code, text = connection.docmd("AUTH", f"{mechanism} {steps[0]}")
    for step in steps[1:]:
        if code != _GO_ON:
            return code, text
        code, text = connection.docmd(step)
    # A refused token may be explained in one more challenge, which an empty line ends.
    return connection.docmd("") if code == _GO_ON else (code, text)


def _verdict(server: Server, code: int, reply: str) -> bool:
    if code == _ACCEPTED:
        return True
    if 500 <= code < 600:
        return False
    if 400 <= code < 500:
        raise _unwilling(server, reply)
    raise UnexpectedResponse(f"{server} answered the sign-in with '{reply}', which is not an answer to it.")


def _unwilling(server: Server, reply: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"{server} is not ready to sign anybody in: '{reply}'.", hint="Try again later.")


@contextlib.contextmanager
def _failures_named(server: Server, stage: _Stage) -> Iterator[None]:
    """Turns what smtplib and the socket raise into a failure that says what to do."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ServiceUnavailable(
            f"The certificate of {server} is not trusted: {one_line(error.verify_message).rstrip('.')}.",
            hint="Check host. For a private certification authority set ca_path.",
        ) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: a host that is no name
        raise _broken_off(server, stage, _reason(error)) from error


def _broken_off(server: Server, stage: _Stage, reason: str) -> ServiceUnavailable:
    if stage.secret_sent:
        return ServiceUnavailable(
            f"{server} broke off after the secret was sent ({reason}), so it is not known whether it was accepted. The "
            "attempt is not repeated, because a failed one counts against the account.",
            in_doubt=True,
        )
    return ServiceUnavailable(
        f"{stage.doing} {server} failed: {reason}.",
        hint="Check host and port, and whether the firewall lets this host out on them. Proxies are not used.",
    )


def _reason(error: Exception) -> str:
    # smtplib says of a reply that did not come in time that the connection was closed, and has the reason beside it.
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPResponseException):
        return _plain(error.smtp_code, error.smtp_error)
    return one_line(str(error))[:LONGEST_REPLY] or type(error).__name__


def _plain(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(f"{code} {words}")[:LONGEST_REPLY]


def _shown(code: int, text: bytes, proof: Proof) -> str:
    """The reply without what was shown as proof: a server may repeat what it was told."""
    words = text.decode("utf-8", "replace")
    told: list[str] = []
    for make in (*_BASIC.values(), *_OAUTH.values()):
        told.extend(make(proof))
    encoded = [base64.b64encode(step.encode()).decode() for step in told if step != proof.username]
    # The longest first: one form can be the end of another.
    for secret in sorted((*encoded, proof.secret), key=len, reverse=True):
        words = words.replace(secret, "********")
    return one_line(f"{code} {words}")[:LONGEST_REPLY]
