"""What the contract says of an operation beside what a request needs, for those who describe it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rdflib.namespace import DCTERMS, OWL, RDF, RDFS, SKOS, XSD
from rdflib.term import Literal, Node, URIRef

from app.contract.contract import Contract, own, stated, statuses, subjects, text
from app.contract.definitions import Operation
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import by_iri, local_name

# What these speak of is the method, so that no operation can answer with them.
OF_METHODS = {"method-not-allowed", "not-implemented"}
# Whatever needs no database may be too busy nevertheless.
OF_EVERYTHING = {"unavailable"}
DOCUMENT = "EveryDocument"


@dataclass(frozen=True)
class Status:
    """`name` is that of a problem type, or of a status that is no problem."""

    name: str
    code: int
    title: str
    description: str
    problem: bool


@dataclass(frozen=True)
class Field:
    """A header field: what it says, and what it looks like."""

    name: str
    description: str
    numeric: bool
    pattern: str | None
    examples: Sequence[object]


@dataclass(frozen=True)
class Described:
    """`title` and `description` of what is published; empty where nothing is said."""

    title: str
    description: str


def description(contract: Contract, operation: Operation) -> str:
    return text(contract.sources, URIRef(operation.iri), HYDRA.description) or ""


def who(contract: Contract, operation: Operation) -> list[Described]:
    """The roles, as the vocabulary explains them."""
    roles = [own(contract.sources, name) for name in sorted(operation.roles)]
    return [_described(contract, role, RDFS.label, RDFS.comment) for role in roles]


def possible(contract: Contract, operation: Operation) -> list[Status]:
    """The statuses that the operation names."""
    return _statuses(contract, URIRef(operation.iri))


def of_documents(contract: Contract) -> list[Status]:
    """The statuses of what is published for anybody, and of which no operation is told."""
    ok = _status(contract, own(contract.sources, "ok"))
    return [ok, *_statuses(contract, own(contract.sources, DOCUMENT))]


def of_every_request(contract: Contract) -> list[Status]:
    """The statuses that the documentation names once for all operations, and no operation again."""
    [node] = subjects(contract.sources, HYDRA.ApiDocumentation)
    named = {it.name for operation in contract.operations.values() for it in possible(contract, operation)}
    return [
        status
        for status in _statuses(contract, node)
        if status.name in OF_EVERYTHING or status.name not in named | OF_METHODS
    ]


def status(contract: Contract, name: str) -> Status:
    """Of a status that is no problem, or of a problem type."""
    problem = contract.problems.get(name)
    return _status(contract, URIRef(problem.iri) if problem else own(contract.sources, name))


def fields(contract: Contract, operation: Operation | None, *, sent: bool) -> list[str]:
    """The names of the header fields that an operation takes, if `sent`, or gives; without one, those of a
    document."""
    node = URIRef(operation.iri) if operation else own(contract.sources, DOCUMENT)
    predicate = HYDRA.expectsHeader if sent else HYDRA.returnsHeader
    return sorted(str(name) for name in stated(contract.sources, node, predicate))


def known_fields(contract: Contract) -> list[Field]:
    """The header fields that the vocabulary describes."""
    sources = contract.sources
    return [
        Field(
            name=str(text(sources, node, RDFS.label)),
            description=str(text(sources, node, RDFS.comment)),
            numeric=text(sources, node, SHACL.datatype) == str(XSD.integer),
            pattern=text(sources, node, SHACL.pattern),
            examples=[_value(value) for value in by_iri(sources.graph.objects(node, SKOS.example))],
        )
        for node in subjects(sources, own(sources, "HeaderField"))
    ]


def service(contract: Contract) -> Described:
    """As the ApiDocumentation calls it."""
    [node] = subjects(contract.sources, HYDRA.ApiDocumentation)
    return _described(contract, node, HYDRA.title, HYDRA.description)


def version(contract: Contract) -> str:
    return str(text(contract.sources, URIRef(f"{contract.base}/vocab"), OWL.versionInfo))


def license_(contract: Contract) -> str | None:
    """The IRI of the licence that the deployment names."""
    return text(contract.sources, URIRef(f"{contract.base}/vocab"), DCTERMS.license)


def published(contract: Contract, path: str) -> Described:
    """What is at a path; what is below one, where a variable stands at its end."""
    node = URIRef(contract.base + path.partition("{")[0])
    return _described(contract, node, DCTERMS.title, DCTERMS.description)


def class_(contract: Contract, name: str) -> Described:
    node = URIRef(contract.classes[name].iri)
    return _described(contract, node, RDFS.label, RDFS.comment)


def variable(contract: Contract, promise: str, name: str) -> str:
    """What a variable of a collection's search means."""
    graph = contract.sources.graph
    search = graph.value(URIRef(contract.class_of(promise).iri), HYDRA.search)
    found = (
        it
        for it in graph.objects(search, HYDRA.mapping)
        if text(contract.sources, it, HYDRA.variable) == name
    )
    mapping = next(found)
    said = (text(contract.sources, mapping, predicate) for predicate in (RDFS.label, RDFS.comment))
    return ". ".join(filter(None, said))


def _value(example: Node) -> object:
    return example.toPython() if isinstance(example, Literal) else str(example)


def _described(contract: Contract, node: Node, title: URIRef, told: URIRef) -> Described:
    sources = contract.sources
    return Described(text(sources, node, title) or "", text(sources, node, told) or "")


def _statuses(contract: Contract, node: Node) -> list[Status]:
    return [_status(contract, it) for it in _by_code(contract, statuses(contract.sources, node))]


def _by_code(contract: Contract, nodes: Iterable[Node]) -> list[Node]:
    return sorted(by_iri(nodes), key=lambda it: int(text(contract.sources, it, HYDRA.statusCode) or 0))


def _status(contract: Contract, node: Node) -> Status:
    sources = contract.sources
    told = _described(contract, node, HYDRA.title, HYDRA.description)
    name, code = local_name(node), int(text(sources, node, HYDRA.statusCode) or 0)
    problem = (node, RDF.type, OWL.Class) in sources.graph
    return Status(name, code, told.title, told.description, problem)
