"""Turtle, read by the fast parser into the terms of rdflib, by which the contract is looked through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import pyoxigraph as ox
from rdflib.term import BNode, Literal, Node, URIRef

Triple: TypeAlias = tuple[Node, Node, Node]


def read_turtle(content: bytes, base: str) -> tuple[list[Triple], Mapping[str, str]]:
    """Its triples, and the namespaces by prefix. Raises `SyntaxError`, whose `lineno` counts from 1."""
    parser = ox.parse(content, format=ox.RdfFormat.TURTLE, base_iri=base)
    # Of each term one object: they are compared thousands of times.
    known: dict[object, Node] = {}

    def term(read: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
        found = known.get(read)
        if found is None:
            found = known[read] = _term(read)
        return found

    triples = [(term(quad.subject), term(quad.predicate), term(quad.object)) for quad in parser]
    return triples, parser.prefixes


def _term(read: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
    if isinstance(read, ox.NamedNode):
        return URIRef(read.value)
    if isinstance(read, ox.Literal):
        if read.language is not None:
            return Literal(read.value, lang=read.language)
        # Without a datatype, as rdflib has what is written without one.
        plain = read.datatype.value == "http://www.w3.org/2001/XMLSchema#string"
        datatype = None if plain else URIRef(read.datatype.value)
        # As it is written: rdflib would tell the same value in other characters.
        return Literal(read.value, datatype=datatype, normalize=False)
    return BNode()
