# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The undo file: what is written before the first write, and what is not believed when it is read."""

from __future__ import annotations

import datetime
import errno
import json
import os
import re
import stat
import time
import typing as t
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _undo
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Effect, Move, effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, NotFound, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._plan import Phase, Plan, ordered
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    AUTHENTICATION_POLICY,
    CAS_MAILBOX,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import MOST_IN_RESULT

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
MakeBox = Callable[..., Record]
Wire = Callable[..., dict[str, t.Any]]


def plan_of(boxes: list[Record], organization: Record, blocked_by: t.Any = None) -> Plan:
    changes = (
        plan_change(organization, TRANSPORT_CONFIG.parse(ORGANIZATION)),
        *(plan_change(box, CAS_MAILBOX.parse(MAILBOX if n == 0 else {})) for n, box in enumerate(boxes)),
    )
    moves = [Move(boxes[0].target, before=True, after=False)]
    return Plan(ordered(changes, blocked_by=blocked_by), changes, effect=effect(moves))


@pytest.fixture
def boxes(mailbox: MakeBox) -> list[Record]:
    return [mailbox(1, ActiveSyncAllowedDeviceIDs=["A"]), mailbox(2)]


@pytest.fixture
def organization(transport_wire: Wire) -> Record:
    return Record(Target(TRANSPORT_CONFIG), transport_wire(SmtpClientAuthenticationDisabled=False))


@pytest.fixture
def plan(boxes: list[Record], organization: Record) -> Plan:
    return plan_of(boxes, organization)


def write(path: Path | str, plan: Plan, tenant_id: str = TENANT) -> str:
    return _undo.write(_undo.prepare(str(path)), tenant_id, "contoso.com", "exo_smtp_auth", plan)


def test_round_trip(plan: Plan, tmp_path: Path, guid: Callable[[int], str]) -> None:
    path = str(tmp_path / "undo.json")
    assert write(path, plan) == path
    assert [entry.name for entry in tmp_path.iterdir()] == ["undo.json"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    undo = _undo.load(path)
    assert (undo.tenant_id, undo.tenant, undo.task) == (TENANT, "contoso.com", "exo_smtp_auth")
    assert (undo.broken, undo.newer, undo.warnings) == ((), {}, ())
    box, organization = undo.entries  # those that differ, in the order of the writes
    assert organization.target == Target(TRANSPORT_CONFIG, "", organization.target.asked)
    assert organization.before == {
        SMTP_AUTH: False,
        "message_expiration": "1.00:00:00",
        "external_postmaster_address": "",
    }
    assert organization.after == {
        SMTP_AUTH: True,
        "message_expiration": "12:00:00",
        "external_postmaster_address": "p@contoso.com",
    }
    assert (organization.smtp_auth_before, organization.smtp_auth_after) == (None, None)
    assert (box.target.key, box.target.label, box.target.display_name) == (guid(1), "user1@contoso.com", "User 1")
    assert box.before == {
        SMTP_AUTH: "inherit",
        "active_sync_allowed_device_ids": ["A"],
        "ews_allow_list": [],
        "ews_application_access_policy": "inherit",
        "imap_messages_retrieval_mime_format": "BestBodyFormat",
        "imap_use_protocol_defaults": True,
        "active_sync_mailbox_policy": "",
    }
    assert set(box.after) == set(box.before)
    assert box.after["active_sync_mailbox_policy"] == "Stränge"
    assert (box.smtp_auth_before, box.smtp_auth_after) == (True, False)
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    assert content["format"] == 2
    assert content["written"].endswith("+00:00")
    assert undo.written == content["written"]


def test_what_is_blocked_is_not_in_it(boxes: list[Record], organization: Record, tmp_path: Path) -> None:
    path = write(tmp_path / "undo.json", plan_of(boxes, organization, NotFound("x")))
    (entry,) = _undo.load(path).entries
    assert entry.target.key == boxes[0].key


HELD: dict[str, t.Any] = {
    "MessageExpiration": "2.00:00:00",
    "MaxRecipientEnvelopeLimit": "0",
    "ExternalDsnDefaultLanguage": "de-DE_phoneb",
    "ExternalPostmasterAddress": " postmaster ",
}
HELD_BOX: dict[str, t.Any] = {
    "OwaMailboxPolicy": "6f1d2c3b-4a59-4871-8c6d-2b1a0f9e8d7c",
    "ActiveSyncMailboxPolicy": "CN=Strict,",
    "ActiveSyncMailboxPolicyIsDefaulted": False,
    "ActiveSyncAllowedDeviceIDs": ["A "],
    "EwsAllowList": ["myapp*", "MyApp*"],
    "EwsApplicationAccessPolicy": "EnforceAllowList",
}


def test_what_the_service_holds_and_no_option_takes_comes_back(
    mailbox: MakeBox, transport_wire: Wire, tmp_path: Path
) -> None:
    organization = Record(Target(TRANSPORT_CONFIG), transport_wire(**HELD))
    given = {
        "message_expiration": "12:00:00",
        "max_recipient_envelope_limit": 500,
        "external_dsn_default_language": "en-US",
        "external_postmaster_address": "p@contoso.com",
    }
    box = mailbox(1, **HELD_BOX)
    settings = {
        "owa_mailbox_policy": "",
        "active_sync_mailbox_policy": "Default",
        "active_sync_allowed_device_ids": ["B"],
        "ews_allow_list": ["Other*"],
    }
    changes = (
        plan_change(organization, TRANSPORT_CONFIG.parse(given)),
        plan_change(box, CAS_MAILBOX.parse(settings)),
    )
    undo = _undo.load(write(tmp_path / "undo.json", Plan(ordered(changes), changes)))
    assert undo.broken == ()
    by_noun = {entry.target.table.noun: entry.before for entry in undo.entries}
    assert by_noun["TransportConfig"] == {
        "message_expiration": "2.00:00:00",
        "max_recipient_envelope_limit": 0,
        "external_dsn_default_language": "de-DE_phoneb",
        "external_postmaster_address": " postmaster ",
    }
    assert by_noun["CASMailbox"] == {
        "owa_mailbox_policy": HELD_BOX["OwaMailboxPolicy"],
        "active_sync_mailbox_policy": "CN=Strict,",
        "active_sync_allowed_device_ids": ["A "],
        "ews_allow_list": ["myapp*", "MyApp*"],
    }


def test_the_newest_file_has_the_given_name(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    path.write_text("somebody's way back")
    os.utime(path, (1790000000, 1790000000))
    assert write(path, plan) == str(path)
    stamp = datetime.datetime.fromtimestamp(1790000000, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    older = tmp_path / f"undo-{stamp}.json"
    assert older.read_text() == "somebody's way back"
    first = path.read_text()
    os.utime(path, (1790000000, 1790000000))
    assert write(path, plan) == str(path)
    assert (tmp_path / f"undo-{stamp}-2.json").read_text() == first
    assert older.read_text() == "somebody's way back"
    assert len(list(tmp_path.iterdir())) == 3


def test_the_place_of_a_playbook_is_not_taken(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="a playbook or an inventory has such a name"):
        write(tmp_path / "site.yml", plan)
    assert list(tmp_path.iterdir()) == []


def test_too_many_files_of_one_name(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_undo, "_MOST_FILES", 2)
    path = tmp_path / "undo.json"
    for _turn in range(2):
        write(path, plan)
        os.utime(path, (1790000000, 1790000000))
    before = path.read_text()
    with pytest.raises(Refused, match="too many files"):
        write(path, plan)
    assert path.read_text() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_directory_means_a_new_file_in_it(plan: Plan, tmp_path: Path) -> None:
    path = write(tmp_path, plan)
    assert Path(path).parent == tmp_path
    assert re.fullmatch(r"undo-[0-9]{8}T[0-9]{6}Z\.json", Path(path).name)
    assert _undo.load(path).tenant_id == TENANT


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone/undo.json", "no directory"),
        ("file/undo.json", "no directory"),
        ("pipe", "something else than a file"),
        ("link", "something else than a file"),
        ("closed/undo.json", "not writable"),
    ],
)
def test_what_cannot_be_written_is_seen_before_anything_is(
    name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(_undo.os, "access", lambda path, _mode: not str(path).endswith("closed"))
    with pytest.raises(Refused, match="nothing was changed") as caught:
        _undo.prepare(str(tmp_path / name))
    assert words in str(caught.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["closed", "file", "link", "pipe"]


@pytest.mark.parametrize("path", ["undo.json", "./undo.json", "~/undo.json", "/tmp/un\0do.json"])
def test_a_path_that_is_not_meant_is_refused(path: str) -> None:
    with pytest.raises(Refused, match="undo_file"):
        _undo.prepare(path)


def test_a_name_that_is_too_long(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing was changed"):
        write(tmp_path / ("x" * 300), plan)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "fdopen", "rename"])
@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk(call: str, there: bool, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    path = tmp_path / "undo.json"
    if there:
        path.write_text("an older way back")
    monkeypatch.setattr(_undo.os, call, full)
    with pytest.raises(Refused, match="No space left"):
        write(path, plan)
    assert [entry.name for entry in tmp_path.iterdir()] == (["undo.json"] if there else [])
    assert not there or path.read_text() == "an older way back"


def test_content_and_name_are_flushed_to_the_disk(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut right after the first write to the tenant must not take the way back."""
    happened: list[tuple[str, str]] = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        happened.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def renamed(old: str, new: str) -> None:
        happened.append(("rename", os.path.basename(new)))
        rename(old, new)

    monkeypatch.setattr(_undo.os, "fsync", synced)
    monkeypatch.setattr(_undo.os, "rename", renamed)
    write(tmp_path / "undo.json", plan)
    assert happened == [
        ("fsync", f"undo.json.{os.getpid()}.part"),
        ("rename", "undo.json"),
        ("fsync", tmp_path.name),
    ]


@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.EBADF, False), (errno.EIO, True)])
def test_a_directory_that_can_t_be_flushed(
    number: int, fails: bool, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems know no such thing; a disk that fails is another matter."""
    no_directory(monkeypatch, number)
    if fails:
        with pytest.raises(Refused, match="nothing was changed"):
            write(tmp_path / "undo.json", plan)
        assert list(tmp_path.iterdir()) == []
    else:
        assert _undo.load(write(tmp_path / "undo.json", plan)).tenant_id == TENANT


def no_directory(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """From now on no directory can be flushed."""
    fsync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, "no")
        fsync(descriptor)

    monkeypatch.setattr(_undo.os, "fsync", only_files)


def test_the_older_way_back_keeps_its_name_where_the_new_one_has_none_on_the_disk(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run then writes nothing, so "undo it" has to mean the run before it."""
    path = tmp_path / "undo.json"
    path.write_text("an older way back")
    no_directory(monkeypatch, errno.EIO)
    with pytest.raises(Refused, match="nothing was changed"):
        write(path, plan)
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"undo.json": "an older way back"}


def test_two_runs_at_once_lose_no_file(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each moves what is there aside. Between a look and a move, another one may have come."""
    path = tmp_path / "undo.json"
    older = _undo._older

    def slow(of: str) -> str:
        found = older(of)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(_undo, "_older", slow)
    plans = [replace(plan, effect=Effect(lose=(replace(plan.changes[0].target, key=f"run {n}"),))) for n in range(6)]
    with ThreadPoolExecutor(6) as runs:
        list(runs.map(lambda one: write(path, one), plans))
    written = [json.loads(entry.read_text())["effect"]["lose"] for entry in tmp_path.iterdir()]
    assert sorted(written) == [[f"run {n}"] for n in range(6)]


def test_what_does_not_read_back_is_refused(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _undo._write_through
    monkeypatch.setattr(_undo, "_write_through", lambda path, text: whole(path, text.replace("user1", "user2")))
    with pytest.raises(Refused, match="does not read back"):
        write(tmp_path / "undo.json", plan)


def test_values_that_could_not_be_restored_are_refused_before_the_first_write(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_undo, "_entry", lambda change, plan: {"noun": "Mailbox"})
    with pytest.raises(Refused, match="does not read back"):
        write(tmp_path / "undo.json", plan)


def _damage(change: Callable[[dict[str, t.Any]], t.Any]) -> Callable[[str], str]:
    def damaged(text: str) -> str:
        content = json.loads(text)
        return json.dumps(change(content) or content)

    return damaged


WHOLE: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "cut off": lambda text: text[: len(text) // 2],
    "another file": lambda text: '{"a": 1}',
    "a list": lambda text: "[]",
    "null": lambda text: "null",
    "deep": lambda text: "[" * 100_000,
    "another format": _damage(lambda c: c.update(format=1)),
    "no tenant": _damage(lambda c: c.pop("tenant_id") and None),
    "odd tenant": _damage(lambda c: c.update(tenant_id="contoso")),
    "no list of entries": _damage(lambda c: c.update(entries=None)),
}
# The first entry is the mailbox, the second the organization.
ONE: dict[str, Callable[[dict[str, t.Any], dict[str, t.Any]], t.Any]] = {
    "no guid": lambda box, _o: box.pop("guid"),
    "odd guid": lambda box, _o: box.update(guid=""),
    "no before": lambda box, _o: box.pop("before"),
    "no noun": lambda box, _o: box.pop("noun"),
    "another noun": lambda box, _o: box.update(noun="Mailbox"),
    "an unknown setting": lambda box, _o: [box[part].update(x=True) for part in ("before", "after")],
    "half a setting": lambda box, _o: box["after"].pop(SMTP_AUTH),
    "a value that is none": lambda box, _o: box["before"].update({SMTP_AUTH: None}),
    "a text for a list": lambda box, _o: box["before"].update(ews_allow_list="A/*"),
    "a list of numbers": lambda box, _o: box["after"].update(ews_allow_list=[1]),
    "odd before": lambda box, _o: box.update(before=[1]),
    "an odd effect": lambda box, _o: box.update(smtp_auth_works=[1]),
    "a number for a boolean": lambda _b, organization: organization["before"].update({SMTP_AUTH: 0}),
    "a number for a text": lambda _b, organization: organization["before"].update(message_expiration=86400),
    "a boolean for a number": lambda _b, organization: [
        organization[part].update(journal_message_expiration_days=True) for part in ("before", "after")
    ],
}


@pytest.mark.parametrize("damage", WHOLE.values(), ids=WHOLE)
def test_a_damaged_file_is_refused(damage: Callable[[str], str], plan: Plan, tmp_path: Path) -> None:
    path = Path(write(tmp_path / "undo.json", plan))
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"undo\.json"):
        _undo.load(str(path))


@pytest.mark.parametrize("damage", ONE.values(), ids=ONE)
def test_one_damaged_entry_leaves_the_others(damage: Callable[..., t.Any], plan: Plan, tmp_path: Path) -> None:
    path = Path(write(tmp_path / "undo.json", plan))
    content = json.loads(path.read_text(encoding="utf-8"))
    whole = [json.dumps(entry) for entry in content["entries"]]
    damage(*content["entries"])
    (bad,) = [n for n, entry in enumerate(content["entries"]) if json.dumps(entry) != whole[n]]
    path.write_text(json.dumps(content), encoding="utf-8")
    undo = _undo.load(str(path))
    assert undo.broken == (f"Entry {bad} of {path} is damaged: it is left out.",)
    assert [entry.target.table.noun for entry in undo.entries] == [("TransportConfig", "CASMailbox")[bad]]


@pytest.mark.parametrize("raw", [None, 7, "text", []])
def test_an_entry_that_is_none(raw: t.Any) -> None:
    undo = _undo.parse({"format": 2, "tenant_id": TENANT, "entries": [raw]}, "content")
    assert undo.entries == ()
    assert len(undo.broken) == 1


def test_an_object_that_stands_there_twice_counts_once(plan: Plan, tmp_path: Path) -> None:
    path = Path(write(tmp_path / "undo.json", plan))
    content = json.loads(path.read_text(encoding="utf-8"))
    again = json.loads(json.dumps(content["entries"][0]))
    again["guid"] = again["guid"].upper()
    again["before"][SMTP_AUTH] = True
    content["entries"].append(again)
    undo = _undo.parse(content, "content")
    assert len(undo.entries) == 2
    assert undo.entries[0].before[SMTP_AUTH] == "inherit"
    assert undo.broken == ("user1@contoso.com stands in content twice: only the first entry counts.",)


def test_what_others_could_read_warns(plan: Plan, tmp_path: Path) -> None:
    path = Path(write(tmp_path / "undo.json", plan))
    path.chmod(0o644)
    (warning,) = _undo.load(str(path)).warnings
    assert "0644" in warning
    assert str(path) in warning


def test_newer_files_of_the_same_tenant_are_told(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "undo.json"
    write(path, plan)

    def beside(name: str, **changed: t.Any) -> Path:
        other = tmp_path / name
        other.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changed}))
        return other

    old = beside("undo-20200101T000000Z.json", written="2020-01-01T00:00:00+00:00")
    beside("undo-20210101T000000Z-2.json", tenant_id="99999999-5c1b-4d0a-9a77-1b2c3d4e5f60")
    beside("another.json")
    beside("undo-20200101T000000Z.txt")
    (tmp_path / "undo-20220101T000000Z.json").write_text("{")
    (tmp_path / "undo-20230101T000000Z.json").mkdir()
    assert list(_undo.load(str(old)).newer) == ["undo.json"]
    assert _undo.load(str(path)).newer == {}
    middle = beside("undo-20210101T000000Z.json", written="2021-01-01T00:00:00+00:00")
    assert list(_undo.load(str(old)).newer) == ["undo-20210101T000000Z.json", "undo.json"]
    assert list(_undo.load(str(middle)).newer) == ["undo.json"]


def test_a_directory_that_can_t_be_listed_has_no_newer_file(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "undo.json", plan)

    def closed(_path: str) -> t.NoReturn:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(_undo.os, "listdir", closed)
    assert _undo.load(path).newer == {}


def test_no_file_at_all(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.json", tmp_path):
        with pytest.raises(InvalidRequest, match="can't be read"):
            _undo.load(str(path))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidRequest):
        _undo.load(str(binary))
    with pytest.raises(InvalidRequest, match="absolute"):
        _undo.load("undo.json")


def test_what_a_file_says_can_t_steer_a_terminal(plan: Plan) -> None:
    undo = _undo.parse(
        {"format": 2, "tenant_id": TENANT, "tenant": "c\x1b[2J", "written": "\u202e", "task": 7, "entries": []},
        "content",
    )
    assert (undo.tenant, undo.written, undo.task, undo.entries) == ("c[2J", "", "7", ())


def test_a_result_holds_the_same_without_names(plan: Plan, tmp_path: Path) -> None:
    content = _undo.compact(TENANT, "contoso.com", "exo_smtp_auth", plan)
    assert "user1@contoso.com" not in json.dumps(content)
    undo, file = _undo.parse(content, "content"), _undo.load(write(tmp_path / "undo.json", plan))
    assert undo.broken == ()
    assert [(e.target.place, e.before, e.after) for e in undo.entries] == [
        (e.target.place, e.before, e.after) for e in file.entries
    ]
    assert undo.worked == file.worked != {}


@pytest.mark.parametrize("guid_of", [str.lower, str.upper])
def test_who_moves_without_an_entry_is_in_it(
    guid_of: Callable[[str], str], plan: Plan, guid: Callable[[int], str], tmp_path: Path
) -> None:
    targets = [replace(plan.changes[0].target, key=guid(number)) for number in (7, 8)]
    plan = replace(plan, effect=Effect(lose=tuple(targets[:1]), gain=tuple(targets[1:])))
    file = _undo.load(write(tmp_path / "undo.json", plan))
    compact = _undo.parse(_undo.compact(TENANT, "contoso.com", "exo_smtp_auth", plan), "content")
    for undo in (file, compact):
        assert [undo.worked_before(guid_of(guid(number))) for number in (7, 8, 9)] == [True, False, None]


def test_a_result_has_room_for_more_than_who_moves(plan: Plan) -> None:
    target = plan.changes[0].target
    everybody = tuple(replace(target, key=f"{number}") for number in range(20_001))
    most = _undo.compact(TENANT, "contoso.com", "x", replace(plan, effect=Effect(lose=everybody[1:])))
    assert len(most["effect"]["lose"].split()) == 20_000
    assert len(json.dumps(most)) < MOST_IN_RESULT * 2 / 3
    more = _undo.compact(TENANT, "contoso.com", "x", replace(plan, effect=Effect(lose=everybody)))
    assert more["effect"] == {}


def test_a_result_names_what_has_no_guid_yet() -> None:
    target = Target(AUTHENTICATION_POLICY, "", "Devices", "", "")
    made = Change(
        target, {"allow_basic_auth_smtp": False}, {"allow_basic_auth_smtp": True}, ({"Name": "Devices"},), "New"
    )
    content = _undo.compact(TENANT, "contoso.com", "exo_authentication_policy", Plan((Phase((made,)),), (made,), (), 1))
    (entry,) = _undo.parse(content, "content").entries
    assert (entry.verb, entry.target.label) == ("New", "Devices")
