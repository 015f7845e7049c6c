"""The shapes are a graph of their own, which a SHACL engine can use as it is."""

from __future__ import annotations

from functools import cache
from uuid import uuid4

import pyshacl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyshacl.errors import ReportableRuntimeError
from rdflib import Graph
from rdflib.namespace import RDF, RDFS, SH
from rdflib.term import Node, URIRef

from app.contract.contract import Contract, load_contract
from app.contract.shapes import shapes, shapes_graph
from app.representation.documents import graph_document
from app.representation.writing import Writers
from tests.service import BASE, TURTLE

CONTRACT = load_contract(BASE)
VOCAB, SHAPES = f"{BASE}/vocab#", f"{BASE}/shapes#"
REFERRING = (SH.property, SH.node, SH["not"])
# What is sent and never served.
SENT_ALONE = {"InstanceRename", "MemberRole", "AuthorizationAcceptance", "Transfer"}


@cache
def served() -> Graph:
    """As it is read from Turtle."""
    document = graph_document(Writers(CONTRACT).documentation, shapes(CONTRACT))
    return Graph().parse(data=document.variant(TURTLE).content, format="turtle")


def accepts(class_name: str, key: str, text: str) -> bool:
    return not any(CONTRACT.classes[class_name].properties[key].shape.failures(text))


def with_few_reserved_handles() -> Graph:
    """A copy: the shapes of shapes take minutes for a list of hundreds."""
    graph = Graph()
    graph += served()
    reserved = graph.value(URIRef(f"{VOCAB}ReservedHandle"), SH["in"])
    assert reserved is not None
    third = list(graph.transitive_objects(reserved, RDF.rest))[2]
    assert third is not None
    graph.set((third, RDF.rest, RDF.nil))
    return graph


TEXTS = st.one_of(
    st.text(max_size=40),
    st.text("ab-9 .\n", max_size=40),
    st.sampled_from(["", "owner", "pending", "a" * 31, "x" * 256, "www", "xn--a", str(uuid4()), BASE]),
)
SHAPES_OF_VALUES = [
    property_.shape
    for definition in CONTRACT.classes.values()
    for property_ in definition.properties.values()
]


@given(value=st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(), st.lists(TEXTS)))
def test_a_value_holds_where_there_is_nothing_wrong_with_it(value: object) -> None:
    for shape in SHAPES_OF_VALUES:
        assert shape.holds(value) is (not any(True for _ in shape.failures(value)))


def test_shacl_has_nothing_to_say_against_the_shapes() -> None:
    """By the shapes of shapes (SHACL appendix C)."""
    graph = with_few_reserved_handles()
    pyshacl.validate(Graph(), shacl_graph=graph, meta_shacl=True, inference="none")
    graph.add((URIRef(f"{VOCAB}Name"), SH.minLength, URIRef(f"{VOCAB}Name")))
    with pytest.raises(ReportableRuntimeError, match="MetaSHACL"):
        pyshacl.validate(Graph(), shacl_graph=graph, meta_shacl=True, inference="none")


def test_everything_that_a_shape_refers_to_is_a_shape_in_the_graph() -> None:
    graph = served()
    referred: set[Node] = {node for predicate in REFERRING for node in graph.objects(None, predicate)}
    referred |= {shape for items in graph.objects(None, SH["or"]) for shape in graph.items(items)}
    assert len(referred) > 100
    for node in referred:
        assert {SH.NodeShape, SH.PropertyShape} & set(graph.objects(node, RDF.type)), node
    for shape in graph.subjects(RDF.type, SH.PropertyShape):
        assert len(list(graph.objects(shape, SH.path))) == 1, shape


def test_nothing_of_hydra_is_needed_to_understand_the_shapes() -> None:
    """Its properties may be looked at; nothing is said with them."""
    used = {str(predicate) for predicate in served().predicates()}
    assert not [predicate for predicate in used if "hydra" in predicate]


def test_every_class_has_a_shape_that_finds_its_nodes() -> None:
    graph = served()
    for name, definition in CONTRACT.classes.items():
        shape = URIRef(definition.iri)
        assert (shape, RDF.type, SH.NodeShape) in graph, name
        targets = set(graph.objects(shape, SH.targetClass))
        assert (shape in targets) == (name not in SENT_ALONE), name
        paths = {
            str(graph.value(property_, SH.path))
            for node in (shape, *graph.objects(shape, SH.node))
            for property_ in graph.objects(node, SH.property)
        }
        assert {property_.iri for property_ in definition.properties.values()} <= paths, name
        assert paths, name


def test_a_shape_finds_the_nodes_of_subclasses_in_data_that_tells_of_none() -> None:
    graph = served()
    problems = set(graph.objects(URIRef(f"{VOCAB}Problem"), SH.targetClass))
    assert {URIRef(problem.iri) for problem in CONTRACT.problems.values()} <= problems
    assert URIRef(f"{VOCAB}Entrypoint") in set(graph.objects(URIRef(f"{VOCAB}Service"), SH.targetClass))


def test_every_operation_that_takes_content_has_a_shape_for_it_without_a_target() -> None:
    graph = served()
    for operation in CONTRACT.operations.values():
        shape = URIRef(f"{SHAPES}{operation.name}")
        assert ((shape, RDF.type, SH.NodeShape) in graph) == (operation.expects is not None)
        if operation.expects is not None:
            assert graph.value(shape, RDFS.seeAlso) == URIRef(operation.iri)
            assert graph.value(shape, SH.targetClass) is None
            required = {
                str(graph.value(property_, SH.name))
                for property_ in graph.objects(shape, SH.property)
                if graph.value(property_, SH.minCount)
            }
            properties = CONTRACT.classes[operation.expects].properties.values()
            needed = {it.key for it in properties if it.required} if operation.method != "PATCH" else set()
            assert required == needed, operation.name


def test_every_property_is_named_and_every_class_described_for_people() -> None:
    graph = served()
    for shape in graph.subjects(RDF.type, SH.PropertyShape):
        assert (shape, SH.name, None) in graph or (shape, RDFS.label, None) in graph, shape
    for definition in CONTRACT.classes.values():
        assert (URIRef(definition.iri), RDFS.comment, None) in graph


def test_the_shapes_say_of_classes_what_the_vocabulary_says() -> None:
    graph, vocabulary = served(), CONTRACT.sources.graph
    compared = 0
    for subject, predicate, value in graph:
        own = (
            str(subject).startswith(VOCAB)
            and isinstance(value, URIRef)
            and str(predicate).startswith(str(SH))
        )
        drawn = predicate == SH.targetClass or str(value).startswith(SHAPES)
        if own and not drawn:
            assert (subject, predicate, value) in vocabulary, (subject, predicate, value)
            compared += 1
    assert compared > 200


def test_the_graph_is_what_the_document_says() -> None:
    assert len(served()) == len(shapes_graph(CONTRACT)) + _said_of_the_document()


def _said_of_the_document() -> int:
    """Of the document itself, and which parts it has."""
    return len(list(served().predicate_objects(URIRef(f"{BASE}/shapes"))))


@pytest.mark.parametrize(
    ("handle", "accepted"),
    [
        ("a", True), ("ab", True), ("a-b", True), ("acme-eu", True), ("a" * 30, True), ("a" * 31, False),
        ("", False), ("-a", False), ("a-", False), ("-", False), ("ab--c", False), ("xn--c", False),
        ("a--b", True), ("abc--d", True), ("ab-c", True), ("abc-d", True), ("a1", False), ("A", False),
        ("a.b", False), ("a_b", False), ("é", False), ("a\n", False), ("www", False), ("wwww", True),
        ("postmaster", False), ("aa---bb", False), ("a---b", False),
    ],
)  # fmt: skip
def test_a_handle_is_a_label_of_a_subdomain(handle: str, accepted: bool) -> None:
    """API.md section 3: no hyphen at either end, nor at the third and fourth place together."""
    assert accepts("Instance", "handle", handle) == accepted


def test_every_reserved_handle_could_otherwise_be_one(contract: Contract) -> None:
    shape = contract.classes["Instance"].properties["handle"].shape
    [node] = shape.nodes
    [reserved] = [negated.among for negated in node.negated if negated.among]
    assert {"www", "api", "admin", "mail", "status"} <= reserved
    assert len(reserved) > 500
    for handle in reserved:
        assert [failure.code for failure in shape.failures(handle)] == ["not"]
