# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    UNDO = r"""
options:
  undo_file:
    description:
      - Path of a file on the host that runs the module. Before the first write, what is about to change goes there as
        JSON, with the tenant, the GUIDs and the values before and after.
      - The file has mode C(0600) and is flushed to disk first. If it can't be written, nothing is changed.
      - A file that exists is never written over. Then a number is added to the name, and the result says which.
      - Nothing is written when nothing changes, nor in check mode.
      - M(m365.exchange_online.exo_restore) puts everything back that is in the file.
    type: path
"""

    WAIT = r"""
options:
  wait:
    description:
      - After writing, read back until the service shows the new values.
      - A value that it does not show within O(wait_timeout) gives a warning and C(confirmed=false) in the result.
        That is no failure, for the service can need minutes to show what it has taken.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait for the service to show what was written. Counts with O(wait=true), and wherever the
        next write relies on one before it.
    type: int
    default: 60
"""

    BRAKES = r"""
options:
  max_changes:
    description:
      - The highest number of mailboxes that the task may change, as a number such as V(25) or as a percentage such as
        V(10%).
      - The percentage is taken of all mailboxes in scope, rounded up, and never means fewer than 10.
      - A plan beyond it is refused before the first write, in check mode too. The message says how many mailboxes
        would change, names the first 20, and gives the value that would let the plan pass.
      - A change of the organization counts as one, however many mailboxes follow it. The effect in the result says how
        many these are.
      - With V(0), any change is refused. Without this option there is no limit.
    type: str
"""

    LOOKUP = r"""
options:
  lookup_failure_action:
    description:
      - What to do about an identity that no mailbox has.
      - With V(fail) the task fails before anything is written. With V(warn) it warns and goes on with the others.
      - An identity that fits more than one mailbox always fails.
    type: str
    choices:
      - fail
      - warn
    default: fail
"""
