# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers as they were captured from the service, and requests in the forms of clients that others wrote."""

from __future__ import annotations

import itertools
import json
import uuid
from functools import partial
from typing import Any

import pytest
import requests
from raw import Client, command, error_of, tenant

from simulator.testing import Simulator

INVOCATION = "Microsoft.Exchange.AdminApi.CommandInvocation"
SERVICE_ERROR = "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"
SMTP = "SmtpClientAuthenticationDisabled"


# --- errors, as live fixtures have them ---


def test_an_unknown_parameter(client: Client) -> None:
    body = client.invoke("Get-CASMailbox", {"BogusParameter": 1}).json()
    error = body["error"]
    text = (
        "Parameter set cannot be resolved using the specified named parameters. "
        "Invalid cmdlet parameters specified. BogusParameter"
    )
    assert (error["code"], error["message"]) == ("BadRequest", "Invalid Operation")
    (detail,) = error["details"]
    expected = {"code": "Client", "target": "", "message": f"|{INVOCATION}.AmbiguousParameterSetException|{text}"}
    assert detail == expected
    inner = error["innererror"]
    assert (inner["message"], inner["type"]) == ("Invalid Operation", SERVICE_ERROR)
    assert inner["internalexception"]["message"] == text
    assert "@adminapi.warnings" not in body and "@adminapi.warnings" not in error


def test_a_wrong_enumerator(client: Client) -> None:
    mailbox = {"Identity": f"ada@{client.tenant.tenant}"}
    error = client.invoke("Set-CASMailbox", {**mailbox, "EwsApplicationAccessPolicy": "Nonsense"}).json()["error"]
    assert "details" not in error and error["@adminapi.warnings"] == []
    internal = error["innererror"]["internalexception"]
    assert internal["type"] == f"{INVOCATION}.ParameterTransformationException"
    assert internal["message"].endswith(
        'Error: "Unable to match the identifier name Nonsense to a valid enumerator name. Specify one of the following '
        'enumerator names and try again: EnforceAllowList, EnforceBlockList"'
    )


def test_a_shortened_enumerator_is_taken(client: Client) -> None:
    ada = f"ada@{client.tenant.tenant}"
    assert client.invoke("Set-TransportConfig", {"DSNConversionMode": "Use"}).status_code == 200
    assert client.invoke("Get-TransportConfig").json()["value"][0]["DSNConversionMode"] == "UseExchangeDSNs"
    ambiguous = client.invoke("Set-CASMailbox", {"Identity": ada, "EwsApplicationAccessPolicy": "Enforce"})
    assert error_of(ambiguous) == (400, "ParameterTransformationException")


def test_what_is_not_there(client: Client) -> None:
    answer = client.invoke("Get-CASMailbox", {"Identity": "nobody"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (404, "NotFound", "Error executing cmdlet")
    assert error["details"][0]["message"].startswith("Ex6F9304|Microsoft.Exchange.Configuration.Tasks.Management")
    inner = error["innererror"]
    assert inner["message"] == "Error executing cmdlet"
    assert "DirectInvokeCmdletExecutionException" in inner["internalexception"]["message"]


# --- forms that nobody knows ---


@pytest.mark.parametrize(("form", "status"), [("refused", 400), ("accepted", 200)])
def test_numbers_as_booleans(simulator: Simulator, form: str, status: int) -> None:
    client = tenant(simulator, forms={"numbers_as_booleans": form})
    answer = client.invoke("Set-TransportConfig", {SMTP: 0})
    assert answer.status_code == status
    if status == 200:
        assert client.invoke("Get-TransportConfig").json()["value"][0][SMTP] is False
    assert client.invoke("Set-TransportConfig", {SMTP: 2}).status_code == 400


@pytest.mark.parametrize(
    ("forms", "parameters", "rows", "warned", "linked"),
    [
        ({}, {}, 1000, True, False),
        ({"default_result_size": "goes_on"}, {}, 1000, False, True),
        ({}, {"ResultSize": 3}, 3, True, True),
        ({"result_size": "ignored"}, {"ResultSize": 3}, 1000, False, True),
        ({}, {"ResultSize": "Unlimited"}, 1000, False, True),
    ],
)
def test_how_many_rows(
    simulator: Simulator, forms: dict[str, str], parameters: dict[str, Any], rows: int, warned: bool, linked: bool
) -> None:
    client = tenant(simulator, forms=forms, mailboxes=[], generate=1001)
    document = client.invoke("Get-CASMailbox", parameters, query="?$select=Guid").json()
    assert (len(document["value"]), bool(document["@adminapi.warnings"]), "@odata.nextLink" in document) == (
        rows,
        warned,
        linked,
    )


# --- tokens ---


@pytest.mark.parametrize(
    ("scope", "works"),
    [
        ("https://outlook.office365.com/.default", True),
        ("https://outlook.office365.com//.default", True),
        ("https://outlook.office.com/.default", True),
        ("00000002-0000-0ff1-ce00-000000000000/.default", True),
        ("https://graph.microsoft.com/.default", False),
        ("00000003-0000-0000-c000-000000000000/.default", False),
    ],
)
def test_names_of_the_resource(client: Client, scope: str, works: bool) -> None:
    client.bearer = client.token(scope=scope).json()["access_token"]
    assert client.invoke("Get-TransportConfig").status_code == (200 if works else 401)


def test_the_older_token_endpoint(client: Client) -> None:
    url = f"{client.simulator.endpoint}/{client.tenant.tenant}/oauth2/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": client.tenant.client_id,
        "client_secret": client.tenant.client_secret,
        "resource": "https://outlook.office365.com",
    }
    answer = client.simulator.session.post(url, data=form).json()
    assert answer["resource"] == form["resource"] and answer["expires_in"] == "3599"
    client.bearer = answer["access_token"]
    assert client.invoke("Get-TransportConfig").status_code == 200
    del form["resource"]
    assert client.simulator.session.post(url, data=form).json()["error_codes"] == [900144]


# --- clients that others wrote ---


def post(client: Client, path: str, body: Any, headers: dict[str, str]) -> requests.Response:
    client.headers()
    url = f"{client.simulator.endpoint}/{path}"
    authorization = {"Authorization": f"Bearer {client.bearer}"}
    options: dict[str, Any] = {"allow_redirects": False}
    return client.simulator.session.post(url, data=json.dumps(body), headers=authorization | headers, **options)


def test_the_smallest_request(client: Client) -> None:
    """An exporter of telemetry: three headers, no anchor, and therefore no second page."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    path = f"adminapi/beta/{client.tenant.tenant_id}/InvokeCommand"
    body = command("Get-CASMailbox", {"ResultSize": 1})
    first = post(client, path, body, headers).json()
    assert len(first["value"]) == 1 and first["@adminapi.warnings"]
    link = first["@odata.nextLink"].partition("/adminapi/")[2]
    second = post(client, f"adminapi/{link}", body, headers)
    assert error_of(second) == (400, "Exception") and "Default Expiry time is 00:30:00" in second.text


def test_names_in_any_case(client: Client) -> None:
    """A trace of another client: the domain in the path, everything else in small letters, a header with a slip."""
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Prefer": "odata.maxpagesize=1"}
    body = {"CmdletInput": {"CmdletName": "get-casmailbox", "Parameters": {"identity": f"ada@{client.tenant.tenant}"}}}
    answer = post(client, f"AdminApi/beta/{client.tenant.tenant}/invokecommand", body, headers)
    assert [row["PrimarySmtpAddress"] for row in answer.json()["value"]] == [f"ada@{client.tenant.tenant}"]
    assert answer.headers["Content-Type"].startswith("application/json;odata.metadata=minimal")


def test_a_portal_for_partners_clears_a_flag_in_a_batch(client: Client) -> None:
    """GUIDs as ids, all headers in each item, an anchor, and null for the flag."""
    tenant_id = client.tenant.tenant_id
    scanner = client.mailbox(f"scanner@{client.tenant.tenant}")
    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant_id}"
    number = str(uuid.uuid4())
    item = {
        "id": number,
        "method": "POST",
        "url": f"{client.base}/InvokeCommand",
        "headers": {
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json; odata.metadata=minimal",
            "Prefer": "odata.maxpagesize=1000;odata.continue-on-error",
            "X-AnchorMailbox": anchor,
            "parameter-based-routing": "true",
            "Authorization": f"Bearer {client.token().json()['access_token']}",
        },
        "body": command("Set-CASMailbox", {"Identity": scanner["Guid"], SMTP: None}),
    }
    headers = {"Content-Type": "application/json", "X-AnchorMailbox": anchor, "Prefer": "odata.continue-on-error"}
    answer = post(client, f"adminapi/beta/{tenant_id}/$batch", {"requests": [item]}, headers)
    (part,) = answer.json()["responses"]
    assert (part["id"], part["status"], part["body"]["value"]) == (number, 200, [])
    assert client.mailbox(scanner["Guid"])[SMTP] is None


def test_a_connector_of_identities_sends_bare_items(client: Client) -> None:
    """Items with a content type only: the outer request brings the token and the anchor."""
    bodies = [command("Get-CASMailbox", {"Identity": f"{name}@{client.tenant.tenant}"}) for name in ("ada", "nobody")]
    items = [
        {
            "id": str(uuid.uuid4()),
            "method": "POST",
            "url": f"{client.base}/InvokeCommand",
            "headers": {"Content-Type": "application/json"},
            "body": body,
        }
        for body in bodies
    ]
    path = f"adminapi/beta/{client.tenant.tenant_id}/$batch"
    parts = post(client, path, {"requests": items}, {"Content-Type": "application/json"}).json()["responses"]
    assert {part["id"]: part["status"] for part in parts} == {items[0]["id"]: 200, items[1]["id"]: 404}


def test_a_scanner_selects_and_follows_links(client: Client) -> None:
    body = command("Get-CASMailbox")
    headers = {
        "Content-Type": "application/json",
        "X-AnchorMailbox": f"UPN:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{client.tenant.tenant}",
        "Prefer": "odata.maxpagesize=3",
    }
    path, found = f"adminapi/beta/{client.tenant.tenant_id}/InvokeCommand?$select=Identity,{SMTP}", []
    while path:
        page = post(client, path, body, headers).json()
        found += page["value"]
        link = page.get("@odata.nextLink", "").partition("/adminapi/")[2]
        path = f"adminapi/{link}" if link else ""
    assert len(found) == 4 and all(set(row) == {"Identity", SMTP} for row in found)


def test_mailboxes_as_entities(client: Client) -> None:
    """A portal's list: GET, no anchor, the properties that come unasked, and one mailbox by its key."""
    client.headers()
    get = partial(client.simulator.session.get, headers={"Authorization": f"Bearer {client.bearer}"})
    whole = get(f"{client.base}/CasMailbox").json()
    assert whole["@odata.context"] == f"{client.base}/$metadata#CasMailbox"
    assert len(whole["value"]) == 4 and not any("@" in key for key in itertools.chain.from_iterable(whole["value"]))
    assert {"PrimarySmtpAddress", "ImapEnabled", "EwsEnabled"} <= whole["value"][0].keys()
    assert SMTP not in whole["value"][0]
    one = get(f"{client.base}/CasMailbox('scanner@{client.tenant.tenant}')?$select={SMTP}").json()
    assert one["value"] == [{SMTP: False}]
    assert get(f"{client.base}/CasMailbox('nobody')").status_code == 404
    assert get(f"{client.base}/CasMailbox?$filter=x").status_code == 400
    assert client.simulator.session.post(f"{client.base}/CasMailbox", headers=client.headers()).status_code == 405
    assert {entry["cmdlet"] for entry in client.simulator.log(client.tenant.label)} == {"Get-CASMailbox"}


def test_entities_come_in_pages(client: Client) -> None:
    url, found = f"{client.base}/CasMailbox?$select=Guid", []
    while url:
        page = client.simulator.session.get(url, headers=client.headers(Prefer="odata.maxpagesize=3")).json()
        found += page["value"]
        url = page.get("@odata.nextLink", "")
    assert len({row["Guid"] for row in found}) == len(found) == 4


def test_the_official_module_is_told_that_its_xml_is_missing(client: Client) -> None:
    headers = {"Content-Type": "application/json", "X-ResponseFormat": "clixml", "X-CmdletName": "Get-CASMailbox"}
    answer = post(client, f"AdminApi/beta/{client.tenant.tenant_id}/InvokeCommand", command("Get-CASMailbox"), headers)
    assert answer.status_code == 400 and "JSON only" in answer.text


def test_a_bogus_token_and_the_wrong_version(client: Client) -> None:
    client.bearer = "bogus"
    answer = client.invoke("Get-TransportConfig")
    assert answer.status_code == 401 and "authorization_uri=" in answer.headers["WWW-Authenticate"]
    client.bearer = ""
    old = client.invoke("Get-TransportConfig", url=client.base.replace("/beta/", "/v1.0/") + "/InvokeCommand")
    assert old.status_code == 405
