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


def certified(*texts: str, **options: Any) -> Mistake:
    """A task whose certificate is wrong."""
    return transport(*texts, client_secret="", auth_source="certificate", clear_categories=True, **options)


def restore(*texts: str, **options: Any) -> Mistake:
    return Mistake("exo_restore", options, texts)


KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END PRIVATE KEY-----\n"
ADA = {"identity": ["ada"]}
MISTAKES: dict[str, Mistake] = {
    "tenant as a URL": transport(
        r"tenant has to be a GUID or a domain", tenant="https://contoso.onmicrosoft.com", clear_categories=True
    ),
    "tenant that is no domain": transport(r"the tenant does not exist", tenant="contoso", clear_categories=True),
    "tenant that does not exist": transport(
        r"the tenant does not exist.*Check tenant, and cloud", tenant="no-such-tenant.example", clear_categories=True
    ),
    "client_id that is not a GUID": transport(
        r"the app is not known in this tenant.*Check client_id", client_id="my-app", clear_categories=True
    ),
    "wrong secret": transport(r"the client secret is .*not its id", client_secret="wrong", clear_categories=True),
    "secret and certificate": transport(
        r"certificate_path /etc/exo/contoso.pem can't be read",
        certificate_path="/etc/exo/contoso.pem",
        clear_categories=True,
    ),
    "secret and certificate in one task": transport(
        r"leave one out or set auth_source",
        client_secret="x",
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
    "setting in the service's spelling": mailbox(
        r"ImapEnabled is not an option.*Did you mean imap_enabled\?", **ADA, ImapEnabled=False
    ),
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
    "boolean that is a word": mailbox(
        r"imap_enabled has to be true or false, it is 'maybe'", **ADA, imap_enabled="maybe"
    ),
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
    "policy that YAML made false": mailbox(
        r"owa_mailbox_policy is false, not the name of a policy", **ADA, owa_mailbox_policy=False
    ),
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
    "undo file that is none": restore(r"/etc/hostname is not an undo file", src="/etc/hostname"),
    "undo file with a relative path to restore": restore(r"src has to be an absolute path", src="undo.json"),
    "no undo file named": restore(r"What is to be restored\?"),
    "undo content that is not JSON": restore(r"content is not an undo file", content="hello"),
    "tenant that is an address": transport(
        r"tenant has to be a GUID or a domain", tenant="me@contoso.com", clear_categories=True
    ),
    "certificate that is cut off": transport(
        r"neither PEM nor PFX.*certificate_path",
        client_secret="",
        auth_source="certificate",
        certificate="QUJDREVG",
        clear_categories=True,
    ),
    "an option of another module": transport(
        r"proxy is not an option of \S+exo_transport_config\. ansible-doc",
        proxy="http://proxy:3128",
        clear_categories=True,
    ),
    "mailbox with a star": mailbox(
        r"position 1 with a \* \(scan\*\).*use all_mailboxes with where", identity=["scan*"], imap_enabled=False
    ),
    "where with a setting that there is not": mailbox(
        r"where has an unknown key imapenabled\. Did you mean imap_enabled\?",
        where={"imapenabled": True},
        all_mailboxes=True,
        imap_enabled=False,
    ),
    "part that is no number": mailbox(
        r"such as 25 or a percentage such as 10%, it is 'ten%'", **ADA, imap_enabled=False, max_changes="ten%"
    ),
    "limit below nothing": mailbox(r"max_lose has to be a number", **ADA, imap_enabled=False, max_lose="-1"),
    "file of the effect of an unknown kind": mailbox(
        r"effect_file has to end in \.csv or \.json", **ADA, imap_enabled=False, effect_file="/tmp/effect.docx"
    ),
    "setting in the service's spelling in an entry": mailbox(
        r"mailboxes\[0\] has an unknown key PopEnabled\. Did you mean pop_enabled\?",
        mailboxes=[{"identity": "ada", "PopEnabled": False}],
    ),
    "list with an unknown part": mailbox(
        r"has to be a list, or a dict of add, remove and set", **ADA, active_sync_allowed_device_ids={"ad": ["x"]}
    ),
    "time to wait below nothing": smtp_auth(
        r"wait_timeout has to be between 0 and 86400, it is -1",
        organization="disabled",
        allowed=["scanner"],
        wait_timeout=-1,
    ),
    "delay below nothing": smtp_auth(
        r"propagation_delay has to be between 0 and 86400, it is -1",
        organization="disabled",
        allowed=["scanner"],
        propagation_delay=-1,
    ),
    "nobody allowed": smtp_auth(r"allow_empty", organization="disabled", allowed=[]),
    "unknown way to sign in": smtp_auth(
        r"method has to be basic or oauth, it is 'ntlm'",
        organization="disabled",
        allowed=[{"identity": "scanner", "method": "ntlm"}],
    ),
    "days without use that are none": smtp_auth(
        r"require_unused_days has to be between 1 and 365, it is 0",
        organization="disabled",
        allowed=["scanner"],
        require_unused_days=0,
    ),
    "accepted without a gate": smtp_auth(
        r"accept_cutoff goes with require_unused_days only",
        organization="disabled",
        allowed=["scanner"],
        accept_cutoff=["ada"],
    ),
    "user that is not there": Mistake(
        "exo_user",
        {"identity": ["aad"], "authentication_policy": ""},
        (r"identity: There is no user 'aad'.*Check the spelling",),
    ),
    "policy that is not there": Mistake(
        "exo_user",
        {**ADA, "authentication_policy": "Alow SMTP"},
        (r"there is no authentication policy 'Alow SMTP'.*exo_authentication_policy makes one",),
    ),
    "policy that YAML made true": Mistake(
        "exo_user",
        {**ADA, "authentication_policy": True},
        (r"authentication_policy is true, not the name of a policy",),
    ),
    "policy without a name": Mistake(
        "exo_authentication_policy", {"name": ""}, (r"name has to have 1 to 64 characters",)
    ),
    "plan that is not there": Mistake(
        "exo_cas_mailbox_plan",
        {"identity": "Enterprise", "imap_enabled": False},
        (r"There is no mailbox plan 'Enterprise'.*There are: ExchangeOnlineEnterprise",),
    ),
    "app that is not a GUID": Mistake(
        "exo_organization_config",
        {"ews_allowed_app_ids": ["my app"]},
        (r"has my app, which is not an application id such as",),
    ),
    "address of a client that is none": Mistake(
        "exo_smtp_auth_info",
        {**ADA, "what_if": True, "client_ip": "printer"},
        (r"client_ip has to be an IP address such as",),
    ),
    "report in a relative place": Mistake(
        "exo_smtp_auth_info", {"all_mailboxes": True, "dest": "report.csv"}, (r"dest has to be an absolute path",)
    ),
    "device without a password": Mistake(
        "exo_smtp_auth_probe", {"username": "scanner@contoso.com"}, (r"password is missing",)
    ),
    "several tenants": transport(
        r"tenant has to be a GUID or a domain", tenant="contoso.com,fabrikam.com", clear_categories=True
    ),
    "content of a certificate as its path": transport(
        r"certificate_path has to be the path of a file, and holds the content",
        certificate_path=KEY,
        clear_categories=True,
    ),
    "path as the content of a certificate": certified(
        r"a path, not a certificate\. Give the path in certificate_path", certificate="/etc/exo/contoso.pem"
    ),
    "thumbprint of a certificate as its path": certified(
        r"is a thumbprint\. Certificate stores are not read", certificate_path="5F3C9B0A6D2E4F1B8C7A" * 2
    ),
    "certificate as the key vault has it": certified(
        r"in base64.*Decode it into a file", certificate="MIIKYQIBAzCCCic="
    ),
    "directory as a certificate": certified(
        r"certificate_path /etc can't be read: Is a directory", certificate_path="/etc"
    ),
    "id of a secret": transport(
        r"the client secret is wrong.*Use the secret's value, not its id",
        client_secret="6babcaad-604b-40ac-a9d7-9fd97c0b779f",
        clear_categories=True,
    ),
    "boolean of PowerShell": transport(
        r"true or false, it is '\$true'\. In YAML, PowerShell's", smtp_client_authentication_disabled="$true"
    ),
    "null of PowerShell": mailbox(
        r"one of: true, false, inherit, got: \$null", **ADA, smtp_client_authentication_disabled="$null"
    ),
    "parameters of PowerShell": mailbox(
        r"-Identity is not an option.*Did you mean identity\?.*Did you mean imap_enabled\?",
        **{"-Identity": "ada", "-ImapEnabled": False},
    ),
    "filter of PowerShell": mailbox(
        r"where has to be a dictionary", all_mailboxes=True, where="ImapEnabled -eq $true", imap_enabled=False
    ),
    "policy in the task of mailboxes": mailbox(
        r"allowed is not an option of \S+\. exo_smtp_auth has it", allowed=["ada"]
    ),
    "mailbox in the task of the organization": transport(
        r"identity is not an option of \S+\. exo_cas_mailbox has it", **ADA, clear_categories=True
    ),
    "all mailboxes as a name": mailbox(r"There is no mailbox 'all'", identity="all", imap_enabled=False),
    "list written as text": mailbox(r"written as text.*Write a list", identity="['ada', 'ben']", imap_enabled=False),
    "several addresses in one text": mailbox(
        r"of several addresses: .*Write a list", identity="ada@x.example; ben@x.example", imap_enabled=False
    ),
    "dictionary where a list belongs": smtp_auth(
        r"allowed has to be a list, with a dash", organization="disabled", allowed={"identity": "scanner"}
    ),
    "names where dictionaries belong": mailbox(r"Each entry of mailboxes has to be a dictionary", mailboxes=["ada"]),
    "colon after an address": smtp_auth(
        r"A colon after an address makes a key of it", organization="disabled", allowed=[{"scanner@contoso.com": None}]
    ),
    "names one a line in one text": smtp_auth(r"of several lines", organization="disabled", allowed="scanner\nada\n"),
    "word that YAML made false": smtp_auth(
        r"got: False\. YAML takes on, off, yes and no", organization=False, allowed=["scanner"]
    ),
    "date of another country": smtp_auth(
        r"expires has to be a date such as 2027-03-31, it is '31\.12\.2027'",
        organization="disabled",
        allowed=[{"identity": "scanner", "expires": "31.12.2027"}],
    ),
    "report into a device": Mistake(
        # Not /dev/null, which root would lose if this were taken for a file.
        "exo_cas_mailbox_info",
        {**ADA, "dest": "/proc/self/fd/1"},
        (r"dest /proc/self/fd/1 can't be written: it is a device or a pipe",),
    ),
    "undo file in the place of a playbook": mailbox(
        r"a playbook or an inventory has such a name", **ADA, imap_enabled=False, undo_file="/tmp/site.yml"
    ),
}
