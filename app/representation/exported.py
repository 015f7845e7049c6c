"""What was exported, read again: one node after the other, however long the file is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import IO, Any

import pyoxigraph as ox

from app.contract.contract import Contract
from app.problems import Problem
from app.protocol.lines import LONGEST, TOO_LONG, read_lines
from app.protocol.strict_json import JSON, check_text, loads
from app.representation.keys import read_keys
from app.representation.statements import TYPE, Node
from app.representation.syntaxes import message_of, term_of

# An organization names each of its members, and more than anything else has.
MOST_STATEMENTS = 10_000
TOO_MUCH = f"More than {MOST_STATEMENTS:,} statements, or {LONGEST // 1_024**2} MiB, are about one resource."
N_QUADS, TURTLE, NDJSON = "n-quads", "turtle", "ndjson"


@dataclass(frozen=True)
class Told:
    """A node by JSON keys, with its class where that is one of the service's; or why it cannot be read.

    `line` is where it begins, 0 where that is not known.
    """

    line: int
    name: str
    class_name: str | None = None
    node: Mapping[str, Any] | None = None
    reason: str = ""


class Exported:
    """A file that was exported where `base` was the public address, in one of the formats above.

    Addresses below it are read as those of this service.
    """

    def __init__(self, contract: Contract, base: str, syntax: str) -> None:
        self._base, self._new_base = base, contract.base
        self._classes = {it.iri: name for name, it in contract.classes.items()}
        # The keys are the same for all classes; what is ignored is looked at later.
        self._keys = read_keys(contract, "Organization")
        self._links = {key for key, coercion in self._keys.coercions.items() if coercion == "@id"}
        self._syntax = syntax

    def nodes(self, file: IO[bytes], class_name: str | None = None) -> Iterator[Told | None]:
        """Those of a class alone, where it is named; None in the place of each other one, and of what cannot
        be read, so that whoever reads them may do something else now and then.

        Raises `malformed-content` where a fault ends the reading: in Turtle.
        """
        found: Iterator[Told | None]
        if self._syntax == NDJSON:
            found = self._of_lines(file)
        elif self._syntax == TURTLE:
            found = self._of_turtle(file)
        else:
            found = self._of_quads(file, class_name)
        return (it if it and class_name in (None, it.class_name) else None for it in found)

    def _of_lines(self, file: IO[bytes]) -> Iterator[Told]:
        for number, line in enumerate(read_lines(file), 1):
            if len(line) > LONGEST:
                yield Told(number, "", reason=TOO_LONG)
            elif line.strip():
                try:
                    document = loads(line.strip())
                except Problem as problem:
                    yield Told(number, "", reason=problem.detail)
                    continue
                yield from self._of_document(number, document)

    def _of_document(self, number: int, document: JSON) -> Iterator[Told]:
        """The node, and the members that stand in it."""
        if not isinstance(document, dict) or not isinstance(document.get("@id"), str):
            yield Told(number, "", reason="The line must be an object with @id and @type.")
            return
        given = document.get("@type")
        types = given if isinstance(given, list) else [given]
        known = next((it for it in types if it in self._classes.values()), None)
        node = {key: self._rebased(value) if key in self._links else value for key, value in document.items()}
        name = str(self._rebased(document["@id"]))
        yield Told(number, name, str(known) if known else None, {**node, "@id": name})
        for key in ("owners", "members"):
            inner = document.get(key)
            for member in inner if isinstance(inner, list) else ():
                yield from self._of_document(number, member)

    def _of_quads(self, file: IO[bytes], class_name: str | None) -> Iterator[Told | None]:
        """Lines that begin with one subject are parsed together; those of other classes not at all."""
        wanted = _iri_of(self._classes, class_name)
        sought = f"<{self._old(wanted)}>".encode() if wanted else b""
        statements = (
            (number, line) for number, line in enumerate(read_lines(file), 1) if _is_statement(line)
        )
        for _, grouped in groupby(statements, key=lambda it: it[1].split(None, 1)[0]):
            number, content = _together(grouped)
            if content is None:
                yield Told(number, "", reason=TOO_MUCH)
            else:
                yield self._parsed(number, content) if sought in content else None

    def _parsed(self, number: int, content: bytes) -> Told:
        try:
            quads = list(ox.parse(content, format=ox.RdfFormat.N_QUADS))
        except SyntaxError as error:
            line = number + (error.lineno or 1) - 1
            return Told(line, "", reason=f"It is not N-Quads: {message_of(error)}")
        return self._node(number, quads)

    def _of_turtle(self, file: IO[bytes]) -> Iterator[Told]:
        try:
            for subject, grouped in groupby(ox.parse(file, format=ox.RdfFormat.TURTLE), key=_subject):
                quads = _few(grouped)
                yield self._node(0, quads) if quads else Told(0, self._new(subject), reason=TOO_MUCH)
        except SyntaxError as error:
            raise Problem(
                "malformed-content", f"Line {error.lineno} is not Turtle: {message_of(error)}"
            ) from None
        except MemoryError:  # as the parser says it
            raise Problem("malformed-content", "A term of the Turtle is longer than 16 MiB.") from None

    def _node(self, number: int, quads: Iterable[ox.Quad]) -> Told:
        """Of one subject. What is said in another graph than the default one is no export's."""
        node: dict[str, Any] = {}
        name, types = "", []
        for quad in quads:
            name = self._new(_name(quad.subject))
            if not isinstance(quad.graph_name, ox.DefaultGraph):
                return Told(number, name, reason="It stands in a named graph.")
            try:
                term = term_of(quad.object)
            except Problem as problem:  # of an IRI without an end
                return Told(number, name, reason=problem.detail)
            term = Node(self._new(term.name)) if isinstance(term, Node) else term
            predicate = self._new(quad.predicate.value)
            if predicate == TYPE:
                types.append(term.name if isinstance(term, Node) else "")
            else:
                _add(node, self._keys.key(predicate), self._keys.value(self._keys.key(predicate), term))
        return self._told(number, name, types, node)

    def _told(self, number: int, name: str, types: list[str], node: dict[str, Any]) -> Told:
        known = next((self._classes[it] for it in types if it in self._classes), None)
        if not types:
            reason = "It has no type: what is said of one resource has to stand together."
            return Told(number, name, reason=reason)
        try:
            check_text(node)
        except Problem as problem:
            return Told(number, name, reason=problem.detail)
        return Told(number, name, known, {"@id": name, **node})

    def _rebased(self, value: Any) -> Any:
        """A link, or links, nodes among them, whose own members are read apart."""
        if isinstance(value, list):
            return [self._rebased(it) for it in value]
        if isinstance(value, dict):
            return value.get("@id")
        return self._new(value) if isinstance(value, str) else value

    def _new(self, iri: str) -> str:
        below = iri.startswith((f"{self._base}/", f"{self._base}#"))
        return self._new_base + iri[len(self._base) :] if below else iri

    def _old(self, iri: str) -> str:
        return self._base + iri.removeprefix(self._new_base)


def _iri_of(classes: Mapping[str, str], class_name: str | None) -> str | None:
    return next((iri for iri, name in classes.items() if name == class_name), None)


def _together(statements: Iterable[tuple[int, bytes]]) -> tuple[int, bytes | None]:
    """Where they begin, and all of them; None where they are more than is read at once."""
    lines: list[bytes] = []
    first = size = 0
    for number, line in statements:
        first, size = first or number, size + len(line)
        if len(lines) == MOST_STATEMENTS or size > LONGEST:
            return first, None
        lines.append(line)
    return first, b"".join(lines)


def _few(quads: Iterable[ox.Quad]) -> list[ox.Quad] | None:
    """All of them; None where they are more than is read at once: as many octets as in N-Quads, whatever
    Turtle made shorter, for that is what they take from here on."""
    few: list[ox.Quad] = []
    size = 0
    for quad in quads:
        size += len(f"{quad} .\n".encode())
        if len(few) == MOST_STATEMENTS or size > LONGEST:
            return None
        few.append(quad)
    return few


def _is_statement(line: bytes) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith(b"#")


def _subject(quad: ox.Quad) -> str:
    return _name(quad.subject)


def _name(node: ox.NamedNode | ox.BlankNode | ox.Triple) -> str:
    return node.value if isinstance(node, ox.NamedNode) else str(node)


def _add(node: dict[str, Any], key: str, value: Any) -> None:
    if key in node:
        node[key] = [*(node[key] if isinstance(node[key], list) else [node[key]]), value]
    else:
        node[key] = value
