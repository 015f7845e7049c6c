"""Section 3 of the conformance list: Link fields, and plain JSON that is read as JSON-LD."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urldefrag

import httpx
import orjson
import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from app.routes import ROUTES
from tests.conformance.answers import LinkValue, link_values
from tests.conformance.fresh import fresh_handle, organization_of
from tests.service import BASE, JSON, JSON_LD, PROBLEM, TURTLE, Service, World
from tests.test_graphs import addresses, by_pyld, by_pyoxigraph, contexts, crawl, told_of
from tests.test_sweep import concrete

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]

CONTEXT = "http://www.w3.org/ns/json-ld#context"
DOCUMENTATION = "http://www.w3.org/ns/hydra/core#apiDocumentation"
CONSTRAINED_BY = "http://www.w3.org/ns/ldp#constrainedBy"
CONTEXT_LINK = (("rel", CONTEXT), ("type", JSON_LD))
PAGES = {"first": "first", "previous": "prev", "next": "next", "last": "last"}
RELATIONS = {CONTEXT, DOCUMENTATION, CONSTRAINED_BY, *PAGES.values()}
RELATIONS |= {
    "alternate",
    "api-catalog",
    "service-desc",
    "service-doc",
    "canonical",
    "collection",
    "describedby",
    "item",
    "type",
    "up",
}
DATA = [route for route in ROUTES if {JSON, JSON_LD} <= {*route.offers} and "{file}" not in route.path]


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


def of_type(answers: list[httpx.Response], media_type: str) -> list[httpx.Response]:
    found = [answer for answer in answers if answer.headers.get("Content-Type") == media_type]
    assert len(found) > 5
    return found


def linked(answer: httpx.Response, rel: str) -> list[LinkValue]:
    return [link for link in link_values(answer) if link.rel == rel]


async def test_lk_01_plain_json_names_one_context(service: Service, world: World) -> None:
    for route in DATA:
        answer = await service.as_("owner").get(concrete(route, world), headers={"Accept": JSON})
        assert answer.headers["Content-Type"] == JSON
        [link] = linked(answer, CONTEXT)
        assert link.parameters == CONTEXT_LINK


async def test_lk_02_the_context_that_is_named_is_one(
    service: Service, answers: list[httpx.Response]
) -> None:
    targets = {link.target for answer in answers for link in linked(answer, CONTEXT)}
    names = ("registry", "problem", "documentation", "catalog")
    assert targets == {f"{BASE}/contexts/v1/{name}.jsonld" for name in names}
    for target in targets:
        answer = await service.as_(None).get(target, headers={"Accept": JSON_LD})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON_LD)
        assert isinstance(answer.json()["@context"], dict)


def entails(whole: list[str], part: list[str]) -> bool:
    """RDF 1.1 Semantics section 5.3: a node for each that has no name makes `part` a subset."""
    unnamed = sorted({term for line in part for term in line.split(" ") if term.startswith("_:")})
    if not unnamed:
        return set(part) < set(whole)
    named = sorted({line.split(" ")[0] for line in whole})
    first = [line for line in part if unnamed[0] in line.split(" ")]
    for name in named:
        renamed = [line.replace(unnamed[0], name) for line in first]
        ready = [line for line in renamed if "_:" not in line]
        if set(ready) <= set(whole) and entails(
            whole, [*renamed, *(line for line in part if line not in first)]
        ):
            return True
    return False


async def test_lk_03_plain_json_is_a_part_of_the_same_graph(service: Service, world: World) -> None:
    """API.md section 2: read with the context that its Link names, the root named by the resource's IRI."""
    client = service.as_("owner")
    documents = await contexts(client)
    context = documents[f"{BASE}/contexts/v1/registry.jsonld"]["@context"]
    for path in world.examples.values():
        plain = (await client.get(path, headers={"Accept": JSON})).json()
        whole = by_pyld((await client.get(path)).json(), documents)
        part = by_pyoxigraph(orjson.dumps({"@context": context, "@id": BASE + path, **plain}))
        unnamed = {key: len(value) for key, value in plain.items() if isinstance(value, list)}
        if path not in (world.acme, world.activity):
            assert not unnamed
        # What is embedded has no IRI in plain JSON: the graph tells the same of a node without a name.
        assert entails(whole, part)
        assert len(part) >= len(plain) - len(unnamed)


async def test_lk_04_json_ld_carries_its_context(service: Service, answers: list[httpx.Response]) -> None:
    """Whole without the answer's fields and address: no link names a context, no base is needed."""
    loader = FrozenDocumentLoader(documents=await contexts(service.as_(None)))
    for answer in of_type(answers, JSON_LD):
        assert linked(answer, CONTEXT) == []
        if answer.content and "/contexts/" not in str(answer.url):
            body = answer.json()
            assert next(iter(body)) == "@context"
            alone = jsonld.expand(body, {"documentLoader": loader})
            assert alone
            assert alone == jsonld.expand(body, {"documentLoader": loader, "base": str(answer.url)})


async def test_lk_05_a_problem_names_one_context(answers: list[httpx.Response]) -> None:
    for answer in of_type(answers, PROBLEM):
        [link] = linked(answer, CONTEXT)
        assert link == (f"{BASE}/contexts/v1/problem.jsonld", CONTEXT_LINK)


async def test_lk_06_every_answer_leads_to_the_documentation(
    service: Service, answers: list[httpx.Response]
) -> None:
    assert {200, 201, 204, 303, 304, 401, 404, 405, 406, 500, 501, 503} <= {it.status_code for it in answers}
    for answer in answers:
        assert linked(answer, DOCUMENTATION) == [(f"{BASE}/api/docs", (("rel", DOCUMENTATION),))]
    assert (await service.as_(None).get("/api/docs")).json()["@type"] == "ApiDocumentation"


async def test_lk_07_every_link_is_a_reference_with_one_relation(answers: list[httpx.Response]) -> None:
    rels = {link.rel for answer in answers for link in link_values(answer)}
    assert rels == RELATIONS


async def test_lk_08_what_is_not_json_names_its_json_ld_once_and_json_never_does(
    service: Service, answers: list[httpx.Response]
) -> None:
    """CLIENTS H5: nothing is called another form of itself, for clients that follow such a link follow it
    for ever."""
    for media_type in (TURTLE, "application/rdf+xml"):
        for answer in of_type(answers, media_type):
            alternates = linked(answer, "alternate")
            assert [dict(link.parameters)["type"] for link in alternates] in ([JSON_LD], [])
            for link in alternates:
                there = await service.as_("owner").get(link.target)
                assert (there.status_code, there.headers["Content-Type"]) == (200, JSON_LD)
                assert there.json()["@id"]
    for answer in answers:
        if "json" in answer.headers.get("Content-Type", ""):
            assert all(dict(link.parameters)["type"] != JSON_LD for link in linked(answer, "alternate"))


async def pages(client: httpx.AsyncClient, start: str, accept: str) -> list[httpx.Response]:
    """From the first page to the last, by the links of the field alone."""
    found = [await client.get(start, headers={"Accept": accept})]
    while following := linked(found[-1], "next"):
        found.append(await client.get(following[0].target, headers={"Accept": accept}))
        assert found[-1].status_code == 200
    return found


@pytest.mark.parametrize("accept", [JSON_LD, JSON])
@pytest.mark.parametrize("query", ["page=1&itemsPerPage=1", "after=&itemsPerPage=1&order[name]=asc", ""])
async def test_lk_09_the_links_of_a_view_are_in_the_field_too(
    service: Service, world: World, query: str, accept: str
) -> None:
    found = await pages(service.as_("owner"), f"{world.acme}/instances?{query}", accept)
    assert len(found) == (2 if query else 1)
    for answer in found:
        view = answer.json()["view"]
        links = {link.rel: link.target for link in link_values(answer) if link.rel in PAGES.values()}
        assert links == {rel: view[key] for key, rel in PAGES.items() if key in view}
        assert "first" in links


async def test_lk_10_what_breaks_a_rule_leads_to_the_rules(
    service: Service, answers: list[httpx.Response]
) -> None:
    broken = [answer for answer in answers if answer.status_code in (409, 422)]
    assert len(broken) > 5
    for answer in broken:
        [link] = linked(answer, CONSTRAINED_BY)
        assert (await service.as_(None).get(link.target)).status_code == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a\r\nX-Evil: 1", 422),
        ("a\nX-Evil: 1", 422),
        ('a>; rel="x"', 201),
        ('", <http://evil.example/>; rel="next', 201),
        ("é ü 名前, ;=<>", 201),
    ],
)
async def test_lk_11_nobody_s_text_gets_into_a_field(service: Service, name: str, status: int) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    usual = await owner.get("/api")
    content = {"name": name, "handle": fresh_handle()}
    answers = [await owner.post(f"{organization}/instances", json=content)]
    assert answers[0].status_code == status
    query = httpx.QueryParams({"name": name, "itemsPerPage": 1})
    answers += [await owner.get(f"{organization}/instances?{query}"), await owner.get(organization)]
    if status == 201:
        assert answers[1].json()["totalItems"] == 1
        answers.append(await owner.get(answers[0].headers["Location"]))
    known = {*usual.headers, "location", "preference-applied", "content-location"}
    for answer in answers:
        assert set(answer.headers) <= known
        assert "x-evil" not in answer.headers
        for link in link_values(answer):
            assert link.rel in RELATIONS
            assert link.target.startswith(f"{BASE}/")
        for value in answer.headers.values():
            assert "evil.example/>" not in value
            assert value.isascii()


async def test_lk_12_every_address_that_is_given_answers(
    service: Service, world: World, answers: list[httpx.Response]
) -> None:
    """In links, in Location and in the data; what an activity tells of may be gone."""
    owner = service.as_("owner")
    found = await crawl(owner, f"{BASE}/api")
    given = {urldefrag(address).url for answer in answers for address in in_fields(answer)}
    given |= {urldefrag(address).url for answer in answers for address in in_body(answer)}
    given |= {urldefrag(address).url for answer in found.values() for address in in_fields(answer)}
    gone = told_of(found) | {address for answer in answers for address in tombstones(answer)}
    own = {address for address in given if address.startswith(f"{BASE}/")}
    assert len(own) > 40
    for address in own:
        answer = found.get(address) or await owner.get(address)
        allowed = (200, 303, 410) if address in gone else (200, 303)
        assert answer.status_code in allowed, address


def in_fields(answer: httpx.Response) -> Iterator[str]:
    for link in link_values(answer):
        yield link.target
    for name in ("Location", "Content-Location"):
        if name in answer.headers:
            yield answer.headers[name]


def in_body(answer: httpx.Response) -> Iterator[str]:
    if "json" in answer.headers.get("Content-Type", "") and answer.content:
        body = answer.json()
        whole = {"@context": ()} | body if isinstance(body, dict) else {"@graph": body}
        yield from addresses({key: value for key, value in whole.items() if key != "@context"})


def tombstones(answer: httpx.Response) -> Iterator[str]:
    if answer.status_code == 410 and answer.content:
        yield answer.json()["tombstone"]["@id"]
