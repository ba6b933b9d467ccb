# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain requests to the simulator, for its own tests."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import requests

from simulator.testing import Simulator, TenantInfo

EXCHANGE = "https://outlook.office365.com/.default"
TAG = {"@odata.type": "#Exchange.GenericHashTable"}
_NUMBERS = itertools.count(1)


class Client:
    """As little client as possible: nothing in here forgives the simulator anything."""

    def __init__(self, simulator: Simulator, tenant: TenantInfo) -> None:
        self.simulator, self.tenant = simulator, tenant
        self.anchor: str | None = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant.tenant_id}"
        self.base = f"{simulator.endpoint}/adminapi/beta/{tenant.tenant_id}"
        self.bearer = ""

    def token(self, scope: str = EXCHANGE, **fields: str) -> requests.Response:
        form = {"grant_type": "client_credentials", "client_id": self.tenant.client_id, "scope": scope, **fields}
        if "client_assertion" not in form:
            form.setdefault("client_secret", str(self.tenant.values.get("client_secret")))
        url = f"{self.simulator.endpoint}/{self.tenant.tenant_id}/oauth2/v2.0/token"
        return self.simulator.session.post(url, data=form)

    def headers(self, **more: str) -> dict[str, str]:
        self.bearer = self.bearer or self.token().json()["access_token"]
        found = {"Authorization": f"Bearer {self.bearer}", "Accept-Encoding": "identity"}
        if self.anchor:
            found["X-AnchorMailbox"] = self.anchor
        return found | more

    def post(self, url: str, body: Any, **headers: str) -> requests.Response:
        # Bodies that can't be decoded only matter where a test reads them.
        options: dict[str, Any] = {"allow_redirects": False, "stream": True}
        return self.simulator.session.post(url, json=body, headers=self.headers(**headers), **options)

    def invoke(
        self,
        cmdlet: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        url: str = "",
        query: str = "",
        **headers: str,
    ) -> requests.Response:
        return self.post(url or f"{self.base}/InvokeCommand{query}", command(cmdlet, parameters), **headers)

    def mailbox(self, identity: str, **switches: bool) -> dict[str, Any]:
        (row,) = self.invoke("Get-CASMailbox", {"Identity": identity, **switches}).json()["value"]
        return dict(row)

    def batch(self, *bodies: Mapping[str, Any], url: str = "") -> requests.Response:
        item = {"method": "POST", "url": url or f"{self.base}/InvokeCommand", "headers": {}}
        requests_ = [{**item, "id": f"n{number}", "body": body} for number, body in enumerate(bodies)]
        return self.post(f"{self.base}/$batch", {"requests": requests_})


def command(cmdlet: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"CmdletInput": {"CmdletName": cmdlet, "Parameters": dict(parameters or {})}}


def tenant(simulator: Simulator, **description: Any) -> Client:
    label = f"t{next(_NUMBERS)}"
    domain = f"{label}.onmicrosoft.com"
    mailboxes = [
        {"upn": f"ada@{domain}", "display_name": "Ada Abel", "alias": "ada", "aliases": [f"a.abel@{domain}"]},
        {"upn": f"ben@{domain}", "primary_address": f"ben.brandt@{domain}", "display_name": "Twin"},
        {"upn": f"bob@{domain}", "display_name": "Twin"},
        {"upn": f"scanner@{domain}", "type": "SharedMailbox", "cas": {"SmtpClientAuthenticationDisabled": False}},
    ]
    return Client(simulator, simulator.add_tenant({"label": label, "mailboxes": mailboxes, **description}))


def error_of(answer: requests.Response) -> tuple[int, str]:
    """Status, and the short name of the exception, from where the service puts it."""
    error = answer.json()["error"]
    details = error.get("details")
    name = details[0]["message"].split("|")[1] if details else error["innererror"]["internalexception"]["type"]
    return answer.status_code, name.rpartition(".")[2]


def full(client: Client, text: Any) -> Any:
    return text.replace("{d}", client.tenant.tenant) if isinstance(text, str) else text
