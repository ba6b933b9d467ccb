# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that a tenant has just one of: transport settings and the organization's configuration."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _organization_config, _transport_config
from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import EFFECT, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    InvalidRequest,
    Refused,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._single_object import converge_single, spec
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    ORGANIZATION_CONFIG,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

AUTH = "SmtpClientAuthenticationDisabled"
APP = "6f1d2c3b-4a59-4871-8c6d-2b1a0f9e8d7c"
Tenant = Callable[..., t.Any]
Run = Callable[..., t.Any]


@pytest.fixture
def transport(run: Run) -> Run:
    return lambda client, **given: run(_transport_config.converge, _transport_config.ARGUMENT_SPEC, client, **given)


@pytest.fixture
def organization(run: Run) -> Run:
    return lambda client, **given: run(
        _organization_config.converge, _organization_config.ARGUMENT_SPEC, client, **given
    )


def test_the_spec_has_the_settings_and_the_groups() -> None:
    assert set(_transport_config.ARGUMENT_SPEC) == {*TRANSPORT_CONFIG.options, *EFFECT, *UNDO, *WAIT}
    assert set(spec(ORGANIZATION_CONFIG)) == set(ORGANIZATION_CONFIG.options)


def test_what_differs_is_written_and_the_whole_object_returned(tenant: Tenant, transport: Run) -> None:
    client = tenant(0)
    ran = transport(client, message_expiration="43200", clear_categories=False)
    assert ran.error is None
    assert client.written == [("the organization", {"MessageExpiration": "12:00:00"})]
    shown = ran.result["transport_config"]
    assert set(shown) == set(TRANSPORT_CONFIG.options)
    assert (shown["message_expiration"], shown["clear_categories"]) == ("12:00:00", False)
    assert ran.result["diff"] == {
        "before_header": "contoso.com: the organization",
        "after_header": "contoso.com: the organization",
        "before": {"message_expiration": "1.00:00:00"},
        "after": {"message_expiration": "12:00:00"},
    }
    assert ran.result["effect"] == {"lose": 0, "gain": 0, "lose_sample": [], "gain_sample": []}
    assert (ran.result["changed"], ran.result["confirmed"], ran.warnings) == (True, True, [])
    again = transport(client, message_expiration="43200", clear_categories=False)
    assert (again.result["changed"], again.result["diff"]["after"]) == (False, {})


def test_no_setting_is_refused_before_any_request(tenant: Tenant, transport: Run) -> None:
    client = tenant(0)
    assert isinstance(transport(client).failure, InvalidRequest)
    assert client.ran == []


def test_a_failed_write_shows_what_was(tenant: Tenant, transport: Run) -> None:
    client = tenant(0)
    client.before = lambda command: None if command.reads else InvalidRequest("No.")
    ran = transport(client, message_expiration="43200")
    assert str(ran.failure) == "No."
    assert ran.result["transport_config"]["message_expiration"] == "1.00:00:00"
    assert ran.result["changed"] is False


def test_what_is_not_understood_warns_and_is_left_out(tenant: Tenant, transport: Run, run: Run) -> None:
    client = tenant(0, organization={"MessageExpiration": "soon"})
    ran = transport(client, clear_categories=True)
    assert ran.error is None
    assert "message_expiration" not in ran.result["transport_config"]
    assert any("MessageExpiration" in warning for warning in ran.warnings)
    assert isinstance(transport(client, message_expiration="43200").failure, UnexpectedResponse)
    read = run(_transport_config.info, {}, client)
    assert any("MessageExpiration" in warning for warning in read.warnings)
    assert read.result["other_properties"] == {"MessageExpiration": "soon"}


def test_closing_says_who_loses(tenant: Tenant, transport: Run) -> None:
    client = tenant(2, organization={AUTH: False})
    next(iter(client.boxes.values()))[AUTH] = False
    ran = transport(client, **{SMTP_AUTH: True})
    assert ran.error is None
    assert ran.result["effect"]["lose_sample"] == ["user2@contoso.com"]
    assert ran.warnings == ["1 mailbox loses SMTP AUTH in effect: user2@contoso.com."]
    assert client.transport[AUTH] is True


def test_opening_says_who_gains(tenant: Tenant, transport: Run) -> None:
    """``off`` in YAML is false, which opens."""
    client = tenant(2)
    ran = transport(client, **{SMTP_AUTH: False})
    assert ran.warnings == ["2 mailboxes gain SMTP AUTH in effect: user1@contoso.com, user2@contoso.com."]


@pytest.mark.parametrize(("closed", "option"), [(False, "max_lose"), (True, "max_gain")])
def test_the_limits_count_mailboxes(closed: bool, option: str, tenant: Tenant, transport: Run) -> None:
    client = tenant(30, organization={AUTH: closed})
    ran = transport(client, **{SMTP_AUTH: not closed, option: "50%"})
    assert isinstance(ran.failure, Refused)
    assert f"{option}: 50% allows 15" in str(ran.failure)
    assert client.writes == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_who_loses_has_to_be_known(check_mode: bool, tenant: Tenant, transport: Run) -> None:
    client = tenant(1, organization={AUTH: False})
    client.before = lambda command: AccessDenied("No role.") if command.name == "Get-CASMailbox" else None
    ran = transport(client, check_mode=check_mode, **{SMTP_AUTH: True})
    assert isinstance(ran.failure, Refused)
    assert "No role." in str(ran.failure)
    assert client.writes == []
    assert transport(client, clear_categories=True).error is None


def test_a_task_without_effect_needs_no_mailboxes(tenant: Tenant, run: Run) -> None:
    client = tenant(0)
    given = {**spec(TRANSPORT_CONFIG, UNDO, WAIT)}
    ran = run(lambda task: converge_single(task, TRANSPORT_CONFIG, "x"), given, client, clear_categories=True)
    assert ran.result["effect"]["lose"] == 0
    assert [command.name for command in client.ran] == [
        "Get-TransportConfig", "Set-TransportConfig", "Get-TransportConfig",
    ]  # fmt: skip


def test_reading_says_whatever_else_the_service_sent(tenant: Tenant, run: Run) -> None:
    """December's change may arrive as a property that nobody knows yet."""
    client = tenant(0, organization={"BasicAuthSmtpEnabled": True, "BasicAuthSmtpEnabled@odata.type": "#Boolean"})
    ran = run(_transport_config.info, {}, client)
    assert ran.result["other_properties"] == {"BasicAuthSmtpEnabled": True}
    assert set(ran.result["transport_config"]) == set(TRANSPORT_CONFIG.options)
    assert ran.result["changed"] is False


# The organization's configuration


def test_app_ids_are_read_with_their_switch_and_compared_as_a_set(tenant: Tenant, organization: Run, run: Run) -> None:
    other = APP.replace("6f", "7a")
    client = tenant(0, config={"EwsAllowedAppIDs": f"{APP},{other}"})
    assert organization(client, ews_allowed_app_ids=[other.upper(), APP]).result["changed"] is False
    assert client.ran[0].parameters == {"RetrieveEwsOperationAccessPolicy": True}
    ran = organization(client, ews_allowed_app_ids={"remove": [other]})
    assert client.written == [("the organization", {"EwsAllowedAppIDs": APP})]
    assert ran.result["confirmed"] is True
    client.ran.clear()
    read = run(_organization_config.info, {}, client)
    assert read.result["organization_config"]["ews_allowed_app_ids"] == [APP]
    assert client.ran[0].parameters == {"RetrieveEwsOperationAccessPolicy": True}


def test_an_empty_list_of_apps_has_to_be_meant(tenant: Tenant, organization: Run) -> None:
    client = tenant(0, config={"EwsAllowedAppIDs": APP})
    for given in ([], {"remove": [APP]}, {"set": []}):
        failure = organization(client, ews_allowed_app_ids=given).failure
        assert isinstance(failure, Refused)
        assert "would become empty (1 now)" in str(failure)
    assert client.writes == []
    assert organization(client, ews_allowed_app_ids=[], allow_empty=True).error is None
    assert client.single["OrganizationConfig"]["EwsAllowedAppIDs"] is None
    assert organization(client, ews_allowed_app_ids=[]).error is None  # it is empty already


def test_rejecting_direct_send_warns_of_devices(tenant: Tenant, organization: Run) -> None:
    client = tenant(0)
    (warning,) = organization(client, reject_direct_send=True).warnings
    assert "stops devices that send without signing in" in warning
    assert organization(client, reject_direct_send=True).warnings == []
    assert organization(client, reject_direct_send=False).warnings == []


BLOCK = {"Guid": APP, "Name": "Block", "AllowBasicAuthSmtp": False}


def test_another_default_policy_says_who_loses(tenant: Tenant, organization: Run) -> None:
    client = tenant(1, {AUTH: False})
    client.policies.append(BLOCK)
    ran = organization(client, default_authentication_policy="block")
    assert ran.error is None
    assert client.written == [("the organization", {"DefaultAuthenticationPolicy": APP})]
    assert ran.result["effect"]["lose_sample"] == ["user1@contoso.com"]
    failure = organization(client, default_authentication_policy="Gone").failure
    assert isinstance(failure, InvalidRequest)


def test_another_default_policy_needs_to_know_who_loses(tenant: Tenant, organization: Run) -> None:
    client = tenant(1)
    client.policies.append(BLOCK)
    client.before = lambda command: AccessDenied("No role.") if command.name == "Get-CASMailbox" else None
    assert isinstance(organization(client, default_authentication_policy="Block").failure, Refused)
    assert client.writes == []
