# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures of the evidence page: who can use SMTP AUTH, which gate blocks it, and how that changed. PRIVATE.

Shapes are SVG and texts are HTML, so that texts keep their size on a phone; every picture has its figures as a table.
"""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import MethodCounts
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_merge import Point
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_data import GATE_LABELS, gate_label
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_page_sections import (
    number,
    scroll,
    section,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report
from ansible_collections.m365.exchange_online.plugins.module_utils._html import Html, tag

MAX_DATES = 60  # of a picture over time; longer ones show every so many days

_LEGEND = (("open", "works"), ("unsure", "unknown"), ("shut", "blocked"))


@dataclass(frozen=True)
class Day:
    """The fleet on one day, in mailboxes; a tenant that was not read then counts as it was last."""

    date: datetime.date
    allowed: int
    unknown: int
    blocked: int
    enabled: int
    closed: Mapping[str, int]

    @property
    def total(self) -> int:
        return self.allowed + self.unknown + self.blocked


def access(report: Report) -> Html:
    intro = (
        "Basic is a user name and a password; OAuth is a token. A mailbox counts at every gate that is closed for it."
    )
    totals = {method: _total(report, method) for method in ("basic", "oauth")}
    if not any(totals.values()):
        return section("access", "Who can use SMTP AUTH", intro, tag("p", "No tenant was judged."))
    days = history(report)
    legend = [tag("li", tag("i", class_=f"i-{name}"), label) for name, label in _LEGEND]
    judged = sum(1 for tenant in report.tenants if tenant.is_read and tenant.shown.verdict)
    intro = f"{intro} Counted in {judged} of {len(report.tenants)} tenants."
    panels = tag("div", _method("Basic", totals["basic"]), _method("OAuth", totals["oauth"]), class_="two")
    return section(
        "access",
        "Who can use SMTP AUTH",
        intro,
        tag("ul", legend, class_="legend"),
        panels,
        _over_time(days),
        _gates(totals, days),
    )


def history(report: Report) -> list[Day]:
    """The fleet day by day, from the first on which there is evidence."""
    points = [[point for point in tenant.tenant.points if point.basic_allowed is not None] for tenant in report.tenants]
    dates = sorted({point.time.date() for point in itertools.chain.from_iterable(points)})
    step = -(-len(dates) // MAX_DATES)
    chosen = dates[::-1][:: step or 1][::-1]  # counted from the newest, so that this one is there
    return [_day(date, points) for date in chosen]


def _day(date: datetime.date, points: Sequence[Sequence[Point]]) -> Day:
    latest = [_latest(series, date) for series in points]
    known = [point for point in latest if point]
    closed: Counter[str] = Counter()
    for point in known:
        closed.update(point.closed)
    return Day(
        date,
        allowed=_sum(point.basic_allowed for point in known),
        unknown=_sum(point.basic_unknown for point in known),
        blocked=_sum(point.basic_blocked for point in known),
        enabled=_sum(point.enabled for point in known),
        closed=closed,
    )


def _latest(series: Sequence[Point], date: datetime.date) -> Point | None:
    """The last point of a tenant, until the end of this day."""
    until = [point for point in series if point.time.date() <= date]
    return until[-1] if until else None


def _sum(counts: Iterable[int | None]) -> int:
    """The sum of those that were read."""
    return sum(count or 0 for count in counts)


def _total(report: Report, method: str) -> MethodCounts | None:
    found = [tenant.shown.verdict[method] for tenant in report.tenants if tenant.is_read and tenant.shown.verdict]
    if not found:
        return None
    gates: dict[str, tuple[int, int]] = {}
    for one in found:
        for gate, (closed, unknown) in one.gates.items():
            before = gates.get(gate, (0, 0))
            gates[gate] = (before[0] + closed, before[1] + unknown)
    return MethodCounts(
        sum(one.allowed for one in found), sum(one.blocked for one in found), sum(one.unknown for one in found), gates
    )


def _method(name: str, total: MethodCounts | None) -> Html | None:
    if total is None:
        return None
    parts = (("open", total.allowed), ("unsure", total.unknown), ("shut", total.blocked))
    words = f"works for {total.allowed:,}, blocked for {total.blocked:,}, unknown for {total.unknown:,} mailboxes"
    return tag("div", tag("h3", name), _bar(parts, f"{name} {words}"), tag("p", words), class_="panel")


def _bar(parts: Sequence[tuple[str, int]], label: str, whole: int | None = None, kind: str = "bar") -> Html:
    """Parts of a whole side by side. Widths are attributes: the page's policy allows no style in an element."""
    total = whole or sum(count for _name, count in parts) or 1
    shapes, x = [], 0.0
    for name, count in parts:
        width = 100 * count / total
        shapes.append(tag("rect", x=f"{x:.3f}", y="0", width=f"{width:.3f}", height="10", class_=f"f-{name}"))
        x += width
    return tag(
        "svg", shapes, class_=kind, viewBox="0 0 100 10", preserveAspectRatio="none", role="img", aria_label=label
    )


def _gates(totals: Mapping[str, MethodCounts | None], days: Sequence[Day]) -> Html | None:
    """For each gate, for how many mailboxes it is closed."""
    basic = totals["basic"]
    if basic is None or not basic.gates:
        return None
    whole = basic.allowed + basic.blocked + basic.unknown
    order = [*GATE_LABELS, *sorted(set(basic.gates) - set(GATE_LABELS))]
    rows = [_gate(gate, *basic.gates[gate], whole, days) for gate in order if gate in basic.gates]
    title = tag("h3", "Which gate is closed to Basic, in mailboxes")
    return Html(title + tag("ul", rows, class_="gates") + (_gate_table(days) or ""))


def _gate(gate: str, closed: int, unknown: int, whole: int, days: Sequence[Day]) -> Html:
    words = f"{gate_label(gate)}: closed for {closed:,}, unknown for {unknown:,} of {whole:,} mailboxes"
    return tag(
        "li",
        tag("span", gate_label(gate)),
        _bar((("shut", closed), ("unsure", unknown)), words, whole, "bar thin"),
        tag("span", number(closed), class_="n"),
        tag("span", _since(days, gate, closed), class_="since"),
    )


def _since(days: Sequence[Day], gate: str, closed: int) -> str:
    if len(days) < 2:
        return ""
    difference = closed - days[0].closed.get(gate, 0)
    return f"{difference:+,} since {days[0].date}" if difference else f"as on {days[0].date}"


def _gate_table(days: Sequence[Day]) -> Html | None:
    """How the gates changed: the first, the last, and some days between."""
    if len(days) < 2:
        return None
    step = -(-len(days) // 8)
    chosen = days[::-1][::step][::-1]
    gates = [gate for gate in GATE_LABELS if any(gate in day.closed for day in chosen)]
    header = ("Date", *(gate_label(gate) for gate in gates))
    rows = [(str(day.date), *(number(day.closed.get(gate)) for gate in gates)) for day in chosen]
    return tag(
        "details", tag("summary", "How the gates changed"), _table("Mailboxes that a gate is closed to", header, rows)
    )


def _over_time(days: Sequence[Day]) -> Html:
    if len(days) < 2:
        return tag("p", "There is evidence of one day only; the next audit begins the picture over time.")
    top = max(day.total for day in days) or 1
    shapes = [
        _area(days, [(0, day.allowed) for day in days], top, "f-open"),
        _area(days, [(day.allowed, day.allowed + day.unknown) for day in days], top, "f-unsure"),
        _area(days, [(day.allowed + day.unknown, day.total) for day in days], top, "f-shut"),
        tag("path", d="M" + " L".join(_at(days, i, day.enabled, top) for i, day in enumerate(days)), class_="s-line"),
    ]
    first, last = days[0], days[-1]
    label = f"Mailboxes for which Basic works: {first.allowed:,} on {first.date}, {last.allowed:,} on {last.date}."
    picture = tag(
        "svg", shapes, class_="area", viewBox="0 0 100 100", preserveAspectRatio="none", role="img", aria_label=label
    )
    axis = tag(
        "div",
        tag("span", str(first.date)),
        tag("span", f"top: {top:,} mailboxes"),
        tag("span", str(last.date)),
        class_="axis",
    )
    words = "The line is the mailboxes that are enabled on their own. A tenant that was not read counts as it was last."
    line = tag("p", words, class_="axis")
    header = ("Date", "Works", "Unknown", "Blocked", "Enabled on their own")
    rows = [
        (str(day.date), number(day.allowed), number(day.unknown), number(day.blocked), number(day.enabled))
        for day in days
    ]
    table = tag("details", tag("summary", "The same as a table"), _table("Basic, in mailboxes", header, rows))
    return Html(tag("h3", "Basic over time, in mailboxes") + picture + axis + line + table)


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    head = tag("tr", [tag("th", text, scope="col", class_="n" if at else None) for at, text in enumerate(header)])
    body = [
        tag("tr", tag("th", row[0], scope="row"), [tag("td", text, class_="n") for text in row[1:]]) for row in rows
    ]
    table = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", body))
    return scroll(caption, table)


def _area(days: Sequence[Day], bands: Sequence[tuple[int, int]], top: int, kind: str) -> Html:
    upper = [_at(days, i, high, top) for i, (_low, high) in enumerate(bands)]
    lower = [_at(days, i, low, top) for i, (low, _high) in enumerate(bands)]
    return tag("path", d=f"M{' L'.join([*upper, *reversed(lower)])} Z", class_=kind)


def _at(days: Sequence[Day], position: int, value: int, top: int) -> str:
    """A point of the picture: time to the right by the calendar, mailboxes upwards."""
    span = (days[-1].date - days[0].date).days or 1
    x = 100 * (days[position].date - days[0].date).days / span
    return f"{x:.2f} {100 - 96 * value / top:.2f}"
