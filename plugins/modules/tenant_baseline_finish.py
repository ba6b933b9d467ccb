#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs as an action on the controller; this is its documentation.

from __future__ import annotations

DOCUMENTATION = r"""
module: tenant_baseline_finish
short_description: Say how a run of the role tenant_baseline ended, and keep its figures
version_added: 1.0.0
description:
  - The last task of the role C(m365.exchange_online.tenant_baseline). It shows a line for each part of the baseline,
    writes the report, keeps the figures as an artifact of the job, and fails if a part has failed.
  - It is one task, because in AWX each task makes two events for each tenant, and the page of a job shows at most
    4,000.
  - The artifact has one key for each tenant, so that the slices of a job do not replace each other's. It holds numbers
    and paths, and no name except that of the host.
options:
  outcome:
    description:
      - What P(m365.exchange_online.tenant_baseline_outcome#filter) returned.
    type: dict
    required: true
  report:
    description:
      - Absolute path of a file for the whole outcome as JSON, where Ansible runs. It gets mode C(0600).
      - Without it, no report is written.
    type: path
extends_documentation_fragment:
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
seealso:
  - plugin: m365.exchange_online.tenant_baseline_outcome
    plugin_type: filter
  - module: ansible.builtin.set_stats
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Say how the run went
  m365.exchange_online.tenant_baseline_finish:
    outcome: "{{ results | m365.exchange_online.tenant_baseline_outcome(plan) }}"
  vars:
    plan: {host: contoso, tenant: contoso.onmicrosoft.com, hold: false, parts: [smtp_auth]}
    results: {smtp_auth: {changed: false}}
"""

RETURN = r"""
msg:
  description: One line for each part of the baseline, the failed ones first.
  returned: always
  type: list
  elements: str
  sample: ["contoso: SMTP AUTH: nothing to change"]
report:
  description: Path of the report that was written.
  returned: when O(report) is given and could be written
  type: str
  sample: /var/lib/exo/reports/contoso-20261126T114501Z-job4711.json
ansible_stats:
  description:
    - The figures, as M(ansible.builtin.set_stats) returns them. The key in C(data) is C(exo_) and the name of the host.
  returned: success
  type: dict
  sample:
    data:
      exo_contoso:
        host: contoso
        status: changed
        check_mode: false
        parts: {smtp_auth: changed}
        changed: 3
        failed: 0
        missing: 0
        lose: 2
        gain: 1
        error_codes: []
        undo_files: [/var/lib/exo/undo/contoso-smtp_auth.json]
        undo_in_events: false
    per_host: false
    aggregate: false
artifact:
  description:
    - The figures of a tenant that failed. Ansible keeps no figures from a task that fails, so the role sets them
      itself.
  returned: failure
  type: dict
  sample: {exo_contoso: {host: contoso, status: failed, error_codes: [authentication_failed]}}
"""
