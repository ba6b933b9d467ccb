# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading: the organization's settings, named mailboxes, or all of them. PRIVATE to the collection.

What can't be read for sure is an error here and never an empty or shorter list.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._auth import is_guid
from ansible_collections.m365.exchange_online.plugins.module_utils._client import BATCH_SIZE, Answer, Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    Ambiguous,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    NotFound,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    TRANSPORT_CONFIG,
    Row,
    Table,
    Value,
)

# The objects carry no user principal name and no alias; addresses beyond the primary one are not asked for.
_IDENTITY = ("Guid", "ExternalDirectoryObjectId", "Identity", "PrimarySmtpAddress", "DisplayName")
Progress = Callable[[str, int, "int | None"], None]


def quiet(phase: str, done: int, total: int | None) -> None:
    """No progress."""


@dataclass(frozen=True)
class Mailbox:
    """One mailbox as it was read. ``asked``: the name that the user gave, or else its primary address."""

    guid: str
    asked: str
    primary_smtp_address: str
    display_name: str
    wire: Mapping[str, t.Any] = field(repr=False)

    @property
    def identity(self) -> dict[str, str]:
        return {
            "identity": self.asked,
            "guid": self.guid,
            "primary_smtp_address": self.primary_smtp_address,
            "display_name": self.display_name,
        }

    @property
    def label(self) -> str:
        return self.primary_smtp_address or self.asked or self.guid

    def names(self) -> tuple[str, ...]:
        """What it can be recognised by without asking the service."""
        names = (self.guid, self.wire.get("ExternalDirectoryObjectId"), self.primary_smtp_address)
        return tuple(name.lower() for name in names if isinstance(name, str) and name)


@dataclass(frozen=True)
class Lookup:
    """What became of names: the mailbox of each, or the reason why there is none."""

    found: Mapping[str, Mailbox]
    failed: Mapping[str, ExoError]


def _mailbox(row: Mapping[str, t.Any], asked: str | None, keep: Sequence[str]) -> Mailbox:
    guid = row.get("Guid")
    if not isinstance(guid, str) or not is_guid(guid):
        raise UnexpectedResponse(
            "The service sent a mailbox without a Guid.",
            cmdlet=CAS_MAILBOX.getter,
            hint="The service may have changed: look for a newer version of this collection.",
        )
    address = row.get("PrimarySmtpAddress")
    name = row.get("DisplayName")
    address = address if isinstance(address, str) else ""
    # A whole object is 15 kB: of 20,000 only what the task works with is kept.
    kept = {key: row[key] for key in row if key.split("@", 1)[0] in keep} if keep else dict(row)
    return Mailbox(guid.lower(), asked or address or guid, address, name if isinstance(name, str) else "", kept)


class Reader:
    """Reads mailboxes with the settings that a task needs.

    options: the settings; all where None. Whether $select is honoured is seen from the answers.
    """

    def __init__(self, client: Client, options: Iterable[str] | None, progress: Progress = quiet) -> None:
        self._client = client
        self._progress = progress
        self._rows: list[Row] = (
            [CAS_MAILBOX.row(option) for option in CAS_MAILBOX.closure(options)] if options is not None else []
        )
        self._select = (
            (*_IDENTITY, *(name for row in self._rows for name in row.properties())) if options is not None else ()
        )
        self._keep = self._select
        self._narrow = bool(self._select)

    def everything(self, recipient_types: Sequence[str] = ()) -> list[Mailbox]:
        """All mailboxes of the tenant (of these types); raises IncompleteRead rather than return a part, or none."""
        boxes = self._complete(lambda: list(self._page_through(recipient_types, None).values()))
        if not boxes:
            raise IncompleteRead(
                "The service returned no mailbox at all, which can't be right.",
                cmdlet=CAS_MAILBOX.getter,
                hint="Check recipient_type_details, if given, and the app's role.",
            )
        return boxes

    def named(self, names: Iterable[str]) -> Lookup:
        """The mailbox of each name. Few names are asked for in batches, many by reading the tenant's list."""
        wanted = list(dict.fromkeys(names))
        return self._complete_lookup(lambda: self._named(wanted))

    def resolve(self, names: Iterable[str], known: Iterable[Mailbox]) -> Lookup:
        """The mailbox of each name among those already read; the service is asked for what does not match locally."""
        by_key = {key: mailbox for mailbox in known for key in mailbox.names()}
        wanted = list(dict.fromkeys(names))
        found = {name: by_key[name.lower()] for name in wanted if name.lower() in by_key}
        rest = [name for name in wanted if name not in found]
        if not rest:
            return Lookup(found, {})
        # The tenant's list was read already: these are not to be found there.
        asked = self._complete_lookup(lambda: self._ask_for(rest))
        return Lookup({**found, **asked.found}, asked.failed)

    def _complete_lookup(self, look: Callable[[], Lookup]) -> Lookup:
        """What ``look`` returns, all its mailboxes with the settings that are needed."""
        lookup = Lookup({}, {})

        def read() -> list[Mailbox]:
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
        by_key = {key: box for box in self._page_through((), rounds).values() for key in box.names()}
        found = {name: by_key[name.lower()] for name in names if name.lower() in by_key}
        rest = self._ask_for([name for name in names if name not in found])
        return Lookup({**found, **rest.found}, rest.failed)

    def _page_through(self, recipient_types: Sequence[str], most: int | None) -> dict[str, Mailbox]:
        parameters: dict[str, t.Any] = {"ResultSize": "Unlimited"}
        if recipient_types:
            parameters["RecipientTypeDetails"] = list(recipient_types)
        boxes: dict[str, Mailbox] = {}
        command = Command(CAS_MAILBOX.getter, parameters, select=self._select if self._narrow else ())
        try:
            for number, answer in enumerate(self._client.pages(command), start=1):
                for row in answer.rows:
                    box = _mailbox(row, None, self._keep)
                    if box.guid in boxes:
                        raise IncompleteRead(
                            f"The list of mailboxes has {box.label} twice, so others may be missing:"
                            " nothing was changed because of it.",
                            cmdlet=CAS_MAILBOX.getter,
                            hint="Run the task again.",
                        )
                    boxes[box.guid] = box
                self._progress("reading mailboxes", len(boxes), None)
                if number == most:
                    break
        except InvalidRequest:
            if not self._narrow or boxes:
                raise
            self._narrow = False  # a service that refuses $select is asked for whole objects
            return self._page_through(recipient_types, most)
        return boxes

    def _ask_for(self, names: Sequence[str]) -> Lookup:
        found: dict[str, Mailbox] = {}
        failed: dict[str, ExoError] = {}
        for name, outcome in self._batch(names):
            if isinstance(outcome, (NotFound, Ambiguous)):
                failed[name] = _named_failure(name, outcome)
            elif isinstance(outcome, ExoError):
                raise outcome
            elif len(outcome.rows) == 1 and outcome.next_link is None:
                box = _mailbox(outcome.rows[0], name, self._keep)
                if is_guid(name) and "Guid" in outcome.rows[0] and name.lower() not in _guids(outcome.rows[0]):
                    raise UnexpectedResponse(
                        f"The service was asked for {name} and sent {box.label}, which has another GUID.",
                        cmdlet=CAS_MAILBOX.getter,
                        hint="Name the mailbox by its primary address instead.",
                    )
                found[name] = box
            elif outcome.rows:
                failed[name] = _named_failure(name, Ambiguous("", cmdlet=CAS_MAILBOX.getter))
            else:
                failed[name] = _named_failure(name, NotFound("", cmdlet=CAS_MAILBOX.getter))
        return Lookup(found, failed)

    def _batch(self, names: Sequence[str]) -> list[tuple[str, Answer | ExoError]]:
        def commands(some: Sequence[str]) -> list[Command]:
            select = self._select if self._narrow else ()
            return [
                Command(CAS_MAILBOX.getter, {"Identity": name, "ResultSize": "Unlimited"}, select, subject=name)
                for name in some
            ]

        arrived: dict[int, Answer | ExoError] = {}
        for index, outcome in self._client.batch(commands(names)):
            arrived[index] = outcome
            self._progress("looking up mailboxes", len(arrived), len(names))
        # They come in the order of the answers; the task's own order is what its result shows.
        outcomes = [(names[index], outcome) for index, outcome in sorted(arrived.items())]
        refused = [name for name, outcome in outcomes if isinstance(outcome, InvalidRequest)]
        if refused and self._narrow:
            self._narrow = False
            again = {refused[index]: outcome for index, outcome in self._client.batch(commands(refused))}
            outcomes = [(name, again.get(name, outcome)) for name, outcome in outcomes]
        return outcomes

    def _complete(self, read: Callable[[], list[Mailbox]]) -> list[Mailbox]:
        """The mailboxes that ``read`` returns, all with the settings that are needed."""
        boxes = read()
        lacking = unreadable(self._rows, [box.wire for box in boxes])
        if lacking and self._narrow:
            row, index = lacking[0]
            whole = self._client.invoke(
                Command(CAS_MAILBOX.getter, {"Identity": boxes[index].guid}, subject=boxes[index].label)
            )
            if len(whole.rows) != 1 or not row.present(whole.rows[0]):
                raise not_sent(row, boxes[index].label)
            self._narrow = False
            boxes = read()
            lacking = unreadable(self._rows, [box.wire for box in boxes])
        if lacking:
            row, index = lacking[0]
            raise not_sent(row, boxes[index].label)
        return boxes


def _guids(row: Mapping[str, t.Any]) -> set[str]:
    names = ("Guid", "ExternalDirectoryObjectId", "ExchangeObjectId", "ExchangeGuid", "Identity")
    return {str(row[name]).lower() for name in names if row.get(name)}


def _named_failure(name: str, error: ExoError) -> ExoError:
    """The service's own text names servers and directory paths; ours names the mailbox and the cure."""
    if isinstance(error, Ambiguous):
        text, hint = f"More than one mailbox answers to {name!r}.", "Name it by its primary address or GUID."
    else:
        text = f"There is no mailbox {name!r}."
        hint = "Check the spelling. A new mailbox can need some minutes until every server knows it."
    return type(error)(text, hint=hint, http_status=error.http_status, cmdlet=error.cmdlet, request_id=error.request_id)


def unreadable(rows: Sequence[Row], objects: Sequence[Mapping[str, t.Any]]) -> list[tuple[Row, int]]:
    """Settings that an object says nothing of, with the object's index.

    For a nullable setting that means null where the property does appear elsewhere in the same read.
    """
    lacking = []
    for row in rows:
        absent = [index for index, wire in enumerate(objects) if not row.present(wire)]
        if absent and not (row.kind.nullable and len(absent) < len(objects)):
            lacking.append((row, absent[0]))
    return lacking


def not_sent(row: Row, label: str) -> UnexpectedResponse:
    return UnexpectedResponse(
        f"The service did not send {row.wire} of {label}, so {row.option} is not known.",
        hint="A role that does not include a parameter hides its property, too: check the app's role.",
    )


def read_transport_config(client: Client, options: Iterable[str] = ()) -> Mapping[str, t.Any]:
    """The organization's transport settings as the service sent them, these options among them for sure."""
    answer = client.invoke(Command(TRANSPORT_CONFIG.getter))
    if len(answer.rows) != 1:
        raise UnexpectedResponse(
            f"{TRANSPORT_CONFIG.getter} returned {len(answer.rows)} objects instead of one.",
            cmdlet=TRANSPORT_CONFIG.getter,
        )
    wire = answer.rows[0]
    for option in options:
        if not TRANSPORT_CONFIG.row(option).present(wire):
            raise not_sent(TRANSPORT_CONFIG.row(option), "the organization")
    return wire


def readable(table: Table, wire: Mapping[str, t.Any]) -> tuple[dict[str, Value], list[str]]:
    """The settings that an object holds in a form that is understood, and a sentence on each that is not."""
    values, doubts = {}, []
    for row in table.rows:
        if row.present(wire):
            try:
                values[row.option] = row.read(wire)
            except UnexpectedResponse as error:
                doubts.append(error.message)
    return values, doubts
