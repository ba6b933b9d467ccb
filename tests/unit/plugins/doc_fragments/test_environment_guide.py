# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to the environment has each variable that an option is taken from."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import yaml

from ansible_collections.m365.exchange_online.plugins.module_utils import _options

SITE = Path(__file__).resolve().parents[4] / "docs" / "docsite"
# Read by the action plugins, which have no options of their own.
OTHERS = {"EXO_ALLOW_REMOTE"}


def test_each_variable_is_in_the_guide() -> None:
    options = (*_options.OPTIONS, _options.GRAPH_ENDPOINT)
    known = set(itertools.chain.from_iterable(option.environment for option in options)) | OTHERS
    guide = (SITE / "rst" / "guide_environment.rst").read_text(encoding="utf-8")
    assert set(re.findall(r"^\.\. envvar:: (\w+)$", guide, re.MULTILINE)) == known
    # Without its name there, antsibull-docs makes no link of a variable.
    assert set(yaml.safe_load((SITE / "config.yml").read_text(encoding="utf-8"))["envvar_directives"]) == known
