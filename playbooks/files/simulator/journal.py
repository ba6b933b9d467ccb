# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened: cmdlets in order, requests, effective SMTP AUTH after each write, and counters."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from .mailbox import Mailbox
from .tenants import Tenant

_KEPT = 200_000
SHOWN_HEADERS = ("X-AnchorMailbox", "Prefer", "User-Agent", "Accept-Encoding", "client-request-id")


Snapshot = list[tuple[Mailbox, bool, bool]]


class Journal:
    def __init__(self) -> None:
        self.cmdlets: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.sign_ins: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.history: dict[str, list[dict[str, Any]]] = {}
        self.overruns = 0
        self.worst_overrun = 0.0
        self.total_overrun = 0.0
        self.modelled = 0
        self._sequence = 0

    def clear(self) -> None:
        fresh = Journal()
        # Numbers go on: an entry that a test has seen stays older than whatever follows.
        fresh._sequence = self._sequence
        vars(self).update(vars(fresh))

    def forget(self, label: str) -> None:
        self.cmdlets = deque((entry for entry in self.cmdlets if entry["tenant"] != label), maxlen=_KEPT)
        self.requests = deque((entry for entry in self.requests if entry["tenant"] != label), maxlen=_KEPT)
        self.sign_ins = deque((entry for entry in self.sign_ins if entry["tenant"] != label), maxlen=_KEPT)
        self.history.pop(label, None)

    def ran(self, tenant: Tenant, **entry: Any) -> None:
        self._sequence += 1
        self.cmdlets.append({"seq": self._sequence, "time": time.time(), "tenant": tenant.label, **entry})

    def asked(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        status: int | None,
        tenant: str | None,
        kind: str,
        query: Mapping[str, str] | None = None,
    ) -> None:
        shown = {name: headers[name] for name in SHOWN_HEADERS if name in headers}
        self.requests.append(
            {
                "time": time.time(),
                "tenant": tenant,
                "kind": kind,
                "method": method,
                "path": path,
                "query": dict(query or {}),
                "header_names": sorted({name.lower() for name in headers}),
                "headers": shown,
                "status": status,
            }
        )

    def signed_in(self, **entry: Any) -> None:
        """An attempt at the submission endpoint; whatever was shown as proof is not kept."""
        self.sign_ins.append({"time": time.time(), **entry})

    def model(self, overrun: float) -> None:
        self.modelled += 1
        if overrun > 0:
            self.overruns += 1
            self.total_overrun += overrun
            self.worst_overrun = max(self.worst_overrun, overrun)

    @staticmethod
    def snapshot(tenant: Tenant, mailboxes: Iterable[Mailbox]) -> Snapshot:
        """What the flags and the authentication policies say of some mailboxes before a write."""
        return [(mailbox, tenant.smtp_enabled(mailbox), tenant.access.policy_allows(mailbox)) for mailbox in mailboxes]

    def effective(self, tenant: Tenant, cmdlet: str, before: Snapshot) -> None:
        changes: dict[str, Any] = {}
        policies: dict[str, Any] = {}
        both: dict[str, Any] = {}
        for mailbox, enabled, allowed in before:
            now, passes = tenant.smtp_enabled(mailbox), tenant.access.policy_allows(mailbox)
            moves = ((changes, enabled, now), (policies, allowed, passes), (both, enabled and allowed, now and passes))
            for kept, was, becomes in moves:
                if was != becomes:
                    kept[mailbox.guid] = {"address": mailbox.primary, "from": was, "to": becomes}
        self.history.setdefault(tenant.label, []).append(
            {
                "time": time.time(),
                "seq": self._sequence + 1,
                "cmdlet": cmdlet,
                "changes": changes,
                "policy_changes": policies,
                "changes_by_both": both,
            }
        )
