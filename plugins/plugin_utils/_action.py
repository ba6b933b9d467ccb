# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of every module: hands it the run's private directory, and shows how far it is. PRIVATE.

The modules work without it; they then ask for a token each and say nothing on the way.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
import typing as t
import uuid
from collections.abc import Iterator

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.vars import merge_hash

from ansible_collections.m365.exchange_online.plugins.module_utils._private import (
    DIRECTORY_VARIABLE,
    PROGRESS_VARIABLE,
)

display = Display()

_NAME = "m365_exchange_online"
_QUIET = 5.0  # seconds before a task says anything
_INTERVAL = 10.0  # seconds between two lines of one task
_POLL = 0.5
_STALE = 24 * 60 * 60  # seconds after which a directory's owner is believed to be gone whatever its number says


class ExoAction(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """As the normal action plugin, and for local tasks the private directory and the progress."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        wrap_async = self._task.async_val and not self._connection.has_native_async
        # An asynchronous task may outlive the run and its directory, a remote one can't see it.
        local = not self._task.async_val and self._connection.transport == "local"
        with self._environment() if local else contextlib.nullcontext():
            result = merge_hash(result, self._execute_module(task_vars=task_vars, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    @contextlib.contextmanager
    def _environment(self) -> Iterator[None]:
        """The task's environment with the run's directory, and the display of progress while it runs."""
        directory = run_directory(constants.DEFAULT_LOCAL_TMP)
        if directory is None:
            yield
            return
        note = os.path.join(directory, f"progress-{uuid.uuid4().hex}")
        before = self._task.environment
        self._task.environment = [*(before or []), {DIRECTORY_VARIABLE: directory, PROGRESS_VARIABLE: note}]
        watcher = Watcher(note)
        watcher.start()
        try:
            yield
        finally:
            watcher.stop()
            self._task.environment = before
            with contextlib.suppress(OSError):
                os.unlink(note)


class Watcher(threading.Thread):
    """Shows a task's latest note of progress, at a bearable rate."""

    def __init__(self, path: str) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._over = threading.Event()

    def run(self) -> None:
        due = time.monotonic() + _QUIET
        shown = ""
        while not self._over.wait(_POLL):
            if time.monotonic() < due:
                continue
            line = progress_line(self._path)
            if line and line != shown:
                # On standard error, for a stdout callback may write a document there.
                display.display(line, color=constants.COLOR_VERBOSE, stderr=True)
                shown = line
                due = time.monotonic() + _INTERVAL

    def stop(self) -> None:
        self._over.set()
        self.join(timeout=5)


def progress_line(path: str) -> str:
    """A note of progress in words, or '' where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            note = json.load(file)
        total = f" of {note['total']:,}" if note["total"] else ""
        return f"{note['tenant']}: {note['phase']}, {note['done']:,}{total}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def run_directory(temporary: str) -> str | None:
    """The run's private directory under the controller's temporary directory of the run, which Ansible removes."""
    path = os.path.join(temporary, _NAME)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return path
    except OSError:
        return None
    with contextlib.suppress(OSError):
        with open(os.path.join(path, "owner"), "w", encoding="utf-8") as file:
            file.write(str(os.getppid()))
        sweep(os.path.dirname(temporary))
    return path


def sweep(parent: str) -> None:
    """Remove what runs that were killed left behind: their tokens would lie there until they end."""
    for name in os.listdir(parent):
        path = os.path.join(parent, name, _NAME)
        if name.startswith("ansible-local-") and os.path.isdir(path) and not _alive(path):
            shutil.rmtree(path, ignore_errors=True)


def _alive(path: str) -> bool:
    """Whether the run that a directory belongs to may still be at work."""
    try:
        if time.time() - os.stat(path).st_mtime > _STALE:
            return False
        with open(os.path.join(path, "owner"), encoding="utf-8") as file:
            os.kill(int(file.read()), 0)
    except (ProcessLookupError, ValueError):
        return False
    except FileNotFoundError:
        return True  # another run is just making it
    except OSError:
        return True
    return True
