# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: what an undo file holds, brought to the tenant it was written for. PRIVATE to the collection."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _results, _undo, _undo_parts
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import LIMITS, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import NOBODY, Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    InvalidRequest,
    NotFound,
    Refused,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import (
    Listed,
    Plan,
    in_turn,
    ordered,
    parse_limits,
    places,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._policies import bound
from ansible_collections.m365.exchange_online.plugins.module_utils._policy_gate import (
    ALLOWS_SMTP,
    PolicyGate,
    Settings,
    gate_effect,
    read_gate,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    INHERIT,
    PolicyReference,
    Table,
    Value,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._reach import reach
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Lookup, Reader, read_few, read_single
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    DEFAULT_POLICY,
    POLICY,
    SMTP_AUTH,
    USER,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
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


_MANY = {"User": "users", "CASMailboxPlan": "plans", "AuthenticationPolicy": "authentication_policies"}
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
    if not params["force"]:
        _check_newest(task, client, undo)
    for sentence in (*undo.warnings, *undo.broken):
        task.warn(sentence)
    gate = _gate_of(client, undo)
    undo, lost = _resolved(undo, gate)
    lookup = _read(task, client, undo)
    changes, missing, since = _undone_all(undo, lookup, params["force"])
    kept = [*lost, *since]
    plan = _plan(task, client, gate, changes, missing)
    for sentence in kept[:SAMPLE]:
        task.warn(sentence)
    if not params["force"]:
        _check_known(plan)
        _check_effect(plan, undo)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        result: Result = {
            "mailboxes": _results.object_results(plan, told, only_changes=False, noun=CAS_MAILBOX.noun),
            "summary": _results.summary(plan, told, CAS_MAILBOX.noun),
            "changed_since": kept,
            "written": undo.written,
            "diff": _results.diff_of_many(task.tenant, plan, preview=task.check_mode),
        }
        for noun, key in _MANY.items():
            if _results.of_noun(told, noun):
                result[key] = _results.object_results(replace(plan, missing=()), told, only_changes=False, noun=noun)
        for outcome in told:
            if outcome.change.target.table.single:
                result[_SINGLE[outcome.change.target.table.noun]] = _results.object_result(outcome)
        return result

    about = f"undoing {undo.task.rpartition('.')[2] or 'a task'} of {undo.written or 'an unknown time'}: "
    return converge(task, client, plan, Wanted(shape, limits.of(len(undo.entries)), about=about))


def _undone_all(undo: Undo, lookup: Lookup, force: bool) -> tuple[list[Change], list[Entry], list[str]]:
    """(the changes, the entries whose object is gone, a sentence on each setting that stays as it is)."""
    changes: list[Change] = []
    missing: list[Entry] = []
    kept: list[str] = []
    for entry in undo.entries:
        record = lookup.found.get(_place(entry))
        if record is None:
            missing.append(entry)
            continue
        change, sentences = undone(record, entry, force)
        changes.append(change)
        kept += sentences
    return changes, missing, kept


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
            raise InvalidRequest("content is not an undo file: it holds no valid JSON.") from None
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise InvalidRequest("content is not an undo file of this collection, or it is damaged.")
    return _undo.parse(_undo_parts.joined(content, "content"), "content")


def _check_tenant(task: Task, client: Client, undo: Undo) -> None:
    if client.tenant_id == undo.tenant_id:
        return
    name = f"{undo.tenant} ({undo.tenant_id})" if undo.tenant else undo.tenant_id
    raise WrongTenant(
        f"The undo file belongs to tenant {name}, but the task runs in {task.tenant} ({client.tenant_id}):"
        " nothing was done.",
        hint="Use the file of this tenant.",
    )


def _refers(entry: Entry) -> bool:
    """Whether an entry holds a reference to an authentication policy."""
    return any(isinstance(entry.target.table[option].kind, PolicyReference) for option in entry.before)


def _at_gate(entry: Entry) -> bool:
    """Whether an entry decides at the gate of authentication policies: who has which, or what one lets through."""
    return _refers(entry) or ALLOWS_SMTP in entry.before


def _resolved(undo: Undo, gate: PolicyGate | None) -> tuple[Undo, list[str]]:
    """The file with its references to policies resolved, and a sentence on each that can't be brought back."""
    entries: list[Entry] = []
    lost: list[str] = []
    for entry in undo.entries:
        if entry.verb != "Set":
            done = "made" if entry.verb == "New" else "removed"
            lost.append(f"{entry.target.label} was {done} as a whole by that run, and stays as it is.")
            continue
        if gate is None or not _refers(entry):
            entries.append(entry)
            continue
        bound_entry = replace(entry, target=replace(entry.target, table=bound(entry.target.table, gate.policies)))
        gone = [name for name, guid in entry.policies.items() if _guid_of(gate, name) != guid]
        if gone:
            lost.append(
                f"The authentication policy {gone[0]} of {entry.target.label} is gone, or another one has its name now."
            )
            continue
        entries.append(bound_entry)
    return replace(undo, entries=tuple(entries)), lost


def _guid_of(gate: PolicyGate, name: str) -> str:
    policy = gate.policies.find(name)
    return str(policy.get("Guid")).lower() if policy else ""


def _gate_of(client: Client, undo: Undo) -> PolicyGate | None:
    return read_gate(client) if any(_at_gate(entry) for entry in undo.entries) else None


def _check_newest(task: Task, client: Client, undo: Undo) -> None:
    """Refuse a file that has newer ones beside it, unless what they hold was brought back already."""
    standing = [name for name, other in undo.newer.items() if not _taken_back(task, client, other)]
    if standing:
        raise Refused(
            f"The undo file is of {undo.written or 'an unknown time'}, and later runs wrote others for this tenant:"
            f" {listed(standing)}. Nothing was changed.",
            hint="Restore the newest one first. force: true brings this one back over what came later.",
        )


def _taken_back(task: Task, client: Client, undo: Undo) -> bool:
    """Whether nothing is left of what a run did: each setting in its file has the former value again."""
    resolved, lost = _resolved(undo, _gate_of(client, undo))
    if lost or undo.broken:
        return False
    found = _read(task, client, resolved).found
    records = [(found.get(_place(entry)), entry) for entry in resolved.entries]
    return all(record is not None and pending(record, entry, force=False) == ({}, []) for record, entry in records)


def _read(task: Task, client: Client, undo: Undo) -> Lookup:
    """The objects of the file as they are now, by their key."""
    found: dict[str, Record] = {}
    failed: dict[str, ExoError] = {}
    for table in {entry.target.table for entry in undo.entries}:
        entries = [entry for entry in undo.entries if entry.target.table == table]
        lookup = _read_table(task, client, table, entries)
        failed.update(lookup.failed)
        found.update(_of_entries(entries, lookup.found))
    for error in failed.values():
        if not isinstance(error, NotFound):
            raise error
    return Lookup(found, failed)


def _place(entry: Entry) -> str:
    """What tells the entry's object from every other: a mailbox and its user have one GUID."""
    return "/".join(entry.target.place)


def _of_entries(entries: Sequence[Entry], found: Mapping[str, Record]) -> dict[str, Record]:
    """The object of each entry, by what tells it from every other. found: by GUID, or by noun for a single one."""
    records: dict[str, Record] = {}
    for entry in entries:
        table = entry.target.table
        record = found.get(entry.target.key or table.noun)
        if record is not None:
            target = record.target if table.single else _named(record.target, entry.target)
            records[_place(entry)] = replace(record, target=target)
    return records


def _read_table(task: Task, client: Client, table: Table, entries: Sequence[Entry]) -> Lookup:
    """The objects of one noun, with the settings that the entries have."""
    options = sorted(set().union(*(entry.before for entry in entries)))
    if table.single:
        return Lookup({table.noun: read_single(client, table, options, task.warn)}, {})
    if table.few:
        return Lookup({record.key: record for record in read_few(client, table)}, {})
    reader = Reader(client, options, task.progress, warn=task.warn, table=table)
    return reader.named([entry.target.key for entry in entries])


def _named(target: Target, former: Target) -> Target:
    """The mailbox, shown by its address rather than by the GUID that it was looked up with."""
    return replace(target, asked=target.primary_smtp_address or former.label)


def _plan(
    task: Task, client: Client, gate: PolicyGate | None, changes: Sequence[Change], gone: Sequence[Entry]
) -> Plan:
    """The plan of a restore, with the same order and guards as the policy's."""
    boxes = _of_noun(changes, CAS_MAILBOX.noun)
    blocked_by = _blocked_by(_organization(changes), gone)
    done = _done_now(changes) if blocked_by else changes
    reached = reach(task, client, _organization(done), _of_noun(done, CAS_MAILBOX.noun)).effect
    turns = in_turn(*_by_gate(gate, _of_noun(changes, USER.noun)), reached)
    if gate is not None:
        waiting = places(change.target for change in (*turns.after_closing, *turns.last)) if blocked_by else set()
        reached = _gate_effect(task, client, gate, [one for one in done if one.target.place not in waiting])
    phases = ordered(
        [change for change in changes if change.target.table.noun != USER.noun],
        Listed(_ending(boxes, False), _ending(boxes, True)),
        delay=task.params["propagation_delay"],
        blocked_by=blocked_by,
        users=turns,
    )
    missing = tuple(_missing(entry.target) for entry in gone)
    return Plan(phases, tuple(changes), missing, len(boxes), reached, blocked_by)


def _done_now(changes: Iterable[Change]) -> list[Change]:
    """The changes without those that wait with the organization: its own, and those of whoever would follow it."""
    return [one for one in changes if not (one.target.table.single or one.after.get(SMTP_AUTH) == INHERIT)]


def _of_noun(changes: Iterable[Change], noun: str) -> list[Change]:
    return [change for change in changes if change.target.table.noun == noun]


def _touching(changes: Iterable[Change], noun: str, option: str) -> list[Change]:
    return [change for change in _of_noun(changes, noun) if change.touches(option)]


def _organization(changes: Iterable[Change]) -> Change | None:
    """The change of the organization's SMTP AUTH, if it is among these."""
    return next((change for change in changes if change.target.table.single and SMTP_AUTH in change.after), None)


def _by_gate(gate: PolicyGate | None, users: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """(users whose former policy lets SMTP through, the others)."""
    opening: list[Change] = []
    closing: list[Change] = []
    for change in users:
        passes = gate is not None and gate.lets_through(str(change.after[POLICY]) or gate.default)
        (opening if passes else closing).append(change)
    return opening, closing


def _ending(boxes: Sequence[Change], value: bool) -> tuple[Target, ...]:
    """The mailboxes whose own value will be this one."""
    return tuple(change.target for change in boxes if change.after.get(SMTP_AUTH) is value)


def _missing(target: Target) -> Missing:
    return Missing(target.label, f"There is no {target.table.label} {target.label} ({target.key}) any more.")


def _gate_effect(task: Task, client: Client, gate: PolicyGate, changes: Sequence[Change]) -> Effect:
    """Who gains or loses by both gates together: the settings, and which policy applies and lets what through."""
    users, boxes = _touching(changes, USER.noun, POLICY), _touching(changes, CAS_MAILBOX.noun, SMTP_AUTH)
    assigned = gate.assigned({change.target.key: str(change.after[POLICY]) for change in users})
    after = _shared_after(assigned, changes)
    organization = _organization(changes)
    settings = Settings({change.target.key: change.after[SMTP_AUTH] for change in boxes}, _turned_to(organization))
    if after != assigned or settings.disabled is not None:
        return gate_effect(task, client, gate, after, None, settings)[0]
    targets = {change.target.key: change.target for change in (*users, *boxes)}
    return gate_effect(task, client, gate, after, list(targets.values()), settings)[0] if targets else NOBODY


def _turned_to(organization: Change | None) -> Value | None:
    """What becomes of the organization's SMTP AUTH, None where it stays."""
    if organization is None or not organization.touches(SMTP_AUTH):
        return None
    return organization.after[SMTP_AUTH]


def _shared_after(gate: PolicyGate, changes: Sequence[Change]) -> PolicyGate:
    """The gate after the changes of what many follow: the default, and what a policy lets through."""
    defaults = [str(change.after[DEFAULT_POLICY]) for change in changes if change.touches(DEFAULT_POLICY)]
    switched = [change for change in changes if change.touches(ALLOWS_SMTP)]
    allows = {_name_of(gate, change.target): change.after[ALLOWS_SMTP] is True for change in switched}
    return replace(gate, default=defaults[0] if defaults else gate.default, allows={**gate.allows, **allows})


def _name_of(gate: PolicyGate, policy: Target) -> str:
    """The name that the policy has now, as the gate knows it."""
    found = gate.policies.find(policy.key)
    return str(found["Name"] if found else policy.asked).lower()


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


def _check_known(plan: Plan) -> None:
    """Refuse to turn what all mailboxes follow while nobody knows whom that cuts off or lets in."""
    if not plan.effect.known and any(_turns_many(change) for change in plan.changes):
        raise Refused(
            "What decides on the SMTP AUTH of all mailboxes is not restored, because it can't be known who loses or"
            " gains it by that. Nothing was changed.",
            hint="Give the app a role that reads mailboxes, such as View-Only Recipients, or set force: true.",
        )


def _turns_many(change: Change) -> bool:
    table = change.target.table
    return (table.single or table.few) and any(map(change.touches, (SMTP_AUTH, DEFAULT_POLICY, ALLOWS_SMTP)))


# What a restore would do to a mailbox that its file does not know, by whether the file names all whom its run moved.
_TAKES = {
    True: "take SMTP AUTH from {}, which did not gain it by that run",
    False: "take SMTP AUTH from {}, and it does not say whom that run gave it to",
}
_GIVES = {
    True: "give SMTP AUTH to {}, which did not lose it by that run",
    False: "give SMTP AUTH to {}, and it does not say whom that run took it from",
}


def _check_effect(plan: Plan, undo: Undo) -> None:
    """Refuse where a mailbox loses SMTP AUTH that had it in the state to be restored, or gains it and had it not.

    Then the tenant has moved on, and bringing back what the file holds is no way back. Where the file does not know the
    mailbox, its run did not move it: it came to follow the organization or a policy later, and that is no less of a
    change.
    """
    lose, gain = plan.effect.lose, plan.effect.gain
    named = _said(lose, undo, True, "take SMTP AUTH from {}, which had it then") or _said(
        gain, undo, False, "give SMTP AUTH to {}, which did not have it then"
    )
    others = _said(lose, undo, None, _TAKES[undo.names_moved]) or _said(gain, undo, None, _GIVES[undo.names_moved])
    if named or others:
        since = ", and the tenant was changed since" if named or undo.names_moved else ""
        raise Refused(
            f"The undo file is of {undo.written}{since}: bringing back what it holds would {named or others}."
            " Nothing was changed.",
            hint="Use exo_smtp_auth to say who is allowed, or force: true if it is meant.",
            result={"effect": plan.effect.result()},
        )


def _said(targets: Sequence[Target], undo: Undo, worked: bool | None, sentence: str) -> str:
    """The sentence about those of whom the file says this of the state before its run; empty where there are none."""
    labels = [target.label for target in targets if undo.worked_before(target.key) is worked]
    return sentence.format(listed(labels)) if labels else ""
