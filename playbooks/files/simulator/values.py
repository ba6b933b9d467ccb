# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Types of cmdlet parameters: what JSON each accepts, and what is then stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

HASHTABLE = "#Exchange.GenericHashTable"
MIME_FORMATS = (
    "TextOnly",
    "HtmlOnly",
    "HtmlAndTextAlternative",
    "TextEnrichedOnly",
    "TextEnrichedAndTextAlternative",
    "BestBodyFormat",
    "Tnef",
)
UNSET_ADDRESS = "<>"

_ADDRESS = re.compile(r"[^@\s<>,;\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
_CULTURE = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|[0-9]{3}))?")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SORTABLE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z?")
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.0+)?")


class Unconvertible(Exception):
    """The value does not fit the parameter's type (refused before the cmdlet runs)."""

    def __init__(self, type_name: str, why: str = "") -> None:
        super().__init__(type_name)
        self.type_name = type_name
        self.why = why


class Refused(Exception):
    """The value fits the type, and the cmdlet refuses it."""


class UnknownPolicy(Refused):
    """A policy is named that does not exist."""


class Policies(Protocol):
    """The tenant: where a policy is looked up, and how the service takes what nobody has seen it take."""

    def policy_key(self, kind: str, identity: str) -> str | None:
        """What is stored for the policy that an identity means, if there is one."""

    def form(self, name: str) -> str:
        """Which of the forms this service has."""


Converter = Callable[[Any, Any, Policies], Any]


@dataclass(frozen=True)
class Ignored:
    """Accepted, and without any effect."""


IGNORED = Ignored()


_NO_BOOLEAN = " Boolean parameters accept only Boolean values and numbers, such as $True, $False, 1 or 0."


def _as_boolean(value: Any, type_name: str, policies: Policies) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1) and policies.form("numbers_as_booleans") == "accepted":
        return bool(value)
    raise Unconvertible(type_name, _NO_BOOLEAN)


def boolean(value: Any, stored: Any, policies: Policies) -> bool:
    return _as_boolean(value, "System.Boolean", policies)


def nullable_boolean(value: Any, stored: Any, policies: Policies) -> bool | None:
    return None if value is None else _as_boolean(value, "System.Nullable`1[System.Boolean]", policies)


def switch(value: Any, stored: Any, policies: Policies) -> bool:
    if not isinstance(value, bool):
        raise Unconvertible("System.Management.Automation.SwitchParameter")
    return value


def integer(low: int, high: int, type_name: str = "System.Int32") -> Converter:
    def convert(value: Any, stored: Any, policies: Policies) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unconvertible(type_name)
        if not low <= value <= high:
            raise Refused(f"The value '{value}' isn't within the permitted range of {low} to {high}.")
        return value

    return convert


@dataclass(frozen=True)
class Choice:
    """One of some names, in any case; where ``numbers`` count, also its place among them."""

    type_name: str
    names: tuple[str, ...]
    nullable: bool = False
    numbers: bool = False

    def __call__(self, value: Any, stored: Any, policies: Policies) -> str | None:
        if value is None and self.nullable:
            return None
        if isinstance(value, bool) or not isinstance(value, (str, int) if self.numbers else str):
            raise Unconvertible(self.type_name)
        wanted = str(value).casefold()
        found = self._by_number(wanted) or self._by_name(wanted)
        if found is None:
            raise Unconvertible(self.type_name, self._names_of(value))
        return found

    def _by_number(self, wanted: str) -> str | None:
        numbered = {str(place): name for place, name in enumerate(self.names)}
        return numbered.get(wanted) if self.numbers else None

    def _by_name(self, wanted: str) -> str | None:
        """A name may be cut short as long as it means one of them: seen live."""
        begin = [name for name in self.names if wanted and name.casefold().startswith(wanted)]
        exact = [name for name in begin if name.casefold() == wanted]
        fitting = exact or begin
        return fitting[0] if len(fitting) == 1 else None

    def _names_of(self, value: Any) -> str:
        return (
            f' Error: "Unable to match the identifier name {value} to a valid enumerator name. Specify one of the '
            f'following enumerator names and try again: {", ".join(self.names)}"'
        )


EWS_ACCESS_POLICY = Choice(
    "Microsoft.Exchange.Data.Directory.EwsApplicationAccessPolicy",
    ("EnforceAllowList", "EnforceBlockList"),
    nullable=True,
)


def _matching(pattern: re.Pattern[str], type_name: str) -> Converter:
    def convert(value: Any, stored: Any, policies: Policies) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Unconvertible(type_name)
        return value

    return convert


smtp_address = _matching(_ADDRESS, "Microsoft.Exchange.Data.SmtpAddress")
smtp_domain = _matching(_DOMAIN, "Microsoft.Exchange.Data.SmtpDomain")


def journaling_address(value: Any, stored: Any, policies: Policies) -> str:
    if value == UNSET_ADDRESS or (value is None and stored != UNSET_ADDRESS):
        raise Refused("The journaling NDR address can't be empty.")
    return UNSET_ADDRESS if value is None else str(smtp_address(value, stored, policies))


def guid_text(value: Any, stored: Any, policies: Policies) -> str | None:
    """GUIDs in one text, with commas between them; null removes them all."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unconvertible("System.String")
    if not all(_GUID.fullmatch(part.strip()) for part in value.split(",")):
        raise Refused(f"The value '{value}' isn't a list of application IDs.")
    return value


def sortable_time(value: Any, stored: Any, policies: Policies) -> str | None:
    """A moment of UTC as the official module sends it, without a zone."""
    if value is None:
        return None
    if not isinstance(value, str) or not _SORTABLE.fullmatch(value):
        raise Unconvertible("System.DateTime")
    return f"{value[:19]}.0000000Z"


def culture(value: Any, stored: Any, policies: Policies) -> str | None:
    if value is None:
        return None
    match = _CULTURE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unconvertible("System.Globalization.CultureInfo")
    language, script, region = match.groups()
    parts = [language.lower(), script.title() if script else None, region.upper() if region else None]
    return "-".join(part for part in parts if part)


def unlimited(low: int, high: int) -> Converter:
    type_name = "Microsoft.Exchange.Data.Unlimited`1[System.Int32]"

    def convert(value: Any, stored: Any, policies: Policies) -> str:
        if isinstance(value, str) and value.casefold() == "unlimited":
            return "Unlimited"
        if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).isdecimal():
            raise Unconvertible(type_name)
        if not low <= int(value) <= high:
            raise Refused(f"The value '{value}' isn't within the permitted range of {low} to {high}.")
        return str(int(value))

    return convert


def time_span(low: int, high: int) -> Converter:
    def convert(value: Any, stored: Any, policies: Policies) -> str:
        match = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise Unconvertible("Microsoft.Exchange.Data.EnhancedTimeSpan")
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        if hours > 23 or minutes > 59 or seconds > 59:
            raise Unconvertible("Microsoft.Exchange.Data.EnhancedTimeSpan")
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        if not low <= total <= high:
            raise Refused(
                f"The value '{value}' isn't within the permitted range of {span_text(low)} to {span_text(high)}."
            )
        return span_text(total)

    return convert


def span_text(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}.{text}" if days else text


def policy(kind: str) -> Converter:
    def convert(value: Any, stored: Any, policies: Policies) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            raise Unconvertible("Microsoft.Exchange.Configuration.Tasks.MailboxPolicyIdParameter")
        key = policies.policy_key(kind, value)
        if key is None:
            raise UnknownPolicy(f"The policy \"{value}\" can't be found. Please make sure you've typed it correctly.")
        return key

    return convert


def _strings(value: Any, type_name: str) -> list[str]:
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) and entry for entry in entries):
        raise Unconvertible(type_name)
    return entries


def _hashtable(value: dict[str, Any], type_name: str) -> dict[str, list[str]]:
    if value.get("@odata.type") != HASHTABLE:
        raise Unconvertible(type_name)
    entries = {key.casefold(): entry for key, entry in value.items() if "@" not in key}
    if not entries.keys() <= {"add", "remove"}:
        raise Unconvertible(type_name)
    return {key: _strings(entry, type_name) for key, entry in entries.items()}


def _unique(entries: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    for entry in entries:
        if seen.setdefault(entry.casefold(), entry) != entry:
            raise Refused(f'The value "{entry}" is already present in the collection.')
    return list(seen.values())


def string_list(*, empty: list[str] | None) -> Converter:
    """A multi-valued property; ``empty`` is what an empty one reads back as."""
    type_name = "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]"

    def convert(value: Any, stored: Any, policies: Policies) -> list[str] | Ignored | None:
        if value is None:
            return empty
        if isinstance(value, list):
            # An empty array does not clear: only null and an empty hashtable do.
            return _unique(_strings(value, type_name)) if value else IGNORED
        if not isinstance(value, dict):
            raise Unconvertible(type_name)
        change = _hashtable(value, type_name)
        if not change:
            return empty
        removed = {entry.casefold() for entry in change.get("remove", [])}
        kept = [entry for entry in stored or [] if entry.casefold() not in removed]
        return _unique([*kept, *change.get("add", [])]) or empty

    return convert
