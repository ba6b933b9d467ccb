# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks and scripts, with a clean environment, and takes what they used."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .lab import Lab
from .memory import Watch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLAYBOOKS = HERE / "playbooks"
_RUN = itertools.count(1)
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes

# What stands in for the interpreter of the modules: notes each process's use, or just that it ran (which costs nothing
# to speak of), or nothing.
MEASURE = '#!/bin/sh\nexec "{python}" -I -S "{interpreter}" "{python}" "$@"\n'
COUNT = '#!/bin/sh\nprintf "%s\\t0\\t0\\t0\\t0\\n" "${{1##*/}}" >> "$BENCHMARK_USAGE"\nexec "{python}" "$@"\n'


@dataclass(frozen=True)
class TaskTime:
    host: str
    task: str
    status: str
    changed: bool
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.started


@dataclass(frozen=True)
class Use:
    """What one module's (or script's) process used."""

    name: str
    memory_mb: float
    user: float
    system: float
    seconds: float

    @property
    def processor(self) -> float:
        return self.user + self.system


@dataclass(frozen=True)
class Spent:
    """What a run used. processor: seconds of the whole tree of processes. largest_mb: the peak of the largest of them.

    tree_mb: the most that all had together, 0 where nobody looked.
    """

    processor: float
    largest_mb: float
    tree_mb: float = 0.0


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook."""

    tasks: Sequence[TaskTime]
    uses: Sequence[Use]
    spent: Spent

    @property
    def processor(self) -> float:
        return self.spent.processor

    def named(self, task: str) -> list[TaskTime]:
        return [one for one in self.tasks if one.task == task]

    @property
    def changed(self) -> int:
        return sum(task.changed for task in self.tasks)


def playbook(
    lab: Lab,
    path: Path,
    *,
    variables: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    inventory: Mapping[str, Any] | None = None,
    interpreter: str | None = None,
    options: Sequence[str] = (),
    watch: bool = False,
) -> Run:
    """Run a playbook; raises RuntimeError if it fails. watch: look at the memory of all its processes meanwhile."""
    work = lab.scratch / f"run{next(_RUN)}"
    work.mkdir()
    files = {"hosts.json": inventory or {"all": {"hosts": {"localhost": {}}}}, "variables.json": variables or {}}
    files["variables.json"] = {
        **files["variables.json"],
        "ansible_connection": "local",
        "ansible_python_interpreter": _interpreter(work, interpreter),
    }
    for file, content in files.items():
        (work / file).write_text(json.dumps(content), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(work / "hosts.json")]
    command += ["-e", f"@{work / 'variables.json'}", *options, str(path)]
    spent = _run(command, {**_ansible(work), **(environment or {})}, work / "output", watch=watch)
    return Run(_tasks(work / "tasks"), uses(work / "usage"), spent)


def script(lab: Lab, name: str, given: Mapping[str, Any]) -> tuple[dict[str, float], Use]:
    """Run a script of ``peers`` and return what it says and what it used."""
    work = lab.scratch / f"run{next(_RUN)}"
    work.mkdir()
    (work / "given.json").write_text(json.dumps(given), encoding="utf-8")
    command = [
        sys.executable,
        "-I",
        "-S",
        str(HERE / "interpreter.py"),
        sys.executable,
        "-m",
        f"benchmark.peers.{name}",
    ]
    command.append(str(work / "given.json"))
    environment = {**_clean(work), "PYTHONPATH": str(HERE.parent), "BENCHMARK_USAGE": str(work / "usage")}
    _run(command, environment, work / "output")
    return json.loads((work / "output").read_text(encoding="utf-8")), uses(work / "usage")[0]


def uses(path: Path) -> list[Use]:
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name, memory, *seconds = line.split("\t")
        found.append(Use(name, int(memory) * _MEMORY_UNIT / 1e6, *map(float, seconds)))
    return found


def _interpreter(work: Path, text: str | None) -> str:
    if text is None:
        return sys.executable
    path = work / "python"
    path.write_text(text.format(python=sys.executable, interpreter=HERE / "interpreter.py"), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def _clean(work: Path) -> dict[str, str]:
    """No credentials, proxies, certificates or Ansible settings of the caller."""
    kept = {name: os.environ[name] for name in ("PATH", "LC_ALL") if name in os.environ}
    (work / "tmp").mkdir()
    return {"LANG": "C.UTF-8", **kept, "HOME": str(work), "TMPDIR": str(work / "tmp")}


def _ansible(work: Path) -> dict[str, str]:
    (work / "ansible.cfg").touch()
    return {
        **_clean(work),
        "ANSIBLE_CONFIG": str(work / "ansible.cfg"),
        "ANSIBLE_HOME": str(work / ".ansible"),
        "ANSIBLE_REMOTE_TEMP": str(work / "tmp"),
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".cache" / "collections")),
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "BENCHMARK_TASKS": str(work / "tasks"),
        "BENCHMARK_USAGE": str(work / "usage"),
    }


def _run(command: Sequence[str], environment: Mapping[str, str], output: Path, *, watch: bool = False) -> Spent:
    """Run to the end; returns what the process and all that it waited for used."""
    with open(output, "wb") as file, open(output.with_suffix(".errors"), "wb") as errors:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=errors)
        watching = Watch(process.pid)
        with watching if watch else nullcontext():
            _dummy, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        texts = [path.read_text(errors="replace")[-3000:] for path in (output, output.with_suffix(".errors"))]
        raise RuntimeError("\n".join([f"{Path(command[-1]).name} ended with {process.returncode}", *texts]))
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MEMORY_UNIT / 1e6, watching.peak_mb)


def _tasks(path: Path) -> list[TaskTime]:
    return [TaskTime(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
