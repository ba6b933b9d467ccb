# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_plan
short_description: Check the variables of the role tenant_baseline and say what is to be done
version_added: 1.0.0
description:
  - Takes the variables of one host and says what the role C(m365.exchange_online.tenant_baseline) has to do for it. The
    role uses it; in a playbook of your own it can check an inventory without a tenant.
  - A variable or a setting that does not exist is a problem. The problem names what was probably meant.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: []
options:
  _input:
    description:
      - All variables of the host that are called C(tenant_baseline_*), as a dictionary of names and values.
    type: dict
    required: true
  host:
    description:
      - The name of the host in the inventory.
    type: str
    required: true
  tenant:
    description:
      - The host's C(exo_tenant).
    type: str
    required: true
  tags:
    description:
      - The tags of the run (C(ansible_run_tags)). Tags that are names of parts select those parts.
    type: list
    elements: str
    default: [all]
  skip_tags:
    description:
      - The tags that the run leaves out (C(ansible_skip_tags)).
    type: list
    elements: str
    default: []
  audit:
    description:
      - Whether this is only a comparison. The limits on changes do not apply then, and no undo file is named.
    type: bool
    default: false
  check_mode:
    description:
      - Whether the run is in check mode, so that it writes nothing.
    type: bool
    default: false
  job:
    description:
      - The number of the job in AWX (C(awx_job_id)), empty elsewhere. In a job, undo files have to be on a mounted
        path. If no directory is given, what is about to change is announced in the job's events.
    type: str
    default: ''
  hosts:
    description:
      - All hosts of the play. If two of them are the same tenant, that is a problem of both.
    type: list
    elements: str
    default: []
  tenants:
    description:
      - The tenants of these hosts, in the same order, as M(m365.exchange_online.exo_tenant_info) returned them.
    type: list
    elements: dict
    default: []
seealso:
  - plugin: m365.exchange_online.tenant_baseline_outcome
    plugin_type: filter
  - plugin: m365.exchange_online.tenant_baseline_audit
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Check the variables of a host without its tenant
  vars:
    names: "{{ query('ansible.builtin.varnames', '^tenant_baseline_') }}"
    variables: "{{ dict(names | zip(query('ansible.builtin.vars', *names))) }}"
    plan: "{{ variables | m365.exchange_online.tenant_baseline_plan(host=inventory_hostname, tenant='contoso.com') }}"
  ansible.builtin.assert:
    that: plan.problems | length == 0
    fail_msg: "{{ plan.problems }}"
"""

RETURN = r"""
_value:
  description: What is to be done.
  type: dict
  contains:
    problems:
      description: What is wrong with the variables, one sentence each. If there are any, nothing may be done.
      returned: always
      type: list
      elements: str
      sample: ["tenant_baseline_hald is no variable of this role. Did you mean tenant_baseline_hold?"]
    undeclared:
      description: Why there is nothing to do. Empty if there is something to do.
      returned: always
      type: str
      sample: ""
    hold:
      description: Whether the tenant is to be left alone.
      returned: always
      type: bool
      sample: false
    parts:
      description: The parts of the baseline that are declared and that the tags select, in the order in which they run.
      returned: always
      type: list
      elements: str
      sample: [transport_config, smtp_auth]
    arguments:
      description: The arguments of the module of each part, by the name of the part.
      returned: always
      type: dict
      sample: {smtp_auth: {organization: disabled}}
    announced:
      description: Whether what is about to change has to be in the job's events before it is written.
      returned: always
      type: bool
      sample: false
    allowed:
      description: The mailboxes that may use SMTP AUTH, as the variables list them.
      returned: always
      type: list
      sample: [{identity: scanner@contoso.com, expires: "2027-03-31"}]
"""

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.plugin_utils._baseline import Run, plan


def tenant_baseline_plan(
    variables: Mapping[str, t.Any],
    host: str,
    tenant: str,
    tags: Sequence[str] = ("all",),
    skip_tags: Sequence[str] = (),
    audit: bool = False,
    check_mode: bool = False,
    job: str = "",
    hosts: Sequence[str] = (),
    tenants: Sequence[Mapping[str, t.Any]] = (),
) -> dict[str, t.Any]:
    run = Run(str(host), str(tenant), tags, skip_tags, audit, check_mode, str(job), hosts, tenants)
    return plan(variables, run)


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_baseline_plan": tenant_baseline_plan}
