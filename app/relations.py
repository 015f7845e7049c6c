"""Where a representation stands among the others: the relations that its Link field names (RFC 8288)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from app.addresses import COLLECTIONS, ENTRYPOINT, ROOT, parent_path
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition
from app.protocol.links import Link
from app.representation.nodes import NodeObject

# The links of a view, and the relations that say the same in a Link field.
PAGES = (("first", "first"), ("previous", "prev"), ("next", "next"), ("last", "last"))
# More would make a head that proxies refuse: they stand in the content anyway, and half of them says nothing.
MOST_ITEMS = 10


def of_item(
    contract: Contract, class_name: str, node: NodeObject, reads: Callable[[str], bool]
) -> list[Link]:
    """RFC 6573, RFC 6903. What the caller could not follow, as `reads` says of a promise, stays away."""
    links = [*_described(contract.base, contract.classes[class_name].iri)]
    template = COLLECTIONS.get(class_name)
    if template is None:
        return [*links, Link(contract.base + ROOT, "up")]
    path = str(node["@id"]).removeprefix(contract.base).rpartition("/")[0]
    if reads(f"{class_name}Collection"):
        links.append(Link(contract.base + path, "collection"))
    above = contract.base + parent_path(path)
    if above == contract.base + ROOT or above in node.values():
        links.append(Link(above, "up"))
    return links


def of_list(contract: Contract, definition: ClassDefinition, address: str, node: NodeObject) -> list[Link]:
    """`address` is the list's own, without a query."""
    members = node["member"]
    items = [Link(member["@id"], "item") for member in members] if len(members) <= MOST_ITEMS else []
    up = Link(contract.base + parent_path(address.removeprefix(contract.base)), "up")
    return [*_described(contract.base, definition.iri), up, *items, *of_view(node["view"])]


def of_view(view: Mapping[str, str]) -> list[Link]:
    return [Link(view[key], rel) for key, rel in PAGES if key in view]


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
