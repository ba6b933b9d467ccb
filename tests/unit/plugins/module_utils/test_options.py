# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options: where values come from, which credential they make, and what is refused before any request."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleFallbackNotFound
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._options import (
    OPTIONS,
    argument_spec,
    credential_values,
    first_filled,
    resolve,
)

# As it is promised: option, type, default, variables.
PROMISED = {
    "tenant": ("str", None, ("EXO_TENANT", "AZURE_TENANT_ID", "AZURE_TENANT")),
    "client_id": ("str", None, ("EXO_CLIENT_ID", "AZURE_CLIENT_ID")),
    "client_secret": ("str", None, ("EXO_CLIENT_SECRET", "AZURE_CLIENT_SECRET", "AZURE_SECRET")),
    "certificate_path": ("path", None, ("EXO_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH")),
    "certificate": ("str", None, ("EXO_CERTIFICATE",)),
    "certificate_password": ("str", None, ("EXO_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD")),
    "federated_token_file": ("path", None, ("EXO_FEDERATED_TOKEN_FILE", "AZURE_FEDERATED_TOKEN_FILE")),
    "access_token": ("str", None, ("EXO_ACCESS_TOKEN",)),
    "auth_source": ("str", "auto", ("EXO_AUTH_SOURCE",)),
    "cloud": ("str", "worldwide", ("EXO_CLOUD",)),
    "endpoint": ("str", None, ("EXO_ENDPOINT",)),
    "authority": ("str", None, ("EXO_AUTHORITY",)),
    "validate_certs": ("bool", True, ("EXO_VALIDATE_CERTS",)),
    "ca_path": ("path", None, ("EXO_CA_PATH",)),
    "timeout": ("int", 300, ("EXO_TIMEOUT",)),
    "retries": ("int", 5, ("EXO_RETRIES",)),
    "concurrency": ("int", 4, ("EXO_CONCURRENCY",)),
}


def params(**given: t.Any) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = {name: default for name, (_type, default, _names) in PROMISED.items()}
    return {**plain, "tenant": "contoso.onmicrosoft.com", **given}


def test_the_options_are_those_that_are_promised() -> None:
    assert {o.name: (o.type, o.default, o.environment) for o in OPTIONS} == PROMISED
    spec = argument_spec()
    assert {name for name, option in spec.items() if option.get("no_log")} == {
        "client_secret", "certificate", "certificate_password", "access_token",
    }  # fmt: skip
    assert spec["tenant"]["required"] is True
    assert spec["auth_source"]["choices"] == [
        "auto", "certificate", "secret", "access_token", "federated", "managed_identity",
    ]  # fmt: skip
    assert spec["cloud"]["choices"] == ["worldwide", "gcc", "gcc_high", "dod", "china"]


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        ({"EXO_TENANT": "a", "AZURE_TENANT_ID": "b", "AZURE_TENANT": "c"}, "a"),
        ({"EXO_TENANT": "", "AZURE_TENANT_ID": "b", "AZURE_TENANT": "c"}, "b"),
        ({"EXO_TENANT": "", "AZURE_TENANT_ID": "", "AZURE_TENANT": "c"}, "c"),
        ({"EXO_TENANT": "\r", "AZURE_TENANT_ID": "b\r"}, "b"),
    ],
)
def test_the_first_variable_that_is_not_empty(
    environ: dict[str, str], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    result = ArgumentSpecValidator(argument_spec()).validate({})
    assert not result.error_messages
    assert result.validated_parameters["tenant"] == value
    given = ArgumentSpecValidator(argument_spec()).validate({"tenant": "option"})
    assert given.validated_parameters["tenant"] == "option"


def test_no_variable_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXO_TENANT", "")
    with pytest.raises(AnsibleFallbackNotFound):
        first_filled("EXO_TENANT", "AZURE_TENANT")
    assert "tenant" in ArgumentSpecValidator(argument_spec()).validate({}).error_messages[0]


def test_variables_of_other_types(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("EXO_TENANT", "a"), ("EXO_TIMEOUT", "30"), ("EXO_VALIDATE_CERTS", "no"), ("EXO_CLOUD", "dod")):
        monkeypatch.setenv(name, text)
    values = ArgumentSpecValidator(argument_spec()).validate({}).validated_parameters
    assert (values["timeout"], values["validate_certs"], values["cloud"]) == (30, False, "dod")
    assert (values["retries"], values["concurrency"], values["auth_source"]) == (5, 4, "auto")


class Good(t.NamedTuple):
    """A credential that is complete: options, variables, and what they come to."""

    given: dict[str, t.Any]
    environ: dict[str, str]
    method: str
    values: dict[str, str]


ID, SECRET = {"client_id": "app"}, {"client_secret": "s3cret"}
GOOD = [
    Good({**ID, **SECRET}, {}, "secret", {**ID, **SECRET}),
    Good({**ID, "certificate_path": "/c.pem"}, {}, "certificate", {**ID, "certificate_path": "/c.pem"}),
    Good(
        {**ID, "certificate": "PEM", "certificate_password": "p"},
        {},
        "certificate",
        {**ID, "certificate": "PEM", "certificate_password": "p"},
    ),
    Good({**ID, "federated_token_file": "/t"}, {}, "federated", {**ID, "federated_token_file": "/t"}),
    Good({"access_token": "jwt"}, {}, "access_token", {"access_token": "jwt"}),
    # an empty text is not given
    Good({**ID, **SECRET, "certificate": "", "access_token": ""}, {}, "secret", {**ID, **SECRET}),
    Good({"client_id": "", "client_secret": ""}, {"EXO_ACCESS_TOKEN": "jwt"}, "access_token", {"access_token": "jwt"}),
    Good({}, {"EXO_CLIENT_ID": "app", "EXO_CLIENT_SECRET": "s3cret"}, "secret", {**ID, **SECRET}),
    Good({}, {"AZURE_CLIENT_ID": "app", "AZURE_SECRET": "s3cret"}, "secret", {**ID, **SECRET}),
    Good(
        {},
        {"AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "", "AZURE_SECRET": "s3cret", "EXO_CLIENT_SECRET": ""},
        "secret",
        {**ID, **SECRET},
    ),
    Good(
        {},
        {"AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "s3cret", "AZURE_SECRET": "older"},
        "secret",
        {**ID, **SECRET},
    ),
    # EXO_* before AZURE_*, each whole
    Good(
        {},
        {
            "EXO_CLIENT_ID": "app",
            "EXO_CLIENT_SECRET": "s3cret",
            "AZURE_CLIENT_ID": "other",
            "AZURE_CLIENT_CERTIFICATE_PATH": "/other.pem",
        },
        "secret",
        {**ID, **SECRET},
    ),
    # options before the environment
    Good(
        {**ID, **SECRET},
        {"EXO_CLIENT_ID": "other", "EXO_CERTIFICATE_PATH": "/other.pem", "EXO_ACCESS_TOKEN": "jwt"},
        "secret",
        {**ID, **SECRET},
    ),
    Good({**SECRET}, {"AZURE_CLIENT_ID": "app"}, "secret", {**ID, **SECRET}),
    Good({**SECRET}, {"EXO_CLIENT_ID": "app", "AZURE_CLIENT_ID": "other"}, "secret", {**ID, **SECRET}),
    Good(
        {"certificate_path": "/c.pfx"},
        {"EXO_CLIENT_ID": "app", "EXO_CERTIFICATE_PASSWORD": "p"},
        "certificate",
        {**ID, "certificate_path": "/c.pfx", "certificate_password": "p"},
    ),
    Good({**ID}, {"EXO_CLIENT_SECRET": "s3cret", "EXO_CLIENT_ID": "other"}, "secret", {**ID, **SECRET}),
    Good({**ID}, {"AZURE_CLIENT_SECRET": "s3cret"}, "secret", {**ID, **SECRET}),
    Good(
        {"certificate_password": "p"},
        {"EXO_CLIENT_ID": "app", "EXO_CERTIFICATE_PATH": "/c.pfx"},
        "certificate",
        {**ID, "certificate_path": "/c.pfx", "certificate_password": "p"},
    ),
    # named, so that the others don't count
    Good({**ID, **SECRET, "certificate": "PEM", "auth_source": "secret"}, {}, "secret", {**ID, **SECRET}),
    Good(
        {**ID, **SECRET, "certificate": "PEM", "certificate_password": "p", "auth_source": "certificate"},
        {},
        "certificate",
        {**ID, "certificate": "PEM", "certificate_password": "p"},
    ),
    Good(
        {"auth_source": "access_token", **ID, **SECRET},
        {"EXO_ACCESS_TOKEN": "jwt"},
        "access_token",
        {"access_token": "jwt"},
    ),
    # what does not belong to the method is not kept
    Good({**ID, **SECRET, "certificate_password": "p"}, {}, "secret", {**ID, **SECRET}),
    # managed identity only when named, a user-assigned one by its own name only
    Good({"auth_source": "managed_identity"}, {}, "managed_identity", {}),
    Good({"auth_source": "managed_identity", **ID}, {}, "managed_identity", ID),
    Good({"auth_source": "managed_identity"}, {"EXO_CLIENT_ID": "app"}, "managed_identity", ID),
    Good({"auth_source": "managed_identity"}, {"AZURE_CLIENT_ID": "x", "AZURE_SECRET": "y"}, "managed_identity", {}),
]


@pytest.mark.parametrize("case", GOOD)
def test_a_complete_credential(case: Good) -> None:
    got = credential_values(params(**case.given), case.environ)
    kept = {name: value for name, value in vars(got).items() if name != "method" and value is not None}
    assert (got.method, {n: v for n, v in kept.items() if n in case.values or n != "client_id"}) == (
        case.method,
        case.values,
    )


@pytest.mark.parametrize(
    ("given", "environ", "words"),
    [
        ({}, {}, ["No credential", "client_id", "client_secret", "certificate"]),
        (ID, {}, ["client_id is given", "client_secret"]),
        ({}, {"EXO_CLIENT_ID": "app"}, ["EXO_CLIENT_ID is given"]),
        ({}, {"AZURE_CLIENT_ID": "app"}, ["AZURE_CLIENT_ID is given"]),
        (SECRET, {}, ["client_secret is given", "client_id"]),
        ({}, {"EXO_CLIENT_SECRET": "x"}, ["EXO_CLIENT_SECRET is given", "EXO_CLIENT_ID"]),
        ({"certificate_path": "/c"}, {}, ["certificate_path is given"]),
        ({"federated_token_file": "/t"}, {}, ["federated_token_file is given"]),
        # two families don't make one credential
        ({}, {"EXO_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "x"}, ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID"]),
        ({}, {"AZURE_CLIENT_ID": "app", "EXO_CLIENT_SECRET": "x"}, ["EXO_CLIENT_SECRET", "EXO_CLIENT_ID"]),
        (
            {"certificate_path": "/c.pfx"},
            {"EXO_CERTIFICATE_PASSWORD": "p", "AZURE_CLIENT_ID": "app"},
            ["certificate_path is given", "client_id"],
        ),
        # two methods
        ({**ID, **SECRET, "certificate_path": "/c"}, {}, ["client_secret", "certificate_path"]),
        ({**ID, **SECRET, "access_token": "jwt"}, {}, ["client_secret", "access_token"]),
        ({**ID, "certificate": "PEM", "certificate_path": "/c"}, {}, ["certificate_path", "certificate"]),
        (
            {},
            {"EXO_CLIENT_ID": "app", "EXO_CLIENT_SECRET": "x", "EXO_CERTIFICATE": "PEM"},
            ["EXO_CLIENT_SECRET", "EXO_CERTIFICATE"],
        ),
        # a method that is named and not there
        ({**ID, **SECRET, "auth_source": "certificate"}, {}, ["certificate_path or certificate"]),
        ({**ID, "auth_source": "federated"}, {}, ["federated_token_file"]),
        ({"auth_source": "access_token"}, {}, ["access_token"]),
    ],
)
def test_no_complete_credential(given: dict[str, t.Any], environ: dict[str, str], words: list[str]) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        credential_values(params(**given), environ)
    for word in words:
        assert word in str(caught.value)
    for secret in ("s3cret", "jwt", "PEM"):
        assert secret not in str(caught.value)


def test_a_path_of_the_environment_starts_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    environ = {"EXO_CLIENT_ID": "app", "EXO_CERTIFICATE_PATH": "~/c.pem"}
    assert credential_values(params(), environ).certificate_path == f"{tmp_path}/c.pem"


def test_secrets_are_not_shown() -> None:
    secrets = ["s3cret", "PEM", "p4ss", "jwt"]
    for given in (
        {**ID, "client_secret": "s3cret"},
        {**ID, "certificate": "PEM", "certificate_password": "p4ss"},
        {"access_token": "jwt"},
    ):
        connection = resolve(params(**given), {})
        for shown in (repr(connection), str(connection), repr(connection.credential)):
            assert not any(secret in shown for secret in secrets)


CLOUD_URLS = {
    "worldwide": ("https://outlook.office365.com", "https://login.microsoftonline.com"),
    "gcc": ("https://outlook.office365.com", "https://login.microsoftonline.com"),
    "gcc_high": ("https://outlook.office365.us", "https://login.microsoftonline.us"),
    "dod": ("https://outlook-dod.office365.us", "https://login.microsoftonline.us"),
    "china": ("https://partner.outlook.cn", "https://login.chinacloudapi.cn"),
}


@pytest.mark.parametrize("cloud", CLOUD_URLS)
def test_clouds(cloud: str) -> None:
    connection = resolve(params(access_token="jwt", cloud=cloud), {})
    assert (connection.endpoint, connection.authority) == CLOUD_URLS[cloud]
    assert connection.cloud.resource(connection.endpoint) == CLOUD_URLS[cloud][0]
    assert connection.warnings == ()


@pytest.mark.parametrize("option", ["endpoint", "authority", "graph_endpoint"])
@pytest.mark.parametrize(
    "url",
    [
        "http://outlook.office365.com",
        "outlook.office365.com",
        "https://",
        "ftp://outlook.office365.com",
        "https://user:pass@outlook.office365.com",
        "https://outlook.office365.com?x=1",
        "https://outlook.office365.com#x",
        "https://[broken",
        "https://host:port",
        "https://host:99999",
        "https://host name",
    ],
)
def test_a_url_that_is_refused(option: str, url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        resolve(params(access_token="jwt", **{option: url}), {})
    assert option in str(caught.value)
    assert "pass" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    ("url", "taken", "warns"),
    [
        ("https://localhost:8443/", "https://localhost:8443", True),
        ("https://gateway.contoso.com/exo/", "https://gateway.contoso.com/exo", True),
        ("https://eurprd01.outlook.office365.com", "https://eurprd01.outlook.office365.com", False),
        ("https://outlook.office365.com.evil.example", "https://outlook.office365.com.evil.example", True),
        ("https://notoffice365.com", "https://notoffice365.com", True),
        ("https://outlook.office365.us", "https://outlook.office365.us", True),
    ],
)
def test_an_endpoint_of_somebody_else_warns(url: str, taken: str, warns: bool) -> None:
    connection = resolve(params(access_token="jwt", endpoint=url), {})
    assert connection.endpoint == taken
    assert any(taken in warning for warning in connection.warnings) is warns
    assert connection.cloud.resource(taken) == ("https://outlook.office365.com" if warns else taken)


@pytest.mark.parametrize(
    ("option", "value"), [("timeout", 0), ("timeout", -1), ("retries", -1), ("concurrency", 0), ("concurrency", -4)]
)
def test_numbers_that_make_no_sense(option: str, value: int) -> None:
    with pytest.raises(InvalidRequest, match=option):
        resolve(params(access_token="jwt", **{option: value}), {})


@pytest.mark.parametrize("option", ["wait_timeout", "propagation_delay"])
@pytest.mark.parametrize(("seconds", "fits"), [(-1, False), (0, True), (24 * 60 * 60, True), (24 * 60 * 60 + 1, False)])
def test_how_long_a_task_may_wait(option: str, seconds: int, fits: bool) -> None:
    with contextlib.nullcontext() if fits else pytest.raises(InvalidRequest, match=f"{option} has to be between 0 and"):
        resolve({**params(access_token="jwt"), option: seconds}, {})


@pytest.mark.parametrize(("validate", "with_file"), list(itertools.product([True, False], repeat=2)))
def test_what_is_trusted(validate: bool, with_file: bool, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("x")
    connection = resolve(
        params(access_token="jwt", validate_certs=validate, ca_path=str(bundle) if with_file else None), {}
    )
    trusted = str(bundle) if with_file else True
    assert connection.verify == (trusted if validate else False)
    assert bool(connection.warnings) is not validate


def test_a_ca_file_that_is_not_there() -> None:
    with pytest.raises(ExoError, match="ca_path"):
        resolve(params(access_token="jwt", ca_path="/nowhere/ca.pem"), {})
