"""Content in every syntax of RDF: the same resource, the same violations, and nothing said of others."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from app.contract.constraints import NO_STRING
from app.representation.forms import EVERY_FORM, JSON, RDF_XML
from tests.conformance.fresh import fresh_handle, instance_of, organization_of
from tests.linked_forms import CONTEXT, DOCUMENT, LOADER, PROFILE, forms
from tests.service import (
    BASE,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    TRIG,
    TURTLE,
    Service,
    World,
    id_of,
    made,
)
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]

SCHEMA, VOCAB, HYDRA = "https://schema.org/", f"{BASE}/vocab#", "http://www.w3.org/ns/hydra/core#"
DCTERMS, XSD = "http://purl.org/dc/terms/", "http://www.w3.org/2001/XMLSchema#"
ORGANIZATIONS = "/api/organizations"
GIVEN = {"id", "@id", "created_at", "updated_at", "joined_at", "handle", "operation", "owners", "members"}
GIVEN |= {"instances", "memberships", "received_authorizations", "activities", "authorizations", "transfer"}


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def sent(
    client: httpx.AsyncClient, method: str, path: str, content_type: str, content: Any
) -> httpx.Response:
    body = content if isinstance(content, str | bytes) else json.dumps(content)
    return await client.request(method, path, content=body, headers={"Content-Type": content_type})


def outcome(answer: httpx.Response) -> Any:
    """What does not differ between two resources that were made of the same values."""
    body = answer.json()
    if answer.is_success:
        return answer.status_code, {key: value for key, value in body.items() if key not in GIVEN}
    faults = [(it["propertyPath"], it["code"], it["message"], it["pointer"]) for it in body["violations"]]
    return answer.status_code, body["type"], sorted(faults)


NAMES = st.sampled_from(["Acme", "Ünï 名前 🎉", '"</script>\\', "", " x", "a" * 256, "\u202egnp"]) | st.text(
    max_size=8
)
HANDLES = st.sampled_from(["", "Not one", "www", "ab--c", "x" * 31])


@pytest.fixture(scope="module")
def alone(on_sqlite: tuple[Service, World]) -> tuple[Service, World]:
    """For tests that make much."""
    return on_sqlite


@settings(max_examples=15, deadline=None)
@given(name=NAMES, unknown=st.booleans(), typed=st.booleans(), given_time=st.booleans())
async def test_an_organization_is_the_same_whatever_it_was_written_in(
    alone: tuple[Service, World], name: str, unknown: bool, typed: bool, given_time: bool
) -> None:
    values: dict[str, Any] = {"@type": "Organization"} if typed else {}
    values |= {"name": name} if name else {}
    values |= {"http://x.example/p": "x"} if unknown else {}
    values |= {"created_at": "2026-01-01T00:00:00.000000Z"} if given_time else {}
    try:
        json.dumps(name, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    owner = alone[0].as_("owner")
    outcomes = {
        form: outcome(await sent(owner, "POST", ORGANIZATIONS, content_type, content))
        for form, content_type, content in forms(values)
    }
    assert all(it == outcomes["plain"] for it in outcomes.values()), outcomes


@pytest.mark.parametrize("named", ["organization", "organization_id", "both", "neither", "another"])
@pytest.mark.parametrize("handle", [None, "", "Not one", "www", "ab--c"])
async def test_an_instance_is_the_same_whatever_it_was_written_in(
    alone: tuple[Service, World], named: str, handle: str | None
) -> None:
    service, world = alone
    owner = service.as_("owner")
    links = {"organization": BASE + world.acme, "organization_id": world.acme_id}
    chosen = {"both": links, "neither": {}, "another": {"organization": BASE + world.globex}}
    values: dict[str, Any] = chosen.get(named, {key: it for key, it in links.items() if key == named})
    outcomes = {}
    for form, content_type, content in forms({"name": "Shop", "handle": "the-handle", **values}):
        body = content.replace(b"the-handle", (fresh_handle() if handle is None else handle).encode())
        outcomes[form] = outcome(await sent(owner, "POST", "/api/instances", content_type, body))
    assert all(it == outcomes["plain"] for it in outcomes.values()), outcomes
    assert outcomes["plain"][0] == (201 if handle is None and named not in ("neither", "another") else 422)


@pytest.mark.parametrize(
    "member",
    [
        {"@id": "{path}"},
        {"@id": "{id}"},
        {"@id": ""},
        {"@id": "urn:x:y"},
        {"@type": "registry:Instance"},
        {"@type": ["registry:Instance"]},
        {"@type": f"{VOCAB}Instance"},
        {"@type": f"{VOCAB}Organization"},
        {"organization": "{organization}"},
        {"organization": {"@id": "{organization}"}},
        {"organization": {"@id": "../organizations/{organization_id}"}},
        {"organization": {"@id": "/api/organizations/01930000-0000-7000-8000-000000000000"}},
    ],
    ids=str,
)
async def test_an_iri_may_be_relative_or_compact_however_the_context_is_written(
    service: Service, member: dict[str, Any]
) -> None:
    """LD-01: one context and a list of one are the same document."""
    organization = await organization_of(service)
    path = await instance_of(service, organization)
    text = json.dumps(member).replace("{path}", path).replace("{id}", id_of(path))
    text = text.replace("{organization}", organization).replace("{organization_id}", id_of(organization))
    answers = [
        await sent(
            service.as_("owner"), "PUT", path, JSON_LD, {"@context": it, "name": "Q", **json.loads(text)}
        )
        for it in (CONTEXT, [CONTEXT])
    ]
    assert outcome(answers[0]) == outcome(answers[1])
    wrong = "urn:x" in text or "#Organization" in text or "01930000" in text
    assert {it.status_code for it in answers} == {422 if wrong else 200}


@pytest.mark.parametrize("values", [{"role": "owner"}, {"role": "boss"}, {"role": "member", "name": "X"}, {}])
async def test_a_member_is_the_same_whatever_it_was_written_in(
    alone: tuple[Service, World], values: dict[str, Any]
) -> None:
    service, world = alone
    outcomes = {}
    for form, content_type, content in forms({"email": "the@acme.example", **values}):
        body = content.replace(b"the@", f"{fresh_handle()}@".encode())
        answer = await sent(service.as_("owner"), "POST", f"{world.acme}/members", content_type, body)
        status, *rest = outcome(answer)
        outcomes[form] = status, str(rest).replace(answer.json().get("email", "the"), "the@acme.example")
    assert all(it == outcomes["plain"] for it in outcomes.values()), outcomes


async def test_an_offer_and_a_transfer_are_made_in_any_syntax(alone: tuple[Service, World]) -> None:
    """One naming the organization by its relative address: what it is relative to is below the list."""
    service, world = alone
    owner = service.as_("owner")
    second = await organization_of(service, name="Second")
    for _, content_type, content in forms({"organization": BASE + second}):
        shop = await instance_of(service, world.acme)
        offered = await sent(owner, "POST", f"{shop}/authorizations", content_type, content)
        assert (offered.status_code, offered.json()["status"]) == (201, "accepted"), content
        moved = await sent(owner, "POST", f"{shop}/transfer", content_type, content)
        assert (moved.status_code, moved.json()["organization_id"]) == (200, id_of(second)), content
    shop = await instance_of(service, world.acme)
    relative = f"<> <{VOCAB}organization> <{second}> ; a <{VOCAB}Authorization> ."
    assert (await sent(owner, "POST", f"{shop}/authorizations", TURTLE, relative)).status_code == 201
    linked = {"@context": CONTEXT, "organization": second}
    assert (await sent(owner, "POST", f"{shop}/transfer", JSON_LD, linked)).status_code == 200


async def test_a_new_name_is_put_in_any_syntax(alone: tuple[Service, World]) -> None:
    service, world = alone
    owner, shop = service.as_("owner"), await instance_of(service, world.acme)
    handle = (await owner.get(shop)).json()["handle"]
    for number, path in enumerate((shop, f"{world.acme}/instances/{id_of(shop)}")):
        for form, content_type, content in forms({"name": f"{number} ü", "handle": handle}):
            named = content.replace("ü".encode(), form.encode()).replace(b"\\u00fc", form.encode())
            answer = await sent(owner, "PUT", path, content_type, named)
            assert answer.status_code == 200, (form, answer.text)
            assert answer.json()["name"] == f"{number} {form}"


def served(body: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """A representation in every syntax, by independent writers."""
    options: Any = {"documentLoader": LOADER, "base": body["@id"]}
    elsewhere = {**options, "base": "http://elsewhere.example/", "graph": True}  # so that no IRI is relative
    flattened = jsonld.flatten(body, None, options)
    quads = jsonld.to_rdf(body, {**options, "format": N_QUADS})
    dataset = rdflib.Dataset()
    dataset.parse(data=quads, format="nquads")
    graph: Any = rdflib.Graph()
    graph.parse(data=quads, format="nt")
    return {
        "compact": (JSON_LD, json.dumps(body)),
        "inlined": (JSON_LD, json.dumps({**body, "@context": DOCUMENT["@context"]})),
        "expanded": (f'{JSON_LD};profile="{PROFILE}expanded"', json.dumps(jsonld.expand(body, options))),
        "flattened": (
            f'{JSON_LD};profile="{PROFILE}flattened"',
            json.dumps(flattened),
        ),
        "flattened and compacted": (
            f'{JSON_LD};profile="{PROFILE}flattened {PROFILE}compacted"',
            json.dumps({**jsonld.compact(flattened, dict(DOCUMENT), elsewhere), "@context": CONTEXT}),
        ),
        "Turtle": (TURTLE, graph.serialize(format="turtle")),
        "N-Triples": (N_TRIPLES, graph.serialize(format="nt")),
        "N-Quads": (N_QUADS, quads),
        "TriG": (TRIG, dataset.serialize(format="trig")),
    }


async def test_a_whole_record_sent_back_changes_nothing_in_any_syntax(alone: tuple[Service, World]) -> None:
    """With its links, its members and what may be done to it (CLIENTS H11)."""
    service, world = alone
    owner = service.as_("owner")
    await made(owner, f"{world.acme}/members", email="also@acme.example", role="owner")
    for path, own in ((world.acme, world.acme), (world.shop, world.shop), (world.nested_shop, world.shop)):
        before = await owner.get(own)
        assert before.json()["operation"]
        for form, (content_type, content) in served(before.json()).items():
            answer = await sent(owner, "PUT", path, content_type, content)
            assert answer.status_code == 200, (form, answer.text)
            assert (await owner.get(own)).headers["ETag"] == before.headers["ETag"], form


@pytest.mark.parametrize("form", [form for form in EVERY_FORM if form not in (JSON, RDF_XML)])
async def test_what_the_service_itself_writes_is_read_again(alone: tuple[Service, World], form: str) -> None:
    service, world = alone
    owner = service.as_("owner")
    for path, own in ((world.acme, world.acme), (world.nested_shop, world.shop)):
        before = await owner.get(own)
        shown = await owner.get(path, headers={"Accept": form})
        assert shown.headers["Content-Type"] == form
        answer = await sent(owner, "PUT", path, form, shown.content)
        assert answer.status_code == 200, answer.text
        assert (await owner.get(own)).headers["ETag"] == before.headers["ETag"]


ROOT = f'<> <{SCHEMA}name> "x" . '
OTHERS = {
    "another resource": (
        TURTLE,
        ROOT + f'<http://victim.example/> <{SCHEMA}name> "y" .',
        ["http://victim.example/"],
    ),
    "what a link leads to": (
        TURTLE,
        ROOT + f"<> <{VOCAB}instances> <http://x.example/> . <http://x.example/> <urn:p> 1 .",
        ["http://x.example/"],
    ),
    "what a member leads to": (
        TURTLE,
        ROOT + f"<> <{VOCAB}owners> <urn:m> . <urn:m> <{VOCAB}partner> <urn:n> . <urn:n> <urn:p> 1 .",
        ["urn:n"],
    ),
    "a fragment": (TURTLE, ROOT + "<#it> <urn:p> 1 .", ["#it"]),
    "a blank node": (TURTLE, ROOT + "[] <urn:p> 1 .", [""]),
    "two blank nodes": (TURTLE, "[] <urn:p> 1 . [] <urn:p> 1 .", [""]),
    "two resources": (N_TRIPLES, "<urn:a> <urn:p> <urn:a> .\n<urn:b> <urn:p> <urn:b> .", [""]),
    "one other resource": (TURTLE, f'<urn:a> <{SCHEMA}name> "x" .', ["@id"]),
    "graphs": (TRIG, ROOT + f"<urn:g> {{ {ROOT} }} _:g {{ {ROOT} }}", ["urn:g", ""]),
    "a graph alone": (N_QUADS, f'_:a <{SCHEMA}name> "x" <urn:g> .', ["urn:g"]),
    "a graph in a node": (
        JSON_LD,
        {f"{SCHEMA}name": "x", "@id": "urn:g", "@graph": [{"urn:p": 1}]},
        ["urn:g"],
    ),
    "what is included": (
        JSON_LD,
        {f"{SCHEMA}name": "x", "@included": [{"@id": "urn:a", "urn:p": 1}]},
        ["urn:a"],
    ),
    "what is reversed": (
        JSON_LD,
        {f"{SCHEMA}name": "x", "@reverse": {"urn:p": {"@id": "urn:a"}}},
        ["@reverse"],
    ),
    "a term that is reversed": (
        JSON_LD,
        {"@context": {"p": {"@reverse": "urn:p"}}, f"{SCHEMA}name": "x", "p": {"@id": "urn:a"}},
        ["@reverse"],
    ),
    "a language": (TURTLE, f'<> <{SCHEMA}name> "x"@en .', ["name"]),
    "a default language": (
        JSON_LD,
        {"@context": {"@language": "en", "n": f"{SCHEMA}name"}, "n": "x"},
        ["name"],
    ),
    "a direction": (JSON_LD, {f"{SCHEMA}name": {"@value": "x", "@direction": "rtl"}}, ["name"]),
    "a datatype": (TURTLE, f'<> <{SCHEMA}name> "x"^^<{XSD}token> .', ["name"]),
    "a number": (TURTLE, f"<> <{SCHEMA}name> 1 .", ["name"]),
    "JSON": (JSON_LD, {f"{SCHEMA}name": {"@value": {"a": 1}, "@type": "@json"}}, ["name"]),
    "an IRI": (TURTLE, f"<> <{SCHEMA}name> <urn:x> .", ["name"]),
    "a node": (TURTLE, f'<> <{SCHEMA}name> [ <{SCHEMA}name> "x" ] .', ["name"]),
    "a list": (TURTLE, f'<> <{SCHEMA}name> ( "x" "y" ) .', ["name"]),
    "a list of JSON-LD": (JSON_LD, {f"{SCHEMA}name": {"@list": ["x"]}}, ["name"]),
    "two names": (TURTLE, f'<> <{SCHEMA}name> "x", "y" .', ["name"]),
    "two names that are the same property": (TURTLE, ROOT + '<> <http://schema.org/name> "y" .', ["name"]),
    "an annotation": (TURTLE, f'<> <{SCHEMA}name> "x" {{| <urn:p> 1 |}} .', [""]),
    "a time that is a text": (
        TURTLE,
        ROOT + f'<> <{DCTERMS}created> "2026-01-01T00:00:00Z" .',
        ["created_at"],
    ),
    "a class": (TURTLE, ROOT + f"<> a <{VOCAB}Instance> .", ["@type"]),
    "properties": (
        TURTLE,
        ROOT + f"<> <urn:p> 1 ; <{VOCAB}handle> 'x' ; <{HYDRA}title> 'x' .",
        ["handle", "title", "urn:p"],
    ),
    "a term without a meaning": (JSON_LD, {"@context": {"n": f"{SCHEMA}name"}, "n": "x", "zzz": 1}, ["zzz"]),
    "a term of a profile": (f'{JSON_LD};profile="{PROFILE}expanded"', {"name": "x"}, ["name"]),
    "a context in spite of a profile": (
        f'{JSON_LD};profile="{PROFILE}flattened"',
        {"@context": CONTEXT, "name": "x"},
        ["@context"],
    ),
    "a keyword that is none": (JSON_LD, {"@context": {"n": f"{SCHEMA}name"}, "n": "x", "@foo": 1}, ["@foo"]),
    "two identifiers": (
        JSON_LD,
        {"@context": {"i": "@id"}, "@id": "", "i": "urn:x", f"{SCHEMA}name": "x"},
        [""],
    ),
    "a term twice": (JSON_LD, {"@context": CONTEXT, "name": "x", "schema:name": "y"}, ["name"]),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_what_is_not_said_of_the_resource_is_refused_by_name(service: Service, name: str) -> None:
    content_type, content, named = OTHERS[name]
    owner = service.as_("owner")
    before = (await owner.get(ORGANIZATIONS)).json()["totalItems"]
    answer = await sent(owner, "POST", ORGANIZATIONS, content_type, content)
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    assert sorted({it["propertyPath"] for it in violations}) == sorted(named), violations
    assert (await owner.get(ORGANIZATIONS)).json()["totalItems"] == before


MALFORMED = {
    "no Turtle": (TURTLE, "<> <"),
    "no UTF-8": (TURTLE, b'<> <urn:p> "\xff" .'),
    "a byte order mark": (TURTLE, b"\xef\xbb\xbf" + ROOT.encode()),
    "a tag that is none": (N_TRIPLES, '_:a <urn:p> "x"@en> . <urn:s> <urn:p> <urn:o> .'),
    "an IRI that is none": (TURTLE, f"<> <{VOCAB}organization> <http://x/ y> ."),
    "a relative IRI in N-Triples": (N_TRIPLES, f'<> <{SCHEMA}name> "x" .'),
    "a triple in a triple": (TURTLE, "<> <urn:p> <<( <urn:a> <urn:b> <urn:c> )>> ."),
    "a graph in Turtle": (TURTLE, f"<urn:g> {{ {ROOT} }}"),
    "what is no text": (TURTLE, "\x1e"),
    "no JSON": (JSON_LD, "[{"),
    "33 levels": (JSON_LD, "[" * 33 + "]" * 33),
    "33 levels of nodes": (TURTLE, f"<> <urn:p> {'[ <urn:p> ' * 33}1{' ]' * 33} ."),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_not_of_its_syntax_is_malformed(service: Service, name: str) -> None:
    content_type, content = MALFORMED[name]
    answer = await sent(service.as_("owner"), "POST", ORGANIZATIONS, content_type, content)
    check_problem(answer, "malformed-content")
    assert NO_STRING.search(answer.json()["detail"]) is None


@pytest.mark.parametrize("content_type", [TURTLE, N_TRIPLES, N_QUADS, TRIG, JSON_LD])
async def test_content_is_judged_when_it_is_its_turn(
    service: Service, world: World, content_type: str
) -> None:
    """404, 403 and 412 come first, and 415 before them all (API.md section 3)."""
    owner, broken = service.as_("owner"), "<" if content_type != JSON_LD else '[{"@context": "urn:x"'
    stranger, member = service.as_("stranger"), service.as_("member")
    for client, path, status in (
        (owner, world.absent, 404),
        (stranger, world.shop, 404),
        (member, world.shop, 403),
    ):
        assert (await sent(client, "PUT", path, content_type, broken)).status_code == status
    headers = {"Content-Type": content_type, "If-Match": '"0"'}
    assert (await owner.put(world.shop, content=broken, headers=headers)).status_code == 412
    assert (await sent(owner, "PUT", world.shop, content_type, broken)).status_code == 400
    refused = await sent(stranger, "PUT", world.shop, "application/rdf+xml", broken)
    assert check_problem(refused, "unsupported-media-type")
    patched = await owner.patch(world.shop, content=broken, headers={"Content-Type": content_type})
    assert patched.status_code == (400 if content_type == JSON_LD else 415)


async def test_the_same_key_is_for_the_same_content_in_the_same_syntax(service: Service) -> None:
    owner, headers = service.as_("owner"), {"Idempotency-Key": '"linked"'}
    content = f'_:a <{SCHEMA}name> "x" .'
    first = await owner.post(ORGANIZATIONS, content=content, headers={**headers, "Content-Type": TURTLE})
    again = await owner.post(ORGANIZATIONS, content=content, headers={**headers, "Content-Type": TURTLE})
    other = await owner.post(ORGANIZATIONS, content=content, headers={**headers, "Content-Type": N_TRIPLES})
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert other.status_code == 422
