# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditional Access: policies as Graph shows them, and whether one applies to a sign-in."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .names import DescriptionError, derive

EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"
STATES = ("enabled", "disabled", "enabledForReportingButNotEnforced")
APPLIES = "notSet"
UNKNOWN = "notEnoughInformation"

_USERS: dict[str, Any] = {
    "includeUsers": [],
    "excludeUsers": [],
    "includeGroups": [],
    "excludeGroups": [],
    "includeRoles": [],
    "excludeRoles": [],
    "includeGuestsOrExternalUsers": None,
    "excludeGuestsOrExternalUsers": None,
}
_APPLICATIONS: dict[str, Any] = {
    "includeApplications": [],
    "excludeApplications": [],
    "includeUserActions": [],
    "includeAuthenticationContextClassReferences": [],
    "applicationFilter": None,
}
_CONDITIONS: dict[str, Any] = {
    "userRiskLevels": [],
    "signInRiskLevels": [],
    "clientAppTypes": ["all"],
    "servicePrincipalRiskLevels": [],
    "insiderRiskLevels": None,
    "platforms": None,
    "locations": None,
    "devices": None,
    "clientApplications": None,
    "authenticationFlows": None,
}
_GRANT: dict[str, Any] = {
    "operator": "OR",
    "builtInControls": [],
    "customAuthenticationFactors": [],
    "termsOfUse": [],
}
# Conditions that the answer of What-If has beside those of the policy itself.
_WHAT_IF_CONDITIONS: dict[str, Any] = {"clients": None, "times": None, "deviceStates": None}
_WHAT_IF_APPLICATIONS: dict[str, Any] = {"networkAccess": None, "globalSecureAccess": None}


@dataclass(frozen=True)
class Location:
    id: str
    name: str
    trusted: bool
    ranges: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    countries: frozenset[str] = frozenset()

    @classmethod
    def of(cls, tenant: str, given: Mapping[str, Any]) -> Location:
        name = str(given.get("displayName") or "")
        if not name:
            raise DescriptionError("a named location needs a displayName")
        return cls(
            id=str(given.get("id") or derive(tenant, "location", name)),
            name=name,
            trusted=bool(given.get("isTrusted")),
            ranges=tuple(ipaddress.ip_network(text) for text in given.get("ipRanges") or ()),
            countries=frozenset(str(code).upper() for code in given.get("countries") or ()),
        )

    def row(self) -> dict[str, Any]:
        common = {"id": self.id, "displayName": self.name, "createdDateTime": _LONG_AGO, "modifiedDateTime": _LONG_AGO}
        if self.countries:
            kind = {"@odata.type": "#microsoft.graph.countryNamedLocation"}
            return {
                **kind,
                **common,
                "countriesAndRegions": sorted(self.countries),
                "includeUnknownCountriesAndRegions": False,
            }
        ranges = [
            {"@odata.type": f"#microsoft.graph.iPv{network.version}CidrRange", "cidrAddress": str(network)}
            for network in self.ranges
        ]
        kind = {"@odata.type": "#microsoft.graph.ipNamedLocation"}
        return {**kind, **common, "isTrusted": self.trusted, "ipRanges": ranges}


_LONG_AGO = "2025-01-11T09:00:00.1234567Z"


@dataclass(frozen=True)
class Attempt:
    """A sign-in, as far as policies look at it; what is None is not known."""

    user: str
    application: str = EXCHANGE_APP
    client: str = "other"
    address: str | None = None
    country: str | None = None
    platform: str | None = None
    user_risk: str = "none"
    sign_in_risk: str = "none"
    memberships: frozenset[str] = frozenset()
    locations: tuple[Location, ...] = field(default=())


def policy(tenant: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """A whole policy from the parts that a description gives; unknown parts stay, as the service may have new ones."""
    name = str(given.get("displayName") or "")
    if not name:
        raise DescriptionError("a conditional access policy needs a displayName")
    number = str(given.get("id") or derive(tenant, "conditional-access", name))
    conditions = dict(given.get("conditions") or {})
    users = {**_USERS, **(conditions.pop("users", None) or {"includeUsers": ["All"]})}
    applications = {**_APPLICATIONS, **(conditions.pop("applications", None) or {"includeApplications": ["All"]})}
    grant = given.get("grantControls")
    if grant is not None:
        url = f"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies('{number}')"
        context = f"{url}/grantControls/authenticationStrength/$entity"
        strength = {"authenticationStrength@odata.context": context, "authenticationStrength": None}
        grant = {**_GRANT, **strength, **grant}
    return {
        "id": number,
        "templateId": None,
        "displayName": name,
        "createdDateTime": _LONG_AGO,
        "modifiedDateTime": _LONG_AGO,
        "deletedDateTime": None,
        "state": "enabled",
        "sessionControls": None,
        **given,
        "conditions": {**_CONDITIONS, **conditions, "applications": applications, "users": users},
        "grantControls": grant,
    }


def what_if_row(found: Mapping[str, Any], why: str) -> dict[str, Any]:
    conditions = dict(found["conditions"])
    conditions["applications"] = {**conditions["applications"], **_WHAT_IF_APPLICATIONS}
    grant = found["grantControls"]
    if grant is not None:
        grant = {key: value for key, value in grant.items() if "@" not in key}
    row = {key: value for key, value in found.items() if key != "deletedDateTime"}
    return row | {
        "policyApplies": why == APPLIES,
        "analysisReasons": why,
        "conditions": {**conditions, **_WHAT_IF_CONDITIONS},
        "grantControls": grant,
        "partialEnablementStrategy": None,
    }


def reason(found: Mapping[str, Any], attempt: Attempt) -> str:
    """Why the policy does not apply, in the words of ``analysisReasons``; ``notSet`` when it does."""
    for check in _CHECKS:
        why = check(found, attempt)
        if why:
            return why
    return APPLIES


def blocks_legacy(found: Mapping[str, Any], attempt: Attempt) -> bool:
    """A client that can only send a password meets no demand at all, so any grant control shuts it out."""
    return found["state"] == "enabled" and found["grantControls"] is not None and reason(found, attempt) == APPLIES


def _state(found: Mapping[str, Any], attempt: Attempt) -> str:
    return "policyNotEnabled" if found["state"] == "disabled" else ""


def _users(found: Mapping[str, Any], attempt: Attempt) -> str:
    users = found["conditions"]["users"]
    own = {attempt.user, *attempt.memberships}
    named = {*users["excludeUsers"], *users["excludeGroups"], *users["excludeRoles"]}
    wanted = {*users["includeUsers"], *users["includeGroups"], *users["includeRoles"]}
    if own & named or "All" in users["excludeUsers"]:
        return "users"
    return "" if "All" in users["includeUsers"] or own & wanted else "users"


def _applications(found: Mapping[str, Any], attempt: Attempt) -> str:
    applications = found["conditions"]["applications"]
    if applications["includeUserActions"]:
        return "userActions"
    if applications["includeAuthenticationContextClassReferences"]:
        return "authenticationContext"
    names = {attempt.application, "All"} | ({"Office365"} if attempt.application == EXCHANGE_APP else set())
    if (names - {"All"}) & set(applications["excludeApplications"]):
        return "application"
    return "" if names & set(applications["includeApplications"]) else "application"


def _client(found: Mapping[str, Any], attempt: Attempt) -> str:
    types = found["conditions"]["clientAppTypes"]
    return "" if not types or {"all", attempt.client} & set(types) else "clientApps"


def _platform(found: Mapping[str, Any], attempt: Attempt) -> str:
    platforms = found["conditions"]["platforms"]
    if not platforms:
        return ""
    # A client that tells no platform counts as an unknown one: within "all", and never excluded.
    if attempt.platform is not None and attempt.platform in (platforms.get("excludePlatforms") or ()):
        return "devicePlatform"
    return "" if {"all", attempt.platform} & set(platforms.get("includePlatforms") or ()) else "devicePlatform"


def _location(found: Mapping[str, Any], attempt: Attempt) -> str:
    wanted = found["conditions"]["locations"]
    if not wanted:
        return ""
    include, exclude = set(wanted.get("includeLocations") or ()), set(wanted.get("excludeLocations") or ())
    if include <= {"All"} and not exclude:
        return ""
    if attempt.address is None and attempt.country is None:
        return UNKNOWN
    here = _places(attempt)
    if here & exclude:
        return "location"
    return "" if here & include else "location"


def _places(attempt: Attempt) -> set[str]:
    """Everything that a policy may call the place of a sign-in."""
    here = {"All"}
    for location in attempt.locations:
        if _inside(location, attempt):
            here |= {location.id, "AllTrusted"} if location.trusted else {location.id}
    return here


def _inside(location: Location, attempt: Attempt) -> bool:
    if attempt.country is not None and attempt.country.upper() in location.countries:
        return True
    if attempt.address is None:
        return False
    address = ipaddress.ip_address(attempt.address)
    return any(address in network for network in location.ranges)


def _risks(found: Mapping[str, Any], attempt: Attempt) -> str:
    conditions = found["conditions"]
    if conditions["signInRiskLevels"] and attempt.sign_in_risk not in conditions["signInRiskLevels"]:
        return "signInRisk"
    if conditions["userRiskLevels"] and attempt.user_risk not in conditions["userRiskLevels"]:
        return "userRisk"
    return UNKNOWN if conditions["insiderRiskLevels"] or conditions["authenticationFlows"] else ""


def _devices(found: Mapping[str, Any], attempt: Attempt) -> str:
    devices = found["conditions"]["devices"]
    return UNKNOWN if devices and devices.get("deviceFilter") else ""


def _empty(found: Mapping[str, Any], attempt: Attempt) -> str:
    return "emptyPolicy" if not found["grantControls"] and not found["sessionControls"] else ""


_CHECKS: tuple[Callable[[Mapping[str, Any], Attempt], str], ...] = (
    _state,
    _users,
    _applications,
    _client,
    _platform,
    _location,
    _risks,
    _devices,
    _empty,
)
