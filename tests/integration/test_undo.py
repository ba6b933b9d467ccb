# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back: undo files, and what brings them back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from faults import documented
from harness import EFFECT, Lab, Tenant, converged, flips, rhythm, small, task, tried

SMTP = "smtp_client_authentication_disabled"
WARNS = [EFFECT, "changed since", "any more", "on no list"]


def snapshot(tenant: Tenant) -> dict[str, Any]:
    """The tenant's state without the dates of the last change."""
    state = tenant.lab.simulator.state(tenant.label)
    for part in (state["transport_config"], *state["mailboxes"]):
        for name in [name for name in part if name.startswith("WhenChanged")]:
            del part[name]
    return state


def policy(tenant: Tenant, path: Path) -> dict[str, Any]:
    return {
        "organization": "disabled",
        "allowed": tenant.allowed("scanner", "blocked"),
        "denied": tenant.allowed("ada"),
        "unlisted": "not_enabled",
        "undo_file": str(path),
    }


@pytest.mark.smoke
def test_there_and_back(tenant: Tenant, tmp_path: Path) -> None:
    """All three states of a mailbox, and the organization, come back as they were."""
    path = tmp_path / "undo.json"
    before = snapshot(tenant)
    tenant.run([task("exo_smtp_auth", policy(tenant, path), named="check", check_mode=True)], warns=WARNS)
    assert not path.exists()
    run = tenant.run(
        [
            task("exo_smtp_auth", policy(tenant, path), named="there"),
            *rhythm("back", "exo_restore", {"src": str(path)}),
        ],
        warns=WARNS,
    )
    assert run["there"]["undo_file"] == str(path)
    result = converged(run, "back", tenant)
    assert snapshot(tenant) == before
    assert result.apply["organization"]["after"] == {SMTP: False}
    assert {box["primary_smtp_address"].partition("@")[0]: box["after"][SMTP] for box in result.apply["mailboxes"]} == {
        "scanner": "inherit", "blocked": True, "ada": "inherit", "stray": False
    }  # fmt: skip
    # In one step there and in one step back; the stray's own value never let it lose anything on the way back.
    assert max(flips(tenant).values()) == 2
    content = json.loads(path.read_text())
    assert content["tenant_id"] == tenant.info.tenant_id
    assert oct(path.stat().st_mode)[-3:] == "600"


def test_mailbox_and_transport_settings_come_back(tenant: Tenant, tmp_path: Path) -> None:
    tenant.patch(
        mailboxes=[
            {"identity": tenant.at("ada"), "cas": {"EwsApplicationAccessPolicy": "EnforceBlockList",
                                                   "EwsBlockList": ["Old/*"]}},
            {"identity": tenant.at("ben"), "cas": {"ActiveSyncAllowedDeviceIDs": ["A", "B"],
                                                   "OwaMailboxPolicy": None}},
        ],
        transport_config={"AllowLegacyTLSClients": True, "ExternalPostmasterAddress": "post@x.example"},
    )  # fmt: skip
    before = snapshot(tenant)
    boxes, organization = tmp_path / "boxes.json", tmp_path / "organization.json"
    changes = [
        {"identity": "ada", "ews_application_access_policy": "inherit", "ews_block_list": [],
         "imap_messages_retrieval_mime_format": "TextOnly"},
        {"identity": "ben", "active_sync_allowed_device_ids": {"add": ["C"], "remove": ["A"]},
         "owa_mailbox_policy": "OwaMailboxPolicy-Default", "active_sync_mailbox_policy": "Default",
         "ews_application_access_policy": "EnforceAllowList", "ews_allow_list": ["New/*"]},
    ]  # fmt: skip
    wanted = {"allow_legacy_tls_clients": "inherit", "external_postmaster_address": "", "message_expiration": 43200}
    run = tenant.run(
        [
            task("exo_cas_mailbox", {"mailboxes": changes, "undo_file": str(boxes)}, named="boxes"),
            task("exo_transport_config", {**wanted, "undo_file": str(organization)}, named="organization"),
            *rhythm("boxes back", "exo_restore", {"src": str(boxes)}),
            *rhythm("organization back", "exo_restore", {"src": str(organization)}),
        ],
        warns=WARNS,
    )
    converged(run, "boxes back", tenant)
    converged(run, "organization back", tenant)
    assert snapshot(tenant) == before


def test_what_was_changed_since_is_left_alone_unless_forced(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    tenant.run([task("exo_smtp_auth", policy(tenant, path), named="there")], warns=WARNS)
    tenant.patch(mailboxes=[{"identity": tenant.at("scanner"), "cas": {"SmtpClientAuthenticationDisabled": True}}])
    tenant.patch(remove_mailboxes=[tenant.at("stray")])
    run = tenant.run(
        [
            task("exo_restore", {"src": str(path)}, named="plain"),
            task("exo_restore", {"src": str(path), "force": True, "undo_file": str(tmp_path / "again.json")},
                 named="forced"),
            task("exo_restore", {"src": str(tmp_path / "again.json")}, named="undone"),
        ],
        warns=WARNS,
    )  # fmt: skip
    (left,) = run["plain"]["changed_since"]
    assert "scanner@" in left
    assert any("scanner@" in warning for warning in run["plain"].warnings)
    assert run["plain"]["summary"]["missing"] == 1
    documented("changed since", run["plain"])
    documented("gone since", run["forced"])
    assert run["forced"]["changed_since"] == []
    assert run["forced"]["summary"]["changed"] == 1
    assert tenant.own("scanner") is True  # as it was before the forced restore
    assert (tenant.transport(), tenant.own("blocked"), tenant.own("ada")) == (False, True, None)


def test_files_that_do_not_fit(lab: Lab, tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    tenant.run([task("exo_smtp_auth", policy(tenant, path), named="there")], warns=WARNS)
    (tmp_path / "broken.json").write_text(path.read_text()[:-40])
    (tmp_path / "other.json").write_text('{"some": "thing"}')
    other = small(lab)
    run = other.run(
        [
            tried("exo_restore", {"src": str(path), "force": True}, named="another tenant's"),
            tried("exo_restore", {"src": str(tmp_path / "broken.json")}, named="broken"),
            tried("exo_restore", {"src": str(tmp_path / "other.json")}, named="something else"),
            tried("exo_restore", {"src": str(tmp_path / "none.json")}, named="none"),
        ]
    )
    run["another tenant's"].refused("wrong_tenant", tenant.info.tenant_id, other.info.tenant_id)
    documented("another tenant's undo file", run["another tenant's"])
    documented("damaged undo file", run["broken"])
    documented("no undo file", run["something else"])
    documented("undo file missing", run["none"])
    for named, text in (("broken", "damaged"), ("something else", "not an undo file"), ("none", "No such file")):
        run[named].refused("invalid_request", text, hint=None)
    assert other.writes() == []


def test_without_an_undo_file_nothing_is_changed(tenant: Tenant, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "missing" / "undo.json")
    wanted = {"clear_categories": False, "undo_file": nowhere}
    run = tenant.run(
        [
            tried("exo_transport_config", wanted, named="organization"),
            tried("exo_cas_mailbox", {"identity": ["ada"], "pop_enabled": False, "undo_file": nowhere}, named="box"),
            tried("exo_smtp_auth", {**policy(tenant, tmp_path), "undo_file": nowhere}, named="policy"),
            tried("exo_transport_config", wanted, named="check", check_mode=True),
            tried("exo_transport_config", {**wanted, "undo_file": "undo.json"}, named="relative"),
            tried("exo_transport_config", {**wanted, "undo_file": "/dev/null"}, named="device"),
            tried("exo_transport_config", {**wanted, "undo_file": f"{tmp_path}/a\0b"}, named="NUL"),
        ],
        warns=WARNS,
    )
    for named in ("organization", "box", "policy", "check", "device"):
        step = run[named].refused("refused", "undo_file", "nothing was changed", hint="directory")
        assert not step.changed
        assert tenant.writes(step) == []
    documented("undo file that can't be written", run["organization"])
    run["relative"].refused("refused", "absolute", r"would be /\S+/undo\.json", hint=None)
    documented("relative path", run["relative"])
    run["NUL"].refused("refused", "NUL", hint=None)
    assert tenant.writes() == []


def test_the_newest_file_has_the_name(tenant: Tenant, tmp_path: Path) -> None:
    path, directory = tmp_path / "a.json", tmp_path / "all"
    directory.mkdir()

    def clear(value: bool, undo_file: Path, named: str, **keywords: Any) -> dict[str, Any]:
        arguments = {"clear_categories": value, "undo_file": str(undo_file)}
        return task("exo_transport_config", arguments, named=named, **keywords)

    run = tenant.run(
        [
            clear(False, path, "first"),
            clear(True, path, "second"),
            clear(True, tmp_path / "b.json", "nothing to change"),
            clear(False, directory, "in a directory"),
            clear(True, directory, "check", check_mode=True),
        ]
    )
    content = json.loads(path.read_text())
    assert content["entries"][0]["after"] == {"clear_categories": True}
    (older,) = tmp_path.glob("a-*.json")
    assert re.fullmatch(r"a-\d{8}T\d{6}Z\.json", older.name)
    assert json.loads(older.read_text())["entries"][0]["after"] == {"clear_categories": False}
    assert "undo_file" not in run["nothing to change"].result
    assert not (tmp_path / "b.json").exists()
    (inside,) = directory.iterdir()
    assert run["in a directory"]["undo_file"] == str(inside)
    for named, back in (("second", str(path)), ("in a directory", str(inside))):
        assert run[named].msg.endswith(f"way back: {back}")
        assert "".join(run[named].msg.split()) in "".join(run.stderr.split())  # the task's last line on the screen
    assert run["nothing to change"].msg == f"{tenant.domain}: nothing to change"


def test_the_undo_file_is_there_before_the_first_write(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    tenant.fault("nul_403", match={"cmdlet": "Set-CASMailbox"}, times=None)
    step = tenant.one("exo_cas_mailbox", {"all_mailboxes": True, "pop_enabled": False, "undo_file": str(path)})
    step.refused("access_denied")
    assert step["undo_file"] == str(path)
    assert len(json.loads(path.read_text())["entries"]) == 6


def older_of(directory: Path, stem: str) -> Path:
    """The file that got a time into its name when a newer one was written."""
    (found,) = directory.glob(f"{stem}-*.json")
    return found


def test_an_older_file_is_not_taken_for_the_newest(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    tenant.run(
        [
            task("exo_transport_config", {"clear_categories": False, "undo_file": str(path)}, named="day 1"),
            task("exo_transport_config", {"rfc2231_encoding_enabled": True, "undo_file": str(path)}, named="day 30"),
        ]
    )
    older = older_of(tmp_path, "undo")
    content = json.loads(path.read_text())
    run = tenant.run(
        [
            tried("exo_restore", {"src": str(older)}, named="older"),
            tried("exo_restore", {"src": str(older)}, named="older: check", check_mode=True),
            task("exo_restore", {"src": str(path)}, named="newest"),
            # Nothing of the later run is left.
            task("exo_restore", {"src": str(older)}, named="then the older"),
            task("exo_restore", {"content": content}, named="as data", check_mode=True),
            task("exo_restore", {"content": path.read_text()}, named="as text", check_mode=True),
            tried("exo_restore", {"content": content, "src": str(path)}, named="both"),
            tried("exo_restore", {}, named="none"),
        ]
    )
    for named in ("older", "older: check"):
        run[named].refused("refused", r"later runs wrote others.*undo\.json", hint="newest")
        assert tenant.writes(run[named]) == []
    documented("undo file with a newer one beside it", run["older"])
    assert run["newest"]["written"] == content["written"]
    undoing = f"{tenant.domain}: undoing exo_transport_config of {content['written']}: "
    assert run["newest"].msg.startswith(undoing)
    assert (run["newest"].changed, run["then the older"].changed) == (True, True)
    assert [run[named].changed for named in ("as data", "as text")] == [False, False]
    for named in ("both", "none"):
        run[named].refused("invalid_request", "either src.*or content", hint=None)
    assert (tenant.transport("ClearCategories"), tenant.transport("Rfc2231EncodingEnabled")) == (True, False)


def test_an_old_file_does_not_cut_off_who_was_open_then(tenant: Tenant, tmp_path: Path) -> None:
    """When it was written the organization was open, so the scanner could follow it; it was closed since."""
    path = tmp_path / "undo.json"
    allow = {"allowed": tenant.allowed("scanner", "stray"), "undo_file": str(path)}
    tenant.run([task("exo_smtp_auth", allow, named="there")], warns=WARNS)
    tenant.patch(transport_config={"SmtpClientAuthenticationDisabled": True})
    back = {"src": str(path)}
    run = tenant.run(
        [
            tried("exo_restore", back, named="check", check_mode=True),
            tried("exo_restore", back, named="plain"),
            task("exo_restore", {**back, "force": True}, named="forced", check_mode=True),
        ],
        warns=WARNS,
    )
    for named in ("check", "plain"):
        run[named].refused("refused", "scanner@", "had it then", hint="force")
    documented("old file under an organization closed since", run["plain"])
    assert any("would lose SMTP AUTH in effect: scanner@" in warning for warning in run["forced"].warnings)
    assert tenant.writes(run["plain"]) == []
    assert tenant.own("scanner") is False


def test_an_old_file_does_not_let_in_who_was_shut_out_then(tenant: Tenant, tmp_path: Path) -> None:
    """Somebody took its own value away since, so it would follow the organization that opens again."""
    path = tmp_path / "undo.json"
    wanted = {"organization": "disabled", "allowed": tenant.allowed("blocked"), "undo_file": str(path)}
    tenant.run([task("exo_smtp_auth", wanted, named="there")], warns=WARNS)
    tenant.patch(mailboxes=[{"identity": tenant.at("blocked"), "cas": {"SmtpClientAuthenticationDisabled": None}}])
    step = tenant.one("exo_restore", {"src": str(path)}, warns=WARNS)
    step.refused("refused", "give SMTP AUTH to blocked@", "did not have it then", hint="force")
    assert tenant.writes(step) == []


@pytest.mark.parametrize("closed", [True, False], ids=["closing again", "opening again"])
def test_a_mailbox_made_anew_holds_the_organization(closed: bool, lab: Lab, tmp_path: Path) -> None:
    """It has another GUID: what the file says of it can't be brought back, and the organization would be over it."""
    tenant = small(lab, transport_config={"SmtpClientAuthenticationDisabled": closed})
    path = tmp_path / "undo.json"
    name = "stray" if closed else "blocked"
    turned = {
        "organization": "enabled" if closed else "disabled",
        "denied" if closed else "allowed": tenant.allowed(name),
        "undo_file": str(path),
    }
    tenant.run([task("exo_smtp_auth", turned, named="there")], warns=WARNS)
    tenant.patch(remove_mailboxes=[tenant.at(name)])
    anew = {"upn": tenant.at(name), "alias": name, "guid": "0a11a11a-0000-4000-8000-00000000a11a"}
    tenant.patch(add_mailboxes=[anew])
    run = tenant.run(
        [
            tried("exo_restore", {"src": str(path)}, named="check", check_mode=True),
            tried("exo_restore", {"src": str(path)}, named="back"),
        ],
        warns=WARNS,
    )
    for named in ("check", "back"):
        run[named].refused("not_found", f"{name}@.*under the GUID in the file", "left as they are")
    if closed:
        documented("mailbox of the file made anew", run["back"])
    assert tenant.writes(run["back"]) == []
    assert tenant.transport() is not closed


def test_a_mailbox_that_is_in_a_file_twice_is_written_once(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    tenant.run([task("exo_cas_mailbox", {"identity": ["ada", "ben"], "pop_enabled": False, "undo_file": str(path)})])
    content = json.loads(path.read_text())
    content["entries"].append({**content["entries"][0], "before": {"pop_enabled": False}})
    content["entries"].append({"noun": "CASMailbox", "guid": "none", "before": {}, "after": {}})
    path.write_text(json.dumps(content))
    step = tenant.one("exo_restore", {"src": str(path)}, warns=["twice", "damaged"])
    assert step.ok()["summary"]["changed"] == 2
    documented("undo file edited by hand", step)
    assert len(tenant.writes(step)) == 2
    assert (tenant.mailbox("ada")["PopEnabled"], tenant.mailbox("ben")["PopEnabled"]) == (True, True)


# --- values that the service holds and that no option takes ---

GUID_LIKE = "0f0e0d0c-1111-2222-3333-444455556666"
OWA, ACTIVE_SYNC = "OwaMailboxPolicy", "ActiveSyncMailboxPolicy"
BOXES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # what the mailbox has, and what it is given instead
    "policy-with-a-blank": ({OWA: "Kiosk "}, {"owa_mailbox_policy": "OwaMailboxPolicy-Default"}),
    "policy-like-a-guid": ({OWA: GUID_LIKE}, {"owa_mailbox_policy": "OwaMailboxPolicy-Default"}),
    "policy-like-a-dn": ({ACTIVE_SYNC: "CN=Phones,"}, {"active_sync_mailbox_policy": "Default"}),
    "device-with-a-blank": ({"ActiveSyncAllowedDeviceIDs": ["A "]}, {"active_sync_allowed_device_ids": ["B"]}),
    "agent-with-a-blank": (
        {"EwsApplicationAccessPolicy": "EnforceAllowList", "EwsAllowList": ["App/* "]},
        {"ews_application_access_policy": "EnforceAllowList", "ews_allow_list": ["Other/*"]},
    ),
    "agents-in-two-cases": (
        {"EwsApplicationAccessPolicy": "EnforceBlockList", "EwsBlockList": ["App/*", "app/*"]},
        {"ews_application_access_policy": "EnforceBlockList", "ews_block_list": ["Other/*"]},
    ),
}
SETTINGS: dict[str, tuple[str, str, Any]] = {
    # property: what the organization has, and the option and value that it is given instead
    "MessageExpiration": ("2.00:00:00", "message_expiration", "12:00:00"),
    "MaxRecipientEnvelopeLimit": ("0", "max_recipient_envelope_limit", "500"),
    "InternalDsnDefaultLanguage": ("de-DE_phoneb", "internal_dsn_default_language", "en-US"),
    "ExternalPostmasterAddress": (" post@x.example ", "external_postmaster_address", "other@x.example"),
}


def test_mailboxes_with_values_that_no_option_takes(lab: Lab, tmp_path: Path) -> None:
    tenant = lab.tenant(
        policies={"owa": ["Kiosk ", GUID_LIKE], "active_sync": ["CN=Phones,"]},
        mailboxes=[{"upn": f"{name}@former.example", "cas": cas} for name, (cas, _given) in BOXES.items()],
        domains=["former.example"],
    )
    before = snapshot(tenant)
    path = tmp_path / "undo.json"
    changes = [{"identity": tenant.at(name), **given} for name, (_cas, given) in BOXES.items()]
    run = tenant.run(
        [
            task("exo_cas_mailbox", {"mailboxes": changes, "undo_file": str(path)}, named="there"),
            tried("exo_restore", {"src": str(path)}, named="back"),
        ]
    )
    assert run["there"]["summary"]["changed"] == len(BOXES)
    # Of the six the service itself refuses one, which it held all the same; the others are restored.
    after = {box["PrimarySmtpAddress"].partition("@")[0]: box for box in snapshot(tenant)["mailboxes"]}
    expected = {box["PrimarySmtpAddress"].partition("@")[0]: box for box in before["mailboxes"]}
    twins = "agents-in-two-cases"
    assert {name: after[name] for name in BOXES if name != twins} == {
        name: expected[name] for name in BOXES if name != twins
    }
    run["back"].refused("partial_failure", f"{twins}@", hint=None)
    (failed,) = [box["identity"] for box in run["back"]["mailboxes"] if box["status"] == "failed"]
    assert failed == tenant.at(twins)


def test_an_organization_with_values_that_no_option_takes(lab: Lab, tmp_path: Path) -> None:
    """Whether the service takes back what it held is its own word; what is sent is what was there."""
    tenants = {name: small(lab, transport_config={name: former}) for name, (former, *_new) in SETTINGS.items()}
    variables = {
        tenants[name].label: {"given": {option: value}, "path": str(tmp_path / f"{name}.json")}
        for name, (_former, option, value) in SETTINGS.items()
    }
    options = [option for _former, option, _value in SETTINGS.values()]
    arguments = {option: f"{{{{ given.{option} | default(omit) }}}}" for option in options}
    run = lab.run_playbook(
        [
            task("exo_transport_config", {**arguments, "undo_file": "{{ path }}"}, named="there"),
            tried("exo_restore", {"src": "{{ path }}"}, named="back"),
        ],
        list(tenants.values()), host_vars=variables,
    )  # fmt: skip
    for name, (former, _option, _value) in SETTINGS.items():
        _there, back = tenants[name].writes()
        assert back["parameters"] == {name: former}
        assert run.step("back", tenants[name].label).failed is (back["status"] != 200)


def test_a_cancelled_job_is_taken_back_from_its_result(lab: Lab) -> None:
    """Without any file: the result of a check before the write is enough to undo what the write came to."""
    tenant = lab.tenant(transport_config={"SmtpClientAuthenticationDisabled": True}, generate={"count": 120, "seed": 3})
    off = {"all_mailboxes": True, "pop_enabled": False}
    before = {box["Guid"]: box["PopEnabled"] for box in lab.simulator.state(tenant.label)["mailboxes"]}
    tenant.fault("nul_403", match={"cmdlet": "Set-CASMailbox"}, after=70, times=None)
    run = tenant.run(
        [
            task("exo_cas_mailbox", {**off, "undo_in_result": True}, named="about to change", check_mode=True),
            tried("exo_cas_mailbox", {**off, "concurrency": 1}, named="stopped"),
        ]
    )
    content = run["about to change"]["undo"]
    assert run["stopped"].failed and "addresses" not in content
    assert len(json.dumps(content)) < 60 * 120
    lab.simulator.clear_faults()
    run = tenant.run([*rhythm("back", "exo_restore", {"content": content})])
    converged(run, "back", tenant)
    assert {box["Guid"]: box["PopEnabled"] for box in lab.simulator.state(tenant.label)["mailboxes"]} == before
