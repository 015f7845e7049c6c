"""Statements of SQLite: what is known of one is found out once, not for every row that comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from app.storage.tables import TIME_COLUMNS

# What SQLite keeps as it is.
PLAIN = frozenset({str, int, float, bytes, bool, type(None)})


# As SQLite keeps it, and NULL.
_TIME = """(row[{0}] and f"{{row[{0}][:10]}}T{{row[{0}][11:26]}}Z")"""
Rows: TypeAlias = Sequence[Sequence[Any]]


class Statement:
    """A statement with its parameters as SQLite numbers them, `?1` for `$1`, and the columns of its rows."""

    __slots__ = ("_decode", "text")

    def __init__(self, sql: str) -> None:
        self.text = re.sub(r"\$(\d+)", r"?\1", sql)
        self._decode: Callable[[Rows], list[dict[str, Any]]] | None = None

    def decoded(self, rows: Rows, names: Callable[[], Sequence[str]]) -> list[dict[str, Any]]:
        """By column; times, which are known by their column's name, as the service tells them. `names` are
        asked for once."""
        if not rows:
            return []
        if self._decode is None:
            self._decode = _decoder(names())
        return self._decode(rows)


def _decoder(names: Sequence[str]) -> Callable[[Rows], list[dict[str, Any]]]:
    """Written as Python and compiled, as dataclasses are: rows come by dozens."""
    columns = ", ".join(
        f"{name!r}: {_TIME.format(number) if name in TIME_COLUMNS else f'row[{number}]'}"
        for number, name in enumerate(names)
    )
    # What is compiled are the names that the service's own statements give to columns.
    decode: Callable[[Rows], list[dict[str, Any]]] = eval(f"lambda rows: [{{{columns}}} for row in rows]")  # noqa: S307
    return decode


def encoded(values: Sequence[Any]) -> Sequence[Any]:
    """A time, which is in UTC, as `YYYY-MM-DD HH:MM:SS.ffffff+00:00`: of one length, so that order of text
    is order of time."""
    if PLAIN.issuperset(map(type, values)):
        return values
    return [_encoded(value) for value in values]


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ", "microseconds")
    return str(value) if isinstance(value, UUID) else value
