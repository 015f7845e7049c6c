"""A replica is read, and nobody can tell: what was committed before a read came is seen, whoever wrote it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.checks import beside
from app.settings import Settings, WrongSetting
from app.storage import replica as replicas
from app.storage.database import Database
from app.storage.postgres import Client
from app.storage.statements import Rows
from tests.commands import free_port
from tests.pgbouncer import pgbouncer
from tests.postgres_replica import PostgresReplica, postgres_replica
from tests.postgres_server import PostgresServer
from tests.service import populate, running
from tests.silence import way_to
from tests.storage.opening import opened, unavailable
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio

WHERE = "SELECT pg_is_in_recovery() AS replica"
VERSION = "SELECT version, pg_is_in_recovery() AS replica FROM organization"
SECONDS = 30
BEHIND = 20


@pytest.fixture(scope="module")
def replica(postgres_server: PostgresServer) -> Iterator[PostgresReplica]:
    with postgres_replica(postgres_server, BEHIND) as replica:
        yield replica


@pytest.fixture
def replica_url(replica: PostgresReplica, postgres_url: str) -> str:
    return replica.url(name_in(postgres_url))


@pytest.fixture
async def replicated(postgres_url: str, replica_url: str) -> AsyncIterator[Database]:
    """A database with a replica, which is read by now."""
    database = Database(postgres_url, replica_url)
    await database.open()
    try:
        await until_read(database, replica=True)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def behind(replica: PostgresReplica) -> AsyncIterator[None]:
    await asyncio.to_thread(replica.pause)
    try:
        yield
    finally:
        await asyncio.to_thread(replica.resume)


def name_in(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


async def until_read(database: Database, *, replica: bool) -> None:
    """Until the replica is read, or is not."""
    async with asyncio.timeout(SECONDS):
        while await database.reading().rows(WHERE) != [{"replica": replica}]:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.02)


async def test_transactions_are_the_primarys_and_other_reads_the_replicas(replicated: Database) -> None:
    async with replicated.transaction() as session:
        assert await session.rows(WHERE) == [{"replica": False}]
        assert await session.point(WHERE) == [{"replica": False}]
    await until_read(replicated, replica=True)
    assert await replicated.reading().point(WHERE) == [{"replica": True}]


async def test_a_read_sees_all_that_was_told_to_be_done_before_it_came(
    replicated: Database, postgres_url: str
) -> None:
    """Written by another process, as far as the reading one knows: through a database of its own."""
    acknowledged, sources = 1, set()

    async def read() -> None:
        while acknowledged < 60:
            expected = acknowledged
            [row] = await replicated.reading().rows(VERSION)
            assert row["version"] >= expected
            sources.add(row["replica"])

    async with opened(postgres_url) as writing:
        async with writing.transaction() as session:
            await add_organization(session)
        readers = [asyncio.create_task(read()) for _ in range(4)]
        while acknowledged < 60:
            async with writing.transaction() as session:
                await session.rows("UPDATE organization SET version = $1", [acknowledged + 1])
            acknowledged += 1
            # Sometimes the replica has time to come up, and sometimes it has not.
            await asyncio.sleep(0.1 if acknowledged % 3 == 0 else 0)
        await asyncio.gather(*readers)
    assert sources == {True, False}


async def test_while_the_replica_is_behind_the_primary_is_read(
    replicated: Database, replica: PostgresReplica
) -> None:
    async with behind(replica):
        async with replicated.transaction() as session:
            await add_organization(session)
        for _ in range(3):
            assert await replicated.reading().rows(VERSION) == [{"version": 1, "replica": False}]
    await until_read(replicated, replica=True)
    assert await replicated.reading().rows(VERSION) == [{"version": 1, "replica": True}]


async def test_a_member_who_is_removed_sees_nothing_from_then_on_however_far_the_replica_is_behind(
    postgres_url: str, replica_url: str, replica: PostgresReplica, tmp_path: Path
) -> None:
    async with running(postgres_url, tmp_path, replica_url=replica_url) as service:
        world = await populate(service)
        assert (await service.as_("member").get(world.acme)).status_code == 200
        async with behind(replica):
            assert (await service.as_("owner").delete(world.member)).status_code == 204
            assert (await service.as_("member").get(world.acme)).status_code == 404


async def test_while_the_replica_is_away_the_primary_is_read(
    postgres_url: str, replica: PostgresReplica, replica_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "AWAY_SECONDS", 0.05)
    database = Database(postgres_url, replica_url)
    await database.open()
    try:
        await until_read(database, replica=True)
        await asyncio.to_thread(replica.halt)
        try:
            for _ in range(20):
                assert await database.reading().rows(WHERE) == [{"replica": False}]
                await asyncio.sleep(0.01)
            async with opened(postgres_url, replica_url) as late:
                assert await late.reading().rows(WHERE) == [{"replica": False}]
        finally:
            await asyncio.to_thread(replica.start)
        await until_read(database, replica=True)
    finally:
        await database.close()


@pytest.fixture
async def silent_url() -> AsyncIterator[str]:
    """The address of what takes connections and says nothing."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    port = free_port()
    async with await asyncio.start_server(listen, "127.0.0.1", port):
        yield f"postgres://postgres@127.0.0.1:{port}/registry"


async def test_a_replica_that_says_nothing_is_waited_for_once_and_not_for_long(
    postgres_url: str, silent_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replicas, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(replicas, "AWAY_SECONDS", 60)
    started = time.monotonic()
    async with opened(postgres_url, f"{silent_url}?sslmode=disable") as database:
        for _ in range(50):
            assert await database.reading().rows(WHERE) == [{"replica": False}]
    assert 0.3 < time.monotonic() - started < 5
    assert len([line for line in caplog.messages if "replica" in line]) == 1


async def test_a_replica_that_falls_silent_is_tried_by_nobody_who_reads_until_it_speaks(
    postgres_url: str, replica_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who were under way lose a time once; how long it is silent does not matter to all others."""
    monkeypatch.setattr(replicas, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(replicas, "AWAY_SECONDS", 0.05)
    asked, tried, trying, at_once = 0, 0, 0, 0
    read_at, read = Client.read_at, Client.read

    async def counted(client: Client, position: int, sql: str, values: Sequence[Any]) -> Rows | None:
        nonlocal asked
        asked += 1
        return await read_at(client, position, sql, values)

    async def looked_at(client: Client, sql: str, values: Sequence[Any]) -> Rows:
        nonlocal tried, trying, at_once
        if sql != replicas.TRIAL:
            return await read(client, sql, values)
        tried, trying = tried + 1, trying + 1
        at_once = max(at_once, trying)
        try:
            return await read(client, sql, values)
        finally:
            trying -= 1

    async with way_to(replica_url) as (way, url), opened(postgres_url, url) as database:
        await until_read(database, replica=True)
        monkeypatch.setattr(Client, "read_at", counted)
        monkeypatch.setattr(Client, "read", looked_at)
        way.fall_silent()
        under_way = [database.reading().rows(WHERE) for _ in range(5)]
        assert await asyncio.gather(*under_way) == [[{"replica": False}]] * 5
        async with asyncio.timeout(SECONDS):
            while tried < 4:
                reads = [database.reading().rows(WHERE) for _ in range(5)]
                assert await asyncio.gather(*reads) == [[{"replica": False}]] * 5
                await asyncio.sleep(0.01)
        assert (asked, at_once) == (5, 1)
        way.speak()
        await until_read(database, replica=True)
        assert trying == 0


async def test_a_replica_that_is_away_is_tried_no_more_when_the_database_is_closed(
    postgres_url: str, silent_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(replicas, "AWAY_SECONDS", 0.01)
    for seconds in (0.0, 0.1):
        async with opened(postgres_url, f"{silent_url}?sslmode=disable") as database:
            assert [task for task in asyncio.all_tasks() if "Replica" in repr(task)]
            await asyncio.sleep(seconds)
            assert await database.reading().rows(WHERE) == [{"replica": False}]
        assert not [task for task in asyncio.all_tasks() if "Replica" in repr(task)]


async def test_the_primary_is_asked_once_for_many_reads_that_come_together(
    replicated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = Client.read

    async def counted(client: Client, sql: str, values: object) -> object:
        nonlocal asked
        asked += sql == replicas.POSITION
        return await read(client, sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "read", counted)
    rows = await asyncio.gather(*(replicated.reading().rows(WHERE) for _ in range(50)))
    assert len(rows) == 50
    assert 1 <= asked <= 3


async def test_a_replica_behind_a_pooler_is_asked_by_the_connection_that_it_answers_on(
    postgres_server: PostgresServer, postgres_url: str, replica_url: str
) -> None:
    with pgbouncer(postgres_server, replica_url, connections=2) as pooled:
        async with opened(postgres_url, pooled) as database:
            await until_read(database, replica=True)
            for version in range(1, 6):
                async with database.transaction() as session:
                    await session.rows("DELETE FROM organization")
                    await add_organization(session, version=version)
                rows = await asyncio.gather(*(database.reading().rows(VERSION) for _ in range(8)))
                assert {row["version"] for [row] in rows} == {version}
            await until_read(database, replica=True)


async def test_without_its_primary_a_replica_answers_nobody(postgres_url: str, replica_url: str) -> None:
    """It could not be known to have everything."""
    database = Database(postgres_url, replica_url)
    await database.open()
    try:
        await until_read(database, replica=True)
        assert database._client is not None
        await database._client.close()
        with unavailable():
            await database.reading().rows(WHERE)
    finally:
        await database.close()


async def test_a_server_that_is_nobodys_replica_is_not_read(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It would have other data. Here it is the primary itself, which replays nothing."""
    async with opened(postgres_url, f"{postgres_url}&application_name=replica") as database:
        await database.reading().rows(WHERE)
        sql = "SELECT current_setting('application_name') AS name"
        assert await database.reading().rows(sql) != [{"name": "replica"}]


async def test_an_address_of_a_replica_that_cannot_be_is_a_wrong_setting(postgres_url: str) -> None:
    with pytest.raises(WrongSetting, match=r"REGISTRY_REPLICA_URL: .*sslmode"):
        await Database(postgres_url, "postgres://127.0.0.1/x?sslmode=zz").open()


async def test_doctor_asks_a_replica_whether_it_is_one(
    postgres_server: PostgresServer, postgres_url: str, replica_url: str
) -> None:
    empty = f"empty_{uuid4().hex}"
    await asyncio.to_thread(postgres_server.administer, f"CREATE DATABASE {empty}")
    away = "postgres://127.0.0.1:1/away"
    urls = {
        replica_url: ("ok", "follows a primary"),
        replica_url.replace(name_in(postgres_url), empty): ("warning", "0001_tables"),
        postgres_url: ("warning", "follows no primary"),
        away: ("warning", "cannot be reached"),
        f"{away}?sslmode=zz": ("warning", "REGISTRY_REPLICA_URL"),
    }
    for url, (state, found) in urls.items():
        deadline = time.monotonic() + SECONDS
        while True:
            [check] = [
                it async for it in beside.replica(Settings(database_url=postgres_url, replica_url=url))
            ]
            if (check.state.value == state and found in check.found) or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        assert (check.state.value, found in check.found, bool(check.mend)) == (state, True, state != "ok"), (
            url
        )
