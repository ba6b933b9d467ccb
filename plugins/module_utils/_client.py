# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of the admin API: one cmdlet, its pages, or many in batches; retries; the guard of check mode. PRIVATE.

Every request of a client carries the same anchor: page two is only found by the server that made page one.
"""

from __future__ import annotations

import copy
import json
import threading
import time
import typing as t
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin, urlsplit

from ansible_collections.m365.exchange_online.plugins.module_utils import _errors
from ansible_collections.m365.exchange_online.plugins.module_utils._auth import Token, TokenSource
from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import Cloud
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    NeedsProxy,
    NotFound,
    Refused,
    ServiceUnavailable,
    Throttled,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._patience import Patience
from ansible_collections.m365.exchange_online.plugins.module_utils._transport import Response, Transport

BATCH_SIZE = 10  # what every known client sends at most
PAGE_SIZE = 1000  # the service's default and maximum
MAX_PAGES = 2000
MAX_REDIRECTS = 3
# The system mailbox has the same GUID in every organisation; clients that page app-only anchor there.
_ANCHOR = "APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{}"
# Get cmdlets that store something with this switch.
_WRITING_SWITCH = "recalculatehasactivesyncdevicepartnership"
_NOTHING_MODIFIED = "no settings of"
_MORE_RESULTS = "there are more results available"
_FATAL = (AuthenticationFailed, AccessDenied)


@dataclass(frozen=True)
class Command:
    """One cmdlet. ``select``: the properties to return (all, if empty). ``subject``: whom it is about, for messages.

    ``anchor``: the mailbox to route to when the service wants the cmdlet run on that mailbox's server.
    """

    name: str
    parameters: Mapping[str, t.Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    subject: str = ""
    anchor: str = ""

    @property
    def reads(self) -> bool:
        switches = {name.lower() for name in self.parameters}
        return self.name.lower().startswith("get-") and _WRITING_SWITCH not in switches

    def body(self) -> dict[str, t.Any]:
        return {"CmdletInput": {"CmdletName": self.name, "Parameters": dict(self.parameters)}}


@dataclass(frozen=True)
class Answer:
    """What a cmdlet returned: its objects and warnings, and the link to more objects."""

    rows: tuple[Mapping[str, t.Any], ...] = ()
    warnings: tuple[str, ...] = ()
    next_link: str | None = None


class Pacer:
    """One pace for all requests of a client: how many are in flight, and until when nobody sends.

    A refusal halves the number in flight and makes everybody wait; each full round without one raises it by one.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._allowed = limit
        self._in_flight = 0
        self._successes = 0
        self._resume_at = 0.0
        self._clock = clock
        self._changed = threading.Condition()
        self.stopped = False

    def __enter__(self) -> None:
        with self._changed:
            while True:
                if self.stopped:
                    raise ServiceUnavailable("The task was interrupted.")
                pause = self._resume_at - self._clock()
                if pause <= 0 and self._in_flight < self._allowed:
                    self._in_flight += 1
                    return
                self._changed.wait(pause if pause > 0 else None)

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    @property
    def allowed(self) -> int:
        """How many requests may be in flight just now."""
        return self._allowed

    def stop(self) -> None:
        """Let nobody send any more: the task is being interrupted."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def succeeded(self) -> None:
        with self._changed:
            self._successes += 1
            if self._allowed < self._limit and self._successes >= self._allowed:
                self._allowed += 1
                self._successes = 0
                self._changed.notify_all()

    def pushed_back(self, seconds: float) -> None:
        with self._changed:
            now = self._clock()
            if self._resume_at <= now:  # several workers hit by one refusal halve the pace once
                self._allowed = max(1, self._allowed // 2)
            self._successes = 0
            self._resume_at = max(self._resume_at, now + seconds)


class Client:
    """Runs cmdlets in one tenant.

    read_only: check mode; any cmdlet that can write is Refused before it is sent.
    retries: tries after the first. concurrency: requests in flight at most.
    """

    def __init__(
        self,
        transport: Transport,
        tokens: TokenSource,
        cloud: Cloud,
        endpoint: str,
        *,
        read_only: bool,
        retries: int,
        concurrency: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport
        self._tokens = tokens
        self._cloud = cloud
        self._endpoint = endpoint
        self._read_only = read_only
        self._retries = retries
        self.concurrency = concurrency
        self._sleep = sleep
        self._pacer = Pacer(concurrency)
        self._lock = threading.Lock()
        self.retried: list[str] = []

    @property
    def tenant_id(self) -> str:
        """The GUID of the tenant that this client's token is for (verified to be the one asked for)."""
        return self._tokens.get().tenant_id

    def invoke(self, command: Command) -> Answer:
        """Run one cmdlet and return its (first page of) objects; raises ExoError."""
        self._check(command)
        url = self._url("InvokeCommand", command.select)
        try:
            return self._call(command, url)
        except NeedsProxy:
            if not command.anchor:
                raise
            # A directory-wide anchor can't reach what lives on the mailbox's own server.
            return self._call(command, url, anchor=f"UPN:{command.anchor}")

    def pages(self, command: Command) -> Iterator[Answer]:
        """Run a cmdlet and follow its pages to the end; raises IncompleteRead where the end is not reached."""
        answer = self.invoke(command)
        seen: set[str] = set()
        for _number in range(MAX_PAGES):
            link = answer.next_link
            if link is None and any(_MORE_RESULTS in warning.lower() for warning in answer.warnings):
                raise self._incomplete(command, "the service has more results but no link to them")
            yield answer
            if link is None:
                return
            if link in seen:
                raise self._incomplete(command, "the service sent the same page link twice")
            seen.add(link)
            self._check_link(command, link)
            try:
                answer = self._call(command, link)
            except (*_FATAL, IncompleteRead):
                raise
            except (NotFound, InvalidRequest, UnexpectedResponse, ServiceUnavailable, Throttled) as error:
                raise self._incomplete(command, error.message, error) from None
        raise self._incomplete(command, f"there are more than {MAX_PAGES} pages")

    def batch(self, commands: Sequence[Command]) -> Iterator[tuple[int, Answer | ExoError]]:
        """Run many cmdlets, ten a request and several requests at once; yields (index, outcome) as they come.

        After an authentication or access failure, or when the service turned a whole batch away for good, nothing more
        is sent, and the cmdlets that were not sent are not yielded.
        """
        for command in commands:
            self._check(command)
        if len(commands) == 1:
            yield 0, self._outcome(commands[0])
            return
        chunks = iter([range(i, min(i + BATCH_SIZE, len(commands))) for i in range(0, len(commands), BATCH_SIZE)])
        stopped = False
        with ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="exo") as pool:
            running: set[Future[list[tuple[int, Answer | ExoError]]]] = set()
            try:
                while True:
                    while not stopped and len(running) < self.concurrency:
                        chunk = next(chunks, None)
                        if chunk is None:
                            break
                        running.add(pool.submit(self._run_chunk, [(index, commands[index]) for index in chunk]))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcomes = future.result()
                        stopped = stopped or _hopeless([outcome for _index, outcome in outcomes])
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
        doubtful: set[int] = set()
        try:
            self._fill(dict(chunk), outcomes, doubtful)
        except ExoError as error:  # no token any more, or interrupted
            for index, _command in chunk:
                outcomes.setdefault(index, copy.copy(error))
        for index in doubtful:
            outcome = outcomes.get(index)
            if isinstance(outcome, ExoError):
                outcome.maybe_done = True
        return sorted(outcomes.items())

    def _fill(self, pending: dict[int, Command], outcomes: dict[int, Answer | ExoError], doubtful: set[int]) -> None:
        """Run cmdlets until each has its outcome. Those that failed for the moment are sent again without the rest.

        doubtful: gathers those that may have been carried out in a try that failed.
        """
        patience = Patience(self._retries)
        renewable = True
        while len(pending) > 1:
            token = self._tokens.get()
            try:
                outcomes.update(self._send_batch(pending))
            except (*_FATAL, Throttled, ServiceUnavailable) as error:
                outcomes.update({index: copy.copy(error) for index in pending})
                return
            except ExoError as error:
                # The batch as such was refused: its cmdlets one by one, so that one does not spoil the others.
                doubtful.update(pending if error.maybe_done else ())
                break
            failed = {i: e for i, e in outcomes.items() if i in pending and isinstance(e, ExoError)}
            doubtful.update(i for i, e in failed.items() if e.maybe_done)
            again = self._again(failed, patience, token if renewable else None)
            renewable = renewable and not any(isinstance(e, AuthenticationFailed) for e in failed.values())
            alone = {i for i, e in failed.items() if isinstance(e, NeedsProxy) and pending[i].anchor}
            outcomes.update({i: self._outcome(pending[i]) for i in alone})
            pending = {i: pending[i] for i in again}
            for index in pending:
                del outcomes[index]
        for index, command in pending.items():
            outcomes[index] = self._outcome(command)
            if isinstance(outcomes[index], _FATAL):
                return

    def _again(self, failed: Mapping[int, ExoError], patience: Patience, token: Token | None) -> set[int]:
        """Which of a batch's failures are worth another try, after waiting as long as they ask for.

        token: the one that the batch was sent with, as long as it may be renewed.
        """
        rejected = {i for i, e in failed.items() if isinstance(e, AuthenticationFailed)}
        if rejected and token:
            self._renew(token, t.cast(AuthenticationFailed, failed[min(rejected)]))
            return rejected | {i for i, e in failed.items() if e.transient}
        passing = {i: e for i, e in failed.items() if e.transient}
        if not passing:
            return set()
        slowest = max(passing.values(), key=lambda e: e.retry_after or 0.0)
        pause = patience.wait_for(slowest)
        if pause is None:
            for error in passing.values():
                patience.gave_up(error)
            return set()
        self._note(slowest, pause)
        self._pacer.pushed_back(pause)  # the next batch waits there, with all the others
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
            f"{first.name} ({len(items)} at once)",
            self._url("$batch"),
            {"requests": items},
            {"Prefer": "odata.continue-on-error"},
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
                    f"{_about(command)} got no answer in its batch.",
                    cmdlet=command.name,
                    transient=True,
                    maybe_done=True,
                )
        return outcomes

    def _item_outcome(self, command: Command, response: Mapping[str, t.Any]) -> Answer | ExoError:
        status, headers, body = response.get("status"), response.get("headers"), response.get("body")
        headers = headers if isinstance(headers, dict) else {}
        try:
            if not isinstance(status, int) or not 100 <= status <= 999:
                raise UnexpectedResponse(
                    f"{_about(command)} got an answer without a status.", cmdlet=command.name, maybe_done=True
                )
            if not 200 <= status < 300:
                raise _errors.failure(command.name, status, headers, body, subject=command.subject)
            return _answer(command, status, headers, body)
        except ExoError as error:
            return error

    def _call(self, command: Command, url: str, anchor: str | None = None) -> Answer:
        headers = {"Prefer": f"odata.maxpagesize={PAGE_SIZE}", "X-CmdletName": command.name}
        if anchor:
            headers.update({"X-AnchorMailbox": anchor, "parameter-based-routing": "true"})
        payload = self._exchange(
            command.name,
            url,
            command.body(),
            headers,
            subject=command.subject,
            parse=lambda response: _answer(command, response.status, response.headers, _json(response)),
        )
        return t.cast(Answer, payload)

    def _exchange(
        self,
        name: str,
        url: str,
        body: Mapping[str, t.Any],
        headers: Mapping[str, str],
        *,
        subject: str = "",
        parse: Callable[[Response], t.Any] | None = None,
    ) -> t.Any:
        """POST until it is answered for good: waits and tries again as errors allow, renews a rejected token once."""
        patience = Patience(self._retries)
        request_id = str(uuid.uuid4())
        content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        renewed = maybe_done = False
        while True:
            token = self._tokens.get()
            try:
                with self._pacer:
                    response = self._post(name, url, content, token.value, request_id, headers)
                if not 200 <= response.status < 300:
                    raise _errors.failure(name, response.status, response.headers, _json(response), subject=subject)
                payload = parse(response) if parse else _json(response)
                self._pacer.succeeded()
                return payload
            except AuthenticationFailed as error:
                error.maybe_done = maybe_done
                if renewed:
                    raise
                renewed = True
                self._renew(token, error)
            except ExoError as error:
                maybe_done = maybe_done or error.maybe_done
                error.maybe_done = maybe_done
                error.cmdlet = error.cmdlet or name
                pause = patience.wait_for(error)
                if pause is None:
                    raise patience.gave_up(error) from None
                self._note(error, pause)
                if isinstance(error, (Throttled, ServiceUnavailable)) and error.http_status:
                    self._pacer.pushed_back(pause)
                self._sleep(pause)

    def _renew(self, token: Token, rejection: AuthenticationFailed) -> None:
        """A new token after a rejection; where none is to be had, the failure says what was rejected."""
        try:
            self._tokens.renew(token, rejection.claims)
        except AuthenticationFailed as error:
            error.http_status = error.http_status or rejection.http_status
            error.cmdlet = error.cmdlet or rejection.cmdlet
            error.request_id = error.request_id or rejection.request_id
            error.maybe_done = rejection.maybe_done
            raise

    def _post(
        self, name: str, url: str, content: bytes, token: str, request_id: str, headers: Mapping[str, str]
    ) -> Response:
        full = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Accept-Language": "en-US",
            "X-AnchorMailbox": _ANCHOR.format(self.tenant_id),
            "client-request-id": request_id,
            **headers,
        }
        for _hop in range(MAX_REDIRECTS + 1):
            response = self._transport.post(url, full, content)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            url = self._redirected(name, url, str(response.headers.get("Location") or ""))
        raise UnexpectedResponse(
            f"{name} was redirected more than {MAX_REDIRECTS} times.",
            hint=_errors.PROXY_HINT,
            http_status=302,
            maybe_done=True,
        )

    def _redirected(self, name: str, url: str, location: str) -> str:
        """Where a redirect leads, if the token may be shown there; later requests go there at once."""
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            port = parts.port
        except ValueError:
            target, parts, port = "", urlsplit(""), None
        host = parts.hostname or ""
        own = urlsplit(self._endpoint).hostname
        if parts.scheme != "https" or not location or not (self._cloud.owns(target) or host == own):
            raise UnexpectedResponse(
                f"{name} was redirected to {host or 'nowhere'}, which is no host of the {self._cloud.name} cloud:"
                " the token was not sent there.",
                hint=_errors.PROXY_HINT,
                http_status=302,
                maybe_done=True,
            )
        # The front door names the port of an inner listener.
        netloc = host if port in (None, 443, 446) else f"{host}:{port}"
        before = urlsplit(url)
        same_path = parts.path.lower() == before.path.lower()
        if same_path and f"{before.scheme}://{before.netloc}" == self._endpoint:
            self._endpoint = f"https://{netloc}"
        return parts._replace(netloc=netloc).geturl()

    def _check(self, command: Command) -> None:
        if self._read_only and not command.reads:
            raise Refused(f"{command.name} would change something, which check mode never does.", cmdlet=command.name)
        if any(
            value is None or value == "" for name, value in command.parameters.items() if name.lower() == "identity"
        ):
            # A null identity means every object to this service.
            raise InvalidRequest(f"{command.name} needs the name of a mailbox.", cmdlet=command.name)

    def _check_link(self, command: Command, link: str) -> None:
        mine = urlsplit(self._url("InvokeCommand"))
        try:
            theirs = urlsplit(link)
        except ValueError:
            raise self._incomplete(command, "the link to its next page is no URL") from None
        if (theirs.scheme, theirs.netloc.lower()) != (mine.scheme, mine.netloc.lower()):
            raise self._incomplete(command, f"its next page is said to be at another host ({theirs.hostname})")

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


def _index(response: t.Any, pending: Mapping[int, Command]) -> int | None:
    """Which command a batch answer belongs to, or None."""
    identifier = response.get("id") if isinstance(response, dict) else None
    return next((index for index in pending if str(index) == identifier), None)


def _hopeless(outcomes: Sequence[Answer | ExoError]) -> bool:
    """Whether the outcomes of a batch say that more of them would be in vain."""
    return any(isinstance(outcome, _FATAL) for outcome in outcomes) or all(
        isinstance(outcome, (Throttled, ServiceUnavailable)) for outcome in outcomes
    )


def _about(command: Command) -> str:
    return f"{command.name} for {command.subject}" if command.subject else command.name


def _json(response: Response) -> t.Any:
    """The decoded body, or its text where it is no JSON."""
    try:
        return json.loads(response.body) if response.body else None
    except (ValueError, RecursionError):
        return response.body[:4000].decode("utf-8", errors="replace")


def _answer(command: Command, status: int, headers: Mapping[str, t.Any], body: t.Any) -> Answer:
    """A success as an Answer; raises where it hides an error or is no answer of this service."""
    if body is None and not command.reads:
        return Answer()  # a setter returns nothing
    if not isinstance(body, dict):
        html = isinstance(body, str) and body.lstrip()[:100].lower().startswith(("<!doctype", "<html"))
        raise UnexpectedResponse(
            f"{_about(command)} was answered with {'an HTML page' if html else 'something that is no JSON object'}.",
            cmdlet=command.name,
            http_status=status,
            hint=_errors.PROXY_HINT,
            transient=not html,
            maybe_done=True,
        )
    handled = body.get("@adminapi.errors")
    if handled:
        text = "; ".join(str(message) for message in handled) if isinstance(handled, list) else str(handled)
        error = _errors.failure(
            command.name,
            400,
            headers,
            {"error": {"details": [{"message": text}]}},
            subject=command.subject,
            shown_status=status,
        )
        error.maybe_done = True  # it came with a success, so it is no word on what was done before
        raise error
    value = body.get("value")
    rows = value if isinstance(value, list) else [] if value is None and not command.reads else None
    link = body.get("@odata.nextLink")
    if rows is None or not all(isinstance(row, dict) for row in rows) or not isinstance(link, (str, type(None))):
        raise UnexpectedResponse(
            f"{_about(command)} was answered without a list of objects.",
            cmdlet=command.name,
            http_status=status,
            maybe_done=True,
            hint="The service may have changed: look for a newer version of this collection.",
        )
    warnings = body.get("@adminapi.warnings")
    texts = tuple(str(text) for text in warnings) if isinstance(warnings, list) else ()
    return Answer(tuple(rows), tuple(text for text in texts if _NOTHING_MODIFIED not in text), link)
