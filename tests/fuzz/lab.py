# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the engine's tasks in this process against one simulated tenant that is new in every case."""

from __future__ import annotations

import datetime
import threading
import time
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.m365.exchange_online.plugins.module_utils import (
    _apply,
    _authentication_policy,
    _cas_mailbox,
    _http,
    _options,
    _organization_config,
    _restore,
    _retry,
    _smtp,
    _smtp_auth,
    _transport_config,
    _user,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._authority import Authority
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._credentials import select
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._retry import Pacer
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._tokens import TokenSource
from simulator.testing import Simulator

LABEL = "fuzz"
DOMAIN = f"{LABEL}.onmicrosoft.com"
PASSWORD = "a password"  # of the mailboxes that are asked about by the protocol
POLICIES = {"owa": ["Frontline"], "active_sync": ["Strict"]}
ERROR_CODES = frozenset(
    {
        "authentication_failed",
        "access_denied",
        "wrong_tenant",
        "not_found",
        "ambiguous",
        "invalid_request",
        "refused",
        "throttled",
        "service_unavailable",
        "incomplete_read",
        "partial_failure",
        "not_confirmed",
        "unexpected_response",
        "expired",
        "interrupted",
    }
)
MOST_SLEEP = 86_400  # virtual seconds that one task may wait in all

State = dict[str, Any]


class Clock:
    """Time that passes only when it is waited for, and then at once. ``real``: seconds that each wait really takes."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.real = 0.0

    def now(self) -> float:
        return self.ahead

    def utc(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.ahead)

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds
        if self.real:
            time.sleep(min(seconds, self.real))


class _Condition(threading.Condition):
    """The pacer's: a wait with an end is over at once."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        self._clock.sleep(timeout)
        return True


def _pacer(limit: int, clock: Clock) -> Pacer:
    pacer = Pacer(limit, clock.now)
    pacer._changed = _Condition(clock)
    return pacer


@dataclass(frozen=True)
class Module:
    """One writing module: its argument spec and the task behind it."""

    name: str
    spec: Mapping[str, Any] = field(repr=False)
    task: Callable[[Task], Mapping[str, Any]] = field(repr=False)
    validator: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "validator", ArgumentSpecValidator(dict(self.spec)))

    def __repr__(self) -> str:
        return self.name


SMTP_AUTH = Module("smtp_auth", _smtp_auth.ARGUMENT_SPEC, _smtp_auth.converge)
CAS_MAILBOX = Module("cas_mailbox", _cas_mailbox.ARGUMENT_SPEC, _cas_mailbox.converge)
TRANSPORT = Module("transport_config", _transport_config.ARGUMENT_SPEC, _transport_config.converge)
ORGANIZATION_CONFIG = Module("organization_config", _organization_config.ARGUMENT_SPEC, _organization_config.converge)
AUTHENTICATION_POLICY = Module(
    "authentication_policy", _authentication_policy.ARGUMENT_SPEC, _authentication_policy.converge
)
USER = Module("user", _user.ARGUMENT_SPEC, _user.converge)
RESTORE = Module("restore", _restore.ARGUMENT_SPEC, _restore.restore)
CAS_MAILBOX_INFO = Module("cas_mailbox_info", _cas_mailbox.INFO_ARGUMENT_SPEC, _cas_mailbox.info)
TRANSPORT_INFO = Module("transport_config_info", {}, _transport_config.info)


@dataclass(frozen=True)
class Run:
    """What a task came to. ``result`` is there for failures, too, where the failure carries one."""

    result: Mapping[str, Any]
    error: ExoError | None
    warnings: Sequence[str]
    writes: Sequence[Mapping[str, Any]]
    requests: int

    @property
    def code(self) -> str | None:
        return self.error.error_code if self.error else None

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed", False))


class _Alive:
    """Whether the run that started a task still lives: for so many questions, or for ever."""

    def __init__(self, left: int | None) -> None:
        self._left = left

    def __call__(self) -> bool:
        if self._left is not None:
            self._left -= 1
        return self._left is None or self._left >= 0


def _task(params: Mapping[str, Any], check: bool, warnings: list[str], client: Client, module: Module) -> Task:
    return Task(params, check, warnings.append, lambda: client, tenant=DOMAIN, module=module.name)


class SpecError(Exception):
    """The argument spec refuses the options, so the task would not start."""


class Lab:
    def __init__(self, simulator: Simulator, scratch: Path, patch: pytest.MonkeyPatch) -> None:
        self.simulator = simulator
        self.scratch = scratch
        self.clock = Clock()
        self.cases = self.tasks = 0
        waiting = partial(_apply.Waiting, sleep=self.clock.sleep, clock=self.clock.now, now=self.clock.utc)
        patch.setattr(_apply, "Waiting", waiting)
        patch.setattr(_retry, "time", types.SimpleNamespace(sleep=self.clock.sleep))
        tenant = simulator.add_tenant({"label": LABEL})
        given = {name: tenant.values[name] for name in ("endpoint", "authority", "ca_path", "client_id")}
        given |= {"tenant": tenant.tenant_id, "client_secret": tenant.client_secret, "timeout": 20}
        outcome = ArgumentSpecValidator(_options.argument_spec()).validate(given)
        self.connection = _options.resolve(outcome.validated_parameters, {})
        self.submission = _smtp.Server(
            tenant.values["smtp_host"], tenant.values["smtp_port"], tenant.values["ca_path"], 20
        )
        self.http = _http.Http(self.connection.verify, self.connection.timeout, 4)
        self.tokens = self.new_tokens()

    def new_tokens(self, connection: _options.Connection | None = None, http: Any = None) -> TokenSource:
        connection = connection or self.connection
        resource = connection.cloud.resource(connection.endpoint)
        authority = Authority(connection.authority, connection.tenant, resource, http or self.http, connection.retries)
        return TokenSource(authority, select(connection.credential))

    def tenant(self, description: Mapping[str, Any]) -> State:
        """A new tenant in place of the last one; returns its state."""
        self.cases += 1
        self.clock.real = 0.0
        self.simulator.add_tenant({"label": LABEL, "policies": POLICIES, **description})
        return self.state()

    def state(self) -> State:
        return self.simulator.state(LABEL)

    def history(self) -> list[Mapping[str, Any]]:
        return list(self.simulator.history(LABEL))

    def may_send(self, address: str) -> bool:
        """What the protocol itself says of a mailbox that has this password."""
        return _smtp.sign_in(self.submission, _smtp.Proof(address, PASSWORD)).accepted

    def undo_path(self) -> str:
        return str(self.scratch / f"undo-{self.tasks}.json")

    def run(
        self,
        module: Module,
        options: Mapping[str, Any],
        *,
        check: bool = False,
        concurrency: int = 4,
        http: Any = None,
        tokens: TokenSource | None = None,
        lives: int | None = None,
    ) -> Run:
        """Run a task as its module would; raises SpecError, and whatever else than ExoError leaves the engine."""
        outcome = module.validator.validate(dict(options))
        if outcome.error_messages:
            raise SpecError("; ".join(outcome.error_messages))
        self.tasks += 1
        client = Client(
            http or self.http,
            tokens or self.tokens,
            self.connection.cloud,
            self.connection.endpoint,
            read_only=check,
            retries=2,
            concurrency=concurrency,
            sleep=self.clock.sleep,
            alive=_Alive(lives),
        )
        client._pacer = _pacer(concurrency, self.clock)
        warnings: list[str] = []
        before = len(self.simulator.log(LABEL))
        began = self.clock.ahead
        error = None
        try:
            result = module.task(
                Task(
                    outcome.validated_parameters,
                    check,
                    warnings.append,
                    lambda: client,
                    tenant=DOMAIN,
                    module=module.name,
                )
            )
        except ExoError as failure:
            error = failure
            result = failure.result
        log = self.simulator.log(LABEL)[before:]
        assert self.clock.ahead - began < MOST_SLEEP, "the task waits for more than a day"
        writes = [entry for entry in log if not entry["cmdlet"].lower().startswith("get-")]
        assert not (check and writes), "a write was sent in check mode"
        return Run(result, error, warnings, writes, len(log))
