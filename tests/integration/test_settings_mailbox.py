# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each of a mailbox's settings: set, set again, read back."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from harness import Lab, Run, Tenant, predicted, task, tried


class Case(NamedTuple):
    """A value that differs from the default, the parameters that are sent for it, and how it is shown afterwards.

    ``beside``: settings that change with it.
    """

    option: str
    given: Any
    sent: dict[str, Any]
    shown: Any
    beside: dict[str, Any]


def same(option: str, given: Any, wire: str, **beside: Any) -> Case:
    sent = {wire: given}
    return Case(option, given, sent, given, beside)


def of_protocol(option: str, given: Any, wire: str, shown: Any = None) -> Case:
    """A format: the protocol's defaults are turned off in the same call."""
    protocol = wire[:4] if wire.startswith("Imap") else wire[:3]
    shown = given if shown is None else shown
    beside = {f"{protocol.lower()}_use_protocol_defaults": False}
    return Case(option, given, {wire: shown, f"{protocol}UseProtocolDefaults": False}, shown, beside)


CASES = (
    same("active_sync_allowed_device_ids", ["PHONE1", "PHONE2"], "ActiveSyncAllowedDeviceIDs"),
    same("active_sync_blocked_device_ids", ["PHONE3"], "ActiveSyncBlockedDeviceIDs"),
    same("active_sync_enabled", False, "ActiveSyncEnabled"),
    same("active_sync_mailbox_policy", "Phones", "ActiveSyncMailboxPolicy"),
    same("active_sync_suppress_read_receipt", True, "ActiveSyncSuppressReadReceipt"),
    same("ews_allow_entourage", False, "EwsAllowEntourage"),
    Case(
        "ews_allow_list",
        ["CRM/*"],
        {"EwsAllowList": ["CRM/*"], "EwsApplicationAccessPolicy": "EnforceAllowList"},
        ["CRM/*"],
        {"ews_application_access_policy": "EnforceAllowList"},
    ),
    same("ews_allow_mac_outlook", True, "EwsAllowMacOutlook"),
    same("ews_allow_outlook", False, "EwsAllowOutlook"),
    same("ews_application_access_policy", "EnforceBlockList", "EwsApplicationAccessPolicy"),
    Case(
        "ews_block_list",
        ["Bad/*", "Worse/*"],
        {"EwsBlockList": ["Bad/*", "Worse/*"], "EwsApplicationAccessPolicy": "EnforceBlockList"},
        ["Bad/*", "Worse/*"],
        {"ews_application_access_policy": "EnforceBlockList"},
    ),
    same("ews_enabled", False, "EwsEnabled"),
    same("imap_enabled", False, "ImapEnabled"),
    of_protocol("imap_force_ical_for_calendar_retrieval_option", True, "ImapForceICalForCalendarRetrievalOption"),
    of_protocol("imap_messages_retrieval_mime_format", "0", "ImapMessagesRetrievalMimeFormat", "TextOnly"),
    of_protocol("imap_suppress_read_receipt", True, "ImapSuppressReadReceipt"),
    same("imap_use_protocol_defaults", False, "ImapUseProtocolDefaults"),
    same("mac_outlook_enabled", False, "MacOutlookEnabled"),
    same("mapi_enabled", False, "MAPIEnabled"),
    same("one_win_native_outlook_enabled", True, "OneWinNativeOutlookEnabled"),
    same("outlook_mobile_enabled", False, "OutlookMobileEnabled"),
    same("owa_enabled", False, "OWAEnabled"),
    same("owa_for_devices_enabled", False, "OWAforDevicesEnabled"),
    same("owa_mailbox_policy", "Strict", "OwaMailboxPolicy"),
    same("pop_enabled", False, "PopEnabled"),
    of_protocol("pop_force_ical_for_calendar_retrieval_option", False, "PopForceICalForCalendarRetrievalOption"),
    of_protocol("pop_messages_retrieval_mime_format", "htmlonly", "PopMessagesRetrievalMimeFormat", "HtmlOnly"),
    of_protocol("pop_suppress_read_receipt", True, "PopSuppressReadReceipt"),
    same("pop_use_protocol_defaults", False, "PopUseProtocolDefaults"),
    same("public_folder_client_access", True, "PublicFolderClientAccess"),
    same("show_gal_as_default_view", False, "ShowGalAsDefaultView"),
    same("smtp_client_authentication_disabled", False, "SmtpClientAuthenticationDisabled"),
    same("universal_outlook_enabled", False, "UniversalOutlookEnabled"),
)
# The EWS lists go with a policy, which the user names.
POLICY = {"ews_allow_list": "EnforceAllowList", "ews_block_list": "EnforceBlockList"}
DOMAIN = "mailboxes.example"


def address(option: str) -> str:
    return f"{option.replace('_', '-')}@{DOMAIN}"


def wanted(case: Case) -> dict[str, Any]:
    policy = POLICY.get(case.option)
    return {case.option: case.given, **({"ews_application_access_policy": policy} if policy else {})}


ENTRIES = [{"identity": address(case.option), **wanted(case)} for case in CASES]


@pytest.fixture(scope="module")
def tenant(lab: Lab) -> Tenant:
    return lab.tenant(
        domains=[DOMAIN],
        policies={"owa": ["Strict", "STRASSE", "Straße"], "active_sync": ["Phones"]},
        mailboxes=[{"upn": address(case.option)} for case in CASES],
    )


@pytest.fixture(scope="module")
def run(tenant: Tenant) -> Run:
    module, info = "exo_cas_mailbox", "exo_cas_mailbox_info"
    read_back = [
        task(
            module,
            {
                "identity": address(name),
                **{c.option: f"{{{{ {register}.mailboxes[0].settings.{c.option} }}}}" for c in CASES},
            },
            named=f"{register} written back",
            diff=True,
        )
        for name, register in (("imap_enabled", "fresh"), ("ews_allow_list", "filled"))
    ]
    return tenant.run(
        [
            task(info, {"identity": address("imap_enabled")}, named="fresh", register="fresh"),
            read_back[0],
            task(module, {"mailboxes": ENTRIES}, named="check", check_mode=True, diff=True),
            task(module, {"mailboxes": ENTRIES}, named="apply", diff=True),
            task(module, {"mailboxes": ENTRIES}, named="again", diff=True),
            task(info, {"all_mailboxes": True}, named="read"),
            task(info, {"identity": address("ews_allow_list")}, named="filled", register="filled"),
            read_back[1],
        ],
        warns=["1 mailbox (gains|would gain) SMTP AUTH"],
    )


def test_the_list_is_complete(run: Run) -> None:
    assert len(CASES) == 33
    assert {case.option for case in CASES} == set(run["fresh"]["mailboxes"][0]["settings"])


@pytest.mark.parametrize("case", CASES, ids=[case.option for case in CASES])
def test_setting(case: Case, run: Run, tenant: Tenant) -> None:
    done, mine = run["apply"], address(case.option)
    after = {case.option: case.shown, **case.beside}
    stored = tenant.mailbox(mine)
    (write,) = [w["parameters"] for w in tenant.writes(done) if w["parameters"]["Identity"] == stored["Guid"].lower()]
    assert {key: value for key, value in write.items() if key != "Identity"} == case.sent
    (box,) = [entry for entry in done["mailboxes"] if entry["identity"] == mine]
    assert (box["status"], box["confirmed"]) == ("changed", True)
    assert {option: box["after"][option] for option in after} == after
    (read,) = [b for b in run["read"]["mailboxes"] if b["primary_smtp_address"] == mine]
    assert {option: read["settings"][option] for option in after} == after
    assert {wire: stored[wire] for wire in case.sent} == case.sent


@pytest.mark.parametrize("named", ["fresh written back", "again", "filled written back"])
def test_nothing_to_do(named: str, run: Run, tenant: Tenant) -> None:
    assert run[named].diffs == []
    assert not run[named].changed
    assert tenant.writes(run[named]) == []


def test_check_wrote_nothing(run: Run, tenant: Tenant) -> None:
    assert run["check"]["summary"]["changed"] == 33
    assert tenant.writes(run["check"]) == []
    assert predicted(run["check"].result) == predicted(run["apply"].result)


# --- null, lists, couplings and refusals, step by step on mailboxes of their own ---

TRISTATES = {
    "ews_allow_entourage": "EwsAllowEntourage",
    "ews_allow_mac_outlook": "EwsAllowMacOutlook",
    "ews_allow_outlook": "EwsAllowOutlook",
    "ews_enabled": "EwsEnabled",
    "mac_outlook_enabled": "MacOutlookEnabled",
    "one_win_native_outlook_enabled": "OneWinNativeOutlookEnabled",
    "outlook_mobile_enabled": "OutlookMobileEnabled",
    "smtp_client_authentication_disabled": "SmtpClientAuthenticationDisabled",
    "universal_outlook_enabled": "UniversalOutlookEnabled",
}
LISTS: tuple[tuple[list[str], Any, list[str]], ...] = (
    # what the list is, what is given, what it is then
    ([], {"add": ["B", "A"]}, ["A", "B"]),
    (["A", "B"], {"add": ["a"]}, ["A", "B"]),
    (["A", "B"], {"remove": ["c"]}, ["A", "B"]),
    (["A", "B"], {"add": ["C"], "remove": ["b"]}, ["A", "C"]),
    (["A", "C"], ["c", "a"], ["A", "C"]),
    (["A", "C"], ["D"], ["D"]),
    (["D"], {"set": ["D", "E"]}, ["D", "E"]),
    (["D", "E"], {"remove": ["D", "e"]}, []),
    (["F"], {"set": []}, []),
    (["F"], [], []),
    ([], [], []),
)
FORMATS: dict[str, Any] = {"imap_messages_retrieval_mime_format": "TextOnly", "pop_messages_retrieval_mime_format": 1}
BLOCKED: dict[str, Any] = {"ews_application_access_policy": "EnforceBlockList", "ews_block_list": ["X/*"]}
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {"imap_use_protocol_defaults": True, "imap_suppress_read_receipt": True},
        "imap_suppress_read_receipt.*contradict",
    ),
    ({"ews_allow_list": ["CRM/*"]}, "ews_application_access_policy"),
    ({"active_sync_mailbox_policy": "0f0e0d0c-1111-2222-3333-444455556666"}, "GUID"),
    ({"imap_messages_retrieval_mime_format": 7}, "TextOnly"),
    ({"active_sync_allowed_device_ids": {"put": ["A"]}}, "add, remove and set"),
    ({"active_sync_allowed_device_ids": {"add": ["A"], "remove": ["a"]}}, "under add and under remove"),
    ({"owa_mailbox_policy": "NoSuchPolicy"}, "NoSuchPolicy"),
)


@pytest.fixture(scope="module")
def forms(lab: Lab) -> tuple[Tenant, Run]:
    tenant = lab.tenant(
        policies={"owa": ["Strict", "STRASSE", "Straße"], "active_sync": ["Phones"]},
        mailboxes=[
            {"upn": "null@forms.example", "cas": dict.fromkeys(TRISTATES.values(), False)},
            *(
                {"upn": f"list{number}@forms.example", "cas": {"ActiveSyncAllowedDeviceIDs": before}}
                for number, (before, _given, _after) in enumerate(LISTS)
            ),
            {"upn": "couple@forms.example"},
            {
                "upn": "policy@forms.example",
                "cas": {"OwaMailboxPolicy": "Strict", "ActiveSyncMailboxPolicy": "Phones"},
            },
            {"upn": "street@forms.example", "cas": {"OwaMailboxPolicy": "STRASSE"}},
            {"upn": "stored@forms.example", "cas": {"ImapMessagesRetrievalMimeFormat": "Tnef"}},
        ],
    )

    def on(name: str, named: str, *, may_fail: bool = False, **values: Any) -> dict[str, Any]:
        arguments = {"identity": f"{name}@forms.example", **values}
        return (tried if may_fail else task)("exo_cas_mailbox", arguments, named=named, diff=True)

    nulls: dict[str, Any] = dict.fromkeys(TRISTATES, "inherit")
    run = tenant.run(
        [
            on("null", "inherit", **nulls),
            on("null", "inherit again", **nulls),
            on("null", "words", smtp_client_authentication_disabled="True"),
            task(
                "exo_cas_mailbox",
                {
                    "mailboxes": [
                        {"identity": f"list{number}@forms.example", "active_sync_allowed_device_ids": given}
                        for number, (_before, given, _after) in enumerate(LISTS)
                    ]
                },
                named="lists",
            ),
            on("couple", "formats", **FORMATS),
            on("couple", "one more format", imap_suppress_read_receipt=True),
            on("couple", "defaults on", imap_use_protocol_defaults=True),
            on("couple", "block list", **BLOCKED),
            on("couple", "block list again", **BLOCKED),
            on("couple", "block list more", ews_block_list={"add": ["Y/*"]}),
            on("couple", "case of a pattern", ews_block_list={"add": ["y/*"]}),
            on("couple", "other list", ews_application_access_policy="EnforceAllowList", ews_allow_list=["Z/*"]),
            on("couple", "lists cleared", ews_allow_list=[], ews_block_list=[]),
            on("couple", "policy cleared", ews_application_access_policy="inherit"),
            on("policy", "policies cleared", owa_mailbox_policy="", active_sync_mailbox_policy=""),
            on("policy", "default pinned", active_sync_mailbox_policy="Default"),
            on("policy", "by name", owa_mailbox_policy="strict"),
            on("policy", "by dn", owa_mailbox_policy="CN=Strict,CN=OWA Mailbox Policies,CN=Configuration"),
            on("street", "same in another case", owa_mailbox_policy="strasse"),
            on("street", "another name", owa_mailbox_policy="Straße"),
            # Stored from earlier, and not acting: what reads back may be written back.
            on(
                "stored",
                "contradiction that is there already",
                imap_use_protocol_defaults=True,
                imap_messages_retrieval_mime_format="Tnef",
            ),
            *(
                on("list0", f"refused {number}", may_fail=True, **given)
                for number, (given, _reason) in enumerate(REFUSED)
            ),
        ],
        warns=["1 mailbox (loses|gains) SMTP AUTH"],
    )
    return tenant, run


@pytest.mark.parametrize("option", TRISTATES)
def test_inherit_is_null(option: str, forms: tuple[Tenant, Run]) -> None:
    tenant, run = forms
    (write,) = tenant.writes(run["inherit"])
    assert TRISTATES[option] in write["parameters"]
    assert write["parameters"][TRISTATES[option]] is None
    (box,) = run["inherit"]["mailboxes"]
    assert (box["before"][option], box["after"][option]) == (False, "inherit")
    in_words = {"smtp_client_authentication_disabled": "allowed \u2192 follows the organization"}
    shown = in_words.get(option, f'{option}: false \u2192 "inherit"')
    assert shown in run["inherit"].diffs[0]["prepared"]
    assert not run["inherit again"].changed
    assert run["words"]["mailboxes"][0]["after"] == {"smtp_client_authentication_disabled": True}


@pytest.mark.parametrize("number", range(len(LISTS)))
def test_list(number: int, forms: tuple[Tenant, Run]) -> None:
    tenant, run = forms
    before, _given, after = LISTS[number]
    mine = f"list{number}@forms.example"
    (box,) = [entry for entry in run["lists"]["mailboxes"] if entry["identity"] == mine]
    assert sorted(box["after"]["active_sync_allowed_device_ids"]) == after
    assert box["status"] == ("unchanged" if before == after else "changed")
    assert sorted(tenant.mailbox(mine)["ActiveSyncAllowedDeviceIDs"]) == after
    touched = [write["parameters"]["Identity"] for write in tenant.writes(run["lists"])]
    assert (tenant.mailbox(mine)["Guid"] in touched) is (before != after)


def sent(forms: tuple[Tenant, Run], named: str) -> dict[str, Any]:
    tenant, run = forms
    (write,) = tenant.writes(run[named])
    return {key: value for key, value in write["parameters"].items() if key != "Identity"}


def test_formats_turn_the_defaults_off(forms: tuple[Tenant, Run]) -> None:
    assert sent(forms, "formats") == {
        "ImapUseProtocolDefaults": False,
        "ImapMessagesRetrievalMimeFormat": "TextOnly",
        "PopUseProtocolDefaults": False,
        "PopMessagesRetrievalMimeFormat": "HtmlOnly",
    }
    assert sent(forms, "one more format") == {"ImapUseProtocolDefaults": False, "ImapSuppressReadReceipt": True}
    assert sent(forms, "defaults on") == {"ImapUseProtocolDefaults": True}


def test_ews_lists_take_their_policy_along(forms: tuple[Tenant, Run]) -> None:
    tenant, run = forms
    assert sent(forms, "block list") == {"EwsApplicationAccessPolicy": "EnforceBlockList", "EwsBlockList": ["X/*"]}
    assert not run["block list again"].changed
    more = sent(forms, "block list more")
    assert more["EwsApplicationAccessPolicy"] == "EnforceBlockList"
    assert more["EwsBlockList"]["Add"] == ["Y/*"]
    assert sent(forms, "other list")["EwsAllowList"] == ["Z/*"]
    cleared = sent(forms, "lists cleared")
    assert (cleared["EwsAllowList"], cleared["EwsBlockList"]) == (None, None)
    assert sent(forms, "policy cleared") == {"EwsApplicationAccessPolicy": None}
    stored = tenant.mailbox("couple@forms.example")
    assert [stored[name] for name in ("EwsAllowList", "EwsBlockList", "EwsApplicationAccessPolicy")] == [None] * 3


def test_the_case_of_a_user_agent_counts(forms: tuple[Tenant, Run]) -> None:
    _tenant, run = forms
    (box,) = run["case of a pattern"]["mailboxes"]
    assert run["case of a pattern"].changed
    assert sorted(box["after"]["ews_block_list"]) == ["X/*", "y/*"]


def test_policies(forms: tuple[Tenant, Run]) -> None:
    tenant, run = forms
    assert sent(forms, "policies cleared") == {"OwaMailboxPolicy": None, "ActiveSyncMailboxPolicy": None}
    assert run["policies cleared"]["mailboxes"][0]["after"]["active_sync_mailbox_policy"] == ""
    assert run["default pinned"]["mailboxes"][0]["after"] == {"active_sync_mailbox_policy": "Default"}
    assert run["by name"].changed
    assert tenant.mailbox("policy@forms.example")["OwaMailboxPolicy"] == "Strict"
    assert not run["by dn"].changed


def test_names_that_only_fold_alike_are_two(forms: tuple[Tenant, Run]) -> None:
    tenant, run = forms
    assert not run["same in another case"].changed
    assert run["another name"].changed
    assert tenant.mailbox("street@forms.example")["OwaMailboxPolicy"] == "Straße"


@pytest.mark.smoke
def test_a_contradiction_that_needs_no_write_is_quiet(forms: tuple[Tenant, Run]) -> None:
    _tenant, run = forms
    assert not run["contradiction that is there already"].changed


@pytest.mark.parametrize(("number", "reason"), [(n, reason) for n, (_given, reason) in enumerate(REFUSED)])
def test_refused(number: int, reason: str, forms: tuple[Tenant, Run]) -> None:
    _tenant, run = forms
    step = run[f"refused {number}"].refused("invalid_request", reason, hint=None)
    assert not step.changed
