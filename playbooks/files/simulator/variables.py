# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's environment variables that lead to a simulated tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SHARED = {
    "EXO_ENDPOINT": "endpoint",
    "EXO_AUTHORITY": "authority",
    "EXO_GRAPH_ENDPOINT": "graph_endpoint",
    "EXO_CA_PATH": "ca_path",
}
_CONNECTION = {
    **_SHARED,
    "EXO_TENANT": "tenant",
    "EXO_CLIENT_ID": "client_id",
}
# Only one credential may be given: the first that the app has.
_CREDENTIALS: tuple[Mapping[str, str], ...] = (
    {"EXO_CERTIFICATE_PATH": "certificate_path", "EXO_CERTIFICATE_PASSWORD": "certificate_password"},
    {"EXO_CLIENT_SECRET": "client_secret"},
    {"EXO_FEDERATED_TOKEN_FILE": "federated_token_file"},
)


def shared_environment(connection: Mapping[str, Any]) -> dict[str, str]:
    """What leads to the simulator, whatever the tenant; the tenants are in the directory's connection.json."""
    found = {name: str(connection[key]) for name, key in _SHARED.items()}
    return {**found, "EXO_SIMULATOR_DIRECTORY": str(connection["state_dir"])}


def environment(connection: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(connection[key]) for name, key in _CONNECTION.items()}
    for credential in _CREDENTIALS:
        given = {name: str(connection[key]) for name, key in credential.items() if key in connection}
        if given:
            return found | given
    return found
