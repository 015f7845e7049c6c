"""What content says is the same in every form: plain JSON by the contract's keys."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from app.contract.contract import Contract
from app.problems import Problem
from app.protocol.media_types import MediaType, parse_media_type
from app.representation.expanded import read_expanded
from app.representation.forms import EVERY_FORM, RDF_XML
from app.representation.incoming import Reader, Sent, Target
from app.representation.json_ld import Expander
from app.representation.nodes import operation_node
from app.representation.recognition import Recognition
from app.representation.terms import Terms
from app.representation.writing import Writers
from tests.linked_forms import CONTEXT, FORMS, LOADER, forms, listed
from tests.promises import CONTRACT
from tests.service import BASE, JSON, JSON_LD, TURTLE

pytestmark = pytest.mark.anyio

TARGET = Target("Organization", f"{BASE}/api/organizations/~")
# By the service's own keys, and so left as it is.
PLAIN = ("plain", "compact", "without a context", "framed")
PUT = Target("Organization", f"{BASE}/api/organizations/1", [f"{BASE}/api/organizations/1"])
REGISTRY = CONTRACT.sources.contexts["registry.jsonld"]
SCHEMA, VOCAB = "https://schema.org/", f"{BASE}/vocab#"
# Characters that are text, and those that are not as far as a writer of RDF lets them pass.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=12)
IRIS = st.sampled_from(
    [f"{BASE}/api/organizations/1", "http://x.example/ä", "urn:uuid:x", "mailto:a@b.example"]
)
SCALARS = TEXT | st.integers(-(2**60), 2**60) | st.booleans() | st.sampled_from([0.5, -1.25, 1e-7])


def told(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


KEYS = {
    **dict.fromkeys(("name", "handle", "email", "role", "id", "organization_id", "status"), SCALARS),
    **dict.fromkeys(("created_at", "joined_at"), st.datetimes(timezones=st.just(UTC)).map(told)),
    **dict.fromkeys(("organization", "created_by_organization", "transfer"), IRIS),
    "@type": st.sampled_from(["Organization", f"{VOCAB}Instance", "Create"]),
    "http://x.example/unknown": TEXT,
}
VALUES = st.fixed_dictionaries(
    {}, optional={key: values | st.lists(values, max_size=3) for key, values in KEYS.items()}
)


COMPACT = st.sampled_from(["schema:name", "owl:Nothing", "owl://x.example/"])
COMPACTED = st.fixed_dictionaries(
    {}, optional={"@type": COMPACT, "organization": COMPACT, "transfer": COMPACT}
)
SINGLE = VALUES.map(lambda values: {key: it for key, it in values.items() if not isinstance(it, list)})


def type_of(content_type: str) -> MediaType:
    media_type = parse_media_type(content_type)
    assert media_type is not None
    return media_type


async def read(content_type: str, content: bytes | str | Any, target: Target = TARGET) -> Sent:
    content = (
        content
        if isinstance(content, bytes)
        else content.encode()
        if isinstance(content, str)
        else json.dumps(content).encode()
    )
    return await Reader(CONTRACT).read(type_of(content_type), content, target)


def as_said(key: str, value: Any) -> Any:
    """In no order, each once; types by their IRIs."""
    names = {"Organization": f"{VOCAB}Organization", "Create": "https://www.w3.org/ns/activitystreams#Create"}
    items = [names.get(item, item) if key == "@type" else item for item in listed(value)]
    return sorted({(str(type(item)), str(item)) for item in items})


@settings(max_examples=50, deadline=None)
@given(values=VALUES)
async def test_the_same_values_say_the_same_in_every_form(values: dict[str, Any]) -> None:
    """What is no text is not either; where a form has it, its name does not matter."""
    plain = await read(JSON, values)
    said = {key: as_said(key, value) for key, value in values.items() if value != []}
    for name, content_type, content in forms(values):
        sent = await read(content_type, content)
        assert faults(sent) == faults(plain), (name, content)
        if sent.problem is None:
            assert isinstance(sent.document, dict)
            found = {key: as_said(key, value) for key, value in sent.document.items() if value != []}
            assert {key: its for key, its in found.items() if key not in ("@context", "@id")} == said, name


def faults(sent: Sent) -> set[tuple[str, str, str]]:
    found = sent.problem.violations if sent.problem else ()
    assert bool(sent.problem) == bool(found), sent.problem
    return {(fault.property_path, fault.code, fault.message) for fault in found}


@settings(max_examples=30, deadline=None)
@given(values=SINGLE)
async def test_a_single_value_stays_the_value_of_plain_json(values: dict[str, Any]) -> None:
    values.pop("@type", None)
    for name, content_type, content in forms(values):
        sent = await read(content_type, content)
        if sent.problem is None and name not in PLAIN:
            assert isinstance(sent.document, dict)
            assert {key: it for key, it in sent.document.items() if key != "@context"} == values, name


async def test_there_is_a_writer_for_every_media_type(contract: Contract) -> None:
    from app.receiving import ACCEPTED

    assert {type_of(content_type).essence for content_type, _ in FORMS.values()} == {*ACCEPTED["POST"]}


EXPANDED = st.recursive(
    st.fixed_dictionaries({"@value": TEXT | st.integers() | st.booleans()})
    | st.fixed_dictionaries({"@value": TEXT, "@language": st.sampled_from(["en", "de-at"])})
    | st.fixed_dictionaries({"@value": TEXT, "@type": IRIS}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "@id": IRIS | st.just("_:b0"),
            "@type": st.lists(IRIS, min_size=1, max_size=2),
            "http://x.example/p": st.lists(inner, max_size=3),
            f"{SCHEMA}name": st.lists(inner, max_size=2),
        },
    ),
    max_leaves=12,
)
NODES = EXPANDED.filter(lambda value: "@value" not in value and value.keys() - {"@id"})


@given(document=st.lists(NODES, max_size=3))
def test_what_is_taken_for_expanded_is_what_expansion_leaves_alone(document: list[Any]) -> None:
    expander = Expander(CONTRACT)
    assert expander.expand(document, TARGET.base, CONTEXT) is document
    assert jsonld.expand(document, {"documentLoader": LOADER, "base": TARGET.base}) == document


@settings(max_examples=60, deadline=None)
@given(values=VALUES, member=VALUES | COMPACTED, graph=st.booleans())
def test_what_is_written_with_the_service_s_context_is_expanded_as_by_a_processor(
    values: dict[str, Any], member: dict[str, Any], graph: bool
) -> None:
    embedded = {"@id": f"{BASE}/api/organizations/1/members/1", **member}
    node = {"@id": f"{BASE}/api/organizations/1", **values, "owners": [embedded]}
    document: Any = {"@context": CONTEXT, "@graph": [node]} if graph else {"@context": CONTEXT, **node}
    by_pyld = jsonld.expand(document, {"documentLoader": LOADER, "base": TARGET.base})
    by_us = Expander(CONTRACT).expand(document, TARGET.base, CONTEXT)
    size = len(json.dumps(document))
    statements = read_expanded(by_us, TARGET.base, size).about
    assert statements == read_expanded(by_pyld, TARGET.base, size).about
    known = "http://x.example/unknown" not in {**values, **member}
    assert (Recognition(Terms(REGISTRY, CONTEXT)).expanded(document, None) is not None) == known


async def test_an_organization_with_all_the_members_that_it_can_have_is_read() -> None:
    """In every form that the service writes: what was served can be sent back."""
    address = f"{BASE}/api/organizations/1"
    member = {"@type": "Member", "role": "member", "email": "x@acme.example", "organization": address}
    member |= {"name": "X", "joined_at": "2026-01-01T00:00:00.000000Z", "partner": f"{BASE}/api/partners/1"}
    members = [{"@id": f"{address}/members/{n}", "id": str(n), **member} for n in range(1_000)]
    node = {"@context": CONTEXT, "@id": address, "@type": "Organization", "name": "x", "members": members}
    node["operation"] = [operation_node(CONTRACT, it) for it in CONTRACT.promises["Organization"].values()]
    writer = Writers(CONTRACT).data
    for form in EVERY_FORM:
        if form not in (JSON, RDF_XML):
            sent = await read(form, writer.write(node, form), PUT)
            assert sent.problem is None, (form, sent.problem)
            assert isinstance(sent.document, dict)
            assert sent.document["name"] == "x"
            assert len(listed(sent.document["members"])) == 1_000


@pytest.mark.parametrize(
    "document",
    [
        [{f"{SCHEMA}name": "x"}],
        [{f"{SCHEMA}name": ["x"]}],
        [{"schema:name": [{"@value": "x"}]}],
        [{"name": [{"@value": "x"}]}],
        [{"@id": "", "@type": "Organization"}],
        [{"@id": "relative", f"{SCHEMA}name": [{"@value": "x"}]}],
        [{f"{SCHEMA}name": [{"@value": ["x"]}]}],
        [{f"{SCHEMA}name": [{"@set": [{"@value": "x"}]}]}],
        [{"@graph": [{f"{SCHEMA}name": [{"@value": "x"}]}]}],
        {f"{SCHEMA}name": [{"@value": "x"}]},
        [[]],
        ["x"],
    ],
)
def test_what_is_not_quite_expanded_is_expanded(document: Any) -> None:
    expander = Expander(CONTRACT)
    found: Any = None
    with suppress(Problem):
        found = expander.expand(document, TARGET.base, CONTEXT)
    assert found is not document


@pytest.mark.parametrize("name", ["name", "email"])
async def test_properties_that_are_the_same_are_read_as_the_contract_s_own(
    contract: Contract, name: str
) -> None:
    same = contract.classes["Member"].properties[name].same_as
    assert same == (f"http://schema.org/{name}",)
    for iri in (*same, f"{SCHEMA}{name}"):
        assert (await read(TURTLE, f'<> <{iri}> "x" .')).document == {name: "x"}
    both = f'<> <{SCHEMA}{name}> "x" ; <{same[0]}> "y" .'
    assert (await read(TURTLE, both)).document == {name: ["x", "y"]}


@pytest.mark.parametrize(
    ("content", "document"),
    [
        ("", {}),
        (f'[] <{SCHEMA}name> "x" .', {"name": "x"}),
        (f'[] <{SCHEMA}name> [ <http://x.example/p> "x" ] .', None),
        (f'<http://x.example/> <{SCHEMA}name> "x" .', {"@id": "http://x.example/", "name": "x"}),
        (
            f"<> <{VOCAB}organization> </api/organizations/1> .",
            {"organization": f"{BASE}/api/organizations/1"},
        ),
        (f"<> <{VOCAB}organization> <../organizations/1> .", {"organization": f"{BASE}/api/organizations/1"}),
        (
            f'<> <{VOCAB}organization> "{BASE}" .',
            {"organization": {"@value": BASE, "@type": f"{rdflib.XSD.string}"}},
        ),
        (f'<> <{SCHEMA}name> "x"@en .', {"name": {"@value": "x", "@language": "en"}}),
        (f'<> <{SCHEMA}name> "x"@en--ltr .', {"name": {"@value": "x", "@language": "en"}}),
        (f'<> <{SCHEMA}name> 1, 1.5, 1e1, true, "1"^^<urn:x> .', None),
        (f'<> <{SCHEMA}name> "{"9" * 301}"^^<{rdflib.XSD.integer}> .', None),
        ('<> a "Organization" .', {"@type": {"@value": "Organization", "@type": f"{rdflib.XSD.string}"}}),
        ("_:a <urn:p> _:b . _:b <urn:p> _:a .", None),
    ],
)
async def test_turtle_is_read_as_what_it_says(content: str, document: Any) -> None:
    sent = await read(TURTLE, content)
    if document is not None:
        assert sent.document == document
    elif sent.problem is not None:
        assert sent.problem.type == "invalid-content"
    else:
        values = [value for member in (sent.document or {}).values() for value in listed(member)]  # type: ignore[union-attr]
        assert not any(isinstance(value, str) for value in values)
        assert all(not isinstance(value, dict) or value for value in values)


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-01T00:00:00.000000Z",
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T02:00:00.0+02:00",
        "2025-12-31T22:30:00-01:30",
    ],
)
async def test_a_time_is_the_same_however_rdf_writes_it(time: str) -> None:
    """rdflib, for one, writes it as it likes."""
    content = f'<> <http://purl.org/dc/terms/created> "{time}"^^<{rdflib.XSD.dateTime}> .'
    assert (await read(TURTLE, content)).document == {"created_at": "2026-01-01T00:00:00.000000Z"}


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-01T00:00:00",
        "2026-01-01T24:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "now",
        "2026-01-01T00:00:00.0000001Z",
    ],
)
async def test_what_is_no_such_time_stays_what_it_is(time: str) -> None:
    content = f'<> <http://purl.org/dc/terms/created> "{time}"^^<{rdflib.XSD.dateTime}> .'
    assert (await read(TURTLE, content)).document == {"created_at": time}


@pytest.mark.parametrize("root", ["<>", f"<{BASE}/api/organizations/1>", "[]", "_:b0"])
async def test_what_a_put_is_about_is_named_by_null_by_its_address_or_not_at_all(root: str) -> None:
    assert (await read(TURTLE, f'{root} <{SCHEMA}name> "x" .', PUT)).document == {"name": "x"}
    other = await read(TURTLE, f'{root} <{SCHEMA}name> "x" . <#other> <{SCHEMA}name> "y" .', PUT)
    assert other.problem is not None
    assert [fault.property_path for fault in other.problem.violations] == ["#other"]


async def test_a_short_document_with_the_service_s_context_is_not_expanded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Expander, "expand", refuse)
    for document in (
        {"@context": CONTEXT, "name": "x"},
        {"name": "x", "owners": [{"@id": "x", "name": "y"}]},
    ):
        assert (await read(JSON_LD, document)).document == document
    with pytest.raises(AssertionError):
        await read(JSON_LD, {"@context": {}, "name": "x"})
