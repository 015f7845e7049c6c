"""Linked data that is made to harm: it costs little, reaches nobody else, and never is a failure."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.media_types import parse_media_type
from app.representation import json_ld
from app.representation.incoming import Reader, Sent, Target
from app.representation.json_ld import Expander
from tests.hostile.linked_data import NAME, documents, scrambled
from tests.promises import CONTRACT
from tests.service import BASE, JSON_LD, N_QUADS, N_TRIPLES, TRIG, TURTLE, Service, World
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

CONTEXT = f"{BASE}/contexts/v1/registry.jsonld"
# What a thread may take on a busy machine; `make soak` measures it on one that is not.
SECONDS = 1.5


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


def read(content_type: str, content: bytes) -> tuple[Sent, float]:
    """With the seconds that it took the processor."""
    media_type = parse_media_type(content_type)
    assert media_type is not None
    begun = time.process_time()
    target = Target("Organization", f"{BASE}/api/organizations/~")
    sent = asyncio.run(Reader(CONTRACT).read(media_type, content, target))
    return sent, time.process_time() - begun


def test_what_is_made_to_cost_much_costs_little() -> None:
    """TH-04, TH-05, RD-06."""
    for name, content_type, content in documents():
        sent, seconds = read(content_type, content)
        assert seconds < SECONDS, name
        assert sent.problem is None or sent.problem.type in ("malformed-content", "invalid-content"), name


async def test_what_is_made_to_cost_much_is_refused(service: Service) -> None:
    owner = service.as_("owner")
    statuses = set()
    for name, content_type, content in documents():
        headers = {"Content-Type": content_type}
        answer = await owner.post("/api/organizations", content=content, headers=headers)
        assert answer.status_code in (201, 400, 413, 422), name
        assert len(answer.content) < 80_000, name
        statuses.add(answer.status_code)
    assert statuses == {201, 400, 413, 422}


def test_a_short_term_does_not_stand_for_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """TH-04: every IRI is counted that PyLD makes, by a method of its own that may change its name."""
    expander = Expander(CONTRACT)
    document: Any = {"@context": {"p": "http://x.example/"}, "p:name": "x"}
    assert expander.expand(document, BASE, None)
    monkeypatch.setattr(json_ld, "MAX_EXPANDED", 10)
    with pytest.raises(Problem, match="stand for so much"):
        expander.expand(document, BASE, None)


@pytest.mark.parametrize("seed", range(40))
def test_punctuation_alone_is_malformed(seed: int) -> None:
    content = scrambled(Random(seed), 100_000).encode()
    for media_type in (TURTLE, TRIG, N_TRIPLES, N_QUADS):
        sent, seconds = read(media_type, content)
        assert seconds < SECONDS
        assert sent.problem is not None


KEYS = st.sampled_from(
    [
        *("@context", "@id", "@type", "@graph", "@value", "@list", "@set", "@reverse", "@included", "@nest"),
        *("@index", "@language", "@direction", "@vocab", "@base", "@container", "@json", "@none", "@import"),
        *("@version", "@protected", "@propagate", "@prefix", "@foo", "name", "n", "n:x", "", ":", "a:b"),
        *(NAME, "http://x.example/p", "_:b", "owners", "operation", "schema:name", "\ud800", "id"),
        "organization",
    ]
)
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([1.1, 0.5, 1e300])
    | KEYS
    | st.sampled_from([CONTEXT, f"{BASE}/contexts/v1/problem.jsonld", "/contexts/v1/registry.jsonld"])
    | st.sampled_from(["x\0y", "en", "ltr"])
)
JSON_VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=14
)


@settings(max_examples=400, deadline=None)
@given(document=JSON_VALUES, profile=st.sampled_from(["", ";profile=http://www.w3.org/ns/json-ld#expanded"]))
@example(document={"@context": {"@vocab": None}, NAME: "x"}, profile="")
@example(document=[{"@context": {"@language": None}, NAME: "x"}], profile="")
@example(document={"@context": {"@direction": None}, NAME: {"@context": {"@direction": None}}}, profile="")
@example(document={"@context": {"@base": "\ud800"}, "@id": "x"}, profile="")
@example(document={"@context": {"n": {"@id": "n", "@nest": "@nest"}}, "n": {"n": []}}, profile="")
def test_whatever_json_ld_is_sent_it_is_read_or_refused(document: Any, profile: str) -> None:
    """Nothing else is raised, whatever the libraries make of it; and what comes out can be written."""
    sent, _ = read(JSON_LD + profile, json.dumps(document).encode())
    if sent.problem is None:
        json.dumps(sent.document, ensure_ascii=False).encode()
    else:
        assert sent.problem.type in ("malformed-content", "invalid-content")
        for fault in sent.problem.violations:
            (fault.property_path + fault.message + fault.pointer).encode()


@settings(max_examples=200, deadline=None)
@given(
    tokens=st.lists(
        st.sampled_from(
            [
                *("<>", "<a>", "<urn:a>", "a", "_:a", "[]", "[", "]", "(", ")", "()", ".", ";", ",", '"x"'),
                *("'x'", "1", "true"),
                *(
                    "@en",
                    "@en--ltr",
                    "^^",
                    "@prefix p: <urn:p#> .",
                    "p:x",
                    "@base <http://b/> .",
                    "BASE <c>",
                    "{",
                    "}",
                ),
                *(
                    "{|",
                    "|}",
                    "~",
                    "<<",
                    ">>",
                    "GRAPH",
                    "#",
                    "\n",
                    '"""',
                    "\\",
                    "VERSION '1.2'",
                    f"<{NAME}>",
                    "\u0000",
                ),
            ]
        ),
        max_size=14,
    ),
    media_type=st.sampled_from([TURTLE, TRIG, N_TRIPLES, N_QUADS]),
)
def test_whatever_turtle_is_sent_it_is_read_or_refused(tokens: list[str], media_type: str) -> None:
    sent, _ = read(media_type, " ".join(tokens).encode())
    if sent.problem is not None:
        assert sent.problem.type in ("malformed-content", "invalid-content")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """What would be asked, if anything were fetched."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def fetching(address: str) -> Iterator[tuple[str, Any]]:
    """Every way that content has to name a document elsewhere (TH-01)."""
    name = {NAME: "x", "name": "x"}
    contexts = [
        address,
        [address],
        [CONTEXT, address],
        [None, {"n": NAME}, address],
        {"@import": address},
        {"@import": address, "n": NAME},
        {"n": {"@id": NAME, "@context": address}},
        {"T": {"@id": "urn:t", "@context": [address]}},
        {"@context": address},
        [{"@context": address}],
        {"@base": address, "@vocab": address},
    ]
    for context in contexts:
        yield JSON_LD, {"@context": context, "@type": "T", **name}
        yield JSON_LD, {**name, "owners": [{"@context": context, "name": "y"}]}
        yield JSON_LD, {**name, "operation": {"@context": context}}
        yield JSON_LD, [{"@context": context, **name}]
        yield JSON_LD, {"@context": CONTEXT, "@graph": [{"@context": context, **name}]}
        yield (
            JSON_LD,
            {"@context": {"i": {"@id": NAME, "@container": "@index"}}, "i": {"a": {"@context": context}}},
        )
    yield JSON_LD, address
    yield JSON_LD, {"@context": {"@base": address}, "@id": "c", **name}
    yield f'{JSON_LD};profile="{address}"', {"name": ["x"]}
    yield f'{JSON_LD};profile="http://www.w3.org/ns/json-ld#context {address}"', name
    for media_type in (TURTLE, TRIG):
        yield media_type, f"@base <{address}> . @prefix p: <{address}#> . <> p:x <{address}> ; a <x> ."
        yield media_type, f"<> <http://www.w3.org/2002/07/owl#imports> <{address}> ."
    for media_type in (N_TRIPLES, N_QUADS):
        yield media_type, f"_:a <{address}> <{address}> ."


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_nothing_is_fetched_whatever_is_named(
    service: Service, world: World, listener: socket.socket, method: str
) -> None:
    """TH-01: a context of others is refused by its name, and nobody is asked."""
    owner = service.as_("owner")
    paths = {
        "POST": (
            "/api/organizations",
            "/api/instances",
            f"{world.acme}/instances",
            f"{world.acme}/members",
            f"{world.shop}/authorizations",
            f"{world.shop}/transfer",
        ),
        "PUT": (world.acme, world.shop, world.nested_shop),
    }
    port, named = listener.getsockname()[1], 0
    for address in (
        f"http://127.0.0.1:{port}/c",
        f"//127.0.0.1:{port}/c",
        f"http://[::ffff:127.0.0.1]:{port}/c",
        "file:///etc/hostname",
    ):
        for content_type, content in fetching(address):
            body = content if isinstance(content, str) and content_type != JSON_LD else json.dumps(content)
            headers = {
                "Content-Type": content_type,
                "Link": f'<{address}>; rel="http://www.w3.org/ns/json-ld#context"',
            }
            for path in paths[method]:
                answer = await owner.request(method, path, content=body, headers=headers)
                assert answer.status_code in (200, 201, 400, 422), (content, answer.text)
                named += address in answer.text and "Nothing is fetched" in answer.text
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert named > 100


async def test_a_context_of_others_is_refused_with_what_to_do_instead(service: Service) -> None:
    headers = {"Content-Type": JSON_LD}
    document = {"@context": [CONTEXT, "https://schema.org/"], "name": "x"}
    answer = await service.as_("owner").post("/api/organizations", json=document, headers=headers)
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    [violation] = violations
    assert (violation["propertyPath"], violation["pointer"]) == ("@context", "#/@context/1")
    assert "https://schema.org/" in violation["message"]
    assert CONTEXT in violation["message"]


CLAIMS = {
    "another term": {"handle": f"{BASE}/vocab#name"},
    "the other property": {"name": f"{BASE}/vocab#handle", "handle": NAME},
    "a vocabulary": {"@vocab": "http://evil.example/"},
    "a base": {"@base": f"{BASE}/api/instances/"},
    "no context": None,
    "a type that is a property": {"name": "@type"},
    "an identifier that is a property": {"name": "@id"},
}


@pytest.mark.parametrize("name", CLAIMS)
async def test_content_is_judged_by_what_its_context_makes_of_it(
    service: Service, world: World, name: str
) -> None:
    """TH-02: never by its keys. Nothing that it says so is stored; what `Poison` would be, is refused."""
    owner = service.as_("owner")
    before = await owner.get(world.shop)
    content = {"@context": CLAIMS[name], "name": "Poison", "handle": "poison", "@id": "x"}
    for method, path in (("POST", f"{world.acme}/instances"), ("PUT", world.shop)):
        answer = await owner.request(method, path, json=content, headers={"Content-Type": JSON_LD})
        check_problem(answer, "invalid-content")
    assert (await owner.get(world.shop)).content == before.content
