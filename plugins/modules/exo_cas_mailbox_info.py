#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_cas_mailbox_info
short_description: Read the client-access settings of Exchange Online mailboxes
version_added: 1.0.0
description:
  - Returns how mailboxes may be used by clients, for one mailbox, a list of them, or all, as C(Get-CASMailbox) has
    it.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough, as is a custom role group with the management role C(View-Only Recipients).
options:
  identity:
    description:
      - The mailboxes to read. User principal names, addresses, GUIDs and aliases are taken. Names that are not unique
        are refused.
    type: list
    elements: str
  properties:
    description:
      - Which settings to return, by the names of the options of M(m365.exchange_online.exo_cas_mailbox). Without it
        all are returned.
      - In a large tenant, ask for what you need. It makes the read faster and the result smaller.
    type: list
    elements: str
  dest:
    description:
      - Path of a file on the host that runs the module, where the full result goes as JSON. Use it when the result is
        too large to be shown. AWX, for instance, drops a result of more than 700,000 characters.
      - The file holds names and addresses of people. It gets mode C(0600).
      - With this option, RV(mailboxes) is not part of the task's result.
    type: path
notes:
  - One of O(identity) and O(all_mailboxes) has to be given.
extends_documentation_fragment:
  - m365.exchange_online.selection
  - m365.exchange_online.writing.lookup
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_cas_mailbox
  - module: m365.exchange_online.exo_transport_config_info
  - name: Get-CASMailbox
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/get-casmailbox
  - name: Enable or disable SMTP AUTH in Exchange Online
    description: What SMTP AUTH is and what else can block it.
    link: >-
      https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Look at one mailbox
  m365.exchange_online.exo_cas_mailbox_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    identity: scanner@contoso.com
  register: scanner

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Count the mailboxes by their value for SMTP AUTH
  m365.exchange_online.exo_cas_mailbox_info:
    all_mailboxes: true
    properties:
      - smtp_client_authentication_disabled
  register: posture

- name: List the mailboxes that may use SMTP AUTH whatever the organization says
  m365.exchange_online.exo_cas_mailbox_info:
    all_mailboxes: true
    where:
      smtp_client_authentication_disabled: false
    properties:
      - smtp_client_authentication_disabled
  register: exceptions

- name: Write everything about a large tenant to a file
  m365.exchange_online.exo_cas_mailbox_info:
    all_mailboxes: true
    dest: /var/lib/exo/contoso-mailboxes.json

- name: Several tasks for one tenant, the connection given once
  module_defaults:
    group/m365.exchange_online.exo:
      tenant: contoso.onmicrosoft.com
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/contoso.pem
  block:
    - name: Shared mailboxes that POP or IMAP can reach
      m365.exchange_online.exo_cas_mailbox_info:
        all_mailboxes: true
        recipient_type_details:
          - SharedMailbox
        properties:
          - imap_enabled
          - pop_enabled

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_cas_mailbox_info:
    tenant: "{{ exo_tenant }}"
    all_mailboxes: true
    properties:
      - smtp_client_authentication_disabled
  delegate_to: localhost
"""

RETURN = r"""
mailboxes:
  description: The mailboxes that were found.
  returned: success, without O(dest)
  type: list
  elements: dict
  contains:
    identity:
      description: The identity that was asked for, or else the primary address.
      returned: always
      type: str
      sample: scanner@contoso.com
    guid:
      description: The GUID of the mailbox.
      returned: always
      type: str
      sample: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
    primary_smtp_address:
      description: The primary address of the mailbox.
      returned: always
      type: str
      sample: scanner@contoso.com
    display_name:
      description: The display name of the mailbox.
      returned: always
      type: str
      sample: Scanner, ground floor
    settings:
      description:
        - The settings that were asked for, by the name of the option of M(m365.exchange_online.exo_cas_mailbox) and
          in the form that the option takes.
      returned: always
      type: dict
      sample:
        imap_enabled: false
        pop_enabled: false
        smtp_client_authentication_disabled: false
summary:
  description: Counts of mailboxes.
  returned: success
  type: dict
  contains:
    matched:
      description: Mailboxes that were found.
      returned: always
      type: int
      sample: 412
    smtp_auth:
      description:
        - How many of them have which value of their own for SMTP AUTH. Whether SMTP AUTH works also depends on the
          organization, and on what else can block it.
      returned: when C(smtp_client_authentication_disabled) was read
      type: dict
      contains:
        enabled:
          description: Explicitly enabled, C(smtp_client_authentication_disabled=false).
          returned: always
          type: int
          sample: 3
        disabled:
          description: Explicitly disabled, C(smtp_client_authentication_disabled=true).
          returned: always
          type: int
          sample: 1
        inherit:
          description: Without a value of their own, so that the organization decides.
          returned: always
          type: int
          sample: 408
dest:
  description: Path of the file that was written.
  returned: when O(dest) is given
  type: str
  sample: /var/lib/exo/contoso-mailboxes.json
retried:
  description: One sentence for each retry, with what failed, why, and how many seconds the task waited.
  returned: when a request was sent more than once
  type: list
  elements: str
  sample:
    - "Get-CASMailbox failed: too many requests (HTTP 429). Waited 2.0 s."
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
  sample: Get-CASMailbox
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

from ansible_collections.m365.exchange_online.plugins.module_utils._cas_mailbox import INFO_ARGUMENT_SPEC, info
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(info, INFO_ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
