# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenants that the documentation speaks of, and its paths on this machine."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

from harness import Lab, Tenant

NUMBERS = itertools.count(1)
CLIENT_ID = "11111111-2222-3333-4444-555555555555"
PEOPLE = (
    *("ada", "archive", "ben", "ceo", "crm", "erp"),
    *("frank", "grace", "old-printer", "reports", "test", "ticket.import"),
)
PASSWORD = "of the scanner 7261"


def tenants(lab: Lab, closed: bool) -> Tenant:
    """The two tenants that the examples speak of, with one app registration and certificate for both."""
    for label in lab.simulator.control("GET", "tenants"):
        lab.simulator.remove_tenant(label)
    contoso = lab.tenant(
        "contoso",
        domains=["contoso.onmicrosoft.com", "contoso.com"],
        apps=[
            {
                "client_id": CLIENT_ID,
                "certificate": True,
                "roles": ["Exchange.ManageAsApp", "SMTP.SendAsApp"],
                "send_as": ["erp@contoso.com"],
            }
        ],
        transport_config={"SmtpClientAuthenticationDisabled": closed},
        mailboxes=[
            {"upn": "info@contoso.com", "type": "SharedMailbox"},
            {"upn": "scanner@contoso.com", "password": PASSWORD},
            *({"upn": f"{name}@contoso.com"} for name in PEOPLE),
        ],
    )
    # A label's first certificate is the one that lies there, which is how both get the same.
    label = f"fabrikam{next(NUMBERS)}"
    shutil.copyfile(contoso.info.values["certificate_path"], lab.simulator.state_dir / f"{label}.pem")
    lab.tenant(label, domains=["fabrikam.onmicrosoft.com"], apps=[{"client_id": CLIENT_ID, "certificate": True}])
    return contoso


def placed(text: str, contoso: Tenant, directory: Path) -> str:
    """The examples with the paths of this machine."""
    for name in ("contoso", "app", "erp"):
        text = text.replace(f"/etc/exo/{name}.pem", str(contoso.info.values["certificate_path"]))
    return re.sub(r"(?<!\w)(?=/(?:var/lib|srv/www|mnt)/exo)", str(directory), text)
