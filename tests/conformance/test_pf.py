"""Section 2 of the conformance list: the profiles of JSON-LD."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from tests.conformance.answers import every_kind, link_values
from tests.service import BASE, JSON_LD, Service, World
from tests.test_graphs import by_pyld, contexts

pytestmark = pytest.mark.anyio

RESERVED = "http://www.w3.org/ns/json-ld"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


async def form(service: Service, path: str, *profiles: str, quoted: bool = True) -> httpx.Response:
    """What is served to who asks for the profiles."""
    text = " ".join(f"{RESERVED}#{name}" if ":" not in name else name for name in profiles)
    accept = f'{JSON_LD};profile="{text}"' if quoted else f"{JSON_LD};profile={text}"
    answer = await service.as_("owner").get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    return answer


def named(*profiles: str) -> str:
    return f'{JSON_LD};profile="{" ".join(f"{RESERVED}#{name}" for name in profiles)}"'


def nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nested(child)
    elif isinstance(value, list):
        for child in value:
            yield from nested(child)


async def test_pf_01_expanded_is_an_array_without_a_context(service: Service, world: World) -> None:
    for path in (world.acme, "/api/instances", "/api/docs"):
        body = (await form(service, path, "expanded")).json()
        assert isinstance(body, list)
        keys = {key for node in nested(body) for key in node}
        assert "@context" not in keys
        assert all(":" in key for key in keys if not key.startswith("@"))
        assert body == jsonld.expand(body)


async def test_pf_02_compacted_is_one_object_with_its_context(service: Service, world: World) -> None:
    body = (await form(service, world.acme, "compacted")).json()
    assert list(body)[:3] == ["@context", "@id", "@type"]
    assert body["@id"] == BASE + world.acme


async def test_pf_03_flattened_has_every_node_once(service: Service, world: World) -> None:
    for path in (world.acme, "/api/instances", "/vocab"):
        body = (await form(service, path, "flattened")).json()
        identifiers = [node["@id"] for node in body]
        assert len(identifiers) == len(set(identifiers)) > 1
        inner = [value for node in body for child in node.values() for value in nested(child)]
        assert [value for value in inner if "@id" in value and len(value) > 1] == []
        assert sorted(identifiers) == sorted(node["@id"] for node in jsonld.flatten(body))


async def test_pf_04_flattened_and_compacted_has_a_context_and_a_graph(
    service: Service, world: World
) -> None:
    both = await form(service, world.acme, "flattened", "compacted")
    assert list(both.json()) == ["@context", "@graph"]
    swapped = await form(service, world.acme, "compacted", "flattened")
    assert (swapped.content, swapped.headers["ETag"]) == (both.content, both.headers["ETag"])


async def test_pf_05_framed_has_one_root_whose_address_was_asked(service: Service, world: World) -> None:
    """As a processor frames it, with the root's type and its nodes inside: nothing is left out."""
    for path in (world.acme, world.shop, world.activity, world.partner, "/api"):
        framed = await form(service, path, "framed")
        body = framed.json()
        assert (body["@id"], framed.headers["Content-Type"]) == (BASE + path, named("framed"))
        documents = await contexts(service.as_(None))
        options = {"documentLoader": FrozenDocumentLoader(documents=dict(documents)), "embed": "@once"}
        frame = {"@context": body["@context"], "@id": BASE + path}
        again = jsonld.frame((await form(service, path, "flattened")).json(), frame, options)
        assert again["@id"] == body["@id"]
        assert by_pyld(again, documents) == by_pyld(body, documents)


@pytest.mark.parametrize(
    "profile", ['"urn:x:unknown"', "urn:x:unknown", f'"urn:x:unknown {RESERVED}#unknown"', '""']
)
async def test_pf_06_a_profile_that_is_not_known_is_ignored(
    service: Service, world: World, profile: str
) -> None:
    owner = service.as_("owner")
    usual = await owner.get(world.shop)
    answer = await owner.get(world.shop, headers={"Accept": f"{JSON_LD};profile={profile}"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON_LD)
    assert answer.content == usual.content


async def test_pf_06_beside_a_profile_that_is_not_known_another_counts(
    service: Service, world: World
) -> None:
    answer = await form(service, world.shop, "urn:x:unknown", "expanded")
    assert answer.headers["Content-Type"] == named("expanded")


@pytest.mark.parametrize("name", ["expanded", "compacted", "flattened", "framed"])
async def test_pf_07_the_form_without_quotes_is_accepted(service: Service, world: World, name: str) -> None:
    quoted, unquoted = (
        await form(service, world.shop, name),
        await form(service, world.shop, name, quoted=False),
    )
    assert unquoted.headers["Content-Type"] == quoted.headers["Content-Type"] == named(name)
    assert unquoted.content == quoted.content


async def test_pf_08_a_context_of_the_service_compacts_and_any_other_is_not_looked_at(
    service: Service, world: World
) -> None:
    documents = await contexts(service.as_(None))
    usual = await form(service, world.shop, "compacted")
    for context in documents:
        answer = await form(service, world.shop, context)
        assert answer.headers["Content-Type"] == f'{JSON_LD};profile="{context}"'
        assert answer.json()["@context"] == context
        assert by_pyld(answer.json(), documents) == by_pyld(usual.json(), documents)
        keys = {key for key in answer.json() if not key.startswith("@")}
        assert {key for key in keys if ":" not in key} <= set(documents[context]["@context"])
    hits: list[asyncio.StreamReader] = []
    listener = await asyncio.start_server(lambda reader, _: hits.append(reader), "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        for path in (world.shop, "/api", "/vocab"):
            answer = await form(service, path, f"http://127.0.0.1:{port}/c")
            assert answer.headers["Content-Type"] == JSON_LD
    assert hits == []


async def test_pf_09_the_form_that_is_sent_is_named(service: Service, world: World) -> None:
    for profiles in (("expanded",), ("flattened",), ("framed",), ("compacted",), ("flattened", "compacted")):
        answer = await form(service, world.acme, *profiles)
        assert answer.headers["Content-Type"] == named(*profiles)
    assert (await service.as_("owner").get(world.acme)).headers["Content-Type"] == JSON_LD


async def test_pf_10_a_profile_is_more_specific_than_its_media_type(service: Service, world: World) -> None:
    client = service.as_("owner")
    for accept, gets in (
        (f"{JSON_LD};q=0.1, {named('expanded')}", named("expanded")),
        (f"{JSON_LD}, {named('expanded')};q=0.1", JSON_LD),
        (f"{named('expanded')};q=0.3, {named('flattened')};q=0.4, {JSON_LD};q=0.2", named("flattened")),
        (f"{named('expanded')};q=0, {JSON_LD};q=0.2", JSON_LD),
        (f"{named('expanded')};q=0.2, text/turtle;q=0.3", "text/turtle"),
    ):
        answer = await client.get(world.acme, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == gets, accept


async def test_pf_11_each_form_has_an_entity_tag_of_its_own(service: Service, world: World) -> None:
    forms = (("expanded",), ("compacted",), ("flattened",), ("framed",), ("flattened", "compacted"))
    for path in (world.acme, "/vocab"):
        tags = [(await form(service, path, *profiles)).headers["ETag"] for profiles in forms]
        usual = await service.as_("owner").get(path)
        assert len({*tags, usual.headers["ETag"]}) == len(forms) + 1


async def test_pf_12_all_forms_say_the_same(service: Service, world: World) -> None:
    """RD-01 holds it for every resource, and in every other syntax."""
    documents = await contexts(service.as_(None))
    profiles = ("compacted", "expanded", "flattened", "framed", *documents)
    for path in (world.acme, "/api/instances", "/api/docs", "/problems/gone"):
        told = [by_pyld((await form(service, path, profile)).json(), documents) for profile in profiles]
        assert all(quads == told[0] for quads in told)
        assert len(told[0]) > 3


@pytest.mark.parametrize(
    ("profiles", "wins"),
    [
        (("expanded", "compacted"), ("expanded",)),
        (("compacted", "expanded"), ("expanded",)),
        (("framed", "expanded"), ("expanded",)),
        (("framed", "compacted"), ("framed",)),
        (("framed", "flattened", "compacted"), ("flattened", "compacted")),
        (("expanded", "compacted", "flattened", "framed", "urn:x:unknown"), ("flattened", "compacted")),
    ],
)
async def test_pf_13_of_profiles_that_contradict_each_other_one_wins(
    service: Service, world: World, profiles: tuple[str, ...], wins: tuple[str, ...]
) -> None:
    """What fulfils most of them; of equals, the first of expanded, flattened, framed and compacted."""
    answer = await form(service, world.acme, *profiles)
    assert answer.headers["Content-Type"] == named(*wins)


async def test_pf_15_nothing_is_named_that_json_ld_reserves(service: Service, world: World) -> None:
    """But for the relation and the profiles that JSON-LD itself defines."""
    found: set[str] = set()
    for answer in await every_kind(service, world):
        found |= {link.rel for link in link_values(answer) if link.rel.startswith(RESERVED)}
        found |= set(re.findall(rf"{RESERVED}[^\"\\\s]*", answer.text))
    defined = ("context", "expanded", "compacted", "flattened", "framed")
    assert found == {f"{RESERVED}#{name}" for name in defined}


@pytest.mark.parametrize("written", ['"{}"', "{}", '"{} urn:x:unknown"', '"urn:x:unknown {}"'])
async def test_pf_14_content_is_read_as_its_profile_says(service: Service, written: str) -> None:
    """Expanded, or flattened alone, there is no context: what is compact is nothing there."""
    owner, expanded = service.as_("owner"), [{"https://schema.org/name": [{"@value": "x"}]}]
    compact, context = {"name": "x"}, f"{BASE}/contexts/v1/registry.jsonld"
    cases: list[tuple[str, Any, int]] = [
        ("expanded", expanded, 201),
        ("expanded", expanded[0], 201),
        ("expanded", compact, 422),
        ("expanded", [compact], 422),
        ("expanded", {"@context": context, **compact}, 422),
        ("expanded", {**expanded[0], **compact}, 422),
        ("flattened", expanded, 201),
        ("flattened", [{**expanded[0], "@id": "_:b0"}], 201),
        ("flattened", compact, 422),
        ("compacted", compact, 201),
        ("compacted", {"@context": context, "@graph": [compact]}, 201),
        ("framed", {"@context": context, **compact}, 201),
        ("unknown", compact, 201),
        ("unknown", expanded, 201),
    ]
    for profiled, document, status in cases:
        profile = written.format(f"{RESERVED}#{profiled}")
        headers = {"Content-Type": f"{JSON_LD};profile={profile}"}
        answer = await owner.post("/api/organizations", content=json.dumps(document), headers=headers)
        assert answer.status_code == status, (profiled, document)
    both = {"Content-Type": f'{JSON_LD};profile="{RESERVED}#flattened {RESERVED}#compacted"'}
    document = {"@context": context, "@graph": [{"@id": "", **compact}]}
    assert (await owner.post("/api/organizations", json=document, headers=both)).status_code == 201


async def test_pf_14_a_context_that_the_profile_names_is_the_content_s(service: Service) -> None:
    """One of the service's own; another one is ignored."""
    owner = service.as_("owner")
    folder = f"{BASE}/contexts/v1"
    for profile, status in ((f"{folder}/registry.jsonld", 201), ("http://127.0.0.1:1/c", 201)):
        headers = {"Content-Type": f'{JSON_LD};profile="{profile}"'}
        answer = await owner.post("/api/organizations", json={"name": ["x"]}, headers=headers)
        assert answer.status_code == status, profile
    headers = {"Content-Type": f'{JSON_LD};profile="{folder}/problem.jsonld"'}
    answer = await owner.post("/api/organizations", json={"name": ["x"]}, headers=headers)
    assert [it["propertyPath"] for it in answer.json()["violations"]] == ["name"]
