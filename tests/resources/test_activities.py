"""Activities: what was done, by whom, in the order in which it became visible."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any

import httpx
import pytest

from app.caller import READ_ALL, WRITE, Caller
from app.storage.activities import write_activities
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.pages import Cut, Listing, page
from app.storage.writes import Owner, create_organization
from tests.service import BASE, JSON, PATCH, Service, World, id_of, made, offered
from tests.storage.rows import add_partner
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
MERGE = {"Content-Type": PATCH}


class GivenUp(Exception):  # noqa: N818 - what a writer does
    pass


async def read(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = (await client.get(f"{path}?itemsPerPage=100")).json()["member"]
    return members


def told(activity: dict[str, Any]) -> tuple[str, str, dict[str, tuple[str | None, str | None]]]:
    changes = {c["property"]: (c.get("before"), c.get("after")) for c in activity["changes"]}
    return activity["summary"], activity["object"], changes


async def test_every_kind_of_act_is_told_with_what_it_changed(service: Service) -> None:
    """LO-05, LO-07: one for each change, none for what changed nothing or failed; oldest first."""
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    acme = await made(owner, "/api/organizations", name="Acme")
    initech = await made(neighbour, "/api/organizations", name="Initech")
    await owner.patch(acme, json={"name": "Acme Ltd"}, headers=MERGE)
    await owner.patch(acme, json={"name": "Acme Ltd"}, headers=MERGE)
    await owner.patch(acme, json={"name": ""}, headers=MERGE)
    shop = await made(owner, f"{acme}/instances", name="Shop", handle="corner")
    member = await made(owner, f"{acme}/members", email="m@acme.example", role="member")
    await owner.patch(member, json={"role": "owner"}, headers=MERGE)
    await owner.delete(member)
    authorization = await offered(service, shop, initech, accept=True)
    assert (await owner.post(f"{shop}/transfer", json={"organization_id": id_of(initech)})).status_code == 200
    assert (await owner.delete(acme)).status_code == 204
    a, i, s = id_of(acme), id_of(initech), id_of(shop)
    found = await read(owner, "/api/activities")
    assert [told(activity) for activity in found] == [
        ("Organization created", BASE + acme, {"name": (None, "Acme")}),
        ("Organization changed", BASE + acme, {"name": ("Acme", "Acme Ltd")}),
        (
            "Instance created",
            BASE + shop,
            {"name": (None, "Shop"), "handle": (None, "corner"), "organization_id": (None, a)},
        ),
        ("Member added", BASE + member, {"email": (None, "m@acme.example"), "role": (None, "member")}),
        ("Member changed", BASE + member, {"role": ("member", "owner")}),
        ("Member removed", BASE + member, {"email": ("m@acme.example", None), "role": ("owner", None)}),
        (
            "Authorization added",
            BASE + authorization,
            {"instance_id": (None, s), "organization_id": (None, i), "status": (None, "pending")},
        ),
        ("Authorization changed", BASE + authorization, {"status": ("pending", "accepted")}),
        ("Instance transferred", BASE + shop, {"organization_id": (a, i)}),
        ("Organization deleted", BASE + acme, {}),
    ]
    types = [activity["@type"] for activity in found]
    assert types == [["Activity", kind] for kind in (
        "Create", "Update", "Create", "Add", "Update", "Remove", "Add", "Update", "Move", "Delete",
    )]  # fmt: skip
    numbers = [activity["sequence"] for activity in found]
    assert numbers == sorted(set(numbers))
    me = (await owner.get("/api/me")).headers["Location"]
    them = (await neighbour.get("/api/me")).headers["Location"]
    assert [activity["actor"] for activity in found] == [me] * 7 + [them] + [me] * 2
    # The other side is told what concerned it.
    assert [told(activity)[0] for activity in await read(neighbour, f"{initech}/activities")] == [
        "Organization created",
        "Authorization added",
        "Authorization changed",
        "Instance transferred",
    ]


async def test_an_activity_names_its_request_and_its_time(service: Service) -> None:
    owner = service.as_("owner")
    answer = await owner.post("/api/organizations", json={"name": "Acme"})
    [activity] = (await owner.get(f"{answer.headers['Location']}/activities")).json()["member"]
    assert activity["request_id"] == answer.headers["X-Request-Id"]
    assert activity["published"] == answer.json()["created_at"]
    item = await owner.get(activity["@id"])
    assert {key: item.json()[key] for key in activity} == activity
    plain = (await owner.get(activity["@id"], headers={"Accept": JSON})).json()
    assert list(plain) == [
        "id", "sequence", "actor", "object", "published", "summary", "changes", "request_id",
    ]  # fmt: skip
    assert plain["changes"] == [{"property": "name", "after": "Acme"}]


async def test_activities_are_for_owners_of_an_organization_concerned(service: Service, world: World) -> None:
    """LO-08."""
    owner, member = service.as_("owner"), service.as_("member")
    path = f"{world.acme}/activities"
    assert (await owner.get(path)).status_code == 200
    check_problem(await member.get(path), "forbidden")
    assert "activities" not in (await member.get(world.acme)).json()
    assert (await member.get("/api/activities")).json()["totalItems"] == 0
    check_problem(await member.get(world.activity), "not-found")
    for name in ("stranger", "nobody"):
        check_problem(await service.as_(name).get(path), "not-found")
        check_problem(await service.as_(name).get(world.activity), "not-found")
    auditor = service.as_("auditor", READ_ALL)
    whole = {activity["id"] for activity in await read(auditor, "/api/activities")}
    for name in ("owner", "neighbour", "stranger"):
        assert {activity["id"] for activity in await read(service.as_(name), "/api/activities")} < whole
    assert (await auditor.get(path)).status_code == 200
    # A role that is lost takes the sight of the past with it.
    await owner.patch(world.member, json={"role": "owner"}, headers=MERGE)
    assert (await member.get(world.activity)).status_code == 200
    await owner.patch(world.member, json={"role": "member"}, headers=MERGE)
    check_problem(await member.get(world.activity), "not-found")


async def test_an_activity_outlives_what_it_tells_of(service: Service, world: World) -> None:
    """LO-08."""
    owner = service.as_("owner")
    for path in (world.shop, world.lab, world.acme):
        assert (await owner.delete(path)).status_code == 204
    told_of = {activity["object"] for activity in await read(owner, "/api/activities")}
    assert {BASE + world.acme, BASE + world.shop} <= told_of
    check_problem(await owner.get(f"{world.acme}/activities"), "gone")


async def test_the_last_page_read_again_tells_what_changed_since(service: Service, world: World) -> None:
    owner = service.as_("owner")
    path = f"{world.acme}/activities?itemsPerPage=3&after="
    seen: list[str] = []
    while True:
        body = (await owner.get(path)).json()
        seen += [activity["id"] for activity in body["member"]]
        if "next" not in body["view"]:
            break
        path = body["view"]["next"]
    for number in range(5):
        await owner.patch(world.acme, json={"name": f"Acme {number}"}, headers=MERGE)
    fresh: list[str] = []
    while True:
        body = (await owner.get(path)).json()
        fresh += [activity["id"] for activity in body["member"]]
        if "next" not in body["view"]:
            break
        path = body["view"]["next"]
    assert [activity["id"] for activity in await read(owner, f"{world.acme}/activities")] == [
        *seen,
        *(identifier for identifier in fresh if identifier not in seen),
    ]
    assert len(set(fresh) - set(seen)) == 5


async def test_a_reader_who_goes_on_from_a_cursor_misses_nothing_that_writers_commit_out_of_order(
    database: Database,
) -> None:
    """Writers hold their transactions open for as long as they like, and some give up in the end."""
    writing, written = 24, []
    caller = Caller(await add_partner(database.reading()), frozenset({WRITE}))
    others = [Database(_url(database)) for _ in range(3)]
    for other in others:
        await other.open()
    luck = random.Random(7)
    waits = [[luck.randrange(6) for _ in range(3)] for _ in range(writing)]

    async def write(number: int) -> None:
        with suppress(GivenUp):
            async with others[number % 3].transaction() as session:
                for _ in range(waits[number][0]):
                    await asyncio.sleep(0)
                act = Act(caller, new_id(), now())
                organization = await create_organization(session, act, f"{number}", Owner(caller.partner_id))
                for _ in range(waits[number][1]):
                    await session.rows("SELECT 1 AS one")
                if waits[number][2] == 0:
                    raise GivenUp
            written.append(organization)

    seen: list[tuple[int, str]] = []

    async def follow(cut: Cut) -> Cut:
        found = await page(database.reading(), Listing("Activity", "sequence", False), caller, cut)
        seen.extend(
            (int(record.values["sequence"] or 0), str(record.values["object_id"])) for record in found.records
        )
        return Cut(limit=2, after=found.positions[-1]) if found.positions else cut

    cut, tasks = Cut(limit=2), [asyncio.create_task(write(number)) for number in range(writing)]
    try:
        while not all(task.done() for task in tasks):
            cut = await follow(cut)
            await asyncio.sleep(0)  # as between two requests: what is read here and now waits for nothing
        await asyncio.gather(*tasks)
        for _ in range(writing):
            cut = await follow(cut)
    finally:
        for other in others:
            await other.close()
    assert 0 < len(written) < writing
    assert [number for number, _ in seen] == sorted({number for number, _ in seen})
    assert sorted(identifier for _, identifier in seen) == sorted(written)


async def test_a_number_is_not_given_out_before_those_below_it_can_be_read(database: Database) -> None:
    """On PostgreSQL sequences are given out before the commit; here the second waits for the first."""
    if database.dialect == "sqlite":
        return  # one transaction writes at a time
    caller = Caller(await add_partner(database.reading()), frozenset({WRITE}))
    other = Database(_url(database))
    await other.open()
    written, ended = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as session:
            await create_organization(session, Act(caller, "slow", now()), "Slow", Owner(caller.partner_id))
            await write_activities(session, session.notes)
            session.notes.clear()
            written.set()
            await ended.wait()

    async def quick() -> None:
        async with other.transaction() as session:
            await create_organization(session, Act(caller, "quick", now()), "Quick", Owner(caller.partner_id))

    try:
        first = asyncio.create_task(slow())
        await written.wait()
        second = asyncio.create_task(quick())
        # It cannot come to its end as long as the first is open, however long one looks.
        done, _ = await asyncio.wait([second], timeout=0.3)
        assert done == set()
        seen = await page(other.reading(), Listing("Activity", "sequence", False), caller, Cut(limit=9))
        assert seen.records == []
        ended.set()
        await asyncio.gather(first, second)
        seen = await page(other.reading(), Listing("Activity", "sequence", False), caller, Cut(limit=9))
        assert [record.values["request_id"] for record in seen.records] == ["slow", "quick"]
    finally:
        await other.close()


def _url(database: Database) -> str:
    if database.dialect == "sqlite":
        return f"sqlite://{database._credentials['file_path']}"
    return str(database._credentials["dsn"])
