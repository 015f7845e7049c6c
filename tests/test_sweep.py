"""What all resources have in common, tested over every route, method and media type."""

from __future__ import annotations

import re

import httpx
import orjson
import pytest

from app.exchange import Resource
from app.representation.forms import HTML
from app.request import METHODS
from app.routes import ROUTES
from tests.policies import policies
from tests.service import BASE, JSON, JSON_LD, PROBLEM, Service, World, accepting, forms, id_of, kinds

pytestmark = pytest.mark.anyio

DOCUMENTATION = f'<{BASE}/api/docs>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'
CONTEXT_REL = 'rel="http://www.w3.org/ns/json-ld#context"'
METADATA = f'resource_metadata="{BASE}/.well-known/oauth-protected-resource"'
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
ROUTE_IDS = [route.path for route in ROUTES]
REPRESENTED = [route for route in ROUTES if route.offers]


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


def concrete(route: Resource, world: World) -> str:
    """The path of something that is there, for the route."""
    values = {
        "organization_id": world.acme_id,
        "instance_id": id_of(world.shop),
        "partner_id": id_of(world.partner),
        "id": id_of(world.examples.get(route.promise, "")),
        "handle": "acme-shop",
        "file": "registry.jsonld",
        "type": "gone",
    }
    return route.path.format_map(values)


def check_common(answer: httpx.Response) -> None:
    """CLIENTS H2, H3; STANDARDS SH-01, SH-02, SH-04."""
    assert DOCUMENTATION in answer.headers["Link"].split(", ")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Link", "Location", "ETag", "WWW-Authenticate", "Allow", "Retry-After"} <= set(exposed)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"] in policies(answer)
    assert answer.headers["Cross-Origin-Resource-Policy"] in ("cross-origin", "same-site")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Request-Id"]
    links = ", ".join(answer.headers.get_list("Link")).split(", ")
    alternates = [link for link in links if 'rel="alternate"' in link]
    assert len(alternates) <= 1
    if "json" in answer.headers.get("Content-Type", ""):
        assert not any('type="application/ld+json"' in link for link in alternates)


def check_problem(answer: httpx.Response, type_: str) -> dict[str, object]:
    """API.md section 5, CLIENTS X1 and X2: one body, whatever raised it."""
    check_common(answer)
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.headers["Vary"] in ("Accept", "Accept, Prefer")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Link"].count(CONTEXT_REL) == 1
    body: dict[str, object] = answer.json()
    assert body["type"] == f"{BASE}/problems/{type_}", body
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]
    assert str(body["instance"]).startswith(f"{body['type']}#")
    assert str(body["instance"]).endswith(answer.headers["X-Request-Id"])
    return body


@pytest.mark.parametrize("route", [it for it in REPRESENTED if JSON in it.offers], ids=lambda it: it.path)
async def test_plain_json_names_the_context_of_its_linked_data_and_nothing_else_does(
    service: Service, world: World, route: Resource
) -> None:
    """CLIENTS H5: a context never itself."""
    owner, path = service.as_("owner"), concrete(route, world)
    answers = {
        it: await owner.get(path, headers={"Accept": it}) for it in (JSON, JSON_LD) if it in route.offers
    }
    named = {
        it: re.findall(f"<([^>]*)>; {CONTEXT_REL}", answer.headers["Link"]) for it, answer in answers.items()
    }
    context = answers[JSON_LD].json().get("@context") if JSON_LD in answers else None
    told = named.pop(JSON)
    assert not any(named.values())
    if path == "/api/docs":  # which stands in a context of its own, after the one that is named
        assert told == [f"{BASE}/contexts/v1/documentation.jsonld"]
    else:
        assert told == ([context] if isinstance(context, str) else [])


@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
async def test_every_route_answers_in_each_media_type_that_it_offers(
    service: Service, world: World, route: Resource
) -> None:
    """CN-01, CN-02, CN-16, CN-18, CN-24, CLIENTS H1."""
    owner = service.as_("owner")
    path = concrete(route, world)
    default = await owner.get(path)
    check_common(default)
    if not route.offers:
        assert default.status_code == 303
        assert default.headers["Location"].startswith(f"{BASE}/api")
        return
    kind = route.offers[0].partition("/")[0]
    equal = ", ".join(f"{media_type};q=0.1" for media_type in reversed(route.offers))
    usual = ["*/*", f"{kind}/*", equal]
    for accept in usual if HTML in route.offers or route.explored else [*usual, BROWSER]:
        same = await owner.get(path, headers={"Accept": accept})
        assert (same.content, same.headers["Content-Type"]) == (default.content, route.offers[0])
    for media_type in forms(route):
        answer = await owner.get(path, headers={"Accept": media_type})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        assert answer.headers["ETag"].startswith('"')
        check_common(answer)
        head = await owner.head(path, headers={"Accept": media_type})
        assert head.content == b""
        volatile = {"x-request-id"}
        assert {k: v for k, v in head.headers.items() if k not in volatile} == {
            k: v for k, v in answer.headers.items() if k not in volatile
        }


@pytest.mark.parametrize("route", REPRESENTED, ids=[route.path for route in REPRESENTED])
async def test_every_representation_can_be_asked_for_again_without_being_sent_again(
    service: Service, world: World, route: Resource
) -> None:
    """PC-03, PC-12, CX-11: 304 with the fields that 200 would have."""
    owner = service.as_("owner")
    path = concrete(route, world)
    tags = set()
    for media_type in kinds(route):
        answer = await owner.get(path, headers={"Accept": media_type})
        tag = answer.headers["ETag"]
        tags.add(tag)
        for sent in (tag, f'W/{tag}, "other"', "*"):
            again = await owner.get(path, headers={"Accept": media_type, "If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b"")
            check_common(again)
            for name in ("ETag", "Vary", "Cache-Control", "Content-Location", "Link"):
                assert again.headers.get(name) == answer.headers.get(name)
        assert (await owner.get(path, headers={"If-None-Match": '"1.0000000000000000"'})).status_code == 200
        failed = await owner.get(path, headers={"Accept": media_type, "If-Match": '"0.0"'})
        assert failed.status_code == 412
        check_common(failed)
        matched = await owner.get(path, headers={"Accept": media_type, "If-Match": tag})
        assert matched.status_code == 200
    assert len(tags) == len(kinds(route))


@pytest.mark.parametrize("route", REPRESENTED, ids=[route.path for route in REPRESENTED])
async def test_what_is_not_offered_is_refused_with_what_is(
    service: Service, world: World, route: Resource
) -> None:
    """CN-05, CN-06, CN-08, CN-15: each of the types that are named can be had."""
    owner = service.as_("owner")
    path = concrete(route, world)
    for accept in ("image/png", "*/*;q=0", "application/*+json"):
        body = check_problem(await owner.get(path, headers={"Accept": accept}), "not-acceptable")
        available = body["available"]
        assert isinstance(available, list)
        assert [accepting(item) for item in available] == forms(route)
        # The list is the same each time: its addresses are followed once.
        for item in available if accept == "image/png" else ():
            there = await owner.get(item["address"], headers={"Accept": accepting(item)})
            assert (there.status_code, there.headers["Content-Type"]) == (200, accepting(item))


@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
async def test_every_route_tells_its_methods_and_refuses_others(
    service: Service, world: World, route: Resource
) -> None:
    """ME-01 to ME-06: Allow is the path's, and asks neither token nor database."""
    path = concrete(route, world)
    anonymous = service.as_(None)
    options = await anonymous.options(path)
    allow = options.headers["Allow"].split(", ")
    assert options.status_code == 204
    check_common(options)
    assert set(allow) == {*route.operations, "HEAD", "OPTIONS"}
    for method in METHODS:
        if method not in allow:
            refused = await anonymous.request(method, path)
            check_problem(refused, "method-not-allowed")
            assert refused.headers["Allow"] == options.headers["Allow"]
    for method in ("FROB", "TRACE"):
        check_problem(await anonymous.request(method, path), "not-implemented")


@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
async def test_a_bad_token_is_refused_everywhere(service: Service, world: World, route: Resource) -> None:
    """AU-03, AU-04, AU-18, AU-21: also where none is needed."""
    anonymous = service.as_(None)
    expired = service.token("owner", lifetime=-100)
    for credentials in ("Bearer rubbish", f"Bearer {expired}", "Basic b3duZXI6eA==", "Bearer"):
        answer = await anonymous.get(concrete(route, world), headers={"Authorization": credentials})
        check_problem(answer, "not-authenticated")
        assert answer.headers["WWW-Authenticate"] == f'Bearer error="invalid_token", {METADATA}'


@pytest.mark.parametrize("route", ROUTES, ids=ROUTE_IDS)
async def test_only_what_is_published_needs_no_token(service: Service, world: World, route: Resource) -> None:
    """AU-01, AU-02, AU-04, CX-02."""
    answer = await service.as_(None).get(concrete(route, world))
    unspoken = route.promise in ("", "Entrypoint", "documentation", "vocabulary", "shapes")
    if unspoken:
        assert answer.status_code in (200, 303)
        return
    check_problem(answer, "not-authenticated")
    assert answer.headers["WWW-Authenticate"] == f"Bearer {METADATA}"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/",
        "/api/docs/",
        "/api/docs%0A",
        "/api/instances%0A",
        "/api/instances/42",
        "/api/instances/01930000-0000-4000-8000-000000000000",
        "/api/instances/01930000-0000-7000-8000-00000000000A",
        "/api/instances/01930000-0000-7000-8000-000000000000",
        "/api/instances/%00",
        "/api/handles/%00",
        "/api/handles/Nobody",
        "/api/handles/nobody",
        "/api/handles/%F0%9F%92%A9%ED%A0%80",
        "/api/organizations/01930000-0000-7000-8000-000000000000/instances",
        "/problems/nothing",
        "/contexts/v1/nothing",
        "/contexts/v1/..%2F..%2Fpyproject.toml",
    ],
)
async def test_what_is_not_there_is_a_problem_too(service: Service, path: str) -> None:
    check_problem(await service.as_("owner").get(path), "not-found")


async def test_a_get_may_carry_what_it_likes(service: Service, world: World) -> None:
    """CLIENTS H4: the content type of api-doc-parser's reads, and content that is not looked at."""
    client = service.as_("owner")
    headers = {"Content-Type": JSON_LD}
    assert (await client.request("GET", world.shop, headers=headers)).status_code == 200
    assert (await client.request("GET", world.shop, headers=headers, content=b"{")).status_code == 200


async def test_json_ld_begins_with_its_context_and_plain_json_names_it(
    service: Service, world: World
) -> None:
    """CLIENTS J2 to J4, H5; LK-01."""
    client = service.as_("owner")
    link = f'<{BASE}/contexts/v1/registry.jsonld>; {CONTEXT_REL}; type="application/ld+json"'
    for path in ("/api", "/api/organizations", "/api/instances", world.acme, world.shop):
        answer = await client.get(path)
        body = orjson.loads(answer.content)
        assert list(body)[:3] == ["@context", "@id", "@type"]
        assert (body["@context"], body["@id"]) == (f"{BASE}/contexts/v1/registry.jsonld", BASE + path)
        assert CONTEXT_REL not in answer.headers["Link"]
        plain = await client.get(path, headers={"Accept": JSON})
        assert link in plain.headers["Link"].split(", ")
        assert not any(key.startswith("@") for key in plain.json())
