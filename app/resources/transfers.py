"""Transfer: an instance goes to another organization, which has accepted an authorization for it."""

from __future__ import annotations

from app.exchange import Exchange, Representation, not_found
from app.protocol.conditions import check_write
from app.representation.content import invalid, read_content
from app.representation.nodes import top_level
from app.resources.items import done, parent
from app.resources.naming import key_used, likely_id, named_id, names_one, not_usable
from app.security.rights import check_role
from app.storage.ownership import EVERYTHING, is_authorized, transfer
from app.storage.records import Record, find


async def carry_out(exchange: Exchange) -> Representation:
    instance = await parent(exchange, also=likely_id(exchange.contract, exchange.content.document))
    if instance is None:
        raise not_found()
    check_role(exchange.caller, exchange.operation, instance.roles)
    check_write(exchange.conditions, instance.version)
    rule, document = names_one(exchange.contract), exchange.document()
    values = read_content(exchange.contract, document, "Transfer", "Transfer", None, rule=rule)
    organization_id = named_id(exchange.contract, values)
    if not await is_authorized(exchange.session, instance.id, organization_id):
        raise invalid(not_usable(key_used(values)))
    done(await transfer(exchange.session, exchange.act, instance, organization_id))
    return await _transferred(exchange, instance.id)


async def _transferred(exchange: Exchange, identifier: str) -> Representation:
    """The instance as it is now; to who cannot see it any more, without ways that lead to nothing."""
    seen = await find(exchange.session, "Instance", exchange.caller, "id", identifier)
    if seen is not None:
        return await exchange.item(seen)
    record = await find(exchange.session, "Instance", EVERYTHING, "id", identifier)
    return _parted_with(exchange, record) if record is not None else Representation(status=204)


def _parted_with(exchange: Exchange, record: Record) -> Representation:
    node = exchange.offers.unlinked("Instance").node(record.values)
    return Representation(
        node=top_level(exchange.contract, node, ()), version=record.version, address=str(node["@id"])
    )
