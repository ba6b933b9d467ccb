# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every code block of the README and the documentation runs as it stands; its links lead somewhere."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from harness import ROOT, Tenant
from pages import (
    CONTRIBUTING,
    ERRORS,
    EVIDENCE,
    FIRST_HOUR,
    FLEET,
    README,
    REGISTER,
    ROLE,
    SECTIONS,
    SIMULATOR,
    TRANSLATIONS,
    Reader,
    blocks,
    changed,
    commands,
    of,
    pages,
    play,
)
from tools import fresh, links


def test_each_block_has_a_runner() -> None:
    english = [page for page in pages() if page not in TRANSLATIONS]
    sections = set()
    for page in english:
        sections |= {(page, block.section) for block in blocks(page)}
    assert sections == set(SECTIONS)
    ran = list(itertools.chain.from_iterable(of(README, section, "shell") for section in fresh.SECTIONS))
    assert fresh.blocks((ROOT / README).read_text(encoding="utf-8")) == ran
    assert {section for (page, section), runner in SECTIONS.items() if runner == "make fresh"} == set(fresh.SECTIONS)


@pytest.mark.parametrize("page", TRANSLATIONS)
def test_a_translation_has_the_blocks_of_the_english_pages(page: str) -> None:
    policy = [block for block in blocks(README) if block.section == "A first playbook"]
    assert [block[1:] for block in blocks(page)] == [block[1:] for block in (*blocks(FIRST_HOUR), *policy)]


def test_the_same_commands_are_in_the_readme() -> None:
    """And make fresh runs them there."""
    (install,) = of(README, "Install", "shell")
    (demo,) = of(README, "See it work without a tenant", "shell")
    (contribute,) = of(CONTRIBUTING, "Set up", "shell")
    assert commands(contribute) == commands(demo)
    first, more = of(FIRST_HOUR, "1. Install (five minutes)", "shell")
    assert first == install
    project = (ROOT / SIMULATOR).with_name("pyproject.toml").read_text(encoding="utf-8")
    (needed,) = re.findall(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    names = {name.lower() for name in re.findall(r'^ *"(\w+)', needed, re.MULTILINE)}
    pip, playbook = more.splitlines()
    # msal, of the block before, brings requests.
    assert set(pip.removeprefix("pip install ").split()) == names - {"requests"}
    assert playbook == "ansible-playbook m365.exchange_online.demo"
    assert of(SIMULATOR, "", "shell") == [f"python -m pip install ./{Path(SIMULATOR).parent}\n"]


def test_a_first_playbook(reader: Reader, contoso: Tenant) -> None:
    section = (README, "A first playbook")
    connection, preview, apply, undo = of(*section, "shell")
    (policy,) = of(*section, "yaml")
    reader.write("smtp_auth.yml", policy)
    assert "3 mailboxes would lose SMTP AUTH" in " ".join(reader.paste(connection, preview).split())
    assert contoso.writes() == []
    output = reader.paste(connection, apply)
    assert changed(output, "localhost") == ["1", "0"]
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


def test_register_the_app(reader: Reader, contoso: Tenant) -> None:
    """The certificate is really made and the check really made; az only writes down what it was told."""
    reader.program("az", AZ)
    reader.program("sleep", "#!/bin/sh\n")
    (certificate,) = of(REGISTER, "A certificate", "shell")
    (azure,) = of(REGISTER, "With the Azure CLI", "shell")
    (check,) = of(REGISTER, "Check it", "shell")
    reader.paste(certificate)
    own = reader.directory / "contoso.pem"
    assert oct(own.stat().st_mode)[-3:] == "600"
    assert own.read_text().count("-----BEGIN") == 2
    assert reader.paste(azure).endswith("client_id: 11111111-2222-3333-4444-555555555555\n")
    calls = (reader.directory / "az.log").read_text().split("\n\n")
    assert [call.split("\n")[0] for call in calls if call] == ["login", "ad", "ad", "ad", "ad", "ad", "rest", "ad"]
    assert '{"principalId": "99999999-8888-7777-6666-555555555555", "roleDefinitionId":' in calls[6]
    own.write_bytes(Path(str(contoso.info.values["certificate_path"])).read_bytes())
    assert '"answer": "yes"' in reader.paste(check)


def test_another_tenant(reader: Reader, contoso: Tenant) -> None:
    """The commands are syntactically right and say what they are to say; az only writes it down."""
    reader.program("az", AZ)
    reader.program("sleep", "#!/bin/sh\n")
    customer, live_check = of(REGISTER, "For many tenants", "shell")
    reader.paste(customer)
    calls = [call.split("\n") for call in (reader.directory / "az.log").read_text().split("\n\n") if call]
    assert [call[0] for call in calls] == ["login", "ad", "ad", "ad", "rest", "rest"]
    bodies = [json.loads(call[-1]) for call in calls[-2:]]
    principal = "99999999-8888-7777-6666-555555555555"
    assert [body["principalId"] for body in bodies] == [principal, principal]
    keys = itertools.chain.from_iterable(bodies)
    assert [key for key in keys if key not in ("principalId", "directoryScopeId")] == [
        "resourceId",
        "appRoleId",
        "roleDefinitionId",
    ]
    reader.write("inventory.yml", of(ROLE, "Use", "yaml")[0])
    assert "READY to read" in reader.paste(live_check)


def test_what_a_device_was_told(reader: Reader, contoso: Tenant) -> None:
    (tasks,) = of(ERRORS, "", "yaml")
    reader.write("why.yml", play([tasks]))
    (connection, *_others) = of(README, "A first playbook", "shell")
    assert "organization" in reader.paste(connection, "ansible-playbook why.yml")


def test_the_role(reader: Reader, contoso: Tenant) -> None:
    inventory, own = of(ROLE, "Use", "yaml")
    reader.write("inventory.yml", inventory)
    reader.write("own.yml", own)
    (usage,) = of(ROLE, "Use", "shell")
    (restore,) = of(ROLE, "What it does", "shell")
    preview, apply, audit = usage.splitlines()
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


@pytest.mark.parametrize("page", [page for page in pages() if page.endswith(".md")])
def test_links_lead_somewhere(page: str) -> None:
    assert [*links.broken(ROOT / page, ROOT), *links.broken_addresses(ROOT / page, ROOT)] == []


def test_the_readme_names_each_plugin_and_each_module_once() -> None:
    (section,) = re.findall(r"^## What is in it$(.*?)^## ", (ROOT / README).read_text(encoding="utf-8"), re.M | re.S)
    first_cells = re.findall(r"^\| (`exo_.*?) \|", section, re.MULTILINE)
    modules = re.findall(r"`(exo_\w+)`", "".join(first_cells))
    assert sorted(modules) == sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("exo_*.py"))
    others = [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").glob("*")]
    for kind in ("inventory", "callback", "lookup"):
        others += (ROOT / "plugins" / kind).glob("*.py")
    assert [path.stem for path in others if f"`{path.stem}`" not in section] == []
