# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_audit
short_description: Say how a tenant compares with its baseline
version_added: 1.0.0
description:
  - Takes what the tasks of the role's entry point C(audit) registered and says how the tenant compares with its
    baseline.
  - What could not be read never counts as compliant.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: plan
options:
  _input:
    description:
      - The results of the tasks, by the names of the parts. The tasks must have run in check mode and in diff mode.
    type: dict
    required: true
  plan:
    description:
      - What P(m365.exchange_online.tenant_baseline_plan#filter) returned.
    type: dict
    required: true
  verdict:
    description:
      - What M(m365.exchange_online.exo_evidence_info) returned. Without it, nothing is said about who can use SMTP
        AUTH.
    type: dict
    default: {}
seealso:
  - plugin: m365.exchange_online.tenant_baseline_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Say how the tenant compares with its baseline
  vars:
    plan: {host: contoso, tenant: contoso.com, hold: false, problems: [], undeclared: '', parts: [smtp_auth]}
    results: {smtp_auth: {changed: false, mailboxes: []}}
  ansible.builtin.debug:
    msg: "{{ (results | m365.exchange_online.tenant_baseline_audit(plan)).status }}"
"""

RETURN = r"""
_value:
  description: How the tenant compares with its baseline.
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
      description:
        - V(compliant), V(drift) (something differs, or an exception has expired), V(unlisted) (as declared, but
          mailboxes on no list are enabled), V(unknown) (something could not be read, or the variables are wrong),
          V(held) (left alone on purpose) or V(undeclared) (no baseline).
      returned: always
      type: str
      sample: drift
    parts:
      description: The parts of the baseline that were compared.
      returned: always
      type: list
      elements: str
      sample: [transport_config, smtp_auth]
    drift:
      description: One line for each difference, at most 500.
      returned: always
      type: list
      elements: str
      sample: ["scanner@contoso.com: SMTP AUTH is left to the organization, should be allowed"]
    drift_count:
      description: How many differences there are, those beyond 500 included.
      returned: always
      type: int
      sample: 1
    errors:
      description: What could not be compared, and why.
      returned: always
      type: list
      elements: dict
      contains:
        message:
          description: Why, in a sentence.
          returned: always
          type: str
          sample: "SMTP AUTH: contoso.onmicrosoft.com refuses the app: the client secret is wrong."
        error_code:
          description: The C(error_code) of the module. V(null) if the error does not come from a module.
          returned: always
          type: str
          sample: authentication_failed
    unlisted_enabled:
      description: The mailboxes that are enabled, are on no list, and stay enabled.
      returned: always
      type: dict
      contains:
        count:
          description: How many there are.
          returned: always
          type: int
          sample: 1
        mailboxes:
          description: Their addresses, at most 500.
          returned: always
          type: list
          elements: str
          sample: [old-scanner@contoso.com]
    expired:
      description: Entries of the lists that are past their last day.
      returned: always
      type: list
      elements: dict
      sample: [{identity: scanner@contoso.com, expires: "2026-10-31", owner: facilities@contoso.com}]
    expiring:
      description: Entries of the lists that expire within 30 days, in the same form.
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
    verdict:
      description:
        - How many mailboxes can use SMTP AUTH and how many do, how many would be cut off by turning it off for the
          organization, and what could not be read, in the form of
          RV(m365.exchange_online.exo_smtp_auth_info#module:summary).
        - V(null) if it was not read.
      returned: always
      type: dict
      sample: {mailboxes: 412, basic: {allowed: 9, blocked: 403, unknown: 0, gates: {}}}
    lines:
      description: All of it as lines of text.
      returned: always
      type: list
      elements: str
      sample: ["contoso: compliant"]
"""

import typing as t

from ansible_collections.m365.exchange_online.plugins.plugin_utils._outcome import audit


def tenant_baseline_audit(
    results: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any], verdict: t.Mapping[str, t.Any] | None = None
) -> dict[str, t.Any]:
    return audit(plan, results, verdict or {})


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_baseline_audit": tenant_baseline_audit}
