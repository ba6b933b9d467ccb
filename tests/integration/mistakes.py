# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes that people make, each with what has to stand in the message that they get."""

from __future__ import annotations

from typing import Any, NamedTuple


class Mistake(NamedTuple):
    """A task with a mistake in it. texts: regular expressions, each in the message."""

    module: str
    options: dict[str, Any]
    texts: tuple[str, ...]


def smtp_auth(*texts: str, **options: Any) -> Mistake:
    return Mistake("exo_smtp_auth", options, texts)


def mailbox(*texts: str, **options: Any) -> Mistake:
    return Mistake("exo_cas_mailbox", options, texts)


def transport(*texts: str, **options: Any) -> Mistake:
    return Mistake("exo_transport_config", options, texts)


def restore(*texts: str, **options: Any) -> Mistake:
    return Mistake("exo_restore", options, texts)


ADA = {"identity": ["ada"]}
MISTAKES: dict[str, Mistake] = {
    "tenant as a URL": transport(
        r"tenant has to be a GUID or a domain", tenant="https://contoso.onmicrosoft.com", clear_categories=True
    ),
    "tenant that is no domain": transport(r"the tenant does not exist", tenant="contoso", clear_categories=True),
    "tenant that does not exist": transport(
        r"the tenant does not exist.*Check tenant, and cloud", tenant="no-such-tenant.example", clear_categories=True
    ),
    "client_id that is no GUID": transport(
        r"the app is not known in this tenant.*Check client_id", client_id="my-app", clear_categories=True
    ),
    "wrong secret": transport(r"the client secret is .*not its id", client_secret="wrong", clear_categories=True),
    "secret and certificate": transport(
        r"certificate_path /etc/exo/contoso.pem can't be read",
        certificate_path="/etc/exo/contoso.pem",
        clear_categories=True,
    ),
    "certificate that is not there": transport(
        r"certificate_path /no/such.pem can't be read: No such file",
        client_secret="",
        auth_source="certificate",
        certificate_path="/no/such.pem",
        clear_categories=True,
    ),
    "CA file that is not there": transport(
        r"ca_path /no/such/ca.pem does not exist", ca_path="/no/such/ca.pem", clear_categories=True
    ),
    "unknown cloud": transport(r"value of cloud must be one of: worldwide", cloud="germany", clear_categories=True),
    "endpoint without https": transport(
        r"endpoint has to be the https URL", endpoint="http://localhost", clear_categories=True
    ),
    "timeout of zero": transport(r"timeout has to be between 1 and 3600, it is 0", timeout=0, clear_categories=True),
    "misspelt setting": transport(r"clear_categorys", clear_categorys=True),
    "setting in the service's spelling": mailbox(r"ImapEnabled", **ADA, ImapEnabled=False),
    "nothing to do": mailbox(r"No setting is given", **ADA),
    "nobody named": mailbox(r"Which mailboxes\? Give identity", imap_enabled=False),
    "mailbox that is not there": mailbox(
        r"identity: There is no mailbox 'aad'.*Check the spelling", identity=["aad"], imap_enabled=False
    ),
    "blank mailbox": mailbox(r"position 1 that is empty", identity=[""], imap_enabled=False),
    "all mailboxes and one": mailbox(r"exclude each other", **ADA, all_mailboxes=True, imap_enabled=False),
    "excluded mailbox that is not there": mailbox(
        r"exclude: There is no mailbox 'aad'", all_mailboxes=True, exclude=["aad"], imap_enabled=False
    ),
    "entries that disagree": mailbox(
        r"are the same mailbox.*disagree about imap_enabled",
        mailboxes=[{"identity": "ada", "imap_enabled": True}, {"identity": "ada", "imap_enabled": False}],
    ),
    "boolean that is a word": mailbox(r"'maybe' is not a valid boolean", **ADA, imap_enabled="maybe"),
    "more changes than allowed": mailbox(
        r"max_changes: 1 allows 1.*max_changes: 6 lets it pass", all_mailboxes=True, imap_enabled=False, max_changes=1
    ),
    "max_changes that is no number": mailbox(
        r"max_changes has to be a number such as 25", **ADA, imap_enabled=False, max_changes="few"
    ),
    "undo file with a relative path": mailbox(
        r"undo_file has to be an absolute path", **ADA, imap_enabled=False, undo_file="undo.json"
    ),
    "undo file where no directory is": mailbox(
        r"there is no directory /no/such", **ADA, imap_enabled=False, undo_file="/no/such/undo.json"
    ),
    "expiration that is no time": transport(
        r"message_expiration has to be a span of time", message_expiration="a while"
    ),
    "number out of range": transport(
        r"isn't within the permitted range", reply_all_storm_detection_minimum_recipients=1
    ),
    "policy that YAML made false": mailbox(r"False", **ADA, owa_mailbox_policy=False),
    "organization misspelt": smtp_auth(
        r"value of organization must be one of: enabled, disabled", organization="off", allowed=["scanner"]
    ),
    "allowed and denied": smtp_auth(
        r"are the same mailbox.*and disagree", organization="disabled", allowed=["scanner"], denied=["scanner"]
    ),
    "allowed mailbox that is not there": smtp_auth(
        r"allowed: There is no mailbox 'scaner'", organization="disabled", allowed=["scaner"]
    ),
    "date that is no date": smtp_auth(
        r"expires has to be a date such as",
        organization="disabled",
        allowed=[{"identity": "scanner", "expires": "soon"}],
    ),
    "misspelt part of an entry": smtp_auth(
        r"unknown key reson. Did you mean reason",
        organization="disabled",
        allowed=[{"identity": "scanner", "reson": "x"}],
    ),
    "entry without a mailbox": smtp_auth(
        r"allowed\[0\] has no identity", organization="disabled", allowed=[{"reason": "x"}]
    ),
    "unlisted misspelt": smtp_auth(
        r"value of unlisted must be one of: unmanaged", organization="disabled", allowed=["scanner"], unlisted="off"
    ),
    "unlisted may not follow an open organization": smtp_auth(
        r"would give SMTP AUTH to everybody", organization="enabled", allowed=["scanner"], unlisted="inherit"
    ),
    "nothing wanted": smtp_auth(r"Nothing is given to manage"),
    "undo file that is not there": restore(r"/no/such/undo.json can't be read", src="/no/such/undo.json"),
    "undo file that is none": restore(r"/etc/hostname is no undo file", src="/etc/hostname"),
    "undo file with a relative path to restore": restore(r"src has to be an absolute path", src="undo.json"),
    "no undo file named": restore(r"What is to be restored\?"),
    "undo content that is no JSON": restore(r"content is no undo file", content="hello"),
}
