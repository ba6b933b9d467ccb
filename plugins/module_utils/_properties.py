# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine of a property: an option of ours, a property of the service, and how to compare them. PRIVATE.

A property says how one setting is called by the user and by the service, how it is written, read, compared and sent.
Values inside the collection have the form that the options take: ``inherit`` for null of a nullable boolean or enum,
``''`` for null of a text, ``[]`` for an empty list. So null, false and "not given" never meet.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, UnexpectedResponse
from ansible_collections.m365.exchange_online.plugins.module_utils._text import is_guid, listed

INHERIT = "inherit"
# The form that the option takes and that results show.
Value: t.TypeAlias = t.Union[bool, int, str, "list[str]"]
RemoteObject: t.TypeAlias = Mapping[str, t.Any]  # an object as the service sent it


class Kind:
    """One sort of value. ``parse`` and ``read`` raise ValueError with a reason that completes "X: …"."""

    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "str"}
    nullable = False

    def parse(self, given: t.Any) -> t.Any:
        """What the user wrote → what is desired: usually the value itself."""
        raise NotImplementedError

    def read(self, raw: t.Any) -> Value:
        """What the service sent → the value."""
        raise NotImplementedError

    def target(self, desired: t.Any, current: Value) -> Value:
        """The value that fulfils the desired."""
        return t.cast("Value", desired)

    def same(self, one: Value, other: Value) -> bool:
        # type() keeps 1 from being True.
        return type(one) is type(other) and one == other

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        """What is sent to come from the current value to the target."""
        return target

    def exactly(self, value: Value) -> t.Any:
        """What to desire for exactly this value, as the service held it (undo has it so)."""
        return value

    def holds(self, value: t.Any) -> bool:
        """Whether a former value out of a file has a type that this sort of value can have."""
        return isinstance(value, str)


class Bool(Kind):
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "bool"}

    def parse(self, given: t.Any) -> bool:
        try:
            return bool(boolean(given))  # what Ansible takes for a boolean, inside of a dict as well
        except TypeError:
            raise ValueError("has to be true or false") from None

    def holds(self, value: t.Any) -> bool:
        return isinstance(value, bool)

    def read(self, raw: t.Any) -> bool:
        if isinstance(raw, bool):
            return raw
        raise ValueError("is not true or false")


@dataclass(frozen=True)
class Tristate(Kind):
    """A nullable boolean. ``blank``: an empty text has to be taken as null, too."""

    blank: bool = False
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "str", "choices": ["true", "false", INHERIT]}
    nullable = True

    def parse(self, given: t.Any) -> Value:
        if isinstance(given, bool):
            return given
        word = str(given).lower()
        if word in ("true", "false", INHERIT):
            return INHERIT if word == INHERIT else word == "true"
        raise ValueError("has to be true, false or inherit")

    def holds(self, value: t.Any) -> bool:
        return isinstance(value, bool) or value == INHERIT

    def read(self, raw: t.Any) -> Value:
        if isinstance(raw, bool):
            return raw
        if raw is None or (self.blank and raw == ""):
            return INHERIT
        raise ValueError("is not true, false or null")

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        return None if target == INHERIT else target


class Integer(Kind):
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "int"}

    def parse(self, given: t.Any) -> int:
        number = _number(given)
        if number is None:
            raise ValueError("has to be a number")
        return number

    def holds(self, value: t.Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def read(self, raw: t.Any) -> int:
        number = _number(raw)
        if number is None:
            raise ValueError("is not a number")
        return number


class Unlimited(Kind):
    """A number or the word Unlimited; the service sends the number as text."""

    def parse(self, given: t.Any) -> Value:
        number = _number(given)
        if number is not None and number > 0:
            return number
        if str(given).lower() == "unlimited":
            return "Unlimited"
        raise ValueError("has to be Unlimited or a number above 0")

    def holds(self, value: t.Any) -> bool:
        return isinstance(value, (int, str)) and not isinstance(value, bool)

    def read(self, raw: t.Any) -> Value:
        number = _number(raw)
        if number is not None:
            return number
        if isinstance(raw, str) and raw.lower() == "unlimited":
            return "Unlimited"
        raise ValueError("is neither Unlimited nor a number")

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        return str(target)


@dataclass(frozen=True)
class Enum(Kind):
    """One of a few words, in any case. ``numbered``: the words may also be given by their position."""

    words: tuple[str, ...]
    nullable: bool = False
    numbered: bool = False
    aliases: Mapping[str, str] | None = None

    @property
    def argument(self) -> Mapping[str, t.Any]:  # type: ignore[override]
        if self.numbered:  # a list of choices would refuse the numbers
            return {"type": "str"}
        return {"type": "str", "choices": [*self.words, *([INHERIT] if self.nullable else [])]}

    def parse(self, given: t.Any) -> Value:
        text = str(given)
        if self.nullable and text.lower() == INHERIT:
            return INHERIT
        if self.numbered and re.fullmatch("[0-9]", text) and int(text) < len(self.words):
            return self.words[int(text)]
        word = self._word((self.aliases or {}).get(text.lower(), text))
        if word is None:
            raise ValueError(f"has to be one of {', '.join(self.words)}")
        return word

    def read(self, raw: t.Any) -> Value:
        if self.nullable and raw in (None, ""):
            return INHERIT
        word = self._word(raw) if isinstance(raw, str) else None
        if word is None:
            raise ValueError(f"is none of {', '.join(self.words)}")
        return word

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        return None if target == INHERIT else target

    def _word(self, text: str) -> str | None:
        return next((word for word in self.words if word.lower() == text.lower()), None)


@dataclass(frozen=True)
class Text(Kind):
    """A text, compared without case; '' is null. ``unset``: another form in which nothing reads back."""

    unset: str | None = None
    nullable: bool = True

    def parse(self, given: t.Any) -> str:
        text = str(given).strip()
        return "" if text == self.unset else text

    def read(self, raw: t.Any) -> str:
        if raw is None or raw == self.unset:
            return ""
        if isinstance(raw, str):
            return raw
        raise ValueError("is not a text")

    def same(self, one: Value, other: Value) -> bool:
        # Not casefold: to the service Strasse and Straße are two names.
        return str(one).lower() == str(other).lower()

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        return target or None  # '' is refused where an address is expected


FindPolicy = Callable[[str], "Mapping[str, t.Any] | None"]


def _no_boolean(name: str) -> str:
    """A policy's name. Ansible hands over YAML's false as the text False, which nobody calls a policy."""
    if name in ("True", "False"):
        raise ValueError(f"is {name.lower()}, not the name of a policy: write '' where there is to be none")
    return name


@dataclass(frozen=True)
class PolicyReference(Text):
    """An authentication policy by its name; '' is none. The service refers to one by name, distinguished name or GUID.

    find: the policy that a reference means, or None where it is not clear which. It is written by its GUID, because a
    name may be used again.
    """

    find: FindPolicy | None = None

    def parse(self, given: t.Any) -> str:
        return _no_boolean(super().parse(given))

    def read(self, raw: t.Any) -> str:
        text = super().read(raw)
        if not text or self.find is None:
            return text
        policy = self.find(text)
        if policy is None:
            raise ValueError("is none of the tenant's authentication policies")
        return str(policy["Name"])

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        return self.guid(target) or super().write(desired, target, current)

    def guid(self, value: Value) -> str | None:
        """The GUID of the policy of this name."""
        policy = self.find(str(value)) if value and self.find else None
        return str(policy["Guid"]) if policy and policy.get("Guid") else None


class Address(Text):
    """An SMTP address. The service refuses anything else, but only when it is written."""

    def parse(self, given: t.Any) -> str:
        text = super().parse(given)
        if text and not re.fullmatch(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]+", text):
            raise ValueError(f"has to be an address such as postmaster@contoso.com, it is {text[:80]!r}")
        return text


class Domain(Text):
    """The name of one domain, without a wildcard."""

    def parse(self, given: t.Any) -> str:
        text = super().parse(given)
        if text and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
            raise ValueError(f"has to be a domain such as contoso.com, it is {text[:80]!r}")
        return text


class Language(Text):
    """A culture name; the service may send it as an object."""

    def parse(self, given: t.Any) -> str:
        text = super().parse(given)
        if text.lower() in ("true", "false"):
            raise ValueError('is a boolean in YAML: put the language into quotes, as in "no"')
        if text and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", text):
            raise ValueError("has to be the name of a culture, such as en-US")
        return text

    def read(self, raw: t.Any) -> str:
        return super().read(raw.get("Name") if isinstance(raw, dict) else raw)


@dataclass(frozen=True)
class Duration(Kind):
    """A span of time as d.hh:mm:ss; integers are seconds, for YAML reads 12:00:00 as 43200."""

    least: int
    most: int

    def parse(self, given: t.Any) -> str:
        seconds = int(given) if re.fullmatch(r"[0-9]{1,9}", str(given)) else _seconds(str(given))
        if seconds is None:
            raise ValueError('has to be a span of time such as "12:00:00" or "1.00:00:00"')
        if not self.least <= seconds <= self.most:
            raise ValueError(f"has to lie between {_span(self.least)} and {_span(self.most)}, it is {_span(seconds)}")
        return _span(seconds)

    def read(self, raw: t.Any) -> str:
        seconds = _seconds(raw) if isinstance(raw, str) else None
        if seconds is None:
            raise ValueError("is not a span of time")
        return _span(seconds)


class Policy(Text):
    """A policy by its name; a distinguished name is taken as the name in it."""

    def parse(self, given: t.Any) -> str:
        text = _no_boolean(super().parse(given))
        if is_guid(text):
            raise ValueError("is a GUID, which reads back as a name and would differ in every run: give the name")
        found = re.match(r"CN=((?:\\.|[^,\\])+),", text, re.IGNORECASE)
        return re.sub(r"\\(.)", r"\1", found.group(1)) if found else text


@dataclass(frozen=True)
class DesiredList:
    """What a list should be: just these entries (``whole``), or some in and some out."""

    whole: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class TextList(Kind):
    """A list of texts in no order. ``exact``: a change of case counts as a change."""

    exact: bool = False
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "raw"}
    nullable = True

    def parse(self, given: t.Any) -> DesiredList:
        if isinstance(given, (list, tuple)):
            return DesiredList(whole=_texts(given))
        if not isinstance(given, dict) or not given or set(given) - {"add", "remove", "set"}:
            raise ValueError("has to be a list, or a dict of add, remove and set")
        parts = {key: _texts(entries) for key, entries in given.items() if entries is not None}
        both = _lower(parts.get("add", ())) & _lower(parts.get("remove", ()))
        if both:
            raise ValueError(f"has {listed(sorted(both))} under add and under remove")
        return DesiredList(parts.get("set"), parts.get("add", ()), parts.get("remove", ()))

    def read(self, raw: t.Any) -> list[str]:
        if raw is None or raw == "":
            return []
        if isinstance(raw, list) and all(isinstance(entry, str) for entry in raw):
            return list(raw)
        raise ValueError("is not a list of texts")

    def holds(self, value: t.Any) -> bool:
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)

    def target(self, desired: t.Any, current: Value) -> Value:
        if desired.exact:
            return list(desired.whole)
        # The service holds two spellings of one text to be the same entry, so the later spelling takes its place.
        entries = {text.lower(): text for text in (entries_of(current) if desired.whole is None else desired.whole)}
        entries.update({text.lower(): text for text in desired.add})
        gone = _lower(desired.remove)
        return [text for key, text in entries.items() if key not in gone]

    def same(self, one: Value, other: Value) -> bool:
        if self.exact:
            return set(entries_of(one)) == set(entries_of(other))
        return _lower(entries_of(one)) == _lower(entries_of(other))

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        if not target:
            return None  # an empty array does not clear such a list, null does
        if desired is None or desired.whole is not None:
            return target
        wanted, had = set(entries_of(target)), set(entries_of(current))
        changes = {
            "Add": [text for text in entries_of(target) if text not in had],
            "Remove": [text for text in entries_of(current) if text not in wanted],
        }
        return {
            "@odata.type": "#Exchange.GenericHashTable",
            **{verb: entries for verb, entries in changes.items() if entries},
        }

    def exactly(self, value: Value) -> DesiredList:
        return DesiredList(whole=tuple(entries_of(value)), exact=True)


class AppIds(TextList):
    """Application ids: a list here, one text with commas for the service. An entry that is not a GUID is an error."""

    def parse(self, given: t.Any) -> DesiredList:
        desired = super().parse(given)
        for part in (desired.whole or (), desired.add, desired.remove):
            for text in part:
                if not is_guid(text):
                    raise ValueError(
                        f"has {text}, which is not an application id such as {'0' * 8}-0000-0000-0000-{'0' * 12}"
                    )
        return desired

    def read(self, raw: t.Any) -> list[str]:
        parts = raw.split(",") if isinstance(raw, str) else super().read(raw)
        ids = [part.strip().lower() for part in parts if part.strip()]
        if not all(is_guid(one) for one in ids):
            raise ValueError("is not a list of application ids")
        return ids

    def target(self, desired: t.Any, current: Value) -> Value:
        return [text.lower() for text in entries_of(super().target(desired, current))]

    def write(self, desired: t.Any, target: Value, current: Value) -> t.Any:
        return ",".join(entries_of(target)) or None


def entries_of(value: Value) -> list[str]:
    """The value of a list setting, as the list that it is."""
    return t.cast("list[str]", value)


def _lower(texts: Iterable[str]) -> set[str]:
    # Not casefold: to the service Strasse and Straße are two names.
    return {text.lower() for text in texts}


def _number(raw: t.Any) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,18}", raw.strip()):
        return int(raw)
    return None


def _seconds(text: str) -> int | None:
    found = re.fullmatch(r"(?:(\d{1,5})\.)?(\d{1,2}):(\d\d):(\d\d)(?:\.\d+)?", text.strip())
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}.{clock}" if days else clock


def _texts(entries: t.Any) -> tuple[str, ...]:
    if not isinstance(entries, (list, tuple)):
        raise ValueError("takes lists of texts")
    texts = tuple("" if entry is None else str(entry).strip() for entry in entries)
    if not all(texts):
        raise ValueError("has an empty entry")
    return texts


@dataclass(frozen=True)
class Property:
    """One setting. ``option``: its name for the user; ``remote``: for the service.

    ``defaulted``: a property that says, when true, that the value is only the default (and so counts as unset).
    ``companion``: an option whose value has to travel in the same call, changed or not.
    ``switch``: an option that has to be false for this one to be settable, and is set so in the same call.
    ``one_way``: once set it can't be unset. ``reader``: a switch without which the getter does not send it.
    """

    option: str
    remote: str
    kind: Kind
    defaulted: str | None = None
    companion: str | None = None
    switch: str | None = None
    one_way: bool = False
    reader: str | None = None

    def remote_names(self) -> tuple[str, ...]:
        return (self.remote, self.defaulted) if self.defaulted else (self.remote,)

    def present(self, remote_object: RemoteObject) -> bool:
        """Whether the object says anything of this setting; its annotation counts."""
        return self.remote in remote_object or any(key.startswith(self.remote + "@") for key in remote_object)

    def read(self, remote_object: RemoteObject) -> Value:
        """The value in an object of the service; raises UnexpectedResponse naming the property."""
        if self.defaulted and remote_object.get(self.defaulted) is True:
            return ""
        raw = remote_object.get(self.remote)
        try:
            return self.kind.read(raw)
        except ValueError as error:
            raise UnexpectedResponse(
                f"The service sent {self.remote} = {str(raw)[:80]!r}, which {error}.",
                hint="The service may have changed: look for a newer version of this collection.",
            ) from None


@dataclass(frozen=True)
class Table:
    """The settings of one cmdlet noun. ``label``: what its objects are called; ``single``: the tenant has just one;
    ``few``: it has so few that all of them are read at once, because a name that does not exist returns all.
    """

    noun: str
    properties: tuple[Property, ...]
    label: str = "mailbox"
    single: bool = False
    few: bool = False
    _by_option: Mapping[str, Property] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_option", {one.option: one for one in self.properties})

    def __getitem__(self, option: str) -> Property:
        return self._by_option[option]

    def __contains__(self, option: object) -> bool:
        return option in self._by_option

    def __hash__(self) -> int:
        return hash(self.noun)

    @property
    def getter(self) -> str:
        return "Get-" + self.noun

    @property
    def setter(self) -> str:
        return "Set-" + self.noun

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self._by_option)

    def argument_spec(self) -> dict[str, dict[str, t.Any]]:
        return {one.option: dict(one.kind.argument) for one in self.properties}

    def parse(self, params: Mapping[str, t.Any], place: str = "") -> dict[str, t.Any]:
        """The desired values among a task's parameters. Not given (absent or null) is not managed.

        place: where the user wrote them, for the message. Raises InvalidRequest.
        """
        desired = {}
        for one in self.properties:
            given = params.get(one.option)
            if given is None:
                continue
            try:
                desired[one.option] = one.kind.parse(given)
            except (ValueError, TypeError) as error:
                raise InvalidRequest(f"{place}{one.option} {error}.") from None
        return desired

    def exactly(self, values: Mapping[str, Value]) -> dict[str, t.Any]:
        """What to desire for exactly these values, in whatever form the service held them."""
        return {option: self[option].kind.exactly(value) for option, value in values.items()}

    def closure(self, options: Iterable[str]) -> list[str]:
        """These settings and those that are written beside them, in the table's order."""
        wanted = set(options)
        for option in tuple(wanted):
            beside = (self[option].companion, self[option].switch)
            wanted.update(other for other in beside if other)
        return [option for option in self.options if option in wanted]

    def remote_names(self, options: Iterable[str]) -> tuple[str, ...]:
        """The properties to ask for to know these settings, and what is written beside them."""
        names: list[str] = []
        for option in self.closure(options):
            names.extend(self[option].remote_names())
        return tuple(names)

    def reader_switches(self, options: Iterable[str]) -> dict[str, bool]:
        """The parameters without which the getter does not send these settings."""
        switches = (self[option].reader for option in self.closure(options))
        return {switch: True for switch in switches if switch}
