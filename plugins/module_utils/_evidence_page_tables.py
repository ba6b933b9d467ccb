# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of the evidence page: tenants, each with its details, and mailboxes. PRIVATE to the collection."""

from __future__ import annotations

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import Evidence
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_controls import FAIL, PASS
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_sections import (
    LIMIT,
    badge,
    candidates,
    number,
    scroll,
    section,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import (
    STATUS_LABELS,
    Report,
    TenantReport,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._html import Child, Html, tag

_KIND = {
    "failed": "bad",
    "vanished": "bad",
    "unknown": "bad",
    "drift": "warn",
    "unlisted": "warn",
    "undeclared": "dim",
    "held": "dim",
    "compliant": "good",
}
# Told by sign as well as by colour.
_SIGN = {
    "failed": "✕",
    "vanished": "?",
    "unknown": "?",
    "drift": "!",
    "unlisted": "+",
    "undeclared": "○",
    "held": "‖",
    "compliant": "✓",
}
_FLAG_KIND = {True: "good", False: "warn", None: "dim"}
_CONTROL_KIND = {PASS: "good", FAIL: "bad"}

SHOWN = 25  # tenants of the table before somebody asks for all

_COLUMNS = (
    ("Tenant", ""),
    ("Status", ""),
    ("SMTP AUTH of the organization", ""),
    ("Mailboxes", "n"),
    ("Enabled on their own", "n"),
    ("Basic works for", "n"),
    ("Drift", "n"),
    ("Changes", "n"),
    ("Exceptions", "n"),
    ("Read, UTC", ""),
)


def glance(report: Report) -> Html:
    """A cell for each tenant: what is wrong is seen before it is read."""
    cells = [_cell(position, tenant) for position, tenant in enumerate(report.tenants)]
    legend = [
        tag("li", f"{_SIGN[status]} {label}: {report.count(status)}")
        for status, label in STATUS_LABELS.items()
        if report.count(status)
    ]
    every = tag("ul", cells, class_="cells", aria_label="Every tenant by its status")
    return section("glance", "All tenants at a glance", "", every, tag("ul", legend, class_="legend"))


def tenants(report: Report) -> Html:
    tools = tag(
        "div",
        tag("label", "Search tenants", class_="sr", for_="tenant-search"),
        tag(
            "input",
            id="tenant-search",
            type="search",
            placeholder="Search tenants, errors, drift …",
            autocomplete="off",
        ),
        tag("span", f"{len(report.tenants):,} tenants", id="tenant-count", role="status"),
        class_="tools",
    )
    head = tag(
        "tr", [tag("th", tag("button", text, type="button"), scope="col", class_=kind) for text, kind in _COLUMNS]
    )
    ranked = sorted(enumerate(report.tenants), key=lambda pair: list(STATUS_LABELS).index(pair[1].status))
    rows = [_rows(position, tenant, at >= SHOWN) for at, (position, tenant) in enumerate(ranked)]
    left = len(rows) - SHOWN
    more = tag("button", f"Show all {len(rows):,} tenants", type="button", id="tenants-more") if left > 0 else None
    table = tag("table", tag("thead", head), tag("tbody", rows), id="tenants", class_="stack short")
    return section(
        "tenants-section",
        "Tenants",
        "",
        tools,
        scroll("Table of tenants", table),
        more,
    )


def _cell(position: int, tenant: TenantReport) -> Html:
    text = f"{tenant.label}: {STATUS_LABELS[tenant.status]}"
    sign = tag("span", _SIGN[tenant.status], aria_hidden="true")
    return tag(
        "li",
        tag("a", sign, tag("span", text, class_="sr"), href=f"#t-{position}", title=text, class_=_KIND[tenant.status]),
    )


def _rows(position: int, tenant: TenantReport, later: bool) -> tuple[Html, Html]:
    shown = tenant.shown
    flag = {True: "off", False: "on", None: "not read"}[shown.flag]
    flag_badge = badge(flag, _FLAG_KIND[shown.flag]) if tenant.is_read else badge(f"was {flag}", "dim")
    figures = [
        ("Mailboxes", shown.counts["mailboxes"] if shown.counts else None),
        ("Enabled on their own", shown.counts["enabled"] if shown.counts else None),
        ("Basic works for", shown.verdict["basic"].allowed if shown.verdict else None),
        ("Drift", len(tenant.drift) if tenant.is_read else None),
        ("Changes", len(tenant.changes)),
        ("Exceptions", len(tenant.exceptions)),
    ]
    opener = tag(
        "button", tenant.label, type="button", class_="open", aria_expanded="false", aria_controls=f"d-{position}"
    )
    rank = list(STATUS_LABELS).index(tenant.status)
    row = tag(
        "tr",
        tag("th", opener, scope="row"),
        tag("td", badge(STATUS_LABELS[tenant.status], _KIND[tenant.status]), data_v=rank, data_l="Status"),
        tag("td", flag_badge, data_l="Organization"),
        [
            tag("td", number(count), class_="n", data_v=-1 if count is None else count, data_l=label)
            for label, count in figures
        ],
        tag("td", f"{shown.time:%Y-%m-%d %H:%M}", class_="k", data_l="Read"),
        class_="row later" if later else "row",
        id=f"t-{position}",
    )
    details = tag(
        "tr",
        tag("td", _details(tenant), colspan=len(_COLUMNS)),
        class_="more later" if later else "more",
        id=f"d-{position}",
    )
    return row, details


def _details(tenant: TenantReport) -> list[Child]:
    return [
        _facts(tenant),
        _block("Not read", [f"{what}: {reason}" for what, reason, _permission in tenant.unread]),
        _block("Drift", tenant.drift),
        _block("Changed since the last evidence", [change.text for change in tenant.changes]),
        _controls(tenant),
        candidates(tenant),
    ]


def _block(title: str, lines: tuple[str, ...] | list[str]) -> Html | None:
    if not lines:
        return None
    more = [f"{len(lines) - LIMIT:,} more are in evidence.csv."] if len(lines) > LIMIT else []
    return Html(tag("h3", title) + tag("ul", [tag("li", text) for text in [*lines[:LIMIT], *more]], class_="plain"))


def _facts(tenant: TenantReport) -> Html:
    shown = tenant.shown
    facts = [
        ("Tenant", ", ".join(part for part in (shown.tenant_name, tenant.id) if part)),
        ("Read as", _identity(shown)),
        ("Version", f"m365.exchange_online {shown.collection_version}"),
        ("Job", f"{shown.job}, slice {shown.slice}" if shown.job and shown.slice else shown.job or ""),
        ("Completeness", _completeness(tenant)),
        ("Usage", _usage(shown)),
        ("Default authentication policy", _policy(shown)),
        ("Security defaults", {True: "on", False: "off", None: "not read"}[shown.security_defaults]),
        ("Conditional Access", _conditional_access(shown)),
    ]
    return tag("dl", [tag("div", tag("dt", name), tag("dd", text)) for name, text in facts if text], class_="facts")


def _identity(shown: Evidence) -> str:
    return f"{shown.client_id or 'an unknown app'}{f', by {shown.method}' if shown.method else ''}"


def _completeness(tenant: TenantReport) -> str:
    if not tenant.is_read:
        return "not read this time" if tenant.tenant.current else "never read"
    count = tenant.shown.mailboxes_read
    boxes = "the mailboxes were not all read" if count is None else f"all {count:,} mailboxes read"
    return f"{boxes}, {len(tenant.unread)} things not read" if tenant.unread else f"{boxes}, nothing left out"


def _usage(shown: Evidence) -> str:
    if shown.coverage is None:
        return "not asked"
    if not shown.coverage.complete:
        return f"not proved to be complete: {shown.coverage.reason or 'no reason given'}"
    if shown.coverage.start and shown.coverage.end:
        return f"covered from {shown.coverage.start} to {shown.coverage.end}"
    return "covered"


def _policy(shown: Evidence) -> str:
    policy = shown.default_policy
    if policy is None:
        return "not read"
    if policy.name is None:
        return "none"
    smtp = {True: "lets SMTP through", False: "blocks Basic for SMTP", None: "SMTP switch not read"}
    return f"{policy.name}: {smtp[policy.allow_basic_auth_smtp]}"


def _conditional_access(shown: Evidence) -> str:
    policies = shown.conditional_access
    if policies is None:
        return "not read"
    if not policies:
        return "no policy reaches legacy clients"
    enabled = sum(1 for policy in policies if policy.state == "enabled")
    return f"policies that reach legacy clients: {len(policies)}, of them enabled: {enabled}"


def _controls(tenant: TenantReport) -> Html:
    entries = [
        tag(
            "li",
            badge(result.status, _CONTROL_KIND.get(result.status, "dim")),
            tag("span", f"{result.control.id} {result.control.title}. {result.detail} {result.beside}"),
        )
        for result in tenant.controls
    ]
    return Html(tag("h3", "Controls") + tag("ul", entries, class_="list"))


_CHIPS = (
    ("all", "All"),
    ("can", "Can send"),
    ("expired", "Expired or gone"),
    ("soon", "Expire soon"),
    ("unused", "Not seen in use"),
    ("stray", "Enabled and not listed"),
    ("flag", "Cut off if the flag turns on"),
    ("basic", "Use Basic, cut off if Basic closes"),
)

_BOX_COLUMNS = ("Mailbox", "Tenant", "Own setting", "SMTP AUTH", "Exception", "Expires", "Owner", "Reason", "Last seen")


def mailboxes(left_out: int) -> Html:
    """The frame that the script fills. left_out: how many mailboxes the page has no room for."""
    chips = [
        tag("button", label, type="button", class_="chip", value=key, aria_pressed="true" if key == "all" else "false")
        for key, label in _CHIPS
    ]
    tools = tag(
        "div",
        tag("label", "Search mailboxes", class_="sr", for_="box-search"),
        tag(
            "input",
            id="box-search",
            type="search",
            placeholder="Search address, tenant, owner, reason …",
            autocomplete="off",
        ),
        tag("span", "", id="box-count", role="status"),
        class_="tools",
    )
    head = tag("tr", [tag("th", text, scope="col") for text in _BOX_COLUMNS])
    table = tag("table", tag("thead", head), tag("tbody"), id="boxes", class_="stack")
    notes = [tag("p", "This list needs JavaScript; mailboxes.csv beside this page has the same rows.", class_="no-js")]
    if left_out:
        notes.append(tag("p", f"{left_out:,} mailboxes with nothing urgent are only in mailboxes.csv."))
    return section(
        "mailboxes",
        "Mailboxes and exceptions",
        "Every mailbox with a setting of its own, an entry in the baseline, or use seen; the most urgent first.",
        notes,
        tag("div", chips, class_="tools", role="group", aria_label="Which mailboxes"),
        tools,
        scroll("Table of mailboxes", table),
        tag("button", "Show more", type="button", id="more", hidden=True),
    )
