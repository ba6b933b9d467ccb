# Copyright: (c) 2026, the m365.exchange_online contributors
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
    for named, text in (("broken", "damaged"), ("something else", "no undo file"), ("none", "No such file")):
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
    assert run["nothing to change"].msg == f"{tenant.domain}: nothing to change"


def test_the_undo_file_is_there_before_the_first_write(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    tenant.fault("nul_403", match={"cmdlet": "Set-CASMailbox"}, times=None)
    step = tenant.one("exo_cas_mailbox", {"all_mailboxes": True, "pop_enabled": False, "undo_file": str(path)})
    step.refused("access_denied")
    assert step["undo_file"] == str(path)
    assert len(json.loads(path.read_text())["entries"]) == 6
