# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies, users, mailbox plans and the organization's configuration, by themselves and together."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from faults import documented
from harness import ROOT, Lab, Tenant, converged, people, rhythm, task, tried

BASELINE = ROOT / "playbooks" / "baseline.yml"
ALLOW, BLOCK = "Allow SMTP", "Block Basic"
SCANNERS = ("scanner", "reports", "stray")
WARNS = ["SMTP AUTH in effect", "on no list", "no place on a list", "authentication policy"]


@pytest.fixture
def gated(lab: Lab) -> Tenant:
    """A tenant whose default policy blocks everything, with one policy that lets SMTP through."""
    tenant = lab.tenant(
        transport_config={"SmtpClientAuthenticationDisabled": True},
        authentication_policies=[{"name": ALLOW, "AllowBasicAuthSmtp": True}, {"name": BLOCK}],
        organization_config={"DefaultAuthenticationPolicy": BLOCK},
    )
    tenant.patch(add_mailboxes=people(tenant.domain))
    return tenant


def state(tenant: Tenant) -> Any:
    """What decides for each mailbox: its own setting, and its user's policy."""
    found = tenant.lab.simulator.state(tenant.label)
    users = {user["Guid"]: user["AuthenticationPolicy"] for user in found["users"]}
    boxes = found["mailboxes"]
    return {box["Alias"]: (box["SmtpClientAuthenticationDisabled"], users[box["Guid"]]) for box in boxes}


def both_gates(tenant: Tenant, path: Path) -> dict[str, Any]:
    return {
        "organization": "disabled",
        "allowed": [tenant.at(name) for name in SCANNERS],
        "authentication_policy": ALLOW,
        "undo_file": str(path),
    }


def test_from_blocked_to_works_and_back(gated: Tenant, tmp_path: Path) -> None:
    """One task opens both gates for three scanners, and one restore brings back exactly what was."""
    path = tmp_path / "undo.json"
    before = state(gated)
    scanners = [gated.at(name) for name in SCANNERS]
    verdict = {"identity": scanners}
    run = gated.run(
        [
            task("exo_smtp_auth_info", verdict, named="before"),
            *rhythm("open", "exo_smtp_auth", both_gates(gated, path)),
            task("exo_smtp_auth_info", verdict, named="between"),
            *rhythm("back", "exo_restore", {"src": str(path)}),
            task("exo_smtp_auth_info", verdict, named="after"),
        ],
        warns=WARNS,
    )
    opened = converged(run, "open", gated)
    assert opened.apply["summary"]["effect"]["gain"] == len(SCANNERS)
    assert [user["after"] for user in opened.apply["users"]] == [{"authentication_policy": ALLOW}] * len(SCANNERS)
    writes = [entry["cmdlet"] for entry in gated.writes(opened.apply)]
    assert writes == ["Set-User"] * 3 + ["Set-CASMailbox"] * 2  # the stray's own setting was open already
    boxes = [*run["before"]["mailboxes"], *run["between"]["mailboxes"], *run["after"]["mailboxes"]]
    gates = [{gate["gate"]: gate["basic"] for gate in box["gates"]}["authentication_policy"] for box in boxes]
    assert gates == ["closed"] * 3 + ["open"] * 3 + ["closed"] * 3
    back = converged(run, "back", gated)
    assert back.apply["summary"]["effect"]["lose"] == len(SCANNERS)
    assert state(gated) == before


@pytest.mark.parametrize("writes", range(6))
def test_stopped_after_each_write(gated: Tenant, tmp_path: Path, writes: int) -> None:
    """No scanner is in a state that is neither its old nor its new one: policy first, then the mailbox."""
    before = state(gated)
    match = {"cmdlet": "Set-User"} if writes < 3 else {"cmdlet": "Set-CASMailbox"}
    gated.fault("nul_403", match=match, after=writes % 3, times=None)
    gated.run([tried("exo_smtp_auth", both_gates(gated, tmp_path / "undo.json"))], warns=WARNS)
    for name, (own, policy) in state(gated).items():
        assert own in (before[name][0], False)
        assert policy in (before[name][1], ALLOW)
        # An open mailbox under a blocking policy was so before.
        assert not (own is False and policy is None) or before[name][0] is False


def test_nobody_is_open_for_a_moment(gated: Tenant, tmp_path: Path) -> None:
    """Where the organization opens and a user loses the policy, the policy goes first; the way back likewise."""
    gated.patch(mailboxes=[{"identity": gated.at("ada"), "user": {"AuthenticationPolicy": ALLOW}}])
    before, path = state(gated), tmp_path / "undo.json"
    options = {**both_gates(gated, path), "organization": "enabled", "unlisted": "not_enabled"}
    run = gated.run(
        [task("exo_smtp_auth", options, named="open"), task("exo_restore", {"src": str(path)}, named="back")],
        warns=WARNS,
    )
    assert [user["identity"] for user in run["open"]["users"]][-1:] == [gated.at("ada")]
    assert state(gated) == before
    history = gated.lab.simulator.history(gated.label)
    changes = itertools.chain.from_iterable(entry["changes_by_both"].values() for entry in history)
    assert gated.at("ada") not in {change["address"] for change in changes}


def test_unlisted_users_lose_the_policy_where_it_is_said(gated: Tenant, tmp_path: Path) -> None:
    gated.patch(mailboxes=[{"identity": gated.at("ada"), "user": {"AuthenticationPolicy": ALLOW}}])
    named = both_gates(gated, tmp_path / "a.json")
    oauth = {"identity": gated.at("ada"), "method": "oauth"}
    run = gated.run(
        [
            task("exo_smtp_auth", named, named="named"),
            task("exo_smtp_auth", {**named, "allowed": [*named["allowed"], oauth]}, named="oauth"),
            task("exo_smtp_auth", {**named, "unlisted": "not_enabled"}, named="taken away"),
        ],
        warns=WARNS,
    )
    (warning,) = [text for text in run["named"].warnings if "1 user has the authentication policy" in text]
    documented("user on no list who has the policy", run["named"], warning.partition(": ")[2])
    # It needs no policy any more, and would go on to let Basic in without a word.
    assert any(f"lets Basic through for {gated.at('ada')}" in text for text in run["oauth"].warnings)
    assert [user["identity"] for user in run["taken away"]["users"]] == [gated.at("ada")]
    assert state(gated)["ada"] == (None, None)


def test_a_policy_that_can_open_nothing_is_refused(gated: Tenant) -> None:
    run = gated.run(
        [
            tried("exo_smtp_auth", {"allowed": [gated.at("scanner")], "authentication_policy": BLOCK}, named="blocks"),
            tried("exo_smtp_auth", {"allowed": [gated.at("scanner")], "authentication_policy": "Alow"}, named="typo"),
        ]
    )
    run["blocks"].refused("invalid_request", "does not let SMTP through")
    run["typo"].refused("invalid_request", "no authentication policy 'Alow'", hint="Did you mean Allow SMTP")
    documented("policy that can open nothing", run["blocks"])
    documented("policy of no such name", run["typo"])
    assert gated.lab.simulator.writes(gated.label) == []


def test_an_opened_mailbox_under_a_blocking_policy_is_named(gated: Tenant) -> None:
    run = gated.run([task("exo_smtp_auth", {"allowed": [gated.at("scanner")]})], warns=WARNS)
    step = run["exo_smtp_auth"]
    (warning,) = [text for text in step.warnings if f"blocks Basic for {gated.at('scanner')}" in text]
    documented("mailbox under a blocking policy", step, warning.partition(": ")[2])


@pytest.mark.parametrize("form", ["name", "dn"])
def test_users(gated: Tenant, tmp_path: Path, form: str) -> None:
    """A policy, none, and not managed are three states; references read back as names or as distinguished names."""
    gated.patch(forms={"policy_reference": form})
    before = state(gated)
    run = gated.run(
        [
            *rhythm(
                "give",
                "exo_user",
                {
                    "users": [
                        {"identity": gated.at("ada"), "authentication_policy": ALLOW},
                        {"identity": gated.at("ben"), "authentication_policy": BLOCK},
                    ],
                    "undo_file": str(tmp_path / "undo.json"),
                },
            ),
            task("exo_user_info", {"all_users": True, "where": {"authentication_policy": ALLOW}}, named="who"),
            *rhythm(
                "take",
                "exo_user",
                {"all_users": True, "where": {"authentication_policy": BLOCK}, "authentication_policy": ""},
            ),
            tried("exo_user", {"identity": [gated.at("ada")], "authentication_policy": "none such"}, named="typo"),
            task("exo_restore", {"src": str(tmp_path / "undo.json")}, named="back"),
        ],
        warns=WARNS,
    )
    converged(run, "give", gated)
    assert [user["identity"] for user in run["who"]["users"]] == [gated.at("ada")]
    converged(run, "take", gated)
    run["typo"].refused("invalid_request", "none such")
    assert state(gated) == before


def test_the_policy_of_all_users_is_left_where_nobody_knows_whom_it_cuts_off(gated: Tenant) -> None:
    gated.fault("nul_403", match={"cmdlet": "Get-CASMailbox"}, times=None)
    run = gated.run(
        [
            tried("exo_user", {"all_users": True, "authentication_policy": BLOCK}, named="all"),
            tried("exo_user", {"all_users": True, "authentication_policy": BLOCK}, named="check", check_mode=True),
            task("exo_user", {"identity": [gated.at("ada")], "authentication_policy": BLOCK}, named="one"),
        ],
        warns=["It is not known who"],
    )
    for named in ("all", "check"):
        run[named].refused("refused", "can't be known who loses or gains", hint="Global Reader")
    assert len(gated.lab.simulator.writes(gated.label)) == 1


def test_sessions_are_revoked_when_asked(gated: Tenant) -> None:
    options = {"identity": [gated.at("ada")], "authentication_policy": ALLOW, "revoke_sessions": True}
    gated.run([task("exo_user", options)], warns=WARNS)
    (write,) = gated.lab.simulator.writes(gated.label)
    assert {name.lower() for name in write["parameters"]} >= {"authenticationpolicy", "stsrefreshtokensvalidfrom"}


def test_the_query_for_users_with_a_policy_has_fallbacks(gated: Tenant) -> None:
    gated.patch(
        forms={"filter_not_null": "refused"},
        mailboxes=[{"identity": gated.at("ada"), "user": {"AuthenticationPolicy": ALLOW}}],
    )
    run = gated.run([task("exo_authentication_policy_info")])
    users = {
        policy["name"]: policy["users"] for policy in run["exo_authentication_policy_info"]["authentication_policies"]
    }
    assert users == {ALLOW: 1, BLOCK: 0}
    documented("query that the service refuses", run["exo_authentication_policy_info"])


def test_authentication_policies(gated: Tenant, tmp_path: Path) -> None:
    closes = {"name": ALLOW, "allow_basic_auth_smtp": False}
    undo = str(tmp_path / "undo.json")
    run = gated.run(
        [
            *rhythm("make", "exo_authentication_policy", {"name": "POP only", "allow_basic_auth_pop": True}),
            *rhythm("change", "exo_authentication_policy", {"name": "pop ONLY", "allow_basic_auth_imap": True}),
            *rhythm("remove", "exo_authentication_policy", {"name": "POP only", "state": "absent", "undo_file": undo}),
            tried("exo_authentication_policy", {"name": BLOCK, "state": "absent"}, named="in use"),
            tried(
                "exo_authentication_policy",
                {**closes, "max_lose": 0},
                named="nobody",
            ),
        ],
        warns=WARNS,
    )
    for named in ("make", "change", "remove"):
        converged(run, named, gated)
    assert "way back: by hand (exo_restore leaves what was made" in run["remove: apply"].msg
    assert [entry["cmdlet"].partition("-")[0] for entry in gated.lab.simulator.writes(gated.label)[:3]] == [
        "New",
        "Set",
        "Remove",
    ]
    documented("policy in use", run["in use"].refused("refused", "the organization's default"))
    assert run["nobody"].changed


def test_a_policy_that_lets_go_of_smtp_counts_whom_it_cuts_off(gated: Tenant) -> None:
    gated.patch(
        mailboxes=[
            {
                "identity": gated.at(name),
                "cas": {"SmtpClientAuthenticationDisabled": False},
                "user": {"AuthenticationPolicy": ALLOW},
            }
            for name in ("scanner", "reports")
        ]
    )
    closes = {"name": ALLOW, "allow_basic_auth_smtp": False}
    run = gated.run(
        [
            task("exo_authentication_policy", closes, named="check", check_mode=True),
            tried("exo_authentication_policy", {**closes, "max_lose": "1"}, named="limit"),
        ],
        warns=WARNS,
    )
    assert run["check"]["effect"]["lose"] == 2
    documented("policy that cuts off too many", run["limit"].refused("refused", "2 would lose", "max_lose: 1"))
    assert gated.lab.simulator.writes(gated.label) == []


def test_what_a_policy_gave_is_counted_when_it_is_taken_back(gated: Tenant, tmp_path: Path) -> None:
    """An undo file of the policy names no mailbox, and yet taking it back cuts off whoever has the policy."""
    gated.patch(
        mailboxes=[
            {
                "identity": gated.at("scanner"),
                "cas": {"SmtpClientAuthenticationDisabled": False},
                "user": {"AuthenticationPolicy": BLOCK},
            }
        ]
    )
    undo = str(tmp_path / "policy.json")
    opens = {"name": BLOCK, "allow_basic_auth_smtp": True, "undo_file": undo}
    run = gated.run(
        [
            task("exo_authentication_policy", opens, named="opens"),
            task("exo_restore", {"src": undo}, named="check", check_mode=True),
            tried("exo_restore", {"src": undo, "max_lose": "0"}, named="limit"),
        ],
        warns=WARNS,
    )
    # The mailbox that has the policy, and the one that follows the default, which is this policy.
    assert run["opens"]["effect"]["gain"] == 2
    assert "2 would lose SMTP AUTH" in run["check"].msg
    run["limit"].refused("refused", "2 would lose", "max_lose: 0")


def test_a_month_old_file_cuts_off_nobody_who_came_since(gated: Tenant, tmp_path: Path) -> None:
    """Others came to rely on the policy, on the default, on the organization: no file of those names a mailbox."""
    closed = {"SmtpClientAuthenticationDisabled": True}
    switch, default, flag = (str(tmp_path / f"{name}.json") for name in ("switch", "default", "flag"))
    opens = {"smtp_client_authentication_disabled": False, "undo_file": flag}
    gated.patch(mailboxes=[{"identity": gated.at("ben"), "cas": closed}])
    gated.run(
        [
            task("exo_authentication_policy", {"name": BLOCK, "allow_basic_auth_smtp": True, "undo_file": switch}),
            task("exo_organization_config", {"default_authentication_policy": ALLOW, "undo_file": default}),
            task("exo_transport_config", opens),
        ],
        warns=WARNS,
    )
    gated.patch(mailboxes=[{"identity": gated.at("ben"), "cas": {"SmtpClientAuthenticationDisabled": None}}])
    gated.patch(authentication_policies=[{"name": BLOCK, "AllowBasicAuthSmtp": True}])
    gated.patch(mailboxes=[{"identity": gated.at("stray"), "user": {"AuthenticationPolicy": BLOCK}}])
    gated.patch(mailboxes=[{"identity": gated.at("ada"), "user": {"AuthenticationPolicy": BLOCK}}])
    run = gated.run(
        [
            tried("exo_restore", {"src": flag}, named="flag"),
            tried("exo_restore", {"src": flag}, named="flag: check", check_mode=True),
            tried("exo_restore", {"src": switch}, named="switch"),
            task("exo_restore", {"src": flag, "force": True}, named="forced"),
            task("exo_restore", {"src": default}, named="default"),
        ],
        warns=WARNS,
    )
    for named in ("flag", "flag: check"):
        run[named].refused("refused", "take SMTP AUTH from ben@.*did not gain it by that run", hint="force")
        assert gated.writes(run[named]) == []
    documented("old file of a setting that others follow by now", run["flag"])
    run["switch"].refused("refused", "take SMTP AUTH from ada@.*did not gain it by that run", hint="force")
    assert gated.writes(run["switch"]) == []
    assert "ben@" in " ".join(run["forced"].warnings)
    assert run["default"].changed


def test_the_services_own_fault_stops_the_change(gated: Tenant) -> None:
    """The peers remove the policy and make it anew then; its users would have none."""
    gated.patch(null_reference=500)
    run = gated.run(
        [tried("exo_authentication_policy", {"name": ALLOW, "allow_basic_auth_imap": True, "wait_timeout": 0})]
    )
    documented("policy that the service does not change", run["exo_authentication_policy"])
    assert "do not remove this one" in run["exo_authentication_policy"].msg
    assert {entry["cmdlet"] for entry in gated.lab.simulator.writes(gated.label)} == {"Set-AuthenticationPolicy"}


def test_the_default_policy(gated: Tenant, tmp_path: Path) -> None:
    gated.patch(mailboxes=[{"identity": gated.at("scanner"), "cas": {"SmtpClientAuthenticationDisabled": False}}])
    path = tmp_path / "undo.json"
    options = {"default_authentication_policy": ALLOW, "undo_file": str(path)}
    run = gated.run(
        [
            *rhythm("set", "exo_organization_config", options),
            tried("exo_organization_config", {"default_authentication_policy": BLOCK, "max_lose": 0}, named="limit"),
            *rhythm("back", "exo_restore", {"src": str(path)}),
        ],
        warns=WARNS,
    )
    done = converged(run, "set", gated)
    assert done.apply["effect"]["gain"] == 2  # the scanner, and the stray that is open as well
    documented("default that cuts off too many", run["limit"].refused("refused", "would lose SMTP AUTH"))
    converged(run, "back", gated)


def test_the_role_previews_policies_that_it_will_make(tenant: Tenant) -> None:
    """Policy, exceptions and default in one baseline: the preview says of each what the run then does."""
    tenant.patch(mailboxes=[{"identity": tenant.at("scanner"), "cas": {"SmtpClientAuthenticationDisabled": False}}])
    variables = {
        **tenant.host_vars,
        "tenant_baseline_smtp_auth_allowed": [tenant.at("scanner")],
        "tenant_baseline_smtp_auth_authentication_policy": ALLOW,
        "tenant_baseline_authentication_policies": [{"name": ALLOW, "allow_basic_auth_smtp": True}, {"name": BLOCK}],
        "tenant_baseline_organization_config": {"default_authentication_policy": BLOCK},
        "tenant_baseline_max_lose": "100%",
    }
    how: dict[str, Any] = {"host_vars": {tenant.label: variables}, "env": tenant.urls, "warns": WARNS}
    preview = tenant.lab.run_playbook(BASELINE, [tenant], check=True, **how)
    assert tenant.writes() == []
    tenant.lab.run_playbook(BASELINE, [tenant], **how)
    assert state(tenant)["scanner"] == (False, ALLOW)
    titles = ("Authentication policies", "Who may use SMTP AUTH", "Settings of the organization")
    assert [step.changed for step in preview.steps if step.task.endswith(titles) and not step.failed] == [True] * 3


def test_plans(gated: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    off = {"all_plans": True, "pop_enabled": False, "imap_enabled": False, "undo_file": str(path)}
    run = gated.run([*rhythm("off", "exo_cas_mailbox_plan", off), task("exo_cas_mailbox_plan_info", named="read")])
    converged(run, "off", gated)
    assert {plan["settings"]["pop_enabled"] for plan in run["read"]["plans"]} == {False}
    gated.patch(add_mailboxes=[{"upn": gated.at("newcomer")}])
    assert gated.mailbox("newcomer")["PopEnabled"] is False
    run = gated.run(
        [
            task("exo_restore", {"src": str(path)}, named="back"),
            tried("exo_cas_mailbox_plan", {"identity": ["none such"], "pop_enabled": True}, named="typo"),
        ]
    )
    assert run["back"].changed
    documented("plan of no such name", run["typo"].refused("not_found", "none such", hint="There are: "))


def test_plans_that_still_turn_a_protocol_on_are_named(tenant: Tenant) -> None:
    off = {"all_mailboxes": True, "pop_enabled": False}
    plan = {"all_plans": True, "pop_enabled": False}
    run = tenant.run(
        [
            task("exo_cas_mailbox", off, named="before"),
            task("exo_cas_mailbox_plan", plan, named="plans"),
            task("exo_cas_mailbox", off, named="after"),
        ],
        warns=["mailbox plans"],
    )
    (warning,) = run["before"].warnings
    assert "New mailboxes will still have" in warning and "(pop_enabled)" in warning
    assert run["after"].warnings == []


def test_organization_config(tenant: Tenant, tmp_path: Path) -> None:
    app = "11111111-aaaa-bbbb-cccc-000000000001"
    path = tmp_path / "undo.json"
    options = {
        "ews_enabled": True,
        "ews_allowed_app_ids": {"add": [app.upper()]},
        "reject_direct_send": True,
        "activity_based_authentication_timeout_interval": "00:15:00",
        "undo_file": str(path),
    }
    run = tenant.run(
        [
            *rhythm("set", "exo_organization_config", options),
            task("exo_organization_config_info", named="read"),
            tried("exo_organization_config", {"ews_allowed_app_ids": []}, named="empty"),
            tried("exo_organization_config", {"ews_allowed_app_ids": ["outlook"]}, named="no id"),
            *rhythm("back", "exo_restore", {"src": str(path)}),
        ],
        warns=["stops devices that send without signing in"],
    )
    converged(run, "set", tenant)
    assert run["read"]["organization_config"]["ews_allowed_app_ids"] == [app]
    assert "BasicAuthBlockedApps" in run["read"]["other_properties"]
    documented("EWS list that came out empty", run["empty"].refused("refused", "blocks every app", hint="allow_empty"))
    documented("app id that is none", run["no id"].refused("invalid_request", "not an application id", hint=None))
    converged(run, "back", tenant)


def test_a_mailbox_can_not_have_ews_where_the_organization_says_no(tenant: Tenant) -> None:
    tenant.patch(organization_config={"EwsEnabled": False})
    tenant.patch(mailboxes=[{"identity": tenant.at("ada"), "cas": {"EwsEnabled": False}}])
    run = tenant.run(
        [task("exo_cas_mailbox", {"identity": [tenant.at("ada")], "ews_enabled": True})], warns=["has no effect"]
    )
    assert any(
        "has no effect while the organization's ews_enabled is false" in t for t in run["exo_cas_mailbox"].warnings
    )
