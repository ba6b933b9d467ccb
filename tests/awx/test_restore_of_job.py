# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook restore takes back a job that was killed, out of the events that a controller kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import COLLECTION, EFFECT, Lab, Run, Step, Tenant, small, task, tried

from awx import guide
from awx.controller import TOKEN, Controller

pytestmark = pytest.mark.awx

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
JOB = 4711
OFF = {"all_mailboxes": True, "pop_enabled": False}


def as_event(number: int, step: Step, module: str) -> dict[str, Any]:
    """A result as a controller keeps it."""
    data = {"task": step.task, "task_action": f"{COLLECTION}.{module}", "host": step.host, "res": dict(step.result)}
    return {"id": number, "counter": number, "event": "runner_on_ok", "host_name": step.host, "event_data": data}


def keep(controller: Controller, events: list[dict[str, Any]], **more: Any) -> None:
    job = {"id": JOB, "type": "job", "job_type": "run", "status": "canceled", "event_processing_finished": True}
    controller.jobs[JOB] = {**job, **more}
    controller.events[JOB] = events


def pop(lab: Lab, tenant: Tenant) -> dict[str, bool]:
    return {box["Guid"]: box["PopEnabled"] for box in lab.simulator.state(tenant.label)["mailboxes"]}


def settings(lab: Lab, tenant: Tenant) -> tuple[Any, ...]:
    """What the test's baseline sets."""
    own = "SmtpClientAuthenticationDisabled"
    boxes = lab.simulator.state(tenant.label)["mailboxes"]
    return tenant.transport(own), {box["Guid"]: (box["PopEnabled"], box[own]) for box in boxes}


def restore(
    lab: Lab, tenants: list[Tenant], environment: dict[str, str], *, force: bool = False,
    awx_job_id: int | None = None, **how: Any,
) -> Run:  # fmt: skip
    own_job = {"awx_job_id": awx_job_id} if awx_job_id else {}
    variables = {tenant.label: tenant.host_vars for tenant in tenants}
    return lab.run_playbook(
        PLAYBOOKS / "restore.yml", tenants, host_vars=variables, env={**environment, **tenants[0].urls},
        extra_vars={"exo_restore_job": JOB, "exo_restore_force": force, **own_job}, secrets=[TOKEN], **how,
    )  # fmt: skip


def as_in_the_guide(lab: Lab, tenant: Tenant, environment: dict[str, str]) -> str:
    prepared = lab.prepare(
        [], [tenant], host_vars={tenant.label: tenant.host_vars}, env={**environment, **tenant.urls}
    )  # fmt: skip
    text = guide.block("The way back", "shell").replace("--limit contoso", f"--limit {tenant.label}")
    assert f"exo_restore_job={JOB}" in text
    return guide.paste(text.replace("-i inventory", "-i inventory.json"), prepared.environment, prepared.directory)


def test_a_job_that_was_killed_is_taken_back_whole(
    lab: Lab, controller: Controller, environment: dict[str, str]
) -> None:
    tenant, other = (
        lab.tenant(transport_config={"SmtpClientAuthenticationDisabled": True}, generate={"count": 120, "seed": seed})
        for seed in (3, 4)
    )
    before = pop(lab, tenant)
    tenant.fault("nul_403", match={"cmdlet": "Set-CASMailbox"}, after=70, times=None)
    announced = task("exo_cas_mailbox", {**OFF, "undo_in_result": True}, named="announced", check_mode=True)
    run = lab.run_playbook(
        [announced, tried("exo_cas_mailbox", {**OFF, "concurrency": 1}, named="killed")], [tenant],
        env=tenant.urls,
    )  # fmt: skip
    assert run["killed"].failed
    assert before != pop(lab, tenant)
    lab.simulator.clear_faults()
    # More events than a page holds, most of them of other tasks and hosts.
    noise = [{**as_event(number, run["announced"], "exo_cas_mailbox_info"), "host_name": "x"} for number in range(250)]
    keep(controller, [*noise, as_event(1000, run["announced"], "exo_cas_mailbox")])

    controller.requests.clear()
    run = restore(lab, [tenant, other], environment, check=True)
    assert tenant.writes()[-1]["cmdlet"] == "Set-CASMailbox" and pop(lab, tenant) != before

    assert put_back(run, tenant) == [True]
    assert put_back(run, other) == []

    output = as_in_the_guide(lab, tenant, environment)
    assert pop(lab, tenant) == before
    assert other.writes() == []
    assert TOKEN not in output


def test_what_the_role_did_in_a_job_is_taken_back(
    lab: Lab, controller: Controller, environment: dict[str, str]
) -> None:
    tenant = small(lab)
    before = settings(lab, tenant)
    variables = {
        **tenant.host_vars,
        "tenant_baseline_smtp_auth_organization": "disabled",
        "tenant_baseline_smtp_auth_allowed": tenant.allowed("scanner", "reports"),
        "tenant_baseline_all_mailboxes": {"pop_enabled": False},
        "tenant_baseline_max_changes": 100,
        "tenant_baseline_propagation_delay": 0,
    }
    run = lab.run_playbook(
        PLAYBOOKS / "baseline.yml", [tenant], host_vars={tenant.label: variables}, env=tenant.urls,
        extra_vars={"awx_job_id": JOB}, warns=[EFFECT, "stray"],
    )  # fmt: skip
    assert settings(lab, tenant) != before
    told = [step for step in run.steps if "undo" in step.result]
    assert len(told) == 4, "two parts, each announced and made"
    keep(
        controller, [as_event(number, step, "exo_cas_mailbox") for number, step in enumerate(told)], status="successful"
    )
    run = restore(lab, [tenant], environment, warns=[EFFECT], awx_job_id=JOB + 1)
    assert settings(lab, tenant) == before
    # What was announced and then made is one change.
    assert put_back(run, tenant) == [True, True]
    # The way back of the restore is in its events before the first write, too.
    told = [step.task for step in run.steps if "undo" in step.result]
    assert told == ["Announce what is put back", "Put it back"] * 2


def policies(lab: Lab, tenant: Tenant) -> tuple[Any, ...]:
    """The organization's default, and the policies of users who have one of their own."""
    state = lab.simulator.state(tenant.label)
    own = {user["Guid"]: user["AuthenticationPolicy"] for user in state["users"] if user["AuthenticationPolicy"]}
    return state["organization_config"]["DefaultAuthenticationPolicy"], own


def test_one_job_makes_policies_and_gives_them(lab: Lab, controller: Controller, environment: dict[str, str]) -> None:
    """In the pass that announces they are not there yet; all that hangs on them is announced all the same."""
    tenant = small(lab)
    before = policies(lab, tenant)
    variables = {
        **tenant.host_vars,
        "tenant_baseline_authentication_policies": [{"name": "Let", "allow_basic_auth_smtp": True}, {"name": "Block"}],
        "tenant_baseline_smtp_auth_allowed": tenant.allowed("scanner"),
        "tenant_baseline_smtp_auth_authentication_policy": "Let",
        "tenant_baseline_organization_config": {"default_authentication_policy": "Block"},
        "tenant_baseline_max_lose": "100%",
    }
    run = lab.run_playbook(
        PLAYBOOKS / "baseline.yml", [tenant], host_vars={tenant.label: variables}, env=tenant.urls,
        extra_vars={"awx_job_id": JOB}, warns=[EFFECT, "stray", "policy"],
    )  # fmt: skip
    default, own = policies(lab, tenant)
    assert "Block" in default and len(own) == 1
    told = [step for step in run.steps if "undo" in step.result or "results" in step.result]
    keep(
        controller, [as_event(number, step, "exo_cas_mailbox") for number, step in enumerate(told)], status="successful"
    )
    restore(lab, [tenant], environment, warns=[EFFECT, "stays as it is", "policy"], force=True)
    assert policies(lab, tenant) == before


def test_a_job_too_large_for_one_result_is_taken_back(
    lab: Lab, controller: Controller, environment: dict[str, str]
) -> None:
    """Both jobs tell their way back in parts. AWX keeps 700,000 characters of a result, and a GUID takes 40."""
    tenant = lab.tenant(generate={"count": 9000})
    before = pop(lab, tenant)
    variables = {
        **tenant.host_vars,
        "tenant_baseline_all_mailboxes": {"pop_enabled": False},
        "tenant_baseline_max_changes": "100%",
    }
    run = lab.run_playbook(
        PLAYBOOKS / "baseline.yml", [tenant], host_vars={tenant.label: variables}, env=tenant.urls,
        extra_vars={"awx_job_id": JOB}, warns=["exo_cas_mailbox_plan sets them"],
    )  # fmt: skip
    assert not any(pop(lab, tenant).values())
    told = [step for step in run.steps if "undo" in step.result or "results" in step.result]
    assert [step.task for step in told if "results" in step.result] == ["Tell what the announcement had no room for"]
    assert all(len(str(step.result)) < 700_000 for step in told)
    events = [as_event(number, step, "exo_cas_mailbox") for number, step in enumerate(told)]
    keep(controller, events, status="successful")
    run = restore(lab, [tenant], environment, warns=[".*"], awx_job_id=JOB + 1)
    assert put_back(run, tenant) == [True]
    assert run["Announce what is put back"]["undo"]["parts"] == 2
    assert pop(lab, tenant) == before

    keep(controller, events[:1] + events[2:], status="successful")
    run = restore(lab, [tenant], environment, may_fail=True)
    assert "has only 1 of the 2 parts" in run.steps[-1].msg
    assert put_back(run, tenant) == []


def put_back(run: Run, tenant: Tenant) -> list[bool]:
    """Of each content that the playbook tried to put back, whether that changed anything."""
    return [step.changed for step in run.steps if (step.task, step.host) == ("Put it back", tenant.label)]


def test_after_a_failure_the_older_changes_stay(lab: Lab, controller: Controller, environment: dict[str, str]) -> None:
    """The scanner's exception must not go while the organization, which it was made for, is still closed."""
    tenant = small(lab)
    smtp_auth = "smtp_client_authentication_disabled"
    scanner = {"identity": tenant.at("scanner"), smtp_auth: False}
    steps = [
        task("exo_cas_mailbox", {"mailboxes": [scanner], "undo_in_result": True}),
        task("exo_transport_config", {smtp_auth: True, "undo_in_result": True}),
    ]
    run = lab.run_playbook(steps, [tenant], env=tenant.urls, warns=[EFFECT])
    told = [step for step in run.steps if "undo" in step.result]
    keep(controller, [as_event(number, step, "exo_cas_mailbox") for number, step in enumerate(told)])
    closed = settings(lab, tenant)
    tenant.fault("nul_403", match={"cmdlet": "Set-TransportConfig"}, times=None)
    run = restore(lab, [tenant], environment, force=True, warns=[EFFECT], may_fail=True)
    lab.simulator.clear_faults()
    assert len(told) == 2 and run.rc != 0
    assert put_back(run, tenant) == [False]
    assert settings(lab, tenant) == closed


@pytest.mark.parametrize(
    ("more", "lost", "message"),
    [
        ({"status": "running"}, 0, "has not ended"),
        ({}, 1, "has 1 entries, and 0 arrived"),
        ({}, 0, "holds no way back"),
    ],
    ids=["running", "cut short", "nothing changed"],
)
def test_what_can_not_be_taken_back_is_told_before_any_write(
    lab: Lab, controller: Controller, environment: dict[str, str], more: dict[str, Any], lost: int, message: str
) -> None:
    tenant = lab.tenant(generate={"count": 2, "seed": 1})
    step = Step(tenant.label, "any", "ok", False, 0, 0, {"changed": False})
    keep(controller, [as_event(1, step, "exo_cas_mailbox")], **more)
    controller.lost_events = lost
    try:
        run = restore(lab, [tenant], environment, may_fail=True)
    finally:
        controller.lost_events = 0
    assert run.rc != 0
    assert message in run.steps[-1].msg
    assert tenant.log() == []


def test_changes_of_two_tenants_under_one_name_are_refused_before_any_write(
    lab: Lab, controller: Controller, environment: dict[str, str]
) -> None:
    tenant = lab.tenant(generate={"count": 2, "seed": 1})
    group = {"noun": "CASMailbox", "before": {"pop_enabled": True}, "after": {"pop_enabled": False}, "guids": ["g"]}
    ids = (tenant.info.tenant_id, "2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10")
    undos = [{"format": 2, "tenant_id": tenant_id, "written": tenant_id, "groups": [group]} for tenant_id in ids]
    undos[1]["groups"] = [{**group, "guids": ["h"]}]
    steps = [Step(tenant.label, "any", "ok", True, 0, 0, {"changed": True, "undo": undo}) for undo in undos]
    keep(controller, [as_event(number, step, "exo_cas_mailbox") for number, step in enumerate(steps)])
    run = restore(lab, [tenant], environment, may_fail=True)
    assert run.rc != 0 and "more than one tenant" in run.steps[-1].msg
    assert tenant.log() == []
