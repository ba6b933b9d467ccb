# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTPS session with time-outs, proxies and the chosen trust; it never judges a status. PRIVATE."""

from __future__ import annotations

import contextlib
import gzip
import re
import typing as t
import zlib
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import PASSING, ServiceUnavailable, failure
from ansible_collections.m365.exchange_online.plugins.module_utils._patience import patiently
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

try:
    import requests
    import requests.adapters
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER_AGENT = f"m365.exchange_online/{VERSION} (Ansible collection)"
# A whole mailbox list page is about 3 MB; what is far larger is no answer of this service.
MAX_BODY = 256 * 1024 * 1024


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


def _no_auth(request: t.Any) -> t.Any:
    """Keeps requests from taking a password out of ~/.netrc over our Authorization header."""
    return request


class Transport:
    """Sends requests. ``verify``: True, False or a CA file; ``timeout``: seconds of silence; ``pool``: connections."""

    def __init__(self, verify: bool | str, timeout: int, pool: int) -> None:
        self._verify = verify
        self._timeout = timeout
        self._session = requests.Session()
        self._session.auth = _no_auth
        self._session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=pool + 1))
        self._session.headers["User-Agent"] = USER_AGENT
        if verify is False:
            import urllib3

            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """The answer to a POST, whatever its status; raises ServiceUnavailable where none came."""
        return self._send("POST", url, headers, body)

    def fetch(self, url: str) -> Response:
        """The answer to a GET without credentials (discovery documents)."""
        return self._send("GET", url, {"Accept": "application/json"}, None)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        with (
            self._failures_named(url),
            # verify goes with each request: REQUESTS_CA_BUNDLE would override the session's.
            self._session.request(
                method,
                url,
                data=body,
                headers={"Accept-Encoding": "identity", **headers},
                verify=self._verify,
                timeout=(min(self._timeout, 30), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as answer,
        ):
            raw = answer.raw.read(MAX_BODY, decode_content=False)
            return Response(answer.status_code, answer.headers, _decoded(raw))

    @contextlib.contextmanager
    def _failures_named(self, url: str) -> Iterator[None]:
        """Turns the exceptions of requests and urllib3 into a ServiceUnavailable that says what to do."""
        host = url.split("/")[2]
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ServiceUnavailable(
                f"The certificate of {host} is not trusted: {_innermost(error)}.",
                hint="Name the CA bundle in ca_path, if a proxy or a simulator of yours answers there.",
            ) from None
        except requests.exceptions.ProxyError as error:
            raise ServiceUnavailable(
                f"The proxy did not let the request to {host} through: {_innermost(error)}.",
                hint="Check HTTPS_PROXY and NO_PROXY in the environment of the task.",
                transient=True,
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise ServiceUnavailable(f"{host} did not answer in time.", transient=True) from None
        except requests.exceptions.Timeout:
            raise ServiceUnavailable(
                f"{host} did not finish its answer within {self._timeout} seconds.",
                hint="Raise timeout, if the service is just slow.",
                transient=True,
                maybe_done=True,
            ) from None
        except (requests.exceptions.RequestException, OSError, ValueError, _protocol_error()) as error:
            lost = not _never_sent(error)
            raise ServiceUnavailable(
                f"The connection to {host} failed: {_innermost(error)}.",
                hint=None if lost else "Check the host's name, the network and the proxy.",
                transient=True,
                maybe_done=lost,
            ) from None

    def foreign(self, method: str, url: str, **kwargs: t.Any) -> t.Any:
        """A request in requests' own manner, for msal; raises ServiceUnavailable where no answer came."""
        kwargs.pop("timeout", None)
        if url.startswith("http://169.254."):  # a host's own identity endpoint is behind no proxy
            kwargs["proxies"] = {"no_proxy": url.split("/")[2]}
        with self._failures_named(url):
            return self._session.request(
                method,
                url,
                verify=self._verify,
                timeout=(min(self._timeout, 10), min(self._timeout, 60)),
                allow_redirects=False,
                **kwargs,
            )

    def close(self) -> None:
        self._session.close()


class TokenHttp:
    """The session as msal expects its ``http_client``. A passing fault is tried again here, so msal never sees it."""

    def __init__(self, transport: Transport, tries: int) -> None:
        self._transport = transport
        self._tries = tries

    def get(self, url: str, **kwargs: t.Any) -> t.Any:
        return patiently(lambda: self._once("GET", url, kwargs), self._tries)

    def post(self, url: str, **kwargs: t.Any) -> t.Any:
        return patiently(lambda: self._once("POST", url, kwargs), self._tries)

    def _once(self, method: str, url: str, kwargs: t.Any) -> t.Any:
        answer = self._transport.foreign(method, url, **kwargs)
        if answer.status_code in PASSING:
            raise failure(f"The request for a token at {url.split('/')[2]}", answer.status_code, answer.headers, "")
        return answer

    def close(self) -> None:
        """The session belongs to the transport."""


def _protocol_error() -> type[Exception]:
    import urllib3.exceptions

    return urllib3.exceptions.HTTPError


def _never_sent(error: BaseException) -> bool:
    """Whether the connection was never made, so that nothing can have been carried out."""
    import urllib3.exceptions

    inner: BaseException | None = error
    while inner is not None:
        reason = getattr(inner, "reason", None)
        if isinstance(inner, urllib3.exceptions.NewConnectionError) or isinstance(
            reason, urllib3.exceptions.NewConnectionError
        ):
            return True
        inner = inner.args[0] if inner.args and isinstance(inner.args[0], BaseException) else inner.__cause__
    return False


def _innermost(error: BaseException) -> str:
    """The last cause's own words, without the objects that the libraries put around them."""
    while True:
        following = getattr(error, "reason", None) or next(
            (a for a in error.args if isinstance(a, BaseException)), None
        )
        if not isinstance(following, BaseException):
            break
        error = following
    words = [str(a) for a in error.args if isinstance(a, str)]
    text = (words[-1] if words else str(error) or type(error).__name__).rstrip(".")
    return re.sub(r"^(<.*?>|\w+\(.*?\)): ", "", text) or text


def _decoded(body: bytes) -> bytes:
    """The body unpacked where it really is gzip: error answers of this service claim it of plain bytes."""
    if body[:2] == b"\x1f\x8b":
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return body
    return body
