# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the host that runs the module: paths that are meant, private content, and who else can read it. PRIVATE."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._text import instead_of_path, is_content, with_nul


def absolute(option: str, path: str) -> str:
    """The path, if it is absolute and can be a path at all; raises InvalidRequest.

    A relative one would be relative to where the module happens to run: with a play of an installed collection that is
    the collection's own folder, which the next upgrade deletes.
    """
    if "\0" in path:
        raise InvalidRequest(with_nul(option))
    if is_content(path):
        raise InvalidRequest(instead_of_path(option))
    if not os.path.isabs(path):
        raise InvalidRequest(f"{option} has to be an absolute path. {path} would be {os.path.abspath(path)} here.")
    return path


def reason(error: OSError) -> str:
    return os.strerror(error.errno or 0)


def exposed(option: str, path: str) -> list[str]:
    """A warning, if others than the owner may read a file that holds a secret."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return []
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        return [f"{option} {path} can be read by others on this host (mode {stat.S_IMODE(mode):04o}): chmod 600 it."]
    return []


def read_limited(path: str, most: int) -> bytes:
    """The content; raises OSError, also where it is longer than ``most`` bytes."""
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, "too large")
    return content


def _obstacle(path: str) -> str:
    """What has this name already and must keep it; '' for a file and for nothing. /dev/null would become a file."""
    if os.path.isdir(path):
        return "a directory"
    return "a device or a pipe" if os.path.exists(path) and not os.path.isfile(path) else ""


def replace_if_different(option: str, path: str, text: str, *, dry_run: bool) -> bool:
    """Write the file in one step if its content differs; returns whether it does.

    A new file has mode 0600, one that was there keeps its own. dry_run: only look, as in check mode. Raises
    InvalidRequest where the file can't be written.
    """
    obstacle = _obstacle(path)
    if obstacle:
        raise InvalidRequest(f"{option} {path} can't be written: it is {obstacle}.")
    with contextlib.suppress(OSError, ValueError), open(path, encoding="utf-8", newline="") as file:
        if file.read(len(text) + 1) == text:
            return False
    directory = os.path.dirname(path)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise InvalidRequest(
            f"{option} {path} can't be written: it is in a directory that does not exist or is not writable."
        )
    if dry_run:
        return True
    try:
        descriptor, part = tempfile.mkstemp(prefix=".exo-", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            with contextlib.suppress(OSError):
                os.chmod(part, stat.S_IMODE(os.stat(path).st_mode))
            os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as error:
        raise InvalidRequest(f"{option} {path} can't be written: {reason(error)}.") from None
    return True
