# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What plans speak of: what a change is about, an object as it was read, a name that nothing has. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._properties import RemoteObject, Table, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._text import fit


# Slots: a task can hold 20,000 of each.
@dataclass(frozen=True, slots=True)
class Target:
    """What a change is about: the organization, a mailbox, a user, a plan, a policy.

    key: the GUID by which it is written, '' for an object that the tenant has just one of.
    asked: the name that the user gave, or else its primary address.
    """

    table: Table
    key: str = ""
    asked: str = ""
    primary_smtp_address: str = ""
    display_name: str = ""

    @property
    def label(self) -> str:
        """What messages call it."""
        if self.table.single:
            return self.table.label
        return fit(self.primary_smtp_address or self.asked or self.key)

    @property
    def identity(self) -> dict[str, str]:
        """What results say of who it is; nothing for an object that the tenant has just one of."""
        if self.table.single:
            return {}
        return {
            "identity": self.asked,
            "guid": self.key,
            "primary_smtp_address": self.primary_smtp_address,
            "display_name": fit(self.display_name),
        }

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from every other target."""
        return (self.table.noun, self.key)

    def command(self, parameters: Mapping[str, t.Any], verb: str = "Set") -> dict[str, t.Any]:
        """The parameters of a cmdlet for this target. One that is made has no identity yet."""
        if self.table.single or verb == "New":
            return dict(parameters)
        return {"Identity": self.key, **parameters}

    @property
    def anchor(self) -> str:
        """The mailbox to route to when the service wants the cmdlet run on that mailbox's server."""
        return self.primary_smtp_address or self.key


@dataclass(frozen=True, slots=True)
class Record:
    """One object as it was read: what it is, and the properties that the task works with."""

    target: Target
    remote: RemoteObject = field(repr=False)

    def read(self, option: str) -> Value:
        """The value of a setting; raises UnexpectedResponse where its form is not known."""
        return self.target.table[option].read(self.remote)

    @property
    def key(self) -> str:
        return self.target.key

    @property
    def label(self) -> str:
        return self.target.label

    def names(self) -> tuple[str, ...]:
        """What it can be recognised by without asking the service."""
        names = (self.key, self.remote.get("ExternalDirectoryObjectId"), self.target.primary_smtp_address)
        return tuple(name.lower() for name in names if isinstance(name, str) and name)


@dataclass(frozen=True)
class Missing:
    """A name that nothing has, under lookup_failure_action=warn."""

    identity: str
    error: str
