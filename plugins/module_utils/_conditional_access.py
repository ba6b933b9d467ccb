# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditional Access: which policies stop a sign-in over SMTP, from the policies alone or from What-If. PRIVATE.

A client that sends a user name and a password can't answer any demand. So every enabled policy that reaches such
clients and has any grant control blocks it, not just the policies that say "block". With OAuth the sign-in can answer
some demands (MFA, terms of use); the others are left undecided.

Pure: policies in the form of Microsoft Graph in, names of policies out. What a policy alone can't decide (membership of
groups, locations, risk and whatever is not known here) is undecided, with the name of the condition.
"""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"  # the application that SMTP clients sign in to
_APPLICATIONS = frozenset({"all", "office365", EXCHANGE_ONLINE})
_STATES = {"enabled": True, "disabled": False, "enabledForReportingButNotEnforced": False}
_CLIENTS = frozenset({"all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"})
# What is judged by itself below, or is about the sign-ins of applications and not of users.
_JUDGED = frozenset(
    {"clientAppTypes", "applications", "users", "locations", "clientApplications", "servicePrincipalRiskLevels"}
)
_WORDS = frozenset({"all", "none", "guestsorexternalusers"})  # what stands beside object ids in lists of users
_USERS = frozenset(
    {
        "includeUsers",
        "excludeUsers",
        "includeGroups",
        "excludeGroups",
        "includeRoles",
        "excludeRoles",
        "includeGuestsOrExternalUsers",
        "excludeGuestsOrExternalUsers",
    }
)
_TARGETS = frozenset(
    {
        "includeApplications",
        "excludeApplications",
        "applicationFilter",
        "includeUserActions",
        "includeAuthenticationContextClassReferences",
    }
)
# What somebody who signs in with OAuth can answer once, when the device is set up.
_ANSWERABLE = frozenset({"mfa", "passwordChange", "authentication strength", "terms of use"})
_DEMANDS: Mapping[str, str] = {
    "authenticationStrength": "authentication strength",
    "termsOfUse": "terms of use",
    "customAuthenticationFactors": "custom control",
}


@dataclass(frozen=True)
class Method:
    """A way to sign in. clients: the clientAppTypes that include it. answers: whether it can answer demands."""

    clients: frozenset[str]
    answers: bool


BASIC = Method(frozenset({"all", "other"}), answers=False)
OAUTH = Method(frozenset({"all", "mobileAppsAndDesktopClients"}), answers=True)


@dataclass(frozen=True)
class Undecided:
    """A policy that may or may not apply, and the conditions that would have to be known."""

    policy: str
    conditions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.policy} ({', '.join(self.conditions)})"


@dataclass(frozen=True)
class Judgement:
    """What the policies do to one user's sign-in. blocking: names of those that certainly stop it."""

    blocking: tuple[str, ...] = ()
    undecided: tuple[Undecided, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One policy as far as it may stop a sign-in.

    everyone, included, excluded: whom it names (object ids, lower case). doubts: conditions that can't be decided for
    anybody; include_doubts and exclude_doubts: those that decide who is in it, and who is not. unknown_kind: the policy
    has a form that is not known here, so that nobody can say what it enforces.
    """

    id: str
    name: str
    everyone: bool
    included: frozenset[str]
    excluded: frozenset[str]
    doubts: tuple[str, ...] = ()
    include_doubts: tuple[str, ...] = ()
    exclude_doubts: tuple[str, ...] = ()
    unknown_kind: bool = False

    @property
    def named(self) -> frozenset[str]:
        return self.included | self.excluded

    def conditions(self, user: str) -> tuple[str, ...] | None:
        """The conditions that are in doubt for a user (none: it applies for certain), or None: it does not apply."""
        if user in self.excluded:
            return None
        if self.everyone or user in self.included:
            return (*self.doubts, *self.exclude_doubts, *_who_doubt(user, self.excluded))
        if not self.include_doubts and not _who_doubt(user, self.included):
            return None
        return (*self.doubts, *self.include_doubts, *self.exclude_doubts, *_who_doubt(user, self.named))


def _who_doubt(user: str, named: frozenset[str]) -> tuple[str, ...]:
    """A mailbox without an object id may be any of those that are named."""
    return ("users",) if named and not user else ()


class ConditionalAccess:
    """The policies of a tenant, made ready to judge many users: those whom no policy names share one judgement."""

    def __init__(self, policies: Iterable[t.Any], method: Method) -> None:
        self._rules = [rule for rule in (parse(policy, method) for policy in policies) if rule]
        self._named = frozenset(itertools.chain.from_iterable(rule.named for rule in self._rules))
        self._unnamed: Judgement | None = None

    @property
    def rules(self) -> Sequence[Rule]:
        """The policies that may stop a sign-in with this method, whoever signs in."""
        return self._rules

    def judge(self, user: str) -> Judgement:
        """user: the object id, or an empty text where the mailbox has none."""
        user = user.lower()
        if not user or user in self._named:
            return self._judge(user)
        if self._unnamed is None:
            self._unnamed = self._judge(user)
        return self._unnamed

    def _judge(self, user: str) -> Judgement:
        blocking: list[str] = []
        undecided: list[Undecided] = []
        for rule in self._rules:
            conditions = rule.conditions(user)
            if conditions:
                undecided.append(Undecided(rule.name, conditions))
            elif conditions is not None:
                blocking.append(rule.name)
        return Judgement(tuple(blocking), tuple(undecided))


def parse(policy: t.Any, method: Method) -> Rule | None:
    """The policy as a rule for this method, or None where it can never stop a sign-in over SMTP with it."""
    if not isinstance(policy, Mapping):
        return _unknown_kind({}, "form")
    state = policy.get("state")
    if not isinstance(state, str) or state not in _STATES:
        return _unknown_kind(policy, "state")
    if not _STATES[state]:
        return None
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        return _unknown_kind(policy, "conditions")
    doubts = _doubts(policy, conditions, method)
    if doubts is None:
        return None
    if _enforces_nothing_known(policy):
        return _unknown_kind(policy, "grantControls")
    users = conditions.get("users")
    if not isinstance(users, Mapping):
        return _unknown_kind(policy, "users")
    return _rule(policy, users, doubts)


def _rule(policy: Mapping[str, t.Any], users: Mapping[str, t.Any], doubts: tuple[str, ...]) -> Rule | None:
    included = _names(users, "includeUsers", required=True)
    excluded = _names(users, "excludeUsers")
    include_doubts = _filled(users, ("includeGroups", "includeRoles", "includeGuestsOrExternalUsers"))
    exclude_doubts = _filled(users, ("excludeGroups", "excludeRoles", "excludeGuestsOrExternalUsers"))
    if included is None:
        include_doubts = (*include_doubts, "includeUsers")
    if excluded is None:
        exclude_doubts = (*exclude_doubts, "excludeUsers")
    include_doubts += _guests(included, "includeGuestsOrExternalUsers")
    exclude_doubts += _guests(excluded, "excludeGuestsOrExternalUsers") + _strange(users, _USERS)
    named = (included or frozenset()) - _WORDS
    everyone = "all" in (included or ())
    if not everyone and not named and not include_doubts:
        return None
    return Rule(
        _text(policy.get("id")),
        _name(policy),
        everyone,
        named,
        (excluded or frozenset()) - _WORDS,
        doubts,
        tuple(dict.fromkeys(include_doubts)),
        tuple(dict.fromkeys(exclude_doubts)),
    )


def _guests(names: frozenset[str] | None, condition: str) -> tuple[str, ...]:
    return (condition,) if names and "guestsorexternalusers" in names else ()


def _doubts(policy: Mapping[str, t.Any], conditions: Mapping[str, t.Any], method: Method) -> tuple[str, ...] | None:
    """What can't be decided whoever signs in, or None where the policy does not reach this sign-in at all."""
    found: list[str] = []
    for judge in (_client_doubt, _application_doubt):
        reaches, doubt = judge(conditions, method)
        if not reaches:
            return None
        found += doubt
    if not _enforces_nothing_known(policy) and not _stops(controls(policy), policy, method):
        return None
    if method.answers:
        found.append("how the client signs in")
    found += _location_doubt(conditions)
    found += _strange(conditions, _JUDGED)
    return tuple(dict.fromkeys(found))


def _client_doubt(conditions: Mapping[str, t.Any], method: Method) -> tuple[bool, list[str]]:
    types = conditions.get("clientAppTypes")
    if not isinstance(types, list) or not types:
        return True, ["clientAppTypes"]
    if any(kind in method.clients for kind in types if isinstance(kind, str)):
        return True, []
    unknown = any(not isinstance(kind, str) or kind not in _CLIENTS for kind in types)
    return unknown, ["clientAppTypes"]


def _application_doubt(conditions: Mapping[str, t.Any], method: Method) -> tuple[bool, list[str]]:
    applications = conditions.get("applications")
    if not isinstance(applications, Mapping):
        return True, ["applications"]
    included = _names(applications, "includeApplications", required=True)
    excluded = _names(applications, "excludeApplications")
    if excluded and excluded & _APPLICATIONS:
        return False, []
    doubts = [*_filled(applications, ("applicationFilter",)), *_strange(applications, _TARGETS)]
    if included is None or excluded is None:
        doubts.append("applications")
    return bool(doubts) or bool(included and included & _APPLICATIONS), doubts


def _location_doubt(conditions: Mapping[str, t.Any]) -> list[str]:
    locations = conditions.get("locations")
    if not _is_filled(locations):
        return []
    if isinstance(locations, Mapping) and not _filled(locations, ("excludeLocations",)):
        # All of them, with none left out, is no condition.
        return [] if "all" in _texts(locations.get("includeLocations")) else ["locations"]
    return ["locations"]


def controls(policy: Mapping[str, t.Any]) -> tuple[str, ...]:
    """The demands of a policy, in Graph's words where it has one; a demand of an unknown kind under its own key."""
    grant = policy.get("grantControls")
    if not isinstance(grant, Mapping):
        return ("grantControls",) if grant else ()
    filled = _filled(grant, (key for key in grant if key not in ("operator", "builtInControls") and "@" not in key))
    others = [_DEMANDS.get(key, key) for key in filled]
    return tuple(dict.fromkeys([*_built_in_controls(grant.get("builtInControls")), *others]))


def _built_in_controls(value: t.Any) -> list[str]:
    if isinstance(value, list):
        return [_text(one) or "builtInControls" for one in value]
    return ["builtInControls"] if value else []


def _stops(demands: Sequence[str], policy: Mapping[str, t.Any], method: Method) -> bool:
    """Whether these demands can stop a sign-in with this method."""
    if not method.answers or not demands:
        return bool(demands)
    grant = policy.get("grantControls")
    operator = grant.get("operator") if isinstance(grant, Mapping) else None
    answerable = [demand in _ANSWERABLE for demand in demands]
    return not (any(answerable) if operator == "OR" else all(answerable))


def _enforces_nothing_known(policy: Mapping[str, t.Any]) -> bool:
    """An enabled policy has grant or session controls: one with neither enforces something that is not known here."""
    return not controls(policy) and not _is_filled(policy.get("sessionControls"))


def _unknown_kind(policy: Mapping[str, t.Any], what: str) -> Rule:
    return Rule(
        _text(policy.get("id")), _name(policy), True, frozenset(), frozenset(), (f"unknown {what}",), unknown_kind=True
    )


def _name(policy: Mapping[str, t.Any]) -> str:
    return _text(policy.get("displayName")) or _text(policy.get("id")) or "a policy without a name"


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


def _texts(value: t.Any) -> frozenset[str]:
    return frozenset(item.lower() for item in _list(value) if isinstance(item, str))


def _names(values: Mapping[str, t.Any], key: str, *, required: bool = False) -> frozenset[str] | None:
    """A list of names in lower case, or None where it is not one that can be understood."""
    value = values.get(key)
    if value is None and not required:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return _texts(value)


def _strange(values: Mapping[str, t.Any], known: frozenset[str]) -> tuple[str, ...]:
    """Conditions that are not known here and say something."""
    return _filled(values, (name for name in values if name not in known and "@" not in name))


def _is_filled(value: t.Any) -> bool:
    """Whether a condition says anything: Graph sends null, an empty list or an object of nothing but nulls for none."""
    if isinstance(value, Mapping):
        return any(_is_filled(inner) for key, inner in value.items() if "@" not in key)
    return value not in (None, [], "", False)


def _filled(values: Mapping[str, t.Any], names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if _is_filled(values.get(name)))


# What-If is asked for a sign-in without risk, so these reasons decide that a policy does not apply.
_DECIDED = frozenset(
    {"users", "application", "clientApps", "policyNotEnabled", "emptyPolicy", "signInRisk", "userRisk"}
)


def what_if_request(user: str, client_ip: str | None) -> dict[str, t.Any]:
    """The body that asks which policies apply to a sign-in of this user over SMTP with a password."""
    conditions = {"clientAppType": "other", "signInRiskLevel": "none", "userRiskLevel": "none"}
    return {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user},
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": [EXCHANGE_ONLINE],
        },
        "signInConditions": {**conditions, **({"ipAddress": client_ip} if client_ip else {})},
        "appliedPoliciesOnly": False,
    }


def judge_what_if(answer: Iterable[t.Any], rules: Sequence[Rule], *, client_ip: bool) -> Judgement:
    """What the answer of What-If says about Basic; rules: the policies that may stop it.

    A policy that the answer leaves out is undecided. Without an address so is one that asks where a client is.
    """
    answers = {_text(row.get("id")): row for row in answer if isinstance(row, Mapping)}
    blocking: list[str] = []
    undecided: list[Undecided] = []
    for rule in rules:
        row = answers.get(rule.id)
        applies = row is not None and row.get("policyApplies") is True
        doubts = rule.doubts if applies and rule.unknown_kind else _what_if_doubts(row, client_ip)
        if doubts:
            undecided.append(Undecided(rule.name, doubts))
        elif applies:
            blocking.append(rule.name)
    return Judgement(tuple(blocking), tuple(undecided))


def _what_if_doubts(row: Mapping[str, t.Any] | None, client_ip: bool) -> tuple[str, ...]:
    if row is None:
        return ("not in the answer of What-If",)
    applies = row.get("policyApplies")
    if applies is True:
        return () if client_ip else _where_doubt(row.get("conditions"))
    if applies is False:
        return _why_not_doubts(_text(row.get("analysisReasons")), _DECIDED | {"location"} if client_ip else _DECIDED)
    return ("policyApplies",)


def _where_doubt(conditions: t.Any) -> tuple[str, ...]:
    return tuple(_location_doubt(conditions)) if isinstance(conditions, Mapping) else ()


def _why_not_doubts(text: str, decided: frozenset[str]) -> tuple[str, ...]:
    """Why a policy is said not to apply, unless one of these reasons decides it."""
    reasons = [reason.strip() for reason in text.split(",") if reason.strip()]
    if not decided.isdisjoint(reasons):
        return ()
    return tuple(reasons) or ("no reason given",)
