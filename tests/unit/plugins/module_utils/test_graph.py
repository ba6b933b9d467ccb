# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading Microsoft Graph: pages, paces, refusals, what is tried again, and that nothing is ever written."""

from __future__ import annotations

import datetime
import json
import re
import typing as t
from collections import deque
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _errors as e
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Token
from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import what_if_request
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph, NoLicence, Pace, Read
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Response

ENDPOINT = "https://graph.microsoft.com"
TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
USER = "5e550000-0000-4000-8000-000000000001"
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
DEFAULTS = "policies/identitySecurityDefaultsEnforcementPolicy"


class Sent(t.NamedTuple):
    method: str
    url: str
    token: str
    body: t.Any = None

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}


class Service:
    """Answers request by request as the test says, and fails on a request more than that. Time passes in sleeps."""

    def __init__(self, *answers: Response) -> None:
        self.answers = deque(answers)
        self.sent: list[Sent] = []
        self.now = 100.0
        self.slept: list[float] = []
        self.renewals: list[str | None] = []
        self.token = Token("token-1", TENANT, 4e9)

    def get(self, *args: t.Any) -> t.Any:
        """A GET as the transport's, or the token as the source's: the two never have the same arguments."""
        if not args:
            return self.token
        url, headers = args
        return self._answer(Sent("GET", url, headers["Authorization"]))

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        return self._answer(Sent("POST", url, headers["Authorization"], json.loads(body)))

    def renew(self, rejected: Token, claims: str | None) -> Token:
        self.renewals.append(claims)
        self.token = Token(f"token-{len(self.renewals) + 1}", TENANT, 4e9)
        return self.token

    def _answer(self, sent: Sent) -> Response:
        self.sent.append(sent)
        assert self.answers, f"an unexpected request: {sent.url}"
        return self.answers.popleft()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def graph(self, retries: int = 5) -> Graph:
        source = t.cast(t.Any, self)
        return Graph(source, source, ENDPOINT, retries=retries, sleep=self.sleep, clock=lambda: self.now)


def ok(*rows: t.Any, link: t.Any = None, **body: t.Any) -> Response:
    content = {"value": list(rows), **({} if link is None else {"@odata.nextLink": link}), **body}
    return Response(200, {}, json.dumps(content).encode())


def refused(status: int, code: str = "", text: str = "", **headers: str) -> Response:
    body = {"error": {"code": code, "message": text, "innerError": {}}}
    return Response(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode()
    )


def page(number: int) -> str:
    return f"{ENDPOINT}/v1.0/identity/conditionalAccess/policies?$skiptoken={number}"


def test_a_list_is_read_to_its_end() -> None:
    service = Service(ok({"id": 1}, link=page(2)), ok({"id": 2}, link=page(3)), ok({"id": 3}))
    assert [row["id"] for row in service.graph().conditional_access()] == [1, 2, 3]
    assert [sent.url for sent in service.sent[1:]] == [page(2), page(3)]


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1.0/x",
        "http://graph.microsoft.com/v1.0/x",
        "https://graph.microsoft.com:444/v1.0/x",
        "https://graph.microsoft.com:x/v1.0/x",
        "/v1.0/x",
        7,
    ],
)
def test_the_token_is_shown_to_no_other_host(link: t.Any) -> None:
    service = Service(ok(link=link))
    with pytest.raises(e.IncompleteRead, match="another host"):
        service.graph().conditional_access()
    assert len(service.sent) == 1


def test_a_link_that_comes_twice_is_the_end_of_no_list() -> None:
    with pytest.raises(e.IncompleteRead, match="twice"):
        Service(ok(link=page(2)), ok(link=page(2))).graph().conditional_access()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"value": {}}', b'{"value": null}', b"[" * 100_000])
def test_an_answer_that_is_no_list(body: bytes) -> None:
    with pytest.raises(e.UnexpectedResponse):
        Service(Response(200, {}, body)).graph(retries=0).conditional_access()


@pytest.mark.parametrize("enabled", [True, False])
def test_security_defaults(enabled: bool) -> None:
    service = Service(Response(200, {}, json.dumps({"isEnabled": enabled}).encode()))
    assert service.graph().security_defaults() is enabled
    assert service.sent[0].url == f"{ENDPOINT}/v1.0/{DEFAULTS}"


@pytest.mark.parametrize("body", [b"{}", b'{"isEnabled": null}', b'{"isEnabled": "true"}', b"[]"])
def test_security_defaults_that_are_not_said(body: bytes) -> None:
    with pytest.raises(e.UnexpectedResponse):
        Service(Response(200, {}, body)).graph().security_defaults()


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (refused(403, "Authorization_RequestDenied", "Insufficient privileges"), e.AccessDenied, "Insufficient"),
        (refused(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Neither tenant"), NoLicence, "Neither"),
        (refused(404, "ResourceNotFound", "gone"), e.NotFound, "gone"),
        (refused(400, "BadRequest", "Resource not found for the segment 'evaluate'."), e.NotFound, "segment"),
        (refused(400, "BadRequest", "Invalid filter clause"), e.InvalidRequest, "Invalid filter"),
        (refused(401, "InvalidAuthenticationToken", "expired"), e.AuthenticationFailed, "expired"),
        (refused(429, "TooManyRequests", ""), e.Throttled, "TooManyRequests"),
        (refused(504), e.ServiceUnavailable, "no reason given"),
        (Response(302, {"Location": "https://elsewhere.example"}, b""), e.UnexpectedResponse, "302"),
        (Response(503, {}, b"<html>"), e.ServiceUnavailable, "503"),
        (Response(403, {}, b'{"error": "text"}'), e.AccessDenied, "403"),
    ],
)
def test_what_a_refusal_means(answer: Response, error: type[e.ExoError], text: str) -> None:
    with pytest.raises(error, match=text) as raised:
        Service(answer, answer).graph(retries=0).security_defaults()
    assert raised.value.__class__ is error


def test_a_denial_names_the_permission() -> None:
    with pytest.raises(e.AccessDenied) as raised:
        Service(refused(403)).graph().security_defaults()
    assert "Policy.Read.All" in raised.value.hint


def test_throttling_is_waited_for_as_asked_and_without_an_answer_by_doubling() -> None:
    service = Service(
        refused(429, Retry_After="7"), refused(429), refused(503), Response(200, {}, b'{"isEnabled": true}')
    )
    graph = service.graph()
    assert graph.security_defaults() is True
    assert service.slept == [7.0, 4.0, 8.0]
    assert len(graph.retried) == 3


def test_a_rejected_token_is_renewed_once() -> None:
    challenge = 'Bearer claims="eyJhIjoxfQ=="'
    service = Service(refused(401, WWW_Authenticate=challenge), Response(200, {}, b'{"isEnabled": true}'))
    assert service.graph().security_defaults() is True
    assert service.renewals == ['{"a":1}']
    assert [sent.token for sent in service.sent] == ["Bearer token-1", "Bearer token-2"]
    with pytest.raises(e.AuthenticationFailed):
        Service(refused(401), refused(401)).graph().security_defaults()


def test_conditional_access_is_asked_once_a_second() -> None:
    service = Service(*[ok(link=page(number)) for number in range(2, 5)], ok(), ok())
    graph = service.graph()
    graph.conditional_access()
    graph.what_if(what_if_request(USER, None))
    assert len(service.slept) == 4
    assert service.now - 100 >= 4


def test_the_log_is_asked_five_times_in_ten_seconds() -> None:
    service = Service(*[ok() for _number in range(11)])
    graph = service.graph()
    for _number in range(11):
        list(graph.sign_ins("SMTP", "interactiveUser", NOW - DAY, NOW))
    assert len(service.slept) == 2
    assert service.now - 100 >= 20


def test_who_is_not_early_does_not_wait() -> None:
    times = iter([0.0, 20.0, 21.0])
    slept: list[float] = []
    pace = Pace(1, 10.0, lambda: next(times), slept.append)
    pace.wait()
    pace.wait()
    assert slept == []


def test_the_question_for_sign_ins_names_client_stream_and_time() -> None:
    service = Service(ok({"id": "1"}))
    rows = list(service.graph().sign_ins("Authenticated SMTP", "nonInteractiveUser", NOW - 30 * DAY, NOW))
    assert rows == [{"id": "1"}]
    assert service.sent[0].url.startswith(f"{ENDPOINT}/beta/auditLogs/signIns?")
    assert service.sent[0].query == {
        "$filter": "createdDateTime ge 2026-10-27T12:00:00Z and createdDateTime lt 2026-11-26T12:00:00Z"
        " and clientAppUsed eq 'Authenticated SMTP' and signInEventTypes/any(t: t eq 'nonInteractiveUser')",
        "$top": "1000",
    }


def test_a_range_that_is_too_long_is_halved_down_to_days() -> None:
    service = Service(refused(504), refused(504), ok({"id": "c"}), ok({"id": "b"}), ok({"id": "a"}))
    rows = list(service.graph().sign_ins("SMTP", "interactiveUser", NOW - 4 * DAY, NOW))
    assert [row["id"] for row in rows] == ["c", "b", "a"]
    asked = [re.findall(r"2026-11-(\d\d)T", sent.query["$filter"]) for sent in service.sent]
    assert asked == [["22", "26"], ["24", "26"], ["25", "26"], ["24", "25"], ["22", "24"]]


def test_a_single_day_that_times_out_is_tried_again_and_then_fails() -> None:
    service = Service(refused(504), refused(504))
    with pytest.raises(e.ServiceUnavailable):
        list(service.graph(retries=1).sign_ins("SMTP", "interactiveUser", NOW - DAY, NOW))
    assert len(service.sent) == 2


def test_what_if_falls_back_to_beta_where_v1_has_it_not_and_stays_there() -> None:
    missing = refused(400, "BadRequest", "Resource not found for the segment 'evaluate'.")
    service = Service(missing, ok({"id": "a"}), ok({"id": "b"}))
    graph = service.graph()
    assert graph.what_if(what_if_request(USER, "203.0.113.10")) == [{"id": "a"}]
    assert graph.what_if(what_if_request(USER, None)) == [{"id": "b"}]
    assert [sent.url.split("/")[3] for sent in service.sent] == ["v1.0", "beta", "beta"]
    assert {sent.method for sent in service.sent} == {"POST"}
    with pytest.raises(e.NotFound):
        Service(missing, missing).graph().what_if(what_if_request(USER, None))


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_whatever_could_write_is_refused_before_it_is_sent(method: str) -> None:
    service = Service()
    with pytest.raises(e.Refused, match="only read"):
        service.graph()._exchange(Read("v1.0/users", "", method=method), f"{ENDPOINT}/v1.0/users")
    assert service.sent == []


def test_disabled_accounts() -> None:
    service = Service(ok({"id": USER.upper()}, link=f"{ENDPOINT}/v1.0/users?x"), ok({"id": "b"}))
    assert service.graph().disabled_accounts() == {USER, "b"}
    assert service.sent[0].query == {"$filter": "accountEnabled eq false", "$select": "id", "$top": "999"}


def test_customers_of_a_partner() -> None:
    service = Service(ok({"id": 1}), ok({"id": 2}))
    graph = service.graph()
    assert (graph.relationships(), graph.contracts()) == ([{"id": 1}], [{"id": 2}])
    assert [urlsplit(sent.url).path for sent in service.sent] == [
        "/v1.0/tenantRelationships/delegatedAdminRelationships",
        "/v1.0/contracts",
    ]
    assert [sent.query for sent in service.sent] == [{"$filter": "status eq 'active'", "$top": "300"}, {"$top": "999"}]


@pytest.mark.parametrize(
    ("read", "permission"),
    [(Graph.relationships, "DelegatedAdminRelationship.Read.All"), (Graph.contracts, "Directory.Read.All")],
)
def test_customers_need_a_permission_that_the_refusal_names(read: t.Any, permission: str) -> None:
    with pytest.raises(e.AccessDenied) as found:
        read(Service(refused(403, "Authorization_RequestDenied", "Insufficient privileges.")).graph())
    assert permission in str(found.value.hint)


@pytest.mark.parametrize(("rows", "expected"), [([], False), ([{"id": "1"}], True)])
def test_whether_the_log_holds_anything(rows: list[t.Any], expected: bool) -> None:
    service = Service(ok(*rows, link=f"{ENDPOINT}/beta/x") if rows else ok())
    assert service.graph().any_sign_in(NOW - DAY, NOW) is expected
    assert len(service.sent) == 1
