# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-OrganizationConfig and Set-OrganizationConfig, and the dates of every object."""

from __future__ import annotations

from typing import Any

import pytest
from raw import TAG, Client, error_of, full, tenant

from simulator.testing import Simulator

APP, OTHER_APP = "2c9f0a11-0000-4000-8000-00000000ab01", "2C9F0A11-0000-4000-8000-00000000AB02"
SWITCH = {"RetrieveEwsOperationAccessPolicy": True}
POLICY = {"EwsApplicationAccessPolicy": "EnforceAllowList"}


def organization(client: Client, **parameters: Any) -> dict[str, Any]:
    (row,) = client.invoke("Get-OrganizationConfig", parameters).json()["value"]
    return dict(row)


def test_the_whole_object_and_a_selection(client: Client) -> None:
    whole = organization(client)
    assert whole["Identity"] == client.tenant.tenant
    assert (whole["EwsEnabled"], whole["EwsAllowList"], whole["IsDehydrated"]) == (None, None, False)
    assert whole["MailTipsLargeAudienceThreshold@data.type"] == "System.UInt32"
    assert whole["MailTipsLargeAudienceThreshold@odata.type"] == "#Int64"
    assert "EwsAllowList@odata.type" not in whole
    answer = client.invoke("Get-OrganizationConfig", query="?$select=Identity,RejectDirectSend")
    assert answer.json()["value"] == [{"Identity": client.tenant.tenant, "RejectDirectSend": False}]


@pytest.mark.parametrize(
    ("parameters", "outcome"),
    [
        ({"RejectDirectSend": True}, True),
        ({"RejectDirectSend": None}, "ParameterTransformationException"),
        ({"RejectDirectSend": "true"}, "ParameterTransformationException"),
        ({"EwsEnabled": False}, False),
        ({"EwsEnabled": None}, None),
        ({"EwsEnabled": 1}, "ParameterTransformationException"),
        ({"FocusedInboxOn": True}, True),
        ({"EwsAllowOutlook": True}, True),
        ({"MailTipsLargeAudienceThreshold": 50}, 50),
        ({"MailTipsLargeAudienceThreshold": -1}, "DataValidationException"),
        ({"MailTipsLargeAudienceThreshold": "50"}, "ParameterTransformationException"),
        ({"ActivityBasedAuthenticationTimeoutInterval": "03:00:00"}, "03:00:00"),
        ({"ActivityBasedAuthenticationTimeoutInterval": "00:04:59"}, "DataValidationException"),
        ({"ActivityBasedAuthenticationTimeoutInterval": 10800}, "ParameterTransformationException"),
        ({"EwsApplicationAccessPolicy": "enforceblocklist"}, "EnforceBlockList"),
        ({"EwsApplicationAccessPolicy": "Allow"}, "ParameterTransformationException"),
        ({"DefaultAuthenticationPolicy": "allow smtp"}, "Allow SMTP"),
        ({"DefaultAuthenticationPolicy": None}, None),
        ({"DefaultAuthenticationPolicy": "No such"}, "DataValidationException"),
        ({"EwsAllowList": ["Mailer/*"], **POLICY}, ["Mailer/*"]),
        ({"EwsAllowList": ["Mailer/*"]}, "DataValidationException"),
        ({"EwsAllowedAppIDs": "not-a-guid"}, "DataValidationException"),
        ({"EwsAllowedAppIDs": [APP]}, "ParameterTransformationException"),
        ({"NoSuchParameter": True}, "AmbiguousParameterSetException"),
        ({"Identity": "contoso"}, "AmbiguousParameterSetException"),
        ({"RejectDirectSend": True, "DelayedDelicensingEnabled": True}, "AmbiguousParameterSetException"),
        ({"ShortenEventScopeDefault": "EndEarly"}, "ODataServiceException"),
    ],
)  # fmt: skip
def test_values(simulator: Simulator, parameters: dict[str, Any], outcome: Any) -> None:
    client = tenant(simulator, authentication_policies=[{"name": "Allow SMTP"}])
    answer = client.invoke("Set-OrganizationConfig", parameters)
    if answer.status_code != 200:
        assert error_of(answer) == (400, outcome)
        assert simulator.log(client.tenant.label)[-1]["changed"] is False
    else:
        assert organization(client)[next(iter(parameters))] == outcome


def test_the_list_of_apps_is_shown_on_request_only(simulator: Simulator) -> None:
    client = tenant(simulator)
    both = f"{APP},{OTHER_APP}"
    client.invoke("Set-OrganizationConfig", {"EwsAllowedAppIDs": both})
    assert organization(client)["EwsAllowedAppIDs"] is None
    assert organization(client, **SWITCH)["EwsAllowedAppIDs"] == both
    simulator.patch_tenant(client.tenant.label, forms={"ews_app_ids_unasked": "absent"})
    assert "EwsAllowedAppIDs" not in organization(client)
    client.invoke("Set-OrganizationConfig", {"EwsAllowedAppIDs": None})
    assert organization(client, **SWITCH)["EwsAllowedAppIDs"] is None


def test_ews_lists(client: Client) -> None:
    client.invoke("Set-OrganizationConfig", {**POLICY, "EwsAllowList": ["A/*", "B/*"]})
    client.invoke("Set-OrganizationConfig", {**POLICY, "EwsAllowList": {**TAG, "add": ["C/*"], "remove": ["a/*"]}})
    assert organization(client)["EwsAllowList"] == ["B/*", "C/*"]
    assert organization(client)["EwsAllowList@odata.type"] == "#Collection(String)"
    client.invoke("Set-OrganizationConfig", {**POLICY, "EwsAllowList": []})
    assert organization(client)["EwsAllowList"] == ["B/*", "C/*"]
    client.invoke("Set-OrganizationConfig", {**POLICY, "EwsAllowList": None})
    assert organization(client)["EwsAllowList"] is None


def test_set_answers_with_the_whole_object(client: Client) -> None:
    first = client.invoke("Set-OrganizationConfig", {"AuditDisabled": True}).json()
    assert len(first["value"][0]) > 150
    second = client.invoke("Set-OrganizationConfig", {"AuditDisabled": True}, query="?$select=Identity").json()
    assert second["value"] == [{"Identity": client.tenant.tenant}]
    assert "no settings of" in second["@adminapi.warnings"][0]
    asked = client.invoke("Set-OrganizationConfig", {"AuditDisabled": False, "WhatIf": True}).json()
    assert asked["value"] == [] and "@adminapi.confirmationmessage" in asked
    assert organization(client)["AuditDisabled"] is True


def test_the_default_policy_reads_as_a_name_or_a_dn(simulator: Simulator) -> None:
    client = tenant(
        simulator,
        authentication_policies=[{"name": "Block"}],
        organization_config={"DefaultAuthenticationPolicy": "Block"},
    )
    assert organization(client)["DefaultAuthenticationPolicy"] == "Block"
    simulator.patch_tenant(client.tenant.label, forms={"policy_reference": "dn"})
    shown = organization(client)["DefaultAuthenticationPolicy"]
    assert shown.startswith("CN=Block,CN=Auth Policies,CN=Configuration,")
    client.invoke("Set-OrganizationConfig", {"DefaultAuthenticationPolicy": None})
    client.invoke("Set-OrganizationConfig", {"DefaultAuthenticationPolicy": shown})
    assert organization(client)["DefaultAuthenticationPolicy"] == shown


@pytest.mark.parametrize(
    ("cmdlet", "parameters"),
    [
        ("OrganizationConfig", {"RejectDirectSend": True}),
        ("TransportConfig", {"ClearCategories": False}),
        ("CASMailbox", {"Identity": "scanner@{d}", "PopEnabled": False}),
    ],
)
def test_a_write_moves_the_date_of_its_object(client: Client, cmdlet: str, parameters: dict[str, Any]) -> None:
    given = {name: full(client, value) for name, value in parameters.items()}
    identity = {"Identity": given["Identity"]} if "Identity" in given else {}

    def date() -> str:
        (row,) = client.invoke(f"Get-{cmdlet}", identity, query="?$select=WhenChangedUTC").json()["value"]
        assert row.keys() == {"WhenChangedUTC", "WhenChangedUTC@data.type"}
        return str(row["WhenChangedUTC"])

    before = date()
    client.invoke(f"Set-{cmdlet}", given)
    written = date()
    assert before < written
    client.invoke(f"Set-{cmdlet}", given)
    assert date() == written


def test_what_somebody_else_changes_is_dated_too(client: Client) -> None:
    label, scanner = client.tenant.label, f"scanner@{client.tenant.tenant}"
    before = client.mailbox(scanner)["WhenChangedUTC"], organization(client)["WhenChangedUTC"]
    client.simulator.patch_tenant(
        label,
        mailboxes=[{"identity": scanner, "cas": {"SmtpClientAuthenticationDisabled": None}}],
        organization_config={"AuditDisabled": True},
    )
    assert client.mailbox(scanner)["WhenChangedUTC"] > before[0]
    assert organization(client)["WhenChangedUTC"] > before[1]
    assert client.simulator.state(label)["organization_config"]["AuditDisabled"] is True


def test_a_reader_may_not_write(simulator: Simulator) -> None:
    client = tenant(simulator, apps=[{"directory_role": "Global Reader"}])
    assert client.invoke("Get-OrganizationConfig").status_code == 200
    assert client.invoke("Set-OrganizationConfig", {"AuditDisabled": True}).status_code == 403
    client = tenant(simulator, apps=[{"directory_role": "Security Reader"}])
    assert client.invoke("Get-OrganizationConfig").status_code == 403
