#!/usr/bin/python

# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: exo_tenant_info
short_description: Look up the tenants that GUIDs and domains stand for
version_added: 1.0.0
description:
  - Asks the authority for the GUID behind each name of a tenant. It needs no credential, and a GUID needs no request.
  - The role C(m365.exchange_online.tenant_baseline) uses it to notice two hosts that are the same tenant.
options:
  tenants:
    description:
      - The tenants to look for.
    type: list
    elements: dict
    required: true
    suboptions:
      tenant:
        description:
          - The tenant, as its GUID or as any of its verified domains. An empty text is no tenant.
        type: str
        required: true
      cloud:
        description:
          - The Microsoft cloud that the tenant is in, V(worldwide) unless given.
        type: str
        choices: [worldwide, gcc, gcc_high, dod, china]
  authority:
    description:
      - URL to use instead of the cloud's sign-in host. It must be C(https).
      - If not given, the value of the environment variable E(EXO_AUTHORITY) is used.
    type: str
  validate_certs:
    description:
      - Whether the TLS certificate of the authority is verified.
      - If not given, the value of the environment variable E(EXO_VALIDATE_CERTS) is used.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file with PEM certificates of the certification authorities to trust.
      - If not given, the value of the environment variable E(EXO_CA_PATH) is used.
    type: path
  timeout:
    description:
      - How many seconds one request may take.
      - If not given, the value of the environment variable E(EXO_TIMEOUT) is used.
    type: int
    default: 300
requirements:
  - requests >= 2.31 on the host that runs the module
extends_documentation_fragment:
  - m365.exchange_online.attributes
  - m365.exchange_online.attributes.info
seealso:
  - module: m365.exchange_online.exo_service_info
author:
  - m365.exchange_online contributors (@m365-exchange-online)
"""

EXAMPLES = r"""
- name: See whether two names are one tenant
  m365.exchange_online.exo_tenant_info:
    tenants:
      - tenant: contoso.com
      - tenant: contoso.onmicrosoft.com
  register: names
"""

RETURN = r"""
tenants:
  description: What was found for each name, in the order of O(tenants).
  returned: success
  type: list
  elements: dict
  contains:
    tenant:
      description: The name that was asked for.
      returned: always
      type: str
      sample: contoso.com
    tenant_id:
      description: The tenant's GUID. V(null) if it could not be found.
      returned: always
      type: str
      sample: 11111111-2222-3333-4444-555555555555
    error:
      description: Why the GUID could not be found. V(null) if it was.
      returned: always
      type: str
      sample: null
error_code:
  description: What kind of failure it is.
  returned: failure
  type: str
  sample: invalid_request
"""

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._http import HAS_REQUESTS
from ansible_collections.m365.exchange_online.plugins.module_utils._module import ExoModule
from ansible_collections.m365.exchange_online.plugins.module_utils._tenant_info import ARGUMENT_SPEC, find


def main() -> None:
    module = ExoModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if not HAS_REQUESTS:
        module.fail_json(msg=missing_required_lib("requests"))
    try:
        result = find(module.params)
    except ExoError as error:
        module.fail_json(**error.to_fail_kwargs())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
