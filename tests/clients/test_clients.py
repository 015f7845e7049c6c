"""What clients of others, which know JSON-LD and Hydra but not this service, make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.clients.conftest import Service

HYDRA = "http://www.w3.org/ns/hydra/core#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XSD = "http://www.w3.org/2001/XMLSchema#"
DCTERMS = "http://purl.org/dc/terms/"
SCHEMA_NAME = "https://schema.org/name"
NOTHING = "http://www.w3.org/2002/07/owl#Nothing"

ACME_INSTANCES = [
    "Acme Europe",
    "Acme Logistics",
    "Acme North America",
    "Acme Research",
    "Acme depots",
    "Acme sandbox",
    "Globex staging",
]
COLLECTION_OPERATIONS = ["GET List instances", "POST Create an instance"]
INSTANCE_OPERATIONS = [
    "GET Read the instance",
    "PATCH Rename the instance",
    "PUT Replace the instance",
    "DELETE Delete the instance",
]


# api-doc-parser, of which the admin interface and the client generators of API Platform are made


@pytest.fixture(scope="session")
def parsed(client: Callable[..., Any], service: Service) -> Any:
    return client("api-doc-parser.mjs", *service)


@pytest.fixture(scope="session")
def resources(parsed: Any) -> dict[str, Any]:
    return {resource["name"]: resource for resource in parsed["resources"]}


def field(
    name: str,
    iri: str,
    type_: str = "string",
    *,
    required: bool = False,
    writable: bool = False,
    reference: str | None = None,
) -> dict[str, Any]:
    """A reference of these is to one resource."""
    return {
        "name": name,
        "id": iri,
        "type": type_,
        "required": required,
        "readable": True,
        "writable": writable,
        "reference": reference,
        "maxCardinality": 1 if reference else None,
    }


def operation(method: str, type_: str, name: str, expects: str | None, returns: str) -> dict[str, Any]:
    return {"method": method, "type": type_, "name": name, "expects": expects, "returns": returns}


def test_api_doc_parser_takes_organizations_and_instances_for_the_resources(
    parsed: Any, service: Service
) -> None:
    base = service.base
    assert (parsed["status"], parsed["title"]) == (200, "Instance registry")
    assert parsed["entrypoint"] == f"{base}/api"
    assert [
        [resource[key] for key in ("name", "url", "id", "title")] for resource in parsed["resources"]
    ] == [
        ["organizations", f"{base}/api/organizations", f"{base}/vocab#Organization", "Organization"],
        ["instances", f"{base}/api/instances", f"{base}/vocab#Instance", "Instance"],
    ]


def test_api_doc_parser_knows_the_fields_of_an_organization(
    resources: dict[str, Any], service: Service
) -> None:
    assert resources["organizations"]["fields"] == [
        field("id", f"{DCTERMS}identifier"),
        field("name", SCHEMA_NAME, required=True, writable=True),
        field("created_at", f"{DCTERMS}created", "dateTime"),
        field("updated_at", f"{DCTERMS}modified", "dateTime"),
        *(
            field(key, f"{service.base}/vocab#{key}")
            for key in (
                "owners",
                "members",
                "instances",
                "memberships",
                "received_authorizations",
                "activities",
            )
        ),
    ]


def test_api_doc_parser_knows_the_fields_of_an_instance_and_that_two_refer_to_an_organization(
    resources: dict[str, Any], service: Service
) -> None:
    own = f"{service.base}/vocab#"
    assert resources["instances"]["fields"] == [
        field("id", f"{DCTERMS}identifier"),
        field("name", SCHEMA_NAME, required=True, writable=True),
        field("handle", f"{own}handle", required=True, writable=True),
        field("created_at", f"{DCTERMS}created", "dateTime"),
        field("updated_at", f"{DCTERMS}modified", "dateTime"),
        field("organization_id", f"{own}organization_id", writable=True),
        field("created_by_organization_id", f"{own}created_by_organization_id"),
        field("organization", f"{own}organization", writable=True, reference="organizations"),
        field("created_by_organization", f"{own}created_by_organization", reference="organizations"),
        field("authorizations", f"{own}authorizations"),
        field("transfer", f"{own}transfer"),
    ]


def test_api_doc_parser_knows_the_operations_of_an_organization(
    resources: dict[str, Any], service: Service
) -> None:
    organization = f"{service.base}/vocab#Organization"
    assert resources["organizations"]["operations"] == [
        operation("GET", "list", "List organizations", None, f"{HYDRA}Collection"),
        operation("POST", "create", "Create an organization", organization, organization),
        operation("GET", "show", "Read the organization", None, organization),
        operation("PATCH", "edit", "Rename the organization", organization, organization),
        operation("PUT", "edit", "Replace the organization", organization, organization),
        operation("DELETE", "delete", "Delete the organization", None, NOTHING),
    ]


def test_api_doc_parser_knows_the_operations_of_an_instance_and_that_patch_comes_first(
    resources: dict[str, Any], service: Service
) -> None:
    instance = f"{service.base}/vocab#Instance"
    assert resources["instances"]["operations"] == [
        operation("GET", "list", "List instances", None, f"{HYDRA}Collection"),
        operation("POST", "create", "Create an instance", instance, instance),
        operation("GET", "show", "Read the instance", None, instance),
        operation("PATCH", "edit", "Rename the instance", f"{instance}Rename", instance),
        operation("PUT", "edit", "Replace the instance", f"{instance}Rename", instance),
        operation("DELETE", "delete", "Delete the instance", None, NOTHING),
    ]


@pytest.mark.parametrize(
    ("resource", "filters"), [("organizations", ["name"]), ("instances", ["name", "handle"])]
)
def test_api_doc_parser_learns_from_a_collection_what_it_can_be_filtered_and_ordered_by(
    resources: dict[str, Any], resource: str, filters: list[str]
) -> None:
    times = ["createdAt", "updatedAt"], ["created_at", "updated_at"]
    expected = [
        *((name, f"{XSD}string") for name in filters),
        *((f"order[{name}]", f"{XSD}string") for name in filters),
        *((f"order[{name}]", f"{XSD}dateTime") for name in times[0]),
        ("order[id]", f"{XSD}string"),
        *((f"order[{name}]", f"{XSD}dateTime") for name in times[1]),
        *((name, None) for name in ("itemsPerPage", "page", "after", "before")),
    ]
    assert resources[resource]["parameters"] == [
        {"variable": variable, "range": range_, "required": False} for variable, range_ in expected
    ]


def test_api_doc_parser_reads_the_same_documentation_without_a_token_and_without_an_accept_header(
    client: Callable[..., Any], parsed: Any, service: Service
) -> None:
    anonymous = client("api-doc-parser.mjs", service.base)
    assert [request["token"] for request in anonymous["requests"]] == [False] * 3
    # But for parameters: they stand in the collections, which nobody may read without a token.
    seen, known = (
        [{**resource, "parameters": None} for resource in it["resources"]] for it in (anonymous, parsed)
    )
    assert seen == known


# alcaeus, which follows links and operations


@pytest.fixture(scope="session")
def walk(client: Callable[..., Any], service: Service) -> Any:
    return client("alcaeus.mjs", *service)


def test_alcaeus_finds_the_documentation_and_the_collections_from_the_entry_point(
    walk: Any, service: Service
) -> None:
    base = service.base
    collections = {
        "organizations": [f"{base}/api/organizations"],
        "instances": [f"{base}/api/instances"],
    }
    assert walk["entrypoint"] == {
        "id": f"{base}/api",
        "types": [f"{base}/vocab#Entrypoint"],
        "documentation": [f"{base}/api/docs", "Instance registry", f"{base}/api"],
        "documented": ["GET Read the entry point"],
        "offered": ["GET Read the entry point"],
        "links": collections,
        "collections": collections,
    }


def test_alcaeus_finds_in_the_documentation_and_in_the_data_what_can_be_done_with_a_collection(
    walk: Any, service: Service
) -> None:
    assert walk["collection"] == {
        "id": f"{service.base}/api/instances",
        "types": sorted([f"{service.base}/vocab#InstanceCollection", f"{HYDRA}Collection"]),
        "documented": COLLECTION_OPERATIONS,
        "offered": COLLECTION_OPERATIONS,
        "member": INSTANCE_OPERATIONS,
        "input": {"name": True, "handle": True, "organization_id": False, "organization": False},
    }


def test_alcaeus_finds_in_the_documentation_and_in_the_data_what_can_be_done_with_an_instance(
    walk: Any, service: Service
) -> None:
    assert walk["instance"]["types"] == [f"{service.base}/vocab#Instance"]
    assert walk["instance"]["documented"] == INSTANCE_OPERATIONS
    assert walk["instance"]["offered"] == INSTANCE_OPERATIONS


def test_alcaeus_follows_the_pages_of_a_collection_by_number(walk: Any, service: Service) -> None:
    collection = f"{service.base}/api/instances"
    one, two = (f"{collection}?itemsPerPage=4&page={number}" for number in (1, 2))
    pages = walk["pages"]["byNumber"]
    members = [page.pop("members") for page in pages]
    shared = {"collection": collection, "totalItems": 7, "first": one, "last": two}
    assert pages == [
        shared | {"view": one, "previous": None, "next": two},
        shared | {"view": two, "previous": one, "next": None},
    ]
    assert [len(names) for names in members] == [4, 3]
    assert sorted(members[0] + members[1]) == ACME_INSTANCES


def test_alcaeus_follows_the_pages_of_a_collection_by_cursor(walk: Any, service: Service) -> None:
    collection = f"{service.base}/api/instances"
    one, two = walk["pages"]["byCursor"]
    assert (one["collection"], two["collection"]) == (collection, collection)
    assert (one["view"], two["view"]) == (f"{collection}?itemsPerPage=4", one["next"])
    assert one["next"].startswith(f"{collection}?itemsPerPage=4&after=")
    assert two["previous"].startswith(f"{collection}?itemsPerPage=4&before=")
    assert one["first"] == two["first"] == f"{collection}?itemsPerPage=4&after="
    assert one["previous"] is one["last"] is two["next"] is two["last"] is None
    assert (one["totalItems"], two["totalItems"]) == (7, None)
    assert [len(page["members"]) for page in (one, two)] == [4, 3]
    assert sorted(one["members"] + two["members"]) == ACME_INSTANCES


def test_alcaeus_searches_with_the_template_of_a_collection(walk: Any, service: Service) -> None:
    [page] = walk["pages"]["byHandle"]
    assert page["collection"] == f"{service.base}/api/instances?handle=eu"
    assert (page["totalItems"], page["members"]) == (1, ["Acme Europe"])


def test_alcaeus_creates_renames_and_deletes_an_instance_by_the_operations_that_it_found(
    walk: Any, service: Service
) -> None:
    instance = walk["instance"]
    address = instance["created"]["address"]
    assert address.startswith(f"{service.base}/api/instances/")
    shown = {"address": address, "root": address}
    made, renamed = "Made by a client", "Renamed by a client"
    assert instance["created"] == shown | {"status": 201, "name": made}
    assert instance["loaded"] == shown | {"status": 200, "name": made}
    assert instance["renamed"] == shown | {"status": 200, "name": renamed}
    assert instance["reloadedAfterwards"] == shown | {"status": 200, "name": renamed}
    assert instance["removed"] == {"status": 204, "address": address, "root": None, "name": None}
    sent = [
        (request["method"], request["status"]) for request in walk["requests"] if request["url"] == address
    ]
    assert [pair for pair in sent if pair[0] != "GET"] == [("PATCH", 200), ("PATCH", 412), ("DELETE", 204)]


def test_alcaeus_gets_304_for_an_instance_until_it_changes(walk: Any) -> None:
    instance = walk["instance"]
    assert instance["reloaded"] == instance["loaded"]
    gets = [
        request
        for request in walk["requests"]
        if request["method"] == "GET" and request["url"] == instance["created"]["address"]
    ]
    assert [request["status"] for request in gets] == [200, 304, 200, 410]
    tags = [request["ifNoneMatch"] for request in gets]
    assert tags[0] is None
    assert tags[1] == tags[2] != tags[3]


def test_alcaeus_loads_contexts_without_a_token_and_the_documentation_once(
    walk: Any, service: Service
) -> None:
    contexts = [request for request in walk["requests"] if "/contexts/" in request["url"]]
    assert {(request["token"], request["status"]) for request in contexts} == {(False, 200)}
    assert {request["url"] for request in contexts} == {
        f"{service.base}/contexts/v1/registry.jsonld",
        f"{service.base}/contexts/v1/problem.jsonld",
    }
    statuses = [
        request["status"] for request in walk["requests"] if request["url"] == f"{service.base}/api/docs"
    ]
    assert statuses[0] == 200
    # It asks again at every answer, with the token and the condition of the request before.
    assert set(statuses[1:]) == {304, 401, 412}


@pytest.mark.parametrize(
    ("problem", "status", "title", "violations"),
    [
        ("not-authenticated", 401, "Not authenticated", []),
        ("not-found", 404, "Not found", []),
        ("handle-taken", 409, "Handle taken", ["handle"]),
        ("gone", 410, "Gone", []),
        ("precondition-failed", 412, "Precondition failed", []),
        ("invalid-content", 422, "Invalid content", ["handle", "name", "organization_id"]),
    ],
)
def test_alcaeus_reads_a_problem_as_a_hydra_error(
    walk: Any, service: Service, problem: str, status: int, title: str, violations: list[str]
) -> None:
    read = walk["problems"][problem]
    assert read["status"] == read["statusCode"] == status
    assert read["types"] == sorted([f"{service.base}/problems/{problem}", f"{HYDRA}Error"])
    assert read["title"] == title
    assert read["description"]
    assert read["violations"] == violations


def test_alcaeus_finds_a_tombstone_where_an_instance_was(walk: Any, service: Service) -> None:
    address = walk["instance"]["created"]["address"]
    assert walk["tombstones"] == [[address, f"{service.base}/vocab#Instance"]]


# jsonld.js, in safe mode: nothing may be lost on the way to RDF


def test_jsonld_js_reads_every_document_without_losing_anything(
    client: Callable[..., Any], service: Service
) -> None:
    [instance, *_] = service.get("/api/instances")["member"]
    paths = {
        "/api": "vocab#Entrypoint",
        "/api/docs": f"{HYDRA}ApiDocumentation",
        "/vocab": "http://www.w3.org/2002/07/owl#Ontology",
        "/api/organizations": "vocab#OrganizationCollection",
        f"/api/organizations/{instance['organization_id']}": "vocab#Organization",
        "/api/instances": "vocab#InstanceCollection",
        f"/api/instances/{instance['id']}": "vocab#Instance",
    }
    found = client("jsonld.mjs", *service, *(service.base + path for path in paths))
    assert list(found) == [service.base + path for path in paths]
    for path, class_ in paths.items():
        type_ = class_ if class_.startswith("http") else f"{service.base}/{class_}"
        assert f"<{service.base}{path}> <{RDF}type> <{type_}> ." in found[service.base + path].splitlines()


def test_jsonld_js_reads_of_an_instance_what_its_plain_json_says(
    client: Callable[..., Any], service: Service
) -> None:
    plain = service.get("/api/instances?handle=acme-eu")["member"][0]
    base, instance = service.base, f"{service.base}/api/instances/{plain['id']}"
    organization = f"<{base}/api/organizations/{plain['organization_id']}>"
    objects = {
        f"{RDF}type": f"<{base}/vocab#Instance>",
        f"{DCTERMS}identifier": f'"{plain["id"]}"',
        SCHEMA_NAME: '"Acme Europe"',
        f"{base}/vocab#handle": '"acme-eu"',
        f"{DCTERMS}created": f'"{plain["created_at"]}"^^<{XSD}dateTime>',
        f"{DCTERMS}modified": f'"{plain["updated_at"]}"^^<{XSD}dateTime>',
        f"{base}/vocab#organization_id": f'"{plain["organization_id"]}"',
        f"{base}/vocab#created_by_organization_id": f'"{plain["organization_id"]}"',
        f"{base}/vocab#organization": organization,
        f"{base}/vocab#created_by_organization": organization,
        f"{base}/vocab#authorizations": f"<{instance}/authorizations>",
        f"{base}/vocab#transfer": f"<{instance}/transfer>",
    }
    lines = client("jsonld.mjs", *service, instance)[instance].splitlines()
    about = [
        line for line in lines if line.startswith(f"<{instance}> ") and f"<{HYDRA}operation>" not in line
    ]
    assert sorted(about) == sorted(f"<{instance}> <{key}> {value} ." for key, value in objects.items())


def test_jsonld_js_reads_a_problem_without_losing_anything(
    client: Callable[..., Any], service: Service
) -> None:
    url = f"{service.base}/api/instances?itemsPerPage={quote('a lot')}"
    lines = client("jsonld.mjs", *service, url)[url].splitlines()
    subject = lines[0].split()[0]
    assert subject.startswith(f"<{service.base}/problems/invalid-parameter#")
    for statement in (
        f"<{RDF}type> <{HYDRA}Error>",
        f"<{RDF}type> <{service.base}/problems/invalid-parameter>",
        f'<{HYDRA}title> "Invalid parameter"',
        f'<{HYDRA}statusCode> "400"^^<{XSD}integer>',
    ):
        assert f"{subject} {statement} ." in lines


def test_the_clients_get_nothing_from_anywhere_but_the_service(
    client: Callable[..., Any], service: Service
) -> None:
    """What the other tests show with this, they show without any context of others."""
    with pytest.raises(AssertionError, match=r"asks for http://elsewhere\.example/context, which is not"):
        client("jsonld.mjs", *service, "http://elsewhere.example/context")
