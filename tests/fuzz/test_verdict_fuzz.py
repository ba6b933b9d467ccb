# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on whatever Microsoft Graph, a report or a device may say: no traceback, and nothing open by mistake."""

from __future__ import annotations

import contextlib
import datetime
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    BASIC,
    OAUTH,
    ConditionalAccess,
    judge_what_if,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_replies import decode
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import Coverage, Log, SignIns, usage_of
from ansible_collections.m365.exchange_online.plugins.module_utils._usage_report import parse_report

DATES = ("٣٣/١١/٢٠٢٦", "1/1/9999", "²/1/2026")  # noqa: RUF001 (digits of other scripts)
TODAY = datetime.date(2026, 11, 26)
USER = "5e550000-0000-4000-8000-000000000001"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4)
)
BLOCKING: dict[str, Any] = {
    "id": "1",
    "displayName": "CA01",
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["other"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}
# Where a part of a policy is, from the top.
PATHS = [
    ("state",),
    ("conditions",),
    ("conditions", "clientAppTypes"),
    ("conditions", "applications"),
    ("conditions", "applications", "includeApplications"),
    ("conditions", "applications", "excludeApplications"),
    ("conditions", "applications", "applicationFilter"),
    ("conditions", "users"),
    ("conditions", "users", "includeUsers"),
    ("conditions", "users", "excludeUsers"),
    ("conditions", "users", "excludeGroups"),
    ("conditions", "locations"),
    ("conditions", "somethingNew"),
    ("grantControls",),
    ("grantControls", "builtInControls"),
    ("grantControls", "operator"),
    ("sessionControls",),
]


def replaced(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The blocking policy with one part of it replaced."""
    policy: dict[str, Any] = json.loads(json.dumps(BLOCKING))
    part = policy
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return policy


@given(st.lists(JSON, max_size=3), st.text(max_size=40))
def test_policies_of_any_form_are_judged(policies: list[Any], user: str) -> None:
    for method in (BASIC, OAUTH):
        access = ConditionalAccess(policies, method)
        judged = access.judge(user)
        assert len(judged.blocking) + len(judged.undecided) <= len(policies)
        judge_what_if(policies, access.rules, client_ip=True)


@given(st.sampled_from(PATHS), JSON)
@example(("conditions", "somethingNew"), {"a": {"b": 0}})
def test_a_part_that_is_not_understood_never_opens_a_policy(path: tuple[str, ...], value: Any) -> None:
    """A policy that blocks everybody, with one part replaced: it is spared only by a value that says so."""
    judged = ConditionalAccess([replaced(path, value)], BASIC).judge(USER)
    spared = not judged.blocking and not judged.undecided
    if spared:
        assert _spares(path, value), (path, value)


def _spares(path: tuple[str, ...], value: Any) -> bool:
    """Whether a value in this place really says that the policy does not reach this sign-in, or asks for nothing."""
    last = path[-1]
    if last in ("includeApplications", "includeUsers", "excludeUsers", "excludeApplications"):
        return isinstance(value, list) and all(isinstance(name, str) for name in value)
    return last == "state" and value in ("disabled", "enabledForReportingButNotEnforced")


@given(st.lists(st.dictionaries(st.sampled_from(["id", "userId", "status", "createdDateTime", "ipAddress"]), JSON)))
def test_sign_ins_of_any_form_are_counted(rows: list[dict[str, Any]]) -> None:
    sign_ins = SignIns()
    for row in rows:
        sign_ins.add(row, "interactiveUser")
    log = Log(sign_ins, Coverage(30, None, None, "gap"))
    for user in sign_ins.users:
        json.dumps(usage_of(user, [], log, None).result())


@given(
    st.text() | st.lists(st.lists(st.text(max_size=12), max_size=5)).map(lambda rows: "\n".join(map(",".join, rows)))
)
@example("Sender,Date,Messages\n" + "".join(f"a@b.c,{date},²\n" for date in DATES))
def test_a_report_is_read_or_refused(text: str) -> None:
    for lines in (text, f"Date,Sender,Messages\n{text}", f"{text}\n2026-11-01,a@b.example,1\n"):
        with contextlib.suppress(InvalidRequest):
            parse_report(lines.splitlines(keepends=True), "report.csv", TODAY, 30)


@given(st.text(max_size=200))
def test_any_error_text_is_looked_up(text: str) -> None:
    decode(text)
