#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_organization_config_info
short_description: Read the configuration of an Exchange Online organization
version_added: 1.0.0
description:
  - Returns the organization's configuration, as C(Get-OrganizationConfig) has it.
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
  - module: m365.exchange_online.exo_organization_config
  - module: m365.exchange_online.exo_cas_mailbox_info
  - name: Get-OrganizationConfig
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/get-organizationconfig
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Read the configuration of the organization
  m365.exchange_online.exo_organization_config_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
  register: organization

- name: Say whether mail without authentication is refused
  ansible.builtin.debug:
    var: organization.organization_config.reject_direct_send
"""

RETURN = r"""
organization_config:
  description:
    - Every setting of M(m365.exchange_online.exo_organization_config) that the service sent, by the name of its option
      and in the form that the option takes.
  returned: success
  type: dict
  sample:
    audit_disabled: false
    ews_enabled: inherit
    reject_direct_send: true
other_properties:
  description:
    - Everything else that the service sent, under the service's own names and not converted. A change that Microsoft
      makes can show here first.
  returned: success
  type: dict
  sample:
    BasicAuthBlockedApps: null
retried:
  description: One sentence for each retry, with what failed, why, and how many seconds the task waited.
  returned: when a request was sent more than once
  type: list
  elements: str
  sample:
    - "Get-OrganizationConfig failed: too many requests (HTTP 429). Waited 2.0 s."
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
  sample: Get-OrganizationConfig
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
from ansible_collections.m365.exchange_online.plugins.module_utils._organization_config import info


def main() -> None:
    run_module(info, {})


if __name__ == "__main__":
    main()
