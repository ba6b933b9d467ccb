# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side: what a run leaves behind, and what it says on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._run_directory import Lease
from ansible_collections.m365.exchange_online.plugins.plugin_utils._action import (
    _NAME,
    Watcher,
    content_as_path,
    hold,
    nul_in,
    plainly,
    progress_line,
    run_directory,
    say_ended,
    sweep,
)


@pytest.fixture
def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_behind(parent: Path, name: str, owner: int | str | None, age: float = 0) -> Path:
    path = parent / name / _NAME
    path.mkdir(parents=True)
    (path / "token-x").write_text("secret")
    if owner is not None:
        (path / "owner").write_text(str(owner))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Watcher, Lease]]:
    """A watcher at work in the directory of a run, and how the task learns of the run's end."""
    directory = run_directory(str(tmp_path))
    assert directory
    path = os.path.join(directory, "lease")
    watcher = Watcher(os.path.join(directory, "progress"), hold(path))
    watcher.start()
    yield watcher, Lease(path)
    watcher.stop()


def test_a_task_learns_that_its_run_comes_to_its_end(watched: tuple[Watcher, Lease], tmp_path: Path) -> None:
    watcher, alive = watched
    say_ended(os.getpid() + 1, str(tmp_path))  # of another process: a copy that ends says nothing
    assert not (tmp_path / _NAME / "ended").exists()
    assert alive()
    say_ended(os.getpid(), str(tmp_path))
    while alive():
        assert watcher.is_alive()
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="what a thread blocks is read from /proc")
def test_signals_are_for_the_thread_that_waits_for_the_module(watched: tuple[Watcher, Lease]) -> None:
    status = Path(f"/proc/self/task/{watched[0].native_id}/status")

    def blocked() -> int:
        lines = [line for line in status.read_text().splitlines() if line.startswith("SigBlk:")]
        return int(lines[0].split()[1], 16)

    while not blocked():
        time.sleep(0.05)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        assert blocked() >> (number - 1) & 1


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ('{"tenant": "t", "phase": "reading mailboxes", "done": 3000, "total": null}', "t: reading mailboxes, 3,000"),
        ('{"tenant": "t", "phase": "writing", "done": 3000, "total": 10000}', "t: writing, 3,000 of 10,000"),
        ('{"tenant": "t"', ""),
        ("[]", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_note_in_words(note: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text(note)
    assert progress_line(str(path)) == line


def test_no_note_no_words(tmp_path: Path) -> None:
    assert progress_line(str(tmp_path / "none")) == ""


def test_the_directory_is_private_and_the_same_for_all_tasks(tmp_path: Path) -> None:
    temporary = tmp_path / "ansible-local-1abc"
    temporary.mkdir()
    first = run_directory(str(temporary))
    assert first is not None
    assert run_directory(str(temporary)) == first
    assert os.stat(first).st_mode & 0o777 == 0o700


def test_no_directory_where_none_can_be_made(tmp_path: Path) -> None:
    assert run_directory(str(tmp_path / "none")) is None


def test_a_new_run_sweeps_what_a_killed_one_left(tmp_path: Path, ended: int) -> None:
    dead = left_behind(tmp_path, "ansible-local-1a", ended)
    alive = left_behind(tmp_path, "ansible-local-2b", os.getpid())
    (tmp_path / "ansible-local-3c").mkdir()
    run_directory(str(tmp_path / "ansible-local-3c"))
    assert not dead.exists()
    assert (alive / "token-x").exists()


@pytest.mark.parametrize(
    ("owner", "age", "stays"),
    [("nonsense", 0, False), ("alive", 90_000, False), ("alive", 80_000, True), (None, 0, True)],
)
def test_what_is_swept(owner: str | None, age: float, stays: bool, tmp_path: Path) -> None:
    path = left_behind(tmp_path, "ansible-local-1a", os.getpid() if owner == "alive" else owner, age)
    sweep(str(tmp_path))
    assert path.exists() is stays


def test_what_is_not_ours_is_left_alone(tmp_path: Path, ended: int) -> None:
    foreign = left_behind(tmp_path, "something-else", ended)
    sweep(str(tmp_path))
    assert foreign.exists()


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "Unsupported parameters for (m365.exchange_online.exo_cas_mailbox) module: ImapEnabled."
            " Supported parameters include: identity, imap_enabled (imap), pop_enabled.",
            "ImapEnabled is not an option of m365.exchange_online.exo_cas_mailbox. Did you mean imap_enabled?"
            " ansible-doc m365.exchange_online.exo_cas_mailbox shows all options.",
        ),
        (
            "Unsupported parameters for (exo_x) module: colour, identiy. Supported parameters include: identity.",
            "colour is not an option of exo_x. identiy is not an option of exo_x. Did you mean identity?"
            " ansible-doc exo_x shows all options.",
        ),
        (
            "Unsupported parameters for (exo_x) module: -Identity, allowed. Supported parameters include: client_id.",
            "-Identity is not an option of exo_x. Did you mean client_id? allowed is not an option of exo_x."
            " exo_smtp_auth has it. ansible-doc exo_x shows all options.",
        ),
        (
            # ansible-core 2.16; the order of what follows changes from run to run
            "argument 'imap' is of type <class 'str'> and we were unable to convert to bool: The value '$false' is not"
            " a valid boolean.  Valid booleans include: 0, 'y'",
            "imap has to be true or false, it is '$false'. In YAML, PowerShell's $true and $false are true and false.",
        ),
        (
            "argument 'usage' is of type int and we were unable to convert to bool: The value '30' is not a valid"
            " boolean. Valid booleans include: 0",
            "usage has to be true or false, it is '30'.",
        ),
        (
            "argument 'allowed' is of type dict and we were unable to convert to list: <class 'dict'> cannot be"
            " converted to a list",
            "allowed has to be a list, with a dash before each entry.",
        ),
        (
            "Elements value for option 'mailboxes' is of type str and we were unable to convert to dict: dictionary"
            " requested, could not parse JSON or key=value",
            "Each entry of mailboxes has to be a dictionary, with a colon after each name.",
        ),
        (
            "value of organization must be one of: enabled, disabled, got: False",
            "value of organization must be one of: enabled, disabled, got: False. YAML takes on, off, yes and no for"
            " true and false.",
        ),
        (
            "value of organization must be one of: enabled, disabled, got: Disabled",
            "value of organization must be one of: enabled, disabled, got: Disabled.",
        ),
        (
            "missing required arguments: tenant",
            "tenant is missing or empty. Set it in the task, or EXO_TENANT in the environment.",
        ),
        ("missing required arguments: name", "missing required arguments: name"),
        ("contoso: nothing of the kind.", "contoso: nothing of the kind."),
    ],
)
def test_what_is_wrong_with_an_option(message: str, told: str) -> None:
    assert plainly(message) == told


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        ({"certificate_path": "-----BEGIN PRIVATE KEY-----\nMIIE"}, True),
        ({"ca_path": " -----BEGIN CERTIFICATE----- MIIC"}, True),
        ({"federated_token_file": "eyJhbGciOi.eyJpc3Mi.c2ln"}, True),
        ({"certificate": "-----BEGIN PRIVATE KEY-----\nMIIE", "certificate_path": None}, False),
        ({"certificate_path": "/etc/exo/contoso.pem"}, False),
    ],
)
def test_content_given_as_a_path_is_refused_and_not_shown(arguments: dict[str, str], refused: bool) -> None:
    said = content_as_path(arguments)
    assert (said is not None) is refused
    for secret in ("MII", "eyJ"):
        assert secret not in str(said)


NUL = "has a NUL character in it, which can be part of no name, path or secret. Remove it."


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"undo_file": "/tmp/a\0b", "tenant": "\0"}, "undo_file"),
        ({"client_secret": "hunter\0"}, "client_secret"),
        ({"client_secret": {"hunter": "\0"}}, "client_secret"),
        ({"identity": ["ada", "\0"]}, "identity[1]"),
        ({"mailboxes": [{}, {"identity": "ada", "active_sync_allowed_device_ids": {"add": ["A", "\0"]}}]},
         "mailboxes[1].active_sync_allowed_device_ids.add[1]"),
        ({"accounts": [{"password": [{"hunter": "\0"}]}]}, "accounts[0].password"),
        ({"settings": {"a\0b": True}}, "settings"),
    ],
)  # fmt: skip
def test_a_nul_character_in_any_option(arguments: dict[str, object], place: str) -> None:
    assert nul_in(arguments) == f"{place} {NUL}"


def test_options_without_a_nul_character() -> None:
    assert nul_in({"tenant": "contoso.com", "retries": 3, "identity": ["0", None], "settings": {"a": ()}}) is None
