# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One mailbox: its names, what Get-CASMailbox shows of it, and the user behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import schema
from .names import DescriptionError, derive
from .store import Stored

FOREST = "EURP190A001.PROD.OUTLOOK.COM"
FOREST_DN = ",".join(f"DC={part}" for part in FOREST.split("."))
SERVER = "AM0PR19MB0042"
# Accounts of mailboxes that nobody signs in to are made disabled.
_WITHOUT_SIGN_IN = frozenset({"SharedMailbox", "RoomMailbox", "EquipmentMailbox", "SchedulingMailbox"})


class Mailbox:
    __slots__ = (
        "account_disabled",
        "addresses",
        "alias",
        "display_name",
        "exchange_object_id",
        "external_id",
        "gate",
        "guid",
        "name",
        "partnership",
        "password",
        "primary",
        "refuses_writes",
        "rows",
        "server",
        "store",
        "type",
        "upn",
        "user",
    )

    def __init__(self, tenant: str, entry: Mapping[str, Any]) -> None:
        # What is empty is as good as not given.
        given = {name: value for name, value in entry.items() if value}
        primary = given.get("primary_address") or given.get("address") or given.get("upn")
        if not isinstance(primary, str) or "@" not in primary:
            raise DescriptionError(f"a mailbox needs an upn or a primary_address: {dict(entry)}")
        self.primary: str = primary
        self.upn: str = given.get("upn", primary)
        local = primary.partition("@")[0]
        self.alias: str = given.get("alias", re.sub(r"[^A-Za-z0-9._-]", "", local))
        self.display_name: str = given.get("display_name", local.replace(".", " ").title())
        self.name: str = given.get("name", "")
        self.type: str = given.get("type", "UserMailbox")
        self.guid: str = given.get("guid", derive(tenant, "mailbox", primary))
        self.exchange_object_id: str = given.get("exchange_object_id", derive(tenant, "exchange", primary))
        self.external_id: str = given.get("external_directory_object_id", derive(tenant, "entra", primary))
        self.addresses: list[str] = [f"SMTP:{primary}", *(f"smtp:{alias}" for alias in given.get("aliases", ()))]
        disabled = entry.get("account_disabled")
        self.account_disabled: bool = self.type in _WITHOUT_SIGN_IN if disabled is None else bool(disabled)
        self.password: str | None = entry.get("password")
        self.partnership: bool = bool(entry.get("device_partnership"))
        self.server: str = given.get("server", SERVER)
        self.refuses_writes: bool | str = given.get("refuses_writes", False)
        self.store = Stored(with_policy_known(given.get("cas", {})))
        self.rows: dict[Any, bytes] = {}
        self.user = Stored()
        self.gate = Stored()

    def visible(self) -> dict[str, Any]:
        if self.store.refresh():
            self.rows.clear()
        return self.store.visible

    def account_control(self) -> str:
        return "AccountDisabled, NormalAccount" if self.account_disabled else "NormalAccount"

    def keys(self, organization: str) -> Iterable[str]:
        """Everything that names this mailbox."""
        yield from (self.guid, self.exchange_object_id, self.external_id, self.upn, self.alias, self.name)
        yield from (self.display_name, self.distinguished_name(organization), self.legacy_dn())
        for address in self.addresses:
            yield address
            yield address.partition(":")[2]

    def distinguished_name(self, organization: str) -> str:
        return f"CN={self.name},OU={organization},OU=Microsoft Exchange Hosted Organizations,{FOREST_DN}"

    def legacy_dn(self) -> str:
        tail = self.exchange_object_id.replace("-", "")
        return (
            f"/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={tail}-{self.alias}"
        )

    def stored(self, name: str) -> Any:
        return self.store.current.get(name, schema.CAS_SHARED_BY_NAME[name].default)


def with_policy_known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Whoever names a policy has it of their own."""
    found = dict(values)
    if found.get("ActiveSyncMailboxPolicy") is not None:
        found.setdefault("ActiveSyncMailboxPolicyIsDefaulted", False)
    return found
