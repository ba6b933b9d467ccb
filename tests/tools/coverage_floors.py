# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the unit tests of the engine and fail where a file has fewer of its lines and branches covered than it must."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / ".cache" / "coverage.json"
CODE = "plugins/module_utils"
# Percent of lines and branches, by file. The planner and what proves who asks are covered whole.
FLOORS = {
    **dict.fromkeys(
        ("_plan", "_change", "_effect", "_properties", "_credentials", "_authority", "_tokens", "_retry"), 100.0
    ),
    **dict.fromkeys(
        (
            "_apply",
            "_converge",
            "_outcomes",
            "_write",
            "_reader",
            "_restore",
            "_undo",
            "_smtp_auth",
            "_cas_mailbox",
            "_single_object",
            "_transport_config",
            "_organization_config",
            "_selection",
            "_reach",
        ),
        95.0,
    ),
}


def measured() -> dict[str, float]:
    """Percent covered, by file; raises CalledProcessError where a test fails."""
    command = [sys.executable, "-m", "pytest", "tests/unit/plugins/module_utils", "-q", f"--cov={CODE}"]
    subprocess.run(
        [*command, "--cov-branch", "--cov-report=", f"--cov-report=json:{REPORT}", *sys.argv[1:]], cwd=ROOT, check=True
    )
    files = json.loads(REPORT.read_text(encoding="utf-8"))["files"]
    return {Path(path).stem: float(facts["summary"]["percent_covered"]) for path, facts in files.items()}


def main() -> int:
    try:
        covered = measured()
    except subprocess.CalledProcessError as error:
        return error.returncode
    low = {name: floor for name, floor in FLOORS.items() if covered.get(name, 0.0) < floor}
    for name, floor in low.items():
        print(f"{CODE}/{name}.py: {covered.get(name, 0.0):.1f} % covered, {floor:.0f} % are needed")
    print(f"{len(FLOORS)} files, {len(low)} below what they need")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
