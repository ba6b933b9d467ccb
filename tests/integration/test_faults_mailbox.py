# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which the service says that there is no such mailbox, and what only looks like one."""

from __future__ import annotations

import json

import pytest
from faults import documented
from harness import Lab, Run, Tenant, task
from scenarios import ALWAYS, Scenario, fails, fault, play, tenants_of

READ = {"cmdlet": "Get-CASMailbox"}
NOT_FOUND = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
TEXT = "The operation couldn't be performed because object 'ada' couldn't be found on 'dc1.prod.outlook.com'."
INNER = {"error": {"code": "NotFound", "details": [{"code": "Client", "message": f"Ex6F9304|{NOT_FOUND}|{TEXT}"}]}}
HOP = (
    "Error on proxy command 'Get-CASMailbox' to server dc1.prod.outlook.com: Server version 15.20, Proxy method PSWS:"
    f" NotFound: Error executing cmdlet : {json.dumps(INNER)}"
)
MAILBOX = {
    "nothing": Scenario(),
    "not found, as 404": fails(
        "not_found", "There is no mailbox 'ada@one.example'", faults=[fault("not_found", match=READ, **ALWAYS)],
        hint="spelling",
    ),
    **{
        f"not found, as {status}": fails(
            "not_found", "There is no mailbox 'ada@one.example'",
            faults=[fault("status", code=status, type=NOT_FOUND, message=TEXT, match=READ, **ALWAYS)], hint="spelling",
        )
        for status in (400, 500)
    },
    "not found behind a hop": fails(
        "not_found", "There is no mailbox 'ada@one.example'",
        faults=[fault("status", code=500, type="Microsoft.Exchange.Configuration.CmdletProxyException", message=HOP,
                      match=READ, **ALWAYS)],
        hint="spelling",
    ),
    "bare 404": fails(
        "unexpected_response", "404", faults=[fault("status", code=404, form="none", match=READ, **ALWAYS)],
        hint="proxy",
    ),
    "two of the name": fails(
        "ambiguous", "More than one", faults=[fault("ambiguous", match=READ, **ALWAYS)], hint="GUID"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def asked(lab: Lab) -> dict[str, Tenant]:
    return tenants_of(lab, MAILBOX, mailboxes=[{"upn": "ada@one.example"}])


@pytest.fixture(scope="module")
def answers(lab: Lab, asked: dict[str, Tenant]) -> Run:
    arguments = {"identity": ["ada@one.example"], "imap_enabled": False}
    return play(lab, asked, MAILBOX, [task("exo_cas_mailbox", arguments, named="it")])


@pytest.mark.parametrize("name", MAILBOX)
def test_mailbox(name: str, answers: Run, asked: dict[str, Tenant]) -> None:
    scenario, tenant = MAILBOX[name], asked[name]
    step = answers.step("it", tenant.label)
    if scenario.code is None:
        assert step.ok().changed
        return
    step.refused(scenario.code, *scenario.texts, hint=scenario.hint)
    documented(name, step)
    assert "prod.outlook.com" not in step.msg
    assert tenant.writes() == []
