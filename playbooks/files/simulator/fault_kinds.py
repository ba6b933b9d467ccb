# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of fault: what else may be said of it, and where it strikes when that is not said."""

from __future__ import annotations

from collections.abc import Mapping

from . import checks
from .checks import Check

Details = Mapping[str, Check]
ENDPOINTS = frozenset({"token", "discovery", "invoke", "batch", "batch_item", "identity", "graph", "smtp", "smtp_auth"})

_WAIT = checks.optional(checks.either("a text or a number of seconds", checks.any_text, checks.number))
_STATUS = checks.whole(100, 599)
_FORM = checks.one_of(("pipe", "json", "none"))
_ERROR: Details = {"type": checks.text, "message": checks.any_text, "form": _FORM}
_MESSAGES = checks.listing(checks.any_text)

# The answer is another one, and nothing is done.
INSTEAD: Mapping[str, Details] = {
    "throttle": {"retry_after": _WAIT, "text": checks.any_text},
    "status": {"code": _STATUS, "retry_after": _WAIT, **_ERROR},
    "transient": {"status": _STATUS, **_ERROR},
    "not_found": {},
    "ambiguous": {},
    "html": {"status": _STATUS},
    "reset_before": {},
    "nul_403": {},
    "json_403": {"status": _STATUS, "cmdlet": checks.text},
    "unauthorized": {"claims": checks.anything},
    "expire_tokens": {},
    "page_expired": {},
    "redirect": {"status": _STATUS, "location": checks.any_text, "port": checks.whole(1, 65535)},
    "raw": {
        "status": _STATUS,
        "headers": checks.mapping(checks.anything),
        "body_base64": checks.any_text,
    },
    "entra_error": {
        "status": _STATUS,
        "number": checks.whole(),
        "error": checks.text,
        "description": checks.any_text,
        "claims": checks.anything,
        "suberror": checks.text,
    },
    "refuse_select": {},
}
# How the connection carries the answer.
CONNECTION: Mapping[str, Details] = {
    "reset_after": {},
    "delay": {"seconds": checks.number},
    "truncated_json": {},
    "gzip_lie": {},
    "gzip_bomb": {"megabytes": checks.number},
    "trickle": {"seconds": checks.number},
}
# How the request is worked on, or what stands in its answer.
ANSWER: Mapping[str, Details] = {
    "page_repeat": {},
    "page_duplicate": {},
    "page_foreign_link": {"url": checks.text},
    "page_link_host": {"host": checks.text, "port": checks.whole(1, 65535)},
    "page_extra_link": {},
    "other_object": {"identity": checks.text},
    "page_short_with_truncation_warning": {},
    "needs_proxy": {},
    "errors_in_200": {"messages": _MESSAGES},
    "warnings": {"messages": _MESSAGES},
    "missing_property": {"property": checks.text, "keep_annotation": checks.flag},
    "wrong_type": {"property": checks.text, "value": checks.anything},
    "ignore_select": {},
    "set_ignored": {},
}
BATCH: Mapping[str, Details] = {
    "batch_reorder": {},
    "batch_drop_item": {"index": checks.whole()},
    "batch_duplicate_id": {"index": checks.whole()},
}
# The submission endpoint: a connection, before anybody has told a name, or a sign-in.
SMTP_CONNECTION: Mapping[str, Details] = {
    "no_starttls": {},
    "mechanisms": {"mechanisms": checks.listing(checks.text)},
    "wrong_certificate": {"wrong": checks.one_of(("host", "authority"))},
    "hang": {},
    "busy": {},
}
SMTP_SIGN_IN: Mapping[str, Details] = {"break_off": {}, "reply": {"text": checks.any_text}, "hang": {}, "busy": {}}
DRIFT: Mapping[str, Details] = {
    "drift": {"changes": checks.mapping(checks.anything), "when": checks.one_of(("before", "after"))}
}
KINDS: Mapping[str, Details] = {
    **INSTEAD,
    **CONNECTION,
    **ANSWER,
    **BATCH,
    **SMTP_CONNECTION,
    **SMTP_SIGN_IN,
    **DRIFT,
}

MATCH = checks.record(
    {
        "endpoint": checks.one_of(sorted(ENDPOINTS)),
        "cmdlet": checks.text,
        "identity": checks.text,
        "page": checks.whole(1),
        "resource": checks.text,
        "query": checks.text,
    }
)
_CMDLETS = frozenset({"invoke", "batch_item"})
_ABOUT_CMDLETS = frozenset({"ambiguous", "not_found", "page_expired", "refuse_select"})


def _fault(kinds: Check) -> Check:
    return checks.record(
        {
            "tenant": checks.optional(checks.text),
            "match": checks.optional(MATCH),
            "after": checks.whole(),
            "times": checks.optional(checks.whole(1)),
            "fault": kinds,
        },
        required=["fault"],
    )


def _kind(name: str) -> Check:
    return checks.record({"kind": checks.one_of([name]), **KINDS[name]}, required=["kind"])


# For descriptions; a refusal is better told from the kind that is asked for.
FAULT = _fault(checks.either("a kind of fault", *(_kind(name) for name in KINDS)))


def check_fault(given: object) -> None:
    fault = given.get("fault") if isinstance(given, Mapping) else None
    kind = fault.get("kind") if isinstance(fault, Mapping) else None
    details = KINDS.get(kind, {}) if isinstance(kind, str) else {}
    _fault(checks.record({"kind": checks.one_of(sorted(KINDS)), **details}, required=["kind"]))("fault", given)


def usual_endpoints(kind: str) -> frozenset[str]:
    """Where a fault strikes that names no endpoint. Never at a token by accident."""
    if kind == "entra_error":
        return frozenset({"token"})
    if kind in SMTP_CONNECTION:
        return frozenset({"smtp"})
    if kind in SMTP_SIGN_IN:
        return frozenset({"smtp_auth"})
    if kind in BATCH:
        return frozenset({"batch"})
    if kind in ANSWER or kind in DRIFT or kind in _ABOUT_CMDLETS:
        return _CMDLETS
    return _CMDLETS | {"batch"}
