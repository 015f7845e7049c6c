"""Every kind of page is for everybody: axe finds nothing, nothing is cut off, and pictures are kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from app.explorer.files import SCRIPT, version
from tests.commands import Server
from tests.explorer.browser import DRAWN, SCREENSHOTS, drawn, opened, signed_in
from tests.explorer.conftest import watched

# Of those that are levels of WCAG 2.2, and what axe thinks good besides.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


# What depends on colours, and on sizes; all else is the same in every look.
OF_LOOKS = {"dark": ["color-contrast"], "narrow": ["target-size", "scrollable-region-focusable"]}
# `make looks`. Else every kind of page is looked at in light, and in other looks those that differ most.
# Of the entries of a long page, which one template makes, the first few are looked at then.
ALIKE = "section > article:nth-of-type(n+4)"
ALL = os.environ.get("EXPLORER_LOOKS") == "all"
SOME = ("collection", "instance", "problem-types", "not-found")
LONG = True
# What README shows.
PICTURE = Path(__file__).parents[2] / "docs" / "images" / "explorer.png"

HEADINGS = {
    "entry-point": "Entry point",
    "collection": "Collection of instances",
    "page-of-a-collection": "Collection of instances",
    "empty-collection": "Collection of instances",
    "instance": "Acme North America",
    "organization": "Acme Corporation",
    "members": "Collection of members",
    "member": "Acme member",
    "transfer": "Collection of transfer targets",
    "authorization": "Authorization",
    "activities": "Collection of activities",
    "activity": "Organization created",
    "partner": "Acme owner",
    "documentation": "Instance registry",
    "shapes": "Instance registry shapes",
    "vocabulary": "Instance registry vocabulary",
    "context": "/contexts/v1/registry.jsonld",
    "contexts": "Contexts",
    "problem-types": "Problem types",
    "problem-type": "Handle taken",
    "not-found": "Not found",
}

# Of an element, in the browser: whether its look moves or takes time to change.
MOVES = """it => { const style = getComputedStyle(it)
  return style.animationName !== 'none' || style.transitionDuration !== '0s' }"""


class Look(NamedTuple):
    name: str
    scheme: str
    width: int


LOOKS = (Look("light", "light", 1280), Look("dark", "dark", 1280), Look("narrow", "light", 320))


@pytest.fixture(scope="module", autouse=True)
def place_for_pictures() -> None:
    """Beside those of another process of the same run."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="module")
def addresses(server: Server, owner: httpx.Client) -> dict[str, str]:
    """One address of each kind."""

    def first(path: str, **query: str) -> str:
        found: str = owner.get(path, params=query).json()["member"][0]["@id"]
        return found.removeprefix(server.base)

    instance = first("/api/instances", handle="acme-us")
    organization = first("/api/organizations", name="Acme Corporation")
    return {
        "entry-point": "/api",
        "collection": "/api/instances",
        "page-of-a-collection": "/api/instances?itemsPerPage=2",
        "empty-collection": "/api/instances?name=nothing-has-this-name",
        "instance": instance,
        "organization": organization,
        "members": f"{organization}/members",
        "member": first(f"{organization}/members"),
        "transfer": f"{instance}/transfer",
        "authorization": first(f"{instance}/authorizations"),
        "activities": "/api/activities",
        "activity": first("/api/activities"),
        "partner": "/api/me",
        "documentation": "/api/docs",
        "shapes": "/shapes",
        "vocabulary": "/vocab",
        "context": "/contexts/v1/registry.jsonld",
        "contexts": "/contexts",
        "problem-types": "/problems",
        "problem-type": "/problems/handle-taken",
        "not-found": "/api/nothing",
    }


@pytest.fixture(params=LOOKS, ids=lambda look: look.name)
def look(request: pytest.FixtureRequest) -> Look:
    found: Look = request.param
    return found


@pytest.fixture
def looked(chromium: Browser, server: Server, look: Look) -> Iterator[Page]:
    size = {"width": look.width, "height": 900}
    with watched(chromium, server.base, viewport=size, color_scheme=look.scheme) as page:
        yield page


def faults(page: Page, look: Look, name: str) -> list[str]:
    """What is wrong with what is shown. A picture is kept of that, and of everything by `make looks`."""
    page.wait_for_timeout(250)  # what appears has appeared: a colour in between has no contrast of its own
    only = (
        {"type": "tag", "values": RULES}
        if ALL or look.name not in OF_LOOKS
        else {"type": "rule", "values": OF_LOOKS[look.name]}
    )
    # What is well is not told of in detail, which takes axe longer than looking where a page is long.
    options = {"runOnly": only, "resultTypes": ["violations"]}
    context = None if ALL else {"exclude": [[ALIKE]]}
    found = Axe().run(page, context=context, options=options).response["violations"]
    told = [f"{name}: {it['id']} at {[node['target'] for node in it['nodes']][:5]}" for it in found]
    # WCAG 2.2, 1.4.10: read without moving sideways, but for what has two dimensions.
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        told.append(f"{name}: wider than the screen")
    if ALL or told:
        short = page.evaluate("document.documentElement.scrollHeight < 5000")
        page.screenshot(path=SCREENSHOTS / f"{name}-{look.name}.png", full_page=short)
    return told


def test_every_kind_of_page_is_for_everybody(looked: Page, look: Look, addresses: dict[str, str]) -> None:
    opened(looked, "/api/instances")
    found = faults(looked, look, "not-authenticated")
    signed_in(looked, "Acme owner")
    for name, address in addresses.items():
        if not ALL and look is not LOOKS[0] and name not in SOME:
            continue
        looked.goto(address)
        if name not in ("vocabulary", "problem-types", "problem-type"):
            drawn(looked)
        expect(looked.locator("h1")).to_have_text(HEADINGS[name])
        found += faults(looked, look, name)
        if ALL and look is LOOKS[0] and name == "instance":
            looked.screenshot(path=PICTURE, full_page=True)
    assert found == []


@pytest.mark.parametrize("look", LOOKS if ALL else LOOKS[::2], indirect=True, ids=lambda look: look.name)
def test_every_form_and_panel_is_for_everybody(
    looked: Page, look: Look, addresses: dict[str, str], owner: httpx.Client
) -> None:
    opened(looked, "/api")
    looked.get_by_role("button", name="Sign in").click()
    looked.get_by_role("button", name="Acme owner").wait_for()
    found = faults(looked, look, "sign-in")
    looked.keyboard.press("Escape")
    expect(looked.get_by_role("dialog")).to_have_count(0)
    signed_in(looked, "Acme owner")
    opened(looked, addresses["collection"])
    looked.get_by_role("button", name="Create an instance").click()
    looked.get_by_label("Handle needed").fill("Not A Handle")
    looked.get_by_role("form", name="Create an instance").locator("[type=submit]").click()
    found += faults(looked, look, "refused-form")
    looked.locator("summary", has_text="Search and order").click()
    found += faults(looked, look, "search-form")
    opened(looked, addresses["instance"])
    looked.locator("summary", has_text="Raw representation").click()
    looked.get_by_role("tab", name="Turtle").click()
    looked.locator("summary", has_text="Request and response").click()
    looked.get_by_role("button", name="Handle", exact=True).focus()
    found += faults(looked, look, "raw-representation")
    looked.get_by_role("button", name="Rename the instance").click()
    renamed = owner.patch(
        addresses["instance"],
        json={"name": f"Theirs, {look.name}"},
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert renamed.status_code == 200
    looked.get_by_label("Name needed").fill("Mine")
    looked.get_by_role("form", name="Rename the instance").locator("[type=submit]").click()
    looked.get_by_role("button", name="See theirs").click()
    found += faults(looked, look, "conflict")
    looked.get_by_role("button", name="Drop mine").click()
    expect(looked.locator("h1")).to_have_text(f"Theirs, {look.name}")
    assert found == []


def test_all_can_be_done_by_keyboard_and_the_focus_is_seen(page: Page, addresses: dict[str, str]) -> None:
    """Every control has its turn, and an outline when it has."""
    opened(page, "/api")
    signed_in(page, "Acme owner")
    opened(page, addresses["instance"])
    page.wait_for_load_state("networkidle")
    controls = "main :is(a[href], button, summary, input, select, [tabindex='0'])"
    visible = f'[...document.querySelectorAll("{controls}")].filter(it => it.checkVisibility())'
    wanted = page.evaluate(f"{visible}.length")
    assert wanted > 10
    page.locator(".skip").focus()
    unseen = []
    for _ in range(wanted + 10):
        page.keyboard.press("Tab")
        hidden = page.evaluate(
            """() => { const it = document.activeElement, style = getComputedStyle(it)
              it.dataset.met = 'by keyboard'
              const rect = it.querySelector?.(':scope > rect')
              const outlined = style.outlineStyle !== 'none'
                || rect && getComputedStyle(rect).strokeWidth === '3px'
              return it.closest('main') && it.id !== 'main' && !outlined ? it.outerHTML.slice(0, 80) : '' }"""
        )
        unseen += [hidden] if hidden else []
    assert unseen == []
    assert (
        page.evaluate(f"{visible}.filter(it => !it.dataset.met).map(it => it.outerHTML.slice(0, 80))") == []
    )


def test_who_wants_no_motion_gets_none(chromium: Browser, server: Server) -> None:
    context = chromium.new_context(base_url=server.base, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/api")
    page.wait_for_selector(DRAWN)
    moving = f"[...document.querySelectorAll('*')].filter({MOVES}).length"
    assert page.evaluate(moving) == 0
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    context.close()


def test_the_first_page_is_small_and_quickly_drawn(chromium: Browser, server: Server) -> None:
    """All that comes for the entry point, as it goes through the wire."""
    context = chromium.new_context(base_url=server.base)
    page = context.new_page()
    page.goto("/api")
    page.wait_for_selector(DRAWN)
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        "Object.fromEntries(performance.getEntries().filter(it => it.transferSize)"
        ".map(it => [it.name, it.encodedBodySize]))"
    )
    [painted] = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint').map(it => it.startTime)"
    )
    told = f"{sum(sizes.values())} octets in {len(sizes)} answers, drawn after {painted:.0f} ms"
    sys.stdout.write(f"\nThe first page: {told}\n")
    assert server.base + f"/explorer/{version()}/{SCRIPT}" in sizes
    assert sum(sizes.values()) < 60_000
    assert (
        painted < 5_000
    )  # a machine that does much besides draws it later than the 300 ms of one that does not
    context.close()
