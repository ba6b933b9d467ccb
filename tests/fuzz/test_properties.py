# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold whatever the tenant, the tasks and the faults: judged by a model of the contract."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fuzz import model, strategies
from fuzz.known import MAILBOX, TRANSPORT
from fuzz.lab import CAS_MAILBOX, ERROR_CODES, LABEL, RESTORE, SMTP_AUTH, Lab, Module, Run
from fuzz.lab import TRANSPORT as TRANSPORT_CONFIG
from fuzz.model import Outlook
from fuzz.profiles import cases
from hypothesis import event, given, note
from hypothesis import strategies as st

State = Mapping[str, Any]
Options = dict[str, Any]
Foretell = Callable[[State, Mapping[str, Any]], Outlook]
Draw = Callable[[Any], Any]
# What only a run that writes can know.
_ONLY_WRITTEN = frozenset({"confirmed", "undo_file", "error", "msg"})


def today() -> datetime.date:
    return datetime.datetime.now(datetime.timezone.utc).date()


def foretell_policy(state: State, options: Mapping[str, Any]) -> Outlook:
    return model.smtp_auth(state, options, today())


def shown(value: Any) -> Any:
    """A result without what check mode can't know, and without the line that says what would be."""
    if isinstance(value, dict):
        kept = {key: shown(entry) for key, entry in value.items() if key not in _ONLY_WRITTEN}
        if "prepared" in kept:
            kept["prepared"] = kept["prepared"].splitlines()[1:]
        return kept
    return [shown(entry) for entry in value] if isinstance(value, list) else value


def effect_of(result: Mapping[str, Any]) -> tuple[int | None, int | None]:
    told = result["effect"] if "effect" in result else result["summary"]["effect"]
    return told["lose"], told["gain"]


def diff_of(result: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(before, after) of what differs, for each object that the result says changed."""
    if "transport_config" in result:
        entries = [(result["diff"]["before"], result["diff"]["after"])]
    else:
        entries = [(e["before"], e["after"]) for e in result["mailboxes"] if e["status"] == "changed"]
        organization = result.get("organization")
        if organization and organization["status"] == "changed":
            entries.append((_in_settings(organization["before"]), _in_settings(organization["after"])))
    pairs = [_differing(before, after) for before, after in entries]
    return [(before, after) for before, after in pairs if before or after]


def _in_settings(shown: Any) -> dict[str, Any]:
    """The organization as settings: exo_smtp_auth has the words of its option."""
    return shown if isinstance(shown, dict) else {model.SMTP: shown == "disabled"}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    options = [option for option in after if before[option] != after[option]]
    return {option: before[option] for option in options}, {option: after[option] for option in options}


def expected_diff(outlook: Outlook) -> list[Any]:
    return [
        ({o: was for o, (was, _new) in changes.items()}, {o: new for o, (_was, new) in changes.items()})
        for changes in outlook.differing.values()
    ]


def comparable(entries: Sequence[Any]) -> list[str]:
    def normal(key: str, value: Any) -> Any:
        setting = MAILBOX.get(key) or TRANSPORT[key]
        return repr(setting.normal(value["Name"] if isinstance(value, dict) else value))

    return sorted(repr([{k: normal(k, v) for k, v in sorted(part.items())} for part in pair]) for pair in entries)


def assert_told(run: Run, outlook: Outlook) -> None:
    """The run's own account agrees with the model."""
    result = run.result
    assert result["changed"] == bool(outlook.differing)
    assert bool(diff_of(result)) == run.changed, "an empty diff means unchanged, and the other way round"
    if isinstance(result["diff"], list):
        assert bool(result["diff"]) == run.changed
    assert comparable(diff_of(result)) == comparable(expected_diff(outlook))
    assert effect_of(result) == outlook.effect, f"effect {effect_of(result)}, really {outlook.effect}"
    if "summary" in result:
        counts = result["summary"]
        assert counts["matched"] == outlook.matched
        assert counts["missing"] == outlook.missing
        assert counts["changed"] == len(outlook.differing.keys() - {model.ORGANIZATION})


def kind_of(outlook: Outlook) -> str:
    """For the statistics of hypothesis."""
    if outlook.refused:
        return f"to be refused: {sorted(outlook.refused)}"
    return "changes" if outlook.differing else "no change"


def refused(lab: Lab, run: Run, outlook: Outlook) -> bool:
    """Whether the task was to be refused; then it was, for a reason of the model, and nothing happened."""
    if not outlook.refused:
        return False
    assert run.code in outlook.refused, f"{run.code}, the model says {outlook.refused}: {run.error}"
    assert not run.changed and not run.writes
    model.unchanged(outlook.before, model.objects(lab.state()))
    return True


def assert_ends(run: Run, outlook: Outlook) -> None:
    if outlook.ends:
        assert run.code in outlook.ends, f"{run.code}: {run.error}"
    else:
        assert run.error is None, f"{run.code}: {run.error}"


def quiet(lab: Lab, module: Module, options: Options, outlook: Outlook) -> None:
    """Another run changes nothing."""
    again = lab.run(module, options)
    assert not again.changed and not again.writes, f"the next run changes {again.result.get('diff')}"
    if "diff" in again.result:
        assert not diff_of(again.result)
    assert_ends(again, outlook) if not outlook.ends & {"not_found"} else None


def undo(lab: Lab, paths: Sequence[str], before: model.Objects) -> None:
    """The files, newest first, bring back the former state; once more changes nothing."""
    for path in reversed(paths):
        restore(lab, path)
    kept = {TRANSPORT[model.NDR].wire} if before[""][TRANSPORT[model.NDR].wire] == "<>" else set()
    model.assert_restored(before, model.objects(lab.state()), kept=frozenset(kept))
    for path in reversed(paths):
        again = lab.run(RESTORE, {"src": path})
        assert not again.changed and not again.writes, "a second restore changes something"


def restore(lab: Lab, path: str) -> None:
    was, seen = model.objects(lab.state()), len(lab.history())
    foretold = lab.run(RESTORE, {"src": path}, check=True)
    done = lab.run(RESTORE, {"src": path})
    assert done.error is None, f"the restore fails: {done.error}"
    assert shown(foretold.result) == shown(done.result)
    now = model.objects(lab.state())
    model.assert_in_one_step(lab.history()[seen:], was, now)
    assert done.changed == bool(model.differing(was, now))
    assert effect_of(done.result) == model.effect(was, now)


def converges(lab: Lab, module: Module, options: Options, foretell: Foretell) -> None:
    """Without faults: check, apply, again, undo, undo again."""
    state = lab.state()
    outlook = foretell(state, options)
    note(f"{module.name} {options}")
    note(f"refused {outlook.refused}, ends {outlook.ends}, changes {outlook.differing}")
    event(kind_of(outlook))
    foretold = lab.run(module, options, check=True)
    model.unchanged(outlook.before, model.objects(lab.state()))
    path = lab.undo_path()
    run = lab.run(module, {**options, "undo_file": path})
    if refused(lab, foretold, outlook) and refused(lab, run, outlook):
        return
    assert_ends(foretold, outlook)
    assert_ends(run, outlook)
    after = model.objects(lab.state())
    model.assert_reached(outlook, after)
    assert shown(foretold.result) == shown(run.result), "check mode foretold something else"
    assert_told(run, outlook)
    model.assert_in_one_step(lab.history(), outlook.before, after)
    assert os.path.exists(path) == run.changed
    quiet(lab, module, options, outlook)
    if run.changed:
        undo(lab, [path], outlook.before)


def survives(lab: Lab, module: Module, options: Options, foretell: Foretell, draw: Draw) -> None:
    """With faults: the account is true, no mailbox is cut off or exposed on the way, and another run completes."""
    state = lab.state()
    outlook = foretell(state, options)
    ordered = draw(st.lists(strategies.faults(state), min_size=1, max_size=3))
    lag = draw(st.sampled_from([0, 0, 0, 0.02]))
    path = lab.undo_path()
    with ordered_faults(lab, ordered, lag):
        run = lab.run(module, {**options, "undo_file": path}, concurrency=draw(st.sampled_from([1, 4])))
    note(f"{module.name} {options}")
    note(f"faults {ordered}, lag {lag}")
    event(f"{kind_of(outlook)}, came to {run.code or 'success'}{', changed' if run.changed else ''}")
    note(f"run: {run.code} {run.error} {run.result}")
    now = model.objects(lab.state())
    if outlook.refused and hides_a_mailbox(options, ordered):
        return
    assert_true_account(run, outlook, now, ordered)
    model.assert_in_one_step(lab.history(), outlook.before, _at_last(outlook, now))
    model.assert_between(outlook, now)
    if outlook.refused:
        model.unchanged(outlook.before, now)
        return
    assert os.path.exists(path) or not run.changed
    if lag:
        time.sleep(lag * 1.5)
    comes_back(lab, module, options, outlook, path, again=draw(st.booleans()))


@contextmanager
def ordered_faults(lab: Lab, ordered: Sequence[strategies.Fault], lag: float) -> Iterator[None]:
    """The service has these faults, and shows a write only ``lag`` seconds later."""
    for fault in ordered:
        lab.simulator.fault(
            fault.kind, tenant=LABEL, match=fault.match, after=fault.after, times=fault.times, **fault.details
        )
    if lag:
        lab.simulator.patch_tenant(LABEL, lag=lag)
        lab.clock.real = lag
    try:
        yield
    finally:
        lab.simulator.clear_faults()
        lab.simulator.patch_tenant(LABEL, lag=0)


def comes_back(lab: Lab, module: Module, options: Options, outlook: Outlook, path: str, *, again: bool) -> None:
    """What a run with faults wrote is taken back by its undo file; ``again``: after another run that completes it."""
    paths = [path]
    if again and not outlook.ends and options.get("max_changes") is None:
        paths.append(completes(lab, module, options, outlook))
    written = [path for path in paths if os.path.exists(path)]
    if written:
        undo(lab, written, outlook.before)


def hides_a_mailbox(options: Options, ordered: Sequence[strategies.Fault]) -> bool:
    """Whether a mailbox that is there may count as missing, so that nobody can know that two entries mean it."""
    goes_on = options.get("lookup_failure_action") in ("warn", "ignore")
    return goes_on and any(fault.kind == "not_found" for fault in ordered)


def _at_last(outlook: Outlook, now: model.Objects) -> model.Objects:
    """The state to judge the way by: a mailbox that did not get where it should go may still be where it was."""
    old, new, here = model.effective(outlook.before), model.effective(outlook.after), model.effective(now)
    for guid in old:
        assert here[guid] in (old[guid], new[guid]), f"{guid} is {'open' if here[guid] else 'closed'}, wrongly"
    return now


def completes(lab: Lab, module: Module, options: Options, outlook: Outlook) -> str:
    seen = len(lab.history())
    was = model.objects(lab.state())
    path = lab.undo_path()
    run = lab.run(module, {**options, "undo_file": path})
    assert_ends(run, outlook)
    after = model.objects(lab.state())
    for key in outlook.before:  # dates of objects that the first run wrote are none of the second's
        for name in ("WhenChanged", "WhenChangedUTC"):
            outlook.before[key][name] = after[key][name]
    model.assert_reached(outlook, after)
    model.assert_in_one_step(lab.history()[seen:], was, after)
    quiet(lab, module, options, outlook)
    return path


def assert_true_account(run: Run, outlook: Outlook, now: model.Objects, ordered: Sequence[strategies.Fault]) -> None:
    """What the result says of each object is so; where the answer was lost it may be one or the other."""
    doubtful = any(fault.doubtful for fault in ordered)
    moved, wanted = model.differing(outlook.before, now), outlook.differing
    assert run.code is None or run.code in ERROR_CODES
    assert moved or not run.changed or doubtful, "says changed, but nothing is"
    assert run.changed or not moved, f"says unchanged, but {moved}"
    if not doubtful and not outlook.refused:
        assert_success_is_whole(run, {key: changes for key, changes in wanted.items() if key not in moved})
    for entry in run.result.get("mailboxes", ()):
        guid = entry.get("guid")
        assert_true_entry(entry, moved.get(guid), wanted.get(guid), doubtful=doubtful)
    organization = run.result.get("organization")
    if organization and not doubtful:
        assert (organization["status"] == "changed") == (model.ORGANIZATION in moved)


def assert_success_is_whole(run: Run, missing: Mapping[str, Any]) -> None:
    """A run without an error has changed all that it had to."""
    # A mailbox that the service denies to have is left out under lookup_failure_action: warn, and named.
    denied = any(entry["status"] == "missing" for entry in run.result.get("mailboxes", ()))
    if run.error is None and not denied:
        assert not missing, f"succeeded without {missing}"


def assert_true_entry(entry: Mapping[str, Any], moved: Any, wanted: Any, *, doubtful: bool) -> None:
    """What the result says of a mailbox is so. ``moved``: what changed there; ``wanted``: what had to."""
    status = entry["status"]
    if status in ("unchanged", "missing"):
        assert moved is None, f"{entry} against {moved}"
    elif status == "changed" and (entry.get("confirmed") or not doubtful):
        assert moved == wanted, f"{entry} against {moved}"
    elif status == "failed" and not doubtful:
        assert moved is None, f"{entry} against {moved}"


@cases(0.22)
@given(st.data())
def test_smtp_auth(lab: Lab, data: st.DataObject) -> None:
    state = lab.tenant(data.draw(strategies.tenants(), label="tenant"))
    converges(lab, SMTP_AUTH, data.draw(strategies.policies(state, today()), label="options"), foretell_policy)


@cases(0.22)
@given(st.data())
def test_smtp_auth_with_faults(lab: Lab, data: st.DataObject) -> None:
    state = lab.tenant(data.draw(strategies.tenants(least=1), label="tenant"))
    options = data.draw(strategies.policies(state, today()), label="options")
    survives(lab, SMTP_AUTH, options, foretell_policy, data.draw)


@cases(0.2)
@given(st.data())
def test_cas_mailbox(lab: Lab, data: st.DataObject) -> None:
    theme = data.draw(strategies.themes(MAILBOX), label="theme")
    state = lab.tenant(data.draw(strategies.tenants(theme), label="tenant"))
    converges(lab, CAS_MAILBOX, data.draw(strategies.mailbox_tasks(state, theme), label="options"), model.mailboxes)


@cases(0.16)
@given(st.data())
def test_cas_mailbox_with_faults(lab: Lab, data: st.DataObject) -> None:
    theme = data.draw(strategies.themes(MAILBOX), label="theme")
    state = lab.tenant(data.draw(strategies.tenants(theme, least=1), label="tenant"))
    options = data.draw(strategies.mailbox_tasks(state, theme), label="options")
    survives(lab, CAS_MAILBOX, options, model.mailboxes, data.draw)


@cases(0.12)
@given(st.data())
def test_transport_config(lab: Lab, data: st.DataObject) -> None:
    theme = data.draw(strategies.themes(TRANSPORT), label="theme")
    lab.tenant(data.draw(strategies.tenants(transport_theme=theme), label="tenant"))
    converges(lab, TRANSPORT_CONFIG, data.draw(strategies.transport_tasks(theme), label="options"), model.transport)


@cases(0.08)
@given(st.data())
def test_transport_config_with_faults(lab: Lab, data: st.DataObject) -> None:
    theme = data.draw(strategies.themes(TRANSPORT), label="theme")
    lab.tenant(data.draw(strategies.tenants(transport_theme=theme, least=1), label="tenant"))
    options = data.draw(strategies.transport_tasks(theme), label="options")
    survives(lab, TRANSPORT_CONFIG, options, model.transport, data.draw)
