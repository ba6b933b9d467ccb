# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_outcome
short_description: Say how a run of the role tenant_baseline ended for a tenant
version_added: 1.0.0
description:
  - Takes what the tasks of the role registered and says how the tenant fared, in a word and in a line for each part.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: plan
options:
  _input:
    description:
      - The results of the tasks, by the names of the parts.
    type: dict
    required: true
  plan:
    description:
      - What P(m365.exchange_online.tenant_baseline_plan#filter) returned.
    type: dict
    required: true
  check_mode:
    description:
      - Whether the tasks ran in check mode.
    type: bool
    default: false
  announced:
    description:
      - What the tasks had registered in check mode, before anything was written, where the plan wants that.
    type: dict
  writing:
    description:
      - Whether the pass has begun that writes what was announced.
    type: bool
    default: false
seealso:
  - plugin: m365.exchange_online.tenant_baseline_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say how the run went
  vars:
    plan: {host: contoso, tenant: contoso.onmicrosoft.com, hold: false, parts: [smtp_auth]}
    results: {smtp_auth: {changed: false}}
  ansible.builtin.debug:
    msg: "{{ (results | m365.exchange_online.tenant_baseline_outcome(plan)).lines }}"
"""

RETURN = r"""
_value:
  description: How the run ended for the tenant.
  type: dict
  contains:
    host:
      description: The name of the host in the inventory.
      returned: always
      type: str
      sample: contoso
    tenant:
      description: The tenant as the inventory names it.
      returned: always
      type: str
      sample: contoso.onmicrosoft.com
    status:
      description: One of V(held), V(failed), V(changed) and V(unchanged).
      returned: always
      type: str
      sample: changed
    lines:
      description: A line for each part of the baseline, the failed ones first.
      returned: always
      type: list
      elements: str
      sample: ["contoso: SMTP AUTH: nothing to change"]
    to_do:
      description: The parts that may be tried after what came of those before them.
      returned: always
      type: list
      elements: str
      sample: [mailboxes]
    to_write:
      description: The parts that were announced and have to be written.
      returned: always
      type: list
      elements: str
      sample: []
    to_tell:
      description: What the results had no room for, as M(m365.exchange_online.exo_undo_part) takes it.
      returned: always
      type: list
      elements: dict
      sample: []
    warnings:
      description: Sentences on where reports would be lost when the job ends.
      returned: always
      type: list
      elements: str
      sample: []
    artifact:
      description: Figures without names, for what a job keeps.
      returned: always
      type: dict
      sample: {host: contoso, status: changed, changed: 3, failed: 0, lose: 2, gain: 1}
    results:
      description: Of each part's result what goes into reports.
      returned: always
      type: dict
      sample: {smtp_auth: {changed: true}}
"""

import typing as t

from ansible_collections.m365.exchange_online.plugins.plugin_utils._outcome import outcome


def tenant_baseline_outcome(
    results: t.Mapping[str, t.Any],
    plan: t.Mapping[str, t.Any],
    check_mode: bool = False,
    announced: t.Mapping[str, t.Any] | None = None,
    writing: bool = False,
) -> dict[str, t.Any]:
    return outcome(plan, results, check_mode=check_mode, announced=announced, writing=writing)


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_baseline_outcome": tenant_baseline_outcome}
