# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether files in a directory outlive the container of an AWX job. PRIVATE."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

MOUNTS = "/proc/self/mountinfo"
# Below this AWX keeps what belongs to one job, and removes it with the job; the container names it to the job.
JOB_DIRECTORY_VARIABLE = "AWX_ISOLATED_DATA_DIR"
_JOB_DIRECTORY = "/runner/artifacts"
# What the container itself is made of, and what is only in memory.
_PASSING = frozenset({"overlay", "tmpfs", "ramfs", "proc", "sysfs", "devtmpfs", "mqueue", "devpts"})
# How kubelet calls the directory of a volume that it removes with the pod. It is on the node's own disk.
_OF_THE_POD = "/kubernetes.io~empty-dir/"


def outlives_the_job(path: str, environ: Mapping[str, str], mounts: str = MOUNTS) -> bool:
    """Whether the directory is on something that was mounted into the container, and not for this job alone.

    mounts: a file in the form of /proc/self/mountinfo. Where it can't be read, nothing is known to be mounted.
    """
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            kinds = dict(_mount(line) for line in file if " - " in line)
    except OSError:
        return False
    point = _mount_point(os.path.realpath(path), kinds)
    job = os.path.realpath(environ.get(JOB_DIRECTORY_VARIABLE) or _JOB_DIRECTORY)
    # A container's root goes with it, whatever holds it: overlay, fuse-overlayfs or a directory of the node.
    return point != "/" and kinds.get(point, "overlay") not in _PASSING and not _within(job, point)


def gone_with_the_job(names: Mapping[str, str], job: str, environ: Mapping[str, str]) -> list[str]:
    """A sentence on each path below which files would not outlive the job. names: path by the variable that has it.

    job: its number, '' outside of AWX, where nothing is said. A report may well be for the job alone, which sends it
    somewhere, so this is no failure.
    """
    lost = {name: path for name, path in names.items() if job and path and not outlives_the_job(path, environ)}
    return [
        f"{name} is {path}, which is not mounted: what is written there is gone when job {job} ends. To keep it, mount"
        " a directory of the execution node (in AWX: Settings, Jobs, Paths to expose to isolated jobs)."
        for name, path in lost.items()
    ]


def _mount(line: str) -> tuple[str, str]:
    """(mount point, type of file system) of a line, in which blanks of a path are octal numbers."""
    before, _dash, after = line.partition(" - ")
    root, point = before.split()[3:5]
    kind = "tmpfs" if _OF_THE_POD in root else after.split()[0]
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point), kind


def _mount_point(path: str, kinds: Mapping[str, str]) -> str:
    while path not in kinds and path != "/":
        path = os.path.dirname(path)
    return path


def _within(path: str, directory: str) -> bool:
    return os.path.commonpath([path, directory]) == directory
