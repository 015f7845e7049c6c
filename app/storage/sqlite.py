"""SQLite as a Tortoise engine whose transactions begin at once as writers.

Tortoise's own begins as a reader: of two processes that read and then write, one fails as soon as it comes
to write, whatever the busy timeout (https://www.sqlite.org/lang_transaction.html, "DEFERRED").
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import aiosqlite
from tortoise.backends.base.client import TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper

from app.settings import WrongSetting
from app.storage.failures import QUIET_SECONDS, Translated, UniqueViolation, unable, unavailable
from app.storage.session import STEPS
from app.storage.statements import Rows, encoded, of_sqlite

LOG = logging.getLogger(__name__)

WAIT_SECONDS = 10.0
# How soon it is tried again where nobody is waited for.
REFUSED_SECONDS = 0.02
# How many statements a connection keeps prepared: of lists there are more, of which few are in use at a time.
STATEMENTS = 512
# How often SQLite tells how far it is.
TOLD_STEPS = 2_500

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


def translation(error: Exception) -> Exception | None:
    if isinstance(error, sqlite3.IntegrityError) and "UNIQUE constraint failed: " in str(error):
        columns = [name.split(".") for name in str(error).rpartition(": ")[2].split(", ")]
        return UniqueViolation(columns[0][0], ",".join(column for _, column in columns))
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_NOTADB:
            return WrongSetting("REGISTRY_DATABASE_URL names a file that is no SQLite database.")
        if code is not None and code & 0xFF == sqlite3.SQLITE_CORRUPT:
            return WrongSetting(
                "REGISTRY_DATABASE_URL names a SQLite database that is damaged; put a backup in its place."
            )
        if code is not None and code & 0xFF in UNAVAILABLE:
            return unavailable() if code & 0xFF == sqlite3.SQLITE_CANTOPEN else unable()
    closed = isinstance(error, (ValueError, sqlite3.ProgrammingError)) and (
        str(error) in ("Connection closed", "no active connection", "Cannot operate on a closed database.")
    )
    return unavailable() if closed or isinstance(error, OSError) else None


translated = Translated(translation)


class Transaction(SqliteTransactionWrapper):
    """A transaction of Tortoise's, for migrations, that begins as a writer and that a script does not end."""

    async def begin(self) -> None:
        with translated:
            await self._connection.execute_fetchall("BEGIN IMMEDIATE")

    async def execute_script(self, query: str) -> None:
        for statement in filter(None, map(str.strip, query.split(";"))):
            await self.execute_query(statement)


class Client(SqliteClient):
    """Three connections to one file, of which one writes, under a lock, and two read meanwhile: one in a
    thread of its own, as the writer does, and one where it is asked, for what takes no longer than the way
    to a thread and back."""

    def __init__(self, file_path: str, **options: Any) -> None:
        super().__init__(file_path, **{**PRAGMAS, **options})
        self._reader: aiosqlite.Connection | None = None
        self._points: PointReader | None = None
        self._statement = lru_cache(STATEMENTS)(of_sqlite)
        self._waiting = 0
        # Whether the writer's thread has done all that it was told.
        self._settled = True
        self._opened: tuple[int, int] | None = None
        self._quiet_until = 0.0

    async def open(self) -> None:
        with translated:
            await self.create_connection(with_db=True)
            self._reader = await self._connect()
            self._points = PointReader(self.filename)
        self._opened = _identity(self.filename)

    def check_there(self) -> None:
        """Raises `Problem("unavailable")` where the file was removed, or another one put in its place: SQLite
        would go on, and what is written would end with the process."""
        if _identity(self.filename) == self._opened:
            return
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            LOG.error("The database's file is not the one that was opened; start the service again.")
        raise unavailable()

    async def create_connection(self, with_db: bool) -> None:  # noqa: ARG002 - Tortoise's signature
        self._connection = await self._connect()

    async def close(self) -> None:
        # The writer comes last: who closes the file last empties the log, and only it may.
        points, self._points = self._points, None
        reader, self._reader = self._reader, None
        closed = [it for it in (reader, self._connection) if it is not None]
        try:
            if points:
                points.close()
            if reader:
                await reader.close()
        finally:
            await super().close()
            for connection in closed:
                await _ended(connection)

    async def _connect(self) -> aiosqlite.Connection:
        """Connect to the file, which must exist: `mode=rw` does not create it."""
        connection = aiosqlite.connect(
            _address(self.filename),
            uri=True,
            isolation_level=None,
            cached_statements=STATEMENTS,
            check_same_thread=False,  # see `brief`
        )
        try:
            await connection
            connection.row_factory = sqlite3.Row
            for pragma, value in self.pragmas.items():
                await _set(connection, pragma, value)
        except BaseException:
            await connection.close()
            await _ended(connection)
            raise
        return connection

    def _in_transaction(self) -> TransactionContext:
        return SqliteTransactionContext(Transaction(self), self._lock)

    async def read(self, sql: str, values: Sequence[Any]) -> Rows:
        """By a statement of its own, which waits for no writer."""
        if self._reader is None:
            raise unavailable()
        return await self.fetch(self._reader, sql, values)

    async def point(self, sql: str, values: Sequence[Any]) -> Rows:
        """As `read`, here and now; in the thread if it is more than was thought, or cannot be now."""
        rows = self._here(sql, values, STEPS)
        return await self.read(sql, values) if rows is None else rows

    async def soon(self, sql: str, values: Sequence[Any], steps: int) -> Rows | None:
        """Here and now; None if it is more than was thought, or cannot be now."""
        return self._here(sql, values, steps)

    def moment(self) -> tuple[int, int] | None:
        """See `Database.moment`."""
        return self._points.moment() if self._points is not None else None

    def _here(self, sql: str, values: Sequence[Any], steps: int) -> Rows | None:
        if self._points is None:
            raise unavailable()
        statement = self._statement(sql)
        found = self._points.rows(statement.text, encoded(values), steps)
        if found is None:
            return None
        rows, cursor = found
        return statement.decoded(rows, lambda: [column[0] for column in cursor.description])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        until = time.monotonic() + WAIT_SECONDS
        await self._take_turn()
        try:
            connection = self._connection
            if connection is None:
                raise unavailable()
            self.check_there()
            try:
                await self._begin(connection, until)
                yield connection
                with translated:
                    await self._by_thread(connection.commit())
            except BaseException:
                # Closed meanwhile: there is nothing left to roll back, and what was raised says more.
                with suppress(sqlite3.Error, ValueError):
                    await self._by_thread(connection.rollback())
                raise
        finally:
            self._lock.release()

    async def _take_turn(self) -> None:
        if not self._waiting and not self._lock.locked():
            await self._lock.acquire()
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._lock.acquire()
        except TimeoutError as error:
            raise unable() from error
        finally:
            self._waiting -= 1

    async def _begin(self, connection: aiosqlite.Connection, until: float) -> None:
        """Here and now, where no other process is writing; else in the thread, which can wait for it."""
        here = connection._conn  # noqa: SLF001 - as in `brief`
        with translated:
            if self._settled:
                with suppress(sqlite3.OperationalError):
                    self._begin_within(here, 0)
                    return
            # Who has waited for others of this process waits for those of others no longer than is left.
            left = max(0, min(int(self.pragmas["busy_timeout"]), int((until - time.monotonic()) * 1000)))
            thread = cast("Any", connection)
            await self._by_thread(thread._execute(self._begin_within, here, left))  # noqa: SLF001 - in one step

    def _begin_within(self, here: sqlite3.Connection, milliseconds: int) -> None:
        here.execute(f"PRAGMA busy_timeout={milliseconds}")
        try:
            here.execute("BEGIN IMMEDIATE")
        finally:
            here.execute(f"PRAGMA busy_timeout={self.pragmas['busy_timeout']}")

    async def _by_thread(self, act: Awaitable[object]) -> None:
        """What a thread is told, it does one after another, also for a task that was cancelled meanwhile: the
        ROLLBACK behind it undoes a BEGIN that is still waiting for the lock."""
        self._settled = False
        try:
            await act
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._settled = True
            raise
        self._settled = True

    async def fetch(self, connection: aiosqlite.Connection, sql: str, values: Sequence[Any]) -> Rows:
        statement = self._statement(sql)
        with translated:
            rows = list(await connection.execute_fetchall(statement.text, encoded(values)))
        return statement.decoded(rows, lambda: rows[0].keys())  # noqa: PLW0108 - there may be no row

    async def brief(self, connection: aiosqlite.Connection, sql: str, values: Sequence[Any]) -> Rows:
        """As `fetch`, here and now. Within a transaction that has begun nobody is waited for, and the thread,
        which will end it, has nothing to do meanwhile."""
        statement = self._statement(sql)
        with translated:
            here = connection._conn  # noqa: SLF001 - aiosqlite has no other way than through its thread
            rows: list[sqlite3.Row] = here.execute(statement.text, encoded(values)).fetchall()
        return statement.decoded(rows, lambda: rows[0].keys())  # noqa: PLW0108 - there may be no row

    @property
    def connections(self) -> tuple[int, int]:
        """Only the writer is known to be at work."""
        all_of_them = (self._connection, self._reader, self._points)
        return sum(connection is not None for connection in all_of_them), int(self._lock.locked())


class PointReader:
    """Reads on the event loop, where it is in everybody's way: so not for long, and waiting for nobody."""

    _opened = itertools.count()

    def __init__(self, file_path: str) -> None:
        self._connection = sqlite3.connect(
            _address(file_path), uri=True, isolation_level=None, timeout=0, cached_statements=STATEMENTS
        )
        try:
            self._connection.execute("PRAGMA query_only=ON")
            self._connection.set_progress_handler(self._is_long, TOLD_STEPS)
        except BaseException:
            self._connection.close()
            raise
        self._left = 0
        # Numbers of one connection are not those of another one.
        self._number = next(self._opened)

    def moment(self) -> tuple[int, int] | None:
        """By the number by which SQLite itself knows whether what it keeps of the file is as it was; it is
        another one whenever another connection has committed, and this one never does
        (https://www.sqlite.org/pragma.html#pragma_data_version)."""
        self._left = STEPS
        try:
            [version] = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        return self._number, version

    def rows(
        self, sql: str, values: Sequence[Any], steps: int
    ) -> tuple[list[tuple[Any, ...]], sqlite3.Cursor] | None:
        """None where it does not come to an end soon, or fails: whoever tries again finds out why."""
        self._left = steps
        try:
            cursor = self._connection.execute(sql, values)
            return cursor.fetchall(), cursor
        except sqlite3.Error:
            return None

    def _is_long(self) -> bool:
        """SQLite counts the steps of a statement's earlier runs too, so that the first are told of sooner."""
        self._left -= TOLD_STEPS
        return self._left < 0

    def close(self) -> None:
        self._connection.close()


async def _ended(connection: aiosqlite.Connection) -> None:
    """Closed, it only tells its thread to end, which may outlive the loop, or be in the way of a fork."""
    await asyncio.to_thread(connection._thread.join)  # noqa: SLF001 - there is no other way to wait


async def _set(connection: aiosqlite.Connection, pragma: str, value: object) -> None:
    """Of several that come to a new file at once, those that would wait for each other to make its journal
    another one are refused without having waited."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            await connection.execute_fetchall(f"PRAGMA {pragma}={value}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await asyncio.sleep(REFUSED_SECONDS)
        else:
            return


def _identity(file_path: str) -> tuple[int, int] | None:
    """Of the file that is at a path, if there is one."""
    with suppress(OSError):
        status = Path(file_path).stat()
        return status.st_dev, status.st_ino
    return None


def _address(file_path: str) -> str:
    return f"{Path(file_path).absolute().as_uri()}?mode=rw"


client_class = Client
