# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTPS session with time-outs, proxies and the chosen trust; it never judges a status. PRIVATE."""

from __future__ import annotations

import contextlib
import queue
import re
import threading
import typing as t
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ServiceUnavailable
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

try:
    import requests
    import requests.adapters
    import urllib3.exceptions
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER_AGENT = f"m365.exchange_online/{VERSION} (Ansible collection)"
# A page of a thousand whole mailboxes is about 15 MB; what is far larger is no answer of this service.
MAX_BODY = 64 * 1024 * 1024
CONNECT_TIMEOUT = 30  # seconds
_GZIP = 16 + zlib.MAX_WBITS
_NO_PROXY = {"http": "", "https": ""}  # an empty one beats the environment's

Returned = t.TypeVar("Returned")


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Overdue(Exception):
    """The whole answer did not come in time, although some of it did."""


class _TooLarge(Exception):
    """The answer is larger than any of this service."""


def _no_auth(request: t.Any) -> t.Any:
    """Keeps requests from taking a password out of ~/.netrc over our Authorization header."""
    return request


class Http:
    """Sends requests. ``verify``: True, False or a CA file; ``timeout``: seconds for one request in all;
    ``pool``: connections.
    """

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

    def get(self, url: str, headers: Mapping[str, str]) -> Response:
        """The answer to a GET, whatever its status; raises ServiceUnavailable where none came."""
        return self._send("GET", url, headers, None)

    def fetch(self, url: str) -> Response:
        """The answer to a GET without credentials (discovery documents)."""
        return self._send("GET", url, {"Accept": "application/json"}, None)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        def exchange() -> Response:
            # verify goes with each request: REQUESTS_CA_BUNDLE would override the session's.
            with self._session.request(
                method,
                url,
                data=body,
                headers={"Accept-Encoding": "identity", **headers},
                verify=self._verify,
                timeout=(min(self._timeout, CONNECT_TIMEOUT), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as answer:
                raw = answer.raw.read(MAX_BODY + 1, decode_content=False)
                return Response(answer.status_code, answer.headers, _decoded(raw))

        with self._failures_named(url, self._timeout):
            return within(self._timeout, exchange)

    def foreign(self, method: str, url: str, *, direct: bool = False, **kwargs: t.Any) -> t.Any:
        """A request in requests' own manner, for msal; raises ServiceUnavailable where no answer came.

        direct: past any proxy, as to a host's own identity endpoint, which is behind none.
        """
        kwargs.pop("timeout", None)
        if direct:
            kwargs["proxies"] = _NO_PROXY
        limit = min(self._timeout, 60)

        def exchange() -> t.Any:
            return self._session.request(
                method,
                url,
                verify=self._verify,
                timeout=(min(limit, 10), limit),
                allow_redirects=False,
                **kwargs,
            )

        with self._failures_named(url, limit):
            return within(limit, exchange)

    @contextlib.contextmanager
    def _failures_named(self, url: str, limit: int) -> Iterator[None]:
        """Turns the exceptions of requests and urllib3 into a ServiceUnavailable that says what to do."""
        host = url.split("/")[2]
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ServiceUnavailable(
                f"The certificate of {host} is not trusted: {_innermost(error)}.",
                hint="Name the CA bundle in ca_path, if a proxy or a simulator of yours answers there.",
            ) from None
        except (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError, TypeError):
            # The library's own text quotes the URL, with the password of a proxy in it; a proxy without a host is a
            # TypeError to it.
            raise ServiceUnavailable(
                f"The URL of {host}, or of the proxy to it, is not valid.",
                hint="Check HTTPS_PROXY in the environment of the task; a # in its password is written %23.",
            ) from None
        except requests.exceptions.ProxyError as error:
            raise ServiceUnavailable(
                f"The proxy did not let the request to {host} through: {_innermost(error)}.",
                hint="Check HTTPS_PROXY and NO_PROXY in the environment of the task.",
                retryable=True,
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise ServiceUnavailable(f"{host} did not answer in time.", retryable=True) from None
        except (requests.exceptions.Timeout, Overdue):
            raise ServiceUnavailable(
                f"{host} did not finish its answer within {limit} seconds.",
                hint="Raise timeout, if the service is just slow.",
                retryable=True,
                in_doubt=True,
            ) from None
        except _TooLarge:
            raise ServiceUnavailable(
                f"The answer of {host} is larger than any of this service.",
                hint="Check endpoint and the proxy: something else may have answered.",
                in_doubt=True,
            ) from None
        except (requests.exceptions.RequestException, OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            lost = not _never_sent(error)
            raise ServiceUnavailable(
                f"The connection to {host} failed: {_innermost(error)}.",
                hint=None if lost else "Check the host's name, the network and the proxy.",
                retryable=True,
                in_doubt=lost,
            ) from None

    def close(self) -> None:
        self._session.close()


def within(seconds: float, call: Callable[[], Returned]) -> Returned:
    """What the call returns; raises Overdue where it takes longer.

    A time-out of requests counts from one byte to the next, so a server that sends a byte now and then would hold the
    call for ever. The thread is left to itself then, and ends with the process.
    """
    outcome: queue.SimpleQueue[tuple[Returned | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as error:  # it is raised again where the caller waits
            outcome.put((None, error))

    threading.Thread(target=run, daemon=True, name="exo-request").start()
    try:
        returned, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise Overdue from None
    if error is not None:
        raise error
    return t.cast(Returned, returned)


def _never_sent(error: BaseException) -> bool:
    """Whether the connection was never made, so that nothing can have been carried out."""
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
    """The last cause's own words, without the objects that the libraries put around them, and without a password."""
    cause = _cause(error)
    while cause is not None:
        error, cause = cause, _cause(cause)
    words = [str(a) for a in error.args if isinstance(a, str)]
    text = (words[-1] if words else str(error) or type(error).__name__).rstrip(".")
    return masked(re.sub(r"^(<.*?>|\w+\(.*?\)): ", "", text) or text)


def _cause(error: BaseException) -> BaseException | None:
    """The exception that a library wrapped into this one."""
    inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
    return inner if isinstance(inner, BaseException) else None  # the reason of some is a text


def masked(text: str) -> str:
    """The text without the user and password that a URL in it may have."""
    return re.sub(r"(?<=://)\S*@", "***@", text)


def _decoded(body: bytes) -> bytes:
    """The body unpacked where it really is gzip: error answers of this service claim it of plain bytes."""
    if len(body) > MAX_BODY:
        raise _TooLarge
    if body[:2] != b"\x1f\x8b":
        return body
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, MAX_BODY)
    except zlib.error:
        return body
    # Behind the first member of gzip could be any number of others; this service sends one.
    if unpacking.unconsumed_tail or unpacking.unused_data:
        raise _TooLarge
    return unpacked if unpacking.eof else body
