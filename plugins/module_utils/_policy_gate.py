# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second gate: which authentication policy applies to whom, and whether it lets Basic through for SMTP. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client, Command
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import (
    UNKNOWN,
    Effect,
    Move,
    effect,
    smtp_auth_enabled,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    IncompleteRead,
    InvalidRequest,
    Refused,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record, Target
from ansible_collections.m365.exchange_online.plugins.module_utils._policies import AuthenticationPolicies, bound
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import RemoteObject, Table, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import (
    Reader,
    read_few,
    read_single,
    to_record,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import (
    AUTHENTICATION_POLICY,
    DEFAULT_POLICY,
    ORGANIZATION_CONFIG,
    POLICY,
    SMTP_AUTH,
    TRANSPORT_CONFIG,
    USER,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import did_you_mean, listed

ALLOWS_SMTP = "allow_basic_auth_smtp"
_OBJECT_ID = "ExternalDirectoryObjectId"


@dataclass(frozen=True)
class PolicyGate:
    """Who has which policy. default: the organization's, '' where it has none. Policies go by their names.

    own: the policy of each user who has one, by GUID and by object id. allows: whether each policy lets SMTP through,
    by its name in lower case. users: the records of those who have a policy of their own.
    """

    policies: AuthenticationPolicies
    default: str
    own: Mapping[str, str]
    allows: Mapping[str, bool]
    users: Sequence[Record] = field(default=())

    @property
    def user_table(self) -> Table:
        return bound(USER, self.policies)

    def policy_of(self, record: Record) -> str:
        """The policy that applies to a mailbox's user: the user's own, else the organization's default."""
        return self.own_of(record) or self.default

    def own_of(self, record: Record) -> str:
        object_id = str(record.remote.get(_OBJECT_ID) or "").lower()
        return self.own.get(record.key) or self.own.get(object_id, "")

    def lets_through(self, policy: str) -> bool:
        """Whether Basic passes this gate under the policy; without one it does."""
        return not policy or self.allows.get(policy.lower(), False)

    def passes(self, record: Record) -> bool:
        return self.lets_through(self.policy_of(record))

    def assigned(self, own: Mapping[str, str]) -> PolicyGate:
        """The same tenant with other policies of these users, by GUID; '' takes a user's own away."""
        ids = (user.remote.get(_OBJECT_ID) for user in self.users if user.key in own)
        renamed = {str(name).lower() for name in ids if name}  # under their object ids they would keep the former ones
        kept = {key: name for key, name in self.own.items() if key not in renamed}
        return replace(self, own={**kept, **own})


def read_policies(client: Client) -> AuthenticationPolicies:
    """All policies. One is never read by its name: an unknown name returns all of them (Microsoft's page)."""
    return AuthenticationPolicies([record.remote for record in read_few(client, AUTHENTICATION_POLICY)])


def planned_policies(task: Task) -> Sequence[Mapping[str, t.Any]]:
    """The policies that another task of the same run makes or changes. Only in a preview are they not there yet."""
    return (task.params.get("planned_policies") or ()) if task.check_mode else ()


def known_policy(policies: AuthenticationPolicies, option: str, name: str) -> str:
    """The policy's own spelling of its name; raises InvalidRequest where there is none of this name."""
    if not name:
        return ""
    found = policies.find(name)
    if found is None:
        names = sorted(str(policy.get("Name")) for policy in policies.policies)
        raise InvalidRequest(
            f"{option}: there is no authentication policy {name!r}.",
            hint=did_you_mean(name, names) or _all_policies(names),
        )
    return str(found["Name"])


def _all_policies(names: Sequence[str]) -> str:
    return f"There are: {listed(names)}." if names else "There is none at all; exo_authentication_policy makes one."


def read_gate(client: Client, planned: Sequence[Mapping[str, t.Any]] = ()) -> PolicyGate:
    """Everything that decides at this gate: the default, the policies, and the users who have one of their own.

    planned: policies as they are going to be.
    """
    policies = read_policies(client)
    organization = read_single(client, bound(ORGANIZATION_CONFIG, policies), [DEFAULT_POLICY])
    users = read_users_with_policy(client, policies)
    own: dict[str, str] = {}
    for user in users:
        name = str(user.read(POLICY))
        own[user.key] = name
        object_id = str(user.remote.get(_OBJECT_ID) or "").lower()
        if object_id:
            own[object_id] = name
    table = AUTHENTICATION_POLICY[ALLOWS_SMTP]
    policies = policies.with_planned(planned)
    allows = {str(one.get("Name")).lower(): table.read(one) is True for one in policies.policies}
    return PolicyGate(policies, str(organization.read(DEFAULT_POLICY)), own, allows, users)


_SELECT = ("Guid", _OBJECT_ID, "UserPrincipalName", "WindowsEmailAddress", "DisplayName", "AuthenticationPolicy")


def read_users_with_policy(client: Client, policies: AuthenticationPolicies) -> list[Record]:
    """The users who have a policy of their own: by one query, else by one for each policy, else among all users.

    That the first query works over REST was never seen in public, so a refusal leads to the next way.
    """
    table = bound(USER, policies)
    if not policies.policies:
        return []
    ways: tuple[Callable[[], list[RemoteObject]], ...] = (
        lambda: _query(client, {"Filter": "AuthenticationPolicy -ne $null"}),
        lambda: _query_each(client, policies),
        lambda: _query(client, {}),
    )
    for way in ways[:-1]:
        try:
            return _having_policy(table, way())
        except InvalidRequest:
            continue
    return _having_policy(table, ways[-1]())


def _query(client: Client, parameters: Mapping[str, str]) -> list[RemoteObject]:
    found: list[RemoteObject] = []
    for answer in client.pages(Command("Get-User", {"ResultSize": "Unlimited", **parameters}, _SELECT)):
        found.extend(answer.objects)
    return found


def _query_each(client: Client, policies: AuthenticationPolicies) -> list[RemoteObject]:
    found: list[RemoteObject] = []
    for policy in policies.policies:
        name = str(policy.get("DistinguishedName") or "").replace("'", "''")
        found.extend(_query(client, {"Filter": f"AuthenticationPolicy -eq '{name}'"}))
    return found


def _having_policy(table: Table, objects: Sequence[RemoteObject]) -> list[Record]:
    records: dict[str, Record] = {}
    for remote in objects:
        if remote.get("AuthenticationPolicy"):
            record = to_record(table, remote)
            if record.key in records:
                raise IncompleteRead(
                    f"The list of users has {record.label} twice, so others may be missing.", cmdlet="Get-User"
                )
            records[record.key] = record
    return list(records.values())


@dataclass(frozen=True)
class Settings:
    """What becomes of the other gate in the same plan, where it does not stay.

    own: mailboxes' own settings, by GUID. disabled: the organization's, None where it stays.
    """

    own: Mapping[str, Value] = field(default_factory=dict)
    disabled: Value | None = None


AS_THEY_ARE = Settings()


def gate_effect(
    task: Task,
    client: Client,
    before: PolicyGate,
    after: PolicyGate,
    targets: Sequence[Target] | None = None,
    settings: Settings = AS_THEY_ARE,
) -> tuple[Effect, int]:
    """Who gains and loses SMTP AUTH with Basic when one gate's state becomes another, and how many were looked at.

    targets: the users that can be concerned, all mailboxes if None. A mailbox whose own setting is closed moves in
    neither case.
    """
    try:
        disabled = read_single(client, TRANSPORT_CONFIG, [SMTP_AUTH]).read(SMTP_AUTH)
        reader = Reader(client, [SMTP_AUTH], task.progress, warn=task.warn)
        if targets is None:
            boxes = reader.everything()
        else:
            boxes = list(reader.named([target.key for target in targets]).found.values())
    except AuthenticationFailed:
        raise
    except ExoError as error:
        task.warn(f"It is not known who gains or loses SMTP AUTH in effect. {error.message}")
        return UNKNOWN, 0
    becomes = disabled if settings.disabled is None else settings.disabled

    def move(box: Record) -> Move:
        own = box.read(SMTP_AUTH)
        was = smtp_auth_enabled(own, disabled)
        will = smtp_auth_enabled(settings.own.get(box.key, own), becomes)
        target = replace(box.target, asked=box.target.primary_smtp_address or box.target.asked)
        return Move(target, was and before.passes(box), will and after.passes(box))

    return effect(move(box) for box in boxes), len(boxes)


def refuse_unknown(what: str, effect: Effect) -> None:
    """A change at this gate that can cut off devices is not made while nobody knows which."""
    if not effect.known:
        raise Refused(
            f"{what} is not changed, because it can't be known who loses or gains SMTP AUTH by it.",
            hint="Give the app a role that reads mailboxes and users, such as Global Reader.",
        )
