# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client may meet that no documentation promises: forms, refusals, drift, and hostile answers."""

from __future__ import annotations

import json
import socket
import ssl
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest
from raw import EXCHANGE, Client, command, error_of, tenant

from simulator.testing import Simulator

SMTP = "SmtpClientAuthenticationDisabled"


def mailboxes(client: Client, **parameters: Any) -> list[str]:
    rows = client.invoke("Get-CASMailbox", parameters).json()["value"]
    return sorted(row["PrimarySmtpAddress"].partition("@")[0] for row in rows)


# --- forms ---


def test_nulls_are_left_out(simulator: Simulator) -> None:
    client = tenant(simulator, omit_nulls=[SMTP])
    ada = client.mailbox(f"ada@{client.tenant.tenant}")
    assert SMTP not in ada and ada["EwsAllowOutlook"] is None
    assert client.mailbox(f"scanner@{client.tenant.tenant}")[SMTP] is False
    simulator.patch_tenant(client.tenant.label, omit_nulls=True)
    for cmdlet in ("Get-CASMailbox", "Get-TransportConfig", "Get-OrganizationConfig"):
        row = client.invoke(cmdlet).json()["value"][0]
        assert None not in row.values()


@pytest.mark.parametrize(("form", "token_endpoint"), [("everywhere", "{id}"), ("issuer", "{domain}")])
def test_discovery_may_name_the_tenant_in_its_issuer_only(simulator: Simulator, form: str, token_endpoint: str) -> None:
    client = tenant(simulator, forms={"discovery_tenant": form})
    known = client.tenant
    url = f"{simulator.endpoint}/{known.tenant}/v2.0/.well-known/openid-configuration"
    document = simulator.session.get(url).json()
    assert document["issuer"] == f"{simulator.endpoint}/{known.tenant_id}/v2.0"
    wanted = token_endpoint.format(id=known.tenant_id, domain=known.tenant)
    assert document["token_endpoint"] == f"{simulator.endpoint}/{wanted}/oauth2/v2.0/token"


def test_an_unknown_name_may_bring_everybody(simulator: Simulator) -> None:
    client = tenant(simulator, forms={"unknown_mailbox": "all"})
    assert mailboxes(client, Identity="nobody@example.org") == ["ada", "ben.brandt", "bob", "scanner"]
    answer = client.invoke("Set-CASMailbox", {"Identity": "nobody@example.org", "PopEnabled": False})
    assert error_of(answer) == (404, "ManagementObjectNotFoundException")


@pytest.mark.parametrize(("form", "found"), [("ambiguous", None), ("address", "fax"), ("upn", "printer")])
def test_a_user_name_that_is_another_mailboxes_address(simulator: Simulator, form: str, found: str | None) -> None:
    twins = [
        {"upn": "Device@x.example", "primary_address": "printer@x.example", "alias": "printer"},
        {"upn": "fax@x.example", "primary_address": "device@X.example", "alias": "fax"},
    ]
    client = tenant(simulator, mailboxes=twins, forms={"clashing_name": form})
    answer = client.invoke("Get-CASMailbox", {"Identity": "device@x.example"})
    if found is None:
        assert error_of(answer) == (400, "ManagementObjectAmbiguousException")
    else:
        assert answer.json()["value"][0]["LegacyExchangeDN"].endswith(f"-{found}")


# --- pages ---


def test_one_object_may_have_a_next_link(client: Client) -> None:
    identity = {"Identity": f"ada@{client.tenant.tenant}"}
    client.simulator.fault("page_extra_link", tenant=client.tenant.label)
    first = client.invoke("Get-CASMailbox", identity).json()
    assert len(first["value"]) == 1
    second = client.invoke("Get-CASMailbox", identity, url=first["@odata.nextLink"]).json()
    assert second["value"] == [] and "@odata.nextLink" not in second
    client.simulator.fault("page_extra_link", tenant=client.tenant.label)
    assert "@odata.nextLink" in client.invoke("Get-TransportConfig").json()


@pytest.mark.parametrize(
    ("details", "netloc"),
    [
        ({}, "127.0.0.1:{port}"),
        ({"port": 443}, "127.0.0.1:443"),
        ({"host": "outlook.office.com", "port": 443}, "outlook.office.com:443"),
    ],
)
def test_a_next_link_may_name_another_host_or_port(client: Client, details: dict[str, Any], netloc: str) -> None:
    client.simulator.fault("page_link_host", tenant=client.tenant.label, **details)
    first = client.invoke("Get-CASMailbox", Prefer="odata.maxpagesize=2").json()
    link = first["@odata.nextLink"]
    assert urlsplit(link).netloc == netloc.format(port=urlsplit(client.simulator.endpoint).port)
    if not details:
        assert len(client.invoke("Get-CASMailbox", url=link, Prefer="odata.maxpagesize=2").json()["value"]) == 2


def test_a_name_may_bring_somebody_else(client: Client) -> None:
    domain = client.tenant.tenant
    client.simulator.fault("other_object", tenant=client.tenant.label, identity=f"bob@{domain}")
    assert client.mailbox(f"nobody@{domain}")["PrimarySmtpAddress"] == f"bob@{domain}"


# --- refusals ---


@pytest.mark.parametrize(("given", "text"), [(True, "on-premises"), ("No luck today.", "No luck today.")])
def test_a_mailbox_that_always_refuses(simulator: Simulator, given: Any, text: str) -> None:
    client = tenant(simulator, mailboxes=[{"upn": "hybrid@x.example", "refuses_writes": given}])
    for _turn in range(2):
        answer = client.invoke("Set-CASMailbox", {"Identity": "hybrid@x.example", SMTP: False})
        assert error_of(answer) == (400, "InvalidOperationException")
        assert text in answer.text
    client.simulator.patch_tenant(
        client.tenant.label, mailboxes=[{"identity": "hybrid@x.example", "refuses_writes": False}]
    )
    assert client.invoke("Set-CASMailbox", {"Identity": "hybrid@x.example", SMTP: False}).status_code == 200


def test_a_tenant_that_was_never_customized(simulator: Simulator) -> None:
    client = tenant(simulator, dehydrated=["Set-TransportConfig"])
    (row,) = client.invoke("Get-OrganizationConfig", query="?$select=IsDehydrated").json()["value"]
    assert row == {"IsDehydrated": True}
    answer = client.invoke("Set-TransportConfig", {SMTP: True})
    assert error_of(answer) == (400, "InvalidOperationInDehydratedContextException")
    assert client.invoke("Set-CASMailbox", {"Identity": f"ada@{client.tenant.tenant}", SMTP: True}).status_code == 200
    assert client.invoke("Enable-OrganizationCustomization", {"Confirm": False}).status_code == 200
    assert client.invoke("Set-TransportConfig", {SMTP: True}).status_code == 200
    again = client.invoke("Enable-OrganizationCustomization")
    assert error_of(again) == (400, "InvalidOperationException") and "not required" in again.text


def test_an_app_that_sees_and_may_change_a_part(simulator: Simulator) -> None:
    client = tenant(simulator)
    domain = client.tenant.tenant
    both, one = [f"ada@{domain}", f"scanner@{domain}"], [f"ada@{domain}"]
    simulator.patch_tenant(client.tenant.label, apps=[{"read_scope": both, "write_scope": one}])
    assert mailboxes(client) == ["ada", "scanner"]
    hidden = client.invoke("Get-CASMailbox", {"Identity": f"bob@{domain}"})
    assert error_of(hidden) == (404, "ManagementObjectNotFoundException")
    refused = client.invoke("Set-CASMailbox", {"Identity": f"scanner@{domain}", SMTP: True})
    assert error_of(refused) == (400, "InvalidOperationException") and "write scope" in refused.text
    assert client.invoke("Set-CASMailbox", {"Identity": f"ada@{domain}", SMTP: True}).status_code == 200


@pytest.mark.parametrize("cmdlet", ["Set-TransportConfig", "Set-OrganizationConfig"])
def test_a_cmdlet_that_finds_no_proxy(client: Client, cmdlet: str) -> None:
    name = "Microsoft.Exchange.Configuration.Tasks.CmdletProxyNotAvailableFailure"
    client.simulator.fault("transient", tenant=client.tenant.label, match={"cmdlet": cmdlet}, type=name)
    parameters = {SMTP: True} if cmdlet == "Set-TransportConfig" else {"AuditDisabled": True}
    assert error_of(client.invoke(cmdlet, parameters)) == (400, "CmdletProxyNotAvailableFailure")
    assert client.invoke(cmdlet, parameters).status_code == 200


def test_texts_may_hold_control_characters(client: Client) -> None:
    hostile = "\x1b[2J\x9b31m\u202emoc\x00 {{ 7 * 7 }}"
    label = client.tenant.label
    client.simulator.fault("status", tenant=label, code=400, type="System.Exception", message=hostile)
    assert hostile in client.invoke("Get-TransportConfig").json()["error"]["details"][0]["message"]
    client.simulator.fault("warnings", tenant=label, match={"cmdlet": "Set-TransportConfig"}, messages=[hostile])
    answer = client.invoke("Set-TransportConfig", {SMTP: False}).json()
    assert answer["@adminapi.warnings"] == [hostile] and answer["value"] == []


# --- somebody else at work ---


def test_drift_at_the_nth_command(client: Client) -> None:
    label, scanner = client.tenant.label, f"scanner@{client.tenant.tenant}"
    drift = {"mailboxes": [{"identity": scanner, "cas": {SMTP: None}}]}
    match = {"cmdlet": "Get-CASMailbox", "identity": scanner}
    client.simulator.fault("drift", tenant=label, match=match, after=1, changes=drift)
    seen = [client.mailbox(scanner)[SMTP] for _turn in range(4)]
    assert seen == [False, False, None, None]
    assert client.simulator.writes(label) == []
    (entry,) = client.simulator.history(label)
    assert entry["cmdlet"] == "drift"
    assert [(change["from"], change["to"]) for change in entry["changes"].values()] == [(True, False)]


def test_drift_before_a_command_and_beside_a_fault(client: Client) -> None:
    label = client.tenant.label
    changes = {"transport_config": {SMTP: False}}
    client.simulator.fault("drift", tenant=label, when="before", changes=changes)
    client.simulator.fault("throttle", tenant=label)
    assert client.invoke("Get-TransportConfig").status_code == 429
    assert client.invoke("Get-TransportConfig").json()["value"][0][SMTP] is False


def test_drift_that_can_not_be_is_told_at_once(client: Client) -> None:
    with pytest.raises(ValueError, match="0 mailboxes are called nobody"):
        client.simulator.fault(
            "drift", tenant=client.tenant.label, changes={"mailboxes": [{"identity": "nobody", "cas": {}}]}
        )


def test_drift_that_has_become_impossible_is_told_by_its_fault(client: Client) -> None:
    label, scanner = client.tenant.label, f"scanner@{client.tenant.tenant}"
    change = {"mailboxes": [{"identity": scanner, "cas": {SMTP: None}}]}
    number = client.simulator.fault("drift", tenant=label, changes=change)["number"]
    client.simulator.patch_tenant(label, remove_mailboxes=[scanner])
    assert client.invoke("Get-TransportConfig").status_code == 200
    (fault,) = [each for each in client.simulator.faults() if each["number"] == number]
    assert fault["problem"] == f"0 mailboxes are called {scanner}"


# --- hostile answers ---


def test_a_small_body_that_inflates(client: Client) -> None:
    client.simulator.fault("gzip_bomb", tenant=client.tenant.label, megabytes=64)
    answer = client.invoke("Get-TransportConfig")
    body = answer.raw.read(decode_content=False)
    assert answer.headers["Content-Encoding"] == "gzip" and len(body) < 128 * 1024
    inflater, inflated = zlib.decompressobj(31), 0
    while body:
        inflated += len(inflater.decompress(body))
        body, inflater = inflater.unused_data, zlib.decompressobj(31)
    assert inflated == 64 * 1024 * 1024


def test_an_answer_that_trickles(client: Client) -> None:
    client.simulator.fault("trickle", tenant=client.tenant.label, seconds=0.001)
    answer = client.invoke("Get-TransportConfig", query="?$select=Name")
    received = answer.raw.read(1000)
    # The document is over by then; what follows are blanks, and it never ends.
    assert json.loads(received)["value"] == [{"Name": "Transport Settings"}]
    assert received.endswith(b" " * 500)
    answer.close()
    assert client.invoke("Get-TransportConfig").status_code == 200


def test_the_token_endpoint_trickles_too(client: Client) -> None:
    client.simulator.fault("trickle", tenant=client.tenant.label, match={"endpoint": "token"}, seconds=0.001)
    parts = urlsplit(client.simulator.endpoint)
    context = ssl.create_default_context(cafile=str(client.simulator.ca_path))
    form = (
        f"grant_type=client_credentials&client_id={client.tenant.client_id}"
        f"&client_secret={client.tenant.client_secret}&scope={EXCHANGE}"
    )
    request = (
        f"POST /{client.tenant.tenant_id}/oauth2/v2.0/token HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
    )
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 10) as plain:
        secure = context.wrap_socket(plain, server_hostname=parts.hostname)
        secure.sendall(request.encode())
        received = b""
        while len(received) < 10_000:
            received += secure.recv(4096)
    assert received.startswith(b"HTTP/1.1 200")


def test_a_batch_trickles_as_a_whole(client: Client) -> None:
    client.simulator.fault("trickle", tenant=client.tenant.label, match={"endpoint": "batch"}, seconds=0.001)
    answer = client.batch(command("Get-TransportConfig"))
    assert answer.raw.read(50).startswith(b'{"responses":')
    answer.close()
