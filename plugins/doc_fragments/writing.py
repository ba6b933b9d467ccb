# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    UNDO = r"""
options:
  undo_file:
    description:
      - Absolute path of a file on the host that runs the module. Before the first write, what is about to change goes
        there as JSON, with the tenant, the GUIDs, the values before and after, and whether SMTP AUTH worked.
      - The newest file has this name. An older file of that name is renamed, with the time at which it was written in
        its name.
      - If this is a directory, a new file is made in it, with the time in its name.
      - A name that ends in C(.yml) or C(.yaml) is refused, because a playbook or an inventory may have it.
      - The file has mode C(0600). It is flushed to disk and read back first. If it can't be written, nothing is
        changed, and check mode says so too.
      - The file is not written in check mode, nor if nothing changes.
      - M(m365.exchange_online.exo_restore) puts back everything that is in the file.
    type: path
  undo_in_result:
    description:
      - Whether the result has what O(undo_file) would hold, as C(undo), with GUIDs instead of names. Check mode returns
        it too.
      - Use it where files do not last, as in AWX. Run the task with C(check_mode=true) first, then the one that writes.
        The result of the first is kept even if the job is cancelled, and M(m365.exchange_online.exo_restore) takes it
        as C(content).
      - AWX drops a result that is too large. So with more than about 7,000 changes, the result holds the first part,
        with its number as C(part) and the number of parts as C(parts). M(m365.exchange_online.exo_undo_part) returns
        each of the others as a result of its own. The task that writes is refused before its first write unless all
        parts have been returned. M(m365.exchange_online.exo_restore) takes the list of all parts.
    type: bool
    default: false
"""

    WAIT = r"""
options:
  wait:
    description:
      - After writing, read back until the service shows the new values.
      - If it does not show a value within O(wait_timeout), the task warns and returns C(confirmed=false). That is not a
        failure, because the service can take minutes to show a new value.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait for the service to show what was written. It applies with O(wait=true), and wherever a
        write relies on the one before it.
    type: int
    default: 60
"""

    MAX_CHANGES = r"""
options:
  max_changes:
    description:
      - The highest number of mailboxes that the task may change, as a number such as V(25) or as a percentage such as
        V(10%).
      - The percentage is taken of all mailboxes in scope, rounded up, and never means fewer than 10.
      - A plan beyond it is refused before the first write, in check mode too. The message says how many mailboxes
        would change, names the first 20, and gives the value that would let the plan pass.
      - The organization's own setting does not count as a change, except that V(0) refuses that too. Without this
        option there is no limit.
    type: str
"""

    EFFECT = r"""
options:
  max_lose:
    description:
      - The highest number of mailboxes that may lose SMTP AUTH by this task, as a number or a percentage, like
        O(ignore:max_changes). This also counts mailboxes without a value of their own, which lose it when SMTP AUTH is
        turned off for the organization.
      - If it can't be known which mailboxes lose it, the task is refused.
    type: str
  max_lose_when_closing:
    description:
      - The limit that replaces O(max_lose) in a run that turns SMTP AUTH off for the organization. Such a run is meant
        to take SMTP AUTH from many mailboxes, so V(100%) lets it pass, while O(max_lose) still applies to every other
        run.
      - Without it, O(max_lose) applies to that run as well.
    type: str
  max_gain:
    description:
      - The highest number of mailboxes that may gain SMTP AUTH by this task, in the same forms.
    type: str
  effect_file:
    description:
      - Absolute path of a file that will name every mailbox that loses or gains SMTP AUTH by this task. The result
        names only the first 20. The file is written in check mode too.
      - It is CSV, or JSON if the name ends in C(.json).
    type: path
"""

    LOOKUP = r"""
options:
  lookup_failure_action:
    description:
      - What to do about an identity that matches no mailbox.
      - With V(fail) the task fails before anything is written. With V(warn) it warns and goes on with the others.
      - An identity that matches more than one mailbox always fails. So does a missing one together with all mailboxes,
        because with a typing mistake the task would change the very mailbox that the entry was meant to protect.
    type: str
    choices:
      - fail
      - warn
    default: fail
"""
