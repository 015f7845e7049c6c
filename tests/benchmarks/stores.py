"""How the bare yardstick reaches a database: a connection or a pool of them, as the service has them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol

import aiosqlite
import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from app.storage.postgres_address import POOL_SIZES
from app.storage.sqlite import PRAGMAS

Run = Callable[..., Awaitable[list[dict[str, Any]]]]


class Store(Protocol):
    """`$1` is the first value of a statement."""

    def opened(self) -> Any: ...
    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]: ...
    def transaction(self) -> Any: ...
    def time(self, time: datetime) -> Any: ...


def store_at(url: str) -> Store:
    return Sqlite(url.removeprefix("sqlite://")) if url.startswith("sqlite://") else Postgres(url)


class Sqlite:
    """One connection that reads, and one that writes under a lock."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with (
            aiosqlite.connect(self._path, isolation_level=None) as self._reader,
            aiosqlite.connect(self._path, isolation_level=None) as self._writer,
        ):
            for connection in (self._reader, self._writer):
                connection.row_factory = sqlite3.Row
                for pragma, value in PRAGMAS.items():
                    await connection.execute_fetchall(f"PRAGMA {pragma}={value}")
            yield

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return await self._run(self._reader, sql, *values)

    async def _run(self, connection: aiosqlite.Connection, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.execute_fetchall(sql.replace("$", "?"), values)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        async with self._lock:
            await self._writer.execute_fetchall("BEGIN IMMEDIATE")
            yield lambda sql, *values: self._run(self._writer, sql, *values)
            await self._writer.commit()

    def time(self, time: datetime) -> str:
        return time.isoformat(" ", "microseconds")


class Postgres:
    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        sizes = {"min_size": POOL_SIZES["minsize"], "max_size": POOL_SIZES["maxsize"]}
        async with asyncpg.create_pool(self._url, **sizes) as self._pool:
            yield

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        async with self._pool.acquire() as connection:
            return await self._run(connection, sql, *values)

    async def _run(self, connection: asyncpg.Connection, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await connection.fetch(sql, *values)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Run]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield lambda sql, *values: self._run(connection, sql, *values)

    def time(self, time: datetime) -> datetime:
        return time
