"""Reads of a few rows by index: SQLite answers them where they are asked, and nobody waits for them long."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import sqlite3
import time
from contextlib import closing
from typing import Any

import aiosqlite
import pytest

from app.storage.acts import new_id
from app.storage.database import Database
from app.storage.kinds import KINDS
from app.storage.session import STEPS
from app.storage.sqlite import PointReader
from tests.service import CALLERS, Service, World
from tests.storage.opening import opened
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio

COUNTING = """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})
    SELECT count(*) AS n FROM numbers"""
BY_ID = "SELECT id, name, created_at, deleted_at FROM organization WHERE id = $1"


@pytest.fixture
def threaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that went to a thread."""
    statements: list[str] = []
    fetch = aiosqlite.Connection.execute_fetchall

    def noted(connection: aiosqlite.Connection, sql: str, values: Any = None) -> Any:
        statements.append(sql)
        return fetch(connection, sql, values)

    monkeypatch.setattr(aiosqlite.Connection, "execute_fetchall", noted)
    return statements


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were run as points."""
    statements: list[str] = []
    rows = PointReader.rows

    def noted(reader: PointReader, sql: str, values: Any, steps: int) -> Any:
        statements.append(sql)
        return rows(reader, sql, values, steps)

    monkeypatch.setattr(PointReader, "rows", noted)
    return statements


async def test_a_point_answers_as_rows_do(database: Database) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)
        assert await session.point(BY_ID, [organization_id]) == await session.rows(BY_ID, [organization_id])
    found = await database.reading().rows(BY_ID, [organization_id])
    assert found[0]["id"] == organization_id
    assert found[0]["created_at"].endswith("Z")
    for _ in range(2):
        assert await database.reading().point(BY_ID, [organization_id]) == found
    assert await database.reading().point(BY_ID, [new_id()]) == []


async def test_a_point_of_sqlite_asks_no_thread(sqlite_url: str, threaded: list[str]) -> None:
    async with opened(sqlite_url) as database:
        threaded.clear()
        await database.reading().point(BY_ID, [new_id()])
        assert threaded == []
        await database.reading().rows(BY_ID, [new_id()])
        assert len(threaded) == 1


async def test_a_point_that_takes_long_is_given_to_the_thread_before_it_does(
    sqlite_url: str, threaded: list[str]
) -> None:
    async with opened(sqlite_url) as database:
        threaded.clear()
        waits = await _longest_wait(database, COUNTING.format(1_000_000))
        assert len(threaded) == 1
        # Far below the time of the statement, which a thread spends: the loop went on meanwhile.
        assert waits["loop"] < waits["statement"] / 4


async def _longest_wait(database: Database, sql: str) -> dict[str, float]:
    """How long the statement took, and how long the loop did nothing else meanwhile."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    started = time.perf_counter()
    [row] = await database.reading().point(sql)
    took = time.perf_counter() - started
    ticking.cancel()
    assert row == {"n": 1_000_000}
    return {"loop": longest, "statement": took}


async def test_what_is_short_is_never_taken_for_long_however_often_it_runs(
    sqlite_url: str, threaded: list[str]
) -> None:
    async with opened(sqlite_url) as database:
        threaded.clear()
        for _ in range(1_000):
            await database.reading().point(COUNTING.format(100))
        assert threaded == []


async def test_what_is_not_soon_done_is_left_at_that(sqlite_url: str, threaded: list[str]) -> None:
    async with opened(sqlite_url) as database:
        threaded.clear()
        assert await database.reading().soon(COUNTING.format(100_000), []) is None
        assert await database.reading().soon(COUNTING.format(100), []) == [{"n": 100}]
        assert await database.reading().soon(COUNTING.format(5_000), [], 20 * STEPS) == [{"n": 5_000}]
        assert threaded == []
        async with database.transaction() as session:
            assert await session.soon("SELECT 1 AS n", []) is None


async def test_postgres_tells_of_nothing_that_it_would_soon_be_done(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        assert await database.reading().soon("SELECT 1 AS n", []) is None


async def test_a_point_that_finds_the_file_locked_waits_in_the_thread(
    sqlite_url: str, threaded: list[str]
) -> None:
    """As it is, for a moment, while another process recovers the log."""
    async with opened(f"{sqlite_url}?journal_mode=DELETE") as database:
        async with database.transaction() as session:
            organization_id = await add_organization(session)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            threaded.clear()
            reading = asyncio.ensure_future(database.reading().point(BY_ID, [organization_id]))
            await asyncio.sleep(0.1)
            assert len(threaded) == 1
            assert not reading.done()
            other.execute("COMMIT")
            assert len(await reading) == 1


async def test_a_point_writes_nothing(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database:
        async with database.transaction() as session:
            await add_organization(session)
        with closing(PointReader(sqlite_url.removeprefix("sqlite://"))) as reader:
            assert reader.rows("UPDATE organization SET version = 2 RETURNING id", [], STEPS) is None
            found = reader.rows("SELECT version FROM organization", [], STEPS)
        assert found is not None
        assert found[0] == [(1,)]


async def test_every_point_that_requests_come_to_is_found_by_an_index(
    on_sqlite: tuple[Service, World], points: list[str]
) -> None:
    service, world = on_sqlite
    for subject, scopes in CALLERS.values():
        for path in dataclasses.asdict(world).values():
            await service.as_(subject, *scopes).get(path)
    assert len(set(points)) >= 2 * len(KINDS)
    file = service.settings.database_url.removeprefix("sqlite://")
    with closing(sqlite3.connect(file)) as connection:
        for sql in set(points):
            steps = [
                step
                for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {sql}", _nothing(sql))
                # The row of a SELECT without a table is no table either.
                if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"
            ]
            assert not steps, sql


def _nothing(sql: str) -> list[None]:
    return [None] * max(int(number) for number in re.findall(r"[?](\d+)", sql))
