# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that are cut short, or that come back only after a stumble: acted on whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from faults import documented
from harness import Lab, Run, Tenant, task
from scenarios import ALWAYS, QUICK, SOON, Scenario, fails, fault, play, tenants_of

SECOND = {"cmdlet": "Get-CASMailbox", "page": 2}


def cut(kind: str, *texts: str, **details: Any) -> Scenario:
    return fails("incomplete_read", *texts, faults=[fault(kind, match=SECOND, **ALWAYS, **details)])


PAGES = {
    "nothing": Scenario(),
    "page expired": cut("page_expired"),
    "page twice": cut("page_duplicate", "twice"),
    "page that leads to itself": cut("page_repeat"),
    "page elsewhere": fails(
        "incomplete_read", "outlook.example.com",
        faults=[fault("page_foreign_link", match={"cmdlet": "Get-CASMailbox", "page": 1}, **ALWAYS)],
    ),
    "more results, no link": cut("page_short_with_truncation_warning"),
    "HTML on the way": cut("html", status=200),
    "throttled on the way": Scenario([fault("throttle", match=SECOND, **SOON)]),
    "token expires on the way": Scenario([fault("expire_tokens", match=SECOND)]),
    "$select refused": Scenario([fault("refuse_select", match={"page": 1}, **ALWAYS)]),
    "$select ignored": Scenario([fault("ignore_select", match={"page": 1})]),
    "unavailable on the way": Scenario(
        [fault("status", code=503, match=SECOND, **ALWAYS, **SOON)], "incomplete_read", options=QUICK, written=False
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def listed(lab: Lab) -> dict[str, Tenant]:
    return tenants_of(lab, PAGES, generate={"count": 1150, "explicit_enabled": 0.01})


@pytest.fixture(scope="module")
def pages(lab: Lab, listed: dict[str, Tenant]) -> Run:
    smtp = "smtp_client_authentication_disabled"
    arguments = {"all_mailboxes": True, "where": {smtp: False}, "imap_enabled": False}
    return play(lab, listed, PAGES, [task("exo_cas_mailbox", arguments, named="it")])


@pytest.mark.parametrize("name", PAGES)
def test_list(name: str, pages: Run, listed: dict[str, Tenant]) -> None:
    scenario, tenant = PAGES[name], listed[name]
    step = pages.step("it", tenant.label)
    if name != "nothing":
        documented(name, step)
    if scenario.code:
        step.refused(scenario.code, *scenario.texts)
        assert tenant.writes() == []
        return
    assert step.ok().changed
    explicit = [
        box
        for box in tenant.lab.simulator.state(tenant.label)["mailboxes"]
        if box["SmtpClientAuthenticationDisabled"] is False
    ]
    assert len(explicit) == step["summary"]["changed"] > 5
    assert not any(box["ImapEnabled"] for box in explicit)
