"""What the page for people says of each term: the graph in words, in the order of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rdflib.namespace import OWL, RDF, RDFS
from rdflib.term import BNode, Literal, Node, URIRef

from app.contract.contract import Contract, in_order, own, stated, statuses, subjects, text
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import by_iri, local_name
from app.representation.page_constraints import ADDRESS, constraints

# The kinds of terms, in words: the first that fits.
KINDS = (
    (OWL.Restriction, "Restriction"),
    (HYDRA.Class, "Class"),
    (RDFS.Class, "Class"),
    (HYDRA.TemplatedLink, "Templated link"),
    (HYDRA.Link, "Link"),
    (OWL.DatatypeProperty, "Datatype property"),
    (OWL.ObjectProperty, "Object property"),
    (HYDRA.SupportedProperty, "Supported property"),
    (HYDRA.Operation, "Operation"),
    (HYDRA.Status, "Status"),
    (HYDRA.IriTemplate, "IRI template"),
    (HYDRA.IriTemplateMapping, "Variable"),
    (SHACL.PropertyShape, "Property shape"),
    (SHACL.NodeShape, "Shape"),
)
# What leads from a term to others, in words.
FACTS = (
    (RDFS.subClassOf, "Kind of"),
    (RDFS.subPropertyOf, "Kind of"),
    (OWL.equivalentClass, "The same as"),
    (OWL.equivalentProperty, "The same as"),
    (OWL.disjointWith, "Never also"),
    (RDFS.domain, "Said of"),
    (RDFS.range, "Its value"),
    (HYDRA.property, "Property"),
    (HYDRA.object, "Object"),
    (OWL.onProperty, "Property"),
    (OWL.allValuesFrom, "All values are"),
    (HYDRA.search, "Query"),
    (HYDRA.mapping, "Variables"),
    (RDFS.seeAlso, "See also"),
)


@dataclass(frozen=True)
class Reference:
    """A term or a page, by its name: `foreign` if it is not this service's. Without an address it is text."""

    name: str
    address: str | None = None
    foreign: bool = False
    title: str | None = None


@dataclass(frozen=True)
class Fact:
    name: str
    values: Sequence[Reference]


@dataclass(frozen=True)
class Term:
    """`anchor` is the fragment of its IRI, or None where the term has its place elsewhere on the page or is
    not one of ours; `notes` are sentences, `code` what only machines read."""

    reference: Reference
    anchor: str | None
    label: str
    comment: str | None
    kind: str
    key: str | None = None
    facts: Sequence[Fact] = ()
    notes: Sequence[str] = ()
    code: Sequence[str] = ()
    many: Sequence[str] = ()
    flags: Sequence[str] = ()
    parts: Sequence[Term] = ()
    operations: Sequence[Term] = ()


@dataclass
class Terms:
    """Gives out each anchor once: where a term is told of first."""

    contract: Contract
    _given: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        sources = self.contract.sources
        self.sources, self.graph = sources, sources.graph
        contexts = [sources.contexts[name].terms.values() for name in ("registry.jsonld", "problem.jsonld")]
        self._keys = {term.iri: term.key for terms in reversed(contexts) for term in terms}
        self._prefixes = sorted(self.graph.namespaces(), key=lambda it: -len(str(it[1])))

    def reference(self, node: Node, name: str | None = None) -> Reference:
        iri = str(node)
        shown = name or self._shortened(iri)
        title = text(self.sources, node, RDFS.label, HYDRA.title)
        if iri.startswith(self.sources.namespace):
            return Reference(shown, f"#{iri.removeprefix(self.sources.namespace)}", title=title)
        if iri == f"{self.sources.base}/vocab" or iri.startswith(f"{self.sources.base}/"):
            return Reference(shown, iri, title=title)
        web = iri.startswith(("http://", "https://"))
        return Reference(shown, iri if web else None, foreign=True)

    def term(self, node: Node, parts: Sequence[Term] = ()) -> Term:
        """With the operations that it supports."""
        notes, code, many = constraints(self.sources, node)
        return Term(
            self.reference(node),
            self._anchor(node),
            text(self.sources, node, RDFS.label, HYDRA.title) or self._shortened(str(node)),
            text(self.sources, node, HYDRA.description, RDFS.comment),
            self._kind(node),
            self._keys.get(str(node)),
            [*self._facts(node), *self._used(node)],
            notes,
            code,
            many,
            parts=parts,
            operations=[self.operation(it) for it in self._ordered(node, HYDRA.supportedOperation)],
        )

    def class_(self, node: Node) -> Term:
        """With its properties, the operations of both and, of a collection, what is true of its members and
        what its query understands."""
        assertions = by_iri(self.graph.objects(node, HYDRA.memberAssertion))
        facts = [Fact("Its members", self._references(it, HYDRA.object)) for it in assertions]
        properties = self._ordered(node, HYDRA.supportedProperty)
        term = self.term(node, [self.supported(it) for it in properties])
        led = [it for property_ in properties for it in self._ordered(property_, HYDRA.supportedOperation)]
        operations = [*term.operations, *map(self.operation, led)]
        return replace(term, facts=[*facts, *term.facts], operations=operations)

    def supported(self, node: Node) -> Term:
        """The label is the JSON key."""
        graph = self.graph
        property_ = next(iter(by_iri(graph.objects(node, HYDRA.property))))
        notes, code, many = constraints(self.sources, node)
        flags = {"required": "required", "writable": "may be sent"}
        said = [word for key, word in flags.items() if text(self.sources, node, HYDRA[key]) == "true"]
        values = [it for it in by_iri(graph.objects(property_, RDFS.range)) if it != HYDRA.Collection]
        shapes = by_iri(graph.objects(node, SHACL.node))
        leads = [Fact("Value", [self.reference(it) for it in (shapes or values)])] if shapes or values else []
        return Term(
            self.reference(property_),
            self._anchor(node),
            text(self.sources, node, HYDRA.title) or "",
            text(self.sources, node, HYDRA.description),
            self._kind(node),
            facts=leads,
            notes=[note for note in notes if not leads or note != ADDRESS],
            code=code,
            many=many,
            flags=said,
        )

    def operation(self, node: Node) -> Term:
        """The key is its method."""
        sources = self.sources
        roles = self._references(node, own(sources, "allowedRole"), by_label=True)
        facts = [Fact("Who", roles)]
        for predicate, word in ((HYDRA.expects, "Expects"), (HYDRA.returns, "Returns")):
            found = [it for it in self.graph.objects(node, predicate) if it != OWL.Nothing]
            facts += [Fact(word, [self.reference(it) for it in by_iri(found)])] if found else []
        for predicate, word in ((HYDRA.expectsHeader, "Reads"), (HYDRA.returnsHeader, "Gives")):
            names = sorted(str(it) for it in stated(sources, node, predicate))
            facts += [Fact(word, [Reference(name) for name in names])] if names else []
        facts.append(Fact("Answers", [self.status(it) for it in statuses(sources, node)]))
        return Term(
            self.reference(node),
            self._anchor(node),
            text(sources, node, HYDRA.title) or "",
            text(sources, node, HYDRA.description),
            "Operation",
            key=text(sources, node, HYDRA.method),
            facts=facts,
        )

    def status(self, node: Node) -> Reference:
        code, title = text(self.sources, node, HYDRA.statusCode), text(self.sources, node, HYDRA.title)
        return self.reference(node, f"{code} {title}")

    def variable(self, node: Node) -> Term:
        """With its name in the query."""
        name = text(self.sources, node, HYDRA.variable) or ""
        term = self.term(node)
        return replace(term, facts=[Fact("In the query", [Reference(name)]), *term.facts])

    def unclaimed(self) -> list[Node]:
        """Terms of ours that have no place yet."""
        own_ = (it for it in by_iri(self.graph.subjects()) if str(it).startswith(self.sources.namespace))
        return [it for it in own_ if str(it) not in self._given]

    def of_type(self, *types: URIRef) -> list[Node]:
        found = (node for type_ in types for node in subjects(self.sources, type_))
        return in_order(self.sources, [node for node in found if not isinstance(node, BNode)])

    def _anchor(self, node: Node) -> str | None:
        iri = str(node)
        if not iri.startswith(self.sources.namespace) or iri in self._given:
            return None
        self._given.add(iri)
        return iri.removeprefix(self.sources.namespace)

    def _kind(self, node: Node) -> str:
        types = set(self.graph.objects(node, RDF.type))
        word = next((word for type_, word in KINDS if type_ in types), None)
        labels = (text(self.sources, type_, RDFS.label) for type_ in by_iri(types))
        return word or next((label for label in labels if label), "Statement")

    def _facts(self, node: Node) -> Iterator[Fact]:
        for predicate, word in (*FACTS, (own(self.sources, "statusesAsIn"), "Includes")):
            found = [it for it in self._ordered(node, predicate) if not isinstance(it, Literal)]
            if found:
                yield Fact(word, [self.reference(it) for it in found])
        answers = sorted(by_iri(self.graph.objects(node, HYDRA.possibleStatus)), key=self._code)
        if answers:
            yield Fact("Answers", [self.status(it) for it in answers])

    def _used(self, node: Node) -> Iterator[Fact]:
        """Where a property stands, a shape is referred to, a variable is understood, a set is included."""
        graph = self.graph
        places = [
            Reference(local_name(class_), self.reference(supported).address)
            for supported in by_iri(graph.subjects(HYDRA.property, node))
            for class_ in by_iri(graph.subjects(HYDRA.supportedProperty, supported))
        ]
        users: Iterable[Node] = (
            it
            for predicate in (SHACL.node, SHACL["not"], own(self.sources, "statusesAsIn"), HYDRA.mapping)
            for it in graph.subjects(predicate, node)
        )
        places += [self.reference(it) for it in by_iri(users)]
        if places:
            yield Fact("Used in", places)

    def _code(self, status: Node) -> str:
        return text(self.sources, status, HYDRA.statusCode) or ""

    def _references(self, node: Node, predicate: URIRef, *, by_label: bool = False) -> list[Reference]:
        found = by_iri(self.graph.objects(node, predicate))
        return [self.reference(it, text(self.sources, it, RDFS.label) if by_label else None) for it in found]

    def _ordered(self, node: Node, predicate: URIRef) -> list[Node]:
        return in_order(self.sources, self.graph.objects(node, predicate))

    def _shortened(self, iri: str) -> str:
        if iri.startswith(self.sources.namespace):
            return iri.removeprefix(self.sources.namespace)
        if iri.startswith(f"{self.sources.base}/"):
            return iri.removeprefix(self.sources.base)
        for prefix, namespace in self._prefixes:
            if prefix and iri.startswith(str(namespace)):
                return f"{prefix}:{iri.removeprefix(str(namespace))}"
        return iri
