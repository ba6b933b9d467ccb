# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two objects: every property that a Get returns, and every parameter that a Set takes in the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import values
from .values import Converter


@dataclass(frozen=True)
class Property:
    name: str
    default: Any = None
    data_type: str | None = None
    odata_type: str | None = None

    def annotations(self) -> dict[str, str]:
        found = {"data.type": self.data_type, "odata.type": self.odata_type}
        return {f"{self.name}@{key}": text for key, text in found.items() if text}


def plain(name: str, default: Any = None) -> Property:
    return Property(name, default)


def guid(name: str) -> Property:
    return Property(name, None, "System.Guid", "#Guid")


def number(name: str, default: int = 0, width: str = "System.Int32") -> Property:
    return Property(name, default, width)


def moment(name: str) -> Property:
    return Property(name, None, "System.DateTime")


def listing(name: str, *entries: str) -> Property:
    return Property(name, list(entries), None, "#Collection(String)")


def unset_listing(name: str) -> Property:
    return Property(name, None, None, "#Collection(String)")


TRANSPORT_PROPERTIES: tuple[Property, ...] = (
    plain("Name", "Transport Settings"),
    listing("TLSReceiveDomainSecureList"),
    listing("TLSSendDomainSecureList"),
    listing("GenerateCopyOfDSNFor"),
    listing("InternalSMTPServers"),
    plain("JournalingReportNdrTo", values.UNSET_ADDRESS),
    plain("OrganizationFederatedMailbox"),
    plain("MaxDumpsterSizePerDatabase", "18 MB (18,874,368 bytes)"),
    plain("MaxDumpsterTime", "7.00:00:00"),
    plain("VerifySecureSubmitEnabled", False),
    plain("ClearCategories", True),
    plain("AddressBookPolicyRoutingEnabled", False),
    plain("ConvertDisclaimerWrapperToEml", False),
    plain("PreserveReportBodypart", True),
    plain("ConvertReportToMessage", False),
    plain("DSNConversionMode", "PreserveDSNBody"),
    plain("VoicemailJournalingEnabled", True),
    plain("HeaderPromotionModeSetting", "NoCreate"),
    plain("Xexch50Enabled", True),
    plain("Rfc2231EncodingEnabled", False),
    plain("OpenDomainRoutingEnabled", False),
    plain("MaxReceiveSize", "Unlimited"),
    plain("MaxRecipientEnvelopeLimit", "Unlimited"),
    plain("MaxSendSize", "Unlimited"),
    plain("ExternalDelayDsnEnabled", True),
    plain("ExternalDsnDefaultLanguage"),
    plain("ExternalDsnLanguageDetectionEnabled", True),
    plain("ExternalDsnMaxMessageAttachSize", "10 MB (10,485,760 bytes)"),
    plain("ExternalDsnReportingAuthority"),
    plain("ExternalDsnSendHtml", True),
    plain("ExternalPostmasterAddress"),
    plain("InternalDelayDsnEnabled", True),
    plain("InternalDsnDefaultLanguage"),
    plain("InternalDsnLanguageDetectionEnabled", True),
    plain("InternalDsnMaxMessageAttachSize", "10 MB (10,485,760 bytes)"),
    plain("InternalDsnReportingAuthority"),
    plain("InternalDsnSendHtml", True),
    listing("SupervisionTags", "Reject", "Allow"),
    plain("HygieneSuite", "Premium"),
    plain("MigrationEnabled", True),
    plain("LegacyJournalingMigrationEnabled", False),
    plain("LegacyArchiveJournalingEnabled", False),
    plain("RedirectDLMessagesForLegacyArchiveJournaling", False),
    plain("RedirectUnprovisionedUserMessagesForLegacyArchiveJournaling", False),
    plain("LegacyArchiveLiveJournalingEnabled", False),
    plain("JournalArchivingEnabled", False),
    plain("SafetyNetHoldTime", "7.00:00:00"),
    listing("TransportRuleConfig", "TransportRuleMinProductVersion:14.0.0.0", "TransportRuleLimit:300"),
    number("TransportRuleCollectionAddedRecipientsLimit", 100),
    number("TransportRuleLimit", 300),
    plain("TransportRuleCollectionRegexCharsLimit", "20 KB (20,480 bytes)"),
    plain("TransportRuleSizeLimit", "8 KB (8,192 bytes)"),
    plain("TransportRuleAttachmentTextScanLimit", "1 MB (1,048,576 bytes)"),
    plain("TransportRuleRegexValidationTimeout", "00:00:00.3000000"),
    plain("TransportRuleMinProductVersion", "14.0.0.0"),
    number("AnonymousSenderToRecipientRatePerHour", 1800),
    plain("QueueDiagnosticsAggregationInterval", "00:01:00"),
    plain("JournalReportDLMemberSubstitutionEnabled", False),
    number("DiagnosticsAggregationServicePort", 9710),
    plain("AgentGeneratedMessageLoopDetectionInSubmissionEnabled", True),
    plain("AgentGeneratedMessageLoopDetectionInSmtpEnabled", True),
    number("MaxAllowedAgentGeneratedMessageDepth", 3, "System.UInt32"),
    number("MaxAllowedAgentGeneratedMessageDepthPerAgent", 2, "System.UInt32"),
    plain("AttributionRejectConsumerMessages", False),
    plain("AttributionRejectBeforeMServRequest", False),
    plain("SmtpClientAuthenticationDisabled", True),
    number("JournalMessageExpirationDays", 0),
    plain("PreventDuplicateJournalingEnabled", False),
    plain("ReplyAllStormProtectionEnabled", True),
    number("ReplyAllStormDetectionMinimumRecipients", 2500),
    number("ReplyAllStormDetectionMinimumReplies", 10),
    plain("AllowLegacyTLSClients"),
    number("ReplyAllStormBlockDurationHours", 6),
    plain("MessageExpiration", "1.00:00:00"),
    plain("EnableExternalHTTPMailDelivery", False),
    listing("OtherWellKnownObjects"),
    plain("AdminDisplayName", ""),
    plain("ExchangeVersion", "0.1 (8.0.535.0)"),
    plain("DistinguishedName"),
    plain("Identity", "Transport Settings"),
    plain("ObjectCategory"),
    listing("ObjectClass", "top", "container", "msExchTransportSettings"),
    moment("WhenChanged"),
    moment("WhenCreated"),
    moment("WhenChangedUTC"),
    moment("WhenCreatedUTC"),
    guid("ExchangeObjectId"),
    plain("OrganizationalUnitRoot"),
    plain("OrganizationId"),
    plain("Id", "Transport Settings"),
    guid("Guid"),
    plain("OriginatingServer"),
    plain("IsValid", True),
    plain("ObjectState", "Unchanged"),
)

# What one mailbox has of its own; the rest of its properties are the same everywhere until somebody sets them.
CAS_OWN_PROPERTIES: tuple[Property, ...] = (
    listing("EmailAddresses"),
    plain("LegacyExchangeDN"),
    plain("PrimarySmtpAddress"),
    plain("SamAccountName"),
    plain("DisplayName"),
    plain("Name"),
    plain("Identity"),
    plain("Id"),
    guid("Guid"),
    guid("ExchangeObjectId"),
    plain("ExternalDirectoryObjectId"),
    plain("DistinguishedName"),
    plain("ServerLegacyDN"),
    plain("ServerName"),
    plain("OrganizationId"),
    plain("OrganizationalUnitRoot"),
    plain("ObjectCategory"),
    plain("OriginatingServer"),
    moment("WhenCreated"),
    moment("WhenCreatedUTC"),
)

PROTOCOL_SETTINGS: Mapping[str, str] = {
    "ExternalImapSettings": "{imap server: outlook.office365.com, port: 993, TLS}",
    "InternalImapSettings": "{imap server: outlook.office365.com, port: 993, TLS}",
    "ExternalPopSettings": "{pop server: outlook.office365.com, port: 995, TLS}",
    "InternalPopSettings": "{pop server: outlook.office365.com, port: 995, TLS}",
    "ExternalSmtpSettings": "{smtp server: smtp.office365.com, port: 587, STARTTLS}",
    "InternalSmtpSettings": "{smtp server: smtp.office365.com, port: 587, STARTTLS}",
}

CAS_SHARED_PROPERTIES: tuple[Property, ...] = (
    plain("LinkedMasterAccount", ""),
    listing("ActiveSyncAllowedDeviceIDs"),
    listing("ActiveSyncBlockedDeviceIDs"),
    plain("ActiveSyncMailboxPolicy"),
    plain("ActiveSyncMailboxPolicyIsDefaulted", True),
    plain("ActiveSyncDebugLogging", False),
    plain("ActiveSyncEnabled", True),
    plain("ActiveSyncSuppressReadReceipt", False),
    plain("HasActiveSyncDevicePartnership", False),
    plain("OwaMailboxPolicy", "OwaMailboxPolicy-Default"),
    plain("OWAEnabled", True),
    plain("OWAforDevicesEnabled", True),
    plain("ECPEnabled", True),
    plain("EmwsEnabled", False),
    plain("PopEnabled", True),
    plain("PopUseProtocolDefaults", True),
    plain("PopMessagesRetrievalMimeFormat", "BestBodyFormat"),
    plain("PopEnableExactRFC822Size", False),
    plain("PopMessageDeleteEnabled", False),
    plain("PopSuppressReadReceipt", False),
    plain("PopForceICalForCalendarRetrievalOption", True),
    plain("ImapEnabled", True),
    plain("ImapUseProtocolDefaults", True),
    plain("ImapMessagesRetrievalMimeFormat", "BestBodyFormat"),
    plain("ImapEnableExactRFC822Size", False),
    plain("ImapSuppressReadReceipt", False),
    plain("ImapForceICalForCalendarRetrievalOption", False),
    plain("MAPIEnabled", True),
    plain("MapiHttpEnabled"),
    plain("MAPIBlockOutlookNonCachedMode", False),
    plain("MAPIBlockOutlookVersions"),
    plain("MAPIBlockOutlookRpcHttp", False),
    plain("MAPIBlockOutlookExternalConnectivity", False),
    plain("EwsEnabled", True),
    plain("EwsAllowOutlook"),
    plain("EwsAllowMacOutlook"),
    plain("EwsAllowEntourage"),
    plain("EwsApplicationAccessPolicy"),
    unset_listing("EwsAllowList"),
    unset_listing("EwsBlockList"),
    plain("ShowGalAsDefaultView", True),
    plain("PublicFolderClientAccess", False),
    plain("IsOptimizedForAccessibility"),
    plain("SmtpClientAuthenticationDisabled"),
    plain("UniversalOutlookEnabled", True),
    plain("OutlookMobileEnabled", True),
    plain("MacOutlookEnabled", True),
    plain("OneWinNativeOutlookEnabled"),
    *(plain(name) for name in PROTOCOL_SETTINGS),
    plain("ExchangeVersion", "0.20 (15.0.0.0)"),
    listing("ObjectClass", "top", "person", "organizationalPerson", "user"),
    plain("AdminDisplayName", ""),
    moment("WhenChanged"),
    moment("WhenChangedUTC"),
    plain("IsValid", True),
    plain("ObjectState", "Unchanged"),
)

TRANSPORT_BY_NAME = {row.name: row for row in TRANSPORT_PROPERTIES}
CAS_SHARED_BY_NAME = {row.name: row for row in CAS_SHARED_PROPERTIES}

_HALF_DAY, _DAY = 43200, 86400

TRANSPORT_PARAMETERS: Mapping[str, Converter] = {
    "AddressBookPolicyRoutingEnabled": values.boolean,
    "AllowLegacyTLSClients": values.nullable_boolean,
    "ClearCategories": values.boolean,
    "ConvertDisclaimerWrapperToEml": values.boolean,
    "DSNConversionMode": values.Choice(
        "Microsoft.Exchange.Data.Directory.SystemConfiguration.DSNConversionOption",
        ("DoNotConvert", "PreserveDSNBody", "UseExchangeDSNs"),
    ),
    "ExternalDelayDsnEnabled": values.boolean,
    "ExternalDsnDefaultLanguage": values.culture,
    "ExternalDsnLanguageDetectionEnabled": values.boolean,
    "ExternalDsnReportingAuthority": values.smtp_domain,
    "ExternalDsnSendHtml": values.boolean,
    "ExternalPostmasterAddress": values.smtp_address,
    "HeaderPromotionModeSetting": values.Choice(
        "Microsoft.Exchange.Data.Directory.SystemConfiguration.HeaderPromotionMode",
        ("MustCreate", "MayCreate", "NoCreate"),
    ),
    "InternalDelayDsnEnabled": values.boolean,
    "InternalDsnDefaultLanguage": values.culture,
    "InternalDsnLanguageDetectionEnabled": values.boolean,
    "InternalDsnReportingAuthority": values.smtp_domain,
    "InternalDsnSendHtml": values.boolean,
    "JournalMessageExpirationDays": values.integer(0, 7),
    "JournalingReportNdrTo": values.journaling_address,
    "MaxRecipientEnvelopeLimit": values.unlimited(1, 1000),
    "MessageExpiration": values.time_span(_HALF_DAY, _DAY),
    "PreventDuplicateJournalingEnabled": values.boolean,
    "ReplyAllStormBlockDurationHours": values.integer(1, 12),
    "ReplyAllStormDetectionMinimumRecipients": values.integer(1000, 5000),
    "ReplyAllStormDetectionMinimumReplies": values.integer(2, 20),
    "ReplyAllStormProtectionEnabled": values.boolean,
    "Rfc2231EncodingEnabled": values.boolean,
    "SmtpClientAuthenticationDisabled": values.boolean,
    "VoicemailJournalingEnabled": values.boolean,
}

_MIME = values.Choice("Microsoft.Exchange.Data.MimeTextFormat", values.MIME_FORMATS, numbers=True)

CAS_PARAMETERS: Mapping[str, Converter] = {
    "ActiveSyncAllowedDeviceIDs": values.string_list(empty=[]),
    "ActiveSyncBlockedDeviceIDs": values.string_list(empty=[]),
    "ActiveSyncDebugLogging": values.boolean,
    "ActiveSyncEnabled": values.boolean,
    "ActiveSyncMailboxPolicy": values.policy("active_sync"),
    "ActiveSyncSuppressReadReceipt": values.boolean,
    "EwsAllowEntourage": values.nullable_boolean,
    "EwsAllowList": values.string_list(empty=None),
    "EwsAllowMacOutlook": values.nullable_boolean,
    "EwsAllowOutlook": values.nullable_boolean,
    "EwsApplicationAccessPolicy": values.EWS_ACCESS_POLICY,
    "EwsBlockList": values.string_list(empty=None),
    "EwsEnabled": values.nullable_boolean,
    "ImapEnabled": values.boolean,
    "ImapForceICalForCalendarRetrievalOption": values.boolean,
    "ImapMessagesRetrievalMimeFormat": _MIME,
    "ImapSuppressReadReceipt": values.boolean,
    "ImapUseProtocolDefaults": values.boolean,
    "IsOptimizedForAccessibility": values.boolean,
    "MacOutlookEnabled": values.nullable_boolean,
    "MAPIEnabled": values.boolean,
    "OneWinNativeOutlookEnabled": values.nullable_boolean,
    "OutlookMobileEnabled": values.nullable_boolean,
    "OWAEnabled": values.boolean,
    "OWAforDevicesEnabled": values.boolean,
    "OwaMailboxPolicy": values.policy("owa"),
    "PopEnabled": values.boolean,
    "PopForceICalForCalendarRetrievalOption": values.boolean,
    "PopMessagesRetrievalMimeFormat": _MIME,
    "PopSuppressReadReceipt": values.boolean,
    "PopUseProtocolDefaults": values.boolean,
    "PublicFolderClientAccess": values.boolean,
    "ShowGalAsDefaultView": values.boolean,
    "SmtpClientAuthenticationDisabled": values.nullable_boolean,
    "UniversalOutlookEnabled": values.nullable_boolean,
}

# Parameters that only act, and store, while the protocol's own defaults are off.
FORMAT_PARAMETERS: Mapping[str, frozenset[str]] = {
    f"{protocol}UseProtocolDefaults": frozenset(
        f"{protocol}{suffix}"
        for suffix in ("ForceICalForCalendarRetrievalOption", "MessagesRetrievalMimeFormat", "SuppressReadReceipt")
    )
    for protocol in ("Imap", "Pop")
}
EWS_LISTS = frozenset({"EwsAllowList", "EwsBlockList"})

RECIPIENT_TYPES = (
    "DiscoveryMailbox",
    "EquipmentMailbox",
    "GroupMailbox",
    "LegacyMailbox",
    "LinkedMailbox",
    "LinkedRoomMailbox",
    "RoomMailbox",
    "SchedulingMailbox",
    "SharedMailbox",
    "TeamMailbox",
    "UserMailbox",
)

# Common PowerShell parameters are accepted by every cmdlet, as text or a switch.
COMMON_PARAMETERS = frozenset(
    {
        "debug",
        "erroraction",
        "errorvariable",
        "informationaction",
        "outbuffer",
        "outvariable",
        "verbose",
        "warningaction",
        "warningvariable",
    }
)
