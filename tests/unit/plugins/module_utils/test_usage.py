# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Use of a mailbox: what the sign-in log proves, and what it does not."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    Coverage,
    Log,
    Report,
    Sent,
    SignIns,
    log_coverage,
    unmatched_users,
    usage_of,
)

TODAY = datetime.date(2026, 11, 26)
USER = "5e550000-0000-4000-8000-000000000001"
SINCE = TODAY - datetime.timedelta(days=30)
FULL = Coverage(30, TODAY - datetime.timedelta(days=30), TODAY)
SHORT = Coverage(30, TODAY - datetime.timedelta(days=5), TODAY, "the sign-in log reaches back 5 of 30 days")


def sign_in(number: int, code: t.Any = 0, user: str = USER, **changed: t.Any) -> dict[str, t.Any]:
    return {
        "id": f"51600000-0000-4000-8000-{number:012x}",
        "createdDateTime": f"2026-11-{10 + number:02}T06:12:01Z",
        "userId": user,
        "userPrincipalName": "scanner1@contoso.example",
        "clientAppUsed": "Authenticated SMTP",
        "authenticationProtocol": "ropc",
        "ipAddress": f"203.0.113.{number}",
        "status": {"errorCode": code, "failureReason": "Other."},
        **changed,
    }


def log(*rows: dict[str, t.Any], coverage: Coverage = FULL, failure: str = "") -> Log:
    sign_ins = SignIns()
    for row in rows:
        sign_ins.add(row, "nonInteractiveUser")
    return Log(sign_ins, coverage, failure)


def report(*senders: str, coverage: Coverage = FULL) -> Report:
    return Report({sender: Sent(basic=3) for sender in senders}, coverage, SINCE)


ADDRESSES = ["Scanner1@contoso.example", "scan@contoso.example"]
FAILED = "the third page could not be read"


@pytest.mark.parametrize(
    ("log", "report", "state", "reason"),
    [
        (log(sign_in(1)), None, "used", ""),
        (log(sign_in(1, user=USER.upper())), None, "used", ""),
        (log(sign_in(1), coverage=SHORT), None, "used", ""),
        (log(sign_in(1), failure=FAILED), None, "used", ""),
        (log(), None, "not_seen", ""),
        (log(sign_in(1, 50126)), None, "not_seen", ""),
        (log(sign_in(1, user="somebody-else")), None, "not_seen", ""),
        (log(coverage=SHORT), None, "unknown", "reaches back 5 of 30 days"),
        (log(failure=FAILED), None, "unknown", FAILED),
        (log(sign_in(1, 50126), failure=FAILED), None, "unknown", FAILED),
        (None, None, "unknown", "neither the sign-in log nor a report"),
        (None, report("scanner1@contoso.example"), "used", ""),
        (None, report("scan@contoso.example"), "used", ""),
        (None, report("other@contoso.example"), "not_seen", ""),
        (None, report(coverage=SHORT), "unknown", "reaches back 5 of 30 days"),
        (log(failure=FAILED), report(), "not_seen", ""),
        (log(), report(coverage=SHORT), "not_seen", ""),
        (log(failure=FAILED), report(coverage=SHORT), "unknown", f"{FAILED}; the sign-in log"),
        (log(), report("scan@contoso.example"), "used", ""),
    ],
)
def test_the_state_of_a_mailbox(log: Log | None, report: Report | None, state: str, reason: str) -> None:
    usage = usage_of(USER, ADDRESSES, log, report)
    assert usage.state == state
    assert reason in usage.reason
    assert bool(usage.reason) == (state == "unknown")


def test_a_mailbox_without_an_object_id_is_not_to_be_found_in_the_log() -> None:
    usage = usage_of("", ADDRESSES, log(sign_in(1, user="")), None)
    assert usage.state == "unknown"
    assert "no object id" in usage.reason


def test_successes_and_failures_are_told_apart() -> None:
    rows = [
        sign_in(1),
        sign_in(3, clientAppUsed="SMTP"),
        sign_in(2),
        sign_in(9, 50126, ipAddress="198.51.100.77"),
        sign_in(8, 50126, ipAddress="198.51.100.77"),
        sign_in(7, 53003),
        sign_in(6, "no number"),
    ]
    assert usage_of(USER, ADDRESSES, log(*rows), None).result() == {
        "state": "used",
        "last_seen": "2026-11-13T06:12:01Z",
        "sign_ins": 3,
        "addresses": ["203.0.113.1", "203.0.113.3", "203.0.113.2"],
        "clients": ["Authenticated SMTP", "SMTP"],
        "streams": ["nonInteractiveUser"],
        "protocols": ["ropc"],
        "failed_sign_ins": 4,
        "last_failed": "2026-11-19T06:12:01Z",
        "failures": {"wrong user name or password": 2, "blocked by Conditional Access": 1, "-1": 1},
    }


def test_failures_alone_are_shown_and_are_no_use() -> None:
    result = usage_of(USER, ADDRESSES, log(sign_in(1, 50053)), None).result()
    assert result["state"] == "not_seen"
    assert result["failures"] == {"the account is locked": 1}
    assert "last_seen" not in result
    assert result["addresses"] == []


@pytest.mark.parametrize(
    "status", [None, {}, {"errorCode": None}, {"errorCode": "0"}, {"errorCode": False}, {"errorCode": 50140}]
)
def test_only_a_zero_is_a_success(status: t.Any) -> None:
    assert usage_of(USER, ADDRESSES, log(sign_in(1, status=status)), None).state == "not_seen"


def test_a_row_that_comes_twice_counts_once() -> None:
    assert usage_of(USER, ADDRESSES, log(sign_in(1), sign_in(1)), None).result()["sign_ins"] == 1


def test_what_is_kept_of_one_user_is_bounded() -> None:
    rows = [sign_in(1, id=f"{number}", ipAddress=f"10.0.{number // 256}.{number % 256}") for number in range(5000)]
    result = usage_of(USER, ADDRESSES, log(*rows), None).result()
    assert result["sign_ins"] == 5000
    assert len(result["addresses"]) == 20


@pytest.mark.parametrize(
    ("oldest", "days", "gap"),
    [
        (30, 30, ""),
        (29, 30, ""),
        (60, 30, ""),
        (28, 30, "reaches back 28 of 30 days"),
        (5, 30, "reaches back 5 of 30 days"),
        (30, 90, "reaches back 30 of 90 days"),
        (None, 30, "the sign-in log is empty"),
        (0, 1, ""),
    ],
)
def test_how_far_the_log_covers_the_days_asked_about(oldest: int | None, days: int, gap: str) -> None:
    day = None if oldest is None else TODAY - datetime.timedelta(days=oldest)
    coverage = log_coverage(TODAY, days, day)
    assert gap in coverage.gap
    assert bool(coverage.gap) == bool(gap)
    assert coverage.result()["complete"] == (not gap)


def test_a_user_in_the_log_who_has_no_mailbox() -> None:
    found = log(
        sign_in(1), sign_in(2, user="aa", userPrincipalName="guest@contoso.example"), sign_in(3, 50126, user="bb")
    )
    assert unmatched_users(found, [USER.upper(), ""]) == ["guest@contoso.example"]


@pytest.mark.parametrize(("days", "state"), [(0, "used"), (30, "used"), (31, "not_seen"), (80, "not_seen")])
def test_what_was_sent_before_the_time_asked_about_is_no_use(days: int, state: str) -> None:
    sent = Sent(basic=1, last=TODAY - datetime.timedelta(days=days))
    assert (
        usage_of("", ["scan@contoso.example"], None, Report({"scan@contoso.example": sent}, FULL, SINCE)).state == state
    )


def test_the_report_says_by_which_protocol_and_until_when() -> None:
    sent = Sent(basic=2, oauth=1, other=4, last=TODAY)
    usage = usage_of("", ["scan@contoso.example"], None, Report({"scan@contoso.example": sent}, FULL, SINCE))
    assert usage.result() == {
        "state": "used",
        "last_seen": "2026-11-26",
        "report": {"basic": 2, "oauth": 1, "protocol_not_given": 4, "last_day": "2026-11-26"},
    }
