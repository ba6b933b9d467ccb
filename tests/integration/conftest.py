# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The harness and the tests are no package: importlib mode leaves this directory out of the path.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import Lab, Tenant, small
from pages import Reader

from simulator.testing import Simulator

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests share one run of a playbook, so they stay in one process."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    scratch = tmp_path_factory.mktemp("lab")
    with Simulator.start(state_dir=scratch / "simulator") as simulator:
        yield Lab(simulator, scratch)


@pytest.fixture
def tenant(lab: Lab) -> Tenant:
    """A tenant of its own for each test: six mailboxes in an organization where SMTP AUTH is on."""
    return small(lab)


@pytest.fixture
def contoso(lab: Lab) -> Iterator[Tenant]:
    """The tenant that the documentation speaks of. Its domain is for whoever comes next."""
    yield lab.tenant(
        "documented",
        domains=["contoso.onmicrosoft.com", "contoso.com"],
        apps=[{"client_id": "11111111-2222-3333-4444-555555555555", "certificate": True}],
        transport_config={"SmtpClientAuthenticationDisabled": False},
        mailboxes=[{"upn": f"{name}@contoso.com"} for name in ("scanner", "reports", "ada", "ben")],
    )
    lab.simulator.remove_tenant("documented")


@pytest.fixture
def reader(lab: Lab, contoso: Tenant, tmp_path: Path) -> Reader:
    ready = lab.prepare([])
    path = os.pathsep.join(
        [str(tmp_path / "bin"), str(Path(sys.executable).parent), ready.environment.get("PATH", os.defpath)]
    )
    environment = {**ready.environment, **contoso.urls, "EXO_CA_PATH": contoso.environment["EXO_CA_PATH"], "PATH": path}
    environment["ANSIBLE_STDOUT_CALLBACK"] = "default"
    certificate = str(contoso.info.values["certificate_path"])
    places = {
        "/etc/exo/contoso.pem": certificate,
        "/etc/exo/app.pem": certificate,
        "/var/lib/exo/undo": str(tmp_path / "undo"),
        "/var/lib/exo/reports": str(tmp_path / "reports"),
        "/srv/www/exo": str(tmp_path / "evidence"),
        "-i inventory": f"-i {shlex.quote(str(tmp_path / 'inventory.yml'))}",
    }
    return Reader(tmp_path, environment, places)
