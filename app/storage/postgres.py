"""PostgreSQL as a Tortoise engine that is given the whole address, so that `?sslmode=` and the like hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from asyncpg.protocol import NO_TIMEOUT  # type: ignore[import-untyped]  # as above
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from app.storage.failures import unavailable
from app.storage.loans import BROKEN, Loan, Loans
from app.storage.postgres_address import read_address
from app.storage.postgres_failures import translated, translated_open
from app.storage.statements import Rows, of_postgres, zoned
from app.storage.watch import Watch

# For a connection, and for an answer where the server itself does not say that it takes too long.
WAIT_SECONDS = 10.0
# Of how many statements it is remembered what their rows are.
STATEMENTS = 512
REPLAYED = "SELECT CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint)"


class Connection(asyncpg.Connection):  # type: ignore[misc]  # it has no types of its own
    """Knows, where it leads to a replica, up to where that one has got; it never goes back."""

    replayed = 0

    def itself(self) -> Connection:
        """For who has what the pool lends in its place, which passes every call on."""
        return self

    async def rows(self, sql: str, values: Sequence[Any]) -> Any:
        """As `fetch`; what has been prepared is carried out at once, without the steps between for options
        that nobody uses here, and without a timer."""
        statement = self._stmt_cache.get((sql, asyncpg.Record, False))
        if statement is None:
            return await self.fetch(sql, *values)
        try:
            return await self._protocol.bind_execute(statement, values, "", 0, False, NO_TIMEOUT)
        except asyncpg.InvalidCachedStatementError:
            # As `fetch` does it: all that is prepared may be out of date.
            self._drop_global_statement_cache()
            if self.is_in_transaction():
                raise
            return await self.fetch(sql, *values)

    def is_being_cancelled(self) -> bool:
        """Whether a statement was given up, and the server has not yet said that it has ended."""
        cancelled: bool = not self.is_closed() and self._protocol._is_cancelling()  # noqa: SLF001 - as its pool asks
        return cancelled

    def is_at_rest(self) -> bool:
        """Whether nothing is going on, and no transaction is open."""
        return not (self.is_being_cancelled() or self.is_in_transaction())

    async def come_to_rest(self) -> None:
        """Waits for what has been cancelled, then rolls back."""
        await self._protocol._wait_for_cancellation()  # noqa: SLF001 - as above
        if not self.is_closed() and self.is_in_transaction():
            await self.execute("ROLLBACK")

    async def has_replayed(self, position: int, *, anew: bool) -> bool:
        if anew or self.replayed < position:
            self.replayed = await self.fetchval(REPLAYED) or 0
        return self.replayed >= position


class Client(AsyncpgDBClient):
    """A pool of connections; what may stand in the address is told by `Address`.

    `options` are asyncpg's. Who is not `hurried` may take as long as it takes.
    """

    def __init__(
        self,
        dsn: str,
        connection_name: str,
        *,
        wait: float | None = None,
        hurried: bool = True,
        **options: Any,
    ) -> None:
        address = read_address(dsn, hurried=hurried)
        self.dsn, self.pooled = address.dsn, address.pooled
        self._limits = address.timeouts_in_transaction if address.pooled else ""
        self._wait = wait
        self._loans: Loans | None = None
        self._watch = Watch(self.wait if hurried else None)
        self._statement = lru_cache(STATEMENTS)(of_postgres)
        if address.cache_size is not None:
            options["statement_cache_size"] = address.cache_size
        if hurried:
            options["command_timeout"] = self.wait
        super().__init__(connection_name=connection_name, timeout=self.wait, **address.sizes | options)
        # A pooler knows the first two, and refuses others.
        self.server_settings |= {"timezone": "UTC", "datestyle": "ISO"}
        self.server_settings |= {} if address.pooled else address.timeouts

    @property
    def wait(self) -> float:
        return self._wait or WAIT_SECONDS

    async def open(self) -> None:
        with translated_open:
            await self.create_connection(with_db=True)
        self._loans = Loans(self._pool)

    async def close(self) -> None:
        loans, self._loans = self._loans, None
        if loans is not None:
            await loans.close()
        try:
            await super().close()
        finally:
            if loans is not None:
                await loans.ended()

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        """Connect as the address says; Tortoise's reading of it, here all defaults, would win over it."""
        options = {key: value for key, value in kwargs.items() if key not in _IN_ADDRESS}
        options["connection_class"] = Connection
        return await asyncpg.create_pool(self.dsn, init=_set_codecs, reset=_leave, **options)

    async def read(self, sql: str, values: Sequence[Any]) -> Rows:
        """By a statement of its own. Behind a pooler it is cut off from here, as others are by the server."""
        loans = self._loans
        if loans is None:
            raise unavailable()
        connection = loans.at_hand() or await loans.take(self.wait)
        try:
            rows = await self.fetch(connection, sql, values)
        except BaseException:
            await loans.drop(connection)
            raise
        if not loans.put(connection):
            await loans.back(connection)
        return rows

    # Nothing is nearer than the pool.
    point = read

    async def soon(
        self,
        sql: str,  # noqa: ARG002 - the signature of both databases
        values: Sequence[Any],  # noqa: ARG002
        steps: int,  # noqa: ARG002
    ) -> Rows | None:
        """It has no limit for one statement that would not cost a way to the server."""
        return None

    async def read_at(self, position: int, sql: str, values: Sequence[Any]) -> Rows | None:
        """As `read`, of a replica; None where it has not got up to a position of its primary's log.

        That is asked by a statement before, for a statement sees what was there when it began.
        """
        async with self._one_server() as connection:
            with translated:
                fresh = await connection.has_replayed(position, anew=self.pooled)
            return await self.fetch(connection, sql, values) if fresh else None

    def transaction(self) -> Transaction:
        """It begins with the savepoint that locks are given back to (`Session.give_back_locks`), which so
        costs no way to the server of its own."""
        return Transaction(self._lent(), f"BEGIN; {self._limits}SAVEPOINT locks")

    async def fetch(self, connection: asyncpg.Connection, sql: str, values: Sequence[Any]) -> Rows:
        with translated, self._watch:
            rows = await connection.rows(sql, zoned(values))
        return self._statement(sql).decoded(rows, lambda: list(rows[0].keys()))

    async def brief(self, connection: asyncpg.Connection, sql: str, values: Sequence[Any]) -> Rows:
        return await self.fetch(connection, sql, values)

    @property
    def connections(self) -> tuple[int, int]:
        return (0, 0) if self._loans is None else self._loans.number

    @asynccontextmanager
    async def _one_server(self) -> AsyncIterator[asyncpg.Connection]:
        """For several statements: a pooler would give each of them another connection of the server."""
        # Each statement sees what was there when it began, whatever the server's default is.
        begin = f"BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; {self._limits}"
        async with Transaction(self._lent(), begin) if self.pooled else self._lent() as connection:
            yield connection

    def _lent(self) -> Loan:
        if self._loans is None:
            raise unavailable()
        return self._loans.lend(self.wait)


class Transaction:
    """On a connection that is lent for it, as a context. It begins by one way to the server; asyncpg's own
    transactions would take one more for what follows BEGIN."""

    __slots__ = ("_begin", "_connection", "_loan")

    def __init__(self, loan: Loan, begin: str) -> None:
        self._loan = loan
        self._begin = begin

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await self._loan.__aenter__()
        try:
            await self._execute(self._begin)
        except BaseException as error:
            await self._roll_back(error)
            raise
        return self._connection

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None:
            await self._roll_back(error)
            return
        try:
            await self._execute("COMMIT")
        except BaseException as failure:
            await self._loan.end(failure)
            raise
        await self._loan.end(None)

    async def _execute(self, script: str) -> None:
        with translated:
            await self._connection.execute(script)

    async def _roll_back(self, error: BaseException) -> None:
        """Where the task was cancelled, or a statement was, that is done while nobody waits for it."""
        try:
            if isinstance(error, Exception) and not self._connection.is_being_cancelled():
                # A connection that cannot roll back is closed when it is given back.
                with suppress(*BROKEN):
                    await self._connection.execute("ROLLBACK")
        finally:
            await self._loan.end(error)


_IN_ADDRESS = {"host", "port", "user", "password", "database"}


async def _set_codecs(connection: asyncpg.Connection) -> None:
    """Ids and times, of which asyncpg would make objects, come as the server tells them, in UTC."""
    as_text: dict[str, Any] = {"schema": "pg_catalog", "format": "text"}
    await connection.set_type_codec("uuid", encoder=str, decoder=str, **as_text)
    await connection.set_type_codec("timestamptz", encoder=datetime.isoformat, decoder=str, **as_text)


async def _leave(_connection: asyncpg.Connection) -> None:
    """No statement of the service leaves anything on a connection beyond its transaction, which asyncpg
    rolls back itself; what it would do besides is one more way to the server and back for every read."""


client_class = Client
