"""What the files of the contract must agree upon among themselves. A fault stops the start."""

from __future__ import annotations

from rdflib.namespace import DCTERMS, RDF, RDFS, XSD
from rdflib.term import Node, URIRef

from app.contract.contract import Contract, own
from app.contract.faults import ContractFault
from app.contract.namespaces import HYDRA
from app.contract.pins import check_pins
from app.contract.sources import CONTEXTS_FOLDER, Context, Sources, Term, by_iri, local_name

DATA, PROBLEM = "registry.jsonld", "problem.jsonld"
PROBLEM_CLASSES = {
    *("Problem", "Violation", "Representation", "Tombstone"),
    *("ValidationReport", "ValidationResult"),
}
# What JSON has values of its own for.
NATIVE = {str(datatype) for datatype in (XSD.string, XSD.integer, XSD.boolean)}


def check_contract(contract: Contract) -> None:
    """Raises `ContractFault` for the first disagreement."""
    sources = contract.sources
    for name in (DATA, PROBLEM, "documentation.jsonld", "catalog.jsonld"):
        if name not in sources.contexts:
            raise ContractFault(f"{CONTEXTS_FOLDER}/{name}", "@context", "there is no such file")
    check_pins(sources)
    _check_described(sources)
    _check_labels(sources)
    _check_operations(contract)
    for context in sources.contexts.values():
        for term in context.terms.values():
            _check_term(sources, context, term)
    for definition in contract.classes.values():
        context = sources.contexts[PROBLEM if definition.name in PROBLEM_CLASSES else DATA]
        for key in definition.properties:
            _check_key(contract, definition.name, key, context)


def _check_described(sources: Sources) -> None:
    """Who finds a context is told what it is for."""
    for name in sources.contexts:
        node = URIRef(f"{sources.base}/{CONTEXTS_FOLDER}/{name}")
        for predicate in (DCTERMS.title, DCTERMS.description):
            if (node, predicate, None) not in sources.graph:
                said = local_name(predicate)
                raise ContractFault(
                    f"{CONTEXTS_FOLDER}/{name}", "@context", f"no file in vocab gives it a {said}"
                )


def _check_labels(sources: Sources) -> None:
    for subject in by_iri(sources.graph.subjects()):
        if str(subject).startswith(sources.namespace) and not _is_labelled(sources, subject):
            raise sources.fault(subject, "it has neither label nor title")


def _is_labelled(sources: Sources, subject: Node) -> bool:
    labels = (RDFS.label, HYDRA.title, HYDRA.variable, HYDRA.mapping)
    return any((subject, label, None) in sources.graph for label in labels)


def _check_operations(contract: Contract) -> None:
    sources = contract.sources
    roles = {local_name(role) for role in sources.graph.subjects(RDF.type, own(sources, "Role"))}
    for operations in contract.promises.values():
        for operation in operations.values():
            node = URIRef(operation.iri)
            unknown = sorted(operation.roles - roles)
            if unknown:
                raise sources.fault(node, f"{unknown[0]} is not a role")
            if operation.expects is not None and operation.expects not in contract.classes:
                raise sources.fault(node, f"it expects {operation.expects}, which is not a supported class")


def _check_term(sources: Sources, context: Context, term: Term) -> None:
    """Terms of our own are described, and their keys are their local names."""
    if not term.iri.startswith(sources.namespace) or term.iri == sources.namespace:
        return
    file = f"contexts/v1/{context.name}"
    if (URIRef(term.iri), None, None) not in sources.graph:
        raise ContractFault(
            file, term.key, f"it stands for {sources.shorten(URIRef(term.iri))}, which no file describes"
        )
    if local_name(term.iri) != term.key:
        raise ContractFault(
            file, term.key, f"it is not the local name of {sources.shorten(URIRef(term.iri))}"
        )


def _check_key(contract: Contract, class_name: str, key: str, context: Context) -> None:
    property_ = contract.classes[class_name].properties[key]
    file, term = f"contexts/v1/{context.name}", context.terms.get(key)
    if term is None:
        raise ContractFault(file, key, f"{class_name} has this property, but there is no such term")
    if term.iri != property_.iri:
        raise ContractFault(
            file, key, f"it stands for {term.iri}, but for {class_name} it is {property_.iri}"
        )
    value_type = property_.shape.value_type
    wanted = value_type if value_type not in NATIVE else None
    if property_.link or property_.shape.links:
        # A term's value may also be a key.
        wanted = "@vocab" if term.coercion == "@vocab" else "@id"
    if wanted is not None and term.coercion != wanted:
        raise ContractFault(
            file,
            key,
            f"values of {class_name} are {wanted}, but the term reads them as {term.coercion or 'text'}",
        )
    if value_type and wanted is None and term.coercion is not None:
        raise ContractFault(
            file, key, f"values of {class_name} are {value_type}, but the term reads them as {term.coercion}"
        )
