# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, files, and what is printed."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from . import __version__
from .described import TENANT
from .export import description_of
from .names import DescriptionError
from .server import Listening, serve
from .variables import environment
from .world import Latency, World


def parse_latency(text: str) -> Latency:
    latency = Latency()
    for part in filter(None, text.split(",")):
        name, _dummy, value = part.partition("=")
        if name not in ("request", "row", "item"):
            raise argparse.ArgumentTypeError(f"unknown latency {name!r}: request, row and item (milliseconds)")
        try:
            setattr(latency, name, float(value))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{value!r} is not a number of milliseconds") from error
    return latency


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return number


def public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError(f"{text!r} is not the https URL of a host, as https://sim.example.com:8443")
    return text.rstrip("/")


def listening(options: argparse.Namespace) -> Listening:
    names = [*options.name, urlsplit(options.public_url or "").hostname]
    if options.host != "127.0.0.1":
        names += [socket.gethostname(), options.host]
    return Listening(
        host=options.host,
        port=options.port,
        smtp_port=options.smtp_port,
        metadata_port=options.metadata_port,
        names=tuple(name for name in names if name and name not in ("0.0.0.0", "::")),
    )


def parser() -> argparse.ArgumentParser:
    about = "A stand-in for Exchange Online, on this machine."
    options = argparse.ArgumentParser(prog="exo-simulator", description=about)
    options.add_argument("--tenants", type=Path, action="append", default=[], help="YAML file with tenants")
    options.add_argument("--export", type=Path, action="append", default=[], help="JSON file with what cmdlets showed")
    options.add_argument(
        "--generate", action="append", default=[], metavar="N[:domain]", help="a tenant with N made-up mailboxes"
    )
    options.add_argument("--host", default="127.0.0.1", help="where to listen; only the loopback is private")
    options.add_argument("--port", type=port, default=0, help="0, the default, takes a free one")
    options.add_argument("--smtp-port", type=port, default=0, help="of the submission endpoint")
    options.add_argument("--metadata-port", type=port, default=0, help="of the managed identities")
    options.add_argument("--public-url", type=public_url, help="how clients reach it")
    options.add_argument("--name", action="append", default=[], help="one more for the certificate")
    options.add_argument("--state-dir", type=Path, help="where keys, certificates and connection.json are kept")
    options.add_argument("--latency", type=parse_latency, default=Latency(), metavar="request=300,row=1,item=100")
    options.add_argument("--check", action="store_true", help="say whether the tenants are fine, and end")
    options.add_argument("--schema", action="store_true", help="print the JSON Schema of a file of tenants, and end")
    options.add_argument("--version", action="version", version=f"exo-simulator {__version__}")
    options.add_argument("--quiet", action="store_true", help="print just the line 'ready URL'")
    options.add_argument(
        "command", nargs="*", metavar="-- COMMAND", help="run this with the variables set, and stop when it ends"
    )
    return options


def descriptions(path: Path) -> list[Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    tenants = content.get("tenants") if isinstance(content, dict) else content
    if not isinstance(tenants, list):
        raise DescriptionError("expected a list below 'tenants'")
    return tenants


def exported(path: Path) -> list[Any]:
    return [description_of(json.loads(path.read_text(encoding="utf-8-sig")))]


def generated_tenant(text: str, number: int) -> dict[str, Any]:
    count, _dummy, domain = text.partition(":")
    label = "generated" if number == 0 else f"generated{number}"
    domain = domain or f"{label}.onmicrosoft.com"
    return {"label": label, "domains": [domain], "generate": {"count": int(count)}}


def announce(world: World, *, quiet: bool) -> None:
    if not quiet:
        for label in world.tenants:
            print(f"# tenant {label} ({len(world.tenants[label].mailboxes)} mailboxes)")
            for name, value in environment(world.describe(label)).items():
                print(f"export {name}={shlex.quote(value)}")
            print()
    print(f"ready {world.endpoint}", flush=True)


def fill(world: World, options: argparse.Namespace) -> None:
    """Make all the tenants that were asked for; a refusal begins with the file that it is about."""
    for read, paths in ((descriptions, options.tenants), (exported, options.export)):
        for path in paths:
            try:
                for description in read(path):
                    world.add(description)
            except (DescriptionError, ValueError, OSError, yaml.YAMLError) as error:
                raise DescriptionError(f"{path}: {error}") from error
    for number, text in enumerate(options.generate):
        world.add(generated_tenant(text, number))


def schema() -> str:
    """The format of a file of tenants, for editors."""
    tenants = {"type": "array", "items": TENANT.schema}
    whole = {"type": "object", "properties": {"tenants": tenants}, "required": ["tenants"]}
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}, indent=2)


def run(options: argparse.Namespace, state_dir: Path) -> int:
    world = World(state_dir, options.latency, public_url=options.public_url or "")
    try:
        fill(world, options)
        if options.check:
            print(f"{len(world.tenants)} tenants are fine")
            return 0
        if options.command:
            return asyncio.run(serve(world, listening(options), lambda ready: None, options.command))
        return asyncio.run(serve(world, listening(options), lambda ready: announce(ready, quiet=options.quiet)))
    except (DescriptionError, ValueError, OSError) as error:
        print(f"exo-simulator: {error}", file=sys.stderr)
        return 2


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.schema:
        print(schema())
        return 0
    state_dir = options.state_dir or Path(tempfile.mkdtemp(prefix="exchange-simulator-"))
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return run(options, state_dir)
    finally:
        if options.state_dir is None:
            shutil.rmtree(state_dir, ignore_errors=True)
