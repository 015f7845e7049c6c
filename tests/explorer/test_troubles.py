"""What comes late, broken or not at all: nothing that somebody wrote is lost, and nobody is led astray."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.explorer.browser import acted, drawn, heading, opened, sent
from tests.explorer.other_api import Library

BOOK = "**/shelf/2"
EXPIRED = "Bearer expired"


def held(page: Page, address: str, method: str = "GET") -> list[Route]:
    """Requests of the page's scripts that wait until the test lets them go."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        wanted = route.request.method == method and route.request.resource_type == "fetch"
        waiting.append(route) if wanted else route.fallback()

    page.route(address, hold)
    return waiting


def answered(page: Page, address: str, method: str, act: Callable[[Route], None]) -> None:
    """The next request of this method alone is answered otherwise."""
    left = [method]

    def answer(route: Route) -> None:
        if route.request.resource_type == "fetch" and left == [route.request.method]:
            left.clear()
            act(route)
        else:
            route.fallback()

    page.route(address, answer)


def until(page: Page, waiting: list[Route]) -> Route:
    for _ in range(200):
        if waiting:
            return waiting[0]
        page.wait_for_timeout(20)
    raise AssertionError("nothing was asked")


def edited(page: Page, title: str = "Persuasion") -> None:
    """Emma's form, filled in and sent."""
    acted(page, "Edit the book")
    page.get_by_label("Title needed").fill(title)
    sent(page, "Edit the book")


def test_who_goes_back_before_the_answer_stays_there(guest: Page, other: Library) -> None:
    waiting = held(guest, BOOK)
    opened(guest, "/shelf")
    guest.get_by_role("main").get_by_role("link", name="Emma").first.click()
    expect(guest.get_by_role("banner")).to_contain_text("Loading …")
    expect(guest.get_by_role("status")).to_have_text("Loading …")
    late = until(guest, waiting)
    guest.go_back()
    drawn(guest)
    late.continue_()
    guest.wait_for_load_state("networkidle")
    assert guest.url == f"{other.base}/shelf"
    assert heading(guest) == "Shelf"
    expect(guest.get_by_role("banner")).not_to_contain_text("Loading")


def test_what_could_not_be_shown_is_left_by_going_back(guest: Page, other: Library) -> None:
    answered(guest, BOOK, "GET", lambda it: it.abort())
    opened(guest, "/shelf")
    guest.get_by_role("main").get_by_role("link", name="Emma").first.click()
    expect(guest.locator("h1")).to_have_text("This could not be shown")
    guest.go_back()
    expect(guest.locator("h1")).to_have_text("Shelf")
    assert guest.url == f"{other.base}/shelf"


@pytest.mark.parametrize(
    ("status", "told"),
    [(200, "Edit the book: done."), (422, "Edit the book: not done. Not that one.")],
)
def test_who_has_gone_elsewhere_is_told_what_came_of_it_and_stays(
    guest: Page, other: Library, status: int, told: str
) -> None:
    waiting = held(guest, BOOK, "PATCH")
    opened(guest, "/shelf/2")
    edited(guest)
    late = until(guest, waiting)
    coming = held(guest, "**/start")
    guest.get_by_role("banner").get_by_role("link").click()
    elsewhere = until(guest, coming)
    problem = json.dumps({"detail": "Not that one."})
    late.fulfill(status=status, content_type="application/problem+json", body=problem)
    said = guest.get_by_role("complementary", name="Said since")
    expect(said).to_contain_text(told)
    elsewhere.continue_()
    expect(guest.locator("h1")).to_have_text("The library")
    expect(said).to_contain_text(told)
    assert guest.url == f"{other.base}/start"
    said.get_by_role("button", name="Close").click()
    expect(said).to_have_count(0)


def test_what_was_changed_by_hand_after_a_conflict_is_what_is_sent(guest: Page, other: Library) -> None:
    opened(guest, "/shelf/2")
    other.books["/shelf/2"] = "Emma, by Jane Austen"
    edited(guest, "Emma, 1815")
    guest.get_by_role("button", name="See theirs").click()
    expect(guest.get_by_role("row").nth(1)).to_have_text(re.compile("Emma, by Jane Austen.*Emma, 1815"))
    guest.get_by_label("Title needed").fill("Emma, by Jane Austen, 1815")
    guest.get_by_role("button", name="Keep mine and send again").click()
    expect(guest.locator("h1")).to_have_text("Emma, by Jane Austen, 1815")
    assert other.books["/shelf/2"] == "Emma, by Jane Austen, 1815"


@pytest.mark.parametrize("status", [0, 410])
def test_where_theirs_cannot_be_read_what_was_written_stays(guest: Page, other: Library, status: int) -> None:
    opened(guest, "/shelf/2")
    other.books["/shelf/2"] = "Theirs"
    gone = json.dumps({"title": "Gone", "detail": "It was taken away."})
    answered(
        guest,
        BOOK,
        "GET",
        lambda it: (
            it.fulfill(status=410, content_type="application/json", body=gone) if status else it.abort()
        ),
    )
    edited(guest)
    told = guest.locator(".told")
    expect(told).to_contain_text("It was taken away." if status else "could not be read")
    expect(guest.get_by_label("Title needed")).to_have_value("Persuasion")


def test_what_was_done_counts_though_the_answer_cannot_be_read(guest: Page, other: Library) -> None:
    opened(guest, "/shelf")
    acted(guest, "Add a book")
    guest.get_by_label("Title needed").fill("Villette")

    def add(route: Route) -> None:
        other.books["/shelf/3"] = "Villette"
        fields = {"Content-Type": "application/ld+json", "Location": "/shelf/3"}
        route.fulfill(status=201, headers=fields, body='{"@id": ')

    answered(guest, "**/shelf", "POST", add)
    sent(guest, "Add a book")
    expect(guest.locator("h1")).to_have_text("Villette")


def test_a_token_that_has_expired_costs_nothing_that_was_written(guest: Page, other: Library) -> None:
    def guard(route: Route) -> None:
        fields, method = route.request.headers, route.request.method
        if fields.get("authorization") == EXPIRED or (method == "PATCH" and "authorization" not in fields):
            problem = json.dumps({"title": "Not authenticated", "detail": "The token has expired."})
            route.fulfill(status=401, content_type="application/problem+json", body=problem)
        else:
            route.fallback()

    opened(guest, "/shelf/2")
    guest.evaluate("sessionStorage.setItem('explorer.token', 'expired')")
    guest.route("**/*", guard)
    edited(guest)
    expect(guest.get_by_role("group", name=re.compile("401"))).to_contain_text("The token has expired.")
    expect(guest.get_by_role("banner").get_by_role("button", name="Sign in")).to_be_visible()
    guest.get_by_role("banner").get_by_role("button", name="Sign in").click()
    guest.get_by_label("Access token").fill("Bearer new\n  and-whole ")
    guest.get_by_role("button", name="Use this token").click()
    expect(guest.get_by_label("Title needed")).to_have_value("Persuasion")
    with guest.expect_request(lambda it: it.method == "PATCH") as asked:
        sent(guest, "Edit the book")
    assert asked.value.headers["authorization"] == "Bearer newand-whole"
    expect(guest.locator("h1")).to_have_text("Persuasion")


def test_what_can_be_no_token_is_refused_where_it_was_written(guest: Page) -> None:
    opened(guest, "/shelf")
    guest.get_by_role("button", name="Sign in").click()
    guest.get_by_label("Access token").fill("a tøken")
    guest.get_by_role("button", name="Use this token").click()
    expect(guest.get_by_role("alert")).to_contain_text("not an access token")
    expect(guest.get_by_label("Access token")).to_have_value("a tøken")
    assert guest.evaluate("sessionStorage.length") == 0


def test_raw_forms_come_once_however_often_they_are_opened(guest: Page) -> None:
    waiting = held(guest, "**/start", "HEAD")
    opened(guest, "/start")
    summary = guest.locator("summary", has_text="Raw representation")
    for _ in range(3):
        summary.click()
    for route in list(waiting):
        route.fulfill(status=200, content_type=route.request.headers["accept"])
    expect(guest.get_by_role("tablist")).to_have_count(1)
    expect(guest.get_by_role("tab")).to_have_count(7)
    answered(guest, "**/start", "GET", lambda it: it.abort())
    guest.get_by_role("tab", name="Turtle").click()
    expect(guest.get_by_role("tabpanel")).to_have_text("The service could not be reached.")
    guest.get_by_role("tab", name="N-Quads").click()
    expect(guest.get_by_role("tabpanel")).to_have_text("The service answered with 406 this time.")


@pytest.mark.parametrize("status", [200, 502, 504])
def test_what_somebody_before_the_service_answers_is_no_answer(
    guest: Page, other: Library, status: int
) -> None:
    """A proxy knows neither what the service did nor whether: that is said, and what was written stays."""
    opened(guest, "/shelf/2")
    page = "<p>Somebody else's page</p>"
    answered(guest, BOOK, "PATCH", lambda it: it.fulfill(status=status, content_type="text/html", body=page))
    edited(guest)
    expect(guest.locator(".notice")).to_contain_text("Nothing is known of what it did")
    expect(guest.get_by_label("Title needed")).to_have_value("Persuasion")
    assert other.books["/shelf/2"] == "Emma"
