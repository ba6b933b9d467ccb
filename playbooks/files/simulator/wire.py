# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What answers look like on the wire: envelopes, errors, headers."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
STRING_COLLECTION = "#Collection(String)"
TRUNCATED = (
    "There are more results available than are currently displayed. To view them, increase the value for the "
    "ResultSize parameter."
)
NOT_MODIFIED = "The command completed successfully but no settings of '{identity}' have been modified."
PAGE_EXPIRED = "Expired or Invalid pagination request. Default Expiry time is 00:30:00"
CONCURRENCY = "You have reached the maximum number of concurrent requests per tenant. Please wait and try again."
NULS = 985

TASKS = "Microsoft.Exchange.Configuration.Tasks."
NOT_FOUND = TASKS + "ManagementObjectNotFoundException"
AMBIGUOUS = TASKS + "ManagementObjectAmbiguousException"
NEEDS_PROXY = "Microsoft.Exchange.Configuration.Tasks.CmdletProxyNotAvailableException"
PARAMETER_SET = "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException"
ALREADY_EXISTS = "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException"
TRANSFORMATION = "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterTransformationException"
VALIDATION = "Microsoft.Exchange.Data.DataValidationException"
DIRECT_INVOKE = "Microsoft.Exchange.Management.PSDirectInvoke.DirectInvokeCmdletExecutionException"
ODATA = "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"

CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass
class Answer:
    """One HTTP answer, or the answer of one item of a batch."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    rows: int = 0
    changed: bool = False
    reset: bool = False
    delay: float = 0
    trickle: float | None = None

    def document(self) -> dict[str, Any]:
        loaded = json.loads(self.body)
        if not isinstance(loaded, dict):
            raise ValueError("not a JSON object")
        return loaded


@dataclass
class ServiceError(Exception):
    """An error that Exchange tells in its JSON envelope."""

    status: int
    exception: str
    text: str
    message: str = "Error executing cmdlet"
    detail: str | None = "Client"
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    # Where the empty list of warnings stands: beside the error, inside it, or nowhere. All three were seen.
    warnings: str = "beside"

    def body(self, form: str = "pipe") -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code or CODES.get(self.status, "BadRequest"), "message": self.message}
        if self.detail is not None and form != "none":
            error["details"] = [{"code": self.detail, "target": "", "message": detail_text(self, form)}]
        error["innererror"] = {
            "message": self.message,
            "type": ODATA,
            "stacktrace": "   at Microsoft.Exchange.AdminApi.CommandInvocation.CommandInvocation.InvokeCommand()",
            "internalexception": {
                "message": self.internal_text(),
                "type": DIRECT_INVOKE if self.executes() else self.exception,
                "stacktrace": "   at Microsoft.Exchange.Management.PSDirectInvoke.Invoke()",
            },
        }
        warnings = {"adminapi.warnings@odata.type": STRING_COLLECTION, "@adminapi.warnings": []}
        if self.warnings == "inside":
            return {"error": {**error, **warnings}}
        return {"error": error, **(warnings if self.warnings == "beside" else {})}

    def executes(self) -> bool:
        return self.detail is not None and self.message == "Error executing cmdlet"

    def internal_text(self) -> str:
        # For a cmdlet that threw, the inner text says nothing: readers have to look at the details first.
        return f"Exception of type '{DIRECT_INVOKE}' was thrown." if self.executes() else self.text

    def answer(self, form: str = "pipe") -> Answer:
        return Answer(self.status, encode(self.body(form)), {"X-ExceptionType": self.exception, **self.headers})


def exception_id(exception: str) -> str:
    # The one that is known; and what the API layer refuses has none.
    if exception in (NOT_FOUND, PARAMETER_SET):
        return "Ex6F9304" if exception == NOT_FOUND else ""
    return "Ex" + hashlib.sha256(exception.encode()).hexdigest()[:6].upper()


def detail_text(error: ServiceError, form: str) -> str:
    if form == "json":
        fields = {"Message": error.text, "TypeName": error.exception, "StackTrace": "", "InnerError": None}
        return json.dumps(fields)
    return f"{exception_id(error.exception)}|{error.exception}|{error.text}"


def not_found(identity: str, server: str) -> ServiceError:
    text = f"The operation couldn't be performed because object '{identity}' couldn't be found on '{server}'."
    return ServiceError(404, NOT_FOUND, text)


def ambiguous(identity: str) -> ServiceError:
    return ServiceError(
        400, AMBIGUOUS, f"The operation couldn't be performed because '{identity}' matches multiple entries."
    )


def unknown_parameter(names: str) -> ServiceError:
    text = (
        "Parameter set cannot be resolved using the specified named parameters. "
        f"Invalid cmdlet parameters specified. {names}"
    )
    return ServiceError(400, PARAMETER_SET, text, message="Invalid Operation", detail="Client", warnings="none")


def bad_value(name: str, value: Any, type_name: str, why: str = "") -> ServiceError:
    text = (
        f"Cannot process argument transformation on parameter '{name}'. "
        f'Cannot convert value "{_shown(value)}" to type "{type_name}".{why}'
    )
    return ServiceError(400, TRANSFORMATION, text, message="Invalid Operation", detail=None, warnings="inside")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def refused(text: str, exception: str = VALIDATION) -> ServiceError:
    return ServiceError(400, exception, text, detail="Context")


def null_reference(status: int) -> ServiceError:
    text = "Object reference not set to an instance of an object."
    return ServiceError(status, "System.NullReferenceException", text)


def dehydrated() -> ServiceError:
    text = (
        "The command you tried to run isn't currently allowed in your organization. To run this command, you first "
        "need to run the command: Enable-OrganizationCustomization."
    )
    return refused(text, TASKS + "InvalidOperationInDehydratedContextException")


def out_of_scope(name: str) -> ServiceError:
    text = (
        f"The operation on mailbox \"{name}\" failed because it's out of the current user's write scope. '{name}' "
        "isn't within your current write scopes. Can't perform save operation."
    )
    return refused(text, "System.InvalidOperationException")


def synchronized(name: str, cmdlet: str, parameter: str, text: str | None = None) -> ServiceError:
    """A mailbox that another place owns; ``text`` instead of what is said of that."""
    usual = (
        f"The operation on mailbox \"{name}\" failed because it's out of the current user's write scope. The action "
        f"'{cmdlet}', '{parameter}', can't be performed on the object '{name}' because the object is being "
        "synchronized from your on-premises organization. This action should be performed on the object in your "
        "on-premises organization."
    )
    return refused(text or usual, "System.InvalidOperationException")


def needs_proxy(server: str) -> ServiceError:
    text = (
        f"Cmdlet needs proxy. Please use the following server to execute the cmdlet: '{server}'. "
        "Cmdlet proxy is not available for this connection."
    )
    return ServiceError(400, NEEDS_PROXY, text)


def page_expired() -> ServiceError:
    return ServiceError(400, "System.Exception", PAGE_EXPIRED, message="Invalid Operation", detail=None)


def bad_request(text: str, status: int = 400) -> ServiceError:
    return ServiceError(status, ODATA, text, message="Invalid Operation", detail=None)


def nul_403() -> Answer:
    """No right to the cmdlet, or no such cmdlet: the two can't be told apart. The body claims to be gzip and is not."""
    return Answer(403, b"\0" * NULS, {"Content-Encoding": "gzip"}, "text/html")


def envelope(
    context: str,
    rows: list[bytes],
    warnings: list[str],
    *,
    next_link: str | None = None,
    errors: list[str] | None = None,
    confirmation: str | None = None,
) -> bytes:
    parts = [
        b'"@odata.context":' + encode(context),
        b'"adminapi.warnings@odata.type":"#Collection(String)"',
        b'"@adminapi.warnings":' + encode(warnings),
    ]
    if errors:
        parts += [b'"adminapi.errors@odata.type":"#Collection(String)"', b'"@adminapi.errors":' + encode(errors)]
    if confirmation:
        parts.append(b'"@adminapi.confirmationmessage":' + encode(confirmation))
    parts.append(b'"value":[' + b",".join(rows) + b"]")
    if next_link:
        parts.append(b'"@odata.nextLink":' + encode(next_link))
    return b"{" + b",".join(parts) + b"}"


def compress(answer: Answer) -> Answer:
    if not answer.body or "Content-Encoding" in answer.headers:
        return answer
    answer.body = gzip.compress(answer.body, compresslevel=1)
    answer.headers["Content-Encoding"] = "gzip"
    return answer
