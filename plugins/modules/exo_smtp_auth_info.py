#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_smtp_auth_info
short_description: Tell who can use SMTP AUTH, what blocks the others, and who does use it
version_added: 1.0.0
description:
  - For each mailbox, tells whether SMTP AUTH works with Basic authentication and with OAuth. It is V(allowed),
    V(blocked) or V(unknown). A gate is anything that can block it. The result has B(every) gate with its state, what
    that was read from, and what to do about it.
  - A mailbox is V(blocked) if any gate is certainly closed. It is V(allowed) only if every gate was read and is open.
    Otherwise it is V(unknown), and the result says what is missing and which permission would show it.
  - Who uses SMTP AUTH is read from the sign-in log of Entra ID (O(usage)), from the report that the Exchange admin
    center exports (O(usage_report)), or from both. An empty log never counts as "not used" on its own.
  - Nothing is changed. The module requests the pages of mailboxes and of users, and seven more answers, whatever the
    size of the tenant. With O(usage) it also requests the pages of the log, and with O(what_if) one answer for each
    named mailbox.
options:
  identity:
    description:
      - The mailboxes to judge. User principal names, addresses, GUIDs and aliases are taken. Names that are not unique
        are refused.
    type: list
    elements: str
  usage:
    description:
      - Whether to read from the sign-in log who signs in over SMTP. Both streams of the log are read, the interactive
        and the non-interactive one, because Exchange Online's legacy sign-ins are in the second.
      - Needs the application permission C(AuditLog.Read.All) of Microsoft Graph, and Entra ID P1 or P2 in the tenant.
        Without one of them the use is V(unknown), with that reason.
    type: bool
    default: false
  usage_days:
    description:
      - How many days of use to look at. The sign-in log is kept for 30 days. For more, give O(usage_report).
    type: int
    default: 30
  usage_report:
    description:
      - Absolute path of a CSV file on the host that runs the module, the report "SMTP AUTH clients" as the Exchange
        admin center exports it (Reports, Mail flow). It reaches back up to 90 days, tells Basic from OAuth, and needs
        no license and no permission.
      - The columns of that export are not documented and were not seen live when this was written. They are found by
        the words in their headers, in many languages. A file without a column of senders' addresses is refused.
      - The days in the file count as the time that it covers. A file without days shows who uses SMTP AUTH, but not
        who does not.
    type: str
  what_if:
    description:
      - Whether to ask Conditional Access itself about each mailbox in O(identity), one request a second. It decides
        what the policies alone leave open, such as membership of groups and, with O(client_ip), locations.
      - It is asked about a sign-in without risk.
    type: bool
    default: false
  client_ip:
    description:
      - The address from which the device signs in, for O(what_if). Without it, policies with locations are undecided.
    type: str
  error_text:
    description:
      - What a device was told when it could not send, such as C(535 5.7.139 Authentication unsuccessful ...). The
        result says which gate answers like that, what to do, and whether the tenant's state agrees.
    type: str
  dest:
    description:
      - Absolute path of a file on the host that runs the module, where all mailboxes go with their gates. It is CSV if
        its name ends in C(.csv), and otherwise JSON.
      - The file holds names and addresses of people. It gets mode C(0600).
      - With this option, RV(mailboxes) is not part of the task's result.
    type: str
notes:
  - One of O(identity) and O(all_mailboxes) has to be given.
  - "Gates are RV(mailboxes[].gates[].gate): C(basic_auth_retirement), C(mailbox_type), C(smtp_auth_setting) (the
    organization's and the mailbox's own), C(authentication_policy), C(account), C(security_defaults) and
    C(conditional_access)."
  - From 2026-12-31, Basic is at best V(unknown). Microsoft turns it off by default then, and has not said how a tenant
    shows it.
  - Microsoft Graph is read with the same credential, which gets a second token. C(Policy.Read.All) lets it read
    security defaults and Conditional Access. With O(access_token) alone Graph can't be read, and what needs it is
    V(unknown).
  - What each question needs is listed in
    L(the page on permissions,https://github.com/m365-ansible/exchange_online/blob/main/docs/permissions.md).
extends_documentation_fragment:
  - m365.exchange_online.selection
  - m365.exchange_online.writing.lookup
  - m365.exchange_online.connection
  - m365.exchange_online.connection.graph
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_smtp_auth
  - module: m365.exchange_online.exo_cas_mailbox_info
  - name: Enable or disable SMTP AUTH in Exchange Online
    description: What SMTP AUTH is and what else can block it.
    link: >-
      https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Who uses SMTP AUTH, and whom would it cut off to close the organization?
  m365.exchange_online.exo_smtp_auth_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    all_mailboxes: true
    usage: true
  register: posture

- name: Show the counts, and the first who would be cut off
  ansible.builtin.debug:
    var: posture.summary

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: I enabled it and it is still blocked. Why?
  m365.exchange_online.exo_smtp_auth_info:
    identity: scanner@contoso.com
    what_if: true
    client_ip: 203.0.113.10
    error_text: >-
      535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.

- name: Everything about every mailbox, as a table for a spreadsheet
  m365.exchange_online.exo_smtp_auth_info:
    all_mailboxes: true
    usage: true
    dest: /var/lib/exo/contoso-smtp-auth.csv

- name: Without Entra ID P1, with the report that the admin center exports
  m365.exchange_online.exo_smtp_auth_info:
    all_mailboxes: true
    usage_report: /var/lib/exo/smtp-auth-clients.csv
    usage_days: 60
"""

RETURN = r"""
msg:
  description: The result in one line. The numbers for OAuth are in the same order as those for Basic.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 412 mailboxes: Basic works for 9, is blocked for 400 and unknown for 3; OAuth 412, 0 and 0.
    In use: 8; not seen: 404; not known: 0.
summary:
  description: Counts over all mailboxes that were selected.
  returned: success
  type: dict
  contains:
    mailboxes:
      description: How many mailboxes were judged.
      returned: always
      type: int
      sample: 412
    basic:
      description: How many can use SMTP AUTH with Basic authentication.
      returned: always
      type: dict
      contains: &counts
        allowed:
          description: Mailboxes for which all gates were read and are open.
          returned: always
          type: int
          sample: 9
        blocked:
          description: Mailboxes for which a gate is certainly closed.
          returned: always
          type: int
          sample: 400
        unknown:
          description: Mailboxes for which no gate is known to be closed, but not all are known to be open.
          returned: always
          type: int
          sample: 3
        gates:
          description:
            - For how many mailboxes each gate is closed, and for how many it is unknown. A mailbox counts once for each
              gate that is closed for it, and gates that are open for all are left out.
          returned: always
          type: dict
          sample:
            authentication_policy:
              closed: 398
              unknown: 3
            account:
              closed: 40
              unknown: 0
    oauth:
      description: The same for OAuth.
      returned: always
      type: dict
      contains: *counts
    usage:
      description:
        - How many mailboxes are in use, how many were not seen although the log or report covers the whole time, and of
          how many it is not known.
      returned: with O(usage) or O(usage_report)
      type: dict
      sample:
        used: 8
        not_seen: 404
        unknown: 0
    used:
      description: How many of the mailboxes in use are allowed, blocked and unknown, for Basic and for OAuth.
      returned: with O(usage) or O(usage_report)
      type: dict
      sample:
        basic:
          allowed: 7
          blocked: 0
          unknown: 1
        oauth:
          allowed: 8
          blocked: 0
          unknown: 0
    closing:
      description:
        - Which mailboxes would lose SMTP AUTH if it were turned off for the organization now. These are the mailboxes
          that follow the organization and are not blocked by anything else. V(null) if the organization's setting could
          not be read.
      returned: always
      type: dict
      contains:
        cut_off:
          description: How many would lose it.
          returned: always
          type: int
          sample: 403
        used:
          description: How many of them are in use.
          returned: always
          type: int
          sample: 7
        pop_or_imap:
          description: How many of them have POP or IMAP turned on. Users of POP and IMAP send over SMTP.
          returned: always
          type: int
          sample: 380
        sample:
          description: The first 20 of them, those in use first.
          returned: always
          type: list
          elements: dict
          sample:
            - identity: scanner@contoso.com
              pop_or_imap: false
              usage: used
              last_seen: "2026-11-22T06:12:01Z"
              addresses:
                - 203.0.113.10
    unread:
      description:
        - What could not be read (C(what)), why (C(reason)), which permission is missing (C(permission), empty if that
          is not the reason), and for how many mailboxes it matters (C(mailboxes)).
      returned: always
      type: list
      elements: dict
      sample:
        - what: security_defaults
          reason: "Not read: Microsoft Graph did not answer v1.0/policies/...: Forbidden (HTTP 403)."
          permission: Policy.Read.All
          mailboxes: 412
mailboxes:
  description:
    - The mailboxes, those in use first. If the list is too long for the result it is cut, see RV(truncated). A file
      (O(dest)) holds all of them.
  returned: success, without O(dest)
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
      returned: always
      type: str
      sample: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
    primary_smtp_address:
      description: The primary address of the mailbox.
      returned: always
      type: str
      sample: scanner@contoso.com
    display_name:
      description: The display name of the mailbox.
      returned: always
      type: str
      sample: Scanner, ground floor
    recipient_type_details:
      description: The type of the mailbox. Empty if it could not be read.
      returned: always
      type: str
      sample: UserMailbox
    basic:
      description: Whether SMTP AUTH works with Basic.
      returned: always
      type: dict
      contains: &judgement
        state:
          description: V(allowed), V(blocked) or V(unknown).
          returned: always
          type: str
          sample: blocked
        closed:
          description: All gates that are closed, not only the first.
          returned: always
          type: list
          elements: str
          sample:
            - authentication_policy
        unknown:
          description: All gates whose state is not known.
          returned: always
          type: list
          elements: str
          sample: []
    oauth:
      description:
        - Whether SMTP AUTH works with OAuth. It says that Exchange Online accepts OAuth, not that an app has the
          consent that it needs.
      returned: always
      type: dict
      contains: *judgement
    pop_or_imap:
      description: Whether POP or IMAP is turned on for the mailbox. Users of POP and IMAP send over SMTP.
      returned: always
      type: bool
      sample: false
    gates:
      description: Every gate.
      returned: always
      type: list
      elements: dict
      contains:
        gate:
          description: The name of the gate.
          returned: always
          type: str
          sample: authentication_policy
        basic:
          description: Its state for Basic, which is V(open), V(closed) or V(unknown).
          returned: always
          type: str
          sample: closed
        oauth:
          description: Its state for OAuth.
          returned: always
          type: str
          sample: open
        source:
          description: What its state was read from.
          returned: always
          type: str
          sample: AuthenticationPolicy of Get-User, else DefaultAuthenticationPolicy of Get-OrganizationConfig
        detail:
          description: What was found there.
          returned: always
          type: str
          sample: The user's own authentication policy, Block Basic Auth, refuses Basic for SMTP.
        remedy:
          description: What to do to open the gate, or to have its state read.
          returned: when the gate is closed or unknown, and something can be done
          type: str
          sample: Name a policy that lets SMTP through in authentication_policy of exo_smtp_auth, or use OAuth.
        permission:
          description: The permission that is needed to read the state of the gate.
          returned: when the gate is unknown because a permission is missing
          type: str
          sample: Policy.Read.All
    usage:
      description:
        - Whether the mailbox is in use. C(state) is V(used) (it signed in successfully, or the report has messages from
          it), V(not_seen) (it did not, and the log or report covers the whole time) or V(unknown), with the C(reason).
        - C(hidden_by) names the closed gates that refuse a sign-in before it would be logged. A mailbox can be
          V(not_seen) for this reason alone.
        - Sign-ins are counted, not messages. Failed sign-ins are counted separately and are not taken as use, because
          they often come from someone else.
      returned: with O(usage) or O(usage_report)
      type: dict
      sample:
        state: used
        last_seen: "2026-11-22T06:12:01Z"
        sign_ins: 21
        addresses:
          - 203.0.113.10
        clients:
          - Authenticated SMTP
        streams:
          - nonInteractiveUser
        protocols:
          - ropc
coverage:
  description:
    - The time that the sign-in log (C(log)) and the report (C(report)) really cover, and the C(reason) if that is less
      than what was asked for.
  returned: with O(usage) or O(usage_report)
  type: dict
  sample:
    log:
      asked_days: 30
      from: "2026-11-21"
      to: "2026-11-26"
      complete: false
      reason: the sign-in log reaches back 5 of 30 days
unmatched:
  description:
    - Names in the sign-in log or the report that belong to none of the mailboxes that were read, at most 100 from each.
  returned: with O(all_mailboxes=true) and O(usage) or O(usage_report)
  type: list
  elements: str
  sample:
    - app@contoso.com
reply:
  description: What O(error_text) means.
  returned: with O(error_text)
  type: dict
  contains:
    gate:
      description: The gate that gives this answer. V(null) if the text is not about a gate, or is not known.
      returned: always
      type: str
      sample: smtp_auth_setting
    meaning:
      description: What the text says.
      returned: always
      type: str
      sample: SMTP AUTH is turned off for this very mailbox.
    remedy:
      description: What to do. Empty if the text is not known.
      returned: always
      type: str
      sample: Put the mailbox on the allowed list of exo_smtp_auth.
    certain:
      description: Whether it is certain that this gate gives the answer. V(false) if sources differ.
      returned: always
      type: bool
      sample: true
    states:
      description: For how many of the selected mailboxes this gate is closed, open and unknown.
      returned: when a gate gives this answer
      type: dict
      sample:
        closed: 1
        open: 0
        unknown: 0
    agreement:
      description: Whether the state of the tenant agrees with the text.
      returned: when a gate gives this answer, and its state is the same for all selected mailboxes
      type: str
      sample: "The tenant's state agrees: this gate is closed."
not_checked:
  description: What else can block a mailbox but can't be read, one sentence each. This result says nothing about it.
  returned: success
  type: list
  elements: str
  sample:
    - The password itself, and whether the account is locked.
truncated:
  description:
    - How many entries of each list are left out, because the result would be too large. RV(summary) counts all of them.
  returned: when something is left out
  type: dict
  sample:
    mailboxes: 9700
dest:
  description: Path of the file that was written.
  returned: when O(dest) is given
  type: str
  sample: /var/lib/exo/contoso-smtp-auth.csv
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
  sample: Get-CASMailbox
request_id:
  description: The ID of the request, for a support case with Microsoft.
  returned: failure, when the service sent one
  type: str
  sample: 3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11
hint:
  description: What to do, for the failures that a first run meets.
  returned: failure, when one is known
  type: str
  sample: Give the app a directory role such as Global Reader; the permission alone is not enough.
"""

from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_info import ARGUMENT_SPEC, info


def main() -> None:
    run_module(info, ARGUMENT_SPEC, graph=True)


if __name__ == "__main__":
    main()
