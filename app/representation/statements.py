"""Statements: what content says, whatever syntax said it. The default graph alone, and not too much of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from app.problems import Problem

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
TYPE = f"{RDF}type"
# An organization with as many members as it can have is told in some nine thousand, of a thousand nodes.
MOST, MOST_NODES = 10_000, 1_500
# Terms may be written short, but what they stand for is not much longer than what was sent.
MOST_TIMES_LONGER, ALWAYS_ALLOWED = 10, 65_536
LONGEST_IRI = 8_000


class Node(NamedTuple):
    """What has an IRI, or a label that begins with `_:`."""

    name: str

    @property
    def blank(self) -> bool:
        return self.name.startswith("_:")


class Literal(NamedTuple):
    """`datatype` is an IRI; what is no literal in RDF 1.1, or no single one, has a keyword there."""

    text: str
    datatype: str
    language: str | None = None


Term = Node | Literal


@dataclass
class Statements:
    """`about` has what is said of each subject: its values by predicate, each once, as they came.

    `graphs` are the names of other graphs than the default one, of which nothing is kept. `sent` is how many
    octets there were.
    """

    sent: int
    about: dict[str, dict[str, dict[Term, None]]] = field(default_factory=dict)
    graphs: dict[str, None] = field(default_factory=dict)
    _number: int = 0
    _length: int = 0

    def say(self, subject: str, predicate: str, value: Term) -> None:
        """Raises `malformed-content` for too many, and for those that are too long for what was sent."""
        self._count(len(subject) + len(predicate) + len(value[0]))
        said = self.about.get(subject)
        if said is None:
            if len(self.about) == MOST_NODES:
                raise too_much(f"statements about at most {MOST_NODES} nodes")
            said = self.about[subject] = {}
        said.setdefault(predicate, {})[value] = None

    def of_graph(self, name: str) -> None:
        self._count(len(name))
        self.graphs[name] = None

    def _count(self, length: int) -> None:
        self._number += 1
        self._length += length
        if self._number > MOST:
            raise too_much(f"at most {MOST} statements")
        if self._length > MOST_TIMES_LONGER * self.sent + ALWAYS_ALLOWED:
            raise too_much("statements that do not repeat what is long so often")


def too_much(allowed: str) -> Problem:
    return Problem("malformed-content", f"Send {allowed}.")
