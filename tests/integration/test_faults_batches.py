# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of single items, and of whole batches."""

from __future__ import annotations

import pytest
from faults import documented
from harness import Lab, Run, Step, Tenant, own_token, task
from scenarios import ALWAYS, SOON, Scenario, fails, fault, play, tenants_of

SET_BOX = {"cmdlet": "Set-CASMailbox"}
# Six mailboxes are one batch: the first is the read, the second the write.
WRITE_BATCH = {"match": {"endpoint": "batch"}, "after": 1}
THIRD = {"match": {"cmdlet": "Set-CASMailbox", "identity": "m3@batch.example"}}
BATCHES = {
    "nothing": Scenario(),
    "one item throttled": Scenario([fault("throttle", **THIRD, **SOON)]),
    "one item fails for the moment": Scenario([fault("status", code=500, **THIRD, **SOON)]),
    "one item needs its own server": Scenario([fault("needs_proxy", **THIRD)]),
    "all items need their own server": Scenario([fault("needs_proxy", match=SET_BOX, times=6)]),
    "batch throttled": Scenario([fault("throttle", **WRITE_BATCH, **SOON)]),
    "batch unavailable": Scenario([fault("status", code=503, **WRITE_BATCH, **SOON)]),
    "batch reset before": Scenario([fault("reset_before", **WRITE_BATCH)]),
    "batch reset after": Scenario([fault("reset_after", **WRITE_BATCH)]),
    "batch reset after, no retries": Scenario([fault("reset_after", **WRITE_BATCH)], options={"retries": 0}),
    "answers in another order": Scenario([fault("batch_reorder", **WRITE_BATCH)]),
    "answers of the read in another order": Scenario([fault("batch_reorder", match={"endpoint": "batch"})]),
    "an answer twice": Scenario([fault("batch_duplicate_id", **WRITE_BATCH)]),
    "an answer missing": Scenario([fault("batch_drop_item", index=2, **WRITE_BATCH)]),
    "an answer of the read missing": Scenario([fault("batch_drop_item", index=2, match={"endpoint": "batch"})]),
    "half a batch's answer": Scenario([fault("truncated_json", **WRITE_BATCH)]),
    "token expires before the batch": Scenario([fault("expire_tokens", **WRITE_BATCH)]),
    "token expires in the batch": Scenario([fault("expire_tokens", **THIRD)]),
    "one write is ignored": Scenario(
        [fault("set_ignored", **THIRD, **ALWAYS)], options={"wait_timeout": 1}, confirmed=False, written=False
    ),
    "one write fails": fails(
        "partial_failure", "1 of 6", "m3@",
        faults=[fault("status", code=400, form="pipe", message="No.", type="Some.Exception", **THIRD, **ALWAYS)],
    ),
    "one is gone": fails("partial_failure", "1 of 6", "m3@", faults=[fault("not_found", **THIRD, **ALWAYS)]),
    "all are refused": fails(
        "access_denied", "Set-CASMailbox", faults=[fault("nul_403", match=SET_BOX, **ALWAYS)], hint="directory role"
    ),
}  # fmt: skip
NAMES = [f"m{number}@batch.example" for number in range(1, 7)]


@pytest.fixture(scope="module")
def batched(lab: Lab) -> dict[str, Tenant]:
    return tenants_of(lab, BATCHES, mailboxes=[{"upn": name} for name in NAMES])


@pytest.fixture(scope="module")
def batches(lab: Lab, batched: dict[str, Tenant]) -> Run:
    arguments = {"identity": NAMES, "imap_enabled": False}
    return play(lab, batched, BATCHES, [task("exo_cas_mailbox", arguments, named="it")])


def off(tenant: Tenant) -> list[str]:
    """The mailboxes that were really written."""
    return [name for name in NAMES if tenant.mailbox(name)["ImapEnabled"] is False]


def actions(step: Step) -> dict[str, str]:
    return {box["identity"]: box["status"] for box in step["mailboxes"]}


@pytest.mark.parametrize("name", BATCHES)
def test_batch(name: str, batches: Run, batched: dict[str, Tenant]) -> None:
    scenario, tenant = BATCHES[name], batched[name]
    step = batches.step("it", tenant.label)
    if name != "nothing":
        documented(name, step)
    if name == "all are refused":
        step.refused("access_denied", *scenario.texts, hint=scenario.hint)
        assert (off(tenant), step.changed, step["summary"]["changed"]) == ([], False, 0)
        return
    if scenario.code:
        step.refused(scenario.code, *scenario.texts)
        assert step.changed
        assert (step["summary"]["changed"], step["summary"]["failed"]) == (5, 1)
        assert actions(step) == {name: "failed" if name.startswith("m3") else "changed" for name in NAMES}
        assert off(tenant) == [name for name in NAMES if not name.startswith("m3")]
        return
    assert set(actions(step.ok()).values()) == {"changed"}
    assert off(tenant) == (NAMES if scenario.written else [name for name in NAMES if not name.startswith("m3")])
    assert step["confirmed"] is scenario.confirmed
    assert {box["identity"]: box["confirmed"] for box in step["mailboxes"]} == {
        mailbox: scenario.confirmed is not False or not mailbox.startswith("m3") for mailbox in NAMES
    }
    done = [write for write in tenant.writes() if write["changed"]]
    assert len(done) == len(off(tenant))


def test_a_service_that_refuses_every_batch_is_left_alone(lab: Lab) -> None:
    tenant = lab.tenant(mailboxes=[{"upn": f"m{number}@batch.example"} for number in range(60)])
    tenant.fault("throttle", match=SET_BOX | {"endpoint": "batch_item"}, times=None, retry_after="0.1")
    arguments = {"all_mailboxes": True, "imap_enabled": False, "retries": 1, "concurrency": 1}
    step = tenant.one("exo_cas_mailbox", arguments)
    documented("all throttled for good", step)
    assert not step.changed
    # One batch, and once more; the other five are not sent.
    assert len({write["batch"] for write in tenant.writes(step)}) == 2
    assert step["summary"]["failed"] == 60


def test_a_token_of_ones_own_that_ends_on_the_way(lab: Lab) -> None:
    """It can't be renewed; what was written until then is told with the failure."""
    tenant = lab.tenant(mailboxes=[{"upn": f"m{number}@batch.example"} for number in range(35)])
    token = own_token(tenant)
    # One page, then one batch each.
    tenant.fault("expire_tokens", match={"endpoint": "batch"}, after=2)
    arguments = {"all_mailboxes": True, "imap_enabled": False, "access_token": token, "client_id": "", "concurrency": 1}
    step = tenant.one("exo_cas_mailbox", arguments, secrets=[token])
    documented("own token expires in the middle", step.refused("authentication_failed", hint="access_token"))
    assert step.changed
    assert (step["summary"]["changed"], step["summary"]["failed"]) == (20, 15)
    assert len(step["mailboxes"]) == 35
    written = {box["guid"] for box in step["mailboxes"] if box["status"] == "changed"}
    state = lab.simulator.state(tenant.label)["mailboxes"]
    assert written == {box["Guid"].lower() for box in state if not box["ImapEnabled"]}


def test_after_is_left_out_where_nobody_knows(lab: Lab) -> None:
    """The write's answer is lost, and so is the look at what became of it."""
    tenant = lab.tenant(mailboxes=[{"upn": name} for name in NAMES])
    tenant.fault("reset_after", match={"cmdlet": "Set-CASMailbox"})
    tenant.fault("status", code=503, match={"cmdlet": "Get-CASMailbox"}, after=1, times=None)
    step = tenant.one("exo_cas_mailbox", {"identity": NAMES[:1], "imap_enabled": False, "retries": 0})
    step.refused("service_unavailable", "connection", hint=None)
    (box,) = step["mailboxes"]
    assert (box["status"], box["before"]) == ("failed", {"imap_enabled": True})
    assert "after" not in box
    assert step.changed  # it may be
    assert tenant.mailbox(NAMES[0])["ImapEnabled"] is False
