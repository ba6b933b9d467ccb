# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For tests: start a simulator, describe tenants, ask for faults, see what happened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from .variables import environment


@dataclass(frozen=True)
class TenantInfo:
    """How to reach one tenant; ``values`` has all that the simulator told."""

    label: str
    tenant: str
    tenant_id: str
    client_id: str
    values: Mapping[str, Any]

    @property
    def client_secret(self) -> str:
        return str(self.values["client_secret"])

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.values)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> TenantInfo:
        return cls(values["label"], values["tenant"], values["tenant_id"], values["client_id"], values)


class Simulator:
    """One simulator process; a context manager."""

    def __init__(
        self, process: subprocess.Popen[str], endpoint: str, state_dir: Path, *, temporary: bool = False
    ) -> None:
        self.process = process
        self.endpoint = endpoint
        self.state_dir = state_dir
        self._temporary = temporary
        self.session = requests.Session()
        # Whatever proxy the machine has, the simulator is on the loopback.
        self.session.trust_env = False
        self.session.verify = str(self.ca_path)

    @staticmethod
    def home() -> Path:
        """Where the simulator is installed."""
        return Path(__file__).resolve().parent

    @property
    def ca_path(self) -> Path:
        return self.state_dir / "ca.pem"

    @classmethod
    def start(
        cls,
        *,
        tenants: Path | None = None,
        generate: str | None = None,
        state_dir: Path | None = None,
        latency: str | None = None,
        options: Sequence[str] = (),
    ) -> Simulator:
        temporary = state_dir is None
        state_dir = state_dir or Path(tempfile.mkdtemp(prefix="exchange-simulator-"))
        command = [sys.executable, str(cls.home()), "--quiet", "--state-dir", str(state_dir)]
        given = {"--tenants": tenants, "--generate": generate, "--latency": latency}
        for name, value in given.items():
            command += [name, str(value)] if value is not None else []
        # A test run that is killed leaves no simulator behind.
        variables = {**os.environ, "SIMULATOR_STOPS_WITH_PARENT": "1"}
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=variables)
        assert process.stdout is not None
        for line in process.stdout:
            word, _dummy, endpoint = line.strip().partition(" ")
            if word == "ready":
                return cls(process, endpoint, state_dir.resolve(), temporary=temporary)
        raise RuntimeError(f"the simulator did not start (exit code {process.wait()})")

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self.session.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        if self._temporary:
            shutil.rmtree(self.state_dir, ignore_errors=True)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.endpoint}/_simulator/{path}", json=body, timeout=60)
        if answer.status_code != 200:
            raise ValueError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def add_tenant(self, description: Mapping[str, Any]) -> TenantInfo:
        return TenantInfo.of(self.control("POST", "tenants", dict(description)))

    def tenant(self, label: str) -> TenantInfo:
        return TenantInfo.of(self.control("GET", "tenants")[label])

    def patch_tenant(self, label: str, **changes: Any) -> None:
        self.control("PATCH", f"tenants/{label}", changes)

    def remove_tenant(self, label: str) -> None:
        self.control("DELETE", f"tenants/{label}")

    def fault(
        self,
        kind: str,
        *,
        tenant: str | None = None,
        match: Mapping[str, Any] | None = None,
        after: int = 0,
        times: int | None = 1,
        **details: Any,
    ) -> dict[str, Any]:
        """Ask for a fault; ``details`` are the kind's own (``retry_after="0.2"``, ``property="Guid"`` ...)."""
        fault = {"kind": kind, **details}
        body = {"tenant": tenant, "match": dict(match or {}), "after": after, "times": times, "fault": fault}
        return dict(self.control("POST", "faults", body))

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")

    def faults(self) -> list[dict[str, Any]]:
        return list(self.control("GET", "faults"))

    def log(self, tenant: str | None = None) -> list[dict[str, Any]]:
        return list(self.control("GET", "log" + (f"?tenant={tenant}" if tenant else "")))

    def writes(self, tenant: str) -> list[dict[str, Any]]:
        """The cmdlets of the log that are not reads."""
        return [entry for entry in self.log(tenant) if not entry["cmdlet"].lower().startswith("get-")]

    def requests(self, tenant: str | None = None) -> list[dict[str, Any]]:
        return list(self.control("GET", "requests" + (f"?tenant={tenant}" if tenant else "")))

    def sign_ins(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """The attempts at the submission endpoint."""
        return list(self.control("GET", "smtp" + (f"?tenant={tenant}" if tenant else "")))

    def state(self, tenant: str) -> dict[str, Any]:
        return dict(self.control("GET", f"state/{tenant}"))

    def mailbox(self, tenant: str, address: str) -> dict[str, Any]:
        """What is stored for one mailbox."""
        for found in self.state(tenant)["mailboxes"]:
            if address.casefold() in (found["PrimarySmtpAddress"].casefold(), found["UserPrincipalName"].casefold()):
                return dict(found)
        raise KeyError(address)

    def history(self, tenant: str) -> list[dict[str, Any]]:
        return list(self.control("GET", f"history/{tenant}"))

    def stats(self) -> dict[str, Any]:
        return dict(self.control("GET", "stats"))

    def reset(self) -> None:
        self.control("POST", "reset")

    def environment(self, label: str) -> dict[str, str]:
        return self.tenant(label).environment
