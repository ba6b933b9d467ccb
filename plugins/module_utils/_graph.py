# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft Graph, which is only read: policies, sign-ins, users, customers, and what What-If answers. PRIVATE.

It knows no way to write. Whatever is no GET is refused before it is sent, but for a question that is marked as a read.
"""

from __future__ import annotations

import datetime
import json
import time
import typing as t
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    NotFound,
    Refused,
    ServiceUnavailable,
    Throttled,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Http, Response
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Retry, with_retries
from ansible_collections.m365.exchange_online.plugins.module_utils._service_errors import (
    claims_challenge,
    header,
    retry_after,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import one_line
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource

MAX_PAGES = 2000
_ACCESS = "identity/conditionalAccess"
_ALL = "Policy.Read.All"
_LOG = "AuditLog.Read.All"
_USERS = "User.Read.All"
_RELATIONSHIPS = "DelegatedAdminRelationship.Read.All"
_CONTRACTS = "Directory.Read.All"
Row = Mapping[str, t.Any]


class NoLicence(AccessDenied):
    """The tenant has no Entra ID P1 or P2, which this needs whatever the app may do."""


class RangeTooLong(ServiceUnavailable):
    """The log did not answer for so long a time in time: a shorter one may work."""


class Pace:
    """At most so many requests in so many seconds; who comes too early waits."""

    def __init__(
        self,
        requests: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._requests = requests
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._sent: deque[float] = deque(maxlen=requests)

    def wait(self) -> None:
        if len(self._sent) == self._requests:
            early = self._sent[0] + self._seconds - self._clock()
            if early > 0:
                self._sleep(early)
        self._sent.append(self._clock())


@dataclass(frozen=True)
class Read:
    """One question. permission: what the app needs for it. pace: which of the service's limits counts it.

    body: only for What-If, which is asked by POST and changes nothing. splits: a 504 means that the range is too long.
    """

    path: str
    permission: str
    query: Mapping[str, str] | None = None
    pace: str = ""
    method: str = "GET"
    reads: bool = False
    body: Mapping[str, t.Any] | None = None
    splits: bool = False


class Graph:
    """Reads Microsoft Graph in one tenant. retries: tries after the first."""

    def __init__(
        self,
        http: Http,
        tokens: TokenSource,
        endpoint: str,
        *,
        retries: int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._endpoint = endpoint
        self._retries = retries
        self._sleep = sleep
        # What Microsoft documents: one request a second for all apps of a tenant, and five in ten seconds for an app.
        self._paces = {"conditional access": Pace(1, 1.05, clock, sleep), "log": Pace(5, 10.05, clock, sleep)}
        self._what_if_version = "v1.0"
        self.retried: list[str] = []

    @property
    def tenant_id(self) -> str:
        """The GUID of the tenant that the token is for (verified to be the one asked for)."""
        return self._tokens.get().tenant_id

    def security_defaults(self) -> bool:
        """Whether security defaults are on."""
        row = self._one(Read("v1.0/policies/identitySecurityDefaultsEnforcementPolicy", _ALL))
        enabled = row.get("isEnabled")
        if not isinstance(enabled, bool):
            raise UnexpectedResponse("Microsoft Graph did not say whether security defaults are on.")
        return enabled

    def conditional_access(self) -> list[t.Any]:
        """All Conditional Access policies, in Graph's form."""
        return list(self._pages(Read(f"v1.0/{_ACCESS}/policies", _ALL, pace="conditional access")))

    def what_if(self, question: Mapping[str, t.Any]) -> list[t.Any]:
        """What Conditional Access would do to the sign-in that the question describes."""
        try:
            return self._ask_what_if(question)
        except NotFound:
            # A page of v1.0 exists since 2025, and not every cloud has it.
            if self._what_if_version == "beta":
                raise
            self._what_if_version = "beta"
            return self._ask_what_if(question)

    def _ask_what_if(self, question: Mapping[str, t.Any]) -> list[t.Any]:
        path = f"{self._what_if_version}/{_ACCESS}/evaluate"
        read = Read(path, _ALL, pace="conditional access", method="POST", reads=True, body=question)
        return list(self._pages(read))

    def disabled_accounts(self) -> set[str]:
        """The object ids of all users whose sign-in is blocked."""
        query = {"$filter": "accountEnabled eq false", "$select": "id", "$top": "999"}
        rows = self._pages(Read("v1.0/users", _USERS, query))
        return {str(row.get("id")).lower() for row in rows if isinstance(row, dict)}

    def relationships(self) -> list[t.Any]:
        """A partner's active delegated admin relationships (GDAP), in Graph's form; a customer may have several."""
        path = "v1.0/tenantRelationships/delegatedAdminRelationships"
        return list(self._pages(Read(path, _RELATIONSHIPS, {"$filter": "status eq 'active'", "$top": "300"})))

    def contracts(self) -> list[t.Any]:
        """A partner's contracts with customers, in Graph's form."""
        return list(self._pages(Read("v1.0/contracts", _CONTRACTS, {"$top": "999"})))

    def sign_ins(self, client: str, stream: str, start: datetime.datetime, end: datetime.datetime) -> Iterator[Row]:
        """The sign-ins of one client and stream from start until before end (UTC), newest first; all of them.

        Rows may come twice where the service gave up on the whole range, so that parts of it were asked for.
        """
        condition = f"clientAppUsed eq '{client}' and signInEventTypes/any(t: t eq '{stream}')"
        whole_days = (end - start) // datetime.timedelta(days=1)
        try:
            yield from self._log(condition, start, end, splits=whole_days > 1)
        except RangeTooLong:
            middle = start + datetime.timedelta(days=(whole_days + 1) // 2)
            yield from self.sign_ins(client, stream, middle, end)
            yield from self.sign_ins(client, stream, start, middle)

    def any_sign_in(self, start: datetime.datetime, end: datetime.datetime) -> bool:
        """Whether the log holds any sign-in at all in this time."""
        condition = "signInEventTypes/any(t: t eq 'nonInteractiveUser')"
        return next(self._log(condition, start, end, top=1), None) is not None

    def _log(
        self, condition: str, start: datetime.datetime, end: datetime.datetime, *, splits: bool = False, top: int = 1000
    ) -> Iterator[Row]:
        between = f"createdDateTime ge {_utc(start)} and createdDateTime lt {_utc(end)}"
        query = {"$filter": f"{between} and {condition}", "$top": str(top)}
        # v1.0 has interactive sign-ins alone, and most of those over SMTP are in the other stream.
        for row in self._pages(Read("beta/auditLogs/signIns", _LOG, query, pace="log", splits=splits)):
            if not isinstance(row, dict):
                raise UnexpectedResponse("Microsoft Graph sent a sign-in that is not an object.")
            yield row

    def _one(self, read: Read) -> Row:
        body = self._exchange(read, self._url(read))
        if not isinstance(body, dict):
            raise UnexpectedResponse(f"Microsoft Graph answered {read.path} with something that is not an object.")
        return body

    def _pages(self, read: Read) -> Iterator[t.Any]:
        """The rows of all pages; raises IncompleteRead where their end is not reached."""
        url = self._url(read)
        seen = {url}
        for _page in range(MAX_PAGES):
            body = self._exchange(read, url)
            rows = body.get("value") if isinstance(body, dict) else None
            if not isinstance(rows, list):
                raise UnexpectedResponse(f"Microsoft Graph answered {read.path} without a list.")
            yield from rows
            link = body.get("@odata.nextLink")
            if link is None:
                return
            url = self._checked_link(read, link)
            if url in seen:
                raise _incomplete(read, "the same page link came twice")
            seen.add(url)
        raise _incomplete(read, f"there are more than {MAX_PAGES} pages")

    def _checked_link(self, read: Read, link: t.Any) -> str:
        """The link, if the token may be shown there."""
        try:
            here, there = urlsplit(self._endpoint), urlsplit(link) if isinstance(link, str) else urlsplit("")
            same = (there.scheme, there.hostname, there.port or 443) == (here.scheme, here.hostname, here.port or 443)
        except ValueError:
            same = False
        if not same:
            raise _incomplete(read, "the link to the next page leads to another host")
        return t.cast(str, link)

    def _url(self, read: Read) -> str:
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in (read.query or {}).items())
        return f"{self._endpoint}/{read.path}" + (f"?{query}" if query else "")

    def _exchange(self, read: Read, url: str) -> t.Any:
        """The decoded answer. Waits and tries again as errors allow, and renews a rejected token once."""
        if read.method != "GET" and not read.reads:
            raise Refused(f"{read.method} {read.path} could change something, and Microsoft Graph is only read.")
        renewals = 1

        def once() -> t.Any:
            nonlocal renewals
            token = self._tokens.get()
            try:
                return self._send(read, url, token.value)
            except AuthenticationFailed as rejection:
                if not renewals:
                    raise
                renewals -= 1
                self._tokens.renew(token, rejection.claims)
                return self._send(read, url, self._tokens.get().value)

        return with_retries(once, Retry(self._retries), self._pause)

    def _send(self, read: Read, url: str, token: str) -> t.Any:
        if read.pace:
            self._paces[read.pace].wait()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Language": "en-US"}
        if read.method == "GET":
            response = self._http.get(url, headers)
        else:
            body = json.dumps(read.body, separators=(",", ":")).encode()
            response = self._http.post(url, {**headers, "Content-Type": "application/json"}, body)
        if response.status == 200:
            return _decoded(response)
        raise _failure(read, response)

    def _pause(self, error: ExoError, seconds: float) -> None:
        self.retried.append(f"{error.message} Waited {seconds:.1f} s.")
        self._sleep(seconds)


def _utc(when: datetime.datetime) -> str:
    return when.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _decoded(response: Response) -> t.Any:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise UnexpectedResponse(
            "Microsoft Graph answered with something that is not JSON.",
            http_status=response.status,
            hint="Something between this host and Microsoft Graph answered: check the proxy and graph_endpoint.",
            retryable=True,
        ) from None


def _incomplete(read: Read, reason: str) -> IncompleteRead:
    return IncompleteRead(f"The list at {read.path} of Microsoft Graph could not be read to its end: {reason}.")


_KINDS: Mapping[int, type[ExoError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    403: AccessDenied,
    404: NotFound,
    429: Throttled,
    **dict.fromkeys((408, 500, 502, 503, 504), ServiceUnavailable),
}


def _failure(read: Read, response: Response) -> ExoError:
    """What an answer means that is no success. Graph's error code tells more than its status does."""
    code, text = _reason(response)
    kind = _KINDS.get(response.status, UnexpectedResponse)
    hint = None
    if response.status == 504 and read.splits:
        kind = RangeTooLong
    elif "NonPremiumTenant" in code:
        kind = NoLicence
    elif kind is AccessDenied:
        hint = f"Grant the app {read.permission} of Microsoft Graph, with admin consent."
    elif "resource not found for the segment" in text.lower():
        kind = NotFound  # a version or a cloud that does not offer the resource says 400
    return kind(
        f"Microsoft Graph did not answer {read.path}: {text or code or 'no reason given'} (HTTP {response.status}).",
        hint=hint,
        http_status=response.status,
        request_id=header(response.headers, "request-id") or None,
        retryable=kind in (Throttled, ServiceUnavailable),
        retry_after=retry_after(response.headers),
        claims=claims_challenge(response.headers) if response.status == 401 else None,
    )


def _reason(response: Response) -> tuple[str, str]:
    """(code, text) of an error of Graph; empty where the body is none."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return "", ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    code, text = error.get("code"), error.get("message")
    return (
        code if isinstance(code, str) else "",
        one_line(text).rstrip(".")[:300] if isinstance(text, str) else "",
    )
