# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it takes to know who can use SMTP AUTH: read, and worked out by the rules of ``_effect``. PRIVATE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import (
    UNKNOWN,
    Effect,
    Move,
    effect,
    smtp_auth_enabled,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import AuthenticationFailed, ExoError
from ansible_collections.m365.exchange_online.plugins.module_utils._model import Record
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Reader, read_single
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH, TRANSPORT_CONFIG
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Task


@dataclass(frozen=True)
class Reach:
    """Whom a change reaches. organization_disabled: the setting that mailboxes follow after it, None if not known.

    reason: why the effect is not known. mailboxes: all that were read, where it took all of them.
    """

    effect: Effect
    organization_disabled: Value | None = None
    reason: ExoError | None = None
    mailboxes: tuple[Record, ...] = ()


def reach(task: Task, client: Client, organization: Change | None, mailboxes: Sequence[Change]) -> Reach:
    """Who gains and loses SMTP AUTH in effect by these changes; what it takes to know is read.

    Where the organization flips, every mailbox without a value of its own counts.
    """
    moves = [change for change in mailboxes if SMTP_AUTH in change.differing()[1]]
    try:
        if organization is not None and SMTP_AUTH in organization.differing()[1]:
            return _all_reached(task, client, organization, {change.target.key: change for change in moves})
        return _some_reached(client, moves)
    except AuthenticationFailed:
        raise
    except ExoError as error:
        task.warn(f"It is not known who gains or loses SMTP AUTH in effect. {error.message}")
        return Reach(UNKNOWN, reason=error)


def _some_reached(client: Client, changes: Sequence[Change]) -> Reach:
    """Who gains and loses by changes of mailboxes alone."""
    states = [(change.target, change.before[SMTP_AUTH], change.after[SMTP_AUTH]) for change in changes]
    # What the organization says does not matter as long as nobody follows it.
    follows = any(INHERIT in (before, after) for _target, before, after in states)
    disabled = read_single(client, TRANSPORT_CONFIG, [SMTP_AUTH]).read(SMTP_AUTH) if follows else False
    moved = effect(
        Move(target, smtp_auth_enabled(before, disabled), smtp_auth_enabled(after, disabled))
        for target, before, after in states
    )
    return Reach(moved, disabled if follows else None)


def _all_reached(task: Task, client: Client, organization: Change, moves: dict[str, Change]) -> Reach:
    boxes = Reader(client, [SMTP_AUTH], task.progress, warn=task.warn).everything()
    was, becomes = organization.before[SMTP_AUTH], organization.after[SMTP_AUTH]

    def move(box: Record) -> Move:
        own = box.read(SMTP_AUTH)
        after = moves[box.key].after[SMTP_AUTH] if box.key in moves else own
        return Move(box.target, smtp_auth_enabled(own, was), smtp_auth_enabled(after, becomes))

    return Reach(effect(move(box) for box in boxes), becomes, mailboxes=tuple(boxes))
