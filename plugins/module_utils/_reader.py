# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading: the organization's settings, named mailboxes, or all of them, completely. PRIVATE to the collection.

What can't be read for sure is an error here and never an empty or shorter list.
"""

from __future__ import annotations

import datetime
import itertools
import re
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._client import BATCH_SIZE, Answer, Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    Ambiguous,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    NotFound,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    Property,
    RemoteObject,
    Table,
    Value,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX
from ansible_collections.m365.exchange_online.plugins.module_utils._text import is_guid, plural

CHANGED = "WhenChangedUTC"
_FRACTION = re.compile(r"(\.\d{1,6})\d*")
# By which properties an object is recognised. The first of the addresses that it has is shown.
_IDENTITY: Mapping[str, tuple[str, ...]] = {
    "CASMailbox": ("Guid", "ExternalDirectoryObjectId", "Identity", "PrimarySmtpAddress", "DisplayName"),
    "User": (
        "Guid",
        "ExternalDirectoryObjectId",
        "Identity",
        "UserPrincipalName",
        "WindowsEmailAddress",
        "DisplayName",
    ),
}
_SHOWN_ADDRESS = ("PrimarySmtpAddress", "WindowsEmailAddress", "UserPrincipalName")
_ADDRESSES = "EmailAddresses"
_OWN_ADDRESSES = ("PrimarySmtpAddress", "UserPrincipalName", "WindowsEmailAddress")
Progress = Callable[[str, int, "int | None"], None]
Warn = Callable[[str], None]


def quiet(phase: str, done: int, total: int | None) -> None:
    """No progress."""


def silent(text: str) -> None:
    """No warning."""


@dataclass(frozen=True)
class Lookup:
    """What became of names: the mailbox (or user) of each, or the reason why there is none."""

    found: Mapping[str, Record]
    failed: Mapping[str, ExoError]


def _record(table: Table, remote: RemoteObject, asked: str | None, keep: Sequence[str]) -> Record:
    guid = remote.get("Guid")
    if not isinstance(guid, str) or not is_guid(guid):
        raise UnexpectedResponse(
            f"The service sent a {table.label} without a Guid.",
            cmdlet=table.getter,
            hint="The service may have changed: look for a newer version of this collection.",
        )
    address = _shown_address(remote)
    shown = address or _text(remote.get("Name"))
    target = Target(table, guid.lower(), asked or shown or guid, address, _text(remote.get("DisplayName")))
    # A whole object is 15 kB: of 20,000 only what the task works with is kept.
    kept = {key: remote[key] for key in remote if key.split("@", 1)[0] in keep} if keep else dict(remote)
    return Record(target, kept)


def _shown_address(remote: RemoteObject) -> str:
    for name in _SHOWN_ADDRESS:
        address = remote.get(name)
        if address and isinstance(address, str):
            return address
    return ""


def to_record(table: Table, remote: RemoteObject) -> Record:
    """One object that was read by itself, whole."""
    return _record(table, remote, None, ())


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


class Reader:
    """Reads mailboxes, or users, with the settings that a task needs.

    options: the settings; all where None. dated: with the time of their last change. addresses: with all of theirs.
    table: what kind of object.
    Whether $select is honoured is seen from the answers.
    """

    def __init__(
        self,
        client: Client,
        options: Iterable[str] | None,
        progress: Progress = quiet,
        *,
        dated: bool = False,
        addresses: bool = False,
        warn: Warn = silent,
        table: Table = CAS_MAILBOX,
    ) -> None:
        self._client = client
        self._table = table
        self._progress = progress
        self._warn = warn
        always = (*_IDENTITY[table.noun], *_asked_for({CHANGED: dated, _ADDRESSES: addresses}))
        self._needed: list[Property] = []
        self._select: tuple[str, ...] = ()
        if options is not None:
            self._needed = [table[option] for option in table.closure(options)]
            self._select = (*always, *table.remote_names(options))
        every = itertools.chain.from_iterable(one.remote_names() for one in table.properties)
        self._keep = self._select or (*always, *every)
        # A user's own addresses are among its identity; a mailbox has more of them.
        self._beside_names = (_ADDRESSES,) if table.noun == CAS_MAILBOX.noun and not addresses else ()
        self._narrow = bool(self._select)
        self._answered: set[str] = set()  # names that the service itself was asked for

    def everything(self, recipient_types: Sequence[str] = ()) -> list[Record]:
        """All mailboxes of the tenant (of these types); raises IncompleteRead rather than return a part, or none."""
        boxes = self._complete(lambda: list(self._page_through(recipient_types, None).values()))
        if not boxes:
            raise IncompleteRead(
                f"The service returned no {self._table.label} at all, which can't be right.",
                cmdlet=self._table.getter,
                hint="Check recipient_type_details, if given, and the app's role.",
            )
        return boxes

    def named(self, names: Iterable[str]) -> Lookup:
        """The mailbox of each name. Few names are asked for in batches, many by reading the tenant's list."""
        wanted = list(dict.fromkeys(names))
        return self._complete_lookup(lambda: self._named(wanted))

    def resolve(self, names: Iterable[str], known: Iterable[Record]) -> Lookup:
        """The mailbox of each name among those already read; the service is asked for what does not match locally.

        A name that matches a primary address may still be the sign-in name of another mailbox: ``confirm`` asks.
        """
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return Lookup({}, {})
        found = _recognised(wanted, known)
        rest = [name for name in wanted if name not in found]
        # The tenant's list was read already: what is in it is taken from there, whatever the service sends of it now.
        asked = self._ask_for(rest) if rest else Lookup({}, {})
        by_key = {record.key: record for record in known}
        for name, record in asked.found.items():
            found[name] = by_key.get(record.key, record)
        strangers = [record for record in found.values() if record.key not in by_key]
        if strangers:
            self._complete(lambda: strangers)
        return Lookup(found, asked.failed)

    def confirm(self, found: Mapping[str, Record]) -> None:
        """Ask the service whether each name means just this mailbox; raises Ambiguous where it does not.

        Needed where a name was matched in a list, which has no sign-in names, and something is to be written for it.
        A name that the service was asked for already is not asked for again.
        """
        names = [name for name in found if not is_guid(name) and name not in self._answered]
        asked = self._ask_for(names)
        for name in names:
            if isinstance(asked.failed.get(name), Ambiguous):
                raise asked.failed[name]
            other = asked.found.get(name)
            if other is not None and other.key != found[name].key:
                raise _named_failure(self._table, name, Ambiguous("", cmdlet=self._table.getter))

    def _complete_lookup(self, look: Callable[[], Lookup]) -> Lookup:
        """What ``look`` returns, all its mailboxes with the settings that are needed."""
        lookup = Lookup({}, {})

        def read() -> list[Record]:
            nonlocal lookup
            lookup = look()
            return list(lookup.found.values())

        self._complete(read)
        return lookup

    def _one_round(self) -> int:
        return BATCH_SIZE * self._client.concurrency

    def _named(self, names: list[str]) -> Lookup:
        rounds = -(-len(names) // self._one_round())
        if rounds <= 1:
            return self._ask_for(names)
        # A page costs about as much as a round of batches. The tenant's size is not known before, so pages are read
        # for as long as the batches would have taken: at worst this costs twice the better way.
        found = _recognised(names, self._page_through((), rounds).values())
        rest = self._ask_for([name for name in names if name not in found])
        return Lookup({**found, **rest.found}, rest.failed)

    def _page_through(self, recipient_types: Sequence[str], most: int | None) -> dict[str, Record]:
        parameters: dict[str, t.Any] = {"ResultSize": "Unlimited"}
        if recipient_types:
            parameters["RecipientTypeDetails"] = list(recipient_types)
        boxes: dict[str, Record] = {}
        command = Command(self._table.getter, parameters, select=self._select if self._narrow else ())
        try:
            for answer in self._client.pages(command, most):
                for remote in answer.objects:
                    box = _record(self._table, remote, None, self._keep)
                    if box.key in boxes:
                        raise IncompleteRead(
                            f"The list from {self._table.getter} has {box.label} twice, so others may be missing:"
                            " nothing was changed because of it.",
                            cmdlet=self._table.getter,
                            hint="Run the task again.",
                        )
                    boxes[box.key] = box
                self._progress(f"reading {plural(self._table.label)}", len(boxes), None)
        except InvalidRequest:
            if not self._narrow or boxes:
                raise
            self._narrow = False  # a service that refuses $select is asked for whole objects
            return self._page_through(recipient_types, most)
        return boxes

    def _ask_for(self, names: Sequence[str]) -> Lookup:
        found: dict[str, Record] = {}
        failed: dict[str, ExoError] = {}
        for name, outcome in self._batch(names):
            if isinstance(outcome, (NotFound, Ambiguous)):
                failed[name] = _named_failure(self._table, name, outcome)
            elif isinstance(outcome, ExoError):
                raise outcome
            elif len(outcome.objects) == 1:
                found[name] = self._believed(name, outcome.objects[0])
                self._answered.add(name)
            elif outcome.objects:
                failed[name] = _named_failure(self._table, name, Ambiguous("", cmdlet=self._table.getter))
            else:
                failed[name] = _named_failure(self._table, name, NotFound("", cmdlet=self._table.getter))
        return Lookup(found, failed)

    def _believed(self, name: str, remote: RemoteObject) -> Record:
        """The one object that came for a name, if it can be what was asked for.

        Microsoft's pages warn that a value which does not exist can return all objects, and a tenant may have just one.
        """
        box = _record(self._table, remote, name, self._keep)
        if is_guid(name) and name.lower() not in _guids(remote):
            raise UnexpectedResponse(
                f"The service was asked for {name} and sent {box.label}, which has another GUID.",
                cmdlet=self._table.getter,
                hint="Name the mailbox by its primary address instead.",
            )
        if "@" in name and not _has_address(remote, name) and not self._is_sign_in_name(name, box):
            raise UnexpectedResponse(
                f"The service was asked for {name} and sent {box.label}, which does not have this name.",
                cmdlet=self._table.getter,
                hint="Name the mailbox by its primary address or GUID instead.",
            )
        return box

    def _is_sign_in_name(self, name: str, box: Record) -> bool:
        """Whether the service says that the mailbox's user signs in with this name."""
        quoted = name.replace("'", "''")
        command = Command("Get-User", {"Filter": f"UserPrincipalName -eq '{quoted}'"}, subject=name)
        try:
            users = self._client.invoke(command).objects
        except AuthenticationFailed:
            raise
        except ExoError:  # an app that may not read users can't confirm it, so it is not believed
            return False
        return any(box.key in _guids(user) or _same_directory_object(user, box.remote) for user in users)

    def _batch(self, names: Sequence[str]) -> list[tuple[str, Answer | ExoError]]:
        def commands(some: Sequence[str]) -> list[Command]:
            select = (*self._select, *self._beside_names) if self._narrow else ()
            return [
                Command(self._table.getter, {"Identity": name, "ResultSize": "Unlimited"}, select, subject=name)
                for name in some
            ]

        arrived: dict[int, Answer | ExoError] = {}
        for index, outcome in self._client.batch(commands(names)):
            arrived[index] = outcome
            self._progress(f"looking up {plural(self._table.label)}", len(arrived), len(names))
        # They come in the order of the answers; the task's own order is what its result shows.
        outcomes = [(names[index], outcome) for index, outcome in sorted(arrived.items())]
        refused = [name for name, outcome in outcomes if isinstance(outcome, InvalidRequest)]
        if refused and self._narrow:
            self._narrow = False
            again = {refused[index]: outcome for index, outcome in self._client.batch(commands(refused))}
            outcomes = [(name, again.get(name, outcome)) for name, outcome in outcomes]
        return outcomes

    def _complete(self, read: Callable[[], list[Record]]) -> list[Record]:
        """The mailboxes that ``read`` returns, all with the settings that are needed.

        A property that none of them has is looked for in one whole object. If it is there, whole objects are read; if
        it is absent there too, a nullable setting reads blank for the whole tenant, which is null.
        """
        boxes = read()
        lacking = unreadable(self._needed, [box.remote for box in boxes])
        if not lacking:
            return boxes
        example = boxes[lacking[0][1]]
        whole = self._whole(example)
        if self._narrow and any(one.present(whole) for one, _index in lacking):
            self._narrow = False
            boxes = read()
            lacking = unreadable(self._needed, [box.remote for box in boxes])
        for one, index in lacking:
            if not one.kind.nullable or one.present(whole):
                raise not_sent(one, boxes[index].label)
            self._warn(omitted(one))
        return boxes

    def _whole(self, box: Record) -> RemoteObject:
        answer = self._client.invoke(Command(self._table.getter, {"Identity": box.key}, subject=box.label))
        return answer.objects[0] if len(answer.objects) == 1 else {}


def _asked_for(names: Mapping[str, bool]) -> list[str]:
    return [name for name, asked in names.items() if asked]


def _recognised(names: Iterable[str], records: Iterable[Record]) -> dict[str, Record]:
    """The object of each name that one of these can be recognised by."""
    wanted = {name: name.lower() for name in names}
    sought = set(wanted.values())
    by_name: dict[str, Record] = {}
    for record in records:
        # Of 20,000 records all names would be some 10 MB.
        by_name.update(dict.fromkeys(sought.intersection(record.names()), record))
    return {name: by_name[lower] for name, lower in wanted.items() if lower in by_name}


def _guids(remote: RemoteObject) -> set[str]:
    names = ("Guid", "ExternalDirectoryObjectId", "ExchangeObjectId", "ExchangeGuid", "Identity")
    return {str(remote[name]).lower() for name in names if remote.get(name)}


def _same_directory_object(one: RemoteObject, other: RemoteObject) -> bool:
    name = "ExternalDirectoryObjectId"
    return bool(one.get(name)) and str(one[name]).lower() == str(other.get(name)).lower()


def _has_address(remote: RemoteObject, name: str) -> bool:
    """Whether a name in the form of an address is one of the object's own."""
    raw = remote.get(_ADDRESSES)
    listed = raw if isinstance(raw, list) else []
    addresses = {str(address).lower().removeprefix("smtp:") for address in listed}
    shown = {_text(remote.get(key)).lower() for key in _OWN_ADDRESSES}
    return name.lower() in addresses | shown


def _named_failure(table: Table, name: str, error: ExoError) -> ExoError:
    """The service's own text names servers and directory paths; ours names the object and what to do."""
    if isinstance(error, Ambiguous):
        text, hint = f"More than one {table.label} matches {name!r}.", "Name it by its primary address or GUID."
    else:
        text = f"There is no {table.label} {name!r}."
        hint = f"Check the spelling. A new {table.label} can take some minutes to reach every server."
    return type(error)(text, hint=hint, http_status=error.http_status, cmdlet=error.cmdlet, request_id=error.request_id)


def unreadable(needed: Sequence[Property], objects: Sequence[RemoteObject]) -> list[tuple[Property, int]]:
    """Settings that an object says nothing of, with the object's index.

    For a nullable setting that means null where the property does appear elsewhere in the same read.
    """
    lacking = []
    for one in needed:
        absent = [index for index, remote in enumerate(objects) if not one.present(remote)]
        if absent and not (one.kind.nullable and len(absent) < len(objects)):
            lacking.append((one, absent[0]))
    return lacking


def not_sent(one: Property, label: str) -> UnexpectedResponse:
    return UnexpectedResponse(
        f"The service did not send {one.remote} of {label}, so {one.option} is not known.",
        hint="A role that does not include a parameter hides its property, too: check the app's role.",
    )


def omitted(one: Property) -> str:
    return (
        f"The service left out {one.remote} everywhere, so {one.option} is taken as having no value anywhere. A role"
        " that does not include the parameter would look the same."
    )


def read_single(client: Client, table: Table, options: Iterable[str] = (), warn: Warn = silent) -> Record:
    """The one object that the tenant has of a noun, these settings among what it says for sure."""
    needed = [table[option] for option in options]
    answer = client.invoke(Command(table.getter, table.reader_switches(options)))
    if len(answer.objects) != 1:
        raise UnexpectedResponse(
            f"{table.getter} returned {len(answer.objects)} objects instead of one.", cmdlet=table.getter
        )
    remote = answer.objects[0]
    for one, _index in unreadable(needed, [remote]):
        if not one.kind.nullable:
            raise not_sent(one, table.label)
        warn(omitted(one))
    return Record(Target(table), remote)


def read_few(client: Client, table: Table) -> list[Record]:
    """All objects of a noun that a tenant has few of (policies, plans), whole. An unknown name would return all."""
    records: dict[str, Record] = {}
    for answer in client.pages(Command(table.getter)):
        for remote in answer.objects:
            record = _record(table, remote, None, ())
            if record.key in records:
                raise IncompleteRead(
                    f"The list from {table.getter} has {record.label} twice, so others may be missing.",
                    cmdlet=table.getter,
                    hint="Run the task again.",
                )
            records[record.key] = record
    return list(records.values())


def read_again(
    client: Client, targets: Sequence[Target], options: Iterable[str], progress: Progress = quiet
) -> dict[tuple[str, str], Record]:
    """These objects as they are now, with the time of their last change, by place; what is gone is left out."""
    wanted = sorted(set(options))
    records: dict[tuple[str, str], Record] = {}
    for table in {target.table for target in targets}:
        known = [option for option in wanted if option in table]
        some = [target for target in targets if target.table == table]
        for target, remote in _remotes(client, table, some, known, progress):
            records[target.place] = Record(target, remote)
    return records


def _remotes(
    client: Client, table: Table, targets: Sequence[Target], options: Sequence[str], progress: Progress
) -> list[tuple[Target, RemoteObject]]:
    """The objects of one noun as the service sends them now, each with its target."""
    if table.single:
        remote = read_single(client, table, options).remote
        return [(target, remote) for target in targets]
    if table.few:
        records = read_few(client, table)
        # One that was just made is known by its name alone.
        by_key = {**{record.label.lower(): record for record in records}, **{record.key: record for record in records}}
    else:
        reader = Reader(client, options, progress, dated=True, table=table)
        by_key = dict(reader.named([target.key for target in targets]).found)
    return [(target, by_key[target.key].remote) for target in targets if target.key in by_key]


def _to_microseconds(fraction: re.Match[str]) -> str:
    """The service sends seven digits. Python 3.10 takes three or six, and no others."""
    return fraction.group(1).ljust(7, "0")


def changed_at(record: Record) -> datetime.datetime | None:
    """When the object was last changed, if it says so (UTC)."""
    raw = record.remote.get(CHANGED)
    if not isinstance(raw, str):
        return None
    try:
        when = datetime.datetime.fromisoformat(_FRACTION.sub(_to_microseconds, raw.strip().replace("Z", "+00:00")))
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)


def readable(record: Record) -> tuple[dict[str, Value], list[str]]:
    """The settings that an object holds in a form that is understood, and a sentence on each that is not."""
    values: dict[str, Value] = {}
    doubts: list[str] = []
    for one in record.target.table.properties:
        if one.present(record.remote):
            try:
                values[one.option] = one.read(record.remote)
            except UnexpectedResponse as error:
                doubts.append(error.message)
    return values, doubts
