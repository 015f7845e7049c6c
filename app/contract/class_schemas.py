"""JSON Schemas (2020-12) of what is served: of classes, where `json_schema` speaks of values."""

from __future__ import annotations

from collections.abc import Sequence

from rdflib.namespace import RDF, RDFS
from rdflib.term import Node, URIRef

from app.contract.check import PROBLEM_CLASSES
from app.contract.contract import Contract, in_order, own, text
from app.contract.definitions import ClassDefinition
from app.contract.json_schema import ADDRESS, Schema, constraints, property_schema, reference
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import by_iri, local_name

# No dot: generators would make a module of what stands before it.
LINKED = "-jsonld"
# What Hydra says of its own classes, as far as it is used here.
VIEW, TEMPLATE, OPERATION, NODE = "PartialCollectionView", "IriTemplate", "Operation", "Node"
PAGES = ("first", "previous", "next", "last")
HYDRAS: dict[str, Schema] = {
    NODE: {
        "type": "object",
        "description": "A node object of JSON-LD.",
        "properties": {"@id": ADDRESS, "@type": {"type": ["string", "array"], "items": {"type": "string"}}},
    },
    VIEW: {
        "type": "object",
        "description": "The page that was asked for, with the addresses of others.",
        "properties": {"@id": ADDRESS, "@type": {"const": VIEW}, **dict.fromkeys(PAGES, ADDRESS)},
        "required": ["first"],
    },
    TEMPLATE: {
        "type": "object",
        "description": "How the address of what is searched for is made (RFC 6570).",
        "properties": {
            "@type": {"const": TEMPLATE},
            "template": {"type": "string"},
            "variableRepresentation": {"type": "string"},
            "mapping": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "@type": {"const": "IriTemplateMapping"},
                        "variable": {"type": "string"},
                        "property": {"type": "string"},
                        "required": {"type": "boolean"},
                    },
                    "required": ["variable", "property", "required"],
                },
            },
        },
        "required": ["@type", "template", "mapping"],
    },
    OPERATION: {
        "type": "object",
        "description": "What the caller may do now.",
        "properties": {
            "@id": ADDRESS,
            "@type": {"const": OPERATION},
            "method": {"type": "string"},
            "title": {"type": "string"},
            "expects": ADDRESS,
            "returns": ADDRESS,
        },
        "required": ["@id", "@type", "method", "title", "returns"],
    },
}


def class_schemas(contract: Contract) -> dict[str, Schema]:
    """By name: each class as plain JSON and, with the suffix `-jsonld`, as JSON-LD. A problem is both in one,
    for it is of one media type."""
    schemas = dict(HYDRAS)
    for name, definition in contract.classes.items():
        if name in PROBLEM_CLASSES:
            schemas[name] = _item(contract, definition, linked=True)
            continue
        of = _collection if definition.member else _item
        schemas[name] = of(contract, definition, linked=False)
        schemas[name + LINKED] = of(contract, definition, linked=True)
    return schemas


def _item(contract: Contract, definition: ClassDefinition, *, linked: bool) -> Schema:
    sources, members, needed = contract.sources, {}, []
    for supported in supported_properties(contract, definition):
        key = str(text(sources, supported, HYDRA.title))
        if not linked and _is_link(contract, definition, supported):
            continue
        members[key] = _member(contract, supported, linked=linked)
        if text(sources, supported, SHACL.minCount) == "1":
            needed.append(key)
    if not linked:
        return object_schema(contract, definition, members, needed)
    node = _node(contract, definition)
    if definition.name in PROBLEM_CLASSES:
        # As properties they would be called `id` and `type`, as others are, in what generators make.
        keywords = {f"^{key}$": schema for key, schema in node.items()}
        return object_schema(contract, definition, members, needed) | {"patternProperties": keywords}
    return object_schema(contract, definition, {**node, **members}, ["@id", "@type", *needed])


def object_schema(
    contract: Contract, definition: ClassDefinition, members: Schema, needed: Sequence[str]
) -> Schema:
    """Without a title: generators call types by it before they do by the name in the document, and a class
    has several schemas."""
    comment = text(contract.sources, URIRef(definition.iri), RDFS.comment)
    return {
        "type": "object",
        **({"description": comment} if comment else {}),
        "properties": members,
        **({"required": list(needed)} if needed else {}),
    }


def _node(contract: Contract, definition: ClassDefinition) -> Schema:
    """What every node object has; at the top, its context and what can be done to it."""
    names = _type_names(contract, definition)
    named: Schema = {"enum": names} if len(names) > 1 else {"const": names[0]}
    type_: Schema = {"anyOf": [named, {"type": "array", "items": {"type": "string"}, "contains": named}]}
    node: Schema = {"@context": {}, "@id": ADDRESS, "@type": type_}
    if definition.name not in PROBLEM_CLASSES:
        node["operation"] = {"type": "array", "items": reference(OPERATION)}
    return node


def _type_names(contract: Contract, definition: ClassDefinition) -> list[str]:
    """The keys by which data calls the class: its own or, where the context has none, that of a wider one."""
    sources = contract.sources
    keys = sources.contexts[
        "problem.jsonld" if definition.name in PROBLEM_CLASSES else "registry.jsonld"
    ].keys
    node = URIRef(definition.iri)
    wider = by_iri(sources.graph.objects(node, RDFS.subClassOf))
    found = [keys[str(it)] for it in (node, *wider) if str(it) in keys]
    return found[:1] or [definition.name]


def supported_properties(contract: Contract, definition: ClassDefinition) -> list[Node]:
    """Its supported properties, after those of its own classes above it."""
    sources, graph = contract.sources, contract.sources.graph
    node = URIRef(definition.iri)
    above = [
        it for it in by_iri(graph.objects(node, RDFS.subClassOf)) if str(it).startswith(sources.namespace)
    ]
    return [
        supported
        for class_ in (*above, node)
        for supported in in_order(sources, graph.objects(class_, HYDRA.supportedProperty))
    ]


def _is_link(contract: Contract, definition: ClassDefinition, supported: Node) -> bool:
    """Whether plain JSON does without it; the entry point has nothing but links, which it keeps."""
    property_ = contract.sources.graph.value(supported, HYDRA.property)
    kinds = set(contract.sources.graph.objects(property_, RDF.type))
    if definition.name in ("Entrypoint", "Service"):
        return HYDRA.TemplatedLink in kinds
    return bool(kinds & {HYDRA.Link, HYDRA.TemplatedLink})


def _member(contract: Contract, supported: Node, *, linked: bool) -> Schema:
    """A value, or those of a property of which a node may have more than one."""
    sources, graph = contract.sources, contract.sources.graph
    property_ = graph.value(supported, HYDRA.property)
    assert property_ is not None  # noqa: S101 - the contract was checked
    schema = property_schema(contract, supported)
    if HYDRA.TemplatedLink in set(graph.objects(property_, RDF.type)):
        return told_of(schema) | reference(TEMPLATE)
    within = _embedded(contract, property_)
    if within is not None:
        suffix = LINKED if linked and within not in PROBLEM_CLASSES else ""
        schema = told_of(schema) | reference(within + suffix)
    # What a problem's type is stands in `type`, what kind of node it is in `@type`.
    single = text(sources, supported, SHACL.maxCount) == "1" or property_ == RDF.type
    if single:
        return schema
    return {
        **told_of(schema),
        "type": "array",
        "items": {k: v for k, v in schema.items() if k != "description"},
    }


def told_of(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key == "description"}


def _embedded(contract: Contract, property_: Node) -> str | None:
    """The class of the nodes that stand in the place of the value, where it is not their address."""
    graph = contract.sources.graph
    if (property_, RDF.type, HYDRA.Link) in graph:
        return None
    names = [local_name(range_) for range_ in by_iri(graph.objects(property_, RDFS.range))]
    return next((name for name in names if name in contract.classes), None)


def _collection(contract: Contract, definition: ClassDefinition, *, linked: bool) -> Schema:
    total = constraints(contract, own(contract.sources, "Page-totalItems"))
    said = text(contract.sources, own(contract.sources, "Page-totalItems"), RDFS.comment)
    member = str(definition.member) + (LINKED if linked else "")
    members: Schema = {
        "totalItems": total | ({"description": said} if said else {}),
        "member": {"type": "array", "items": reference(member)},
        "view": reference(VIEW),
    }
    needed = ["member", "view"]
    if linked:
        more = {"search": reference(TEMPLATE), "memberAssertion": reference(NODE)}
        members, needed = {**_node(contract, definition), **members, **more}, ["@id", "@type", *needed]
    return object_schema(contract, definition, members, needed)
