# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential type by AWX's own rules: what it refuses when the type is saved, and what it makes of empty fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml
from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import CLOUDS
from ansible_collections.m365.exchange_online.plugins.module_utils._options import OPTIONS, credential_values

pytestmark = pytest.mark.unit

PATH = Path(__file__).resolve().parents[3] / "extensions" / "awx" / "credential_type.yml"
TYPE: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
FIELDS: dict[str, dict[str, Any]] = {field["id"]: field for field in TYPE["inputs"]["fields"]}
INJECTED: dict[str, str] = TYPE["injectors"]["env"]
FILES: dict[str, str] = TYPE["injectors"]["file"]

# What AWX accepts: no other key is allowed anywhere.
_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_STRING_FIELD = {
    "id": {"type": "string", "pattern": _NAME, "not": {"const": "tower"}},
    "label": {"type": "string", "minLength": 1},
    "type": {"const": "string"},
    "secret": {"type": "boolean"},
    "multiline": {"type": "boolean"},
    "format": {"enum": ["ssh_private_key", "url"]},
    "choices": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
    "default": {"type": "string"},
    "help_text": {"type": "string"},
}
_TEMPLATES = {"type": "string", "pattern": r"^[\x00-\x7f]*$"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "kind", "inputs", "injectors"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "kind": {"enum": ["cloud", "net"]},
        "inputs": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "required": {"type": "array", "items": {"enum": sorted(FIELDS)}},
                "fields": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["id", "label"],
                        "properties": _STRING_FIELD,
                    },
                },
            },
        },
        "injectors": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "env": {
                    "type": "object",
                    "propertyNames": {"pattern": _NAME},
                    "additionalProperties": _TEMPLATES,
                },
                "file": {
                    "type": "object",
                    "propertyNames": {"pattern": r"^template\.[A-Za-z_][A-Za-z0-9_]*$"},
                    "additionalProperties": _TEMPLATES,
                },
            },
        },
    },
}
REFUSED_VARIABLES = re.compile(
    "ANSIBLE_.*|VIRTUAL_ENV|PATH|PYTHONPATH|JOB_ID|INVENTORY_ID|INVENTORY_SOURCE_ID|INVENTORY_UPDATE_ID|"
    "AD_HOC_COMMAND_ID|REST_API_URL|REST_API_TOKEN|MAX_EVENT_RES|CALLBACK_QUEUE|CALLBACK_CONNECTION|CACHE|"
    "JOB_CALLBACK_DEBUG|INVENTORY_HOSTVARS|AWX_HOST|PROJECT_REVISION|SUPERVISOR_CONFIG_PATH"
)
READ_BY_REQUESTS = {"HTTPS_PROXY"}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
SECRET = {"client_id": "app", "client_secret": """a "quoted" $ecret {{ 1 }} {% raw %}"""}
CERTIFICATE = {"client_id": "app", "certificate": PEM, "certificate_password": "p w"}


def inject(inputs: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The environment and the files of a job, as AWX makes them of what a credential holds.

    A blank field is an undefined name when the job runs, and its file is written all the same.
    """
    given = {name: value for name, value in inputs.items() if value}
    environment = ImmutableSandboxedEnvironment(undefined=Undefined, keep_trailing_newline=True)
    paths = {key.partition(".")[2]: f"/runner/env/tmp{number:08}" for number, key in enumerate(FILES)}
    files = {paths[key.partition(".")[2]]: environment.from_string(text).render(**given) for key, text in FILES.items()}
    names = {"tower": {"filename": paths}, **given}
    return {name: environment.from_string(text).render(**names) for name, text in INJECTED.items()}, files


def test_awx_accepts_the_type() -> None:
    jsonschema.validate(TYPE, SCHEMA)
    assert len(FIELDS) == len(TYPE["inputs"]["fields"])


def test_awx_accepts_the_names_in_the_templates() -> None:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    files = {key.partition(".")[2]: "EXAMPLE_FILENAME" for key in FILES}
    names = {"tower": {"filename": files}, **dict.fromkeys(FIELDS, "EXAMPLE")}
    for text in (*FILES.values(), *INJECTED.values()):
        assert environment.from_string(text).render(**names)


@pytest.mark.parametrize("name", INJECTED)
def test_what_is_injected_is_read(name: str) -> None:
    read = set().union(*(option.environment for option in OPTIONS))
    assert name in read | READ_BY_REQUESTS
    assert not REFUSED_VARIABLES.fullmatch(name)


def test_no_address_and_no_tenant_comes_from_a_credential() -> None:
    assert not set(FIELDS) & {"tenant", "endpoint", "authority", "graph_endpoint", "validate_certs"}
    assert not [name for name in INJECTED if "TENANT" in name or "ENDPOINT" in name or "AUTHORITY" in name]


def test_secrets_are_secret_and_what_has_lines_goes_into_files() -> None:
    no_log = {option.name for option in OPTIONS if option.no_log}
    assert no_log & set(FIELDS) <= {name for name, field in FIELDS.items() if field.get("secret")}
    lines = {name for name, field in FIELDS.items() if field.get("multiline")}
    assert {f"template.{name}" for name in lines} == set(FILES)


def test_the_first_cloud_is_the_default_of_the_modules() -> None:
    cloud = next(option for option in OPTIONS if option.name == "cloud")
    assert FIELDS["cloud"]["choices"] == list(CLOUDS)
    assert FIELDS["cloud"]["choices"][0] == FIELDS["cloud"]["default"] == cloud.default


def test_an_empty_credential_is_no_credential() -> None:
    environment, files = inject({})
    assert set(environment.values()) == {""}
    assert set(files.values()) == {""}


@pytest.mark.parametrize(
    ("inputs", "method"), [(SECRET, "secret"), (CERTIFICATE, "certificate")], ids=["secret", "certificate"]
)
def test_a_credential_is_one_complete_method(inputs: dict[str, str], method: str) -> None:
    environment, files = inject({**dict.fromkeys(FIELDS, ""), **inputs})
    values = credential_values({}, environment)
    assert (values.method, values.client_id) == (method, "app")
    assert values.client_secret == inputs.get("client_secret")
    assert values.certificate_password == inputs.get("certificate_password")
    path = cast(str, values.certificate_path or "")
    assert files.get(path, "") == inputs.get("certificate", "")
    assert environment["EXO_CA_PATH"] == ""


def test_a_full_credential_arrives_whole() -> None:
    full = {**CERTIFICATE, "cloud": "gcc_high", "ca_bundle": PEM * 2, "proxy": "http://proxy.example.com:8080"}
    environment, files = inject(full)
    assert environment["EXO_CLOUD"] == "gcc_high"
    assert environment["HTTPS_PROXY"] == full["proxy"]
    assert files[environment["EXO_CA_PATH"]] == PEM * 2
    assert not [name for name, value in environment.items() if "\n" in value]
