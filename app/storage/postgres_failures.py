"""What PostgreSQL says when a statement fails, read into what the service can act upon."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from tortoise.migrations.constraints import UniqueConstraint

from app.settings import WrongSetting
from app.storage.failures import Translated, UniqueViolation, unable, unavailable
from app.storage.tables import TABLES

# https://www.postgresql.org/docs/current/errcodes-appendix.html: what may be otherwise when the client tries
# again. Classes: connection, transaction rollback, resources, operator. Codes: a lock not had in time, a
# server that only reads, a transaction that was ended because it idled or took too long, a right that whoever
# looks after the database has not given yet.
UNAVAILABLE_CLASSES = ("08", "40", "53", "57")
UNAVAILABLE_CODES = ("55P03", "25006", "25P03", "25P04", "42501")
# Of these, what is said by a server that is not there for anybody, or for nobody more.
AWAY = ("08", "57P", "53300")
# Of what the address tells the server when connecting: no such setting, not this value, not at this time.
WRONG_PARAMETERS = (
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidParameterValueError,
    asyncpg.CantChangeRuntimeParamError,
)
# How asyncpg calls a connection that has ended, and one that has ended while it was lent out.
_GONE = ("closed", "closing", "has been released back to the pool")


def _unique_columns() -> dict[str, str]:
    """The columns of every unique constraint by its name: the ones PostgreSQL names, and ours."""
    columns = {}
    for model in TABLES:
        meta = model._meta  # noqa: SLF001 - Tortoise's public place for it
        columns[f"{meta.db_table}_pkey"] = meta.db_pk_column
        for field in meta.fields_map.values():
            if field.unique and not field.pk:
                columns[f"{meta.db_table}_{field.model_field_name}_key"] = field.model_field_name
        for constraint in meta.constraints:
            if isinstance(constraint, UniqueConstraint):
                columns[str(constraint.name)] = ",".join(constraint.fields)
    return columns


UNIQUE_COLUMNS = _unique_columns()


def translation(error: Exception) -> Exception | None:
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        # Prepared before a migration that changed what it selects; the next time it is prepared anew.
        return unable()
    if isinstance(error, asyncpg.UniqueViolationError):
        name = error.constraint_name or ""
        return UniqueViolation(error.table_name or "", UNIQUE_COLUMNS.get(name, name))
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        if code[:2] not in UNAVAILABLE_CLASSES and code not in UNAVAILABLE_CODES:
            return None
        return unavailable() if code.startswith(AWAY) else unable()
    # Other InterfaceErrors are mistakes in the use of asyncpg. An InternalClientError is a connection that
    # the server has left in the middle of something, from which asyncpg has not yet drawn the conclusion.
    gone = isinstance(error, asyncpg.InterfaceError) and any(words in str(error) for words in _GONE)
    return unavailable() if gone or isinstance(error, (OSError, asyncpg.InternalClientError)) else None


def connect_translation(error: Exception) -> Exception | None:
    """Whoever is refused, by password or by the name of the database, does not reach it."""
    if isinstance(error, asyncpg.ClientConfigurationError):
        return WrongSetting(f"REGISTRY_DATABASE_URL: {error}.")
    return unavailable() if isinstance(error, asyncpg.PostgresError) else translation(error)


def open_translation(error: Exception) -> Exception | None:
    """At the start what the server does not take of an address is wrong; later the server has changed."""
    if isinstance(error, WRONG_PARAMETERS):
        return WrongSetting(f"REGISTRY_DATABASE_URL: {error.args[0]}.")
    return connect_translation(error)


translated, translated_connect = Translated(translation), Translated(connect_translation)
translated_open = Translated(open_translation)
