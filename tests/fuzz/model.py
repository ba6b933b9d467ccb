# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ought to become of a tenant, worked out from its whole state and the task's options alone."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fuzz.known import EWS_LISTS, EWS_POLICY, FORMATS, MAILBOX, TRANSPORT, Setting

SMTP = "smtp_client_authentication_disabled"
SMTP_WIRE = "SmtpClientAuthenticationDisabled"
# The organization stands beside the mailboxes, which go by their GUIDs.
ORGANIZATION = ""
NDR = "journaling_report_ndr_to"
_DATES = ("WhenChanged", "WhenChangedUTC")
_NAMES = ("Guid", "ExchangeObjectId", "ExternalDirectoryObjectId", "UserPrincipalName", "Alias", "Name", "DisplayName",
          "PrimarySmtpAddress")  # fmt: skip

Objects = dict[str, dict[str, Any]]


def objects(state: Mapping[str, Any]) -> Objects:
    """Organization and mailboxes with all their properties."""
    found = {ORGANIZATION: dict(state["transport_config"])}
    for mailbox in state["mailboxes"]:
        properties = {name: value for name, value in mailbox.items() if name != "effective_smtp_auth"}
        if properties.pop("ActiveSyncMailboxPolicyIsDefaulted"):
            properties["ActiveSyncMailboxPolicy"] = None  # what is shown is only the default's name
        found[mailbox["Guid"]] = properties
    return found


def table(key: str) -> Mapping[str, Setting]:
    return MAILBOX if key else TRANSPORT


def effective(found: Objects) -> dict[str, bool]:
    """Whether SMTP AUTH works, by mailbox: its own word counts, without one the organization's."""
    organization = found[ORGANIZATION][SMTP_WIRE]
    own = {guid: mailbox[SMTP_WIRE] for guid, mailbox in found.items() if guid != ORGANIZATION}
    return {guid: not (organization if value is None else value) for guid, value in own.items()}


# The organization's default authentication policy stands beside the users' own, which go by their GUIDs.
Policies = dict[str, str]


def policies(state: Mapping[str, Any]) -> Policies:
    """Who has which authentication policy; '' for none."""
    own = {user["Guid"]: user["AuthenticationPolicy"] or "" for user in state["users"]}
    return {ORGANIZATION: state["organization_config"]["DefaultAuthenticationPolicy"] or "", **own}


def passes(state: Mapping[str, Any], policy: str) -> bool:
    """Whether an authentication policy lets SMTP through; without one everything passes."""
    switches = {one["Name"]: one.get("AllowBasicAuthSmtp", False) for one in state["authentication_policies"]}
    return not policy or bool(switches[policy])


def works(state: Mapping[str, Any]) -> dict[str, bool]:
    """Whether SMTP AUTH works with a password: the settings and the authentication policy have to let it through."""
    assigned, settings = policies(state), effective(objects(state))
    return {
        guid: enabled and passes(state, assigned[guid] or assigned[ORGANIZATION]) for guid, enabled in settings.items()
    }


def _guids(state: Mapping[str, Any]) -> dict[str, str]:
    """Mailboxes by their addresses."""
    return {box["PrimarySmtpAddress"]: box["Guid"] for box in state["mailboxes"]}


def policies_by_list(state: Mapping[str, Any], options: Mapping[str, Any]) -> Policies:
    """What a list makes of the authentication policies."""
    before, name = policies(state), options.get("authentication_policy")
    if not name:
        return before
    given = dict.fromkeys(_blocked_by_policy(state, options), name)
    taken = dict.fromkeys(_unlisted_with_policy(state, options), "")
    return {**before, **given, **taken}


def _blocked_by_policy(state: Mapping[str, Any], options: Mapping[str, Any]) -> set[str]:
    """Allowed users with a password whom their policies block, under today's default or under the planned one."""
    guids, assigned = _guids(state), policies(state)
    defaults = (assigned[ORGANIZATION], options.get("planned_default_policy") or assigned[ORGANIZATION])
    basic = {guids[entry["identity"]] for entry in options["allowed"] if entry["method"] == "basic"}
    return {guid for guid in basic if not all(passes(state, assigned[guid] or default) for default in defaults)}


def _unlisted_with_policy(state: Mapping[str, Any], options: Mapping[str, Any]) -> set[str]:
    """Users on no list who have the policy that the list gives, unless they are left alone."""
    if options["unlisted"] == "unmanaged":
        return set()
    guids = _guids(state)
    listed = {guids[entry["identity"]] for entry in (*options["allowed"], *options["denied"])}
    having = {guid for guid, own in policies(state).items() if own == options["authentication_policy"]}
    return having - listed - {ORGANIZATION}


def policies_of_users(state: Mapping[str, Any], options: Mapping[str, Any]) -> Policies:
    """What a task on users makes of their authentication policies."""
    guids = _guids(state)
    named = guids if options.get("all_users") else options["identity"]
    chosen = {guids[address] for address in named} - {guids[address] for address in options["exclude"]}
    return {**policies(state), **dict.fromkeys(chosen, options["authentication_policy"])}


def effect(before: Objects, after: Objects) -> tuple[int, int]:
    """(how many mailboxes lose SMTP AUTH, how many gain it)."""
    old, new = effective(before), effective(after)
    return sum(old[guid] and not new[guid] for guid in old), sum(new[guid] and not old[guid] for guid in old)


def differing(before: Objects, after: Objects) -> dict[str, dict[str, tuple[Any, Any]]]:
    """By object and option (before, after) as shown, of what differs."""
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for key, properties in before.items():
        for option, setting in table(key).items():
            was, becomes = properties[setting.wire], after[key][setting.wire]
            if setting.normal(was) != setting.normal(becomes):
                found.setdefault(key, {})[option] = (setting.shown(was), setting.shown(becomes))
    return found


@dataclass
class Outlook:
    """What is to be: ``after``, or a failure with one of these codes before the first write.

    ``ends``: codes of failures with which everything else is still done; ``missing``: how many names are gone.
    """

    before: Objects
    after: Objects
    refused: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)
    missing: int = 0
    matched: int = 0
    effect: tuple[int | None, int | None] = (0, 0)

    @property
    def differing(self) -> dict[str, dict[str, tuple[Any, Any]]]:
        return differing(self.before, self.after)


def settings_after(
    known: Mapping[str, Setting], properties: Mapping[str, Any], desired: Mapping[str, Any], refused: set[str]
) -> dict[str, Any]:
    """The properties with what is desired in place; contradictions that need a write are noted in ``refused``."""
    new = _new_values(known, properties, desired)
    changed = {option for option in desired if known[option].wire in new}
    after = {**properties, **new}
    for switch in _switches(changed):
        if switch in desired and known[switch].becomes(desired[switch], None):
            refused.add("invalid_request")  # the task wants the protocol's defaults, and a format beside them
        after[known[switch].wire] = False
    if _list_without_policy(known, after, changed) or _report_to_nobody(known, after, changed):
        refused.add("invalid_request")
    return after


def _new_values(
    known: Mapping[str, Setting], properties: Mapping[str, Any], desired: Mapping[str, Any]
) -> dict[str, Any]:
    """What is to be written, by property; a value that only looks different stays as it is."""
    found = {}
    for option, given in desired.items():
        setting = known[option]
        current = properties[setting.wire]
        value = setting.becomes(given, current)
        if setting.normal(value) != setting.normal(current):
            found[setting.wire] = value
    return found


def _switches(changed: set[str]) -> list[str]:
    """The protocols' defaults that are switched off, because one of their formats is written."""
    return [switch for switch, formats in FORMATS.items() if changed & formats]


def _list_without_policy(known: Mapping[str, Setting], after: Mapping[str, Any], changed: set[str]) -> bool:
    """Whether entries are written to a list of EWS without the policy that enforces it."""
    filled = [option for option in changed & EWS_LISTS if after[known[option].wire]]
    return bool(filled) and after[known[EWS_POLICY].wire] is None


def _report_to_nobody(known: Mapping[str, Setting], after: Mapping[str, Any], changed: set[str]) -> bool:
    """Whether the address for reports is to be unset, which the service can't."""
    return NDR in changed and after[known[NDR].wire] == "<>"


class Names:
    """Whom a name means. A mailbox has many names, and some are not its own alone."""

    def __init__(self, found: Objects) -> None:
        self._index: dict[str, set[str]] = {}
        for guid, mailbox in found.items():
            for name in _NAMES if guid else ():
                self._index.setdefault(str(mailbox[name]).casefold(), set()).add(guid)

    def resolve(self, names: Iterable[str], tolerant: bool, outlook: Outlook) -> dict[str, str]:
        """GUID by name; failures are noted in the outlook."""
        found = {}
        for name in dict.fromkeys(name.strip() for name in names):
            guids = self._index.get(name.casefold(), set())
            if len(guids) == 1:
                found[name] = next(iter(guids))
            elif guids:
                outlook.refused.add("ambiguous")
            elif tolerant:
                outlook.missing += 1
            else:
                outlook.refused.add("not_found")
        return found


def _limit(limit: Any, scope: int, outlook: Outlook) -> None:
    """The organization is not counted, but 0 refuses its change too."""
    if limit is None:
        return
    number, percent = int(str(limit).strip("% ")), "%" in str(limit)
    allowed = max(10, math.ceil(number * scope / 100)) if percent and number else number
    changes = len(outlook.differing.keys() - {ORGANIZATION})
    if changes > allowed or (number == 0 and outlook.differing):
        outlook.refused.add("refused")


def transport(state: Mapping[str, Any], options: Mapping[str, Any]) -> Outlook:
    before = objects(state)
    outlook = Outlook(before, dict(before))
    desired = {option: given for option, given in options.items() if option in TRANSPORT}
    if not desired:
        outlook.refused.add("invalid_request")
    outlook.after[ORGANIZATION] = settings_after(TRANSPORT, before[ORGANIZATION], desired, outlook.refused)
    flips = outlook.after[ORGANIZATION][SMTP_WIRE] != before[ORGANIZATION][SMTP_WIRE]
    outlook.effect = effect(before, outlook.after)
    if flips and len(before) == 1:  # a tenant without any mailbox is not believed, so nobody knows who loses
        outlook.refused.add("refused")
    return outlook


def mailboxes(state: Mapping[str, Any], options: Mapping[str, Any]) -> Outlook:
    before = objects(state)
    outlook = Outlook(before, dict(before))
    entries, names = _entries(options), Names(before)
    by_name = _named(names, entries, options, outlook)
    scope = _scope(names, set(by_name.values()), options, outlook)
    base = _settings(options) if options.get("all_mailboxes") else {}
    wanted = _wanted(entries, by_name, base, scope, outlook)
    matched = {guid for guid in scope if _matches(before[guid], options.get("where") or {})}
    for guid in matched:
        outlook.after[guid] = settings_after(MAILBOX, before[guid], wanted[guid], outlook.refused)
    outlook.matched = len(matched)
    outlook.effect = effect(before, outlook.after)
    if _nothing_desired(options):
        outlook.refused.add("invalid_request")
    if _opens_by_inheriting(options, outlook):
        outlook.refused.add("refused")
    _limit(options.get("max_changes"), len(scope), outlook)
    return outlook


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among the options of a task, or of one mailbox in it."""
    return {option: given for option, given in options.items() if option in MAILBOX}


def _entries(options: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """(name, what is desired of it) of each mailbox that is named: like the others, or with settings of its own."""
    alike = [(name, _settings(options)) for name in options.get("identity") or ()]
    own = [(entry["identity"], _settings(entry)) for entry in options.get("mailboxes") or ()]
    return [*alike, *own]


def _nothing_desired(options: Mapping[str, Any]) -> bool:
    """Whether mailboxes are chosen, and no setting is given for them."""
    everybody_alike = options.get("all_mailboxes") and not options.get("mailboxes")
    return not _settings(options) and bool(options.get("identity") or everybody_alike)


def _named(
    names: Names, entries: Sequence[tuple[str, Mapping[str, Any]]], options: Mapping[str, Any], outlook: Outlook
) -> dict[str, str]:
    """GUID by name of the mailboxes that are to change by name."""
    # Beside all mailboxes a typing mistake would change the very one that the entry protects.
    tolerant = options.get("lookup_failure_action") == "warn" and not options.get("all_mailboxes")
    return names.resolve((name for name, _desired in entries), tolerant, outlook)


def _scope(names: Names, named: set[str], options: Mapping[str, Any], outlook: Outlook) -> set[str]:
    """The mailboxes that the task is about: all but the excluded, where it is about all, and those named."""
    everybody = _everybody(outlook.before, options)
    excluded = set(names.resolve(options.get("exclude") or (), False, outlook).values())
    if options.get("all_mailboxes") and not everybody:
        outlook.refused.add("incomplete_read")
    if excluded & named:
        outlook.refused.add("invalid_request")
    return (everybody - excluded) | named


def _everybody(found: Objects, options: Mapping[str, Any]) -> set[str]:
    """All mailboxes, of the types that are asked for; nobody, where the task is not about all."""
    if not options.get("all_mailboxes"):
        return set()
    types = options.get("recipient_type_details")
    return {guid for guid, box in found.items() if guid and (not types or box["RecipientTypeDetails"] in types)}


def _opens_by_inheriting(options: Mapping[str, Any], outlook: Outlook) -> bool:
    """Whether a task on all mailboxes takes their own values from them where the organization is open."""
    asked = bool(options.get("all_mailboxes")) and options.get(SMTP) == "inherit"
    is_open = not outlook.before[ORGANIZATION][SMTP_WIRE]
    changes = _own_changes(outlook.before, outlook.after)
    return asked and is_open and any(new is None and old is not None for old, new in changes)


def _own_changes(before: Objects, after: Objects) -> list[tuple[Any, Any]]:
    """Each mailbox's own value for SMTP AUTH, before and after."""
    return [(box[SMTP_WIRE], after[guid][SMTP_WIRE]) for guid, box in before.items() if guid]


def _matches(mailbox: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    current = ((MAILBOX[option], given, mailbox[MAILBOX[option].wire]) for option, given in where.items())
    return all(
        setting.normal(setting.becomes(given, value)) == setting.normal(value) for setting, given, value in current
    )


def _wanted(
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    by_name: Mapping[str, str],
    base: Mapping[str, Any],
    scope: set[str],
    outlook: Outlook,
) -> dict[str, dict[str, Any]]:
    own: dict[str, dict[str, Any]] = {guid: {} for guid in scope}
    for name, desired in entries:
        guid = by_name.get(name.strip())
        for option, given in desired.items() if guid else ():
            former = own[str(guid)].setdefault(option, given)
            if not _same_desired(MAILBOX[option], former, given):
                outlook.refused.add("invalid_request")
    return {guid: {**base, **desired} for guid, desired in own.items()}


def _same_desired(setting: Setting, one: Any, other: Any) -> bool:
    if setting.entries:
        return _list_parts(one) == _list_parts(other)
    return bool(setting.becomes(one, None) == setting.becomes(other, None))


def _list_parts(given: Any) -> tuple[Any, ...]:
    parts = {"set": given} if isinstance(given, list) else given
    return (parts.get("set"), parts.get("add") or [], parts.get("remove") or [])


@dataclass(frozen=True)
class Entry:
    """A mailbox under ``allowed`` or ``denied``. ``last``: the last day on which the entry counts."""

    name: str
    denied: bool
    last: datetime.date | None

    def contradicts(self, other: Entry) -> bool:
        return (self.denied, self.last) != (other.denied, other.last)


@dataclass(frozen=True)
class Lists:
    """What a task says of SMTP AUTH. ``was``, ``becomes``: whether the organization has it disabled."""

    entries: Sequence[Entry]
    unlisted: str
    revoke: bool
    today: datetime.date
    was: bool
    becomes: bool

    @property
    def closes(self) -> bool:
        return self.becomes and not self.was

    @property
    def opens(self) -> bool:
        return self.was and not self.becomes

    def over(self, entry: Entry) -> bool:
        return entry.last is not None and entry.last < self.today

    def revoked(self, entry: Entry) -> bool:
        return self.revoke and self.over(entry)


def smtp_auth(state: Mapping[str, Any], options: Mapping[str, Any], today: datetime.date) -> Outlook:
    before = objects(state)
    outlook = Outlook(before, dict(before), matched=len(before) - 1)
    lists = _lists(options, before[ORGANIZATION][SMTP_WIRE], today)
    _refuse(lists, options, outlook)
    by_name = _named_in_lists(lists, options, outlook)
    listed = _listed(lists, by_name, outlook)
    lost = [entry for entry in lists.entries if entry.name not in by_name and not lists.revoked(entry)]
    # An allowed mailbox that can't be found may be any of those that seem to be on no list.
    cautious = replace(lists, unlisted="unmanaged") if _allowed(lost) else lists
    outlook.after = _as_listed(cautious, before, listed)
    if not lists.revoke and any(lists.over(entry) for entry in lists.entries):
        outlook.ends.add("expired")
    if _blocks(lists, lost):
        outlook.ends |= {"not_found", "partial_failure"}
        outlook.after = _without_organization(before, outlook.after)
    outlook.effect = effect(before, outlook.after)
    _limit(options.get("max_changes"), outlook.matched, outlook)
    return outlook


def _lists(options: Mapping[str, Any], was: bool, today: datetime.date) -> Lists:
    organization = options.get("organization")
    return Lists(
        entries=[*_entries_of(options, "allowed"), *_entries_of(options, "denied")],
        unlisted=options.get("unlisted", "unmanaged"),
        revoke=options.get("expired") == "revoke",
        today=today,
        was=was,
        becomes=was if organization is None else organization == "disabled",
    )


def _entries_of(options: Mapping[str, Any], option: str) -> list[Entry]:
    found = []
    for entry in options.get(option) or ():
        last = datetime.date.fromisoformat(str(entry["expires"])) if entry.get("expires") else None
        found.append(Entry(entry["identity"].strip(), option == "denied", last))
    return found


def _allowed(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.denied]


def _refuse(lists: Lists, options: Mapping[str, Any], outlook: Outlook) -> None:
    """What is refused whatever the names in the lists mean."""
    if _nothing_said(lists, options):
        outlook.refused.add("invalid_request")
    if _closes_with_nobody_allowed(lists) and not options.get("allow_empty"):
        outlook.refused.add("refused")
    if not outlook.matched:
        outlook.refused.add("incomplete_read")
    if lists.unlisted == "inherit" and not lists.becomes:
        outlook.refused.add("refused")  # in an open organization that would open everybody on no list


def _nothing_said(lists: Lists, options: Mapping[str, Any]) -> bool:
    given = [option for option in ("organization", "allowed", "denied") if options.get(option) is not None]
    return lists.unlisted == "unmanaged" and not given


def _closes_with_nobody_allowed(lists: Lists) -> bool:
    """Whether mailboxes on no list may be closed while nobody is allowed any more."""
    in_force = [entry for entry in _allowed(lists.entries) if not lists.revoked(entry)]
    return (lists.closes or lists.unlisted != "unmanaged") and not in_force


def _named_in_lists(lists: Lists, options: Mapping[str, Any], outlook: Outlook) -> dict[str, str]:
    """GUID by name; a name that is gone is missing in each list that it is on."""
    names, tolerant = Names(outlook.before), options.get("lookup_failure_action") == "warn"
    allowed = names.resolve((entry.name for entry in lists.entries if not entry.denied), tolerant, outlook)
    denied = names.resolve((entry.name for entry in lists.entries if entry.denied), tolerant, outlook)
    return {**allowed, **denied}


def _listed(lists: Lists, by_name: Mapping[str, str], outlook: Outlook) -> dict[str, Entry]:
    """The entry of each mailbox that is on a list; two that say different things of it are refused."""
    listed: dict[str, Entry] = {}
    for entry in lists.entries:
        if entry.name in by_name:
            former = listed.setdefault(by_name[entry.name], entry)
            if former.contradicts(entry):
                outlook.refused.add("invalid_request")
    return listed


def _blocks(lists: Lists, lost: Sequence[Entry]) -> bool:
    """Whether a listed mailbox that can't be found keeps the organization and those on no list as they are."""
    if _allowed(lost) and (lists.closes or lists.unlisted != "unmanaged"):
        return True
    return lists.opens and any(entry.denied for entry in lost)


def _as_listed(lists: Lists, before: Objects, listed: Mapping[str, Entry]) -> Objects:
    """Organization and mailboxes as the lists want them."""
    after = {ORGANIZATION: {**before[ORGANIZATION], SMTP_WIRE: lists.becomes}}
    for guid, mailbox in before.items():
        if guid != ORGANIZATION:
            after[guid] = {**mailbox, SMTP_WIRE: _own_value(lists, mailbox[SMTP_WIRE], listed.get(guid))}
    return after


def _own_value(lists: Lists, own: bool | None, entry: Entry | None) -> bool | None:
    """A mailbox's own value after the task: by its entry, as long as that counts, otherwise as one on no list."""
    if entry is not None and not lists.revoked(entry):
        return entry.denied
    if entry is not None and own == entry.denied and lists.unlisted != "disabled":
        return None  # a revoked entry leaves nothing of itself behind
    return _unlisted_value(lists.unlisted, own)


def _unlisted_value(unlisted: str, own: bool | None) -> bool | None:
    not_enabled = None if own is False else own
    return {"unmanaged": own, "not_enabled": not_enabled, "inherit": None, "disabled": True}[unlisted]


def _without_organization(before: Objects, after: Objects) -> Objects:
    """The organization waits, and so does each mailbox that would be left with its value."""
    waiting = {key for key, one in after.items() if key == ORGANIZATION or one[SMTP_WIRE] is None}
    return {key: before[key] if key in waiting else one for key, one in after.items()}


def unchanged(before: Objects, after: Objects) -> None:
    assert before == after, f"changed: {_difference(before, after)}"


def _difference(one: Objects, other: Objects) -> dict[str, Any]:
    found = {}
    for key in one.keys() & other.keys():
        for name, value in one[key].items():
            if other[key].get(name) != value:
                found[f"{key}.{name}"] = (value, other[key].get(name))
    return found


def assert_reached(outlook: Outlook, after: Objects) -> None:
    """Everything is as the model says, and what the model leaves alone is untouched to the letter."""
    assert outlook.before.keys() == after.keys()
    for key, properties in outlook.before.items():
        wanted = outlook.after[key]
        touched = key in outlook.differing
        by_wire = {setting.wire: setting for setting in table(key).values()}
        for name, was in properties.items():
            if name in _DATES:
                assert touched or after[key][name] == was, f"{key} was written"
            elif name in by_wire and by_wire[name].normal(wanted[name]) != by_wire[name].normal(was):
                assert by_wire[name].normal(after[key][name]) == by_wire[name].normal(wanted[name]), (key, name)
            else:
                assert after[key][name] == was, f"{key}.{name} was {was!r}, is {after[key][name]!r}, is not managed"


def assert_between(outlook: Outlook, after: Objects) -> None:
    """Whatever failed on the way: each property is as it was or as it should be."""
    for key, properties in outlook.before.items():
        by_wire = {setting.wire: setting for setting in table(key).values()}
        for name, was in properties.items():
            value = after[key][name]
            if name in by_wire:
                normal = by_wire[name].normal
                assert normal(value) in (normal(was), normal(outlook.after[key][name])), (key, name, was, value)
            elif name not in _DATES:
                assert value == was, (key, name, was, value)


def assert_restored(before: Objects, after: Objects, *, kept: frozenset[str] = frozenset()) -> None:
    """Exactly the former state; [] and null are the same empty list. ``kept``: what can't be unset."""
    for key, properties in before.items():
        for name, was in properties.items():
            if name not in _DATES and name not in kept:
                now = after[key][name]
                assert now == was or (now in (None, []) and was in (None, [])), (
                    f"{key}.{name} was {was!r}, is {now!r} after the restore"
                )


def assert_in_one_step(history: Sequence[Mapping[str, Any]], before: Objects, after: Objects) -> None:
    """No mailbox has in any moment an effective SMTP AUTH that is neither its old nor its new one."""
    old, new = effective(before), effective(after)
    steps: dict[str, list[tuple[bool, bool]]] = {}
    for entry in history:
        for guid, change in entry["changes"].items():
            steps.setdefault(guid, []).append((change["from"], change["to"]))
    for guid, taken in steps.items():
        assert taken == [(old[guid], new[guid])] and old[guid] != new[guid], f"{guid}: {taken}"
