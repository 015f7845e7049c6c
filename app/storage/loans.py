"""Loans: connections to PostgreSQL, lent to one statement or transaction at a time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from types import TracebackType

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own

from app.storage.postgres_failures import translated, translated_connect

# So often all connections go back to the pool, which closes those that are not used, or have been for very
# long.
RETURN_SECONDS = 10.0
# So long the server has for ending what nobody waits for any more, before it loses the connection.
ENDING_SECONDS = 2.0
# What a connection that has ended, or has been left in the middle of something, says.
BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class Loans:
    """What is given back whole waits for the next here: asyncpg's pool makes a task and two timers each time,
    which take longer than a read does."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: list[asyncpg.Connection] = []
        # What the pool has lent in the place of each connection.
        self._lent: dict[asyncpg.Connection, asyncpg.pool.PoolConnectionProxy] = {}
        self._wanted = 0
        self._returned = time.monotonic()
        self._closed = False
        self._ending: set[asyncio.Task[None]] = set()

    def lend(self, wait: float) -> Loan:
        """It is waited for so many seconds, where all are lent."""
        return Loan(self, wait)

    @property
    def number(self) -> tuple[int, int]:
        """How many connections there are, and how many of them are lent."""
        there: int = self._pool.get_size()
        waiting = sum(not connection.is_closed() for connection in self._waiting)
        return there, there - self._pool.get_idle_size() - waiting

    def at_hand(self) -> asyncpg.Connection | None:
        """One that has not to be waited for, if there is any. It is given back as what was taken: by `put`,
        else by `back`; by `drop` after an error."""
        if self._waiting and not self._waiting[-1].is_closed():
            return self._waiting.pop()
        return None

    def put(self, connection: asyncpg.Connection) -> bool:
        """For the next; False where it has to go `back` to the pool."""
        if self._wanted or self._closed or time.monotonic() - self._returned > RETURN_SECONDS:
            return False
        self._waiting.append(connection)
        return True

    async def back(self, connection: asyncpg.Connection) -> None:
        """By way of the pool, for who waits there; where nobody does, with all others that wait here."""
        self._returned = time.monotonic()
        await self.drop(connection)
        if not self._wanted:
            await self.end()

    async def take(self, wait: float) -> asyncpg.Connection:
        while self._waiting:
            connection = self._waiting.pop()
            if not connection.is_closed():
                return connection
            await self.drop(connection)
        self._wanted += 1
        try:
            with translated_connect:
                lent = await self._pool.acquire(timeout=wait)
                # It raises for one that asyncpg has taken away meanwhile.
                lent.is_closed()
        finally:
            self._wanted -= 1
        connection = lent.itself()
        self._lent[connection] = lent
        return connection

    async def drop(self, connection: asyncpg.Connection) -> None:
        """To the pool, which closes it if it is broken. What is still going on is ended, and nobody waits for
        that: the server may have fallen silent, and a request has its answer when its own time is over."""
        lent = self._lent.pop(connection)
        if connection.is_closed() or connection.is_at_rest():
            with translated:
                await self._pool.release(lent)
            return
        ending = asyncio.create_task(self._end(connection, lent))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _end(self, connection: asyncpg.Connection, lent: asyncpg.pool.PoolConnectionProxy) -> None:
        try:
            with suppress(*BROKEN):
                async with asyncio.timeout(ENDING_SECONDS):
                    await connection.come_to_rest()
        finally:
            if not connection.is_closed() and not connection.is_at_rest():
                connection.terminate()
            # Where that goes wrong, the pool has closed the connection.
            with suppress(*BROKEN):
                await self._pool.release(lent)

    async def close(self) -> None:
        """From here on all that is given back goes to the pool, which can close then."""
        self._closed = True
        await self.end()

    async def ended(self) -> None:
        """Once nothing is being ended any more."""
        while self._ending:
            await asyncio.wait(self._ending)

    async def end(self) -> None:
        while self._waiting:
            await self.drop(self._waiting.pop())


class Loan:
    """Of a connection, which it opens and closes as a context."""

    __slots__ = ("_connection", "_loans", "_wait")

    def __init__(self, loans: Loans, wait: float) -> None:
        self._loans = loans
        self._wait = wait

    async def __aenter__(self) -> asyncpg.Connection:
        self._connection = await self._loans.take(self._wait)
        return self._connection

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.end(error)

    async def end(self, error: BaseException | None) -> None:
        """Of what went wrong, if anything did."""
        if error is not None:
            await self._loans.drop(self._connection)
        elif not self._loans.put(self._connection):
            await self._loans.back(self._connection)
