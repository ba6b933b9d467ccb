# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies, the users who have them, and the plans that new mailboxes follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import object_schema, schema
from .mailbox import FOREST_DN, Mailbox
from .named import NamedObject, NamedObjects
from .names import DescriptionError, derive
from .store import Stored

if TYPE_CHECKING:
    from .tenants import Tenant

DEFAULT_PLAN = "ExchangeOnlineEnterprise"
# What the admin center calls a policy that it makes is not known.
_ADMIN_CENTER_POLICY = "Modern authentication settings"


class Access:
    def __init__(self, tenant: Tenant, description: Mapping[str, Any]) -> None:
        self._tenant = tenant
        self.authentication = NamedObjects()
        for entry in description.get("authentication_policies") or []:
            self.seed_policy(entry)
        self.plans = NamedObjects()
        self._seed_plans(description.get("plans") or [])
        self.default_gate = Stored()
        self._others: dict[str, Mailbox] = {}

    def policy(self, guid: str | None) -> NamedObject | None:
        return next((policy for policy in self.authentication if policy.guid == guid), None)

    def policy_reference(self, guid: str | None) -> str | None:
        """How an object shows which authentication policy it has."""
        found = self.policy(guid)
        if found is None and self._tenant.form("removed_policy") == "dangling":
            found = next((policy for policy in self.authentication.removed if policy.guid == guid), None)
        if found is None:
            return None
        return found.name if self._tenant.form("policy_reference") == "name" else found.dn

    def points_to(self, policy: NamedObject) -> bool:
        """Whether the organization or anybody has this policy."""
        default = self._tenant.organization.current.get("DefaultAuthenticationPolicy")
        users = (user.user.current.get("AuthenticationPolicy") for user in self.people())
        return policy.guid == default or policy.guid in users

    def new_policy(self, name: str, values: Mapping[str, Any]) -> NamedObject:
        # A name may come back; an identifier never does.
        number = sum(policy.name.casefold() == name.casefold() for policy in self.authentication.removed)
        labels = (self._tenant.label, "policy", "authentication", name, *([str(number)] if number else []))
        return NamedObject(name, derive(*labels), self._tenant.policy_dn("authentication", name), values)

    def seed_policy(self, entry: Mapping[str, Any]) -> NamedObject:
        values = {key: value for key, value in entry.items() if key not in ("name", "guid")}
        policy = self.new_policy(str(entry["name"]), values)
        policy.guid = str(entry.get("guid") or policy.guid)
        self.authentication.add(policy)
        return policy

    def _seed_plans(self, entries: Iterable[Mapping[str, Any]]) -> None:
        given = {str(entry.get("name")): dict(entry.get("cas") or {}) for entry in entries}
        for name in {**object_schema.PLANS, **given}:
            values = {**object_schema.PLANS.get(name, {}), **given.get(name, {})}
            guid = derive(self._tenant.label, "plan", name)
            full = f"{name}-{guid}"
            dn = f"CN={full},OU={self._tenant.domains[0]},OU=Microsoft Exchange Hosted Organizations,{FOREST_DN}"
            self.plans.add(NamedObject(full, guid, dn, values))

    def plan(self, name: str) -> NamedObject:
        """The plan with this display name."""
        found = next((plan for plan in self.plans if plan.name.casefold() == f"{name}-{plan.guid}".casefold()), None)
        if found is None:
            raise DescriptionError(f"no mailbox plan {name}")
        return found

    def inherited(self, plan: str) -> dict[str, Any]:
        """What a mailbox gets from its plan together with the licence."""
        values = self.plan(plan).store.current
        names = [name for name in object_schema.INHERITED if name in values]
        return {name: values[name] for name in names if values[name] != schema.CAS_SHARED_BY_NAME[name].default}

    def people(self) -> list[Mailbox]:
        """Users: those with a mailbox, and the accounts of Entra that have none."""
        for account in self._tenant.directory.accounts_without_mailbox():
            if account.id not in self._others:
                entry = {
                    "upn": account.upn,
                    "display_name": account.display_name,
                    "name": account.id,
                    "type": "User",
                    "external_directory_object_id": account.id,
                    "account_disabled": not account.enabled,
                }
                self._others[account.id] = Mailbox(self._tenant.label, entry)
        owned = [mailbox for mailbox in self._tenant.mailboxes if mailbox.type != "GroupMailbox"]
        return [*owned, *(self._others[account.id] for account in self._tenant.directory.accounts_without_mailbox())]

    def write_user(self, user: Mailbox, values: Mapping[str, Any]) -> None:
        user.user.write(values, self._tenant.lag)
        # Signing a user out everywhere lets a new policy act in half an hour instead of a day.
        soon = "StsRefreshTokensValidFrom" in values
        if soon or "AuthenticationPolicy" in values:
            policy = user.user.current.get("AuthenticationPolicy")
            lag = self._tenant.policy_lag
            user.gate.write({"AuthenticationPolicy": policy}, lag / 48 if soon else lag)

    def write_policy(self, policy: NamedObject, values: Mapping[str, Any]) -> None:
        policy.store.write(values, self._tenant.lag)
        policy.gate.write(values, self._tenant.policy_lag)

    def remove_policy(self, guid: str, lag: float = 0) -> None:
        policy = self.policy(guid)
        if policy is not None:
            self.authentication.remove(policy, lag)

    def write_organization(self, values: Mapping[str, Any], lag: float, *, at_once: bool = False) -> None:
        self._tenant.organization.write(values, lag)
        if "DefaultAuthenticationPolicy" in values:
            default = {"DefaultAuthenticationPolicy": values["DefaultAuthenticationPolicy"]}
            self.default_gate.write(default, 0 if at_once else self._tenant.policy_lag)

    def organization_values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(given)
        name = values.get("DefaultAuthenticationPolicy")
        if name is not None:
            values["DefaultAuthenticationPolicy"] = self.known_policy(name)
        return values

    def known_policy(self, name: Any) -> str:
        policy = self.authentication.find(str(name))
        if policy is None:
            raise DescriptionError(f"no authentication policy {name}")
        return policy.guid

    def user_values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What a description says of a user; a policy by any of its names."""
        values = dict(given)
        if values.get("AuthenticationPolicy") is not None:
            values["AuthenticationPolicy"] = self.known_policy(values["AuthenticationPolicy"])
        return values

    def modern_authentication(self, switches: Mapping[str, Any], dated: Mapping[str, str]) -> None:
        """Ticks on the admin center's page: they change the default policy, or make one that is the default."""
        policy = self.policy(self._tenant.organization.current.get("DefaultAuthenticationPolicy"))
        if policy is None:
            policy = self.seed_policy({"name": _ADMIN_CENTER_POLICY})
            self.write_organization({"DefaultAuthenticationPolicy": policy.guid, **dated}, 0)
        self.write_policy(policy, {**switches, **dated})

    def policy_allows(self, mailbox: Mailbox) -> bool:
        """Whether the authentication policies, as they are stored, let a password through."""
        own = self.policy(mailbox.user.current.get("AuthenticationPolicy"))
        policy = own or self.policy(self._tenant.organization.current.get("DefaultAuthenticationPolicy"))
        return policy is None or bool(policy.store.current.get("AllowBasicAuthSmtp", False))

    def check_mailbox_policies(self, owner: str, values: Mapping[str, Any]) -> None:
        for kind, name in (("owa", "OwaMailboxPolicy"), ("active_sync", "ActiveSyncMailboxPolicy")):
            policy = values.get(name)
            if policy is not None and self._tenant.policy_key(kind, policy) is None:
                raise DescriptionError(f"{owner}: cas.{name}: there is no policy {policy!r}")

    def equip(self, mailbox: Mailbox, entry: Mapping[str, Any]) -> None:
        """What comes from other objects of the tenant: the plan's values, the user's policy."""
        plan = entry.get("plan") or (DEFAULT_PLAN if self._tenant.seeded else None)
        if plan:
            own = mailbox.store.current
            mailbox.store.write({**self.inherited(plan), **own}, 0)
        self.check_mailbox_policies(mailbox.primary, mailbox.store.current)
        if entry.get("user"):
            self.write_user(mailbox, self.user_values(entry["user"]))
            mailbox.user.settle()
            mailbox.gate.settle()
