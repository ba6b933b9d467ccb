# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client: what it sends, what it sends again, and what it does not believe."""

from __future__ import annotations

import base64
import datetime
import itertools
import threading
import time
import typing as t
from collections.abc import Callable
from dataclasses import replace

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Answer, Command, ahead_of
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    Interrupted,
    InvalidRequest,
    NotFound,
    Refused,
    ServiceUnavailable,
    Throttled,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Response
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Pacer

TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
BASE = f"https://outlook.office365.com/adminapi/beta/{TENANT}"
ANCHOR = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
GET, SET = Command("Get-TransportConfig"), Command("Set-TransportConfig", {"ClearCategories": True})
ALL = Command("Get-CASMailbox", {"ResultSize": "Unlimited"}, ("Guid", "PopEnabled"))
Make = Callable[..., t.Any]


def named(*numbers: int) -> list[Command]:
    return [
        Command(
            "Set-CASMailbox", {"Identity": f"g{n}", "PopEnabled": False}, subject=f"u{n}", anchor=f"u{n}@contoso.com"
        )
        for n in numbers
    ]


# One request


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Thu, 26 Nov 2026 11:50:00 GMT", 600),
        ("Thu, 26 Nov 2026 13:00:00 +0100", 0),
        ("Thu, 26 Nov 2026 12:10:00 GMT", 0),
        ("Thu, 26 Nov 2026 11:50:00", 0),
        ("yesterday", 0),
        (None, 0),
    ],
)
def test_how_far_a_clock_is_ahead(date: str | None, seconds: int) -> None:
    now = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
    assert ahead_of({"Date": date} if date else {}, now).total_seconds() == seconds


def test_a_client_knows_how_far_its_clock_is_ahead(rig: Make, rows: Make) -> None:
    answer = rows({"ClearCategories": True})
    rig.script(replace(answer, headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}))
    client = rig.client()
    client.invoke(GET)
    assert client.clock_ahead > datetime.timedelta(days=300)


def test_a_request(rig: Make, rows: Make) -> None:
    rig.script(rows({"ClearCategories": True}))
    answer = rig.client().invoke(Command("Get-TransportConfig", select=("Guid", "ClearCategories")))
    assert answer.objects == ({"ClearCategories": True},)
    (sent,) = rig.sent
    assert sent.url == f"{BASE}/InvokeCommand?$select=Guid,ClearCategories"
    assert sent.body == {"CmdletInput": {"CmdletName": "Get-TransportConfig", "Parameters": {}}}
    expected = {
        "Authorization": "Bearer token-1",
        "Accept": "application/json",
        "Accept-Language": "en-US",
        "X-AnchorMailbox": ANCHOR,
        "Prefer": "odata.maxpagesize=1000",
    }
    assert {name: sent.headers[name] for name in expected} == expected
    assert sent.headers["Content-Type"].startswith("application/json")
    assert "X-ResponseFormat" not in sent.headers
    assert "parameter-based-routing" not in sent.headers


def test_null_is_sent(rig: Make, answer: Make) -> None:
    rig.script(answer(200, {"value": []}))
    rig.client().invoke(Command("Set-CASMailbox", {"Identity": "g1", "SmtpClientAuthenticationDisabled": None}))
    assert rig.sent[0].body["CmdletInput"]["Parameters"] == {"Identity": "g1", "SmtpClientAuthenticationDisabled": None}


@pytest.mark.parametrize(("status", "body"), [(200, {"value": []}), (200, {"value": None}), (204, None), (200, None)])
def test_a_setter_returns_nothing(status: int, body: t.Any, rig: Make, answer: Make) -> None:
    rig.script(answer(status, body))
    assert rig.client().invoke(SET) == Answer()


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b'"text"', b"<html><body>Sign in</body></html>"),
        *({}, {"value": None}, {"value": [1]}, {"value": {}}, {"value": [], "@odata.nextLink": 7}),
    ],
)
def test_what_is_no_answer_to_a_read(body: t.Any, rig: Make, answer: Make) -> None:
    rig.script(answer(200, body))
    with pytest.raises(UnexpectedResponse):
        rig.client(retries=0).invoke(GET)


def test_an_error_inside_a_success(rig: Make, answer: Make) -> None:
    text = "Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|It couldn't be found."
    rig.script(answer(200, {"@adminapi.errors": [text], "value": []}))
    with pytest.raises(NotFound, match="couldn't be found"):
        rig.client().invoke(Command("Set-CASMailbox", {"Identity": "g1"}))


def test_warnings_without_the_one_about_nothing(rig: Make, answer: Make) -> None:
    nothing = "The command completed successfully but no settings of 'x' have been modified."
    rig.script(answer(200, {"value": [], "@adminapi.warnings": [nothing, "Another."]}))
    assert rig.client().invoke(SET).warnings == ("Another.",)


# Retries


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_how_often_and_how_long(status: int, rig: Make, answer: Make) -> None:
    rig.script(*[answer(status)] * 6)
    with pytest.raises((Throttled, ServiceUnavailable)) as caught:
        rig.client().invoke(GET)
    assert rig.clock.slept == [2.0, 4.0, 8.0, 16.0, 32.0]
    assert "6 times" in str(caught.value)
    assert len({sent.headers["client-request-id"] for sent in rig.sent}) == 1


@pytest.mark.parametrize(
    ("wait", "slept"), [("0", [0.0]), ("7", [7.0]), ("2.5", [2.5]), ("soon", [2.0]), ("-3", [2.0]), ("120", [120.0])]
)
def test_as_long_as_the_service_asks(wait: str, slept: list[float], rig: Make, answer: Make, rows: Make) -> None:
    rig.script(answer(429, None, Retry_After=wait), rows({}))
    client = rig.client()
    assert client.invoke(GET).objects == ({},)
    assert rig.clock.slept == slept
    assert len(client.retried) == 1


@pytest.mark.parametrize("wait", ["300", "3600"])
def test_not_for_ever(wait: str, rig: Make, answer: Make) -> None:
    rig.script(answer(429, None, Retry_After=wait))
    with pytest.raises(Throttled, match=wait):
        rig.client().invoke(GET)
    assert rig.clock.slept == []


def test_many_long_waits_end_too(rig: Make, answer: Make) -> None:
    rig.script(*[answer(429, None, Retry_After="110")] * 6)
    with pytest.raises(Throttled):
        rig.client(retries=50).invoke(GET)
    assert sum(rig.clock.slept) <= 600


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_tries_after_the_first(retries: int, rig: Make, answer: Make) -> None:
    rig.script(*[answer(503)] * (retries + 1))
    with pytest.raises(ServiceUnavailable):
        rig.client(retries=retries).invoke(GET)
    assert len(rig.sent) == retries + 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 418])
def test_not_tried_again(status: int, rig: Make, answer: Make) -> None:
    rig.script(answer(status))
    with pytest.raises(ExoError):
        rig.client().invoke(GET)


@pytest.mark.parametrize("kind", ["DCOverloadedException", "SuitabilityDirectoryException", "ServerBusyException"])
def test_passing_trouble_behind_a_bad_request(kind: str, rig: Make, answer: Make, failed: Make, rows: Make) -> None:
    rig.script(answer(400, failed(f"Microsoft.Exchange.{kind}", "Busy")), rows({}))
    assert rig.client().invoke(GET).objects == ({},)


def test_a_broken_connection_is_tried_again(rig: Make, rows: Make) -> None:
    rig.script(ServiceUnavailable("lost", retryable=True, in_doubt=True), rows({}))
    assert rig.client().invoke(GET).objects == ({},)
    assert rig.clock.slept == [2.0]


def test_no_trust_no_second_try(rig: Make) -> None:
    rig.script(ServiceUnavailable("not trusted"))
    with pytest.raises(ServiceUnavailable):
        rig.client().invoke(GET)


@pytest.mark.parametrize(
    ("steps", "maybe"), [([503, 503], True), ([429, 429], False), ([504, 429], True), ([400], False)]
)
def test_whether_a_write_may_have_been_done(steps: list[int], maybe: bool, rig: Make, answer: Make) -> None:
    rig.script(*[answer(status) for status in steps])
    client = rig.client(retries=len(steps) - 1)
    with pytest.raises(ExoError) as caught:
        client.invoke(SET)
    assert caught.value.in_doubt is maybe


# A rejected token


def test_a_rejected_token_is_renewed_once_with_its_claims(rig: Make, answer: Make, rows: Make) -> None:
    claims = base64.b64encode(b'{"a":1}').decode()
    rig.script(answer(401, None, WWW_Authenticate=f'Bearer claims="{claims}"'), rows({}))
    assert rig.client(retries=0).invoke(GET).objects == ({},)
    assert rig.tokens.renewals == [("token-1", '{"a":1}')]
    assert [sent.headers["Authorization"] for sent in rig.sent] == ["Bearer token-1", "Bearer token-2"]
    assert rig.clock.slept == []


def test_a_token_rejected_twice(rig: Make, answer: Make) -> None:
    rig.script(answer(401), answer(401))
    with pytest.raises(AuthenticationFailed):
        rig.client().invoke(GET)
    assert rig.tokens.renewals == [("token-1", None)]


# Pages


def link(token: str) -> str:
    return f"{BASE}/InvokeCommand?%24select=Guid&%24skiptoken={token}"


def test_every_page_is_asked_for_like_the_first(rig: Make, rows: Make) -> None:
    more = "There are more results available than are currently displayed."
    rig.script(
        rows({"Guid": 1}, **{"@odata.nextLink": link("a"), "@adminapi.warnings": [more]}),
        rows({"Guid": 2}, **{"@odata.nextLink": link("b")}),
        rows(),
    )
    rows_of_all = itertools.chain.from_iterable(page.objects for page in rig.client().pages(ALL))
    assert [row["Guid"] for row in rows_of_all] == [1, 2]
    first, *others = rig.sent
    assert [sent.url for sent in others] == [link("a"), link("b")]
    for sent in others:
        assert sent.body == first.body
        for name in ("X-AnchorMailbox", "Prefer", "Authorization"):
            assert sent.headers[name] == first.headers[name]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/adminapi/beta/x/InvokeCommand?$skiptoken=a",
        "http://outlook.office365.com/adminapi/beta/x/InvokeCommand?$skiptoken=a",
        "https://outlook.office365.com.evil.example/adminapi",
        "https://outlook.office365.com@evil.example/adminapi",
        "https://[broken/",
        "/adminapi/beta/x/InvokeCommand?$skiptoken=a",
    ],
)
def test_a_page_elsewhere_is_not_asked_for(url: str, rig: Make, rows: Make) -> None:
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": url}))
    with pytest.raises(IncompleteRead):
        list(rig.client().pages(ALL))
    assert len(rig.sent) == 1


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("outlook.office365.com:443", "outlook.office365.com"),
        ("outlook.office365.com:446", "outlook.office365.com"),
        ("outlook.office365.com:8443", "outlook.office365.com:8443"),
        ("eurprd01.outlook.office365.com", "eurprd01.outlook.office365.com"),
        ("eurprd01.outlook.office365.com:443", "eurprd01.outlook.office365.com"),
        ("eurprd01.outlook.office365.com:8443", "eurprd01.outlook.office365.com:8443"),
    ],
)
def test_a_page_is_followed_where_a_redirect_would_be(host: str, asked: str, rig: Make, rows: Make) -> None:
    path = f"/adminapi/beta/{TENANT}/InvokeCommand?$skiptoken=a"
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": f"https://{host}{path}"}), rows({"Guid": 2}))
    assert sum(len(page.objects) for page in rig.client().pages(ALL)) == 2
    assert rig.sent[1].url == f"https://{asked}{path}"


def test_a_page_that_names_itself(rig: Make, rows: Make) -> None:
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": link("a")}), rows({"Guid": 2}, **{"@odata.nextLink": link("a")}))
    with pytest.raises(IncompleteRead, match="twice"):
        list(rig.client().pages(ALL))


def test_a_list_cut_short_without_a_link(rig: Make, rows: Make) -> None:
    more = "There are more results available than are currently displayed. To view them, increase the value."
    rig.script(rows({"Guid": 1}, **{"@adminapi.warnings": [more]}))
    with pytest.raises(IncompleteRead):
        list(rig.client().pages(ALL))


@pytest.mark.parametrize("status", [400, 404, 405, 429, 503])
def test_a_failure_on_the_way_is_not_the_end(status: int, rig: Make, rows: Make, answer: Make) -> None:
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": link("a")}), answer(status, None, Request_Id="r-9"))
    with pytest.raises(IncompleteRead) as caught:
        list(rig.client(retries=0).pages(ALL))
    assert (caught.value.http_status, caught.value.request_id) == (status, "r-9")


def test_an_expired_link(rig: Make, rows: Make, answer: Make, failed: Make) -> None:
    expired = failed("System.Exception", "Expired or Invalid pagination request. Default Expiry time is 00:30:00")
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": link("a")}), answer(400, expired))
    with pytest.raises(IncompleteRead):
        list(rig.client().pages(ALL))


def test_no_access_on_the_way_stays_no_access(rig: Make, rows: Make, answer: Make) -> None:
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": link("a")}), answer(403))
    with pytest.raises(AccessDenied):
        list(rig.client().pages(ALL))


def test_a_page_is_tried_again(rig: Make, rows: Make, answer: Make) -> None:
    rig.script(rows({"Guid": 1}, **{"@odata.nextLink": link("a")}), answer(503), rows({"Guid": 2}))
    assert sum(len(page.objects) for page in rig.client().pages(ALL)) == 2
    assert [sent.url for sent in rig.sent[1:]] == [link("a"), link("a")]


# Batches

Reply = Callable[[str, dict[str, t.Any]], "dict[str, t.Any] | None"]


def item(identifier: str, status: int = 200, body: t.Any = None, **headers: str) -> dict[str, t.Any]:
    named_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"id": identifier, "status": status, "headers": named_headers, "body": body or {"value": []}}


@pytest.fixture
def batched(answer: Make) -> Make:
    """Answers a batch item by item, as ``reply`` says; None leaves an item out."""

    def make(reply: Reply, rearrange: Callable[[list[t.Any]], list[t.Any]] = list) -> Make:
        def respond(sent: t.Any) -> t.Any:
            assert sent.url == f"{BASE}/$batch"
            replies = [reply(r["id"], r["body"]["CmdletInput"]["Parameters"]) for r in sent.body["requests"]]
            return answer(200, {"responses": rearrange([r for r in replies if r is not None])})

        return respond

    return make


def echo(identifier: str, parameters: dict[str, t.Any]) -> dict[str, t.Any]:
    return item(identifier, body={"value": [{"Identity": parameters["Identity"]}]})


def subjects(sent: t.Any) -> list[str]:
    return [request["body"]["CmdletInput"]["Parameters"]["Identity"] for request in sent.body["requests"]]


def test_a_batch(rig: Make, batched: Make) -> None:
    rig.script(batched(echo), batched(echo), batched(echo))
    outcomes = dict(rig.client().batch(named(*range(25))))
    assert {n: o.objects[0]["Identity"] for n, o in outcomes.items()} == {n: f"g{n}" for n in range(25)}
    assert [len(sent.body["requests"]) for sent in rig.sent] == [10, 10, 5]
    sent = rig.sent[0]
    assert sent.headers["X-AnchorMailbox"] == ANCHOR
    assert "continue-on-error" in sent.headers["Prefer"]
    request = sent.body["requests"][3]
    assert (request["method"], request["url"]) == ("POST", f"{BASE}/InvokeCommand")
    assert isinstance(request["id"], str)
    assert request["body"]["CmdletInput"]["CmdletName"] == "Set-CASMailbox"
    assert "Authorization" not in request["headers"]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_batches_side_by_side(concurrency: int, rig: Make, batched: Make) -> None:
    rig.script(*[batched(echo, lambda items: items[::-1])] * 7)
    outcomes = dict(rig.client(concurrency=concurrency).batch(named(*range(65))))
    assert {n: o.objects[0]["Identity"] for n, o in outcomes.items()} == {n: f"g{n}" for n in range(65)}


def test_one_command_needs_no_batch(rig: Make, rows: Make) -> None:
    rig.script(rows({"Guid": 1}))
    ((index, outcome),) = rig.client().batch(named(1))
    assert (index, outcome.objects) == (0, ({"Guid": 1},))
    assert rig.sent[0].url.endswith("/InvokeCommand")
    assert list(rig.client().batch([])) == []


def test_one_failure_among_many(rig: Make, batched: Make, failed: Make) -> None:
    bad = failed("X.ManagementObjectNotFoundException", "It couldn't be found")
    rig.script(batched(lambda i, p: item(i, 404, bad) if p["Identity"] == "g2" else echo(i, p)))
    outcomes = dict(rig.client().batch(named(1, 2, 3)))
    assert [isinstance(outcomes[n], NotFound) for n in range(3)] == [False, True, False]
    assert "u2" in str(outcomes[1])


def test_an_item_that_is_throttled_goes_again_alone(rig: Make, batched: Make) -> None:
    def first(identifier: str, parameters: dict[str, t.Any]) -> dict[str, t.Any]:
        wait = {"g2": "3", "g4": "9"}.get(parameters["Identity"])
        return item(identifier, 429, None, Retry_After=wait) if wait else echo(identifier, parameters)

    rig.script(batched(first), batched(echo))
    outcomes = dict(rig.client().batch(named(1, 2, 3, 4)))
    assert all(isinstance(outcome, Answer) for outcome in outcomes.values())
    assert len(outcomes) == 4
    assert subjects(rig.sent[1]) == ["g2", "g4"]
    assert rig.clock.slept == [9.0]


def test_items_throttled_for_good(rig: Make, batched: Make) -> None:
    rig.script(*[batched(lambda i, p: item(i, 429) if p["Identity"] != "g1" else echo(i, p))] * 3)
    outcomes = dict(rig.client(retries=2).batch(named(1, 2, 3)))
    assert isinstance(outcomes[0], Answer)
    assert all(isinstance(outcomes[n], Throttled) for n in (1, 2))
    assert [len(sent.body["requests"]) for sent in rig.sent] == [3, 2, 2]
    assert rig.clock.slept == [2.0, 4.0]


def test_an_item_without_an_answer_is_asked_again(rig: Make, batched: Make, rows: Make) -> None:
    rig.script(batched(lambda i, p: None if p["Identity"] == "g2" else echo(i, p)), rows({"Identity": "g2"}))
    outcomes = dict(rig.client().batch(named(1, 2, 3)))
    assert [outcomes[n].objects[0]["Identity"] for n in range(3)] == ["g1", "g2", "g3"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda items: [*items, items[0]],
        lambda items: [items[0], items[0], *items[2:]],
        lambda items: [*items, {**items[0], "id": "77"}],
        lambda items: [{**items[0], "id": None}, *items[1:]],
        lambda items: [{**items[0], "id": "-1"}, *items[1:]],
        lambda items: ["text", *items],
    ],
    ids=["twice", "one for another", "not asked for", "no id", "an odd id", "no object"],
)
def test_answers_that_nobody_can_tell_apart_are_not_believed(spoil: Make, rig: Make, batched: Make, rows: Make) -> None:
    rig.script(batched(echo, spoil), *[rows({"Identity": f"single-{n}"}) for n in (1, 2, 3)])
    outcomes = dict(rig.client().batch(named(1, 2, 3)))
    assert [outcomes[n].objects[0]["Identity"] for n in range(3)] == ["single-1", "single-2", "single-3"]
    assert all(sent.url.endswith("/InvokeCommand") for sent in rig.sent[1:])


@pytest.mark.parametrize("body", [{}, {"responses": None}, {"responses": {}}, [], "text", None])
def test_a_batch_without_responses(body: t.Any, rig: Make, answer: Make, rows: Make) -> None:
    rig.script(answer(200, body), rows({"n": 1}), rows({"n": 2}))
    outcomes = dict(rig.client(retries=0).batch(named(1, 2)))
    assert [outcomes[n].objects[0]["n"] for n in range(2)] == [1, 2]


@pytest.mark.parametrize("status", [None, "200", True])
def test_an_item_without_a_status(status: t.Any, rig: Make, batched: Make) -> None:
    rig.script(batched(lambda i, p: {**echo(i, p), "status": status} if p["Identity"] == "g1" else echo(i, p)))
    outcomes = dict(rig.client(retries=0).batch(named(1, 2)))
    assert isinstance(outcomes[0], UnexpectedResponse)
    assert isinstance(outcomes[1], Answer)


def test_a_rejected_item_gets_a_new_token_once(rig: Make, batched: Make) -> None:
    rig.script(
        batched(lambda i, p: item(i, 401) if p["Identity"] in ("g1", "g2") else echo(i, p)),
        batched(lambda i, p: item(i, 401) if p["Identity"] == "g1" else echo(i, p)),
    )
    outcomes = dict(rig.client().batch(named(1, 2, 3)))
    assert len(rig.tokens.renewals) == 1
    assert subjects(rig.sent[1]) == ["g1", "g2"]
    assert [type(outcomes[n]) for n in range(3)] == [AuthenticationFailed, Answer, Answer]


def test_a_cmdlet_for_another_server_is_sent_there_once(rig: Make, batched: Make, answer: Make, failed: Make) -> None:
    proxy = failed("Microsoft.Exchange.CmdletProxyNotAvailableException", "Cmdlet needs proxy to S1")
    rig.script(batched(lambda i, p: item(i, 400, proxy) if p["Identity"] == "g2" else echo(i, p)))
    rig.script(answer(400, proxy), answer(200, {"value": [{"Identity": "g2"}]}))
    outcomes = dict(rig.client().batch(named(1, 2, 3)))
    assert [outcomes[n].objects[0]["Identity"] for n in range(3)] == ["g1", "g2", "g3"]
    assert rig.sent[-1].headers["X-AnchorMailbox"] == "UPN:u2@contoso.com"
    assert rig.sent[-1].headers["parameter-based-routing"] == "true"


def test_the_other_server_is_asked_just_once(rig: Make, answer: Make, failed: Make) -> None:
    proxy = failed("Microsoft.Exchange.CmdletProxyNotAvailableException", "Cmdlet needs proxy to S1")
    rig.script(answer(400, proxy), answer(400, proxy))
    with pytest.raises(InvalidRequest, match="needs proxy"):
        rig.client().invoke(named(1)[0])


def test_no_other_server_could_run_a_cmdlet_of_the_organization(
    rig: Make, answer: Make, failed: Make, rows: Make
) -> None:
    proxy = failed("Microsoft.Exchange.CmdletProxyNotAvailableException", "Cmdlet needs proxy to S1")
    rig.script(answer(400, proxy), rows({}))
    rig.client().invoke(SET)
    assert rig.clock.slept == [2.0]
    rig.script(answer(400, proxy))
    with pytest.raises(ServiceUnavailable, match="needs proxy") as caught:
        rig.client(retries=0).invoke(SET)
    assert (caught.value.http_status, caught.value.in_doubt) == (400, False)


@pytest.mark.parametrize("kind", [AccessDenied, AuthenticationFailed])
def test_nothing_more_is_sent_once_access_fails(kind: type[ExoError], rig: Make, batched: Make) -> None:
    status = 403 if kind is AccessDenied else 401
    reply = batched(lambda i, p: item(i, status) if p["Identity"] == "g3" else echo(i, p))
    if status == 403:
        rig.script(reply)
    else:  # the one more try that a new token is worth
        rig.script(reply, lambda sent: t.cast(t.Any, _rejected(sent)), lambda sent: t.cast(t.Any, _rejected(sent)))
    outcomes = dict(rig.client().batch(named(*range(40))))
    assert isinstance(outcomes[3], kind)
    assert set(outcomes) == set(range(10))


def _rejected(sent: t.Any) -> t.Any:

    assert sent.body["CmdletInput"]["Parameters"]["Identity"] == "g3"
    return Response(401, {}, b"")


def test_a_batch_that_is_forbidden_as_a_whole(rig: Make, answer: Make) -> None:
    rig.script(answer(403, b"\0" * 100))
    outcomes = dict(rig.client().batch(named(*range(30))))
    assert set(outcomes) <= set(range(10))
    assert all(isinstance(outcome, AccessDenied) for outcome in outcomes.values())


def test_a_batch_that_is_refused_as_a_whole_goes_one_by_one(rig: Make, answer: Make, rows: Make) -> None:
    rig.script(answer(400), rows({"n": 1}), rows({"n": 2}))
    assert [outcome.objects[0]["n"] for _dummy, outcome in rig.client().batch(named(1, 2))] == [1, 2]


# Redirects

PREFIX = "https://eurprd01.outlook.office365.com"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("port", ["", ":443", ":446"])
def test_a_redirect_within_the_cloud(status: int, port: str, rig: Make, answer: Make, rows: Make) -> None:
    rig.script(
        answer(status, None, Location=f"{PREFIX}{port}/adminapi/beta/{TENANT}/InvokeCommand"), rows({}), rows({})
    )
    client = rig.client()
    client.invoke(SET)
    first, second = rig.sent
    assert second.url == f"{PREFIX}/adminapi/beta/{TENANT}/InvokeCommand"
    assert second.body == first.body
    assert second.headers["Authorization"] == "Bearer token-1"
    client.invoke(GET)  # goes there at once
    assert rig.sent[2].url.startswith(PREFIX + "/")


@pytest.mark.parametrize(
    "location",
    [
        "https://login.evil.example/adminapi",
        "http://outlook.office365.com/adminapi",
        "https://outlook.office365.us/adminapi",
        "https://outlook.office365.com@evil.example/adminapi",
        "https://evil.example/https://outlook.office365.com",
        "//evil.example/adminapi",
        "https://office365.com.evil.example/",
        "https://[broken/",
        "",
    ],
)
def test_a_redirect_elsewhere_gets_no_token(location: str, rig: Make, answer: Make) -> None:
    rig.script(answer(302, None, Location=location))
    with pytest.raises(UnexpectedResponse) as caught:
        rig.client().invoke(GET)
    assert len(rig.sent) == 1
    assert "proxy" in (caught.value.hint or "")


def test_a_redirect_on_the_own_endpoint(rig: Make, answer: Make, rows: Make) -> None:
    own = "https://gateway.contoso.com"
    rig.script(answer(307, None, Location=f"{own}/other/InvokeCommand"), rows({}))
    rig.client(endpoint=own).invoke(GET)
    assert rig.sent[1].url == f"{own}/other/InvokeCommand"


def test_redirects_in_a_circle(rig: Make, answer: Make) -> None:
    rig.script(*[answer(302, None, Location=f"{PREFIX}/adminapi/{n}") for n in range(4)])
    with pytest.raises(UnexpectedResponse, match="redirected"):
        rig.client().invoke(GET)


# What is never sent

WRITING_GET = Command("Get-CASMailbox", {"Identity": "g1", "RecalculateHasActiveSyncDevicePartnership": True})


@pytest.mark.parametrize(
    "command",
    [
        SET,
        Command("set-casmailbox", {"Identity": "g1"}),
        Command("Remove-Mailbox", {"Identity": "g1"}),
        Command("Enable-OrganizationCustomization"),
        WRITING_GET,
        Command("Get-CASMailbox", {"Identity": "g1", "recalculatehasactivesyncdevicepartnership": True}),
    ],
    ids=lambda command: command.name,
)
def test_check_mode_refuses_what_writes(command: Command, rig: Make) -> None:
    client = rig.client(read_only=True)
    with pytest.raises(Refused):
        client.invoke(command)
    with pytest.raises(Refused):
        list(client.pages(command))
    with pytest.raises(Refused):
        list(client.batch([GET, GET, command]))
    assert rig.sent == []


def test_check_mode_reads(rig: Make, rows: Make) -> None:
    rig.script(rows({}))
    client = rig.client(read_only=True)
    client.invoke(Command("get-transportconfig"))


def test_a_get_that_writes_counts_as_a_write(rig: Make, rows: Make) -> None:
    assert not WRITING_GET.reads
    rig.script(rows({}))
    rig.client().invoke(WRITING_GET)


@pytest.mark.parametrize("identity", [None, ""])
@pytest.mark.parametrize("name", ["Get-CASMailbox", "Set-CASMailbox"])
def test_no_identity_means_everybody_and_is_refused(identity: t.Any, name: str, rig: Make) -> None:
    client, command = rig.client(), Command(name, {"Identity": identity, "PopEnabled": False})
    for run in (client.invoke, lambda c: list(client.pages(c)), lambda c: list(client.batch([c, c]))):
        with pytest.raises(InvalidRequest):
            run(command)
    assert rig.sent == []


def test_a_run_that_ended_reads_and_never_writes(rig: Make, rows: Make) -> None:
    """A time-out of the task leaves the module's process alive."""
    client = rig.client(alive=lambda: False)
    rig.script(rows({}))
    client.invoke(GET)
    with pytest.raises(Interrupted):
        client.invoke(SET)
    ((_index, outcome),) = client.batch(named(1))
    assert isinstance(outcome, Interrupted)
    assert all(isinstance(outcome, Interrupted) for _index, outcome in client.batch(named(*range(30))))
    assert len(rig.sent) == 1


# The pace


def test_the_pace_halves_once_and_recovers_round_by_round(clock: Make) -> None:
    pacer = Pacer(8, clock)
    pacer.slow_down(10)
    pacer.slow_down(5)  # the same refusal, hitting another worker
    assert pacer.allowed == 4
    clock.now += 11
    pacer.slow_down(1)
    clock.now += 2
    assert pacer.allowed == 2
    for _dummy in range(2):
        pacer.succeeded()
    assert pacer.allowed == 3
    for _dummy in range(2):
        pacer.succeeded()
    assert pacer.allowed == 3
    for _dummy in range(100):
        pacer.succeeded()
    assert pacer.allowed == 8


def test_the_pace_never_stops(clock: Make) -> None:
    pacer = Pacer(4, clock)
    for _dummy in range(5):
        pacer.slow_down(1)
        clock.now += 2
    assert pacer.allowed == 1


def test_everybody_waits_after_a_refusal() -> None:
    pacer, started = Pacer(2), time.monotonic()
    pacer.slow_down(0.05)
    with pacer:
        assert time.monotonic() - started >= 0.05


def test_no_more_in_flight_than_allowed() -> None:
    pacer, inside, most, lock = Pacer(3), 0, 0, threading.Lock()
    gate = threading.Event()

    def work() -> None:
        nonlocal inside, most
        with pacer:
            with lock:
                inside += 1
                most = max(most, inside)
                if inside == 3:
                    gate.set()
            gate.wait(10)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _dummy in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (most, inside) == (3, 0)


def test_two_batches_rejected_with_one_token_ask_for_one_new_one(rig: Make, answer: Make) -> None:
    both, lock, renew = threading.Barrier(2), threading.Lock(), rig.tokens.renew

    def reply(status: int) -> Make:
        def respond(sent: t.Any) -> t.Any:
            if status == 401:
                both.wait(20)
            return answer(200, {"responses": [item(request["id"], status) for request in sent.body["requests"]]})

        return respond

    def strict(rejected: t.Any, claims: t.Any) -> t.Any:
        with lock:  # as the real one: a complaint about an older token is met already
            return renew(rejected, claims) if rejected == rig.tokens.token else rig.tokens.token

    rig.tokens.renew = strict
    rig.script(*[reply(401)] * 2, *[reply(200)] * 2)
    outcomes = dict(rig.client(concurrency=2).batch(named(*range(20))))
    assert [type(outcome) for outcome in outcomes.values()] == [Answer] * 20
    assert rig.tokens.renewals == [("token-1", None)]
