# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence of many runs and slices as one fleet: by tenant the newest wins, and clashes are named. PRIVATE.

Documents are handed in one by one and only the newest two of a tenant are kept whole, so that a year of nightly
evidence fits into memory.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import Evidence, failed


@dataclass(frozen=True)
class Point:
    """What a picture over time needs of one piece of evidence. Counts are mailboxes; None was not read."""

    time: datetime.datetime
    status: str
    flag: bool | None
    enabled: int | None
    basic_allowed: int | None
    basic_blocked: int | None
    basic_unknown: int | None
    closed: Mapping[str, int]  # gate → for how many mailboxes it is closed to Basic


@dataclass(frozen=True)
class TenantEvidence:
    """All that is known of one tenant.

    newest: of the last time the audit tried. current: the newest that was read. previous: the one that was read before
    that. vanished: the last run did not include the tenant.
    """

    key: str
    newest: Evidence
    current: Evidence | None
    previous: Evidence | None
    points: tuple[Point, ...]
    vanished: bool = False

    @property
    def failed(self) -> bool:
        return self.newest.status == "failed"


@dataclass(frozen=True)
class Fleet:
    """Every tenant, by inventory name. as_of: the time of the newest evidence; None where there is none."""

    tenants: tuple[TenantEvidence, ...] = ()
    clashes: tuple[str, ...] = ()
    as_of: datetime.datetime | None = None


@dataclass
class _Pile:
    """The evidence of one tenant while it is sorted."""

    newest: Evidence | None = None
    read: list[Evidence] = field(default_factory=list)  # newest first, two at most
    points: list[Point] = field(default_factory=list)
    clashes: set[str] = field(default_factory=set)
    hosts: dict[str, datetime.datetime] = field(default_factory=dict)

    def add(self, evidence: Evidence) -> None:
        same_time = [point for point in self.points if point.time == evidence.time]
        if same_time and same_time[0] != point_of(evidence):
            self.clashes.add(
                f"{evidence.host}: two files of {evidence.time:%Y-%m-%d %H:%M:%S} UTC differ ({evidence.source})."
            )
        if not same_time:
            self.points.append(point_of(evidence))
        self.hosts[evidence.host] = max(evidence.time, self.hosts.get(evidence.host, evidence.time))
        if self.newest is None or _rank(evidence) > _rank(self.newest):
            self.newest = evidence
        if evidence.status != "failed":
            kept = {one.time: one for one in sorted([*self.read, evidence], key=_rank)}
            self.read = sorted(kept.values(), key=_rank, reverse=True)[:2]


def merge(
    documents: Iterable[Evidence],
    max_age: datetime.timedelta,
    expected: Sequence[str] = (),
    now: datetime.datetime | None = None,
) -> Fleet:
    """The fleet that these documents describe, in any order.

    max_age: evidence older than the newest of all by more than this is not of the last run; its tenant has vanished.
    expected: hosts of the inventory; one that the last run left no evidence of counts as failed. now: the time to give
    them where there is no evidence at all; without it there is no fleet then.
    """
    piles = _by_tenant(documents)
    times = [pile.newest.time for pile in piles.values() if pile.newest]
    as_of = max(times, default=now if expected else None)
    if as_of is None:
        return Fleet()
    oldest = as_of - max_age
    for host in expected:
        if not any(pile.hosts.get(host, _LONG_AGO) >= oldest for pile in piles.values()):
            missing = failed(host, as_of, "The last run left no evidence of this tenant.")
            piles.setdefault(_home(missing, piles), _Pile()).add(missing)
    tenants = [_tenant(key, pile, oldest) for key, pile in piles.items()]
    return Fleet(
        tuple(sorted(tenants, key=lambda tenant: (tenant.newest.host.lower(), tenant.key))),
        tuple(sorted(_clashes(piles, oldest))),
        as_of,
    )


_LONG_AGO = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


def _by_tenant(documents: Iterable[Evidence]) -> dict[str, _Pile]:
    """A pile for each tenant. Evidence without a GUID comes last, when it is known what its host has been."""
    piles: dict[str, _Pile] = {}
    nameless: list[Evidence] = []
    for evidence in documents:
        if evidence.tenant_id is None:
            nameless.append(evidence)
        else:
            piles.setdefault(evidence.tenant_id, _Pile()).add(evidence)
    for evidence in nameless:
        piles.setdefault(_home(evidence, piles), _Pile()).add(evidence)
    return piles


def point_of(evidence: Evidence) -> Point:
    basic = evidence.verdict["basic"] if evidence.verdict else None
    return Point(
        time=evidence.time,
        status=evidence.status,
        flag=evidence.flag,
        enabled=evidence.counts["enabled"] if evidence.counts else None,
        basic_allowed=basic.allowed if basic else None,
        basic_blocked=basic.blocked if basic else None,
        basic_unknown=basic.unknown if basic else None,
        closed={gate: closed for gate, (closed, _unknown) in basic.gates.items()} if basic else {},
    )


def _rank(evidence: Evidence) -> tuple[datetime.datetime, str, str]:
    """Newest last; the rest decides between files of the same second, the same way on every run."""
    return (evidence.time, evidence.host, evidence.source)


def _home(evidence: Evidence, piles: dict[str, _Pile]) -> str:
    """The tenant that evidence without a GUID belongs to: the only one that the host has ever been, else the host."""
    known = [key for key, pile in piles.items() if evidence.host in pile.hosts]
    return known[0] if len(known) == 1 else f"host:{evidence.host}"


def _tenant(key: str, pile: _Pile, oldest: datetime.datetime) -> TenantEvidence:
    newest = t.cast(Evidence, pile.newest)
    read = [*pile.read, None, None]
    points = sorted(pile.points, key=lambda point: point.time)
    return TenantEvidence(key, newest, read[0], read[1], tuple(points), newest.time < oldest)


def _clashes(piles: dict[str, _Pile], oldest: datetime.datetime) -> Iterable[str]:
    for key, pile in piles.items():
        yield from pile.clashes
        recent = sorted(host for host, time in pile.hosts.items() if time >= oldest)
        if len(recent) > 1:
            yield f"{' and '.join(recent)} are one tenant ({key}): two baselines would undo each other."
    tenants: dict[str, list[str]] = {}
    for key, pile in piles.items():
        for host, time in pile.hosts.items():
            if time >= oldest:
                tenants.setdefault(host, []).append(key)
    for host, keys in tenants.items():
        if len(keys) > 1:
            yield f"{host} was {len(keys)} tenants in one run ({', '.join(sorted(keys))})."
