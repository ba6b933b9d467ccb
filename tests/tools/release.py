# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the built artefact into an empty place, as users get it, and run the demo from there.

The community package keeps meta, plugins, roles and playbooks of a collection and nothing else, so the demo runs from
these four. The links of the pages that are installed have to lead somewhere before that, and after it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools import artefact, links

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
KEPT = ("meta", "playbooks", "plugins", "roles")
STEPS = ["1. Preview", "2. Decide, and preview again", "3. Apply", "4. Apply again", "5. Audit", "6. Undo"]


def bare_environment(directory: Path) -> dict[str, str]:
    """What a user has who has installed the requirements and the collection, and nothing else."""
    home = directory / "home"
    home.mkdir(exist_ok=True)
    return {
        "HOME": str(home),
        "PATH": f"{BIN}{os.pathsep}{os.defpath}",
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(directory / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        # A file that the run leaves in what is installed would be found below.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(directory: Path, *command: str) -> str:
    """What a command printed; raises SystemExit with all of it where it failed."""
    done = subprocess.run(
        command, check=False, cwd=directory, env=bare_environment(directory), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


def install(archive: Path, directory: Path) -> Path:
    run(directory, "ansible-galaxy", "collection", "install", "--offline", "-p", "collections", str(archive))
    return directory / "collections" / "ansible_collections" / "m365" / "exchange_online"


def problems_of_version(collection: Path) -> Iterator[str]:
    """galaxy.yml is the source; the modules, the changelog and the artefact say the same."""
    manifest = json.loads((collection / "MANIFEST.json").read_text(encoding="utf-8"))
    version = manifest["collection_info"]["version"]
    utils = (collection / "plugins" / "module_utils" / "_version.py").read_text(encoding="utf-8")
    if f'VERSION = "{version}"' not in utils:
        yield f"plugins/module_utils/_version.py does not say {version}"
    released = re.findall(r"^  ([0-9][^:]*):$", (collection / "changelogs" / "changelog.yaml").read_text(), re.M)
    if version not in released:
        yield f"changelogs/changelog.yaml has no release {version}"


def problems_of_links(collection: Path) -> Iterator[str]:
    for page in sorted(collection.rglob("*.md")):
        yield from links.broken(page, collection)
    for path in sorted(collection.rglob("*")):
        if path.suffix in (".md", ".py", ".yml"):
            yield from links.broken_addresses(path, ROOT)


def strip(collection: Path) -> None:
    for path in collection.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def files(collection: Path) -> set[Path]:
    return {path.relative_to(collection) for path in collection.rglob("*") if path.is_file()}


def problems_of_demo(directory: Path, collection: Path) -> Iterator[str]:
    before = files(collection)
    output = run(directory, "ansible-playbook", "-i", "localhost,", "m365.exchange_online.demo")
    shown = re.findall(r"\b(\d\. [A-Z][a-z, ]+)", output)
    if [step for step in STEPS if step not in shown]:
        yield f"the demo did not show all its steps:\n{output}"
    yield from (f"the demo left {path} in the collection" for path in sorted(files(collection) - before))


def main() -> int:
    started = time.monotonic()
    (archive,) = artefact.BUILD.glob("*.tar.gz")
    with tempfile.TemporaryDirectory(prefix="exchange-release-") as name:
        directory = Path(name)
        collection = install(archive, directory)
        problems = [*problems_of_version(collection), *problems_of_links(collection)]
        strip(collection)
        problems += [*problems_of_links(collection), *problems_of_demo(directory, collection)]
    print("\n".join(problems))
    if not problems:
        took = time.monotonic() - started
        print(f"{archive.name}: installed, and {', '.join(KEPT)} alone ran the demo, {took:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
