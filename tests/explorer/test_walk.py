"""The explorer as a person uses it: to a thing, changing it, and what can go wrong on the way."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.commands import Server
from tests.explorer.browser import acted, drawn, followed, heading, opened, sent, signed_in
from tests.explorer.conftest import watched


def to_instance(page: Page, name: str) -> None:
    """From the entry point, by links alone."""
    opened(page, "/api")
    followed(page, "Instances")
    followed(page, name, exact=True)
    assert heading(page) == name


def test_somebody_signs_in_walks_renames_and_signs_out(page: Page) -> None:
    opened(page, "/api/instances")
    assert heading(page) == "Not authenticated"
    signed_in(page, "Acme owner")
    assert heading(page) == "Collection of instances"
    assert "token" not in page.url.lower()
    assert page.context.cookies() == []
    to_instance(page, "Acme sandbox")
    assert page.title().startswith("Acme sandbox")
    acted(page, "Rename the instance")
    expect(page.get_by_label("Name needed")).to_have_value("Acme sandbox")
    page.get_by_label("Name needed").fill("Acme playground")
    sent(page, "Rename the instance")
    expect(page.locator("h1")).to_have_text("Acme playground")
    expect(page.get_by_role("status")).to_have_text("Rename the instance: done.")
    acted(page, "Rename the instance")
    expect(page.locator(".said")).to_be_visible()
    page.get_by_label("Name needed").fill("")
    sent(page, "Rename the instance")
    expect(page.locator(".said")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Not authenticated")
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_where_somebody_is_stands_above_and_back_leads_back(page: Page) -> None:
    opened(page, "/api")
    signed_in(page, "Acme owner")
    followed(page, "Organizations")
    followed(page, "Acme Corporation")
    followed(page, "Instances")
    trail = page.get_by_role("navigation", name="Where you are")
    expect(trail.get_by_role("listitem")).to_have_text(
        ["Entry point", "Collection of organizations", "Acme Corporation", "Collection of instances"]
    )
    page.go_back()
    expect(page.locator("h1")).to_have_text("Acme Corporation")
    expect(page.locator("h1")).to_be_focused()
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Collection of instances")


@pytest.mark.parametrize("choice", ["keep", "drop"])
def test_who_was_not_the_first_to_change_something_chooses(
    page: Page, owner: httpx.Client, choice: str
) -> None:
    opened(page, "/api")
    signed_in(page, "Acme owner")
    found = owner.get("/api/instances", params={"handle": "acme-depots"}).json()["member"][0]
    opened(page, found["@id"])
    acted(page, "Rename the instance")
    theirs = f"Theirs, before {choice}"
    renamed = owner.patch(
        found["@id"], json={"name": theirs}, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert renamed.status_code == 200
    page.get_by_label("Name needed").fill(f"Mine, to {choice}")
    sent(page, "Rename the instance")
    notice = page.get_by_role("group", name="Somebody else changed this first")
    expect(notice).to_be_focused()
    assert owner.get(found["@id"]).json()["name"] == theirs
    notice.get_by_role("button", name="See theirs").click()
    expect(notice.get_by_role("row").nth(1)).to_contain_text(theirs)
    if choice == "keep":
        notice.get_by_role("button", name="Keep mine and send again").click()
        expect(page.locator("h1")).to_have_text("Mine, to keep")
        assert owner.get(found["@id"]).json()["name"] == "Mine, to keep"
    else:
        notice.get_by_role("button", name="Drop mine").click()
        expect(page.locator("h1")).to_have_text(theirs)
        assert owner.get(found["@id"]).json()["name"] == theirs


def test_a_bad_handle_is_told_at_its_field_before_anything_is_sent_and_then_mended(page: Page) -> None:
    opened(page, "/api")
    signed_in(page, "Acme owner")
    followed(page, "Organizations")
    followed(page, "Acme Research")
    followed(page, "Instances")
    acted(page, "Create an instance")
    posted: list[str] = []
    page.on("request", lambda it: posted.append(it.url) if it.method == "POST" else None)
    page.get_by_label("Name needed").fill("Quantum lab")
    handle = page.get_by_label("Handle needed")
    handle.fill("Quantum Lab")
    sent(page, "Create an instance")
    expect(handle).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("group", name="This could not be sent yet.")).to_be_focused()
    expect(handle).to_have_accessible_description(re.compile("lowercase letters and hyphens, with no hyphen"))
    handle.fill("admin")  # which is kept back
    sent(page, "Create an instance")
    expect(handle).to_have_attribute("aria-invalid", "true")
    assert posted == []
    handle.fill("acme-eu")  # which somebody has: that only the service can know
    sent(page, "Create an instance")
    expect(page.get_by_role("group", name=re.compile("409"))).to_be_focused()
    expect(handle).to_have_attribute("aria-invalid", "true")
    assert len(posted) == 1
    handle.fill("quantum-lab")
    sent(page, "Create an instance")
    expect(page.locator("h1")).to_have_text("Quantum lab")
    assert page.url.rpartition("/")[0].endswith("/api/instances")


def test_an_authorization_is_accepted_and_the_instance_transferred(page: Page) -> None:
    opened(page, "/api")
    signed_in(page, "Globex owner")
    followed(page, "Organizations")
    followed(page, "Globex", exact=True)
    followed(page, "Received authorizations")
    waiting = page.get_by_role("row").filter(has_text="pending")
    waiting.get_by_role("link").first.click()
    page.wait_for_url(re.compile(r"/authorizations/[0-9a-f-]+$"))
    drawn(page)
    acted(page, "Accept the authorization")
    page.get_by_label("Status needed").select_option("accepted")
    sent(page, "Accept the authorization")
    expect(page.get_by_role("status")).to_have_text("Accept the authorization: done.")
    expect(page.locator("dl.facts")).to_contain_text("accepted")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Not authenticated")
    signed_in(page, "Acme owner")
    to_instance(page, "Acme Europe")
    followed(page, "Transfer")
    acted(page, "Transfer the instance")
    sent(page, "Transfer the instance")
    expect(page.get_by_role("group", name="This could not be sent yet.")).to_be_focused()
    page.get_by_label("Organization organization", exact=True).select_option("Globex")
    sent(page, "Transfer the instance")
    # Who gives it away does not see it any more, and is led to what there is to see.
    expect(page.locator(".said")).to_have_text("Transfer the instance: done.")
    expect(page.locator("h1")).to_have_text("Collection of instances")
    expect(page.get_by_role("main")).not_to_contain_text("Acme Europe")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Not authenticated")
    signed_in(page, "Globex owner")
    to_instance(page, "Acme Europe")
    expect(page.locator("dl.facts")).to_contain_text("Globex")


def test_what_was_changed_meanwhile_is_not_transferred_unseen(page: Page, owner: httpx.Client) -> None:
    acme, research = [
        owner.get("/api/organizations", params={"name": name}).json()["member"][0]
        for name in ("Acme Corporation", "Acme Research")
    ]
    content = {"name": "Moving", "handle": "moving-on"}
    instance = owner.post(f"{acme['@id']}/instances", json=content).headers["Location"]
    offer = {"organization_id": research["id"]}
    owner.post(f"{instance}/authorizations", json=offer).raise_for_status()
    opened(page, f"{instance}/transfer")
    signed_in(page, "Acme owner")
    acted(page, "Transfer the instance")
    owner.patch(
        instance,
        content=json.dumps({"name": "Not to be moved"}),
        headers={"Content-Type": "application/merge-patch+json"},
    ).raise_for_status()
    page.get_by_label("Organization organization", exact=True).select_option("Acme Research")
    sent(page, "Transfer the instance")
    notice = page.get_by_role("group", name="Somebody else changed this first")
    expect(notice).to_be_focused()
    assert owner.get(instance).json()["organization_id"] == acme["id"]
    notice.get_by_role("button", name="See theirs").click()
    expect(notice).to_contain_text("It is now: Collection of transfer targets, Acme Research.")
    notice.get_by_role("button", name="Keep mine and send again").click()
    expect(page.locator("h1")).to_have_text("Not to be moved")
    assert owner.get(instance).json()["organization_id"] == research["id"]
    owner.delete(instance).raise_for_status()


def test_something_is_made_whatever_was_made_beside_it_meanwhile(page: Page, owner: httpx.Client) -> None:
    opened(page, "/api/organizations")
    signed_in(page, "Acme owner")
    acted(page, "Create an organization")
    others = owner.post("/api/organizations", json={"name": "Made by somebody else"}).headers["Location"]
    page.get_by_label("Name needed").fill("Made nevertheless")
    sent(page, "Create an organization")
    expect(page.locator("h1")).to_have_text("Made nevertheless")
    for made in (others, page.url):
        owner.delete(made).raise_for_status()


def test_what_is_deleted_is_asked_about_first_and_gone_then(page: Page, owner: httpx.Client) -> None:
    organization = owner.get("/api/organizations", params={"name": "Research"}).json()["member"][0]["@id"]
    made = owner.post(f"{organization}/instances", json={"name": "Short-lived", "handle": "short-lived"})
    opened(page, "/api")
    signed_in(page, "Acme owner")
    address = made.headers["Location"]
    opened(page, address)
    acted(page, "Delete the instance")
    page.get_by_role("button", name="Cancel").click()
    assert owner.get(address).status_code == 200
    acted(page, "Delete the instance")
    page.get_by_role("button", name="Yes, delete the instance").click()
    expect(page.locator("h1")).to_have_text("Collection of instances")
    assert owner.get(address).status_code == 410
    opened(page, address)
    assert heading(page) == "Gone"
    expect(page.get_by_role("main")).to_contain_text("Tombstone")
    # What it was is a word, which the vocabulary explains on a page of its own.
    page.locator("main a[href$='/vocab#Instance']").first.click()
    expect(page.locator("h1")).to_have_text("Instance registry vocabulary")
    assert page.url.endswith("/vocab#Instance")
    page.go_back()
    expect(page.locator("h1")).to_have_text("Gone")
    page.go_forward()
    expect(page.locator("h1")).to_have_text("Instance registry vocabulary")


def test_what_was_written_into_a_form_is_kept_until_it_is_given_up(page: Page, owner: httpx.Client) -> None:
    organization = owner.get("/api/organizations", params={"name": "Research"}).json()["member"][0]["@id"]
    opened(page, "/api")
    signed_in(page, "Acme owner")
    opened(page, organization)
    form = page.get_by_role("form", name="Rename the organization")
    name = form.get_by_label("Name", exact=False).first
    acted(page, "Rename the organization")
    before = name.input_value()
    name.fill("Half written")
    acted(page, "Replace the organization")
    expect(form).to_have_count(0)
    acted(page, "Rename the organization")
    expect(name).to_have_value("Half written")
    form.get_by_role("button", name="Cancel").click()
    acted(page, "Rename the organization")
    expect(name).to_have_value(before)


def test_a_token_that_the_service_does_not_take_is_forgotten(page: Page) -> None:
    opened(page, "/api/instances")
    page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    page.get_by_label("Access token").fill("nonsense")
    page.get_by_role("button", name="Use this token").click()
    expect(page.locator("h1")).to_be_focused()
    assert heading(page) == "Not authenticated"
    expect(page.get_by_role("main")).not_to_contain_text("Signed in")
    expect(page.get_by_role("banner").get_by_role("button", name="Sign in")).to_be_visible()
    page.get_by_role("banner").get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("Entry point")


def test_what_somebody_may_not_do_is_not_offered_though_the_documentation_names_it(page: Page) -> None:
    opened(page, "/api")
    signed_in(page, "Acme member")
    followed(page, "Organizations")
    followed(page, "Acme Corporation")
    offered = page.get_by_role("region", name="What you can do here").get_by_role("button")
    assert not [it for it in offered.all_inner_texts() if it.startswith(("Delete", "Rename", "Replace"))]
    expect(page.get_by_role("main")).not_to_contain_text("the service may refuse it")


def test_a_problem_leads_to_what_it_means_and_that_back_to_the_service(page: Page, server: Server) -> None:
    opened(page, "/api/instances/nothing-like-an-instance")
    assert heading(page) == "Not found"
    page.get_by_role("main").get_by_role("link", name="Not found").click()
    page.wait_for_url(f"{server.base}/problems/not-found*")
    assert heading(page) == "Not found"
    expect(page.get_by_role("main")).to_contain_text("404")
    page.get_by_role("navigation", name="Service").get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("Entry point")


def test_the_vocabulary_is_read_with_its_picture(page: Page) -> None:
    opened(page, "/api")
    page.get_by_role("main").get_by_role("link", name=re.compile("^Vocabulary")).first.click()
    page.wait_for_url("**/vocab")
    expect(page.locator("h1")).to_have_text("Instance registry vocabulary")
    expect(page.get_by_role("img", name="The classes and their links")).to_be_visible()


def test_a_list_is_searched_sorted_and_turned_over(page: Page) -> None:
    opened(page, "/api/instances?itemsPerPage=3")
    signed_in(page, "Acme owner")
    first = page.get_by_role("row").nth(1).get_by_role("link").first.inner_text()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Next").click()
    page.wait_for_url(re.compile("after=."))
    drawn(page)
    assert page.get_by_role("row").nth(1).get_by_role("link").first.inner_text() != first
    expect(page.locator(".count")).to_have_text("3 on this page")
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="First").click()
    expect(page.get_by_role("row").nth(1).get_by_role("link").first).to_have_text(first)
    opened(page, "/api/instances")
    page.get_by_role("columnheader", name="Handle").get_by_role("link").click()
    page.wait_for_url("**order*")
    drawn(page)
    handles = page.locator("tbody td:nth-of-type(1)").all_inner_texts()
    assert handles == sorted(handles)
    assert len(handles) > 3
    expect(page.get_by_role("columnheader", name="Handle")).to_have_attribute("aria-sort", "ascending")
    page.locator("summary", has_text="Search and order").click()
    if not page.get_by_role("searchbox", name="Handle").is_visible():
        page.locator("summary", has_text="Search and order").click()
    page.get_by_role("searchbox", name="Handle").fill("acme-u")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".count")).to_have_text("1 entry")
    opened(page, "/api")
    page.get_by_role("searchbox", name="Handle").fill("acme-us")
    page.get_by_role("button", name="Look up").click()
    expect(page.locator("h1")).to_have_text("Acme North America")
    assert "/handles/" not in page.url


def test_the_raw_forms_and_the_header_fields_can_be_looked_at_and_copied(page: Page, server: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, "/api/organizations")
    signed_in(page, "Acme owner")
    page.locator("summary", has_text="Raw representation").click()
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["JSON-LD", "JSON", "Turtle", "N-Triples", "N-Quads", "TriG", "RDF/XML"])
    shown = json.loads(page.get_by_role("tabpanel").locator("pre").inner_text())
    assert shown["@id"] == f"{server.base}/api/organizations"
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Turtle")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Turtle")).to_contain_text("@prefix")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("status")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl '{server.base}/api/organizations'")
    assert 'Authorization: Bearer $TOKEN"' in copied
    assert page.evaluate("sessionStorage.getItem('explorer.token')") not in page.content()
    page.locator("summary", has_text="Request and response").click()
    expect(page.locator(".headers")).to_contain_text("cache-control")


def test_what_a_word_means_comes_to_who_points_at_it_or_walks_there_by_keyboard(page: Page) -> None:
    opened(page, "/api")
    signed_in(page, "Acme owner")
    to_instance(page, "Acme North America")
    handle = page.get_by_role("button", name="Handle", exact=True)
    tip = page.get_by_role("tooltip").filter(has_text="Stable, URL-safe identifier")
    expect(tip).to_be_hidden()
    handle.hover()
    expect(tip).to_be_visible()
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    page.get_by_role("button", name="Name", exact=True).focus()
    page.keyboard.press("Tab")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("vocab#handle")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()


def test_the_picture_of_the_neighbourhood_leads_on(page: Page) -> None:
    opened(page, "/api")
    signed_in(page, "Acme owner")
    to_instance(page, "Acme North America")
    graph = page.get_by_role("group", name="What this belongs to, and where it leads")
    target = graph.get_by_role("link", name="Organization Acme Corporation", exact=True)
    expect(target).to_be_visible()
    target.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Acme Corporation")


def test_parts_of_a_document_have_their_own_names(page: Page) -> None:
    """A term is not called as the vocabulary is, nor a shape as all shapes are."""
    opened(page, "/api")
    signed_in(page, "Acme owner")
    opened(page, "/api/activities?order%5Bsequence%5D=asc")
    page.get_by_role("rowheader").get_by_role("link", name="Organization created").first.click()
    changes = page.get_by_role("region", name="Table: changes")
    expect(changes.get_by_role("columnheader")).to_have_text([re.compile("^Property"), re.compile("^After")])
    expect(changes.get_by_role("rowheader")).to_have_text(["Name"])
    opened(page, "/shapes")
    labels = page.locator(".graph a text.label").evaluate_all("all => all.map(it => it.firstChild.data)")
    assert len(set(labels)) == len(labels) > 5


def test_the_documentation_says_each_kind_of_value_once(page: Page) -> None:
    opened(page, "/api/docs#Instance")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Created at"))
    expect(row.first.get_by_role("cell").nth(1)).to_have_text("dateTime")


def test_where_there_is_nothing_a_way_leads_back(page: Page) -> None:
    opened(page, "/api/nothing")
    trail = page.get_by_role("navigation", name="Where you are")
    expect(trail.get_by_role("listitem")).to_have_text(["Entry point", "Not found"])


def test_on_a_narrow_screen_the_picture_begins_with_what_it_is_about(
    chromium: Browser, server: Server
) -> None:
    with watched(chromium, server.base, viewport={"width": 320, "height": 700}) as page:
        opened(page, "/api")
        middle = page.locator(".graph .here").bounding_box()
        assert middle is not None
        assert 0 < middle["x"] < middle["x"] + middle["width"] < 320


def test_a_form_is_sent_once_however_often_it_is_pressed(page: Page, owner: httpx.Client) -> None:
    """A held key sends it again and again, also while what was made is being shown."""
    opened(page, "/api/organizations")
    signed_in(page, "Acme owner")
    acted(page, "Create an organization")
    made: list[str] = []
    page.on("request", lambda it: made.append(it.url) if it.method == "POST" else None)
    page.get_by_label("Name needed").fill("Made only once")
    for _ in range(12):
        page.keyboard.down("Enter")
        page.wait_for_timeout(20)
    page.keyboard.up("Enter")
    expect(page.locator("h1")).to_have_text("Made only once")
    assert len(made) == 1
    [organization] = owner.get("/api/organizations?name=made+only+once").json()["member"]
    owner.delete(organization["@id"]).raise_for_status()


def test_an_e_mail_address_is_sent_as_it_was_written(page: Page, owner: httpx.Client) -> None:
    """Browsers write the part behind the @ in another way, which is another address to the service."""
    organization = owner.get("/api/organizations", params={"name": "Research"}).json()["member"][0]["@id"]
    opened(page, f"{organization}/members")
    signed_in(page, "Acme owner")
    acted(page, "Add a member")
    told: list[str] = []

    def refuse(route: Route) -> None:
        told.append(route.request.post_data or "")
        route.abort()

    page.route("**/members", refuse)
    page.locator("[name=email]").fill("user@exämple.com")
    page.locator("[name=role]").select_option("member")
    sent(page, "Add a member")
    expect(page.locator(".notice")).to_be_visible()
    assert [json.loads(it)["email"] for it in told] == ["user@exämple.com"]


def test_a_key_that_is_held_deletes_nothing(page: Page, owner: httpx.Client) -> None:
    organization = owner.post("/api/organizations", json={"name": "Still there"}).headers["Location"]
    opened(page, organization.removeprefix(str(owner.base_url).rstrip("/")))
    signed_in(page, "Acme owner")
    page.get_by_role("button", name="Delete the organization").focus()
    for _ in range(5):
        page.keyboard.down("Enter")
        page.wait_for_timeout(150)
    page.keyboard.up("Enter")
    assert owner.get(organization).status_code == 200
    owner.delete(organization).raise_for_status()


def test_a_long_name_without_spaces_makes_no_page_wider(page: Page, owner: httpx.Client) -> None:
    organization = owner.post("/api/organizations", json={"name": "W" * 255}).headers["Location"]
    opened(page, f"{organization.removeprefix(str(owner.base_url).rstrip('/'))}/members")
    signed_in(page, "Acme owner")
    page.set_viewport_size({"width": 320, "height": 640})
    expect(page.locator(".trail")).to_contain_text("WWW")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    owner.delete(organization).raise_for_status()
