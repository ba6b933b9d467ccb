#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_service_info
short_description: Check how the Exchange Online service answers what this collection relies on
version_added: 1.0.0
description:
  - Asks the service of a tenant a number of questions on which this collection relies and which Microsoft does not
    document, and returns the answers.
  - It only reads, with C(Get-TransportConfig) and C(Get-CASMailbox) among others. The result holds no names,
    addresses or other personal data, so that it can be attached to a bug report.
  - Use it as the first task against a new tenant, to see whether the app registration is complete.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough.
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_transport_config_info
  - module: m365.exchange_online.exo_cas_mailbox_info
  - name: App-only authentication
    description: Microsoft's page on the app registration, its permission and its role.
    link: https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Check the connection to a tenant
  m365.exchange_online.exo_service_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
  register: service

- name: Show the answers
  ansible.builtin.debug:
    var: service.checks

- name: Check two tenants with one app registration
  module_defaults:
    group/m365.exchange_online.exo:
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/app.pem
  block:
    - name: Contoso
      m365.exchange_online.exo_service_info:
        tenant: contoso.onmicrosoft.com

    - name: Fabrikam
      m365.exchange_online.exo_service_info:
        tenant: fabrikam.onmicrosoft.com

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_service_info:
    tenant: "{{ exo_tenant }}"
  delegate_to: localhost
"""

RETURN = r"""
tenant_id:
  description: The GUID of the tenant.
  returned: success
  type: str
  sample: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
checks:
  description: The questions and their answers. They hold no personal data.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: A short name that stays the same from release to release.
      returned: always
      type: str
      sample: transport_config_readable
    question:
      description: What was asked.
      returned: always
      type: str
      sample: Can the app read every transport setting?
    answer:
      description: V(yes), V(no) or V(unknown).
      returned: always
      type: str
      sample: "yes"
    detail:
      description: What the answer is based on.
      returned: always
      type: str
      sample: All 29 settings came.
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
from ansible_collections.m365.exchange_online.plugins.module_utils._service_info import check_service


def main() -> None:
    run_module(check_service, {})


if __name__ == "__main__":
    main()
