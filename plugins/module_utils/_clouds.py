# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts and authorities of each cloud. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest


@dataclass(frozen=True)
class Cloud:
    """One cloud. ``domains``: all hosts under these belong to its operator, a token may be shown to them.

    ``smtp``: the host of the submission endpoint, None where no public source names it.
    """

    name: str
    endpoint: str
    authority: str
    graph: str
    domains: tuple[str, ...]
    smtp: str | None = None

    def owns(self, url: str) -> bool:
        host = (urlsplit(url).hostname or "").lower()
        return any(host == domain or host.endswith("." + domain) for domain in self.domains)

    def resource(self, endpoint: str) -> str:
        """What a token for this endpoint is asked for: the endpoint itself where it is the cloud's own.

        An endpoint of somebody else (a gateway, a simulator) stands in for the cloud's, so its tokens are the cloud's.
        """
        return endpoint if self.owns(endpoint) else self.endpoint

    def graph_resource(self, endpoint: str) -> str:
        """The same for an endpoint of Microsoft Graph."""
        return endpoint if self.owns(endpoint) else self.graph


# Hosts: the official module's environment table, confirmed by the challenge of each host (2026-09). For China a
# preview API's page names outlook.office365.cn instead of partner.outlook.cn: set `endpoint` if your tenant needs it.
_WORLDWIDE = Cloud(
    "worldwide",
    "https://outlook.office365.com",
    "https://login.microsoftonline.com",
    "https://graph.microsoft.com",
    ("office365.com", "office.com", "microsoftonline.com", "graph.microsoft.com"),
    "smtp.office365.com",
)
_US = ("office365.us", "microsoftonline.us", "graph.microsoft.us", "dod-graph.microsoft.us")
CLOUDS: t.Mapping[str, Cloud] = {
    "worldwide": _WORLDWIDE,
    # GCC lives on the worldwide hosts.
    "gcc": replace(_WORLDWIDE, name="gcc"),
    "gcc_high": Cloud(
        "gcc_high",
        "https://outlook.office365.us",
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        _US,
    ),
    "dod": Cloud(
        "dod",
        "https://outlook-dod.office365.us",
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        _US,
    ),
    "china": Cloud(
        "china",
        "https://partner.outlook.cn",
        "https://login.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        ("outlook.cn", "office365.cn", "chinacloudapi.cn", "partner.microsoftonline.cn"),
        "smtp.partner.outlook.cn",
    ),
}


def base_url(option: str, value: str) -> str:
    """A URL that overrides one of the cloud's: scheme and host only, https only; raises InvalidRequest."""
    try:
        parts = urlsplit(value.strip())
        plain = parts.port is None or parts.port > 0
    except ValueError:
        parts, plain = urlsplit(""), False
    plain = plain and not (parts.username or parts.query or parts.fragment or " " in parts.netloc)
    if parts.scheme != "https" or not parts.hostname or not plain:
        raise InvalidRequest(
            f"{option} has to be the https URL of a host without user, password or query, such as https://outlook.office365.com."
        )
    return f"https://{parts.netloc}{parts.path.rstrip('/')}"
