"""A replica of PostgreSQL, which answers a read only when it has all that was committed before the read came.

What has been written, by whomever and through whichever process, is seen at once, as without a replica: every
read asks the primary how far its log goes, and the replica whether it has got there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from app.problems import Problem
from app.settings import WrongSetting
from app.storage.postgres import Client
from app.storage.statements import Rows

LOG = logging.getLogger(__name__)

# Up to there the log holds whatever has been committed and told so. What is in no file yet is not sent to
# replicas, and nobody has been told that it is committed, unless commits wait for no file.
POSITION = """SELECT CAST(CASE current_setting('synchronous_commit') WHEN 'off'
    THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0' AS bigint) AS position"""
# What a read loses at most by a replica that says nothing, before it goes to the primary.
WAIT_SECONDS = 1.0
# How long nobody tries it again, and how long nothing more is logged.
AWAY_SECONDS = 1.0
QUIET_SECONDS = 60.0


class Replica:
    """Runs statements of their own by the replica, or by the primary where that one is behind or away."""

    def __init__(self, primary: Client, url: str) -> None:
        self._primary = primary
        # It opens without a connection, for the replica may be away.
        self._replica = Client(url, "replica", wait=WAIT_SECONDS, minsize=0)
        self._position = Position(primary)
        self._away_until = 0.0
        self._quiet_until = 0.0

    async def open(self) -> None:
        """Raises `WrongSetting` for an address that nothing can be made of."""
        try:
            await self._replica.open()
            await self._replica.read("SELECT 1", ())
        except Problem as problem:
            self._is_away(problem)
        except WrongSetting as error:
            await self.close()
            raise WrongSetting(str(error).replace("REGISTRY_DATABASE_URL", "REGISTRY_REPLICA_URL")) from error

    async def close(self) -> None:
        await self._replica.close()

    async def read(self, sql: str, values: Sequence[Any]) -> Rows:
        rows = None
        if time.monotonic() >= self._away_until:
            position = await self._position.now()
            try:
                rows = await self._replica.read_at(position, sql, values)
            except Problem as problem:
                self._is_away(problem)
        return await self._primary.read(sql, values) if rows is None else rows

    point = read

    async def soon(self, sql: str, values: Sequence[Any], steps: int) -> Rows | None:
        return await self._primary.soon(sql, values, steps)

    async def fetch(self, connection: Any, sql: str, values: Sequence[Any]) -> Rows:
        """In a transaction, which is the primary's."""
        return await self._primary.fetch(connection, sql, values)

    async def brief(self, connection: Any, sql: str, values: Sequence[Any]) -> Rows:
        """As `fetch`."""
        return await self._primary.brief(connection, sql, values)

    @property
    def connections(self) -> tuple[int, int]:
        return self._replica.connections

    def _is_away(self, problem: Problem) -> None:
        now = time.monotonic()
        self._away_until = now + AWAY_SECONDS
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            kind = type(problem.__cause__).__name__
            LOG.warning("The replica cannot be read (%s): the primary is", kind)


class Position:
    """How far the primary's log goes. Those who ask while an answer is on its way share the next one: theirs
    has to be asked after they came."""

    def __init__(self, primary: Client) -> None:
        self._primary = primary
        self._asked: asyncio.Task[int] | None = None
        self._next: asyncio.Task[int] | None = None

    async def now(self) -> int:
        if self._next is None:
            self._next = asyncio.create_task(self._ask(self._asked))
            self._next.add_done_callback(_looked_at)
        # Who is cancelled takes nothing from the others.
        return await asyncio.shield(self._next)

    async def _ask(self, before: asyncio.Task[int] | None) -> int:
        if before is not None:
            await asyncio.wait([before])
        self._asked, self._next = self._next, None
        [row] = await self._primary.read(POSITION, ())
        position: int = row["position"]
        return position


def _looked_at(task: asyncio.Task[int]) -> None:
    """Where nobody waits any longer, nobody misses what it says."""
    if not task.cancelled():
        task.exception()
