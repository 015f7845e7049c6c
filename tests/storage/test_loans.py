"""Connections to PostgreSQL are lent without the pool, which has them back from time to time."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from app.storage.loans import RETURN_SECONDS, Loans
from app.storage.postgres import Connection
from tests.load import until

pytestmark = pytest.mark.anyio


async def test_the_pool_closes_what_nobody_uses_as_soon_as_it_has_it_back(
    postgres_url: str,
) -> None:
    pool = await asyncpg.create_pool(
        postgres_url,
        min_size=1,
        max_size=3,
        connection_class=Connection,
        max_inactive_connection_lifetime=0.05,
    )
    loans = Loans(pool)
    try:
        lent = [await loans.take(5) for _ in range(3)]
        assert loans.number == (3, 3)
        assert all(map(loans.put, lent))
        assert loans.number == (3, 0)
        again = loans.at_hand()
        assert again in lent
        loans._returned -= 2 * RETURN_SECONDS
        assert not loans.put(again)
        await loans.back(again)
        # All but the one that it keeps open for who comes next.
        await until(lambda: loans.number == (1, 0), 3)
        last = await loans.take(5)
        assert await last.fetchval("SELECT 1") == 1
        assert loans.put(last)
        last = await loans.take(5)
        await loans.close()
        # What is given back now would keep the pool from closing.
        assert not loans.put(last)
        await loans.back(last)
        await pool.close()
    finally:
        pool.terminate()
