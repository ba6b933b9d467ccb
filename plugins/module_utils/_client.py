# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of the admin API: one cmdlet, its pages, or many in batches; the guard of check mode. PRIVATE.

Every request of a client carries the same anchor: page two is only found by the server that made page one.
Facts about the protocol and where each was seen: docs/protocol.md.
"""

from __future__ import annotations

import datetime
import itertools
import json
import threading
import time
import typing as t
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin, urlsplit

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Token
from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import Cloud
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    Interrupted,
    InvalidRequest,
    NeedsProxy,
    NotFound,
    Refused,
    ServiceUnavailable,
    Throttled,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Http, Response
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import RemoteObject
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Pacer, Retry, with_retries
from ansible_collections.m365.exchange_online.plugins.module_utils._service_errors import (
    PROXY_HINT,
    failure,
    is_html,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource

BATCH_SIZE = 10  # what every known client sends at most (PowerShell's own module, CIPP)
PAGE_SIZE = 1000  # the service's default and maximum
MAX_PAGES = 2000
MAX_REDIRECTS = 3
# The system mailbox has the same GUID in every organization; clients that page app-only anchor there.
_ANCHOR = "APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{}"
# Get cmdlets that store something with this switch (Microsoft's page on Get-CASMailbox).
_WRITING_SWITCH = "recalculatehasactivesyncdevicepartnership"
# What PowerShell prints when a Set- changes nothing, and when a Get- was cut short: texts of the official module.
_NOTHING_MODIFIED = "no settings of"
_MORE_RESULTS = "there are more results available"
# After one of these nothing more is sent.
FATAL = (AuthenticationFailed, AccessDenied, Interrupted)
_HTTPS_PORTS = (None, 443, 446)  # the front door names the port of an inner listener, 446, in its redirects


@dataclass(frozen=True, slots=True)
class Command:
    """One cmdlet. ``select``: the properties to return (all, if empty). ``subject``: whom it is about, for messages.

    ``anchor``: the mailbox to route to when the service wants the cmdlet run on that mailbox's server.
    ``writes``: whether it can change something, where its name does not tell.
    """

    name: str
    parameters: Mapping[str, t.Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    subject: str = ""
    anchor: str = ""
    writes: bool | None = None

    @property
    def reads(self) -> bool:
        if self.writes is not None:
            return not self.writes
        switches = {name.lower() for name in self.parameters}
        return self.name.lower().startswith("get-") and _WRITING_SWITCH not in switches

    @property
    def about(self) -> str:
        return f"{self.name} for {self.subject}" if self.subject else self.name

    def body(self) -> dict[str, t.Any]:
        return {"CmdletInput": {"CmdletName": self.name, "Parameters": dict(self.parameters)}}


@dataclass(frozen=True)
class Answer:
    """What a cmdlet returned: its objects and warnings, and the link to more objects."""

    objects: tuple[RemoteObject, ...] = ()
    warnings: tuple[str, ...] = ()
    next_link: str | None = None


class Client:
    """Runs cmdlets in one tenant.

    read_only: check mode; any cmdlet that can write is Refused before it is sent.
    retries: tries after the first. concurrency: requests in flight at most.
    alive: whether the run that started the task still lives; nothing is written after it ended.
    """

    def __init__(
        self,
        http: Http,
        tokens: TokenSource,
        cloud: Cloud,
        endpoint: str,
        *,
        read_only: bool,
        retries: int,
        concurrency: int,
        sleep: Callable[[float], None] = time.sleep,
        alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._cloud = cloud
        self._endpoint = endpoint
        self._read_only = read_only
        self._retries = retries
        self.concurrency = concurrency
        self._sleep = sleep
        self._alive = alive
        self._pacer = Pacer(concurrency)
        self._lock = threading.Lock()
        self.retried: list[str] = []
        # How far this host's clock is ahead of the service's, by its last answer.
        self.clock_ahead = datetime.timedelta(0)
        self._warnings: dict[str, None] = {}

    def token(self) -> str:
        """The token that cmdlets are called with. SMTP (XOAUTH2) takes the same."""
        return self._tokens.get().value

    @property
    def tenant_id(self) -> str:
        """The GUID of the tenant that this client's token is for (verified to be the one asked for)."""
        return self._tokens.get().tenant_id

    @property
    def warnings(self) -> list[str]:
        """What the service itself warned of when something was written."""
        return list(self._warnings)

    def check_alive(self) -> None:
        """Raise Interrupted where the run that started the task has ended, by a time-out or a signal."""
        if not self._alive():
            raise Interrupted(
                "The run that started this task has ended, so nothing more is written.",
                hint="Run the task again: it finishes what is left.",
            )

    def invoke(self, command: Command) -> Answer:
        """Run one cmdlet and return its (first page of) objects; raises ExoError."""
        self._check(command)
        url = self._url("InvokeCommand", command.select)
        try:
            return self._call(command, url)
        except NeedsProxy:
            # A directory-wide anchor can't reach what lives on the mailbox's own server.
            return self._call(command, url, anchor=f"UPN:{command.anchor}")

    def pages(self, command: Command, most: int | None = None) -> Iterator[Answer]:
        """Run a cmdlet and follow its pages to the end; raises IncompleteRead where the end is not reached.

        The next page is asked for while the caller works on the one before it. most: the last page to ask for.
        """
        answer = self.invoke(command)
        seen: set[str] = set()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="exo-page") as pool:
            for number in range(1, MAX_PAGES + 1):
                link = answer.next_link
                if link is None and any(_MORE_RESULTS in warning.lower() for warning in answer.warnings):
                    raise self._incomplete(command, "the service has more results but no link to them")
                if link is None or number == most:
                    yield answer
                    return
                if link in seen:
                    raise self._incomplete(command, "the service sent the same page link twice")
                seen.add(link)
                following = pool.submit(self._next_page, command, self._checked_link(command, link))
                yield answer
                answer = following.result()
        raise self._incomplete(command, f"there are more than {MAX_PAGES} pages")

    def _next_page(self, command: Command, link: str) -> Answer:
        try:
            return self._call(command, link)
        except (*FATAL, IncompleteRead):
            raise
        except (NotFound, InvalidRequest, UnexpectedResponse, ServiceUnavailable, Throttled) as error:
            raise self._incomplete(command, error.message, error) from None

    def batch(self, commands: Sequence[Command]) -> Iterator[tuple[int, Answer | ExoError]]:
        """Run many cmdlets, ten a request and several requests at once; yields (index, outcome) as they come.

        After a failure that would hit all others too, or when the service turned a whole batch away for good, nothing
        more is sent, and the cmdlets that were not sent are not yielded.
        """
        for command in commands:
            self._check(command)
        if len(commands) == 1:
            yield 0, self._outcome(commands[0])
        else:
            yield from self._in_batches(commands)

    def _in_batches(self, commands: Sequence[Command]) -> Iterator[tuple[int, Answer | ExoError]]:
        chunks = _chunks(commands)
        stopped = False
        with ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="exo") as pool:
            running: set[Future[list[tuple[int, Answer | ExoError]]]] = set()
            try:
                while True:
                    idle = 0 if stopped else self.concurrency - len(running)
                    running.update(pool.submit(self._run_chunk, chunk) for chunk in itertools.islice(chunks, idle))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcomes = future.result()
                        stopped = stopped or _ends_the_batches(dict(outcomes).values())
                        yield from outcomes
            except BaseException:  # Ctrl-C, or nobody listens any more: what is not on its way stays here
                self._pacer.stop()
                raise

    def _outcome(self, command: Command) -> Answer | ExoError:
        try:
            return self.invoke(command)
        except ExoError as error:
            return error

    def _run_chunk(self, chunk: Sequence[tuple[int, Command]]) -> list[tuple[int, Answer | ExoError]]:
        """The outcomes of up to ten cmdlets; never raises ExoError."""
        outcomes: dict[int, Answer | ExoError] = {}
        in_doubt: set[int] = set()
        try:
            self._fill(dict(chunk), outcomes, in_doubt)
        except ExoError as error:  # no token any more, or interrupted
            for index, _command in chunk:
                outcomes.setdefault(index, error)
        for index in in_doubt:
            outcome = outcomes.get(index)
            if isinstance(outcome, ExoError):
                outcomes[index] = outcome.but(in_doubt=True)
        return sorted(outcomes.items())

    def _fill(self, pending: dict[int, Command], outcomes: dict[int, Answer | ExoError], in_doubt: set[int]) -> None:
        """Run cmdlets until each has its outcome. Those that failed for the moment are sent again without the rest.

        in_doubt: gathers those that may have been carried out in a try that failed.
        """
        retry = Retry(self._retries)
        renewable = True
        while len(pending) > 1:
            token = self._tokens.get()
            try:
                outcomes.update(self._send_batch(pending))
            except (*FATAL, Throttled, ServiceUnavailable) as error:
                outcomes.update(dict.fromkeys(pending, error))
                return
            except ExoError as error:
                # The batch as such was refused: its cmdlets one by one, so that one does not spoil the others.
                in_doubt.update(_in_doubt(dict.fromkeys(pending, error)))
                break
            failed = _failures(outcomes, pending)
            in_doubt.update(_in_doubt(failed))
            again = self._again(failed, retry, token if renewable else None)
            renewable = renewable and not _rejected(failed)
            for index in _to_anchor(failed, pending):
                outcomes[index] = self._outcome(pending[index])
            outcomes.update(_given_up(failed, again, retry))
            pending = {index: pending[index] for index in again}
            for index in pending:
                del outcomes[index]
        self._one_by_one(pending, outcomes)

    def _one_by_one(self, pending: Mapping[int, Command], outcomes: dict[int, Answer | ExoError]) -> None:
        """Run cmdlets each in a request of its own, up to the first failure that would hit all others too."""
        for index, command in pending.items():
            outcomes[index] = self._outcome(command)
            if isinstance(outcomes[index], FATAL):
                return

    def _again(self, failed: Mapping[int, ExoError], retry: Retry, token: Token | None) -> set[int]:
        """Which of a batch's failures are worth another try, after waiting as long as they ask for.

        token: the one that the batch was sent with, as long as it may be renewed.
        """
        passing = {index: error for index, error in failed.items() if error.retryable}
        rejected = _rejected(failed)
        if rejected and token:
            self._renew(token, t.cast(AuthenticationFailed, failed[min(rejected)]))
            return rejected | set(passing)
        pause = retry.pause_after(list(passing.values()))
        if pause is None:
            return set()
        self._note(max(passing.values(), key=lambda error: error.retry_after or 0.0), pause)
        self._pacer.slow_down(pause)  # the next batch waits there, with all the others
        return set(passing)

    def _send_batch(self, pending: Mapping[int, Command]) -> dict[int, Answer | ExoError]:
        items = [
            {
                "id": str(index),
                "method": "POST",
                "url": self._url("InvokeCommand", command.select),
                # The outer request carries token and anchor: a batch is routed as a whole.
                "headers": {"Content-Type": "application/json", "Prefer": "odata.maxpagesize=1000"},
                "body": command.body(),
            }
            for index, command in pending.items()
        ]
        first = next(iter(pending.values()))
        payload = self._exchange(
            Command(f"{first.name} ({len(items)} at once)", writes=not all(one.reads for one in pending.values())),
            self._url("$batch"),
            {"requests": items},
            {"Prefer": "odata.continue-on-error"},
            _json,
        )
        responses = payload.get("responses") if isinstance(payload, dict) else None
        if not isinstance(responses, list):
            raise UnexpectedResponse("The answer to a batch holds no responses.", cmdlet=first.name)
        outcomes: dict[int, Answer | ExoError] = {}
        for response in responses:
            index = _index(response, pending)
            if index is None or index in outcomes:
                # Which answer is whose is no longer sure, so none of them is believed.
                raise UnexpectedResponse("The answer to a batch has an item that was not asked for.", cmdlet=first.name)
            outcomes[index] = self._item_outcome(pending[index], response)
        for index, command in pending.items():
            if index not in outcomes:
                outcomes[index] = UnexpectedResponse(
                    f"{command.about} got no answer in its batch.", cmdlet=command.name, retryable=True, in_doubt=True
                )
        return outcomes

    def _item_outcome(self, command: Command, response: Mapping[str, t.Any]) -> Answer | ExoError:
        status, headers, body = response.get("status"), response.get("headers"), response.get("body")
        headers = headers if isinstance(headers, dict) else {}
        try:
            if not isinstance(status, int) or not 100 <= status <= 999:
                raise UnexpectedResponse(
                    f"{command.about} got an answer without a status.", cmdlet=command.name, in_doubt=True
                )
            if not 200 <= status < 300:
                raise failure(command.name, status, headers, body, subject=command.subject)
            return self._heard(command, _answer(command, status, headers, body))
        except ExoError as error:
            return error

    def _heard(self, command: Command, answer: Answer) -> Answer:
        """The answer to a write, its warnings kept for the task's result: a change of the service may speak there."""
        if not command.reads:
            with self._lock:
                for warning in answer.warnings:
                    self._warnings[f"{command.about}: {warning}"] = None
        return answer

    def _call(self, command: Command, url: str, anchor: str | None = None) -> Answer:
        headers = {"Prefer": f"odata.maxpagesize={PAGE_SIZE}", "X-CmdletName": command.name}
        if anchor:
            headers.update({"X-AnchorMailbox": anchor, "parameter-based-routing": "true"})

        def parse(response: Response) -> Answer:
            return self._heard(command, _answer(command, response.status, response.headers, _json(response)))

        return t.cast(Answer, self._exchange(command, url, command.body(), headers, parse))

    def _exchange(
        self,
        command: Command,
        url: str,
        body: Mapping[str, t.Any],
        headers: Mapping[str, str],
        parse: Callable[[Response], t.Any],
    ) -> t.Any:
        """POST until it is answered for good: waits and tries again as errors allow, renews a rejected token once."""
        headers = {"client-request-id": str(uuid.uuid4()), **headers}
        content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        renewed = False

        def once() -> t.Any:
            nonlocal renewed
            token = self._tokens.get()
            try:
                return parse(self._send(command, url, content, token.value, headers))
            except AuthenticationFailed as rejection:
                if renewed:
                    raise
                renewed = True
                self._renew(token, rejection)
            return parse(self._send(command, url, content, self._tokens.get().value, headers))

        return with_retries(once, Retry(self._retries), self._pause)

    def _send(self, command: Command, url: str, content: bytes, token: str, headers: Mapping[str, str]) -> Response:
        """One request and its answer, if that is a success."""
        if not command.reads:
            self.check_alive()
        try:
            with self._pacer:
                response = self._post(command.name, url, content, token, headers)
        except ExoError as error:
            raise error.but(cmdlet=error.cmdlet or command.name) from None
        if 200 <= response.status < 300:
            self._pacer.succeeded()
            self.clock_ahead = ahead_of(response.headers, datetime.datetime.now(datetime.timezone.utc))
            return response
        failed = failure(command.name, response.status, response.headers, _json(response), subject=command.subject)
        if isinstance(failed, NeedsProxy) and not command.anchor:
            # Seen on the organization's own cmdlets, which no mailbox's server could run instead: it passes.
            raise ServiceUnavailable(failed.message, **_where(failed), retryable=True)
        raise failed

    def _pause(self, error: ExoError, seconds: float) -> None:
        self._note(error, seconds)
        if isinstance(error, (Throttled, ServiceUnavailable)) and error.http_status:
            self._pacer.slow_down(seconds)
        self._sleep(seconds)

    def _renew(self, token: Token, rejection: AuthenticationFailed) -> None:
        """A new token after a rejection; where none can be had, the failure says what was rejected."""
        try:
            self._tokens.renew(token, rejection.claims)
        except AuthenticationFailed as error:
            known = {name: value for name, value in _where(error).items() if value}
            raise error.but(**{**_where(rejection), **known}, in_doubt=rejection.in_doubt) from None

    def _post(self, name: str, url: str, content: bytes, token: str, headers: Mapping[str, str]) -> Response:
        full = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Accept-Language": "en-US",
            "X-AnchorMailbox": _ANCHOR.format(self.tenant_id),
            **headers,
        }
        for _hop in range(MAX_REDIRECTS + 1):
            response = self._http.post(url, full, content)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            url = self._redirected(name, url, str(response.headers.get("Location") or ""))
        raise UnexpectedResponse(
            f"{name} was redirected more than {MAX_REDIRECTS} times.",
            hint=PROXY_HINT,
            http_status=302,
            in_doubt=True,
        )

    def _redirected(self, name: str, url: str, location: str) -> str:
        """Where a redirect leads, if the token may be shown there; later requests go there at once."""
        target = self._trusted(_joined(url, location))
        if target is None:
            host = _host(location)
            raise UnexpectedResponse(
                f"{name} was redirected to {host or 'nowhere'}, which is not a host of the {self._cloud.name} cloud:"
                " the token was not sent there.",
                hint=PROXY_HINT,
                http_status=302,
                in_doubt=True,
            )
        before, parts = urlsplit(url), urlsplit(target)
        same_path = parts.path.lower() == before.path.lower()
        if same_path and f"{before.scheme}://{before.netloc}" == self._endpoint:
            self._endpoint = f"https://{parts.netloc}"
        return target

    def _trusted(self, url: str) -> str | None:
        """The URL in the form to use it, if a token may be shown to its host; else None."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        host = parts.hostname or ""
        own = urlsplit(self._endpoint)
        if parts.scheme != "https" or not host or parts.username:
            return None
        if host == own.hostname:
            # Our own host keeps the port that we reached it by, unless another one is named outright.
            netloc = own.netloc if port in _HTTPS_PORTS else f"{host}:{port}"
            return parts._replace(netloc=netloc).geturl()
        if not self._cloud.owns(url):
            return None
        netloc = host if port in _HTTPS_PORTS else f"{host}:{port}"
        return parts._replace(netloc=netloc).geturl()

    def _check(self, command: Command) -> None:
        if self._read_only and not command.reads:
            raise Refused(f"{command.name} would change something, which check mode never does.", cmdlet=command.name)
        for name, value in command.parameters.items():
            if name.lower() == "identity" and value in (None, ""):
                # A null identity means every object to this service.
                raise InvalidRequest(f"{command.name} needs the name of a mailbox.", cmdlet=command.name)

    def _checked_link(self, command: Command, link: str) -> str:
        """A page link, if it may be followed: where a redirect would be followed too."""
        target = self._trusted(link)
        if target is None:
            raise self._incomplete(command, f"its next page is said to be at another host ({_host(link) or 'nowhere'})")
        return target

    def _incomplete(self, command: Command, reason: str, error: ExoError | None = None) -> IncompleteRead:
        return IncompleteRead(
            f"The list from {command.name} is not complete: {reason.rstrip('.')}. Nothing was changed because of it.",
            cmdlet=command.name,
            http_status=error.http_status if error else None,
            request_id=error.request_id if error else None,
            hint=(error.hint if error else None) or "Run the task again; a list that is cut short is never acted on.",
        )

    def _url(self, action: str, select: Sequence[str] = ()) -> str:
        query = f"?$select={','.join(select)}" if select else ""
        return f"{self._endpoint}/adminapi/beta/{quote(self.tenant_id)}/{action}{query}"

    def _note(self, error: ExoError, pause: float) -> None:
        with self._lock:
            self.retried.append(f"{error.message} Waited {pause:.1f} s.")


def _joined(url: str, location: str) -> str:
    """Where a redirect leads from a URL, or '' where it names no place."""
    try:
        return urljoin(url, location) if location else ""
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return fit(urlsplit(url).hostname or "")
    except ValueError:
        return ""


def _where(error: ExoError) -> dict[str, t.Any]:
    """What a failure says of the request that it comes from."""
    return {"http_status": error.http_status, "cmdlet": error.cmdlet, "request_id": error.request_id}


def _failures(outcomes: Mapping[int, Answer | ExoError], pending: Mapping[int, Command]) -> dict[int, ExoError]:
    found = ((index, outcomes[index]) for index in pending)
    return {index: outcome for index, outcome in found if isinstance(outcome, ExoError)}


def _in_doubt(failed: Mapping[int, ExoError]) -> set[int]:
    """Which cmdlets may have been carried out although they failed."""
    return {index for index, error in failed.items() if error.in_doubt}


def _rejected(failed: Mapping[int, ExoError]) -> set[int]:
    """Which cmdlets failed because of their token."""
    return {index for index, error in failed.items() if isinstance(error, AuthenticationFailed)}


def _given_up(failed: Mapping[int, ExoError], again: Collection[int], retry: Retry) -> dict[int, ExoError]:
    """The failures that another try could have mended, but that get none any more."""
    return {index: retry.exhausted(error) for index, error in failed.items() if error.retryable and index not in again}


def _to_anchor(failed: Mapping[int, ExoError], pending: Mapping[int, Command]) -> list[int]:
    """Which cmdlets have to be run once more, on their mailbox's own server."""
    return [index for index, error in failed.items() if isinstance(error, NeedsProxy) and pending[index].anchor]


def _chunks(commands: Sequence[Command]) -> Iterator[list[tuple[int, Command]]]:
    """The cmdlets with their indexes, as many at a time as one request takes."""
    for start in range(0, len(commands), BATCH_SIZE):
        yield list(enumerate(commands[start : start + BATCH_SIZE], start))


def _index(response: t.Any, pending: Mapping[int, Command]) -> int | None:
    """Which command a batch answer belongs to, or None."""
    identifier = response.get("id") if isinstance(response, dict) else None
    return next((index for index in pending if str(index) == identifier), None)


def _ends_the_batches(outcomes: Collection[Answer | ExoError]) -> bool:
    """Whether the outcomes of a batch say that more of them would be in vain."""
    return any(isinstance(outcome, FATAL) for outcome in outcomes) or all(
        isinstance(outcome, (Throttled, ServiceUnavailable)) for outcome in outcomes
    )


def _json(response: Response) -> t.Any:
    """The decoded body, or its text where it is not JSON."""
    try:
        return json.loads(response.body) if response.body else None
    except (ValueError, RecursionError):
        return response.body[:4000].decode("utf-8", errors="replace")


def ahead_of(headers: Mapping[str, t.Any], now: datetime.datetime) -> datetime.timedelta:
    """How far a clock that says now is ahead of the one that dated the answer; nothing where it is not, or not known.

    A date has whole seconds, so a clock that is right can seem up to a second ahead.
    """
    try:
        sent = parsedate_to_datetime(str(headers.get("Date")))
    except (TypeError, ValueError):
        return datetime.timedelta(0)
    if sent.tzinfo is None:
        return datetime.timedelta(0)
    return max(now - sent, datetime.timedelta(0))


def _answer(command: Command, status: int, headers: Mapping[str, t.Any], body: t.Any) -> Answer:
    """A success as an Answer; raises where it hides an error or is no answer of this service."""
    if body is None and not command.reads:
        return Answer()  # a setter returns nothing
    if not isinstance(body, dict):
        raise _no_json_object(command, status, body)
    handled = body.get("@adminapi.errors")
    if handled:
        raise _handled_failure(command, status, headers, handled)
    objects, link = body.get("value"), body.get("@odata.nextLink")
    if objects is None and not command.reads:
        objects = []
    if not _is_list_of_objects(objects) or not isinstance(link, (str, type(None))):
        raise UnexpectedResponse(
            f"{command.about} was answered without a list of objects.",
            cmdlet=command.name,
            http_status=status,
            in_doubt=True,
            hint="The service may have changed: look for a newer version of this collection.",
        )
    return Answer(tuple(objects or ()), _warnings(body.get("@adminapi.warnings")), link)


def _no_json_object(command: Command, status: int, body: t.Any) -> UnexpectedResponse:
    """Nothing that this service answers. An HTML page comes from a proxy, which would send it the next time too."""
    html = isinstance(body, str) and is_html(body)
    return UnexpectedResponse(
        f"{command.about} was answered with {'an HTML page' if html else 'something that is not a JSON object'}.",
        cmdlet=command.name,
        http_status=status,
        hint=PROXY_HINT,
        retryable=not html,
        in_doubt=True,
    )


def _warnings(sent: t.Any) -> tuple[str, ...]:
    """The warnings of an answer but for those that just say that nothing had to be changed."""
    texts = [fit(str(text)) for text in sent] if isinstance(sent, list) else []
    return tuple(text for text in texts if _NOTHING_MODIFIED not in text)


def _handled_failure(command: Command, status: int, headers: Mapping[str, t.Any], handled: t.Any) -> ExoError:
    """The error that a success carries: the cmdlet's own, which the service caught."""
    text = "; ".join(str(message) for message in handled) if isinstance(handled, list) else str(handled)
    error = failure(
        command.name,
        400,
        headers,
        {"error": {"details": [{"message": text}]}},
        subject=command.subject,
        shown_status=status,
    )
    return error.but(in_doubt=True)  # it came with a success, so it is no word on what was done before


def _is_list_of_objects(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
