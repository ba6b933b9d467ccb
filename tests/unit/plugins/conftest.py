# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins for what the collection talks to. They are strict: what was not expected fails the test."""

from __future__ import annotations

import base64
import datetime
import io
import json
import threading
import time
import typing as t
from collections import deque
from collections.abc import Callable, Iterator, Mapping

import pytest
import requests
import urllib3

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Token
from ansible_collections.m365.exchange_online.plugins.module_utils._client import FATAL, Answer, Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import CLOUDS
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    Ambiguous,
    ExoError,
    Interrupted,
    NotFound,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Response
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Pacer
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    ORGANIZATION_CONFIG,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import UndoParts

TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
ENDPOINT = "https://outlook.office365.com"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests reaches them."""
    import os

    for name in os.environ:
        if name.startswith(("EXO_", "AZURE_", "M365_EXO_")) or name.lower() in (
            "http_proxy",
            "https_proxy",
            "no_proxy",
        ):
            monkeypatch.delenv(name)


class Clock:
    """A time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class _Condition(threading.Condition):
    """A condition whose timed waits take no real time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait(5)
        self._clock.sleep(timeout)
        return False


class Sent(t.NamedTuple):
    url: str
    headers: dict[str, str]
    body: dict[str, t.Any]


Step = Response | Exception | Callable[[Sent], Response]


class ScriptedHttp:
    """Answers request by request as the test says, and fails on a request more than that."""

    def __init__(self) -> None:
        self.steps: deque[Step] = deque()
        self.sent: list[Sent] = []
        self._lock = threading.Lock()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        with self._lock:
            sent = Sent(url, dict(headers), json.loads(body))
            self.sent.append(sent)
            assert self.steps, f"an unexpected request: {sent.url} {sent.body}"
            step = self.steps.popleft()
        if isinstance(step, Exception):
            raise step
        return step(sent) if callable(step) else step


class ScriptedTokens:
    """A token source that counts how often a token was rejected."""

    def __init__(self) -> None:
        self.token = Token("token-1", TENANT, 4e9)
        self.renewals: list[tuple[str, str | None]] = []

    def get(self) -> Token:
        return self.token

    def renew(self, rejected: Token, claims: str | None) -> Token:
        self.renewals.append((rejected.value, claims))
        self.token = Token(f"token-{len(self.renewals) + 1}", TENANT, 4e9)
        return self.token


class Rig:
    """A client with everything around it scripted."""

    def __init__(self) -> None:
        self.transport = ScriptedHttp()
        self.tokens = ScriptedTokens()
        self.clock = Clock()

    def client(self, **options: t.Any) -> Client:
        settings: dict[str, t.Any] = {
            "read_only": False,
            "retries": 5,
            "concurrency": 1,
            "cloud": "worldwide",
            "endpoint": ENDPOINT,
            "alive": lambda: True,
        }
        settings.update(options)
        client = Client(
            t.cast(t.Any, self.transport),
            t.cast(t.Any, self.tokens),
            CLOUDS[settings["cloud"]],
            settings["endpoint"],
            sleep=self.clock.sleep,
            read_only=settings["read_only"],
            retries=settings["retries"],
            concurrency=settings["concurrency"],
            alive=settings["alive"],
        )
        pacer = Pacer(settings["concurrency"], self.clock)
        pacer._changed = _Condition(self.clock)
        client._pacer = pacer
        return client

    def script(self, *steps: Step) -> None:
        self.transport.steps.extend(steps)

    @property
    def sent(self) -> list[Sent]:
        return self.transport.sent


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    assert not made.transport.steps, "requests that were expected were not sent"


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _answer(status: int = 200, body: t.Any = None, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, _content(body))


def _content(body: t.Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return b"" if body is None else json.dumps(body).encode()


@pytest.fixture
def answer() -> Callable[..., Response]:
    """An answer of the service: status, body (bytes as they are), headers."""
    return _answer


@pytest.fixture
def rows() -> Callable[..., Response]:
    """A successful answer with these objects."""
    return lambda *objects, **more: _answer(200, {"@adminapi.warnings": [], "value": list(objects), **more})


@pytest.fixture
def failed() -> Callable[..., dict[str, t.Any]]:
    """An error envelope in the pipe form."""

    def make(kind: str, text: str, code: str = "BadRequest") -> dict[str, t.Any]:
        message = f"Ex6F9304|{kind}|{text}"
        return {"error": {"code": code, "message": "Error executing cmdlet", "details": [{"message": message}]}}

    return make


def _jwt(**claims: t.Any) -> str:
    def part(content: Mapping[str, t.Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'RS256'})}.{part({'tid': TENANT, 'exp': time.time() + 3600, **claims})}.c2ln"


@pytest.fixture
def jwt() -> Callable[..., str]:
    """A token with these claims beside tid and exp."""
    return _jwt


class ScriptedAdapter(requests.adapters.HTTPAdapter):
    """What requests would send over the network, answered by a function of the test."""

    def __init__(self, respond: Callable[[requests.PreparedRequest], tuple[int, dict[str, str], bytes]]) -> None:
        super().__init__()
        self.respond = respond
        self.sent: list[tuple[requests.PreparedRequest, dict[str, t.Any]]] = []

    def send(self, request: requests.PreparedRequest, *args: t.Any, **kwargs: t.Any) -> requests.Response:
        names = ("stream", "timeout", "verify", "cert", "proxies")
        self.sent.append((request, {**dict(zip(names, args, strict=False)), **kwargs}))
        status, headers, body = self.respond(request)
        raw = urllib3.HTTPResponse(io.BytesIO(body), headers=headers, status=status, preload_content=False)
        return self.build_response(request, raw)


@pytest.fixture
def adapter() -> type[ScriptedAdapter]:
    return ScriptedAdapter


def _guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


@pytest.fixture
def guid() -> Callable[[int], str]:
    return _guid


_NULL_KINDS = {
    "Tristate": None,
    "Text": None,
    "Language": None,
    "Policy": None,
    "PolicyReference": None,
    "Address": None,
    "Domain": None,
}
_CAS_DEFAULTS: dict[str, t.Any] = {
    "ActiveSyncMailboxPolicy": "Default",
    "ActiveSyncMailboxPolicyIsDefaulted": True,
    "OwaMailboxPolicy": "OwaMailboxPolicy-Default",
    "ActiveSyncAllowedDeviceIDs": [],
    "ActiveSyncBlockedDeviceIDs": [],
    "EwsAllowList": None,
    "EwsBlockList": None,
    "EwsApplicationAccessPolicy": None,
    "ImapMessagesRetrievalMimeFormat": "BestBodyFormat",
    "PopMessagesRetrievalMimeFormat": "BestBodyFormat",
    "ImapUseProtocolDefaults": True,
    "PopUseProtocolDefaults": True,
}
_TRANSPORT_DEFAULTS: dict[str, t.Any] = {
    "DSNConversionMode": "PreserveDSNBody",
    "HeaderPromotionModeSetting": "NoCreate",
    "JournalMessageExpirationDays": 0,
    "JournalingReportNdrTo": "<>",
    "MaxRecipientEnvelopeLimit": "Unlimited",
    "MessageExpiration": "1.00:00:00",
    "ReplyAllStormBlockDurationHours": 6,
    "ReplyAllStormDetectionMinimumRecipients": 2500,
    "ReplyAllStormDetectionMinimumReplies": 10,
    "SmtpClientAuthenticationDisabled": True,
}


def _wire(table: t.Any, defaults: Mapping[str, t.Any], changed: Mapping[str, t.Any]) -> dict[str, t.Any]:
    plain = {one.remote: _NULL_KINDS.get(type(one.kind).__name__, False) for one in table.properties}
    return {**plain, **defaults, **changed}


@pytest.fixture
def cas_wire() -> Callable[..., dict[str, t.Any]]:
    """A mailbox nobody touched, as the service sends its settings, but for these properties."""
    return lambda **changed: _wire(CAS_MAILBOX, _CAS_DEFAULTS, changed)


@pytest.fixture
def transport_wire() -> Callable[..., dict[str, t.Any]]:
    """The transport settings nobody touched, but for these properties."""
    return lambda **changed: _wire(TRANSPORT_CONFIG, _TRANSPORT_DEFAULTS, changed)


_ORGANIZATION_DEFAULTS: dict[str, t.Any] = {
    "ActivityBasedAuthenticationTimeoutInterval": "06:00:00",
    "EwsAllowList": [],
    "EwsAllowedAppIDs": "",
    "EwsApplicationAccessPolicy": None,
    "EwsBlockList": [],
    "MailTipsLargeAudienceThreshold": 25,
}


@pytest.fixture
def organization_wire() -> Callable[..., dict[str, t.Any]]:
    """The organization's configuration nobody touched, but for these properties."""
    return lambda **changed: _wire(ORGANIZATION_CONFIG, _ORGANIZATION_DEFAULTS, changed)


@pytest.fixture
def mailbox(cas_wire: Callable[..., dict[str, t.Any]]) -> Callable[..., Record]:
    """A mailbox with a number for its GUID, and these properties."""

    def make(number: int = 1, address: str = "", **changed: t.Any) -> Record:
        address = address or f"user{number}@contoso.com"
        target = Target(CAS_MAILBOX, _guid(number), address, address, f"User {number}")
        return Record(target, cas_wire(**changed))

    return make


def _get_or_set(one: dict[str, t.Any], command: Command) -> Answer:
    if command.name.startswith("Set-"):
        one.update({key: value for key, value in command.parameters.items() if key != "Identity"})
        return Answer()
    return Answer((dict(one),))


class TenantClient:
    """A client in front of a tenant that is held in memory.

    before: asked of every cmdlet that it is about to run; an error that it returns is the answer. after: the same once
    the cmdlet was run, so what it returns is an answer that was lost. ``ran``: every cmdlet in turn.
    """

    concurrency = 4
    clock_ahead = datetime.timedelta(0)
    tenant_id = TENANT

    def __init__(
        self, transport: dict[str, t.Any], boxes: list[dict[str, t.Any]], organization: dict[str, t.Any] | None = None
    ) -> None:
        self.single = {"TransportConfig": transport, "OrganizationConfig": organization or {}}
        self.boxes = {box["Guid"]: box for box in boxes}
        self._by_address = {box["PrimarySmtpAddress"].lower(): box for box in boxes}
        self.users: list[dict[str, t.Any]] = []
        self.policies: list[dict[str, t.Any]] = []
        self.plans: list[dict[str, t.Any]] = []
        self.ran: list[Command] = []
        self.warnings: list[str] = []
        self.alive = True
        self.before: Callable[[Command], ExoError | None] = lambda command: None
        self.after: Callable[[Command], ExoError | None] = lambda command: None

    @property
    def transport(self) -> dict[str, t.Any]:
        return self.single["TransportConfig"]

    @property
    def writes(self) -> list[Command]:
        return [command for command in self.ran if not command.reads]

    @property
    def written(self) -> list[tuple[str, t.Any]]:
        """Whom each write was about, and the new values."""
        return [
            (command.subject, {key: value for key, value in command.parameters.items() if key != "Identity"})
            for command in self.writes
        ]

    def check_alive(self) -> None:
        if not self.alive:
            raise Interrupted("The run that started this task has ended, so nothing more is written.")

    def invoke(self, command: Command) -> Answer:
        if not command.reads:
            self.check_alive()
        self.ran.append(command)
        error = self.before(command)
        if error is None:
            answer = self._run(command)
            error = self.after(command)
        if error is not None:
            raise error
        return answer

    def _run(self, command: Command) -> Answer:
        noun = command.name.partition("-")[2]
        if noun in self.single:
            return _get_or_set(self.single[noun], command)
        if noun == "CASMailbox":
            return _get_or_set(self._mailbox(command.parameters["Identity"]), command)
        if command.name == "Get-User":
            named = command.parameters.get("Identity")
            return Answer(tuple(user for user in self.users if named in (None, user["Guid"])))
        several = {"Set-User": self.users, "Set-AuthenticationPolicy": self.policies}[command.name]
        (one,) = [one for one in several if one["Guid"] == command.parameters["Identity"]]
        return _get_or_set(one, command)

    def _mailbox(self, name: str) -> dict[str, t.Any]:
        found = list(self._candidates(name))
        if not found:
            raise NotFound(f"no {name}")
        if len(found) > 1:
            raise Ambiguous(f"two of {name}")
        return found[0]

    def pages(self, command: Command, most: int | None = None) -> Iterator[Answer]:
        self.ran.append(command)
        error = self.before(command)
        if error is not None:
            raise error
        lists = {
            "Get-CASMailbox": self.boxes.values(),
            "Get-AuthenticationPolicy": self.policies,
            "Get-CASMailboxPlan": self.plans,
            "Get-User": self.users,
        }
        every = [dict(one) for one in lists[command.name]]
        for number, start in enumerate(range(0, len(every) or 1, 1000), start=1):
            yield Answer(tuple(every[start : start + 1000]))
            if number == most:
                return

    def batch(self, commands: list[Command]) -> Iterator[tuple[int, t.Any]]:
        """Each in turn; after a failure that would hit all others, nothing more, as the real one."""
        for index, command in enumerate(commands):
            try:
                yield index, self.invoke(command)
            except FATAL as error:
                yield index, error
                return
            except ExoError as error:
                yield index, error

    def _candidates(self, name: str) -> Iterator[dict[str, t.Any]]:
        if name in self.boxes:
            yield self.boxes[name]
            return
        if len(self.boxes) > 1000:  # looked through once for each name this would take minutes
            if name.lower() in self._by_address:
                yield self._by_address[name.lower()]
            return
        names = ("PrimarySmtpAddress", "Alias", "UserPrincipalName")
        for box in self.boxes.values():
            if any(str(box.get(key, "")).lower() == name.lower() for key in names):
                yield box


@pytest.fixture
def tenant(
    cas_wire: Callable[..., dict[str, t.Any]],
    transport_wire: Callable[..., dict[str, t.Any]],
    organization_wire: Callable[..., dict[str, t.Any]],
) -> Callable[..., TenantClient]:
    """A tenant: how many mailboxes, what each has, and what the organization has."""

    def make(
        count: int,
        box: Mapping[str, t.Any] | None = None,
        organization: Mapping[str, t.Any] | None = None,
        address: str = "user{}@contoso.com",
        config: Mapping[str, t.Any] | None = None,
    ) -> TenantClient:
        boxes = [
            {
                **cas_wire(**(box or {})),
                "Guid": _guid(number),
                "PrimarySmtpAddress": address.format(number),
                "DisplayName": f"User {number}",
            }
            for number in range(1, count + 1)
        ]
        return TenantClient(transport_wire(**(organization or {})), boxes, organization_wire(**(config or {})))

    return make


class Ran(t.NamedTuple):
    """What a task returned, or failed with, and its warnings."""

    result: dict[str, t.Any]
    warnings: list[str]
    error: ExoError | None

    @property
    def failure(self) -> ExoError:
        assert self.error is not None, "the task did not fail"
        return self.error


@pytest.fixture
def run() -> Callable[..., Ran]:
    """Runs a task in a tenant: the task, its argument spec, the client and the options that are given."""

    def make(
        function: Callable[[Task], dict[str, t.Any]],
        spec: Mapping[str, t.Any],
        client: t.Any,
        *,
        check_mode: bool = False,
        undo_parts: UndoParts | None = None,
        **given: t.Any,
    ) -> Ran:
        plain: dict[str, t.Any] = {name: option.get("default") for name, option in spec.items()}
        assert set(given) <= set(spec), f"unknown options: {set(given) - set(spec)}"
        warnings: list[str] = []
        task = Task(
            {**plain, **given}, check_mode, warnings.append, lambda: client, tenant="contoso.com", module="exo_test",
            undo_parts=undo_parts,
        )  # fmt: skip
        try:
            return Ran(function(task), warnings, None)
        except ExoError as error:
            return Ran(dict(error.result), warnings, error)

    return make
