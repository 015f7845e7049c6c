"""LD-19: what is served has the published shapes, whoever asks and whatever it is; pySHACL is the judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rdflib import Graph
from rdflib.namespace import RDF, SH
from rdflib.term import URIRef

from tests.conformance.fresh import instance_of, organization_of, patched
from tests.service import BASE, CALLERS, TURTLE, Service, World, id_of, made, offered
from tests.shacl import Documents, Result, Shapes, apart, results
from tests.test_graphs import contexts, crawl

pytestmark = pytest.mark.anyio

HYDRA, VOCAB = "http://www.w3.org/ns/hydra/core#", f"{BASE}/vocab#"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
async def documents(service: Service) -> Documents:
    return await contexts(service.as_(None))


@pytest.fixture(scope="module")
async def shapes(service: Service) -> Shapes:
    answer = await service.as_(None).get("/shapes", headers={"Accept": TURTLE})
    return Shapes(Graph().parse(data=answer.text, format="turtle"))


def looked_at(graph: Graph, shapes: Graph) -> set[str]:
    """The local names of the classes that nodes were looked at as."""
    targets = shapes.subject_objects(SH.targetClass)
    return {str(shape).rpartition("#")[2] for shape, class_ in targets if (None, RDF.type, class_) in graph}


def checked(
    bodies: list[dict[str, Any]], documents: Documents, shapes: Graph
) -> tuple[list[Result], set[str]]:
    graph = apart(bodies, documents)
    for body in bodies:
        types = body["@type"] if isinstance(body["@type"], list) else [body["@type"]]
        assert types, body
    return results(graph, shapes), looked_at(graph, shapes)


def is_of_a_class(address: str) -> bool:
    """The documentation and the contract are not of classes that this service describes."""
    return address.startswith(f"{BASE}/api") and not address.endswith("/api/docs")


@pytest.mark.parametrize("name", CALLERS)
async def test_ld_19_every_representation_has_the_published_shapes(
    service: Service, world: World, shapes: Shapes, documents: Documents, name: str
) -> None:
    """Everything that can be reached from the entry point, problems among it."""
    subject, scopes = CALLERS[name]
    found = await crawl(service.as_(subject, *scopes), f"{BASE}/api")
    bodies = [answer.json() for address, answer in found.items() if answer.content and is_of_a_class(address)]
    wrong, classes = checked(bodies, documents, shapes)
    assert wrong == []
    assert {"Service", "Entrypoint"} <= classes
    if name == "owner":
        assert classes >= {
            *world.examples,
            *("OrganizationCollection", "InstanceCollection", "MemberCollection", "ActivityCollection"),
            *("AuthorizationCollection", "TransferTargetCollection", "Change", "Problem", "Tombstone"),
        }
    elif not subject or name == "token without scope":
        assert "Problem" in classes
    else:
        assert {"Partner", "OrganizationCollection"} <= classes


async def test_ld_19_every_answer_to_a_change_has_the_published_shapes(
    service: Service, world: World, shapes: Shapes, documents: Documents
) -> None:
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    mine, given = await organization_of(service), await made(neighbour, "/api/organizations", name="Other")
    shop = await instance_of(service)
    offer = await offered(service, shop, given, accept=False)
    answers = [
        await owner.post("/api/organizations", json={"name": "New"}),
        await owner.post(f"{mine}/members", json={"email": "new@acme.example", "role": "member"}),
        await owner.put(mine, json={"name": "Newer"}),
        await patched(owner, mine, {"name": "Newest"}),
        await owner.put(shop, json={"name": "Newer"}),
        await patched(neighbour, offer, {"status": "accepted"}),
        # Who gives an instance away does not see it any more: the answer has none of its links.
        await owner.post(f"{shop}/transfer", json={"organization_id": id_of(given)}),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 200, 200, 200, 200, 200]
    assert "organization" not in answers[-1].json()
    wrong, classes = checked([answer.json() for answer in answers], documents, shapes)
    assert wrong == []
    assert {"Organization", "Member", "Instance", "Authorization"} <= classes


async def test_ld_19_every_kind_of_problem_has_the_published_shapes(
    service: Service, world: World, shapes: Shapes, documents: Documents
) -> None:
    owner = service.as_("owner")
    answers = [
        await service.as_(None).get("/api/organizations"),
        await owner.get("/nothing"),
        await owner.get("/api", headers={"Accept": "image/png"}),
        await owner.get(world.deleted_shop),
        await owner.post("/api/instances", json={"name": " ", "handle": "X", "more": 1}),
        await owner.post(f"{world.acme}/instances", json={"name": "x", "handle": "acme-shop"}),
        await owner.put(world.shop, json={"handle": "other"}),
    ]
    assert [answer.status_code for answer in answers] == [401, 404, 406, 410, 422, 409, 422]
    wrong, classes = checked([answer.json() for answer in answers], documents, shapes)
    assert wrong == []
    assert classes >= {
        *("Problem", "Violation", "Representation", "Tombstone", "ValidationReport", "ValidationResult"),
    }


async def test_ld_19_what_has_not_the_published_shapes_is_found(
    service: Service, world: World, shapes: Shapes, documents: Documents
) -> None:
    """Each member that has to be there is taken away, and each value of a kind replaced by another."""
    owner = service.as_("owner")
    for class_name, path in {**world.examples, "Entrypoint": "/api"}.items():
        body = (await owner.get(path)).json()
        body.pop("operation")
        broken = dict(breaks(body, URIRef(VOCAB + class_name), shapes, documents))
        graph = apart(broken.values(), documents)
        found = {result.focus.split(":")[2] for result in results(graph, shapes)}
        missed = [how for number, how in enumerate(broken) if str(number) not in found]
        assert (missed, len(broken) > 3) == ([], True), class_name
    page = (await owner.get("/api/instances")).json()
    broken_pages = [page | {"totalItems": -1}, page | {"view": []}, page | {"member": [{"name": "x"}]}]
    wrong, _ = checked(broken_pages, documents, shapes)
    assert {result.focus for result in wrong} == {f"urn:body:{n}:/api/instances" for n in range(3)}


def breaks(
    body: dict[str, Any], class_: URIRef, shapes: Graph, documents: Documents
) -> Iterator[tuple[str, dict[str, Any]]]:
    for property_ in shapes.objects(class_, SH.property):
        key = str(shapes.value(property_, SH.name))
        if key not in body:
            continue
        if shapes.value(property_, SH.minCount):
            yield f"without {key}", {name: value for name, value in body.items() if name != key}
        if shapes.value(property_, SH.nodeKind) == SH.IRI:
            yield f"no IRI in {key}", body | {key: {"name": "x"}}
        elif isinstance(body[key], str):
            yield f"a number in {key}", body | {key: 7}
        if shapes.value(property_, SH.maxCount):
            yield f"two of {key}", body | {key: [body[key], "urn:x:y"]}
