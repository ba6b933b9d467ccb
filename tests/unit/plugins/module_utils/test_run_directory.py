# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run's private directory: tokens that nobody else can read, or none."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _run_directory
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Token
from ansible_collections.m365.exchange_online.plugins.module_utils._run_directory import (
    ProgressFile,
    TokenFiles,
    directory,
)

TOKEN = Token("jwt", "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60", 4e9)


@pytest.fixture
def private(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir(mode=0o700)
    return path


def test_a_token_is_kept_for_its_owner_only(private: Path) -> None:
    files = TokenFiles(str(private))
    os.umask(os.umask(0))
    files.save("k", TOKEN)
    (file,) = private.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert files.load("k") == TOKEN
    assert files.load("other") is None
    files.save("k", Token("newer", TOKEN.tenant_id, 4e9))
    newer = files.load("k")
    assert newer is not None
    assert newer.value == "newer"
    assert len(list(private.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o622])
def test_a_token_that_others_could_touch_is_not_taken(mode: int, private: Path) -> None:
    files = TokenFiles(str(private))
    files.save("k", TOKEN)
    (file,) = private.iterdir()
    file.chmod(mode)
    assert files.load("k") is None


def test_a_link_is_not_followed(private: Path, tmp_path: Path) -> None:
    files = TokenFiles(str(private))
    files.save("k", TOKEN)
    (file,) = private.iterdir()
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert files.load("k") is None
    files.save("k", Token("newer", TOKEN.tenant_id, 4e9))
    assert "newer" not in elsewhere.read_text()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"value": "x"}', '{"value": "x", "tenant_id": "y", "expires_on": "soon"}']
)
def test_a_damaged_token_is_none(content: str, private: Path) -> None:
    files = TokenFiles(str(private))
    files.save("k", TOKEN)
    (file,) = private.iterdir()
    file.write_text(content)
    assert files.load("k") is None


def test_no_place_to_keep_it(tmp_path: Path) -> None:
    files = TokenFiles(str(tmp_path / "gone"))
    files.save("k", TOKEN)
    assert files.load("k") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mode", "private"), [(0o700, True), (0o755, False), (0o750, False), (0o701, False)])
def test_whether_a_directory_is_private(mode: int, private: bool, tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    path.chmod(mode)
    assert directory({_run_directory.DIRECTORY_VARIABLE: str(path)}) == (str(path) if private else None)


def test_what_is_no_private_directory(private: Path, tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(private)
    file.touch(0o600)
    for path in (str(link), str(file), str(tmp_path / "gone"), ""):
        assert directory({_run_directory.DIRECTORY_VARIABLE: path}) is None
    assert directory({}) is None


def test_progress_once_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(_run_directory.time, "monotonic", lambda: now[0])
    path = tmp_path / "progress"
    note = ProgressFile(str(path), "contoso")
    note("reading", 1, None)
    now[0] += 0.5
    note("reading", 2, None)
    assert json.loads(path.read_text())["done"] == 1
    now[0] += 0.6
    note("writing", 3, 9)
    assert json.loads(path.read_text()) == {"tenant": "contoso", "phase": "writing", "done": 3, "total": 9}
    ProgressFile(str(tmp_path / "gone" / "progress"), "contoso")("reading", 1, None)
