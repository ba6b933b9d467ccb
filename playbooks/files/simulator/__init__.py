# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stateful stand-in for the parts of Entra ID and Exchange Online that this collection talks to."""

from __future__ import annotations

# The collection's version: the two are released together.
__version__ = "1.0.0"
