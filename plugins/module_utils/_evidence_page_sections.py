# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sections of the evidence page that are text and lists. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import December, Evidence
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_controls import (
    CONTROLS,
    FAIL,
    PASS,
    UNKNOWN,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import lines_to_delete
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import (
    STATUS_LABELS,
    Report,
    TenantReport,
    line,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._html import Child, Html, tag
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import RETIREMENT

_LINES = 20  # lines to delete of a tenant
LIMIT = 100  # entries of a list; the CSV files have them all

NO_EVIDENCE = "-"


def badge(text: str, kind: str) -> Html:
    """kind: good, warn, bad or dim."""
    return tag("span", text, class_=f"badge {kind}")


def section(identity: str, title: str, intro: Child, *content: Child) -> Html:
    intro_text = tag("p", intro) if intro else None
    heading = f"{identity}-title"
    return tag("section", tag("h2", title, id=heading), intro_text, content, id=identity, aria_labelledby=heading)


def scroll(label: str, table: Html) -> Html:
    """A table that is wider than a phone; the region can be scrolled with the keyboard."""
    return tag("div", table, class_="scroll", tabindex=0, role="region", aria_label=label)


def number(count: int | None) -> str:
    return NO_EVIDENCE if count is None else f"{count:,}"


def link(tenant: TenantReport, report: Report) -> Html:
    """A link to the tenant's row."""
    return tag("a", tenant.label, href=f"#t-{report.tenants.index(tenant)}")


def own(tenant: TenantReport, text: str) -> str:
    """A sentence without the tenant at its beginning, where the tenant stands before it already."""
    return text.removeprefix(f"{tenant.label}: ")


def hero(report: Report) -> Html:
    days = report.days_left
    clock = None
    if report.as_of and days is not None and days >= 0:
        read = report.as_of.isoformat()
        clock = tag(
            "div",
            tag("b", number(days), id="days", data_until=RETIREMENT.isoformat(), data_read=read),
            tag("span", " days", tag("span", "", id="age"), tag("span", f" until {RETIREMENT}, when Microsoft")),
            tag("span", " turns Basic for SMTP AUTH off by default"),
            class_="clock",
        )
    words = tag("div", tag("h1", "SMTP AUTH evidence"), tag("p", line(report).partition(". ")[0] + "."))
    return tag("header", tag("div", words, clock, class_="wrap"), class_="hero")


def tiles(report: Report) -> Html:
    """The posture of all tenants in eight figures."""
    counts = report.counts
    read = [tenant.shown for tenant in report.tenants if tenant.is_read]
    flags = sum(1 for one in read if one.flag)
    entries = [
        _share(counts["read"], counts["tenants"], "tenants read", "bad"),
        _share(flags, len(read), "have SMTP AUTH off for the organization", "warn"),
        (number(_basic_allowed(read)), "mailboxes can send with Basic today", ""),
        (number(_enabled(read)), "mailboxes are enabled on their own", ""),
    ]
    entries += [(number(counts[key]), text, kind if counts[key] else "good") for key, text, kind in _NONE_IS_GOOD]
    return tag(
        "ul",
        [tag("li", tag("b", value), tag("span", text), class_=kind) for value, text, kind in entries],
        class_="tiles",
    )


# Figure of the summary, what it counts, and how it looks where there is any.
_NONE_IS_GOOD = (
    ("drift", "tenants with drift", "warn"),
    ("changes_not_ours", "changes not by us", "bad"),
    ("expired", "exceptions expired", "bad"),
    ("expires_soon", "expire within 30 days", "warn"),
)


def _share(count: int, whole: int, text: str, kind: str) -> tuple[str, str, str]:
    """kind: how it looks where it is not all of them."""
    return f"{count} of {whole}", text, "good" if count == whole else kind


def _basic_allowed(read: Sequence[Evidence]) -> int | None:
    """The mailboxes that can send with Basic; None where no tenant was judged."""
    verdicts = [one.verdict["basic"] for one in read if one.verdict]
    return sum(one.allowed for one in verdicts) if verdicts else None


def _enabled(read: Sequence[Evidence]) -> int:
    return sum(one.counts["enabled"] for one in read if one.counts)


def attention(report: Report) -> Html:
    entries = list(_urgent(report))
    if not entries:
        return section("attention", "Nothing needs attention", "Every tenant was read, and nothing is overdue.")
    return section("attention", "What needs attention", "", _list(entries))


def _urgent(report: Report) -> Iterator[Html]:
    for text in (*report.clashes, *report.unreadable):
        yield _entry("file", "bad", text)
    for tenant in report.tenants:
        if not tenant.is_read or tenant.status == "unknown":
            reason = tenant.unread[0][1] if tenant.unread else ""
            yield _entry(STATUS_LABELS[tenant.status], "bad", link(tenant, report), f": {own(tenant, reason)}")
    for key, name, words in _EXCEPTIONS:
        if report.counts[key]:
            figure = tag("a", f"{report.counts[key]:,} {words}", href="#mailboxes", data_filter=name)
            yield _entry("exceptions", "warn", figure)
    for tenant, change in report.each_change():
        if change.foreign:
            yield _entry("not by us", "bad", link(tenant, report), f": {change.text}")


# Figure of the summary, the filter of the mailboxes that shows them, and what is to be said.
_EXCEPTIONS = (
    ("expired", "expired", "have expired"),
    ("expires_soon", "soon", "expire within 30 days"),
    ("not_seen", "unused", "were not seen in use: candidates for removal"),
)


def _entry(label: str, kind: str, *content: Child) -> Html:
    return tag("li", badge(label, kind), tag("span", content))


def _list(entries: Sequence[Html]) -> Html:
    """A list whose end, where it is long, opens on demand."""
    first = tag("ul", entries[:12], class_="list")
    if len(entries) <= 12:
        return first
    rest = entries[12 : LIMIT + 12]
    left = len(entries) - 12 - len(rest)
    note = tag("p", f"{left:,} more are in evidence.csv.") if left else None
    summary = tag("summary", f"{len(entries) - 12:,} more")
    return Html(first + tag("details", summary, tag("ul", rest, class_="list"), note))


def december(report: Report) -> Html:
    judged = [(tenant, tenant.shown.december) for tenant in report.tenants if tenant.is_read and tenant.shown.december]
    stops = [stop for _tenant, stop in judged]
    intro = (
        f"Basic for SMTP AUTH is off by default from {RETIREMENT}, and administrators can turn it on again. Which"
        " setting will carry that has not been published. These are today's mailboxes under the two most likely ones."
    )
    scenarios = tag("div", _flag_flips(stops), _basic_closed(stops), class_="two")
    counted = tag("p", f"Counted in {len(judged)} of {len(report.tenants)} tenants.", class_="axis")
    return section("december", "December 2026", intro, scenarios, _lose_most(judged, report), counted)


def _flag_flips(stops: Sequence[December]) -> Html:
    return _scenario(
        "If the organization's flag turns itself on",
        (sum(one.keep for one in stops), "keep SMTP AUTH: they are enabled on their own"),
        (sum(one.stop for one in stops), "lose it: they only inherit"),
    )


def _basic_closed(stops: Sequence[December]) -> Html:
    seen = sum(one.basic_seen or 0 for one in stops)
    return _scenario(
        "If Basic is closed by other means",
        (sum(one.basic_stop for one in stops), f"lose Basic; {seen:,} of them were seen in use"),
        (sum(one.oauth_open for one in stops), "of these could go on with OAuth"),
    )


def _lose_most(judged: Sequence[tuple[TenantReport, December]], report: Report) -> list[Html]:
    names = [
        tag("li", link(tenant, report), f": {stop.stop:,} lose SMTP AUTH, {stop.keep:,} keep it")
        for tenant, stop in sorted(judged, key=lambda one: -one[1].stop)[:10]
        if stop.stop
    ]
    if not names:
        return []
    return [tag("h3", "Tenants that lose most if the flag turns on"), tag("ul", names, class_="plain")]


def _scenario(title: str, *figures: tuple[int, str]) -> Html:
    shown = [tag("div", tag("b", number(count)), tag("span", text)) for count, text in figures]
    return tag("div", tag("h3", title), tag("div", shown, class_="big"), class_="panel")


def changes(report: Report) -> Html:
    entries = [
        _entry(*_ORIGIN[change.ours], link(tenant, report), f": {change.text}")
        for tenant, change in report.each_change()
    ]
    intro = "The newest evidence of each tenant beside the one before."
    content = _list(entries) if entries else tag("p", "Nothing changed, or there is no earlier evidence.")
    return section("changes", "Changed since the last evidence", intro, content)


_ORIGIN = {True: ("ours", "good"), False: ("not by us", "bad"), None: ("note", "warn")}


def drift(report: Report) -> Html:
    entries = [
        _entry("drift", "warn", link(tenant, report), f": {own(tenant, text)}") for tenant, text in report.each_drift()
    ]
    content = _list(entries) if entries else tag("p", "Every tenant that was read is at its baseline.")
    return section("drift", "Drift from the baseline", "", content)


def controls(report: Report) -> Html:
    intro = (
        "A verdict is about the control's own words. The first two ask only for the organization's flag: mailboxes that"
        " are enabled on their own are no part of it and are counted beside it."
    )
    header = ("Control", "Title", "Since", "Pass", "Fail", "Unknown", "Exceptions beside it")
    head = tag("tr", [tag("th", text, scope="col", class_="n" if text in _NUMBERS else None) for text in header])
    rows = [_control_row(report, position) for position in range(len(CONTROLS))]
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="stack")
    return section("controls", "Controls", intro, scroll("Table of controls", table))


_NUMBERS = ("Pass", "Fail", "Unknown")


def _control_row(report: Report, position: int) -> Html:
    control = CONTROLS[position]
    results = [tenant.controls[position] for tenant in report.tenants]
    count = {status: sum(1 for result in results if result.status == status) for status in (PASS, FAIL, UNKNOWN)}
    level = f" ({control.level})" if control.level else ""
    related = tag("div", ", ".join(control.related), class_="axis") if control.related else None
    cells = [
        tag("td", number(count[status]), class_="n", data_l=label)
        for status, label in ((PASS, "Pass"), (FAIL, "Fail"), (UNKNOWN, "Unknown"))
    ]
    return tag(
        "tr",
        tag("th", f"{control.framework} {control.version}: {control.id}{level}", related, scope="row"),
        tag("td", control.title, data_l="Title"),
        tag("td", control.since, class_="k", data_l="Since"),
        cells,
        tag("td", _beside(report) if control.has_exceptions else NO_EVIDENCE, data_l="Exceptions"),
    )


def _beside(report: Report) -> str:
    """How many mailboxes are open in tenants that pass."""
    counts = [tenant.shown.counts for tenant in report.tenants if tenant.is_read and tenant.shown.flag]
    enabled = sum(count["enabled"] for count in counts if count)
    return f"{enabled:,} mailboxes are enabled on their own in tenants that pass"


def unread(report: Report) -> Html:
    entries = [_unread_entry(report, tenant, *facts) for tenant, facts in report.each_unread()]
    entries += [_entry("file", "bad", text) for text in report.unreadable]
    content = _list(entries) if entries else tag("p", "Everything was read.")
    intro = "What is listed here is unknown. It is never counted as compliant, as open or as closed."
    return section("unread", "What could not be read", intro, content)


def _unread_entry(report: Report, tenant: TenantReport, what: str, reason: str, permission: str) -> Html:
    kind = "bad" if what == "the tenant" else "warn"
    return _entry("not read", kind, link(tenant, report), f": {what}. {own(tenant, reason)}{_needs(permission)}")


def _needs(permission: str) -> str:
    return f" The permission {permission} would tell." if permission else ""


def candidates(tenant: TenantReport) -> Html | None:
    """The lines of the tenant's baseline that can go."""
    lines = lines_to_delete(tenant.exceptions)
    if not lines:
        return None
    left = f"\n# {len(lines) - _LINES} more: see the column exception of mailboxes.csv" if len(lines) > _LINES else ""
    text = "\n".join(lines[:_LINES]) + left
    label = f"Exceptions of {tenant.label} to delete"
    return Html(
        tag("h3", "Lines to delete from its list of exceptions")
        + tag("pre", text, tabindex=0, aria_label=label, role="region")
    )


def about(report: Report) -> Html:
    versions = sorted({tenant.shown.collection_version for tenant in report.tenants})
    apps = sorted({tenant.shown.client_id for tenant in report.tenants if tenant.shown.client_id})
    read = f"{report.as_of:%Y-%m-%d %H:%M} UTC" if report.as_of else "never"
    shown = f"{', '.join(apps[:3])}{f' and {len(apps) - 3} more' if len(apps) > 3 else ''}" or "an unknown app"
    lines = [
        f"Newest evidence of {read}, written by m365.exchange_online {', '.join(versions)}, read as {shown}.",
        "A mailbox is listed where it has a setting of its own, an entry in the baseline, or was seen in use; the"
        " others are in the counts. An empty sign-in log means that a mailbox is not used only where the log was proved"
        " to cover the span.",
    ]
    return tag("footer", tag("div", [tag("p", text) for text in lines], class_="wrap"))
