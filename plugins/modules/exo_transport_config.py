#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_transport_config
short_description: Manage the transport settings of an Exchange Online organization
version_added: 1.0.0
description:
  - Manages the organization's transport settings, including the switch for SMTP AUTH (authenticated client submission).
  - It reads them with C(Get-TransportConfig), and calls C(Set-TransportConfig) once, with just the settings that
    differ. If nothing differs, it is not called at all.
  - A setting that is left out is not managed.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator), or a custom role group
    with the management role C(Organization Transport Settings).
notes:
  - When the switch for SMTP AUTH changes and it can't be known who loses or gains by that, the task is refused.
  - In a hybrid organization, the Hybrid Configuration Wizard can write the values of the on-premises organization
    over many of these settings.
  - If the service says that a parameter does not exist, the app's role usually does not include it. Exchange hides
    parameters that the caller may not set.
extends_documentation_fragment:
  - m365.exchange_online.transport_settings
  - m365.exchange_online.writing.effect
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_transport_config_info
  - module: m365.exchange_online.exo_smtp_auth
  - module: m365.exchange_online.exo_cas_mailbox
  - module: m365.exchange_online.exo_restore
  - name: Set-TransportConfig
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-transportconfig
  - name: Enable or disable SMTP AUTH in Exchange Online
    description: What SMTP AUTH is and what else can block it.
    link: >-
      https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Turn SMTP AUTH off for the organization
  m365.exchange_online.exo_transport_config:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    smtp_client_authentication_disabled: true

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH here.
- name: Preview a change, and change nothing
  m365.exchange_online.exo_transport_config:
    smtp_client_authentication_disabled: true
  check_mode: true
  diff: true

- name: Keep several settings, and write down first what is about to change
  m365.exchange_online.exo_transport_config:
    smtp_client_authentication_disabled: true
    message_expiration: "12:00:00"
    max_recipient_envelope_limit: 500
    external_postmaster_address: postmaster@contoso.com
    external_dsn_default_language: "no"  # unquoted, YAML takes it for false
    undo_file: /var/lib/exo/contoso-transport.json

- name: Give settings back to the service
  m365.exchange_online.exo_transport_config:
    allow_legacy_tls_clients: inherit
    external_dsn_reporting_authority: ""

- name: Several tasks for one tenant, the connection given once
  module_defaults:
    group/m365.exchange_online.exo:
      tenant: contoso.onmicrosoft.com
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/contoso.pem
  block:
    - name: Reply-all storms are stopped early
      m365.exchange_online.exo_transport_config:
        reply_all_storm_protection_enabled: true
        reply_all_storm_detection_minimum_recipients: 1000

    - name: Legacy TLS stays shut
      m365.exchange_online.exo_transport_config:
        allow_legacy_tls_clients: false

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_transport_config:
    tenant: "{{ exo_tenant }}"
    smtp_client_authentication_disabled: true
  delegate_to: localhost
"""

RETURN = r"""
msg:
  description:
    - The task in one line, with what changes, how many mailboxes lose or gain SMTP AUTH, and where the former values
      are kept (the way back). In check mode it says what would change.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: organization off → 0 mailboxes change, 397 lose SMTP AUTH, 0 gain it;
    way back: /var/lib/exo/undo.json
transport_config:
  description:
    - Every setting of this module that the service sent, by the name of its option and in the form that the option
      takes.
    - After a change these are the new values. In check mode they are what they would be.
  returned: success
  type: dict
  sample:
    address_book_policy_routing_enabled: false
    allow_legacy_tls_clients: inherit
    clear_categories: true
    convert_disclaimer_wrapper_to_eml: false
    dsn_conversion_mode: PreserveDSNBody
    external_delay_dsn_enabled: true
    external_dsn_default_language: ""
    external_dsn_language_detection_enabled: true
    external_dsn_reporting_authority: ""
    external_dsn_send_html: true
    external_postmaster_address: ""
    header_promotion_mode_setting: NoCreate
    internal_delay_dsn_enabled: true
    internal_dsn_default_language: ""
    internal_dsn_language_detection_enabled: true
    internal_dsn_reporting_authority: ""
    internal_dsn_send_html: true
    journal_message_expiration_days: 0
    journaling_report_ndr_to: ""
    max_recipient_envelope_limit: Unlimited
    message_expiration: "1.00:00:00"
    prevent_duplicate_journaling_enabled: false
    reply_all_storm_block_duration_hours: 6
    reply_all_storm_detection_minimum_recipients: 2500
    reply_all_storm_detection_minimum_replies: 10
    reply_all_storm_protection_enabled: true
    rfc2231_encoding_enabled: false
    smtp_client_authentication_disabled: true
    voicemail_journaling_enabled: true
effect:
  description:
    - How many mailboxes lose or gain SMTP AUTH. Those without a value of their own follow the organization.
  returned: success
  type: dict
  contains:
    lose:
      description: How many mailboxes can no longer use SMTP AUTH. V(null) if that can't be known.
      returned: always
      type: int
      sample: 397
    gain:
      description: How many mailboxes can use SMTP AUTH from now on. V(null) if that can't be known.
      returned: always
      type: int
      sample: 0
    lose_sample:
      description: The addresses of the first 20 mailboxes that lose it.
      returned: always
      type: list
      elements: str
      sample:
        - frank@contoso.com
    gain_sample:
      description: The addresses of the first 20 mailboxes that gain it.
      returned: always
      type: list
      elements: str
      sample: []
confirmed:
  description:
    - Whether the service showed everything that was written. V(false) comes with a warning and means that it did not
      show it within O(wait_timeout).
  returned: when something was written and O(wait=true)
  type: bool
  sample: true
effect_file:
  description: Path of the file with every mailbox that loses or gains SMTP AUTH.
  returned: when O(effect_file) is given
  type: str
  sample: /var/lib/exo/contoso-effect.csv
undo:
  description:
    - What an undo file would hold, without names, to give to O(m365.exchange_online.exo_restore#module:content). Each
      of C(groups) lists the objects that change in the same way, by GUID. For the organization that is an empty text.
    - If there is too much for one result, this is the first part, and C(parts) says how many there are.
  returned: with O(undo_in_result=true), when something changes, in check mode too
  type: dict
  sample:
    format: 2
    collection: m365.exchange_online 1.0.0
    written: "2026-11-23T09:59:25.821392+00:00"
    tenant_id: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
    tenant: contoso.onmicrosoft.com
    task: m365.exchange_online.exo_transport_config
    effect: {lose: "", gain: ""}
    groups:
      - noun: TransportConfig
        before: {clear_categories: true}
        after: {clear_categories: false}
        guids: [""]
undo_file:
  description: Path of the undo file that was written.
  returned: when O(undo_file) is given and something was about to change, not in check mode
  type: str
  sample: /var/lib/exo/contoso-2026-11-23.json
diff:
  description: Only the settings that differ.
  returned: in diff mode, when something differs
  type: dict
  contains:
    before_header:
      description: The tenant and what changes, as the heading of the diff.
      returned: always
      type: str
      sample: "contoso.onmicrosoft.com: the organization"
    after_header:
      description: The same as RV(diff.before_header).
      returned: always
      type: str
      sample: "contoso.onmicrosoft.com: the organization"
    before:
      description: The settings that differ, as they were.
      returned: always
      type: dict
      sample: {smtp_client_authentication_disabled: false}
    after:
      description: The same settings, as they are now or would be.
      returned: always
      type: dict
      sample: {smtp_client_authentication_disabled: true}
retried:
  description: One sentence for each retry, with what failed, why, and how many seconds the task waited.
  returned: when a request was sent more than once
  type: list
  elements: str
  sample:
    - "Get-TransportConfig failed: too many requests (HTTP 429). Waited 2.0 s."
error_code:
  description: What kind of failure it is. The values are listed in the notes.
  returned: failure
  type: str
  sample: access_denied
http_status:
  description: The HTTP status that the service answered with.
  returned: failure, when there was an answer
  type: int
  sample: 403
cmdlet:
  description: The cmdlet that was called.
  returned: failure, when a cmdlet was called
  type: str
  sample: Set-TransportConfig
request_id:
  description: The ID of the request, for a support case with Microsoft.
  returned: failure, when the service sent one
  type: str
  sample: 3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11
hint:
  description: What to do about it. C(msg) ends with the same text.
  returned: failure, when one is known
  type: str
  sample: Give the app a directory role such as Exchange Administrator; the permission alone is not enough.
"""

from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module
from ansible_collections.m365.exchange_online.plugins.module_utils._transport_config import ARGUMENT_SPEC, converge


def main() -> None:
    run_module(converge, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
