"""What is peculiar to instances: they belong to an organization, and their handles are unique for ever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.addresses import ITEMS, item_path
from app.exchange import Exchange, Representation, not_found
from app.problems import Problem, Violation
from app.representation.content import invalid, read_content, violation
from app.resources.items import existing, gone
from app.security.rights import check_role
from app.storage.failures import UniqueViolation
from app.storage.records import Record, find, find_locked
from app.storage.writes import create_instance

LINK, KEY = "organization", "organization_id"


async def create(exchange: Exchange) -> Representation:
    """Under an organization, or with a member that names one."""
    parent = exchange.identifiers.get(KEY)
    organization = await existing(exchange, "Organization", parent) if parent else None
    if organization is not None:
        check_role(exchange.caller, exchange.operation, organization.role)

    def named_wrongly(values: Mapping[str, Any]) -> Iterable[Violation]:
        return _disagreements(exchange, values, parent)

    document = exchange.document()
    values = read_content(exchange.contract, document, "Instance", "Instance", None, rule=named_wrongly)
    if organization is None:
        organization = await _named(exchange, values)
        check_role(exchange.caller, exchange.operation, organization.role)
    instance = await _created(exchange, organization, values["name"], values["handle"])
    return exchange.created(await existing(exchange, "Instance", instance))


async def find_by_handle(exchange: Exchange) -> Representation:
    handle = exchange.identifiers["handle"]
    record = await find(exchange.session, "Instance", exchange.caller, "handle", handle)
    if record is None:
        raise not_found()
    if record.deleted_at is not None:
        raise gone(record, record.deleted_at)
    return Representation(status=303, location=exchange.contract.base + item_path("Instance", record.id))


def _identifiers(exchange: Exchange, values: Mapping[str, Any]) -> dict[str, str | None]:
    """The organizations that the members name, by key."""
    named = {key: values[key] for key in (KEY, LINK) if key in values}
    return named | ({LINK: _identifier(exchange, named[LINK])} if LINK in named else {})


def _disagreements(exchange: Exchange, values: Mapping[str, Any], parent: str | None) -> Iterator[Violation]:
    """The path and both members name one organization, if they name any; one of them has to."""
    named = _identifiers(exchange, values)
    if not named and parent is None:
        yield violation(KEY, "Say which organization the instance belongs to.", "required")
    expected = parent or next(iter(named.values()), None)
    for key, identifier in named.items():
        if identifier is None or identifier != expected:
            yield _not_an_organization(key)


def _identifier(exchange: Exchange, address: object) -> str | None:
    """The id in the address of an organization; None for anything else."""
    if not isinstance(address, str):
        return None
    before, after = (exchange.contract.base + ITEMS["Organization"]).split("{id}")
    identifier = address.removeprefix(before).removesuffix(after)
    shape = exchange.contract.classes["Organization"].properties["id"].shape
    is_one = address == f"{before}{identifier}{after}" and not any(shape.failures(identifier))
    return identifier if is_one else None


async def _named(exchange: Exchange, values: Mapping[str, Any]) -> Record:
    """One answer for an organization that is not there and for one that the caller may not know of."""
    identifier = str(next(iter(_identifiers(exchange, values).values())))
    organization = await find_locked(exchange.session, "Organization", exchange.caller, "id", identifier)
    if organization is None or organization.deleted_at is not None:
        raise invalid(_not_an_organization(KEY if KEY in values else LINK))
    return organization


def _not_an_organization(key: str) -> Violation:
    return violation(key, "This does not name an organization that can own the instance.", "reference")


async def _created(exchange: Exchange, organization: Record, name: str, handle: str) -> str:
    try:
        return await create_instance(exchange.session, exchange.act, organization.id, name, handle)
    except UniqueViolation as error:
        taken = violation("handle", "Another instance has, or once had, this handle.", "unique")
        raise Problem("handle-taken", "Choose another handle.", violations=[taken]) from error
