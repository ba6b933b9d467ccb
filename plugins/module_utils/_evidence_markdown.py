# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence as Markdown, for a merge request, a wiki or a mail. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import lines_to_delete
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import (
    STATUS_LABELS,
    Report,
    TenantReport,
    countdown,
    line,
)

LIMIT = 50  # rows of a section; the CSV files have them all


def render(report: Report) -> str:
    """The whole report."""
    return "\n".join(_lines(report)) + "\n"


def text(value: object) -> str:
    """A value as plain text of Markdown: nothing in it is markup, a link or HTML."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~&@:])", r"\\\1", str(value))


def _lines(report: Report) -> Iterator[str]:
    yield "# SMTP AUTH evidence"
    yield ""
    yield text(line(report))
    yield ""
    yield from _section("Tenants", _TENANT_HEADER, [_tenant_row(tenant) for tenant in report.tenants])
    yield from _section("Controls", ("Tenant", "Control", "Version", "Verdict", "Rests on"), list(_controls(report)))
    yield from _section("Not read", ("Tenant", "What", "Why", "Permission"), list(_unread(report)))
    yield from _section("Drift", ("Tenant", "Difference"), list(_drift(report)))
    yield from _section("Changed since the last evidence", ("Tenant", "Change"), list(_changes(report)))
    yield from _section("Exceptions", _EXCEPTION_HEADER, list(_exceptions(report)))
    yield from _candidates(report)
    yield from _december(report)


_TENANT_HEADER = (
    "Tenant",
    "Status",
    "SMTP AUTH of the organization",
    "Enabled on their own",
    "Basic works for",
    "Read",
)
_EXCEPTION_HEADER = ("Tenant", "Mailbox", "State", "Owner", "Reason", "Expires", "Last seen")


def _section(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    if not rows:
        return
    yield f"## {title}"
    yield ""
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _column in header)} |"
    for row in rows[:LIMIT]:
        yield f"| {' | '.join(text(value) for value in row)} |"
    if len(rows) > LIMIT:
        yield ""
        yield f"{len(rows) - LIMIT:,} more are in the CSV files."
    yield ""


def _tenant_row(tenant: TenantReport) -> Sequence[object]:
    shown = tenant.shown
    return (
        tenant.label,
        STATUS_LABELS[tenant.status],
        {True: "off", False: "on", None: "not read"}[shown.flag],
        shown.counts["enabled"] if shown.counts else "not read",
        shown.verdict["basic"].allowed if shown.verdict else "not read",
        f"{shown.time:%Y-%m-%d %H:%M}",
    )


def _controls(report: Report) -> Iterator[Sequence[object]]:
    for tenant, result in report.each_control():
        control = result.control
        detail = f"{result.detail} {result.beside}".strip()
        yield tenant.label, f"{control.framework} {control.id}", control.version, result.status, detail


def _unread(report: Report) -> Iterator[Sequence[object]]:
    for tenant, (what, reason, permission) in report.each_unread():
        yield tenant.label, what, reason, permission
    for sentence in (*report.unreadable, *report.clashes):
        yield "", "a file of evidence", sentence, ""


def _drift(report: Report) -> Iterator[Sequence[object]]:
    for tenant, difference in report.each_drift():
        yield tenant.label, difference


def _changes(report: Report) -> Iterator[Sequence[object]]:
    for tenant, change in report.each_change():
        yield tenant.label, change.text


def _exceptions(report: Report) -> Iterable[Sequence[object]]:
    for tenant in report.tenants:
        for one in tenant.exceptions:
            seen = one.mailbox.usage.last_seen if one.mailbox.usage else None
            yield (
                tenant.label,
                one.mailbox.address,
                one.note,
                one.entry.owner or "",
                one.entry.reason or "",
                one.entry.expires or "never",
                f"{seen:%Y-%m-%d}" if seen else "",
            )


def _candidates(report: Report) -> Iterator[str]:
    candidates = [(tenant.label, lines_to_delete(tenant.exceptions)) for tenant in report.tenants]
    found = [(label, lines) for label, lines in candidates if lines]
    if not found:
        return
    yield "## Lines to delete"
    yield ""
    for label, lines in found[:LIMIT]:
        yield f"{text(label)}:"
        yield ""
        yield from (f"    {one}" for one in lines[:LIMIT])
        yield ""


def _december(report: Report) -> Iterator[str]:
    judged = [tenant.shown.december for tenant in report.tenants if tenant.shown.december]
    yield "## December 2026"
    yield ""
    yield f"{countdown(report)} Which setting carries the change has not been published; two are possible."
    yield ""
    flips = f"If the organization's flag turns itself on: {sum(one.keep for one in judged):,} mailboxes keep SMTP AUTH"
    yield f"- {flips} because they are enabled on their own, {sum(one.stop for one in judged):,} lose it."
    closed = f"If Basic is closed by other means: all {sum(one.basic_stop for one in judged):,} that can use it lose it"
    seen, able = sum(one.basic_seen or 0 for one in judged), sum(one.oauth_open for one in judged)
    yield f"- {closed}; {seen:,} of them were seen in use, {able:,} could go on with OAuth."
    yield ""
    yield f"Counted in {len(judged)} of {len(report.tenants)} tenants."
