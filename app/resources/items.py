"""What all items have in common: to be found, read, renamed, replaced and deleted."""

from __future__ import annotations

import dataclasses

from app.addresses import item_path
from app.exchange import Exchange, Representation, not_found
from app.problems import Gone, Problem
from app.protocol.conditions import check_write
from app.representation.content import read_content
from app.security.rights import check_role
from app.storage.failures import unavailable
from app.storage.records import Record, find, find_locked
from app.storage.writes import change, delete


async def read(exchange: Exchange) -> Representation:
    record = await _found(exchange)
    check_role(exchange.caller, exchange.operation, record.role)
    return exchange.item(record)


async def rename(exchange: Exchange) -> Representation:
    """PATCH with a merge patch (RFC 7396): what is not sent stays."""
    return await _changed(exchange, partial=True)


async def replace(exchange: Exchange) -> Representation:
    """PUT. The answer has no entity tag, for what is kept is not what was sent (RFC 9110 section 9.3.4)."""
    return dataclasses.replace(await _changed(exchange, partial=False), tagged=False)


async def remove(exchange: Exchange) -> Representation:
    record = await _to_change(exchange)
    if record.occupied:
        raise Problem(
            "organization-not-empty",
            "Transfer or delete the instances that the organization owns, then delete it.",
        )
    if not await delete(exchange.session, exchange.act, record):
        raise unavailable("The resource is being changed at the moment; send the request again.")
    return Representation(status=204)


async def existing(exchange: Exchange, class_name: str, identifier: str, parent: str | None = None) -> Record:
    """The record that the caller may see, locked if the method is unsafe; of this parent, if one is named.

    Raises 404 and 410.
    """
    finds = find if exchange.operation.method == "GET" else find_locked
    record = await finds(exchange.session, class_name, exchange.caller, "id", identifier)
    if record is None or parent not in (None, record.organization_id):
        raise not_found()
    if record.deleted_at is not None:
        raise gone(record, record.deleted_at)
    return record


def gone(record: Record, deleted_at: str) -> Problem:
    tombstone = Gone(item_path(record.class_name, record.id), record.class_name, deleted_at)
    return Problem("gone", "Forget this address; what was here was deleted.", gone=tombstone)


async def _found(exchange: Exchange) -> Record:
    """The item that the path names; under an organization, only where that one owns it."""
    parent = exchange.identifiers.get("organization_id")
    return await existing(exchange, exchange.promise, exchange.identifiers["id"], parent)


async def _to_change(exchange: Exchange) -> Record:
    record = await _found(exchange)
    check_role(exchange.caller, exchange.operation, record.role)
    check_write(exchange.conditions, record.version)
    return record


async def _changed(exchange: Exchange, *, partial: bool) -> Representation:
    record = await _to_change(exchange)
    values = read_content(
        exchange.contract,
        exchange.document(),
        record.class_name,
        exchange.operation.expects or record.class_name,
        exchange.node(record),
        partial=partial,
    )
    if not await change(exchange.session, exchange.act, record, values):
        raise unavailable("The resource is being changed at the moment; send the request again.")
    return exchange.item(await _found(exchange))
