# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is documented is what is taken."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml

from ansible_collections.m365.exchange_online.plugins.module_utils._options import OPTIONS, argument_spec
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import CAS_MAILBOX, TRANSPORT_CONFIG

FRAGMENTS = "ansible_collections.m365.exchange_online.plugins.doc_fragments."


def options_of(fragment: str) -> dict[str, t.Any]:
    document = importlib.import_module(FRAGMENTS + fragment).ModuleDocFragment.DOCUMENTATION
    options: dict[str, t.Any] = yaml.safe_load(document)["options"]
    return options


def text_of(option: dict[str, t.Any]) -> str:
    return " ".join(option["description"])


@pytest.mark.parametrize(
    ("fragment", "table"), [("transport_settings", TRANSPORT_CONFIG), ("cas_mailbox_settings", CAS_MAILBOX)]
)
def test_settings(fragment: str, table: Table) -> None:
    documented = {
        name: {key: value for key, value in option.items() if key != "description"}
        for name, option in options_of(fragment).items()
    }
    assert documented == table.argument_spec()
    assert list(documented) == list(table.options)


def test_connection_options() -> None:
    documented = options_of("connection")
    facts = ("type", "default", "choices", "required")
    spec = argument_spec()
    assert {n: {k: o[k] for k in facts if k in o} for n, o in documented.items()} == {
        n: {k: o[k] for k in facts if k in o} for n, o in spec.items()
    }


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_variables_are_named_in_their_order(option: t.Any) -> None:
    text = text_of(options_of("connection")[option.name])
    text = text[text.rindex("If not given") :]
    places = [text.index(f"E({name})") for name in option.environment]
    assert places == sorted(places)
    assert text.count("E(") == len(option.environment)
