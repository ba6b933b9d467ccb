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
    renders it for all tenants together. It asks no tenant anything, so that it needs no connection.
  - Files of several runs and slices merge by tenant. The newest of a tenant is shown, and it is compared with the one
    before. Two hosts that turn out to be one tenant are named.
  - A tenant that could not be read appears as failed in every format. What was not read is never shown as compliant.
  - The verdict of a control is about its own words only. CIS Microsoft 365 Foundations 6.5.4 and CISA MS.EXO.5.1v1 ask
    for the organization's flag, and a tenant passes with any number of mailboxes enabled on their own. These exceptions
    are shown next to the verdict.
options:
  src:
    description:
      - Directories with evidence, searched with those inside them. Other JSON files in them are passed over.
    type: list
    elements: path
    required: true
  dest:
    description:
      - Directory for the rendered files. It must exist.
    type: path
    required: true
  suffix:
    description:
      - What comes into the files' names before their ending, so that C(-job4711) makes C(evidence-job4711.html) of
        C(evidence.html). Letters, digits, hyphens and underscores.
      - Slices of a job that write to one directory each need their own.
    type: str
    default: ''
  formats:
    description:
      - What to render.
      - V(html) is C(evidence.html), one page that needs no network.
      - V(csv) is C(evidence.csv), with a row for each control, drift, change and thing that was not read, and
        C(mailboxes.csv). Cells that a spreadsheet would take for a formula begin with an apostrophe.
      - V(action_plan) is C(ActionPlan.csv), the controls that fail, with empty columns for reason, date and owner.
      - V(markdown) is C(evidence.md), at most 50 rows in each table.
      - V(junit) is C(evidence.junit.xml), a suite for each tenant.
      - V(ocsf) is C(evidence.ocsf.json), compliance findings (class 2003) of OCSF 1.3.
    type: list
    elements: str
    choices: [html, csv, action_plan, markdown, junit, ocsf]
    default: [html, csv, action_plan, markdown, junit, ocsf]
  undo:
    description:
      - Directories with the undo files of this collection. A change that one of them explains is reported as ours, any
        other as not by us.
    type: list
    elements: path
    default: []
  expected:
    description:
      - Hosts of the inventory that the last run covered. One without evidence of that run counts as failed.
    type: list
    elements: str
    default: []
  max_age:
    description:
      - Hours by which evidence may be older than the newest of all and still belong to the same run. A tenant whose
        evidence is older has vanished. Make it longer than all slices of a run take, and shorter than the time between
        runs.
    type: int
    default: 12
  fail_on:
    description:
      - What makes the task fail, after the files were written.
      - V(drift) is a tenant that is not at its baseline.
      - V(change) is a change since the last evidence that no undo file explains.
      - V(unread) is a tenant that failed or vanished, a part of one that was not read, and a file that can't be used.
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
      - Everything is judged as of the newest evidence and not of the clock, so that the same evidence gives the same
        files.
notes:
  - New files have mode 0600, because they name people and what is open for them. The mode of an existing file is kept.
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

- name: Render just the page, of two directories
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
    2026-11-26 02:15 UTC: 198 of 200 tenants read, 2 failed, 5 with drift, 1 change not by us. 35 days until 2026-12-31,
    when Basic for SMTP AUTH is off by default.
counts:
  description: Figures over all tenants.
  returned: success, or when something in O(fail_on) was found
  type: dict
  contains:
    tenants:
      description: Tenants of which there is evidence, or that were expected.
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
      description: Tenants that were read, except for a part.
      returned: always
      type: int
      sample: 23
    compliant:
      description: Tenants that are at their baseline.
      returned: always
      type: int
      sample: 193
    drift:
      description: Tenants that are not.
      returned: always
      type: int
      sample: 5
    controls_failed:
      description: Controls that fail, over all tenants.
      returned: always
      type: int
      sample: 31
    changes:
      description: Changes since the last evidence.
      returned: always
      type: int
      sample: 3
    changes_not_ours:
      description: Those of them that no undo file explains.
      returned: always
      type: int
      sample: 1
    exceptions:
      description: Mailboxes in the lists of exceptions.
      returned: always
      type: int
      sample: 412
    expired:
      description: Those of them whose last day is over.
      returned: always
      type: int
      sample: 4
    expires_soon:
      description: Those of them that expire within 30 days.
      returned: always
      type: int
      sample: 12
    not_seen:
      description: Those of them that nobody was seen using within the span that the sign-in log was proved to cover.
      returned: always
      type: int
      sample: 60
changes:
  description: What changed since the last evidence, 200 entries at most.
  returned: success, or when something in O(fail_on) was found
  type: list
  elements: dict
  contains:
    tenant:
      description: The host of the inventory.
      returned: always
      type: str
      sample: contoso
    text:
      description: What changed, and whether a run of this collection explains it.
      returned: always
      type: str
      sample: The organization's flag changed from false to true, and not by us.
candidates:
  description:
    - Exceptions that can be removed, because they expired, were not seen in use, or their mailbox is gone. 200 entries
      at most.
  returned: success, or when something in O(fail_on) was found
  type: list
  elements: dict
  contains:
    tenant:
      description: The host of the inventory.
      returned: always
      type: str
      sample: contoso
    mailbox:
      description: The address.
      returned: always
      type: str
      sample: scanner@contoso.com
    note:
      description: Why it can be removed.
      returned: always
      type: str
      sample: expired on 2026-10-31
truncated:
  description: How many entries of a list are left out; the files have them all.
  returned: when something is left out
  type: dict
  sample:
    changes: 800
summary:
  description:
    - RV(line), RV(counts) and figures of each tenant without names of people, 200,000 characters at most, fit for
      C(set_stats).
  returned: success, or when something in O(fail_on) was found
  type: dict
  contains:
    line:
      description: As RV(line).
      returned: always
      type: str
      sample: "2026-11-26 02:15 UTC: 1 of 1 tenant read."
    counts:
      description: As RV(counts).
      returned: always
      type: dict
      sample: {}
    tenants:
      description: Host of the inventory to its figures, those with something to say first.
      returned: always
      type: dict
      sample:
        contoso:
          status: drift
          enabled: 12
    truncated:
      description: How many tenants are left out.
      returned: when some are
      type: int
      sample: 40
files:
  description: Paths of the rendered files.
  returned: success, or when something in O(fail_on) was found
  type: list
  elements: str
  sample:
    - /srv/www/exo/evidence.html
failed_on:
  description: What in O(fail_on) was found.
  returned: when something was
  type: list
  elements: str
  sample:
    - change
error_code:
  description: What kind of failure it is. V(refused) is something in O(fail_on).
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
