"""Section 6 of the conformance list: RDF in other syntaxes, as it is written and read."""

from __future__ import annotations

import json
import shutil
import threading
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from app.contract.contract import Contract, load_contract
from app.contract.sources import ROOT
from app.exchange import Resource
from app.representation import incoming
from app.representation.forms import EVERY_FORM, HTML
from app.representation.writing import Writers
from app.resources.published import documents
from app.routes import ROUTES
from tests.conformance.fresh import organization_of
from tests.judges import by_pyoxigraph, judges
from tests.service import (
    BASE,
    JSON,
    JSON_LD,
    N_QUADS,
    N_TRIPLES,
    TRIG,
    TURTLE,
    Service,
    World,
    forms,
    id_of,
)
from tests.test_graphs import contexts
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

LINKED_DATA = [route for route in ROUTES if set(EVERY_FORM) <= set(route.offers)]
PROPERTY_PATH = f"{{{BASE}/vocab#}}propertyPath"
NAMES = [
    *(
        "Ärzte",
        "Ελληνικά",
        "Русский",
        "Հայերեն",
        "עברית",
        "العربية",
        "فارسی",
        "हिन्दी",
        "বাংলা",
        "ਪੰਜਾਬੀ",
        "தமிழ்",
        "తెలుగు",
    ),
    *(
        "ಕನ್ನಡ",
        "മലയാളം",
        "සිංහල",
        "ไทย",
        "ລາວ",
        "བོད་ཡིག",
        "မြန်မာ",
        "ქართული",
        "አማርኛ",
        "ខ្មែរ",
        "ᠮᠣᠩᠭᠣᠯ",
        "日本語",
        "한국어",
    ),
    *("👩‍👩‍👧‍👦 & Söhne", "a\U0010fffdb", "e\u0301", '"quoted" \\ </script> <!-- ]]>', "𝔘𝔫𝔦𝔠𝔬𝔡𝔢", "𐍈 𓂀"),
]
OFFERS = {route.path: route.offers for route in ROUTES}
XSD = "http://www.w3.org/2001/XMLSchema#"
SCRIPT = "</script><script>alert(1)</script><!--"
ENTITIES = '<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b SYSTEM "file:///etc/hostname">]><r>&a;&b;</r>'
# Syntaxes that are read, with what is refused in them; then others, which are not.
REFUSED = {
    TURTLE: "<> <https://schema.org/name> " + "( " * 900 + ") " * 900 + ".",
    N_TRIPLES: "_:a <http://a/p> " + "<<( <http://a/> <http://a/> " * 30_000,
    N_QUADS: '_:a <https://schema.org/name> "x" .\n' * 20_000,
    TRIG: "<> <http://a/p> [] " + ", []" * 20_000 + " .",
}
OTHERS = {
    "application/rdf+xml": ENTITIES,
    "application/xml": ENTITIES,
    "text/n3": "{} => {} .",
    "application/sparql-update": 'INSERT DATA { <> <https://schema.org/name> "x" }',
    "application/xhtml+xml": ENTITIES,
    "text/html": "<html></html>",
}


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


# What is large is read by every judge in two forms, and by the one that is quick in all of them.
LARGE, SLOWLY = 30_000, (JSON_LD, TURTLE)


@pytest.mark.parametrize("route", LINKED_DATA, ids=[route.path for route in LINKED_DATA])
async def test_rd_01_every_resource_is_one_graph_in_every_form(
    service: Service, world: World, route: Resource
) -> None:
    """PF-12 too, judged by two or three readers of each form."""
    client, told = service.as_("owner"), {}
    documents = await contexts(client)
    for form in forms(route):
        if form not in (JSON, HTML):
            answer = await client.get(concrete(route, world), headers={"Accept": form})
            assert answer.headers["Content-Type"] == form
            told[answer.content] = form
    graphs = {
        tuple(judge(content, form, documents))
        for content, form in told.items()
        for judge in (judges(form) if form in SLOWLY or len(content) < LARGE else (by_pyoxigraph,))
    }
    assert len(graphs) == 1
    assert len(next(iter(graphs))) > 3


async def test_rd_02_the_syntaxes_have_their_registered_names(service: Service, world: World) -> None:
    names = ["text/turtle", "application/n-triples", "application/n-quads", "application/trig"]
    names.append("application/rdf+xml")
    for name in names:
        answer = await service.as_("owner").get(world.acme, headers={"Accept": name})
        assert answer.headers["Content-Type"] == name


async def test_rd_03_rdf_xml_is_well_formed_whatever_a_name_was_told_to_be(
    service: Service, world: World
) -> None:
    """What cannot be sent may stand in what an identity provider told, or be quoted in a problem."""
    client, accept = service.as_("owner"), {"Accept": "application/rdf+xml"}
    quoted = await client.post("/api/organizations", json={"a\u000bb\r\ufffd": 1}, headers=accept)
    told = await client.get(world.partner, headers=accept)
    for answer in (quoted, told):
        assert answer.headers["Content-Type"] == "application/rdf+xml"
        document = ElementTree.fromstring(answer.content)
        assert document.tag == "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"
    paths = [element.text for element in ElementTree.fromstring(quoted.content).iter(PROPERTY_PATH)]
    assert "a\ufffdb\r\ufffd" in paths


@pytest.mark.parametrize("name", NAMES)
async def test_rd_04_names_in_every_script_come_out_as_they_were_sent(service: Service, name: str) -> None:
    client = service.as_("owner")
    made = await client.post("/api/organizations", json={"name": name})
    assert made.status_code == 201
    told = set()
    for form in EVERY_FORM:
        answer = await client.get(made.headers["Location"], headers={"Accept": form})
        answer.content.decode("utf-8")
        if form != JSON:
            quads = by_pyoxigraph(answer.content, form, await contexts(client))
            told.add(tuple(quads))
    assert len(told) == 1
    turtle = await client.get(made.headers["Location"], headers={"Accept": "text/turtle"})
    assert name in [quad.object.value for quad in ox.parse(turtle.content, format=ox.RdfFormat.TURTLE)]


def test_rd_05_no_value_is_a_floating_point_number(contract: Contract) -> None:
    """What is neither read nor written needs no lexical form; as JSON, NaN is refused (JS-06)."""
    types = {p.shape.value_type for class_ in contract.classes.values() for p in class_.properties.values()}
    exact = {f"{XSD}{name}" for name in ("string", "integer", "boolean", "dateTime", "anyURI")}
    assert f"{XSD}integer" in types
    assert types - {None} <= exact


@pytest.mark.parametrize("media_type", REFUSED)
async def test_rd_06_rdf_is_read_under_limits(service: Service, world: World, media_type: str) -> None:
    owner, headers = service.as_("owner"), {"Content-Type": media_type}
    for method, path in (("POST", "/api/organizations"), ("PUT", world.acme)):
        answer = await owner.request(method, path, content=REFUSED[media_type], headers=headers)
        check_problem(answer, "malformed-content")


async def test_rd_06_content_is_read_beside_the_event_loop(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is short, and plain JSON by the service's keys, is read at once."""
    threads: dict[str, int] = {}

    def watched(name: str, function: Any) -> Any:
        def watch(*arguments: Any) -> Any:
            threads[name] = threading.get_ident()
            return function(*arguments)

        return watch

    for name in ("read_statements", "read_expanded", "check_text"):
        monkeypatch.setattr(incoming, name, watched(name, getattr(incoming, name)))
    owner = service.as_("owner")
    name = '_:a <https://schema.org/name> "x" .'
    await owner.post("/api/organizations", content=name, headers={"Content-Type": N_TRIPLES})
    await owner.post(
        "/api/organizations", json=[{"https://schema.org/name": "x"}], headers={"Content-Type": JSON_LD}
    )
    assert threads.keys() == {"read_statements", "read_expanded", "check_text"}
    assert threading.get_ident() not in threads.values()
    await owner.post("/api/organizations", json={"name": "\ufdd0"})
    assert threads["check_text"] == threading.get_ident()
    await owner.post("/api/organizations", json={"name": "\ufdd0" * 8_000})
    assert threads["check_text"] != threading.get_ident()


@pytest.mark.parametrize("media_type", OTHERS)
async def test_rd_06_other_syntaxes_are_not_read(service: Service, world: World, media_type: str) -> None:
    owner, headers = service.as_("owner"), {"Content-Type": media_type}
    content = OTHERS[media_type].encode()
    for method, path in (("POST", "/api/organizations"), ("PUT", world.acme), ("PATCH", world.acme)):
        answer = await owner.request(method, path, content=content, headers=headers)
        check_problem(answer, "unsupported-media-type")


async def test_rd_06_json_ld_is_read_under_a_limit_of_depth_and_names_no_context_of_others(
    service: Service,
) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    deep: Any = "x"
    for _ in range(33):
        deep = {"@graph": [deep]}
    headers = {"Content-Type": JSON_LD}
    answer = await owner.post("/api/organizations", content=json.dumps({"name": deep}), headers=headers)
    check_problem(answer, "malformed-content")
    for context, place in (
        ("http://127.0.0.1:1/c", ""),
        ("file:///etc/hostname", ""),
        (["http://127.0.0.1:1/c"], "/0"),
        ({"@import": "x"}, "/@import"),
    ):
        content = {
            "@context": context,
            "name": "Shop",
            "handle": "never",
            "organization_id": id_of(organization),
        }
        refused = await owner.post("/api/instances", json=content, headers=headers)
        violations: Any = check_problem(refused, "invalid-content")["violations"]
        assert [violation["pointer"] for violation in violations] == [f"#/@context{place}"]
    known = {"@context": f"{BASE}/contexts/v1/registry.jsonld", "name": "Known"}
    assert (await owner.post("/api/organizations", json=known, headers=headers)).status_code == 201


@pytest.mark.parametrize("path", ["/vocab", "/problems", "/problems/gone"])
async def test_rd_07_no_json_ld_stands_in_a_page_and_no_value_begins_a_script(
    service: Service, tmp_path: Path, path: str
) -> None:
    """The graph has addresses of its own, to which the page links; what is in the contract is text."""
    written = (
        ("Instance.ttl", 'rdfs:label "Instance'),
        ("Instance.ttl", 'rdfs:comment "Instances, a page'),
        ("problems.ttl", 'hydra:title "Gone'),
    )
    for folder in ("vocab", "contexts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file, before in written:
        text = (tmp_path / "vocab" / file).read_text("utf-8")
        assert before in text
        (tmp_path / "vocab" / file).write_text(text.replace(before, before + SCRIPT, 1), "utf-8")
    contract = load_contract(BASE, tmp_path)
    served = documents(contract, Writers(contract), OFFERS)[path].variant(HTML).content.decode()
    usual = await service.as_(None).get(path, headers={"Accept": HTML})
    assert usual.headers["Content-Type"] == HTML
    assert escape(SCRIPT) in served
    for page in (served, usual.text):
        assert "<script" not in page
        assert "<!--" not in page
        assert f'type="{JSON_LD}" href="{BASE}{path}.jsonld"' in page
