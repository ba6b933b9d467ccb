# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a device was told: each known text, as servers word it, and texts that are none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_replies import LONGEST, REPLIES, decode

HOST = "[FR0P281CA0001.DEUP281.PROD.OUTLOOK.COM 2026-11-26T08:00:00.000Z 08DE2C5A00000001]"
CASES = [
    (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit"
        f" https://aka.ms/smtp_auth_disabled for more information. {HOST}",
        "smtp_auth_setting",
    ),
    (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit"
        f" https://aka.ms/smtp_auth_disabled for more information. {HOST}",
        "smtp_auth_setting",
    ),
    (
        "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy."
        f" Contact your administrator. {HOST}",
        "security_defaults",
    ),
    (
        "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated"
        f" successfully. Contact your administrator. {HOST}",
        "conditional_access",
    ),
    (f"535 5.7.139 Authentication unsuccessful, basic authentication is disabled. {HOST}", "authentication_policy"),
    ("550 5.7.30 Basic authentication is not supported for Client Submission.", "basic_auth_retirement"),
    (f"535 5.7.3 Authentication unsuccessful {HOST}", None),
    ("530 5.7.57 Client not authenticated to send mail.", None),
    ("535 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", None),
    (f"504 5.7.4 Unrecognized authentication type {HOST}", None),
    ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", None),
    ("550 5.5.105 External recipients are not allowed", None),
]


@pytest.mark.parametrize(("text", "gate"), CASES, ids=[text[:60] for text, _gate in CASES])
def test_each_known_text(text: str, gate: str | None) -> None:
    reply = decode(text)
    assert reply is not None
    assert reply.gate == gate
    assert reply.meaning and reply.remedy


def test_each_row_of_the_table_is_met_by_a_text() -> None:
    assert {id(decode(text)) for text, _gate in CASES} == {id(reply) for reply in REPLIES}


def test_the_documentation_has_the_whole_table() -> None:
    page = (Path(__file__).parents[4] / "docs" / "smtp_auth_errors.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(REPLIES)
    for reply, row in zip(REPLIES, rows, strict=True):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1].startswith(f"`{reply.gate}`" if reply.gate else "none")
        assert cells[2:] == [reply.meaning, reply.remedy]
        assert decode(cells[0]) is reply


@pytest.mark.parametrize("wrap", ["{}", "smtp;{}", "Scan to e-mail failed: {}", "{}\r\n", "ERR {}".upper()])
def test_what_devices_put_around_a_text(wrap: str) -> None:
    broken = CASES[0][0].replace("disabled for", "disabled\r\n   for")
    reply = decode(wrap.format(broken))
    assert reply is REPLIES[0]


@pytest.mark.parametrize("text", ["", "   ", "550 5.1.1 User unknown", "250 OK", "5.7.577", "\0\0", "x" * 100_000])
def test_a_text_that_is_none_of_them(text: str) -> None:
    assert decode(text) is None


def test_a_text_is_looked_at_up_to_a_length() -> None:
    assert decode("x" * LONGEST + CASES[0][0]) is None
