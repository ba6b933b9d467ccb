# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role names each of its variables, parts and connection options wherever they are needed."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.m365.exchange_online.plugins.module_utils._options import CONNECTION_NAMES, OPTIONS
from ansible_collections.m365.exchange_online.plugins.plugin_utils._baseline import (
    COMMON,
    FORMS,
    PARTS,
    SHARED,
    Part,
)

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "tenant_baseline"
MODULE_UTILS = "ansible_collections.m365.exchange_online.plugins.module_utils"
PLUGIN_UTILS = "ansible_collections.m365.exchange_online.plugins.plugin_utils"
NAMES = [part.name for part in PARTS]
SECRETS = {f"exo_{option.name}" for option in OPTIONS if option.no_log}
# Whoever may set extra variables of a job must not choose where the secret goes.
NOT_MAPPED = {"endpoint", "authority", "graph_endpoint", "validate_certs"}


def load(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text(encoding="utf-8"))


VARIABLES = load("vars/main.yml")


def parts() -> list[dict[str, Any]]:
    """The blocks of the parts, in the order in which they run."""
    blocks: list[dict[str, Any]] = []
    for task in load("tasks/all_parts.yml"):
        blocks += [task] if "block" in task else load(f"tasks/{task['ansible.builtin.include_tasks']}")
    return blocks


def test_every_variable_is_in_every_place() -> None:
    assert sorted(load("defaults/main.yml")) == sorted(FORMS)
    for entry in load("meta/argument_specs.yml")["argument_specs"].values():
        assert sorted(entry["options"]) == sorted({*FORMS, *SECRETS})
    rows = re.findall(r"^\| `(tenant_baseline_\w+)` \|", (ROLE / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == sorted(FORMS)


def test_the_secrets_are_known_to_the_core() -> None:
    options = load("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name for name, option in options.items() if option.get("no_log")} == SECRETS


def test_defaults_are_those_of_the_filter() -> None:
    # The default of this one counts less than a value that is set, so it must not look like one.
    unset = {"tenant_baseline_max_lose": None}
    assert {name: form.default for name, form in FORMS.items()} | unset == load("defaults/main.yml")


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_a_part_takes_what_its_module_shares_with_others(part: Part) -> None:
    ((task,),) = (block["block"] for block in parts() if block["tags"] == [part.name])
    (module,) = (name.rpartition(".")[2] for name in task["module_defaults"])
    spec = importlib.import_module(f"{MODULE_UTILS}.{module.replace('exo', '', 1)}").ARGUMENT_SPEC
    given_by_the_role = SHARED - {"wait", "wait_timeout"}
    assert set(part.spec) & given_by_the_role == set(spec) & given_by_the_role


def test_the_filters_need_no_network() -> None:
    """They are loaded anew for each task and host, and the libraries of the network take longer than all they do."""
    code = f"import sys, {PLUGIN_UTILS}._outcome; print(sorted({{'requests', 'msal', 'urllib3'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_part_has_its_task_and_its_tag() -> None:
    assert [block["tags"] for block in parts()] == [[name] for name in NAMES]
    for name, block in zip(NAMES, parts(), strict=True):
        (task,) = block["block"]
        ((module, defaults),) = task["module_defaults"].items()
        assert task[module]["tenant"] == "{{ exo_tenant }}"
        assert task["register"] == f"__tenant_baseline_{name}_result"
        if name == "policies":  # several, and the first part: nothing comes before it
            assert defaults == "{{ __tenant_baseline_connection | combine(item) }}"
            own = "__tenant_baseline_plan.arguments.policies"
            assert task["loop"] == f"{{{{ {own} if 'policies' in __tenant_baseline_outcome.to_do else [] }}}}"
            continue
        assert defaults == f"{{{{ __tenant_baseline_connection | combine(__tenant_baseline_plan.arguments.{name}) }}}}"
        assert task["when"] == f"'{name}' in __tenant_baseline_outcome.to_do"
    assert list(VARIABLES["__tenant_baseline_results"]) == NAMES
    assert set().union(*(block["tags"] for block in load("tasks/parts.yml"))) == COMMON


def test_every_part_is_a_tag_of_the_rest() -> None:
    for file in ("main.yml", "announced.yml", "audit.yml", "refused.yml", "tenants.yml"):
        for task in load(f"tasks/{file}"):
            assert "ansible.builtin.import_tasks" in task or task["tags"] == NAMES, file
    for playbook in ("baseline.yml", "audit.yml"):
        first, second, *_others = yaml.safe_load((ROOT / "playbooks" / playbook).read_text())
        assert first["vars"]["__exo_parts"] == NAMES
        assert second.get("tags", NAMES) == NAMES


def test_the_connection_is_that_of_the_modules() -> None:
    assert set(VARIABLES["__tenant_baseline_connection_variables"]) == CONNECTION_NAMES - NOT_MAPPED - {"tenant"}


def test_the_playbooks_connect_alike() -> None:
    mapped = VARIABLES["__tenant_baseline_connection_variables"]
    for name in ("restore", "live_check", "export"):
        (_first, play) = yaml.safe_load((ROOT / "playbooks" / f"{name}.yml").read_text())
        mapping = play["module_defaults"]["group/m365.exchange_online.exo"]
        assert {key: value for key, value in mapping.items() if key != "tenant"} == mapped
