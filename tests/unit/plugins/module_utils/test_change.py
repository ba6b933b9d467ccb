# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what is written together, what is refused, how much is too much, and in which order."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, NotFound, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Mailbox
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan, brake, parse_limit, plan_settings
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

Wire = Callable[..., dict[str, t.Any]]
TAG = {"@odata.type": "#Exchange.GenericHashTable"}
ALLOW, BLOCK = "EnforceAllowList", "EnforceBlockList"


def plan(table: Table, wire: dict[str, t.Any], **settings: t.Any) -> Change:
    return plan_settings(table, wire, table.parse(settings))


class Case(t.NamedTuple):
    """wire: what differs from an untouched mailbox. given: the task. sent: the only call, None where nothing is."""

    name: str
    wire: dict[str, t.Any]
    given: dict[str, t.Any]
    sent: dict[str, t.Any] | None
    differs: dict[str, tuple[t.Any, t.Any]] | None = None


CASES = [
    Case(
        "only what differs", {"PopEnabled": True}, {"pop_enabled": False, "imap_enabled": False}, {"PopEnabled": False}
    ),
    Case("nothing", {}, {"pop_enabled": False}, None),
    Case(
        "inherit is null",
        {"SmtpClientAuthenticationDisabled": True},
        {SMTP_AUTH: "inherit"},
        {"SmtpClientAuthenticationDisabled": None},
        {SMTP_AUTH: (True, "inherit")},
    ),
    Case(
        "false is not null",
        {},
        {SMTP_AUTH: "false"},
        {"SmtpClientAuthenticationDisabled": False},
        {SMTP_AUTH: ("inherit", False)},
    ),
    # EWS lists travel with their policy
    Case(
        "a list with the policy that is there",
        {"EwsApplicationAccessPolicy": ALLOW, "EwsAllowList": ["A/*"]},
        {"ews_allow_list": ["B/*"]},
        {"EwsAllowList": ["B/*"], "EwsApplicationAccessPolicy": ALLOW},
        {"ews_allow_list": (["A/*"], ["B/*"])},
    ),
    Case(
        "a list with a new policy",
        {},
        {"ews_block_list": ["B/*"], "ews_application_access_policy": BLOCK},
        {"EwsBlockList": ["B/*"], "EwsApplicationAccessPolicy": BLOCK},
    ),
    Case(
        "a delta with the policy that is there",
        {"EwsApplicationAccessPolicy": ALLOW, "EwsAllowList": ["A/*"]},
        {"ews_allow_list": {"add": ["B/*"]}},
        {"EwsAllowList": {**TAG, "Add": ["B/*"]}, "EwsApplicationAccessPolicy": ALLOW},
    ),
    Case(
        "a list that is cleared with a policy",
        {"EwsApplicationAccessPolicy": ALLOW, "EwsAllowList": ["A/*"]},
        {"ews_allow_list": [], "ews_application_access_policy": "inherit"},
        {"EwsAllowList": None, "EwsApplicationAccessPolicy": None},
    ),
    Case(
        "a leftover list without policy, unchanged",
        {"EwsAllowList": ["A/*"]},
        {"ews_allow_list": ["A/*"], "ews_application_access_policy": "inherit"},
        None,
    ),
    Case(
        "user agents differ by case",
        {"EwsApplicationAccessPolicy": ALLOW, "EwsAllowList": ["myapp*"]},
        {"ews_allow_list": ["MyApp*"]},
        {"EwsAllowList": ["MyApp*"], "EwsApplicationAccessPolicy": ALLOW},
    ),
    Case(
        "device ids don't", {"ActiveSyncAllowedDeviceIDs": ["ABC"]}, {"active_sync_allowed_device_ids": ["abc"]}, None
    ),
    Case(
        "the policy alone goes alone",
        {"EwsApplicationAccessPolicy": ALLOW},
        {"ews_application_access_policy": BLOCK},
        {"EwsApplicationAccessPolicy": BLOCK},
    ),
    # formats need the protocol's defaults off, in the same call
    Case(
        "the defaults are turned off with a format",
        {"ImapUseProtocolDefaults": True},
        {"imap_messages_retrieval_mime_format": "TextOnly"},
        {"ImapMessagesRetrievalMimeFormat": "TextOnly", "ImapUseProtocolDefaults": False},
        {
            "imap_messages_retrieval_mime_format": ("BestBodyFormat", "TextOnly"),
            "imap_use_protocol_defaults": (True, False),
        },
    ),
    Case(
        "off already: sent, not changed",
        {"PopUseProtocolDefaults": False},
        {"pop_suppress_read_receipt": True},
        {"PopSuppressReadReceipt": True, "PopUseProtocolDefaults": False},
        {"pop_suppress_read_receipt": (False, True)},
    ),
    Case(
        "both wished",
        {"PopUseProtocolDefaults": True},
        {"pop_force_ical_for_calendar_retrieval_option": True, "pop_use_protocol_defaults": False},
        {"PopForceICalForCalendarRetrievalOption": True, "PopUseProtocolDefaults": False},
    ),
    Case(
        "a contradiction that needs no write is quiet",
        {"ImapUseProtocolDefaults": True, "ImapMessagesRetrievalMimeFormat": "TextOnly"},
        {"imap_messages_retrieval_mime_format": 0, "imap_use_protocol_defaults": True},
        None,
    ),
    Case(
        "the protocols don't mix",
        {"PopUseProtocolDefaults": True},
        {"imap_messages_retrieval_mime_format": "Tnef", "pop_use_protocol_defaults": True},
        {"ImapMessagesRetrievalMimeFormat": "Tnef", "ImapUseProtocolDefaults": False},
    ),
    # policies
    Case("default by default", {}, {"active_sync_mailbox_policy": ""}, None),
    Case(
        "the default is pinned by naming it",
        {},
        {"active_sync_mailbox_policy": "Default"},
        {"ActiveSyncMailboxPolicy": "Default"},
        {"active_sync_mailbox_policy": ("", "Default")},
    ),
    Case(
        "back to the default",
        {"ActiveSyncMailboxPolicy": "Default", "ActiveSyncMailboxPolicyIsDefaulted": False},
        {"active_sync_mailbox_policy": ""},
        {"ActiveSyncMailboxPolicy": None},
    ),
    Case("a policy in another case", {}, {"owa_mailbox_policy": "owamailboxpolicy-default"}, None),
    Case("a policy taken away", {}, {"owa_mailbox_policy": ""}, {"OwaMailboxPolicy": None}),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_mailbox(case: Case, cas_wire: Wire) -> None:
    change = plan(CAS_MAILBOX, cas_wire(**case.wire), **case.given)
    assert change.calls == (() if case.sent is None else (case.sent,))
    assert change.changed is (case.sent is not None)
    before, after = change.differing()
    if case.sent is None:
        assert (before, after) == ({}, {})
        assert dict(change.before) == dict(change.after)
    if case.differs is not None:
        assert {option: (before[option], after[option]) for option in before} == case.differs
    assert set(before) <= set(CAS_MAILBOX.options)


@pytest.mark.parametrize(
    ("wire", "given", "names"),
    [
        ({}, {"ews_allow_list": ["A/*"]}, ("ews_allow_list", "ews_application_access_policy")),
        (
            {"EwsApplicationAccessPolicy": ALLOW},
            {"ews_block_list": ["A/*"], "ews_application_access_policy": "inherit"},
            ("ews_block_list", "ews_application_access_policy"),
        ),
        (
            {"ImapUseProtocolDefaults": False},
            {"imap_suppress_read_receipt": True, "imap_use_protocol_defaults": True},
            ("imap_suppress_read_receipt", "imap_use_protocol_defaults"),
        ),
        (
            {"PopUseProtocolDefaults": True},
            {"pop_messages_retrieval_mime_format": "Tnef", "pop_use_protocol_defaults": True},
            ("pop_messages_retrieval_mime_format", "pop_use_protocol_defaults"),
        ),
    ],
)
def test_contradictions_that_need_a_write_are_refused(
    wire: dict[str, t.Any], given: dict[str, t.Any], names: tuple[str, str], cas_wire: Wire
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        plan(CAS_MAILBOX, cas_wire(**wire), **given)
    assert all(name in str(caught.value) for name in names)
    assert caught.value.hint


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"EwsAllowList": ["A/*"], "EwsBlockList": ["B/*"]},
        {"ImapMessagesRetrievalMimeFormat": "TextOnly", "PopSuppressReadReceipt": True},
        {"ActiveSyncAllowedDeviceIDs": ["B", "A"], "SmtpClientAuthenticationDisabled": False, "EwsEnabled": False},
    ],
)
def test_a_whole_object_read_back_and_applied_is_quiet(wire: dict[str, t.Any], cas_wire: Wire) -> None:
    sent = cas_wire(**wire)
    values = {row.option: row.read(sent) for row in CAS_MAILBOX.rows}
    assert not plan(CAS_MAILBOX, sent, **values).changed


@pytest.mark.parametrize(
    ("current", "given", "sent"),
    [
        ("<>", "", None),
        ("<>", "<>", None),
        ("<>", "ndr@fabrikam.com", {"JournalingReportNdrTo": "ndr@fabrikam.com"}),
        ("ndr@fabrikam.com", "NDR@fabrikam.com", None),
        ("ndr@fabrikam.com", "other@fabrikam.com", {"JournalingReportNdrTo": "other@fabrikam.com"}),
    ],
)
def test_what_goes_one_way(current: str, given: str, sent: dict[str, str] | None, transport_wire: Wire) -> None:
    change = plan(TRANSPORT_CONFIG, transport_wire(JournalingReportNdrTo=current), journaling_report_ndr_to=given)
    assert change.calls == ((sent,) if sent else ())


@pytest.mark.parametrize("given", ["", "<>"])
def test_no_way_back(given: str, transport_wire: Wire) -> None:
    with pytest.raises(InvalidRequest, match="journaling_report_ndr_to"):
        plan(TRANSPORT_CONFIG, transport_wire(JournalingReportNdrTo="a@b.example"), journaling_report_ndr_to=given)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"message_expiration": "86400"}, None),
        ({"message_expiration": "43200"}, {"MessageExpiration": "12:00:00"}),
        ({"max_recipient_envelope_limit": "unlimited"}, None),
        ({"max_recipient_envelope_limit": "500"}, {"MaxRecipientEnvelopeLimit": "500"}),
        ({"allow_legacy_tls_clients": False}, {"AllowLegacyTLSClients": False}),
        ({"allow_legacy_tls_clients": "inherit"}, None),
        ({"external_postmaster_address": ""}, None),
        ({"dsn_conversion_mode": "preservedsnbody"}, None),
    ],
)
def test_the_organization(given: dict[str, t.Any], sent: dict[str, t.Any] | None, transport_wire: Wire) -> None:
    change = plan(TRANSPORT_CONFIG, transport_wire(), **given)
    assert change.calls == ((sent,) if sent else ())
    assert change.label == "the organization"


def test_a_former_state_comes_back_even_if_it_could_not_be_wished(cas_wire: Wire) -> None:
    now = cas_wire(ImapUseProtocolDefaults=False, ImapMessagesRetrievalMimeFormat="Tnef")
    wishes = CAS_MAILBOX.wishes({"imap_use_protocol_defaults": True, "imap_messages_retrieval_mime_format": "TextOnly"})
    change = plan_settings(CAS_MAILBOX, now, wishes, exact=True)
    assert change.calls == (
        {"ImapMessagesRetrievalMimeFormat": "TextOnly", "ImapUseProtocolDefaults": False},
        {"ImapUseProtocolDefaults": True},
    )
    assert change.after == {"imap_use_protocol_defaults": True, "imap_messages_retrieval_mime_format": "TextOnly"}


# The brake


def many(count: int, changed: bool = True) -> Plan:
    calls = ({"PopEnabled": False},) if changed else ()
    boxes = [Mailbox(f"g{n}", f"u{n}@contoso.com", f"u{n}@contoso.com", "", {}) for n in range(count)]
    return Plan(mailboxes=tuple(Change(box, {"pop_enabled": True}, {"pop_enabled": False}, calls) for box in boxes))


@pytest.mark.parametrize(
    ("limit", "scope", "allowed"),
    [
        ("0", 1000, 0),
        ("1", 1000, 1),
        ("25", 10, 25),
        ("10%", 1000, 100),
        ("10%", 1001, 101),
        ("1%", 1101, 12),
        ("10%", 20, 10),
        ("1%", 5, 10),
        ("100%", 40, 40),
        (" 10 % ", 1000, 100),
    ],
)
def test_how_many_changes_pass(limit: str, scope: int, allowed: int) -> None:
    brake(many(allowed), limit, scope)
    with pytest.raises(Refused) as caught:
        brake(many(allowed + 1), limit, scope)
    message = str(caught.value)
    assert str(allowed + 1) in message
    assert f"max_changes: {allowed + 1}" in (caught.value.hint or "")
    shown = min(allowed + 1, 20)
    assert [f"u{n}@contoso.com" in message for n in range(allowed + 1)] == [n < shown for n in range(allowed + 1)]


def test_no_brake_and_no_change() -> None:
    brake(many(5000), None, 1)
    brake(many(5000, changed=False), "0", 5000)


@pytest.mark.parametrize("text", ["", "-1", "ten", "101%", "1.5", "10 percent", "%", "1e3"])
def test_a_limit_that_is_none(text: str) -> None:
    with pytest.raises(InvalidRequest, match="max_changes"):
        parse_limit(text)


# The effect

STATES = [False, True, "inherit"]
# Whether SMTP AUTH works: own value, the organization's.
WORKS = {
    (False, False): True, (False, True): True,
    (True, False): False, (True, True): False,
    ("inherit", False): True, ("inherit", True): False,
}  # fmt: skip


@pytest.mark.parametrize("was", STATES)
@pytest.mark.parametrize("becomes", STATES)
@pytest.mark.parametrize("organization", [(False, False), (False, True), (True, False), (True, True)])
def test_effect(was: t.Any, becomes: t.Any, organization: tuple[bool, bool]) -> None:
    old, new = WORKS[was, organization[0]], WORKS[becomes, organization[1]]
    result = effect([("a@contoso.com", was, becomes)], *organization)
    assert (result.lose, result.gain) == (int(old and not new), int(new and not old))
    assert result.losers == (("a@contoso.com",) if old and not new else ())
    assert (result.warning() is not None) is (old and not new)


def test_the_effect_counts_all_and_names_twenty() -> None:
    result = effect([(f"u{n}@contoso.com", False, True) for n in range(50)], True, True)
    assert result.lose == 50
    assert len(result.losers) == 20
    warning = result.warning() or ""
    assert "50 mailboxes" in warning
    assert "30 more" in warning


# The order


def box_change(number: int, value: t.Any, before: t.Any = "nothing") -> Change:
    box = Mailbox(f"g{number}", f"u{number}", f"u{number}", "", {})
    calls = () if before == value else ({"SmtpClientAuthenticationDisabled": value},)
    return Change(box, {SMTP_AUTH: before}, {SMTP_AUTH: value}, calls)


def organization_change(before: bool, after: bool) -> Change:
    calls = () if before == after else ({"SmtpClientAuthenticationDisabled": after},)
    return Change(None, {SMTP_AUTH: before}, {SMTP_AUTH: after}, calls)


def test_the_phases_of_a_plan() -> None:
    enabled, disabled, inherits = box_change(1, False), box_change(2, True), box_change(3, "inherit")
    other = Change(
        Mailbox("g4", "u4", "u4", "", {}), {"pop_enabled": True}, {"pop_enabled": False}, ({"PopEnabled": 0},)
    )
    same = box_change(5, True, True)
    plan = Plan(organization_change(False, True), (inherits, same, other, disabled, enabled))
    assert plan.enabling() == [enabled]
    assert plan.disabling() == [other, disabled]
    assert plan.inheriting() == [inherits]
    assert plan.before_organization() == [enabled, other, disabled]
    assert len(plan.changes) == 5
    assert (plan.closes, plan.opens, plan.changed) == (True, False, True)


@pytest.mark.parametrize(
    ("before", "after", "closes", "opens"),
    [(False, True, True, False), (True, False, False, True), (True, True, False, False), (False, False, False, False)],
)
def test_which_way_the_organization_turns(before: bool, after: bool, closes: bool, opens: bool) -> None:
    plan = Plan(organization_change(before, after))
    assert (plan.closes, plan.opens, plan.changed) == (closes, opens, before != after)


def test_what_is_held_is_no_change() -> None:
    enabled, inherits = box_change(1, False), box_change(3, "inherit")
    plan = Plan(organization_change(False, True), (enabled, inherits), held=NotFound("gone"))
    assert plan.changes == [enabled]
    assert not Plan(organization_change(False, True), (inherits,), held=NotFound("gone")).changed
    brake(plan, "1", 10)
    with pytest.raises(Refused):
        brake(plan, "0", 10)
