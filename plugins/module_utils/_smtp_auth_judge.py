# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What decides whether SMTP AUTH works, read for a whole tenant, and the judge of its mailboxes. PRIVATE."""

from __future__ import annotations

import datetime
import itertools
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._accounts import (
    EXCHANGE_ROLE,
    Accounts,
    addresses,
    attempt,
    object_id,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._conditional_access import (
    BASIC,
    OAUTH,
    ConditionalAccess,
    Judgement,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import UnexpectedResponse
from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._policies import AuthenticationPolicies
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Warn, read_single, silent
from ansible_collections.m365.exchange_online.plugins.module_utils._sign_in_log import TOKEN_ONLY
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_auth_report import Judged
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH, TRANSPORT_CONFIG
from ansible_collections.m365.exchange_online.plugins.module_utils._usage import (
    NOT_SEEN,
    Log,
    Report,
    Usage,
    usage_of,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._verdict import (
    BEFORE_SIGN_IN,
    CLOSED,
    Gate,
    MailboxFacts,
    TenantFacts,
    Unread,
    gates,
)

POLICIES = "Policy.Read.All"
POP, IMAP = "pop_enabled", "imap_enabled"
Returned = t.TypeVar("Returned")
Object = Mapping[str, t.Any]
_DEFAULT_POLICY = "DefaultAuthenticationPolicy"


def read_tenant(client: Client, graph: Graph | None, today: datetime.date, warn: Warn = silent) -> TenantFacts:
    """What of the tenant decides for every mailbox: five requests, and one more for each further page."""
    return tenant_facts(
        today,
        attempt(lambda: read_single(client, TRANSPORT_CONFIG, [SMTP_AUTH]), EXCHANGE_ROLE),
        attempt(lambda: _organization(client, warn), EXCHANGE_ROLE),
        attempt(lambda: read_policies(client), EXCHANGE_ROLE),
        ask_graph(graph, Graph.security_defaults),
        ask_graph(graph, Graph.conditional_access),
    )


def tenant_facts(
    today: datetime.date,
    transport_config: Record | Unread,
    organization: Object | Unread,
    policies: AuthenticationPolicies | Unread,
    security_defaults: bool | Unread,
    access: Sequence[Object] | Unread,
) -> TenantFacts:
    """The facts that these answers of the service come to. organization: as Get-OrganizationConfig sends it."""
    return TenantFacts(
        today=today,
        organization_disabled=_organization_disabled(transport_config),
        blocked_apps=organization if isinstance(organization, Unread) else organization.get("BasicAuthBlockedApps"),
        default_policy=organization if isinstance(organization, Unread) else _default_policy(organization),
        policies=policies,
        security_defaults=security_defaults,
        conditional_access=access if isinstance(access, Unread) else ConditionalAccess(access, BASIC),
        conditional_access_oauth=access if isinstance(access, Unread) else ConditionalAccess(access, OAUTH),
    )


def _organization_disabled(transport_config: Record | Unread) -> bool | Unread:
    if isinstance(transport_config, Unread):
        return transport_config
    disabled = attempt(lambda: transport_config.read(SMTP_AUTH), EXCHANGE_ROLE)
    return disabled if isinstance(disabled, Unread) else disabled is True


def ask_graph(graph: Graph | None, read: Callable[[Graph], Returned]) -> Returned | Unread:
    """The answer of Microsoft Graph, or why there is none."""
    return Unread(f"{TOKEN_ONLY}.") if graph is None else attempt(lambda: read(graph), POLICIES)


def _organization(client: Client, warn: Warn) -> Object:
    """The whole object. A service that leaves out nulls has the default policy in it only where there is one."""
    command = Command("Get-OrganizationConfig")
    objects = client.invoke(command).objects
    if len(objects) != 1:
        raise UnexpectedResponse("Get-OrganizationConfig did not return one organization.", cmdlet=command.name)
    if _DEFAULT_POLICY in objects[0]:
        return objects[0]
    warn(f"The service left out {_DEFAULT_POLICY}, so the organization is taken to have none.")
    return {**objects[0], _DEFAULT_POLICY: None}


def _default_policy(organization: Mapping[str, t.Any]) -> str | Unread | None:
    value = organization.get(_DEFAULT_POLICY, Unread("Get-OrganizationConfig did not name it."))
    if value is None or isinstance(value, (str, Unread)):
        return value
    return Unread("DefaultAuthenticationPolicy has a form that is not known.")


def read_policies(client: Client) -> AuthenticationPolicies:
    """All authentication policies of the tenant."""
    answers = client.pages(Command("Get-AuthenticationPolicy"))
    return AuthenticationPolicies(list(itertools.chain.from_iterable(answer.objects for answer in answers)))


@dataclass(frozen=True)
class Judge:
    """Judges mailboxes by what was read. answers: of What-If, by GUID. shared: gates that are told of many."""

    tenant: TenantFacts
    accounts: Accounts
    answers: Mapping[str, Judgement | Unread]
    log: Log | None
    report: Report | None
    shared: dict[Gate, Gate] = field(default_factory=dict)

    def __call__(self, record: Record) -> Judged:
        account = self.accounts.of(record)
        own = record.read(SMTP_AUTH)
        facts = MailboxFacts(
            object_id=object_id(record),
            own=None if own == INHERIT else bool(own),
            recipient_type=account.recipient_type,
            licensed=account.licensed,
            account_disabled=account.disabled,
            own_policy=account.policy,
            what_if=self.answers.get(record.key),
        )
        kind = account.recipient_type
        judged = tuple(self.shared.setdefault(gate, gate) for gate in gates(self.tenant, facts))
        return Judged(
            identity=record.target.identity,
            recipient_type=kind if isinstance(kind, str) else "",
            inherits=own == INHERIT,
            pop_or_imap=record.read(POP) is True or record.read(IMAP) is True,
            gates=judged,
            usage=self._usage(record, judged) if self.log or self.report else None,
        )

    def _usage(self, record: Record, judged: Sequence[Gate]) -> Usage:
        usage = usage_of(object_id(record), self.addresses(record), self.log, self.report)
        closed = tuple(gate.name for gate in judged if gate.basic == CLOSED and gate.name in BEFORE_SIGN_IN)
        return replace(usage, hidden_by=closed) if closed and usage.state == NOT_SEEN else usage

    def addresses(self, record: Record) -> list[str]:
        """All that a sender of this mailbox may be called in a report."""
        return [*addresses(record), self.accounts.of(record).user_principal_name]
