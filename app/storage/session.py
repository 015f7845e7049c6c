"""Session: what statements are run by, alike on both databases, and the two that almost every write is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from pypika_tortoise.queries import Query, QueryBuilder
from pypika_tortoise.terms import Criterion
from tortoise.models import Model

from app.storage import postgres, sqlite
from app.storage.acts import Note
from app.storage.tables import Organization, table

Dialect = Literal["sqlite", "postgres"]


class Session:
    """Runs statements, each on its own or all in one transaction.

    Values may be `str` or `UUID` for ids, and aware `datetime`s. Rows come back as dictionaries by column:
    ids as `str`, times as `2026-01-01T00:00:00.000000Z`. A time must be selected under the name that its
    column has in its table, because SQLite has no type to tell it by.

    `notes` are what becomes activities at the end of the transaction.

    Raises `UniqueViolation`, and `Problem("unavailable")` for what may pass; all else is a fault of ours.
    """

    def __init__(
        self,
        dialect: Dialect,
        client: sqlite.Client | postgres.Client,
        acquire: Callable[[], AbstractAsyncContextManager[Any]],
    ) -> None:
        self.dialect = dialect
        self._client = client
        self._acquire = acquire
        self.notes: list[Note] = []

    @property
    def query(self) -> type[Query]:
        """What queries are built with: `session.query.from_(table(Instance)).select("id")`."""
        return self._client.query_class

    async def rows(self, query: QueryBuilder) -> list[dict[str, Any]]:
        """The rows that a query selects, or that a statement with `returning` returns."""
        return await self._fetch(*self._parameterized(query))

    async def run(self, query: QueryBuilder) -> int:
        """How many rows the statement inserted, updated or deleted."""
        sql, values = self._parameterized(query)
        async with self._acquire() as connection:
            return await self._client.execute(connection, sql, _zoned(values))

    async def rows_sql(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a statement that the builder has no words for; `$1` is its first value, on both."""
        return await self._fetch(self._client.raw(sql), values)

    async def lock_organization(self, organization_id: str) -> bool:
        """Whether there is a row of this organization, deleted or not; other writers to it wait from here on.

        On SQLite the transaction has made them wait already. On PostgreSQL the lock leaves the row open to
        be referred to, so that who writes an activity about two organizations does not meet a deadlock.
        """
        lock = " FOR NO KEY UPDATE" if self.dialect == "postgres" else ""
        organization = table(Organization).get_table_name()
        sql = f'SELECT "id" FROM "{organization}" WHERE "id" = $1{lock}'
        return bool(await self.rows_sql(sql, [organization_id]))

    async def lock_email(self, key: str) -> None:
        """Who adds a member by an e-mail address waits for the partner who is just proving to have it."""
        if self.dialect == "postgres":
            await self.rows_sql("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [f"email {key}"])

    async def _fetch(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        async with self._acquire() as connection:
            return await self._client.fetch(connection, sql, _zoned(values))

    def _parameterized(self, query: QueryBuilder) -> tuple[str, list[Any]]:
        return query.get_parameterized_sql(self.query.SQL_CONTEXT)


def _zoned(values: Sequence[Any]) -> list[Any]:
    """Times in UTC. One without a zone is refused: asyncpg would take it for the machine's own time."""
    return [_in_utc(value) if isinstance(value, datetime) else value for value in values]


def _in_utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError(f"{time} does not say which time zone it is in")
    return time.astimezone(UTC)


async def insert(session: Session, model: type[Model], values: Mapping[str, Any]) -> int | None:
    """Insert a row; `values` by column. Answers the key where the database makes it (`Activity.sequence`)."""
    rows = await session.rows_sql(_insertion(model, tuple(values)), list(values.values()))
    return int(next(iter(rows[0].values()))) if rows else None


@cache
def _insertion(model: type[Model], columns: tuple[str, ...]) -> str:
    """Written once for all rows: building it anew takes longer than the database does."""
    meta = model._meta  # noqa: SLF001 - Tortoise's public place for it
    names, places = (
        ", ".join(f'"{name}"' for name in columns),
        ", ".join(f"${n}" for n, _ in enumerate(columns, 1)),
    )
    returning = f' RETURNING "{meta.db_pk_column}"' if meta.pk.generated else ""
    return f'INSERT INTO "{meta.db_table}" ({names}) VALUES ({places}){returning}'


async def update(
    session: Session, model: type[Model], values: Mapping[str, Any], *, where: Mapping[str, Any]
) -> int:
    """Update the rows in which every column of `where` has its value (`None`: has none); answers how many."""
    target = table(model)
    statement = session.query.update(target)
    for column, value in values.items():
        statement = statement.set(column, value)
    criteria = [
        target[column].isnull() if value is None else target[column] == value
        for column, value in where.items()
    ]
    return await session.run(statement.where(Criterion.all(criteria)))
