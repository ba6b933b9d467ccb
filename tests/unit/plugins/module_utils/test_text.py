# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which name may be meant."""

from __future__ import annotations

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._text import did_you_mean

KNOWN = ("imap_enabled", "pop_enabled", "Allow SMTP", "Größe")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ImapEnabled", "imap_enabled"),
        ("imap_enable", "imap_enabled"),
        ("POP_ENABLED", "pop_enabled"),
        ("allow-smtp", "Allow SMTP"),
        ("Alow", "Allow SMTP"),
        ("grösse", "Größe"),
    ],
)
def test_a_close_name(name: str, meant: str) -> None:
    assert did_you_mean(name, KNOWN) == f"Did you mean {meant}?"
    assert did_you_mean(name, KNOWN, "exo_") == f"Did you mean exo_{meant}?"


@pytest.mark.parametrize("name", ["zzz", "", "--", "\x1b[2J"])
def test_no_name_is_close(name: str) -> None:
    assert did_you_mean(name, KNOWN) == did_you_mean(name, ()) == ""


def test_a_name_from_the_service_steers_no_terminal() -> None:
    assert did_you_mean("Allow", ["Allow\x1b[2J"]) == "Did you mean Allow[2J?"
