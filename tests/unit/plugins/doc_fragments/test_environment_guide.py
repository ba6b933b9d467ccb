# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each variable of the environment is documented: in the guide, and at the options that are taken from it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import yaml

from ansible_collections.m365.exchange_online.plugins.inventory import tenants
from ansible_collections.m365.exchange_online.plugins.module_utils import _options, _run_variables
from ansible_collections.m365.exchange_online.plugins.plugin_utils._action import REMOTE_VARIABLE
from ansible_collections.m365.exchange_online.plugins.plugin_utils._controller import HTTP_VARIABLE

OPTIONS = (*_options.OPTIONS, _options.GRAPH_ENDPOINT)
RUN = {value for name, value in vars(_run_variables).items() if name.endswith("_VARIABLE")}
SITE = Path(__file__).resolve().parents[4] / "docs" / "docsite"
# Why the inventory plugin leaves them out is said in its documentation.
NOT_FOR_ANSIBLE = {"auth_source", "cloud", "concurrency", "endpoint"} | {o.name for o in _options.OPTIONS if o.no_log}


def test_each_variable_is_in_the_guide() -> None:
    known = set(itertools.chain.from_iterable(option.environment for option in OPTIONS)) | RUN
    known |= {REMOTE_VARIABLE, HTTP_VARIABLE}
    guide = (SITE / "rst" / "guide_environment.rst").read_text(encoding="utf-8")
    assert set(re.findall(r"^\.\. envvar:: (\w+)$", guide, re.MULTILINE)) == known
    # Without its name there, antsibull-docs makes no link of a variable.
    assert set(yaml.safe_load((SITE / "config.yml").read_text(encoding="utf-8"))["envvar_directives"]) == known


def test_the_inventory_plugin_declares_those_that_ansible_may_read() -> None:
    options = yaml.safe_load(tenants.DOCUMENTATION)["options"]
    declared = {
        name: tuple(entry["name"] for entry in option["env"]) for name, option in options.items() if "env" in option
    }
    assert declared == {option.name: option.environment for option in OPTIONS if option.name not in NOT_FOR_ANSIBLE}
