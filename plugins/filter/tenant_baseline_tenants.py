# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_tenants
short_description: Get the tenants that hosts name
version_added: 1.0.0
description:
  - Takes hosts of the inventory and returns the tenant that each of them names in C(exo_tenant), in the form of
    O(m365.exchange_online.exo_tenant_info#module:tenants).
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: hostvars
options:
  _input:
    description:
      - The hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description:
      - The variables of all hosts (C(hostvars)).
    type: dict
    required: true
seealso:
  - module: m365.exchange_online.exo_tenant_info
"""

EXAMPLES = r"""
- name: See which hosts are the same tenant
  m365.exchange_online.exo_tenant_info:
    tenants: "{{ groups.tenants | m365.exchange_online.tenant_baseline_tenants(hostvars) }}"
"""

RETURN = r"""
_value:
  description: The tenants, in the order of the hosts.
  type: list
  elements: dict
  contains:
    tenant:
      description: The tenant as the host names it. V('') if the host names none.
      returned: always
      type: str
      sample: contoso.onmicrosoft.com
    cloud:
      description: The cloud of the tenant.
      returned: when the host has C(exo_cloud)
      type: str
      sample: gcc_high
"""

import typing as t

from ansible.errors import AnsibleError


def tenant_baseline_tenants(hosts: t.Sequence[str], hostvars: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    return [_tenant(hostvars[host]) for host in hosts]


def _tenant(variables: t.Mapping[str, t.Any]) -> dict[str, str]:
    tenant, cloud = (_text(variables, name) for name in ("exo_tenant", "exo_cloud"))
    return {"tenant": tenant, "cloud": cloud} if cloud else {"tenant": tenant}


def _text(variables: t.Mapping[str, t.Any], name: str) -> str:
    """The variable, or '' where it is not given or can't be had: that is the concern of its own host."""
    try:
        return str(variables.get(name) or "").strip()
    except AnsibleError:
        return ""


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_baseline_tenants": tenant_baseline_tenants}
