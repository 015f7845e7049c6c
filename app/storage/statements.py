"""Statements of SQLite: what is known of one is found out once, not for every row that comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.storage.tables import TIME_COLUMNS

# What SQLite keeps as it is.
PLAIN = frozenset({str, int, float, bytes, bool, type(None)})


class Statement:
    """A statement with its parameters as SQLite numbers them, `?1` for `$1`, and the columns of its rows."""

    __slots__ = ("_names", "_times", "text")

    def __init__(self, sql: str) -> None:
        self.text = re.sub(r"\$(\d+)", r"?\1", sql)
        self._names: Sequence[str] | None = None
        self._times: list[str] = []

    def decoded(
        self, rows: Sequence[Iterable[Any]], names: Callable[[], Sequence[str]]
    ) -> list[dict[str, Any]]:
        """By column; times, which are known by their column's name, as the service tells them. `names` are
        asked for once."""
        if not rows:
            return []
        if self._names is None:
            self._names = names()
            self._times = [name for name in self._names if name in TIME_COLUMNS]
        decoded = [dict(zip(self._names, row, strict=True)) for row in rows]
        for name in self._times:
            for row in decoded:
                time = row[name]
                if time is not None:
                    row[name] = f"{time[:10]}T{time[11:26]}Z"
        return decoded


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
