"""The same values in every form that content may have, written by PyLD and rdflib: they know nothing of the
service but its context."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import rdflib
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader
from rdflib.namespace import RDF, XSD

from tests.promises import CONTRACT
from tests.service import BASE, JSON, JSON_LD, N_QUADS, N_TRIPLES, TRIG, TURTLE

CONTEXT = f"{BASE}/contexts/v1/registry.jsonld"
DOCUMENT = CONTRACT.sources.contexts["registry.jsonld"].document
TERMS = CONTRACT.sources.contexts["registry.jsonld"].terms
LOADER = FrozenDocumentLoader(documents={CONTEXT: dict(DOCUMENT)})
PROFILE = "http://www.w3.org/ns/json-ld#"
Values = Mapping[str, Any]


def predicate(key: str) -> str:
    return TERMS[key].iri if key in TERMS else key


def compact(values: Values) -> dict[str, Any]:
    return {"@context": CONTEXT, **values}


def expanded(values: Values) -> Any:
    return jsonld.expand(compact(values), {"documentLoader": LOADER, "base": ""})


def named(values: Values) -> Any:
    """Expanded, with the null relative IRI, which PyLD would resolve."""
    return [{"@id": "", **node} for node in expanded(values)]


def inline(values: Values) -> dict[str, Any]:
    """With terms of the client's own."""
    context: dict[str, Any] = {"kind": "@type", "self": "@id"}
    document: dict[str, Any] = {}
    for number, (key, value) in enumerate(values.items()):
        term = TERMS.get(key)
        coercion = term.coercion if term else None
        if key == "@type":
            document["kind"] = [TERMS[name].iri if name in TERMS else name for name in listed(value)]
        else:
            context[f"t{number}"] = {"@id": predicate(key), **({"@type": coercion} if coercion else {})}
            document[f"t{number}"] = value
    return {"@context": context, **document, "self": ""}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def graph(values: Values, subject: rdflib.term.Node) -> rdflib.Graph:
    made = rdflib.Graph()
    for key, value in values.items():
        for item in listed(value):
            if key == "@type":
                name = TERMS[item].iri if item in TERMS else item
                made.add((subject, RDF.type, rdflib.URIRef(name)))
            else:
                made.add((subject, rdflib.URIRef(predicate(key)), node(key, item)))
    return made


def node(key: str, value: Any) -> rdflib.term.Node:
    """As the context reads it; a text stays as it is, whatever its type."""
    coercion = TERMS[key].coercion if key in TERMS else None
    if coercion == "@id":
        return rdflib.URIRef(value)
    if coercion and isinstance(value, str):
        return rdflib.Literal(value, datatype=rdflib.URIRef(coercion), normalize=False)
    return rdflib.Literal(value, datatype=XSD.string if isinstance(value, str) else None, normalize=False)


def null() -> rdflib.URIRef:
    return rdflib.URIRef("")


def written(format_: str, subject: Callable[[], rdflib.term.Node]) -> Callable[[Values], bytes]:
    def write(values: Values) -> bytes:
        made: Any = graph(values, subject())
        if format_ in ("nquads", "trig"):
            dataset = rdflib.Dataset()
            for triple in made:
                dataset.add(triple)
            made = dataset
        text = made.serialize(format=format_, encoding="utf-8")
        return bytes(text)

    return write


def as_json(form: Callable[[Values], Any]) -> Callable[[Values], bytes]:
    return lambda values: json.dumps(form(values)).encode()


# By name: a Content-Type, and what writes values so.
FORMS: dict[str, tuple[str, Callable[[Values], bytes]]] = {
    "plain": (JSON, as_json(dict)),
    "compact": (JSON_LD, as_json(compact)),
    "without a context": (JSON_LD, as_json(dict)),
    "framed": (f'{JSON_LD};profile="{PROFILE}framed"', as_json(compact)),
    "a graph": (JSON_LD, as_json(lambda values: {"@context": [CONTEXT], "@graph": [dict(values)]})),
    "values in arrays": (
        JSON_LD,
        as_json(lambda values: compact({key: listed(value) for key, value in values.items()})),
    ),
    "inline context": (JSON_LD, as_json(inline)),
    "contexts": (JSON_LD, as_json(lambda values: {**values, "@context": [CONTEXT, {"kind": "@type"}]})),
    "expanded": (f'{JSON_LD};profile="{PROFILE}expanded"', as_json(expanded)),
    "expanded and named": (JSON_LD, as_json(named)),
    "flattened": (
        f"{JSON_LD};profile={PROFILE}flattened",
        as_json(lambda values: jsonld.flatten(expanded(values), None, {"base": ""})),
    ),
    "Turtle": (TURTLE, written("turtle", null)),
    "Turtle with a blank node": (TURTLE, written("turtle", rdflib.BNode)),
    "N-Triples": (N_TRIPLES, written("nt", rdflib.BNode)),
    "N-Triples as Turtle": (TURTLE, written("nt", null)),
    "N-Quads": (N_QUADS, written("nquads", rdflib.BNode)),
    "TriG": (TRIG, written("trig", null)),
}


def forms(values: Values) -> Iterator[tuple[str, str, bytes]]:
    for name, (content_type, write) in FORMS.items():
        yield name, content_type, write(values)
