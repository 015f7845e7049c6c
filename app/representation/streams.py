"""Many node objects as one document, written piece by piece: however many there are, one piece is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import orjson
import pyoxigraph as ox

from app.addresses import DATA_CONTEXT
from app.contract.contract import Contract
from app.representation.forms import JSON_LD, N_QUADS, TURTLE
from app.representation.nodes import NodeObject, top_level
from app.representation.terms import Terms

NDJSON = "application/x-ndjson"
BY_NAME = {"n-quads": N_QUADS, "turtle": TURTLE, "json-ld": JSON_LD, "ndjson": NDJSON}


class Stream:
    """A document of node objects in one of these forms: its head, pieces of it, its tail.

    What a piece says of a subject is in that piece, and no subject is in two of them: no node here is blank.
    """

    def __init__(self, contract: Contract, form: str) -> None:
        self._contract = contract
        self._form = form
        context = contract.sources.contexts[DATA_CONTEXT.rpartition("/")[2]]
        self._terms = Terms(context, contract.base + DATA_CONTEXT)
        self._prefixes = self._terms.prefixes if form == TURTLE else {}

    @property
    def head(self) -> bytes:
        if self._form == JSON_LD:
            return b'{"@context":%s,"@graph":[' % orjson.dumps(self._terms.address)
        return b"".join(
            b"@prefix %s: <%s> .\n" % (it[0].encode(), it[1].encode()) for it in self._prefixes.items()
        )

    @property
    def tail(self) -> bytes:
        return b"\n]}\n" if self._form == JSON_LD else b""

    def piece(self, nodes: Sequence[NodeObject], *, first: bool) -> bytes:
        """`first` tells that no piece with nodes stands before it."""
        if self._form == NDJSON:
            return b"".join(orjson.dumps(top_level(self._contract, it, ())) + b"\n" for it in nodes)
        if self._form == JSON_LD:
            told = b",\n".join(map(orjson.dumps, nodes))
            return (b"\n" if first else b",\n") + told if told else b""
        triples = (triple for node in nodes for triple in self._terms.triples(node))
        if self._form == N_QUADS:
            return _serialized(triples, ox.RdfFormat.N_QUADS, None)
        content = _serialized(triples, ox.RdfFormat.TURTLE, self._prefixes)
        # Each piece would declare the prefixes again, a line for each.
        return content.split(b"\n", len(self._prefixes))[-1] if content else b""


def _serialized(
    triples: Iterable[ox.Triple], syntax: ox.RdfFormat, prefixes: Mapping[str, str] | None
) -> bytes:
    content = ox.serialize(triples, format=syntax, prefixes=dict(prefixes) if prefixes else None)
    assert content is not None  # noqa: S101 - it is None only when it is written to a file
    return content
