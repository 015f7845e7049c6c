"""Where a representation stands among the others: the relations that its Link field names (RFC 8288)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from app.addresses import COLLECTIONS, ENTRYPOINT, ROOT, parent_path
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition
from app.protocol.links import Link
from app.representation.nodes import Item, Members, NodeObject

# The links of a view, and the relations that say the same in a Link field.
PAGES = (("first", "first"), ("previous", "prev"), ("next", "next"), ("last", "last"))
# More would make a head that proxies refuse: they stand in the content anyway, and half of them says nothing.
MOST_ITEMS = 10


def of_item(
    contract: Contract, class_name: str, address: str, node: NodeObject | Item, *, listed: bool
) -> tuple[Link, ...]:
    """RFC 6573, RFC 6903. What the caller could not follow stays away; it may read the collection where that
    is `listed`."""
    type_, root = contract.classes[class_name].iri, contract.base + ROOT
    if class_name not in COLLECTIONS:
        return _placed(contract.base, type_, None, root)
    collection = address.rpartition("/")[0]
    above = parent_path(collection)
    # An `Item` stands below nothing else.
    shown = above == root or (isinstance(node, dict) and above in node.values())
    return _placed(contract.base, type_, collection if listed else None, above if shown else None)


@lru_cache(maxsize=1_024)
def _placed(base: str, type_: str, collection: str | None, above: str | None) -> tuple[Link, ...]:
    """What all that stand at one place have in common."""
    placed = ((collection, "collection"), (above, "up"))
    return (*_described(base, type_), *(Link(target, rel) for target, rel in placed if target is not None))


def of_list(contract: Contract, definition: ClassDefinition, address: str) -> tuple[Link, ...]:
    """What all pages of a list have in common. `address` is the list's own, without a query."""
    return _listed(contract.base, definition.iri, address)


@lru_cache(maxsize=1_024)
def _listed(base: str, type_: str, address: str) -> tuple[Link, ...]:
    return (*_described(base, type_), Link(base + parent_path(address.removeprefix(base)), "up"))


def of_page(members: Members, view: Mapping[str, str]) -> list[Link]:
    """What is one page's own. `view` leads to other pages."""
    items = [Link(it, "item") for it in members.addresses] if len(members) <= MOST_ITEMS else []
    return [*items, *[Link(view[key], rel) for key, rel in PAGES if key in view]]


def of_document(base: str, path: str, types: Sequence[str]) -> list[Link]:
    """One that the contract describes; `types` are its own."""
    links = [Link(type_, "type") for type_ in types[:1]]
    if path == ROOT:
        return [*links, *_describing(base)]
    above = path.rpartition("/")[0]
    if path.startswith("/problems/"):
        links.append(Link(base + above, "collection"))
    return [*links, Link(base + ROOT, "up")]


@lru_cache(maxsize=64)
def _described(base: str, type_: str) -> tuple[Link, ...]:
    return (*_describing(base), Link(type_, "type"))


def _describing(base: str) -> tuple[Link, ...]:
    return (Link(base + ENTRYPOINT["shapes"], "describedby"),)
