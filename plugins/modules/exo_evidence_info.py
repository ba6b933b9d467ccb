#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_evidence_info
short_description: Read one tenant as evidence
version_added: 1.0.0
description:
  - Reads everything of a tenant that an auditor asks about SMTP AUTH, and writes it as one JSON document (O(dest)).
    There is L(a schema for it,https://github.com/m365-ansible/exchange_online/blob/main/docs/evidence.schema.json).
    M(m365.exchange_online.exo_evidence) renders such documents of many tenants. The playbook
    C(m365.exchange_online.audit) runs both.
  - The document has the settings of the organization, how many mailboxes can use SMTP AUTH with Basic and with OAuth,
    what blocks the others, every mailbox that has a setting of its own, is listed as an exception or was seen in use,
    and what the change of December 2026 would do.
  - It names what could not be read, with the reason and the permission that is missing. If a tenant can't be read at
    all, the document says so, and the task fails.
  - It reads with C(Get-TransportConfig), C(Get-OrganizationConfig), C(Get-AuthenticationPolicy), C(Get-CASMailbox) and
    C(Get-User). Security defaults, Conditional Access policies and the sign-in log come from Microsoft Graph.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough. For what comes from Microsoft Graph it needs the application permissions
    C(Policy.Read.All) and C(AuditLog.Read.All). Without them, what they would show is unknown.
options:
  dest:
    description:
      - Absolute path of the document. Each run should have a file of its own, because
        M(m365.exchange_online.exo_evidence) compares it with the older ones to find what changed.
      - Without it no document is written, and the figures are only in the result.
    type: str
  host:
    description:
      - The name of the tenant in the document, usually C(inventory_hostname).
    type: str
    required: true
  status:
    description:
      - How the tenant compared with its baseline. The module does not compare anything, it only records this.
      - V(unlisted) means as declared, but with enabled mailboxes that are on no list. V(unknown) means that something
        could not be compared, V(held) that the tenant is left alone on purpose, and V(undeclared) that it has no
        baseline.
    type: str
    choices: [compliant, drift, unlisted, unknown, held, undeclared]
    default: undeclared
  drift:
    description:
      - A sentence for each difference from the baseline, for the record.
    type: list
    elements: str
    default: []
  errors:
    description:
      - What could not be compared, for the record. Each entry has a C(message) and an C(error_code).
    type: list
    elements: dict
    default: []
  allowed:
    description:
      - The baseline's list of mailboxes that may use SMTP AUTH, in the form of
        O(m365.exchange_online.exo_smtp_auth#module:allowed). The document has each entry with its mailbox.
    type: list
    elements: raw
    default: []
  usage:
    description:
      - Whether to read the sign-in log, which tells who uses SMTP AUTH.
    type: bool
    default: true
  usage_days:
    description:
      - How many days of the sign-in log to read. Microsoft keeps 30 days.
    type: int
    default: 30
  job:
    description:
      - ID of the job in AWX or Automation Controller, for the record.
    type: str
  slice:
    description:
      - Number of the job's slice, for the record.
    type: int
  slices:
    description:
      - How many slices the job has, for the record.
    type: int
extends_documentation_fragment:
  - m365.exchange_online.connection
  - m365.exchange_online.connection.graph
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
  - m365.exchange_online.attributes.actiongroup_exo
seealso:
  - module: m365.exchange_online.exo_evidence
  - module: m365.exchange_online.exo_smtp_auth_info
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Read the tenant as evidence
  m365.exchange_online.exo_evidence_info:
    tenant: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    certificate_path: /etc/exo/contoso.pem
    host: contoso
    dest: /var/lib/exo/reports/contoso-20261126.json

# The environment holds EXO_TENANT, EXO_CLIENT_ID and EXO_CERTIFICATE_PATH from here on.
- name: Read it with the exceptions that the baseline lists, and without the sign-in log
  m365.exchange_online.exo_evidence_info:
    host: contoso
    allowed:
      - identity: scanner@contoso.com
        owner: Facilities
        reason: Multifunction printer, no OAuth in its firmware
        expires: "2027-03-31"
    usage: false
    dest: /var/lib/exo/reports/contoso-20261127.json
"""

RETURN = r"""
msg:
  description:
    - In one line, how many mailboxes can use SMTP AUTH and how many do, and which would be cut off by turning it off
      for the organization.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 412 mailboxes: Basic works for 9, is blocked for 403 and unknown for 0; OAuth 9, 403 and 0.
    In use: 8; not seen: 404; not known: 0.
dest:
  description: Path of the document.
  returned: success, with O(dest)
  type: str
  sample: /var/lib/exo/reports/contoso-20261126.json
status:
  description: The value of O(status).
  returned: success
  type: str
  sample: compliant
summary:
  description:
    - How many mailboxes can use SMTP AUTH, and how many do, in the form of
      RV(m365.exchange_online.exo_smtp_auth_info#module:summary).
    - V(null) if the mailboxes could not be read.
  returned: success
  type: dict
  sample:
    mailboxes: 412
    basic:
      allowed: 9
      blocked: 403
      unknown: 0
      gates:
        smtp_auth_setting:
          closed: 403
          unknown: 0
    oauth:
      allowed: 9
      blocked: 403
      unknown: 0
      gates:
        smtp_auth_setting:
          closed: 403
          unknown: 0
    usage:
      used: 8
      not_seen: 404
      unknown: 0
    used:
      basic:
        allowed: 7
        blocked: 1
        unknown: 0
      oauth:
        allowed: 7
        blocked: 1
        unknown: 0
    closing:
      cut_off: 0
      used: 0
      pop_or_imap: 0
      sample: []
    unread: []
counts:
  description:
    - How many mailboxes have SMTP AUTH enabled or disabled on their own, and how many inherit the organization's
      setting. V(null) if the mailboxes could not be read.
  returned: success
  type: dict
  sample:
    mailboxes: 412
    enabled: 9
    disabled: 0
    inherit: 403
verdict:
  description: C(basic) and C(oauth) of RV(summary). V(null) if the mailboxes could not be read.
  returned: success
  type: dict
  sample:
    basic:
      allowed: 9
      blocked: 403
      unknown: 0
      gates:
        smtp_auth_setting:
          closed: 403
          unknown: 0
    oauth:
      allowed: 9
      blocked: 403
      unknown: 0
      gates:
        smtp_auth_setting:
          closed: 403
          unknown: 0
december:
  description:
    - What the change of December 2026 would do, in numbers of mailboxes. Microsoft has not said how it will make the
      change, so two ways are counted.
    - V(null) if the mailboxes or the organization's setting could not be read.
  returned: success
  type: dict
  contains:
    flag_flips:
      description:
        - If SMTP AUTH is turned off for the organization. C(keep) mailboxes go on working, because they are enabled on
          their own, and C(stop) mailboxes stop.
      returned: always
      type: dict
      sample:
        keep: 9
        stop: 0
    basic_closed:
      description:
        - If Basic is refused for every mailbox. C(stop) mailboxes stop with Basic, C(seen) of them were seen in use
          (V(null) if the sign-in log was not read), and for C(oauth_open) of them nothing is known to block OAuth.
      returned: always
      type: dict
      sample:
        stop: 9
        seen: 7
        oauth_open: 9
completeness:
  description: What was read, and what was not.
  returned: success
  type: dict
  contains:
    mailboxes_read:
      description: How many mailboxes were read. V(null) if they could not be read.
      returned: always
      type: int
      sample: 412
    unread:
      description:
        - What could not be read (C(what)), why (C(reason)), and the permission that is missing (C(permission), or
          V(null) if that is not the reason).
      returned: always
      type: list
      elements: dict
      sample:
        - what: security defaults
          reason: "Not read: Microsoft Graph did not answer v1.0/policies/...: Forbidden (HTTP 403)."
          permission: Policy.Read.All
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
  sample: Get-TransportConfig
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

from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_info import ARGUMENT_SPEC, info
from ansible_collections.m365.exchange_online.plugins.module_utils._module import run_module


def main() -> None:
    run_module(info, ARGUMENT_SPEC, graph=True)


if __name__ == "__main__":
    main()
