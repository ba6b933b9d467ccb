# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The submission endpoint: smtplib alone, and the replies that devices are known to get."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from raw import EXCHANGE, Client, tenant

from simulator.testing import Simulator

PASSWORD = "correct horse"
TENANT_OFF = "SmtpClientAuthentication is disabled for the Tenant"
MAILBOX_OFF = "SmtpClientAuthentication is disabled for the Mailbox"
GRAPH = "https://graph.microsoft.com/.default"
LEGACY = {
    "displayName": "CA",
    "conditions": {"clientAppTypes": ["other"]},
    "grantControls": {"builtInControls": ["mfa"]},
}
FLAG = "SmtpClientAuthenticationDisabled"


@contextmanager
def connected(simulator: Simulator) -> Iterator[smtplib.SMTP]:
    (values,) = list(simulator.control("GET", "tenants").values())[:1]
    with smtplib.SMTP(values["smtp_host"], values["smtp_port"], timeout=5) as server:
        yield server


@contextmanager
def secured(simulator: Simulator) -> Iterator[smtplib.SMTP]:
    with connected(simulator) as server:
        server.starttls(context=ssl.create_default_context(cafile=str(simulator.ca_path)))
        server.ehlo()
        yield server


def sign_in(client: Client, user: str = "ada", password: str = PASSWORD) -> tuple[int, str]:
    with secured(client.simulator) as server:
        server.user, server.password = f"{user}@{client.tenant.tenant}", password
        try:
            code, text = server.auth("LOGIN", server.auth_login)
        except smtplib.SMTPAuthenticationError as error:
            code, text = error.smtp_code, error.smtp_error
        return code, text.decode() if isinstance(text, bytes) else text


def xoauth2(client: Client, user: str, token: str) -> tuple[int, str]:
    text = f"user={user}@{client.tenant.tenant}\x01auth=Bearer {token}\x01\x01"
    with secured(client.simulator) as server:
        code, reply = server.docmd("AUTH", f"XOAUTH2 {base64.b64encode(text.encode()).decode()}")
        return code, reply.decode()


def with_passwords(simulator: Simulator, **description: Any) -> Client:
    client = tenant(simulator, **{"transport_config": {FLAG: False}, **description})
    domain = client.tenant.tenant
    users = [{"identity": f"{name}@{domain}", "password": PASSWORD} for name in ("ada", "ben", "scanner")]
    simulator.patch_tenant(client.tenant.label, mailboxes=users)
    return client


def test_the_tenant_lets_in_whom_nothing_stops(simulator: Simulator) -> None:
    client = with_passwords(simulator)
    assert sign_in(client)[0] == 235
    (entry,) = simulator.sign_ins(client.tenant.label)
    assert (entry["user"], entry["mechanism"]) == (f"ada@{client.tenant.tenant}", "LOGIN")
    assert PASSWORD not in str(simulator.sign_ins())


@pytest.mark.parametrize(
    ("organization", "own", "reply"),
    [
        (False, None, "235"),
        (False, False, "235"),
        (False, True, MAILBOX_OFF),
        (True, None, TENANT_OFF),
        (True, False, "235"),
        (True, True, MAILBOX_OFF),
    ],
)
def test_the_mailbox_decides_before_the_organization(
    simulator: Simulator, organization: bool, own: bool | None, reply: str
) -> None:
    client = with_passwords(simulator, transport_config={FLAG: organization})
    change = {"identity": f"ada@{client.tenant.tenant}", "cas": {FLAG: own}}
    simulator.patch_tenant(client.tenant.label, mailboxes=[change])
    code, text = sign_in(client)
    assert reply in f"{code} {text}"
    # A flag that is closed answers whatever the password is.
    assert (reply in sign_in(client, password="wrong")[1]) is (reply != "235")


@pytest.mark.parametrize(
    ("user", "entra", "reply", "logged"),
    [
        ("ada", {}, "235 2.7.0", 0),
        ("ben", {"security_defaults": True}, "535 5.7.139", 53003),
        ("ada", {"conditional_access": [LEGACY]}, "did not meet the criteria", 53003),
        ("ada", {"conditional_access": [{**LEGACY, "state": "enabledForReportingButNotEnforced"}]}, "235", 0),
        ("ada", {"conditional_access": [{**LEGACY, "grantControls": None}]}, "235", 0),
        ("scanner", {}, "535 5.7.3 Authentication unsuccessful", 50057),
    ],
)
def test_what_entra_says(simulator: Simulator, user: str, entra: dict[str, Any], reply: str, logged: int) -> None:
    client = with_passwords(simulator, entra=entra)
    code, text = sign_in(client, user)
    assert reply in f"{code} {text}"
    headers = {"Authorization": f"Bearer {client.token(GRAPH).json()['access_token']}"}
    wanted = "signInEventTypes/any(t: t eq 'nonInteractiveUser') and clientAppUsed eq 'Authenticated SMTP'"
    url = f"{simulator.endpoint}/beta/auditLogs/signIns?$filter={wanted}"
    (entry,) = simulator.session.get(url, headers=headers).json()["value"]
    assert entry["status"]["errorCode"] == logged
    simulator.patch_tenant(client.tenant.label, entra={"security_defaults": False})
    assert len(simulator.session.get(url, headers=headers).json()["value"]) == 1


def test_security_defaults_have_a_text_of_their_own(simulator: Simulator) -> None:
    client = with_passwords(simulator, entra={"security_defaults": True})
    assert "security defaults policy" in sign_in(client)[1]
    # The password is looked at first.
    assert sign_in(client, password="wrong")[1].startswith("5.7.3 ")


def test_what_the_exchange_side_refuses_is_in_no_sign_in_log(simulator: Simulator) -> None:
    client = with_passwords(simulator, transport_config={FLAG: True})
    sign_in(client)
    headers = {"Authorization": f"Bearer {client.token(GRAPH).json()['access_token']}"}
    wanted = "signInEventTypes/any(t: t eq 'nonInteractiveUser') and clientAppUsed eq 'Authenticated SMTP'"
    url = f"{simulator.endpoint}/beta/auditLogs/signIns?$filter={wanted}"
    assert simulator.session.get(url, headers=headers).json()["value"] == []


def test_authentication_policies(simulator: Simulator) -> None:
    policies = [{"name": "Block"}, {"name": "Allow", "AllowBasicAuthSmtp": True}]
    client = with_passwords(
        simulator, authentication_policies=policies, organization_config={"DefaultAuthenticationPolicy": "Block"}
    )
    assert "basic authentication is disabled" in sign_in(client)[1]
    assert client.invoke("Set-User", {"Identity": "ada", "AuthenticationPolicy": "Allow"}).status_code == 200
    assert sign_in(client)[0] == 235
    simulator.patch_tenant(client.tenant.label, policy_lag=3600)
    client.invoke("Set-User", {"Identity": "ada", "AuthenticationPolicy": "Block"})
    assert sign_in(client)[0] == 235


def test_a_policy_closes_basic_and_leaves_tokens_alone(simulator: Simulator) -> None:
    client = with_passwords(
        simulator,
        authentication_policies=[{"name": "Block"}],
        organization_config={"DefaultAuthenticationPolicy": "Block"},
    )
    assert "basic authentication is disabled" in sign_in(client)[1]
    app = {"roles": ["SMTP.SendAsApp"], "send_as": [f"ada@{client.tenant.tenant}"]}
    simulator.patch_tenant(client.tenant.label, apps=[app])
    assert xoauth2(client, "ada", client.token(EXCHANGE).json()["access_token"])[0] == 235


def test_retired(simulator: Simulator) -> None:
    assert sign_in(with_passwords(simulator, smtp_basic_retired=True))[1].startswith("5.7.30 ")


@pytest.mark.parametrize("user", ["nobody", "bob", "ben.brandt"])
def test_who_can_not_sign_in(simulator: Simulator, user: str) -> None:
    """Unknown, without a password, and by an address that is no sign-in name."""
    code, text = sign_in(with_passwords(simulator), user)
    assert (code, text[:32]) == (535, "5.7.3 Authentication unsuccessfu")


@pytest.mark.parametrize(
    ("app", "flag", "reply"),
    [
        ({"roles": ["SMTP.SendAsApp"], "send_as": ["scanner@{d}"]}, False, 235),
        ({"roles": ["SMTP.SendAsApp"], "send_as": ["scanner@{d}"]}, True, 535),
        ({"roles": ["SMTP.SendAsApp"], "send_as": ["ada@{d}"]}, False, 535),
        ({"roles": ["Exchange.ManageAsApp"], "send_as": ["scanner@{d}"]}, False, 535),
    ],
)
def test_a_token_sends_for_a_disabled_account(
    simulator: Simulator, app: dict[str, Any], flag: bool, reply: int
) -> None:
    client = tenant(simulator, entra={"security_defaults": True})
    names = [name.replace("{d}", client.tenant.tenant) for name in app["send_as"]]
    simulator.patch_tenant(client.tenant.label, apps=[{**app, "send_as": names}])
    change = {"identity": f"scanner@{client.tenant.tenant}", "cas": {FLAG: flag}}
    simulator.patch_tenant(client.tenant.label, mailboxes=[change])
    assert xoauth2(client, "scanner", client.token(EXCHANGE).json()["access_token"])[0] == reply
    assert xoauth2(client, "scanner", client.token(GRAPH).json()["access_token"])[0] == 535
    assert xoauth2(client, "scanner", "nonsense")[0] == 535


def test_no_secret_before_tls_and_no_mail_at_all(simulator: Simulator) -> None:
    client = with_passwords(simulator)
    with connected(simulator) as server:
        server.ehlo()
        assert "auth" not in server.esmtp_features
        assert server.docmd("AUTH", "LOGIN")[0] == 538
    with secured(simulator) as server:
        assert server.esmtp_features["auth"].split() == ["LOGIN", "XOAUTH2"]
        assert server.docmd("AUTH", "PLAIN")[1].startswith(b"5.7.4 ")
        code, text = server.mail("ada@example.com")
        assert (code, text[:7]) == (530, b"5.7.57 ")
        server.user, server.password = f"ada@{client.tenant.tenant}", PASSWORD
        server.auth("LOGIN", server.auth_login)
        assert server.mail("ada@example.com")[0] == 550


def test_other_mechanisms(simulator: Simulator) -> None:
    client = with_passwords(simulator)
    simulator.fault("mechanisms", mechanisms=["PLAIN"])
    with secured(simulator) as server:
        assert server.login(f"ada@{client.tenant.tenant}", PASSWORD)[0] == 235
    simulator.fault("mechanisms", mechanisms=[])
    with secured(simulator) as server:
        assert "auth" not in server.esmtp_features


@pytest.mark.parametrize("wrong", ["host", "authority"])
def test_wrong_certificates(client: Client, wrong: str) -> None:
    client.simulator.fault("wrong_certificate", wrong=wrong)
    with pytest.raises(ssl.SSLCertVerificationError), secured(client.simulator):
        pass
    with secured(client.simulator) as server:
        assert server.noop()[0] == 250


def test_faults_of_a_connection(client: Client) -> None:
    client.simulator.fault("no_starttls")
    with pytest.raises(smtplib.SMTPNotSupportedError), secured(client.simulator):
        pass
    client.simulator.fault("busy")
    with pytest.raises(smtplib.SMTPConnectError, match="421"), connected(client.simulator):
        pass
    client.simulator.fault("hang")
    port = client.tenant.values["smtp_port"]
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        smtplib.SMTP("localhost", port, timeout=0.2)


def test_faults_of_a_sign_in(simulator: Simulator) -> None:
    client = with_passwords(simulator)
    label = client.tenant.label
    simulator.fault("break_off", tenant=label)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        sign_in(client)
    simulator.fault("busy", tenant=label, match={"endpoint": "smtp_auth"})
    assert sign_in(client)[0] == 421
    simulator.fault("reply", tenant=label, match={"identity": f"ada@{client.tenant.tenant}"}, text="454 4.7.0 Later")
    assert sign_in(client, "ben")[0] == 235
    assert sign_in(client)[0] == 454
    assert sign_in(client)[0] == 235
