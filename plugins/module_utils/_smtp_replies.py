# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a device was told when it tried to send: which gate says so, and what to do. PRIVATE to the collection.

Pure: a text in, a Reply out. The texts are those that Microsoft documents or that administrators report; what Exchange
Online says before ``Authentication unsuccessful`` and after it (host names, time stamps) differs from call to call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import (
    AUTHENTICATION_POLICY,
    BASIC_AUTH_RETIREMENT,
    CONDITIONAL_ACCESS,
    SECURITY_DEFAULTS,
    SMTP_AUTH_SETTING,
)

LONGEST = 4000  # characters that are looked at


@dataclass(frozen=True)
class Reply:
    """A known text. pattern: what it is recognised by. gate: the gate that speaks, None where none of them does.

    certain: whether sources agree on who says it.
    """

    pattern: str
    gate: str | None
    meaning: str
    remedy: str
    certain: bool = True


# The first that fits decides: the texts that say more come first.
REPLIES = (
    Reply(
        r"SmtpClientAuthentication is disabled for the Tenant",
        SMTP_AUTH_SETTING,
        "The organization has SMTP AUTH turned off, and the mailbox inherits that.",
        "Put the mailbox on the allowed list of exo_smtp_auth; the organization can stay closed.",
    ),
    Reply(
        r"SmtpClientAuthentication is disabled for the Mailbox",
        SMTP_AUTH_SETTING,
        "SMTP AUTH is turned off for this very mailbox.",
        "Put the mailbox on the allowed list of exo_smtp_auth.",
    ),
    Reply(
        r"locked by your organization.{0,3}s security defaults policy",
        SECURITY_DEFAULTS,
        "Security defaults are on, and they refuse every sign-in with a user name and password.",
        "Use OAuth for this device, or replace security defaults with Conditional Access; there is no exception to"
        " them.",
    ),
    Reply(
        r"basic authentication is disabled",
        AUTHENTICATION_POLICY,
        "An authentication policy refuses Basic, or Microsoft has turned Basic off for this tenant.",
        "Give the user an authentication policy with allow_basic_auth_smtp: true, or use OAuth.",
        certain=False,
    ),
    Reply(
        r"did not meet the criteria to be authenticated successfully",
        CONDITIONAL_ACCESS,
        "Entra ID refused the sign-in, most often by a Conditional Access policy.",
        "Look at the user's sign-ins in Entra ID: the policy is named there. Exclude the user from it, or use OAuth.",
        certain=False,
    ),
    Reply(
        r"5\.7\.30\b",
        BASIC_AUTH_RETIREMENT,
        "Microsoft no longer accepts Basic for client submission.",
        "Use OAuth, High Volume Email or a connector for this device.",
    ),
    Reply(
        r"5\.7\.57\b",
        None,
        "The client sent no user name and password at all.",
        "Turn authentication on in the device, with port 587 and STARTTLS.",
    ),
    Reply(
        r"\b504 5\.7\.4\b|Unrecognized authentication type",
        None,
        "The client asked for a way to sign in that the server does not offer, often because it did not start TLS.",
        "Use port 587 with STARTTLS and TLS 1.2 or later, and AUTH LOGIN or XOAUTH2.",
        certain=False,
    ),
    Reply(
        r"5\.7\.60\b|SendAsDenied|permissions? to send as this sender",
        None,
        "Signing in worked. The sender's address is not one that this account may use.",
        "Let the device send from the account's own address, or give the account Send As on the other mailbox.",
    ),
    Reply(
        r"5\.5\.105\b",
        None,
        "A High Volume Email account tried to send outside the organization, which it can't do.",
        "Send to internal recipients only, or use another way for this device.",
        certain=False,
    ),
    Reply(
        r"5\.7\.3\b",
        None,
        "The sign-in failed. The text is the same for a wrong password, a blocked account and MFA per user.",
        "Check the password first, then the gates in this result, then the user's sign-ins in Entra ID.",
        certain=False,
    ),
)
_KNOWN = [(re.compile(reply.pattern, re.IGNORECASE), reply) for reply in REPLIES]


def decode(text: str) -> Reply | None:
    """The reply that a device's error text holds, or None for a text that is none of the known ones."""
    plain = " ".join(text[:LONGEST].split())
    return next((reply for pattern, reply in _KNOWN if pattern.search(plain)), None)
