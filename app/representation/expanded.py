"""Expanded JSON-LD as statements (JSON-LD 1.1 section 5.1, and API section 8.1 for what has no RDF)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.problems import Violation
from app.representation.content import MAX_VIOLATIONS, invalid
from app.representation.statements import LONGEST_IRI, TYPE, XSD, Literal, Node, Statements, Term, too_much

_NATIVE = {bool: f"{XSD}boolean", int: f"{XSD}integer", float: f"{XSD}double", str: f"{XSD}string"}


def read_expanded(nodes: Iterable[Mapping[str, Any]], base: str, sent: int) -> Statements:
    """`<>` is `base`. Raises `invalid-content` for statements that are made the other way round."""
    reading = _Reading(Statements(sent), base)
    for node in nodes:
        reading.node(node)
    if reading.faults:
        raise invalid(*reading.faults[:MAX_VIOLATIONS])
    return reading.statements


@dataclass
class _Reading:
    statements: Statements
    base: str
    faults: list[Violation] = field(default_factory=list)
    labels: int = 0

    def node(self, node: Mapping[str, Any]) -> Node:
        name = self._name(node.get("@id"))
        for key, values in node.items():
            if key.startswith("@"):
                self._keyword(name, key, values)
            else:
                for term in self._terms(values):
                    self.statements.say(name, _short_enough(key), term)
        return Node(name)

    def _keyword(self, name: str, key: str, values: Any) -> None:
        """An index says nothing (JSON-LD 1.1 section 4.6.1)."""
        if key == "@type":
            for type_ in values:
                self.statements.say(name, TYPE, Node(_short_enough(type_)))
        elif key == "@graph":
            self.statements.of_graph(name)
        elif key == "@included":
            for other in values:
                self.node(other)
        elif key == "@reverse":
            message = "Say it of the resource itself: only what it has is written here."
            self.faults.append(Violation(key, message, "#/@reverse", "reverse"))

    def _name(self, given: str | None) -> str:
        """No label that is sent has a space in it."""
        if given is None:
            self.labels += 1
            return f"_: {self.labels}"
        return _short_enough(given or self.base)

    def _terms(self, values: Iterable[Any]) -> Iterator[Term]:
        for value in values:
            if "@value" in value:
                yield _literal(value)
            elif "@list" in value:
                yield Literal("", "@list")
            else:
                yield self.node(value)


def _literal(value: Mapping[str, Any]) -> Literal:
    """What JSON has values of its own for is typed as RDF would have it."""
    native, type_ = value["@value"], value.get("@type")
    text = native if isinstance(native, str) else json.dumps(native)
    language, direction = value.get("@language"), value.get("@direction")
    if direction is not None:
        return Literal(text, "@direction", f"{language or ''}--{direction}")
    if type_ is None or (type_ == f"{XSD}double" and isinstance(native, int)):
        return Literal(text, type_ or _NATIVE[type(native)], language)
    return Literal(text, type_, language)


def _short_enough(name: str) -> str:
    if len(name) > LONGEST_IRI:
        raise too_much(f"IRIs of at most {LONGEST_IRI} characters")
    return name
