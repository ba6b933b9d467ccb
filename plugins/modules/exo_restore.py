#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_restore
short_description: Put back what an undo file of this collection holds
version_added: 1.0.0
description:
  - Reads a file that O(m365.exchange_online.exo_smtp_auth#module:undo_file), or the same option of another module,
    wrote, and puts each setting in it back to its former value.
  - It reads and writes with the cmdlets of the module that wrote the file, such as C(Get-CASMailbox) and
    C(Set-CASMailbox). Mailboxes, users, mailbox plans and authentication policies are found by their GUIDs.
  - The file of another tenant is refused.
  - The order of the writes is that of M(m365.exchange_online.exo_smtp_auth). First come the users whose former
    authentication policy lets SMTP AUTH through, then the mailboxes whose former value for SMTP AUTH is explicit, then
    the organization, then the mailboxes that had no value of their own, then all other users.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator). For a file with only
    settings of mailboxes and transport settings, a custom role group with the management roles C(Mail Recipients) and
    C(Organization Transport Settings) is enough.
options:
  src:
    description:
      - Absolute path of the undo file, on the host that runs the module.
      - A file is refused if a later run wrote another one for the same tenant beside it, unless O(force=true), or
        nothing is left of what that run changed. So the files of several runs are put back one after another, the
        newest first.
    type: path
  content:
    description:
      - What an undo file holds, as text or as a dictionary, where there is no file. Give either this or O(src).
      - If a task returned it in several parts, because it was too long for one result, give a list of all of them. If
        one is missing, nothing is put back.
    type: raw
  force:
    description:
      - Whether to bring back an older file over what came later, and each setting although it was changed after the
        file was written. Without it, a setting that has neither the value before nor the one after stays as it is,
        and is named in a warning and in RV(changed_since).
      - Without it, a restore is also refused if it would take SMTP AUTH from a mailbox that had it in the state to be
        restored, or give it to one that did not. The organization, its default policy and an authentication policy
        decide for mailboxes that are not named in the file. Of those, a restore takes SMTP AUTH only from the ones that
        gained it by that run, and gives it only to the ones that lost it. So it is refused if other mailboxes have come
        to follow them since.
      - If more than 20,000 mailboxes lost or gained SMTP AUTH by a run, its O(content) does not say which, because a
        result has no room for so many. To restore them you need O(force=true).
    type: bool
    default: false
  propagation_delay:
    description:
      - How many seconds must have passed since the last change of a mailbox in the file that has to stay open, before
        the organization is closed.
    type: int
    default: 0
notes:
  - With O(undo_file) the values from before the restore are written down too, so that a restore can be undone.
extends_documentation_fragment:
  - m365.exchange_online.writing.max_changes
  - m365.exchange_online.writing.effect
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_smtp_auth
  - module: m365.exchange_online.exo_cas_mailbox
  - module: m365.exchange_online.exo_transport_config
  - name: Set-CASMailbox
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-casmailbox
  - name: Set-TransportConfig
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-transportconfig
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Put everything back that a run changed
  m365.exchange_online.exo_restore:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    src: /var/lib/exo/contoso-smtp-auth.json

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Preview what a restore would do
  m365.exchange_online.exo_restore:
    src: /var/lib/exo/contoso-smtp-auth.json
  check_mode: true
  diff: true

- name: Put it back although settings were changed since, and keep a way back
  m365.exchange_online.exo_restore:
    src: /var/lib/exo/contoso-smtp-auth.json
    force: true
    undo_file: /var/lib/exo/contoso-before-restore.json

- name: Several tasks for one tenant, the connection given once
  module_defaults:
    group/m365.exchange_online.exo:
      tenant: contoso.onmicrosoft.com
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/contoso.pem
  block:
    - name: Undo the transport settings
      m365.exchange_online.exo_restore:
        src: /var/lib/exo/contoso-transport.json

    - name: Undo the protocols of the mailboxes
      m365.exchange_online.exo_restore:
        src: /var/lib/exo/contoso-protocols.json

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment. Undo files must lie on a
# path that is mounted into the execution environment, because what a job writes elsewhere is deleted at its end.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_restore:
    tenant: "{{ exo_tenant }}"
    src: "/mnt/exo-undo/{{ inventory_hostname }}.json"
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
    contoso.onmicrosoft.com: undoing exo_smtp_auth of 2026-11-23T09:59:25.821392+00:00: organization on → 1 mailbox
    changes, 0 lose SMTP AUTH, 9 gain it; way back: /var/lib/exo/undo-of-undo.json
organization:
  description: The organization's transport settings that are in the file.
  returned: success or when some of the writes failed, when the file holds any
  type: dict
  contains:
    before:
      description: The settings as they were before the restore.
      returned: always
      type: dict
      sample:
        smtp_client_authentication_disabled: true
    after:
      description: The settings as they are now, or as they would be in check mode.
      returned: always
      type: dict
      sample:
        smtp_client_authentication_disabled: false
    status:
      description: V(changed), V(unchanged) or V(failed). In check mode, what it would be.
      returned: always
      type: str
      sample: changed
    confirmed:
      description: Whether the service was seen to show the restored values.
      returned: when they were changed, not in check mode
      type: bool
      sample: true
organization_config:
  description: The organization's other settings that are in the file, in the form of RV(organization).
  returned: success or when some of the writes failed, when the file holds any
  type: dict
  sample:
    before: {reject_direct_send: true}
    after: {reject_direct_send: false}
    status: changed
    confirmed: true
users:
  description: The users that are in the file, in the form of RV(mailboxes).
  returned: success or when some of the writes failed, when the file holds any
  type: list
  elements: dict
  sample:
    - identity: scanner@contoso.com
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: scanner@contoso.com
      display_name: Scanner
      status: changed
      before: {authentication_policy: Allow SMTP}
      after: {authentication_policy: ""}
      confirmed: true
plans:
  description: The mailbox plans that are in the file, in the form of RV(mailboxes).
  returned: success or when some of the writes failed, when the file holds any
  type: list
  elements: dict
  sample:
    - identity: ExchangeOnlineEnterprise-2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: ""
      display_name: ExchangeOnlineEnterprise
      status: changed
      before: {pop_enabled: false}
      after: {pop_enabled: true}
      confirmed: true
authentication_policies:
  description: The authentication policies that are in the file, in the form of RV(mailboxes).
  returned: success or when some of the writes failed, when the file holds any
  type: list
  elements: dict
  sample:
    - identity: Allow SMTP
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: ""
      display_name: Allow SMTP
      status: changed
      before: {allow_basic_auth_imap: true}
      after: {allow_basic_auth_imap: false}
      confirmed: true
mailboxes:
  description:
    - The mailboxes that are in the file, and whatever else in it is missing.
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
      description: Its settings that are in the file, as they were, in the form that the options take.
      returned: when the mailbox was found
      type: dict
      sample:
        smtp_client_authentication_disabled: false
    after:
      description: Its settings that are in the file, as they are now, or as they would be in check mode.
      returned: when the mailbox was found
      type: dict
      sample:
        smtp_client_authentication_disabled: inherit
    confirmed:
      description: Whether the service was seen to show the new values.
      returned: when the mailbox was changed, not in check mode
      type: bool
      sample: true
    error:
      description: Why the write failed, or that there is no such mailbox.
      returned: when the status is V(failed) or V(missing)
      type: str
      sample: There is no mailbox scanner@contoso.com (2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10) any more.
changed_since:
  description:
    - One sentence for each setting that stays as it is, because it was changed after the file was written or can't be
      cleared.
  returned: success, or when some of the writes failed
  type: list
  elements: str
  sample:
    - smtp_client_authentication_disabled of scanner@contoso.com was changed since and stays as it is.
summary:
  description: Counts of the mailboxes in the file.
  returned: success, or when some of the writes failed
  type: dict
  contains:
    matched:
      description: Mailboxes in the file that still exist.
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
      description: Objects in the file that no longer exist, of every kind.
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
written:
  description: When the undo file was written, in UTC.
  returned: success, or when some of the writes failed
  type: str
  sample: "2026-11-23T09:59:25.821392+00:00"
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
    task: m365.exchange_online.exo_restore
    effect: {lose: "", gain: ""}
    groups:
      - noun: CASMailbox
        smtp_auth_works: {before: true, after: true}
        before: {smtp_client_authentication_disabled: false}
        after: {smtp_client_authentication_disabled: inherit}
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
        contoso.onmicrosoft.com: organization on → 1 mailbox changes, 0 lose SMTP AUTH, 9 gain it
          the organization     SMTP AUTH off → on
          scanner@contoso.com  allowed → follows the organization (on)
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

from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module
from ansible_collections.m365.exchange_online.plugins.module_utils._restore import ARGUMENT_SPEC, restore


def main() -> None:
    run_module(restore, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
