# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on the client-access settings of mailboxes: one that converges them, one that reads them. PRIVATE."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import LIMITS, LOOKUP, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import converge as converge_plan
from ansible_collections.m365.exchange_online.plugins.module_utils._entries import merge, parse_entries
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
    Refused,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._files import absolute, replace_if_different
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan, ordered, parse_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Property, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._reach import Reach, reach
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader, omitted, read_few, read_single
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    ARGUMENT_SPEC as SELECTION,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    Selected,
    check_selection,
    check_settings,
    given_names,
    only_known,
    parse_where,
    select,
    selection_of,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    CAS_MAILBOX_PLAN,
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import listed

ARGUMENT_SPEC: Mapping[str, t.Any] = {
    **SELECTION,
    "mailboxes": {"type": "list", "elements": "dict"},
    **CAS_MAILBOX.argument_spec(),
    **LOOKUP,
    **LIMITS,
    **UNDO,
    **WAIT,
}
INFO_ARGUMENT_SPEC: Mapping[str, t.Any] = {
    **SELECTION,
    "properties": {"type": "list", "elements": "str"},
    "dest": {"type": "path"},
    **LOOKUP,
}
_EWS = "ews_enabled"


def converge(task: Task) -> Result:
    """Bring the mailboxes' settings to what the options say."""
    params = task.params
    shared = CAS_MAILBOX.parse(params)
    entries = parse_entries(params, shared, CAS_MAILBOX, "mailboxes")
    everybody = params["all_mailboxes"]
    where = parse_where(params["where"])
    limits = parse_limits(params)
    check_settings(params, shared, bool(entries))
    options = {*shared, *(where or ())}
    for entry in entries:
        options.update(entry.desired)
    client = task.connect()
    reader = Reader(client, sorted(options), task.progress, warn=task.warn)
    selected = select(reader, selection_of(params, tuple(entry.identity for entry in entries), where))
    own = merge(entries, selected.by_name)
    base = shared if everybody else {}
    changes = tuple(plan_change(box, {**base, **own.get(box.key, {})}) for box in selected.records)
    if any(change.changed for change in changes):
        reader.confirm(_to_confirm(selected, changes, everybody))
    reached = reach(task, client, None, changes)
    _check_inherit(params, changes, reached)
    _warn(task, client, selected, changes)
    plan = Plan(ordered(changes), changes, selected.missing, len(changes), reached.effect)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        return {
            "mailboxes": _results.object_results(plan, told, only_changes=everybody),
            "summary": _results.summary(plan, told),
            "diff": _results.diff_of_many(task.tenant, plan, preview=task.check_mode),
        }

    return converge_plan(task, client, plan, Wanted(shape, limits.of(selected.scope)))


def _to_confirm(selected: Selected, changes: Sequence[Change], everybody: bool) -> dict[str, Record]:
    """The names that have to mean just the mailbox that they were matched with.

    Beside all mailboxes that is every name: it may keep its mailbox from being changed. Else it is those of the
    mailboxes that are written.
    """
    if everybody:
        return {**selected.excluded, **selected.by_name}
    written = {change.target.key for change in changes if change.changed}
    return {name: box for name, box in selected.by_name.items() if box.key in written}


def _check_inherit(params: Mapping[str, t.Any], changes: Sequence[Change], reached: Reach) -> None:
    """All mailboxes without a value of their own, under an organization that lets them, is no setting: it is a gap."""
    if not params["all_mailboxes"] or params[SMTP_AUTH] != INHERIT:
        return
    if reached.organization_disabled is False and any(change.turns(SMTP_AUTH, INHERIT) for change in changes):
        raise Refused(
            f"{SMTP_AUTH}: inherit for all mailboxes would leave SMTP AUTH to the organization, which is open, so"
            " everybody could use it. Nothing was changed.",
            hint="Close the organization first, or use exo_smtp_auth, which keeps the order.",
        )


def _warn(task: Task, client: Client, selected: Selected, changes: Sequence[Change]) -> None:
    if selected.dropped and task.params["mailboxes"]:
        task.warn(f"where leaves out mailboxes that mailboxes names: {listed(selected.dropped)}.")
    if task.params["all_mailboxes"] and any(change.changed for change in changes):
        _warn_of_plans(task, client)
    if any(change.turns(_EWS, True) for change in changes) and _organization_forbids_ews(client):
        task.warn(
            f"{_EWS}: true has no effect while the organization's {_EWS} is false: both have to allow it"
            " (exo_organization_config sets it)."
        )


def _warn_of_plans(task: Task, client: Client) -> None:
    """Tell of what new mailboxes will still have although the task turns it off for all that there are."""
    turned_off = [option for option in CAS_MAILBOX_PLAN.options if task.params.get(option) is False]
    plans = _plans_that_turn_it_on(client, turned_off) if turned_off else []
    if plans:
        task.warn(
            f"New mailboxes will still have what this task turns off, because of these mailbox plans:"
            f" {listed(plans)}. exo_cas_mailbox_plan sets them."
        )


def _plans_that_turn_it_on(client: Client, options: Sequence[str]) -> list[str]:
    """The plans by which new mailboxes would still get one of these protocols, with the protocols."""
    try:
        plans = read_few(client, CAS_MAILBOX_PLAN)
    except AuthenticationFailed:
        raise
    except ExoError:
        return []  # an app that may not read plans may still manage mailboxes
    found = []
    for plan in plans:
        on = [option for option in options if plan.target.table[option].read(plan.remote) is True]
        if on:
            found.append(f"{plan.target.display_name or plan.label} ({', '.join(on)})")
    return found


def _organization_forbids_ews(client: Client) -> bool:
    """Since April 2025 both levels must allow Exchange Web Services (MC1015893)."""
    try:
        return read_single(client, ORGANIZATION_CONFIG, [_EWS]).read(_EWS) is False
    except AuthenticationFailed:
        raise
    except ExoError:
        return False


def info(task: Task) -> Result:
    """The mailboxes with the settings that were asked for."""
    params = task.params
    asked = params["properties"] or ()
    only_known(dict.fromkeys(asked), CAS_MAILBOX.options, "properties")
    if not params["all_mailboxes"] and params["identity"] is None:
        raise InvalidRequest("Which mailboxes? Give identity or all_mailboxes: true.")
    check_selection(params)
    dest = absolute("dest", params["dest"]) if params["dest"] else None
    wanted = [option for option in CAS_MAILBOX.options if not asked or option in asked]
    records = _read(task, wanted)
    settings = _settings(task, records, wanted)
    boxes = [{**record.target.identity, "settings": own} for record, own in zip(records, settings, strict=True)]
    summary = _summary(settings, wanted)
    return _saved(task, dest, boxes, summary) if dest else _returned(boxes, summary)


def _read(task: Task, wanted: Sequence[str]) -> Sequence[Record]:
    """The mailboxes that the task selects, with at least the settings that are wanted."""
    params = task.params
    where = parse_where(params["where"])
    # Without properties whole objects are read: what a role hides is then left out instead of failing the task.
    options = sorted({*wanted, *(where or ())}) if params["properties"] else None
    reader = Reader(task.connect(), options, task.progress, warn=task.warn)
    selected = select(reader, selection_of(params, given_names("identity", params["identity"]), where))
    for missing in selected.missing:
        task.warn(missing.error)
    return selected.records


def _summary(settings: Sequence[Mapping[str, Value]], wanted: Sequence[str]) -> Result:
    """How many mailboxes there are, and in which state their SMTP AUTH is, where all of them tell."""
    counts: Result = {"matched": len(settings)}
    states = [own[SMTP_AUTH] for own in settings if SMTP_AUTH in own]
    if SMTP_AUTH in wanted and len(states) == len(settings):
        counts["smtp_auth"] = {
            "enabled": states.count(False),
            "disabled": states.count(True),
            "inherit": states.count(INHERIT),
        }
    return counts


def _saved(task: Task, dest: str, boxes: Sequence[Mapping[str, t.Any]], summary: Result) -> Result:
    """The result of a task that writes the mailboxes into a file."""
    text = json.dumps({"mailboxes": boxes, "summary": summary}, indent=1) + "\n"
    changed = replace_if_different("dest", dest, text, dry_run=task.check_mode)
    return {"changed": changed, "dest": dest, "summary": summary}


def _returned(boxes: Sequence[Mapping[str, t.Any]], summary: Result) -> Result:
    """The result with the mailboxes in it; raises Refused where they are too many."""
    if len(json.dumps(boxes)) > _results.BUDGET:
        raise Refused(
            f"The settings of {len(boxes)} mailboxes are too much to return, and AWX would drop them all.",
            hint="Name a file in dest, or ask for fewer properties.",
            result={"summary": summary},
        )
    return {"changed": False, "mailboxes": boxes, "summary": summary}


def _settings(task: Task, records: Sequence[Record], wanted: Sequence[str]) -> list[dict[str, Value]]:
    """Each mailbox's settings. What the service leaves out of an object is null where it can be, else left out here."""
    readable = []
    for option in wanted:
        one = CAS_MAILBOX[option]
        somewhere = any(one.present(record.remote) for record in records)
        if one.kind.nullable and records and not somewhere:
            task.warn(omitted(one))
        if one.kind.nullable or somewhere:
            readable.append(one)
    return [_values(record, readable) for record in records]


def _values(record: Record, properties: Sequence[Property]) -> dict[str, Value]:
    """One mailbox's settings among these, by option."""
    remote = record.remote
    return {one.option: one.read(remote) for one in properties if one.kind.nullable or one.present(remote)}
