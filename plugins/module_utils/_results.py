# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results: what a task returns, small enough to arrive. PRIVATE to the collection.

AWX drops the result of an event beyond 700,000 characters, all of it. Counters here are always exact; lists are cut
with a note that says how much is not shown.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.m365.exchange_online.plugins.module_utils._apply import Outcome, Outcomes
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import PartialFailure
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Change, Plan
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Value

BUDGET = 400_000  # characters of JSON for what a task returns; its diff and its arguments have budgets of their own
DIFF_BUDGET = 100_000
ARGUMENTS_BUDGET = 100_000


def outcome_result(change: Change, outcome: Outcome | None) -> dict[str, t.Any]:
    """One mailbox. outcome: None in check mode and where nothing had to be done."""
    result: dict[str, t.Any] = {
        **(change.mailbox.identity if change.mailbox else {}),
        "action": outcome.action if outcome else "changed" if change.changed else "unchanged",
        "before": dict(change.before),
    }
    if not (outcome and outcome.error):
        result["after"] = dict(change.after)
    elif not outcome.sent:
        result["after"] = dict(change.before)  # and where something may have been written, nobody knows
    if outcome and outcome.error:
        result["error"] = outcome.error.message
    if outcome and outcome.confirmed is not None:
        result["confirmed"] = outcome.confirmed
    return result


def organization_result(
    plan: Plan, outcomes: Outcomes | None, describe: Callable[[Mapping[str, Value]], t.Any]
) -> dict[str, t.Any]:
    """The organization. describe: how its values are shown."""
    change = t.cast(Change, plan.organization)
    outcome = outcomes.organization if outcomes else None
    if outcome is None and change.changed and outcomes is not None:
        outcome = _not_reached(change, outcomes)
    elif outcome is None and plan.held:
        outcome = Outcome(change, error=plan.held)
    left = outcome is not None and outcome.error is not None
    result = {
        "before": describe(change.before),
        "after": describe(change.before if left else change.after),
        "action": outcome.action if outcome else "changed" if change.changed else "unchanged",
    }
    return {**result, "error": outcome.error.message} if outcome and outcome.error else result


def mailbox_results(plan: Plan, outcomes: Outcomes | None, *, only_changes: bool) -> list[dict[str, t.Any]]:
    """The mailboxes of a task: failed and missing ones first, for they are what a cut must not lose."""
    done = outcomes.mailboxes if outcomes else {}
    left = set() if plan.held is None else {id(change) for change in plan.inheriting()}
    results = []
    for change in plan.mailboxes:
        outcome = done.get(change.mailbox.guid if change.mailbox else "")
        if outcome is None and change.changed and outcomes is not None:
            outcome = _not_reached(change, outcomes)
        elif outcome is None and id(change) in left and plan.held:
            outcome = Outcome(change, error=plan.held)
        if only_changes and not change.changed:
            continue
        results.append(outcome_result(change, outcome))
    missing = [{"identity": m.identity, "action": "missing", "error": m.error} for m in plan.missing]
    order = {"failed": 0, "missing": 1, "changed": 2, "unchanged": 3}
    return sorted([*results, *missing], key=lambda result: order[result["action"]])


def _not_reached(change: Change, outcomes: Outcomes) -> Outcome:
    """A mailbox whose turn did not come, because the access failed before."""
    failed = outcomes.fatal or next((o.error for o in outcomes.all if o.error), None)
    reason = failed.message if failed else "the task stopped before."
    return Outcome(change, error=PartialFailure(f"Not written: {reason}"))


def summary(plan: Plan, results: Sequence[Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Counters over all mailboxes of the plan. results: as mailbox_results gives them, uncut."""
    counts = {action: sum(1 for r in results if r["action"] == action) for action in ("changed", "failed", "missing")}
    return {
        "matched": plan.matched,
        "changed": counts["changed"],
        "unchanged": plan.matched - counts["changed"] - counts["failed"],
        "failed": counts["failed"],
        "missing": counts["missing"],
        "effect": plan.effect.result(),
    }


def diff(changes: Sequence[Change]) -> list[dict[str, t.Any]]:
    """One entry for each change with just the settings that differ, cut where it grows too large."""
    entries: list[dict[str, t.Any]] = []
    size = 0
    for change in changes:
        before, after = change.differing()
        entry = {"before_header": change.label, "after_header": change.label, "before": before, "after": after}
        size += len(json.dumps(entry))
        if size > DIFF_BUDGET:
            note = f"{len(changes) - len(entries)} more changes are not shown here; the counters are exact\n"
            entries.append({"before_header": "more", "after_header": "more", "before": "", "after": note})
            break
        entries.append(entry)
    return entries


def bounded(result: dict[str, t.Any], lists: Sequence[str]) -> dict[str, t.Any]:
    """The result with these lists cut to what fits; ``not_shown`` says how many entries each lost.

    What one list leaves of its share goes to those after it.
    """
    named = [name for name in lists if name in result]
    left = BUDGET - len(json.dumps({key: value for key, value in result.items() if key not in named}))
    not_shown = {}
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
            not_shown[name] = len(result[name]) - kept
            result = {**result, name: result[name][:kept]}
    return {**result, "not_shown": not_shown} if not_shown else result


def bounded_arguments(params: Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """The task's arguments for its result with long lists cut, or None where they are small enough."""
    if len(json.dumps(params, default=str)) <= ARGUMENTS_BUDGET:
        return None
    return {
        name: f"({len(value)} entries, not shown)" if len(json.dumps(value, default=str)) > 2000 else value
        for name, value in params.items()
    }
