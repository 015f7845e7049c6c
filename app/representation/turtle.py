"""Turtle of node objects, written straight from them: an RDF library would take its terms apart again.

What a term says is known from the compiled context; text is escaped by the library. Each subject's own
statements stand together, and those of the nodes in it behind them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from app.addresses import ROOT
from app.contract.sources import CONTEXTS_FOLDER
from app.representation.terms import Key, Lasting, Terms

# What may stand between angle brackets (RDF 1.1 Turtle, IRIREF), and what a string has to escape.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20<>\"{}|^`\\]*")
_ESCAPED = re.compile(r"[\"\\\x00-\x1f\x7f]")
# Local names that need no escape.
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Written:
    """A key: its predicate, and how text is told that is its value; `plain` where that is all there is."""

    predicate: str
    text: Callable[[str], str]
    plain: bool
    is_list: bool
    reverse: bool


class TurtleWriter:
    """Of node objects that are written with one context."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        lines = (f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in terms.prefixes.items())
        self._head = "".join(lines)
        self._data = terms.address.rpartition(f"/{CONTEXTS_FOLDER}/")[0] + ROOT
        self._keys: dict[str, _Written] = {}
        self._short: dict[str, str] = {}
        # Of nodes that do not change, by where those are; they are kept, so that they stay there.
        self._lasting: dict[int, tuple[Lasting, str, str]] = {}

    def write(self, node: Mapping[str, Any]) -> bytes:
        return (self._head + _Text(self).of(node)).encode()

    def of_lasting(self, node: Lasting) -> tuple[str, str]:
        """Its address, and what is said of it."""
        found = self._lasting.get(id(node))
        if found is None:
            text = _Text(self).of(dict(node))
            found = self._lasting[id(node)] = node, self.address(node["@id"]), text
        return found[1:]

    def key(self, name: str) -> _Written:
        found = self._keys.get(name)
        if found is None:
            key = self._terms.key(name)
            predicate = self.term(key.iri)
            plain = not (key.is_list or key.reverse)
            found = self._keys[name] = _Written(
                predicate, self._told(key), plain=plain, is_list=key.is_list, reverse=key.reverse
            )
        return found

    def term(self, text: str) -> str:
        """A term, or an IRI that the contract names: remembered, for there are no more than that has."""
        found = self._short.get(text)
        if found is None:
            found = self._short[text] = self._written(self._terms.iri(text, vocabulary=True))
        return found

    def address(self, text: str) -> str:
        """An IRI of which there may be any number; those of data are in no vocabulary."""
        return _iri(text) if text.startswith(self._data) else self._written(self._terms.iri(text))

    def _written(self, iri: str) -> str:
        """Short where a prefix is known."""
        for prefix, namespace in self._terms.prefixes.items():
            if iri.startswith(namespace) and _LOCAL.fullmatch(iri, len(namespace)):
                return f"{prefix}:{iri[len(namespace) :]}"
        return _iri(iri)

    def _told(self, key: Key) -> Callable[[str], str]:
        if key.coercion is None:
            return quoted
        if key.coercion == "@vocab":
            return self.term
        if key.coercion == "@id":
            return self.address
        datatype = self.term(key.coercion)
        return lambda text: f"{quoted(text)}^^{datatype}"


class _Text:
    """Of one node object."""

    def __init__(self, writer: TurtleWriter) -> None:
        self._writer = writer
        self._blank = 0
        self._waiting: list[tuple[str, Mapping[str, Any]]] = []
        self._parts: list[str] = []

    def of(self, root: Mapping[str, Any]) -> str:
        self._subject(root)
        for subject, node in self._waiting:  # which grows meanwhile
            if type(node) is Lasting:
                self._parts.append(self._writer.of_lasting(node)[1])
            else:
                self._node(subject, node)
        return "".join(self._parts)

    def _subject(self, node: Mapping[str, Any]) -> str:
        address = node.get("@id")
        if type(node) is Lasting:
            subject = self._writer.of_lasting(node)[0]
        elif address is None:
            self._blank += 1
            subject = f"_:b{self._blank}"
        else:
            subject = self._writer.address(address)
        if len(node) > 1 or address is None:
            self._waiting.append((subject, node))
        return subject

    def _node(self, subject: str, node: Mapping[str, Any]) -> None:
        writer, said = self._writer, []
        for name, value in node.items():
            if name == "@type":
                if value != []:
                    said.append("a " + " , ".join(map(writer.term, _listed(value))))
            elif name[0] != "@":
                key = writer.key(name)
                if type(value) is str and key.plain:
                    said.append(f"{key.predicate} {key.text(value)}")
                elif key.is_list:
                    items = " ".join([self._object(key, item) for item in _listed(value)])
                    said.append(f"{key.predicate} ( {items} )")
                elif key.reverse:
                    referring = [self._subject(item) for item in _listed(value)]
                    self._parts += [f"{it} {key.predicate} {subject} .\n" for it in referring]
                elif value != []:
                    objects = " , ".join([self._object(key, item) for item in _listed(value)])
                    said.append(f"{key.predicate} {objects}")
        if said:
            self._parts += (subject, " ", " ;\n\t".join(said), " .\n")

    def _object(self, key: _Written, value: Any) -> str:
        if isinstance(value, str):
            return key.text(value)
        if isinstance(value, dict):
            if "@value" in value:
                return f"{quoted(value['@value'])}^^{self._writer.term(value['@type'])}"
            return self._subject(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else (value,)


def quoted(text: str) -> str:
    return str(ox.Literal(text)) if _ESCAPED.search(text) else f'"{text}"'


def _iri(iri: str) -> str:
    """Raises `ValueError` for what is none."""
    if not _IRI.fullmatch(iri):
        raise ValueError(f"not an IRI: {iri!r}")
    return f"<{iri}>"
