"""Searches in what a caller sees: found and counted in one go where that is little, and the same where it is
not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from app.caller import READ, Caller
from app.storage import list_counts
from app.storage.database import Database
from app.storage.pages import Cut, Listing, Page, page
from app.storage.session import Session
from app.storage.statements import Rows
from tests.storage.rows import (
    NOW,
    add_authorization,
    add_instance,
    add_membership,
    add_organization,
    add_partner,
)
from tests.storage.test_tallies import forget

pytestmark = pytest.mark.anyio

ACCEPTED = {"status": "accepted", "accepted_at": NOW}


@pytest.fixture(params=[10_000, 3], ids=["little", "much"])
def asked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[str, Rows]]]:
    """The statements that were run and what they found, where so many entries are counted at most."""
    seen: list[tuple[str, Rows]] = []
    rows = Session.rows

    async def noted(session: Session, sql: str, values: tuple[str, ...] = ()) -> Rows:
        found = await rows(session, sql, values)
        seen.append((sql, found))
        return found

    monkeypatch.setattr(Session, "rows", noted)
    monkeypatch.setattr(list_counts, "COUNTED", request.param)
    monkeypatch.setattr(list_counts, "LOOKED_AT_ONCE", request.param)
    forget()
    yield seen
    forget()


class Estate:
    """Of two callers: one is a member of two organizations, with instances in both, one that another
    organization granted, one that one of its organizations granted the other, and one that is only offered;
    the other is a member of one of them."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.seen: dict[str, str] = {}

    async def write(self, session: Session) -> None:
        self.first, self.second = await add_organization(session), await add_organization(session)
        self.stranger = await add_organization(session)
        self.of_both = await self._caller(session, "both", self.first, self.second)
        self.of_first = await self._caller(session, "first", self.first)
        for number in range(3):
            await self._instance(session, self.first, f"Red {number}")
            await self._instance(session, self.second, f"Blue {number}")
        await self._instance(session, self.first, "Red, deleted", deleted_at=NOW)
        await self._instance(session, self.stranger, "Red, unseen")
        granted = await self._instance(session, self.stranger, "Red, granted")
        await self._grant(session, granted, self.stranger, self.first, **ACCEPTED)
        offered = await self._instance(session, self.stranger, "Red, offered")
        await self._grant(session, offered, self.stranger, self.first)
        within = await self._instance(session, self.second, "Red, granted within")
        await self._grant(session, within, self.second, self.first, **ACCEPTED)

    async def _caller(self, session: Session, subject: str, *organizations: str) -> Caller:
        partner = await add_partner(session, subject=subject)
        for organization in organizations:
            await add_membership(session, organization, partner_id=partner, role="member")
        return Caller(partner, frozenset({READ}))

    async def _instance(self, session: Session, organization: str, name: str, **others: object) -> str:
        number = next(self._numbers)
        values = {"name": name, "name_key": name.lower(), "handle": f"handle-{'abcdefghijklmnop'[number]}"}
        created = NOW - timedelta(seconds=number * 7 % 5)
        return await add_instance(session, organization, **values, created_at=created, **others)

    async def _grant(self, session: Session, instance: str, owner: str, to: str, **others: object) -> None:
        organizations = {"owner_organization_id": owner, "organization_id": to}
        await add_authorization(session, instance_id=instance, **organizations, **others)


async def estate(database: Database) -> Estate:
    made = Estate()
    async with database.transaction() as session:
        await made.write(session)
    return made


async def search(
    database: Database,
    caller: Caller,
    name: str,
    *,
    order: str = "name",
    of: str = "",
    cut: Cut | None = None,
) -> Page:
    parent = ("organization_id", of) if of else None
    listing = Listing("Instance", order, False, {"name": name}, parent)
    return await page(database.reading(), listing, caller, cut or Cut(20), counted=True)


def names(found: Page) -> list[str]:
    return [str(record.values["name"]) for record in found.records]


REDS = ["Red 0", "Red 1", "Red 2", "Red, granted", "Red, granted within"]


async def test_what_the_caller_sees_is_found_once_and_counted_where_it_is_little(
    database: Database, asked: list[tuple[str, Rows]]
) -> None:
    made = await estate(database)
    little = list_counts.COUNTED > 3
    for caller in (made.of_both, made.of_first):
        asked.clear()
        found = await search(database, caller, "red")
        assert names(found) == REDS
        assert found.total == (len(REDS) if little else None)
        assert [sql.startswith("WITH size") for sql, _ in asked] == [True, *([] if little else [False])]
    found = await search(database, made.of_both, "E")
    assert names(found) == ["Blue 0", "Blue 1", "Blue 2", *REDS]


@pytest.mark.parametrize("order", ["name", "created_at", "updated_at", "handle", "id"])
@pytest.mark.usefixtures("asked")
async def test_a_search_is_in_the_order_that_is_asked_for(database: Database, order: str) -> None:
    made = await estate(database)
    found = await search(database, made.of_both, "red", order=order)
    values = [(record.values[order], record.id) for record in found.records]
    assert values == sorted(values)
    assert sorted(names(found)) == REDS
    assert [record.roles for record in found.records if record.values["name"] == "Red, granted"] == [
        {"authorized_member"}
    ]
    again = await search(database, made.of_both, "red", order=order, cut=Cut(2, offset=2))
    assert [it.id for it in again.records] == [it.id for it in found.records[2:4]]
    assert again.more
    assert (await search(database, made.of_both, "red", order=order, cut=Cut(2, offset=4))).more is False


@pytest.mark.usefixtures("asked")
async def test_a_search_in_one_organization_finds_what_it_owns(database: Database) -> None:
    made = await estate(database)
    little = list_counts.COUNTED > 3
    found = await search(database, made.of_both, "red", of=made.first)
    assert (names(found), found.total) == (["Red 0", "Red 1", "Red 2"], 3)
    # Of an organization that it is no member of, what it was granted.
    found = await search(database, made.of_first, "red", of=made.second)
    assert (names(found), found.total) == (["Red, granted within"], 1)
    found = await search(database, made.of_both, "blue", of=made.second)
    assert (names(found), found.total) == (["Blue 0", "Blue 1", "Blue 2"], 3 if little else None)


async def test_where_nothing_is_found_that_is_told_with_what_the_caller_owns(
    database: Database, asked: list[tuple[str, Rows]]
) -> None:
    made = await estate(database)
    asked.clear()
    found = await search(database, made.of_both, "green")
    assert (names(found), found.more) == ([], False)
    if list_counts.COUNTED > 3:
        assert (found.total, len(asked)) == (0, 1)
    assert not found.owns_any
    async with database.transaction() as session:
        third = await add_organization(session)
        await add_membership(session, third, partner_id=made.of_both.partner_id, role="owner")
    assert (await search(database, made.of_both, "green")).owns_any
    behind = await search(database, made.of_both, "red", cut=Cut(5, offset=100))
    assert (names(behind), behind.owns_any) == ([], True)
    assert behind.total == (len(REDS) if list_counts.COUNTED > 3 else None)
