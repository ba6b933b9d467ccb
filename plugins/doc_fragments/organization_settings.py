# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  activity_based_authentication_timeout_enabled:
    description:
      - Whether idle sessions of Outlook on the web are signed out.
    type: bool
  activity_based_authentication_timeout_interval:
    description:
      - How long a session may be idle before it is signed out, between V(00:05:00) and V(08:00:00). Quote it, because
        YAML reads some durations as numbers; a number is taken as seconds.
    type: str
  activity_based_authentication_timeout_with_single_sign_on_enabled:
    description:
      - Whether the sign-out of idle sessions also applies to sessions with single sign-on.
    type: bool
  apps_for_office_enabled:
    description:
      - Whether add-ins of Outlook may be activated. V(false) stops new ones for everybody, including those that report
        messages.
    type: bool
  audit_disabled:
    description:
      - Whether mailbox auditing is off for the whole organization. V(true) ends the audit trail of all mailboxes.
    type: bool
  autodiscover_partial_dir_sync:
    description:
      - Whether Autodiscover sends unknown users to the on-premises endpoint, for a hybrid organization with a
        partly synchronized directory.
    type: bool
  block_move_messages_for_group_folders:
    description:
      - Whether messages in Microsoft 365 groups may not be moved between folders.
    type: bool
  bookings_auth_enabled:
    description:
      - Whether visitors of booking pages have to sign in. V(true) closes the public pages to anonymous customers.
    type: bool
  bookings_enabled:
    description:
      - Whether Microsoft Bookings is available. V(false) takes published booking pages offline.
    type: bool
  connectors_actionable_messages_enabled:
    description:
      - Whether cards of connected apps may have buttons.
    type: bool
  connectors_enabled:
    description:
      - Whether apps may be connected at all, in Outlook, SharePoint, Teams and Viva Engage.
    type: bool
  connectors_enabled_for_outlook:
    description:
      - Whether apps may be connected in Outlook on the web.
    type: bool
  connectors_enabled_for_sharepoint:
    description:
      - Whether apps may be connected in SharePoint.
    type: bool
  connectors_enabled_for_teams:
    description:
      - Whether apps may be connected in Teams.
    type: bool
  connectors_enabled_for_yammer:
    description:
      - Whether apps may be connected in Viva Engage.
    type: bool
  default_authentication_policy:
    description:
      - The name of the authentication policy of every user who has none of their own. V('') means none.
      - The task counts the mailboxes that lose or gain SMTP AUTH because of it, and is refused if that can't be known.
    type: str
  direct_reports_group_auto_creation_enabled:
    description:
      - Whether each manager gets a group of their direct reports.
    type: bool
  elc_processing_disabled:
    description:
      - Whether the Managed Folder Assistant is off for the organization. V(true) stops retention, except where a
        preservation lock applies.
    type: bool
  end_user_dl_upgrade_flows_disabled:
    description:
      - Whether users are kept from upgrading distribution groups to Microsoft 365 groups. Microsoft documents the
        meaning both ways, so try it first.
    type: bool
  ews_allow_list:
    description:
      - The user agents that may use Exchange Web Services under V(EnforceAllowList), such as V(OWA/*). They are
        case-sensitive.
      - Takes the whole list, or a dictionary with C(add), C(remove) or C(set).
    type: raw
  ews_allow_mac_outlook:
    description:
      - Whether Outlook for Mac may use Exchange Web Services.
      - V(inherit) (null in the service) leaves the choice to the service.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  ews_allow_outlook:
    description:
      - Whether Outlook may use Exchange Web Services.
      - V(inherit) (null in the service) leaves the choice to the service.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  ews_allowed_app_ids:
    description:
      - The applications that may use Exchange Web Services while O(ews_enabled=true), by their client IDs. Since
        October 2026 an empty list means none. A new list can take a day to take effect.
      - Takes the whole list, or a dictionary with C(add), C(remove) or C(set).
    type: raw
  ews_application_access_policy:
    description:
      - Which list of user agents is enforced. The service wants it in the same call as a list, so the module always
        sends both.
      - V(inherit) (null in the service) enforces neither list.
    type: str
    choices:
      - EnforceAllowList
      - EnforceBlockList
      - inherit
  ews_block_list:
    description:
      - The user agents that may not use Exchange Web Services under V(EnforceBlockList).
      - Takes the whole list, or a dictionary with C(add), C(remove) or C(set).
    type: raw
  ews_enabled:
    description:
      - Whether Exchange Web Services can be used. V(false) holds for every mailbox, whatever its own setting says.
        V(true) without O(ews_allowed_app_ids) blocks every app since October 2026.
      - V(inherit) (null in the service) leaves the choice to the service.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  focused_inbox_on:
    description:
      - Whether mailboxes have the Focused Inbox.
      - V(inherit) (null in the service) leaves the choice to the service.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  link_preview_enabled:
    description:
      - Whether previews of links may be offered in messages.
    type: bool
  mail_tips_all_tips_enabled:
    description:
      - Whether MailTips are shown.
    type: bool
  mail_tips_external_recipients_tips_enabled:
    description:
      - Whether a MailTip says that a recipient is outside the organization.
    type: bool
  mail_tips_group_metrics_enabled:
    description:
      - Whether MailTips that need the size of groups are shown.
    type: bool
  mail_tips_large_audience_threshold:
    description:
      - The number of recipients from which a MailTip warns of a large audience.
    type: int
  mail_tips_mailbox_sourced_tips_enabled:
    description:
      - Whether MailTips that look into mailboxes are shown, such as out of office.
    type: bool
  message_recall_enabled:
    description:
      - Whether messages can be recalled in the cloud.
      - V(inherit) (null in the service) leaves the choice to the service.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  oauth2_client_profile_enabled:
    description:
      - Whether Outlook and other clients of Exchange use modern authentication. V(false) sends them back to sign-ins
        without a second factor.
    type: bool
  public_computers_detection_enabled:
    description:
      - Whether Outlook on the web tells public from private computers, so that rules for attachments can differ.
    type: bool
  public_folder_show_client_control:
    description:
      - Whether public folders are shown only in mailboxes with C(public_folder_client_access). V(true) hides them from
        all others.
    type: bool
  recall_read_messages_enabled:
    description:
      - Whether a recall takes back messages that were read already.
      - V(inherit) (null in the service) leaves the choice to the service.
    type: str
    choices:
      - "true"
      - "false"
      - inherit
  reject_direct_send:
    description:
      - Whether to refuse unauthenticated mail from your own domains that matches no inbound connector (Direct Send).
        Devices that send this way stop sending, unless a connector covers them.
    type: bool
  send_from_alias_enabled:
    description:
      - Whether mail sent from an alias keeps the alias as its sender.
    type: bool
  smtp_actionable_messages_enabled:
    description:
      - Whether messages may have buttons.
    type: bool
"""
