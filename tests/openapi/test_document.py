"""The OpenAPI document: valid, complete, and nothing in it that the contract does not say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from rdflib.term import URIRef
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from app.contract.constraints import NO_STRING
from app.contract.contract import statuses, text
from app.contract.json_schema import NO_TEXT_SCHEMA
from app.contract.namespaces import HYDRA, SHACL
from app.contract.sources import local_name
from app.exchange import Resource
from app.openapi.document import openapi
from app.representation.forms import HTML
from app.routes import ROUTES
from tests.conformance.operations import Request, request_of
from tests.promises import ANYWHERE, CONTRACT, DECLARED, OPERATIONS
from tests.service import BASE, CALLERS, JSON, JSON_LD, PATCH, PROBLEM, Service, World, forms

pytestmark = pytest.mark.anyio

OPENAPI = f"{BASE}/api/openapi.json"
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    published = [route.path for route in ROUTES if not route.promise]
    found: dict[str, Any] = json.loads(json.dumps(openapi(CONTRACT, ROUTES, published)))
    return found


def within(value: Any) -> Iterator[dict[str, Any]]:
    """All objects that it holds."""
    if isinstance(value, dict):
        yield value
    for it in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from within(it)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """The validator follows none that stands within an answer that many operations share."""
    found = {it["$ref"] for it in within(document) if isinstance(it.get("$ref"), str)}
    assert len(found) > 100
    for it in found:
        assert it.startswith("#/"), it
        place: Any = document
        for key in it.removeprefix("#/").split("/"):
            assert key in place, it
            place = place[key]


def test_a_generator_finds_a_name_of_its_own_for_each_schema(document: dict[str, Any]) -> None:
    """By its title, or else by what it is called; most leave out what no identifier has, and some take a dot
    for the end of a module's name."""
    schemas = document["components"]["schemas"]
    assert not [name for name in schemas if "." in name]
    for names in (list(schemas), [schema.get("title", name) for name, schema in schemas.items()]):
        identifiers = {re.sub("[^A-Za-z0-9]", "", name).lower() for name in names}
        assert len(identifiers) == len(names)


async def test_it_is_what_the_service_serves(service: Service, document: dict[str, Any]) -> None:
    answer = await service.as_(None).get(OPENAPI)
    assert answer.status_code == 200
    assert answer.json() == document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method.upper(), item[method]


def resolved(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in value:
        found: Any = document
        for key in value["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        value = found
    return value


def errors(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    resource = DRAFT202012.create_resource(document)
    registry: Registry[Any] = Registry().with_resource("urn:document", resource)
    rooted = _rooted(schema)
    validator = Draft202012Validator(
        rooted, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{list(it.path)}: {it.message}" for it in validator.iter_errors(value)]


def _rooted(schema: Any) -> Any:
    """References within the document, as they are from outside."""
    if isinstance(schema, dict):
        return {
            key: f"urn:document{value}" if key == "$ref" and value.startswith("#") else _rooted(value)
            for key, value in schema.items()
        }
    return [_rooted(it) for it in schema] if isinstance(schema, list) else schema


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_it_is_called_as_the_documentation_calls_the_service(document: dict[str, Any]) -> None:
    node = URIRef(f"{BASE}/api/docs")
    assert document["info"]["title"] == text(CONTRACT.sources, node, HYDRA.title)
    assert document["info"]["description"] == text(CONTRACT.sources, node, HYDRA.description)
    assert document["servers"] == [{"url": BASE}]


def test_what_is_documented_is_what_is_routed(document: dict[str, Any]) -> None:
    documented = {(path, method) for path, method, _ in operations(document)}
    assert documented == {(route.path, method) for route in ROUTES for method in route.operations}
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def test_each_operation_has_the_title_and_the_statuses_of_the_contract(document: dict[str, Any]) -> None:
    """And where programs are led on the page that people get there."""
    routed = {(route.path, method): route for route in ROUTES for method in route.operations}
    reached = {name: code for name, code in ANYWHERE.items() if code != 501}
    for path, method, operation in operations(document):
        route = routed[path, method]
        if not route.promise:
            continue
        found = CONTRACT.promises[route.promise][method]
        assert operation["summary"] == found.title
        assert operation["externalDocs"]["url"] == found.iri
        page = {"ok": 200} if method == "GET" and not route.offers else {}
        expected = {**DECLARED[found.name], **reached, **page}
        assert set(operation["responses"]) == {str(code) for code in expected.values()}
        types: set[str] = set()
        for answer in operation["responses"].values():
            content = resolved(document, answer).get("content", {})
            if PROBLEM in content:
                [_, told] = content[PROBLEM]["schema"]["allOf"]
                types |= {local_name(it) for it in told["properties"]["type"]["enum"]}
        assert types == {name for name in expected if name in CONTRACT.problems}


def explored(route: Resource) -> bool:
    """Linked data that has no other page, and what leads on to some."""
    if not route.offers:
        return bool(route.promise)
    return JSON_LD in route.offers and HTML not in route.offers


def test_each_operation_has_the_forms_of_its_route(document: dict[str, Any]) -> None:
    """And the explorer's page where there is no other one."""
    for route in ROUTES:
        for method in route.operations:
            answers = document["paths"][route.path][method.lower()]["responses"]
            for code in {"200", "201"} & answers.keys():
                page = [HTML] if method == "GET" and explored(route) else []
                assert list(answers[code]["content"]) == [*forms(route), *page]


def test_each_variable_of_a_search_is_a_parameter(document: dict[str, Any]) -> None:
    for route in ROUTES:
        if not route.promise or "GET" not in route.operations:
            continue
        definition = CONTRACT.classes.get(CONTRACT.ranges.get(route.promise, route.promise))
        variables = [it.name for it in definition.variables] if definition else []
        parameters = document["paths"][route.path]["get"].get("parameters", [])
        queried = [it for it in parameters if it.get("in") == "query"]
        assert [it["name"] for it in queried] == variables
        assert all(it["description"] for it in queried)


@pytest.mark.parametrize(
    "direction", ["asc", "desc", "ASC", "DESC", "Desc", "ascending", "up", " asc", "", "\n"]
)
async def test_an_order_has_the_directions_that_are_taken(
    service: Service, document: dict[str, Any], direction: str
) -> None:
    """In upper and lower case."""
    [order] = [
        it
        for it in document["paths"]["/api/instances"]["get"]["parameters"]
        if it.get("name") == "order[name]"
    ]
    answer = await service.as_("owner").get("/api/instances", params={"order[name]": direction})
    assert (errors(document, order["schema"], direction) == []) is answer.is_success


def test_who_needs_a_token_is_told_which_scopes_do(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        scopes = [scope for it in operation["security"] for scope in it["bearer"]]
        if (
            path.startswith("/api/")
            and "docs" not in path
            and "reference" not in path
            and path != "/api/openapi.json"
        ):
            reading = ["registry:read", "registry:write", "registry:read-all"]
            assert scopes == (reading if method == "GET" else ["registry:write"])
        else:
            assert scopes == []


# None of which holds for what is there.
CONDITIONS = {"If-Match": '"another"', "If-None-Match": "*"}


@pytest.mark.parametrize("name", [name for name, it in OPERATIONS.items() if it.method != "GET"])
async def test_an_operation_names_the_conditions_that_it_depends_on(
    service: Service, world: World, document: dict[str, Any], name: str
) -> None:
    """What adds something to a list among them: it depends on how that is."""
    kept = set()
    for field, value in CONDITIONS.items():
        request = replace(await request_of(name, service, world), headers={field: value})
        answer = await request.of(service)
        assert answer.is_success or answer.status_code == 412, answer.text
        kept |= {field} if answer.status_code == 412 else set()
    for _, _, operation in operations(document):
        if operation["operationId"].partition("-in-")[0] == name:
            taken = {it["$ref"].rpartition("/")[2] for it in operation["parameters"]}
            assert taken & CONDITIONS.keys() == kept
            assert ("412" in operation["responses"]) is bool(kept)


async def test_what_is_served_is_as_its_schema_says_and_says_nothing_else(
    service: Service, world: World, document: dict[str, Any]
) -> None:
    """In both forms of JSON; the schemas stay open, but nothing is there that they do not know."""
    owner, routes = service.as_("owner"), {route.path: route for route in ROUTES}
    asked = {
        "/api": "/api",
        "/api/organizations": "/api/organizations",
        "/api/instances": "/api/instances",
        "/api/activities": "/api/activities",
        "/api/organizations/{organization_id}/members": f"{world.acme}/members",
        "/api/instances/{instance_id}/authorizations": f"{world.shop}/authorizations",
        "/api/instances/{instance_id}/transfer": f"{world.shop}/transfer",
        "/api/organizations/{id}": world.acme,
        "/api/instances/{id}": world.shop,
        "/api/organizations/{organization_id}/members/{id}": world.member,
        "/api/instances/{instance_id}/authorizations/{id}": world.accepted,
        "/api/activities/{id}": world.activity,
        "/api/partners/{id}": world.partner,
    }
    assert asked.keys() <= routes.keys()
    for pattern, path in asked.items():
        content = document["paths"][pattern]["get"]["responses"]["200"]["content"]
        for form in (JSON, JSON_LD):
            body = (await owner.get(path, headers={"Accept": form})).json()
            assert errors(document, content[form]["schema"], body) == [], (path, form)
            known = resolved(document, content[form]["schema"])["properties"]
            assert body.keys() - known.keys() <= {"collection"}, (path, form)


async def test_problems_are_as_their_schema_says(
    service: Service, world: World, document: dict[str, Any]
) -> None:
    owner = service.as_("owner")
    answers = [
        await owner.get(world.deleted_shop),
        await owner.get(world.absent),
        await service.as_(None).get(world.shop),
        await owner.post("/api/instances", json={"handle": "-"}),
        await owner.get(world.shop, headers={"Accept": "image/png"}),
        await owner.post("/api/organizations", json={}, headers={"Accept": JSON}),
    ]
    assert {answer.status_code for answer in answers} == {401, 404, 406, 410, 422}
    schemas = document["components"]["responses"]
    for answer in answers:
        name = local_name(answer.json()["type"])
        schema = schemas[name]["content"][PROBLEM]["schema"]
        assert errors(document, schema, answer.json()) == []


@pytest.mark.parametrize(
    ("name", "content", "right"),
    [
        ("OrganizationCollection-create-content", {"name": "Acme"}, True),
        ("OrganizationCollection-create-content", {}, False),
        ("OrganizationCollection-create-content", {"name": " Acme"}, False),
        ("OrganizationCollection-create-content", {"name": "A\x01"}, False),
        ("OrganizationCollection-create-content", {"name": "A", "colour": "red"}, False),
        ("Organization-rename-content", {}, True),
        ("Organization-rename-content", {"name": None}, False),
        ("Organization-replace-content", {"name": "Acme", "colour": "red"}, False),
        ("Instance-rename-content", {"handle": None}, False),
        ("Instance-rename-content", {"organization": {"@id": "https://a.example/", "name": "A"}}, False),
        ("InstanceCollection-create-in-organization-content", {"name": "A", "handle": "a-b"}, True),
        ("InstanceCollection-create-in-organization-content", {"name": "A", "handle": "admin"}, False),
        ("InstanceCollection-create-in-organization-content", {"name": "A", "handle": "a-b\n"}, False),
        ("InstanceCollection-create-content", {"name": "A", "handle": "a-b"}, False),
        ("InstanceCollection-create-content", {"name": "A", "handle": "a-b", "organization_id": None}, False),
        ("MemberCollection-add-content", {"email": "a@b.example", "role": "owner"}, True),
        ("MemberCollection-add-content", {"email": "a@b.example", "role": "boss"}, False),
        ("AuthorizationCollection-offer-content", {}, False),
        (
            "AuthorizationCollection-offer-content",
            {"organization": {"@id": "https://a.example/", "@type": "Organization"}},
            True,
        ),
        (
            "AuthorizationCollection-offer-content",
            {"organization": {"@id": "https://a.example/", "@type": "Instance"}},
            False,
        ),
    ],
)
def test_what_is_taken_is_what_its_schema_says(
    document: dict[str, Any], name: str, content: dict[str, Any], *, right: bool
) -> None:
    schema = {"$ref": f"#/components/schemas/{name}"}
    assert (errors(document, schema, content) == []) is right


CHANGES = [name for name, it in OPERATIONS.items() if it.method in ("PATCH", "PUT")]


def faults(document: dict[str, Any], name: str, content: Any) -> list[list[str]]:
    """What the schemas of an operation find wrong, one at each address at which it is."""
    schemas = document["components"]["schemas"]
    names = [it for it in schemas if it.partition("-in-")[0] == name]
    return [errors(document, {"$ref": f"#/components/schemas/{it}"}, content) for it in names]


async def change(service: Service, world: World, name: str) -> tuple[Request, httpx.AsyncClient]:
    """One that succeeds, and who sends it."""
    request = await request_of(name, service, world)
    subject, scopes = CALLERS[request.caller]
    return request, service.as_(subject, *scopes)


def with_content(request: Request, content: dict[str, Any]) -> Request:
    return replace(request, content=None, octets=json.dumps(content).encode())


@pytest.mark.parametrize("name", CHANGES)
async def test_a_whole_record_is_sent_back_as_the_schema_of_a_change_says(
    service: Service, world: World, document: dict[str, Any], name: str
) -> None:
    """In both forms of JSON, and as API Platform's admin sends it: with the address for an id, the id beside
    it, and null for what was left empty."""
    request, client = await change(service, world, name)
    linked, plain = [
        (await client.get(request.path, headers={"Accept": form})).json() for form in (JSON_LD, JSON)
    ]
    definition = CONTRACT.classes[linked["@type"]]
    absent = dict.fromkeys(definition.properties.keys() - linked.keys())
    edited = {**absent, **linked, "id": linked["@id"], "originId": plain["id"]}
    for whole in (linked, plain, edited):
        content = {**whole, **(request.content or {})}
        assert not any(faults(document, name, content)), faults(document, name, content)
        answer = await with_content(request, content).sent(client)
        assert answer.status_code == 200, answer.text


# For every member: no value, a right one here and there, and what is right nowhere.
VALUES: tuple[Any, ...] = (None, "owner", 5, ["owner"], {}, {"@id": "about:blank", "colour": "red"})


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_takes_no_member_but_as_its_schema_says(
    service: Service, world: World, document: dict[str, Any], name: str
) -> None:
    """What is ignored, and what is unknown. Of what has to say what is so only that can be told: whether a
    value is the one that is there, or stands in the place of one, no schema knows."""
    request, client = await change(service, world, name)
    node = (await client.get(request.path)).json()
    keys = [
        *CONTRACT.classes[node["@type"]].properties,
        *("@context", "@id", "@type", "originId", "operation"),
    ]
    met: set[str] = set()
    for key in (*keys, "colour", "@graph"):
        for value in VALUES:
            content = {**(request.content or {}), key: value}
            answer = await with_content(request, content).sent(client)
            told = faults(document, name, content)
            codes = {it["code"] for it in answer.json().get("violations", ())}
            met |= codes
            if answer.is_success:
                assert not any(told), (key, value)
            elif codes - {"readOnly", "required"}:
                assert all(told), (key, value, codes)
    assert {"unknown", "readOnly", "context", "type", "required"} <= met


def test_every_pattern_example_and_constraint_of_the_contract_is_there(document: dict[str, Any]) -> None:
    schemas, graph = document["components"]["schemas"], CONTRACT.sources.graph
    for name in ("Name", "Handle", "Identifier", "EmailAddress"):
        node = URIRef(f"{BASE}/vocab#{name}")
        pattern = str(graph.value(node, SHACL.pattern))
        assert re.compile(schemas[name]["pattern"]).pattern.encode().decode("unicode_escape") == pattern
        for keyword in ("minLength", "maxLength"):
            limit = graph.value(node, SHACL[keyword])
            assert schemas[name].get(keyword) == (int(str(limit)) if limit is not None else None)
        assert errors(document, {"$ref": f"#/components/schemas/{name}"}, schemas[name]["examples"][0]) == []


def test_each_operation_that_takes_something_shows_an_example_of_it(document: dict[str, Any]) -> None:
    """One that would be taken as far as a schema can tell."""
    shown = 0
    for _, _, operation in operations(document):
        for body in operation.get("requestBody", {}).get("content", {}).values():
            if "$ref" in body["schema"]:
                [example] = resolved(document, body["schema"])["examples"]
                assert example
                assert errors(document, body["schema"], example) == []
                shown += 1
    assert shown > 15


def test_what_is_no_text_here_is_no_text_there() -> None:
    pattern = re.compile(NO_TEXT_SCHEMA["pattern"])
    for number in (*range(0xD800), *range(0xE000, 0x10000), 0x10FFFF):
        character = chr(number)
        assert bool(pattern.search(character)) is bool(NO_STRING.search(character)), hex(number)


def test_a_link_leads_to_an_operation_and_fills_its_path(document: dict[str, Any]) -> None:
    by_id = {it["operationId"]: (path, it) for path, _, it in operations(document)}
    led = set()
    for link in document["components"]["links"].values():
        path, _ = by_id[link["operationId"]]
        assert set(link["parameters"]) == set(re.findall(r"{(\w+)}", path))
        led.add(link["operationId"])
    assert {"Instance-read", "Instance-delete", "Member-change", "AuthorizationCollection-offer"} <= led


def test_every_class_of_a_status_is_described_by_the_vocabulary(document: dict[str, Any]) -> None:
    described = {
        text(CONTRACT.sources, it, HYDRA.description)
        for found in CONTRACT.operations.values()
        for it in statuses(CONTRACT.sources, URIRef(found.iri))
    }
    for _, _, operation in operations(document):
        for answer in operation["responses"].values():
            told = resolved(document, answer)["description"]
            assert told
            if operation.get("externalDocs") and "content" not in resolved(document, answer):
                assert told.partition(". ")[2] in described


async def test_it_comes_as_openapi_to_who_asks_for_that(service: Service) -> None:
    client = service.as_(None)
    answer = await client.get(OPENAPI, headers={"Accept": "application/openapi+json"})
    assert answer.headers["Content-Type"] == "application/openapi+json"
    assert answer.content == (await client.get(OPENAPI)).content
    again = await client.get(
        OPENAPI, headers={"If-None-Match": answer.headers["ETag"], "Accept": "application/openapi+json"}
    )
    assert again.status_code == 304


FORMATS = {
    it.media_type: it
    for it in (ox.RdfFormat.TURTLE, ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS, ox.RdfFormat.TRIG)
}


def sent_in(document: dict[str, Any], operation: dict[str, Any], media_type: str) -> str:
    return str(operation["requestBody"]["content"][media_type]["example"])


def test_what_is_sent_has_an_example_that_says_the_same_in_every_syntax(document: dict[str, Any]) -> None:
    met = 0
    for _, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        told = set()
        for media_type in content.keys() - {JSON, JSON_LD, PATCH}:
            example = sent_in(document, operation, media_type)
            # `<>` is what is at the address that it is sent to, and so is the one blank node.
            named = re.sub(r"<>|_:here", f"<{BASE}/x>", example)
            quads = ox.parse(named, format=FORMATS[media_type])
            told.add(frozenset(map(str, quads)))
        if content.keys() & {JSON}:
            [example] = resolved(document, content[JSON]["schema"])["examples"]
            assert [len(it) for it in told] == [len(example)]
            met += 1
    assert met > 5


@pytest.mark.anyio
async def test_examples_of_what_is_sent_are_taken(
    on_sqlite: tuple[Service, World], document: dict[str, Any]
) -> None:
    operation = document["paths"]["/api/organizations"]["post"]
    for media_type in FORMATS:
        content = sent_in(document, operation, media_type)
        answer = (
            await on_sqlite[0]
            .as_("owner")
            .post("/api/organizations", content=content, headers={"Content-Type": media_type})
        )
        assert answer.status_code == 201, answer.text
