# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role in a job of AWX: what its events show, and the way back that survives it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from harness import FOREIGN_HOST, ROOT, SECRET_FORMS, Lab, Tenant, small, task, tried
from jobs import MOST_OF_A_RESULT, NUMBER, Job, start_job
from processes import HAVE_PROC, wait_for

BASELINE, AUDIT = (ROOT / "playbooks" / f"{name}.yml" for name in ("baseline", "audit"))
pytestmark = pytest.mark.skipif(not HAVE_PROC, reason="needs /proc to find the processes of a run")


def baseline(tenant: Tenant, **more: Any) -> dict[str, Any]:
    return {
        **tenant.host_vars,
        "tenant_baseline_smtp_auth_organization": "disabled",
        "tenant_baseline_smtp_auth_allowed": tenant.allowed("scanner"),
        "tenant_baseline_smtp_auth_unlisted": "not_enabled",
        "tenant_baseline_transport_config": {"clear_categories": False},
        "tenant_baseline_all_mailboxes": {"pop_enabled": False},
        "tenant_baseline_propagation_delay": 0,
        **more,
    }


def test_what_a_job_shows(lab: Lab, tmp_path: Path) -> None:
    """Twice the same job: for the second one there is nothing left to do. Then an audit."""
    tenants = [small(lab), small(lab)]
    variables = {tenant.label: baseline(tenant, tenant_baseline_report_dir=str(tmp_path)) for tenant in tenants}
    jobs = [start_job(lab, BASELINE, tenants, variables)]
    assert jobs[0].wait() == 0, jobs[0].running.said
    jobs.append(start_job(lab, BASELINE, tenants, variables))
    assert jobs[1].wait() == 0, jobs[1].running.said
    assert all(tenant.transport() is True for tenant in tenants)
    without_evidence = {tenant.label: baseline(tenant) for tenant in tenants}
    audit = start_job(lab, AUDIT, tenants, without_evidence)
    assert audit.wait() == 0, audit.running.said

    secrets = [*tenants[0].secrets, *tenants[1].secrets]
    for event in [*jobs[0].events, *jobs[1].events, *audit.events]:
        text = json.dumps(event)
        assert not [secret for secret in secrets if secret in text]
        assert not [form for form in SECRET_FORMS if form.search(text)]
        assert len(str(event["event_data"].get("res", ""))) < MOST_OF_A_RESULT
    # The page of a job shows 4,000 events. What two hosts share comes once.
    assert [len(job.of_host(tenants[1])) for job in (jobs[1], audit)] == [12, 13]
    said = [event["stdout"] for event in jobs[1].events if event["event"] in ("verbose", "warning")]
    # Whether the directory of a test is a mount depends on the machine.
    assert [text for text in said if not re.search(f"{FOREIGN_HOST}|not.mounted", text)] == []

    for job, status in ((jobs[0], "changed"), (jobs[1], "unchanged")):
        assert sorted(job.artifacts) == sorted(f"exo_{tenant.label}" for tenant in tenants)
        assert {found["status"] for found in job.artifacts.values()} == {status}
        assert not [tenant.domain for tenant in tenants if tenant.at("scanner") in json.dumps(job.artifacts)]
    figures = jobs[0].artifacts[f"exo_{tenants[0].label}"]
    assert (figures["lose"], figures["gain"], figures["undo_in_events"]) == (4, 0, True)
    # Slices run at the same time and have numbers of their own.
    reports = sorted(path.name for path in tmp_path.iterdir())
    assert len(reports) >= len(tenants)
    assert all(name.endswith(f"-job{NUMBER}.json") for name in reports)


def killed(lab: Lab, tenant: Tenant, *, after_writes: int, batches: int) -> Job:
    """A job that turns POP off for all, killed in the middle. batches: how many the service takes before it hangs."""
    tenant.fault("delay", match={"endpoint": "batch"}, after=batches, times=None, seconds=600)
    variables = {
        **tenant.host_vars,
        "exo_concurrency": 2,
        "tenant_baseline_all_mailboxes": {"pop_enabled": False},
        "tenant_baseline_max_changes": "100%",
    }
    job = start_job(lab, BASELINE, [tenant], {tenant.label: variables})
    wait_for(lambda: len(tenant.writes()) >= after_writes or not job.running.alive)
    job.kill_the_container()
    job.wait()
    return job


def test_a_cancelled_job_is_taken_back_from_its_events(lab: Lab) -> None:
    """No directory is mounted: what the job was about to change is in the events of its pass in check mode."""
    count = 800
    tenant = lab.tenant(transport_config={"SmtpClientAuthenticationDisabled": True}, generate={"count": count})
    before = boxes(tenant)
    job = killed(lab, tenant, after_writes=count // 2, batches=40)
    assert count // 2 <= len(tenant.writes()) < count, job.running.said
    assert not [event for event in job.events if event["event"] == "playbook_on_stats"]
    (content,) = [result["undo"] for result in job.results if result.get("undo")]
    assert len(json.dumps(content)) < 60 * count
    assert "@" not in json.dumps(content)
    lab.simulator.clear_faults()
    run = tenant.run([task("exo_restore", {"content": content}, named="back")], warns=["changed since"])
    assert run["back"].changed
    assert boxes(tenant) == before


def test_a_job_too_large_for_one_result_is_taken_back_from_the_parts(lab: Lab) -> None:
    """A GUID takes 40 characters of a result, of which AWX keeps 700,000 at most."""
    count = 9000
    tenant = lab.tenant(transport_config={"SmtpClientAuthenticationDisabled": True}, generate={"count": count})
    before = boxes(tenant)
    job = killed(lab, tenant, after_writes=100, batches=10)
    assert 100 <= len(tenant.writes()) < count, job.running.said
    assert max(len(str(result)) for result in job.results) < MOST_OF_A_RESULT
    parts = {result["undo"]["part"]: result["undo"] for result in job.results if result.get("undo")}
    assert list(parts) == [1, 2]
    lab.simulator.clear_faults()
    log = len(tenant.writes())
    run = tenant.run(
        [
            tried("exo_restore", {"content": parts[2]}, named="half"),
            task("exo_restore", {"content": [parts[2], parts[1]]}, named="back"),
        ],
        warns=["changed since"],
    )
    assert "Missing: 1." in run["half"].msg
    assert len(tenant.writes()) == 2 * log
    assert boxes(tenant) == before


def boxes(tenant: Tenant) -> dict[str, Any]:
    return {box["Guid"]: box["PopEnabled"] for box in tenant.lab.simulator.state(tenant.label)["mailboxes"]}
