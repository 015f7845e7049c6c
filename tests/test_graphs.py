"""Every answer is one graph, whoever reads it; every address in it can be followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urldefrag

import httpx
import orjson
import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from tests.service import BASE, CALLERS, JSON, JSON_LD, Service, World

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]


# What rdflib calls the syntaxes.
SYNTAXES = {
    "text/turtle": "turtle",
    "application/n-triples": "nt",
    "application/n-quads": "nquads",
    "application/trig": "trig",
    "application/rdf+xml": "xml",
}


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


def addresses(value: Any, base: str = BASE) -> Iterator[str]:
    """Every absolute IRI of the service in a body, templates not among them."""
    if isinstance(value, str):
        if value.startswith(base) and "{" not in value:
            yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from addresses(child, base)
    elif isinstance(value, list):
        for child in value:
            yield from addresses(child, base)


async def crawl(client: httpx.AsyncClient, start: str) -> dict[str, httpx.Response]:
    """Every answer that can be reached from `start`, the entry point, by following what is in the bodies."""
    base = start.removesuffix("api")
    found: dict[str, httpx.Response] = {}
    waiting = [start]
    while waiting:
        address = urldefrag(waiting.pop()).url
        if address not in found:
            answer = await client.get(address)
            found[address] = answer
            waiting += [answer.headers["Location"]] if "Location" in answer.headers else []
            waiting += list(addresses(answer.json(), base)) if answer.content else []
    return found


async def contexts(client: httpx.AsyncClient, base: str = BASE) -> dict[str, Mapping[str, Any]]:
    names = ("registry", "problem", "documentation", "catalog")
    found = {}
    for name in names:
        address = f"{base}/contexts/v1/{name}.jsonld"
        found[address] = (await client.get(address)).json()
    return found


def canonical(quads: Any) -> list[str]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(map(str, dataset))


def inlined(body: dict[str, Any], documents: Mapping[str, Mapping[str, Any]]) -> bytes:
    """With its context inside, for the processors that shall fetch nothing."""
    context = body["@context"]
    return orjson.dumps(
        {**body, "@context": documents[context]["@context"] if isinstance(context, str) else context}
    )


def by_pyld(body: dict[str, Any], documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    loader = FrozenDocumentLoader(documents=dict(documents))
    text = jsonld.to_rdf(body, {"documentLoader": loader, "format": "application/n-quads"})
    return canonical(ox.parse(text, format=ox.RdfFormat.N_QUADS))


def by_rdflib(body: bytes) -> list[str]:
    graph = rdflib.Graph()
    with pytest.MonkeyPatch.context() as patch:
        # It would write Z as +00:00, which is the reader's doing.
        patch.setattr(rdflib, "NORMALIZE_LITERALS", False)
        graph.parse(data=body, format="json-ld")
    return canonical(ox.parse(graph.serialize(format="nt"), format=ox.RdfFormat.N_TRIPLES))


def by_pyoxigraph(body: bytes) -> list[str]:
    return canonical(ox.parse(body, format=ox.RdfFormat.JSON_LD))


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from keys(child)


def told_of(found: Mapping[str, httpx.Response]) -> set[str]:
    """What activities tell of: it may be gone."""
    bodies = [answer.json() for address, answer in found.items() if "/api/activities/" in address]
    return {body["object"] for body in bodies if "object" in body}


@pytest.mark.parametrize("name", CALLERS)
async def test_every_address_met_from_the_entry_point_answers_and_is_what_it_says(
    service: Service, world: World, name: str
) -> None:
    """CLIENTS J4, D10; HY-12: each answers 200 to whoever was shown it and is what was asked for."""
    subject, scopes = CALLERS[name]
    found = await crawl(service.as_(subject, *scopes), f"{BASE}/api")
    if name == "owner":
        assert {BASE + path for path in world.examples.values()} <= set(found)
    if name == "auditor":
        assert {BASE + path for path in (world.globex, world.globex_shop, world.pending)} <= set(found)
    gone = told_of(found)
    for address, answer in found.items():
        if address == f"{BASE}/api/me" and answer.status_code == 303:
            assert answer.headers["Location"].startswith(f"{BASE}/api/partners/")
            continue
        if not subject or name == "token without scope":
            # They begin where a token with a scope is needed.
            refused = (401, 403)[bool(subject)]
            assert answer.status_code == refused or "/api/" not in address or "/api/docs" in address
            continue
        if address in gone and answer.status_code == 410:
            assert answer.json()["tombstone"]["@id"] == address
            continue
        assert answer.status_code == 200, address
        assert answer.headers["Content-Type"] == JSON_LD, address
        body = answer.json()
        if "/contexts/" in address:
            assert list(body) == ["@context"]
        else:
            view = body.get("view", {}).get("@id") == address
            assert body["@id"] == address or view, address
            assert body["@type"]


async def test_all_processors_read_the_same_graph_and_drop_nothing(service: Service, world: World) -> None:
    """CLIENTS J8, J9; LD-01 to LD-12: PyLD, rdflib and pyoxigraph, with contexts from the service itself."""
    client = service.as_("owner")
    documents = await contexts(client)
    bodies = {
        address: answer.json()
        for address, answer in (await crawl(client, f"{BASE}/api")).items()
        if answer.content and "/contexts/" not in address
    }
    for path, accept in (
        ("/nothing", "*/*"),
        (world.deleted_shop, "*/*"),
        ("/api/instances?page=0", "*/*"),
        ("/api", "image/png"),
        ("/api/instances?page=1&order[name]=asc&name=s", "*/*"),
    ):
        bodies[path] = (await client.get(path, headers={"Accept": accept})).json()
    answer = await client.post("/api/instances", json={"name": " ", "handle": "X"})
    bodies["invalid"] = answer.json()
    assert len(bodies) > 20
    for address, body in bodies.items():
        inline = inlined(body, documents)
        graph = by_pyld(body, documents)
        assert graph == by_rdflib(inline), address
        assert graph == by_pyoxigraph(inline), address
        assert len(graph) >= 3
        context = orjson.loads(inline)["@context"]
        for key in keys({k: v for k, v in body.items() if k != "@context"}):
            assert key.startswith("@") or key in context or key.partition(":")[0] in context, (address, key)
        expanded = jsonld.expand(body, {"documentLoader": FrozenDocumentLoader(documents=documents)})
        for node in nodes(expanded):
            for name in (*node.get("@type", []), node.get("@id", "_:b")):
                assert ":" in name, (address, name)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "@value" not in value:
            yield value
        for child in value.values():
            yield from nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes(child)


async def test_embedded_nodes_have_an_iri_and_a_type(service: Service, world: World) -> None:
    """API.md section 2: all but search, mapping and operation; nothing is null."""
    client = service.as_("owner")
    for path in ("/api", "/api/organizations", "/api/activities", *world.examples.values()):
        for accept in (JSON_LD, JSON):
            answer = await client.get(path, headers={"Accept": accept})
            assert b"null" not in answer.content
        body = (await client.get(path)).json()
        pending = [(key, value) for key, value in body.items() if key not in ("search", "operation")]
        while pending:
            key, value = pending.pop()
            if isinstance(value, list):
                pending += [(key, item) for item in value]
            elif isinstance(value, dict) and key not in ("instance_by_handle", "hydra:object"):
                assert value["@id"].startswith(BASE), key
                assert value["@type"], key
                pending += list(value.items())
