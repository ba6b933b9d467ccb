# Copyright: (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, files, and what is printed."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from .names import DescriptionError
from .server import serve
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


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="simulator", description="A stand-in for Exchange Online, on this machine.")
    options.add_argument("--tenants", type=Path, action="append", default=[], help="YAML file with tenants")
    options.add_argument(
        "--generate", action="append", default=[], metavar="N[:domain]", help="a tenant with N made-up mailboxes"
    )
    options.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    options.add_argument("--state-dir", type=Path, help="where certificates and connection.json go")
    options.add_argument("--latency", type=parse_latency, default=Latency(), metavar="request=300,row=1,item=100")
    options.add_argument("--quiet", action="store_true", help="print just the line 'ready URL'")
    options.add_argument(
        "command", nargs="*", metavar="-- COMMAND", help="run this with the variables set, and stop when it ends"
    )
    return options


def descriptions(path: Path) -> list[Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    tenants = content.get("tenants") if isinstance(content, dict) else content
    if not isinstance(tenants, list):
        raise DescriptionError(f"{path}: expected a list below 'tenants'")
    return tenants


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


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    state_dir = options.state_dir or Path(tempfile.mkdtemp(prefix="exchange-simulator-"))
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    world = World(state_dir, options.latency)
    try:
        for path in options.tenants:
            for description in descriptions(path):
                world.add(description)
        for number, text in enumerate(options.generate):
            world.add(generated_tenant(text, number))
    except (DescriptionError, ValueError, OSError, yaml.YAMLError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    try:
        if options.command:
            return asyncio.run(serve(world, options.port, lambda ready: None, options.command))
        return asyncio.run(serve(world, options.port, lambda ready: announce(ready, quiet=options.quiet)))
    finally:
        if options.state_dir is None:
            shutil.rmtree(state_dir, ignore_errors=True)
