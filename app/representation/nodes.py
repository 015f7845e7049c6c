"""Node objects of records: what JSON-LD clients read, written straight from values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Protocol

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
        return _without_brackets(self.nodes(several))

    def plain_text(self, several: Sequence[Mapping[str, Any]]) -> str:
        return _without_brackets([plain(self._contract, node) for node in self.nodes(several)])


def _without_brackets(nodes: list[NodeObject]) -> str:
    return orjson.dumps(nodes)[1:-1].decode()


class Members:
    """The members of a page, as far as somebody wants to know of them: JSON is written of values."""

    def __init__(self, parts: Sequence[tuple[Maker, Sequence[Mapping[str, Any]]]]) -> None:
        self._parts = parts

    @property
    def nodes(self) -> list[NodeObject]:
        return [node for maker, values in self._parts for node in maker.nodes(values)]

    @property
    def addresses(self) -> list[str]:
        return [address for maker, values in self._parts for address in maker.addresses(values)]

    def __len__(self) -> int:
        return sum(len(values) for _, values in self._parts)

    def text(self) -> str:
        """As JSON-LD, without an array's brackets."""
        return ",".join([maker.text(values) for maker, values in self._parts])

    def plain_text(self) -> str:
        return ",".join([maker.plain_text(values) for maker, values in self._parts])


class Operations(tuple[NodeObject, ...]):
    """What a caller may do now, as it stands in a representation."""

    @cached_property
    def written(self) -> str:
        """As the last member of an object."""
        return f',"operation":{orjson.dumps([*self]).decode()}' if self else ""


class Unmade:
    """A node object of its own, with its context and operations: made where somebody looks at it. JSON is
    written of its values, octet for octet as it is of the node.

    No ABC, for each answer is asked whether it is one, and those ask in Python.
    """

    @property
    def node(self) -> NodeObject:
        raise NotImplementedError

    def written(self) -> bytes:
        """As JSON-LD."""
        raise NotImplementedError

    def written_plain(self) -> bytes:
        raise NotImplementedError


class Item(Unmade):
    """Of a record that stands alone."""

    def __init__(
        self, contract: Contract, maker: Maker, values: Mapping[str, Any], operations: Operations
    ) -> None:
        self._contract = contract
        self._maker = maker
        self._values = (values,)
        self._operations = operations

    @cached_property
    def node(self) -> NodeObject:
        return top_level(self._contract, self._maker.node(self._values[0]), self._operations)

    @property
    def address(self) -> str:
        return self._maker.addresses(self._values)[0]

    def written(self) -> bytes:
        members = self._maker.text(self._values)[1:-1]
        return f"{begun(self._contract.base)}{members}{self._operations.written}}}".encode()

    def written_plain(self) -> bytes:
        return self._maker.plain_text(self._values).encode()


@cache
def begun(base: str) -> str:
    """An object, as JSON, that has a context so far."""
    return f'{{"@context":{orjson.dumps(base + DATA_CONTEXT).decode()},'


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
        members = [plain(contract, member) for member in node["member"]]
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


def dump(node: Mapping[str, Any] | Unmade) -> bytes:
    return node.written() if isinstance(node, Unmade) else orjson.dumps(node)


def dump_plain(contract: Contract, node: Mapping[str, Any] | Unmade) -> bytes:
    """As plain JSON."""
    return node.written_plain() if isinstance(node, Unmade) else dump(plain(contract, node))


def made(node: NodeObject | Unmade) -> NodeObject:
    """As those want it who look at it whole."""
    return node.node if isinstance(node, Unmade) else node
