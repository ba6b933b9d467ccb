# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that work, and each way in which a first run fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from faults import documented
from harness import Lab, Run, Task, Tenant, own_token, task, tried

NOBODY = "11111111-2222-3333-4444-555555555555"
WANTED = {"clear_categories": False}
PASSWORD = "the-password-of-the-pfx"
# What a tenant's environment holds; empty counts as not given.
NOTHING = dict.fromkeys(
    ("EXO_CLIENT_ID", "EXO_CLIENT_SECRET", "EXO_CERTIFICATE_PATH", "EXO_CERTIFICATE_PASSWORD", "EXO_TENANT"), ""
)


class World(NamedTuple):
    main: Tenant
    other: Tenant
    certified: Tenant
    expired: Tenant
    protected: Tenant
    directory: Path

    def values(self, tenant: Tenant) -> Any:
        return tenant.info.values


@pytest.fixture(scope="module")
def world(lab: Lab) -> World:
    directory = lab.scratch / "certificates"
    directory.mkdir()
    found = World(
        main=lab.tenant(apps=[{}, {"directory_role": "none"}, {"roles": []}, {"directory_role": "Global Reader"},
                              {"blocked": True}, {"secret": "late-secret", "secret_expired": True}]),
        other=lab.tenant(apps=[{}, {"federated": {"subject": "somebody:else"}}]),
        certified=lab.tenant(apps=[{"certificate": True}, {"federated": {}}]),
        expired=lab.tenant(apps=[{"certificate": {"expires_in_days": -1}}]),
        protected=lab.tenant(apps=[{"certificate": {"password": PASSWORD, "expires_in_days": 20}}]),
        directory=directory,
    )  # fmt: skip
    pem = Path(found.values(found.certified)["certificate_path"]).read_text()
    other = Path(found.values(found.expired)["certificate_path"]).read_text()
    key, certificate = pem.split("-----BEGIN CERTIFICATE", 1)
    (directory / "mixed.pem").write_text(key + "-----BEGIN CERTIFICATE" + other.split("-----BEGIN CERTIFICATE", 1)[1])
    (directory / "only-certificate.pem").write_text("-----BEGIN CERTIFICATE" + certificate)
    (directory / "nonsense.pem").write_text("nothing")
    (directory / "empty.jwt").write_text("")
    trustme.CA().cert_pem.write_to_path(directory / "ca.pem")
    return found


class Failure(NamedTuple):
    """A connection that can't work: options, variables, and what the failure says."""

    options: dict[str, Any]
    variables: dict[str, str]
    code: str
    texts: tuple[str, ...]
    hint: str | None


def failures(world: World) -> dict[str, Failure]:
    """By name; the environment leads to the main tenant with its secret, where nothing else is said."""
    main, certified = world.main, world.certified
    apps = world.values(main)["apps"]
    auth, files = "authentication_failed", world.directory

    def app(number: int) -> dict[str, Any]:
        return {"client_id": apps[number]["client_id"], "client_secret": apps[number]["client_secret"]}

    def cert(tenant: Tenant, path: str | Path, **more: Any) -> dict[str, Any]:
        found = {"tenant": tenant.domain, "client_id": tenant.info.client_id, "certificate_path": str(path)}
        return {**found, **more}

    def failure(options: dict[str, Any], code: str, *texts: str, hint: str | None = "", **variables: str) -> Failure:
        return Failure(options, variables, code, texts, hint)

    def federated(path: str | Path) -> dict[str, Any]:
        app = world.values(certified)["apps"][1]
        return {"tenant": certified.domain, "client_id": app["client_id"], "federated_token_file": str(path)}

    pfx = world.values(world.protected)["certificate_pfx_path"]
    shut = {"retries": 0, "endpoint": "https://localhost:1"}
    return {
        "wrong secret": failure({"client_secret": "not-it"}, auth, main.domain, "secret is wrong", "7000215"),
        "expired secret": failure(app(5), auth, "secret has expired", "7000222", hint="new secret"),
        "unknown tenant": failure({"tenant": "nobody.example"}, auth, "nobody.example", "not exist", hint="tenant"),
        "unknown app": failure({"client_id": NOBODY}, auth, "not known in this tenant", "700016", hint="client_id"),
        "app blocked": failure(app(4), auth, "Conditional Access", "53003"),
        "secret of another tenant": failure({"tenant": world.other.domain}, auth, "not known in this tenant"),
        "token of another tenant": failure(
            {"access_token": own_token(world.other)}, "wrong_tenant", world.other.info.tenant_id, main.domain
        ),
        "token that is none": failure({"access_token": "x.y.z"}, auth, "access token"),
        "no directory role": failure(app(1), "access_denied", "Get-TransportConfig", hint="directory role"),
        "no app role": failure(app(2), auth, "Get-TransportConfig", hint="Exchange.ManageAsApp"),
        "only a reader": failure(
            {**app(3), "rfc2231_encoding_enabled": True}, "access_denied", "Set-TransportConfig", hint="Administrator"
        ),
        "certificate of another key": failure(cert(certified, files / "mixed.pem"), auth, "mixed.pem", "fits"),
        "certificate without key": failure(
            cert(certified, files / "only-certificate.pem"), auth, "only-certificate.pem", "private key"
        ),
        "no certificate file": failure(
            cert(certified, files / "missing.pem"), auth, "missing.pem", "No such file", hint=None
        ),
        "neither PEM nor PFX": failure(cert(certified, files / "nonsense.pem"), auth, "neither PEM nor PFX"),
        "expired certificate": failure(
            cert(world.expired, world.values(world.expired)["certificate_path"]), auth, "expired on", hint="new"
        ),
        "certificate of another app": failure(
            cert(world.main, world.values(certified)["certificate_path"]), auth, "700027", hint="Upload"
        ),
        "wrong PFX password": failure(
            cert(world.protected, pfx, certificate_password="wrong-password"), auth, "password is wrong", hint=None
        ),
        "no PFX password": failure(cert(world.protected, pfx), auth, "certificate_password is needed", hint=None),
        "no token file": failure(
            federated(files / "missing.jwt"), auth, "federated_token_file", "No such file", hint=None
        ),
        "empty token file": failure(federated(files / "empty.jwt"), auth, "empty.jwt is empty", hint=None),
        "token file of another identity": failure(
            federated(world.values(world.other)["apps"][1]["federated_token_file"]), auth, "federated credential",
            hint="Check",
        ),
        "unknown CA": failure(
            {"ca_path": str(files / "ca.pem"), "retries": 0}, "service_unavailable", "localhost", "not trusted",
            hint="ca_path",
        ),
        "CA file missing": failure({"ca_path": "/nowhere/ca.pem"}, "invalid_request", "/nowhere/ca.pem", hint=None),
        "http": failure({"endpoint": "http://localhost:8080"}, "invalid_request", "endpoint", "https", hint=None),
        "http authority": failure({"authority": "http://localhost"}, "invalid_request", "authority", hint=None),
        "nobody listens": failure(shut, "service_unavailable", "localhost:1", "refused"),
        "proxy that is not there": failure(
            {"retries": 0}, "service_unavailable", "proxy", HTTPS_PROXY="http://localhost:1", NO_PROXY="", hint="PROXY"
        ),
        "two credentials": failure(
            {"client_secret": "not-it", "certificate_path": "/b"}, auth, "client_secret and certificate_path", hint=None
        ),
        "no credential": failure({"client_id": ""}, auth, "No credential", hint=None, **NOTHING,
                                 AZURE_TENANT_ID=main.domain),
        "half a credential": failure({}, auth, "EXO_CLIENT_ID is given", hint=None, EXO_CLIENT_SECRET=""),
        "families mixed": failure(
            {}, auth, "client id is not", "EXO_CLIENT_ID", hint=None, EXO_CLIENT_ID="",
            AZURE_CLIENT_ID=main.info.client_id,
        ),
        "source without credential": failure(
            {"auth_source": "certificate"}, auth, "certificate_path or certificate", hint=None
        ),
    }  # fmt: skip


FAILURES = (
    "wrong secret", "expired secret", "unknown tenant", "unknown app", "app blocked", "secret of another tenant",
    "token of another tenant", "token that is none", "no directory role", "no app role", "only a reader",
    "certificate of another key", "certificate without key", "no certificate file", "neither PEM nor PFX",
    "expired certificate", "certificate of another app", "wrong PFX password", "no PFX password", "no token file",
    "empty token file", "token file of another identity", "unknown CA", "CA file missing", "http", "http authority",
    "nobody listens", "proxy that is not there", "two credentials", "no credential", "half a credential",
    "families mixed", "source without credential",
)  # fmt: skip


@pytest.fixture(scope="module")
def expected(world: World) -> dict[str, Failure]:
    return failures(world)


@pytest.fixture(scope="module")
def failing(world: World, expected: dict[str, Failure]) -> Run:
    tasks = [
        tried(
            "exo_transport_config",
            {**WANTED, **one.options},
            named=name,
            environment=one.variables,
        )
        for name, one in expected.items()
    ]
    return world.main.run(tasks, secrets=[PASSWORD, "not-it", "wrong-password"])


def test_every_failure_is_listed(expected: dict[str, Failure]) -> None:
    assert tuple(expected) == FAILURES


@pytest.mark.parametrize("name", FAILURES)
def test_failure(name: str, failing: Run, expected: dict[str, Failure], world: World) -> None:
    one = expected[name]
    documented(name, failing[name])
    failing[name].refused(one.code, *one.texts, hint=one.hint)
    assert not failing[name].changed


def test_nothing_was_written(failing: Run, world: World) -> None:
    for tenant in (world.main, world.other, world.certified, world.expired, world.protected):
        assert [write for write in tenant.writes() if write["status"] == 200] == []
        assert tenant.transport("ClearCategories") is True


def test_statuses_are_told(failing: Run) -> None:
    assert failing["no directory role"]["http_status"] == 403
    assert failing["no app role"]["http_status"] == 401
    assert failing["only a reader"]["request_id"]


def test_what_is_wrong_offline_is_said_before_any_request(failing: Run, world: World) -> None:
    """A certificate that can't work does not reach the authority."""
    for name in ("two credentials", "certificate of another key", "expired certificate", "http"):
        step = failing[name]
        times = [entry["time"] for entry in world.main.lab.simulator.requests()]
        assert [time for time in times if step.started <= time <= step.ended] == []


# --- what works ---


def working(world: World) -> list[Task]:
    main, certified, protected = world.main, world.certified, world.protected
    values = world.values
    info = "exo_transport_config_info"
    blank = dict.fromkeys(("client_secret", "certificate", "access_token", "ca_path", "endpoint", "cloud", "timeout"))
    files = {"tenant": certified.domain, "client_id": certified.info.client_id}
    azure = {"AZURE_TENANT_ID": main.domain, "AZURE_CLIENT_ID": main.info.client_id}
    return [
        task(info, blank, named="null"),
        task(info, dict.fromkeys(blank, ""), named="blank"),
        task(info, {"tenant": main.info.tenant_id.upper()}, named="GUID"),
        task(info, {"access_token": own_token(main), "client_id": ""}, named="access token"),
        task(info, {**files, "certificate_path": values(certified)["certificate_path"]}, named="PEM file"),
        task(info, {**files, "certificate_path": values(certified)["certificate_pfx_path"]}, named="PFX file"),
        task(info, {**files, "certificate": Path(values(certified)["certificate_path"]).read_text()}, named="PEM text"),
        task(
            info,
            {
                "tenant": certified.domain,
                "client_id": values(certified)["apps"][1]["client_id"],
                "federated_token_file": values(certified)["apps"][1]["federated_token_file"],
            },
            named="federated",
        ),
        task(
            info,
            {
                "tenant": protected.domain,
                "client_id": protected.info.client_id,
                "certificate_path": values(protected)["certificate_pfx_path"],
                "certificate_password": PASSWORD,
            },
            named="PFX with password",
        ),
        task(info, named="AZURE family", environment={**NOTHING, **azure, "AZURE_SECRET": main.info.client_secret}),
        task(
            info,
            named="blank first variable",
            environment={**NOTHING, **azure, "AZURE_CLIENT_SECRET": "", "AZURE_SECRET": main.info.client_secret},
        ),
        task(info, {"validate_certs": False}, named="unverified", environment={"EXO_CA_PATH": ""}),
        task(
            "exo_transport_config",
            {**WANTED, "client_id": values(main)["apps"][3]["client_id"],
             "client_secret": values(main)["apps"][3]["client_secret"]},
            named="a reader may check",
            check_mode=True,
        ),
    ]  # fmt: skip


WORKING = (
    "null", "blank", "GUID", "access token", "PEM file", "PFX file", "PEM text", "federated", "PFX with password",
    "AZURE family", "blank first variable", "unverified", "a reader may check",
)  # fmt: skip


@pytest.fixture(scope="module")
def succeeding(world: World) -> Run:
    return world.main.run(
        working(world), secrets=[PASSWORD], warns=["validate_certs is false", "expires on .* in (19|20) days"]
    )


@pytest.mark.parametrize("name", WORKING)
def test_success(name: str, succeeding: Run) -> None:
    assert succeeding[name].ok()["transport_config"]


def test_every_success_is_listed(succeeding: Run) -> None:
    assert tuple(step.task for step in succeeding.steps) == WORKING


def test_a_certificate_that_ends_soon_warns(succeeding: Run) -> None:
    (warning,) = succeeding["PFX with password"].warnings
    assert "renew it in time" in warning
    documented("certificate ends soon", succeeding["PFX with password"])
    (warning,) = succeeding["unverified"].warnings
    assert "validate_certs" in warning


def test_managed_identity(lab: Lab) -> None:
    tenant = lab.tenant(managed_identity={})
    identity = tenant.info.values["managed_identity"]
    variables = {"IDENTITY_ENDPOINT": identity["identity_endpoint"], "IDENTITY_HEADER": identity["header"], **NOTHING}
    variables["EXO_TENANT"] = tenant.domain
    imds = {
        **NOTHING,
        "EXO_TENANT": tenant.domain,
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": identity["identity_endpoint"].removesuffix("/msi/token"),
    }
    named = {"auth_source": "managed_identity"}
    run = tenant.run(
        [
            task("exo_transport_config_info", named, named="system", environment=variables),
            task(
                "exo_transport_config_info",
                {**named, "client_id": identity["client_id"]},
                named="user-assigned",
                environment=variables,
            ),
            tried("exo_transport_config_info", {**named, "client_id": NOBODY}, named="other", environment=variables),
            # A virtual machine's identity endpoint has no header that proves the caller.
            task("exo_transport_config_info", named, named="virtual machine", environment=imds),
            task(
                "exo_transport_config_info",
                {**named, "client_id": identity["client_id"]},
                named="virtual machine, user-assigned",
                environment=imds,
            ),
            tried(
                "exo_transport_config_info",
                {**named, "client_id": NOBODY},
                named="virtual machine, other",
                environment=imds,
            ),
            # A managed identity is used only when it is named.
            tried("exo_transport_config_info", named="auto", environment=variables),
        ],
        secrets=[identity["header"]],
    )
    for name in ("system", "user-assigned", "virtual machine", "virtual machine, user-assigned"):
        assert run[name].ok()["transport_config"]
    run["virtual machine, other"].refused("authentication_failed", "No token")
    run["other"].refused("authentication_failed", "No token")
    documented("identity that is not assigned", run["other"])
    run["auto"].refused("authentication_failed", "No credential", hint=None)


def test_a_managed_identity_that_is_not_assigned_is_explained(lab: Lab) -> None:
    tenant = lab.tenant(managed_identity={})
    identity = tenant.info.values["managed_identity"]
    variables = {"IDENTITY_ENDPOINT": identity["identity_endpoint"], "IDENTITY_HEADER": identity["header"]}
    step = tenant.one("exo_service_info", {"auth_source": "managed_identity", "client_id": NOBODY}, env=variables)
    assert "None" not in step.msg


@pytest.mark.smoke
def test_several_tenants_are_hosts_of_one_play(lab: Lab) -> None:
    """Each host's connection comes through module_defaults; one tenant's failure does not stop the others."""
    good, bad = lab.tenant(), lab.tenant(apps=[{"directory_role": "none"}])
    run = lab.run_playbook([task("exo_transport_config", WANTED)], [good, bad], may_fail=True)
    assert run.step("exo_transport_config", good.label).ok().changed
    run.step("exo_transport_config", bad.label).refused("access_denied")
    assert good.transport("ClearCategories") is False
    assert bad.transport("ClearCategories") is True
