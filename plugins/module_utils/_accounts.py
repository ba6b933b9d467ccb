# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The accounts behind mailboxes: kind, licence, whether sign-in is blocked, authentication policy. PRIVATE.

All of them are read page by page, never one by one. What the service does not say is unread, never a default.
"""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    ExoError,
    IncompleteRead,
    Interrupted,
    InvalidRequest,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph, NoLicence
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Progress, Warn, silent
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import Unread

EXCHANGE_ROLE = "a role that may read this in Exchange Online, such as Global Reader"
_POLICY = "AuthenticationPolicy"
_PROPERTIES = (
    "Guid",
    "ExternalDirectoryObjectId",
    "UserPrincipalName",
    "RecipientTypeDetails",
    "SKUAssigned",
    "AccountDisabled",
    _POLICY,
)
Returned = t.TypeVar("Returned")


def attempt(read: Callable[[], Returned], permission: str) -> Returned | Unread:
    """What was read, or why it could not be. A wrong tenant and an interruption are no matter of one question."""
    try:
        return read()
    except (WrongTenant, Interrupted):
        raise
    except ExoError as error:
        denied = isinstance(error, AccessDenied) and not isinstance(error, NoLicence)
        return Unread(error.message, permission if denied else "")


@dataclass(frozen=True)
class Account:
    """What was read of one account. user_principal_name: '' where the service does not say."""

    user_principal_name: str
    recipient_type: str | Unread
    licensed: bool | Unread | None
    disabled: bool | Unread
    policy: str | Unread | None


def _unread_account(why: Unread) -> Account:
    return Account("", why, why, why, why)


@dataclass(frozen=True)
class Accounts:
    """The accounts of a tenant. by_key: by GUID and by object id. other: what is known of one that is not listed.

    blocked: object ids of those whose sign-in is blocked, where Microsoft Graph had to tell, else None.
    """

    by_key: Mapping[str, Account]
    other: Account
    blocked: frozenset[str] | None = None

    def of(self, record: Record) -> Account:
        key = object_id(record)
        found = self.by_key.get(key) or self.by_key.get(record.key) or self.other
        if self.blocked is not None and key:
            return replace(found, disabled=key in self.blocked)
        return found


def read_accounts(client: Client, graph: Graph | None, progress: Progress, warn: Warn = silent) -> Accounts:
    """All accounts; where Exchange Online does not list them, Graph is asked whose sign-in is blocked."""
    rows = attempt(lambda: _rows(client, progress), EXCHANGE_ROLE)
    if not isinstance(rows, Unread):
        known = frozenset(itertools.chain.from_iterable(rows))
        if rows and _POLICY not in known and _leaves_out_nulls(client, rows[0], warn):
            known |= {_POLICY}
        by_key: dict[str, Account] = {}
        for row in rows:
            account = _account(row, known)
            by_key[text(row.get("Guid")).lower()] = account
            by_key[text(row.get("ExternalDirectoryObjectId")).lower()] = account
        by_key.pop("", None)
        return Accounts(by_key, _unread_account(Unread("Get-User did not list this account.")))
    other = _unread_account(rows)
    blocked = attempt(graph.disabled_accounts, "User.Read.All") if graph else None
    return Accounts({}, other, frozenset(blocked) if isinstance(blocked, set) else None)


def _leaves_out_nulls(client: Client, row: Mapping[str, t.Any], warn: Warn) -> bool:
    """Whether a whole object does not have the policy either: then the service leaves it out where it is null."""
    command = Command("Get-User", {"Identity": row.get("Guid")})
    whole = attempt(lambda: client.invoke(command).objects, EXCHANGE_ROLE)
    if isinstance(whole, Unread) or len(whole) != 1 or _POLICY in whole[0]:
        return False
    warn(f"The service left out {_POLICY} of every user, so nobody is taken to have one of their own.")
    return True


def _rows(client: Client, progress: Progress) -> list[dict[str, t.Any]]:
    try:
        return _listed(client, _PROPERTIES, progress)
    except InvalidRequest:  # a service that refuses $select is asked for whole objects
        return _listed(client, (), progress)


def _listed(client: Client, select: tuple[str, ...], progress: Progress) -> list[dict[str, t.Any]]:
    rows: list[dict[str, t.Any]] = []
    seen: set[str] = set()
    for answer in client.pages(Command("Get-User", {"ResultSize": "Unlimited"}, select=select)):
        for one in answer.objects:
            guid = text(one.get("Guid")).lower()
            if guid in seen:
                raise IncompleteRead("The list of users has one twice, so others may be missing.", cmdlet="Get-User")
            seen.add(guid)
            rows.append({name: one[name] for name in _PROPERTIES if name in one})
        progress("reading users", len(rows), None)
    return rows


def _account(row: Mapping[str, t.Any], known: frozenset[str]) -> Account:
    kind, licensed, disabled = row.get("RecipientTypeDetails"), row.get("SKUAssigned"), row.get("AccountDisabled")
    return Account(
        text(row.get("UserPrincipalName")),
        kind if isinstance(kind, str) else _silent("RecipientTypeDetails"),
        licensed if isinstance(licensed, bool) else None,
        disabled if isinstance(disabled, bool) else _silent("AccountDisabled"),
        _policy(row, known),
    )


def _policy(row: Mapping[str, t.Any], known: frozenset[str]) -> str | Unread | None:
    """The user's own policy. A null may be left out, but only where the service does send the property of others."""
    value = row.get(_POLICY)
    if isinstance(value, str):
        return value or None
    if value is not None or (_POLICY not in row and _POLICY not in known):
        return _silent(_POLICY)
    return None


def _silent(name: str) -> Unread:
    return Unread(f"Get-User did not say {name} of this account.")


def text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def object_id(record: Record) -> str:
    """The Entra object id of a mailbox's account; '' for a system mailbox."""
    return text(record.remote.get("ExternalDirectoryObjectId")).lower()


def addresses(record: Record) -> list[str]:
    """All addresses of a mailbox that were read. The service puts their kind before them: ``smtp:a@contoso.com``."""
    values = record.remote.get("EmailAddresses")
    found = values if isinstance(values, list) else []
    others = [one.partition(":")[2] for one in found if isinstance(one, str) and one.lower().startswith("smtp:")]
    return [record.target.primary_smtp_address, *others]
