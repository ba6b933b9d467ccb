# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code blocks of docs/awx.md, pasted as a reader would."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from awx.controller import TOKEN

PAGE = Path(__file__).resolve().parents[2] / "docs" / "awx.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def block(section: str, language: str) -> str:
    """The only block of that language in a section."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    content = dict(zip(parts[1::2], parts[2::2], strict=True))[section]
    (found,) = [text for kind, text in _FENCE.findall(content) if kind == language]
    return found


def paste(text: str, environment: Mapping[str, str], directory: Path) -> str:
    """What a shell prints that the block is pasted into, with the test's controller and token."""
    for here, there in (("https://awx.example.com", environment["CONTROLLER_HOST"]), ("the-token", TOKEN)):
        assert here in text
        text = text.replace(here, there)
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", text], env={**environment, "PATH": path, "ANSIBLE_STDOUT_CALLBACK": "default"}, cwd=directory,
        text=True, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout
