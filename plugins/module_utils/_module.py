# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge between Ansible and the tasks: options in, result or failure out. PRIVATE to the collection."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import typing as t
from collections.abc import Callable, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.m365.exchange_online.plugins.module_utils import _options, _run_directory
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import Credential, select
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError, InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._http import HAS_REQUESTS, Http
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import quiet
from ansible_collections.m365.exchange_online.plugins.module_utils._results import bounded_arguments
from ansible_collections.m365.exchange_online.plugins.module_utils._run_variables import (
    LEASE_VARIABLE,
    PROGRESS_VARIABLE,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource

if t.TYPE_CHECKING:  # few tasks need these, so the others do not wait for them
    from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph
    from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import UndoParts


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
    _require_libraries(module)
    tenant = fit(str(module.params["tenant"]))

    def warn(text: str) -> None:
        module.warn(f"{tenant}: {text}")

    connector = _Connector(module, warn)
    progress_file = os.environ.get(PROGRESS_VARIABLE)
    directory = _run_directory.directory(os.environ)
    task = Task(
        module.params,
        module.check_mode,
        warn,
        connector.client,
        _run_directory.ProgressFile(progress_file, tenant) if progress_file else quiet,
        tenant,
        module._name,
        connector.graph,
        _undo_parts(module.params, directory),
    )
    failed = False
    try:
        result = run(task)
    except ExoError as error:
        result, failed = error.to_fail_kwargs(tenant), True
    except KeyboardInterrupt:
        module.fail_json(msg=f"{tenant}: The task was interrupted. Run it again: it finishes what is left.")
    result = _completed(module, connector, result)
    if failed:
        module.fail_json(**result)
    module.exit_json(**result)


def _undo_parts(params: Mapping[str, t.Any], directory: str | None) -> UndoParts | None:
    """Where a way back waits that is too long for one result."""
    if not (params.get("undo_in_result") and directory):
        return None
    from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import UndoParts

    return UndoParts(directory)


def _completed(module: ExoModule, connector: _Connector, result: Result) -> Result:
    """The result with what the run itself adds to it, and without what was not asked for."""
    completed = dict(result)
    if connector.retried:
        completed["retried"] = connector.retried[:50]
    arguments = bounded_arguments(module.params)
    if arguments is not None:
        completed["invocation"] = {"module_args": arguments}
    if not module._diff:  # the only place that says whether a diff is wanted
        completed.pop("diff", None)
    return completed


def _require_libraries(module: ExoModule) -> None:
    """Fail where a library that the collection needs can't be imported."""
    missing = [name for name in ("msal", "requests") if importlib.util.find_spec(name) is None]
    if missing or not HAS_REQUESTS:
        module.fail_json(msg=missing_libraries(missing or ["requests"]), error_code=InvalidRequest.error_code)


def missing_libraries(names: list[str]) -> str:
    """What is missing, and one line to install it."""
    have = "Python library is" if len(names) == 1 else "Python libraries are"
    return (
        f"The {have} missing on the host that runs the module: {' and '.join(names)}. Install with:"
        " python -m pip install 'msal>=1.35' requests (in the environment of Ansible, or in the execution environment)."
    )


class _Connector:
    """Makes what talks to the service, from the task's connection options; nothing is sent before it is used.

    retried: what was tried again by what it made. Every method raises ExoError where the options can't work.
    """

    def __init__(self, module: AnsibleModule, warn: Callable[[str], None]) -> None:
        self._module = module
        self._warn = warn
        self._made: list[Client | Graph] = []

    @property
    def retried(self) -> list[str]:
        return list(itertools.chain.from_iterable(one.retried for one in self._made))

    def client(self) -> Client:
        connection, http = self._connection, self._http
        client = Client(
            http,
            self._tokens(connection.cloud.resource(connection.endpoint)),
            connection.cloud,
            connection.endpoint,
            read_only=self._module.check_mode,
            retries=connection.retries,
            concurrency=connection.concurrency,
            alive=_run_directory.Lease(os.environ.get(LEASE_VARIABLE, "")),
        )
        self._made.append(client)
        return client

    def graph(self) -> Graph | None:
        """The reader of Microsoft Graph, or None where only an access token is given, which is for Exchange Online."""
        connection = self._connection
        if connection.credential.method == "access_token":
            return None
        from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph

        tokens = self._tokens(connection.cloud.graph_resource(connection.graph_endpoint))
        graph = Graph(self._http, tokens, connection.graph_endpoint, retries=connection.retries)
        self._made.append(graph)
        return graph

    @functools.cached_property
    def _connection(self) -> _options.Connection:
        self._mask(_options.secrets({}, os.environ))
        connection = _options.resolve(self._module.params, os.environ)
        for warning in connection.warnings:
            self._warn(warning)
        return connection

    @functools.cached_property
    def _http(self) -> Http:
        return Http(self._connection.verify, self._connection.timeout, self._connection.concurrency)

    @functools.cached_property
    def _credential(self) -> Credential:
        return select(self._connection.credential)

    def _tokens(self, resource: str) -> TokenSource:
        connection = self._connection
        authority = Authority(connection.authority, connection.tenant, resource, self._http, connection.retries)
        directory = _run_directory.directory(os.environ)
        store = _run_directory.TokenFiles(directory) if directory else None
        return TokenSource(authority, self._credential, store, self._warn, self._mask)

    def _mask(self, secrets: set[str]) -> None:
        if not secrets <= self._module.no_log_values:
            self._module.no_log_values.update(secrets)
            register_secrets(secrets)


def register_secrets(secrets: set[str]) -> None:
    """ansible-core 2.22 masks registered secrets wherever they are shown; older versions have no such place."""
    try:
        from ansible.module_utils.secrets import register_secrets as register
    except ImportError:
        return
    register(secrets)
