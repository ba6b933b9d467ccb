# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the wire says and what it means."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.m365.exchange_online.plugins.module_utils import _errors
from ansible_collections.m365.exchange_online.plugins.module_utils._service_errors import failure, retry_after

CONFIGURATION = "Microsoft.Exchange.Configuration.Tasks"
DIRECTORY = "Microsoft.Exchange.Data.Directory"


def envelope(code: str, message: str, details: list[t.Any] | None = None, inner: t.Any = None) -> dict[str, t.Any]:
    error: dict[str, t.Any] = {"code": code, "message": message}
    if details is not None:
        error["details"] = [{"code": "Client", "target": "", "message": text} for text in details]
    if inner:
        error["innererror"] = {
            "message": "Error executing cmdlet",
            "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
            "stacktrace": "   at Microsoft.Exchange",
            "internalexception": {"type": inner[0], "message": inner[1], "stacktrace": "   at Microsoft.Exchange"},
        }
    return {"error": error, "adminapi.warnings@odata.type": "#Collection(String)", "@adminapi.warnings": []}


def cmdlet_error(kind: str, text: str, code: str = "BadRequest", number: str = "Ex6F9304") -> dict[str, t.Any]:
    inner = ("Exchange.PSDirectInvoke.DirectInvokeCmdletExecutionException", "Exception of type 'X' was thrown.")
    return envelope(code, "Error executing cmdlet", [f"{number}|{kind}|{text}"], inner)


class Case(t.NamedTuple):
    name: str
    status: int
    body: t.Any
    error_code: str
    retryable: bool
    words: str  # what the message has to say
    headers: dict[str, str] = {}  # noqa: RUF012
    hint: str | None = None  # a word of the hint


NOT_FOUND = "The operation couldn't be performed because object 'x' couldn't be found on 'DC01.example'."
INNER_NOT_FOUND = json.dumps(cmdlet_error(f"{CONFIGURATION}.ManagementObjectNotFoundException", NOT_FOUND, "NotFound"))
CASES = [
    Case(
        "object not found",
        404,
        cmdlet_error(f"{CONFIGURATION}.ManagementObjectNotFoundException", NOT_FOUND, "NotFound"),
        "not_found",
        False,
        "couldn't be found",
    ),
    Case(
        "not found without a number",
        404,
        cmdlet_error(f"{CONFIGURATION}.ManagementObjectNotFoundException", NOT_FOUND, "NotFound", number=""),
        "not_found",
        False,
        "couldn't be found",
    ),
    *(
        Case(
            f"not found with status {status}",
            status,
            cmdlet_error(f"{CONFIGURATION}.ManagementObjectNotFoundException", NOT_FOUND),
            "not_found",
            False,
            "couldn't be found",
        )
        for status in (400, 500)
    ),
    Case(
        "not found behind a hop",
        400,
        envelope(
            "BadRequest",
            "Error executing cmdlet",
            [
                "|Microsoft.Exchange.Configuration.CmdletProxyException|Error on proxy command 'Get-X' to server"
                f" S1: Server version 15.20.0, Proxy method PSWS: NotFound: Error executing cmdlet : {INNER_NOT_FOUND}"
            ],
        ),
        "not_found",
        False,
        "couldn't be found",
    ),
    Case(
        "ambiguous",
        400,
        cmdlet_error(f"{CONFIGURATION}.ManagementObjectAmbiguousException", "The operation couldn't be performed."),
        "ambiguous",
        False,
        "couldn't be performed",
        hint="GUID",
    ),
    Case(
        "unknown parameter",
        400,
        envelope(
            "BadRequest",
            "Invalid Operation",
            [
                "|System.Management.Automation.AmbiguousParameterSetException|Parameter set cannot be resolved using"
                " the specified named parameters. Invalid cmdlet parameters specified. BogusParameter"
            ],
            ("System.Management.Automation.AmbiguousParameterSetException", "Parameter set cannot be resolved."),
        ),
        "invalid_request",
        False,
        "BogusParameter",
        hint="role",
    ),
    Case(
        "parameter hidden by the role",
        400,
        envelope(
            "BadRequest", "Invalid Operation", ["|X|A parameter cannot be found that matches parameter name 'Q'."]
        ),
        "invalid_request",
        False,
        "parameter name 'Q'",
        hint="role",
    ),
    Case(
        "bad value, no details",
        400,
        envelope(
            "BadRequest",
            "Invalid Operation",
            None,
            (
                "Exchange.CommandInvocation.ParameterTransformationException",
                "Cannot process argument transformation on parameter 'ResultSize'. Cannot convert value \"x\".",
            ),
        ),
        "invalid_request",
        False,
        "parameter 'ResultSize'",
    ),
    Case(
        "validation by the cmdlet",
        400,
        cmdlet_error(f"{DIRECTORY}.ADObjectAlreadyExistsException", "The proxy address is used already."),
        "invalid_request",
        False,
        "used already",
    ),
    Case(
        "no token", 401, None, "authentication_failed", False, "did not accept the token", hint="Exchange.ManageAsApp"
    ),
    *(
        Case(
            f"no right, as JSON, {status}",
            status,
            envelope(code, "User is not allowed to call Get-Mailbox"),
            "access_denied",
            False,
            "not allowed to call Get-Mailbox",
            hint="Exchange.ManageAsApp",
        )
        for status, code in ((401, "Unauthorized"), (403, "Forbidden"))
    ),
    Case("NUL bytes", 403, "\0" * 985, "access_denied", False, "no right", hint="Exchange.ManageAsApp"),
    Case(
        "a reason in a header",
        403,
        "\0" * 336,
        "access_denied",
        False,
        "2000003;reason",
        headers={"X-MS-Diagnostics": "2000003;reason=x"},
    ),
    Case("another version of the API", 405, None, "unexpected_response", False, "405", hint="endpoint"),
    Case("throttled", 429, None, "throttled", True, "429"),
    Case(
        "throttled, plain text",
        429,
        "You have reached the maximum number of concurrent requests per tenant. Please wait and try again",
        "throttled",
        True,
        "maximum number of concurrent requests",
    ),
    Case(
        "throttled by text alone",
        500,
        "You have reached the maximum number of concurrent requests per tenant.",
        "throttled",
        True,
        "maximum number",
    ),
    Case(
        "directory trouble",
        500,
        cmdlet_error(f"{DIRECTORY}.ADTransientException", "The LDAP server is unavailable..", "InternalServerError"),
        "service_unavailable",
        True,
        "LDAP server is unavailable",
    ),
    Case(
        "dual write",
        400,
        cmdlet_error("Microsoft.Exchange.UnableToWriteToAadException", "An Azure Active Directory call was made"),
        "service_unavailable",
        True,
        "Azure Active Directory",
    ),
    *(
        Case(f"{name} with 400", 400, cmdlet_error(f"{DIRECTORY}.{name}", "Busy"), "service_unavailable", True, "Busy")
        for name in (
            "DCOverloadedException",
            "SuitabilityDirectoryException",
            "ServerInMMException",
            "ADServerSettingsChangedException",
            "StorageTransientException",
            "ServerBusyException",
            "TransientException",
            "BackendCommunicationException",
        )
    ),
    *(
        Case(f"status {status}", status, None, "service_unavailable", True, str(status))
        for status in (408, 500, 502, 503, 504)
    ),
    Case(
        "paging",
        400,
        envelope(
            "BadRequest",
            "Invalid Operation",
            None,
            ("System.Exception", "Expired or Invalid pagination request. Default Expiry time is 00:30:00"),
        ),
        "incomplete_read",
        False,
        "pagination",
    ),
    Case("not found, in the envelope", 404, envelope("NotFound", "Error executing cmdlet"), "not_found", False, "404"),
    # whoever says nothing about an object is not the service: a mailbox must not count as gone because of it
    Case("not found, nothing said", 404, None, "unexpected_response", False, "not found", hint="proxy"),
    Case("a gateway's 404", 404, "<html>no such site", "unexpected_response", False, "HTML page", hint="proxy"),
    Case("anything else", 418, None, "unexpected_response", False, "418"),
    Case(
        "a proxy's page",
        403,
        "<!DOCTYPE html>\n<html><body>Access denied by policy</body></html>",
        "access_denied",
        False,
        "HTML page",
        hint="proxy",
    ),
    Case("a gateway's page", 502, "  <html><h1>Bad Gateway", "service_unavailable", True, "HTML page", hint="proxy"),
    # the other form of a detail
    Case(
        "JSON in a detail, TypeName",
        400,
        envelope(
            "BadRequest",
            "Error executing cmdlet",
            [
                json.dumps(
                    {
                        "Message": "It is not there.",
                        "TypeName": f"{CONFIGURATION}.ManagementObjectNotFoundException",
                        "StackTrace": "at X",
                        "InnerError": None,
                    }
                )
            ],
        ),
        "not_found",
        False,
        "It is not there",
    ),
    Case(
        "JSON in a detail, ClassName",
        400,
        envelope(
            "BadRequest",
            "Error executing cmdlet",
            [
                json.dumps(
                    {
                        "ClassName": f"{DIRECTORY}.DCOverloadedException",
                        "Message": "Too much.",
                        "localizedString": {"stringId": "Ex1"},
                    }
                )
            ],
        ),
        "service_unavailable",
        True,
        "Too much",
    ),
    Case(
        "details before the inner exception",
        400,
        envelope("BadRequest", "Error executing cmdlet", ["Ex1|A.B|The detail"], ("C.D", "The inner one")),
        "invalid_request",
        False,
        "The detail",
    ),
    Case(
        "an empty detail",
        400,
        envelope("BadRequest", "Error executing cmdlet", ["  "], ("C.D", "The inner one")),
        "invalid_request",
        False,
        "The inner one",
    ),
    Case(
        "the generic sentence at last",
        400,
        envelope("BadRequest", "Invalid Operation"),
        "invalid_request",
        False,
        "Invalid Operation",
    ),
    Case("an array", 400, [1, 2], "invalid_request", False, "400"),
    Case("an error of another shape", 500, {"error": "text"}, "service_unavailable", True, "500"),
    Case("details of another shape", 400, {"error": {"details": "x", "message": 7}}, "invalid_request", False, "400"),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_failure(case: Case) -> None:
    headers = {"Request-Id": "r-1", **case.headers}
    error = failure("Get-CASMailbox", case.status, headers, case.body, subject="scanner@contoso.com")
    assert (error.error_code, error.retryable) == (case.error_code, case.retryable)
    assert case.words in error.message
    assert error.message.startswith("Get-CASMailbox for scanner@contoso.com failed: ")
    assert "\0" not in error.message
    assert len(error.message) < 1000
    if case.hint:
        assert case.hint in (error.hint or "")
    facts = error.facts()
    assert (facts["http_status"], facts["cmdlet"], facts["request_id"]) == (case.status, "Get-CASMailbox", "r-1")


def test_the_other_server_is_a_kind_of_its_own() -> None:
    kind = "Microsoft.Exchange.Configuration.CmdletProxyNotAvailableException"
    error = failure("Set-CASMailbox", 400, {}, cmdlet_error(kind, "Cmdlet needs proxy to server S1.example"))
    assert isinstance(error, _errors.NeedsProxy)
    assert (error.error_code, error.retryable) == ("invalid_request", False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"RETRY-AFTER": "0"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    assert failure("Get-CASMailbox", 429, headers, None).retry_after == seconds


CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (f'Bearer error="insufficient_claims", claims="{base64.b64encode(CLAIMS.encode()).decode()}"', CLAIMS),
        (f'Bearer claims="{base64.b64encode(CLAIMS.encode()).decode().rstrip("=")}"', CLAIMS),
        ('Bearer realm="", authorization_uri="https://login.example"', None),
        ('Bearer claims="/////w=="', None),
    ],
)
def test_claims(header: str, claims: str | None) -> None:
    assert failure("Get-CASMailbox", 401, {"www-authenticate": header}, None).claims == claims
    assert failure("Get-CASMailbox", 403, {"WWW-Authenticate": header}, None).claims is None


CODES = {
    "authentication_failed", "access_denied", "wrong_tenant", "not_found", "ambiguous", "invalid_request", "refused",
    "throttled", "service_unavailable", "incomplete_read", "partial_failure", "not_confirmed", "unexpected_response",
}  # fmt: skip


def test_the_error_codes_that_are_promised() -> None:
    family = [c for c in vars(_errors).values() if isinstance(c, type) and issubclass(c, _errors.ExoError)]
    assert {c.error_code for c in family} >= CODES


def test_a_failure_as_a_result() -> None:
    error = _errors.Refused("No.", hint="Try.", http_status=None, result={"changed": False, "msg": "other"})
    failed = {"changed": False, "msg": "No. Try.", "error_code": "refused", "hint": "Try."}
    assert error.to_fail_kwargs() == failed
    assert error.to_fail_kwargs("contoso.com") == {**failed, "msg": "contoso.com: No. Try."}
    assert _errors.Refused("No.").to_fail_kwargs("contoso.com") == {"msg": "contoso.com: No.", "error_code": "refused"}
    assert str(error) == "No."


def test_a_failure_can_t_be_changed_but_made_anew() -> None:
    error = _errors.NotFound("Gone\x1b[31m.", cmdlet="Get-CASMailbox", http_status=404)
    assert error.message == "Gone[31m."
    with pytest.raises(AttributeError, match="can't be changed"):
        error.hint = "Look elsewhere."
    other = error.but(hint="Look elsewhere.")
    assert other.__class__ is _errors.NotFound
    assert (other.message, other.hint, other.http_status) == (error.message, "Look elsewhere.", 404)
    assert error.hint is None
    with pytest.raises(AttributeError):
        error.nothing  # noqa: B018
