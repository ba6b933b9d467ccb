# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the sign-in log: how far it reaches back, and what becomes of one that can't be read."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _errors as e
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import NoLicence
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import quiet
from ansible_collections.m365.exchange_online.plugins.module_utils._sign_in_log import read_log
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import Log, usage_of

TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class FakeGraph:
    """A log with a sign-in of each kind on these days (0 is today), that may fail after some rows."""

    tenant_id = TENANT

    def __init__(
        self, days: t.Iterable[int], rows: t.Sequence[dict[str, t.Any]] = (), error: Exception | None = None
    ) -> None:
        self.times = [NOW - day * DAY - datetime.timedelta(hours=1) for day in days]
        self.rows = list(rows)
        self.error = error
        self.asked: list[tuple[str, str]] = []
        self.probes = 0

    def sign_ins(self, client: str, stream: str, start: t.Any, end: t.Any) -> Iterator[dict[str, t.Any]]:
        self.asked.append((client, stream))
        yield from (row for row in self.rows if row["clientAppUsed"] == client and row["stream"] == stream)
        if self.error and len(self.asked) == 3:
            raise self.error

    def any_sign_in(self, start: datetime.datetime, end: datetime.datetime) -> bool:
        self.probes += 1
        return any(start <= when < end for when in self.times)


def row(client: str = "SMTP", stream: str = "interactiveUser", **changed: t.Any) -> dict[str, t.Any]:
    values = {"id": f"{client} {stream}", "userId": "u1", "clientAppUsed": client, "stream": stream}
    return {**values, "status": {"errorCode": 0}, "resourceTenantId": TENANT, "homeTenantId": TENANT, **changed}


def read(graph: FakeGraph | None, days: int = 30) -> Log:
    return read_log(t.cast(t.Any, graph), NOW, days, quiet)


def test_both_clients_are_asked_for_in_both_streams() -> None:
    graph = FakeGraph([30])
    read(graph)
    assert graph.asked == [
        ("Authenticated SMTP", "nonInteractiveUser"),
        ("Authenticated SMTP", "interactiveUser"),
        ("SMTP", "nonInteractiveUser"),
        ("SMTP", "interactiveUser"),
    ]


@pytest.mark.parametrize("client", ["Authenticated SMTP", "SMTP"])
@pytest.mark.parametrize("stream", ["nonInteractiveUser", "interactiveUser"])
def test_a_sign_in_in_any_of_them_is_found(client: str, stream: str) -> None:
    log = read(FakeGraph([30], [row(client, stream)]))
    assert usage_of("u1", [], log, None).state == "used"


@pytest.mark.parametrize("young", [*range(1, 29)])
def test_a_young_log_is_measured_to_the_day(young: int) -> None:
    graph = FakeGraph(range(young))
    log = read(graph)
    assert log.coverage.gap == f"the sign-in log reaches back {young} of 30 days"
    assert usage_of("u1", [], log, None).state == "unknown"
    assert graph.probes <= 8


@pytest.mark.parametrize("oldest", [29, 30, 31, 32])
def test_a_log_that_reaches_back_takes_one_question(oldest: int) -> None:
    graph = FakeGraph([oldest, 0])
    assert read(graph).coverage.gap == ""
    assert graph.probes == 1


def test_a_log_with_gaps_is_never_taken_for_longer_than_it_is() -> None:
    log = read(FakeGraph([0, 1, 20]))
    assert log.coverage.start is not None
    assert log.coverage.start >= (NOW - 21 * DAY).date()
    assert log.coverage.gap


def test_an_empty_log_proves_nothing() -> None:
    log = read(FakeGraph([]))
    assert "empty" in log.coverage.gap
    assert usage_of("u1", [], log, None).state == "unknown"


def test_more_days_than_the_log_is_kept_for_leave_the_rest_unknown() -> None:
    assert read(FakeGraph([30]), days=90).coverage.gap == "the sign-in log reaches back 30 of 90 days"


@pytest.mark.parametrize(
    ("error", "text", "permission"),
    [
        (NoLicence("x"), "no Entra ID P1 or P2", ""),
        (e.AccessDenied("it may not."), "it may not", "AuditLog.Read.All"),
        (e.Throttled("too many requests."), "too many requests", ""),
        (e.ServiceUnavailable("HTTP 504."), "504", ""),
        (e.InvalidRequest("the page token has expired."), "expired", ""),
        (e.AuthenticationFailed("no token."), "no token", ""),
    ],
)
def test_a_log_that_fails_on_the_way_is_unknown_and_keeps_what_was_seen(
    error: e.ExoError, text: str, permission: str
) -> None:
    log = read(FakeGraph([30], [row("Authenticated SMTP")], error))
    assert text in log.failure
    assert log.permission == permission
    assert usage_of("u1", [], log, None).state == "used"
    assert usage_of("u2", [], log, None).state == "unknown"


def test_an_interruption_is_no_matter_of_the_log() -> None:
    with pytest.raises(e.Interrupted):
        read(FakeGraph([30], error=e.Interrupted("x")))


def test_an_access_token_alone_reads_no_log() -> None:
    assert "access_token" in read(None).failure


def test_another_tenants_sign_ins_stop_the_task() -> None:
    other = "11111111-2222-4333-8444-555555555555"
    with pytest.raises(e.WrongTenant, match=other):
        read(FakeGraph([30], [row(resourceTenantId=other, homeTenantId=other)]))


@pytest.mark.parametrize(
    "tenants",
    [
        {"resourceTenantId": TENANT.upper()},
        {"homeTenantId": "11111111-2222-4333-8444-555555555555"},
        {"resourceTenantId": "", "homeTenantId": ""},
        {"resourceTenantId": None, "homeTenantId": None},
    ],
)
def test_a_guest_or_a_silent_row_is_no_other_tenants(tenants: dict[str, t.Any]) -> None:
    assert read(FakeGraph([30], [row(**tenants)])).failure == ""
