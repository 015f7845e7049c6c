"""What is peculiar to instances: they belong to an organization, and their handles are unique for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.addresses import item_path
from app.exchange import Exchange, Representation, not_found
from app.problems import Problem
from app.representation.content import invalid, read_content, violation
from app.resources.items import done, gone, parent, seen, to_change
from app.resources.naming import key_used, named_id, names_one, not_usable
from app.security.rights import check_role
from app.storage.failures import UniqueViolation
from app.storage.ownership import delete_instance
from app.storage.records import Record, find, find_locked
from app.storage.writes import add_instance


async def create(exchange: Exchange) -> Representation:
    """Under an organization, or with a member that names one."""
    organization = await parent(exchange)
    if organization is not None:
        check_role(exchange.caller, exchange.operation, organization.roles)
    within = organization.id if organization else None
    rule = names_one(exchange.contract, within, needed=within is None)
    values = read_content(exchange.contract, exchange.document(), "Instance", "Instance", None, rule=rule)
    if organization is None:
        organization = await _named(exchange, values)
        check_role(exchange.caller, exchange.operation, organization.roles)
    return await exchange.created(await _created(exchange, organization, values["name"], values["handle"]))


async def remove(exchange: Exchange) -> Representation:
    record = await to_change(exchange)
    done(await delete_instance(exchange.session, exchange.act, record))
    return Representation(status=204)


async def find_by_handle(exchange: Exchange) -> Representation:
    handle = exchange.identifiers["handle"]
    record = await find(exchange.session, "Instance", exchange.caller, "handle", handle)
    if record is None:
        raise not_found()
    if record.deleted_at is not None:
        raise gone(record, record.deleted_at)
    return Representation(status=303, location=exchange.contract.base + item_path("Instance", record.values))


async def _named(exchange: Exchange, values: Mapping[str, Any]) -> Record:
    """One answer for an organization that is not there and for one that the caller may not know of."""
    identifier = named_id(exchange.contract, values)
    organization = await find_locked(exchange.session, "Organization", exchange.caller, "id", identifier)
    if organization is None or organization.deleted_at is not None:
        raise invalid(not_usable(key_used(values)))
    return organization


async def _created(exchange: Exchange, organization: Record, name: str, handle: str) -> Record:
    try:
        return seen(await add_instance(exchange.session, exchange.act, organization.id, name, handle))
    except UniqueViolation as error:
        taken = violation("handle", "Another instance has, or once had, this handle.", "unique")
        raise Problem("handle-taken", "Choose another handle.", violations=[taken]) from error
