"""jsonld.js, which most clients on the web are made with, reads the graphs that the judges in Python read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pyoxigraph as ox
import pytest

from tests.clients.conftest import Service
from tests.test_graphs import by_pyld, by_pyoxigraph, by_rdflib, canonical, contexts, crawl, inlined

pytestmark = pytest.mark.anyio


async def test_jsonld_js_reads_every_answer_as_the_others_do(
    service: Service, client: Callable[..., Any]
) -> None:
    """CLIENTS J9: in safe mode, so that nothing is dropped; with the contexts that the service serves."""
    headers = {"Authorization": f"Bearer {service.token}"}
    async with httpx.AsyncClient(headers=headers, base_url=service.base, trust_env=False) as reader:
        documents = await contexts(reader, service.base)
        found = await crawl(reader, f"{service.base}/api")
        bodies = {
            address: answer.json()
            for address, answer in found.items()
            if answer.content and answer.status_code == 200 and "/contexts/" not in address
        }
        problems = (f"{service.base}/nothing", f"{service.base}/api/instances?page=0")
        bodies |= {address: (await reader.get(address)).json() for address in problems}
    assert len(bodies) > 30
    read = client("jsonld.mjs", *service, *bodies)
    for address, body in bodies.items():
        graph = canonical(ox.parse(read[address], format=ox.RdfFormat.N_QUADS))
        if "instance" in body:
            # Each time that a problem is met is an occurrence of its own.
            occurrence = body["instance"].partition("#")[2]
            graph = [re.sub("(?<=#)[0-9a-f-]{36}", occurrence, line) for line in graph]
        assert graph == by_pyld(body, documents), address
        assert graph == by_rdflib(inlined(body, documents)), address
        assert graph == by_pyoxigraph(inlined(body, documents)), address
