# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can use SMTP AUTH, which gate blocks the others, and who does use it."""

from __future__ import annotations

import csv
import datetime
import itertools
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from faults import documented
from harness import ROOT, Lab, Step, Tenant, own_token, small, task, tried

INFO = "exo_smtp_auth_info"
EVERYBODY = {"all_mailboxes": True}
# From 2026-12-31 nobody can say that Basic works, so no test asks for that.
RETIREMENT = {"basic_auth_retirement"}
TENANT_TEXT = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."


def box(step: Step, name: str) -> Mapping[str, Any]:
    found = [one for one in step["mailboxes"] if one["primary_smtp_address"].startswith(f"{name}@")]
    assert len(found) == 1, name
    return dict(found[0])


def closed(step: Step, name: str) -> list[str]:
    return list(box(step, name)["basic"]["closed"])


def unknown(step: Step, name: str) -> set[str]:
    return set(box(step, name)["basic"]["unknown"]) - RETIREMENT


def gate(step: Step, name: str, gate: str) -> Mapping[str, Any]:
    return next(one for one in box(step, name)["gates"] if one["gate"] == gate)


def usage(step: Step, name: str) -> Mapping[str, Any]:
    return dict(box(step, name)["usage"])


def sign_in(name: str, **changed: Any) -> dict[str, Any]:
    return {"user": name, "days_ago": 2, **changed}


def with_log(lab: Lab, *sign_ins: Mapping[str, Any], **entra: Any) -> Tenant:
    """A small tenant whose sign-in log has these entries; users are named by the part before the @."""
    tenant = small(lab)
    entries = [{**entry, "user": tenant.at(entry["user"])} for entry in sign_ins]
    tenant.patch(entra={"sign_ins": entries, **entra})
    return tenant


# --- the gates ---


@pytest.mark.smoke
def test_every_gate_that_blocks_a_mailbox_is_named(lab: Lab) -> None:
    tenant = small(
        lab,
        transport_config={"SmtpClientAuthenticationDisabled": True},
        authentication_policies=[{"name": "Block all"}, {"name": "SMTP only", "AllowBasicAuthSmtp": True}],
        organization_config={"DefaultAuthenticationPolicy": "Block all"},
    )
    tenant.patch(
        mailboxes=[
            {"identity": tenant.at("scanner"), "cas": {"SmtpClientAuthenticationDisabled": False}},
            {"identity": tenant.at("reports"), "cas": {"SmtpClientAuthenticationDisabled": False}},
            {"identity": tenant.at("scanner"), "user": {"AuthenticationPolicy": "SMTP only"}},
        ],
        add_mailboxes=[{"upn": tenant.at("shared"), "type": "SharedMailbox"}],
    )
    step = tenant.one(INFO, EVERYBODY).ok()
    assert not step.changed
    assert closed(step, "scanner") == []
    assert unknown(step, "scanner") == set()
    assert closed(step, "reports") == ["authentication_policy"]
    assert closed(step, "ada") == ["smtp_auth_setting", "authentication_policy"]
    assert closed(step, "blocked") == ["smtp_auth_setting", "authentication_policy"]
    assert closed(step, "shared") == ["smtp_auth_setting", "authentication_policy", "account"]
    oauth = {name: box(step, name)["oauth"]["state"] for name in ("scanner", "reports", "ada", "blocked", "shared")}
    assert oauth == {
        "scanner": "allowed",
        "reports": "allowed",
        "ada": "blocked",
        "blocked": "blocked",
        "shared": "blocked",
    }
    assert "Block all" in gate(step, "reports", "authentication_policy")["detail"]
    assert "an app that sends for the mailbox" in gate(step, "shared", "account")["detail"]
    assert step["summary"]["mailboxes"] == 7
    assert step["summary"]["unread"] == []
    assert step["summary"]["closing"]["cut_off"] == 0
    assert step.msg.startswith(f"{tenant.domain}: 7 mailboxes:")
    assert tenant.writes() == []


def test_security_defaults_and_conditional_access(lab: Lab) -> None:
    tenant = small(lab)
    tenant.patch(entra={"security_defaults": True})
    step = tenant.one(INFO, EVERYBODY).ok()
    assert closed(step, "ada") == ["security_defaults"]
    assert box(step, "ada")["oauth"]["state"] == "allowed"
    policies = [
        {
            "displayName": "MFA for all but the scanner",
            "conditions": {"users": {"includeUsers": ["All"], "excludeUsers": [tenant.at("scanner")]}},
            "grantControls": {"builtInControls": ["mfa"]},
        },
        {"displayName": "Only watched", "state": "enabledForReportingButNotEnforced"},
    ]
    tenant.patch(entra={"security_defaults": False, "conditional_access": policies})
    step = tenant.one(INFO, EVERYBODY).ok()
    assert closed(step, "ada") == ["conditional_access"]
    assert "MFA for all but the scanner" in gate(step, "ada", "conditional_access")["detail"]
    assert closed(step, "scanner") == []
    assert unknown(step, "scanner") == set()
    assert box(step, "ada")["oauth"]["state"] == "allowed"


def test_what_the_policies_leave_open_is_decided_by_what_if(lab: Lab) -> None:
    tenant = small(lab)
    policies = [
        {
            "displayName": "Only from our sites",
            "conditions": {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
            "grantControls": {"builtInControls": ["block"]},
        }
    ]
    sites = [{"displayName": "Sites", "isTrusted": True, "ipRanges": ["203.0.113.0/28"]}]
    tenant.patch(entra={"conditional_access": policies, "named_locations": sites, "missing": ["v1.0/what_if"]})
    scanner = {"identity": [tenant.at("scanner")]}
    run = tenant.run(
        [
            task(INFO, scanner, named="static"),
            task(INFO, {**scanner, "what_if": True, "client_ip": "203.0.113.10"}, named="inside"),
            task(INFO, {**scanner, "what_if": True, "client_ip": "198.51.100.7"}, named="outside"),
            task(INFO, {**scanner, "what_if": True}, named="nowhere"),
        ]
    )
    static = gate(run["static"], "scanner", "conditional_access")
    assert static["basic"] == "unknown"
    assert "Only from our sites (locations)" in static["detail"]
    assert "what_if" in static["remedy"]
    assert gate(run["inside"], "scanner", "conditional_access")["basic"] == "open"
    assert closed(run["outside"], "scanner") == ["conditional_access"]
    assert unknown(run["nowhere"], "scanner") == {"conditional_access"}


def test_a_policy_that_nobody_knows_is_unknown_and_never_open(lab: Lab) -> None:
    strange = {"id": "1", "displayName": "From the future", "state": "enabled", "rules": [{"deny": "all"}]}
    tenant = small(lab, graph={"/v1.0/identity/conditionalAccess/policies": {"value": [strange]}})
    step = tenant.one(INFO, EVERYBODY).ok()
    assert unknown(step, "ada") == {"conditional_access"}
    found = gate(step, "ada", "conditional_access")
    assert "From the future" in found["detail"]
    documented("policy of a kind that nobody knows", step, found["detail"], found["remedy"])
    assert box(step, "ada")["oauth"]["state"] == "unknown"


def test_two_thousand_policies(lab: Lab) -> None:
    tenant = small(lab)
    policies = [
        {
            "displayName": f"Policy {number}",
            "conditions": {"users": {"includeGroups": [f"group-{number}"]}},
            "grantControls": {"builtInControls": ["block"]},
        }
        for number in range(2000)
    ]
    tenant.patch(entra={"conditional_access": policies})
    step = tenant.one(INFO, EVERYBODY).ok()
    assert unknown(step, "ada") == {"conditional_access"}
    found = gate(step, "ada", "conditional_access")
    assert "and 1995 more" in found["detail"]
    documented("two thousand policies", step, found["detail"], found["remedy"])


@pytest.mark.parametrize("rights", [[], ["Policy.Read.All"], ["AuditLog.Read.All"], ["User.Read.All"]])
def test_a_missing_permission_is_named_and_leaves_its_gates_unknown(lab: Lab, rights: list[str]) -> None:
    tenant = small(lab, apps=[{"secret": "s3cr3t-of-the-app", "graph_roles": rights}])
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}).ok()
    policies = set() if "Policy.Read.All" in rights else {"security_defaults", "conditional_access"}
    assert unknown(step, "ada") == policies
    told = {(one["what"], one["permission"]) for one in step["summary"]["unread"]}
    expected = {(name, "Policy.Read.All") for name in policies}
    expected |= set() if "AuditLog.Read.All" in rights else {("usage", "AuditLog.Read.All")}
    assert told == expected
    if "AuditLog.Read.All" not in rights:
        assert {one["usage"]["state"] for one in step["mailboxes"]} == {"unknown"}
    if not rights:
        found = gate(step, "ada", "conditional_access")
        documented("no permission for policies", step, found["detail"], found["remedy"])
        documented("no permission for the sign-in log", step, usage(step, "ada")["reason"])


def test_an_exchange_that_lists_no_users_asks_graph_whose_sign_in_is_blocked(lab: Lab) -> None:
    reads = ["Get-CASMailbox", "Get-TransportConfig", "Get-OrganizationConfig"]
    tenant = small(lab, apps=[{"secret": "s3cr3t-of-the-app", "directory_role": reads}])
    tenant.patch(add_mailboxes=[{"upn": tenant.at("shared"), "type": "SharedMailbox"}])
    step = tenant.one(INFO, EVERYBODY).ok()
    assert closed(step, "shared") == ["account"]
    assert unknown(step, "ada") == {"mailbox_type", "authentication_policy"}
    assert gate(step, "ada", "account")["basic"] == "open"
    found = gate(step, "ada", "authentication_policy")
    documented("users that can't be listed", step, found["detail"], found["remedy"])


def test_an_access_token_alone_leaves_what_graph_tells_unknown(lab: Lab) -> None:
    tenant = small(lab)
    token = own_token(tenant)
    env = {"EXO_ACCESS_TOKEN": token, "EXO_AUTH_SOURCE": "access_token"}
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}, env=env, secrets=[token]).ok()
    assert unknown(step, "ada") == {"security_defaults", "conditional_access"}
    assert "access_token" in gate(step, "ada", "security_defaults")["detail"]
    assert "access_token" in usage(step, "ada")["reason"]
    documented("access token alone", step, usage(step, "ada")["reason"])
    assert graph_requests(tenant) == []


# --- usage ---


def test_a_sender_of_the_non_interactive_stream_is_found(lab: Lab) -> None:
    tenant = with_log(
        lab,
        sign_in("scanner", ip="203.0.113.10", times=3),
        sign_in("reports", client="SMTP"),
        sign_in("ada", stream="interactiveUser"),
        sign_in("ben", error=50126),
        sign_in("blocked", error=53003),
        sign_in("gone"),
    )
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}).ok()
    states = {name: usage(step, name)["state"] for name in ("scanner", "reports", "ada", "ben", "stray", "blocked")}
    assert states == {
        "scanner": "used",
        "reports": "used",
        "ada": "used",
        "ben": "not_seen",
        "stray": "not_seen",
        "blocked": "not_seen",
    }
    scanner = usage(step, "scanner")
    assert (scanner["sign_ins"], scanner["addresses"]) == (3, ["203.0.113.10"])
    assert scanner["streams"] == ["nonInteractiveUser"]
    assert usage(step, "ben")["failures"] == {"wrong user name or password": 1}
    assert usage(step, "blocked")["hidden_by"] == ["smtp_auth_setting"]
    assert step["coverage"]["log"]["complete"]
    assert step["unmatched"] == [tenant.at("gone")]
    documented("sign-in without a mailbox", step)
    closing = step["summary"]["closing"]
    assert (closing["cut_off"], closing["used"]) == (4, 3)
    assert {one["identity"] for one in closing["sample"][:3]} == set(map(tenant.at, ("scanner", "reports", "ada")))
    # The same question to v1.0, as other tools ask it.
    found = graph_rows(tenant, "/v1.0/auditLogs/signIns?$filter=clientAppUsed eq 'Authenticated SMTP'")
    assert {row["userPrincipalName"] for row in found} == {tenant.at("ada")}


def graph_requests(tenant: Tenant) -> list[dict[str, Any]]:
    return [entry for entry in tenant.lab.simulator.requests(tenant.label) if entry["kind"] == "graph"]


def graph_rows(tenant: Tenant, path: str) -> list[dict[str, Any]]:
    """What Graph answers to somebody who asks it directly."""
    simulator = tenant.lab.simulator
    answer = simulator.session.post(
        f"{simulator.endpoint}/{tenant.info.tenant_id}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": tenant.info.client_id,
            "client_secret": tenant.info.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        },
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    url = f"{tenant.environment['EXO_GRAPH_ENDPOINT']}{path}"
    return list(simulator.session.get(url, headers=headers).json()["value"])


@pytest.mark.parametrize(
    ("kind", "details"),
    [("status", {"code": 500}), ("page_expired", {}), ("throttle", {}), ("status", {"code": 504})],
)
def test_a_failing_third_page_never_makes_unused(lab: Lab, kind: str, details: dict[str, Any]) -> None:
    tenant = with_log(lab, sign_in("scanner", times=40, hours_apart=1), page_size=10)
    tenant.fault(kind, match={"endpoint": "graph", "resource": "sign_ins", "page": 3}, times=None, **details)
    step = tenant.one(INFO, {**EVERYBODY, "usage": True, "retries": 0}).ok()
    assert usage(step, "scanner")["state"] == "used"
    assert step["summary"]["usage"] == {"used": 1, "not_seen": 0, "unknown": 5}
    assert "not read to its end" in usage(step, "ada")["reason"]
    if kind == "page_expired":
        documented("sign-in log that breaks off", step, usage(step, "ada")["reason"])
    if kind == "throttle":
        documented("sign-in log throttled for good", step, usage(step, "ada")["reason"])


def test_a_graph_that_throttles_is_asked_again(lab: Lab) -> None:
    """Without the time to wait, and with it. In one run: the log is asked five times in ten seconds at most."""
    tenant = with_log(lab, sign_in("scanner"))
    for resource in ("conditional_access", "sign_ins"):
        for details in ({}, {"retry_after": "0.1"}):
            tenant.fault("throttle", match={"endpoint": "graph", "resource": resource}, **details)
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}).ok()
    assert step["summary"]["usage"] == {"used": 1, "not_seen": 5, "unknown": 0}
    assert step["summary"]["unread"] == []
    told = step["retried"]
    assert [text.rpartition("Waited ")[2] for text in told] == ["2.0 s.", "0.1 s.", "2.0 s.", "0.1 s."]
    documented("Conditional Access throttled without a time", step, told[0])
    documented("Conditional Access throttled", step, told[1])
    documented("sign-in log throttled without a time", step, told[2])
    documented("sign-in log throttled", step, told[3])


# What a tenant's log is like, and the reason that is told.
NO_PROOF: dict[str, tuple[dict[str, Any], str]] = {
    "no licence for the sign-in log": ({"licence": "none"}, "no Entra ID P1 or P2"),
    "sign-in log that is too young": ({"log_days": 5}, "reaches back"),
}


@pytest.mark.parametrize("name", NO_PROOF)
def test_a_log_that_proves_nothing(lab: Lab, name: str) -> None:
    entra, reason = NO_PROOF[name]
    tenant = with_log(lab, **entra)
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}).ok()
    assert step["summary"]["usage"] == {"used": 0, "not_seen": 0, "unknown": 6}
    assert reason in usage(step, "ada")["reason"]
    documented(name, step, usage(step, "ada")["reason"])


def test_a_log_that_answers_for_a_week_at_most_is_read_in_parts(lab: Lab) -> None:
    tenant = with_log(lab, sign_in("scanner", days_ago=1), sign_in("reports", days_ago=20), longest_range_days=8)
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}).ok()
    assert step["summary"]["usage"] == {"used": 2, "not_seen": 4, "unknown": 0}


def test_another_tenants_sign_ins_stop_the_task(lab: Lab) -> None:
    other = "11111111-2222-4333-8444-555555555555"
    row = {"id": "1", "userId": "u", "resourceTenantId": other, "homeTenantId": other, "status": {"errorCode": 0}}
    tenant = small(lab, graph={"/beta/auditLogs/signIns": {"value": [row]}})
    step = tenant.one(INFO, {**EVERYBODY, "usage": True}).refused("wrong_tenant", other)
    documented("sign-ins of another tenant", step)


# 2,000 senders over the last hundred days, none of whom has a mailbox here.
TODAY = datetime.datetime.now(datetime.timezone.utc).date()
DAYS = [TODAY - datetime.timedelta(days=ago) for ago in range(100)]
ROWS = (f"{day},app{number}@elsewhere.example,Basic,3\n" for day, number in itertools.product(DAYS, range(2000)))
LARGE = "Date,Sender address,Protocol,Messages\n" + "".join(ROWS)


def test_the_report_of_the_admin_center(lab: Lab, tmp_path: Path) -> None:
    tenant = with_log(lab, licence="none")
    report = tmp_path / "report.csv"
    report.write_text(
        f"Absenderadresse;Protokoll;Nachrichten\n{tenant.at('Scanner')};Basic;7\nx@elsewhere.example;OAuth;1\n",
        encoding="utf-16",
    )
    step = tenant.one(INFO, {**EVERYBODY, "usage_report": str(report)}).ok()
    assert usage(step, "scanner")["state"] == "used"
    assert usage(step, "scanner")["report"] == {"basic": 7}
    assert usage(step, "ada")["state"] == "unknown"
    assert step["unmatched"] == ["x@elsewhere.example"]
    latin = tmp_path / "latin.csv"
    latin.write_text(f"Absender;Größe\n{tenant.at('ada')};=1+1\n", encoding="latin-1")
    large = tmp_path / "large.csv"
    large.write_text(LARGE + f"2026-01-01,{tenant.at('reports')},Basic,1\n")
    report.write_text("Name,Size\na,1\n")
    run = tenant.run(
        [
            task(INFO, {**EVERYBODY, "usage_report": str(latin)}, named="Latin-1"),
            task(INFO, {**EVERYBODY, "usage_report": str(large)}, named="large"),
            tried(INFO, {**EVERYBODY, "usage_report": str(report)}, named="another"),
        ]
    )
    assert usage(run["Latin-1"], "ada")["state"] == "used"
    documented("report in Latin-1", run["Latin-1"])
    assert usage(run["large"], "ada") == {"state": "not_seen"}
    assert usage(run["large"], "reports") == {"state": "not_seen"}  # too long ago
    assert len(run["large"]["unmatched"]) == 100
    documented("report of 200,000 rows", run["large"])
    documented("report of something else", run["another"].refused("invalid_request", "no column of senders"))


# --- what is told ---


def test_an_error_text_is_told_apart_and_compared_with_the_tenant(lab: Lab) -> None:
    tenant = small(lab, transport_config={"SmtpClientAuthenticationDisabled": True})
    run = tenant.run(
        [
            task(INFO, {"identity": [tenant.at("ada")], "error_text": TENANT_TEXT}, named="agrees"),
            task(INFO, {"identity": [tenant.at("stray")], "error_text": TENANT_TEXT}, named="does not"),
            task(INFO, {"identity": [tenant.at("ada")], "error_text": "550 5.1.1 unknown"}, named="other"),
        ]
    )
    assert run["agrees"]["reply"]["gate"] == "smtp_auth_setting"
    assert "agrees" in run["agrees"]["reply"]["agreement"]
    assert "does not agree" in run["does not"]["reply"]["agreement"]
    assert run["other"]["reply"]["gate"] is None
    documented("error text that nobody knows", run["other"], run["other"]["reply"]["meaning"])


def test_dest(tenant: Tenant, tmp_path: Path) -> None:
    whole, table = tmp_path / "all.json", tmp_path / "all.csv"
    tenant.patch(mailboxes=[{"identity": tenant.at("ada"), "display_name": "=1+1"}])
    run = tenant.run(
        [
            task(INFO, {**EVERYBODY, "dest": str(whole)}, named="check", check_mode=True),
            task(INFO, {**EVERYBODY, "dest": str(whole)}, named="json"),
            task(INFO, {**EVERYBODY, "dest": str(whole)}, named="again"),
            task(INFO, {**EVERYBODY, "dest": str(table)}, named="csv"),
            tried(INFO, {**EVERYBODY, "dest": "all.json"}, named="relative"),
        ]
    )
    assert run["check"].changed and run["json"].changed and not run["again"].changed
    assert "mailboxes" not in run["json"].result
    content = json.loads(whole.read_text(encoding="utf-8"))
    assert len(content["mailboxes"]) == 6
    assert content["summary"] == run["json"]["summary"]
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600
    rows = list(csv.DictReader(table.open(encoding="utf-8", newline="")))
    assert {row["display_name"] for row in rows} >= {"'=1+1"}
    run["relative"].refused("invalid_request", "absolute path", hint=None)


NO_QUESTIONS = [
    ({}, "Which mailboxes"),
    ({**EVERYBODY, "what_if": True}, "needs identity"),
    ({"identity": ["a@x.example"], "client_ip": "203.0.113.10"}, "what_if"),
    ({"identity": ["a@x.example"], "what_if": True, "client_ip": "203.0.113.300"}, "IP address"),
    ({**EVERYBODY, "usage_days": 0}, "usage_days"),
    ({**EVERYBODY, "usage_report": "report.csv"}, "absolute path"),
    ({**EVERYBODY, "usage_report": "/nowhere/report.csv"}, "can't be read"),
]


def test_what_is_no_question_is_refused_before_any_request(tenant: Tenant) -> None:
    run = tenant.run([tried(INFO, arguments, named=text) for arguments, text in NO_QUESTIONS])
    for _arguments, text in NO_QUESTIONS:
        run[text].refused("invalid_request", text, hint=None)
    documented("client_ip that is none", run["IP address"])
    documented("report that is not there", run["can't be read"])
    assert tenant.log() == []


def test_nothing_of_the_second_token_is_shown(lab: Lab) -> None:
    tenant = with_log(lab, sign_in("scanner"))
    run = tenant.run([task(INFO, {**EVERYBODY, "usage": True})], verbosity=4)
    run[INFO].ok()
    assert graph_requests(tenant)


def test_requests_do_not_grow_with_the_mailboxes_but_by_pages(lab: Lab) -> None:
    tenant = small(lab, generate={"count": 10_000, "seed": 1, "shared": 0.1})
    step = tenant.one(INFO, EVERYBODY).ok()
    cmdlets = [entry["cmdlet"] for entry in tenant.log(step)]
    pages = {name: cmdlets.count(name) for name in dict.fromkeys(cmdlets)}
    assert pages["Get-CASMailbox"] == pages["Get-User"] == 10
    assert len(cmdlets) - 20 + len(graph_requests(tenant)) <= 7
    assert step["summary"]["mailboxes"] == 10_000
    assert step["truncated"]["mailboxes"] + len(step["mailboxes"]) == 10_000
    assert len(json.dumps(step.result)) < 700_000


def test_a_service_that_leaves_out_nulls_is_understood_and_told(lab: Lab) -> None:
    tenant = small(lab, omit_nulls=True)
    step = tenant.one(INFO, EVERYBODY, warns=["left out"]).ok()
    assert closed(step, "ada") == []
    assert unknown(step, "ada") == set()
    assert any("AuthenticationPolicy of every user" in text for text in step.warnings)


def test_the_examples_and_the_page_of_error_texts_run_as_they_are(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, domains=["contoso.com"])
    text = (ROOT / "plugins" / "modules" / f"{INFO}.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "smtp_auth_errors.md").read_text(encoding="utf-8")
    examples = text.partition('EXAMPLES = r"""')[2].partition('"""')[0]
    blocks = (examples, page.partition("```yaml\n")[2].partition("```")[0])
    lists = (yaml.safe_load(block.replace("/var/lib/exo", str(tmp_path))) for block in blocks)
    tasks = list(itertools.chain.from_iterable(lists))
    for one in tasks:  # the connection comes from the environment
        for name in ("tenant", "client_id", "certificate_path"):
            one.get(f"m365.exchange_online.{INFO}", {}).pop(name, None)
    (tmp_path / "smtp-auth-clients.csv").write_text("Date,Sender address\n2026-11-01,scanner@contoso.com\n")
    try:
        run = tenant.run(tasks)
    finally:
        lab.simulator.remove_tenant(tenant.label)
    assert len(run.steps) == len(tasks)
    assert (tmp_path / "contoso-smtp-auth.csv").exists()
    why = run["What it means, and what else is closed for this mailbox"].result["msg"]
    assert why[0]["gate"] == "smtp_auth_setting"
