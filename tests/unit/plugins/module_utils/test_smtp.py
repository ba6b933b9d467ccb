# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversation of one sign-in: what is sent in which step, and what each kind of answer comes to."""

from __future__ import annotations

import base64
import smtplib
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ansible_collections.m365.exchange_online.plugins.module_utils import _smtp
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    ServiceUnavailable,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp import Proof, Server

SERVER = Server("smtp.example.com", 587, True, 30)
PASSWORD = "pä ss'wörd"
BASIC = Proof("ada@contoso.example", PASSWORD)
OAUTH = Proof("ada@contoso.example", "eyJ0eXAiOiJKV1Qi.token", oauth=True)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Connection:
    """A server that answers each command with the next of its lines."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []

    def docmd(self, command: str, arguments: str = "") -> tuple[int, bytes]:
        self.sent.append(f"{command} {arguments}".strip())
        return self.answers.pop(0)


USER, SECRET = encoded(BASIC.username), encoded(PASSWORD)
PLAIN = encoded(f"\0{BASIC.username}\0{PASSWORD}")
TOKEN = encoded(f"user={OAUTH.username}\x01auth=Bearer {OAUTH.secret}\x01\x01")
MORE, YES, NO = (334, b"VXNlcm5hbWU6"), (235, b"2.7.0 yes"), (535, b"5.7.3 no")


@pytest.mark.parametrize(
    ("proof", "offered", "answers", "sent"),
    [
        (BASIC, ("LOGIN", "XOAUTH2"), (MORE, YES), [f"AUTH LOGIN {USER}", SECRET]),
        (BASIC, ("PLAIN", "LOGIN"), (MORE, NO), [f"AUTH LOGIN {USER}", SECRET]),
        (BASIC, ("LOGIN",), (NO,), [f"AUTH LOGIN {USER}"]),
        (BASIC, ("GSSAPI", "PLAIN"), (YES,), [f"AUTH PLAIN {PLAIN}"]),
        (OAUTH, ("LOGIN", "XOAUTH2"), (YES,), [f"AUTH XOAUTH2 {TOKEN}"]),
        (OAUTH, ("XOAUTH2",), (MORE, NO), [f"AUTH XOAUTH2 {TOKEN}", ""]),
    ],
)
def test_what_is_sent(
    proof: Proof, offered: tuple[str, ...], answers: tuple[tuple[int, bytes], ...], sent: list[str]
) -> None:
    connection = Connection(*answers)
    mechanism, steps = _smtp._chosen(SERVER, proof, offered)
    assert _smtp._authenticate(cast(Any, connection), mechanism, steps) == answers[-1]
    assert connection.sent == sent


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("LOGIN XOAUTH2", ("LOGIN", "XOAUTH2")),
        (" LOGIN PLAIN  login", ("LOGIN", "PLAIN")),
        ("LOGIN\x1b[31m \u202ePLAIN", ("LOGIN[31M", "PLAIN")),
        ("", ()),
    ],
)
def test_what_a_server_announces(text: str, offered: tuple[str, ...]) -> None:
    assert _smtp._announced(text) == offered
    assert len("".join(_smtp._announced("X" * 9000))) == _smtp.LONGEST_REPLY


@pytest.mark.parametrize(
    ("proof", "offered", "text"),
    [
        (BASIC, (), "offers no way to sign in, and LOGIN or PLAIN is needed"),
        (BASIC, ("XOAUTH2", "NTLM"), "offers only XOAUTH2 NTLM"),
        (OAUTH, ("LOGIN", "PLAIN"), "XOAUTH2 is needed"),
    ],
)
def test_no_mechanism_no_secret(proof: Proof, offered: tuple[str, ...], text: str) -> None:
    with pytest.raises(UnexpectedResponse, match=text):
        _smtp._chosen(SERVER, proof, offered)


@pytest.mark.parametrize(
    ("code", "accepted"),
    [(235, True), (535, False), (550, False), (504, False), (599, False)],
)
def test_verdicts(code: int, accepted: bool) -> None:
    assert _smtp._verdict(SERVER, code, "text") is accepted


@pytest.mark.parametrize(
    ("code", "error"),
    [(421, ServiceUnavailable), (454, ServiceUnavailable), (250, UnexpectedResponse), (334, UnexpectedResponse),
     (600, UnexpectedResponse), (-1, UnexpectedResponse)],
)  # fmt: skip
def test_what_is_no_verdict(code: int, error: type[ExoError]) -> None:
    with pytest.raises(error, match="587"):
        _smtp._verdict(SERVER, code, "text")


@pytest.mark.parametrize(
    "echo",
    [PASSWORD, SECRET, PLAIN, OAUTH.secret, TOKEN],
)
def test_a_server_that_repeats_what_it_was_told(echo: str) -> None:
    proof = OAUTH if echo in (OAUTH.secret, TOKEN) else BASIC
    reply = _smtp._shown(535, f"5.7.3 no {echo} for you".encode(), proof)
    assert reply == "535 5.7.3 no ******** for you"


def test_replies_are_one_bounded_line_without_controls() -> None:
    reply = _smtp._shown(535, b"5.7.3 \x1b[31mred\r\nnext\n\xff" + b"x" * 5000, BASIC)
    assert len(reply) == _smtp.LONGEST_REPLY
    assert reply.startswith("535 5.7.3 [31mred next \ufffdxx")


def test_a_proof_does_not_show_its_secret() -> None:
    assert PASSWORD not in repr(BASIC)


@pytest.mark.parametrize(
    ("raised", "in_doubt", "text"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            False,
            "Connecting to smtp.example.com:587 failed:.*refused",
        ),
        (TimeoutError("timed out"), False, "no answer in time"),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), False, "unexpectedly closed"),
        (smtplib.SMTPHeloError(421, b"busy\x1b"), False, "421 busy"),
        (smtplib.SMTPServerDisconnected("Connection unexpectedly closed"), True, "broke off after the secret was sent"),
        (OSError(), False, "OSError"),
        (UnicodeError("label empty or too long"), False, "label empty or too long"),
    ],
)
def test_failures_say_what_to_do(raised: Exception, in_doubt: bool, text: str) -> None:
    with (
        pytest.raises(ServiceUnavailable, match=text) as failure,
        _smtp._failures_named(SERVER, _smtp._Stage(secret_sent=in_doubt)),
    ):
        raise raised
    assert failure.value.in_doubt is in_doubt


def test_a_reply_that_comes_too_late_is_told_as_that() -> None:
    """The time-out of the socket and that of the whole sign-in are the same, and either may be first."""

    class Silent:
        closed = False

        def readline(self, most: int) -> bytes:
            raise TimeoutError("timed out")

        def close(self) -> None:
            self.closed = True

    connection = smtplib.SMTP()
    connection.file = Silent()
    with (
        pytest.raises(ServiceUnavailable, match="failed: no answer in time"),
        _smtp._failures_named(SERVER, _smtp._Stage()),
    ):
        connection.getreply()


@pytest.mark.parametrize(("secret_sent", "text"), [(False, "Starting TLS with .* failed"), (True, "secret was sent")])
def test_a_server_that_sends_a_byte_now_and_then(secret_sent: bool, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out of sockets would never end that: the whole sign-in has one."""
    over = threading.Event()

    def trickle(server: Server, proof: Proof, stage: _smtp._Stage) -> None:
        stage.doing, stage.secret_sent = "Starting TLS with", secret_sent
        over.wait(60)

    monkeypatch.setattr(_smtp, "_sign_in", trickle)
    with pytest.raises(ServiceUnavailable, match=text) as failure:
        _smtp.sign_in(replace(SERVER, timeout=0), BASIC)
    over.set()
    assert failure.value.in_doubt is secret_sent


def test_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    usual = _smtp._tls(True)
    assert (usual.verify_mode, usual.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert usual.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert _smtp._tls(DEFAULT_CA_BUNDLE_PATH).cert_store_stats() == usual.cert_store_stats()
    assert _smtp._tls(False).verify_mode == ssl.CERT_NONE
    # As the HTTPS requests do: a bundle of the environment counts, one that is named counts more.
    alone = tmp_path / "one.pem"
    text = Path(DEFAULT_CA_BUNDLE_PATH).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----"
    alone.write_text(text[text.index("-----BEGIN") : text.index(end)] + end + "\n", encoding="utf-8")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(alone))
    assert _smtp._tls(True).cert_store_stats()["x509"] == 1
    assert _smtp._tls(DEFAULT_CA_BUNDLE_PATH).cert_store_stats() == usual.cert_store_stats()
