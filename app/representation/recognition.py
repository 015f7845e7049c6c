"""JSON-LD that needs no processor: expanded already, or written as the service itself writes.

That is read at once, however long it is; of both, an expansion would leave or make the same statements.
"""

from __future__ import annotations

import re

from app.protocol.strict_json import JSON
from app.representation.terms import NodeObject, Terms

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):([^\s<>\"{}|\\^`]*)")


class Recognition:
    """`terms` are those of the service's context, which `initial` content has where it names none."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._keys = {
            key: term for key, term in terms.terms.items() if not term.reverse and term.container is None
        }

    def expanded(self, document: JSON, initial: str | None) -> list[NodeObject] | None:
        """The nodes in expanded form; None where only a processor can tell."""
        if isinstance(document, list) and all(self._is_expanded(node) for node in document):
            return document  # type: ignore[return-value]  # each is a node object, says the line above
        if not isinstance(document, dict) or document.get("@context", initial) != self._terms.address:
            return None
        top = {key: value for key, value in document.items() if key != "@context"}
        nodes = top["@graph"] if list(top) == ["@graph"] else [top]
        if not isinstance(nodes, list) or not all(self._is_compact(node) for node in nodes):
            return None
        return [self._terms.expanded(node) for node in nodes if isinstance(node, dict)]

    def _is_expanded(self, node: JSON) -> bool:
        return isinstance(node, dict) and all(self._is_expanded_member(*member) for member in node.items())

    def _is_expanded_member(self, key: str, value: JSON) -> bool:
        if key == "@id":
            return self._is_name(value)
        if not isinstance(value, list) or not (key == "@type" or self._is_absolute(key)):
            return False
        if key == "@type":
            return all(self._is_absolute(item) for item in value)
        return all(self._is_value(item) or self._is_expanded(item) for item in value)

    def _is_value(self, value: JSON) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("@value"), str | int | float):
            return False
        others = {key: item for key, item in value.items() if key != "@value"}
        if list(others) == ["@type"]:
            return self._is_absolute(others["@type"])
        if list(others) == ["@language"]:
            return isinstance(others["@language"], str) and isinstance(value["@value"], str)
        return not others

    def _is_compact(self, node: JSON) -> bool:
        return isinstance(node, dict) and all(self._is_compact_member(*member) for member in node.items())

    def _is_compact_member(self, key: str, value: JSON) -> bool:
        if key == "@id":
            return self._is_name(value)
        values = value if isinstance(value, list) else [value]
        if key == "@type":
            return all(self._is_word(item) for item in values)
        return key in self._keys and all(self._is_compact_value(key, item) for item in values)

    def _is_compact_value(self, key: str, value: JSON) -> bool:
        coercion = self._keys[key].coercion
        if isinstance(value, dict):
            return self._is_compact(value)
        if coercion == "@id":
            return self._is_iri(value)
        if coercion == "@vocab":
            return self._is_word(value)
        return isinstance(value, str) or (coercion is None and isinstance(value, int | float))

    def _is_word(self, value: JSON) -> bool:
        return isinstance(value, str) and (value in self._keys or self._is_iri(value))

    def _is_name(self, value: JSON) -> bool:
        """The null relative IRI is one."""
        return isinstance(value, str) and (value == "" or value.startswith("_:") or self._is_absolute(value))

    def _is_iri(self, iri: JSON) -> bool:
        """Where the service's context is meant; it may be compact."""
        match = _ABSOLUTE.fullmatch(iri) if isinstance(iri, str) else None
        return match is not None and (match[1] in self._terms.prefixes or self._is_absolute(iri))

    def _is_absolute(self, iri: JSON) -> bool:
        """And means what it says, whatever context there were."""
        match = _ABSOLUTE.fullmatch(iri) if isinstance(iri, str) else None
        return match is not None and (match[2].startswith("//") or match[1] not in self._terms.terms)
