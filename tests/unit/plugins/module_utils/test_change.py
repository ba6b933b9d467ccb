# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One object's change: what is written together, what in two calls, and what is refused."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import Table
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

Wire = Callable[..., dict[str, t.Any]]
TAG = {"@odata.type": "#Exchange.GenericHashTable"}
ALLOW, BLOCK = "EnforceAllowList", "EnforceBlockList"


def record(table: Table, wire: dict[str, t.Any]) -> Record:
    key = "" if table.single else "00000000-0000-4000-8000-000000000001"
    return Record(Target(table, key, "scanner@contoso.com", "scanner@contoso.com"), wire)


def plan(table: Table, wire: dict[str, t.Any], **settings: t.Any) -> Change:
    return plan_change(record(table, wire), table.parse(settings))


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
        "another spelling beside what differs",
        {"PopEnabled": True, "OwaMailboxPolicy": "Frontline"},
        {"pop_enabled": False, "owa_mailbox_policy": "FRONTLINE"},
        {"PopEnabled": False},
        {"pop_enabled": (True, False)},
    ),
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
        "both desired",
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
    values = {row.option: row.read(sent) for row in CAS_MAILBOX.properties}
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


def back(now: dict[str, t.Any], former: dict[str, t.Any]) -> Change:
    return plan_change(record(CAS_MAILBOX, now), CAS_MAILBOX.exactly(former), exact=True)


def test_a_former_format_comes_back_under_the_protocols_defaults(cas_wire: Wire) -> None:
    now = cas_wire(ImapUseProtocolDefaults=False, ImapMessagesRetrievalMimeFormat="Tnef")
    former = {"imap_use_protocol_defaults": True, "imap_messages_retrieval_mime_format": "TextOnly"}
    change = back(now, former)
    assert change.calls == (
        {"ImapMessagesRetrievalMimeFormat": "TextOnly", "ImapUseProtocolDefaults": False},
        {"ImapUseProtocolDefaults": True},
    )
    assert change.after == former


def test_two_former_formats_share_the_second_call(cas_wire: Wire) -> None:
    now = cas_wire(PopUseProtocolDefaults=True, PopSuppressReadReceipt=True, PopMessagesRetrievalMimeFormat="Tnef")
    former = {
        "pop_use_protocol_defaults": True,
        "pop_suppress_read_receipt": False,
        "pop_messages_retrieval_mime_format": "TextOnly",
    }
    assert back(now, former).calls == (
        {
            "PopMessagesRetrievalMimeFormat": "TextOnly",
            "PopSuppressReadReceipt": False,
            "PopUseProtocolDefaults": False,
        },
        {"PopUseProtocolDefaults": True},
    )


@pytest.mark.parametrize("policy", [ALLOW, None])
def test_former_lists_come_back_under_no_policy(policy: str | None, cas_wire: Wire) -> None:
    """Of two steps the first is the one that shuts out less: a block list."""
    now = cas_wire(EwsApplicationAccessPolicy=policy)
    former = {"ews_allow_list": ["A/*"], "ews_block_list": ["B/*"], "ews_application_access_policy": "inherit"}
    assert back(now, former).calls == (
        {"EwsAllowList": ["A/*"], "EwsBlockList": ["B/*"], "EwsApplicationAccessPolicy": BLOCK},
        {"EwsApplicationAccessPolicy": None},
    )


def test_a_former_list_in_two_spellings_comes_back_as_it_was(cas_wire: Wire) -> None:
    now = cas_wire(EwsApplicationAccessPolicy=BLOCK)
    former = {"ews_block_list": ["myapp*", "MyApp*", " padded "], "ews_application_access_policy": BLOCK}
    assert back(now, former).calls == (
        {"EwsBlockList": ["myapp*", "MyApp*", " padded "], "EwsApplicationAccessPolicy": BLOCK},
    )


@pytest.mark.parametrize(
    ("before", "after", "calls", "value", "turns"),
    [
        (False, True, ({"x": 1},), True, True),
        (False, True, ({"x": 1},), False, False),
        (True, True, ({"x": 1},), True, False),  # another setting changes
        (False, True, (), True, False),
        ("inherit", False, ({"x": 1},), False, True),
    ],
)
def test_whether_a_setting_turns(before: t.Any, after: t.Any, calls: t.Any, value: t.Any, turns: bool) -> None:
    change = Change(Target(TRANSPORT_CONFIG), {SMTP_AUTH: before}, {SMTP_AUTH: after}, calls)
    assert change.turns(SMTP_AUTH, value) is turns
    assert change.turns("clear_categories", value) is False


def test_what_is_removed_as_a_whole_has_nothing_after() -> None:
    change = Change(Target(TRANSPORT_CONFIG), {SMTP_AUTH: True}, {}, ({},), "Remove")
    assert change.differing() == ({SMTP_AUTH: True}, {})
