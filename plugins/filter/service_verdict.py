# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: service_verdict
short_description: Say in sentences what the answers of the service mean
version_added: 1.0.0
description:
  - Takes the answers of M(m365.exchange_online.exo_service_info) and says whether the app is ready to read, what is
    unusual in this tenant, what is not known, and what to do.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
options:
  _input:
    description: RV(m365.exchange_online.exo_service_info#module:checks).
    type: list
    elements: dict
    required: true
seealso:
  - module: m365.exchange_online.exo_service_info
"""

EXAMPLES = r"""
- name: Ask the service
  m365.exchange_online.exo_service_info:
  register: service

- name: Say what its answers mean
  ansible.builtin.debug:
    msg: "{{ service.checks | m365.exchange_online.service_verdict }}"
"""

RETURN = r"""
_value:
  description: The verdict, one sentence for each entry of the list.
  type: list
  elements: str
  sample:
    - "READY to read: the audit, and the preview with --check --diff."
"""

import typing as t
from collections.abc import Callable

from ansible_collections.m365.exchange_online.plugins.plugin_utils._service_verdict import verdict


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., t.Any]]:
        return {"service_verdict": verdict}
