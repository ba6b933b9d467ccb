# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback ``fleet`` on real runs: what changes, what failed, and a table, each with its tenant."""

from __future__ import annotations

import re
from typing import Any

from harness import ROOT, Lab, Tenant, small, task

FLEET = {"ANSIBLE_STDOUT_CALLBACK": "m365.exchange_online.fleet"}


def close(tenant: Tenant, **more: Any) -> dict[str, Any]:
    return {"organization": "disabled", "allowed": "{{ allowed }}", **more}


def fleet(lab: Lab, **how: Any) -> tuple[Tenant, Tenant, list[str]]:
    """One tenant where all is well and one with a wrong secret; returns what was printed."""
    good, bad = small(lab), small(lab)
    bad.patch(apps=[{"client_id": bad.info.client_id, "directory_role": "none"}])
    tasks = [task("exo_smtp_auth", close(good), named="close"), task("ansible.builtin.debug", {"msg": ["one", "two"]})]
    variables = {tenant.label: {"allowed": tenant.allowed("scanner")} for tenant in (good, bad)}
    run = lab.run_playbook(tasks, [good, bad], may_fail=True, env=FLEET, host_vars=variables, **how)
    return good, bad, run.stdout.splitlines()


def test_a_fleet_on_one_screen(lab: Lab) -> None:
    good, bad, lines = fleet(lab)
    assert lines[0] == "Test, 2 tenants"
    (closed,) = [line for line in lines if "organization off" in line]
    assert closed.startswith(good.label)
    assert "3 lose SMTP AUTH" in closed
    assert f"{bad.label}: FAILED in the task 'close'" in lines
    assert "  error_code: access_denied" in lines
    assert lines[lines.index(f"{good.label}: one") + 1] == "  two"
    rows = {line.split()[0]: line.split()[1:] for line in lines[-3:-1]}
    assert rows == {good.label: ["changed", "3", "0"], bad.label: ["FAILED", "?", "?"]}
    assert lines[-1] == "2 tenants: 1 changed, 1 FAILED"
    assert not any(line.startswith(("TASK", "ok:", "PLAY")) for line in lines)


def test_a_preview_shows_each_change_in_a_line(lab: Lab) -> None:
    good, _bad, lines = fleet(lab, check=True, diff=True)
    assert lines[0] == "Test, 2 tenants (check mode: nothing is written)"
    assert good.writes() == []
    (scanner,) = [line for line in lines if f"scanner@{good.domain}" in line]
    assert re.search("→", scanner)
    assert [line.split()[1:3] for line in lines if line.startswith(f"{good.label} ")] == [["would", "change"]]


def test_one_tenant_has_a_table_of_one_row(tenant: Tenant) -> None:
    tasks = [task("exo_transport_config", {"clear_categories": False}), task("exo_transport_config_info")]
    first = tenant.run(tasks, env=FLEET).stdout.splitlines()
    assert first[0] == "Test"
    assert first[-1] == "1 tenant: 1 changed"
    second = tenant.run(tasks, env=FLEET).stdout.splitlines()
    assert second[-1] == "1 tenant: 1 unchanged"
    assert len(second) < 8


def test_the_role_tells_a_failure_once(tenant: Tenant) -> None:
    tenant.patch(apps=[{"client_id": tenant.info.client_id, "directory_role": "none"}])
    variables = {
        **tenant.host_vars,
        "tenant_baseline_transport_config": {"clear_categories": False},
        "tenant_baseline_smtp_auth_organization": "disabled",
    }
    run = tenant.lab.run_playbook(
        ROOT / "playbooks" / "baseline.yml", [tenant], may_fail=True, host_vars={tenant.label: variables},
        env={**tenant.urls, **FLEET},
    )  # fmt: skip
    screen = run.stdout.splitlines()
    host = tenant.label
    assert [line for line in screen if line.startswith(f"{host}: ")] == [
        f"{host}: FAILED in the task 'Transport settings of the organization'",
        f"{host}: FAILED in the task 'Who may use SMTP AUTH'",
        f"{host}: FAILED",
    ]
    assert "  SMTP AUTH: FAILED (access_denied), see what its task said above" in screen
    assert "'Fail'" not in run.stdout
