"""The vocabulary as a page for people, made of the loaded graph: every term has its place under its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rdflib.namespace import DCTERMS, OWL, RDF, RDFS, VANN
from rdflib.term import Node, URIRef

from app.contract.contract import Contract, in_order, own, subjects, text
from app.contract.definitions import ProblemType
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import by_iri
from app.representation.class_picture import class_picture
from app.representation.forms import SUFFIXES
from app.representation.page_terms import Reference, Term, Terms
from app.representation.pages import page

LANGUAGE = "en"
NAMES = {
    ".jsonld": "JSON-LD",
    ".json": "JSON",
    ".ttl": "Turtle",
    ".nt": "N-Triples",
    ".nq": "N-Quads",
    ".trig": "TriG",
    ".rdf": "RDF/XML",
}


@dataclass(frozen=True)
class Form:
    """Another form of the same document, by the address that has a suffix."""

    name: str
    media_type: str
    address: str


@dataclass(frozen=True)
class Section:
    """`anchor` is not the name of a term."""

    anchor: str
    title: str
    about: str
    terms: Sequence[Term]


def vocabulary_page(contract: Contract) -> bytes:
    """HTML in UTF-8."""
    sources = contract.sources
    ontology = URIRef(f"{sources.base}/vocab")
    named = {
        "title": text(sources, ontology, DCTERMS.title),
        "description": text(sources, ontology, DCTERMS.description),
        "version": text(sources, ontology, OWL.versionInfo),
        "prefix": text(sources, ontology, VANN.preferredNamespacePrefix),
    }
    terms, picture = Terms(contract), class_picture(contract)
    said = {
        name: [terms.reference(it) for it in by_iri(sources.graph.objects(ontology, predicate))]
        for name, predicate in (
            ("Licence", DCTERMS.license),
            ("Made by", DCTERMS.creator),
            ("Published by", DCTERMS.publisher),
        )
    }
    return page(
        "vocabulary.html",
        {
            **named,
            "language": LANGUAGE,
            "address": str(ontology),
            "namespace": sources.namespace,
            "said": {name: references for name, references in said.items() if references},
            "forms": forms(str(ontology)),
            "picture": picture,
            "undrawn": [terms.reference(URIRef(contract.classes[it].iri), it) for it in picture.others],
            "sections": _sections(terms),
            "problems": _problems(terms),
            **_service(contract),
            "documentation": f"{sources.base}/api/docs",
            "problem_types": f"{sources.base}/problems",
        },
    )


def problem_page(contract: Contract, problem: ProblemType) -> bytes:
    """What a problem type says to somebody who has met it."""
    graph, terms = contract.sources.graph, Terms(contract)
    node = URIRef(problem.iri)
    promising = in_order(contract.sources, graph.subjects(HYDRA.possibleStatus, node))
    wider = [terms.reference(it) for it in by_iri(graph.objects(node, RDFS.subClassOf))]
    narrower = [
        terms.reference(it) for it in in_order(contract.sources, graph.subjects(RDFS.subClassOf, node))
    ]
    return page(
        "problem.html",
        {
            "language": LANGUAGE,
            **_service(contract),
            "problem": problem,
            "wider": [_on_page(it, contract) for it in wider],
            "narrower": [_on_page(it, contract) for it in narrower],
            "places": [_on_page(terms.reference(it), contract) for it in promising],
            "forms": forms(problem.iri),
            "problem_types": f"{contract.base}/problems",
            "vocabulary": f"{contract.base}/vocab",
        },
    )


def problems_page(contract: Contract) -> bytes:
    """All problem types."""
    return page(
        "problems.html",
        {
            "language": LANGUAGE,
            **_service(contract),
            "problems": _problems(Terms(contract)),
            "forms": forms(f"{contract.base}/problems"),
            "vocabulary": f"{contract.base}/vocab",
        },
    )


def _service(contract: Contract) -> dict[str, str]:
    """What every page leads back to: the entry point, under the name that the documentation has."""
    [documentation] = subjects(contract.sources, HYDRA.ApiDocumentation)
    name = text(contract.sources, documentation, HYDRA.title)
    return {"home": f"{contract.base}/api", "service": name or "Service"}


def forms(address: str) -> list[Form]:
    return [Form(NAMES[suffix], media_type, address + suffix) for suffix, media_type in SUFFIXES.items()]


def _on_page(reference: Reference, contract: Contract) -> Reference:
    """A term of the vocabulary, from another page."""
    address = reference.address or ""
    whole = f"{contract.base}/vocab{address}" if address.startswith("#") else address
    return Reference(reference.title or reference.name, whole, title=reference.title)


def _problems(terms: Terms) -> list[tuple[Reference, ProblemType]]:
    found = terms.contract.problems.values()
    return [(terms.reference(URIRef(it.iri), it.title), it) for it in found]


def _sections(terms: Terms) -> list[Section]:
    """In this order every term gets its place where a reader looks for it; what is left comes last."""
    found = [*_of_classes(terms), *_of_properties(terms), *_of_values(terms), *_of_operations(terms)]
    rest = [terms.term(it) for it in terms.unclaimed()]
    about = "What is said of classes and collections besides, for reasoners."
    return [*found, Section("section-statements", "Statements", about, rest)] if rest else found


def _of_classes(terms: Terms) -> Iterator[Section]:
    classes = terms.of_type(HYDRA.Class)
    collections = [it for it in classes if (it, HYDRA.memberAssertion, None) in terms.graph]
    about = "What there is, what it says of itself, and what can be done with it."
    found = [terms.class_(it) for it in classes if it not in collections]
    yield Section("section-classes", "Classes", about, found)
    about = "Lists of members, a page at a time."
    found = [terms.class_(it) for it in collections]
    yield Section("section-collections", "Collections", about, found)


def _of_properties(terms: Terms) -> Iterator[Section]:
    properties = [it for it in terms.of_type(OWL.DatatypeProperty, OWL.ObjectProperty) if _is_own(terms, it)]
    about = "What is said, wherever it is said."
    found = [terms.term(it) for it in sorted(properties, key=str)]
    yield Section("section-properties", "Properties", about, found)
    about = "What this service says with terms that others have defined."
    found = [terms.term(it) for it in _foreign(terms)]
    yield Section("section-foreign", "Terms of others", about, found)


def _of_values(terms: Terms) -> Iterator[Section]:
    placed = {*terms.of_type(HYDRA.Class), *terms.of_type(HYDRA.SupportedProperty)}
    shapes = [it for it in terms.of_type(SHACL.NodeShape, SHACL.PropertyShape) if _is_own(terms, it)]
    about = "What a value has to be. Shapes (SHACL) of the same names say it to machines."
    found = [terms.term(it) for it in shapes if it not in placed]
    yield Section("section-values", "Values", about, found)
    about = "What lists understand in their query."
    found = [terms.term(it) for it in terms.of_type(HYDRA.IriTemplate)]
    found += [terms.variable(it) for it in terms.of_type(HYDRA.IriTemplateMapping)]
    yield Section("section-queries", "Queries", about, found)


def _of_operations(terms: Terms) -> Iterator[Section]:
    yield _of_kind(terms, "Role", "roles", "Roles", "Who may carry out an operation.")
    yield _of_kind(
        terms, "ActivityType", "acts", "Acts", "What can be done to something, as activities tell it."
    )
    yield _of_kind(
        terms, "ViolationCode", "codes", "Codes of violations", "What is wrong with content, for machines."
    )
    answers = [terms.term(it) for it in terms.of_type(HYDRA.Status) if _is_own(terms, it)]
    sets = _of_kind(
        terms, "StatusSet", "answers", "Answers", "What an operation may answer with, besides a problem."
    )
    yield replace(sets, terms=[*answers, *sets.terms])


def _of_kind(terms: Terms, class_name: str, anchor: str, title: str, about: str) -> Section:
    """A class that no resource is of, and all that are of it."""
    class_ = own(terms.sources, class_name)
    found = [terms.term(it) for it in (class_, *terms.of_type(class_))]
    return Section(f"section-{anchor}", title, about, found)


def _is_own(terms: Terms, node: Node) -> bool:
    return str(node).startswith(terms.sources.namespace)


def _foreign(terms: Terms) -> list[Node]:
    """Properties of others that classes have, and what else is said of terms of others."""
    graph, ontology = terms.graph, URIRef(f"{terms.sources.base}/vocab")
    supported = set(graph.subjects(RDF.type, HYDRA.SupportedProperty))
    used = {it for node in supported for it in graph.objects(node, HYDRA.property)}
    used |= set(graph.objects(ontology, DCTERMS.references))
    return [it for it in by_iri(used) if not _is_own(terms, it)]
