# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator itself: plain requests, and what the service is known to answer."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from raw import TAG, Client, command, error_of, full, tenant

from simulator.testing import Simulator

PAGES_OF_500 = "odata.maxpagesize=500"
ADA, BEN, SCANNER = "ada@{d}", "ben@{d}", "scanner@{d}"


# --- Entra ---


def test_discovery_gives_the_guid_for_a_domain(client: Client) -> None:
    base = client.simulator.endpoint
    found = client.simulator.session.get(f"{base}/{client.tenant.tenant}/v2.0/.well-known/openid-configuration").json()
    assert found["issuer"] == f"{base}/{client.tenant.tenant_id}/v2.0"
    missing = client.simulator.session.get(f"{base}/nobody.example.com/v2.0/.well-known/openid-configuration")
    assert (missing.status_code, missing.json()["error"]) == (400, "invalid_tenant")
    assert "AADSTS90002" in missing.json()["error_description"]


@pytest.mark.parametrize(
    ("fields", "status", "number"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": "11111111-1111-1111-1111-111111111111"}, 400, 700016),
        ({"scope": "https://localhost/.default"}, 400, 500011),
        ({"scope": "https://outlook.office365.com/"}, 400, 1002012),
        ({"client_assertion": "x.y.z", "client_assertion_type": "jwt"}, 400, 900144),
    ],
)
def test_token_refusals(client: Client, fields: dict[str, str], status: int, number: int) -> None:
    answer = client.token(**fields)
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [number])
    assert answer.json()["error_description"].startswith(f"AADSTS{number}: ")


def assertion(client: Client, *, x5t: str = "", wrong_key: bool = False, **changes: Any) -> dict[str, str]:
    pem = Path(client.tenant.values["certificate_path"]).read_bytes()
    key: Any = serialization.load_pem_private_key(pem, None)
    if wrong_key:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    sha1 = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA1())
    used = x5t or base64.urlsafe_b64encode(sha1).rstrip(b"=").decode()
    url = f"{client.simulator.endpoint}/{client.tenant.tenant_id}/oauth2/v2.0/token"
    own = client.tenant.client_id
    claims = {"aud": url, "iss": own, "sub": own, "exp": int(time.time()) + 600, "jti": "1", **changes}
    token = jwt.encode(claims, key, algorithm="RS256", headers={"x5t": used})
    return {
        "client_assertion": token,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


@pytest.fixture(scope="session")
def certified(simulator: Simulator) -> Client:
    return tenant(simulator, apps=[{"certificate": True}])


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, None),
        ({"wrong_key": True}, 700027),
        ({"x5t": "AAAA"}, 700027),
        ({"aud": "https://example.com"}, 700023),
        ({"exp": 1}, 700024),
        ({"sub": "someone-else"}, 700021),
    ],
)
def test_client_assertion_is_verified(certified: Client, changes: dict[str, Any], number: int | None) -> None:
    answer = certified.token(**assertion(certified, **changes))
    assert answer.json().get("error_codes", [None]) == [number]
    assert (answer.status_code == 200) is (number is None)


def test_expired_certificate_and_secret(simulator: Simulator) -> None:
    expired = tenant(simulator, apps=[{"certificate": {"expires_in_days": -1}}])
    assert expired.token(**assertion(expired)).json()["error_codes"] == [700027]
    late = tenant(simulator, apps=[{"secret": "s", "secret_expired": True}])
    assert late.token().json()["error_codes"] == [7000222]


def test_federated_token(simulator: Simulator) -> None:
    client = tenant(simulator, apps=[{"federated": {"subject": "repo:x"}}])
    token = Path(client.tenant.values["federated_token_file"]).read_text(encoding="ascii")
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert client.token(client_assertion=token, client_assertion_type=kind).status_code == 200
    forged = jwt.encode({**jwt.decode(token, options={"verify_signature": False}), "sub": "y"}, "k" * 32, "HS256")
    assert client.token(client_assertion=forged, client_assertion_type=kind).json()["error_codes"] == [700213]


def test_managed_identity(simulator: Simulator) -> None:
    client = tenant(simulator, managed_identity={})
    identity = client.tenant.values["managed_identity"]
    query = {"resource": "https://outlook.office365.com", "api-version": "2018-02-01"}
    url = f"{identity['imds']}/metadata/identity/oauth2/token"
    assert client.simulator.session.get(url, params=query).status_code == 400
    answer = client.simulator.session.get(url, params=query, headers={"Metadata": "true"})
    client.bearer = answer.json()["access_token"]
    assert client.invoke("Get-TransportConfig").status_code == 200
    query["api-version"] = "2019-08-01"
    headers = {"X-IDENTITY-HEADER": identity["header"]}
    answer = client.simulator.session.get(identity["identity_endpoint"], params=query, headers=headers)
    assert answer.json()["token_type"] == "Bearer"


# --- Who may call ---


@pytest.mark.parametrize(
    ("app", "cmdlet", "status"),
    [
        ({"roles": []}, "Get-TransportConfig", 401),
        ({"roles": ["Exchange.ManageAsAppV2"]}, "Get-TransportConfig", 403),
        ({"directory_role": "none"}, "Get-TransportConfig", 403),
        ({"directory_role": "Global Reader"}, "Get-CASMailbox", 200),
        ({"directory_role": "Global Reader"}, "Set-CASMailbox", 403),
        ({"directory_role": "Exchange Recipient Administrator"}, "Set-TransportConfig", 403),
        ({"directory_role": ["Get-TransportConfig"]}, "get-transportconfig", 200),
        ({}, "Get-Nothing", 403),
    ],
)
def test_roles(simulator: Simulator, app: dict[str, Any], cmdlet: str, status: int) -> None:
    assert tenant(simulator, apps=[app]).invoke(cmdlet).status_code == status


def test_nul_403_claims_to_be_gzip(client: Client) -> None:
    with pytest.raises(requests.exceptions.ContentDecodingError):
        assert client.invoke("Get-Nothing").content
    answer = client.invoke("Get-Nothing")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert set(answer.raw.read(decode_content=False)) == {0}


def test_tokens_of_another_kind(simulator: Simulator, client: Client) -> None:
    client.bearer = client.token("https://graph.microsoft.com/.default").json()["access_token"]
    answer = client.invoke("Get-TransportConfig")
    assert answer.status_code == 401
    assert answer.headers["x-ms-diagnostics"].startswith("2000003;")
    other = tenant(simulator)
    other.bearer = tenant(simulator).token().json()["access_token"]
    assert other.invoke("Get-TransportConfig").status_code == 401
    client.bearer = "nonsense"
    assert "WWW-Authenticate" in client.invoke("Get-TransportConfig").headers


def test_short_lived_and_revoked_tokens(simulator: Simulator) -> None:
    client = tenant(simulator)
    simulator.fault("expire_tokens", tenant=client.tenant.label)
    assert client.invoke("Get-TransportConfig").status_code == 401
    assert client.invoke("Get-TransportConfig").status_code == 401
    client.bearer = ""
    assert client.invoke("Get-TransportConfig").status_code == 200


def test_claims_challenge(client: Client) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    client.simulator.fault("unauthorized", tenant=client.tenant.label, claims=claims)
    challenge = client.invoke("Get-TransportConfig").headers["WWW-Authenticate"]
    assert base64.b64decode(challenge.split('claims="')[1].rstrip('"')).decode() == claims
    client.bearer = ""
    assert client.invoke("Get-TransportConfig").status_code == 401
    client.bearer = client.token(claims=claims).json()["access_token"]
    assert client.invoke("Get-TransportConfig").status_code == 200


# --- Requests ---


def test_verbs_versions_and_media_types(client: Client) -> None:
    old = client.base.replace("/beta/", "/v1.0/")
    session = client.simulator.session
    assert client.invoke("Get-TransportConfig", url=f"{old}/InvokeCommand").status_code == 405
    assert session.get(f"{client.base}/InvokeCommand", headers=client.headers()).status_code == 405
    upper = client.base.replace("/adminapi/", "/AdminApi/") + "/invokecommand"
    assert client.invoke("GET-TRANSPORTCONFIG", url=upper).status_code == 200
    text = client.headers(**{"Content-Type": "text/plain"})
    assert session.post(f"{client.base}/InvokeCommand", data=b"{}", headers=text).status_code == 415
    json_ = client.headers(**{"Content-Type": "application/json"})
    assert session.post(f"{client.base}/InvokeCommand", data=b"{", headers=json_).status_code == 400
    assert session.post(f"{client.base}/InvokeCommand", data=b"{}").headers["WWW-Authenticate"].startswith("Basic")


def test_envelope_and_compression(client: Client) -> None:
    body = command("Get-TransportConfig")
    answer = client.post(f"{client.base}/InvokeCommand", body, **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    body = answer.json()
    assert list(body) == ["@odata.context", "adminapi.warnings@odata.type", "@adminapi.warnings", "value"]
    (row,) = body["value"]
    assert len([name for name in row if "@" not in name]) == 94
    assert (row["JournalingReportNdrTo"], row["MessageExpiration"]) == ("<>", "1.00:00:00")
    assert row["Guid@data.type"] == "System.Guid"


def test_select_trims_and_keeps_annotations(client: Client) -> None:
    answer = client.invoke("Get-CASMailbox", query="?$select=Guid,SmtpClientAuthenticationDisabled,Nonsense")
    row = answer.json()["value"][0]
    assert set(row) == {"Guid@data.type", "Guid@odata.type", "Guid", "SmtpClientAuthenticationDisabled"}
    assert row["SmtpClientAuthenticationDisabled"] is None


# --- Identities ---


@pytest.mark.parametrize(
    ("identity", "found"),
    [
        ("ADA@{d}", ADA),
        ("a.abel@{d}", ADA),
        ("ada", ADA),
        ("Ada Abel", ADA),
        ("ben@{d}", BEN),
        ("ben.brandt@{d}", BEN),
        ("Twin", "ManagementObjectAmbiguousException"),
        ("nobody@{d}", "ManagementObjectNotFoundException"),
    ],
)
def test_identity_forms(client: Client, identity: str, found: str) -> None:
    answer = client.invoke("Get-CASMailbox", {"Identity": full(client, identity)})
    if "@" in found:
        stored = client.simulator.mailbox(client.tenant.label, full(client, found))
        assert [row["Guid"] for row in answer.json()["value"]] == [stored["Guid"]]
        assert not {"UserPrincipalName", "Alias"} & answer.json()["value"][0].keys()
    else:
        assert error_of(answer)[1] == found
        assert answer.status_code == (404 if "NotFound" in found else 400)


@pytest.mark.parametrize("key", ["Guid", "ExchangeObjectId", "ExternalDirectoryObjectId", "DistinguishedName", "Name"])
def test_identity_by_property(client: Client, key: str) -> None:
    row = client.mailbox(full(client, SCANNER))
    assert client.mailbox(row[key])["Guid"] == row["Guid"]


def test_identity_null_gives_everybody(client: Client) -> None:
    assert len(client.invoke("Get-CASMailbox", {"Identity": None}).json()["value"]) == 4
    shared = client.invoke("Get-CASMailbox", {"RecipientTypeDetails": ["SharedMailbox"]}).json()["value"]
    assert [row["PrimarySmtpAddress"] for row in shared] == [full(client, SCANNER)]
    assert error_of(client.invoke("Set-CASMailbox", {"Identity": None, "PopEnabled": False}))[0] == 400


# --- Values ---

TRANSFORMATION = (400, "ParameterTransformationException")
VALIDATION = (400, "DataValidationException")
PARAMETER_SET = (400, "AmbiguousParameterSetException")


@pytest.mark.parametrize(
    ("name", "value", "outcome"),
    [
        ("SmtpClientAuthenticationDisabled", False, False),
        ("SmtpClientAuthenticationDisabled", None, TRANSFORMATION),
        ("SmtpClientAuthenticationDisabled", "false", TRANSFORMATION),
        ("AllowLegacyTLSClients", True, True),
        ("MessageExpiration", "0.12:00:00", "12:00:00"),
        ("MessageExpiration", "24:00:00", TRANSFORMATION),
        ("MessageExpiration", "11:59:59", VALIDATION),
        ("MessageExpiration", 43200, TRANSFORMATION),
        ("MaxRecipientEnvelopeLimit", 500, "500"),
        ("MaxRecipientEnvelopeLimit", "unlimited", "Unlimited"),
        ("MaxRecipientEnvelopeLimit", "1001", VALIDATION),
        ("DSNConversionMode", "useexchangedsns", "UseExchangeDSNs"),
        ("DSNConversionMode", "Nothing", TRANSFORMATION),
        ("ExternalDsnDefaultLanguage", "FR-ca", "fr-CA"),
        ("ExternalDsnDefaultLanguage", False, TRANSFORMATION),
        ("ExternalPostmasterAddress", "", TRANSFORMATION),
        ("ExternalDsnReportingAuthority", "*.example.com", TRANSFORMATION),
        ("ReplyAllStormBlockDurationHours", 13, VALIDATION),
        ("ReplyAllStormBlockDurationHours", "6", TRANSFORMATION),
        ("JournalingReportNdrTo", "ndr@example.com", "ndr@example.com"),
        ("JournalingReportNdrTo", "<>", VALIDATION),
        ("MaxSendSize", "10MB", PARAMETER_SET),
        ("Identity", "Transport Settings", PARAMETER_SET),
        ("Bogus", 1, PARAMETER_SET),
    ],
)
def test_transport_values(client: Client, name: str, value: Any, outcome: Any) -> None:
    answer = client.invoke("set-transportconfig", {name.upper(): value})
    if isinstance(outcome, tuple):
        assert error_of(answer) == outcome
        assert client.simulator.writes(client.tenant.label)[-1]["changed"] is False
    else:
        assert (answer.status_code, answer.json()["value"]) == (200, [])
        assert client.invoke("Get-TransportConfig").json()["value"][0][name] == outcome


def test_journaling_address_is_one_way(client: Client) -> None:
    assert client.invoke("Set-TransportConfig", {"JournalingReportNdrTo": "ndr@example.com"}).status_code == 200
    for value in (None, "<>", ""):
        assert client.invoke("Set-TransportConfig", {"JournalingReportNdrTo": value}).status_code == 400


@pytest.mark.parametrize(
    ("parameters", "outcome"),
    [
        ({"SmtpClientAuthenticationDisabled": None}, {"SmtpClientAuthenticationDisabled": None}),
        ({"ImapEnabled": None}, TRANSFORMATION),
        ({"OWAEnabled": "true"}, TRANSFORMATION),
        ({"ImapMessagesRetrievalMimeFormat": 6}, VALIDATION),
        (
            {"ImapMessagesRetrievalMimeFormat": 6, "ImapUseProtocolDefaults": False},
            {"ImapMessagesRetrievalMimeFormat": "Tnef"},
        ),
        ({"PopSuppressReadReceipt": True, "ImapUseProtocolDefaults": False}, VALIDATION),
        ({"EwsAllowList": ["A*"]}, VALIDATION),
        ({"EwsAllowList": ["A*"], "EwsApplicationAccessPolicy": "enforceallowlist"}, {"EwsAllowList": ["A*"]}),
        ({"ActiveSyncAllowedDeviceIDs": {"Add": ["A1"]}}, TRANSFORMATION),
        ({"ActiveSyncAllowedDeviceIDs": {**TAG, "add": ["A1"]}}, {"ActiveSyncAllowedDeviceIDs": ["A1"]}),
        ({"OwaMailboxPolicy": None}, {"OwaMailboxPolicy": None}),
        ({"OwaMailboxPolicy": "Strict"}, {"OwaMailboxPolicy": "Strict"}),
        ({"OwaMailboxPolicy": "Unknown"}, VALIDATION),
        (
            {"ActiveSyncMailboxPolicy": "default"},
            {"ActiveSyncMailboxPolicy": "Default", "ActiveSyncMailboxPolicyIsDefaulted": False},
        ),
        ({"ECPEnabled": False}, PARAMETER_SET),
        ({"ActiveSyncDebugLogging": True}, (400, "CmdletProxyNotAvailableException")),
    ],
)
def test_mailbox_values(simulator: Simulator, parameters: dict[str, Any], outcome: Any) -> None:
    client = tenant(simulator, policies={"owa": ["Strict"]})
    answer = client.invoke("Set-CASMailbox", {"Identity": full(client, SCANNER), **parameters})
    if isinstance(outcome, tuple):
        assert error_of(answer) == outcome
    else:
        assert (answer.status_code, answer.json()["value"]) == (200, [])
        row = client.mailbox(full(client, SCANNER))
        assert {name: row[name] for name in outcome} == outcome


def test_lists(client: Client) -> None:
    ada = full(client, ADA)

    def put(name: str, value: Any, **more: Any) -> int:
        return client.invoke("Set-CASMailbox", {"Identity": ada, name: value, **more}).status_code

    assert client.mailbox(ada)["ActiveSyncAllowedDeviceIDs"] == []
    assert client.mailbox(ada)["EwsAllowList"] is None
    assert put("ActiveSyncAllowedDeviceIDs", ["A", "B"]) == 200
    assert put("ActiveSyncAllowedDeviceIDs", []) == 200
    assert client.mailbox(ada)["ActiveSyncAllowedDeviceIDs"] == ["A", "B"]
    assert put("ActiveSyncAllowedDeviceIDs", {**TAG, "Add": "C", "Remove": ["A"]}) == 200
    assert client.mailbox(ada)["ActiveSyncAllowedDeviceIDs"] == ["B", "C"]
    assert put("ActiveSyncAllowedDeviceIDs", dict(TAG)) == 200
    assert client.mailbox(ada)["ActiveSyncAllowedDeviceIDs"] == []
    policy = {"EwsApplicationAccessPolicy": "EnforceBlockList"}
    assert put("EwsBlockList", ["MyApp*"], **policy) == 200
    assert put("EwsBlockList", {**TAG, "Add": ["MYAPP*"]}, **policy) == 400
    assert put("EwsBlockList", {**TAG, "Add": ["MYAPP*"], "Remove": ["MyApp*"]}, **policy) == 200
    assert client.mailbox(ada)["EwsBlockList"] == ["MYAPP*"]
    assert put("EwsBlockList", None, **policy) == 200
    assert client.mailbox(ada)["EwsBlockList"] is None


def test_set_without_effect_warns(client: Client) -> None:
    answer = client.invoke("Set-TransportConfig", {"SmtpClientAuthenticationDisabled": True})
    assert "no settings of 'Transport Settings' have been modified" in answer.json()["@adminapi.warnings"][0]
    assert client.simulator.history(client.tenant.label) == []


def test_switches_of_get(client: Client) -> None:
    ada = full(client, ADA)
    assert client.mailbox(ada)["ExternalImapSettings"] is None
    assert client.mailbox(ada, ProtocolSettings=True)["ExternalImapSettings"]
    client.anchor = f"UPN:{ada}"
    parameters = {"Identity": ada, "ActiveSyncDebugLogging": True, "IsOptimizedForAccessibility": True}
    assert client.invoke("Set-CASMailbox", parameters).status_code == 200
    row = client.mailbox(ada)
    assert (row["ActiveSyncDebugLogging"], row["IsOptimizedForAccessibility"]) == (False, None)
    row = client.mailbox(ada, ActiveSyncDebugLogging=True, ReadIsOptimizedForAccessibility=True)
    assert (row["ActiveSyncDebugLogging"], row["IsOptimizedForAccessibility"]) == (True, True)
    client.simulator.patch_tenant(
        client.tenant.label, mailboxes=[{"identity": ada, "cas": {"HasActiveSyncDevicePartnership": True}}]
    )
    assert client.mailbox(ada, RecalculateHasActiveSyncDevicePartnership=True)
    assert client.simulator.log(client.tenant.label)[-1]["changed"] is True


# --- Pages ---


@pytest.fixture(scope="session")
def crowd(simulator: Simulator) -> Client:
    return tenant(simulator, mailboxes=[], generate={"count": 1201})


def test_pages_follow_to_the_end(crowd: Client) -> None:
    seen, url = [], ""
    while True:
        body = crowd.invoke(
            "Get-CASMailbox", {"ResultSize": "Unlimited"}, url=url, query="?$select=Guid", prefer=PAGES_OF_500
        )
        assert body.status_code == 200, body.text
        seen += [row["Guid"] for row in body.json()["value"]]
        assert body.json()["@adminapi.warnings"] == []
        url = body.json().get("@odata.nextLink", "")
        if not url:
            break
        assert "%24skiptoken=" in url
    assert (len(seen), len(set(seen))) == (1201, 1201)


@pytest.mark.parametrize(
    ("parameters", "rows", "link"), [({}, 1000, False), ({"ResultSize": 7}, 7, True), ({"ResultSize": "10"}, 10, True)]
)
def test_result_size(crowd: Client, parameters: dict[str, Any], rows: int, link: bool) -> None:
    body = crowd.invoke("Get-CASMailbox", parameters).json()
    assert (len(body["value"]), "@odata.nextLink" in body) == (rows, link)
    assert body["@adminapi.warnings"][0].startswith("There are more results available")


@pytest.mark.parametrize("spoil", ["other anchor", "no anchor", "never an anchor", "other body", "get"])
def test_pages_are_bound(simulator: Simulator, crowd: Client, spoil: str) -> None:
    client = Client(simulator, crowd.tenant)
    if spoil == "never an anchor":
        client.anchor = None
    parameters: dict[str, Any] = {"ResultSize": "Unlimited"}
    link = client.invoke("Get-CASMailbox", parameters).json()["@odata.nextLink"]
    if spoil == "other anchor":
        client.anchor = f"UPN:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{crowd.tenant.tenant}"
    elif spoil == "no anchor":
        client.anchor = None
    elif spoil == "other body":
        parameters = {"ResultSize": "Unlimited", "ProtocolSettings": True}
    if spoil == "get":
        answer = simulator.session.get(link, headers=client.headers())
    else:
        answer = client.invoke("Get-CASMailbox", parameters, url=link)
    assert answer.status_code == 400
    inner = answer.json()["error"]["innererror"]["internalexception"]
    assert inner["type"] == "System.Exception"
    assert inner["message"].startswith("Expired or Invalid pagination request. Default Expiry time is 00:30:00")


def test_pages_expire(simulator: Simulator) -> None:
    client = tenant(simulator, page_expiry=0.05)
    page = client.invoke("Get-CASMailbox", {"ResultSize": "Unlimited"}, prefer="odata.maxpagesize=2").json()
    time.sleep(0.1)
    answer = client.invoke("Get-CASMailbox", {"ResultSize": "Unlimited"}, url=page["@odata.nextLink"])
    assert answer.status_code == 400


# --- Batches ---


def test_batch_items_stand_alone(client: Client) -> None:
    good = command("Set-CASMailbox", {"Identity": full(client, ADA), "PopEnabled": False})
    bad = command("Set-CASMailbox", {"Identity": "nobody", "PopEnabled": False})
    answer = client.batch(good, bad, command("Get-TransportConfig"))
    by_id = {item["id"]: item for item in answer.json()["responses"]}
    assert {key: item["status"] for key, item in by_id.items()} == {"n0": 200, "n1": 404, "n2": 200}
    assert by_id["n1"]["body"]["error"]["code"] == "NotFound"
    assert len(by_id["n2"]["body"]["value"]) == 1
    entries = client.simulator.log(client.tenant.label)
    assert len({entry["batch"] for entry in entries}) == 1
    assert entries[0]["batch"] is not None


@pytest.mark.parametrize("spoil", ["eleven", "relative", "number as id", "other host"])
def test_batches_are_checked(client: Client, spoil: str) -> None:
    read = command("Get-TransportConfig")
    if spoil == "eleven":
        assert client.batch(*[read] * 10).status_code == 200
        assert client.batch(*[read] * 11).status_code == 400
    elif spoil == "number as id":
        item = {"id": 1, "method": "POST", "url": f"{client.base}/InvokeCommand", "body": read}
        assert client.post(f"{client.base}/$batch", {"requests": [item]}).status_code == 400
    else:
        url = "/InvokeCommand" if spoil == "relative" else f"https://example.com/adminapi/beta/{client.tenant.tenant}"
        assert client.batch(read, url=url).json()["responses"][0]["status"] == 400


def test_batch_goes_where_the_outer_request_points(client: Client) -> None:
    ada = full(client, ADA)
    write = command("Set-CASMailbox", {"Identity": ada, "ActiveSyncDebugLogging": True})
    headers = {"X-AnchorMailbox": f"UPN:{ada}"}
    item = {"id": "1", "method": "POST", "url": f"{client.base}/InvokeCommand", "headers": headers, "body": write}
    assert client.post(f"{client.base}/$batch", {"requests": [item]}).json()["responses"][0]["status"] == 400
    client.anchor = f"UPN:{ada}"
    assert client.post(f"{client.base}/$batch", {"requests": [item]}).json()["responses"][0]["status"] == 200


# --- Faults ---


def test_faults_count(client: Client) -> None:
    label = client.tenant.label
    client.simulator.fault("throttle", tenant=label, after=1, times=2, retry_after="0.2", text="slow down")
    answers = [client.invoke("Get-TransportConfig") for dummy in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert (answers[1].headers["Retry-After"], answers[1].text) == ("0.2", "slow down")


@pytest.mark.parametrize(
    ("kind", "details", "status"),
    [
        ("status", {"code": 503, "form": "none"}, 503),
        ("transient", {"type": "DCOverloadedException"}, 400),
        ("html", {"status": 502}, 502),
        ("json_403", {"status": 401}, 401),
        ("not_found", {}, 404),
        ("page_expired", {}, 400),
        ("redirect", {"status": 307}, 307),
        ("needs_proxy", {}, 400),
        ("raw", {"status": 200, "body_base64": base64.b64encode(b"[]").decode()}, 200),
    ],
)
def test_faults_instead_of_an_answer(client: Client, kind: str, details: dict[str, Any], status: int) -> None:
    client.simulator.fault(kind, tenant=client.tenant.label, match={"cmdlet": "get-casmailbox"}, **details)
    assert client.invoke("Get-TransportConfig").status_code == 200
    answer = client.invoke("Get-CASMailbox", {"Identity": full(client, ADA)})
    assert answer.status_code == status
    if kind == "redirect":
        assert answer.headers["Location"].startswith("https://127.0.0.1:")
    assert client.invoke("Get-CASMailbox", {"Identity": full(client, ADA)}).status_code == 200


def test_error_details_come_in_two_forms(client: Client) -> None:
    texts = []
    for form in ("pipe", "json"):
        client.simulator.fault("transient", tenant=client.tenant.label, form=form)
        texts.append(client.invoke("Get-TransportConfig").json()["error"]["details"][0]["message"])
    assert texts[0].split("|")[1].endswith(".DCOverloadedException")
    assert json.loads(texts[1])["TypeName"].endswith(".DCOverloadedException")


def test_faults_at_the_token_endpoint(client: Client) -> None:
    label = client.tenant.label
    client.simulator.fault("entra_error", tenant=label)
    client.simulator.fault("status", tenant=label, match={"endpoint": "discovery"}, code=503, form="none")
    url = f"{client.simulator.endpoint}/{client.tenant.tenant}/v2.0/.well-known/openid-configuration"
    assert [client.simulator.session.get(url).status_code for dummy in range(2)] == [503, 200]
    refused, granted = client.token(), client.token()
    assert (refused.json()["error_codes"], granted.status_code) == ([53003], 200)


def test_faults_for_one_mailbox_in_a_batch(client: Client) -> None:
    match = {"endpoint": "batch_item", "identity": full(client, ADA)}
    client.simulator.fault("throttle", tenant=client.tenant.label, match=match, retry_after="1")
    guid = client.mailbox("ada")["Guid"]
    reads = [command("Get-CASMailbox", {"Identity": identity}) for identity in (full(client, BEN), guid)]
    items = client.batch(*reads).json()["responses"]
    assert [item["status"] for item in items] == [200, 429]
    assert items[1]["headers"]["Retry-After"] == "1"


@pytest.mark.parametrize(("kind", "stored"), [("reset_before", True), ("reset_after", False), ("set_ignored", True)])
def test_writes_that_get_lost(client: Client, kind: str, stored: bool) -> None:
    client.simulator.fault(kind, tenant=client.tenant.label)
    parameters = {"Identity": full(client, ADA), "PopEnabled": False}
    if kind == "set_ignored":
        assert client.invoke("Set-CASMailbox", parameters).status_code == 200
    else:
        with pytest.raises(requests.exceptions.ConnectionError):
            client.invoke("Set-CASMailbox", parameters)
    assert client.mailbox("ada")["PopEnabled"] is stored


def test_spoiled_answers(client: Client) -> None:
    def read(kind: str, **details: Any) -> requests.Response:
        client.simulator.fault(kind, tenant=client.tenant.label, **details)
        return client.invoke("Get-CASMailbox", {"Identity": full(client, ADA)}, query="?$select=Guid,PopEnabled")

    assert "PopEnabled" not in read("missing_property", property="PopEnabled").json()["value"][0]
    kept = read("missing_property", property="PopEnabled", keep_annotation=True).json()["value"][0]
    assert "PopEnabled" not in kept and any(name.startswith("PopEnabled@") for name in kept)
    assert read("wrong_type", property="PopEnabled", value="x").json()["value"][0]["PopEnabled"] == "x"
    assert len(read("ignore_select").json()["value"][0]) > 50
    assert read("refuse_select").status_code == 400
    assert read("errors_in_200", messages=["no"]).json()["@adminapi.errors"] == ["no"]
    assert read("warnings", messages=["mind"]).json()["@adminapi.warnings"] == ["mind"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(read("truncated_json").content)
    with pytest.raises(requests.exceptions.ContentDecodingError):
        assert read("gzip_lie").content


def test_spoiled_pages_and_batches(client: Client) -> None:
    def page(kind: str, url: str = "", **details: Any) -> dict[str, Any]:
        client.simulator.fault(kind, tenant=client.tenant.label, **details)
        answer = client.invoke("Get-CASMailbox", {"ResultSize": "Unlimited"}, url=url, prefer="odata.maxpagesize=2")
        return dict(answer.json())

    first = page("warnings")
    link = first["@odata.nextLink"]
    assert page("page_repeat", link)["@odata.nextLink"] == link
    assert page("page_duplicate", link)["value"][-1]["Guid"] == first["value"][0]["Guid"]
    assert page("page_foreign_link")["@odata.nextLink"].startswith("https://outlook.example.com/")
    short = page("page_short_with_truncation_warning")
    assert (len(short["value"]), "@odata.nextLink" in short) == (1, False)
    for kind, ids in (("batch_reorder", ["n1", "n0"]), ("batch_drop_item", ["n1"]), ("batch_duplicate_id", 3)):
        client.simulator.fault(kind, tenant=client.tenant.label)
        found = [item["id"] for item in client.batch(*[command("Get-TransportConfig")] * 2).json()["responses"]]
        assert found == ids or len(found) == ids


# --- What the simulator tells about itself ---


def test_lag_between_write_and_read(simulator: Simulator) -> None:
    long, short = tenant(simulator, lag=3600), tenant(simulator, lag=0.1)
    for client in (long, short):
        assert client.mailbox("ada")["PopEnabled"] is True
        client.invoke("Set-CASMailbox", {"Identity": "ada", "PopEnabled": False})
        client.invoke("Set-TransportConfig", {"ClearCategories": False})
        assert simulator.mailbox(client.tenant.label, full(client, ADA))["PopEnabled"] is False
    assert long.mailbox("ada")["PopEnabled"] is True
    assert long.invoke("Get-TransportConfig").json()["value"][0]["ClearCategories"] is True
    time.sleep(0.15)
    assert short.mailbox("ada")["PopEnabled"] is False
    assert short.invoke("Get-TransportConfig").json()["value"][0]["ClearCategories"] is False


def test_history_tells_the_effective_state(client: Client) -> None:
    label, scanner = client.tenant.label, full(client, SCANNER)
    client.invoke("Set-TransportConfig", {"SmtpClientAuthenticationDisabled": False})
    client.invoke("Set-CASMailbox", {"Identity": scanner, "SmtpClientAuthenticationDisabled": True})
    opened, closed = client.simulator.history(label)
    assert {(change["from"], change["to"]) for change in opened["changes"].values()} == {(False, True)}
    assert len(opened["changes"]) == 3
    assert [change["address"] for change in closed["changes"].values()] == [scanner]
    assert client.simulator.mailbox(label, scanner)["effective_smtp_auth"] is False
    assert [entry["cmdlet"] for entry in client.simulator.writes(label)] == ["Set-TransportConfig", "Set-CASMailbox"]


def test_requests_are_shown_without_secrets(client: Client) -> None:
    client.invoke("Get-TransportConfig")
    shown = client.simulator.requests(client.tenant.label)
    assert [entry["kind"] for entry in shown] == ["token", "invoke"]
    assert shown[1]["headers"]["X-AnchorMailbox"] == client.anchor
    assert "authorization" in shown[1]["header_names"]
    assert client.bearer not in json.dumps(shown)
    assert client.tenant.client_secret not in json.dumps(shown)


def test_latency_model(simulator: Simulator) -> None:
    client = tenant(simulator, latency={"request": 60, "item": 20})
    client.headers()
    started = time.monotonic()
    client.batch(*[command("Get-TransportConfig")] * 3)
    assert time.monotonic() - started >= 0.12
    assert simulator.stats()["peak_concurrency"][client.tenant.label] == 1


def test_changes_behind_the_back(client: Client) -> None:
    label = client.tenant.label
    client.simulator.patch_tenant(
        label,
        directory_role="Global Reader",
        mailboxes=[{"identity": "ada", "cas": {"PopEnabled": False}}],
        transport_config={"ClearCategories": False},
        remove_mailboxes=[full(client, BEN)],
        add_mailboxes=[{"upn": full(client, "new@{d}")}],
    )
    assert client.mailbox("ada")["PopEnabled"] is False
    assert client.mailbox("new")["PopEnabled"] is True
    assert error_of(client.invoke("Get-CASMailbox", {"Identity": full(client, BEN)}))[0] == 404
    assert client.invoke("Set-CASMailbox", {"Identity": "ada", "PopEnabled": True}).status_code == 403
    with pytest.raises(ValueError, match="nonsense: unknown here"):
        client.simulator.patch_tenant(label, nonsense=1)


def test_two_starts_give_the_same_guids(client: Client) -> None:
    first = client.simulator.state(client.tenant.label)
    again = {"label": client.tenant.label, "mailboxes": [{"upn": full(client, ADA)}]}
    client.simulator.add_tenant(again)
    second = client.simulator.state(client.tenant.label)
    assert (first["tenant_id"], first["mailboxes"][0]["Guid"]) == (
        second["tenant_id"],
        second["mailboxes"][0]["Guid"],
    )
