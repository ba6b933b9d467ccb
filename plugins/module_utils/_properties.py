# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine of a property row, and the rows of both cmdlets. PRIVATE to the collection.

A row says how one setting is called by the user and by the service, how it is written, read, compared and sent.
Values inside the collection have the form that the options take: ``inherit`` for null of a nullable boolean or enum,
``''`` for null of a text, ``[]`` for an empty list. So null, false and "not given" never meet.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, UnexpectedResponse

INHERIT = "inherit"
Value = t.Any  # bool, int, str or list of str: the form that the option takes and that results show


class Kind:
    """One sort of value. ``parse`` and ``read`` raise ValueError with a reason that completes "X: …"."""

    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "str"}
    nullable = False

    def parse(self, given: t.Any) -> t.Any:
        """What the user wrote → the wish: usually the value itself."""
        raise NotImplementedError

    def read(self, raw: t.Any) -> Value:
        """What the service sent → the value."""
        raise NotImplementedError

    def target(self, wish: t.Any, current: Value) -> Value:
        """The value that fulfils the wish."""
        return wish

    def same(self, one: Value, other: Value) -> bool:
        # type() keeps 1 from being True.
        return type(one) is type(other) and one == other

    def write(self, wish: t.Any, target: Value, current: Value) -> t.Any:
        """What is sent to come from the current value to the target."""
        return target

    def wish(self, value: Value) -> t.Any:
        """The wish for exactly this value (as undo has it)."""
        return value


@dataclass(frozen=True)
class Bool(Kind):
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "bool"}

    def parse(self, given: t.Any) -> bool:
        try:
            return bool(boolean(given))  # what Ansible takes for a boolean, inside of a dict as well
        except TypeError:
            raise ValueError("has to be true or false") from None

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

    def read(self, raw: t.Any) -> Value:
        if isinstance(raw, bool):
            return raw
        if raw is None or (self.blank and raw == ""):
            return INHERIT
        raise ValueError("is not true, false or null")

    def write(self, wish: t.Any, target: Value, current: Value) -> t.Any:
        return None if target == INHERIT else target


@dataclass(frozen=True)
class Integer(Kind):
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "int"}

    def parse(self, given: t.Any) -> int:
        number = _number(given)
        if number is None:
            raise ValueError("has to be a number")
        return number

    def read(self, raw: t.Any) -> int:
        number = _number(raw)
        if number is None:
            raise ValueError("is not a number")
        return number


@dataclass(frozen=True)
class Unlimited(Kind):
    """A number or the word Unlimited; the service sends the number as text."""

    def parse(self, given: t.Any) -> Value:
        number = _number(given)
        if number is not None and number > 0:
            return number
        if str(given).lower() == "unlimited":
            return "Unlimited"
        raise ValueError("has to be Unlimited or a number above 0")

    def read(self, raw: t.Any) -> Value:
        number = _number(raw)
        if number is not None:
            return number
        if isinstance(raw, str) and raw.lower() == "unlimited":
            return "Unlimited"
        raise ValueError("is neither Unlimited nor a number")

    def write(self, wish: t.Any, target: Value, current: Value) -> t.Any:
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
        if self.numbered and text.isdigit() and int(text) < len(self.words):
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

    def write(self, wish: t.Any, target: Value, current: Value) -> t.Any:
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
        return bool(one.casefold() == other.casefold())

    def write(self, wish: t.Any, target: Value, current: Value) -> t.Any:
        return target or None  # '' is refused where an address is expected


@dataclass(frozen=True)
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
        seconds = int(given) if re.fullmatch(r"\d+", str(given)) else _seconds(str(given))
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


@dataclass(frozen=True)
class Policy(Text):
    """A policy by its name; a distinguished name is taken as the name in it."""

    def parse(self, given: t.Any) -> str:
        text = super().parse(given)
        if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
            raise ValueError("is a GUID, which reads back as a name and would differ in every run: give the name")
        found = re.match(r"CN=((?:\\.|[^,\\])+),", text, re.IGNORECASE)
        return re.sub(r"\\(.)", r"\1", found.group(1)) if found else text


@dataclass(frozen=True)
class ListWish:
    """What is wished of a list: all of it (``all_of``), or some in and some out."""

    all_of: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextList(Kind):
    """A list of texts in no order. ``exact``: a change of case counts as a change."""

    exact: bool = False
    argument: t.ClassVar[Mapping[str, t.Any]] = {"type": "raw"}
    nullable = True

    def parse(self, given: t.Any) -> ListWish:
        if isinstance(given, (list, tuple)):
            return ListWish(all_of=_texts(given))
        if not isinstance(given, dict) or not given or set(given) - {"add", "remove", "set"}:
            raise ValueError("has to be a list, or a dict of add, remove and set")
        parts = {key: _texts(entries) for key, entries in given.items() if entries is not None}
        both = {text.casefold() for text in parts.get("add", ())} & {
            text.casefold() for text in parts.get("remove", ())
        }
        if both:
            raise ValueError(f"has {', '.join(sorted(both))} under add and under remove")
        return ListWish(parts.get("set"), parts.get("add", ()), parts.get("remove", ()))

    def read(self, raw: t.Any) -> list[str]:
        if raw is None or raw == "":
            return []
        if isinstance(raw, list) and all(isinstance(entry, str) for entry in raw):
            return list(raw)
        raise ValueError("is not a list of texts")

    def target(self, wish: ListWish, current: Value) -> Value:
        # The service holds two spellings of one text to be the same entry, so the later spelling takes its place.
        entries = {text.casefold(): text for text in (current if wish.all_of is None else wish.all_of)}
        entries.update({text.casefold(): text for text in wish.add})
        gone = {text.casefold() for text in wish.remove}
        return [text for key, text in entries.items() if key not in gone]

    def same(self, one: Value, other: Value) -> bool:
        form = str if self.exact else str.casefold
        return {form(text) for text in one} == {form(text) for text in other}

    def write(self, wish: ListWish, target: Value, current: Value) -> t.Any:
        if not target:
            return None  # an empty array does not clear such a list, null does
        if wish.all_of is not None:
            return target
        changes = {
            "Add": [text for text in target if text not in current],
            "Remove": [text for text in current if text not in target],
        }
        return {
            "@odata.type": "#Exchange.GenericHashTable",
            **{verb: entries for verb, entries in changes.items() if entries},
        }

    def wish(self, value: Value) -> ListWish:
        return ListWish(all_of=tuple(value))


def _number(raw: t.Any) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"-?\d{1,18}", raw.strip()):
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
class Row:
    """One setting. ``option``: its name for the user; ``wire``: for the service.

    ``defaulted``: a property that says, when true, that the value is only the default (and so counts as unset).
    ``companion``: an option whose value has to travel in the same call, changed or not.
    ``switch``: an option that has to be false for this one to be settable, and is set so in the same call.
    ``one_way``: once set it can't be unset.
    """

    option: str
    wire: str
    kind: Kind
    defaulted: str | None = None
    companion: str | None = None
    switch: str | None = None
    one_way: bool = False

    def properties(self) -> tuple[str, ...]:
        return (self.wire, self.defaulted) if self.defaulted else (self.wire,)

    def present(self, wire_object: Mapping[str, t.Any]) -> bool:
        """Whether the object says anything of this setting; its annotation counts."""
        return self.wire in wire_object or any(key.startswith(self.wire + "@") for key in wire_object)

    def read(self, wire_object: Mapping[str, t.Any]) -> Value:
        """The value in an object of the service; raises UnexpectedResponse naming the property."""
        if self.defaulted and wire_object.get(self.defaulted) is True:
            return ""
        raw = wire_object.get(self.wire)
        try:
            return self.kind.read(raw)
        except ValueError as error:
            raise UnexpectedResponse(
                f"The service sent {self.wire} = {str(raw)[:80]!r}, which {error}.",
                hint="The service may have changed: look for a newer version of this collection.",
            ) from None


@dataclass(frozen=True)
class Table:
    """The settings of one cmdlet noun."""

    noun: str
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_option", {row.option: row for row in self.rows})

    @property
    def getter(self) -> str:
        return "Get-" + self.noun

    @property
    def setter(self) -> str:
        return "Set-" + self.noun

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(row.option for row in self.rows)

    def row(self, option: str) -> Row:
        rows: Mapping[str, Row] = self._by_option  # type: ignore[attr-defined]
        return rows[option]

    def argument_spec(self) -> dict[str, dict[str, t.Any]]:
        return {row.option: dict(row.kind.argument) for row in self.rows}

    def parse(self, params: Mapping[str, t.Any], place: str = "") -> dict[str, t.Any]:
        """The wishes among a task's parameters. Not given (absent or null) is not managed; raises InvalidRequest.

        place: where the user wrote them, for the message.
        """
        wishes = {}
        for row in self.rows:
            given = params.get(row.option)
            if given is None:
                continue
            try:
                wishes[row.option] = row.kind.parse(given)
            except (ValueError, TypeError) as error:
                raise InvalidRequest(f"{place}{row.option} {error}.") from None
        return wishes

    def wishes(self, values: Mapping[str, Value]) -> dict[str, t.Any]:
        """The wishes for exactly these values."""
        return {option: self.row(option).kind.wish(value) for option, value in values.items()}

    def properties(self, options: Iterable[str]) -> tuple[str, ...]:
        """The properties to ask for to know these settings, and what is written beside them."""
        wanted = set(options)
        for option in tuple(wanted):
            row = self.row(option)
            wanted.update(other for other in (row.companion, row.switch) if other)
        return tuple(name for row in self.rows if row.option in wanted for name in row.properties())

    def closure(self, options: Iterable[str]) -> list[str]:
        """These settings and those that are written beside them, in the table's order."""
        names = set(self.properties(options))
        return [row.option for row in self.rows if row.wire in names]


_BOOL = Bool()
_TRISTATE = Tristate()
_TEXT = Text()
_LANGUAGE = Language()
_DAY = 24 * 60 * 60
_MIME = Enum(
    (
        "TextOnly",
        "HtmlOnly",
        "HtmlAndTextAlternative",
        "TextEnrichedOnly",
        "TextEnrichedAndTextAlternative",
        "BestBodyFormat",
        "Tnef",
    ),
    numbered=True,
    aliases={"textenriched": "TextEnrichedOnly"},  # as a how-to page of the service spells it
)

TRANSPORT_CONFIG = Table(
    "TransportConfig",
    (
        Row("address_book_policy_routing_enabled", "AddressBookPolicyRoutingEnabled", _BOOL),
        Row("allow_legacy_tls_clients", "AllowLegacyTLSClients", _TRISTATE),
        Row("clear_categories", "ClearCategories", _BOOL),
        Row("convert_disclaimer_wrapper_to_eml", "ConvertDisclaimerWrapperToEml", _BOOL),
        Row("dsn_conversion_mode", "DSNConversionMode", Enum(("DoNotConvert", "PreserveDSNBody", "UseExchangeDSNs"))),
        Row("external_delay_dsn_enabled", "ExternalDelayDsnEnabled", _BOOL),
        Row("external_dsn_default_language", "ExternalDsnDefaultLanguage", _LANGUAGE),
        Row("external_dsn_language_detection_enabled", "ExternalDsnLanguageDetectionEnabled", _BOOL),
        Row("external_dsn_reporting_authority", "ExternalDsnReportingAuthority", _TEXT),
        Row("external_dsn_send_html", "ExternalDsnSendHtml", _BOOL),
        Row("external_postmaster_address", "ExternalPostmasterAddress", _TEXT),
        Row(
            "header_promotion_mode_setting",
            "HeaderPromotionModeSetting",
            Enum(("MustCreate", "MayCreate", "NoCreate")),
        ),
        Row("internal_delay_dsn_enabled", "InternalDelayDsnEnabled", _BOOL),
        Row("internal_dsn_default_language", "InternalDsnDefaultLanguage", _LANGUAGE),
        Row("internal_dsn_language_detection_enabled", "InternalDsnLanguageDetectionEnabled", _BOOL),
        Row("internal_dsn_reporting_authority", "InternalDsnReportingAuthority", _TEXT),
        Row("internal_dsn_send_html", "InternalDsnSendHtml", _BOOL),
        Row("journal_message_expiration_days", "JournalMessageExpirationDays", Integer()),
        # Unset reads <>, which can't be written back; once set, nobody has unset it (Microsoft365DSC #5606).
        Row("journaling_report_ndr_to", "JournalingReportNdrTo", Text(unset="<>", nullable=False), one_way=True),
        Row("max_recipient_envelope_limit", "MaxRecipientEnvelopeLimit", Unlimited()),
        Row("message_expiration", "MessageExpiration", Duration(_DAY // 2, _DAY)),
        Row("prevent_duplicate_journaling_enabled", "PreventDuplicateJournalingEnabled", _BOOL),
        Row("reply_all_storm_block_duration_hours", "ReplyAllStormBlockDurationHours", Integer()),
        Row("reply_all_storm_detection_minimum_recipients", "ReplyAllStormDetectionMinimumRecipients", Integer()),
        Row("reply_all_storm_detection_minimum_replies", "ReplyAllStormDetectionMinimumReplies", Integer()),
        Row("reply_all_storm_protection_enabled", "ReplyAllStormProtectionEnabled", _BOOL),
        Row("rfc2231_encoding_enabled", "Rfc2231EncodingEnabled", _BOOL),
        Row("smtp_client_authentication_disabled", "SmtpClientAuthenticationDisabled", _BOOL),
        Row("voicemail_journaling_enabled", "VoicemailJournalingEnabled", _BOOL),
    ),
)

_DEVICES = TextList()
_USER_AGENTS = TextList(exact=True)  # stored without case, enforced with it
# "EwsApplicationAccessPolicy must be specified if to set EwsAllowList or EwsBlockList" (microsoft-365-docs PR 10377).
_EWS = "ews_application_access_policy"

CAS_MAILBOX = Table(
    "CASMailbox",
    (
        Row("active_sync_allowed_device_ids", "ActiveSyncAllowedDeviceIDs", _DEVICES),
        Row("active_sync_blocked_device_ids", "ActiveSyncBlockedDeviceIDs", _DEVICES),
        Row("active_sync_enabled", "ActiveSyncEnabled", _BOOL),
        # Unset and pinned to the default read the same name (office-docs-powershell #5014).
        Row(
            "active_sync_mailbox_policy",
            "ActiveSyncMailboxPolicy",
            Policy(),
            defaulted="ActiveSyncMailboxPolicyIsDefaulted",
        ),
        Row("active_sync_suppress_read_receipt", "ActiveSyncSuppressReadReceipt", _BOOL),
        Row("ews_allow_entourage", "EwsAllowEntourage", _TRISTATE),
        Row("ews_allow_list", "EwsAllowList", _USER_AGENTS, companion=_EWS),
        Row("ews_allow_mac_outlook", "EwsAllowMacOutlook", _TRISTATE),
        Row("ews_allow_outlook", "EwsAllowOutlook", _TRISTATE),
        Row(
            "ews_application_access_policy",
            "EwsApplicationAccessPolicy",
            Enum(("EnforceAllowList", "EnforceBlockList"), nullable=True),
        ),
        Row("ews_block_list", "EwsBlockList", _USER_AGENTS, companion=_EWS),
        Row("ews_enabled", "EwsEnabled", _TRISTATE),
        Row("imap_enabled", "ImapEnabled", _BOOL),
        Row(
            "imap_force_ical_for_calendar_retrieval_option",
            "ImapForceICalForCalendarRetrievalOption",
            _BOOL,
            switch="imap_use_protocol_defaults",
        ),
        Row(
            "imap_messages_retrieval_mime_format",
            "ImapMessagesRetrievalMimeFormat",
            _MIME,
            switch="imap_use_protocol_defaults",
        ),
        Row("imap_suppress_read_receipt", "ImapSuppressReadReceipt", _BOOL, switch="imap_use_protocol_defaults"),
        Row("imap_use_protocol_defaults", "ImapUseProtocolDefaults", _BOOL),
        Row("mac_outlook_enabled", "MacOutlookEnabled", _TRISTATE),
        Row("mapi_enabled", "MAPIEnabled", _BOOL),
        Row("one_win_native_outlook_enabled", "OneWinNativeOutlookEnabled", _TRISTATE),
        Row("outlook_mobile_enabled", "OutlookMobileEnabled", _TRISTATE),
        Row("owa_enabled", "OWAEnabled", _BOOL),
        Row("owa_for_devices_enabled", "OWAforDevicesEnabled", _BOOL),
        Row("owa_mailbox_policy", "OwaMailboxPolicy", Policy()),
        Row("pop_enabled", "PopEnabled", _BOOL),
        Row(
            "pop_force_ical_for_calendar_retrieval_option",
            "PopForceICalForCalendarRetrievalOption",
            _BOOL,
            switch="pop_use_protocol_defaults",
        ),
        Row(
            "pop_messages_retrieval_mime_format",
            "PopMessagesRetrievalMimeFormat",
            _MIME,
            switch="pop_use_protocol_defaults",
        ),
        Row("pop_suppress_read_receipt", "PopSuppressReadReceipt", _BOOL, switch="pop_use_protocol_defaults"),
        Row("pop_use_protocol_defaults", "PopUseProtocolDefaults", _BOOL),
        Row("public_folder_client_access", "PublicFolderClientAccess", _BOOL),
        Row("show_gal_as_default_view", "ShowGalAsDefaultView", _BOOL),
        Row("smtp_client_authentication_disabled", "SmtpClientAuthenticationDisabled", Tristate(blank=True)),
        Row("universal_outlook_enabled", "UniversalOutlookEnabled", _TRISTATE),
    ),
)
SMTP_AUTH = "smtp_client_authentication_disabled"
