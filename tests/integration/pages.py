# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code blocks of the documentation, what runs each of them, and a reader who pastes them into a shell."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness import ROOT

README, CONTRIBUTING, SECURITY = "README.md", "CONTRIBUTING.md", "SECURITY.md"
REGISTER, ERRORS = "docs/register_app.md", "docs/smtp_auth_errors.md"
EVIDENCE, AWX, FLEET = "docs/evidence.md", "docs/awx.md", "docs/fleet.md"
ROLE = "roles/tenant_baseline/README.md"
SIMULATOR = "playbooks/files/simulator/README.md"
GUIDES = "docs/docsite/rst"
CI, COOKBOOK, FIRST_HOUR = (f"{GUIDES}/guide_{name}.rst" for name in ("ci", "cookbook", "first_hour"))
UNDO, VALUES = (f"{GUIDES}/guide_{name}.rst" for name in ("undo", "values"))
# Their blocks are those of the English pages, which are run.
TRANSLATIONS = tuple(f"{GUIDES}/guide_first_hour_{language}.rst" for language in ("de", "es"))

# Languages of blocks that no test runs, and why.
NO_CODE = {
    "mermaid": "a drawing",
    "text": "a form, a screen or a file of another program",
    "powershell": "takes PowerShell and a real tenant; the simulator's own tests read such an export",
}
# The rest runs as it stands, except that other directories take the place of /etc/exo and its like, that nobody waits a
# quarter of an hour for a change to arrive, and for these programs:
#   az      needs a real tenant; the tests write down and check what it is told
#   pip     needs a package index; make fresh runs the README's, and the guides' names are compared with what is needed
#   make    would run the tests within the tests; make fresh runs make demo and make test
# podman is in no block, because it needs images from a registry.
# The sections with code, and what runs it: a test, or a target of make.
SECTIONS = {
    (README, "Install"): "make fresh",
    (README, "See it work without a tenant"): "make fresh",
    (README, "A first playbook"): "test_a_first_playbook",
    (CONTRIBUTING, "Set up"): "test_the_same_commands_are_in_the_readme",
    (REGISTER, "A certificate"): "test_register_the_app",
    (REGISTER, "With the Azure CLI"): "test_register_the_app",
    (REGISTER, "Check it"): "test_register_the_app",
    (ERRORS, ""): "test_what_a_device_was_told",
    (EVIDENCE, ""): "test_the_role",
    (AWX, "Set it up"): "make awx",
    (AWX, "The way back"): "make awx",
    (REGISTER, "For many tenants"): "test_another_tenant",
    (FLEET, "A canary"): "test_the_role",
    (ROLE, "Use"): "test_the_role",
    (ROLE, "What it does"): "test_the_role",
    (SIMULATOR, ""): "test_the_same_commands_are_in_the_readme",
    (SIMULATOR, "Try a baseline"): "test_the_simulators_page",
    (SIMULATOR, "Tenants"): "test_the_readmes_tenant_and_faults_work",
    (SIMULATOR, "Faults"): "test_the_readmes_tenant_and_faults_work",
    (SIMULATOR, "In tests"): "test_the_simulators_page",
    (CI, ""): "test_a_baseline_in_ci",
    (FIRST_HOUR, "1. Install (five minutes)"): "test_the_same_commands_are_in_the_readme",
    (FIRST_HOUR, "3. Tell the collection where your tenant is"): "test_the_first_hour",
    (FIRST_HOUR, "4. Look (ten minutes)"): "test_the_first_hour",
    (FIRST_HOUR, "5. Change one test mailbox, and put it back (ten minutes)"): "test_the_first_hour",
    (UNDO, ""): "test_the_recipes",
    (VALUES, "Inherit"): "test_the_recipes",
    (VALUES, "Lists"): "test_the_recipes",
    (COOKBOOK, "Printers and scanners: off for the organization, on for the list"): "test_the_recipes",
    (COOKBOOK, "Shared mailboxes: Outlook and the web only"): "test_the_recipes",
    (COOKBOOK, "POP and IMAP off, except for two mailboxes"): "test_the_recipes",
    (COOKBOOK, "Do not cut off mailboxes that are in use"): "test_the_recipes",
    (COOKBOOK, "A tenant with a history: export first"): "test_the_first_hour",
    (COOKBOOK, "Many tenants: a canary first"): "test_the_first_hour",
}
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:(?: {3}.*)?\n)+)", re.MULTILINE)
HEADINGS = {".md": re.compile(r"^## (.+)$", re.MULTILINE), ".rst": re.compile(r"^(.+)\n-{3,}$", re.MULTILINE)}
CODE = {".md": FENCE, ".rst": DIRECTIVE}


class Block(NamedTuple):
    section: str
    language: str
    text: str


def pages() -> list[str]:
    """Every page of prose that users or contributors read."""
    below = [*(ROOT / "docs").rglob("*.md"), *(ROOT / GUIDES).glob("*.rst"), *(ROOT / "roles").glob("*/README.md")]
    return [README, CONTRIBUTING, SECURITY, SIMULATOR, *sorted(str(path.relative_to(ROOT)) for path in below)]


def blocks(page: str) -> list[Block]:
    suffix = Path(page).suffix
    parts = ["", *HEADINGS[suffix].split((ROOT / page).read_text(encoding="utf-8"))]
    sections = zip(parts[::2], parts[1::2], strict=True)
    found = []
    for section, content in sections:
        found += [
            Block(section, language, textwrap.dedent(text).rstrip("\n") + "\n")
            for language, text in CODE[suffix].findall(content)
            if language not in NO_CODE
        ]
    return found


def of(page: str, section: str, language: str) -> list[str]:
    return [block.text for block in blocks(page) if block.section == section and block.language == language]


def commands(text: str) -> list[str]:
    """The lines of a shell block without their comments."""
    return [line.split(" #")[0].strip() for line in text.splitlines()]


def play(tasks: Iterable[str], *keywords: str) -> str:
    """A playbook of tasks that a page shows by themselves."""
    head = ["- hosts: localhost", "  gather_facts: false", *(f"  {keyword}" for keyword in keywords), "  tasks:"]
    return "\n".join(head) + "\n" + textwrap.indent("\n".join(tasks), "    ")


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

    def program(self, name: str, text: str) -> None:
        """A program of the reader's own that comes before all others of that name."""
        path = self.directory / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def paste(self, *texts: str) -> str:
        script = "\n".join(["set -eu", *map(self.placed, texts)])
        done = subprocess.run(
            ["bash", "-c", script], check=False, env=self.environment, cwd=self.directory, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout


def changed(output: str, host: str) -> list[str]:
    """The numbers of changed tasks of a host in the recaps of what ansible-playbook printed."""
    return re.findall(rf"^{re.escape(host)} .*\bchanged=(\d+)", output, re.MULTILINE)
