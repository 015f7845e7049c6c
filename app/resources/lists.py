"""Lists: a page of a collection, with the ways to its other pages and to what can be searched."""

from __future__ import annotations

from app.contract.definitions import ClassDefinition
from app.exchange import Exchange, Representation
from app.protocol.query import encode_query
from app.representation.collections import member_assertion, search
from app.representation.nodes import NodeObject, top_level
from app.resources.items import existing
from app.resources.paging import AFTER, BEFORE, LIMIT, PAGE, Wanted, cursor, cut, read_query
from app.storage.pages import Page, page
from app.storage.records import owns_any


async def read(exchange: Exchange) -> Representation:
    """All that the caller may see, or what one organization owns."""
    parent = exchange.identifiers.get("organization_id")
    organization = await existing(exchange, "Organization", parent) if parent else None
    definition = exchange.contract.classes[exchange.promise]
    wanted = read_query(exchange.contract, exchange.parameters, definition, parent)
    part = cut(exchange.contract, wanted)
    found = await page(exchange.session, wanted.listing, exchange.caller, part, counted=wanted.counts)
    role = organization.role if organization else await _role_anywhere(exchange)
    node = _collection(exchange, definition, wanted, found)
    return Representation(node=top_level(exchange.contract, node, exchange.offered(definition.name, role)))


async def _role_anywhere(exchange: Exchange) -> str | None:
    """What is in no organization yet can be put into any that the caller owns."""
    return "owner" if await owns_any(exchange.session, exchange.caller) else None


def _collection(exchange: Exchange, definition: ClassDefinition, wanted: Wanted, found: Page) -> NodeObject:
    address = exchange.contract.base + exchange.path
    return {
        "@id": _with_query(address, wanted.given),
        "@type": ["Collection", definition.name],
        **({"totalItems": found.total} if found.total is not None else {}),
        "member": [exchange.node(record) for record in found.records],
        "view": _view(exchange, address, wanted, found),
        "search": search(definition, address),
        "memberAssertion": member_assertion(definition),
    }


def _with_query(address: str, parameters: tuple[tuple[str, str], ...]) -> str:
    return f"{address}?{encode_query(parameters)}" if parameters else address


def _view(exchange: Exchange, address: str, wanted: Wanted, found: Page) -> NodeObject:
    """Its `@id` is the request's own address, made different where that is the collection's."""
    here = _with_query(address, exchange.parameters)
    if here == _with_query(address, wanted.given):
        here = _with_query(address, (*exchange.parameters, (AFTER, "")))
    kept = (*wanted.given, *((name, value) for name, value in exchange.parameters if name == LIMIT))
    links = (
        _by_cursor(wanted, found)
        if wanted.number is None
        else _by_number(wanted.number, wanted.limit, found.total or 0)
    )
    return {
        "@id": here,
        "@type": "PartialCollectionView",
        **{key: _with_query(address, (*kept, parameter)) for key, parameter in links.items()},
    }


def _by_number(number: int, limit: int, total: int) -> dict[str, tuple[str, str]]:
    last = max(1, -(-total // limit))
    numbers = {"first": 1, "last": last}
    if number < last:
        numbers["next"] = number + 1
    if number > 1:
        numbers["previous"] = min(number - 1, last)
    return {key: (PAGE, str(value)) for key, value in numbers.items()}


def _by_cursor(wanted: Wanted, found: Page) -> dict[str, tuple[str, str]]:
    """Before where a reader came from there is something, as there is after it when it reads backwards."""
    links = {"first": (AFTER, "")}
    if found.positions:
        backwards = wanted.before is not None
        if found.more or backwards:
            links["next"] = (AFTER, cursor(wanted.listing, found.positions[-1]))
        if found.more if backwards else wanted.after:
            links["previous"] = (BEFORE, cursor(wanted.listing, found.positions[0]))
    return links
