# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tasks on the organization's transport settings. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.m365.exchange_online.plugins.module_utils._arguments import EFFECT, UNDO, WAIT
from ansible_collections.m365.exchange_online.plugins.module_utils._change import Change
from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._effect import Effect
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import Refused
from ansible_collections.m365.exchange_online.plugins.module_utils._reach import reach
from ansible_collections.m365.exchange_online.plugins.module_utils._single_object import (
    converge_single,
    read_all,
    spec,
)
from ansible_collections.m365.exchange_online.plugins.module_utils._tables import SMTP_AUTH, TRANSPORT_CONFIG
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

ARGUMENT_SPEC: Mapping[str, t.Any] = spec(TRANSPORT_CONFIG, EFFECT, UNDO, WAIT)
NOUN = "transport_config"


def converge(task: Task) -> Result:
    """Bring the organization's settings to what the options say."""
    return converge_single(task, TRANSPORT_CONFIG, NOUN, _effect)


def _effect(task: Task, client: Client, change: Change) -> tuple[Effect, int]:
    reached = reach(task, client, change, [])
    if reached.reason is not None and SMTP_AUTH in change.differing()[1]:
        raise Refused(
            f"{SMTP_AUTH} is not changed, because it can't be known who loses or gains SMTP AUTH by it:"
            f" {reached.reason.message}",
            hint="Give the app a role that reads mailboxes, such as View-Only Recipients.",
        )
    return reached.effect, len(reached.mailboxes)


def info(task: Task) -> Result:
    """Every setting, and whatever else the service sent."""
    return read_all(task, TRANSPORT_CONFIG, NOUN)
