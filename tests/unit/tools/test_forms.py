# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schematic forms in the guide to AWX are those of what awx_setup makes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from tools import forms

pytestmark = pytest.mark.unit
DRAWN = forms.pictures()


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_as_it_would_be_drawn_now(name: str) -> None:
    assert (forms.PICTURES / name).read_text(encoding="utf-8") == DRAWN[name], "run make forms"
    ElementTree.fromstring(DRAWN[name])


def test_the_guide_shows_each_of_them() -> None:
    guide = (forms.ROOT / "docs" / "awx.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"pictures/(awx-[a-z-]+\.svg)", guide)) == sorted(DRAWN)


@pytest.mark.parametrize("module", forms.LABELS)
def test_every_option_of_awx_setup_has_its_place_in_a_form(module: str) -> None:
    assert forms.left_out(module) == set()


def test_what_is_given_is_what_the_guide_gives() -> None:
    guide = (forms.ROOT / "docs" / "awx.md").read_text(encoding="utf-8")
    for name in ("exo_awx_image", "exo_awx_project_url"):
        assert f"{name}: {forms.GIVEN[name]}" in guide
    assert f"client_id: {forms.APP['client_id']}" in guide
