"""Node objects of records: what JSON-LD clients read, written straight from values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, overload

import orjson

from app.addresses import DATA_CONTEXT
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Operation
from app.representation.terms import Lasting

NodeObject = dict[str, Any]


class Maker(Protocol):
    """What makes node objects of values, or writes them as JSON at once, without an array's brackets."""

    def node(self, values: Mapping[str, Any]) -> NodeObject: ...

    def nodes(self, several: Sequence[Mapping[str, Any]]) -> list[NodeObject]: ...

    def addresses(self, several: Sequence[Mapping[str, Any]]) -> list[str]: ...

    def text(self, several: Sequence[Mapping[str, Any]]) -> str: ...

    def plain_text(self, several: Sequence[Mapping[str, Any]]) -> str: ...


class OneByOne:
    """Makes each node by a function."""

    def __init__(self, contract: Contract, make: Callable[[Mapping[str, Any]], NodeObject]) -> None:
        self._contract = contract
        self.node = make

    def nodes(self, several: Sequence[Mapping[str, Any]]) -> list[NodeObject]:
        return list(map(self.node, several))

    def addresses(self, several: Sequence[Mapping[str, Any]]) -> list[str]:
        return [node["@id"] for node in self.nodes(several)]

    def text(self, several: Sequence[Mapping[str, Any]]) -> str:
        return ",".join(dump(node).decode() for node in self.nodes(several))

    def plain_text(self, several: Sequence[Mapping[str, Any]]) -> str:
        return ",".join(dump(plain(self._contract, node)).decode() for node in self.nodes(several))


class Members(Sequence[NodeObject]):
    """The members of a page: node objects, made where somebody looks at them; JSON is written of values."""

    def __init__(self, parts: Sequence[tuple[Maker, Sequence[Mapping[str, Any]]]]) -> None:
        self._parts = parts

    @cached_property
    def nodes(self) -> list[NodeObject]:
        return [node for maker, values in self._parts for node in maker.nodes(values)]

    @property
    def addresses(self) -> list[str]:
        return [address for maker, values in self._parts for address in maker.addresses(values)]

    def __len__(self) -> int:
        return sum(len(values) for _, values in self._parts)

    @overload
    def __getitem__(self, index: int) -> NodeObject: ...

    @overload
    def __getitem__(self, index: slice) -> list[NodeObject]: ...

    def __getitem__(self, index: int | slice) -> NodeObject | list[NodeObject]:
        return self.nodes[index]

    def written(self) -> orjson.Fragment:
        return _array([maker.text(values) for maker, values in self._parts])

    def written_plain(self) -> orjson.Fragment:
        return _array([maker.plain_text(values) for maker, values in self._parts])


def _array(texts: Sequence[str]) -> orjson.Fragment:
    return orjson.Fragment(f"[{','.join(texts)}]")


def top_level(contract: Contract, node: NodeObject, operations: Sequence[NodeObject]) -> NodeObject:
    """The node with its context first and, last, what the caller may do to it now."""
    told: NodeObject = {"@context": contract.base + DATA_CONTEXT, **node}
    if operations:
        told["operation"] = list(operations)
    return told


def operation_node(contract: Contract, operation: Operation) -> Lasting:
    expects = operation.expects and contract.classes[operation.expects].iri
    return Lasting(
        {
            "@id": operation.iri,
            "@type": "Operation",
            "method": operation.method,
            "title": operation.title,
            **({"expects": expects} if expects else {}),
            "returns": operation.returns,
        }
    )


def plain(contract: Contract, node: Mapping[str, Any]) -> NodeObject:
    """Plain JSON (API.md section 2): a collection keeps count, members and view; an item its values."""
    if "member" in node:
        view = {key: value for key, value in node["view"].items() if not key.startswith("@")}
        of_page = node["member"]
        written = isinstance(of_page, Members)
        members = of_page.written_plain() if written else [plain(contract, member) for member in of_page]
        counted = {"totalItems": node["totalItems"]} if "totalItems" in node else {}
        return {**counted, "member": members, "view": view}
    type_ = node["@type"]
    definition = contract.classes[type_[0] if isinstance(type_, list) else type_]
    return {
        key: [plain(contract, item) for item in value] if isinstance(value, list) else value
        for key, value in node.items()
        if _is_plain(definition, key)
    }


def _is_plain(definition: ClassDefinition, key: str) -> bool:
    """The entry point has nothing but links: there they are kept, or plain JSON would have no way in."""
    if key.startswith("@") or key in ("operation", "collection", "instance_by_handle"):
        return False
    return definition.name == "Entrypoint" or not definition.properties[key].link


def dump(node: Mapping[str, Any]) -> bytes:
    return orjson.dumps(node, _of_members)


def _of_members(value: object) -> orjson.Fragment:
    if isinstance(value, Members):
        return value.written()
    raise TypeError


def with_all_made(node: NodeObject) -> NodeObject:
    """The node as those want it who look at it whole."""
    members = node.get("member")
    return {**node, "member": members.nodes} if isinstance(members, Members) else node
