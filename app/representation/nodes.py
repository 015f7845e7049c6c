"""Node objects of records: what JSON-LD clients read, written straight from values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from app.addresses import DATA_CONTEXT, ITEMS, LINKS, item_path
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Operation
from app.representation.terms import Lasting

NodeObject = dict[str, Any]
# Of the values that an address is made of.
_NAMES = re.compile(r"{(\w+)}")


class Recipe:
    """How node objects of a class are made for who may not follow some of its links: worked out once, for
    lists make dozens in a request. Written as Python and compiled, as dataclasses are, for that reason."""

    def __init__(self, contract: Contract, class_name: str, hidden: Collection[str] = ()) -> None:
        """`hidden` are the keys of those links."""
        base, links, own = contract.base, LINKS[class_name], ITEMS[class_name]
        shown = [key for key in contract.classes[class_name].properties if key not in hidden]
        members = {
            "@id": _address(base, own),
            "@type": repr(class_name),
            **{key: _link(base, links[key], own) if key in links else f"get({key!r})" for key in shown},
        }
        source = ", ".join(f"{key!r}: {value}" for key, value in members.items())
        # What is compiled is of the contract and of this service's own templates.
        of_one = f"lambda values, get: {{{source}}}"
        of_several = f"lambda several: [{{{source}}} for values in several for get in (values.get,)]"
        self._node, self._nodes = eval(f"({of_one}, {of_several})", {})  # noqa: S307

    def node(self, values: Mapping[str, Any]) -> NodeObject:
        """Without a context: `@id`, `@type`, what has a value, and the links, in the contract's order."""
        node: NodeObject = self._node(values, values.get)
        return _told(node) if None in node.values() else node

    def nodes(self, several: Sequence[Mapping[str, Any]]) -> list[NodeObject]:
        """As `node`, of each."""
        return [_told(node) if None in node.values() else node for node in self._nodes(several)]


def _told(node: NodeObject) -> NodeObject:
    return {key: value for key, value in node.items() if value is not None}


def _address(base: str, template: str) -> str:
    """As an expression. Raises `KeyError` where a value is missing."""
    # All of it that is always the same stands there as one text.
    return f'f"{base}' + _NAMES.sub(r"{values['\1']}", template) + '"'


def _link(base: str, template: str, own: str) -> str:
    """As an expression: None where one of its values is missing that its `own` address does not need."""
    names = [name for name in _NAMES.findall(template) if name not in _NAMES.findall(own)]
    absent = " or ".join(f"get('{name}') is None" for name in names)
    address = _address(base, template)
    return f"None if {absent} else {address}" if absent else address


def activity_node(contract: Contract, recipe: Recipe, values: Mapping[str, Any]) -> NodeObject:
    """An activity: its type is one of ActivityStreams too, and each change in it a node."""
    parent = values["object_parent_id"]
    address = {"id": values["object_id"], "organization_id": parent, "instance_id": parent}
    changes = [
        {
            "@id": f"{contract.base}{item_path('Activity', values)}#change-{number}",
            "@type": "Change",
            **change,
        }
        for number, change in enumerate(orjson.loads(values["changes"]), 1)
    ]
    label = contract.classes[values["object_class"]].label
    told = {
        "object": contract.base + item_path(values["object_class"], address),
        "summary": f"{label} {contract.acts[values['type']]}",
        "changes": changes,
    }
    node = recipe.node({**values, **told})
    return {**node, "@type": ["Activity", values["type"]]}


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


def dump(node: Mapping[str, Any]) -> bytes:
    return orjson.dumps(node)
