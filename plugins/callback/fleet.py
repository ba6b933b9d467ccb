# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
type: stdout
short_description: A fleet of tenants on one screen
version_added: 1.0.0
author:
  - the m365.exchange_online contributors (@m365-ansible)
description:
  - Shows what changes, who loses or gains SMTP AUTH, warnings and failures, each beginning with the tenant, and a table
    of all tenants at the end.
  - Tasks that change nothing are not shown. A failure is shown in full where it happens; the end of the role
    C(m365.exchange_online.tenant_baseline) then names the parts of the tenant that failed and that were not tried.
  - With C(--diff), each setting that differs is one line.
  - Text from the service is shown without control characters.
requirements:
  - It is used where it is named, in the environment variable E(ANSIBLE_STDOUT_CALLBACK) or as C(stdout_callback) in
    the section C([defaults]) of C(ansible.cfg).
"""

EXAMPLES = r"""
# In ansible.cfg:
#
# [defaults]
# stdout_callback = m365.exchange_online.fleet
"""

import typing as t

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.m365.exchange_online.plugins.plugin_utils import _fleet

COLLECTION = "m365.exchange_online."
# The end of the role, which fails where a part has failed, and the task after it, which keeps it so.
FINISH = COLLECTION + "tenant_baseline_finish"
FAIL = ("ansible.builtin.fail", "fail")
DEBUG = ("ansible.builtin.debug", "debug")
# Modules that change nothing: what they find is no outcome of a tenant.
READS = ("_info", "_probe")


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    """Collects what happened by host; how it is put into words is in plugin_utils."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "m365.exchange_online.fleet"

    def __init__(self) -> None:
        super().__init__()
        self._tallies: dict[str, _fleet.Tally] = {}
        self._warned: set[tuple[str, str]] = set()
        # What was said of failures, by host: a part's failure is often a whole tenant's, and an audit repeats it.
        self._failures: dict[str, set[str]] = {}
        # The role whose end has said how a tenant that failed stands, by host.
        self._ended: dict[str, t.Any] = {}
        # What a task said it changed, by host: a playbook made for other callbacks says it once more.
        self._said: set[tuple[str, str]] = set()
        self._several = False
        self._head = ""
        # What the command line asks for; a play may do more, as an audit does, and show what it finds itself.
        self._check = bool(context.CLIARGS.get("check"))
        self._diff = bool(context.CLIARGS.get("diff"))

    # --- what Ansible tells ---

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        hosts = play.get_variable_manager()._inventory.get_hosts(play.hosts, order=play.order)
        self._several = len(hosts) > 1
        name = _fleet.clean(play.get_name()).strip()
        mode = " (check mode: nothing is written)" if self._check else ""
        several = f", {len(hosts)} tenants" if self._several else ""
        self._head = f"{name}{several}{mode}"

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._finished(result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._finished(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if "results" not in result._result:
            self._failed(result, "failed, and that is ignored" if ignore_errors else "FAILED")

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._failed(result, "FAILED")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._failed(result, "UNREACHABLE")

    def v2_on_file_diff(self, result: t.Any) -> None:
        if "results" not in result._result and self._diff:
            self._show(result, _fleet.diff_lines(result._result.get("diff") or []), C.COLOR_DIFF_LINES)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._say("No host matches the play's hosts.", C.COLOR_SKIP)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._say("No tenant is left to go on with.", C.COLOR_ERROR)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        rows = []
        for host in sorted(stats.processed):
            tally = self._tally(host)
            summary = stats.summarize(host)
            if tally.counted or summary["failures"] or summary["unreachable"]:
                rows.append(_fleet.row(_fleet.clean(host), tally, summary, self._check))
        self._head = ""
        if not rows:
            return
        for line in _fleet.table(rows):
            self._say(line)

    # --- what becomes of it ---

    def _finished(self, result: t.Any) -> None:
        content = result._result
        if "results" in content:
            return
        self._warn(result)
        if result._task.action in DEBUG:
            host = result._host.get_name()
            self._show(result, [line for line in _fleet.debug_lines(content) if (host, line) not in self._said])
        elif result._task.action.startswith(COLLECTION):
            self._count(result)

    def _count(self, result: t.Any) -> None:
        content, host = result._result, result._host.get_name()
        # A play that only compares runs its tasks in check mode, and has a table of its own.
        only_compares = bool(result._task.check_mode) and not self._check
        if not only_compares and not result._task.action.endswith(READS):
            self._tally(host).add(content)
        # What a diff begins with is the same line without the way back.
        shown = self._diff and content.get("diff") and not content.get("undo_file")
        line = _fleet.task_line(content, self._check)
        self._said.add((host, line))
        if content.get("changed") and not shown:
            self._show(result, [line], C.COLOR_CHANGED)

    def _failed(self, result: t.Any, word: str) -> None:
        self._warn(result)
        host, task = result._host.get_name(), result._task
        if task.action == FINISH:
            self._ended[host] = task._role
            self._say_failure(f"{_fleet.clean(host)}: {word}", _fleet.parts_lines(result._result, host))
        elif not (task.action in FAIL and task._role and task._role == self._ended.get(host)):
            known = self._failures.setdefault(host, set())
            name = _fleet.clean(task.name or task.get_name())
            self._say_failure(f"{_fleet.clean(host)}: {word} in the task {name!r}", _fleet.news(result._result, known))
            # What has a code came from a module of the collection; only that says the same for the same reason.
            if "error_code" in result._result:
                known.update(_fleet.reasons(result._result))

    def _say_failure(self, head: str, lines: list[str]) -> None:
        for line in (head, *(f"  {line}" for line in lines)):
            self._say(line, C.COLOR_ERROR)

    def _warn(self, result: t.Any) -> None:
        content, host = dict(result._result), result._host.get_name()
        for text in map(str, content.pop("warnings", None) or ()):
            if (host, text) in self._warned:
                continue
            self._warned.add((host, text))
            first, *others = _fleet.wrapped(self._named(host, text))
            for line in (f"[WARNING] {first}", *(f"  {line}" for line in others)):
                self._say(line, C.COLOR_WARN)
        # Deprecations, which Ansible words itself.
        self._handle_warnings(content)

    def _show(self, result: t.Any, lines: list[str], color: str | None = None) -> None:
        if not lines:
            return
        host = result._host.get_name()
        if self._several and not result._task.run_once:
            lines = [self._named(host, lines[0]), *(f"  {line}" for line in lines[1:])]
        for line in lines:
            self._say(line, color)

    @staticmethod
    def _named(host: str, text: str) -> str:
        return text if text.startswith(host) else f"{_fleet.clean(host)}: {text}"

    def _tally(self, host: str) -> _fleet.Tally:
        return self._tallies.setdefault(host, _fleet.Tally())

    def _say(self, text: str, color: str | None = None) -> None:
        # A play that has nothing to say has no head either.
        if self._head:
            self._display.display(self._head, color=C.COLOR_HIGHLIGHT)
            self._head = ""
        self._display.display(text, color=color)
