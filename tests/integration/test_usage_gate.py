# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""exo_smtp_auth with require_unused_days: nobody who uses SMTP AUTH loses it unawares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faults import documented
from harness import ROOT, Lab, Tenant, small, task, tried

BASELINE = ROOT / "playbooks" / "baseline.yml"
SMTP_AUTH = "exo_smtp_auth"
LOSES = "lose SMTP AUTH in effect"


def with_senders(lab: Lab, **entra: Any) -> Tenant:
    """Of the four mailboxes that follow the organization, reports and scanner send, and ben's password is tried out."""
    tenant = small(lab)
    sign_ins = [
        {"user": tenant.at("scanner"), "days_ago": 1},
        {"user": tenant.at("reports"), "days_ago": 3, "ip": "203.0.113.20"},
        {"user": tenant.at("ben"), "days_ago": 1, "error": 50126, "times": 5},
    ]
    tenant.patch(entra={"sign_ins": sign_ins, **entra})
    return tenant


def closing(tenant: Tenant, **more: Any) -> dict[str, Any]:
    return {"organization": "disabled", "allowed": [tenant.at("scanner")], "require_unused_days": 30, **more}


@pytest.mark.smoke
def test_a_mailbox_in_use_stops_the_plan_and_is_named_until_it_is_accepted(lab: Lab) -> None:
    tenant = with_senders(lab)
    accepted = closing(tenant, accept_cutoff=[tenant.at("reports")])
    run = tenant.run(
        [
            tried(SMTP_AUTH, closing(tenant), named="check", check_mode=True),
            tried(SMTP_AUTH, closing(tenant), named="refused"),
            # It follows the organization, whatever the task leaves alone.
            tried(SMTP_AUTH, closing(tenant, exclude=[tenant.at("reports")]), named="excluded"),
            tried(SMTP_AUTH, closing(tenant, accept_cutoff=[tenant.at("report")]), named="misspelt"),
            task(SMTP_AUTH, accepted, named="accepted, check", check_mode=True),
            task(SMTP_AUTH, accepted, named="accepted"),
            task(SMTP_AUTH, accepted, named="again"),
        ],
        warns=[LOSES, "explicitly enabled"],
    )
    for name in ("check", "refused", "excluded"):
        step = run[name].refused("refused", rf"{tenant.at('reports')} \(last seen 20.*Z from 203\.0\.113\.20\)")
        assert "1 mailbox that would lose" in step.msg
        assert [one["identity"] for one in step["cut_off"]] == [tenant.at("reports")]
        assert tenant.writes(step) == []
    documented("mailbox in use", run["refused"])
    run["misspelt"].refused("not_found", "accept_cutoff")
    assert run["accepted, check"].changed
    assert run["accepted"].changed
    assert not run["again"].changed
    assert tenant.transport() is True
    assert tenant.own("scanner") is False


@pytest.mark.parametrize(
    ("entra", "reason"),
    [({"licence": "none"}, "no Entra ID P1 or P2"), ({"log_days": 4}, "reaches back")],
)
def test_what_is_not_known_stops_the_plan(lab: Lab, entra: dict[str, Any], reason: str) -> None:
    tenant = with_senders(lab, **entra)
    step = tenant.one(SMTP_AUTH, closing(tenant), warns=[LOSES, "explicitly enabled"])
    step.refused("refused", reason, "is not known")
    if "licence" in entra:
        documented("use that is not known", step)
    assert tenant.writes() == []


def test_a_log_that_breaks_off_or_may_not_be_read_stops_the_plan(lab: Lab) -> None:
    broken, closed = with_senders(lab, page_size=2), small(lab, apps=[{"graph_roles": []}])
    broken.fault("page_expired", match={"endpoint": "graph", "resource": "sign_ins", "page": 3}, times=None)
    accepted = closing(broken, accept_cutoff=[broken.at("reports")])
    warns = [LOSES, "explicitly enabled"]
    broken.one(SMTP_AUTH, accepted, warns=warns).refused("refused", "not read to its end", "page")
    step = closed.one(SMTP_AUTH, closing(closed), warns=warns).refused("refused", "HTTP 403")
    assert "grant the app AuditLog.Read.All of Microsoft Graph or give usage_report" in step["hint"]
    assert [tenant.writes() for tenant in (broken, closed)] == [[], []]


def test_a_report_counts_without_a_licence(lab: Lab, tmp_path: Path) -> None:
    tenant = with_senders(lab, licence="none")
    report = tmp_path / "report.csv"
    report.write_text(f"Sender address,Messages\n{tenant.at('reports')},3\n")
    step = tenant.one(SMTP_AUTH, closing(tenant, usage_report=str(report)), warns=[LOSES, "explicitly enabled"])
    step.refused("refused", r"reports@\S+ \(last seen in the report\)", "which days it covers")


def test_who_loses_nothing_is_asked_nothing(lab: Lab) -> None:
    tenant = with_senders(lab)
    step = tenant.one(
        SMTP_AUTH, {"allowed": [tenant.at("scanner")], "require_unused_days": 30}, warns=["explicitly enabled"]
    )
    assert step.ok().changed
    assert [entry for entry in lab.simulator.requests(tenant.label) if entry["kind"] == "graph"] == []


def test_the_role_takes_the_gate(lab: Lab) -> None:
    tenant = with_senders(lab)
    variables = {
        **tenant.host_vars,
        "tenant_baseline_smtp_auth_organization": "disabled",
        "tenant_baseline_smtp_auth_allowed": [tenant.at("scanner")],
        "tenant_baseline_smtp_auth_require_unused_days": 30,
        "tenant_baseline_propagation_delay": 0,
    }
    how: dict[str, Any] = {"env": tenant.urls, "warns": [LOSES, "explicitly enabled"]}
    run = lab.run_playbook(BASELINE, [tenant], may_fail=True, host_vars={tenant.label: variables}, **how)
    assert run.rc != 0
    assert any("203.0.113.20" in step.msg for step in run.steps if step.failed)
    assert tenant.writes() == []
    variables["tenant_baseline_smtp_auth_accept_cutoff"] = [tenant.at("reports")]
    lab.run_playbook(BASELINE, [tenant], host_vars={tenant.label: variables}, **how)
    assert tenant.transport() is True
