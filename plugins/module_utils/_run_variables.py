# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment variables by which the action plugin tells a task of its run. PRIVATE to the collection.

They are a file of their own so that the controller, which makes a process for each task, loads no network for them.
"""

from __future__ import annotations

DIRECTORY_VARIABLE = "M365_EXO_RUN_DIRECTORY"
PROGRESS_VARIABLE = "M365_EXO_PROGRESS_FILE"
LEASE_VARIABLE = "M365_EXO_LEASE_FILE"
