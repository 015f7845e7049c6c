"""Every change is written with its activity, or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.caller import WRITE, Caller
from app.storage import partners
from app.storage.database import Database, Session, UniqueViolation
from app.storage.ownership import transfer
from app.storage.partners import Identity, partner_by_email, partner_of
from app.storage.people import add_member
from app.storage.records import Record, find
from app.storage.writes import (
    Act,
    Owner,
    change,
    create_instance,
    create_organization,
    delete,
    now,
    remove_member,
)

pytestmark = pytest.mark.anyio
OWNER = Identity("urn:i", "owner", "Owner", "Owner@Acme.example")


async def an_act(database: Database) -> Act:
    return Act(Caller(await partner_of(database, OWNER, "r"), frozenset({WRITE})), "r1", now())


async def activities(database: Database) -> list[tuple[str, str, list[dict[str, str | None]]]]:
    rows = await database.reading().rows("SELECT type, object_class, changes FROM activity ORDER BY sequence")
    return [(row["type"], row["object_class"], orjson.loads(row["changes"])) for row in rows]


async def found(database: Database, act: Act, class_name: str, identifier: str) -> Record:
    record = await find(database.reading(), class_name, act.caller, "id", identifier)
    assert record is not None
    return record


async def test_creating_makes_the_caller_owner_and_leaves_an_activity(database: Database) -> None:
    act = await an_act(database)
    async with database.transaction() as session:
        organization = await create_organization(session, act, "Acme", Owner(act.caller.partner_id))
        instance = await create_instance(session, act, organization, "Shop", "shop")
    record = await found(database, act, "Instance", instance)
    assert (set(record.roles), record.values["handle"], record.version) == ({"owner"}, "shop", 1)
    assert [activity[:2] for activity in await activities(database)] == [
        ("Create", "Organization"),
        ("Create", "Instance"),
    ]


async def test_a_change_raises_the_version_once(database: Database) -> None:
    act = await an_act(database)
    async with database.transaction() as session:
        identifier = await create_organization(session, act, "Acme", Owner(act.caller.partner_id))
    record = await found(database, act, "Organization", identifier)
    later = Act(act.caller, "r2", act.at + timedelta(seconds=1))
    async with database.transaction() as session:
        assert await change(session, later, record, {"name": "Acme Ltd"})
        assert not await change(session, later, record, {"name": "Lost"})
        assert await change(session, later, record, {"name": "Acme"})
    after = await found(database, act, "Organization", identifier)
    assert (after.values["name"], after.version) == ("Acme Ltd", 2)
    assert after.values["updated_at"] != after.values["created_at"]
    assert (await activities(database))[1:] == [
        ("Update", "Organization", [{"property": "name", "before": "Acme", "after": "Acme Ltd"}])
    ]


async def test_a_deleted_instance_keeps_its_handle(database: Database) -> None:
    act = await an_act(database)
    async with database.transaction() as session:
        organization = await create_organization(session, act, "Acme", Owner(act.caller.partner_id))
        identifier = await create_instance(session, act, organization, "Shop", "shop")
    async with database.transaction() as session:
        assert await delete(session, act, await found(database, act, "Instance", identifier))
    assert (await found(database, act, "Instance", identifier)).deleted_at is not None
    with pytest.raises(UniqueViolation) as taken:
        async with database.transaction() as session:
            await create_instance(session, act, organization, "Other", "shop")
    assert taken.value.column == "handle"
    assert len(await activities(database)) == 3


async def test_a_partner_is_written_once_however_many_requests_come_first(database: Database) -> None:
    ids = await asyncio.gather(*(partner_of(database, OWNER, "r") for _ in range(8)))
    assert len(set(ids)) == 1


async def test_a_partner_follows_the_name_and_email_of_its_tokens(database: Database) -> None:
    identifier = await partner_of(database, OWNER, "r")
    renamed = Identity("urn:i", "owner", "New", None)
    assert await partner_of(database, renamed, "r") == identifier
    [row] = await database.reading().rows("SELECT name, email, email_key, version FROM partner")
    assert row == {
        "name": "New",
        "email": "Owner@Acme.example",
        "email_key": "owner@acme.example",
        "version": 2,
    }
    assert await partner_of(database, Identity("urn:j", "owner", None, None), "r") != identifier


TOLD_LATER = replace(OWNER, name="Later", email="later@acme.example", issued=20)
TOLD_BEFORE = replace(OWNER, name="Before", email="before@acme.example", issued=10)


async def told(database: Database) -> tuple[object, ...]:
    [row] = await database.reading().rows("SELECT name, email, email_key, token_iat, version FROM partner")
    return tuple(row.values())


async def test_an_older_token_does_not_undo_what_a_newer_one_told_of_a_partner(database: Database) -> None:
    identifier = await partner_of(database, TOLD_LATER, "r")
    known = ("Later", "later@acme.example", "later@acme.example", 20, 1)
    assert await told(database) == known
    assert await partner_of(database, TOLD_BEFORE, "r") == identifier
    assert await told(database) == known
    # Of two that were issued in the same second nobody knows which one is older.
    await partner_of(database, replace(TOLD_BEFORE, issued=20), "r")
    assert await told(database) == ("Before", "before@acme.example", "before@acme.example", 20, 2)
    await partner_of(database, replace(TOLD_LATER, issued=21), "r")
    assert await told(database) == ("Later", "later@acme.example", "later@acme.example", 21, 3)


async def test_an_address_is_of_the_partner_whose_token_told_it_last(database: Database) -> None:
    """Whoever came first, or is written last."""
    newer = await partner_of(database, TOLD_LATER, "r")
    older = replace(TOLD_LATER, subject="other", issued=TOLD_BEFORE.issued)
    assert await partner_of(database, older, "r") != newer
    assert await partner_by_email(database.reading(), "LATER@acme.example") == newer
    last = await partner_of(database, replace(TOLD_LATER, subject="third", issued=21), "r")
    assert await partner_by_email(database.reading(), "later@acme.example") == last


async def test_an_older_token_binds_nothing_that_waits_for_an_email_of_before(database: Database) -> None:
    await partner_of(database, TOLD_LATER, "r")
    act = Act(Caller(None, frozenset()), "r1", now())
    async with database.transaction() as session:
        await create_organization(session, act, "Acme", Owner(None, TOLD_BEFORE.email))
    await partner_of(database, TOLD_BEFORE, "r")
    assert await database.reading().rows("SELECT partner_id FROM membership") == [{"partner_id": None}]


async def test_an_older_token_tells_an_email_where_no_newer_one_told_any(database: Database) -> None:
    """It is no matter which one comes first."""
    await partner_of(database, replace(TOLD_LATER, email=None), "r")
    await partner_of(database, TOLD_BEFORE, "r")
    assert await told(database) == ("Later", "before@acme.example", "before@acme.example", 20, 2)


async def test_an_older_token_tells_a_name_where_no_newer_one_told_any(database: Database) -> None:
    await partner_of(database, replace(TOLD_LATER, name=None, stand_in="a stand-in"), "r")
    assert (await told(database))[0] == "a stand-in"
    await partner_of(database, replace(TOLD_BEFORE, stand_in="a stand-in"), "r")
    assert await told(database) == ("Before", "later@acme.example", "later@acme.example", 20, 2)


async def test_tokens_of_one_second_that_come_at_once_keep_nobody_out(database: Database) -> None:
    identifier = await partner_of(database, TOLD_LATER, "r")
    tokens = [replace(TOLD_LATER, name=f"Name {number}", issued=30) for number in range(30)]
    assert set(await asyncio.gather(*(partner_of(database, it, "r") for it in tokens))) == {identifier}
    assert (await told(database))[0] in {it.name for it in tokens}


async def test_a_token_that_tells_nothing_keeps_no_older_one_from_telling(database: Database) -> None:
    await partner_of(database, replace(TOLD_LATER, name=None, email=None), "r")
    await partner_of(database, TOLD_BEFORE, "r")
    assert await told(database) == ("Before", "before@acme.example", "before@acme.example", 10, 2)


async def test_any_token_tells_of_a_partner_of_whom_none_has_told(database: Database) -> None:
    await partner_of(database, OWNER, "r")
    await partner_of(database, TOLD_BEFORE, "r")
    assert await told(database) == ("Before", "before@acme.example", "before@acme.example", 10, 2)


@pytest.mark.parametrize(
    "order", [(TOLD_LATER, TOLD_BEFORE), (TOLD_BEFORE, TOLD_LATER)], ids=["newer", "older"]
)
async def test_of_two_tokens_at_once_the_newer_one_tells_whichever_writes_first(
    database: Database, monkeypatch: pytest.MonkeyPatch, order: tuple[Identity, Identity]
) -> None:
    """The first has found the partner as it was, and before it writes, the second has written."""
    await partner_of(database, OWNER, "r")
    act = Act(Caller(None, frozenset()), "r1", now())
    async with database.transaction() as session:
        for identity in order:
            await create_organization(session, act, "Acme", Owner(None, identity.email))
    first, second = order
    overtaking, find = [second], partners._find

    async def found(session: Session, identity: Identity) -> dict[str, Any] | None:
        row = await find(session, identity)
        if identity is first and overtaking:
            await partner_of(database, overtaking.pop(), "r")
        return row

    monkeypatch.setattr(partners, "_find", found)
    await partner_of(database, first, "r")
    assert (await told(database))[:4] == ("Later", "later@acme.example", "later@acme.example", 20)
    rows = await database.reading().rows("SELECT email_key FROM membership WHERE partner_id IS NULL")
    waiting = [] if first is TOLD_LATER else [{"email_key": TOLD_BEFORE.email}]
    assert rows == waiting


async def test_time_goes_on_even_when_the_clock_steps_back(database: Database) -> None:
    """TI-03."""
    act = await an_act(database)
    earlier = Act(act.caller, "r2", act.at - timedelta(hours=1))
    async with database.transaction() as session:
        identifier = await create_organization(session, act, "Acme", Owner(act.caller.partner_id))
    record = await found(database, act, "Organization", identifier)
    async with database.transaction() as session:
        assert await change(session, earlier, record, {"name": "Acme Ltd"})
    changed = await found(database, act, "Organization", identifier)
    assert changed.values["updated_at"] == record.values["updated_at"]
    async with database.transaction() as session:
        assert await delete(session, earlier, changed)
    assert (await found(database, act, "Organization", identifier)).deleted_at == record.values["created_at"]


async def test_time_goes_on_where_an_instance_is_transferred(database: Database) -> None:
    """TI-03."""
    act = await an_act(database)
    earlier = Act(act.caller, "r2", act.at - timedelta(hours=1))
    async with database.transaction() as session:
        owner, other = [
            await create_organization(session, act, name, Owner(act.caller.partner_id)) for name in ("A", "B")
        ]
        identifier = await create_instance(session, act, owner, "Shop", "shop")
    record = await found(database, act, "Instance", identifier)
    async with database.transaction() as session:
        assert await transfer(session, earlier, record, other)
    moved = await found(database, act, "Instance", identifier)
    assert moved.values["organization_id"] == other
    assert moved.values["updated_at"] == record.values["updated_at"]


async def test_a_member_that_was_changed_meanwhile_is_not_removed(database: Database) -> None:
    act = await an_act(database)
    async with database.transaction() as session:
        organization = await create_organization(session, act, "Acme", Owner(act.caller.partner_id))
        identifier = await add_member(session, act, organization, "ann@acme.example", "member")
    record = await found(database, act, "Member", identifier)
    async with database.transaction() as session:
        assert await change(session, act, record, {"role": "owner"})
        assert not await remove_member(session, act, record)
    assert (await found(database, act, "Member", identifier)).values["role"] == "owner"
    assert [activity[0] for activity in await activities(database)] == ["Create", "Add", "Update"]


async def test_a_membership_by_email_waits_for_its_partner(database: Database) -> None:
    """API.md section 4: it binds when a partner is first written, or tells another verified e-mail."""
    act = Act(Caller(None, frozenset()), "r1", now())
    async with database.transaction() as session:
        await create_organization(session, act, "Acme", Owner(None, "owner@ACME.example"))
        await create_organization(session, act, "Later", Owner(None, "new@acme.example"))
    identifier = await partner_of(database, OWNER, "r")
    query = "SELECT count(*) AS total FROM membership WHERE partner_id = $1"
    assert await database.reading().rows(query, [identifier]) == [{"total": 1}]
    await partner_of(database, Identity("urn:i", "other", None, None), "r")
    await partner_of(database, Identity("urn:i", "owner", "Owner", "new@acme.example"), "r")
    assert await database.reading().rows(query, [identifier]) == [{"total": 2}]
