# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: tenant_baseline_export
short_description: Write what a tenant holds as variables of the role tenant_baseline
version_added: 1.0.0
description:
  - Turns what was read from a tenant into a file of variables, so that a baseline can start from what is there. Applied
    to the same tenant, it changes nothing.
  - The text is sorted, and the same tenant always gives the same text. Every text that comes from the service is marked
    C(!unsafe), so that a name can't be run as a template.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
positional: []
options:
  _input:
    description:
      - The settings that M(m365.exchange_online.exo_transport_config_info) returned.
    type: dict
    required: true
  organization_config:
    description:
      - The settings that M(m365.exchange_online.exo_organization_config_info) returned.
    type: dict
    required: true
  mailboxes:
    description:
      - The mailboxes that M(m365.exchange_online.exo_cas_mailbox_info) returned, all of them.
    type: list
    elements: dict
    required: true
  host:
    description:
      - The name of the host in the inventory.
    type: str
    required: true
  date:
    description:
      - Today's date. It becomes part of the reason of exceptions that have none yet.
    type: str
    required: true
  mailbox_settings:
    description:
      - Whether to export the other settings of mailboxes too. A value that at least half of the mailboxes have becomes
        the setting of all of them, and each mailbox that differs is listed.
    type: bool
    default: false
  listed:
    description:
      - The entries of the host's present lists of exceptions. Those that are still in force keep their reason, owner,
        ticket and last day.
    type: list
    elements: raw
    default: []
  policies:
    description:
      - The policies that M(m365.exchange_online.exo_authentication_policy_info) returned.
    type: list
    elements: dict
    default: []
  plans:
    description:
      - The plans that M(m365.exchange_online.exo_cas_mailbox_plan_info) returned.
    type: list
    elements: dict
    default: []
seealso:
  - plugin: m365.exchange_online.tenant_baseline_plan
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show a tenant as variables
  vars:
    settings: {smtp_client_authentication_disabled: true, clear_categories: true}
    mailboxes:
      - primary_smtp_address: scanner@contoso.com
        guid: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
        display_name: Scanner, ground floor
        settings: {smtp_client_authentication_disabled: false}
  ansible.builtin.debug:
    msg: >-
      {{
        settings | m365.exchange_online.tenant_baseline_export(
          organization_config={}, mailboxes=mailboxes, host='contoso', date='2026-11-26')
      }}
"""

RETURN = r"""
_value:
  description: The text of a file for C(host_vars).
  type: str
  sample: |
    ---
    # Whether SMTP AUTH is on for mailboxes without a value of their own.
    tenant_baseline_smtp_auth_organization: disabled
"""

import typing as t

from ansible_collections.m365.exchange_online.plugins.plugin_utils._export import Found, export


def tenant_baseline_export(
    transport_config: t.Mapping[str, t.Any],
    organization_config: t.Mapping[str, t.Any],
    mailboxes: t.Sequence[t.Mapping[str, t.Any]],
    host: str,
    date: str,
    mailbox_settings: bool = False,
    listed: t.Sequence[t.Any] = (),
    policies: t.Sequence[t.Mapping[str, t.Any]] = (),
    plans: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> str:
    return export(
        Found(host, date, transport_config, organization_config, mailboxes, mailbox_settings, listed, policies, plans)
    )


class FilterModule:
    """The filter of this name."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"tenant_baseline_export": tenant_baseline_export}
