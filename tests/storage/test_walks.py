"""Pages of a caller with many organizations: found among all rows, or else in each of the organizations."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count, pairwise
from typing import Any

import pytest

from app.caller import READ, Caller
from app.storage.database import Database
from app.storage.list_statements import MANY
from app.storage.pages import Cut, Listing, Position, page
from app.storage.session import Session
from app.storage.statements import Rows
from app.storage.ways import WAYS
from tests.storage.rows import (
    NOW,
    add_activity,
    add_authorization,
    add_instance,
    add_membership,
    add_organization,
    add_partner,
    list_activity,
)

pytestmark = pytest.mark.anyio

ORDERS = ["created_at", "updated_at", "name", "handle", "id"]


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[Rows | None]:
    """What was found by looking along all rows, each time that was tried: by a statement of SQLite's, by a
    part of PostgreSQL's, which then does not look at what would lead to the rows otherwise."""
    found: list[Rows | None] = []
    soon, point = Session.soon, Session.point

    async def noted(session: Session, sql: str, values: Any, *steps: int) -> Rows | None:
        rows = await soon(session, sql, values, *steps)
        if session.dialect == "sqlite" and "LIMIT CASE WHEN" in sql:
            found.append(rows)
        return rows

    async def noted_part(session: Session, sql: str, values: Any) -> Rows:
        rows = await point(session, sql, values)
        if "near AS MATERIALIZED" in sql:
            [row] = await point(session, f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values)
            found.append(rows if far_is_left_out(json.loads(row["QUERY PLAN"])[0]["Plan"]) else None)
        return rows

    monkeypatch.setattr(Session, "soon", noted)
    monkeypatch.setattr(Session, "point", noted_part)
    return found


def far_is_left_out(node: Any) -> bool:
    parts = node.get("Plans", ())
    if "<>" in node.get("One-Time Filter", ""):
        return not any(it["Actual Loops"] for it in parts if it["Parent Relationship"] != "InitPlan")
    return any(map(far_is_left_out, parts))


async def estate(database: Database, organizations: int, foreign: int = 0) -> tuple[Caller, list[str]]:
    """A caller with two instances in each of its organizations, and an accepted authorization for one of
    another; the ids of all that its lists have, so not of the one that is only offered to it. Instances of
    others and some that were deleted lie between, and `foreign` ones before all of them."""
    async with database.transaction() as session:
        partner, stranger = await add_partner(session), await add_organization(session)
        numbers = count(1)

        async def instance(organization: str, **others: Any) -> str:
            number = next(numbers)
            created = NOW + timedelta(seconds=number // 3)
            name = f"name {number * 7 % 10}"
            values = {"name": name, "name_key": name, "handle": f"h-{number:05}", "created_at": created}
            return await add_instance(session, organization, **{**values, "updated_at": created} | others)

        seen, own = [], stranger
        for _ in range(organizations):
            own = await add_organization(session)
            await add_membership(session, own, partner_id=partner)
            seen += [await instance(own), await instance(own)]
            await instance(stranger)
            await instance(own, deleted_at=NOW + timedelta(days=1))
        granted = await instance(stranger)
        accepted = {"status": "accepted", "accepted_at": NOW}
        await add_authorization(
            session, instance_id=granted, owner_organization_id=stranger, organization_id=own, **accepted
        )
        offered = await instance(stranger)
        await add_authorization(
            session, instance_id=offered, owner_organization_id=stranger, organization_id=own
        )
        for _ in range(foreign):
            await instance(stranger)
    return Caller(partner, frozenset({READ})), [*seen, granted]


async def crawled(database: Database, caller: Caller, listing: Listing, limit: int) -> list[str]:
    found: list[str] = []
    after: Position | None = None
    while True:
        part = await page(database.reading(), listing, caller, Cut(limit, after=after), counted=after is None)
        if after is None:
            total = part.total
        found += [record.id for record in part.records]
        if not part.more:
            assert total == len(found)
            return found
        after = part.positions[-1]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("descending", [True, False])
async def test_whoever_has_many_organizations_meets_each_of_its_instances_once_in_order(
    database: Database, walks: list[Rows | None], order: str, descending: bool
) -> None:
    caller, seen = await estate(database, MANY + 1)
    listing = Listing("Instance", order, descending)
    found = await crawled(database, caller, listing, 5)
    assert sorted(found) == sorted(seen)
    bounded = database.dialect == "sqlite" or order in WAYS["Instance"].walked
    assert len(walks) == (len(seen) // 5 if bounded else 0)
    assert all(walks[:-1])
    # What SQLite finds stands; PostgreSQL looks everywhere where it does not fill a page.
    assert not bounded or bool(walks[-1]) == (database.dialect == "sqlite")
    # Where rows are passed over, the caller's organizations are looked at.
    walks.clear()
    passed = await page(database.reading(), listing, caller, Cut(limit=200, offset=1))
    assert found[1:] == [record.id for record in passed.records]
    assert not walks


async def test_backwards_a_page_is_the_one_before(database: Database) -> None:
    caller, _ = await estate(database, MANY + 1)
    session, listing = database.reading(), Listing("Instance", "created_at", True)
    first = await page(session, listing, caller, Cut(limit=4))
    second = await page(session, listing, caller, Cut(limit=4, after=first.positions[-1]))
    back = await page(session, listing, caller, Cut(limit=4, before=second.positions[0]))
    assert [it.id for it in back.records] == [it.id for it in first.records]


async def test_whoever_has_few_organizations_looks_along_nothing(
    database: Database, walks: list[Rows | None]
) -> None:
    caller, seen = await estate(database, MANY)
    assert sorted(await crawled(database, caller, Listing("Instance", "created_at", True), 5)) == sorted(seen)
    assert not any(walks)


async def test_whoever_sees_little_of_all_is_answered_from_its_organizations(
    database: Database, walks: list[Rows | None]
) -> None:
    """So many were made by others since that looking along them is given up."""
    caller, seen = await estate(database, MANY + 1, foreign=1_000)
    assert sorted(await crawled(database, caller, Listing("Instance", "created_at", True), 40)) == sorted(
        seen
    )
    assert len(walks) in (1, 2)
    assert not any(walks)


async def test_what_concerns_several_organizations_of_a_caller_is_told_once(
    database: Database, walks: list[Rows | None]
) -> None:
    async with database.transaction() as session:
        partner = await add_partner(session)
        own = [await add_organization(session) for _ in range(MANY + 1)]
        for number, organization in enumerate(own):
            role = "member" if number == 0 else "owner"
            await add_membership(session, organization, partner_id=partner, role=role)
        told = []
        for first, second in pairwise(own):
            told.append(await add_activity(session))
            await list_activity(session, told[-1], first)
            await list_activity(session, told[-1], second)
        untold = await add_activity(session)
        await list_activity(session, untold, own[0])
    caller, listing = Caller(partner, frozenset({READ})), Listing("Activity", "sequence", True)
    found, after = [], None
    while True:
        part = await page(database.reading(), listing, caller, Cut(3, after=after))
        found += [record.values["sequence"] for record in part.records]
        if not part.more:
            break
        after = part.positions[-1]
    assert found == told[::-1]
    assert walks
    assert all(walks[:-1])


async def test_where_no_row_tells_it_whether_the_caller_owns_something_is_found_out(
    database: Database,
) -> None:
    session = database.reading()
    partner, organization = await add_partner(session), await add_organization(session)
    caller, listing = Caller(partner, frozenset({READ})), Listing("Instance", "created_at", True)
    assert not (await page(session, listing, caller, Cut(limit=4))).owns_any
    await add_membership(session, organization, partner_id=partner, role="owner")
    assert (await page(session, listing, caller, Cut(limit=4))).owns_any
    await add_instance(session, organization)
    assert (await page(session, listing, caller, Cut(limit=4))).owns_any
