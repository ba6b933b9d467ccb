# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tenants of a partner as hosts: from what Microsoft Graph or a file says to names and variables. Pure. PRIVATE."""

from __future__ import annotations

import datetime
import re
import typing as t
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    IncompleteRead,
    InvalidRequest,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import counted, is_guid, listed, one_line

# The service's two ways to say that a relationship is not extended by itself.
_NOT_EXTENDED = (None, "", "P0D", "PT0S")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
# Names that Ansible or the playbooks give a meaning; a customer may call itself like that.
_RESERVED = ("all", "ungrouped", "localhost", "tenants")
_FILE_KEYS = ("tenant", "name", "default_domain")


@dataclass(frozen=True)
class Relationship:
    """A delegated admin relationship (GDAP). end: its last day, None where the service names none. roles: their ids."""

    name: str
    end: datetime.date | None
    auto_extend: bool
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Tenant:
    """One customer. tenant: its GUID, or one of its domains where a file says no more."""

    tenant: str
    name: str = ""
    default_domain: str = ""
    relationships: tuple[Relationship, ...] = ()
    contract_types: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.name} ({self.tenant})" if self.name else self.tenant


# --- what Microsoft Graph says ---


def from_relationships(rows: Iterable[t.Any]) -> list[Tenant]:
    """The customers of active relationships, each once; raises UnexpectedResponse."""
    return _merged(_of_relationship(row) for row in rows if _dictionary(row).get("status") == "active")


def _of_relationship(row: Mapping[str, t.Any]) -> Tenant:
    customer = _dictionary(row.get("customer"))
    access = _dictionary(row.get("accessDetails") or {})
    roles = [_text(_dictionary(role), "roleDefinitionId") for role in access.get("unifiedRoles") or ()]
    relationship = Relationship(
        name=_text(row, "displayName"),
        end=_day(row.get("endDateTime")),
        auto_extend=row.get("autoExtendDuration") not in _NOT_EXTENDED,
        roles=tuple(sorted(roles)),
    )
    return Tenant(_guid(customer, "tenantId"), _text(customer, "displayName"), relationships=(relationship,))


def from_contracts(rows: Iterable[t.Any]) -> list[Tenant]:
    """The customers of contracts, each once; raises UnexpectedResponse."""
    return _merged(_of_contract(_dictionary(row)) for row in rows)


def _of_contract(row: Mapping[str, t.Any]) -> Tenant:
    return Tenant(
        _guid(row, "customerId"),
        _text(row, "displayName"),
        _text(row, "defaultDomainName").lower(),
        contract_types=(_text(row, "contractType"),),
    )


def _merged(tenants: Iterable[Tenant]) -> list[Tenant]:
    """A customer may have several relationships and contracts."""
    found: dict[str, Tenant] = {}
    for tenant in tenants:
        known = found.setdefault(tenant.tenant, tenant)
        if known is not tenant:
            found[tenant.tenant] = replace(
                known,
                relationships=known.relationships + tenant.relationships,
                contract_types=tuple(dict.fromkeys(known.contract_types + tenant.contract_types)),
            )
    return list(found.values())


def _dictionary(value: t.Any) -> Mapping[str, t.Any]:
    if not isinstance(value, Mapping):
        raise UnexpectedResponse("Microsoft Graph sent something among the customers that is not an object.")
    return value


def _text(row: Mapping[str, t.Any], name: str) -> str:
    """Customers name themselves: no more than one line, and nothing that steers a terminal."""
    value = row.get(name)
    return one_line(value) if isinstance(value, str) else ""


def _guid(row: Mapping[str, t.Any], name: str) -> str:
    value = _text(row, name).lower()
    if not is_guid(value):
        told = _text(row, "displayName") or "without a name"
        raise UnexpectedResponse(f"Microsoft Graph sent a customer ({told}) whose {name} is not a GUID.")
    return value


def _day(value: t.Any) -> datetime.date | None:
    if value is None:
        return None
    try:
        return datetime.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise UnexpectedResponse(
            f"Microsoft Graph sent a relationship that ends at {one_line(str(value))[:40]!r}."
        ) from None


# --- what a file says ---


def from_file(content: t.Any) -> list[Tenant]:
    """The tenants below ``tenants``; raises InvalidRequest."""
    entries = content.get("tenants") if isinstance(content, Mapping) else None
    if not isinstance(entries, list):
        raise InvalidRequest("The file has no list below the key tenants.")
    found = [_of_entry(number, entry) for number, entry in enumerate(entries, start=1)]
    times = Counter(one.tenant for one in found)
    twice = sorted(tenant for tenant, number in times.items() if number > 1)
    if twice:
        raise InvalidRequest(f"The file names more than once: {listed(twice)}.")
    return found


def _of_entry(number: int, entry: t.Any) -> Tenant:
    given = entry if isinstance(entry, Mapping) else {"tenant": entry}
    unknown = [str(key) for key in given if key not in _FILE_KEYS]
    if unknown:
        raise InvalidRequest(f"Tenant {number} of the file: {listed(unknown)} is not one of {', '.join(_FILE_KEYS)}.")
    tenant = str(given.get("tenant") or "").strip().lower()
    if not (is_guid(tenant) or _DOMAIN.fullmatch(tenant)):
        raise InvalidRequest(f"Tenant {number} of the file: tenant has to be a GUID or a domain, it is {tenant!r}.")
    return Tenant(
        tenant, one_line(str(given.get("name") or "")), str(given.get("default_domain") or "").strip().lower()
    )


# --- whether it is all of them ---


def check_count(tenants: Sequence[Tenant], least: int) -> None:
    """Raises IncompleteRead where there are fewer than expected."""
    if len(tenants) < least:
        raise IncompleteRead(
            f"There are {counted(len(tenants), 'tenant')}, and at least {least} were expected.",
            hint="Look at the app's permissions and at source, or lower expect_at_least.",
        )


def check_known(tenants: Iterable[Tenant], known: str, path: str) -> None:
    """Raises IncompleteRead where a tenant is missing that was there before. known: what ``remembered`` gave then."""
    here = {tenant.tenant for tenant in tenants}
    before = [line.partition(" ") for line in known.splitlines() if line.strip()]
    missing = [name or tenant for tenant, _blank, name in before if tenant not in here]
    if missing:
        raise IncompleteRead(
            f"{counted(len(missing), 'tenant')} of the last inventory {'is' if len(missing) == 1 else 'are'} missing:"
            f" {listed(missing)}.",
            hint=f"Customers who have left are removed by hand from {path}, each a line.",
        )


def remembered(tenants: Iterable[Tenant]) -> str:
    """A line for each tenant."""
    return "".join(f"{line}\n" for line in sorted(f"{one.tenant} {one.label}" for one in tenants))


# --- hosts ---


def by_host(tenants: Iterable[Tenant], how: str) -> dict[str, Tenant]:
    """The tenants by the name of their host; raises InvalidRequest where one has none, or two have the same.

    how: a key of HOST_NAMES.
    """
    found: dict[str, Tenant] = {}
    for tenant in tenants:
        name = HOST_NAMES[how](tenant)
        if not name:
            raise InvalidRequest(
                f"{tenant.label} has no {how} that a host can be named by.", hint="Set hostname to tenant."
            )
        other = found.setdefault(name, tenant)
        if other is not tenant:
            raise InvalidRequest(
                f"{other.label} and {tenant.label} would both be the host {name}.", hint="Set hostname to tenant."
            )
    return found


def _domain_name(tenant: Tenant) -> str:
    return tenant.default_domain if _DOMAIN.fullmatch(tenant.default_domain) else ""


def _plain_name(tenant: Tenant) -> str:
    """Letters and digits alone, because everything else has a meaning in a pattern of hosts."""
    letters = unicodedata.normalize("NFKD", tenant.name).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    return "" if name in _RESERVED else name


HOST_NAMES: Mapping[str, Callable[[Tenant], str]] = {
    "tenant": lambda tenant: tenant.tenant,
    "default_domain": _domain_name,
    "name": _plain_name,
}


def variables(tenant: Tenant, today: datetime.date) -> dict[str, t.Any]:
    """What is known of a tenant, beside exo_tenant. What the source does not tell is left out. today: in UTC."""
    found: dict[str, t.Any] = {
        "tenant_id": tenant.tenant if is_guid(tenant.tenant) else "",
        "tenant_name": tenant.name,
        "default_domain": tenant.default_domain,
        "contract_types": list(tenant.contract_types),
        "gdap": _gdap(tenant.relationships, today),
    }
    return {name: value for name, value in found.items() if value}


def _gdap(relationships: Sequence[Relationship], today: datetime.date) -> dict[str, t.Any]:
    """The relationships put together: access ends with the last of them."""
    if not relationships:
        return {}
    end = max((one.end for one in relationships if one.end is not None), default=None)
    return {
        "relationships": [one.name for one in relationships],
        "end": end.isoformat() if end else None,
        "days_left": (end - today).days if end else None,
        "auto_extend": any(one.auto_extend for one in relationships),
        "roles": sorted(set().union(*(one.roles for one in relationships))),
    }
