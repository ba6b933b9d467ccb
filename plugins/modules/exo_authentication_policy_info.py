#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_authentication_policy_info
short_description: Read the authentication policies of Exchange Online
version_added: 1.0.0
description:
  - Returns every authentication policy with its switches, how many users have it as their own, and which one is the
    default.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough.
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_authentication_policy
  - module: m365.exchange_online.exo_user_info
  - name: Get-AuthenticationPolicy
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/get-authenticationpolicy
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Read the policies
  m365.exchange_online.exo_authentication_policy_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
  register: policies
"""

RETURN = r"""
authentication_policies:
  description:
    - The policies. C(default) says whether it is the organization's default, C(users) how many users have the policy as
      their own, and C(settings) holds its switches.
  returned: success
  type: list
  elements: dict
  sample:
    - name: Allow SMTP
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      default: false
      users: 3
      settings: {allow_basic_auth_smtp: true, allow_basic_auth_imap: false}
default_authentication_policy:
  description: The name of the organization's default policy. V('') if it has none.
  returned: success
  type: str
  sample: Block Basic
retried:
  description: One sentence for each retry, with what failed, why, and how many seconds the task waited.
  returned: when a request was sent more than once
  type: list
  elements: str
  sample:
    - "Get-AuthenticationPolicy failed: too many requests (HTTP 429). Waited 2.0 s."
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
  sample: Get-AuthenticationPolicy
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

from ansible_collections.m365.exchange_online.plugins.module_utils._authentication_policy import info
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(info, {})


if __name__ == "__main__":
    main()
