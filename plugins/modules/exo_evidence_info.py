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
    which gates are closed to the others, every mailbox with a setting of its own, an exception or use seen, and what
    the change of December 2026 would do.
  - What can't be read is named in it, with the reason and the permission that would show it. A tenant that can't be
    read at all leaves a document that says so, and the task fails.
  - It reads with C(Get-TransportConfig), C(Get-OrganizationConfig), C(Get-AuthenticationPolicy), C(Get-CASMailbox) and
    C(Get-User), and from Microsoft Graph security defaults, Conditional Access policies and the sign-in log.
  - The app registration needs the application permission C(Exchange.ManageAsApp) and a role. The directory role
    C(Global Reader) is enough. For what comes from Microsoft Graph it needs the application permissions
    C(Policy.Read.All) and C(AuditLog.Read.All); without them, the gates that depend on it are unknown.
options:
  dest:
    description:
      - Absolute path of the document. Each run should have a file of its own, because
        M(m365.exchange_online.exo_evidence) compares it with the older ones to find what changed.
      - Without it nothing is kept, and the figures are in the result alone.
    type: str
  host:
    description:
      - What people call the tenant, usually C(inventory_hostname).
    type: str
    required: true
  status:
    description:
      - How the tenant compared with its baseline.
    type: str
    choices: [compliant, drift, unlisted, unknown, held, undeclared]
    default: undeclared
  drift:
    description:
      - A sentence for each difference from the baseline.
    type: list
    elements: str
    default: []
  errors:
    description:
      - What could not be compared, each with C(message) and C(error_code).
    type: list
    elements: dict
    default: []
  allowed:
    description:
      - The baseline's list of mailboxes that may use SMTP AUTH, as O(m365.exchange_online.exo_smtp_auth#module:allowed)
        takes it.
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
      - How many days of the sign-in log to read. Microsoft keeps 30.
    type: int
    default: 30
  job:
    description:
      - ID of the job, for the record.
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
  description: Who can use SMTP AUTH, who does, and who would be cut off by closing the organization, in one line.
  returned: success
  type: str
  sample: >-
    contoso.onmicrosoft.com: 412 mailboxes: Basic works for 9, is blocked for 403 and unknown for 0; OAuth 412, 0 and 0.
    In use: 8; not seen: 404; not known: 0.
dest:
  description: Path of the document.
  returned: success, with O(dest)
  type: str
  sample: /var/lib/exo/reports/contoso-20261126.json
status:
  description: How the tenant compared with its baseline, as it was given.
  returned: success
  type: str
  sample: compliant
summary:
  description:
    - The verdict on all mailboxes in figures, as M(m365.exchange_online.exo_smtp_auth_info) returns it. V(null) where
      they were not all read.
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
      allowed: 412
      blocked: 0
      unknown: 0
      gates: {}
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
        allowed: 8
        blocked: 0
        unknown: 0
    closing:
      cut_off: 0
      used: 0
      pop_or_imap: 0
      sample: []
    unread: []
counts:
  description: Mailboxes by their own setting. V(null) where they were not all read.
  returned: success
  type: dict
  sample:
    mailboxes: 412
    enabled: 9
    disabled: 0
    inherit: 403
verdict:
  description: For how many mailboxes SMTP AUTH works, with Basic and with OAuth. V(null) where they were not all read.
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
december:
  description: What the change of December 2026 would do, by two of its possible carriers, in mailboxes.
  returned: success
  type: dict
  sample:
    flag_flips:
      keep: 9
      stop: 0
    basic_closed:
      stop: 9
      seen: 7
      oauth_open: 9
completeness:
  description: How many mailboxes were read, and what was not read.
  returned: success
  type: dict
  sample:
    mailboxes_read: 412
    unread: []
retried:
  description: What was tried again, why, and after how long.
  returned: when a request had to be sent more than once
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
  description: What to do. It is the last sentence of the message, too.
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
