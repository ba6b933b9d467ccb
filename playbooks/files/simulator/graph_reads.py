# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be read of Microsoft Graph: policies, What-If, the sign-in log, users."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .conditional_access import EXCHANGE_APP, reason, what_if_row
from .directory import DAY, Account, SignIn, sign_in_row
from .graph_wire import (
    Call,
    Denial,
    GraphError,
    GraphPages,
    Limit,
    Resource,
    answer_list,
    answer_one,
    bad,
    count_of,
    filter_of,
    select,
    top,
)
from .odata import Field, Filter
from .wire import Answer

_EQUAL = frozenset({"eq"})
_START = frozenset({"eq", "startswith"})
# Operators of a directory object that need the header ConsistencyLevel and $count.
_ADVANCED = ("ne", "not", "endswith")


_POLICIES = Denial(
    "AccessDenied", "You cannot perform the requested operation, required scopes are missing in the token."
)
_LOG = Denial(
    "Authentication_MSGraphPermissionMissing",
    "Calling principal does not have required MSGraph permissions AuditLog.Read.All",
)
_DIRECTORY = Denial("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
_NOT_PREMIUM = GraphError(
    403,
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
    "Neither tenant is B2C or tenant doesn't have premium license",
)


# --- Policies ---

_SECURITY_DEFAULTS = "policies/identitySecurityDefaultsEnforcementPolicy"
_POLICY_FIELDS: Mapping[str, Field] = {
    name: Field("text", lambda row, name=name: row[name], _EQUAL)  # type: ignore[misc]
    for name in ("id", "displayName", "state", "templateId")
}


def _security_defaults(pages: GraphPages, call: Call) -> Answer:
    row = {
        "id": "00000000-0000-0000-0000-000000000005",
        "deletedDateTime": None,
        "displayName": "Security Defaults",
        "description": "Baseline protection for the sign-ins of all users.",
        "isEnabled": call.tenant.directory.security_defaults,
    }
    chosen = select(call, row, row, "microsoft.graph.identitySecurityDefaultsEnforcementPolicy")
    return answer_one(call, f"{_SECURITY_DEFAULTS}/$entity", chosen)


def _policies(pages: GraphPages, call: Call) -> Answer:
    wanted = filter_of(call, _POLICY_FIELDS, "microsoft.graph.conditionalAccessPolicy")
    found = [row for row in call.tenant.directory.policies() if wanted.predicate(row)]
    chosen = [select(call, row, row, "microsoft.graph.conditionalAccessPolicy") for row in found]
    rows, link = pages.cut(call, "policies", top(call, 1000, 1000), lambda: chosen)
    return answer_list(call, "identity/conditionalAccess/policies", rows, link, count_of(call, len(found)))


def _policy(pages: GraphPages, call: Call) -> Answer:
    found = next((row for row in call.tenant.directory.policies() if row["id"] == call.argument), None)
    if found is None:
        raise GraphError(404, "ResourceNotFound", f"Policy with id {call.argument} was not found.")
    return answer_one(call, "identity/conditionalAccess/policies/$entity", found)


def _locations(pages: GraphPages, call: Call) -> Answer:
    rows = [location.row() for location in call.tenant.directory.locations]
    shown, link = pages.cut(call, "named_locations", top(call, 1000, 1000), lambda: rows)
    return answer_list(call, "identity/conditionalAccess/namedLocations", shown, link)


# --- What-If ---

_IDENTITY_TYPE = "#microsoft.graph.userSignIn"
_CONTEXT_TYPE = "#microsoft.graph.applicationContext"
_CLIENTS = ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other")
_CONDITION_KEYS: Mapping[str, str] = {
    "clientAppType": "client",
    "ipAddress": "address",
    "country": "country",
    "devicePlatform": "platform",
    "userRiskLevel": "user_risk",
    "signInRiskLevel": "sign_in_risk",
}


def _what_if(pages: GraphPages, call: Call) -> Answer:
    body = _document(call)
    directory = call.tenant.directory
    user = directory.account(_text(_part(body, "signInIdentity", _IDENTITY_TYPE, {"userId"}), "userId"))
    if user is None:
        raise bad("The user of signInIdentity was not found.")
    context = _part(body, "signInContext", _CONTEXT_TYPE, {"includeApplications"})
    applications = context.get("includeApplications")
    if not isinstance(applications, list) or len(applications) != 1:
        raise bad("includeApplications holds exactly one application.")
    attempt = directory.attempt(user.id, application=str(applications[0]), **_conditions(body))
    judged = [(found, reason(found, attempt)) for found in directory.policies()]
    rows = [what_if_row(found, why) for found, why in judged]
    if body.get("appliedPoliciesOnly"):
        rows = [row for row in rows if row["policyApplies"]]
    return answer_list(call, "Collection(microsoft.graph.whatIfAnalysisResult)", rows, None)


def _document(call: Call) -> dict[str, Any]:
    if call.headers.get("Content-Type", "").partition(";")[0].strip().casefold() != "application/json":
        raise GraphError(415, "Request_BadRequest", "The media type of the request is not supported.")
    try:
        body = json.loads(call.body)
    except ValueError as error:
        raise bad("Unable to read JSON request payload.") from error
    known = {"signInIdentity", "signInContext", "signInConditions", "appliedPoliciesOnly"}
    _known_properties(body, known, "evaluate")
    return dict(body)


def _known_properties(given: Any, known: set[str], where: str) -> None:
    if not isinstance(given, dict):
        raise bad(f"'{where}' is not an object.")
    unknown = sorted(given.keys() - known - {"@odata.type"})
    if unknown:
        raise bad(f"The property '{unknown[0]}' does not exist on '{where}'.")


def _part(body: Mapping[str, Any], name: str, kind: str, known: set[str]) -> dict[str, Any]:
    part = body.get(name)
    _known_properties(part, known, name)
    assert isinstance(part, dict)
    if part.get("@odata.type") != kind:
        raise bad(f"'{name}' needs the @odata.type {kind}.")
    return part


def _text(part: Mapping[str, Any], name: str) -> str:
    found = part.get(name)
    if not isinstance(found, str) or not found:
        raise bad(f"'{name}' is missing.")
    return found


def _conditions(body: Mapping[str, Any]) -> dict[str, str]:
    given = body.get("signInConditions") or {}
    _known_properties(given, set(_CONDITION_KEYS), "signInConditions")
    if given.get("clientAppType", "other") not in _CLIENTS:
        raise bad(f"'{given['clientAppType']}' is no clientAppType.")
    if given.get("ipAddress") is not None:
        try:
            ipaddress.ip_address(given["ipAddress"])
        except ValueError as error:
            raise bad(f"'{given['ipAddress']}' is no IP address.") from error
    return {_CONDITION_KEYS[name]: value for name, value in given.items() if name != "@odata.type"}


# --- The sign-in log ---

_SIGN_IN = "microsoft.graph.signIn"
_SIGN_IN_FIELDS: Mapping[str, Field] = {
    "createdDateTime": Field("time", lambda row: row.created, frozenset({"eq", "ge", "gt", "le", "lt"})),
    "clientAppUsed": Field("text", lambda row: row.client, _EQUAL),
    "userId": Field("text", lambda row: row.account.id, _EQUAL),
    "userPrincipalName": Field("text", lambda row: row.account.upn, _START),
    "userDisplayName": Field("text", lambda row: row.account.display_name, _START),
    "ipAddress": Field("text", lambda row: row.address, _START),
    "appId": Field("text", lambda row: EXCHANGE_APP, _EQUAL),
    "id": Field("text", lambda row: row.id, _EQUAL),
    "status/errorCode": Field("number", lambda row: row.error, _EQUAL),
    "isInteractive": Field("bool", lambda row: row.stream == "interactiveUser", _EQUAL),
}
_BETA_SIGN_IN_FIELDS: Mapping[str, Field] = {
    **_SIGN_IN_FIELDS,
    "signInEventTypes": Field("collection", lambda row: [row.stream], frozenset({"any"})),
}


def _sign_ins(pages: GraphPages, call: Call) -> Answer:
    directory = call.tenant.directory
    if directory.licence == "none":
        raise _NOT_PREMIUM
    wanted = filter_of(call, _BETA_SIGN_IN_FIELDS if call.beta else _SIGN_IN_FIELDS, _SIGN_IN)
    size = top(call, 1000, 1000)
    _check_range(call, wanted)
    oldest_first = _oldest_first(call)

    def rows() -> list[SignIn]:
        # Without a filter on the type of event there are the interactive ones alone, and v1.0 has no others.
        named = bool(wanted.values("signInEventTypes", "any"))
        kept = (entry for entry in directory.log() if named or entry.stream == "interactiveUser")
        found = [entry for entry in kept if wanted.predicate(entry)]
        return found[::-1] if oldest_first else found

    shown, link = pages.cut(call, "sign_ins", size, rows)
    readable = directory.policies() if _MAY_READ_POLICIES & call.roles else []
    policies = {row["displayName"]: row for row in readable}
    made = [sign_in_row(entry, call.tenant.tenant_id, policies, beta=call.beta) for entry in shown]
    chosen = [select(call, row, row, _SIGN_IN) for row in made]
    return answer_list(call, "auditLogs/signIns", chosen, link)


def _oldest_first(call: Call) -> bool:
    order = call.query.get("$orderby", "createdDateTime desc").split()
    if order[0] != "createdDateTime" or order[1:] not in ([], ["asc"], ["desc"]):
        raise bad(f"The order '{' '.join(order)}' is not supported.")
    return order[1:] != ["desc"]


def _check_range(call: Call, wanted: Filter) -> None:
    """A long range makes the service time out."""
    longest = call.tenant.directory.longest_range
    if longest is None:
        return
    begins = max(wanted.values("createdDateTime", "ge", "gt", "eq"), default=0.0)
    ends = min(wanted.values("createdDateTime", "le", "lt", "eq"), default=time.time())
    if ends - begins > longest * DAY:
        raise GraphError(504, "UnknownError", "")


# --- Users ---

_USER = "microsoft.graph.user"
_ANY_TEXT = frozenset({"eq", "ne", "in", "startswith", "endswith"})
_USER_FIELDS: Mapping[str, Field] = {
    "id": Field("text", lambda row: row.id, frozenset({"eq", "in"})),
    "userPrincipalName": Field("text", lambda row: row.upn, _ANY_TEXT),
    "mail": Field("text", lambda row: row.mail, _ANY_TEXT),
    "displayName": Field("text", lambda row: row.display_name, _ANY_TEXT),
    "accountEnabled": Field("bool", lambda row: row.enabled, frozenset({"eq", "ne"})),
}
_USUAL = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)


def _user_row(account: Account) -> dict[str, Any]:
    return {
        **dict.fromkeys(_USUAL),
        "businessPhones": [],
        "displayName": account.display_name,
        "mail": account.mail,
        "userPrincipalName": account.upn,
        "id": account.id,
        "accountEnabled": account.enabled,
        "userType": "Member",
        "mailNickname": account.upn.partition("@")[0],
    }


def _shown_user(call: Call, account: Account) -> dict[str, Any]:
    row = _user_row(account)
    if "$select" in call.query:
        return select(call, row, row, _USER)
    return {name: row[name] for name in _USUAL}


def _matching(call: Call) -> list[Account]:
    wanted = filter_of(call, _USER_FIELDS, _USER)
    advanced = any(item.operator in _ADVANCED for item in wanted.comparisons)
    if advanced and not (_eventual(call) and call.query.get("$count") == "true"):
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "Operator not supported because the 'ConsistencyLevel:eventual' header is missing. Refer to "
            "https://aka.ms/graph-docs/advanced-queries for more information",
        )
    return [account for account in call.tenant.directory.accounts() if wanted.predicate(account)]


def _eventual(call: Call) -> bool:
    return call.headers.get("ConsistencyLevel", "").casefold() == "eventual"


def _users(pages: GraphPages, call: Call) -> Answer:
    found = _matching(call)
    # Without the header $count has no effect on a directory object.
    count = count_of(call, len(found)) if _eventual(call) and "$skiptoken" not in call.query else None
    shown, link = pages.cut(call, "users", top(call, 999, 100), lambda: found)
    return answer_list(call, "users", [_shown_user(call, account) for account in shown], link, count)


def _user_count(pages: GraphPages, call: Call) -> Answer:
    if not _eventual(call):
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    accounts = _matching(replace(call, query={**call.query, "$count": "true"}))
    return Answer(200, str(len(accounts)).encode(), {}, "text/plain")


def _user(pages: GraphPages, call: Call) -> Answer:
    account = call.tenant.directory.account(call.argument)
    if account is None:
        missing = "does not exist or one of its queried reference-property objects are not present."
        text = f"Resource '{call.argument}' {missing}"
        raise GraphError(404, "Request_ResourceNotFound", text)
    return answer_one(call, "users/$entity", _shown_user(call, account))


# --- A partner's customers ---

_RELATIONSHIP_FIELDS: Mapping[str, Field] = {
    "status": Field("text", lambda row: row["status"], _EQUAL),
    "customer/tenantId": Field("text", lambda row: row["customer"]["tenantId"], _EQUAL),
}
_CONTRACT_FIELDS: Mapping[str, Field] = {
    name: Field("text", lambda row, name=name: row[name], _EQUAL)  # type: ignore[misc]
    for name in ("customerId", "defaultDomainName", "displayName")
}


def _relationships(pages: GraphPages, call: Call) -> Answer:
    wanted = filter_of(call, _RELATIONSHIP_FIELDS, "microsoft.graph.delegatedAdminRelationship")
    found = [row for row in call.tenant.directory.relationships if wanted.predicate(row)]
    rows, link = pages.cut(call, "relationships", top(call, 300, 300), lambda: found)
    return answer_list(call, "tenantRelationships/delegatedAdminRelationships", rows, link)


def _contracts(pages: GraphPages, call: Call) -> Answer:
    wanted = filter_of(call, _CONTRACT_FIELDS, "microsoft.graph.contract")
    found = [row for row in call.tenant.directory.contracts if wanted.predicate(row)]
    rows, link = pages.cut(call, "contracts", top(call, 999, 100), lambda: found)
    return answer_list(call, "contracts", rows, link)


_ACCESS = "identity/conditionalAccess"
_MAY_READ_POLICIES = frozenset({"Policy.Read.All", "Policy.Read.ConditionalAccess"})
_MAY_READ_USERS = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
_ONE_A_SECOND = Limit("conditional access", 1, 1.0, per_app=False, says_how_long=False)
_LIST_OPTIONS = frozenset({"$select", "$filter", "$top", "$count", "$skiptoken"})

RESOURCES = (
    Resource(
        "security_defaults",
        re.compile(re.escape(_SECURITY_DEFAULTS)),
        frozenset({"Policy.Read.All"}),
        _POLICIES,
        _security_defaults,
        options=frozenset({"$select"}),
    ),
    Resource(
        "conditional_access",
        re.compile(f"{_ACCESS}/policies"),
        _MAY_READ_POLICIES,
        _POLICIES,
        _policies,
        options=_LIST_OPTIONS,
        limit=_ONE_A_SECOND,
    ),
    Resource(
        "conditional_access_policy",
        re.compile(f"{_ACCESS}/policies/([^/]+)"),
        _MAY_READ_POLICIES,
        _POLICIES,
        _policy,
        limit=_ONE_A_SECOND,
    ),
    Resource(
        "named_locations",
        re.compile(f"{_ACCESS}/namedLocations"),
        _MAY_READ_POLICIES,
        _POLICIES,
        _locations,
        options=frozenset({"$top", "$skiptoken"}),
        limit=_ONE_A_SECOND,
    ),
    Resource(
        "what_if",
        re.compile(f"{_ACCESS}/evaluate"),
        _MAY_READ_POLICIES,
        _POLICIES,
        _what_if,
        method="POST",
        limit=_ONE_A_SECOND,
    ),
    Resource(
        "sign_ins",
        re.compile("auditLogs/signIns"),
        frozenset({"AuditLog.Read.All"}),
        _LOG,
        _sign_ins,
        options=frozenset({"$filter", "$top", "$skiptoken"}),
        limit=Limit("reports", 5, 10.0, per_app=True, says_how_long=True),
    ),
    Resource(
        "users",
        re.compile("users"),
        _MAY_READ_USERS,
        _DIRECTORY,
        _users,
        options=_LIST_OPTIONS,
    ),
    Resource(
        "users",
        re.compile(r"users/\$count"),
        _MAY_READ_USERS,
        _DIRECTORY,
        _user_count,
        options=frozenset({"$filter"}),
    ),
    Resource("user", re.compile("users/([^/]+)"), _MAY_READ_USERS, _DIRECTORY, _user, options=frozenset({"$select"})),
    Resource(
        "relationships",
        re.compile("tenantRelationships/delegatedAdminRelationships"),
        frozenset({"DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All"}),
        _DIRECTORY,
        _relationships,
        options=frozenset({"$filter", "$top", "$skiptoken"}),
    ),
    Resource(
        "contracts",
        re.compile("contracts"),
        frozenset({"Directory.Read.All", "Directory.ReadWrite.All"}),
        _DIRECTORY,
        _contracts,
        options=frozenset({"$filter", "$top", "$skiptoken"}),
    ),
)
