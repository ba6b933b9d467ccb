# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A way back that is too long for one result: its parts, and how they come together again."""

from __future__ import annotations

import json
import os
import typing as t
import uuid
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest, Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import (
    MOST_IN_RESULT,
    Content,
    UndoParts,
    joined,
    split,
    whole,
)

pytestmark = pytest.mark.unit

GUIDS = [str(uuid.UUID(int=number)) for number in range(20_000)]


def content(*groups: list[str], works: bool = True) -> Content:
    """Each group of GUIDs changes in another way."""
    told = [
        {
            "noun": "CASMailbox",
            "smtp_auth_works": {"before": works, "after": False},
            "before": {"pop_enabled": True, "number": number},
            "after": {"pop_enabled": False, "number": -1},
            "guids": guids,
        }
        for number, guids in enumerate(groups)
    ]
    return {"format": 2, "tenant_id": "t", "task": "exo_cas_mailbox", "written": "2026-11-26", "groups": told}


def test_what_fits_is_one_content() -> None:
    small = content(GUIDS[:7000])
    assert split(small) == [small]
    assert joined(split(small), "content") == small


@pytest.mark.parametrize("most", [MOST_IN_RESULT, 5_000])
@pytest.mark.parametrize("groups", [1, 7, 2000])
def test_twenty_thousand_objects_are_told_in_parts(most: int, groups: int) -> None:
    size = len(GUIDS) // groups + 1
    given = content(*(GUIDS[start : start + size] for start in range(0, len(GUIDS), size)))
    parts = split(given, most)
    assert len(parts) > 1
    assert max(len(json.dumps(part)) for part in parts) <= most
    assert [(part["part"], part["parts"]) for part in parts] == [(n + 1, len(parts)) for n in range(len(parts))]
    back = joined(list(reversed(parts)), "content")
    assert {**back, "groups": []} == {**given, "groups": []}
    assert entries(back) == entries(given)


def entries(one: Content) -> list[tuple[str, int]]:
    found = []
    for group in one["groups"]:
        found += [(guid, group["before"]["number"]) for guid in group["guids"]]
    return found


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_with_a_part_missing_nothing_comes_together(lost: int) -> None:
    parts = split(content(GUIDS))
    del parts[lost - 1]
    with pytest.raises(InvalidRequest, match=rf"has only 2 of the 3 parts .* Missing: {lost}\. Nothing is put back"):
        joined(parts, "content")
    with pytest.raises(InvalidRequest, match=f"Missing: {lost}"):
        whole(parts, "Job 7")


def test_parts_of_different_changes_do_not_come_together() -> None:
    one, other = split(content(GUIDS)), split(content(GUIDS[1:]))
    with pytest.raises(InvalidRequest, match="different changes"):
        joined([*one[:2], other[2]], "content")
    with pytest.raises(InvalidRequest, match="different changes"):
        joined([content(GUIDS[:1]), content(GUIDS[:1]), *one], "content")


@pytest.mark.parametrize(
    "damage",
    [
        {"groups": []},
        {"groups": None},
        {"groups": [7]},
        {"groups": [{"guids": 7}]},
        {"parts": "3"},
        {"parts": 0},
        {"parts": 10**9},
    ],
    ids=str,
)
def test_parts_that_were_tampered_with_are_refused(damage: dict[str, t.Any]) -> None:
    parts = split(content(GUIDS))
    with pytest.raises(InvalidRequest, match="damaged"):
        joined([{**parts[0], **damage}, *parts[1:]], "content")


def test_one_object_that_is_too_long_is_refused() -> None:
    with pytest.raises(Refused, match=r"one object .* Nothing was changed"):
        split(content(GUIDS[:2]), 200)


def test_each_telling_of_a_first_part_counts() -> None:
    """The job announced and made the change; what came between counts where it was."""
    parts, small = split(content(GUIDS)), content(GUIDS[:1])
    made = {**parts[0], "written": "2026-11-27"}
    found = whole([*parts, small, made, parts[1]], "Job 7")
    assert [one["written"] for one in found] == ["2026-11-26", "2026-11-26", "2026-11-27"]
    assert [len(entries(one)) for one in found] == [len(GUIDS), 1, len(GUIDS)]


def test_a_first_part_that_is_cut_elsewhere_when_it_is_told_again_takes_nothing_from_the_others() -> None:
    """Another task of the job has moved mailboxes in between, so SMTP AUTH works for others and the groups differ."""
    announced = content(GUIDS)
    (group,) = announced["groups"]
    works = {"before": False, "after": False}
    again = {
        **announced,
        "groups": [{**group, "guids": GUIDS[:5]}, {**group, "smtp_auth_works": works, "guids": GUIDS[5:]}],
    }
    told, made = split(announced), split(again)[0]
    assert made["set"] == told[0]["set"]
    assert [len(entries(one)) for one in whole([*told, made], "Job 7")] == [len(GUIDS), len(GUIDS)]


@pytest.fixture
def kept(tmp_path: Path) -> UndoParts:
    return UndoParts(str(tmp_path))


def test_nothing_counts_as_told_before_all_of_it_is(kept: UndoParts, tmp_path: Path) -> None:
    parts = split(content(GUIDS))
    assert not kept.told(parts)
    kept.keep(parts)
    assert {os.stat(path).st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    for part in parts[1:]:
        assert not kept.told(parts)
        assert kept.tell(part["set"], part["part"]) == part
    assert kept.told(parts)
    assert kept.tell(parts[1]["set"], 2) == parts[1]
    # SMTP AUTH may have changed hands in between: that is no other change.
    assert kept.told(split(content(GUIDS, works=False)))
    assert not kept.told(split(content(GUIDS[1:])))


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 64])
def test_what_is_no_part_of_this_run_is_refused(kept: UndoParts, name: str) -> None:
    with pytest.raises(InvalidRequest):
        kept.tell(name, 2)


def test_parts_that_can_not_be_kept_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Nothing was changed"):
        UndoParts(str(tmp_path / "gone")).keep(split(content(GUIDS)))
