# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-, New-, Set- and Remove-AuthenticationPolicy."""

from __future__ import annotations

from typing import Any

from . import object_schema as table
from . import wire
from .calls import Call, Result, asks_only, converted, dates, identity_text, named_parameters, refuse_not_simulated
from .named import NamedObject
from .rows import View, named_values, object_row
from .tenants import Tenant

_NAME_LENGTH = 64


def policy_row(tenant: Tenant, policy: NamedObject, view: View) -> bytes:
    own = {"ObjectCategory": tenant.category("ms-Exch-Auth-Policy")}
    return object_row(
        table.AUTHENTICATION_PROPERTIES, named_values(tenant, policy, table.AUTHENTICATION_PROPERTIES, own), view
    )


def get_policy(call: Call) -> Result:
    parameters = named_parameters(call, {"identity": "Identity"})
    shown = call.tenant.access.authentication.shown()
    return Result(picked(call, shown, parameters.get("Identity"), "unknown_authentication_policy"), policy_row)


def picked(call: Call, shown: list[NamedObject], identity: Any, form: str) -> list[NamedObject]:
    """Those that a Get returns; the documentation warns that a name which does not exist brings them all."""
    if identity is None:
        return shown
    if not isinstance(identity, str):
        raise wire.bad_value("Identity", identity, "Microsoft.Exchange.Configuration.Tasks.AuthPolicyIdParameter")
    found = [entry for entry in shown if entry.answers_to(identity)]
    if not found and identity.strip() and call.tenant.form(form) == "not_found":
        raise wire.not_found(identity, call.tenant.directory_server())
    return found or shown


def new_policy(call: Call) -> Result:
    tenant = call.tenant
    parameters = _parameters(call, "Name")
    name = parameters.get("Name")
    if "Name" not in parameters:
        raise wire.unknown_parameter("Name")
    if not isinstance(name, str):
        raise wire.bad_value("Name", name, "System.String")
    if not 1 <= len(name) <= _NAME_LENGTH:
        raise wire.refused(f"The length of the property is too long. The maximum length is {_NAME_LENGTH}.")
    values = converted(call, parameters, table.AUTHENTICATION_PARAMETERS, lambda _name: None)
    if any(entry.name.casefold() == name.casefold() for entry in tenant.access.authentication):
        raise wire.refused(f"The object '{name}' already exists.", wire.ALREADY_EXISTS)
    if asks_only(parameters):
        return Result(confirmation=f'Creating authentication policy "{name}".')
    policy = tenant.access.new_policy(name, {**values, **dates(), **_created()})
    if call.store:
        tenant.access.authentication.add(policy, tenant.lag)
    return Result([policy], policy_row, changed=call.store)


def _created() -> dict[str, str]:
    now = dates()
    return {"WhenCreated": now["WhenChanged"], "WhenCreatedUTC": now["WhenChangedUTC"]}


def set_policy(call: Call) -> Result:
    tenant = call.tenant
    parameters = _parameters(call, "Identity")
    policy = one(call, parameters)
    changes = converted(call, parameters, table.AUTHENTICATION_PARAMETERS, policy.store.current.get)
    if tenant.null_reference:
        # Seen in the field on every change, for years: Microsoft365DSC issue 4819.
        raise wire.null_reference(tenant.null_reference)
    if asks_only(parameters):
        return Result(confirmation=f'Setting authentication policy "{policy.name}".')
    differing = {name: value for name, value in changes.items() if policy.store.current.get(name, False) != value}
    if not differing:
        return Result(warnings=[wire.NOT_MODIFIED.format(identity=policy.name)])
    if call.store:
        before = call.journal.snapshot(tenant, tenant.mailboxes)
        tenant.access.write_policy(policy, {**differing, **dates()})
        call.journal.effective(tenant, call.cmdlet, before)
    return Result(changed=call.store)


def remove_policy(call: Call) -> Result:
    tenant = call.tenant
    parameters = named_parameters(call, {name.casefold(): name for name in ("Identity", "Confirm")})
    policy = one(call, parameters)
    if tenant.form("removed_policy") == "refused" and tenant.access.points_to(policy):
        raise wire.refused(f"The authentication policy '{policy.name}' can't be removed because it's in use.")
    if asks_only(parameters):
        return Result(confirmation=f'Removing authentication policy "{policy.name}".')
    if call.store:
        before = call.journal.snapshot(tenant, tenant.mailboxes)
        tenant.access.authentication.remove(policy, tenant.lag)
        call.journal.effective(tenant, call.cmdlet, before)
    return Result(changed=call.store)


def _parameters(call: Call, key: str) -> dict[str, Any]:
    refuse_not_simulated(call, table.AUTHENTICATION_NOT_SIMULATED, call.cmdlet)
    allowed = (key, *table.AUTHENTICATION_SWITCHES, "Confirm", "WhatIf")
    return named_parameters(call, {name.casefold(): name for name in allowed})


def one(call: Call, parameters: dict[str, Any]) -> NamedObject:
    if "Identity" not in parameters:
        raise wire.unknown_parameter("Identity")
    identity = identity_text(parameters["Identity"], "AuthPolicyIdParameter")
    found = call.tenant.access.authentication.find(identity)
    if found is None:
        raise wire.not_found(identity, call.tenant.directory_server())
    return found
