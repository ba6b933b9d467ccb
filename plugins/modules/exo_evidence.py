#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_evidence
short_description: Render the evidence of audits for people, spreadsheets and other systems
version_added: 1.0.0
description:
  - Reads the evidence that the playbook C(m365.exchange_online.audit) wrote, one JSON file for each tenant and run, and
    renders it for all tenants together. It contacts no tenant and needs no credential.
  - Files of several runs, and of the slices of a job, are merged by tenant. The newest file of a tenant is shown, and
    it is compared with the one before. Two hosts that turn out to be the same tenant are named.
  - A tenant that could not be read appears as failed in every format. What was not read is never shown as compliant.
  - A control is judged by its own wording only. CIS Microsoft 365 Foundations 6.5.4 and CISA MS.EXO.5.1v1 ask only
    whether SMTP AUTH is off for the organization. A tenant passes them with any number of mailboxes that are enabled
    individually, so these exceptions are shown next to the verdict.
options:
  src:
    description:
      - Directories with evidence. Their subdirectories are searched too. JSON files that are not evidence are ignored.
    type: list
    elements: path
    required: true
  dest:
    description:
      - Directory for the rendered files. It must already exist.
    type: path
    required: true
  suffix:
    description:
      - Text to add to the name of each file, before its ending. With C(-job4711), C(evidence.html) becomes
        C(evidence-job4711.html). Only letters, digits, hyphens and underscores are allowed.
      - Slices of a job that write to the same directory each need a suffix of their own.
    type: str
    default: ''
  formats:
    description:
      - What to render.
      - V(html) is C(evidence.html), one page that needs no network.
      - V(csv) is two files. C(evidence.csv) has a row for each control, each difference from a baseline, each change
        and everything that was not read. C(mailboxes.csv) has a row for each mailbox. Cells that a spreadsheet would
        take for a formula begin with an apostrophe.
      - V(action_plan) is C(ActionPlan.csv), the controls that fail, with empty columns to fill in for reason, date and
        owner.
      - V(markdown) is C(evidence.md), with at most 50 rows in each table.
      - V(junit) is C(evidence.junit.xml), with a test suite for each tenant.
      - V(ocsf) is C(evidence.ocsf.json), with compliance findings (class 2003) of OCSF 1.3.
    type: list
    elements: str
    choices: [html, csv, action_plan, markdown, junit, ocsf]
    default: [html, csv, action_plan, markdown, junit, ocsf]
  undo:
    description:
      - Directories with undo files of this collection. A change that one of them explains is reported as made by a run
        of this collection, any other as "not by us".
    type: list
    elements: path
    default: []
  expected:
    description:
      - The inventory hosts of the last run. A host without evidence from that run counts as failed.
    type: list
    elements: str
    default: []
  max_age:
    description:
      - How many hours older than the newest evidence a tenant's evidence may be to belong to the same run. A tenant
        whose evidence is older counts as vanished, which means that the last run did not try to read it.
      - Make it longer than all slices of a run take together, and shorter than the time between two runs.
    type: int
    default: 12
  fail_on:
    description:
      - What makes the task fail, once the files have been written.
      - V(drift) is a tenant that differs from its baseline.
      - V(change) is a change since the evidence before that no undo file explains.
      - V(unread) is a tenant that failed or vanished, a part of a tenant that was not read, a file that can't be used,
        or two hosts that are the same tenant.
      - V(expired) is an exception whose last day is over.
    type: list
    elements: str
    choices: [drift, change, unread, expired]
    default: []
attributes:
  check_mode:
    support: full
    details:
      - No file is written.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Everything is judged as of the time of the newest evidence, not the current time, so the same evidence always
        gives the same files.
notes:
  - New files have mode 0600, because they name people and the mailboxes that can use SMTP AUTH. An existing file keeps
    its mode.
extends_documentation_fragment:
  - m365.exchange_online.attributes
seealso:
  - module: m365.exchange_online.exo_smtp_auth
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Render the evidence of all tenants
  m365.exchange_online.exo_evidence:
    src: /var/lib/exo/reports
    dest: /srv/www/exo
    undo: /var/lib/exo/undo
  delegate_to: localhost
  run_once: true

- name: Fail a nightly job where something changed by itself or could not be read
  m365.exchange_online.exo_evidence:
    src: /var/lib/exo/reports
    dest: /var/lib/exo/rendered
    undo: /var/lib/exo/undo
    fail_on: [change, unread]
  delegate_to: localhost
  run_once: true

- name: Render only the page, from two directories
  m365.exchange_online.exo_evidence:
    src:
      - /mnt/exo/europe
      - /mnt/exo/america
    dest: /srv/www/exo
    formats: [html]
  register: evidence

- name: Show what can be removed from the lists of exceptions
  ansible.builtin.debug:
    var: evidence.candidates
"""

RETURN = r"""
line:
  description: What was found, in one line.
  returned: success, or when something in O(fail_on) was found
  type: str
  sample: >-
    2026-11-26 02:15 UTC: 198 of 200 tenants read, 2 failed, 23 not read completely, 5 with drift, 1 change not by us,
    4 exceptions expired, 12 exceptions expire within 30 days, 60 exceptions not seen in use. 35 days until 2026-12-31,
    when Basic for SMTP AUTH is off by default.
counts:
  description: Figures over all tenants.
  returned: success, or when something in O(fail_on) was found
  type: dict
  contains:
    tenants:
      description: Tenants with evidence, and those in O(expected).
      returned: always
      type: int
      sample: 200
    read:
      description: Tenants that the last run read.
      returned: always
      type: int
      sample: 198
    failed:
      description: Tenants that the last run could not read.
      returned: always
      type: int
      sample: 2
    vanished:
      description: Tenants that the last run did not try to read.
      returned: always
      type: int
      sample: 0
    incomplete:
      description: Tenants that were read, but not completely. They are part of RV(counts.read).
      returned: always
      type: int
      sample: 23
    compliant:
      description: Tenants that are at their baseline.
      returned: always
      type: int
      sample: 190
    drift:
      description: Tenants that differ from their baseline.
      returned: always
      type: int
      sample: 5
    controls_failed:
      description: Controls that fail, counted over all tenants.
      returned: always
      type: int
      sample: 31
    changes:
      description: Changes since the evidence before.
      returned: always
      type: int
      sample: 3
    changes_not_ours:
      description: Changes that no undo file explains.
      returned: always
      type: int
      sample: 1
    exceptions:
      description: Entries in the lists of exceptions.
      returned: always
      type: int
      sample: 412
    expired:
      description: Entries whose last day is over.
      returned: always
      type: int
      sample: 4
    expires_soon:
      description: Entries that expire within 30 days.
      returned: always
      type: int
      sample: 12
    not_seen:
      description:
        - Entries whose mailbox has no sign-in in the sign-in log. They are counted only where the log was read
          completely.
      returned: always
      type: int
      sample: 60
changes:
  description: What changed since the evidence before, at most 200 entries.
  returned: success, or when something in O(fail_on) was found
  type: list
  elements: dict
  contains:
    tenant:
      description: The inventory host.
      returned: always
      type: str
      sample: contoso
    text:
      description: What changed, and whether a run of this collection explains it.
      returned: always
      type: str
      sample: The organization's flag changed from true to false, and not by us.
candidates:
  description:
    - Exceptions that can be removed, because they expired, were not seen in use, or have no mailbox any more. At most
      200 entries.
  returned: success, or when something in O(fail_on) was found
  type: list
  elements: dict
  contains:
    tenant:
      description: The inventory host.
      returned: always
      type: str
      sample: contoso
    mailbox:
      description: The address of the mailbox.
      returned: always
      type: str
      sample: scanner@contoso.com
    note:
      description: Why it can be removed.
      returned: always
      type: str
      sample: expired on 2026-10-31
truncated:
  description:
    - The number of entries that are left out, by the name of the list (V(changes), V(candidates)). The files have them
      all.
  returned: when something is left out
  type: dict
  sample:
    changes: 800
summary:
  description:
    - RV(line), RV(counts) and the figures of each tenant, for M(ansible.builtin.set_stats). It names no people, and it
      has at most 200,000 characters.
  returned: success, or when something in O(fail_on) was found
  type: dict
  contains:
    line:
      description: The same as RV(line).
      returned: always
      type: str
      sample: >-
        2026-11-26 02:15 UTC: 1 of 1 tenant read, 1 with drift. 35 days until 2026-12-31, when Basic for SMTP AUTH is
        off by default.
    counts:
      description: The same as RV(counts).
      returned: always
      type: dict
      sample: {tenants: 1, read: 1, failed: 0, vanished: 0, incomplete: 0, compliant: 0, drift: 1}
    tenants:
      description:
        - The figures of each tenant, by inventory host. Tenants that are not compliant come first.
        - C(read) is the time of the evidence, C(flag) the organization's setting (V(true) means that SMTP AUTH is off),
          C(enabled) how many mailboxes are enabled individually, and C(basic_allowed) for how many SMTP AUTH works with
          Basic. These are V(null) where they were not read. The others count entries.
      returned: always
      type: dict
      sample:
        contoso:
          status: drift
          read: "2026-11-26T02:15:46Z"
          flag: true
          enabled: 12
          basic_allowed: 12
          drift: 3
          changes: 1
          not_ours: 0
          exceptions: 14
          expired: 0
          unread: 0
    truncated:
      description: How many tenants are left out.
      returned: when some tenants are left out
      type: int
      sample: 40
files:
  description: Paths of the rendered files, also of those that did not change.
  returned: success, or when something in O(fail_on) was found
  type: list
  elements: str
  sample:
    - /srv/www/exo/evidence.html
failed_on:
  description: The entries of O(fail_on) that were found. The task fails then.
  returned: when something in O(fail_on) was found
  type: list
  elements: str
  sample:
    - change
error_code:
  description:
    - V(refused) if something in O(fail_on) was found, V(invalid_request) if a directory or an option can't be used.
  returned: failure
  type: str
  sample: refused
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_files import ARGUMENT_SPEC, render


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = render(module.params, module.check_mode)
    except ExoError as error:
        module.fail_json(**error.to_fail_kwargs())
    if "failed_on" in result:
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
