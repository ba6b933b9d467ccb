# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cmdlet has in common: the call, its parameters, and the result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from . import schema, wire
from .journal import Journal
from .mailbox import Mailbox
from .rows import Render
from .tenants import App, Tenant, stamp
from .values import IGNORED, Converter, Refused, Unconvertible, UnknownPolicy

DEFAULT_RESULT_SIZE = 1000


@dataclass
class Call:
    """One invocation, with what the request around it says."""

    tenant: Tenant
    cmdlet: str
    parameters: Mapping[str, Any]
    anchor: str | None
    journal: Journal
    app: App
    store: bool = True


@dataclass
class Result:
    """Objects, and how a row of them is written."""

    objects: Sequence[Any] = ()
    render: Render | None = None
    limit: int | None = None
    limit_given: bool = False
    switches: frozenset[str] = frozenset()
    warnings: list[str] = field(default_factory=list)
    confirmation: str | None = None
    changed: bool = False


def named_parameters(call: Call, allowed: Mapping[str, str]) -> dict[str, Any]:
    """Parameters under their proper names; one that nobody knows is an error, whatever its value."""
    found: dict[str, Any] = {}
    unknown = []
    hidden = {name.casefold() for name in call.app.hidden_parameters}
    for name, value in call.parameters.items():
        folded = name.casefold()
        if "@" in name or folded in schema.COMMON_PARAMETERS:
            continue
        if folded not in allowed or folded in hidden:
            unknown.append(name)
        elif allowed[folded] in found:
            raise wire.bad_request(f"The parameter '{allowed[folded]}' is specified more than once.")
        else:
            found[allowed[folded]] = value
    if unknown:
        raise wire.unknown_parameter(", ".join(unknown))
    return found


def refuse_not_simulated(call: Call, names: Collection[str], cmdlet: str) -> None:
    """What the cmdlet takes and the simulator does not. names: of parameters, casefolded."""
    refused = [name for name in call.parameters if name.casefold() in names]
    if refused:
        raise wire.bad_request(f"The simulator does not know the parameter '{refused[0]}' of {cmdlet}.")


def identity_text(identity: Any, type_name: str) -> str:
    """The identity, which a cmdlet that writes can't do without. type_name: of its parameter, for the error."""
    if not isinstance(identity, str) or not identity.strip():
        raise wire.bad_value("Identity", identity, f"Microsoft.Exchange.Configuration.Tasks.{type_name}")
    return identity


def switch(parameters: Mapping[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise wire.bad_value(name, value, "System.Management.Automation.SwitchParameter")
    return value


def converted(
    call: Call, parameters: Mapping[str, Any], converters: Mapping[str, Converter], stored: Callable[[str], Any]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    refusals: list[Refused] = []
    for name, value in parameters.items():
        if name not in converters:
            continue
        try:
            outcome = converters[name](value, stored(name), call.tenant)
        except Unconvertible as error:
            raise wire.bad_value(name, value, error.type_name, error.why) from error
        except Refused as error:
            refusals.append(error)
            continue
        if outcome is not IGNORED:
            result[name] = outcome
    # Types are looked at before the cmdlet runs, so they win over what the cmdlet itself refuses.
    if refusals:
        raise _refusal(call, refusals[0])
    return result


def _refusal(call: Call, error: Refused) -> wire.ServiceError:
    if isinstance(error, UnknownPolicy) and call.tenant.form("unknown_policy") == "not_found":
        return wire.ServiceError(404, wire.NOT_FOUND, str(error))
    return wire.refused(str(error))


def check_ews_lists(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    lists = schema.EWS_LISTS & parameters.keys()
    if lists:
        filled = any(changes.get(name) for name in lists)
        if "EwsApplicationAccessPolicy" not in parameters or (filled and not changes["EwsApplicationAccessPolicy"]):
            raise wire.refused("EwsApplicationAccessPolicy must be specified if to set EwsAllowList or EwsBlockList.")


def asks_only(parameters: Mapping[str, Any]) -> bool:
    asks = [switch(parameters, name) for name in ("Confirm", "WhatIf")]
    switch(parameters, "Force")
    return any(asks)


def dates() -> dict[str, str]:
    now = stamp(datetime.now(timezone.utc))
    return {"WhenChanged": f"{now}+00:00", "WhenChangedUTC": f"{now}Z"}


def visible(call: Call, mailboxes: Iterable[Mailbox]) -> list[Mailbox]:
    """What the app's scope of reading has in it."""
    scope = call.app.read_scope
    return [mailbox for mailbox in mailboxes if scope is None or call.tenant.in_scope(mailbox, scope)]


def check_writable(call: Call, mailbox: Mailbox) -> None:
    scope = call.app.write_scope
    if scope is not None and not call.tenant.in_scope(mailbox, scope):
        raise wire.out_of_scope(mailbox.name)
    if mailbox.refuses_writes:
        own = mailbox.refuses_writes if isinstance(mailbox.refuses_writes, str) else None
        names = [name for name in call.parameters if name.casefold() != "identity"]
        raise wire.synchronized(mailbox.name, call.cmdlet, ",".join(names), own)


def result_size(tenant: Tenant, parameters: Mapping[str, Any]) -> tuple[int | None, bool]:
    """How many rows at most, and whether a link leads on to those beyond."""
    if "ResultSize" not in parameters:
        return (DEFAULT_RESULT_SIZE, False) if tenant.form("default_result_size") == "ends" else (None, False)
    if tenant.form("result_size") == "ignored":
        return None, False
    value = parameters["ResultSize"]
    if isinstance(value, str) and value.casefold() == "unlimited":
        return None, True
    if isinstance(value, (int, str)) and not isinstance(value, bool) and str(value).isdecimal() and int(value) > 0:
        return int(value), True
    raise wire.bad_value("ResultSize", value, "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]")


def recipient_types(parameters: Mapping[str, Any], known: Iterable[str]) -> set[str] | None:
    if "RecipientTypeDetails" not in parameters:
        return None
    value = parameters["RecipientTypeDetails"]
    names = [value] if isinstance(value, str) else value
    proper = {name.casefold(): name for name in known}
    valid = isinstance(names, list) and names and all(isinstance(n, str) and n.casefold() in proper for n in names)
    if not valid:
        type_name = "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails[]"
        raise wire.bad_value("RecipientTypeDetails", value, type_name)
    return {proper[name.casefold()] for name in names}


def of_types(mailboxes: list[Mailbox], types: Collection[str] | None) -> list[Mailbox]:
    """Those of these types; all of them where none was asked for."""
    return mailboxes if types is None else [mailbox for mailbox in mailboxes if mailbox.type in types]
