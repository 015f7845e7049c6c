"""Records: what the tables hold, found within what a caller may see.

Who may see a row is one condition of the query that reads it, never a filter afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from app.caller import READ_ALL, Caller
from app.storage.attempts import Attempt, Grounds
from app.storage.kinds import ANYTHING, KINDS, MINE, OWNED, Kind
from app.storage.session import Dialect, Session
from app.storage.statements import Rows
from app.storage.tables import TIME_COLUMNS

# Whether the caller is an owner of any organization that is there. For IN, SQLite would read all of its own.
OWNS_ANY = """EXISTS (SELECT 1 FROM membership mine CROSS JOIN organization owned
    WHERE mine.partner_id = $1 AND mine.role = 'owner'
    AND owned.id = mine.organization_id AND owned.deleted_at IS NULL)"""


# Classes whose records are shown with others inside them.
WITH_PARTS = frozenset({"Organization"})


@dataclass(slots=True, eq=False)
class Record:
    """A row of its kind. Of the dozens in a list few are asked for more than what is shown of them.

    `values` are by JSON key, and by the names that addresses need; others stand there too. One of a list has
    no version, and tells nothing of its state (`selected`). `roles` are what the caller is to it: local names
    of roles. `named` is whether the caller may know no more of it than what it is called.
    """

    kind: Kind
    values: Mapping[str, Any]
    roles: frozenset[str]
    named: bool

    @property
    def class_name(self) -> str:
        return self.kind.class_name

    @property
    def id(self) -> str:
        return str(self.values["id"])

    @property
    def version(self) -> int:
        return int(self.values["version"])

    @property
    def deleted_at(self) -> str | None:
        at: str | None = self.values["deleted_at"]
        return at

    @property
    def withheld(self) -> frozenset[str]:
        """Methods that its state does not allow now."""
        return frozenset(method for method, column in self.kind.withheld_columns if self.values[column])

    @property
    def concerned(self) -> tuple[str, ...]:
        """The organizations that a change of it concerns."""
        return tuple(str(self.values[name]) for name in self.kind.concerned)

    @property
    def parent_id(self) -> str | None:
        """What its address tells beside its id."""
        return str(self.values[self.kind.within]) if self.kind.within else None


def reads_all(caller: Caller) -> bool:
    return READ_ALL in caller.scopes


async def find(session: Session, class_name: str, caller: Caller, column: str, value: str) -> Record | None:
    """The record with this value in a unique column, deleted or not; None where the caller sees none."""
    kind, everything = KINDS[class_name], reads_all(caller)
    sql = _finding(class_name, everything, column, session.dialect)
    rows = await session.point(sql, [caller.partner_id, value])
    return read_row(kind, rows[0], everything) if rows else None


@cache
def _finding(class_name: str, everything: bool, column: str, dialect: Dialect) -> str:
    kind = KINDS[class_name]
    condition = _found_by(kind, everything, column, 2)
    return f"SELECT {selected(kind, everything, dialect)} FROM {kind.source} WHERE {condition}"


def _found_by(kind: Kind, everything: bool, column: str, place: int) -> str:
    return f"{kind.row}.{column} = ${place}" + ("" if everything else f" AND {kind.visible}")


async def find_locked(
    session: Session, class_name: str, caller: Caller, column: str, value: str, also: Collection[str] = ()
) -> Record | None:
    """As `find`, with the organizations concerned, and `also` others, locked first, in one order. It is the
    first that a transaction does, or comes after `begin_locking`.

    Which ones are concerned may change until that is done.
    """
    # The transaction of SQLite has made all other writers wait already.
    if session.dialect == "sqlite" or not KINDS[class_name].concerned:
        return await find(session, class_name, caller, column, value)
    if isinstance(session, Attempt):
        return await _find_attempted(session, class_name, caller, column, value, also)
    everything = reads_all(caller)
    condition = _concerned(class_name, everything, column, len(also))
    values = [*([] if everything else [caller.partner_id]), value, *also]
    while True:
        locked = await session.lock_organizations(condition, values)
        found = await find(session, class_name, caller, column, value)
        if found is None or locked.issuperset(found.concerned):
            return found
        await session.give_back_locks()


async def _find_attempted(
    session: Attempt, class_name: str, caller: Caller, column: str, value: str, also: Collection[str]
) -> Record | None:
    """Not locked: the statement that writes does it, and looks at the grounds once more."""
    kind = KINDS[class_name]
    if also or session.looked or len(kind.concerned) > 1:
        session.overtaken()
    session.looked = True
    record = await find(session, class_name, caller, column, value)
    role = record.values[kind.role_columns[0]] if record is not None else None
    # Who acts by another role too, or instead, acts by what the statement does not look at.
    if record is not None and record.roles == {role}:
        [organization_id] = record.concerned
        session.grounds = Grounds(organization_id, str(role))
    return record


@cache
def _concerned(class_name: str, everything: bool, column: str, others: int) -> str:
    """Those that a change of the record concerns, and so many others, if the caller sees it."""
    kind, first = KINDS[class_name], 1 if everything else 2
    found = f"FROM {kind.source} WHERE {_found_by(kind, everything, column, first)}"
    organizations = [f"SELECT {kind.values[name]} {found}" for name in kind.concerned]
    also = f"WHERE EXISTS (SELECT 1 {found})"
    organizations += [f"SELECT CAST(${first + number} AS uuid) {also}" for number in range(1, others + 1)]
    return f"id IN ({' UNION ALL '.join(organizations)})"


async def buried(
    session: Session, class_name: str, caller: Caller, identifier: str
) -> tuple[str, str] | None:
    """When a record that left nothing but its tombstone was deleted, and its parent; None if unseen."""
    visible = f"""(organization_id IN ({MINE}) OR partner_id = $1 OR counterpart_id IN ({OWNED})
        OR (counterpart_role = 'member' AND counterpart_id IN ({MINE})))"""
    condition = ANYTHING if reads_all(caller) else visible
    rows = await session.point(
        f"SELECT deleted_at, parent_id FROM tombstone WHERE id = $2 AND class_name = $3 AND {condition}",
        [caller.partner_id, identifier, class_name],
    )
    return (rows[0]["deleted_at"], rows[0]["parent_id"]) if rows else None


async def embedded(session: Session, caller: Caller, record: Record) -> dict[str, list[Record]]:
    """What stands whole in a record's representation, by JSON key: the members of an organization."""
    if record.class_name not in WITH_PARTS or record.named:
        return {}
    kind, everything = KINDS["Member"], reads_all(caller)
    rows = await session.point(_members(everything, session.dialect), [caller.partner_id, record.id])
    members = read_rows(kind, rows, everything)
    owners = [member for member in members if member.values["role"] == "owner"]
    return {"owners": owners, "members": [member for member in members if member not in owners]}


@cache
def _members(everything: bool, dialect: Dialect) -> str:
    kind = KINDS["Member"]
    return (
        f"SELECT {selected(kind, everything, dialect)} FROM {kind.source}"
        " WHERE m.organization_id = $2 ORDER BY m.joined_at, m.id"
    )


async def owns_any(session: Session, caller: Caller) -> bool:
    rows = await session.point(f"SELECT {OWNS_ANY} AS owns_any", [caller.partner_id])
    return bool(rows[0]["owns_any"])


async def taken_handles(session: Session, handles: Collection[str]) -> set[str]:
    """Which of these an instance has, or once had."""
    if not handles:
        return set()
    places = ", ".join(f"${number}" for number in range(1, len(handles) + 1))
    rows = await session.rows(f"SELECT handle FROM instance WHERE handle IN ({places})", list(handles))
    return {row["handle"] for row in rows}


@cache
def selected(kind: Kind, everything: bool, dialect: Dialect, *, listed: bool = False) -> str:
    """The columns that `read_row` reads. Of what asyncpg would make objects, PostgreSQL makes text itself.

    Of what is `listed` neither its version nor its state is told, nor when it was deleted, for it was not.
    """
    state = {
        "version": kind.version,
        "deleted_at": kind.deleted_at,
        **{column: kind.withheld[method] for method, column in kind.withheld_columns},
    }
    roles = dict(zip(kind.role_columns, kind.roles, strict=True))
    columns = {**kind.values, **roles, **({} if listed else state)}
    if dialect == "postgres":
        columns |= {name: f"CAST({columns[name]} AS text)" for name in columns if _is_object(name)}
    text = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    return text.replace(":all", "TRUE" if everything else "FALSE")


def _is_object(column: str) -> bool:
    return column == "id" or column.endswith("_id") or column in TIME_COLUMNS


@lru_cache(maxsize=256)
def _roles(columns: str | tuple[str | None, ...] | None) -> frozenset[str]:
    """One value for each combination, which are few: it is what others are remembered by."""
    found = columns if isinstance(columns, tuple) else (columns,)
    return frozenset(role for role in found if role is not None)


def read_row(kind: Kind, row: Mapping[str, Any], everything: bool) -> Record:
    roles = _roles(kind.roles_in(row))
    return Record(kind, row, roles, not roles and not everything and kind.class_name == "Organization")


def read_rows(kind: Kind, rows: Rows, everything: bool) -> list[Record]:
    """As `read_row`, of each."""
    return [
        Record(kind, row, roles, named)
        for roles, named, some in alike(kind, rows, everything)
        for row in some
    ]


def alike(kind: Kind, rows: Rows, everything: bool) -> Sequence[tuple[frozenset[str], bool, Rows]]:
    """Rows that follow each other and are the same to the caller, with its roles and whether it may know no
    more of them than what they are called."""
    nameable = not everything and kind.class_name == "Organization"
    if not isinstance(rows, list):
        different = rows.different(kind.role_columns)
        if len(different) == 1:
            roles = _roles(different.pop())
            return [(roles, nameable and not roles, rows)]
    found = [(_roles(columns), list(some)) for columns, some in groupby(rows, kind.roles_in)]
    return [(roles, nameable and not roles, some) for roles, some in found]
