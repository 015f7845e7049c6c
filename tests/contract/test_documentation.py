"""The documentation and the vocabulary say in every syntax what the files say, as Hydra clients read it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pyoxigraph as ox
import pytest
import rdflib
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from app.addresses import LINKS
from app.contract.contract import Contract, load_contract
from app.contract.documentation import documentation, problem_type, problem_types, vocabulary
from app.contract.shapes import shapes
from app.representation.documents import Document, graph_document
from app.representation.forms import JSON_LD, TURTLE
from app.representation.writing import Writers
from app.routes import ROUTES

BASE = "http://127.0.0.1:8000"
HYDRA = "http://www.w3.org/ns/hydra/core#"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(BASE)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(child)


def of_type(document: dict[str, Any], type_: str) -> list[dict[str, Any]]:
    return [node for node in nodes(document) if node.get("@type") == type_]


def test_d1_the_documentation_is_one_object(contract: Contract) -> None:
    document = documentation(contract)
    assert list(document)[:3] == ["@context", "@id", "@type"]
    assert (document["@id"], document["@type"]) == (f"{BASE}/api/docs", "ApiDocumentation")
    assert document["entrypoint"] == f"{BASE}/api"
    assert isinstance(document["@context"], dict)
    assert "@graph" not in document


def test_d2_d3_the_entry_point_has_only_collections(contract: Contract) -> None:
    [entry] = [c for c in of_type(documentation(contract), "Class") if c["@id"] == f"{BASE}/vocab#Entrypoint"]
    for supported in entry["supportedProperty"]:
        link = supported["property"]
        member = supported["title"].removesuffix("s").capitalize()
        ranges = {range_["@id"]: range_ for range_ in link["range"]}
        assert link["@type"] == "Link"
        assert f"{HYDRA}Collection" in ranges
        restriction = ranges[f"{BASE}/vocab#{member}Collection"]["equivalentClass"]
        assert restriction["onProperty"] == {"@id": f"{HYDRA}member"}
        assert restriction["allValuesFrom"] == {"@id": f"{BASE}/vocab#{member}"}
        assert "domain" in link
        get, post = link["supportedOperation"]
        assert (get["method"], get["returns"]) == ("GET", f"{HYDRA}Collection")
        assert (post["method"], post["expects"]) == ("POST", f"{BASE}/vocab#{member}")
        assert post["returns"] == post["expects"]


def test_d5_every_operation_is_complete(contract: Contract) -> None:
    operations = of_type(documentation(contract), "Operation")
    assert len(operations) > 10
    for operation in operations:
        assert operation["method"]
        assert operation["title"]
        assert operation["returns"]
        assert operation["possibleStatus"]
        assert ("expects" in operation) == (operation["method"] in ("POST", "PUT", "PATCH"))
        assert (operation["returns"] == "http://www.w3.org/2002/07/owl#Nothing") == (
            operation["method"] == "DELETE"
        )


def test_a_link_promises_what_is_at_the_address_that_it_leads_to(contract: Contract) -> None:
    """By whichever class it is met: an organization's memberships are not those of a partner."""
    routed = {re.sub(r"{\w+}", "{}", route.path): route.promise for route in ROUTES}
    met = set()
    for class_ in of_type(documentation(contract), "Class"):
        for supported in class_["supportedProperty"]:
            template = LINKS.get(class_["@id"].rpartition("#")[2], {}).get(supported["title"])
            if template is None:
                continue
            found = contract.promises[routed[re.sub(r"{\w+}", "{}", template)]].values()
            for having in (supported, supported["property"]):
                named = {operation["@id"] for operation in having.get("supportedOperation", ())}
                assert named <= {operation.iri for operation in found}, supported["@id"]
                met |= named
    assert {f"{BASE}/vocab#memberships-list", f"{BASE}/vocab#activities-list"} <= met


def test_d6_d7_every_class_and_property_is_complete(contract: Contract) -> None:
    for class_ in of_type(documentation(contract), "Class"):
        assert class_["title"]
        assert isinstance(class_["supportedOperation"], list)
        for supported in class_["supportedProperty"]:
            assert supported["property"]["@id"]
            assert supported["title"]
            assert {supported[key] for key in ("required", "readable", "writeable", "writable")} <= {
                True,
                False,
            }


def test_patch_stands_before_put(contract: Contract) -> None:
    for class_ in of_type(documentation(contract), "Class"):
        methods = [operation["method"] for operation in class_["supportedOperation"]]
        if "PUT" in methods:
            assert methods.index("PATCH") < methods.index("PUT")


def test_d10_every_own_term_of_data_is_described(contract: Contract) -> None:
    described = {node["@id"] for node in nodes(documentation(contract)) if len(node) > 1 and "@id" in node}
    for name in ("registry.jsonld", "problem.jsonld"):
        for term in contract.sources.contexts[name].terms.values():
            if term.iri.startswith(f"{BASE}/vocab#") and term.key != "registry":
                assert term.iri in described, term.key


def test_the_documentation_is_the_same_in_every_process() -> None:
    program = """
from app.contract import documentation as d
from app.contract.contract import load_contract
from app.contract.shapes import shapes
from app.representation.documents import graph_document
from app.representation.forms import EVERY_FORM
from app.representation.writing import Writers
contract = load_contract("http://127.0.0.1:8000")
writer = Writers(contract).documentation
for make in (d.documentation, d.vocabulary, d.problem_types, shapes):
    document = graph_document(writer, make(contract))
    print([document.variant(form).tag for form in EVERY_FORM])
"""
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(runs) == 1


def written(contract: Contract, node: dict[str, Any]) -> Document:
    return graph_document(Writers(contract).documentation, node)


def canonical(quads: Any) -> str:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return "\n".join(sorted(map(str, dataset)))


@pytest.mark.parametrize(
    "make", [documentation, vocabulary, shapes, problem_types, lambda c: problem_type(c, "gone")]
)
def test_every_processor_reads_the_same_graph_from_every_syntax(
    contract: Contract, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)  # as they are written
    context = contract.sources.contexts["documentation.jsonld"].document
    node = make(contract)
    document = written(contract, node)
    address = f"{BASE}/contexts/v1/documentation.jsonld"
    loader = FrozenDocumentLoader(documents={address: context})
    normal = jsonld.to_rdf(
        orjson.loads(document.variant(JSON_LD).content),
        {"documentLoader": loader, "format": "application/n-quads"},
    )
    by_pyld = canonical(ox.parse(normal, format=ox.RdfFormat.N_QUADS))
    by_pyoxigraph = canonical(ox.parse(document.variant(TURTLE).content, format=ox.RdfFormat.TURTLE))
    inline = orjson.dumps({**node, "@context": context["@context"]})
    graph = rdflib.Graph()
    graph.parse(data=inline, format="json-ld")
    again = canonical(ox.parse(graph.serialize(format="nt"), format=ox.RdfFormat.N_TRIPLES))
    assert by_pyld == by_pyoxigraph == again
    assert " <relative" not in by_pyld


def test_the_vocabulary_serves_every_triple_of_the_files(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)  # as they are written
    served = rdflib.Graph()
    served.parse(data=written(contract, vocabulary(contract)).variant(TURTLE).content, format="turtle")
    for triple in contract.sources.graph:
        named = isinstance(triple[0], rdflib.URIRef) and isinstance(triple[2], rdflib.URIRef | rdflib.Literal)
        if named and str(triple[0]).startswith(f"{BASE}/vocab#"):
            assert triple in served
