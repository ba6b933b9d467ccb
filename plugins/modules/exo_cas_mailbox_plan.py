#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_cas_mailbox_plan
short_description: Manage what new mailboxes of Exchange Online may use
version_added: 1.0.0
description:
  - Manages mailbox plans. There is one for each kind of license, and it decides which protocols a new mailbox has.
    Mailboxes
    that exist keep theirs.
  - It reads all plans with C(Get-CASMailboxPlan) and writes with C(Set-CASMailboxPlan), with just what differs, by
    GUID.
  - Plans can be neither created nor removed, and have no setting for SMTP AUTH.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator).
options:
  identity:
    description:
      - The plans that get the settings given in this task, by display name, name or GUID.
    type: list
    elements: str
  plans:
    description:
      - Plans with settings of their own, as dictionaries of C(identity) and settings. With O(all_plans=true), they
        override what all plans get.
    type: list
    elements: dict
  all_plans:
    description:
      - Whether to manage all plans of the tenant.
    type: bool
    default: false
  exclude:
    description:
      - With O(all_plans=true), plans that are left alone.
    type: list
    elements: str
  active_sync_enabled:
    description:
      - Whether new mailboxes may use Exchange ActiveSync.
    type: bool
  imap_enabled:
    description:
      - Whether new mailboxes may use IMAP.
    type: bool
  owa_mailbox_policy:
    description:
      - The name of the policy for Outlook on the web that new mailboxes get. V('') clears it.
    type: str
  pop_enabled:
    description:
      - Whether new mailboxes may use POP.
    type: bool
extends_documentation_fragment:
  - m365.exchange_online.writing.lookup
  - m365.exchange_online.writing.max_changes
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_cas_mailbox_plan_info
  - module: m365.exchange_online.exo_cas_mailbox
  - name: Set-CASMailboxPlan
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-casmailboxplan
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: New mailboxes have neither POP nor IMAP
  m365.exchange_online.exo_cas_mailbox_plan:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    all_plans: true
    pop_enabled: false
    imap_enabled: false
"""

RETURN = r"""
msg:
  description:
    - The task in one line, with what changes, how many mailboxes lose or gain SMTP AUTH, and where the former values
      are kept (the way back). In check mode it says what would change.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 2 mailbox plans change, 0 lose SMTP AUTH, 0 gain it; way back: /var/lib/exo/undo.json
plans:
  description:
    - The mailbox plans. C(status) is V(unchanged), V(changed), V(failed) or V(missing). The last two have an C(error).
  returned: success, or when some of the writes failed
  type: list
  elements: dict
  sample:
    - identity: ExchangeOnlineEnterprise-2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: ""
      display_name: ExchangeOnlineEnterprise
      status: changed
      before: {pop_enabled: true}
      after: {pop_enabled: false}
      confirmed: true
summary:
  description:
    - How many plans were in scope, changed and so on. C(effect) is there as in the other modules; a plan changes no
      mailbox that exists, so no mailbox loses or gains SMTP AUTH.
  returned: success, or when some of the writes failed
  type: dict
  sample:
    matched: 4
    changed: 2
    unchanged: 2
    failed: 0
    missing: 0
    effect: {lose: 0, gain: 0, lose_sample: [], gain_sample: []}
truncated:
  description: How many entries of each list are left out, because the result would be too large.
  returned: when something is left out
  type: dict
  sample:
    plans: 1
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
    task: m365.exchange_online.exo_cas_mailbox_plan
    effect: {lose: "", gain: ""}
    groups:
      - noun: CASMailboxPlan
        before: {pop_enabled: true}
        after: {pop_enabled: false}
        guids: [3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11]
undo_file:
  description: Path of the undo file that was written.
  returned: when O(undo_file) is given and something was about to change, not in check mode
  type: str
  sample: /var/lib/exo/contoso-2026-11-23.json
diff:
  description: What changes, as text, first a total and then a line for each object.
  returned: in diff mode, when something differs
  type: list
  elements: dict
  sample:
    - prepared: |
        contoso.onmicrosoft.com: 1 mailbox plan changes, 0 lose SMTP AUTH, 0 gain it
          ExchangeOnlineEnterprise-2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10  pop_enabled: true → false
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
  sample: Set-CASMailboxPlan
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

from ansible_collections.m365.exchange_online.plugins.module_utils._cas_mailbox_plan import ARGUMENT_SPEC, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(converge, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
