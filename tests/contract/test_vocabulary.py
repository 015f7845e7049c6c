"""The vocabulary is worth loading: nothing undefined, nothing unsaid, nothing that contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from owlrl import DeductiveClosure, OWLRL_Semantics
from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import (
    DCTERMS,
    ORG,
    OWL,
    PROV,
    RDF,
    RDFS,
    SDO,
    SH,
    SKOS,
    VANN,
    VOID,
    XSD,
    DefinedNamespace,
)
from rdflib.term import Node

from app.contract.contract import Contract, load_contract
from app.contract.documentation import vocabulary
from app.contract.publication import Publication
from app.contract.sources import ROOT
from app.representation.forms import N_TRIPLES, TURTLE
from app.representation.writing import Writers
from tests.promises import CONTRACT
from tests.service import BASE, Service, World

pytestmark = pytest.mark.anyio

VOCAB = f"{BASE}/vocab#"
ONTOLOGY = URIRef(f"{BASE}/vocab")
HYDRA = "http://www.w3.org/ns/hydra/core#"
AS = "https://www.w3.org/ns/activitystreams#"
AS_TERMS = {
    *("Activity", "Create", "Update", "Delete", "Move", "Add", "Remove", "Offer", "Tombstone"),
    *("actor", "object", "published", "summary", "formerType", "deleted"),
}
CLOSED: tuple[type[DefinedNamespace], ...] = (
    DCTERMS,
    ORG,
    OWL,
    PROV,
    RDF,
    RDFS,
    SDO,
    SH,
    SKOS,
    VANN,
    VOID,
    XSD,
)
FORMATS = "http://www.w3.org/ns/formats/"
FORMAT_TERMS = {"Format", "media_type", "JSON-LD", "Turtle", "N-Triples", "N-Quads", "TriG", "RDF_XML"}
HYDRA_FILE = Path(__file__).parent / "data/hydra-core.jsonld"
# What owlrl adds for what cannot be.
ERROR = URIRef("http://www.daml.org/2002/03/agents/agent-ont#error")
FILES = sorted((ROOT / "vocab").glob("*.ttl"))


def own_terms(graph: Graph) -> list[Node]:
    return sorted({it for it in graph.subjects() if str(it).startswith(VOCAB)}, key=str)


@pytest.fixture(scope="module")
def hydra() -> Graph:
    graph = Graph()
    graph.parse(data=HYDRA_FILE.read_text(), format="json-ld")
    return graph


def closed(*graphs: Graph) -> Graph:
    """Everything that follows by the rules of OWL 2 RL."""
    graph = Graph()
    for each in graphs:
        graph += each
    DeductiveClosure(OWLRL_Semantics, axiomatic_triples=True, datatype_axioms=True).expand(graph)
    return graph


def contradictions(graph: Graph) -> list[str]:
    impossible = [f"{it} is nothing" for it in graph.subjects(RDF.type, OWL.Nothing) if it != OWL.Nothing]
    nowhere = [f"nothing is {it}" for it in graph.subjects(RDFS.subClassOf, OWL.Nothing) if it != OWL.Nothing]
    return [*map(str, graph.objects(None, ERROR)), *impossible, *nowhere]


def test_the_ontology_says_what_it_is() -> None:
    graph = CONTRACT.sources.graph
    for predicate in (DCTERMS.title, DCTERMS.description, OWL.versionInfo):
        [value] = graph.objects(ONTOLOGY, predicate)
        assert str(value)
    assert set(graph.objects(ONTOLOGY, VANN.preferredNamespacePrefix)) == {Literal("registry")}
    assert set(graph.objects(ONTOLOGY, VANN.preferredNamespaceUri)) == {Literal(VOCAB, datatype=XSD.anyURI)}
    assert (ONTOLOGY, RDF.type, OWL.Ontology) in graph


def test_a_deployment_says_under_which_licence_and_by_whom_it_is_published() -> None:
    unsaid = CONTRACT.sources.graph
    said = {
        DCTERMS.license: "https://creativecommons.org/licenses/by/4.0/",
        DCTERMS.creator: "https://maker.example/#team",
        DCTERMS.publisher: "https://publisher.example/",
    }
    contract = load_contract(BASE, publication=Publication(*said.values()))
    served = Graph()
    content = Writers(contract).documentation.write(vocabulary(contract), TURTLE)
    served.parse(data=content, format="turtle")
    for predicate, iri in said.items():
        assert (ONTOLOGY, predicate, None) not in unsaid
        assert set(served.objects(ONTOLOGY, predicate)) == {URIRef(iri)}


@pytest.mark.parametrize("term", own_terms(CONTRACT.sources.graph), ids=lambda it: str(it)[len(VOCAB) :])
def test_every_term_says_what_it_means(term: Node) -> None:
    graph = CONTRACT.sources.graph
    types = set(graph.objects(term, RDF.type))
    names = {*graph.objects(term, RDFS.label), *graph.objects(term, URIRef(f"{HYDRA}title"))}
    meanings = {*graph.objects(term, RDFS.comment), *graph.objects(term, URIRef(f"{HYDRA}description"))}
    assert len(names) == 1
    assert len(meanings) == 1
    assert all(str(it).strip() == str(it) != "" for it in names | meanings)
    assert set(graph.objects(term, RDFS.isDefinedBy)) == {ONTOLOGY}
    if RDF.Property in types:
        assert len(types & {OWL.DatatypeProperty, OWL.ObjectProperty}) == 1
        shaped = set(graph.subjects(SH.path, term)) | set(graph.subjects(URIRef(f"{HYDRA}property"), term))
        assert set(graph.objects(term, RDFS.domain)) or shaped
        values = set(graph.objects(term, RDFS.range))
        assert values
        assert {str(it).startswith(str(XSD)) for it in values} == {OWL.DatatypeProperty in types}
    if RDFS.Class in types:
        assert OWL.Class in types


@pytest.mark.parametrize("file", FILES, ids=lambda it: it.name)
def test_every_file_can_be_loaded_on_its_own_and_says_where_its_terms_are_defined(file: Path) -> None:
    """By rdflib and pyoxigraph alike; not only what is served of them."""
    graph = Graph()
    graph.parse(file, format="turtle", publicID=f"{BASE}/vocab")
    content = file.read_bytes()
    assert len(set(ox.parse(content, format=ox.RdfFormat.TURTLE, base_iri=f"{BASE}/vocab"))) == len(graph)
    assert any(str(subject).startswith(BASE) for subject in graph.subjects())
    for term in own_terms(graph):
        assert (term, RDFS.isDefinedBy, ONTOLOGY) in graph
    used = content.decode().split("\n")
    for prefix in (line.split()[1] for line in used if line.startswith("@prefix")):
        assert any(prefix in line for line in used if not line.startswith("@prefix")), prefix


def foreign_terms(graph: Graph) -> Iterator[URIRef]:
    for triple in graph:
        for node in triple:
            if isinstance(node, URIRef) and not node.startswith(BASE):
                yield node
            if isinstance(node, Literal) and node.datatype is not None:
                yield node.datatype


def test_every_term_of_others_is_one_that_they_have_defined(hydra: Graph) -> None:
    """By rdflib's lists and Hydra's own; of schema.org in both spellings of its namespace."""
    unknown = set()
    for term in set(foreign_terms(CONTRACT.sources.graph)):
        iri = str(term).replace("http://schema.org/", str(SDO))
        namespace = next((it for it in CLOSED if iri.startswith(str(it))), None)
        if namespace is not None:
            known = iri.removeprefix(str(namespace)) in namespace
        elif iri.startswith(HYDRA):
            known = (URIRef(iri), None, None) in hydra
        else:
            known = iri.removeprefix(AS) in AS_TERMS or iri.removeprefix(FORMATS) in FORMAT_TERMS
        unknown |= set() if known else {iri}
    assert unknown == set()


@pytest.fixture(scope="module")
async def data(on_sqlite: tuple[Service, World]) -> Graph:
    """Every kind of resource, as an owner reads it."""
    service, world = on_sqlite
    graph = Graph()
    paths = ["/api", "/api/organizations", "/api/instances", "/api/activities", *world.examples.values()]
    for path in paths:
        answer = await service.as_("owner").get(path, headers={"Accept": N_TRIPLES})
        assert answer.status_code == 200
        graph.parse(data=answer.content, format="nt")
    return graph


@pytest.fixture(scope="module")
def conclusions(data: Graph, hydra: Graph) -> Graph:
    """What follows from the vocabulary, Hydra's and the data together; and so from each of them alone."""
    return closed(CONTRACT.sources.graph, hydra, data)


async def test_what_follows_from_it_does_not_contradict_itself(conclusions: Graph) -> None:
    assert contradictions(conclusions) == []
    # It was reasoned at all; and it does not follow that everything is the same.
    for conclusion in (
        (URIRef(f"{VOCAB}handle"), RDFS.subPropertyOf, SDO.identifier),
        (URIRef(f"{BASE}/problems/handle-taken"), RDFS.subClassOf, URIRef(f"{HYDRA}Error")),
    ):
        assert conclusion in conclusions
    same = {(a, b) for a, b in conclusions.subject_objects(OWL.sameAs) if a != b and str(a).startswith(BASE)}
    assert same == set()
    classes = [it for it in own_terms(CONTRACT.sources.graph) if (it, RDF.type, RDFS.Class) in conclusions]
    classes = [it for it in classes if (it, RDF.type, OWL.Restriction) not in conclusions]
    assert len(classes) > 20
    for class_ in classes:
        equivalent = set(conclusions.objects(class_, OWL.equivalentClass)) & set(classes)
        assert equivalent == {class_}


async def test_no_resource_is_taken_for_something_else(conclusions: Graph, data: Graph) -> None:
    """What follows for what was read is what it says of itself, and no more."""
    served = {it for it in data.subjects() if str(it).startswith(f"{BASE}/api")}
    assert len(served) > 20
    for class_name in ("Organization", "Instance", "Member", "Partner", "Authorization", "Activity"):
        class_ = URIRef(VOCAB + class_name)
        said = {it for it in data.subjects(RDF.type, class_) if it in served}
        assert said
        described = {it for it in conclusions.subjects(RDF.type, class_) if (it, RDF.type, None) in data}
        assert described == said


def test_a_contradiction_would_be_noticed() -> None:
    wrong = Graph()
    x, y, z = (URIRef(f"{BASE}/{name}") for name in "xyz")
    for name in ("Organization", "Instance"):
        wrong.add((x, RDF.type, URIRef(VOCAB + name)))
    wrong.add((y, URIRef(f"{VOCAB}partner"), z))
    wrong.add((z, RDF.type, URIRef(f"{VOCAB}Activity")))
    found = contradictions(closed(CONTRACT.sources.graph, wrong))
    assert [it for it in found if str(x) in it]
    assert [it for it in found if str(z) in it]


def test_every_statement_of_the_files_is_served(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """About the ontology, its terms, and terms of others; the JSON-LD and the Turtle say the same."""
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)  # as they are written
    served = Graph()
    content = Writers(contract).documentation.write(vocabulary(contract), TURTLE)
    served.parse(data=content, format="turtle")
    for subject, predicate, value in contract.sources.graph:
        others = not str(subject).startswith(f"{BASE}/vocab") and str(subject).startswith(
            (f"{BASE}/", FORMATS)
        )
        if others or isinstance(subject, BNode):
            continue
        if isinstance(value, BNode):
            [again] = served.objects(subject, predicate)
            assert list(served.items(again)) == list(contract.sources.graph.items(value))
        else:
            assert (subject, predicate, value) in served
