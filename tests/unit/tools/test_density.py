# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check that a line says one thing, and a function decides little, in tests as elsewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytest.importorskip("radon")  # which only one ansible-core's environment has

from tools import density
from tools.density import complicated, dense, files, findings


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("a if b else c", 0),
        ("a if b else c if d else e", 1),
        ("(a if b else c) if d else e", 1),
        ("f(a if b else c) if d else e", 0),
        ("[x for x in y if z]", 0),
        ("[x for y in z for x in y]", 1),
        ("{x: 1 for y in z for x in y}", 1),
        ("any(x for x in [y])", 1),
        ("[x for x in (y,) if x]", 1),
        ("[x for x in (y, z)]", 0),
    ],
)
def test_lines_that_say_more_than_one_thing(code: str, found: int) -> None:
    assert len(list(dense(ast.parse(code)))) == found


@pytest.mark.parametrize(("branches", "found"), [(9, {}), (10, {"f": (1, 11)})])
def test_functions_that_decide_too_much(branches: int, found: dict[str, tuple[int, int]]) -> None:
    lines = [f"    if x == {n}: return {n}" for n in range(branches)]
    assert complicated("\n".join(["def f(x):", *lines])) == found


ASSERTS = "\n".join(["def f(x):", *(f"    assert x != {n}" for n in range(10))])
DECIDES = "\n".join(["def f(x):", "    assert x", *(f"    if x == {n}: return {n}" for n in range(10))])


def test_asserts_are_counted_unless_it_is_said() -> None:
    assert complicated(ASSERTS) == {"f": (1, 11)}
    assert complicated(ASSERTS, asserts=False) == {}
    assert complicated(DECIDES, asserts=False) == {"f": (1, 11)}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("plugins/module_utils/_x.py", 1),
        ("tests/tools/x.py", 1),
        ("tests/units.py", 1),
        ("tests/unit/test_x.py", 0),
        ("tests/unit/plugins/modules/test_x.py", 0),
        ("tests/integration/harness.py", 0),
        ("tests/fuzz/model.py", 0),
        ("tests/awx/controller.py", 0),
    ],
)
def test_where_asserts_are_counted(place: str, found: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(density, "ROOT", tmp_path)
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(ASSERTS, encoding="utf-8")
    assert len(findings(path)) == found
    path.write_text("[x for y in z for x in y]\n", encoding="utf-8")
    assert findings(path) == [f"{place}:1: a comprehension with several for"]


def test_everything_is_checked_but_the_output_of_ansible_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(density, "ROOT", tmp_path)
    code = ["docs/x.py", "extensions/x.py", "playbooks/files/x.py", "plugins/x.py", "roles/x.py", "tests/x.py"]
    for place in (*code, "tests/output/x.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in files()] == code
