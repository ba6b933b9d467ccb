# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from tools import links

PAGE = "# A page\n\n## What's in it\n\n{}\n\n[pages/there.md]: https://example.com/\n"
REPOSITORY = "https://github.com/m365-ansible/exchange_online/blob/main/"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "there.md").write_text("# There\n")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a](pages/there.md)", None),
        ("[a](pages/there.md#there)", None),
        ("[a](#whats-in-it)", None),
        ("[a][pages/there.md]", None),
        ("[a](https://example.com/nowhere)", None),
        ("`[a](nowhere.md)`", None),
        ("[a](nowhere.md)", "no such file"),
        ("[a](../outside.md)", "no such file"),
        ("![a](nowhere.png)", "no such file"),
        ("[a](pages/there.md#here)", "no such heading"),
        ("[a](#nowhere)", "no such heading"),
        ("[a][nowhere]", "not defined"),
    ],
)
def test_links_of_a_page(text: str, problem: str | None, tree: Path) -> None:
    (tree.parent / "outside.md").touch()
    page = tree / "page.md"
    page.write_text(PAGE.format(text))
    found = links.broken(page, tree)
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"see {REPOSITORY}pages/there.md.", None),
        (f"L(there,{REPOSITORY}pages/there.md#there)", None),
        (f"see {REPOSITORY}nowhere.md", "has no nowhere.md"),
        (f"see {REPOSITORY}pages/there.md#here", "no heading here"),
    ],
)
def test_addresses_in_the_repository(text: str, problem: str | None, tree: Path) -> None:
    path = tree / "module.py"
    path.write_text(text)
    found = links.broken_addresses(path, tree)
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]
