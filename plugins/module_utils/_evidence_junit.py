# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence as JUnit XML, for a build server: a suite for each tenant. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_controls import FAIL, UNKNOWN
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import EXPIRED
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report, TenantReport

# What XML 1.0 can't hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

PASSED, FAILED, ERROR, SKIPPED = "passed", "failure", "error", "skipped"


@dataclass(frozen=True)
class _Case:
    group: str
    name: str
    outcome: str
    message: str = ""


def render(report: Report) -> str:
    """A document of the shape that Jenkins, GitLab and Azure DevOps read."""
    suites = [
        (tenant.label, tenant.shown.time.strftime("%Y-%m-%dT%H:%M:%S"), _cases(tenant)) for tenant in report.tenants
    ]
    files = [*report.unreadable, *report.clashes]
    if files and report.as_of:
        cases = [_Case("files", f"file {number}", ERROR, text) for number, text in enumerate(files, 1)]
        suites.append(("files of evidence", report.as_of.strftime("%Y-%m-%dT%H:%M:%S"), cases))
    root = ElementTree.Element("testsuites", {"name": "SMTP AUTH evidence"})
    for name, time, cases in suites:
        root.append(_suite(name, time, cases))
    totals = {key: sum(int(suite.attrib[key]) for suite in root) for key in ("tests", "failures", "errors")}
    for key, value in totals.items():
        root.set(key, str(value))
    root.set("time", "0")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(name: str, time: str, cases: list[_Case]) -> ElementTree.Element:
    count = {outcome: sum(1 for case in cases if case.outcome == outcome) for outcome in (FAILED, ERROR, SKIPPED)}
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": _xml(name),
            "timestamp": time,
            "hostname": _xml(name),
            "tests": str(len(cases)),
            "failures": str(count[FAILED]),
            "errors": str(count[ERROR]),
            "skipped": str(count[SKIPPED]),
            "time": "0",
        },
    )
    for case in cases:
        attributes = {"classname": _xml(f"{name}.{case.group}"), "name": _xml(case.name), "time": "0"}
        element = ElementTree.SubElement(suite, "testcase", attributes)
        if case.outcome != PASSED:
            ElementTree.SubElement(element, case.outcome, {"message": _xml(case.message)})
    return suite


def _cases(tenant: TenantReport) -> list[_Case]:
    return [*_read(tenant), *_baseline(tenant), *_controls(tenant), *_exceptions(tenant), *_changes(tenant)]


def _read(tenant: TenantReport) -> Iterator[_Case]:
    if not tenant.unread:
        yield _Case("read", "everything was read", PASSED)
    for what, reason, permission in tenant.unread:
        missing = f" Permission: {permission}." if permission else ""
        yield _Case("read", f"{what} was read", ERROR, f"{reason}{missing}")


def _baseline(tenant: TenantReport) -> Iterator[_Case]:
    if not tenant.is_read:
        yield _Case("baseline", "at its baseline", SKIPPED, "not read")
    elif tenant.drift:
        yield _Case("baseline", "at its baseline", FAILED, "; ".join(tenant.drift))
    else:
        yield _Case("baseline", "at its baseline", PASSED)


def _controls(tenant: TenantReport) -> Iterator[_Case]:
    outcomes = {FAIL: FAILED, UNKNOWN: SKIPPED}
    for result in tenant.controls:
        name = f"{result.control.name} {result.control.title}"
        yield _Case("controls", name, outcomes.get(result.status, PASSED), f"{result.detail} {result.beside}".strip())


def _exceptions(tenant: TenantReport) -> Iterator[_Case]:
    for one in tenant.exceptions:
        outcome = FAILED if EXPIRED in one.states else PASSED
        yield _Case("exceptions", f"{one.mailbox.address} is a current exception", outcome, one.note)


def _changes(tenant: TenantReport) -> Iterator[_Case]:
    for number, change in enumerate((one for one in tenant.changes if one.foreign), 1):
        yield _Case("changes", f"change {number}: {change.kind}", FAILED, change.text)


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)
