# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project for AWX, run as AWX runs it: the inventory comes from a script, and the app's credential from the job."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from harness import Lab, Tenant, small

pytestmark = pytest.mark.awx

PROJECT = Path(__file__).resolve().parents[2] / "extensions" / "awx" / "project"
PASSWORD = "a-vault-password"


class Project(NamedTuple):
    lab: Lab
    root: Path
    contoso: Tenant
    fabrikam: Tenant

    def command(self, program: str, *arguments: str) -> str:
        prepared = self.lab.prepare([], env=self.environment)
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments], env=prepared.environment, cwd=self.root,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        output = done.stdout + done.stderr
        assert self.fabrikam.info.client_secret not in output
        return f"{output}\nexit code {done.returncode}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the credential of a job injects: it is contoso's app."""
        names = ("EXO_CLIENT_ID", "EXO_CLIENT_SECRET", "EXO_CA_PATH")
        own = {name: self.contoso.environment[name] for name in names}
        return {**own, **self.contoso.urls, "ANSIBLE_STDOUT_CALLBACK": "default", "EXO_CERTIFICATE_PATH": ""}

    def play(self, playbook: str, *arguments: str) -> str:
        return self.command(
            "ansible-playbook", "-i", str(self.root / "awx_inventory"), "--vault-password-file",
            str(self.root / "password"), playbook, *arguments,
        )  # fmt: skip


@pytest.fixture(scope="module")
def project(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("project") / "copy"
    shutil.copytree(PROJECT, root)
    made = Project(lab, root, small(lab), small(lab))
    for name, tenant in (("contoso", made.contoso), ("fabrikam", made.fabrikam)):
        path = root / "inventory" / "host_vars" / f"{name}.yml"
        variables: dict[str, Any] = {**yaml.safe_load(path.read_text(encoding="utf-8")), "exo_tenant": tenant.domain}
        if "tenant_baseline_smtp_auth_allowed" in variables:
            variables["tenant_baseline_smtp_auth_allowed"][0]["identity"] = tenant.at("scanner")
        path.write_text(yaml.safe_dump(variables), encoding="utf-8")
    (root / "password").write_text(PASSWORD, encoding="utf-8")
    (root / "secrets").mkdir()
    secrets = {"exo_client_id": made.fabrikam.info.client_id, "exo_client_secret": made.fabrikam.info.client_secret}
    vaulted = root / "secrets" / "fabrikam.yml"
    vaulted.write_text(yaml.safe_dump(secrets), encoding="utf-8")
    made.command("ansible-vault", "encrypt", "--vault-password-file", "password", "secrets/fabrikam.yml")
    assert vaulted.read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT")
    # A job has no files beside its inventory: what AWX read from the project is all in the script's answer.
    listed = made.command("ansible-inventory", "-i", "inventory/hosts.yml", "--list", "--export")
    inventory = root / "awx_inventory"
    inventory.write_text(f"#!/bin/sh\ncat <<'END'\n{listed.rpartition('exit code')[0]}\nEND\n", encoding="utf-8")
    inventory.chmod(0o700)
    shutil.rmtree(root / "inventory")
    return made


def test_a_preview_reads_variables_and_secrets(project: Project) -> None:
    output = project.play("baseline.yml", "--check", "--diff")
    assert "exit code 0" in output, output[-3000:]
    # From group_vars, from contoso's host_vars, and with fabrikam's own app.
    assert f"{project.contoso.domain}: organization off" in output
    assert project.fabrikam.log() and not project.fabrikam.writes() and not project.contoso.writes()
    assert project.contoso.at("scanner") in output


def test_an_export_is_shown(project: Project) -> None:
    output = project.play("export.yml", "--limit", "contoso")
    assert "tenant_baseline_smtp_auth_allowed" in output, output[-3000:]
    assert "exit code 0" in output


def test_a_restore_needs_a_limit(project: Project) -> None:
    output = project.play("restore.yml", "-e", "exo_restore_job=1")
    assert "Start the job again with a limit" in output, output[-3000:]
    assert "exit code 2" in output
    assert "Which controller has the job" in project.play(
        "restore.yml", "-e", "exo_restore_job=1", "--limit", "contoso"
    )


def test_every_playbook_of_the_project_is_one_that_awx_setup_names() -> None:
    templates = yaml.safe_load((PROJECT.parents[2] / "playbooks" / "vars" / "awx_setup.yml").read_text("utf-8"))
    named = {template["playbook"] for template in templates["__exo_awx_templates"].values()}
    assert named == {path.name for path in PROJECT.glob("*.yml")}
