"""Activities are written whatever they concern: nothing, or more than a statement has values."""

from __future__ import annotations

import pytest

from app.caller import ANONYMOUS, WRITE, Caller
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.writes import add_instance, change, note
from tests.statements import overhear
from tests.storage.opening import opened
from tests.storage.rows import add_membership, add_organization, add_partner

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


@pytest.mark.parametrize("single", [True, False])
async def test_postgres_writes_a_single_change_with_its_activity(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, single: bool
) -> None:
    """Where others may follow it does not: who has the lock of activities waits for nobody."""
    async with opened(postgres_url) as database:
        async with database.transaction() as session:
            partner, organization = await add_partner(session), await add_organization(session)
            await add_membership(session, organization, partner_id=partner)
        act = Act(Caller(partner, frozenset({WRITE})), "1", now())
        asked = overhear(monkeypatch)
        async with database.transaction(single=single) as session:
            made = await add_instance(session, act, organization, "Shop", "shop")
            assert made is not None
            if single:
                with pytest.raises(RuntimeError, match="has written its last"):
                    await session.rows("SELECT 1")
        async with database.transaction(single=single) as session:
            renamed = await change(session, act, made, {"name": "Shops"})
            assert renamed is not None
        assert len(asked) == (3 if single else 4)
        assert (made.values["name"], renamed.values["name"], renamed.version) == ("Shop", "Shops", 2)
        async with database.transaction(single=single) as session:
            # Nothing is noted of a change that finds another version.
            assert await change(session, act, made, {"name": "Late"}) is None
        told = """SELECT type, object_id, organization_id FROM activity
            JOIN activity_organization ON activity_id = sequence ORDER BY sequence"""
        rows = await database.reading().rows(told)
        assert [tuple(row.values()) for row in rows] == [
            (type_, made.id, organization) for type_ in ("Create", "Update")
        ]


async def test_what_was_noted_before_a_single_change_is_told_before_it(database: Database) -> None:
    """Then the change is not the last that is written."""
    async with database.transaction() as session:
        partner, organization = await add_partner(session), await add_organization(session)
        await add_membership(session, organization, partner_id=partner)
    act = Act(Caller(partner, frozenset({WRITE})), "1", now())
    async with database.transaction(single=True) as session:
        note(session, act, "Update", "Partner", partner, [organization], ())
        assert await add_instance(session, act, organization, "Shop", "shop") is not None
    rows = await database.reading().rows("SELECT type, object_class FROM activity ORDER BY sequence")
    assert [tuple(row.values()) for row in rows] == [("Update", "Partner"), ("Create", "Instance")]
