# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence of made-up tenants: the same for the same seed, of any size, and as hostile as asked."""

from __future__ import annotations

import copy
import datetime
import json
import random
import typing as t
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

Document = dict[str, t.Any]

NOW = datetime.datetime(2026, 11, 26, 2, 15, tzinfo=datetime.timezone.utc)

_COMPANIES = (
    "contoso",
    "fabrikam",
    "adatum",
    "northwind",
    "litware",
    "proseware",
    "tailspin",
    "wingtip",
    "woodgrove",
    "relecloud",
    "vanarsdel",
    "treyresearch",
    "margiestravel",
    "lamna",
    "munson",
    "alpineski",
    "bellows",
    "fourthcoffee",
    "graphicdesign",
    "humongous",
    "lucerne",
    "blueyonder",
    "consolidated",
    "southridge",
    "cityponds",
    "firstup",
    "liberty",
    "nodpub",
    "bestforyou",
    "trey",
)
_DEVICES = ("scanner", "printer", "erp", "alarm", "backup", "ticket", "ups", "nas", "invoice", "monitor", "fax", "crm")
_OWNERS = ("Facilities", "ERP team", "IT operations", "Finance", "Plant 2", "Service desk", "")
_REASONS = (
    "Multifunction printer, no OAuth in its firmware",
    "ERP sends invoices; vendor promises OAuth for spring",
    "Alarm system of the building",
    "Backup reports",
    "UPS and rack monitoring",
)
_GATES = ("smtp_auth_setting", "authentication_policy", "account", "security_defaults", "conditional_access")

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def document(**changed: t.Any) -> Document:
    """Evidence of a tenant with nothing to say about, but for these properties."""
    plain: Document = {
        "kind": "m365.exchange_online.evidence",
        "schema_version": "1.0",
        "collection_version": "1.0.0",
        "time": "2026-11-26T02:15:00Z",
        "host": "contoso",
        "run": {"job": None, "slice": None, "slices": None},
        "tenant": {"id": guid("contoso"), "name": "contoso.onmicrosoft.com", "cloud": "worldwide"},
        "identity": {"client_id": guid("app"), "method": "certificate"},
        "status": "compliant",
        "errors": [],
        "drift": [],
        "completeness": {"mailboxes_read": 250, "unread": []},
        "organization": {
            "transport_config": {"smtp_client_authentication_disabled": True},
            "organization_config": {
                "oauth2_client_profile_enabled": True,
                "reject_direct_send": True,
                "basic_auth_blocked_apps": "None",
            },
        },
        "other_properties": {"transport_config": [], "organization_config": []},
        "default_authentication_policy": {"name": None, "allow_basic_auth_smtp": None},
        "security_defaults": False,
        "conditional_access": [],
        "counts": {"mailboxes": 250, "enabled": 0, "disabled": 0, "inherit": 250},
        "verdict": {
            "basic": {
                "allowed": 0,
                "blocked": 250,
                "unknown": 0,
                "gates": {"smtp_auth_setting": {"closed": 250, "unknown": 0}},
            },
            "oauth": {
                "allowed": 0,
                "blocked": 250,
                "unknown": 0,
                "gates": {"smtp_auth_setting": {"closed": 250, "unknown": 0}},
            },
        },
        "usage": {"from": "2026-10-27", "to": "2026-11-26", "complete": True, "reason": None},
        "mailboxes": [],
        "december": {"flag_flips": {"keep": 0, "stop": 0}, "basic_closed": {"stop": 0, "seen": 0, "oauth_open": 0}},
    }
    return {**plain, **copy.deepcopy(changed)}


def failed(**changed: t.Any) -> Document:
    """Evidence of a tenant that could not be read."""
    nothing: Document = {
        "status": "failed",
        "tenant": {"id": None, "name": "contoso.onmicrosoft.com", "cloud": "worldwide"},
        "errors": [{"message": "contoso: the app has no directory role (HTTP 403).", "error_code": "access_denied"}],
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
    return document(**{**nothing, **changed})


def mailbox(name: str = "scanner", **changed: t.Any) -> Document:
    """An enabled mailbox in the list of exceptions, seen yesterday."""
    plain: Document = {
        "guid": guid(name),
        "address": f"{name}@contoso.com",
        "display_name": name.title(),
        "type": "UserMailbox",
        "override": "enabled",
        "basic": {"state": "allowed", "closed": [], "unknown": []},
        "oauth": {"state": "allowed", "closed": [], "unknown": []},
        "exception": {
            "identity": f"{name}@contoso.com",
            "method": "basic",
            "owner": "Facilities",
            "reason": "Scanner on the ground floor",
            "ticket": "CHG-1",
            "expires": "2027-06-30",
        },
        "usage": {"state": "used", "last_seen": "2026-11-25T10:00:00Z", "sign_ins": 31},
    }
    return {**plain, **changed}


def guid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


class Generator:
    """A fleet whose every night follows from the one before: mailboxes are closed, devices are added, tenants fail.

    listed: mailboxes of each tenant that the evidence names. hostile: texts try to break out of every format.
    """

    def __init__(self, tenants: int, mailboxes: int, listed: int = 12, seed: int = 1, hostile: bool = False) -> None:
        self._random = random.Random(seed)
        self.mailboxes = mailboxes
        self._hostile = hostile
        self._boxes = {name: self._make_boxes(name, listed) for name in _names(tenants)}
        self._open = {name: self._random.random() < 0.75 for name in self._boxes}

    def nights(self, count: int, apart: datetime.timedelta = datetime.timedelta(days=1)) -> Iterator[list[Document]]:
        """The evidence of each night, the last one at NOW."""
        for night in range(count):
            time = NOW - apart * (count - 1 - night)
            progress = night / max(count - 1, 1)
            yield [self._document(number, name, time, progress) for number, name in enumerate(self._boxes)]

    def _make_boxes(self, tenant: str, count: int) -> list[Document]:
        domain = f"{tenant}.example"
        return [self._box(f"{_DEVICES[n % len(_DEVICES)]}{n:02d}", domain, n) for n in range(count)]

    def _box(self, name: str, domain: str, number: int) -> Document:
        choose = self._random
        address = f"{name}@{domain}"
        listed = choose.random() < 0.8
        expires = (NOW + datetime.timedelta(days=choose.randint(-25, 330))).date().isoformat()
        last_seen = NOW - datetime.timedelta(days=choose.randint(0, 12), minutes=choose.randint(0, 1400))
        used = choose.random() < 0.7
        reason = HOSTILE if self._hostile else choose.choice(_REASONS)
        box = mailbox(
            name,
            guid=guid(address),
            address=address,
            display_name=HOSTILE if self._hostile else f"{name.title()} {number}",
            type="SharedMailbox" if number % 5 == 0 else "UserMailbox",
            exception=self._exception(address, number, reason, expires),
            usage=self._usage(last_seen if used else None),
        )
        if not listed:
            del box["exception"]
        if self._hostile:
            box["address"] = f'"{HOSTILE}\u202e\x07"{address}'
        return {**box, **self._closed(listed)}

    def _exception(self, address: str, number: int, reason: str, expires: str) -> Document:
        choose = self._random
        return {
            "identity": address,
            "method": "oauth" if number % 7 == 3 else "basic",
            "owner": choose.choice(_OWNERS) or None,
            "reason": f"=cmd|'/c calc'!A1 {reason}" if self._hostile else reason,
            "ticket": f"CHG-{choose.randint(1000, 9999)}",
            "expires": expires if choose.random() < 0.85 else None,
        }

    def _usage(self, last_seen: datetime.datetime | None) -> Document:
        if last_seen is None:
            return {"state": "not_seen", "last_seen": None, "sign_ins": 0}
        seen = last_seen.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"state": "used", "last_seen": seen, "sign_ins": self._random.randint(1, 400)}

    def _closed(self, listed: bool) -> Document:
        """What some mailboxes have instead: a policy that blocks Basic, or a setting of their own."""
        policy = {"state": "blocked", "closed": ["authentication_policy"], "unknown": []}
        setting = {"state": "blocked", "closed": ["smtp_auth_setting"], "unknown": []}
        found: Document = {"basic": policy} if self._random.random() < 0.2 else {}
        if not listed and self._random.random() < 0.3:
            found = {"override": "disabled", "basic": setting, "oauth": setting}
        return found

    def _document(self, number: int, name: str, time: datetime.datetime, progress: float) -> Document:
        shown = f"{name}{HOSTILE}" if self._hostile else name
        common: Document = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "host": shown,
            "run": {"job": str(int(time.timestamp()) // 86400), "slice": number % 4 + 1, "slices": 4},
            "tenant": {"id": guid(name), "name": f"{name}.onmicrosoft.com", "cloud": "worldwide"},
        }
        if number % 67 == 13 and progress > 0.9:
            return failed(**{**common, "tenant": {**common["tenant"], "id": None}, "errors": [_refusal(shown)]})
        closed = number % 10 != 9 and progress >= number % 40 / 44
        surprise = _surprise(number) if progress == 1 else {}
        return document(
            **{**common, **self._posture(number, name, closed), **self._drift(number, progress), **surprise}
        )

    def _posture(self, number: int, name: str, closed: bool) -> Document:
        boxes = self._boxes[name]
        overrides = Counter(box["override"] for box in boxes)
        by_override = {kind: overrides[kind] for kind in ("enabled", "disabled")}
        inherit = max(self.mailboxes - sum(by_override.values()), 0)
        policy_closed = sum(box["basic"]["closed"] == ["authentication_policy"] for box in boxes)
        unknown = 0 if number % 9 else min(20, inherit)
        own = by_override["enabled"]
        allowed = own if closed else own + inherit - unknown
        shut = by_override["disabled"] + (inherit if closed else 0)
        gates = {
            "smtp_auth_setting": {"closed": shut, "unknown": 0},
            "authentication_policy": {"closed": policy_closed, "unknown": 0},
            "account": {"closed": inherit // 20, "unknown": 0},
            "security_defaults": {"closed": 0, "unknown": 0},
            "conditional_access": {"closed": 0 if number % 3 else inherit // 4, "unknown": unknown},
        }
        used = sum(box["usage"]["state"] == "used" for box in boxes)
        total = allowed + shut + unknown
        basic_allowed = allowed - policy_closed
        rest = 0 if closed else inherit - unknown
        return {
            "completeness": {"mailboxes_read": self.mailboxes, "unread": _unread(number)},
            "organization": {
                "transport_config": {"smtp_client_authentication_disabled": closed},
                "organization_config": {
                    "oauth2_client_profile_enabled": number % 31 != 7,
                    "reject_direct_send": number % 3 != 1,
                    "basic_auth_blocked_apps": "None",
                },
            },
            "security_defaults": number % 8 == 5,
            "conditional_access": _access_policies(number),
            "counts": {"mailboxes": self.mailboxes, **by_override, "inherit": inherit},
            "verdict": {
                "basic": _method(basic_allowed, shut + policy_closed, unknown, gates),
                "oauth": _method(allowed, total - allowed, 0, {"smtp_auth_setting": gates["smtp_auth_setting"]}),
            },
            "mailboxes": boxes,
            "december": {
                "flag_flips": {"keep": own, "stop": rest},
                "basic_closed": {"stop": basic_allowed, "seen": used, "oauth_open": basic_allowed},
            },
        }

    def _drift(self, number: int, progress: float) -> Document:
        if number % 11 != 4:
            return {}
        lines = [f"The organization: reject_direct_send is false, should be true.{HOSTILE if self._hostile else ''}"]
        if progress > 0.5:
            lines.append("pop_enabled of 3 mailboxes is true, should be false.")
        return {"status": "drift", "drift": lines}


def _refusal(name: str) -> Document:
    message = f"{name}: Get-TransportConfig failed: the app has no right to this cmdlet (HTTP 403)."
    return {"message": message, "error_code": "access_denied"}


def _surprise(number: int) -> Document:
    """What happens to some tenants in the last night, by nobody's run."""
    if number % 97 == 50:
        return {"security_defaults": True}
    if number % 83 == 22:
        return {"other_properties": {"transport_config": ["SmtpBasicAuthenticationState"], "organization_config": []}}
    return {}


def _method(allowed: int, blocked: int, unknown: int, gates: Document) -> Document:
    return {"allowed": allowed, "blocked": blocked, "unknown": unknown, "gates": gates}


def _unread(number: int) -> list[Document]:
    if number % 9:
        return []
    return [
        {
            "what": "Conditional Access",
            "reason": "Graph refused: the app lacks a permission (HTTP 403).",
            "permission": "Policy.Read.All",
        }
    ]


def _access_policies(number: int) -> list[Document]:
    """One in every third tenant."""
    if number % 3:
        return []
    policy = {
        "id": guid(f"policy{number}"),
        "name": "Block legacy authentication",
        "state": "enabled",
        "modified": "2025-03-01T08:00:00Z",
        "client_app_types": ["exchangeActiveSync", "other"],
        "grant_controls": ["block"],
        "all_users": True,
        "all_apps": True,
        "exclusions": number % 5,
    }
    return [policy]


def _names(count: int) -> list[str]:
    return [f"{_COMPANIES[n % len(_COMPANIES)]}{n // len(_COMPANIES) or ''}" for n in range(count)]


def write(directory: Path, documents: list[Document]) -> None:
    """A file for each tenant, as the audit names them."""
    for number, content in enumerate(documents):
        name = f"{number:04d}-{content['time'].replace(':', '')}.json"
        (directory / name).write_text(json.dumps(content), encoding="utf-8")
