"""A PostgreSQL that falls silent: who waits is answered when the time is over, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from app.storage import loans, postgres
from app.storage.database import Database
from tests.load import until
from tests.silence import Way, way_to
from tests.storage.opening import count, opened, unavailable
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio

Work = Callable[[Database], Coroutine[Any, Any, None]]
SIZE = 3
# Longer than any of these tests may take: what waited for it would be noticed.
NEVER = 600.0
PID = "SELECT pg_backend_pid() AS pid"
BY_ZERO = "SELECT 1 / 0 AS nothing"


@pytest.fixture
async def way(postgres_url: str) -> AsyncIterator[tuple[Way, str]]:
    async with way_to(postgres_url) as (way, url):
        yield way, f"{url}&minsize=0&maxsize={SIZE}"


async def read(database: Database) -> None:
    await count(database.reading())


async def begin(database: Database) -> None:
    async with database.transaction():
        pass


async def write(database: Database) -> None:
    async with database.transaction() as session:
        await add_organization(session)


async def all_work(database: Database) -> None:
    """As many transactions at once as there may be connections: nothing of the pool is lost."""
    all_there = asyncio.Barrier(SIZE)

    async def work() -> None:
        async with database.transaction() as session:
            await session.rows("SELECT 1")
            await all_there.wait()

    async with asyncio.timeout(20):
        await asyncio.gather(*(work() for _ in range(SIZE)))
    assert database.connections == (SIZE, 0)


async def sleep(database: Database) -> None:
    await database.reading().rows("SELECT 1 FROM pg_sleep(60)")


async def pid(database: Database) -> int:
    [row] = await database.reading().rows(PID)
    return int(row["pid"])


@pytest.mark.parametrize("work", [read, begin, write])
async def test_lc_04_who_waits_for_a_silent_server_is_answered_when_the_time_is_over(
    way: tuple[Way, str], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LC-04: not once more as long, while asyncpg waits for what it has cancelled."""
    silence, url = way
    monkeypatch.setattr(postgres, "WAIT_SECONDS", 1)
    async with opened(url) as database:
        await read(database)
        silence.fall_silent()
        monkeypatch.setattr(loans, "ENDING_SECONDS", NEVER)
        with unavailable():
            await work(database)
        # It is still being ended, and that is nothing to who asked.
        assert database.connections == (1, 1)
        monkeypatch.setattr(postgres, "WAIT_SECONDS", 20)
        silence.speak()
        await until(lambda: database.connections == (1, 0))
        await all_work(database)


@pytest.mark.parametrize("work", [read, begin, write])
async def test_lc_06_who_leaves_a_silent_server_has_left(
    way: tuple[Way, str], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LC-06: the connection is ended by itself, and where that is not possible, closed."""
    silence, url = way
    monkeypatch.setattr(loans, "ENDING_SECONDS", 0.2)
    async with opened(url) as database:
        await read(database)
        silence.fall_silent()
        leaving = [asyncio.create_task(work(database)) for _ in range(2 * SIZE)]
        await asyncio.sleep(0.05)
        for task in leaving:
            task.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait(leaving)
        assert all(task.cancelled() for task in leaving)
        await until(lambda: database.connections == (0, 0), 5)
        silence.speak()
        await all_work(database)


@pytest.mark.parametrize("asking", [True, False])
async def test_lc_06_who_leaves_in_the_midst_of_a_transaction_has_it_rolled_back(
    postgres_url: str, asking: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Also while the server is asked nothing. It answers, and so the connection is as good as before."""
    async with opened(f"{postgres_url}&maxsize=1") as database:
        before = await pid(database)
        written = asyncio.Event()

        async def write() -> None:
            async with database.transaction() as session:
                await add_organization(session)
                written.set()
                await (session.rows("SELECT 1 FROM pg_sleep(60)") if asking else asyncio.sleep(60))

        writing = asyncio.create_task(write())
        await written.wait()
        await asyncio.sleep(0.05)
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        await until(lambda: database.connections == (1, 0), 5)
        assert await pid(database) == before
        assert await count(database.reading()) == 0
    assert not [it for it in caplog.records if it.levelno >= logging.WARNING]


async def test_what_fails_on_a_sound_connection_is_rolled_back_at_once_and_the_connection_kept(
    postgres_url: str,
) -> None:
    async with opened(f"{postgres_url}&maxsize=1") as database:
        before = await pid(database)

        async def fail_here() -> None:
            async with database.transaction() as session:
                await add_organization(session)
                raise asyncpg.DivisionByZeroError

        async def fail_there() -> None:
            async with database.transaction() as session:
                await add_organization(session)
                await session.rows(BY_ZERO)

        for fail in (fail_here, fail_there, partial(database.reading().rows, BY_ZERO)):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await fail()
            assert database.connections == (1, 0)
        assert await count(database.reading()) == 0
        assert await pid(database) == before


async def test_nothing_is_being_ended_any_more_when_the_database_is_closed(
    way: tuple[Way, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    silence, url = way
    monkeypatch.setattr(loans, "ENDING_SECONDS", 0.3)
    others = asyncio.all_tasks()
    database = Database(url)
    await database.open()
    # On all connections that there may be: of one that is idle it would take its leave, and wait.
    leaving = [asyncio.create_task(sleep(database)) for _ in range(SIZE)]
    await until(lambda: database.connections == (SIZE, SIZE), 5)
    await asyncio.sleep(0.1)
    silence.fall_silent()
    for task in leaving:
        task.cancel()
    await asyncio.wait(leaving)
    assert database.connections == (SIZE, SIZE)
    async with asyncio.timeout(5):
        await database.close()
    assert not [task for task in asyncio.all_tasks() - others if "Loans" in repr(task)]
