# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tenants names stand for, by the authority's discovery documents. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority, tenant_id
from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import CLOUDS, base_url
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._http import Http
from ansible_collections.m365.exchange_online.plugins.module_utils._options import OPTIONS
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result
from ansible_collections.m365.exchange_online.plugins.module_utils._text import is_guid

_OPTIONS = ("authority", "validate_certs", "ca_path", "timeout")
_TRIES = 2  # after the first
_AT_ONCE = 8
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "tenants": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "tenant": {"type": "str", "required": True},
            "cloud": {"type": "str", "choices": list(CLOUDS)},
        },
    },
    **{option.name: option.spec() for option in OPTIONS if option.name in _OPTIONS},
}


def find(params: Mapping[str, t.Any]) -> Result:
    """The GUID of each tenant, in the order in which they are asked for; null with an error where there is none."""
    verify = (params["ca_path"] or True) if params["validate_certs"] else False
    http = Http(verify, params["timeout"], _AT_ONCE)
    override = base_url("authority", params["authority"]) if params["authority"] else None
    asked = [(entry["tenant"].strip(), entry["cloud"] or "worldwide") for entry in params["tenants"]]

    def look(name: str, cloud: str) -> dict[str, str | None]:
        if is_guid(name):
            return {"tenant_id": name.lower(), "error": None}
        if not name:
            return {"tenant_id": None, "error": "No tenant is named."}
        try:
            authority = Authority(override or CLOUDS[cloud].authority, name, "", http, _TRIES)
            return {"tenant_id": tenant_id(authority), "error": None}
        except ExoError as error:
            return {"tenant_id": None, "error": error.message}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        distinct = list(dict.fromkeys(asked))
        found = dict(zip(distinct, pool.map(lambda one: look(*one), distinct), strict=True))
    return {"changed": False, "tenants": [{"tenant": name, **found[name, cloud]} for name, cloud in asked]}
