# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: job_undo
short_description: Find out from a job's events in AWX what it changed, to take it back
version_added: 1.0.0
description:
  - Reads the events of a job in AWX or Automation Controller and returns what its tasks were about to change, as
    O(m365.exchange_online.exo_restore#module:content) takes it. The tasks have to have run with C(undo_in_result), as
    those of the role P(m365.exchange_online.tenant_baseline#role) do in a job whose undo files would not outlive it.
  - A job that was cancelled or killed is good enough, because what a task is about to change is in the events before
    the first write.
  - It fails if the job has not ended, if not all of its events arrive, if the controller did not keep a result, or if a
    task changed something and its result does not say how to take it back.
author:
  - m365.exchange_online contributors (@m365-exchange-online)
options:
  _terms:
    description:
      - The number of the job. With the number of a workflow job, or of a job that was cut into slices, all of its jobs
        are read.
    type: list
    elements: int
    required: true
  host:
    description: The host whose changes are wanted, by its name in the inventory of that job.
    type: str
    required: true
notes:
  - The address of the controller and the credentials for it come from the environment of Ansible, as with the
    collections for AWX and the controller. They are E(CONTROLLER_HOST), E(CONTROLLER_OAUTH_TOKEN) or
    E(CONTROLLER_USERNAME) and E(CONTROLLER_PASSWORD), and E(CONTROLLER_VERIFY_SSL), or the same names with C(TOWER_).
    In a job, a credential of the controller's own type sets them.
  - Plain http is refused, except for the loopback address, because the token would cross the network unencrypted.
    E(EXO_ALLOW_HTTP_CONTROLLER) set to C(true) allows it.
seealso:
  - module: m365.exchange_online.exo_restore
"""

EXAMPLES = r"""
- name: Take back what job 4711 changed in this tenant
  m365.exchange_online.exo_restore:
    tenant: "{{ exo_tenant }}"
    content: "{{ item }}"
  loop: "{{ query('m365.exchange_online.job_undo', 4711, host=inventory_hostname) }}"
  loop_control:
    label: "{{ item.written }}"
"""

RETURN = r"""
_raw:
  description: What to take back, the last change first. Empty if the job changed nothing on that host.
  type: list
  elements: dict
  sample:
    - format: 2
      collection: m365.exchange_online 1.0.0
      written: "2026-11-23T09:59:25.821392+00:00"
      tenant_id: 2d3c1e9f-6a0b-4a55-9f25-0d9f4c7a5b10
      tenant: contoso.onmicrosoft.com
      task: m365.exchange_online.exo_cas_mailbox
      effect: {lose: "", gain: ""}
      groups:
        - noun: CASMailbox
          before: {pop_enabled: true}
          after: {pop_enabled: false}
          guids: [3f6f8f0e-2f5c-4d0e-9a3b-6f2f3d0f7c11]
"""

import os
import typing as t
from collections.abc import Sequence

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.plugin_utils._controller import from_environment
from ansible_collections.m365.exchange_online.plugins.plugin_utils._job_undo import ways_back


class LookupModule(LookupBase):
    def run(self, terms: Sequence[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        host = str(self.get_option("host"))
        found: list[dict[str, t.Any]] = []
        try:
            controller = from_environment(os.environ)
            for term in terms:
                found += ways_back(controller.get, int(term), host)
        except ExoError as error:
            raise AnsibleLookupError(error.to_fail_kwargs()["msg"]) from None
        except ValueError:
            raise AnsibleLookupError(f"{terms!r} is not the number of a job.") from None
        return found
