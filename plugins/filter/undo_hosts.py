# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: undo_hosts
short_description: Find the hosts that undo files belong to
version_added: 1.0.0
description:
  - Takes paths of undo files and returns the hosts whose tenants the files belong to. It fails if a file belongs to
    none of them.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: hosts, tenants
options:
  _input:
    description:
      - Absolute paths of undo files, on the host that runs Ansible.
    type: list
    elements: path
    required: true
  hosts:
    description:
      - The hosts to choose from.
    type: list
    elements: str
    required: true
  tenants:
    description:
      - RV(m365.exchange_online.exo_tenant_info#module:tenants) of these hosts, in the same order.
    type: list
    elements: dict
    required: true
seealso:
  - module: m365.exchange_online.exo_restore
  - module: m365.exchange_online.exo_tenant_info
"""

EXAMPLES = r"""
- name: Find out which tenants the hosts are
  m365.exchange_online.exo_tenant_info:
    tenants: "{{ groups.tenants | m365.exchange_online.tenant_baseline_tenants(hostvars) }}"
  register: known

- name: Say which host the file belongs to
  ansible.builtin.debug:
    msg: "{{ ['/var/lib/exo/undo.json'] | m365.exchange_online.undo_hosts(groups.tenants, known.tenants) }}"
"""

RETURN = r"""
_value:
  description: The names of the hosts, in the order of O(hosts). Each is named once.
  type: list
  elements: str
  sample: [contoso]
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.errors import AnsibleFilterError

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.plugin_utils._undo_hosts import hosts_of


def undo_hosts(paths: Sequence[str], hosts: Sequence[str], tenants: Sequence[Mapping[str, t.Any]]) -> list[str]:
    try:
        return hosts_of([str(path) for path in paths], hosts, tenants)
    except ExoError as error:
        raise AnsibleFilterError(error.to_fail_kwargs()["msg"]) from None


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        return {"undo_hosts": undo_hosts}
