"""Two SHACL engines, pySHACL and rdf-validate-shacl, find the same by the published shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from rdflib import Graph

from tests.clients.conftest import Service
from tests.shacl import Documents, Shapes, apart, rdflib_graph, results, targeted
from tests.test_graphs import contexts, crawl

pytestmark = pytest.mark.anyio
LONG = True

NODE = "urn:content:"
# What is sent to make an instance, and how many constraints it violates.
CONTENTS: list[tuple[dict[str, Any], int]] = [
    ({"name": "Acme", "handle": "acme-eu"}, 0),
    ({"name": "é 中 names", "handle": "a", "organization": "urn:x:y", "operation": [{"method": "GET"}]}, 0),
    ({"name": "Acme"}, 1),
    ({"name": "Acme\n", "handle": "acme\n"}, 2),
    ({"name": " Acme", "handle": "ab--c"}, 2),
    ({"name": "a\u202eb", "handle": "www"}, 2),
    ({"name": "x" * 256, "handle": "a" * 31}, 2),
    ({"name": "\u200b\u2060", "handle": "a"}, 1),
    ({"name": "x\ufdd0y", "handle": "a"}, 1),
    ({"name": "نامه\u200cها", "handle": "a"}, 0),
    ({"name": ["a", "b"], "handle": 7}, 2),
    ({"name": "Acme", "handle": "a", "role": "owner"}, 1),
    ({"name": "Acme", "handle": "a", "organization_id": "01930000-0000-4000-8000-000000000000"}, 1),
    ({"name": "Acme", "handle": "a", "@type": "Partner"}, 1),
]


@pytest.fixture(scope="module")
async def documents(service: Service) -> Documents:
    async with httpx.AsyncClient(base_url=service.base, trust_env=False) as reader:
        return await contexts(reader, service.base)


@pytest.fixture(scope="module")
def shapes(service: Service) -> Shapes:
    answer = httpx.get(f"{service.base}/shapes", headers={"Accept": "text/turtle"}, trust_env=False)
    return Shapes(Graph().parse(data=answer.text, format="turtle"))


async def test_both_engines_find_that_everything_served_has_the_shapes(
    service: Service, client: Callable[..., Any], shapes: Shapes, documents: Documents
) -> None:
    """As pySHACL reads them."""
    headers = {"Authorization": f"Bearer {service.token}"}
    async with httpx.AsyncClient(headers=headers, base_url=service.base, trust_env=False) as reader:
        found = await crawl(reader, f"{service.base}/api")
    bodies = {
        address: answer.json()
        for address, answer in found.items()
        if answer.status_code == 200 and answer.content and address.startswith(f"{service.base}/api")
    }
    assert len(bodies) > 30
    theirs = client("shacl.mjs", *service, json.dumps({"documents": list(bodies), "contents": {}}))
    assert theirs["documents"] == {address: [] for address in bodies}
    assert results(apart(bodies.values(), documents, service.base), shapes) == []


async def test_both_engines_find_the_same_at_fault_in_what_is_sent(
    service: Service, client: Callable[..., Any], shapes: Shapes, documents: Documents
) -> None:
    shape = f"{service.base}/shapes#InstanceCollection-create"
    context = documents[f"{service.base}/contexts/v1/registry.jsonld"]["@context"]
    nodes = {f"{NODE}{number}": body for number, (body, _) in enumerate(CONTENTS)}
    graph = [{**body, "@id": node} for node, body in nodes.items()]
    content = json.dumps({"@context": context, "@graph": graph})
    quads = list(ox.parse(content, format=ox.RdfFormat.JSON_LD, base_iri=f"{service.base}/api/"))
    lines = ox.serialize(quads, format=ox.RdfFormat.N_QUADS)
    assert lines is not None
    asked = {"documents": [], "contents": {shape: {"nodes": list(nodes), "quads": lines.decode()}}}
    theirs = client("shacl.mjs", *service, json.dumps(asked))["contents"][shape]
    ours = results(rdflib_graph(quads), targeted(shapes, shape, nodes))
    assert theirs == sorted([result.focus, result.path, result.component] for result in ours)
    for node, (body, count) in zip(nodes, CONTENTS, strict=True):
        assert len([result for result in ours if result.focus == node]) == count, body
