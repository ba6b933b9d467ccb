# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge between Ansible and the tasks: options in, result or failure out. PRIVATE to the collection."""

from __future__ import annotations

import importlib.util
import os
import typing as t
from collections.abc import Callable, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.m365.exchange_online.plugins.module_utils import _options, _run_directory
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import select
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._http import HAS_REQUESTS, Http
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import quiet
from ansible_collections.m365.exchange_online.plugins.module_utils._results import bounded_arguments
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource


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


def run_module(
    run: Callable[[Task], Result], argument_spec: Mapping[str, t.Any], *, graph: bool = False, **constraints: t.Any
) -> None:
    """Run a task as a module. Every ExoError ends here, as the module's failure. graph: it reads Microsoft Graph."""
    module = ExoModule(
        argument_spec={**argument_spec, **_options.argument_spec(graph=graph)}, supports_check_mode=True, **constraints
    )
    missing = [name for name in ("msal", "requests") if importlib.util.find_spec(name) is None]
    if missing or not HAS_REQUESTS:
        module.fail_json(msg=_missing_libraries(missing or ["requests"]), error_code=InvalidRequest.error_code)
    tenant = fit(str(module.params["tenant"]))
    clients: list[Client] = []

    def connect() -> Client:
        clients.append(_client(module, lambda text: module.warn(f"{tenant}: {text}")))
        return clients[-1]

    progress_file = os.environ.get(_run_directory.PROGRESS_VARIABLE)
    task = Task(
        module.params,
        module.check_mode,
        lambda text: module.warn(f"{tenant}: {text}"),
        connect,
        _run_directory.ProgressFile(progress_file, tenant) if progress_file else quiet,
        tenant,
        module._name,
    )
    try:
        result = run(task)
    except ExoError as error:
        result = {**error.to_fail_kwargs(tenant), "failed": True}
    except KeyboardInterrupt:
        module.fail_json(msg=f"{tenant}: The task was interrupted. Run it again: it finishes what is left.")
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


def _missing_libraries(names: list[str]) -> str:
    """What is missing, and one line to install it."""
    have = "Python library is" if len(names) == 1 else "Python libraries are"
    return (
        f"The {have} missing on the host that runs the module: {' and '.join(names)}. Install with:"
        " python -m pip install 'msal>=1.35' requests (in the environment of Ansible, or in the execution environment)."
    )


def _client(module: AnsibleModule, warn: Callable[[str], None]) -> Client:
    """The client of this task; raises ExoError where the connection options can't work."""

    def mask(secrets: set[str]) -> None:
        if not secrets <= module.no_log_values:
            module.no_log_values.update(secrets)
            _register(secrets)

    mask({os.environ[n] for o in _options.OPTIONS if o.no_log for n in o.environment if os.environ.get(n)})
    connection = _options.resolve(module.params, os.environ)
    credential = select(connection.credential)
    for warning in connection.warnings:
        warn(warning)
    http = Http(connection.verify, connection.timeout, connection.concurrency)
    directory = _run_directory.directory(os.environ)
    authority = Authority(
        connection.authority,
        connection.tenant,
        connection.cloud.resource(connection.endpoint),
        http,
        connection.retries,
    )
    return Client(
        http,
        TokenSource(authority, credential, _run_directory.TokenFiles(directory) if directory else None, warn, mask),
        connection.cloud,
        connection.endpoint,
        read_only=module.check_mode,
        retries=connection.retries,
        concurrency=connection.concurrency,
        alive=_run_directory.Lease(os.environ.get(_run_directory.LEASE_VARIABLE, "")),
    )


def _register(secrets: set[str]) -> None:
    """ansible-core 2.22 masks registered secrets wherever they are shown; older versions have no such place."""
    try:
        from ansible.module_utils.secrets import register_secrets
    except ImportError:
        return
    register_secrets(secrets)
