# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What authentication policies say of SMTP AUTH with a password."""

from __future__ import annotations

from typing import Any

from .mailbox import Mailbox
from .named import NamedObject
from .tenants import Tenant

SWITCH = "AllowBasicAuthSmtp"


def policy_gate(tenant: Tenant, mailbox: Mailbox, *, in_effect: bool = False) -> dict[str, Any]:
    """The policy that counts for a mailbox, where it comes from, and whether it lets a password through.

    With ``in_effect`` it is what the service goes by, which follows what is stored after the tenant's ``policy_lag``.
    """
    policy, source = _deciding(tenant, mailbox, in_effect=in_effect)
    return {
        "policy": policy.name if policy else None,
        "from": source,
        "allows_basic_smtp": policy is None or _allows(policy, in_effect=in_effect),
    }


def _deciding(tenant: Tenant, mailbox: Mailbox, *, in_effect: bool) -> tuple[NamedObject | None, str | None]:
    default = tenant.access.default_gate if in_effect else tenant.organization
    levels = (
        ("user", mailbox.gate if in_effect else mailbox.user, "AuthenticationPolicy"),
        ("organization", default, "DefaultAuthenticationPolicy"),
    )
    for source, stored, name in levels:
        stored.refresh()
        found = tenant.access.policy((stored.visible if in_effect else stored.current).get(name))
        if found is not None:
            return found, source
    return None, None


def _allows(policy: NamedObject, *, in_effect: bool) -> bool:
    policy.gate.refresh()
    return bool((policy.gate.visible if in_effect else policy.store.current).get(SWITCH, False))
