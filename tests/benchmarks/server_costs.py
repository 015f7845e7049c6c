"""What a request costs PostgreSQL: statements, time of its processors, and octets of its log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import httpx

from tests.benchmarks.calls import letters
from tests.load import busy
from tests.service import PATCH, Service, id_of, made, running
from tests.storage.recorded_statements import ServerLog

REQUESTS = 300
WIDTH = 120
HEAD = ("request", "statements", "PostgreSQL, ms of a processor", "octets of its log (WAL)")
Action = Callable[[int], Awaitable[httpx.Response]]


class Server:
    """The processes of a PostgreSQL, known by one of its connections."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        [self._first] = [
            int(line.split()[1])
            for line in Path(f"/proc/{connection.get_server_pid()}/status").read_text().splitlines()
            if line.startswith("PPid:")
        ]

    def busy(self) -> float:
        """Milliseconds of all that live: those who answer, and those who write to the disk for them."""
        children = Path(f"/proc/{self._first}/task/{self._first}/children").read_text().split()
        return sum(busy(int(process)) for process in children)

    async def written(self) -> int:
        return int(await self._connection.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    async def log(self) -> ServerLog:
        return ServerLog(Path(await self._connection.fetchval("SHOW data_directory")) / "log")


async def costs(url: str, folder: Path) -> AsyncIterator[str]:
    """Lines of a table, and the statements that it counts. `url` is of a database that nobody else uses."""
    yield f"| {' | '.join(HEAD)} |"
    yield "| --- | ---: | ---: | ---: |"
    connection = await asyncpg.connect(url)
    try:
        server = Server(connection)
        async with running(url, folder) as service:
            found = {name: await _cost(server, act) for name, act in (await actions(service)).items()}
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET log_statement = 'all'")
        async with running(url, folder) as service:
            shown: dict[str, list[str]] = {}
            for name, act in (await actions(service)).items():
                statements = await _statements(server, act)
                yield f"| {name} | {len(statements)} | {found[name]} |"
                shown[name] = statements
    finally:
        await connection.close()
    for name, statements in shown.items():
        yield f"\n{name}:\n"
        for statement in statements:
            yield f"    {' '.join(statement.split())[:WIDTH]}"


async def _cost(server: Server, act: Action) -> str:
    await act(0)
    at_work, written = server.busy(), await server.written()
    for number in range(1, REQUESTS + 1):
        await act(number)
    milliseconds = (server.busy() - at_work) / REQUESTS
    return f"{milliseconds:.2f} | {(await server.written() - written) / REQUESTS:,.0f}"


async def _statements(server: Server, act: Action) -> list[str]:
    log = await server.log()
    await act(REQUESTS + 1)
    return log.statements()


async def actions(service: Service) -> Mapping[str, Action]:
    """By name: what is done for the n-th time, for n from 0 to `REQUESTS + 1`. Nothing of it fails."""
    owner, taker = service.as_("owner"), service.as_("taker")
    here = await made(owner, "/api/organizations", name="Here")
    there = await made(taker, "/api/organizations", name="There")
    mark = letters(int(id_of(here)[-6:], 16))
    items = [
        await made(owner, f"{here}/instances", name=f"Item {n}", handle=f"item-{mark}-{letters(n)}")
        for n in range(REQUESTS + 2)
    ]

    async def authorized(n: int) -> httpx.Response:
        content = {"organization_id": id_of(there)}
        offer = await made(owner, f"{items[n]}/authorizations", **content)
        return await taker.patch(offer, json={"status": "accepted"}, headers={"Content-Type": PATCH})

    for n in range(REQUESTS + 2):
        _succeeded(await authorized(n))

    async def create(n: int) -> httpx.Response:
        content = {"name": f"New {n}", "handle": f"new-{mark}-{letters(n)}"}
        return _succeeded(await owner.post(f"{here}/instances", json=content))

    async def rename(n: int) -> httpx.Response:
        content, headers = {"name": f"Renamed {n}"}, {"Content-Type": PATCH}
        return _succeeded(await owner.patch(items[n], json=content, headers=headers))

    async def transfer(n: int) -> httpx.Response:
        content = {"organization_id": id_of(there)}
        return _succeeded(await owner.post(f"{items[n]}/transfer", json=content))

    async def item(n: int) -> httpx.Response:
        return _succeeded(await owner.get(items[n]))

    async def page(n: int) -> httpx.Response:
        return _succeeded(await owner.get(f"{here}/instances"))

    return {
        "item": item,
        "page of 30 of one organization": page,
        "create": create,
        "rename": rename,
        "transfer, with one authorization": transfer,
    }


def _succeeded(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, answer.text
    return answer
