# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mailboxes of a fleet, packed for the script of the evidence page. PRIVATE to the collection.

Columns rather than rows, a character for what has few values, and texts that repeat in a table: 50,000 mailboxes take
some 2 MB that way.
"""

from __future__ import annotations

import collections
import datetime
import itertools
import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils import _evidence_exceptions, _verdict
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import (
    Judgement,
    ListedException,
    MailboxEvidence,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_exceptions import JudgedException
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence_report import Report, TenantReport

_OVERRIDE = {"enabled": "e", "disabled": "d", "inherit": "i", None: "-"}
_VERDICT = {"allowed": "a", "blocked": "b", "unknown": "u"}
_USAGE = {"used": "u", "not_seen": "n", "unknown": "?"}
_STATE = {
    _evidence_exceptions.EXPIRED: "x",
    _evidence_exceptions.GONE: "g",
    _evidence_exceptions.EXPIRES_SOON: "s",
    _evidence_exceptions.NOT_SEEN: "n",
    _evidence_exceptions.CURRENT: "c",
}
_URGENCY = "xgs-nc"  # a mailbox that is open and not listed comes before those that are in order
_EPOCH = datetime.date(1970, 1, 1)
_TEXT_LIMIT = 160


class _Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        cut = text or ""
        if len(cut) > _TEXT_LIMIT:
            cut = f"{cut[:_TEXT_LIMIT]}…"
        return self._numbers.setdefault(cut, len(self._numbers))

    def all(self) -> list[str]:
        return list(self._numbers)


def pack(report: Report, budget: int) -> tuple[dict[str, t.Any], int]:
    """What the script needs, in at most ``budget`` bytes of JSON, and how many mailboxes did not fit.

    The least urgent of each tenant are left out first.
    """
    total = sum(len(tenant.shown.mailboxes) for tenant in report.tenants)
    limit = max((len(tenant.shown.mailboxes) for tenant in report.tenants), default=0)
    while True:
        packed, kept = _pack(report, limit)
        if limit == 0 or len(json.dumps(packed, separators=(",", ":"), ensure_ascii=False).encode()) <= budget:
            return packed, total - kept
        limit = limit * 3 // 4


def _pack(report: Report, limit: int) -> tuple[dict[str, t.Any], int]:
    texts, closed = _Texts(), _Texts()
    tenants = [_tenant(tenant, limit, texts, closed) for tenant in report.tenants]
    kept = sum(len(tenant["o"]) for tenant in tenants)
    return {"tenants": tenants, "texts": texts.all(), "closed": closed.all()}, kept


def _tenant(tenant: TenantReport, limit: int, texts: _Texts, closed: _Texts) -> dict[str, t.Any]:
    judged = {one.mailbox.key: one for one in tenant.exceptions}
    boxes = sorted(tenant.shown.mailboxes, key=lambda box: _order(box, judged.get(box.key)))[:limit]
    domain = _domain(boxes)
    return {
        "n": tenant.label,
        "d": domain,
        "a": "\n".join(_address(box, domain) for box in boxes),
        **_letters(boxes, judged),
        "c": [closed.number(_closed(box)) for box in boxes],
        # Of those that have it only, in the same order: when a used mailbox was last seen, and the exceptions.
        "u": [_day(box.usage.last_seen) for box in boxes if box.usage and box.usage.state == "used"],
        **_exceptions([box.exception for box in boxes if box.exception], texts),
    }


def _letters(boxes: Sequence[MailboxEvidence], judged: Mapping[str, JudgedException]) -> dict[str, str]:
    """A character of each mailbox for what has few values."""
    return {
        "o": "".join(_OVERRIDE[box.override] for box in boxes),
        "b": "".join(_state_of(box.basic) for box in boxes),
        "q": "".join(_state_of(box.oauth) for box in boxes),
        "s": "".join(_state(judged.get(box.key)) for box in boxes),
        "w": "".join(_USAGE[box.usage.state] if box.usage else "-" for box in boxes),
    }


def _exceptions(entries: Sequence[ListedException], texts: _Texts) -> dict[str, t.Any]:
    """When each ends, who owns it, why it is there, and its ticket."""
    return {
        "e": [_day(entry.expires) for entry in entries],
        "p": [texts.number(entry.owner) for entry in entries],
        "r": [texts.number(entry.reason) for entry in entries],
        "k": [texts.number(entry.ticket) for entry in entries],
    }


def _order(box: MailboxEvidence, judged: JudgedException | None) -> tuple[int, bool, str]:
    return _URGENCY.index(_state(judged).lower()), box.override != "enabled", box.address


def _state(judged: JudgedException | None) -> str:
    """A capital letter: nobody was seen using it, either."""
    if judged is None:
        return "-"
    state = _STATE[judged.state]
    return state.upper() if len(judged.states) > 1 and _evidence_exceptions.NOT_SEEN in judged.states else state


def _state_of(judgement: Judgement | None) -> str:
    return _VERDICT[judgement.state] if judgement else "-"


def _closed(box: MailboxEvidence) -> str:
    gates = [judgement.closed for judgement in (box.basic, box.oauth) if judgement]
    return ", ".join(gate_label(gate) for gate in dict.fromkeys(itertools.chain.from_iterable(gates)))


def _domain(boxes: Sequence[MailboxEvidence]) -> str:
    """The most common one; only addresses of others are written out."""
    domains: Iterable[str] = (box.address.rpartition("@")[2] for box in boxes)
    common = collections.Counter(domains).most_common(1)
    return common[0][0] if common else ""


def _address(box: MailboxEvidence, domain: str) -> str:
    local, _at, own = box.address.rpartition("@")
    return local if own == domain and local and "@" not in local else box.address


def _day(time: datetime.date | None) -> int | None:
    """Days since 1970, UTC."""
    if time is None:
        return None
    date = time.date() if isinstance(time, datetime.datetime) else time
    return (date - _EPOCH).days


GATE_LABELS = {
    _verdict.BASIC_AUTH_RETIREMENT: "retirement of Basic",
    _verdict.MAILBOX_TYPE: "type of mailbox",
    _verdict.SMTP_AUTH_SETTING: "SMTP AUTH setting",
    _verdict.AUTHENTICATION_POLICY: "authentication policy",
    _verdict.ACCOUNT: "account disabled",
    _verdict.SECURITY_DEFAULTS: "security defaults",
    _verdict.CONDITIONAL_ACCESS: "Conditional Access",
}


def gate_label(gate: str) -> str:
    """A gate as people call it."""
    return GATE_LABELS.get(gate, gate.replace("_", " "))
