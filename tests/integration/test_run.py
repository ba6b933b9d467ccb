# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a whole: one token for each tenant, nothing left behind, a word on the way, and Ansible's ways to run."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Lab, Tenant, small, task, tried

THREE = [
    task("exo_transport_config_info", named="first"),
    task("exo_cas_mailbox_info", {"all_mailboxes": True}, named="second"),
    task("exo_service_info", named="third"),
]


def tokens(lab: Lab, tenant: Tenant) -> int:
    """How many tokens were asked for."""
    paths = [request["path"] for request in lab.simulator.requests()]
    names = (tenant.info.tenant_id, tenant.info.tenant)
    return sum(1 for path in paths if path.endswith("/token") and path.split("/")[1] in names)


def kept(directory: Path) -> list[Path]:
    return sorted(directory.rglob("token-*"))


def until(holds: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


@pytest.mark.smoke
def test_one_token_for_each_tenant_and_none_left(lab: Lab, tmp_path: Path) -> None:
    tenants = [small(lab), small(lab)]
    before = [tokens(lab, tenant) for tenant in tenants]
    run = lab.run_playbook(THREE, tenants, env={"ANSIBLE_LOCAL_TEMP": str(tmp_path)})
    assert len(run.steps) == 6
    assert [tokens(lab, tenant) - was for tenant, was in zip(tenants, before, strict=True)] == [1, 1]
    assert kept(tmp_path) == []


def test_another_app_gets_a_token_of_its_own(lab: Lab) -> None:
    apps = [{"secret": f"a-rather-long-secret-{name}", "directory_role": "Global Reader"} for name in ("one", "two")]
    tenant = small(lab, apps=apps)
    before = tokens(lab, tenant)
    known = tenant.info.values["apps"]
    arguments = [{"client_id": app["client_id"], "client_secret": app["client_secret"]} for app in known]
    run = tenant.run(
        [task("exo_transport_config_info", one, named=str(n)) for n, one in enumerate([*arguments, *arguments])]
    )
    assert [step.changed for step in run.steps] == [False] * 4
    assert tokens(lab, tenant) - before == 2


def test_a_wrong_password_is_noticed_although_the_run_holds_a_token(lab: Lab) -> None:
    tenant = small(lab, apps=[{"certificate": {"password": "the-right-password"}}])
    key = {
        "certificate_path": tenant.info.values["certificate_pfx_path"], "client_id": tenant.info.client_id,
        "tenant": tenant.domain,
    }  # fmt: skip
    run = tenant.run(
        [
            task("exo_transport_config_info", {**key, "certificate_password": "the-right-password"}, named="right"),
            tried("exo_transport_config_info", {**key, "certificate_password": "another-password"}, named="wrong"),
        ]
    )
    run["wrong"].refused("authentication_failed", "password is wrong", hint=None)


def test_a_killed_run_leaves_one_private_token_and_the_next_sweeps_it(lab: Lab, tenant: Tenant, tmp_path: Path) -> None:
    tenant.fault("delay", match={"cmdlet": "Get-TransportConfig"}, seconds=600)
    prepared = lab.prepare(THREE, tenant, env={"ANSIBLE_LOCAL_TEMP": str(tmp_path)})
    process = subprocess.Popen(
        prepared.command, env=prepared.environment, cwd=prepared.directory, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: len(kept(tmp_path)) == 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (left,) = kept(tmp_path)
    assert left.stat().st_mode & 0o777 == 0o600
    lab.simulator.clear_faults()
    tenant.run(THREE[1:2], env={"ANSIBLE_LOCAL_TEMP": str(tmp_path)})
    assert kept(tmp_path) == []


def test_a_long_task_says_how_far_it_is_and_a_quick_one_is_quiet(lab: Lab, tmp_path: Path) -> None:
    one, tenant = small(lab), lab.tenant(generate={"count": 3000, "seed": 1})
    quick = one.run([task("exo_transport_config_info")], check=True)
    assert "reading" not in quick.output
    tenant.fault("delay", match={"cmdlet": "Get-CASMailbox"}, times=None, seconds=2.8)
    everything = {"all_mailboxes": True, "properties": ["pop_enabled"], "dest": str(tmp_path / "mailboxes.json")}
    slow = tenant.run([task("exo_cas_mailbox_info", everything)], check=True)
    assert f"{tenant.info.tenant}: reading mailboxes, " in slow.stderr
    assert "reading mailboxes" not in slow.stdout


@pytest.mark.smoke
def test_ways_to_run(tenant: Tenant, tmp_path: Path) -> None:
    change = {"identity": tenant.at("ada")}
    run = tenant.run(
        [
            task("exo_cas_mailbox", {**change, "pop_enabled": False}, named="later", **{"async": 60, "poll": 1}),
            task("exo_cas_mailbox", {**change, "imap_enabled": False}, named="elsewhere", delegate_to="localhost"),
            # Defaults of one module are that module's alone.
            task(
                "exo_cas_mailbox",
                change,
                named="defaults",
                module_defaults={
                    "m365.exchange_online.exo_cas_mailbox": {"mapi_enabled": False},
                    "m365.exchange_online.exo_transport_config": {"clear_categories": False},
                },
            ),
            task("exo_cas_mailbox_info", {"identity": [tenant.at("ada")]}, named="read"),
        ],
        env={"ANSIBLE_ASYNC_DIR": str(tmp_path)},
    )
    assert [run[name].changed for name in ("later", "elsewhere", "defaults")] == [True, True, True]
    settings = run["read"]["mailboxes"][0]["settings"]
    assert [settings[name] for name in ("pop_enabled", "imap_enabled", "mapi_enabled")] == [False, False, False]
    assert tenant.transport("ClearCategories") is True
