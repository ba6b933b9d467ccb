# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the callback C(fleet) prints, as pure functions of results. PRIVATE to the collection."""

from __future__ import annotations

import itertools
import json
import re
import textwrap
import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from ansible_collections.m365.exchange_online.plugins.module_utils._text import lose_and_gain

WIDTH = 108
COLUMNS = ("tenant", "outcome", "lose", "gain")
# Parts of a failed result that say nothing about the failure, or are shown already.
_NOT_SHOWN = frozenset(
    {"artifact", "changed", "delta", "deprecations", "diff", "end", "exception", "failed", "invocation", "msg", "start"}
    | {"assertion", "evaluated_to", "stderr_lines", "stdout_lines", "summary", "warnings"}
    | {"changed_when_result", "failed_when_result"}
)
_ORGANIZATION = {"disabled": "organization off", "enabled": "organization on"}


class _Dumper(yaml.SafeDumper):
    """Texts of several lines keep their lines."""


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


@dataclass
class Tally:
    """What happened on one host. lose and gain: mailboxes, None where one task could not tell."""

    changed: int = 0
    lose: int | None = 0
    gain: int | None = 0
    counted: bool = False

    def add(self, result: Mapping[str, t.Any]) -> None:
        self.counted = True
        self.changed += bool(result.get("changed"))
        if result.get("changed"):
            effect = effect_of(result)
            self.lose = _sum(self.lose, effect.get("lose", 0))
            self.gain = _sum(self.gain, effect.get("gain", 0))


@dataclass(frozen=True)
class Row:
    """A line of the table at the end."""

    tenant: str
    outcome: str
    lose: int | None
    gain: int | None


def clean(text: object) -> str:
    """The text without control characters: some of it comes from the service, and a terminal would obey them."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in str(text))


def effect_of(result: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    summary = result.get("summary")
    found = summary.get("effect") if isinstance(summary, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def task_line(result: Mapping[str, t.Any], check: bool) -> str:
    """What a task of the collection did, in one line: the module's own, or the counters in words."""
    if result.get("msg"):
        return clean(result["msg"])
    if not result.get("changed"):
        return "nothing to change"
    parts = [*_organization_part(result), *_mailboxes_part(result, check)]
    line = ", ".join(parts or _settings_part(result, check))
    effect = _effect_part(effect_of(result), check)
    undo = f"; way back: {clean(result['undo_file'])}" if result.get("undo_file") else ""
    return line + effect + undo


def diff_lines(diff: object) -> list[str]:
    """A line for each setting that differs; a diff of another form as its lines."""
    entries = diff if isinstance(diff, list) else [diff]
    lines: list[str] = []
    for entry in entries:
        lines += _entry_lines(entry) if isinstance(entry, Mapping) else []
    return lines


def messages(result: Mapping[str, t.Any]) -> list[str]:
    """What a failure says: most have one text, an assertion may have several."""
    return [clean(text) for text in _listed(result.get("msg") or "It failed without a message.")]


def reasons(result: Mapping[str, t.Any]) -> list[str]:
    """What a failure says without the tenant that it begins with, because the end of an audit leaves that out."""
    return [re.sub(r"^\S+: ", "", message) for message in messages(result)]


def failure_lines(result: Mapping[str, t.Any]) -> list[str]:
    """The message, and everything else that the failure carries."""
    said = messages(result)
    lines = list(itertools.chain.from_iterable(wrapped(text) for text in said))
    kept = _beside(said, result)
    if kept:
        lines += clean(yaml.dump(kept, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)).splitlines()
    return lines


def _beside(said: Sequence[str], result: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a failure carries beside what it says."""
    # By way of JSON, because the values may be Ansible's own kinds of text and number.
    rest = json.loads(json.dumps({key: value for key, value in result.items() if key not in _NOT_SHOWN}, default=str))
    kept = {key: value for key, value in rest.items() if not key.startswith("_") and value not in (None, "", [], {})}
    # A hint is part of the message, too.
    if "hint" in kept and str(kept["hint"]) in " ".join(said):
        del kept["hint"]
    if all(one["identity"] in " ".join(said) for one in kept.get("cut_off", ())):
        kept.pop("cut_off", None)
    return kept


def parts_lines(result: Mapping[str, t.Any], host: str) -> list[str]:
    """How each part of a tenant that failed went; the host is named by the line before."""
    said = [message.removeprefix(f"{host}: ") for message in messages(result)]
    return list(itertools.chain.from_iterable(wrapped(text) for text in said))


def news(result: Mapping[str, t.Any], known: Collection[str]) -> list[str]:
    """What a failure says beyond the messages of its host that are known: an audit repeats them at its end."""
    said = messages(result)
    new = [text for text in said if not any(message in text for message in known)]
    if new == said:
        return failure_lines(result)
    return list(itertools.chain.from_iterable(wrapped(text) for text in new)) or ["for the reason above"]


def debug_lines(result: Mapping[str, t.Any]) -> list[str]:
    """What a debug task says: its message, or the variable that it shows."""
    if "msg" in result:
        said = result["msg"]
        return list(itertools.chain.from_iterable(clean(text).splitlines() or [""] for text in _listed(said)))
    shown = {key: value for key, value in result.items() if key not in ("changed", "failed") and key[:1] != "_"}
    return [clean(f"{key}: {json.dumps(value, default=str)}") for key, value in shown.items()]


def wrapped(text: object) -> list[str]:
    """Lines of a bearable width; long words, such as paths, stay whole."""
    lines: list[str] = []
    for line in clean(text).splitlines():
        lines += textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return lines


_BROKEN_OFF = ("FAILED", "UNREACHABLE")


def row(tenant: str, tally: Tally, summary: Mapping[str, int], check: bool) -> Row:
    """summary: of the host, as Ansible counts (failures, unreachable)."""
    outcome = "would change" if check else "changed"
    if not tally.changed:
        outcome = "unchanged"
    if summary.get("failures"):
        outcome = "FAILED"
    if summary.get("unreachable"):
        outcome = "UNREACHABLE"
    if outcome in _BROKEN_OFF:
        # What failed told nothing of its effect, so none is no figure.
        return Row(tenant, outcome, tally.lose or None, tally.gain or None)
    return Row(tenant, outcome, tally.lose, tally.gain)


def table(rows: Sequence[Row]) -> list[str]:
    """The rows under their heads, and a line that counts them."""
    wide = max(len(name) for name in ("tenant", *(one.tenant for one in rows)))
    form = f"{{:<{wide}}}  {{:<12}}  {{:>5}}  {{:>5}}"
    lines = [form.format(*COLUMNS)]
    lines += [form.format(one.tenant, one.outcome, _number(one.lose), _number(one.gain)) for one in rows]
    return [*lines, totals(rows)]


def totals(rows: Sequence[Row]) -> str:
    """``12 tenants: 9 unchanged, 2 changed, 1 FAILED``."""
    outcomes = [one.outcome for one in rows]
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in dict.fromkeys(sorted(outcomes, key=_rank)))
    return f"{_counted(len(rows), 'tenant')}: {counts}"


def _rank(outcome: str) -> int:
    return ("unchanged", "would change", "changed", "FAILED", "UNREACHABLE").index(outcome)


def _organization_part(result: Mapping[str, t.Any]) -> Iterable[str]:
    organization = result.get("organization")
    if isinstance(organization, Mapping) and organization.get("before") != organization.get("after"):
        after = organization.get("after")
        yield _ORGANIZATION.get(str(after), "organization changed")


def _mailboxes_part(result: Mapping[str, t.Any], check: bool) -> Iterable[str]:
    summary = result.get("summary")
    changed = summary.get("changed") if isinstance(summary, Mapping) else None
    if changed:
        yield f"{_counted(changed, 'mailbox', 'mailboxes')} {'would change' if check else 'changed'}"


def _settings_part(result: Mapping[str, t.Any], check: bool) -> Iterable[str]:
    names = itertools.chain.from_iterable(_differing(entry) for entry in _listed(result.get("diff") or []))
    what = ", ".join(dict.fromkeys(names)) or "settings"
    yield f"{what} {'would change' if check else 'changed'}"


def _effect_part(effect: Mapping[str, t.Any], check: bool) -> str:
    if not effect or effect.get("lose") == effect.get("gain") == 0:
        return ""
    return f"; {lose_and_gain(effect.get('lose'), effect.get('gain', 0), preview=check)}"


def _entry_lines(entry: Mapping[str, t.Any]) -> list[str]:
    if entry.get("prepared"):
        return clean(entry["prepared"]).rstrip("\n").splitlines()
    before, after = entry.get("before"), entry.get("after")
    if before == after:
        return []
    header = clean(entry.get("after_header") or entry.get("before_header") or "")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        names = _differing(entry)
        return [f"{header}  {name}: {_value(before.get(name))} → {_value(after.get(name))}" for name in names]
    return [header, *_marked("-", before), *_marked("+", after)]


def _marked(mark: str, side: object) -> list[str]:
    return [f"{mark} {line}" for line in clean(side or "").splitlines()]


def _differing(entry: object) -> list[str]:
    """The names that differ, where an entry of the diff has names."""
    sides = [entry.get(side) for side in ("before", "after")] if isinstance(entry, Mapping) else []
    named = [side for side in sides if isinstance(side, Mapping)]
    if len(named) != 2:
        return []
    before, after = named
    return [clean(name) for name in {**before, **after} if before.get(name) != after.get(name)]


def _value(value: object) -> str:
    return clean(value if isinstance(value, str) else json.dumps(value, default=str))


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _number(number: int | None) -> str:
    return "?" if number is None else str(number)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
