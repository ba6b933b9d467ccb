# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The submission endpoint: STARTTLS, AUTH, and the replies by the state of the tenant. No mail is ever taken."""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from . import smtp_gates
from .faults import Fault, Occasion
from .mailbox import Mailbox
from .tenants import Tenant
from .world import World

_HOST = "AM0PR19CA0042.outlook.office365.com"
_BUSY = "421 4.3.2 Service not available"
# What the service announces after STARTTLS.
_MECHANISMS = ("LOGIN", "XOAUTH2")


@dataclass(frozen=True)
class Contexts:
    """The right certificate, one for another host, and one of an authority that nobody trusts."""

    right: ssl.SSLContext
    host: ssl.SSLContext
    authority: ssl.SSLContext


async def listen(world: World, contexts: Contexts, host: str, port: int) -> asyncio.Server:
    # The library writes what clients send into its log.
    logging.getLogger("mail.log").disabled = True
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _connection(world, contexts, loop), host, port)
    world.smtp_port = int(server.sockets[0].getsockname()[1])
    return server


def _connection(world: World, contexts: Contexts, loop: asyncio.AbstractEventLoop) -> SMTP:
    # Nobody has told a name yet, so a fault of the connection is of no tenant.
    fault = world.faults.take(Occasion(None, "smtp"))
    kind = fault.kind if fault else ""
    context: ssl.SSLContext | None = contexts.right
    if fault and kind == "wrong_certificate":
        context = contexts.host if fault.get("wrong", "host") == "host" else contexts.authority
    if kind == "no_starttls":
        context = None
    offered = fault.get("mechanisms", []) if fault and kind == "mechanisms" else _MECHANISMS
    return Endpoint(
        Submission(world, offered),
        hostname=_HOST,
        ident="Microsoft ESMTP MAIL Service ready",
        tls_context=context,
        auth_exclude_mechanism=sorted({"LOGIN", "PLAIN", "XOAUTH2"} - set(offered)),
        loop=loop,
        fault=fault,
    )


class Endpoint(SMTP):
    # A token is longer than what the library takes for a line, or for a command.
    line_length_limit = 16384
    command_size_limits = defaultdict(lambda: 16384)  # noqa: RUF012 (the library's own shape)

    def __init__(self, handler: Submission, *, fault: Fault | None, **options: Any) -> None:
        super().__init__(handler, authenticator=handler.password, **options)
        self._fault = fault.kind if fault else ""

    async def _handle_client(self) -> None:
        if self._fault == "hang":
            await asyncio.Event().wait()
        if self._fault == "busy":
            await self.push(_BUSY)
            assert self.transport is not None
            self.transport.close()
            return
        await super()._handle_client()

    async def smtp_AUTH(self, arg: str) -> None:
        mechanism = arg.split()[0] if arg else ""
        if self._tls_protocol and mechanism not in self._auth_methods:
            await self.push("504 5.7.4 Unrecognized authentication type")
            return
        await super().smtp_AUTH(arg)


class Submission:
    """What the endpoint does with what clients say."""

    def __init__(self, world: World, offered: Any) -> None:
        self.world = world
        self._offered = list(offered)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        if self._offered:
            return responses
        return [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return _signed("530 5.7.57 Client not authenticated to send mail.")
        return "550 5.7.0 The simulator delivers no mail"

    def password(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        user, password = data.login.decode(errors="replace"), data.password.decode(errors="replace")
        tenant, mailbox = self._mailbox(user, by_sign_in_name=True)
        address = str(session.peer[0]) if session.peer else ""

        def judge() -> str:
            if tenant is None or mailbox is None:
                return smtp_gates.GENERIC
            return smtp_gates.basic(smtp_gates.SignIn(tenant, mailbox, password, address))

        return self._answer(server, tenant, user, mechanism, judge)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        data = await server.challenge_auth("") if len(args) == 1 else base64.b64decode(args[1])
        if data is MISSING:
            return AuthResult(success=False)
        assert isinstance(data, bytes)
        parts = dict(part.partition("=")[::2] for part in data.decode(errors="replace").split("\x01") if part)
        user, token = parts.get("user", ""), parts.get("auth", "").removeprefix("Bearer ")
        tenant, mailbox = self._mailbox(user, by_sign_in_name=False)

        def judge() -> str:
            if tenant is None or mailbox is None:
                return smtp_gates.GENERIC
            return smtp_gates.oauth(tenant, mailbox, self.world.authority.verify(token))

        return self._answer(server, tenant, user, "XOAUTH2", judge)

    def _mailbox(self, user: str, *, by_sign_in_name: bool) -> tuple[Tenant | None, Mailbox | None]:
        """A password belongs to the sign-in name; a token names any address of the mailbox."""
        tenant = self.world.find(user.rpartition("@")[2])
        found = tenant.find(user) if tenant else ()
        if len(found) != 1 or (by_sign_in_name and found[0].upn.casefold() != user.casefold()):
            return tenant, None
        return tenant, found[0]

    def _answer(self, server: SMTP, tenant: Tenant | None, user: str, mechanism: str, judge: Any) -> AuthResult:
        fault = self.world.faults.take(Occasion(tenant, "smtp_auth", identity=user))
        reply: str | None = None
        if fault is None:
            reply = judge()
        elif fault.kind == "busy":
            reply = _BUSY
        elif fault.kind == "reply":
            reply = str(fault.get("text", smtp_gates.GENERIC))
        label, struck = tenant.label if tenant else None, fault.kind if fault else None
        self.world.journal.signed_in(tenant=label, user=user, mechanism=mechanism, reply=reply, fault=struck)
        if reply is None:
            # hang says nothing; break_off is gone before the reply.
            if struck == "break_off" and server.transport is not None:
                server.transport.abort()  # type: ignore[attr-defined]
            return AuthResult(success=False, handled=True)
        if reply.startswith("235"):
            return AuthResult(success=True, message=reply)
        return AuthResult(success=False, handled=False, message=_signed(reply))


def _signed(reply: str) -> str:
    """Replies end with the server, the time and a number that support asks for."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{reply} [{_HOST.upper()} {now}Z 08DE2C9A1B7F3E54]"
