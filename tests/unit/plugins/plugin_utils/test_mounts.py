# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which directories of a container outlive the job."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.m365.exchange_online.plugins.plugin_utils._mounts import (
    gone_with_the_job,
    outlives_the_job,
)

# As an execution environment under podman has it, with one directory that somebody mounted and one in memory.
CONTAINER = r"""
22 21 0:35 / / rw,relatime - overlay overlay rw,lowerdir=/l
23 22 0:36 / /proc rw - proc proc rw
24 22 8:1 /tmp/awx_7/ /runner rw,relatime - xfs /dev/sda1 rw
25 22 8:1 /var/lib/exo /exo/undo rw,relatime shared:1 - xfs /dev/sda1 rw
26 22 0:40 / /exo/memory rw - tmpfs tmpfs rw
27 22 0:50 server:/exo /exo/with\040blank rw - nfs4 server:/exo rw
28 24 8:1 /srv/kept /runner/kept rw - xfs /dev/sda1 rw
29 22 8:1 /var/lib/kubelet/pods/1f/volumes/kubernetes.io~empty-dir/undo /exo/pod rw - ext4 /dev/sda1 rw
30 22 8:1 /var/lib/kubelet/pods/1f/volumes/kubernetes.io~csi/undo/mount /exo/claim rw - ext4 /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("path", "lasts"),
    [
        ("/exo/undo", True),
        ("/exo/undo/contoso", True),
        ("/exo/undone", False),
        ("/exo/with blank", True),
        ("/exo/memory", False),
        ("/exo", False),
        ("/var/lib/exo", False),
        ("/runner/project/undo", False),
        ("/runner/artifacts/7", False),
        ("/runner/kept", True),
        ("/exo/pod", False),
        ("/exo/claim/contoso", True),
        ("/", False),
    ],
)
def test_what_is_mounted_for_longer_than_the_job_lasts(path: str, lasts: bool, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(CONTAINER)
    environ = {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/7"}
    assert outlives_the_job(path, environ, str(mounts)) is lasts
    assert outlives_the_job(path, {}, str(mounts)) is lasts


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(CONTAINER)
    (tmp_path / "link").symlink_to("/exo/undo")
    assert outlives_the_job(str(tmp_path / "link"), {}, str(tmp_path / "mountinfo")) is True


def test_what_can_t_be_known_does_not_last(tmp_path: Path) -> None:
    assert outlives_the_job("/exo/undo", {}, str(tmp_path / "nowhere")) is False


@pytest.mark.parametrize("kind", ["overlay", "fuse.fuse-overlayfs", "xfs"])
def test_the_root_of_a_container_goes_with_it(kind: str, tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(CONTAINER.replace("overlay overlay", f"{kind} {kind}"))
    assert outlives_the_job("/var/lib/exo", {}, str(tmp_path / "mountinfo")) is False


def test_what_would_be_lost_is_told_in_a_job_alone() -> None:
    paths = {"exo_audit_report": "/proc/report.json", "exo_audit_evidence": ""}
    (sentence,) = gone_with_the_job(paths, "4711", {})
    for words in ("exo_audit_report is /proc/report.json", "not mounted", "job 4711"):
        assert words in sentence
    assert gone_with_the_job(paths, "", {}) == []
