# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the README's own commands on a bare Debian, so that the README can't lie.

The system is made anew by debootstrap, as root, or in a container; where neither is to be found, this says so and
succeeds. In it are Python, git and make as the README asks for them, and a clone of this checkout's last commit, which
git takes in place of the repository's address. pip is configured as it is on this machine.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASE = "trixie"
IMAGE = f"debian:{RELEASE}-slim"
# The sections of the README whose commands need no tenant.
SECTIONS = ("Install", "See it work without a tenant")
PACKAGES = ("ca-certificates", "git", "make", "python3", "python3-venv")
REPOSITORY = "https://github.com/m365-ansible/exchange_online"
SOURCE = "/srv/exchange_online.git"
BLOCK = re.compile(r"^```shell\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What a login as root has and nothing more.
VARIABLES = {"HOME": "/root", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb"}


def blocks(readme: str, sections: Sequence[str] = SECTIONS) -> list[str]:
    """The shell blocks of these sections."""
    parts = re.split(r"^## (.+)$", readme, flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    return list(itertools.chain.from_iterable(BLOCK.findall(texts[section]) for section in sections))


def pip_settings() -> Iterator[tuple[str, str]]:
    """pip's settings on this machine, whichever file or variable they come from, as variables."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for key, value in re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE):
        yield f"PIP_{key.upper().replace('-', '_')}", value


def local_paths(settings: Mapping[str, str]) -> list[Path]:
    """The files that pip's settings name; for a directory the one above it, because an index links there."""
    words = itertools.chain.from_iterable(re.split(r"\\n|\s", value) for value in settings.values())
    plain = [word.removeprefix("file://") for word in words]
    paths = [Path(word) for word in plain if word.startswith("/") and word != "/"]
    return sorted({path.parent if path.is_dir() else path for path in paths if path.exists()})


def script(commands: Sequence[str]) -> str:
    """The README's commands, each block in a shell of its own as a reader would paste it, in one directory."""
    lines = ["set -eu", "export DEBIAN_FRONTEND=noninteractive", "mkdir -p /root/fresh", "cd /root/fresh"]
    lines += ["grep PRETTY_NAME /etc/os-release", "python3 --version"]
    for number, block in enumerate(commands, 1):
        path = f"/root/fresh/block-{number}.sh"
        lines += [f"cat > {path} <<'END'", block.rstrip("\n"), "END", "began=$(date +%s)", f"sh -eu {path}"]
        lines.append(f'echo "block {number}: ok, $(( $(date +%s) - began )) s"')
    return "\n".join([*lines, "exo-env/bin/ansible --version | head -1", "exo-env/bin/pip list", ""])


def prepare(system: Path, commands: Sequence[str]) -> None:
    """What the bare system needs of this one: the clone, the commands, and how names are resolved."""
    clone = ["git", "clone", "--quiet", "--bare", str(ROOT), str(system) + SOURCE]
    subprocess.run(clone, check=True)
    subprocess.run(["git", "-C", str(system) + SOURCE, "branch", "--force", "main", "HEAD"], check=False)
    gitconfig = f'[url "{SOURCE}"]\n\tinsteadOf = {REPOSITORY}\n[safe]\n\tdirectory = *\n'
    (system / "root" / ".gitconfig").write_text(gitconfig, encoding="utf-8")
    (system / "root" / "fresh.sh").write_text(script(commands), encoding="utf-8")
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        if Path(name).exists():
            shutil.copy2(name, str(system) + name)


def _bound(path: Path) -> str:
    """The command that shows a file or directory of this machine in the bare one, at the same place."""
    here = shlex.quote(str(path))
    made = f"mkdir -p .{here}" if path.is_dir() else f"mkdir -p .{shlex.quote(str(path.parent))} && touch .{here}"
    return f"{made} && mount --bind {here} .{here}"


def by_debootstrap(settings: Mapping[str, str], commands: Sequence[str], keep: bool) -> int:
    directory = Path(tempfile.mkdtemp(prefix="fresh-", dir="/var/tmp"))
    system = directory / RELEASE
    try:
        include = f"--include={','.join(PACKAGES)}"
        subprocess.run(["debootstrap", "--variant=minbase", include, RELEASE, str(system)], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        prepare(system, commands)
        inside = " && ".join(
            [
                f"cd {shlex.quote(str(system))}",
                "mount -t proc proc proc",
                "mount --rbind /dev dev",
                *(_bound(path) for path in local_paths(settings)),
                "exec chroot . /bin/sh /root/fresh.sh",
            ]
        )
        # The mounts and the processes are gone with the namespaces.
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside]
        return subprocess.run(command, check=False, env={**VARIABLES, **settings}, stdin=subprocess.DEVNULL).returncode
    finally:
        if keep:
            print(f"kept: {system}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


def by_container(engine: str, settings: Mapping[str, str], commands: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="fresh-") as name:
        system = Path(name)
        for part in ("root", "etc", "srv"):
            (system / part).mkdir()
        prepare(system, commands)
        install = f"apt-get -qq update && apt-get -qq install -y {' '.join(PACKAGES)} > /dev/null"
        variables = [f"--env={key}={value}" for key, value in settings.items()]
        inside = f"cp -a /fresh/root/. /root/ && cp -a /fresh/srv/. /srv/ && {install} && exec sh /root/fresh.sh"
        mounts = [f"{system}:/fresh:ro", *(f"{path}:{path}:ro" for path in local_paths(settings))]
        volumes = [f"--volume={mount}" for mount in mounts]
        command = [engine, "run", "--rm", *volumes, *variables, IMAGE, "sh", "-c", inside]
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode


def container_engine() -> str | None:
    for name in ("podman", "docker"):
        path = shutil.which(name)
        if path and subprocess.run([path, "info"], check=False, capture_output=True).returncode == 0:
            return path
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only-demo", action="store_true", help="leave out make test, which takes long")
    parser.add_argument("--keep", action="store_true", help="leave the system behind, to look into it")
    args = parser.parse_args()
    commands = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    if args.only_demo:
        commands = [re.sub(r"^make test$\n?", "", block, flags=re.MULTILINE) for block in commands]
    settings = dict(pip_settings())
    started = time.monotonic()
    engine = container_engine()
    if os.geteuid() == 0 and shutil.which("debootstrap"):
        code = by_debootstrap(settings, commands, args.keep)
    elif engine:
        code = by_container(engine, settings, commands)
    else:
        print("SKIPPED: a bare system takes root and debootstrap, or a container engine that runs")
        return 0
    print(f"{'ok' if code == 0 else 'FAILED'}: {len(commands)} blocks of README.md, {time.monotonic() - started:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
