"""The explorer at an API that it was not made for."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.explorer.browser import drawn, followed, heading
from tests.explorer.other_api import library


def test_the_explorer_shows_and_changes_what_another_api_has(chromium: Browser) -> None:
    with library() as other:
        context = chromium.new_context(base_url=other.base)
        context.set_default_timeout(10_000)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/start")
        drawn(page)
        assert heading(page) == "The library"
        assert page.title() == "The library · Books"
        followed(page, "Shelf")
        expect(page.locator(".count")).to_have_text("2 entries")
        for column in ("Title", "Issued"):
            expect(page.get_by_role("columnheader", name=column, exact=True)).to_be_visible()
        followed(page, "Emma")
        page.get_by_role("button", name="Edit the book").click()
        title = page.get_by_label("Title needed")
        title.fill("Persuasion")
        page.get_by_role("form").locator("[type=submit]").click()
        expect(page.locator("h1")).to_have_text("Persuasion")
        page.goto("/shelf")
        drawn(page)
        page.get_by_role("button", name="Add a book").click()
        page.get_by_role("form").locator("[type=submit]").click()
        expect(page.get_by_label("Title needed")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Title needed").fill("Villette")
        page.get_by_role("form").locator("[type=submit]").click()
        expect(page.locator("h1")).to_have_text("Villette")
        assert list(other.books.values()) == ["Middlemarch", "Persuasion", "Villette"]
        page.goto("/nothing")
        expect(page.locator("h1")).to_have_text("There is no such book")
        assert errors == []
        context.close()
