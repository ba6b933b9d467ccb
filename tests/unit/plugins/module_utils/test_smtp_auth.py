# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of SMTP AUTH: what the options mean, and what becomes of each mailbox."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, NotFound, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Mailbox, Missing
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth import (
    Exemption,
    Policy,
    assign,
    make_plan,
    parse,
    wished,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH

TODAY = datetime.date(2026, 11, 23)
OPEN, CLOSED = {"SmtpClientAuthenticationDisabled": False}, {"SmtpClientAuthenticationDisabled": True}
MakeBox = Callable[..., Mailbox]


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
TABLE = [
    pytest.param(
        own, unlisted, values[own][n], "allowed" if values is REVOKED_ALLOWED else None, id=f"{name}-{own}-{unlisted}"
    )
    for name, values in (("unlisted", NOT_LISTED), ("revoked", REVOKED_ALLOWED))
    for own in values
    for n, unlisted in enumerate(UNLISTED_CHOICES)
]


@pytest.mark.parametrize(("own", "unlisted", "value", "listed"), TABLE)
def test_a_mailbox_on_no_list_or_revoked(own: t.Any, unlisted: str, value: t.Any, listed: str | None) -> None:
    for revoke in (False, True) if listed is None else (True,):
        exemption = entry(listed, days=-1) if listed else None
        assert wished(own, exemption, policy(unlisted, revoke), TODAY) == value


@pytest.mark.parametrize("own", [False, True, I])
@pytest.mark.parametrize("unlisted", UNLISTED_CHOICES)
@pytest.mark.parametrize(("option", "value"), [("allowed", False), ("denied", True)])
@pytest.mark.parametrize(
    ("days", "revoke"), [(None, False), (None, True), (0, True), (5, True), (-1, False), (-400, False)]
)
def test_an_entry_in_force_decides(
    own: t.Any, unlisted: str, option: str, value: bool, days: int | None, revoke: bool
) -> None:
    assert wished(own, entry(option, days=days), policy(unlisted, revoke), TODAY) is value


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
    assert wished(own, entry("denied", days=-1), policy(unlisted, revoke=True), TODAY) == value


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
    result = parse(options(organization="disabled", allowed=[given], denied=[{"identity": "ceo@contoso.com"}]))
    allowed, denied = result.entries
    assert result.organization is True
    assert (allowed.identity, allowed.wish, allowed.last_day) == (
        "scanner@contoso.com", False, datetime.date(2027, 3, 31),
    )  # fmt: skip
    assert allowed.result() == {"identity": "scanner@contoso.com", "reason": "Old", "expires": "2027-03-31"}
    assert (denied.identity, denied.wish, denied.last_day, denied.place) == ("ceo@contoso.com", True, None, "denied[0]")
    assert parse(options(organization="enabled")).organization is False
    assert parse(options(allowed=[])).organization is None
    assert parse(options(organization="disabled", expired="revoke")).revoke


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
        ({"organization": "disabled", "propagation_delay": -1}, "propagation_delay"),
    ],
)
def test_what_is_no_policy(given: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(options(**given))
    assert words in str(caught.value)


@pytest.mark.parametrize("unlisted", ["not_enabled", "inherit", "disabled"])
@pytest.mark.parametrize("allowed", [None, []])
def test_an_empty_list_that_cuts_everybody_off_has_to_be_meant(unlisted: str, allowed: list[t.Any] | None) -> None:
    with pytest.raises(Refused) as caught:
        parse(options(organization="disabled", allowed=allowed, unlisted=unlisted))
    assert "allow_empty" in (caught.value.hint or "")
    assert parse(options(organization="disabled", allowed=allowed, unlisted=unlisted, allow_empty=True)).entries == ()


def test_two_entries_for_one_mailbox(mailbox: MakeBox) -> None:
    box = mailbox(1, "scanner@contoso.com")
    found = {"scanner@contoso.com": box, "scan": box}
    first = entry()
    same = Exemption("allowed", 3, "scan", {"owner": "somebody else"}, None)
    assert assign([first, same], found) == {box.guid: first}
    for other in (
        Exemption("denied", 2, "scan", {}, None),
        Exemption("allowed", 2, "scan", {}, TODAY),
    ):
        with pytest.raises(InvalidRequest) as caught:
            assign([first, other], found)
        assert "allowed[0] (scanner@contoso.com)" in str(caught.value)
        assert f"{other.option}[2] (scan)" in str(caught.value)
    assert assign([entry(identity="gone")], found) == {}


def plan_of(
    given: dict[str, t.Any],
    organization: dict[str, t.Any],
    boxes: list[Mailbox],
    missing: tuple[Missing, ...] = (),
) -> t.Any:
    found = {box.primary_smtp_address: box for box in boxes}
    rules = parse(options(**given))
    named = {e.identity: found[e.identity] for e in rules.entries if e.identity in found}
    return make_plan(rules, organization, boxes, named, missing, TODAY)


def test_the_whole_plan(mailbox: MakeBox, transport_wire: Callable[..., dict[str, t.Any]]) -> None:
    boxes = [
        mailbox(1, "scanner@contoso.com"),
        mailbox(2, "stray@contoso.com", SmtpClientAuthenticationDisabled=False),
        mailbox(3, "ceo@contoso.com", SmtpClientAuthenticationDisabled=None),
        mailbox(4, "frank@contoso.com"),
        mailbox(5, "closed@contoso.com", SmtpClientAuthenticationDisabled=True),
    ]
    given = {
        "organization": "disabled",
        "allowed": [{"identity": "scanner@contoso.com"}],
        "denied": [{"identity": "ceo@contoso.com"}],
        "unlisted": "not_enabled",
    }
    plan = plan_of(given, transport_wire(**OPEN), boxes)
    assert [c.label for c in plan.enabling()] == ["scanner@contoso.com"]
    assert [c.label for c in plan.disabling()] == ["ceo@contoso.com"]
    assert [c.label for c in plan.inheriting()] == ["stray@contoso.com"]
    assert plan.closes
    assert plan.matched == 5
    assert (plan.effect.lose, plan.effect.gain) == (3, 0)
    assert set(plan.effect.losers) == {"stray@contoso.com", "ceo@contoso.com", "frank@contoso.com"}
    assert plan.held is None


@pytest.mark.parametrize(
    ("wished_for", "current", "refused"),
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
    wished_for: str | None,
    current: dict[str, t.Any],
    refused: bool,
    mailbox: MakeBox,
    transport_wire: Callable[..., dict[str, t.Any]],
) -> None:
    given = {"organization": wished_for, "allowed": [{"identity": "user1@contoso.com"}], "unlisted": "inherit"}
    boxes = [mailbox(1), mailbox(2, SmtpClientAuthenticationDisabled=True)]
    if refused:
        with pytest.raises(Refused, match="inherit"):
            plan_of(given, transport_wire(**current), boxes)
    else:
        plan = plan_of(given, transport_wire(**current), boxes)
        assert [c.after[SMTP_AUTH] for c in plan.inheriting()] == ["inherit"]


@pytest.mark.parametrize(
    ("organization", "current", "option", "revoke_days", "held"),
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
def test_a_listed_mailbox_that_is_gone_holds_the_organization(
    organization: str | None,
    current: dict[str, t.Any],
    option: str,
    revoke_days: int | None,
    held: bool,
    mailbox: MakeBox,
    transport_wire: Callable[..., dict[str, t.Any]],
) -> None:
    listed: dict[str, t.Any] = {"identity": "gone@contoso.com"}
    if revoke_days:
        listed["expires"] = str(TODAY + datetime.timedelta(days=revoke_days))
    given = {"organization": organization, option: [listed], "expired": "revoke" if revoke_days else "report"}
    missing = (Missing("gone@contoso.com", "There is no mailbox."),)
    plan = plan_of(given, transport_wire(**current), [mailbox(1)], missing)
    assert isinstance(plan.held, NotFound) is held
    assert plan.changed is (
        not held and organization is not None and current is not (OPEN if organization == "enabled" else CLOSED)
    )
    if held:
        assert "gone@contoso.com" in str(plan.held)
