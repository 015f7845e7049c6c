"""Search for parts of text in a whole table: as it is, wherever it stands, whatever has been done to it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from app.caller import READ_ALL, Caller
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.keys import text_key
from app.storage.list_counts import COUNTED
from app.storage.ownership import EVERYTHING
from app.storage.pages import Cut, Listing, page
from app.storage.records import find
from app.storage.session import Session
from app.storage.writes import change, delete
from tests.storage.rows import add_instance, add_organization
from tests.storage.test_values import NAMES

pytestmark = pytest.mark.anyio

AUDITOR = Caller(new_id(), frozenset({READ_ALL}))
# More than one batch of the index, and some that stand outside of it.
MANY = 150
ODD = (
    'say "hello"',
    "100% sure",
    "under_score",
    "back\\slash",
    "new\tline",
    "'; DROP",
    "a*b",
    "NEAR(x y)",
    "AND",
)


def handle(number: int) -> str:
    return f"handle-{number}"


async def found(
    session: Session, contains: dict[str, str], cut: Cut | None = None
) -> tuple[list[str], int | None]:
    """The names, and how many there are said to be."""
    listing = Listing("Instance", "name", False, contains)
    read = await page(session, listing, AUDITOR, cut or Cut(100), counted=True)
    return [str(record.values["name"]) for record in read.records], read.total


async def fill(database: Database, names: list[str]) -> None:
    async with database.transaction() as session:
        organization = await add_organization(session)
        for number, name in enumerate(names):
            row = {"name": name, "name_key": text_key(name), "handle": handle(number)}
            await add_instance(session, organization, **row)


def parts(names: list[str], chosen: Random) -> Iterator[str]:
    for name in names:
        for length in (1, 2, 3, 4, 9):
            start = chosen.randrange(max(1, len(name) - length + 1))
            yield name[start : start + length]


async def test_a_part_is_found_wherever_it_stands_in_any_script(database: Database) -> None:
    names = [*ODD, *NAMES, *(f"Name {number} {'xyz'[number % 3]}" for number in range(MANY))]
    await fill(database, names)
    chosen = Random(6)
    for text in {
        *parts([*ODD, *NAMES, *names[-3:]], chosen),
        "quite another",
        "zzz",
        "%%%",
        "___",
        '"""',
        "...",
    }:
        expected = {name for name in names if text_key(text) in text_key(name)}
        read, total = await found(database.reading(), {"name": text})
        assert total == len(expected), text
        assert set(read) <= expected, text
        assert len(read) == min(100, len(expected)), text
    both = {
        name for number, name in enumerate(names) if "e 1" in text_key(name) and "dle-5" in handle(number)
    }
    read, total = await found(database.reading(), {"name": "E 1", "handle": "DLE-5"})
    assert (set(read), total) == (both, len(both))


async def test_a_name_is_found_as_it_is_now(database: Database) -> None:
    """Renamed within a batch of the index and after it, and deleted."""
    await fill(database, [f"Before {number}" for number in range(MANY)])
    for number in (0, 70, MANY - 1):
        async with database.transaction() as session:
            record = await find(session, "Instance", AUDITOR, "handle", handle(number))
            assert record is not None
            assert await change(session, Act(EVERYTHING, "1", now()), record, {"name": f"After {number}"})
    session = database.reading()
    assert await found(session, {"name": "after"}) == (["After 0", f"After {MANY - 1}", "After 70"], 3)
    assert (await found(session, {"name": "before"}))[1] == MANY - 3
    await fill_more(database, MANY)
    assert (await found(session, {"name": "after 7"}))[0] == ["After 70"]
    async with database.transaction() as writing:
        record = await find(writing, "Instance", AUDITOR, "handle", handle(70))
        assert record is not None
        assert await delete(writing, Act(EVERYTHING, "1", now()), record)
    assert (await found(session, {"name": "after"}))[1] == 2
    assert (await found(session, {"handle": handle(70)})) == ([], 0)


async def fill_more(database: Database, count: int) -> None:
    async with database.transaction() as session:
        organization = await add_organization(session)
        for number in range(count):
            await add_instance(session, organization, handle=f"more-{number}")


async def test_pages_of_what_is_found_lead_on(database: Database) -> None:
    await fill(database, [f"Name {number:03}" for number in range(MANY)])
    session, listing = database.reading(), Listing("Instance", "name", True, {"name": "name"})
    met, cut = [], Cut(20)
    while True:
        read = await page(session, listing, AUDITOR, cut)
        met += [str(record.values["name"]) for record in read.records]
        if not read.more:
            break
        cut = Cut(20, after=read.positions[-1])
    assert met == [f"Name {number:03}" for number in reversed(range(MANY))]


async def test_a_list_of_more_than_are_counted_is_not_counted(database: Database) -> None:
    """It is where organizations are few, whose tallies tell it; nor is one where more would have to be looked
    at, but where an index looks at what is found alone."""
    values = [(f"Name {number}", handle(number)) for number in range(COUNTED)]
    async with database.transaction() as session:
        organization = await add_organization(session)
        for name, its_handle in values:
            await add_instance(session, organization, name=name, name_key=text_key(name), handle=its_handle)
    session = database.reading()
    assert (await found(session, {}))[1] == COUNTED
    assert (await found(session, {"name": "me"}))[1] == COUNTED
    async with database.transaction() as writing:
        await add_instance(writing, organization, name="Rarity", name_key="rarity", handle="rarity")
    assert (await found(session, {}))[1] == COUNTED + 1
    assert (await found(session, {"name": "a"}))[1] is None
    assert await found(session, {"name": "rari"}) == (["Rarity"], 1)
    assert await found(session, {"name": "ty"}) == (["Rarity"], None)
    assert await found(session, {"name": "rarity", "handle": "ra"}) == (["Rarity"], 1)
    names, total = await found(session, {"name": "name"}, Cut(5))
    # SQLite looks at the last of all, which its index does not know yet, beside as many as are counted.
    assert (len(names), total) == (5, None if database.dialect == "sqlite" else COUNTED)
    async with database.transaction() as writing:
        await add_instance(writing, organization, name="Name", name_key="name", handle="another")
    names, total = await found(session, {"name": "name"}, Cut(5))
    assert (names[0], total) == ("Name", None)
