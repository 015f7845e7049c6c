"""Documents that never change while the service runs: made once, in every syntax, from their node object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyoxigraph as ox

from app.contract.contract import Contract
from app.protocol.conditions import entity_tag
from app.representation.nodes import dump, plain

JSON_LD, JSON, TURTLE = "application/ld+json", "application/json", "text/turtle"


@dataclass(frozen=True)
class Variant:
    """The bytes of a document in one media type, and their entity tag."""

    content: bytes
    tag: str


@dataclass(frozen=True)
class Document:
    """A document by media type, in the server's order of preference.

    `plain` says that its JSON is the plain form of data, which a context makes JSON-LD again; `lasting`, that
    it may be kept.
    """

    variants: Mapping[str, Variant]
    plain: bool = False
    lasting: bool = True


def graph_document(node: Mapping[str, Any], context: Mapping[str, Any]) -> Document:
    """A node object, whose context may be the address of `context`, as JSON-LD and as Turtle."""
    content = dump(node)
    inline = dump({**node, "@context": context["@context"]})
    turtle = _turtle(inline, context)
    return Document({JSON_LD: _variant(JSON_LD, content), TURTLE: _variant(TURTLE, turtle)})


def data_document(contract: Contract, node: Mapping[str, Any]) -> Document:
    """Data that no request changes, as JSON-LD and as plain JSON."""
    variants = {
        JSON_LD: _variant(JSON_LD, dump(node)),
        JSON: _variant(JSON, dump(plain(contract, node))),
    }
    return Document(variants, plain=True)


def json_document(value: Mapping[str, Any]) -> Document:
    """What is JSON and nothing else."""
    return Document({JSON: _variant(JSON, dump(value))})


def passing_document(value: Mapping[str, Any]) -> Document:
    """What is JSON and nothing else, and true for the moment."""
    return replace(json_document(value), lasting=False)


def context_document(context: Mapping[str, Any]) -> Document:
    """A context is JSON-LD, and JSON to those who do not know JSON-LD."""
    content = dump(context)
    return Document({JSON_LD: _variant(JSON_LD, content), JSON: _variant(JSON, content)})


def _variant(media_type: str, content: bytes) -> Variant:
    """The same bytes in another media type are another representation (RFC 9110 section 8.8.3.3)."""
    return Variant(content, entity_tag(f"{media_type}\n".encode() + content))


def _turtle(json_ld: bytes, context: Mapping[str, Any]) -> bytes:
    """Blank nodes get the labels of their canonical form, so that the bytes are the same in every process."""
    dataset = ox.Dataset(ox.parse(json_ld, format=ox.RdfFormat.JSON_LD))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    prefixes = {
        key: value
        for key, value in context["@context"].items()
        if isinstance(value, str) and value[-1] in "#/"
    }
    triples = sorted((quad.triple for quad in dataset), key=str)
    content = ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=prefixes)
    assert content is not None  # noqa: S101 - it is None only when it is written to a file
    return content
