# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way to converge: announce, limits, undo file, apply, result. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils import _results
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._outcomes import Outcome, Outcomes
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Limits, Plan, check_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

Shape = Callable[[Plan, Sequence[Outcome]], Result]


@dataclass(frozen=True)
class Wanted:
    """How one task converges. shape: what its result says of the plan's objects.

    failure: a failure of the task for which everything else is still done. more: what else the result has.
    check: raises Refused for a plan that must not be carried out, before its first write and in check mode too.
    about: what the task's closing line says before it counts.
    """

    shape: Shape
    limits: Limits = field(default_factory=Limits)
    failure: ExoError | None = None
    more: Mapping[str, t.Any] = field(default_factory=dict)
    check: Callable[[Plan], None] = lambda plan: None
    about: str = ""


def converge(task: Task, client: Client, plan: Plan, wanted: Wanted) -> Result:
    """Write the plan (not in check mode) and return the whole result; raises it with the failure, if there is one."""
    extra: Result = dict(wanted.more)
    refusal = _refusal(plan, wanted)
    announce(task, plan, preview=task.check_mode or refusal is not None)
    extra.update(_save_effect(task, client, plan))
    if refusal:
        raise refusal
    outcomes = None
    if plan.changed:
        # Most runs change nothing, and loading this takes time.
        from ansible_collections.m365.exchange_online.plugins.module_utils import _write

        outcomes, told = _write.carry_out(task, client, plan)
        extra.update(told)
    result = _result(task, plan, wanted, outcomes, extra)
    failure = _failure(plan, wanted, outcomes)
    if failure:
        result.pop("msg")
        raise failure.but(result={**result, **failure.result})
    return result


def _refusal(plan: Plan, wanted: Wanted) -> ExoError | None:
    """Why the plan must not be carried out, or None. Known before the warnings, which then say what would happen."""
    try:
        check_limits(plan, wanted.limits)
        wanted.check(plan)
    except ExoError as error:
        return error
    return None


def _failure(plan: Plan, wanted: Wanted, outcomes: Outcomes | None) -> ExoError | None:
    """The task's failure, if there is one: of several the one to mend first."""
    if outcomes is None:
        return plan.blocked_by or wanted.failure
    return outcomes.fatal or plan.blocked_by or outcomes.failure() or wanted.failure


def _result(task: Task, plan: Plan, wanted: Wanted, outcomes: Outcomes | None, extra: Mapping[str, t.Any]) -> Result:
    """What became of the plan, or would become of it, with its lists cut to what fits."""
    told = _results.outcomes_of(plan, outcomes)
    shaped = wanted.shape(plan, told)
    changed = outcomes.changed if outcomes else plan.changed
    lists = [name for name, value in {**extra, **shaped}.items() if isinstance(value, list) and name != "diff"]
    diff = shaped.pop("diff", None)
    closing = _closing(task, plan, told, wanted.about, extra)
    result = _results.bounded({"changed": changed, "msg": closing, **extra, **shaped}, lists)
    return result if diff is None else {**result, "diff": diff}


def announce(task: Task, plan: Plan, *, preview: bool) -> None:
    """The warnings that a plan brings. preview: nothing is written."""
    for missing in plan.missing:
        task.warn(f"{missing.error} It was left out.")
    for sentence in plan.effect.warnings(preview=preview):
        task.warn(sentence)


def _save_effect(task: Task, client: Client, plan: Plan) -> Result:
    """Everybody who loses or gains, in a file: the result names just the first ones."""
    path = task.params.get("effect_file")
    if not path:
        return {}
    from ansible_collections.m365.exchange_online.plugins.module_utils import _effect_file

    _effect_file.write(path, task.tenant, client.tenant_id, plan.effect)
    return {"effect_file": path}


def _closing(task: Task, plan: Plan, told: Sequence[Outcome], about: str, extra: Mapping[str, t.Any]) -> str:
    """The task in one line: what changes, who loses, who gains, and the way back; in check mode what would change."""
    if not plan.changed:
        return f"{task.tenant}: nothing to change"
    sentence = f"{about}{_results.total(plan, preview=task.check_mode)}"
    failed = sum(1 for outcome in told if outcome.error)
    if failed:
        sentence += f", {failed} failed"
    if task.check_mode:
        return f"{task.tenant}: {sentence}"
    return f"{task.tenant}: {sentence}; way back: {_back(plan, extra)}"


def _back(plan: Plan, extra: Mapping[str, t.Any]) -> str:
    """Where the former values are, and whether exo_restore can bring them back."""
    where = str(extra.get("undo_file") or ("undo in this result" if "undo" in extra else ""))
    if where and all(change.verb != "Set" for change in plan.changes):
        return f"by hand (exo_restore leaves what was made or removed as a whole; its settings are in {where})"
    return where or "none (undo_file was not given)"
