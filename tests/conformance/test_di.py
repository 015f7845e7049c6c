"""Section 26 of the conformance list: how a client finds its way over the years."""

from __future__ import annotations

import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from tests.service import BASE, TURTLE, Service, World
from tests.test_graphs import contexts

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


async def test_di_07_an_address_is_that_of_the_record(service: Service, world: World) -> None:
    """Asked for as it is named, without a redirect; wherever it was loaded from, it has the same name."""
    loader = FrozenDocumentLoader(documents=await contexts(service.as_(None)))
    for path in world.examples.values():
        answer = await service.as_("owner").get(path)
        assert answer.status_code == 200
        assert "#" not in answer.json()["@id"]
        for base in (BASE + path, "http://elsewhere.example/copy"):
            [node] = jsonld.expand(answer.json(), {"documentLoader": loader, "base": base})
            assert node["@id"] == BASE + path


async def test_di_07_the_documentation_says_so(service: Service) -> None:
    vocabulary = (await service.as_(None).get("/vocab", headers={"Accept": TURTLE})).text
    assert "An address names the record that is kept here" in vocabulary
