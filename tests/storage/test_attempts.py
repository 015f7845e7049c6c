"""A single change of one statement on PostgreSQL: it is written as it was judged, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from app.caller import READ_ALL, WRITE, Caller
from app.storage.acts import Act, now
from app.storage.attempts import Attempt, Overtaken
from app.storage.database import Database
from app.storage.failures import UniqueViolation
from app.storage.records import Record, find_locked
from app.storage.writes import add_instance, change, create_instance, delete
from tests.statements import overhear
from tests.storage.opening import opened
from tests.storage.rows import add_authorization, add_membership, add_organization, add_partner

pytestmark = pytest.mark.anyio

OWNER = frozenset({"owner"})


class Place:
    """An organization with an owner, who acts, and an instance."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def populate(self) -> None:
        async with self.database.transaction() as session:
            partner = await add_partner(session)
            self.organization = await add_organization(session)
            self.membership = await add_membership(session, self.organization, partner_id=partner)
            self.caller = Caller(partner, frozenset({WRITE}))
            self.act = Act(self.caller, "1", now())
            self.instance = await create_instance(session, self.act, self.organization, "Shop", "shop")

    def attempt(self) -> Attempt:
        attempt = self.database.attempt()
        assert attempt is not None
        return attempt

    async def found(self, attempt: Attempt, class_name: str) -> Record:
        identifier = self.instance if class_name == "Instance" else self.organization
        record = await find_locked(attempt, class_name, self.caller, "id", identifier)
        assert record is not None
        return record

    async def run(self, sql: str) -> None:
        async with self.database.transaction() as session:
            await session.rows(sql)

    async def told(self) -> list[tuple[str, str]]:
        sql = "SELECT type, object_id FROM activity ORDER BY sequence"
        return [(row["type"], row["object_id"]) for row in await self.database.reading().rows(sql)]


@pytest.fixture
async def place(postgres_url: str) -> AsyncIterator[Place]:
    async with opened(postgres_url) as database:
        place = Place(database)
        await place.populate()
        yield place


async def test_a_creation_and_a_renaming_ask_twice(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = overhear(monkeypatch)
    creation = place.attempt()
    await place.found(creation, "Organization")
    made = await add_instance(creation, place.act, place.organization, "Mill", "mill")
    renaming = place.attempt()
    renamed = await change(renaming, place.act, await place.found(renaming, "Instance"), {"name": "Shops"})
    assert len(asked) == 4
    assert made is not None
    assert renamed is not None
    assert (made.values["handle"], made.roles, made.version) == ("mill", OWNER, 1)
    assert (renamed.values["name"], renamed.roles, renamed.version) == ("Shops", OWNER, 2)
    assert await place.told() == [
        ("Create", place.instance),
        ("Create", made.id),
        ("Update", place.instance),
    ]
    # Overtaken, it would be done once more.
    for late in (renaming.rows, renaming.brief, renaming.point):
        with pytest.raises(RuntimeError, match="nothing may come after it"):
            await late("SELECT 1")


@pytest.mark.parametrize(
    "meanwhile",
    [
        "DELETE FROM membership",
        "UPDATE membership SET role = 'member', version = version + 1",
        "UPDATE organization SET deleted_at = now()",
    ],
)
async def test_what_is_not_allowed_any_more_is_not_written(place: Place, meanwhile: str) -> None:
    renaming, creation = place.attempt(), place.attempt()
    record = await place.found(renaming, "Instance")
    await place.found(creation, "Organization")
    await place.run(meanwhile)
    with pytest.raises(Overtaken):
        await change(renaming, place.act, record, {"name": "Shops"})
    with pytest.raises(Overtaken):
        await add_instance(creation, place.act, place.organization, "Mill", "mill")
    assert await place.told() == [("Create", place.instance)]
    rows = await place.database.reading().rows("SELECT name, version FROM instance")
    assert [tuple(row.values()) for row in rows] == [("Shop", 1)]


# What another one does while the statement waits for it, and whether a renaming and a creation go through.
MEANWHILE = {
    "UPDATE membership SET role = 'member'": (False, False),
    "UPDATE membership SET role = 'member'; UPDATE membership SET role = 'owner'": (True, True),
    "UPDATE membership SET version = version + 1": (True, True),
    "UPDATE membership SET partner_id = NULL, email = 'a@b', email_key = 'a@b'": (False, False),
    "DELETE FROM membership": (False, False),
    "UPDATE organization SET deleted_at = now()": (False, False),
    "UPDATE organization SET name = 'Other', version = version + 1": (True, True),
    "UPDATE organization SET name = 'Other'; UPDATE membership SET role = 'member'": (False, False),
    "UPDATE instance SET name = 'Other', version = version + 1": (False, True),
    "UPDATE instance SET deleted_at = now() + interval '1 day'": (False, True),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize("ends", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("what", ["renaming", "creation"])
async def test_what_waits_in_the_statement_is_judged_by_what_is_then(
    place: Place, postgres_url: str, meanwhile: str, ends: str, what: str
) -> None:
    attempt, other = place.attempt(), await asyncpg.connect(postgres_url)
    try:
        if what == "renaming":
            record = await place.found(attempt, "Instance")
            change_ = change(attempt, place.act, record, {"name": "Shops"})
        else:
            await place.found(attempt, "Organization")
            change_ = add_instance(attempt, place.act, place.organization, "Mill", "mill")
        await other.execute("BEGIN; SELECT id FROM organization FOR NO KEY UPDATE")
        await other.execute(meanwhile)
        waiting = asyncio.create_task(change_)
        await blocked(other)
        await other.execute(ends)
        goes_through = ends == "ROLLBACK" or MEANWHILE[meanwhile][what == "creation"]
        if goes_through:
            assert await waiting is not None
        else:
            with pytest.raises(Overtaken):
                await waiting
    finally:
        await other.close()
    assert len(await place.told()) == 1 + goes_through


async def blocked(other: asyncpg.Connection) -> None:
    """Until somebody waits for a lock."""
    sql = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    async with asyncio.timeout(20):
        while not await other.fetchval(sql):  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.005)


async def test_a_change_of_another_version_is_not_written(place: Place) -> None:
    attempt = place.attempt()
    record = await place.found(attempt, "Instance")
    await place.run("UPDATE instance SET name = 'Shops', version = version + 1")
    with pytest.raises(Overtaken):
        await change(attempt, place.act, record, {"name": "Mill"})
    assert await place.told() == [("Create", place.instance)]


async def test_nothing_is_written_without_grounds(place: Place) -> None:
    """As where nothing was found before, or where the caller is no member of the organization."""
    with pytest.raises(Overtaken):
        await add_instance(place.attempt(), place.act, place.organization, "Mill", "mill")
    async with place.database.transaction() as session:
        stranger = await add_partner(session, subject="stranger")
    attempt, reader = place.attempt(), Caller(stranger, frozenset({READ_ALL, WRITE}))
    found = await find_locked(attempt, "Organization", reader, "id", place.organization)
    assert found is not None
    with pytest.raises(Overtaken):
        await add_instance(attempt, Act(reader, "1", now()), place.organization, "Mill", "mill")


async def test_a_handle_that_is_taken_is_told_as_in_a_transaction(place: Place) -> None:
    attempt = place.attempt()
    await place.found(attempt, "Organization")
    with pytest.raises(UniqueViolation) as raised:
        await add_instance(attempt, place.act, place.organization, "Mill", "shop")
    assert raised.value.column == "handle"


async def test_who_has_a_second_role_gets_a_transaction(place: Place) -> None:
    """The statement looks at one role only."""
    async with place.database.transaction() as session:
        second = await add_organization(session)
        await add_membership(session, second, partner_id=place.caller.partner_id)
        await add_authorization(
            session,
            instance_id=place.instance,
            owner_organization_id=place.organization,
            organization_id=second,
        )
    attempt = place.attempt()
    record = await place.found(attempt, "Instance")
    assert record.roles == {"owner", "authorized_owner"}
    with pytest.raises(Overtaken):
        await change(attempt, place.act, record, {"name": "Shops"})


async def test_what_takes_several_statements_needs_a_transaction(place: Place) -> None:
    attempt = place.attempt()
    record = await place.found(attempt, "Instance")
    with pytest.raises(Overtaken):
        await delete(attempt, place.act, record)
    with pytest.raises(Overtaken):
        await find_locked(place.attempt(), "Instance", place.caller, "id", place.instance, ["another"])
    with pytest.raises(Overtaken):
        await find_locked(attempt, "Organization", place.caller, "id", place.organization)
    with pytest.raises(Overtaken):
        await change(attempt, place.act, await organization(place), {"name": "Parts are read afterwards"})
    assert await place.told() == [("Create", place.instance)]


async def organization(place: Place) -> Record:
    return await place.found(place.attempt(), "Organization")


async def test_sqlite_and_a_pooler_have_transactions_alone(sqlite_url: str, postgres_url: str) -> None:
    """SQLite has no way to anywhere to save; a pooler is told limits within a transaction."""
    joint = "&" if "?" in postgres_url else "?"
    for url in (sqlite_url, f"{postgres_url}{joint}statement_cache_size=0"):
        async with opened(url) as database:
            assert database.attempt() is None
