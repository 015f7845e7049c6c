"""Pages of records: filtered, ordered, and cut by a cursor or by a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tortoise.filters import escape_like

from app.caller import Caller
from app.storage.keys import text_key
from app.storage.kinds import ANYTHING, KINDS, Kind
from app.storage.records import Record, read_row, reads_all, selected
from app.storage.session import Session
from app.storage.tables import TIME_COLUMNS


@dataclass(frozen=True)
class Position:
    """Where a page begins or ends: the value that the list is ordered by, and the id that breaks ties."""

    value: str
    id: str


@dataclass(frozen=True)
class Cut:
    """Which part of a list is wanted: `limit` records after or before a position, or after an offset."""

    limit: int
    after: Position | None = None
    before: Position | None = None
    offset: int = 0


@dataclass(frozen=True)
class Listing:
    """Which records, in which order; `contains` are substrings by key, `parent` is what they belong to.

    A parent is the name of one of the kind's `parents`, and its id.
    """

    class_name: str
    order: str
    descending: bool
    contains: Mapping[str, str] = field(default_factory=dict)
    parent: tuple[str, str] | None = None


@dataclass(frozen=True)
class Page:
    """Records with their positions, and whether there are more in the direction of reading.

    `total` is how many there are in the whole list, where it was counted.
    """

    records: tuple[Record, ...]
    positions: tuple[Position, ...]
    more: bool
    total: int | None = None


class Statement:
    """Text with its values, which grow together."""

    def __init__(self, *values: Any) -> None:
        self.values = list(values)

    def place(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"


async def page(
    session: Session, listing: Listing, caller: Caller, cut: Cut, *, counted: bool = False
) -> Page:
    """One more record than wanted is read, to know whether there are more.

    The list is counted in the statement that reads the page, so that the two never disagree.
    """
    kind, everything = KINDS[listing.class_name], reads_all(caller)
    statement = Statement(caller.partner_id)
    condition = _listed(kind, listing, everything, statement)
    count = f"(SELECT count(*) FROM {kind.source} WHERE {condition})"
    columns = selected(kind, everything) + (f", {count} AS total" if counted else "")
    order = kind.keys.get(listing.order, kind.values[listing.order])
    descending = listing.descending != (cut.before is not None)
    position = cut.before or cut.after
    beyond = ""
    if position is not None:
        place, tie = statement.place(_comparable(listing, position)), statement.place(position.id)
        beyond = f" AND ({order}, {kind.row}.id) {'<' if descending else '>'} ({place}, {tie})"
    direction = "DESC" if descending else "ASC"
    rows = await session.rows(
        f"SELECT {columns}, {order} AS position_value FROM {kind.source} WHERE {condition}{beyond}"
        f" ORDER BY {order} {direction}, {kind.row}.id {direction}"
        f" LIMIT {statement.place(cut.limit + 1)} OFFSET {statement.place(cut.offset)}",
        statement.values,
    )
    kept = rows[: cut.limit]
    if cut.before is not None:
        kept.reverse()
    return Page(
        records=tuple(read_row(kind, row, everything) for row in kept),
        positions=tuple(Position(_position_value(listing, row), row["id"]) for row in kept),
        more=len(rows) > cut.limit,
        total=await _counted(session, kind, listing, caller, rows, cut) if counted else None,
    )


async def _counted(
    session: Session,
    kind: Kind,
    listing: Listing,
    caller: Caller,
    rows: Sequence[Mapping[str, Any]],
    cut: Cut,
) -> int:
    """As the page's rows tell it; a page beyond the last one has none, and has to ask."""
    if rows or not cut.offset:
        return int(rows[0]["total"]) if rows else 0
    statement = Statement(caller.partner_id)
    condition = _listed(kind, listing, reads_all(caller), statement)
    [row] = await session.rows(
        f"SELECT count(*) AS total FROM {kind.source} WHERE {condition}", statement.values
    )
    return int(row["total"])


def _listed(kind: Kind, listing: Listing, everything: bool, statement: Statement) -> str:
    seen = kind.listed or kind.visible
    if listing.parent is None and kind.listed_on_top:
        seen = kind.listed_on_top
    conditions = [ANYTHING if everything else seen, f"{kind.deleted_at} IS NULL"]
    if listing.parent is not None:
        name, identifier = listing.parent
        conditions.append(kind.parents[name].replace("{id}", statement.place(identifier)))
    for key, text in listing.contains.items():
        searched = kind.keys.get(key, kind.values[key])
        like = statement.place(f"%{escape_like(text_key(text))}%")
        conditions.append(f"{searched} LIKE {like} ESCAPE '\\'")
    return " AND ".join(conditions)


def _comparable(listing: Listing, position: Position) -> Any:
    if listing.order in TIME_COLUMNS:
        return datetime.fromisoformat(position.value)
    return int(position.value) if listing.order == "sequence" else position.value


def _position_value(listing: Listing, row: Mapping[str, Any]) -> str:
    """A time is read back under its own column's name only."""
    return str(row[listing.order] if listing.order in TIME_COLUMNS else row["position_value"])
