# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Headless Chromium on an evidence page, and the pages that are tested."""

from __future__ import annotations

import shutil
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from ansible_collections.m365.exchange_online.plugins.module_utils import _evidence_files
from evidence import fleet

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def executable() -> str | None:
    """The Chromium of the system."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), args=list(_FLAGS))
        yield started
        started.close()


class Watched(t.NamedTuple):
    """A page, with all that it complained about and all that it asked of a network."""

    page: Page
    complaints: list[str]
    requests: list[str]


@contextmanager
def opened(started: Browser, path: Path, **options: t.Any) -> Iterator[Watched]:
    """The page in a window of its own; options are those of a browser context. The time is that of the evidence."""
    settings: dict[str, t.Any] = {"viewport": {"width": 1280, "height": 900}, **options}
    context = started.new_context(**settings)
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    if settings.get("java_script_enabled", True):
        page.clock.set_fixed_time(fleet.NOW)
    page.goto(path.as_uri())
    yield Watched(page, complaints, requests)
    context.close()


def render(directory: Path, generator: fleet.Generator, nights: int) -> Path:
    """The page of a fleet, rendered as the module does."""
    source, rendered = directory / "evidence", directory / "rendered"
    source.mkdir()
    rendered.mkdir()
    for documents in generator.nights(nights):
        fleet.write(source, documents)
    _evidence_files.render(
        {
            "src": [str(source)],
            "dest": str(rendered),
            "formats": ["html"],
            "undo": [],
            "expected": [],
            "max_age": 12,
            "fail_on": [],
        },
        check_mode=False,
    )
    return rendered / "evidence.html"
