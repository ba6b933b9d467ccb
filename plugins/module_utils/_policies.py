# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authentication policies: which one a reference means, and settings that refer to one. PRIVATE. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._properties import PolicyReference, Table

_SMTP = "AllowBasicAuthSmtp"


@dataclass(frozen=True)
class AuthenticationPolicies:
    """The tenant's authentication policies, as Get-AuthenticationPolicy sends them."""

    policies: Sequence[Mapping[str, t.Any]]

    def find(self, reference: str) -> Mapping[str, t.Any] | None:
        """The policy that a user or the organization refers to, or None where it is not clear which.

        The service has been seen to refer by name and by distinguished name; a GUID is met as well.
        """
        wanted = {reference.lower(), _common_name(reference).lower()} - {""}
        fitting = [policy for policy in self.policies if wanted & names_of(policy)]
        return fitting[0] if len(fitting) == 1 else None

    def with_planned(self, planned: Sequence[Mapping[str, t.Any]]) -> AuthenticationPolicies:
        """The policies once another task has made or changed these.

        planned: of each policy its name and allow_basic_auth_smtp; None leaves the switch as it is, off in a new one.
        """
        if not planned:
            return self
        policies = {str(policy.get("Name")).lower(): policy for policy in self.policies}
        for one in planned:
            name, allows = str(one["name"]).strip(), one.get("allow_basic_auth_smtp")
            policy = policies.get(name.lower(), {"Name": name, _SMTP: False})
            policies[name.lower()] = policy if allows is None else {**policy, _SMTP: allows}
        return AuthenticationPolicies(list(policies.values()))


def names_of(policy: Mapping[str, t.Any]) -> set[str]:
    values = (policy.get(name) for name in ("Name", "Identity", "DistinguishedName", "Guid", "ExchangeObjectId"))
    return {value.lower() for value in values if isinstance(value, str) and value}


def _common_name(reference: str) -> str:
    """The first CN of a distinguished name, without its escapes; an empty text for anything else."""
    found = re.match(r"CN=((?:\\.|[^,\\])+),", reference, re.IGNORECASE)
    return re.sub(r"\\(.)", r"\1", found.group(1)) if found else ""


def bound(table: Table, policies: AuthenticationPolicies) -> Table:
    """The table with its references to authentication policies resolved by these policies."""
    properties = [
        replace(one, kind=PolicyReference(find=policies.find)) if isinstance(one.kind, PolicyReference) else one
        for one in table.properties
    ]
    return replace(table, properties=tuple(properties))
