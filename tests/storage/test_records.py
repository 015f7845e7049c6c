"""A caller finds what it may see, with its role there, and nothing else."""

from __future__ import annotations

import pytest

from app.caller import READ, READ_ALL, Caller
from app.storage.database import Database
from app.storage.records import find
from app.storage.session import update
from app.storage.tables import Instance
from tests.storage.rows import NOW, add_instance, add_membership, add_organization, add_partner

pytestmark = pytest.mark.anyio


async def test_a_caller_finds_the_organizations_and_instances_that_it_is_a_member_of(
    database: Database,
) -> None:
    session = database.reading()
    owner, stranger, fellow = [await add_partner(session, subject=subject) for subject in ("o", "s", "f")]
    organization = await add_organization(session)
    await add_membership(session, organization, partner_id=owner, role="owner")
    await add_membership(session, organization, partner_id=fellow, role="member")
    instance = await add_instance(session, organization)

    for partner, role in ((owner, "owner"), (fellow, "member")):
        caller = Caller(partner, frozenset({READ}))
        for class_name, identifier in (("Organization", organization), ("Instance", instance)):
            record = await find(session, class_name, caller, "id", identifier)
            assert record is not None
            assert (set(record.roles), record.concerned, record.version) == ({role}, (organization,), 1)
    auditor = await find(session, "Instance", Caller(stranger, frozenset({READ_ALL})), "handle", "shop")
    assert auditor is not None
    assert not auditor.roles
    for caller in (Caller(stranger, frozenset({READ})), Caller(None, frozenset())):
        assert await find(session, "Organization", caller, "id", organization) is None
        assert await find(session, "Instance", caller, "id", instance) is None


async def test_an_organization_is_occupied_while_it_owns_an_instance(database: Database) -> None:
    session = database.reading()
    owner = await add_partner(session)
    caller = Caller(owner, frozenset({READ}))
    organizations = [await add_organization(session) for _ in range(2)]
    for organization in organizations:
        await add_membership(session, organization, partner_id=owner)
    instance = await add_instance(session, organizations[0])

    async def occupied() -> list[bool]:
        found = [
            await find(session, "Organization", caller, "id", organization) for organization in organizations
        ]
        return ["DELETE" in record.withheld for record in found if record is not None]

    assert await occupied() == [True, False]
    await update(session, Instance, {"deleted_at": NOW}, where={"id": instance})
    assert await occupied() == [False, False]


async def test_partners_see_themselves_and_their_fellow_members(database: Database) -> None:
    session = database.reading()
    me, fellow, stranger = [await add_partner(session, subject=subject) for subject in ("m", "f", "s")]
    organization = await add_organization(session)
    for partner in (me, fellow):
        await add_membership(session, organization, partner_id=partner)
    caller = Caller(me, frozenset({READ}))
    seen = [
        await find(session, "Partner", caller, "id", partner) is not None
        for partner in (me, fellow, stranger)
    ]
    assert seen == [True, True, False]
    alone = Caller(stranger, frozenset({READ}))
    assert await find(session, "Partner", alone, "id", stranger) is not None
    assert await find(session, "Partner", alone, "id", me) is None
    assert await find(session, "Partner", Caller(me, frozenset({READ_ALL})), "id", stranger) is not None
