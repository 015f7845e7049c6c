"""An open database of a given address, and what it means that one cannot be reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from app.problems import Problem
from app.storage.database import Database, Session


async def count(session: Session) -> int:
    [row] = await session.rows("SELECT count(*) AS n FROM organization")
    return int(row["n"])


@contextmanager
def unavailable() -> Iterator[None]:
    with pytest.raises(Problem) as caught:
        yield
    assert caught.value.type == "unavailable"
    assert caught.value.headers == (("Retry-After", "1"),)


@asynccontextmanager
async def opened(url: str, replica_url: str | None = None) -> AsyncIterator[Database]:
    database = Database(url, replica_url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
