"""JSON Schemas (2020-12) of what operations take, beside those of what is served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rdflib.term import Node

from app.addresses import DATA_CONTEXT
from app.contract.class_schemas import object_schema, supported_properties, told_of
from app.contract.contract import Contract, text
from app.contract.definitions import ClassDefinition, Operation, Property
from app.contract.json_schema import ADDRESS, Schema, example, property_schema
from app.contract.namespaces import HYDRA, SHACL

# Of what is changed. As a property it would be called `id`, as another one is, in what generators make.
NAMED: Schema = {"anyOf": [ADDRESS, {"const": ""}], "readOnly": True}


def content_schema(
    contract: Contract, owner: str, operation: Operation, one_of: Sequence[str] = ()
) -> Schema:
    """What an operation takes, closed as the operation is. Of the members in `one_of` one has to be there."""
    expected = contract.classes[str(operation.expects)]
    creates, whole = operation.method == "POST", operation.method != "PATCH"
    definition = expected if creates else contract.classes[owner]
    members, needed, samples = {}, [], {}
    for supported in supported_properties(contract, expected):
        property_ = expected.properties[str(text(contract.sources, supported, HYDRA.title))]
        if property_.writable:
            members[property_.key] = _taken(contract, property_, supported)
            samples[property_.key] = example(contract, supported)
            if property_.required and whole:
                needed.append(property_.key)
    told: Schema = {
        "@context": {"const": contract.base + DATA_CONTEXT},
        "@type": _said_types(definition, expected),
        **({} if creates else _sent_back(contract, definition)),
    }
    alternatives = list(_alternatives(members, one_of)) if whole else []
    return {
        **object_schema(contract, expected, {**told, **members}, needed),
        **({"anyOf": alternatives} if alternatives else {}),
        **({} if creates else {"patternProperties": {"^@id$": NAMED}}),
        "additionalProperties": False,
        "examples": [{key: samples[key] for key in (*needed, *one_of[:1]) if key in samples} or samples],
    }


def _sent_back(contract: Contract, definition: ClassDefinition) -> Schema:
    """What else a whole record has: what is ignored may be anything, the rest has to say what is so, of which
    a schema can only know what it looks like."""
    members: Schema = {"operation": {}}
    for supported in supported_properties(contract, definition):
        property_ = definition.properties[str(text(contract.sources, supported, HYDRA.title))]
        if property_.ignored:
            members[property_.key] = told_of(property_schema(contract, supported))
        else:
            optional = text(contract.sources, supported, SHACL.minCount) != "1"
            members[property_.key] = _said(contract, property_, supported, optional=optional)
    # The one that clients show is the address, and then they keep the other one beside it.
    shown = {key: value for key, value in members["id"].items() if key != "description"}
    members["id"] = told_of(members["id"]) | {"anyOf": [shown, ADDRESS]}
    members["originId"] = {"anyOf": [shown, ADDRESS, {"type": "null"}]}
    return {key: {**schema, "readOnly": True} for key, schema in members.items()}


def _taken(contract: Contract, property_: Property, supported: Node) -> Schema:
    """What need not be there may be null."""
    return _said(contract, property_, supported, optional=not property_.required)


def _said(contract: Contract, property_: Property, supported: Node, *, optional: bool) -> Schema:
    """A link is an address, or a node with nothing but that and its class."""
    schema = property_schema(contract, supported)
    choices = [{key: value for key, value in schema.items() if key != "description"}]
    if property_.link:
        promise = property_.promise or ""
        led_to = contract.classes[contract.ranges.get(promise, promise)]
        node = {"@id": choices[0], "@type": _said_types(led_to, fewest=0)}
        choices.append(
            {"type": "object", "properties": node, "required": ["@id"], "additionalProperties": False}
        )
    if optional:
        choices.append({"type": "null"})
    return {**told_of(schema), **(choices[0] if len(choices) == 1 else {"anyOf": choices})}


def _said_types(*classes: ClassDefinition, fewest: int = 1) -> Schema:
    """As which a client may name what it sends, or links to: by their names or IRIs, one or several."""
    named: Schema = {"enum": sorted({name for it in classes for name in (it.name, it.iri)})}
    return {"anyOf": [named, {"type": "array", "items": named, "minItems": fewest}]}


def _alternatives(members: Schema, one_of: Sequence[str]) -> Iterator[dict[str, Any]]:
    for key in one_of:
        if key in members:
            yield {"required": [key], "properties": {key: {"not": {"type": "null"}}}}
