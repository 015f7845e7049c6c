"""Section 5 of the conformance list: what JSON-LD is written and read like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from tests.conformance.fresh import MERGE, instance_of, organization_of, patched
from tests.service import BASE, JSON, JSON_LD, N_TRIPLES, TURTLE, Service, World, id_of, made
from tests.test_graphs import by_pyld, contexts, crawl
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]

XSD, HYDRA = "http://www.w3.org/2001/XMLSchema#", "http://www.w3.org/ns/hydra/core#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
TIMES = {"created_at", "updated_at", "joined_at", "accepted_at", "published", "deleted"}
INTEGERS = {"totalItems", "sequence", "status", "statusCode"}
KEYWORDS = (
    *(
        "@id",
        "@type",
        "@graph",
        "@reverse",
        "@included",
        "@context",
        "@nest",
        "@index",
        "@value",
        "@language",
    ),
    *("@set", "@list", "@json", "id", "type"),
)


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


@pytest.fixture(scope="module")
async def data(service: Service) -> dict[str, dict[str, Any]]:
    """Everything that an owner can reach, by its address: the body of its JSON-LD."""
    found = await crawl(service.as_("owner"), f"{BASE}/api")
    return {
        address: answer.json()
        for address, answer in found.items()
        if answer.status_code == 200 and "/contexts/" not in address
    }


@pytest.fixture(scope="module")
async def documents(service: Service) -> Mapping[str, Mapping[str, Any]]:
    return await contexts(service.as_(None))


@pytest.fixture(scope="module")
async def expanded(data: dict[str, dict[str, Any]], documents: Mapping[str, Any]) -> dict[str, list[Any]]:
    loader = FrozenDocumentLoader(documents=documents)
    return {address: jsonld.expand(body, {"documentLoader": loader}) for address, body in data.items()}


def violated(answer: httpx.Response) -> list[str]:
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    return [violation["pointer"] for violation in violations]


async def test_ld_01_a_body_is_one_object(
    service: Service, data: dict[str, Any], expanded: dict[str, Any]
) -> None:
    assert all(isinstance(body, dict) for body in data.values())
    assert {len(top) for top in expanded.values()} == {1}
    for address in data:
        plain = await service.as_("owner").get(address, headers={"Accept": f"{JSON}, {TURTLE};q=0.1"})
        if plain.headers["Content-Type"] == JSON:
            assert isinstance(plain.json(), dict)


async def test_ld_02_what_identifies_a_resource_is_the_address_that_serves_it(
    service: Service, world: World, data: dict[str, Any]
) -> None:
    for address, body in data.items():
        assert address in (body["@id"], body.get("view", {}).get("@id"))
    for path in world.examples.values():
        assert data[BASE + path]["@id"] == BASE + path
        plain = await service.as_("owner").get(path, headers={"Accept": JSON})
        assert plain.json()["id"] == id_of(path)


async def test_ld_03_the_host_that_a_client_names_changes_nothing(service: Service, world: World) -> None:
    """API.md section 1: addresses are made from the configured one alone."""
    client = service.as_("owner")
    usual = await client.get(world.shop)
    for host in ("localhost", "127.0.0.1:9999", "[::1]:8000", "LOCALHOST."):
        fields = {
            "Host": host,
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Prefix": "/evil.example",
            "Forwarded": "host=evil.example;proto=https",
        }
        answer = await client.get(world.shop, headers=fields)
        assert answer.content == usual.content
        assert answer.headers["Link"] == usual.headers["Link"]
        made_there = await client.post("/api/organizations", json={"name": "Made"}, headers=fields)
        assert made_there.headers["Location"].startswith(f"{BASE}/api/organizations/")
    other = await client.get(world.shop, headers={"Host": "evil.example"})
    check_problem(other, "misdirected-request")
    assert "evil" not in str(other.headers) + other.text


async def test_ld_04_every_resource_has_a_type_that_is_documented(
    service: Service, expanded: dict[str, list[Any]]
) -> None:
    documentation = (await service.as_(None).get("/api/docs")).json()
    supported = {class_["@id"] for class_ in documentation["supportedClass"]}
    others = {
        f"{HYDRA}ApiDocumentation",
        f"{HYDRA}Collection",
        f"{HYDRA}Status",
        "http://www.w3.org/2002/07/owl#Ontology",
    }
    for address, [top] in expanded.items():
        assert top["@type"], address
        assert {*top["@type"]} & (supported | others), address
        if "/api/" in address and not address.endswith("/api/docs"):
            assert {*top["@type"]} & supported, address


async def test_ld_05_a_node_has_one_iri_wherever_it_is_met(
    service: Service, world: World, data: dict[str, Any]
) -> None:
    found: dict[str, set[str]] = {}
    owner = service.as_("owner")
    elsewhere = [await owner.get(path) for path in (world.nested_shop, f"{world.nested_shop}/transfer")]
    for body in (*data.values(), *(answer.json() for answer in elsewhere)):
        for node in objects(body):
            if "id" in node:
                found.setdefault(node["id"], set()).add(node["@id"])
    assert len(found) > 15
    assert {len(iris) for iris in found.values()} == {1}
    assert elsewhere[0].json()["@id"] == BASE + world.shop


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from objects(child)
    elif isinstance(value, list):
        for child in value:
            yield from objects(child)


async def test_ld_06_a_time_is_in_utc_with_fixed_digits_and_typed(
    data: dict[str, Any], expanded: dict[str, Any]
) -> None:
    times = [node[key] for body in data.values() for node in objects(body) for key in TIMES & set(node)]
    times = [time for time in times if isinstance(time, str)]
    assert len(times) > 30
    for time in times:
        assert INSTANT.fullmatch(time), time
    typed = [
        value for top in expanded.values() for value in values(top) if INSTANT.fullmatch(str(value["@value"]))
    ]
    assert {value.get("@type") for value in typed} == {f"{XSD}dateTime"}


def values(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "@value" in value:
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from values(child)
    elif isinstance(value, list):
        for child in value:
            yield from values(child)


async def test_ld_07_numbers_and_booleans_are_json_s_own(data: dict[str, Any]) -> None:
    met = set()
    for body in data.values():
        for node in objects({key: value for key, value in body.items() if key != "@context"}):
            for key, value in node.items():
                if isinstance(value, bool):
                    met.add(key)
                elif isinstance(value, int | float):
                    assert isinstance(value, int)
                    assert abs(value) <= 2**53 - 1
                    met.add(key)
                elif key in INTEGERS and key != "status":
                    raise AssertionError(f"{key} is no number")
    assert {"totalItems", "sequence", "statusCode", "required", "readable", "writable"} <= met


@pytest.mark.parametrize("tag", ["en", "en> .", 'x"@y', "en> . <http://e> <http://f> <http://g"])
async def test_ld_08_text_has_no_language(service: Service, world: World, tag: str) -> None:
    """What cannot be sent cannot be malformed."""
    for name in ({"@value": "x", "@language": tag}, [{"@value": "x", "@language": tag}], {tag: "x"}):
        for path in (world.shop, world.acme):
            assert violated(await patched(service.as_("owner"), path, {"name": name})) == ["#/name"]


@pytest.mark.parametrize(
    "tag", ["en", "en> .", 'x"@y', "en> . <http://e> <http://f> <http://g", "b-1-2-3", "-"]
)
async def test_ld_08_a_language_is_refused_whatever_it_is_told_in(service: Service, tag: str) -> None:
    """No name is in a language; a tag that is none is no N-Triples, and in JSON-LD it comes to nothing."""
    owner, name = service.as_("owner"), "https://schema.org/name"
    told: dict[str, Any] = {"@value": "x", "@language": tag}
    for document in ({name: told}, [{name: [told]}], {"@context": {"@language": tag, "n": name}, "n": "x"}):
        answer = await owner.post("/api/organizations", json=document, headers={"Content-Type": JSON_LD})
        assert violated(answer) == ["#/name"]
    content = f'_:a <{name}> "x"@{tag} .'
    answer = await owner.post("/api/organizations", content=content, headers={"Content-Type": N_TRIPLES})
    assert answer.status_code == (422 if tag == "en" else 400)


async def test_ld_09_what_has_no_value_is_absent(
    service: Service, world: World, data: dict[str, Any], expanded: dict[str, Any]
) -> None:
    """In both forms; the pending authorization, say, was accepted at no time. What is sent as no members at
    all, an empty array, stays one."""
    for body in data.values():
        assert None not in [value for node in objects(body) for value in node.values()]
    for address, body in data.items():
        sent = {key: value for key, value in body.items() if key != "@context"}
        assert empty_arrays(expanded[address]) == empty_arrays(sent)
    for accept in (JSON, JSON_LD):
        pending = await service.as_("owner").get(world.pending, headers={"Accept": accept})
        assert "accepted_at" not in pending.json()


def empty_arrays(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(empty_arrays, value.values()))
    return (not value) + sum(map(empty_arrays, value)) if isinstance(value, list) else 0


@pytest.mark.parametrize("keyword", KEYWORDS)
async def test_ld_10_a_value_brings_in_no_statements(service: Service, world: World, keyword: str) -> None:
    owner = service.as_("owner")
    victim = await owner.get(world.lab)
    for value in (
        {keyword: BASE + world.lab, "http://p/q": "x"},
        {"@id": BASE + world.lab, keyword: {"name": "x"}},
    ):
        for answer in (
            await owner.post(f"{world.acme}/instances", json={"name": value, "handle": "never"}),
            await owner.put(world.shop, json={"name": value}),
            await patched(owner, world.shop, {"name": value}),
        ):
            assert violated(answer) == ["#/name"]
    assert (await owner.get(world.lab)).content == victim.content


LINKED: list[tuple[Any, list[str]]] = [
    ({"@id": "LAB", "http://p/q": "x"}, ["#/name"]),
    ({"@id": "LAB"}, ["#/name"]),
    ({"@graph": [{"@id": "LAB", "http://p/q": "x"}]}, ["#/name", "#"]),
    ({"@reverse": {"http://p/q": {"@id": "LAB"}}}, ["#/@reverse"]),
    ({"@included": [{"@id": "LAB", "http://p/q": "x"}]}, ["#", "#/name"]),
    ({"@list": ["x"]}, ["#/name"]),
    ({"@value": {"a": "b"}, "@type": "@json"}, ["#/name"]),
    ({"@value": "x", "@type": "http://p/q"}, ["#/name"]),
    ({"@value": "x", "@direction": "rtl"}, ["#/name"]),
    ({"@set": ["x", "y"]}, ["#/name"]),
]


@pytest.mark.parametrize(("value", "pointers"), LINKED)
async def test_ld_10_what_a_value_says_as_json_ld_is_not_said(
    service: Service, world: World, value: Any, pointers: list[str]
) -> None:
    """Read as JSON-LD, with the service's context or one of the client's own."""
    owner = service.as_("owner")
    victim = await owner.get(world.lab)
    value = json.loads(json.dumps(value).replace("LAB", BASE + world.lab))
    context = {"n": "https://schema.org/name", "h": f"{BASE}/vocab#handle"}
    for document in (
        {"@context": f"{BASE}/contexts/v1/registry.jsonld", "name": value, "handle": "never"},
        {"@context": context, "n": value, "h": "never"},
    ):
        content = json.dumps(document)
        answer = await owner.post(
            f"{world.acme}/instances", content=content, headers={"Content-Type": JSON_LD}
        )
        assert {*violated(answer)} <= {*pointers}
    assert (await owner.get(world.lab)).content == victim.content


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("@id", f"{BASE}/api/instances/01930000-0000-7000-8000-000000000000"),
        ("@id", "http://victim.example/"),
        ("@type", "Organization"),
        ("@type", f"{BASE}/vocab#Organization"),
        ("@type", ["Instance", "Organization"]),
        ("@graph", [{"name": "x"}]),
        ("@reverse", {"name": "x"}),
        ("@included", [{"name": "x"}]),
    ],
)
async def test_ld_11_what_is_said_of_another_node_or_class_is_refused(
    service: Service, world: World, key: str, value: Any
) -> None:
    owner = service.as_("owner")
    before = await owner.get(world.shop)
    for answer in (
        await patched(owner, world.shop, {key: value}),
        await owner.put(world.shop, json={"name": "Shop", key: value}),
    ):
        assert violated(answer) == [f"#/{key}"]
    assert (await owner.get(world.shop)).content == before.content


async def test_ld_12_unknown_members_are_refused_by_name(service: Service, world: World) -> None:
    owner = service.as_("owner")
    unknown = {"zzz": 1, "http://schema.org/name": "x", "registry:name": "x", "hydra:title": "x"}
    expected = ["#/zzz", "#/http:~1~1schema.org~1name", "#/registry:name", "#/hydra:title"]
    for answer in (
        await owner.post("/api/organizations", json={"name": "New", **unknown}),
        await patched(owner, world.shop, unknown),
        await owner.put(world.acme, json={"name": "Acme", **unknown}),
    ):
        assert violated(answer) == expected


BAD_IRIS = [
    "http://x/> <y",
    "http://x/ y",
    "http://x/\u0000",
    "http://x/\n",
    'http://x/"',
    "http://x/{y}",
    "a|b",
    "\\",
    "^",
    "`",
]


@pytest.mark.parametrize("iri", BAD_IRIS)
async def test_ld_13_an_iri_is_one(service: Service, iri: str) -> None:
    answer = await service.as_("owner").post(
        "/api/instances", json={"name": "Shop", "handle": "never", "organization": iri}
    )
    assert "#/organization" in violated(answer)


@pytest.mark.parametrize(
    "iri",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "//evil.example/",
        "https://x@evil.example/",
        "mailto:x@acme.example",
        "",
        "urn:uuid:x",
    ],
)
async def test_ld_14_a_link_leads_to_what_is_here(service: Service, iri: str) -> None:
    """The only links that clients may set lead to organizations of this service."""
    for value in (iri, {"@id": iri}):
        content = {"name": "Shop", "handle": "never", "organization": value}
        assert violated(await service.as_("owner").post("/api/instances", json=content)) == ["#/organization"]


@pytest.mark.parametrize(
    "iri",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//evil.example/",
        "",
        "urn:uuid:x",
        "#x",
    ],
)
async def test_ld_14_nor_does_a_link_of_other_syntaxes_lead_elsewhere(service: Service, iri: str) -> None:
    owner, name, vocab = service.as_("owner"), "https://schema.org/name", f"{BASE}/vocab#"
    turtle = f'<> <{name}> "Shop" ; <{vocab}handle> "never" ; <{vocab}organization> <{iri}> .'
    answer = await owner.post("/api/instances", content=turtle, headers={"Content-Type": TURTLE})
    assert violated(answer) == ["#/organization"]
    linked = {"@context": {"@vocab": vocab}, name: "Shop", "handle": "never", "organization": {"@id": iri}}
    answer = await owner.post("/api/instances", json=linked, headers={"Content-Type": JSON_LD})
    assert violated(answer) == ["#/organization"]


@pytest.mark.parametrize("iri", BAD_IRIS)
async def test_ld_13_an_iri_is_one_in_every_syntax(service: Service, iri: str) -> None:
    """In Turtle nothing else can be written; in JSON-LD nothing else leads to anything here."""
    owner, name, vocab = service.as_("owner"), "https://schema.org/name", f"{BASE}/vocab#"
    turtle = f'<> <{name}> "Shop" ; <{vocab}handle> "never" ; <{vocab}organization> <{iri}> .'
    answer = await owner.post("/api/instances", content=turtle, headers={"Content-Type": TURTLE})
    assert answer.status_code in (400, 422)
    for key in (f"{vocab}organization", f"http://x/{iri}"):
        linked = [{name: "Shop", f"{vocab}handle": "never", key: [{"@id": iri}]}]
        answer = await owner.post("/api/instances", json=linked, headers={"Content-Type": JSON_LD})
        assert answer.status_code == 422


async def test_ld_15_the_order_of_an_array_means_nothing(service: Service) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    for name in ("ann", "bob"):
        await made(owner, f"{organization}/members", email=f"{name}@acme.example", role="owner")
    before = await owner.get(organization)
    record = before.json()
    record["owners"].reverse()
    record["@type"] = ["Organization"]
    for answer in (await patched(owner, organization, record), await owner.put(organization, json=record)):
        assert answer.status_code == 200
    assert (await owner.get(organization)).headers["ETag"] == before.headers["ETag"]


async def test_ld_16_what_may_be_many_is_an_array(service: Service) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    for number in range(3):
        for accept in (JSON, JSON_LD):
            body = (await owner.get(organization, headers={"Accept": accept})).json()
            assert isinstance(body["owners"], list)
            assert (len(body["owners"]), len(body["members"])) == (1, number)
        members = (await owner.get(f"{organization}/members")).json()["member"]
        assert len(members) == number + 1
        await made(owner, f"{organization}/members", email=f"m{number}@acme.example", role="member")
    activities = (await owner.get(f"{organization}/activities?after=")).json()["member"]
    assert all(isinstance(activity["changes"], list) for activity in activities)


@pytest.mark.parametrize("accept", [JSON, JSON_LD])
async def test_ld_17_what_was_read_can_be_sent_back_and_changes_nothing(
    service: Service, accept: str
) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    member = await made(owner, f"{organization}/members", email="back@acme.example", role="member")
    for path in (organization, await instance_of(service, organization), member):
        activities = f"{organization}/activities?after="
        before = (await owner.get(path)).headers["ETag"], (await owner.get(activities)).json()["totalItems"]
        record = (await owner.get(path, headers={"Accept": accept})).json()
        assert (await patched(owner, path, record)).status_code == 200
        if path != member:
            assert (await owner.put(path, json=record, headers={"Content-Type": accept})).status_code == 200
        after = (await owner.get(path)).headers["ETag"], (await owner.get(activities)).json()["totalItems"]
        assert after == before


async def test_ld_18_only_what_has_no_address_is_a_blank_node(
    data: dict[str, Any], documents: Mapping[str, Any]
) -> None:
    """API.md section 2: templates and their mappings; lists are made of blank nodes too."""
    met = set()
    for address, body in data.items():
        unnamed: dict[str, list[tuple[str, str]]] = {}
        for line in by_pyld(body, documents):
            subject, predicate, value = line.split(" ", 2)
            if subject.startswith("_:"):
                unnamed.setdefault(subject, []).append((predicate, value))
        for statements in unnamed.values():
            kinds = {value for predicate, value in statements if predicate == f"<{RDF}type>"}
            listed = any(predicate == f"<{RDF}first>" for predicate, _ in statements)
            assert listed or len(kinds) == 1, address
            met |= kinds
    assert met == {f"<{HYDRA}IriTemplate>", f"<{HYDRA}IriTemplateMapping>"}


CHARACTERS = [
    0x0,
    0x1,
    0x7,
    0x1B,
    0x1F,
    0x7F,
    0x85,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0xFDD0,
    0xFFFE,
    0xFFFF,
    0x1FFFE,
    0xD800,
    0xDFFF,
]


@pytest.mark.parametrize("code", CHARACTERS, ids=[f"U+{code:04X}" for code in CHARACTERS])
async def test_ld_20_a_name_has_no_characters_that_are_not_text(
    service: Service, world: World, code: int
) -> None:
    owner, content = service.as_("owner"), json.dumps({"name": f"a{chr(code)}b"})
    for answer in (
        await owner.post("/api/organizations", content=content, headers={"Content-Type": JSON}),
        await owner.patch(world.shop, content=content, headers=MERGE),
        await owner.put(world.shop, content=content, headers={"Content-Type": JSON_LD}),
    ):
        assert violated(answer) == ["#/name"]
