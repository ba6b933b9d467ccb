# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand in a tenant's description, and in a change of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import checks, object_schema, organization_schema, schema, values
from .checks import Check
from .forms import FORMS
from .schema import Property
from .values import Choice, Converter

_TEXTS = checks.listing(checks.text)
_NULLABLE_TEXT = checks.optional(checks.any_text)
_NULLABLE_FLAG = checks.optional(checks.flag)
_SCOPE = checks.optional(_TEXTS)
_ON_OR_LIST = checks.either("true, false or a list", checks.flag, _TEXTS)
# The properties of a user that come from the mailbox, so nothing else may say what they are.
_DERIVED = frozenset({"AccountDisabled", "DisplayName", "Guid", "UserPrincipalName", "RecipientTypeDetails"})


def _property(row: Property, converter: Converter | None) -> Check:
    """What the service could hold; texts in odd forms are its own, so only their type is looked at."""
    if converter in (values.boolean, values.switch):
        return checks.flag
    if converter is values.nullable_boolean or isinstance(row.default, bool):
        return _NULLABLE_FLAG
    if isinstance(converter, Choice):
        return checks.optional(checks.one_of(converter.names)) if converter.nullable else checks.one_of(converter.names)
    if row.odata_type == "#Collection(String)":
        return checks.optional(_TEXTS)
    if row.data_type in ("System.Int32", "System.UInt32"):
        return checks.whole()
    return _NULLABLE_TEXT


def properties(rows: Iterable[Property], parameters: Mapping[str, Converter]) -> Check:
    return checks.record({row.name: _property(row, parameters.get(row.name)) for row in rows})


CAS = properties(schema.CAS_SHARED_PROPERTIES, schema.CAS_PARAMETERS)
TRANSPORT = properties(schema.TRANSPORT_PROPERTIES, schema.TRANSPORT_PARAMETERS)
ORGANIZATION = properties(organization_schema.ORGANIZATION_PROPERTIES, organization_schema.ORGANIZATION_PARAMETERS)
PLAN = properties(object_schema.PLAN_PROPERTIES, object_schema.PLAN_PARAMETERS)
USER = properties(
    [row for row in object_schema.USER_PROPERTIES if row.name not in _DERIVED], object_schema.USER_PARAMETERS
)
SWITCHES: Mapping[str, Check] = dict.fromkeys(object_schema.AUTHENTICATION_SWITCHES, checks.flag)
POLICIES = checks.listing(checks.record({"name": checks.text, "guid": checks.guid, **SWITCHES}, required=["name"]))
PLANS = checks.listing(checks.record({"name": checks.text, "cas": PLAN}, required=["name"]))

# What a mailbox has that can also be changed later.
_CHANGEABLE: Mapping[str, Check] = {
    "display_name": checks.text,
    "alias": checks.text,
    "type": checks.one_of(schema.RECIPIENT_TYPES),
    "server": checks.text,
    "account_disabled": checks.flag,
    "password": _NULLABLE_TEXT,
    "refuses_writes": checks.either("true, false or a text", checks.flag, checks.text),
    "plan": checks.text,
    "cas": CAS,
    "user": USER,
}
MAILBOX = checks.record(
    {
        **_CHANGEABLE,
        "upn": checks.text,
        "primary_address": checks.address,
        "address": checks.address,
        "aliases": checks.listing(checks.text),
        "name": checks.text,
        "guid": checks.guid,
        "exchange_object_id": checks.guid,
        "external_directory_object_id": checks.any_text,
        "device_partnership": checks.flag,
    }
)
MAILBOX_CHANGE = checks.record({"identity": checks.text, **_CHANGEABLE}, required=["identity"])

_CERTIFICATE = checks.either(
    "true, false or a dictionary",
    checks.flag,
    checks.record({"password": checks.text, "expires_in_days": checks.whole(-36500)}),
)
_APP_CHANGE: Mapping[str, Check] = {
    "client_id": checks.guid,
    "secret": checks.optional(checks.text),
    "secret_expired": checks.flag,
    "roles": _TEXTS,
    "send_as": _TEXTS,
    "graph_roles": _TEXTS,
    "directory_role": checks.either("a role or a list of cmdlets", checks.text, _TEXTS),
    "blocked": checks.flag,
    "hidden_parameters": _TEXTS,
    "read_scope": _SCOPE,
    "write_scope": _SCOPE,
}
_FEDERATED = checks.either(
    "true or a dictionary", checks.flag, checks.record({"issuer": checks.text, "subject": checks.text})
)
APP = checks.record({**_APP_CHANGE, "certificate": _CERTIFICATE, "federated": _FEDERATED})
APP_CHANGE = checks.record(_APP_CHANGE)

_SHARE = checks.number
GENERATE = checks.either(
    "a number of mailboxes or a dictionary",
    checks.whole(),
    checks.record(
        {
            "count": checks.whole(),
            "seed": checks.whole(),
            "domain": checks.text,
            "prefix": checks.any_text,
            "explicit_enabled": _SHARE,
            "explicit_disabled": _SHARE,
            "shared": _SHARE,
            "rooms": _SHARE,
        },
        required=["count"],
    ),
)
LATENCY = checks.record({"request": checks.number, "row": checks.number, "item": checks.number})
FORM = checks.record({name: checks.one_of(known) for name, known in FORMS.items()})

# Settings of the tenant itself: a change may name each of them again.
PLAIN: Mapping[str, Check] = {
    "lag": checks.number,
    "token_lifetime": checks.number,
    "page_expiry": checks.number,
    "rate_headers": checks.flag,
    "cloud": checks.one_of(("worldwide", "gcc", "gcc_high", "dod", "china")),
    "concurrency_limit": checks.optional(checks.whole(1)),
    "latency": checks.optional(LATENCY),
    "error_form": checks.one_of(("pipe", "json")),
    "culture_as_object": checks.flag,
    "cmdlets": checks.mapping(checks.listing(checks.mapping(checks.anything))),
    "graph": checks.mapping(checks.anything),
    "forms": FORM,
    "dehydrated": _ON_OR_LIST,
    "omit_nulls": _ON_OR_LIST,
    # Its own keys are checked where they are read.
    "entra": checks.mapping(checks.anything),
    "smtp_basic_retired": checks.flag,
    "policy_lag": checks.number,
    "null_reference": checks.one_of((0, 400, 500)),
}
TENANT = checks.record(
    {
        **PLAIN,
        "label": checks.text,
        "tenant_id": checks.guid,
        "domains": checks.listing(checks.text),
        "apps": checks.listing(APP),
        "managed_identity": checks.optional(APP),
        "transport_config": TRANSPORT,
        "organization_config": ORGANIZATION,
        "authentication_policies": POLICIES,
        "plans": PLANS,
        "policies": checks.record({"owa": _TEXTS, "active_sync": _TEXTS}),
        "mailboxes": checks.listing(MAILBOX),
        "generate": GENERATE,
    },
    required=["label"],
)
CHANGE = checks.record(
    {
        **PLAIN,
        "apps": checks.listing(APP_CHANGE),
        "directory_role": _APP_CHANGE["directory_role"],
        "expire_tokens": checks.flag,
        "claims_challenge": checks.anything,
        "transport_config": TRANSPORT,
        "organization_config": ORGANIZATION,
        "authentication_policies": POLICIES,
        "remove_authentication_policies": _TEXTS,
        "modern_authentication": checks.record(SWITCHES),
        "plans": PLANS,
        "mailboxes": checks.listing(MAILBOX_CHANGE),
        "add_mailboxes": checks.listing(MAILBOX),
        "remove_mailboxes": _TEXTS,
    }
)


def check_tenant(description: Any) -> None:
    label = description.get("label") if isinstance(description, Mapping) else None
    TENANT(label if isinstance(label, str) and label else "tenant", description)


def check_change(label: str, body: Any) -> None:
    CHANGE(label, body)
