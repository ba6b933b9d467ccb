# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went wrong, in one family of exceptions. PRIVATE to the collection.

Every failure that a user can meet is an ExoError. It names the thing, the cause and, as ``hint``, what to do::

    ExoError
    ├── AuthenticationFailed  AccessDenied  WrongTenant          who asks
    ├── InvalidRequest ── NeedsProxy                             what is asked
    ├── NotFound  Ambiguous                                      about whom
    ├── Refused  Expired                                         not done on purpose
    ├── Throttled  ServiceUnavailable  UnexpectedResponse        what came back
    ├── IncompleteRead  NotConfirmed  PartialFailure             how far it came
    └── Interrupted                                              the run that started the task is over

Nothing below the modules calls ``fail_json``; ``_module.run_module`` turns an ExoError into the task's failure.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit


class ExoError(Exception):
    """A failure with everything that the task's result says about it. It can't be changed: ``but`` makes another one.

    hint: what to do. retryable: trying again may help. retry_after: seconds the service asked for, where it did.
    in_doubt: the request may have been carried out although no answer came.
    claims: what the next token has to carry, where a token was rejected.
    result: what was found and done before the failure; it is returned beside the message.
    """

    error_code = "unexpected_response"
    message: str
    hint: str | None
    http_status: int | None
    cmdlet: str | None
    request_id: str | None
    retryable: bool
    retry_after: float | None
    in_doubt: bool
    claims: str | None
    result: Mapping[str, t.Any]

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        http_status: int | None = None,
        cmdlet: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        in_doubt: bool = False,
        claims: str | None = None,
        result: Mapping[str, t.Any] | None = None,
    ) -> None:
        super().__init__(message)
        self._fields: dict[str, t.Any] = {
            "message": fit(message),
            "hint": hint,
            "http_status": http_status,
            "cmdlet": cmdlet,
            "request_id": request_id,
            "retryable": retryable,
            "retry_after": retry_after,
            "in_doubt": in_doubt,
            "claims": claims,
            "result": dict(result or {}),
        }

    def __getattr__(self, name: str) -> t.Any:
        if name != "_fields" and name in self._fields:
            return self._fields[name]
        raise AttributeError(name)

    def __setattr__(self, name: str, value: t.Any) -> None:
        if name in getattr(self, "_fields", ()):
            raise AttributeError(f"{name} of a failure can't be changed: but({name}=...) makes another failure")
        super().__setattr__(name, value)

    def __str__(self) -> str:
        return str(self.message)

    def but(self, **changes: t.Any) -> ExoError:
        """The same failure with these fields changed."""
        return type(self)(**{**self._fields, **changes})

    def facts(self) -> dict[str, t.Any]:
        """The failure as plain data: error_code, and what is known of the rest."""
        names = ("http_status", "cmdlet", "request_id", "hint")
        known = {name: self._fields[name] for name in names if self._fields[name] is not None}
        return {"error_code": self.error_code, **known}

    def to_fail_kwargs(self, tenant: str = "") -> dict[str, t.Any]:
        """The arguments of fail_json. The hint is in the message too: Ansible shows that line alone.

        tenant: as the user named it; the message begins with it, because the screen of a fleet shows many.
        """
        sentences = [self.message, self.hint] if self.hint else [self.message]
        message = " ".join(str(sentence) for sentence in sentences)
        return {**self.result, "msg": f"{tenant}: {message}" if tenant else message, **self.facts()}


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


class Interrupted(ExoError):
    error_code = "interrupted"


class NeedsProxy(InvalidRequest):
    """The cmdlet has to run on the mailbox's own server: once more, anchored there, can help."""
