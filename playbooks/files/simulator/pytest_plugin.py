# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for whoever tests against a simulated tenant: ``exo_simulator`` and ``exo_tenant``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .testing import Simulator, TenantInfo

NewTenant = Callable[..., TenantInfo]
_NUMBERS = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("exo_simulator", "a simulated Exchange Online")
    group.addoption("--exo-tenants", metavar="FILE.yml", help="tenants that the simulator begins with")
    parser.addini("exo_tenants", "tenants that the simulator begins with, relative to the root directory")


def _tenants(config: pytest.Config) -> Path | None:
    given = config.getoption("--exo-tenants")
    if given:
        return Path(given)
    configured = config.getini("exo_tenants")
    return config.rootpath / configured if configured else None


@pytest.fixture(scope="session")
def exo_simulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """One simulator for all tests of this process."""
    state_dir = tmp_path_factory.mktemp("exo-simulator")
    with Simulator.start(tenants=_tenants(request.config), state_dir=state_dir) as running:
        yield running


@pytest.fixture
def exo_tenant(exo_simulator: Simulator) -> Iterator[NewTenant]:
    """Makes tenants that are gone after the test: ``exo_tenant(mailboxes=[{"upn": "ada@example.com"}])``."""
    labels: list[str] = []

    def new(**description: Any) -> TenantInfo:
        label = description.setdefault("label", f"test{next(_NUMBERS)}")
        made = exo_simulator.add_tenant(description)
        labels.append(label)
        return made

    yield new
    for label in labels:
        exo_simulator.remove_tenant(label)
