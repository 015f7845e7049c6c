"""A browser for tests, where the machine has one, and what a person does with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# The shell is the same engine without a desktop's browser around it, and takes a third less time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
DRAWN = "main[data-state=complete]"


@contextmanager
def browser() -> Iterator[Browser]:
    """Skips the test where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"there is no browser here: none of {', '.join(NAMES)} was found")
    with sync_playwright() as playwright:
        # Its sandbox does not work for root, as whom containers often run tests, and an emulated GPU costs
        # more than none.
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield chromium
        finally:
            chromium.close()


def drawn(page: Page) -> None:
    """Waits until the page shows what it was asked for, names and all."""
    page.wait_for_selector(DRAWN)


def opened(page: Page, address: str) -> None:
    page.goto(address)
    drawn(page)


def signed_in(page: Page, name: str) -> None:
    """As one of the people of the sample data, by the button."""
    page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Sign out").wait_for()
    drawn(page)


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def followed(page: Page, name: str, *, exact: bool = False) -> None:
    """A link of the content, by its name."""
    before = page.url
    page.get_by_role("main").get_by_role("link", name=name, exact=exact).first.click()
    page.wait_for_url(lambda url: url != before)
    drawn(page)


def acted(page: Page, title: str) -> None:
    """Opens the form of an operation."""
    page.get_by_role("button", name=title, exact=True).and_(page.locator("[aria-expanded]")).click()
    page.get_by_role("form", name=title).wait_for()


def sent(page: Page, title: str) -> None:
    page.get_by_role("form", name=title).locator("[type=submit]").click()
