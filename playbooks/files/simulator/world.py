# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that one simulator process knows."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .cmdlets import check_names
from .faults import Faults
from .journal import Journal
from .tenants import App, Tenant
from .tokens import Authority, Credential, write_private


@dataclass
class Latency:
    """Milliseconds that the service takes; what the simulator itself needs counts as part of them."""

    request: float = 0
    row: float = 0
    item: float = 0

    def seconds(self, tenant: Tenant, rows: int, items: int) -> float:
        own = tenant.latency or {}
        request, row, item = (own.get(name, getattr(self, name)) for name in ("request", "row", "item"))
        return float(request + row * rows + item * items) / 1000


@dataclass
class World:
    state_dir: Path
    latency: Latency = field(default_factory=Latency)
    port: int = 0
    plain_port: int = 0
    smtp_port: int = 0
    # How clients name this server where it stands behind something else.
    public_url: str = ""
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    credentials: dict[tuple[str, str], Credential] = field(default_factory=dict)
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Labels of tenants whose keys this process has made or read.
    _keyed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.authority = Authority(self.state_dir)

    @property
    def endpoint(self) -> str:
        return self.public_url or f"https://localhost:{self.port}"

    def base(self, host: str) -> str:
        """The server as the client that sent this Host header knows it."""
        return self.public_url or f"https://{host}"

    @property
    def ca_path(self) -> Path:
        return self.state_dir / "ca.pem"

    def add(self, description: Mapping[str, Any]) -> Tenant:
        tenant = Tenant(description)
        check_names(tenant, tenant.apps)
        for other in self.tenants.values():
            clash = set(other.domains) & set(tenant.domains) or other.tenant_id == tenant.tenant_id
            if other.label != tenant.label and clash:
                raise ValueError(f"{tenant.label} has a tenant_id or a domain of {other.label}")
        self.tenants[tenant.label] = tenant
        self.journal.forget(tenant.label)
        self.connections[tenant.label] = self._connection(tenant)
        self._keyed.add(tenant.label)
        if self.port:
            self.write_connections()
        return tenant

    def remove(self, tenant: Tenant) -> None:
        del self.tenants[tenant.label], self.connections[tenant.label]
        self.journal.forget(tenant.label)
        self.write_connections()

    def find(self, name: str) -> Tenant | None:
        return next((tenant for tenant in self.tenants.values() if tenant.answers_to(name)), None)

    def bearer(self, authorization: str) -> tuple[dict[str, Any], Tenant, App] | None:
        """The claims, tenant and app of a token of ours, whatever its age; None for any other header."""
        scheme, _dummy, token = authorization.partition(" ")
        claims = self.authority.verify(token.strip()) if scheme.casefold() == "bearer" else None
        tenant = self.find(str(claims["tid"])) if claims else None
        app = tenant.find_app(str(claims["appid"])) if tenant and claims else None
        return (claims, tenant, app) if claims and tenant and app else None

    def credential(self, tenant: Tenant, app: App) -> Credential | None:
        return self.credentials.get((tenant.label, app.client_id))

    def _connection(self, tenant: Tenant) -> dict[str, Any]:
        apps = [self._app_connection(tenant, number, app) for number, app in enumerate(tenant.apps)]
        found: dict[str, Any] = {
            "label": tenant.label,
            "tenant": tenant.domains[0],
            "tenant_id": tenant.tenant_id,
            **apps[0],
            "apps": apps,
        }
        if tenant.identity:
            found["managed_identity"] = {"client_id": tenant.identity.client_id, "header": tenant.identity_header}
        return found

    def _app_connection(self, tenant: Tenant, number: int, app: App) -> dict[str, Any]:
        found: dict[str, Any] = {"client_id": app.client_id}
        name = tenant.label if number == 0 else f"{tenant.label}-{number}"
        if app.secret is not None:
            found["client_secret"] = app.secret
        if app.certificate:
            credential = self._certificate(tenant, name, app)
            self.credentials[tenant.label, app.client_id] = credential
            found |= credential.write(self.state_dir, name, app.certificate_password)
        if app.federated:
            path = self.state_dir / f"{name}.jwt"
            write_private(path, self.authority.federated_token(app.federated).encode())
            found["federated_token_file"] = str(path)
        return found

    def _certificate(self, tenant: Tenant, name: str, app: App) -> Credential:
        """That of an earlier start; a tenant that is replaced while this one runs gets a new one."""
        kept = None
        if tenant.label not in self._keyed:
            kept = Credential.kept(self.state_dir, name, app.certificate_password, app.certificate_days)
        return kept or Credential.make(f"{tenant.label} {app.client_id}", app.certificate_days)

    def describe(self, label: str) -> dict[str, Any]:
        """How to reach one tenant."""
        found = dict(self.connections[label])
        identity = found.get("managed_identity")
        if identity:
            plain = f"http://127.0.0.1:{self.plain_port}/{label}"
            found["managed_identity"] = {**identity, "imds": plain, "identity_endpoint": f"{plain}/msi/token"}
        return {**self.common(), **found}

    def common(self) -> dict[str, Any]:
        """What leads to the simulator, whatever the tenant."""
        return {
            "endpoint": self.endpoint,
            "authority": self.endpoint,
            "graph_endpoint": self.endpoint,
            "ca_path": str(self.ca_path),
            "state_dir": str(self.state_dir),
            "smtp_host": urlsplit(self.endpoint).hostname or "localhost",
            "smtp_port": self.smtp_port,
        }

    def write_connections(self) -> None:
        content = {
            **self.common(),
            "metadata_endpoint": f"http://127.0.0.1:{self.plain_port}",
            "pid": os.getpid(),
            "tenants": {label: self.describe(label) for label in self.tenants},
        }
        path = self.state_dir / "connection.json"
        fresh = path.with_suffix(".new")
        write_private(fresh, json.dumps(content, indent=2).encode())
        fresh.replace(path)

    async def wait(self, tenant: Tenant, started: float, rows: int, items: int = 0, extra: float = 0) -> None:
        """Sleep what the model asks for beyond the time that has passed already."""
        now = asyncio.get_running_loop().time()
        modelled = self.latency.seconds(tenant, rows, items)
        if modelled > 0:
            self.journal.model(now - started - modelled)
        remaining = modelled + extra - (now - started)
        if remaining > 0:
            await asyncio.sleep(remaining)
