"""Content made from nothing but the documentation and the shapes that the vocabulary holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rdflib import Graph, Namespace
from rdflib.collection import Collection
from rdflib.namespace import XSD
from rdflib.term import Node, URIRef

SH = Namespace("http://www.w3.org/ns/shacl#")

Text = st.SearchStrategy[str]
# What xsd:string can hold (XML Schema 1.1 part 2 section 3.3.1), but for tabs and line breaks.
CHARACTERS = st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
T = TypeVar("T")


def examples(strategy: st.SearchStrategy[T], number: int) -> list[T]:
    """The same each time, for tests that ask the service about them."""
    found: list[T] = []

    @settings(max_examples=number, database=None, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


def content(class_: Any, shapes: Graph, resource: str) -> st.SearchStrategy[dict[str, str]]:
    """All that the class requires; for a link that can be written, the address of a resource."""
    values: dict[str, Text] = {}
    for supported in class_["supportedProperty"]:
        if supported["writable"] and supported["property"]["@type"] == "Link":
            values[supported["title"]] = st.just(resource)
        elif supported["required"]:
            values[supported["title"]] = value(shapes, URIRef(supported["@id"]))
    return st.fixed_dictionaries(values)


def value(shapes: Graph, shape: Node) -> Text:
    """Whatever conforms to the shape, and to those that it refers to."""
    nodes = [shape, *shapes.objects(shape, SH.node)]
    [datatype] = said(shapes, nodes, SH.datatype)
    assert datatype == XSD.string
    listed = [str(it) for head in said(shapes, nodes, SH["in"]) for it in Collection(shapes, head)]
    if listed:
        return st.sampled_from(listed)
    [pattern] = said(shapes, nodes, SH.pattern)
    made = st.from_regex(str(pattern), alphabet=CHARACTERS)
    return made.filter(lengths(shapes, nodes)).filter(not_refused(shapes, nodes))


def said(shapes: Graph, nodes: list[Node], predicate: URIRef) -> list[Node]:
    return [object_ for node in nodes for object_ in shapes.objects(node, predicate)]


def lengths(shapes: Graph, nodes: list[Node]) -> Callable[[str], bool]:
    [least], [most] = (
        [int(str(it)) for it in said(shapes, nodes, SH[name])] for name in ("minLength", "maxLength")
    )
    return lambda text: least <= len(text) <= most


def not_refused(shapes: Graph, nodes: list[Node]) -> Callable[[str], bool]:
    refused = list(_refused(shapes, said(shapes, nodes, SH["not"])))
    return lambda text: not any(it(text) for it in refused)


def _refused(shapes: Graph, others: list[Node]) -> Iterator[Callable[[str], object]]:
    for other in others:
        patterns, lists = said(shapes, [other], SH.pattern), said(shapes, [other], SH["in"])
        assert len(patterns) + len(lists) == 1
        yield from (re.compile(str(pattern)).search for pattern in patterns)
        yield from ({str(it) for it in Collection(shapes, head)}.__contains__ for head in lists)
