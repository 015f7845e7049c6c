"""What is peculiar to authorizations: one side offers, the other accepts, and either may revoke."""

from __future__ import annotations

from app.exchange import Exchange, Representation, not_found
from app.problems import Problem
from app.representation.content import invalid, read_content, violation
from app.resources.items import as_written, done, parent, to_change
from app.resources.naming import key_used, likely_id, named_id, names_one, not_usable
from app.security.rights import check_role
from app.storage.failures import UniqueViolation
from app.storage.ownership import EVERYTHING, accept, offer, revoke
from app.storage.records import Record, find


async def create(exchange: Exchange) -> Representation:
    """Offering tells whether there is such an organization: who offers has to know it by its id."""
    instance = await parent(exchange, also=likely_id(exchange.contract, exchange.content.document))
    if instance is None:
        raise not_found()
    check_role(exchange.caller, exchange.operation, instance.roles)
    rule, document = names_one(exchange.contract), exchange.document()
    values = read_content(exchange.contract, document, "Authorization", "Authorization", None, rule=rule)
    identifier = named_id(exchange.contract, values)
    organization = await find(exchange.session, "Organization", EVERYTHING, "id", identifier)
    if organization is None or organization.deleted_at or identifier in instance.concerned:
        raise invalid(not_usable(key_used(values)))
    authorization = await _offered(exchange, instance, identifier, key_used(values))
    return await exchange.created(await as_written(exchange, "Authorization", authorization))


async def change_status(exchange: Exchange) -> Representation:
    record = await to_change(exchange)
    document, current = exchange.document(), exchange.node(record)
    values = read_content(
        exchange.contract, document, "Authorization", "AuthorizationAcceptance", current, partial=True
    )
    before, after = record.values["status"], values.get("status", record.values["status"])
    if (before, after) == ("accepted", "pending"):
        fault = violation("status", "What is accepted can only be revoked, by DELETE.", "readOnly")
        raise invalid(fault, current=current)
    if before != after:
        done(await accept(exchange.session, exchange.act, record))
    return await exchange.item(await as_written(exchange, "Authorization", record.id))


async def remove(exchange: Exchange) -> Representation:
    record = await to_change(exchange)
    done(await revoke(exchange.session, exchange.act, record))
    return Representation(status=204)


async def _offered(exchange: Exchange, instance: Record, organization_id: str, key: str) -> str:
    """Who owns both sides has accepted by offering."""
    other = await find(exchange.session, "Organization", exchange.caller, "id", organization_id)
    accepted = other is not None and "owner" in other.roles
    try:
        return await offer(exchange.session, exchange.act, instance, organization_id, accepted=accepted)
    except UniqueViolation as error:
        taken = violation(key, "The organization has an authorization, or was offered one.", "unique")
        raise Problem("already-authorized", "Leave it, or revoke it first.", violations=[taken]) from error
