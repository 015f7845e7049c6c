"""Contract: everything that `vocab/` and `contexts/` promise, checked once and then only looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rdflib.namespace import OWL, RDF, RDFS
from rdflib.term import Node, URIRef

from app.contract.constraints import read_alternatives, read_shape
from app.contract.definitions import ClassDefinition, Operation, ProblemType, Property, Variable
from app.contract.namespaces import HYDRA, SHACL
from app.contract.publication import Publication, publish
from app.contract.sources import ROOT, Sources, as_iri, by_iri, local_name, read_sources

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
NOTHING_SAID = Publication()


@dataclass(frozen=True, eq=False)
class Contract:
    """`promises` are the operations by method of each class, and of each link that leads to one address; of
    a supported property, where a link of several classes has them for one of these alone.

    `ranges` are the classes of what links lead to, `acts` the words for the types of activities, `components`
    the local names of SHACL's constraint components by the codes of violations that say the same.
    """

    sources: Sources
    classes: Mapping[str, ClassDefinition]
    promises: Mapping[str, Mapping[str, Operation]]
    problems: Mapping[str, ProblemType]
    ranges: Mapping[str, str]
    acts: Mapping[str, str]
    components: Mapping[str, str]

    def class_of(self, promise: str) -> ClassDefinition:
        """The class of what is at an address with this promise: itself or, for a link, its range."""
        return self.classes[self.ranges.get(promise, promise)]

    @cached_property
    def base(self) -> str:
        return self.sources.base

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """By name."""
        return {it.name: it for promised in self.promises.values() for it in promised.values()}

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The IRIs of the properties in data, by JSON key."""
        properties = {it.iri for class_ in self.classes.values() for it in class_.properties.values()}
        terms = self.sources.contexts["registry.jsonld"].terms.values()
        return {term.key: term.iri for term in terms if term.iri in properties}


def load_contract(base: str, root: Path = ROOT, publication: Publication = NOTHING_SAID) -> Contract:
    """Read and check. Raises `ContractFault`, whose one line names the file and the term."""
    sources = read_sources(base, root)
    publish(sources, publication)
    problems = {problem.name: problem for problem in _read_problems(sources)}
    classes = {
        local_name(node): _read_class(sources, node)
        for node in in_order(sources, subjects(sources, HYDRA.Class))
    }
    promises = {name: definition.operations for name, definition in classes.items()}
    ranges = {}
    for link in (*subjects(sources, HYDRA.Link), *subjects(sources, HYDRA.TemplatedLink)):
        promises[local_name(link)] = _read_operations(sources, link)
        ranges.update({local_name(link): range_ for range_ in _own_ranges(sources, link)})
    for supported in subjects(sources, HYDRA.SupportedProperty):
        promised = _read_operations(sources, supported)
        if promised:
            link = _needed_node(sources, supported, HYDRA.property)
            promises[local_name(supported)] = promised
            ranges.update({local_name(supported): range_ for range_ in _own_ranges(sources, link)})
    acts, components = dict(_read_acts(sources)), dict(_read_components(sources))
    return Contract(sources, classes, promises, problems, ranges, acts, components)


def _own_ranges(sources: Sources, link: Node) -> list[str]:
    """Where it leads: the classes of its values or, where these are no resources of ours, of what a GET of
    it comes to."""
    graph = sources.graph
    operations = by_iri(graph.objects(link, HYDRA.supportedOperation))
    ranges = by_iri(graph.objects(link, RDFS.range))
    returned = [node for operation in operations for node in by_iri(graph.objects(operation, HYDRA.returns))]
    for found in (ranges, returned):
        names = [local_name(node) for node in found if str(node).startswith(sources.namespace)]
        if names:
            return names
    return []


def _read_acts(sources: Sources) -> Iterator[tuple[str, str]]:
    for node in subjects(sources, own(sources, "ActivityType")):
        yield local_name(_needed(sources, node, RDFS.seeAlso)), _needed(sources, node, RDFS.label)


def _read_components(sources: Sources) -> Iterator[tuple[str, str]]:
    for node in subjects(sources, own(sources, "ViolationCode")):
        component = text(sources, node, RDFS.seeAlso)
        if component is not None:
            yield _needed(sources, node, RDFS.label), local_name(component)


def subjects(sources: Sources, class_: URIRef) -> list[Node]:
    return by_iri(sources.graph.subjects(RDF.type, class_))


def in_order(sources: Sources, nodes: object) -> list[Node]:
    """By `sh:order`, then by IRI: the same in every process."""

    def order(node: Node) -> tuple[float, str]:
        value = sources.graph.value(node, SHACL.order)
        return (float(str(value)) if value is not None else float("inf"), str(node))

    return sorted(set(nodes), key=order)  # type: ignore[call-overload]  # rdflib's generators are of Node


def text(sources: Sources, subject: Node, *predicates: URIRef) -> str | None:
    """The first of these that is there."""
    values = (sources.graph.value(subject, predicate) for predicate in predicates)
    return next((str(value) for value in values if value is not None), None)


def _needed(sources: Sources, subject: Node, predicate: URIRef) -> str:
    value = text(sources, subject, predicate)
    if value is None:
        raise sources.fault(subject, f"it has no {predicate.n3(sources.graph.namespace_manager)}")
    return value


def _flag(sources: Sources, subject: Node, predicate: URIRef) -> bool:
    return _needed(sources, subject, predicate) == "true"


def _read_problems(sources: Sources) -> Iterator[ProblemType]:
    for node in in_order(
        sources, sources.graph.transitive_subjects(RDFS.subClassOf, as_iri(own(sources, "Problem")))
    ):
        if local_name(node) == "Problem":
            continue
        status, title, description = (
            _needed(sources, node, predicate)
            for predicate in (HYDRA.statusCode, HYDRA.title, HYDRA.description)
        )
        yield ProblemType(local_name(node), str(node), int(status), title, description)


def own(sources: Sources, name: str) -> URIRef:
    return URIRef(sources.namespace + name)


def _read_class(sources: Sources, node: Node) -> ClassDefinition:
    properties = {}
    for supported in in_order(sources, sources.graph.objects(node, HYDRA.supportedProperty)):
        property_ = _read_property(sources, supported)
        properties[property_.key] = property_
    keys = {property_.iri: property_.key for property_ in properties.values()}
    assertion = sources.graph.value(node, HYDRA.memberAssertion)
    member = sources.graph.value(assertion, HYDRA.object) if assertion is not None else None
    return ClassDefinition(
        local_name(node),
        str(node),
        properties,
        _read_operations(sources, node),
        _needed(sources, node, RDFS.label),
        local_name(member) if member is not None else None,
        _most(sources, node),
        tuple(_read_variables(sources, sources.graph.value(node, HYDRA.search))),
        tuple(keys[path] for path in read_alternatives(sources, node, keys)),
    )


def _most(sources: Sources, class_: Node) -> int | None:
    operations = in_order(sources, sources.graph.objects(class_, HYDRA.supportedOperation))
    found = (text(sources, operation, own(sources, "mostMembers")) for operation in operations)
    return next((int(most) for most in found if most is not None), None)


def _read_property(sources: Sources, node: Node) -> Property:
    iri = as_iri(_needed_node(sources, node, HYDRA.property))
    kinds = set(sources.graph.objects(iri, RDF.type))
    return Property(
        key=_needed(sources, node, HYDRA.title),
        iri=str(iri),
        required=_flag(sources, node, HYDRA.required),
        readable=_flag(sources, node, HYDRA.readable),
        writable=_flag(sources, node, HYDRA.writable),
        ignored=text(sources, node, own(sources, "ignoredInRequests")) == "true",
        link=bool(kinds & {HYDRA.Link, HYDRA.TemplatedLink}),
        shape=read_shape(sources, node),
        promise=_promise(sources, node, iri),
        same_as=tuple(_same(sources, iri)),
    )


def _same(sources: Sources, property_: URIRef) -> list[str]:
    """Whichever of the two it is said of (OWL 2 section 9.2.2)."""
    stated_here = sources.graph.objects(property_, OWL.equivalentProperty)
    stated_there = sources.graph.subjects(OWL.equivalentProperty, property_)
    return [str(node) for node in by_iri((*stated_here, *stated_there))]


def _promise(sources: Sources, supported: Node, link: URIRef) -> str | None:
    """The supported property or the link, if it has operations of its own; otherwise the range, if that is a
    class of ours."""
    for node in (supported, link):
        if (node, HYDRA.supportedOperation, None) in sources.graph:
            return local_name(node)
    return next(iter(_own_ranges(sources, link)), None)


def _needed_node(sources: Sources, subject: Node, predicate: URIRef) -> Node:
    _needed(sources, subject, predicate)
    value = sources.graph.value(subject, predicate)
    assert value is not None  # noqa: S101 - the line above
    return value


def _read_operations(sources: Sources, owner: Node) -> dict[str, Operation]:
    nodes = in_order(sources, sources.graph.objects(owner, HYDRA.supportedOperation))
    operations = [_read_operation(sources, node) for node in nodes]
    return {operation.method: operation for operation in operations}


def _read_operation(sources: Sources, node: Node) -> Operation:
    method = _needed(sources, node, HYDRA.method)
    if method not in METHODS:
        raise sources.fault(node, f"{method} is not a method of this service")
    allowed = sorted(map(str, sources.graph.objects(node, own(sources, "allowedRole"))))
    roles = {local_name(role): text(sources, URIRef(role), RDFS.label) for role in allowed}
    if not roles:
        raise sources.fault(node, "it does not say who may carry it out")
    expects = text(sources, node, HYDRA.expects)
    if (expects is None) != (method in ("GET", "DELETE")):
        raise sources.fault(
            node, f"a {method} {'expects nothing' if expects else 'has to say what it expects'}"
        )
    return Operation(
        name=local_name(node),
        iri=str(node),
        method=method,
        title=_needed(sources, node, HYDRA.title),
        expects=local_name(expects) if expects else None,
        returns=_needed(sources, node, HYDRA.returns),
        roles=frozenset(roles),
        statuses=frozenset(
            int(_needed(sources, status, HYDRA.statusCode)) for status in statuses(sources, node)
        ),
        role_labels=tuple(label or name for name, label in roles.items()),
    )


def statuses(sources: Sources, node: Node) -> list[Node]:
    """The possible statuses of an operation."""
    found = stated(sources, node, HYDRA.possibleStatus)
    if not found:
        raise sources.fault(node, "it has no possible status")
    return sorted(found, key=lambda status: (text(sources, status, HYDRA.statusCode) or "", str(status)))


def stated(sources: Sources, node: Node, predicate: URIRef) -> set[Node]:
    """What is said of an operation and in the sets that it refers to."""
    found = set(sources.graph.objects(node, predicate))
    for shared in sources.graph.objects(node, own(sources, "statusesAsIn")):
        found |= stated(sources, shared, predicate)
    return found


def _read_variables(sources: Sources, search: Node | None) -> Iterator[Variable]:
    keys = {
        term.iri: key for key, term in sources.contexts["registry.jsonld"].terms.items() if ":" in term.iri
    }
    for mapping in in_order(sources, sources.graph.objects(search, HYDRA.mapping)) if search else []:
        iri = _needed(sources, mapping, HYDRA.property)
        minimum, maximum, default = (
            sources.graph.value(mapping, predicate)
            for predicate in (SHACL.minInclusive, SHACL.maxInclusive, SHACL.defaultValue)
        )
        yield Variable(
            name=_needed(sources, mapping, HYDRA.variable),
            meaning=local_name(iri),
            key=None if iri.startswith(str(HYDRA)) else keys.get(iri),
            required=_flag(sources, mapping, HYDRA.required),
            minimum=int(str(minimum)) if minimum is not None else None,
            maximum=int(str(maximum)) if maximum is not None else None,
            default=str(default) if default is not None else None,
        )
