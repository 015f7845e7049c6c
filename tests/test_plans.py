"""How the databases read what every statement of the service asks for: nothing is read in vain."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.caller import READ_ALL
from app.contract.definitions import ClassDefinition
from app.routes import ROUTES
from app.storage.acts import Act, now
from app.storage.database import Database
from app.storage.erasure import forget
from app.storage.kinds import ANYTHING
from app.storage.ownership import EVERYTHING
from tests.benchmarks.scale_rows import RARE_WORD, Estate, load_postgres, load_sqlite
from tests.postgres_server import execute
from tests.promises import CONTRACT
from tests.service import PATCH, Service, World, id_of, made, populate, running
from tests.statements import overhear
from tests.test_sweep import concrete

pytestmark = pytest.mark.anyio

INSTANCES = 10_000
# What is known of the tables is what was when they were filled, whenever the server finds time to look again.
STAYS_AS_ANALYZED = """DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);
    END LOOP;
END $$"""


@pytest.fixture
async def swept(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Database, dict[str, Sequence[Any]]]]:
    """A database with thousands of rows, and the statements that are run while everything is asked for."""
    estate, seen = Estate(INSTANCES, in_one=4), dict[str, Sequence[Any]]()
    if database_url.startswith("sqlite"):
        load_sqlite(database_url.removeprefix("sqlite://"), estate, lambda _: None)
    else:
        await load_postgres(database_url, estate, lambda _: None)
        await execute(database_url, STAYS_AS_ANALYZED)

    async with running(database_url, tmp_path) as service:
        with monkeypatch.context() as patch:
            asked = overhear(patch, ["rows", "brief"])
            points = overhear(patch, ["point", "soon"])
            world = await populate(service)
            await sweep(service, world)
            await change(service, world)
    # At records by their ids tests/storage/test_points.py looks; lists that are read as points belong here.
    # What is looked for along all rows is given up after a few (tests/storage/test_walks.py).
    for sql, values in [
        *asked,
        *(it for it in points if " LIMIT " in it[0] and "LIMIT CASE WHEN" not in it[0]),
    ]:
        seen.setdefault(sql, values)
    database = Database(database_url)
    await database.open()
    yield database, seen
    await database.close()


async def sweep(service: Service, world: World) -> None:
    """Every resource, every order and filter of every list, forwards, backwards and by number."""
    clients = [service.as_(name) for name in ("owner", "neighbour", "one")]
    clients.append(service.as_("auditor", READ_ALL))
    for client in clients:
        for route in ROUTES:
            path = concrete(route, world)
            await client.get(path)
            definition = CONTRACT.classes.get(CONTRACT.ranges.get(route.promise, route.promise))
            for query in queries(definition) if definition and definition.member else ():
                await walk(client, f"{path}?itemsPerPage=1&{query}")


def queries(definition: ClassDefinition) -> list[str]:
    orders = [f"{it.name}=asc" for it in definition.variables if it.orders]
    searched = [it.name for it in definition.variables if it.key and not it.orders]
    texts = [f"{name}={text}" for name in searched for text in (RARE_WORD, "shop", "%", "qu")]
    both = ["&".join(f"{name}=shop" for name in searched)]
    return ["", *orders, *texts, *both, *(f"{order}&{text}" for order in orders for text in texts[:1])]


async def walk(client: httpx.AsyncClient, address: str) -> None:
    for paging in ("page=2", "page=9999", "after="):
        answer = await client.get(f"{address}&{paging}")
    if answer.status_code == 200 and "next" in (view := answer.json()["view"]):
        previous = (await client.get(view["next"])).json()["view"].get("previous")
        await client.get(previous or view["next"])


async def change(service: Service, world: World) -> None:
    """Each kind of write that making the world has not needed; the last forgets a person."""
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    fields = {"Content-Type": PATCH, "Idempotency-Key": '"once"'}
    for path in (world.shop, world.acme):
        assert (await owner.patch(path, json={"name": "Other"}, headers=fields)).status_code == 200
    key = {"Idempotency-Key": '"twice"'}
    for _ in range(2):
        content = {"name": "New", "handle": "new-one"}
        answer = await owner.post(f"{world.acme}/instances", json=content, headers=key)
        assert answer.status_code == 201
    taken = await owner.post(f"{world.acme}/instances", json=content)
    assert taken.status_code == 409
    assert (await owner.patch(world.member, json={"role": "owner"}, headers=fields)).status_code == 200
    assert (await owner.delete(world.pending)).status_code == 204
    sent = {"organization_id": id_of(world.initech)}
    assert (await owner.post(f"{world.shop}/transfer", json=sent)).status_code == 200
    assert (await neighbour.delete(world.shop)).status_code == 204
    empty = await made(owner, "/api/organizations", name="Empty")
    assert (await owner.delete(empty)).status_code == 204
    database = Database(service.settings.database_url)
    await database.open()
    assert await forget(database, Act(EVERYTHING, "1", now()), id_of(world.partner))
    await database.close()


# What stands for rows that the same statement has found before.
FOUND = {
    "chosen",
    "several",
    "sole",
    "candidate",
    "heads",
    "head",
    "foremost",
    "every",
    "of_own",
    "of_granted",
    "others",
    "entries",
    "counted",
    "tallied",
    "few",
    "size",
    "found",
}
OF_ALL = re.escape(ANYTHING)
# What may be read from one end to the other, by index or as it lies; by which statements, and why.
STATED: Mapping[str, tuple[str, str]] = {
    **{
        index: (OF_ALL, "who reads all reads them in their order: as many as the page shows, or are counted")
        for table in ("organization", "instance")
        for index in (
            *(f"{table}_live_{order}_idx" for order in ("created_at", "updated_at", "name")),
            *(f"{table}_pkey", f"sqlite_autoindex_{table}_1"),
        )
    },
    **dict.fromkeys(
        ("instance_handle_key", "sqlite_autoindex_instance_2"),
        (OF_ALL, "in the order of handles; those that are retired are passed over"),
    ),
    **dict.fromkeys(
        ("act", "activity", "activity_pkey", "activity_actor_id_idx"),
        (
            f"{OF_ALL}|lower\\(changes|max\\(sequence\\)",
            "activities are read as far as a page is, or counted; an erasure reads all",
        ),
    ),
    **dict.fromkeys(
        ("instance_tally", "instance_tally_pkey"),
        (f"{OF_ALL} LIMIT 251", "who reads all has the tallies of some organizations added up"),
    ),
    "remembered_answer": ("DELETE FROM remembered_answer", "an erasure looks for what tells of a person"),
    # SQLite has it in the plan of an INSERT, for references that were left to the end, and there are none.
    "tombstone": ('INSERT INTO "organization"', "organizations are never deleted from their table"),
    "instance": ('INSERT INTO "organization"', "organizations are never deleted from their table"),
}


async def walks(database: Database, sql: str, values: Sequence[Any]) -> set[str]:
    """What the database would read from one end to the other: the index, or the table."""
    session = database.reading()
    if database.dialect == "sqlite":
        rows = await session.rows(f"EXPLAIN QUERY PLAN {sql}", values)
        scans = (
            re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?(?! VIRTUAL)\b", it["detail"])
            for it in rows
        )
        return {found[2] or found[1] for found in scans if found and found[1] not in FOUND | {"CONSTANT"}}
    async with database.transaction() as session:
        # As if the tables were too large to be read as they lie.
        await session.rows("SET LOCAL enable_seqscan = off")
        [row] = await session.rows(f"EXPLAIN (FORMAT JSON) {sql}", values)
        return set(_nodes(json.loads(row["QUERY PLAN"])[0]["Plan"]))


def _nodes(node: Mapping[str, Any]) -> Iterator[str]:
    # For who has many memberships, PostgreSQL looks along the first few rows of all.
    if node.get("Subplan Name") == "CTE near":
        return
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    elif "Index Name" in node and "Index Cond" not in node:
        yield node["Index Name"]
    for part in node.get("Plans", ()):
        yield from _nodes(part)


async def test_no_statement_reads_a_whole_table_but_where_that_is_stated(
    swept: tuple[Database, dict[str, Sequence[Any]]],
) -> None:
    database, statements = swept
    asked = {
        sql: it for sql, it in statements.items() if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)", sql)
    }
    walked = {sql: await walks(database, sql, values) for sql, values in asked.items()}
    met = set[str]().union(*walked.values())
    unstated = [
        (name, sql)
        for sql, names in walked.items()
        for name in names
        if not re.search(STATED.get(name, ("^$", ""))[0], sql)
    ]
    assert unstated == []
    assert len(asked) > 200
    assert {"instance_live_created_at_idx", "organization_live_created_at_idx"} <= met
    # Who does not read all walks through no index, whatever the order, filter or number of organizations.
    lists = {sql: it for sql, it in asked.items() if "OFFSET" in sql and ANYTHING not in sql}
    assert len(lists) > 50
    assert {sql: walked[sql] for sql in lists if walked[sql]} == {}
