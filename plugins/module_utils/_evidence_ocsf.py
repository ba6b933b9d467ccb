# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence as events of the Open Cybersecurity Schema Framework, for a security lake. PRIVATE to the collection.

Compliance Finding (class 2003) of OCSF 1.3: one event for each tenant and control, and one for each exception. The
facts are those of the framework's published schema (github.com/ocsf/ocsf-schema); tests/evidence has what we use of it.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_controls import FAIL, PASS, ControlResult
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import (
    CURRENT,
    EXPIRED,
    JudgedException,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report, TenantReport

OCSF_VERSION = "1.3.0"

Event = dict[str, t.Any]

_STATUS = {PASS: (1, "Pass"), FAIL: (3, "Fail")}
_NO_RESULT = (2, "Warning")  # the framework's status for a check that information is missing for
_SEVERITY = {"Pass": (1, "Informational"), "Warning": (2, "Low"), "Fail": (3, "Medium")}


def render(report: Report) -> str:
    """A JSON array with an event in each line."""
    lines = (json.dumps(event, ensure_ascii=True, sort_keys=True) for event in events(report))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def events(report: Report) -> Iterator[Event]:
    """The events, tenant by tenant."""
    for tenant in report.tenants:
        yield _read_event(tenant)
        for result in tenant.controls:
            yield _control_event(tenant, result)
        for one in tenant.exceptions:
            yield _exception_event(tenant, one)


def _control_event(tenant: TenantReport, result: ControlResult) -> Event:
    control = result.control
    compliance = {
        "control": control.id,
        "standards": [f"{control.framework} {control.version}"],
        "requirements": list(control.related),
        "status_detail": f"{result.detail} {result.beside}".strip(),
    }
    title = f"{control.name}: {control.title}"
    event = _event(tenant, f"{control.name}", title, compliance, _STATUS.get(result.status, _NO_RESULT))
    if result.status == FAIL:
        event["remediation"] = {"desc": control.remedy}
    return event


def _read_event(tenant: TenantReport) -> Event:
    """Whether the tenant was read: a tenant that failed has an event of its own."""
    reasons = "; ".join(f"{what}: {reason}" for what, reason, _permission in tenant.unread)
    compliance = {
        "control": "read",
        "standards": ["m365.exchange_online"],
        "status_detail": reasons or "Everything was read.",
    }
    status = _NO_RESULT if tenant.unread else _STATUS[PASS]
    return _event(tenant, "read", "The tenant was read completely", compliance, status)


def _exception_event(tenant: TenantReport, one: JudgedException) -> Event:
    owner = f", owner {one.entry.owner}" if one.entry.owner else ""
    reason = f", reason: {one.entry.reason}" if one.entry.reason else ""
    compliance = {
        "control": "exception",
        "standards": ["m365.exchange_online"],
        "status_detail": f"{one.note}{owner}{reason}",
    }
    status = {EXPIRED: _STATUS[FAIL], CURRENT: _STATUS[PASS]}.get(one.state, _NO_RESULT)
    title = f"SMTP AUTH exception of {one.mailbox.address}"
    event = _event(tenant, f"exception {one.mailbox.key}", title, compliance, status)
    event["resources"].append({"uid": one.mailbox.key, "name": one.mailbox.address, "type": "mailbox"})
    return event


def _event(tenant: TenantReport, uid: str, title: str, compliance: Event, status: tuple[int, str]) -> Event:
    identity = tenant.id or tenant.tenant.key
    severity = _SEVERITY[status[1]]
    milliseconds = int(tenant.shown.time.timestamp() * 1000)
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "time": milliseconds,
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": 1,
        "status": "New",
        "message": f"{tenant.label}: {title}: {status[1]}",
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": "m365.exchange_online",
                "vendor_name": "m365.exchange_online contributors",
                "version": tenant.shown.collection_version,
            },
        },
        "finding_info": {
            "uid": f"{identity}/{uid}",
            "title": title,
            "desc": compliance["status_detail"],
            "created_time": milliseconds,
        },
        "compliance": {**compliance, "status_id": status[0], "status": status[1]},
        "resources": [{"uid": identity, "name": tenant.label, "type": "Microsoft 365 tenant"}],
        "cloud": {"provider": "Microsoft 365", "account": {"uid": identity, "name": tenant.label}},
    }
