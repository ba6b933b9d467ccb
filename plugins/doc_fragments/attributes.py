# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Says what each attribute means; a module adds one of the variants below, which say how far it supports them.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no
        change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
"""

    CHANGING = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - In check mode only cmdlets that read are called. The client refuses any other.
  diff_mode:
    support: full
    details:
      - The diff holds only the settings that differ.
  idempotent:
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This action does not modify state.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
"""

    ACTIONGROUP_EXO = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/m365.exchange_online.exo) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - m365.exchange_online.exo
"""
