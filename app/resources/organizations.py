"""What is peculiar to organizations: who creates one becomes its owner, and only empty ones are deleted."""

from __future__ import annotations

from app.addresses import LINKS
from app.exchange import Exchange, Representation
from app.problems import Problem
from app.representation.content import read_content
from app.resources.items import as_written, done, to_change
from app.storage.ownership import delete_organization
from app.storage.writes import Owner, create_organization


async def create(exchange: Exchange) -> Representation:
    document = exchange.document()
    values = read_content(exchange.contract, document, "Organization", "Organization", None)
    owner = Owner(exchange.caller.partner_id)
    identifier = await create_organization(exchange.session, exchange.act, values["name"], owner)
    return await exchange.created(await as_written(exchange, "Organization", identifier))


async def remove(exchange: Exchange) -> Representation:
    record = await to_change(exchange)
    if "DELETE" in record.withheld:
        instances = exchange.contract.base + LINKS["Organization"]["instances"].format(id=record.id)
        raise Problem("organization-not-empty", f"First transfer or delete all that is in {instances}.")
    done(await delete_organization(exchange.session, exchange.act, record))
    return Representation(status=204)
