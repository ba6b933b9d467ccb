# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In check mode nothing is written, and what is announced is what is then done."""

from __future__ import annotations

import pytest
from harness import EFFECT, Tenant, assert_converges, task


@pytest.mark.smoke
def test_transport_config_converges(tenant: Tenant) -> None:
    wanted = {"clear_categories": False, "allow_legacy_tls_clients": False, "message_expiration": "12:00:00"}
    assert_converges(tenant, "exo_transport_config", wanted)


@pytest.mark.smoke
def test_cas_mailbox_converges(tenant: Tenant) -> None:
    wanted = {"identity": [tenant.at("ada"), "ben"], "imap_enabled": False, "smtp_client_authentication_disabled": True}
    result = assert_converges(tenant, "exo_cas_mailbox", wanted, warns=["2 mailboxes (would )?lose SMTP AUTH"])
    assert result.apply["summary"]["changed"] == 2


@pytest.mark.smoke
def test_smtp_auth_converges(tenant: Tenant) -> None:
    wanted = {"organization": "disabled", "allowed": tenant.allowed("scanner", "reports"), "unlisted": "not_enabled"}
    result = assert_converges(tenant, "exo_smtp_auth", wanted, warns=["3 mailboxes (would )?lose SMTP AUTH"])
    assert result.apply["confirmed"] is True
    assert sorted(result.apply["summary"]["effect"]["lose_sample"]) == sorted(map(tenant.at, ("ada", "ben", "stray")))


def test_transport_config_that_flips_smtp_auth_says_whom_it_touches(tenant: Tenant) -> None:
    wanted = {"smtp_client_authentication_disabled": True}
    result = assert_converges(tenant, "exo_transport_config", wanted, warns=["4 mailboxes (would )?lose SMTP AUTH"])
    assert result.check["effect"]["lose"] == 4


def test_check_of_the_whole_run_writes_nothing(tenant: Tenant) -> None:
    """--check on the command line, with every module in one play."""
    run = tenant.run(
        [
            task("exo_transport_config", {"clear_categories": False}),
            task("exo_transport_config_info"),
            task("exo_cas_mailbox", {"all_mailboxes": True, "pop_enabled": False}),
            task("exo_cas_mailbox_info", {"all_mailboxes": True, "dest": str(tenant.lab.scratch / "not.json")}),
            task("exo_smtp_auth", {"organization": "disabled", "allowed": tenant.allowed("scanner")}),
            task("exo_service_info"),
        ],
        check=True,
        diff=True,
        warns=[EFFECT, "on no list"],
    )
    assert [step.changed for step in run.steps] == [True, False, True, True, True, False]
    assert tenant.writes() == []
    assert not (tenant.lab.scratch / "not.json").exists()
