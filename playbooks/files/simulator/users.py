# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-User and Set-User."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any

from . import object_schema as table
from . import schema, wire
from .calls import (
    Call,
    Result,
    asks_only,
    check_writable,
    converted,
    dates,
    identity_text,
    named_parameters,
    of_types,
    recipient_types,
    refuse_not_simulated,
    result_size,
)
from .mailbox import Mailbox
from .rows import View, object_row
from .tenants import Tenant

_NOT_SIMULATED = frozenset({"anr", "arbitration", "credential", "organizationalunit", "publicfolder", "sortby"})
_TYPES = (*schema.RECIPIENT_TYPES, "DisabledUser", "GuestMailUser", "LinkedUser", "MailUser", "User")
_FILTER = re.compile(
    r"""\s*(?P<name>\w+)\s+-(?P<operator>eq|ne|like)\s+
        (?:'(?P<single>(?:[^']|'')*)'|"(?P<double>[^"]*)"|(?P<null>\$null))\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_FILTERABLE = (
    "AuthenticationPolicy",
    "DisplayName",
    "Name",
    "RecipientTypeDetails",
    "UserAccountControl",
    "UserPrincipalName",
)
_FILTERED = {name.casefold(): name for name in _FILTERABLE}

_OWN: Mapping[str, Callable[[Tenant, Mailbox], Any]] = {
    "SamAccountName": lambda tenant, user: "$" + user.exchange_object_id.replace("-", "")[:16].upper(),
    "UserPrincipalName": lambda tenant, user: user.upn,
    "WindowsLiveID": lambda tenant, user: user.upn,
    "MicrosoftOnlineServicesID": lambda tenant, user: user.upn,
    "UserAccountControl": lambda tenant, user: user.account_control(),
    "OrganizationalUnit": lambda tenant, user: tenant.organizational_unit(),
    "ExternalDirectoryObjectId": lambda tenant, user: user.external_id,
    "SKUAssigned": lambda tenant, user: True if user.type == "UserMailbox" else None,
    "AccountDisabled": lambda tenant, user: user.account_disabled,
    "DisplayName": lambda tenant, user: user.display_name,
    "RecipientType": lambda tenant, user: user.type if user.type in ("MailUser", "User") else "UserMailbox",
    "RecipientTypeDetails": lambda tenant, user: user.type,
    "WindowsEmailAddress": lambda tenant, user: user.primary,
    "Identity": lambda tenant, user: user.name,
    "Id": lambda tenant, user: user.name,
    "Name": lambda tenant, user: user.name,
    "DistinguishedName": lambda tenant, user: user.distinguished_name(tenant.domains[0]),
    "ObjectCategory": lambda tenant, user: tenant.category("Person"),
    "WhenCreated": lambda tenant, user: "2024-03-04T09:30:00.0000000+00:00",
    "WhenCreatedUTC": lambda tenant, user: "2024-03-04T09:30:00.0000000Z",
    "WhenChanged": lambda tenant, user: "2024-03-04T09:30:00.0000000+00:00",
    "WhenChangedUTC": lambda tenant, user: "2024-03-04T09:30:00.0000000Z",
    "ExchangeObjectId": lambda tenant, user: user.exchange_object_id,
    "OrganizationalUnitRoot": lambda tenant, user: tenant.domains[0],
    "OrganizationId": lambda tenant, user: tenant.organization_id(),
    "Guid": lambda tenant, user: user.guid,
    "OriginatingServer": lambda tenant, user: tenant.directory_server(),
}


def user_row(tenant: Tenant, user: Mailbox, view: View) -> bytes:
    user.user.refresh()
    wanted = [row for row in table.USER_PROPERTIES if view.wants(row)]
    return object_row(wanted, {row.name: _value(tenant, user, row.name) for row in wanted}, view)


def _value(tenant: Tenant, user: Mailbox, name: str) -> Any:
    stored = user.user.visible
    if name == "AuthenticationPolicy":
        return tenant.access.policy_reference(stored.get(name))
    if name in stored:
        return stored[name]
    return _OWN[name](tenant, user) if name in _OWN else table.USER_BY_NAME[name].default


def get_user(call: Call) -> Result:
    refuse_not_simulated(call, _NOT_SIMULATED, "Get-User")
    names = ("Identity", "Filter", "ResultSize", "RecipientTypeDetails")
    parameters = named_parameters(call, {name.casefold(): name for name in names})
    limit, given = result_size(call.tenant, parameters)
    types = recipient_types(parameters, _TYPES)
    identity, text = parameters.get("Identity"), parameters.get("Filter")
    if identity is not None and text is not None:
        raise wire.unknown_parameter("Filter")
    found = of_types(_people(call) if identity is None else _named(call, identity), types)
    if text is not None:
        matches = _condition(call.tenant, text)
        found = [user for user in found if matches(user)]
    return Result(found, user_row, limit=limit, limit_given=given)


def _people(call: Call) -> list[Mailbox]:
    scope = call.app.read_scope if call.tenant.form("scoped_users") == "same" else None
    people = call.tenant.access.people()
    return [user for user in people if scope is None or call.tenant.in_scope(user, scope)]


def _named(call: Call, identity: Any) -> list[Mailbox]:
    if not isinstance(identity, str):
        raise wire.bad_value("Identity", identity, "Microsoft.Exchange.Configuration.Tasks.UserIdParameter")
    people = _people(call)
    found = _matching(call.tenant, identity, people)
    if len(found) > 1:
        raise wire.ambiguous(identity)
    if not found and call.tenant.form("unknown_user") == "not_found":
        raise wire.not_found(identity, call.tenant.directory_server())
    return found or people


def _matching(tenant: Tenant, identity: str, people: list[Mailbox]) -> list[Mailbox]:
    mailboxes = tenant.find(identity)
    if mailboxes:
        return [user for user in mailboxes if user in people]
    wanted = identity.strip().casefold()
    return [
        user
        for user in people
        if user.type in ("MailUser", "User") and wanted in {key.casefold() for key in user.keys(tenant.domains[0])}
    ]


def _condition(tenant: Tenant, text: Any) -> Callable[[Mailbox], bool]:
    """One comparison; nobody has shown more over REST, so more is refused."""
    match = _FILTER.fullmatch(text) if isinstance(text, str) else None
    name = _FILTERED.get(match["name"].casefold()) if match else None
    if match is None or name is None:
        raise wire.bad_request(f"The simulator does not know the filter {text!r} of Get-User.")
    operator, quoted = match["operator"].casefold(), match["single"]
    wanted = quoted.replace("''", "'") if quoted is not None else match["double"]
    if operator == "ne" and wanted is None and tenant.form("filter_not_null") == "refused":
        raise wire.bad_value("Filter", text, "System.String")
    return lambda user: _compares(operator, _filtered(tenant, user, name), wanted)


def _filtered(tenant: Tenant, user: Mailbox, name: str) -> str | None:
    if name != "AuthenticationPolicy":
        return str(_value(tenant, user, name))
    # The property holds a link, so a filter compares the distinguished name, whatever a read shows.
    policy = tenant.access.policy(user.user.current.get(name))
    return policy.dn if policy else None


def _compares(operator: str, value: str | None, wanted: str | None) -> bool:
    if value is None or wanted is None:
        same = value is wanted
    elif operator == "like":
        same = fnmatch.fnmatchcase(value.casefold(), wanted.casefold())
    else:
        same = value.casefold() == wanted.casefold()
    return not same if operator == "ne" else same


def set_user(call: Call) -> Result:
    tenant = call.tenant
    allowed = ("Identity", *table.USER_PARAMETERS, "Confirm", "WhatIf")
    parameters = named_parameters(call, {name.casefold(): name for name in allowed})
    identity = identity_text(parameters.get("Identity"), "UserIdParameter")
    found = _matching(tenant, identity, _people(call))
    if not found:
        raise wire.not_found(identity, tenant.directory_server())
    if len(found) > 1:
        raise wire.ambiguous(identity)
    user = found[0]
    check_writable(call, user)
    changes = converted(call, parameters, table.USER_PARAMETERS, user.user.current.get)
    if asks_only(parameters):
        return Result(confirmation=f'Setting user "{user.name}".')
    differing = {name: value for name, value in changes.items() if user.user.current.get(name) != value}
    if not differing:
        return Result(warnings=[wire.NOT_MODIFIED.format(identity=user.name)])
    if call.store:
        before = call.journal.snapshot(tenant, [user])
        tenant.access.write_user(user, {**differing, **dates()})
        call.journal.effective(tenant, call.cmdlet, before)
    return Result(changed=call.store)
