"""Section 19 of the conformance list: every member of a list is met once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest

from app.caller import READ, Caller
from app.storage.database import Database
from app.storage.keys import text_key
from app.storage.pages import Cut, Listing, page
from app.storage.session import Session
from tests.conformance.fresh import fresh_handle, instance_of, organization_of, patched
from tests.service import BASE, JSON, Service, World, made
from tests.storage.rows import (
    NOW,
    add_activity,
    add_instance,
    add_membership,
    add_organization,
    add_partner,
    list_activity,
)
from tests.storage.test_values import NAMES
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

# How much a crawl meets while it is written to.
STEADY, PASSING, WRITERS = 200, 100, 2
ROWS = 1_500
BEYOND = (
    "0",
    "-1",
    "101",
    "1000000000",
    str(2**63),
    "abc",
    "1.5",
    "",
    " 1",
    "+1",
    "1e1",
    "0x1",
    "\u0663",
    "1,2",
)


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


@pytest.fixture(scope="module")
async def named(service: Service) -> str:
    """The path of a list of instances with names in many scripts, one of them twice, of a librarian."""
    organization = await organization_of(service, "librarian")
    for name in (*NAMES, "100% sure", "under_score", "back\\slash", NAMES[0]):
        await instance_of(service, organization, "librarian", name)
    return f"{organization}/instances"


async def read(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def crawl(client: httpx.AsyncClient, address: str) -> AsyncIterator[dict[str, Any]]:
    """All members, by following `next`."""
    following: str | None = address
    while following:
        body = await read(client, following)
        for member in body["member"]:
            yield member
        following = body["view"].get("next")


def parameters(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


async def cursors(client: httpx.AsyncClient, address: str) -> list[str]:
    """Those that the pages of a list lead on by."""
    found = []
    following = (await read(client, address))["view"].get("next")
    while following:
        found.append(parameters(following)["after"])
        following = (await read(client, following))["view"].get("next")
    return found


async def test_pg_01_a_list_leads_on_by_opaque_cursors(service: Service, named: str) -> None:
    """Numbers of pages are for those who ask for them."""
    view = (await read(service.as_("librarian"), f"{named}?itemsPerPage=2"))["view"]
    assert set(parameters(view["next"])) == {"itemsPerPage", "after"}
    assert set(parameters(view["first"])) == {"itemsPerPage", "after"}
    later = (await read(service.as_("librarian"), view["next"]))["view"]
    assert set(parameters(later["previous"])) == {"itemsPerPage", "before"}


@dataclass
class Crowd:
    """A list of those that stay and of those that come and go, and how often one of them did."""

    client: httpx.AsyncClient
    path: str
    steady: list[str]
    passing: list[str]
    writes: int = 0
    written: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep_writing(self, done: asyncio.Event, chosen: Random) -> None:
        """Create one, rename one and delete one, until told to end."""
        while not done.is_set():
            content = {"name": f"New {self.writes}", "handle": fresh_handle()}
            answer = await self.client.post(self.path, json=content)
            renamed = chosen.choice(self.passing)
            await patched(self.client, renamed, {"name": f"Renamed {self.writes}"})
            gone = self.passing.pop(chosen.randrange(len(self.passing)))
            assert (await self.client.delete(gone)).status_code == 204
            self.passing.append(answer.headers["Location"])
            self.writes += 1
            self.written.set()


@pytest.fixture(scope="module")
async def crowd(service: Service) -> Crowd:
    """Those that pass are spread over the whole, so that one is always near the end of a page."""
    client = service.as_("crawler")
    path = f"{await organization_of(service, 'crawler')}/instances"
    created = [
        BASE + await made(client, path, name=f"Name {number}", handle=fresh_handle())
        for number in range(STEADY + PASSING)
    ]
    passing = created[::3]
    return Crowd(client, path, [it for it in created if it not in passing], passing)


@pytest.mark.parametrize(
    "order", [pytest.param(order, id=f"PG-02 by {order}") for order in ("createdAt", "name", "id")]
)
async def test_pg_02_whatever_stays_is_met_once_while_others_come_and_go(crowd: Crowd, order: str) -> None:
    """Between two pages there is a write at least; more are under way while a page is read."""
    done, met = asyncio.Event(), []
    writers = asyncio.gather(*(crowd.keep_writing(done, Random(number)) for number in range(WRITERS)))
    try:
        following: str | None = f"{crowd.path}?itemsPerPage=10&order[{order}]=asc"
        while following:
            crowd.written.clear()
            body = await read(crowd.client, following)
            met += [member["@id"] for member in body["member"]]
            following = body["view"].get("next")
            await asyncio.wait_for(crowd.written.wait(), timeout=30)
    finally:
        done.set()
        await writers
    assert sorted(it for it in met if it in crowd.steady) == sorted(crowd.steady)
    if order != "name":
        # Only what is renamed moves in the order of names.
        assert len(met) == len(set(met))


async def test_pg_03_the_order_is_total_and_the_same_on_both_databases(service: Service, named: str) -> None:
    client = service.as_("librarian")
    whole = (await read(client, f"{named}?order[name]=asc&itemsPerPage=100"))["member"]
    found = [(member["name"], member["id"]) for member in whole]
    assert found == sorted(found, key=lambda it: (text_key(it[0]).encode(), it[1]))
    for page_size in (1, 3, 7):
        address = f"{named}?order[name]=asc&itemsPerPage={page_size}"
        assert [(it["name"], it["id"]) async for it in crawl(client, address)] == found
    turned = f"{named}?order[name]=desc&itemsPerPage=4"
    assert [(it["name"], it["id"]) async for it in crawl(client, turned)] == found[::-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"PG-04 {name} {value!r}")
        for name in ("itemsPerPage", "page")
        for value in BEYOND
        if (name, value) != ("page", "101")
    ],
)
async def test_pg_04_a_size_or_number_that_cannot_be_is_refused_by_name(
    service: Service, named: str, name: str, value: str
) -> None:
    answer = await service.as_("librarian").get(f"{named}?{name}={quote(value)}")
    assert f" {name}:" in str(check_problem(answer, "invalid-parameter")["detail"])


async def test_pg_04_a_page_has_one_to_a_hundred_members(service: Service, named: str) -> None:
    client = service.as_("librarian")
    assert len((await read(client, f"{named}?itemsPerPage=1"))["member"]) == 1
    total = (await read(client, named))["totalItems"]
    assert len((await read(client, f"{named}?itemsPerPage=100"))["member"]) == total


async def test_pg_05_a_changed_cursor_leads_to_nothing_of_others(service: Service, named: str) -> None:
    """It names a place in an order, and whoever asks sees there what it sees anywhere: its own.

    What is changed into another place is a cursor; all else is refused.
    """
    librarian, stranger = service.as_("librarian"), service.as_("stranger")
    mine = {member["id"] async for member in crawl(librarian, named)}
    refused = accepted = 0
    for order in ("name", "createdAt", "id"):
        cursor = (await cursors(librarian, f"{named}?order[{order}]=asc&itemsPerPage=9"))[0]
        for position in range(len(cursor)):
            for flipped in (1, 4):
                changed = cursor[:position] + chr(ord(cursor[position]) ^ flipped) + cursor[position + 1 :]
                answer = await librarian.get(named, params={f"order[{order}]": "asc", "after": changed})
                if answer.status_code == 200:
                    assert {member["id"] for member in answer.json()["member"]} <= mine
                    accepted += 1
                else:
                    check_problem(answer, "invalid-parameter")
                    refused += 1
        foreign = await stranger.get("/api/instances", params={f"order[{order}]": "asc", "after": cursor})
        assert not {member["id"] for member in foreign.json()["member"]} & mine
    assert refused > accepted


async def test_pg_05_a_cursor_is_bound_to_its_order(service: Service, named: str) -> None:
    client = service.as_("librarian")
    [cursor, *_] = await cursors(client, f"{named}?order[name]=asc&itemsPerPage=9")
    for order in ("order[name]=desc", "order[handle]=asc", "order[id]=asc", ""):
        check_problem(await client.get(f"{named}?{order}&after={cursor}"), "invalid-parameter")


@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param(cursor, id=f"PG-06 {cursor!r}"[:40])
        for cursor in ("x", "null", "W10", "e30", "....", "\u00e9", "A" * 5_000, "after", "-1", "' OR 1=1")
    ],
)
async def test_pg_06_a_cursor_that_means_nothing_is_refused_with_what_to_do(
    service: Service, named: str, cursor: str
) -> None:
    client, kept = service.as_("librarian"), "order%5Bname%5D=asc&itemsPerPage=7"
    for name in ("after", "before"):
        answer = await client.get(f"{named}?itemsPerPage=7&order[name]=asc&{name}={quote(cursor)}")
        detail = str(check_problem(answer, "invalid-parameter")["detail"])
        assert f" {name}:" in detail
        assert "begin again at its first page" in detail
        assert answer.links["first"]["url"] == f"{BASE}{named}?{kept}&after="
    assert len((await read(client, answer.links["first"]["url"]))["member"]) == 7


async def test_pg_06_a_cursor_outlives_what_it_was_made_from(service: Service) -> None:
    client = service.as_("curator")
    organization = await organization_of(service, "curator")
    for number in range(6):
        await instance_of(service, organization, "curator", f"Name {number}")
    address = f"{organization}/instances?order[name]=asc&itemsPerPage=2"
    first = await read(client, address)
    for member in first["member"]:
        assert (await client.delete(member["@id"])).status_code == 204
    later = await read(client, first["view"]["next"])
    assert [member["name"] for member in later["member"]] == ["Name 2", "Name 3"]
    assert (await read(client, later["view"]["previous"]))["member"] == []


async def test_pg_07_no_field_of_the_database_can_be_asked_for(service: Service, named: str) -> None:
    """What is no parameter of the list is ignored, as API Platform's admin needs it to be."""
    client = service.as_("librarian")
    fields = ("name", "handle", "organization", "organization__name", "organization__owner__email")
    lookups = ("", "icontains", "startswith", "gt", "in", "isnull", "regex", "not", "contains", "year")
    names = [f"{field}__{lookup}" for field in fields for lookup in lookups]
    expected = (await read(client, named))["member"]
    for name in names:
        for query in (f"{name}=a", f"order[{name}]=asc", f"{name}[]=a"):
            assert (await read(client, f"{named}?{query}"))["member"] == expected
    assert len(names) == 50


async def test_pg_07_who_wants_to_be_told_is_told_which_field_there_is_not(
    service: Service, named: str
) -> None:
    """RFC 7240 section 4.4."""
    for name in ("name__icontains", "order[organization__owner__email]", "order[pk]", "colour"):
        answer = await service.as_("librarian").get(
            f"{named}?{quote(name)}=a", headers={"Prefer": "handling=strict"}
        )
        assert f" {name};" in str(check_problem(answer, "invalid-parameter")["detail"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("%", {"100% sure"}, id="PG-08 percent sign"),
        pytest.param("_", {"under_score", "_x"}, id="PG-08 low line"),
        pytest.param("\\", {"back\\slash"}, id="PG-08 backslash"),
        pytest.param("0%", {"100% sure"}, id="PG-08 within text"),
        pytest.param("%%", set(), id="PG-08 two percent signs"),
        pytest.param("r_s", {"under_score"}, id="PG-08 low line in a word"),
        pytest.param("u%e", set(), id="PG-08 percent sign in a word"),
    ],
)
async def test_pg_08_what_is_searched_for_is_text(
    service: Service, named: str, text: str, expected: set[str]
) -> None:
    body = await read(service.as_("librarian"), f"{named}?name={quote(text)}")
    assert {member["name"] for member in body["member"]} == expected
    assert body["totalItems"] == len(expected)


@pytest.mark.parametrize("paging", ["", "&after=", "&page=1", "&page=9"])
@pytest.mark.parametrize("accept", ["*/*", JSON])
async def test_pg_09_a_list_without_members_is_a_list(
    service: Service, named: str, paging: str, accept: str
) -> None:
    answer = await service.as_("librarian").get(f"{named}?name=zzzzqq{paging}", headers={"Accept": accept})
    body = answer.json()
    assert (answer.status_code, body["member"], body["totalItems"]) == (200, [], 0)
    assert "next" not in body["view"]
    assert "first" in body["view"]


async def filled(database: Database) -> tuple[Caller, str]:
    """Rows enough for a database to prefer an index; half of them belong to others."""
    async with database.transaction() as session:
        partner = await add_partner(session)
        mine, foreign = [await add_organization(session) for _ in range(2)]
        await add_membership(session, mine, partner_id=partner)
        for number in range(ROWS):
            times = dict.fromkeys(("created_at", "updated_at"), NOW + timedelta(seconds=number))
            owner = (mine, foreign)[number % 2]
            await add_instance(session, owner, handle=f"h-{number}", name_key=str(number), **times)
            await list_activity(session, await add_activity(session), owner)
    await database.reading().rows("ANALYZE")
    return Caller(partner, frozenset({READ})), mine


async def plan(database: Database, monkeypatch: pytest.MonkeyPatch, *asked: Any) -> list[str]:
    """How the database reads the page that follows the first one, a step on a line."""
    listing, caller = asked
    session, statements, run = database.reading(), [], Session.rows
    first = await page(session, listing, caller, Cut(30))

    async def noting(session: Session, sql: str, values: Any = ()) -> Any:
        statements.append((sql, values))
        return await run(session, sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(Session, "rows", noting)
        await page(session, listing, caller, Cut(30, after=first.positions[-1]))
    [(sql, values)] = statements
    explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    column = "detail" if database.dialect == "sqlite" else "QUERY PLAN"
    return [row[column].strip() for row in await session.rows(f"{explain} {sql}", values)]


async def test_pg_10_a_page_is_read_from_where_it_begins(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mechanism: an index finds the place of a cursor in the default order, and nothing is sorted."""
    caller, organization = await filled(database)
    parent = ("organization_id", organization)
    for listing in (
        Listing("Instance", "created_at", True),
        Listing("Instance", "created_at", True, parent=parent),
        Listing("Activity", "sequence", True),
    ):
        steps = await plan(database, monkeypatch, listing, caller)
        if database.dialect == "sqlite":
            assert steps[0].startswith("SEARCH"), steps
            assert "(created_at,id)<(?,?)" in steps[0] or "rowid<?" in steps[0], steps
            assert "USE TEMP B-TREE FOR ORDER BY" not in steps
        else:
            bound = [step for step in steps if step.startswith("Index Cond:")]
            assert any("ROW(created_at, id) < ROW(" in it or "sequence <= " in it for it in bound), steps
            assert not any(step.startswith("->  Sort ") for step in steps), steps


async def test_pg_11_a_count_is_true_where_there_is_one(service: Service, world: World, named: str) -> None:
    for subject, path in (
        ("owner", "/api/organizations"),
        ("owner", "/api/instances"),
        ("owner", f"{world.acme}/members"),
        ("owner", f"{world.shop}/authorizations"),
        ("owner", "/api/activities"),
        ("neighbour", "/api/instances"),
        ("stranger", "/api/instances"),
        ("nobody", "/api/instances"),
        ("librarian", named),
        ("librarian", f"{named}?name=a"),
    ):
        client, start = service.as_(subject), path + ("&" if "?" in path else "?") + "itemsPerPage=3"
        met = [member["@id"] async for member in crawl(client, start)]
        for paging in ("", "&after=", "&page=1", "&page=2"):
            assert (await read(client, start + paging))["totalItems"] == len(met), (subject, path)
