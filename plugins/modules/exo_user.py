#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_user
short_description: Manage which authentication policy users of Exchange Online have
version_added: 1.0.0
description:
  - Manages the authentication policy of many users in one task. A policy decides with which protocols a user may use
    Basic authentication.
  - It reads with C(Get-User) and C(Get-AuthenticationPolicy), and writes with C(Set-User), with just what differs,
    by GUID.
  - A user has a policy of their own, or none (V('')) and so the organization's default, or is not managed.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator).
options:
  identity:
    description:
      - The users, as user principal names, addresses or GUIDs, that get the policy given in this task.
    type: list
    elements: str
  users:
    description:
      - Users with a policy each, as dictionaries of C(identity) and C(authentication_policy). With O(all_users=true),
        they override what all users get.
    type: list
    elements: dict
  all_users:
    description:
      - Whether to manage all users of the tenant.
    type: bool
    default: false
  exclude:
    description:
      - With O(all_users=true), users that are left alone. One that does not exist is an error.
    type: list
    elements: str
  where:
    description:
      - Only users whose current C(authentication_policy) is this.
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
  authentication_policy:
    description:
      - The name of the policy. V('') takes the user's own policy away, so that the organization's default applies.
    type: str
  revoke_sessions:
    description:
      - Whether users whose policy changes are signed out everywhere, so that the change takes effect within half an
        hour. Otherwise it can take a day.
    type: bool
    default: false
notes:
  - A policy governs Basic authentication only. Sign-ins with OAuth pass whatever it says.
extends_documentation_fragment:
  - m365.exchange_online.writing.lookup
  - m365.exchange_online.writing.max_changes
  - m365.exchange_online.writing.effect
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_user_info
  - module: m365.exchange_online.exo_authentication_policy
  - module: m365.exchange_online.exo_smtp_auth
  - module: m365.exchange_online.exo_restore
  - name: Set-User
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-user
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: The scanner may use Basic for SMTP
  m365.exchange_online.exo_user:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    identity:
      - scanner@contoso.com
    authentication_policy: Allow SMTP

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Take the policy away from all who have it, but one
  m365.exchange_online.exo_user:
    all_users: true
    where:
      authentication_policy: Allow SMTP
    authentication_policy: ""
    exclude:
      - scanner@contoso.com
    undo_file: /var/lib/exo/contoso-users.json
"""

RETURN = r"""
msg:
  description:
    - The task in one line, with what changes, how many mailboxes lose or gain SMTP AUTH, and where the former values
      are kept (the way back). In check mode it says what would change.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 1 user changes, 0 lose SMTP AUTH, 1 gains it; way back: /var/lib/exo/undo.json
users:
  description:
    - The users. With O(all_users=true), only those that changed (or would in check mode), failed or are missing.
    - C(status) is V(unchanged), V(changed), V(failed) or V(missing). The last two have an C(error).
  returned: success, or when some of the writes failed
  type: list
  elements: dict
  sample:
    - identity: scanner@contoso.com
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: scanner@contoso.com
      display_name: Scanner
      status: changed
      before: {authentication_policy: ""}
      after: {authentication_policy: Allow SMTP}
      confirmed: true
summary:
  description:
    - How many users were in scope, changed and so on, and how many mailboxes lose or gain SMTP AUTH (V(null) if that
      can't be known).
  returned: success, or when some of the writes failed
  type: dict
  sample:
    matched: 412
    changed: 1
    unchanged: 411
    failed: 0
    missing: 0
    effect: {lose: 0, gain: 1, lose_sample: [], gain_sample: [scanner@contoso.com]}
truncated:
  description: How many entries of each list are left out, because the result would be too large.
  returned: when something is left out
  type: dict
  sample:
    users: 8200
confirmed:
  description:
    - Whether the service showed everything that was written. V(false) comes with a warning and means that it did not
      show it within O(wait_timeout).
  returned: when something was written and O(wait=true)
  type: bool
  sample: true
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
    task: m365.exchange_online.exo_user
    effect: {lose: "", gain: ""}
    groups:
      - noun: User
        before: {authentication_policy: ""}
        after: {authentication_policy: Allow SMTP}
        guids: [3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11]
undo_file:
  description: Path of the undo file that was written.
  returned: when O(undo_file) is given and something was about to change, not in check mode
  type: str
  sample: /var/lib/exo/contoso-2026-11-23.json
effect_file:
  description: Path of the file with every mailbox that loses or gains SMTP AUTH.
  returned: when O(effect_file) is given
  type: str
  sample: /var/lib/exo/contoso-effect.csv
diff:
  description: What changes, as text, first a total and then a line for each object.
  returned: in diff mode, when something differs
  type: list
  elements: dict
  sample:
    - prepared: |
        contoso.onmicrosoft.com: 1 user changes, 0 lose SMTP AUTH, 1 gains it
          scanner@contoso.com  authentication_policy: "" → "Allow SMTP"
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
  sample: Set-User
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
from ansible_collections.m365.exchange_online.plugins.module_utils._user import ARGUMENT_SPEC, converge


def main() -> None:
    run_module(converge, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
