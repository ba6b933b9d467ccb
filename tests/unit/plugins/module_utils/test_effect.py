# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gains and who loses SMTP AUTH in effect."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._effect import (
    NOBODY,
    UNKNOWN,
    Effect,
    Move,
    effect,
    smtp_auth_enabled,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Target
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX

STATES = [False, True, "inherit"]
# Whether SMTP AUTH works: own value, the organization's.
WORKS = {
    (False, False): True, (False, True): True,
    (True, False): False, (True, True): False,
    ("inherit", False): True, ("inherit", True): False,
}  # fmt: skip


def box(number: int) -> Target:
    address = f"u{number}@contoso.com"
    return Target(CAS_MAILBOX, f"g{number}", address, address)


@pytest.mark.parametrize("was", STATES)
@pytest.mark.parametrize("becomes", STATES)
@pytest.mark.parametrize("organization", [(False, False), (False, True), (True, False), (True, True)])
def test_effect(was: t.Any, becomes: t.Any, organization: tuple[bool, bool]) -> None:
    old, new = WORKS[was, organization[0]], WORKS[becomes, organization[1]]
    assert smtp_auth_enabled(was, organization[0]) is old
    moved = effect([Move(box(1), old, new)])
    assert moved.lose == ((box(1),) if old and not new else ())
    assert moved.gain == ((box(1),) if new and not old else ())
    assert moved.states == {("CASMailbox", "g1"): (old, new)}
    assert moved.known


@pytest.mark.parametrize(("before", "after", "verb"), [(True, False, "lose"), (False, True, "gain")])
def test_losses_and_gains_are_announced_in_the_same_words(before: bool, after: bool, verb: str) -> None:
    one = effect([Move(box(1), before, after)])
    assert one.warnings(preview=False) == [f"1 mailbox {verb}s SMTP AUTH in effect: u1@contoso.com."]
    two = effect([Move(box(n), before, after) for n in (1, 2)])
    assert one.warnings(preview=True) == [f"1 mailbox would {verb} SMTP AUTH in effect: u1@contoso.com."]
    assert two.warnings(preview=False) == [f"2 mailboxes {verb} SMTP AUTH in effect: u1@contoso.com, u2@contoso.com."]


def test_the_effect_counts_all_and_names_twenty() -> None:
    moved = effect([*(Move(box(n), True, False) for n in range(50)), Move(box(50), False, True)])
    lose, gain = moved.warnings(preview=False)
    assert "50 mailboxes" in lose
    assert "30 more" in lose
    assert gain.startswith("1 mailbox gains")
    result = moved.result()
    assert (result["lose"], result["gain"]) == (50, 1)
    assert result["lose_sample"] == [f"u{n}@contoso.com" for n in range(20)]
    assert result["gain_sample"] == ["u50@contoso.com"]
    assert moved.line(preview=False) == "50 lose SMTP AUTH, 1 gains it"
    assert moved.line(preview=True) == "50 would lose SMTP AUTH, 1 would gain it"


def test_what_is_not_known_is_no_zero() -> None:
    assert UNKNOWN.result() == {"lose": None, "gain": None, "lose_sample": [], "gain_sample": []}
    assert "not known" in UNKNOWN.line(preview=False)
    assert UNKNOWN.warnings(preview=False) == []
    assert NOBODY.result() == {"lose": 0, "gain": 0, "lose_sample": [], "gain_sample": []}
    assert NOBODY.line(preview=False) == "0 lose SMTP AUTH, 0 gain it"
    assert effect([]) == Effect()
