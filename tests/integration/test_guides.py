# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides and the simulator's page, as a reader follows them."""

from __future__ import annotations

import dataclasses
import functools
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, Tenant
from pages import CI, COOKBOOK, FIRST_HOUR, README, ROLE, SIMULATOR, UNDO, VALUES, Reader, blocks, changed, of, play

import simulator
from simulator import testing

OTHERS = ("archive", "ticket.import", "test")
# A block that starts a simulator in the background goes on when it serves, and it ends with the shell.
ENDS_WITH_THE_SHELL = "trap 'kill $!' EXIT"
SERVES = "until grep -q ^ready printed; do sleep 0.1; done"


@pytest.fixture
def grown(contoso: Tenant) -> Tenant:
    """The documented tenant with what the guides speak of besides."""
    contoso.patch(
        add_mailboxes=[{"upn": f"{name}@contoso.com"} for name in OTHERS]
        + [{"upn": "info@contoso.com", "type": "SharedMailbox"}],
        entra={"licence": "P1", "sign_ins": [{"user": "scanner@contoso.com", "days_ago": 2}]},
    )
    return contoso


def test_the_recipes(reader: Reader, grown: Tenant) -> None:
    """All of them in one play. Those that have something to do only while the organization is open come first."""
    tasks = {
        page: [block.text for block in blocks(page) if block.language == "yaml"] for page in (UNDO, COOKBOOK, VALUES)
    }
    (used,) = of(COOKBOOK, "Do not cut off mailboxes that are in use", "yaml")
    others = [text for text in tasks[COOKBOOK] if text != used]
    at_once = "module_defaults: {m365.exchange_online.exo_smtp_auth: {propagation_delay: 0}}"
    reader.write("recipes.yml", play([*tasks[UNDO], used, *others, *tasks[VALUES]], at_once))
    (connection, *_others) = of(README, "A first playbook", "shell")
    reader.paste(connection, "ansible-playbook recipes.yml")
    assert (grown.transport(), grown.own("scanner@contoso.com"), grown.own("info@contoso.com")) == (True, False, True)
    assert [grown.mailbox(f"{name}@contoso.com")["ImapEnabled"] for name in ("ada", "archive")] == [False, True]


def test_the_first_hour(reader: Reader, grown: Tenant) -> None:
    there = {place: path for place, path in reader.places.items() if place != "-i inventory"}
    reader = dataclasses.replace(reader, places=there)
    (inventory,) = of(FIRST_HOUR, "3. Tell the collection where your tenant is", "yaml")
    check, look = of(FIRST_HOUR, "4. Look (ten minutes)", "shell")
    (looking,) = of(FIRST_HOUR, "4. Look (ten minutes)", "yaml")
    (trying,) = of(FIRST_HOUR, "5. Change one test mailbox, and put it back (ten minutes)", "yaml")
    (change,) = of(FIRST_HOUR, "5. Change one test mailbox, and put it back (ten minutes)", "shell")
    for name, text in (("tenants.yml", inventory), ("look.yml", looking), ("try.yml", trying)):
        reader.write(name, text)
    assert "READY to read" in reader.paste(check, look)
    assert "scanner@contoso.com" in (reader.directory / "smtp_auth.csv").read_text()
    assert grown.writes() == []
    preview, *others = change.splitlines()
    assert changed(reader.paste(preview), "contoso") == ["1"] and grown.writes() == []
    assert changed(reader.paste(*others), "contoso") == ["1", "0", "1"]
    assert grown.own("test@contoso.com") is None
    # The same reader goes on with the cookbook.
    (reader.directory / "inventory").mkdir()
    reader.write("inventory/tenants.yml", inventory)
    written = len(grown.writes())
    (export,) = of(COOKBOOK, "A tenant with a history: export first", "shell")
    (canary,) = of(COOKBOOK, "Many tenants: a canary first", "shell")
    # Only the export itself wrote something, into the inventory.
    assert changed(reader.paste(export, canary), "contoso")[1:] == ["0", "0"]
    assert len(grown.writes()) == written


@pytest.fixture
def stranger(reader: Reader) -> Reader:
    """A reader who starts a simulator of their own."""
    command = shlex.join([sys.executable, str((ROOT / SIMULATOR).parent)])
    reader.program("exo-simulator", f'#!/bin/sh\nexec {command} "$@"\n')
    reader.program("pip", "#!/bin/sh\n")
    for name in ("undo", "simulator"):
        (reader.directory / name).mkdir(mode=0o700)
    places = {
        "-i inventory.yml": "-i ./inventory.yml",
        "/etc/exo/app.pem": "\"{{ lookup('ansible.builtin.env', 'EXO_SIMULATOR_DIRECTORY') }}/contoso.pem\"",
        **{place: path for place, path in reader.places.items() if place != "/etc/exo/app.pem"},
        "/tmp/simulator": shlex.quote(str(reader.directory / "simulator")),
        "playbooks/files/demo_tenants.yml": shlex.quote(str(ROOT / "playbooks/files/demo_tenants.yml")),
        "tenant_baseline_undo_dir:": "tenant_baseline_propagation_delay: 0\n    tenant_baseline_undo_dir:",
    }
    environment = {name: value for name, value in reader.environment.items() if not name.startswith("EXO_")}
    stranger = dataclasses.replace(reader, places=places, environment=environment)
    (tenants,) = of(CI, "", "yaml")
    inventory, own = of(ROLE, "Use", "yaml")
    for name, text in (("tenants.yml", tenants), ("inventory.yml", inventory), ("site.yml", own)):
        stranger.write(name, text)
    return stranger


def test_a_baseline_in_ci(stranger: Reader) -> None:
    start, script = of(CI, "", "shell")
    stranger.write("test_baseline.sh", script)
    assert changed(stranger.paste(start), "contoso") == ["1", "0"]
    # The simulator's page shows the same script, and jobs of build servers that run it the same way.
    assert of(SIMULATOR, "In tests", "shell")[0] == script
    jobs = of(SIMULATOR, "In tests", "yaml")
    assert [start.splitlines()[-1] in job for job in jobs] == [True, True]


def test_the_simulators_page(stranger: Reader) -> None:
    start, exports, module, one_command = of(SIMULATOR, "Try a baseline", "shell")
    paste = ["grep '^export' printed | head -n 7 > exports", "cat exports", ". ./exports"]
    output = stranger.paste(ENDS_WITH_THE_SHELL, f"{start.strip()} > printed &", SERVES, *paste, module)
    names = [line.split("=")[0] for line in exports.splitlines()]
    assert [line.split("=")[0] for line in output.splitlines() if line.startswith("export ")] == names
    assert '"smtp_client_authentication_disabled": false' in output
    assert changed(stranger.paste(one_command), "contoso") == ["1"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's job asks with curl whether the simulator serves")
def test_the_simulators_job(stranger: Reader) -> None:
    _script, job = of(SIMULATOR, "In tests", "shell")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = f"export EXO_SIMULATOR_DIRECTORY={shlex.quote(str(stranger.directory / 'simulator'))}"
    output = stranger.paste(where, ENDS_WITH_THE_SHELL, job.replace("8443", str(port)))
    assert changed(output, "contoso") == ["1"]


def test_the_simulators_page_in_python(stranger: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exo_simulator", simulator)
    monkeypatch.setitem(sys.modules, "exo_simulator.testing", testing)
    module = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", "m365.exchange_online.exo_cas_mailbox"]

    def enable(identity: str, environment: dict[str, str]) -> None:
        arguments = f"identity={identity} smtp_client_authentication_disabled=false"
        known = {**stranger.environment, **environment}
        done = subprocess.run([*module, "-a", arguments], env=known, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    first, second = of(SIMULATOR, "In tests", "python")
    names: dict[str, Any] = {"run_something": functools.partial(enable, "ada@one.onmicrosoft.com")}
    exec(first, names)
    names["run_something"] = functools.partial(enable, "scanner@example.com")
    exec(second, names)
    with testing.Simulator.start() as running:
        names["test_baseline"](running, lambda **tenant: running.add_tenant({"label": "two", **tenant}))
