"""What is peculiar to organizations: who creates one becomes its owner."""

from __future__ import annotations

from app.exchange import Exchange, Representation
from app.representation.content import read_content
from app.resources.items import existing
from app.storage.writes import Owner, create_organization


async def create(exchange: Exchange) -> Representation:
    document = exchange.document()
    values = read_content(exchange.contract, document, "Organization", "Organization", None)
    owner = Owner(exchange.caller.partner_id)
    identifier = await create_organization(exchange.session, exchange.act, values["name"], owner)
    return exchange.created(await existing(exchange, "Organization", identifier))
