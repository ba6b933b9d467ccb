# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditional Access: what a policy alone says about one user's sign-in, and what What-If adds."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    BASIC,
    EXCHANGE_ONLINE,
    OAUTH,
    ConditionalAccess,
    Judgement,
    Method,
    judge_what_if,
    parse,
    what_if_request,
)

USER = "5e550000-0000-4000-8000-000000000001"
OTHER = "5e550000-0000-4000-8000-000000000002"


def policy(name: str = "CA01", **changed: t.Any) -> dict[str, t.Any]:
    """A policy that blocks legacy clients for everybody, as Graph sends it, but for these parts.

    state, grant and session replace those parts; users, applications and other conditions are merged.
    """
    conditions: dict[str, t.Any] = {
        "userRiskLevels": [],
        "signInRiskLevels": [],
        "clientAppTypes": ["exchangeActiveSync", "other"],
        "servicePrincipalRiskLevels": [],
        "insiderRiskLevels": None,
        "platforms": None,
        "locations": None,
        "devices": None,
        "clientApplications": None,
        "authenticationFlows": None,
        "applications": {
            "includeApplications": ["All"],
            "excludeApplications": [],
            "includeUserActions": [],
            "includeAuthenticationContextClassReferences": [],
            "applicationFilter": None,
            **changed.pop("applications", {}),
        },
        "users": {
            "includeUsers": ["All"],
            "excludeUsers": [],
            "includeGroups": [],
            "excludeGroups": [],
            "includeRoles": [],
            "excludeRoles": [],
            "includeGuestsOrExternalUsers": None,
            "excludeGuestsOrExternalUsers": None,
            **changed.pop("users", {}),
        },
    }
    return {
        "id": f"id-{name}",
        "displayName": name,
        "state": changed.pop("state", "enabled"),
        "sessionControls": changed.pop("session", None),
        "grantControls": changed.pop("grant", grant("block")),
        "conditions": {**conditions, **changed},
    }


def grant(*controls: str, operator: str = "OR", **more: t.Any) -> dict[str, t.Any]:
    return {
        "operator": operator,
        "builtInControls": list(controls),
        "customAuthenticationFactors": [],
        "termsOfUse": [],
        "authenticationStrength@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x",
        "authenticationStrength": None,
        **more,
    }


BLOCKS, SPARES = "blocks", "spares"
PERSISTENT = {"disableResilienceDefaults": None, "persistentBrowser": {"mode": "never", "isEnabled": True}}

# What a policy does to USER's sign-in with a password: blocks, spares, or the conditions that leave it undecided.
CASES: list[tuple[str, t.Any, t.Any]] = [
    ("block", policy(), BLOCKS),
    # Legacy clients can't answer a demand, so any grant control blocks them.
    ("mfa", policy(grant=grant("mfa")), BLOCKS),
    ("compliant device", policy(grant=grant("compliantDevice")), BLOCKS),
    ("a control nobody knows", policy(grant=grant("newControl")), BLOCKS),
    ("strength", policy(grant=grant(authenticationStrength={"id": "x"})), BLOCKS),
    ("terms", policy(grant=grant(termsOfUse=["x"])), BLOCKS),
    ("custom", policy(grant=grant(customAuthenticationFactors=["x"])), BLOCKS),
    ("unknown demand", policy(grant=grant(newDemand={"a": 1})), BLOCKS),
    ("session only", policy(grant=None, session=PERSISTENT), SPARES),
    ("disabled", policy(state="disabled"), SPARES),
    ("report-only", policy(state="enabledForReportingButNotEnforced"), SPARES),
    ("all clients", policy(clientAppTypes=["all"]), BLOCKS),
    ("browser", policy(clientAppTypes=["browser"]), SPARES),
    ("ActiveSync", policy(clientAppTypes=["exchangeActiveSync", "easSupported"]), SPARES),
    ("modern clients", policy(clientAppTypes=["mobileAppsAndDesktopClients", "browser"]), SPARES),
    ("no clients", policy(clientAppTypes=[]), ("clientAppTypes",)),
    ("unknown clients", policy(clientAppTypes=["browser", "fridge"]), ("clientAppTypes",)),
    ("Exchange", policy(applications={"includeApplications": [EXCHANGE_ONLINE.upper()]}), BLOCKS),
    ("Office365", policy(applications={"includeApplications": ["Office365"]}), BLOCKS),
    ("another app", policy(applications={"includeApplications": ["797f4846-ba00-4fd7-ba43-dac1f8f63013"]}), SPARES),
    ("no app", policy(applications={"includeApplications": ["None"]}), SPARES),
    ("user action", policy(applications={"includeApplications": [], "includeUserActions": ["urn:user:x"]}), SPARES),
    (
        "authentication context",
        policy(applications={"includeApplications": [], "includeAuthenticationContextClassReferences": ["c1"]}),
        SPARES,
    ),
    ("Exchange excluded", policy(applications={"excludeApplications": [EXCHANGE_ONLINE]}), SPARES),
    ("Office365 excluded", policy(applications={"excludeApplications": ["Office365"]}), SPARES),
    ("filter", policy(applications={"applicationFilter": {"mode": "exclude", "rule": "x"}}), ("applicationFilter",)),
    ("named", policy(users={"includeUsers": [USER.upper()]}), BLOCKS),
    ("somebody else", policy(users={"includeUsers": [OTHER]}), SPARES),
    ("nobody", policy(users={"includeUsers": ["None"]}), SPARES),
    ("excluded", policy(users={"excludeUsers": [USER]}), SPARES),
    ("another excluded", policy(users={"excludeUsers": [OTHER]}), BLOCKS),
    ("group", policy(users={"includeUsers": [], "includeGroups": ["g"]}), ("includeGroups",)),
    ("role", policy(users={"includeUsers": [], "includeRoles": ["r"]}), ("includeRoles",)),
    ("guests", policy(users={"includeUsers": ["GuestsOrExternalUsers"]}), ("includeGuestsOrExternalUsers",)),
    ("named beside a group", policy(users={"includeUsers": [USER], "includeGroups": ["g"]}), BLOCKS),
    ("group excluded", policy(users={"excludeGroups": ["g"]}), ("excludeGroups",)),
    ("role excluded", policy(users={"excludeRoles": ["r"]}), ("excludeRoles",)),
    (
        "guests excluded",
        policy(users={"excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "internalGuest"}}),
        ("excludeGuestsOrExternalUsers",),
    ),
    ("excluded beside a group", policy(users={"excludeUsers": [USER], "excludeGroups": ["g"]}), SPARES),
    ("sign-in risk", policy(signInRiskLevels=["high"]), ("signInRiskLevels",)),
    ("user risk", policy(userRiskLevels=["high"]), ("userRiskLevels",)),
    ("insider risk", policy(insiderRiskLevels="elevated"), ("insiderRiskLevels",)),
    ("platform", policy(platforms={"includePlatforms": ["android"], "excludePlatforms": []}), ("platforms",)),
    ("device filter", policy(devices={"deviceFilter": {"mode": "include", "rule": "x"}}), ("devices",)),
    ("flow", policy(authenticationFlows={"transferMethods": "deviceCodeFlow"}), ("authenticationFlows",)),
    (
        "trusted places",
        policy(locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        ("locations",),
    ),
    ("a place", policy(locations={"includeLocations": ["11"], "excludeLocations": []}), ("locations",)),
    ("every place", policy(locations={"includeLocations": ["All"], "excludeLocations": []}), BLOCKS),
    ("an empty condition", policy(platforms={"includePlatforms": [], "excludePlatforms": []}), BLOCKS),
    ("risk of applications", policy(servicePrincipalRiskLevels=["high"]), BLOCKS),
    ("a condition nobody knows", policy(moonPhase={"phases": ["full"]}), ("moonPhase",)),
    (
        "several",
        policy(signInRiskLevels=["high"], users={"excludeGroups": ["g"]}),
        ("signInRiskLevels", "excludeGroups"),
    ),
    # Policies of a kind that is not known
    ("no object", "CA01", ("unknown form",)),
    ("unknown state", policy(state="enabledForPilot"), ("unknown state",)),
    ("no state", policy(state=None), ("unknown state",)),
    ("no conditions", {"displayName": "CA01", "state": "enabled", "rules": [1]}, ("unknown conditions",)),
    ("enforces nothing known", policy(grant=None), ("unknown grantControls",)),
    ("no users", {**policy(), "conditions": {**policy()["conditions"], "users": None}}, ("unknown users",)),
    (
        "no applications",
        {**policy(), "conditions": {**policy()["conditions"], "applications": None}},
        ("applications",),
    ),
    # Parts of a form that is not known
    ("controls of another form", policy(grant=grant() | {"builtInControls": "block"}), BLOCKS),
    ("apps of another form", policy(applications={"includeApplications": "All"}), ("applications",)),
    ("no list of apps", policy(applications={"includeApplications": None}), ("applications",)),
    ("a target nobody knows", policy(applications={"includeMoons": ["x"]}), ("includeMoons",)),
    ("users of another form", policy(users={"includeUsers": [{"id": USER}]}), ("includeUsers",)),
    ("exclusions of another form", policy(users={"excludeUsers": "all of them"}), ("excludeUsers",)),
    ("users nobody knows", policy(users={"excludeMoons": ["x"]}), ("excludeMoons",)),
    ("unknown, for browsers", policy(grant=None, clientAppTypes=["browser"]), SPARES),
]


def outcome(judged: Judgement) -> t.Any:
    assert not (judged.blocking and judged.undecided)
    if judged.blocking:
        return BLOCKS
    return judged.undecided[0].conditions if judged.undecided else SPARES


@pytest.mark.parametrize(("given", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_one_policy_and_a_password(given: t.Any, expected: t.Any) -> None:
    assert outcome(ConditionalAccess([given], BASIC).judge(USER)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (policy(), SPARES),
        (policy(clientAppTypes=["all"], grant=grant("mfa")), SPARES),
        (policy(clientAppTypes=["all"], grant=grant("mfa", "compliantDevice")), SPARES),
        (policy(clientAppTypes=["all"], grant=grant(authenticationStrength={"id": "x"})), SPARES),
        (policy(clientAppTypes=["all"], grant=grant("mfa", "compliantDevice", operator="AND")), "undecided"),
        (policy(clientAppTypes=["all"]), "undecided"),
        (policy(clientAppTypes=["mobileAppsAndDesktopClients"], grant=grant("compliantDevice")), "undecided"),
        (policy(clientAppTypes=["all"], users={"excludeUsers": [USER]}), SPARES),
    ],
)
def test_one_policy_and_oauth(given: t.Any, expected: str) -> None:
    found = outcome(ConditionalAccess([given], OAUTH).judge(USER))
    assert found == expected or (expected == "undecided" and "how the client signs in" in found)


def test_a_certain_block_is_named_beside_what_is_undecided() -> None:
    policies = [policy("CA01"), policy("CA02", users={"excludeGroups": ["g"]}), policy("CA03", state="disabled")]
    judged = ConditionalAccess(policies, BASIC).judge(USER)
    assert judged.blocking == ("CA01",)
    assert [str(one) for one in judged.undecided] == ["CA02 (excludeGroups)"]


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ({}, BLOCKS),
        ({"excludeUsers": [OTHER]}, ("users",)),
        ({"includeUsers": [OTHER]}, ("users",)),
        ({"includeUsers": []}, SPARES),
    ],
)
def test_a_mailbox_without_an_object_id(users: dict[str, t.Any], expected: t.Any) -> None:
    assert outcome(ConditionalAccess([policy(users=users)], BASIC).judge("")) == expected


def test_users_whom_no_policy_names_share_one_judgement() -> None:
    access = ConditionalAccess([policy(users={"excludeUsers": [OTHER]})], BASIC)
    assert access.judge(USER) is access.judge("5e550000-0000-4000-8000-0000000000ff")
    assert access.judge(OTHER).blocking == ()


def test_two_thousand_policies_and_ten_thousand_users() -> None:
    policies = [policy(f"CA{number}", users={"excludeGroups": ["g"]}) for number in range(2000)]
    access = ConditionalAccess(policies, BASIC)
    for number in range(10_000):
        assert len(access.judge(f"user-{number}").undecided) == 2000


def test_the_question_to_what_if() -> None:
    assert what_if_request(USER, "203.0.113.10") == {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": USER},
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": [EXCHANGE_ONLINE],
        },
        "signInConditions": {
            "clientAppType": "other",
            "signInRiskLevel": "none",
            "userRiskLevel": "none",
            "ipAddress": "203.0.113.10",
        },
        "appliedPoliciesOnly": False,
    }
    assert "ipAddress" not in what_if_request(USER, None)["signInConditions"]


PLACES = {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}


@pytest.mark.parametrize(
    ("given", "applies", "reasons", "client_ip", "expected"),
    [
        (policy(), True, "notSet", True, BLOCKS),
        (policy(), False, "users", True, SPARES),
        (policy(), False, "application", False, SPARES),
        (policy(), False, "signInRisk", True, SPARES),
        (policy(), False, "notEnoughInformation", True, ("notEnoughInformation",)),
        (policy(), False, "devices", True, ("devices",)),
        (policy(), False, "devices, users", True, SPARES),
        (policy(), False, "", True, ("no reason given",)),
        (policy(), None, "notSet", True, ("policyApplies",)),
        (policy(locations=PLACES), False, "location", True, SPARES),
        (policy(locations=PLACES), False, "location", False, ("location",)),
        (policy(locations=PLACES), True, "notSet", True, BLOCKS),
        (policy(locations=PLACES), True, "notSet", False, ("locations",)),
        (policy(state="enabledForReportingButNotEnforced"), True, "notSet", True, SPARES),
        (policy(grant=None, session=PERSISTENT), True, "notSet", True, SPARES),
        (policy(state="enabledForPilot"), True, "notSet", True, ("unknown state",)),
        (policy(state="enabledForPilot"), False, "users", True, SPARES),
    ],
)
def test_what_if(given: t.Any, applies: t.Any, reasons: str, client_ip: bool, expected: t.Any) -> None:
    rules = ConditionalAccess([given], BASIC).rules
    answer = [{**given, "policyApplies": applies, "analysisReasons": reasons}]
    assert outcome(judge_what_if(answer, rules, client_ip=client_ip)) == expected


@pytest.mark.parametrize("answer", [[], ["text"], [{"id": "id-CA02", "policyApplies": True}]])
def test_a_policy_that_what_if_leaves_out_is_undecided(answer: list[t.Any]) -> None:
    rules = ConditionalAccess([policy()], BASIC).rules
    assert outcome(judge_what_if(answer, rules, client_ip=True)) == ("not in the answer of What-If",)


@pytest.mark.parametrize("method", [BASIC, OAUTH])
def test_a_name_may_be_missing(method: Method) -> None:
    rule = parse({"state": "on"}, method)
    assert rule is not None
    assert rule.name == "a policy without a name"
