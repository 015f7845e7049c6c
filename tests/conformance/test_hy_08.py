"""HY-08 of the conformance list: what an operation expects is accepted, and what it returns comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader
from rdflib import Graph

from app.caller import READ_ALL
from tests.conformance.generating import content, examples
from tests.conformance.operations import request_of
from tests.promises import OPERATIONS, status_name
from tests.service import BASE, JSON_LD, PATCH, TURTLE, Service, World
from tests.test_graphs import contexts

pytestmark = pytest.mark.anyio

NOTHING = "http://www.w3.org/2002/07/owl#Nothing"
EXPECTING = [name for name, operation in OPERATIONS.items() if operation.expects]
# What is made by chance may be there already.
TAKEN = ("handle-taken", "already-member")


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
async def classes(service: Service) -> Mapping[str, Any]:
    documentation = (await service.as_(None).get("/api/docs")).json()
    return {class_["@id"]: class_ for class_ in documentation["supportedClass"]}


@pytest.fixture(scope="module")
def operations(classes: Mapping[str, Any]) -> Mapping[str, Any]:
    """As they are documented, by the end of their IRI: of classes, of what they have, and of links."""
    supported = [it for class_ in classes.values() for it in class_["supportedProperty"]]
    having = [*classes.values(), *supported, *(it["property"] for it in supported)]
    found = [operation for it in having for operation in it.get("supportedOperation", ())]
    return {operation["@id"].rpartition("#")[2]: operation for operation in found}


@pytest.fixture(scope="module")
async def shapes(service: Service) -> Graph:
    vocabulary = await service.as_(None).get("/vocab", headers={"Accept": TURTLE})
    return Graph().parse(data=vocabulary.text, format="turtle")


@pytest.mark.parametrize("name", EXPECTING)
async def test_hy_08_what_is_expected_is_accepted(
    service: Service,
    world: World,
    classes: Mapping[str, Any],
    operations: Mapping[str, Any],
    shapes: Graph,
    name: str,
) -> None:
    """Whatever the documentation and the shapes allow to be made, and nothing but that."""
    organization = BASE + (await request_of(name, service, world)).organization
    expected, accepted = classes[operations[name]["expects"]], 0
    fields = {"Content-Type": PATCH if operations[name]["method"] == "PATCH" else JSON_LD}
    for made in examples(content(expected, shapes, organization), 8):
        request = await request_of(name, service, world)
        answer = await replace(request, content=made, headers=fields).of(service)
        if answer.status_code == 409 and status_name(name, answer) in TAKEN:
            continue
        assert answer.is_success, (made, answer.text)
        shown = (await service.as_("auditor", READ_ALL).get(answer.json()["@id"])).json()
        assert {key: shown.get(key) for key in made} == made
        accepted += 1
    assert accepted


@pytest.mark.parametrize("name", OPERATIONS)
async def test_hy_08_what_is_returned_is_what_was_said(
    service: Service, world: World, operations: Mapping[str, Any], name: str
) -> None:
    request = await request_of(name, service, world)
    answer = await request.of(service)
    if answer.status_code == 303:
        answer = await service.as_(request.caller).get(answer.headers["Location"])
    returns = operations[name]["returns"]
    assert answer.is_success
    assert (answer.status_code == 204) == (returns == NOTHING)
    if answer.content:
        loader = FrozenDocumentLoader(documents=await contexts(service.as_(None)))
        [node] = jsonld.expand(json.loads(answer.content), {"documentLoader": loader})
        assert returns in node["@type"]
    assert OPERATIONS.keys() == operations.keys()
