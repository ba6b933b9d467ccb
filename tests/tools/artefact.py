# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection, look at what is in the artefact, and let Galaxy's importer judge it; warnings are errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".cache" / "build"
SIZE_LIMIT = 20_000_000
IMPORTER_SETTINGS = """\
[galaxy-importer]
CHECK_REQUIRED_TAGS=True
REQUIRE_V1_OR_GREATER=True
"""
UNWANTED = re.compile(r"(^|/)(\.|__pycache__|.*\.(pyc|retry|log|tar\.gz)$)")
WANTED_HIDDEN = re.compile(r"(^|/)\.(ansible-lint|yamllint|keep)$")
# All that may stand at the top, and below tests and docs. What is new is a decision: galaxy.yml leaves it out, or this.
TOP = {
    *("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "LICENSES", "MANIFEST.json"),
    *("README.md", "REUSE.toml", "SECURITY.md", ".ansible-lint", ".yamllint"),
    *("changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "tests"),
}
NOT_SHIPPED = re.compile(r"docs/(benchmark|pictures|site)/|extensions/molecule/|tests/(?!config\.yml$).")
COMPLAINT = re.compile(r"^(?:\S+\s+)?(WARNING|ERROR|CRITICAL)\b")


def build() -> Path:
    for old in BUILD.glob("*.tar.gz"):
        old.unlink()
    command = ["ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILD)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    (artefact,) = BUILD.glob("*.tar.gz")
    return artefact


def belongs(name: str) -> bool:
    """Whether a path may be in the artefact."""
    hidden = UNWANTED.search(name) and not WANTED_HIDDEN.search(name)
    return not hidden and name.partition("/")[0] in TOP and not NOT_SHIPPED.match(name)


def problems_of_contents(artefact: Path) -> list[str]:
    with tarfile.open(artefact) as archive:
        names = [member.name for member in archive.getmembers()]
    problems = [f"should not be in the artefact: {name}" for name in names if not belongs(name)]
    if artefact.stat().st_size > SIZE_LIMIT:
        problems.append(f"the artefact has {artefact.stat().st_size} bytes, Galaxy takes {SIZE_LIMIT}")
    return problems


def problems_of_import(artefact: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        settings = Path(directory) / "galaxy-importer.cfg"
        settings.write_text(IMPORTER_SETTINGS, encoding="utf-8")
        answer = subprocess.run(
            [sys.executable, "-m", "galaxy_importer.main", str(artefact)],
            check=False,
            cwd=directory,
            env={**os.environ, "GALAXY_IMPORTER_CONFIG": str(settings)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    problems = [line for line in answer.stdout.splitlines() if COMPLAINT.match(line)]
    if answer.returncode and not problems:
        problems.append(f"the importer failed:\n{answer.stdout}")
    return problems


def main() -> int:
    BUILD.mkdir(parents=True, exist_ok=True)
    artefact = build()
    problems = problems_of_contents(artefact) + problems_of_import(artefact)
    for problem in problems:
        print(problem)
    if not problems:
        print(f"{artefact.name}: {artefact.stat().st_size // 1024} KiB, accepted by the importer")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
