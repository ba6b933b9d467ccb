# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of one tenant from what was read of it: always valid, and nothing unread is a default."""

from __future__ import annotations

import datetime
import itertools
import json
import typing as t
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _evidence
from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    BASIC,
    OAUTH,
    ConditionalAccess,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_record import (
    About,
    Found,
    Mailbox,
    Settings,
    document,
    failed,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_report import Judged
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    Coverage,
    Log,
    Seen,
    SignIns,
    Usage,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import (
    GATES,
    AuthenticationPolicies,
    Gate,
    TenantFacts,
    Unread,
)
from evidence import fleet

ROOT = Path(__file__).resolve().parents[4]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "evidence.schema.json").read_text()))
TODAY = datetime.date(2026, 11, 26)
WHY = Unread("Graph refused (HTTP 403).", "Policy.Read.All")
LOG = Log(SignIns(), Coverage(30, datetime.date(2026, 10, 27), TODAY))
ABOUT = About(fleet.NOW, "contoso", "contoso.onmicrosoft.com", "compliant", fleet.guid("contoso"))
FACTS = TenantFacts(
    today=TODAY,
    organization_disabled=False,
    blocked_apps=None,
    default_policy=None,
    policies=AuthenticationPolicies([]),
    security_defaults=False,
    conditional_access=ConditionalAccess([], BASIC),
    conditional_access_oauth=ConditionalAccess([], OAUTH),
)


def mailbox(name: str, override: str, closed: Sequence[str] = (), usage: Usage | None = None) -> Mailbox:
    """A judged mailbox; closed: the gates that are closed to Basic, and to OAuth but for authentication policies."""

    def gate(gate_name: str) -> Gate:
        basic = "closed" if gate_name in closed else "open"
        oauth = "open" if gate_name == "authentication_policy" else basic
        return Gate(gate_name, basic, oauth, "somewhere", "so it is")

    address = f"{name}@contoso.com"
    identity = {
        "identity": address,
        "guid": fleet.guid(name),
        "primary_smtp_address": address,
        "display_name": f"{name}\u202e\x07",
    }
    judged = Judged(identity, "UserMailbox", override == "inherit", False, tuple(map(gate, GATES)), usage)
    return Mailbox(judged, override)


def found(**changed: t.Any) -> Found:
    plain = Found(
        transport_config=Settings({"smtp_client_authentication_disabled": False}, {"Identity": "x"}),
        organization_config=Settings({"reject_direct_send": True}, {"BasicAuthBlockedApps": "None"}),
        facts=FACTS,
        access=[],
        mailboxes=[],
        log=LOG,
    )
    return replace(plain, **changed)


def made(about: About = ABOUT, **changed: t.Any) -> dict[str, t.Any]:
    """The document; it is valid and can be read, or the test fails."""
    content = document(about, found(**changed))
    SCHEMA.validate(content)
    _evidence.parse(content, "contoso.json")
    return content


UNREAD: dict[str, dict[str, t.Any]] = {
    "organization_config": {"organization_config": WHY},
    "access": {"access": WHY, "facts": replace(FACTS, conditional_access=WHY, conditional_access_oauth=WHY)},
    "mailboxes": {"mailboxes": WHY},
    "security_defaults": {"facts": replace(FACTS, security_defaults=WHY)},
    "default_policy": {"facts": replace(FACTS, default_policy=WHY)},
    "log": {"log": Log(SignIns(), Coverage(30, None, None, "not read"), "no licence")},
    "no log": {"log": None},
}


MIXTURES = list(itertools.chain.from_iterable(itertools.combinations(UNREAD, count) for count in range(3)))


@pytest.mark.parametrize("names", MIXTURES)
def test_every_mixture_of_read_and_unread_is_valid(names: tuple[str, ...]) -> None:
    changed: dict[str, t.Any] = {}
    for name in names:
        changed |= UNREAD[name]
    made(**changed)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("access", "conditional_access"),
        ("mailboxes", "counts"),
        ("mailboxes", "verdict"),
        ("mailboxes", "december"),
        ("security_defaults", "security_defaults"),
        ("default_policy", "default_authentication_policy"),
        ("no log", "usage"),
    ],
)
def test_what_was_not_read_is_null_and_never_a_default(name: str, key: str) -> None:
    assert made()[key] is not None
    assert made(**UNREAD[name])[key] is None


def test_what_was_not_read_is_named_with_the_permission_that_would_tell() -> None:
    assert made(**UNREAD["security_defaults"])["completeness"]["unread"] == [
        {"what": "security defaults", "reason": "Graph refused (HTTP 403).", "permission": "Policy.Read.All"}
    ]


def test_a_tenant_that_failed_is_valid_evidence() -> None:
    content = failed(ABOUT, "contoso: no directory role\x07", "access_denied")
    SCHEMA.validate(content)
    assert (content["status"], content["errors"][0]["message"]) == ("failed", "contoso: no directory role")


USED = Usage("used", seen=Seen(successes=3, last_success="2026-11-20T10:00:00.1234567Z"))
BOXES = [
    mailbox("plain", "inherit"),
    mailbox("seen", "inherit", usage=USED),
    mailbox("scanner", "enabled", usage=USED),
    mailbox("policy", "enabled", ["authentication_policy"]),
    mailbox("shut", "disabled", ["smtp_auth_setting"]),
]


def test_mailboxes_with_something_to_say_are_named_and_all_are_counted() -> None:
    content = made(mailboxes=BOXES)
    assert content["counts"] == {"mailboxes": 5, "enabled": 2, "disabled": 1, "inherit": 2}
    assert [box["address"].partition("@")[0] for box in content["mailboxes"]] == ["policy", "scanner", "seen", "shut"]
    assert content["verdict"]["basic"]["gates"]["authentication_policy"] == {"closed": 1, "unknown": 0}
    scanner = content["mailboxes"][1]
    assert scanner["display_name"] == "scanner"
    assert scanner["usage"] == {"state": "used", "last_seen": "2026-11-20T10:00:00Z", "sign_ins": 3}


@pytest.mark.parametrize(
    ("disabled", "flips"),
    [(False, {"keep": 2, "stop": 2}), (True, {"keep": 2, "stop": 0}), (WHY, None)],
)
def test_december(disabled: t.Any, flips: dict[str, int] | None) -> None:
    december = made(mailboxes=BOXES, facts=replace(FACTS, organization_disabled=disabled))["december"]
    if flips is None:
        assert december is None
        return
    assert december["flag_flips"] == flips
    assert december["basic_closed"] == {"stop": 3, "seen": 2, "oauth_open": 3}


def test_exceptions_are_tied_to_mailboxes_by_guid() -> None:
    allowed = [{"identity": name} for name in ("alias", "nobody", "unclear")]
    content = made(
        replace(ABOUT, allowed=allowed),
        mailboxes=BOXES,
        named={"alias": fleet.guid("plain")},
        unclear={"unclear": "more than one mailbox has this name"},
    )
    listed = {box["exception"]["identity"]: box["guid"] for box in content["mailboxes"] if "exception" in box}
    assert listed == {"alias": fleet.guid("plain"), "nobody": None}
    assert [entry["what"] for entry in content["completeness"]["unread"]] == ["the exception unclear"]


def test_an_attempt_that_a_gate_hides_from_the_log_is_not_unused() -> None:
    hidden = mailbox("hidden", "enabled", usage=Usage("not_seen", hidden_by=("authentication_policy",)))
    (box,) = made(mailboxes=[hidden])["mailboxes"]
    assert box["usage"]["state"] == "unknown"


@pytest.mark.parametrize(
    ("reference", "policies", "told"),
    [
        (None, [], {"name": None, "allow_basic_auth_smtp": None}),
        ("Block", [{"Name": "Block", "AllowBasicAuthSmtp": False}], {"name": "Block", "allow_basic_auth_smtp": False}),
        ("Gone", [], {"name": "Gone", "allow_basic_auth_smtp": None}),
    ],
)
def test_default_policy(reference: str | None, policies: list[t.Any], told: dict[str, t.Any]) -> None:
    facts = replace(FACTS, default_policy=reference, policies=AuthenticationPolicies(policies))
    assert made(facts=facts)["default_authentication_policy"] == told


def policy(**conditions: t.Any) -> dict[str, t.Any]:
    plain = {
        "clientAppTypes": ["other"],
        "users": {"includeUsers": ["All"], "excludeUsers": ["a", "b"], "excludeGroups": ["c"]},
        "applications": {"includeApplications": ["All"], "excludeApplications": []},
    }
    grant = {"operator": "OR", "builtInControls": ["block"]}
    return {
        "id": "p1",
        "displayName": "Block\u202e",
        "state": "enabled",
        "modifiedDateTime": None,
        "grantControls": grant,
        "conditions": {**plain, **conditions},
    }


def test_policies_that_reach_legacy_clients_are_evidence() -> None:
    browser = policy(clientAppTypes=["browser"])
    odd = {"id": None, "conditions": {"clientAppTypes": ["all", 7], "users": None}}
    told = made(access=[policy(), browser, odd])["conditional_access"]
    assert [(one["name"], one["exclusions"], one["all_users"]) for one in told] == [("", 0, False), ("Block", 3, True)]
    assert told[1]["grant_controls"] == ["block"]
