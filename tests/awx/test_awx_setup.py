# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""awx_setup against a simulated controller, with the modules of the collection awx.awx."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from harness import Lab, Run

from awx import guide
from awx.controller import TOKEN, Controller
from awx.kinds import PROJECT_FILES

pytestmark = pytest.mark.awx

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "playbooks" / "awx_setup.yml"
TYPE = yaml.safe_load((ROOT / "extensions" / "awx" / "credential_type.yml").read_text(encoding="utf-8"))
SECRET = "-----BEGIN CERTIFICATE-----"
# What the guide puts into awx.yml.
GIVEN: dict[str, Any] = yaml.safe_load(guide.block("Set it up", "yaml"))
UNSAFE = {"host", "hosts", "dir", "report", "evidence", "path", "file", "url", "tenant", "endpoint", "authority"}


def set_up(lab: Lab, environment: dict[str, str], *, check: bool = False) -> Run:
    return lab.run_playbook(
        PLAYBOOK, env=environment, check=check, extra_vars={**GIVEN, "exo_awx_slices": 20}, secrets=[SECRET, TOKEN]
    )


def as_in_the_guide(lab: Lab, environment: dict[str, str], more: str = "") -> str:
    """What the guide's own commands print, with more at their end."""
    prepared = lab.prepare([], env=environment)
    (prepared.directory / "awx.yml").write_text(yaml.safe_dump({**GIVEN, "exo_awx_slices": 20}), encoding="utf-8")
    commands = guide.block("Set it up", "shell").rstrip() + more
    return guide.paste(commands, prepared.environment, prepared.directory)


def changed(run: Run) -> list[str]:
    return [step.task for step in run.steps if step.changed]


class SetUp(NamedTuple):
    """A set-up in its rhythm. ``again``: what the guide's own commands say then. ``written``: what each run wrote."""

    controller: Controller
    check: Run
    first: Run
    again: str
    written: dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's certificate, where the guide's awx.yml looks for it."""
    path = tmp_path_factory.mktemp("app") / "app.pem"
    path.write_text(f"{SECRET}\nMIIB\n-----END CERTIFICATE-----\n", encoding="utf-8")
    GIVEN["exo_awx_app"]["certificate"] = GIVEN["exo_awx_app"]["certificate"].replace("/etc/exo/app.pem", str(path))
    return path


@pytest.fixture(scope="module")
def done(lab: Lab, controller: Controller, environment: dict[str, str], certificate: Path) -> SetUp:
    """One controller for all tests of this file, because each run takes some ten seconds."""
    written = {}
    check = set_up(lab, environment, check=True)
    written["check"] = controller.writes
    first = set_up(lab, environment)
    controller.requests.clear()
    again = as_in_the_guide(lab, environment)
    written["again"] = controller.writes
    return SetUp(controller, check, first, again, written)


@pytest.fixture
def made(done: SetUp) -> Controller:
    return done.controller


def test_check_mode_writes_nothing_and_says_where_it_stops(done: SetUp) -> None:
    assert done.written["check"] == []
    stop = "Say what check mode could not look at"
    assert "Check mode stopped early" in done.check[stop].msg
    assert done.first[stop].status == "skipped"


def test_changed_the_first_time_and_never_again(done: SetUp) -> None:
    making = [step.task for step in done.first.steps if step.task.startswith(("Make", "Fill", "Run", "Lead"))]
    assert changed(done.first) == making
    assert len(making) == 11
    # The guide's commands: once in check mode, which now looks at everything, and once for good.
    assert done.again.count("changed=0") == 2
    assert "stopped early" not in done.again
    assert SECRET not in done.again
    assert done.written["again"] == []


def test_what_is_there_afterwards(made: Controller) -> None:
    (kind,) = made.objects["credential_types"].values()
    assert {key: kind[key] for key in ("kind", "inputs", "injectors")} == {
        key: TYPE[key] for key in ("kind", "inputs", "injectors")
    }
    templates = list(made.objects["job_templates"].values())
    assert {one["playbook"] for one in templates} == set(PROJECT_FILES)
    assert {one["name"].rpartition(" ")[2] for one in templates if one["job_type"] == "check"} == {"preview"}
    for one in [*templates, *made.objects["workflow_job_templates"].values()]:
        assert not one["allow_simultaneous"] and one["ask_limit_on_launch"] and not one["ask_variables_on_launch"]
    slices = {one["name"].rpartition(" ")[2]: one["job_slice_count"] for one in templates}
    assert slices == {"preview": 20, "apply": 20, "audit": 20, "export": 1, "restore": 1, "live_check": 1}
    for one in templates:
        assert [credential["name"] for credential in made.linked(one, "credentials")] == ["Exchange Online app"]
    (schedule,) = made.objects["schedules"].values()
    assert schedule["unified_job_template"] == made.named("job_templates", "Exchange Online audit")["id"]


def test_surveys_ask_for_nothing_that_leads_elsewhere(made: Controller) -> None:
    names = {one["id"]: one["name"].removeprefix("Exchange Online ") for one in made.listed("unified_job_templates")}
    asked = {
        names[number]: {question["variable"]: question for question in survey["spec"]}
        for number, survey in made.surveys.items()
    }
    questions = list(itertools.chain.from_iterable(survey.values() for survey in asked.values()))
    variables = {question["variable"] for question in questions}
    words = set().union(*(name.removeprefix("tenant_baseline_").split("_") for name in variables))
    assert not words & UNSAFE
    # A schedule or a workflow could not start a template with a question that needs an answer.
    assert {one["variable"] for one in questions if one["required"]} == {"exo_restore_job"}
    # What the workflow asks reaches a node only if the node asks it too.
    assert set(asked["preview"]) <= set(asked["apply"]) == set(asked["preview, approve and apply"])


def test_the_workflow_previews_asks_applies_and_audits(made: Controller) -> None:
    nodes = made.objects["workflow_job_template_nodes"].values()
    ways = set()
    for one, link in itertools.product(nodes, ("success_nodes", "failure_nodes", "always_nodes")):
        ways |= {(one["identifier"], link, after["identifier"]) for after in made.linked(one, link)}
    assert ways == {
        ("preview", "success_nodes", "approval"),
        ("approval", "success_nodes", "apply"),
        ("apply", "always_nodes", "audit"),
    }
    (approval,) = made.objects["workflow_approval_templates"].values()
    assert made.named("workflow_job_template_nodes", "approval")["unified_job_template"] == approval["id"]
    assert "Artifacts" in approval["description"]


def test_a_hand_made_change_is_put_right_and_secrets_are_written_on_request(
    lab: Lab, made: Controller, environment: dict[str, str]
) -> None:
    apply, audit = (made.named("job_templates", f"Exchange Online {name}") for name in ("apply", "audit"))
    app = made.named("credentials", "Exchange Online app")
    apply["allow_simultaneous"] = True
    survey = made.surveys.pop(audit["id"])
    made.requests.clear()
    output = as_in_the_guide(lab, environment, " -e exo_awx_update_secrets=true")
    assert "changed=2" in output
    assert SECRET not in output
    assert {path for _method, path in made.writes} == {app["url"], apply["url"], f"{audit['url']}survey_spec/"}
    assert made.surveys[audit["id"]] == survey
