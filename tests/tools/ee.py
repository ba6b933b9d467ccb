# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the execution environment with podman, and run baseline and audit in it against the simulator.

The definition is extensions/ee/execution-environment.yml with two things replaced: the collection is this checkout's,
and the base is made of Debian's packages by debootstrap, so that no image has to be pulled. pip in the build is
configured as it is on this machine. Where podman, debootstrap or root is missing, this says so and succeeds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from tools.fresh import ROOT, local_paths, pip_settings

from simulator.testing import Simulator, TenantInfo

DEFINITION = ROOT / "extensions" / "ee" / "execution-environment.yml"
RELEASE = "trixie"
MAILBOXES = 20
PACKAGES = ("ca-certificates", "python3", "python3-pip", "python3-venv")
BASE, IMAGE = "localhost/exo-ee-base:latest", "localhost/exo-ee:latest"
# The builder's own names; its defaults are for Fedora's family.
DEBIAN = {
    "EE_BASE_IMAGE": BASE,
    "PKGMGR": "/usr/bin/apt-get",
    "PKGMGR_PRESERVE_CACHE": "1",
    "PYPKG": "python3",
    "PYCMD": "/usr/bin/python3",
}
# Where crun is not to be had, and where a container gets no network of its own.
RUNTIME = ("--runtime", "runc")
NETWORK = ("--network", "host")
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")


def missing() -> str:
    """Why there is nothing to do here, or ''."""
    lacking = [name for name in ("podman", "runc", "debootstrap") if shutil.which(name) is None]
    if lacking:
        return f"{' and '.join(lacking)} not installed (Debian: apt-get install podman runc debootstrap)"
    return "" if os.geteuid() == 0 else "debootstrap needs root"


def podman(*arguments: str) -> str:
    """What podman printed; ends the program with the end of it where podman failed."""
    done = subprocess.run(["podman", *arguments], check=False, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"podman {arguments[0]} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def given(option: str, values: Sequence[str]) -> list[str]:
    """The option once for each value."""
    return list(itertools.chain.from_iterable((option, value) for value in values))


def make_base(scratch: Path) -> None:
    system = scratch / RELEASE
    include = f"--include={','.join(PACKAGES)}"
    subprocess.run(["debootstrap", "--variant=minbase", include, RELEASE, str(system)], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    archive = scratch / "base.tar"
    subprocess.run(["tar", "-C", str(system), "-cf", str(archive), "."], check=True)
    podman("import", "--quiet", str(archive), BASE)


def make_context(scratch: Path) -> Path:
    """What podman builds from: the definition with the collection of this checkout."""
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(scratch), str(ROOT)], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    (artefact,) = scratch.glob("*.tar.gz")
    definition = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    definition["additional_build_files"] = [{"src": str(artefact), "dest": "files"}]
    collection = {"name": f"/build/files/{artefact.name}", "type": "file"}
    definition["dependencies"]["galaxy"]["collections"] = [collection]
    definition["options"] = {"skip_pip_install": True}  # Debian has pip as a package, and no ensurepip
    path, context = scratch / "execution-environment.yml", scratch / "context"
    path.write_text(yaml.safe_dump(definition), encoding="utf-8")
    subprocess.run(["ansible-builder", "create", "-f", str(path), "-c", str(context)], check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return context


def build(scratch: Path, context: Path) -> None:
    settings = dict(pip_settings())
    lines = [f"{key.removeprefix('PIP_').lower().replace('_', '-')} = {value}" for key, value in settings.items()]
    configuration = scratch / "pip.conf"
    configuration.write_text("\n".join(["[global]", *(line.replace("\\n", "\n  ") for line in lines), ""]))
    volumes = [f"{configuration}:/etc/pip.conf:ro", *(f"{path}:{path}:ro" for path in local_paths(settings))]
    certificates = Path("/etc/ssl/certs")
    volumes += [f"{certificates}:{certificates}:ro"] if certificates.is_dir() else []
    arguments = given("--build-arg", [f"{name}={value}" for name, value in DEBIAN.items()])
    mounts = given("--volume", volumes)
    # Without layers no image of a stage is left behind.
    podman("build", "--quiet", "--layers=false", *RUNTIME, *NETWORK, *LIMITS, *arguments, *mounts, "--tag", IMAGE,
           "--file", str(context / "Containerfile"), str(context))  # fmt: skip


def inventory(tenant: TenantInfo) -> dict[str, Any]:
    """One tenant and its baseline, as the playbooks take them."""
    secret = {name: tenant.values[name] for name in ("tenant", "client_id", "client_secret", "ca_path")}
    variables = {
        **{f"exo_{name}": str(value) for name, value in secret.items()},
        "ansible_connection": "local",
        "tenant_baseline_transport_config": {"clear_categories": False},
        "tenant_baseline_all_mailboxes": {"pop_enabled": False},
        "tenant_baseline_max_changes": "100%",
    }
    return {"tenants": {"hosts": {tenant.label: variables}}}


def play(scratch: Path, tenant: TenantInfo, playbook: str) -> str:
    """Run a playbook of the collection in the image, as root as AWX does; returns what it printed."""
    urls = ("EXO_ENDPOINT", "EXO_AUTHORITY", "EXO_GRAPH_ENDPOINT")
    variables = given("--env", [f"{name}={tenant.environment[name]}" for name in urls])
    extra = json.dumps({"awx_job_id": 1})
    return podman(
        "run", "--rm", *RUNTIME, *NETWORK, *LIMITS, "--user", "0", "--volume", f"{scratch}:{scratch}:ro", *variables,
        IMAGE, "ansible-playbook", "-i", str(scratch / "inventory.json"), "-e", extra,
        f"m365.exchange_online.{playbook}",
    )  # fmt: skip


def recap(output: str, host: str) -> str:
    """Ansible's counters of a host."""
    return next(line for line in output.splitlines() if re.match(rf"{host} +: ok=", line))


def try_it(scratch: Path) -> list[str]:
    """Apply, apply again and audit in the image; returns a line for each."""
    with Simulator.start(state_dir=scratch / "simulator") as simulator:
        tenant = simulator.add_tenant({"label": "contoso", "generate": {"count": MAILBOXES}})
        (scratch / "inventory.json").write_text(json.dumps(inventory(tenant)), encoding="utf-8")
        playbooks = ("baseline", "baseline", "audit")
        lines = [recap(play(scratch, tenant, playbook), tenant.label) for playbook in playbooks]
        off = [box for box in simulator.state(tenant.label)["mailboxes"] if not box["PopEnabled"]]
    if len(off) != MAILBOXES or "changed=0" not in lines[1]:
        raise SystemExit(f"{len(off)} of {MAILBOXES} mailboxes are as the baseline says; {lines}")
    return [f"{playbook}: {line}" for playbook, line in zip(playbooks, lines, strict=True)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the images behind")
    args = parser.parse_args(arguments)
    reason = missing()
    if reason:
        print(f"make ee: skipped, because {reason}")
        return 0
    with tempfile.TemporaryDirectory(prefix="exo-ee-", dir="/var/tmp") as name:
        scratch = Path(name)
        try:
            make_base(scratch)
            build(scratch, make_context(scratch))
            shown = "ansible --version | head -1; pip list 2>/dev/null | grep -i -E 'msal|ansible-runner'"
            versions = podman("run", "--rm", *RUNTIME, *NETWORK, *LIMITS, IMAGE, "sh", "-c", shown)
            print(versions, *try_it(scratch), sep="\n")
        finally:
            if not args.keep:
                subprocess.run(["podman", "rmi", "--force", IMAGE, BASE], check=False, capture_output=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
