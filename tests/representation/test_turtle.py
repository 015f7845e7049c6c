"""What is written as Turtle says what the node object says, to readers who know nothing of it."""

from __future__ import annotations

from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from app.representation.forms import N_TRIPLES, TRIG, TURTLE
from app.representation.writing import Writers
from tests.promises import BASE, CONTRACT

WRITERS = Writers(CONTRACT)
HERE = f"{BASE}/api/instances/1"
NAME = rdflib.URIRef("https://schema.org/name")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def canonical(content: bytes, form: ox.RdfFormat) -> str:
    dataset = ox.Dataset(ox.parse(content, format=form))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return "\n".join(sorted(map(str, dataset)))


@given(TEXT)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    content = WRITERS.data.write({"@id": HERE, "name": text}, TURTLE)
    graph = rdflib.Graph().parse(data=content, format="turtle")
    assert [str(it) for it in graph.objects(rdflib.URIRef(HERE), NAME)] == [text]
    [quad] = ox.parse(content, format=ox.RdfFormat.TURTLE)
    assert isinstance(quad.object, ox.Literal)
    assert quad.object.value == text


LEAVES: st.SearchStrategy[Any] = st.builds(
    lambda address, name: {"@id": f"{BASE}/api/organizations/{address}", "name": name},
    st.integers(1, 3),
    TEXT,
)
NODES = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {"@type": st.sampled_from(["Organization", ["Organization", "Instance"]])},
        optional={
            "@id": st.sampled_from([HERE, f"{BASE}/vocab#Instance", f"{BASE}/api/activities/1#change-1"]),
            "name": TEXT,
            "created_at": st.just("2026-01-01T00:00:00.000000Z"),
            "owners": st.lists(inner, max_size=3),
            "organization": st.just(f"{BASE}/api/organizations/1"),
            "totalItems": st.integers(),
            "hydra:required": st.booleans(),
        },
    ),
    max_leaves=6,
)


@given(NODES)
def test_any_node_is_the_graph_that_it_is_in_the_syntax_of_triples(node: dict[str, Any]) -> None:
    """That one is written by pyoxigraph."""
    triples = canonical(WRITERS.data.write(node, N_TRIPLES), ox.RdfFormat.N_TRIPLES)
    assert canonical(WRITERS.data.write(node, TURTLE), ox.RdfFormat.TURTLE) == triples
    assert canonical(WRITERS.data.write(node, TRIG), ox.RdfFormat.TRIG) == triples


@pytest.mark.parametrize("address", ["http://a.example/ b", "http://a.example/>", 'http://a.example/"'])
def test_what_would_end_an_iri_is_none(address: str) -> None:
    with pytest.raises(ValueError, match="not an IRI"):
        WRITERS.data.write({"@id": address, "name": "x"}, TURTLE)
