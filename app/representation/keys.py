"""Which JSON key says what a predicate says, and which JSON value what a term says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.addresses import DATA_CONTEXT
from app.contract.contract import Contract
from app.protocol.strict_json import JSON
from app.representation.content import IGNORED
from app.representation.statements import TYPE, XSD, Literal, Node, Term

# What JSON has values of its own for; those that it could not write stay what they are.
_INTEGER = re.compile(r"[+-]?[0-9]{1,300}")
_FRACTION = re.compile(r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,2})?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Keys:
    """`keys` by the IRI of their property and of each that is the same, `coercions` by key.

    Of `ignored` keys no value is looked at; those of `embedding` have nodes, of which something may be said.
    """

    keys: Mapping[str, str]
    coercions: Mapping[str, str | None]
    ignored: frozenset[str]
    embedding: frozenset[str]

    def key(self, predicate: str) -> str:
        """The predicate itself, where no key stands for it."""
        return self.keys.get(predicate, predicate)

    def value(self, key: str, term: Term) -> JSON:
        """As plain JSON has it; what is not of the member's kind, as a value object of JSON-LD."""
        coercion = "@id" if key == "@type" else self.coercions.get(key)
        if isinstance(term, Node):
            return term.name if coercion == "@id" else {"@id": term.name}
        if coercion is None and term.language is None:
            native = _native(term)
        else:
            native = _instant(term.text) if term.datatype == coercion == f"{XSD}dateTime" else None
        return _value_object(term) if native is None else native


def read_keys(contract: Contract, class_name: str) -> Keys:
    """Those of the context, with what is ignored in the class."""
    terms = contract.sources.contexts[DATA_CONTEXT.rpartition("/")[2]].terms.values()
    properties = [it for class_ in contract.classes.values() for it in class_.properties.values()]
    same = {iri: property_.key for property_ in properties for iri in property_.same_as}
    ignored = [it for it in contract.classes[class_name].properties.values() if it.ignored]
    return Keys(
        keys={**same, **{term.iri: term.key for term in terms if not term.reverse}, TYPE: "@type"},
        coercions={term.key: term.coercion for term in terms},
        ignored=frozenset({*IGNORED, *(it.key for it in ignored)}),
        embedding=frozenset({*IGNORED, *(it.key for it in ignored if it.shape.links and not it.link)}),
    )


def _native(literal: Literal) -> JSON:
    kind, text = literal.datatype, literal.text
    if kind == f"{XSD}string":
        return text
    if kind == f"{XSD}boolean":
        return _BOOLEANS.get(text)
    if kind == f"{XSD}integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind in (f"{XSD}double", f"{XSD}decimal") and _FRACTION.fullmatch(text):
        return float(text)
    return None


def _instant(text: str) -> str:
    """With the digits and the zone that times have here: in RDF it is the same time in any."""
    if _INSTANT.fullmatch(text) is None:
        return text
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return text


def _value_object(literal: Literal) -> JSON:
    if literal.language is not None:
        return {"@value": literal.text, "@language": literal.language}
    return {"@value": literal.text, "@type": literal.datatype}
