# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  all_mailboxes:
    description:
      - Take every mailbox of the tenant, instead of those in O(identity).
      - If the read is incomplete, the task fails. It never works on part of a tenant.
    type: bool
    default: false
  exclude:
    description:
      - Mailboxes to leave alone, in the same forms as O(identity). Only with O(all_mailboxes=true).
      - An entry that matches no mailbox is an error and is never ignored, because with a typing mistake here the task
        would change the very mailbox that you meant to protect.
    type: list
    elements: str
  where:
    description:
      - Take only mailboxes whose current settings equal all of these.
      - The keys and the forms of the values are those of the options of M(m365.exchange_online.exo_cas_mailbox), for
        example C(smtp_client_authentication_disabled=false).
    type: dict
  recipient_type_details:
    description:
      - With O(all_mailboxes=true), take only mailboxes of these types, for example V(UserMailbox) and
        V(SharedMailbox).
      - If no mailbox at all is read, the task fails with RV(ignore:error_code=incomplete_read), because "nothing to
        do" would be the wrong answer to a read that went wrong.
    type: list
    elements: str
    choices:
      - DiscoveryMailbox
      - EquipmentMailbox
      - LegacyMailbox
      - LinkedMailbox
      - LinkedRoomMailbox
      - MailUser
      - RoomMailbox
      - SharedMailbox
      - TeamMailbox
      - UserMailbox
"""
