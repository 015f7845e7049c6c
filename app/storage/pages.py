"""Pages of records: filtered, ordered, and cut by a cursor or by a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pypika_tortoise.enums import Order as Direction
from pypika_tortoise.functions import Count
from pypika_tortoise.queries import QueryBuilder, Table
from pypika_tortoise.terms import Criterion, Term
from tortoise.filters import Like, escape_like

from app.caller import Caller
from app.storage.keys import text_key
from app.storage.records import KINDS, Kind, Record, read_row, visible
from app.storage.session import Session
from app.storage.tables import table

# What a column is searched and ordered by, where that is not the column itself.
KEYS = {"name": "name_key"}
TIMES = {"created_at", "updated_at"}


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
    """Which records, in which order; `contains` are substrings by column."""

    class_name: str
    order: str = "created_at"
    descending: bool = True
    contains: Mapping[str, str] = field(default_factory=dict)
    organization_id: str | None = None


@dataclass(frozen=True)
class Page:
    """Records with their positions, and whether there are more in the direction of reading.

    `total` is how many there are in the whole list, where it was counted.
    """

    records: tuple[Record, ...]
    positions: tuple[Position, ...]
    more: bool
    total: int | None = None


async def page(
    session: Session, listing: Listing, caller: Caller, cut: Cut, *, counted: bool = False
) -> Page:
    """One more record than wanted is read, to know whether there are more.

    The list is counted in the statement that reads the page, so that the two never disagree.
    """
    kind = KINDS[listing.class_name]
    target = table(kind.model)
    column = target[KEYS.get(listing.order, listing.order)]
    query = _listed(session, kind, listing, caller).select(column.as_("position_value"))
    descending = listing.descending != (cut.before is not None)
    position = cut.before or cut.after
    if position is not None:
        query = query.where(_beyond(target, column, listing.order, position, descending))
    direction = Direction.desc if descending else Direction.asc
    if counted:
        query = query.select(_total(session, kind, listing, caller).as_("total"))
    query = query.orderby(column, order=direction).orderby(target.id, order=direction)
    rows = await session.rows(query.limit(cut.limit + 1).offset(cut.offset))
    kept = rows[: cut.limit]
    if cut.before is not None:
        kept.reverse()
    return Page(
        records=tuple(read_row(kind, row) for row in kept),
        positions=tuple(Position(_position_value(listing, row), row["id"]) for row in kept),
        more=len(rows) > cut.limit,
        total=await _counted(session, kind, listing, caller, cut, rows) if counted else None,
    )


async def _counted(
    session: Session,
    kind: Kind,
    listing: Listing,
    caller: Caller,
    cut: Cut,
    rows: Sequence[Mapping[str, Any]],
) -> int:
    """As the page's rows tell it; a page beyond the last one has none, and has to ask."""
    if not rows and cut.offset:
        rows = await session.rows(_total(session, kind, listing, caller))
    return int(rows[0]["total"]) if rows else 0


def _total(session: Session, kind: Kind, listing: Listing, caller: Caller) -> QueryBuilder:
    rows = _listed(session, kind, listing, caller).as_("listed")
    return session.query.from_(rows).select(Count("*").as_("total"))


def _listed(session: Session, kind: Kind, listing: Listing, caller: Caller) -> QueryBuilder:
    target = table(kind.model)
    query = visible(session, kind, caller).where(target.deleted_at.isnull())
    if listing.organization_id is not None and kind.organization is not None:
        query = query.where(target[kind.organization] == listing.organization_id)
    for column, text in listing.contains.items():
        searched = target[KEYS.get(column, column)]
        query = query.where(Like(searched, searched.wrap_constant(f"%{escape_like(text_key(text))}%")))
    return query


def _beyond(target: Table, column: Term, order: str, position: Position, descending: bool) -> Criterion:
    value: Any = datetime.fromisoformat(position.value) if order in TIMES else position.value
    if order == "id":
        return target.id < position.id if descending else target.id > position.id
    further = column < value if descending else column > value
    tied = target.id < position.id if descending else target.id > position.id
    beyond: Criterion = further | ((column == value) & tied)
    return beyond


def _position_value(listing: Listing, row: Mapping[str, Any]) -> str:
    """A time is read back under its own column's name only."""
    return str(row[listing.order] if listing.order in TIMES else row["position_value"])
