"""How many instances an organization has is kept by the database, whoever writes there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.caller import READ_ALL, Caller
from app.storage import list_counts, list_statements
from app.storage.acts import new_id
from app.storage.database import Database, Session, UniqueViolation, update
from app.storage.pages import Cut, Listing, page
from app.storage.tables import Instance
from tests.storage.rows import (
    NOW,
    add_authorization,
    add_instance,
    add_membership,
    add_organization,
    add_partner,
)

pytestmark = pytest.mark.anyio

ALL_OF_THEM = Listing("Instance", "created_at", descending=True)
AUDITOR = Caller(new_id(), frozenset({READ_ALL}))
HANDLES = (f"handle-{number}" for number in count())


async def tallies(session: Session) -> dict[str, int]:
    rows = await session.rows("SELECT organization_id, instances FROM instance_tally")
    return {row["organization_id"]: row["instances"] for row in rows if row["instances"]}


async def counted(session: Session) -> dict[str, int]:
    live = "FROM instance WHERE deleted_at IS NULL GROUP BY organization_id"
    rows = await session.rows(f"SELECT organization_id, count(*) AS found {live}")
    return {row["organization_id"]: row["found"] for row in rows}


# What is done to which instance of three, and with which of two organizations.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["make", "rename", "move", "delete", "restore", "move and delete", "remove"]),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    max_size=12,
)


EACH = [
    *(("make", number, 0) for number in range(3)),
    *(("rename", 0, 0), ("move", 0, 1), ("delete", 0, 0), ("move", 0, 0), ("restore", 0, 0)),
    *(("move and delete", 0, 1), ("delete", 0, 0), ("remove", 0, 0), ("remove", 1, 0)),
]


@given(steps=STEPS)
@example(steps=EACH)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_tally_is_what_could_be_counted_after_whatever_is_done(
    database: Database, steps: Sequence[tuple[str, int, int]]
) -> None:
    async with database.transaction() as session:
        organizations = [await add_organization(session) for _ in range(2)]
        instances: dict[int, str] = {}
        for what, number, owner in steps:
            await do(session, what, number, organizations[owner], instances)
            assert await tallies(session) == await counted(session)


async def do(session: Session, what: str, number: int, organization: str, instances: dict[int, str]) -> None:
    changes: dict[str, dict[str, Any]] = {
        "rename": {"name": "Other"},
        "move": {"organization_id": organization},
        "delete": {"deleted_at": NOW},
        "restore": {"deleted_at": None},
        "move and delete": {"organization_id": organization, "deleted_at": NOW},
    }
    if what == "make":
        instances[number] = await add_instance(session, organization, handle=next(HANDLES))
    elif number in instances and what == "remove":
        await session.rows("DELETE FROM instance WHERE id = $1", [instances.pop(number)])
    elif number in instances:
        await update(session, Instance, changes[what], where={"id": instances[number]})


async def test_what_is_rolled_back_was_never_there(database: Database) -> None:
    async with database.transaction() as session:
        organization = await add_organization(session)
        await add_instance(session, organization, handle="taken")

    async def make_two() -> None:
        async with database.transaction() as session:
            await add_instance(session, organization, handle="free")
            await add_instance(session, organization, handle="taken")

    with pytest.raises(UniqueViolation):
        await make_two()
    assert await tallies(database.reading()) == {organization: 1}


async def test_those_who_write_at_the_same_moment_are_all_counted(database: Database) -> None:
    async with database.transaction() as session:
        organization = await add_organization(session)

    async def make() -> None:
        async with database.transaction() as session:
            await session.lock_organizations("id = $1", [organization])
            await add_instance(session, organization, handle=next(HANDLES))

    await asyncio.gather(*(make() for _ in range(8)))
    assert await tallies(database.reading()) == {organization: 8}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if three were many: entries to be counted, organizations whose tallies are added up."""
    monkeypatch.setattr(list_counts, "COUNTED", 3)
    monkeypatch.setattr(list_counts, "TALLIED", 3)
    monkeypatch.setattr(list_counts, "TALLIED_OF_ALL", 3)
    forget()
    yield
    forget()


def forget() -> None:
    for statement in ("page_statement", "search_statement", "walk_statement", "count_statement"):
        getattr(list_statements, statement).cache_clear()


async def total(database: Database, caller: Caller, organization: str | None = None) -> int | None:
    """As a page tells it, and as a caller is told who asks for what begins behind the last member."""
    parent = ("organization_id", organization) if organization else None
    listing = Listing("Instance", "created_at", descending=True, parent=parent)
    session = database.reading()
    first = await page(session, listing, caller, Cut(2), counted=True)
    behind = await page(session, listing, caller, Cut(2, offset=100), counted=True)
    assert first.total == behind.total
    return first.total


async def member_of(session: Session, *organizations: str) -> Caller:
    partner = await add_partner(session, subject=next(HANDLES))
    for organization in organizations:
        await add_membership(session, organization, partner_id=partner)
    return Caller(partner, frozenset())


@pytest.mark.usefixtures("few")
async def test_what_few_organizations_have_is_counted_however_much_it_is(database: Database) -> None:
    async with database.transaction() as session:
        organizations = [await add_organization(session) for _ in range(3)]
        for organization in organizations * 2:
            await add_instance(session, organization, handle=next(HANDLES))
        one, all_three = await member_of(session, organizations[0]), await member_of(session, *organizations)
        nobody = await member_of(session)
    assert await total(database, one) == await total(database, one, organizations[0]) == 2
    assert await total(database, one, organizations[1]) == 0
    assert await total(database, all_three) == await total(database, AUDITOR) == 6
    assert await total(database, AUDITOR, organizations[2]) == 2
    assert await total(database, nobody) == await total(database, nobody, organizations[0]) == 0


@pytest.mark.usefixtures("few")
async def test_what_many_organizations_have_is_counted_where_it_is_little(database: Database) -> None:
    async with database.transaction() as session:
        organizations = [await add_organization(session) for _ in range(4)]
        for organization in organizations[:3]:
            await add_instance(session, organization, handle=next(HANDLES))
        caller = await member_of(session, *organizations)
    assert await total(database, caller) == 3
    async with database.transaction() as session:
        await add_instance(session, organizations[3], handle=next(HANDLES))
    assert await total(database, caller) is None
    assert await total(database, AUDITOR) is None
    assert await total(database, caller, organizations[3]) == 1


@pytest.mark.usefixtures("few")
async def test_what_was_granted_in_others_is_counted_too_unless_it_is_much(database: Database) -> None:
    async with database.transaction() as session:
        mine, theirs = await add_organization(session), await add_organization(session)
        caller = await member_of(session, mine)
        await add_instance(session, mine, handle=next(HANDLES))
        accepted = {"organization_id": mine, "status": "accepted", "accepted_at": NOW}
        for expected in (2, 3, 4):
            instance = await add_instance(session, theirs, handle=next(HANDLES))
            owners = {"instance_id": instance, "owner_organization_id": theirs}
            await add_authorization(session, **accepted, **owners)
            listing, cut = ALL_OF_THEM, Cut(2)
            assert (await page(session, listing, caller, cut, counted=True)).total == expected
        instance = await add_instance(session, theirs, handle=next(HANDLES))
        await add_authorization(session, **accepted, instance_id=instance, owner_organization_id=theirs)
        assert (await page(session, ALL_OF_THEM, caller, Cut(2), counted=True)).total is None
