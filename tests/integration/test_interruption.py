# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that end on the way: nothing is written afterwards, the next run finishes, and the undo file leads back."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import documented
from harness import Lab, Tenant, small, task
from processes import HAVE_PROC, Running, start, wait_for

COUNT = 200
CHANGE = {"all_mailboxes": True, "pop_enabled": False, "concurrency": 2}
pytestmark = pytest.mark.skipif(not HAVE_PROC, reason="needs /proc to find the processes of a run")

# A time-out of the task is an alarm in the worker. The others reach ansible-playbook alone: a service manager that
# stops it, a terminal that is closed, a system without memory.
STOPS: dict[str, Callable[[Running], None]] = {
    "time-out of the task": lambda running: running.send_to_workers(signal.SIGALRM),
    "SIGTERM": lambda running: running.send(signal.SIGTERM),
    "SIGHUP": lambda running: running.send(signal.SIGHUP),
    "SIGKILL": lambda running: running.send(signal.SIGKILL),
}


def off(tenant: Tenant) -> int:
    return sum(not box["PopEnabled"] for box in tenant.lab.simulator.state(tenant.label)["mailboxes"])


@pytest.mark.parametrize("power_cut", [False, True], ids=["SIGTERM", "power cut"])
def test_killed_in_the_middle(power_cut: bool, lab: Lab, tmp_path: Path) -> None:
    tenant = lab.tenant(generate={"count": COUNT})
    # After the fourth batch the service is so slow that the run is in the middle, however busy the machine is.
    tenant.fault("delay", match={"endpoint": "batch"}, after=4, times=None, seconds=600)
    undo = tmp_path / "undo.json"
    change = {**CHANGE, "undo_file": str(undo)}
    running = start(lab, [task("exo_cas_mailbox", change)], tenant)
    wait_for(lambda: len(tenant.writes()) >= 40)
    if power_cut:
        running.kill_all()
    else:
        running.send(signal.SIGTERM)
    running.wait_until_gone()
    done = off(tenant)
    assert 40 <= done < COUNT
    saved = json.loads(undo.read_text())
    assert len(saved["entries"]) == COUNT
    lab.simulator.clear_faults()
    run = tenant.run(
        [
            task("exo_cas_mailbox", change, named="next"),
            task("exo_cas_mailbox", change, named="again"),
            # The second run's file holds what was left; the first run's has got a time into its name.
            task("exo_restore", {"src": str(undo)}, named="back"),
            task("exo_restore", {"src": "{{ lookup('fileglob', '" + str(tmp_path / "undo-*.json") + "') }}",
                                 "force": True}, named="all the way back"),
        ]
    )  # fmt: skip
    assert run["next"]["summary"]["changed"] == COUNT - done
    assert run["next"]["undo_file"] == str(undo)
    assert not run["again"].changed
    documented("killed in the middle", run["next"])
    assert run["back"]["summary"]["changed"] == COUNT - done
    assert run["all the way back"]["summary"]["changed"] == done
    assert (run["all the way back"]["changed_since"], off(tenant)) == ([], 0)


@pytest.mark.parametrize("how", STOPS)
def test_no_batch_is_sent_once_the_run_is_over(how: str, lab: Lab, tmp_path: Path) -> None:
    """Where the module was not killed itself, it sees that nobody waits for it any more."""
    tenant = lab.tenant(generate={"count": COUNT})
    tenant.fault("delay", match={"endpoint": "batch"}, after=4, times=None, seconds=4)
    undo = tmp_path / "undo.json"
    change = {**CHANGE, "concurrency": 1, "undo_file": str(undo)}
    running = start(lab, [task("exo_cas_mailbox", change, timeout=600)], tenant)
    wait_for(lambda: len(tenant.writes()) >= 40)
    STOPS[how](running)
    running.wait_until_gone()
    assert 40 <= off(tenant) < COUNT
    assert len(json.loads(undo.read_text())["entries"]) == COUNT


# --- in the delay between enabling and closing ---

DELAY = 600  # seconds; no test waits as long as that
WAITING = "letting every server learn"


def closing(tenant: Tenant, delay: int = DELAY) -> dict[str, object]:
    return {"organization": "disabled", "allowed": tenant.allowed("scanner", "stray"), "propagation_delay": delay}


def enabled_and_seen(tenant: Tenant) -> bool:
    """The scanner was enabled and looked at again: what follows is the delay."""
    names = [entry["cmdlet"] for entry in tenant.log()]
    return "Set-CASMailbox" in names and "Get-CASMailbox" in names[names.index("Set-CASMailbox") :]


def waits(running: Running) -> bool:
    """Whether the run says that it waits; one that ends without will not say so any more."""
    wait_for(lambda: WAITING in running.said or not running.alive)
    return WAITING in running.said and running.alive


@pytest.mark.parametrize("how", STOPS)
def test_the_organization_is_not_closed_once_the_run_is_over(how: str, lab: Lab) -> None:
    tenant = small(lab)
    running = start(lab, [task("exo_smtp_auth", closing(tenant), timeout=600)], tenant)
    wait_for(lambda: enabled_and_seen(tenant))
    STOPS[how](running)
    running.wait_until_gone()
    assert [write["cmdlet"] for write in tenant.writes()] == ["Set-CASMailbox"]
    assert (tenant.transport(), tenant.own("scanner")) == (False, False)


def test_the_organization_is_not_closed_after_a_second_ctrl_c(lab: Lab) -> None:
    """It comes while ansible-playbook gives its tasks the time to end: then it waits for them without stopping them."""
    tenant = small(lab)
    patient = {"ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT": "10000"}
    running = start(lab, [task("exo_smtp_auth", closing(tenant))], tenant, env=patient)
    wait_for(lambda: enabled_and_seen(tenant))
    while "User interrupted execution" not in running.said:
        running.send(signal.SIGINT)
        time.sleep(2)
    running.wait_until_gone()
    assert [write["cmdlet"] for write in tenant.writes()] == ["Set-CASMailbox"]
    assert (tenant.transport(), tenant.own("scanner")) == (False, False)


@pytest.mark.parametrize("dated", [True, False], ids=["date known", "date not known"])
def test_the_run_after_an_interrupted_delay_waits_as_well(dated: bool, lab: Lab) -> None:
    """Nothing is left to be enabled then, and the servers know no more of the scanner than before."""
    tenant = small(lab)
    if not dated:
        tenant.fault("missing_property", property="WhenChangedUTC", match={"cmdlet": "Get-CASMailbox"}, times=None)
    first = start(lab, [task("exo_smtp_auth", closing(tenant))], tenant)
    wait_for(lambda: enabled_and_seen(tenant))
    first.kill_all()
    first.wait_until_gone()
    second = start(lab, [task("exo_smtp_auth", closing(tenant))], tenant)
    assert waits(second), second.said
    second.kill_all()
    assert [write["cmdlet"] for write in tenant.writes()] == ["Set-CASMailbox"]


def test_a_second_launch_side_by_side_waits_as_well(lab: Lab) -> None:
    tenant = small(lab)
    first = start(lab, [task("exo_smtp_auth", closing(tenant))], tenant)
    wait_for(lambda: enabled_and_seen(tenant))
    second = start(lab, [task("exo_smtp_auth", closing(tenant))], tenant)
    assert waits(second), second.said
    assert waits(first), first.said
    for running in (first, second):
        running.kill_all()
    assert [write["cmdlet"] for write in tenant.writes()] == ["Set-CASMailbox"]


def test_what_somebody_else_enabled_just_now_counts_too(lab: Lab) -> None:
    tenant = small(lab)
    tenant.patch(mailboxes=[{"identity": tenant.at("scanner"), "cas": {"SmtpClientAuthenticationDisabled": False}}])
    running = start(lab, [task("exo_smtp_auth", closing(tenant))], tenant)
    assert waits(running), running.said
    running.kill_all()
    assert tenant.writes() == []


def test_what_was_enabled_long_ago_is_not_waited_for(lab: Lab) -> None:
    tenant = small(lab)
    step = tenant.one("exo_smtp_auth", {**closing(tenant), "allowed": tenant.allowed("stray")}, warns=["SMTP AUTH"])
    assert step.ok()["organization"]["after"] == "disabled"
    assert step.ended - step.started < DELAY
