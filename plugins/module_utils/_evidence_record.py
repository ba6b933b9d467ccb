# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of one tenant from what was read of it. PRIVATE to the collection.

Pure: facts and judged mailboxes in, a document as docs/evidence.schema.json describes it out.
"""

from __future__ import annotations

import datetime
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.m365.exchange_online.plugins.module_utils import _conditional_access
from ansible_collections.m365.exchange_online.plugins.module_utils._evidence import (
    KIND,
    METHODS,
    SCHEMA_VERSION,
    Document,
    clean,
    format_time,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_report import Judged, summary
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import Log, Usage
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import BLOCKED, TenantFacts, Unread
from ansible_collections.m365.exchange_online.plugins.module_utils._version import VERSION

ENABLED, DISABLED, INHERIT = "enabled", "disabled", "inherit"

# clientAppTypes that a client without modern authentication comes under.
_LEGACY = frozenset({"all", "other", "exchangeActiveSync", "easSupported"})
_PERMISSION = "permission"

Object = Mapping[str, t.Any]


@dataclass(frozen=True)
class About:
    """Which tenant this is, who read it when, and how it compared with its baseline.

    allowed: the baseline's list of mailboxes that may use SMTP AUTH, as exo_smtp_auth takes it.
    """

    time: datetime.datetime
    host: str
    tenant_name: str
    status: str = "undeclared"
    tenant_id: str | None = None
    cloud: str | None = None
    client_id: str | None = None
    method: str | None = None
    job: str | None = None
    slice: int | None = None
    slices: int | None = None
    errors: Sequence[Object] = ()
    drift: Sequence[str] = ()
    allowed: Sequence[Object] = ()

    def of(self, tenant_id: str) -> About:
        """The same, of the tenant that it turned out to be."""
        return replace(self, tenant_id=tenant_id.lower())


@dataclass(frozen=True)
class Settings:
    """One object of the organization: its settings by option, and the names of all its other properties."""

    values: Object
    others: Object


@dataclass(frozen=True)
class Mailbox:
    """A judged mailbox with its own setting: enabled, disabled or inherit."""

    judged: Judged
    override: str

    @property
    def guid(self) -> str:
        return self.judged.identity["guid"]

    @property
    def works(self) -> bool:
        """Whether nothing is known to block it, with one method at least."""
        return any(self.judged.verdict(method) != BLOCKED for method in METHODS)


@dataclass(frozen=True)
class Found:
    """All that was read of a tenant. access: Conditional Access policies as Microsoft Graph has them.

    named: an identity of the baseline's list → the GUID of its mailbox, where it has one. unclear: an identity of which
    that could not be found out → why.
    """

    transport_config: Settings | Unread
    organization_config: Settings | Unread
    facts: TenantFacts
    access: Sequence[Object] | Unread
    mailboxes: Sequence[Mailbox] | Unread
    log: Log | None = None
    named: Mapping[str, str] = field(default_factory=dict)
    unclear: Mapping[str, str] = field(default_factory=dict)


def document(about: About, found: Found) -> Document:
    """The evidence of a tenant that was read, as far as it could be."""
    mailboxes = None if isinstance(found.mailboxes, Unread) else found.mailboxes
    counts = verdict_summary(found)
    return {
        **_head(about),
        "completeness": {
            "mailboxes_read": None if mailboxes is None else len(mailboxes),
            "unread": _unread(found, counts),
        },
        "organization": {
            "transport_config": _values(found.transport_config),
            "organization_config": _organization_config(found.organization_config),
        },
        "other_properties": {
            "transport_config": _others(found.transport_config),
            "organization_config": _others(found.organization_config),
        },
        "default_authentication_policy": _default_policy(found.facts),
        "security_defaults": _known(found.facts.security_defaults),
        "conditional_access": _access_policies(found.access),
        "counts": None if mailboxes is None else _counts(mailboxes),
        "verdict": None if counts is None else {method: counts[method] for method in METHODS},
        "usage": _usage(found.log),
        "mailboxes": [] if mailboxes is None else _named_mailboxes(about, found, mailboxes),
        "december": None if mailboxes is None else _december(found, mailboxes),
    }


def failed(about: About, message: str, error_code: str | None) -> Document:
    """The evidence of a tenant of which nothing could be read."""
    head = {**_head(about), "status": "failed"}
    return {
        **head,
        "errors": [{"message": clean(message), "error_code": error_code}],
        "drift": [],
        "completeness": {"mailboxes_read": None, "unread": []},
        "organization": {"transport_config": {}, "organization_config": {}},
        "other_properties": {"transport_config": None, "organization_config": None},
        "default_authentication_policy": None,
        "security_defaults": None,
        "conditional_access": None,
        "counts": None,
        "verdict": None,
        "usage": None,
        "mailboxes": [],
        "december": None,
    }


def _head(about: About) -> Document:
    return {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "collection_version": VERSION,
        "time": format_time(about.time),
        "host": clean(about.host),
        "run": {"job": about.job, "slice": about.slice, "slices": about.slices},
        "tenant": {"id": about.tenant_id, "name": clean(about.tenant_name), "cloud": about.cloud},
        "identity": {"client_id": about.client_id, "method": about.method},
        "status": about.status,
        "errors": [
            {"message": clean(error.get("message") or "No reason was given."), "error_code": error.get("error_code")}
            for error in about.errors
        ],
        "drift": [clean(line) for line in about.drift if clean(line)],
    }


def _values(settings: Settings | Unread) -> Document:
    return {} if isinstance(settings, Unread) else dict(settings.values)


def _organization_config(settings: Settings | Unread) -> Document:
    """Its settings, and the one property beside them that tells of protocols that Microsoft has closed to Basic."""
    values = _values(settings)
    if not isinstance(settings, Unread) and "BasicAuthBlockedApps" in settings.others:
        values["basic_auth_blocked_apps"] = settings.others["BasicAuthBlockedApps"]
    return values


def _others(settings: Settings | Unread) -> list[str] | None:
    return None if isinstance(settings, Unread) else sorted(clean(name) for name in settings.others)


def _known(value: bool | Unread) -> bool | None:
    return None if isinstance(value, Unread) else value


def _default_policy(facts: TenantFacts) -> Document | None:
    name = facts.default_policy
    if isinstance(name, Unread):
        return None
    if name is None:
        return {"name": None, "allow_basic_auth_smtp": None}
    policy = None if isinstance(facts.policies, Unread) else facts.policies.find(name)
    allows = policy.get("AllowBasicAuthSmtp") if policy else None
    return {"name": clean(name), "allow_basic_auth_smtp": allows if isinstance(allows, bool) else None}


def _access_policies(policies: Sequence[Object] | Unread) -> list[Document] | None:
    if isinstance(policies, Unread):
        return None
    reaching = [policy for policy in policies if _LEGACY & set(_texts(policy, "conditions", "clientAppTypes"))]
    return sorted((_access_policy(policy) for policy in reaching), key=lambda policy: str(policy["id"]))


def _access_policy(policy: Object) -> Document:
    excluded = [_texts(policy, "conditions", "users", f"exclude{whom}") for whom in ("Users", "Groups", "Roles")]
    excluded.append(_texts(policy, "conditions", "applications", "excludeApplications"))
    modified = policy.get("modifiedDateTime")
    return {
        "id": clean(policy.get("id") or "no id"),
        "name": clean(policy.get("displayName") or ""),
        "state": clean(policy.get("state") or "unknown"),
        "modified": clean(modified) if modified else None,
        "client_app_types": _texts(policy, "conditions", "clientAppTypes"),
        "grant_controls": [clean(control) for control in _conditional_access.controls(policy)],
        "all_users": "All" in _texts(policy, "conditions", "users", "includeUsers"),
        "all_apps": "All" in _texts(policy, "conditions", "applications", "includeApplications"),
        "exclusions": sum(len(names) for names in excluded),
    }


def _texts(policy: t.Any, *path: str) -> list[str]:
    """The list of texts at the end of a path, or an empty one where something on the way is not there."""
    for name in path:
        policy = policy.get(name) if isinstance(policy, Mapping) else None
    return [clean(text) for text in policy if isinstance(text, str)] if isinstance(policy, list) else []


def _counts(mailboxes: Sequence[Mailbox]) -> Document:
    own = Counter(mailbox.override for mailbox in mailboxes)
    return {"mailboxes": len(mailboxes), **{setting: own[setting] for setting in (ENABLED, DISABLED, INHERIT)}}


def verdict_summary(found: Found) -> Document | None:
    """The verdict on all mailboxes in figures, as exo_smtp_auth_info returns it; None where they were not read."""
    if isinstance(found.mailboxes, Unread):
        return None
    return summary([mailbox.judged for mailbox in found.mailboxes], found.facts.organization_disabled, found.log)


def _unread(found: Found, counts: Document | None) -> list[Document]:
    """Each thing that could not be read once, with the permission that would tell."""
    objects = {
        "transport settings": found.transport_config,
        "organization's configuration": found.organization_config,
        "mailboxes": found.mailboxes,
        "Conditional Access": found.access,
        "security defaults": found.facts.security_defaults,
    }
    told = [_missing(what, one.reason, one.permission) for what, one in objects.items() if isinstance(one, Unread)]
    told += [_missing(f"the exception {name}", reason, "") for name, reason in found.unclear.items()]
    reasons = {entry["reason"] for entry in told}
    for entry in counts["unread"] if counts else ():
        one = _missing(entry["what"], entry["reason"], entry[_PERMISSION])
        if one["reason"] not in reasons:
            told.append(one)
    return told


def _missing(what: str, reason: str, permission: str) -> Document:
    return {
        "what": clean(what),
        "reason": clean(reason) or "No reason was given.",
        _PERMISSION: clean(permission) or None,
    }


def _usage(log: Log | None) -> Document | None:
    if log is None:
        return None
    coverage = log.coverage.result()
    return {
        "from": coverage["from"],
        "to": coverage["to"],
        "complete": coverage["complete"] and not log.failure,
        "reason": clean(log.failure or coverage.get("reason") or "") or None,
    }


def _named_mailboxes(about: About, found: Found, mailboxes: Sequence[Mailbox]) -> list[Document]:
    """Those with a setting of their own, an exception, or use; then the exceptions that have no mailbox."""
    entries = {found.named[entry["identity"]]: entry for entry in about.allowed if entry["identity"] in found.named}
    told = [
        _mailbox(mailbox, entries.get(mailbox.guid))
        for mailbox in mailboxes
        if mailbox.override != INHERIT or mailbox.guid in entries or mailbox.judged.used
    ]
    resolved = found.named.keys() | found.unclear.keys()
    gone = [entry for entry in about.allowed if entry["identity"] not in resolved]
    told += [
        {"guid": None, "address": clean(entry["identity"]), "override": None, "exception": _exception(entry)}
        for entry in gone
    ]
    return sorted(told, key=lambda one: (str(one["address"]).lower(), str(one["guid"])))


def _mailbox(mailbox: Mailbox, entry: Object | None) -> Document:
    judged = mailbox.judged
    told: Document = {
        "guid": mailbox.guid,
        "address": clean(judged.label) or mailbox.guid,
        "display_name": clean(judged.identity.get("display_name", "")),
        "type": clean(judged.recipient_type),
        "override": mailbox.override,
        **{method: judged.judgement(method) for method in METHODS},
    }
    if entry:
        told["exception"] = _exception(entry)
    if judged.usage:
        told["usage"] = _use(judged.usage)
    return told


def _use(usage: Usage) -> Document:
    # A gate of Exchange that is closed keeps attempts out of the log, so that an empty one proves nothing.
    state = "unknown" if usage.hidden_by else usage.state
    told: Document = {"state": state, "last_seen": _last_seen(usage.last_seen)}
    if usage.seen:
        told["sign_ins"] = usage.seen.successes
    return told


def _last_seen(text: str) -> str | None:
    """A time of the sign-in log, which has fractions of a second at times, to the second."""
    try:
        time = datetime.datetime.fromisoformat(text.partition(".")[0].removesuffix("Z"))
    except ValueError:
        return None
    return format_time(time.replace(tzinfo=datetime.timezone.utc))


def _exception(entry: Object) -> Document:
    texts = {name: clean(entry[name]) if entry.get(name) else None for name in ("owner", "reason", "ticket", "expires")}
    return {"identity": clean(entry["identity"]), "method": entry.get("method") or "basic", **texts}


def _december(found: Found, mailboxes: Sequence[Mailbox]) -> Document | None:
    closed = found.facts.organization_disabled
    if isinstance(closed, Unread):
        return None
    log_was_read = found.log is not None and not found.log.failure
    return {"flag_flips": _flag_flips(mailboxes, closed), "basic_closed": _basic_closed(mailboxes, log_was_read)}


def _flag_flips(mailboxes: Sequence[Mailbox], closed: bool) -> Document:
    """closed: whether the organization has SMTP AUTH off already, so that those that inherit have nothing to lose."""
    working = Counter(mailbox.override for mailbox in mailboxes if mailbox.works)
    return {"keep": working[ENABLED], "stop": 0 if closed else working[INHERIT]}


def _basic_closed(mailboxes: Sequence[Mailbox], log_was_read: bool) -> Document:
    basic = [mailbox.judged for mailbox in mailboxes if mailbox.judged.verdict("basic") != BLOCKED]
    return {
        "stop": len(basic),
        "seen": sum(1 for judged in basic if judged.used) if log_was_read else None,
        "oauth_open": sum(1 for judged in basic if judged.verdict("oauth") != BLOCKED),
    }
