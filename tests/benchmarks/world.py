"""What is in the database: organizations of one owner with their instances, written as the service writes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from app.caller import WRITE, Caller
from app.security.local_issuer import LocalIssuer
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.partners import Identity, partner_of
from app.storage.writes import Owner, create_instance, create_organization
from tests.benchmarks.bulk import Bulk
from tests.benchmarks.calls import DEEP, DEPTH, INSTANCES, PAGE, SERIES, Instance, World, letters
from tests.benchmarks.processes import Server
from tests.load import token
from tests.service import JSON_LD

ORGANIZATIONS, INSTANCES_OF_EACH = 100, 100
# As `tests.load.token` tells of its subject.
OWNER = Identity(LocalIssuer.iss, "owner", "Owner", "owner@acme.example")


async def fill(
    url: str, organizations: int = ORGANIZATIONS, of_each: int = INSTANCES_OF_EACH
) -> tuple[str, list[Instance]]:
    """Migrate, and write all of it. Answers the owner's id, and the instances in their order."""
    await Database(url).migrate()
    async with _opened(url) as database:
        partner = await partner_of(database, OWNER, new_id())
        caller, instances = Caller(partner, frozenset({WRITE})), []
        for number in range(organizations):
            instances += await _organization(database, caller, number, of_each)
        await database.leave_nothing_beside()
    return partner, instances


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def _organization(database: Database, caller: Caller, number: int, of_each: int) -> list[Instance]:
    """Each instance has its own moment and request."""
    instances = []
    async with database.transaction() as session:
        bulk = Bulk(session)
        act = Act(caller, new_id(), now())
        name, owner = f"Organization {number}", Owner(caller.partner_id)
        organization = await create_organization(bulk, act, name, owner)
        for part in range(of_each):
            act = Act(caller, new_id(), now())
            name, handle = f"Instance {part} of {number}", f"tenant-{letters(number)}-{letters(part)}"
            identifier = await create_instance(bulk, act, organization, name, handle)
            instances.append(Instance(identifier, organization, name, handle))
        await bulk.write()
    return instances


def tags(world: World, server: Server) -> dict[str, str]:
    """The service's entity tags, by path."""
    fields = {**world.authorization, "Accept": JSON_LD}
    return {it.path: server.ask("GET", it.path, fields).tag for it in world.some}


def deep_pages(world: World, server: Server) -> list[tuple[str, str]]:
    """Addresses of pages far into the list, which the service tells; the bare yardstick knows them by what
    the page before ends with."""
    fields, found = {**world.authorization, "Accept": JSON_LD}, []
    for series in range(SERIES):
        size = PAGE - series
        target = f"{INSTANCES}?itemsPerPage={size}&after="
        for number in range(DEPTH + DEEP):
            page = orjson.loads(server.ask("GET", target, fields).content)
            target = page["view"]["next"].partition(f":{server.port}")[2]
            target = target.replace(f"itemsPerPage={size}", f"itemsPerPage={PAGE}")
            last = page["member"][-1]
            if number >= DEPTH:
                found.append((target, f"{INSTANCES}?after={last['created_at']}|{last['id']}"))
    return found


def owners_token(folder: Path) -> str:
    return token(folder, OWNER.subject)
