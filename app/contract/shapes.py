"""The SHACL shapes as a graph of their own, which an engine can use as it is.

A class that is served has a shape, which finds its nodes by their type. What an operation takes has another
one, without a target: it asks for less, and for nothing that only the service writes. Both are drawn from the
files of the contract; nothing about a value is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rdflib import Graph
from rdflib.namespace import OWL, RDF, RDFS
from rdflib.term import BNode, Literal, Node, URIRef

from app.contract.contract import Contract, in_order, text
from app.contract.definitions import ClassDefinition, Operation
from app.contract.documentation import NodeObject, context_address, node_object
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import Sources, as_iri, by_iri

PATH = "/shapes"
# How often a property occurs is another matter in what is sent.
COUNTED = {SHACL.minCount, SHACL.maxCount}
REFERRING = (SHACL.property, SHACL.node, SHACL["not"])


def shapes(contract: Contract) -> NodeObject:
    """The document: the shapes as parts of one graph."""
    graph = shapes_graph(contract)
    drawn = replace(contract.sources, graph=graph)
    return {
        "@context": context_address(drawn),
        **node_object(contract.sources, URIRef(contract.base + PATH)),
        "hasPart": [node_object(drawn, node) for node in by_iri(graph.subjects(RDF.type))],
    }


def content_shape(base: str, operation: str, key: str | None = None) -> str:
    """The IRI of the shape of what an operation takes, or of one of its members."""
    return f"{base}{PATH}#{operation}" + (f"-{key.lstrip('@')}" if key else "")


def shapes_graph(contract: Contract) -> Graph:
    graph, source = Graph("SimpleMemory", bind_namespaces="none"), contract.sources.graph
    for definition in contract.classes.values():
        _add_class(graph, contract, definition)
    for owner, operation in _operations_with_content(contract):
        _add_content(graph, contract, owner, operation)
    waiting = list(_referred(graph, by_iri(graph.subjects())))
    while waiting:
        shape = waiting.pop()
        if (shape, RDF.type, None) not in graph:
            _copy(graph, contract.sources, shape)
            waiting += _referred(source, [shape])
    return graph


def _referred(graph: Graph, shapes: Iterable[Node]) -> Iterator[Node]:
    for shape in shapes:
        for predicate in REFERRING:
            yield from graph.objects(shape, predicate)
        for alternatives in graph.objects(shape, SHACL["or"]):
            yield from graph.items(alternatives)


def _add_class(graph: Graph, contract: Contract, definition: ClassDefinition) -> None:
    node, source = URIRef(definition.iri), contract.sources.graph
    _copy(graph, contract.sources, node, besides={SHACL.order})
    graph.add((node, RDF.type, SHACL.NodeShape))
    graph.add((node, RDFS.label, Literal(definition.label)))
    if not _is_only_sent(contract, definition):
        # Engines look for subclasses in the data, which does not tell of them.
        for class_ in in_order(contract.sources, source.transitive_subjects(RDFS.subClassOf, node)):
            graph.add((node, SHACL.targetClass, class_))
    restriction = source.value(node, OWL.equivalentClass)
    if restriction is not None:
        _add_members(graph, contract, node, restriction)


def _is_only_sent(contract: Contract, definition: ClassDefinition) -> bool:
    operations = [it for promised in contract.promises.values() for it in promised.values()]
    expected = any(operation.expects == definition.name for operation in operations)
    return expected and all(operation.returns != definition.iri for operation in operations)


def _add_members(graph: Graph, contract: Contract, class_: Node, restriction: Node) -> None:
    """`owl:allValuesFrom`, as SHACL says it."""
    source, shape = contract.sources.graph, URIRef(content_shape(contract.base, f"{_name(class_)}-members"))
    graph.add((class_, SHACL.property, shape))
    graph.add((shape, RDF.type, SHACL.PropertyShape))
    graph.add((shape, RDFS.label, Literal(text(contract.sources, restriction, RDFS.label))))
    for predicate, restricted in ((SHACL.path, OWL.onProperty), (SHACL["class"], OWL.allValuesFrom)):
        for value in source.objects(restriction, restricted):
            graph.add((shape, predicate, value))


def _operations_with_content(contract: Contract) -> list[tuple[str, Operation]]:
    """Each with what promises it; once, though a link may promise it too."""
    found = {
        operation.iri: (owner, operation)
        for owner in contract.classes
        for operation in contract.promises[owner].values()
        if operation.expects is not None
    }
    return [found[iri] for iri in sorted(found)]


def _add_content(graph: Graph, contract: Contract, owner: str, operation: Operation) -> None:
    """Closed, so that nothing is lost without a word."""
    sources, expected = contract.sources, contract.classes[str(operation.expects)]
    definition = expected if operation.method == "POST" else contract.classes[owner]
    shape = URIRef(content_shape(contract.base, operation.name))
    graph.add((shape, RDF.type, SHACL.NodeShape))
    graph.add((shape, RDFS.label, Literal(operation.title)))
    graph.add((shape, RDFS.seeAlso, URIRef(operation.iri)))
    graph.add((shape, SHACL.closed, Literal(True)))
    ignored = _ignored(definition, expected, repeated=operation.method != "POST")
    _add_list(graph, shape, SHACL.ignoredProperties, ignored)
    _add_type(graph, contract, operation, {definition.iri, expected.iri})
    for supported in by_iri(sources.graph.objects(URIRef(expected.iri), HYDRA.supportedProperty)):
        _add_member(graph, contract, operation, supported)
    if operation.method != "PATCH":
        for alternatives in sources.graph.objects(URIRef(expected.iri), SHACL["or"]):
            _add_list(graph, shape, SHACL["or"], sources.graph.items(alternatives))


def _ignored(definition: ClassDefinition, expected: ClassDefinition, *, repeated: bool) -> list[Node]:
    """What may be sent back though only the service writes it: all of it, where there is something already
    that can be `repeated`."""
    taken = {key for key, property_ in expected.properties.items() if property_.writable}
    return [
        HYDRA.operation,
        *(
            URIRef(property_.iri)
            for key, property_ in definition.properties.items()
            if key not in taken and (property_.ignored or repeated)
        ),
    ]


def _add_type(graph: Graph, contract: Contract, operation: Operation, classes: set[str]) -> None:
    """Whoever says what the content is has to say one of these."""
    shape = _property(graph, contract, operation, "@type", RDF.type)
    _add_list(graph, shape, SHACL["in"], [URIRef(iri) for iri in sorted(classes)])


def _add_member(graph: Graph, contract: Contract, operation: Operation, supported: Node) -> None:
    sources = contract.sources
    property_ = contract.classes[str(operation.expects)].properties[
        str(text(sources, supported, HYDRA.title))
    ]
    if not property_.writable:
        return
    shape = _property(graph, contract, operation, property_.key, URIRef(property_.iri))
    _copy(graph, sources, supported, besides=COUNTED, onto=shape)
    graph.add((shape, SHACL.maxCount, Literal(1)))
    if property_.required and operation.method != "PATCH":
        graph.add((shape, SHACL.minCount, Literal(1)))


def _property(graph: Graph, contract: Contract, operation: Operation, key: str, path: Node) -> URIRef:
    shape = URIRef(content_shape(contract.base, operation.name, key))
    graph.add((URIRef(content_shape(contract.base, operation.name)), SHACL.property, shape))
    graph.add((shape, RDF.type, SHACL.PropertyShape))
    graph.add((shape, SHACL.name, Literal(key)))
    graph.add((shape, SHACL.path, path))
    return shape


def _copy(
    graph: Graph,
    sources: Sources,
    shape: Node,
    besides: Iterable[Node] = (),
    onto: URIRef | None = None,
) -> None:
    """What the files say of a shape in SHACL's own words, and what it is called."""
    copied, omitted = onto or as_iri(shape), set(besides)
    for type_ in (SHACL.NodeShape, SHACL.PropertyShape):
        if (shape, RDF.type, type_) in sources.graph:
            graph.add((copied, RDF.type, type_))
    property_ = sources.graph.value(shape, HYDRA.property)
    for key, said in (
        (SHACL.name, text(sources, shape, HYDRA.title)),
        (SHACL.description, text(sources, shape, HYDRA.description)),
        (SHACL.description, text(sources, property_, RDFS.comment) if property_ is not None else None),
        (RDFS.label, text(sources, shape, RDFS.label)),
        (RDFS.comment, text(sources, shape, RDFS.comment)),
    ):
        if said is not None and (copied, key, None) not in graph:
            graph.add((copied, key, Literal(said)))
    for predicate, value in sources.graph.predicate_objects(shape):
        if not str(predicate).startswith(str(SHACL)) or predicate in omitted:
            continue
        if isinstance(value, BNode):
            _add_list(graph, copied, predicate, sources.graph.items(value))
        else:
            graph.add((copied, predicate, value))


def _add_list(graph: Graph, subject: Node, predicate: Node, items: Iterable[Node]) -> None:
    """rdflib's `Collection` would go through the list from its beginning for each item."""
    rest: Node = RDF.nil
    for item in reversed(list(items)):
        head = BNode()
        graph.add((head, RDF.first, item))
        graph.add((head, RDF.rest, rest))
        rest = head
    graph.add((subject, predicate, rest))


def _name(class_: Node) -> str:
    return str(class_).rpartition("#")[2]
