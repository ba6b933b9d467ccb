# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold over several runs: two lists, both gates, runs that are cancelled, others at work, old files.

Each write of a run is judged by that run alone: it takes SMTP AUTH from no mailbox that its own list allows, gives or
takes it only where it said so before, and does so in one step. What somebody else changed in between is nobody's
promise. SMTP AUTH works where both gates are open: the settings of mailbox and organization, and the authentication
policy.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fuzz import model
from fuzz.lab import (
    AUTHENTICATION_POLICY,
    DOMAIN,
    LABEL,
    ORGANIZATION_CONFIG,
    PASSWORD,
    RESTORE,
    SMTP_AUTH,
    USER,
    Lab,
    Module,
    Run,
    State,
)
from fuzz.profiles import cases
from hypothesis import event, given, note
from hypothesis import strategies as st

ADDRESSES = tuple(f"{name}@{DOMAIN}" for name in ("scanner", "reports", "fax", "ada", "ben"))
ALLOW, BLOCK, SPARE = "Allow SMTP", "Block Basic", "Spare"
_OWN = st.sampled_from([None, None, True, False])
_POLICY = st.sampled_from([ALLOW, BLOCK, ""])
_FLAG = model.SMTP_WIRE

Write = Mapping[str, Any]


@dataclass
class Story:
    """One tenant over several runs.

    touched: mailboxes and the organization that others changed meanwhile. unseen: those that they changed between a
    run's last look and its write; no client can know of these, because the service has no write with a condition.
    """

    lab: Lab
    gated: bool
    files: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    came_to: list[str] = field(default_factory=list)


class Interleaved:
    """The connection of one run, at whose n-th request something else happens first."""

    def __init__(self, lab: Lab, turn: int, happen: Callable[[bool], None]) -> None:
        self._inner = lab.http
        self._turn = turn
        self._happen = happen

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Any:
        self._turn -= 1
        if self._turn == 0:
            self._happen(re.search(rb'"(Set|New|Remove)-', body) is not None)
        return self._inner.post(url, headers, body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass(frozen=True)
class Task:
    """One task: its module and options. allowed: whom it must not cut off."""

    module: Module
    options: Mapping[str, Any]
    allowed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Drift:
    """What somebody else changes.

    what: own (a mailbox's setting), user (who has which policy), organization, default, or switch (of a policy).
    """

    what: str
    address: str
    own: bool | None
    policy: str


@dataclass(frozen=True)
class Choice:
    """One run, drawn as a whole before it starts: what happens in its middle happens in a thread of its own.

    happening: "", "drift" or "run". turn: at which request. lives: after how many writes it is cancelled.
    """

    task: Task
    happening: str
    turn: int
    lives: int | None
    drift: Drift
    other: Choice | None

    @property
    def undisturbed(self) -> bool:
        return not self.happening and self.lives is None


@st.composite
def lists(draw: st.DrawFn, gated: bool) -> Task:
    """A list for a small tenant: some allowed, some denied, and what becomes of the others."""
    cut = draw(st.permutations(ADDRESSES))
    allowed, denied = draw(st.integers(0, 3)), draw(st.integers(0, 2))
    methods = st.sampled_from(["basic", "basic", "oauth"])
    options: dict[str, Any] = {
        "allowed": [{"identity": address, "method": draw(methods)} for address in cut[:allowed]],
        "denied": [{"identity": address} for address in cut[allowed : allowed + denied]],
        "unlisted": draw(st.sampled_from(["unmanaged", "not_enabled", "disabled"])),
        "allow_empty": draw(st.booleans()),
        "propagation_delay": draw(st.sampled_from([0, 900])),
    }
    organization = draw(st.sampled_from(["disabled", "disabled", "enabled", None]))
    if organization:
        options["organization"] = organization
    if gated and draw(st.integers(0, 3)):
        options["authentication_policy"] = ALLOW
    return Task(SMTP_AUTH, options, frozenset(cut[:allowed]))


@st.composite
def policy_tasks(draw: st.DrawFn) -> Task:
    """A task on one part of the second gate: users, a policy, or which one is the default."""
    module = draw(st.sampled_from([USER, USER, AUTHENTICATION_POLICY, ORGANIZATION_CONFIG]))
    if module is ORGANIZATION_CONFIG:
        return Task(module, {"default_authentication_policy": draw(_POLICY)})
    if module is AUTHENTICATION_POLICY:
        name = draw(st.sampled_from([ALLOW, BLOCK, SPARE]))
        if draw(st.integers(0, 3)) == 0:
            return Task(module, {"name": name, "state": "absent"})
        return Task(module, {"name": name, "allow_basic_auth_smtp": draw(st.booleans())})
    chosen = list(draw(st.permutations(ADDRESSES)))[: draw(st.integers(1, 3))]
    selection: dict[str, Any] = {"identity": chosen, "exclude": []}
    if draw(st.booleans()):
        selection = {"all_users": True, "exclude": chosen}
    return Task(module, {**selection, "authentication_policy": draw(_POLICY)})


def drifts(gated: bool) -> st.SearchStrategy[Drift]:
    flags, policies = ["own", "own", "own", "organization"], ["user", "default", "switch"]
    return st.builds(
        Drift, st.sampled_from(flags + policies if gated else flags), st.sampled_from(ADDRESSES), _OWN, _POLICY
    )


@st.composite
def choices(draw: st.DrawFn, tasks: st.SearchStrategy[Task], gated: bool, *, alone: bool = True) -> Choice:
    happening = draw(st.sampled_from(["", "", "drift", "run" if alone else ""]))
    return Choice(
        draw(tasks),
        happening,
        draw(st.integers(1, 12)),
        draw(st.sampled_from([None, None, None, 0, 1, 2, 4])),
        draw(drifts(gated)),
        draw(choices(lists(gated), gated, alone=False)) if happening == "run" else None,
    )


def drift(story: Story, drawn: Drift) -> None:
    """Somebody else changes something; a policy that is gone by now can't be changed, or given to anybody."""
    if drawn.what in ("own", "user"):
        story.touched.add(drawn.address)
    else:
        story.touched.add(model.ORGANIZATION)
    known = {"", *(policy["Name"] for policy in story.lab.state()["authentication_policies"])}
    if drawn.policy not in known or (drawn.what == "switch" and not drawn.policy):
        return
    reference = drawn.policy or None
    by_what: dict[str, dict[str, Any]] = {
        "own": {"mailboxes": [{"identity": drawn.address, "cas": {_FLAG: drawn.own}}]},
        "organization": {"transport_config": {_FLAG: bool(drawn.own)}},
        "user": {"mailboxes": [{"identity": drawn.address, "user": {"AuthenticationPolicy": reference}}]},
        "default": {"organization_config": {"DefaultAuthenticationPolicy": reference}},
        "switch": {"authentication_policies": [{"name": drawn.policy, "AllowBasicAuthSmtp": bool(drawn.own)}]},
    }
    story.lab.simulator.patch_tenant(LABEL, **by_what[drawn.what])


def run_alone(story: Story, task: Task, lives: int | None = None, http: Any = None) -> Run:
    options = {**task.options, "wait_timeout": 5}
    if task.module is not RESTORE:
        options["undo_file"] = story.lab.undo_path()
    run = story.lab.run(task.module, options, http=http, lives=lives)
    story.told.append(f"{task.module.name} {options} -> {run.code} {run.error} {run.result.get('msg')}")
    if run.changed and os.path.exists(options.get("undo_file", "")):
        story.files.append(options["undo_file"])
    return run


def apply(story: Story, choice: Choice) -> Run:
    """One run, perhaps cancelled, or with something else in the middle; its writes are judged."""
    story.touched.clear()
    story.unseen.clear()
    nested: list[tuple[int, int]] = []

    def happen(before_write: bool) -> None:
        before = len(story.lab.history())
        if choice.other is not None:
            apply(story, choice.other)
            story.touched |= {*ADDRESSES, model.ORGANIZATION}
        else:
            drift(story, choice.drift)
        story.unseen = set(story.touched) if before_write else set()
        nested.append((before, len(story.lab.history())))

    http = Interleaved(story.lab, choice.turn, happen) if choice.happening else None
    seen, was = len(story.lab.history()), story.lab.state()
    story.told.append(f"{choice.happening or 'alone'}, ends after {choice.lives} writes:")
    run = run_alone(story, choice.task, choice.lives, http)
    with_what = choice.happening or "nothing"
    story.came_to.append(f"a run of {choice.task.module.name} came to {run.code or 'success'}, with {with_what}")
    entries = [
        entry
        for number, entry in enumerate(story.lab.history()[seen:], start=seen)
        if not any(begin <= number < end for begin, end in nested)
    ]
    judge(story, run, entries, choice.task.allowed)
    if choice.undisturbed and run.code is None:
        assert_policies(choice.task, was, story.lab.state())
    return run


def assert_policies(task: Task, was: State, now: State) -> None:
    """A run that nobody disturbed leaves the authentication policies as the model says."""
    wanted = model.policies(was)
    if task.module is SMTP_AUTH:
        wanted = model.policies_by_list(was, task.options)
    elif task.module is USER:
        wanted = model.policies_of_users(was, task.options)
    elif task.module is ORGANIZATION_CONFIG:
        wanted[model.ORGANIZATION] = task.options["default_authentication_policy"]
    assert model.policies(now) == wanted


def baseline(story: Story, task: Task, default: str) -> None:
    """As the role does it: first the list, which knows the default policy to come, then that default."""
    coming = {"authentication_policy": ALLOW, "planned_default_policy": default}
    story.touched.clear()
    story.unseen.clear()
    seen = len(story.lab.history())
    first = run_alone(story, Task(SMTP_AUTH, {**task.options, **coming}))
    judge(story, first, story.lab.history()[seen:], task.allowed)
    if first.code is not None:
        return
    basic = {entry["identity"] for entry in task.options["allowed"] if entry["method"] == "basic"}
    seen = len(story.lab.history())
    second = run_alone(story, Task(ORGANIZATION_CONFIG, {"default_authentication_policy": default}))
    story.came_to.append(f"a baseline came to {second.code or 'success'}")
    judge(story, second, story.lab.history()[seen:], frozenset(basic))


def restore(story: Story, path: str, *, force: bool) -> None:
    """An undo file, of this run or of yesterday, brought back; it announces whom it cuts off or lets in."""
    story.touched.clear()
    story.unseen.clear()
    seen = len(story.lab.history())
    run = run_alone(story, Task(RESTORE, {"src": path, "force": force}))
    story.came_to.append(f"a restore came to {run.code or 'success'}")
    judge(story, run, story.lab.history()[seen:], frozenset())


def judge(story: Story, run: Run, entries: list[Write], allowed: frozenset[str]) -> None:
    """No allowed mailbox is cut off by this run, nobody gains or loses what it did not announce, or more than once."""
    told = run.result.get("summary", run.result).get("effect") or {"lose_sample": [], "gain_sample": []}
    moves = list(itertools.chain.from_iterable(entry["changes_by_both"].values() for entry in entries))
    kept = allowed - story.unseen if model.ORGANIZATION not in story.unseen else frozenset()
    for move in moves:
        assert not (move["from"] and move["address"] in kept), f"{move['address']} is allowed and was cut off"
    if model.ORGANIZATION in story.touched:
        return
    steps = Counter(move["address"] for move in moves)
    for move in moves:
        address = move["address"]
        if address not in story.touched:
            assert address in told["lose_sample" if move["from"] else "gain_sample"], f"{move} is not in {told}"
            assert steps[address] == 1, f"{address} takes {steps[address]} steps: {entries}"


def witness(story: Story, address: str) -> None:
    """Signing in over SMTP, as a device does, comes to what settings and policies say."""
    state = story.lab.state()
    (guid,) = (box["Guid"] for box in state["mailboxes"] if box["PrimarySmtpAddress"] == address)
    assert story.lab.may_send(address) is model.works(state)[guid], f"{address}: {state}"


def tenant(data: st.DataObject, *, gated: bool) -> dict[str, Any]:
    """Five mailboxes; with the second gate, two policies, and any of them may be somebody's or the default."""
    described: dict[str, Any] = {"transport_config": {_FLAG: data.draw(st.booleans())}}
    boxes = [{"upn": address, "password": PASSWORD, "cas": {_FLAG: data.draw(_OWN)}} for address in ADDRESSES]
    if gated:
        described["authentication_policies"] = [{"name": ALLOW, "AllowBasicAuthSmtp": True}, {"name": BLOCK}]
        described["organization_config"] = {"DefaultAuthenticationPolicy": data.draw(_POLICY) or None}
        for box in boxes:
            box["user"] = {"AuthenticationPolicy": data.draw(_POLICY) or None}
    return {**described, "mailboxes": boxes}


def step(story: Story, data: st.DataObject, two: st.SearchStrategy[Task]) -> None:
    """The next thing that happens to the tenant."""
    ways = ["apply", "apply", "drift", "restore", *(["policies", "baseline"] if story.gated else [])]
    way = data.draw(st.sampled_from(ways))
    if way == "apply":
        apply(story, data.draw(choices(two, story.gated)))
    elif way == "policies":
        apply(story, data.draw(choices(policy_tasks(), story.gated)))
    elif way == "baseline":
        baseline(story, data.draw(two), data.draw(_POLICY))
    elif way == "drift":
        drift(story, data.draw(drifts(story.gated)))
    elif story.files:
        restore(story, data.draw(st.sampled_from(story.files)), force=data.draw(st.booleans()))


@cases(1.0, short=40)
@given(st.data())
def test_histories(lab: Lab, data: st.DataObject) -> None:
    gated = data.draw(st.integers(0, 2)) > 0
    lab.tenant(tenant(data, gated=gated))
    story = Story(lab, gated)
    two = st.sampled_from([data.draw(lists(gated)), data.draw(lists(gated))])
    try:
        for _turn in range(data.draw(st.integers(1, 4))):
            step(story, data, two)
            witness(story, data.draw(st.sampled_from(ADDRESSES)))
    finally:
        note("\n".join(story.told))
        for outcome in story.came_to:
            event(outcome)
