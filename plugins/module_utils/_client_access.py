# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on the client-access settings of mailboxes: one that converges them, one that reads them. PRIVATE."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _apply, _organization, _results, _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    Ambiguous,
    ExoError,
    InvalidRequest,
    Refused,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import (
    Lookup,
    Mailbox,
    Reader,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._module import (
    BRAKES,
    LOOKUP,
    UNDO,
    WAIT,
    Result,
    Task,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import (
    Missing,
    Plan,
    brake,
    parse_limit,
    plan_settings,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    INHERIT,
    SMTP_AUTH,
    ListWish,
    Value,
)

RECIPIENT_TYPES = (
    "DiscoveryMailbox",
    "EquipmentMailbox",
    "LegacyMailbox",
    "LinkedMailbox",
    "LinkedRoomMailbox",
    "MailUser",
    "RoomMailbox",
    "SharedMailbox",
    "TeamMailbox",
    "UserMailbox",
)
_SELECTION: Mapping[str, t.Any] = {
    "identity": {"type": "list", "elements": "str"},
    "all_mailboxes": {"type": "bool", "default": False},
    "exclude": {"type": "list", "elements": "str"},
    "where": {"type": "dict"},
    "recipient_type_details": {"type": "list", "elements": "str", "choices": list(RECIPIENT_TYPES)},
}
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    **_SELECTION,
    "mailboxes": {"type": "list", "elements": "dict"},
    **CAS_MAILBOX.argument_spec(),
    **LOOKUP,
    **BRAKES,
    **UNDO,
    **WAIT,
}
INFO_ARGUMENT_SPEC: Mapping[str, t.Any] = {
    **_SELECTION,
    "properties": {"type": "list", "elements": "str"},
    "dest": {"type": "path"},
    **LOOKUP,
}
_ENTRY_KEYS = {"identity", *CAS_MAILBOX.options}


@dataclass(frozen=True)
class Entry:
    """One place where the user named a mailbox and what it should have."""

    place: str
    identity: str
    wishes: Mapping[str, t.Any]


@dataclass(frozen=True)
class Selection:
    """Which mailboxes a task is about. ``names``: those named one by one; ``where``: what they must have now."""

    names: tuple[str, ...]
    all_mailboxes: bool = False
    exclude: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    where: Mapping[str, t.Any] | None = None
    tolerant: bool = False


@dataclass(frozen=True)
class Selected:
    """What a selection came to. ``by_name``: each name's mailbox. ``scope``: how many there are before ``where``."""

    mailboxes: tuple[Mailbox, ...]
    by_name: Mapping[str, Mailbox]
    missing: tuple[Missing, ...]
    scope: int


def given_names(option: str, names: Sequence[t.Any] | None) -> tuple[str, ...]:
    """A list of names without blanks around them; raises InvalidRequest for an empty one."""
    texts = tuple(str(name).strip() if name is not None else "" for name in names or ())
    for position, text in enumerate(texts, start=1):
        if not text:
            raise InvalidRequest(f"{option} has an empty entry at position {position}.")
    return texts


def select(reader: Reader, selection: Selection) -> Selected:
    """Read what a selection means; raises where a name is missing (unless tolerated), ambiguous, or a list is short."""
    names = (*selection.names, *selection.exclude)
    if selection.all_mailboxes:
        boxes = reader.everything(selection.types)
        lookup = reader.resolve(names, boxes)
    else:
        lookup = reader.named(names)
        boxes = list({box.guid: box for box in lookup.found.values()}.values())
    excluded = found_names(lookup, selection.exclude, "exclude", tolerant=False)[0]
    by_name, missing = found_names(lookup, selection.names, "identity", tolerant=selection.tolerant)
    spared = {box.guid for box in excluded.values()}
    both = sorted(name for name, box in by_name.items() if box.guid in spared)
    if both:
        raise InvalidRequest(f"{both[0]!r} is to be managed and excluded at once: take it out of one of the two.")
    scope = [box for box in boxes if box.guid not in spared]
    inside = {box.guid for box in scope}
    # A mailbox that is named stays in the task even if it is not of the types that the others are limited to.
    scope += list({box.guid: box for box in by_name.values() if box.guid not in inside}.values())
    chosen = tuple(box for box in scope if matches(box, selection.where)) if selection.where else tuple(scope)
    return Selected(chosen, by_name, missing, len(scope))


def found_names(
    lookup: Lookup, names: Iterable[str], option: str, *, tolerant: bool
) -> tuple[dict[str, Mailbox], tuple[Missing, ...]]:
    """The mailboxes of these names, and those missing; raises for an ambiguous name, or a missing if not tolerant."""
    names = tuple(dict.fromkeys(names))
    failures = [lookup.failed[name] for name in names if name in lookup.failed]
    stop = next((e for e in failures if isinstance(e, Ambiguous)), None) or (
        failures[0] if failures and not tolerant else None
    )
    if stop is not None:
        others = [error.message for error in failures if error is not stop]
        text = f"{option}: {stop.message}" + (f" Likewise: {' '.join(others[:20])}" if others else "")
        raise type(stop)(
            f"{text} Nothing was changed.",
            hint=stop.hint,
            http_status=stop.http_status,
            cmdlet=stop.cmdlet,
            request_id=stop.request_id,
        )
    missing = tuple(Missing(name, lookup.failed[name].message) for name in names if name in lookup.failed)
    return {name: lookup.found[name] for name in names if name in lookup.found}, missing


def matches(box: Mailbox, where: Mapping[str, t.Any]) -> bool:
    """Whether the mailbox's current settings equal all of these."""
    rows = ((CAS_MAILBOX.row(option), wish) for option, wish in where.items())
    return all(
        row.kind.same(row.kind.target(wish, current), current) for row, wish in rows for current in [row.read(box.wire)]
    )


def parse_where(params: Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    if not params:
        return None
    _only_known(params, set(CAS_MAILBOX.options), "where")
    wishes = CAS_MAILBOX.parse(params, "where: ")
    for option in params:
        if option not in wishes:
            raise InvalidRequest(f"where: {option} is null; write inherit where you mean no value of its own.")
        if isinstance(wishes[option], ListWish) and wishes[option].all_of is None:
            raise InvalidRequest(f"where: {option} takes a whole list here, not add and remove.")
    return wishes


def _only_known(entry: Mapping[str, t.Any], known: set[str], place: str) -> None:
    unknown = sorted(str(key) for key in entry if key not in known)
    if unknown:
        raise InvalidRequest(
            f"{place} has an unknown key {unknown[0]}.", hint="The keys are the names of the module's settings."
        )


def _parse_entries(params: Mapping[str, t.Any], shared: Mapping[str, t.Any]) -> list[Entry]:
    entries = [
        Entry(f"identity[{n}]", name, shared) for n, name in enumerate(given_names("identity", params["identity"]))
    ]
    for number, given in enumerate(params["mailboxes"] or ()):
        place = f"mailboxes[{number}]"
        _only_known(given, _ENTRY_KEYS, place)
        name = str(given.get("identity") or "").strip()
        if not name:
            raise InvalidRequest(f"{place} has no identity.")
        wishes = CAS_MAILBOX.parse(given, f"{place}: ")
        if not wishes:
            raise InvalidRequest(f"{place} ({name}) has no setting.")
        entries.append(Entry(place, name, wishes))
    return entries


def _merge(entries: Sequence[Entry], by_name: Mapping[str, Mailbox]) -> dict[str, dict[str, t.Any]]:
    """What is wished of each mailbox, by GUID; raises InvalidRequest where two entries disagree."""
    merged: dict[str, dict[str, t.Any]] = {}
    origin: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        box = by_name.get(entry.identity)
        if box is None:
            continue
        for option, wish in entry.wishes.items():
            former = origin.setdefault((box.guid, option), entry)
            if former.wishes[option] != wish:
                raise InvalidRequest(
                    f"{former.place} ({former.identity}) and {entry.place} ({entry.identity}) are the same mailbox,"
                    f" {box.label}, and disagree about {option}."
                )
            merged.setdefault(box.guid, {})[option] = wish
    return merged


def converge(task: Task) -> Result:
    """Bring the mailboxes' settings to what the options say."""
    params = task.params
    shared = CAS_MAILBOX.parse(params)
    entries = _parse_entries(params, shared)
    everybody = params["all_mailboxes"]
    where = parse_where(params["where"])
    _check_selection(params, shared, bool(entries))
    if params["max_changes"] is not None:
        parse_limit(params["max_changes"])
    options = {option for entry in entries for option in entry.wishes} | set(shared) | set(where or ())
    client = task.connect()
    reader = Reader(client, sorted(options), task.progress)
    selection = Selection(
        names=tuple(entry.identity for entry in entries),
        all_mailboxes=everybody,
        exclude=given_names("exclude", params["exclude"]),
        types=tuple(params["recipient_type_details"] or ()),
        where=where,
        tolerant=params["lookup_failure_action"] == "warn",
    )
    selected = select(reader, selection)
    own = _merge(entries, selected.by_name)
    base = shared if everybody else {}
    changes = tuple(
        plan_settings(CAS_MAILBOX, box.wire, {**base, **own.get(box.guid, {})}, mailbox=box)
        for box in selected.mailboxes
    )
    plan = Plan(mailboxes=changes, missing=selected.missing, matched=len(changes))
    plan = replace(plan, effect=_organization.smtp_auth_effect(task, client, None, plan.changes))
    announce(task, plan)
    brake(plan, params["max_changes"], selected.scope)
    return carry_out(task, client, plan, only_changes=everybody)


def _check_selection(params: Mapping[str, t.Any], shared: Mapping[str, t.Any], named: bool) -> None:
    everybody = params["all_mailboxes"]
    if everybody and params["identity"]:
        raise InvalidRequest("identity and all_mailboxes exclude each other: use mailboxes for those that differ.")
    for option in ("exclude", "recipient_type_details"):
        if params[option] and not everybody:
            raise InvalidRequest(f"{option} goes with all_mailboxes: true only.")
    if not shared and (everybody or params["identity"]) and not (everybody and named):
        raise InvalidRequest("No setting is given, so there is nothing to manage.")
    if not everybody and params["identity"] is None and params["mailboxes"] is None:
        raise InvalidRequest("Which mailboxes? Give identity, mailboxes or all_mailboxes: true.")


def announce(task: Task, plan: Plan) -> None:
    """The warnings that a plan brings, in check mode too."""
    for missing in plan.missing:
        task.warn(f"{missing.error} It was left out.")
    warning = plan.effect.warning()
    if warning:
        task.warn(warning)


def carry_out(
    task: Task,
    client: Client,
    plan: Plan,
    *,
    only_changes: bool,
    settle: float = 0,
    more: Mapping[str, t.Any] | None = None,
    describe: Callable[[Mapping[str, Value]], t.Any] = dict,
    failure: ExoError | None = None,
) -> Result:
    """Write the plan (not in check mode) and return the whole result; raises it with the failure, if there is one.

    more: what else the result has. describe: how it shows the organization's values.
    failure: a failure of the task for which everything else is still done.
    """
    outcomes = None
    extra: Result = dict(more or {})
    failure = plan.held or failure
    if plan.changed and not task.check_mode:
        if task.params.get("undo_file"):
            extra["undo_file"] = _undo.write(task.params["undo_file"], client.tenant_id, plan)
        patience = _apply.Patience(task.params["wait"], task.params["wait_timeout"], settle)
        outcomes = _apply.apply(client, plan, patience, task.progress)
        failure = outcomes.fatal or plan.held or outcomes.failure() or failure
        late = [outcome.change.label for outcome in outcomes.all if outcome.confirmed is False]
        if late:
            task.warn(_organization.unconfirmed(task, late))
        if outcomes.confirmed is not None and task.params["wait"]:
            extra["confirmed"] = outcomes.confirmed
    if plan.organization:
        extra["organization"] = _results.organization_result(plan, outcomes, describe)
    results = _results.mailbox_results(plan, outcomes, only_changes=only_changes)
    result = _results.bounded(
        {
            "changed": outcomes.changed if outcomes else plan.changed,
            **extra,
            "mailboxes": results,
            "summary": _results.summary(plan, results),
        },
        [*(name for name, value in extra.items() if isinstance(value, list)), "mailboxes"],
    )
    result["diff"] = _results.diff(plan.changes)
    if failure:
        failure.result = {**result, **failure.result}
        raise failure
    return result


def info(task: Task) -> Result:
    """The mailboxes with the settings that were asked for."""
    params = task.params
    unknown = sorted(set(params["properties"] or ()) - set(CAS_MAILBOX.options))
    if unknown:
        raise InvalidRequest(f"properties has {unknown[0]}, which is no setting of a mailbox.")
    if not params["all_mailboxes"] and params["identity"] is None:
        raise InvalidRequest("Which mailboxes? Give identity or all_mailboxes: true.")
    _check_selection({**params, "mailboxes": None}, {SMTP_AUTH: None}, False)
    where = parse_where(params["where"])
    wanted = [option for option in CAS_MAILBOX.options if not params["properties"] or option in params["properties"]]
    # Without properties whole objects are read: what a role hides is then left out instead of failing the task.
    options = {*wanted, *(where or ())} if params["properties"] else None
    reader = Reader(task.connect(), sorted(options) if options is not None else None, task.progress)
    selected = select(
        reader,
        Selection(
            names=given_names("identity", params["identity"]),
            all_mailboxes=params["all_mailboxes"],
            exclude=given_names("exclude", params["exclude"]),
            types=tuple(params["recipient_type_details"] or ()),
            where=where,
            tolerant=params["lookup_failure_action"] == "warn",
        ),
    )
    for missing in selected.missing:
        task.warn(missing.error)
    settings = [_settings(box, wanted) for box in selected.mailboxes]
    boxes = [{**box.identity, "settings": own} for box, own in zip(selected.mailboxes, settings, strict=True)]
    states = [own.get(SMTP_AUTH) for own in settings]
    counts: Result = {"matched": len(boxes)}
    if SMTP_AUTH in wanted and None not in states:
        counts["smtp_auth"] = {
            "enabled": states.count(False),
            "disabled": states.count(True),
            "inherit": states.count(INHERIT),
        }
    whole: Result = {"mailboxes": boxes, "summary": counts}
    if params["dest"]:
        changed = _save(params["dest"], whole, task.check_mode)
        return {"changed": changed, "dest": params["dest"], "summary": counts}
    if len(json.dumps(boxes)) > _results.BUDGET:
        raise Refused(
            f"The settings of {len(boxes)} mailboxes are too much to return: AWX would drop them all.",
            hint="Name a file in dest, or ask for fewer properties.",
            result={"summary": counts},
        )
    return {"changed": False, **whole}


def _settings(box: Mailbox, wanted: Sequence[str]) -> dict[str, Value]:
    settings = {}
    for option in wanted:
        row = CAS_MAILBOX.row(option)
        if row.present(box.wire):
            settings[option] = row.read(box.wire)
    return settings


def _save(path: str, content: Mapping[str, t.Any], check_mode: bool) -> bool:
    """Write the file if its content differs; returns whether it did (or would, in check mode)."""
    text = json.dumps(content, indent=1) + "\n"
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return False
    except (OSError, ValueError):
        pass
    if check_mode:
        return True
    try:
        descriptor, part = tempfile.mkstemp(prefix=".exo-", dir=os.path.dirname(os.path.abspath(path)))  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(part, path)
        except OSError:
            os.unlink(part)
            raise
    except OSError as error:
        raise InvalidRequest(f"dest {path} can't be written: {os.strerror(error.errno or 0)}.") from None
    return True
