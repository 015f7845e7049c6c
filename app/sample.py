"""Sample data: a handful of organizations with their instances, for who looks at the service first."""

from __future__ import annotations

from dataclasses import dataclass

from app.caller import WRITE, Caller
from app.security import sample_people
from app.security.local_issuer import LocalIssuer
from app.storage.acts import Act, new_id, now
from app.storage.database import Database, Session
from app.storage.ownership import accept, offer, transfer
from app.storage.partners import Identity, partner_of
from app.storage.people import add_member
from app.storage.records import Record, find, taken_handles
from app.storage.writes import Owner, create_instance, create_organization

OWNER, MEMBER, NEIGHBOUR = (
    Identity(LocalIssuer.iss, it.subject, it.name, it.email)
    for it in (sample_people.OWNER, sample_people.MEMBER, sample_people.NEIGHBOUR)
)


@dataclass(frozen=True)
class Sample:
    """`instances` are names by handle."""

    owner: Identity
    organization: str
    instances: dict[str, str]


SAMPLES = (
    Sample(
        OWNER,
        "Acme Corporation",
        {"acme-eu": "Acme Europe", "acme-us": "Acme North America", "acme-sandbox": "Acme sandbox"},
    ),
    Sample(OWNER, "Acme Research", {"acme-research": "Acme Research"}),
    Sample(OWNER, "Acme Logistics", {"acme-logistics": "Acme Logistics", "acme-depots": "Acme depots"}),
    Sample(NEIGHBOUR, "Globex", {"globex": "Globex", "globex-staging": "Globex staging"}),
    Sample(NEIGHBOUR, "Globex Energy", {"globex-energy": "Globex Energy"}),
)


async def add_sample(database: Database) -> int:
    """How many organizations were added: none where any of the instances is, or once was, there."""
    partners = {
        identity: await partner_of(database, identity, new_id()) for identity in (OWNER, MEMBER, NEIGHBOUR)
    }
    acts = {
        identity: Act(Caller(partner_id, frozenset({WRITE})), new_id(), now())
        for identity, partner_id in partners.items()
    }
    async with database.transaction() as session:
        handles = [handle for sample in SAMPLES for handle in sample.instances]
        if await taken_handles(session, handles):
            return 0
        made = {sample.organization: await _add(session, acts[sample.owner], sample) for sample in SAMPLES}
        await _connect(session, acts[OWNER], acts[NEIGHBOUR], made)
    return len(SAMPLES)


async def _add(session: Session, act: Act, sample: Sample) -> str:
    organization = await create_organization(session, act, sample.organization, Owner(act.caller.partner_id))
    for handle, name in sample.instances.items():
        await create_instance(session, act, organization, name, handle)
    return organization


async def _connect(session: Session, owner: Act, neighbour: Act, made: dict[str, str]) -> None:
    """A member; an authorization that waits and one that is accepted; and a transfer that was carried out."""
    assert MEMBER.email is not None  # noqa: S101 - it stands above
    await add_member(session, owner, made["Acme Corporation"], MEMBER.email, "member")
    await offer(session, owner, await _instance(session, owner, "acme-eu"), made["Globex"], accepted=False)
    await _authorize(session, owner, neighbour, "acme-us", made["Globex"])
    await _authorize(session, neighbour, owner, "globex-staging", made["Acme Research"])
    staging = await _instance(session, neighbour, "globex-staging")
    await transfer(session, neighbour, staging, made["Acme Research"])


async def _authorize(session: Session, giver: Act, taker: Act, handle: str, organization_id: str) -> None:
    instance = await _instance(session, giver, handle)
    identifier = await offer(session, giver, instance, organization_id, accepted=False)
    offered = await find(session, "Authorization", taker.caller, "id", identifier)
    assert offered is not None  # noqa: S101 - it was offered to the taker's organization
    await accept(session, taker, offered)


async def _instance(session: Session, act: Act, handle: str) -> Record:
    found = await find(session, "Instance", act.caller, "handle", handle)
    assert found is not None  # noqa: S101 - the caller has just created it
    return found
