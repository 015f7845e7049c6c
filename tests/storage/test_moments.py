"""A database's moment is another one as soon as anything was committed, and on SQLite none sooner."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.storage.database import Database
from app.storage.session import STEPS
from app.storage.sqlite import PointReader
from tests.storage.opening import opened
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio
TABLES = ("organization", "secret")
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def path_of(url: str) -> str:
    return url.removeprefix("sqlite://")


async def given_up(database: Database) -> None:
    async with database.transaction() as session:
        await add_organization(session)
        raise LookupError


async def test_only_sqlite_tells_moments_and_none_once_it_is_closed(database_url: str) -> None:
    database = Database(database_url)
    assert database.moment() is None
    await database.open()
    on_sqlite = database_url.startswith("sqlite")
    assert (database.moment() is not None) == database.tells_moments == on_sqlite
    await database.close()
    assert database.moment() is None


@ON_SQLITE
async def test_a_moment_lasts_until_something_is_committed_by_whomever(
    database: Database, database_url: str
) -> None:
    """Not while it is being written, nor where it is given up; and neither by readers."""
    moments = [database.moment()]

    def changed() -> bool:
        moments.append(database.moment())
        assert moments[-1] is not None
        assert moments[-1] == database.moment()
        return moments[-1] not in moments[:-1]

    assert not changed()
    async with database.transaction() as session:
        await add_organization(session)
        assert not changed()
    assert changed()
    await database.reading().rows("SELECT count(*) AS n FROM organization")
    await database.reading().point("SELECT count(*) AS n FROM organization")
    assert not changed()
    with pytest.raises(LookupError):
        await given_up(database)
    assert not changed()
    async with opened(database_url) as other, other.transaction() as session:
        await add_organization(session)
    assert changed()
    with closing(sqlite3.connect(path_of(database_url))) as connection:
        connection.execute("UPDATE organization SET name = 'Other'")
        assert not changed()
        connection.commit()
        assert changed()
        connection.execute("DELETE FROM organization WHERE id = 'nobody'")
        connection.commit()
        connection.execute("CREATE TABLE more (id)")
        assert changed()


@ON_SQLITE
async def test_a_moment_is_told_while_others_write_and_of_each_opening_it_is_another_one(
    database_url: str,
) -> None:
    """Also by a connection whose last statement was ended because it took long."""
    async with opened(database_url) as database:
        first = database.moment()
        async with database.transaction() as session:
            await add_organization(session)
            assert database.moment() == first
        long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n"
        assert await database.reading().soon(long, [], STEPS) is None
        second = database.moment()
        assert second is not None
        assert second != first
        # However often: SQLite counts the steps of all those together.
        assert {database.moment() for _ in range(STEPS)} == {second}
    async with opened(database_url) as database:
        assert database.moment() not in (None, first, second)


@ON_SQLITE
async def test_where_the_file_is_kept_from_being_read_no_moment_is_told(database_url: str) -> None:
    """Nor waited for; as soon as it can be read, it is told again."""
    file = path_of(database_url)
    with closing(PointReader(file)) as points, closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        assert points.moment() is None
        other.execute("ROLLBACK")
        assert points.moment() is not None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=st.lists(st.sampled_from(["here", "elsewhere", "checkpoint", "vacuum", "nothing"]), max_size=12))
def test_rows_are_the_same_as_long_as_the_moment_is(
    sqlite_template: Path, tmp_path: Path, done: list[str]
) -> None:
    """Whatever connections do in between, also to the log in which their changes stand."""
    file = shutil.copy(sqlite_template, tmp_path)
    elsewhere = {
        "elsewhere": "INSERT INTO secret (name, value) VALUES (hex(randomblob(8)), 'x')",
        "checkpoint": "PRAGMA wal_checkpoint(TRUNCATE)",
        "vacuum": "VACUUM",
        "nothing": "SELECT 1",
    }

    async def tried() -> None:
        seen: dict[object, object] = {}
        async with opened(f"sqlite://{file}") as database:
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                for act in done:
                    before = database.moment()
                    if act == "here":
                        async with database.transaction() as session:
                            await add_organization(session)
                    else:
                        other.execute(elsewhere[act]).fetchall()
                    moment = database.moment()
                    assert moment is not None
                    assert (moment != before) or act not in ("here", "elsewhere")
                    rows = [other.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]
                    assert seen.setdefault(moment, rows) == rows

    asyncio.run(tried())
