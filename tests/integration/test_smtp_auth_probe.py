# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe: one sign-in over the real protocol, and the tenant's state in the reply."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from faults import documented
from harness import Lab, Task, Tenant, small, task, tried

PROBE = "exo_smtp_auth_probe"
PASSWORD = "a-password-that-nobody-may-see"
PASSWORD_SHOWN = (PASSWORD, base64.b64encode(PASSWORD.encode()).decode())
SMTP = "SmtpClientAuthenticationDisabled"
WARNS = ["The sign-in of this task goes to localhost"]
AT_SIGN_IN = {"endpoint": "smtp_auth"}
BLOCK = {
    "displayName": "Block legacy clients",
    "conditions": {"clientAppTypes": ["other"], "users": {"includeUsers": ["All"]}},
    "grantControls": {"builtInControls": ["block"]},
}


def with_passwords(lab: Lab, **description: Any) -> Tenant:
    """The scanner's mailbox has an explicit false, the others inherit."""
    tenant = small(lab, **description)
    changes: list[dict[str, Any]] = [
        {"identity": tenant.at("scanner"), "password": PASSWORD, "cas": {SMTP: False}},
        {"identity": tenant.at("ada"), "password": PASSWORD},
        {"identity": tenant.at("blocked"), "password": PASSWORD},
    ]
    lab.simulator.patch_tenant(tenant.label, mailboxes=changes)
    return tenant


def options(tenant: Tenant, user: str = "scanner", **more: Any) -> dict[str, Any]:
    values = tenant.info.values
    where = {"host": values["smtp_host"], "port": values["smtp_port"], "username": tenant.at(user)}
    return {**where, "password": PASSWORD, **more}


def attempts(tenant: Tenant) -> list[dict[str, Any]]:
    return tenant.lab.simulator.sign_ins(tenant.label)


@pytest.mark.smoke
def test_before_after_and_after_the_undo(lab: Lab) -> None:
    """The organization is closed and opened again; the scanner may always send, the others only while it is open."""
    tenant = with_passwords(lab, transport_config={SMTP: False})

    def both(when: str) -> list[Task]:
        return [
            task(PROBE, options(tenant), named=f"scanner {when}"),
            task(PROBE, options(tenant, "ada"), named=f"ada {when}"),
        ]

    def organization(closed: bool) -> Task:
        return task("exo_transport_config", {"smtp_client_authentication_disabled": closed}, named=f"closed: {closed}")

    run = tenant.run(
        [*both("before"), organization(True), *both("after"), organization(False), *both("at the end")],
        secrets=PASSWORD_SHOWN,
        warns=[*WARNS, "SMTP AUTH"],
    )
    scanner = [run[f"scanner {when}"]["authenticated"] for when in ("before", "after", "at the end")]
    ada = [run[f"ada {when}"]["authenticated"] for when in ("before", "after", "at the end")]
    assert (scanner, ada) == ([True, True, True], [True, False, True])
    accepted, refused = run["scanner after"], run["ada after"]
    assert (accepted["gate"], accepted["remedy"]) == (None, None)
    assert accepted["reply"].startswith("235 ")
    assert (refused["gate"], refused["gate_certain"]) == ("smtp_auth_setting", True)
    assert "disabled for the Tenant" in refused["reply"]
    assert "exo_smtp_auth" in refused["remedy"]
    assert refused["server"]["mechanism"] == "LOGIN"
    assert refused["server"]["tls_version"].startswith("TLSv1.")
    assert not refused.changed
    assert len(attempts(tenant)) == 6


# What is so in a tenant, who signs in, and the gate that the reply names with a piece of its text.
GATES: dict[str, tuple[dict[str, Any], str, str | None, str]] = {
    "organization": ({}, "ada", "smtp_auth_setting", "disabled for the Tenant"),
    "mailbox": ({}, "blocked", "smtp_auth_setting", "disabled for the Mailbox"),
    "policy": ({"authentication_policies": [{"name": "Block"}],
                "organization_config": {"DefaultAuthenticationPolicy": "Block"}},
               "scanner", "authentication_policy", "basic authentication is disabled"),
    "security defaults": ({"entra": {"security_defaults": True}}, "scanner", "security_defaults", "security defaults"),
    "conditional access": ({"entra": {"conditional_access": [BLOCK]}}, "scanner", "conditional_access", "criteria"),
    "retirement": ({"smtp_basic_retired": True}, "scanner", "basic_auth_retirement", "5.7.30"),
    "no password": ({}, "stray", None, "5.7.3 "),
    "nobody": ({}, "nobody", None, "5.7.3 "),
}  # fmt: skip


def test_gates(lab: Lab) -> None:
    """The domain of the user name says which tenant decides, so one play asks about all of them."""
    closed = {"transport_config": {SMTP: True}}
    tenants = {name: with_passwords(lab, **{**closed, **row[0]}) for name, row in GATES.items()}
    tasks = [task(PROBE, options(tenants[name], row[1]), named=name) for name, row in GATES.items()]
    run = tenants["nobody"].run(tasks, warns=WARNS, secrets=PASSWORD_SHOWN)
    for name, (_description, _user, gate, text) in GATES.items():
        step = run[name]
        assert (step["authenticated"], step["gate"]) == (False, gate), name
        assert text in step["reply"], name
        assert step["meaning"] and step["remedy"], name
        assert len(attempts(tenants[name])) == 1, name


def test_oauth(lab: Lab) -> None:
    """The app's own token, and one that is handed in; a shared mailbox whose account is disabled."""
    tenant = small(lab, apps=[{"roles": ["Exchange.ManageAsApp", "SMTP.SendAsApp"]}])
    lab.simulator.patch_tenant(tenant.label, apps=[{"send_as": [tenant.at("scanner")]}])
    closed = {"identity": tenant.at("scanner"), "account_disabled": True, "cas": {SMTP: False}}
    lab.simulator.patch_tenant(tenant.label, mailboxes=[closed])
    wanted = {key: value for key, value in options(tenant, method="oauth").items() if key != "password"}
    run = tenant.run(
        [
            task(PROBE, wanted, named="allowed"),
            task(PROBE, {**wanted, "username": tenant.at("ada")}, named="not granted"),
            tried(PROBE, {**wanted, "password": PASSWORD}, named="both"),
        ],
        warns=WARNS,
        secrets=PASSWORD_SHOWN,
    )
    assert (run["allowed"]["authenticated"], run["allowed"]["server"]["mechanism"]) == (True, "XOAUTH2")
    assert run["not granted"]["authenticated"] is False
    assert "enterprise application" in run["not granted"]["remedy"]
    run["both"].refused("invalid_request", "leave one of them out", hint=None)
    assert len(attempts(tenant)) == 2


def test_check_mode_signs_nobody_in(lab: Lab) -> None:
    tenant = with_passwords(lab)
    run = tenant.run(
        [task(PROBE, options(tenant), named="check", check_mode=True)], warns=WARNS, secrets=PASSWORD_SHOWN
    )
    step = run["check"]
    assert (step["authenticated"], step["reply"], step.status) == (None, None, "skipped")
    assert "counts against the account" in step.msg
    assert attempts(tenant) == []


# Each strikes once, in this order: first those of a connection, then those of a sign-in.
NO_VERDICT: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "server without STARTTLS": ("no_starttls", {}, "unexpected_response", "STARTTLS, so no secret was sent"),
    "server without AUTH": ("mechanisms", {"mechanisms": []}, "unexpected_response", "no way to sign in"),
    "server that takes tokens only": (
        "mechanisms",
        {"mechanisms": ["XOAUTH2"]},
        "unexpected_response",
        "offers only XOAUTH2",
    ),
    "certificate of another host": (
        "wrong_certificate",
        {"wrong": "host"},
        "service_unavailable",
        "certificate of localhost",
    ),
    "certificate of another authority": (
        "wrong_certificate",
        {"wrong": "authority"},
        "service_unavailable",
        "certificate.*not trusted",
    ),
    "server that says nothing": ("hang", {}, "service_unavailable", "timed out|no answer in time"),
    "server that is busy": ("busy", {}, "service_unavailable", "not ready.*421"),
    "server that breaks off": ("break_off", {}, "service_unavailable", "broke off after the secret was sent"),
    "server that never answers the password": (
        "hang",
        {"match": AT_SIGN_IN},
        "service_unavailable",
        "after the secret was sent",
    ),
    "server that is busy after the password": ("busy", {"match": AT_SIGN_IN}, "service_unavailable", "not ready.*421"),
    "server that says later": ("reply", {"text": "454 4.7.0 Later"}, "service_unavailable", "454 4.7.0 Later"),
    "server that answers something else": (
        "reply",
        {"text": "250 2.0.0 Fine"},
        "unexpected_response",
        "not an answer to it",
    ),
}


def test_servers_that_give_no_verdict(lab: Lab) -> None:
    tenant = with_passwords(lab, transport_config={SMTP: False})
    try:
        for kind, details, _code, _text in NO_VERDICT.values():
            lab.simulator.fault(kind, **details)
        tasks = [tried(PROBE, options(tenant, timeout=3), named=name) for name in NO_VERDICT]
        run = tenant.run([*tasks, task(PROBE, options(tenant), named="well")], warns=WARNS, secrets=PASSWORD_SHOWN)
    finally:
        lab.simulator.clear_faults()
    for name, (_kind, _details, code, text) in NO_VERDICT.items():
        documented(name, run[name].refused(code, text, hint=None))
    assert run["well"]["authenticated"] is True
    # One attempt each, where it came that far.
    at_sign_in = [entry["fault"] for entry in attempts(tenant)]
    assert at_sign_in == ["break_off", "hang", "busy", "reply", "reply", None]


def test_a_server_that_repeats_the_password(lab: Lab) -> None:
    tenant = with_passwords(lab)
    lab.simulator.fault("reply", tenant=tenant.label, text=f"535 5.7.3 '{PASSWORD}' is wrong\x1b[31m")
    step = tenant.one(PROBE, options(tenant), warns=WARNS, secrets=PASSWORD_SHOWN, verbosity=3)
    assert "'********' is wrong" in step["reply"]
    assert "\x1b" not in json.dumps(dict(step.result))


def test_options(lab: Lab) -> None:
    tenant = with_passwords(lab, transport_config={SMTP: False})
    wanted = options(tenant)
    run = tenant.run(
        [
            tried(PROBE, {**wanted, "cloud": "dod", "host": ""}, named="no host"),
            tried(PROBE, {**wanted, "port": 0}, named="no port"),
            tried(PROBE, {**wanted, "port": 1}, named="nobody there"),
            tried(PROBE, {key: value for key, value in wanted.items() if key != "password"}, named="no password"),
            tried(PROBE, {**wanted, "password": ""}, named="empty password"),
            task(PROBE, {**wanted, "validate_certs": False}, named="not verified"),
        ],
        warns=[*WARNS, "validate_certs"],
        secrets=PASSWORD_SHOWN,
    )
    documented("cloud without a known host", run["no host"])
    documented("no server at the port", run["nobody there"])
    documented("no password", run["no password"])
    run["no host"].refused("invalid_request", "dod cloud is not known: set host", hint=None)
    run["no port"].refused("invalid_request", "port 0", hint=None)
    run["nobody there"].refused("service_unavailable", "Connecting to localhost:1 failed", hint="firewall")
    for name in ("no password", "empty password"):
        run[name].refused("invalid_request", "password is missing", hint=None)
    assert run["not verified"]["authenticated"] is True


def test_without_an_app(lab: Lab) -> None:
    """A password needs no app registration: nothing is asked of Entra ID or Exchange."""
    tenant = with_passwords(lab, transport_config={SMTP: False})
    empty = dict.fromkeys(("EXO_CLIENT_ID", "EXO_CLIENT_SECRET"), "")
    step = tenant.one(PROBE, options(tenant), warns=WARNS, secrets=PASSWORD_SHOWN, env=empty).ok()
    assert step["authenticated"] is True
    assert lab.simulator.requests(tenant.label) == []
