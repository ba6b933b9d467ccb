# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``live_check`` says in the end."""

from __future__ import annotations

import pytest

from ansible_collections.m365.exchange_online.plugins.plugin_utils._service_verdict import (
    MEANINGS,
    MEND,
    NEEDED,
    NEW,
    SEND,
    verdict,
)

FINE = {**dict.fromkeys([*NEEDED, *MEANINGS], "yes"), NEW: "no"}


def said(**changes: str) -> list[str]:
    answers = {**FINE, **changes}
    return verdict([{"name": name, "answer": answer, "detail": "D."} for name, answer in answers.items()])


def test_all_is_well() -> None:
    ready, writing = said()
    assert ready.startswith("READY to read")
    assert "undo_file" in writing


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize(
    ("answer", "text"), [("no", "give the app the role Global Reader"), ("unknown", "could not be looked at")]
)
def test_not_ready(name: str, answer: str, text: str) -> None:
    """A role that is missing is the tenant's to give, so nobody has to send it to us."""
    line, then = said(**{name: answer})
    assert line.startswith(f"NOT READY to read {NEEDED[name]}: ") and text in line and line.endswith(" D.")
    assert then == MEND


@pytest.mark.parametrize("name", MEANINGS)
def test_each_unknown_is_a_sentence(name: str) -> None:
    assert said(**{name: "unknown"})[2:] == [f"Not known: {MEANINGS[name].unknown}"]


@pytest.mark.parametrize("name", MEANINGS)
def test_what_is_unusual_is_asked_for(name: str) -> None:
    unusual, send = said(**{name: "no"})[2:]
    assert unusual == f"Unusual: {MEANINGS[name].unusual} D."
    assert send == SEND


def test_new_properties_are_unusual() -> None:
    assert "does not know. D." in said(**{NEW: "yes"})[2]
    nothing = [f"NOT READY to read {what}: they could not be looked at." for what in NEEDED.values()]
    assert verdict([]) == [*nothing, MEND]
