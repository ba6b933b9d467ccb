# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role in its playbooks: two tenants, from the preview to the audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, Lab, Run, Tenant, small

BASELINE, AUDIT = (ROOT / "playbooks" / f"{name}.yml" for name in ("baseline", "audit"))
WARNS = ["lose SMTP AUTH", "loses SMTP AUTH"]


def changed(run: Run, tenant: Tenant) -> list[str]:
    return [step.task for step in run.steps if step.host == tenant.label and step.changed]


@pytest.mark.smoke
@pytest.mark.skipif(not (BASELINE.exists() and AUDIT.exists()), reason="there are no playbooks yet")
def test_baseline_from_preview_to_audit(lab: Lab, tmp_path: Path) -> None:
    tenants = [small(lab), small(lab)]
    first, second = tenants
    report = tmp_path / "report.json"
    variables: dict[str, dict[str, Any]] = {
        tenant.label: {
            **tenant.host_vars,
            "tenant_baseline_smtp_auth_organization": "disabled",
            "tenant_baseline_smtp_auth_allowed": tenant.allowed("scanner"),
            "tenant_baseline_smtp_auth_unlisted": "not_enabled",
            "tenant_baseline_transport_config_fleet": {"message_expiration": 43200, "clear_categories": False},
            "tenant_baseline_settle": 0,
            "tenant_baseline_restore_dir": str(tmp_path / "undo"),
        }
        for tenant in tenants
    }
    variables[second.label]["tenant_baseline_transport_config"] = {"message_expiration": "18:00:00"}
    variables[second.label]["tenant_baseline_mailboxes"] = [{"identity": "ada", "imap_enabled": False}]
    how: dict[str, Any] = {"host_vars": variables, "env": first.urls, "warns": WARNS}

    drift = lab.run_playbook(AUDIT, tenants, extra_vars={"exo_audit_report": str(report)}, **how)
    statuses = {name: found["status"] for name, found in json.loads(report.read_text())["tenants"].items()}
    assert statuses == {first.label: "drift", second.label: "drift"}
    preview = lab.run_playbook(BASELINE, tenants, check=True, diff=True, **how)
    assert [tenant.writes() for tenant in tenants] == [[], []]
    assert [changed(drift, tenant) for tenant in tenants] == [[], []]
    assert all(changed(preview, tenant) for tenant in tenants)

    lab.run_playbook(BASELINE, tenants, diff=True, **how)
    assert [tenant.transport() for tenant in tenants] == [True, True]
    assert [tenant.transport("MessageExpiration") for tenant in tenants] == ["12:00:00", "18:00:00"]
    assert [tenant.own("scanner") for tenant in tenants] == [False, False]
    assert [tenant.mailbox("ada")["ImapEnabled"] for tenant in tenants] == [True, False]
    written = [len(tenant.writes()) for tenant in tenants]

    again = lab.run_playbook(BASELINE, tenants, **how)
    assert [changed(again, tenant) for tenant in tenants] == [[], []]
    lab.run_playbook(AUDIT, tenants, extra_vars={"exo_audit_report": str(report)}, **how)
    statuses = {name: found["status"] for name, found in json.loads(report.read_text())["tenants"].items()}
    assert statuses == {first.label: "compliant", second.label: "compliant"}
    assert [len(tenant.writes()) for tenant in tenants] == written
