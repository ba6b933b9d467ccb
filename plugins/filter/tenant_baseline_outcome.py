# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_outcome
short_description: Say how a run of the role tenant_baseline ended for a tenant
version_added: 1.0.0
description:
  - Takes what the tasks of the role registered and says how the run ended for the tenant, in a word and in a line for
    each part.
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
      - What the tasks registered in check mode, before anything was written, if C(announced) is true in O(plan).
    type: dict
  writing:
    description:
      - Whether the second pass has begun, which writes what was announced.
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
      description: The parts that may be tried now, given how the parts before them ended.
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
      description:
        - The parts of undo information for which the results had no room, as options of
          M(m365.exchange_online.exo_undo_part).
      returned: always
      type: list
      elements: dict
      sample: []
    warnings:
      description: One sentence for each place where a report would be lost when the job ends.
      returned: always
      type: list
      elements: str
      sample: []
    artifact:
      description: Figures without names of people, for the job's artifacts.
      returned: always
      type: dict
      sample:
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
    results:
      description: The results of the parts, as far as they go into reports.
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
