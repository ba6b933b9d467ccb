# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that stumbles while the organization's settings are read and written."""

from __future__ import annotations

import json
import re

import pytest
from faults import documented
from harness import Lab, Run, Tenant, task
from scenarios import ALWAYS, QUICK, SOON, Scenario, fails, fault, play, raw, tenants_of

GET, SET = {"cmdlet": "Get-TransportConfig"}, {"cmdlet": "Set-TransportConfig"}
TRANSIENT = (
    "DCOverloadedException", "SuitabilityDirectoryException", "ServerInMMException",
    "ADServerSettingsChangedException", "StorageTransientException", "ServerBusyException", "ADTransientException",
    "BackendCommunicationException", "UnableToWriteToAadException",
)  # fmt: skip
CONCURRENT = b"You have reached the maximum number of concurrent requests per tenant. Please wait and try again."
BAD_VALUE = json.dumps(
    {
        "error": {
            "code": "BadRequest",
            "message": "Invalid Operation",
            "innererror": {
                "message": "Invalid Operation",
                "internalexception": {
                    "message": "Cannot process argument transformation on parameter 'ClearCategories'.",
                    "type": "Microsoft.Exchange.Management.CommandInvocation.ParameterTransformationException",
                },
            },
        }
    }
).encode()
ONE = {
    "nothing": Scenario(),
    "throttled read": Scenario([fault("throttle", match=GET, **SOON)]),
    "throttled write": Scenario([fault("throttle", match=SET, times=3, **SOON)]),
    "throttled without a time": Scenario([fault("throttle", match=SET)]),
    "throttled for good": fails(
        "throttled", "Tried 2 times", faults=[fault("throttle", match=SET, **ALWAYS, **SOON)], options=QUICK,
        hint="limit",
    ),
    "throttled for hours": fails(
        "throttled", "longer than a task waits",
        faults=[fault("throttle", match=GET, retry_after="7200", **ALWAYS)]
    ),
    "throttled as a text": Scenario([raw(400, CONCURRENT, headers={"Retry-After": "0.2"}, match=SET)]),
    "bad gateway": Scenario([fault("status", code=502, form="none", match=SET, **SOON)]),
    "request timeout": Scenario([fault("status", code=408, form="none", match=SET, **SOON)]),
    "directory trouble": Scenario([fault("status", code=500, match=SET, **SOON)]),
    "transient by name": Scenario(
        [
            fault("status", code=400, type=f"Microsoft.Exchange.{name}", message=f"{name}: later.", match=SET,
                  retry_after="0.05")
            for name in TRANSIENT
        ],
        options={"retries": len(TRANSIENT)},
    ),
    "unavailable": Scenario([fault("status", code=503, match=SET, **SOON)]),
    "unavailable for good": fails(
        "service_unavailable", "503", faults=[fault("status", code=503, match=GET, **ALWAYS, **SOON)], options=QUICK
    ),
    "gateway timeout after the write": Scenario([fault("status", code=504, match=SET, **SOON)]),
    "transient 400": Scenario([fault("transient", match=SET)]),
    "transient 400 for good": fails(
        "service_unavailable", "overloaded", faults=[fault("transient", match=SET, **ALWAYS)], options={"retries": 0}
    ),
    "HTML page": fails(
        "unexpected_response", "HTML page", faults=[fault("html", status=200, match=GET, **ALWAYS)], hint="proxy"
    ),
    "HTML page of a gateway": Scenario([fault("html", status=503, match=GET)]),
    "reset before the write": Scenario([fault("reset_before", match=SET)]),
    "reset after the write": Scenario([fault("reset_after", match=SET)]),
    "reset after the write, no retries": Scenario([fault("reset_after", match=SET)], options={"retries": 0}),
    "half an answer": Scenario([fault("truncated_json", match=GET)]),
    "gzip that is none": Scenario([fault("gzip_lie", match=GET)]),
    "error in a success": fails(
        "invalid_request", "could not be completed", faults=[fault("errors_in_200", match=GET, **ALWAYS)]
    ),
    "no right to write": fails(
        "access_denied", "Set-TransportConfig", faults=[fault("nul_403", match=SET, **ALWAYS)], hint="directory role"
    ),
    "no right, in JSON": fails(
        "access_denied", "not allowed to call", faults=[fault("json_403", cmdlet=GET["cmdlet"], match=GET, **ALWAYS)],
        hint="directory role",
    ),
    "no right, in JSON, as 401": fails(
        "access_denied", "not allowed to call",
        faults=[fault("json_403", cmdlet=GET["cmdlet"], status=401, match=GET, **ALWAYS)],
        hint="directory role",
    ),
    "no right, reason in a header": fails(
        "access_denied", "role assignment",
        faults=[raw(403, b"\0" * 336, headers={"x-ms-diagnostics": "2000008;reason='No role assignment.'"},
                    match=GET, **ALWAYS)],
        hint="directory role",
    ),
    "version that is not offered": fails(
        "unexpected_response", "405", faults=[fault("status", code=405, form="none", match=GET, **ALWAYS)],
        hint="endpoint",
    ),
    "value that the service refuses": fails(
        "invalid_request", "ClearCategories", faults=[raw(400, BAD_VALUE, match=SET, **ALWAYS)]
    ),
    "setting that the service refuses": fails(
        "invalid_request", "already exists",
        faults=[fault("status", code=400, type="Microsoft.Exchange.ADObjectAlreadyExistsException",
                      message="The object already exists.", match=SET, **ALWAYS)],
    ),
    "token expires before the read": Scenario([fault("expire_tokens", match=GET)]),
    "token expires before the write": Scenario([fault("expire_tokens", match=SET)]),
    "claims challenge": Scenario(
        [fault("unauthorized", match=SET, claims={"access_token": {"nbf": {"essential": True, "value": "1"}}})]
    ),
    "token refused for good": fails(
        "authentication_failed", "token", faults=[fault("unauthorized", match=SET, **ALWAYS)],
        hint="Exchange.ManageAsApp",
    ),
    "redirect to the same host": Scenario([fault("redirect", match=SET, location="{here}")]),
    "redirect 307": Scenario([fault("redirect", match=SET, status=307, location="{here}")]),
    "redirect elsewhere": fails(
        "unexpected_response", "redirected to evil.example", "token was not sent",
        faults=[fault("redirect", match=GET, location="https://evil.example/adminapi", **ALWAYS)],
    ),
    "redirect without end": fails(
        "unexpected_response", "redirected more than",
        faults=[fault("redirect", match=GET, location="{here}", **ALWAYS)]
    ),
    "wrong type": fails(
        "unexpected_response",
        "ClearCategories",
        faults=[fault("wrong_type", property="ClearCategories", value="x", match=GET, **ALWAYS)],
    ),
    "missing property": fails(
        "unexpected_response",
        "ClearCategories",
        faults=[fault("missing_property", property="ClearCategories", match=GET, **ALWAYS)],
        hint="role",
    ),
    "missing property that nobody manages": Scenario(
        [fault("missing_property", property="VoicemailJournalingEnabled", match=GET, **ALWAYS)]
    ),
    "warnings": Scenario([fault("warnings", messages=["The service says hello."], match=SET)]),
    "lag that is waited for": Scenario(tenant={"lag": 0.8}),
    "lag beyond the wait": Scenario(tenant={"lag": 3600}, options={"wait_timeout": 1}, confirmed=False),
    "lag that nobody waits for": Scenario(tenant={"lag": 3600}, options={"wait": False}, confirmed=None),
    "a write that is ignored": Scenario(
        [fault("set_ignored", match=SET, **ALWAYS)], options={"wait_timeout": 1}, confirmed=False, written=False
    ),
    "authority resets": Scenario([fault("reset_before", match={"endpoint": "token"})]),
    "authority throttled": Scenario([fault("throttle", match={"endpoint": "token"}, **SOON)]),
    "authority unavailable": Scenario([fault("status", code=503, match={"endpoint": "token"}, **SOON)]),
    "discovery throttled": Scenario([fault("throttle", match={"endpoint": "discovery"}, **SOON)]),
    "discovery unavailable": Scenario([fault("status", code=503, match={"endpoint": "discovery"}, **SOON)]),
}  # fmt: skip


@pytest.fixture(scope="module")
def organizations(lab: Lab) -> dict[str, Tenant]:
    return tenants_of(lab, ONE)


@pytest.fixture(scope="module")
def one(lab: Lab, organizations: dict[str, Tenant]) -> Run:
    return play(lab, organizations, ONE, [task("exo_transport_config", {"clear_categories": False}, named="it")])


@pytest.mark.parametrize("name", ONE)
def test_organization(name: str, one: Run, organizations: dict[str, Tenant]) -> None:
    scenario, tenant = ONE[name], organizations[name]
    step = one.step("it", tenant.label)
    assert tenant.transport("ClearCategories") is not scenario.written
    if name != "nothing":
        documented(name, step)
    if scenario.code:
        step.refused(scenario.code, *scenario.texts, hint=scenario.hint)
        assert not step.changed
        return
    assert step.ok().changed
    assert step.result.get("confirmed") is scenario.confirmed
    assert bool(step.warnings) is (scenario.confirmed is False or name == "warnings")


def test_what_was_tried_again_is_told(one: Run, organizations: dict[str, Tenant]) -> None:
    for name in ("throttled write", "unavailable", "transient 400", "reset before the write"):
        step = one.step("it", organizations[name].label)
        assert step["retried"], name
    assert "retried" not in one.step("it", organizations["nothing"].label).result


def test_each_transient_name_is_tried_again(one: Run, organizations: dict[str, Tenant]) -> None:
    retried = one.step("it", organizations["transient by name"].label)["retried"]
    assert [next(name for name in TRANSIENT if name in line) for line in retried] == list(TRANSIENT)


def test_what_is_given_up_is_told_with_how_often_and_how_long(one: Run, organizations: dict[str, Tenant]) -> None:
    for name in ("throttled for good", "unavailable for good"):
        assert re.search(r"Tried 2 times over \d+ seconds\.", one.step("it", organizations[name].label).msg)
    # Two hours are not waited for, and there is no second try before the time has come.
    tenant = organizations["throttled for hours"]
    step = one.step("it", tenant.label)
    assert "7200 seconds" in step.msg
    assert len(tenant.log(step)) == 1


def test_redirects_keep_method_and_body(one: Run, organizations: dict[str, Tenant]) -> None:
    for name in ("redirect to the same host", "redirect 307"):
        last = organizations[name].writes()[-1]
        assert (last["status"], last["parameters"]) == (200, {"ClearCategories": False})


def test_a_read_that_fails_leads_to_no_write(one: Run, organizations: dict[str, Tenant]) -> None:
    for name in ("HTML page", "error in a success", "wrong type", "missing property", "redirect elsewhere"):
        assert organizations[name].writes() == []
