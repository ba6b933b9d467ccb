#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_user_info
short_description: Read which authentication policy users of Exchange Online have
version_added: 1.0.0
description:
  - Returns users with the authentication policy that each has of their own. V('') means that a user has none, so that
    the organization's default applies.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough.
options:
  identity:
    description:
      - The users, as user principal names, addresses or GUIDs.
    type: list
    elements: str
  all_users:
    description:
      - Whether to read all users of the tenant, instead of those in O(identity).
    type: bool
    default: false
  exclude:
    description:
      - With O(all_users=true), users to leave out. A user that does not exist is an error.
    type: list
    elements: str
  where:
    description:
      - Only users with this policy of their own, as a dictionary with the key C(authentication_policy). V('') means
        users who have none.
    type: dict
  recipient_type_details:
    description:
      - With O(all_users=true), only users of these types.
    type: list
    elements: str
    choices:
      - DiscoveryMailbox
      - EquipmentMailbox
      - LegacyMailbox
      - LinkedMailbox
      - LinkedRoomMailbox
      - MailUser
      - RoomMailbox
      - SharedMailbox
      - TeamMailbox
      - UserMailbox
extends_documentation_fragment:
  - m365.exchange_online.writing.lookup
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_user
  - module: m365.exchange_online.exo_authentication_policy_info
  - name: Get-User
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/get-user
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Who has the policy Allow SMTP?
  m365.exchange_online.exo_user_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    all_users: true
    where:
      authentication_policy: Allow SMTP
  register: users
"""

RETURN = r"""
users:
  description:
    - The users. C(identity) is the name that was asked for, or the primary address where none was.
    - C(settings) holds C(authentication_policy), which is V('') for a user without a policy of their own.
  returned: success
  type: list
  elements: dict
  sample:
    - identity: scanner@contoso.com
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: scanner@contoso.com
      display_name: Scanner
      settings: {authentication_policy: Allow SMTP}
summary:
  description: How many users were found (C(matched)), and how many of them have each policy.
  returned: success
  type: dict
  sample:
    matched: 1
    authentication_policy: {Allow SMTP: 1}
truncated:
  description: How many users are left out of RV(users), because the result would be too large. RV(summary) counts all.
  returned: when something is left out
  type: dict
  sample:
    users: 8200
retried:
  description: One sentence for each retry, with what failed, why, and how many seconds the task waited.
  returned: when a request was sent more than once
  type: list
  elements: str
  sample:
    - "Get-User failed: too many requests (HTTP 429). Waited 2.0 s."
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
  sample: Get-User
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
from ansible_collections.m365.exchange_online.plugins.module_utils._user import INFO_ARGUMENT_SPEC, info


def main() -> None:
    run_module(info, INFO_ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
