# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of SMTP AUTH: who may use it, in one read and one plan. PRIVATE to the collection."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._client_access import (
    announce,
    carry_out,
    found_names,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    ExoError,
    Expired,
    InvalidRequest,
    NotFound,
    Refused,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import (
    Mailbox,
    Reader,
    read_transport_config,
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
    SAMPLE,
    Missing,
    Plan,
    brake,
    effect,
    parse_limit,
    plan_settings,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    CAS_MAILBOX,
    INHERIT,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
    Value,
)

WARN_DAYS = 30
_RECORD = ("reason", "owner", "ticket", "expires")
_ENTRY: Mapping[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "identity": {"type": "str", "required": True},
        **{name: {"type": "str"} for name in _RECORD},
    },
}
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "organization": {"type": "str", "choices": ["enabled", "disabled"]},
    "allowed": _ENTRY,
    "denied": _ENTRY,
    "unlisted": {
        "type": "str",
        "choices": ["unmanaged", "not_enabled", "inherit", "disabled"],
        "default": "unmanaged",
    },
    "expired": {"type": "str", "choices": ["report", "revoke"], "default": "report"},
    "allow_empty": {"type": "bool", "default": False},
    "settle": {"type": "int", "default": 0},
    **LOOKUP,
    **BRAKES,
    **UNDO,
    **WAIT,
}
_WORDS = {True: "disabled", False: "enabled"}


@dataclass(frozen=True)
class Exemption:
    """One entry of a list. ``last_day``: it still counts; None: no end."""

    option: str
    position: int
    identity: str
    record: Mapping[str, str]
    last_day: datetime.date | None

    @property
    def place(self) -> str:
        return f"{self.option}[{self.position}]"

    @property
    def wish(self) -> bool:
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
    """What the task's options say. organization: the wished SmtpClientAuthenticationDisabled, None: not managed."""

    organization: bool | None
    entries: tuple[Exemption, ...]
    unlisted: str
    revoke: bool

    def over(self, today: datetime.date) -> list[Exemption]:
        return [entry for entry in self.entries if entry.over(today)]

    def near(self, today: datetime.date) -> list[Exemption]:
        return [entry for entry in self.entries if entry.near(today)]


def parse(params: Mapping[str, t.Any]) -> Policy:
    """The policy of a task's options; raises InvalidRequest or Refused for one that must not be acted on."""
    entries = tuple(
        _entry(option, position, given)
        for option in ("allowed", "denied")
        for position, given in enumerate(params[option] or ())
    )
    organization = None if params["organization"] is None else params["organization"] == "disabled"
    unlisted = params["unlisted"]
    if (
        organization is None
        and not entries
        and unlisted == "unmanaged"
        and params["allowed"] is params["denied"] is None
    ):
        raise InvalidRequest("Nothing is given to manage: set organization, allowed, denied or unlisted.")
    if unlisted != "unmanaged" and not params["allowed"] and not params["allow_empty"]:
        raise Refused(
            f"allowed is empty and unlisted is {unlisted}: that would take SMTP AUTH from everybody who has it."
            " Nothing was changed.",
            hint="A variable that came out empty looks like this. If it is meant, set allow_empty: true.",
        )
    if params["settle"] < 0:
        raise InvalidRequest(f"settle has to be at least 0 seconds, it is {params['settle']}.")
    return Policy(organization, entries, unlisted, params["expired"] == "revoke")


def _entry(option: str, position: int, given: Mapping[str, t.Any]) -> Exemption:
    place = f"{option}[{position}]"
    identity = str(given.get("identity") or "").strip()
    if not identity:
        raise InvalidRequest(f"{place} has no identity.")
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
    return Exemption(option, position, identity, record, last_day)


def assign(entries: Sequence[Exemption], found: Mapping[str, Mailbox]) -> dict[str, Exemption]:
    """The entry that speaks for each mailbox, by GUID; raises InvalidRequest where two disagree."""
    spoken: dict[str, Exemption] = {}
    for entry in entries:
        box = found.get(entry.identity)
        if box is None:
            continue
        former = spoken.setdefault(box.guid, entry)
        if former.wish != entry.wish or former.last_day != entry.last_day:
            raise InvalidRequest(
                f"{former.place} ({former.identity}) and {entry.place} ({entry.identity}) are the same mailbox,"
                f" {box.label}, and disagree."
            )
    return spoken


def wished(own: Value, entry: Exemption | None, policy: Policy, today: datetime.date) -> Value:
    """The mailbox's value under the policy; its own value where the policy does not care."""
    if entry is not None and not (policy.revoke and entry.over(today)):
        return entry.wish
    unlisted: Mapping[str, Callable[[Value], Value]] = {
        "unmanaged": lambda value: value,
        "not_enabled": lambda value: INHERIT if value is False else value,
        "inherit": lambda value: INHERIT,
        "disabled": lambda value: True,
    }
    value = unlisted[policy.unlisted](own)
    # A revoked entry has no claim on its value left, even where the unlisted keep theirs.
    kept = entry is not None and policy.unlisted != "disabled" and value == own == entry.wish
    return INHERIT if kept else value


def make_plan(
    policy: Policy,
    organization: Mapping[str, t.Any],
    boxes: Sequence[Mailbox],
    found: Mapping[str, Mailbox],
    missing: Sequence[Missing],
    today: datetime.date,
) -> Plan:
    """The plan of a policy, from what was read; raises where it must not be acted on."""
    wish = {} if policy.organization is None else {SMTP_AUTH: policy.organization}
    change = plan_settings(TRANSPORT_CONFIG, organization, {SMTP_AUTH: _organization_value(organization), **wish})
    was, becomes = change.before[SMTP_AUTH], change.after[SMTP_AUTH]
    if policy.unlisted == "inherit" and not becomes:
        raise Refused(
            "unlisted: inherit would give SMTP AUTH to everybody, for the organization is open. Nothing was changed.",
            hint="Set organization: disabled as well, or use unlisted: not_enabled or disabled.",
        )
    spoken = assign(policy.entries, found)
    lost = _lost(policy, "allowed", missing, today)
    # A listed mailbox that can't be found may be there under another name, and would count as unlisted.
    acting = replace(policy, unlisted="unmanaged") if lost else policy
    row = CAS_MAILBOX.row(SMTP_AUTH)
    known = {box.guid: box for box in (*boxes, *found.values())}
    states, changes = [], []
    for box in known.values():
        own = row.read(box.wire)
        entry = spoken.get(box.guid)
        value = wished(own, entry, acting, today)
        states.append((box.label, own, value))
        if entry is not None or value != own:
            changes.append(plan_settings(CAS_MAILBOX, box.wire, {SMTP_AUTH: value}, mailbox=box))
    plan = Plan(change, tuple(changes), tuple(missing), len(known), effect(states, was, becomes))
    held = None
    if lost and (plan.closes or policy.unlisted != "unmanaged"):
        held = _held(lost, "allowed", "cut a device off")
    elif plan.opens:
        held = _held(_lost(policy, "denied", missing, today), "denied", "leave a mailbox open")
    if held is None:
        return plan
    # The organization stays as it is then, and so do the mailboxes that would follow it.
    states = [(label, own, own if value == INHERIT else value) for label, own, value in states]
    return replace(plan, held=held, effect=effect(states, was, was))


def _organization_value(wire: Mapping[str, t.Any]) -> bool:
    value: bool = TRANSPORT_CONFIG.row(SMTP_AUTH).read(wire)
    return value


def _lost(policy: Policy, option: str, missing: Sequence[Missing], today: datetime.date) -> list[str]:
    """The names in a list that no mailbox has, but for those that are revoked anyway."""
    gone = {one.identity for one in missing}
    return [
        entry.identity
        for entry in policy.entries
        if entry.option == option and entry.identity in gone and not (policy.revoke and entry.over(today))
    ]


def _held(lost: Sequence[str], option: str, risk: str) -> ExoError | None:
    """Why a plan is held: listed mailboxes are gone that the rest of the plan could cut off or expose."""
    if not lost:
        return None
    return NotFound(
        f"{', '.join(lost[:SAMPLE])} in {option} can't be found. So the organization and the mailboxes on no list are"
        f" left as they are, for a typing mistake in the list would {risk}.",
        hint=f"Correct the entry or take it out of {option}.",
    )


def converge(task: Task) -> Result:
    """Bring the organization and its mailboxes to what the policy says."""
    params = task.params
    policy = parse(params)
    if params["max_changes"] is not None:
        parse_limit(params["max_changes"])
    client = task.connect()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    organization = read_transport_config(client, [SMTP_AUTH])
    reader = Reader(client, [SMTP_AUTH], task.progress)
    boxes = reader.everything()
    lookup = reader.resolve([entry.identity for entry in policy.entries], boxes)
    found: dict[str, Mailbox] = {}
    missing: list[Missing] = []
    for option in ("allowed", "denied"):
        names = [entry.identity for entry in policy.entries if entry.option == option]
        some, gone = found_names(lookup, names, option, tolerant=params["lookup_failure_action"] == "warn")
        found.update(some)
        missing.extend(gone)
    plan = make_plan(policy, organization, boxes, found, missing, today)
    announce(task, plan)
    strays = _strays(plan, boxes, found)
    _warn(task, policy, strays, today)
    brake(plan, params["max_changes"], len(boxes))
    more = {
        "strays": strays,
        "expired": [entry.result() for entry in policy.over(today)],
        "expiring": [entry.result() for entry in policy.near(today)],
    }
    return carry_out(
        task,
        client,
        plan,
        only_changes=True,
        settle=params["settle"],
        more=more,
        describe=lambda values: _WORDS[values[SMTP_AUTH]],
        failure=_expired(policy, today),
    )


def _strays(plan: Plan, boxes: Sequence[Mailbox], found: Mapping[str, Mailbox]) -> list[str]:
    """Mailboxes that stay explicitly enabled although no list names them."""
    row = CAS_MAILBOX.row(SMTP_AUTH)
    listed = {box.guid for box in found.values()}
    touched = {change.mailbox.guid for change in plan.changes if change.mailbox}
    return [
        box.label for box in boxes if box.guid not in listed and box.guid not in touched and row.read(box.wire) is False
    ]


def _warn(task: Task, policy: Policy, strays: Sequence[str], today: datetime.date) -> None:
    if strays:
        names = ", ".join(strays[:SAMPLE]) + (f" and {len(strays) - SAMPLE} more" if len(strays) > SAMPLE else "")
        have, are = ("1 mailbox has", "is") if len(strays) == 1 else (f"{len(strays)} mailboxes have", "are")
        task.warn(f"{have} SMTP AUTH explicitly enabled and {are} on no list: {names}.")
    for entry in policy.near(today):
        task.warn(f"{entry.place} ({entry.identity}) expires on {entry.last_day}.")
    if policy.revoke and policy.organization is False:
        for entry in policy.over(today):
            if entry.option == "allowed":
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
