# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out a plan: in phases, behind guards that look again, believing nothing that was not seen."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._apply import Outcome, Outcomes, Waiting, apply
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    ExoError,
    Interrupted,
    InvalidRequest,
    NotConfirmed,
    PartialFailure,
    ServiceUnavailable,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Listed, Plan, ordered, places
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

AUTH = "SmtpClientAuthenticationDisabled"
START = datetime.datetime(2026, 11, 26, 9, 0, tzinfo=datetime.timezone.utc)
LOST = ServiceUnavailable("The connection was lost.", retryable=True, in_doubt=True)
Tenant = Callable[..., t.Any]


class Watch:
    """Two clocks that go on only when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        self.meanwhile()

    def waiting(self, **options: t.Any) -> Waiting:
        def now() -> datetime.datetime:
            return START + datetime.timedelta(seconds=self.passed)

        return Waiting(sleep=self.sleep, clock=lambda: self.passed, now=now, **options)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def record(client: t.Any, number: int) -> Record:
    box = list(client.boxes.values())[number - 1]
    address = box["PrimarySmtpAddress"]
    return Record(Target(CAS_MAILBOX, box["Guid"], address, address), dict(box))


def change(client: t.Any, number: int, **settings: t.Any) -> Change:
    return plan_change(record(client, number), CAS_MAILBOX.parse(settings))


def auth(client: t.Any, number: int, value: t.Any) -> Change:
    return change(client, number, **{SMTP_AUTH: value})


def organization(client: t.Any, closed: bool) -> Change:
    return plan_change(Record(Target(TRANSPORT_CONFIG), dict(client.transport)), {SMTP_AUTH: closed})


def plan_of(*changes: Change, **options: t.Any) -> Plan:
    return Plan(ordered(changes, **options), changes)


def states(outcomes: Outcomes) -> dict[str, tuple[str, bool, bool | None]]:
    return {o.change.label: (o.status, o.sent, o.confirmed) for o in outcomes}


def error_of(outcomes: Outcomes, label: str) -> ExoError:
    (error,) = [outcome.error for outcome in outcomes if outcome.change.label == label]
    assert error is not None
    return error


CHANGED = ("changed", True, True)
HELD = ("failed", False, None)


def test_everything_is_written_in_order_and_seen(tenant: Tenant, watch: Watch) -> None:
    client = tenant(3, organization={AUTH: False})
    told: list[tuple[str, int, int | None]] = []
    allowed = auth(client, 1, False)
    plan = plan_of(
        organization(client, True),
        auth(client, 3, True),
        allowed,
        listed=Listed((allowed.target,)),
    )
    outcomes = apply(client, plan, watch.waiting(), lambda *note: told.append(note))
    assert client.written == [
        ("user1@contoso.com", {AUTH: False}),
        ("user3@contoso.com", {AUTH: True}),
        ("the organization", {AUTH: True}),
    ]
    assert set(states(outcomes).values()) == {CHANGED}
    assert (outcomes.changed, outcomes.confirmed, outcomes.failure(), outcomes.fatal) == (True, True, None, None)
    assert watch.slept == []
    assert ("writing", 3, 3) in told
    # the allowed mailbox was looked at between its own write and the organization's
    names = [command.name for command in client.ran]
    last = len(names) - 1 - names[::-1].index("Set-CASMailbox")
    assert "Get-CASMailbox" in names[last : names.index("Set-TransportConfig")]


def test_nothing_to_do_sends_nothing(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1)
    outcomes = apply(client, plan_of(change(client, 1, pop_enabled=False)), watch.waiting())
    assert (list(outcomes), client.ran) == ([], [])
    assert (outcomes.changed, outcomes.confirmed, outcomes.failure()) == (False, None, None)


def test_who_does_not_wait_reads_nothing_back(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {"PopEnabled": True})
    outcomes = apply(client, plan_of(change(client, 1, pop_enabled=False)), watch.waiting(confirm=False))
    assert states(outcomes) == {"user1@contoso.com": ("changed", True, None)}
    assert [command.name for command in client.ran] == ["Set-CASMailbox"]
    assert outcomes.confirmed is None


# What comes to show late, or never


def test_what_shows_late_is_waited_for(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {"PopEnabled": True})
    stale = dict(client.boxes["00000000-0000-4000-8000-000000000001"])
    run = client._run

    def late(command: Command) -> t.Any:
        answer = run(command)
        return type(answer)((stale,)) if command.reads and watch.passed < 3 else answer

    client._run = late
    outcomes = apply(client, plan_of(change(client, 1, pop_enabled=False)), watch.waiting())
    assert states(outcomes) == {"user1@contoso.com": CHANGED}
    assert watch.slept == [1.0, 2.0]


def test_what_never_shows_is_told_and_the_time_is_kept(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {"PopEnabled": True})
    run = client._run

    def deaf(command: Command) -> t.Any:
        return type(run(Command("Get-TransportConfig")))() if command.subject == "user2@contoso.com" else run(command)

    plan = plan_of(*(change(client, n, pop_enabled=False) for n in (1, 2)))
    client._run = lambda command: run(command) if command.reads else deaf(command)
    outcomes = apply(client, plan, watch.waiting(timeout=20))
    assert states(outcomes) == {"user1@contoso.com": CHANGED, "user2@contoso.com": ("changed", True, False)}
    assert outcomes.unconfirmed() == ["user2@contoso.com"]
    assert outcomes.confirmed is False
    assert outcomes.failure() is None
    assert watch.slept == [1.0, 2.0, 4.0, 8.0]
    assert sum(watch.slept) <= 20


def test_what_can_t_be_read_back_is_not_confirmed_and_stands(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {"PopEnabled": True})
    plan = plan_of(change(client, 1, pop_enabled=False))
    client.before = lambda command: ServiceUnavailable("Down.") if command.reads else None
    outcomes = apply(client, plan, watch.waiting(timeout=5))
    assert states(outcomes) == {"user1@contoso.com": ("changed", True, False)}


# Failures


def test_one_failure_leaves_the_others(tenant: Tenant, watch: Watch) -> None:
    client = tenant(3, {"PopEnabled": True})
    plan = plan_of(*(change(client, n, pop_enabled=False) for n in (1, 2, 3)))
    no = InvalidRequest("No.", cmdlet="Set-CASMailbox", http_status=400, request_id="r-1")
    client.before = lambda command: no if command.subject == "user2@contoso.com" and not command.reads else None
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {
        "user1@contoso.com": CHANGED, "user2@contoso.com": ("failed", False, None), "user3@contoso.com": CHANGED,
    }  # fmt: skip
    failure = outcomes.failure()
    assert isinstance(failure, PartialFailure)
    assert str(failure).startswith("1 of 3 changes failed, the others are done. user2@contoso.com: No.")
    assert (failure.http_status, failure.cmdlet, failure.request_id) == (400, "Set-CASMailbox", "r-1")
    assert "again" in (failure.hint or "")


def test_a_failure_of_all_is_told_as_it_is(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {"PopEnabled": True})
    plan = plan_of(*(change(client, n, pop_enabled=False) for n in (1, 2)))
    no = InvalidRequest("No.", hint="Ask.")
    client.before = lambda command: no
    outcomes = apply(client, plan, watch.waiting())
    assert outcomes.failure() is no
    assert not outcomes.changed


@pytest.mark.parametrize("kind", [AccessDenied, Interrupted])
def test_nothing_more_is_sent_after_what_would_hit_all(kind: type[ExoError], tenant: Tenant, watch: Watch) -> None:
    client = tenant(3, {AUTH: None}, organization={AUTH: False})
    first, second, third = auth(client, 1, False), auth(client, 2, False), auth(client, 3, True)
    plan = plan_of(first, second, third, organization(client, True))
    client.before = lambda command: kind("Out.") if command.subject == "user2@contoso.com" else None
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {"user1@contoso.com": ("changed", True, None), "user2@contoso.com": HELD}
    assert isinstance(outcomes.failure(), kind)
    assert [command.name for command in client.ran] == ["Set-CASMailbox", "Set-CASMailbox"]


def test_a_run_that_ended_before_writes_nothing(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {"PopEnabled": True})
    plan = plan_of(change(client, 1, pop_enabled=False))
    client.alive = False
    outcomes = apply(client, plan, watch.waiting())
    assert isinstance(outcomes.failure(), Interrupted)
    assert client.ran == []


# Doubtful writes: the answer was lost


def lost_answer(*subjects: str) -> Callable[[Command], ExoError | None]:
    return lambda command: LOST if command.subject in subjects and not command.reads else None


def test_a_doubtful_write_that_shows_is_done(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {"PopEnabled": True})
    plan = plan_of(*(change(client, n, pop_enabled=False) for n in (1, 2)))
    client.after = lost_answer("user1@contoso.com")
    outcomes = apply(client, plan, watch.waiting())
    assert set(states(outcomes).values()) == {CHANGED}
    assert outcomes.failure() is None


def test_a_doubtful_write_that_does_not_show_is_a_failure(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {"PopEnabled": True})
    plan = plan_of(*(change(client, n, pop_enabled=False) for n in (1, 2)))
    client.before = lost_answer("user1@contoso.com")
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {"user1@contoso.com": ("failed", True, None), "user2@contoso.com": CHANGED}
    assert isinstance(outcomes.failure(), PartialFailure)
    assert outcomes.changed


def test_a_doubtful_write_that_can_t_be_looked_at_is_a_failure(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {"PopEnabled": True})
    plan = plan_of(change(client, 1, pop_enabled=False))
    client.after = lost_answer("user1@contoso.com")
    client.before = lambda command: ServiceUnavailable("Down.") if command.reads else None
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {"user1@contoso.com": ("failed", True, None)}
    assert outcomes.failure() is LOST


def test_a_doubtful_write_is_not_looked_at_once_access_fails(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {"PopEnabled": True})
    plan = plan_of(*(change(client, n, pop_enabled=False) for n in (1, 2)))
    client.after = lost_answer("user1@contoso.com")
    client.before = lambda command: AccessDenied("Out.") if command.subject == "user2@contoso.com" else None
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes)["user1@contoso.com"] == ("failed", True, None)
    assert not any(command.reads for command in client.ran)


def test_a_scanner_in_doubt_keeps_the_organization_open(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, organization={AUTH: False})
    allowed = auth(client, 1, False)
    plan = plan_of(allowed, organization(client, True), listed=Listed((allowed.target,)))
    client.before = lost_answer("user1@contoso.com")
    outcomes = apply(client, plan, watch.waiting())
    assert client.transport[AUTH] is False
    assert states(outcomes)["the organization"] == HELD
    assert "user1@contoso.com could not be enabled first" in str(error_of(outcomes, "the organization"))


# Two calls for one mailbox


def two_calls(client: t.Any) -> Change:
    former = {"imap_use_protocol_defaults": True, "imap_messages_retrieval_mime_format": "TextOnly"}
    return plan_change(record(client, 1), CAS_MAILBOX.exactly(former), exact=True)


TWO: dict[str, t.Any] = {"ImapUseProtocolDefaults": False, "ImapMessagesRetrievalMimeFormat": "Tnef"}


def test_both_calls_in_turn(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, TWO)
    outcomes = apply(client, plan_of(two_calls(client)), watch.waiting())
    assert [values for _subject, values in client.written] == [
        {"ImapMessagesRetrievalMimeFormat": "TextOnly", "ImapUseProtocolDefaults": False},
        {"ImapUseProtocolDefaults": True},
    ]
    assert states(outcomes) == {"user1@contoso.com": CHANGED}


def test_the_second_call_waits_for_the_first(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, TWO)
    plan = plan_of(two_calls(client))
    client.before = lambda command: None if command.reads else InvalidRequest("No.")
    outcomes = apply(client, plan, watch.waiting())
    assert len(client.writes) == 1
    assert states(outcomes) == {"user1@contoso.com": ("failed", False, None)}


def test_a_second_call_that_fails_is_half_written(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, TWO)
    plan = plan_of(two_calls(client))
    client.before = lambda command: InvalidRequest("No.") if len(client.writes) == 2 and not command.reads else None
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {"user1@contoso.com": ("failed", True, None)}
    assert outcomes.changed


def test_a_first_call_whose_other_fails_for_all_is_told_as_half_written(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, TWO)
    plan = plan_of(two_calls(client), change(client, 2, pop_enabled=True))
    client.before = lambda command: AccessDenied("Out.") if command.subject == "user2@contoso.com" else None
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes)["user1@contoso.com"] == ("failed", True, None)
    assert "Half written" in str(error_of(outcomes, "user1@contoso.com"))


# Guards


@pytest.mark.parametrize("own_write", [True, False], ids=["written now", "enabled before"])
def test_who_was_changed_back_meanwhile_keeps_the_organization_open(
    own_write: bool, tenant: Tenant, watch: Watch
) -> None:
    """Somebody sets the scanner back to null during the delay, or the first read was stale."""
    client = tenant(1, {AUTH: None if own_write else False}, organization={AUTH: False})
    box = next(iter(client.boxes.values()))
    allowed = auth(client, 1, False)
    plan = plan_of(allowed, organization(client, True), listed=Listed((allowed.target,)), delay=30)

    def back() -> None:
        box[AUTH] = None

    watch.meanwhile = back
    outcomes = apply(client, plan, watch.waiting(timeout=10))
    assert client.transport[AUTH] is False
    error = error_of(outcomes, "the organization")
    assert isinstance(error, NotConfirmed)
    assert "user1@contoso.com is not seen enabled" in str(error)
    assert isinstance(outcomes.failure(), NotConfirmed)


def test_who_was_changed_back_by_others_is_not_waited_for(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: None}, organization={AUTH: False})
    plan = plan_of(organization(client, True), listed=Listed((record(client, 1).target,)))
    apply(client, plan, watch.waiting())
    assert watch.slept == []
    assert client.writes == []


def test_a_listed_mailbox_that_is_gone_is_not_seen(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: False}, organization={AUTH: False})
    plan = plan_of(organization(client, True), listed=Listed((record(client, 1).target,)))
    client.boxes.clear()
    outcomes = apply(client, plan, watch.waiting())
    assert isinstance(error_of(outcomes, "the organization"), NotConfirmed)
    assert client.writes == []


def test_opening_looks_at_who_must_stay_closed(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: None}, organization={AUTH: True})
    plan = plan_of(organization(client, False), listed=Listed((), (record(client, 1).target,)))
    outcomes = apply(client, plan, watch.waiting())
    assert "not seen disabled" in str(error_of(outcomes, "the organization"))
    assert client.transport[AUTH] is True


def test_a_guard_that_can_t_be_looked_at_does_not_hold(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {AUTH: False}, organization={AUTH: False})
    plan = plan_of(organization(client, True), listed=Listed(tuple(record(client, n).target for n in (1, 2))))
    client.before = lambda command: ServiceUnavailable("Down.") if command.reads else None
    outcomes = apply(client, plan, watch.waiting())
    error = error_of(outcomes, "the organization")
    assert isinstance(error, NotConfirmed)
    assert "user1@contoso.com and 1 more can go on: Down." in str(error)
    assert client.writes == []


def test_access_that_fails_while_looking_ends_the_task(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: False}, organization={AUTH: False})
    plan = plan_of(organization(client, True), listed=Listed((record(client, 1).target,)))
    client.before = lambda command: AccessDenied("Out.")
    outcomes = apply(client, plan, watch.waiting())
    assert isinstance(outcomes.fatal, AccessDenied)
    assert client.writes == []


def test_a_guard_that_fails_keeps_every_later_phase_with_a_guard(tenant: Tenant, watch: Watch) -> None:
    client = tenant(4, {AUTH: None}, organization={AUTH: False})
    list(client.boxes.values())[3][AUTH] = False
    allowed, stray, follows = auth(client, 1, False), auth(client, 2, True), auth(client, 4, "inherit")
    other = change(client, 3, pop_enabled=True)
    plan = plan_of(
        allowed,
        stray,
        other,
        follows,
        organization(client, True),
        listed=Listed((allowed.target,)),
        unlisted=places([stray.target, follows.target]),
    )
    client.before = lambda command: (
        InvalidRequest("No.") if command.subject == "user1@contoso.com" and not command.reads else None
    )
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {
        "user1@contoso.com": HELD,
        "user2@contoso.com": HELD,
        "user3@contoso.com": CHANGED,
        "user4@contoso.com": HELD,
        "the organization": HELD,
    }
    assert error_of(outcomes, "user2@contoso.com").message.startswith("Not written: The mailboxes on no list were left")
    assert error_of(outcomes, "the organization").message.startswith("The mailboxes on no list were left")
    assert client.written[-1][0] == "user3@contoso.com"


def test_who_follows_waits_until_the_organization_shows(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: False}, organization={AUTH: False})
    plan = plan_of(auth(client, 1, "inherit"), organization(client, True))
    run = client._run

    def stale(command: Command) -> t.Any:
        answer = run(command)
        if command.name == "Get-TransportConfig" and watch.passed < 2:
            return type(answer)(({**client.transport, AUTH: False},))
        return answer

    client._run = stale
    outcomes = apply(client, plan, watch.waiting())
    assert states(outcomes) == {"the organization": CHANGED, "user1@contoso.com": CHANGED}
    assert watch.slept == [1.0, 2.0]


def test_a_blocked_phase_is_not_written_and_carries_its_reason(tenant: Tenant, watch: Watch) -> None:
    client = tenant(2, {AUTH: None}, organization={AUTH: False})
    next(iter(client.boxes.values()))[AUTH] = False
    reason = NotConfirmed("Somebody is gone.", hint="Look.")
    plan = plan_of(organization(client, True), auth(client, 1, "inherit"), auth(client, 2, False), blocked_by=reason)
    outcomes = apply(client, plan, watch.waiting())
    assert [subject for subject, _values in client.written] == ["user2@contoso.com"]
    assert error_of(outcomes, "the organization") is reason
    left = error_of(outcomes, "user1@contoso.com")
    assert (type(left), left.message, left.hint) == (NotConfirmed, "Not written: Somebody is gone.", "Look.")


# The propagation delay


def closing(client: t.Any, *numbers: int, delay: float = 30, write: bool = False) -> Plan:
    boxes = [record(client, n).target for n in numbers]
    changes = [auth(client, n, False) for n in numbers] if write else []
    return plan_of(*changes, organization(client, True), listed=Listed(tuple(boxes)), delay=delay)


@pytest.mark.parametrize(
    ("changed", "waits"),
    [
        ("2026-11-26T08:59:50Z", 20.0),
        ("2026-11-26T08:59:50", 20.0),
        ("2026-11-26T08:59:50+00:00", 20.0),
        ("2026-11-26T09:59:50+01:00", 20.0),
        ("2026-11-26T08:59:30Z", 0.0),
        ("2020-01-01T00:00:00Z", 0.0),
        ("soon", 30.0),
        (None, 30.0),
        (7, 30.0),
    ],
)
def test_the_delay_counts_from_the_last_change_whoever_made_it(
    changed: t.Any, waits: float, tenant: Tenant, watch: Watch
) -> None:
    """Also in the run after one that was cancelled in its wait, where nothing is left to enable."""
    client = tenant(2, {AUTH: False, "WhenChangedUTC": "2020-01-01T00:00:00Z"}, organization={AUTH: False})
    next(iter(client.boxes.values()))["WhenChangedUTC"] = changed
    apply(client, closing(client, 1, 2), watch.waiting())
    assert sum(watch.slept) == waits
    assert all(seconds <= 1.0 for seconds in watch.slept)
    assert client.transport[AUTH] is True


def test_without_a_date_it_counts_from_this_runs_own_write(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, organization={AUTH: False})
    plan = closing(client, 1, write=True)
    run = client._run

    def slow(command: Command) -> t.Any:
        if not command.reads:
            watch.passed += 100
        return run(command)

    client._run = slow
    apply(client, plan, watch.waiting())
    assert sum(watch.slept) == 30.0


def test_a_date_ahead_of_this_hosts_clock_counts_from_when_it_was_seen(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: False, "WhenChangedUTC": "2026-11-26T10:00:00Z"}, organization={AUTH: False})
    apply(client, closing(client, 1), watch.waiting())
    assert sum(watch.slept) == 30.0
    assert client.transport[AUTH] is True


def test_a_clock_that_is_ahead_of_the_services_does_not_shorten_the_delay(tenant: Tenant, watch: Watch) -> None:
    """By this host the change is ten minutes old, by the service ten seconds."""
    client = tenant(1, {AUTH: False, "WhenChangedUTC": "2026-11-26T08:50:00Z"}, organization={AUTH: False})
    client.clock_ahead = datetime.timedelta(minutes=9, seconds=50)
    apply(client, closing(client, 1), watch.waiting())
    assert sum(watch.slept) == 20.0


def test_a_date_that_says_whole_seconds_does_not_look_like_a_change(tenant: Tenant, watch: Watch) -> None:
    """How far the clock is ahead comes out differently with each answer, by up to a second."""
    client = tenant(1, {AUTH: False, "WhenChangedUTC": "2026-11-26T08:59:50Z"}, organization={AUTH: False})
    run = client._run

    def answer(command: Command) -> t.Any:
        client.clock_ahead += datetime.timedelta(milliseconds=200)
        return run(command)

    client._run = answer
    apply(client, closing(client, 1), watch.waiting())
    assert client.transport[AUTH] is True
    assert 20.0 < sum(watch.slept) < 21.0


def test_a_change_during_the_delay_starts_it_anew(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: False, "WhenChangedUTC": "2026-11-26T09:00:00Z"}, organization={AUTH: False})
    box = next(iter(client.boxes.values()))

    def touched() -> None:
        if watch.passed == 10:
            box["WhenChangedUTC"] = "2026-11-26T09:00:10Z"

    watch.meanwhile = touched
    apply(client, closing(client, 1), watch.waiting())
    assert sum(watch.slept) == 40.0
    assert client.transport[AUTH] is True


def test_a_mailbox_that_is_changed_again_and_again_keeps_the_organization_open(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, {AUTH: False, "WhenChangedUTC": "2026-11-26T09:00:00Z"}, organization={AUTH: False})
    box = next(iter(client.boxes.values()))

    def touched() -> None:
        when = START + datetime.timedelta(seconds=watch.passed)
        box["WhenChangedUTC"] = when.isoformat()

    watch.meanwhile = touched
    outcomes = apply(client, closing(client, 1), watch.waiting())
    assert client.transport[AUTH] is False
    assert "again and again" in str(error_of(outcomes, "the organization"))
    assert watch.passed < 1000


def test_a_run_that_ends_in_the_wait_leaves_the_organization(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, organization={AUTH: False})
    told: list[tuple[str, int, int | None]] = []

    def killed() -> None:
        client.alive = watch.passed < 5

    watch.meanwhile = killed
    plan = closing(client, 1, write=True)
    outcomes = apply(client, plan, watch.waiting(), lambda *note: told.append(note))
    assert client.transport[AUTH] is False
    assert isinstance(outcomes.failure(), Interrupted)
    assert watch.passed == 5
    assert ("letting every server learn of the enabled mailboxes", 4, 30) in told
    assert states(outcomes)["user1@contoso.com"] == ("changed", True, True)


def test_nobody_listed_needs_no_delay(tenant: Tenant, watch: Watch) -> None:
    client = tenant(1, organization={AUTH: False})
    apply(client, closing(client), watch.waiting())
    assert watch.slept == []
    assert client.transport[AUTH] is True


# What outcomes say


def test_outcomes_of_nothing() -> None:
    target = Target(CAS_MAILBOX, "g1", "u1", "u1@contoso.com")
    same = Outcome(Change(target, {"pop_enabled": True}, {"pop_enabled": True}))
    assert same.status == "unchanged"
    outcomes = Outcomes()
    assert outcomes.of(same.change) is None
    outcomes.put(same)
    assert outcomes.of(same.change) is same
    assert (outcomes.changed, outcomes.confirmed, outcomes.unconfirmed(), outcomes.failure()) == (False, None, [], None)
