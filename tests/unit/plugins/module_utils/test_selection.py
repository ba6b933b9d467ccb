# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which mailboxes a task is about, and what is refused before it is about the wrong ones."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import Ambiguous, InvalidRequest, NotFound
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Lookup, Reader
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    ARGUMENT_SPEC,
    Selection,
    check_selection,
    found_names,
    given_names,
    identity_of,
    matches,
    only_known,
    parse_where,
    select,
    selection_of,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX, SMTP_AUTH

AUTH = "SmtpClientAuthenticationDisabled"
Tenant = Callable[..., t.Any]
USERS = ("user1@contoso.com", "user2@contoso.com", "user3@contoso.com")
GONE = "gone@contoso.com"


def selected(client: t.Any, *names: str, **more: t.Any) -> t.Any:
    return select(Reader(client, [SMTP_AUTH]), Selection(names, **more))


def labels(records: t.Iterable[t.Any]) -> list[str]:
    return [record.label for record in records]


def test_named_one_by_one(tenant: Tenant) -> None:
    result = selected(tenant(3), USERS[2], USERS[0], USERS[2])
    assert labels(result.records) == [USERS[2], USERS[0]]
    assert (result.scope, result.missing, dict(result.excluded)) == (2, (), {})
    assert set(result.by_name) == {USERS[0], USERS[2]}


def test_all_but_those_excluded(tenant: Tenant) -> None:
    result = selected(tenant(3), USERS[0], everybody=True, exclude=(USERS[1],))
    assert labels(result.records) == [USERS[0], USERS[2]]
    assert result.scope == 2
    assert set(result.excluded) == {USERS[1]}


def test_one_that_is_named_stays_whatever_its_type(tenant: Tenant) -> None:
    client = tenant(3)
    pages = client.pages
    every = dict(client.boxes)

    def users_only(command: t.Any, most: int | None = None) -> t.Any:
        client.boxes = dict(list(every.items())[:2])
        yield from pages(command, most)
        client.boxes = every

    client.pages = users_only
    result = selected(client, USERS[2], everybody=True, types=("UserMailbox",))
    assert labels(result.records) == list(USERS)
    assert result.scope == 3


def test_where_narrows_and_says_what_it_drops(tenant: Tenant) -> None:
    client = tenant(3)
    list(client.boxes.values())[1][AUTH] = False
    result = selected(client, USERS[0], everybody=True, where={SMTP_AUTH: False})
    assert labels(result.records) == [USERS[1]]
    assert result.scope == 3
    assert result.dropped == (USERS[0],)


def test_who_is_managed_and_excluded_at_once_is_refused(tenant: Tenant) -> None:
    with pytest.raises(InvalidRequest, match="managed and excluded at once"):
        selected(tenant(3), USERS[0], everybody=True, exclude=(USERS[0],))


@pytest.mark.parametrize(
    ("names", "more", "fails"),
    [
        ((GONE, USERS[0]), {}, True),
        ((GONE, USERS[0]), {"tolerant": True}, False),
        ((GONE,), {"everybody": True}, True),
        # beside all mailboxes a typing mistake would change the very mailbox that the name was to protect
        ((GONE,), {"everybody": True, "tolerant": True}, True),
        ((), {"everybody": True, "exclude": (GONE,), "tolerant": True}, True),
    ],
)
def test_a_name_that_nothing_has(names: tuple[str, ...], more: dict[str, t.Any], fails: bool, tenant: Tenant) -> None:
    if fails:
        with pytest.raises(NotFound, match=r"gone@contoso\.com.*Nothing was changed"):
            selected(tenant(2), *names, **more)
        return
    result = selected(tenant(2), *names, **more)
    assert labels(result.records) == [USERS[0]]
    assert [missing.identity for missing in result.missing] == [GONE]


def test_an_ambiguous_name_always_fails(tenant: Tenant) -> None:
    client = tenant(2, {"Alias": "info"})
    with pytest.raises(Ambiguous, match="identity: More than one mailbox matches 'info'"):
        selected(client, GONE, "info", tolerant=True)


def test_the_others_are_named_as_well() -> None:
    failed = {name: NotFound(f"There is no {name}.") for name in ("a", "b", "c")}
    with pytest.raises(NotFound) as caught:
        found_names(Lookup({}, t.cast(t.Any, failed)), ["a", "b", "a", "c"], "exclude", tolerant=False)
    message = str(caught.value)
    assert message.startswith("exclude: There is no a. Likewise: There is no b. There is no c. Nothing was changed.")
    assert found_names(Lookup({}, t.cast(t.Any, failed)), ["other"], "exclude", tolerant=False) == ({}, ())


# Names


def test_names_are_trimmed() -> None:
    assert given_names("identity", [" a@contoso.com ", 7]) == ("a@contoso.com", "7")
    assert given_names("identity", None) == ()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a", " "], "identity has an entry at position 2 that is empty"),
        ([None], "position 1"),
        (["*@x"], "with a *"),
        (["a", "['b@x'"], "position 2 that is a list or a dictionary written as text"),
        ([["a", "b"]], "written as text"),
        ([{"identity": "a"}], "written as text"),
        (["a@x\nb@x"], "of several lines"),
        (["a@x.example; b@x.example"], "of several addresses"),
    ],
)
def test_what_is_no_name(names: list[t.Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        given_names("identity", names)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["Printer [ground floor]", "{{ 1 + 1 }}", "[o]'neill", "o'neill@x.example", "a;b"])
def test_a_name_may_look_odd(name: str) -> None:
    assert given_names("identity", [name]) == (name,)


def test_the_identity_of_an_entry() -> None:
    assert identity_of({"identity": " a@contoso.com "}, "allowed[0]") == "a@contoso.com"
    for entry, words in (
        ({}, "allowed[0] has no identity"),
        ({"identity": None}, "no identity"),
        ({"identity": "*"}, "with a *"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            identity_of(entry, "allowed[0]")
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ImapEnabled", "Did you mean imap_enabled?"),
        ("imap_enable", "Did you mean imap_enabled?"),
        ("POP_ENABLED", "Did you mean pop_enabled?"),
        ("scanner@contoso.com", "A colon after an address makes a key of it: remove the colon."),
        ("zzz", "The keys are the names of the module's settings."),
    ],
)
def test_an_unknown_key(name: str, hint: str) -> None:
    with pytest.raises(InvalidRequest, match=f"mailboxes.0. has an unknown key {name}") as caught:
        only_known({name: 1}, CAS_MAILBOX.options, "mailboxes[0]")
    assert caught.value.hint == hint


def test_known_keys_pass() -> None:
    only_known({"pop_enabled": 1}, CAS_MAILBOX.options, "mailboxes[0]")


# Conditions


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({}, True),
        ({SMTP_AUTH: "inherit"}, True),
        ({SMTP_AUTH: "false"}, False),
        ({"pop_enabled": False, "imap_enabled": False}, True),
        ({"pop_enabled": False, "imap_enabled": True}, False),
        ({"active_sync_allowed_device_ids": ["b", "A"]}, True),
        ({"active_sync_allowed_device_ids": ["a"]}, False),
        ({"owa_mailbox_policy": "owamailboxpolicy-default"}, True),
    ],
)
def test_a_condition(where: dict[str, t.Any], fits: bool, mailbox: Callable[..., t.Any]) -> None:
    box = mailbox(1, ActiveSyncAllowedDeviceIDs=["A", "B"])
    assert matches(box, parse_where(where) or {}) is fits


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"pop": True}, "where has an unknown key pop"),
        ({"pop_enabled": None}, "where: pop_enabled is null"),
        ({"ews_allow_list": {"add": ["x"]}}, "a whole list"),
        ({"pop_enabled": "maybe"}, "where: pop_enabled"),
    ],
)
def test_what_is_no_condition(where: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_where(where)
    assert words in str(caught.value)


def test_no_condition() -> None:
    assert parse_where(None) is None
    assert parse_where({}) is None


# Options


def options(**given: t.Any) -> dict[str, t.Any]:
    plain: dict[str, t.Any] = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
    return {**plain, "lookup_failure_action": "fail", **given}


@pytest.mark.parametrize(
    "given",
    [
        {"all_mailboxes": True, "identity": ["a"]},
        {"identity": ["a"], "exclude": ["b"]},
        {"identity": ["a"], "recipient_type_details": ["UserMailbox"]},
    ],
)
def test_options_that_contradict_each_other(given: dict[str, t.Any]) -> None:
    with pytest.raises(InvalidRequest):
        check_selection(options(**given))


def test_options_that_go_together() -> None:
    check_selection(options(all_mailboxes=True, exclude=["b"], recipient_type_details=["UserMailbox"]))
    check_selection(options(identity=["a"]))
    given = options(all_mailboxes=True, exclude=[" b "], lookup_failure_action="warn")
    assert selection_of(given, ("a",), {SMTP_AUTH: True}) == Selection(
        ("a",), True, ("b",), (), {SMTP_AUTH: True}, True
    )
    assert selection_of(options(recipient_type_details=["RoomMailbox"]), (), None).types == ("RoomMailbox",)
