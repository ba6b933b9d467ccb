# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows: what each setting is called, takes, reads, sends, and when two values are the same."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, UnexpectedResponse
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import (
    Kind,
    Policy,
    PolicyReference,
    Property,
    Table,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    ORGANIZATION_CONFIG,
    TRANSPORT_CONFIG,
)

DSN = ["DoNotConvert", "PreserveDSNBody", "UseExchangeDSNs"]
HEADER = ["MustCreate", "MayCreate", "NoCreate"]
EWS = ["EnforceAllowList", "EnforceBlockList"]
MIME = [
    "TextOnly",
    "HtmlOnly",
    "HtmlAndTextAlternative",
    "TextEnrichedOnly",
    "TextEnrichedAndTextAlternative",
    "BestBodyFormat",
    "Tnef",
]

# What the service's own description says: option, parameter, sort of value.
TRANSPORT = """
address_book_policy_routing_enabled            AddressBookPolicyRoutingEnabled            bool
allow_legacy_tls_clients                       AllowLegacyTLSClients                      tristate
clear_categories                               ClearCategories                            bool
convert_disclaimer_wrapper_to_eml              ConvertDisclaimerWrapperToEml              bool
dsn_conversion_mode                            DSNConversionMode                          dsn
external_delay_dsn_enabled                     ExternalDelayDsnEnabled                    bool
external_dsn_default_language                  ExternalDsnDefaultLanguage                 language
external_dsn_language_detection_enabled        ExternalDsnLanguageDetectionEnabled        bool
external_dsn_reporting_authority               ExternalDsnReportingAuthority              domain
external_dsn_send_html                         ExternalDsnSendHtml                        bool
external_postmaster_address                    ExternalPostmasterAddress                  address
header_promotion_mode_setting                  HeaderPromotionModeSetting                 header
internal_delay_dsn_enabled                     InternalDelayDsnEnabled                    bool
internal_dsn_default_language                  InternalDsnDefaultLanguage                 language
internal_dsn_language_detection_enabled        InternalDsnLanguageDetectionEnabled        bool
internal_dsn_reporting_authority               InternalDsnReportingAuthority              domain
internal_dsn_send_html                         InternalDsnSendHtml                        bool
journal_message_expiration_days                JournalMessageExpirationDays               int
journaling_report_ndr_to                       JournalingReportNdrTo                      ndr
max_recipient_envelope_limit                   MaxRecipientEnvelopeLimit                  unlimited
message_expiration                             MessageExpiration                          duration
prevent_duplicate_journaling_enabled           PreventDuplicateJournalingEnabled          bool
reply_all_storm_block_duration_hours           ReplyAllStormBlockDurationHours            int
reply_all_storm_detection_minimum_recipients   ReplyAllStormDetectionMinimumRecipients    int
reply_all_storm_detection_minimum_replies      ReplyAllStormDetectionMinimumReplies       int
reply_all_storm_protection_enabled             ReplyAllStormProtectionEnabled             bool
rfc2231_encoding_enabled                       Rfc2231EncodingEnabled                     bool
smtp_client_authentication_disabled            SmtpClientAuthenticationDisabled           bool
voicemail_journaling_enabled                   VoicemailJournalingEnabled                 bool
"""
CAS = """
active_sync_allowed_device_ids                 ActiveSyncAllowedDeviceIDs                 devices
active_sync_blocked_device_ids                 ActiveSyncBlockedDeviceIDs                 devices
active_sync_enabled                            ActiveSyncEnabled                          bool
active_sync_mailbox_policy                     ActiveSyncMailboxPolicy                    policy
active_sync_suppress_read_receipt              ActiveSyncSuppressReadReceipt              bool
ews_allow_entourage                            EwsAllowEntourage                          tristate
ews_allow_list                                 EwsAllowList                               agents
ews_allow_mac_outlook                          EwsAllowMacOutlook                         tristate
ews_allow_outlook                              EwsAllowOutlook                            tristate
ews_application_access_policy                  EwsApplicationAccessPolicy                 ews
ews_block_list                                 EwsBlockList                               agents
ews_enabled                                    EwsEnabled                                 tristate
imap_enabled                                   ImapEnabled                                bool
imap_force_ical_for_calendar_retrieval_option  ImapForceICalForCalendarRetrievalOption    bool
imap_messages_retrieval_mime_format            ImapMessagesRetrievalMimeFormat            mime
imap_suppress_read_receipt                     ImapSuppressReadReceipt                    bool
imap_use_protocol_defaults                     ImapUseProtocolDefaults                    bool
mac_outlook_enabled                            MacOutlookEnabled                          tristate
mapi_enabled                                   MAPIEnabled                                bool
one_win_native_outlook_enabled                 OneWinNativeOutlookEnabled                 tristate
outlook_mobile_enabled                         OutlookMobileEnabled                       tristate
owa_enabled                                    OWAEnabled                                 bool
owa_for_devices_enabled                        OWAforDevicesEnabled                       bool
owa_mailbox_policy                             OwaMailboxPolicy                           policy
pop_enabled                                    PopEnabled                                 bool
pop_force_ical_for_calendar_retrieval_option   PopForceICalForCalendarRetrievalOption     bool
pop_messages_retrieval_mime_format             PopMessagesRetrievalMimeFormat             mime
pop_suppress_read_receipt                      PopSuppressReadReceipt                     bool
pop_use_protocol_defaults                      PopUseProtocolDefaults                     bool
public_folder_client_access                    PublicFolderClientAccess                   bool
show_gal_as_default_view                       ShowGalAsDefaultView                       bool
smtp_client_authentication_disabled            SmtpClientAuthenticationDisabled           tristate
universal_outlook_enabled                      UniversalOutlookEnabled                    tristate
"""


class Sort(t.NamedTuple):
    """What one sort of value promises.

    given: (what the user writes, value). wire: (what the service sends, value). sent: (value, what is sent).
    refused: (what the user writes, part of the message). unread: what the service must not send.
    same, other: pairs of values that are, and are not, the same.
    """

    argument: dict[str, t.Any]
    given: list[tuple[t.Any, t.Any]]
    wire: list[tuple[t.Any, t.Any]]
    sent: list[tuple[t.Any, t.Any]]
    refused: list[tuple[t.Any, str]]
    unread: list[t.Any]
    same: list[tuple[t.Any, t.Any]] = []  # noqa: RUF012  # never changed
    other: list[tuple[t.Any, t.Any]] = []  # noqa: RUF012
    nullable: bool = False


def enum(words: list[str]) -> Sort:
    as_they_are = [(word, word) for word in words]
    return Sort(
        {"type": "str", "choices": words},
        [*as_they_are, *((word.lower(), word) for word in words)],
        [*as_they_are, *((word.upper(), word) for word in words)],
        as_they_are,
        [("Nonsense", words[0]), (len(words), "has to be one of"), ("", "has to be one of")],
        ["Nonsense", 3, True, None],
        [(words[0], words[0])],
        [(words[0], words[1])],
    )


def or_inherit(sort: Sort) -> Sort:
    """The same words, or no value of its own."""
    words = sort.argument["choices"]
    return sort._replace(
        argument={"type": "str", "choices": [*words, "inherit"]},
        given=[*sort.given, ("inherit", "inherit"), ("Inherit", "inherit")],
        wire=[*sort.wire, (None, "inherit"), ("", "inherit")],
        sent=[*sort.sent, ("inherit", None)],
        unread=[value for value in sort.unread if value is not None],
        other=[*sort.other, ("inherit", words[0])],
        nullable=True,
    )


def or_number(sort: Sort) -> Sort:
    """The same words, or their numbers: the argument can't have choices, which would refuse the numbers."""
    words = sort.argument["choices"]
    numbers = list(enumerate(words))
    return sort._replace(
        argument={"type": "str"},
        given=[*sort.given, *numbers, *((str(number), word) for number, word in numbers)],
    )


TAG = {"@odata.type": "#Exchange.GenericHashTable"}
TEXT_GIVEN = [("contoso.com", "contoso.com"), ("  contoso.com ", "contoso.com"), ("", "")]
TEXT_SENT = [("contoso.com", "contoso.com"), ("", None)]
TEXT_SAME = [("Contoso.com", "contoso.COM"), ("", "")]
ADDRESS_GIVEN = [("a@contoso.com", "a@contoso.com"), ("  a@contoso.com ", "a@contoso.com"), ("", "")]
NO_ADDRESS = [
    (text, "has to be an address")
    for text in ("contoso.com", "@", "<a@contoso.com>", "a@contoso", "a b@contoso.com", "a@b@contoso.com")
]
GUID = "6f1d2c3b-4a59-4871-8c6d-2b1a0f9e8d7c"
SORTS = {
    "bool": Sort(
        {"type": "bool"},
        [(True, True), (False, False)],
        [(True, True), (False, False)],
        [(True, True), (False, False)],
        [("inherit", "true or false"), ("perhaps", "true or false"), (2, "true or false")],
        [None, "", "yes", 1],
        [(True, True)],
        [(True, False)],
    ),
    "tristate": Sort(
        {"type": "str", "choices": ["true", "false", "inherit"]},
        [
            (True, True),
            (False, False),
            ("true", True),
            ("false", False),
            ("True", True),
            ("False", False),
            ("inherit", "inherit"),
            ("Inherit", "inherit"),
        ],
        [(True, True), (False, False), (None, "inherit")],
        [(True, True), (False, False), ("inherit", None)],
        [("", "true, false or inherit"), ("null", "true, false or inherit"), (0, "true, false or inherit")],
        ["perhaps", 0, 1, "false"],
        [(True, True), (False, False), ("inherit", "inherit")],
        [("inherit", False), ("inherit", True), (True, False)],
        nullable=True,
    ),
    "int": Sort(
        {"type": "int"},
        [(7, 7), (0, 0), ("7", 7)],
        [(7, 7), ("7", 7), (0, 0)],
        [(7, 7), (0, 0)],
        [("many", "")],
        [None, "", "many", True],
        [(7, 7)],
        [(7, 8)],
    ),
    "unlimited": Sort(
        {"type": "str"},
        [("Unlimited", "Unlimited"), ("unlimited", "Unlimited"), (500, 500), ("500", 500)],
        [("Unlimited", "Unlimited"), ("unlimited", "Unlimited"), (500, 500), ("500", 500)],
        [("Unlimited", "Unlimited"), (500, "500")],
        [("0", "Unlimited or a number"), ("-1", "Unlimited or a number"), ("many", "Unlimited or a number")],
        [None, "many", True, []],
        [(500, 500), ("Unlimited", "Unlimited")],
        [(500, "Unlimited"), (500, 501)],
    ),
    "duration": Sort(
        {"type": "str"},
        [
            ("12:00:00", "12:00:00"),
            ("0.12:00:00", "12:00:00"),
            ("1.00:00:00", "1.00:00:00"),
            ("24:00:00", "1.00:00:00"),
            ("18:30:15", "18:30:15"),
            (43200, "12:00:00"),
            ("43200", "12:00:00"),
            (86400, "1.00:00:00"),
            ("86400", "1.00:00:00"),
        ],
        [("12:00:00", "12:00:00"), ("0.12:00:00", "12:00:00"), ("1.00:00:00", "1.00:00:00")],
        [("12:00:00", "12:00:00"), ("1.00:00:00", "1.00:00:00")],
        [
            ("11:59:59", "12:00:00"),
            ("1.00:00:01", "1.00:00:00"),
            (3600, "01:00:00"),
            (0, "between"),
            ("a day", "span of time"),
            ("", "span of time"),
            ("12h", "span of time"),
        ],
        [None, "", 43200, "soon"],
        [("12:00:00", "12:00:00")],
        [("12:00:00", "1.00:00:00")],
    ),
    "domain": Sort(
        {"type": "str"},
        TEXT_GIVEN,
        [("contoso.com", "contoso.com"), (None, ""), ("", "")],
        TEXT_SENT,
        [("*.contoso.com", "domain"), ("contoso", "domain"), ("postmaster@contoso.com", "domain")],
        [7, True, [], {}],
        TEXT_SAME,
        [("contoso.com", "fabrikam.com"), ("contoso.com", "")],
        nullable=True,
    ),
    "address": Sort(
        {"type": "str"},
        ADDRESS_GIVEN,
        [("postmaster@contoso.com", "postmaster@contoso.com"), (None, ""), ("", "")],
        [("postmaster@contoso.com", "postmaster@contoso.com"), ("", None)],
        [*NO_ADDRESS, ("<>", "address")],
        [7, True, [], {}],
        TEXT_SAME,
        [("postmaster@contoso.com", "postmaster@fabrikam.com"), ("postmaster@contoso.com", "")],
        nullable=True,
    ),
    "ndr": Sort(
        {"type": "str"},
        [*ADDRESS_GIVEN, ("<>", "")],
        [("ndr@contoso.com", "ndr@contoso.com"), ("<>", ""), (None, ""), ("", "")],
        [("ndr@contoso.com", "ndr@contoso.com")],
        NO_ADDRESS,
        [7, []],
        TEXT_SAME,
        [("ndr@contoso.com", "")],
    ),
    "language": Sort(
        {"type": "str"},
        [("en-US", "en-US"), ("no", "no"), ("zh-Hans-CN", "zh-Hans-CN"), ("es-419", "es-419"), ("", "")],
        [("fr-CA", "fr-CA"), ({"Name": "fr-CA", "LCID": 3084}, "fr-CA"), (None, ""), ("", "")],
        [("fr-CA", "fr-CA"), ("", None)],
        [(False, "quotes"), ("False", "quotes"), (True, "quotes"), ("Norwegian please", "name of a culture")],
        [7, []],
        [("fr-CA", "FR-ca"), ("", "")],
        [("fr-CA", "fr-FR"), ("fr-CA", "")],
        nullable=True,
    ),
    "policy": Sort(
        {"type": "str"},
        [
            ("Strict", "Strict"),
            ("", ""),
            ("CN=Strict,CN=Mobile Mailbox Policies,CN=contoso,DC=example", "Strict"),
            (r"cn=Board\, Strict,CN=Policies,DC=example", "Board, Strict"),
        ],
        [("Strict", "Strict"), (None, ""), ("", "")],
        [("Strict", "Strict"), ("", None)],
        [(GUID, "GUID"), (GUID.upper(), "GUID")],
        [7, []],
        [("Strict", "STRICT"), ("", "")],
        [("Strict", "Default"), ("Strict", "")],
        nullable=True,
    ),
    "dsn": enum(DSN),
    "header": enum(HEADER),
    "ews": or_inherit(enum(EWS)),
    "mime": or_number(enum(MIME)),
}
LISTS_UNREAD = [7, "text", {}, [1], [None]]


def _facts() -> list[t.Any]:
    found = []
    for table, text in ((TRANSPORT_CONFIG, TRANSPORT), (CAS_MAILBOX, CAS)):
        for line in text.strip().splitlines():
            option, wire, sort = line.split()
            found.append(pytest.param(table, option, wire, sort, id=f"{table.noun}-{option}"))
    return found


FACTS = _facts()


def test_tables_hold_exactly_the_settings_of_the_cmdlets() -> None:
    for table, text, count in ((TRANSPORT_CONFIG, TRANSPORT, 29), (CAS_MAILBOX, CAS, 33)):
        known = {line.split()[0]: line.split()[1] for line in text.strip().splitlines()}
        assert {row.option: row.remote for row in table.properties} == known
        assert len(table.properties) == len(set(table.options)) == count
    assert (TRANSPORT_CONFIG.getter, TRANSPORT_CONFIG.setter) == ("Get-TransportConfig", "Set-TransportConfig")
    assert (CAS_MAILBOX.getter, CAS_MAILBOX.setter) == ("Get-CASMailbox", "Set-CASMailbox")


def _row(table: Table, option: str) -> Property:
    return table[option]


@pytest.mark.parametrize(("table", "option", "wire", "sort"), FACTS)
def test_row(table: Table, option: str, wire: str, sort: str) -> None:
    if sort in ("devices", "agents"):
        _check_list(table, _row(table, option), exact=sort == "agents")
        return
    expected, row = SORTS[sort], _row(table, option)
    assert table.argument_spec()[option] == expected.argument
    assert row.kind.nullable is expected.nullable
    for given, value in expected.given:
        parsed = table.parse({option: given})[option]
        assert (parsed, type(parsed)) == (value, type(value)), given
    for raw, value in expected.wire:
        got = row.read({wire: raw})
        assert (got, type(got)) == (value, type(value)), raw
    for value, raw in expected.sent:
        assert row.kind.write(value, value, "anything") == raw
        assert type(row.kind.write(value, value, "anything")) is type(raw)
    for given, words in expected.refused:
        with pytest.raises(InvalidRequest) as caught:
            table.parse({option: given}, "here: ")
        assert str(caught.value).startswith(f"here: {option} ")
        assert words in str(caught.value)
    for raw in expected.unread:
        with pytest.raises(UnexpectedResponse) as unread:
            row.read({wire: raw})
        assert wire in str(unread.value)
    for one, other in expected.same:
        assert row.kind.same(one, other)
    for one, other in expected.other:
        assert not row.kind.same(one, other)
        assert not row.kind.same(other, one)


def _check_list(table: Table, row: Property, *, exact: bool) -> None:
    assert table.argument_spec()[row.option] == {"type": "raw"}
    assert row.kind.nullable
    for raw, value in ((["A", "b"], ["A", "b"]), ([], []), (None, []), ("", [])):
        assert row.read({row.remote: raw}) == value
    for raw in LISTS_UNREAD:
        with pytest.raises(UnexpectedResponse, match=row.remote):
            row.read({row.remote: raw})
    assert row.kind.same(["a", "b"], ["b", "a"])
    assert row.kind.same([], [])
    assert not row.kind.same(["a"], [])
    assert not row.kind.same(["a"], ["a", "b"])
    assert row.kind.same(["APP"], ["app"]) is not exact
    # (what the user writes, what is there, what it comes to, what is sent)
    cases: list[tuple[t.Any, list[str], list[str], t.Any]] = [
        (["x", "y"], ["a"], ["x", "y"], ["x", "y"]),
        ({"set": ["x"]}, ["a"], ["x"], ["x"]),
        ([], ["a"], [], None),
        ({"set": []}, ["a"], [], None),
        ({"add": ["x"]}, ["a"], ["a", "x"], {**TAG, "Add": ["x"]}),
        ({"remove": ["a"]}, ["a", "b"], ["b"], {**TAG, "Remove": ["a"]}),
        ({"remove": ["a"]}, ["a"], [], None),
        ({"add": ["x"], "remove": ["A"]}, ["a", "b"], ["b", "x"], {**TAG, "Add": ["x"], "Remove": ["a"]}),
        ({"add": ["x"], "remove": None}, [], ["x"], {**TAG, "Add": ["x"]}),
        ([7], ["a"], ["7"], ["7"]),
        ([" x "], ["a"], ["x"], ["x"]),
    ]
    for given, current, value, sent in cases:
        desired = table.parse({row.option: given})[row.option]
        target = row.kind.target(desired, current)
        assert row.kind.same(target, value), given
        assert row.kind.write(desired, target, current) == sent, given
    for given, current in (({"add": ["a"]}, ["a", "b"]), ({"remove": ["x"]}, ["a"]), ({}, None)):
        if current is None:
            continue
        desired = table.parse({row.option: given})[row.option]
        assert row.kind.same(row.kind.target(desired, current), current), given
    for given, words in (
        ("text", "a list, or a dict"),
        ({}, "a list, or a dict"),
        ({"append": ["a"]}, "a list, or a dict"),
        ({"add": "a"}, "lists of texts"),
        ([""], "empty entry"),
        ([None], "empty entry"),
        ({"add": ["a"], "remove": ["A"]}, "under add and under remove"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            table.parse({row.option: given})
        assert words in str(caught.value)
        assert row.option in str(caught.value)


def test_only_the_spelling_of_a_user_agent_is_replaced_by_taking_the_old_one_out() -> None:
    row = CAS_MAILBOX["ews_allow_list"]
    desired = CAS_MAILBOX.parse({"ews_allow_list": {"add": ["MYAPP*"]}})["ews_allow_list"]
    target = row.kind.target(desired, ["MyApp*", "Other/*"])
    assert sorted(target) == ["MYAPP*", "Other/*"]
    assert row.kind.write(desired, target, ["MyApp*", "Other/*"]) == {**TAG, "Add": ["MYAPP*"], "Remove": ["MyApp*"]}


@pytest.mark.parametrize("table", [TRANSPORT_CONFIG, CAS_MAILBOX], ids=lambda table: table.noun)
def test_not_given_is_not_managed(table: Table) -> None:
    assert table.parse({}) == {}
    assert table.parse(dict.fromkeys(table.options)) == {}


def test_an_empty_text_of_smtp_auth_counts_as_null_on_a_mailbox_only() -> None:
    option = "smtp_client_authentication_disabled"
    assert CAS_MAILBOX[option].read({"SmtpClientAuthenticationDisabled": ""}) == "inherit"
    with pytest.raises(UnexpectedResponse):
        TRANSPORT_CONFIG[option].read({"SmtpClientAuthenticationDisabled": ""})


@pytest.mark.parametrize(
    ("name", "is_default", "value"),
    [("Default", True, ""), ("Default", False, "Default"), ("Strict", False, "Strict"), ("Default", None, "Default")],
)
def test_the_default_policy_by_default_is_no_value(name: str, is_default: bool | None, value: str) -> None:
    row = CAS_MAILBOX["active_sync_mailbox_policy"]
    wire = {"ActiveSyncMailboxPolicy": name, "ActiveSyncMailboxPolicyIsDefaulted": is_default}
    assert row.read(wire) == value


def test_an_annotation_shows_that_a_property_is_there() -> None:
    row = CAS_MAILBOX["ews_allow_list"]
    assert row.present({"EwsAllowList": None})
    assert row.present({"EwsAllowList@odata.type": "#Collection(String)"})
    assert not row.present({"EwsAllowListOther": []})


@pytest.mark.parametrize(
    ("options", "properties"),
    [
        (["pop_enabled"], ("PopEnabled",)),
        (["active_sync_mailbox_policy"], ("ActiveSyncMailboxPolicy", "ActiveSyncMailboxPolicyIsDefaulted")),
        (["ews_block_list"], ("EwsApplicationAccessPolicy", "EwsBlockList")),
        (["imap_suppress_read_receipt"], ("ImapSuppressReadReceipt", "ImapUseProtocolDefaults")),
        (
            ["pop_messages_retrieval_mime_format"],
            ("PopMessagesRetrievalMimeFormat", "PopUseProtocolDefaults"),
        ),
    ],
)
def test_what_is_written_beside_a_setting_is_read_with_it(options: list[str], properties: tuple[str, ...]) -> None:
    assert CAS_MAILBOX.remote_names(options) == properties


def test_couplings_of_the_rows() -> None:
    switched = {row.option: row.switch for row in CAS_MAILBOX.properties if row.switch}
    formats = (
        "force_ical_for_calendar_retrieval_option",
        "messages_retrieval_mime_format",
        "suppress_read_receipt",
    )
    assert switched == {
        f"{protocol}_{name}": f"{protocol}_use_protocol_defaults"
        for protocol, name in itertools.product(("imap", "pop"), formats)
    }
    assert {row.option: row.companion for row in CAS_MAILBOX.properties if row.companion} == {
        "ews_allow_list": "ews_application_access_policy",
        "ews_block_list": "ews_application_access_policy",
    }
    rows = (*TRANSPORT_CONFIG.properties, *CAS_MAILBOX.properties)
    assert [row.option for row in rows if row.one_way] == ["journaling_report_ndr_to"]


@pytest.mark.parametrize(("table", "option", "wire", "sort"), FACTS)
def test_what_is_returned_is_taken_again(table: Table, option: str, wire: str, sort: str) -> None:
    forms = [raw for raw, _dummy in SORTS[sort].wire] if sort in SORTS else [["A", "b"], [], None]
    row = table[option]
    for raw in forms:
        value = row.read({wire: raw})
        desired = table.parse({option: value})[option]
        assert row.kind.same(row.kind.target(desired, value), value)
        assert row.kind.target(row.kind.exactly(value), "anything") == value
        assert row.kind.holds(value)


@pytest.mark.parametrize("given", ["True", "False", "true", "yes", "no", 1, 0])
def test_a_boolean_that_a_template_made_a_text(given: t.Any) -> None:
    """Inside of ``mailboxes`` and ``where`` nobody but the row looks at it, and it takes what the option takes."""
    spec = {"pop_enabled": CAS_MAILBOX.argument_spec()["pop_enabled"]}
    option = ArgumentSpecValidator(spec).validate({"pop_enabled": given})
    assert not option.error_messages
    assert CAS_MAILBOX.parse({"pop_enabled": given})["pop_enabled"] is option.validated_parameters["pop_enabled"]


APP, OTHER_APP = GUID, "7a1d2c3b-4a59-4871-8c6d-2b1a0f9e8d7c"


def test_application_ids_are_a_list_here_and_one_text_there() -> None:
    row = ORGANIZATION_CONFIG["ews_allowed_app_ids"]
    for raw, value in (
        (f"{APP.upper()}, {OTHER_APP},", [APP, OTHER_APP]), ("", []), (None, []), ([APP], [APP]),
    ):  # fmt: skip
        assert row.read({"EwsAllowedAppIDs": raw}) == value
    for raw in ("app", 7, [1], {}):
        with pytest.raises(UnexpectedResponse, match="EwsAllowedAppIDs"):
            row.read({"EwsAllowedAppIDs": raw})
    for given, current, value, sent in (
        ([APP.upper()], [], [APP], APP),
        ({"add": [OTHER_APP]}, [APP], [APP, OTHER_APP], f"{APP},{OTHER_APP}"),
        ({"remove": [APP.upper()]}, [APP], [], None),
        ([], [APP], [], None),
    ):
        desired = ORGANIZATION_CONFIG.parse({row.option: given})[row.option]
        assert row.kind.target(desired, current) == value
        assert row.kind.write(desired, value, current) == sent
    for wrong in (["Outlook"], {"add": ["Outlook"]}, {"remove": [APP, "x"]}):
        with pytest.raises(InvalidRequest, match="not an application id"):
            ORGANIZATION_CONFIG.parse({row.option: wrong})
    assert row.kind.same([APP, OTHER_APP], [OTHER_APP, APP])


def test_app_ids_need_a_switch_of_the_getter() -> None:
    assert ORGANIZATION_CONFIG.reader_switches(["ews_allowed_app_ids", "ews_enabled"]) == {
        "RetrieveEwsOperationAccessPolicy": True
    }
    assert ORGANIZATION_CONFIG.reader_switches(["ews_enabled"]) == {}


def test_a_policy_is_read_by_its_name_and_written_by_its_guid() -> None:
    policies = {"Block": {"Name": "Block", "Guid": GUID}, GUID: {"Name": "Block", "Guid": GUID}, "Old": {"Name": "Old"}}
    kind = PolicyReference(find=policies.get)
    assert (kind.read(GUID), kind.read("Block"), kind.read(None), kind.read("")) == ("Block", "Block", "", "")
    with pytest.raises(ValueError, match="none of the tenant's authentication policies"):
        kind.read("Gone")
    assert [kind.write(None, value, "") for value in ("Block", "Old", "Gone", "")] == [GUID, "Old", "Gone", None]
    unbound = PolicyReference()
    assert (unbound.read("CN=Block"), unbound.write(None, "Block", ""), unbound.guid("Block")) == (
        "CN=Block", "Block", None,
    )  # fmt: skip


def test_a_sort_of_value_has_to_say_how_it_is_given_and_sent() -> None:
    for method in (Kind().parse, Kind().read):
        with pytest.raises(NotImplementedError):
            method("x")


def test_a_table_tells_its_settings() -> None:
    assert "pop_enabled" in CAS_MAILBOX
    assert "PopEnabled" not in CAS_MAILBOX
    assert len({CAS_MAILBOX, TRANSPORT_CONFIG, CAS_MAILBOX}) == 2


def test_a_number_is_no_boolean() -> None:
    kind = CAS_MAILBOX["pop_enabled"].kind
    assert not kind.same(True, 1)
    assert not kind.same(0, False)


@pytest.mark.parametrize("kind", [Policy(), PolicyReference()])
@pytest.mark.parametrize("name", ["True", "False"])
def test_a_boolean_is_no_name_of_a_policy(kind: Kind, name: str) -> None:
    with pytest.raises(ValueError, match=f"is {name.lower()}, not the name of a policy"):
        kind.parse(name)


@pytest.mark.parametrize("kind", [Policy(), PolicyReference()])
def test_the_name_of_a_policy(kind: Kind) -> None:
    assert (kind.parse(" Allow SMTP "), kind.parse("")) == ("Allow SMTP", "")
