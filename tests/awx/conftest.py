# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The harness of the integration tests is no package.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness import Lab

from awx.controller import TOKEN, Controller, running
from simulator.testing import Simulator

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    scratch = tmp_path_factory.mktemp("lab")
    with Simulator.start(state_dir=scratch / "simulator") as simulator:
        yield Lab(simulator, scratch)


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    with running(Controller()) as made:
        made.add("organizations", {"name": "Default"})
        yield made


@pytest.fixture(scope="module")
def environment(controller: Controller) -> dict[str, str]:
    """What leads a run to the controller, with the collection awx.awx."""
    own = os.environ.get("ANSIBLE_COLLECTIONS_PATH") or str(ROOT / ".cache" / "collections")
    return {
        "CONTROLLER_HOST": controller.url,
        "CONTROLLER_OAUTH_TOKEN": TOKEN,
        "ANSIBLE_COLLECTIONS_PATH": f"{own}:{ROOT / '.cache' / 'awx'}",
    }
