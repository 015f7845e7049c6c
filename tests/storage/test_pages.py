"""Lists: the same order on both databases, every record once, and text searched for as it is."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from app.caller import READ, Caller
from app.storage.database import Database
from app.storage.keys import text_key
from app.storage.pages import Cut, Listing, Page, page
from tests.storage.rows import NOW, add_instance, add_membership, add_organization, add_partner

pytestmark = pytest.mark.anyio

NAMES = [
    "Zebra",
    "ärger",
    "Alpha",
    "alpha",
    "ΑΒΓ",
    "中文",
    "100% sure",
    "under_score",
    "back\\slash",
    "Émile",
]
HANDLES = ["zebra", "aerger", "alpha", "alpha-b", "abg", "zhongwen", "hundred", "under", "back", "emile"]


async def caller_with_instances(database: Database) -> Caller:
    session = database.reading()
    partner = await add_partner(session)
    organization = await add_organization(session)
    await add_membership(session, organization, partner_id=partner)
    for number, (name, handle) in enumerate(zip(NAMES, HANDLES, strict=True)):
        times = {
            "created_at": NOW + timedelta(seconds=number // 3),
            "updated_at": NOW - timedelta(hours=number),
        }
        await add_instance(session, organization, name=name, name_key=text_key(name), handle=handle, **times)
    foreign = await add_organization(session)
    await add_instance(session, foreign, handle="foreign")
    return Caller(partner, frozenset({READ}))


def names(found: Page) -> list[str]:
    return [str(record.values["name"]) for record in found.records]


@pytest.mark.parametrize("order", ["name", "handle", "created_at", "updated_at", "id"])
@pytest.mark.parametrize("descending", [True, False])
async def test_cursors_meet_every_record_once_and_lead_back(
    database: Database, order: str, descending: bool
) -> None:
    caller = await caller_with_instances(database)
    session = database.reading()
    listing = Listing("Instance", order, descending)
    whole = await page(session, listing, caller, Cut(limit=100))
    assert len(whole.records) == len(NAMES)
    assert not whole.more
    if order != "created_at":
        keys = [text_key(str(r.values[order])) for r in whole.records]
        assert keys == sorted(keys, reverse=descending)

    pages, after = [], None
    while True:
        found = await page(session, listing, caller, Cut(limit=3, after=after))
        pages.append(found)
        if not found.more:
            break
        after = found.positions[-1]
    assert [n for found in pages for n in names(found)] == names(whole)
    for earlier, later in pairwise(pages):
        back = await page(session, listing, caller, Cut(limit=3, before=later.positions[0]))
        assert names(back) == names(earlier)
    assert names(await page(session, listing, caller, Cut(limit=3, offset=3))) == names(pages[1])


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        ("name", "ALPHA", {"Alpha", "alpha"}),
        ("name", "%", {"100% sure"}),
        ("name", "_", {"under_score"}),
        ("name", "\\", {"back\\slash"}),
        ("name", "É", {"Émile"}),
        ("name", "αβ", {"ΑΒΓ"}),
        ("name", "", set(NAMES)),
        ("name", "' OR 1=1", set()),
        ("handle", "ALPHA", {"Alpha", "alpha"}),
    ],
)
async def test_text_is_searched_for_as_it_is(
    database: Database, column: str, text: str, expected: set[str]
) -> None:
    caller = await caller_with_instances(database)
    listing = Listing("Instance", "created_at", True, contains={column: text})
    found = await page(database.reading(), listing, caller, Cut(limit=100))
    assert set(names(found)) == expected
    for cut in (Cut(limit=1), Cut(limit=1, offset=1), Cut(limit=1, offset=99)):
        found = await page(database.reading(), listing, caller, cut, counted=True)
        assert found.total == len(expected)
