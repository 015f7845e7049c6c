"""Turtle, N-Triples, N-Quads and TriG as statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyoxigraph as ox

from app.problems import Problem
from app.representation.forms import N_QUADS, N_TRIPLES, TRIG, TURTLE
from app.representation.statements import LONGEST_IRI, Literal, Node, Statements, Term, too_much

PARSED = {
    TURTLE: ("Turtle", ox.RdfFormat.TURTLE),
    N_TRIPLES: ("N-Triples", ox.RdfFormat.N_TRIPLES),
    N_QUADS: ("N-Quads", ox.RdfFormat.N_QUADS),
    TRIG: ("TriG", ox.RdfFormat.TRIG),
}
# These have no relative IRIs at all (RDF 1.1 N-Triples section 2.1).
ABSOLUTE = (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS)
MAX_DEPTH, MAX_BRACKETS = 32, 30_000
# What brackets mean nothing in: comments, IRIs, strings, and what is escaped in a local name. A quote that
# ends nowhere is passed over alone, so that more brackets are counted than the parser will meet, never less.
_SKIPPED = (
    r"[^\\#<\"'(\[{)\]}]++",
    r"\\.",
    r"#[^\n\r]*+",
    r'<[^\x00-\x20<>"{}|^`]*+>',
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"""',
    r"'''(?:[^'\\]++|\\.|'(?!''))*+'''",
    r'"(?:[^"\\\n\r]++|\\.)*+"',
    r"'(?:[^'\\\n\r]++|\\.)*+'",
    r"<(?!<)|[\"'\\]",
)
_TO_BRACKET = re.compile(rf"(?:{'|'.join(_SKIPPED)})*+(?:(<<)|([(\[{{])|[)\]}}])", re.DOTALL)
_PLACE = re.compile(r"Parser error at line \d+ (?:column \d+|between columns \d+ and \d+): ")
_SHOWN_LENGTH = 160
# What the parser repeats of the content may be nothing that text can have.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


def read_statements(media_type: str, content: bytes, base: str) -> Statements:
    """What the default graph says; `<>` is `base`.

    Raises `malformed-content` for what is not of the syntax, or is beyond the limits.
    """
    name, syntax = PARSED[media_type]
    _check_depth(name, content)
    statements = Statements(len(content))
    for quad in _parsed(name, syntax, content, base):
        if isinstance(quad.graph_name, ox.DefaultGraph):
            statements.say(_name(quad.subject), quad.predicate.value, term_of(quad.object))
        else:
            statements.of_graph(_name(quad.graph_name))
    return statements


def _check_depth(name: str, content: bytes) -> None:
    """Before the parser, which many levels of triple terms would bring down, and its process with it."""
    text = _decoded(name, content)
    if "<<" not in text and sum(map(text.count, "([{")) <= MAX_DEPTH:
        return
    depth = number = 0
    match = _TO_BRACKET.match(text)
    while match is not None:
        number += 1
        if match[1]:
            raise _malformed(name, "leave out triple terms (<<), which RDF 1.1 does not have")
        depth += 1 if match[2] else -1
        if depth > MAX_DEPTH:
            raise _malformed(name, f"character {match.end()} opens more than {MAX_DEPTH} levels")
        if number > 2 * MAX_BRACKETS:
            raise too_much(f"at most {MAX_BRACKETS} pairs of brackets")
        match = _TO_BRACKET.match(text, match.end())


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _malformed(name, f"byte {error.start + 1} is not UTF-8") from None


def _parsed(name: str, syntax: ox.RdfFormat, content: bytes, base: str) -> Iterator[ox.Quad]:
    try:
        yield from ox.parse(content, format=syntax, base_iri=None if syntax in ABSOLUTE else base)
    except SyntaxError as error:
        raise _malformed(name, _reason(error, syntax)) from None


def _reason(error: SyntaxError, syntax: ox.RdfFormat) -> str:
    message, hint = message_of(error), ""
    if syntax in ABSOLUTE and "No scheme found" in message:
        hint = " (there are no relative IRIs in this syntax: a blank node is what shall be made)"
    return f"line {error.lineno}, column {error.offset}: {message}{hint}"


def message_of(error: SyntaxError) -> str:
    """What the parser says, without the place, and with no character that cannot be seen."""
    return _UNSEEN.sub(_seen, _PLACE.sub("", error.msg)[:_SHOWN_LENGTH])


def _seen(match: re.Match[str]) -> str:
    return f"U+{ord(match[0]):04X}"


def _malformed(name: str, reason: str) -> Problem:
    return Problem("malformed-content", f"Send one document of {name} in UTF-8; {reason}.")


def _name(node: ox.NamedNode | ox.BlankNode | ox.Triple) -> str:
    """Raises `malformed-content` where it is longer than any address."""
    name = str(node) if isinstance(node, ox.BlankNode | ox.Triple) else node.value
    if len(name) > LONGEST_IRI:
        raise too_much(f"IRIs of at most {LONGEST_IRI} characters")
    return name


def term_of(value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Term:
    """A triple in the place of a value, where an annotation puts it, is nothing that a resource can have."""
    if isinstance(value, ox.Triple):
        return Literal("", "@triple")
    if isinstance(value, ox.Literal):
        return Literal(value.value, value.datatype.value, value.language)
    return Node(_name(value))
