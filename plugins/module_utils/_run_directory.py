# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private directory that the tasks of one run share: tokens, and how far a task is. PRIVATE to the collection.

The action plugin makes the directory under the controller's temporary directory of the run and names it in the
environment of local tasks. Without it a task keeps its token to itself and says nothing on the way.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
import typing as t
from collections.abc import Mapping

from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Token
from ansible_collections.m365.exchange_online.plugins.module_utils._run_variables import DIRECTORY_VARIABLE

_INTERVAL = 1.0  # seconds between two notes of progress


def directory(environ: Mapping[str, str]) -> str | None:
    """The run's directory, if it is really private: ours, mode 0700, no link."""
    path = environ.get(DIRECTORY_VARIABLE, "")
    try:
        status = os.lstat(path)
    except OSError:
        return None
    private = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return path if private else None


class TokenFiles:
    """Tokens of a run, a file each. The name is a digest of tenant, app, cloud and credential, so none is mixed up."""

    def __init__(self, path: str) -> None:
        self._path = path

    def load(self, key: str) -> Token | None:
        try:
            descriptor = os.open(self._file(key), os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor, encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                if status.st_uid != os.getuid() or status.st_mode & 0o077:
                    return None
                kept = json.load(file)
            return Token(str(kept["value"]), str(kept["tenant_id"]), float(kept["expires_on"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, key: str, token: Token) -> None:
        """Keep a token; where that fails, each task asks for its own."""
        content = {"value": token.value, "tenant_id": token.tenant_id, "expires_on": token.expires_on}
        part = f"{self._file(key)}.{os.getpid()}"
        with contextlib.suppress(OSError):
            try:
                descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(content, file)
                os.replace(part, self._file(key))
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(part)

    def _file(self, key: str) -> str:
        return os.path.join(self._path, f"token-{key}")


class ProgressFile:
    """Notes how far a task is where the action plugin looks, once a second at most."""

    def __init__(self, path: str, tenant: str) -> None:
        self._path = path
        self._tenant = tenant
        self._last = 0.0

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last < _INTERVAL:
            return
        self._last = now
        note: dict[str, t.Any] = {"tenant": self._tenant, "phase": phase, "done": done, "total": total}
        with contextlib.suppress(OSError):
            part = f"{self._path}.part"
            with open(part, "w", encoding="utf-8") as file:
                json.dump(note, file)
            os.replace(part, self._path)


class Lease:
    """Whether the run that started the task still lives.

    The process that waits for the task holds a lock on a file, and lets it go when it ends, by whatever: a time-out of
    the task, a signal, a kill. Without such a file (a module on another host, or started by hand) nothing is known and
    the run counts as alive.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self) -> bool:
        if not self._path:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            return False  # its holder removes the file when the task is over
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False
