"""Section 25 of the conformance list, audit: one activity for each change, for ever, for owners alone."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import httpx
import pytest
import rdflib

from app.storage.database import Database
from app.storage.tables import TABLES
from tests.conformance.assertions import ROOT
from tests.conformance.fresh import MERGE, fresh_handle, instance_of, organization_of, patched, tag_of
from tests.estate import members
from tests.service import BASE, TURTLE, Service, World, id_of, made
from tests.shacl import apart, results
from tests.storage.opening import opened
from tests.test_forgetting import forgotten
from tests.test_graphs import by_pyld, contexts
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

ACTIVITIES = "/api/activities?after=&itemsPerPage=100"
AS = "https://www.w3.org/ns/activitystreams#"
EMAIL = re.compile(r"[\w.+-]+@[\w.-]+")
REFUSED = (sqlite3.IntegrityError, asyncpg.RestrictViolationError)
# How that is, and how it ends.
NO_ROOM = {
    "sqlite": (
        "CREATE TRIGGER full BEFORE INSERT ON activity BEGIN SELECT RAISE(ABORT, 'no room'); END",
        "DROP TRIGGER full",
    ),
    "postgres": (
        "ALTER TABLE activity ADD CONSTRAINT full_ CHECK (FALSE) NOT VALID",
        "ALTER TABLE activity DROP CONSTRAINT full_",
    ),
}
# How often each writer writes; each of them twice at once where versions matter.
ROUNDS, WRITERS = 4, 4


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def told(service: Service, path: str = ACTIVITIES) -> list[dict[str, Any]]:
    """Every activity that there is, in its order."""
    auditor = service.as_("auditor", "registry:read-all")
    return [activity async for activity in members(auditor, path)]


class Writer:
    """Writes what is right and what is wrong in any order. `done` are the numbers of the requests that
    changed something, `failed` those that did not."""

    def __init__(self, service: Service, world: World, seed: int) -> None:
        self.service, self.world = service, world
        self.client = service.as_("owner")
        self.random = random.Random(seed)
        self.done: list[str] = []
        self.failed: list[str] = []
        self.statuses: Counter[int] = Counter()

    def note(self, answer: httpx.Response, *, changes: bool = True) -> httpx.Response:
        replayed = "Idempotency-Replayed" in answer.headers
        succeeded = answer.is_success and changes and not replayed
        (self.done if succeeded else self.failed).append(answer.headers["X-Request-Id"])
        self.statuses[answer.status_code] += 1
        return answer

    async def write(self) -> None:
        steps = [self.instances, self.names, self.people, self.refused, self.offers] * ROUNDS
        self.random.shuffle(steps)
        created = self.note(await self.client.post("/api/organizations", json={"name": "Audited"}))
        self.path = created.headers["Location"].removeprefix(BASE)
        for step in steps:
            await step()

    async def instances(self) -> None:
        content, key = {"name": "Shop", "handle": fresh_handle()}, {"Idempotency-Key": f'"{fresh_handle()}"'}
        path = f"{self.path}/instances"
        created = self.note(await self.client.post(path, json=content, headers=key))
        self.note(await self.client.post(path, json=content, headers=key))
        self.note(await self.client.post(path, json=content))
        self.note(await self.client.delete(self.path))
        for _ in range(2):
            self.note(await self.client.delete(created.headers["Location"]))

    async def names(self) -> None:
        """Two at once upon one version; then one that changes nothing."""
        tag = {"If-Match": await tag_of(self.client, self.path)}
        contents = [{"name": f"Audited {self.random.random()}"} for _ in range(2)]
        answers = await asyncio.gather(*(patched(self.client, self.path, it, **tag) for it in contents))
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        for answer in answers:
            self.note(answer)
        name = (await self.client.get(self.path)).json()["name"]
        self.note(await self.client.put(self.path, json={"name": name}), changes=False)
        self.note(await patched(self.client, self.path, {"name": ""}))

    async def people(self) -> None:
        content = {"email": f"{fresh_handle()}@nowhere.example", "role": "member"}
        added = self.note(await self.client.post(f"{self.path}/members", json=content))
        self.note(await self.client.post(f"{self.path}/members", json=content))
        self.note(await patched(self.client, added.headers["Location"], {"role": "owner"}))
        self.note(await self.client.delete(added.headers["Location"]))

    async def refused(self) -> None:
        content = {"name": "Mine"}
        for subject, *scopes in (("stranger",), ("owner", "registry:read"), ("owner", "openid"), (None,)):
            other = self.service.as_(subject, *scopes)
            self.note(await other.put(self.path, json=content))
            self.note(await other.delete(self.path))
        self.note(await self.client.post("/api/organizations", content=b"{", headers={"Content-Type": "a/b"}))
        self.note(await self.client.post("/api/organizations", json={"name": 1}))
        self.note(await self.client.put(self.world.absent, json=content))

    async def offers(self) -> None:
        content = {"name": "Shop", "handle": fresh_handle()}
        shop = self.note(await self.client.post(f"{self.path}/instances", json=content)).headers["Location"]
        other = {"organization_id": id_of(self.world.initech)}
        self.note(await self.client.post(f"{shop}/transfer", json=other))
        offer = self.note(await self.client.post(f"{shop}/authorizations", json=other)).headers["Location"]
        self.note(await patched(self.service.as_("neighbour"), offer, {"status": "accepted"}))
        self.note(await self.client.post(f"{shop}/transfer", json=other))
        self.note(await self.client.delete(shop))


async def test_lo_05_every_change_is_one_activity_and_what_failed_is_none(
    service: Service, world: World
) -> None:
    before = await told(service)
    writers = [Writer(service, world, seed) for seed in range(WRITERS)]
    await asyncio.gather(*(writer.write() for writer in writers))
    new = (await told(service))[len(before) :]
    done = [number for writer in writers for number in writer.done]
    failed = {number for writer in writers for number in writer.failed}
    statuses = set().union(*(writer.statuses for writer in writers))
    assert statuses >= {200, 201, 204, 401, 403, 404, 409, 410, 412, 415, 422}
    assert len(done) > 10 * ROUNDS * WRITERS // 2
    assert Counter(activity["request_id"] for activity in new) == Counter(done)
    assert not failed & {activity["request_id"] for activity in new}


@asynccontextmanager
async def no_room_for_activities(service: Service) -> AsyncIterator[None]:
    """The database itself takes none."""
    async with opened(service.settings.database_url) as database:
        begin, end = NO_ROOM[database.dialect]
        async with database.transaction() as session:
            await session.rows(begin)
        try:
            yield
        finally:
            async with database.transaction() as session:
                await session.rows(end)


async def test_lo_05_a_change_that_cannot_be_told_is_not_made(service: Service, world: World) -> None:
    """Both are in one transaction."""
    owner, path = service.as_("owner"), await instance_of(service)
    before, state = await told(service), await whole(service)
    async with no_room_for_activities(service):
        refused = [
            await owner.post("/api/organizations", json={"name": "Untold"}),
            await owner.post(f"{world.acme}/instances", json={"name": "Untold", "handle": fresh_handle()}),
            await owner.post(f"{world.acme}/members", json={"email": "u@acme.example", "role": "member"}),
            await owner.patch(path, json={"name": "Untold"}, headers=MERGE),
            await owner.put(world.acme, json={"name": "Untold"}),
            await owner.delete(path),
        ]
    for answer in refused:
        check_problem(answer, "internal-error")
    assert await told(service) == before
    assert await whole(service) == state
    assert (await owner.delete(path)).status_code == 204
    assert await whole(service) != state


async def whole(service: Service) -> dict[str, list[str]]:
    """All rows of all tables."""
    database = Database(service.settings.database_url)
    await database.open()
    try:
        names = sorted(table._meta.db_table for table in TABLES)
        return {
            name: sorted(map(str, await database.reading().rows(f"SELECT * FROM {name}"))) for name in names
        }
    finally:
        await database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activity SET type = 'Move'",
        "UPDATE activity SET changes = '[]'",
        "UPDATE activity SET sequence = sequence + 1000",
        "DELETE FROM activity",
        "DELETE FROM activity_organization",
    ],
)
async def test_lo_06_the_database_itself_keeps_every_activity_as_it_is(
    service: Service, world: World, statement: str
) -> None:
    before = await told(service)
    database = Database(service.settings.database_url)
    await database.open()
    try:
        with pytest.raises(REFUSED, match="append-only"):
            await database.reading().rows(statement)
    finally:
        await database.close()
    assert await told(service) == before != []


async def test_lo_06_no_method_changes_an_activity_and_they_come_in_their_order(
    service: Service, world: World
) -> None:
    owner = service.as_("owner")
    for path in (world.activity, "/api/activities", f"{world.acme}/activities"):
        assert (await owner.options(path)).headers["Allow"] == "GET, HEAD, OPTIONS"
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            check_problem(await owner.request(method, path, json={}), "method-not-allowed")
    for path in (ACTIVITIES, f"{world.acme}/activities?after=&itemsPerPage=2"):
        numbers = [activity["sequence"] for activity in await told(service, path)]
        assert len(numbers) > 5
        assert numbers == sorted(set(numbers))


async def test_lo_07_an_activity_tells_who_did_what_to_what_when_and_in_which_request(
    service: Service,
) -> None:
    owner, path = service.as_("owner"), await instance_of(service, name="Before")
    tag = await tag_of(owner, path)
    answer = await patched(owner, path, {"name": "After"}, **{"If-Match": tag})
    found = [it for it in await told(service) if it["request_id"] == answer.headers["X-Request-Id"]]
    [activity] = found
    body = (await owner.get(activity["@id"])).json()
    assert body["@type"] == ["Activity", "Update"]
    assert body["object"] == BASE + path
    assert datetime.fromisoformat(body["published"]) == datetime.fromisoformat(answer.json()["updated_at"])
    [change] = body["changes"]
    assert {key: change[key] for key in ("property", "before", "after")} == {
        "property": "name",
        "before": "Before",
        "after": "After",
    }
    # The partner stands for the issuer and the subject of the token.
    assert body["actor"] == (await owner.get("/api/me")).headers["Location"]
    assert (await owner.get(body["actor"])).json()["id"] == await partner_of(service, "owner")
    documents = await contexts(owner)
    assert f"<{body['@id']}> <{rdflib.RDF.type}> <{AS}Update>" in by_pyld(body, documents)
    shapes = rdflib.Graph()
    shapes.parse(data=(await owner.get("/shapes", headers={"Accept": TURTLE})).text, format="turtle")
    assert results(apart([body], documents), shapes) == []
    assert results(apart([body | {"published": "yesterday"}], documents), shapes) != []


async def partner_of(service: Service, subject: str) -> str:
    database = Database(service.settings.database_url)
    await database.open()
    try:
        [row] = await database.reading().rows("SELECT id FROM partner WHERE subject = $1", [subject])
        return str(row["id"])
    finally:
        await database.close()


async def test_lo_08_activities_are_for_owners_and_outlive_what_they_tell_of(
    service: Service, world: World
) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    path = await instance_of(service, organization)
    await made(owner, f"{organization}/members", email="member@acme.example", role="member")
    activities = f"{organization}/activities"
    for reader in (owner, service.as_("owner", "registry:read"), service.as_("auditor", "registry:read-all")):
        answer = await reader.get(activities)
        assert (answer.status_code, answer.json()["totalItems"]) == (200, 3)
        first = answer.json()["member"][0]["@id"]
        assert (await reader.get(first)).status_code == 200
    check_problem(await service.as_("member").get(activities), "forbidden")
    check_problem(await service.as_("stranger").get(activities), "not-found")
    check_problem(await service.as_(None).get(activities), "not-authenticated")
    for subject in ("member", "stranger"):
        check_problem(await service.as_(subject).get(first), "not-found")
    assert (await owner.delete(path)).status_code == 204
    check_problem(await owner.get(path), "gone")
    kept = [it async for it in members(owner, f"{activities}?page=1&itemsPerPage=1")]
    cursors = [it async for it in members(owner, f"{activities}?after=&itemsPerPage=3")]
    assert kept == cursors
    summaries = [it["summary"] for it in kept if it["object"] == BASE + path]
    assert summaries == ["Instance created", "Instance deleted"]


async def test_lo_09_only_members_and_partners_are_told_of_by_address_and_can_be_forgotten(
    service: Service, world: World
) -> None:
    zelda = service.as_("zelda")
    me = (await zelda.get("/api/me")).headers["Location"]
    organization = await organization_of(service, "zelda")
    shop = await instance_of(service, organization, "zelda")
    await made(zelda, f"{organization}/members", email="zelda.two@acme.example", role="member")
    await offered_by(service, shop, world.initech)
    await made(service.as_("owner"), f"{world.acme}/members", email="zelda@acme.example", role="member")
    activities = await told(service)
    addressed = [it for it in activities if EMAIL.search(str(it))]
    assert {it["summary"].partition(" ")[0] for it in addressed} <= {"Member", "Partner"}
    assert all(
        change["property"] in ("email", "name")
        for it in addressed
        for change in it["changes"]
        if EMAIL.search(str(change))
    )
    # Not even its own name stands with what somebody did.
    assert not [it for it in activities if it.get("actor") == me and "Zelda" in str(it)]
    assert "zelda@acme.example" in str(addressed)
    assert await forgotten(service, id_of(me)) is not None
    left = await told(service)
    assert "zelda@acme.example" not in str(left)
    assert [it["id"] for it in left[: len(activities)]] == [it["id"] for it in activities]
    guide = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    assert "instance-registry forget --partner" in guide


async def offered_by(service: Service, instance: str, organization: str) -> None:
    answer = await service.as_("zelda").post(
        f"{instance}/authorizations", json={"organization_id": id_of(organization)}
    )
    assert answer.status_code == 201
