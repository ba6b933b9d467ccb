# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service that stumbles while the organization's settings are read and written."""

from __future__ import annotations

import pytest
from harness import Lab, Run, Tenant, task
from scenarios import ALWAYS, QUICK, SOON, Scenario, fails, fault, play, tenants_of

GET, SET = {"cmdlet": "Get-TransportConfig"}, {"cmdlet": "Set-TransportConfig"}
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
        "throttled", "longer than a task should hang",
        faults=[fault("throttle", match=GET, retry_after="7200", **ALWAYS)]
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
        "access_denied", "not allowed to call", faults=[fault("json_403", match=GET, **ALWAYS)], hint="directory role"
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
    "lag beyond the wait": Scenario(tenant={"lag": 60}, options={"wait_timeout": 1}, confirmed=False),
    "lag that nobody waits for": Scenario(tenant={"lag": 60}, options={"wait": False}, confirmed=None),
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
    if scenario.code:
        step.refused(scenario.code, *scenario.texts, hint=scenario.hint)
        assert not step.changed
        return
    assert step.ok().changed
    assert step.result.get("confirmed") is scenario.confirmed
    assert bool(step.warnings) is (scenario.confirmed is False)


def test_what_was_tried_again_is_told(one: Run, organizations: dict[str, Tenant]) -> None:
    for name in ("throttled write", "unavailable", "transient 400", "reset before the write"):
        step = one.step("it", organizations[name].label)
        assert step["retried"], name
    assert "retried" not in one.step("it", organizations["nothing"].label).result


def test_a_read_that_fails_leads_to_no_write(one: Run, organizations: dict[str, Tenant]) -> None:
    for name in ("HTML page", "error in a success", "wrong type", "missing property", "redirect elsewhere"):
        assert organizations[name].writes() == []
