"""Section 7 of the conformance list: what Hydra clients read, find and do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from app.routes import ROUTES
from tests.conformance.answers import every_kind, link_values
from tests.conformance.fresh import MERGE, fresh_handle, instance_of, organization_of, patched
from tests.promises import PATTERNS
from tests.service import BASE, JSON_LD, PROBLEM, Service, World, id_of, made, offered
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
    """The operations by the IRI of the class, or of the link, that has them."""
    found = {iri: class_["supportedOperation"] for iri, class_ in classes(documentation).items()}
    links = [supported["property"] for supported in described(documentation, "SupportedProperty")]
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
    answers = await every_kind(service, world)
    return [it.json() for it in answers if it.headers.get("Content-Type") == PROBLEM and it.content]


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
            assert all(type_.startswith((VOCAB, HYDRA, AS, f"{BASE}/problems/")) for type_ in types)
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
    assert {
        f"{VOCAB}{name}" for name in ("Organization", "Instance", "Member", "Change", "Violation")
    } <= set(met)


async def creations(service: Service, world: World) -> dict[str, tuple[str, Json]]:
    """For each class that can be created, where, and with which content; new for each request."""
    organization = await organization_of(service)
    instance = await instance_of(service, organization)
    initech = {"organization_id": id_of(world.initech)}
    shop = {"name": "Shop", "handle": fresh_handle(), "organization_id": id_of(organization)}
    return {
        "Organization": ("/api/organizations", {"name": "Acme"}),
        "Instance": ("/api/instances", shop),
        "Member": (f"{organization}/members", {"email": "new@acme.example", "role": "member"}),
        "Authorization": (f"{instance}/authorizations", initech),
    }


@pytest.mark.parametrize("name", ["Organization", "Instance", "Member", "Authorization"])
async def test_hy_04_what_is_required_and_writable_is_so(
    service: Service, world: World, documentation: Json, name: str
) -> None:
    """Links that only the service writes are ignored, as are the times and members that a form sends back."""
    owner = service.as_("owner")
    made_once, checked = False, 0
    for supported in classes(documentation)[VOCAB + name]["supportedProperty"]:
        path, content = (await creations(service, world))[name]
        key = supported["title"]
        if supported["required"]:
            answer = await owner.post(path, json={it: content[it] for it in content if it != key})
            assert f"#/{key}" in pointers(answer)
        elif key not in content and not made_once:
            made_once = (await owner.post(path, json=content)).status_code == 201
            assert made_once
        if not supported["writable"]:
            answer = await owner.post(path, json={**content, key: "what is not so"})
            if answer.status_code == 201:
                assert answer.json().get(key) != "what is not so"
            else:
                assert pointers(answer) == [f"#/{key}"]
                checked += 1
    assert checked > 1
    assert all(it["readable"] for it in described(documentation, "SupportedProperty"))


def pointers(answer: httpx.Response) -> list[str]:
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    return [violation["pointer"] for violation in violations]


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


# What the expected class asks for, by key.
VALUES = {"name": "Generated", "email": "generated@acme.example", "role": "member", "status": "accepted"}


async def performed(
    client: httpx.AsyncClient, operation: Json, path: str, documentation: Json, target: str
) -> httpx.Response:
    """With content made from the class that it expects."""
    if "expects" not in operation:
        return await client.request(operation["method"], path)
    supported = classes(documentation)[operation["expects"]]["supportedProperty"]
    values = VALUES | {"handle": fresh_handle(), "organization_id": target}
    content = {
        it["title"]: values[it["title"]]
        for it in supported
        if it["writable"] and (it["required"] or it["title"] == "organization_id")
    }
    type_ = MERGE if operation["method"] == "PATCH" else {"Content-Type": JSON_LD}
    return await client.request(operation["method"], path, json=content, headers=type_)


async def test_hy_08_what_is_expected_is_accepted_and_what_is_promised_comes(
    service: Service, world: World, documentation: Json
) -> None:
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    acme, empty = await organization_of(service), await organization_of(service)
    shop, lab = await instance_of(service, acme), await instance_of(service, acme)
    await offered(service, shop, world.initech, accept=True)
    pending = await offered(service, lab, world.initech, accept=False)
    member = await made(owner, f"{acme}/members", email="member@acme.example", role="owner")
    spare = await instance_of(service, acme)
    # In an order in which each is there when it is asked.
    asked = [
        (owner, "OrganizationCollection", "/api/organizations", acme),
        (owner, "InstanceCollection", "/api/instances", acme),
        (owner, "InstanceCollection", f"{acme}/instances", acme),
        (owner, "MemberCollection", f"{acme}/members", acme),
        (owner, "AuthorizationCollection", f"{spare}/authorizations", world.initech),
        (neighbour, "Authorization", pending, acme),
        (owner, "Member", member, acme),
        (owner, "Organization", empty, acme),
        (owner, "TransferTargetCollection", f"{shop}/transfer", world.initech),
        (neighbour, "Instance", shop, acme),
    ]
    operations = operations_of(documentation)
    count = 0
    for client, name, path, target in asked:
        for operation in operations[VOCAB + name]:
            answer = await performed(client, operation, path, documentation, id_of(target))
            assert answer.status_code in (200, 201, 204), (operation["@id"], answer.text)
            assert (operation["returns"] == NOTHING) == (answer.content == b"")
            if answer.content:
                types = answer.json()["@type"]
                types = types if isinstance(types, list) else [types]
                assert operation["returns"].rpartition("#")[2] in types, operation["@id"]
            count += 1
    assert count == sum(len(operations[VOCAB + name]) for _, name, _, _ in asked) > 20


async def test_hy_09_every_status_that_comes_was_said_to_be_possible(
    service: Service, world: World, documentation: Json
) -> None:
    """As every answer of every test in process is looked at; here by what is served."""
    for status in described(documentation, "Status"):
        assert isinstance(status["statusCode"], int)
        assert status["title"]
        assert status["description"]
    always = {status["statusCode"] for status in documentation["possibleStatus"]}
    operations = operations_of(documentation)
    checked = 0
    for answer in await every_kind(service, world):
        path = unquote(answer.request.url.path)
        route = next((it for pattern, it in PATTERNS if pattern.fullmatch(path)), None)
        method = "GET" if answer.request.method == "HEAD" else answer.request.method
        if route and route.promise and method in route.operations:
            [operation] = [it for it in operations[VOCAB + route.promise] if it["method"] == method]
            possible = {status["statusCode"] for status in operation["possibleStatus"]}
            assert answer.status_code in possible | always, (operation["@id"], answer.status_code)
            checked += 1
    assert checked > 80


async def test_hy_10_an_operation_names_the_header_fields_that_it_takes_and_gives(
    documentation: Json,
) -> None:
    for operation in described(documentation, "Operation"):
        takes, gives = operation.get("expectsHeader", []), operation.get("returnsHeader", [])
        if operation["method"] in ("PATCH", "PUT", "DELETE"):
            assert takes == ["If-Match"], operation["@id"]
            assert gives == (["ETag"] if operation["method"] == "PATCH" else []), operation["@id"]
        elif operation["method"] == "POST":
            assert "Idempotency-Key" in takes
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
    """Of RFC 6570, level 3; names may be percent-encoded, and are equal to what that stands for."""
    expressions = re.findall(r"\{([?&]?)([^{}]*)\}", template)
    assert "{" not in re.sub(r"\{[^{}]*\}", "", template)
    names = [name for _, listed in expressions for name in listed.split(",")]
    assert all(re.fullmatch(r"(?:[A-Za-z0-9_]|%[0-9A-F]{2})+", name) for name in names)
    return [unquote(name) for name in names]


def expand(template: str, values: Mapping[str, str]) -> str:
    def of(match: re.Match[str]) -> str:
        names = [name for name in match[2].split(",") if unquote(name) in values]
        if not match[1]:
            return "".join(quote(values[unquote(name)], safe="") for name in names)
        pairs = [f"{name}={quote(values[unquote(name)], safe='')}" for name in names]
        return (match[1] + "&".join(pairs)) if pairs else ""

    return re.sub(r"\{([?&]?)([^{}]*)\}", of, template)


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


async def test_hy_16_every_expansion_is_answered_and_what_is_unknown_refused_to_who_wishes_it(
    service: Service, lists: list[Json], bodies: Mapping[str, Json]
) -> None:
    """CLIENTS H8: unknown parameters are ignored unless `Prefer: handling=strict`."""
    owner, strictly = service.as_("owner"), {"Prefer": "handling=strict"}
    values = {"itemsPerPage": "1", "page": "1", "after": "", "name": "q", "handle": "q"}
    for body in lists:
        template, mapped = body["search"]["template"], body["search"]["mapping"]
        assert not any(mapping["required"] for mapping in mapped)
        for mapping in mapped:
            name = mapping["variable"]
            if name == "before":
                continue
            value = values.get(name, "ASC")
            answer = await owner.get(expand(template, {name: value}), headers=strictly)
            assert answer.status_code == 200, (name, answer.text)
        address = f"{expand(template, {'itemsPerPage': '1'})}&zzz=1"
        assert (await owner.get(address)).status_code == 200
        refused = check_problem(await owner.get(address, headers=strictly), "invalid-parameter")
        assert "zzz" in str(refused["detail"])
    look_up = bodies[f"{BASE}/api"]["instance_by_handle"]["template"]
    assert (await owner.get(expand(look_up, {"handle": "acme-shop"}))).status_code == 303
    check_problem(await owner.get(expand(look_up, {})), "not-found")


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


async def test_hy_21_a_client_that_knows_the_base_address_alone_makes_and_unmakes_an_instance(
    service: Service,
) -> None:
    """No path, no key and no class of the service is known to it: only Hydra's words, and what titles say."""
    client = service.as_("owner")
    entry = (await client.get(BASE, follow_redirects=True)).json()
    [link] = [it for it in link_values(await client.get(BASE)) if it.rel == f"{HYDRA}apiDocumentation"]
    documented = classes((await client.get(link.target)).json())
    ways = {
        operation["title"]: (entry[supported["title"]], operation)
        for class_ in documented.values()
        for supported in class_["supportedProperty"]
        for operation in supported["property"].get("supportedOperation", ())
        if supported["title"] in entry
    }
    made_first = await fulfilled(client, *ways["Create an organization"], documented, {})
    made_second = await fulfilled(
        client, *ways["Create an instance"], documented, {"owner": made_first["@id"]}
    )
    read = (await client.get(made_second["@id"])).json()
    assert read == made_second
    by_method = {operation["method"]: operation for operation in read["operation"]}
    assert set(by_method) == {"GET", "PATCH", "PUT", "DELETE"}
    renamed = await fulfilled(client, read["@id"], by_method["PATCH"], documented, {"text": "Renamed"})
    assert {key for key in read if read[key] != renamed[key]} == {"name", "updated_at"}
    assert (await client.request("DELETE", read["@id"])).status_code == 204
    assert (await client.get(read["@id"])).status_code == 410


async def fulfilled(
    client: httpx.AsyncClient,
    address: str,
    operation: Json,
    documented: Mapping[str, Json],
    known: Mapping[str, str],
) -> Json:
    """What an operation answers to content that is made of what its class requires: a text in letters, and
    for a link that may be set the node that the client has."""
    content = {}
    for supported in documented[operation["expects"]]["supportedProperty"]:
        if supported["required"]:
            content[supported["title"]] = known.get("text", fresh_handle())
        elif supported["writable"] and supported["property"]["@type"] == "Link" and "owner" in known:
            content[supported["title"]] = known["owner"]
    type_ = MERGE if operation["method"] == "PATCH" else {"Content-Type": JSON_LD}
    answer = await client.request(operation["method"], address, json=content, headers=type_)
    assert answer.status_code in (200, 201), answer.text
    node: Json = answer.json()
    return node
