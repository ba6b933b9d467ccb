# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task that reads one tenant as evidence. PRIVATE to the collection.

What can't be read is evidence, too: it is named, with the reason. A tenant that can't be reached at all leaves evidence
that says so, and the task fails.
"""

from __future__ import annotations

import datetime
import json
import os
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import _evidence_record, _options
from ansible_collections.m365.exchange_online.plugins.module_utils._accounts import (
    EXCHANGE_ROLE,
    attempt,
    read_accounts,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest, NotFound
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_record import (
    DISABLED,
    ENABLED,
    INHERIT,
    About,
    Found,
    Mailbox,
    Settings,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, replace_if_different
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader, read_single, readable
from ansible_collections.m365.exchange_online.plugins.module_utils._sign_in_log import read_log
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_judge import (
    IMAP,
    POP,
    Judge,
    ask_graph,
    read_policies,
    tenant_facts,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_report import closing_line
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import Unread

STATUSES = ("compliant", "drift", "unlisted", "unknown", "held", "undeclared")
_OVERRIDES = {True: DISABLED, False: ENABLED}

ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "dest": {"type": "str"},
    "host": {"type": "str", "required": True},
    "status": {"type": "str", "choices": list(STATUSES), "default": "undeclared"},
    "drift": {"type": "list", "elements": "str", "default": []},
    "errors": {"type": "list", "elements": "dict", "default": []},
    "allowed": {"type": "list", "elements": "raw", "default": []},
    "usage": {"type": "bool", "default": True},
    "usage_days": {"type": "int", "default": 30},
    "job": {"type": "str"},
    "slice": {"type": "int"},
    "slices": {"type": "int"},
}


def info(task: Task) -> Result:
    """Read the tenant, and write its evidence to ``dest`` where there is one."""
    dest = absolute("dest", task.params["dest"]) if task.params["dest"] else None
    now = datetime.datetime.now(datetime.timezone.utc)
    about = _about(task, now)
    try:
        client, graph = task.connect(), task.connect_graph()
        found = _read(task, client, graph, now, about.allowed)
    except ExoError as error:
        content = _evidence_record.failed(about, error.message, error.error_code)
        _save(task, dest, content)
        raise
    about = about.of(client.tenant_id)
    content = _evidence_record.document(about, found)
    changed = _save(task, dest, content)
    told = _evidence_record.verdict_summary(found)
    kept = ("status", "counts", "verdict", "december", "completeness")
    return {
        "changed": changed,
        "msg": f"{task.tenant}: {_closing(found, told)}",
        **({"dest": dest} if dest else {}),
        "summary": told,
        **{name: content[name] for name in kept},
    }


def _closing(found: Found, told: Mapping[str, t.Any] | None) -> str:
    if told is None:
        return "the mailboxes could not be read, so it is not known who can use SMTP AUTH."
    return closing_line(told, found.facts.organization_disabled)


def _save(task: Task, dest: str | None, content: Mapping[str, t.Any]) -> bool:
    if dest is None:
        return False
    text = json.dumps(content, indent=1, ensure_ascii=True) + "\n"
    return replace_if_different("dest", dest, text, dry_run=task.check_mode)


def _about(task: Task, now: datetime.datetime) -> About:
    params = task.params
    connection = _options.resolve(params, os.environ)
    return About(
        time=now,
        host=params["host"],
        tenant_name=connection.tenant,
        status=params["status"],
        cloud=connection.cloud.name,
        client_id=connection.credential.client_id or None,
        method=connection.credential.method,
        job=params["job"] or None,
        slice=params["slice"],
        slices=params["slices"],
        errors=params["errors"],
        drift=params["drift"],
        allowed=tuple(_entry(entry) for entry in params["allowed"]),
    )


def _entry(entry: t.Any) -> Mapping[str, t.Any]:
    """An entry of the baseline's list, which is an address or a dictionary."""
    known = entry if isinstance(entry, Mapping) else {"identity": entry}
    if not isinstance(known.get("identity"), str) or not known["identity"].strip():
        raise InvalidRequest("Every entry of allowed needs an identity.")
    return {name: str(value) for name, value in known.items() if value is not None}


def _read(
    task: Task, client: Client, graph: Graph | None, now: datetime.datetime, allowed: Sequence[Mapping[str, t.Any]]
) -> Found:
    """Everything, each thing by itself: one that can't be read does not hide the others.

    Raises the failure of the first request: where even the organization's settings can't be read, there is no evidence.
    """
    transport = read_single(client, TRANSPORT_CONFIG, warn=task.warn)
    organization = attempt(lambda: read_single(client, ORGANIZATION_CONFIG, warn=task.warn), EXCHANGE_ROLE)
    access = ask_graph(graph, Graph.conditional_access)
    facts = tenant_facts(
        now.date(),
        transport,
        organization if isinstance(organization, Unread) else organization.remote,
        attempt(lambda: read_policies(client), EXCHANGE_ROLE),
        ask_graph(graph, Graph.security_defaults),
        access,
    )
    reader = Reader(client, [SMTP_AUTH, POP, IMAP], task.progress, warn=task.warn)
    records = attempt(reader.everything, EXCHANGE_ROLE)
    log = read_log(graph, now, task.params["usage_days"], task.progress) if task.params["usage"] else None
    mailboxes: list[Mailbox] | Unread = []
    named: Mapping[str, str] = {}
    unclear: Mapping[str, str] = {}
    if isinstance(records, Unread):
        mailboxes = records
    else:
        judge = Judge(facts, read_accounts(client, graph, task.progress), {}, log, None)
        mailboxes = [Mailbox(judge(record), _override(record)) for record in records]
        lookup = reader.resolve([entry["identity"] for entry in allowed], records)
        named = {identity: record.key for identity, record in lookup.found.items()}
        unclear = {name: one.message for name, one in lookup.failed.items() if not isinstance(one, NotFound)}
    return Found(_settings(transport), _settings(organization), facts, access, mailboxes, log, named, unclear)


def _settings(record: Record | Unread) -> Settings | Unread:
    if isinstance(record, Unread):
        return record
    values, _doubts = readable(record)
    known = {record.target.table[option].remote for option in values}
    others = {name: value for name, value in record.remote.items() if "@" not in name and name not in known}
    return Settings(values, others)


def _override(record: Record) -> str:
    own = record.read(SMTP_AUTH)
    return _OVERRIDES[own] if isinstance(own, bool) else INHERIT
