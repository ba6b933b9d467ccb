# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every cmdlet has in common: the call, its parameters, and the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from . import schema, wire
from .journal import Journal
from .rows import Render
from .tenants import App, Tenant, stamp
from .values import IGNORED, Converter, Refused, Unconvertible


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


def switch(parameters: Mapping[str, Any], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise wire.bad_value(name, value, "System.Management.Automation.SwitchParameter")
    return value


def converted(
    call: Call, parameters: Mapping[str, Any], converters: Mapping[str, Converter], stored: Callable[[str], Any]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    refusals: list[str] = []
    for name, value in parameters.items():
        if name not in converters:
            continue
        try:
            outcome = converters[name](value, stored(name), call.tenant)
        except Unconvertible as error:
            raise wire.bad_value(name, value, error.type_name) from error
        except Refused as error:
            refusals.append(str(error))
            continue
        if outcome is not IGNORED:
            result[name] = outcome
    # Types are looked at before the cmdlet runs, so they win over what the cmdlet itself refuses.
    if refusals:
        raise wire.refused(refusals[0])
    return result


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
