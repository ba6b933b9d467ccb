# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence as CSV, for people and their spreadsheets. PRIVATE to the collection."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import MailboxEvidence
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_controls import FAIL
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import JudgedException
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report, TenantReport
from ansible_collections.m365.exchange_online.plugins.module_utils._text import defused

Row = Sequence[object]

_TENANT = ("tenant", "tenant_id", "read_at")


def cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else defused(str(value))


def controls(report: Report) -> str:
    """One row for each tenant and control, one for each thing that was not read, one for each drift and change."""
    header = (*_TENANT, "kind", "id", "framework", "version", "since", "title", "status", "detail", "beside")
    return _write(header, [*map(_control_rows, report.tenants), _file_rows(report)])


def mailboxes(report: Report) -> str:
    """One row for each mailbox with a setting of its own, an entry in the baseline, or use seen.

    A tenant that was not read has a row that says so before those of the last time it was.
    """
    header = (
        *_TENANT,
        "address",
        "guid",
        "display_name",
        "type",
        "override",
        "basic",
        "basic_closed_by",
        "oauth",
        "oauth_closed_by",
        "exception",
        "method",
        "owner",
        "reason",
        "ticket",
        "expires",
        "usage",
        "last_seen",
    )
    return _write(header, map(_mailbox_rows, report.tenants))


def action_plan(report: Report) -> str:
    """The controls that fail and nobody has decided on yet, with empty columns for whoever decides."""
    header = (*_TENANT, "id", "framework", "version", "title", "detail", "remedy", "reason", "target_date", "owner")
    return _write(header, map(_plan_rows, report.tenants))


def _write(header: Row, parts: Iterable[Iterable[Row]]) -> str:
    """A table of the rows of each part."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in itertools.chain.from_iterable(parts))
    return text.getvalue()


def _tenant(tenant: TenantReport) -> tuple[object, ...]:
    return tenant.label, tenant.id, tenant.shown.time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _control_rows(tenant: TenantReport) -> Iterator[Row]:
    first = _tenant(tenant)
    yield (*first, "tenant", "", "", "", "", "", tenant.status, "; ".join(tenant.errors), "")
    for result in tenant.controls:
        control = result.control
        facts = (control.id, control.framework, control.version, control.since, control.title)
        yield (*first, "control", *facts, result.status, result.detail, result.beside)
    for what, reason, permission in tenant.unread:
        yield (*first, "unread", "", "", "", "", what, "unknown", reason, permission)
    for line in tenant.drift:
        yield (*first, "drift", "", "", "", "", "", "drift", line, "")
    for change in tenant.changes:
        yield (*first, "change", change.kind, "", "", "", "", _ORIGIN[change.ours], change.text, "")


def _file_rows(report: Report) -> Iterator[Row]:
    for sentence in (*report.unreadable, *report.clashes):
        yield ("", "", "", "unread", "", "", "", "", "a file of evidence", "unknown", sentence, "")


_ORIGIN = {True: "ours", False: "not ours", None: ""}


def _mailbox_rows(tenant: TenantReport) -> Iterator[Row]:
    judged = {one.mailbox.key: one for one in tenant.exceptions}
    if not tenant.is_read:
        reasons = "; ".join(reason for _what, reason, _permission in tenant.unread)
        yield (*_tenant(tenant), "", "", "", "", "not read", "", "", "", "", reasons, *[""] * 7)
    for mailbox in tenant.shown.mailboxes:
        yield (*_tenant(tenant), *_mailbox(mailbox), *_exception(judged.get(mailbox.key)), *_usage(mailbox))


def _mailbox(mailbox: MailboxEvidence) -> Row:
    facts: list[object] = [
        mailbox.address,
        mailbox.guid,
        mailbox.display_name,
        mailbox.type,
        mailbox.override or "not read",
    ]
    for judgement in (mailbox.basic, mailbox.oauth):
        facts += [judgement.state, " ".join(judgement.closed)] if judgement else ["", ""]
    return facts


def _exception(judged: JudgedException | None) -> Row:
    if judged is None:
        return ("not listed", "", "", "", "", "")
    entry = judged.entry
    return (judged.note, entry.method, entry.owner, entry.reason, entry.ticket, entry.expires)


def _usage(mailbox: MailboxEvidence) -> Row:
    if mailbox.usage is None:
        return ("", "")
    return mailbox.usage.state, mailbox.usage.last_seen


def _plan_rows(tenant: TenantReport) -> Iterator[Row]:
    if not tenant.is_read:
        detail = "; ".join(reason for _what, reason, _permission in tenant.unread)
        yield (*_tenant(tenant), "", "", "", "The tenant was read", detail, "Make the tenant readable.", "", "", "")
    for result in tenant.controls:
        control = result.control
        if result.status == FAIL:
            facts = (control.id, control.framework, control.version, control.title)
            yield (*_tenant(tenant), *facts, result.detail, control.remedy, "", "", "")
