#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_cas_mailbox_plan_info
short_description: Read what new mailboxes of Exchange Online may use
version_added: 1.0.0
description:
  - Returns every mailbox plan with its settings, and whatever else the service sent of it.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough.
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_cas_mailbox_plan
  - name: Get-CASMailboxPlan
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/get-casmailboxplan
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Read the plans
  m365.exchange_online.exo_cas_mailbox_plan_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
  register: plans
"""

RETURN = r"""
plans:
  description:
    - The mailbox plans. C(settings) are those that M(m365.exchange_online.exo_cas_mailbox_plan) manages, in the form of
      its options. C(other_properties) is everything else, under the service's own names.
  returned: success
  type: list
  elements: dict
  sample:
    - identity: ExchangeOnlineEnterprise-2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: ""
      display_name: ExchangeOnlineEnterprise
      settings:
        active_sync_enabled: true
        imap_enabled: true
        owa_mailbox_policy: OwaMailboxPolicy-Default
        pop_enabled: true
      other_properties: {ImapUseProtocolDefaults: true, MAPIEnabled: true}
retried:
  description: One sentence for each retry, with what failed, why, and how many seconds the task waited.
  returned: when a request was sent more than once
  type: list
  elements: str
  sample:
    - "Get-CASMailboxPlan failed: too many requests (HTTP 429). Waited 2.0 s."
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
  sample: Get-CASMailboxPlanPlan
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

from ansible_collections.m365.exchange_online.plugins.module_utils._cas_mailbox_plan import info
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(info, {})


if __name__ == "__main__":
    main()
