# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that tells who can use SMTP AUTH, what blocks the others, and who does use it. PRIVATE to the collection.

What can't be read makes the gates that need it unknown, with the reason; only the list of mailboxes has to be there.
"""

from __future__ import annotations

import datetime
import functools
import ipaddress
import itertools
import json
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._accounts import (
    attempt,
    object_id,
    read_accounts,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import LOOKUP
from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    Judgement,
    judge_what_if,
    what_if_request,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, replace_if_different
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader
from ansible_collections.m365.exchange_online.plugins.module_utils._results import bounded
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    ARGUMENT_SPEC as SELECTION,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    check_selection,
    given_names,
    parse_where,
    select,
    selection_of,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._sign_in_log import read_log
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_judge import (
    IMAP,
    POLICIES,
    POP,
    Judge,
    read_tenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_report import (
    Judged,
    closing_line,
    csv_text,
    ordered,
    reply_result,
    summary,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_replies import decode
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    Log,
    Report,
    unmatched_users,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._usage_report import read_report
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import (
    NOT_CHECKED,
    TenantFacts,
    Unread,
)

_UNMATCHED = 100  # of each source
_LONGEST = 365  # days: neither the log nor the report reaches further back
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    **SELECTION,
    "usage": {"type": "bool", "default": False},
    "usage_days": {"type": "int", "default": 30},
    "usage_report": {"type": "str"},
    "what_if": {"type": "bool", "default": False},
    "client_ip": {"type": "str"},
    "error_text": {"type": "str"},
    "dest": {"type": "str"},
    **LOOKUP,
}


def info(task: Task) -> Result:
    """The verdict on each selected mailbox, and with ``usage`` or a report whether it is used."""
    params = task.params
    now = datetime.datetime.now(datetime.timezone.utc)
    _check(params)
    where = parse_where(params["where"])
    selection = selection_of(params, given_names("identity", params["identity"]), where)
    dest = absolute("dest", params["dest"]) if params["dest"] else None
    report = _report(params, now.date())
    client, graph = task.connect(), task.connect_graph()
    options = sorted({SMTP_AUTH, POP, IMAP, *(where or ())})
    # A report names a mailbox by any of its addresses.
    reader = Reader(client, options, task.progress, warn=task.warn, addresses=report is not None)
    selected = select(reader, selection)
    for missing in selected.missing:
        task.warn(missing.error)
    tenant = read_tenant(client, graph, now.date(), task.warn)
    accounts = read_accounts(client, graph, task.progress, task.warn)
    answers = _ask_what_if(task, graph, tenant, selected.records) if params["what_if"] else {}
    log = read_log(graph, now, params["usage_days"], task.progress) if params["usage"] else None
    judge = Judge(tenant, accounts, answers, log, report)
    judged = ordered(judge(record) for record in selected.records)
    told = _told(task, tenant, judged, log, report)
    if selection.everybody and not where:
        told.update(_unmatched(judge, selected.records))
    return _result(task, told, judged, dest)


def _check(params: Mapping[str, t.Any]) -> None:
    """Refuse options that are no question, before any request."""
    check_selection(params)
    if not params["all_mailboxes"] and params["identity"] is None:
        raise InvalidRequest("Which mailboxes? Give identity or all_mailboxes: true.")
    if not 1 <= params["usage_days"] <= _LONGEST:
        raise InvalidRequest(f"usage_days has to be between 1 and {_LONGEST}, it is {params['usage_days']}.")
    if params["what_if"] and not params["identity"]:
        raise InvalidRequest(
            "what_if asks about one mailbox a second, so it needs identity.",
            hint="Name the mailboxes that Conditional Access is to be asked about.",
        )
    if params["client_ip"] and not params["what_if"]:
        raise InvalidRequest("client_ip goes with what_if: true only.")
    if params["client_ip"]:
        try:
            ipaddress.ip_address(params["client_ip"])
        except ValueError:
            raise InvalidRequest(
                f"client_ip has to be an IP address such as 203.0.113.10, it is {params['client_ip']!r}."
            ) from None


def _report(params: Mapping[str, t.Any], today: datetime.date) -> Report | None:
    if not params["usage_report"]:
        return None
    return read_report(absolute("usage_report", params["usage_report"]), today, params["usage_days"])


def _ask_what_if(
    task: Task, graph: Graph | None, tenant: TenantFacts, records: Sequence[Record]
) -> dict[str, Judgement | Unread]:
    """What Conditional Access itself says of each mailbox, by GUID. One that can't be asked ends the asking."""
    access = tenant.conditional_access
    if graph is None or isinstance(access, Unread):
        return {}
    answers: dict[str, Judgement | Unread] = {}
    client_ip = task.params["client_ip"] or None
    for number, record in enumerate(records, start=1):
        user = object_id(record)
        if user:
            answer = attempt(functools.partial(graph.what_if, what_if_request(user, client_ip)), POLICIES)
            if isinstance(answer, Unread):
                answers[record.key] = answer
                if answer.permission:
                    return dict.fromkeys((one.key for one in records), answer)
            else:
                answers[record.key] = judge_what_if(answer, access.rules, client_ip=client_ip is not None)
        task.progress("asking Conditional Access", number, len(records))
    return answers


def _told(task: Task, tenant: TenantFacts, judged: Sequence[Judged], log: Log | None, report: Report | None) -> Result:
    """The result but for the mailboxes."""
    counts = summary(judged, tenant.organization_disabled, log)
    told: Result = {"summary": counts, "not_checked": list(NOT_CHECKED)}
    sources = {"log": log, "report": report}
    coverage = {name: source.coverage.result() for name, source in sources.items() if source}
    if coverage:
        told["coverage"] = coverage
    if task.params["error_text"]:
        told["reply"] = reply_result(decode(task.params["error_text"]), judged)
    told["msg"] = f"{task.tenant}: {closing_line(counts, tenant.organization_disabled)}"
    return told


def _unmatched(judge: Judge, records: Sequence[Record]) -> Result:
    """Who is seen but is no mailbox that was read."""
    users = unmatched_users(judge.log, map(object_id, records)) if judge.log else []
    addresses = itertools.chain.from_iterable(judge.addresses(record) for record in records)
    known = {address.lower() for address in addresses}
    senders = [address for address in judge.report.senders if address not in known] if judge.report else []
    names = [fit(name) for name in (*users[:_UNMATCHED], *senders[:_UNMATCHED])]
    return {"unmatched": names} if judge.log or judge.report else {}


def _result(task: Task, told: Result, judged: Sequence[Judged], dest: str | None) -> Result:
    if dest is None:
        return bounded({"changed": False, **told, "mailboxes": [one.result() for one in judged]}, ["mailboxes"])
    changed = replace_if_different("dest", dest, _file_text(dest, told, judged), dry_run=task.check_mode)
    return {"changed": changed, "dest": dest, **told}


def _file_text(dest: str, told: Result, judged: Sequence[Judged]) -> str:
    if dest.lower().endswith(".csv"):
        return csv_text(judged)
    # A line for each mailbox: of 10,000 the text alone is 20 MB, and so are the parts of one that is indented.
    boxes = ",\n".join(json.dumps(one.result()) for one in judged)
    head = json.dumps(told, indent=1).removesuffix("\n}")
    return f'{head},\n "mailboxes": [\n{boxes}\n ]\n}}\n'
