# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts undo files are of. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed
from ansible_collections.m365.exchange_online.plugins.module_utils._undo import load


def hosts_of(paths: Sequence[str], hosts: Sequence[str], tenants: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """The hosts whose tenants the files are of; raises InvalidRequest where a file is of none of them.

    tenants: the tenant of each host, in the same order, as exo_tenant_info has it.
    """
    found = [_hosts_of_one(path, hosts, tenants) for path in paths]
    return [host for host in hosts if any(host in some for some in found)]


def _hosts_of_one(path: str, hosts: Sequence[str], tenants: Sequence[Mapping[str, t.Any]]) -> set[str]:
    wanted = load(path).tenant_id
    pairs = list(zip(hosts, tenants, strict=True))
    found = {host for host, tenant in pairs if str(tenant["tenant_id"]).lower() == wanted}
    if not found:
        unknown = [host for host, tenant in pairs if tenant["tenant_id"] is None]
        doubt = f" The tenants of these hosts could not be read: {listed(unknown)}." if unknown else ""
        raise InvalidRequest(
            f"The undo file {path} belongs to tenant {wanted}, and no host of this run is known to be that one.{doubt}",
            hint="Name the host with --limit.",
        )
    return found
