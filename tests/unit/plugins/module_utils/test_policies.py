# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Authentication policies as they are, and as another task is going to make them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._policies import AuthenticationPolicies

THERE = AuthenticationPolicies([{"Name": "Allow", "Guid": "g1", "AllowBasicAuthSmtp": True}])


@pytest.mark.parametrize(
    ("planned", "seen"),
    [
        ([], {"Allow": True}),
        ([{"name": "allow", "allow_basic_auth_smtp": False}], {"Allow": False}),
        ([{"name": "Allow", "allow_basic_auth_smtp": None}], {"Allow": True}),
        ([{"name": " New ", "allow_basic_auth_smtp": True}], {"Allow": True, "New": True}),
        ([{"name": "New"}], {"Allow": True, "New": False}),
    ],
)
def test_planned_policies(planned: list[dict[str, t.Any]], seen: dict[str, bool]) -> None:
    """A switch that is not named stays as it is, and is off in a new policy."""
    policies = THERE.with_planned(planned)
    assert {one["Name"]: one["AllowBasicAuthSmtp"] for one in policies.policies} == seen
    assert policies.find("ALLOW") is not None
    assert len(THERE.policies) == 1
