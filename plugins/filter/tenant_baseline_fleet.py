# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_fleet
short_description: Say how all tenants of an audit compare with their baselines
version_added: 1.0.0
description:
  - Takes the fact C(tenant_baseline_audit) of each host and makes a table of them. A host without this fact was not
    reached, and is V(unknown) in the table.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: []
options:
  _input:
    description:
      - The facts by host. V(null) or empty for a host that has none.
    type: dict
    required: true
  fail_on:
    description:
      - Which findings make a tenant fail, as a list or as a text with commas. V(drift), V(unlisted) and V(expired) are
        decided here. V(change) and V(unread) are decided by M(m365.exchange_online.exo_evidence) and only passed on.
      - A tenant that is V(unknown) or V(undeclared) fails anyway.
    type: raw
  paths:
    description:
      - The directories to which the run writes reports, by the name of their variable. The table ends with a line for
        each directory that would be lost when the job ends.
    type: dict
    default: {}
  job:
    description:
      - The number of the job in AWX, empty elsewhere.
    type: str
    default: ''
seealso:
  - plugin: m365.exchange_online.tenant_baseline_audit
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show how the tenants compare with their baselines
  vars:
    audits: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars)
      | map(attribute='tenant_baseline_audit', default={}))) }}"
  ansible.builtin.debug:
    msg: "{{ (audits | m365.exchange_online.tenant_baseline_fleet).table }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: How the tenants compare with their baselines.
  type: dict
  contains:
    tenants:
      description: The facts by host. A host that had none has one now.
      returned: always
      type: dict
      sample: {contoso: {status: compliant}}
    table:
      description:
        - A heading, and a line for each tenant.
        - If an audit has read it, the table also says how many mailboxes can use SMTP AUTH with Basic and with OAuth (a
          range such as 4-9 if some are not known), how many are in use, and how many would be cut off by turning it off
          for the organization now.
        - Lines after the table name missing permissions, and directories in which reports would be lost when the job
          ends.
      returned: always
      type: list
      elements: str
      sample: ["tenant   status      drift  unlisted  expired", "contoso  compliant       0         0        0"]
    failed:
      description: The hosts that fail, each with lines that say why.
      returned: always
      type: dict
      sample: {}
    evidence_fail_on:
      description: The entries of O(fail_on) that M(m365.exchange_online.exo_evidence) has to decide.
      returned: always
      type: list
      elements: str
      sample: [change]
    artifacts:
      description: Figures without names of people, for the job's artifacts, with a key for each host.
      returned: always
      type: dict
      sample:
        exo_contoso:
          host: contoso
          status: drift
          drift: 3
          unlisted: 0
          expired: 0
          basic: 9
          oauth: 9
          in_use: 8
          cut_off: 0
          error_codes: []
"""

import os
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.m365.exchange_online.plugins.plugin_utils import _outcome
from ansible_collections.m365.exchange_online.plugins.plugin_utils._mounts import gone_with_the_job


def tenant_baseline_fleet(
    audits: t.Mapping[str, t.Any],
    fail_on: str | t.Sequence[str] | None = None,
    paths: t.Mapping[str, str] | None = None,
    job: str = "",
) -> dict[str, t.Any]:
    try:
        findings = _outcome.fail_on(fail_on)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from None
    return _outcome.fleet(audits, findings, gone_with_the_job(paths or {}, job, os.environ))


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_baseline_fleet": tenant_baseline_fleet}
