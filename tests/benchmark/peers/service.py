# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The little that a script needs to talk to the service."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

SETTING = "SmtpClientAuthenticationDisabled"


class Service:
    def __init__(self, connection: Mapping[str, str]) -> None:
        self.session = requests.Session()
        self.session.verify = connection["ca_path"]
        self.base = f"{connection['endpoint']}/adminapi/beta/{connection['tenant_id']}"
        answer = self.session.post(
            f"{connection['authority']}/{connection['tenant_id']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": connection["client_id"],
                "client_secret": connection["client_secret"],
                "scope": "https://outlook.office365.com/.default",
            },
            timeout=300,
        )
        answer.raise_for_status()
        self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.session.headers["X-AnchorMailbox"] = (
            f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{connection['tenant_id']}"
        )

    @property
    def invoke_url(self) -> str:
        return f"{self.base}/InvokeCommand?$select=Guid,{SETTING}"

    def post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.session.post(url, json=body, timeout=300)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def rows(self, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """All pages of Get-CASMailbox."""
        body = command("Get-CASMailbox", parameters)
        url: str | None = self.invoke_url
        while url:
            page = self.post(url, body)
            yield from page["value"]
            url = page.get("@odata.nextLink")

    def inherit(self, guid: str) -> dict[str, Any]:
        """The command that takes a mailbox's own value away."""
        return command("Set-CASMailbox", {"Identity": guid, SETTING: None})


def command(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"CmdletInput": {"CmdletName": name, "Parameters": dict(parameters)}}


def main(work: Callable[[Service, list[str]], None]) -> None:
    """Do the work on what the file named on the command line says; tell when it began, with a token, and ended."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    service = Service(given["connection"])
    started = time.time()
    work(service, given["names"])
    print(json.dumps({"started": started, "ended": time.time()}))
