# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of one tenant, as docs/evidence.schema.json describes it. PRIVATE to the collection.

Texts in it come from the service and from inventories: they are shown, never interpreted.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._text import one_line
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

KIND = "m365.exchange_online.evidence"
SCHEMA_VERSION = "1.0"
STATUSES = ("compliant", "drift", "unlisted", "unknown", "failed", "held", "undeclared")
FLAG = "smtp_client_authentication_disabled"
METHODS = ("basic", "oauth")

Document = dict[str, t.Any]


def clean(text: object) -> str:
    """Text fit to be shown: one line, without control characters and marks that turn its direction."""
    return one_line(str(text))


@dataclass(frozen=True)
class Judgement:
    """Whether SMTP AUTH works for a mailbox with one method; ``closed`` and ``unknown`` name gates."""

    state: str
    closed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListedException:
    """A mailbox's entry in the baseline's list of those allowed to use SMTP AUTH."""

    identity: str
    method: str = "basic"
    owner: str | None = None
    reason: str | None = None
    ticket: str | None = None
    expires: datetime.date | None = None  # its last day counts


@dataclass(frozen=True)
class Usage:
    """state: used, not_seen or unknown."""

    state: str
    last_seen: datetime.datetime | None = None
    sign_ins: int | None = None


@dataclass(frozen=True)
class MailboxEvidence:
    """override: enabled, disabled, inherit, or None where there is no such mailbox or it was not read."""

    guid: str | None
    address: str
    override: str | None
    display_name: str = ""
    type: str = ""
    basic: Judgement | None = None
    oauth: Judgement | None = None
    exception: ListedException | None = None
    usage: Usage | None = None

    @property
    def key(self) -> str:
        return self.guid or self.address.lower()


@dataclass(frozen=True)
class AccessPolicy:
    """A Conditional Access policy that reaches legacy clients."""

    id: str
    name: str
    state: str
    modified: str | None
    client_app_types: tuple[str, ...]
    grant_controls: tuple[str, ...]
    all_users: bool
    all_apps: bool
    exclusions: int


@dataclass(frozen=True)
class DefaultPolicy:
    """The organization's default authentication policy; name None: it has none."""

    name: str | None
    allow_basic_auth_smtp: bool | None


@dataclass(frozen=True)
class MethodCounts:
    """gates: name of the gate → (closed, unknown), in mailboxes."""

    allowed: int
    blocked: int
    unknown: int
    gates: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class December:
    """The two carriers that are thinkable for the change of December 2026, in mailboxes."""

    keep: int
    stop: int
    basic_stop: int
    basic_seen: int | None
    oauth_open: int


@dataclass(frozen=True)
class Unread:
    """Something that could not be read."""

    what: str
    reason: str
    permission: str | None


@dataclass(frozen=True)
class Coverage:
    """The span that usage was read for."""

    start: datetime.date | None
    end: datetime.date | None
    complete: bool
    reason: str | None


@dataclass(frozen=True)
class Evidence:
    """One tenant at one time. Attributes are as in the schema; None there is None here."""

    time: datetime.datetime
    collection_version: str
    host: str
    job: str | None
    slice: int | None
    tenant_id: str | None
    tenant_name: str | None
    cloud: str | None
    client_id: str | None
    method: str | None
    status: str
    errors: tuple[str, ...]
    drift: tuple[str, ...]
    mailboxes_read: int | None
    unread: tuple[Unread, ...]
    transport_config: Mapping[str, t.Any]
    organization_config: Mapping[str, t.Any]
    other_properties: Mapping[str, tuple[str, ...] | None]
    default_policy: DefaultPolicy | None
    security_defaults: bool | None
    conditional_access: tuple[AccessPolicy, ...] | None
    counts: Mapping[str, int] | None
    verdict: Mapping[str, MethodCounts] | None
    coverage: Coverage | None
    mailboxes: tuple[MailboxEvidence, ...]
    december: December | None
    source: str = ""

    @property
    def flag(self) -> bool | None:
        """Whether SMTP AUTH is off for the organization; None where that was not read."""
        value = self.transport_config.get(FLAG)
        return value if isinstance(value, bool) else None

    @property
    def label(self) -> str:
        """What people call the tenant."""
        return self.host

    @property
    def incomplete(self) -> bool:
        return self.status == "failed" or bool(self.unread)


def parse(content: t.Any, source: str = "") -> Evidence:
    """The evidence in a decoded JSON document.

    source: the name of the file, for messages. Raises InvalidRequest where it is no evidence that this version reads.
    """
    if not is_evidence(content):
        raise InvalidRequest(f"{source} holds no evidence of this collection.")
    version = str(content.get("schema_version"))
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise InvalidRequest(
            f"{source} is evidence of schema version {clean(version)[:20]}, and this version of the collection reads"
            f" {SCHEMA_VERSION}. Render it with the version that wrote it."
        )
    try:
        return _evidence(content, source)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidRequest(f"{source} is damaged evidence ({type(error).__name__}: {clean(error)[:100]}).") from None


def is_evidence(content: t.Any) -> bool:
    """Whether a decoded JSON document says that it is evidence; other files may lie beside it."""
    return isinstance(content, Mapping) and content.get("kind") == KIND


def failed(host: str, time: datetime.datetime, reason: str) -> Evidence:
    """The evidence of a tenant of which nothing was read."""
    return Evidence(
        time=time,
        collection_version=VERSION,
        host=clean(host),
        job=None,
        slice=None,
        tenant_id=None,
        tenant_name=None,
        cloud=None,
        client_id=None,
        method=None,
        status="failed",
        errors=(clean(reason),),
        drift=(),
        mailboxes_read=None,
        unread=(),
        transport_config={},
        organization_config={},
        other_properties={},
        default_policy=None,
        security_defaults=None,
        conditional_access=None,
        counts=None,
        verdict=None,
        coverage=None,
        mailboxes=(),
        december=None,
    )


def parse_time(text: str) -> datetime.datetime:
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


def format_time(time: datetime.datetime) -> str:
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _evidence(content: Mapping[str, t.Any], source: str) -> Evidence:
    tenant, run, identity = content["tenant"], content["run"], content["identity"]
    return Evidence(
        time=parse_time(content["time"]),
        collection_version=clean(content["collection_version"]),
        host=clean(content["host"]),
        job=_text(run["job"]),
        slice=run["slice"],
        tenant_id=_text(tenant["id"]),
        tenant_name=_text(tenant["name"]),
        cloud=_text(tenant["cloud"]),
        client_id=_text(identity["client_id"]),
        method=_text(identity["method"]),
        status=_choice(content["status"], STATUSES),
        errors=tuple(clean(error["message"]) for error in content["errors"]),
        drift=tuple(clean(line) for line in content["drift"]),
        mailboxes_read=content["completeness"]["mailboxes_read"],
        unread=tuple(_unread(entry) for entry in content["completeness"]["unread"]),
        transport_config=dict(content["organization"]["transport_config"]),
        organization_config=dict(content["organization"]["organization_config"]),
        other_properties={name: _names(names) for name, names in content["other_properties"].items()},
        default_policy=_optional(content["default_authentication_policy"], _default_policy),
        security_defaults=content["security_defaults"],
        conditional_access=_optional(content["conditional_access"], _access_policies),
        counts=_optional(content["counts"], _counts),
        verdict=_optional(content["verdict"], _verdict),
        coverage=_optional(content["usage"], _coverage),
        mailboxes=tuple(_mailbox(entry) for entry in content["mailboxes"]),
        december=_optional(content["december"], _december),
        source=source,
    )


Made = t.TypeVar("Made")


def _optional(value: t.Any, make: Callable[[t.Any], Made]) -> Made | None:
    return None if value is None else make(value)


def _text(value: t.Any) -> str | None:
    return None if value is None else clean(value)


def _choice(value: t.Any, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ValueError(f"{clean(value)[:40]} is none of {', '.join(choices)}")
    return str(value)


def _time(value: t.Any) -> datetime.datetime | None:
    return _optional(value, parse_time)


def _names(value: t.Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(clean(name) for name in value)


def _count(value: t.Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{clean(value)[:40]} is no count")
    return value


def _unread(entry: Mapping[str, t.Any]) -> Unread:
    return Unread(clean(entry["what"]), clean(entry["reason"]), _text(entry["permission"]))


def _default_policy(entry: Mapping[str, t.Any]) -> DefaultPolicy:
    return DefaultPolicy(_text(entry["name"]), entry["allow_basic_auth_smtp"])


def _access_policies(entries: Sequence[Mapping[str, t.Any]]) -> tuple[AccessPolicy, ...]:
    return tuple(
        AccessPolicy(
            id=clean(entry["id"]),
            name=clean(entry["name"]),
            state=clean(entry["state"]),
            modified=_text(entry["modified"]),
            client_app_types=_names(entry["client_app_types"]) or (),
            grant_controls=_names(entry["grant_controls"]) or (),
            all_users=bool(entry["all_users"]),
            all_apps=bool(entry["all_apps"]),
            exclusions=_count(entry["exclusions"]),
        )
        for entry in entries
    )


def _counts(entry: Mapping[str, t.Any]) -> Mapping[str, int]:
    return {name: _count(entry[name]) for name in ("mailboxes", "enabled", "disabled", "inherit")}


def _verdict(entry: Mapping[str, t.Any]) -> Mapping[str, MethodCounts]:
    return {method: _method_counts(entry[method]) for method in METHODS}


def _method_counts(entry: Mapping[str, t.Any]) -> MethodCounts:
    gates = {clean(gate): (_count(n["closed"]), _count(n["unknown"])) for gate, n in entry["gates"].items()}
    return MethodCounts(_count(entry["allowed"]), _count(entry["blocked"]), _count(entry["unknown"]), gates)


def _coverage(entry: Mapping[str, t.Any]) -> Coverage:
    return Coverage(
        _optional(entry["from"], _date), _optional(entry["to"], _date), bool(entry["complete"]), _text(entry["reason"])
    )


def _december(entry: Mapping[str, t.Any]) -> December:
    flips, closed = entry["flag_flips"], entry["basic_closed"]
    return December(
        keep=_count(flips["keep"]),
        stop=_count(flips["stop"]),
        basic_stop=_count(closed["stop"]),
        basic_seen=_optional(closed["seen"], _count),
        oauth_open=_count(closed["oauth_open"]),
    )


def _mailbox(entry: Mapping[str, t.Any]) -> MailboxEvidence:
    return MailboxEvidence(
        guid=_text(entry["guid"]),
        address=clean(entry["address"]),
        override=_optional(entry["override"], lambda value: _choice(value, ("enabled", "disabled", "inherit"))),
        display_name=clean(entry.get("display_name", "")),
        type=clean(entry.get("type", "")),
        basic=_optional(entry.get("basic"), _judgement),
        oauth=_optional(entry.get("oauth"), _judgement),
        exception=_optional(entry.get("exception"), _exception),
        usage=_optional(entry.get("usage"), _usage),
    )


def _judgement(entry: Mapping[str, t.Any]) -> Judgement:
    state = _choice(entry["state"], ("allowed", "blocked", "unknown"))
    return Judgement(state, _names(entry["closed"]) or (), _names(entry["unknown"]) or ())


def _exception(entry: Mapping[str, t.Any]) -> ListedException:
    return ListedException(
        identity=clean(entry["identity"]),
        method=_choice(entry["method"], METHODS),
        owner=_text(entry["owner"]),
        reason=_text(entry["reason"]),
        ticket=_text(entry["ticket"]),
        expires=_optional(entry["expires"], _date),
    )


def _date(value: str) -> datetime.date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"{clean(value)[:40]} is no date")
    return datetime.date.fromisoformat(value)


def _usage(entry: Mapping[str, t.Any]) -> Usage:
    return Usage(
        state=_choice(entry["state"], ("used", "not_seen", "unknown")),
        last_seen=_time(entry["last_seen"]),
        sign_ins=_optional(entry.get("sign_ins"), _count),
    )
