# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The undo file: what is written before the first write, and what is not believed when it is read."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, NotFound, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Mailbox
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Plan, plan_settings
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)

TENANT = "0f3a9d1e-5c1b-4d0a-9a77-1b2c3d4e5f60"
MAILBOX = {
    SMTP_AUTH: "false",
    "active_sync_allowed_device_ids": ["B"],
    "ews_allow_list": ["A/*"],
    "ews_application_access_policy": "EnforceAllowList",
    "imap_messages_retrieval_mime_format": "TextOnly",
    "active_sync_mailbox_policy": "Stränge",
    "pop_enabled": False,
}
ORGANIZATION = {SMTP_AUTH: True, "message_expiration": "43200", "external_postmaster_address": "p@contoso.com"}


@pytest.fixture
def plan(mailbox: Callable[..., Mailbox], transport_wire: Callable[..., dict[str, t.Any]]) -> Plan:
    box, same = mailbox(1, ActiveSyncAllowedDeviceIDs=["A"]), mailbox(2)
    wire = transport_wire(SmtpClientAuthenticationDisabled=False)
    return Plan(
        plan_settings(TRANSPORT_CONFIG, wire, TRANSPORT_CONFIG.parse(ORGANIZATION)),
        (
            plan_settings(CAS_MAILBOX, box.wire, CAS_MAILBOX.parse(MAILBOX), mailbox=box),
            plan_settings(CAS_MAILBOX, same.wire, CAS_MAILBOX.parse({"pop_enabled": False}), mailbox=same),
        ),
    )


def test_round_trip(plan: Plan, tmp_path: Path, guid: Callable[[int], str]) -> None:
    path = str(tmp_path / "undo.json")
    assert _undo.write(path, TENANT, plan) == path
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    undo = _undo.load(path)
    assert undo.tenant_id == TENANT
    assert undo.organization is not None
    assert undo.organization.before == {
        SMTP_AUTH: False,
        "message_expiration": "1.00:00:00",
        "external_postmaster_address": "",
    }
    assert undo.organization.after == {
        SMTP_AUTH: True,
        "message_expiration": "12:00:00",
        "external_postmaster_address": "p@contoso.com",
    }
    (entry,) = undo.mailboxes  # the one that differs
    assert (entry.guid, entry.label) == (guid(1), "user1@contoso.com")
    assert entry.before == {
        SMTP_AUTH: "inherit",
        "active_sync_allowed_device_ids": ["A"],
        "ews_allow_list": [],
        "ews_application_access_policy": "inherit",
        "imap_messages_retrieval_mime_format": "BestBodyFormat",
        "imap_use_protocol_defaults": True,
        "active_sync_mailbox_policy": "",
    }
    assert set(entry.after) == set(entry.before)
    assert entry.after["active_sync_mailbox_policy"] == "Stränge"
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    assert content["tenant_id"] == TENANT
    assert content["written"].endswith("+00:00")


def test_what_is_held_is_not_in_it(plan: Plan, tmp_path: Path) -> None:
    path = _undo.write(str(tmp_path / "undo.json"), TENANT, Plan(plan.organization, plan.mailboxes, held=NotFound("x")))
    assert _undo.load(path).organization is None
    assert len(_undo.load(path).mailboxes) == 1


def test_an_older_file_is_never_overwritten(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    path.write_text("somebody's way back")
    (tmp_path / "undo-2.json").symlink_to(tmp_path / "nowhere")
    written = _undo.write(str(path), TENANT, plan)
    assert written not in (str(path), str(tmp_path / "undo-2.json"))
    assert Path(written).parent == tmp_path
    assert Path(written).suffix == ".json"
    assert path.read_text() == "somebody's way back"
    assert not (tmp_path / "nowhere").exists()
    assert _undo.write(str(path), TENANT, plan) not in (written, str(path))
    assert _undo.load(written).tenant_id == TENANT


@pytest.mark.parametrize("name", ["gone/undo.json", "file/undo.json", "x" * 300])
def test_what_cannot_be_written(name: str, plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="nothing was changed"):
        _undo.write(str(tmp_path / name), TENANT, plan)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
def test_a_full_disk(call: str, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_undo.os, call, full)
    with pytest.raises(Refused, match="No space left"):
        _undo.write(str(tmp_path / "undo.json"), TENANT, plan)
    assert list(tmp_path.iterdir()) == []


def _damage(change: Callable[[dict[str, t.Any]], t.Any]) -> Callable[[str], str]:
    def damaged(text: str) -> str:
        content = json.loads(text)
        return json.dumps(change(content) or content)

    return damaged


DAMAGE: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "cut off": lambda text: text[: len(text) // 2],
    "another file": lambda text: '{"a": 1}',
    "a list": lambda text: "[]",
    "null": lambda text: "null",
    "deep": lambda text: "[" * 100_000,
    "another format": _damage(lambda c: c.update(format=2)),
    "no tenant": _damage(lambda c: c.pop("tenant_id") and None),
    "odd tenant": _damage(lambda c: c.update(tenant_id="contoso")),
    "no guid": _damage(lambda c: c["mailboxes"][0].pop("guid") and None),
    "odd guid": _damage(lambda c: c["mailboxes"][0].update(guid="")),
    "no before": _damage(lambda c: c["mailboxes"][0].pop("before") and None),
    "an unknown setting": _damage(
        lambda c: [c["mailboxes"][0][p].update(x=True) for p in ("before", "after")] and None
    ),
    "half a setting": _damage(lambda c: c["mailboxes"][0]["after"].pop(SMTP_AUTH) and None),
    "a value that is none": _damage(lambda c: c["mailboxes"][0]["before"].update({SMTP_AUTH: None})),
    "a text for a list": _damage(lambda c: c["mailboxes"][0]["before"].update(ews_allow_list="A/*")),
    "a number for a truth": _damage(lambda c: c["organization"]["before"].update({SMTP_AUTH: 0})),
    "an odd span": _damage(lambda c: c["organization"]["before"].update(message_expiration="long")),
    "no list of mailboxes": _damage(lambda c: c.update(mailboxes=None)),
    "an odd organization": _damage(lambda c: c.update(organization="open")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused(damage: Callable[[str], str], plan: Plan, tmp_path: Path) -> None:
    path = Path(_undo.write(str(tmp_path / "undo.json"), TENANT, plan))
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"undo\.json"):
        _undo.load(str(path))


def test_no_file_at_all(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.json", tmp_path):
        with pytest.raises(InvalidRequest, match="can't be read"):
            _undo.load(str(path))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest):
        _undo.load(str(binary))
