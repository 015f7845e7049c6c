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
from app.storage.failures import QUIET_SECONDS, kind
from app.storage.postgres import Client
from app.storage.statements import Rows

LOG = logging.getLogger(__name__)

# Up to there the log holds whatever has been committed and told so. What is in no file yet is not sent to
# replicas, and nobody has been told that it is committed, unless commits wait for no file.
POSITION = """SELECT CAST(CASE current_setting('synchronous_commit') WHEN 'off'
    THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0' AS bigint) AS position"""
TRIAL = "SELECT 1"
# What a read that is under way when the replica falls silent loses, before it goes to the primary.
WAIT_SECONDS = 1.0
# How long it is left alone before it is tried again.
AWAY_SECONDS = 1.0


def of_replica(error: WrongSetting) -> str:
    """What is wrong with its address, which is read as that of any database."""
    return str(error).replace("REGISTRY_DATABASE_URL", "REGISTRY_REPLICA_URL")


class Replica:
    """Runs statements of their own by the replica, or by the primary where that one is behind or away.

    While it is away no read waits for it: it is tried by a task of its own.
    """

    def __init__(self, primary: Client, url: str) -> None:
        self._primary = primary
        # It opens without a connection, for the replica may be away.
        self._replica = Client(url, "replica", wait=WAIT_SECONDS, minsize=0)
        self._position = Position(primary)
        # While it is away.
        self._trying: asyncio.Task[None] | None = None
        self._closed = False
        self._quiet_until = 0.0

    async def open(self) -> None:
        """Raises `WrongSetting` for an address that nothing can be made of."""
        try:
            await self._replica.open()
            await self._replica.read(TRIAL, ())
        except Problem as problem:
            self._is_away(problem)
        except WrongSetting as error:
            await self.close()
            raise WrongSetting(of_replica(error)) from error

    async def close(self) -> None:
        self._closed = True
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait([self._trying])
        await self._replica.close()

    async def read(self, sql: str, values: Sequence[Any]) -> Rows:
        rows = None
        if self._trying is None:
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
        self._tell(problem)
        if self._trying is None and not self._closed:
            self._trying = asyncio.create_task(self._try())

    async def _try(self) -> None:
        """Until it answers."""
        try:
            while not await self._answers():
                pass
        finally:
            self._trying = None

    async def _answers(self) -> bool:
        await asyncio.sleep(AWAY_SECONDS)
        try:
            await self._replica.read(TRIAL, ())
        except Problem as problem:
            self._tell(problem)
            return False
        return True

    def _tell(self, problem: Problem) -> None:
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            LOG.warning("The replica cannot be read (%s): the primary is", kind(problem.__cause__ or problem))


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
