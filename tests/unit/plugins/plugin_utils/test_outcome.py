# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role says of its tasks' results."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.m365.exchange_online.plugins.plugin_utils._outcome import (
    MOST_LINES,
    artifact_key,
    audit,
    fail_on,
    fleet,
    outcome,
)

SMTP = "smtp_client_authentication_disabled"
PLAN: dict[str, Any] = {
    "host": "contoso",
    "tenant": "contoso.com",
    "hold": False,
    "problems": [],
    "undeclared": "",
    "parts": ["transport_config", "smtp_auth", "mailboxes"],
}
DEFAULT = {**PLAN, "parts": ["smtp_auth", "organization_config"], "default_policy": True}
HELD = {**PLAN, "hold": True, "parts": []}
QUIET: dict[str, Any] = {"changed": False, "msg": "contoso.com: nothing to do"}
ALL_QUIET = dict.fromkeys(PLAN["parts"], QUIET)
BROKEN = {"failed": True, "msg": "contoso.com: The secret\n is wrong.", "error_code": "authentication_failed"}
EXPIRED = {
    "failed": True,
    "error_code": "expired",
    "msg": "Past their last day.",
    "expired": [{"identity": "scanner@contoso.com", "expires": "2026-01-31"}],
}


def own(identity: str, before: Any, after: Any, action: str = "changed") -> dict[str, Any]:
    return {"identity": identity, "status": action, "before": {SMTP: before}, "after": {SMTP: after}}


@pytest.mark.parametrize(
    ("plan", "results", "check_mode", "status", "lines"),
    [
        pytest.param(
            PLAN,
            ALL_QUIET,
            False,
            "unchanged",
            [
                "contoso: transport settings: nothing to do",
                "contoso: SMTP AUTH: nothing to do",
                "contoso: mailboxes: nothing to do",
            ],
            id="converged",
        ),
        pytest.param(
            {**PLAN, "parts": ["smtp_auth"]},
            {"smtp_auth": {"changed": True}, "mailboxes": BROKEN},
            False,
            "changed",
            ["contoso: SMTP AUTH: changed"],
            id="a result of an earlier run does not count",
        ),
        pytest.param(
            {**PLAN, "parts": ["smtp_auth"]},
            {"smtp_auth": {"changed": True}},
            True,
            "changed",
            ["contoso: SMTP AUTH: would change"],
            id="preview",
        ),
        pytest.param(
            PLAN,
            {**ALL_QUIET, "smtp_auth": BROKEN, "mailboxes": {"skipped": True, "changed": False}},
            False,
            "failed",
            [
                "contoso: SMTP AUTH: FAILED (authentication_failed), see what its task said above",
                "contoso: mailboxes: not tried, because the part before could not sign in",
                "contoso: transport settings: nothing to do",
            ],
            id="one part fails",
        ),
        pytest.param(PLAN, {**ALL_QUIET, "smtp_auth": EXPIRED}, False, "failed", None, id="expired"),
        pytest.param(HELD, {}, False, "held", None, id="held"),
    ],
)
def test_outcome(
    plan: dict[str, Any], results: dict[str, Any], check_mode: bool, status: str, lines: list[str] | None
) -> None:
    found = outcome(plan, results, check_mode=check_mode)
    assert found["status"] == status
    if lines is not None:
        assert found["lines"] == lines


@pytest.mark.parametrize(
    ("plan", "results", "left"),
    [
        (PLAN, ALL_QUIET, []),
        (PLAN, {**ALL_QUIET, "transport_config": BROKEN}, ["smtp_auth", "mailboxes"]),
        (
            PLAN,
            {**ALL_QUIET, "transport_config": {"failed": True, "results": [QUIET, BROKEN]}},
            ["smtp_auth", "mailboxes"],
        ),
        (PLAN, {**ALL_QUIET, "smtp_auth": {"failed": True, "error_code": "wrong_tenant"}}, ["mailboxes"]),
        (PLAN, {**ALL_QUIET, "smtp_auth": {"failed": True, "error_code": "access_denied"}}, []),
        (PLAN, {}, []),
        (DEFAULT, {"smtp_auth": {"failed": True, "error_code": "not_confirmed"}}, ["organization_config"]),
        ({**DEFAULT, "audit": True}, {"smtp_auth": {"failed": True, "error_code": "not_confirmed"}}, []),
        ({**DEFAULT, "default_policy": False}, {"smtp_auth": {"failed": True, "error_code": "refused"}}, []),
        (DEFAULT, {"smtp_auth": EXPIRED}, []),
        (DEFAULT, {"smtp_auth": QUIET}, []),
    ],
)
def test_what_must_not_be_tried(plan: dict[str, Any], results: dict[str, Any], left: list[str]) -> None:
    found = outcome(plan, {part: result for part, result in results.items() if part not in left})
    assert found["to_do"] == [part for part in plan["parts"] if part not in left]
    for part in left:
        assert found["artifact"]["parts"][part] == "not tried"
        assert "not tried, because" in str(found["lines"])


def test_a_part_of_several_tasks() -> None:
    plan = {**PLAN, "parts": ["policies"]}
    made = {
        "changed": True,
        "msg": "contoso.com: 1 change",
        "state": "present",
        "diff": {"before_header": "contoso.com: Let", "before": {"smtp": False}, "after": {"smtp": True}},
    }
    gone = {
        "changed": True,
        "msg": "contoso.com: 1 change",
        "state": "absent",
        "diff": {"before_header": "contoso.com: Old", "before": {"smtp": False}, "after": {}},
    }
    results = {"policies": {"changed": True, "msg": "All items completed", "results": [made, gone]}}
    assert outcome(plan, results)["lines"] == ["contoso: authentication policies: 1 change"]
    assert outcome(plan, results)["results"]["policies"][1] == {
        "changed": True,
        "msg": "contoso.com: 1 change",
        "state": "absent",
    }
    assert audit(plan, results)["drift"] == ["Let: smtp is false, should be true", "Old: is there, should be absent"]
    broken = {**BROKEN, "error_code": "access_denied"}
    failed = {"policies": {"failed": True, "msg": "One or more items failed", "results": [made, broken]}}
    assert outcome(plan, failed)["lines"] == [
        "contoso: authentication policies: FAILED (access_denied), see what its task said above"
    ]
    assert audit(plan, failed)["errors"][0]["error_code"] == "access_denied"


def test_results_hold_nothing_that_is_not_for_reports() -> None:
    result = {"changed": True, "msg": "done", "invocation": {"module_args": {"client_secret": "x"}}, "diff": []}
    found = outcome({**PLAN, "parts": ["smtp_auth"]}, {"smtp_auth": result})
    assert found["results"] == {"smtp_auth": {"changed": True, "msg": "done"}}


@pytest.mark.parametrize(
    ("part", "result", "lines"),
    [
        (
            "transport_config",
            {
                "diff": {
                    "before_header": "contoso.com: the organization",
                    "before": {"clear_categories": True},
                    "after": {"clear_categories": False},
                }
            },
            ["the organization: clear_categories is true, should be false"],
        ),
        ("transport_config", {"diff": {"before": {}, "after": {}}}, []),
        (
            "smtp_auth",
            {
                "organization": {"before": "enabled", "after": "disabled", "status": "changed"},
                "mailboxes": [
                    own("scanner", "inherit", False),
                    own("stray", False, "inherit"),
                    own("ceo", False, True),
                    own("same", False, False, "unchanged"),
                    {"identity": "ghost", "status": "missing", "error": "not found"},
                ],
            },
            [
                "the organization: SMTP AUTH is enabled, should be disabled",
                "scanner: SMTP AUTH is left to the organization, should be allowed",
                "stray: SMTP AUTH is allowed, should be left to the organization",
                "ceo: SMTP AUTH is allowed, should be denied",
                "ghost: there is no such mailbox",
            ],
        ),
        (
            "smtp_auth",
            {
                "mailboxes": [],
                "users": [
                    {
                        "identity": "scanner",
                        "status": "changed",
                        "before": {"authentication_policy": ""},
                        "after": {"authentication_policy": "Devices"},
                    }
                ],
            },
            ["scanner: authentication_policy is '', should be 'Devices'"],
        ),
        ("smtp_auth", EXPIRED, ["scanner@contoso.com: the exception is past its last day, 2026-01-31"]),
        (
            "mailboxes",
            {
                "mailboxes": [
                    {
                        "identity": "ada",
                        "status": "changed",
                        "before": {"imap_enabled": True, "owa_mailbox_policy": "", "pop_enabled": False},
                        "after": {"imap_enabled": False, "owa_mailbox_policy": "Büro", "pop_enabled": False},
                    }
                ]
            },
            [
                "ada: imap_enabled is true, should be false",
                "ada: owa_mailbox_policy is '', should be 'Büro'",
            ],
        ),
    ],
)
def test_drift(part: str, result: dict[str, Any], lines: list[str]) -> None:
    found = audit({**PLAN, "parts": [part]}, {part: result})
    assert found["drift"] == lines
    assert found["drift_count"] == len(lines)
    assert found["status"] == ("drift" if lines else "compliant")


@pytest.mark.parametrize(
    ("plan", "results", "status"),
    [
        (PLAN, ALL_QUIET, "compliant"),
        (PLAN, {**ALL_QUIET, "smtp_auth": {"unlisted_enabled": ["old@contoso.com"]}}, "unlisted"),
        (PLAN, {**ALL_QUIET, "smtp_auth": {**EXPIRED, "unlisted_enabled": ["old@contoso.com"]}}, "drift"),
        (PLAN, {**ALL_QUIET, "smtp_auth": EXPIRED, "mailboxes": BROKEN}, "unknown"),
        (PLAN, {"smtp_auth": QUIET}, "unknown"),
        ({**PLAN, "parts": [], "problems": ["no"]}, ALL_QUIET, "unknown"),
        ({**PLAN, "parts": [], "undeclared": "declares nothing"}, ALL_QUIET, "undeclared"),
        (HELD, ALL_QUIET, "held"),
    ],
)
def test_status(plan: dict[str, Any], results: dict[str, Any], status: str) -> None:
    found = audit(plan, results)
    assert found["status"] == status
    assert found["lines"][0] == f"contoso: {status}"


def test_errors_keep_their_code() -> None:
    found = audit(PLAN, {**ALL_QUIET, "mailboxes": BROKEN})
    assert found["errors"] == [
        {"message": "mailboxes: The secret is wrong.", "error_code": "authentication_failed"},
    ]


def test_large_audits_are_cut_and_counted() -> None:
    boxes = [own(f"m{number}", False, True) for number in range(MOST_LINES + 7)]
    result = {
        "mailboxes": boxes,
        "unlisted_enabled": ["a", "b"],
        "truncated": {"mailboxes": 1000, "unlisted_enabled": 40},
    }
    found = audit({**PLAN, "parts": ["smtp_auth"]}, {"smtp_auth": result})
    assert len(found["drift"]) == MOST_LINES
    assert found["drift_count"] == MOST_LINES + 7 + 1000
    assert found["unlisted_enabled"] == {"count": 42, "mailboxes": ["a", "b"]}
    assert "and 1007 more differences" in found["lines"]
    assert found["lines"][-1] == "42 enabled and on no list: a, b and 40 more"


def found(**changes: Any) -> dict[str, Any]:
    return {**audit(PLAN, ALL_QUIET), **changes}


@pytest.mark.parametrize(
    ("one", "given", "fails"),
    [
        (found(), "drift,unlisted,expired", False),
        (found(status="drift", drift_count=1), None, False),
        (found(status="drift", drift_count=1), "drift", True),
        (found(status="drift", drift_count=1), ["unlisted"], False),
        (found(status="unlisted", unlisted_enabled={"count": 1, "mailboxes": ["a"]}), " unlisted ,drift", True),
        (found(status="drift", drift_count=1, expired=[{}]), "expired", True),
        (found(status="held"), "drift,unlisted,expired", False),
        (found(status="undeclared"), "", True),
        (found(status="unknown"), "", True),
        ({"errors": [{"message": "stopped", "error_code": None}]}, "", True),
        (None, "", True),
    ],
)
def test_who_fails(one: dict[str, Any] | None, given: Any, fails: bool) -> None:
    result = fleet({"contoso": one}, fail_on(given))
    assert ("contoso" in result["failed"]) is fails


def test_fleet() -> None:
    result = fleet({"contoso": found(), "fabrikam-international": None}, [])
    assert result["table"] == [
        "tenant                  status      drift  unlisted  expired",
        "contoso                 compliant       0         0        0",
        "fabrikam-international  unknown         ?         ?        ?",
    ]
    assert result["tenants"]["fabrikam-international"]["status"] == "unknown"
    assert result["failed"] == {
        "fabrikam-international": ["fabrikam-international: unknown", "The audit did not reach this tenant."]
    }


def counts(allowed: int, unknown: int = 0) -> dict[str, int]:
    return {"allowed": allowed, "blocked": 0, "unknown": unknown}


KNOWN = {
    "basic": counts(4),
    "oauth": counts(9),
    "usage": {"used": 2, "not_seen": 7, "unknown": 0},
    "closing": {"cut_off": 5},
    "unread": [],
}
UNREAD = {"what": "usage", "reason": "the log says no", "permission": "AuditLog.Read.All"}
HALF_KNOWN = {
    "basic": counts(4, 5),
    "oauth": counts(0, 9),
    "usage": {"used": 0, "not_seen": 0, "unknown": 9},
    "closing": {"cut_off": None},
    "unread": [UNREAD, {**UNREAD, "what": "more"}, {"what": "x", "reason": "nobody knows", "permission": ""}],
}


def test_the_fleet_shows_who_can_use_smtp_auth() -> None:
    verdicts = {"contoso": KNOWN, "fabrikam": HALF_KNOWN, "held": None}
    result = fleet({host: found(host=host, verdict=verdict) for host, verdict in verdicts.items()}, [])
    assert result["table"] == [
        "tenant    status      drift  unlisted  expired    basic    oauth  in use  cut off",
        "contoso   compliant       0         0        0        4        9       2        5",
        "fabrikam  compliant       0         0        0      4-9      0-9       ?        ?",
        "held      compliant       0         0        0        ?        ?       ?        ?",
        "To know the rest, the apps need AuditLog.Read.All (in 1 tenant).",
    ]
    figures = {key: result["artifacts"]["exo_fabrikam"][key] for key in ("basic", "oauth", "in_use", "cut_off")}
    assert figures == {"basic": 4, "oauth": 0, "in_use": None, "cut_off": None}
    assert result["failed"] == {}


@pytest.mark.parametrize(
    ("broken", "verdict", "lines"),
    [
        (False, {"msg": "contoso.com: 9 mailboxes.", "summary": KNOWN}, ["9 mailboxes."]),
        (False, {"msg": "9 mailboxes.", "summary": HALF_KNOWN}, ["9 mailboxes.", "the log says no", "nobody knows"]),
        (False, {"skipped": True, "changed": False}, []),
        (False, {"msg": "no", "error_code": "access_denied"}, ["no"]),
        # The parts have said it.
        (True, {"msg": "no", "error_code": "access_denied"}, []),
    ],
)
def test_an_audit_tells_the_verdict_and_what_of_it_is_not_known(
    broken: bool, verdict: dict[str, Any], lines: list[str]
) -> None:
    results = {**ALL_QUIET, "mailboxes": BROKEN} if broken else ALL_QUIET
    plain, told = audit(PLAN, results), audit({**PLAN, "tenant": "contoso.com"}, results, verdict)
    assert told["lines"][len(plain["lines"]) :] == lines
    assert told["status"] == plain["status"]
    assert told["verdict"] == verdict.get("summary")


def test_another_finding_is_refused() -> None:
    with pytest.raises(ValueError, match=r"names drfit\. It takes drift, unlisted, expired"):
        fail_on("drift, drfit")


# --- where the way back is in the events of a job ---

ANNOUNCED = {**PLAN, "announced": True}
WOULD = {"changed": True, "undo": {"groups": []}}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (ALL_QUIET, []),
        ({**ALL_QUIET, "mailboxes": WOULD}, ["mailboxes"]),
        ({**ALL_QUIET, "mailboxes": {**WOULD, "failed": True, "error_code": "partial_failure"}}, ["mailboxes"]),
        ({**ALL_QUIET, "mailboxes": {"changed": False, "failed": True, "error_code": "refused"}}, []),
        ({**ALL_QUIET, "mailboxes": {"changed": True}}, []),
        ({**ALL_QUIET, "mailboxes": {"changed": True, "results": [WOULD, {"changed": True}]}}, []),
        ({**ALL_QUIET, "mailboxes": {"changed": True, "results": [WOULD, QUIET]}}, ["mailboxes"]),
    ],
    ids=["nothing", "a change", "some of it fails", "refused", "no way back", "not of all", "one of two"],
)
def test_only_what_was_announced_with_its_way_back_is_written(results: dict[str, Any], expected: list[str]) -> None:
    before = outcome(ANNOUNCED, results)
    assert (before["to_write"], before["to_do"]) == (expected, PLAN["parts"])
    assert outcome(ANNOUNCED, results, announced=results, writing=True)["to_do"] == expected
    assert outcome(PLAN, results)["to_write"] == []


def test_what_an_announcement_has_no_room_for_is_told_before_the_writing() -> None:
    undo = {"set": "a", "part": 1, "parts": 3, "groups": []}
    results = {**ALL_QUIET, "mailboxes": {**WOULD, "undo": undo}}
    told = [{"set": "a", "part": number, "parts": 3} for number in (2, 3)]
    assert outcome(ANNOUNCED, results)["to_tell"] == told
    assert outcome(ANNOUNCED, results, announced=results, writing=True)["to_tell"] == []
    assert outcome(ANNOUNCED, {**ALL_QUIET, "mailboxes": WOULD})["to_tell"] == []


def test_what_was_not_to_be_written_keeps_its_announcement() -> None:
    announced = {**ALL_QUIET, "smtp_auth": BROKEN, "mailboxes": WOULD}
    skipped = {"changed": False, "skipped": True}
    written = {"transport_config": skipped, "smtp_auth": skipped, "mailboxes": {"changed": True, "msg": "1 changes"}}
    found = outcome(ANNOUNCED, written, announced=announced)
    assert found["artifact"]["parts"] == {
        "transport_config": "unchanged",
        "smtp_auth": "failed",
        "mailboxes": "changed",
    }
    assert found["results"]["mailboxes"]["msg"] == "1 changes"


def test_figures_have_no_names() -> None:
    effect = {"lose": 2, "gain": None, "lose_sample": ["ada@contoso.com"], "gain_sample": []}
    summary = {"matched": 9, "changed": 3, "unchanged": 5, "failed": 1, "missing": 0, "effect": effect}
    several = {"changed": True, "results": [{"summary": summary}, {"summary": summary}]}
    single = {"changed": True, "effect": {"lose": 1, "gain": 0}, "undo_file": "/undo/contoso-transport_config.json"}
    found = outcome(
        {**PLAN, "parts": ["policies", "transport_config"]}, {"policies": several, "transport_config": single}
    )
    assert found["artifact"] == {
        "host": "contoso",
        "status": "changed",
        "check_mode": False,
        "parts": {"policies": "changed", "transport_config": "changed"},
        "changed": 6,
        "failed": 2,
        "missing": 0,
        "lose": 5,
        "gain": None,
        "error_codes": [],
        "undo_files": ["/undo/contoso-transport_config.json"],
        "undo_in_events": False,
    }


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("contoso", "exo_contoso"),
        ("contoso.com", "exo_contoso_com_"),
        ("contoso-com", "exo_contoso_com_"),
        ("1", "exo_1"),
    ],
)
def test_the_key_of_an_artifact_is_the_name_of_a_variable(host: str, key: str) -> None:
    found = artifact_key(host)
    assert found.startswith(key) and found.isidentifier()
    assert len(found) == len(key) + (6 if key.endswith("_") else 0)
    assert artifact_key("contoso.com") != artifact_key("contoso-com")


def test_a_warning_is_told_once_for_all_tenants() -> None:
    plan = {**PLAN, "warnings": ["The reports are lost."]}
    found = audit(plan, ALL_QUIET)
    table = fleet({"one": found, "two": found, "three": None}, warnings=["The evidence is lost."])["table"]
    assert table[-2:] == ["The reports are lost.", "The evidence is lost."]
    assert len(table) == 6
    assert outcome(plan, ALL_QUIET)["warnings"] == ["The reports are lost."]
