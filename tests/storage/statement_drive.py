"""All that the service can do on one database, so that every statement that it has is run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from app.caller import ANONYMOUS, READ_ALL, WRITE
from app.exporting.reading import Scope, expected
from app.importing import Report, import_lines
from app.routes import ROUTES
from app.sample import add_sample
from app.security.local_issuer import local_issuer
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.erasure import forget
from app.storage.partners import Identity, known_subjects, partner_of
from tests.estate import settle
from tests.exports import exported, moved, restored
from tests.promises import CONTRACT
from tests.service import JSON_LD, PATCH, Service, World, id_of, made, populate, running

# Statements are others only for whoever may read everything.
SUBJECTS: Mapping[str, tuple[str, ...]] = {"owner": (), "stranger": (), "auditor": (READ_ALL,)}


async def do_everything(url: str, folder: Path) -> None:
    database = Database(url)
    await database.migrate()
    assert await database.pending_migrations() == []
    async with running(url, folder) as service:
        world = await populate(service)
        await settle(service, world)
        await _read(service, world)
        partner = await _write(service, world)
    await database.open()
    try:
        await _command(database, partner)
    finally:
        await database.close()


async def _read(service: Service, world: World) -> None:
    for subject, scopes in SUBJECTS.items():
        client = service.as_(subject, *scopes)
        for path in await _paths(client, world):
            assert (await client.get(path)).status_code < 500, path
            async for query in _queries(client, path):
                assert (await client.get(query)).status_code in (200, 400), query


async def _paths(client: httpx.AsyncClient, world: World) -> list[str]:
    """Of every route, with what is there, and what was."""
    partner = (await client.get("/api/me")).headers["Location"]
    values = {
        "organization_id": world.acme_id,
        "instance_id": id_of(world.shop),
        "partner_id": id_of(partner),
        "handle": "acme-shop",
        "file": "registry.jsonld",
        "type": "gone",
    }
    examples = {route.path: id_of(world.examples.get(route.promise, "")) for route in ROUTES}
    found = [route.path.format_map(values | {"id": examples[route.path]}) for route in ROUTES]
    return [*found, world.removed_member, world.revoked, world.deleted_shop, world.absent, world.globex]


async def _queries(client: httpx.AsyncClient, path: str) -> AsyncIterator[str]:
    """Of a list: every variable that its search form has, in both orders, and each way to go on."""
    body = await _json(client, path)
    for mapping in body.get("search", {}).get("mapping", ()):
        name = quote(mapping["variable"])
        for value in ("asc", "desc", "a", "acme-shop"):
            begin = f"{path}?itemsPerPage=1&{name}={value}"
            yield begin
            following = (await _json(client, begin)).get("view", {}).get("next")
            if following:
                yield following
                yield (await _json(client, following))["view"].get("previous", begin)
    if "member" in body:
        for query in ("page=2&itemsPerPage=1", "page=900&itemsPerPage=1", "after=&itemsPerPage=1"):
            yield f"{path}?{query}"


async def _json(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    answer = await client.get(address, headers={"Accept": JSON_LD})
    body: Any = answer.json() if answer.status_code == 200 else {}
    return body if isinstance(body, dict) else {}


async def _write(service: Service, world: World) -> str:
    """What `populate` and `settle` leave out. The id of a partner of whom much is known."""
    owner, merged = service.as_("owner"), {"Content-Type": PATCH}
    for path, content in ((world.acme, {"name": "New"}), (world.shop, {"name": "New"})):
        assert (await owner.patch(path, json=content, headers=merged)).status_code == 200
    second = await made(owner, f"{world.acme}/members", email="second@acme.example", role="member")
    assert (await owner.patch(second, json={"role": "owner"}, headers=merged)).status_code == 200
    once = {"Idempotency-Key": "once"}
    for _ in range(2):
        content = {"name": "Once", "handle": "once"}
        assert (await owner.post(f"{world.acme}/instances", json=content, headers=once)).status_code == 201
    taken = {"name": "Twice", "handle": "once"}
    assert (await owner.post(f"{world.acme}/instances", json=taken)).status_code == 409
    stale = {"If-Match": '"of another list"'}
    assert (await owner.post("/api/organizations", json={"name": "New"}, headers=stale)).status_code == 412
    there = {"email": "second@acme.example", "role": "member"}
    assert (await owner.post(f"{world.acme}/members", json=there)).status_code == 409
    return await _come_with_another_address(service, world)


async def _come_with_another_address(service: Service, world: World) -> str:
    """A member for whom another membership of the same organization waits under the new address, and then
    one under the old address."""
    members, owner = f"{world.acme}/members", service.as_("owner")
    await made(owner, members, email="renamed@acme.example", role="owner")
    token = local_issuer(service.settings.data_dir).token(
        audience=service.settings.audience,
        subject="member",
        email="renamed@acme.example",
        name="Renamed",
        scopes=(WRITE,),
        lifetime=3_600,
    )
    answer = await service.as_(None).get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 303
    told = {"email": "member@acme.example", "role": "member"}
    remembered = await owner.post(members, json=told, headers={"Idempotency-Key": "told"})
    assert remembered.status_code == 201
    return id_of(answer.headers["Location"])


async def _command(database: Database, partner: str) -> None:
    """As the commands do."""
    assert await forget(database, Act(ANONYMOUS, new_id(), now()), partner)
    await add_sample(database)
    lines = [b'{"organization": {"name": "A"}, "instance": {"name": "B", "handle": "imported"}}'] * 2
    await import_lines(database, CONTRACT, "nobody@acme.example", lines, Report())
    await database.leave_nothing_beside()
    await database.clock()
    content = await exported(database, scope=Scope(activities=True))
    await expected(database.reading(), Scope())
    assert await known_subjects(database.reading(), "urn:x", {"moved": "moved@acme.example"}) == set()
    # Of partners without what they could come with, then of what is not there yet; then of organizations that
    # are known by their ids alone.
    await restored(database, moved(content.replace(b"https://schema.org/email", b"urn:x:email")))
    for number in range(2):
        await restored(database, moved(content, number))
    await partner_of(database, Identity("urn:x", "moved", "Moved", "owner@moved.example"), new_id())
    async with database.transaction() as session:
        # Where somebody else was faster, which cannot be told to happen.
        await session.begin_locking()
        await session.give_back_locks()
