# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication policies, mailbox plans and users: the properties of their Get, and the parameters of their Set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import values
from .schema import guid, listing, moment, plain
from .values import Converter

AUTHENTICATION_PROPERTIES = (
    plain("AllowBasicAuthActiveSync", False),
    plain("AllowBasicAuthAutodiscover", False),
    plain("AllowBasicAuthImap", False),
    plain("AllowBasicAuthMapi", False),
    plain("AllowBasicAuthOfflineAddressBook", False),
    plain("AllowBasicAuthOutlookService", False),
    plain("AllowBasicAuthPop", False),
    plain("AllowBasicAuthReportingWebServices", False),
    plain("AllowBasicAuthRest", False),
    plain("AllowBasicAuthRpc", False),
    plain("AllowBasicAuthSmtp", False),
    plain("AllowBasicAuthWebServices", False),
    plain("AllowBasicAuthPowershell", False),
    plain("AdminDisplayName", ""),
    plain("Name"),
    plain("Identity"),
    plain("Id"),
    plain("ExchangeVersion", "0.1 (8.0.535.0)"),
    plain("DistinguishedName"),
    plain("ObjectCategory"),
    listing("ObjectClass", "top", "msExchAuthPolicy"),
    moment("WhenChanged"),
    moment("WhenCreated"),
    moment("WhenChangedUTC"),
    moment("WhenCreatedUTC"),
    guid("ExchangeObjectId"),
    plain("OrganizationalUnitRoot"),
    plain("OrganizationId"),
    guid("Guid"),
    plain("OriginatingServer"),
    plain("IsValid", True),
)
AUTHENTICATION_BY_NAME = {row.name: row for row in AUTHENTICATION_PROPERTIES}
# The two others are shown, and nothing sets them.
AUTHENTICATION_SWITCHES = tuple(
    row.name
    for row in AUTHENTICATION_PROPERTIES
    if row.name.startswith("AllowBasicAuth") and row.name not in ("AllowBasicAuthRest", "AllowBasicAuthLogExport")
)
AUTHENTICATION_PARAMETERS: Mapping[str, Converter] = dict.fromkeys(AUTHENTICATION_SWITCHES, values.switch)
# They belong to a pseudo policy, and their time is over.
AUTHENTICATION_NOT_SIMULATED = frozenset({"allowlegacyexchangetokens", "blocklegacyexchangetokens", "tenantid"})

PLAN_PROPERTIES = (
    plain("ActiveSyncMailboxPolicy"),
    plain("ActiveSyncDebugLogging", False),
    plain("ActiveSyncEnabled", True),
    plain("ActiveSyncSuppressReadReceipt", False),
    plain("DisplayName"),
    plain("ECPEnabled", True),
    plain("ImapEnabled", True),
    plain("ImapUseProtocolDefaults", True),
    plain("ImapMessagesRetrievalMimeFormat", "BestBodyFormat"),
    plain("ImapEnableExactRFC822Size", False),
    plain("ImapProtocolLoggingEnabled", False),
    plain("ImapSuppressReadReceipt", False),
    plain("ImapForceICalForCalendarRetrievalOption", False),
    plain("MAPIEnabled", True),
    plain("MapiHttpEnabled"),
    plain("MAPIBlockOutlookNonCachedMode", False),
    plain("MAPIBlockOutlookVersions"),
    plain("MAPIBlockOutlookRpcHttp", False),
    plain("PublicFolderClientAccess", False),
    plain("MAPIBlockOutlookExternalConnectivity", False),
    plain("OwaMailboxPolicy", "OwaMailboxPolicy-Default"),
    plain("OWAEnabled", True),
    plain("OWAforDevicesEnabled", True),
    plain("PopEnabled", True),
    plain("PopMessageDeleteEnabled", True),
    plain("PopUseProtocolDefaults", True),
    plain("PopMessagesRetrievalMimeFormat", "BestBodyFormat"),
    plain("PopEnableExactRFC822Size", False),
    plain("PopProtocolLoggingEnabled", False),
    plain("PopSuppressReadReceipt", False),
    plain("PopForceICalForCalendarRetrievalOption", True),
    plain("RemotePowerShellEnabled", True),
    plain("UniversalOutlookEnabled", True),
    plain("OutlookMobileEnabled", True),
    plain("MacOutlookEnabled", True),
    plain("EwsEnabled"),
    plain("EwsAllowOutlook"),
    plain("EwsAllowMacOutlook"),
    plain("EwsAllowEntourage"),
    plain("EwsApplicationAccessPolicy"),
    plain("EwsAllowList"),
    plain("EwsBlockList"),
    plain("Identity"),
    plain("Id"),
    plain("Name"),
    plain("ExchangeVersion", "0.1 (8.0.535.0)"),
    plain("DistinguishedName"),
    plain("ObjectCategory"),
    listing("ObjectClass", "top", "person", "organizationalPerson", "user"),
    moment("WhenChanged"),
    moment("WhenCreated"),
    moment("WhenChangedUTC"),
    moment("WhenCreatedUTC"),
    guid("ExchangeObjectId"),
    plain("OrganizationalUnitRoot"),
    plain("OrganizationId"),
    guid("Guid"),
    plain("OriginatingServer"),
    plain("IsValid", True),
)
PLAN_BY_NAME = {row.name: row for row in PLAN_PROPERTIES}
PLAN_PARAMETERS: Mapping[str, Converter] = {
    "ActiveSyncEnabled": values.boolean,
    "ImapEnabled": values.boolean,
    "OwaMailboxPolicy": values.policy("owa"),
    "PopEnabled": values.boolean,
}
# They stand on the page of Set-CASMailboxPlan without a word of what they do; EwsEnabled even as a number.
PLAN_NOT_SIMULATED = frozenset({"ecpenabled", "ewsenabled", "mapienabled", "owaenabled"})
# A plan for each kind of licence, and where it differs from the others.
PLANS: Mapping[str, Mapping[str, Any]] = {
    "ExchangeOnlineEnterprise": {},
    "ExchangeOnline": {},
    "ExchangeOnlineDeskless": {"ImapEnabled": False, "MAPIEnabled": False, "EwsEnabled": False},
    "ExchangeOnlineEssentials": {},
}
# What a mailbox takes from its plan when it gets the licence.
INHERITED = ("ActiveSyncEnabled", "ImapEnabled", "MAPIEnabled", "OWAEnabled", "OwaMailboxPolicy", "PopEnabled")

USER_PROPERTIES = (
    plain("IsSecurityPrincipal", True),
    plain("SamAccountName"),
    plain("UserPrincipalName"),
    plain("ResetPasswordOnNextLogon", False),
    listing("CertificateSubject"),
    plain("RemotePowerShellEnabled", False),
    plain("WindowsLiveID"),
    plain("MicrosoftOnlineServicesID"),
    plain("NetID"),
    plain("ConsumerNetID"),
    plain("UserAccountControl"),
    plain("OrganizationalUnit"),
    plain("IsLinked", False),
    plain("LinkedMasterAccount", ""),
    plain("ExternalDirectoryObjectId"),
    plain("SKUAssigned"),
    plain("IsSoftDeletedByRemove", False),
    plain("IsSoftDeletedByDisable", False),
    plain("WhenSoftDeleted"),
    plain("PreviousRecipientTypeDetails", "None"),
    listing("InPlaceHoldsRaw"),
    plain("AccountDisabled"),
    plain("AuthenticationPolicy"),
    moment("StsRefreshTokensValidFrom"),
    plain("IsInactiveMailbox", False),
    listing("AdministrativeUnits"),
    plain("DisplayName"),
    plain("FirstName", ""),
    plain("LastName", ""),
    plain("IsDirSynced", False),
    plain("Manager"),
    plain("RecipientType"),
    plain("RecipientTypeDetails"),
    plain("Title", ""),
    plain("WindowsEmailAddress"),
    plain("Identity"),
    plain("Id"),
    plain("Name"),
    plain("ExchangeVersion", "0.1 (8.0.535.0)"),
    plain("DistinguishedName"),
    plain("ObjectCategory"),
    listing("ObjectClass", "top", "person", "organizationalPerson", "user"),
    moment("WhenChanged"),
    moment("WhenCreated"),
    moment("WhenChangedUTC"),
    moment("WhenCreatedUTC"),
    guid("ExchangeObjectId"),
    plain("OrganizationalUnitRoot"),
    plain("OrganizationId"),
    guid("Guid"),
    plain("OriginatingServer"),
    plain("IsValid", True),
)
USER_BY_NAME = {row.name: row for row in USER_PROPERTIES}
USER_PARAMETERS: Mapping[str, Converter] = {
    "AuthenticationPolicy": values.policy("authentication"),
    "StsRefreshTokensValidFrom": values.sortable_time,
}
