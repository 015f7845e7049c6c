"""Rate limits: how many requests a caller may send in a time, counted by each process or in Redis by all.

A window begins with the caller's first request and ends when its time is over, whatever was sent meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from limits import parse
from limits.aio.storage import RedisStorage, Storage
from limits.errors import StorageError

from app.problems import Problem
from app.protocol.quotas import Standing

if TYPE_CHECKING:  # an optional dependency
    from redis.asyncio import BlockingConnectionPool

LOG = logging.getLogger("app.rate_limits")
# How long a request waits for Redis, how long Redis is then left alone, and how often that is told.
WAIT_SECONDS, PAUSE_SECONDS, SILENCE_SECONDS = 0.5, 5.0, 60.0
CONNECTIONS = 16
# How many windows that are over a request drops at most. It begins one at most, so they cannot pile up.
DROPPED = 2


class Windows:
    """The requests of each caller, counted in memory. All windows are equally long and so end in the order in
    which they began: those that are over are found without a look at the others, so that a request costs the
    same however many callers there are."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # How many requests, and when it ends by a clock that nobody sets; those that began first come first.
        # A common dictionary walks over all that was taken from its front to find what is first.
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def count(self, key: str) -> tuple[int, float]:
        """The requests in this window, this one among them, and the time at which it ends."""
        now = time.monotonic()
        self._drop(now)
        count, end = self._windows.get(key, (0, 0.0))
        if not count or end <= now:
            self._windows.pop(key, None)
            count, end = 0, now + self._seconds
        self._windows[key] = count + 1, end
        return count + 1, time.time() + end - now

    def _drop(self, now: float) -> None:
        for _ in range(min(DROPPED, len(self._windows))):
            first = next(iter(self._windows))
            if self._windows[first][1] > now:
                return
            del self._windows[first]


class RateLimits:
    """While Redis cannot be reached, each process counts by itself: refusing everybody would make the
    registry depend on it, and counting nothing would leave it open to a flood."""

    def __init__(self, limit: str, redis_url: str | None = None) -> None:
        """`limit` is such as `100/minute`."""
        self._limit = parse(limit)
        self._own = Windows(self._limit.get_expiry())
        self._pool = _pool(redis_url) if redis_url else None
        self._shared = _storage(redis_url, self._pool) if redis_url else None
        self._asked_again_at = self._told_again_at = -math.inf

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def fault(self) -> str | None:
        """Why Redis cannot be reached, if it cannot."""
        if self._pool is None:
            return None
        from redis.asyncio import Redis
        from redis.exceptions import RedisError

        # Its annotations leave open whether there is anything to wait for.
        redis: Any = Redis(connection_pool=self._pool)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await redis.ping()
        except (RedisError, OSError, TimeoutError) as error:
            return str(error) or "it does not answer"
        return None

    async def take(self, who: str) -> Standing:
        """What is left after this request. Raises `too-many-requests`."""
        count, end = await self._count(self._limit.key_for(who))
        quota, window = self._limit.amount, self._limit.get_expiry()
        seconds = min(max(math.ceil(end - time.time()), 1), window)
        standing = Standing(quota, window, max(quota - count, 0), seconds)
        if count > quota:
            raise Problem(
                "too-many-requests",
                f"There are {quota} requests in {window} seconds for each caller; "
                f"send the next one in {seconds} seconds.",
                headers=[("Retry-After", str(seconds)), *standing.fields],
            )
        return standing

    async def _count(self, key: str) -> tuple[int, float]:
        """The requests in this window, this one among them, and the time at which it ends."""
        if self._shared is not None and time.monotonic() >= self._asked_again_at:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    count = await self._shared.incr(key, self._limit.get_expiry())
                    return count, await self._shared.get_expiry(key)
            except (StorageError, TimeoutError) as error:
                self._leave_alone(error)
        return self._own.count(key)

    def _leave_alone(self, error: Exception) -> None:
        now = time.monotonic()
        self._asked_again_at = now + PAUSE_SECONDS
        if now >= self._told_again_at:
            self._told_again_at = now + SILENCE_SECONDS
            kind = type(error.__cause__ or error).__name__
            LOG.warning("Redis cannot be reached (%s): each process limits requests by itself", kind)


def _pool(url: str) -> BlockingConnectionPool:
    """One of our own, for the storage has no way to close its."""
    from redis.asyncio import BlockingConnectionPool

    return BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=WAIT_SECONDS)


def _storage(url: str, pool: object) -> Storage:
    options: dict[str, Any] = {"connection_pool": pool}
    return RedisStorage(url, wrap_exceptions=True, implementation="redispy", key_prefix="registry", **options)
