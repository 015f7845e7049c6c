"""What is wrong with content is reported as a SHACL engine reports it, to who reads JSON-LD."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from rdflib import Graph
from rdflib.namespace import RDF, SH, XSD
from rdflib.term import Literal, URIRef

from app.contract.contract import Contract
from app.contract.shapes import shapes_graph
from app.representation.reports import component
from tests.service import BASE, JSON, JSON_LD, PATCH, PROBLEM, Service, World
from tests.shacl import rdflib_graph, results, targeted
from tests.test_graphs import inlined
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]

SOURCE = Path(__file__).parents[1] / "app"
# Of each: the operation, the path, the method, what is sent, and the constraint components at fault.
FAULTS: list[tuple[str, str, str, Any, list[str]]] = [
    ("InstanceCollection-create", "/api/instances", "POST", {"name": " ", "handle": "X", "more": 1},
     ["Pattern", "Pattern", "Closed", "MinCount"]),
    ("InstanceCollection-create", "/api/instances", "POST", {"name": 7, "organization": 7},
     ["Datatype", "NodeKind", "MinCount"]),
    ("InstanceCollection-create", "/api/instances", "POST",
     {"name": "", "handle": "www", "organization_id": "x", "id": "x", "@type": "Partner"},
     ["MinLength", "Not", "Pattern", "HasValue", "In"]),
    ("InstanceCollection-create", "/api/instances", "POST",
     {"name": "x" * 256, "handle": "a" * 31}, ["MaxLength", "MaxLength", "MinCount"]),
    ("OrganizationCollection-create", "/api/organizations", "POST",
     {"@context": "https://elsewhere.example/context", "name": "x"}, ["Node"]),
    ("OrganizationCollection-create", "/api/organizations", "POST",
     {"@reverse": {"schema:name": {"name": "x"}}, "name": "x"}, ["Closed"]),
    ("OrganizationCollection-create", "/api/organizations", "POST", {"name": "a\x00b"}, ["Pattern"]),
    ("OrganizationCollection-create", "/api/organizations", "POST", ["name"], ["MinCount"]),
    ("MemberCollection-add", "{acme}/members", "POST", {"email": "nobody", "role": "king"},
     ["Pattern", "In"]),
    ("TransferTargetCollection-transfer", "{shop}/transfer", "POST", {}, ["MinCount"]),
    ("Instance-rename", "{nested_shop}", "PATCH", {"name": None, "handle": "other"},
     ["MinCount", "HasValue"]),
    ("Instance-replace", "{shop}", "PUT", {"created_at": "yesterday"}, ["HasValue", "MinCount"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def refused(service: Service, world: World, path: str, method: str, content: Any) -> httpx.Response:
    address = path.format(acme=world.acme, shop=world.shop, nested_shop=world.nested_shop)
    type_ = PATCH if method == "PATCH" else JSON_LD
    headers = {"Content-Type": type_, "Accept": JSON_LD}
    return await service.as_("owner").request(method, address, json=content, headers=headers)


def read(answer: httpx.Response) -> tuple[Graph, URIRef]:
    """The graph of a problem, and the report in it."""
    body = answer.json()
    graph = rdflib_graph(ox.parse(inlined(body, {}), format=ox.RdfFormat.JSON_LD))
    [report] = graph.objects(URIRef(body["@id"]), URIRef(f"{BASE}/vocab#report"))
    assert isinstance(report, URIRef)
    return graph, report


@pytest.mark.parametrize(("operation", "path", "method", "content", "components"), FAULTS)
async def test_invalid_content_is_reported_as_shacl_says(
    service: Service,
    world: World,
    contract: Contract,
    operation: str,
    path: str,
    method: str,
    content: Any,
    components: list[str],
) -> None:
    """SHACL section 3.6: a result for each violation, with all that a result has to have."""
    answer = await refused(service, world, path, method, content)
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    graph, report = read(answer)
    assert (report, RDF.type, SH.ValidationReport) in graph
    assert list(graph.objects(report, SH.conforms)) == [Literal("false", datatype=XSD.boolean)]
    found = list(graph.objects(report, SH.result))
    assert len(found) == len(violations) == len(components)
    published = shapes_graph(contract)
    for result in found:
        assert (result, RDF.type, SH.ValidationResult) in graph
        for predicate in (SH.focusNode, SH.sourceConstraintComponent, SH.sourceShape, SH.resultMessage):
            assert len(list(graph.objects(result, predicate))) == 1, predicate
        assert list(graph.objects(result, SH.resultSeverity)) == [SH.Violation]
        [shape] = graph.objects(result, SH.sourceShape)
        assert str(shape).startswith(f"{BASE}/shapes#{operation}")
        assert (shape, RDF.type, None) in published
        property_ = published.value(shape, SH.path)
        assert property_ is None or graph.value(result, SH.resultPath) == property_
    said = [str(component_) for component_ in graph.objects(None, SH.sourceConstraintComponent)]
    assert sorted(said) == sorted(f"{SH}{name}ConstraintComponent" for name in components)
    assert {str(message) for message in graph.objects(None, SH.resultMessage)} == {
        violation["message"] for violation in violations
    }


async def test_a_result_is_about_the_resource_that_was_to_be_changed_or_about_what_has_no_address_yet(
    service: Service, world: World
) -> None:
    """Wherever it was met: an instance has one address."""
    for path in ("{shop}", "{nested_shop}"):
        graph, _ = read(await refused(service, world, path, "PUT", {"handle": "other"}))
        assert set(graph.objects(None, SH.focusNode)) == {URIRef(BASE + world.shop)}
    answer = await refused(service, world, "{acme}/instances", "POST", {})
    graph, _ = read(answer)
    assert set(graph.objects(None, SH.focusNode)) == {URIRef(f"{answer.json()['instance']}-content")}


async def test_pyshacl_reports_the_same_properties(
    service: Service, world: World, contract: Contract
) -> None:
    """By the shape that the report names, of the content as JSON-LD."""
    context = contract.sources.contexts["registry.jsonld"].document["@context"]
    published = shapes_graph(contract)
    content = {"name": " ", "handle": "www", "role": "owner", "organization": {}, "@type": "Partner"}
    content["http://x.example/p"] = "x"
    graph, _ = read(await refused(service, world, "{acme}/instances", "POST", content))
    node = "urn:x:content"
    data = rdflib_graph(
        ox.parse(inlined({**content, "@context": context, "@id": node}, {}), format=ox.RdfFormat.JSON_LD)
    )
    shape = f"{BASE}/shapes#InstanceCollection-create"
    theirs = [result.path for result in results(data, targeted(published, shape, [node]))]
    ours = [
        str(path)
        for result in graph.objects(None, SH.result)
        for path in graph.objects(result, SH.resultPath)
    ]
    assert sorted(map(str, theirs)) == sorted(set(ours))
    assert len(theirs) == 6


@pytest.mark.parametrize("accept", [JSON, PROBLEM])
async def test_plain_json_does_without_a_report(service: Service, accept: str) -> None:
    owner, headers = service.as_("owner"), {"Accept": f"{accept}, {JSON_LD};q=0.5"}
    answer = await owner.post("/api/organizations", json={"nmae": "x"}, headers=headers)
    body = check_problem(answer, "invalid-content")
    assert body["violations"]
    assert "report" not in body
    assert "shacl" not in answer.text


async def test_a_conflict_is_not_reported_for_it_breaks_no_shape(service: Service, world: World) -> None:
    content = {"name": "Shop", "handle": "acme-shop"}
    answer = await refused(service, world, "{acme}/instances", "POST", content)
    body = check_problem(answer, "handle-taken")
    assert body["violations"]
    assert "report" not in body


async def test_what_the_violations_say_stays_beside_the_report(service: Service) -> None:
    """CLIENTS X3: raw keys, in one namespace."""
    answer = await service.as_("owner").post("/api/organizations", json={"name": 1})
    [violation] = answer.json()["violations"]
    assert {key: violation[key] for key in ("@type", "propertyPath", "pointer", "code")} == {
        "@type": "Violation", "propertyPath": "name", "pointer": "#/name", "code": "datatype",
    }  # fmt: skip
    context = answer.json()["@context"]
    terms = {context[key].get("@id") if isinstance(context[key], dict) else context[key] for key in (
        "violations", "propertyPath", "message",
    )}  # fmt: skip
    assert {term.partition(":")[0] for term in terms} == {"registry"}


def codes() -> Iterator[str]:
    """What stands in the code as that of a violation or of a constraint that fails."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                constants = [it.value for it in node.args if isinstance(it, ast.Constant)]
                texts = [it for it in constants if isinstance(it, str)]
                if node.func.id in ("violation", "Violation") and len(node.args) >= 3 and texts:
                    yield texts[-1]
                elif node.func.id == "Failure":
                    yield texts[0]


def test_every_code_is_a_parameter_of_shacl_or_described_in_the_vocabulary(contract: Contract) -> None:
    """SHACL's own terms are those that rdflib knows."""
    described = {
        str(contract.sources.graph.value(node, URIRef("http://www.w3.org/2000/01/rdf-schema#label")))
        for node in contract.sources.graph.subjects(RDF.type, URIRef(f"{BASE}/vocab#ViolationCode"))
    }
    met = set(codes())
    assert described <= met
    assert {"datatype", "maxLength", "pattern", "required", "unknown", "unique"} <= met
    for code in met - {"unique"}:
        assert code in described or code in SH, code
        assert component(contract, code).removeprefix("sh:") in SH, code
