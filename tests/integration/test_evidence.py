# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence: read from a tenant, held against its published schema, merged, compared and rendered."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from harness import Lab, Run, Step, Tenant, small, task

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "evidence.schema.json").read_text()))
INFO, RENDER = "exo_evidence_info", "exo_evidence"
HOSTILE = "</script><img src=x onerror=alert(1)> {{ 7 * 7 }} \u202e=1+1"


def evidence(tenant: Tenant, path: Path, **arguments: Any) -> Mapping[str, Any]:
    """The document that a read of the tenant leaves; it is valid, or the test fails."""
    tenant.one(INFO, {"host": tenant.label, "dest": str(path), **arguments}).ok()
    content: dict[str, Any] = json.loads(path.read_text())
    SCHEMA.validate(content)
    return content


def render(tenant: Tenant, source: Path, **arguments: Any) -> Step:
    play = [task(RENDER, {"src": str(source), "dest": str(source), **arguments}, named="render")]
    return tenant.run(play, may_fail=True).step("render")


@pytest.mark.smoke
def test_a_tenant_is_read_as_its_schema_says(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, transport_config={"SmtpClientAuthenticationDisabled": True})
    tenant.patch(
        mailboxes=[
            {"identity": tenant.at("scanner"), "cas": {"SmtpClientAuthenticationDisabled": False}},
            {"identity": tenant.at("reports"), "cas": {"SmtpClientAuthenticationDisabled": True}},
        ],
        entra={"sign_ins": [{"user": tenant.at("scanner"), "days_ago": 2}]},
    )
    allowed = [
        {"identity": tenant.at("scanner"), "owner": "Facilities", "reason": "no OAuth", "expires": "2027-03-31"},
        {"identity": tenant.at("nobody"), "reason": "left"},
    ]
    path = tmp_path / "evidence.json"
    found = evidence(tenant, path, allowed=allowed, status="drift", drift=["x"], job="7", slice=1, slices=2)
    assert path.stat().st_mode & 0o777 == 0o600
    assert found["tenant"]["id"] == tenant.info.tenant_id
    assert found["identity"]["client_id"]
    assert found["run"] == {"job": "7", "slice": 1, "slices": 2}
    assert (found["status"], found["drift"]) == ("drift", ["x"])
    assert found["organization"]["transport_config"]["smtp_client_authentication_disabled"] is True
    assert (found["counts"]["enabled"], found["counts"]["disabled"]) == (2, 2)
    assert found["completeness"]["mailboxes_read"] == found["counts"]["mailboxes"]
    assert found["security_defaults"] is False
    boxes = {box["address"]: box for box in found["mailboxes"]}
    assert sorted(boxes) == sorted(map(tenant.at, ("blocked", "nobody", "reports", "scanner", "stray")))
    scanner = boxes[tenant.at("scanner")]
    assert (scanner["override"], scanner["usage"]["state"]) == ("enabled", "used")
    assert scanner["exception"]["expires"] == "2027-03-31"
    assert boxes[tenant.at("reports")]["basic"]["closed"] == ["smtp_auth_setting"]
    assert boxes[tenant.at("nobody")]["guid"] is None
    assert found["december"]["flag_flips"] == {"keep": 2, "stop": 0}
    assert "Identity" in found["other_properties"]["transport_config"]


def test_no_mailbox_is_asked_about_by_itself(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab)
    step = tenant.one(INFO, {"host": "x", "dest": str(tmp_path / "x.json")}).ok()
    cmdlets = [entry["cmdlet"] for entry in tenant.log(step) if entry.get("cmdlet")]
    assert sorted(cmdlets) == [
        "Get-AuthenticationPolicy",
        "Get-CASMailbox",
        "Get-OrganizationConfig",
        "Get-TransportConfig",
        "Get-User",
    ]


def test_what_could_not_be_read_is_evidence_too(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, apps=[{"graph_roles": ["AuditLog.Read.All"]}])
    found = evidence(tenant, tmp_path / "x.json")
    assert found["security_defaults"] is None
    assert found["conditional_access"] is None
    permissions = {entry["what"]: entry["permission"] for entry in found["completeness"]["unread"]}
    assert permissions["security defaults"] == "Policy.Read.All"


def test_a_tenant_that_refuses_leaves_evidence_and_fails(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, apps=[{"directory_role": "none"}])
    path = tmp_path / "x.json"
    tenant.one(INFO, {"host": "broken", "dest": str(path)}).refused("access_denied")
    found = json.loads(path.read_text())
    SCHEMA.validate(found)
    assert (found["status"], found["errors"][0]["error_code"]) == ("failed", "access_denied")


def test_check_mode_writes_nothing(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab)
    step = tenant.one(INFO, {"host": "x", "dest": str(tmp_path / "x.json")}, check=True).ok()
    assert step.changed
    assert list(tmp_path.iterdir()) == []


def test_a_flag_that_flips_by_itself_is_not_ours(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, transport_config={"SmtpClientAuthenticationDisabled": False})
    evidence(tenant, tmp_path / "1.json")
    tenant.patch(transport_config={"SmtpClientAuthenticationDisabled": True})
    _later(tmp_path / "1.json")
    evidence(tenant, tmp_path / "2.json")
    step = render(tenant, tmp_path, fail_on=["change"]).refused("refused", "flag", hint=None)
    assert [change["text"] for change in step["changes"]] == [
        "The organization's flag changed from false to true, and not by us."
    ]
    page = (tmp_path / "evidence.html").read_text()
    assert "not by us" in page


def test_an_undo_file_explains_what_we_did(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab, transport_config={"SmtpClientAuthenticationDisabled": False})
    evidence(tenant, tmp_path / "1.json")
    _later(tmp_path / "1.json")
    undo = tmp_path / "undo"
    undo.mkdir()
    arguments = {"smtp_client_authentication_disabled": True, "undo_file": str(undo / "undo.json")}
    tenant.one("exo_transport_config", arguments, warns=["lose SMTP AUTH"]).ok()
    evidence(tenant, tmp_path / "2.json")
    step = render(tenant, tmp_path, fail_on=["change"], undo=[str(undo)]).ok()
    assert [change["text"] for change in step["changes"]] == [
        "The organization's flag changed from false to true, by a run of this collection."
    ]


def test_hostile_names_break_out_of_no_format(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab)
    tenant.patch(
        mailboxes=[
            {
                "identity": tenant.at("scanner"),
                "display_name": HOSTILE,
                "cas": {"SmtpClientAuthenticationDisabled": False},
            }
        ]
    )
    evidence(tenant, tmp_path / "1.json", drift=[f"=cmd {HOSTILE}"], status="drift")
    render(tenant, tmp_path).ok()
    page = (tmp_path / "evidence.html").read_text()
    assert len(re.findall("<script", page)) == 2
    assert "<img" not in page
    with (tmp_path / "evidence.csv").open(newline="") as file:
        cells = itertools.chain.from_iterable(csv.reader(file))
        assert not [value for value in cells if value.startswith(("=", "+", "-", "@"))]
    assert ElementTree.parse(tmp_path / "evidence.junit.xml").getroot().tag == "testsuites"


def _later(path: Path) -> None:
    """Make evidence a day older, so that the next one is of another second whatever the clock says."""
    content = json.loads(path.read_text())
    content["time"] = "2026-01-01T00:00:00Z"
    path.write_text(json.dumps(content))


AUDIT = ROOT / "playbooks" / "audit.yml"


def test_the_audit_keeps_evidence_and_renders_it(lab: Lab, tmp_path: Path) -> None:
    reports, rendered = tmp_path / "reports", tmp_path / "rendered"
    reports.mkdir()
    rendered.mkdir()
    good = small(lab, transport_config={"SmtpClientAuthenticationDisabled": True})
    bad = small(lab, apps=[{"directory_role": "none"}])
    baseline = {
        "tenant_baseline_report_dir": str(reports),
        "tenant_baseline_transport_config": {"smtp_client_authentication_disabled": True},
    }
    how: dict[str, Any] = {
        "host_vars": {one.label: {**one.host_vars, **baseline} for one in (good, bad)},
        "env": good.urls,
        "extra_vars": {"exo_hosts": "all", "exo_audit_evidence": str(rendered), "exo_audit_fail_on": "change"},
        "may_fail": True,
        "warns": ["lose SMTP AUTH"],
    }

    def as_job(number: int) -> Run:
        return lab.run_playbook(
            AUDIT, [good, bad], **{**how, "extra_vars": {**how["extra_vars"], "awx_job_id": number}}
        )

    first = as_job(1)
    documents = [json.loads(path.read_text()) for path in reports.iterdir()]
    assert {document["host"]: document["status"] for document in documents} == {
        good.label: "compliant",
        bad.label: "failed",
    }
    for document in documents:
        SCHEMA.validate(document)
    assert "1 of 2 tenants read, 1 failed" in first.output
    for path in rendered.iterdir():
        assert bad.label in path.read_text(), path.name
    for path in reports.iterdir():
        _later(path)

    good.patch(transport_config={"SmtpClientAuthenticationDisabled": False})
    second = as_job(2)
    # Each slice of a job is a job, and they write to one directory.
    names = {path.name for path in rendered.iterdir()}
    assert {"evidence-job1.html", "evidence-job2.html", "evidence-job2.junit.xml"} < names
    assert all("-job1." in name or "-job2." in name for name in names)
    assert second.rc != 0
    assert f"{good.label}: The organization's flag changed from true to false, and not by us" in second.output


def test_the_audit_says_what_it_lacks_for_evidence(lab: Lab, tmp_path: Path) -> None:
    tenant = small(lab)
    for extra in ({"exo_audit_evidence": "rendered"}, {"exo_audit_fail_on": "change"}):
        run = lab.run_playbook(AUDIT, [tenant], extra_vars={"exo_hosts": "all", **extra}, may_fail=True)
        assert run.rc != 0
        assert "exo_audit_evidence has to be the absolute path" in run.output
