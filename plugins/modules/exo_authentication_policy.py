#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_authentication_policy
short_description: Manage an authentication policy of Exchange Online
version_added: 1.0.0
description:
  - Manages one authentication policy, which decides with which protocols Basic authentication is allowed.
  - It reads all policies with C(Get-AuthenticationPolicy), because an unknown name returns all of them, and writes with
    C(New-AuthenticationPolicy), C(Set-AuthenticationPolicy) or C(Remove-AuthenticationPolicy).
  - A policy is changed in place. It is never removed and created again.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator).
options:
  name:
    description:
      - The name of the policy, up to 64 characters. It can't be changed later.
    type: str
    required: true
  state:
    description:
      - Whether the policy should exist. V(absent) is refused while users have it, or the organization as default.
    type: str
    choices:
      - present
      - absent
    default: present
  allow_basic_auth_active_sync:
    description:
      - Whether Basic authentication is allowed for Exchange ActiveSync. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_autodiscover:
    description:
      - Whether Basic authentication is allowed for Autodiscover. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_imap:
    description:
      - Whether Basic authentication is allowed for IMAP. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_mapi:
    description:
      - Whether Basic authentication is allowed for MAPI over HTTP. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_offline_address_book:
    description:
      - Whether Basic authentication is allowed for offline address books. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_outlook_service:
    description:
      - Whether Basic authentication is allowed for the Outlook service of the Mail app. A new policy blocks what is
        not named.
    type: bool
  allow_basic_auth_pop:
    description:
      - Whether Basic authentication is allowed for POP. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_powershell:
    description:
      - Whether Basic authentication is allowed for remote PowerShell. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_reporting_web_services:
    description:
      - Whether Basic authentication is allowed for the reporting web services. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_rpc:
    description:
      - Whether Basic authentication is allowed for Outlook Anywhere. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_smtp:
    description:
      - Whether Basic authentication is allowed for SMTP AUTH. A new policy blocks what is not named.
    type: bool
  allow_basic_auth_web_services:
    description:
      - Whether Basic authentication is allowed for Exchange Web Services. A new policy blocks what is not named.
    type: bool
notes:
  - When O(allow_basic_auth_smtp) changes, the task counts who loses or gains SMTP AUTH, and is refused if that
    can't be known.
extends_documentation_fragment:
  - m365.exchange_online.writing.effect
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_authentication_policy_info
  - module: m365.exchange_online.exo_user
  - module: m365.exchange_online.exo_organization_config
  - module: m365.exchange_online.exo_smtp_auth
  - name: Set-AuthenticationPolicy
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-authenticationpolicy
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: A policy that lets Basic through for SMTP and nothing else
  m365.exchange_online.exo_authentication_policy:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    name: Allow SMTP
    allow_basic_auth_smtp: true

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: A policy that nobody has any more goes
  m365.exchange_online.exo_authentication_policy:
    name: Old exceptions
    state: absent
"""

RETURN = r"""
msg:
  description:
    - The task in one line, with what changes, how many mailboxes lose or gain SMTP AUTH, and where the former values
      are kept (the way back). In check mode it says what would change.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 1 authentication policy changes, 0 lose SMTP AUTH, 1 gains it; way back:
    /var/lib/exo/undo.json
authentication_policy:
  description:
    - The policy with its name and all of its switches, as they are now or would be in check mode. Empty if the policy
      is absent.
  returned: success
  type: dict
  sample:
    name: Allow SMTP
    allow_basic_auth_active_sync: false
    allow_basic_auth_autodiscover: false
    allow_basic_auth_imap: false
    allow_basic_auth_mapi: false
    allow_basic_auth_offline_address_book: false
    allow_basic_auth_outlook_service: false
    allow_basic_auth_pop: false
    allow_basic_auth_powershell: false
    allow_basic_auth_reporting_web_services: false
    allow_basic_auth_rpc: false
    allow_basic_auth_smtp: true
    allow_basic_auth_web_services: false
state:
  description: Whether the policy exists now, or would in check mode. V(present) or V(absent).
  returned: success
  type: str
  sample: present
effect:
  description:
    - How many mailboxes lose or gain SMTP AUTH (V(null) if that can't be known), and the addresses of the first 20 of
      each.
  returned: success
  type: dict
  sample:
    lose: 0
    gain: 1
    lose_sample: []
    gain_sample:
      - scanner@contoso.com
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
    task: m365.exchange_online.exo_authentication_policy
    effect: {lose: "", gain: ""}
    groups:
      - noun: AuthenticationPolicy
        before: {allow_basic_auth_imap: false}
        after: {allow_basic_auth_imap: true}
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
  description: Only the switches that differ.
  returned: in diff mode, when something differs
  type: dict
  sample:
    before_header: "contoso.onmicrosoft.com: Allow SMTP"
    after_header: "contoso.onmicrosoft.com: Allow SMTP"
    before: {allow_basic_auth_smtp: false}
    after: {allow_basic_auth_smtp: true}
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
  sample: Set-AuthenticationPolicy
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

from ansible_collections.m365.exchange_online.plugins.module_utils._authentication_policy import ARGUMENT_SPEC, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(converge, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
