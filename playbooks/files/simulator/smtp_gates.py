# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a sign-in over SMTP is let in: the gates in the order in which the service looks, and what it replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .gates import policy_gate
from .mailbox import Mailbox
from .tenants import App, Tenant
from .tokens import EXCHANGE_AUDIENCES

SEND_AS_APP = "SMTP.SendAsApp"
ACCEPTED = "235 2.7.0 Authentication successful"
_REFUSED = "535 5.7.139 Authentication unsuccessful, "
_ADMIN = "Contact your administrator."
_MORE = "Visit https://aka.ms/smtp_auth_disabled for more information."
GENERIC = "535 5.7.3 Authentication unsuccessful"
RETIRED = "550 5.7.30 Basic authentication is not supported for Client Submission."
TENANT_OFF = f"{_REFUSED}SmtpClientAuthentication is disabled for the Tenant. {_MORE}"
MAILBOX_OFF = f"{_REFUSED}SmtpClientAuthentication is disabled for the Mailbox. {_MORE}"
POLICY = f"{_REFUSED}basic authentication is disabled."
DEFAULTS = f"{_REFUSED}user is locked by your organization's security defaults policy. {_ADMIN}"
CRITERIA = f"{_REFUSED}the request did not meet the criteria to be authenticated successfully. {_ADMIN}"


@dataclass(frozen=True)
class SignIn:
    """Someone with a user name and a password. ``address`` is where they come from."""

    tenant: Tenant
    mailbox: Mailbox
    password: str
    address: str


@dataclass(frozen=True)
class Refusal:
    """``error`` is the number in the sign-in log; None where Entra never heard of the attempt."""

    reply: str
    error: int | None = None


def basic(sign_in: SignIn) -> str:
    """The reply to a user name and a password."""
    for gate in _BASIC:
        refusal = gate(sign_in)
        if refusal is not None:
            _record(sign_in, refusal.error)
            return refusal.reply
    _record(sign_in, 0)
    return ACCEPTED


def oauth(tenant: Tenant, mailbox: Mailbox, claims: Mapping[str, Any] | None) -> str:
    """The reply to an address and the claims of a token: the flags count here too, policies and passwords don't."""
    refusal = _flag(tenant, mailbox)
    if refusal is not None:
        return refusal.reply
    app = tenant.find_app(str(claims["appid"])) if claims else None
    if claims is None or app is None or not _token_is_good(tenant, claims):
        return GENERIC
    return ACCEPTED if SEND_AS_APP in claims.get("roles", []) and _may_send_as(tenant, app, mailbox) else GENERIC


def _token_is_good(tenant: Tenant, claims: Mapping[str, Any]) -> bool:
    current = claims["exp"] > time.time() and claims["sim_number"] >= tenant.first_valid_token
    return current and claims["tid"] == tenant.tenant_id and str(claims["aud"]).rstrip("/") in EXCHANGE_AUDIENCES


def _may_send_as(tenant: Tenant, app: App, mailbox: Mailbox) -> bool:
    return any(mailbox in tenant.find(name) for name in app.send_as)


def _flag(tenant: Tenant, mailbox: Mailbox) -> Refusal | None:
    if tenant.smtp_enabled(mailbox):
        return None
    own = mailbox.stored("SmtpClientAuthenticationDisabled")
    return Refusal(TENANT_OFF if own is None else MAILBOX_OFF)


def _retired(sign_in: SignIn) -> Refusal | None:
    return Refusal(RETIRED) if sign_in.tenant.smtp_basic_retired else None


def _flags(sign_in: SignIn) -> Refusal | None:
    return _flag(sign_in.tenant, sign_in.mailbox)


def _authentication_policy(sign_in: SignIn) -> Refusal | None:
    # Which reply wins when the flags say no as well is written nowhere.
    gate = policy_gate(sign_in.tenant, sign_in.mailbox, in_effect=True)
    return None if gate["allows_basic_smtp"] else Refusal(POLICY)


def _password(sign_in: SignIn) -> Refusal | None:
    known = sign_in.mailbox.password
    return None if known is not None and known == sign_in.password else Refusal(GENERIC, 50126)


def _account(sign_in: SignIn) -> Refusal | None:
    return Refusal(GENERIC, 50057) if sign_in.mailbox.account_disabled else None


def _security_defaults(sign_in: SignIn) -> Refusal | None:
    return Refusal(DEFAULTS, 53003) if sign_in.tenant.directory.security_defaults else None


def _conditional_access(sign_in: SignIn) -> Refusal | None:
    found = sign_in.tenant.directory.blocking_policy(sign_in.mailbox.external_id, sign_in.address)
    return None if found is None else Refusal(CRITERIA, 53003)


# Exchange looks before Entra does, and what Entra demands beyond the password comes last.
_BASIC: tuple[Callable[[SignIn], Refusal | None], ...] = (
    _retired,
    _flags,
    _authentication_policy,
    _password,
    _account,
    _security_defaults,
    _conditional_access,
)


def _record(sign_in: SignIn, error: int | None) -> None:
    account = sign_in.tenant.directory.account(sign_in.mailbox.external_id)
    if error is not None and account is not None:
        sign_in.tenant.directory.record(account, error=error, address=sign_in.address)
