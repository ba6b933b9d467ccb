# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role in its playbooks: two tenants, from the preview to the audit."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import ROOT, Lab, Run, Tenant, small

from ansible_collections.m365.exchange_online.plugins.plugin_utils._service_verdict import MEANINGS, NEEDED, NEW

NAMES = ("baseline", "audit", "restore", "live_check", "export")
BASELINE, AUDIT, RESTORE, LIVE_CHECK, EXPORT = (ROOT / "playbooks" / f"{name}.yml" for name in NAMES)
WARNS = ["loses? SMTP AUTH", "gains? SMTP AUTH"]
CLOSE = {
    "tenant_baseline_smtp_auth_organization": "disabled",
    "tenant_baseline_smtp_auth_allowed": [{"identity": "scanner"}],
    "tenant_baseline_smtp_auth_unlisted": "not_enabled",
    "tenant_baseline_propagation_delay": 0,
}


def changed(run: Run, tenant: Tenant) -> list[str]:
    return [step.task for step in run.steps if step.host == tenant.label and step.changed]


@pytest.mark.smoke
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
            "tenant_baseline_propagation_delay": 0,
            "tenant_baseline_undo_dir": str(tmp_path),
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
    # Each is two events in AWX, which shows 4,000 of a job.
    assert len([step for step in again.steps if step.host == second.label]) <= 6
    extra = {"exo_audit_report": str(report), "awx_job_id": 4711}
    audit = lab.run_playbook(AUDIT, tenants, extra_vars=extra, **how)
    of_job = tmp_path / "report-job4711.json"
    statuses = {name: found["status"] for name, found in json.loads(of_job.read_text())["tenants"].items()}
    assert statuses == {first.label: "compliant", second.label: "compliant"}
    (kept,) = [step for step in audit.steps if "ansible_stats" in step.result]
    figures = kept["ansible_stats"]["data"]
    assert sorted(figures) == [f"exo_{first.label}", f"exo_{second.label}"]
    assert figures[f"exo_{first.label}"]["status"] == "compliant"
    assert [len(tenant.writes()) for tenant in tenants] == written


def test_an_audit_tells_who_can_use_smtp_auth_and_what_it_could_not_read(lab: Lab, tmp_path: Path) -> None:
    """Of a tenant that shows all, of one whose app may not read Microsoft Graph, and of one that is not to be asked."""
    tenants = [small(lab), small(lab, apps=[{"graph_roles": []}]), small(lab)]
    full, half, out = tenants
    full.patch(entra={"sign_ins": [{"user": full.at("reports"), "days_ago": 2}]})
    hostile = {"code": 403, "type": "Forbidden", "message": "{{ 7 * 7 }}"}
    half.fault("status", match={"endpoint": "graph", "resource": "security_defaults"}, times=None, **hostile)
    report = tmp_path / "report.json"
    baseline = {"tenant_baseline_smtp_auth_allowed": ["scanner"], "tenant_baseline_smtp_auth_unlisted": "not_enabled"}
    variables: dict[str, dict[str, Any]] = {one.label: {**one.host_vars, **baseline} for one in tenants}
    variables[out.label]["tenant_baseline_verdict"] = False
    how: dict[str, Any] = {"host_vars": variables, "env": full.urls, "warns": WARNS}
    run = lab.run_playbook(AUDIT, tenants, extra_vars={"exo_audit_report": str(report)}, **how)

    found = {name: one["verdict"] for name, one in json.loads(report.read_text())["tenants"].items()}
    boxes = len(lab.simulator.state(full.label)["mailboxes"])
    assert found[out.label] is None
    assert found[full.label]["mailboxes"] == found[half.label]["mailboxes"] == boxes
    assert found[full.label]["usage"]["used"] == found[full.label]["used"]["basic"]["allowed"] == 1
    assert found[full.label]["closing"]["sample"][0]["identity"] == full.at("reports")
    assert found[full.label]["unread"] == []
    assert found[half.label]["basic"]["unknown"] > 0
    assert found[half.label]["usage"] == {"used": 0, "not_seen": 0, "unknown": boxes}
    assert {one["permission"] for one in found[half.label]["unread"]} == {"Policy.Read.All", "AuditLog.Read.All"}

    assert any("{{ 7 * 7 }}" in one["reason"] for one in found[half.label]["unread"])

    table = {line.split()[0]: line.split() for line in run.step("Show the table of tenants")["msg"]}
    basic, oauth = (str(found[full.label][way]["allowed"]) for way in ("basic", "oauth"))
    assert table[full.label][5:] == [basic, oauth, "1", str(found[full.label]["closing"]["cut_off"])]
    assert "-" in table[half.label][5]
    assert table[half.label][7] == "?"
    assert table[out.label][5:] == ["?"] * 4
    assert "AuditLog.Read.All (in 1 tenant), Policy.Read.All (in 1 tenant)" in run.output
    assert [entry for entry in lab.simulator.requests(out.label) if entry["kind"] == "graph"] == []
    # It takes no event of AWX more.
    steps = [len([step for step in run.steps if step.host == one.label]) for one in (half, out)]
    assert steps[0] == steps[1]
    assert all(tenant.writes() == [] for tenant in tenants)


def of(tenant: Tenant, variables: dict[str, Any]) -> dict[str, Any]:
    """How a playbook is run for one tenant with these variables."""
    return {"host_vars": {tenant.label: {**tenant.host_vars, **variables}}, "env": tenant.urls, "warns": WARNS}


def state(tenant: Tenant) -> Any:
    """What a restore has to bring back."""
    found = tenant.lab.simulator.state(tenant.label)
    parts = (found["transport_config"], *found["mailboxes"])
    return [{name: part[name] for name in part if not name.startswith("WhenChanged")} for part in parts]


def test_hold_restore_and_again(tenant: Tenant, tmp_path: Path) -> None:
    """Two parts of a baseline are put back in reverse order; the hold keeps the next run away."""
    baseline = {
        **CLOSE,
        "tenant_baseline_transport_config": {"clear_categories": False},
        "tenant_baseline_undo_dir": str(tmp_path),
    }
    before = state(tenant)
    held = {**baseline, "tenant_baseline_hold": True}
    first = tenant.lab.run_playbook(BASELINE, [tenant], **of(tenant, held))
    assert any("on hold" in step.msg for step in first.steps)
    assert tenant.log() == []
    tenant.lab.run_playbook(BASELINE, [tenant], **of(tenant, baseline))
    assert state(tenant) != before
    files = sorted(str(path) for path in tmp_path.glob("*.json"))
    assert [Path(path).stem.rpartition("-")[2] for path in files] == ["smtp_auth", "transport_config"]
    back = {"extra_vars": {"exo_undo_file": files}, **of(tenant, held)}
    # Without a limit the files say which tenant is meant.
    other = small(tenant.lab)
    both = {**back, "host_vars": {**back["host_vars"], other.label: other.host_vars}}
    preview = tenant.lab.run_playbook(RESTORE, [other, tenant], check=True, **both)
    assert changed(preview, tenant)
    assert other.log() == []
    assert state(tenant) != before
    tenant.lab.run_playbook(RESTORE, [tenant], **back)
    assert state(tenant) == before
    again = tenant.lab.run_playbook(RESTORE, [tenant], **back)
    tenant.lab.run_playbook(BASELINE, [tenant], **of(tenant, held))
    assert changed(again, tenant) == []
    assert state(tenant) == before
    nameless = tenant.lab.run_playbook(RESTORE, [tenant], may_fail=True, **of(tenant, {}))
    assert any("exo_undo_file" in step.msg for step in nameless.steps if step.failed)
    lost = {"extra_vars": {"exo_undo_file": [*files, "undo.json"]}, **of(tenant, {})}
    elsewhere = tenant.lab.run_playbook(RESTORE, [tenant], may_fail=True, **lost)
    assert any("absolute path of a file that is there, and undo.json is not" in step.msg for step in elsewhere.steps)
    assert state(tenant) == before


def test_live_check(tenant: Tenant, tmp_path: Path) -> None:
    report = tmp_path / "answers.json"
    run = tenant.lab.run_playbook(
        LIVE_CHECK, [tenant], extra_vars={"exo_live_check_report": str(report)}, **of(tenant, {})
    )
    text = report.read_text()
    (checks,) = json.loads(text)["tenants"]
    assert checks == run["Ask the service"]["checks"]
    assert {check["name"] for check in checks} == {*NEEDED, *MEANINGS, NEW}
    assert run["Say what the answers come to"]["msg"][0].startswith("READY to read")
    assert tenant.writes() == []
    assert tenant.domain not in text
    assert oct(report.stat().st_mode)[-3:] == "600"


def test_blank_variables_are_not_given(lab: Lab, tmp_path: Path) -> None:
    """A survey hands over '' or null for what nobody filled in."""
    specs = yaml.safe_load((ROOT / "roles" / "tenant_baseline" / "meta" / "argument_specs.yml").read_text())
    names = [name for name in specs["argument_specs"]["main"]["options"] if name.startswith("tenant_baseline_")]
    others = ("exo_client_secret", "exo_certificate_path", "exo_certificate", "exo_certificate_password",
              "exo_federated_token_file", "exo_access_token", "exo_auth_source", "exo_cloud", "exo_timeout",
              "exo_retries", "exo_concurrency")  # fmt: skip
    runs = (
        "exo_hosts",
        "exo_serial",
        "exo_max_fail_percentage",
        "exo_audit_report",
        "exo_audit_fail_on",
        "exo_audit_evidence",
    )
    assert len(names) > 15
    tenants = {value: small(lab) for value in ("", None)}
    for value, tenant in tenants.items():
        how = of(tenant, dict.fromkeys(names, value))
        how["host_vars"][tenant.label] = {
            **dict.fromkeys(others, value), **tenant.host_vars, **dict.fromkeys(names, value)
        }  # fmt: skip
        extra = dict.fromkeys(runs, value)
        run = lab.run_playbook(BASELINE, [tenant], extra_vars=extra, may_fail=True, **how)
        (refused,) = [step for step in run.steps if step.failed]
        assert "declares nothing" in refused.msg
        audit = lab.run_playbook(AUDIT, [tenant], extra_vars=extra, may_fail=True, **how)
        assert audit.rc != 0
        (found,) = [step for step in audit.steps if step.task.endswith("Keep how the tenant stands")]
        assert found["ansible_facts"]["tenant_baseline_audit"]["status"] == "undeclared"
        assert tenant.log() == []


def test_one_wrong_secret_stops_one_tenant(lab: Lab, tmp_path: Path) -> None:
    good, bad = small(lab), small(lab)
    variables: dict[str, dict[str, Any]] = {
        tenant.label: {
            **tenant.host_vars,
            **CLOSE,
            "tenant_baseline_transport_config": {"clear_categories": False},
            "tenant_baseline_report_dir": str(tmp_path),
        }
        for tenant in (bad, good)
    }
    variables[bad.label]["exo_client_secret"] = "not-the-secret"
    how: dict[str, Any] = {"host_vars": variables, "env": good.urls, "warns": WARNS, "secrets": ["not-the-secret"]}
    run = lab.run_playbook(BASELINE, [bad, good], may_fail=True, **how)
    assert run.rc != 0
    failure, *closing = [step for step in run.steps if step.failed]
    failure.refused("authentication_failed", "secret is wrong", bad.domain)
    assert [step.task for step in closing] == ["Say how it went", "Fail"]
    assert {step.host for step in (failure, *closing)} == {bad.label}
    # What is wrong with it is told once.
    assert not [step for step in closing if "secret is wrong" in step.msg]
    assert "transport settings: FAILED (authentication_failed)" in closing[0].msg
    assert "SMTP AUTH: not tried" in closing[0].msg
    (figures,) = [step for step in run.steps if step.task == "Keep the figures of a tenant that failed"]
    (artifact,) = figures["ansible_stats"]["data"].values()
    assert (artifact["status"], artifact["error_codes"]) == ("failed", ["authentication_failed"])
    assert (good.transport(), good.own("scanner"), good.own("stray")) == (True, False, None)
    assert bad.log() == []
    reports = {path.name.partition("-2")[0]: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert reports[bad.label]["status"] == "failed"
    assert reports[bad.label]["results"]["transport_config"]["error_code"] == "authentication_failed"
    assert reports[good.label]["status"] == "changed"
    report = tmp_path / "audit"
    # A host whose variables can't even be read is not forgotten.
    variables[bad.label]["tenant_baseline_hold"] = "{{ nowhere.to.be.found }}"
    lab.run_playbook(AUDIT, [bad, good], may_fail=True, extra_vars={"exo_audit_report": str(report)}, **how)
    statuses = {name: found["status"] for name, found in json.loads(report.read_text())["tenants"].items()}
    assert statuses == {bad.label: "unknown", good.label: "compliant"}


@pytest.mark.parametrize("rival", ["tenant_baseline_mailboxes", "tenant_baseline_all_mailboxes"])
def test_one_owner_of_smtp_auth(rival: str, tenant: Tenant) -> None:
    """Two dictionaries would be applied one after the other: the organization closed before its exceptions are open."""
    smtp = "smtp_client_authentication_disabled"
    own: Any = {smtp: False}
    variables = {
        "tenant_baseline_transport_config": {smtp: True},
        rival: [{"identity": "scanner", **own}] if rival == "tenant_baseline_mailboxes" else own,
    }
    run = tenant.lab.run_playbook(BASELINE, [tenant], may_fail=True, **of(tenant, variables))
    (failure,) = [step for step in run.steps if step.failed]
    assert "tenant_baseline_transport_config" in failure.msg and rival in failure.msg
    assert "could be closed before its exceptions are open" in failure.msg
    assert tenant.log() == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"extra_vars": {"exo_hosts": "elsewhere"}, "warns": ["elsewhere"]}, "no tenant is selected"),
        ({"arguments": ["--tags", "smtp-auth"]}, "--tags names smtp-auth"),
        ({"arguments": ["--tags", "mailboxes"]}, "declares smtp_auth, and this run was asked for mailboxes"),
        ({"extra_vars": {"exo_serial": "1, 10"}}, "exo_serial is 1, 10. It takes"),
        ({"arguments": ["--skip-tags", "mailboxes"]}, "--skip-tags mailboxes would leave out every part"),
    ],
    ids=["no host", "no tag", "no part", "no number", "skipped"],
)
@pytest.mark.parametrize("playbook", [BASELINE, AUDIT], ids=["baseline", "audit"])
def test_nothing_done_is_not_green(playbook: Path, how: dict[str, Any], words: str, tenant: Tenant) -> None:
    run = tenant.lab.run_playbook(playbook, [tenant], may_fail=True, **{**of(tenant, CLOSE), **how})
    assert run.rc != 0
    assert any(words in step.msg for step in run.steps if step.failed)
    assert tenant.log() == []


def test_a_part_that_fails_leaves_the_others_to_converge(tenant: Tenant) -> None:
    variables = {**CLOSE, "tenant_baseline_transport_config": {"message_expiration": "never"}}
    run = tenant.lab.run_playbook(BASELINE, [tenant], may_fail=True, **of(tenant, variables))
    assert run.rc != 0
    assert changed(run, tenant) == ["Who may use SMTP AUTH"]
    assert (tenant.transport(), tenant.own("scanner")) == (True, False)
    assert "message_expiration" in run["Transport settings of the organization"].msg
    assert "transport settings: FAILED" in run["Say how it went"].msg


def test_a_tag_works_alone(tenant: Tenant) -> None:
    variables = {**CLOSE, "tenant_baseline_transport_config": {"clear_categories": False}}
    run = tenant.lab.run_playbook(BASELINE, [tenant], arguments=["--tags", "transport_config"], **of(tenant, variables))
    assert changed(run, tenant) == ["Transport settings of the organization"]
    assert (tenant.transport("ClearCategories"), tenant.transport()) == (False, False)


@pytest.mark.smoke
def test_the_role_by_itself(lab: Lab, tmp_path: Path) -> None:
    """The tenant is the host's own: one that names none is not given the environment's."""
    mine, others = small(lab), small(lab)
    play = tmp_path / "play.yml"
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "name": "Keep tenants",
                    "hosts": "tenants",
                    "gather_facts": False,
                    "serial": 1,
                    "max_fail_percentage": 100,
                    "roles": ["m365.exchange_online.tenant_baseline"],
                }
            ]
        )
    )
    nameless = {name: value for name, value in others.host_vars.items() if name != "exo_tenant"}
    host_vars = {mine.label: {**mine.host_vars, **CLOSE}, others.label: {**nameless, **CLOSE}}
    environment = {**mine.urls, "EXO_TENANT": others.domain}
    run = lab.run_playbook(play, [mine, others], may_fail=True, host_vars=host_vars, env=environment, warns=WARNS)
    (refused,) = [step for step in run.steps if step.failed]
    assert f"{others.label} has no exo_tenant" in refused.msg
    assert others.log() == []
    assert (mine.transport(), mine.own("scanner")) == (True, False)


ROLE = "m365.exchange_online.tenant_baseline"
CHECKED: dict[str, dict[str, Any]] = {
    "the play": {"check_mode": True, "roles": [ROLE]},
    "the role": {"roles": [{"role": ROLE, "check_mode": True}]},
    "an import": {"tasks": [{"ansible.builtin.import_role": {"name": ROLE}, "check_mode": True}]},
    "an include": {"tasks": [{"ansible.builtin.include_role": {"name": ROLE, "apply": {"check_mode": True}}}]},
    "a block": {"tasks": [{"check_mode": True, "block": [{"ansible.builtin.import_role": {"name": ROLE}}]}]},
}


@pytest.mark.parametrize("job", [{}, {"awx_job_id": 4711}], ids=["", "in a job"])
def test_the_role_writes_nothing_where_a_keyword_says_check_mode(
    job: dict[str, Any], tenant: Tenant, tmp_path: Path
) -> None:
    """No variable knows of the keyword, so whatever goes by ansible_check_mode would write."""
    plays = [{"name": name, "hosts": "tenants", "gather_facts": False, **play} for name, play in CHECKED.items()]
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump(plays))
    reports = tmp_path / "reports"
    reports.mkdir()
    # In a job a directory that is not mounted warns.
    variables = CLOSE if job else {**CLOSE, "tenant_baseline_report_dir": str(reports)}
    how = of(tenant, variables) | {"warns": [*WARNS, "on no list"]}
    run = tenant.lab.run_playbook(playbook, [tenant], extra_vars=job, **how)
    shown = [step for step in run.steps if step.task == "Who may use SMTP AUTH"]
    assert [step.changed for step in shown if "would lose" in step.msg] == [True] * len(shown)
    assert len(shown) >= len(CHECKED)
    assert tenant.writes() == []
    assert list(reports.iterdir()) == []


def test_a_canary_as_text(lab: Lab) -> None:
    """A survey has no lists: serial and the share of failures arrive as text; a typing mistake stops the canary."""
    tenants = [small(lab) for _number in range(3)]
    variables: dict[str, dict[str, Any]] = {tenant.label: {**tenant.host_vars, **CLOSE} for tenant in tenants}
    variables[tenants[0].label]["tenant_baseline_smtp_auth_alowed"] = []
    extra = {"exo_serial": "[1, '100%']", "exo_max_fail_percentage": "0"}
    run = lab.run_playbook(
        BASELINE, tenants, may_fail=True, host_vars=variables, env=tenants[0].urls, extra_vars=extra, warns=WARNS
    )
    (refused,) = [step for step in run.steps if step.failed]
    assert "Did you mean tenant_baseline_smtp_auth_allowed?" in refused.msg
    assert [tenant.log() for tenant in tenants] == [[], [], []]


def test_unlisted_mailboxes_are_told(tenant: Tenant, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    variables = {**CLOSE, "tenant_baseline_smtp_auth_unlisted": "unmanaged"}
    how = of(tenant, variables) | {"warns": [*WARNS, "on no list"]}
    tenant.lab.run_playbook(BASELINE, [tenant], **how)
    extra = {"exo_audit_report": str(report)}
    tenant.lab.run_playbook(AUDIT, [tenant], extra_vars=extra, **how)
    found = json.loads(report.read_text())["tenants"][tenant.label]
    assert found["status"] == "unlisted"
    assert found["unlisted_enabled"] == {"count": 1, "mailboxes": [tenant.at("stray")]}
    failing = tenant.lab.run_playbook(
        AUDIT, [tenant], may_fail=True, extra_vars={**extra, "exo_audit_fail_on": "drift, unlisted"}, **how
    )
    assert failing.rc != 0
    relative = tenant.lab.run_playbook(
        AUDIT, [tenant], may_fail=True, extra_vars={"exo_audit_report": "report.json"}, **how
    )
    (refused,) = [step for step in relative.steps if step.failed]
    assert "/report.json meant?" in refused.msg


def test_the_rare_parts(tenant: Tenant) -> None:
    """A policy is made, lets an allowed mailbox through, and the default that blocks all others comes after that."""
    variables = {
        **CLOSE,
        "tenant_baseline_authentication_policies": [
            {"name": "Let SMTP through", "allow_basic_auth_smtp": True},
            {"name": "Block Basic"},
        ],
        "tenant_baseline_smtp_auth_authentication_policy": "Let SMTP through",
        "tenant_baseline_organization_config": {"default_authentication_policy": "Block Basic"},
        "tenant_baseline_cas_mailbox_plans": [{"identity": "ExchangeOnlineEnterprise", "pop_enabled": False}],
    }
    how = of(tenant, variables) | {"warns": [".*"]}
    tenant.lab.run_playbook(BASELINE, [tenant], **how)
    users = {user["UserPrincipalName"]: user for user in tenant.lab.simulator.state(tenant.label)["users"]}
    assert users[tenant.at("scanner")]["AuthenticationPolicy"] == "Let SMTP through"
    again = tenant.lab.run_playbook(BASELINE, [tenant], **how)
    assert changed(again, tenant) == []
    audit = tenant.lab.run_playbook(AUDIT, [tenant], **how)
    (kept,) = [step for step in audit.steps if step.task.endswith("Keep how the tenant stands")]
    assert kept["ansible_facts"]["tenant_baseline_audit"]["status"] == "compliant"


@pytest.mark.parametrize("playbook", [BASELINE, AUDIT], ids=["baseline", "audit"])
def test_two_hosts_of_one_tenant_are_refused(playbook: Path, lab: Lab) -> None:
    """By its GUID, whatever each of them calls it; the third host goes on."""
    twice, other = small(lab), small(lab)
    again = Tenant(lab, replace(twice.info, label=f"{twice.label}-again"))
    variables: dict[str, dict[str, Any]] = {t.label: {**t.host_vars, **CLOSE} for t in (twice, again, other)}
    variables[again.label]["exo_tenant"] = twice.info.tenant_id.upper()
    run = lab.run_playbook(
        playbook, [twice, again, other], may_fail=True, host_vars=variables, env=other.urls, warns=WARNS
    )
    assert run.rc != 0
    assert {step.host for step in run.steps if step.failed} >= {twice.label, again.label}
    assert any("are the same tenant" in step.msg for step in run.steps if step.failed)
    assert twice.log() == []
    assert other.log() != []


def test_two_hosts_of_one_tenant_are_refused_from_the_middle_on(lab: Lab) -> None:
    """--start-at-task leaves out the look whether they are one, and would take its absence for an answer."""
    tenant, other = small(lab), small(lab)
    variables: dict[str, dict[str, Any]] = {t.label: {**tenant.host_vars, **CLOSE} for t in (tenant, other)}
    how: dict[str, Any] = {"host_vars": variables, "env": tenant.urls, "may_fail": True}
    run = lab.run_playbook(
        BASELINE, [tenant, other], arguments=["--start-at-task", "Bring the tenant to its baseline"], **how
    )
    refused = [step.msg for step in run.steps if step.failed and step.task == "Refuse what the variables say"]
    assert ["--start-at-task" in msg for msg in refused] == [True, True]
    assert tenant.log() == []


HOSTILE = "{{ lookup('pipe', 'id') }} # a: b"


@pytest.mark.smoke
def test_an_export_applied_to_the_same_tenant_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    tenant = lab.tenant(
        generate={"count": 40, "explicit_enabled": 0.1, "explicit_disabled": 0.1},
        authentication_policies=[{"name": HOSTILE[:64], "AllowBasicAuthSmtp": True}],
        organization_config={"DefaultAuthenticationPolicy": HOSTILE[:64]},
    )
    hostile = {"upn": f"hostile@{tenant.domain}", "alias": "hostile", "display_name": HOSTILE}
    cas = {"SmtpClientAuthenticationDisabled": False}
    tenant.patch(add_mailboxes=[{**hostile, "cas": cas}])
    extra = {"exo_export_dir": str(tmp_path), "exo_export_mailboxes": True}
    first = lab.run_playbook(EXPORT, [tenant], extra_vars=extra, **of(tenant, {}))
    assert "Write the variables" in changed(first, tenant)
    file = tmp_path / "host_vars" / tenant.label / "exo.yml"
    text = file.read_text(encoding="utf-8")
    again = lab.run_playbook(EXPORT, [tenant], extra_vars=extra, check=True, **of(tenant, {}))
    assert changed(again, tenant) == []
    assert file.read_text(encoding="utf-8") == text
    assert tenant.writes() == []
    # As a file of the inventory, which is read with its !unsafe; a JSON inventory can't hold one.
    run = lab.run_playbook(
        BASELINE,
        [tenant],
        check=True,
        diff=True,
        arguments=["-e", f"@{file}"],
        **{**of(tenant, {}), "warns": [".*"]},
    )
    assert changed(run, tenant) == []
    assert [line.rpartition(": ")[2] for line in run["Say how it went"]["msg"]] == ["nothing to change"] * 6
    assert HOSTILE in text


def test_the_filters_examples(lab: Lab, tmp_path: Path) -> None:
    """What the documentation of the role's filters shows is run as it is; those that ask a tenant are run elsewhere."""
    tasks: list[Any] = []
    for path in sorted((ROOT / "plugins" / "filter").glob("tenant_baseline_*.py")):
        (examples,) = re.findall(r'EXAMPLES = r"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL)
        tasks += [one for one in yaml.safe_load(examples) if "m365.exchange_online.exo_tenant_info" not in one]
    run = lab.run_playbook(tasks)
    assert len(run.steps) == len(tasks) >= 5
    assert run["Say how the tenant compares with its baseline"]["msg"] == "compliant"
