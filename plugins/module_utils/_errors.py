# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went wrong, in one family of exceptions. PRIVATE to the collection.

Every failure that a user can meet is an ExoError: it names the thing, the cause and, as ``hint``, the cure.
Nothing below the modules calls ``fail_json``; ``_module.main`` turns an ExoError into the task's failure.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass


class ExoError(Exception):
    """A failure with everything that the task's result says about it.

    ``transient``: trying again may help. ``retry_after``: seconds the service asked for, where it did.
    ``maybe_done``: the request may have been carried out although no answer came.
    ``result``: what was found and done before the failure; it is returned beside the message.
    """

    error_code = "unexpected_response"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        http_status: int | None = None,
        cmdlet: str | None = None,
        request_id: str | None = None,
        transient: bool = False,
        retry_after: float | None = None,
        maybe_done: bool = False,
        claims: str | None = None,
        result: t.Mapping[str, t.Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message.replace("\0", "")  # bodies of NUL bytes are this service's habit
        self.hint = hint
        self.http_status = http_status
        self.cmdlet = cmdlet
        self.request_id = request_id
        self.transient = transient
        self.retry_after = retry_after
        self.maybe_done = maybe_done
        self.claims = claims
        self.result = dict(result or {})

    def __str__(self) -> str:
        return self.message

    def facts(self) -> dict[str, t.Any]:
        """The failure as plain data: error_code, and what is known of the rest."""
        known = {
            "http_status": self.http_status,
            "cmdlet": self.cmdlet,
            "request_id": self.request_id,
            "hint": self.hint,
        }
        return {"error_code": self.error_code, **{key: value for key, value in known.items() if value is not None}}

    def to_fail_kwargs(self) -> dict[str, t.Any]:
        """The arguments of fail_json."""
        return {**self.result, "msg": self.message, **self.facts()}


class AuthenticationFailed(ExoError):
    error_code = "authentication_failed"


class AccessDenied(ExoError):
    error_code = "access_denied"


class WrongTenant(ExoError):
    error_code = "wrong_tenant"


class NotFound(ExoError):
    error_code = "not_found"


class Ambiguous(ExoError):
    error_code = "ambiguous"


class InvalidRequest(ExoError):
    error_code = "invalid_request"


class Refused(ExoError):
    error_code = "refused"


class Throttled(ExoError):
    error_code = "throttled"


class ServiceUnavailable(ExoError):
    error_code = "service_unavailable"


class IncompleteRead(ExoError):
    error_code = "incomplete_read"


class PartialFailure(ExoError):
    error_code = "partial_failure"


class NotConfirmed(ExoError):
    error_code = "not_confirmed"


class UnexpectedResponse(ExoError):
    error_code = "unexpected_response"


class Expired(ExoError):
    error_code = "expired"


class NeedsProxy(InvalidRequest):
    """The cmdlet has to run on the mailbox's own server: once more, anchored there, can help."""


ROLE_HINT = (
    "The app needs two grants: the application permission Exchange.ManageAsApp with admin consent, and a directory"
    " role (Global Reader reads, Exchange Administrator writes). A new grant can take half an hour to work."
)
PARAMETER_HINT = (
    "A parameter that the app's role does not include looks just like one that does not exist: check the app's role."
)
PROXY_HINT = "Something between this host and Exchange Online answered instead: check the proxy and the endpoint."

# The exceptions that the official module and other clients try again whatever the status says.
_TRANSIENT = (
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
    transient: bool = False
    hint: str | None = None

    def fits(self, status: int, text: str) -> bool:
        if self.text:
            return re.search(self.text, text, re.IGNORECASE) is not None
        return status in self.status


_UNAVAILABLE = (408, 500, 502, 503, 504)
PASSING = (429, *_UNAVAILABLE)  # statuses after which trying again may help

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
    _Rule(Throttled, text="maximum number of concurrent requests", transient=True),
    _Rule(ServiceUnavailable, text=_TRANSIENT, transient=True),
    _Rule(AccessDenied, text="User is not allowed to call", hint=ROLE_HINT),
    _Rule(InvalidRequest, text="AmbiguousParameterSet|parameter cannot be found that matches", hint=PARAMETER_HINT),
    _Rule(Throttled, status=(429,), transient=True, hint="The tenant's limit is reached: lower concurrency or wait."),
    _Rule(AuthenticationFailed, status=(401,), hint=ROLE_HINT),
    _Rule(AccessDenied, status=(403,), hint=ROLE_HINT),
    _Rule(NotFound, status=(404,)),
    _Rule(
        UnexpectedResponse,
        status=(405,),
        hint="The service does not know this call here: check endpoint and cloud.",
    ),
    _Rule(ServiceUnavailable, status=_UNAVAILABLE, transient=True),
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
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(detail.get("message"), str) and detail["message"].strip():
            return _detail_text(detail["message"])
    inner = error.get("innererror")
    inner = inner.get("internalexception") if isinstance(inner, dict) else None
    if isinstance(inner, dict) and isinstance(inner.get("message"), str) and inner["message"].strip():
        return str(inner.get("type") or ""), inner["message"].strip()
    message = error.get("message")
    return str(error.get("code") or ""), message.strip() if isinstance(message, str) else ""


def retry_after(headers: t.Mapping[str, t.Any]) -> float | None:
    """Seconds to wait as the Retry-After header says (decimal seconds), or None."""
    for key, value in headers.items():
        if key.lower() == "retry-after":
            try:
                seconds = float(str(value))
            except ValueError:
                return None
            # NaN and infinity are floats too, and a wait has to end.
            return seconds if 0 <= seconds < 86400 else None
    return None


def claims_challenge(headers: t.Mapping[str, t.Any]) -> str | None:
    """The claims that a 401 asks the next token to carry (continuous access evaluation), decoded."""
    import base64

    for key, value in headers.items():
        found = re.search(r'claims="([^"]+)"', str(value)) if key.lower() == "www-authenticate" else None
        if found:
            try:
                return base64.b64decode(found.group(1) + "==", validate=False).decode()
            except ValueError:
                return None
    return None


def failure(
    cmdlet: str,
    status: int,
    headers: t.Mapping[str, t.Any],
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
    rule = next((rule for rule in _RULES if rule.fits(status, f"{kind} {text} {plain[:2000]}")), None)
    error = rule.error if rule else UnexpectedResponse
    stranger = status == 404 and not kind and not text
    if stranger:
        error = UnexpectedResponse  # a bare 404 is no answer about a mailbox, but of something on the way
    reason = _one_line(text) or _plain_reason(plain) or _REASONS.get(status, "no reason given")
    about = f"{cmdlet} for {subject}" if subject else cmdlet
    diagnostics = next((str(v) for k, v in headers.items() if k.lower() == "x-ms-diagnostics"), "")
    if diagnostics and not text:
        reason = f"{reason} ({_one_line(diagnostics)[:200]})"
    return error(
        f"{about} failed: {reason.rstrip('.')[:600]} (HTTP {shown}).",
        hint=PROXY_HINT if _is_html(plain) or stranger else rule.hint if rule else None,
        http_status=shown,
        cmdlet=cmdlet,
        request_id=next((str(v) for k, v in headers.items() if k.lower() == "request-id"), None),
        transient=rule.transient if rule else False,
        # Only a 4xx says for sure that nothing was done.
        maybe_done=not 400 <= status < 500,
        retry_after=retry_after(headers),
        claims=claims_challenge(headers) if status == 401 else None,
    )


_REASONS = {
    401: "Exchange Online did not accept the token",
    403: "the app has no right to this cmdlet, or no directory role at all",
    404: "not found",
    405: "this version of the API does not offer the call",
    429: "too many requests",
    503: "the service is unavailable for now",
    504: "the service did not finish in time",
}


def _is_html(text: str) -> bool:
    return text.lstrip()[:200].lower().startswith(("<!doctype", "<html"))


def _plain_reason(text: str) -> str:
    if _is_html(text):
        return "an HTML page came instead of an answer"
    return _one_line(text)[:300]


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", "").split())
