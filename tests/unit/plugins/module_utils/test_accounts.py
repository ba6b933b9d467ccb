# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The accounts behind mailboxes: what is not said is unread, and what is left out is null only where that is sure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _errors as e
from ansible_collections.m365.exchange_online.plugins.module_utils._accounts import (
    EXCHANGE_ROLE,
    Account,
    addresses,
    attempt,
    read_accounts,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Answer, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import NoLicence
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import quiet
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import Unread


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def row(number: int, **changed: t.Any) -> dict[str, t.Any]:
    """A user as Get-User sends it, but for these properties; a property that is ... is left out."""
    values = {
        "Guid": guid(number),
        "ExternalDirectoryObjectId": f"object-{number}",
        "UserPrincipalName": f"user{number}@contoso.com",
        "RecipientTypeDetails": "UserMailbox",
        "SKUAssigned": True,
        "AccountDisabled": False,
        "AuthenticationPolicy": None,
        **changed,
    }
    return {name: value for name, value in values.items() if value is not ...}


def record(number: int, object_id: str | None = "object-{}", **remote: t.Any) -> Record:
    target = Target(CAS_MAILBOX, guid(number), f"user{number}", f"user{number}@contoso.com", f"User {number}")
    known = {} if object_id is None else {"ExternalDirectoryObjectId": object_id.format(number)}
    return Record(target, {**known, **remote})


class FakeClient:
    """Lists these rows, whole ones where it is asked for one; or fails."""

    def __init__(
        self, *rows: dict[str, t.Any], whole: dict[str, t.Any] | None = None, error: Exception | None = None
    ) -> None:
        self.rows, self.whole, self.error = rows, whole or {}, error
        self.asked: list[Command] = []

    def pages(self, command: Command) -> Iterator[Answer]:
        self.asked.append(command)
        if isinstance(self.error, e.InvalidRequest) and not command.select:
            self.error = None
        if self.error:
            raise self.error
        yield Answer(tuple(self.rows))

    def invoke(self, command: Command) -> Answer:
        self.asked.append(command)
        return Answer((self.whole,))


def read(client: FakeClient, graph: t.Any = None, warnings: list[str] | None = None) -> t.Callable[[int], Account]:
    told = [] if warnings is None else warnings
    accounts = read_accounts(t.cast(t.Any, client), graph, quiet, told.append)
    return lambda number: accounts.of(record(number))


def test_an_account() -> None:
    of = read(FakeClient(row(1, AuthenticationPolicy="Block", AccountDisabled=True, SKUAssigned=None)))
    assert of(1) == Account("user1@contoso.com", "UserMailbox", None, True, "Block")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"AccountDisabled": ...}, "disabled"),
        ({"AccountDisabled": None}, "disabled"),
        ({"AccountDisabled": "False"}, "disabled"),
        ({"RecipientTypeDetails": ...}, "recipient_type"),
        ({"RecipientTypeDetails": None}, "recipient_type"),
        ({"AuthenticationPolicy": 7}, "policy"),
    ],
)
def test_what_is_not_said_is_unread(changed: dict[str, t.Any], field: str) -> None:
    assert isinstance(getattr(read(FakeClient(row(1, **changed), row(2)))(1), field), Unread)


@pytest.mark.parametrize("value", [None, "", ...])
def test_no_policy_of_their_own(value: t.Any) -> None:
    of = read(FakeClient(row(1, AuthenticationPolicy=value), row(2, AuthenticationPolicy="Block")))
    assert of(1).policy is None


@pytest.mark.parametrize(("whole", "left_out"), [({}, True), ({"AuthenticationPolicy": None}, False)])
def test_a_policy_that_is_sent_of_nobody_is_looked_for_in_a_whole_object(
    whole: dict[str, t.Any], left_out: bool
) -> None:
    warnings: list[str] = []
    client = FakeClient(row(1, AuthenticationPolicy=...), whole={"Guid": guid(1), **whole})
    account = read(client, warnings=warnings)(1)
    assert (account.policy is None) == left_out
    assert bool(warnings) == left_out
    assert client.asked[-1].parameters == {"Identity": guid(1)}


def test_a_service_that_refuses_a_selection_is_asked_for_whole_objects() -> None:
    client = FakeClient(row(1), error=e.InvalidRequest("no $select here"))
    assert read(client)(1).disabled is False
    assert [bool(command.select) for command in client.asked] == [True, False]


def test_an_account_is_found_by_object_id_and_else_by_guid() -> None:
    accounts = read_accounts(t.cast(t.Any, FakeClient(row(1), row(2))), None, quiet)
    assert accounts.of(record(1, "object-2")).user_principal_name == "user2@contoso.com"
    assert accounts.of(record(1, "")).user_principal_name == "user1@contoso.com"
    assert accounts.of(record(1, None)).user_principal_name == "user1@contoso.com"
    assert isinstance(accounts.of(record(9)).disabled, Unread)


def test_a_user_that_comes_twice_makes_the_list_unread() -> None:
    account = read(FakeClient(row(1), row(1)))(1)
    assert isinstance(account.policy, Unread)
    assert "twice" in account.policy.reason


class FakeGraph:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def disabled_accounts(self) -> set[str]:
        if self.error:
            raise self.error
        return {"object-1"}


def test_graph_tells_whose_sign_in_is_blocked_where_exchange_lists_nobody() -> None:
    client = FakeClient(error=e.AccessDenied("not allowed."))
    of = read(client, FakeGraph())
    assert (of(1).disabled, of(2).disabled) == (True, False)
    assert of(1).policy == Unread("not allowed.", EXCHANGE_ROLE)


@pytest.mark.parametrize("graph", [None, FakeGraph(e.AccessDenied("no."))])
def test_without_either_everything_is_unread(graph: FakeGraph | None) -> None:
    account = read(FakeClient(error=e.ServiceUnavailable("HTTP 503.")), graph)(1)
    assert account.disabled == Unread("HTTP 503.", "")


@pytest.mark.parametrize(
    ("error", "permission"),
    [(e.AccessDenied("x"), "P"), (NoLicence("x"), ""), (e.Throttled("x"), ""), (e.AuthenticationFailed("x"), "")],
)
def test_only_a_denial_is_a_matter_of_permission(error: e.ExoError, permission: str) -> None:
    def fail() -> t.NoReturn:
        raise error

    assert attempt(fail, "P") == Unread("x", permission)


@pytest.mark.parametrize("error", [e.WrongTenant("x"), e.Interrupted("x")])
def test_what_is_no_matter_of_one_question(error: e.ExoError) -> None:
    def fail() -> t.NoReturn:
        raise error

    with pytest.raises(type(error)):
        attempt(fail, "P")


def test_addresses_come_without_their_kind() -> None:
    values = ["SMTP:user1@contoso.com", "smtp:Scan@contoso.com", "SIP:user1@contoso.com", "X500:/o=x", 7]
    assert addresses(record(1, EmailAddresses=values)) == ["user1@contoso.com"] * 2 + ["Scan@contoso.com"]
    assert addresses(record(1)) == ["user1@contoso.com"]
