# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that no service should give: whatever comes, the engine fails in its own words or not at all."""

from __future__ import annotations

import base64
import datetime
import json
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fuzz import model
from fuzz.lab import (
    CAS_MAILBOX,
    CAS_MAILBOX_INFO,
    DOMAIN,
    ERROR_CODES,
    LABEL,
    SMTP_AUTH,
    TRANSPORT,
    TRANSPORT_INFO,
    Lab,
    Module,
    Run,
)
from fuzz.profiles import cases
from hypothesis import event, given, note
from hypothesis import strategies as st

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Response

MOST_REQUESTS = 150  # far more than any of these small tasks needs with all its retries
MOST_TEXT = 2000

# JSON that stands in the place of a value. None of it is a value that a setting or a GUID may have.
ODD_JSON = (
    "0", "-1", "1e999", "-1e999", "NaN", "1" + "0" * 4000, "1" * 5000, '""', '"x"', '"\\u0000"', '"\\ud800"',
    '"true"', '"²"', '"' + "x" * 5000 + '"', '"\\u202e<b>{{ 7 * 7 }}"', "[]", "{}", "[[]]", "[null]",
    "[{}]", '{"a": null}',
    '{"value": []}', '{"Name": 7}', "[" * 900 + "]" * 900, "[" * 100_000 + "]" * 100_000, '"{' + '\\"a\\":[' * 3 + '"',
    '"{' + "[" * 3000 + '"', '"' + "{\\\"a\\\":" * 30_000 + '"', '{"error": {"code": 1, "message": []}}',
    '"|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|gone"', '"a|b|c\\u0000"', "1.5",
)  # fmt: skip
_PLACE = '"@@odd@@"'

ODD_BODIES = (
    b"", b"\0" * 985, b"null", b"true", b"[]", b"{}", b"7", b'"text"', b"<html>" + b"x" * 10_000, b"\xff\xfe{}", b"{",
    b"\x1f\x8b", b"\x1f\x8bnonsense", '{"value": []}'.encode("utf-16"), '{"value": []}'.encode("utf-8-sig"),
    "größer".encode("latin-1"), b"[" * 100_000, b'{"value": null}', b'{"value": {}}', b'{"value": [1, null]}',
    b'{"responses": null}', b'{"responses": [null]}', b'{"responses": [{}]}',
    b'{"value": [], "@adminapi.errors": [[]]}',
    b'{"value": [], "@odata.nextLink": 5}', b'{"value": [], "@odata.nextLink": "http://[::1"}',
    b'{"value": [], "@odata.nextLink": ""}', b'{"value": [], "@odata.nextLink": "https://evil.example/x"}',
    b'{"error": null}', b'{"error": "invalid_client"}', b'{"error": {"details": [{"message": "{\\"Message\\": 5}"}]}}',
    b'{"error": {"details": [{"message": "' + b"A\\u0000" * 3000 + b'"}]}}', b'{"access_token": 5}',
    b'{"access_token": "a.b.c"}', b'{"access_token": ""}', b'{"token_endpoint": 5}',
)  # fmt: skip
ODD_STATUSES = (100, 199, 201, 204, 206, 299, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 410, 418,
                429, 451, 499, 500, 501, 502, 503, 504, 599, 600, 999)  # fmt: skip
ODD_HEADERS: tuple[Mapping[str, str], ...] = (
    {},
    *({"Retry-After": text} for text in ("nan", "-1", "1e309", "soon", "", "0", "1e2", "²", "Wed, 21 Oct 2026")),
    *({"Location": text} for text in ("", "//", "http://localhost/", "https://", "https://evil.example/", "https://[::1",
                                      "https://localhost:99999/", "/adminapi/beta/x", "?", "https://127.0.0.1/", "\0",
                                      "x" * 5000)),
    {"WWW-Authenticate": 'Bearer claims="%%%"'},
    {"WWW-Authenticate": 'Bearer claims="' + base64.b64encode(b"\xff\xfe").decode() + '"'},
    {"WWW-Authenticate": 'Bearer claims="' + base64.b64encode(b"[]").decode() + '"'},
    {"WWW-Authenticate": 'Bearer claims="' + base64.b64encode(b"nonsense").decode() + '"'},
    {"x-ms-diagnostics": "\0" * 5000},
    {"request-id": "x" * 5000},
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """An answer before and after it was spoiled; the same shape for Exchange, discovery and tokens."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Spoil = Callable[[Answer], Answer]


def nodes(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    for key, value in _parts(tree):
        found += nodes(value, (*path, key))
    return found


def _parts(tree: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(tree, dict):
        return tree.items()
    return enumerate(tree) if isinstance(tree, list) else ()


def _edit(tree: Any, path: tuple[Any, ...], how: str) -> Any:
    """Replace, remove or double the node, or turn around the list that it is in."""
    if not path:
        return "@@odd@@"
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    last = path[-1]
    if how == "remove":
        del holder[last]
    elif how == "double" and isinstance(holder, list):
        holder.append(holder[last])
    elif how == "turn" and isinstance(holder, list):
        holder.reverse()
    elif how == "rename" and isinstance(holder, dict):
        holder[f"{last}@odd"] = holder.pop(last)
    else:
        holder[last] = "@@odd@@"
    return tree


def in_tree(share: float, how: str, odd: int) -> Spoil:
    """Spoils one node of the JSON, the one at this share of all. Odd things go by their number: some are huge."""

    def spoil(answer: Answer) -> Answer:
        try:
            tree = json.loads(answer.body)
        except ValueError:
            return answer
        places = nodes(tree)
        text = json.dumps(_edit(tree, places[int(share * len(places))], how)).replace(_PLACE, ODD_JSON[odd])
        return replace(answer, body=text.encode())

    return spoil


def cut(share: float) -> Spoil:
    return lambda answer: replace(answer, body=answer.body[: int(share * len(answer.body))])


def as_body(odd: int, status: int | None) -> Spoil:
    return lambda answer: replace(answer, body=ODD_BODIES[odd], status=answer.status if status is None else status)


def with_status(status: int, headers: int, keep: bool) -> Spoil:
    return lambda a: Answer(status, {**(a.headers if keep else {}), **ODD_HEADERS[headers]}, a.body if keep else b"")


def number_of(odd: Sequence[Any]) -> st.SearchStrategy[int]:
    return st.sampled_from(range(len(odd)))


SHARE = st.floats(0, 1, exclude_max=True)
TREES = st.builds(
    in_tree, SHARE, st.sampled_from(["replace", "replace", "remove", "double", "turn", "rename"]), number_of(ODD_JSON)
)
BROKEN = st.one_of(st.builds(cut, SHARE), st.builds(as_body, number_of(ODD_BODIES), st.none()))
SPOILS = st.one_of(
    TREES,
    TREES,
    BROKEN,
    st.builds(as_body, number_of(ODD_BODIES), st.sampled_from(ODD_STATUSES)),
    st.builds(with_status, st.sampled_from(ODD_STATUSES), number_of(ODD_HEADERS), st.booleans()),
)


class Spoiled:
    """A transport whose answers are spoiled from one on. ``only``: which requests are meant."""

    def __init__(self, lab: Lab, spoil: Spoil, first: int, times: int, only: Callable[[str, bytes], bool]) -> None:
        self._inner = lab.http
        self._spoil = spoil
        self._range = range(first, first + times)
        self._only = only
        self.met = self.requests = 0
        # Nobody can see through a service that refuses with a 4xx what it did.
        self.lied = False

    def _answer(self, url: str, body: bytes, answer: Answer) -> Answer:
        self.requests += 1
        assert self.requests < MOST_REQUESTS, "the task does not stop asking"
        if not self._only(url, body):
            return answer
        self.met += 1
        if self.met - 1 not in self._range:
            return answer
        spoiled = self._spoil(answer)
        self.lied = self.lied or (answer.status < 300 and 400 <= spoiled.status < 500)
        return spoiled

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        real = self._inner.post(url, headers, body)
        answer = self._answer(url, body, Answer(real.status, dict(real.headers), real.body))
        return Response(answer.status, answer.headers, answer.body)

    def fetch(self, url: str) -> Response:
        real = self._inner.fetch(url)
        answer = self._answer(url, b"", Answer(real.status, dict(real.headers), real.body))
        return Response(answer.status, answer.headers, answer.body)

    def foreign(self, method: str, url: str, **kwargs: Any) -> Any:
        return self._for_msal(url, self._inner.foreign(method, url, **kwargs))

    def _for_msal(self, url: str, real: Any) -> Any:
        answer = self._answer(url, b"", Answer(real.status_code, dict(real.headers), real.content))
        text = answer.body.decode("utf-8", errors="replace")
        return types.SimpleNamespace(status_code=answer.status, headers=answer.headers, text=text)


def reads(_url: str, body: bytes) -> bool:
    return b'"Get-' in body


def writes(_url: str, body: bytes) -> bool:
    return b'"Set-' in body


def anything(_url: str, _body: bytes) -> bool:
    return True


def boxes(number: int) -> list[dict[str, Any]]:
    states = (None, False, True, None)
    return [
        {"upn": f"m{n}@{DOMAIN}", "display_name": "Same", "cas": {"SmtpClientAuthenticationDisabled": states[n % 4]}}
        for n in range(number)
    ]


TASKS: tuple[tuple[Module, dict[str, Any]], ...] = (
    (SMTP_AUTH, {"organization": "disabled", "allowed": [{"identity": f"m0@{DOMAIN}"}, {"identity": "m3"}],
                 "unlisted": "not_enabled"}),
    (SMTP_AUTH, {"organization": "disabled", "allowed": [{"identity": f"m{n}"} for n in range(4)]}),
    (CAS_MAILBOX, {"identity": ["m0", f"m1@{DOMAIN}", "m2"], "imap_enabled": False, "ews_allow_list": {"add": ["x"]},
                   "ews_application_access_policy": "EnforceAllowList",
                   "smtp_client_authentication_disabled": "inherit"}),
    (CAS_MAILBOX, {"all_mailboxes": True, "pop_messages_retrieval_mime_format": "Tnef", "exclude": ["m1"],
                   "active_sync_blocked_device_ids": ["d"]}),
    (TRANSPORT, {"smtp_client_authentication_disabled": True, "message_expiration": "12:00:00",
                 "external_dsn_default_language": "de", "max_recipient_envelope_limit": "500"}),
    (CAS_MAILBOX_INFO, {"all_mailboxes": True}),
    (CAS_MAILBOX_INFO, {"identity": ["m0", "m1"], "properties": ["imap_enabled", "owa_mailbox_policy"],
                        "dest": "DEST"}),
    (TRANSPORT_INFO, {}),
)  # fmt: skip


def foretell(module: Module, state: Mapping[str, Any], options: Mapping[str, Any]) -> model.Outlook:
    if module is SMTP_AUTH:
        return model.smtp_auth(state, options, datetime.datetime.now(datetime.timezone.utc).date())
    if module is CAS_MAILBOX:
        return model.mailboxes(state, options)
    if module is TRANSPORT:
        return model.transport(state, options)
    before = model.objects(state)
    return model.Outlook(before, before)


def assert_decent(error: ExoError | None, warnings: Any, lab: Lab) -> None:
    texts = [str(text) for text in warnings]
    if error is not None:
        assert error.error_code in ERROR_CODES
        texts += [error.message, error.hint or ""]
        json.dumps(error.to_fail_kwargs())
    token = lab.tokens.get().value
    for text in texts:
        assert len(text) <= MOST_TEXT, f"a message of {len(text)} characters: {text[:300]}"
        assert "\0" not in text, f"a NUL in {text[:300]!r}"
        assert token not in text


def attempt(lab: Lab, data: st.DataObject, spoils: Any, only: Callable[[str, bytes], bool], times: Any) -> tuple[
    Run, model.Outlook, model.Objects, Spoiled
]:  # fmt: skip
    module, options = data.draw(st.sampled_from(TASKS), label="task")
    state = lab.tenant({"mailboxes": boxes(data.draw(st.sampled_from([4, 12]))),
                        "transport_config": {"SmtpClientAuthenticationDisabled": False}})  # fmt: skip
    outlook = foretell(module, state, options)
    spoiled = Spoiled(lab, data.draw(spoils), data.draw(st.integers(0, 3)), data.draw(times), only)
    options = {**options, "undo_file": lab.undo_path()} if "undo_file" in module.spec else dict(options)
    if "dest" in options:
        options["dest"] = lab.undo_path()
    run = lab.run(module, options, http=spoiled, concurrency=data.draw(st.sampled_from([1, 4])))
    note(f"{module.name}: {run.error or 'success'}")
    event(f"{module.name}: {run.code or 'success'}")
    assert_decent(run.error, run.warnings, lab)
    json.dumps(run.result)
    return run, outlook, model.objects(lab.state()), spoiled


def assert_safe(lab: Lab, run: Run, outlook: model.Outlook, now: model.Objects, *, lied: bool = False) -> None:
    """Nothing but what was asked for was written, and nobody was cut off or exposed on the way."""
    model.assert_between(outlook, now)
    model.assert_in_one_step(lab.history(), outlook.before, now)
    old, new, here = model.effective(outlook.before), model.effective(outlook.after), model.effective(now)
    assert all(here[guid] in (old[guid], new[guid]) for guid in old), "a mailbox is cut off or exposed"
    if not run.changed and not lied:
        assert not model.differing(outlook.before, now), f"says unchanged, but {model.differing(outlook.before, now)}"


@cases(0.1)
@given(st.data())
def test_spoiled_reads(lab: Lab, data: st.DataObject) -> None:
    run, outlook, now, _spoiled = attempt(lab, data, SPOILS, reads, st.sampled_from([1, 2, 1000]))
    assert_safe(lab, run, outlook, now)


@cases(0.04)
@given(st.data())
def test_nothing_is_written_after_broken_reads(lab: Lab, data: st.DataObject) -> None:
    """No valid read, no write."""

    def never_valid(answer: Answer) -> Answer:
        broken = spoil(answer)
        try:
            valid = broken.body == answer.body or json.loads(broken.body).keys() & {"value", "responses"}
        except (ValueError, AttributeError, RecursionError):
            valid = False
        return replace(broken, body=b"nonsense") if valid else broken

    spoil = data.draw(BROKEN)
    run, outlook, now, spoiled = attempt(lab, data, st.just(never_valid), reads, st.just(1000))
    if spoiled._range.start == 0:
        assert run.error is not None
        assert not run.writes
        model.unchanged(outlook.before, now)
    assert_safe(lab, run, outlook, now)


@cases(0.06)
@given(st.data())
def test_spoiled_writes(lab: Lab, data: st.DataObject) -> None:
    """The work is done, and what is said about it is nonsense."""
    run, outlook, now, spoiled = attempt(lab, data, SPOILS, writes, st.sampled_from([1, 2, 1000]))
    assert_safe(lab, run, outlook, now, lied=spoiled.lied)


@cases(0.03)
@given(st.data())
def test_spoiled_over_real_http(lab: Lab, data: st.DataObject) -> None:
    """The same through a socket, where lengths and codings are looked at, too."""
    module, options = data.draw(st.sampled_from(TASKS[:6]), label="task")
    state = lab.tenant({"mailboxes": boxes(4), "transport_config": {"SmtpClientAuthenticationDisabled": False}})
    outlook = foretell(module, state, options)
    headers = {k: v for k, v in ODD_HEADERS[data.draw(number_of(ODD_HEADERS))].items() if v.isprintable()}
    coding = data.draw(st.sampled_from([{}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "odd"}]))
    lab.simulator.fault(
        "raw",
        tenant=LABEL,
        after=data.draw(st.integers(0, 3)),
        times=data.draw(st.sampled_from([1, 3, None])),
        status=data.draw(st.sampled_from([status for status in ODD_STATUSES if 200 <= status < 600])),
        headers={
            **headers,
            **coding,
            "Content-Type": data.draw(st.sampled_from(["application/json", "text/html", "x"])),
        },
        body_base64=base64.b64encode(ODD_BODIES[data.draw(number_of(ODD_BODIES))]).decode(),
    )
    try:
        run = lab.run(module, options)
    finally:
        lab.simulator.clear_faults()
    event(f"{module.name}: {run.code or 'success'}")
    assert_decent(run.error, run.warnings, lab)
    assert_safe(lab, run, outlook, model.objects(lab.state()))


def jwt(payload: str) -> str:
    return "e30." + base64.urlsafe_b64encode(payload.encode("utf-8", "surrogatepass")).decode().rstrip("=") + ".x"


def with_token(value: Any) -> Spoil:
    def spoil(answer: Answer) -> Answer:
        content = {"token_type": "Bearer", "expires_in": 3599, "access_token": value}
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(content).encode())

    return spoil


def with_payload(odd: int) -> Spoil:
    return with_token(jwt(ODD_JSON[odd]))


def with_claims(tid: int | None, exp: int | None) -> Spoil:
    """None: as it should be."""
    tenant = f'"{TENANT}"' if tid is None else ODD_JSON[tid]
    return with_token(jwt(f'{{"tid": {tenant}, "exp": {"4102444800" if exp is None else ODD_JSON[exp]}}}'))


TENANT = "00000000-0000-4000-8000-000000000001"
ODD_TOKENS = st.one_of(
    st.builds(with_payload, number_of(ODD_JSON)),
    st.builds(with_claims, st.none() | number_of(ODD_JSON), st.none() | number_of(ODD_JSON)),
    st.builds(with_token, st.sampled_from(["", ".", "a.b", "a.%%.c", "é.é.é", 5, None, "\0.\0.\0"])),
)


@cases(0.05)
@given(st.data())
def test_spoiled_tokens_and_discovery(lab: Lab, data: st.DataObject) -> None:
    spoil = data.draw(st.one_of(SPOILS, ODD_TOKENS, TREES))
    spoiled = Spoiled(lab, spoil, data.draw(st.integers(0, 2)), data.draw(st.sampled_from([1, 1000])), anything)
    connection = replace(lab.connection, tenant=data.draw(st.sampled_from([lab.connection.tenant, DOMAIN])))
    lab.cases += 1
    source: Any = lab.new_tokens(connection, spoiled)
    try:
        token = source.get()
        source.renew(token, None)
    except ExoError as error:
        event(error.error_code)
        assert_decent(error, (), lab)


def test_check_mode_reads_only() -> None:
    """The guard that the cases above lean on: only Get cmdlets are reads."""
    assert Command("Get-CASMailbox").reads
    assert not Command("Set-CASMailbox").reads
