# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may be cut off: only those who are shown not to use SMTP AUTH, or who are accepted by name."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth import usage_gate
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    Coverage,
    Report,
    Seen,
    Sent,
    Usage,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._usage_gate import (
    UsageGate,
    described,
    refusal,
)

TODAY = datetime.date(2026, 11, 26)
NOTHING = {"require_unused_days": None, "accept_cutoff": None, "usage_report": None}


def record(number: int) -> Record:
    guid = f"00000000-0000-4000-8000-{number:012x}"
    target = Target(CAS_MAILBOX, guid, guid, f"user{number}@contoso.com", f"User {number}")
    return Record(target, {"ExternalDirectoryObjectId": f"object-{number}"})


class FakeGraph:
    """A log that reaches back far enough, with these rows."""

    tenant_id = "t"

    def __init__(self, *rows: dict[str, t.Any]) -> None:
        self.rows = rows

    def sign_ins(self, client: str, stream: str, start: t.Any, end: t.Any) -> t.Iterator[dict[str, t.Any]]:
        yield from self.rows if (client, stream) == ("SMTP", "nonInteractiveUser") else ()

    def any_sign_in(self, start: t.Any, end: t.Any) -> bool:
        return True


def sign_in(number: int, code: int = 0) -> dict[str, t.Any]:
    return {
        "id": f"{number} {code}",
        "userId": f"object-{number}",
        "createdDateTime": "2026-11-22T06:12:01Z",
        "ipAddress": "203.0.113.10",
        "status": {"errorCode": code},
    }


def task(graph: FakeGraph | None, warn: t.Callable[[str], None] = lambda text: None) -> Task:
    return Task({}, True, warn, t.cast(t.Any, None), connect_graph=lambda: t.cast(t.Any, graph))


GATE = UsageGate(30, None)


@pytest.mark.parametrize(
    ("rows", "stops"),
    [
        ([], False),
        ([sign_in(1)], True),
        ([sign_in(2)], False),
        ([sign_in(1, 50126), sign_in(1, 53003)], False),
        ([sign_in(1, 50126), sign_in(1)], True),
    ],
)
def test_a_success_stops_the_plan_and_a_failure_never_does(rows: list[dict[str, t.Any]], stops: bool) -> None:
    if not stops:
        GATE.check(task(FakeGraph(*rows)), [record(1)], [])
        return
    with pytest.raises(Refused, match=r"user1@contoso\.com \(last seen 2026-11-22T06:12:01Z from 203\.0\.113\.10\)"):
        GATE.check(task(FakeGraph(*rows)), [record(1)], [])


def test_what_is_not_known_stops_the_plan() -> None:
    with pytest.raises(Refused, match=r"by 1 mailbox that would lose it: user1@contoso\.com \(not known: access_token"):
        GATE.check(task(None), [record(1)], [])


@pytest.mark.parametrize(("graph", "warns"), [(FakeGraph(), 0), (None, 1)], ids=["the log goes by ids", "no log"])
def test_a_sender_of_the_report_whom_nobody_is_may_be_a_renamed_mailbox(graph: FakeGraph | None, warns: int) -> None:
    complete = Coverage(30, TODAY - datetime.timedelta(days=30), TODAY)
    senders = {"user2@contoso.com": Sent(basic=1), "former.name@contoso.com": Sent(basic=1)}
    gate = UsageGate(30, Report(senders, complete, TODAY - datetime.timedelta(days=30)))
    said: list[str] = []
    gate.check(task(graph, said.append), [record(1)], [record(1), record(2)])
    assert len(said) == warns
    assert all("1 sender in usage_report is the address of no mailbox: former.name@contoso.com." in one for one in said)


def test_a_refusal_says_what_would_tell_more() -> None:
    decide = "Put those that need it in allowed, and those that may be cut off in accept_cutoff."
    stopped = [(record(1), Usage("unknown", "no")), (record(2), Usage("used"))]
    assert refusal(30, stopped, "Give more. ").hint == f"Give more. {decide}"
    assert refusal(30, stopped[1:], "Give more. ").hint == decide
    with pytest.raises(Refused) as refused:
        GATE.check(task(None), [record(1)], [])
    assert refused.value.hint == f"To know of all, give usage_report. {decide}"


def test_nobody_who_loses_needs_no_question() -> None:
    GATE.check(t.cast(t.Any, None), [], [])


def test_a_refusal_names_those_in_use_first_and_stays_small() -> None:
    unknown = [(record(number), Usage("unknown", "no licence")) for number in range(2000)]
    used = (record(5000), Usage("used", "", Seen(successes=1, last_success="2026-11-22T06:12:01Z")))
    error = refusal(30, [*unknown, used])
    assert error.message.startswith("1 mailbox that would lose SMTP AUTH used it within 30 days, and of 2,000 more")
    assert error.message.index("user5000@") < error.message.index("user0@")
    assert "and 1981 more" in error.message
    assert len(error.result["cut_off"]) == 500
    assert error.result["cut_off"][0]["identity"] == "user5000@contoso.com"


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (Usage("unknown", "no licence"), "not known: no licence"),
        (Usage("used", "", None, Sent(basic=1)), "last seen in the report"),
        (Usage("used", "", None, Sent(basic=1, last=TODAY)), "last seen 2026-11-26"),
    ],
)
def test_when_and_from_where(usage: Usage, text: str) -> None:
    assert described(usage) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"require_unused_days": 0}, "between 1 and 365"),
        ({"require_unused_days": 366}, "between 1 and 365"),
        ({"accept_cutoff": ["a"]}, "accept_cutoff goes with require_unused_days"),
        ({"usage_report": "/x"}, "usage_report goes with require_unused_days"),
        ({"require_unused_days": 30, "usage_report": "x.csv"}, "absolute path"),
        ({"require_unused_days": 30, "usage_report": "/nowhere/x.csv"}, "can't be read"),
    ],
)
def test_options_that_are_no_gate(given: dict[str, t.Any], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        usage_gate({**NOTHING, **given}, TODAY)


def test_the_report_counts_where_there_is_no_log(tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    report.write_text("Date,Sender\n2026-10-01,user2@contoso.com\n2026-11-25,user1@contoso.com\n")
    gate = usage_gate({**NOTHING, "require_unused_days": 30, "usage_report": str(report)}, TODAY)
    assert gate is not None
    gate.check(task(None), [record(2), record(3)], [])
    with pytest.raises(Refused, match="user1"):
        gate.check(task(None), [record(1)], [])


def test_no_gate() -> None:
    assert usage_gate(NOTHING, TODAY) is None
