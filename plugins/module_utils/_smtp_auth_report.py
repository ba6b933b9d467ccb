# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of the verdict and the use of many mailboxes: counts first, then each of them. PRIVATE.

Pure: judged mailboxes in, plain data and text out.
"""

from __future__ import annotations

import csv
import io
import itertools
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_replies import Reply
from ansible_collections.m365.exchange_online.plugins.module_utils._text import SAMPLE, counted, defused, fit, listed
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import USED, Log, Usage
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import (
    ALLOWED,
    BLOCKED,
    CLOSED,
    GATES,
    METHODS,
    OPEN,
    UNKNOWN,
    Gate,
    Unread,
    verdict,
)

_FEW = 3  # addresses of a mailbox in a sample
_MOST_UNREAD = 50  # different reasons that are told


@dataclass(frozen=True)
class Judged:
    """One mailbox with its gates. identity: what results name it by. usage: None where it was not asked about.

    inherits: whether the organization decides. pop_or_imap: whether POP or IMAP is on, whose users send over SMTP.
    """

    identity: Mapping[str, str]
    recipient_type: str
    inherits: bool
    pop_or_imap: bool
    gates: tuple[Gate, ...]
    usage: Usage | None = None

    @property
    def label(self) -> str:
        return self.identity["primary_smtp_address"] or self.identity["identity"]

    @property
    def used(self) -> bool:
        return self.usage is not None and self.usage.state == USED

    def verdict(self, method: str) -> str:
        return verdict(self.gates, method)

    def in_state(self, method: str, state: str) -> list[Gate]:
        return [gate for gate in self.gates if gate.state(method) == state]

    def judgement(self, method: str) -> dict[str, t.Any]:
        """The verdict on one method, with all gates that are closed or unknown."""
        return {
            "state": self.verdict(method),
            CLOSED: [gate.name for gate in self.in_state(method, CLOSED)],
            UNKNOWN: [gate.name for gate in self.in_state(method, UNKNOWN)],
        }

    def result(self) -> dict[str, t.Any]:
        return {
            **self.identity,
            "recipient_type_details": self.recipient_type,
            **{method: self.judgement(method) for method in METHODS},
            "pop_or_imap": self.pop_or_imap,
            "gates": [gate.result() for gate in self.gates],
            **({"usage": self.usage.result()} if self.usage else {}),
        }


def summary(judged: Sequence[Judged], organization_disabled: bool | Unread, log: Log | None) -> dict[str, t.Any]:
    """Counts over all mailboxes, who would be cut off by closing the organization now, and what was not read."""
    told: dict[str, t.Any] = {"mailboxes": len(judged)}
    for method in METHODS:
        told[method] = _counts(judged, method)
    if any(one.usage for one in judged):
        told["usage"] = _usage_counts(judged)
        told["used"] = {method: _states(one.verdict(method) for one in judged if one.used) for method in METHODS}
    told["closing"] = _closing(judged, organization_disabled)
    told["unread"] = _unread(judged, log)
    return told


def _counts(judged: Sequence[Judged], method: str) -> dict[str, t.Any]:
    """How many can use a method, and for how many each gate is closed or unknown, where it is for any."""
    closed, unknown = (_gate_counts(judged, method, state) for state in (CLOSED, UNKNOWN))
    gates = {name: {CLOSED: closed[name], UNKNOWN: unknown[name]} for name in GATES if closed[name] or unknown[name]}
    return {**_states(one.verdict(method) for one in judged), "gates": gates}


def _gate_counts(judged: Sequence[Judged], method: str, state: str) -> Counter[str]:
    gates = itertools.chain.from_iterable(one.in_state(method, state) for one in judged)
    return Counter(gate.name for gate in gates)


def _states(verdicts: Iterable[str]) -> dict[str, int]:
    counts = Counter(verdicts)
    return {state: counts[state] for state in (ALLOWED, BLOCKED, UNKNOWN)}


def _usage_counts(judged: Iterable[Judged]) -> dict[str, int]:
    states = Counter(one.usage.state for one in judged if one.usage)
    return {state: states[state] for state in ("used", "not_seen", "unknown")}


def _closing(judged: Sequence[Judged], organization_disabled: bool | Unread) -> dict[str, t.Any]:
    """Who loses SMTP AUTH where the organization is closed now: those that inherit and are not blocked anyway."""
    if isinstance(organization_disabled, Unread):
        return {"cut_off": None, "used": None, "pop_or_imap": None, "sample": []}
    losers = [] if organization_disabled else [one for one in judged if one.inherits and _works(one)]
    first = sorted(losers, key=lambda one: not one.used)
    return {
        "cut_off": len(losers),
        "used": sum(one.used for one in losers),
        "pop_or_imap": sum(one.pop_or_imap for one in losers),
        "sample": [_loser(one) for one in first[:SAMPLE]],
    }


def _works(one: Judged) -> bool:
    return any(one.verdict(method) != BLOCKED for method in METHODS)


def _loser(one: Judged) -> dict[str, t.Any]:
    seen = {}
    if one.usage and one.used:
        seen = {"last_seen": one.usage.last_seen, "addresses": one.usage.addresses[:_FEW]}
    usage = {"usage": one.usage.state} if one.usage else {}
    return {"identity": one.label, "pop_or_imap": one.pop_or_imap, **usage, **seen}


def _unread(judged: Iterable[Judged], log: Log | None) -> list[dict[str, t.Any]]:
    """What could not be read, and the permission that would tell; each reason once, with how many it concerns."""
    found: Counter[tuple[str, str, str]] = Counter()
    for one in judged:
        found.update((gate.name, gate.detail, gate.permission) for gate in one.gates if not gate.read)
    told = [
        {"what": name, "reason": reason, "permission": permission, "mailboxes": count}
        for (name, reason, permission), count in found.most_common(_MOST_UNREAD)
    ]
    if log and log.failure:
        told.append({"what": "usage", "reason": log.failure, "permission": log.permission})
    return told


def ordered(judged: Iterable[Judged]) -> list[Judged]:
    """Those in use first, so that a cut list keeps them, and of these the blocked ones."""
    return sorted(judged, key=lambda one: (not one.used, one.verdict("basic") == ALLOWED, one.label.lower()))


def closing_line(told: Mapping[str, t.Any], organization_disabled: bool | Unread) -> str:
    """The last line of the task: who can send, who does, and who would be cut off."""
    basic, oauth = told["basic"], told["oauth"]
    parts = [
        f"{counted(told['mailboxes'], 'mailbox')}: Basic works for {basic[ALLOWED]:,}, is blocked for"
        f" {basic[BLOCKED]:,} and unknown for {basic[UNKNOWN]:,}; OAuth {oauth[ALLOWED]:,}, {oauth[BLOCKED]:,} and"
        f" {oauth[UNKNOWN]:,}."
    ]
    if "usage" in told:
        usage = told["usage"]
        parts.append(f"In use: {usage['used']:,}; not seen: {usage['not_seen']:,}; not known: {usage['unknown']:,}.")
    closing = told["closing"]
    if organization_disabled is False:
        names = listed([one["identity"] for one in closing["sample"]], closing["cut_off"])
        cut_off = f"Closing the organization now would cut off {counted(closing['cut_off'], 'mailbox')}"
        parts.append(f"{cut_off}: {names}." if names else f"{cut_off}.")
    permissions = sorted({one["permission"] for one in told["unread"] if one["permission"]})
    if permissions:
        parts.append(f"What is unknown needs {', '.join(permissions)}.")
    return " ".join(parts)


_AGREEMENT = {
    CLOSED: "The tenant's state agrees: this gate is closed.",
    OPEN: (
        "The tenant's state does not agree: this gate is open. A change can take an hour to work, and the device may"
        " sign in as another account than it seems."
    ),
    UNKNOWN: "Whether the tenant's state agrees is unknown.",
}


def reply_result(reply: Reply | None, judged: Sequence[Judged]) -> dict[str, t.Any]:
    """What a device's error text means, and whether the state of these mailboxes agrees with it."""
    if reply is None:
        meaning = "This is none of the texts that are known. The gates in this result show what blocks the mailbox."
        return {"gate": None, "meaning": meaning, "remedy": "", "certain": False}
    told: dict[str, t.Any] = {
        "gate": reply.gate,
        "meaning": reply.meaning,
        "remedy": reply.remedy,
        "certain": reply.certain,
    }
    gates = itertools.chain.from_iterable(one.gates for one in judged)
    states = Counter(gate.basic for gate in gates if gate.name == reply.gate)
    if not states:
        return told
    told["states"] = {state: states[state] for state in (CLOSED, OPEN, UNKNOWN)}
    if len(states) == 1:
        told["agreement"] = _AGREEMENT[next(iter(states))]
    return told


_COLUMNS = (
    "primary_smtp_address",
    "display_name",
    "guid",
    "recipient_type_details",
    "basic",
    "basic_closed",
    "basic_unknown",
    "oauth",
    "oauth_closed",
    "oauth_unknown",
    "remedies",
    "pop_or_imap",
    "usage",
    "last_seen",
    "sign_ins",
    "addresses",
    "usage_reason",
)


def csv_text(judged: Iterable[Judged]) -> str:
    """The mailboxes as CSV, the header first; no cell is a formula to a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in judged:
        writer.writerow([defused(fit(str(cell))) for cell in _cells(one)])
    return buffer.getvalue()


def _cells(one: Judged) -> list[t.Any]:
    remedies = dict.fromkeys(gate.remedy for gate in one.gates if gate.remedy)
    return [
        one.identity["primary_smtp_address"],
        one.identity["display_name"],
        one.identity["guid"],
        one.recipient_type,
        *itertools.chain.from_iterable(_verdict_cells(one, method) for method in METHODS),
        " ".join(remedies),
        "yes" if one.pop_or_imap else "no",
        *_usage_cells(one.usage),
    ]


def _verdict_cells(one: Judged, method: str) -> list[str]:
    """The verdict, then the gates that are closed, then those that are unknown."""
    gates = [" ".join(gate.name for gate in one.in_state(method, state)) for state in (CLOSED, UNKNOWN)]
    return [one.verdict(method), *gates]


def _usage_cells(usage: Usage | None) -> list[t.Any]:
    if usage is None:
        return [""] * 5
    sign_ins = usage.seen.successes if usage.seen else ""
    return [usage.state, usage.last_seen, sign_ins, " ".join(usage.addresses), usage.reason]
