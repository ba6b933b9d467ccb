#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_cas_mailbox
short_description: Manage the client-access settings of Exchange Online mailboxes
version_added: 1.0.0
description:
  - Manages how mailboxes may be used by clients (SMTP AUTH, IMAP, POP, ActiveSync, EWS, MAPI, Outlook on the web),
    for one mailbox, a list of them, or all, in one task.
  - It reads the mailboxes with C(Get-CASMailbox), and calls C(Set-CASMailbox) for each mailbox that differs, with just
    the settings that differ and those that the service requires along with them.
  - A setting that is left out is not managed. Use V(inherit) to remove a value, so that the level above decides.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator), or a custom role group
    with the management role C(Mail Recipients).
options:
  identity:
    description:
      - The mailboxes that get the settings given in this task. User principal names, addresses, GUIDs and aliases are
        taken. Names that are not unique are refused.
    type: list
    elements: str
  mailboxes:
    description:
      - Mailboxes that get settings of their own. Each is a dictionary with C(identity) and settings under the names
        of the options of this module.
      - With O(all_mailboxes=true), they override the settings that all the others get.
      - Two entries for the same mailbox that disagree are an error that names both positions, even if they spell the
        mailbox differently.
    type: list
    elements: dict
notes:
  - One of O(identity), O(mailboxes) and O(all_mailboxes) has to be given.
  - The percentage of O(max_changes) is taken of the mailboxes in scope before O(where) narrows them down.
  - Mailboxes that end with an explicit value for SMTP AUTH are written first, those that end with V(inherit) last.
  - When the write of some mailboxes fails, all others are still done. The task then fails with the whole result, and
    C(changed) is true if anything was written. If signing in or the access fails, it stops at once.
  - Settings that come with the license (ActiveSync, IMAP, POP, the Outlook on the web policy) can be reset by the
    service when a license changes. The next run corrects them.
extends_documentation_fragment:
  - m365.exchange_online.selection
  - m365.exchange_online.cas_mailbox_settings
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
  - module: m365.exchange_online.exo_cas_mailbox_info
  - module: m365.exchange_online.exo_smtp_auth
  - module: m365.exchange_online.exo_transport_config
  - module: m365.exchange_online.exo_restore
  - name: Set-CASMailbox
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-casmailbox
  - name: Enable or disable SMTP AUTH in Exchange Online
    description: What SMTP AUTH is and what else can block it.
    link: >-
      https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Let a scanner send through SMTP AUTH, even if the organization blocks it
  m365.exchange_online.exo_cas_mailbox:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    identity: scanner@contoso.com
    smtp_client_authentication_disabled: false

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Let the organization decide again for two mailboxes
  m365.exchange_online.exo_cas_mailbox:
    identity:
      - frank@contoso.com
      - grace@contoso.com
    smtp_client_authentication_disabled: inherit

- name: Give mailboxes settings of their own, and allow one more phone without touching the others
  m365.exchange_online.exo_cas_mailbox:
    mailboxes:
      - identity: reports@contoso.com
        imap_enabled: true
        imap_messages_retrieval_mime_format: TextOnly
      - identity: frank@contoso.com
        active_sync_allowed_device_ids:
          add:
            - ABCDEF0123456789

- name: No POP and IMAP for anybody but one mailbox, at most 50 changes in one run
  m365.exchange_online.exo_cas_mailbox:
    all_mailboxes: true
    exclude:
      - reports@contoso.com
    recipient_type_details:
      - UserMailbox
      - SharedMailbox
    imap_enabled: false
    pop_enabled: false
    max_changes: 50
    undo_file: /var/lib/exo/contoso-protocols.json

- name: Preview which mailboxes would lose an explicit exception
  m365.exchange_online.exo_cas_mailbox:
    all_mailboxes: true
    where:
      smtp_client_authentication_disabled: false
    smtp_client_authentication_disabled: inherit
  check_mode: true
  diff: true

- name: Several tasks for one tenant, the connection given once
  module_defaults:
    group/m365.exchange_online.exo:
      tenant: contoso.onmicrosoft.com
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/contoso.pem
  block:
    - name: Only one program may use EWS with this mailbox
      m365.exchange_online.exo_cas_mailbox:
        identity: crm@contoso.com
        ews_enabled: true
        ews_application_access_policy: EnforceAllowList
        ews_allow_list:
          - ContosoCRM/*

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_cas_mailbox:
    tenant: "{{ exo_tenant }}"
    mailboxes: "{{ mailbox_baseline }}"
    max_changes: 10%
    lookup_failure_action: warn
  delegate_to: localhost
"""

RETURN = r"""
msg:
  description:
    - The task in one line, with what changes, how many mailboxes lose or gain SMTP AUTH, and where the former values
      are kept (the way back). In check mode it says what would change.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 1 mailbox changes, 0 lose SMTP AUTH, 1 gains it; way back: /var/lib/exo/undo.json
mailboxes:
  description:
    - The mailboxes. With O(all_mailboxes=true), only those that changed (or would in check mode), failed or are
      missing.
  returned: success, or when some of the writes failed
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
      returned: when the mailbox was found
      type: str
      sample: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
    primary_smtp_address:
      description: The primary address of the mailbox.
      returned: when the mailbox was found
      type: str
      sample: scanner@contoso.com
    display_name:
      description: The display name of the mailbox.
      returned: when the mailbox was found
      type: str
      sample: Scanner, ground floor
    status:
      description: What was done, or would be done in check mode.
      returned: always
      type: str
      sample: changed
      choices:
        - unchanged
        - changed
        - failed
        - missing
    before:
      description: Its managed settings as they were, in the form that the options take.
      returned: when the mailbox was found
      type: dict
      sample:
        smtp_client_authentication_disabled: inherit
    after:
      description: Its managed settings as they are now, or as they would be in check mode.
      returned: when the mailbox was found
      type: dict
      sample:
        smtp_client_authentication_disabled: false
    confirmed:
      description: Whether the service was seen to show the new values.
      returned: when the mailbox was changed, not in check mode
      type: bool
      sample: true
    error:
      description: Why the write failed, or that there is no such mailbox.
      returned: when the status is V(failed) or V(missing)
      type: str
      sample: There is no mailbox 'scaner@contoso.com'.
summary:
  description: Counts.
  returned: success, or when some of the writes failed
  type: dict
  contains:
    matched:
      description: Mailboxes in scope.
      returned: always
      type: int
      sample: 412
    changed:
      description: Mailboxes that were changed, or would be in check mode.
      returned: always
      type: int
      sample: 1
    unchanged:
      description: Mailboxes that were already as desired.
      returned: always
      type: int
      sample: 411
    failed:
      description: Mailboxes whose write failed.
      returned: always
      type: int
      sample: 0
    missing:
      description: Identities that match no mailbox.
      returned: always
      type: int
      sample: 0
    effect:
      description: How many mailboxes lose or gain SMTP AUTH, with the organization's setting taken into account.
      returned: always
      type: dict
      contains:
        lose:
          description: How many mailboxes can no longer use SMTP AUTH. V(null) if that can't be known.
          returned: always
          type: int
          sample: 1
        gain:
          description: How many mailboxes can use SMTP AUTH from now on. V(null) if that can't be known.
          returned: always
          type: int
          sample: 0
        lose_sample:
          description: The addresses of the first 20 mailboxes that lose it.
          returned: always
          type: list
          elements: str
          sample:
            - frank@contoso.com
        gain_sample:
          description: The addresses of the first 20 mailboxes that gain it.
          returned: always
          type: list
          elements: str
          sample: []
confirmed:
  description:
    - Whether the service showed everything that was written. V(false) comes with a warning and means that it did not
      show it within O(wait_timeout).
  returned: when something was written and O(wait=true)
  type: bool
  sample: true
effect_file:
  description: Path of the file with every mailbox that loses or gains SMTP AUTH.
  returned: when O(effect_file) is given
  type: str
  sample: /var/lib/exo/contoso-effect.csv
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
    task: m365.exchange_online.exo_cas_mailbox
    effect: {lose: "", gain: ""}
    groups:
      - noun: CASMailbox
        before: {pop_enabled: true}
        after: {pop_enabled: false}
        guids: [3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11]
undo_file:
  description: Path of the undo file that was written.
  returned: when O(undo_file) is given and something was about to change, not in check mode
  type: str
  sample: /var/lib/exo/contoso-2026-11-23.json
diff:
  description:
    - What changes, as text, first a total and then a line for each object. The values themselves are in
      RV(mailboxes).
  returned: in diff mode, when something differs
  type: list
  elements: dict
  contains:
    prepared:
      description: The text.
      returned: always
      type: str
      sample: |
        contoso.onmicrosoft.com: 1 mailbox changes, 0 lose SMTP AUTH, 1 gains it
          scanner@contoso.com  follows the organization (off) → allowed
truncated:
  description:
    - How many entries of each list are left out, because the result would be too large. RV(summary) counts all of
      them, and failed and missing mailboxes come first in the list.
  returned: when something is left out
  type: dict
  sample:
    mailboxes: 8200
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
  sample: Set-CASMailbox
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

from ansible_collections.m365.exchange_online.plugins.module_utils._cas_mailbox import ARGUMENT_SPEC, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(converge, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
