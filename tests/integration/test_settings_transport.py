# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each of the organization's settings: set, set again, read back."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from harness import Lab, Run, Tenant, predicted, task, tried


class Case(NamedTuple):
    """A value that differs from the default, what is sent for it, and how it is shown afterwards."""

    option: str
    given: Any
    wire: str
    sent: Any
    shown: Any


def same(option: str, given: Any, wire: str) -> Case:
    return Case(option, given, wire, given, given)


CASES = (
    same("address_book_policy_routing_enabled", True, "AddressBookPolicyRoutingEnabled"),
    same("allow_legacy_tls_clients", False, "AllowLegacyTLSClients"),
    same("clear_categories", False, "ClearCategories"),
    same("convert_disclaimer_wrapper_to_eml", True, "ConvertDisclaimerWrapperToEml"),
    same("dsn_conversion_mode", "UseExchangeDSNs", "DSNConversionMode"),
    same("external_delay_dsn_enabled", False, "ExternalDelayDsnEnabled"),
    same("external_dsn_default_language", "de-DE", "ExternalDsnDefaultLanguage"),
    same("external_dsn_language_detection_enabled", False, "ExternalDsnLanguageDetectionEnabled"),
    same("external_dsn_reporting_authority", "mail.contoso.example", "ExternalDsnReportingAuthority"),
    same("external_dsn_send_html", False, "ExternalDsnSendHtml"),
    same("external_postmaster_address", "postmaster@contoso.example", "ExternalPostmasterAddress"),
    same("header_promotion_mode_setting", "MayCreate", "HeaderPromotionModeSetting"),
    same("internal_delay_dsn_enabled", False, "InternalDelayDsnEnabled"),
    same("internal_dsn_default_language", "no", "InternalDsnDefaultLanguage"),
    same("internal_dsn_language_detection_enabled", False, "InternalDsnLanguageDetectionEnabled"),
    same("internal_dsn_reporting_authority", "inside.contoso.example", "InternalDsnReportingAuthority"),
    same("internal_dsn_send_html", False, "InternalDsnSendHtml"),
    same("journal_message_expiration_days", 7, "JournalMessageExpirationDays"),
    same("journaling_report_ndr_to", "journal@contoso.example", "JournalingReportNdrTo"),
    Case("max_recipient_envelope_limit", 500, "MaxRecipientEnvelopeLimit", "500", 500),
    Case("message_expiration", 43200, "MessageExpiration", "12:00:00", "12:00:00"),
    same("prevent_duplicate_journaling_enabled", True, "PreventDuplicateJournalingEnabled"),
    same("reply_all_storm_block_duration_hours", 12, "ReplyAllStormBlockDurationHours"),
    same("reply_all_storm_detection_minimum_recipients", 1000, "ReplyAllStormDetectionMinimumRecipients"),
    same("reply_all_storm_detection_minimum_replies", 20, "ReplyAllStormDetectionMinimumReplies"),
    same("reply_all_storm_protection_enabled", False, "ReplyAllStormProtectionEnabled"),
    same("rfc2231_encoding_enabled", True, "Rfc2231EncodingEnabled"),
    same("smtp_client_authentication_disabled", False, "SmtpClientAuthenticationDisabled"),
    same("voicemail_journaling_enabled", False, "VoicemailJournalingEnabled"),
)
EVERYTHING = {case.option: case.given for case in CASES}
READ_BACK = {case.option: f"{{{{ read.transport_config.{case.option} }}}}" for case in CASES}


@pytest.fixture(scope="module")
def organization(lab: Lab) -> Tenant:
    return lab.tenant(mailboxes=[{"upn": "ada@transport.example"}])


@pytest.fixture(scope="module")
def run(organization: Tenant) -> Run:
    module = "exo_transport_config"
    return organization.run(
        [
            task("exo_transport_config_info", named="defaults", register="read"),
            task(module, READ_BACK, named="defaults written back"),
            task(module, EVERYTHING, named="check", check_mode=True, diff=True),
            task(module, EVERYTHING, named="apply", diff=True),
            task(module, EVERYTHING, named="again", diff=True),
            task("exo_transport_config_info", named="read", register="read"),
            task(module, READ_BACK, named="written back"),
        ],
        warns=["1 mailbox (gains|would gain) SMTP AUTH"],
    )


def test_the_list_is_complete(run: Run) -> None:
    assert len(CASES) == 29
    assert set(EVERYTHING) == set(run["read"]["transport_config"])


@pytest.mark.parametrize("case", CASES, ids=[case.option for case in CASES])
def test_setting(case: Case, run: Run, organization: Tenant) -> None:
    done = run["apply"]
    before = run["defaults"]["transport_config"][case.option]
    (diff,) = done.diffs
    assert (diff["before"][case.option], diff["after"][case.option]) == (before, case.shown)
    (write,) = organization.writes(done)
    assert write["parameters"][case.wire] == case.sent
    assert done["transport_config"][case.option] == case.shown
    assert run["read"]["transport_config"][case.option] == case.shown
    assert organization.transport(case.wire) == case.sent


def test_check_predicts_the_whole(run: Run, organization: Tenant) -> None:
    assert organization.writes(run["check"]) == []
    assert predicted(run["check"].result) == predicted(run["apply"].result)
    assert run["apply"]["confirmed"] is True
    (write,) = organization.writes(run["apply"])
    assert set(write["parameters"]) == {case.wire for case in CASES}


@pytest.mark.parametrize("named", ["defaults written back", "again", "written back"])
def test_nothing_to_do(named: str, run: Run, organization: Tenant) -> None:
    assert not run[named].changed
    assert run[named].diffs == []
    assert organization.writes(run[named]) == []


def test_info_shows_what_else_the_service_sent(run: Run) -> None:
    others = run["read"]["other_properties"]
    assert others["MaxDumpsterTime"] == "7.00:00:00"
    assert not {case.wire for case in CASES} & set(others)


# --- values that clear, forms, and refusals ---

CLEARED = (
    ("allow_legacy_tls_clients", "inherit", "AllowLegacyTLSClients"),
    ("external_dsn_default_language", "", "ExternalDsnDefaultLanguage"),
    ("external_dsn_reporting_authority", "", "ExternalDsnReportingAuthority"),
    ("external_postmaster_address", "", "ExternalPostmasterAddress"),
    ("internal_dsn_default_language", "", "InternalDsnDefaultLanguage"),
    ("internal_dsn_reporting_authority", "", "InternalDsnReportingAuthority"),
)
SPANS = (
    # given, shown: 43200 is what YAML makes of an unquoted 12:00:00
    (43200, "12:00:00"),
    ("86400", "1.00:00:00"),
    ("18:30:00", "18:30:00"),
    ("1.00:00:00", "1.00:00:00"),
    ("24:00:00", "1.00:00:00"),
)
REFUSED = (
    ("journaling_report_ndr_to", "", "can't be unset"),
    ("journaling_report_ndr_to", "<>", "can't be unset"),
    ("message_expiration", "11:59:59", "between 12:00:00 and 1.00:00:00"),
    ("message_expiration", "soon", "span of time"),
    ("external_dsn_default_language", False, 'in quotes|into quotes|"no"'),
    ("internal_dsn_default_language", "not a language", "culture"),
    ("max_recipient_envelope_limit", "-1", "above 0"),
    ("max_recipient_envelope_limit", "many", "Unlimited"),
)
# Check mode says so too: the service would refuse them only when they are written.
NO_ADDRESSES = ("@", "<@x.example>", "not an address", "post@", "@x.example", "post@x")


@pytest.fixture(scope="module")
def second(lab: Lab) -> tuple[Tenant, Run]:
    values = {
        "AllowLegacyTLSClients": True,
        "ExternalDsnDefaultLanguage": "de-DE",
        "ExternalDsnReportingAuthority": "mail.contoso.example",
        "ExternalPostmasterAddress": "postmaster@contoso.example",
        "InternalDsnDefaultLanguage": "fr-FR",
        "InternalDsnReportingAuthority": "inside.contoso.example",
        "JournalingReportNdrTo": "journal@contoso.example",
        "MaxRecipientEnvelopeLimit": "500",
    }
    tenant = lab.tenant(transport_config=values, mailboxes=[{"upn": "ada@second.example"}])
    module = "exo_transport_config"
    spans = [task(module, {"message_expiration": given}, named=f"span {given}") for given, _shown in SPANS]
    refused = [
        tried(module, {option: given}, named=f"refused {number}")
        for number, (option, given, _reason) in enumerate(REFUSED)
    ]
    run = tenant.run(
        [
            *refused,
            # Read back as <> and as null: what is not set may be said to be not set.
            task(module, {option: value for option, value, _wire in CLEARED}, named="clear", diff=True),
            task(module, {option: value for option, value, _wire in CLEARED}, named="clear again"),
            task(
                module,
                {"max_recipient_envelope_limit": "unlimited", "external_delay_dsn_enabled": "no"},
                named="words",
            ),
            *spans,
            tried(module, {}, named="nothing"),
            tried(module, {"journal_message_expiration_days": 99}, named="out of range"),
            *(
                tried(module, {"external_postmaster_address": text}, named=f"no address: {text}", check_mode=True)
                for text in NO_ADDRESSES
            ),
        ]
    )
    return tenant, run


@pytest.mark.parametrize(("option", "value", "wire"), CLEARED, ids=[option for option, *_dummy in CLEARED])
def test_clearing(option: str, value: str, wire: str, second: tuple[Tenant, Run]) -> None:
    tenant, run = second
    (write,) = tenant.writes(run["clear"])
    assert wire in write["parameters"]
    assert write["parameters"][wire] is None
    assert run["clear"].diffs[0]["after"][option] == value
    assert not run["clear again"].changed
    assert tenant.transport(wire) is None


@pytest.mark.parametrize(("given", "shown"), SPANS)
def test_message_expiration(given: Any, shown: str, second: tuple[Tenant, Run]) -> None:
    _tenant, run = second
    assert run[f"span {given}"]["transport_config"]["message_expiration"] == shown


def test_message_expiration_is_compared_as_a_span(second: tuple[Tenant, Run]) -> None:
    _tenant, run = second
    assert [run[f"span {given}"].changed for given, _shown in SPANS] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("number", "option", "reason"),
    [(number, option, reason) for number, (option, _given, reason) in enumerate(REFUSED)],
)
def test_refused_before_anything_is_written(number: int, option: str, reason: str, second: tuple[Tenant, Run]) -> None:
    tenant, run = second
    step = run[f"refused {number}"].refused("invalid_request", option, reason, hint=None)
    assert tenant.writes(step) == []


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused_in_check_mode(text: str, second: tuple[Tenant, Run]) -> None:
    _tenant, run = second
    run[f"no address: {text}"].refused("invalid_request", "has to be an address", hint=None)


def test_other_forms_and_failures(second: tuple[Tenant, Run]) -> None:
    tenant, run = second
    assert run["words"]["transport_config"]["max_recipient_envelope_limit"] == "Unlimited"
    assert run["words"]["transport_config"]["external_delay_dsn_enabled"] is False
    run["nothing"].refused("invalid_request", "nothing to manage", hint=None)
    failed = run["out of range"].refused("invalid_request", "the organization", "0 to 7", hint=None)
    assert (failed["http_status"], failed["cmdlet"], failed.changed) == (400, "Set-TransportConfig", False)
    assert failed["request_id"]
    assert tenant.transport("JournalMessageExpirationDays") == 0
