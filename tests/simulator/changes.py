# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else changes in a tenant: no cmdlet runs, and nothing stands in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .calls import dates
from .names import DescriptionError
from .store import Stored
from .tenants import (
    PLAIN_KEYS,
    App,
    Mailbox,
    Tenant,
    check_role,
    checked_cas,
    checked_organization,
    checked_transport,
)

_OWN_FIELDS = ("display_name", "alias", "type", "server", "account_disabled", "password", "refuses_writes")


class NotThere(Exception):
    """Something is named that does not exist."""


def change(tenant: Tenant, body: Mapping[str, Any]) -> None:
    prepared(tenant, body)()


def prepared(tenant: Tenant, body: Mapping[str, Any]) -> Callable[[], None]:
    """The change as something to be done later; what is wrong with it is told at once."""
    rest = dict(body)
    transport = checked_transport(rest.pop("transport_config", None) or {})
    organization = checked_organization(rest.pop("organization_config", None) or {})
    changes = [_mailbox_change(tenant, entry) for entry in rest.pop("mailboxes", None) or []]
    gone = [_one(tenant, str(identity)) for identity in rest.pop("remove_mailboxes", None) or []]
    added = rest.pop("add_mailboxes", None) or []
    apps = rest.pop("apps", None) or []
    if "directory_role" in rest:
        apps = [{"directory_role": rest.pop("directory_role")}, *apps]
    app_changes = [_app_change(tenant, entry) for entry in apps]
    expire = rest.pop("expire_tokens", False)
    challenge = rest.pop("claims_challenge", tenant.claims_challenge)
    unknown = rest.keys() - set(PLAIN_KEYS)
    if unknown:
        raise DescriptionError(f"can't be changed: {', '.join(sorted(unknown))}")

    def apply() -> None:
        if expire:
            tenant.first_valid_token = tenant.token_number + 1
        tenant.claims_challenge = challenge
        for app, values in app_changes:
            vars(app).update(values)
        tenant.set_plain(rest)
        _write(tenant.transport, transport)
        _write(tenant.organization, organization)
        for mailbox, own, cas in changes:
            for key, value in own.items():
                setattr(mailbox, key, value)
            _write(mailbox.store, cas)
            mailbox.rows.clear()
        for mailbox in gone:
            tenant.remove_mailbox(mailbox)
        tenant.add_mailboxes(added)

    return apply


def _write(stored: Stored, values: Mapping[str, Any]) -> None:
    """Whoever changes an object moves its dates."""
    if values:
        stored.write({**dates(), **values}, 0)


def _app_change(tenant: Tenant, entry: Mapping[str, Any]) -> tuple[App, dict[str, Any]]:
    """The app with this client_id, else the first one."""
    app = tenant.find_app(str(entry.get("client_id", tenant.apps[0].client_id)))
    if app is None:
        raise NotThere(f"no app {entry.get('client_id')}")
    check_role(entry.get("directory_role", app.directory_role))
    unknown = [key for key in entry if not hasattr(app, key)]
    if unknown:
        raise DescriptionError(f"unknown key in an app: {unknown[0]}")
    return app, dict(entry)


def _mailbox_change(tenant: Tenant, entry: Mapping[str, Any]) -> tuple[Mailbox, dict[str, Any], dict[str, Any]]:
    own = dict(entry)
    mailbox = _one(tenant, str(own.pop("identity")))
    cas = checked_cas(own.pop("cas", None) or {})
    unknown = own.keys() - set(_OWN_FIELDS)
    if unknown:
        raise DescriptionError(f"can't be changed in a mailbox: {', '.join(sorted(unknown))}")
    return mailbox, own, cas


def _one(tenant: Tenant, identity: str) -> Mailbox:
    found = tenant.find(identity)
    if len(found) != 1:
        raise NotThere(f"{len(found)} mailboxes are called {identity}")
    return found[0]
