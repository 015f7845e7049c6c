"""Values go in and come out alike on both databases."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest

from app.storage.database import Database, insert, update
from app.storage.tables import Organization
from tests.storage.rows import NOW, add_activity, add_instance, add_organization, add_partner

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("time", "lexical"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z"),
        (datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "2026-12-31T23:59:59.999999Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 100000, tzinfo=UTC), "2026-01-01T00:00:00.100000Z"),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00.000000Z"),
        (datetime(987, 1, 1, tzinfo=UTC), "0987-01-01T00:00:00.000000Z"),
    ],
)
async def test_a_time_comes_back_with_the_same_digits(
    database: Database, time: datetime, lexical: str
) -> None:
    async with database.transaction() as session:
        await add_organization(session, created_at=time, updated_at=time)
        [row] = await session.rows("SELECT * FROM organization")
        # What was told is what is found again.
        told = session.time(lexical)
        assert await session.rows("SELECT id FROM organization WHERE created_at = $1", [told])
    assert (row["created_at"], row["updated_at"], row["deleted_at"]) == (lexical, lexical, None)


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="time zone"):
        async with database.transaction() as session:
            await add_organization(session, created_at=naive)


async def test_times_are_ordered_and_compared_as_times(database: Database) -> None:
    times = [NOW + timedelta(microseconds=step) for step in (0, 1, 10, 500000, 1000000, 2000001)]
    async with database.transaction() as session:
        for time in reversed(times):
            await add_organization(session, created_at=time, updated_at=time)
    session = database.reading()
    later = "SELECT created_at FROM organization WHERE created_at > $1 ORDER BY created_at"
    assert [row["created_at"] for row in await session.rows(later, [times[2]])] == [
        "2026-01-01T00:00:00.500000Z",
        "2026-01-01T00:00:01.000000Z",
        "2026-01-01T00:00:02.000001Z",
    ]


async def test_an_id_is_text_in_lower_case_whichever_way_it_went_in(database: Database) -> None:
    as_uuid, as_text = uuid4(), str(uuid4())
    async with database.transaction() as session:
        await add_organization(session, id=as_uuid)
        await add_organization(session, id=as_text)
        ids = {row["id"] for row in await session.rows("SELECT id FROM organization")}
        assert ids == {str(as_uuid), as_text}
        for value in (as_text, UUID(as_text)):
            found = await session.rows("SELECT id FROM organization WHERE id = $1", [value])
            assert found == [{"id": as_text}]


@pytest.mark.parametrize(
    "name",
    [
        "*",
        "?",
        "$1",
        "%s",
        "O'Hara",
        'say "hi"',
        "back\\slash",
        "100%_",
        "2026-01-01 00:00:00.000000+00:00",
        "👩‍🚀",
    ],
)
async def test_text_comes_back_as_it_went_in(database: Database, name: str) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session, name=name)
        await update(session, Organization, {"name_key": name}, where={"name": name})
        query = "SELECT name, name_key FROM organization WHERE name = $1"
        assert await session.rows(query, [name]) == [{"name": name, "name_key": name}]
        selected = await session.rows("SELECT name FROM organization WHERE id = $1", [organization_id])
    assert selected == [{"name": name}]


NAMES = (
    *("Zeta", "alpha", "Ärger", "zürich", "Éclair", "eclair", "O'Hara", "o-hara", "ohara", "10", "9", "_x"),
    *(
        "Москва",
        "ё",
        "Ωmega",
        "東京",
        "ﬁn",
        "ｆｕｌｌ",
        "𝓢cript",
        "🦊",
        "İstanbul",
        "straße",
        "عربي",
        "a b",
        "ab",
    ),
)


async def test_names_of_every_script_have_the_same_order_on_both(database: Database) -> None:
    keys = [unicodedata.normalize("NFKC", name).casefold() for name in NAMES]
    async with database.transaction() as session:
        organization_id = await add_organization(session, name_key="")
        for number, key in enumerate(keys):
            handle = f"{'-' if number % 2 else 'a'}{number}-x"
            await add_instance(session, organization_id, name_key=key, handle=handle)
    session = database.reading()
    for column, expected in (("name_key", keys), ("handle", None)):
        rows = await session.rows(f"SELECT {column} FROM instance ORDER BY {column}")
        values = [row[column] for row in rows]
        assert values == sorted(expected or values, key=lambda text: text.encode())


async def test_the_longest_key_that_a_name_can_have_is_stored(database: Database) -> None:
    key = unicodedata.normalize("NFKC", "\ufdfa" * 255).casefold()
    assert len(key.encode()) > 2704
    async with database.transaction() as session:
        await add_organization(session, name_key=key)


async def test_an_activity_is_answered_with_its_place_in_the_sequence(database: Database) -> None:
    async with database.transaction() as session:
        first, second = await add_activity(session), await add_activity(session)
    assert 0 < first < second


async def test_a_change_tells_how_many_rows_it_changed(database: Database) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)
        await add_organization(session, deleted_at=NOW)
        undeleted = {"id": organization_id, "version": 1, "deleted_at": None}
        assert await update(session, Organization, {"version": 2}, where=undeleted) == 1
        assert await update(session, Organization, {"version": 2}, where=undeleted) == 0
        assert await update(session, Organization, {"deleted_at": None}, where={}) == 2


async def test_a_missing_value_stays_missing(database: Database) -> None:
    async with database.transaction() as session:
        await add_partner(session, name=None)
        partners = "SELECT name, email FROM partner"
        assert await session.rows(partners) == [{"name": None, "email": None}]


async def test_a_column_that_there_is_not_is_our_fault_and_no_passing_failure(database: Database) -> None:
    with pytest.raises(Exception, match="colour") as caught:
        await insert(database.reading(), Organization, {"colour": "red"})
    assert type(caught.value).__module__ in ("sqlite3", "asyncpg.exceptions")
