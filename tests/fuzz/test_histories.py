# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold over several runs: two policies, runs that are cancelled, others at work, files of yesterday.

Each write of a run is judged by that run alone: it takes SMTP AUTH from no mailbox that its own list allows, and gives
or takes it only where it said so before. What somebody else changed in between is nobody's promise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fuzz import model
from fuzz.lab import LABEL, PASSWORD, RESTORE, SMTP_AUTH, Lab, Run
from fuzz.profiles import cases
from hypothesis import event, given, note
from hypothesis import strategies as st

ADDRESSES = ("scanner", "reports", "fax", "ada", "ben")
_OWN = st.sampled_from([None, None, True, False])
_ORGANIZATION = st.booleans()


@dataclass
class Story:
    """One tenant over several runs. ``touched``: mailboxes and the organization that others changed meanwhile."""

    lab: Lab
    files: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    came_to: list[str] = field(default_factory=list)

    def address(self, name: str) -> str:
        return f"{name}@{LABEL}.onmicrosoft.com"

    def changes_since(self, seen: int) -> list[Mapping[str, Any]]:
        return self.lab.history()[seen:]


class Interleaved:
    """The connection of one run, at whose n-th request something else happens first."""

    def __init__(self, lab: Lab, turn: int, happen: Callable[[], None]) -> None:
        self._inner = lab.http
        self._turn = turn
        self._happen = happen

    def _next(self) -> None:
        self._turn -= 1
        if self._turn == 0:
            self._happen()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Any:
        self._next()
        return self._inner.post(url, headers, body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy of a small tenant: some allowed, some denied, and what becomes of the others."""
    cut = draw(st.permutations(ADDRESSES))
    allowed, denied = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    options: dict[str, Any] = {
        "allowed": list(cut[:allowed]),
        "denied": list(cut[allowed : allowed + denied]),
        "unlisted": draw(st.sampled_from(["unmanaged", "not_enabled", "disabled"])),
        "allow_empty": draw(st.booleans()),
        "propagation_delay": draw(st.sampled_from([0, 900])),
        "wait_timeout": 5,
    }
    organization = draw(st.sampled_from(["disabled", "disabled", "enabled", None]))
    return {**options, **({"organization": organization} if organization else {})}


def named(story: Story, policy: Mapping[str, Any]) -> dict[str, Any]:
    lists = {option: [story.address(name) for name in policy[option]] for option in ("allowed", "denied")}
    return {**policy, **lists}


@dataclass(frozen=True)
class Choice:
    """One run, drawn as a whole before it starts: what happens in its middle happens in a thread of its own.

    happening: "", "drift" or "run". turn: at which request. lives: after how many writes it is cancelled.
    """

    policy: Mapping[str, Any]
    happening: str = ""
    turn: int = 0
    lives: int | None = None
    drift: tuple[str, bool | None, bool] = ("ada", None, False)
    other: Choice | None = None


@st.composite
def drifts(draw: st.DrawFn) -> tuple[str, bool | None, bool]:
    """Whose mailbox somebody else sets to what, or that the organization is set."""
    return draw(st.sampled_from(ADDRESSES)), draw(_OWN), draw(st.integers(0, 4)) == 0


@st.composite
def choices(draw: st.DrawFn, policy: Mapping[str, Any], *, alone: bool = True) -> Choice:
    happening = draw(st.sampled_from(["", "", "drift", "run" if alone else ""]))
    return Choice(
        policy,
        happening,
        draw(st.integers(1, 12)),
        draw(st.sampled_from([None, None, None, 0, 1, 2, 4])),
        draw(drifts()),
        draw(choices(draw(policies()), alone=False)) if happening == "run" else None,
    )


def drift(story: Story, drawn: tuple[str, bool | None, bool]) -> None:
    """Somebody else sets a mailbox or the organization to another value."""
    name, value, flip = drawn
    if flip:
        story.touched.add(model.ORGANIZATION)
        story.lab.simulator.patch_tenant(LABEL, transport_config={"SmtpClientAuthenticationDisabled": bool(value)})
    else:
        story.touched.add(story.address(name))
        changes = [{"identity": story.address(name), "cas": {"SmtpClientAuthenticationDisabled": value}}]
        story.lab.simulator.patch_tenant(LABEL, mailboxes=changes)


def apply(story: Story, choice: Choice) -> None:
    """One run of a policy, perhaps cancelled, or with something else in the middle; its writes are judged."""
    options = {**named(story, choice.policy), "undo_file": story.lab.undo_path()}
    story.touched.clear()
    nested: list[tuple[int, int]] = []

    def happen() -> None:
        before = len(story.lab.history())
        if choice.other is not None:
            story.touched.update(story.address(name) for name in ADDRESSES)
            story.touched.add(model.ORGANIZATION)
            kept = set(story.touched)
            apply(story, choice.other)
            story.touched |= kept
        else:
            drift(story, choice.drift)
        nested.append((before, len(story.lab.history())))

    http = Interleaved(story.lab, choice.turn, happen) if choice.happening else None
    seen = len(story.lab.history())
    story.told.append(f"run {options}, {choice.happening or 'alone'}, ends after {choice.lives} writes")
    run = story.lab.run(SMTP_AUTH, options, http=http, lives=choice.lives)
    story.came_to.append(f"a run came to {run.code or 'success'}, with {choice.happening or 'nothing'}")
    story.told.append(f"  -> {run.code} {run.error} {run.result.get('msg')}")
    if run.changed and os.path.exists(options["undo_file"]):
        story.files.append(options["undo_file"])
    own = [
        entry
        for number, entry in enumerate(story.changes_since(seen), start=seen)
        if entry.get("cmdlet") != "drift" and not any(begin <= number < end for begin, end in nested)
    ]
    judge(story, run, own, {story.address(name) for name in choice.policy["allowed"]})


def restore(story: Story, draw: Callable[[Any], Any]) -> None:
    """An undo file, of this run or of yesterday, brought back; it announces whom it cuts off or lets in."""
    path = draw(st.sampled_from(story.files))
    force = draw(st.booleans())
    story.touched.clear()
    seen = len(story.lab.history())
    story.told.append(f"restore {path}, force {force}")
    run = story.lab.run(RESTORE, {"src": path, "force": force, "wait_timeout": 5})
    story.came_to.append(f"a restore came to {run.code or 'success'}")
    story.told.append(f"  -> {run.code} {run.error} {run.result.get('msg')}")
    judge(story, run, story.changes_since(seen), set())


def judge(story: Story, run: Run, entries: list[Mapping[str, Any]], allowed: set[str]) -> None:
    """No allowed mailbox is cut off by this run, and nobody gains or loses what the run did not announce."""
    effect = run.result.get("summary", {}).get("effect") or {"lose_sample": [], "gain_sample": []}
    labels = {box["Guid"]: box["PrimarySmtpAddress"] for box in story.lab.state()["mailboxes"]}
    for entry in entries:
        for guid, change in entry["changes"].items():
            label = labels[guid]
            if change["from"] and not change["to"]:
                assert label not in allowed, f"{label} is allowed and was cut off: {entry}"
            if label in story.touched or model.ORGANIZATION in story.touched:
                continue
            announced = effect["lose_sample" if change["from"] else "gain_sample"]
            assert label in announced, f"{label} {change} was not announced: {effect}"


def witness(story: Story, name: str) -> None:
    """Signing in over SMTP, as a device does, comes to what the settings say."""
    state, address = story.lab.state(), story.address(name)
    (guid,) = (box["Guid"] for box in state["mailboxes"] if box["PrimarySmtpAddress"] == address)
    assert story.lab.may_send(address) is model.effective(model.objects(state))[guid], f"{address}: {state}"


@cases(1.0, short=40)
@given(st.data())
def test_histories(lab: Lab, data: st.DataObject) -> None:
    boxes = [
        {
            "upn": f"{name}@{LABEL}.onmicrosoft.com",
            "password": PASSWORD,
            "cas": {"SmtpClientAuthenticationDisabled": data.draw(_OWN)},
        }
        for name in ADDRESSES
    ]
    lab.tenant({"mailboxes": boxes, "transport_config": {"SmtpClientAuthenticationDisabled": data.draw(_ORGANIZATION)}})
    story = Story(lab)
    two = [data.draw(policies()), data.draw(policies())]
    try:
        for _turn in range(data.draw(st.integers(1, 4))):
            step = data.draw(st.sampled_from(["apply", "apply", "drift", "restore"]))
            if step == "apply":
                apply(story, data.draw(choices(data.draw(st.sampled_from(two)))))
            elif step == "drift":
                drift(story, data.draw(drifts()))
            elif story.files:
                restore(story, data.draw)
            witness(story, data.draw(st.sampled_from(ADDRESSES)))
    finally:
        note("\n".join(story.told))
        for outcome in story.came_to:
            event(outcome)
