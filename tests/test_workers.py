"""Several processes on one database, as `serve --workers` makes them: nothing is lost or taken twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.commands import Server, free_port, run, served, started
from tests.load import token, until
from tests.postgres_server import PostgresServer, postgres_server
from tests.service import JSON, PATCH

pytestmark = pytest.mark.anyio
LONG = True

CLIENTS = 8
# A handle has no digits.
LETTERS = str.maketrans("0123456789", "ghijklmnop")
NEW = {"Content-Type": JSON, "Accept": JSON}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def serving(standing_url: str, folder: Path) -> Iterator[Server]:
    """The service in two processes, on either database in turn."""
    with served(folder, "--workers", "2", **settings(standing_url)) as server:
        yield server


def settings(url: str) -> dict[str, str]:
    return {"REGISTRY_DATABASE_URL": url}


@asynccontextmanager
async def client(server: Server, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Each request on a connection of its own, so that any of the processes may answer it."""
    headers = {"Authorization": f"Bearer {token(folder)}", "Accept": JSON}
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=server.base, headers=headers, limits=limits, timeout=30, trust_env=False
    ) as it:
        yield it


async def organization(asking: httpx.AsyncClient) -> str:
    answer = await asking.post("/api/organizations", content=b'{"name": "Acme"}', headers=NEW)
    assert answer.status_code == 201
    return str(answer.headers["Location"])


async def instance(asking: httpx.AsyncClient, owner: str, handle: str) -> httpx.Response:
    content = json.dumps({"name": "Shop", "handle": handle.translate(LETTERS)})
    return await asking.post(f"{owner}/instances", content=content, headers=NEW)


async def all_at_once(task: Callable[[int], Awaitable[None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for n in range(CLIENTS):
            group.create_task(_awaited(task(n)))


async def _awaited(task: Awaitable[None]) -> None:
    await task


async def test_of_all_who_want_a_handle_at_once_one_gets_it(serving: Server, folder: Path) -> None:
    async with client(serving, folder) as asking:
        owner = await organization(asking)
        met: dict[str, Counter[int]] = {f"wanted-{n}": Counter() for n in range(20)}

        async def want(_n: int) -> None:
            for handle, statuses in met.items():
                statuses[(await instance(asking, owner, handle)).status_code] += 1

        await all_at_once(want)
        assert all(statuses == {201: 1, 409: CLIENTS - 1} for statuses in met.values()), met
        listed = (await asking.get(f"{owner}/instances")).json()
        assert listed["totalItems"] == len(met)


@pytest.mark.parametrize("path", ["{owner}/instances", "/api/instances", "/api/organizations"])
async def test_of_all_who_add_to_a_list_if_it_is_as_they_read_it_one_does(
    serving: Server, folder: Path, path: str
) -> None:
    """PC-19."""
    async with client(serving, folder) as asking:
        owner = await organization(asking)
        address = path.format(owner=owner)

        async def statuses(turn: int) -> Counter[int]:
            tag, met = (await asking.get(address)).headers["ETag"], Counter[int]()

            async def add(n: int) -> None:
                content = {"name": "Shop"}
                if address.endswith("instances"):
                    handle = f"if-{n}-{turn}-{len(address)}".translate(LETTERS)
                    content |= {"handle": handle, "organization_id": owner.rpartition("/")[2]}
                answer = await asking.post(address, json=content, headers={"If-Match": tag})
                met[answer.status_code] += 1

            await all_at_once(add)
            return met

        for turn in range(4):
            assert await statuses(turn) == {201: 1, 412: CLIENTS - 1}


async def test_no_change_is_lost_where_all_change_one_instance(serving: Server, folder: Path) -> None:
    """Each writes a number one greater than the one it has read, if nobody has written meanwhile."""
    async with client(serving, folder) as asking:
        shop = (await instance(asking, await organization(asking), "counter")).headers["Location"]
        await rename(asking, shop, "0", (await asking.get(shop)).headers["ETag"])
        statuses = Counter[int]()

        async def count(_n: int) -> None:
            for _ in range(15):
                read = await asking.get(shop)
                following = str(int(read.json()["name"]) + 1)
                statuses[await rename(asking, shop, following, read.headers["ETag"])] += 1

        await all_at_once(count)
        assert set(statuses) == {200, 412}, statuses
        assert (await asking.get(shop)).json()["name"] == str(statuses[200])


async def rename(asking: httpx.AsyncClient, shop: str, name: str, tag: str) -> int:
    headers = {"Content-Type": PATCH, "If-Match": tag}
    answer = await asking.patch(shop, content=json.dumps({"name": name}), headers=headers)
    return answer.status_code


async def test_who_has_written_reads_it_from_whichever_process(serving: Server, folder: Path) -> None:
    async with client(serving, folder) as asking:
        owner = await organization(asking)

        async def write_and_read(n: int) -> None:
            for turn in range(10):
                made = await instance(asking, owner, f"mine-{n}-{turn}")
                assert made.status_code == 201
                found = [await asking.get(made.headers["Location"]) for _ in range(3)]
                assert [it.status_code for it in found] == [200] * 3

        await all_at_once(write_and_read)


async def test_whoever_reads_is_told_of_every_change_that_was_answered_before(
    serving: Server, folder: Path
) -> None:
    """Of one and the same item and list, which are asked for all the time: nothing older is told again by a
    process that has kept it, and whoever has a tag is told that there is something new."""
    async with client(serving, folder) as asking:
        owner = await organization(asking)
        shop = (await instance(asking, owner, "ever-newer")).headers["Location"]
        assert await rename(asking, shop, "0", "*") == 200
        answered, tags, over = [0], {"": 0}, asyncio.Event()

        async def write() -> None:
            for number in range(1, 40):
                assert await rename(asking, shop, str(number), "*") == 200
                answered.append(number)
                # So long that some readers ask often for what was not changed, and some never do.
                await asyncio.sleep(0.03 * (number % 3))
            over.set()

        async def read(n: int) -> None:
            if n == 0:
                await write()
            while not over.is_set():
                least, tag = answered[-1], max(tags, key=lambda it: tags[it])
                address = shop if n % 2 else f"{owner}/instances"
                fields = {"If-None-Match": tag} if n % 3 == 1 and tag else {}
                answer = await asking.get(address, headers=fields)
                if answer.status_code == 304:
                    assert tags[tag] >= least
                    continue
                told = answer.json()
                name = int((told if n % 2 else told["member"][0])["name"])
                assert name >= least
                if n % 2:
                    tags[answer.headers["ETag"]] = name

        await all_at_once(read)


async def test_a_writer_of_another_process_lets_readers_of_sqlite_go_on(
    sqlite_url: str, tmp_path: Path
) -> None:
    with served(tmp_path, **settings(sqlite_url)) as server:
        async with client(server, tmp_path) as asking:
            shop = (await instance(asking, await organization(asking), "read-on")).headers["Location"]
            file = sqlite_url.removeprefix("sqlite://")
            with closing(sqlite3.connect(file, isolation_level=None)) as writer:
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("UPDATE instance SET name = 'not yet'")
                async with asyncio.timeout(5):
                    assert (await asking.get(shop)).json()["name"] == "Shop"
                    listed = (await asking.get("/api/instances")).json()
                assert [it["name"] for it in listed["member"]] == ["Shop"]
                writer.execute("COMMIT")
            assert (await asking.get(shop)).json()["name"] == "not yet"


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """For who stops it."""
    with postgres_server() as server:
        yield server


async def test_a_restart_of_postgresql_is_a_moment_of_503_and_needs_none_of_the_service(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    url = own_server.url()
    assert run(tmp_path, "migrate", **settings(url)).returncode == 0
    with served(tmp_path, "--workers", "2", **settings(url)) as server:
        async with client(server, tmp_path) as asking:
            load = Load(asking, await organization(asking))
            loading = asyncio.create_task(all_at_once(load.run))
            for _ in range(2):
                await load.answered()
                await asyncio.to_thread(own_server.halt)
                assert await load.refused()
                await asyncio.to_thread(own_server.start)
                await load.answered()
            load.over = True
            await loading
            assert set(load.statuses) == {200, 201, 503}, load.statuses
            assert load.problems == {("unavailable", "1")}
            # What was answered as done is there, and nothing is there twice.
            for path in load.made:
                assert (await asking.get(path)).status_code == 200
            statuses = [(await asking.get(load.owner)).status_code for _ in range(20)]
            assert statuses == [200] * 20
        assert "died" not in server.said()
        assert "internal-error" not in server.said()


class Load:
    """Reads and creates until it is over; each status with how often it came."""

    def __init__(self, asking: httpx.AsyncClient, owner: str) -> None:
        self.asking, self.owner = asking, owner
        self.statuses = Counter[int]()
        self.problems = set[tuple[str, str]]()
        self.made: list[str] = []
        self.over = False

    async def run(self, _n: int) -> None:
        while not self.over:
            self.note(await self.asking.get(self.owner))
            made = await instance(self.asking, self.owner, f"load-{uuid4().hex[:20]}")
            self.note(made)
            if made.status_code == 201:
                self.made.append(made.headers["Location"])

    def note(self, answer: httpx.Response) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 400:
            type_ = answer.json()["type"].rpartition("/")[2]
            self.problems.add((type_, answer.headers.get("Retry-After", "")))

    async def answered(self) -> None:
        """Until it has been answered well for many times more."""
        await self._until(lambda: self.statuses[200] + self.statuses[201], 100)

    async def refused(self) -> bool:
        await self._until(lambda: self.statuses[503], 10)
        return True

    async def _until(self, met: Callable[[], int], more: int) -> None:
        wanted = met() + more
        await until(lambda: met() >= wanted, 60)


async def test_a_process_that_dies_is_replaced_by_one_that_answers(tmp_path: Path, sqlite_url: str) -> None:
    with served(tmp_path, "--workers", "2", **settings(sqlite_url)) as server:
        async with client(server, tmp_path) as asking:
            owner = await organization(asking)
            await until(lambda: len(children(server)) == 2)
            first = children(server)
            for process_id in first:
                os.kill(process_id, signal.SIGKILL)
            await until(lambda: len(set(children(server)) - set(first)) == 2)
            assert not set(first) & set(children(server))
            answers = [await instance(asking, owner, f"after-{n}") for n in range(20)]
            assert {it.status_code for it in answers} == {201}


async def test_metrics_do_not_make_a_start_slower_and_a_process_that_dies_is_replaced_beside_them(
    tmp_path: Path, sqlite_url: str
) -> None:
    """The thread that answers Prometheus comes after the forks; what comes later is a process of its own."""
    port = free_port()
    counts = tmp_path / "counts"
    counts.mkdir()
    told = settings(sqlite_url) | {
        "REGISTRY_METRICS_PORT": str(port),
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
    }
    with started(tmp_path, "--workers", "2", **told) as (server, _):
        first = children(server)
        assert [command_of(it) for it in first] == [command_of(server.process_id)] * 2
        os.kill(first[0], signal.SIGKILL)
        await until(lambda: any("spawn_main" in command_of(it) for it in children(server)), 60)
        async with client(server, tmp_path) as asking:
            owner = await organization(asking)
            answers = [await instance(asking, owner, f"beside-{n}") for n in range(20)]
            assert {it.status_code for it in answers} == {201}
            metrics = await asking.get(f"http://127.0.0.1:{port}/metrics")
            assert metrics.status_code == 200
            # What it was doing, and had open, is counted no more.
            assert [it.name for it in counts.glob(f"gauge_live*_{first[0]}.db")] == []


async def test_processes_end_when_who_looks_after_them_is_gone(tmp_path: Path, sqlite_url: str) -> None:
    """They would hold the port, and answer for the release that they are of, for ever."""
    with started(tmp_path, "--workers", "2", **settings(sqlite_url)) as (server, process):
        workers = children(server)
        process.kill()
        await until(lambda: not any(Path(f"/proc/{it}/fd/0").exists() for it in workers), 20)


async def test_a_process_that_cannot_be_replaced_at_the_moment_takes_no_other_along(
    tmp_path: Path, sqlite_url: str
) -> None:
    database, away = tmp_path / "registry.sqlite3", tmp_path / "away"
    with served(tmp_path, "--workers", "2", **settings(sqlite_url)) as server:
        async with client(server, tmp_path) as asking:
            await until(lambda: len(children(server)) == 2)
            # The first look after the start tells who has begun.
            await asyncio.sleep(2)
            database.rename(away)
            one, other = children(server)
            os.kill(one, signal.SIGKILL)
            await until(lambda: "startup failed" in server.said(), 30)
            assert other in children(server)
            assert (await asking.get("/livez")).status_code == 200
            away.rename(database)
            await until(lambda: server.said().count("startup complete") == 3, 30)


async def test_a_signal_does_not_wait_for_a_process_that_is_stuck(tmp_path: Path, sqlite_url: str) -> None:
    told = settings(sqlite_url) | {"REGISTRY_DRAIN_SECONDS": "1"}
    with started(tmp_path, "--workers", "2", **told) as (server, process):
        stuck, _ = children(server)
        os.kill(stuck, signal.SIGSTOP)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        await until(lambda: "Received SIGTERM" in server.said(), 5)
        os.kill(stuck, signal.SIGCONT)
        assert await asyncio.to_thread(process.wait, 10) == 0


def command_of(process_id: int) -> str:
    return Path(f"/proc/{process_id}/cmdline").read_text()


def children(server: Server) -> list[int]:
    listed = Path(f"/proc/{server.process_id}/task/{server.process_id}/children").read_text().split()
    return [int(it) for it in listed]


def test_forks_of_one_process_draw_no_number_that_another_draws() -> None:
    """Ids begin with the time, and end with what is drawn: also where some were drawn before."""
    program = """
import multiprocessing
from app.storage.acts import new_id

def draw(_):
    return [new_id() for _ in range(1_000)]

if __name__ == "__main__":
    draw(0)
    with multiprocessing.get_context("fork").Pool(4, maxtasksperchild=1) as pool:
        print(len({it[19:] for part in pool.map(draw, range(8), chunksize=1) for it in part}))
"""
    drawn = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert drawn.stdout == "8000\n"
