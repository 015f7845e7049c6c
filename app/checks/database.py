"""The database: where it is, whether it answers, whether it is up to date, and whether its clock is right."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from app.checks.check import OWNER, Check, failed, ok, skipped
from app.checks.clocks import compared
from app.problems import Problem
from app.settings import Settings, WrongSetting
from app.storage.database import Database

KINDS = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
NAMES = ("database", "migrations", "clock of the database")


async def database(settings: Settings) -> AsyncIterator[Check]:
    """What needs a database that answers is skipped where there is none."""
    name, migrations, clock = NAMES
    there = Database(settings.database_url)
    kind = KINDS[there.dialect]
    try:
        await there.open()
        pending = await there.pending_migrations()
        now = await there.clock()
    except (Problem, WrongSetting, PermissionError) as error:
        reason = error.with_cause if isinstance(error, Problem) else error
        yield failed(name, f"{kind}: {reason}", OWNER if isinstance(error, PermissionError) else _mend(there))
        yield skipped(migrations, "no database")
        yield skipped(clock, "no database")
        return
    finally:
        await there.close()
    if there.file is not None and not os.access(there.file, os.W_OK):
        yield failed(name, f"{kind} at {there.file} cannot be written to", OWNER)
    else:
        yield ok(name, f"{kind} at {there.file}" if there.file else f"{kind} answers")
    if pending:
        yield failed(migrations, f"{', '.join(pending)} not applied", "Run `instance-registry migrate`.")
    else:
        yield ok(migrations, "none is pending")
    yield compared(clock, now, datetime.now(UTC), "the database") if now else skipped(clock, "it has none")


def _mend(there: Database) -> str:
    if there.file is not None and not there.file.exists():
        return "Run `instance-registry migrate`, or set REGISTRY_DATABASE_URL to where the database is."
    if there.file is not None:
        return "See to it that the file is whole, can be read, and is not locked by another process for long."
    return "Start the database, or mend REGISTRY_DATABASE_URL: its host, user, password and name."
