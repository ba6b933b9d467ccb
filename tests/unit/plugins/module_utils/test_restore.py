# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: what an undo file holds, with the order and the guards of every other task."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _cas_mailbox, _restore, _smtp_auth
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    InvalidRequest,
    NotConfirmed,
    NotFound,
    Refused,
    ServiceUnavailable,
    WrongTenant,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH

AUTH = "SmtpClientAuthenticationDisabled"
TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
USERS = [f"user{n}@contoso.com" for n in range(5)]
Tenant = Callable[..., t.Any]
Run = Callable[..., t.Any]
Guid = Callable[[int], str]


@pytest.fixture
def restore(run: Run) -> Run:
    def make(client: t.Any, content: t.Any = None, **given: t.Any) -> t.Any:
        given = {**given, "content": content} if content is not None else given
        return run(_restore.restore, _restore.ARGUMENT_SPEC, client, **{"wait_timeout": 0, **given})

    return make


def box(guid: str, before: dict[str, t.Any], after: dict[str, t.Any], works: t.Any = None) -> dict[str, t.Any]:
    entry: dict[str, t.Any] = {"noun": "CASMailbox", "guid": guid, "before": before, "after": after}
    if works is not None:
        entry["smtp_auth_works"] = {"before": works[0], "after": works[1]}
    return entry


def auth(guid: str, before: t.Any, after: t.Any, works: t.Any = None) -> dict[str, t.Any]:
    return box(guid, {SMTP_AUTH: before}, {SMTP_AUTH: after}, works)


def organization(before: bool, after: bool) -> dict[str, t.Any]:
    return {"noun": "TransportConfig", "before": {SMTP_AUTH: before}, "after": {SMTP_AUTH: after}}


def file(*entries: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {
        "format": 2,
        "written": "2026-11-01T09:00:00+00:00",
        "tenant_id": TENANT,
        "tenant": "contoso.com",
        "entries": list(entries),
        **more,
    }


def states(client: t.Any) -> list[t.Any]:
    return [one[AUTH] for one in client.boxes.values()]


def test_everything_a_run_did_comes_back(tenant: Tenant, run: Run, restore: Run, tmp_path: Path) -> None:
    client = tenant(4, organization={AUTH: False})
    for one, value in zip(client.boxes.values(), (None, False, True, None), strict=True):
        one[AUTH] = value
    former = states(client)
    undo = tmp_path / "undo.json"
    done = run(
        _smtp_auth.converge,
        _smtp_auth.ARGUMENT_SPEC,
        client,
        organization="disabled",
        allowed=[USERS[1]],
        unlisted="not_enabled",
        undo_file=str(undo),
    )
    assert done.error is None
    assert (client.transport[AUTH], states(client)) == (True, [False, None, True, None])
    client.ran.clear()
    back = tmp_path / "back.json"
    ran = restore(client, src=str(undo), undo_file=str(back))
    assert ran.error is None
    assert (client.transport[AUTH], states(client)) == (False, former)
    # who follows the organization follows it last: nobody is cut off in between
    assert [subject for subject, _values in client.written] == [USERS[2], "the organization", USERS[1]]
    assert ran.result["changed"] is True
    assert ran.result["written"] == json.loads(undo.read_text())["written"]
    assert ran.result["changed_since"] == []
    assert ran.result["organization"]["after"] == {SMTP_AUTH: False}
    assert [entry["identity"] for entry in ran.result["mailboxes"]] == [USERS[1], USERS[2]]
    assert "gain" in ran.warnings[0]
    assert back.exists()
    again = restore(client, src=str(undo))
    assert (again.result["changed"], again.error) == (False, None)


def test_settings_without_smtp_auth_come_back(tenant: Tenant, run: Run, restore: Run, tmp_path: Path) -> None:
    client = tenant(1, {"EwsAllowList": ["myapp*", "MyApp*"], "EwsApplicationAccessPolicy": "EnforceAllowList"})
    undo = str(tmp_path / "undo.json")
    settings = {"ews_allow_list": [], "ews_application_access_policy": "inherit", "pop_enabled": True}
    run(_cas_mailbox.converge, _cas_mailbox.ARGUMENT_SPEC, client, identity=[USERS[1]], undo_file=undo, **settings)
    assert restore(client, src=undo).error is None
    one = next(iter(client.boxes.values()))
    assert (one["EwsAllowList"], one["EwsApplicationAccessPolicy"], one["PopEnabled"]) == (
        ["myapp*", "MyApp*"], "EnforceAllowList", False,
    )  # fmt: skip


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_others_changed_since_stays(check_mode: bool, tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1, {AUTH: True, "PopEnabled": True})
    entry = box(guid(1), {SMTP_AUTH: "inherit", "pop_enabled": False}, {SMTP_AUTH: False, "pop_enabled": True})
    ran = restore(client, file(entry), check_mode=check_mode)
    assert ran.error is None
    assert ran.result["changed_since"] == [f"{SMTP_AUTH} of {USERS[1]} was changed since and stays as it is."]
    assert ran.result["changed_since"][0] in ran.warnings
    assert client.written == ([] if check_mode else [(USERS[1], {"PopEnabled": False})])
    ran = restore(client, file(entry), force=True, check_mode=check_mode)
    assert ran.result["changed_since"] == []
    assert states(client) == [True if check_mode else None]


def test_what_goes_one_way_stays(tenant: Tenant, restore: Run) -> None:
    client = tenant(0, organization={"JournalingReportNdrTo": "ndr@contoso.com"})
    entry = {
        "noun": "TransportConfig",
        "before": {"journaling_report_ndr_to": ""},
        "after": {"journaling_report_ndr_to": "ndr@contoso.com"},
    }
    ran = restore(client, file(entry))
    assert ran.error is None
    assert "can't be unset" in ran.result["changed_since"][0]
    assert client.writes == []


def test_the_organizations_configuration_comes_back(tenant: Tenant, restore: Run) -> None:
    client = tenant(0, config={"RejectDirectSend": True})
    entry = {
        "noun": "OrganizationConfig",
        "before": {"reject_direct_send": False},
        "after": {"reject_direct_send": True},
    }
    ran = restore(client, file(entry))
    assert client.single["OrganizationConfig"]["RejectDirectSend"] is False
    assert ran.result["organization_config"]["after"] == {"reject_direct_send": False}


# Which file


@pytest.mark.parametrize("given", [{}, {"src": "/x.json", "content": {"a": 1}}])
def test_either_a_path_or_a_content(given: dict[str, t.Any], tenant: Tenant, restore: Run) -> None:
    client = tenant(1)
    assert "either src" in str(restore(client, **given).failure)
    assert client.ran == []


def test_content_as_text(tenant: Tenant, restore: Run) -> None:
    client = tenant(1)
    assert restore(client, json.dumps(file())).error is None
    for text in ("{", "[" * 100_000):
        assert "no valid JSON" in str(restore(client, text).failure)
    assert isinstance(restore(client, "[1]").failure, InvalidRequest)


@pytest.mark.parametrize(("name", "shown"), [("fabrikam.com", "fabrikam.com (99999999-"), ("", "to tenant 99999999-")])
def test_the_file_of_another_tenant(name: str, shown: str, tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1)
    content = file(auth(guid(1), False, "inherit"), tenant_id=TENANT.replace("0f3a9d1e", "99999999"), tenant=name)
    failure = restore(client, content, force=True).failure
    assert isinstance(failure, WrongTenant)
    assert shown in str(failure)
    assert f"contoso.com ({TENANT})" in str(failure)
    assert client.ran == []


def test_an_older_file_is_refused_unless_forced(tenant: Tenant, restore: Run, guid: Guid, tmp_path: Path) -> None:
    client = tenant(1, {"PopEnabled": True})
    entry = box(guid(1), {"pop_enabled": False}, {"pop_enabled": True})
    old = tmp_path / "undo-20261101T090000Z.json"
    old.write_text(json.dumps(file(entry)))
    (tmp_path / "undo.json").write_text(json.dumps(file(entry, written="2026-11-25T09:00:00+00:00")))
    failure = restore(client, src=str(old)).failure
    assert isinstance(failure, Refused)
    assert "2026-11-01T09:00:00" in str(failure)
    assert "undo.json" in str(failure)
    assert client.writes == []
    assert restore(client, src=str(old), force=True).error is None
    assert len(client.writes) == 1


@pytest.mark.parametrize(
    ("newer", "stands"),
    [
        ([], False),
        ([{"pop_enabled": False}], False),
        ([{"imap_enabled": False}], True),
        ([{"pop_enabled": False}, {"imap_enabled": False}], True),
        ([{"no_such_setting": False}], True),
    ],
)
def test_a_newer_file_that_was_brought_back_does_not_stand_in_the_way(
    newer: list[dict[str, t.Any]], stands: bool, tenant: Tenant, restore: Run, guid: Guid, tmp_path: Path
) -> None:
    """As after a run that was stopped and started again: both files together are the way back, the newest first."""
    client = tenant(2, {"PopEnabled": False, "ImapEnabled": True, "MAPIEnabled": True})
    old = tmp_path / "undo-20261101T090000Z.json"
    old.write_text(json.dumps(file(box(guid(1), {"mapi_enabled": False}, {"mapi_enabled": True}))))
    entries = [box(guid(2), former, dict.fromkeys(former, True)) for former in newer[:1]]
    entries += [box(guid(1), former, dict.fromkeys(former, True)) for former in newer[1:]]
    later = file(*entries, written="2026-11-25T09:00:00+00:00")
    (tmp_path / "undo.json").write_text(json.dumps(later))
    ran = restore(client, src=str(old))
    assert isinstance(ran.error, Refused) is stands
    assert bool(client.writes) is not stands


def test_a_newer_file_whose_mailbox_or_policy_is_gone_stands_in_the_way(
    tenant: Tenant, restore: Run, guid: Guid, tmp_path: Path
) -> None:
    client = with_policies(tenant(1, {"PopEnabled": True}), default="Block")
    old = tmp_path / "undo-20261101T090000Z.json"
    old.write_text(json.dumps(file(box(guid(1), {"pop_enabled": False}, {"pop_enabled": True}))))
    for entry in (box(guid(9), {"pop_enabled": False}, {"pop_enabled": True}), of_default("Gone", ALLOW)):
        later = file(entry, written="2026-11-25T09:00:00+00:00")
        (tmp_path / "undo.json").write_text(json.dumps(later))
        assert isinstance(restore(client, src=str(old)).failure, Refused)
    assert client.writes == []


def test_what_is_damaged_or_open_to_others_is_told(tenant: Tenant, restore: Run, guid: Guid, tmp_path: Path) -> None:
    client = tenant(1, {"PopEnabled": True})
    path = tmp_path / "undo.json"
    good = box(guid(1), {"pop_enabled": False}, {"pop_enabled": True})
    path.write_text(json.dumps(file({"noun": "x"}, good, good)))
    path.chmod(0o640)
    ran = restore(client, src=str(path))
    assert ran.error is None
    assert ["0640" in ran.warnings[0], "is damaged" in ran.warnings[1], "twice" in ran.warnings[2]] == [True] * 3
    assert client.written == [(USERS[1], {"PopEnabled": False})]


# Who is gone, and who would lose


def test_a_mailbox_that_is_gone_is_left_out(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1, {"PopEnabled": True})
    entries = [box(guid(n), {"pop_enabled": False}, {"pop_enabled": True}) for n in (9, 1)]
    entries[0]["primary_smtp_address"] = "scanner@contoso.com"
    ran = restore(client, file(*entries))
    assert ran.error is None
    missing, changed = ran.result["mailboxes"]
    assert (missing["identity"], missing["status"], changed["status"]) == ("scanner@contoso.com", "missing", "changed")
    assert f"There is no mailbox scanner@contoso.com ({guid(9)}) any more." in ran.warnings[0]
    assert ran.result["summary"]["missing"] == 1


@pytest.mark.parametrize(
    ("closes", "gone", "blocked"),
    [
        (True, {"before": False}, True),
        (True, {"before": "inherit", "works": (True, False)}, True),
        (True, {"before": True}, False),
        (True, {"before": "inherit"}, False),
        (False, {"before": True}, True),
        (False, {"before": "inherit", "works": (False, True)}, True),
        (False, {"before": False}, False),
    ],
)
def test_a_scanner_that_was_made_anew_keeps_the_organization_as_it_is(
    closes: bool, gone: dict[str, t.Any], blocked: bool, tenant: Tenant, restore: Run, guid: Guid
) -> None:
    client = tenant(1, {AUTH: True}, organization={AUTH: not closes})
    entries = [organization(closes, not closes), auth(guid(9), gone["before"], "inherit", gone.get("works"))]
    if gone["before"] == "inherit":
        entries[1]["after"] = {SMTP_AUTH: True}
    ran = restore(client, file(*entries, auth(guid(1), "inherit", True, (not closes, not closes))))
    if blocked:
        assert isinstance(ran.failure, NotFound)
        assert guid(9) in str(ran.failure)
        assert client.writes == []
        assert ran.result["organization"]["status"] == "failed"
        assert ran.result["summary"]["effect"]["lose"] == 0
    else:
        assert ran.error is None
        assert client.transport[AUTH] is closes


def test_a_missing_mailbox_matters_only_where_the_organization_turns(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1, {AUTH: True}, organization={AUTH: True})
    kept = auth(guid(1), False, True, (True, False))
    content = file(organization(True, False), auth(guid(9), False, "inherit"), kept)
    assert restore(client, content).error is None
    assert states(client) == [False]


@pytest.mark.parametrize("check_mode", [True, False])
def test_who_had_it_then_does_not_lose_it_by_coming_back(
    check_mode: bool, tenant: Tenant, restore: Run, guid: Guid
) -> None:
    """The file is from when the organization was open, which was closed since."""
    client = tenant(1, {AUTH: False}, organization={AUTH: True})
    content = file(auth(guid(1), "inherit", False, (True, True)))
    failure = restore(client, content, check_mode=check_mode).failure
    assert isinstance(failure, Refused)
    assert "would take SMTP AUTH from user1@contoso.com" in str(failure)
    assert client.writes == []
    ran = restore(client, content, force=True, check_mode=check_mode)
    assert ran.error is None
    loses = "would lose" if check_mode else "loses"
    assert ran.warnings == [f"1 mailbox {loses} SMTP AUTH in effect: user1@contoso.com."]


def test_the_organization_is_not_turned_while_nobody_knows_who_loses(tenant: Tenant, restore: Run) -> None:
    """exo_transport_config refuses the same; force says that it is meant."""
    client = tenant(1, organization={AUTH: False})
    client.before = lambda command: AccessDenied("No.") if command.name == "Get-CASMailbox" else None
    failure = restore(client, file(organization(True, False))).failure
    assert isinstance(failure, Refused)
    assert "can't be known who loses or gains" in str(failure)
    assert client.writes == []
    assert restore(client, file(organization(True, False)), force=True).error is None
    assert client.transport[AUTH] is True


def test_who_had_none_then_may_lose_it(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1, {AUTH: False}, organization={AUTH: True})
    assert restore(client, file(auth(guid(1), "inherit", False, (False, True)))).error is None
    assert states(client) == [None]


@pytest.mark.parametrize("option", ["max_lose", "max_gain", "max_changes"])
def test_limits(option: str, tenant: Tenant, restore: Run, guid: Guid) -> None:
    closed = option == "max_lose"
    client = tenant(20, {AUTH: not closed}, organization={AUTH: True})
    entries = [auth(guid(n), closed, not closed, (not closed, closed)) for n in range(1, 21)]
    failure = restore(client, file(*entries), **{option: "50%"}).failure
    assert isinstance(failure, Refused)
    assert f"{option}: 50% allows 10" in str(failure)
    assert client.writes == []


def test_closing_again_looks_at_who_must_stay_open(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1, {AUTH: True}, organization={AUTH: False})
    content = file(organization(True, False), auth(guid(1), False, True, (True, False)))

    def reverted(command: t.Any) -> None:
        if command.name == "Set-CASMailbox":
            next(iter(client.boxes.values()))[AUTH] = True

    client.after = reverted
    ran = restore(client, content)
    assert isinstance(ran.failure, NotConfirmed)
    assert client.transport[AUTH] is False


def test_a_mailbox_that_can_t_be_read_stops_the_restore(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(1)
    client.before = lambda command: ServiceUnavailable("Down.")
    assert isinstance(restore(client, file(auth(guid(1), False, True))).failure, ServiceUnavailable)


def test_two_mailboxes_under_one_guid_stop_the_restore(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = tenant(2)
    client._candidates = lambda name: iter(client.boxes.values())
    failure = restore(client, file(auth(guid(1), False, True))).failure
    assert failure.error_code == "ambiguous"
    assert client.writes == []


# Authentication policies

BLOCK, ALLOW = "00000000-0000-4000-8000-0000000000b1", "00000000-0000-4000-8000-0000000000a1"


def with_policies(client: t.Any, *, default: str | None = None) -> t.Any:
    client.policies += [
        {"Guid": BLOCK, "Name": "Block", "AllowBasicAuthSmtp": False},
        {"Guid": ALLOW, "Name": "Allow", "AllowBasicAuthSmtp": True},
    ]
    client.single["OrganizationConfig"]["DefaultAuthenticationPolicy"] = default
    return client


def of_default(former: str, guid: str, after: str = "Block") -> dict[str, t.Any]:
    return {
        "noun": "OrganizationConfig",
        "before": {"default_authentication_policy": former},
        "after": {"default_authentication_policy": after},
        "policies": {former: guid},
    }


def of_switch(former: bool) -> dict[str, t.Any]:
    return {
        "noun": "AuthenticationPolicy",
        "guid": BLOCK,
        "identity": "Block",
        "before": {"allow_basic_auth_smtp": former},
        "after": {"allow_basic_auth_smtp": not former},
    }


def test_a_former_default_policy_comes_back_by_its_guid(tenant: Tenant, restore: Run, guid: Guid) -> None:
    client = with_policies(tenant(1, {AUTH: False}), default="Block")
    ran = restore(client, file(of_default("Allow", ALLOW), effect={"lose": [guid(1)], "gain": []}))
    assert ran.error is None
    assert client.written == [("the organization", {"DefaultAuthenticationPolicy": ALLOW})]


SHARED: dict[str, tuple[dict[str, t.Any], bool]] = {
    # what the file holds, and whether bringing it back takes SMTP AUTH (or gives it)
    "the organization": (organization(True, False), True),
    "the organization, opening": (organization(False, True), False),
    "the default policy": (of_default("Block", BLOCK, "Allow"), True),
    "the default policy, opening": (of_default("Allow", ALLOW), False),
    "a policy": (of_switch(False), True),
    "a policy, opening": (of_switch(True), False),
}


def moved_on(client: t.Any, entry: dict[str, t.Any]) -> t.Any:
    """A tenant that is as the run left it, and has one mailbox more than the file knows of."""
    after = dict(entry["after"])
    client.transport[AUTH] = after.get(SMTP_AUTH, False)
    default = after.get("default_authentication_policy")
    with_policies(client, default=default or ("Block" if entry["noun"] == "AuthenticationPolicy" else None))
    client.policies[0]["AllowBasicAuthSmtp"] = after.get("allow_basic_auth_smtp", False)
    return client


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("entry", "takes"), SHARED.values(), ids=SHARED)
def test_what_many_follow_moves_nobody_whom_that_run_did_not_move(
    entry: dict[str, t.Any], takes: bool, check_mode: bool, tenant: Tenant, restore: Run, guid: Guid
) -> None:
    """A month later others have come to follow the organization, the default or the policy."""
    client = moved_on(tenant(2, {AUTH: None} if entry["noun"] == "TransportConfig" else {AUTH: False}), entry)
    one = {"lose": [], "gain": [guid(1)]} if takes else {"lose": [guid(1).upper()], "gain": []}
    failure = restore(client, file(entry, effect=one), check_mode=check_mode).failure
    assert isinstance(failure, Refused)
    would = "take SMTP AUTH from user2@contoso.com, which did not gain it by that run"
    gives = "give SMTP AUTH to user2@contoso.com, which did not lose it by that run"
    assert (would if takes else gives) in str(failure)
    assert "2026-11-01T09:00:00" in str(failure)
    assert client.writes == []
    both = {name: [guid(1), guid(2)] if guids else [] for name, guids in one.items()}
    assert restore(client, file(entry, effect=both), check_mode=check_mode).error is None
    assert bool(client.writes) is not check_mode


@pytest.mark.parametrize("effect", [None, [], {}, {"lose": None, "gain": 7}, {"lose": {}, "gain": [None]}])
def test_a_file_that_does_not_say_whom_it_moved_moves_nobody(effect: t.Any, tenant: Tenant, restore: Run) -> None:
    client = tenant(1, organization={AUTH: False})
    content = file(organization(True, False), effect=effect)
    failure = restore(client, content).failure
    assert isinstance(failure, Refused)
    assert "and it does not say whom that run gave it to" in str(failure)
    assert "changed since" not in str(failure)
    assert client.writes == []
    assert restore(client, content, force=True).error is None


def test_both_gates_are_judged_as_one(tenant: Tenant, restore: Run, guid: Guid) -> None:
    """A mailbox that a policy blocks gains nothing by the organization, and is no reason to refuse."""
    client = with_policies(tenant(2), default="Block")
    client.transport[AUTH] = True
    client.users.append({"Guid": guid(1), "UserPrincipalName": USERS[1], "AuthenticationPolicy": None})
    user = {
        "noun": "User",
        "guid": guid(1),
        "before": {"authentication_policy": "Allow"},
        "after": {"authentication_policy": ""},
        "policies": {"Allow": ALLOW},
    }
    ran = restore(client, file(organization(False, True), user, effect={"lose": [guid(1)], "gain": []}))
    assert ran.error is None
    effect = ran.result["summary"]["effect"]
    assert (effect["gain_sample"], effect["lose_sample"]) == ([USERS[1]], [])


def test_a_policy_that_is_another_now_is_not_given_back(tenant: Tenant, restore: Run) -> None:
    client = with_policies(tenant(1), default="Block")
    for former, guid in (("Gone", ALLOW), ("Allow", BLOCK)):
        ran = restore(client, file(of_default(former, guid)))
        assert "is gone, or another one has its name now" in ran.result["changed_since"][0]
    assert client.writes == []


@pytest.mark.parametrize(("verb", "word"), [("New", "made"), ("Remove", "removed")])
def test_what_came_or_went_as_a_whole_stays(verb: str, word: str, tenant: Tenant, restore: Run) -> None:
    entry = {
        "noun": "AuthenticationPolicy",
        "guid": BLOCK,
        "identity": "Block",
        "before": {},
        "after": {},
        "verb": verb,
    }
    ran = restore(tenant(1), file(entry))
    assert ran.error is None
    assert f"was {word} as a whole by that run" in ran.result["changed_since"][0]
