# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all formats show, worked out once: each renderer only lays it out. PRIVATE to the collection.

Everything is judged as of the newest evidence, not of the clock, so that the same files give the same report.
"""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils import (
    _evidence_controls,
    _evidence_exceptions,
    _evidence_watch,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import Evidence
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_controls import FAIL, ControlResult
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import JudgedException
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_merge import Fleet, TenantEvidence
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_watch import Change, OwnWrite
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import RETIREMENT

FAIL_ON = ("drift", "change", "unread", "expired")

# Labels of what a tenant can be, most urgent first.
STATUS_LABELS: Mapping[str, str] = {
    "failed": "failed",
    "vanished": "vanished",
    "unknown": "not compared",
    "drift": "drift",
    "unlisted": "unlisted open",
    "undeclared": "no baseline",
    "held": "held",
    "compliant": "compliant",
}


@dataclass(frozen=True)
class TenantReport:
    """One tenant. shown: the newest evidence that was read, or the failed one where there is none."""

    tenant: TenantEvidence
    status: str  # a key of STATUS_LABELS
    shown: Evidence
    controls: tuple[ControlResult, ...]
    exceptions: tuple[JudgedException, ...]
    changes: tuple[Change, ...]

    @property
    def label(self) -> str:
        return self.tenant.newest.label

    @property
    def id(self) -> str:
        return self.tenant.newest.tenant_id or self.shown.tenant_id or ""

    @property
    def errors(self) -> tuple[str, ...]:
        return self.tenant.newest.errors

    @property
    def drift(self) -> tuple[str, ...]:
        return self.tenant.newest.drift

    @property
    def is_read(self) -> bool:
        """Whether the last run read this tenant."""
        return self.status not in ("failed", "vanished")

    @property
    def unread(self) -> tuple[tuple[str, str, str], ...]:
        """What was not read, why, and the permission that would tell."""
        whole = [("the tenant", text, "") for text in self._why_unread()]
        parts = [(one.what, one.reason, one.permission or "") for one in self.tenant.newest.unread]
        return (*whole, *self._not_compared(), *parts)

    def _why_unread(self) -> Iterator[str]:
        if self.status == "vanished":
            yield f"It was not in the last run; last tried on {self.tenant.newest.time:%Y-%m-%d %H:%M} UTC."
        if self.tenant.failed:
            yield from self.errors or ("The audit failed and left no reason.",)

    def _not_compared(self) -> Iterator[tuple[str, str, str]]:
        if self.status == "unknown":
            yield from (("the comparison with the baseline", text, "") for text in self.errors)


@dataclass(frozen=True)
class Report:
    """The fleet. unreadable: sentences on files that are no evidence although they should be."""

    as_of: datetime.datetime | None
    tenants: tuple[TenantReport, ...]
    clashes: tuple[str, ...]
    unreadable: tuple[str, ...]

    @property
    def days_left(self) -> int | None:
        return (RETIREMENT - self.as_of.date()).days if self.as_of else None

    def count(self, status: str) -> int:
        return sum(1 for tenant in self.tenants if tenant.status == status)

    def each_control(self) -> Iterator[tuple[TenantReport, ControlResult]]:
        for tenant in self.tenants:
            for result in tenant.controls:
                yield tenant, result

    def each_exception(self) -> Iterator[tuple[TenantReport, JudgedException]]:
        for tenant in self.tenants:
            for one in tenant.exceptions:
                yield tenant, one

    def each_change(self) -> Iterator[tuple[TenantReport, Change]]:
        for tenant in self.tenants:
            for change in tenant.changes:
                yield tenant, change

    def each_drift(self) -> Iterator[tuple[TenantReport, str]]:
        for tenant in self.tenants:
            for difference in tenant.drift:
                yield tenant, difference

    def each_unread(self) -> Iterator[tuple[TenantReport, tuple[str, str, str]]]:
        for tenant in self.tenants:
            for what in tenant.unread:
                yield tenant, what

    @property
    def counts(self) -> dict[str, int]:
        """The figures of the summary: tenants, but for the exceptions and changes, which are counted one by one."""
        changes = [one for _tenant, one in self.each_change()]
        return {
            **self._tenant_counts(),
            "controls_failed": sum(1 for _tenant, one in self.each_control() if one.status == FAIL),
            "changes": len(changes),
            "changes_not_ours": sum(1 for change in changes if change.foreign),
            **self._exception_counts(),
        }

    def _tenant_counts(self) -> dict[str, int]:
        read = [tenant for tenant in self.tenants if tenant.is_read]
        return {
            "tenants": len(self.tenants),
            "read": len(read),
            "failed": self.count("failed"),
            "vanished": self.count("vanished"),
            "incomplete": sum(1 for tenant in read if tenant.unread),
            "compliant": self.count("compliant"),
            "drift": sum(1 for tenant in self.tenants if tenant.drift),
        }

    def _exception_counts(self) -> dict[str, int]:
        exceptions = [one for _tenant, one in self.each_exception()]
        states = Counter(itertools.chain.from_iterable(one.states for one in exceptions))
        return {
            "exceptions": len(exceptions),
            "expired": states[_evidence_exceptions.EXPIRED],
            "expires_soon": states[_evidence_exceptions.EXPIRES_SOON],
            "not_seen": states[_evidence_exceptions.NOT_SEEN],
        }


def report(fleet: Fleet, writes: Sequence[OwnWrite], unreadable: Sequence[str]) -> Report:
    """What is to be shown of a fleet."""
    tenants = [_tenant(one, fleet.as_of.date(), writes) for one in fleet.tenants] if fleet.as_of else []
    return Report(fleet.as_of, tuple(tenants), fleet.clashes, tuple(unreadable))


def _tenant(tenant: TenantEvidence, today: datetime.date, writes: Sequence[OwnWrite]) -> TenantReport:
    shown = tenant.current or tenant.newest
    return TenantReport(
        tenant=tenant,
        status="vanished" if tenant.vanished else tenant.newest.status,
        shown=shown,
        controls=_controls(tenant),
        exceptions=_evidence_exceptions.judge(shown, today),
        changes=_evidence_watch.changes(tenant, writes),
    )


def _controls(tenant: TenantEvidence) -> tuple[ControlResult, ...]:
    former = _evidence_controls.judge(tenant.current) if tenant.current else ()
    if tenant.vanished:
        return _evidence_controls.not_read("it was not in the last run.", former)
    if tenant.failed:
        reason = tenant.newest.errors[0] if tenant.newest.errors else "the audit left no reason."
        return _evidence_controls.not_read(reason, former)
    return former


def line(report: Report) -> str:
    """The report in one line, for the end of a nightly job."""
    if report.as_of is None:
        return "No evidence was found."
    counts = report.counts
    parts = [f"{counts['read']} of {_number(counts['tenants'], 'tenant')} read"]
    parts += [f"{counts[key]} {one if counts[key] == 1 else many}" for key, one, many in _LINE if counts[key]]
    if report.clashes:
        parts.append(_number(len(report.clashes), "clash", "clashes"))
    if report.unreadable:
        parts.append(_number(len(report.unreadable), "unreadable file"))
    return f"{report.as_of:%Y-%m-%d %H:%M} UTC: {', '.join(parts)}. {countdown(report)}"


_LINE = (
    ("failed", "failed", "failed"),
    ("vanished", "vanished", "vanished"),
    ("incomplete", "not read completely", "not read completely"),
    ("drift", "with drift", "with drift"),
    ("changes_not_ours", "change not by us", "changes not by us"),
    ("expired", "exception expired", "exceptions expired"),
    ("expires_soon", "exception expires within 30 days", "exceptions expire within 30 days"),
    ("not_seen", "exception not seen in use", "exceptions not seen in use"),
)


def countdown(report: Report) -> str:
    """How long until Microsoft's change."""
    days = report.days_left
    if days is None or days < 0:
        return f"Microsoft has announced Basic authentication for SMTP AUTH to be off by default since {RETIREMENT}."
    return f"{_number(days, 'day')} until {RETIREMENT}, when Basic for SMTP AUTH is off by default."


def failures(report: Report, fail_on: Sequence[str]) -> dict[str, list[str]]:
    """For each reason in fail_on that there is, the tenants and things that give it."""
    found = {reason: list(_REASONS[reason](report)) for reason in fail_on}
    return {reason: names for reason, names in found.items() if names}


def _drift(report: Report) -> Iterator[str]:
    yield from (tenant.label for tenant in report.tenants if tenant.drift)


def _change(report: Report) -> Iterator[str]:
    yield from (f"{tenant.label}: {change.text}" for tenant, change in report.each_change() if change.foreign)


def _unread(report: Report) -> Iterator[str]:
    yield from (tenant.label for tenant in report.tenants if tenant.unread)
    yield from (*report.unreadable, *report.clashes)


def _expired(report: Report) -> Iterator[str]:
    for tenant in report.tenants:
        if any(_evidence_exceptions.EXPIRED in one.states for one in tenant.exceptions):
            yield tenant.label


_REASONS = {"drift": _drift, "change": _change, "unread": _unread, "expired": _expired}


def _number(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
