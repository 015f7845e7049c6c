"""Pages of records: filtered, ordered, and cut by a cursor or by a number."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from tortoise.filters import escape_like

from app.caller import Caller
from app.remembered import Remembered
from app.storage.keys import text_key
from app.storage.kinds import Kind
from app.storage.list_statements import count_statement, page_statement, search_statement, walk_statement
from app.storage.records import Record, alike, owns_any, read_rows, reads_all
from app.storage.search import with_candidates
from app.storage.session import Dialect, Session
from app.storage.shapes import Shape
from app.storage.statements import Rows, as_they_came, tells, value
from app.storage.tables import TIME_COLUMNS

# For how long it is taken that a caller sees more than one organization, of how many callers.
SEVERAL_SECONDS, SEVERAL = 300.0, 4_096
_SEVERAL: Remembered[tuple[str | None, str], float] = Remembered(SEVERAL)
# Enough for all that is counted: eight or so for an entry of an index, which are short ones.
COUNT_STEPS = 100_000


@dataclass(slots=True)
class Position:
    """Where a page begins or ends: the value that the list is ordered by, and the id that breaks ties."""

    value: str
    id: str


@dataclass(slots=True)
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


@dataclass(eq=False)
class Page:
    """Rows of records, the positions of the first and the last, and whether more follow in the direction of
    reading.

    `total` is how many there are in the whole list, where it was counted: not where that would be dear.
    `owns_any` is whether the caller is an owner of any organization, where the list belongs to nothing.
    """

    kind: Kind
    rows: Rows
    everything: bool
    positions: tuple[Position, ...]
    more: bool
    owns_any: bool
    total: int | None = None

    @cached_property
    def records(self) -> list[Record]:
        return read_rows(self.kind, self.rows, self.everything)

    def alike(self) -> Sequence[tuple[frozenset[str], bool, Rows]]:
        """The rows, those together that follow each other and are the same to the caller: the roles that it
        has, and whether it may know no more of them than what they are called."""
        return alike(self.kind, self.rows, self.everything)

    @property
    def own_role(self) -> str | None:
        """What the caller is in the organization that the first row belongs to."""
        role: str | None = value(self.rows, 0, self.kind.role_columns[0])
        return role

    @property
    def source(self) -> Hashable:
        """All that the database told of it."""
        return as_they_came(self.rows), self.more, self.owns_any, self.total


async def page(
    session: Session,
    listing: Listing,
    caller: Caller,
    cut: Cut,
    *,
    counted: bool = False,
    member: bool = False,
) -> Page:
    """One more record than wanted is read, to know whether there are more. The list is counted by the page's
    own statement, so that the two agree; by one of its own, a moment later, where no row tells it
    and where SQLite found the page along all rows.

    `member` is whether the list belongs to an organization of which members alone shall be told: they see all
    that it has.
    """
    everything = reads_all(caller)
    begins = (cut.before or cut.after) is not None
    descending = listing.descending != (cut.before is not None)
    parent, contains = listing.parent[0] if listing.parent else "", tuple(listing.contains)
    place = session.dialect, listing.class_name, everything, listing.order, descending, parent, contains
    shape = _shape(*place, begins, counted, cut.offset > 0, member)
    values = [caller.partner_id, *([listing.parent[1]] if listing.parent else [])]
    values += [f"%{escape_like(text_key(text))}%" for text in listing.contains.values()]
    if everything and not listing.parent and listing.contains:
        shape, found_by = await with_candidates(session, shape, listing.contains)
        values += found_by
    position = [_comparable(session, listing, it) for it in (cut.before or cut.after,) if it is not None]
    if begins and "tie" in shape.position:
        position.append((cut.before or cut.after or Position("", "")).id)
    rows, whole = await _rows(session, shape, [*values, *position, cut.limit + 1, cut.offset])
    kept, more = (rows[: cut.limit], True) if len(rows) > cut.limit else (rows, False)
    if cut.before is not None:
        kept = kept[::-1]
    owns = not listing.parent and (value(whole, 0, "owns_any") if whole else await owns_any(session, caller))
    return Page(
        kind=shape.kind,
        rows=kept,
        everything=everything,
        positions=(_position(listing, kept, 0), _position(listing, kept, len(kept) - 1)) if kept else (),
        more=more,
        owns_any=bool(owns),
        total=await _total(session, shape, values, whole) if shape.counted else None,
    )


@lru_cache(maxsize=1_024)
def _shape(
    dialect: Dialect,
    class_name: str,
    everything: bool,
    order: str,
    descending: bool,
    parent: str,
    contains: tuple[str, ...],
    begins: bool,
    counted: bool,
    skips: bool,
    member: bool,
) -> Shape:
    """One for all questions that are alike."""
    return Shape(
        dialect=dialect,
        class_name=class_name,
        everything=everything,
        order=order,
        descending=descending,
        parent=parent,
        member=member,
        contains=contains,
        begins=begins,
        counted=counted,
        skips=skips,
    )


async def _rows(session: Session, shape: Shape, values: Sequence[Any]) -> tuple[Rows, Rows]:
    """The page's, and those of which the first tells of the whole, if there is one. What is searched or
    passed over may be much; an index leads to all else."""
    if shape.looks_once:
        rows = await session.rows(search_statement(shape), values)
        if rows[0]["small"]:
            return rows if rows[0]["id"] else [], rows
    of_one = _of_one(shape, values[0])
    if of_one is not None:
        run = session.rows if shape.skips else session.point
        rows = await run(page_statement(of_one), values)
        if rows:
            return rows, rows
    if shape.contains or shape.skips:
        rows = await session.rows(page_statement(shape), values)
    else:
        walked = await session.soon(walk_statement(shape), values) if shape.walks else None
        rows = walked or await session.point(page_statement(shape), values)
    if rows and of_one is not None:
        _SEVERAL.keep((values[0], shape.class_name), time.monotonic() + SEVERAL_SECONDS)
    return rows, rows


def _of_one(shape: Shape, partner: str | None) -> Shape | None:
    """For who sees what is in one organization and nothing else, as most do; None for others, who are asked
    about it again only after a while."""
    several = time.monotonic() < _SEVERAL.get((partner, shape.class_name), 0.0)
    return None if several else shape.of_one


async def _total(session: Session, shape: Shape, values: Sequence[Any], whole: Rows) -> int | None:
    """As a row of the page tells it; where none does, it has to be asked for."""
    if not tells(whole, "total"):
        statement = count_statement(shape)
        soon = None if shape.contains else await session.soon(statement, values, COUNT_STEPS)
        whole = await session.rows(statement, values) if soon is None else soon
    total = value(whole, 0, "total")
    return None if total is None else int(total)


def _comparable(session: Session, listing: Listing, position: Position) -> Any:
    if listing.order in TIME_COLUMNS:
        return session.time(position.value)
    return int(position.value) if listing.order == "sequence" else position.value


def _position(listing: Listing, rows: Rows, number: int) -> Position:
    """A time is read back under its own column's name only."""
    column = listing.order if listing.order in TIME_COLUMNS else "position_value"
    return Position(str(value(rows, number, column)), value(rows, number, "id"))
