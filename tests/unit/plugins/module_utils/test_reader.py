# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading: completely, and only what was asked for. What can't be read for sure is an error, never a shorter list."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Answer, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    Ambiguous,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import (
    Reader,
    changed_at,
    quiet,
    read_again,
    read_single,
    readable,
    silent,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

AUTH = "SmtpClientAuthenticationDisabled"
Tenant = Callable[..., t.Any]
Guid = Callable[[int], str]


def reads(client: t.Any) -> list[Command]:
    return [command for command in client.ran if command.name == "Get-CASMailbox"]


def answered(client: t.Any, change: Callable[[Command, dict[str, t.Any]], dict[str, t.Any]]) -> None:
    """Let every object that comes for a name pass through ``change``; it is given the cmdlet as well."""
    run = client._run

    def changed(command: Command) -> Answer:
        answer = run(command)
        return Answer(tuple(change(command, dict(one)) for one in answer.objects))

    client._run = changed


# All of them


def test_everything(tenant: Tenant, guid: Guid) -> None:
    client = tenant(2500)
    told: list[tuple[str, int, int | None]] = []
    boxes = Reader(client, [SMTP_AUTH], lambda *note: told.append(note)).everything(["UserMailbox"])
    assert [box.key for box in boxes] == [guid(n) for n in range(1, 2501)]
    assert boxes[0].target == Target(CAS_MAILBOX, guid(1), "user1@contoso.com", "user1@contoso.com", "User 1")
    assert [done for _phase, done, _total in told] == [1000, 2000, 2500]
    (command,) = client.ran
    assert command.parameters == {"ResultSize": "Unlimited", "RecipientTypeDetails": ["UserMailbox"]}
    assert set(command.select) == {
        "Guid", "ExternalDirectoryObjectId", "Identity", "PrimarySmtpAddress", "DisplayName", AUTH,
    }  # fmt: skip
    assert set(boxes[0].remote) == {"Guid", "PrimarySmtpAddress", "DisplayName", AUTH}


def test_whole_objects_keep_what_the_settings_need(tenant: Tenant) -> None:
    client = tenant(1, {"Extra": "15 kB", "EwsAllowList@odata.type": "#Collection(String)"})
    (box,) = Reader(client, None).everything()
    assert client.ran[0].select == ()
    assert client.ran[0].parameters == {"ResultSize": "Unlimited"}
    assert "Extra" not in box.remote
    assert box.remote["EwsAllowList@odata.type"] == "#Collection(String)"
    assert box.read("ews_allow_list") == []


def test_dates_and_addresses_where_they_are_asked_for(tenant: Tenant) -> None:
    client = tenant(1, {"WhenChangedUTC": "2026-11-26T09:00:00Z", "EmailAddresses": ["SMTP:user1@contoso.com"]})
    (box,) = Reader(client, [SMTP_AUTH], dated=True, addresses=True).everything()
    assert {"WhenChangedUTC", "EmailAddresses"} <= set(client.ran[0].select)
    assert {"WhenChangedUTC", "EmailAddresses"} <= set(box.remote)


def test_no_mailbox_at_all_can_t_be_right(tenant: Tenant) -> None:
    with pytest.raises(IncompleteRead, match="no mailbox at all"):
        Reader(tenant(0), [SMTP_AUTH]).everything()


def test_a_mailbox_twice_means_that_others_may_be_missing(tenant: Tenant) -> None:
    client = tenant(2)
    client.boxes["again"] = dict(next(iter(client.boxes.values())))
    with pytest.raises(IncompleteRead, match=r"user1@contoso\.com twice"):
        Reader(client, [SMTP_AUTH]).everything()


@pytest.mark.parametrize("guid", [None, "", 7, "user1"])
def test_a_mailbox_without_a_guid_is_no_mailbox(guid: t.Any, tenant: Tenant) -> None:
    client = tenant(1)
    next(iter(client.boxes.values()))["Guid"] = guid
    with pytest.raises(UnexpectedResponse, match="without a Guid"):
        Reader(client, [SMTP_AUTH]).everything()


def test_a_mailbox_without_address_is_called_by_its_guid(tenant: Tenant, guid: Guid) -> None:
    (box,) = Reader(tenant(1, {}), [SMTP_AUTH]).everything()
    client = tenant(1)
    next(iter(client.boxes.values())).update(PrimarySmtpAddress=None, DisplayName=7)
    (box,) = Reader(client, [SMTP_AUTH]).everything()
    assert (box.label, box.target.display_name) == (guid(1), "")


# A service that refuses $select


def test_a_service_that_refuses_select_is_asked_for_whole_objects(tenant: Tenant) -> None:
    client = tenant(2)
    client.before = lambda command: InvalidRequest("No $select.") if command.select else None
    reader = Reader(client, [SMTP_AUTH])
    assert len(reader.everything()) == 2
    assert [bool(command.select) for command in client.ran] == [True, False]
    client.ran.clear()
    assert set(reader.named(["user1@contoso.com"]).found) == {"user1@contoso.com"}
    assert not any(command.select for command in client.ran)


def test_names_are_asked_for_again_without_select(tenant: Tenant) -> None:
    client = tenant(3)
    client.before = lambda command: InvalidRequest("No $select.") if command.select else None
    names = ["user3@contoso.com", "gone@contoso.com", "user1@contoso.com"]
    lookup = Reader(client, [SMTP_AUTH]).named(names)
    assert list(lookup.found) == ["user3@contoso.com", "user1@contoso.com"]
    assert list(lookup.failed) == ["gone@contoso.com"]
    assert [bool(command.select) for command in client.ran] == [True] * 3 + [False] * 3


def test_what_is_refused_for_another_reason_is_a_failure(tenant: Tenant) -> None:
    client = tenant(1)
    client.before = lambda command: InvalidRequest("No.")
    with pytest.raises(InvalidRequest):
        Reader(client, [SMTP_AUTH]).everything()
    with pytest.raises(InvalidRequest):
        Reader(client, [SMTP_AUTH]).named(["user1@contoso.com"])


# By name


def test_few_names_are_asked_for_one_by_one(tenant: Tenant, guid: Guid) -> None:
    client = tenant(3, {"Alias": "x"})
    for number, box in enumerate(client.boxes.values(), start=1):
        box["Alias"] = f"alias{number}"
    told: list[tuple[str, int, int | None]] = []
    names = ["alias3", "user1@contoso.com", guid(2), "alias3"]
    lookup = Reader(client, [SMTP_AUTH], lambda *note: told.append(note)).named(names)
    assert [(name, box.key, box.target.asked) for name, box in lookup.found.items()] == [
        ("alias3", guid(3), "alias3"),
        ("user1@contoso.com", guid(1), "user1@contoso.com"),
        (guid(2), guid(2), guid(2)),
    ]
    assert lookup.failed == {}
    assert told[-1] == ("looking up mailboxes", 3, 3)
    assert all(command.parameters["ResultSize"] == "Unlimited" for command in client.ran)


def test_no_name_sends_nothing(tenant: Tenant) -> None:
    client = tenant(1)
    lookup = Reader(client, [SMTP_AUTH]).named([])
    assert (lookup.found, lookup.failed, client.ran) == ({}, {}, [])


def test_many_names_are_found_in_the_list(tenant: Tenant) -> None:
    client = tenant(100)
    names = [f"user{n}@contoso.com" for n in range(1, 90)]
    lookup = Reader(client, [SMTP_AUTH]).named([*names, "gone@contoso.com"])
    assert set(lookup.found) == set(names)
    assert isinstance(lookup.failed["gone@contoso.com"], NotFound)
    assert [command.parameters.get("Identity") for command in client.ran] == [None, "gone@contoso.com"]


def test_no_more_pages_than_the_batches_would_have_cost(tenant: Tenant) -> None:
    client = tenant(5000)
    names = [f"user{n}@contoso.com" for n in range(1961, 2041)]  # on pages two and three
    lookup = Reader(client, [SMTP_AUTH]).named(names)
    assert set(lookup.found) == set(names)
    asked = [command.parameters["Identity"] for command in client.ran if "Identity" in command.parameters]
    assert asked == [f"user{n}@contoso.com" for n in range(2001, 2041)]


def test_a_name_that_fails_says_who_and_what_to_do(tenant: Tenant) -> None:
    client = tenant(2, {"Alias": "info"})
    lookup = Reader(client, [SMTP_AUTH]).named(["info", "gone"])
    ambiguous, missing = lookup.failed["info"], lookup.failed["gone"]
    assert (type(ambiguous), str(ambiguous)) == (Ambiguous, "More than one mailbox matches 'info'.")
    assert (type(missing), str(missing)) == (NotFound, "There is no mailbox 'gone'.")
    assert ambiguous.hint
    assert missing.hint


@pytest.mark.parametrize(("objects", "kind"), [(0, NotFound), (2, Ambiguous)], ids=["no object", "two objects"])
def test_as_many_objects_as_come_for_a_name(objects: int, kind: type[ExoError], tenant: Tenant) -> None:
    client = tenant(2)
    every = tuple(dict(box) for box in client.boxes.values())
    client._run = lambda command: Answer(every[:objects])
    lookup = Reader(client, [SMTP_AUTH]).named(["user1@contoso.com"])
    assert lookup.failed["user1@contoso.com"].__class__ is kind


def test_a_failure_that_says_nothing_of_the_mailbox_stops_the_read(tenant: Tenant) -> None:
    client = tenant(2)
    client.before = lambda command: ServiceUnavailable("Down.") if command.subject == "user2@contoso.com" else None
    with pytest.raises(ServiceUnavailable):
        Reader(client, [SMTP_AUTH]).named(["user1@contoso.com", "user2@contoso.com"])


# Who came is who was asked for


def test_another_mailbox_than_the_guid_asked_for_is_not_believed(tenant: Tenant, guid: Guid) -> None:
    client = tenant(2)
    every = [dict(box) for box in client.boxes.values()]
    client._run = lambda command: Answer((every[1],))
    with pytest.raises(UnexpectedResponse, match=r"sent user2@contoso\.com, which has another GUID"):
        Reader(client, [SMTP_AUTH]).named([guid(1)])


@pytest.mark.parametrize("key", ["ExternalDirectoryObjectId", "ExchangeObjectId", "ExchangeGuid"])
def test_any_of_its_guids_will_do(key: str, tenant: Tenant, guid: Guid) -> None:
    client = tenant(1, {key: guid(77).upper()})
    client._candidates = lambda name: iter(client.boxes.values())
    assert Reader(client, [SMTP_AUTH]).named([guid(77)]).found[guid(77)].key == guid(1)


@pytest.mark.parametrize(
    ("box", "name", "believed"),
    [
        ({}, "user1@contoso.com", True),
        ({}, "USER1@contoso.com", True),
        ({"EmailAddresses": ["SMTP:user1@contoso.com", "smtp:info@contoso.com"]}, "info@contoso.com", True),
        ({"EmailAddresses": ["smtp:Info@Contoso.com"]}, "info@contoso.com", True),
        ({"UserPrincipalName": "info@contoso.com"}, "info@contoso.com", True),
        ({"WindowsEmailAddress": "info@contoso.com"}, "info@contoso.com", True),
        ({"EmailAddresses": ["x500:info@contoso.com"]}, "info@contoso.com", False),
        ({"EmailAddresses": "smtp:info@contoso.com"}, "info@contoso.com", False),
        ({}, "ghost@elsewhere.example", False),
        ({"Alias": "alias"}, "alias", True),
    ],
)
def test_a_name_in_the_form_of_an_address_has_to_be_one_of_its_own(
    box: dict[str, t.Any], name: str, believed: bool, tenant: Tenant
) -> None:
    """A value that does not exist can return all objects, and this tenant has just one."""
    client = tenant(1, box)
    client._candidates = lambda asked: iter(client.boxes.values())
    reader = Reader(client, [SMTP_AUTH])
    if believed:
        assert set(reader.named([name]).found) == {name}
        assert "EmailAddresses" in client.ran[0].select
    else:
        with pytest.raises(UnexpectedResponse, match=f"asked for {name} and sent user1@contoso"):
            reader.named([name])


def user(**names: t.Any) -> Callable[[t.Any], None]:
    return lambda client: client.users.append(names)


@pytest.mark.parametrize(
    ("says", "believed"),
    [
        (lambda client: client.users.append({"Guid": next(iter(client.boxes))}), True),
        (lambda client: client.users.append({"Guid": "x", "ExternalDirectoryObjectId": "E-1"}), True),
        (lambda client: client.users.append({"Guid": "x", "ExternalDirectoryObjectId": ""}), False),
        (lambda client: client.users.append({"Guid": "99999999-0000-4000-8000-000000000009"}), False),
        (lambda client: None, False),
    ],
    ids=["same GUID", "same directory object", "no directory object", "somebody else", "nobody"],
)
def test_a_sign_in_name_is_confirmed_by_the_service(
    says: Callable[[t.Any], None], believed: bool, tenant: Tenant
) -> None:
    client = tenant(1, {"ExternalDirectoryObjectId": "e-1"})
    client._candidates = lambda asked: iter(client.boxes.values())
    says(client)
    reader = Reader(client, [SMTP_AUTH])
    name = "o'neil@contoso.onmicrosoft.com"
    if believed:
        assert set(reader.named([name]).found) == {name}
    else:
        with pytest.raises(UnexpectedResponse):
            reader.named([name])
    assert client.ran[-1].parameters == {"Filter": "UserPrincipalName -eq 'o''neil@contoso.onmicrosoft.com'"}


@pytest.mark.parametrize(("kind", "raised"), [(InvalidRequest, UnexpectedResponse), (AuthenticationFailed,) * 2])
def test_a_sign_in_name_that_can_t_be_confirmed(kind: type[ExoError], raised: type[ExoError], tenant: Tenant) -> None:
    client = tenant(1)
    client._candidates = lambda asked: iter(client.boxes.values())
    client.before = lambda command: kind("No.") if command.name == "Get-User" else None
    with pytest.raises(raised):
        Reader(client, [SMTP_AUTH]).named(["ghost@elsewhere.example"])


# Among those already read


def test_names_are_found_among_those_already_read(tenant: Tenant, guid: Guid) -> None:
    client = tenant(3, {"Alias": "x"})
    list(client.boxes.values())[2]["Alias"] = "printer"
    list(client.boxes.values())[1]["ExternalDirectoryObjectId"] = "E-2"
    reader = Reader(client, [SMTP_AUTH])
    boxes = reader.everything()
    client.ran.clear()
    lookup = reader.resolve(["USER1@contoso.com", "e-2", guid(3), "printer", "gone"], boxes)
    assert {name: box.key for name, box in lookup.found.items()} == {
        "USER1@contoso.com": guid(1), "e-2": guid(2), guid(3): guid(3), "printer": guid(3),
    }  # fmt: skip
    assert list(lookup.failed) == ["gone"]
    assert [command.parameters["Identity"] for command in client.ran] == ["printer", "gone"]
    # what the list says of it is taken, whatever the service sends of it now
    assert lookup.found["printer"] is boxes[2]


def test_nothing_is_asked_where_the_list_has_every_name(tenant: Tenant) -> None:
    client = tenant(1)
    reader = Reader(client, [SMTP_AUTH])
    boxes = reader.everything()
    client.ran.clear()
    reader.resolve(["user1@contoso.com"], boxes)
    assert client.ran == []


def test_a_name_outside_of_the_list_has_its_settings_too(tenant: Tenant) -> None:
    client = tenant(2)
    reader = Reader(client, [SMTP_AUTH])
    boxes = reader.everything()[:1]
    assert reader.resolve(["user2@contoso.com"], boxes).found["user2@contoso.com"].read(SMTP_AUTH) == "inherit"
    answered(client, lambda command, one: {key: value for key, value in one.items() if key != "PopEnabled"})
    with pytest.raises(UnexpectedResponse, match="PopEnabled"):
        Reader(client, ["pop_enabled"]).resolve(["user2@contoso.com"], boxes)


# A name in the list may be the sign-in name of another


def test_a_primary_address_that_is_anothers_sign_in_name_is_ambiguous(tenant: Tenant, guid: Guid) -> None:
    client = tenant(3)
    list(client.boxes.values())[1]["UserPrincipalName"] = "user1@contoso.com"
    reader = Reader(client, [SMTP_AUTH])
    boxes = reader.everything()
    with pytest.raises(Ambiguous, match=r"user1@contoso\.com"):
        reader.confirm(reader.resolve(["user1@contoso.com"], boxes).found)
    client.ran.clear()
    reader.confirm(reader.resolve(["user3@contoso.com", guid(2)], boxes).found)
    assert [command.parameters["Identity"] for command in client.ran] == ["user3@contoso.com"]


def test_a_name_for_which_the_service_sends_another_is_ambiguous(tenant: Tenant) -> None:
    client = tenant(2, {"EmailAddresses": ["smtp:user1@contoso.com"]})
    reader = Reader(client, [SMTP_AUTH])
    boxes = reader.everything()
    second = dict(list(client.boxes.values())[1])
    client._run = lambda command: Answer((second,))
    with pytest.raises(Ambiguous, match=r"More than one mailbox matches 'user1@contoso\.com'"):
        reader.confirm({"user1@contoso.com": boxes[0]})


def test_a_name_that_is_gone_meanwhile_is_no_other_mailbox(tenant: Tenant) -> None:
    client = tenant(1)
    reader = Reader(client, [SMTP_AUTH])
    boxes = reader.everything()
    client.boxes.clear()
    reader.confirm({"user1@contoso.com": boxes[0]})


# Absent is not null


def without(client: t.Any, name: str, numbers: set[int]) -> None:
    for number, box in enumerate(client.boxes.values(), start=1):
        if number in numbers:
            del box[name]


def test_a_nullable_setting_that_some_lack_is_null_there(tenant: Tenant) -> None:
    client = tenant(3, {AUTH: True})
    without(client, AUTH, {2})
    boxes = Reader(client, [SMTP_AUTH]).everything()
    assert [box.read(SMTP_AUTH) for box in boxes] == [True, "inherit", True]
    assert len(client.ran) == 1


def test_a_nullable_setting_that_all_lack_is_null_with_a_warning(tenant: Tenant, guid: Guid) -> None:
    client = tenant(2)
    without(client, AUTH, {1, 2})
    warnings: list[str] = []
    boxes = Reader(client, [SMTP_AUTH], warn=warnings.append).everything()
    assert [box.read(SMTP_AUTH) for box in boxes] == ["inherit", "inherit"]
    (warning,) = warnings
    assert AUTH in warning
    # one whole object was looked at first
    assert client.ran[-1].select == ()
    assert client.ran[-1].parameters == {"Identity": guid(1)}


def test_a_property_that_select_loses_is_read_from_whole_objects(tenant: Tenant) -> None:
    client = tenant(2, {AUTH: False})
    warnings: list[str] = []
    whole = client.pages

    def pages(command: Command, most: int | None = None) -> t.Iterator[Answer]:
        for answer in whole(command, most):
            lost = {AUTH} if command.select else set()
            yield Answer(tuple({k: v for k, v in one.items() if k not in lost} for one in answer.objects))

    client.pages = pages
    boxes = Reader(client, [SMTP_AUTH], warn=warnings.append).everything()
    assert [box.read(SMTP_AUTH) for box in boxes] == [False, False]
    assert warnings == []


@pytest.mark.parametrize("numbers", [{1, 2}, {2}])
def test_any_other_setting_that_is_missing_fails(numbers: set[int], tenant: Tenant) -> None:
    client = tenant(2)
    without(client, "PopEnabled", numbers)
    with pytest.raises(UnexpectedResponse, match=f"PopEnabled of user{min(numbers)}@contoso.com") as caught:
        Reader(client, ["pop_enabled"]).everything()
    assert "role" in (caught.value.hint or "")


def test_a_whole_object_that_can_t_be_had_proves_nothing(tenant: Tenant) -> None:
    client = tenant(1)
    without(client, "PopEnabled", {1})
    client._run = lambda command: Answer()
    with pytest.raises(UnexpectedResponse, match="PopEnabled"):
        Reader(client, ["pop_enabled"]).everything()


# The one object of a noun


def test_the_organization(tenant: Tenant) -> None:
    client = tenant(1, organization={AUTH: True})
    record = read_single(client, TRANSPORT_CONFIG, [SMTP_AUTH])
    assert (record.read(SMTP_AUTH), record.label, record.key) == (True, "the organization", "")
    assert client.ran[0].parameters == {}
    read_single(client, ORGANIZATION_CONFIG, ["ews_allowed_app_ids"])
    assert client.ran[1].parameters == {"RetrieveEwsOperationAccessPolicy": True}


@pytest.mark.parametrize("count", [0, 2])
def test_the_organization_is_one_object(count: int, tenant: Tenant) -> None:
    client = tenant(1)
    client._run = lambda command: Answer(({},) * count)
    with pytest.raises(UnexpectedResponse, match=f"returned {count} objects"):
        read_single(client, TRANSPORT_CONFIG)


def test_what_the_organization_does_not_say(tenant: Tenant) -> None:
    client = tenant(1)
    del client.transport["AllowLegacyTLSClients"]
    warnings: list[str] = []
    record = read_single(client, TRANSPORT_CONFIG, ["allow_legacy_tls_clients", SMTP_AUTH], warnings.append)
    assert record.read("allow_legacy_tls_clients") == "inherit"
    assert len(warnings) == 1
    del client.transport[AUTH]
    with pytest.raises(UnexpectedResponse, match="of the organization"):
        read_single(client, TRANSPORT_CONFIG, [SMTP_AUTH])


def test_what_is_understood_and_what_is_not(transport_wire: Callable[..., dict[str, t.Any]]) -> None:
    remote = transport_wire(MessageExpiration="soon")
    del remote["ClearCategories"]
    values, doubts = readable(Record(Target(TRANSPORT_CONFIG), remote))
    assert set(TRANSPORT_CONFIG.options) - set(values) == {"message_expiration", "clear_categories"}
    (doubt,) = doubts
    assert "MessageExpiration = 'soon'" in doubt


# Once more


def test_reading_again(tenant: Tenant, guid: Guid) -> None:
    client = tenant(3, {AUTH: False, "WhenChangedUTC": "2026-11-26T09:00:00Z"})
    targets = [
        Target(TRANSPORT_CONFIG),
        *(Target(CAS_MAILBOX, guid(n), f"asked{n}", f"user{n}@contoso.com") for n in (1, 3, 9)),
    ]
    records = read_again(client, targets, [SMTP_AUTH, "clear_categories", "pop_enabled"])
    assert set(records) == {("TransportConfig", ""), ("CASMailbox", guid(1)), ("CASMailbox", guid(3))}
    one = records["CASMailbox", guid(1)]
    assert (one.target, one.read(SMTP_AUTH)) == (targets[1], False)
    assert changed_at(one) == datetime.datetime(2026, 11, 26, 9, tzinfo=datetime.timezone.utc)
    assert records["TransportConfig", ""].read("clear_categories") is False
    client.ran.clear()
    assert read_again(client, [], [SMTP_AUTH]) == {}
    assert client.ran == []


@pytest.mark.parametrize(
    ("sent", "microsecond"),
    [
        ("2026-11-26T09:00:00.1234567Z", 123456),
        ("2026-11-26T09:00:00.0000000", 0),
        ("2026-11-26T09:00:00.5+00:00", 500000),
        ("2026-11-26T09:00:00", 0),
        ("yesterday", None),
        (7, None),
    ],
)
def test_the_time_of_the_last_change(sent: t.Any, microsecond: int | None, guid: Guid) -> None:
    """In every form, also with Python 3.10, which knows less of them: without it a run waits when it need not."""
    when = changed_at(Record(Target(CAS_MAILBOX, guid(1)), {"WhenChangedUTC": sent}))
    if microsecond is None:
        assert when is None
    else:
        assert when == datetime.datetime(2026, 11, 26, 9, 0, 0, microsecond, datetime.timezone.utc)


def test_nobody_listens() -> None:
    quiet("reading", 1, None)
    silent("anything")
