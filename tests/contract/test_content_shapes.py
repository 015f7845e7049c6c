"""What is sent is accepted or refused as the published shapes of operations say: pySHACL is the judge.

A graph cannot tell all that JSON can. That a text stands in an array of its own, that there is an empty array
or a null for what only the service writes, and whether what cannot be changed says what is so, is therefore
not asked here; nor is whether an organization that is named can be used, which the database knows.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import orjson
import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rdflib import Graph

from app.contract.constraints import NO_STRING
from app.contract.contract import load_contract
from app.contract.definitions import ClassDefinition, Operation
from app.contract.shapes import content_shape, shapes_graph
from app.problems import Problem
from app.protocol.strict_json import loads
from app.representation.content import read_content
from tests.service import BASE
from tests.shacl import rdflib_graph, results, targeted

CONTRACT = load_contract(BASE)
OPERATIONS = {
    operation.name: (owner, operation)
    for owner in CONTRACT.classes
    for operation in CONTRACT.promises[owner].values()
    if operation.expects
}
EXAMPLES = 200
UNKNOWN, ABSENT = "urn:unknown:", object()
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
IDENTIFIER = "01930000-0000-7000-8000-000000000000"
NOON = "2026-01-01T12:00:00Z"
# What only the database knows, and whether what cannot be changed says what is so.
OF_STATE = {"reference", "readOnly"}
ALPHABET = st.sampled_from("abz-ABC019 _.@\n\r\t\u0085\u00a0\u00ad\u200b\u202e\u2028\ufdd0\ufeffé中𝔘")
EDGES = [
    *(
        "www",
        "api",
        "acme-eu",
        "xn--x",
        "ab--c",
        "a-b--c",
        "a" * 30,
        "a" * 31,
        "x" * 255,
        "x" * 256,
        "acme\n",
    ),
    *(IDENTIFIER, f"{IDENTIFIER}\n", IDENTIFIER.upper(), IDENTIFIER.replace("7000", "4000")),
    *(
        "pending",
        "accepted",
        "owner",
        "member",
        "Owner",
        "a@b",
        "a@b@c",
        "a b@c",
        f"{'a' * 318}@b",
        "𝔘" * 255,
    ),
]
# What is no xsd:string is no string to the service either; pySHACL does not look at it.
TEXTS = st.one_of(
    st.text(ALPHABET, max_size=8),
    st.text(st.sampled_from("ab-"), max_size=33),
    st.text(max_size=40),
    st.sampled_from(EDGES),
).filter(lambda text: NO_STRING.search(text) is None)
# IRIs that a link may have: what is none at all JSON-LD processors leave out.
ADDRESSES = st.sampled_from(
    [f"{BASE}/api/organizations/{IDENTIFIER}", f"{BASE}/api/organizations/x", "urn:x:y", "relative", ""]
)
NO_TEXTS = st.one_of(
    st.sampled_from([True, False, 0, 7, -1, 1.5, 1e300, {}, {"name": "x"}, {"@id": "urn:x:y"}]),
    st.lists(st.text("abc", min_size=1), min_size=2, max_size=3, unique=True),
)
VALID = {
    "name": st.sampled_from(["Acme", "é 中 𝔘", "x"]),
    "handle": st.sampled_from(["acme-eu", "a", "ab-c"]),
    "email": st.sampled_from(["a@b", "owner@acme.example"]),
    "role": st.sampled_from(["owner", "member"]),
    "status": st.sampled_from(["pending", "accepted"]),
    "organization_id": st.just(IDENTIFIER),
    "organization": ADDRESSES | ADDRESSES.map(lambda address: {"@id": address}),
}


def expected(operation: Operation) -> ClassDefinition:
    return CONTRACT.classes[str(operation.expects)]


def of_class(owner: str, operation: Operation) -> str:
    """What the content is, or becomes."""
    return expected(operation).name if operation.method == "POST" else owner


def bodies(owner: str, operation: Operation) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly right, so that what is wrong is not wrong in everything."""
    written = {key: it for key, it in expected(operation).properties.items() if it.writable}
    members: dict[str, st.SearchStrategy[Any]] = {}
    for key, property_ in written.items():
        wrong = NO_TEXTS if property_.link else TEXTS | NO_TEXTS
        null = st.just(ABSENT) if operation.method == "PATCH" and property_.required else st.none()
        members[key] = st.one_of(*[VALID[key]] * 5, wrong, wrong, null, st.just(ABSENT))
    definition = CONTRACT.classes[of_class(owner, operation)]
    names = [definition.name, definition.iri, expected(operation).name, expected(operation).iri]
    types = st.sampled_from([names, names[:1], "Instance", "Partner", "Nothing", [names[0], "Nothing"]])
    members["@type"] = st.one_of(*[st.just(ABSENT)] * 4, st.sampled_from(names), types)
    members["operation"] = st.sampled_from([ABSENT, [{"@type": "Operation"}]])
    others = sorted({*CONTRACT.keys, "grip", "names"} - set(written) - {"property"})
    terms = CONTRACT.sources.contexts["registry.jsonld"].terms
    links = {key for key in others if key in terms and str(terms[key].coercion).startswith("@")}
    member = st.sampled_from([(key, "urn:x:y" if key in links else NOON) for key in others])
    more = st.lists(member, max_size=2).map(dict)
    known = st.fixed_dictionaries(members).map(present)
    return st.builds(operator.or_, st.one_of(*[st.just({})] * 3, more), known)


def present(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not ABSENT}


def generated(owner: str, operation: Operation) -> list[dict[str, Any]]:
    """Bodies that are JSON as it is read here; each once."""
    found: dict[bytes, dict[str, Any]] = {}

    @given(bodies(owner, operation))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def collect(body: dict[str, Any]) -> None:
        try:
            content = orjson.dumps(body)
            loads(content)
        except (Problem, TypeError):  # characters that are no text
            return
        found[content] = body

    collect()
    return list(found.values())


def judged_by_the_service(owner: str, operation: Operation, body: dict[str, Any]) -> set[str]:
    """The IRIs of the properties at fault."""
    class_name = of_class(owner, operation)
    current = {"@id": f"{BASE}/x", "id": IDENTIFIER} if operation.method != "POST" else None
    try:
        read_content(
            CONTRACT,
            body,
            class_name,
            expected(operation).name,
            current,
            partial=operation.method == "PATCH",
        )
    except Problem as problem:
        return set(_paths(problem, created=current is None))
    return set()


def _paths(problem: Problem, *, created: bool) -> Iterator[str]:
    for violation in problem.violations:
        key = violation.property_path
        if violation.code in OF_STATE and not (created and violation.code == "readOnly"):
            continue
        if key == "@type":
            yield RDF_TYPE
        elif violation.message.startswith("One of"):
            yield "one of several"
        else:
            yield CONTRACT.keys.get(key, f"{UNKNOWN}{key}")


@cache
def published() -> Graph:
    return shapes_graph(CONTRACT)


def data(contents: Mapping[str, dict[str, Any]]) -> Graph:
    """Each a node of its own; a key that is no term stands for a property that is not ours."""
    context = CONTRACT.sources.contexts["registry.jsonld"].document["@context"]
    nodes = [{**body, "@id": node} for node, body in contents.items()]
    document = orjson.dumps({"@context": {**context, "@vocab": UNKNOWN}, "@graph": nodes})
    return rdflib_graph(ox.parse(document, format=ox.RdfFormat.JSON_LD, base_iri=f"{BASE}/api/"))


def judged_by_pyshacl(operation: Operation, contents: Mapping[str, dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {node: set() for node in contents}
    shape = content_shape(BASE, operation.name)
    for result in results(data(contents), targeted(published(), shape, contents)):
        found[result.focus].add("one of several" if result.path is None else result.path)
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_service_and_pyshacl_find_the_same_members_at_fault(name: str) -> None:
    owner, operation = OPERATIONS[name]
    contents = {f"urn:content:{n}": body for n, body in enumerate(generated(owner, operation))}
    judged = judged_by_pyshacl(operation, contents)
    accepted = 0
    for node, body in contents.items():
        faults = judged_by_the_service(owner, operation, body)
        assert judged[node] == faults, body
        accepted += not faults
    # Neither says always the same.
    assert len(contents) > EXAMPLES / 3
    assert len(contents) / 20 < accepted < len(contents) * 19 / 20
