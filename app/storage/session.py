"""Session: what statements are run by, alike on both databases, and the two that almost every write is."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Literal, Protocol, cast

from tortoise.models import Model

from app.storage.acts import Note
from app.storage.statements import Rows, as_kept

Dialect = Literal["sqlite", "postgres"]
# Of SQLite's machine: what may be done while everybody waits. A record by its id takes some 200, a page of
# 30 some 3,500, as a progress handler counts them.
STEPS = 10_000


class Client(Protocol):
    """What a session needs of either database: statements of their own, and on a given connection."""

    async def read(self, sql: str, values: Sequence[Any]) -> Rows: ...

    async def point(self, sql: str, values: Sequence[Any]) -> Rows: ...

    async def fetch(self, connection: Any, sql: str, values: Sequence[Any]) -> Rows: ...

    async def soon(self, sql: str, values: Sequence[Any], steps: int) -> Rows | None: ...

    async def brief(self, connection: Any, sql: str, values: Sequence[Any]) -> Rows: ...


class Ended:
    """In the place of a client, where nothing may be asked any more."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("The transaction has written its last, and nothing may come after it.")


class Session:
    """Runs statements, each on its own or all in one transaction.

    Values may be `str` or `UUID` for ids, and aware `datetime`s. Rows come back as dictionaries by column:
    ids as `str`, times as `2026-01-01T00:00:00.000000Z`. A time must be selected under the name that its
    column has in its table, because SQLite has no type to tell it by.

    `notes` are what becomes activities at the end of the transaction. `single` is one that makes a single
    change, so that its activity can be written with it.

    Raises `UniqueViolation`, and `Problem("unavailable")` for what may pass; all else is a fault of ours.
    """

    def __init__(
        self,
        dialect: Dialect,
        client: Client,
        connection: Any = None,
        *,
        single: bool = False,
    ) -> None:
        self.dialect = dialect
        self._client = client
        self._connection = connection
        self.notes: list[Note] = []
        self.single = single

    def end(self) -> None:
        """Nothing is left but the commit: whoever asked for more now would keep all who write waiting, or
        wait for one of them."""
        self._client = cast("Client", Ended())

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Awaitable[Rows]:
        """The rows that a statement selects or returns; `$1` is its first value, on both databases."""
        if self._connection is None:
            return self._client.read(sql, values)
        return self._client.fetch(self._connection, sql, values)

    def point(self, sql: str, values: Sequence[Any] = ()) -> Awaitable[Rows]:
        """As `rows`, of a SELECT that looks at a few rows by index; never of a list, a search or a count.

        SQLite answers it sooner than a thread could be asked.
        """
        if self._connection is None:
            return self._client.point(sql, values)
        return self._client.brief(self._connection, sql, values)

    async def soon(self, sql: str, values: Sequence[Any], steps: int = STEPS) -> Rows | None:
        """As `point`; None where it would take longer, or where the database cannot tell that by the way.

        `steps` are of SQLite's machine.
        """
        return None if self._connection else await self._client.soon(sql, values, steps)

    def brief(self, sql: str, values: Sequence[Any] = ()) -> Awaitable[Rows]:
        """As `rows`, of an INSERT, UPDATE or DELETE of one row: sooner where a transaction has begun."""
        if self._connection is None:
            return self._client.read(sql, values)
        return self._client.brief(self._connection, sql, values)

    def time(self, told: str) -> Any:
        """The value of a time that was told by a row."""
        return as_kept(told) if self.dialect == "sqlite" else datetime.fromisoformat(told)

    async def begin_locking(self) -> None:
        """Before locks that `give_back_locks` may have to undo, where something was done or locked before."""
        if self.dialect == "postgres":
            await self.rows("SAVEPOINT locks")

    async def give_back_locks(self) -> None:
        """Undo all since `begin_locking`, or since the transaction began, for other locks are needed: who
        kept these while waiting for those might be waited for by who has them."""
        if self.dialect == "postgres":
            await self.rows("ROLLBACK TO SAVEPOINT locks")

    async def lock_organizations(self, condition: str, values: Sequence[Any]) -> set[str]:
        """Which organizations, deleted or not, fulfil an SQL condition; other writers to them wait from here
        on. All lock in one order.

        On SQLite the transaction has made them wait already. On PostgreSQL the lock leaves the rows open to
        be referred to, so that who writes an activity about two organizations does not meet a deadlock.
        """
        lock = " FOR NO KEY UPDATE" if self.dialect == "postgres" else ""
        rows = await self.rows(f"SELECT id FROM organization WHERE {condition} ORDER BY id{lock}", values)
        return {row["id"] for row in rows}

    async def lock_lists(self, partner_id: str) -> None:
        """Who adds to a list of its own that has to be as it read it waits for who does so as the same
        partner: what is in it belongs to nothing that could be locked. It is the first lock of all."""
        await self._lock(f"lists {partner_id}")

    async def lock_coming(self, key: str) -> None:
        """Who proves to have an e-mail address and who imports for it take turns: else the former would find
        ever more organizations to be locked, batch after batch. It is locked before organizations."""
        await self._lock(f"coming {key}")

    async def lock_email(self, key: str) -> None:
        """Who adds a member by an e-mail address waits for the partner who is just proving to have it."""
        await self._lock(f"email {key}")

    async def _lock(self, text: str) -> None:
        """On SQLite the transaction has made all others wait already."""
        if self.dialect == "postgres":
            await self.rows("SELECT pg_advisory_xact_lock($1)", [lock_number(text)])


def lock_number(text: str) -> int:
    """What PostgreSQL locks by in place of a text: 64 bits of its hash, with a sign."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)


async def insert(session: Session, model: type[Model], values: Mapping[str, Any]) -> int | None:
    """Insert a row; `values` by column. Answers the key where the database makes it (`Activity.sequence`)."""
    rows = await session.brief(insertion(model, tuple(values)), list(values.values()))
    return int(next(iter(rows[0].values()))) if rows else None


@cache
def insertion(model: type[Model], columns: tuple[str, ...], first: int = 1, where: str = "") -> str:
    """Written once for all rows: building it anew takes longer than the database does. `first` is the number
    of the first value, `where` a condition for inserting anything."""
    meta = model._meta  # noqa: SLF001 - Tortoise's public place for it
    names, places = (
        ", ".join(f'"{name}"' for name in columns),
        ", ".join(f"${n}" for n, _ in enumerate(columns, first)),
    )
    returning = f' RETURNING "{meta.db_pk_column}"' if meta.pk.generated else ""
    row = f"SELECT {places} WHERE {where}" if where else f"VALUES ({places})"
    return f'INSERT INTO "{meta.db_table}" ({names}) {row}{returning}'


async def update(
    session: Session, model: type[Model], values: Mapping[str, Any], *, where: Mapping[str, Any]
) -> int:
    """Update the rows in which every column of `where` has its value (`None`: has none); answers how many."""
    return len(await session.brief(*modification(model, values, where)))


def modification(
    model: type[Model], values: Mapping[str, Any], where: Mapping[str, Any], first: int = 1, also: str = ""
) -> tuple[str, list[Any]]:
    """The statement of `update`, and its values, of which the first has the number `first`; `also` is one
    more condition."""
    same = tuple(column for column, value in where.items() if value is not None)
    absent = tuple(column for column in where if column not in same)
    sql = _modification(model, tuple(values), same, absent, first, also)
    return sql, [*values.values(), *(where[column] for column in same)]


@cache
def _modification(
    model: type[Model],
    changed: tuple[str, ...],
    same: tuple[str, ...],
    absent: tuple[str, ...],
    first: int,
    also: str,
) -> str:
    meta = model._meta  # noqa: SLF001 - Tortoise's public place for it
    settings = ", ".join(f'"{column}" = ${n}' for n, column in enumerate(changed, first))
    conditions = [
        *(f'"{column}" = ${n}' for n, column in enumerate(same, first + len(changed))),
        *(f'"{column}" IS NULL' for column in absent),
        *([also] if also else []),
    ]
    condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f'UPDATE "{meta.db_table}" SET {settings}{condition} RETURNING "{meta.db_pk_column}"'
