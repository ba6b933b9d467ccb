# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a partner's own tenant holds of its customers: delegated admin relationships (GDAP) and contracts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .names import DescriptionError, derive, refuse_unknown

STATUSES = (
    "activating",
    "active",
    "approvalPending",
    "approved",
    "created",
    "expired",
    "expiring",
    "terminated",
    "terminating",
    "terminationRequested",
)
_RELATIONSHIP_KEYS = frozenset({"tenant", "customer", "name", "status", "end", "auto_extend", "roles"})
_CONTRACT_KEYS = frozenset({"tenant", "customer", "domain", "type"})
# Exchange Administrator and Global Reader, by the ids that they have in every tenant.
_ROLES = ("29232cdf-9323-42fd-ade2-1d097af3e4de", "f2ef992c-3afb-46b9-b7cf-a126ee74c451")


def relationships(label: str, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As Graph shows them; a customer may have several."""
    return [_relationship(label, number, entry) for number, entry in enumerate(entries)]


def _relationship(label: str, number: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    refuse_unknown("relationships", entry, _RELATIONSHIP_KEYS)
    status = entry.get("status", "active")
    if status not in STATUSES:
        raise DescriptionError(f"the status of a relationship is one of {', '.join(STATUSES)}")
    customer = _customer(entry)
    name = derive(label, "relationship", str(number))
    return {
        "@odata.etag": f'W/"{name[:8]}"',
        "id": f"{name}-{derive(label, 'partner')}",
        "displayName": entry.get("name", f"Relationship {number}"),
        "duration": "P730D",
        "customer": {"tenantId": customer, "displayName": entry.get("customer", str(entry["tenant"]))},
        "accessDetails": {"unifiedRoles": [{"roleDefinitionId": role} for role in entry.get("roles", _ROLES)]},
        "status": status,
        "autoExtendDuration": "P180D" if entry.get("auto_extend") else "PT0S",
        "createdDateTime": "2025-01-07T09:00:00Z",
        "lastModifiedDateTime": "2025-01-08T09:00:00Z",
        "activatedDateTime": "2025-01-08T09:00:00Z",
        "endDateTime": entry.get("end", "2099-01-08T09:00:00Z"),
    }


def contracts(label: str, entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As Graph shows them."""
    return [_contract(label, number, entry) for number, entry in enumerate(entries)]


def _contract(label: str, number: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    refuse_unknown("contracts", entry, _CONTRACT_KEYS)
    return {
        "id": derive(label, "contract", str(number)),
        "deletedDateTime": None,
        "contractType": entry.get("type", "ResellerPartner"),
        "customerId": _customer(entry),
        "defaultDomainName": entry.get("domain", f"{entry['tenant']}.onmicrosoft.com"),
        "displayName": entry.get("customer", str(entry["tenant"])),
    }


def _customer(entry: Mapping[str, Any]) -> str:
    """The GUID of the customer's tenant, which may be named by its label here."""
    if not entry.get("tenant"):
        raise DescriptionError("tenant: the label or the GUID of the customer's tenant")
    name = str(entry["tenant"])
    return name if len(name) == 36 else derive(name, "tenant")
