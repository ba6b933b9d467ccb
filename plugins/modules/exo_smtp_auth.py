#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_smtp_auth
short_description: Manage who may use SMTP AUTH in an Exchange Online organization
version_added: 1.0.0
description:
  - Manages the whole policy for SMTP AUTH (authenticated client submission) in one task, with one read and one plan.
    SMTP AUTH is on or off for the organization, and the mailboxes that are an exception are on a list.
  - It reads with C(Get-TransportConfig) and C(Get-CASMailbox), and writes C(SmtpClientAuthenticationDisabled), and
    nothing else, with C(Set-CASMailbox) and C(Set-TransportConfig).
  - Mailboxes whose final value is explicit are written first, and those to be enabled are read back, before the
    organization is changed. Those that end without a value of their own come last. So a listed mailbox is not cut off
    for a moment in between.
  - If a listed mailbox can't be enabled, the organization is not closed in that run.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. To read, as in check mode,
    the directory role C(Global Reader) is enough. To write, it needs C(Exchange Administrator), or a custom role group
    with the management roles C(Mail Recipients) and C(Organization Transport Settings).
options:
  organization:
    description:
      - Whether SMTP AUTH is on for mailboxes that have no value of their own.
      - This is C(SmtpClientAuthenticationDisabled) of the organization, without its inverted name. V(disabled) writes
        true.
      - Without it the organization is left as it is.
    type: str
    choices:
      - enabled
      - disabled
  allowed:
    description:
      - The mailboxes that may use SMTP AUTH whatever the organization says. They get an explicit value.
      - Each entry is a name (user principal name, address, GUID or alias), or a dictionary with C(identity) and, for
        the record, C(reason), C(owner), C(ticket) and C(expires).
      - C(method) says how the device signs in, V(basic) (the default) or V(oauth). It counts with
        O(authentication_policy), because a policy governs Basic only. A mailbox whose method becomes V(oauth) keeps the
        policy, and a warning names it.
      - C(expires) is the last day of the entry, as V(2027-03-31). That day still counts, in UTC. Within 30 days before
        it the task warns. What happens afterwards is up to O(expired).
    type: list
    elements: raw
  denied:
    description:
      - The mailboxes that may not use SMTP AUTH whatever the organization says. They get an explicit value. The
        entries have the same form as in O(allowed).
      - A mailbox in both lists is an error.
    type: list
    elements: raw
  unlisted:
    description:
      - What to do about mailboxes in neither list.
      - V(unmanaged) leaves them alone. Those among them that are explicitly enabled are named in a warning and in
        RV(unlisted_enabled).
      - V(not_enabled) takes the explicit value from those that are enabled, so that the organization decides. A value
        that blocks stays.
      - V(inherit) removes any explicit value. It is refused unless the organization is V(disabled), or becomes so in
        this task.
      - V(disabled) blocks each of them explicitly.
    type: str
    choices:
      - unmanaged
      - not_enabled
      - inherit
      - disabled
    default: unmanaged
  expired:
    description:
      - What to do about entries of either list whose last day is over.
      - V(report) leaves them in force, and the task fails at its end, after everything else is done, so that a
        person looks at them.
      - V(revoke) removes the exception. The mailbox is then treated as O(unlisted) says; with O(unlisted=unmanaged) its
        own value is removed.
    type: str
    choices:
      - report
      - revoke
    default: report
  allow_empty:
    description:
      - Whether you really mean to allow no mailbox. Without it, an O(allowed) that is empty or not given is refused
        where this task closes the organization, or where O(unlisted) is anything but V(unmanaged), because a variable
        that came out empty would cut everybody off.
    type: bool
    default: false
  exclude:
    description:
      - Mailboxes whose settings the task leaves alone, such as one whose write the service always refuses.
      - One that follows the organization still gains or loses SMTP AUTH with it. It is announced, and counts for
        O(max_lose), O(max_gain) and O(require_unused_days) like every other.
      - One that does not exist is an error, and so is one that is on a list.
    type: list
    elements: str
  authentication_policy:
    description:
      - The name of an authentication policy that lets Basic through for SMTP. Mailboxes in O(allowed) with method
        C(basic) whose own policy, or the organization's default, blocks it get this policy before their setting is
        opened.
      - Users who have this very policy and are on no list follow O(unlisted). With V(unmanaged) they are named in a
        warning, otherwise it is taken away from them.
      - Without it policies are left alone, and a mailbox that is opened although a policy blocks it is named in a
        warning.
    type: str
  planned_default_policy:
    description:
      - The name of the authentication policy that M(m365.exchange_online.exo_organization_config) is going to make the
        organization's default after this task. Mailboxes that it would block get O(authentication_policy) in this task
        already, so that none of them is cut off in between. This task does not set the default.
    type: str
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
  propagation_delay:
    description:
      - How many seconds must have passed since the last change of a listed mailbox, whoever made it, before the
        organization is closed, so that every server of the service knows it.
      - Where the service does not say when a mailbox was changed, it counts from the start of the task.
    type: int
    default: 0
  require_unused_days:
    description:
      - A mailbox that would lose SMTP AUTH has to be unused for this many days. The plan is refused before the first
        write, and in check mode too, if one of them signed in over SMTP successfully in that time, or if that is not
        known. The failure names each of them, with when and from where it was seen.
      - Failed sign-ins never stop the plan, because they often come from someone else.
      - Use is read from the sign-in log of Entra ID, which needs the application permission C(AuditLog.Read.All) of
        Microsoft Graph and Entra ID P1 or P2, and is kept for 30 days. Without them, or for more days, give
        O(usage_report).
      - The log does not say of a sign-in with OAuth that it was over SMTP, so whoever sends with a token counts as
        unused there. O(usage_report) has them, and O(allowed) should.
      - This is about what this task takes away. What else can take Basic away (C(default_authentication_policy) and the
        switches of authentication policies) has its warnings and limits, and does not ask who is in use.
    type: int
  accept_cutoff:
    description:
      - Mailboxes that may lose SMTP AUTH whether they use it or not, for O(require_unused_days). One that does not
        exist is an error.
    type: list
    elements: str
  usage_report:
    description:
      - Absolute path of a CSV file on the host that runs the module, the report "SMTP AUTH clients" as the Exchange
        admin center exports it, for O(require_unused_days). M(m365.exchange_online.exo_smtp_auth_info) describes it.
    type: str
notes:
  - Right before it closes the organization, the task looks at every mailbox in O(allowed) again, and right before it
    opens it, at every one in O(denied), even with O(wait=false). If one of them is not as it has to be, the
    organization is left as it is, with RV(ignore:error_code=not_confirmed).
  - The task stops writing when the run that started it ends, by the keyword C(timeout), a signal or a kill. Run it
    again and it finishes what is left.
  - The setting switches the protocol, for Basic authentication and OAuth alike. Security defaults, Conditional Access
    and an authentication policy can each block SMTP AUTH as well, and this module does not change them.
  - Microsoft turns Basic authentication for SMTP AUTH off by default for existing tenants at the end of December
    2026. How that will show in the settings is not published.
  - Only mailboxes in Exchange Online have the setting, not those on premises.
extends_documentation_fragment:
  - m365.exchange_online.writing.lookup
  - m365.exchange_online.writing.max_changes
  - m365.exchange_online.writing.effect
  - m365.exchange_online.writing.undo
  - m365.exchange_online.writing.wait
  - m365.exchange_online.connection
  - m365.exchange_online.connection.graph
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.changing
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_smtp_auth_info
  - module: m365.exchange_online.exo_cas_mailbox_info
  - module: m365.exchange_online.exo_transport_config_info
  - module: m365.exchange_online.exo_cas_mailbox
  - module: m365.exchange_online.exo_transport_config
  - module: m365.exchange_online.exo_restore
  - name: Enable or disable SMTP AUTH in Exchange Online
    description: What SMTP AUTH is and what else can block it.
    link: >-
      https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
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
- name: SMTP AUTH is off, but for one scanner
  m365.exchange_online.exo_smtp_auth:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    organization: disabled
    allowed:
      - scanner@contoso.com

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Preview the same, with who loses and who gains SMTP AUTH
  m365.exchange_online.exo_smtp_auth:
    organization: disabled
    allowed:
      - identity: scanner@contoso.com
  check_mode: true
  diff: true

- name: Exceptions on the record, and no others
  m365.exchange_online.exo_smtp_auth:
    organization: disabled
    allowed:
      - identity: scanner@contoso.com
        reason: Multifunction printer, ground floor, knows Basic only
        owner: facilities@contoso.com
        ticket: CHG-1042
        expires: "2027-03-31"
      - identity: reports@contoso.com
        reason: Report server, OAuth
        owner: bi@contoso.com
    denied:
      - identity: ceo@contoso.com
        reason: Never, whatever the organization says
    unlisted: not_enabled
    max_changes: 20
    undo_file: /var/lib/exo/contoso-smtp-auth.json

- name: Take expired exceptions away, and give a change 15 minutes before the organization is closed
  m365.exchange_online.exo_smtp_auth:
    organization: disabled
    allowed: "{{ smtp_auth_exceptions }}"
    expired: revoke
    propagation_delay: 900

- name: Close the organization only if nobody else has used SMTP AUTH for 30 days
  m365.exchange_online.exo_smtp_auth:
    organization: disabled
    allowed:
      - scanner@contoso.com
    require_unused_days: 30
    accept_cutoff:
      - old-printer@contoso.com

- name: Nobody may use SMTP AUTH
  m365.exchange_online.exo_smtp_auth:
    organization: disabled
    allowed: []
    allow_empty: true
    unlisted: inherit

- name: Several tasks for one tenant, the connection given once
  module_defaults:
    group/m365.exchange_online.exo:
      tenant: contoso.onmicrosoft.com
      client_id: 11111111-2222-3333-4444-555555555555
      certificate_path: /etc/exo/contoso.pem
  block:
    - name: Name the mailboxes that are enabled and on no list
      m365.exchange_online.exo_smtp_auth:
        allowed:
          - identity: scanner@contoso.com
      check_mode: true
      register: smtp_auth

# The job's credential puts EXO_CLIENT_ID and EXO_CERTIFICATE_PATH into the environment.
- name: In AWX, each host of the inventory being a tenant
  m365.exchange_online.exo_smtp_auth:
    tenant: "{{ exo_tenant }}"
    organization: disabled
    allowed: "{{ smtp_auth_exceptions }}"
    unlisted: not_enabled
    max_changes: 10%
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
    contoso.onmicrosoft.com: organization off → 1 mailbox changes, 9 lose SMTP AUTH, 0 gain it;
    way back: /var/lib/exo/undo.json
organization:
  description: The organization's setting, also if this task does not manage it.
  returned: success, or when some of the writes failed
  type: dict
  contains:
    before:
      description: Whether SMTP AUTH was V(enabled) or V(disabled).
      returned: always
      type: str
      sample: enabled
    after:
      description: Whether it is V(enabled) or V(disabled) now, or would be in check mode.
      returned: always
      type: str
      sample: disabled
    status:
      description: V(changed), V(unchanged) or V(failed). In check mode, what it would be.
      returned: always
      type: str
      sample: changed
    confirmed:
      description: Whether the service showed the new value.
      returned: when it was changed, not in check mode
      type: bool
      sample: true
mailboxes:
  description:
    - The mailboxes that changed (or would in check mode), failed or are missing.
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
      description: Its setting for SMTP AUTH as it was, in the form that the options take.
      returned: when the mailbox was found
      type: dict
      sample:
        smtp_client_authentication_disabled: inherit
    after:
      description: Its setting for SMTP AUTH as it is now, or as it would be in check mode.
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
users:
  description:
    - The users whose authentication policy changed (or would in check mode) or could not be changed, in the form of
      RV(mailboxes).
  returned: with O(authentication_policy), when at least one of them has to change
  type: list
  elements: dict
  sample:
    - identity: scanner@contoso.com
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      primary_smtp_address: scanner@contoso.com
      display_name: Scanner, ground floor
      status: changed
      before: {authentication_policy: ""}
      after: {authentication_policy: Allow SMTP}
      confirmed: true
unlisted_enabled:
  description: The addresses of the mailboxes that are explicitly enabled, are on no list, and stay enabled.
  returned: success, or when some of the writes failed
  type: list
  elements: str
  sample:
    - old-scanner@contoso.com
expired:
  description: The entries of O(allowed) and O(denied) whose last day is over.
  returned: success or failure, when the mailboxes were read
  type: list
  elements: dict
  contains:
    identity:
      description: The mailbox, as it is listed.
      returned: always
      type: str
      sample: scanner@contoso.com
    expires:
      description: The last day of the entry.
      returned: always
      type: str
      sample: "2026-10-31"
    owner:
      description: Who is responsible for it, as the entry says.
      returned: when given
      type: str
      sample: facilities@contoso.com
    reason:
      description: Why the exception exists, as the entry says.
      returned: when given
      type: str
      sample: Multifunction printer, ground floor, knows Basic only
    ticket:
      description: The ticket in which it was requested, as the entry says.
      returned: when given
      type: str
      sample: CHG-1042
cut_off:
  description:
    - The mailboxes because of which the plan was refused, since they use SMTP AUTH or may use it. At most 500, those in
      use first. C(usage) has the form of RV(m365.exchange_online.exo_smtp_auth_info#module:mailboxes[].usage).
  returned: when O(require_unused_days) refuses the plan
  type: list
  elements: dict
  sample:
    - identity: reports@contoso.com
      guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      usage:
        state: used
        last_seen: "2026-11-22T06:12:01Z"
        sign_ins: 21
        addresses:
          - 203.0.113.20
        clients:
          - Authenticated SMTP
        streams:
          - nonInteractiveUser
        protocols:
          - ropc
expiring:
  description: The entries of O(allowed) and O(denied) whose last day is less than 30 days away.
  returned: success or failure, when the mailboxes were read
  type: list
  elements: dict
  contains:
    identity:
      description: The mailbox, as it is listed.
      returned: always
      type: str
      sample: scanner@contoso.com
    expires:
      description: The last day of the entry.
      returned: always
      type: str
      sample: "2026-12-15"
    owner:
      description: Who is responsible for it, as the entry says.
      returned: when given
      type: str
      sample: facilities@contoso.com
    reason:
      description: Why the exception exists, as the entry says.
      returned: when given
      type: str
      sample: Multifunction printer, ground floor, knows Basic only
    ticket:
      description: The ticket in which it was requested, as the entry says.
      returned: when given
      type: str
      sample: CHG-1042
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
    task: m365.exchange_online.exo_smtp_auth
    effect: {lose: "", gain: ""}
    groups:
      - noun: CASMailbox
        smtp_auth_works: {before: true, after: true}
        before: {smtp_client_authentication_disabled: inherit}
        after: {smtp_client_authentication_disabled: false}
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
        contoso.onmicrosoft.com: organization off → 1 mailbox changes, 9 lose SMTP AUTH, 0 gain it
          scanner@contoso.com  follows the organization (on) → allowed
          the organization     SMTP AUTH on → off
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
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth import ARGUMENT_SPEC, converge


def main() -> None:
    run_module(converge, ARGUMENT_SPEC, graph=True)


if __name__ == "__main__":
    main()
