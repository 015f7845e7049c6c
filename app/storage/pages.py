"""Pages of records: filtered, ordered, and cut by a cursor or by a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tortoise.filters import escape_like

from app.caller import Caller
from app.storage.keys import text_key
from app.storage.list_statements import count_statement, page_statement
from app.storage.records import Record, read_row, reads_all
from app.storage.search import with_candidates
from app.storage.session import Session
from app.storage.shapes import Shape
from app.storage.tables import TIME_COLUMNS


@dataclass(slots=True)
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

    `total` is how many there are in the whole list, where it was counted: not where that would be dear.
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
    everything = reads_all(caller)
    shape = _shape(session, listing, cut, everything, counted=counted)
    values = [caller.partner_id, *([listing.parent[1]] if listing.parent else [])]
    values += [f"%{escape_like(text_key(text))}%" for text in listing.contains.values()]
    if everything and not listing.parent and listing.contains:
        shape, found_by = await with_candidates(session, shape, listing.contains)
        values += found_by
    position = [_comparable(listing, it) for it in (cut.before or cut.after,) if it is not None]
    if "tie" in shape.position:
        position.append((cut.before or cut.after or Position("", "")).id)
    # What is searched or passed over may be much; an index leads to all else.
    read = session.rows if listing.contains or cut.offset else session.point
    rows = await read(page_statement(shape), [*values, *position, cut.limit + 1, cut.offset])
    kept = rows[: cut.limit]
    if cut.before is not None:
        kept.reverse()
    return Page(
        records=tuple([read_row(shape.kind, row, everything) for row in kept]),
        positions=tuple([Position(_position_value(listing, row), row["id"]) for row in kept]),
        more=len(rows) > cut.limit,
        total=await _total(session, shape, values, rows) if shape.counted else None,
    )


def _shape(session: Session, listing: Listing, cut: Cut, everything: bool, *, counted: bool) -> Shape:
    return Shape(
        dialect=session.dialect,
        class_name=listing.class_name,
        everything=everything,
        order=listing.order,
        descending=listing.descending != (cut.before is not None),
        parent=listing.parent[0] if listing.parent else "",
        contains=tuple(listing.contains),
        begins=(cut.before or cut.after) is not None,
        counted=counted,
        skips=cut.offset > 0,
    )


async def _total(
    session: Session, shape: Shape, values: Sequence[Any], rows: Sequence[Mapping[str, Any]]
) -> int | None:
    """As the page's rows tell it; a page without any has to ask."""
    if not rows:
        rows = await session.rows(count_statement(replace(shape, begins=False, skips=False)), values)
    total = rows[0]["total"]
    return None if total is None else int(total)


def _comparable(listing: Listing, position: Position) -> Any:
    if listing.order in TIME_COLUMNS:
        return datetime.fromisoformat(position.value)
    return int(position.value) if listing.order == "sequence" else position.value


def _position_value(listing: Listing, row: Mapping[str, Any]) -> str:
    """A time is read back under its own column's name only."""
    return str(row[listing.order] if listing.order in TIME_COLUMNS else row["position_value"])
