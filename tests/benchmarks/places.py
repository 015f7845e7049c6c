"""The databases, each filled once, and copied for every run, so that none meets what others have changed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from tests.benchmarks.calls import Instance
from tests.benchmarks.world import fill
from tests.postgres_server import postgres_server


@dataclass(frozen=True)
class Place:
    """A database: what people call it, its address, whose organizations are in it, and their instances."""

    name: str
    database: str
    partner: str
    instances: list[Instance]


@contextmanager
def sqlite(folder: Path) -> Iterator[Callable[[int], Place]]:
    filled = folder / "filled.sqlite3"
    partner, instances = asyncio.run(fill(f"sqlite://{filled}"))

    def place(number: int) -> Place:
        path = folder / f"{number}.sqlite3"
        shutil.copy(filled, path)
        return Place(f"SQLite {sqlite3.sqlite_version}", f"sqlite://{path}", partner, instances)

    yield place


@contextmanager
def postgres(_folder: Path) -> Iterator[Callable[[int], Place]]:
    # As pytest is told not to: where it is unset, as for root.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
    with postgres_server() as server:
        server.administer("CREATE DATABASE filled")
        partner, instances = asyncio.run(fill(server.url("filled")))
        asyncio.run(_settle(server.url("filled")))
        version = asyncio.run(_version(server.url()))

        def place(number: int) -> Place:
            name = f"copy_{number}"
            server.administer(f"CREATE DATABASE {name} TEMPLATE filled")
            return Place(f"PostgreSQL {version}", server.url(name), partner, instances)

        yield place


async def _settle(url: str) -> None:
    """Look at what was loaded, as the server does by itself some minutes later."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SHOW server_version")).partition(" ")[0]
    finally:
        await connection.close()


PLACES = {"sqlite": sqlite, "postgres": postgres}
