# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session: what it takes from its surroundings, and what it makes of answers and faults."""

from __future__ import annotations

import gzip
import typing as t
from pathlib import Path

import pytest
import requests
import urllib3

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import TokenHttp
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ServiceUnavailable
from ansible_collections.m365.exchange_online.plugins.module_utils._http import USER_AGENT, Http
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

URL = "https://outlook.office365.com/adminapi/beta/x/InvokeCommand"
HEADERS = {"Authorization": "Bearer mine", "Content-Type": "application/json"}


class Rigged(t.NamedTuple):
    transport: Http
    sent: list[tuple[requests.PreparedRequest, dict[str, t.Any]]]


@pytest.fixture
def rigged(adapter: t.Any) -> t.Callable[..., Rigged]:
    def make(
        status: int = 200,
        headers: dict[str, str] | None = None,
        body: bytes = b"{}",
        error: Exception | None = None,
        verify: bool | str = True,
        timeout: int = 300,
    ) -> Rigged:
        def respond(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
            if error:
                raise error
            return status, headers or {}, body

        transport, scripted = Http(verify, timeout, 4), adapter(respond)
        transport._session.mount("https://", scripted)
        return Rigged(transport, scripted.sent)

    return make


Make = t.Callable[..., Rigged]


def test_a_post(rigged: Make) -> None:
    transport, sent = rigged(status=418, headers={"Retry-After": "3"}, body=b"short and stout")
    answer = transport.post(URL, HEADERS, b'{"a":1}')
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (418, b"short and stout", "3")
    request, options = sent[0]
    assert (request.method, request.url, request.body) == ("POST", URL, b'{"a":1}')
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["User-Agent"] == USER_AGENT
    assert VERSION in USER_AGENT
    assert options["timeout"] == (30, 300)


def test_a_password_of_netrc_is_not_used(rigged: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine outlook.office365.com login frank password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    transport, sent = rigged()
    transport.post(URL, HEADERS, b"{}")
    transport.fetch(URL)
    TokenHttp(Authority("https://login.microsoftonline.com", "contoso.com", "x", transport)).get(URL, headers={})
    assert sent[0][0].headers["Authorization"] == "Bearer mine"
    assert "Authorization" not in sent[1][0].headers
    assert "Authorization" not in sent[2][0].headers


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("verify", [False, "/mine/ca.pem"])
def test_the_chosen_trust_beats_the_environment(
    variable: str, verify: bool | str, rigged: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    transport, sent = rigged(verify=verify)
    transport.post(URL, HEADERS, b"{}")
    transport.fetch(URL)
    TokenHttp(Authority("https://login.microsoftonline.com", "contoso.com", "x", transport)).post(URL, data={})
    assert [options["verify"] for _dummy, options in sent] == [verify] * 3


def test_the_proxy_of_the_environment_is_used(rigged: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.contoso.com:3128")
    transport, sent = rigged()
    transport.post(URL, HEADERS, b"{}")
    assert sent[0][1]["proxies"]["https"] == "http://proxy.contoso.com:3128"
    monkeypatch.setenv("NO_PROXY", "office365.com")
    transport.post(URL, HEADERS, b"{}")
    assert not sent[1][1]["proxies"].get("https")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int, rigged: Make) -> None:
    transport, sent = rigged(status=status, headers={"Location": "https://evil.example/"})
    assert transport.post(URL, HEADERS, b"{}").status == status
    assert transport.fetch(URL).status == status
    assert (
        TokenHttp(Authority("https://login.microsoftonline.com", "contoso.com", "x", transport))
        .post(URL, data={})
        .status_code
        == status
    )
    assert len(sent) == 3


@pytest.mark.parametrize(
    ("headers", "body", "read"),
    [
        ({"Content-Encoding": "gzip"}, b'{"a":1}', b'{"a":1}'),
        ({"Content-Encoding": "gzip"}, b"\0" * 985, b"\0" * 985),
        ({"Content-Encoding": "gzip"}, b"", b""),
        ({"Content-Encoding": "gzip"}, gzip.compress(b'{"a":1}', mtime=0), b'{"a":1}'),
        ({}, gzip.compress(b'{"a":1}', mtime=0), b'{"a":1}'),
        ({"Content-Encoding": "gzip"}, b"\x1f\x8bbroken", b"\x1f\x8bbroken"),
        ({"Content-Encoding": "deflate"}, b'{"a":1}', b'{"a":1}'),
    ],
)
def test_a_body_that_claims_to_be_packed(headers: dict[str, str], body: bytes, read: bytes, rigged: Make) -> None:
    assert rigged(403, headers, body).transport.post(URL, HEADERS, b"{}").body == read


def _not_connected() -> Exception:
    inner = urllib3.exceptions.NewConnectionError(t.cast(t.Any, None), "Failed to establish a new connection")
    return requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(t.cast(t.Any, None), URL, inner))


@pytest.mark.parametrize(
    ("error", "retryable", "in_doubt", "words"),
    [
        (requests.exceptions.SSLError("certificate verify failed: self-signed"), False, False, "not trusted"),
        (requests.exceptions.ProxyError("Tunnel connection failed: 407"), True, False, "proxy"),
        (requests.exceptions.ConnectTimeout("slow"), True, False, "did not answer in time"),
        (requests.exceptions.ReadTimeout("slow"), True, True, "300 seconds"),
        (requests.exceptions.ConnectionError("reset by peer"), True, True, "reset by peer"),
        (urllib3.exceptions.ProtocolError("IncompleteRead"), True, True, "failed"),
        (ConnectionResetError(104, "reset"), True, True, "failed"),
        (_not_connected(), True, False, "connection"),
    ],
)
def test_faults(error: Exception, retryable: bool, in_doubt: bool, words: str, rigged: Make) -> None:
    with pytest.raises(ServiceUnavailable) as caught:
        rigged(error=error).transport.post(URL, HEADERS, b"{}")
    assert (caught.value.retryable, caught.value.in_doubt) == (retryable, in_doubt)
    assert words in str(caught.value)
    assert "Bearer" not in str(caught.value)
    assert "<" not in str(caught.value)
    if words != "proxy":
        assert "outlook.office365.com" in str(caught.value)
