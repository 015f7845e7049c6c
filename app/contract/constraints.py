"""The SHACL constraints that the contract uses, enforced without a SHACL engine.

A closed interpreter: a constraint that it does not know stops the start. pySHACL judges it in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from rdflib.namespace import XSD
from rdflib.term import Node

from app.contract.namespaces import SHACL
from app.contract.sources import Sources, by_iri

DATATYPES: dict[str, tuple[type, str]] = {
    str(XSD.string): (str, "a string"),
    str(XSD.dateTime): (str, "a string with a date and time"),
    str(XSD.anyURI): (str, "a string with a URI"),
    str(XSD.integer): (int, "an integer"),
    str(XSD.boolean): (bool, "true or false"),
}
# Not in the value space of xsd:string (XML Schema 1.1 part 2 section 3.3.1): no pattern has to name it.
NO_STRING = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What says nothing about a value: who the shape is about, how it is shown, and how often it occurs, which
# the property itself keeps (`required`; every JSON key occurs once).
DESCRIPTIVE = {SHACL.path, SHACL.order, SHACL.minCount, SHACL.maxCount, SHACL.property}
DESCRIPTIVE |= {SHACL["not"], SHACL.node}  # read as shapes of their own
# What may be said of a class itself. `sh:node` says what all collections have, which nobody sends.
OF_CLASSES = {SHACL.property, SHACL["or"], SHACL.order, SHACL.node}


@dataclass(frozen=True)
class Failure:
    """A constraint that does not hold: its local name in SHACL, and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What a text has to be, and how it fails otherwise: with `last`, nothing more is worth telling then."""

    failure: Failure
    holds: Callable[[str], object]
    last: bool = False


@dataclass(frozen=True)
class Shape:
    """What a single JSON value has to be."""

    datatype: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: re.Pattern[str] | None = None
    among: frozenset[str] | None = None
    is_iri: bool = False
    negated: tuple[Shape, ...] = ()
    nodes: tuple[Shape, ...] = ()
    message: str | None = None

    @cached_property
    def value_type(self) -> str | None:
        """The datatype's IRI, said here or by a shape that this one refers to."""
        return self.datatype or next((node.value_type for node in self.nodes if node.value_type), None)

    @cached_property
    def longest(self) -> int | None:
        """How many characters a value may have, said here or by a shape that this one refers to."""
        found = (node.longest for node in self.nodes)
        return self.max_length or next((length for length in found if length), None)

    @cached_property
    def links(self) -> bool:
        return self.is_iri or any(node.links for node in self.nodes)

    def failures(self, value: object) -> Iterator[Failure]:
        """Every constraint that `value` violates; only its type if that is wrong."""
        wrong_type = self._wrong_type(value)
        if wrong_type:
            yield wrong_type
            return
        for node in self.nodes:
            yield from node.failures(value)
        for rule in self._rules:
            if isinstance(value, str) and not rule.holds(value):
                yield rule.failure
                if rule.last:
                    return

    def holds(self, value: object) -> bool:
        """Whether there is no failure; of a text this is known sooner than what there would be to tell."""
        if type(value) is not str:
            return next(self.failures(value), None) is None
        for holds in self.of_text:  # noqa: SIM110 - a generator would take longer than what it asks
            if not holds(value):
                return False
        return True

    @cached_property
    def of_text(self) -> tuple[Callable[[str], object], ...]:
        """What is true of a text that has no failure."""
        of_type = [] if self.datatype is None else [lambda text: self._wrong_type(text) is None]
        of_nodes = [holds for node in self.nodes for holds in node.of_text]
        return (*of_type, *of_nodes, *[rule.holds for rule in self._rules])

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        """Of a text, those of the nodes apart."""
        return tuple(self._said_of_text())

    def _said_of_text(self) -> Iterator[Rule]:
        least, most = self.min_length, self.max_length
        if least is not None:
            few = "not be empty" if least == 1 else f"have at least {least} characters"
            # A text that is too short has no other faults worth telling.
            yield Rule(Failure("minLength", f"This must {few}."), lambda it: len(it) >= least, last=True)
        if most is not None:
            too_long = Failure("maxLength", f"This must have at most {most} characters.")
            yield Rule(too_long, lambda it: len(it) <= most)
        if self.pattern is not None:
            told = self.message or f"This must match {self.pattern.pattern}."
            yield Rule(Failure("pattern", told), self.pattern.search)
        if self.among is not None:
            told = self.message or f"This must be one of {', '.join(sorted(self.among))}."
            yield Rule(Failure("in", told), self.among.__contains__)
        for shape in self.negated:
            told = shape.message or self.message or "This is not allowed."
            yield Rule(Failure("not", told), shape.fails)

    def fails(self, value: object) -> bool:
        return not self.holds(value)

    def _wrong_type(self, value: object) -> Failure | None:
        if self.is_iri and not isinstance(value, str):
            return Failure("nodeKind", "This must be an IRI.")
        if self.datatype is None:
            return None
        kind, name = DATATYPES[self.datatype]
        # In JSON true is not a number, although in Python it is.
        if type(value) is not kind:
            return Failure("datatype", f"This must be {name}.")
        character = NO_STRING.search(value) if isinstance(value, str) else None
        if character:
            return Failure("datatype", f"This must be {name} without U+{ord(character[0]):04X}.")
        return None


def read_shape(sources: Sources, node: Node) -> Shape:
    """The constraints of a property shape or node shape. Raises `ContractFault` for one it does not know."""
    graph = sources.graph
    known: dict[str, object] = {}
    for predicate, value in sorted(graph.predicate_objects(node), key=str):
        if predicate in READERS:
            field, read = READERS[predicate]
            known[field] = read(sources, node, value)
        elif predicate not in DESCRIPTIVE and str(predicate).startswith(str(SHACL)):
            raise sources.fault(node, f"the constraint sh:{str(predicate)[len(SHACL) :]} cannot be enforced")
    negated = tuple(read_shape(sources, other) for other in by_iri(graph.objects(node, SHACL["not"])))
    nodes = tuple(read_shape(sources, other) for other in by_iri(graph.objects(node, SHACL.node)))
    return Shape(negated=negated, nodes=nodes, **known)  # type: ignore[arg-type]  # by the names just above


def read_alternatives(sources: Sources, class_: Node, known: Collection[str]) -> list[str]:
    """The paths of which a node of the class needs one: `sh:or` of property shapes that say so and no more.

    Raises `ContractFault` for any other constraint of the class itself, for it could not be enforced.
    """
    graph, paths = sources.graph, []
    for predicate in by_iri(graph.predicates(class_)):
        if str(predicate).startswith(str(SHACL)) and predicate not in OF_CLASSES:
            raise sources.fault(
                class_, f"the constraint sh:{str(predicate)[len(SHACL) :]} cannot be enforced"
            )
    for shape in (it for items in graph.objects(class_, SHACL["or"]) for it in graph.items(items)):
        path = str(graph.value(shape, SHACL.path))
        said = {predicate for predicate in graph.predicates(shape) if str(predicate).startswith(str(SHACL))}
        one = str(graph.value(shape, SHACL.minCount)) == "1"
        if path not in known or said != {SHACL.path, SHACL.minCount} or not one:
            raise sources.fault(class_, f"the alternative {sources.shorten(shape)} cannot be enforced")
        paths.append(path)
    return paths


def _datatype(sources: Sources, node: Node, value: Node) -> str:
    if str(value) not in DATATYPES:
        raise sources.fault(node, f"the datatype {value} cannot be enforced")
    return str(value)


def _integer(_sources: Sources, _node: Node, value: Node) -> int:
    return int(str(value))


def _among(sources: Sources, _node: Node, value: Node) -> frozenset[str]:
    return frozenset(str(item) for item in sources.graph.items(value))


def _is_iri(sources: Sources, node: Node, value: Node) -> bool:
    if value != SHACL.IRI:
        raise sources.fault(node, f"the kind of node {value} cannot be enforced")
    return True


def _message(_sources: Sources, _node: Node, value: Node) -> str:
    return str(value)


def _pattern(sources: Sources, node: Node, value: Node) -> re.Pattern[str]:
    text = str(value)
    try:
        # `$` of Python also matches before a final line break, that of XPath and JavaScript does not.
        return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", text))
    except re.error as error:
        raise sources.fault(node, f"sh:pattern is not a regular expression: {error}") from error


Reader = Callable[[Sources, Node, Node], object]
READERS: dict[Node, tuple[str, Reader]] = {
    SHACL.datatype: ("datatype", _datatype),
    SHACL.minLength: ("min_length", _integer),
    SHACL.maxLength: ("max_length", _integer),
    SHACL.pattern: ("pattern", _pattern),
    SHACL["in"]: ("among", _among),
    SHACL.nodeKind: ("is_iri", _is_iri),
    SHACL.message: ("message", _message),
}
