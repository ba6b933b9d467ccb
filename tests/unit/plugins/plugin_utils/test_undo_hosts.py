# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts undo files are of, and where no host is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.plugin_utils._undo_hosts import hosts_of

pytestmark = pytest.mark.unit

IDS = [f"{number}" * 8 + "-2222-4333-8444-555555555555" for number in (1, 2, 3)]
HOSTS = ["contoso", "fabrikam", "litware"]
TENANTS = [{"tenant": host, "tenant_id": tenant_id} for host, tenant_id in zip(HOSTS, IDS, strict=True)]


def undo_file(directory: Path, tenant_id: str) -> str:
    path = directory / f"{tenant_id}.json"
    path.write_text(json.dumps({"format": 2, "tenant_id": tenant_id.upper(), "entries": []}), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_each_file_has_its_host(tmp_path: Path) -> None:
    paths = [undo_file(tmp_path, IDS[number]) for number in (2, 0)]
    assert hosts_of(paths, HOSTS, TENANTS) == ["contoso", "litware"]


def test_two_hosts_of_one_tenant_are_both_its_hosts(tmp_path: Path) -> None:
    assert hosts_of([undo_file(tmp_path, IDS[0])], ["a", "b"], [TENANTS[0], TENANTS[0]]) == ["a", "b"]


def test_a_file_of_no_host_is_refused_although_another_has_one(tmp_path: Path) -> None:
    paths = [undo_file(tmp_path, IDS[0]), undo_file(tmp_path, IDS[2])]
    tenants = [TENANTS[0], {"tenant": "fabrikam", "tenant_id": None}]
    with pytest.raises(InvalidRequest, match=rf"{IDS[2]}, and no host.*known to be.*could not be read: fabrikam\."):
        hosts_of(paths, HOSTS[:2], tenants)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="can't be read"):
        hosts_of([str(tmp_path / "gone.json")], HOSTS, TENANTS)
