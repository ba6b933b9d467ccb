# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms in which the real service may answer, and of which nobody outside Microsoft knows for certain."""

from __future__ import annotations

from typing import Any

import pytest
from faults import documented
from harness import EFFECT, Lab, Tenant, assert_converges, people, small, task, tried

SMTP = "smtp_client_authentication_disabled"
READ = {"cmdlet": "Get-CASMailbox"}
LEFT_OUT = "left out .* everywhere"
CLOSE: dict[str, Any] = {"organization": "disabled", "unlisted": "not_enabled"}


# --- null that is not sent ---


@pytest.fixture
def silent(lab: Lab) -> Tenant:
    """A tenant whose answers leave out what is null, and where no mailbox has a value of its own."""
    tenant = lab.tenant(transport_config={"SmtpClientAuthenticationDisabled": False}, omit_nulls=True)
    names = ("scanner", "reports", "ada")
    tenant.patch(add_mailboxes=[{"upn": tenant.at(name), "alias": name} for name in names])
    return tenant


def test_null_that_is_left_out_for_the_whole_tenant(silent: Tenant) -> None:
    wanted = {**CLOSE, "allowed": ["scanner", silent.at("reports")]}
    run = silent.run(
        [
            task("exo_cas_mailbox_info", {"all_mailboxes": True}, named="info"),
            task("exo_transport_config", {"allow_legacy_tls_clients": "inherit", "external_postmaster_address": ""},
                 named="organization"),
            task("exo_smtp_auth", wanted, named="check", check_mode=True),
            task("exo_smtp_auth", wanted, named="it"),
            task("exo_smtp_auth", wanted, named="again"),
            task("exo_cas_mailbox", {"identity": ["ada"], "ews_allow_entourage": "inherit"}, named="mailbox"),
            # A setting that is never null is not known where it is not sent.
        ],
        warns=[EFFECT, LEFT_OUT],
    )  # fmt: skip
    assert run["info"]["summary"]["smtp_auth"] == {"enabled": 0, "disabled": 0, "inherit": 3}
    assert [run[name].changed for name in ("organization", "check", "it", "again", "mailbox")] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert any("SmtpClientAuthenticationDisabled" in warning for warning in run["it"].warnings)
    documented("null left out everywhere", run["check"])
    assert (silent.transport(), silent.own("scanner"), silent.own("ada")) == (True, False, None)


def test_what_is_never_null_is_not_known_where_it_is_left_out(tenant: Tenant) -> None:
    tenant.fault("missing_property", property="PopEnabled", match=READ, times=None)
    step = tenant.one("exo_cas_mailbox", {"all_mailboxes": True, "pop_enabled": False})
    step.refused("unexpected_response", "PopEnabled", hint="role")
    assert tenant.writes() == []


# --- links ---


def many(lab: Lab) -> Tenant:
    return lab.tenant(generate={"count": 1100, "explicit_enabled": 0.01})


def test_one_object_with_a_link_to_more(tenant: Tenant) -> None:
    tenant.fault("page_extra_link", match=READ, times=None)
    step = tenant.one("exo_cas_mailbox", {"identity": [tenant.at("ada")], "pop_enabled": False})
    assert step.ok()["summary"]["changed"] == 1


def test_page_links_that_name_the_usual_port(lab: Lab) -> None:
    tenant = many(lab)
    tenant.fault("page_link_host", host="localhost", port=443, match=READ, times=None)
    step = tenant.one("exo_cas_mailbox_info", {"all_mailboxes": True, "properties": ["pop_enabled"]})
    assert step.ok()["summary"]["matched"] == 1100


def test_page_links_to_a_host_that_is_none_of_the_clouds(lab: Lab) -> None:
    tenant = many(lab)
    tenant.fault("page_link_host", match=READ, times=None)
    step = tenant.one("exo_cas_mailbox_info", {"all_mailboxes": True, "properties": ["pop_enabled"]})
    step.refused("incomplete_read", "another host")


# --- who the tenant is ---


def test_a_discovery_document_that_shows_the_tenant_in_its_issuer_alone(lab: Lab) -> None:
    tenant = small(lab, forms={"discovery_tenant": "issuer"})
    assert tenant.one("exo_transport_config_info").ok()["transport_config"]


def test_a_tenant_that_is_not_customized_yet(lab: Lab) -> None:
    tenant = small(lab, dehydrated=["Set-TransportConfig"])
    step = tenant.one("exo_transport_config", {"clear_categories": False})
    step.refused("invalid_request", "Enable-OrganizationCustomization", hint="once")
    documented("tenant that is not customized", step)


# --- mailboxes of their own kind ---


def test_a_mailbox_that_always_refuses_is_excluded(lab: Lab) -> None:
    """It would keep the policy from converging for ever: exclude leaves it alone, and says nothing of it."""
    tenant = small(lab)
    tenant.patch(mailboxes=[{"identity": tenant.at("stray"), "refuses_writes": True}])
    wanted = {**CLOSE, "allowed": [tenant.at("scanner")]}
    run = tenant.run(
        [
            tried("exo_smtp_auth", wanted, named="refused"),
            task("exo_smtp_auth", {**wanted, "exclude": [tenant.at("stray")]}, named="excluded"),
            task("exo_smtp_auth", {**wanted, "exclude": [tenant.at("stray")]}, named="again"),
            tried("exo_smtp_auth", {**wanted, "exclude": [tenant.at("scanner")]}, named="both"),
            tried("exo_smtp_auth", {**wanted, "exclude": [tenant.at("scaner")], "lookup_failure_action": "warn"},
                  named="misspelt"),
        ],
        warns=[EFFECT, "on no list"],
    )  # fmt: skip
    documented("mailbox that refuses every write", run["refused"].refused("partial_failure", "stray@", hint=None))
    assert not run["again"].changed
    assert not any("stray@" in warning for warning in run["again"].warnings)
    run["both"].refused("invalid_request", "scanner@.*excluded at once", hint=None)
    run["misspelt"].refused("not_found", "exclude.*scaner@")
    assert tenant.own("stray") is False


def test_a_hop_that_is_not_there_for_the_moment(lab: Lab) -> None:
    """The organization's cmdlet can't be run on a mailbox's server: the failure passes, and is tried again."""
    tenant = small(lab)
    for cmdlet in ("Set-TransportConfig", "Get-TransportConfig"):
        name = "Microsoft.Exchange.Configuration.Tasks.CmdletProxyNotAvailableFailure"
        tenant.fault("transient", type=name, message="Cmdlet proxy is not available.", match={"cmdlet": cmdlet})
    step = tenant.one("exo_transport_config", {"clear_categories": False})
    assert step.ok().changed
    assert len(step["retried"]) == 2
    documented("hop that is not there", step)


# --- requests ---


def test_the_list_is_read_once(lab: Lab) -> None:
    """A mailbox that the list of all mailboxes shows by its address is not asked for on its own."""
    tenant = small(lab)
    wanted = {"allowed": [tenant.at("stray")], "denied": [tenant.at("blocked").upper()]}
    step = tenant.one("exo_smtp_auth", wanted)
    assert not step.ok().changed
    assert [entry["cmdlet"] for entry in tenant.log(step)].count("Get-CASMailbox") == 1


def test_named_mailboxes_are_asked_for_once(lab: Lab) -> None:
    tenant = small(lab)
    result = assert_converges(
        tenant, "exo_smtp_auth", {**CLOSE, "allowed": [tenant.at("scanner"), "reports"]}, warns=[EFFECT]
    )
    names = [str(entry["parameters"].get("Identity", "")) for entry in tenant.log(result.check)]
    asked = [name for name in names if name]
    assert len(asked) == len(set(asked))


def test_an_app_that_sees_a_part_of_the_tenant(lab: Lab) -> None:
    """What it does not see is not found by name, and is not in the list: nothing says that there is more."""
    seen = [f"{name}@part.example" for name in ("scanner", "ada")]
    there = {"domains": ["part.example"], "mailboxes": people("part.example")}
    tenant = small(lab, apps=[{"read_scope": seen}], **there)
    wanted = {**CLOSE, "allowed": [tenant.at("scanner"), tenant.at("reports")]}
    run = tenant.run(
        [
            tried("exo_smtp_auth", wanted, named="beyond"),
            tried("exo_smtp_auth", {**wanted, "lookup_failure_action": "warn"}, named="blocked"),
        ],
        warns=[EFFECT, "reports@"],
    )
    run["beyond"].refused("not_found", "reports@")
    run["blocked"].refused("not_found", "reports@.*left as they are")
    assert tenant.transport() is False


def test_an_app_that_may_change_a_part_of_the_tenant(lab: Lab) -> None:
    """A listed mailbox that it may not change keeps the organization open."""
    there = {"domains": ["write.example"], "mailboxes": people("write.example")}
    tenant = small(lab, apps=[{"write_scope": ["scanner@write.example"]}], **there)
    wanted = {**CLOSE, "allowed": [tenant.at("scanner"), tenant.at("reports")]}
    step = tenant.one("exo_smtp_auth", wanted, warns=[EFFECT])
    step.refused("partial_failure", "reports@.*write scope", hint=None)
    documented("mailbox outside the app's write scope", step)
    assert (tenant.transport(), tenant.own("scanner"), tenant.own("stray")) == (False, False, False)
