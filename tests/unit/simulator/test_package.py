# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as a package, and its fixtures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import yaml

from simulator.testing import Simulator

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[3]
TESTS = """
def test_one(exo_simulator, exo_tenant):
    tenant = exo_tenant(mailboxes=[{"upn": "ada@one.example"}])
    assert tenant.environment["EXO_ENDPOINT"] == exo_simulator.endpoint
    assert exo_simulator.mailbox(tenant.label, "ada@one.example")["SmtpClientAuthenticationDisabled"] is None
    assert set(exo_simulator.control("GET", "tenants")) == {"given", tenant.label}


def test_two(exo_simulator):
    assert set(exo_simulator.control("GET", "tenants")) == {"given"}
"""


def project() -> dict[str, object]:
    return dict(tomllib.loads((Simulator.home() / "pyproject.toml").read_text(encoding="utf-8"))["project"])


def blocks(language: str) -> list[str]:
    readme = (Simulator.home() / "README.md").read_text(encoding="utf-8")
    return [textwrap.dedent(found) for found in re.findall(rf"```{language}\n(.*?)```", readme, re.DOTALL)]


def test_the_readmes_tenant_and_faults_work(tmp_path: Path) -> None:
    tenants, entra, *_jobs = (yaml.safe_load(block) for block in blocks("yaml"))
    (description,) = tenants["tenants"]
    path = tmp_path / "tenants.yml"
    path.write_text(yaml.safe_dump({"tenants": [{**description, **entra}]}), encoding="utf-8")
    with Simulator.start(tenants=path, state_dir=tmp_path / "state") as running:
        assert running.mailbox("contoso", "scanner@contoso.example")["policy_gate"]["policy"] == "Allow SMTP"
        (drift,) = (json.loads(block) for block in blocks("json"))
        (curl,) = re.findall(r"--json \\\n\s*'(\{.*?\})'", "".join(blocks("shell")), re.DOTALL)
        for fault in (drift, json.loads(curl)):
            running.control("POST", "faults", fault)
        assert [fault["fault"]["kind"] for fault in running.faults()] == ["drift", "throttle"]


def test_its_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "tenants.yml").write_text("tenants: [{label: given}]", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nexo_tenants = tenants.yml\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "simulator.pytest_plugin", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(Simulator.home().parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_it_asks_for_what_its_modules_import() -> None:
    needed = {re.split(r"[\[>=~<]", str(name))[0].lower() for name in project()["dependencies"]}  # type: ignore[attr-defined]
    known = {"jwt": "pyjwt", "yaml": "pyyaml"}
    imported: set[str] = set()
    for path in Simulator.home().glob("*.py"):
        found = re.findall(r"^(?:import|from) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        imported |= {known.get(name, name) for name in found if name not in sys.stdlib_module_names}
    # pytest is there where its plugin is loaded.
    assert imported - {"pytest"} == needed


def test_its_ranges_are_those_of_the_tests() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/requirements").glob("test.txt"))
    ranges = dict(re.findall(r"^([A-Za-z]+)(?:\[\w+\])?([~>=<][^\s#]*)", text, re.MULTILINE))
    for needed in project()["dependencies"]:  # type: ignore[attr-defined]
        name, wanted = re.fullmatch(r"([A-Za-z]+)(?:\[\w+\])?(.*)", needed).groups()  # type: ignore[union-attr]
        assert ranges.get(name, wanted) == wanted
