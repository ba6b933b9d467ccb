# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP servers: which part answers which path, and how an answer leaves."""

from __future__ import annotations

import asyncio
import itertools
import signal
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trustme
from aiohttp import web

from . import smtp
from .command import run, until
from .control import Control
from .entra import Entra
from .exchange import Exchange
from .graph import Graph
from .tokens import write_private
from .variables import shared_environment
from .wire import Answer
from .world import World

_BODY_LIMIT = 64 * 1024 * 1024


class Server:
    def __init__(self, world: World) -> None:
        self.world = world
        self.exchange = Exchange(world)
        self.entra = Entra(world)
        self.graph = Graph(world)
        self.control = Control(world, self._forget)

    def _forget(self) -> None:
        self.exchange.pages.clear()
        self.graph.forget()

    async def secure(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        if parts in ([""], ["health"]):
            return await _send(request, self.control.about(health=parts == ["health"]))
        if parts[0] == "_simulator":
            return await _send(request, await self.control.handle(request, parts[1:]))
        answer, kind, tenant = await self._service(request, parts)
        self.world.journal.asked(
            request.method,
            request.path,
            request.headers,
            None if answer.reset else answer.status,
            tenant,
            kind,
            # Queries of Graph hold no secret, and which question was asked is what tests want to know.
            dict(request.query) if kind == "graph" else {},
        )
        if kind not in ("invoke", "batch") and answer.delay:
            await asyncio.sleep(answer.delay)
        return await _send(request, answer)

    async def _service(self, request: web.Request, parts: list[str]) -> tuple[Answer, str, str | None]:
        """The answer, what kind of request this was, and the label of its tenant."""
        if parts[0].casefold() == "adminapi":
            label = self._label(parts[2]) if len(parts) > 2 else None
            answer = await self.exchange.handle(request, parts[1:])
            return answer, "batch" if parts[-1].casefold() == "$batch" else "invoke", label
        if parts[0] in ("v1.0", "beta"):
            graph_answer, label = await self.graph.handle(request)
            return graph_answer, "graph", label
        answered = await self.entra.handle(request, parts)
        label = self._label(parts[0])
        if answered is not None:
            return answered, "token" if parts[-1] == "token" else "discovery", label
        if parts[-2:] == ["msi", "token"] or parts[-4:] == ["metadata", "identity", "oauth2", "token"]:
            return await self.entra.identity(request), "identity", None
        return Answer(404, b"", {}, "text/plain"), "unknown", label

    def _label(self, name: str) -> str | None:
        found = self.world.find(name)
        return found.label if found else None

    async def plain(self, request: web.Request) -> web.StreamResponse:
        answer = await self.entra.identity(request)
        self.world.journal.asked(request.method, request.path, request.headers, answer.status, None, "identity")
        return await _send(request, answer)


async def _send(request: web.Request, answer: Answer) -> web.StreamResponse:
    if answer.reset and request.transport is not None:
        request.transport.abort()
    if answer.trickle is not None:
        return await _trickle(request, answer, answer.trickle)
    response = web.Response(status=answer.status or 500, body=answer.body, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    return response


async def _trickle(request: web.Request, answer: Answer, pause: float) -> web.StreamResponse:
    """The answer byte by byte, and then blanks without end."""
    response = web.StreamResponse(status=answer.status or 500, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    await response.prepare(request)
    for byte in itertools.chain(answer.body, itertools.repeat(ord(" "))):
        try:
            await response.write(bytes((byte,)))
        except ConnectionError:
            break
        await asyncio.sleep(pause)
    return response


def _certificates(world: World, names: Sequence[str]) -> smtp.Contexts:
    authority = _authority(world)
    return smtp.Contexts(
        right=_context(authority, *dict.fromkeys(["localhost", "127.0.0.1", "::1", *names])),
        host=_context(authority, "other.example.com"),
        authority=_context(trustme.CA(organization_name="nobody's"), "localhost", "127.0.0.1"),
    )


def _authority(world: World) -> trustme.CA:
    """The one of an earlier start, so that who trusts it goes on to."""
    key_path = world.state_dir / "ca.key"
    if world.ca_path.exists() and key_path.exists():
        return trustme.CA.from_pem(world.ca_path.read_bytes(), key_path.read_bytes())
    authority = trustme.CA(organization_name="m365.exchange_online simulator")
    write_private(world.ca_path, authority.cert_pem.bytes())
    write_private(key_path, authority.private_key_pem.bytes())
    return authority


def _context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


@dataclass(frozen=True)
class Listening:
    """Where to listen; a port of 0 takes a free one. ``names`` are further ones for the certificate."""

    host: str = "127.0.0.1"
    port: int = 0
    smtp_port: int = 0
    metadata_port: int = 0
    names: tuple[str, ...] = ()


async def _listen(
    handler: Callable[..., object], host: str, port: int, context: ssl.SSLContext | None
) -> tuple[web.AppRunner, int]:
    app = web.Application(client_max_size=_BODY_LIMIT)
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=context)
    await site.start()
    return runner, int(runner.addresses[0][1])


async def serve(
    world: World, listening: Listening, announce: Callable[[World], None], command: Sequence[str] = ()
) -> int:
    """Answer until a signal comes, or until the command ends; returns the command's exit code."""
    server = Server(world)
    contexts = _certificates(world, listening.names)
    host = listening.host
    secure, world.port = await _listen(server.secure, host, listening.port, contexts.right)
    plain, world.plain_port = await _listen(server.plain, host, listening.metadata_port, None)
    submission = await smtp.listen(world, contexts, host, listening.smtp_port)
    world.write_connections()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    announce(world)
    code = 0
    try:
        if command:
            code = await run(command, shared_environment(world.common()), stop)
        else:
            await until(stop)
    finally:
        submission.close()
        await secure.cleanup()
        await plain.cleanup()
    return code
