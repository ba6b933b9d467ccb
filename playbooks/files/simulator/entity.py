# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailboxes as OData entities: what ``Get-EXOCasMailbox`` and some other clients read instead of a cmdlet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import wire
from .wire import Answer

# The documented property set that comes unasked. The flag of SMTP AUTH is in none of the sets: it has to be selected.
MINIMUM = (
    "ActiveSyncEnabled,DisplayName,ECPEnabled,EmailAddresses,EwsEnabled,ExchangeVersion,ExternalDirectoryObjectId,Guid,"
    "Identity,ImapEnabled,MAPIEnabled,Name,OWAEnabled,OrganizationId,PopEnabled,PrimarySmtpAddress,ServerLegacyDN"
)
_SEGMENT = re.compile(r"casmailbox(?:\('((?:[^']|'')+)'\))?", re.IGNORECASE)
_KNOWN = frozenset({"$select", "$skiptoken", "PropertySet"})


def is_entity(operation: str) -> bool:
    return _SEGMENT.fullmatch(operation) is not None


def as_cmdlet(operation: str) -> dict[str, Any]:
    """The cmdlet that shows the same mailboxes."""
    match = _SEGMENT.fullmatch(operation)
    identity = match[1].replace("''", "'") if match and match[1] else None
    parameters = {"ResultSize": "Unlimited"} if identity is None else {"Identity": identity}
    return {"CmdletInput": {"CmdletName": "Get-CASMailbox", "Parameters": parameters}}


def query_of(query: Mapping[str, str]) -> dict[str, str]:
    refused = sorted(query.keys() - _KNOWN)
    if refused or query.get("PropertySet", "Minimum") != "Minimum":
        raise wire.bad_request(f"The simulator does not know the query option {refused or query['PropertySet']} here.")
    return {"$select": MINIMUM, **query}


def as_entities(answer: Answer, context: str) -> Answer:
    """Entities have one type each, so nothing says it beside the values."""
    if answer.status != 200:
        return answer
    document = answer.document()
    rows = [{key: value for key, value in row.items() if "@" not in key} for row in document["value"]]
    entities = {"@odata.context": context, "value": rows}
    if "@odata.nextLink" in document:
        entities["@odata.nextLink"] = document["@odata.nextLink"]
    answer.body = wire.encode(entities)
    return answer
