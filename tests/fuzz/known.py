# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings as the model knows them: written apart from the engine's tables, so that a slip there shows here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Wire = Any


def same_text(value: Wire) -> Wire:
    return value.casefold() if isinstance(value, str) else value


def as_set(value: Wire) -> Wire:
    return sorted(value or ())


def folded_set(value: Wire) -> Wire:
    return sorted({text.casefold() for text in value or ()})


def exactly(value: Wire) -> Wire:
    return value


def language(value: Wire) -> Wire:
    return same_text(value["Name"] if isinstance(value, dict) else value)


@dataclass(frozen=True)
class Setting:
    """``forms``: (what a user may write, what is then stored). ``normal``: what two stored values are compared by.

    ``null``: what an option shows for null. Lists have entries instead of forms.
    """

    wire: str
    forms: Sequence[tuple[Any, Wire]] = ()
    normal: Callable[[Wire], Wire] = exactly
    null: Any = None
    entries: Sequence[str] = ()

    def stored(self) -> list[Wire]:
        """What a tenant may begin with."""
        if self.entries:
            return [None, [], [self.entries[0]], [self.entries[1], self.entries[2]], list(self.entries[-2:])]
        return [value for _given, value in self.forms]

    def shown(self, value: Wire) -> Any:
        """The stored value in the form of the option, entries in order: an addition that is sent twice moves them."""
        if value is None or value in ([], "<>"):
            return self.null
        if self.entries:
            return sorted(value)
        return int(value) if isinstance(value, str) and value.isdigit() else value

    def becomes(self, given: Any, current: Wire) -> Wire:
        if not self.entries:
            return next(value for form, value in self.forms if type(form) is type(given) and form == given)
        return _list_after(given, current or [])


def _list_after(given: Any, current: Sequence[str]) -> list[str]:
    """Entries by their folded text: a later spelling takes the place of an earlier one."""
    if isinstance(given, list):
        return list({text.casefold(): text for text in given}.values())
    start = given["set"] if given.get("set") is not None else current
    entries = {text.casefold(): text for text in [*start, *(given.get("add") or ())]}
    for text in given.get("remove") or ():
        entries.pop(text.casefold(), None)
    return list(entries.values())


_BOOLEAN = ((True, True), (False, False), ("yes", True), ("no", False))
_NULLABLE = ((True, True), ("true", True), (False, False), ("false", False), ("inherit", None))
_LANGUAGE = (("", None), ("fr-CA", "fr-CA"), ("fr-ca", "fr-CA"), ("de", "de"), ("DE", "de"), ("zh-Hans", "zh-Hans"))
_DOMAIN = (("", None), ("mail.example.com", "mail.example.com"), ("MAIL.example.com", "MAIL.example.com"))
_ADDRESS = (
    ("", None),
    ("a@b.example", "a@b.example"),
    (" A@B.example ", "A@B.example"),
    ("c@d.example", "c@d.example"),
)
_MIME = ("TextOnly", "HtmlOnly", "HtmlAndTextAlternative", "TextEnrichedOnly", "TextEnrichedAndTextAlternative",
         "BestBodyFormat", "Tnef")  # fmt: skip


def _flags(**wires: str) -> dict[str, Setting]:
    return {option: Setting(wire, _BOOLEAN) for option, wire in wires.items()}


def _nullables(**wires: str) -> dict[str, Setting]:
    return {option: Setting(wire, _NULLABLE, null="inherit") for option, wire in wires.items()}


def _words(wire: str, *words: str) -> Setting:
    return Setting(wire, tuple((word, word) for word in words))


def _numbers(wire: str, *numbers: int) -> Setting:
    as_text = [(str(number), number) for number in numbers]
    return Setting(wire, (*((number, number) for number in numbers), *as_text))


def _mime(wire: str) -> Setting:
    by_name = [(word, word) for word in _MIME]
    by_number = [(str(number), word) for number, word in enumerate(_MIME)]
    return Setting(wire, (*by_name, *by_number, ("textenriched", _MIME[3]), ("tnef", "Tnef"), (1, "HtmlOnly")))


def _policy(wire: str, kind: str, *names: str) -> Setting:
    by_name = [(name, name) for name in names]
    by_path = [(f"CN={name},CN={kind} Mailbox Policies,CN=x", name) for name in names]
    return Setting(wire, (("", None), (names[-1].upper(), names[-1]), *by_name, *by_path), same_text, "")


TRANSPORT: Mapping[str, Setting] = {
    **_flags(
        address_book_policy_routing_enabled="AddressBookPolicyRoutingEnabled",
        clear_categories="ClearCategories",
        convert_disclaimer_wrapper_to_eml="ConvertDisclaimerWrapperToEml",
        external_delay_dsn_enabled="ExternalDelayDsnEnabled",
        external_dsn_language_detection_enabled="ExternalDsnLanguageDetectionEnabled",
        external_dsn_send_html="ExternalDsnSendHtml",
        internal_delay_dsn_enabled="InternalDelayDsnEnabled",
        internal_dsn_language_detection_enabled="InternalDsnLanguageDetectionEnabled",
        internal_dsn_send_html="InternalDsnSendHtml",
        prevent_duplicate_journaling_enabled="PreventDuplicateJournalingEnabled",
        reply_all_storm_protection_enabled="ReplyAllStormProtectionEnabled",
        rfc2231_encoding_enabled="Rfc2231EncodingEnabled",
        smtp_client_authentication_disabled="SmtpClientAuthenticationDisabled",
        voicemail_journaling_enabled="VoicemailJournalingEnabled",
    ),
    **_nullables(allow_legacy_tls_clients="AllowLegacyTLSClients"),
    "dsn_conversion_mode": _words("DSNConversionMode", "DoNotConvert", "PreserveDSNBody", "UseExchangeDSNs"),
    "header_promotion_mode_setting": _words("HeaderPromotionModeSetting", "MustCreate", "MayCreate", "NoCreate"),
    "external_dsn_default_language": Setting("ExternalDsnDefaultLanguage", _LANGUAGE, language, ""),
    "internal_dsn_default_language": Setting("InternalDsnDefaultLanguage", _LANGUAGE, language, ""),
    "external_dsn_reporting_authority": Setting("ExternalDsnReportingAuthority", _DOMAIN, same_text, ""),
    "internal_dsn_reporting_authority": Setting("InternalDsnReportingAuthority", _DOMAIN, same_text, ""),
    "external_postmaster_address": Setting("ExternalPostmasterAddress", _ADDRESS, same_text, ""),
    "journaling_report_ndr_to": Setting(
        "JournalingReportNdrTo", (("<>", "<>"), ("", "<>"), *_ADDRESS[1:]), same_text, ""
    ),
    "journal_message_expiration_days": _numbers("JournalMessageExpirationDays", 0, 3, 7),
    "max_recipient_envelope_limit": Setting(
        "MaxRecipientEnvelopeLimit",
        (("Unlimited", "Unlimited"), ("unlimited", "Unlimited"), ("500", "500"), (1000, "1000"), ("1", "1")),
    ),
    "message_expiration": Setting(
        "MessageExpiration",
        (("12:00:00", "12:00:00"), (43200, "12:00:00"), ("1.00:00:00", "1.00:00:00"), ("86400", "1.00:00:00"),
         ("24:00:00", "1.00:00:00"), ("18:30:01", "18:30:01")),
    ),
    "reply_all_storm_block_duration_hours": _numbers("ReplyAllStormBlockDurationHours", 1, 6, 12),
    "reply_all_storm_detection_minimum_recipients": _numbers("ReplyAllStormDetectionMinimumRecipients", 1000, 5000),
    "reply_all_storm_detection_minimum_replies": _numbers("ReplyAllStormDetectionMinimumReplies", 2, 10, 20),
}  # fmt: skip

_DEVICES = ("dev1", "dev2", "Dev3", "DEV1", "é-device")
_AGENTS = ("App/*", "Other*", "third", "APP/*", "OTHER*")

MAILBOX: Mapping[str, Setting] = {
    **_flags(
        active_sync_enabled="ActiveSyncEnabled",
        active_sync_suppress_read_receipt="ActiveSyncSuppressReadReceipt",
        imap_enabled="ImapEnabled",
        imap_force_ical_for_calendar_retrieval_option="ImapForceICalForCalendarRetrievalOption",
        imap_suppress_read_receipt="ImapSuppressReadReceipt",
        imap_use_protocol_defaults="ImapUseProtocolDefaults",
        mapi_enabled="MAPIEnabled",
        owa_enabled="OWAEnabled",
        owa_for_devices_enabled="OWAforDevicesEnabled",
        pop_enabled="PopEnabled",
        pop_force_ical_for_calendar_retrieval_option="PopForceICalForCalendarRetrievalOption",
        pop_suppress_read_receipt="PopSuppressReadReceipt",
        pop_use_protocol_defaults="PopUseProtocolDefaults",
        public_folder_client_access="PublicFolderClientAccess",
        show_gal_as_default_view="ShowGalAsDefaultView",
    ),
    **_nullables(
        ews_allow_entourage="EwsAllowEntourage",
        ews_allow_mac_outlook="EwsAllowMacOutlook",
        ews_allow_outlook="EwsAllowOutlook",
        ews_enabled="EwsEnabled",
        mac_outlook_enabled="MacOutlookEnabled",
        one_win_native_outlook_enabled="OneWinNativeOutlookEnabled",
        outlook_mobile_enabled="OutlookMobileEnabled",
        smtp_client_authentication_disabled="SmtpClientAuthenticationDisabled",
        universal_outlook_enabled="UniversalOutlookEnabled",
    ),
    "active_sync_allowed_device_ids": Setting("ActiveSyncAllowedDeviceIDs", (), folded_set, [], _DEVICES),
    "active_sync_blocked_device_ids": Setting("ActiveSyncBlockedDeviceIDs", (), folded_set, [], _DEVICES),
    "ews_allow_list": Setting("EwsAllowList", (), as_set, [], _AGENTS),
    "ews_block_list": Setting("EwsBlockList", (), as_set, [], _AGENTS),
    "ews_application_access_policy": Setting(
        "EwsApplicationAccessPolicy",
        (("EnforceAllowList", "EnforceAllowList"), ("EnforceBlockList", "EnforceBlockList"), ("inherit", None)),
        null="inherit",
    ),
    "imap_messages_retrieval_mime_format": _mime("ImapMessagesRetrievalMimeFormat"),
    "pop_messages_retrieval_mime_format": _mime("PopMessagesRetrievalMimeFormat"),
    "active_sync_mailbox_policy": _policy("ActiveSyncMailboxPolicy", "Mobile", "Default", "Strict"),
    "owa_mailbox_policy": _policy("OwaMailboxPolicy", "OWA", "OwaMailboxPolicy-Default", "Frontline"),
}

# A format is stored only while the protocol's own defaults are off.
FORMATS: Mapping[str, frozenset[str]] = {
    f"{protocol}_use_protocol_defaults": frozenset(
        f"{protocol}_{name}"
        for name in (
            "force_ical_for_calendar_retrieval_option",
            "messages_retrieval_mime_format",
            "suppress_read_receipt",
        )
    )
    for protocol in ("imap", "pop")
}
EWS_LISTS = frozenset({"ews_allow_list", "ews_block_list"})
EWS_POLICY = "ews_application_access_policy"
# What belongs together is drawn together.
GROUPS: tuple[frozenset[str], ...] = (
    *(formats | {switch} for switch, formats in FORMATS.items()),
    EWS_LISTS | {EWS_POLICY},
    frozenset({"active_sync_allowed_device_ids", "active_sync_blocked_device_ids"}),
    frozenset({"smtp_client_authentication_disabled"}),
)
assert (len(TRANSPORT), len(MAILBOX)) == (29, 33)
