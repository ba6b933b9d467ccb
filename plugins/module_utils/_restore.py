# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: an undo file brought to the tenant it was written for. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.m365.exchange_online.plugins.module_utils import _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._client_access import announce, carry_out
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    NotFound,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import (
    Mailbox,
    Reader,
    read_transport_config,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._module import UNDO, WAIT, Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._organization import smtp_auth_effect
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import (
    Change,
    Missing,
    Plan,
    plan_settings,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    TRANSPORT_CONFIG,
    Table,
    Value,
)

ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "force": {"type": "bool", "default": False},
    **UNDO,
    **WAIT,
}


def pending(
    table: Table, wire: Mapping[str, t.Any], entry: _undo.Entry, force: bool
) -> tuple[dict[str, Value], list[str]]:
    """(former values still to be brought back, settings that somebody changed since)."""
    back: dict[str, Value] = {}
    since: list[str] = []
    for option, former in entry.before.items():
        row = table.row(option)
        current = row.read(wire)
        if row.kind.same(current, former):
            continue
        if force or row.kind.same(current, entry.after[option]):
            back[option] = former
        else:
            since.append(option)
    return back, since


def _change(
    table: Table, wire: Mapping[str, t.Any], entry: _undo.Entry, mailbox: Mailbox | None, force: bool
) -> tuple[Change, list[str]]:
    """The change that undoes an entry, and a sentence on each setting that is left alone."""
    back, since = pending(table, wire, entry, force)
    label = mailbox.label if mailbox else "the organization"
    alone = [f"{option} of {label} was changed since and is left alone." for option in since]
    for option in [o for o in back if table.row(o).one_way and back[o] == ""]:
        del back[option]
        alone.append(f"{option} of {label} can't be unset: the service refuses that.")
    managed = {option: back.get(option, table.row(option).read(wire)) for option in entry.before}
    return plan_settings(table, wire, table.wishes(managed), mailbox=mailbox, exact=True), alone


def restore(task: Task) -> Result:
    """Bring back what an undo file holds, in the same order of writes as every other task."""
    undo = _undo.load(task.params["path"])
    client = task.connect()
    if client.tenant_id != undo.tenant_id:
        raise WrongTenant(
            f"The undo file is of tenant {undo.tenant_id}, but the task runs in {client.tenant_id}: nothing was done.",
            hint="Use the file of this tenant.",
        )
    alone: list[str] = []
    force = task.params["force"]
    organization = None
    if undo.organization:
        wire = read_transport_config(client, undo.organization.before)
        organization, left = _change(TRANSPORT_CONFIG, wire, undo.organization, None, force)
        alone += left
    options = sorted({option for entry in undo.mailboxes for option in entry.before})
    lookup = Reader(client, options, task.progress).named([entry.guid for entry in undo.mailboxes])
    for error in lookup.failed.values():
        if not isinstance(error, NotFound):
            raise error
    changes = []
    for entry in undo.mailboxes:
        box = lookup.found.get(entry.guid)
        if box:
            change, left = _change(CAS_MAILBOX, box.wire, entry, _named(box, entry), force)
            changes.append(change)
            alone += left
    missing = tuple(
        Missing(entry.label, f"There is no mailbox {entry.label} ({entry.guid}) any more.")
        for entry in undo.mailboxes
        if entry.guid not in lookup.found
    )
    plan = Plan(
        organization, tuple(changes), missing, len(changes), smtp_auth_effect(task, client, organization, changes)
    )
    for sentence in alone[:20]:
        task.warn(sentence)
    announce(task, plan)
    more: Result = {"left_alone": alone}
    return carry_out(task, client, plan, only_changes=False, more=more)


def _named(box: Mailbox, entry: _undo.Entry) -> Mailbox:
    """The mailbox, shown by its address rather than by the GUID that it was looked up with."""
    return Mailbox(
        box.guid, box.primary_smtp_address or entry.label, box.primary_smtp_address, box.display_name, box.wire
    )
