# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed between two pieces of evidence, and whether a run of this collection explains it. PRIVATE."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import FLAG, Evidence, clean
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_merge import TenantEvidence

ORGANIZATION = ""  # the key of the organization among the objects that a run writes to
BLOCKED_APPS = "basic_auth_blocked_apps"


@dataclass(frozen=True)
class OwnWrite:
    """A value that a run of this collection gave to a property, as its undo file tells."""

    tenant_id: str
    time: datetime.datetime
    object: str  # the GUID of a mailbox, or ORGANIZATION
    option: str
    value: t.Any


@dataclass(frozen=True)
class Change:
    """One difference between the last two pieces of evidence of a tenant.

    ours: whether an undo file explains it; None where that question makes no sense, as for something that expired.
    """

    kind: str
    text: str
    ours: bool | None = None

    @property
    def foreign(self) -> bool:
        return self.ours is False


@dataclass(frozen=True)
class _Watched:
    """A single value that is watched. get: None where it was not read; then nothing is said about it."""

    kind: str
    label: str
    get: Callable[[Evidence], t.Any]
    option: str = ""  # the option that a run of ours would write


class _NotRead:
    """Told apart from None, which is a value of the service."""


_NOT_READ = _NotRead()


def _setting(table: str, option: str) -> Callable[[Evidence], t.Any]:
    def get(evidence: Evidence) -> t.Any:
        settings = evidence.transport_config if table == "transport_config" else evidence.organization_config
        return settings.get(option, _NOT_READ)

    return get


def _policy(attribute: str) -> Callable[[Evidence], t.Any]:
    def get(evidence: Evidence) -> t.Any:
        return _NOT_READ if evidence.default_policy is None else getattr(evidence.default_policy, attribute)

    return get


def _security_defaults(evidence: Evidence) -> t.Any:
    return _NOT_READ if evidence.security_defaults is None else evidence.security_defaults


_WATCHED = (
    _Watched("flag", "The organization's flag", _setting("transport_config", FLAG), FLAG),
    _Watched("blocked_apps", "BasicAuthBlockedApps", _setting("organization_config", BLOCKED_APPS)),
    _Watched(
        "default_policy",
        "The default authentication policy",
        _policy("name"),
        "default_authentication_policy",
    ),
    _Watched(
        "default_policy_smtp",
        "The SMTP switch of the default authentication policy",
        _policy("allow_basic_auth_smtp"),
        "allow_basic_auth_smtp",
    ),
    _Watched("security_defaults", "Security defaults", _security_defaults),
)


def changes(tenant: TenantEvidence, writes: Sequence[OwnWrite]) -> tuple[Change, ...]:
    """What is to be said about a tenant since the last time. The first evidence of a tenant has no changes."""
    return tuple(_presence(tenant)) + tuple(_differences(tenant, writes))


def _presence(tenant: TenantEvidence) -> Iterator[Change]:
    if tenant.vanished:
        yield Change("vanished", f"Not in the last run; last tried on {tenant.newest.time:%Y-%m-%d %H:%M} UTC.")
    elif tenant.failed and tenant.current:
        yield Change("failed", f"Could not be read; last read on {tenant.current.time:%Y-%m-%d %H:%M} UTC.")


def _differences(tenant: TenantEvidence, writes: Sequence[OwnWrite]) -> Iterator[Change]:
    before, after = tenant.previous, tenant.current
    if before is None or after is None or tenant.failed or tenant.vanished:
        return
    own = _own(writes, tenant.key, before.time, after.time)
    for watched in _WATCHED:
        yield from _compare(watched, before, after, own)
    yield from _overrides(before, after, own)
    yield from _access_policies(before, after)
    yield from _other_properties(before, after)
    yield from _expired(before, after)


def _own(
    writes: Iterable[OwnWrite], tenant_id: str, start: datetime.datetime, end: datetime.datetime
) -> Mapping[tuple[str, str], t.Any]:
    """The last value that our runs gave to each property in that time."""
    relevant = [write for write in writes if write.tenant_id == tenant_id and start <= write.time <= end]
    return {(write.object, write.option): write.value for write in sorted(relevant, key=lambda write: write.time)}


def _compare(
    watched: _Watched, before: Evidence, after: Evidence, own: Mapping[tuple[str, str], t.Any]
) -> Iterator[Change]:
    old, new = watched.get(before), watched.get(after)
    if old is _NOT_READ or new is _NOT_READ or old == new:
        return
    ours = (ORGANIZATION, watched.option) in own and own[ORGANIZATION, watched.option] == new
    by = "by a run of this collection" if ours else "and not by us"
    yield Change(watched.kind, f"{watched.label} changed from {_shown(old)} to {_shown(new)}, {by}.", ours)


def _shown(value: t.Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return clean(value)[:200] or "an empty text"


def _overrides(before: Evidence, after: Evidence, own: Mapping[tuple[str, str], t.Any]) -> Iterator[Change]:
    """Mailboxes whose own setting is other than before. One that left the list inherits again, or is gone."""
    if before.counts is None or after.counts is None:
        return
    old, new = _overridden(before), _overridden(after)
    names = {mailbox.key: mailbox.address for mailbox in (*before.mailboxes, *after.mailboxes)}
    for key in sorted(old.keys() | new.keys(), key=lambda key: names[key]):
        was, now = old.get(key, "inherit"), new.get(key, "inherit")
        if was == now:
            continue
        ours = own.get((key, FLAG), _NOT_READ) == _OVERRIDE_VALUES[now]
        by = "by a run of this collection" if ours else "and not by us"
        yield Change(f"override_{now}", f"{names[key]} went from {was} to {now}, {by}.", ours)


# What an undo file holds for a mailbox: the flag is worded the other way round.
_OVERRIDE_VALUES = {"enabled": False, "disabled": True, "inherit": "inherit"}


def _overridden(evidence: Evidence) -> dict[str, str]:
    return {
        mailbox.key: mailbox.override for mailbox in evidence.mailboxes if mailbox.override in ("enabled", "disabled")
    }


def _access_policies(before: Evidence, after: Evidence) -> Iterator[Change]:
    if before.conditional_access is None or after.conditional_access is None:
        return
    old = {policy.id: policy for policy in before.conditional_access}
    new = {policy.id: policy for policy in after.conditional_access}
    for key in sorted(new.keys() - old.keys()):
        yield Change("conditional_access", f"New policy for legacy clients: {new[key].name} ({new[key].state}).", False)
    for key in sorted(old.keys() - new.keys()):
        yield Change("conditional_access", f"{old[key].name} no longer reaches legacy clients, or is gone.", False)
    for key in sorted(old.keys() & new.keys()):
        if old[key].state != new[key].state:
            text = f"{new[key].name} went from {old[key].state} to {new[key].state}."
            yield Change("conditional_access", text, False)
        elif old[key] != new[key]:
            yield Change("conditional_access", f"{new[key].name} was edited.", False)


def _other_properties(before: Evidence, after: Evidence) -> Iterator[Change]:
    for name, cmdlet in (
        ("transport_config", "Get-TransportConfig"),
        ("organization_config", "Get-OrganizationConfig"),
    ):
        old, new = before.other_properties.get(name), after.other_properties.get(name)
        if old is None or new is None:
            continue
        for prop in sorted(set(new) - set(old)):
            yield Change("property", f"{cmdlet} has a new property, {prop}. It may be a change of Microsoft's.", False)
        for prop in sorted(set(old) - set(new)):
            yield Change("property", f"{cmdlet} no longer sends {prop}.", False)


def _expired(before: Evidence, after: Evidence) -> Iterator[Change]:
    start, end = before.time.date(), after.time.date()
    for mailbox in after.mailboxes:
        expires = mailbox.exception.expires if mailbox.exception else None
        if expires and start <= expires < end:
            yield Change("expired", f"The exception of {mailbox.address} expired on {expires}.")


def own_writes(content: t.Any) -> tuple[OwnWrite, ...]:
    """What a decoded undo file says that a run wrote; empty where the document is none."""
    try:
        tenant_id = str(content["tenant_id"]).lower()
        time = _written(str(content["written"]))
        writes: list[OwnWrite] = []
        for entry in content["entries"]:
            key = str(entry.get("guid") or ORGANIZATION).lower()
            writes += [OwnWrite(tenant_id, time, key, option, value) for option, value in entry["after"].items()]
        return tuple(writes)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def _written(text: str) -> datetime.datetime:
    """The second of it: evidence has whole seconds, and what was written within that of the newer one is before it."""
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(microsecond=0)
    return time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)
