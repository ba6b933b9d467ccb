# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides of the documentation site show, runs as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from harness import ROOT, Lab, Tenant
from scene import placed, tenants

GUIDES = ROOT / "docs" / "docsite" / "rst"
BLOCK = re.compile(r"^( *)\.\. code-block:: (\w+)\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)
OFFLINE = re.compile(r"^(pip |python3 -m venv|\. exo-env|ansible-galaxy).*$", re.MULTILINE)
# Guides that are nothing but tasks.
TASKS = ("guide_cookbook", "guide_undo", "guide_values")


def blocks(guide: str, language: str) -> list[str]:
    text = (GUIDES / f"{guide}.rst").read_text(encoding="utf-8")
    return [textwrap.dedent(block) for _indent, found, block in BLOCK.findall(text) if found == language]


def shell(contoso: Tenant, directory: Path, script: str) -> str:
    """What a shell printed that runs in a directory, with the collection and the simulated tenant around it."""
    ready = contoso.lab.prepare([])
    path = os.pathsep.join([str(Path(sys.executable).parent), ready.environment.get("PATH", os.defpath)])
    names = {"EXO_CA_PATH": contoso.environment["EXO_CA_PATH"], "ANSIBLE_STDOUT_CALLBACK": "default", "PATH": path}
    done = subprocess.run(
        ["bash", "-euc", script], check=False, env={**ready.environment, **contoso.urls, **names}, cwd=directory,
        text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout


def inventory(directory: Path, contoso: Tenant) -> None:
    own = {"exo_tenant": contoso.domain, "exo_client_id": contoso.info.client_id}
    own["exo_certificate_path"] = str(contoso.info.values["certificate_path"])
    (directory / "inventory").mkdir()
    hosts = {"tenants": {"hosts": {"contoso": own}}}
    (directory / "inventory" / "hosts.yml").write_text(yaml.safe_dump(hosts))


@pytest.mark.parametrize("guide", TASKS)
def test_tasks(guide: str, lab: Lab, tmp_path: Path) -> None:
    contoso = tenants(lab, closed=False)
    tasks = [task for block in blocks(guide, "yaml") for task in yaml.safe_load(block)]
    play = {"name": guide, "hosts": "all", "gather_facts": False, "tasks": tasks}
    path = tmp_path / "play.yml"
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    lab.run_playbook(path, contoso, warns=["."])


def test_brownfield_and_canary(lab: Lab, tmp_path: Path) -> None:
    contoso = tenants(lab, closed=False)
    inventory(tmp_path, contoso)
    brownfield, canary = blocks("guide_cookbook", "shell")
    assert "changed=0" in shell(contoso, tmp_path, brownfield)
    assert "failed=0" in shell(contoso, tmp_path, canary)
    assert contoso.writes() == []


def test_the_first_hour(lab: Lab, tmp_path: Path) -> None:
    contoso = tenants(lab, closed=True)
    texts = [placed(block, contoso, tmp_path) for block in blocks("guide_first_hour", "yaml")]
    for name, text in zip(("tenants.yml", "look.yml", "try.yml"), texts, strict=True):
        (tmp_path / name).write_text(text)
    _install, _demo, check, look, change = [OFFLINE.sub("", block) for block in blocks("guide_first_hour", "shell")]
    shell(contoso, tmp_path, check)
    shell(contoso, tmp_path, look)
    assert "scanner@contoso.com" in (tmp_path / "smtp_auth.csv").read_text()
    assert contoso.writes() == []
    output = shell(contoso, tmp_path, change)
    assert [line.split("changed=")[1].split()[0] for line in output.splitlines() if "changed=" in line][:3] == [*"110"]
    assert contoso.own("test@contoso.com") is None


def test_a_baseline_in_ci(lab: Lab, tmp_path: Path) -> None:
    contoso = tenants(lab, closed=False)
    (described,) = blocks("guide_ci", "yaml")
    (tmp_path / "tenants.yml").write_text(described)
    inventory(tmp_path, contoso)
    baseline = {"tenant_baseline_smtp_auth_organization": "disabled"}
    baseline |= {"tenant_baseline_smtp_auth_allowed": [{"identity": "scanner@contoso.com"}]}
    (tmp_path / "inventory" / "group_vars").mkdir()
    (tmp_path / "inventory" / "group_vars" / "tenants.yml").write_text(yaml.safe_dump(baseline))
    start, test = [OFFLINE.sub("", block) for block in blocks("guide_ci", "shell")]
    (tmp_path / "test_baseline.sh").write_text(test)
    simulator = f"'{sys.executable}' '{ROOT / 'playbooks' / 'files' / 'simulator'}'"
    shell(contoso, tmp_path, start.replace("exo-simulator", simulator))
