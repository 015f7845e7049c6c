"""Section 24 of the conformance list: how the service begins, what it survives, and how it ends."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.resources import published
from app.storage.database import Database
from tests import commands
from tests.commands import environment, free_port, run, started
from tests.conformance.wire import Connection, head
from tests.load import Writer, open_files, stored, token, until
from tests.postgres_server import PostgresServer, quick_folder
from tests.service import Service, running
from tests.silence import way_to
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server that may be stopped without disturbing other tests."""
    folder = Path(tempfile.mkdtemp(prefix="registry-postgres-", dir=quick_folder()))
    server = PostgresServer(folder / "data")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@asynccontextmanager
async def on_own_postgres(server: PostgresServer, data_dir: Path) -> AsyncIterator[Service]:
    server.start()
    name = f"life_{time.monotonic_ns()}"
    await asyncio.to_thread(server.administer, f"CREATE DATABASE {name}")
    await Database(server.url(name)).migrate()
    async with running(server.url(name), data_dir) as service:
        yield service


async def names(client: httpx.AsyncClient) -> list[str]:
    found: list[str] = []
    path = "/api/organizations?after=&itemsPerPage=100"
    while path:
        page = (await client.get(path)).json()
        found += [member["name"] for member in page["member"]]
        path = page["view"].get("next", "")
    return found


async def test_lc_01_a_service_whose_database_is_away_lives_and_is_not_ready(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with on_own_postgres(own_postgres, tmp_path) as service:
        client = service.as_(None)
        assert (await client.get("/readyz")).status_code == 200
        await asyncio.to_thread(own_postgres.halt)
        started = time.monotonic()
        check_problem(await client.get("/readyz"), "unavailable")
        assert time.monotonic() - started < 2
        assert (await client.get("/livez")).status_code == 200
        await asyncio.to_thread(own_postgres.start)
        assert (await client.get("/readyz")).status_code == 200


async def test_lc_01_a_database_that_keeps_one_waiting_is_not_ready(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(f"{postgres_url}&maxsize=1", tmp_path) as service:
        pipeline = service.app.default.pipeline  # type: ignore[attr-defined]  # it is an Endpoint
        with monkeypatch.context() as hurried:
            hurried.setattr(published, "READY_SECONDS", 0.1)
            async with pipeline._database.transaction():
                check_problem(await service.as_(None).get("/readyz"), "unavailable")
        assert (await service.as_(None).get("/readyz")).status_code == 200


async def test_lc_01_a_database_that_falls_silent_is_not_ready_until_it_speaks(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks is told when the two seconds are over, here fewer, and not when those of a statement are."""
    async with way_to(postgres_url) as (way, url), running(url, tmp_path) as service:
        client = service.as_(None)
        assert (await client.get("/readyz")).status_code == 200
        way.fall_silent()
        with monkeypatch.context() as hurried:
            hurried.setattr(published, "READY_SECONDS", 0.1)
            for _ in range(3):
                async with asyncio.timeout(5):
                    check_problem(await client.get("/readyz"), "unavailable")
                assert (await client.get("/livez")).status_code == 200
        way.speak()
        assert (await client.get("/readyz")).status_code == 200


async def test_lc_01_a_file_that_is_not_there_any_more_is_not_ready_and_takes_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    """SQLite would go on with a file that nobody else can open."""
    path = Path(sqlite_url.removeprefix("sqlite://"))
    async with running(sqlite_url, tmp_path) as service:
        owner, ready = service.as_("owner"), service.as_(None)
        assert (await owner.post("/api/organizations", json={"name": "Kept"})).status_code == 201
        shutil.move(path, tmp_path / "elsewhere")
        check_problem(await ready.get("/readyz"), "unavailable")
        check_problem(await owner.post("/api/organizations", json={"name": "Lost"}), "unavailable")
        shutil.copy(tmp_path / "elsewhere", path)
        check_problem(await ready.get("/readyz"), "unavailable")
        shutil.move(tmp_path / "elsewhere", path)
        assert (await ready.get("/readyz")).status_code == 200
        assert (await owner.post("/api/organizations", json={"name": "Kept too"})).status_code == 201


@pytest.mark.parametrize("workers", [1, 2])
async def test_lc_02_a_stop_cuts_no_request_off(folder: Path, workers: int) -> None:
    """Under load, of clients that ask elsewhere as soon as `/readyz` says so."""
    with started(folder, "--workers", str(workers)) as (server, process):
        writers = [Writer(server.base, token(folder), f"Writer {number}") for number in range(4)]
        elsewhere = asyncio.Event()
        writing = asyncio.gather(*(writer.write(elsewhere) for writer in writers))
        await until(lambda: all(writer.made for writer in writers))
        process.send_signal(signal.SIGTERM)
        async with httpx.AsyncClient(base_url=server.base, trust_env=False) as client, asyncio.timeout(10):
            while not elsewhere.is_set():
                if (await client.get("/readyz")).status_code == 503:
                    elsewhere.set()
        await asyncio.wait_for(writing, 10)
        assert await asyncio.to_thread(process.wait, 10) == 0
        assert [writer.cut for writer in writers] == [[]] * len(writers)
        assert [writer.refused for writer in writers] == [[]] * len(writers)
        assert set(stored(folder)) == {name for writer in writers for name in writer.made}


def enough(writers: Sequence[Writer]) -> bool:
    return sum(len(writer.made) for writer in writers) >= 10


async def test_lc_03_what_was_acknowledged_outlives_a_kill(folder: Path) -> None:
    """Three times; `make soak` kills more often."""
    made, unheard = set[str](), set[str]()
    for cycle in range(3):
        with started(folder) as (server, process):
            stopped = asyncio.Event()
            writers = [Writer(server.base, token(folder), f"{cycle} {number}") for number in range(4)]
            writing = asyncio.gather(*(writer.write(stopped) for writer in writers))
            await until(partial(enough, writers))
            process.kill()
            await asyncio.wait_for(writing, 10)
            made |= {name for writer in writers for name in writer.made}
            unheard |= {name for writer in writers for name in writer.cut}
    found = stored(folder)
    assert len(found) == len(set(found))
    assert made <= set(found) <= made | unheard


async def test_lc_04_a_database_that_restarts_loses_nothing(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    async with on_own_postgres(own_postgres, tmp_path) as service:
        owner, made, refused = service.as_("owner"), set[str](), list[str]()
        stopped = asyncio.Event()

        async def write(number: int) -> None:
            for count in range(10_000):
                if stopped.is_set():
                    return
                name = f"{number} {count}"
                answer = await owner.post("/api/organizations", json={"name": name})
                if answer.status_code == 201:
                    made.add(name)
                else:
                    check_problem(answer, "unavailable")
                    assert answer.headers["Retry-After"]
                    refused.append(name)
                    await asyncio.sleep(0.02)

        writing = asyncio.gather(*(write(number) for number in range(4)))
        await asyncio.sleep(0.3)
        for step in (own_postgres.halt, own_postgres.start):
            await asyncio.to_thread(step)
        before = len(made)
        await until(lambda: len(made) >= before + 10)
        stopped.set()
        await asyncio.wait_for(writing, 10)
        assert refused
        found = await names(owner)
        # One whose answer got lost with the connection may be there or not; what is there is whole.
        assert made <= set(found) <= made | set(refused)
        assert len(found) == len(set(found))
        activities = (await owner.get("/api/activities?itemsPerPage=1&page=1")).json()["totalItems"]
        assert activities == len(found)


@pytest.mark.parametrize("trouble", ["max_page_count=60", "query_only=1"])
async def test_lc_05_a_database_without_room_is_read_on(
    sqlite_url: str, tmp_path: Path, trouble: str
) -> None:
    """A disk that is full, and one that only reads: as SQLite's own settings make it."""
    async with running(sqlite_url, tmp_path) as service:
        assert (await service.as_("owner").post("/api/organizations", json={"name": "Acme"})).is_success
    async with running(f"{sqlite_url}?{trouble}", tmp_path) as service:
        owner, made = service.as_("owner"), ["Acme"]
        for number in range(200):
            name = f"{number} ".ljust(255, "x")
            answer = await owner.post("/api/organizations", json={"name": name})
            if not answer.is_success:
                break
            made.append(name)
        check_problem(answer, "unavailable")
        assert answer.headers["Retry-After"]
        assert sorted(await names(owner)) == sorted(made)
        assert (await service.as_(None).get("/readyz")).status_code == 200
    with closing(sqlite3.connect(urlsplit(sqlite_url).path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_lc_06_clients_that_leave_take_nothing_along(folder: Path) -> None:
    """In the middle of the head, of the content, or with the answer on its way: each request is done wholly
    or not at all, and no connection stays behind."""
    with started(folder) as (server, process):
        port, authorization = (
            int(server.base.rpartition(":")[2]),
            f"Authorization: Bearer {token(folder)}\r\n",
        )
        async with httpx.AsyncClient(base_url=server.base, trust_env=False) as client:
            # What the first reads and changes open stays open.
            bearer = {"Authorization": f"Bearer {token(folder)}"}
            assert (await client.post("/api/organizations", json={}, headers=bearer)).status_code == 422
            assert (await client.get("/api/organizations", headers=bearer)).status_code == 200
        await asyncio.sleep(0.1)
        before = open_files(process.pid)
        for number in range(200):
            content = f'{{"name":"Left {number}"}}'.encode()
            fields = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n".encode()
            octets = head("POST /api/organizations", authorization.encode(), fields) + content
            connection = Connection(port).send(octets[: len(octets) - (0, 1, 8, 200)[number % 4]])
            await asyncio.sleep((0, 0.002)[number % 8 // 4])
            connection.reset()
        await until(lambda: open_files(process.pid) <= before)
        async with httpx.AsyncClient(base_url=server.base, trust_env=False) as client:
            assert (await client.get("/readyz")).status_code == 200
        assert '"level":"error"' not in server.said()
    found = stored(folder)
    assert len(found) == len(set(found))
    assert {int(name.removeprefix("Left ")) % 4 for name in found} <= {0}


def test_lc_07_a_database_that_cannot_be_used_stops_the_start_with_a_line_without_secrets(
    tmp_path: Path,
) -> None:
    for address in (
        f"postgres://me:secret@127.0.0.1:{free_port()}/x",
        "postgres://me:secret@127.0.0.1:port/x",
    ):
        begun = time.monotonic()
        done = run(tmp_path, "serve", "--port", str(free_port()), REGISTRY_DATABASE_URL=address)
        assert time.monotonic() - begun < 30  # it does not go on trying; `make soak` measures the start
        assert 1 <= done.returncode <= 125
        assert len(done.stderr.splitlines()) == 1
        assert "secret" not in done.stderr + done.stdout


def test_lc_07_the_service_is_ready_soon(folder: Path) -> None:
    """From the first look at the command line on; on a machine that has other things to do as well."""
    begun = time.monotonic()
    with started(folder):
        assert time.monotonic() - begun < commands.START_SECONDS / 3


@pytest.mark.parametrize(("workers", "sig"), [(1, signal.SIGINT), (2, signal.SIGTERM), (2, signal.SIGINT)])
def test_lc_09_a_stop_that_was_asked_for_is_exit_code_0(
    folder: Path, workers: int, sig: signal.Signals
) -> None:
    with started(folder, "--workers", str(workers)) as (server, process):
        process.send_signal(sig)
        assert process.wait(15) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.base}/livez", trust_env=False)


def test_lc_09_a_start_that_failed_is_another(tmp_path: Path) -> None:
    serve = ("serve", "--port", str(free_port()))
    assert run(tmp_path, *serve).returncode == 1
    assert run(tmp_path, *serve, REGISTRY_HEAD_SECONDS="soon").returncode == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_lc_09_processes_that_cannot_start_stop_the_one_that_started_them(
    tmp_path: Path, workers: int
) -> None:
    """Where the database was right at the first look, and is behind when they look."""
    script = (
        "from app.connection import Config; from app.server import run; from app.settings import Settings;"
        f"run(Config(Settings(), '127.0.0.1', {free_port()}, {workers}, None))"
    )
    database = f"sqlite://{tmp_path}/registry.sqlite3"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment({"REGISTRY_DATABASE_URL": database, "REGISTRY_DATA_DIR": str(tmp_path)}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
