"""What data may bring along: nothing of it is lost, cut off, or does anything by itself."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from app.explorer.files import modules
from tests.explorer.browser import acted, drawn, heading, opened, sent
from tests.explorer.other_api import Library


def test_nothing_that_nobody_touched_is_changed(guest: Page, other: Library) -> None:
    other.further = {"v:lent": True, "v:pages": 448, "v:tag": ["comedy", "manners"], "v:author": "/jane"}
    opened(guest, "/shelf/2")
    acted(guest, "Replace the book")
    guest.get_by_text("Optional", exact=True).click()
    expect(guest.get_by_label("Lent")).to_have_value("true")
    guest.get_by_label("Title needed").fill("Persuasion")
    sent(guest, "Replace the book")
    expect(guest.locator("h1")).to_have_text("Persuasion")
    [content] = other.sent
    assert content.pop("@context")
    kept = {"v:lent": True, "v:pages": 448, "v:tag": ["comedy", "manners"], "v:author": f"{other.base}/jane"}
    assert content == {"dc:title": "Persuasion", **kept}


def test_only_what_was_touched_is_sent_of_a_change(guest: Page, other: Library) -> None:
    other.further = {"v:lent": True, "v:pages": "some", "v:tag": ["one\nof two lines", "two"]}
    opened(guest, "/shelf/2")
    acted(guest, "Edit the book")
    guest.get_by_text("Optional", exact=True).click()
    expect(guest.get_by_label("Pages")).to_have_value("some")
    guest.get_by_label("Lent").select_option("No")
    sent(guest, "Edit the book")
    expect(guest.get_by_role("form", name="Edit the book")).to_have_count(0)
    assert other.sent == [{"v:lent": False}]


def test_what_is_no_number_is_not_sent_as_nothing(guest: Page, other: Library) -> None:
    other.further = {"v:pages": 448}
    opened(guest, "/shelf/2")
    acted(guest, "Edit the book")
    guest.get_by_text("Optional", exact=True).click()
    guest.get_by_label("Pages").fill("")
    guest.get_by_label("Pages").press_sequentially("1e")
    sent(guest, "Edit the book")
    expect(guest.get_by_label("Pages")).to_have_attribute("aria-invalid", "true")
    assert other.sent == []


def test_an_iri_that_would_do_something_is_no_link(guest: Page, other: Library) -> None:
    doing = ["javascript:alert(1)", "data:text/html,x"]
    other.further = {"v:author": doing, "v:shelf": [*doing, "https://elsewhere.example/shelf"]}
    opened(guest, "/shelf/2")
    assert heading(guest) == "Emma"
    for iri in doing:
        expect(guest.get_by_role("main")).to_contain_text(iri)
    schemes = guest.evaluate("[...new Set([...document.links].map(it => it.protocol))]")
    assert sorted(schemes) == ["http:", "https:"]
    foreign = guest.locator("main a[href^='https://elsewhere.example']")
    assert {it.get_attribute("rel") for it in foreign.all()} == {"noopener noreferrer"}


def test_the_token_goes_to_nobody_else(guest: Page, other: Library) -> None:
    """Also where a page's own name is at another service. Of the module that asks, before it is joined."""

    def give(route: Route) -> None:
        name = route.request.url.rpartition("/")[2].removesuffix(".js")
        route.fulfill(body=modules()[name], content_type="text/javascript")

    guest.route("**/modules/*", give)
    opened(guest, "/shelf/2")
    found = guest.evaluate(
        """async () => {
          const { ask } = await import('/modules/http.js')
          return ask('https://elsewhere.example/').then(() => 'asked', (error) => error.message)
        }"""
    )
    assert found == "https://elsewhere.example/ is of another service"


@pytest.mark.parametrize("name", ["iPhone lab", "مكتبة الإسكندرية " * 12])
def test_a_name_is_shown_as_it_is_and_fits(guest: Page, other: Library, name: str) -> None:
    other.books["/shelf/2"] = name.strip()
    opened(guest, "/shelf/2")
    assert guest.locator("h1").text_content() == name.strip()
    here = guest.locator(".graph .here text.label")
    short = here.evaluate("it => it.firstChild.data")
    assert len(short) <= 24
    if short != name.strip():
        assert here.locator("title").text_content() == name.strip()
    # Read from its own side, whichever that of the page is.
    assert guest.locator("h1").evaluate("it => getComputedStyle(it).unicodeBidi") == "plaintext"
    widths = "it => [it.getBBox().width, it.previousElementSibling.getBBox().width]"
    text, box = here.evaluate(widths)
    assert text < box


def test_a_place_within_a_page_is_opened_whatever_its_name(guest: Page) -> None:
    opened(guest, "/about#100%")
    assert heading(guest) == "Books"
    opened(guest, "/start")
    opened(guest, "/about#Book")
    expect(guest.locator("details#Book")).to_have_attribute("open", "")
    expect(guest.locator("details#Shelf")).not_to_have_attribute("open", "")
    guest.evaluate("location.hash = 'Shelf'")
    expect(guest.locator("details#Shelf")).to_have_attribute("open", "")


def test_what_is_told_beside_things_is_told_and_the_rest_of_many_gets_the_focus(
    guest: Page, other: Library
) -> None:
    parts: list[Any] = [{"@id": f"/part/{n}", "@type": "v:Book", "dc:title": f"Part {n}"} for n in range(32)]
    other.further = {"v:part": [*parts, "and a word", {"@id": "https://elsewhere.example/part"}]}
    opened(guest, "/shelf/2")
    main = guest.get_by_role("main")
    expect(main).to_contain_text("and a word")
    expect(main.get_by_role("link", name="https://elsewhere.example/part")).to_be_visible()
    main.get_by_role("button", name="Show 2 more").click()
    more = main.get_by_role("region", name="More of")
    expect(more).to_be_focused()
    expect(more.get_by_role("rowheader")).to_have_text(["Part 30", "Part 31"])


def test_a_note_that_was_pointed_at_is_sent_away_by_escape(guest: Page) -> None:
    opened(guest, "/start")
    link = guest.get_by_role("main").get_by_role("link", name="Shelf").first
    link.hover()
    tip = guest.get_by_role("tooltip").filter(has_text="/shelf")
    expect(tip.first).to_be_visible()
    guest.keyboard.press("Escape")
    expect(tip.first).to_be_hidden()
    guest.mouse.move(0, 0)
    link.hover()
    expect(tip.first).to_be_visible()
    drawn(guest)
