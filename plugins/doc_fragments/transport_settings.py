# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  address_book_policy_routing_enabled:
    description:
      - Whether users under different address book policies appear to each other as external recipients.
      - Without address book policies in the tenant it has no visible effect. A change can take half an hour to take
        effect.
    type: bool
  allow_legacy_tls_clients:
    description:
      - Whether clients that speak only TLS 1.0 or 1.1 may use the separate legacy endpoints for SMTP, POP and IMAP.
      - V(inherit) (null in the service) means that the tenant never chose, and the service's default holds. That is
        not the same as V(false).
      - Microsoft is closing the legacy endpoints for POP and IMAP, so the setting can lose its effect.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  clear_categories:
    description:
      - Whether Outlook categories are taken off messages when their content is converted.
    type: bool
  convert_disclaimer_wrapper_to_eml:
    description:
      - What an outbound signed message becomes when a disclaimer rule has to wrap it. V(true) attaches the original
        as an EML file, V(false) as TNEF.
    type: bool
  dsn_conversion_mode:
    description:
      - How non-delivery reports (DSN) that older Exchange versions or other mail systems wrote are converted.
      - V(DoNotConvert) leaves them alone, V(PreserveDSNBody) converts them and keeps their text, and
        V(UseExchangeDSNs) converts them and puts Exchange's own text in its place.
    type: str
    choices:
      - DoNotConvert
      - PreserveDSNBody
      - UseExchangeDSNs
  external_delay_dsn_enabled:
    description:
      - Whether a sender is told when a message to or from the outside is delayed.
    type: bool
  external_dsn_default_language:
    description:
      - The language of delivery reports to external recipients when no better one is known, as a culture name such as
        V(en-US) or V(de). V(fr) and V(fr-FR) are two different values.
      - V('') leaves the choice to the service. Whether the service lets you go back to that state is not documented.
      - Quote names that YAML would read as something else, above all V("no").
    type: str
  external_dsn_language_detection_enabled:
    description:
      - Whether delivery reports to the outside are written in the language of the original message where that can be
        detected. Otherwise O(external_dsn_default_language) is used.
    type: bool
  external_dsn_reporting_authority:
    description:
      - The domain that stands as the reporter in the machine-readable part of external delivery reports. One SMTP
        domain, without wildcards.
      - V('') means the authoritative domain that the organization was created with.
    type: str
  external_dsn_send_html:
    description:
      - Whether external delivery reports are HTML (V(true)) or plain text (V(false)).
    type: bool
  external_postmaster_address:
    description:
      - The From address of delivery reports that go out of the organization. One SMTP address.
      - V('') means C(postmaster@) and the default accepted domain. The service does not show that address.
    type: str
  header_promotion_mode_setting:
    description:
      - Whether unknown C(X-) headers of incoming messages become named properties of the stored message.
      - V(MustCreate) makes one for each such header, V(MayCreate) only when the sender is authenticated, and
        V(NoCreate) never.
    type: str
    choices:
      - MustCreate
      - MayCreate
      - NoCreate
  internal_delay_dsn_enabled:
    description:
      - Whether a sender is told when a message inside the organization is delayed.
    type: bool
  internal_dsn_default_language:
    description:
      - The language of delivery reports to internal recipients when no better one is known, as a culture name such as
        V(en-US) or V(de). V(fr) and V(fr-FR) are two different values.
      - V('') leaves the choice to the service. Whether the service lets you go back to that state is not documented.
      - Quote names that YAML would read as something else, above all V("no").
    type: str
  internal_dsn_language_detection_enabled:
    description:
      - Whether delivery reports inside the organization are written in the language of the original message where that
        can be detected. Otherwise O(internal_dsn_default_language) is used.
    type: bool
  internal_dsn_reporting_authority:
    description:
      - The domain that stands as the reporter in the machine-readable part of internal delivery reports. One SMTP
        domain, without wildcards.
      - V('') means the authoritative domain that the organization was created with.
    type: str
  internal_dsn_send_html:
    description:
      - Whether internal delivery reports are HTML (V(true)) or plain text (V(false)).
    type: bool
  journal_message_expiration_days:
    description:
      - For how many more days an undeliverable journal report stays in the queue, V(0) to V(7). With V(0) it is
        treated like any other undeliverable message.
    type: int
  journaling_report_ndr_to:
    description:
      - The address that gets journal reports which the journaling mailbox does not take. It must lie outside Exchange
        Online, and the mailbox behind it is not journaled itself.
      - A tenant without such an address reads as V(''). Once an address is set, no way to remove it again in Exchange
        Online is known. It can only be replaced, and V('') is refused.
      - Setting it can require the management role C(Journaling).
    type: str
  max_recipient_envelope_limit:
    description:
      - The highest number of recipients of one message, where a group counts as one. V(Unlimited) or a number up to
        V(1000).
      - V(Unlimited) means the limit of the service, which is 1000.
      - It holds only for mailboxes whose own recipient limit is not a number.
    type: str
  message_expiration:
    description:
      - How long the service tries to deliver a message before the sender gets a non-delivery report. From 12 to 24
        hours.
      - Written as V(12:00:00) or V(1.00:00:00) (a day), or as a whole number of seconds such as V(43200).
      - YAML reads an unquoted C(12:00:00) as the number 43200. The module takes that as seconds, so both mean the same.
    type: str
  prevent_duplicate_journaling_enabled:
    description:
      - Whether, in a hybrid organization, a message is kept from being journaled both on premises and in the cloud.
      - Not every tenant has the setting. Where it is missing, the task fails if this option is given.
    type: bool
  reply_all_storm_block_duration_hours:
    description:
      - For how many hours replies to all are refused in a conversation that was found to be a reply-all storm, V(1)
        to V(12).
    type: int
  reply_all_storm_detection_minimum_recipients:
    description:
      - The number of recipients from which a conversation can count as a reply-all storm, V(1000) to V(5000).
    type: int
  reply_all_storm_detection_minimum_replies:
    description:
      - How many replies to all within an hour make a reply-all storm. The service takes V(2) to V(20); its lower limit
        used to be higher, so the module leaves that check to the service.
    type: int
  reply_all_storm_protection_enabled:
    description:
      - Whether the service stops reply-all storms on its own.
    type: bool
  rfc2231_encoding_enabled:
    description:
      - Whether MIME parameters of outbound messages, such as file names that are long or not ASCII, are encoded as
        RFC 2231 says.
    type: bool
  smtp_client_authentication_disabled:
    description:
      - Whether SMTP AUTH (authenticated client submission) is off for the organization.
      - The name is inverted. V(true) turns SMTP AUTH off, V(false) turns it B(on) for every mailbox that has no value
        of its own.
      - A mailbox's own value takes precedence over this one. A mailbox with V(false) sends through SMTP AUTH even while
        this is V(true). M(m365.exchange_online.exo_smtp_auth) manages both together, in an order that cuts off no
        listed mailbox, not even for a moment.
      - It switches the protocol, for Basic authentication and OAuth alike. Security defaults, Conditional Access and an
        authentication policy can each block SMTP AUTH as well.
    type: bool
  voicemail_journaling_enabled:
    description:
      - Whether voice mail notifications are journaled.
      - Exchange Online stores and shows the value, but it has an effect on premises only.
    type: bool
"""
