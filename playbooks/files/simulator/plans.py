# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CASMailboxPlan and Set-CASMailboxPlan."""

from __future__ import annotations

from . import object_schema as table
from . import wire
from .authentication import picked
from .calls import Call, Result, asks_only, converted, dates, identity_text, named_parameters, refuse_not_simulated
from .named import NamedObject
from .rows import View, named_values, object_row
from .tenants import Tenant


def plan_row(tenant: Tenant, plan: NamedObject, view: View) -> bytes:
    own = {
        "ObjectCategory": tenant.category("person"),
        "DisplayName": plan.name.rpartition(f"-{plan.guid}")[0],
    }
    return object_row(table.PLAN_PROPERTIES, named_values(tenant, plan, table.PLAN_PROPERTIES, own), view)


def get_plan(call: Call) -> Result:
    parameters = named_parameters(call, {name.casefold(): name for name in ("Identity", "ResultSize")})
    return Result(picked(call, call.tenant.access.plans.shown(), parameters.get("Identity"), "unknown_plan"), plan_row)


def set_plan(call: Call) -> Result:
    tenant = call.tenant
    refuse_not_simulated(call, table.PLAN_NOT_SIMULATED, "Set-CASMailboxPlan")
    allowed = ("Identity", *table.PLAN_PARAMETERS, "Confirm", "WhatIf")
    parameters = named_parameters(call, {name.casefold(): name for name in allowed})
    identity = identity_text(parameters.get("Identity"), "MailboxPlanIdParameter")
    # The display name of a plan does not name it here: Microsoft365DSC issue 3900.
    plan = tenant.access.plans.find(identity)
    if plan is None:
        raise wire.not_found(identity, tenant.directory_server())
    if parameters.get("OwaMailboxPolicy", "") is None:
        raise wire.bad_request("The simulator does not know what a mailbox plan without an OwaMailboxPolicy is.")
    stored = plan.store.current
    changes = converted(call, parameters, table.PLAN_PARAMETERS, stored.get)
    if asks_only(parameters):
        return Result(confirmation=f'Setting mailbox plan "{plan.name}".')
    defaults = {row.name: row.default for row in table.PLAN_PROPERTIES}
    differing = {name: value for name, value in changes.items() if stored.get(name, defaults[name]) != value}
    if not differing:
        return Result(warnings=[wire.NOT_MODIFIED.format(identity=plan.name)])
    if call.store:
        plan.store.write({**differing, **dates()}, tenant.lag)
    return Result(changed=call.store)
