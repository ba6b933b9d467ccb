# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# One file for each module: routing them all to one plugin would give them that plugin's module_defaults.

from __future__ import annotations

from ansible_collections.m365.exchange_online.plugins.plugin_utils._action import ExoAction


class ActionModule(ExoAction):
    """Runs the module of this name."""
