# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take the pictures of docs/pictures anew: a fleet of 200 tenants on a desktop, in the dark, on a phone, in print."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

from evidence import fleet
from page.browser import browser, opened, render

TARGET = Path(__file__).resolve().parents[2] / "docs" / "pictures"

# Name of the picture → the window, what to do first, and the section that it begins with.
_PICTURES: tuple[tuple[str, dict[str, t.Any], str], ...] = (
    ("evidence-desktop", {"viewport": {"width": 1280, "height": 1500}}, ""),
    ("evidence-access", {"viewport": {"width": 1280, "height": 1150}}, "access"),
    ("evidence-tenant", {"viewport": {"width": 1280, "height": 1000}}, "t-"),
    ("evidence-mailboxes", {"viewport": {"width": 1280, "height": 900}}, "mailboxes"),
    ("evidence-dark", {"viewport": {"width": 1280, "height": 1150}, "color_scheme": "dark"}, ""),
    ("evidence-phone", {"viewport": {"width": 390, "height": 1500}}, ""),
    ("evidence-phone-mailboxes", {"viewport": {"width": 390, "height": 1200}}, "mailboxes"),
)


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, browser() as started:
        path = render(Path(directory), fleet.Generator(200, 250), 30)
        for name, options, anchor in _PICTURES:
            with opened(started, path, **options) as seen:
                if anchor == "t-":
                    seen.page.locator("#tenants button.open").nth(4).click()
                    seen.page.locator("#tenants-section").evaluate("element => element.scrollIntoView()")
                elif anchor:
                    seen.page.locator(f"#{anchor}").evaluate("element => element.scrollIntoView()")
                seen.page.screenshot(path=str(TARGET / f"{name}.png"))
        with opened(started, path, viewport={"width": 794, "height": 1123}) as seen:
            seen.page.emulate_media(media="print")
            seen.page.screenshot(path=str(TARGET / "evidence-print.png"))
    for picture in sorted(TARGET.glob("evidence-*.png")):
        print(f"{picture.name}: {picture.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
