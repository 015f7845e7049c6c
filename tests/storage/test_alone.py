"""Lists of who sees what is in one organization and nothing else, which are read as lists of that one."""

from __future__ import annotations

from datetime import timedelta
from itertools import count, product
from typing import Any

import pytest

from app.caller import READ, Caller
from app.storage import pages
from app.storage.database import Database
from app.storage.pages import Cut, Listing, Page, page
from app.storage.session import Session
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

ORDERS = {"Instance": ["created_at", "updated_at", "name", "handle", "id"], "Activity": ["sequence"]}
NUMBERS = count(1)


class Estate:
    """A member of one organization, between others of which it sees nothing."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def populate(self, role: str = "owner") -> None:
        subject = f"partner {next(NUMBERS)}"
        self.partner = await add_partner(self.session, subject=subject)
        self.caller = Caller(self.partner, frozenset({READ}))
        self.own, self.other = await add_organization(self.session), await add_organization(self.session)
        await add_membership(self.session, self.own, partner_id=self.partner, role=role)
        for organization in (self.own, self.other) * 5:
            await self.instance(organization)
        await self.instance(self.own, deleted_at=NOW + timedelta(days=1))
        for _ in range(4):
            activity = await add_activity(self.session)
            for organization in (self.own, self.other):
                await list_activity(self.session, activity, organization)
            await list_activity(self.session, await add_activity(self.session), self.other)

    async def instance(self, organization: str, **others: Any) -> str:
        number = next(NUMBERS)
        at = NOW + timedelta(seconds=number // 3)
        name = f"name {number * 7 % 4}"
        values = {"name": name, "name_key": name, "handle": f"h-{number:05}", "created_at": at}
        return await add_instance(self.session, organization, **{**values, "updated_at": at} | others)

    async def grant(self, **status: Any) -> str:
        instance = await self.instance(self.other)
        between = {"owner_organization_id": self.other, "organization_id": self.own}
        await add_authorization(self.session, instance_id=instance, **between, **status)
        return instance


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were found in this way, each time that it was tried."""
    found: list[int] = []
    point, rows = Session.point, Session.rows

    def noting(run: Any) -> Any:
        async def noted(session: Session, sql: str, values: Any) -> Any:
            rows = await run(session, sql, values)
            if "sole AS MATERIALIZED" in sql:
                found.append(len(rows))
            return rows

        return noted

    monkeypatch.setattr(Session, "point", noting(point))
    monkeypatch.setattr(Session, "rows", noting(rows))
    return found


async def both(
    database: Database, listing: Listing, estate: Estate, cut: Cut, *, counted: bool = False
) -> tuple[Page, Page]:
    """As it is read of who is alone, and as it is read of all others."""
    session, who = database.reading(), (estate.partner, listing.class_name)
    pages._SEVERAL.pop(who, None)
    first = await page(session, listing, estate.caller, cut, counted=counted)
    pages._SEVERAL[who] = float("inf")
    second = await page(session, listing, estate.caller, cut, counted=counted)
    del pages._SEVERAL[who]
    return first, second


def told(found: Page) -> tuple[Any, ...]:
    shown = [(it.values, it.roles, it.named) for it in found.records]
    positions = [(it.value, it.id) for it in found.positions]
    return shown, positions, found.more, found.owns_any, found.total


@pytest.mark.parametrize("role", ["owner", "member"])
@pytest.mark.parametrize(
    ("class_name", "order"), [(name, order) for name, orders in ORDERS.items() for order in orders]
)
@pytest.mark.parametrize("descending", [True, False])
async def test_their_pages_are_what_they_were(
    database: Database, alone: list[int], role: str, class_name: str, order: str, descending: bool
) -> None:
    async with database.transaction() as session:
        estate = Estate(session)
        await estate.populate(role)
    listing = Listing(class_name, order, descending)
    first, general = await both(database, listing, estate, Cut(3), counted=True)
    seen = class_name == "Instance" or role == "owner"
    assert bool(first.records) == seen
    assert told(first) == told(general)
    assert (first.total, first.owns_any) == ((5 if class_name == "Instance" else 4) * seen, role == "owner")
    cuts = [Cut(30), Cut(2, offset=2)]
    if seen:
        cuts += [Cut(1, after=first.positions[1]), Cut(5, before=first.positions[-1])]
    for cut, counted in product(cuts, (True, False)):
        found, general = await both(database, listing, estate, cut, counted=counted)
        assert told(found) == told(general), cut
    assert len(alone) == 1 + 2 * len(cuts)
    assert all(alone) == seen


@pytest.mark.parametrize("what", ["a second organization", "a deleted one", "a grant"])
async def test_who_sees_more_is_not_read_as_alone(database: Database, alone: list[int], what: str) -> None:
    async with database.transaction() as session:
        estate = Estate(session)
        await estate.populate()
        seen = 5
        if what == "a grant":
            await estate.grant(status="accepted", accepted_at=NOW)
            seen += 1
        else:
            deleted = {"deleted_at": NOW} if what == "a deleted one" else {}
            second = await add_organization(session, **deleted)
            await add_membership(session, second, partner_id=estate.partner)
            if not deleted:
                await estate.instance(second)
                seen += 1
    found = await page(
        database.reading(), Listing("Instance", "created_at", True), estate.caller, Cut(30), counted=True
    )
    assert (len(found.records), found.total) == (seen, seen)
    assert alone == [0]
    # For a while nobody tries it again.
    await page(database.reading(), Listing("Instance", "created_at", True), estate.caller, Cut(30))
    assert alone == [0]


async def test_an_empty_list_says_nothing_of_what_the_caller_sees(
    database: Database, alone: list[int]
) -> None:
    """Its first instance comes next."""
    async with database.transaction() as session:
        partner, organization = await add_partner(session), await add_organization(session)
        await add_membership(session, organization, partner_id=partner, role="owner")
    caller, listing = Caller(partner, frozenset({READ})), Listing("Instance", "created_at", True)
    assert not (await page(database.reading(), listing, caller, Cut(30))).records
    async with database.transaction() as session:
        await add_instance(session, organization)
    assert len((await page(database.reading(), listing, caller, Cut(30))).records) == 1
    assert alone == [0, 1]


async def test_what_is_only_offered_changes_nothing(database: Database, alone: list[int]) -> None:
    async with database.transaction() as session:
        estate = Estate(session)
        await estate.populate()
        await estate.grant()
    found, general = await both(database, Listing("Instance", "created_at", True), estate, Cut(30))
    assert told(found) == told(general)
    assert alone == [5]


async def test_who_comes_to_a_second_organization_sees_it_at_once(
    database: Database, alone: list[int]
) -> None:
    async with database.transaction() as session:
        estate = Estate(session)
        await estate.populate()
    listing = Listing("Instance", "created_at", True)
    assert len((await page(database.reading(), listing, estate.caller, Cut(30))).records) == 5
    async with database.transaction() as session:
        await add_membership(session, estate.other, partner_id=estate.partner)
    assert len((await page(database.reading(), listing, estate.caller, Cut(30))).records) == 10
    assert alone == [5, 0]
