"""The explorer at an API that it was not made for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.explorer.browser import acted, drawn, followed, heading, opened, sent
from tests.explorer.other_api import FOREIGN_CONTEXT, Library


def test_the_explorer_shows_and_changes_what_another_api_has(guest: Page, other: Library) -> None:
    asked: list[str] = []
    guest.on("request", lambda it: asked.append(it.url))
    opened(guest, "/start")
    assert heading(guest) == "The library"
    assert guest.title() == "The library · Books"
    followed(guest, "Shelf")
    expect(guest.locator(".count")).to_have_text("2 entries")
    for column in ("Title", "Issued"):
        expect(guest.get_by_role("columnheader", name=column, exact=True)).to_be_visible()
    followed(guest, "Emma")
    acted(guest, "Edit the book")
    guest.get_by_label("Title needed").fill("Persuasion")
    sent(guest, "Edit the book")
    expect(guest.locator("h1")).to_have_text("Persuasion")
    opened(guest, "/shelf")
    acted(guest, "Add a book")
    sent(guest, "Add a book")
    expect(guest.get_by_label("Title needed")).to_have_attribute("aria-invalid", "true")
    guest.get_by_label("Title needed").fill("Villette")
    sent(guest, "Add a book")
    expect(guest.locator("h1")).to_have_text("Villette")
    assert list(other.books.values()) == ["Middlemarch", "Persuasion", "Villette"]
    guest.goto("/nothing")
    expect(guest.locator("h1")).to_have_text("There is no such book")
    assert FOREIGN_CONTEXT not in asked


def test_a_list_of_another_api_is_searched_and_turned_over(guest: Page, other: Library) -> None:
    other.books["/shelf/3"] = "Villette"
    opened(guest, "/shelf")
    expect(guest.locator(".count")).to_have_text("2 of 3 entries")
    guest.get_by_role("navigation", name="Pages").get_by_role("link", name="Next").click()
    expect(guest.get_by_role("rowheader")).to_have_text(["Villette"])
    guest.locator("summary", has_text="Search and order").click()
    guest.get_by_role("searchbox", name="Title").fill("Emm")
    guest.get_by_role("button", name="Search").click()
    expect(guest.get_by_role("rowheader")).to_have_text(["Emma"])
    assert guest.url == f"{other.base}/shelf?title=Emm"


@pytest.mark.parametrize(
    ("address", "titles"),
    [("/shelf", ["Add a book"]), ("/shelf/1", ["Edit the book", "Replace the book"])],
    ids=["by the link that leads there", "by its class"],
)
def test_what_only_the_documentation_says_can_be_done_is_offered_with_a_word_about_it(
    guest: Page, other: Library, address: str, titles: list[str]
) -> None:
    other.says_operations = False
    opened(guest, address)
    actions = guest.get_by_role("region", name="What you can do here")
    expect(actions.get_by_role("button")).to_have_text(titles)
    expect(actions).to_contain_text("the service may refuse it for this one")
    acted(guest, titles[0])
    guest.get_by_label("Title needed").fill("Shirley")
    sent(guest, titles[0])
    expect(guest.locator("h1")).to_have_text("Shirley")
    drawn(guest)
