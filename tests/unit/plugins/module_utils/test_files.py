# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written in one step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._files import replace_if_different


def replaced(path: Path, text: str, *, dry_run: bool = False) -> bool:
    return replace_if_different("dest", str(path), text, dry_run=dry_run)


@pytest.mark.parametrize("before", [None, b"", b"text", b"text\n\n", b"\xff\xfe"])
def test_a_file_with_other_content_is_replaced(before: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    if before is not None:
        path.write_bytes(before)
    assert replaced(path, "text\n", dry_run=True)
    assert (path.read_bytes() if path.exists() else None) == before
    assert replaced(path, "text\n")
    assert path.read_text() == "text\n"
    assert not replaced(path, "text\n")
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_file_keeps_its_place(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, words in ((pipe, "a device or a pipe"), (tmp_path, "a directory")):
        for dry_run in (True, False):
            with pytest.raises(InvalidRequest, match=f"dest {path} can't be written: it is {words}"):
                replaced(path, "text", dry_run=dry_run)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="in a directory that does not exist"):
        replaced(tmp_path / "no" / "report.json", "text")
