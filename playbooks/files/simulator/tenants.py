# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants: what a description in YAML or JSON becomes."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from . import schema
from .access import Access
from .described import PLAIN, check_tenant
from .directory import Directory
from .forms import FORMS
from .mailbox import FOREST, FOREST_DN, Mailbox
from .names import DescriptionError, derive
from .organization_schema import ORGANIZATION_BY_NAME
from .store import Stored

CREATED = datetime(2024, 3, 4, 9, 30, tzinfo=timezone.utc)
MANAGE_AS_APP = "Exchange.ManageAsApp"
GRAPH_ROLES = ("AuditLog.Read.All", "Policy.Read.All", "User.Read.All")
DEFAULT_ROLE = "Exchange Administrator"
_LONG_AGO = "2024-03-04T09:30:00.0000000"

ROLES: Mapping[str, frozenset[str] | None] = {
    "none": frozenset(),
    "Global Administrator": None,
    "Exchange Administrator": None,
    "Global Reader": frozenset(
        {
            "get-authenticationpolicy",
            "get-casmailbox",
            "get-casmailboxplan",
            "get-organizationconfig",
            "get-transportconfig",
            "get-user",
        }
    ),
    "Security Reader": frozenset({"get-transportconfig"}),
    "Exchange Recipient Administrator": frozenset({"get-casmailbox", "get-user", "set-casmailbox", "set-user"}),
}

CLOUD_AUDIENCES: Mapping[str, tuple[str, ...]] = {
    "worldwide": ("https://outlook.office365.com", "https://outlook.office.com"),
    "gcc": ("https://outlook.office365.com", "https://outlook.office.com"),
    "gcc_high": ("https://outlook.office365.us",),
    "dod": ("https://outlook-dod.office365.us",),
    "china": ("https://partner.outlook.cn",),
}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0")


@dataclass
class App:
    client_id: str
    secret: str | None = None
    secret_expired: bool = False
    certificate: bool = False
    certificate_password: str | None = None
    certificate_days: int = 365
    roles: list[str] = field(default_factory=lambda: [MANAGE_AS_APP])
    send_as: list[str] = field(default_factory=list)
    graph_roles: list[str] = field(default_factory=lambda: list(GRAPH_ROLES))
    directory_role: str | list[str] = DEFAULT_ROLE
    federated: dict[str, str] | None = None
    blocked: bool = False
    hidden_parameters: list[str] = field(default_factory=list)
    read_scope: list[str] | None = None
    write_scope: list[str] | None = None

    def may_run(self, cmdlet: str) -> bool:
        if isinstance(self.directory_role, list):
            return cmdlet.casefold() in {name.casefold() for name in self.directory_role}
        allowed = ROLES[self.directory_role]
        return allowed is None or cmdlet.casefold() in allowed

    def has_any_role(self) -> bool:
        return self.directory_role not in ("none", [])


_POLICY_CONTAINERS: Mapping[str, str] = {
    "active_sync": "CN=Mobile Mailbox Policies",
    "authentication": "CN=Auth Policies",
    "owa": "CN=OWA Mailbox Policies",
}


class Tenant:
    lag: float = 0
    token_lifetime: float = 3599
    page_expiry: float = 1800
    rate_headers: bool = True
    cloud: str = "worldwide"
    concurrency_limit: int | None = None
    latency: dict[str, float] | None = None
    error_form: str = "pipe"
    culture_as_object: bool = False
    smtp_basic_retired: bool = False
    dehydrated: bool | list[str] = False
    omit_nulls: bool | list[str] = False
    policy_lag: float = 0
    null_reference: int = 0

    def __init__(self, description: Mapping[str, Any]) -> None:
        check_tenant(description)
        label = description.get("label")
        if not isinstance(label, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", label):
            raise DescriptionError("a tenant needs a label of letters, digits, '.', '_' and '-'")
        self.label = label
        # What is empty is as good as not given.
        given = {name: value for name, value in description.items() if value}
        self.mailboxes: list[Mailbox] = []
        self.tenant_id: str = str(given.get("tenant_id", derive(label, "tenant"))).lower()
        self.domains: list[str] = [str(name).lower() for name in given.get("domains", [f"{label}.onmicrosoft.com"])]
        self.cmdlets: dict[str, list[dict[str, Any]]] = {}
        self.graph: dict[str, Any] = {}
        self.forms: dict[str, str] = {}
        self.directory = Directory(self, {})
        self.apps = [self._app(number, entry) for number, entry in enumerate(given.get("apps", [{}]))]
        identity = description.get("managed_identity")
        self.identity = self._app(-1, {"secret": None, **identity}) if identity is not None else None
        self.identity_header = derive(label, "identity-header")
        self.policies = policies(label, given.get("policies", {}))
        self.access = Access(self, description)
        self.in_flight = 0
        self.peak = 0
        self.token_number = 0
        self.first_valid_token = 0
        self.claims_challenge: str | None = None
        self.set_plain(description)
        self.transport = Stored({**self._transport_facts(), **given.get("transport_config", {})})
        organization = self.access.organization_values(given.get("organization_config", {}))
        self.organization = Stored(self._organization_facts())
        self.access.write_organization(organization, 0, at_once=True)
        self._index: dict[str, tuple[Mailbox, ...]] = {}
        self._names: set[str] = set()
        self.seeded = False
        self.add_mailboxes(given.get("mailboxes", []))
        if "generate" in given:
            self.add_mailboxes(generated(self.domains[-1], given["generate"]))
        self.check_scopes(self.apps)
        # Mailboxes that come later are new ones: they take what their plan says.
        self.seeded = True

    def set_plain(self, description: Mapping[str, Any]) -> None:
        for key in PLAIN:
            if key in description:
                setattr(self, key, description[key])

    def check_scopes(self, apps: Iterable[App]) -> None:
        for app in apps:
            missing = [name for name in [*(app.read_scope or ()), *(app.write_scope or ())] if not self.find(name)]
            if missing:
                raise DescriptionError(f"{self.label}: a scope names {missing[0]}, and there is no such mailbox")

    def needs_customization(self) -> frozenset[str]:
        """Cmdlets that a tenant refuses which nobody has customized yet; it is known of new policies only."""
        named = self.dehydrated if isinstance(self.dehydrated, list) else ["New-AuthenticationPolicy"]
        return frozenset(name.casefold() for name in named) if self.dehydrated else frozenset()

    def omitted(self) -> frozenset[str]:
        """Properties that an answer leaves out where they are null; '*' is all of them."""
        if isinstance(self.omit_nulls, list):
            return frozenset(self.omit_nulls)
        return frozenset({"*"} if self.omit_nulls else ())

    def in_scope(self, mailbox: Mailbox, scope: list[str]) -> bool:
        return any(mailbox in self.find(name) for name in scope)

    def form(self, name: str) -> str:
        return self.forms.get(name, FORMS[name][0])

    @property
    def entra(self) -> dict[str, Any]:
        return self.directory.given

    @entra.setter
    def entra(self, given: Mapping[str, Any]) -> None:
        """What is named replaces what there was; the rest stays."""
        self.directory = self.directory.changed(given)

    def _app(self, number: int, entry: Mapping[str, Any]) -> App:
        given = dict(entry)
        certificate = given.pop("certificate", False)
        details = certificate if isinstance(certificate, dict) else {}
        app = App(
            client_id=str(given.pop("client_id", None) or derive(self.label, "app", str(number))).lower(),
            certificate=certificate is not False,
            certificate_password=details.get("password"),
            certificate_days=int(details.get("expires_in_days", 365)),
        )
        federated = given.pop("federated", None)
        if federated is not None:
            subject = f"repo:{self.label}/baseline:ref:refs/heads/main"
            wanted = federated if isinstance(federated, dict) else {}
            app.federated = {"issuer": "https://issuer.example.com", "subject": subject, **wanted}
        elif not app.certificate and "secret" not in given:
            given["secret"] = f"secret-of-{self.label}-{number}"
        for key, value in given.items():
            setattr(app, key, value)
        check_role(app.directory_role)
        return app

    def _transport_facts(self) -> dict[str, Any]:
        domain = self.domains[0]
        return {
            "OrganizationFederatedMailbox": f"FederatedEmail.4c1f4d8b-8179-4148-93bf-00a95fa1e042@{domain}",
            "DistinguishedName": f"CN=Transport Settings,{self.configuration_dn()}",
            "ObjectCategory": f"{FOREST}/Configuration/Schema/ms-Exch-Transport-Settings",
            "WhenChanged": f"{_LONG_AGO}+00:00",
            "WhenCreated": f"{_LONG_AGO}+00:00",
            "WhenChangedUTC": f"{_LONG_AGO}Z",
            "WhenCreatedUTC": f"{_LONG_AGO}Z",
            "ExchangeObjectId": derive(self.label, "transport", "exchange"),
            "Guid": derive(self.label, "transport"),
            "OrganizationalUnitRoot": domain,
            "OrganizationId": self.organization_id(),
            "OriginatingServer": self.directory_server(),
        }

    def _organization_facts(self) -> dict[str, Any]:
        domain = self.domains[0]
        return {
            "OrganizationId": self.organization_id(),
            "Name": domain,
            "Identity": domain,
            "Guid": derive(self.label, "organization"),
            "BookingsEnabledLastUpdateTime": f"{_LONG_AGO}Z",
            "ConnectorsEnabledForOutlookLastUpdateTime": f"{_LONG_AGO}Z",
            "ConnectorsEnabledForTeamsLastUpdateTime": f"{_LONG_AGO}Z",
            "ConnectorsEnabledForSharepointLastUpdateTime": f"{_LONG_AGO}Z",
            "ConnectorsEnabledForYammerLastUpdateTime": f"{_LONG_AGO}Z",
            "LegacyExchangeDN": "/o=First Organization/ou=External (FYDIBOHF25SPDLT)",
            "DisplayName": self.label.title(),
            "FocusedInboxOnLastUpdateTime": "0001-01-01T00:00:00.0000000Z",
            "Id": domain,
            "DistinguishedName": self.configuration_dn(),
            "ObjectCategory": f"{FOREST}/Configuration/Schema/ms-Exch-Configuration-Unit-Container",
            "WhenChanged": f"{_LONG_AGO}+00:00",
            "WhenCreated": f"{_LONG_AGO}+00:00",
            "WhenChangedUTC": f"{_LONG_AGO}Z",
            "WhenCreatedUTC": f"{_LONG_AGO}Z",
            "ExchangeObjectId": derive(self.label, "organization"),
            "OrganizationalUnitRoot": domain,
            "OriginatingServer": self.directory_server(),
        }

    def configuration_dn(self) -> str:
        return f"CN=Configuration,CN={self.domains[0]},CN=ConfigurationUnits,{FOREST_DN}"

    def organization_id(self) -> str:
        domain = self.domains[0]
        return (
            f"{FOREST}/Microsoft Exchange Hosted Organizations/{domain} - "
            f"{FOREST}/ConfigurationUnits/{domain}/Configuration"
        )

    def directory_server(self) -> str:
        return f"AM0PR19A01DC003.{FOREST}"

    def answers_to(self, name: str) -> bool:
        return name.lower() == self.tenant_id or name.lower() in self.domains

    def add_mailboxes(self, entries: Iterable[Mapping[str, Any]]) -> None:
        for entry in entries:
            mailbox = Mailbox(self.label, entry)
            if mailbox.type not in schema.RECIPIENT_TYPES:
                raise DescriptionError(f"unknown mailbox type {mailbox.type}")
            if not mailbox.name:
                # Names are unique in a tenant, display names are not.
                taken = mailbox.display_name.casefold() in self._names
                suffix = str(uuid.UUID(mailbox.guid).int)[:10] if taken else ""
                mailbox.name = mailbox.display_name + suffix
            if mailbox.name.casefold() in self._names:
                raise DescriptionError(f"two mailboxes are called {mailbox.name}")
            self._names.add(mailbox.name.casefold())
            self.access.equip(mailbox, entry)
            self.mailboxes.append(mailbox)
        self.name_anew()

    def name_anew(self) -> None:
        self._index = self._build_index()

    def remove_mailbox(self, mailbox: Mailbox) -> None:
        self.mailboxes.remove(mailbox)
        self._names.discard(mailbox.name.casefold())
        self._index = self._build_index()

    def find(self, identity: str) -> tuple[Mailbox, ...]:
        return self._index.get(identity.strip().casefold(), ())

    def _build_index(self) -> dict[str, tuple[Mailbox, ...]]:
        index: dict[str, tuple[Mailbox, ...]] = {}
        organization = self.domains[0]
        for mailbox in self.mailboxes:
            alone = (mailbox,)
            for key in {key.casefold() for key in mailbox.keys(organization) if key}:
                index[key] = index[key] + alone if key in index else alone
        return index

    def find_app(self, client_id: str) -> App | None:
        apps = [*self.apps, *([self.identity] if self.identity else [])]
        return next((app for app in apps if app.client_id == client_id.lower()), None)

    def policy_key(self, kind: str, identity: str) -> str | None:
        """What is stored for a policy: the GUID of an authentication policy, the name of another."""
        if kind == "authentication":
            found = self.access.authentication.find(identity)
            return found.guid if found else None
        wanted = identity.lower()  # letter by letter: Straße is not STRASSE
        for name, guid in self.policies[kind].items():
            dn = f"CN={name},{_POLICY_CONTAINERS[kind]},CN=Configuration"
            known = (name, guid, dn, f"{dn},CN={self.domains[0]},CN=ConfigurationUnits", self.policy_dn(kind, name))
            if wanted in (form.lower() for form in known):
                return name
        return None

    def policy_dn(self, kind: str, name: str) -> str:
        return f"CN={name},{_POLICY_CONTAINERS[kind]},{self.configuration_dn()}"

    def organizational_unit(self) -> str:
        return f"{FOREST}/Microsoft Exchange Hosted Organizations/{self.domains[0]}"

    @staticmethod
    def category(name: str) -> str:
        return f"{FOREST}/Configuration/Schema/{name}"

    def default_policy(self) -> str:
        return next(iter(self.policies["active_sync"]))

    def transport_value(self, name: str) -> Any:
        return self.transport.current.get(name, schema.TRANSPORT_BY_NAME[name].default)

    def organization_value(self, name: str) -> Any:
        return self.organization.current.get(name, ORGANIZATION_BY_NAME[name].default)

    def smtp_enabled(self, mailbox: Mailbox) -> bool:
        """Whether SMTP AUTH works in effect: the mailbox's own word, else the organization's."""
        own = mailbox.stored("SmtpClientAuthenticationDisabled")
        return not (self.transport_value("SmtpClientAuthenticationDisabled") if own is None else own)


def check_role(role: str | list[str]) -> None:
    if isinstance(role, str) and role not in ROLES:
        raise DescriptionError(f"directory_role is one of {', '.join(ROLES)}, or a list of cmdlets")


def policies(label: str, given: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    defaults = {"owa": "OwaMailboxPolicy-Default", "active_sync": "Default"}
    return {
        kind: {name: derive(label, "policy", kind, name) for name in dict.fromkeys([first, *(given.get(kind) or ())])}
        for kind, first in defaults.items()
    }


_FIRST = ("Ada", "Ben", "Cleo", "Dev", "Edda", "Finn", "Gina", "Hugo", "Ines", "Jan", "Kira", "Leo", "Mara", "Nils")
_LAST = ("Abel", "Brandt", "Conti", "Duarte", "Engel", "Falk", "Grau", "Hansen", "Ivers", "Jung", "Kern", "Lopez")


def generated(domain: str, given: int | Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Many plausible mailboxes; the same numbers always give the same ones."""
    wanted: Mapping[str, Any] = {"count": given} if isinstance(given, int) else given
    chance = random.Random(wanted.get("seed", 1))
    enabled, disabled = float(wanted.get("explicit_enabled", 0.01)), float(wanted.get("explicit_disabled", 0.01))
    shared, rooms = float(wanted.get("shared", 0.1)), float(wanted.get("rooms", 0.02))
    domain, prefix = wanted.get("domain", domain), wanted.get("prefix", "")
    for number in range(int(wanted["count"])):
        first, last, kind, smtp = (chance.choice(_FIRST), chance.choice(_LAST), chance.random(), chance.random())
        entry: dict[str, Any] = {
            "upn": f"{prefix}{first}.{last}.{number:05d}@{domain}".lower(),
            "display_name": f"{first} {last} {number:05d}",
            "name": f"{prefix}{first}.{last}.{number:05d}",
            "type": _generated_type(kind, shared, rooms),
        }
        if smtp < enabled + disabled:
            entry["cas"] = {"SmtpClientAuthenticationDisabled": smtp >= enabled}
        yield entry


def _generated_type(chance: float, shared: float, rooms: float) -> str:
    """shared, rooms: the shares of these types."""
    if chance < shared:
        return "SharedMailbox"
    return "RoomMailbox" if chance < shared + rooms else "UserMailbox"
