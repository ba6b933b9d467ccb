# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of each cmdlet noun: one line each. PRIVATE to the collection.

Sources: Microsoft's reference pages of the cmdlets, and what tenants were seen to send (docs/protocol.md).
"""

from __future__ import annotations

from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    Address,
    AppIds,
    Bool,
    Domain,
    Duration,
    Enum,
    Integer,
    Language,
    Policy,
    PolicyReference,
    Property,
    Table,
    TextList,
    Tristate,
    Unlimited,
)

_BOOL = Bool()
_TRISTATE = Tristate()
_LANGUAGE = Language()
_NDR_ADDRESS = Address(unset="<>", nullable=False)
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
        Property("address_book_policy_routing_enabled", "AddressBookPolicyRoutingEnabled", _BOOL),
        Property("allow_legacy_tls_clients", "AllowLegacyTLSClients", _TRISTATE),
        Property("clear_categories", "ClearCategories", _BOOL),
        Property("convert_disclaimer_wrapper_to_eml", "ConvertDisclaimerWrapperToEml", _BOOL),
        Property(
            "dsn_conversion_mode", "DSNConversionMode", Enum(("DoNotConvert", "PreserveDSNBody", "UseExchangeDSNs"))
        ),
        Property("external_delay_dsn_enabled", "ExternalDelayDsnEnabled", _BOOL),
        Property("external_dsn_default_language", "ExternalDsnDefaultLanguage", _LANGUAGE),
        Property("external_dsn_language_detection_enabled", "ExternalDsnLanguageDetectionEnabled", _BOOL),
        Property("external_dsn_reporting_authority", "ExternalDsnReportingAuthority", Domain()),
        Property("external_dsn_send_html", "ExternalDsnSendHtml", _BOOL),
        Property("external_postmaster_address", "ExternalPostmasterAddress", Address()),
        Property(
            "header_promotion_mode_setting",
            "HeaderPromotionModeSetting",
            Enum(("MustCreate", "MayCreate", "NoCreate")),
        ),
        Property("internal_delay_dsn_enabled", "InternalDelayDsnEnabled", _BOOL),
        Property("internal_dsn_default_language", "InternalDsnDefaultLanguage", _LANGUAGE),
        Property("internal_dsn_language_detection_enabled", "InternalDsnLanguageDetectionEnabled", _BOOL),
        Property("internal_dsn_reporting_authority", "InternalDsnReportingAuthority", Domain()),
        Property("internal_dsn_send_html", "InternalDsnSendHtml", _BOOL),
        Property("journal_message_expiration_days", "JournalMessageExpirationDays", Integer()),
        # Unset reads <>, which can't be written back; once set, nobody has unset it (Microsoft365DSC #5606).
        Property("journaling_report_ndr_to", "JournalingReportNdrTo", _NDR_ADDRESS, one_way=True),
        Property("max_recipient_envelope_limit", "MaxRecipientEnvelopeLimit", Unlimited()),
        Property("message_expiration", "MessageExpiration", Duration(_DAY // 2, _DAY)),
        Property("prevent_duplicate_journaling_enabled", "PreventDuplicateJournalingEnabled", _BOOL),
        Property("reply_all_storm_block_duration_hours", "ReplyAllStormBlockDurationHours", Integer()),
        Property("reply_all_storm_detection_minimum_recipients", "ReplyAllStormDetectionMinimumRecipients", Integer()),
        Property("reply_all_storm_detection_minimum_replies", "ReplyAllStormDetectionMinimumReplies", Integer()),
        Property("reply_all_storm_protection_enabled", "ReplyAllStormProtectionEnabled", _BOOL),
        Property("rfc2231_encoding_enabled", "Rfc2231EncodingEnabled", _BOOL),
        Property("smtp_client_authentication_disabled", "SmtpClientAuthenticationDisabled", _BOOL),
        Property("voicemail_journaling_enabled", "VoicemailJournalingEnabled", _BOOL),
    ),
    label="the organization",
    single=True,
)

_DEVICES = TextList()
_USER_AGENTS = TextList(exact=True)  # stored without case, enforced with it
# "EwsApplicationAccessPolicy must be specified if to set EwsAllowList or EwsBlockList" (microsoft-365-docs PR 10377).
_EWS = "ews_application_access_policy"
_EWS_POLICY = Enum(("EnforceAllowList", "EnforceBlockList"), nullable=True)

CAS_MAILBOX = Table(
    "CASMailbox",
    (
        Property("active_sync_allowed_device_ids", "ActiveSyncAllowedDeviceIDs", _DEVICES),
        Property("active_sync_blocked_device_ids", "ActiveSyncBlockedDeviceIDs", _DEVICES),
        Property("active_sync_enabled", "ActiveSyncEnabled", _BOOL),
        # Unset and pinned to the default read the same name (office-docs-powershell #5014).
        Property(
            "active_sync_mailbox_policy",
            "ActiveSyncMailboxPolicy",
            Policy(),
            defaulted="ActiveSyncMailboxPolicyIsDefaulted",
        ),
        Property("active_sync_suppress_read_receipt", "ActiveSyncSuppressReadReceipt", _BOOL),
        Property("ews_allow_entourage", "EwsAllowEntourage", _TRISTATE),
        Property("ews_allow_list", "EwsAllowList", _USER_AGENTS, companion=_EWS),
        Property("ews_allow_mac_outlook", "EwsAllowMacOutlook", _TRISTATE),
        Property("ews_allow_outlook", "EwsAllowOutlook", _TRISTATE),
        Property("ews_application_access_policy", "EwsApplicationAccessPolicy", _EWS_POLICY),
        Property("ews_block_list", "EwsBlockList", _USER_AGENTS, companion=_EWS),
        Property("ews_enabled", "EwsEnabled", _TRISTATE),
        Property("imap_enabled", "ImapEnabled", _BOOL),
        Property(
            "imap_force_ical_for_calendar_retrieval_option",
            "ImapForceICalForCalendarRetrievalOption",
            _BOOL,
            switch="imap_use_protocol_defaults",
        ),
        Property(
            "imap_messages_retrieval_mime_format",
            "ImapMessagesRetrievalMimeFormat",
            _MIME,
            switch="imap_use_protocol_defaults",
        ),
        Property("imap_suppress_read_receipt", "ImapSuppressReadReceipt", _BOOL, switch="imap_use_protocol_defaults"),
        Property("imap_use_protocol_defaults", "ImapUseProtocolDefaults", _BOOL),
        Property("mac_outlook_enabled", "MacOutlookEnabled", _TRISTATE),
        Property("mapi_enabled", "MAPIEnabled", _BOOL),
        Property("one_win_native_outlook_enabled", "OneWinNativeOutlookEnabled", _TRISTATE),
        Property("outlook_mobile_enabled", "OutlookMobileEnabled", _TRISTATE),
        Property("owa_enabled", "OWAEnabled", _BOOL),
        Property("owa_for_devices_enabled", "OWAforDevicesEnabled", _BOOL),
        Property("owa_mailbox_policy", "OwaMailboxPolicy", Policy()),
        Property("pop_enabled", "PopEnabled", _BOOL),
        Property(
            "pop_force_ical_for_calendar_retrieval_option",
            "PopForceICalForCalendarRetrievalOption",
            _BOOL,
            switch="pop_use_protocol_defaults",
        ),
        Property(
            "pop_messages_retrieval_mime_format",
            "PopMessagesRetrievalMimeFormat",
            _MIME,
            switch="pop_use_protocol_defaults",
        ),
        Property("pop_suppress_read_receipt", "PopSuppressReadReceipt", _BOOL, switch="pop_use_protocol_defaults"),
        Property("pop_use_protocol_defaults", "PopUseProtocolDefaults", _BOOL),
        Property("public_folder_client_access", "PublicFolderClientAccess", _BOOL),
        Property("show_gal_as_default_view", "ShowGalAsDefaultView", _BOOL),
        Property("smtp_client_authentication_disabled", "SmtpClientAuthenticationDisabled", Tristate(blank=True)),
        Property("universal_outlook_enabled", "UniversalOutlookEnabled", _TRISTATE),
    ),
)

ORGANIZATION_CONFIG = Table(
    "OrganizationConfig",
    (
        Property("activity_based_authentication_timeout_enabled", "ActivityBasedAuthenticationTimeoutEnabled", _BOOL),
        Property(
            "activity_based_authentication_timeout_interval",
            "ActivityBasedAuthenticationTimeoutInterval",
            Duration(5 * 60, 8 * 60 * 60),
        ),
        Property(
            "activity_based_authentication_timeout_with_single_sign_on_enabled",
            "ActivityBasedAuthenticationTimeoutWithSingleSignOnEnabled",
            _BOOL,
        ),
        Property("apps_for_office_enabled", "AppsForOfficeEnabled", _BOOL),
        Property("audit_disabled", "AuditDisabled", _BOOL),
        Property("autodiscover_partial_dir_sync", "AutodiscoverPartialDirSync", _BOOL),
        Property("block_move_messages_for_group_folders", "BlockMoveMessagesForGroupFolders", _BOOL),
        Property("bookings_auth_enabled", "BookingsAuthEnabled", _BOOL),
        Property("bookings_enabled", "BookingsEnabled", _BOOL),
        Property("connectors_actionable_messages_enabled", "ConnectorsActionableMessagesEnabled", _BOOL),
        Property("connectors_enabled", "ConnectorsEnabled", _BOOL),
        Property("connectors_enabled_for_outlook", "ConnectorsEnabledForOutlook", _BOOL),
        Property("connectors_enabled_for_sharepoint", "ConnectorsEnabledForSharepoint", _BOOL),
        Property("connectors_enabled_for_teams", "ConnectorsEnabledForTeams", _BOOL),
        Property("connectors_enabled_for_yammer", "ConnectorsEnabledForYammer", _BOOL),
        Property("default_authentication_policy", "DefaultAuthenticationPolicy", PolicyReference()),
        Property("direct_reports_group_auto_creation_enabled", "DirectReportsGroupAutoCreationEnabled", _BOOL),
        Property("elc_processing_disabled", "ElcProcessingDisabled", _BOOL),
        Property("end_user_dl_upgrade_flows_disabled", "EndUserDLUpgradeFlowsDisabled", _BOOL),
        Property("ews_allow_list", "EwsAllowList", _USER_AGENTS, companion=_EWS),
        Property("ews_allow_mac_outlook", "EwsAllowMacOutlook", _TRISTATE),
        Property("ews_allow_outlook", "EwsAllowOutlook", _TRISTATE),
        # Without the switch it reads empty whatever it holds (office-docs-powershell PR 13657).
        Property("ews_allowed_app_ids", "EwsAllowedAppIDs", AppIds(), reader="RetrieveEwsOperationAccessPolicy"),
        Property("ews_application_access_policy", "EwsApplicationAccessPolicy", _EWS_POLICY),
        Property("ews_block_list", "EwsBlockList", _USER_AGENTS, companion=_EWS),
        Property("ews_enabled", "EwsEnabled", _TRISTATE),
        Property("focused_inbox_on", "FocusedInboxOn", _TRISTATE),
        Property("link_preview_enabled", "LinkPreviewEnabled", _BOOL),
        Property("mail_tips_all_tips_enabled", "MailTipsAllTipsEnabled", _BOOL),
        Property("mail_tips_external_recipients_tips_enabled", "MailTipsExternalRecipientsTipsEnabled", _BOOL),
        Property("mail_tips_group_metrics_enabled", "MailTipsGroupMetricsEnabled", _BOOL),
        Property("mail_tips_large_audience_threshold", "MailTipsLargeAudienceThreshold", Integer()),
        Property("mail_tips_mailbox_sourced_tips_enabled", "MailTipsMailboxSourcedTipsEnabled", _BOOL),
        Property("message_recall_enabled", "MessageRecallEnabled", _TRISTATE),
        Property("oauth2_client_profile_enabled", "OAuth2ClientProfileEnabled", _BOOL),
        Property("public_computers_detection_enabled", "PublicComputersDetectionEnabled", _BOOL),
        Property("public_folder_show_client_control", "PublicFolderShowClientControl", _BOOL),
        Property("recall_read_messages_enabled", "RecallReadMessagesEnabled", _TRISTATE),
        Property("reject_direct_send", "RejectDirectSend", _BOOL),
        Property("send_from_alias_enabled", "SendFromAliasEnabled", _BOOL),
        Property("smtp_actionable_messages_enabled", "SmtpActionableMessagesEnabled", _BOOL),
    ),
    label="the organization",
    single=True,
)

USER = Table("User", (Property("authentication_policy", "AuthenticationPolicy", PolicyReference()),), label="user")

CAS_MAILBOX_PLAN = Table(
    "CASMailboxPlan",
    (
        Property("active_sync_enabled", "ActiveSyncEnabled", _BOOL),
        Property("imap_enabled", "ImapEnabled", _BOOL),
        Property("owa_mailbox_policy", "OwaMailboxPolicy", Policy()),
        Property("pop_enabled", "PopEnabled", _BOOL),
    ),
    label="mailbox plan",
    few=True,
)

AUTHENTICATION_POLICY = Table(
    "AuthenticationPolicy",
    (
        Property("allow_basic_auth_active_sync", "AllowBasicAuthActiveSync", _BOOL),
        Property("allow_basic_auth_autodiscover", "AllowBasicAuthAutodiscover", _BOOL),
        Property("allow_basic_auth_imap", "AllowBasicAuthImap", _BOOL),
        Property("allow_basic_auth_mapi", "AllowBasicAuthMapi", _BOOL),
        Property("allow_basic_auth_offline_address_book", "AllowBasicAuthOfflineAddressBook", _BOOL),
        Property("allow_basic_auth_outlook_service", "AllowBasicAuthOutlookService", _BOOL),
        Property("allow_basic_auth_pop", "AllowBasicAuthPop", _BOOL),
        Property("allow_basic_auth_powershell", "AllowBasicAuthPowershell", _BOOL),
        Property("allow_basic_auth_reporting_web_services", "AllowBasicAuthReportingWebServices", _BOOL),
        Property("allow_basic_auth_rpc", "AllowBasicAuthRpc", _BOOL),
        Property("allow_basic_auth_smtp", "AllowBasicAuthSmtp", _BOOL),
        Property("allow_basic_auth_web_services", "AllowBasicAuthWebServices", _BOOL),
    ),
    label="authentication policy",
    few=True,
)

# The setting that this collection exists for has one name on the organization and on a mailbox.
SMTP_AUTH = "smtp_client_authentication_disabled"
POLICY = "authentication_policy"  # of a user
DEFAULT_POLICY = "default_authentication_policy"  # of the organization
