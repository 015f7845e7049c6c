"""Section 26 of the conformance list: how a client finds the way in, and its way over the years."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.robotparser import RobotFileParser

import http_sf
import httpx
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader
from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SDO, VOID, XSD, Literal, URIRef

from app.resources.discovery import expiry
from tests.conformance.answers import link_values
from tests.conformance.linksets import links
from tests.service import BASE, JSON, JSON_LD, SECURITY_CONTACT, TURTLE, Service, World, running
from tests.test_graphs import canonical, contexts, inlined, nodes
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

API_CATALOG, DESCRIPTION = f"{BASE}/.well-known/api-catalog", f"{BASE}/.well-known/void"
LINKSET = 'application/linkset+json;profile="https://www.rfc-editor.org/info/rfc9727"'
SECURITY = "/.well-known/security.txt"
FORMATS = "http://www.w3.org/ns/formats/"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.mark.parametrize("accept", [None, "*/*", "application/linkset+json", LINKSET])
async def test_di_01_the_catalogue_is_a_set_of_links(service: Service, accept: str | None) -> None:
    answer = await service.as_(None).get(API_CATALOG, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, LINKSET)
    found = defaultdict(list)
    for anchor, relation, target in links(answer.json()):
        found[anchor, relation].append(target["href"])
    assert found[API_CATALOG, "item"] == [f"{BASE}/api"]
    of_the_api = {relation: href for (anchor, relation), href in found.items() if anchor == f"{BASE}/api"}
    assert of_the_api["service-desc"] == [f"{BASE}/api/docs", f"{BASE}/api/openapi.json"]
    assert of_the_api["service-doc"] == [f"{BASE}/vocab", f"{BASE}/api/reference"]
    assert of_the_api["status"] == [f"{BASE}/readyz"]
    assert of_the_api["describedby"] == [DESCRIPTION]


async def test_di_01_each_of_its_links_leads_without_a_token_to_what_it_says(service: Service) -> None:
    client = service.as_(None)
    found = list(links((await client.get(API_CATALOG)).json()))
    assert len(found) >= 7
    for _, _, target in found:
        answer = await client.get(target["href"], headers={"Accept": target["type"]})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, target["type"])


@pytest.mark.parametrize("address", [API_CATALOG, f"{BASE}/api"])
async def test_di_01_the_catalogue_and_the_entry_point_link_to_the_catalogue(
    service: Service, address: str
) -> None:
    for method in ("HEAD", "GET"):
        answer = await service.as_(None).request(method, address)
        assert [link.target for link in link_values(answer) if link.rel == "api-catalog"] == [API_CATALOG]


async def test_di_01_who_does_not_know_sets_of_links_gets_it_as_json(service: Service) -> None:
    client = service.as_(None)
    answer = await client.get(API_CATALOG, headers={"Accept": JSON})
    assert answer.headers["Content-Type"] == JSON
    assert answer.content == (await client.get(API_CATALOG)).content


async def described(service: Service) -> rdflib.Graph:
    answer = await service.as_(None).get(DESCRIPTION, headers={"Accept": TURTLE})
    assert answer.status_code == 200
    return rdflib.Graph().parse(data=answer.text, format="turtle")


async def test_di_02_every_reader_reads_one_description(service: Service) -> None:
    client = service.as_(None)
    loaded = await contexts(client)
    for path in (DESCRIPTION, f"{BASE}/contexts"):
        body = (await client.get(path, headers={"Accept": JSON_LD})).json()
        turtle = (await client.get(path, headers={"Accept": TURTLE})).content
        by_pyoxigraph = canonical(ox.parse(turtle, format=ox.RdfFormat.TURTLE))
        graph = rdflib.Graph().parse(data=turtle, format="turtle")
        again = canonical(ox.parse(graph.serialize(format="nt"), format=ox.RdfFormat.N_TRIPLES))
        options = {"documentLoader": FrozenDocumentLoader(documents=loaded), "format": "application/n-quads"}
        by_pyld = canonical(ox.parse(jsonld.to_rdf(body, options), format=ox.RdfFormat.N_QUADS))
        inline = canonical(ox.parse(inlined(body, loaded), format=ox.RdfFormat.JSON_LD))
        assert by_pyoxigraph == again == by_pyld == inline
        assert "_:" not in "".join(by_pyld)


async def test_di_02_the_words_of_the_description_are_those_of_void_and_dcat(service: Service) -> None:
    """Judged by the terms that rdflib knows of each vocabulary."""
    known = {str(namespace): namespace for namespace in (VOID, DCAT, DCTERMS, FOAF, SDO, RDF)}
    hydra = {"Collection", "member", "totalItems"}
    client = service.as_(None)
    graph = await described(service)
    graph.parse(data=(await client.get("/contexts", headers={"Accept": TURTLE})).text, format="turtle")
    used = {str(term) for term in [*graph.predicates(), *graph.objects(None, RDF.type)]}
    assert len(used) > 20
    for term in used:
        namespace, local = re.fullmatch(r"(.*[#/])([^#/]+)", term).groups()  # type: ignore[union-attr]
        if namespace == "http://www.w3.org/ns/hydra/core#":
            assert local in hydra, term
        else:
            assert local in known[namespace], term


async def test_di_02_the_dataset_is_described_where_void_says(service: Service, world: World) -> None:
    graph = await described(service)
    [description] = graph.subjects(RDF.type, VOID.DatasetDescription)
    assert description == URIRef(DESCRIPTION)
    [dataset] = graph.objects(description, FOAF.primaryTopic)
    assert set(graph.objects(dataset, RDF.type)) == {VOID.Dataset, DCAT.Catalog}
    assert graph.value(dataset, DCTERMS.title)
    assert graph.value(dataset, DCTERMS.description)
    assert graph.value(dataset, VOID.rootResource) == URIRef(f"{BASE}/api")
    [space] = graph.objects(dataset, VOID.uriSpace)
    assert isinstance(space, Literal)
    for path in world.examples.values():
        assert (await service.as_("owner").get(path)).json()["@id"].startswith(str(space))


async def test_di_02_the_vocabularies_are_those_that_data_is_written_in(
    service: Service, world: World
) -> None:
    loaded = await contexts(service.as_(None))
    used = set()
    for path in ("/api", "/api/instances", *world.examples.values()):
        body = (await service.as_("owner").get(path)).json()
        for node in nodes(jsonld.expand(body, {"documentLoader": FrozenDocumentLoader(documents=loaded)})):
            terms = [key for key in node if not key.startswith("@")] + node.get("@type", [])
            used |= {re.sub("[^#/]+$", "", term) for term in terms}
    graph = await described(service)
    named = {str(it) for it in graph.objects(URIRef(f"{DESCRIPTION}#registry"), VOID.vocabulary)}
    assert f"{BASE}/vocab" in named
    assert (used - {str(RDF), str(RDFS), str(XSD)}) == {
        f"{it}#" if it == f"{BASE}/vocab" else it for it in named
    }


async def test_di_02_each_collection_is_a_dataset_in_each_media_type(service: Service) -> None:
    owner = service.as_("owner")
    graph = await described(service)
    [catalog] = graph.subjects(RDF.type, DCAT.Catalog)
    entry = (await owner.get("/api")).json()
    datasets = {str(it) for it in graph.objects(catalog, DCAT.dataset)}
    assert datasets == {it["@id"] for it in entry["collection"]}
    assert set(graph.objects(catalog, VOID.classPartition)) == set(map(URIRef, datasets))
    served = set()
    for collection in entry["collection"]:
        node = URIRef(collection["@id"])
        assert {DCAT.Dataset, VOID.Dataset} <= set(graph.objects(node, RDF.type))
        assert graph.value(node, DCTERMS.title)
        assert graph.value(node, DCTERMS.description)
        class_ = collection["memberAssertion"]["hydra:object"]["@id"]
        assert graph.value(node, VOID["class"]) == URIRef(class_)
        available = (await owner.get(str(node), headers={"Accept": "image/png"})).json()["available"]
        distributions = list(graph.objects(node, DCAT.distribution))
        media_types = set()
        for distribution in distributions:
            assert graph.value(distribution, DCAT.accessURL) == node
            assert str(distribution).startswith(f"{DESCRIPTION}#")
            media_type = graph.value(distribution, DCAT.mediaType)
            media_types.add(str(media_type).removeprefix("https://www.iana.org/assignments/media-types/"))
        assert media_types == {it["mediaType"].partition(";")[0] for it in available}
        assert len(distributions) == len(media_types)
        served |= media_types
    features = {str(it) for it in graph.objects(catalog, VOID.feature)}
    formats = {it: f"{FORMATS}{name}" for it, name in FORMAT_NAMES.items()}
    assert features == {formats[it] for it in served & formats.keys()}


FORMAT_NAMES = {
    JSON_LD: "JSON-LD", TURTLE: "Turtle", "application/n-triples": "N-Triples",
    "application/n-quads": "N-Quads", "application/trig": "TriG", "application/rdf+xml": "RDF_XML",
}  # fmt: skip


async def test_di_02_the_service_that_gives_the_data_is_named(service: Service) -> None:
    graph = await described(service)
    [api] = graph.subjects(RDF.type, DCAT.DataService)
    assert api == graph.value(api, DCAT.endpointURL) == URIRef(f"{BASE}/api")
    assert graph.value(api, DCAT.endpointDescription) == URIRef(f"{BASE}/api/docs")
    assert set(graph.objects(api, DCAT.servesDataset)) == set(graph.objects(None, DCAT.dataset))
    assert set(graph.objects(None, DCAT.service)) == set(graph.objects(None, DCAT.accessService)) == {api}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *((path, True) for path in ("/", "/api", "/api/docs", "/vocab", "/contexts", "/problems/gone")),
        *((path, True) for path in ("/contexts/v1/registry.jsonld", "/.well-known/void")),
        *((path, True) for path in ("/api/openapi.json", "/api/reference", "/api/reference/start.js")),
        *((path, False) for path in ("/api/organizations", "/api/instances/x", "/api/me", "/api/")),
    ],
)
async def test_di_03_crawlers_read_what_is_published_and_leave_data_alone(
    service: Service, path: str, *, allowed: bool
) -> None:
    answer = await service.as_(None).get("/robots.txt")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain;charset=utf-8")
    robots = RobotFileParser()
    robots.parse(answer.text.splitlines())
    assert robots.can_fetch("AnyBot/1.0", BASE + path) is allowed


def fields(answer: httpx.Response) -> list[tuple[str, str]]:
    """RFC 9116 section 4: nothing but lines of fields."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain;charset=utf-8"
    assert answer.text.endswith("\n")
    found = [re.fullmatch(r"([A-Za-z-]+): (\S.*)", line) for line in answer.text.splitlines()]
    return [(match[1], match[2]) for match in found if match] if all(found) else []


async def test_di_03_whoever_finds_a_weakness_learns_whom_to_tell(service: Service) -> None:
    found = dict(fields(await service.as_(None).get(SECURITY)))
    assert set(found) == {"Contact", "Canonical", "Expires"}
    assert (found["Contact"], found["Canonical"]) == (SECURITY_CONTACT, BASE + SECURITY)
    left = datetime.strptime(found["Expires"], "%Y-%m-%dT%H:%M:%S%z") - datetime.now(UTC)
    assert timedelta(days=180) < left < timedelta(days=365)


async def test_di_03_everything_that_is_configured_is_told_in_its_order(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = {
        "security_contact": ("https://registry.example/security", SECURITY_CONTACT),
        "security_encryption": ("https://registry.example/pgp.txt",),
        "security_policy": ("https://registry.example/policy",),
        "security_languages": ("en", "de-AT"),
    }
    async with running(sqlite_url, tmp_path, **settings) as service:
        found = fields(await service.as_(None).get(SECURITY))
    assert found[:-1] == [
        *(("Contact", address) for address in settings["security_contact"]),
        ("Encryption", "https://registry.example/pgp.txt"),
        ("Policy", "https://registry.example/policy"),
        ("Preferred-Languages", "en, de-AT"),
        ("Canonical", BASE + SECURITY),
    ]
    assert found[-1][0] == "Expires"


async def test_di_03_without_a_contact_there_is_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with running(sqlite_url, tmp_path, security_contact=()) as service:
        client = service.as_(None)
        for accept in ("*/*", "text/plain", JSON, JSON_LD, TURTLE, "text/html"):
            answer = await client.get(SECURITY, headers={"Accept": accept})
            assert answer.status_code == 404, accept
        check_problem(await client.get(SECURITY), "not-found")
        assert (await client.options(SECURITY)).status_code == 404


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001
def test_di_03_what_is_told_holds_for_months_and_less_than_a_year(moment: datetime) -> None:
    left = expiry(moment.replace(tzinfo=UTC)) - moment.replace(tzinfo=UTC)
    assert timedelta(days=180) < left < timedelta(days=365)


def parsed(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """As a list of structured fields (RFC 9652 section 2)."""
    members: Any = http_sf.parse(answer.headers["Link-Template"].encode("ascii"), tltype="list")
    return [(str(template), dict(parameters)) for template, parameters in members]


async def test_di_05_the_field_says_what_the_hydra_template_says(service: Service) -> None:
    answer = await service.as_(None).get("/api")
    body, [(template, parameters)] = answer.json(), parsed(answer)
    assert template == body["instance_by_handle"]["template"]
    loader = FrozenDocumentLoader(documents=await contexts(service.as_(None)))
    [expanded] = jsonld.expand(body, {"documentLoader": loader})
    hydra = "http://www.w3.org/ns/hydra/core#"
    [found] = expanded[parameters["rel"]]
    assert found[f"{hydra}template"] == [{"@value": template}]
    [mapping] = found[f"{hydra}mapping"]
    [variable], [property_] = mapping[f"{hydra}variable"], mapping[f"{hydra}property"]
    assert property_["@id"] == parameters["var-base"] + variable["@value"]
    assert set(re.findall(r"{(\w+)}", template)) == {variable["@value"]}


async def test_di_05_what_the_field_says_leads_to_the_instance(service: Service, world: World) -> None:
    [(template, parameters)] = parsed(await service.as_(None).head("/api"))
    answer = await service.as_("owner").get(template.replace("{handle}", "acme-shop"))
    assert (answer.status_code, answer.headers["Location"]) == (303, BASE + world.shop)
    vocabulary = (await service.as_(None).get("/vocab")).json()
    terms = {node["@id"] for node in vocabulary["defines"]}
    assert {parameters["rel"], f"{parameters['var-base']}handle"} <= terms


async def test_di_05_a_script_may_read_the_field(service: Service) -> None:
    answer = await service.as_(None).get("/api", headers={"Origin": "https://explorer.example"})
    assert "Link-Template" in answer.headers["Access-Control-Expose-Headers"].split(", ")


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


async def test_di_01_the_entry_point_links_to_what_tools_and_people_read(service: Service) -> None:
    """RFC 8631."""
    answer = await service.as_(None).get("/api")
    found = {link.rel: link.target for link in link_values(answer)}
    assert found["service-desc"] == f"{BASE}/api/openapi.json"
    assert found["service-doc"] == f"{BASE}/api/reference"


async def test_di_09_openapi_and_the_documentation_list_the_same_operations(service: Service) -> None:
    """By the IRIs of operations and what is said of them; an operation at two addresses is there twice."""
    client = service.as_(None)
    documented: dict[str, dict[str, Any]] = {}
    for class_ in (await client.get("/api/docs")).json()["supportedClass"]:
        supported = class_["supportedProperty"]
        links = [it["property"] for it in supported if isinstance(it["property"], dict)]
        for owner in (class_, *supported, *links):
            documented |= {it["@id"]: it for it in owner.get("supportedOperation", ())}
    listed = set()
    for item in (await client.get("/api/openapi.json")).json()["paths"].values():
        for method, operation in item.items():
            if method != "parameters" and "externalDocs" in operation:
                node = documented[operation["externalDocs"]["url"]]
                assert (node["method"], node["title"]) == (method.upper(), operation["summary"])
                assert ("expects" in node) is ("requestBody" in operation)
                codes = {str(it["statusCode"]) for it in node["possibleStatus"]}
                assert codes <= operation["responses"].keys()
                listed.add(node["@id"])
    assert listed == documented.keys()
