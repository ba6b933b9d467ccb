# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check that a line says one thing, and a function decides little."""

from __future__ import annotations

import ast

import pytest

pytest.importorskip("radon")  # which only one ansible-core's environment has

from tools.density import complicated, dense


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
