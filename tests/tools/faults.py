# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/faults.md: run the tests of faults, record what they see, and render the page.

Arguments are pytest's. Where they choose some tests (``-k test_policies``), the rows of the others stay as they are.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "integration"), str(TESTS.parent / "playbooks" / "files")]
# The tests are no package.
faults = importlib.import_module("faults")


def main() -> int:
    arguments = sys.argv[1:] or ["-n", os.environ.get("WORKERS", "2")]
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pytest", "-q", str(TESTS / "integration"), *arguments]
        variables = {**os.environ, faults.RECORD: directory}
        ended = subprocess.run(command, check=False, cwd=TESTS.parent, env=variables).returncode
        said = dict(faults.read_page())
        for path in Path(directory).glob("*.jsonl"):
            for line in path.read_text(encoding="utf-8").splitlines():
                name, message, advice = json.loads(line)
                said[name] = faults.Seen(message, advice)
    faults.PAGE.write_text(faults.render(said), encoding="utf-8")
    names = itertools.chain.from_iterable(faults.FAULTS.values())
    missing = [name for name in names if name not in said]
    for name in missing:
        print(f"no test has shown {name!r}")
    return 1 if ended or missing else 0


if __name__ == "__main__":
    sys.exit(main())
