# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of SMTP AUTH: who may use it, in one read and one plan. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import SMTP_AUTH_POLICY
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import converge as converge_plan
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Move, effect, smtp_auth_enabled
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    Expired,
    InvalidRequest,
    NotFound,
    Refused,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import (
    Listed,
    Plan,
    in_turn,
    ordered,
    parse_limits,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader, read_single
from ansible_collections.m365.exchange_online.plugins.module_utils._selection import (
    found_names,
    given_names,
    identity_of,
    only_known,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
    USER,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import SAMPLE, counted, listed

if t.TYPE_CHECKING:  # few tasks need these, so the others do not wait for them
    from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
    from ansible_collections.m365.exchange_online.plugins.module_utils._policies_of_list import Policies
    from ansible_collections.m365.exchange_online.plugins.module_utils._usage_gate import UsageGate

ARGUMENT_SPEC: Mapping[str, t.Any] = SMTP_AUTH_POLICY
WARN_DAYS = 30
_RECORD = ("reason", "owner", "ticket", "expires")
METHODS = ("basic", "oauth")
_WORDS = {True: "disabled", False: "enabled"}
# What becomes of the own value of a mailbox on no list.
_UNLISTED: Mapping[str, Callable[[Value], Value]] = {
    "unmanaged": lambda value: value,
    "not_enabled": lambda value: INHERIT if value is False else value,
    "inherit": lambda value: INHERIT,
    "disabled": lambda value: True,
}


@dataclass(frozen=True)
class Exemption:
    """One entry of a list. ``last_day``: it still counts; None: no end. ``method``: how the device signs in."""

    option: str
    position: int
    identity: str
    record: Mapping[str, str]
    last_day: datetime.date | None
    method: str = "basic"

    @property
    def place(self) -> str:
        return f"{self.option}[{self.position}]"

    @property
    def desired(self) -> bool:
        """The mailbox's own value: SmtpClientAuthenticationDisabled is false for those allowed."""
        return self.option == "denied"

    def over(self, today: datetime.date) -> bool:
        return self.last_day is not None and self.last_day < today

    def near(self, today: datetime.date) -> bool:
        return self.last_day is not None and 0 <= (self.last_day - today).days < WARN_DAYS

    def result(self) -> dict[str, str]:
        return {"identity": self.identity, **self.record}


@dataclass(frozen=True)
class Policy:
    """What the task's options say.

    organization: the desired SmtpClientAuthenticationDisabled, None: not managed. revoke: expired entries end.
    delay: seconds between the last change of a listed mailbox and the organization being closed.
    """

    organization: bool | None
    entries: tuple[Exemption, ...]
    unlisted: str = "unmanaged"
    revoke: bool = False
    allow_empty: bool = False
    delay: int = 0

    def over(self, today: datetime.date) -> list[Exemption]:
        return [entry for entry in self.entries if entry.over(today)]

    def near(self, today: datetime.date) -> list[Exemption]:
        return [entry for entry in self.entries if entry.near(today)]

    def in_force(self, option: str, today: datetime.date) -> list[Exemption]:
        """The entries of a list that count: all but the expired ones that are revoked."""
        own = [entry for entry in self.entries if entry.option == option]
        return [entry for entry in own if not (self.revoke and entry.over(today))]

    def allows_nobody(self, today: datetime.date) -> bool:
        """Whether nobody is allowed, and the task does not say that this is meant."""
        return not self.allow_empty and not self.in_force("allowed", today)


def parse(params: Mapping[str, t.Any], today: datetime.date) -> Policy:
    """The policy of a task's options; raises InvalidRequest or Refused for one that must not be acted on."""
    entries = (*_entries("allowed", params["allowed"]), *_entries("denied", params["denied"]))
    _check(params)
    policy = Policy(
        None if params["organization"] is None else params["organization"] == "disabled",
        entries,
        params["unlisted"],
        params["expired"] == "revoke",
        params["allow_empty"],
        params["propagation_delay"],
    )
    if policy.unlisted != "unmanaged" and policy.allows_nobody(today):
        raise _nobody_allowed(f"unlisted is {policy.unlisted}")
    return policy


def _check(params: Mapping[str, t.Any]) -> None:
    """Refuse a task that manages nothing."""
    given = any(params[option] is not None for option in ("organization", "allowed", "denied"))
    if not given and params["unlisted"] == "unmanaged":
        raise InvalidRequest("Nothing is given to manage: set organization, allowed, denied or unlisted.")


def _nobody_allowed(why: str) -> Refused:
    return Refused(
        f"No mailbox is allowed and {why}: that would take SMTP AUTH from everybody who has it. Nothing was changed.",
        hint="A variable that came out empty looks like this. If it is meant, set allow_empty: true.",
    )


def _entries(option: str, given: Sequence[t.Any] | None) -> list[Exemption]:
    return [_entry(option, position, entry) for position, entry in enumerate(given or ())]


def _entry(option: str, position: int, given: t.Any) -> Exemption:
    place = f"{option}[{position}]"
    if isinstance(given, str):
        given = {"identity": given}
    if not isinstance(given, Mapping):
        raise InvalidRequest(f"{place} has to be an address, or a dictionary with identity.")
    only_known(given, ["identity", "method", *_RECORD], place)
    identity = identity_of(given, place)
    method = str(given.get("method") or "basic").lower()
    if method not in METHODS:
        raise InvalidRequest(f"{place} ({identity}): method has to be basic or oauth, it is {given['method']!r}.")
    record = {name: str(given[name]) for name in _RECORD if given.get(name) not in (None, "")}
    last_day = None
    if "expires" in record:
        try:
            # Python 3.11 would take other forms of ISO 8601, too, and 3.10 not.
            last_day = datetime.datetime.strptime(record["expires"], "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no zone)
        except ValueError:
            raise InvalidRequest(
                f"{place} ({identity}): expires has to be a date such as 2027-03-31, it is {record['expires']!r}."
            ) from None
    return Exemption(option, position, identity, record, last_day, method)


def assign(entries: Sequence[Exemption], found: Mapping[str, Record]) -> dict[str, Exemption]:
    """The entry that counts for each mailbox, by GUID; raises InvalidRequest where two disagree."""
    by_key: dict[str, Exemption] = {}
    for entry in entries:
        box = found.get(entry.identity)
        if box is None:
            continue
        former = by_key.setdefault(box.key, entry)
        if (former.desired, former.last_day, former.method) != (entry.desired, entry.last_day, entry.method):
            raise InvalidRequest(
                f"{former.place} ({former.identity}) and {entry.place} ({entry.identity}) are the same mailbox,"
                f" {box.label}, and disagree."
            )
    return by_key


def desired(own: Value, entry: Exemption | None, policy: Policy, today: datetime.date) -> Value:
    """The mailbox's value under the policy; its own value where the policy does not care."""
    if entry is not None and not (policy.revoke and entry.over(today)):
        return entry.desired
    value = _UNLISTED[policy.unlisted](own)
    # A revoked entry has no claim on its value left, even where the unlisted keep theirs.
    kept = entry is not None and policy.unlisted != "disabled" and value == own == entry.desired
    return INHERIT if kept else value


@dataclass(frozen=True)
class Read:
    """What was read for a policy. found: each listed name's mailbox. excluded: GUIDs to leave alone.

    policies: the gate of authentication policies, where the task is to open and close that as well.
    spared: the mailbox of each name in ``exclude``.
    """

    organization: Record
    boxes: Sequence[Record]
    found: Mapping[str, Record]
    missing: Sequence[Missing] = ()
    excluded: frozenset[str] = frozenset()
    policies: Policies | None = None
    spared: Mapping[str, Record] = field(default_factory=dict)

    def in_scope(self) -> list[Record]:
        known = {box.key: box for box in (*self.boxes, *self.found.values())}
        return [box for key, box in known.items() if key not in self.excluded]

    def reached(self) -> list[Record]:
        """The mailboxes that may gain or lose: those in scope, and excluded ones that follow the organization."""
        spared = [box for box in self.boxes if box.key in self.excluded]
        return [*self.in_scope(), *(box for box in spared if box.read(SMTP_AUTH) == INHERIT)]


def make_plan(policy: Policy, read: Read, today: datetime.date) -> Plan:
    """The plan of a policy, from what was read; raises where it must not be acted on."""
    organization = _organization_change(policy, read.organization, today)
    lost = _lost(policy, "allowed", read.missing, today)
    # A listed mailbox that can't be found may be there under another name, and would count as unlisted.
    acting = replace(policy, unlisted="unmanaged") if lost else policy
    by_key = assign(policy.entries, read.found)
    scope = read.in_scope()
    values = {box.key: desired(box.read(SMTP_AUTH), by_key.get(box.key), acting, today) for box in scope}
    changes = _mailbox_changes(scope, by_key, values)
    blocked_by = _blocked_by(policy, organization, read, today)
    reached = read.reached()
    moves = _moves(reached, values, organization, blocked=blocked_by is not None)
    opening, closing = _assigned(policy, read, today), _released(acting, read, today)
    users = in_turn(opening, closing, effect(moves))
    if read.policies is not None:
        moves = read.policies.judged(moves, reached, opening if blocked_by else [*opening, *closing])
    phases = ordered(
        [organization, *changes],
        _listed(policy, read.found, today),
        unlisted={change.target.place for change in changes if change.target.key not in by_key},
        delay=policy.delay,
        blocked_by=blocked_by,
        users=users,
    )
    considered = (organization, *changes, *opening, *closing)
    return Plan(phases, considered, tuple(read.missing), len(scope), effect(moves), blocked_by)


def _organization_change(policy: Policy, organization: Record, today: datetime.date) -> Change:
    """What becomes of the organization; raises Refused where that would let everybody in, or nobody."""
    wanted = organization.read(SMTP_AUTH) if policy.organization is None else policy.organization
    change = plan_change(organization, {SMTP_AUTH: wanted})
    if policy.unlisted == "inherit" and not wanted:
        raise Refused(
            "unlisted: inherit would give SMTP AUTH to everybody, because the organization is open. Nothing was"
            " changed.",
            hint="Set organization: disabled as well, or use unlisted: not_enabled or disabled.",
        )
    if change.turns(SMTP_AUTH, True) and policy.allows_nobody(today):
        raise _nobody_allowed("this task closes the organization")
    return change


def _mailbox_changes(
    scope: Sequence[Record], by_key: Mapping[str, Exemption], values: Mapping[str, Value]
) -> list[Change]:
    """The changes of the mailboxes on a list, and of those on none whose value has to become another."""
    considered = [box for box in scope if box.key in by_key or values[box.key] != box.read(SMTP_AUTH)]
    return [plan_change(box, {SMTP_AUTH: values[box.key]}) for box in considered]


def _assigned(policy: Policy, read: Read, today: datetime.date) -> list[Change]:
    """The users that get the authentication policy of the list."""
    if read.policies is None:
        return []
    changes = [read.policies.assign(box) for box in _basic(policy, read, today)]
    return [change for change in changes if change]


def _released(acting: Policy, read: Read, today: datetime.date) -> list[Change]:
    """The users that lose it. acting: the policy as far as it may act on the unlisted."""
    if read.policies is None or acting.unlisted == "unmanaged":
        return []
    in_force = {entry.identity for entry in (*acting.in_force("allowed", today), *acting.in_force("denied", today))}
    kept = read.excluded | {box.key for name, box in read.found.items() if name in in_force}
    return [read.policies.release(user) for user in read.policies.holders if user.key not in kept]


def _moves(boxes: Sequence[Record], values: Mapping[str, Value], organization: Change, *, blocked: bool) -> list[Move]:
    """What becomes of each mailbox.

    values: its own one under the policy, where that cares. A blocked plan leaves the organization, and whoever would
    follow it, as they are.
    """
    was, becomes = organization.before[SMTP_AUTH], organization.after[SMTP_AUTH]
    if blocked:
        becomes = was
    moves = []
    for box in boxes:
        own = box.read(SMTP_AUTH)
        value = values.get(box.key, own)
        after = own if blocked and value == INHERIT else value
        moves.append(Move(box.target, smtp_auth_enabled(own, was), smtp_auth_enabled(after, becomes)))
    return moves


def _listed(policy: Policy, found: Mapping[str, Record], today: datetime.date) -> Listed:
    def targets(option: str) -> tuple[t.Any, ...]:
        records = [found[entry.identity] for entry in policy.in_force(option, today) if entry.identity in found]
        return tuple({record.key: record.target for record in records}.values())

    return Listed(targets("allowed"), targets("denied"))


def _lost(policy: Policy, option: str, missing: Sequence[Missing], today: datetime.date) -> list[str]:
    """The names in a list that no mailbox has, but for those that are revoked anyway."""
    gone = {one.identity for one in missing}
    return [entry.identity for entry in policy.in_force(option, today) if entry.identity in gone]


def _blocked_by(policy: Policy, organization: Change, read: Read, today: datetime.date) -> ExoError | None:
    """Why a part of the plan waits: listed mailboxes are gone that the rest of the plan could cut off or expose."""
    allowed = _lost(policy, "allowed", read.missing, today)
    if allowed and (organization.turns(SMTP_AUTH, True) or policy.unlisted != "unmanaged"):
        return _not_found(allowed, "allowed", "cut a device off")
    denied = _lost(policy, "denied", read.missing, today)
    if denied and organization.turns(SMTP_AUTH, False):
        return _not_found(denied, "denied", "leave a mailbox open")
    return None


def _not_found(lost: Sequence[str], option: str, risk: str) -> NotFound:
    return NotFound(
        f"{listed(lost)} in {option} can't be found. So the organization and the mailboxes on no list are left as they"
        f" are, because a typing mistake in the list would {risk}.",
        hint=f"Correct the entry or take it out of {option}.",
    )


def usage_gate(params: Mapping[str, t.Any], today: datetime.date) -> UsageGate | None:
    """What stops the plan where a mailbox that it cuts off is in use; None where the task asks for no gate."""
    days, report = params["require_unused_days"], params["usage_report"]
    if days is not None:
        # Only here: the log, the report's reader and the verdict are a fifth of what a task would load.
        from ansible_collections.m365.exchange_online.plugins.module_utils._usage_gate import parse_gate

        return parse_gate(days, report, today)
    for option in ("accept_cutoff", "usage_report"):
        if params[option]:
            raise InvalidRequest(f"{option} goes with require_unused_days only.")
    return None


def converge(task: Task) -> Result:
    """Bring the organization and its mailboxes to what the policy says."""
    params = task.params
    today = datetime.datetime.now(datetime.timezone.utc).date()
    policy = parse(params, today)
    limits = parse_limits(params)
    gate = usage_gate(params, today)
    exclude = given_names("exclude", params["exclude"])
    accept_cutoff = given_names("accept_cutoff", params["accept_cutoff"])
    client = task.connect()
    organization = read_single(client, TRANSPORT_CONFIG, [SMTP_AUTH], task.warn)
    # A report names a mailbox by any of its addresses.
    reader = Reader(client, [SMTP_AUTH], task.progress, warn=task.warn, addresses=bool(gate and gate.report))
    read = _read(reader, policy, organization, exclude, tolerant=params["lookup_failure_action"] == "warn")
    if params["authentication_policy"]:
        from ansible_collections.m365.exchange_online.plugins.module_utils._policies_of_list import read_policies_for

        read = replace(read, policies=read_policies_for(task, client, _basic(policy, read, today)))
    plan = make_plan(policy, read, today)
    touched = {change.target.key for change in plan.changes}
    reader.confirm(_to_confirm(plan, read))
    unlisted_enabled = _unlisted_enabled(plan, read)
    _warn(task, policy, plan, unlisted_enabled, today)
    opened = [box for box in _basic(policy, read, today) if box.key in touched]
    oauth = {box.key for box in _allowed(policy, read, today, "oauth")}
    _warn_of_policies(task, client, read, opened, oauth)
    more = {
        "unlisted_enabled": unlisted_enabled,
        "expired": [entry.result() for entry in policy.over(today)],
        "expiring": [entry.result() for entry in policy.near(today)],
    }

    def check(plan: Plan) -> None:
        if gate:
            lookup = reader.resolve(accept_cutoff, read.boxes)
            accepted, _none = found_names(lookup, accept_cutoff, "accept_cutoff", tolerant=False)
            lose = {target.key for target in plan.effect.lose} - {box.key for box in accepted.values()}
            gate.check(task, [box for box in read.reached() if box.key in lose], read.boxes)

    def shape(plan: Plan, told: Sequence[Outcome]) -> Result:
        return {
            "organization": _organization_result(told[0]),
            "mailboxes": _results.object_results(plan, told, only_changes=True, noun=CAS_MAILBOX.noun),
            "summary": _results.summary(plan, told, CAS_MAILBOX.noun),
            **_users_result(plan, told),
            "diff": _results.diff_of_many(task.tenant, plan, preview=task.check_mode),
        }

    wanted = Wanted(shape, limits.of(plan.matched), _expired(policy, today), more, check)
    return converge_plan(task, client, plan, wanted)


def _warn_of_policies(task: Task, client: Client, read: Read, opened: Sequence[Record], oauth: Collection[str]) -> None:
    if read.policies or opened:
        from ansible_collections.m365.exchange_online.plugins.module_utils._policies_of_list import warn_of_policies

        warn_of_policies(task, client, read.policies, opened, [box.key for box in read.found.values()], oauth)


def _users_result(plan: Plan, told: Sequence[Outcome]) -> Result:
    """The users whose authentication policy changes, where the task is to change any."""
    if not _results.of_noun(told, USER.noun):
        return {}
    return {"users": _results.object_results(replace(plan, missing=()), told, only_changes=True, noun=USER.noun)}


def _organization_result(outcome: Outcome) -> dict[str, t.Any]:
    """The organization in the words of the option."""
    result = _results.object_result(outcome, lambda values: _WORDS[t.cast(bool, values[SMTP_AUTH])])
    result.setdefault("after", _WORDS[t.cast(bool, outcome.change.before[SMTP_AUTH])])
    return result


def _read(reader: Reader, policy: Policy, organization: Record, exclude: Sequence[str], *, tolerant: bool) -> Read:
    """Everything that the policy is about, in one list of mailboxes."""
    boxes = reader.everything()
    lookup = reader.resolve([*(entry.identity for entry in policy.entries), *exclude], boxes)
    spared, _none = found_names(lookup, exclude, "exclude", tolerant=False)
    found: dict[str, Record] = {}
    missing: list[Missing] = []
    for option in ("allowed", "denied"):
        names = [entry.identity for entry in policy.entries if entry.option == option]
        some, gone = found_names(lookup, names, option, tolerant=tolerant)
        found.update(some)
        missing.extend(gone)
    excluded = frozenset(box.key for box in spared.values())
    for name, box in found.items():
        if box.key in excluded:
            raise InvalidRequest(f"{name} is on a list and excluded at once: take it out of one of the two.")
    return Read(organization, boxes, found, missing, excluded, spared=spared)


def _to_confirm(plan: Plan, read: Read) -> dict[str, Record]:
    """The names that have to mean just the mailbox that they were matched with.

    Where the plan reaches the organization or mailboxes on no list that is every name, because the one that was meant
    may be among these; else it is those of the mailboxes that are written.
    """
    named = {box.key for box in read.found.values()}
    written = {change.target.key for change in plan.changes}
    if written - named:
        return {**read.spared, **read.found}
    return {name: box for name, box in read.found.items() if box.key in written}


def _basic(policy: Policy, read: Read, today: datetime.date) -> list[Record]:
    """The allowed mailboxes whose devices sign in with Basic."""
    return _allowed(policy, read, today, "basic")


def _allowed(policy: Policy, read: Read, today: datetime.date, method: str) -> list[Record]:
    """The allowed mailboxes whose devices sign in by this method."""
    names = [entry.identity for entry in policy.in_force("allowed", today) if entry.method == method]
    return list({read.found[name].key: read.found[name] for name in names if name in read.found}.values())


def _unlisted_enabled(plan: Plan, read: Read) -> list[str]:
    """Mailboxes that stay explicitly enabled although no list names them."""
    named = {box.key for box in read.found.values()}
    touched = {change.target.key for change in plan.changes}
    return [
        box.label
        for box in read.in_scope()
        if box.key not in named and box.key not in touched and box.read(SMTP_AUTH) is False
    ]


def _warn(task: Task, policy: Policy, plan: Plan, unlisted_enabled: Sequence[str], today: datetime.date) -> None:
    if unlisted_enabled:
        verb, are = ("has", "is") if len(unlisted_enabled) == 1 else ("have", "are")
        task.warn(
            f"{counted(len(unlisted_enabled), 'mailbox')} {verb} SMTP AUTH explicitly enabled and {are} on no list:"
            f" {listed(unlisted_enabled)}."
        )
    for entry in policy.near(today):
        task.warn(f"{entry.place} ({entry.identity}) expires on {entry.last_day}.")
    organization = plan.single
    blocked = plan.blocked_by is not None
    if organization is None or not policy.revoke:
        return
    closed = (organization.before if blocked else organization.after)[SMTP_AUTH]
    for entry in policy.over(today):
        if entry.option == "allowed" and not closed:
            task.warn(f"{entry.identity} is revoked but the organization is open, so SMTP AUTH still works for it.")


def _expired(policy: Policy, today: datetime.date) -> ExoError | None:
    over = policy.over(today)
    if not over or policy.revoke:
        return None
    names = ", ".join(f"{entry.identity} ({entry.last_day})" for entry in over[:SAMPLE])
    return Expired(
        f"Past their last day and still in force: {names}. Nothing else failed.",
        hint="Extend or remove them, or set expired: revoke.",
    )
