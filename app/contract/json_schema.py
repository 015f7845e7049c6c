"""JSON Schemas (2020-12) of values, drawn from the SHACL shapes of the contract; nothing about a value is
said here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rdflib.namespace import RDFS, SKOS, XSD
from rdflib.term import Literal, Node, URIRef

from app.contract.contract import Contract, text
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import Sources, by_iri, local_name

Schema = dict[str, Any]
DATATYPES: Mapping[Node, Schema] = {
    XSD.string: {"type": "string"},
    XSD.dateTime: {"type": "string", "format": "date-time"},
    XSD.anyURI: {"type": "string", "format": "uri"},
    XSD.integer: {"type": "integer"},
    XSD.boolean: {"type": "boolean"},
}
ADDRESS: Schema = {"type": "string", "format": "uri"}
NUMBERS = {
    SHACL.minLength: "minLength",
    SHACL.maxLength: "maxLength",
    SHACL.minInclusive: "minimum",
    SHACL.maxInclusive: "maximum",
}
# What no text has (XML Schema 1.1 part 2 section 3.3.1), written so that it means the same in every dialect
# of regular expressions: `constraints.NO_STRING` without surrogates, which UTF-8 cannot carry.
NO_TEXT = "NoText"
NO_TEXT_SCHEMA: Schema = {
    "description": "Characters that are not text.",
    "pattern": r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]",
}


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def constraints(contract: Contract, shape: Node) -> Schema:
    """What a single value has to be, said by a shape and by those that it refers to."""
    sources, graph = contract.sources, contract.sources.graph
    schema: Schema = {}
    for node in by_iri(graph.objects(shape, SHACL.node)):
        schema |= reference(local_name(node))
    for datatype in graph.objects(shape, SHACL.datatype):
        schema |= DATATYPES[datatype]
    if graph.value(shape, SHACL.nodeKind) == SHACL.IRI:
        schema |= ADDRESS
    for predicate, keyword in NUMBERS.items():
        for number in graph.objects(shape, predicate):
            schema[keyword] = int(str(number))
    pattern = text(sources, shape, SHACL.pattern)
    if pattern is not None:
        schema["pattern"] = visible(pattern)
    values = graph.value(shape, SHACL["in"])
    if values is not None:
        schema["enum"] = [str(value) for value in graph.items(values)]
    refused = [reference(local_name(node)) for node in by_iri(graph.objects(shape, SHACL["not"]))]
    if schema.get("type") == "string" and not schema.keys() & {"enum", "format"}:
        refused.append(reference(NO_TEXT))
    if refused:
        schema["not"] = refused[0] if len(refused) == 1 else {"anyOf": refused}
    return schema | examples(sources, shape)


_OWN_TYPES = (XSD.integer, XSD.boolean)


def examples(sources: Sources, node: Node) -> Schema:
    found = sorted(sources.graph.objects(node, SKOS.example), key=str)
    # As JSON has it: a number or a truth value, and all else as it is written.
    values = [
        it.toPython() if isinstance(it, Literal) and it.datatype in _OWN_TYPES else str(it) for it in found
    ]
    return {"examples": values} if values else {}


def example(contract: Contract, supported: Node) -> Any:
    """Of a value of a supported property: its own, that of a shape that it refers to, or one of those that
    there are."""
    graph = contract.sources.graph
    for node in (supported, *by_iri(graph.objects(supported, SHACL.node))):
        found = examples(contract.sources, node).get("examples")
        values = graph.value(node, SHACL["in"])
        if found or values is not None:
            return found[0] if found else str(next(iter(graph.items(values))))  # type: ignore[arg-type]
    return None


def value_schemas(contract: Contract, shapes: Mapping[str, Any]) -> dict[str, Schema]:
    """The named shapes that `shapes`, which are schemas, refer to, and those that these refer to."""
    found: dict[str, Schema] = {}
    waiting = sorted(set(referred(shapes)))
    while waiting:
        name = waiting.pop()
        if name in shapes or name in found:
            continue
        found[name] = _named(contract, name)
        waiting += referred(found[name])
    return found


def referred(value: Any) -> Iterator[str]:
    """The names of all schemas that are referred to."""
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith("#/components/schemas/"):
            yield target.rpartition("/")[2]
        for item in value.values():
            yield from referred(item)
    elif isinstance(value, list):
        for item in value:
            yield from referred(item)


def _named(contract: Contract, name: str) -> Schema:
    if name == NO_TEXT:
        return NO_TEXT_SCHEMA
    node, sources = URIRef(contract.sources.namespace + name), contract.sources
    told = {
        "title": text(sources, node, RDFS.label),
        "description": text(sources, node, RDFS.comment),
    }
    return {key: value for key, value in told.items() if value} | constraints(contract, node)


def visible(pattern: str) -> str:
    """With what cannot be seen written as JavaScript, Python and Rust all read it."""
    return "".join(it if " " <= it <= "~" else f"\\u{ord(it):04x}" for it in pattern)


def property_schema(contract: Contract, supported: Node) -> Schema:
    """Of one value of a supported property."""
    sources = contract.sources
    property_ = sources.graph.value(supported, HYDRA.property)
    said = text(sources, supported, HYDRA.description)
    schema = constraints(contract, supported)
    if schema.get("format") == "uri" and property_ is not None and _is_key(contract, property_):
        schema = {"type": "string"}
    return ({"description": said} if said else {}) | schema | examples(sources, supported)


def _is_key(contract: Contract, property_: Node) -> bool:
    """Whether its values are written as keys of the context, not as addresses."""
    contexts = contract.sources.contexts
    terms = (term for name in ("registry.jsonld", "problem.jsonld") for term in contexts[name].terms.values())
    return any(term.iri == str(property_) and term.coercion == "@vocab" for term in terms)
