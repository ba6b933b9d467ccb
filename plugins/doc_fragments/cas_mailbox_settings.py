# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  active_sync_allowed_device_ids:
    description:
      - IDs of the devices that may use Exchange ActiveSync with this mailbox, whatever the device access rules
        of the organization say.
      - Other administrators change this list too. Releasing or blocking a phone in quarantine adds it here, so setting
        the whole list undoes their decision. Prefer C(add) and C(remove).
      - A list sets exactly these IDs. A dictionary takes C(add) and C(remove), or C(set). An empty list clears
        it.
    type: raw
  active_sync_blocked_device_ids:
    description:
      - IDs of the devices that may not use Exchange ActiveSync with this mailbox, whatever the device access
        rules of the organization say.
      - Other administrators change this list too. Releasing or blocking a phone in quarantine adds it here, so setting
        the whole list undoes their decision. Prefer C(add) and C(remove).
      - A list sets exactly these IDs. A dictionary takes C(add) and C(remove), or C(set). An empty list clears
        it.
    type: raw
  active_sync_enabled:
    description:
      - Whether the mailbox may be used with Exchange ActiveSync. While it is V(false), the other ActiveSync settings
        are stored but have no effect.
      - A license change can reset it to the value in the CAS mailbox plan.
    type: bool
  active_sync_mailbox_policy:
    description:
      - The mobile device mailbox policy of the mailbox, by name or distinguished name. A GUID is refused,
        because the service shows the name and the two could not be compared.
      - V('') goes back to the organization's default policy, whichever that is. It reads back as V('') too.
      - Naming the default policy pins the mailbox to it. It then keeps that policy when another one becomes the
        default.
    type: str
  active_sync_suppress_read_receipt:
    description:
      - Whether devices are kept from sending read receipts on their own.
    type: bool
  ews_allow_entourage:
    description:
      - Whether Microsoft Entourage may use Exchange Web Services (EWS) with the mailbox. The program was discontinued
        long ago.
      - V(inherit) (null in the service) leaves it to the organization.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  ews_allow_list:
    description:
      - User agents that may use EWS with the mailbox.
      - Patterns are case-sensitive when they are applied, and may contain C(*), as in V(OWA/*).
      - It has an effect only while O(ews_enabled) allows EWS and O(ews_application_access_policy=EnforceAllowList). The
        service wants that policy in the same call as a list, so the module always sends both.
      - A list sets exactly these. A dictionary takes C(add) and C(remove), or C(set). An empty list clears it.
    type: raw
  ews_allow_mac_outlook:
    description:
      - Whether Outlook for Mac may use EWS with the mailbox. Newer versions do without EWS, see
        O(mac_outlook_enabled).
      - V(inherit) (null in the service) leaves it to the organization.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  ews_allow_outlook:
    description:
      - Whether Outlook may use EWS with the mailbox, for free and busy times, automatic replies and shared
        calendars.
      - V(inherit) (null in the service) leaves it to the organization.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  ews_application_access_policy:
    description:
      - Which list of user agents is enforced for EWS. V(EnforceAllowList) lets in only what O(ews_allow_list)
        names, V(EnforceBlockList) keeps out what O(ews_block_list) names.
      - V(inherit) (null in the service) enforces neither of the mailbox's lists.
    type: str
    choices:
      - EnforceAllowList
      - EnforceBlockList
      - inherit
  ews_block_list:
    description:
      - User agents that may not use EWS with the mailbox.
      - Patterns are case-sensitive when they are applied, and may contain C(*), as in V(OWA/*).
      - It has an effect only while O(ews_enabled) allows EWS and O(ews_application_access_policy=EnforceBlockList). The
        service wants that policy in the same call as a list, so the module always sends both.
      - A list sets exactly these. A dictionary takes C(add) and C(remove), or C(set). An empty list clears it.
    type: raw
  ews_enabled:
    description:
      - Whether EWS may be used with the mailbox. While it is V(false), the other EWS settings are stored but have no
        effect.
      - V(inherit) (null in the service) leaves it to the organization. V(true) alone is not enough, because the
        organization has to allow EWS as well.
      - Microsoft is retiring EWS in Exchange Online, step by step until April 2027.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  imap_enabled:
    description:
      - Whether the mailbox may be read with IMAP4. While it is V(false), the other IMAP settings are stored but have no
        effect.
      - A license change can reset it to the value in the CAS mailbox plan.
    type: bool
  imap_force_ical_for_calendar_retrieval_option:
    description:
      - Whether IMAP4 clients get meeting requests as iCalendar (V(true)) or as a link to Outlook on the web
        (V(false)).
      - It has an effect only while O(imap_use_protocol_defaults) is off. The module turns that off in the same call
        when it sets this option, and O(imap_use_protocol_defaults=true) together with it is refused as a contradiction.
    type: bool
  imap_messages_retrieval_mime_format:
    description:
      - The format in which IMAP4 clients get the text of messages. One of V(TextOnly), V(HtmlOnly),
        V(HtmlAndTextAlternative), V(TextEnrichedOnly), V(TextEnrichedAndTextAlternative), V(BestBodyFormat) and
        V(Tnef), or its number from V(0) to V(6) in this order.
      - It reads back as the name, whichever you write.
      - It has an effect only while O(imap_use_protocol_defaults) is off. The module turns that off in the same call
        when it sets this option, and O(imap_use_protocol_defaults=true) together with it is refused as a contradiction.
    type: str
  imap_suppress_read_receipt:
    description:
      - Whether an IMAP4 client causes one read receipt, when the message is opened (V(true)), or a second one
        when it is fetched (V(false)).
      - It has an effect only while O(imap_use_protocol_defaults) is off. The module turns that off in the same call
        when it sets this option, and O(imap_use_protocol_defaults=true) together with it is refused as a contradiction.
    type: bool
  imap_use_protocol_defaults:
    description:
      - Whether the defaults of the service apply to IMAP4, instead of the three IMAP format options of the mailbox.
      - With V(true), the values of those options may stay stored and visible, but have no effect.
    type: bool
  mac_outlook_enabled:
    description:
      - Whether the newer Outlook for Mac may be used with the mailbox.
      - V(inherit) (null in the service) means not set, and the service allows it.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  mapi_enabled:
    description:
      - Whether the mailbox may be used with MAPI, that is, with classic Outlook for Windows.
    type: bool
  one_win_native_outlook_enabled:
    description:
      - Whether the new Outlook for Windows may be used with the mailbox. It also needs O(owa_enabled=true).
      - V(inherit) (null in the service) leaves it to the Outlook on the web policy of the mailbox.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  outlook_mobile_enabled:
    description:
      - Whether Outlook for iOS and Android may be used with the mailbox.
      - V(inherit) (null in the service) means not set, and the service allows it.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  owa_enabled:
    description:
      - Whether the mailbox may be used with Outlook on the web. V(false) stops the new Outlook for Windows too.
    type: bool
  owa_for_devices_enabled:
    description:
      - Whether the former app OWA for Devices may be used with the mailbox. The app was retired in 2018; the setting is
        stored but has no effect.
    type: bool
  owa_mailbox_policy:
    description:
      - The Outlook on the web policy of the mailbox, by name or distinguished name. A GUID is refused, because
        the service shows the name and the two could not be compared.
      - V('') means that no policy is assigned. That is a state of its own; the service does not turn it into
        C(OwaMailboxPolicy-Default).
      - A license change can reset it. Users can see the effect up to an hour later.
    type: str
  pop_enabled:
    description:
      - Whether the mailbox may be read with POP3. While it is V(false), the other POP settings are stored but have no
        effect.
      - A license change can reset it to the value in the CAS mailbox plan.
    type: bool
  pop_force_ical_for_calendar_retrieval_option:
    description:
      - Whether POP3 clients get meeting requests as iCalendar (V(true)) or as a link to Outlook on the web
        (V(false)).
      - Do not rely on a default. Both values are found on mailboxes whose setting was never changed.
      - It has an effect only while O(pop_use_protocol_defaults) is off. The module turns that off in the same call when
        it sets this option, and O(pop_use_protocol_defaults=true) together with it is refused as a contradiction.
    type: bool
  pop_messages_retrieval_mime_format:
    description:
      - The format in which POP3 clients get the text of messages. One of V(TextOnly), V(HtmlOnly),
        V(HtmlAndTextAlternative), V(TextEnrichedOnly), V(TextEnrichedAndTextAlternative), V(BestBodyFormat) and
        V(Tnef), or its number from V(0) to V(6) in this order.
      - It reads back as the name, whichever you write.
      - It has an effect only while O(pop_use_protocol_defaults) is off. The module turns that off in the same call when
        it sets this option, and O(pop_use_protocol_defaults=true) together with it is refused as a contradiction.
    type: str
  pop_suppress_read_receipt:
    description:
      - Whether a POP3 client causes one read receipt, when the message is opened (V(true)), or a second one
        when it is fetched (V(false)).
      - It has an effect only while O(pop_use_protocol_defaults) is off. The module turns that off in the same call when
        it sets this option, and O(pop_use_protocol_defaults=true) together with it is refused as a contradiction.
    type: bool
  pop_use_protocol_defaults:
    description:
      - Whether the defaults of the service apply to POP3, instead of the three POP format options of the mailbox.
      - With V(true), the values of those options may stay stored and visible, but have no effect.
    type: bool
  public_folder_client_access:
    description:
      - Whether the user sees public folders in Outlook where the organization restricts that.
      - It has an effect only while C(PublicFolderShowClientControl) of the organization is on.
    type: bool
  show_gal_as_default_view:
    description:
      - Whether the address book opens with the global address list.
    type: bool
  smtp_client_authentication_disabled:
    description:
      - Whether SMTP AUTH (authenticated client submission) is off for the mailbox.
      - The name is inverted. V(false) turns SMTP AUTH B(on) for this mailbox, even if the organization blocks
        it, and V(true) turns it off, even if the organization allows it.
      - V(inherit) (null in the service, blank in PowerShell) lets the organization decide, see
        O(m365.exchange_online.exo_transport_config#module:smtp_client_authentication_disabled).
      - It switches the protocol, for Basic authentication and OAuth alike. Security defaults, Conditional Access and an
        authentication policy can each block SMTP AUTH as well.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  universal_outlook_enabled:
    description:
      - Whether the Mail and Calendar apps of Windows 10 may be used with the mailbox. The apps were retired at
        the end of 2024.
      - V(inherit) (null in the service) means not set.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
"""
