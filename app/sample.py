"""Sample data: a handful of organizations with their instances, for who looks at the service first."""

from __future__ import annotations

from dataclasses import dataclass

from app.caller import WRITE, Caller
from app.security.local_issuer import LocalIssuer
from app.storage.database import Database
from app.storage.partners import Identity, partner_of
from app.storage.records import taken_handles
from app.storage.writes import Act, Owner, create_instance, create_organization, new_id, now

OWNER = Identity(LocalIssuer.iss, "owner", "Acme owner", "owner@acme.example")
NEIGHBOUR = Identity(LocalIssuer.iss, "neighbour", "Globex owner", "owner@globex.example")


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
    """How many organizations were added: none where any of its instances is, or once was, there."""
    added = 0
    for sample in SAMPLES:
        partner_id = await partner_of(database, sample.owner)
        async with database.transaction() as session:
            if await taken_handles(session, list(sample.instances)):
                continue
            act = Act(Caller(partner_id, frozenset({WRITE})), new_id(), now())
            owner = Owner(partner_id)
            organization = await create_organization(session, act, sample.organization, owner)
            for handle, name in sample.instances.items():
                await create_instance(session, act, organization, name, handle)
            added += 1
    return added
