# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an execution environment gets of the collection, as its builder sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
META = ROOT / "meta"


def test_the_builder_finds_every_requirement() -> None:
    pytest.importorskip("ansible_builder")
    command = [sys.executable, "-m", "ansible_builder", "introspect", str(ROOT / ".cache" / "collections")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = yaml.safe_load(done.stdout)
    lines = (META / "ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert [line.partition("  #")[0] for line in found["python"]] == wanted
    assert found["system"] == []


def test_the_definition_takes_the_collection_and_names_none_of_its_requirements() -> None:
    definition = yaml.safe_load((ROOT / "extensions" / "ee" / "execution-environment.yml").read_text(encoding="utf-8"))
    assert definition["version"] == 3
    assert definition["dependencies"]["galaxy"] == {"collections": [{"name": "m365.exchange_online"}]}
    assert "python" not in definition["dependencies"]
