"""The ApiDocumentation, walked out of the contract's graph: one function for each level of nesting.

The shape is what Hydra clients read: one object, nothing flattened, every class, property and operation with
a title; the same bytes in every process.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rdflib.namespace import DCTERMS, OWL, RDF, RDFS
from rdflib.term import Literal, Node, URIRef

from app.contract.contract import Contract, in_order, own, stated, statuses, subjects, text
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import Sources, by_iri, local_name

NodeObject = dict[str, Any]
CONTEXT = "documentation.jsonld"


def documentation(contract: Contract) -> NodeObject:
    """The node object of the ApiDocumentation, with its context inline."""
    sources = contract.sources
    [node] = subjects(sources, HYDRA.ApiDocumentation)
    return {
        "@context": sources.contexts[CONTEXT].document["@context"],
        "@id": str(node),
        "@type": "ApiDocumentation",
        "title": text(sources, node, HYDRA.title),
        "description": text(sources, node, HYDRA.description),
        "entrypoint": text(sources, node, HYDRA.entrypoint),
        "supportedClass": [
            _class(sources, class_) for class_ in in_order(sources, subjects(sources, HYDRA.Class))
        ],
        "possibleStatus": [_status(sources, status) for status in statuses(sources, node)],
    }


def _class(sources: Sources, node: Node) -> NodeObject:
    found = sources.graph.objects(node, HYDRA.supportedProperty)
    return _described(sources, node, "Class") | {
        "subClassOf": [str(parent) for parent in _parents(sources, node) if not _restricts(sources, parent)],
        "supportedProperty": [_supported(sources, supported) for supported in in_order(sources, found)],
        "supportedOperation": _operations(sources, node),
    }


def _parents(sources: Sources, node: Node) -> list[Node]:
    return by_iri(sources.graph.objects(node, RDFS.subClassOf))


def _restricts(sources: Sources, node: Node) -> bool:
    return (node, RDF.type, OWL.Restriction) in sources.graph


def _described(sources: Sources, node: Node, type_: str | list[str]) -> NodeObject:
    described = {"@id": str(node), "@type": type_}
    title = text(sources, node, HYDRA.title, RDFS.label)
    description = text(sources, node, HYDRA.description, RDFS.comment)
    return described | {"title": title} | ({"description": description} if description else {})


def _supported(sources: Sources, node: Node) -> NodeObject:
    """`title` is the JSON key. Clients of Hydra's first drafts know `writable` only as `writeable`."""
    property_ = sources.graph.value(node, HYDRA.property)
    assert property_ is not None  # noqa: S101 - the contract was checked
    description, operations = text(sources, node, HYDRA.description), _operations(sources, node)
    flags = {
        key: text(sources, node, HYDRA[predicate]) == "true"
        for key, predicate in (
            ("required", "required"),
            ("readable", "readable"),
            ("writable", "writable"),
            ("writeable", "writable"),
        )
    }
    return {
        "@id": str(node),
        "@type": "SupportedProperty",
        "title": text(sources, node, HYDRA.title),
        **({"description": description} if description else {}),
        "property": _property(sources, property_, node),
        **flags,
        **({"supportedOperation": operations} if operations else {}),
    }


def _property(sources: Sources, node: Node, supported: Node) -> NodeObject:
    types = set(sources.graph.objects(node, RDF.type))
    kind = next((name for name in ("Link", "TemplatedLink") if HYDRA[name] in types), "rdf:Property")
    label = text(sources, node, RDFS.label) or text(sources, supported, HYDRA.title)
    described: NodeObject = {"@id": str(node), "@type": kind, "label": label}
    domain = _iris(sources, node, RDFS.domain)
    if domain:
        described["domain"] = domain[0]
    ranges = [_range(sources, range_) for range_ in by_iri(sources.graph.objects(node, RDFS.range))]
    datatype = _datatype(sources, supported)
    if ranges or datatype:
        described["range"] = ranges or datatype
    if kind == "Link" and _leads_to_one(sources, node, supported):
        described["maxCardinality"] = 1
    operations = _operations(sources, node)
    return described | ({"supportedOperation": operations} if operations else {})


def _leads_to_one(sources: Sources, link: Node, supported: Node) -> bool:
    """To one resource, as clients that show it need to know (docs/clients.md D8), not to a collection."""
    to_collection = (link, RDFS.range, HYDRA.Collection) in sources.graph
    return text(sources, supported, SHACL.maxCount) == "1" and not to_collection


def _range(sources: Sources, node: Node) -> NodeObject:
    """Of a collection with what is true of its members, where clients look for it (docs/clients.md D3)."""
    restriction = next((it for it in _parents(sources, node) if _restricts(sources, it)), None)
    if restriction is None:
        return {"@id": str(node)}
    equivalent: NodeObject = {"@id": str(restriction)}
    for key, predicate in (("onProperty", OWL.onProperty), ("allValuesFrom", OWL.allValuesFrom)):
        equivalent[key] = {"@id": text(sources, restriction, predicate)}
    return {"@id": str(node), "equivalentClass": equivalent}


def _datatype(sources: Sources, shape: Node) -> str | None:
    """Said by the shape or by one that it refers to."""
    found = text(sources, shape, SHACL.datatype)
    nodes = by_iri(sources.graph.objects(shape, SHACL.node))
    return found or next((datatype for node in nodes if (datatype := _datatype(sources, node))), None)


def _operations(sources: Sources, owner: Node) -> list[NodeObject]:
    found = sources.graph.objects(owner, HYDRA.supportedOperation)
    return [_operation(sources, node) for node in in_order(sources, found)]


def _operation(sources: Sources, node: Node) -> NodeObject:
    expects = text(sources, node, HYDRA.expects)
    return {
        **_described(sources, node, "Operation"),
        "method": text(sources, node, HYDRA.method),
        **({"expects": expects} if expects else {}),
        "returns": text(sources, node, HYDRA.returns),
        **_headers(sources, node),
        "possibleStatus": [_status(sources, status) for status in statuses(sources, node)],
        "allowedRole": _iris(sources, node, own(sources, "allowedRole")),
    }


def _headers(sources: Sources, node: Node) -> NodeObject:
    """The names of the fields that an operation takes and gives beside those that every one does."""
    named = {
        key: sorted(str(name) for name in stated(sources, node, HYDRA[key]))
        for key in ("expectsHeader", "returnsHeader")
    }
    return {key: names for key, names in named.items() if names}


def _status(sources: Sources, node: Node) -> NodeObject:
    code = int(text(sources, node, HYDRA.statusCode) or 0)
    return _described(sources, node, "Status") | {"statusCode": code}


def _iris(sources: Sources, node: Node, predicate: URIRef) -> list[str]:
    return [str(value) for value in by_iri(sources.graph.objects(node, predicate))]


def vocabulary(contract: Contract) -> NodeObject:
    """The vocabulary as one node object: the ontology, and under it every term that it defines, and what it
    says of terms of others."""
    sources = contract.sources
    ontology = URIRef(f"{sources.base}/vocab")
    described = node_object(sources, ontology)
    references = by_iri(sources.graph.objects(ontology, DCTERMS.references))
    described["dcterms:references"] = [node_object(sources, node) for node in references]
    defined = [
        node_object(sources, node) for node in by_iri(sources.graph.subjects()) if _is_own(sources, node)
    ]
    return {"@context": context_address(sources), **described, "defines": defined}


def problem_type(contract: Contract, name: str) -> NodeObject:
    sources = contract.sources
    return {
        "@context": context_address(sources),
        **node_object(sources, URIRef(f"{sources.base}/problems/{name}")),
    }


def problem_types(contract: Contract) -> NodeObject:
    sources = contract.sources
    members = [node_object(sources, URIRef(problem.iri)) for problem in contract.problems.values()]
    return {
        "@context": context_address(sources),
        "@id": f"{sources.base}/problems",
        "@type": "Collection",
        "title": "Problem types",
        "totalItems": len(members),
        "member": members,
    }


def context_address(sources: Sources) -> str:
    return f"{sources.base}/contexts/v1/{CONTEXT}"


def _is_own(sources: Sources, node: Node) -> bool:
    return str(node).startswith(sources.namespace)


def node_object(sources: Sources, node: Node) -> NodeObject:
    """A subject with everything that the files say of it, by the keys of the documentation's context."""
    context, said = sources.contexts[CONTEXT], defaultdict(list)
    for predicate, value in sources.graph.predicate_objects(node):
        said[predicate].append(value)
    types = [_compact(sources, type_) for type_ in by_iri(said.pop(RDF.type, ()))]
    described: NodeObject = {"@id": str(node), **({"@type": types} if types else {})}
    for predicate in by_iri(said):
        if predicate == RDFS.isDefinedBy and _is_own(sources, node):
            continue
        key = context.keys.get(str(predicate)) or _compact(sources, predicate)
        values = [_value(sources, value, key) for value in by_iri(said[predicate])]
        described[key] = values[0] if len(values) == 1 else values
    return described


def _compact(sources: Sources, node: Node) -> str:
    iri = str(node)
    for namespace, prefix in sources.contexts[CONTEXT].prefixes.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri.removeprefix(namespace)}"
    return iri


def _value(sources: Sources, value: Node, key: str) -> Any:
    term = sources.contexts[CONTEXT].terms.get(key)
    coercion = term.coercion if term is not None else None
    if term is not None and term.container == "@list":
        return [_item(sources, item, coercion) for item in sources.graph.items(value)]
    return _item(sources, value, coercion)


def _item(sources: Sources, value: Node, coercion: str | None) -> Any:
    if not isinstance(value, Literal):
        return str(value) if coercion == "@id" else {"@id": str(value)}
    if value.datatype is None or str(value.datatype) == coercion:
        return str(value)
    if local_name(value.datatype) in ("integer", "boolean"):
        return value.toPython()
    return {"@type": _compact(sources, value.datatype), "@value": str(value)}
