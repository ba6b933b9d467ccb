# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role names every setting that the modules have, and each of its variables wherever it is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.m365.exchange_online.plugins.module_utils._client_access import ARGUMENT_SPEC
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import CAS_MAILBOX, TRANSPORT_CONFIG

ROLE = Path(__file__).resolve().parents[3] / "roles" / "tenant_baseline"
SELECTION = ["recipient_type_details", "where"]


def load(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text(encoding="utf-8"))


def arguments(path: str, module: str) -> dict[str, str]:
    """The arguments of a module in a file of tasks."""
    (found,) = [task[module] for task in load(path) if module in task]
    return {name: str(value) for name, value in found.items()}


VARIABLES = load("vars/main.yml")
NAMES = list(VARIABLES["__tenant_baseline_forms"]["tenant_baseline"]["options"])


@pytest.mark.parametrize(
    ("listed", "options", "tasks", "module"),
    [
        ("transport_config", [*TRANSPORT_CONFIG.options], "transport_config.yml", "exo_transport_config"),
        ("all_mailboxes", [*SELECTION, *CAS_MAILBOX.options], "mailboxes.yml", "exo_cas_mailbox"),
    ],
)
def test_every_setting_is_handed_on(listed: str, options: list[str], tasks: str, module: str) -> None:
    assert sorted(VARIABLES[f"__tenant_baseline_{listed}_options"]) == sorted(options)
    handed = arguments(f"tasks/{tasks}", f"m365.exchange_online.{module}")
    for option in options:
        assert handed[option] == f"{{{{ __tenant_baseline_{listed}.{option} | default(omit) }}}}"


def test_the_selection_is_that_of_the_module() -> None:
    assert set(SELECTION) <= set(ARGUMENT_SPEC)


def test_every_variable_is_in_every_place() -> None:
    assert sorted(load("defaults/main.yml")) == sorted(NAMES)
    for entry in load("meta/argument_specs.yml")["argument_specs"].values():
        assert sorted(entry["options"]) == sorted(NAMES)
    given = re.findall(r"'(tenant_baseline_\w+)': (tenant_baseline_\w+)", VARIABLES["__tenant_baseline_given"])
    assert sorted(given) == sorted((name, name) for name in NAMES)
    rows = re.findall(r"^\| `(tenant_baseline_\w+)` \|", (ROLE / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(rows) == sorted(NAMES)
