"""Section 1 of the conformance list: what a client gets of the forms that there are."""

from __future__ import annotations

import gzip
import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
import rdflib
import zstandard
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from app.contract.namespaces import HYDRA
from app.exchange import Resource
from app.representation.forms import EXPANDED, HTML, TEXT
from app.routes import ROUTES
from tests.conformance.fresh import instance_of, organization_of
from tests.conformance.sockets import exchanged, listening
from tests.service import (
    BASE,
    JSON,
    JSON_LD,
    PATCH,
    PROBLEM,
    TURTLE,
    Service,
    World,
    accepting,
    forms,
)
from tests.test_graphs import SYNTAXES, contexts
from tests.test_sweep import check_common, check_problem, concrete

pytestmark = pytest.mark.anyio

DOCUMENTATION, PROFILE = "/api/docs", 'profile="http://www.w3.org/ns/json-ld#expanded"'
REPRESENTED = [route for route in ROUTES if route.offers]
IDS = [route.path for route in REPRESENTED]
# How many times as long what is ten times as long may take: with squares it would be a hundred.
MOST_TIMES = 40


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


async def test_cn_01_no_accept_field_is_no_preference(service: Service, world: World) -> None:
    async with listening(service) as port:
        lines = (f"GET {world.shop} HTTP/1.1", f"Host: 127.0.0.1:{port}")
        credentials = f"Authorization: Bearer {service.token('owner')}"
        without = await exchanged(port, *lines, credentials)
        anything = await exchanged(port, *lines, credentials, "Accept: */*")
    head, _, body = without.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert f"\r\ncontent-type: {JSON_LD}\r\n".encode() in head
    assert json.loads(body)["@id"] == BASE + world.shop
    assert anything.partition(b"\r\n\r\n")[2] == body


@pytest.mark.parametrize("route", REPRESENTED, ids=IDS)
async def test_cn_02_every_type_that_is_offered_is_served_as_that_type(
    service: Service, world: World, route: Resource
) -> None:
    client, path = service.as_("owner"), concrete(route, world)
    refused = await client.get(path, headers={"Accept": "image/png"})
    offered = [accepting(it) for it in refused.json()["available"]]
    assert offered == forms(route)
    documents = await contexts(client)
    for media_type in offered:
        answer = await client.get(path, headers={"Accept": media_type})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
        if media_type in SYNTAXES:
            assert len(rdflib.Dataset().parse(data=answer.text, format=SYNTAXES[media_type])) > 3
        elif media_type.startswith(JSON_LD) and "/contexts/" not in path:
            loader = FrozenDocumentLoader(documents=documents)
            assert jsonld.expand(answer.json(), {"documentLoader": loader, "base": BASE + path})
        elif media_type == TEXT:
            assert answer.text.endswith("\n")
        elif media_type == HTML:
            assert answer.text.startswith("<!DOCTYPE html>\n")
        else:
            assert isinstance(json.loads(answer.content), dict), media_type


def row(number: str, path: str, *accept: str, gets: str | None) -> Any:
    return pytest.param(path, accept, gets, id=f"{number} {' & '.join(accept)}")


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [
        row("CN-03", "shop", f"{JSON};q=0.4, {JSON_LD};q=0.9", gets=JSON_LD),
        row("CN-03", "shop", f"{JSON};q=0.9, {JSON_LD};q=0.4", gets=JSON),
        row("CN-04", "docs", f"*/*;q=0.9, {JSON_LD};q=0.1, {JSON};q=0.1", gets=TURTLE),
        row("CN-04", "docs", f"{JSON_LD};q=0.1, */*;q=0.9", gets=JSON),
        row("CN-04", "docs", f"{TURTLE};q=0.2, text/*;q=0.9, {JSON_LD};q=0.5", gets=JSON_LD),
        row("CN-05", "shop", f"{JSON_LD};q=0, */*", gets=JSON),
        row("CN-05", "shop", f"*/*, {JSON_LD};q=0.000, {JSON};q=0", gets=TURTLE),
        row("CN-05", "shop", f"text/*, {TURTLE};q=0, application/*;q=0", gets=None),
        row("CN-06", "shop", "*/*;q=0", gets=None),
        row("CN-07", "docs", "text/*", gets=TURTLE),
        row("CN-07", "docs", "application/*", gets=JSON_LD),
        row("CN-07", "shop", "text/*", gets=TURTLE),
        row("CN-07", "shop", "image/*", gets=None),
        row("CN-07", "shop", "*/json", gets=None),
        row("CN-08", "shop", "application/*+json", gets=None),
        row("CN-09", "shop", f"APPLICATION/JSON;Q=0.5, {JSON_LD};q=0.4", gets=JSON),
        row("CN-09", "docs", "Text/Turtle", gets=TURTLE),
        row("CN-10", "shop", f"{JSON_LD};q=0.1", JSON, gets=JSON),
        row("CN-10", "docs", f"{TURTLE};q=0.1", f"{JSON_LD};q=0.2", gets=JSON_LD),
        row("CN-11", "shop", f"{JSON_LD};q=0.2;{PROFILE}, {JSON};q=0.1", gets=EXPANDED),
        row("CN-11", "shop", f"{JSON_LD};{PROFILE};q=0.1, {JSON};x=y;q=0.2", gets=JSON),
        row("CN-12", "shop", f'{JSON_LD};profile="urn:a,b;c=\\"d\\""', gets=JSON_LD),
        row("CN-12", "shop", f'image/png;x=", {JSON_LD};q=1", {JSON};q=0.1', gets=JSON),
        row("CN-13", "shop", f",,;,a/,/,{JSON};q=zz,{JSON}", gets=JSON),
        row("CN-13", "shop", f" , ,{JSON}, ,", gets=JSON),
        row("CN-13", "shop", "", gets=JSON_LD),
        *(row("CN-13", "shop", f"{JSON};q={q}", gets=None) for q in ("2", "-1", "NaN", "1.0000", "", "é")),
        row("CN-13", "shop", f'{JSON_LD};profile="x, {JSON_LD}', JSON, gets=JSON),
        row("CN-21", "shop", f"{JSON};charset=utf-8", gets=JSON),
        row("CN-21", "shop", f"{JSON};version=9, {JSON_LD};q=0.5", gets=JSON),
    ],
)
async def test_the_form_that_a_client_prefers(
    service: Service, world: World, path: str, accept: tuple[str, ...], media_type: str | None
) -> None:
    address = world.shop if path == "shop" else DOCUMENTATION
    lines = [(b"Accept", line.encode()) for line in accept]
    answer = await service.as_("owner").get(address, headers=lines)
    if media_type is None:
        check_problem(answer, "not-acceptable")
    else:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)


async def test_cn_14_the_time_that_an_accept_field_takes_grows_no_faster_than_the_field(
    service: Service, world: World
) -> None:
    """What a whole head may hold takes some ten milliseconds; the least of three, since other work of the
    process may come between."""

    async def taken(ranges: int) -> float:
        field, least = ",".join(f"a/b;q=0.{number % 1_000}" for number in range(ranges)) + ",*/*", math.inf
        for _ in range(3):
            started = time.thread_time()
            answer = await service.as_("owner").get(world.shop, headers={"Accept": field})
            least = min(least, time.thread_time() - started)
            assert answer.status_code == 200
        return least

    assert await taken(2_500) < MOST_TIMES * await taken(250)


async def test_cn_14_a_longer_accept_field_is_refused(service: Service, world: World) -> None:
    field = ",".join(f"a/b;q=0.{number % 1_000}" for number in range(10_000))
    answer = await service.as_("owner").get(world.shop, headers={"Accept": field})
    check_problem(answer, "header-fields-too-large")


@pytest.mark.parametrize("route", REPRESENTED, ids=IDS)
async def test_cn_15_what_is_not_acceptable_is_refused_with_what_there_is(
    service: Service, world: World, route: Resource
) -> None:
    client, path = service.as_("owner"), concrete(route, world)
    refused = await client.get(path, headers={"Accept": "image/png, application/pdf;q=0.5"})
    available = check_problem(refused, "not-acceptable")["available"]
    assert isinstance(available, list)
    assert len(available) == len(forms(route))
    for offer in available:
        answer = await client.get(offer["address"], headers={"Accept": accepting(offer)})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, accepting(offer))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("?name=i&itemsPerPage=1", "?name=i&itemsPerPage=1"),
        ("?name=%C3%A9+%26+%7Eall&&page=1", "?name=%C3%A9%20%26%20~all&page=1"),
        ("?after=", "?after="),
        ("?name=%zz", ""),
    ],
)
async def test_cn_15_a_part_of_a_list_is_told_where_that_part_is(
    service: Service, asked: str, told: str
) -> None:
    owner = service.as_("owner")
    refused = await owner.get(f"/api/instances{asked}", headers={"Accept": "image/png"})
    available = check_problem(refused, "not-acceptable")["available"]
    assert isinstance(available, list)
    assert f"{BASE}/api/instances.json{told}" in [offer["address"] for offer in available]
    assert {offer["address"].partition("?")[1:] for offer in available} == {("?" if told else "", told[1:])}


async def test_cn_15_a_change_is_asked_for_in_another_form_where_it_was(
    service: Service, world: World
) -> None:
    """Where one form alone is, nothing can be changed."""
    owner = service.as_("owner")
    for method, path in (("POST", "/api/organizations"), ("PATCH", world.shop), ("PUT", world.shop)):
        answer = await owner.request(method, path, json={}, headers={"Accept": "image/png"})
        available = check_problem(answer, "not-acceptable")["available"]
        assert isinstance(available, list)
        assert {offer["address"] for offer in available} == {BASE + path}


async def test_cn_16_what_accept_decided_is_told_in_vary(service: Service, world: World) -> None:
    owner, anonymous = service.as_("owner"), service.as_(None)
    tag = (await owner.get(world.shop)).headers["ETag"]
    stale = {"If-Match": '"0.0"', "Content-Type": PATCH}
    answers = {
        200: await owner.get(world.shop),
        201: await owner.post("/api/organizations", json={"name": "Varied"}),
        304: await owner.get(world.shop, headers={"If-None-Match": tag}),
        401: await anonymous.get(world.shop),
        404: await owner.get(world.absent),
        405: await owner.post(world.shop),
        406: await owner.get(world.shop, headers={"Accept": "image/png"}),
        410: await owner.get(world.deleted_shop),
        412: await owner.patch(world.shop, json={"name": "New"}, headers=stale),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert "Accept" in varies(answer), status


# What may be asked for in two ways, by the field that tells which.
WAYS: Mapping[str, tuple[str, str]] = {
    "Accept": (JSON_LD, f"{JSON}, {TURTLE}"),
    "Accept-Encoding": ("identity", "gzip"),
    "Accept-Language": ("en", "de"),
    "Origin": ("https://a.example", "https://b.example"),
    "Prefer": ("handling=lenient", "handling=strict, return=minimal"),
    "Cookie": ("a=b", "c=d"),
    "User-Agent": ("curl/8", "Mozilla/5.0"),
}
# What differs from one answer to the next whatever was sent, and what says that a wish was granted.
PASSING = {"x-request-id", "traceresponse"}


def varies(answer: httpx.Response) -> set[str]:
    return set(answer.headers.get("Vary", "").split(", ")) - {""}


def without_passing(answer: httpx.Response) -> Any:
    fields = {name: value for name, value in answer.headers.items() if name not in PASSING}
    return answer.status_code, fields, answer.text.replace(answer.headers["X-Request-Id"], "")


async def deciding(ask: Callable[..., Any]) -> tuple[set[str], set[str]]:
    """The fields that an answer depends on, and those that the answers name."""
    found: set[str] = set()
    named: set[str] = set()
    for name, (one, other) in WAYS.items():
        first, second = await ask(headers={name: one}), await ask(headers={name: other})
        named |= varies(first) | varies(second)
        if without_passing(first) != without_passing(second):
            found.add(name)
    return found, named


async def test_cn_17_vary_names_the_fields_that_decide_and_no_other(service: Service, world: World) -> None:
    owner = service.as_("owner")

    async def change(headers: Mapping[str, str]) -> httpx.Response:
        content = {"name": "Shop"}
        return await owner.patch(world.shop, json=content, headers={**headers, "Content-Type": PATCH})

    async def read(path: str) -> tuple[set[str], set[str]]:
        return await deciding(lambda headers: owner.get(path, headers=headers))

    form = {"Accept", "Accept-Encoding"}
    assert await read("/api/instances") == (form, form)
    assert await read(DOCUMENTATION) == (form, form)
    assert await read("/api/instances?page=1&unknown=1") == (form | {"Prefer"}, form | {"Prefer"})
    assert await deciding(change) == (form | {"Prefer"}, form | {"Prefer"})
    assert await read("/nothing") == ({"Accept"}, {"Accept"})
    # It leads on in either of these ways, and is a page for people in a third one.
    assert await read("/api/me") == (set(), {"Accept"})
    assert (await owner.get("/api/me", headers={"Accept": "text/html"})).status_code == 200


@pytest.mark.parametrize("route", REPRESENTED, ids=IDS)
async def test_cn_18_head_is_answered_in_the_form_that_get_is(
    service: Service, world: World, route: Resource
) -> None:
    owner, path = service.as_("owner"), concrete(route, world)
    for accept in (*forms(route), "image/png"):
        get = await owner.get(path, headers={"Accept": accept})
        head = await owner.head(path, headers={"Accept": accept})
        assert (head.status_code, head.content) == (get.status_code, b"")
        for name in ("Content-Type", "ETag", "Vary", "Content-Length"):
            assert (name, head.headers.get(name)) == (name, get.headers.get(name))


async def test_cn_19_what_cannot_be_answered_as_wished_is_not_done(service: Service, world: World) -> None:
    """A deletion is answered without content: any wish is granted."""
    owner, organization = service.as_("owner"), await organization_of(service)
    picture = {"Accept": "image/png"}
    instance = await instance_of(service, organization)
    before = await owner.get(instance)
    content = {"name": "Other", "handle": "never-made"}
    refused = [
        await owner.post(f"{organization}/instances", json=content, headers=picture),
        await owner.patch(instance, json={"name": "Other"}, headers=picture | {"Content-Type": PATCH}),
        await owner.put(instance, json={"name": "Other"}, headers=picture),
    ]
    for answer in refused:
        check_problem(answer, "not-acceptable")
    assert (await owner.get(instance)).content == before.content
    assert (await owner.get(f"{organization}/instances?after=")).json()["totalItems"] == 1
    deleted = await owner.delete(instance, headers=picture)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await owner.get(instance)).status_code == 410


@pytest.mark.parametrize("accept", ["image/png", "*/*;q=0", f"{PROBLEM};q=0"])
async def test_cn_20_an_error_is_sent_whatever_is_acceptable(
    service: Service, world: World, accept: str
) -> None:
    owner, fields = service.as_("owner"), {"Accept": accept}
    check_problem(await owner.get("/nope", headers=fields), "not-found")
    check_problem(await owner.get(world.absent, headers={**fields, "Accept": JSON}), "not-found")
    check_problem(await owner.request("DELETE", "/api", headers=fields), "method-not-allowed")
    check_problem(await service.as_(None).get(world.shop, headers=fields), "not-authenticated")
    check_problem(await owner.delete(world.absent, headers=fields), "not-found")


@pytest.mark.parametrize("media_type", SYNTAXES)
async def test_cn_20_an_error_is_sent_in_another_syntax_than_json_where_that_is_preferred(
    service: Service, world: World, media_type: str
) -> None:
    owner, fields = service.as_("owner"), {"Accept": f"{media_type}, {JSON_LD};q=0.5"}
    for answer in (
        await owner.get("/nope", headers=fields),
        await owner.request("DELETE", "/api", headers=fields),
        await service.as_(None).get(world.shop, headers=fields),
        await owner.get(world.deleted_shop, headers=fields),
        await owner.post("/api/organizations", json={"name": " "}, headers=fields),
    ):
        check_common(answer)
        assert answer.headers["Content-Type"] == media_type
        graph = rdflib.Dataset(default_union=True).parse(data=answer.text, format=SYNTAXES[media_type])
        [(error, status)] = graph.subject_objects(rdflib.URIRef(f"{HYDRA}statusCode"))
        assert str(status) == str(answer.status_code)
        types = [str(type_) for type_ in graph.objects(error, rdflib.RDF.type)]
        [type_] = [type_ for type_ in types if type_.startswith(f"{BASE}/problems/")]
        assert str(error).startswith(f"{type_}#")


async def raw(client: httpx.AsyncClient, path: str, coding: str) -> tuple[httpx.Response, bytes]:
    """With the bytes as they were sent, which the client would decode."""
    async with client.stream("GET", path, headers={"Accept-Encoding": coding}) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda content: zstandard.ZstdDecompressor().decompressobj().decompress(content),
}


async def test_cn_23_a_coding_is_named_where_it_is_applied_and_only_applied_where_it_is_wanted(
    service: Service,
) -> None:
    owner = service.as_("owner")
    for path in ("/api/instances", DOCUMENTATION):
        plain, content = await raw(owner, path, "identity")
        assert "Content-Encoding" not in plain.headers
        tags = {plain.headers["ETag"]}
        for coding, decode in DECODERS.items():
            answer, coded = await raw(owner, path, coding)
            assert answer.headers["Content-Encoding"] == coding
            assert int(answer.headers["Content-Length"]) == len(coded) < len(content)
            assert decode(coded) == content
            tags.add(answer.headers["ETag"])
        assert len(tags) == 3
        for unwanted in (
            "gzip;q=0",
            "gzip;q=0, zstd;q=0.000",
            "*;q=0, identity",
            "br",
            "",
            "gzip;q=0.5, identity",
        ):
            answer, uncoded = await raw(owner, path, unwanted)
            assert "Content-Encoding" not in answer.headers, unwanted
            assert uncoded == content


@pytest.mark.parametrize("route", REPRESENTED, ids=IDS)
async def test_cn_24_a_type_of_json_has_no_charset_and_all_text_is_utf_8(
    service: Service, world: World, route: Resource
) -> None:
    owner, path = service.as_("owner"), concrete(route, world)
    answers = [await owner.get(path, headers={"Accept": accept}) for accept in (*forms(route), "image/png")]
    for answer in answers:
        # What is plain text has one by its own standards (RFC 9116 section 3, RFC 9309 section 2.3).
        plain = answer.headers["Content-Type"] == TEXT
        assert plain or "charset" not in answer.headers["Content-Type"]
        assert answer.content.decode("utf-8")
    assert answers[-1].headers["Content-Type"] == PROBLEM


async def test_cn_25_languages_are_not_negotiated(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for path in (world.shop, "/nope", DOCUMENTATION):
        usual = await owner.get(path)
        for language in ("de", "de, *;q=0", "rubbish!;;q=9"):
            answer = await owner.get(path, headers={"Accept-Language": language})
            assert "Content-Language" not in answer.headers
            assert without_passing(answer) == without_passing(usual)
