#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_organization_config
short_description: Manage the configuration of an Exchange Online organization
version_added: 1.0.0
description:
  - Manages settings of the organization such as Exchange Web Services, Direct Send, MailTips, auditing and add-ins.
  - It reads them with C(Get-OrganizationConfig), and calls C(Set-OrganizationConfig) once, with just the settings that
    differ. If nothing differs, it is not called at all.
  - A setting that is left out is not managed.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator).
options:
  allow_empty:
    description:
      - Whether an empty O(ews_allowed_app_ids) is meant. Without it, emptying the list is refused, because since
        October 2026 that blocks every app from Exchange Web Services.
    type: bool
    default: false
  planned_policies:
    description:
      - Authentication policies that an earlier task of the same run makes or changes, with
        M(m365.exchange_online.exo_authentication_policy). In check mode that task has written nothing, so this one
        takes them as they are going to be. Otherwise they are there, and the option is ignored.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the policy.
        type: str
        required: true
      allow_basic_auth_smtp:
        description: Its switch for SMTP. If not given, it stays as it is, and is off in a new policy.
        type: bool
notes:
  - With O(reject_direct_send=true) the task warns, because devices that send without signing in stop, unless an
    inbound connector covers them.
  - A mailbox can use Exchange Web Services only where both the organization and the mailbox allow it.
extends_documentation_fragment:
  - m365.exchange_online.organization_settings
  - m365.exchange_online.writing.effect
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_organization_config_info
  - module: m365.exchange_online.exo_transport_config
  - module: m365.exchange_online.exo_cas_mailbox
  - module: m365.exchange_online.exo_restore
  - name: Set-OrganizationConfig
    description: Microsoft's page on the cmdlet.
    link: https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Refuse mail that claims our domains and comes without authentication
  m365.exchange_online.exo_organization_config:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    reject_direct_send: true

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Preview, and change nothing
  m365.exchange_online.exo_organization_config:
    audit_disabled: false
    mail_tips_external_recipients_tips_enabled: true
  check_mode: true
  diff: true

- name: Exchange Web Services for two applications, and a way back
  m365.exchange_online.exo_organization_config:
    ews_enabled: true
    ews_allowed_app_ids:
      add:
        - 11111111-aaaa-bbbb-cccc-000000000001
        - 11111111-aaaa-bbbb-cccc-000000000002
    undo_file: /var/lib/exo/contoso-organization.json
"""

RETURN = r"""
msg:
  description:
    - The task in one line, with what changes, and where the former values are kept (the way back). In check mode it
      says what would change.
  returned: success
  type: str
  sample: "contoso.onmicrosoft.com: the organization changes; way back: /var/lib/exo/undo.json"
organization_config:
  description:
    - Every setting of this module that the service sent, by the name of its option and in the form that the option
      takes.
    - After a change these are the new values. In check mode they are what they would be.
  returned: success
  type: dict
  sample:
    audit_disabled: false
    ews_allowed_app_ids: []
    ews_enabled: inherit
    reject_direct_send: true
effect:
  description:
    - How many mailboxes lose or gain SMTP AUTH (V(null) if that can't be known), and the addresses of the first 20 of
      each. Only O(default_authentication_policy) moves any.
  returned: success
  type: dict
  sample:
    lose: 0
    gain: 0
    lose_sample: []
    gain_sample: []
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
    task: m365.exchange_online.exo_organization_config
    effect: {lose: "", gain: ""}
    groups:
      - noun: OrganizationConfig
        before: {reject_direct_send: false}
        after: {reject_direct_send: true}
        guids: [""]
undo_file:
  description: Path of the undo file that was written.
  returned: when O(undo_file) is given and something was about to change, not in check mode
  type: str
  sample: /var/lib/exo/contoso-2026-11-23.json
diff:
  description: Only the settings that differ.
  returned: in diff mode, when something differs
  type: dict
  contains:
    before_header:
      description: The tenant and what changes, as the heading of the diff.
      returned: always
      type: str
      sample: "contoso.onmicrosoft.com: the organization"
    after_header:
      description: The same as RV(diff.before_header).
      returned: always
      type: str
      sample: "contoso.onmicrosoft.com: the organization"
    before:
      description: The settings that differ, as they were.
      returned: always
      type: dict
      sample: {reject_direct_send: false}
    after:
      description: The same settings, as they are now or would be.
      returned: always
      type: dict
      sample: {reject_direct_send: true}
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
  sample: Set-OrganizationConfig
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
from ansible_collections.m365.exchange_online.plugins.module_utils._organization_config import ARGUMENT_SPEC, converge


def main() -> None:
    run_module(converge, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
