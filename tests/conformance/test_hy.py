"""Section 7 of the conformance list: what Hydra clients read, find and do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import httpx
import pytest
import uritemplate
from hypothesis import strategies as st
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from app.routes import ROUTES
from tests import test_a_client_that_knows_only_the_entry_point as proof
from tests.conformance.answers import link_values
from tests.conformance.fresh import fresh_handle, instance_of, organization_of, patched
from tests.conformance.generating import examples
from tests.conformance.problems import ASKED
from tests.service import BASE, Service, World, made
from tests.test_graphs import contexts, crawl, nodes
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

HYDRA, VOCAB = "http://www.w3.org/ns/hydra/core#", f"{BASE}/vocab#"
RDF, RDFS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/01/rdf-schema#"
AS, SHACL = "https://www.w3.org/ns/activitystreams#", "http://www.w3.org/ns/shacl#"
NOTHING = "http://www.w3.org/2002/07/owl#Nothing"

Json = dict[str, Any]


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
async def found(service: Service) -> Mapping[str, httpx.Response]:
    """Everything that an owner reaches from the base address."""
    start = await service.as_("owner").get("/")
    assert start.status_code == 303
    return await crawl(service.as_("owner"), start.headers["Location"])


@pytest.fixture(scope="module")
async def loader(service: Service) -> FrozenDocumentLoader:
    return FrozenDocumentLoader(documents=await contexts(service.as_(None)))


@pytest.fixture(scope="module")
def bodies(found: Mapping[str, httpx.Response]) -> Mapping[str, Json]:
    return {
        address: answer.json()
        for address, answer in found.items()
        if answer.status_code == 200 and "/contexts/" not in address
    }


@pytest.fixture(scope="module")
def documentation(bodies: Mapping[str, Json]) -> Json:
    return bodies[f"{BASE}/api/docs"]


@pytest.fixture(scope="module")
def lists(bodies: Mapping[str, Json]) -> list[Json]:
    """Each list once, by its own address."""
    found = [body for address, body in bodies.items() if "view" in body and body["@id"] == address]
    assert len(found) > 8
    return found


def described(value: Any, type_: str) -> Iterator[Json]:
    """The nodes of a type in a document of the service, in its own keys."""
    if isinstance(value, dict):
        types = value.get("@type", [])
        if type_ in (types if isinstance(types, list) else [types]):
            yield value
        value = list(value.values())
    for child in value if isinstance(value, list) else ():
        yield from described(child, type_)


def classes(documentation: Json) -> dict[str, Json]:
    return {class_["@id"]: class_ for class_ in documentation["supportedClass"]}


def operations_of(documentation: Json) -> dict[str, list[Json]]:
    """The operations by the IRI of what has them: of a class, of a link, or of that as one class has it."""
    found = {iri: class_["supportedOperation"] for iri, class_ in classes(documentation).items()}
    supported = [*described(documentation, "SupportedProperty")]
    links = [*supported, *(it["property"] for it in supported)]
    return found | {link["@id"]: link["supportedOperation"] for link in links if "supportedOperation" in link}


async def test_hy_01_every_answer_leads_to_one_documentation(service: Service) -> None:
    anonymous = service.as_(None)
    for answer in (await anonymous.get("/api"), await anonymous.get("/nope"), await anonymous.get("/api/me")):
        [target] = [link.target for link in link_values(answer) if link.rel == f"{HYDRA}apiDocumentation"]
        refusing = FrozenDocumentLoader(documents={})
        [node] = jsonld.expand((await anonymous.get(target)).json(), {"documentLoader": refusing})
        assert (node["@id"], node["@type"]) == (target, [f"{HYDRA}ApiDocumentation"])
        assert [len(node[f"{HYDRA}{name}"]) for name in ("title", "description", "entrypoint")] == [1, 1, 1]
        assert len(node[f"{HYDRA}supportedClass"]) > 10


async def test_hy_02_everything_is_found_from_the_base_address(
    world: World, found: Mapping[str, httpx.Response], bodies: Mapping[str, Json], documentation: Json
) -> None:
    entrypoint = bodies[documentation["entrypoint"]]
    supported = classes(documentation)[f"{VOCAB}Entrypoint"]["supportedProperty"]
    assert {it["title"] for it in supported} == {"organizations", "instances"}
    for it in supported:
        assert it["property"]["@type"] == "Link"
        assert "Collection" in bodies[entrypoint[it["title"]]]["@type"]
    assert {BASE + path for path in world.examples.values()} <= set(found)
    assert {f"{BASE}/api/activities", f"{BASE}/vocab"} <= set(found)


@pytest.fixture(scope="module")
async def problems(service: Service, world: World) -> list[Json]:
    return [(await asked.of(service, world)).json() for asked in ASKED]


async def test_hy_03_what_is_served_is_what_is_supported(
    bodies: Mapping[str, Json], problems: list[Json], documentation: Json, loader: FrozenDocumentLoader
) -> None:
    """Both ways: nothing more, and, of the classes that are met, nothing less."""
    supported = {
        iri: {it["property"]["@id"] for it in class_["supportedProperty"] if it["readable"]}
        for iri, class_ in classes(documentation).items()
    }
    for iri, class_ in classes(documentation).items():
        supported[iri] |= {one for parent in class_["subClassOf"] for one in supported.get(parent, ())}
    own = {iri for iri in supported if iri.startswith(VOCAB)}
    data = [body for address, body in bodies.items() if "/api" in address and not address.endswith("/docs")]
    met: dict[str, set[str]] = {}
    for body in (*data, *problems):
        for node in nodes(jsonld.expand(body, {"documentLoader": loader})):
            types = set(node.get("@type", ()))
            assert all(type_.startswith((VOCAB, HYDRA, AS, SHACL, f"{BASE}/problems/")) for type_ in types)
            assert {type_ for type_ in types if type_.startswith(VOCAB)} <= own
            types |= {f"{VOCAB}Problem"} if f"{HYDRA}Error" in types else set()
            predicates = {key for key in node if not key.startswith("@")}
            for type_ in types & set(supported):
                met.setdefault(type_, set()).update(predicates & supported[type_])
            if types & own:
                allowed = {one for type_ in types for one in supported.get(type_, ())}
                assert {it for it in predicates - allowed if not it.startswith(HYDRA)} == set(), types
    met[f"{VOCAB}Problem"].add(f"{RDF}type")
    for type_, predicates in met.items():
        assert supported[type_] - predicates == set(), type_
    operations = [it for having in operations_of(documentation).values() for it in having]
    only_sent = {it["expects"] for it in operations if "expects" in it} - {it["returns"] for it in operations}
    parents = {parent for iri in met if iri in own for parent in classes(documentation)[iri]["subClassOf"]}
    assert {iri for iri, properties in supported.items() if properties} - set(met) - parents == only_sent


async def test_hy_05_every_operation_has_a_method(bodies: Mapping[str, Json]) -> None:
    operations = [operation for body in bodies.values() for operation in described(body, "Operation")]
    operations += [operation for body in bodies.values() for operation in described(body, "hydra:Operation")]
    assert len(operations) > 60
    assert {operation["method"] for operation in operations} == {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize("route", [it for it in ROUTES if it.promise], ids=lambda route: route.path)
async def test_hy_06_what_is_promised_is_what_a_path_allows(
    service: Service, world: World, documentation: Json, route: Any
) -> None:
    """Whoever asks: `Allow` is the path's; what this caller may do stands in `operation`."""
    promised = {operation["method"] for operation in operations_of(documentation)[VOCAB + route.promise]}
    allowed = {
        frozenset((await service.as_(subject).options(concrete(route, world))).headers["Allow"].split(", "))
        for subject in ("owner", "stranger", None)
    }
    assert allowed == {frozenset(promised | {"HEAD", "OPTIONS"})}


async def test_hy_09_a_status_has_a_number_and_says_what_it_means(documentation: Json) -> None:
    """Which ones come is tried in test_hy_09.py, and looked at in every answer of every test."""
    for status in described(documentation, "Status"):
        assert isinstance(status["statusCode"], int)
        assert status["title"]
        assert status["description"]


async def test_hy_10_an_operation_names_the_header_fields_that_it_takes_and_gives(
    documentation: Json,
) -> None:
    for operation in described(documentation, "Operation"):
        takes, gives = operation.get("expectsHeader", []), operation.get("returnsHeader", [])
        if operation["method"] in ("PATCH", "PUT", "DELETE"):
            assert takes == ["If-Match", "If-None-Match"], operation["@id"]
            assert gives == (["ETag"] if operation["method"] == "PATCH" else []), operation["@id"]
        elif operation["method"] == "POST":
            assert takes == ["Idempotency-Key", "If-Match", "If-None-Match"], operation["@id"]
            creates = 201 in {status["statusCode"] for status in operation["possibleStatus"]}
            assert gives == (["ETag", "Location"] if creates else ["ETag"]), operation["@id"]
        else:
            redirects = 303 in {status["statusCode"] for status in operation["possibleStatus"]}
            assert (takes, gives) == (([], ["Location"]) if redirects else (["If-None-Match"], ["ETag"]))


async def members(client: httpx.AsyncClient, address: str) -> list[Json]:
    """All of a list, page by page."""
    found: list[Json] = []
    following: str | None = address
    while following:
        page = (await client.get(following)).json()
        found += page["member"]
        following = page["view"].get("next")
    return found


@pytest.mark.parametrize("subject", ["owner", "member", "stranger", "neighbour"])
@pytest.mark.parametrize("path", ["/api/organizations", "/api/instances", "/api/instances?name=sh"])
async def test_hy_11_a_list_counts_what_its_caller_finds_in_it(
    service: Service, loader: FrozenDocumentLoader, subject: str, path: str
) -> None:
    client = service.as_(subject)
    body = (await client.get(path)).json()
    [node] = jsonld.expand(body, {"documentLoader": loader})
    assert f"{HYDRA}Collection" in node["@type"]
    [total] = node[f"{HYDRA}totalItems"]
    assert type(total["@value"]) is int
    assert isinstance(body["member"], list)
    one_by_one = path + ("&" if "?" in path else "?") + "itemsPerPage=1"
    assert len(await members(client, one_by_one)) == total["@value"]


async def test_hy_12_an_assertion_says_two_of_three_and_holds_for_every_member(
    lists: list[Json], bodies: Mapping[str, Json], loader: FrozenDocumentLoader
) -> None:
    entrypoint = bodies[f"{BASE}/api"]
    for body in (*lists, *entrypoint["collection"]):
        context = {"@context": entrypoint["@context"]}
        [node] = jsonld.expand(context | body, {"documentLoader": loader})
        for assertion in node[f"{HYDRA}memberAssertion"]:
            said = {key.removeprefix(HYDRA) for key in assertion if not key.startswith("@")}
            assert said == {"property", "object"}
            assert assertion[f"{HYDRA}property"] == [{"@id": f"{RDF}type"}]
            [class_] = assertion[f"{HYDRA}object"]
            for member in node.get(f"{HYDRA}member", ()):
                assert class_["@id"] in member["@type"]


@pytest.mark.parametrize("query", ["page=1&itemsPerPage=2", "after=&itemsPerPage=2", "itemsPerPage=2&name=s"])
async def test_hy_13_the_pages_of_a_list_lead_forth_and_back(service: Service, query: str) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    for _ in range(5):
        await instance_of(service, organization)
    address: str | None = f"{BASE}{organization}/instances?{query}"
    forth: list[Json] = []
    while address:
        body = (await owner.get(address)).json()
        assert (body["view"]["@type"], body["view"]["@id"]) == ("PartialCollectionView", address)
        assert ("last" in body["view"]) == query.startswith("page")
        forth.append(body)
        address = body["view"].get("next")
    assert [len(body["member"]) for body in forth] == [2, 2, 1]
    assert "previous" not in forth[0]["view"]
    assert {body["view"]["first"] for body in forth} == {forth[0]["view"]["first"]}
    if query.startswith("page"):
        assert {body["view"]["last"] for body in forth} == {forth[-1]["view"]["@id"]}
    back = [forth[-1]]
    while "previous" in back[-1]["view"]:
        back.append((await owner.get(back[-1]["view"]["previous"])).json())
    assert [body["member"] for body in back] == [body["member"] for body in reversed(forth)]


def variables(template: str) -> list[str]:
    """As RFC 6570 section 2.3 has names: percent-encoded, and equal to what that stands for."""
    names = list(uritemplate.variables(template))
    assert all(re.fullmatch(r"(?:[A-Za-z0-9_]|%[0-9A-F]{2})+", name) for name in names)
    return [unquote(name) for name in names]


def expand(template: str, values: Mapping[str, str]) -> str:
    """By a library that knows nothing of this service."""
    named: Any = {quote(name, safe=""): value for name, value in values.items()}
    return uritemplate.expand(template, named)


def templates(bodies: Mapping[str, Json]) -> list[Json]:
    found = [template for body in bodies.values() for template in described(body, "IriTemplate")]
    assert len(found) > 8
    return found


async def test_hy_14_a_template_has_a_mapping_for_each_variable(bodies: Mapping[str, Json]) -> None:
    for template in templates({address: body for address, body in bodies.items() if "/vocab" not in address}):
        mapped = [mapping["variable"] for mapping in template["mapping"]]
        assert variables(template["template"]) == mapped
        assert len(set(mapped)) == len(mapped)
        for mapping in template["mapping"]:
            assert mapping["property"]
            assert isinstance(mapping["required"], bool)


async def test_hy_15_values_are_given_in_their_basic_form(
    service: Service, bodies: Mapping[str, Json], loader: FrozenDocumentLoader
) -> None:
    """Hydra's examples: a literal is its text alone, whatever its type; quotes would be a part of it."""
    assert "ExplicitRepresentation" not in json.dumps(list(bodies.values()))
    for template in templates({address: body for address, body in bodies.items() if "/vocab" not in address}):
        assert template["variableRepresentation"] == "hydra:BasicRepresentation"
    owner, organization = service.as_("owner"), await organization_of(service)
    texts = [
        "A simple string",
        'A string " with a quote',
        "10",
        "true",
        "http://www.example.com/resource",
        "a@de",
    ]
    for text in texts:
        await made(owner, f"{organization}/instances", name=text, handle=fresh_handle())
    search = (await owner.get(f"{organization}/instances")).json()["search"]["template"]
    for text in texts:
        page = (await owner.get(expand(search, {"name": text}))).json()
        assert [member["name"] for member in page["member"]] == [text]
    assert (await owner.get(expand(search, {"name": '"10"'}))).json()["totalItems"] == 0


Values = dict[str, st.SearchStrategy[str]]
WAYS = st.sampled_from(["asc", "desc", "ASC", "Desc"])


def values_of(variables: Sequence[str]) -> st.SearchStrategy[dict[str, str]]:
    """Legal ones for any of the variables of a list, with one order and one way of paging at a time."""
    numbers = st.integers(1, 100).map(str)
    of_pages = {"itemsPerPage", "page", "after", "before"}
    searched = {name: texts for name in variables if name not in of_pages and not name.startswith("order[")}
    orders: list[Values] = [{}, *({name: WAYS} for name in variables if name.startswith("order["))]
    pages: list[Values] = [{}, {"page": numbers}, {"after": st.just("")}]

    def together(order: Values, page: Values) -> st.SearchStrategy[dict[str, str]]:
        return st.fixed_dictionaries(order | page, optional=searched | {"itemsPerPage": numbers})

    return st.tuples(st.sampled_from(orders), st.sampled_from(pages)).flatmap(lambda both: together(*both))


# What a name or a handle could hold: no control characters, which a query cannot ask for.
printed = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
texts = st.text(printed, max_size=20) | st.text("aehops-%_\"'<>&+/?# éß中😀", min_size=1, max_size=4)


async def test_hy_16_every_expansion_leads_to_what_was_asked_for(service: Service, lists: list[Json]) -> None:
    """Texts in every script and with every sign, strictly: nothing in them is taken for something else."""
    owner, strictly = service.as_("owner"), {"Prefer": "handling=strict"}
    found = 0
    for body in lists:
        template = body["search"]["template"]
        for values in examples(values_of(variables(template)), 10):
            address = expand(template, values)
            answer = await owner.get(address, headers=strictly)
            assert answer.status_code == 200, (address, answer.text)
            view = urlsplit(answer.json()["view"]["@id"])
            asked = parse_qsl(view.query, keep_blank_values=True)
            assert view.path == urlsplit(address).path
            assert {name: value for name, value in asked if name in values} == values
            for member in answer.json()["member"]:
                assert values.get("handle", "") in member.get("handle", values.get("handle", ""))
                found += 1
    assert found > 20


async def test_hy_16_a_handle_is_found_and_no_other_text_is(
    service: Service, bodies: Mapping[str, Json]
) -> None:
    owner, look_up = service.as_("owner"), bodies[f"{BASE}/api"]["instance_by_handle"]["template"]
    instances = [body for body in bodies.values() if body.get("@type") == "Instance"]
    assert instances
    for instance in instances:
        answer = await owner.get(expand(look_up, {"handle": instance["handle"]}))
        assert (answer.status_code, answer.headers["Location"]) == (303, instance["@id"])
    for text in examples(texts, 40):
        check_problem(await owner.get(expand(look_up, {"handle": text})), "not-found")
    check_problem(await owner.get(expand(look_up, {})), "not-found")


async def test_hy_16_what_is_unknown_is_refused_to_who_wishes_it(service: Service, lists: list[Json]) -> None:
    """CLIENTS H8: unknown parameters are ignored unless `Prefer: handling=strict`."""
    owner, strictly = service.as_("owner"), {"Prefer": "handling=strict"}
    for body in lists:
        assert not any(mapping["required"] for mapping in body["search"]["mapping"])
        address = f"{expand(body['search']['template'], {'itemsPerPage': '1'})}&zzz=1"
        assert (await owner.get(address)).status_code == 200
        refused = check_problem(await owner.get(address, headers=strictly), "invalid-parameter")
        assert "zzz" in str(refused["detail"])


async def test_hy_17_a_client_pages_by_what_hydra_calls_limit_and_reference(
    service: Service, loader: FrozenDocumentLoader
) -> None:
    owner = service.as_("owner")
    body = (await owner.get("/api/instances")).json()
    [node] = jsonld.expand(body["search"] | {"@context": body["@context"]}, {"documentLoader": loader})
    by_meaning = {
        mapping[f"{HYDRA}property"][0]["@id"].removeprefix(HYDRA): mapping[f"{HYDRA}variable"][0]["@value"]
        for mapping in reversed(node[f"{HYDRA}mapping"])
    }
    limit, reference = by_meaning["limit"], by_meaning["pageReference"]
    page = (await owner.get(expand(body["search"]["template"], {limit: "1", reference: ""}))).json()
    assert len(page["member"]) == 1
    assert page["view"]["next"] == (await owner.get(page["view"]["next"])).json()["view"]["@id"]


async def test_hy_18_everything_that_is_documented_has_a_title(documentation: Json) -> None:
    for type_ in ("Class", "SupportedProperty", "Operation", "Status"):
        found = list(described(documentation, type_))
        assert len(found) > 10
        for node in found:
            assert node["title"].strip(), node["@id"]
            assert node.get("description", "-").strip(), node["@id"]
    assert documentation["title"]
    assert documentation["description"]
    for class_ in documentation["supportedClass"]:
        assert class_["description"]


async def test_hy_19_preferences_are_granted_or_ignored(service: Service) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    minimal = await patched(owner, path, {"name": "One"}, Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (204, b"")
    assert minimal.headers["Preference-Applied"] == "return=minimal"
    whole = await patched(owner, path, {"name": "Two"}, Prefer="return=representation")
    assert (whole.status_code, whole.json()["name"]) == (200, "Two")
    assert whole.headers["Preference-Applied"] == "return=representation"
    lenient = await patched(owner, path, {"name": "Two"}, Prefer="handling=lenient")
    assert (lenient.status_code, lenient.headers["Preference-Applied"]) == (200, "handling=lenient")
    usual = await patched(owner, path, {"name": "Two"})
    for ignored in ("foo=bar", "return=something", "wait=10, respond-async", "rubbish ;;;,=", "depth-noroot"):
        answer = await patched(owner, path, {"name": "Two"}, Prefer=ignored)
        assert (answer.status_code, answer.content) == (200, usual.content)
        assert "Preference-Applied" not in answer.headers
        assert "Prefer" in answer.headers["Vary"].split(", ")
    first = await patched(owner, path, {"name": "Two"}, Prefer="return=minimal, return=representation")
    assert first.status_code == 204


async def test_hy_20_shapes_do_not_contradict_what_hydra_says(service: Service, documentation: Json) -> None:
    vocabulary = (await service.as_(None).get("/vocab")).json()
    shapes = {node["@id"]: node for node in vocabulary["defines"]}
    checked, sent_alone = 0, set()
    for supported in described(documentation, "SupportedProperty"):
        shape = shapes.get(supported["@id"], {})
        if "path" in shape:
            assert shape["path"] == supported["property"]["@id"]
            if supported["required"] and shape.get("minCount", 0) < 1:
                sent_alone.add(supported["@id"])
            assert not supported["required"] or supported["writable"], supported["@id"]
            assert supported["writable"] == supported["writeable"]
            most = supported["property"].get("maxCardinality")
            assert most is None or shape.get("maxCount") == most, supported["@id"]
            checked += 1
    assert checked > 30
    # Whoever is added has an address; a machine that has joined has none to show.
    assert sent_alone == {f"{VOCAB}Member-email"}


# It stands where it can be read alone; here it is one of the list.
test_hy_21_a_client_knows_one_address_alone = proof.test_it_creates_reads_changes_transfers_and_deletes
