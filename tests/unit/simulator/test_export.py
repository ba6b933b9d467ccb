# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a tenant, made from what its cmdlets show."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from raw import Client, tenant

from simulator.described import check_tenant
from simulator.export import CMDLETS, description_of
from simulator.names import DescriptionError
from simulator.testing import Simulator

SMTP = "SmtpClientAuthenticationDisabled"
DESCRIPTION: dict[str, Any] = {
    "transport_config": {SMTP: False, "MessageExpiration": "12:00:00"},
    "authentication_policies": [{"name": "Block"}, {"name": "Allow SMTP", "AllowBasicAuthSmtp": True}],
    "organization_config": {"DefaultAuthenticationPolicy": "Block", "RejectDirectSend": True},
    "policies": {"owa": ["Frontline"], "active_sync": ["Strict"]},
    "plans": [{"name": "ExchangeOnline", "cas": {"PopEnabled": False}}],
    "mailboxes": [
        {"upn": "scan@x.example", "primary_address": "scanner@x.example", "aliases": ["old@x.example"],
         "type": "SharedMailbox", "cas": {SMTP: False, "OwaMailboxPolicy": "Frontline"},
         "user": {"AuthenticationPolicy": "Allow SMTP"}},
        {"upn": "ada@x.example", "cas": {"EwsAllowList": ["Mailer"], "EwsApplicationAccessPolicy": "EnforceAllowList",
                                         "ActiveSyncMailboxPolicy": "Strict"}},
        {"upn": "ben@x.example", "account_disabled": True},
    ],
}  # fmt: skip


def exported(client: Client) -> dict[str, Any]:
    return {cmdlet: client.invoke(cmdlet).json()["value"] for cmdlet in CMDLETS}


def compared(simulator: Simulator, label: str) -> dict[str, Any]:
    """What a copy has to have of its original."""
    state = simulator.state(label)
    own = {"ServerLegacyDN", "DistinguishedName", "OrganizationId", "OrganizationalUnitRoot", "OriginatingServer"}
    made = {"ExchangeObjectId", "LegacyExchangeDN", "SamAccountName", "WhenChanged", "WhenChangedUTC", "Alias"}
    boxes = [{key: value for key, value in box.items() if key not in own | made} for box in state["mailboxes"]]
    organization = state["organization_config"]
    return {
        "transport": {name: state["transport_config"][name] for name in (SMTP, "MessageExpiration")},
        "organization": {name: organization[name] for name in DESCRIPTION["organization_config"]},
        "policies": [(entry["Name"], entry["Guid"]) for entry in state["authentication_policies"]],
        "users": [(user["UserPrincipalName"], user["AuthenticationPolicy"], user["AccountDisabled"])
                  for user in state["users"]],
        "mailboxes": boxes,
    }  # fmt: skip


@pytest.mark.parametrize("reference", ["name", "dn"])
def test_a_copy_is_like_its_original(simulator: Simulator, reference: str) -> None:
    client = tenant(simulator, **copy.deepcopy(DESCRIPTION), forms={"policy_reference": reference})
    export = exported(client)
    before = compared(simulator, client.tenant.label)
    description = description_of(json.loads(json.dumps(export)))
    assert description["domains"] == [client.tenant.tenant, "x.example"]
    # The copy takes the place of the original, whose domains it has.
    simulator.remove_tenant(client.tenant.label)
    simulator.add_tenant({**description, "label": "copy"})
    assert compared(simulator, "copy") == before
    assert simulator.mailbox("copy", "scanner@x.example")["policy_gate"]["policy"] == "Allow SMTP"
    simulator.remove_tenant("copy")


def test_one_object_and_a_whole_answer_are_fine(client: Client) -> None:
    whole = client.invoke("Get-CASMailbox").json()
    one = client.invoke("Get-TransportConfig").json()["value"][0]
    description = description_of({"Get-CASMailbox": whole, "Get-TransportConfig": one})
    check_tenant(description)
    assert len(description["mailboxes"]) == 4 and description["transport_config"][SMTP] is True


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        ([], "an export is a dictionary"),
        ({"Get-Mailbox": []}, "an export is a dictionary"),
        ({"Get-CASMailbox": [5]}, "Get-CASMailbox: expected one object"),
        ({}, "so it has no domain"),
    ],
)
def test_refusals(content: Any, refusal: str) -> None:
    with pytest.raises(DescriptionError, match=refusal):
        description_of(content)


def test_enumerators_as_numbers_are_told() -> None:
    rows = {"Get-TransportConfig": {"DSNConversionMode": 1}, "Get-OrganizationConfig": {"Name": "x.onmicrosoft.com"}}
    with pytest.raises(DescriptionError, match=r"x\.transport_config\.DSNConversionMode: 1 is not one of DoNotConvert"):
        check_tenant(description_of(rows))


def test_from_the_command_line(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(exported(client)), encoding="utf-8-sig")
    with Simulator.start(options=["--export", str(path)]) as running:
        state = running.state(client.tenant.tenant)
        assert state["mailboxes"][0]["PrimarySmtpAddress"] == f"ada@{client.tenant.tenant}"
