# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as they go over the wire: built once per mailbox and selection, and kept until the mailbox changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import schema
from .gates import policy_gate
from .mailbox import FOREST, SERVER, Mailbox
from .named import NamedObject
from .schema import Property
from .tenants import Tenant
from .wire import encode

Select = frozenset[str] | None
_KEPT_SELECTIONS = 3

_OWN: dict[str, Callable[[Tenant, Mailbox], Any]] = {
    "EmailAddresses": lambda tenant, mailbox: mailbox.addresses,
    "LegacyExchangeDN": lambda tenant, mailbox: mailbox.legacy_dn(),
    "PrimarySmtpAddress": lambda tenant, mailbox: mailbox.primary,
    "SamAccountName": lambda tenant, mailbox: "$" + mailbox.exchange_object_id.replace("-", "")[:16].upper(),
    "DisplayName": lambda tenant, mailbox: mailbox.display_name,
    "Name": lambda tenant, mailbox: mailbox.name,
    "Identity": lambda tenant, mailbox: mailbox.name,
    "Id": lambda tenant, mailbox: mailbox.name,
    "Guid": lambda tenant, mailbox: mailbox.guid,
    "ExchangeObjectId": lambda tenant, mailbox: mailbox.exchange_object_id,
    "ExternalDirectoryObjectId": lambda tenant, mailbox: mailbox.external_id,
    "DistinguishedName": lambda tenant, mailbox: mailbox.distinguished_name(tenant.domains[0]),
    "ServerLegacyDN": lambda tenant, mailbox: (
        "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)"
        f"/cn=Configuration/cn=Servers/cn={mailbox.server}"
    ),
    "ServerName": lambda tenant, mailbox: mailbox.server.lower(),
    "OrganizationId": lambda tenant, mailbox: tenant.organization_id(),
    "OrganizationalUnitRoot": lambda tenant, mailbox: tenant.domains[0],
    "ObjectCategory": lambda tenant, mailbox: f"{FOREST}/Configuration/Schema/Person",
    "OriginatingServer": lambda tenant, mailbox: tenant.directory_server(),
    "WhenCreated": lambda tenant, mailbox: "2024-03-04T09:30:00.0000000+00:00",
    "WhenCreatedUTC": lambda tenant, mailbox: "2024-03-04T09:30:00.0000000Z",
}
_DATES = {"WhenChanged": "2024-03-04T09:30:00.0000000+00:00", "WhenChangedUTC": "2024-03-04T09:30:00.0000000Z"}


def server_name(mailbox: Mailbox | None = None) -> str:
    return f"{mailbox.server if mailbox else SERVER}.{FOREST}".lower()


def anchor_server(tenant: Tenant, anchor: str | None) -> str:
    """The server that an anchor leads to."""
    found = tenant.find(anchor.partition(":")[2] or anchor) if anchor else ()
    return server_name(found[0] if found else None)


@dataclass(frozen=True)
class View:
    """Which properties are asked for, and which switches of Get-CASMailbox are on."""

    select: Select
    switches: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()

    def shows(self, row: Property, value: Any) -> bool:
        return value is not None or not self.omitted & {row.name, "*"}

    def wants(self, row: Property) -> bool:
        return self.select is None or row.name in self.select


Render = Callable[[Tenant, Any, View], bytes]


def _lead(row: Property) -> bytes:
    """All of a property but its value: annotations first, as the service orders them."""
    notes = b"".join(encode(key) + b":" + encode(text) + b"," for key, text in row.annotations().items())
    return notes + encode(row.name) + b":"


def _bare_lead(row: Property) -> bytes:
    """A null says nothing of the type that it is not of."""
    return encode(row.name) + b":"


@lru_cache(maxsize=256)
def _own_plan(view: View) -> tuple[tuple[bytes, Callable[[Tenant, Mailbox], Any]], ...]:
    return tuple((_lead(row), _OWN[row.name]) for row in schema.CAS_OWN_PROPERTIES if view.wants(row))


def shared_value(row: Property, stored: dict[str, Any], switches: frozenset[str], default_policy: str) -> Any:
    needed, unasked = _ASKED_FOR.get(row.name, (None, None))
    if needed is not None and needed not in switches:
        return unasked
    if row.name in schema.PROTOCOL_SETTINGS:
        return schema.PROTOCOL_SETTINGS[row.name]
    value = stored.get(row.name, row.default)
    if value is not None:
        return value
    return default_policy if row.name == "ActiveSyncMailboxPolicy" else _DATES.get(row.name)


# The switch that a property is read with, and what it shows without.
_ASKED_FOR: Mapping[str, tuple[str, bool | None]] = {
    "ActiveSyncDebugLogging": ("ActiveSyncDebugLogging", False),
    "IsOptimizedForAccessibility": ("ReadIsOptimizedForAccessibility", None),
    **dict.fromkeys(schema.PROTOCOL_SETTINGS, ("ProtocolSettings", None)),
}


@lru_cache(maxsize=4096)
def _shared_part(view: View, stored: str, default_policy: str) -> bytes:
    values = json.loads(stored)
    wanted = [row for row in schema.CAS_SHARED_PROPERTIES if view.wants(row)]
    shown = [(row, shared_value(row, values, view.switches, default_policy)) for row in wanted]
    return b",".join(_lead(row) + encode(value) for row, value in shown if view.shows(row, value))


def mailbox_row(tenant: Tenant, mailbox: Mailbox, view: View) -> bytes:
    stored = mailbox.visible()
    ready = mailbox.rows.get(view)
    if ready is not None:
        return ready
    own = b",".join(lead + encode(value(tenant, mailbox)) for lead, value in _own_plan(view))
    shared = _shared_part(view, json.dumps(stored, sort_keys=True) if stored else "{}", tenant.default_policy())
    row = b"{" + b",".join(part for part in (own, shared) if part) + b"}"
    if len(mailbox.rows) >= _KEPT_SELECTIONS:
        mailbox.rows.clear()
    mailbox.rows[view] = row
    return row


def object_row(properties: Iterable[Property], values: Mapping[str, Any], view: View) -> bytes:
    """One object of which the tenant has few; a property that ``values`` lacks is left out."""
    parts = (
        (_bare_lead(row) if values[row.name] is None else _lead(row)) + encode(values[row.name])
        for row in properties
        if view.wants(row) and row.name in values and view.shows(row, values[row.name])
    )
    return b"{" + b",".join(parts) + b"}"


def named_values(
    tenant: Tenant, entry: NamedObject, properties: Iterable[Property], own: Mapping[str, Any]
) -> dict[str, Any]:
    """All properties of an authentication policy or a mailbox plan."""
    entry.store.refresh()
    facts = {
        "Name": entry.name,
        "Identity": entry.name,
        "Id": entry.name,
        "Guid": entry.guid,
        "ExchangeObjectId": entry.guid,
        "DistinguishedName": entry.dn,
        "OrganizationalUnitRoot": tenant.domains[0],
        "OrganizationId": tenant.organization_id(),
        "OriginatingServer": tenant.directory_server(),
        "WhenCreated": _DATES["WhenChanged"],
        "WhenCreatedUTC": _DATES["WhenChangedUTC"],
        **_DATES,
        **own,
        **entry.store.visible,
    }
    return {row.name: facts.get(row.name, row.default) for row in properties}


def transport_row(tenant: Tenant, organization: Tenant, view: View) -> bytes:
    organization.transport.refresh()
    stored = organization.transport.visible
    values = {
        row.name: _transport_value(tenant, row.name, stored.get(row.name, row.default))
        for row in schema.TRANSPORT_PROPERTIES
    }
    return object_row(schema.TRANSPORT_PROPERTIES, values, view)


def _transport_value(tenant: Tenant, name: str, value: Any) -> Any:
    if tenant.culture_as_object and value and name.endswith("DsnDefaultLanguage"):
        return {"Name": value, "IsNeutralCulture": "-" not in value}
    return value


def static_row(tenant: Tenant, values: dict[str, Any], view: View) -> bytes:
    names: Iterable[str] = values if view.select is None else view.select
    return encode({key: value for key, value in values.items() if key.partition("@")[0] in names})


def mailbox_state(tenant: Tenant, mailbox: Mailbox) -> dict[str, Any]:
    """Everything that is stored, whatever reads show."""
    everything = frozenset({"ActiveSyncDebugLogging", "ReadIsOptimizedForAccessibility"})
    stored = {
        row.name: shared_value(row, mailbox.store.current, everything, tenant.default_policy())
        for row in schema.CAS_SHARED_PROPERTIES
    }
    own = {name: value(tenant, mailbox) for name, value in _OWN.items()}
    gates = {
        "effective_smtp_auth": tenant.smtp_enabled(mailbox),
        "policy_gate": policy_gate(tenant, mailbox),
        "policy_gate_in_effect": policy_gate(tenant, mailbox, in_effect=True),
    }
    facts = {"UserPrincipalName": mailbox.upn, "Alias": mailbox.alias, "RecipientTypeDetails": mailbox.type}
    return {**own, **stored, **facts, **gates}
