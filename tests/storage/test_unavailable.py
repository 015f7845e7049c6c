"""A database that cannot be reached, or not now, is a problem that passes; nothing stays locked or open."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from app.problems import Problem
from app.settings import WrongSetting
from app.storage import postgres, postgres_failures, sqlite
from app.storage.database import Database
from tests.postgres_server import PostgresServer
from tests.storage.opening import count, opened, unavailable
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio


async def test_a_closed_database_is_unavailable_and_closes_twice(database: Database) -> None:
    session = database.reading()
    await database.close()
    await database.close()
    with unavailable():
        database.reading()
    with unavailable():
        await count(session)
    with unavailable():
        async with database.transaction():
            pass
    await database.open()
    assert await count(database.reading()) == 0


async def test_a_database_that_closes_under_a_transaction_is_unavailable(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()
    with unavailable():
        async with database.transaction() as session:
            await database.close()
            await add_organization(session)


async def test_who_waits_for_a_transaction_when_the_database_closes_is_told(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.open()

    async def write() -> None:
        async with database.transaction() as session:
            await add_organization(session)

    with unavailable():
        async with database.transaction():
            waiting = asyncio.create_task(write())
            await asyncio.sleep(0)
            await database.close()
    with unavailable():
        await waiting


async def test_neither_a_closed_database_nor_one_that_did_not_open_leaves_a_thread(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with opened(sqlite_url) as database:
        assert await count(database.reading()) == 0
        assert len(worker_threads()) == 2
    await no_worker_threads()
    with unavailable():
        await Database(f"sqlite://{tmp_path}").open()
    (tmp_path / "text").write_text("This is no database. " * 100)
    with pytest.raises(WrongSetting, match="no SQLite database"):
        await Database(f"sqlite://{tmp_path}/text").open()
    await no_worker_threads()


async def no_worker_threads() -> None:
    """A thread that has said its last word to the loop needs a moment to end."""
    async with asyncio.timeout(5):
        while worker_threads():  # noqa: ASYNC110 - a thread sets no event when it has ended
            await asyncio.sleep(0.001)


def worker_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "_connection_worker_thread" in thread.name]


async def test_a_lock_that_another_process_holds_too_long_is_unavailable_and_passes(sqlite_url: str) -> None:
    async with opened(f"{sqlite_url}?busy_timeout=50") as database:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                with unavailable():
                    async with database.transaction():
                        pass
            assert await count(database.reading()) == 0
            other.execute("ROLLBACK")
        async with database.transaction() as session:
            await add_organization(session)
        assert await count(database.reading()) == 1


async def test_who_has_waited_for_others_waits_for_another_process_no_longer_than_is_left(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as long once more: the second one's turn comes when most of its time is over."""
    async with opened(f"{sqlite_url}?busy_timeout=60000") as database:
        monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.5)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = asyncio.create_task(write(database))
            await asyncio.sleep(0.2)
            second = asyncio.create_task(write(database))
            async with asyncio.timeout(30):
                for writing in (first, second):
                    with unavailable():
                        await writing
            other.execute("ROLLBACK")
        await write(database)
        assert await count(database.reading()) == 1


async def test_who_waits_too_long_for_others_of_the_same_process_is_not_told_that_the_database_is_away(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.05)
    async with opened(sqlite_url) as database:
        async with database.transaction():
            with pytest.raises(Problem, match="cannot do this at the moment"):
                async with database.transaction():
                    pass
        await write(database)
        assert await count(database.reading()) == 1


async def test_a_task_cancelled_while_it_waits_for_another_process_leaves_no_lock(sqlite_url: str) -> None:
    async with opened(f"{sqlite_url}?busy_timeout=300") as database:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), database.transaction():
                    pass
            other.execute("ROLLBACK")
        async with database.transaction() as session:
            await add_organization(session)


async def test_a_full_disk_is_unavailable_and_leaves_nothing(sqlite_url: str) -> None:
    async with opened(f"{sqlite_url}?max_page_count=40") as database:
        with unavailable():
            async with database.transaction() as session:
                for _ in range(100):
                    await add_organization(session, name_key="x" * 4000)
        assert await count(database.reading()) == 0
        async with database.transaction() as session:
            await add_organization(session)


async def test_a_file_that_cannot_be_written_is_unavailable(sqlite_url: str) -> None:
    async with opened(f"{sqlite_url}?query_only=1") as database:
        with unavailable():
            async with database.transaction() as session:
                await add_organization(session)
        assert await count(database.reading()) == 0


async def test_a_folder_that_there_is_not_is_unavailable_and_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    database = Database(f"sqlite://{folder}/registry.sqlite3")
    async with asyncio.timeout(5):
        with unavailable():
            await database.open()
        assert await database.pending_migrations()
    assert not folder.exists()
    await database.close()


@pytest.mark.parametrize(
    "url", ["postgres://postgres@127.0.0.1:1/registry", "postgres://postgres@/registry?host=/nowhere"]
)
async def test_a_server_that_refuses_is_unavailable(url: str) -> None:
    database = Database(url)
    for attempt in (database.open, database.pending_migrations, database.migrate):
        with unavailable():
            await attempt()
    await database.close()


async def test_a_database_that_the_server_does_not_have_is_unavailable(
    postgres_server: PostgresServer,
) -> None:
    with unavailable():
        await Database(postgres_server.url("nowhere")).open()


async def test_a_connection_that_the_server_ends_is_unavailable_and_is_made_anew(postgres_url: str) -> None:
    async with opened(f"{postgres_url}&maxsize=1") as database:
        with unavailable():
            async with database.transaction() as session:
                await session.rows("SELECT pg_terminate_backend(pg_backend_pid())")
        async with database.transaction() as session:
            await add_organization(session)
        assert await count(database.reading()) == 1


async def test_a_pool_without_a_free_connection_is_unavailable_and_passes(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(f"{postgres_url}&maxsize=1") as database:
        monkeypatch.setattr(postgres, "WAIT_SECONDS", 0.05)
        async with database.transaction():
            with unavailable():
                await count(database.reading())
            with unavailable():
                async with database.transaction():
                    pass
        assert await count(database.reading()) == 0


async def test_a_row_that_is_locked_too_long_is_unavailable_and_passes(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "WAIT_SECONDS", 0.2)
    async with opened(postgres_url) as database:
        async with database.transaction() as session:
            organization_id = await add_organization(session)
        async with database.transaction() as holder:
            await holder.lock_organizations("id = $1", [organization_id])
            with unavailable():
                async with database.transaction() as waiting:
                    await waiting.lock_organizations("id = $1", [organization_id])
        async with database.transaction() as session:
            assert await session.lock_organizations("id = $1", [organization_id])


async def test_a_deadlock_is_unavailable_for_one_of_the_two(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        async with database.transaction() as session:
            ids = [await add_organization(session), await add_organization(session)]
        both = asyncio.Barrier(2)

        async def lock(first: str, second: str) -> None:
            async with database.transaction() as session:
                await session.lock_organizations("id = $1", [first])
                await both.wait()
                await session.lock_organizations("id = $1", [second])

        outcomes = await asyncio.gather(lock(*ids), lock(*reversed(ids)), return_exceptions=True)
        problems = [outcome for outcome in outcomes if outcome is not None]
        assert [problem.type for problem in problems if isinstance(problem, Problem)] == ["unavailable"]
        assert len(problems) == 1


async def test_who_waits_for_another_process_keeps_nobody_else_waiting(sqlite_url: str) -> None:
    """The event loop goes on; where nobody is waited for, a transaction begins on it."""
    async with opened(sqlite_url) as database:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(write(database))
            for _ in range(20):
                begun = time.monotonic()
                await asyncio.sleep(0.005)
                assert await count(database.reading()) == 0
                assert time.monotonic() - begun < 2
            assert not writing.done()
            other.execute("ROLLBACK")
        await writing
        assert await count(database.reading()) == 1


async def test_what_a_cancelled_task_left_to_the_thread_is_done_before_anybody_begins(
    sqlite_url: str,
) -> None:
    """Its ROLLBACK, which nobody waits for any more, undoes nothing of the next transaction."""
    async with opened(sqlite_url) as database:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            left = asyncio.create_task(write(database))
            await asyncio.sleep(0.05)
            # While it begins, and again while it waits for that to be undone.
            for _ in range(2):
                left.cancel()
                await asyncio.sleep(0.01)
            assert left.cancelled()
            begun = time.monotonic()
            writing = asyncio.create_task(write(database))
            await asyncio.sleep(0.05)
            assert not writing.done()
            # On the event loop it would wait for the thread to be done with the connection.
            assert time.monotonic() - begun < 2
            other.execute("ROLLBACK")
        await writing
        await write(database)
        assert await count(database.reading()) == 2


async def write(database: Database) -> None:
    async with database.transaction() as session:
        await add_organization(session)


@pytest.mark.parametrize(
    ("failure", "away"),
    [
        (asyncpg.ConnectionDoesNotExistError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.TooManyConnectionsError(), True),
        (ConnectionRefusedError(), True),
        (asyncpg.QueryCanceledError(), False),
        (asyncpg.SerializationError(), False),
        (asyncpg.LockNotAvailableError(), False),
        (asyncpg.DiskFullError(), False),
        (asyncpg.ReadOnlySQLTransactionError(), False),
        (asyncpg.InvalidCachedStatementError(), False),
    ],
    ids=lambda it: type(it).__name__,
)
def test_a_database_that_answers_is_not_said_to_be_away(failure: Exception, away: bool) -> None:
    problem = postgres_failures.translation(failure)
    assert isinstance(problem, Problem)
    assert ("cannot be reached" in problem.detail) is away


def test_neither_is_one_without_room() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("CREATE TABLE too_much (value)")
    problem = sqlite.translation(raised.value)
    assert isinstance(problem, Problem)
    assert "cannot do this" in problem.detail
