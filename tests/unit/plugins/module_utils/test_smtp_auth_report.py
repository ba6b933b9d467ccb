# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of many mailboxes: counts, who would be cut off, what was not read, and tables for a spreadsheet."""

from __future__ import annotations

import csv
import io
import itertools
import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _verdict as v
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_report import (
    Judged,
    closing_line,
    csv_text,
    ordered,
    reply_result,
    summary,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_replies import decode
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import Coverage, Log, Seen, SignIns, Usage

UNUSED, UNCLEAR = Usage("not_seen"), Usage("unknown", "the log is young")
ADDRESSES = {"203.0.113.10": None}
IN_USE = Usage("used", "", Seen(successes=3, last_success="2026-11-22T06:12:01Z", addresses=ADDRESSES))


def judged(
    name: str, usage: Usage | None = None, *, inherits: bool = True, pop: bool = False, **states: t.Any
) -> Judged:
    """A mailbox whose gates are all open, but for those that are named with (basic, oauth)."""
    identity = {"identity": name, "guid": f"guid-{name}", "primary_smtp_address": f"{name}@x.example"}
    gates = []
    for gate in v.GATES:
        basic, oauth = states.get(gate, ("open", "open"))
        unread = "unknown" in (basic, oauth)
        permission = "Policy.Read.All" if unread else ""
        gates.append(v.Gate(gate, basic, oauth, "source", f"detail of {gate}", "remedy", permission, read=not unread))
    return Judged({**identity, "display_name": name.title()}, "UserMailbox", inherits, pop, tuple(gates), usage)


CLOSED, BASIC_CLOSED, UNKNOWN = ("closed", "closed"), ("closed", "open"), ("unknown", "open")
BOXES = [
    judged("open", IN_USE, pop=True),
    judged("quiet", UNUSED),
    judged("modern", UNCLEAR, account=BASIC_CLOSED),
    judged("shut", UNUSED, mailbox_type=CLOSED),
    judged("own", IN_USE, inherits=False),
    judged("doubt", UNUSED, security_defaults=UNKNOWN, account=BASIC_CLOSED, pop=True),
]


def test_the_summary() -> None:
    told = summary(BOXES, False, None)
    assert told["mailboxes"] == 6
    assert told["basic"] == {
        "allowed": 3,
        "blocked": 3,
        "unknown": 0,
        "gates": {
            "mailbox_type": {"closed": 1, "unknown": 0},
            "account": {"closed": 2, "unknown": 0},
            "security_defaults": {"closed": 0, "unknown": 1},
        },
    }
    assert told["oauth"] == {
        "allowed": 5,
        "blocked": 1,
        "unknown": 0,
        "gates": {"mailbox_type": {"closed": 1, "unknown": 0}},
    }
    assert told["usage"] == {"used": 2, "not_seen": 3, "unknown": 1}
    assert told["used"]["basic"] == {"allowed": 2, "blocked": 0, "unknown": 0}
    assert told["unread"] == [
        {
            "what": "security_defaults",
            "reason": "detail of security_defaults",
            "permission": "Policy.Read.All",
            "mailboxes": 1,
        }
    ]


def test_who_would_be_cut_off_are_those_that_inherit_and_are_not_blocked_anyway() -> None:
    closing = summary(BOXES, False, None)["closing"]
    assert {name: closing[name] for name in ("cut_off", "used", "pop_or_imap")} == {
        "cut_off": 4,
        "used": 1,
        "pop_or_imap": 2,
    }
    assert [one["identity"].partition("@")[0] for one in closing["sample"]] == ["open", "quiet", "modern", "doubt"]
    assert closing["sample"][0] == {
        "identity": "open@x.example",
        "pop_or_imap": True,
        "usage": "used",
        "last_seen": "2026-11-22T06:12:01Z",
        "addresses": ["203.0.113.10"],
    }


@pytest.mark.parametrize(("disabled", "cut_off"), [(True, 0), (False, 4), (v.Unread("x"), None)])
def test_closing_what_is_closed_cuts_nobody_off(disabled: t.Any, cut_off: int | None) -> None:
    assert summary(BOXES, disabled, None)["closing"]["cut_off"] == cut_off


def test_without_usage_nothing_is_said_of_it() -> None:
    told = summary([judged("a")], False, None)
    assert "usage" not in told
    assert "used" not in told
    assert "usage" not in judged("a").result()


def test_a_log_that_failed_is_told_with_its_permission() -> None:
    log = Log(SignIns(), Coverage(30, None, None, "gap"), "it may not", "AuditLog.Read.All")
    assert summary([], False, log)["unread"] == [
        {"what": "usage", "reason": "it may not", "permission": "AuditLog.Read.All"}
    ]


def test_the_counts_stay_small_at_any_size() -> None:
    boxes = [judged(f"m{number}", IN_USE) for number in range(3000)]
    told = summary(boxes, False, None)
    assert told["closing"]["cut_off"] == 3000
    assert len(told["closing"]["sample"]) == 20


def test_one_mailbox() -> None:
    result = BOXES[2].result()
    assert result["basic"] == {"state": "blocked", "closed": ["account"], "unknown": []}
    assert result["oauth"] == {"state": "allowed", "closed": [], "unknown": []}
    assert [gate["gate"] for gate in result["gates"]] == list(v.GATES)
    assert result["usage"]["state"] == "unknown"


def test_those_in_use_come_first() -> None:
    blocked = judged("z", IN_USE, account=BASIC_CLOSED)
    assert [one.identity["identity"] for one in ordered([*BOXES, blocked])][:3] == ["z", "open", "own"]


@pytest.mark.parametrize(
    ("disabled", "texts"),
    [
        (
            False,
            [
                "6 mailboxes: Basic works for 3, is blocked for 3 and unknown for 0; OAuth 5, 1 and 0.",
                "In use: 2; not seen: 3; not known: 1.",
                "would cut off 4 mailboxes: open@x.example, quiet@x.example",
                "What is unknown needs Policy.Read.All.",
            ],
        ),
        (True, ["6 mailboxes"]),
    ],
)
def test_the_closing_line(disabled: bool, texts: list[str]) -> None:
    line = closing_line(summary(BOXES, disabled, None), disabled)
    assert all(text in line for text in texts)
    assert ("would cut off" in line) == (not disabled)
    assert "\n" not in line


TENANT_TEXT = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."


@pytest.mark.parametrize(
    ("boxes", "agreement"),
    [
        ([judged("a", smtp_auth_setting=CLOSED)], "agrees: this gate is closed"),
        ([judged("a")], "does not agree: this gate is open"),
        ([judged("a", smtp_auth_setting=("unknown", "unknown"))], "is unknown"),
        ([judged("a"), judged("b", smtp_auth_setting=CLOSED)], None),
        ([], None),
    ],
)
def test_whether_the_tenant_agrees_with_an_error_text(boxes: list[Judged], agreement: str | None) -> None:
    told = reply_result(decode(TENANT_TEXT), boxes)
    assert told["gate"] == "smtp_auth_setting"
    assert ("agreement" in told) == (agreement is not None)
    assert agreement is None or agreement in told["agreement"]


@pytest.mark.parametrize(
    ("text", "certain"), [("550 5.7.60 no permissions to send as this sender", True), ("x", False)]
)
def test_an_error_text_of_no_gate(text: str, certain: bool) -> None:
    told = reply_result(decode(text), BOXES)
    assert told["gate"] is None
    assert told["certain"] is certain
    assert "agreement" not in told


def test_the_table_for_a_spreadsheet() -> None:
    hostile = judged("=cmd|' /C calc'!A1", UNUSED)
    rows = list(csv.DictReader(io.StringIO(csv_text([BOXES[0], BOXES[2], hostile]))))
    assert rows[0]["basic"] == "allowed"
    assert rows[0]["usage"] == "used"
    assert rows[0]["sign_ins"] == "3"
    assert rows[0]["addresses"] == "203.0.113.10"
    assert rows[1]["basic_closed"] == "account"
    assert rows[2]["primary_smtp_address"].startswith("'=")
    assert rows[2]["display_name"].startswith("'=")
    cells = itertools.chain.from_iterable(row.values() for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
