"""Statements: what is known of one is found out once, not for every row that comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from operator import itemgetter
from typing import Any, TypeAlias, overload
from uuid import UUID

import orjson

from app.storage.tables import TIME_COLUMNS

# What SQLite keeps as it is.
PLAIN = frozenset({str, int, float, bytes, bool, type(None)})


# By column.
Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = "list[Row] | Table"
Raw: TypeAlias = Sequence[Sequence[Any]]
Decode: TypeAlias = Callable[[Raw], list[Row]]


@dataclass(frozen=True, eq=False, slots=True)
class Columns:
    """What the rows of a statement have: `places` by name, the names that `row` gives to what is at them, and
    `parts` of an f-string that tell these, in which `known` are all other names. `time` tells a time."""

    places: Mapping[str, int]
    row: str
    parts: Mapping[str, str]
    known: Mapping[str, Any]
    decode: Decode
    time: Callable[[str], str]


class Table(Sequence[Row]):
    """Rows that become dictionaries where somebody looks at them: who has met the same ones needs none."""

    __slots__ = ("_rows", "columns", "raw")

    def __init__(self, raw: Raw, columns: Columns) -> None:
        self.raw, self.columns = raw, columns
        self._rows: list[Row] | None = None

    @property
    def rows(self) -> list[Row]:
        if self._rows is None:
            self._rows = self.columns.decode(self.raw)
        return self._rows

    def different(self, names: Sequence[str]) -> set[Any]:
        """What stands in some columns, of all rows: several values of one row as a tuple."""
        return set(map(_getter(self.columns, tuple(names)), self.raw))

    def value(self, number: int, name: str) -> Any:
        """Of one row, without making it a dictionary."""
        told = self.raw[number][self.columns.places[name]]
        return self.columns.time(told) if told and name in TIME_COLUMNS else told

    def __repr__(self) -> str:
        return repr(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (list, Table)) and self.rows == [*other]

    __hash__ = None  # type: ignore[assignment]  # as of a list; the base class has one

    def __len__(self) -> int:
        return len(self.raw)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Table: ...

    def __getitem__(self, index: int | slice) -> Row | Table:
        if isinstance(index, slice):
            return Table(self.raw[index], self.columns)
        return self.columns.decode([self.raw[index]])[0] if self._rows is None else self._rows[index]


def as_they_came(rows: Rows) -> bytes:
    """Octets by which rows of one statement are known: a third of what their values take, and sooner
    compared."""
    if isinstance(rows, list):
        return known_by([list(row.values()) for row in rows])
    # Rows of some drivers are no tuples.
    return known_by(rows.raw if isinstance(next(iter(rows.raw), ()), tuple) else [*map(tuple, rows.raw)])


def known_by(values: Sequence[Any]) -> bytes:
    """The same for the same values, in columns of the same types: of what JSON has no type for, what Python
    shows."""
    return orjson.dumps(values, default=repr)


def value(rows: Rows, number: int, name: str) -> Any:
    """Of one row, looked at as little as can be; KeyError where rows have no such column."""
    return rows[number][name] if isinstance(rows, list) else rows.value(number, name)


def tells(rows: Rows, name: str) -> bool:
    """Whether there is a first row, and it has such a column."""
    if isinstance(rows, list):
        return bool(rows) and name in rows[0]
    return len(rows) > 0 and name in rows.columns.places


class Statement:
    """A statement, and the columns of its rows. `time` tells a time that comes as the text `it`, as a part of
    an f-string."""

    __slots__ = ("_columns", "_time", "text")

    def __init__(self, text: str, time: str) -> None:
        self.text, self._time = text, time
        self._columns: Columns | None = None

    def decoded(self, raw: Raw, names: Callable[[], Sequence[str]]) -> Rows:
        """By column; times, which are known by their column's name, as the service tells them. `names` are
        asked for once."""
        if not raw:
            return []
        if self._columns is None:
            self._columns = _columns(tuple(names()), self._time)
        return self._columns.decode(raw) if len(raw) == 1 else Table(raw, self._columns)


def of_sqlite(sql: str) -> Statement:
    """With parameters as it numbers them, `?1` for `$1`. It keeps times as `encoded` makes them."""
    return Statement(re.sub(r"\$(\d+)", r"?\1", sql), "{it[:10]}T{it[11:26]}Z")


def of_postgres(sql: str) -> Statement:
    """It tells times as `2026-01-01 00:00:00.5+00`, without noughts at the end."""
    return Statement(sql, "{it[:10]}T{it[11:26] if len(it) == 29 else lengthened(it)}Z")


def _lengthened(at: str) -> str:
    """What follows the day."""
    seconds, _, fraction = at[11:-3].partition(".")
    return f"{seconds}.{fraction.ljust(6, '0')}"


@cache
def _getter(columns: Columns, names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    return itemgetter(*[columns.places[name] for name in names])


@cache
def _columns(names: tuple[str, ...], time: str) -> Columns:
    """The decoder is written as Python and compiled, as dataclasses are: rows come by dozens. There are few,
    of many statements: what is compiled for one is remembered by it."""
    places = {name: number for number, name in enumerate(names)}
    # What was taken apart has names that are found sooner than places in it.
    row = f"({''.join([f'at{number}, ' for number, _ in enumerate(names)])})"
    parts = {
        name: re.sub(r"\bit\b", f"at{place}", time) if name in TIME_COLUMNS else f"{{at{place}}}"
        for name, place in places.items()
    }
    told = ", ".join(
        f"{name!r}: at{places[name]}" + (f" and f'{part}'" if name in TIME_COLUMNS else "")
        for name, part in parts.items()
    )
    # What is compiled are the names that the service's own statements give to columns.
    known = {"lengthened": _lengthened}
    decode: Decode = eval(f"lambda rows: [{{{told}}} for {row} in rows]", known)  # noqa: S307
    return Columns(places, row, parts, known, decode, eval(f"lambda it: f'{time}'", known))  # noqa: S307


def encoded(values: Sequence[Any]) -> Sequence[Any]:
    """A time in UTC as `YYYY-MM-DD HH:MM:SS.ffffff+00:00`: of one length, so that order of text is order of
    time."""
    if PLAIN.issuperset(map(type, values)):
        return values
    return [_encoded(value) for value in values]


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return in_utc(value).isoformat(" ", "microseconds")
    return str(value) if isinstance(value, UUID) else value


def as_kept(told: str) -> str:
    """What `encoded` makes of a time, of one that the service tells."""
    return f"{told[:10]} {told[11:26]}+00:00"


def zoned(values: Sequence[Any]) -> Sequence[Any]:
    """Times in UTC, for a database that has a type of its own for them."""
    if PLAIN.issuperset(map(type, values)):
        return values
    return [in_utc(value) if isinstance(value, datetime) else value for value in values]


def in_utc(time: datetime) -> datetime:
    """One without a zone is refused: asyncpg would take it for the machine's own time."""
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        raise ValueError(f"{time} does not say which time zone it is in")
    return time.astimezone(UTC)
