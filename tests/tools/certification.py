# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-lint as the certification of Automation Hub does: in a plain checkout, with its versions and the newest.

In a plain checkout nothing but ansible-lint itself puts the collection where Ansible finds it. ``make lint-playbooks``
has a collection path, and so would not notice that a playbook can't be resolved without one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.run_ansible_test import project_files

ROOT = Path(__file__).resolve().parents[2]
LINT = ROOT / ".venv-lint"
PINNED = ROOT / ".cache" / "certification"
PINS = ("ansible-core~=2.16.0", "ansible-lint~=24.12.0")


def copy(directory: Path) -> Path:
    """What a commit of everything would hold, as a checkout of its own."""
    checkout = directory / "checkout"
    for path in project_files():
        target = checkout / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet"], check=True, cwd=checkout)
    subprocess.run(["git", "add", "--all"], check=True, cwd=checkout)
    return checkout


def lint(environment: Path, directory: Path) -> bool:
    home = directory / f"home-{environment.name}"
    home.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    path = f"{environment / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        ["ansible-lint", "--profile", "production", "--nocolor"],
        check=False, cwd=copy(home), env={**variables, "HOME": str(home), "PATH": path}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = done.stdout if done.returncode else done.stdout.strip().rpartition("\n")[2]
    print(f"{version(environment)}: {said}", flush=True)
    return done.returncode == 0


def version(environment: Path) -> str:
    command = [str(environment / "bin" / "ansible-lint"), "--version", "--nocolor"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return said.partition(" ansible-compat")[0]


def main() -> int:
    tools = ROOT / "tests" / "tools" / "environment.py"
    pins = [f"--package={pin}" for pin in PINS]
    subprocess.run([sys.executable, str(tools), str(PINNED), *pins], check=True)
    with tempfile.TemporaryDirectory(prefix="exchange-certification-") as name:
        results = [lint(environment, Path(name)) for environment in (PINNED, LINT)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
