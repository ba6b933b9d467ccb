# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ought to become of a tenant, worked out from its whole state and the task's options alone."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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


def policies_by_list(state: Mapping[str, Any], options: Mapping[str, Any]) -> Policies:
    """What a list makes of the authentication policies."""
    before, name = policies(state), options.get("authentication_policy")
    if not name:
        return before
    guids = {box["PrimarySmtpAddress"]: box["Guid"] for box in state["mailboxes"]}
    coming = options.get("planned_default_policy") or before[ORGANIZATION]
    after = dict(before)
    for entry in options["allowed"]:
        own = before[guids[entry["identity"]]]
        let_through = all(passes(state, own or default) for default in (before[ORGANIZATION], coming))
        if entry["method"] == "basic" and not let_through:
            after[guids[entry["identity"]]] = name
    listed = {guids[entry["identity"]] for entry in (*options["allowed"], *options["denied"])}
    if options["unlisted"] != "unmanaged":
        taken = {guid for guid, own in before.items() if guid and own == name and guid not in listed}
        after.update(dict.fromkeys(taken, ""))
    return after


def policies_of_users(state: Mapping[str, Any], options: Mapping[str, Any]) -> Policies:
    """What a task on users makes of their authentication policies."""
    guids = {box["PrimarySmtpAddress"]: box["Guid"] for box in state["mailboxes"]}
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
    after = dict(properties)
    for option, given in desired.items():
        setting = known[option]
        value = setting.becomes(given, properties[setting.wire])
        if setting.normal(value) != setting.normal(properties[setting.wire]):
            after[setting.wire] = value
    changed = {option for option in desired if after[known[option].wire] != properties[known[option].wire]}
    for switch, formats in FORMATS.items():
        if changed & formats:
            if switch in desired and known[switch].becomes(desired[switch], None):
                refused.add("invalid_request")
            after[known[switch].wire] = False
    for option in changed & EWS_LISTS:
        if after[known[option].wire] and after[known[EWS_POLICY].wire] is None:
            refused.add("invalid_request")
    if NDR in changed and after[known[NDR].wire] == "<>":
        refused.add("invalid_request")
    return after


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
    names, tolerant = Names(before), options.get("lookup_failure_action") == "warn"
    everybody = bool(options.get("all_mailboxes"))
    shared = {option: given for option, given in options.items() if option in MAILBOX}
    entries = [(name, shared) for name in options.get("identity") or ()]
    entries += [
        (e["identity"], {o: v for o, v in e.items() if o != "identity"}) for e in options.get("mailboxes") or ()
    ]
    if not shared and (options.get("identity") or (everybody and not entries)):
        outlook.refused.add("invalid_request")
    excluded = set(names.resolve(options.get("exclude") or (), False, outlook).values())
    # Beside all mailboxes a typing mistake would change the very one that the entry protects.
    by_name = names.resolve((name for name, _desired in entries), tolerant and not everybody, outlook)
    types = options.get("recipient_type_details")
    scope = {g for g, box in before.items() if g and everybody and (not types or box["RecipientTypeDetails"] in types)}
    if everybody and not scope:
        outlook.refused.add("incomplete_read")
    if excluded & set(by_name.values()):
        outlook.refused.add("invalid_request")
    scope = (scope - excluded) | set(by_name.values())
    where = options.get("where") or {}
    matched = {guid for guid in scope if _matches(before[guid], where)}
    wanted = _wanted(entries, by_name, shared if everybody else {}, scope, outlook)
    for guid in matched:
        outlook.after[guid] = settings_after(MAILBOX, before[guid], wanted[guid], outlook.refused)
    outlook.matched = len(matched)
    outlook.effect = effect(before, outlook.after)
    released = any(new is None and old is not None for old, new in _own_changes(before, outlook.after))
    if everybody and options.get(SMTP) == "inherit" and released and not before[ORGANIZATION][SMTP_WIRE]:
        outlook.refused.add("refused")
    _limit(options.get("max_changes"), len(scope), outlook)
    return outlook


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


def smtp_auth(state: Mapping[str, Any], options: Mapping[str, Any], today: datetime.date) -> Outlook:
    before = objects(state)
    outlook = Outlook(before, dict(before), matched=len(before) - 1)
    unlisted, revoke = options.get("unlisted", "unmanaged"), options.get("expired") == "revoke"
    desired = options.get("organization")
    entries = [(option == "denied", entry) for option in ("allowed", "denied") for entry in options.get(option) or ()]
    _check_policy(options, entries, unlisted, outlook)
    in_force = [e for denied, e in entries if not denied and not (revoke and _over(e, today))]
    closes = desired == "disabled" and not before[ORGANIZATION][SMTP_WIRE]
    if (closes or unlisted != "unmanaged") and not in_force and not options.get("allow_empty"):
        outlook.refused.add("refused")
    if not outlook.matched:
        outlook.refused.add("incomplete_read")
    was = before[ORGANIZATION][SMTP_WIRE]
    becomes = was if desired is None else desired == "disabled"
    if unlisted == "inherit" and not becomes:
        outlook.refused.add("refused")
    names, tolerant = Names(before), options.get("lookup_failure_action") == "warn"
    by_name: dict[str, str] = {}
    for option in ("allowed", "denied"):
        by_name |= names.resolve((e["identity"] for e in options.get(option) or ()), tolerant, outlook)
    listed, lost = _listed(entries, by_name, revoke, today, outlook)
    blocked = _blocks(lost, was, becomes, unlisted)
    if False in lost:
        unlisted = "unmanaged"  # one of them may be the very mailbox that can't be found
    planned = dict(before)
    planned[ORGANIZATION] = {**before[ORGANIZATION], SMTP_WIRE: becomes}
    for guid, mailbox in before.items():
        if guid:
            value = _own_value(mailbox[SMTP_WIRE], listed.get(guid), unlisted, revoke, today)
            planned[guid] = {**mailbox, SMTP_WIRE: value}
    if blocked:
        outlook.ends |= {"not_found", "partial_failure"}
        # What would have come with the organization, or after it, waits.
        planned = {key: before[key] if key == "" or box[SMTP_WIRE] is None else box for key, box in planned.items()}
    outlook.after = planned
    outlook.effect = effect(before, planned)
    _limit(options.get("max_changes"), len(before) - 1, outlook)
    return outlook


def _listed(
    entries: Sequence[tuple[bool, Mapping[str, Any]]],
    by_name: Mapping[str, str],
    revoke: bool,
    today: datetime.date,
    outlook: Outlook,
) -> tuple[dict[str, tuple[bool, str | None]], set[bool]]:
    """What the lists say of each mailbox, and whether one of those allowed (False) or denied (True) can't be found."""
    listed: dict[str, tuple[bool, str | None]] = {}
    lost: set[bool] = set()
    for denied, entry in entries:
        guid, last = by_name.get(entry["identity"].strip()), entry.get("expires") or None
        over = _over(entry, today)
        if over and not revoke:
            outlook.ends.add("expired")
        if guid is None:
            lost |= {denied} if not (over and revoke) else set()
        elif listed.setdefault(guid, (denied, last)) != (denied, last):
            outlook.refused.add("invalid_request")
    return listed, lost


def _over(entry: Mapping[str, Any], today: datetime.date) -> bool:
    last = entry.get("expires")
    return bool(last) and datetime.date.fromisoformat(str(last)) < today


def _blocks(lost: set[bool], was: bool, becomes: bool, unlisted: str) -> bool:
    """Whether a listed mailbox that can't be found keeps the organization and those on no list as they are."""
    closes, opens = becomes and not was, was and not becomes
    return (False in lost and (closes or unlisted != "unmanaged")) or (True in lost and opens)


def _check_policy(options: Mapping[str, Any], entries: Sequence[Any], unlisted: str, outlook: Outlook) -> None:
    nothing = unlisted == "unmanaged" and all(options.get(o) is None for o in ("organization", "allowed", "denied"))
    if nothing and not entries:
        outlook.refused.add("invalid_request")


def _own_value(
    own: bool | None, entry: tuple[bool, str | None] | None, unlisted: str, revoke: bool, today: datetime.date
) -> bool | None:
    if entry is not None:
        denied, last = entry
        if not (revoke and last and datetime.date.fromisoformat(last) < today):
            return denied
        if unlisted != "disabled" and own == denied:
            return None  # a revoked entry leaves nothing of itself behind
    if unlisted == "not_enabled":
        return None if own is False else own
    return {"unmanaged": own, "inherit": None, "disabled": True}[unlisted]


def unchanged(before: Objects, after: Objects) -> None:
    assert before == after, f"changed: {_difference(before, after)}"


def _difference(one: Objects, other: Objects) -> dict[str, Any]:
    return {
        f"{key}.{name}": (value, other[key].get(name))
        for key, properties in one.items()
        for name, value in properties.items()
        if key in other and other[key].get(name) != value
    }


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
