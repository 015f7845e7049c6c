"""One graph in every form: whatever the values are, whoever reads the bytes back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from app.contract.check import PROBLEM_CLASSES
from app.contract.constraints import NO_STRING
from app.contract.definitions import Property
from app.exchange import Resource
from app.problems import Available, Gone, Problem, Violation
from app.representation.collections import member_assertion, search
from app.representation.forms import EVERY_FORM, JSON, JSON_LD, RDF_XML, SUFFIXES, offered
from app.representation.nodes import operation_node
from app.representation.problems import problem_node
from app.representation.writing import Writer, Writers
from app.routes import ROUTES
from tests.judges import by_pyld, judges
from tests.promises import CONTRACT
from tests.service import BASE, Service, World
from tests.test_sweep import concrete

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]

WRITERS = Writers(CONTRACT)
CONTEXTS = {
    f"{BASE}/contexts/v1/{name}": context.document for name, context in CONTRACT.sources.contexts.items()
}
LINKED_DATA = [form for form in offered(EVERY_FORM, BASE) if form != JSON]
DATA = [name for name in CONTRACT.classes if name not in PROBLEM_CLASSES]
NESTED = {"owners": "Member", "members": "Member", "changes": "Change"}
# What ends a literal, a comment, an element or a statement early, and what is written in more than one way.
SHARP = [
    *('"', "'", '"""', "\\", "\\u0022", "\\\\", "\n", "\r\n", "\r", "\t", "]]>", "<!--", "--", "</script>"),
    *('" . <http://e/s> <http://e/p> "', '"@en', '"^^<http://e/d>', "<http://e/>", "&amp;", "&#x1F;", "&"),
    *("{}", "_:b0", "@id", "hydra:member", "http://e/ not an IRI", "%00", "\x7f", "\x85", "\u2028", "\u200f"),
    *("\u202e", "\ufeff", "é", "e\u0301", "名前", "नाम", "اسم", "שם", "🏳️‍🌈", "\U0010fffd", "\U000e0001"),
    *("", " ", "x" * 3_000, "\x0b", "\x1b", "\ufffe", "\U0010ffff"),
]
TEXTS = st.lists(st.sampled_from(SHARP) | st.text(), max_size=4).map("".join)
IDENTIFIERS = st.uuids().map(lambda found: f"{BASE}/api/instances/{found}")
INSTANTS = st.integers(0, 10**9).map(lambda found: f"20{found % 90 + 10}-01-02T03:04:05.{found % 10**6:06}Z")
INTEGERS = st.integers(-(2**53) + 1, 2**53 - 1)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "dateTime": INSTANTS,
    "integer": INTEGERS,
    "boolean": st.booleans(),
    "string": TEXTS,
}

# An example takes a twentieth of a second: what fails is told as it is.
UNSHRUNK = (Phase.explicit, Phase.generate)


def values(property_: Property) -> st.SearchStrategy[Any]:
    value_type = property_.shape.value_type or ""
    if property_.key in NESTED:
        return few(NESTED[property_.key])
    coercion = CONTRACT.sources.contexts["registry.jsonld"].terms[property_.key].coercion
    if coercion in ("@id", "@vocab"):
        return IDENTIFIERS if coercion == "@id" else st.sampled_from(["name", "handle", "status"])
    return KINDS.get(value_type.rpartition("#")[2], TEXTS)


# Made once, as Hypothesis takes longer to look through a strategy than to draw from it.
@cache
def nodes(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """With any of the properties, and any value of the kind that each has."""
    definition = CONTRACT.classes[name]
    properties = {key: values(property_) for key, property_ in definition.properties.items()}
    head = {"@id": IDENTIFIERS, "@type": st.just(definition.name)}
    return st.fixed_dictionaries(head, optional=properties)


@cache
def few(name: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(nodes(name), max_size=2)


@st.composite
def top_levels(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """What is served at an address: an item, or a page of a collection of them."""
    definition = CONTRACT.classes[name]
    operations = [operation_node(CONTRACT, it) for it in definition.operations.values()]
    node = {"@context": f"{BASE}/contexts/v1/registry.jsonld", **draw(nodes(name))}
    if definition.member is not None:
        view = {"@id": f"{node['@id']}?page=1", "@type": "PartialCollectionView"}
        node |= {
            "@type": ["Collection", name],
            "totalItems": draw(INTEGERS),
            "member": draw(few(definition.member)),
        }
        node |= {"view": view | {"first": draw(IDENTIFIERS)}}
        node |= {"search": search(definition, node["@id"])}
        node |= {"memberAssertion": member_assertion(CONTRACT, definition)}
    return node | ({"operation": operations} if operations else {})


def as_xml_can(value: Any) -> Any:
    """XML has no way to say some characters (XML 1.0 section 2.2): another stands in their place."""
    if isinstance(value, str):
        return NO_STRING.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: as_xml_can(item) for key, item in value.items()}
    return [as_xml_can(item) for item in value] if isinstance(value, list) else value


def check_forms(writer: Writer, node: Mapping[str, Any]) -> None:
    """RD-01, RD-03, RD-04, PF-12, TH-07: the same triples, neither more nor less, as PyLD has of the node."""
    told = by_pyld(writer.write(dict(node), JSON_LD), JSON_LD, CONTEXTS)
    in_xml = by_pyld(writer.write(as_xml_can(node), JSON_LD), JSON_LD, CONTEXTS)
    read = set()
    for form in LINKED_DATA:
        content = writer.write(dict(node), form)
        content.decode("utf-8")
        if content not in read:  # some forms of JSON-LD differ in their name alone
            read.add(content)
            for judge in judges(form):
                assert judge(content, form, CONTEXTS) == (in_xml if form == RDF_XML else told), form


@pytest.mark.parametrize("name", DATA)
def test_every_class_is_one_graph_in_every_form(name: str) -> None:
    @given(top_levels(name))
    @settings(max_examples=10, deadline=None, phases=UNSHRUNK)
    def one_graph(node: dict[str, Any]) -> None:
        check_forms(WRITERS.data, node)

    one_graph()


@given(TEXTS, TEXTS)
@example(SHARP[14], "\x0b")
@settings(max_examples=25, deadline=None, phases=UNSHRUNK)
def test_every_problem_is_one_graph_in_every_form(text: str, other: str) -> None:
    for problem in (
        Problem("invalid-content", text, violations=[Violation(text, other, "#/name", "pattern")] * 2),
        Problem("not-acceptable", text, available=[Available("text/turtle", ["urn:x"], f"{BASE}/api.ttl")]),
        Problem("gone", other, gone=Gone("/api/instances/x", "Instance", "2026-01-01T00:00:00.000000Z")),
    ):
        check_forms(WRITERS.problems, problem_node(CONTRACT, problem, "0193"))


@pytest.mark.parametrize("route", [it for it in ROUTES if it.offers], ids=lambda route: route.path)
async def test_every_form_has_an_address_of_its_own(standing: tuple[Service, World], route: Resource) -> None:
    """The suffix decides, whatever is accepted; it can only be read."""
    service, world = standing
    client, path = service.as_("owner"), concrete(route, world)
    if path.startswith("/contexts/"):
        pytest.skip("its own address ends so")
    for suffix, form in SUFFIXES.items():
        answer = await client.get(path + suffix, headers={"Accept": "image/png"})
        if form not in route.offers:
            assert answer.status_code == 404
            continue
        usual = await client.get(path, headers={"Accept": form})
        assert (answer.status_code, answer.content) == (200, usual.content)
        assert answer.headers["Content-Type"] == form
        assert answer.headers["ETag"] == usual.headers["ETag"]
        assert answer.headers["Vary"] == "Accept-Encoding"
        place = usual.headers.get("Content-Location", BASE + path)
        assert answer.headers["Content-Location"] == place
        assert f'<{place}>; rel="canonical"' in answer.headers["Link"]
        refused = await client.delete(path + suffix)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        tagged = await client.get(path + suffix, headers={"If-None-Match": answer.headers["ETag"]})
        assert tagged.status_code == 304


async def test_a_list_keeps_its_query_in_each_form(standing: tuple[Service, World]) -> None:
    service, _ = standing
    client = service.as_("owner")
    page = await client.get("/api/instances.json?itemsPerPage=1&after=")
    assert len(page.json()["member"]) == 1
    assert page.headers["Content-Location"] == f"{BASE}/api/instances?itemsPerPage=1&after="
    assert f'<{BASE}/api/instances.ttl?itemsPerPage=1&after=>; rel="alternate"' in page.headers["Link"]
    assert (await client.get(f"{BASE}/api/instances.ttl?itemsPerPage=1&after=")).status_code == 200


WITHOUT = ["/.ttl", "/api/me.ttl", "/api/handles/acme-shop.ttl", "/api.html", "/api.ttl.nt"]


@pytest.mark.parametrize("path", WITHOUT)
async def test_what_has_no_such_form_has_no_such_address(standing: tuple[Service, World], path: str) -> None:
    assert (await standing[0].as_("owner").get(path)).status_code == 404
