# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sign in over SMTP once, and say which gate refuses it. PRIVATE to the collection."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Mapping

from ansible_collections.m365.exchange_online.plugins.module_utils import _options
from ansible_collections.m365.exchange_online.plugins.module_utils._clouds import CLOUDS
from ansible_collections.m365.exchange_online.plugins.module_utils._errors import InvalidRequest
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp import PORT, Proof, Server, SignIn, sign_in
from ansible_collections.m365.exchange_online.plugins.module_utils._smtp_replies import decode
from ansible_collections.m365.exchange_online.plugins.module_utils._task import Result, Task

BASIC, OAUTH = "basic", "oauth"
ARGUMENT_SPEC: Mapping[str, t.Any] = {
    "username": {"type": "str", "required": True},
    "method": {"type": "str", "choices": [BASIC, OAUTH], "default": BASIC},
    "password": {"type": "str", "no_log": True},
    "host": {"type": "str"},
    "port": {"type": "int", "default": PORT},
}
_NOT_TRIED = "Check mode: nobody signed in, because a failed sign-in counts against the account."
_UNKNOWN_REMEDY = "Look at the user's sign-ins in Entra ID, and at the gates that exo_smtp_auth_info lists."
# The server says the same for every cause, and the usual ones of a token differ from those of a password.
_TOKEN_MEANING = "The token was refused, or the app may not send as this mailbox."
_TOKEN_REMEDY = (
    "Check that the app has the permission SMTP.SendAsApp with admin consent, that New-ServicePrincipal was run with "
    "the object ID of the enterprise application (not of the registration), and that it has FullAccess on the mailbox."
)


def probe(task: Task) -> Result:
    """One attempt, or none in check mode. A refused sign-in is a result; no verdict at all is an ExoError."""
    _refuse_half_a_proof(task)
    server = _server(task)
    where = {"host": server.host, "port": server.port}
    if task.check_mode:
        nothing = dict.fromkeys(("authenticated", "reply", "gate", "meaning", "remedy"))
        return {"changed": False, "skipped": True, "msg": _NOT_TRIED, "server": where, **nothing}
    found = sign_in(server, _proof(task, server))
    details = {"mechanism": found.mechanism, "offered": list(found.offered), "tls_version": found.tls_version}
    told = _explained(found, oauth=task.params["method"] == OAUTH)
    return {
        "changed": False,
        "authenticated": found.accepted,
        "reply": found.reply,
        **told,
        "server": {**where, **details},
    }


def _refuse_half_a_proof(task: Task) -> None:
    """An empty password would be a failed sign-in of somebody."""
    method, password = task.params["method"], task.params["password"]
    if method == BASIC and not password:
        raise InvalidRequest("password is missing: method basic signs in with a user name and a password.")
    if method == OAUTH and password:
        raise InvalidRequest("password is given, and method oauth signs in with a token: leave one of them out.")


def _server(task: Task) -> Server:
    params = task.params
    cloud = CLOUDS[params["cloud"]]
    host = (params["host"] or "").strip() or cloud.smtp
    if host is None:
        raise InvalidRequest(f"The submission endpoint of the {cloud.name} cloud is not known: set host.")
    if not cloud.owns(f"https://{host}"):
        task.warn(f"The sign-in of this task goes to {host}, which is not a host of the {cloud.name} cloud.")
    if not 0 < params["port"] < 65536:
        raise InvalidRequest(f"port {params['port']} is none.")
    _options.check_numbers(params)
    return Server(host, params["port"], _options.verification(params, os.environ), params["timeout"])


def _proof(task: Task, server: Server) -> Proof:
    params = task.params
    if params["method"] == BASIC:
        if server.verify is False:
            task.warn(_options.UNVERIFIED)
        return Proof(params["username"], params["password"])
    return Proof(params["username"], task.connect().token(), oauth=True)


def _explained(found: SignIn, *, oauth: bool) -> dict[str, t.Any]:
    """What the reply means and what to do, from the table of known texts."""
    if found.accepted:
        return {"gate": None, "meaning": "The sign-in was accepted.", "remedy": None}
    reply = decode(found.reply)
    if oauth and (reply is None or reply.gate is None):
        return {"gate": None, "meaning": _TOKEN_MEANING, "remedy": _TOKEN_REMEDY}
    if reply is None:
        return {"gate": None, "meaning": None, "remedy": _UNKNOWN_REMEDY}
    certain = {} if reply.gate is None else {"gate_certain": reply.certain}
    return {"gate": reply.gate, **certain, "meaning": reply.meaning, "remedy": reply.remedy}
