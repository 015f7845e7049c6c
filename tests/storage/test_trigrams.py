"""Search on a PostgreSQL that has `pg_trgm`, as Debian's has and the wheel's has not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from uuid import uuid4

import pytest
from tortoise.exceptions import OperationalError

from app.caller import READ_ALL, Caller
from app.storage.acts import new_id
from app.storage.database import Database
from app.storage.pages import Cut, Listing, page
from app.storage.session import Session
from tests.benchmarks.scale_rows import RARE_WORD, Estate, load_postgres
from tests.debian_postgres import DebianPostgres, debian_postgres, missing
from tests.postgres_server import administer, execute, quick_folder
from tests.statements import overhear
from tests.storage.catalogue import read_indexes
from tests.storage.opening import opened
from tests.storage.test_constraints import TRIGRAM_INDEXES
from tests.storage.test_earlier_form import make_earlier, rules
from tests.storage.test_migrations import ALL
from tests.storage.test_search import (  # noqa: F401 - they run here too, on this database
    test_a_list_of_more_than_are_counted_is_not_counted,
    test_a_name_is_found_as_it_is_now,
    test_a_part_is_found_wherever_it_stands_in_any_script,
)

pytestmark = pytest.mark.anyio

GROWTH = "app.storage.migrations.0006_growth"


@pytest.fixture(scope="module")
def server() -> Iterator[DebianPostgres]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with debian_postgres(quick_folder()) as running:
        yield running


@pytest.fixture(scope="module")
def template(server: DebianPostgres) -> str:
    """The name of a migrated database to copy."""
    administer(server.url("postgres"), "CREATE DATABASE template_registry")
    asyncio.run(Database(server.url("template_registry")).migrate())
    return "template_registry"


@pytest.fixture
async def database_url(server: DebianPostgres, template: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    await execute(server.url("postgres"), f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    await execute(server.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


async def trigrams(url: str) -> set[tuple[str, str]]:
    async with opened(url) as database:
        found = await read_indexes(database.reading())
    return {(name, definition) for name, definition in found if "gin_trgm_ops" in definition}


async def test_a_migration_makes_the_index_where_the_extension_is_there(database_url: str) -> None:
    assert await trigrams(database_url) == TRIGRAM_INDEXES


async def test_an_index_of_several_columns_is_replaced(server: DebianPostgres, template: str) -> None:
    await execute(server.url("postgres"), "CREATE DATABASE earlier")
    url = server.url("earlier")
    await make_earlier(
        url,
        "DROP INDEX instance_name_text_idx, instance_handle_text_idx",
        "CREATE INDEX instance_text_idx ON instance"
        " USING gin (name_key gin_trgm_ops, handle gin_trgm_ops) WHERE deleted_at IS NULL",
    )
    await Database(url).migrate()
    assert await rules(url) == await rules(server.url(template))


async def test_a_role_that_may_not_add_the_extension_migrates_without(server: DebianPostgres) -> None:
    statements = ("CREATE ROLE modest LOGIN", "CREATE DATABASE modest")
    await execute(server.url("postgres"), *statements)
    await execute(server.url("modest"), "GRANT CREATE ON SCHEMA public TO modest")
    url = server.url("modest", "modest")
    await Database(url).migrate()
    assert await trigrams(url) == set()
    await load_postgres(server.url("modest"), Estate(100), lambda _: None)
    await execute(server.url("modest"), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO modest")
    async with opened(url) as database:
        assert await rare(database.reading()) == 1


async def test_an_extension_that_is_out_of_sight_stops_nothing(server: DebianPostgres) -> None:
    await execute(server.url("postgres"), "CREATE DATABASE aside")
    url = server.url("aside")
    await execute(url, "CREATE SCHEMA aside", "CREATE EXTENSION pg_trgm SCHEMA aside")
    await Database(url).migrate()
    assert await trigrams(url) == set()


async def test_any_other_failure_to_add_the_extension_is_one_of_the_migration(
    server: DebianPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    await execute(server.url("postgres"), "CREATE DATABASE failing")
    monkeypatch.setattr(import_module(GROWTH), "EXTENSION", "CREATE EXTENSIONS")
    with pytest.raises(OperationalError, match="syntax error"):
        await Database(server.url("failing")).migrate()
    assert await Database(server.url("failing")).pending_migrations() == ALL


async def rare(session: Session, key: str = "name", text: str = RARE_WORD) -> int:
    auditor = Caller(new_id(), frozenset({READ_ALL}))
    listing = Listing("Instance", "created_at", True, {key: text})
    found = await page(session, listing, auditor, Cut(30), counted=True)
    return len(found.records) if found.total == len(found.records) else -1


@pytest.mark.parametrize("key", ["name", "handle"])
async def test_the_index_finds_what_is_rare_in_a_large_table(
    database_url: str, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    await load_postgres(database_url, Estate(20_000), lambda _: None)
    async with opened(database_url) as database:
        session = database.reading()
        [longest] = await session.rows("SELECT handle FROM instance ORDER BY length(handle) DESC LIMIT 1")
        with monkeypatch.context() as patch:
            asked = overhear(patch)
            assert await rare(session, key, {"name": RARE_WORD, "handle": longest["handle"]}[key]) == 1
        [(sql, values)] = asked
        steps = [row["QUERY PLAN"] for row in await session.rows(f"EXPLAIN {sql}", values)]
    # Once for the page and once for its count.
    assert len([step for step in steps if f"Bitmap Index Scan on instance_{key}_text_idx" in step]) == 2
    assert not any("Seq Scan on instance " in step for step in steps)
