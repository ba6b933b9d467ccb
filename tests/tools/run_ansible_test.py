# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` or ``ansible-test units`` on a copy of this checkout, without containers.

``ansible-test`` wants the collection at a real path below ``ansible_collections`` and keeps its caches and virtual
environments in the home directory. Both are given to it inside ``.cache``. Arguments are handed on to it; the first
is the command. The units get a virtual environment with what ``tests/unit/requirements.txt`` names.
"""

from __future__ import annotations

import ast
import contextlib
import filecmp
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
COPY = CACHE / "sanity" / "ansible_collections" / "m365" / "exchange_online"
HOME = CACHE / "home"
DOWNLOAD_TIMEOUT = 5

# Where the real script cannot be had, the copy of pip that comes with Python does the same work.
BOOTSTRAP = '''\
"""Stand-in for the pip bootstrap script that ansible-test downloads: pip comes from the standard library."""

from __future__ import annotations

import ensurepip
import runpy
import subprocess
import sys

if __name__ == "__main__":
    packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *packages], check=False).returncode)
'''


def project_files() -> list[Path]:
    """What a commit of everything would hold: tracked and untracked files, without the ignored and the deleted."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return sorted(path for path in map(Path, set(listed.split("\0")) - {""}) if os.path.lexists(ROOT / path))


def same(source: Path, target: Path) -> bool:
    if source.is_symlink() or target.is_symlink():
        return source.is_symlink() and target.is_symlink() and os.readlink(source) == os.readlink(target)
    return (
        target.is_file()
        and source.stat().st_mode == target.stat().st_mode
        and filecmp.cmp(source, target, shallow=False)
    )


def inside_repository(path: Path) -> bool:
    return ".git" in path.relative_to(COPY).parts


def remove_what_is_gone(files: list[Path]) -> None:
    wanted = {COPY / path for path in files}
    for path in sorted(COPY.rglob("*"), reverse=True):
        if path in wanted or inside_repository(path):
            continue
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()


def mirror(files: list[Path]) -> None:
    """Bring the copy up to date; what did not change keeps its time stamp."""
    remove_what_is_gone(files)
    for path in files:
        source, target = ROOT / path, COPY / path
        if same(source, target):
            continue
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    # Its own repository keeps ansible-test from asking the checkout's, which ignores everything below .cache.
    if not (COPY / ".git").is_dir():
        subprocess.run(["git", "init", "--quiet", str(COPY)], check=True)


def pip_settings() -> Iterator[tuple[str, str]]:
    """The settings pip has here, whichever file or variable they come from."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        key, equals, value = line.partition("=")
        section, dot, name = key.rpartition(".")
        if equals and dot and section in (":env:", "global"):
            yield name, str(ast.literal_eval(value))


def write_pip_configuration() -> None:
    """Hand pip's settings on: ansible-test passes neither the PIP_* variables nor the real home directory."""
    settings = dict(sorted(pip_settings(), key=lambda setting: setting[0]))
    cache = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], check=False, capture_output=True, text=True)
    if cache.returncode == 0:
        settings.setdefault("cache-dir", cache.stdout.strip())
    settings["quiet"] = "2"
    target = HOME / ".config" / "pip" / "pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {value.strip()}".replace("\n", "\n    ") for name, value in settings.items()]
    target.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")


def bootstrap_urls() -> dict[Path, str]:
    """The pip bootstrap scripts that this ansible-test may want: where it keeps them and where it gets them."""
    spec = find_spec("ansible_test")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("ansible-test is not installed in the environment that runs this")
    package = Path(next(iter(spec.submodule_search_locations)))
    versions = (package / "_internal" / "python_requirements.py").read_text(encoding="utf-8")
    script = (package / "_util" / "target" / "setup" / "requirements.py").read_text(encoding="utf-8")
    url = re.search(r"'(https://[^']*get-pip-%s\.py)'", script)
    template = url.group(1) if url else "%s"
    cache = HOME / ".ansible" / "test" / "cache"
    wanted = set(re.findall(r"\bpip='([0-9.]+)'", versions))
    return {cache / f"get_pip_{version.replace('.', '_')}.py": template % version for version in wanted}


def seed_bootstrap_scripts() -> None:
    for target, url in bootstrap_urls().items():
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT) as answer:
                script = answer.read().decode()
        except (OSError, ValueError):
            print(f"{target.name} cannot be downloaded: using the pip of the standard library", file=sys.stderr)
            script = BOOTSTRAP
        target.write_text(script, encoding="utf-8")


# How ansible-test gets what a command needs.
PLACES = {"sanity": ("--local",), "units": ("--venv", "--requirements")}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in PLACES:
        raise SystemExit(f"usage: run_ansible_test.py {'|'.join(PLACES)} [arguments of ansible-test]")
    command_name, *arguments = sys.argv[1:]
    mirror(project_files())
    HOME.mkdir(parents=True, exist_ok=True)
    write_pip_configuration()
    seed_bootstrap_scripts()
    # pyenv finds its interpreters through the home directory unless it is told.
    pyenv = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    environment = {**os.environ, "HOME": str(HOME), "PYENV_ROOT": pyenv}
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [
        str(Path(sys.executable).parent / "ansible-test"),
        command_name,
        *PLACES[command_name],
        "--python",
        version,
        *arguments,
    ]
    return subprocess.run(command, check=False, cwd=COPY, env=environment, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
