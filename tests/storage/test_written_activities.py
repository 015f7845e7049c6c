"""Activities are written whatever they concern: nothing, or more than a statement has values."""

from __future__ import annotations

import pytest

from app.caller import ANONYMOUS
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.writes import note
from tests.storage.opening import opened

pytestmark = pytest.mark.anyio

# PostgreSQL's protocol has 32,767 values.
MANY = 32_800
LISTED = "SELECT count(*) AS found FROM activity_organization"


async def test_an_activity_may_concern_no_organization(database: Database) -> None:
    async with database.transaction() as session:
        note(session, Act(ANONYMOUS, "1", now()), "Update", "Partner", new_id(), [], ())
    session = database.reading()
    assert len(await session.rows("SELECT sequence FROM activity")) == 1
    assert (await session.rows(LISTED))[0]["found"] == 0


async def test_an_activity_may_concern_more_than_a_statement_has_values(postgres_url: str) -> None:
    organizations = f"""INSERT INTO organization SELECT gen_random_uuid(), 'A', 'a', now(), now(), NULL, 1
        FROM generate_series(1, {MANY}) RETURNING id"""
    async with opened(postgres_url) as database:
        async with database.transaction() as session:
            ids = [str(row["id"]) for row in await session.rows(organizations)]
            note(session, Act(ANONYMOUS, "1", now()), "Update", "Partner", new_id(), ids, ())
        assert (await database.reading().rows(LISTED))[0]["found"] == MANY
