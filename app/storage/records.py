"""Records: what the tables hold, found within what a caller may see.

Who may see a row is one condition of the query that reads it, never a filter afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from app.caller import READ_ALL, Caller
from app.storage.kinds import ANYTHING, KINDS, MINE, OWNED, Kind
from app.storage.session import Session

Value = str | int | None


@dataclass(slots=True, eq=False)
class Record:
    """A row, by the local name of its class.

    `values` are by JSON key, and by the names that addresses need; others may stand there too. `roles` are
    what the caller is to it: local names of roles. `withheld` are methods that its state does not allow now.
    `concerned` are the organizations that a change of it concerns, `parent_id` is what its address tells
    beside its id. `named` is whether the caller may know no more of it than what it is called.
    """

    class_name: str
    version: int
    values: Mapping[str, Value]
    roles: frozenset[str]
    withheld: frozenset[str]
    concerned: tuple[str, ...]
    deleted_at: str | None
    parent_id: str | None = None
    named: bool = False

    @property
    def id(self) -> str:
        return str(self.values["id"])


def reads_all(caller: Caller) -> bool:
    return READ_ALL in caller.scopes


async def find(session: Session, class_name: str, caller: Caller, column: str, value: str) -> Record | None:
    """The record with this value in a unique column, deleted or not; None where the caller sees none."""
    kind, everything = KINDS[class_name], reads_all(caller)
    rows = await session.point(_finding(class_name, everything, column), [caller.partner_id, value])
    return read_row(kind, rows[0], everything) if rows else None


@cache
def _finding(class_name: str, everything: bool, column: str) -> str:
    kind = KINDS[class_name]
    condition = f"{kind.row}.{column} = $2" + ("" if everything else f" AND {kind.visible}")
    return f"SELECT {selected(kind, everything)} FROM {kind.source} WHERE {condition}"


async def find_locked(
    session: Session, class_name: str, caller: Caller, column: str, value: str, also: Collection[str] = ()
) -> Record | None:
    """As `find`, with the organizations concerned, and `also` others, locked first, in one order.

    Which ones are concerned may change until that is done.
    """
    found = await find(session, class_name, caller, column, value)
    # The transaction of SQLite has made all other writers wait already.
    while session.dialect != "sqlite" and found is not None:
        await session.begin_locking()
        for organization_id in sorted({*found.concerned, *also}):
            await session.lock_organization(organization_id)
        again = await find(session, class_name, caller, column, value)
        if again is None or again.concerned == found.concerned:
            return again
        await session.give_back_locks()
        found = again
    return found


async def buried(
    session: Session, class_name: str, caller: Caller, identifier: str
) -> tuple[str, str] | None:
    """When a record that left nothing but its tombstone was deleted, and its parent; None if unseen."""
    visible = f"""(organization_id IN ({MINE}) OR counterpart_id IN ({OWNED})
        OR (counterpart_role = 'member' AND counterpart_id IN ({MINE})))"""
    condition = ANYTHING if reads_all(caller) else visible
    rows = await session.point(
        f"SELECT deleted_at, parent_id FROM tombstone WHERE id = $2 AND class_name = $3 AND {condition}",
        [caller.partner_id, identifier, class_name],
    )
    return (rows[0]["deleted_at"], rows[0]["parent_id"]) if rows else None


async def embedded(session: Session, caller: Caller, record: Record) -> dict[str, list[Record]]:
    """What stands whole in a record's representation, by JSON key: the members of an organization."""
    if record.class_name != "Organization" or record.named:
        return {}
    kind, everything = KINDS["Member"], reads_all(caller)
    rows = await session.point(_members(everything), [caller.partner_id, record.id])
    members = [read_row(kind, row, everything) for row in rows]
    owners = [member for member in members if member.values["role"] == "owner"]
    return {"owners": owners, "members": [member for member in members if member not in owners]}


@cache
def _members(everything: bool) -> str:
    kind = KINDS["Member"]
    return (
        f"SELECT {selected(kind, everything)} FROM {kind.source}"
        " WHERE m.organization_id = $2 ORDER BY m.joined_at, m.id"
    )


async def owns_any(session: Session, caller: Caller) -> bool:
    """Whether the caller is an owner of any organization that is there."""
    rows = await session.point(
        f"SELECT o.id FROM organization o WHERE o.deleted_at IS NULL AND o.id IN ({OWNED}) LIMIT 1",
        [caller.partner_id],
    )
    return bool(rows)


async def taken_handles(session: Session, handles: Collection[str]) -> set[str]:
    """Which of these an instance has, or once had."""
    places = ", ".join(f"${number}" for number in range(1, len(handles) + 1))
    rows = await session.rows(f"SELECT handle FROM instance WHERE handle IN ({places})", list(handles))
    return {row["handle"] for row in rows}


@cache
def selected(kind: Kind, everything: bool) -> str:
    """The columns that `read_row` reads."""
    columns = {
        **kind.values,
        "version": kind.version,
        "deleted_at": kind.deleted_at,
        **dict(zip(kind.role_columns, kind.roles, strict=True)),
        **{column: kind.withheld[method] for method, column in kind.withheld_columns},
    }
    text = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    return text.replace(":all", "TRUE" if everything else "FALSE")


_NOTHING: frozenset[str] = frozenset()


@lru_cache(maxsize=256)
def _without_none(*roles: str | None) -> frozenset[str]:
    """One value for each combination, which are few: it is what others are remembered by."""
    return frozenset(role for role in roles if role is not None)


def read_row(kind: Kind, row: Mapping[str, Any], everything: bool) -> Record:
    roles = _without_none(*[row[name] for name in kind.role_columns])
    withheld = [method for method, column in kind.withheld_columns if row[column]]
    return Record(
        kind.class_name,
        row["version"],
        row,
        roles,
        frozenset(withheld) if withheld else _NOTHING,
        tuple([row[name] for name in kind.concerned]),
        row["deleted_at"],
        row[kind.within] if kind.within else None,
        not roles and not everything and kind.class_name == "Organization",
    )
