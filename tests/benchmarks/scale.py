"""`make bench-scale`: what a request costs where there are a million instances, against ten thousand.

Two services run in this process, on a database of each size, and are asked by turns, without a network
between. What is counted is the CPU time of this process and, with PostgreSQL, of its server's processes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import orjson
import psutil  # type: ignore[import-untyped]  # it has no types of its own
import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.caller import READ_ALL, WRITE, Caller
from app.resources.cursors import Cursors
from app.storage.database import Database
from app.storage.pages import Listing, Position
from app.storage.statements import Rows
from tests.benchmarks.scale_rows import (
    RARE,
    RARE_WORD,
    Estate,
    identifier,
    letters,
    load_postgres,
    load_sqlite,
)
from tests.debian_postgres import DebianPostgres, debian_postgres, missing
from tests.postgres_server import PostgresServer, administer, postgres_server
from tests.service import BASE, Service, running

SMALL, LARGE, DEEP = 10_000, 1_000_000, 10_000 * 30
TARGET = 1.3
JSON = {"accept": "application/json", "content-type": "application/json"}
Clock = Callable[[], float]
Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Case:
    """A request, made anew for each time it is sent; `held` by the target or only shown."""

    name: str
    subject: str
    path: Callable[[Size], str]
    held: bool = False
    method: str = "GET"
    status: int = 200


@dataclass
class Size:
    """The service on a database of one size."""

    estate: Estate
    service: Service
    bytes: int
    seconds: float
    cursor: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    tokens: dict[str, str] = field(default_factory=dict)

    def fields(self, subject: str) -> Fields:
        scope = READ_ALL if subject == "auditor" else WRITE
        fields = {**JSON, "host": BASE.partition("//")[2], "authorization": self._token(subject, scope)}
        return [(name.encode(), value.encode()) for name, value in fields.items()]

    def _token(self, subject: str, scope: str) -> str:
        key = f"{subject} {scope}"
        if key not in self.tokens:
            self.tokens[key] = f"Bearer {self.service.token(subject, scope)}"
        return self.tokens[key]

    @property
    def organization(self) -> str:
        return f"/api/organizations/{identifier('organization', self.estate.middle)}"

    @property
    def instance(self) -> str:
        return f"/api/instances/{identifier('instance', self.estate.middle)}"

    @property
    def handle(self) -> str:
        return str(self.estate.instance(self.estate.middle)[5])


def cases() -> list[Case]:
    every = "/api/instances"
    return [
        Case("item", "one", lambda it: it.instance, held=True),
        Case("handle, exact", "one", lambda it: f"/api/handles/{it.handle}", held=True, status=303),
        Case("first page, of one organization", "one", lambda it: f"{it.organization}/instances", held=True),
        Case("first page, of a caller with one", "one", lambda _: every, held=True),
        Case("first page, of all", "auditor", lambda _: every, held=True),
        Case(
            "10,000th page by cursor, of all", "auditor", lambda it: f"{every}?after={it.cursor}", held=True
        ),
        Case("first page by name, of all", "auditor", lambda _: f"{every}?order[name]=asc"),
        Case("first page by change, of all", "auditor", lambda _: f"{every}?order[updatedAt]=desc"),
        Case("333rd page by number, of all", "auditor", lambda _: f"{every}?page=333"),
        Case("part of a name, of one's own", "one", lambda _: f"{every}?name=harb"),
        Case("part of a rare name, of all", "auditor", lambda _: f"{every}?name={RARE_WORD}"),
        Case("part of a common name, of all", "auditor", lambda _: f"{every}?name=harb"),
        Case("part of a handle, of all", "auditor", lambda it: f"{every}?handle={it.handle[-5:]}"),
        Case("two characters, common, of all", "auditor", lambda _: f"{every}?name=ar"),
        Case("two characters, rare, of all", "auditor", lambda _: f"{every}?name=qu"),
        Case("first page, of a caller with half", "many", lambda _: every),
        Case("activities, of a caller with half", "many", lambda _: "/api/activities"),
        Case("activities, of a caller with one", "one", lambda _: "/api/activities"),
        # Last, for thousands that one caller has just made are nothing that others find soon.
        Case(
            "create", "one", lambda it: f"{it.organization}/instances", held=True, method="POST", status=201
        ),
        Case("rename", "one", lambda it: it.instance, method="PATCH"),
    ]


async def ask(size: Size, case: Case) -> None:
    """Straight into the application, as a server would. A read has a parameter that nobody knows, another one
    each time: to what was asked before the service may have kept the answer."""
    path, _, query = case.path(size).partition("?")
    fields, content, number = size.fields(case.subject), b"", next(size.numbers)
    if case.method == "GET":
        query = f"{query}&number={number}"
    if case.method in ("POST", "PATCH"):
        content = orjson.dumps({"name": f"Made {number}"} | _handle(case, number))
        kind = b"application/json" if case.method == "POST" else b"application/merge-patch+json"
        fields = [(name, kind if name == b"content-type" else value) for name, value in fields]
        fields.append((b"content-length", str(len(content)).encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": case.method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": fields,
        "client": ("127.0.0.1", 1),
        "state": {},
    }
    sent = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await size.service.app(scope, receive, send)  # type: ignore[arg-type]
    if sent[0]["status"] != case.status:
        raise RuntimeError(f"{case.name}: {sent}")


def _handle(case: Case, number: int) -> dict[str, str]:
    return {"handle": letters(f"made-{number}")} if case.method == "POST" else {}


async def cost(size: Size, case: Case, clock: Clock, seconds: float) -> float:
    """CPU seconds of one request, from as many as fit into the time."""
    began, end, asked = clock(), time.monotonic() + seconds, 0
    while time.monotonic() < end or not asked:
        await ask(size, case)
        asked += 1
    return (clock() - began) / asked


async def measured(small: Size, large: Size, case: Case, clock: Clock, rounds: int) -> list[list[float]]:
    """Of each round, what one costs and what the other does; the first round is not counted."""
    found = []
    for number in range(rounds + 1):
        seconds = 0.1 if number == 0 else 0.4
        pair = [await cost(size, case, clock, seconds) for size in (small, large)]
        found.append(pair)
    return found[1:]


def row(case: Case, rounds: list[list[float]]) -> tuple[str, ...]:
    small, large = (statistics.median(one[side] for one in rounds) for side in (0, 1))
    ratios = sorted(large / small for small, large in rounds)
    middle = statistics.median(ratios)
    verdict = ("held" if middle <= TARGET else "missed") if case.held else ""
    shown = (f"{ratio:.2f}" for ratio in (ratios[0], middle, ratios[-1]))
    return (case.name, f"{small * 1e3:.2f}", f"{large * 1e3:.2f}", " / ".join(shown), verdict)


@asynccontextmanager
async def loaded(url: str, instances: int, folder: Path, console: Console) -> AsyncIterator[Size]:
    estate, database = Estate(instances), Database(url)
    await database.migrate()
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"{instances:,} instances", total=estate.count)

        def told(rows: int) -> None:
            progress.advance(task, rows)

        if url.startswith("sqlite"):
            await asyncio.to_thread(load_sqlite, url.removeprefix("sqlite://"), estate, told)
        else:
            await load_postgres(url, estate, told)
    seconds = time.monotonic() - began
    async with running(url, folder) as service:
        size = Size(estate, service, await _bytes(url), seconds)
        size.cursor = await _deep_cursor(url, min(DEEP, instances - 100))
        yield size


async def _bytes(url: str) -> int:
    size = "pg_database_size(current_database()) AS size"
    if url.startswith("sqlite"):
        size = "page_count * page_size AS size FROM pragma_page_count, pragma_page_size"
    [found] = await _rows(url, f"SELECT {size}")
    return int(str(found["size"]))


async def _deep_cursor(url: str, depth: int) -> str:
    """The one that a reader has been given who has met so many of all."""
    place = "SELECT id, created_at FROM instance ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET $1"
    [last] = await _rows(url, place, depth - 1)
    database = Database(url)
    await database.open()
    await database.read_cursor_key()
    await database.close()
    auditor = Caller(str(identifier("partner", 2)), frozenset({READ_ALL}))
    cursors = Cursors(database.cursor_key, auditor, Listing("Instance", "created_at", True))
    return cursors.close(Position(str(last["created_at"]), str(last["id"])))


async def _rows(url: str, sql: str, *values: object) -> Rows:
    database = Database(url)
    await database.open()
    try:
        return await database.reading().rows(sql, values)
    finally:
        await database.close()


@contextmanager
def databases(dialect: str, folder: Path) -> Iterator[tuple[list[str], Clock]]:
    """The addresses of two empty ones, and a clock of the CPU time that is spent on them."""
    if dialect == "sqlite":
        yield [f"sqlite://{folder}/{name}.sqlite3" for name in ("small", "large")], time.process_time
        return
    with debian_postgres(str(folder.parent)) if dialect == "debian" else postgres_server() as server:
        names = ("small", "large")
        administer(server.url(), *(f"CREATE DATABASE {name}" for name in names))
        yield [server.url(name) for name in names], _clock_with(server)


def _clock_with(server: PostgresServer | DebianPostgres) -> Clock:
    """Its processes are asked anew each time, for connections come and go; `waited` are those that ended."""
    postmaster = psutil.Process(server.pid)

    def spent(process: psutil.Process, *, waited: bool) -> float:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            ended = times.children_user + times.children_system if waited else 0.0
            return float(times.user + times.system + ended)
        return 0.0

    def clock() -> float:
        children = postmaster.children(recursive=True)
        theirs = sum(spent(it, waited=False) for it in children) + spent(postmaster, waited=True)
        return time.process_time() + theirs

    return clock


async def run(
    options: argparse.Namespace, urls: list[str], clock: Clock, folder: Path, console: Console
) -> bool:
    """Whether every target is held."""
    async with AsyncExitStack() as stack:
        small = await stack.enter_async_context(loaded(urls[0], options.small, folder, console))
        large = await stack.enter_async_context(loaded(urls[1], options.instances, folder, console))
        for it in (small, large):
            console.print(
                f"{it.estate.instances:,} instances in {it.estate.organizations:,} organizations:"
                f" loaded in {it.seconds:.0f} s, {it.bytes / 1e6:,.0f} MB"
            )
        table = Table("request", *(f"CPU ms, {it.estate.instances:,}" for it in (small, large)))
        table.add_column("ratio: min / median / max")
        table.add_column(f"target {TARGET}")
        missed = False
        for case in cases():
            found = row(case, await measured(small, large, case, clock, options.rounds))
            missed = missed or found[-1] == "missed"
            table.add_row(*found)
        console.print(table)
        return not missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--instances", type=int, default=LARGE)
    parser.add_argument("--small", type=int, default=SMALL, help="what is compared with")
    parser.add_argument(
        "--database",
        choices=("sqlite", "postgres", "debian"),
        default="sqlite",
        help="debian: its PostgreSQL, which has pg_trgm",
    )
    parser.add_argument("--folder", help="where the databases are made, where there is room for some GB")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    console = Console(width=None if os.isatty(1) else 120)
    console.print(
        f"{options.database}, {platform.machine()}, {os.cpu_count()} cores, one in {RARE:,} is rare"
    )
    if options.database == "debian" and missing():
        parser.error(str(missing()))
    folder = Path(tempfile.mkdtemp(prefix="registry-scale-", dir=options.folder))
    try:
        with databases(options.database, folder) as (urls, clock):
            return 0 if asyncio.run(run(options, urls, clock, folder, console)) else 1
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    raise SystemExit(main())
