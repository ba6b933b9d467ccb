# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one way to converge: announce, limits, undo file, apply, result."""

from __future__ import annotations

import csv
import functools
import json
import os
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _undo, _undo_parts, _write
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import LIMITS, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._converge import Wanted, converge
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Move, effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    ExoError,
    Expired,
    InvalidRequest,
    NotFound,
    PartialFailure,
    Refused,
    ServiceUnavailable,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Missing, Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan, ordered, parse_limits
from ansible_collections.m365.exchange_online.plugins.module_utils._results import object_results, summary
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import UndoParts

AUTH = "SmtpClientAuthenticationDisabled"
SPEC = {**LIMITS, **UNDO, **WAIT}
Tenant = Callable[..., t.Any]
Run = Callable[..., t.Any]


class Job:
    """A task that disables two mailboxes, closes the organization and lets a third mailbox follow it."""

    def __init__(self, client: t.Any) -> None:
        self.client = client
        self.blocked_by: ExoError | None = None
        self.failure: ExoError | None = None
        self.missing: tuple[Missing, ...] = ()
        self.wanted: tuple[t.Any, ...] = (True, True, "inherit")

    def __call__(self, task: Task) -> dict[str, t.Any]:
        records = []
        for box in self.client.boxes.values():
            address = box["PrimarySmtpAddress"]
            records.append(Record(Target(CAS_MAILBOX, box["Guid"], address, address), dict(box)))
        organization = Record(Target(TRANSPORT_CONFIG), dict(self.client.transport))
        changes = (
            plan_change(organization, {SMTP_AUTH: True}),
            *(plan_change(r, {SMTP_AUTH: value}) for r, value in zip(records, self.wanted, strict=True)),
        )
        moves = [Move(records[0].target, before=True, after=False), Move(records[2].target, before=False, after=True)]
        plan = Plan(
            ordered(changes, blocked_by=self.blocked_by), changes, self.missing, 3, effect(moves), self.blocked_by
        )

        def shape(plan: Plan, told: t.Any) -> dict[str, t.Any]:
            return {
                "mailboxes": object_results(plan, told, only_changes=False),
                "summary": summary(plan, told),
                "diff": {"before": 1, "after": 2},
            }

        limits = parse_limits(task.params).of(3)
        more = {"expired": ["somebody"]}
        return converge(task, t.cast(Client, self.client), plan, Wanted(shape, limits, self.failure, more))


@pytest.fixture
def client(tenant: Tenant) -> t.Any:
    made = tenant(3, organization={AUTH: False})
    list(made.boxes.values())[2][AUTH] = False
    return made


@pytest.fixture
def job(client: t.Any) -> Job:
    return Job(client)


def statuses(result: dict[str, t.Any]) -> dict[str, str]:
    return {entry["identity"]: entry["status"] for entry in result["mailboxes"]}


def test_the_whole_way(job: Job, run: Run, tmp_path: Path) -> None:
    undo, effects = tmp_path / "undo.json", tmp_path / "effect.csv"
    ran = run(job, SPEC, job.client, undo_file=str(undo), effect_file=str(effects))
    assert ran.error is None
    assert ran.result["changed"] is True
    assert ran.result["confirmed"] is True
    assert ran.result["undo_file"] == str(undo)
    assert ran.result["effect_file"] == str(effects)
    assert ran.result["expired"] == ["somebody"]
    assert ran.result["diff"] == {"before": 1, "after": 2}
    assert ran.result["msg"] == (
        f"contoso.com: organization off → 3 mailboxes change, 1 loses SMTP AUTH, 1 gains it; way back: {undo}"
    )
    assert ran.warnings == [
        "1 mailbox loses SMTP AUTH in effect: user1@contoso.com.",
        "1 mailbox gains SMTP AUTH in effect: user3@contoso.com.",
    ]
    assert set(statuses(ran.result).values()) == {"changed"}
    assert len(job.client.writes) == 4
    written = json.loads(undo.read_text())
    assert (written["tenant"], written["task"], len(written["entries"])) == ("contoso.com", "exo_test", 4)
    rows = list(csv.DictReader(effects.read_text().splitlines()))
    assert [(row["tenant"], row["primary_smtp_address"], row["smtp_auth"]) for row in rows] == [
        ("contoso.com", "user1@contoso.com", "loses"),
        ("contoso.com", "user3@contoso.com", "gains"),
    ]


def test_check_mode_reads_and_writes_nothing_and_says_the_same(job: Job, run: Run, tmp_path: Path) -> None:
    undo, effects = tmp_path / "undo.json", tmp_path / "effect.json"
    ran = run(job, SPEC, job.client, check_mode=True, undo_file=str(undo), effect_file=str(effects))
    assert ran.error is None
    assert ran.result["changed"] is True
    assert ran.result["msg"].startswith("contoso.com: organization off → 3 mailboxes would change")
    assert "undo_file" not in ran.result
    assert "confirmed" not in ran.result
    assert set(statuses(ran.result).values()) == {"changed"}
    assert len(ran.warnings) == 2
    assert job.client.writes == []
    assert not undo.exists()
    assert [row["smtp_auth"] for row in json.loads(effects.read_text())] == ["loses", "gains"]


def test_the_undo_file_is_there_before_the_first_write(job: Job, run: Run, tmp_path: Path) -> None:
    undo = tmp_path / "undo.json"
    seen: list[str] = []

    def looked(command: Command) -> ExoError | None:
        if not command.reads:
            seen.append(undo.read_text() if undo.exists() else "nothing")
        return None

    job.client.before = looked
    run(job, SPEC, job.client, undo_file=str(undo))
    assert len(seen) == 4
    assert len(json.loads(seen[0])["entries"]) == 4
    assert len(set(seen)) == 1


def test_no_way_back_no_write(job: Job, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_undo.os, "fsync", full)
    ran = run(job, SPEC, job.client, undo_file=str(tmp_path / "undo.json"))
    assert isinstance(ran.failure, Refused)
    assert job.client.ran == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_an_undo_file_that_can_t_be_written_is_told_in_check_mode_too(
    check_mode: bool, job: Job, run: Run, tmp_path: Path
) -> None:
    ran = run(job, SPEC, job.client, check_mode=check_mode, undo_file=str(tmp_path / "gone" / "undo.json"))
    assert isinstance(ran.failure, Refused)
    assert "nothing was changed" in str(ran.failure)
    assert job.client.ran == []


def test_nothing_to_change_leaves_no_file_and_says_so(job: Job, run: Run, tmp_path: Path) -> None:
    job.client.transport[AUTH] = True
    for box, value in zip(job.client.boxes.values(), (True, True, None), strict=True):
        box[AUTH] = value
    ran = run(job, SPEC, job.client, undo_file=str(tmp_path / "undo.json"))
    assert (ran.result["changed"], ran.result["msg"]) == (False, "contoso.com: nothing to change")
    assert "confirmed" not in ran.result
    assert list(tmp_path.iterdir()) == []
    assert job.client.ran == []


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("limits", [{"max_changes": "2"}, {"max_lose": "0"}, {"max_gain": "0"}])
def test_a_plan_beyond_a_limit_is_refused_before_the_first_write(
    limits: dict[str, str], check_mode: bool, job: Job, run: Run, tmp_path: Path
) -> None:
    undo, effects = tmp_path / "undo.json", tmp_path / "effect.csv"
    ran = run(job, SPEC, job.client, check_mode=check_mode, undo_file=str(undo), effect_file=str(effects), **limits)
    assert isinstance(ran.failure, Refused)
    assert next(iter(limits)) in str(ran.failure)
    assert job.client.ran == []
    assert not undo.exists()
    assert effects.exists()  # everybody who would lose or gain, where the message names just the first ones
    assert len(ran.warnings) == 2


def test_without_an_undo_file_the_last_line_says_so(job: Job, run: Run) -> None:
    ran = run(job, SPEC, job.client)
    assert ran.result["msg"].endswith("way back: none (undo_file was not given)")


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_is_blocked_is_failed_and_not_changed(check_mode: bool, job: Job, run: Run) -> None:
    job.blocked_by = NotFound("scanner@contoso.com can't be found.")
    ran = run(job, SPEC, job.client, check_mode=check_mode)
    assert ran.failure.error_code == "not_found"
    assert str(ran.failure) == "scanner@contoso.com can't be found."
    assert statuses(ran.result) == {
        "user1@contoso.com": "changed", "user2@contoso.com": "changed", "user3@contoso.com": "failed",
    }  # fmt: skip
    (blocked,) = [entry for entry in ran.result["mailboxes"] if entry["status"] == "failed"]
    assert blocked["after"] == blocked["before"] == {SMTP_AUTH: False}
    assert blocked["error"] == "Not written: scanner@contoso.com can't be found."
    counts = {key: ran.result["summary"][key] for key in ("changed", "failed", "unchanged")}
    assert counts == {"changed": 2, "failed": 1, "unchanged": 0}
    assert ran.result["changed"] is True
    assert len(job.client.writes) == (0 if check_mode else 2)
    assert "msg" not in ran.result


def test_a_failure_of_the_tasks_own_comes_with_everything_done(job: Job, run: Run) -> None:
    job.failure = Expired("Past their last day.")
    ran = run(job, SPEC, job.client)
    assert ran.failure.error_code == "expired"
    assert set(statuses(ran.result).values()) == {"changed"}
    assert len(job.client.writes) == 4


def test_which_failure_is_told_first(job: Job, run: Run) -> None:
    job.failure = Expired("Past their last day.")
    job.client.before = lambda command: (
        InvalidRequest("No.") if command.subject == "user1@contoso.com" and not command.reads else None
    )
    assert isinstance(run(job, SPEC, job.client).failure, PartialFailure)
    job.blocked_by = NotFound("Gone.")
    assert isinstance(run(job, SPEC, job.client).failure, NotFound)
    job.client.before = lambda command: AccessDenied("Out.")
    assert isinstance(run(job, SPEC, job.client).failure, AccessDenied)


def test_what_was_not_reached_is_failed(job: Job, run: Run) -> None:
    job.client.before = lambda command: AccessDenied("Out.") if command.subject == "user2@contoso.com" else None
    ran = run(job, SPEC, job.client)
    by_name = {entry["identity"]: entry for entry in ran.result["mailboxes"]}
    assert statuses(ran.result) == {
        "user1@contoso.com": "changed", "user2@contoso.com": "failed", "user3@contoso.com": "failed",
    }  # fmt: skip
    assert by_name["user3@contoso.com"]["error"] == "Not written: Out."
    assert ran.result["changed"] is True


def test_what_does_not_show_warns_and_is_not_confirmed(job: Job, run: Run) -> None:
    client, shown = job.client, job.client._run

    def deaf(command: Command) -> t.Any:
        written = command.subject == "user1@contoso.com" and not command.reads
        return shown(Command("Set-OrganizationConfig")) if written else shown(command)

    client._run = deaf
    ran = run(job, SPEC, client, wait_timeout=0)
    assert ran.error is None
    assert ran.result["confirmed"] is False
    (warning,) = [text for text in ran.warnings if "did not show" in text]
    assert "within 0 seconds: user1@contoso.com." in warning


def test_who_does_not_wait_is_told_nothing_of_confirmation(job: Job, run: Run) -> None:
    ran = run(job, SPEC, job.client, wait=False)
    assert ran.error is None
    assert "confirmed" not in ran.result


def test_the_services_own_warnings_are_passed_on(job: Job, run: Run) -> None:
    job.client.warnings.append("Set-TransportConfig for the organization: It will be different from December.")
    ran = run(job, SPEC, job.client)
    assert ran.warnings[-1] == (
        "The service says about Set-TransportConfig for the organization: It will be different from December."
    )


def test_who_is_missing_is_told(job: Job, run: Run) -> None:
    job.missing = (Missing("gone@contoso.com", "There is no mailbox 'gone@contoso.com'."),)
    ran = run(job, SPEC, job.client, check_mode=True)
    assert ran.warnings[0] == "There is no mailbox 'gone@contoso.com'. It was left out."
    assert statuses(ran.result)["gone@contoso.com"] == "missing"


def test_failures_are_counted_in_the_last_line(job: Job, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    job.blocked_by = NotFound("Gone.")
    from ansible_collections.m365.exchange_online.plugins.module_utils import _converge

    lines: list[str] = []
    closing = _converge._closing

    def kept(*arguments: t.Any) -> str:
        lines.append(closing(*arguments))
        return lines[-1]

    monkeypatch.setattr(_converge, "_closing", kept)
    run(job, SPEC, job.client, check_mode=True)
    assert lines == ["contoso.com: 2 mailboxes would change, 1 would lose SMTP AUTH, 1 would gain it, 2 failed"]


@pytest.mark.parametrize("name", ["effect.csv", "gone/effect.csv"])
def test_an_effect_file_has_to_be_a_file_that_can_be_written(name: str, job: Job, run: Run, tmp_path: Path) -> None:
    path = name if "/" not in name else str(tmp_path / name)
    ran = run(job, SPEC, job.client, effect_file=path)
    assert isinstance(ran.failure, InvalidRequest)
    assert "effect_file" in str(ran.failure)
    assert job.client.ran == []
    assert not os.path.exists(path)


def test_a_lost_answer_is_looked_at_and_told_as_it_is(job: Job, run: Run) -> None:
    lost = ServiceUnavailable("Lost.", in_doubt=True)
    job.client.after = lambda command: lost if command.subject == "user1@contoso.com" and not command.reads else None
    ran = run(job, SPEC, job.client)
    assert ran.error is None
    assert set(statuses(ran.result).values()) == {"changed"}


def test_a_way_back_in_parts_is_told_before_the_first_write(
    job: Job, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_write, "split", functools.partial(_undo_parts.split, most=700))
    place = UndoParts(str(tmp_path))

    def refused(**how: t.Any) -> str:
        ran = run(job, SPEC, job.client, undo_in_result=True, **how)
        assert isinstance(ran.error, Refused)
        assert job.client.writes == []
        return ran.error.message

    assert "no other results of this run hold them" in refused()
    assert "no other results of this run hold them" in refused(undo_parts=place)
    announced = run(job, SPEC, job.client, undo_in_result=True, undo_parts=place, check_mode=True)
    first = announced.result["undo"]
    assert first["parts"] > 1
    assert "no other results" in refused(undo_parts=place)
    rest = [place.tell(first["set"], number) for number in range(2, first["parts"] + 1)]
    job.wanted = (True, True, True)
    assert "no other results" in refused(undo_parts=place), "it is not what was told"
    job.wanted = (True, True, "inherit")
    ran = run(job, SPEC, job.client, undo_in_result=True, undo_parts=place)
    assert ran.error is None and job.client.writes
    assert _undo_parts.joined([ran.result["undo"], *rest], "content")["groups"]
