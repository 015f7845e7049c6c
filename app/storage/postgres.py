"""PostgreSQL as a Tortoise engine that is given the whole address, so that `?sslmode=` and the like hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.migrations.constraints import UniqueConstraint

from app.settings import WrongSetting
from app.storage.failures import Translated, UniqueViolation, unavailable
from app.storage.tables import TABLES

WAIT_SECONDS = 10.0
POOL_SIZES = {"minsize": 1, "maxsize": 10}

# https://www.postgresql.org/docs/current/errcodes-appendix.html: what may be otherwise when the client tries
# again. Classes: connection, transaction rollback, resources, operator. Codes: a lock not had in time, a
# server that only reads, a transaction that was ended because it idled or took too long.
UNAVAILABLE_CLASSES = ("08", "40", "53", "57")
UNAVAILABLE_CODES = ("55P03", "25006", "25P03", "25P04")


class Client(AsyncpgDBClient):
    """A pool of connections; `options` are asyncpg's, `minsize` and `maxsize` may stand in the address."""

    def __init__(self, dsn: str, connection_name: str, **options: Any) -> None:
        self.dsn, sizes = _split_pool_sizes(dsn)
        options |= sizes
        super().__init__(connection_name=connection_name, timeout=WAIT_SECONDS, **options)
        self.server_settings |= {"timezone": "UTC", "datestyle": "ISO"}

    async def open(self) -> None:
        with translated_connect:
            await self.create_connection(with_db=True)

    async def create_pool(self, **kwargs: Any) -> asyncpg.Pool:
        """Connect as the address says; Tortoise's reading of it, here all defaults, would win over it."""
        options = {key: value for key, value in kwargs.items() if key not in _IN_ADDRESS}
        return await asyncpg.create_pool(self.dsn, init=_set_codecs, reset=_leave, **options)

    async def read(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """By a statement of its own."""
        async with self._acquired() as connection:
            return await self.fetch(connection, sql, values)

    # Nothing is nearer than the pool.
    point = read

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[asyncpg.Connection]:
        if self._pool is None:
            raise unavailable()
        pool = self._pool
        with translated_connect:
            connection = await pool.acquire(timeout=WAIT_SECONDS)
        try:
            yield connection
        finally:
            with translated:
                await pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._acquired() as connection:
            transaction = connection.transaction()
            with translated:
                await transaction.start()
            try:
                yield connection
            except BaseException:
                # A connection that cannot roll back is closed when the pool takes it back.
                with suppress(*_BROKEN):
                    await transaction.rollback()
                raise
            with translated:
                await transaction.commit()

    async def fetch(
        self, connection: asyncpg.Connection, sql: str, values: Sequence[Any]
    ) -> list[dict[str, Any]]:
        with translated:
            rows = await connection.fetch(sql, *values)
        return [dict(row) for row in rows]

    @property
    def connections(self) -> tuple[int, int]:
        if self._pool is None:
            return 0, 0
        there: int = self._pool.get_size()
        return there, there - self._pool.get_idle_size()


_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_SECONDS = len("00:00:00")
_IN_ADDRESS = {"host", "port", "user", "password", "database"}


def _split_pool_sizes(dsn: str) -> tuple[str, dict[str, int]]:
    """asyncpg would send every parameter that it does not know to the server as a setting."""
    parts = urlsplit(dsn)
    parameters = parse_qsl(parts.query)
    sizes = {**POOL_SIZES, **{key: int(value) for key, value in parameters if key in POOL_SIZES}}
    query = urlencode([(key, value) for key, value in parameters if key not in POOL_SIZES])
    return urlunsplit(parts._replace(query=query)), sizes


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
    if isinstance(error, asyncpg.UniqueViolationError):
        name = error.constraint_name or ""
        return UniqueViolation(error.table_name or "", UNIQUE_COLUMNS.get(name, name))
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return unavailable() if code[:2] in UNAVAILABLE_CLASSES or code in UNAVAILABLE_CODES else None
    # Other InterfaceErrors are mistakes in the use of asyncpg. An InternalClientError is a connection that
    # the server has left in the middle of something, from which asyncpg has not yet drawn the conclusion.
    closed = isinstance(error, asyncpg.InterfaceError) and ("closed" in str(error) or "closing" in str(error))
    return unavailable() if closed or isinstance(error, (OSError, asyncpg.InternalClientError)) else None


def connect_translation(error: Exception) -> Exception | None:
    """Whoever is refused, by password or by the name of the database, does not reach it."""
    if isinstance(error, asyncpg.ClientConfigurationError):
        return WrongSetting(f"REGISTRY_DATABASE_URL: {error}.")
    return unavailable() if isinstance(error, asyncpg.PostgresError) else translation(error)


translated, translated_connect = Translated(translation), Translated(connect_translation)


async def _set_codecs(connection: asyncpg.Connection) -> None:
    """Ids and times come as the service tells them, which asyncpg would make objects of."""
    as_text: dict[str, Any] = {"schema": "pg_catalog", "format": "text"}
    await connection.set_type_codec("uuid", encoder=str, decoder=str, **as_text)
    await connection.set_type_codec("timestamptz", encoder=datetime.isoformat, decoder=_time, **as_text)


def _time(text: str) -> str:
    """Of `2026-01-01 00:00:00.5+00`, in UTC, as the connection is set to tell it."""
    time = text[11:-3]
    return f"{text[:10]}T{time.ljust(15, '0') if len(time) > _SECONDS else time + '.000000'}Z"


async def _leave(_connection: asyncpg.Connection) -> None:
    """No statement of the service leaves anything on a connection beyond its transaction, which asyncpg
    rolls back itself; what it would do besides is one more way to the server and back for every read."""


client_class = Client
