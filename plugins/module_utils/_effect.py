# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gains and who loses SMTP AUTH in effect. PRIVATE. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.m365.exchange_online.plugins.module_utils._model import Target
from ansible_collections.m365.exchange_online.plugins.module_utils._properties import INHERIT, Value
from ansible_collections.m365.exchange_online.plugins.module_utils._text import (
    SAMPLE,
    counted,
    happens,
    listed,
    lose_and_gain,
)


def smtp_auth_enabled(own: Value, organization_disabled: Value) -> bool:
    """Whether the two settings together let the mailbox use SMTP AUTH (other gates may still block it)."""
    return not (organization_disabled if own == INHERIT else own)


@dataclass(frozen=True)
class Move:
    """One mailbox and whether SMTP AUTH works for it, before and after."""

    target: Target
    before: bool
    after: bool


@dataclass(frozen=True)
class Effect:
    """Whose SMTP AUTH stops or begins to work. ``known``: false where what it takes to know could not be read.

    states: whether it works for each mailbox that was looked at, before and after, by its target's place.
    """

    lose: tuple[Target, ...] = ()
    gain: tuple[Target, ...] = ()
    known: bool = True
    states: Mapping[tuple[str, str], tuple[bool, bool]] = field(default_factory=dict)

    @property
    def moves_anybody(self) -> bool:
        return bool(self.lose or self.gain)

    def result(self) -> dict[str, t.Any]:
        return {
            "lose": len(self.lose) if self.known else None,
            "gain": len(self.gain) if self.known else None,
            "lose_sample": [target.label for target in self.lose[:SAMPLE]],
            "gain_sample": [target.label for target in self.gain[:SAMPLE]],
        }

    def warnings(self, *, preview: bool) -> list[str]:
        """A sentence on those who lose, and one in the same words on those who gain. preview: nothing is written."""
        sentences = []
        for targets, verb in ((self.lose, "lose"), (self.gain, "gain")):
            if targets:
                does = happens(len(targets), verb, preview=preview)
                names = listed([target.label for target in targets])
                sentences.append(f"{counted(len(targets), 'mailbox')} {does} SMTP AUTH in effect: {names}.")
        return sentences

    def line(self, *, preview: bool) -> str:
        """How many lose it, and how many gain it."""
        return lose_and_gain(len(self.lose) if self.known else None, len(self.gain), preview=preview)


UNKNOWN = Effect(known=False)
NOBODY = Effect()


def effect(moves: Iterable[Move]) -> Effect:
    looked_at = list(moves)
    moved = [move for move in looked_at if move.before != move.after]
    return Effect(
        lose=tuple(move.target for move in moved if move.before),
        gain=tuple(move.target for move in moved if move.after),
        states={move.target.place: (move.before, move.after) for move in looked_at},
    )
