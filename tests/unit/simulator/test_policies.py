# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies, the users who have them, and mailbox plans."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from raw import Client, error_of, tenant

from simulator.testing import Simulator

BLOCK, ALLOW = {"name": "Block"}, {"name": "Allow SMTP", "AllowBasicAuthSmtp": True}
POLICY, DEFAULT = "AuthenticationPolicy", "DefaultAuthenticationPolicy"


@pytest.fixture
def client(simulator: Simulator) -> Client:
    return tenant(simulator, authentication_policies=[BLOCK, ALLOW])


def rows(client: Client, cmdlet: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = client.invoke(cmdlet, parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["value"])


def names(client: Client, cmdlet: str, **parameters: Any) -> list[str]:
    return sorted(row["Name"] for row in rows(client, cmdlet, **parameters))


def policy(client: Client, name: str) -> dict[str, Any]:
    (found,) = [row for row in rows(client, "Get-AuthenticationPolicy") if row["Name"] == name]
    return found


def user(client: Client, local: str) -> dict[str, Any]:
    (found,) = rows(client, "Get-User", Identity=f"{local}@{client.tenant.tenant}")
    return found


def done(client: Client, cmdlet: str, **parameters: Any) -> list[str]:
    answer = client.invoke(cmdlet, parameters)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["@adminapi.warnings"])


def gate(client: Client, local: str, which: str = "policy_gate") -> tuple[str | None, str | None, bool]:
    found = client.simulator.mailbox(client.tenant.label, f"{local}@{client.tenant.tenant}")[which]
    return found["policy"], found["from"], found["allows_basic_smtp"]


# --- policies ---


def test_a_policy_reads_as_twelve_switches_and_more(client: Client) -> None:
    found = policy(client, "Allow SMTP")
    switches = {name for name in found if name.startswith("AllowBasicAuth")}
    assert len(switches) == 13 and "AllowBasicAuthPowershell" in switches
    assert {name for name in switches if found[name]} == {"AllowBasicAuthSmtp"}
    assert found["Identity"] == found["Id"] == "Allow SMTP"
    assert found["DistinguishedName"].startswith("CN=Allow SMTP,CN=Auth Policies,CN=Configuration,")
    assert found["Guid@odata.type"] == "#Guid"


@pytest.mark.parametrize("identity", ["No such policy", "", "  ", None])
def test_an_unknown_policy_brings_them_all(client: Client, identity: str | None) -> None:
    assert names(client, "Get-AuthenticationPolicy", Identity=identity) == ["Allow SMTP", "Block"]
    assert names(client, "Get-AuthenticationPolicy", Identity="block") == ["Block"]


def test_an_unknown_policy_may_be_an_error(client: Client) -> None:
    client.simulator.patch_tenant(client.tenant.label, forms={"unknown_authentication_policy": "not_found"})
    answer = client.invoke("Get-AuthenticationPolicy", {"Identity": "No such policy"})
    assert error_of(answer) == (404, "ManagementObjectNotFoundException")


def test_new_blocks_what_is_not_named_and_set_leaves_it(client: Client) -> None:
    (made,) = rows(client, "New-AuthenticationPolicy", Name="Mail", AllowBasicAuthPop=True)
    assert (made["AllowBasicAuthPop"], made["AllowBasicAuthSmtp"]) == (True, False)
    done(client, "Set-AuthenticationPolicy", Identity=made["Guid"], AllowBasicAuthSmtp=True)
    found = policy(client, "Mail")
    assert (found["AllowBasicAuthPop"], found["AllowBasicAuthSmtp"]) == (True, True)
    assert found["WhenChangedUTC"] > found["WhenCreatedUTC"]
    (warning,) = done(client, "Set-AuthenticationPolicy", Identity=found["DistinguishedName"], AllowBasicAuthPop=True)
    assert "no settings of 'Mail'" in warning


@pytest.mark.parametrize(
    ("cmdlet", "parameters", "outcome"),
    [
        ("New-AuthenticationPolicy", {}, (400, "AmbiguousParameterSetException")),
        ("New-AuthenticationPolicy", {"Name": "x" * 65}, (400, "DataValidationException")),
        ("New-AuthenticationPolicy", {"Name": "BLOCK"}, (400, "ADObjectAlreadyExistsException")),
        ("New-AuthenticationPolicy", {"Name": 5}, (400, "ParameterTransformationException")),
        ("Set-AuthenticationPolicy", {"Identity": "Block", "Name": "Other"}, (400, "AmbiguousParameterSetException")),
        ("Set-AuthenticationPolicy", {"Identity": "Block", "AllowBasicAuthSmtp": None},
         (400, "ParameterTransformationException")),
        ("Set-AuthenticationPolicy", {"Identity": "Block", "AllowBasicAuthRest": True},
         (400, "AmbiguousParameterSetException")),
        ("Set-AuthenticationPolicy", {"Identity": "LegacyExchangeTokens", "BlockLegacyExchangeTokens": True},
         (400, "ODataServiceException")),
        ("Set-AuthenticationPolicy", {"Identity": "None such", "AllowBasicAuthSmtp": True},
         (404, "ManagementObjectNotFoundException")),
        ("Remove-AuthenticationPolicy", {"Identity": "None such"}, (404, "ManagementObjectNotFoundException")),
        ("Remove-AuthenticationPolicy", {"Identity": "Block", "WhatIf": True}, (400, "AmbiguousParameterSetException")),
        ("Set-User", {"Identity": "ada", POLICY: "None such"}, (400, "DataValidationException")),
        ("Set-User", {"Identity": "nobody", POLICY: "Block"}, (404, "ManagementObjectNotFoundException")),
        ("Set-User", {"Identity": "ada", "StsRefreshTokensValidFrom": "now"},
         (400, "ParameterTransformationException")),
        ("Set-CASMailboxPlan", {"Identity": "ExchangeOnline", "PopEnabled": False},
         (404, "ManagementObjectNotFoundException")),
        ("Set-CASMailboxPlan", {"Identity": "ExchangeOnline", "EwsEnabled": 0}, (400, "ODataServiceException")),
        ("Set-CASMailboxPlan", {"Identity": "ExchangeOnline", "SmtpClientAuthenticationDisabled": True},
         (400, "AmbiguousParameterSetException")),
    ],
)  # fmt: skip
def test_refusals(client: Client, cmdlet: str, parameters: dict[str, Any], outcome: tuple[int, str]) -> None:
    assert error_of(client.invoke(cmdlet, parameters)) == outcome


def test_set_may_throw_a_null_reference(client: Client) -> None:
    client.simulator.patch_tenant(client.tenant.label, null_reference=400)
    answer = client.invoke("Set-AuthenticationPolicy", {"Identity": "Block", "AllowBasicAuthSmtp": True})
    assert error_of(answer) == (400, "NullReferenceException")
    assert "Object reference not set to an instance of an object" in answer.text
    assert policy(client, "Block")["AllowBasicAuthSmtp"] is False
    assert client.invoke("New-AuthenticationPolicy", {"Name": "Another"}).status_code == 200


def test_new_needs_a_customized_tenant(client: Client) -> None:
    client.simulator.patch_tenant(client.tenant.label, dehydrated=True)
    answer = client.invoke("New-AuthenticationPolicy", {"Name": "Another"})
    assert error_of(answer) == (400, "InvalidOperationInDehydratedContextException")
    done(client, "Set-AuthenticationPolicy", Identity="Block", AllowBasicAuthPop=True)
    client.invoke("Enable-OrganizationCustomization")
    assert client.invoke("New-AuthenticationPolicy", {"Name": "Another"}).status_code == 200


@pytest.mark.parametrize(("form", "shown"), [("null", None), ("dangling", "Block"), ("refused", "Block")])
def test_what_becomes_of_a_removed_policys_users(client: Client, form: str, shown: str | None) -> None:
    client.simulator.patch_tenant(client.tenant.label, forms={"removed_policy": form})
    before = policy(client, "Block")["Guid"]
    done(client, "Set-User", Identity="ada", AuthenticationPolicy="Block")
    answer = client.invoke("Remove-AuthenticationPolicy", {"Identity": before, "Confirm": False})
    assert answer.status_code == (400 if form == "refused" else 200)
    assert user(client, "ada")[POLICY] == shown
    if form != "refused":
        # A policy of the same name is another one, and nobody has it.
        rows(client, "New-AuthenticationPolicy", Name="Block")
        assert policy(client, "Block")["Guid"] != before
        assert gate(client, "ada") == (None, None, True)


def test_policies_that_are_late(client: Client) -> None:
    client.simulator.patch_tenant(client.tenant.label, lag=30)
    rows(client, "New-AuthenticationPolicy", Name="Another")
    done(client, "Remove-AuthenticationPolicy", Identity="Block", Confirm=False)
    assert names(client, "Get-AuthenticationPolicy") == ["Allow SMTP", "Block"]


# --- users ---


def test_a_user_reads_as_the_service_shows_one(simulator: Simulator) -> None:
    client = tenant(simulator, entra={"users": [{"upn": "guest@x.example", "enabled": False}]})
    ada, scanner = user(client, "ada"), user(client, "scanner")
    (guest,) = rows(client, "Get-User", Identity="guest@x.example")
    assert (ada["UserAccountControl"], ada["AccountDisabled"], ada["SKUAssigned"]) == ("NormalAccount", False, True)
    assert ada["Guid"] == client.mailbox(ada["UserPrincipalName"])["Guid"]
    assert (ada[POLICY], ada["StsRefreshTokensValidFrom"]) == (None, None)
    assert (scanner["RecipientTypeDetails"], scanner["SKUAssigned"]) == ("SharedMailbox", None)
    assert scanner["UserAccountControl"] == "AccountDisabled, NormalAccount"
    assert (guest["RecipientType"], guest["AccountDisabled"]) == ("User", True)
    assert len(rows(client, "Get-User")) == 5
    assert len(rows(client, "Get-User", RecipientTypeDetails=["UserMailbox"])) == 3


def test_users_come_in_pages(client: Client) -> None:
    first = client.invoke("Get-User", {"ResultSize": "Unlimited"}, Prefer="odata.maxpagesize=3").json()
    link = first["@odata.nextLink"]
    second = client.invoke("Get-User", {"ResultSize": "Unlimited"}, url=link, Prefer="odata.maxpagesize=3").json()
    assert (len(first["value"]), len(second["value"])) == (3, 1)
    assert "@odata.nextLink" not in second
    answer = client.invoke("Get-User", {"Identity": "ada"}, query="?$select=UserPrincipalName")
    assert answer.json()["value"] == [{"UserPrincipalName": f"ada@{client.tenant.tenant}"}]


def test_a_policy_is_given_by_any_name_and_taken_by_null(client: Client) -> None:
    known = policy(client, "Allow SMTP")
    for form in ("allow smtp", known["Guid"], known["DistinguishedName"]):
        done(client, "Set-User", Identity=user(client, "ada")["Guid"], AuthenticationPolicy=form)
        assert user(client, "ada")[POLICY] == "Allow SMTP"
        done(client, "Set-User", Identity="ada", AuthenticationPolicy=None)
        assert user(client, "ada")[POLICY] is None
    done(client, "Set-User", Identity="ada", AuthenticationPolicy="Block")
    client.simulator.patch_tenant(client.tenant.label, forms={"policy_reference": "dn", "unknown_policy": "not_found"})
    assert user(client, "ada")[POLICY] == policy(client, "Block")["DistinguishedName"]
    answer = client.invoke("Set-User", {"Identity": "ada", POLICY: "None such"})
    assert error_of(answer) == (404, "ManagementObjectNotFoundException")


def test_filters(client: Client) -> None:
    known = policy(client, "Block")["DistinguishedName"]
    done(client, "Set-User", Identity="ada", AuthenticationPolicy="Block")

    def found(text: str) -> list[str]:
        return [row["UserPrincipalName"].partition("@")[0] for row in rows(client, "Get-User", Filter=text)]

    assert found(f"AuthenticationPolicy -eq '{known}'") == ["ada"]
    assert found("AuthenticationPolicy -like 'CN=Blo*'") == ["ada"]
    assert found("AuthenticationPolicy -eq 'Block'") == []
    assert found("AuthenticationPolicy -ne $null") == ["ada"]
    assert found("AuthenticationPolicy -eq $null") == ["ben", "bob", "scanner"]
    assert found("UserAccountControl -eq 'AccountDisabled'") == []
    for text in ("AccountDisabled -eq 'True'", "Name -eq 'a' -or Name -eq 'b'", "AuthenticationPolicy"):
        assert client.invoke("Get-User", {"Filter": text}).status_code == 400
    client.simulator.patch_tenant(client.tenant.label, forms={"filter_not_null": "refused"})
    answer = client.invoke("Get-User", {"Filter": "AuthenticationPolicy -ne $null"})
    assert error_of(answer) == (400, "ParameterTransformationException")


def test_unknown_users_and_scopes(simulator: Simulator, client: Client) -> None:
    domain = client.tenant.tenant
    assert client.invoke("Get-User", {"Identity": "nobody"}).status_code == 404
    simulator.patch_tenant(client.tenant.label, forms={"unknown_user": "all"})
    assert len(rows(client, "Get-User", Identity="nobody")) == 4
    simulator.patch_tenant(client.tenant.label, apps=[{"read_scope": [f"ada@{domain}"]}], forms={})
    assert len(rows(client, "Get-User")) == len(rows(client, "Get-CASMailbox")) == 1
    simulator.patch_tenant(client.tenant.label, forms={"scoped_users": "all"})
    assert (len(rows(client, "Get-User")), len(rows(client, "Get-CASMailbox"))) == (4, 1)
    simulator.patch_tenant(client.tenant.label, apps=[{"read_scope": None, "write_scope": [f"ada@{domain}"]}], forms={})
    answer = client.invoke("Set-User", {"Identity": f"bob@{domain}", POLICY: "Block"})
    assert answer.status_code == 400 and "write scope" in answer.text


def test_a_seeded_user(simulator: Simulator) -> None:
    own = {POLICY: "Block", "UserAccountControl": "AccountDisabled"}
    box = {"upn": "x@x.example", "user": own, "account_disabled": True}
    client = tenant(simulator, authentication_policies=[BLOCK], mailboxes=[box], policy_lag=3600)
    (found,) = rows(client, "Get-User")
    assert (found[POLICY], found["UserAccountControl"], found["AccountDisabled"]) == ("Block", "AccountDisabled", True)
    state = simulator.mailbox(client.tenant.label, "x@x.example")
    assert state["policy_gate"] == state["policy_gate_in_effect"]
    with pytest.raises(ValueError, match="no authentication policy None such"):
        tenant(simulator, mailboxes=[{"upn": "x@x.example", "user": {POLICY: "None such"}}])


# --- the gate ---


def test_the_users_policy_goes_before_the_organizations(client: Client) -> None:
    assert gate(client, "ada") == (None, None, True)
    done(client, "Set-OrganizationConfig", DefaultAuthenticationPolicy="Block")
    assert gate(client, "ada") == ("Block", "organization", False)
    assert user(client, "ada")[POLICY] is None
    done(client, "Set-User", Identity="ada", AuthenticationPolicy="Allow SMTP")
    assert gate(client, "ada") == ("Allow SMTP", "user", True)
    done(client, "Set-AuthenticationPolicy", Identity="Allow SMTP", AllowBasicAuthSmtp=False)
    assert gate(client, "ada") == ("Allow SMTP", "user", False)
    flags = client.simulator.state(client.tenant.label)["mailboxes"]
    assert {box["Alias"]: box["effective_smtp_auth"] for box in flags}["scanner"] is True
    history = client.simulator.history(client.tenant.label)
    seen = [(len(entry["changes"]), len(entry["policy_changes"])) for entry in history]
    assert seen == [(0, 4), (0, 1), (0, 1)]
    (change,) = history[1]["policy_changes"].values()
    assert (change["from"], change["to"]) == (False, True)
    by_both = itertools.chain.from_iterable(entry["changes_by_both"].values() for entry in history)
    assert [change["address"].partition("@")[0] for change in by_both] == ["scanner"]


def test_policies_act_late(client: Client) -> None:
    client.simulator.patch_tenant(client.tenant.label, policy_lag=3600)
    done(client, "Set-User", Identity="ada", AuthenticationPolicy="Block")
    assert user(client, "ada")[POLICY] == "Block"
    assert gate(client, "ada", "policy_gate_in_effect") == (None, None, True)
    done(client, "Set-OrganizationConfig", DefaultAuthenticationPolicy="Block")
    assert gate(client, "bob") == ("Block", "organization", False)
    assert gate(client, "bob", "policy_gate_in_effect") == (None, None, True)


def test_signing_out_lets_a_policy_act_soon(client: Client) -> None:
    client.simulator.patch_tenant(client.tenant.label, policy_lag=0.48)
    done(client, "Set-User", Identity="ada", AuthenticationPolicy="Block",
         StsRefreshTokensValidFrom="2026-11-26T10:00:00")  # fmt: skip
    assert user(client, "ada")["StsRefreshTokensValidFrom"] == "2026-11-26T10:00:00.0000000Z"
    deadline = time.monotonic() + 30
    while gate(client, "ada", "policy_gate_in_effect") != ("Block", "user", False):
        assert time.monotonic() < deadline


def test_the_admin_center_changes_the_default_or_makes_one(simulator: Simulator) -> None:
    client = tenant(simulator)
    simulator.patch_tenant(client.tenant.label, modern_authentication={"AllowBasicAuthSmtp": True})
    (made,) = rows(client, "Get-AuthenticationPolicy")
    assert (made["AllowBasicAuthSmtp"], made["AllowBasicAuthPop"]) == (True, False)
    (organization,) = rows(client, "Get-OrganizationConfig")
    assert organization[DEFAULT] == made["Name"]
    simulator.patch_tenant(client.tenant.label, modern_authentication={"AllowBasicAuthSmtp": False})
    (changed,) = rows(client, "Get-AuthenticationPolicy")
    assert changed["Guid"] == made["Guid"] and changed["AllowBasicAuthSmtp"] is False
    assert gate(client, "ada")[1:] == ("organization", False)


def test_somebody_else_changes_policies_users_and_plans(client: Client) -> None:
    label = client.tenant.label
    client.simulator.patch_tenant(
        label,
        authentication_policies=[{"name": "Block", "AllowBasicAuthPop": True}, {"name": "New one"}],
        mailboxes=[{"identity": f"ada@{client.tenant.tenant}", "user": {POLICY: "Block"}}],
        plans=[{"name": "ExchangeOnline", "cas": {"PopEnabled": False}}],
        organization_config={DEFAULT: "Block"},
    )
    assert names(client, "Get-AuthenticationPolicy") == ["Allow SMTP", "Block", "New one"]
    assert policy(client, "Block")["AllowBasicAuthPop"] is True
    assert user(client, "ada")[POLICY] == "Block"
    state = client.simulator.state(label)
    assert state["organization_config"][DEFAULT] == "Block"
    assert [entry[POLICY] for entry in state["users"]].count("Block") == 1
    client.simulator.patch_tenant(label, remove_authentication_policies=["New one"])
    assert names(client, "Get-AuthenticationPolicy") == ["Allow SMTP", "Block"]


def test_what_the_service_blocked_itself_is_shown(simulator: Simulator) -> None:
    client = tenant(simulator, organization_config={"BasicAuthBlockedApps": "Pop, Imap"})
    (organization,) = rows(client, "Get-OrganizationConfig")
    assert organization["BasicAuthBlockedApps"] == "Pop, Imap"
    answer = client.invoke("Set-OrganizationConfig", {"BasicAuthBlockedApps": "None"})
    assert error_of(answer) == (400, "AmbiguousParameterSetException")


# --- plans ---


def plan(client: Client, name: str) -> dict[str, Any]:
    (found,) = [row for row in rows(client, "Get-CASMailboxPlan") if row["DisplayName"] == name]
    return found


def test_a_new_mailbox_takes_what_its_plan_says(client: Client) -> None:
    known = plan(client, "ExchangeOnlineEnterprise")
    assert known["Name"] == known["Identity"] == f"ExchangeOnlineEnterprise-{known['Guid']}"
    assert "SmtpClientAuthenticationDisabled" not in known
    done(client, "Set-CASMailboxPlan", Identity=known["Guid"], PopEnabled=False, ImapEnabled=False)
    assert plan(client, "ExchangeOnlineEnterprise")["PopEnabled"] is False
    ada = client.mailbox(f"ada@{client.tenant.tenant}")
    assert (ada["PopEnabled"], ada["ImapEnabled"]) == (True, True)
    new = [
        {"upn": "new@x.example"},
        {"upn": "own@x.example", "cas": {"PopEnabled": True}},
        {"upn": "other@x.example", "plan": "ExchangeOnlineDeskless"},
    ]
    client.simulator.patch_tenant(client.tenant.label, add_mailboxes=new)
    read = {entry["upn"]: client.mailbox(entry["upn"]) for entry in new}  # type: ignore[index]
    assert [(row["PopEnabled"], row["ImapEnabled"], row["MAPIEnabled"]) for row in read.values()] == [
        (False, False, True),
        (True, False, True),
        (True, False, False),
    ]
    client.simulator.patch_tenant(
        client.tenant.label, mailboxes=[{"identity": ada["Guid"], "plan": "ExchangeOnlineEnterprise"}]
    )
    assert client.mailbox(ada["Guid"])["PopEnabled"] is False


def test_plans_of_a_description_and_unknown_ones(simulator: Simulator) -> None:
    client = tenant(simulator, plans=[{"name": "ExchangeOnline", "cas": {"PopEnabled": False}}, {"name": "Own"}])
    assert [row["DisplayName"] for row in rows(client, "Get-CASMailboxPlan", Identity="no such plan")] == [
        "ExchangeOnlineEnterprise",
        "ExchangeOnline",
        "ExchangeOnlineDeskless",
        "ExchangeOnlineEssentials",
        "Own",
    ]
    assert plan(client, "ExchangeOnline")["PopEnabled"] is False
    assert plan(client, "ExchangeOnlineDeskless")["EwsEnabled"] is False
    with pytest.raises(ValueError, match="no mailbox plan Nothing"):
        tenant(simulator, mailboxes=[{"upn": "x@x.example", "plan": "Nothing"}])


@pytest.mark.parametrize(
    ("role", "cmdlet", "status"),
    [
        ("Global Reader", "Get-AuthenticationPolicy", 200),
        ("Global Reader", "Get-User", 200),
        ("Global Reader", "Get-CASMailboxPlan", 200),
        ("Global Reader", "New-AuthenticationPolicy", 403),
        ("Exchange Recipient Administrator", "Get-User", 200),
        ("Exchange Recipient Administrator", "Set-AuthenticationPolicy", 403),
        ("Security Reader", "Get-User", 403),
    ],
)
def test_roles(simulator: Simulator, role: str, cmdlet: str, status: int) -> None:
    client = tenant(simulator, apps=[{"directory_role": role}])
    assert client.invoke(cmdlet, {"Name": "x"} if cmdlet.startswith("New") else {}).status_code == status


def test_canned_rows_go_before_what_is_simulated(simulator: Simulator) -> None:
    client = tenant(simulator, cmdlets={"Get-User": [{"Identity": "scanner", POLICY: "odd"}]})
    assert rows(client, "Get-User") == [{"Identity": "scanner", POLICY: "odd"}]
