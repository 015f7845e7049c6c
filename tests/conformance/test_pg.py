"""Section 19 of the conformance list: every member of a list is met once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from pathlib import Path
from random import Random
from typing import Any
from unicodedata import category
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.caller import READ, READ_ALL, Caller
from app.resources.cursors import Cursors
from app.storage.acts import new_id
from app.storage.database import Database
from app.storage.keys import text_key
from app.storage.pages import Cut, Listing, Position, page
from tests.conformance.fresh import fresh_handle, instance_of, organization_of, patched
from tests.service import BASE, JSON, Service, World, id_of, running
from tests.statements import overhear
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
STEADY, PASSING, WRITERS = 2_000, 1_000, 4
# As many members as are reached by numbers, and some more.
DEEP = 10_000
ROWS = 1_500
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
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


async def many_instances(service: Service, organization: str, count: int) -> list[str]:
    """Their addresses. They are put into the tables: a thousand requests take longer than a test may."""
    database = Database(service.settings.database_url)
    await database.open()
    try:
        async with database.transaction() as session:
            found = []
            for number in range(count):
                # Of each ten, all have one time; their names are in another order.
                times = dict.fromkeys(("created_at", "updated_at"), NOW + timedelta(seconds=number // 10))
                name = f"Name {number * 7919 % count}"
                names = {"name": name, "name_key": text_key(name), "handle": fresh_handle()}
                found.append(new_id())
                await add_instance(session, id_of(organization), id=found[-1], **names, **times)
    finally:
        await database.close()
    return [f"{BASE}/api/instances/{identifier}" for identifier in found]


@pytest.fixture(scope="module")
async def crowd(service: Service) -> Crowd:
    """Those that pass are spread over the whole, so that one is always near the end of a page."""
    organization = await organization_of(service, "crawler")
    created = await many_instances(service, organization, STEADY + PASSING)
    passing, steady = created[::3], [it for number, it in enumerate(created) if number % 3]
    return Crowd(service.as_("crawler"), f"{organization}/instances", steady, passing)


async def crawled(crowd: Crowd, address: str, link: str = "next") -> list[str]:
    """What a crawl meets, with a write at least between two of its pages."""
    met = []
    following: str | None = address
    while following:
        crowd.written.clear()
        body = await read(crowd.client, following)
        met += [member["@id"] for member in body["member"]]
        following = body["view"].get(link)
        await asyncio.wait_for(crowd.written.wait(), timeout=30)
    return met


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(order, id=f"PG-02 by {order}")
        for order in ("createdAt", "name", "id", "handle", "updatedAt")
    ],
)
async def test_pg_02_whatever_stays_is_met_once_while_others_come_and_go(crowd: Crowd, order: str) -> None:
    """By crawls of thousands in both directions at once, while others write."""
    done = asyncio.Event()
    writers = asyncio.gather(*(crowd.keep_writing(done, Random(number)) for number in range(WRITERS)))
    addresses = [f"{crowd.path}?itemsPerPage=100&order[{order}]={it}" for it in ("asc", "desc")]
    try:
        crawls = await asyncio.gather(*(crawled(crowd, address) for address in addresses))
    finally:
        done.set()
        await writers
    steady = set(crowd.steady)
    for met in crawls:
        assert sorted(it for it in met if it in steady) == sorted(steady)
        if order not in ("name", "updatedAt"):
            # Only what is changed moves, where the order goes by that.
            assert len(met) == len(set(met))
    assert crowd.writes > len(crowd.steady) // 100


def of_every_script() -> list[str]:
    """Keys that begin with a character of each 128 that Unicode has assigned, so of each script and plane."""
    points = (point for point in range(0x21, 0x110000, 0x80))
    letters = [chr(point) for point in points if category(chr(point)) not in ("Cc", "Cn", "Co", "Cs")]
    keys = (text_key(f"{letter}{ending}") for letter in letters for ending in ("", "a", "\U0010fffd"))
    return sorted(set(keys), key=str.encode)


async def test_pg_03_names_in_every_script_have_one_order(database: Database) -> None:
    """That of the code points, on both databases."""
    keys = of_every_script()
    async with database.transaction() as session:
        organization = await add_organization(session)
        for number, key in enumerate(Random(19).sample(keys, len(keys))):
            await add_instance(session, organization, name="-", name_key=key, handle=f"n{number}")
    caller, found = Caller(new_id(), frozenset({READ_ALL})), []
    cut: Cut | None = Cut(100)
    while cut:
        part = await page(database.reading(), Listing("Instance", "name", False), caller, cut)
        found += [record.values["position_value"] for record in part.records]
        cut = Cut(100, after=part.positions[-1]) if part.more else None
    assert len(keys) > 1_000
    assert found == keys


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


async def test_pg_05_a_cursor_with_any_octet_changed_is_refused(service: Service, named: str) -> None:
    client = service.as_("librarian")
    for order in ("name", "createdAt", "id"):
        address = f"{named}?order[{order}]=asc&itemsPerPage=9"
        [cursor, *_] = await cursors(client, address)
        for position in range(len(cursor)):
            changed = cursor[:position] + chr(ord(cursor[position]) ^ 1) + cursor[position + 1 :]
            check_problem(await client.get(address, params={"after": changed}), "invalid-parameter")
        for changed in (cursor[:-1], cursor[1:], cursor + "A", cursor + "=", cursor * 2, f" {cursor}"):
            check_problem(await client.get(address, params={"after": changed}), "invalid-parameter")
        assert (await client.get(f"{address}&after={cursor}")).status_code == 200


LISTINGS = [
    Listing("Instance", "created_at", True),
    Listing("Instance", "created_at", False),
    Listing("Instance", "name", True),
    Listing("Instance", "id", True),
    Listing("Organization", "created_at", True),
    Listing("Instance", "created_at", True, {"name": "a"}),
    Listing("Instance", "created_at", True, {"handle": "a"}),
    Listing("Instance", "created_at", True, {"name": "a", "handle": "a"}),
    Listing("Instance", "created_at", True, parent=("organization_id", new_id())),
    Listing("Instance", "created_at", True, parent=("organization_id", new_id())),
]


def test_pg_05_no_change_of_a_hundred_cursors_is_passed_over() -> None:
    """Wherever in them it is; and the same place is always told alike."""
    chosen = Random(5)
    every = Cursors(b"k" * 64, Caller(new_id(), frozenset({READ})), LISTINGS[0])
    for number in range(100):
        position = Position(f"{NOW + timedelta(seconds=number)}", new_id())
        cursor = every.close(position)
        assert (every.open(cursor), every.close(position)) == (position, cursor)
        for place, letter in enumerate(cursor):
            last = place == len(cursor) - 1
            for other in ALPHABET if last else chosen.sample(ALPHABET, 4):
                changed = cursor[:place] + other + cursor[place + 1 :]
                assert (every.open(changed) is None) == (other != letter)


def test_pg_05_a_cursor_opens_for_its_own_caller_list_filter_and_order_only() -> None:
    callers = [Caller(new_id(), frozenset({READ})) for _ in range(2)]
    position = Position(new_id(), new_id())
    all_of_them = [
        Cursors(key * 64, caller, listing)
        for key, caller, listing in product((b"a", b"b"), callers, LISTINGS)
        if listing.order != "id"
    ]
    closed = [each.close(position) for each in all_of_them]
    for (number, each), (other, cursor) in product(enumerate(all_of_them), enumerate(closed)):
        assert each.open(cursor) == (position if number == other else None)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4_000))
@settings(max_examples=60, deadline=None)
def test_pg_05_a_cursor_brings_back_whatever_it_was_made_from(value: str) -> None:
    every, position = Cursors(b"k" * 64, Caller(None, frozenset()), LISTINGS[2]), Position(value, new_id())
    assert every.open(every.close(position)) == position


async def test_pg_05_a_cursor_serves_its_own_caller_list_filter_and_order(
    service: Service, world: World, named: str
) -> None:
    client, order = service.as_("librarian"), "order[name]=asc"
    [cursor, *_] = await cursors(client, f"{named}?{order}&name=a&itemsPerPage=2")
    assert (await client.get(f"{named}?{order}&name=A&after={cursor}")).status_code == 200
    others = (
        *("order[name]=desc&name=a", "order[handle]=asc&name=a", "order[id]=asc&name=a", "name=a"),
        *(order, f"{order}&name=b", f"{order}&name=a&handle=a", f"{order}&handle=a"),
    )
    for other in others:
        check_problem(await client.get(f"{named}?{other}&after={cursor}"), "invalid-parameter")
    for path in (
        "/api/instances",
        "/api/organizations",
        f"{await organization_of(service, 'librarian')}/instances",
    ):
        check_problem(await client.get(f"{path}?{order}&name=a&after={cursor}"), "invalid-parameter")
    for other_one in (service.as_("owner"), service.as_("auditor", READ_ALL)):
        answer = await other_one.get(f"/api/instances?{order}&name=a&after={cursor}")
        assert answer.links["first"]["url"].endswith("&after=")
        check_problem(answer, "invalid-parameter")


async def test_pg_05_every_process_of_the_service_opens_the_cursors_of_the_others(
    service: Service, named: str, sqlite_template: Path, tmp_path: Path
) -> None:
    """Nothing is configured: what they share is the database."""
    [cursor, *_] = await cursors(service.as_("librarian"), f"{named}?itemsPerPage=9")
    async with running(service.settings.database_url, service.settings.data_dir) as another:
        assert (await another.as_("librarian").get(f"{named}?after={cursor}")).status_code == 200
    url = f"sqlite://{shutil.copy(sqlite_template, tmp_path / 'another.sqlite3')}"
    async with running(url, service.settings.data_dir) as stranger:
        path = "/api/instances"
        [foreign, *_] = [it async for it in _made_two(stranger)]
        check_problem(await service.as_("librarian").get(f"{path}?after={foreign}"), "invalid-parameter")


async def _made_two(service: Service) -> AsyncIterator[str]:
    """The cursor between two instances."""
    organization = await organization_of(service, "librarian")
    for name in ("One", "Two"):
        await instance_of(service, organization, "librarian", name)
    for cursor in await cursors(service.as_("librarian"), "/api/instances?itemsPerPage=1"):
        yield cursor


async def test_pg_10_numbers_reach_ten_thousand_members_deep_and_cursors_lead_on(service: Service) -> None:
    """No page by number is dear, and following `next` still meets everyone once."""
    organization = await organization_of(service, "surveyor")
    created = await many_instances(service, organization, DEEP + 250)
    client, path = service.as_("surveyor"), f"{organization}/instances?itemsPerPage=100"
    body = await read(client, f"{path}&page=98")
    met = []
    while "page" in parameters(body["view"]["@id"]):
        assert "last" not in body["view"]
        met += [member["@id"] for member in body["member"]]
        body = await read(client, body["view"]["next"])
    met += [member["@id"] for member in body["member"]]
    async for member in crawl(client, body["view"]["next"]):
        met.append(member["@id"])
    assert len(met) == len(set(met)) == len(created) - 97 * 100
    listed = f"{organization}/instances?order[name]=asc"
    for number, size in ((101, 100), (335, 30), (1_002, 10), (5_001, 2), (10_000, 10)):
        answer = await client.get(f"{listed}&page={number}&itemsPerPage={size}")
        detail = str(check_problem(answer, "invalid-parameter")["detail"])
        assert " page: numbered pages begin within the first 10,000 members" in detail
        assert len((await read(client, answer.links["first"]["url"]))["member"]) == size
    for number, size in ((100, 100), (334, 30), (1_000, 10), (5_000, 2), (10_000, 1)):
        body = await read(client, f"{listed}&page={number}&itemsPerPage={size}")
        assert len(body["member"]) == size


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
    """Rows enough for a database to prefer an index; most of them belong to others."""
    async with database.transaction() as session:
        partner = await add_partner(session)
        mine, *foreign = [await add_organization(session) for _ in range(20)]
        await add_membership(session, mine, partner_id=partner)
        for number in range(ROWS):
            times = dict.fromkeys(("created_at", "updated_at"), NOW + timedelta(seconds=number))
            owner = mine if number % 10 == 0 else foreign[number % len(foreign)]
            await add_instance(session, owner, handle=f"h-{number}", name_key=str(number), **times)
            await list_activity(session, await add_activity(session), owner)
    await database.reading().rows("ANALYZE")
    return Caller(partner, frozenset({READ})), mine


async def plan(database: Database, monkeypatch: pytest.MonkeyPatch, *asked: Any) -> list[str]:
    """How the database reads the page that follows the first one, a step on a line."""
    listing, caller = asked
    session = database.reading()
    first = await page(session, listing, caller, Cut(30))

    with monkeypatch.context() as patch:
        statements = overhear(patch)
        await page(session, listing, caller, Cut(30, after=first.positions[-1]))
    # Of who has few organizations nothing is found where SQLite first looks, which reads nothing then.
    sql, values = statements[-1]
    assert len(statements) <= 1 + (caller.scopes == {READ} and not listing.parent)
    explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    column = "detail" if database.dialect == "sqlite" else "QUERY PLAN"
    return [row[column].strip() for row in await session.rows(f"{explain} {sql}", values)]


async def test_pg_10_a_page_is_read_from_where_it_begins(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mechanism: an index finds the place of a cursor in the order that is asked for."""
    caller, organization = await filled(database)
    auditor = Caller(caller.partner_id, frozenset({READ_ALL}))
    under, parent = (
        f"organization_id{'=?' if database.dialect == 'sqlite' else ' = '}",
        ("organization_id", organization),
    )
    for listing, asking, bound in (
        (Listing("Instance", "created_at", True), auditor, "created_at, id"),
        (Listing("Instance", "updated_at", False), auditor, "updated_at, id"),
        (Listing("Instance", "name", True), auditor, "name"),
        (Listing("Instance", "handle", True), auditor, "handle"),
        (Listing("Instance", "id", True), auditor, "id"),
        (Listing("Activity", "sequence", True), auditor, "sequence"),
        (Listing("Instance", "created_at", True), caller, under),
        (Listing("Instance", "created_at", True, parent=parent), caller, under),
        (Listing("Activity", "sequence", True), caller, under),
        (Listing("Activity", "sequence", True, parent=parent), caller, under),
    ):
        steps = await plan(database, monkeypatch, listing, asking)
        found = [step for step in steps if step.startswith(("SEARCH", "Index Cond:"))]
        assert any(_begins_at(step, bound) for step in found), "\n".join(steps)


def _begins_at(step: str, bound: str) -> bool:
    """Whether a step of a plan looks for a place in an index."""
    places = {
        "created_at, id": ("(created_at,id)<(?,?)", "ROW(created_at, id) < ROW("),
        "updated_at, id": ("(updated_at,id)>(?,?)", "ROW(updated_at, id) > ROW("),
        "name": ("instance_live_name_idx (<expr><?)", "substr(name_key, 1, 64) <= "),
        "handle": ("(handle<?)", "(handle)::text < "),
        "id": ("(id<?)", "(id < "),
        "sequence": ("(rowid<?)", "sequence < "),
    }
    if bound in places:
        return any(place in step for place in places[bound])
    # Of each organization, from the place on.
    further = ("(created_at,id)<(?,?)", "activity_id<?", "ROW(created_at, id) < ROW(", "activity_id < ")
    return bound in step and any(place in step for place in further)


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
