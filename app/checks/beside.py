"""What the service uses and can do without: a replica that is read, and a Redis that counts requests."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.checks.check import Check, ok, warning
from app.problems import Problem
from app.settings import Settings, WrongSetting
from app.storage.database import Database
from app.storage.replica import of_replica

MEND_REPLICA = (
    "Start it as a replica of the database, or mend REGISTRY_REPLICA_URL; the primary is read meanwhile."
)
MEND_REDIS = "Start it, or mend REGISTRY_RATE_LIMIT_STORAGE; each process counts by itself meanwhile."


async def replica(settings: Settings) -> AsyncIterator[Check]:
    if settings.replica_url is not None:
        yield await _replica(settings.replica_url)


async def redis(settings: Settings) -> AsyncIterator[Check]:
    if settings.rate_limit is not None and settings.rate_limit_storage is not None:
        yield await _redis(settings.rate_limit, settings.rate_limit_storage)


async def _replica(url: str) -> Check:
    name, there = "replica", Database(url)
    try:
        await there.open()
        [row] = await there.reading().rows("SELECT pg_is_in_recovery() AS follows")
        pending = await there.pending_migrations()
    except Problem as problem:
        return warning(name, problem.with_cause, MEND_REPLICA)
    except WrongSetting as error:
        return warning(name, of_replica(error), MEND_REPLICA)
    finally:
        await there.close()
    if not row["follows"]:
        return warning(name, "PostgreSQL answers, but follows no primary", MEND_REPLICA)
    if pending:
        return warning(name, f"{', '.join(pending)} not there yet", "Wait, or see why it does not follow.")
    return ok(name, "PostgreSQL answers and follows a primary")


async def _redis(limit: str, url: str) -> Check:
    # Its library is an optional dependency, and imported only where something is limited.
    from app.rate_limits import RateLimits

    limits = RateLimits(limit, url)
    try:
        fault = await limits.fault()
    finally:
        await limits.close()
    return ok("Redis", "it answers") if fault is None else warning("Redis", fault, MEND_REDIS)
