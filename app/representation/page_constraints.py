"""The SHACL constraints of a shape in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rdflib.namespace import RDFS, XSD
from rdflib.term import Node

from app.contract.contract import text
from app.contract.json_schema import visible
from app.contract.namespaces import SHACL
from app.contract.sources import Sources, by_iri, local_name

DATATYPES = {
    XSD.string: "Text",
    XSD.dateTime: "Date and time",
    XSD.integer: "Whole number",
    XSD.boolean: "True or false",
}
ADDRESS = "An address."
# More values than these are shown folded.
FEW = 12


def constraints(sources: Sources, node: Node) -> tuple[list[str], list[str], list[str]]:
    """Sentences; regular expressions; and the values to choose from, where these are many."""
    notes = [sentence for say in SENTENCES if (sentence := say(sources, node))]
    message = text(sources, node, SHACL.message)
    notes += [message] if message else []
    code = [visible(str(it)) for it in by_iri(sources.graph.objects(node, SHACL.pattern))]
    values = _values(sources, node)
    if values and len(values) <= FEW:
        notes.append(f"One of {', '.join(values)}.")
        values = []
    return notes, code, values


def _values(sources: Sources, node: Node) -> list[str]:
    head = sources.graph.value(node, SHACL["in"])
    return [str(item) for item in sources.graph.items(head)] if head is not None else []


def _datatype(sources: Sources, node: Node) -> str | None:
    datatype = sources.graph.value(node, SHACL.datatype)
    if datatype is not None:
        return f"{DATATYPES.get(datatype, local_name(datatype))}."  # type: ignore[call-overload]  # an IRI
    return ADDRESS if sources.graph.value(node, SHACL.nodeKind) == SHACL.IRI else None


def _times(sources: Sources, node: Node) -> str | None:
    least, most = (text(sources, node, SHACL[name]) for name in ("minCount", "maxCount"))
    words = {
        ("1", "1"): "Always there.",
        (None, "1"): "May be absent.",
        ("1", None): "One or more.",
    }
    if least is None and most is None:
        return None
    return words.get((least, most), f"{least or 0} to {most} of them." if most else f"{least} or more.")


def _between(low: str, high: str, unit: str) -> Callable[[Sources, Node], str | None]:
    def say(sources: Sources, node: Node) -> str | None:
        least, most = (text(sources, node, SHACL[name]) for name in (low, high))
        if least and most:
            return f"{least} to {most}{unit}."
        return f"{least}{unit} or more." if least else f"At most {most}{unit}." if most else None

    return say


def _not(sources: Sources, node: Node) -> str | None:
    shapes = by_iri(sources.graph.objects(node, SHACL["not"]))
    labels = [(text(sources, it, RDFS.label) or local_name(it)).lower() for it in shapes]
    return f"No {', no '.join(labels)}." if labels else None


def _default(sources: Sources, node: Node) -> str | None:
    default = text(sources, node, SHACL.defaultValue)
    return f"{default} unless said otherwise." if default else None


SENTENCES: Sequence[Callable[[Sources, Node], str | None]] = (
    _datatype,
    _times,
    _between("minLength", "maxLength", " characters"),
    _between("minInclusive", "maxInclusive", ""),
    _not,
    _default,
)
