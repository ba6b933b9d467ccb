# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every code block of the README and the documentation runs as it stands; its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
from harness import ROOT, Lab, Tenant
from tools import fresh, links

README, REGISTER, ERRORS = "README.md", "docs/register_app.md", "docs/smtp_auth_errors.md"
EVIDENCE, AWX, FLEET = "docs/evidence.md", "docs/awx.md", "docs/fleet.md"
ROLE = "roles/tenant_baseline/README.md"
PAGES = sorted(str(path.relative_to(ROOT)) for path in [ROOT / README, ROOT / ROLE, *(ROOT / "docs").rglob("*.md")])
# The sections with code, and what runs it: a test below, or make fresh.
SECTIONS = {
    (README, "Install"): "make fresh",
    (README, "See it work without a tenant"): "make fresh",
    (README, "A first playbook"): "test_a_first_playbook",
    (REGISTER, "A certificate"): "test_register_the_app",
    (REGISTER, "With the Azure CLI"): "test_register_the_app",
    (REGISTER, "Check it"): "test_register_the_app",
    (REGISTER, "For many tenants"): "test_another_tenant",
    (FLEET, "A canary"): "test_the_role",
    (ERRORS, ""): "test_what_a_device_was_told",
    (EVIDENCE, ""): "test_the_role",
    (AWX, "Set it up"): "make awx",
    (AWX, "The way back"): "make awx",
    (ROLE, "Use"): "test_the_role",
    (ROLE, "What it does"): "test_the_role",
}
NOT_RUN = {"mermaid", "text"}
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    section: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    parts = ["", *re.split(r"^## (.+)$", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)]
    sections = zip(parts[::2], parts[1::2], strict=True)
    return [
        Block(section, language, text)
        for section, content in sections
        for language, text in FENCE.findall(content)
        if language not in NOT_RUN
    ]


def of(page: str, section: str, language: str) -> list[str]:
    return [block.text for block in blocks(page) if block.section == section and block.language == language]


@dataclass(frozen=True)
class Reader:
    """A reader who pastes the blocks into one shell, in a directory of their own."""

    directory: Path
    environment: dict[str, str] = field(repr=False)
    # What the reader has elsewhere.
    places: Mapping[str, str]

    def placed(self, text: str) -> str:
        for here, there in self.places.items():
            text = text.replace(here, there)
        return text

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(self.placed(text), encoding="utf-8")

    def paste(self, *texts: str) -> str:
        script = "\n".join(["set -eu", *map(self.placed, texts)])
        done = subprocess.run(
            ["bash", "-c", script], check=False, env=self.environment, cwd=self.directory, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout


@pytest.fixture
def contoso(lab: Lab) -> Tenant:
    """The tenant that the documentation speaks of."""
    return lab.tenant(
        "documented",
        domains=["contoso.onmicrosoft.com", "contoso.com"],
        apps=[{"client_id": "11111111-2222-3333-4444-555555555555", "certificate": True}],
        transport_config={"SmtpClientAuthenticationDisabled": False},
        mailboxes=[{"upn": f"{name}@contoso.com"} for name in ("scanner", "reports", "ada", "ben")],
    )


@pytest.fixture
def reader(lab: Lab, contoso: Tenant, tmp_path: Path) -> Reader:
    ready = lab.prepare([])
    programs = tmp_path / "bin"
    programs.mkdir()
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), ready.environment.get("PATH", os.defpath)])
    environment = {**ready.environment, **contoso.urls, "EXO_CA_PATH": contoso.environment["EXO_CA_PATH"], "PATH": path}
    environment["ANSIBLE_STDOUT_CALLBACK"] = "default"
    certificate = str(contoso.info.values["certificate_path"])
    places = {
        "/etc/exo/contoso.pem": certificate,
        "/etc/exo/app.pem": certificate,
        "/var/lib/exo/undo": str(tmp_path / "undo"),
        "/var/lib/exo/reports": str(tmp_path / "reports"),
        "/srv/www/exo": str(tmp_path / "evidence"),
        "-i inventory": f"-i {shlex.quote(str(tmp_path / 'inventory.yml'))}",
    }
    return Reader(tmp_path, environment, places)


def test_each_block_has_a_runner() -> None:
    assert {(page, block.section) for page in PAGES for block in blocks(page)} == set(SECTIONS)
    ran = [block for section in fresh.SECTIONS for block in of(README, section, "shell")]
    assert fresh.blocks((ROOT / README).read_text(encoding="utf-8")) == ran
    assert {section for (page, section), runner in SECTIONS.items() if runner == "make fresh"} == set(fresh.SECTIONS)


def test_a_first_playbook(reader: Reader, contoso: Tenant) -> None:
    section = (README, "A first playbook")
    connection, preview, apply, undo = of(*section, "shell")
    (policy,) = of(*section, "yaml")
    reader.write("smtp_auth.yml", policy)
    assert "3 mailboxes lose SMTP AUTH" in " ".join(reader.paste(connection, preview).split())
    assert contoso.writes() == []
    output = reader.paste(connection, apply)
    assert [line.split("changed=")[1].split()[0] for line in output.splitlines() if "changed=" in line] == ["1", "0"]
    assert (contoso.transport(), contoso.own("scanner@contoso.com")) == (True, False)
    reader.paste(connection, undo)
    assert (contoso.transport(), contoso.own("scanner@contoso.com")) == (False, None)


AZ = """\
#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done >> az.log
echo >> az.log
case "$*" in
  "ad app create"*) echo 11111111-2222-3333-4444-555555555555 ;;
  "ad sp show"*) echo 99999999-8888-7777-6666-555555555555 ;;
esac
"""


def program(reader: Reader, name: str, text: str) -> None:
    path = reader.directory / "bin" / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def test_register_the_app(reader: Reader, contoso: Tenant) -> None:
    """The certificate is really made and the check really made; az only writes down what it was told."""
    program(reader, "az", AZ)
    program(reader, "sleep", "#!/bin/sh\n")
    (certificate,) = of(REGISTER, "A certificate", "shell")
    (commands,) = of(REGISTER, "With the Azure CLI", "shell")
    (check,) = of(REGISTER, "Check it", "shell")
    reader.paste(certificate)
    own = reader.directory / "contoso.pem"
    assert oct(own.stat().st_mode)[-3:] == "600"
    assert own.read_text().count("-----BEGIN") == 2
    assert reader.paste(commands).endswith("client_id: 11111111-2222-3333-4444-555555555555\n")
    calls = (reader.directory / "az.log").read_text().split("\n\n")
    assert [call.split("\n")[0] for call in calls if call] == ["login", "ad", "ad", "ad", "ad", "ad", "rest", "ad"]
    assert '{"principalId": "99999999-8888-7777-6666-555555555555", "roleDefinitionId":' in calls[6]
    own.write_bytes(Path(str(contoso.info.values["certificate_path"])).read_bytes())
    assert '"answer": "yes"' in reader.paste(check)


def test_another_tenant(reader: Reader, contoso: Tenant) -> None:
    """The commands are syntactically right and say what they are to say; az only writes it down."""
    program(reader, "az", AZ)
    program(reader, "sleep", "#!/bin/sh\n")
    customer, live_check = of(REGISTER, "For many tenants", "shell")
    reader.paste(customer)
    calls = [call.split("\n") for call in (reader.directory / "az.log").read_text().split("\n\n") if call]
    assert [call[0] for call in calls] == ["login", "ad", "ad", "ad", "rest", "rest"]
    bodies = [json.loads(call[-1]) for call in calls[-2:]]
    principal = "99999999-8888-7777-6666-555555555555"
    assert [body["principalId"] for body in bodies] == [principal, principal]
    assert [key for body in bodies for key in body if key not in ("principalId", "directoryScopeId")] == [
        "resourceId",
        "appRoleId",
        "roleDefinitionId",
    ]
    reader.write("inventory.yml", of(ROLE, "Use", "yaml")[0])
    assert "READY to read" in reader.paste(live_check)


def test_what_a_device_was_told(reader: Reader, contoso: Tenant) -> None:
    (tasks,) = of(ERRORS, "", "yaml")
    indented = "".join(f"    {line}\n" for line in tasks.splitlines())
    reader.write("why.yml", f"- hosts: localhost\n  gather_facts: false\n  tasks:\n{indented}")
    (connection, *_others) = of(README, "A first playbook", "shell")
    assert "organization" in reader.paste(connection, "ansible-playbook why.yml")


def test_the_role(reader: Reader, contoso: Tenant) -> None:
    inventory, play = of(ROLE, "Use", "yaml")
    reader.write("inventory.yml", inventory)
    reader.write("own.yml", play)
    (commands,) = of(ROLE, "Use", "shell")
    (restore,) = of(ROLE, "What it does", "shell")
    preview, apply, audit = commands.splitlines()
    for name in ("undo", "reports", "evidence"):
        (reader.directory / name).mkdir(mode=0o700)
    reader.paste(preview)
    assert contoso.writes() == []
    # Nobody waits a quarter of an hour here.
    reader.paste(apply.replace("# apply", "-e tenant_baseline_propagation_delay=0"))
    assert (contoso.transport(), contoso.own("scanner@contoso.com")) == (True, False)
    assert "compliant" in reader.paste(audit)
    reader.paste(*of(EVIDENCE, "", "shell"))
    assert (reader.directory / "evidence" / "evidence.html").exists()
    reader.paste("ansible-playbook -i inventory own.yml", *of(FLEET, "A canary", "shell"))
    reader.paste(restore)
    assert (contoso.transport(), contoso.own("scanner@contoso.com")) == (False, None)


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", "SECURITY.md", "playbooks/files/simulator/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    assert [*links.broken(ROOT / page, ROOT), *links.broken_addresses(ROOT / page, ROOT)] == []


def test_the_readme_names_each_plugin_and_each_module_once() -> None:
    (section,) = re.findall(r"^## What is in it$(.*?)^## ", (ROOT / README).read_text(encoding="utf-8"), re.M | re.S)
    first_cells = re.findall(r"^\| (`exo_.*?) \|", section, re.MULTILINE)
    modules = re.findall(r"`(exo_\w+)`", "".join(first_cells))
    assert sorted(modules) == sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("exo_*.py"))
    others = [path for kind in ("inventory", "callback", "lookup") for path in (ROOT / "plugins" / kind).glob("*.py")]
    others += [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").glob("*")]
    assert [path.stem for path in others if f"`{path.stem}`" not in section] == []
