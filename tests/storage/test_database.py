"""How the database is addressed, read and written."""

from __future__ import annotations

import asyncio

import pytest

from app.problems import Problem
from app.storage.database import Database
from tests.storage.opening import count, opened
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "url",
    ["", "mysql://host/name", "postgresql+asyncpg://host/name", "sqlite://", "sqlite://:memory:", "/a/file"],
)
def test_an_address_of_another_kind_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The database must be .*\.$"):
        Database(url)


def test_a_password_does_not_stand_in_the_refusal_of_an_address() -> None:
    with pytest.raises(ValueError, match="mysql") as caught:
        Database("mysql://user:secret@host/name")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_schemes_of_postgresql_are_known(scheme: str) -> None:
    assert Database(f"{scheme}://user@host/name").dialect == "postgres"


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await add_organization(session)
            raise Problem("conflict", "no")

    with pytest.raises(Problem, match="conflict"):
        await fail()
    assert await count(database.reading()) == 0


async def test_a_transaction_that_is_cancelled_leaves_nothing_and_blocks_nobody(database: Database) -> None:
    begun = asyncio.Event()

    async def begin() -> None:
        async with database.transaction() as session:
            await add_organization(session)
            begun.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(begin())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.transaction() as session:
        assert await count(session) == 0


async def test_cancelled_statements_leave_the_next_transaction_alone(database: Database) -> None:
    """Cancelled at every stage: while it waits its turn, begins, writes or commits."""

    async def write() -> None:
        async with database.transaction() as session:
            await add_organization(session)

    for delay in range(40):
        tasks = [asyncio.create_task(write()) for _ in range(2)]
        await asyncio.sleep(delay / 10000)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    before = await count(database.reading())
    await write()
    assert await count(database.reading()) == before + 1


async def test_a_reader_neither_waits_for_a_writer_nor_sees_what_is_not_done(database: Database) -> None:
    async with asyncio.timeout(5), database.transaction() as session:
        organization_id = await add_organization(session)
        assert await count(database.reading()) == 0
        by_id = "SELECT version FROM organization WHERE id = $1"
        assert await database.reading().point(by_id, [organization_id]) == []
    assert await count(database.reading()) == 1
    assert await database.reading().point(by_id, [organization_id]) == [{"version": 1}]


async def test_many_tasks_write_one_after_another(database: Database) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)

    async def increment() -> None:
        async with database.transaction() as session:
            assert await session.lock_organizations("id = $1", [organization_id])
            [row] = await session.rows("SELECT version FROM organization")
            await session.rows("UPDATE organization SET version = $1", [row["version"] + 1])

    await asyncio.gather(*(increment() for _ in range(20)))
    assert await database.reading().rows("SELECT version FROM organization") == [{"version": 21}]


async def test_an_organization_that_there_is_not_cannot_be_locked(database: Database) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)
        assert await session.lock_organizations("id = $1", [organization_id])
        assert not await session.lock_organizations("id = $1", ["0190b6a4-0000-7000-8000-000000000000"])


async def test_two_databases_are_open_at_once(sqlite_url: str, postgres_url: str) -> None:
    databases = [Database(sqlite_url), Database(postgres_url)]
    await asyncio.gather(*(database.open() for database in databases))
    try:
        async with databases[0].transaction() as one, databases[1].transaction() as other:
            await add_organization(one)
            await add_organization(other)
            await add_organization(other)
        assert [await count(database.reading()) for database in databases] == [1, 2]
    finally:
        await asyncio.gather(*(database.close() for database in databases))


async def test_the_pragmas_that_keep_what_was_written_are_set(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database, database.transaction() as writing:
        for session in (writing, database.reading()):
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            found = [(await session.rows(f"PRAGMA {name}"))[0] for name in pragmas]
            assert [next(iter(row.values())) for row in found] == ["wal", 2, 1, 10000]
