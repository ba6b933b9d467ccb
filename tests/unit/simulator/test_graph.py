# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Microsoft Graph: plain requests, and what the service is known to answer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from raw import Client, tenant

from simulator.testing import Simulator

GRAPH = "https://graph.microsoft.com/.default"
POLICIES = "v1.0/identity/conditionalAccess/policies"
DEFAULTS = "v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
SIGN_INS = "beta/auditLogs/signIns"
EVALUATE = "v1.0/identity/conditionalAccess/evaluate"
NON_INTERACTIVE = "signInEventTypes/any(t: t eq 'nonInteractiveUser')"
SMTP = "clientAppUsed eq 'Authenticated SMTP'"
EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"


class Graph:
    def __init__(self, client: Client) -> None:
        self.client, self.simulator, self.label = client, client.simulator, client.tenant.label
        self.domain = client.tenant.tenant
        self.token = client.token(GRAPH).json()["access_token"]

    def get(self, path: str, *, method: str = "GET", **options: Any) -> requests.Response:
        url = path if path.startswith("https:") else f"{self.simulator.endpoint}/{path}"
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.simulator.session.request(method, url, headers=headers, **options)

    def rows(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        link: str | None = path
        while link:
            page = self.get(link).json()
            found += page["value"]
            link = page.get("@odata.nextLink")
        return found

    def sign_ins(self, wanted: str, version: str = "beta") -> list[dict[str, Any]]:
        return self.rows(f"{version}/auditLogs/signIns?$filter={wanted}")

    def what_if(self, user: str, path: str = EVALUATE, **conditions: str) -> requests.Response:
        body = {
            "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user},
            "signInContext": {
                "@odata.type": "#microsoft.graph.applicationContext",
                "includeApplications": [EXCHANGE_APP],
            },
            "signInConditions": {"clientAppType": "other", **conditions},
            "appliedPoliciesOnly": False,
        }
        return self.get(path, method="POST", json=body)


def graph(simulator: Simulator, *, roles: list[str] | None = None, **entra: Any) -> Graph:
    apps = [{}] if roles is None else [{"graph_roles": roles}]
    return Graph(tenant(simulator, apps=apps, entra=entra))


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def user_id(found: Graph, name: str) -> str:
    return str(found.get(f"v1.0/users/{name}@{found.domain}").json()["id"])


# --- Callers ---


def test_a_token_is_for_one_audience(client: Client) -> None:
    found = Graph(client)
    assert found.get(DEFAULTS).json()["isEnabled"] is False
    found.token = client.token().json()["access_token"]
    answer = found.get(DEFAULTS)
    assert error(answer) == (401, "InvalidAuthenticationToken")
    assert "audience" in answer.json()["error"]["message"]
    assert error(found.get(DEFAULTS, headers={"Authorization": ""})) == (401, "InvalidAuthenticationToken")


def test_a_token_of_another_cloud(simulator: Simulator) -> None:
    client = tenant(simulator, cloud="gcc_high")
    found = Graph(client)
    assert found.get(DEFAULTS).status_code == 401
    found.token = client.token("https://graph.microsoft.us/.default").json()["access_token"]
    assert found.get(DEFAULTS).status_code == 200


@pytest.mark.parametrize(
    ("path", "role", "code"),
    [
        (DEFAULTS, "Policy.Read.All", "AccessDenied"),
        (POLICIES, "Policy.Read.All", "AccessDenied"),
        (POLICIES, "Policy.Read.ConditionalAccess", "AccessDenied"),
        ("v1.0/identity/conditionalAccess/namedLocations", "Policy.Read.All", "AccessDenied"),
        (SIGN_INS, "AuditLog.Read.All", "Authentication_MSGraphPermissionMissing"),
        ("v1.0/users", "User.Read.All", "Authorization_RequestDenied"),
        ("v1.0/users/ada@{d}", "Directory.Read.All", "Authorization_RequestDenied"),
    ],
)
def test_each_path_needs_its_permission(simulator: Simulator, path: str, role: str, code: str) -> None:
    without, allowed = graph(simulator, roles=["Mail.Read"]), graph(simulator, roles=[role])
    assert error(without.get(path.replace("{d}", without.domain))) == (403, code)
    assert allowed.get(path.replace("{d}", allowed.domain)).status_code == 200


def test_permissions_of_one_resource_are_not_in_the_token_of_the_other(simulator: Simulator) -> None:
    found = Graph(tenant(simulator, apps=[{"roles": ["Policy.Read.All"], "graph_roles": []}]))
    assert error(found.get(DEFAULTS)) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "v1.0/identity/nothing", 400),
        ("GET", "v1.0/policies", 400),
        ("PATCH", DEFAULTS, 405),
        ("POST", POLICIES, 405),
        ("GET", EVALUATE, 405),
        ("DELETE", SIGN_INS, 405),
        ("GET", f"{DEFAULTS}?$expand=x", 400),
        ("GET", f"{SIGN_INS}?$select=id", 400),
        ("GET", f"{SIGN_INS}?$orderby=createdDateTime asc", 400),
        ("GET", f"{SIGN_INS}?$search=x", 400),
        ("GET", "v1.0/users?top=5", 400),
        ("GET", "v1.0/users?$top=1000", 400),
        ("GET", f"{SIGN_INS}?$top=0", 400),
        ("GET", "v1.0/users?$select=accountEnabled,Nothing", 400),
        ("GET", "v1.0/users/nobody", 404),
        ("GET", f"{POLICIES}/nothing", 404),
        ("GET", f"{SIGN_INS}?$skiptoken=nothing", 400),
    ],
)
def test_what_graph_refuses(client: Client, method: str, path: str, status: int) -> None:
    found = Graph(client).get(path, method=method)
    assert found.status_code == status
    assert set(found.json()["error"]) == {"code", "message", "innerError"}


@pytest.mark.parametrize(
    "text",
    [
        "nothing eq 'x'",
        "clientAppUsed ne 'SMTP'",
        "clientAppUsed eq SMTP",
        "clientAppUsed",
        "createdDateTime ge yesterday",
        "createdDateTime ge '2026-11-01T00:00:00Z'",
        "status/errorCode eq '0'",
        "isInteractive eq null",
        "(clientAppUsed eq 'SMTP'",
        "clientAppUsed eq 'SMTP' or",
        "startswith(clientAppUsed, 'SMTP')",
        "signInEventTypes eq 'nonInteractiveUser'",
        "signInEventTypes/any(t: x eq 'nonInteractiveUser')",
        "clientAppUsed eq 'SMTP' %23",
    ],
)
def test_filters_that_graph_refuses(client: Client, text: str) -> None:
    assert error(Graph(client).get(f"{SIGN_INS}?$filter={text}")) == (400, "BadRequest")


# --- Policies ---


def test_security_defaults(simulator: Simulator) -> None:
    found = graph(simulator, security_defaults=True)
    assert found.get(DEFAULTS).json()["isEnabled"] is True
    assert set(found.get(f"{DEFAULTS}?$select=isEnabled").json()) == {"@odata.context", "isEnabled"}


def test_policies_are_whole_and_name_users_by_id(simulator: Simulator) -> None:
    found = graph(
        simulator,
        conditional_access=[
            {
                "displayName": "Block legacy clients",
                "conditions": {"clientAppTypes": ["other"], "users": {"includeUsers": ["All"], "excludeUsers": []}},
                "grantControls": {"builtInControls": ["block"]},
            },
            {"displayName": "Test", "state": "enabledForReportingButNotEnforced", "sessionControls": {"new": 1}},
        ],
    )
    first, second = found.rows(POLICIES)
    assert (first["state"], second["state"]) == ("enabled", "enabledForReportingButNotEnforced")
    assert first["conditions"]["applications"]["includeApplications"] == ["All"]
    assert first["grantControls"]["operator"] == "OR"
    assert second["grantControls"] is None
    assert found.get(f"{POLICIES}/{first['id']}").json()["displayName"] == first["displayName"]
    excluded = [f"ada@{found.domain}", "00000000-0000-4000-8000-000000000001"]
    changed = {"displayName": "Other", "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": excluded}}}
    found.simulator.patch_tenant(found.label, entra={"conditional_access": [changed]})
    (row,) = found.rows(POLICIES)
    assert row["conditions"]["users"]["excludeUsers"] == [user_id(found, "ada"), excluded[1]]


def test_two_thousand_policies_in_pages(simulator: Simulator) -> None:
    many = [{"displayName": f"CA{number:04d}"} for number in range(2000)]
    found = graph(simulator, conditional_access=many, page_size=300)
    assert [row["displayName"] for row in found.rows(POLICIES)] == [entry["displayName"] for entry in many]
    links = [entry for entry in found.simulator.requests(found.label) if entry["kind"] == "graph"]
    assert len(links) == 7
    assert "$skiptoken" in links[-1]["query"]


LEGACY = {"clientAppTypes": ["exchangeActiveSync", "other"]}
BLOCK = {"builtInControls": ["block"]}


@pytest.mark.parametrize(
    ("policy", "conditions", "why"),
    [
        ({"conditions": LEGACY, "grantControls": BLOCK}, {}, "notSet"),
        ({"state": "disabled", "grantControls": BLOCK}, {}, "policyNotEnabled"),
        ({"state": "enabledForReportingButNotEnforced", "grantControls": BLOCK}, {}, "notSet"),
        ({"conditions": {"clientAppTypes": ["browser"]}, "grantControls": BLOCK}, {}, "clientApps"),
        ({"conditions": {"users": {"includeUsers": ["None"]}}, "grantControls": BLOCK}, {}, "users"),
        ({"conditions": {"users": {"includeUsers": ["All"], "excludeGroups": ["g1"]}}, "grantControls": BLOCK}, {},
         "users"),
        ({"conditions": {"users": {"includeGroups": ["g1"]}}, "grantControls": BLOCK}, {}, "notSet"),
        ({"conditions": {"applications": {"includeApplications": ["Office365"]}}, "grantControls": BLOCK}, {},
         "notSet"),
        ({"conditions": {"applications": {"includeApplications": ["All"], "excludeApplications": [EXCHANGE_APP]}},
          "grantControls": BLOCK}, {}, "application"),
        ({"conditions": {"applications": {"includeUserActions": ["x"]}}, "grantControls": BLOCK}, {}, "userActions"),
        ({"conditions": {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
          "grantControls": BLOCK}, {}, "notEnoughInformation"),
        ({"conditions": {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
          "grantControls": BLOCK}, {"ipAddress": "203.0.113.9"}, "location"),
        ({"conditions": {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
          "grantControls": BLOCK}, {"ipAddress": "198.51.100.9"}, "notSet"),
        ({"conditions": {"platforms": {"includePlatforms": ["android"]}}, "grantControls": BLOCK}, {},
         "devicePlatform"),
        ({"conditions": {"signInRiskLevels": ["high"]}, "grantControls": BLOCK}, {}, "signInRisk"),
        ({"conditions": {"signInRiskLevels": ["high"]}, "grantControls": BLOCK}, {"signInRiskLevel": "high"}, "notSet"),
        ({"conditions": {"insiderRiskLevels": "elevated"}, "grantControls": BLOCK}, {}, "notEnoughInformation"),
        ({"conditions": {"devices": {"deviceFilter": {"mode": "include"}}}, "grantControls": BLOCK}, {},
         "notEnoughInformation"),
        ({"conditions": LEGACY}, {}, "emptyPolicy"),
    ],
)  # fmt: skip
def test_what_if(simulator: Simulator, policy: dict[str, Any], conditions: dict[str, str], why: str) -> None:
    found = graph(
        simulator,
        conditional_access=[{"displayName": "CA", **policy}],
        named_locations=[{"displayName": "Sites", "isTrusted": True, "ipRanges": ["203.0.113.0/28"]}],
    )
    found.simulator.patch_tenant(found.label, entra={"members": {"g1": [f"ada@{found.domain}"]}})
    (row,) = found.what_if(user_id(found, "ada"), **conditions).json()["value"]
    assert (row["analysisReasons"], row["policyApplies"]) == (why, why == "notSet")
    assert row["conditions"]["times"] is None


def test_what_if_is_strict(simulator: Simulator) -> None:
    found = graph(simulator, missing=["v1.0/what_if"])
    user, beta = user_id(found, "ada"), EVALUATE.replace("v1.0", "beta")
    answer = found.what_if(user)
    assert "Resource not found for the segment 'evaluate'" in answer.json()["error"]["message"]
    assert found.what_if(user, beta).json()["value"] == []
    assert found.what_if(user, beta, ipAddress="nowhere").status_code == 400
    assert found.what_if(user, beta, clientAppType="smtp").status_code == 400
    assert found.what_if(user, beta, unknown="x").status_code == 400
    assert found.what_if("nobody", beta).status_code == 400
    assert found.get(beta, method="POST", json={"conditionalAccessWhatIfSubject": {}}).status_code == 400
    assert found.get(beta, method="POST", data="{}").status_code == 415


def test_named_locations(simulator: Simulator) -> None:
    found = graph(
        simulator,
        named_locations=[
            {"displayName": "Sites", "isTrusted": True, "ipRanges": ["203.0.113.0/28"]},
            {"displayName": "Home country", "countries": ["de"]},
        ],
    )
    sites, country = found.rows("v1.0/identity/conditionalAccess/namedLocations")
    assert sites["ipRanges"][0]["cidrAddress"] == "203.0.113.0/28"
    assert country["countriesAndRegions"] == ["DE"]


# --- The sign-in log ---


def signed_in(simulator: Simulator, **entra: Any) -> Graph:
    found = graph(simulator, **entra)
    ada, scanner = f"ada@{found.domain}", f"scanner@{found.domain}"
    entries = [
        {"user": scanner, "days_ago": 2, "times": 3},
        {"user": scanner, "days_ago": 1, "client": "SMTP"},
        {"user": ada, "days_ago": 3, "stream": "interactiveUser"},
        {"user": ada, "days_ago": 3.5, "error": 50126, "ip": "198.51.100.77"},
        {"user": f"gone@{found.domain}", "days_ago": 4},
        {"user": ada, "days_ago": 5, "error": 53003, "policies": ["CA"]},
    ]
    policy = {"displayName": "CA", "grantControls": {"builtInControls": ["block"]}}
    simulator.patch_tenant(found.label, entra={"sign_ins": entries, "conditional_access": [policy]})
    return found


def test_both_streams_and_both_strings(simulator: Simulator) -> None:
    found = signed_in(simulator)
    mine = f"userId eq '{user_id(found, 'scanner')}'"
    assert len(found.sign_ins(f"{mine} and {SMTP} and {NON_INTERACTIVE}")) == 3
    assert len(found.sign_ins(f"{mine} and clientAppUsed eq 'SMTP' and {NON_INTERACTIVE}")) == 1
    # Without naming the type of event, there are the interactive ones alone.
    assert found.sign_ins(f"{mine} and {SMTP}") == []
    assert [row["userPrincipalName"] for row in found.sign_ins(SMTP)] == [f"ada@{found.domain}"]


def test_v1_never_shows_the_non_interactive_stream(simulator: Simulator) -> None:
    found = signed_in(simulator)
    (row,) = found.sign_ins(SMTP, "v1.0")
    assert row["isInteractive"] is True
    assert "signInEventTypes" not in row
    answer = found.get(f"v1.0/auditLogs/signIns?$filter={NON_INTERACTIVE}")
    assert "Could not find a property named 'signInEventTypes'" in answer.json()["error"]["message"]


def test_sign_ins_are_those_of_the_mailboxes_and_of_others(simulator: Simulator) -> None:
    found = signed_in(simulator)
    rows = found.sign_ins(f"{SMTP} and {NON_INTERACTIVE}")
    mailbox = found.simulator.mailbox(found.label, f"scanner@{found.domain}")
    known = {row["userId"] for row in rows}
    assert mailbox["ExternalDirectoryObjectId"] in known
    assert f"gone@{found.domain}" in {row["userPrincipalName"] for row in rows}
    assert [row["createdDateTime"] for row in rows] == sorted((row["createdDateTime"] for row in rows), reverse=True)
    assert {row["status"]["errorCode"] for row in rows} == {0, 50126, 53003}
    assert {row["resourceTenantId"] for row in rows} == {found.client.tenant.tenant_id}


@pytest.mark.parametrize(("role", "count"), [("Policy.Read.All", 1), ("User.Read.All", 0)])
def test_applied_policies_show_only_with_permission(simulator: Simulator, role: str, count: int) -> None:
    found = signed_in(simulator)
    simulator.patch_tenant(found.label, apps=[{"graph_roles": ["AuditLog.Read.All", role]}])
    found.token = found.client.token(GRAPH).json()["access_token"]
    (row,) = found.sign_ins(f"status/errorCode eq 53003 and {NON_INTERACTIVE}")
    assert len(row["appliedConditionalAccessPolicies"]) == count


def at(days_ago: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(("log_days", "oldest"), [(30, 29), (5, 4), (0, None)])
def test_how_far_the_log_reaches_back(simulator: Simulator, log_days: int, oldest: int | None) -> None:
    found = graph(simulator, log_days=log_days, sign_ins=[{"user": "x@y.example", "days_ago": 31}])
    ages = [row["createdDateTime"] for row in found.sign_ins(NON_INTERACTIVE)]
    assert len(ages) == log_days
    if oldest is not None:
        window = f"createdDateTime ge {at(oldest + 1)} and createdDateTime le {at(oldest)} and {NON_INTERACTIVE}"
        assert len(found.sign_ins(window)) == 1


def test_no_licence_no_log_and_no_policies(simulator: Simulator) -> None:
    found = graph(simulator, licence="none", conditional_access=[{"displayName": "CA", "grantControls": BLOCK}])
    assert error(found.get(SIGN_INS)) == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    assert found.get(POLICIES).json()["value"] == []


def test_long_ranges_time_out(simulator: Simulator) -> None:
    found = graph(simulator, longest_range_days=7)
    assert found.get(f"{SIGN_INS}?$filter=createdDateTime ge {at(8)}").status_code == 504
    assert found.get(SIGN_INS).status_code == 504
    window = f"createdDateTime ge {at(14)} and createdDateTime le {at(7.5)}"
    assert found.get(f"{SIGN_INS}?$filter={window}").status_code == 200


def test_options_that_may_be_accepted(simulator: Simulator) -> None:
    found = graph(simulator, sign_in_options=["$orderby", "$select"])
    rows = found.rows(f"{SIGN_INS}?$orderby=createdDateTime asc&$top=7&$select=createdDateTime")
    assert [row["createdDateTime"] for row in rows] == sorted(row["createdDateTime"] for row in rows)
    assert set(rows[0]) == {"createdDateTime"}
    assert error(found.get(f"{SIGN_INS}?$orderby=userId")) == (400, "BadRequest")


def test_pages_of_the_log(simulator: Simulator) -> None:
    found = graph(simulator, generate_sign_ins={"count": 2500, "interactive": 0, "failures": 0, "other_string": 0})
    path = f"{SIGN_INS}?$filter={SMTP} and {NON_INTERACTIVE}"
    first = found.get(path).json()
    assert len(first["value"]) == 1000
    assert len({row["id"] for row in found.rows(path)}) == 2500
    other = first["@odata.nextLink"].replace("Authenticated%20SMTP", "SMTP")
    assert error(found.get(other)) == (400, "BadRequest")
    found.simulator.patch_tenant(found.label, page_expiry=0)
    assert error(found.get(first["@odata.nextLink"])) == (400, "BadRequest")


def test_made_up_sign_ins_are_those_of_the_mailboxes(simulator: Simulator) -> None:
    found = Graph(
        tenant(
            simulator,
            generate={"count": 1000, "prefix": "g."},
            entra={"generate_sign_ins": {"count": 5000, "senders": 0.1, "failures": 0.2}},
        )
    )
    rows = [*found.sign_ins(sent_in("nonInteractiveUser")), *found.sign_ins(sent_in("interactiveUser"))]
    boxes = {box["ExternalDirectoryObjectId"] for box in found.simulator.state(found.label)["mailboxes"]}
    senders = {row["userId"] for row in rows}
    assert senders <= boxes
    assert 80 < len(senders) < 120
    assert {row["status"]["errorCode"] for row in rows} == {0, 50126}


def sent_in(stream: str) -> str:
    return f"{SMTP} and signInEventTypes/any(t: t eq '{stream}')"


# --- Users ---


def test_disabled_accounts_are_those_of_the_mailboxes(simulator: Simulator) -> None:
    found = graph(simulator, users=[{"upn": "leaver@x.example", "enabled": False}])
    rows = found.rows("v1.0/users?$select=id,accountEnabled&$filter=accountEnabled eq false&$top=1")
    scanner = found.simulator.mailbox(found.label, f"scanner@{found.domain}")["ExternalDirectoryObjectId"]
    assert len(rows) == 2
    assert rows[0] == {"id": scanner, "accountEnabled": False}
    change = {"identity": f"scanner@{found.domain}", "account_disabled": False}
    found.simulator.patch_tenant(found.label, mailboxes=[change])
    assert [row["id"] for row in found.rows("v1.0/users?$filter=accountEnabled eq false")] != [scanner]


def test_users_without_select_do_not_tell_whether_they_are_enabled(client: Client) -> None:
    found = Graph(client)
    (row,) = found.rows(f"v1.0/users?$filter=userPrincipalName eq 'ada@{found.domain}'")
    assert "accountEnabled" not in row
    assert "mail" in row


def test_advanced_queries_need_the_header(client: Client) -> None:
    found, eventual = Graph(client), {"ConsistencyLevel": "eventual"}
    query = "v1.0/users?$count=true&$filter=accountEnabled ne true"
    assert error(found.get(query)) == (400, "Request_UnsupportedQuery")
    assert found.get(query, headers=eventual).json()["@odata.count"] == 1
    assert "@odata.count" not in found.get("v1.0/users?$count=true").json()
    assert found.get("v1.0/users/$count").status_code == 400
    assert found.get("v1.0/users/$count?$filter=accountEnabled eq true", headers=eventual).text == "3"


# --- Faults ---


@pytest.mark.parametrize("retry_after", ["3", None])
def test_throttling_with_and_without_advice(client: Client, retry_after: str | None) -> None:
    found = Graph(client)
    found.simulator.fault("throttle", tenant=found.label, match={"resource": "users"}, retry_after=retry_after)
    assert found.get(DEFAULTS).status_code == 200
    answer = found.get("v1.0/users")
    assert error(answer) == (429, "TooManyRequests")
    assert answer.headers.get("Retry-After") == retry_after
    assert found.get("v1.0/users").status_code == 200


def test_a_failing_third_page(simulator: Simulator) -> None:
    found = graph(simulator)
    match = {"resource": "sign_ins", "page": 3, "query": "nonInteractiveUser"}
    simulator.fault("status", tenant=found.label, match=match, code=504, times=None)
    path = f"{SIGN_INS}?$top=10&$filter={NON_INTERACTIVE}"
    second = found.get(found.get(path).json()["@odata.nextLink"]).json()
    assert error(found.get(second["@odata.nextLink"])) == (504, "UnknownError")
    assert len(found.rows(f"{SIGN_INS}?$top=10")) == 30


def test_other_faults(simulator: Simulator) -> None:
    found = graph(simulator)
    match = {"resource": "sign_ins"}
    simulator.fault("wrong_type", tenant=found.label, match=match, property="resourceTenantId", value="another")
    assert {row["resourceTenantId"] for row in found.get(SIGN_INS).json()["value"]} == {"another"}
    simulator.fault("missing_property", tenant=found.label, match=match, property="userId")
    assert "userId" not in found.get(SIGN_INS).json()["value"][0]
    simulator.fault("page_foreign_link", tenant=found.label, match=match, url="https://graph.example.com/")
    assert found.get(SIGN_INS).json()["@odata.nextLink"] == "https://graph.example.com/"
    simulator.fault("html", tenant=found.label, match=match)
    assert found.get(SIGN_INS).status_code == 503
    simulator.fault("expire_tokens", tenant=found.label, match=match)
    assert found.get(SIGN_INS).status_code == 401
    assert found.get(DEFAULTS).status_code == 401


def test_documented_limits_when_asked_for(simulator: Simulator) -> None:
    found = graph(simulator, limits=True)
    assert found.get(POLICIES).status_code == 200
    answer = found.get("v1.0/identity/conditionalAccess/namedLocations")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)
    answers = [found.get(SIGN_INS) for _number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10


def test_canned_documents(simulator: Simulator) -> None:
    found = Graph(tenant(simulator, graph={"/v1.0/organization": {"value": []}, "/v1.0/me": 418}))
    assert found.get("v1.0/organization").json() == {"value": []}
    assert found.get("v1.0/me").status_code == 418


@pytest.mark.parametrize(
    "entra",
    [
        {"unknown": 1},
        {"licence": "P3"},
        {"conditional_access": [{}]},
        {"conditional_access": [{"displayName": "x", "state": "on"}]},
        {"named_locations": [{"displayName": "x", "ipRanges": ["nowhere"]}]},
        {"sign_ins": [{"days_ago": 1}]},
        {"sign_ins": [{"user": "x", "stream": "other"}]},
        {"sign_ins": [{"user": "x", "at": "yesterday"}]},
        {"generate_sign_ins": {"number": 1}},
        {"users": [{"upn": "x", "enabld": False}]},
    ],
)
def test_descriptions_that_make_no_sense(simulator: Simulator, entra: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="400"):
        graph(simulator, **entra)
