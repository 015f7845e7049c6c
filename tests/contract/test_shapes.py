"""What the service enforces is what the published shapes say: pySHACL is the judge."""

from __future__ import annotations

from typing import Any

import pyshacl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rdflib import RDF, BNode, Graph, Literal, URIRef

from app.contract.constraints import NO_STRING
from app.contract.contract import Contract, load_contract
from tests.service import BASE

CONTRACT = load_contract(BASE)
WRITABLE = [
    ("Organization", "name"),
    ("Instance", "name"),
    ("Instance", "handle"),
    ("Instance", "organization_id"),
]
ALPHABET = st.sampled_from("abz-ABC019 _.\n\r\t\u0085\u00a0\u200b\u202e\u2028\ufeffé中𝔘")
TEXTS = st.one_of(
    st.text(ALPHABET, max_size=8),
    st.text(st.sampled_from("ab-"), max_size=33),
    st.text(max_size=300),
    st.sampled_from(
        ["www", "api", "acme-eu", "xn--x", "ab--c", "a-b--c", "a" * 30, "a" * 31, "x" * 255, "x" * 256]
    ),
)


def accepts(class_name: str, key: str, text: str) -> bool:
    return not any(CONTRACT.classes[class_name].properties[key].shape.failures(text))


def shapes(class_name: str, key: str) -> tuple[Graph, URIRef]:
    """The published shapes, with this property's alone as a target, and the property."""
    property_ = CONTRACT.classes[class_name].properties[key]
    graph = Graph()
    graph += CONTRACT.sources.graph
    shape, sh = URIRef(f"{BASE}/vocab#{class_name}-{key}"), "http://www.w3.org/ns/shacl#"
    graph.add((shape, URIRef(sh + "targetSubjectsOf"), URIRef(property_.iri)))
    for other in list(graph.subjects(RDF.type, URIRef(sh + "NodeShape"))):
        graph.remove((other, RDF.type, URIRef(sh + "NodeShape")))
    for class_ in list(graph.subjects(RDF.type, URIRef("http://www.w3.org/2000/01/rdf-schema#Class"))):
        graph.remove((class_, None, None))
    return graph, URIRef(property_.iri)


SHAPES = {pair: shapes(*pair) for pair in WRITABLE}


def conforms(class_name: str, key: str, text: str) -> bool:
    graph, predicate = SHAPES[class_name, key]
    data = Graph()
    data.add((BNode(), predicate, Literal(text)))
    result: Any = pyshacl.validate(data, shacl_graph=graph, inference="none", advanced=False)
    return bool(result[0])


def can_be_a_literal(text: str) -> bool:
    """What is no xsd:string is no string to the service either; pySHACL does not look at it."""
    return NO_STRING.search(text) is None


@pytest.mark.parametrize(("class_name", "key"), WRITABLE)
def test_the_service_and_pyshacl_accept_the_same_values(class_name: str, key: str) -> None:
    @given(TEXTS.filter(can_be_a_literal))
    @example("a\n")
    @example("acme\n")
    @example("01930000-0000-7000-8000-000000000000")
    @example("01930000-0000-7000-8000-000000000000\n")
    @example("01930000-0000-4000-8000-000000000000")
    @example("01930000-0000-7000-8000-00000000000A")
    @settings(max_examples=60, deadline=None)
    def agree(text: str) -> None:
        assert accepts(class_name, key, text) == conforms(class_name, key, text), text

    agree()


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
