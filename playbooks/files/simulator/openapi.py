# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API, described as OpenAPI has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from . import __version__
from .checks import Check


class Call(Protocol):
    @property
    def method(self) -> str:
        """GET, POST and the like."""

    @property
    def path(self) -> str:
        """Below the control API, with names in braces."""

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""

    @property
    def body(self) -> Check | None:
        """What a body has to be; None where there is none."""

    @property
    def by_tenant(self) -> bool:
        """Whether it can be asked of one tenant."""


_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string", "description": "what is wrong, with the path of the value"}},
    "required": ["error"],
}
_REFUSALS = {"400": "What was sent makes no sense", "404": "No such tenant, mailbox or call"}


def document(calls: Sequence[Call]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for call in calls:
        paths.setdefault(f"/_simulator/{call.path}", {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "exo-simulator",
            "version": __version__,
            "summary": "Tenants, faults and what happened, of a simulated Exchange Online",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "paths": paths,
    }


def _operation(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": call.summary,
        "operationId": f"{call.method.lower()}-{call.path.replace('/{label}', '-of-tenant').removesuffix('.json')}",
        "responses": {"200": {"description": "Done", "content": _content({})}},
    }
    found["responses"] |= {
        status: {"description": text, "content": _content(_ERROR)} for status, text in _REFUSALS.items()
    }
    parameters = _parameters(call)
    if parameters:
        found["parameters"] = parameters
    if call.body is not None:
        found["requestBody"] = {"required": True, "content": _content(call.body.schema)}
    return found


def _parameters(call: Call) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = []
    if "{label}" in call.path:
        found.append({"name": "label", "in": "path", "required": True, "schema": text})
    if call.by_tenant:
        found.append({"name": "tenant", "in": "query", "required": False, "schema": text})
    return found


def _content(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
