"""Writing a node object in any of the forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyoxigraph as ox

from app.addresses import CATALOG_CONTEXT, DATA_CONTEXT, DOCUMENTATION_CONTEXT, PROBLEM_CONTEXT
from app.contract.constraints import NO_STRING
from app.contract.contract import Contract
from app.representation.arrangements import Compaction, flattened
from app.representation.forms import (
    COMPACTED,
    EXPANDED,
    FLATTENED,
    FLATTENED_AND_COMPACTED,
    FRAMED,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    RDF_XML,
    TRIG,
    TURTLE,
    profile_of,
)
from app.representation.nodes import NodeObject, Unmade, dump, made
from app.representation.terms import Terms
from app.representation.turtle import TurtleWriter

_FORMATS = {
    N_TRIPLES: ox.RdfFormat.N_TRIPLES,
    N_QUADS: ox.RdfFormat.N_QUADS,
    RDF_XML: ox.RdfFormat.RDF_XML,
}


class Writer:
    """Of node objects that are written with one context of the service."""

    def __init__(self, terms: Terms, others: Mapping[str, Compaction]) -> None:
        """`others` compact with each context, by its address."""
        self._terms = terms
        self._compaction = others[terms.address]
        self._others = others
        self._turtle = TurtleWriter(terms)

    @property
    def context(self) -> str:
        """The address of the context."""
        return self._terms.address

    def types(self, node: NodeObject) -> list[str]:
        """The IRIs of its types."""
        types = node.get("@type", [])
        listed = types if isinstance(types, list) else [types]
        return [self._terms.iri(name, vocabulary=True) for name in listed]

    def write(self, node: NodeObject | Unmade, form: str) -> bytes:
        """Every form of JSON-LD or RDF. What nests is a tree already, so that it is framed as it is."""
        if form in (JSON_LD, COMPACTED, FRAMED):
            return dump(node)
        node = made(node)
        if form in (TURTLE, TRIG):
            # A default graph alone is written alike in both.
            return self._turtle.write(node)
        if form in _FORMATS:
            return self._syntax(node, form)
        return dump(self._arranged(node, form))

    def _syntax(self, node: NodeObject, form: str) -> bytes:
        triples = self._terms.triples(node)
        if form == RDF_XML:
            triples = list(map(_as_xml_can, triples))
        prefixes = self._terms.prefixes if form == RDF_XML else None
        content = ox.serialize(triples, format=_FORMATS[form], prefixes=prefixes)
        assert content is not None  # noqa: S101 - it is None only when it is written to a file
        # A reader of XML takes what stands there as it is for a line feed (XML 1.0 section 2.11).
        return content.replace(b"\r", b"&#13;") if form == RDF_XML else content

    def _arranged(self, node: NodeObject, form: str) -> Any:
        expanded = self._terms.expanded(node)
        if form == EXPANDED:
            return [expanded]
        if form == FLATTENED:
            return flattened(expanded)
        if form == FLATTENED_AND_COMPACTED:
            return self._compaction.document(flattened(expanded))
        [context] = profile_of(form)
        if context == self._terms.address:
            return {**node, "@context": context}
        return self._others[context].top_level(expanded)


class Writers:
    """One for each context: of data, of problems, of documents about the contract, and of catalogues."""

    def __init__(self, contract: Contract) -> None:
        contexts = contract.sources.contexts
        terms = [
            Terms(contexts[path.rpartition("/")[2]], contract.base + path)
            for path in (DATA_CONTEXT, PROBLEM_CONTEXT, DOCUMENTATION_CONTEXT, CATALOG_CONTEXT)
        ]
        compactions = {each.address: Compaction(each) for each in terms}
        self.data, self.problems, self.documentation, self.catalog = (
            Writer(each, compactions) for each in terms
        )


def _as_xml_can(triple: ox.Triple) -> ox.Triple:
    """With U+FFFD in the place of each character that XML has not, even by a reference (XML 1.0 section 2.2).

    None can be sent; identity providers may have told some once, and a problem may quote what was sent."""
    value = triple.object
    if not isinstance(value, ox.Literal) or not NO_STRING.search(value.value):
        return triple
    literal = ox.Literal(NO_STRING.sub("\ufffd", value.value), datatype=value.datatype)
    return ox.Triple(triple.subject, triple.predicate, literal)
