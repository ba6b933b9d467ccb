# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the sign-in log of SMTP clients, with proof of how far it reaches back. PRIVATE to the collection.

What can't be read ends up in the log's own failure and never as an empty log.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    ExoError,
    Interrupted,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph, NoLicence
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Progress
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    CLIENTS,
    LOG_DAYS,
    STREAMS,
    Coverage,
    Log,
    SignIns,
    log_coverage,
)

PERMISSION = "AuditLog.Read.All"
TOKEN_ONLY = "access_token is for Exchange Online alone, so Microsoft Graph could not be read"
NOT_LICENSED = "the tenant has no Entra ID P1 or P2, without which the sign-in log can't be read"
_DAY = datetime.timedelta(days=1)
_EARLIER = 3 * _DAY  # records from before the time asked about prove as well that the log covers it


def read_log(graph: Graph | None, now: datetime.datetime, days: int, progress: Progress) -> Log:
    """The sign-ins over SMTP of the last days. graph: None where only an access token for Exchange Online is there.

    Raises WrongTenant where the log is another tenant's.
    """
    sign_ins = SignIns()
    unknown = Coverage(days, None, None, "the sign-in log was not read to its end")
    if graph is None:
        return Log(sign_ins, unknown, TOKEN_ONLY)
    try:
        start = now - min(days, LOG_DAYS) * _DAY
        count = 0
        for client in CLIENTS:
            for stream in STREAMS:
                for row in graph.sign_ins(client, stream, start, now):
                    _check_tenant(row, graph.tenant_id)
                    sign_ins.add(row, stream)
                    count += 1
                progress("reading sign-ins", count, None)
        return Log(sign_ins, log_coverage(now.date(), days, _oldest(graph, start, now)))
    except (WrongTenant, Interrupted):
        raise
    except NoLicence:
        return Log(sign_ins, unknown, NOT_LICENSED)
    except AccessDenied as error:
        return Log(sign_ins, unknown, _reason(error), PERMISSION)
    except ExoError as error:
        return Log(sign_ins, unknown, _reason(error))


def _reason(error: ExoError) -> str:
    return f"the sign-in log was not read to its end: {error.message.rstrip('.')}"


def _check_tenant(row: Mapping[str, Any], tenant: str) -> None:
    named = {value.lower() for name in ("resourceTenantId", "homeTenantId") if isinstance(value := row.get(name), str)}
    named.discard("")
    if named and tenant.lower() not in named:
        raise WrongTenant(
            f"Microsoft Graph sent sign-ins of tenant {min(named)} instead of {tenant}: nothing was done.",
            hint="Check graph_endpoint and the proxy.",
        )


def _oldest(graph: Graph, start: datetime.datetime, now: datetime.datetime) -> datetime.date | None:
    """A day that the log surely reaches back to, or None for a log without any sign-in.

    The order of the log can't be turned round, so days are asked for one by one, halving what is left.
    """
    if graph.any_sign_in(start - _EARLIER, start + _DAY):
        return start.date()

    def holds(day: int) -> bool:
        return graph.any_sign_in(start + day * _DAY, start + (day + 1) * _DAY)

    empty, filled = 0, (now - start) // _DAY - 1
    if not holds(filled):
        return None
    while filled - empty > 1:
        middle = (empty + filled) // 2
        if holds(middle):
            filled = middle
        else:
            empty = middle
    return (start + filled * _DAY).date()
