# Copyright (c) 2026, the m365.exchange_online contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence page in a real browser: what people see, can reach, and can't be harmed by."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from evidence import fleet
from page.browser import browser, opened, render

pytestmark = pytest.mark.page

PHONE = {"width": 390, "height": 844}
MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(browser())


@pytest.fixture(scope="session")
def fleet_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 tenants of 250 mailboxes over three nights."""
    return render(tmp_path_factory.mktemp("fleet"), fleet.Generator(200, 250), 3)


@pytest.fixture(scope="session")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 tenants, and every one of their 50,000 mailboxes is listed."""
    return render(tmp_path_factory.mktemp("large"), fleet.Generator(200, 250, listed=250), 1)


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("hostile"), fleet.Generator(20, 50, hostile=True), 2)


@pytest.mark.parametrize("which", ["fleet_page", "large_page", "hostile_page"])
def test_asks_nothing_of_a_network_and_complains_of_nothing(
    chromium: Browser, which: str, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(which)
    with opened(chromium, path) as seen:
        seen.page.locator("button.open").first.click()
        seen.page.locator("button.chip").nth(1).click()
        assert seen.page.locator("#boxes tbody tr").count() > 0
        assert (seen.complaints, seen.requests) == ([], [path.as_uri()])


def test_50_000_mailboxes_fit_and_are_there_at_once(chromium: Browser, large_page: Path) -> None:
    assert large_page.stat().st_size < 3 * MEGABYTE
    with opened(chromium, large_page) as seen:
        assert "50,000 mailboxes" in seen.page.locator("#box-count").inner_text()
        assert float(seen.page.locator("html").get_attribute("data-ready") or "inf") < 2000
        seen.page.locator("#box-search").fill("scanner00@contoso.example")
        expect(seen.page.locator("#box-count")).to_have_text("1 mailbox")
        assert seen.page.locator("#boxes tbody th").all_inner_texts() == ["scanner00@contoso.example"]


def test_texts_of_the_service_stay_texts(chromium: Browser, hostile_page: Path) -> None:
    source = hostile_page.read_text(encoding="utf-8")
    assert len(re.findall(r"<script", source)) == 2
    assert "\u202e" not in source
    assert "\x07" not in source
    with opened(chromium, hostile_page) as seen:
        for opener in seen.page.locator("tr.row:not(.later) button.open").all()[:5]:
            opener.click()
        assert seen.page.title() == "SMTP AUTH evidence"
        assert seen.page.locator("img, iframe, object, embed, form, base").count() == 0
        assert "<img src=x" in seen.page.locator("#boxes tbody").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_is_clean_to_a_screen_reader(chromium: Browser, fleet_page: Path, scheme: str, width: int) -> None:
    with opened(chromium, fleet_page, color_scheme=scheme, viewport={"width": width, "height": 900}) as seen:
        seen.page.locator("button.open").first.click()
        for summary in seen.page.locator("details > summary").all():
            summary.click()
        found = Axe().run(seen.page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("which", ["fleet_page", "hostile_page"])
def test_never_scrolls_sideways_on_a_phone(chromium: Browser, which: str, request: pytest.FixtureRequest) -> None:
    with opened(chromium, request.getfixturevalue(which), viewport=PHONE) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_works_with_the_keyboard_alone(chromium: Browser, fleet_page: Path) -> None:
    with opened(chromium, fleet_page) as seen:
        page = seen.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        opener = page.locator("button.open").first
        opener.focus()
        page.keyboard.press("Enter")
        assert opener.get_attribute("aria-expanded") == "true"
        assert page.locator("tr.more.shown").count() == 1
        head = page.locator("#tenants thead th").first
        head.locator("button").focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert page.locator("#tenants tr.row th").first.inner_text() == "adatum"
        page.locator("#more").focus()
        page.keyboard.press("Enter")
        assert page.locator("#boxes tbody tr").count() == 200
        assert page.evaluate("document.activeElement.tagName") == "TR"


def test_figures_lead_to_what_is_behind_them(chromium: Browser, fleet_page: Path) -> None:
    with opened(chromium, fleet_page) as seen:
        page = seen.page
        page.locator("#attention a[data-filter=expired]").click()
        states = set(page.locator("#boxes tbody .badge").all_inner_texts())
        assert states == {"expired"}
        link = page.locator("#attention a[data-filter=unused]")
        figure = link.inner_text().split()[0]
        link.click()
        expect(page.locator("#box-count")).to_contain_text(f"{figure} mailboxes")
        cell = page.locator(".cells a.bad").first
        name = (cell.get_attribute("title") or "").partition(":")[0]
        cell.click()
        assert page.locator("tr.more.shown").count() == 1
        assert page.evaluate("document.activeElement.textContent") == name


def test_tenants_are_searched_and_all_shown(chromium: Browser, fleet_page: Path) -> None:
    with opened(chromium, fleet_page) as seen:
        page = seen.page
        assert page.locator("#tenants tr.row:visible").count() == 25
        assert page.locator("#tenants tr.row").first.locator(".badge").first.inner_text() == "failed"
        page.locator("#tenants-more").click()
        assert page.locator("#tenants tr.row:visible").count() == 200
        page.locator("#tenant-search").fill("directory role fabrikam")
        assert page.locator("#tenants tr.row:visible").count() == 0
        page.locator("#tenant-search").fill("failed")
        assert page.locator("#tenants tr.row:visible").count() == 3


def test_prints_on_white_without_tools(chromium: Browser, fleet_page: Path) -> None:
    with opened(chromium, fleet_page, color_scheme="dark") as seen:
        seen.page.emulate_media(media="print")
        assert not seen.page.locator("nav").is_visible()
        assert not seen.page.locator("#box-search").is_visible()
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert seen.page.locator("#tenants tr.row:visible").count() == 200


def test_reads_without_its_script(chromium: Browser, fleet_page: Path) -> None:
    with opened(chromium, fleet_page, java_script_enabled=False) as seen:
        assert seen.page.locator("#tenants tr.row:visible").count() == 200
        assert seen.page.locator("#tenants tr.more:visible").count() == 200
        assert seen.page.locator(".no-js").is_visible()


def test_the_countdown_goes_on_after_the_page_was_made(chromium: Browser, fleet_page: Path) -> None:
    with opened(chromium, fleet_page) as seen:
        assert seen.page.locator("#days").inner_text() == "35"
        seen.page.clock.set_fixed_time("2026-12-24T12:00:00Z")
        seen.page.reload()
        assert seen.page.locator("#days").inner_text() == "7"
        assert "28 days old" in seen.page.locator(".clock").inner_text()
