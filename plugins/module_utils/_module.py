# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge between Ansible and the tasks: options in, result or failure out. PRIVATE to the collection."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.m365.exchange_online.plugins.module_utils import _auth, _options, _private, _transport
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._mailboxes import Progress, quiet
from ansible_collections.m365.exchange_online.plugins.module_utils._results import bounded_arguments

Result = dict[str, t.Any]

# Option groups that several modules share.
WAIT: Mapping[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}
UNDO: Mapping[str, t.Any] = {"undo_file": {"type": "path"}}
BRAKES: Mapping[str, t.Any] = {"max_changes": {"type": "str"}}
LOOKUP: Mapping[str, t.Any] = {"lookup_failure_action": {"type": "str", "choices": ["fail", "warn"], "default": "fail"}}


class ExoModule(AnsibleModule):  # type: ignore[misc]  # ansible-core ships no types
    """AnsibleModule that takes an empty connection option for one that was not given, before anything is checked."""

    params: dict[str, t.Any]

    def _load_params(self) -> None:
        super()._load_params()
        given = self.params
        self.params = {
            name: value
            for name, value in given.items()
            if name not in _options.CONNECTION_NAMES or (value is not None and value != "")
        }


@dataclass(frozen=True)
class Task:
    """What a task may know of Ansible. ``connect`` makes the client; nothing is sent before its first cmdlet."""

    params: Mapping[str, t.Any]
    check_mode: bool
    warn: Callable[[str], None]
    connect: Callable[[], Client]
    progress: Progress = quiet


def run_module(run: Callable[[Task], Result], argument_spec: Mapping[str, t.Any], **constraints: t.Any) -> None:
    """Run a task as a module. Every ExoError ends here, as the module's failure."""
    module = ExoModule(
        argument_spec={**argument_spec, **_options.argument_spec()}, supports_check_mode=True, **constraints
    )
    if not _transport.HAS_REQUESTS:
        module.fail_json(msg=missing_required_lib("requests"), error_code=InvalidRequest.error_code)
    clients: list[Client] = []

    def connect() -> Client:
        clients.append(_client(module))
        return clients[-1]

    progress_file = os.environ.get(_private.PROGRESS_VARIABLE)
    progress = _private.ProgressFile(progress_file, module.params["tenant"]) if progress_file else quiet
    task = Task(module.params, module.check_mode, module.warn, connect, progress)
    try:
        result = run(task)
    except ExoError as error:
        result = {**error.to_fail_kwargs(), "failed": True}
    except KeyboardInterrupt:
        module.fail_json(msg="The task was interrupted. Run it again: it finishes what is left.")
    retried = [line for client in clients for line in client.retried]
    if retried:
        result["retried"] = retried[:50]
    arguments = bounded_arguments(module.params)
    if arguments is not None:
        result["invocation"] = {"module_args": arguments}
    if not module._diff:  # the only place that says whether a diff is wanted
        result.pop("diff", None)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def _client(module: AnsibleModule) -> Client:
    """The client of this task; raises ExoError where the connection options can't work."""

    def mask(secrets: set[str]) -> None:
        if not secrets <= module.no_log_values:
            module.no_log_values.update(secrets)
            _register(secrets)

    mask({os.environ[n] for o in _options.OPTIONS if o.no_log for n in o.environment if os.environ.get(n)})
    connection = _options.resolve(module.params, os.environ)
    credential = _auth.select(connection.credential)
    for warning in connection.warnings:
        module.warn(warning)
    transport = _transport.Transport(connection.verify, connection.timeout, connection.concurrency)
    directory = _private.directory(os.environ)
    store = _private.TokenFiles(directory) if directory else None
    return Client(
        transport,
        _auth.TokenSource(connection, credential, transport, store, module.warn, mask),
        connection.cloud,
        connection.endpoint,
        read_only=module.check_mode,
        retries=connection.retries,
        concurrency=connection.concurrency,
    )


def _register(secrets: set[str]) -> None:
    """ansible-core 2.22 masks registered secrets wherever they are shown; older versions have no such place."""
    try:
        from ansible.module_utils.secrets import register_secrets
    except ImportError:
        return
    register_secrets(secrets)
