# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Entra side of a tenant: accounts, licence, security defaults, Conditional Access and the sign-in log."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Protocol

from . import partners
from .conditional_access import EXCHANGE_APP, STATES, Attempt, Location, blocks_legacy, policy
from .names import DescriptionError, derive, refuse_unknown

KEYS = frozenset(
    {
        "licence",
        "security_defaults",
        "conditional_access",
        "named_locations",
        "members",
        "users",
        "sign_ins",
        "generate_sign_ins",
        "log_days",
        "longest_range_days",
        "sign_in_options",
        "page_size",
        "limits",
        "missing",
        "relationships",
        "contracts",
    }
)
DAY = 86400.0
STREAMS = ("interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity")
FAILURES: Mapping[int, str] = {
    0: "Other.",
    50053: "Sign-in was blocked because the account is locked.",
    50057: "The user account is disabled.",
    50076: "Multi-factor authentication is required.",
    50079: "Enrollment in multi-factor authentication is required.",
    50126: "Error validating credentials due to invalid username or password.",
    50140: "This error occurred due to the keep me signed in interrupt.",
    53003: "Access has been blocked by Conditional Access policies.",
}
_SIGN_IN_KEYS = frozenset(
    {"user", "at", "days_ago", "client", "stream", "error", "ip", "protocol", "policies", "times", "hours_apart"}
)
_GENERATED_KEYS = frozenset({"count", "days", "seed", "senders", "failures", "interactive", "other_string"})


class Known(Protocol):
    """What a mailbox says about its account."""

    external_id: str
    upn: str
    primary: str
    display_name: str
    account_disabled: bool


class Owner(Protocol):
    """The tenant."""

    label: str
    tenant_id: str

    @property
    def mailboxes(self) -> Iterable[Known]:
        """All that there are."""


@dataclass(frozen=True)
class Account:
    id: str
    upn: str
    display_name: str
    mail: str | None
    enabled: bool


@dataclass(frozen=True)
class SignIn:
    id: str
    created: float
    account: Account
    client: str
    stream: str
    error: int
    address: str
    protocol: str
    policies: tuple[str, ...] = ()


class Directory:
    """What a description says of it; the log is made when it is first asked for."""

    def __init__(self, owner: Owner, given: Mapping[str, Any], recorded: Iterable[SignIn] = ()) -> None:
        refuse_unknown("entra", dict(given), KEYS)
        self._owner = owner
        self.given = dict(given)
        self.licence = str(given.get("licence", "P1"))
        if self.licence not in ("none", "P1", "P2"):
            raise DescriptionError("licence is one of none, P1, P2")
        self.security_defaults = bool(given.get("security_defaults", False))
        self.log_days = float(given.get("log_days", 30))
        self.longest_range = None if given.get("longest_range_days") is None else float(given["longest_range_days"])
        self.sign_in_options = frozenset(_entries(given, "sign_in_options"))
        self.page_size: int | None = given.get("page_size")
        self.limits = bool(given.get("limits", False))
        self.missing = frozenset(_entries(given, "missing"))
        self.locations = tuple(Location.of(owner.label, entry) for entry in _entries(given, "named_locations"))
        self._policies = [_checked_policy(owner.label, entry) for entry in _entries(given, "conditional_access")]
        self._others = [_other_account(owner.label, entry) for entry in _entries(given, "users")]
        self._sign_ins = [_checked_sign_in(entry) for entry in _entries(given, "sign_ins")]
        self._generated = dict(given.get("generate_sign_ins") or {})
        refuse_unknown("generate_sign_ins", self._generated, _GENERATED_KEYS)
        self.relationships = partners.relationships(owner.label, _entries(given, "relationships"))
        self.contracts = partners.contracts(owner.label, _entries(given, "contracts"))
        self._started = time.time()
        self._described: list[SignIn] | None = None
        # Sign-ins that happened here, newest first; they outlive a change of the description.
        self._recorded = list(recorded)

    def changed(self, given: Mapping[str, Any]) -> Directory:
        return Directory(self._owner, {**self.given, **given}, self._recorded)

    def accounts(self) -> list[Account]:
        """The users of the directory: those with a mailbox, and the others that the description names."""
        found = [
            Account(box.external_id, box.upn, box.display_name, box.primary, not box.account_disabled)
            for box in self._owner.mailboxes
            if box.external_id
        ]
        return found + self._others

    def accounts_without_mailbox(self) -> list[Account]:
        return list(self._others)

    def _by_name(self) -> dict[str, Account]:
        found: dict[str, Account] = {}
        for account in self.accounts():
            names = (account.id, account.upn, account.mail or "")
            found.update((name.casefold(), account) for name in names if name)
        return found

    def account(self, name: str) -> Account | None:
        return self._by_name().get(name.casefold())

    def policies(self) -> list[dict[str, Any]]:
        """As Graph shows them: users by their ids, where the description may name them by address."""
        if self.licence == "none" or not self._policies:
            return []
        known = self._by_name()
        return [_with_ids(found, known) for found in self._policies]

    def attempt(self, user: str, **details: Any) -> Attempt:
        """A sign-in of the user with this id, with the memberships and places that the tenant knows."""
        known = self._by_name()
        groups = {
            group
            for group, names in (self.given.get("members") or {}).items()
            if user in (_id_of(str(name), known) for name in names)
        }
        return Attempt(user, memberships=frozenset(groups), locations=self.locations, **details)

    def blocking_policy(self, user: str, address: str) -> str | None:
        """The name of a policy that shuts out a client which can only send a password."""
        attempt = self.attempt(user, address=address)
        return next((str(found["displayName"]) for found in self.policies() if blocks_legacy(found, attempt)), None)

    def log(self) -> list[SignIn]:
        """What is kept, newest first."""
        if self._described is None:
            self._described = sorted(self._build(), key=lambda entry: entry.created, reverse=True)
        oldest = time.time() - self.log_days * DAY
        return [entry for entry in (*self._recorded, *self._described) if entry.created >= oldest]

    def record(self, account: Account, *, error: int, address: str, policies: tuple[str, ...] = ()) -> None:
        """A sign-in that happens now."""
        number = derive(self._owner.label, "sign-in-now", str(len(self._recorded)))
        entry = SignIn(
            number, time.time(), account, "Authenticated SMTP", "nonInteractiveUser", error, address, "ropc", policies
        )
        self._recorded.insert(0, entry)

    def _build(self) -> Iterator[SignIn]:
        known = self._by_name()
        number = 0
        for given in (*self._background(known), *self._sign_ins, *self._made_up()):
            first = _moment(given, self._started)
            for repetition in range(int(given.get("times", 1))):
                number += 1
                yield SignIn(
                    id=derive(self._owner.label, "sign-in", str(number)),
                    created=first - repetition * float(given.get("hours_apart", 24)) * 3600,
                    account=_account_of(str(given["user"]), known, self._owner.label),
                    client=str(given.get("client", "Authenticated SMTP")),
                    stream=str(given.get("stream", "nonInteractiveUser")),
                    error=int(given.get("error", 0)),
                    address=str(given.get("ip", "203.0.113.10")),
                    protocol=str(given.get("protocol", "ropc")),
                    policies=tuple(given.get("policies") or ()),
                )

    def _background(self, known: Mapping[str, Account]) -> Iterator[dict[str, Any]]:
        """Somebody at a browser, every day that the log reaches back: that is how its span can be seen."""
        if not known:
            return
        user = next((account.id for account in known.values()), "")
        common = {"user": user, "client": "Browser", "protocol": "oAuth2", "ip": "198.51.100.10"}
        for day in range(int(self.log_days)):
            yield {**common, "stream": "interactiveUser", "days_ago": day + 0.5}
            yield {**common, "stream": "nonInteractiveUser", "days_ago": day + 0.6}

    def _made_up(self) -> Iterator[dict[str, Any]]:
        wanted = self._generated
        boxes = [box for box in self._owner.mailboxes if box.external_id]
        if not wanted or not boxes:
            return
        chance = random.Random(wanted.get("seed", 1))
        share = float(wanted.get("senders", 0.05))
        senders = [box.external_id for box in boxes if chance.random() < share] or [boxes[0].external_id]
        for number in range(int(wanted.get("count", 1000))):
            # Each sender is there at least once, where there are enough sign-ins for that.
            if number < len(senders):
                yield _made_up_sign_in(chance, wanted, senders[number], failures=None)
            else:
                yield _made_up_sign_in(chance, wanted, chance.choice(senders), float(wanted.get("failures", 0.1)))


def _made_up_sign_in(
    chance: random.Random, wanted: Mapping[str, Any], user: str, failures: float | None
) -> dict[str, Any]:
    """failures: how probable a wrong password is; None where it must be the right one."""
    days = float(wanted.get("days", 30))
    interactive, other = float(wanted.get("interactive", 0.1)), float(wanted.get("other_string", 0.2))
    return {
        "user": user,
        "days_ago": chance.random() * days * 0.999,
        "client": "SMTP" if chance.random() < other else "Authenticated SMTP",
        "stream": "interactiveUser" if chance.random() < interactive else "nonInteractiveUser",
        "error": 50126 if failures is not None and chance.random() < failures else 0,
        "ip": f"203.0.113.{chance.randrange(1, 255)}",
    }


def _entries(given: Mapping[str, Any], key: str) -> Iterable[Any]:
    return given.get(key) or ()


def _checked_policy(label: str, given: Mapping[str, Any]) -> dict[str, Any]:
    found = policy(label, given)
    if found["state"] not in STATES:
        raise DescriptionError(f"the state of a policy is one of {', '.join(STATES)}")
    return found


def _other_account(label: str, given: Mapping[str, Any]) -> Account:
    refuse_unknown("a user", dict(given), frozenset({"upn", "id", "display_name", "enabled"}))
    upn = str(given["upn"])
    number = str(given.get("id") or derive(label, "entra", upn))
    return Account(number, upn, str(given.get("display_name") or upn), None, bool(given.get("enabled", True)))


def _checked_sign_in(given: Mapping[str, Any]) -> dict[str, Any]:
    refuse_unknown("a sign-in", dict(given), _SIGN_IN_KEYS)
    if "user" not in given:
        raise DescriptionError("a sign-in needs a user")
    if given.get("stream", STREAMS[0]) not in STREAMS:
        raise DescriptionError(f"the stream of a sign-in is one of {', '.join(STREAMS)}")
    _moment(given, 0)
    return dict(given)


def _moment(given: Mapping[str, Any], started: float) -> float:
    at = given.get("at")
    if at is None:
        return started - float(given.get("days_ago", 1)) * DAY
    found = at if isinstance(at, datetime) else datetime.fromisoformat(str(at).replace("Z", "+00:00"))
    return found.replace(tzinfo=found.tzinfo or timezone.utc).timestamp()


def _account_of(name: str, known: Mapping[str, Account], label: str) -> Account:
    """An account that is gone, or never had a mailbox, still has its sign-ins."""
    found = known.get(name.casefold())
    return found or Account(derive(label, "entra", name), name, name, None, True)


def _id_of(name: str, known: Mapping[str, Account]) -> str:
    found = known.get(name.casefold()) if "@" in name else None
    return found.id if found else name


def _with_ids(found: dict[str, Any], known: Mapping[str, Account]) -> dict[str, Any]:
    users = dict(found["conditions"]["users"])
    for key in ("includeUsers", "excludeUsers"):
        users[key] = [_id_of(str(name), known) for name in users[key]]
    return {**found, "conditions": {**found["conditions"], "users": users}}


def iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign_in_row(entry: SignIn, tenant_id: str, policies: Mapping[str, Any], *, beta: bool) -> dict[str, Any]:
    """As the log shows it. For a caller who may not read policies there are none, and so is what was applied."""
    account, succeeded = entry.account, entry.error == 0
    applied = [_applied(policies[name], succeeded) for name in entry.policies if name in policies]
    row: dict[str, Any] = {
        "id": entry.id,
        "createdDateTime": iso(entry.created),
        "userDisplayName": account.display_name,
        "userPrincipalName": account.upn,
        "userId": account.id,
        "appId": EXCHANGE_APP,
        "appDisplayName": "Office 365 Exchange Online",
        "ipAddress": entry.address,
        "clientAppUsed": entry.client,
        "correlationId": entry.id,
        "conditionalAccessStatus": "failure" if entry.error == 53003 else "notApplied",
        "isInteractive": entry.stream == "interactiveUser",
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "resourceDisplayName": "Office 365 Exchange Online",
        "resourceId": EXCHANGE_APP,
        "status": {
            "errorCode": entry.error,
            "failureReason": FAILURES.get(entry.error, "Other."),
            "additionalDetails": None,
        },
        "deviceDetail": dict(_DEVICE),
        "location": {"city": "Exampletown", "state": "", "countryOrRegion": "XX", "geoCoordinates": {}},
        "appliedConditionalAccessPolicies": applied,
    }
    return row | _beta_part(entry, tenant_id) if beta else row


_DEVICE = {
    "deviceId": "",
    "displayName": "",
    "operatingSystem": "",
    "browser": "",
    "isCompliant": False,
    "isManaged": False,
    "trustType": "",
}


def _applied(found: Mapping[str, Any], succeeded: bool) -> dict[str, Any]:
    controls = [str(name).title() for name in (found["grantControls"] or {}).get("builtInControls", [])]
    return {
        "id": found["id"],
        "displayName": found["displayName"],
        "enforcedGrantControls": controls,
        "enforcedSessionControls": [],
        "result": "reportOnlyFailure" if succeeded else "failure",
        "conditionsSatisfied": "none",
        "conditionsNotSatisfied": "none",
        "includeRulesSatisfied": [],
        "excludeRulesSatisfied": [],
    }


def _beta_part(entry: SignIn, tenant_id: str) -> dict[str, Any]:
    return {
        "ipAddressFromResourceProvider": None,
        "userAgent": "",
        "originalRequestId": "",
        "tokenIssuerName": "",
        "tokenIssuerType": "AzureAD",
        "processingTimeInMilliseconds": 91,
        "resourceTenantId": tenant_id,
        "homeTenantId": tenant_id,
        "homeTenantName": "",
        "authenticationMethodsUsed": [],
        "authenticationRequirement": "singleFactorAuthentication",
        "signInIdentifier": entry.account.upn,
        "signInIdentifierType": None,
        "servicePrincipalName": "",
        "signInEventTypes": [entry.stream],
        "servicePrincipalId": "",
        "federatedCredentialId": "",
        "userType": "member",
        "flaggedForReview": False,
        "isTenantRestricted": False,
        "autonomousSystemNumber": 64500,
        "crossTenantAccessType": "none",
        "servicePrincipalCredentialKeyId": "",
        "servicePrincipalCredentialThumbprint": "",
        "uniqueTokenIdentifier": "",
        "incomingTokenType": "none",
        "authenticationProtocol": entry.protocol,
        "resourceServicePrincipalId": "5b000000-0000-4000-8000-000000000001",
        "mfaDetail": None,
        "authenticationProcessingDetails": [],
        "networkLocationDetails": [],
        "authenticationDetails": [],
        "authenticationRequirementPolicies": [],
        "sessionLifetimePolicies": [],
        "privateLinkDetails": {"policyId": "", "policyName": "", "resourceId": "", "policyTenantId": ""},
    }
