"""pySHACL, asked about many nodes at once: a graph costs it as much as a node does."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Any, NamedTuple

import pyoxigraph as ox
import pyshacl
from rdflib import Graph
from rdflib.namespace import RDF, SH, XSD
from rdflib.term import BNode, Literal, Node, URIRef

from tests.service import BASE
from tests.test_graphs import inlined

Documents = Mapping[str, Mapping[str, Any]]


class Result(NamedTuple):
    """Of a validation: which node is at fault, in which property, in what, and why."""

    focus: str
    path: str | None
    component: str
    message: str


class Shapes(Graph):
    """pySHACL reads a list, such as that of the reserved handles, anew for each value: here it is kept."""

    def __init__(self, shapes: Graph) -> None:
        super().__init__(bind_namespaces="none")
        self._lists: dict[Node, list[Node]] = {}
        self += shapes

    def items(self, list: Node) -> Generator[Node, None, None]:  # noqa: A002 - rdflib's own name for it
        if list not in self._lists:
            self._lists[list] = [*super().items(list)]
        yield from self._lists[list]


def rdflib_graph(quads: Iterable[ox.Quad | ox.Triple]) -> Graph:
    """Term by term, for on the way over a syntax rdflib changes what it reads."""
    graph = Graph(bind_namespaces="none")
    for quad in quads:
        graph.add((_term(quad.subject), _term(quad.predicate), _term(quad.object)))
    return graph


def _term(term: Any) -> Any:
    if isinstance(term, ox.NamedNode):
        return URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return BNode(term.value)
    # rdflib takes a text that says what it is for another than one that does not.
    said = not term.language and term.datatype.value != str(XSD.string)
    datatype = URIRef(term.datatype.value) if said else None
    return Literal(term.value, datatype=datatype, lang=term.language, normalize=False)


def apart(bodies: Iterable[dict[str, Any]], documents: Documents, base: str = BASE) -> Graph:
    """All in one graph, where what each says of a resource is said of another one: none has to make up for
    what another lacks. The name of what is at `/api` in the first is `urn:body:0:/api`."""
    graph = Graph(bind_namespaces="none")
    for number, body in enumerate(bodies):
        quads = ox.parse(inlined(body, documents), format=ox.RdfFormat.JSON_LD)
        graph += rdflib_graph(_renamed(quad, base, f"urn:body:{number}:") for quad in quads)
    return graph


def _renamed(quad: ox.Quad, base: str, prefix: str) -> ox.Triple:
    subject, object_ = (
        ox.NamedNode(prefix + term.value.removeprefix(base))
        if isinstance(term, ox.NamedNode) and f"{term.value}/".startswith(f"{base}/api/")
        else term
        for term in (quad.subject, quad.object)
    )
    assert not isinstance(subject, ox.Literal)
    return ox.Triple(subject, quad.predicate, object_)


def targeted(shapes: Graph, shape: str, focus: Iterable[str]) -> Graph:
    """The same shapes, of which one alone has a target: these nodes."""
    graph = Shapes(shapes)
    graph.remove((None, SH.targetClass, None))
    for node in focus:
        graph.add((URIRef(shape), SH.targetNode, URIRef(node)))
    return graph


def results(data: Graph, shapes: Graph) -> list[Result]:
    """What is wrong with the nodes that are the shapes' targets."""
    conforms, report, text = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    assert isinstance(report, Graph), text
    found = [
        Result(
            str(report.value(node, SH.focusNode)),
            str(report.value(node, SH.resultPath)) if (node, SH.resultPath, None) in report else None,
            str(report.value(node, SH.sourceConstraintComponent)).removeprefix(str(SH)),
            str(report.value(node, SH.resultMessage)),
        )
        for node in report.objects(report.value(predicate=RDF.type, object=SH.ValidationReport), SH.result)
    ]
    assert bool(found) != conforms, text
    return found
