# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service's answers mean: its error envelope, by table, as a failure. PRIVATE to the collection.

The forms and texts are those of docs/protocol.md, which names where each was seen.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AccessDenied,
    Ambiguous,
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    NeedsProxy,
    NotFound,
    ServiceUnavailable,
    Throttled,
    UnexpectedResponse,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._text import one_line

ROLE_HINT = (
    "The app needs two grants: the application permission Exchange.ManageAsApp with admin consent, and a directory"
    " role (Global Reader reads, Exchange Administrator writes). A new grant can take half an hour to work."
)
PARAMETER_HINT = (
    "A parameter that the app's role does not include looks just like one that does not exist: check the app's role."
)
CUSTOMIZATION_HINT = (
    "Run Enable-OrganizationCustomization once in Exchange Online PowerShell. It can take hours until it works, and"
    " it can't be undone."
)
PROXY_HINT = "Something between this host and Exchange Online answered instead: check the proxy and the endpoint."

# The exceptions that the official module and other clients try again whatever the status says.
_RETRYABLE = (
    "DCOverloadedException|SuitabilityDirectoryException|ServerInMMException|ADServerSettingsChangedException"
    "|StorageTransientException|ServerBusyException|TransientException|BackendCommunicationException"
    "|UnableToWriteToAadException|maximum number of concurrent requests"
)


@dataclass(frozen=True)
class _Rule:
    """One kind of failure: recognised by text (exception type or message), or else by status."""

    error: type[ExoError]
    text: str = ""
    status: tuple[int, ...] = ()
    retryable: bool = False
    hint: str | None = None

    def fits(self, status: int, text: str) -> bool:
        if self.text:
            return re.search(self.text, text, re.IGNORECASE) is not None
        return status in self.status


_UNAVAILABLE = (408, 500, 502, 503, 504)
RETRYABLE_STATUSES = (429, *_UNAVAILABLE)  # statuses after which trying again may help

# First match decides. Texts before statuses: "not found" has been seen with 400, 404 and 500.
_RULES = (
    _Rule(NeedsProxy, text=r"CmdletProxyNotAvailable|Cmdlet needs proxy"),
    _Rule(Ambiguous, text="ManagementObjectAmbiguous", hint="Name it by its GUID or primary address."),
    _Rule(NotFound, text="ManagementObjectNotFound"),
    _Rule(
        IncompleteRead,
        text="Expired or Invalid pagination",
        hint="The next page was asked of another server or too late. Run the task again.",
    ),
    _Rule(
        UnexpectedResponse,
        # Set-AuthenticationPolicy has this fault with some policies (Microsoft365DSC #4819).
        text="Object reference not set to an instance of an object",
        hint="The service itself fails here. Make a policy under another name with the values that you want and assign"
        " that one; do not remove this one, because users may have it.",
    ),
    _Rule(Throttled, text="maximum number of concurrent requests", retryable=True),
    _Rule(ServiceUnavailable, text=_RETRYABLE, retryable=True),
    _Rule(AccessDenied, text="User is not allowed to call", hint=ROLE_HINT),
    _Rule(InvalidRequest, text="AmbiguousParameterSet|parameter cannot be found that matches", hint=PARAMETER_HINT),
    _Rule(InvalidRequest, text="InDehydratedContext|Enable-OrganizationCustomization", hint=CUSTOMIZATION_HINT),
    _Rule(Throttled, status=(429,), retryable=True, hint="The tenant's limit is reached: lower concurrency or wait."),
    _Rule(AuthenticationFailed, status=(401,), hint=ROLE_HINT),
    _Rule(AccessDenied, status=(403,), hint=ROLE_HINT),
    _Rule(NotFound, status=(404,)),
    _Rule(
        UnexpectedResponse,
        status=(405,),
        hint="The service does not know this call here: check endpoint and cloud.",
    ),
    _Rule(ServiceUnavailable, status=_UNAVAILABLE, retryable=True),
    _Rule(InvalidRequest, status=(400,)),
)


def _detail_text(message: str) -> tuple[str, str]:
    """One ``details[].message`` as (exception type, text), from either form that the service uses."""
    if message.startswith("{"):
        try:
            form = json.loads(message)
        except (ValueError, RecursionError):
            form = None
        if isinstance(form, dict):
            return str(form.get("TypeName") or form.get("ClassName") or ""), str(form.get("Message") or message)
    parts = message.split("|", 2)
    if len(parts) == 3:
        return parts[1].strip(), parts[2].strip()
    return "", message.strip()


def error_text(body: t.Any) -> tuple[str, str]:
    """(exception type, text) of an error envelope.

    ``details`` come first, then the inner exception; ``error.message`` is the same generic sentence for everything.
    """
    error = _mapping(_mapping(body).get("error"))
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        message = _sentence(detail)
        if message:
            return _detail_text(message)
    inner = _mapping(_mapping(error.get("innererror")).get("internalexception"))
    if _sentence(inner):
        return str(inner.get("type") or ""), _sentence(inner)
    return str(error.get("code") or ""), _sentence(error)


def _mapping(value: t.Any) -> Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _sentence(part: t.Any) -> str:
    message = _mapping(part).get("message")
    return message.strip() if isinstance(message, str) else ""


def retry_after(headers: Mapping[str, t.Any]) -> float | None:
    """Seconds to wait as the Retry-After header says (decimal seconds), or None."""
    try:
        seconds = float(header(headers, "retry-after"))
    except ValueError:
        return None
    # NaN and infinity are floats too, and a wait has to end.
    return seconds if 0 <= seconds < 86400 else None


def claims_challenge(headers: Mapping[str, t.Any]) -> str | None:
    """The claims that a 401 asks the next token to carry (continuous access evaluation), decoded."""
    found = re.search(r'claims="([^"]+)"', header(headers, "www-authenticate"))
    if not found:
        return None
    try:
        return base64.b64decode(found.group(1) + "==", validate=False).decode()
    except ValueError:
        return None


def failure(
    cmdlet: str,
    status: int,
    headers: Mapping[str, t.Any],
    body: t.Any,
    *,
    subject: str = "",
    shown_status: int | None = None,
) -> ExoError:
    """The error for an answer that is not a success.

    body: the decoded JSON, or the text of what came instead. subject: what the cmdlet was about, for the message.
    shown_status: the status that really came, where it is judged as if it were another.
    """
    shown = shown_status or status
    kind, text = error_text(body)
    plain = body if isinstance(body, str) else ""
    rule = _rule(status, kind, text, plain)
    reason = one_line(text) or _reason_without_text(status, headers, plain)
    about = f"{cmdlet} for {subject}" if subject else cmdlet
    return rule.error(
        f"{about} failed: {reason.rstrip('.')[:600]} (HTTP {shown}).",
        hint=PROXY_HINT if is_html(plain) else rule.hint,
        http_status=shown,
        cmdlet=cmdlet,
        request_id=header(headers, "request-id") or None,
        retryable=rule.retryable,
        # Only a 4xx says for sure that nothing was done.
        in_doubt=not 400 <= status < 500,
        retry_after=retry_after(headers),
        claims=claims_challenge(headers) if status == 401 else None,
    )


def _rule(status: int, kind: str, text: str, plain: str) -> _Rule:
    """The first rule that fits. kind, text: of the error envelope; plain: what came instead of one."""
    if status == 404 and not kind and not text:
        # A bare 404 is no answer about a mailbox. It comes from something on the way.
        return _Rule(UnexpectedResponse, hint=PROXY_HINT)
    said = f"{kind} {text} {plain[:2000]}"
    return next((rule for rule in _RULES if rule.fits(status, said)), _Rule(UnexpectedResponse))


def header(headers: Mapping[str, t.Any], name: str) -> str:
    """A header's value whatever its case, or ''."""
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


_REASONS = {
    401: "Exchange Online did not accept the token",
    403: "the app has no right to this cmdlet, or no directory role at all",
    404: "not found",
    405: "this version of the API does not offer the call",
    429: "too many requests",
    503: "the service is unavailable for now",
    504: "the service did not finish in time",
}


def is_html(text: str) -> bool:
    return text.lstrip()[:200].lower().startswith(("<!doctype", "<html"))


def _reason_without_text(status: int, headers: Mapping[str, t.Any], plain: str) -> str:
    """Why, as far as an answer tells without an error envelope. plain: what came instead of JSON."""
    reason = _plain_reason(plain) or _REASONS.get(status, "no reason given")
    diagnostics = header(headers, "x-ms-diagnostics")
    return f"{reason} ({one_line(diagnostics)[:200]})" if diagnostics else reason


def _plain_reason(text: str) -> str:
    if is_html(text):
        return "an HTML page came instead of an answer"
    return one_line(text)[:300]
