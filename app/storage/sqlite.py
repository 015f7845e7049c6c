"""SQLite as a Tortoise engine whose transactions begin at once as writers.

Tortoise's own begins as a reader: of two processes that read and then write, one fails as soon as it comes
to write, whatever the busy timeout (https://www.sqlite.org/lang_transaction.html, "DEFERRED").
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiosqlite
from tortoise.backends.base.client import TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper

from app.settings import WrongSetting
from app.storage.failures import UniqueViolation, translated, unavailable
from app.storage.tables import TIME_COLUMNS

WAIT_SECONDS = 10.0

# The first stands before the others, so that they wait for another process too.
PRAGMAS = {
    "busy_timeout": int(WAIT_SECONDS * 1000),
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "secure_delete": "ON",  # what was erased is not left in the file
}

# https://www.sqlite.org/rescode.html: what may be otherwise when the client tries again.
UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


class Transaction(SqliteTransactionWrapper):
    """A transaction of Tortoise's, for migrations, that begins as a writer and that a script does not end."""

    async def begin(self) -> None:
        with translated(translation):
            await self._connection.execute_fetchall("BEGIN IMMEDIATE")

    async def execute_script(self, query: str) -> None:
        for statement in filter(None, map(str.strip, query.split(";"))):
            await self.execute_query(statement)


class Client(SqliteClient):
    """Two connections to one file: one writes, under a lock; the other reads while the first is waiting."""

    def __init__(self, file_path: str, **options: Any) -> None:
        super().__init__(file_path, **{**PRAGMAS, **options})
        self._reader: aiosqlite.Connection | None = None

    async def open(self) -> None:
        with translated(translation):
            await self.create_connection(with_db=True)
            self._reader = await self._connect()

    async def create_connection(self, with_db: bool) -> None:  # noqa: ARG002 - Tortoise's signature
        self._connection = await self._connect()

    async def close(self) -> None:
        try:
            if self._reader:
                await self._reader.close()
        finally:
            self._reader = None
            await super().close()

    async def _connect(self) -> aiosqlite.Connection:
        """Connect to the file, which must exist: `mode=rw` does not create it."""
        connection = aiosqlite.connect(_address(self.filename), uri=True, isolation_level=None)
        try:
            await connection
            connection.row_factory = sqlite3.Row
            for pragma, value in self.pragmas.items():
                await connection.execute_fetchall(f"PRAGMA {pragma}={value}")
        except BaseException:
            await connection.close()
            # Where it could not connect, it only tells its thread to end, which may then outlive the loop.
            await asyncio.to_thread(connection._thread.join)  # noqa: SLF001 - there is no other way to wait
            raise
        return connection

    def _in_transaction(self) -> TransactionContext:
        return SqliteTransactionContext(Transaction(self), self._lock)

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[aiosqlite.Connection]:
        if self._reader is None:
            raise unavailable()
        yield self._reader

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        with translated(translation):
            async with asyncio.timeout(WAIT_SECONDS):
                await self._lock.acquire()
        try:
            if self._connection is None:
                raise unavailable()
            async with _immediate(self._connection):
                yield self._connection
        finally:
            self._lock.release()

    async def fetch(
        self, connection: aiosqlite.Connection, sql: str, values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        with translated(translation):
            rows = await connection.execute_fetchall(sql, [_encode(value) for value in values])
        return [_decode(row) for row in rows]

    @property
    def connections(self) -> tuple[int, int]:
        """Of the two, only the writer is known to be at work."""
        there = sum(connection is not None for connection in (self._connection, self._reader))
        return there, int(self._lock.locked())

    def raw(self, sql: str) -> str:
        """`$1` as SQLite numbers its parameters: `?1`."""
        return re.sub(r"\$(\d+)", r"?\1", sql)


def _address(file_path: str) -> str:
    return f"{Path(file_path).absolute().as_uri()}?mode=rw"


@asynccontextmanager
async def _immediate(connection: aiosqlite.Connection) -> AsyncIterator[None]:
    """Statements run one after another in the connection's thread, also those whose task was cancelled:
    the ROLLBACK in the queue undoes a BEGIN that is still waiting for the lock."""
    try:
        with translated(translation):
            await connection.execute_fetchall("BEGIN IMMEDIATE")
        yield
        with translated(translation):
            await connection.commit()
    except BaseException:
        # Closed meanwhile: there is nothing left to roll back, and what was raised says more.
        with suppress(sqlite3.Error, ValueError):
            await connection.rollback()
        raise


def translation(error: Exception) -> Exception | None:
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE constraint failed: " in str(error):
        columns = [name.split(".") for name in str(error).rpartition(": ")[2].split(", ")]
        return UniqueViolation(columns[0][0], ",".join(column for _, column in columns))
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_NOTADB:
            return WrongSetting("REGISTRY_DATABASE_URL names a file that is no SQLite database.")
        if code is not None and code & 0xFF in UNAVAILABLE:
            return unavailable()
    closed = isinstance(error, (ValueError, sqlite3.ProgrammingError)) and (
        str(error) in ("Connection closed", "no active connection", "Cannot operate on a closed database.")
    )
    return unavailable() if closed or isinstance(error, OSError) else None


def _encode(value: Any) -> Any:
    """A time, which is in UTC, as `YYYY-MM-DD HH:MM:SS.ffffff+00:00`: of one length, so that order of text
    is order of time."""
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return str(value) if isinstance(value, UUID) else value


def _decode(row: sqlite3.Row) -> dict[str, Any]:
    decoded = dict(row)
    for column in TIME_COLUMNS.intersection(decoded):
        if decoded[column] is not None:
            decoded[column] = f"{decoded[column][:10]}T{decoded[column][11:26]}Z"
    return decoded


client_class = Client
