# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_fleet
short_description: Say how all tenants of an audit stand
version_added: 1.0.0
description:
  - Takes the fact C(tenant_baseline_audit) of each host and makes a table of them. A host without it was not reached,
    and is in the table as V(unknown).
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: []
options:
  _input:
    description:
      - The facts by host. Null or empty for a host that has none.
    type: dict
    required: true
  fail_on:
    description:
      - Which findings let a tenant fail, of V(drift), V(unlisted) and V(expired), as a list or as a text with commas.
      - V(change) and V(unread) are for M(m365.exchange_online.exo_evidence) and only handed on.
      - A tenant that is V(unknown) or V(undeclared) fails anyway.
    type: raw
  paths:
    description:
      - Where the run writes reports, by the name of the variable. The table ends with a line for each that would not
        outlive the job.
    type: dict
    default: {}
  job:
    description:
      - The number of the job in AWX, and nothing elsewhere.
    type: str
    default: ''
seealso:
  - plugin: m365.exchange_online.tenant_baseline_audit
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show how the tenants stand
  vars:
    audits: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars)
      | map(attribute='tenant_baseline_audit', default={}))) }}"
  ansible.builtin.debug:
    msg: "{{ (audits | m365.exchange_online.tenant_baseline_fleet).table }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: How the tenants stand.
  type: dict
  contains:
    tenants:
      description: The facts by host, complete.
      returned: always
      type: dict
      sample: {contoso: {status: compliant}}
    table:
      description:
        - A line for each tenant, and a head.
        - Where any audit has read it, how many mailboxes can use SMTP AUTH with Basic and with OAuth (a span where some
          are not known), how many are in use, and how many would be cut off by closing the organization now.
        - After it come the permissions that would tell what is unknown, where that is the reason, and where reports
          would be lost when the job ends.
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
      description: Those of the findings asked for that only the evidence tells of.
      returned: always
      type: list
      elements: str
      sample: [change]
    artifacts:
      description: Figures without names for what a job keeps, by a key for each host.
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
          oauth: 412
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
