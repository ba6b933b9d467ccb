# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task may know of Ansible, with the options that several tasks share. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ansible_collections.m365.exchange_online.plugins.module_utils._client import Client
from ansible_collections.m365.exchange_online.plugins.module_utils._reader import Progress, quiet

if t.TYPE_CHECKING:  # few tasks need these, so the others do not wait for them
    from ansible_collections.m365.exchange_online.plugins.module_utils._graph import Graph
    from ansible_collections.m365.exchange_online.plugins.module_utils._undo_parts import UndoParts

Result = dict[str, t.Any]


@dataclass(frozen=True)
class Task:
    """What a task may know of Ansible. ``connect`` makes the client; nothing is sent before its first cmdlet.

    connect_graph: makes the reader of Microsoft Graph, or None where only an access token for Exchange Online is given.

    tenant: as the user named it; every warning begins with it. module: the module's name.

    undo_parts: where a way back waits that is too long for one result; None where the run has no place for it.
    """

    params: Mapping[str, t.Any]
    check_mode: bool
    warn: Callable[[str], None]
    connect: Callable[[], Client]
    progress: Progress = quiet
    tenant: str = ""
    module: str = ""
    connect_graph: Callable[[], Graph | None] = lambda: None
    undo_parts: UndoParts | None = None
