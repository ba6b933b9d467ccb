# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the callback ``fleet``."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.m365.exchange_online.plugins.plugin_utils import _fleet

CLOSED: dict[str, Any] = {
    "changed": True,
    "organization": {"before": "enabled", "after": "disabled"},
    "summary": {"changed": 3, "effect": {"lose": 9, "gain": 0}},
    "undo_file": "/undo.json",
}
CLOSED_PREVIEW = {key: value for key, value in CLOSED.items() if key != "undo_file"}


@pytest.mark.parametrize(
    ("result", "check", "line"),
    [
        (CLOSED, False, "organization off, 3 mailboxes changed; 9 lose SMTP AUTH, 0 gain it; way back: /undo.json"),
        (CLOSED_PREVIEW, True, "organization off, 3 mailboxes would change; 9 would lose SMTP AUTH, 0 would gain it"),
        ({"changed": True, "summary": {"changed": 1, "effect": {"lose": 0, "gain": 0}}}, False, "1 mailbox changed"),
        (
            {"changed": True, "summary": {"changed": 1, "effect": {"lose": None, "gain": None}}},
            False,
            "1 mailbox changed; who loses or gains SMTP AUTH is not known",
        ),
        ({"changed": True, "diff": {"before": {"a": 1}, "after": {"a": 2}}}, True, "a would change"),
        ({"changed": True}, False, "settings changed"),
        ({"changed": False}, False, "nothing to change"),
        ({"changed": True, "msg": "contoso: its own \x1b[31mwords"}, False, "contoso: its own \ufffd[31mwords"),
    ],
)  # fmt: skip
def test_task_line(result: dict[str, Any], check: bool, line: str) -> None:
    assert _fleet.task_line(result, check) == line


def test_diff_lines() -> None:
    entries = [
        {"after_header": "ada@a", "before": {"x": "inherit", "y": 1}, "after": {"x": False, "y": 1}},
        {"before_header": "same", "before": {"x": 1}, "after": {"x": 1}},
        {"before_header": "more", "after_header": "more", "before": "", "after": "7 more\n"},
        {"prepared": "already\nin words\n"},
    ]  # fmt: skip
    assert _fleet.diff_lines(entries) == ["ada@a  x: inherit → false", "more", "+ 7 more", "already", "in words"]
    assert _fleet.diff_lines(entries[0]) == ["ada@a  x: inherit → false"]
    assert _fleet.diff_lines([]) == []


def test_a_failure_is_shown_in_full() -> None:
    result = {
        "msg": "contoso: " + "a long sentence " * 20,
        "error_code": "access_denied",
        "hint": "Assign a role.\nThen wait.",
        "retried": [],
        "invocation": {"module_args": {"client_secret": "s"}},
        "failed": True,
    }
    lines = _fleet.failure_lines(result)
    assert " ".join(lines).startswith(result["msg"].strip())
    assert max(map(len, lines)) <= _fleet.WIDTH
    assert lines[-4:] == ["error_code: access_denied", "hint: |-", "  Assign a role.", "  Then wait."]
    assert _fleet.failure_lines({}) == ["It failed without a message."]
    # ansible-core 2.21 adds this to the result of a task with changed_when.
    assert _fleet.failure_lines({"msg": "No.", "changed_when_result": False}) == ["No."]


def test_the_same_failure_is_told_once() -> None:
    failure = {"msg": "contoso: No token.", "error_code": "authentication_failed", "hint": "No token."}
    assert _fleet.news(failure, ()) == ["contoso: No token.", "error_code: authentication_failed"]
    known = _fleet.reasons(failure)
    assert _fleet.news(failure, known) == ["for the reason above"]
    # The end of an audit names the host instead of the tenant.
    end = {"msg": ["host: unknown", "  SMTP AUTH: No token."]}
    assert _fleet.news(end, known) == ["host: unknown"]


def test_the_end_of_the_role_refers_to_what_was_told() -> None:
    end = {"msg": ["host: SMTP AUTH: FAILED (refused), see what its task said above", "host: mailboxes: as declared"]}
    assert _fleet.parts_lines(end, "host") == [
        "SMTP AUTH: FAILED (refused), see what its task said above",
        "mailboxes: as declared",
    ]


def test_who_is_cut_off_is_listed_where_the_message_does_not_name_all() -> None:
    cut_off = [{"identity": "ada@a", "guid": "1"}, {"identity": "ben@a", "guid": "2"}]
    assert _fleet.failure_lines({"msg": "a: 2 would be cut off: ada@a; ben@a.", "cut_off": cut_off}) == [
        "a: 2 would be cut off: ada@a; ben@a."
    ]
    assert "- identity: ben@a" in _fleet.failure_lines({"msg": "a: ada@a and 1 more.", "cut_off": cut_off})


def test_debug_lines() -> None:
    assert _fleet.debug_lines({"msg": ["one", "two\nthree", ""], "changed": False}) == ["one", "two", "three", ""]
    assert _fleet.debug_lines({"some_variable": {"a": 1}, "_ansible_verbose_always": True}) == [
        'some_variable: {"a": 1}'
    ]


def test_the_table_counts() -> None:
    changed, unknown = _fleet.Tally(), _fleet.Tally()
    changed.add(CLOSED)
    changed.add({"changed": True, "summary": {"effect": {"lose": 1, "gain": 2}}})
    unknown.add({"changed": True, "summary": {"effect": {"lose": None, "gain": None}}})
    rows = [
        _fleet.row("contoso", changed, {}, False),
        _fleet.row("fabrikam", unknown, {"failures": 1}, False),
        _fleet.row("gone", _fleet.Tally(), {"unreachable": 1}, False),
        _fleet.row("same", _fleet.Tally(), {}, False),
    ]
    assert _fleet.table(rows) == [
        "tenant    outcome        lose   gain",
        "contoso   changed          10      2",
        "fabrikam  FAILED            ?      ?",
        "gone      UNREACHABLE       ?      ?",
        "same      unchanged         0      0",
        "4 tenants: 1 unchanged, 1 changed, 1 FAILED, 1 UNREACHABLE",
    ]
    assert _fleet.row("contoso", changed, {}, True).outcome == "would change"


def test_a_terminal_obeys_no_text_of_the_service() -> None:
    assert _fleet.clean("a\x1b]0;title\x07b\rc\td\ne\u202e") == "a\ufffd]0;title\ufffdb\ufffdc\ufffdd\ne\ufffd"
