# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cmdlets themselves: parameters in, a result or an error out."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import schema, wire
from .authentication import get_policy, new_policy, remove_policy, set_policy
from .calls import (
    Call,
    Result,
    asks_only,
    check_ews_lists,
    check_writable,
    converted,
    dates,
    identity_text,
    named_parameters,
    of_types,
    recipient_types,
    refuse_not_simulated,
    result_size,
    switch,
    visible,
)
from .mailbox import Mailbox
from .names import DescriptionError
from .organization import enable_customization, get_organization, set_organization
from .plans import get_plan, set_plan
from .rows import mailbox_row, server_name, static_row, transport_row
from .tenants import App, Tenant
from .users import get_user, set_user
from .values import Refused, Unconvertible

_GET_SWITCHES = (
    "ActiveSyncDebugLogging",
    "ActiveSyncSuppressReadReceipt",
    "ProtocolSettings",
    "ReadIsOptimizedForAccessibility",
    "RecalculateHasActiveSyncDevicePartnership",
    "IgnoreDefaultScope",
)
_GET_PARAMETERS = {name.casefold(): name for name in ("Identity", "ResultSize", "RecipientTypeDetails", *_GET_SWITCHES)}
_NOT_SIMULATED = frozenset({"anr", "filter", "sortby", "organizationalunit", "credential"})


def run(call: Call) -> Result:
    if call.cmdlet.casefold() in call.tenant.needs_customization():
        raise wire.dehydrated()
    if known(call.tenant, call.cmdlet) in call.tenant.cmdlets:
        # Canned rows go before what is simulated.
        return _static(call)
    return _HANDLERS[call.cmdlet.casefold()](call)


def known(tenant: Tenant, cmdlet: str) -> str | None:
    """The cmdlet's proper name."""
    names = [*NAMES, *tenant.cmdlets]
    return next((name for name in names if name.casefold() == cmdlet.casefold()), None)


def check_names(tenant: Tenant, apps: Iterable[App]) -> None:
    """Whoever may run a cmdlet that does not exist may do less than was meant."""
    for app in apps:
        named = app.directory_role if isinstance(app.directory_role, list) else []
        refuse_unknown_cmdlets(f"{tenant.label}.directory_role", named, [tenant])
    if isinstance(tenant.dehydrated, list):
        refuse_unknown_cmdlets(f"{tenant.label}.dehydrated", tenant.dehydrated, [tenant])


def refuse_unknown_cmdlets(path: str, names: Iterable[str], tenants: Iterable[Tenant]) -> None:
    canned = itertools.chain.from_iterable(tenant.cmdlets for tenant in tenants)
    known_names = {name.casefold(): name for name in (*NAMES, *canned)}
    for name in names:
        if name.casefold() not in known_names:
            close = difflib.get_close_matches(name, known_names.values(), 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise DescriptionError(f"{path}: the simulator knows no cmdlet {name}{hint}")


def resolve(call: Call, identity: Any) -> Mailbox:
    tenant = call.tenant
    identity = identity_text(identity, "MailboxIdParameter")
    found = visible(call, tenant.find(identity))
    if len(found) > 1:
        found = _preferred(tenant.form("clashing_name"), identity, found)
    if not found:
        raise wire.not_found(identity, tenant.directory_server())
    if len(found) > 1:
        raise wire.ambiguous(identity)
    return found[0]


def _preferred(form: str, identity: str, found: list[Mailbox]) -> list[Mailbox]:
    """One mailbox's user name may be another's address."""
    if form == "ambiguous":
        return found
    wanted = identity.strip().casefold()
    own = "primary" if form == "address" else "upn"
    return [mailbox for mailbox in found if getattr(mailbox, own).casefold() == wanted] or found


def anchored_to(tenant: Tenant, anchor: str | None, mailbox: Mailbox) -> bool:
    """Whether the request goes to the mailbox's own server."""
    if not anchor:
        return False
    kind, colon, rest = anchor.partition(":")
    known_kinds = ("upn", "smtp", "mbx", "aad-upn", "aad-smtp", "oid")
    target = rest if colon and kind.casefold() in known_kinds else anchor
    forms = (target, target.partition("@")[0]) if kind.casefold() in ("mbx", "oid") else (target,)
    return any(tenant.find(form) == (mailbox,) for form in forms)


def need_mailbox_server(call: Call, mailboxes: list[Mailbox]) -> None:
    for mailbox in mailboxes:
        if not anchored_to(call.tenant, call.anchor, mailbox):
            raise wire.needs_proxy(server_name(mailbox))


def _get_transport(call: Call) -> Result:
    named_parameters(call, {})
    return Result([call.tenant], transport_row)


def _set_transport(call: Call) -> Result:
    tenant = call.tenant
    switches = ("Confirm", "Force", "WhatIf")
    allowed = {name.casefold(): name for name in (*schema.TRANSPORT_PARAMETERS, *switches)}
    parameters = named_parameters(call, allowed)
    changes = converted(call, parameters, schema.TRANSPORT_PARAMETERS, tenant.transport_value)
    if asks_only(parameters):
        return Result(confirmation='Setting transport configuration "Transport Settings".')
    differing = {name: value for name, value in changes.items() if tenant.transport_value(name) != value}
    if not differing:
        return Result(warnings=[wire.NOT_MODIFIED.format(identity="Transport Settings")])
    if not call.store:
        return Result()
    affected = tenant.mailboxes if "SmtpClientAuthenticationDisabled" in differing else []
    before = call.journal.snapshot(tenant, affected)
    tenant.transport.write({**differing, **dates()}, tenant.lag)
    call.journal.effective(tenant, call.cmdlet, before)
    return Result(changed=True)


def _get_mailboxes(call: Call) -> Result:
    refuse_not_simulated(call, _NOT_SIMULATED, "Get-CASMailbox")
    parameters = named_parameters(call, _GET_PARAMETERS)
    switches = frozenset(name for name in _GET_SWITCHES if switch(parameters, name))
    limit, given = result_size(call.tenant, parameters)
    found = _asked_for(call, parameters.get("Identity"))
    found = of_types(found, recipient_types(parameters, schema.RECIPIENT_TYPES))
    if "ActiveSyncDebugLogging" in switches:
        need_mailbox_server(call, found)
    changed = False
    if "RecalculateHasActiveSyncDevicePartnership" in switches:
        changed = _recalculate(call, found)
    return Result(found, mailbox_row, limit=limit, limit_given=given, switches=switches, changed=changed)


def _asked_for(call: Call, identity: Any) -> list[Mailbox]:
    # No Identity, and just as well an Identity of null: every mailbox.
    if identity is None:
        return visible(call, call.tenant.mailboxes)
    try:
        return [resolve(call, identity)]
    except wire.ServiceError as error:
        # The documentation warns of this for a name that does not exist.
        if error.exception != wire.NOT_FOUND or call.tenant.form("unknown_mailbox") != "all":
            raise
        return visible(call, call.tenant.mailboxes)


def _recalculate(call: Call, mailboxes: list[Mailbox]) -> bool:
    name = "HasActiveSyncDevicePartnership"
    stale = [mailbox for mailbox in mailboxes if mailbox.stored(name) != mailbox.partnership]
    for mailbox in stale if call.store else []:
        mailbox.rows.clear()
        mailbox.store.write({name: mailbox.partnership}, 0)
    return bool(stale)


def _set_mailbox(call: Call) -> Result:
    allowed = {name.casefold(): name for name in ("Identity", *schema.CAS_PARAMETERS, "Confirm", "WhatIf")}
    parameters = named_parameters(call, allowed)
    if "Identity" not in parameters:
        raise wire.unknown_parameter("Identity")
    if parameters["Identity"] is None:
        raise wire.bad_value("Identity", None, "Microsoft.Exchange.Configuration.Tasks.MailboxIdParameter")
    # Types are checked for a mailbox that does not exist, too: they come before the directory.
    _check_types(call, parameters)
    mailbox = resolve(call, parameters["Identity"])
    check_writable(call, mailbox)
    changes = _changes(call, mailbox, parameters)
    if "ActiveSyncDebugLogging" in parameters:
        need_mailbox_server(call, [mailbox])
    if asks_only(parameters):
        return Result(confirmation=f'Setting mailbox client access "{mailbox.name}".')
    differing = {name: value for name, value in changes.items() if mailbox.stored(name) != value}
    if not differing:
        return Result(warnings=[wire.NOT_MODIFIED.format(identity=mailbox.name)])
    if call.store:
        _write(call, mailbox, differing)
    return Result(changed=call.store)


def _changes(call: Call, mailbox: Mailbox, parameters: Mapping[str, Any]) -> dict[str, Any]:
    changes = converted(call, parameters, schema.CAS_PARAMETERS, mailbox.stored)
    _check_couplings(mailbox, parameters, changes)
    if "ActiveSyncMailboxPolicy" in changes:
        changes["ActiveSyncMailboxPolicyIsDefaulted"] = changes["ActiveSyncMailboxPolicy"] is None
    return changes


def _write(call: Call, mailbox: Mailbox, values: Mapping[str, Any]) -> None:
    tenant = call.tenant
    before = call.journal.snapshot(tenant, [mailbox])
    # Rows that reads still show are rebuilt from what is visible by then.
    mailbox.visible()
    mailbox.store.write({**values, **dates()}, tenant.lag)
    if tenant.lag <= 0:
        mailbox.rows.clear()
    call.journal.effective(tenant, call.cmdlet, before)


def _check_types(call: Call, parameters: Mapping[str, Any]) -> None:
    for name, value in parameters.items():
        converter = schema.CAS_PARAMETERS.get(name)
        if converter is None:
            continue
        try:
            converter(value, None, call.tenant)
        except Unconvertible as error:
            raise wire.bad_value(name, value, error.type_name, error.why) from error
        except Refused:
            continue


def _check_couplings(mailbox: Mailbox, parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    check_ews_lists(parameters, changes)
    for defaults, formats in schema.FORMAT_PARAMETERS.items():
        if formats & parameters.keys() and changes.get(defaults, mailbox.stored(defaults)) is not False:
            name = sorted(formats & parameters.keys())[0]
            raise wire.refused(f"You can't set {name} while {defaults} is true. Set {defaults} to false as well.")


def _static(call: Call) -> Result:
    """A cmdlet whose rows the tenant's description gives; an Identity picks rows by name."""
    name = known(call.tenant, call.cmdlet)
    rows = call.tenant.cmdlets[name] if name else []
    identity = next((value for key, value in call.parameters.items() if key.casefold() == "identity"), None)
    if identity is None:
        return Result(rows, static_row)
    keys = ("Identity", "Name", "UserPrincipalName", "Guid", "PrimarySmtpAddress", "ExternalDirectoryObjectId")
    picked = [row for row in rows if str(identity).casefold() in {str(row.get(key)).casefold() for key in keys}]
    if not picked:
        raise wire.not_found(str(identity), call.tenant.directory_server())
    return Result(picked, static_row)


_CMDLETS: Mapping[str, Callable[[Call], Result]] = {
    "Enable-OrganizationCustomization": enable_customization,
    "Get-AuthenticationPolicy": get_policy,
    "Get-CASMailbox": _get_mailboxes,
    "Get-CASMailboxPlan": get_plan,
    "Get-OrganizationConfig": get_organization,
    "Get-TransportConfig": _get_transport,
    "Get-User": get_user,
    "New-AuthenticationPolicy": new_policy,
    "Remove-AuthenticationPolicy": remove_policy,
    "Set-AuthenticationPolicy": set_policy,
    "Set-CASMailbox": _set_mailbox,
    "Set-CASMailboxPlan": set_plan,
    "Set-OrganizationConfig": set_organization,
    "Set-TransportConfig": _set_transport,
    "Set-User": set_user,
}
NAMES = tuple(_CMDLETS)
_HANDLERS = {name.casefold(): handler for name, handler in _CMDLETS.items()}
