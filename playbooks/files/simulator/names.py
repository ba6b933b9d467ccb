# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identifiers that are the same at every start, and the error of a description that makes no sense."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.UUID("5a2c4b0e-9d27-5f6c-8d0f-1f6f0a3b7c11")


class DescriptionError(Exception):
    """A tenant's description that makes no sense."""


def derive(*labels: str) -> str:
    return str(uuid.uuid5(NAMESPACE, "/".join(labels).casefold()))


def refuse_unknown(what: str, given: object, known: frozenset[str]) -> None:
    if not isinstance(given, dict):
        raise DescriptionError(f"{what} is a dictionary")
    unknown = given.keys() - known
    if unknown:
        raise DescriptionError(f"unknown keys in {what}: {', '.join(sorted(unknown))}")
