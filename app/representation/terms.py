"""A context, compiled: what turns a node object that is written with it into the other forms of its graph.

It knows what the contexts of this service have (contract/sources.py refuses more): prefixes, terms with a
coercion, `@list` and `@reverse`. JSON-LD processors are the judges of it in the tests, not part of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import pyoxigraph as ox

from app.contract.sources import Context, Term

NodeObject: TypeAlias = "dict[str, Any]"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
_TYPE = ox.NamedNode(f"{RDF}type")
_FIRST, _REST, _NIL = (ox.NamedNode(RDF + name) for name in ("first", "rest", "nil"))
_INTEGER, _BOOLEAN = ox.NamedNode(f"{XSD}integer"), ox.NamedNode(f"{XSD}boolean")

_Object: TypeAlias = "ox.NamedNode | ox.BlankNode | ox.Literal"


@dataclass(frozen=True, slots=True)
class Key:
    """What a key says: its IRI, and how its values are read, text above all."""

    iri: str
    predicate: ox.NamedNode
    coercion: str | None
    read: Callable[[str], _Object]
    is_list: bool
    reverse: bool


class Lasting(dict[str, Any]):
    """A node object that does not change after it was made, has an IRI, and holds no node that has none: its
    triples are made once. There are as many as the contract has, not as there is data."""


class Terms:
    """`address` is where the context is published, `prefixes` are those that a syntax may declare."""

    def __init__(self, context: Context, address: str) -> None:
        self.address = address
        self.context: Mapping[str, Any] = context.document["@context"]
        self.prefixes = {key: term.iri for key, term in context.terms.items() if _is_prefix(term)}
        self.terms = context.terms
        self._named: dict[str, ox.NamedNode] = {}
        self._keys = {key: self._compiled(term) for key, term in context.terms.items()}
        # The triples of nodes that do not change, by where those are; they are kept, so that they stay there.
        self._lasting: dict[int, tuple[Lasting, list[ox.Triple]]] = {}

    def iri(self, text: str, *, vocabulary: bool = False) -> str:
        """The IRI that a text stands for; with `vocabulary` it may be a term."""
        if vocabulary and text in self.terms:
            return self.terms[text].iri
        prefix, colon, local = text.partition(":")
        namespace = self.prefixes.get(prefix) if colon and not local.startswith("//") else None
        return text if namespace is None else namespace + local

    def key(self, key: str) -> Key:
        """Of a term; or of an IRI, which is remembered, for there are no more than in the contract."""
        found = self._keys.get(key)
        if found is None:
            iri = self.iri(key)
            term = Term(key, iri, None, None, reverse=False)
            found = self._keys[key] = self._compiled(term)
        return found

    def _compiled(self, term: Term) -> Key:
        read: Callable[[str], _Object] = ox.Literal
        if term.coercion is not None and not term.coercion.startswith("@"):
            read = partial(ox.Literal, datatype=ox.NamedNode(term.coercion))
        elif term.coercion is not None:
            read = partial(self.named, vocabulary=term.coercion == "@vocab")
        is_list = term.container == "@list"
        return Key(
            term.iri, ox.NamedNode(term.iri), term.coercion, read, is_list=is_list, reverse=term.reverse
        )

    def expanded(self, node: Mapping[str, Any]) -> NodeObject:
        """The node object in expanded form (JSON-LD 1.1 section 9.4 of the processing algorithms)."""
        result: NodeObject = {}
        for name, value in node.items():
            values = value if isinstance(value, list) else [value]
            if name == "@id":
                result[name] = self.iri(value)
            elif name == "@type":
                result[name] = [self.iri(item, vocabulary=True) for item in values]
            elif name != "@context":
                key = self.key(name)
                told = [self._expanded_value(key, item) for item in values]
                into = result.setdefault("@reverse", {}) if key.reverse else result
                into[key.iri] = [*into.get(key.iri, ()), *([{"@list": told}] if key.is_list else told)]
        return result

    def _expanded_value(self, key: Key, value: Any) -> NodeObject:
        if isinstance(value, dict):
            return self._typed(value) if "@value" in value else self.expanded(value)
        if key.coercion in ("@id", "@vocab"):
            return {"@id": self.iri(value, vocabulary=key.coercion == "@vocab")}
        return {"@type": key.coercion, "@value": value} if key.coercion else {"@value": value}

    def _typed(self, value: NodeObject) -> NodeObject:
        """A value that tells its own type."""
        return {"@type": self.iri(value["@type"], vocabulary=True), "@value": value["@value"]}

    def triples(self, node: Mapping[str, Any]) -> list[ox.Triple]:
        """The graph of a node object. Blank nodes are labelled in its order: the same in every process."""
        return _Walk(self).of(node)

    def of_lasting(self, node: Lasting) -> list[ox.Triple]:
        """The triples of a node that does not change, and in which no node is blank."""
        found = self._lasting.get(id(node))
        if found is None:
            found = self._lasting[id(node)] = node, _Walk(self).of(dict(node))
        return found[1]

    def named(self, text: str, *, vocabulary: bool = False) -> ox.NamedNode:
        """Remembered for what stands in the contract: types, and values that may be terms."""
        if not vocabulary:
            return ox.NamedNode(self.iri(text))
        found = self._named.get(text)
        if found is None:
            found = self._named[text] = ox.NamedNode(self.iri(text, vocabulary=True))
        return found


class _Walk:
    """Through one node object: each subject's own triples together, those of the nodes in it behind them."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._blank = 0
        self._waiting: list[tuple[ox.NamedNode | ox.BlankNode, Mapping[str, Any]]] = []
        self._triples: list[ox.Triple] = []

    def of(self, root: Mapping[str, Any]) -> list[ox.Triple]:
        self._subject(root)
        for subject, node in self._waiting:  # which grows meanwhile
            if type(node) is Lasting:
                self._triples += self._terms.of_lasting(node)
            else:
                self._node(subject, node)
        return self._triples

    def _subject(self, node: Mapping[str, Any]) -> ox.NamedNode | ox.BlankNode:
        address = node.get("@id")
        subject = self._label() if address is None else self._terms.named(address)
        if len(node) > 1 or address is None:
            self._waiting.append((subject, node))
        return subject

    def _label(self) -> ox.BlankNode:
        self._blank += 1
        return ox.BlankNode(f"b{self._blank}")

    def _node(self, subject: ox.NamedNode | ox.BlankNode, node: Mapping[str, Any]) -> None:
        terms, say = self._terms, self._triples.append
        for name, value in node.items():
            values = value if isinstance(value, list) else (value,)
            if name == "@type":
                for item in values:
                    say(ox.Triple(subject, _TYPE, terms.named(item, vocabulary=True)))
            elif name[0] != "@":
                key = terms.key(name)
                if key.is_list:
                    self._list(subject, key, values)
                elif key.reverse:
                    for item in values:
                        say(ox.Triple(self._subject(item), key.predicate, subject))
                else:
                    for item in values:
                        told = key.read(item) if type(item) is str else self._object(key, item)
                        say(ox.Triple(subject, key.predicate, told))

    def _object(self, key: Key, value: Any) -> _Object:
        if isinstance(value, str):
            return key.read(value)
        if isinstance(value, dict):
            if "@value" in value:
                return ox.Literal(
                    value["@value"], datatype=self._terms.named(value["@type"], vocabulary=True)
                )
            return self._subject(value)
        if isinstance(value, bool):
            return ox.Literal("true" if value else "false", datatype=_BOOLEAN)
        return ox.Literal(str(value), datatype=_INTEGER)

    def _list(self, subject: ox.NamedNode | ox.BlankNode, key: Key, values: Sequence[Any]) -> None:
        say, predicate = self._triples.append, key.predicate
        for value in values:
            cell = self._label()
            say(ox.Triple(subject, predicate, cell))
            say(ox.Triple(cell, _FIRST, self._object(key, value)))
            subject, predicate = cell, _REST
        say(ox.Triple(subject, predicate, _NIL))


def _is_prefix(term: Term) -> bool:
    return term.iri[-1] in "#/" and term.coercion is None and not term.reverse
