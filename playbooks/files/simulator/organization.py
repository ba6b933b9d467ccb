# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-OrganizationConfig and Set-OrganizationConfig."""

from __future__ import annotations

from typing import Any

from . import organization_schema as table
from . import wire
from .calls import (
    Call,
    Result,
    asks_only,
    check_ews_lists,
    converted,
    dates,
    named_parameters,
    refuse_not_simulated,
    switch,
)
from .rows import View, object_row
from .tenants import Tenant

EWS_SWITCH = "RetrieveEwsOperationAccessPolicy"


def organization_row(tenant: Tenant, organization: Tenant, view: View) -> bytes:
    organization.organization.refresh()
    stored = organization.organization.visible
    values = {row.name: stored.get(row.name, row.default) for row in table.ORGANIZATION_PROPERTIES}
    values["DefaultAuthenticationPolicy"] = tenant.access.policy_reference(values["DefaultAuthenticationPolicy"])
    values["IsDehydrated"] = stored.get("IsDehydrated", bool(tenant.dehydrated))
    if EWS_SWITCH not in view.switches:
        # Unasked, the list of apps says nothing: it is empty or not there at all.
        values["EwsAllowedAppIDs"] = None
        if tenant.form("ews_app_ids_unasked") == "absent":
            del values["EwsAllowedAppIDs"]
    return object_row(table.ORGANIZATION_PROPERTIES, values, view)


def enable_customization(call: Call) -> Result:
    parameters = named_parameters(call, {"confirm": "Confirm", "whatif": "WhatIf"})
    tenant = call.tenant
    if not tenant.dehydrated:
        text = "This operation is not required. Organization is already enabled for customization."
        raise wire.refused(text, "System.InvalidOperationException")
    if asks_only(parameters):
        return Result(confirmation=f'Enabling customization of the organization "{tenant.domains[0]}".')
    if call.store:
        tenant.dehydrated = False
    return Result(changed=call.store)


def get_organization(call: Call) -> Result:
    parameters = named_parameters(call, {EWS_SWITCH.casefold(): EWS_SWITCH})
    switches = frozenset({EWS_SWITCH}) if switch(parameters, EWS_SWITCH) else frozenset()
    return Result([call.tenant], organization_row, switches=switches)


def set_organization(call: Call) -> Result:
    tenant = call.tenant
    refuse_not_simulated(call, table.ORGANIZATION_NOT_SIMULATED, "Set-OrganizationConfig")
    allowed = {name.casefold(): name for name in (*table.ORGANIZATION_PARAMETERS, "Confirm", "WhatIf")}
    parameters = named_parameters(call, allowed)
    if {"DelayedDelicensingEnabled", "RejectDirectSend"} <= parameters.keys():
        # The two stand in no common parameter set.
        raise wire.unknown_parameter("DelayedDelicensingEnabled, RejectDirectSend")
    changes = converted(call, parameters, table.ORGANIZATION_PARAMETERS, tenant.organization_value)
    check_ews_lists(parameters, changes)
    if asks_only(parameters):
        return Result(confirmation=f'Setting organization configuration "{tenant.domains[0]}".')
    differing = {name: value for name, value in changes.items() if tenant.organization_value(name) != value}
    if not differing:
        warning = wire.NOT_MODIFIED.format(identity=tenant.domains[0])
        return Result([tenant], organization_row, warnings=[warning])
    if call.store:
        affected = tenant.mailboxes if "DefaultAuthenticationPolicy" in differing else []
        before = call.journal.snapshot(tenant, affected)
        tenant.access.write_organization({**differing, **_dates_of(differing)}, tenant.lag)
        call.journal.effective(tenant, call.cmdlet, before)
    # Unlike other setters this one answers with the whole object.
    return Result([tenant], organization_row, changed=call.store)


def _dates_of(changes: dict[str, Any]) -> dict[str, str]:
    now = dates()
    return now | {table.DATED[name]: now["WhenChangedUTC"] for name in changes if name in table.DATED}
