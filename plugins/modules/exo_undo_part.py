#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs as an action on the controller; this is its documentation.

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_undo_part
short_description: Return one part of long undo information as a result of its own
version_added: 1.0.0
description:
  - A task with C(undo_in_result) returns what it is about to change. With more than about 7,000 changes that is too
    long for one result, because AWX drops a result beyond 700,000 characters. The task then returns the first part, and
    this one returns another, so that all of them are in the job's events before the first write.
  - The parts are kept while the run of C(ansible-playbook) lasts. Nothing is sent to the tenant.
  - The role P(m365.exchange_online.tenant_baseline#role) and the playbook C(restore) do this by themselves.
options:
  set:
    description:
      - Which change this is about. It is C(set) in RV(m365.exchange_online.exo_cas_mailbox#module:undo) of the task in
        check mode.
    type: str
    required: true
  part:
    description:
      - The number of the part, from V(2) to the number that the same result has as C(parts).
    type: int
    required: true
extends_documentation_fragment:
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
seealso:
  - module: m365.exchange_online.exo_restore
  - plugin: m365.exchange_online.job_undo
    plugin_type: lookup
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: Announce a change of very many mailboxes and make it, in a job whose files do not last
  module_defaults:
    m365.exchange_online.exo_cas_mailbox:
      tenant: contoso.onmicrosoft.com
      all_mailboxes: true
      pop_enabled: false
      undo_in_result: true
  block:
    - name: Announce it
      m365.exchange_online.exo_cas_mailbox:
      check_mode: true
      register: announced

    - name: Return the parts for which the result had no room
      m365.exchange_online.exo_undo_part:
        set: "{{ announced.undo.set }}"
        part: "{{ item }}"
      loop: "{{ range(2, announced.undo.parts | default(1) + 1) | list }}"

    - name: Make it
      m365.exchange_online.exo_cas_mailbox:
"""

RETURN = r"""
undo:
  description:
    - The part. Give all parts together, as a list, to O(m365.exchange_online.exo_restore#module:content).
    - C(set) is the same in all parts of one change. C(part) is the number of this part, and C(parts) is how many there
      are.
  returned: success
  type: dict
  sample:
    format: 2
    collection: m365.exchange_online 1.0.0
    written: "2026-11-23T09:59:25.821392+00:00"
    tenant_id: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
    tenant: contoso.onmicrosoft.com
    task: m365.exchange_online.exo_cas_mailbox
    effect: {lose: "", gain: ""}
    set: 8d4f6a0c5c0b7d1f2e3a49586b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9
    part: 2
    parts: 3
    groups:
      - noun: CASMailbox
        before: {pop_enabled: true}
        after: {pop_enabled: false}
        guids: [3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11]
"""
