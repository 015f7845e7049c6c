"""What all items have in common: to be found, read, renamed and replaced."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import TypeVar

from app.addresses import item_path
from app.exchange import PARENTS, Exchange, Representation, not_found
from app.problems import Gone, Problem
from app.protocol.conditions import check_write
from app.representation.content import read_content
from app.security.rights import check_role
from app.storage.failures import unavailable
from app.storage.records import Record, buried, find, find_locked
from app.storage.writes import change

Written = TypeVar("Written", bool, Record)


async def read(exchange: Exchange) -> Representation:
    record = await found(exchange)
    check_role(exchange.caller, exchange.operation, record.roles)
    return await exchange.read(record)


async def rename(exchange: Exchange) -> Representation:
    """PATCH with a merge patch (RFC 7396): what is not sent stays."""
    return await _changed(exchange, partial=True)


async def replace(exchange: Exchange) -> Representation:
    """PUT. The answer has no entity tag, for what is kept is not what was sent (RFC 9110 section 9.3.4)."""
    return dataclasses.replace(await _changed(exchange, partial=False), tagged=False)


async def existing(
    exchange: Exchange,
    class_name: str,
    identifier: str,
    within: tuple[str, str] | None = None,
    also: Collection[str] = (),
) -> Record:
    """The record that the caller may see, locked if the method is unsafe, with `also` other organizations.

    `within` is what it has to belong to: the name of one of its values, and an id. Raises 404 and 410.
    """
    session, caller = exchange.session, exchange.caller
    if exchange.operation.method == "GET":
        record = await find(session, class_name, caller, "id", identifier)
    else:
        record = await find_locked(session, class_name, caller, "id", identifier, also)
    if record is None:
        await _check_buried(exchange, class_name, identifier, within)
        raise not_found()
    if within is not None and record.values[within[0]] != within[1]:
        raise not_found()
    if record.deleted_at is not None:
        raise gone(record, record.deleted_at)
    return record


async def parent(exchange: Exchange, also: Collection[str] = ()) -> Record | None:
    """What the list or item in the path belongs to, if that stands there. Raises 404 and 410."""
    for name, class_name in PARENTS.items():
        identifier = exchange.identifiers.get(name)
        if identifier is not None:
            within = _owner(exchange) if class_name == "Instance" else None
            return await existing(exchange, class_name, identifier, within, also)
    return None


async def found(exchange: Exchange) -> Record:
    """The item that the path names; below something else, only where it belongs to that."""
    name = next((name for name in PARENTS if name in exchange.identifiers), None)
    within = (name, exchange.identifiers[name]) if name else None
    return await existing(exchange, exchange.promise, exchange.identifiers["id"], within)


async def to_change(exchange: Exchange) -> Record:
    """As `found`, when role and preconditions allow the change. Raises 403, 412, and 400 for the query."""
    record = await found(exchange)
    check_role(exchange.caller, exchange.operation, record.roles)
    check_write(exchange.conditions, record.version)
    exchange.check_query()
    return record


async def as_written(exchange: Exchange, class_name: str, identifier: str) -> Record:
    """What was just made or changed; all that it concerns has been locked for that. Raises 404."""
    return seen(await find(exchange.session, class_name, exchange.caller, "id", identifier))


def seen(record: Record | None) -> Record:
    """Raises 404 for what the caller does not see, though it has just written it."""
    if record is None:
        raise not_found()
    return record


def done(written: Written | None) -> Written:
    """Raises `unavailable` where a record had another version than the one that was just found."""
    if not written:
        raise unavailable("The resource is being changed at the moment; send the request again.")
    return written


def gone(record: Record, deleted_at: str) -> Problem:
    path = item_path(record.class_name, record.values)
    return _gone(Gone(path, record.class_name, deleted_at))


def _gone(tombstone: Gone) -> Problem:
    return Problem("gone", "Forget this address; what was here was deleted.", gone=tombstone)


async def _check_buried(
    exchange: Exchange, class_name: str, identifier: str, within: tuple[str, str] | None
) -> None:
    tombstone = await buried(exchange.session, class_name, exchange.caller, identifier)
    if tombstone is not None and within is not None:
        deleted_at, parent_id = tombstone
        if parent_id == within[1]:
            path = item_path(class_name, {within[0]: parent_id, "id": identifier})
            raise _gone(Gone(path, class_name, deleted_at))


def _owner(exchange: Exchange) -> tuple[str, str] | None:
    owner = exchange.identifiers.get("organization_id")
    return ("organization_id", owner) if owner is not None else None


async def _changed(exchange: Exchange, *, partial: bool) -> Representation:
    record = await to_change(exchange)
    values = read_content(
        exchange.contract,
        exchange.document(),
        record.class_name,
        exchange.operation.expects or record.class_name,
        exchange.node(record),
        partial=partial,
    )
    return await exchange.item(done(await change(exchange.session, exchange.act, record, values)))
