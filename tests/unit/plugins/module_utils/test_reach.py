# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a change reaches, and what is not known is said."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import UNKNOWN
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import AccessDenied, AuthenticationFailed
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._reach import Reach, reach
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task

AUTH = "SmtpClientAuthenticationDisabled"
Tenant = Callable[..., t.Any]


def mailbox(client: t.Any, number: int, **settings: t.Any) -> Change:
    box = list(client.boxes.values())[number - 1]
    target = Target(CAS_MAILBOX, box["Guid"], "", box["PrimarySmtpAddress"])
    return plan_change(Record(target, box), CAS_MAILBOX.parse(settings))


def organization(client: t.Any, **settings: t.Any) -> Change:
    return plan_change(Record(Target(TRANSPORT_CONFIG), dict(client.transport)), TRANSPORT_CONFIG.parse(settings))


def reached(client: t.Any, single: Change | None, *boxes: Change) -> tuple[Reach, list[str]]:
    warnings: list[str] = []
    return reach(Task({}, True, warnings.append, lambda: client), client, single, boxes), warnings


def labels(targets: t.Iterable[Target]) -> list[str]:
    return [target.label for target in targets]


def test_other_settings_reach_nobody_and_read_nothing(tenant: Tenant) -> None:
    client = tenant(1)
    result, _warnings = reached(client, organization(client, clear_categories=True), mailbox(client, 1, pop_enabled=1))
    assert (labels(result.effect.lose), labels(result.effect.gain), result.organization_disabled) == ([], [], None)
    assert client.ran == []


def test_explicit_values_need_no_organization(tenant: Tenant) -> None:
    client = tenant(2, {AUTH: False})
    result, _warnings = reached(client, None, mailbox(client, 1, **{SMTP_AUTH: True}), mailbox(client, 2))
    assert labels(result.effect.lose) == ["user1@contoso.com"]
    assert result.organization_disabled is None
    assert client.ran == []


@pytest.mark.parametrize(("closed", "lose", "gain"), [(True, [], ["user1@contoso.com"]), (False, [], [])])
def test_who_follows_goes_by_the_organization(closed: bool, lose: list[str], gain: list[str], tenant: Tenant) -> None:
    client = tenant(1, organization={AUTH: closed})
    result, _warnings = reached(client, None, mailbox(client, 1, **{SMTP_AUTH: False}))
    assert (labels(result.effect.lose), labels(result.effect.gain)) == (lose, gain)
    assert result.organization_disabled is closed
    assert [command.name for command in client.ran] == ["Get-TransportConfig"]


def test_where_the_organization_flips_everybody_counts(tenant: Tenant) -> None:
    client = tenant(4, organization={AUTH: False})
    for box, value in zip(client.boxes.values(), (None, False, True, None), strict=True):
        box[AUTH] = value
    boxes = [mailbox(client, 4, **{SMTP_AUTH: False}), mailbox(client, 3, **{SMTP_AUTH: "inherit"})]
    result, _warnings = reached(client, organization(client, **{SMTP_AUTH: True}), *boxes)
    assert (labels(result.effect.lose), labels(result.effect.gain)) == (["user1@contoso.com"], [])
    assert result.organization_disabled is True
    assert len(result.mailboxes) == 4
    assert len(result.effect.states) == 4


@pytest.mark.parametrize("flips", [True, False])
def test_what_can_t_be_read_is_not_known_and_said(flips: bool, tenant: Tenant) -> None:
    client = tenant(1, organization={AUTH: False})
    single = organization(client, **{SMTP_AUTH: True}) if flips else None
    box = mailbox(client, 1, **{SMTP_AUTH: False})
    client.before = lambda command: AccessDenied("No role.")
    result, warnings = reached(client, single, box)
    assert result.effect is UNKNOWN
    assert isinstance(result.reason, AccessDenied)
    assert warnings == ["It is not known who gains or loses SMTP AUTH in effect. No role."]
    client.before = lambda command: AuthenticationFailed("No token.")
    with pytest.raises(AuthenticationFailed):
        reached(client, single, box)
