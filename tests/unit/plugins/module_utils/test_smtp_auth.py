# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of SMTP AUTH: what the options mean, and what becomes of each mailbox."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _smtp_auth
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    Ambiguous,
    Expired,
    InvalidRequest,
    NotFound,
    Refused,
    ServiceUnavailable,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth import (
    Exemption,
    Policy,
    Read,
    assign,
    desired,
    make_plan,
    parse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH, TRANSPORT_CONFIG

TODAY = datetime.date(2026, 11, 23)
OPEN, CLOSED = {"SmtpClientAuthenticationDisabled": False}, {"SmtpClientAuthenticationDisabled": True}
MakeBox = Callable[..., Record]


def options(**given: t.Any) -> dict[str, t.Any]:
    return {
        "organization": None,
        "allowed": None,
        "denied": None,
        "unlisted": "unmanaged",
        "expired": "report",
        "allow_empty": False,
        "propagation_delay": 0,
        **given,
    }


def policy_of(**given: t.Any) -> Policy:
    return parse(options(**given), TODAY)


def entry(option: str = "allowed", identity: str = "scanner@contoso.com", days: int | None = None) -> Exemption:
    last_day = None if days is None else TODAY + datetime.timedelta(days=days)
    return Exemption(option, 0, identity, {}, last_day)


def policy(unlisted: str = "unmanaged", revoke: bool = False, organization: bool | None = None) -> Policy:
    return Policy(organization, (), unlisted, revoke)


# What becomes of a mailbox: its own value in front, then the value under each ``unlisted``.
UNLISTED_CHOICES = ("unmanaged", "not_enabled", "inherit", "disabled")
I = "inherit"  # noqa: E741
NOT_LISTED = {
    False: (False, I, I, True),
    True: (True, True, I, True),
    I: (I, I, I, True),
}
# An exception that was revoked leaves nothing behind: the mailbox has no claim to the value that it had.
REVOKED_ALLOWED = {
    False: (I, I, I, True),
    True: (True, True, I, True),
    I: (I, I, I, True),
}


def rows(name: str, values: dict[t.Any, tuple[t.Any, ...]], listed: str | None) -> Iterator[t.Any]:
    """What becomes of each own value under each ``unlisted``, one test each."""
    for own, becomes in values.items():
        for unlisted, value in zip(UNLISTED_CHOICES, becomes, strict=True):
            yield pytest.param(own, unlisted, value, listed, id=f"{name}-{own}-{unlisted}")


TABLE = [*rows("unlisted", NOT_LISTED, None), *rows("revoked", REVOKED_ALLOWED, "allowed")]


@pytest.mark.parametrize(("own", "unlisted", "value", "listed"), TABLE)
def test_a_mailbox_on_no_list_or_revoked(own: t.Any, unlisted: str, value: t.Any, listed: str | None) -> None:
    for revoke in (False, True) if listed is None else (True,):
        exemption = entry(listed, days=-1) if listed else None
        assert desired(own, exemption, policy(unlisted, revoke), TODAY) == value


@pytest.mark.parametrize("own", [False, True, I])
@pytest.mark.parametrize("unlisted", UNLISTED_CHOICES)
@pytest.mark.parametrize(("option", "value"), [("allowed", False), ("denied", True)])
@pytest.mark.parametrize(
    ("days", "revoke"), [(None, False), (None, True), (0, True), (5, True), (-1, False), (-400, False)]
)
def test_an_entry_in_force_decides(
    own: t.Any, unlisted: str, option: str, value: bool, days: int | None, revoke: bool
) -> None:
    assert desired(own, entry(option, days=days), policy(unlisted, revoke), TODAY) is value


@pytest.mark.parametrize(
    ("own", "unlisted", "value"),
    [
        (True, "unmanaged", I),
        (True, "disabled", True),
        (True, "inherit", I),
        (I, "unmanaged", I),
        (False, "disabled", True),
    ],
)
def test_a_denial_that_was_revoked_is_taken_away(own: t.Any, unlisted: str, value: t.Any) -> None:
    assert desired(own, entry("denied", days=-1), policy(unlisted, revoke=True), TODAY) == value


@pytest.mark.parametrize(
    ("days", "over", "near"),
    [(None, False, False), (-400, True, False), (-1, True, False), (0, False, True), (1, False, True),
     (29, False, True), (31, False, False), (365, False, False)],
)  # fmt: skip
def test_the_last_day_counts(days: int | None, over: bool, near: bool) -> None:
    assert entry(days=days).over(TODAY) is over
    assert entry(days=days).near(TODAY) is near


def test_parse() -> None:
    given = {"identity": " scanner@contoso.com ", "reason": "Old", "owner": "", "ticket": None, "expires": "2027-03-31"}
    result = policy_of(organization="disabled", allowed=[given], denied=[{"identity": "ceo@contoso.com"}])
    allowed, denied = result.entries
    assert result.organization is True
    assert (allowed.identity, allowed.desired, allowed.last_day) == (
        "scanner@contoso.com", False, datetime.date(2027, 3, 31),
    )  # fmt: skip
    assert allowed.result() == {"identity": "scanner@contoso.com", "reason": "Old", "expires": "2027-03-31"}
    assert (denied.identity, denied.desired, denied.last_day, denied.place) == (
        "ceo@contoso.com",
        True,
        None,
        "denied[0]",
    )
    assert policy_of(organization="enabled").organization is False
    assert policy_of(allowed=[]).organization is None
    assert policy_of(organization="disabled", expired="revoke").revoke


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Nothing is given"),
        ({"allowed": [{"identity": ""}]}, "allowed[0]"),
        ({"allowed": [{"identity": "a@b.example"}, {"identity": "  "}]}, "allowed[1]"),
        ({"denied": [{"identity": None}]}, "denied[0]"),
        ({"allowed": [{"identity": "a@b.example", "expires": "31.3.2027"}]}, "expires"),
        ({"allowed": [{"identity": "a@b.example", "expires": "2027-02-30"}]}, "expires"),
        ({"allowed": [{"identity": "a@b.example", "expires": "never"}]}, "a@b.example"),
        # what Python 3.11 takes for a date and 3.10 does not
        *(
            ({"allowed": [{"identity": "a@b.example", "expires": text}]}, text)
            for text in ("20270331", "2027-W13-3", "2027W133")
        ),
        ({"allowed": ["a@b.example", "*@b.example"]}, "allowed[1]"),
        ({"allowed": [["a@b.example"]]}, "allowed[0] has to be an address"),
        ({"allowed": [{"identity": "a@b.example", "expire": "2027-01-01"}]}, "unknown key expire"),
    ],
)
def test_what_is_no_policy(given: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        policy_of(**given)
    assert words in str(caught.value)


@pytest.mark.parametrize("unlisted", ["not_enabled", "inherit", "disabled"])
@pytest.mark.parametrize("allowed", [None, []])
def test_an_empty_list_that_cuts_everybody_off_has_to_be_meant(unlisted: str, allowed: list[t.Any] | None) -> None:
    with pytest.raises(Refused) as caught:
        policy_of(organization="disabled", allowed=allowed, unlisted=unlisted)
    assert "allow_empty" in (caught.value.hint or "")
    assert policy_of(organization="disabled", allowed=allowed, unlisted=unlisted, allow_empty=True).entries == ()


def test_two_entries_for_one_mailbox(mailbox: MakeBox) -> None:
    box = mailbox(1, "scanner@contoso.com")
    found = {"scanner@contoso.com": box, "scan": box}
    first = entry()
    same = Exemption("allowed", 3, "scan", {"owner": "somebody else"}, None)
    assert assign([first, same], found) == {box.key: first}
    for other in (
        Exemption("denied", 2, "scan", {}, None),
        Exemption("allowed", 2, "scan", {}, TODAY),
        Exemption("allowed", 2, "scan", {}, None, "oauth"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            assign([first, other], found)
        assert "allowed[0] (scanner@contoso.com)" in str(caught.value)
        assert f"{other.option}[2] (scan)" in str(caught.value)
    assert assign([entry(identity="gone")], found) == {}


def plan_of(
    given: dict[str, t.Any],
    organization: dict[str, t.Any],
    boxes: list[Record],
    missing: tuple[Missing, ...] = (),
    excluded: frozenset[str] = frozenset(),
) -> Plan:
    by_address = {box.target.primary_smtp_address: box for box in boxes}
    policy = policy_of(**given)
    found = {e.identity: by_address[e.identity] for e in policy.entries if e.identity in by_address}
    record = Record(Target(TRANSPORT_CONFIG), organization)
    return make_plan(policy, Read(record, boxes, found, missing, excluded), TODAY)


def phases(plan: Plan) -> list[list[str]]:
    return [[change.label for change in phase.changes] for phase in plan.phases]


def test_the_whole_plan(mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]) -> None:
    boxes = [
        mailbox(1, "scanner@contoso.com"),
        mailbox(2, "stray@contoso.com", SmtpClientAuthenticationDisabled=False),
        mailbox(3, "ceo@contoso.com", SmtpClientAuthenticationDisabled=None),
        mailbox(4, "frank@contoso.com"),
        mailbox(5, "closed@contoso.com", SmtpClientAuthenticationDisabled=True),
        mailbox(6, "spared@contoso.com", SmtpClientAuthenticationDisabled=False),
    ]
    given = {
        "organization": "disabled",
        "allowed": ["scanner@contoso.com"],
        "denied": [{"identity": "ceo@contoso.com"}],
        "unlisted": "not_enabled",
        "propagation_delay": 900,
    }
    plan = plan_of(given, transport_wire(**OPEN), boxes, excluded=frozenset({boxes[5].key}))
    assert phases(plan) == [
        ["scanner@contoso.com"],
        ["ceo@contoso.com"],
        ["the organization"],
        ["stray@contoso.com"],
    ]
    flip = plan.phases[2].guard
    assert flip is not None
    assert [expected.target.label for expected in flip.expected] == ["scanner@contoso.com"]
    assert flip.delay == 900
    assert plan.matched == 5
    assert {target.label for target in plan.effect.lose} == {
        "stray@contoso.com", "ceo@contoso.com", "frank@contoso.com",
    }  # fmt: skip
    assert plan.effect.gain == ()
    assert plan.effect.states[boxes[0].target.place] == (True, True)
    assert boxes[5].target.place not in plan.effect.states
    assert plan.blocked_by is None


def test_who_is_excluded_and_follows_the_organization_is_known_to_lose_with_it(
    mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]
) -> None:
    boxes = [mailbox(1, "scanner@contoso.com"), mailbox(2, "spared@contoso.com")]
    given = {"organization": "disabled", "allowed": ["scanner@contoso.com"], "unlisted": "disabled"}
    plan = plan_of(given, transport_wire(**OPEN), boxes, excluded=frozenset({boxes[1].key}))
    assert phases(plan) == [["scanner@contoso.com"], ["the organization"]]
    assert [target.label for target in plan.effect.lose] == ["spared@contoso.com"]
    assert plan.matched == 1


def test_a_listed_mailbox_that_needs_no_write_is_looked_at_all_the_same(
    mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]
) -> None:
    boxes = [mailbox(1, SmtpClientAuthenticationDisabled=False), mailbox(2, SmtpClientAuthenticationDisabled=True)]
    given = {"allowed": ["user1@contoso.com"], "denied": ["user2@contoso.com"]}
    for word, current, kept in (("disabled", OPEN, "user1"), ("enabled", CLOSED, "user2")):
        plan = plan_of({"organization": word, **given}, transport_wire(**current), boxes)
        (phase,) = plan.phases
        assert phase.guard is not None
        assert [expected.target.label for expected in phase.guard.expected] == [f"{kept}@contoso.com"]


def test_the_unlisted_wait_for_those_on_the_list(
    mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]
) -> None:
    boxes = [mailbox(1), mailbox(2, SmtpClientAuthenticationDisabled=False)]
    plan = plan_of({"allowed": ["user1@contoso.com"], "unlisted": "disabled"}, transport_wire(**CLOSED), boxes)
    assert phases(plan) == [["user1@contoso.com"], ["user2@contoso.com"]]
    guard = plan.phases[1].guard
    assert guard is not None
    assert [expected.target.label for expected in guard.expected] == ["user1@contoso.com"]


@pytest.mark.parametrize("allowed", [None, []])
@pytest.mark.parametrize("organization", [OPEN, CLOSED])
def test_closing_with_nobody_allowed_has_to_be_meant(
    allowed: list[t.Any] | None,
    organization: dict[str, t.Any],
    mailbox: MakeBox,
    transport_wire: Callable[..., dict[str, t.Any]],
) -> None:
    given: dict[str, t.Any] = {"organization": "disabled", "allowed": allowed}
    boxes = [mailbox(1)]
    if organization is CLOSED:  # nothing closes, so nobody is cut off
        assert not plan_of(given, transport_wire(**organization), boxes).changed
        return
    with pytest.raises(Refused) as caught:
        plan_of(given, transport_wire(**organization), boxes)
    assert "allow_empty" in (caught.value.hint or "")
    plan = plan_of({**given, "allow_empty": True}, transport_wire(**organization), boxes)
    assert [target.label for target in plan.effect.lose] == ["user1@contoso.com"]


def test_only_revoked_exceptions_are_nobody(mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]) -> None:
    over = {"identity": "user1@contoso.com", "expires": str(TODAY - datetime.timedelta(days=1))}
    given = {"organization": "disabled", "allowed": [over]}
    assert plan_of(given, transport_wire(**OPEN), [mailbox(1)]).changed
    with pytest.raises(Refused, match="closes the organization"):
        plan_of({**given, "expired": "revoke"}, transport_wire(**OPEN), [mailbox(1)])


@pytest.mark.parametrize(
    ("wanted", "current", "refused"),
    [
        (None, OPEN, True),
        (None, CLOSED, False),
        ("disabled", OPEN, False),
        ("enabled", CLOSED, True),
        ("enabled", OPEN, True),
        ("disabled", CLOSED, False),
    ],
)
def test_inherit_needs_a_closed_organization(
    wanted: str | None,
    current: dict[str, t.Any],
    refused: bool,
    mailbox: MakeBox,
    transport_wire: Callable[..., dict[str, t.Any]],
) -> None:
    given = {"organization": wanted, "allowed": [{"identity": "user1@contoso.com"}], "unlisted": "inherit"}
    boxes = [mailbox(1), mailbox(2, SmtpClientAuthenticationDisabled=True)]
    if refused:
        with pytest.raises(Refused, match="inherit"):
            plan_of(given, transport_wire(**current), boxes)
    else:
        plan = plan_of(given, transport_wire(**current), boxes)
        assert [change.after[SMTP_AUTH] for change in plan.phases[-1].changes] == ["inherit"]


@pytest.mark.parametrize(
    ("organization", "current", "option", "revoke_days", "blocked"),
    [
        ("disabled", OPEN, "allowed", None, True),
        ("disabled", CLOSED, "allowed", None, False),
        ("disabled", OPEN, "denied", None, False),
        ("enabled", CLOSED, "denied", None, True),
        ("enabled", CLOSED, "allowed", None, False),
        (None, OPEN, "allowed", None, False),
        ("disabled", OPEN, "allowed", -1, False),
    ],
)
def test_a_listed_mailbox_that_is_gone_blocks_the_organization(
    organization: str | None,
    current: dict[str, t.Any],
    option: str,
    revoke_days: int | None,
    blocked: bool,
    mailbox: MakeBox,
    transport_wire: Callable[..., dict[str, t.Any]],
) -> None:
    listed: dict[str, t.Any] = {"identity": "gone@contoso.com"}
    if revoke_days:
        listed["expires"] = str(TODAY + datetime.timedelta(days=revoke_days))
    given = {"organization": organization, option: [listed], "expired": "revoke" if revoke_days else "report"}
    missing = (Missing("gone@contoso.com", "There is no mailbox."),)
    given["allow_empty"] = option == "denied" or revoke_days is not None
    plan = plan_of(given, transport_wire(**current), [mailbox(1)], missing)
    assert isinstance(plan.blocked_by, NotFound) is blocked
    assert plan.changed is (
        not blocked and organization is not None and current is not (OPEN if organization == "enabled" else CLOSED)
    )
    if blocked:
        assert "gone@contoso.com" in str(plan.blocked_by)
        assert plan.effect == Effect(states=plan.effect.states)


@pytest.mark.parametrize("unlisted", ["not_enabled", "disabled"])
def test_a_typing_mistake_in_the_list_takes_nothing_from_the_unlisted(
    unlisted: str, mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]
) -> None:
    """The mailbox that the wrong name was to protect would count as one on no list."""
    boxes = [mailbox(1), mailbox(2, SmtpClientAuthenticationDisabled=False)]
    given = {"allowed": ["user1@contoso.com", "gone@contoso.com"], "unlisted": unlisted}
    missing = (Missing("gone@contoso.com", "There is no mailbox."),)
    plan = plan_of(given, transport_wire(**CLOSED), boxes, missing)
    assert phases(plan) == [["user1@contoso.com"]]
    assert plan.effect.lose == ()


def test_who_follows_a_blocked_organization_stays_as_it_is(
    mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]
) -> None:
    over = {"identity": "user1@contoso.com", "expires": str(TODAY - datetime.timedelta(days=1))}
    given = {
        "organization": "disabled",
        "allowed": [over, "gone@contoso.com"],
        "expired": "revoke",
        "unlisted": "unmanaged",
    }
    boxes = [mailbox(1, SmtpClientAuthenticationDisabled=False)]
    missing = (Missing("gone@contoso.com", "There is no mailbox."),)
    plan = plan_of(given, transport_wire(**OPEN), boxes, missing)
    assert not plan.changed
    assert plan.effect.lose == ()
    assert plan.blocked() == {("TransportConfig", ""): plan.blocked_by, boxes[0].target.place: plan.blocked_by}


# The whole task


Tenant = Callable[..., t.Any]
Run = Callable[..., t.Any]
USERS = [f"user{n}@contoso.com" for n in range(4)]


@pytest.fixture
def converge(run: Run) -> Run:
    return lambda client, **given: run(_smtp_auth.converge, _smtp_auth.ARGUMENT_SPEC, client, **given)


def test_one_read_one_plan(tenant: Tenant, converge: Run) -> None:
    client = tenant(3, organization=OPEN)
    list(client.boxes.values())[2]["SmtpClientAuthenticationDisabled"] = False
    ran = converge(client, organization="disabled", allowed=[USERS[1]], denied=[USERS[2]])
    assert ran.error is None
    assert [subject for subject, _values in client.written] == [USERS[1], USERS[2], "the organization"]
    assert ran.result["organization"] == {
        "status": "changed", "before": "enabled", "after": "disabled", "confirmed": True,
    }  # fmt: skip
    assert ran.result["unlisted_enabled"] == [USERS[3]]
    assert "1 mailbox has SMTP AUTH explicitly enabled and is on no list: user3@contoso.com." in ran.warnings
    assert [entry["identity"] for entry in ran.result["mailboxes"]] == [USERS[1], USERS[2]]
    again = converge(client, organization="disabled", allowed=[USERS[1]], denied=[USERS[2]])
    assert again.result["changed"] is False
    assert again.result["organization"] == {"status": "unchanged", "before": "disabled", "after": "disabled"}


def test_a_name_on_a_list_that_is_anothers_sign_in_name_is_ambiguous(tenant: Tenant, converge: Run) -> None:
    client = tenant(2, organization=OPEN)
    list(client.boxes.values())[1]["UserPrincipalName"] = USERS[1]
    ran = converge(client, organization="disabled", allowed=[USERS[1]])
    assert isinstance(ran.failure, Ambiguous)
    assert client.writes == []


@pytest.mark.parametrize("option", ["allowed", "denied"])
def test_who_is_listed_and_excluded_at_once_is_refused(option: str, tenant: Tenant, converge: Run) -> None:
    client = tenant(1)
    failure = converge(client, **{option: [USERS[1]]}, exclude=[USERS[1]]).failure
    assert isinstance(failure, InvalidRequest)
    assert client.writes == []


def test_a_missing_name_under_warn_leaves_the_organization(tenant: Tenant, converge: Run) -> None:
    client = tenant(2, organization=OPEN)
    given = {"organization": "disabled", "allowed": [USERS[1], "gone@contoso.com"]}
    assert isinstance(converge(client, **given).failure, NotFound)
    assert client.writes == []
    ran = converge(client, lookup_failure_action="warn", **given)
    assert isinstance(ran.failure, NotFound)
    assert client.written == [(USERS[1], {"SmtpClientAuthenticationDisabled": False})]
    assert ran.result["organization"]["status"] == "failed"
    assert ran.result["organization"]["after"] == "enabled"


def test_a_doubtful_write_of_the_organization_says_what_was(tenant: Tenant, converge: Run) -> None:
    client = tenant(1, organization=OPEN)
    lost = ServiceUnavailable("Lost.", in_doubt=True)
    client.before = lambda command: lost if command.name == "Set-TransportConfig" else None
    ran = converge(client, organization="disabled", allowed=[USERS[1]])
    assert (ran.result["organization"]["status"], ran.result["organization"]["after"]) == ("failed", "enabled")


def days_from_now(days: int) -> str:
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return str(today + datetime.timedelta(days=days))


def test_expired_and_expiring_entries_are_told(tenant: Tenant, converge: Run) -> None:
    client = tenant(2)
    over = {"identity": USERS[1], "expires": days_from_now(-5), "owner": "Frank"}
    near = {"identity": USERS[2], "expires": days_from_now(5)}
    ran = converge(client, allowed=[over, near])
    assert isinstance(ran.failure, Expired)
    assert USERS[1] in str(ran.failure)
    assert ran.result["expired"] == [over]
    assert ran.result["expiring"] == [near]
    assert len(client.writes) == 2  # everything else is done
    assert f"allowed[1] ({USERS[2]}) expires on {near['expires']}." in ran.warnings


@pytest.mark.parametrize(
    ("organization", "given", "option", "warns"),
    [
        (OPEN, None, "allowed", True),
        (CLOSED, None, "allowed", False),
        (OPEN, "disabled", "allowed", False),
        (CLOSED, "enabled", "allowed", True),
        (OPEN, None, "denied", False),
    ],
)
def test_a_revoked_exception_still_works_under_an_open_organization(
    organization: dict[str, t.Any], given: str | None, option: str, warns: bool, tenant: Tenant, converge: Run
) -> None:
    client = tenant(2, organization=organization)
    over = {"identity": USERS[1], "expires": days_from_now(-5)}
    ran = converge(client, organization=given, **{option: [over]}, expired="revoke", allow_empty=True)
    assert ran.error is None
    assert any("SMTP AUTH still works" in warning for warning in ran.warnings) is warns


def test_the_warning_goes_by_the_organization_as_it_stays(tenant: Tenant, converge: Run) -> None:
    client = tenant(2, organization=OPEN)
    over = {"identity": USERS[1], "expires": days_from_now(-5)}
    ran = converge(
        client,
        organization="disabled",
        allowed=[over, "gone@contoso.com"],
        expired="revoke",
        lookup_failure_action="warn",
    )
    assert isinstance(ran.failure, NotFound)
    assert any("SMTP AUTH still works" in warning for warning in ran.warnings)


def test_many_on_no_list_are_counted(tenant: Tenant, converge: Run) -> None:
    client = tenant(30, {"SmtpClientAuthenticationDisabled": False})
    ran = converge(client, allowed=[USERS[1]])
    assert len(ran.result["unlisted_enabled"]) == 29
    assert any(text.startswith("29 mailboxes have") and "and 9 more" in text for text in ran.warnings)


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("check_mode", [False, True])
def test_who_may_still_use_it_stops_the_change(accepted: bool, check_mode: bool, tenant: Tenant, converge: Run) -> None:
    """Without a log nothing is known of a mailbox, and that is not unused."""
    client = tenant(2, organization=OPEN)
    given: dict[str, t.Any] = {"organization": "disabled", "allowed": [USERS[1]], "require_unused_days": 30}
    if accepted:
        given["accept_cutoff"] = [USERS[2]]
    ran = converge(client, check_mode=check_mode, **given)
    if accepted:
        assert ran.error is None
    else:
        assert isinstance(ran.failure, Refused)
        assert USERS[2] in str(ran.failure)
        assert client.writes == []


def test_a_name_in_accept_cutoff_that_nothing_has_is_an_error(tenant: Tenant, converge: Run) -> None:
    client = tenant(2, organization=OPEN)
    ran = converge(
        client, organization="disabled", allowed=[USERS[1]], require_unused_days=30, accept_cutoff=["gone@contoso.com"]
    )
    assert isinstance(ran.failure, NotFound)
    assert client.writes == []


BLOCK, ALLOW = "00000000-0000-4000-8000-0000000000b1", "00000000-0000-4000-8000-0000000000a1"


def with_policies(client: t.Any, **policy_of_user: str | None) -> t.Any:
    """A tenant whose default policy blocks. policy_of_user: what each user has of its own."""
    client.policies += [
        {"Guid": BLOCK, "Name": "Block", "AllowBasicAuthSmtp": False},
        {"Guid": ALLOW, "Name": "Allow", "AllowBasicAuthSmtp": True},
    ]
    client.single["OrganizationConfig"]["DefaultAuthenticationPolicy"] = "Block"
    for guid, box in client.boxes.items():
        address = box["PrimarySmtpAddress"]
        own = policy_of_user.get(address.partition("@")[0])
        client.users.append({"Guid": guid, "UserPrincipalName": address, "AuthenticationPolicy": own})
    return client


def test_both_gates_open_for_the_list_and_close_for_the_others(tenant: Tenant, converge: Run) -> None:
    client = with_policies(tenant(3, organization=CLOSED), user2="Allow")
    given = {"allowed": [USERS[1]], "unlisted": "not_enabled", "authentication_policy": "Allow"}
    ran = converge(client, **given)
    assert ran.error is None
    assert client.written == [
        (USERS[1], {"AuthenticationPolicy": ALLOW}),
        (USERS[1], {"SmtpClientAuthenticationDisabled": False}),
        (USERS[2], {"AuthenticationPolicy": None}),
    ]
    assert [(user["identity"], user["status"]) for user in ran.result["users"]] == [
        (USERS[1], "changed"),
        (USERS[2], "changed"),
    ]
    assert [policy["AuthenticationPolicy"] for policy in client.users] == [ALLOW, None, None]


def test_who_has_the_policy_and_is_unmanaged_is_told(tenant: Tenant, converge: Run) -> None:
    client = with_policies(tenant(2, {"SmtpClientAuthenticationDisabled": False}), user1="Allow", user2="Allow")
    ran = converge(client, allowed=[USERS[1]], authentication_policy="Allow")
    assert ran.result["changed"] is False
    assert any(
        f"1 user has the authentication policy Allow and no place on a list: {USERS[2]}" in w for w in ran.warnings
    )


def test_a_method_is_basic_or_oauth() -> None:
    with pytest.raises(InvalidRequest, match="method has to be basic or oauth"):
        policy_of(allowed=[{"identity": USERS[1], "method": "ntlm"}])
