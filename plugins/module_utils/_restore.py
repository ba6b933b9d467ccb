# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: what an undo file holds, brought to the tenant it was written for. PRIVATE to the collection."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _results, _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._apply import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    InvalidRequest,
    NotFound,
    Refused,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Listed, Plan, ordered, parse_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Value
from ansible_collections.m365.exchange_online.plugins.module_utils._reach import reach
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Lookup, Reader, read_single
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX, SMTP_AUTH
from ansible_collections.m365.exchange_online.plugins.module_utils._task import LIMITS, UNDO, WAIT, Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import SAMPLE, listed
from ansible_collections.m365.exchange_online.plugins.module_utils._undo import Entry, Undo

ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "src": {"type": "path"},
    "content": {"type": "raw"},
    "force": {"type": "bool", "default": False},
    "propagation_delay": {"type": "int", "default": 0},
    **LIMITS,
    **UNDO,
    **WAIT,
}


_SINGLE = {"TransportConfig": "organization", "OrganizationConfig": "organization_config"}


def pending(record: Record, entry: Entry, force: bool) -> tuple[dict[str, Value], list[str]]:
    """(former values still to be brought back, settings that were changed since by others)."""
    back: dict[str, Value] = {}
    since: list[str] = []
    for option, former in entry.before.items():
        kind = record.target.table[option].kind
        current = record.read(option)
        if kind.same(current, former):
            continue
        if force or kind.same(current, entry.after[option]):
            back[option] = former
        else:
            since.append(option)
    return back, since


def undone(record: Record, entry: Entry, force: bool) -> tuple[Change, list[str]]:
    """The change that undoes an entry, and a sentence on each setting that stays as it is."""
    table = record.target.table
    back, since = pending(record, entry, force)
    kept = [f"{option} of {record.label} was changed since and stays as it is." for option in since]
    for option in [option for option, value in back.items() if table[option].one_way and value == ""]:
        del back[option]
        kept.append(f"{option} of {record.label} can't be unset: the service refuses that.")
    managed = {option: back.get(option, record.read(option)) for option in entry.before}
    return plan_change(record, table.exactly(managed), exact=True), kept


def restore(task: Task) -> Result:
    """Bring back what an undo file holds, in the order of writes and with the guards of every other task."""
    params = task.params
    undo = _load(params)
    limits = parse_limits(params)
    client = task.connect()
    _check_tenant(task, client, undo)
    _check_newest(undo, params["force"])
    for sentence in (*undo.warnings, *undo.broken):
        task.warn(sentence)
    lookup = _read(task, client, undo)
    changes: list[Change] = []
    missing: list[Entry] = []
    kept: list[str] = []
    for entry in undo.entries:
        record = lookup.found.get(_key(entry))
        if record is None:
            missing.append(entry)
            continue
        change, sentences = undone(record, entry, params["force"])
        changes.append(change)
        kept += sentences
    plan = _plan(task, client, undo, changes, missing)
    for sentence in kept[:SAMPLE]:
        task.warn(sentence)
    if not params["force"]:
        _check_effect(plan, undo)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        result: Result = {
            "mailboxes": _results.object_results(plan, told, only_changes=False),
            "summary": _results.summary(plan, told),
            "changed_since": kept,
            "written": undo.written,
            "diff": _results.diff_of_many(task.tenant, plan),
        }
        for outcome in told:
            if outcome.change.target.table.single:
                result[_SINGLE[outcome.change.target.table.noun]] = _results.object_result(outcome)
        return result

    return converge(task, client, plan, Wanted(shape, limits.of(len(undo.entries))))


def _load(params: Mapping[str, t.Any]) -> Undo:
    if bool(params["src"]) == bool(params["content"]):
        raise InvalidRequest("What is to be restored? Give either src, the path of an undo file, or content.")
    if params["src"]:
        return _undo.load(params["src"])
    content = params["content"]
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            raise InvalidRequest("content is no undo file: it holds no valid JSON.") from None
    return _undo.parse(content, "content")


def _check_tenant(task: Task, client: Client, undo: Undo) -> None:
    if client.tenant_id == undo.tenant_id:
        return
    name = f"{undo.tenant} ({undo.tenant_id})" if undo.tenant else undo.tenant_id
    raise WrongTenant(
        f"The undo file is of tenant {name}, but the task runs in {task.tenant} ({client.tenant_id}):"
        " nothing was done.",
        hint="Use the file of this tenant.",
    )


def _check_newest(undo: Undo, force: bool) -> None:
    if undo.newer and not force:
        raise Refused(
            f"The undo file is of {undo.written or 'an unknown time'}, and later runs wrote others for this tenant:"
            f" {listed(undo.newer)}. Nothing was changed.",
            hint="Restore the newest one first. force: true brings this one back over what came later.",
        )


def _read(task: Task, client: Client, undo: Undo) -> Lookup:
    """The objects of the file as they are now, by their key."""
    found: dict[str, Record] = {}
    boxes = [entry for entry in undo.entries if not entry.target.table.single]
    for entry in undo.entries:
        if entry.target.table.single:
            found[_key(entry)] = read_single(client, entry.target.table, sorted(entry.before), task.warn)
    options: set[str] = set()
    for entry in boxes:
        options.update(entry.before)
    lookup = Lookup({}, {})
    if boxes:
        lookup = Reader(client, sorted(options), task.progress, warn=task.warn).named([e.target.key for e in boxes])
    for error in lookup.failed.values():
        if not isinstance(error, NotFound):
            raise error
    for entry in boxes:
        record = lookup.found.get(entry.target.key)
        if record is not None:
            found[entry.target.key] = replace(record, target=_named(record.target, entry.target))
    return Lookup(found, lookup.failed)


def _named(target: Target, former: Target) -> Target:
    """The mailbox, shown by its address rather than by the GUID that it was looked up with."""
    return replace(target, asked=target.primary_smtp_address or former.label)


def _key(entry: Entry) -> str:
    """What an object of the file is found by: its GUID, or its noun where the tenant has just one."""
    return entry.target.key or entry.target.table.noun


def _plan(task: Task, client: Client, undo: Undo, changes: Sequence[Change], gone: Sequence[Entry]) -> Plan:
    """The plan of a restore, with the same order and guards as the policy's."""
    boxes = [change for change in changes if change.target.table is CAS_MAILBOX]
    organization = next(
        (change for change in changes if change.target.table.single and SMTP_AUTH in change.after), None
    )
    missing = tuple(
        Missing(entry.target.label, f"There is no mailbox {entry.target.label} ({entry.target.key}) any more.")
        for entry in gone
    )
    blocked_by = _blocked_by(organization, gone)
    ends = {change.target.place: change.after.get(SMTP_AUTH) for change in boxes}
    stay = Listed(
        tuple(change.target for change in boxes if ends[change.target.place] is False),
        tuple(change.target for change in boxes if ends[change.target.place] is True),
    )
    reached = reach(task, client, None if blocked_by else organization, boxes)
    phases = ordered(changes, stay, delay=task.params["propagation_delay"], blocked_by=blocked_by)
    return Plan(phases, tuple(changes), missing, len(boxes), reached.effect, blocked_by)


def _blocked_by(organization: Change | None, gone: Sequence[Entry]) -> ExoError | None:
    """Why the organization must stay: a mailbox of the file is gone, or was made anew, that the rest would harm."""
    if organization is None:
        return None
    for value, state, risk in ((True, False, "cut it off"), (False, True, "leave it open")):
        if not organization.turns(SMTP_AUTH, value):
            continue
        lost = [entry.target.label for entry in gone if _had(entry, state)]
        if lost:
            return NotFound(
                f"{listed(lost)} can't be found under the GUID in the file. So the organization and the mailboxes that"
                f" follow it are left as they are, because going on could {risk} if it was made anew.",
                hint="Look for it under its name, and set its SMTP AUTH by hand or with exo_smtp_auth.",
            )
    return None


def _had(entry: Entry, value: bool) -> bool:
    """Whether the mailbox had this value of its own, or this effect, in the state to be restored."""
    if entry.before.get(SMTP_AUTH) is value:
        return True
    return entry.smtp_auth_before is (not value)


def _check_effect(plan: Plan, undo: Undo) -> None:
    """Refuse where a mailbox loses SMTP AUTH that had it in the state to be restored, or gains it and had it not.

    Then the tenant has moved on, and bringing back what the file holds is no way back.
    """
    sides = (
        (plan.effect.lose, True, "take SMTP AUTH from", "had it"),
        (plan.effect.gain, False, "give SMTP AUTH to", "did not have it"),
    )
    for targets, worked, would, then in sides:
        places = {entry.target.place for entry in undo.entries if entry.smtp_auth_before is worked}
        moved = [target.label for target in targets if target.place in places]
        if moved:
            raise Refused(
                f"The undo file is of {undo.written}, and the tenant was changed since: bringing back what it holds"
                f" would {would} {listed(moved)}, which {then} then. Nothing was changed.",
                hint="Use exo_smtp_auth to say who is allowed, or force: true if it is meant.",
                result={"effect": plan.effect.result()},
            )
