"""Independent readers of what the service writes: each gives the canonical quads (RDFC-1.0) of some bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

JSON_LD = "application/ld+json"
# By media type, what rdflib calls it and what pyoxigraph does.
SYNTAXES = {
    "text/turtle": ("turtle", ox.RdfFormat.TURTLE),
    "application/n-triples": ("nt", ox.RdfFormat.N_TRIPLES),
    "application/n-quads": ("nquads", ox.RdfFormat.N_QUADS),
    "application/trig": ("trig", ox.RdfFormat.TRIG),
    "application/rdf+xml": ("xml", ox.RdfFormat.RDF_XML),
}
Contexts = Mapping[str, Mapping[str, Any]]
Judge = Callable[[bytes, str, Contexts], list[str]]


def canonical(quads: Any) -> list[str]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, dataset))


def by_pyoxigraph(content: bytes, form: str, contexts: Contexts) -> list[str]:
    if form.startswith(JSON_LD):
        return canonical(ox.parse(_inlined(content, contexts), format=ox.RdfFormat.JSON_LD))
    return canonical(ox.parse(content, format=SYNTAXES[form][1]))


def by_rdflib(content: bytes, form: str, contexts: Contexts) -> list[str]:
    dataset = rdflib.Dataset()
    name = "json-ld" if form.startswith(JSON_LD) else SYNTAXES[form][0]
    with pytest.MonkeyPatch.context() as patch:
        # It would write Z as +00:00, which is the reader's doing.
        patch.setattr(rdflib, "NORMALIZE_LITERALS", False)
        data = _inlined(content, contexts) if name == "json-ld" else content
        dataset.parse(data=data, format=name)
    return canonical(list(_quads(dataset)))


def by_pyld(content: bytes, form: str, contexts: Contexts) -> list[str]:
    """Of JSON-LD alone."""
    assert form.startswith(JSON_LD)
    loader = FrozenDocumentLoader(documents={key: dict(value) for key, value in contexts.items()})
    normal = jsonld.to_rdf(orjson.loads(content), {"documentLoader": loader})
    return canonical([ox.Quad(*triple) for triple in _triples(normal["@default"])])


def judges(form: str) -> Iterable[Judge]:
    return (by_pyld, by_pyoxigraph, by_rdflib) if form.startswith(JSON_LD) else (by_pyoxigraph, by_rdflib)


def _inlined(content: bytes, contexts: Contexts) -> bytes:
    """With its context inside, for the processors that shall fetch nothing."""
    body = orjson.loads(content)
    context = body.get("@context") if isinstance(body, dict) else None
    if not isinstance(context, str):
        return content
    return orjson.dumps({**body, "@context": contexts[context]["@context"]})


def _quads(dataset: rdflib.Dataset) -> Iterator[ox.Quad]:
    """Term by term, so that no writer of rdflib stands between."""
    for subject, predicate, value, graph in dataset.quads():
        assert graph in (None, rdflib.graph.DATASET_DEFAULT_GRAPH_ID), graph
        yield ox.Quad(_of_rdflib(subject), _of_rdflib(predicate), _of_rdflib(value))


def _of_rdflib(term: Any) -> Any:
    if isinstance(term, rdflib.URIRef):
        return ox.NamedNode(str(term))
    if isinstance(term, rdflib.BNode):
        return ox.BlankNode(re.sub(r"\W", "", str(term)))
    if term.language is not None:
        return ox.Literal(str(term), language=term.language)
    return ox.Literal(str(term), datatype=ox.NamedNode(str(term.datatype or rdflib.XSD.string)))


def _triples(statements: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, Any, Any]]:
    for statement in statements:
        subject, predicate, value = (
            _of_pyld(statement[position]) for position in ("subject", "predicate", "object")
        )
        yield subject, predicate, value


def _of_pyld(term: Mapping[str, str]) -> Any:
    if term["type"] == "IRI":
        return ox.NamedNode(term["value"])
    if term["type"] == "blank node":
        return ox.BlankNode(term["value"].removeprefix("_:"))
    return ox.Literal(term["value"], datatype=ox.NamedNode(term["datatype"]))
