# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second gate of exo_smtp_auth: which users get or lose the authentication policy of the list. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change, plan_change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Move
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import (
    AuthenticationFailed,
    ExoError,
    InvalidRequest,
    NotFound,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._policy_gate import (
    PolicyGate,
    known_policy,
    planned_policies,
    read_gate,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import POLICY
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task
from ansible_collections.m365.exchange_online.plugins.module_utils._text import counted, listed


@dataclass(frozen=True)
class Policies:
    """The gate of a tenant, and the policy that those on the list are to have.

    users: the users of the allowed mailboxes that another policy blocks, now or once it is the default, by the GUID of
    the mailbox.
    """

    gate: PolicyGate
    name: str
    users: Mapping[str, Record]

    @property
    def holders(self) -> list[Record]:
        """The users who have this very policy now."""
        return [user for user in self.gate.users if str(user.read(POLICY)).lower() == self.name.lower()]

    def assign(self, box: Record) -> Change | None:
        """The change that lets an allowed mailbox through, if another policy blocks it."""
        user = self.users.get(box.key)
        return plan_change(user, {POLICY: self.name}) if user else None

    def release(self, user: Record) -> Change:
        return plan_change(user, {POLICY: ""})

    def judged(self, moves: Sequence[Move], boxes: Sequence[Record], changes: Sequence[Change]) -> list[Move]:
        """The moves of mailboxes with this gate taken into account."""
        after = self.gate.assigned({change.target.key: str(change.after[POLICY]) for change in changes})
        return [
            replace(move, before=move.before and self.gate.passes(box), after=move.after and after.passes(box))
            for move, box in zip(moves, boxes, strict=True)
        ]


def read_policies_for(task: Task, client: Client, allowed: Sequence[Record]) -> Policies:
    """The gate, and the users of allowed mailboxes that it blocks; raises where the policy can't let them through."""
    gate = read_gate(client, planned_policies(task))
    name = known_policy(gate.policies, POLICY, task.params[POLICY].strip())
    if not gate.lets_through(name):
        raise InvalidRequest(
            f"The authentication policy {name} does not let SMTP through, so it can't open anything.",
            hint="Set allow_basic_auth_smtp: true with exo_authentication_policy, or name another policy.",
        )
    planned = task.params["planned_default_policy"]
    coming = replace(gate, default=planned.strip()) if planned else gate
    blocked = [box for box in allowed if not (gate.passes(box) and coming.passes(box))]
    reader = Reader(client, [POLICY], task.progress, warn=task.warn, table=gate.user_table)
    return Policies(gate, name, _users_of(blocked, reader))


def _users_of(boxes: Sequence[Record], reader: Reader) -> dict[str, Record]:
    """The user of each mailbox, named as the mailbox is, by its GUID; raises where there is none."""
    lookup = reader.named([box.key for box in boxes])
    for error in lookup.failed.values():
        if isinstance(error, NotFound):
            raise error.but(message=f"An allowed mailbox has no user whose policy could be set: {error.message}")
        raise error
    return {box.key: _named_as(box, lookup.found[box.key]) for box in boxes}


def _named_as(box: Record, user: Record) -> Record:
    return replace(user, target=replace(user.target, asked=box.label))


def warn_of_policies(
    task: Task,
    client: Client,
    policies: Policies | None,
    opened: Sequence[Record],
    listed_keys: Sequence[str],
    oauth_keys: Collection[str],
) -> None:
    """Name who stays blocked, or open, by a policy that this task leaves alone.

    opened: allowed mailboxes that this plan opens. Without them nothing is read: a converged run asks nothing more.
    oauth_keys: the allowed mailboxes that are to sign in with OAuth.
    """
    if policies is None:
        _warn_of_blocked(task, client, opened)
        return
    needless = [user.label for user in policies.holders if user.key in oauth_keys]
    if needless:
        task.warn(
            f"The authentication policy {policies.name} lets Basic through for {listed(needless)}, whose method is"
            " oauth. Take it away with exo_user if no device there signs in with Basic."
        )
    if task.params["unlisted"] == "unmanaged":
        others = [user.label for user in policies.holders if user.key not in set(listed_keys)]
        if others:
            verb = "has" if len(others) == 1 else "have"
            task.warn(
                f"{counted(len(others), 'user')} {verb} the authentication policy {policies.name} and no place on a"
                f" list: {listed(others)}."
            )


def _warn_of_blocked(task: Task, client: Client, opened: Sequence[Record]) -> None:
    if not opened:
        return
    try:
        gate = read_gate(client, planned_policies(task))
    except AuthenticationFailed:
        raise
    except ExoError:
        return  # an app that may not read policies is told so by exo_smtp_auth_info
    blocked = [box.label for box in opened if not gate.passes(box)]
    if blocked:
        task.warn(
            f"An authentication policy blocks Basic for {listed(blocked)}, so opening the mailbox alone does not help:"
            " name a policy that lets SMTP through in authentication_policy."
        )
