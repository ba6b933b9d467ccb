# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/pictures/*.svg: what real runs against the simulator look like in a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.terminal import svg

from simulator.testing import Simulator

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
PLAYBOOKS = ROOT / "playbooks"
BASELINE = "m365.exchange_online.baseline"
# Each run says that its tokens go to this machine and not to Microsoft, which is right here and on no reader's screen.
SIMULATED = re.compile(
    r"(\x1b\[[0-9;]*m)?\[WARNING\] \S+: The tokens of this task go to https://localhost[^.]*\.(\x1b\[0m)?\n"
)

# How far a task is, every few seconds: it depends on how busy the machine is.
PROGRESS = re.compile(r"(\x1b\[[0-9;]*m)?\S+: [a-z ]+, [\d,]+( of [\d,]+)?(\x1b\[0m)?\n")
URLS = ("EXO_ENDPOINT", "EXO_AUTHORITY", "EXO_GRAPH_ENDPOINT", "EXO_CA_PATH")


@dataclass(frozen=True)
class Scene:
    """A run, and how it should end. variables: of the environment, beside those that lead to the simulator."""

    name: str
    arguments: tuple[str, ...]
    code: int = 0
    variables: Mapping[str, str] | None = None


# Each finds the tenants as the one before it left them, so what writes stands last.
SCENES = (
    Scene("audit", ("m365.exchange_online.audit",)),
    Scene("preview", (BASELINE, "--check", "--diff")),
    Scene("failure", (BASELINE, "--check"), code=2, variables={"EXO_DEMO_FABRIKAM_CLIENT_SECRET": "an-old-secret"}),
    Scene("apply", (BASELINE,)),
)


def environment(simulator: Simulator, directory: Path) -> dict[str, str]:
    contoso, fabrikam = (simulator.tenant(label) for label in ("contoso", "fabrikam"))
    urls = {name: contoso.environment[name] for name in URLS}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EXO_", "AZURE_", "ANSIBLE_"))}
    return {
        **kept,
        **urls,
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "m365.exchange_online.fleet",
        "ANSIBLE_FORCE_COLOR": "1",
        "EXO_DEMO_DIRECTORY": str(directory),
        "EXO_DEMO_CONTOSO_CLIENT_ID": contoso.client_id,
        "EXO_DEMO_CONTOSO_CERTIFICATE_PATH": str(contoso.values["certificate_path"]),
        "EXO_DEMO_FABRIKAM_CLIENT_ID": fabrikam.client_id,
        "EXO_DEMO_FABRIKAM_CLIENT_SECRET": fabrikam.client_secret,
    }


def screen(scene: Scene, variables: Mapping[str, str], directory: Path) -> str:
    """What the run prints below its command line."""
    command = [str(Path(sys.executable).with_name("ansible-playbook"))]
    for inventory in ("demo.yml", "demo_decided.yml"):
        command += ["-i", str(PLAYBOOKS / "inventory" / inventory)]
    done = subprocess.run(
        [*command, *scene.arguments], check=False, env={**variables, **(scene.variables or {})}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode != scene.code:
        raise SystemExit(f"{scene.name} ended with {done.returncode}:\n{done.stdout}")
    shown = PROGRESS.sub("", SIMULATED.sub("", done.stdout)).replace(str(directory), "/var/lib/exo")
    return f"\x1b[90m$\x1b[0m ansible-playbook {' '.join(scene.arguments)}\n{shown}"


def main() -> int:
    tenants = PLAYBOOKS / "files" / "demo_tenants.yml"
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        directory = Path(name)
        with Simulator.start(tenants=tenants, state_dir=directory / "simulator") as simulator:
            variables = environment(simulator, directory)
            for scene in SCENES:
                text = screen(scene, variables, directory)
                title = f"ansible-playbook {' '.join(scene.arguments)}"
                (PICTURES / f"{scene.name}.svg").write_text(svg(text, title), encoding="utf-8")
                print(f"docs/pictures/{scene.name}.svg: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
