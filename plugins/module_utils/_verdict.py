# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether SMTP AUTH works for a mailbox, and which gate blocks it. PRIVATE to the collection.

Pure: facts in, gates and a verdict out. A mailbox can send with Basic or OAuth if every gate on the way is open. A gate
that could not be read is unknown, and never open. All closed gates are listed, because people open one, meet the next
and give up.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    ConditionalAccess,
    Judgement,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._policies import AuthenticationPolicies

OPEN, CLOSED, UNKNOWN = "open", "closed", "unknown"
ALLOWED, BLOCKED = "allowed", "blocked"
METHODS = ("basic", "oauth")

BASIC_AUTH_RETIREMENT = "basic_auth_retirement"
MAILBOX_TYPE = "mailbox_type"
SMTP_AUTH_SETTING = "smtp_auth_setting"
AUTHENTICATION_POLICY = "authentication_policy"
ACCOUNT = "account"
SECURITY_DEFAULTS = "security_defaults"
CONDITIONAL_ACCESS = "conditional_access"
GATES = (
    BASIC_AUTH_RETIREMENT,
    MAILBOX_TYPE,
    SMTP_AUTH_SETTING,
    AUTHENTICATION_POLICY,
    ACCOUNT,
    SECURITY_DEFAULTS,
    CONDITIONAL_ACCESS,
)
# Exchange asks these before Entra ID sees the password, so what they refuse is in no sign-in log.
BEFORE_SIGN_IN = (SMTP_AUTH_SETTING, AUTHENTICATION_POLICY)
# What no interface tells with reasonable effort. It is named and not judged.
NOT_CHECKED = (
    "The password itself, and whether the account is locked.",
    "MFA per user, which stops Basic unless an app password is used.",
    "With OAuth: whether the app has a grant of its own (SMTP.Send, or SMTP.SendAsApp with rights on the mailbox).",
)

# Microsoft turns Basic off by default for existing tenants "at the end of December 2026". How that will show is not
# announced, so from that day on nobody can say from a tenant's settings that Basic works.
RETIREMENT = datetime.date(2026, 12, 31)
_KNOWN_BLOCKED_APPS = 255  # the bits of BasicAuthBlockedApps that are known; none of them is SMTP

_EXCHANGE_ROLE = "a directory role that may read Exchange Online, such as Global Reader"
_POLICY_PERMISSION = "Policy.Read.All"


@dataclass(frozen=True)
class Unread:
    """A fact that could not be read. permission: what would let it be read, where that is the reason."""

    reason: str
    permission: str = ""


@dataclass(frozen=True)
class Gate:
    """One gate as it stands for one mailbox. source: what it was read from. remedy: what opens it, or tells.

    basic, oauth: open, closed or unknown; a gate that does not concern OAuth is open for it. read: False where what
    decides it could not be read; permission: what would let it be read, where that is the reason.
    """

    name: str
    basic: str
    oauth: str
    source: str
    detail: str
    remedy: str = ""
    permission: str = ""
    read: bool = True

    def state(self, method: str) -> str:
        return self.basic if method == "basic" else self.oauth

    def result(self) -> dict[str, str]:
        shown = {
            "gate": self.name,
            "basic": self.basic,
            "oauth": self.oauth,
            "source": self.source,
            "detail": self.detail,
        }
        further = {"remedy": self.remedy, "permission": self.permission}
        return {**shown, **{name: text for name, text in further.items() if text}}


def verdict(gates: Iterable[Gate], method: str) -> str:
    """``blocked`` if any gate is certainly closed, ``allowed`` if every gate was read and is open, else ``unknown``."""
    states = {gate.name: gate.state(method) for gate in gates}
    if CLOSED in states.values():
        return BLOCKED
    if all(states.get(name) == OPEN for name in GATES):
        return ALLOWED
    return UNKNOWN


@dataclass(frozen=True)
class TenantFacts:
    """What was read of the tenant. organization_disabled: its SmtpClientAuthenticationDisabled."""

    today: datetime.date
    organization_disabled: bool | Unread
    blocked_apps: t.Any
    default_policy: str | Unread | None
    policies: AuthenticationPolicies | Unread
    security_defaults: bool | Unread
    conditional_access: ConditionalAccess | Unread
    conditional_access_oauth: ConditionalAccess | Unread


@dataclass(frozen=True)
class MailboxFacts:
    """What was read of a mailbox and its user.

    own: SmtpClientAuthenticationDisabled of the mailbox (None: it inherits). licensed: None where the service does not
    say, as with shared mailboxes. what_if: what Conditional Access itself answered for this user.
    """

    object_id: str
    own: bool | Unread | None
    recipient_type: str | Unread
    licensed: bool | Unread | None
    account_disabled: bool | Unread
    own_policy: str | Unread | None
    what_if: Judgement | Unread | None = None


def gates(tenant: TenantFacts, mailbox: MailboxFacts) -> tuple[Gate, ...]:
    """Every gate of a mailbox, in the order of GATES."""
    return tuple(judge(tenant, mailbox) for judge in _JUDGES)


def retirement_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    source = "the announced date, and BasicAuthBlockedApps of Get-OrganizationConfig"
    if tenant.today >= RETIREMENT:
        return Gate(
            BASIC_AUTH_RETIREMENT,
            UNKNOWN,
            OPEN,
            source,
            f"Microsoft turns Basic off by default from {RETIREMENT}, and how a tenant shows it is not known yet.",
            "Try it with exo_smtp_auth_probe, and move what still uses Basic to OAuth.",
        )
    strange = _strange_blocked_apps(tenant.blocked_apps)
    if strange:
        return Gate(
            BASIC_AUTH_RETIREMENT,
            UNKNOWN,
            OPEN,
            source,
            f"BasicAuthBlockedApps is {strange}, which says more than is known here.",
            "Try it with exo_smtp_auth_probe, and look for a newer version of this collection.",
        )
    return Gate(BASIC_AUTH_RETIREMENT, OPEN, OPEN, source, f"Microsoft changes nothing before {RETIREMENT}.")


def _strange_blocked_apps(value: t.Any) -> str:
    """BasicAuthBlockedApps where it holds what is not known here. It is a bit mask, as a number or as text."""
    if value is None or isinstance(value, Unread) or str(value).strip().lower() in ("", "none"):
        return ""
    text = str(value).strip()[:100]
    known = text.isascii() and text.isdigit() and int(text) <= _KNOWN_BLOCKED_APPS
    return "" if known else text


_SENDING_TYPES = frozenset(
    {
        "UserMailbox",
        "SharedMailbox",
        "RoomMailbox",
        "EquipmentMailbox",
        "LinkedMailbox",
        "LinkedRoomMailbox",
        "LegacyMailbox",
        "SchedulingMailbox",
        "TeamMailbox",
    }
)
_WRONG_TYPES: Mapping[str, str] = {
    "MailUser": "it has no mailbox in Exchange Online; a High Volume Email account uses smtp.hve.mx.microsoft instead",
    "MailContact": "it has no mailbox",
    "RemoteUserMailbox": "its mailbox is on-premises",
    "RemoteSharedMailbox": "its mailbox is on-premises",
    "RemoteRoomMailbox": "its mailbox is on-premises",
    "RemoteEquipmentMailbox": "its mailbox is on-premises",
    "GroupMailbox": "nobody can sign in as a group",
    "DiscoveryMailbox": "nobody can sign in to a system mailbox",
    "ArbitrationMailbox": "nobody can sign in to a system mailbox",
    "SystemMailbox": "nobody can sign in to a system mailbox",
    "PublicFolderMailbox": "nobody can sign in to a public folder mailbox",
}


def mailbox_type_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    source = "RecipientTypeDetails and SKUAssigned of Get-User"
    kind = mailbox.recipient_type
    if isinstance(kind, Unread):
        return _unread(MAILBOX_TYPE, source, kind, oauth=UNKNOWN)
    if kind in _WRONG_TYPES:
        detail = f"This is a {kind}: {_WRONG_TYPES[kind]}."
        return Gate(MAILBOX_TYPE, CLOSED, CLOSED, source, detail, "Use a user or shared mailbox to send.")
    if kind not in _SENDING_TYPES:
        detail = f"Whether a {kind or 'mailbox without a type'} can send over SMTP AUTH is not known."
        return Gate(MAILBOX_TYPE, UNKNOWN, UNKNOWN, source, detail, "Try it with exo_smtp_auth_probe.")
    if mailbox.licensed is False and kind == "UserMailbox":
        detail = "No license is assigned to this user mailbox: it works for a while and is then removed."
        return Gate(MAILBOX_TYPE, UNKNOWN, UNKNOWN, source, detail, "Assign a license with Exchange Online.")
    return Gate(MAILBOX_TYPE, OPEN, OPEN, source, f"A {kind} can send over SMTP AUTH.")


def smtp_auth_setting_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    source = "SmtpClientAuthenticationDisabled of Get-CASMailbox and Get-TransportConfig"
    own = mailbox.own
    remedy = "Put the mailbox on the allowed list of exo_smtp_auth."
    if isinstance(own, Unread):
        return _unread(SMTP_AUTH_SETTING, source, own, oauth=UNKNOWN)
    if own is not None:
        state, word = (CLOSED, "off") if own else (OPEN, "on")
        detail = f"SMTP AUTH is turned {word} for this mailbox, whatever the organization says."
        return Gate(SMTP_AUTH_SETTING, state, state, source, detail, remedy if own else "")
    if isinstance(tenant.organization_disabled, Unread):
        return _unread(SMTP_AUTH_SETTING, source, tenant.organization_disabled, oauth=UNKNOWN)
    if tenant.organization_disabled:
        detail = "The mailbox inherits, and the organization has SMTP AUTH turned off."
        return Gate(SMTP_AUTH_SETTING, CLOSED, CLOSED, source, detail, remedy)
    detail = "The mailbox inherits, and the organization has SMTP AUTH turned on."
    return Gate(SMTP_AUTH_SETTING, OPEN, OPEN, source, detail)


def authentication_policy_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    source = "AuthenticationPolicy of Get-User, else DefaultAuthenticationPolicy of Get-OrganizationConfig"
    reference, whose = mailbox.own_policy, "The user's own"
    if not reference:
        reference, whose = tenant.default_policy, "The organization's default"
    if isinstance(reference, Unread):
        return _unread(AUTHENTICATION_POLICY, source, reference, oauth=OPEN)
    if not reference:
        return Gate(AUTHENTICATION_POLICY, OPEN, OPEN, source, "No authentication policy applies to this user.")
    if isinstance(tenant.policies, Unread):
        return _unread(AUTHENTICATION_POLICY, "Get-AuthenticationPolicy", tenant.policies, oauth=OPEN)
    return _policy_gate(source, whose, reference, tenant.policies.find(reference))


def _policy_gate(source: str, whose: str, reference: str, policy: Mapping[str, t.Any] | None) -> Gate:
    """policy: what the reference leads to, None where that is none of the tenant's policies."""
    allows = policy.get("AllowBasicAuthSmtp") if policy else None
    name = str(policy.get("Name") or reference) if policy else reference
    if not isinstance(allows, bool):
        lost = "is none of the tenant's policies" if policy is None else "does not say whether it lets SMTP through"
        return Gate(
            AUTHENTICATION_POLICY,
            UNKNOWN,
            OPEN,
            source,
            f"{whose} authentication policy, {name}, {lost}.",
            "Assign the user a policy that exists.",
        )
    if allows:
        detail = f"{whose} authentication policy, {name}, lets Basic through for SMTP."
        return Gate(AUTHENTICATION_POLICY, OPEN, OPEN, source, detail)
    return Gate(
        AUTHENTICATION_POLICY,
        CLOSED,
        OPEN,
        source,
        f"{whose} authentication policy, {name}, refuses Basic for SMTP.",
        "Name a policy that lets SMTP through in authentication_policy of exo_smtp_auth, or use OAuth.",
    )


def account_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    source = "AccountDisabled of Get-User"
    disabled = mailbox.account_disabled
    if isinstance(disabled, Unread):
        # A disabled account does not keep an app from sending for the mailbox.
        return _unread(ACCOUNT, source, disabled, oauth=OPEN)
    if not disabled:
        return Gate(ACCOUNT, OPEN, OPEN, source, "The account may sign in.")
    return Gate(
        ACCOUNT,
        CLOSED,
        OPEN,
        source,
        "Sign-in is blocked for this account, as is usual for a shared mailbox. OAuth as this user is closed too;"
        " an app that sends for the mailbox is not affected.",
        "Send with OAuth by an app (SMTP.SendAsApp), or as a user who has rights on this mailbox.",
    )


def security_defaults_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    source = "identitySecurityDefaultsEnforcementPolicy of Microsoft Graph"
    enabled = tenant.security_defaults
    if isinstance(enabled, Unread):
        return _unread(SECURITY_DEFAULTS, source, enabled, oauth=OPEN)
    if not enabled:
        return Gate(SECURITY_DEFAULTS, OPEN, OPEN, source, "Security defaults are off.")
    return Gate(
        SECURITY_DEFAULTS,
        CLOSED,
        OPEN,
        source,
        "Security defaults are on: they refuse Basic for everybody, and no user can be excluded.",
        "Use OAuth, or turn security defaults off and let Conditional Access protect the tenant instead.",
    )


def conditional_access_gate(tenant: TenantFacts, mailbox: MailboxFacts) -> Gate:
    basic, oauth = tenant.conditional_access, tenant.conditional_access_oauth
    source = "Conditional Access policies of Microsoft Graph"
    if isinstance(basic, Unread):
        return _unread(CONDITIONAL_ACCESS, source, basic, oauth=UNKNOWN)
    if isinstance(oauth, Unread):
        return _unread(CONDITIONAL_ACCESS, source, oauth, oauth=UNKNOWN)
    asked = mailbox.what_if if isinstance(mailbox.what_if, Judgement) else None
    judged = asked or basic.judge(mailbox.object_id)
    modern = oauth.judge(mailbox.object_id)
    demands = [*modern.blocking, *(str(one) for one in modern.undecided)]
    return Gate(
        CONDITIONAL_ACCESS,
        _state(judged),
        UNKNOWN if demands else OPEN,
        "What-If of Conditional Access" if asked else source,
        _access_detail(judged) + _oauth_detail(demands) + _what_if_failure(mailbox.what_if),
        _access_remedy(judged, asked=asked is not None),
    )


def _state(judged: Judgement) -> str:
    if judged.blocking:
        return CLOSED
    return UNKNOWN if judged.undecided else OPEN


def _access_detail(judged: Judgement) -> str:
    if judged.blocking:
        return f"Blocks Basic: {_some(judged.blocking)}."
    if judged.undecided:
        return f"May block Basic: {_some([str(one) for one in judged.undecided])}."
    return "No enabled policy blocks Basic for this user."


def _oauth_detail(demands: Sequence[str]) -> str:
    return f" OAuth depends on {_some(demands)}." if demands else ""


def _what_if_failure(answer: Judgement | Unread | None) -> str:
    return f" What-If: {answer.reason}" if isinstance(answer, Unread) else ""


def _access_remedy(judged: Judgement, *, asked: bool) -> str:
    if judged.blocking:
        return "Exclude the user from these policies, limited to the device's address, or use OAuth."
    if judged.undecided and not asked:
        return "Ask Conditional Access itself with what_if: true and the device's client_ip."
    return ""


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _unread(name: str, source: str, unread: Unread, *, oauth: str) -> Gate:
    remedy = f"Grant {unread.permission}." if unread.permission else ""
    return Gate(name, UNKNOWN, oauth, source, f"Not read: {unread.reason}", remedy, unread.permission, read=False)


_JUDGES: tuple[Callable[[TenantFacts, MailboxFacts], Gate], ...] = (
    retirement_gate,
    mailbox_type_gate,
    smtp_auth_setting_gate,
    authentication_policy_gate,
    account_gate,
    security_defaults_gate,
    conditional_access_gate,
)
