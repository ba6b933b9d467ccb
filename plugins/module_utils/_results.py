# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results: what a task returns, small enough to arrive, told from outcomes alone. PRIVATE to the collection.

AWX drops the result of an event beyond 700,000 characters, all of it. Counters here are always exact; lists are cut
with a note that says how much was left out.
"""

from __future__ import annotations

import json
import typing as t
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, PartialFailure
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome, Outcomes, left_out
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Table, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH
from ansible_collections.m365.exchange_online.plugins.module_utils._text import counted, fit, happens

BUDGET = 400_000  # characters of JSON for what a task returns; its diff and its arguments have budgets of their own
DIFF_BUDGET = 100_000
ARGUMENTS_BUDGET = 100_000
_ORDER = {"failed": 0, "missing": 1, "changed": 2, "unchanged": 3}
_OWN_WORDS: Mapping[t.Any, str] = {True: "blocked", False: "allowed", INHERIT: "follows the organization"}

Describe = Callable[[Mapping[str, Value]], t.Any]


def as_they_are(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """An object's settings by their names. No copy: of 20,000 objects these would be 10 MB."""
    return values


def outcomes_of(plan: Plan, outcomes: Outcomes | None) -> list[Outcome]:
    """What became, or in check mode would become, of every object in scope, in the order of the task."""
    blocked = plan.blocked()
    return [_outcome(change, blocked.get(change.target.place), outcomes) for change in plan.considered]


def _outcome(change: Change, blocked_by: ExoError | None, outcomes: Outcomes | None) -> Outcome:
    known = outcomes.of(change) if outcomes else None
    if known is not None or not change.changed:
        return known or Outcome(change)
    if blocked_by is not None:
        return Outcome(change, error=left_out(change, blocked_by))
    if outcomes is not None:
        return Outcome(change, error=_not_reached(outcomes))
    return Outcome(change)


def _not_reached(outcomes: Outcomes) -> ExoError:
    """Why a change has no outcome: the task had to stop before its turn came."""
    failed = outcomes.fatal or next((outcome.error for outcome in outcomes if outcome.error), None)
    return PartialFailure(f"Not written: {failed.message if failed else 'the task stopped before.'}")


def of_noun(told: Sequence[Outcome], noun: str = "") -> list[Outcome]:
    """The outcomes of objects that a tenant has many of, of one noun if it is given."""
    return [outcome for outcome in told if _is_of(outcome.change.target.table, noun)]


def _is_of(table: Table, noun: str) -> bool:
    return not table.single and noun in ("", table.noun)


def object_result(outcome: Outcome, describe: Describe = as_they_are) -> dict[str, t.Any]:
    """One object: who it is, its status, its settings before and after. describe: how its values are shown."""
    change, error = outcome.change, outcome.error
    result: dict[str, t.Any] = {
        **change.target.identity,
        "status": outcome.status,
        "before": describe(change.before),
    }
    if error is None:
        result["after"] = describe(change.after)
    elif not outcome.sent:
        result["after"] = describe(change.before)  # and where something may have been written, nobody knows
    if error is not None:
        result["error"] = error.message
    if outcome.confirmed is not None:
        result["confirmed"] = outcome.confirmed
    return result


def object_results(
    plan: Plan, told: Sequence[Outcome], *, only_changes: bool, noun: str = ""
) -> list[dict[str, t.Any]]:
    """The many objects of a task: failed and missing ones first, because they are what a cut must not lose.

    noun: only those of this one, where a task has several.
    """
    many = of_noun(told, noun)
    shown = [outcome for outcome in many if outcome.change.changed or not only_changes]
    missing = [{"identity": one.identity, "status": "missing", "error": one.error} for one in plan.missing]
    results = [*(object_result(outcome) for outcome in shown), *missing]
    return sorted(results, key=lambda result: _ORDER[result["status"]])


def summary(plan: Plan, told: Sequence[Outcome], noun: str = "") -> dict[str, t.Any]:
    """Counters over all objects of the plan beside the organization. noun: only over those of this one."""
    statuses = [outcome.status for outcome in of_noun(told, noun)]
    changed, failed = statuses.count("changed"), statuses.count("failed")
    return {
        "matched": plan.matched,
        "changed": changed,
        "unchanged": plan.matched - changed - failed,
        "failed": failed,
        "missing": len(plan.missing),
        "effect": plan.effect.result(),
    }


def diff_of_one(tenant: str, change: Change) -> dict[str, t.Any]:
    """The diff of an object that the tenant has just one of: the settings that differ."""
    before, after = change.differing()
    header = f"{tenant}: {change.label}"
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def diff_of_many(tenant: str, plan: Plan, *, preview: bool) -> list[dict[str, t.Any]]:
    """A total in words, then a line for each change, as far as they fit. Ansible's own takes eight."""
    changes = plan.changes
    if not changes:
        return []
    width = min(max(len(change.label) for change in changes), 48)
    lines = [f"{tenant}: {total(plan, preview=preview)}"]
    size = 0
    for number, change in enumerate(changes):
        line = f"  {change.label:<{width}}  {moved(change, plan)}"
        size += len(line)
        if size > DIFF_BUDGET:
            lines.append(f"  and {len(changes) - number} more, which are not shown here; the total is exact")
            break
        lines.append(line)
    return [{"prepared": "\n".join(lines) + "\n"}]


def total(plan: Plan, *, preview: bool) -> str:
    """``organization off → 3 mailboxes change, 9 lose SMTP AUTH, 0 gain it``; in a preview what would happen."""
    single = next((change for change in plan.changes if change.target.table.single), None)
    many = [change for change in plan.changes if not change.target.table.single]
    sentence = f"{_how_many(many, preview)}, {plan.effect.line(preview=preview)}"
    if single is None:
        return sentence
    if not many and SMTP_AUTH not in single.after and not plan.effect.moves_anybody:
        return _about_single(single, preview)
    return f"{_about_single(single, preview)} → {sentence}"


def _how_many(many: Sequence[Change], preview: bool) -> str:
    """``3 users and 2 mailboxes change``."""
    numbers = Counter(change.target.table.label for change in many) or Counter(mailbox=0)
    parts = " and ".join(counted(number, label) for label, number in numbers.items())
    return f"{parts} {happens(len(many), 'change', preview=preview)}"


def _about_single(change: Change, preview: bool) -> str:
    value = change.differing()[1].get(SMTP_AUTH)
    if value is None:
        return f"{change.label} {happens(1, 'change', preview=preview)}"
    return f"organization {'off' if value else 'on'}"


def moved(change: Change, plan: Plan) -> str:
    """What becomes of one object, in words. SMTP AUTH is called on and off: its own name says disabled."""
    before, after = change.differing()
    works = plan.effect.states.get(change.target.place)
    parts = [_VERBS[change.verb]] if change.verb in _VERBS else []
    for option, value in after.items():
        if option == SMTP_AUTH and change.target.table.single:
            parts.append(f"SMTP AUTH {_ON_OFF[not before[option]]} → {_ON_OFF[not value]}")
        elif option == SMTP_AUTH:
            was = _own_word(before[option], works[0] if works else None)
            parts.append(f"{was} → {_own_word(value, works[1] if works else None)}")
        else:
            parts.append(f"{option}: {_shown(before[option])} → {_shown(value)}")
    return ", ".join(parts)


_VERBS = {"New": "is made", "Remove": "is removed"}
_ON_OFF = {True: "on", False: "off"}


def _own_word(value: Value, works: bool | None) -> str:
    """A mailbox's own setting in words, with the organization's where it follows that."""
    if value == INHERIT and works is not None:
        return f"{_OWN_WORDS[value]} ({_ON_OFF[works]})"
    return _OWN_WORDS[t.cast("bool | str", value)]


def _shown(value: Value) -> str:
    return fit(json.dumps(value, ensure_ascii=False))


def bounded(result: dict[str, t.Any], lists: Sequence[str]) -> dict[str, t.Any]:
    """The result with these lists cut to what fits; ``truncated`` says how many entries each lost.

    What one list leaves of its share goes to those after it.
    """
    named = [name for name in lists if name in result]
    left = BUDGET - len(json.dumps({key: value for key, value in result.items() if key not in named}))
    truncated = {}
    for position, name in enumerate(named):
        share = left // (len(named) - position)
        used = kept = 0
        for entry in result[name]:
            size = len(json.dumps(entry)) + 2
            if used + size > share:
                break
            used, kept = used + size, kept + 1
        left -= used
        if kept < len(result[name]):
            truncated[name] = len(result[name]) - kept
            result = {**result, name: result[name][:kept]}
    return {**result, "truncated": truncated} if truncated else result


def bounded_arguments(params: Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """The task's arguments for its result with long lists cut, or None where they are small enough."""
    if len(json.dumps(params, default=str)) <= ARGUMENTS_BUDGET:
        return None
    return {
        name: f"({len(value)} entries, not shown)" if len(json.dumps(value, default=str)) > 2000 else value
        for name, value in params.items()
    }
