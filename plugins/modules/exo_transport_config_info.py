#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_transport_config_info
short_description: Read the transport settings of an Exchange Online organization
version_added: 1.0.0
description:
  - Returns the organization's transport settings, as C(Get-TransportConfig) has them.
  - It also returns whatever else the service sent, so that a property which this collection does not know yet is not
    lost.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough, as is a custom role group with the management role C(View-Only Configuration).
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_transport_config
  - module: m365.exchange_online.exo_cas_mailbox_info
  - name: Get-TransportConfig
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/get-transportconfig
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Read the transport settings
  m365.exchange_online.exo_transport_config_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
  register: transport

- name: Stop if the organization allows SMTP AUTH
  ansible.builtin.assert:
    that: transport.transport_config.smtp_client_authentication_disabled
    fail_msg: SMTP AUTH is on for every mailbox without a value of its own.

- name: Read two tenants with one app registration
  module_defaults:
    group/m365.exchange_online.exo:
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/app.pem
  block:
    - name: Contoso
      m365.exchange_online.exo_transport_config_info:
        tenant: contoso.onmicrosoft.com

    - name: Fabrikam
      m365.exchange_online.exo_transport_config_info:
        tenant: fabrikam.onmicrosoft.com

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_transport_config_info:
    tenant: "{{ exo_tenant }}"
  delegate_to: localhost
"""

RETURN = r"""
transport_config:
  description:
    - Every setting of M(m365.exchange_online.exo_transport_config) that the service sent, by the name of its option and
      in the form that the option takes. It can be given back to that module as it is.
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
other_properties:
  description:
    - Everything else that the service sent, under the service's own names and not converted.
  returned: success
  type: dict
  sample:
    ExternalDsnMaxMessageAttachSize: 10 MB (10,485,760 bytes)
    WhenChangedUTC: "2026-05-04T09:12:44.0000000Z"
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
  sample: Get-TransportConfig
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
from ansible_collections.m365.exchange_online.plugins.module_utils._transport_config import info


def main() -> None:
    run_module(info, {})


if __name__ == "__main__":
    main()
