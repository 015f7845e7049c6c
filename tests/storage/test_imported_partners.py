"""Partners from an export are those of whoever proves to have their e-mail, whenever that is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from app.caller import ANONYMOUS, READ, Caller
from app.storage.acts import Act, new_id, now
from app.storage.database import Database, Session
from app.storage.erasure import forget
from app.storage.ownership import EVERYTHING
from app.storage.partners import IMPORTED, Identity, partner_by_email, partner_of
from app.storage.records import buried, find
from app.storage.writes import remove_member
from tests.storage.opening import opened
from tests.storage.rows import add_membership, add_organization, add_partner

pytestmark = pytest.mark.anyio

EMAIL = "ann@acme.example"
UNPROVED = Identity("urn:i", "ann", "Ann", None)
PROVED = replace(UNPROVED, email="Ann@acme.example")


async def add_imported(session: Session) -> str:
    subject = new_id()
    return await add_partner(
        session, id=subject, issuer=IMPORTED, subject=subject, email=EMAIL, email_key=EMAIL
    )


async def memberships(database: Database) -> dict[str, tuple[str, str]]:
    """Partner and role by organization, in each of which there is one."""
    rows = await database.reading().rows("SELECT organization_id, partner_id, role FROM membership")
    found = {row["organization_id"]: (row["partner_id"], row["role"]) for row in rows}
    assert len(found) == len(rows)
    return found


async def partners(database: Database) -> list[str]:
    rows = await database.reading().rows("SELECT id FROM partner WHERE email_key = $1", [EMAIL])
    return [row["id"] for row in rows]


async def test_who_has_come_before_gets_what_the_partner_had_when_the_e_mail_is_proved(
    database: Database,
) -> None:
    known = await partner_of(database, UNPROVED, "r1")
    async with database.transaction() as session:
        first, second = await add_organization(session), await add_organization(session)
        imported = await add_imported(session)
        await add_membership(session, first, partner_id=imported)
        await add_membership(session, second, partner_id=imported, role="member")
    assert await partner_of(database, PROVED, "r2") == known
    assert await memberships(database) == {first: (known, "owner"), second: (known, "member")}
    assert await partners(database) == [known]
    assert await partner_by_email(database.reading(), EMAIL) == known
    [act] = await database.reading().rows("SELECT type, object_id, actor_id FROM activity")
    assert act == {"type": "Update", "object_id": known, "actor_id": known}


@pytest.mark.parametrize(("had", "has"), [("owner", "member"), ("member", "owner")])
async def test_who_is_a_member_already_has_the_greater_role_of_both(
    database: Database, had: str, has: str
) -> None:
    known = await partner_of(database, UNPROVED, "r1")
    async with database.transaction() as session:
        organization = await add_organization(session)
        await add_membership(session, organization, partner_id=await add_imported(session), role=had)
        await add_membership(session, organization, partner_id=known, role=has)
    await partner_of(database, PROVED, "r2")
    assert await memberships(database) == {organization: (known, "owner")}
    assert await partners(database) == [known]


async def test_what_had_ended_for_a_partner_from_an_export_is_gone_for_who_it_was(database: Database) -> None:
    """API.md section 3: gone, for ever, for those who could see it."""
    known = await partner_of(database, UNPROVED, "r1")
    async with database.transaction() as session:
        organization = await add_organization(session)
        await add_membership(session, organization, partner_id=known)
        ended = await add_membership(session, organization, partner_id=await add_imported(session))
        member = await find(session, "Member", EVERYTHING, "id", ended)
        assert member is not None
        assert await remove_member(session, Act(ANONYMOUS, new_id(), now()), member)
    await partner_of(database, PROVED, "r2")
    async with database.transaction() as session:
        await session.rows("DELETE FROM membership")
    caller = Caller(known, frozenset({READ}))
    assert await buried(database.reading(), "Member", caller, ended) is not None
    other = Caller(await partner_of(database, replace(UNPROVED, subject="bob"), "r3"), frozenset({READ}))
    assert await buried(database.reading(), "Member", other, ended) is None


async def test_an_earlier_release_that_knows_of_no_tombstone_may_delete_a_partner_from_an_export(
    database: Database,
) -> None:
    async with database.transaction() as session:
        imported = await add_imported(session)
        ended = await add_membership(session, await add_organization(session), partner_id=imported)
        member = await find(session, "Member", EVERYTHING, "id", ended)
        assert member is not None
        assert await remove_member(session, Act(ANONYMOUS, new_id(), now()), member)
        await session.rows("DELETE FROM partner WHERE id = $1", [imported])
    assert await database.reading().rows("SELECT partner_id FROM tombstone") == [{"partner_id": None}]


@pytest.mark.parametrize("come", [True, False])
async def test_of_several_exports_and_of_what_waits_all_comes_together(
    database: Database, come: bool
) -> None:
    known = await partner_of(database, UNPROVED, "r1") if come else None
    async with database.transaction() as session:
        organizations = [await add_organization(session) for _ in range(3)]
        for organization in organizations[:2]:
            await add_membership(session, organization, partner_id=await add_imported(session))
        for organization in organizations[1:]:
            await add_membership(session, organization, email=EMAIL, email_key=EMAIL, role="member")
    partner = await partner_of(database, PROVED, "r2")
    assert known in (None, partner)
    assert await memberships(database) == dict.fromkeys(organizations, (partner, "owner")) | {
        organizations[2]: (partner, "member")
    }
    assert await partners(database) == [partner]


async def test_of_what_an_export_told_any_token_tells_anew_and_of_that_no_older_one(
    database: Database,
) -> None:
    async with database.transaction() as session:
        imported = await add_imported(session)
    for issued, name in ((20, "Ann"), (10, "Ann of before")):
        assert await partner_of(database, replace(PROVED, name=name, issued=issued), "r") == imported
    rows = await database.reading().rows("SELECT name, token_iat FROM partner")
    assert rows == [{"name": "Ann", "token_iat": 20}]


async def test_of_who_is_forgotten_later_no_activity_tells_the_address_that_both_had(
    database: Database,
) -> None:
    """What ended, because the partner was a member already, tells of the e-mail alone whose it was."""
    known = await partner_of(database, UNPROVED, "r1")
    async with database.transaction() as session:
        organization = await add_organization(session)
        await add_membership(session, organization, partner_id=await add_imported(session))
        await add_membership(session, organization, partner_id=known)
    await partner_of(database, PROVED, "r2")
    await partner_of(database, replace(PROVED, email="ann@elsewhere.example"), "r3")
    assert await forget(database, Act(ANONYMOUS, new_id(), now()), known)
    rows = await database.reading().rows("SELECT changes FROM activity")
    assert not [row for row in rows if EMAIL in row["changes"].lower()]


@pytest.mark.parametrize("known", [True, False])
async def test_whoever_has_locked_the_organization_may_still_add_a_member_by_the_e_mail(
    postgres_url: str, known: bool
) -> None:
    """Everybody locks organizations first and then e-mail addresses: so nobody waits for each other."""
    async with opened(postgres_url) as database, opened(postgres_url) as other:
        if known:
            await partner_of(database, UNPROVED, "r1")
        async with database.transaction() as session:
            organization = await add_organization(session)
            await add_membership(session, organization, partner_id=await add_imported(session))
            waiting = await add_organization(session)
            await add_membership(session, waiting, email=EMAIL, email_key=EMAIL)
        async with database.transaction() as session:
            assert await session.lock_organizations("id IN ($1, $2)", [organization, waiting])
            coming = asyncio.create_task(partner_of(other, PROVED, "r2"))
            await until_somebody_waits(database)
            await session.lock_email(EMAIL)
        await coming


async def until_somebody_waits(database: Database) -> None:
    async with asyncio.timeout(30):
        while True:
            rows = await database.reading().rows("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")
            if rows[0]["n"]:
                return
            await asyncio.sleep(0.01)
