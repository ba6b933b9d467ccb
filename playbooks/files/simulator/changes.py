# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else changes in a tenant: no cmdlet runs, and nothing stands in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from .calls import dates
from .cmdlets import check_names
from .described import PLAIN, check_change
from .mailbox import Mailbox, with_policy_known
from .object_schema import INHERITED
from .store import Stored
from .tenants import Tenant, check_role

Step = Callable[[], object]


class NotThere(Exception):
    """Something is named that does not exist."""


def change(tenant: Tenant, body: Mapping[str, Any]) -> None:
    prepared(tenant, body)()


def prepared(tenant: Tenant, body: Mapping[str, Any]) -> Step:
    """The change as something to be done later; what is wrong with it is told at once."""
    check_change(tenant.label, body)
    plain = {key: value for key, value in body.items() if key in PLAIN}
    steps = [part(tenant, body[name]) for name, part in _PARTS.items() if name in body]

    def apply() -> None:
        tenant.set_plain(plain)
        for step in steps:
            step()

    return apply


def _in_turn(steps: Iterable[Step]) -> Step:
    kept = list(steps)

    def apply() -> None:
        for step in kept:
            step()

    return apply


def _tokens(tenant: Tenant, expire: Any) -> Step:
    return partial(setattr, tenant, "first_valid_token", tenant.token_number + 1) if expire else _nothing


def _nothing() -> None:
    pass


def _transport(tenant: Tenant, given: Any) -> Step:
    return partial(_write, tenant.transport, given)


def _organization(tenant: Tenant, given: Any) -> Step:
    values = tenant.access.organization_values(given)
    return partial(tenant.access.write_organization, {**dates(), **values}, 0) if values else _nothing


def _modern_authentication(tenant: Tenant, given: Any) -> Step:
    return partial(tenant.access.modern_authentication, given, dates())


def _removed_mailboxes(tenant: Tenant, given: Any) -> Step:
    return _in_turn(partial(tenant.remove_mailbox, _one(tenant, str(identity))) for identity in given)


def _removed_policies(tenant: Tenant, given: Any) -> Step:
    guids = [tenant.access.known_policy(name) for name in given]
    return _in_turn(partial(tenant.access.remove_policy, guid) for guid in guids)


def _write(stored: Stored, values: Mapping[str, Any]) -> None:
    """Whoever changes an object moves its dates."""
    if values:
        stored.write({**dates(), **values}, 0)


def _app_change(tenant: Tenant, entry: Mapping[str, Any]) -> Step:
    """The app with this client_id, else the first one."""
    app = tenant.find_app(str(entry.get("client_id", tenant.apps[0].client_id)))
    if app is None:
        raise NotThere(f"no app {entry.get('client_id')}")
    check_role(entry.get("directory_role", app.directory_role))
    changed = replace(app, **entry)
    tenant.check_scopes([changed])
    check_names(tenant, [changed])
    return partial(vars(app).update, dict(entry))


def _mailbox_change(tenant: Tenant, entry: Mapping[str, Any]) -> Step:
    own = dict(entry)
    mailbox = _one(tenant, str(own.pop("identity")))
    cas = with_policy_known(own.pop("cas", {}))
    tenant.access.check_mailbox_policies(mailbox.primary, cas)
    user = tenant.access.user_values(own.pop("user", {}))
    if "plan" in own:
        # Another licence: what its plan says is given to the mailbox anew.
        plan = tenant.access.plan(str(own.pop("plan"))).store.current
        cas = {name: plan[name] for name in INHERITED if name in plan} | cas

    def apply() -> None:
        for key, value in own.items():
            setattr(mailbox, key, value)
        if own:
            tenant.name_anew()
        _write(mailbox.store, cas)
        if user:
            tenant.access.write_user(mailbox, {**dates(), **user})
            mailbox.user.settle()
        mailbox.rows.clear()

    return apply


def _policy_change(tenant: Tenant, entry: Mapping[str, Any]) -> Step:
    """Switches of the policy with this name, or a new one."""
    policy = tenant.access.authentication.find(str(entry.get("name")))
    switches = {key: value for key, value in entry.items() if key not in ("name", "guid")}
    if policy is None:
        return partial(tenant.access.seed_policy, entry)
    return partial(tenant.access.write_policy, policy, {**dates(), **switches})


def _plan_change(tenant: Tenant, entry: Mapping[str, Any]) -> Step:
    return partial(_write, tenant.access.plan(entry["name"]).store, entry.get("cas", {}))


def _one(tenant: Tenant, identity: str) -> Mailbox:
    found = tenant.find(identity)
    if len(found) != 1:
        raise NotThere(f"{len(found)} mailboxes are called {identity}")
    return found[0]


def _each(change_one: Callable[[Tenant, Mapping[str, Any]], Step]) -> Callable[[Tenant, Any], Step]:
    return lambda tenant, given: _in_turn([change_one(tenant, entry) for entry in given])


# In this order: what is named has to be there, and what goes is needed to the end.
_PARTS: Mapping[str, Callable[[Tenant, Any], Step]] = {
    "expire_tokens": _tokens,
    "claims_challenge": lambda tenant, given: partial(setattr, tenant, "claims_challenge", given),
    "directory_role": lambda tenant, given: _app_change(tenant, {"directory_role": given}),
    "apps": _each(_app_change),
    "transport_config": _transport,
    "authentication_policies": _each(_policy_change),
    "plans": _each(_plan_change),
    "organization_config": _organization,
    "modern_authentication": _modern_authentication,
    "mailboxes": _each(_mailbox_change),
    "remove_mailboxes": _removed_mailboxes,
    "add_mailboxes": lambda tenant, given: partial(tenant.add_mailboxes, given),
    "remove_authentication_policies": _removed_policies,
}
