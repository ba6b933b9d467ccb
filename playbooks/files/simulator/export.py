# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A description of a tenant from what its own cmdlets show: a copy to try things on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .names import DescriptionError
from .object_schema import AUTHENTICATION_SWITCHES, PLAN_PARAMETERS
from .organization_schema import ORGANIZATION_PARAMETERS
from .schema import CAS_PARAMETERS, CAS_SHARED_BY_NAME, TRANSPORT_PARAMETERS

Row = Mapping[str, Any]
CMDLETS = (
    "Get-AuthenticationPolicy",
    "Get-CASMailbox",
    "Get-CASMailboxPlan",
    "Get-OrganizationConfig",
    "Get-TransportConfig",
    "Get-User",
)
_FIRST_NAME = re.compile(r"CN=((?:[^,\\]|\\.)+)")


def description_of(content: Any) -> dict[str, Any]:
    """``content`` has rows, or an answer of the REST API, by cmdlet; what it lacks stays as it is by default."""
    if not isinstance(content, Mapping) or not content.keys() <= set(CMDLETS):
        raise DescriptionError(f"an export is a dictionary with the rows of {', '.join(CMDLETS)}")
    rows = {cmdlet: _rows(cmdlet, content.get(cmdlet)) for cmdlet in CMDLETS}
    boxes = rows["Get-CASMailbox"]
    users = {str(row.get("Guid")): row for row in rows["Get-User"]}
    description: dict[str, Any] = {
        "domains": _domains(rows["Get-OrganizationConfig"], boxes),
        "policies": {
            "owa": _named(boxes, "OwaMailboxPolicy"),
            "active_sync": _named(boxes, "ActiveSyncMailboxPolicy"),
        },
        "transport_config": _settable(rows["Get-TransportConfig"], TRANSPORT_PARAMETERS),
        "organization_config": _organization(rows["Get-OrganizationConfig"]),
        "authentication_policies": [_policy(row) for row in rows["Get-AuthenticationPolicy"]],
        "plans": [_plan(row) for row in rows["Get-CASMailboxPlan"]],
        "mailboxes": [_mailbox(row, users.get(str(row.get("Guid")), {})) for row in boxes],
    }
    label = re.sub(r"[^A-Za-z0-9_-]", "-", description["domains"][0].partition(".")[0])
    return {"label": label, **description}


def _rows(cmdlet: str, found: Any) -> list[Row]:
    if isinstance(found, Mapping) and isinstance(found.get("value"), list):
        found = found["value"]
    listed = [] if found is None else found
    # PowerShell writes one object alone without a list around it.
    listed = [listed] if isinstance(listed, Mapping) else listed
    if not isinstance(listed, list) or not all(isinstance(row, Mapping) for row in listed):
        raise DescriptionError(f"{cmdlet}: expected one object or a list of them")
    return listed


def _settable(rows: list[Row], parameters: Iterable[str]) -> dict[str, Any]:
    row = rows[0] if rows else {}
    return {name: row[name] for name in parameters if name in row}


def _domains(organization: list[Row], boxes: list[Row]) -> list[str]:
    first = [str(row["Name"]).lower() for row in organization if row.get("Name")]
    others = sorted({str(row.get("PrimarySmtpAddress")).rpartition("@")[2].lower() for row in boxes})
    found = list(dict.fromkeys([*first, *others]))
    if not found:
        raise DescriptionError("the export has neither a Get-OrganizationConfig nor a mailbox, so it has no domain")
    return found


def _named(rows: list[Row], name: str) -> list[str]:
    return sorted({str(row[name]) for row in rows if row.get(name)})


def _policy_name(reference: Any) -> Any:
    """A policy is shown by its name or its distinguished name."""
    match = _FIRST_NAME.match(str(reference))
    return match.group(1) if match else reference


def _organization(rows: list[Row]) -> dict[str, Any]:
    found = _settable(rows, [*ORGANIZATION_PARAMETERS, "BasicAuthBlockedApps"])
    if found.get("DefaultAuthenticationPolicy"):
        found["DefaultAuthenticationPolicy"] = _policy_name(found["DefaultAuthenticationPolicy"])
    return found


def _policy(row: Row) -> dict[str, Any]:
    found = {name: row[name] for name in AUTHENTICATION_SWITCHES if name in row}
    return {"name": row.get("Name"), **({"guid": row["Guid"]} if row.get("Guid") else {}), **found}


def _plan(row: Row) -> dict[str, Any]:
    return {"name": row.get("DisplayName"), "cas": {name: row[name] for name in PLAN_PARAMETERS if name in row}}


def _mailbox(row: Row, user: Row) -> dict[str, Any]:
    addresses = [str(address) for address in row.get("EmailAddresses") or ()]
    primary = str(row.get("PrimarySmtpAddress"))
    found = {
        "primary_address": primary,
        "upn": user.get("UserPrincipalName") or primary,
        "aliases": [address[5:] for address in addresses if address.startswith("smtp:")],
        "cas": {name: row[name] for name in CAS_PARAMETERS if name in row and _differs(row, name)},
        **_given(row, display_name="DisplayName", name="Name", guid="Guid"),
        **_given(row, external_directory_object_id="ExternalDirectoryObjectId"),
        **_given(user, type="RecipientTypeDetails", account_disabled="AccountDisabled"),
    }
    if user.get("AuthenticationPolicy"):
        found["user"] = {"AuthenticationPolicy": _policy_name(user["AuthenticationPolicy"])}
    return found


def _given(row: Row, **names: str) -> dict[str, Any]:
    return {key: row[name] for key, name in names.items() if row.get(name) is not None}


def _differs(row: Row, name: str) -> bool:
    # The default policy reads as its name where nobody has set one.
    if name == "ActiveSyncMailboxPolicy" and row.get("ActiveSyncMailboxPolicyIsDefaulted"):
        return False
    return bool(row[name] != CAS_SHARED_BY_NAME[name].default)
