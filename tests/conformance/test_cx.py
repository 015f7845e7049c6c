"""Section 4 of the conformance list: the contexts and the vocabulary that data is read with."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

import app.main
from app.contract.contract import load_contract
from app.contract.faults import ContractFault
from app.contract.pins import pin
from app.contract.sources import ROOT
from app.settings import Settings
from tests.conformance.answers import every_kind
from tests.copied_contract import copied_contract
from tests.service import BASE, JSON, JSON_LD, PROBLEM, Service, World
from tests.test_graphs import addresses, contexts, crawl, keys, nodes

pytestmark = pytest.mark.anyio

CONTEXTS = [f"/contexts/v1/{name}.jsonld" for name in ("registry", "problem", "documentation", "catalog")]
PUBLISHED = [
    *("/api", "/api/docs", "/vocab", "/problems", "/problems/gone", "/contexts", *CONTEXTS),
    *("/.well-known/api-catalog", "/.well-known/void", "/.well-known/oauth-protected-resource"),
    *("/.well-known/security.txt", "/robots.txt"),
]
HEALTH = ["/livez", "/readyz"]
CONTEXT_PROFILE = f'{JSON_LD};profile="http://www.w3.org/ns/json-ld#context"'
XSD = "http://www.w3.org/2001/XMLSchema#"
IRIS_IN_THEMSELVES = (
    "http://purl.org/dc/terms/identifier",
    "http://purl.org/vocab/vann/preferredNamespaceUri",
)
# Of those that are registered with IANA, the ones that somebody might take for a prefix.
SCHEMES = """
    about acct acr adt afp aim amss app ar as2 aw bb blob cap cast cid coap com crid dab data dav
    dict did dis dns dtn dvb ed2k example fax feed file finger fm ftp geo gg git go gopher h323 http
    https iax icap icon im imap info ipp irc iris itms jabber jar jms lid market matrix message mid
    mms mt mvn news nfs ni nih nntp notes num ocf oid openid pack palm payment platform pop pres
    proxy query res resource rsync rtsp service session sip sips sms snmp ssh stun svn swid tag tel
    tip tool tv udp urn ut2004 v-event ves view-source w3 web3 wifi ws wss xcon xmpp xri z39.50
"""


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
async def terms(service: Service) -> dict[str, dict[str, Any]]:
    """The terms of each context, by its path."""
    client = service.as_(None)
    return {path: (await client.get(path)).json()["@context"] for path in CONTEXTS}


@pytest.fixture(scope="module")
async def bodies(service: Service, world: World) -> list[dict[str, Any]]:
    """Of everything that can be met, each with its context."""
    owner = service.as_("owner")
    answers = [*(await crawl(owner, f"{BASE}/api")).values(), *await every_kind(service, world)]
    read = [it for it in answers if it.content and it.headers["Content-Type"] in (JSON_LD, PROBLEM)]
    found = [answer.json() for answer in read if "/contexts/" not in str(answer.url)]
    assert len(found) > 60
    return found


@pytest.mark.parametrize("path", CONTEXTS)
@pytest.mark.parametrize(
    "accept", [CONTEXT_PROFILE, f"{CONTEXT_PROFILE}, {JSON_LD};q=0.9, {JSON};q=0.8", JSON, "*/*"]
)
async def test_cx_01_a_context_is_served_to_whoever_loads_it(
    service: Service, path: str, accept: str
) -> None:
    answer = await service.as_(None).get(path, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == (JSON if accept == JSON else JSON_LD)
    assert isinstance(answer.json()["@context"], dict)


@pytest.mark.parametrize("path", [*PUBLISHED, *HEALTH])
async def test_cx_02_what_is_published_needs_no_token(service: Service, path: str) -> None:
    assert (await service.as_(None).get(path)).status_code == 200


@pytest.mark.parametrize("path", PUBLISHED)
async def test_cx_03_what_is_published_is_kept_for_minutes_by_anyone(service: Service, path: str) -> None:
    answer = await service.as_(None).get(path)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["ETag"].startswith('"')


@contextmanager
def read_from(root: Path) -> Iterator[None]:
    """Applications are made of another contract than the one in the repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.main.load_contract", partial(load_contract, root=root))
        app.main._published.cache_clear()
        yield
    app.main._published.cache_clear()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the contract as it would be at release 1.0.0."""
    root = copied_contract(tmp_path_factory.mktemp("release"), "1.0.0")
    pin(load_contract(BASE, root).sources)
    return root


@pytest.fixture(scope="module")
async def released(release: Path) -> AsyncIterator[httpx.AsyncClient]:
    """To the service with that contract; what it publishes needs no database."""
    with read_from(release):
        made = app.main.create_app(Settings(public_url=BASE, data_dir=release))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=BASE) as client:
        yield client


@pytest.mark.parametrize("accept", [JSON_LD, JSON])
@pytest.mark.parametrize("path", CONTEXTS)
async def test_cx_03_a_released_context_is_kept_for_ever(
    released: httpx.AsyncClient, path: str, accept: str
) -> None:
    answer = await released.get(path, headers={"Accept": accept})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    tag = answer.headers["ETag"]
    again = await released.get(path, headers={"Accept": accept, "If-None-Match": tag})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, answer.headers["Cache-Control"])


async def test_cx_03_what_is_not_versioned_is_kept_for_minutes_after_a_release_too(
    released: httpx.AsyncClient,
) -> None:
    for path in set(PUBLISHED) - {*CONTEXTS, "/.well-known/security.txt"}:
        assert (await released.get(path)).headers["Cache-Control"] == "public, max-age=300", path


@pytest.mark.parametrize("path", CONTEXTS)
async def test_cx_04_behind_an_address_is_what_is_written_in_the_file(
    service: Service, released: httpx.AsyncClient, path: str
) -> None:
    """Octet for octet, but for the prefix of the vocabulary, which is where the service is."""
    written = (ROOT / path[1:]).read_bytes()
    filled = written.replace(b'"registry": null', f'"registry": "{BASE}/vocab#"'.encode())
    assert filled != written
    for client in (service.as_(None), released):
        for accept in (JSON_LD, JSON):
            assert (await client.get(path, headers={"Accept": accept})).content == filled


def test_cx_04_a_released_context_that_was_changed_is_not_served(release: Path, tmp_path: Path) -> None:
    root = shutil.copytree(release, tmp_path / "changed")
    path = root / "contexts/v1/problem.jsonld"
    path.write_text(path.read_text().replace("hydra:title", "dcterms:title"))
    fault = r"^contexts/v1/problem\.jsonld: @context: it was published with other bytes"
    with read_from(root), pytest.raises(ContractFault, match=fault):
        app.main.create_app(Settings(public_url=BASE, data_dir=tmp_path))


async def test_cx_04_the_index_tells_the_digest_of_every_context(
    service: Service, released: httpx.AsyncClient
) -> None:
    for client, status in ((service.as_(None), "Draft"), (released, "Published")):
        index = (await client.get("/contexts")).json()
        assert index["totalItems"] == len(index["member"]) == len(CONTEXTS)
        assert {member["@id"] for member in index["member"]} == {BASE + path for path in CONTEXTS}
        for member in index["member"]:
            answer = await client.get(member["@id"], headers={"Accept": member["encodingFormat"]})
            assert answer.headers["Content-Type"] == member["encodingFormat"]
            assert member["sha256"] == sha256(answer.content).hexdigest()
            assert (member["version"], member["creativeWorkStatus"]) == ("1", status)
            assert member["title"]
            assert member["description"]


@pytest.mark.parametrize("path", PUBLISHED)
async def test_cx_05_scripts_of_any_origin_may_read_what_is_published(service: Service, path: str) -> None:
    answer = await service.as_(None).get(path, headers={"Origin": "https://x.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_cx_06_a_context_needs_no_other(service: Service, terms: dict[str, dict[str, Any]]) -> None:
    refusing = FrozenDocumentLoader(documents={})
    for path, context in terms.items():
        assert "@import" not in str(context)
        assert not any(isinstance(definition, list) for definition in context.values())
        assert not any("@context" in definition for definition in objects(context))
        [node] = jsonld.expand(
            {"@context": context, "@id": f"{BASE}{path}", "title": "x"}, {"documentLoader": refusing}
        )
        assert node["@id"] == f"{BASE}{path}"


async def test_cx_07_processors_of_json_ld_1_0_read_the_contexts(terms: dict[str, dict[str, Any]]) -> None:
    """API.md section 6: neither `@version` nor `@protected`, which make them refuse a context."""
    for context in terms.values():
        assert not [key for key in context if key.startswith("@")]
        used = {key for definition in objects(context) for key in definition}
        assert used <= {"@id", "@type", "@container", "@reverse"}
        assert {definition.get("@container") for definition in objects(context)} <= {None, "@list", "@set"}


def objects(context: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [definition for definition in context.values() if isinstance(definition, dict)]


async def test_cx_08_no_term_can_be_taken_for_something_else(terms: dict[str, dict[str, Any]]) -> None:
    for context in terms.values():
        for term, definition in context.items():
            assert term
            assert not term.startswith("@")
            assert ":" not in term
            if isinstance(definition, str) and definition[-1] in ":/?#[]@":
                assert term not in SCHEMES.split()


async def test_cx_09_no_key_is_dropped(
    bodies: list[dict[str, Any]], terms: dict[str, dict[str, Any]]
) -> None:
    by_address = {BASE + path: context for path, context in terms.items()}
    for body in bodies:
        named = body["@context"]
        context = by_address[named] if isinstance(named, str) else named
        for key in keys({key: value for key, value in body.items() if key != "@context"}):
            assert key.startswith("@") or key in context or key.partition(":")[0] in context, key


async def test_cx_10_references_and_times_are_typed(
    service: Service, bodies: list[dict[str, Any]], terms: dict[str, dict[str, Any]]
) -> None:
    """A value that is an address of the service is a node; one that is an instant is a dateTime."""
    loader = FrozenDocumentLoader(documents=await contexts(service.as_(None)))
    met = {"references": 0, "times": 0}
    for body in bodies:
        expanded = jsonld.expand(body, {"documentLoader": loader})
        for predicate, value in literals(expanded):
            text = str(value["@value"])
            # What the addresses of a dataset begin with is not one of them.
            if text.startswith(f"{BASE}/") and "{" not in text and not predicate.endswith("#uriSpace"):
                # What identifies an occurrence, or is put before names, is an IRI in itself, not a node.
                assert predicate in IRIS_IN_THEMSELVES
                assert value["@type"] == f"{XSD}anyURI"
            if len(text) == 27 and text[10] == "T" and text.endswith("Z") and "Change" not in predicate:
                assert value.get("@type") == f"{XSD}dateTime", predicate
                met["times"] += 1
        met["references"] += sum("@id" in node and len(node) == 1 for node in nodes(expanded))
    assert min(met.values()) > 50
    lists = [
        key
        for key, value in terms[CONTEXTS[2]].items()
        if isinstance(value, dict) and value.get("@container")
    ]
    assert lists == ["ignoredProperties", "or", "in"]


def literals(value: Any, predicate: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """With what they are values of."""
    if isinstance(value, list):
        for item in value:
            yield from literals(item, predicate)
    elif isinstance(value, dict) and "@value" in value:
        yield predicate, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from literals(child, key)


@pytest.mark.parametrize("path", CONTEXTS)
async def test_cx_11_a_context_that_is_known_is_not_sent_again(service: Service, path: str) -> None:
    client = service.as_(None)
    tag = (await client.get(path)).headers["ETag"]
    again = await client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == tag
    assert again.headers["Cache-Control"] == "public, max-age=300"
    assert again.headers["Vary"] == "Accept, Accept-Encoding"


async def test_cx_12_every_term_met_is_described_where_it_leads(service: Service, world: World) -> None:
    """LD-10: the fragment of an address names a node of the document that it leads to."""
    client = service.as_("owner")
    found = await crawl(client, f"{BASE}/api")
    described = {node["@id"] for node in (await client.get("/vocab")).json()["defines"]}
    for answer in found.values():
        if answer.content:
            for address in addresses(answer.json()):
                if "/vocab#" in address and not address.endswith("#"):
                    assert address in described, address


async def test_cx_12_every_own_term_of_the_contexts_is_described(
    service: Service, terms: dict[str, dict[str, Any]]
) -> None:
    described = {node["@id"] for node in (await service.as_(None).get("/vocab")).json()["defines"]}
    for context in terms.values():
        assert context["registry"] == f"{BASE}/vocab#"
        for definition in context.values():
            iri = definition["@id"] if isinstance(definition, dict) and "@id" in definition else definition
            if isinstance(iri, str) and iri.startswith("registry:"):
                assert iri.replace("registry:", context["registry"]) in described


async def test_cx_13_words_that_others_have_defined_come_first(terms: dict[str, dict[str, Any]]) -> None:
    """Of the terms that data is written in most belong to others; what is own has no equal there."""
    context = terms[CONTEXTS[0]]
    iris = {key: value["@id"] if isinstance(value, dict) else value for key, value in context.items()}
    reused = {
        "name": "schema:name", "email": "schema:email", "id": "dcterms:identifier",
        "created_at": "dcterms:created", "updated_at": "dcterms:modified", "actor": "as:actor",
        "object": "as:object", "published": "as:published", "summary": "as:summary",
        "Create": "as:Create", "Delete": "as:Delete", "member": "hydra:member",
    }  # fmt: skip
    assert {key: iris[key] for key in reused} == reused
    prefixes = {key for key, value in context.items() if isinstance(value, str) and value[-1] in "#/"}
    of_others = [key for key, iri in iris.items() if key not in prefixes and not iri.startswith("registry:")]
    assert len(of_others) / (len(iris) - len(prefixes)) > 0.45


async def test_cx_14_no_context_of_others_is_used(bodies: list[dict[str, Any]]) -> None:
    """There is nothing to keep a copy of: Hydra's terms are spelled out."""
    named = {body["@context"] for body in bodies if isinstance(body["@context"], str)}
    assert named == {BASE + path for path in CONTEXTS if "problem" not in path}
