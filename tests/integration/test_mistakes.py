# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mistake gets a message that says what it is, and changes nothing."""

from __future__ import annotations

import re

import pytest
from harness import Lab, Run, Tenant, small, tried
from mistakes import KEY, MISTAKES


@pytest.fixture(scope="module")
def mistaken(lab: Lab) -> Tenant:
    return small(lab)


@pytest.fixture(scope="module")
def made(mistaken: Tenant) -> Run:
    tasks = [tried(one.module, one.options, named=name) for name, one in MISTAKES.items()]
    return mistaken.run(tasks, warns=["."])


@pytest.mark.parametrize("name", MISTAKES)
def test_the_message_says_what_it_is(name: str, made: Run) -> None:
    step = made[name]
    assert step.failed
    for text in MISTAKES[name].texts:
        assert re.search(text, step.msg), f"{text!r} is not in {step.msg!r}"


def test_nothing_was_changed(made: Run, mistaken: Tenant) -> None:
    assert [write for write in mistaken.writes() if write["status"] == 200] == []


def test_the_screen_has_our_words_and_no_key(made: Run) -> None:
    """From ansible-core 2.19 on the red line is not made of the message."""
    assert "Supported parameters include" not in made.output
    assert "Valid booleans include" not in made.output
    assert KEY.splitlines()[1] not in made.output
