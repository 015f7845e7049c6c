"""Section 6 of the conformance list: RDF in other syntaxes, as far as it is read or written at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.contract.contract import Contract
from tests.conformance.fresh import organization_of
from tests.service import BASE, JSON_LD, Service, World, id_of
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

XSD = "http://www.w3.org/2001/XMLSchema#"
ENTITIES = '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b SYSTEM "file:///etc/hostname">]><r>&a;&b;</r>'
GRAPHS = {
    "text/turtle": "<> <https://schema.org/name> " + "( " * 900 + ") " * 900 + ".",
    "application/n-triples": '<http://a/> <https://schema.org/name> "x" .',
    "application/n-quads": '<http://a/> <https://schema.org/name> "x" <http://g/> .',
    "application/trig": '<http://g/> { <> <https://schema.org/name> "x" }',
    "application/rdf+xml": ENTITIES,
    "application/xml": ENTITIES,
    "text/n3": "{} => {} .",
    "application/sparql-update": 'INSERT DATA { <> <https://schema.org/name> "x" }',
    "application/xhtml+xml": ENTITIES,
    "text/html": "<html></html>",
}


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


def test_rd_05_no_value_is_a_floating_point_number(contract: Contract) -> None:
    """What is neither read nor written needs no lexical form; as JSON, NaN is refused (JS-06)."""
    types = {p.shape.value_type for class_ in contract.classes.values() for p in class_.properties.values()}
    assert types - {None} == {f"{XSD}string", f"{XSD}integer", f"{XSD}dateTime"}


@pytest.mark.parametrize("media_type", GRAPHS)
async def test_rd_06_rdf_is_read_as_json_ld_alone(service: Service, world: World, media_type: str) -> None:
    owner, headers = service.as_("owner"), {"Content-Type": media_type}
    content = GRAPHS[media_type].encode()
    for method, path in (("POST", "/api/organizations"), ("PUT", world.acme), ("PATCH", world.acme)):
        answer = await owner.request(method, path, content=content, headers=headers)
        check_problem(answer, "unsupported-media-type")


async def test_rd_06_json_ld_is_read_under_a_limit_of_depth_and_names_no_context_of_others(
    service: Service,
) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    deep: Any = "x"
    for _ in range(33):
        deep = {"@graph": [deep]}
    headers = {"Content-Type": JSON_LD}
    answer = await owner.post("/api/organizations", content=json.dumps({"name": deep}), headers=headers)
    check_problem(answer, "malformed-content")
    for context in (
        "http://127.0.0.1:1/c",
        "file:///etc/hostname",
        ["http://127.0.0.1:1/c"],
        {"@import": "x"},
    ):
        content = {
            "@context": context,
            "name": "Shop",
            "handle": "never",
            "organization_id": id_of(organization),
        }
        refused = await owner.post("/api/instances", json=content, headers=headers)
        violations: Any = check_problem(refused, "invalid-content")["violations"]
        assert [violation["pointer"] for violation in violations] == ["#/@context"]
    known = {"@context": f"{BASE}/contexts/v1/registry.jsonld", "name": "Known"}
    assert (await owner.post("/api/organizations", json=known, headers=headers)).status_code == 201
