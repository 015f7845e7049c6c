"""The statements that the service runs, as tests look at them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from app.storage.attempts import Attempt
from app.storage.session import Session

Statement = tuple[str, Sequence[Any]]
WAYS = ("rows", "point", "soon", "brief")


def overhear(patch: pytest.MonkeyPatch, ways: Sequence[str] = WAYS) -> list[Statement]:
    """What every session asks from now on, by any of the ways, with its values; until `patch` is undone."""
    asked: list[Statement] = []
    for name in ways:
        patch.setattr(Session, name, _noting(getattr(Session, name), asked))
    if "brief" in ways:
        patch.setattr(Attempt, "write", _noting(Attempt.write, asked))
    return asked


def traced(patch: pytest.MonkeyPatch) -> list[str]:
    """All that SQLite is told, by whichever connection is opened from now on."""
    told, connect = list[str](), sqlite3.connect

    def connect_traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(told.append)
        return connection

    patch.setattr(sqlite3, "connect", connect_traced)
    return told


def _noting(run: Any, asked: list[Statement]) -> Any:
    async def noting(session: Session, sql: str, values: Sequence[Any] = (), *steps: int) -> Any:
        asked.append((sql, values))
        return await run(session, sql, values, *steps)

    return noting
